"""Names beside ids: what is asked for, how often, and where they stand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import stripe_magics as sm
from stripe_magics.errors import InvalidValue, PermissionDenied, UnknownName

from .conftest import Cells


@pytest.fixture
def demo(cells: Cells) -> Cells:
    cells("%stripe connect --sandbox --quiet")
    return cells


@pytest.fixture
def sent(demo: Cells, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The requests that go out from here on."""
    connection = sm.current()
    seen: list[Any] = []
    send = connection.send

    def noted(request: Any, **more: Any) -> Any:
        seen.append(request)
        return send(request, **more)

    monkeypatch.setattr(connection, "send", noted)
    return seen


def html(cells: Cells, value: Any) -> str:
    return str(cells.shell.display_formatter.format(value)[0]["text/html"])


def test_one_request_a_page_and_none_the_second_time(demo: Cells, sent: list[Any]) -> None:
    frame = sm.call("payment_intents.list", limit=20)
    sent.clear()
    shown = html(demo, frame)
    assert [(each.path, dict(each.params)["expand[]"]) for each in sent] == [
        ("/v1/payment_intents", "data.customer")
    ]
    customer = sm.call("customers.retrieve", customer=frame["customer"][0])
    assert f"{customer['name'][0]}<br><small>{customer['id'][0]}</small>" in shown
    assert set(frame["customer"].dropna().str[:4]) == {"cus_"}, "the frame keeps its ids"
    sent.clear()
    html(demo, frame)
    assert sent == []


def test_both_ends_of_a_long_frame_have_names(demo: Cells, sent: list[Any]) -> None:
    frame = sm.call("subscriptions.list", limit=150, status="all")
    sent.clear()
    shown = html(demo, frame)
    assert len(sent) == 2
    names = sm.call("customers.list", limit="all").set_index("id")["name"]
    for each in (frame["customer"].iloc[0], frame["customer"].iloc[-1]):
        assert f"{names[each]}<br><small>{each}</small>" in shown


def test_a_single_missing_name_is_read_by_its_id(demo: Cells, sent: list[Any]) -> None:
    frame = sm.call("charges.list", customer="cus_demoJennyRosen", limit=3)[
        ["id", "amount", "currency", "customer"]
    ]
    sent.clear()
    assert "Jenny Rosen<br>" in html(demo, frame)
    assert [each.path for each in sent] == ["/v1/customers/cus_demoJennyRosen"]


def test_products_and_invoices_have_names_too(demo: Cells) -> None:
    assert "Platform" in html(demo, sm.call("prices.list", limit=3)[["id", "product"]])
    frame = sm.call("subscriptions.list", limit=20)
    invoices = sm.call("invoices.list", limit="all").set_index("id")["number"]
    shown = html(demo, frame[["id", "latest_invoice"]])
    numbers = invoices[list(frame["latest_invoice"].dropna())].dropna()
    assert len(numbers) > 3
    assert all(f"{number}<br><small>{id}</small>" in shown for id, number in numbers.items())


def test_nothing_is_read_for_what_is_not_shown(demo: Cells, sent: list[Any]) -> None:
    demo("df = %stripe payment_intents list --limit 5")
    demo("%stripe payment_intents list --limit 6 --quiet")
    demo("%stripe payment_intents list --limit 7 --out kept")
    assert [dict(each.params)["limit"] for each in sent] == ["5", "6", "7"]


def test_names_off(demo: Cells, sent: list[Any]) -> None:
    demo("%stripe payment_intents list --limit 5 --names off")
    assert len(sent) == 1
    demo("%stripe config --names-beside-ids off")
    demo("%stripe payment_intents list --limit 5")
    assert len(sent) == 2


def test_a_write_makes_names_be_read_anew(demo: Cells) -> None:
    frame = sm.call("charges.list", customer="cus_demoJennyRosen", limit=2)[["id", "customer"]]
    assert "Jenny Rosen" in html(demo, frame)
    sm.call("customers.update", customer="cus_demoJennyRosen", name="Jenny <b>Kim</b>")
    assert "Jenny &lt;b&gt;Kim&lt;/b&gt;<br>" in html(demo, frame)


def test_a_key_that_may_not_read_them_says_so_once(demo: Cells, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = sm.call("payment_intents.list", limit=5)
    asked: list[Any] = []

    def refuse(request: Any, **more: Any) -> Any:
        asked.append(request)
        raise PermissionDenied("This key may not read customers.")

    monkeypatch.setattr(sm.current(), "send", refuse)
    for _ in range(2):
        shown = html(demo, frame)
        assert "Names could not be read: This key may not read customers." in shown
        assert frame["customer"][0] in shown
    assert len(asked) == 1


@pytest.mark.parametrize(
    "kind", ["payment_intents", "subscriptions", "setup_intents", "quotes", "invoiceitems"]
)
def test_customer_name_is_a_column_that_can_be_asked_for(demo: Cells, sent: list[Any], kind: str) -> None:
    names = sm.call("customers.list", limit="all").set_index("id")["name"]
    sent.clear()
    frame = demo(f"%stripe {kind} list --limit 5 --columns id,customer,customer_name")
    html(demo, frame)
    assert [dict(each.params) for each in sent] == [{"limit": "5", "expand[0]": "data.customer"}], (
        "the same request brings the names"
    )
    rows = frame.dropna(subset="customer")
    assert list(frame.columns) == ["id", "customer", "customer_name"]
    assert len(rows)
    assert rows["customer_name"].tolist() == names[rows["customer"]].tolist()


def test_nobody_who_didnt_ask_gets_more_than_ids(demo: Cells, sent: list[Any]) -> None:
    frame = sm.call("payment_intents.list", limit=5, columns=["id", "customer"])
    assert list(frame.columns) == ["id", "customer"]
    assert list(sent[0].params) == [("limit", "5")]


def test_other_objects_columns_can_be_asked_for_too(demo: Cells, sent: list[Any]) -> None:
    prices = sm.call("prices.list", limit=5, columns=["id", "product_name", "unit_amount"])
    products = sm.call("products.list", limit="all")["name"]
    assert set(prices["product_name"]) <= set(products)
    one = sm.call(
        "payment_intents.retrieve",
        payment_intent="pi_demoCapture",
        columns=["customer_name", "customer_address_city"],
    )
    assert one["customer_name"].notna().all()
    assert list(sent[-1].params) == [("expand[0]", "customer")]
    charges = sm.call("charges.list", limit=10, columns=["id", "customer_name", "fee"])
    assert charges["customer_name"].notna().any(), "a charge's own billing name, as before"
    assert sorted(dict(sent[-1].params).values()) == ["10", "data.balance_transaction"]
    assert str(charges["fee"].dtype) == "Int64"


def test_a_column_that_no_row_fills_is_there_and_missing(cells: Cells) -> None:
    cells("%stripe connect --sandbox --empty --quiet")
    columns = ["id", "customer_name", "invoice_amount_due"]
    empty = sm.call("payment_intents.list", columns=columns)
    assert list(empty.columns) == columns
    sm.call("payment_intents.create", amount=500, currency="usd")
    frame = sm.call("payment_intents.list", columns=columns)
    assert frame[columns[1:]].isna().all(axis=None)
    assert str(frame["invoice_amount_due"].dtype) == "Int64"
    customer = sm.call("customers.create", name="Ada")["id"][0]
    sm.call("payment_intents.create", amount=500, currency="usd", customer=customer)
    assert sm.call("payment_intents.list", columns=columns)["customer_name"].tolist()[0] == "Ada"


def test_a_column_that_nothing_brings_is_refused(demo: Cells) -> None:
    with pytest.raises(UnknownName, match="customer_nme"):
        sm.call("payment_intents.list", limit=3, columns=["id", "customer_nme"])
    with pytest.raises(UnknownName, match="invoice_number"):  # a charge has no invoice in that version
        sm.call("charges.list", limit=3, columns=["id", "invoice_number"], stripe_version="2026-10-28.endive")


def test_a_written_request_stays_as_it_is(demo: Cells, sent: list[Any]) -> None:
    made = sm.call("payment_intents.create", amount=500, currency="usd", columns=["id", "customer_name"])
    assert not any(name.startswith("expand") for name, _ in sent[0].params)
    assert any("customer_name" in note for note in made.attrs["stripe"]["notes"])


def test_a_files_columns_are_the_lists_own(demo: Cells, sent: list[Any], tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="customer_name is a column of the customer.*Nothing was sent"):
        sm.call(
            "payment_intents.list", limit=5, columns=["id", "customer_name"], to=str(tmp_path / "payments")
        )
    assert sent == []
