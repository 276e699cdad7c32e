"""Data as they may come, by report name over a fake account: what is undone later, doubled by name, or can't
be counted. Minor units, usd."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
from each_row import each_row
from finance.fake_account import (
    FakeAccount,
    charge,
    connect,
    dispute,
    invoice,
    payout,
    price,
    refund,
    subscription,
    transaction,
    unix,
)

import stripe_magics as sm
from stripe_magics.errors import UsageFault
from stripe_magics.finance import MissingData
from stripe_magics.finance.row_checks import faults

MONTHS = ("2026-03", "2026-04", "2026-05")


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    sm.close()


def note(identity: str, of: str, total: int, created: str, **more: Any) -> dict[str, Any]:
    return {
        "id": identity, "object": "credit_note", "invoice": of, "customer": "cus_1", "currency": "usd",
        "status": "issued",
        "created": unix(created), "amount": total, "total": total, "refund": None, "tax_amounts": [], **more,
    }  # fmt: skip


def taxes(**more: Any) -> list[list[tuple[Any, ...]]]:
    """Kind, taxable and tax of each month."""
    made = [sm.report("tax_collected", month=each, **more) for each in MONTHS]
    return [list(zip(each["kind"], each["taxable"], each["tax"], strict=True)) for each in made]


def rolled(*columns: str) -> list[list[int]]:
    table = sm.report("deferred_revenue", start="2026-03-01", end="2026-05-31")
    assert not table["residual"].any()
    rows: list[list[int]] = table[list(columns)].to_numpy().tolist()
    return rows


@each_row(
    "ending, status, last",
    [
        ({}, "uncollectible", []),
        ({"paid": "2026-05-06"}, "paid", [("write-off", 1000, 190)]),
        ({"voided": "2026-05-06"}, "void", [("write-off", 1000, 190), ("void", -1000, -190)]),
    ],
)
def test_a_write_off_stays_in_its_month_whatever_becomes_of_the_invoice(
    ending: dict[str, str], status: str, last: list[tuple[Any, ...]]
) -> None:
    bill = invoice("in_1", 1190, "2026-03-05", tax=190, written_off="2026-04-10", **ending)
    assert bill["status"] == status
    connect(FakeAccount(invoice=[bill], now="2026-06-10"))
    assert taxes() == [[("invoice", 1000, 190)], [("write-off", -1000, -190)], last]
    may = {"paid": [1000, 0, -1000], "void": [0, 1000, -1000]}.get(status, [0, 0, 0])
    assert rolled("recognised", "credited", "written_off") == [[1000, 0, 0], [-1000, 0, 1000], may]
    ageing = [sm.report("ar_ageing", end=each) for each in ("2026-03-31", "2026-04-30", "2026-05-31")]
    assert [each[["total", "uncollectible"]].to_numpy().tolist() for each in ageing] == [
        [[1190, 0]],
        [[0, 1190]],
        [[0, 1190]] if status == "uncollectible" else [],
    ]
    assert sm.report("dso", month="2026-04")["receivables"].sum() == 0


def test_a_void_takes_back_what_credit_notes_left() -> None:
    bill = invoice("in_1", 1190, "2026-03-05", tax=190, voided="2026-05-06")
    connect(
        FakeAccount(invoice=[bill], credit_note=[note("cn_1", "in_1", 595, "2026-04-02")], now="2026-06-10")
    )
    assert taxes() == [[("invoice", 1000, 190)], [("credit note", -500, -95)], [("void", -500, -95)]]
    assert rolled("recognised", "credited") == [[1000, 0], [-500, 500], [-500, 500]]


def test_a_refund_that_a_credit_note_names_counts_once_in_rows_of_a_query_too() -> None:
    bill = invoice("in_1", 1190, "2026-03-05", tax=190, paid="2026-03-05", charge="ch_1")
    named = note("cn_1", "in_1", 595, "2026-04-02", refunds=[{"refund": "re_1", "amount_refunded": 595}])
    connect(
        FakeAccount(
            invoice=[bill],
            credit_note=[named],
            charge=[charge("ch_1", 1190, "2026-03-05", invoice="in_1")],
            refund=[refund("re_1", "ch_1", 595, "2026-04-02")],
            now="2026-06-10",
        )
    )
    expected = [[("invoice", 1000, 190)], [("credit note", -500, -95)], []]
    assert taxes() == expected
    notes = sm.call("credit_notes.list")
    as_text = pd.Series([json.dumps(cell) for cell in notes["refunds"]], dtype="str")
    assert taxes(data={"credit_notes": notes.assign(refunds=as_text)}) == expected


def test_what_was_authorised_and_never_taken_is_no_refund(tmp_path: Path) -> None:
    sm.connect(sandbox=True, demo=False)
    paid = {
        "currency": "usd",
        "payment_method": "pm_card_visa",
        "confirm": True,
        "payment_method_types": ["card"],
    }
    held = sm.call("payment_intents.create", amount=10000, capture_method="manual", **paid)["id"].iloc[0]
    sm.call("payment_intents.capture", payment_intent=held, amount_to_capture=6000)
    whole = sm.call("payment_intents.create", amount=5000, **paid)["id"].iloc[0]
    sm.call("refunds.create", payment_intent=whole, amount=1000)
    assert sorted(sm.call("refunds.list")["amount"]) == [1000, 4000]
    span = {"start": "2026-08-01", "end": "2027-01-01"}
    made = sm.report("refund_rate", **span)
    columns = ["basis", "refunds", "payments", "amount", "payments_amount"]
    assert made[columns].to_numpy().tolist() == [
        ["activity", 1, 2, 1000, 11000],
        ["cohort", 1, 2, 1000, 11000],
    ]
    assert made.stripe.rows(basis="activity", column="refunds")["amount"].tolist() == [1000]
    assert sm.report("volume", **span)["refunds"].tolist() == [-1000]
    sm.sync(tmp_path / "m", "charges", "refunds")
    without = sm.report("refund_rate", **span, over=tmp_path / "m")
    assert without["refunds"].tolist() == [2, 2]
    assert "never captured count as refunds" in " ".join(without.attrs["stripe"]["notes"])


def test_coupons_of_rows_of_a_query_count() -> None:
    coupon = {"id": "di_1", "object": "discount",
        "coupon": {"id": "c", "object": "coupon", "percent_off": 20.0, "duration": "forever"}}  # fmt: skip
    own = subscription("sub_1", [("si_1", price("p1", 1000), 1)], discounts=[coupon])
    connect(FakeAccount(subscription=[own]))
    rows = sm.call("subscriptions.list", status="all", expand=["data.discounts"])
    as_text = {
        name: pd.Series([json.dumps(cell) for cell in rows[name]], dtype="str")
        for name in ("discounts", "items")
    }
    for frame in (rows, rows.assign(**as_text)):
        assert sm.report("mrr_now", data={"subscriptions": frame})["mrr"].tolist() == [800]


def test_subscriptions_that_cannot_be_counted_are_named() -> None:
    tiered = {
        "billing_scheme": "tiered",
        "tiers_mode": "volume",
        "unit_amount": None,
        "unit_amount_decimal": None,
    }
    connect(
        FakeAccount(
            subscription=[
                subscription("sub_1", [("si_1", price("p1", 1000), 1)]),
                subscription("sub_2", [("si_2", price("p2", 1000, "fortnight"), 1)]),
                subscription("sub_3", [("si_3", price("p3", 0, **tiered), 2)]),
                subscription("sub_4", [("si_4", price("p4", 0, recurring=None, type="one_time"), 1)]),
            ]
        )
    )
    made = sm.report("mrr_now")
    assert made.set_index("subscription")["mrr"].to_dict() == {
        "sub_1": 1000,
        "sub_2": 0,
        "sub_3": 0,
        "sub_4": 0,
    }
    said = [each for each in made.attrs["stripe"]["notes"] if each.startswith("Not counted")]
    assert said == [
        "Not counted, because a price by fortnight can't be brought to a month: sub_2.",
        "Not counted, because the tiers of p3 aren't known: sub_3.",
    ]
    sm.report("proofs", month="2026-03")


def test_a_spreadsheet_shows_every_decimal_of_a_currency(tmp_path: Path) -> None:
    connect(
        FakeAccount(
            charge=[
                charge("ch_jpy", 5000, "2026-03-03", currency="jpy"),
                charge("ch_kwd", 12345, "2026-03-02", currency="kwd"),
                charge("ch_usd", 1050, "2026-03-01"),
            ]
        )
    )
    sm.call("charges.list").stripe.to_excel(tmp_path / "charges.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "charges.xlsx").active
    column = next(cells for cells in sheet.iter_cols() if cells[0].value == "amount")
    assert [(cell.value, cell.number_format) for cell in column[1:]] == [
        (5000, "#,##0"),
        (12.345, "#,##0.000"),
        (10.5, "#,##0.00"),
    ]


def test_a_proof_needs_a_balance() -> None:
    connect(FakeAccount())
    ledger = sm.call("balance.list_history")
    with pytest.raises(UsageFault, match="--prove holds the ledger against the balance"):
        sm.report("balance_summary", month="2026-03", data={"transactions": ledger}, prove=True)
    sm.report("balance_summary", month="2026-03", data={"transactions": ledger})


def odd_account(**changed: Any) -> FakeAccount:
    """A euro payment in a dollar balance whose refund failed and was made again, a dispute that was won in
    the next month, a payout that came back, yen and dinars; `changed` is what one entry has instead."""
    entries = [
        transaction("t_eur", "charge", 11000, 348, "2026-03-11", source="ch_eur", exchange_rate=1.1),
        transaction("t_jpy", "charge", 5000, 200, "2026-03-12", currency="jpy", source="ch_jpy"),
        transaction("t_kwd", "charge", 5120, 180, "2026-03-13", currency="kwd", source="ch_kwd"),
        transaction("t_ref", "refund", -4600, 0, "2026-03-15", source="re_1", exchange_rate=1.15),
        transaction("t_back", "refund_failure", 4600, 0, "2026-03-18", source="re_1", exchange_rate=1.15),
        transaction("t_ref2", "refund", -4650, 0, "2026-03-19", source="re_2", exchange_rate=1.1625),
        transaction("t_usd", "charge", 5000, 175, "2026-03-20", source="ch_usd"),
        transaction("t_out", "payout", -6000, 0, "2026-03-20", source="po_1"),
        transaction("t_in", "payout_failure", 6000, 0, "2026-03-23", source="po_1"),
        transaction("t_lost", "adjustment", -5000, 1500, "2026-03-30", source="du_1"),
        transaction("t_won", "adjustment", 5000, -1500, "2026-04-02", source="du_1",
            reporting_category="dispute_reversal"),
        transaction("t_late", "charge", 3000, 117, "2026-03-31T22:30", source="ch_late"),
    ]  # fmt: skip
    won = dispute("du_1", "ch_usd", 5000, "2026-03-30", status="won", balance_transactions=entries[9:11])
    entries[0] |= changed
    made = FakeAccount(
        now="2026-04-10", zone="Europe/Berlin", balance_transaction=entries, dispute=[won],
        charge=[charge("ch_eur", 10000, "2026-03-11", currency="eur", balance_transaction="t_eur"),
            charge("ch_usd", 5000, "2026-03-20", balance_transaction="t_usd"),
            charge("ch_jpy", 5000, "2026-03-12", currency="jpy", balance_transaction="t_jpy"),
            charge("ch_kwd", 5120, "2026-03-13", currency="kwd", balance_transaction="t_kwd"),
            charge("ch_late", 3000, "2026-03-31T22:30", balance_transaction="t_late")],
        refund=[refund("re_1", "ch_eur", 4000, "2026-03-15", currency="eur", status="failed"),
            refund("re_2", "ch_eur", 4000, "2026-03-19", currency="eur")],
        invoice=[invoice("in_credit", -1000, "2026-03-07", paid="2026-03-07", amount_due=0),
            invoice("in_dated", 5000, "2026-03-03", effective_at=unix("2026-02-28")),
            invoice("in_kwd", 5125, "2026-03-31T23:30", currency="kwd")],
        payout=[payout("po_1", 6000, "2026-03-20", status="failed", automatic=False,
            reconciliation_status="not_applicable")],
    )  # fmt: skip
    connect(made)
    return made


def test_a_month_of_odd_entries() -> None:
    """In Berlin the last payment is of April, and so is the last invoice."""
    odd_account()
    volume = sm.report("volume", month="2026-03").set_index("currency")
    assert volume.loc["usd"].tolist() == [16000, -4650, -5000, -2023, 0, 0, 4327, 0]
    assert volume["net"].to_dict() == {"jpy": 4800, "kwd": 4940, "usd": 4327}
    summary = sm.report("balance_summary", month="2026-03", prove=True).set_index("currency")
    assert summary.loc["usd", ["activity", "payouts", "end"]].tolist() == [4327, 0, 4327]
    assert not summary["residual"].any()
    april = sm.report("volume", month="2026-04").set_index("currency")
    assert april.loc["usd", ["gross", "disputes", "fees"]].tolist() == [3000, 5000, 1383]
    effect = sm.report("fx_effect", month="2026-03")
    assert dict(zip(effect["entry"], effect["gain"], strict=True)) == {
        "t_ref": -200, "t_back": 200, "t_ref2": -250,
    }  # fmt: skip
    refunds = sm.report("refund_rate", month="2026-03").set_index(["currency", "basis"])
    assert refunds.loc[("eur", "activity"), ["refunds", "amount"]].tolist() == [1, 4000]
    disputes = sm.report("dispute_rate", month="2026-03").set_index(["currency", "basis"])
    assert disputes.loc[("usd", "activity"), ["won", "fee_cost"]].tolist() == [1, 0]
    rolled_ = sm.report("deferred_revenue", month="2026-03").set_index("currency")
    assert rolled_["billed"].to_dict() == {"kwd": 0, "usd": 4000}
    closed_ = sm.close_month("2026-03")
    assert not closed_["result"].eq("failed").any(), closed_[closed_["result"] == "failed"]


@each_row("changed", [{"net": 10000}, {"amount": None}, {"fee": None}])
def test_one_entry_that_does_not_add_up_is_named(changed: dict[str, Any]) -> None:
    account = odd_account(**changed)
    account.balance = {"usd": 1, "jpy": 4800, "kwd": 4940}
    closed_ = sm.close_month("2026-03").set_index("check")
    line = closed_.loc["Each entry: amount - fee = net"]
    assert line["result"] == "failed"
    assert "t_eur" in line["action"]


def test_an_entry_that_cannot_be_counted_is_named() -> None:
    odd_account()
    ledger = sm.call("balance.list_history", limit="all")
    says = {"currency": "1 balance transactions without a currency", "created": "1 rows have no time"}
    for name, words in says.items():
        lost = ledger.copy()
        lost.loc[lost["id"] == "t_jpy", name] = None
        with pytest.raises(MissingData, match=words + ".*: t_jpy"):
            sm.report("volume", month="2026-03", data={"transactions": lost})


MANY = 100_000


@pytest.fixture(scope="module")
def many() -> dict[str, pd.DataFrame]:
    """Lists of 100,000 objects of March."""
    number = np.arange(MANY)
    ids = pd.Series(number).astype(str)
    when = pd.to_datetime(1_772_323_200 + number % 2_500_000, unit="s", utc=True).astype(
        "datetime64[us, UTC]"
    )
    amount = 100 + number % 900
    common = {"created": when, "currency": "usd", "amount": amount}
    ledger = {"fee": 30, "net": amount - 30, "type": "charge", "reporting_category": "charge",
        "source": "ch_" + ids, "fee_details": None, "exchange_rate": np.nan,
        "available_on": when}  # fmt: skip
    sold = {"status": "succeeded", "captured": True, "amount_captured": amount, "customer": "cus_1",
        "failure_code": None, "outcome_reason": None, "payment_intent": "pi_" + ids,
        "invoice": None}  # fmt: skip
    bill = {"customer": "cus_1", "status": "open", "total": amount, "amount_due": amount,
        "amount_remaining": amount, "status_transitions_finalized_at": when}  # fmt: skip
    return {
        "transactions": pd.DataFrame({"id": "txn_" + ids, **common, **ledger}),
        "charges": pd.DataFrame({"id": "ch_" + ids, **common, **sold}),
        "invoices": pd.DataFrame({"id": "in_" + ids, "created": when, "currency": "usd", **bill}),
    }


BAD: list[tuple[str, str, dict[str, Any], str]] = [
    ("transactions", "balance_activity volume daily_balance fees balance_summary", {"amount": None},
        "1 of the transactions without amount, counted as 0: txn_77777."),
    ("transactions", "balance_activity volume fee_items", {"net": 5},
        "1 of the transactions whose amount - fee is not their net: txn_77777."),
    ("transactions", "volume", {"amount": 2**62, "net": 2**62 - 30},
        "1 of the transactions with an amount that is too large to be true: txn_77777."),
    ("charges", "failed_payments customer_value", {"amount": None},
        "1 of the charges without amount, counted as 0: ch_77777."),
    ("charges", "customer_value", {"created": None},
        "1 of the charges without created, which figures may lack: ch_77777."),
    ("invoices", "ar_ageing dso", {"amount_remaining": None},
        "1 of the invoices without amount_remaining, counted as 0: in_77777."),
    ("invoices", "ar_ageing collections", {"currency": None},
        "1 of the invoices without currency, which figures may lack: in_77777."),
]  # fmt: skip


@pytest.mark.parametrize(("name", "reports", "bad", "says"), BAD)
def test_one_bad_row_of_many_is_named(
    many: dict[str, pd.DataFrame], name: str, reports: str, bad: dict[str, Any], says: str
) -> None:
    """It isn't dropped without a word, whichever report is made of it."""
    connect(FakeAccount(now="2026-05-01"))
    touched = many[name].astype({each: "Int64" for each in bad if each in {"amount", "amount_remaining"}})
    for column, value in bad.items():
        touched.loc[77_777, column] = value
    for report in reports.split():
        made = sm.report(report, month="2026-03", data={**many, name: touched})
        assert says in " ".join(made.attrs["stripe"]["notes"]), report


def test_rows_that_are_right_are_not_named(many: dict[str, pd.DataFrame]) -> None:
    for name, frame in many.items():
        assert not faults(name, frame), name


def test_a_currency_that_nobody_knows_has_rows_of_its_own(many: dict[str, pd.DataFrame]) -> None:
    connect(FakeAccount(now="2026-05-01"))
    odd = many["transactions"].copy()
    odd.loc[77_777, "currency"] = "xxx"
    made = sm.report("balance_activity", month="2026-03", data={"transactions": odd}).set_index("currency")
    assert made["count"].to_dict() == {"usd": MANY - 1, "xxx": 1}


def test_other_balances_of_the_account_are_not_counted() -> None:
    """`balance_type` says of which balance an entry is; without it, it is of the payments' one."""
    connect(
        FakeAccount(
            balance_transaction=[
                transaction("t1", "charge", 1000, 30, "2026-03-10", balance_type="payments"),
                transaction("t2", "charge", 7000, 0, "2026-03-11", balance_type="issuing"),
            ]
        )
    )
    assert sm.report("balance_activity", month="2026-03")["gross"].tolist() == [1000]
    assert sm.report("volume", month="2026-03")["net"].tolist() == [970]


def test_a_start_alone_means_until_now_and_says_so() -> None:
    connect(FakeAccount(charge=[charge("ch_1", 1000)], now="2026-05-01"))
    made = sm.report("failed_payments", start="2026-03-01")
    assert "No end was given: until now." in made.attrs["stripe"]["notes"]


def test_customers_at_hand_are_cut_to_the_period() -> None:
    rows = [transaction(f"t{month}", "charge", 1000 * month, 30, f"2026-0{month}-10", source=f"ch_{month}")
        for month in (1, 2, 3)]  # fmt: skip
    charges = [charge(f"ch_{month}", 1000 * month, f"2026-0{month}-10") for month in (1, 2, 3)]
    connect(FakeAccount(balance_transaction=rows, charge=charges))
    lists = {"transactions": sm.call("balance.list_history"), "charges": sm.call("charges.list")}
    for given in ({}, {"data": lists}):
        assert sm.report("customer_value", month="2026-02", **given)["gross"].tolist() == [2000]


class LatePayment(FakeAccount):
    """A payment arrives once the ledger was read, before the balance is read again."""

    readings = 0

    def _balance(self) -> dict[str, Any]:
        self.readings += 1
        if self.readings == 2:
            self.objects["balance_transaction"].append(LATE)
        return super()._balance()


LATE = transaction("t2", "charge", 500, 20, "2026-04-30T23:00")


def test_what_arrives_after_the_ledger_was_read_is_read_too() -> None:
    account = LatePayment(balance_transaction=[transaction("t1", "charge", 1000, 30, "2026-04-10")])
    connect(account)
    made = sm.report("balance_summary", month="2026-04", prove=True)
    assert account.readings == 3
    assert made[["activity", "end", "residual"]].to_numpy().tolist() == [[1450, 1450, 0]]


def test_every_item_of_a_subscription_counts() -> None:
    """The list of items holds ten; the others are asked for."""
    items = [(f"si_{number}", price(f"price_{number}", 100), 1) for number in range(12)]
    connect(FakeAccount(subscription=[subscription("sub_1", items)]))
    assert sm.report("mrr_now")["mrr"].tolist() == [1200]


def test_a_report_says_whose_it_is() -> None:
    connect(FakeAccount(charge=[charge("ch_1", 1000)], zone="Europe/Berlin"))
    made = sm.report("failed_payments", month="2026-03")
    about = made.attrs["stripe"]
    assert (about["mode"], about["zone"]) == ("sandbox", "Europe/Berlin")
    assert about["notes"][0] == (
        "Declines by reason, and what was recovered · 1-31 Mar 2026, 31 days · Europe/Berlin · sandbox"
        " · read: 1 charges"
    )


def test_the_returns_tell_inclusive_prices_and_reverse_charge_apart() -> None:
    inclusive = {"amount": 190, "inclusive": True, "tax_rate": "txr_de", "taxable_amount": 1000}
    abroad = {"customer_address": {"country": "FR"}, "customer_tax_ids": [{"type": "eu_vat", "value": "FR1"}]}
    connect(
        FakeAccount(
            invoice=[
                invoice("in_1", 1190, "2026-03-05", tax=190),
                invoice("in_2", 1190, "2026-03-06", tax=190, total_tax_amounts=[inclusive]),
                invoice("in_3", 700, "2026-03-07", customer_tax_exempt="reverse", **abroad),
                invoice("in_4", 500, "2026-03-08", customer_tax_exempt="exempt"),
            ]
        )
    )
    table = sm.report("tax_summary", month="2026-03", home="DE").sort_values(["treatment", "inclusive"])
    columns = ["treatment", "country", "inclusive", "documents", "taxable", "tax"]
    assert table[columns].to_numpy().tolist() == [
        ["domestic", "DE", False, 1, 1000, 190],
        ["domestic", "DE", True, 1, 1000, 190],
        ["exempt", "DE", False, 1, 500, 0],
        ["reverse charge", "FR", False, 1, 700, 0],
    ]


@each_row("columns", [None, ["amount"], ["fee", "net"]])
def test_lists_in_major_units_are_counted_in_cents(columns: list[str] | None) -> None:
    sm.connect(sandbox=True)
    ledger = sm.call("balance.list_history", limit=400)
    whole = ledger[(ledger[["amount", "fee", "net"]] % 100 == 0).all(axis=1)]  # dollars without a fraction
    period = {"start": whole["created"].min(), "end": whole["created"].max()}
    cents = sm.report("balance_activity", **period, data={"transactions": whole})
    dollars = sm.report("balance_activity", **period, data={"transactions": whole.stripe.to_major(columns)})
    assert cents["gross"].abs().sum() > 0
    assert dollars.equals(cents)
