"""Figures of different reports on the demo firm, each followed from its cell to the rows behind it and to the
objects that they are about, as the sandbox sends them over HTTP, and added up there in plain Python.

Nothing of what reports work out is used but the ids of the rows: the amounts are those of the JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

import httpx
import pandas as pd
import pytest

import stripe_magics as sm
from stripe_magics.client.shared_connection import current

Object = dict[str, Any]
Account = dict[str, Object]
A, B = (datetime(2026, month, 1, tzinfo=UTC).timestamp() for month in (9, 10))
LISTS = ("balance_transactions", "charges", "refunds", "disputes", "invoices", "payouts")


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    """Every object by its id: pages of the sandbox over HTTP, read by json."""
    sm.connect(sandbox=True)
    transport = current().sandbox
    assert transport is not None
    found: Account = {}
    with httpx.Client(transport=transport, base_url="https://api.stripe.com/v1/") as client:
        for name in LISTS:
            after: dict[str, str] = {}
            while True:
                answer = client.get(name, params={"limit": 100, **after}, headers=HEADERS)
                page = json.loads(answer.text)
                found |= {each["id"]: each for each in page["data"]}
                if not page["has_more"]:
                    break
                after = {"starting_after": page["data"][-1]["id"]}
    yield found
    sm.close()


HEADERS = {"Authorization": "Bearer sk_test_sandbox", "Stripe-Version": "2025-02-24.acacia"}


def amount(each: Object) -> int:
    return int(each["amount"])


def net(each: Object) -> int:
    return int(each["net"])


def fee(each: Object) -> int:
    return int(each["fee"])


def one(_: Object) -> int:
    return 1


def cost(each: Object) -> int:
    """What an entry cost: its fee, or itself where it is one."""
    alone = each["reporting_category"] in {"fee", "tax", "network_cost"}
    return (each["amount"] if alone else 0) - fee(each)


def stripe_fee(each: Object) -> int:
    return -sum(part["amount"] for part in each["fee_details"] if part["type"] == "stripe_fee")


def owed(invoice: Object) -> int:
    paid = invoice["status_transitions"]["paid_at"]
    return int(invoice["amount_due"] if paid and paid >= B else invoice["amount_remaining"])


def tax(document: Object) -> int:
    return sum(part["amount"] for part in document["total_tax_amounts"])


def taxable(document: Object) -> int:
    return int(document["total"]) - tax(document)


def total(invoice: Object) -> int:
    return int(invoice["total"])


Test = Callable[[Object], bool]


def of(kind: str, **facts: Any) -> Test:
    """Objects of a type created in September, with these facts."""
    return lambda each: (
        each["object"] == kind
        and A <= each["created"] < B
        and all(each[name] == value for name, value in facts.items())
    )


def category(*names: str, currency: str = "usd") -> Test:
    return lambda each: (
        of("balance_transaction", currency=currency)(each) and (each["reporting_category"] in names)
    )


def open_in(currency: str, **facts: Any) -> Test:
    """Invoices that were owed at the end of September."""

    def owes(each: Object) -> bool:
        if each["object"] != "invoice" or each["currency"] != currency:
            return False
        when = each["status_transitions"]
        over = [when[name] for name in ("paid_at", "voided_at", "marked_uncollectible_at") if when[name]]
        begun = when["finalized_at"] and when["finalized_at"] < B
        return bool(begun and not any(each < B for each in over) and owed(each) > 0) and all(
            each[name] == value for name, value in facts.items()
        )

    return owes


def billed(currency: str) -> Test:
    def sold(each: Object) -> bool:
        if each["object"] != "invoice" or each["currency"] != currency:
            return False
        when = each["status_transitions"]
        return bool(when["finalized_at"] and A <= when["finalized_at"] < B) and not (
            when["voided_at"] and when["voided_at"] < B
        )

    return sold


def before(instant: float, currency: str) -> Test:
    return lambda each: (
        each["object"] == "balance_transaction" and each["currency"] == currency and each["created"] < instant
    )


def on(day: int, *names: str, currency: str = "usd") -> Test:
    first = A + (day - 1) * 86400
    return lambda each: category(*names, currency=currency)(each) and first <= each["created"] < first + 86400


NOT_PAYOUTS = (
    "charge", "refund", "dispute", "dispute_reversal", "fee", "refund_failure", "other_adjustment",
    "network_cost", "tax", "charge_failure", "partial_capture_reversal",
)  # fmt: skip
FIGURES: list[tuple[str, dict[str, Any], str, str, Callable[[Object], int], Test]] = [
    ("balance_activity", {"currency": "usd", "reporting_category": "charge"}, "gross", "id", amount,
        category("charge")),
    ("balance_activity", {"currency": "usd", "reporting_category": "charge"}, "fee", "id", fee,
        category("charge")),
    ("balance_activity", {"currency": "gbp", "reporting_category": "charge"}, "count", "id", one,
        category("charge", currency="gbp")),
    ("balance_activity", {"currency": "eur", "reporting_category": "refund"}, "net", "id", net,
        category("refund", currency="eur")),
    ("balance_summary", {"currency": "usd"}, "payouts", "id", net, category("payout", "payout_reversal")),
    ("balance_summary", {"currency": "eur"}, "activity", "id", net, category(*NOT_PAYOUTS, currency="eur")),
    ("balance_summary", {"currency": "gbp"}, "start", "id", net, before(A, "gbp")),
    ("balance_summary", {"currency": "usd"}, "end", "id", net, before(B, "usd")),
    ("daily_balance", {"currency": "usd", "date": "2026-09-08"}, "sales", "id", amount, on(8, "charge")),
    ("daily_balance", {"currency": "eur", "date": "2026-09-15"}, "net", "id", net,
        on(15, *NOT_PAYOUTS, currency="eur")),
    ("fees", {"currency": "usd", "fee_type": "stripe_fee"}, "amount", "bt_id", stripe_fee,
        lambda each: of("balance_transaction", currency="usd")(each) and stripe_fee(each) != 0),
    ("volume", {"currency": "usd"}, "gross", "id", amount, category("charge")),
    ("volume", {"currency": "usd"}, "refunds", "id", amount, category("refund", "refund_failure")),
    ("volume", {"currency": "eur"}, "fees", "id", cost,
        lambda each: of("balance_transaction", currency="eur")(each) and cost(each) != 0),
    ("volume", {"currency": "eur"}, "disputes", "id", amount,
        category("dispute", "dispute_reversal", currency="eur")),
    ("refund_rate", {"currency": "usd", "basis": "activity"}, "amount", "id", amount,
        lambda each: of("refund", currency="usd")(each) and each["status"] not in {"failed", "canceled"}),
    ("refund_rate", {"currency": "eur", "basis": "activity"}, "payments", "id", one,
        of("charge", currency="eur", status="succeeded", captured=True)),
    ("dispute_rate", {"currency": "eur", "basis": "activity"}, "amount", "id", amount,
        of("dispute", currency="eur")),
    ("dso", {"currency": "usd"}, "receivables", "invoice", owed, open_in("usd")),
    ("dso", {"currency": "eur"}, "sales", "invoice", total, billed("eur")),
    ("collections", {"currency": "gbp"}, "end_total", "invoice", owed, open_in("gbp")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "row", "column", "key", "value", "which"), FIGURES)
def test_a_figure_is_what_the_json_says(  # noqa: PLR0913 - a figure's place, its rows, and what they count
    account: Account,
    name: str,
    row: dict[str, Any],
    column: str,
    key: str,
    value: Callable[[Object], int],
    which: Test,
) -> None:
    """The rows are exactly the objects that count by the API's own words, and they add up to the cell."""
    table = sm.report(name, month="2026-09", tz="UTC")
    mine = table
    for fact, said in row.items():
        mine = mine[(mine[fact].astype(str).str[:10] if fact == "date" else mine[fact]) == said]
    place = table.index.get_loc(mine.index[0])
    assert isinstance(place, int)
    assert len(mine) == 1
    found = table.stripe.rows(column, row=place)
    ids = list(dict.fromkeys(found[key]))
    assert ids
    assert sorted(ids) == sorted(each["id"] for each in account.values() if which(each))
    assert sum(value(account[each]) for each in ids) == mine[column].iloc[0]


def test_the_tax_of_a_country_is_in_the_invoices(account: Account) -> None:
    """Of every row of the summary that has nothing but invoices; and of all invoices of a currency."""
    table = sm.report("tax_summary", month="2026-09", tz="UTC")
    followed = 0
    for place in range(len(table)):
        found = table.stripe.rows("taxable", row=place)
        if set(found["kind"]) == {"invoice"}:
            spelt = [account[each] for each in found["document"]]
            assert sum(map(tax, spelt)) == table["tax"].iloc[place]
            assert sum(map(taxable, spelt)) == table["taxable"].iloc[place]
            followed += 1
    assert followed
    rows = sm.report("tax_collected", month="2026-09", tz="UTC")
    whole = rows[(rows["kind"] == "invoice") & (rows["currency"] == "eur")]
    assert sum(map(tax, (each for each in account.values() if billed("eur")(each)))) == whole["tax"].sum() > 0


def test_a_payout_is_what_its_entries_are(account: Account) -> None:
    """Each entry of the largest payout is in the ledger's JSON, older than the payout, and they add up."""
    table = sm.report("payout_reconciliation", month="2026-09", tz="UTC")
    place = int(table["amount"].fillna(0).to_numpy(dtype=float).argmax())
    payout = account[str(table["payout_id"].iloc[place])]
    found = table.stripe.rows("amount", row=place)
    entries = [account[each] for each in found["id"]]
    assert sum(map(net, entries)) == amount(payout) == table["amount"].iloc[place]
    assert all(each["created"] <= payout["created"] for each in entries)
    own = account[payout["balance_transaction"]]
    assert (own["source"], own["amount"]) == (payout["id"], -amount(payout))


def test_deferred_revenue_billed_is_the_invoices_without_tax(account: Account) -> None:
    table = sm.report("deferred_revenue", month="2026-09", tz="UTC").set_index("currency")
    for code in ("usd", "eur", "gbp"):
        mine = [each for each in account.values() if billed(code)(each)]
        assert sum(map(taxable, mine)) == table.loc[code, "billed"], code


def test_new_mrr_is_in_the_lines_of_first_invoices(account: Account) -> None:
    """What customers of September's new MRR pay a month, by the lines of their invoices, where no change is
    among them."""
    table = sm.report("mrr", month="2026-09", tz="UTC")
    place = table.index.get_loc(table.index[table["currency"] == "usd"][0])
    found = table.stripe.rows("new", row=place)
    months, followed = {"month": 1, "year": 12}, 0
    end = B - 1
    for customer, counted in zip(found["customer"], found["counted"], strict=True):
        mine = [
            each for each in account.values() if each["object"] == "invoice" and each["customer"] == customer
        ]
        lines = list(chain.from_iterable(each["lines"]["data"] for each in mine))
        if any(each["proration"] for each in lines):
            continue
        followed += 1
        live = [
            each
            for each in lines
            if each["subscription"]
            and (each["price"] or {}).get("recurring")
            and each["price"]["recurring"]["usage_type"] == "licensed"
            and each["period"]["start"] <= end < each["period"]["end"]
        ]
        monthly = sum(each["amount"] / months[each["price"]["recurring"]["interval"]] for each in live)
        assert abs(monthly - counted) < 1, customer
    assert followed > 3
    assert found["counted"].sum() == table["new"].iloc[place]


def test_failed_payments_are_first_attempts_that_failed(account: Account) -> None:
    table = sm.report("failed_payments", month="2026-09", tz="UTC")
    place = int(table["failures"].to_numpy().argmax())
    found = table.stripe.rows("failures", row=place)
    assert len(found) == table["failures"].iloc[place]
    for each in found["id"] if "id" in found.columns else found["charge"]:
        charge = account[each]
        assert (charge["status"], A <= charge["created"] < B) == ("failed", True)
    assert pd.Timestamp(A, unit="s") + timedelta(days=30) == pd.Timestamp(B, unit="s")
