"""A table becomes one call a row: columns guessed and corrected, faults by row and cell, Stop, a result
file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from each_row import each_row

import stripe_magics as sm
from stripe_magics import bulk, catalogue
from stripe_magics.client.connection import Connection
from stripe_magics.forms import rows_form
from stripe_magics.forms.column_mapping import LEFT_OUT, guess
from stripe_magics.forms.row_amounts import read_amounts
from stripe_magics.forms.rows_widget import RowsForm


def run_for(name: str) -> Any:
    def run(frame: Any, **options: Any) -> Any:
        return bulk.write_rows(name, frame, quiet=True, **options)

    return run


def opened(name: str, frame: pd.DataFrame) -> RowsForm:
    return rows_form(name, frame, run_for(name))


@each_row(
    ("column", "field"),
    [
        ("name", "name"),
        ("E-Mail", "email"),
        ("Email address", LEFT_OUT),
        ("Phone", "phone"),
        ("shipping[address][city]", "shipping_city"),
        ("Shipping City", "shipping_city"),
        ("descripton", "description"),
        ("favourite colour", LEFT_OUT),
    ],
)
def test_columns_are_guessed_by_what_people_call_them(column: str, field: str) -> None:
    assert guess([column], catalogue.find("customers.create")) == {column: field}


def test_no_field_is_taken_twice() -> None:
    mapping = guess(["email", "Email", "E-Mail"], catalogue.find("customers.create"))
    assert list(mapping.values()) == ["email", LEFT_OUT, LEFT_OUT]


def test_id_is_the_objects_own() -> None:
    assert guess(["id", "name"], catalogue.find("customers.update"))["id"] == "customer"


def test_faults_are_named_by_row_and_cell_and_nothing_is_sent(sandbox: Connection) -> None:
    people = pd.DataFrame(
        {"Name": ["Ann", "Bob", "Cid"], "Mail": ["ann@example.com", "bob(at)example.com", "cid"]}
    )
    form = opened("customers.create", people)
    form.columns["Mail"].value = "email"
    before = sandbox.writes
    assert not form.check()
    assert "2 cells need correcting. Nothing was sent." in form.status.value
    for words in (
        "<td>2</td><td>Mail</td><td>bob(at)example.com</td>",
        "<td>3</td><td>Mail</td><td>cid</td>",
    ):
        assert words in form.status.value
    form.send()
    assert not form._armed
    assert sandbox.writes == before
    fields = {each.description: each for each in form.corrections.box.children}
    assert list(fields) == ["Row 2: Mail", "Row 3: Mail"]
    fields["Row 2: Mail"].value = "bob@example.com"
    assert not form.check()
    assert "One cell needs correcting" in form.status.value
    form.corrections.box.children[0].value = "cid@example.com"
    assert form.check()
    assert form.corrections.box.children == ()
    assert list(people["Mail"])[1:] == ["bob(at)example.com", "cid"], "the caller's own table stays as it is"
    form.send()
    form.confirm()
    form.wait(60)
    assert {"bob@example.com", "cid@example.com"} <= set(sm.call("customers.list", limit=5)["email"])


def test_a_file_is_named_and_its_result_stands_beside_it(sandbox: Connection, tmp_path: Path) -> None:
    from stripe_magics.parsing import parse

    (tmp_path / "people.csv").write_text("name\nAnn\nBob\n")
    command = parse(f"customers create --from {tmp_path / 'people.csv'} --form")
    form = opened("customers.create", command.options.from_)
    assert "2 rows of people.csv, one call each." in form._top.value
    form.send()
    form.confirm()
    answer = form.wait(60)
    assert list(pd.read_csv(tmp_path / "people-result.csv")["result"]) == ["done", "done"]
    assert "of people.csv" not in opened("customers.create", answer[["name"]])._top.value


def test_rows_are_sent_once_and_their_result_is_kept(sandbox: Connection, tmp_path: Path) -> None:
    people = pd.DataFrame({"name": [f"Person {n}" for n in range(25)], "ignored": "=1+1"})
    people.attrs["source_file"] = str(tmp_path / "people.csv")
    form = opened("customers.create", people)
    form.send()
    assert form._armed
    assert "send 25 calls?" in form.status.value
    form.confirm()
    result = form.wait(60)
    assert result["result"].tolist() == ["done"] * 25
    assert "<b>25 done</b>" in form.status.value, "what no row came to isn't counted"
    assert "sm-good" in form.status.value
    saved = pd.read_csv(tmp_path / "people-result.csv")
    assert saved["result_id"].str.startswith("cus_").all()
    assert saved["ignored"].tolist() == ["'=1+1"] * 25, "no spreadsheet runs it"
    found = sm.call("customers.list", limit=30)
    assert found["name"].str.startswith("Person ").sum() == 25


def test_stop_ends_after_the_rows_under_way(sandbox: Connection) -> None:
    people = pd.DataFrame({"name": [f"Person {n}" for n in range(200)]})
    form = opened("customers.create", people)
    form.send()
    form._stop.clear()
    say = form._progress

    def stopping(done: int, pages: int) -> None:
        form.stop()
        say(done, pages)

    form._progress = stopping  # type: ignore[method-assign]
    form.confirm()
    result = form.wait(60)
    assert 0 < (result["result"] == "done").sum() < 200
    assert set(result["result"]) == {"done", "not sent"}
    assert "not sent" in form.status.value


def test_a_changed_mapping_is_checked_again(sandbox: Connection) -> None:
    form = opened("customers.create", pd.DataFrame({"name": ["Ann"], "other": ["not an address"]}))
    form.send()
    form.columns["other"].value = "email"
    assert not form._armed
    form.confirm()
    assert form.wait(60) is None
    form.send()
    assert "One cell needs correcting" in form.status.value


def test_two_columns_for_one_field_are_refused(sandbox: Connection) -> None:
    form = opened("customers.create", pd.DataFrame({"name": ["Ann"], "other": ["Bob"]}))
    form.columns["other"].value = "name"
    assert not form.check()
    assert "Two columns fill Name" in form.status.value


def test_what_stands_in_a_file_is_text(sandbox: Connection) -> None:
    form = opened("customers.create", pd.DataFrame({"Email": ["<img src=x onerror=alert(1)>"]}))
    assert not form.check()
    assert "<img" not in form.status.value


def amounts(*cells: str, currency: str = "eur") -> tuple[list[str], list[str]]:
    """What the amounts of a file are read as, and their faults."""
    rows = pd.DataFrame({"amount": list(cells), "currency": currency})
    read, faults = read_amounts(rows, catalogue.find("payment_intents.create"))
    return list(read["amount"]), [each.problem for each in faults]


@each_row(
    ("cells", "currency", "read"),
    [
        (("25.00", "1.234,50"), "eur", ["25.00eur", "1234.50eur"]),
        (("25.00", "€ 30.00"), "Euro", ["25.00eur", "30.00eur"]),
        (("2500", "3000"), "eur", ["2500", "3000"]),
        (("1,234", "500"), "jpy", ["1234jpy", "500"]),
        (("(5.00)", "0"), "usd", ["-5.00usd", "0"]),
    ],
)
def test_amounts_of_a_file_are_read_with_their_currency(
    cells: tuple[str, ...], currency: str, read: list[str]
) -> None:
    assert amounts(*cells, currency=currency) == (read, [])


def test_a_column_of_amounts_speaks_one_language() -> None:
    _, faults = amounts("25.50", "30", "1.000")
    assert [each.partition(": ")[0] for each in faults] == ["row 3", "row 2"]
    assert "'1.000' can mean more than one amount" in faults[0]
    assert "write 30.00, or 0.30 for 30 minor units" in faults[1]
    _, faults = amounts("25.500", "2500", currency="kwd")
    assert "write 2500.000, or 2.500 for 2500 minor units" in faults[0]


def test_money_from_a_file_is_added_up_before_it_is_sent(sandbox: Connection) -> None:
    rows = pd.DataFrame({"amount": ["25.50", "30", "1.000,00"], "currency": ["eur", "eur", "EUR"]})
    form = opened("payment_intents.create", rows)
    before = sandbox.writes
    form.send()
    assert not form._armed
    assert "<td>2</td><td>amount</td><td>30</td>" in form.status.value
    assert "One cell needs correcting" in form.status.value
    form.corrections.box.children[0].value = "30.00"
    form.send()
    assert "Amount: 1,055.50 EUR in all" in form.status.value
    assert sandbox.writes == before
    form.confirm()
    form.wait(60)
    sent = sm.call("payment_intents.list", limit=3)
    assert sorted(sent["amount"]) == [2550, 3000, 100000]
    assert set(sent["currency"]) == {"eur"}


def test_a_file_without_rows_says_so(sandbox: Connection) -> None:
    form = opened("customers.create", pd.DataFrame({"name": []}))
    assert not form.check()
    assert "There are no rows." in form.status.value
    one = opened("customers.create", pd.DataFrame({"name": ["Ann"]}))
    one.send()
    assert "send 1 call?" in one.status.value
