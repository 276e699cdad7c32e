"""Worked examples of the second part of the reports' specification, by report name over a fake account. Minor
units."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from each_row import each_row
from finance.fake_account import (
    FakeAccount,
    charge,
    connect,
    discount,
    dispute,
    invoice,
    price,
    recurring,
    refund,
    subscription,
    transaction,
)

import stripe_magics as sm


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    sm.close()


def cells(table: pd.DataFrame, *columns: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in table[list(columns)].astype(object).to_numpy().tolist()]


@each_row("version", ["2025-02-24.acacia", "2025-09-30.clover"])
def test_g49_an_invoice_of_more_lines_than_the_list_holds(version: str) -> None:
    lines = [
        recurring(f"il_{n}", 1000, "2026-03-01", "2026-04-01", item=f"si_{n}", of=price(f"price_{n}", 1000))
        for n in range(12)
    ]
    prices = [price(f"price_{n}", 1000) for n in range(12)]
    account = FakeAccount(
        invoice=[invoice("in_1", 12000, "2026-03-01", lines, paid="2026-03-01")], price=prices
    )
    connect(account, api_version=version)
    schedule = sm.report("revenue_schedule", month="2026-03")
    assert schedule["recognised"].sum() == 12000
    assert schedule.attrs["stripe"]["complete"]
    assert cells(sm.report("mrr", month="2026-03"), "currency", "end") == [("usd", 12000)]
    assert sum(path.endswith("/lines") for path, _ in account.asked) == 1, "the rest is fetched, and kept"


def test_a_list_that_was_cut_by_a_limit_makes_a_partial_report() -> None:
    connect(FakeAccount(invoice=[invoice(f"in_{n}", 1000, "2026-03-01") for n in range(5)]))
    cut = sm.call("invoices.list", limit=3)
    table = sm.report("dso", month="2026-03", data={"invoices": cut})
    assert table.attrs["stripe"]["complete"] is False
    assert "Partial" in " ".join(table.attrs["stripe"]["notes"])


def test_g50_an_exchange_loss_on_a_refund() -> None:
    ledger = [
        transaction("t1", "charge", 11000, source="ch_1", exchange_rate=1.10, created="2026-03-01"),
        transaction("t2", "refund", -4600, source="re_1", exchange_rate=1.15, created="2026-03-05"),
    ]
    connect(
        FakeAccount(
            balance_transaction=ledger,
            charge=[charge("ch_1", 10000, currency="eur")],
            refund=[refund("re_1", "ch_1", 4000, "2026-03-05", currency="eur")],
        )
    )
    table = sm.report("fx_effect", month="2026-03")
    assert cells(table, "currency", "charge", "gain") == [("usd", "ch_1", -200)]
    assert sm.report("fx_effect", month="2026-04").empty


def test_g51_ageing_and_dso_read_the_same_end() -> None:
    account = FakeAccount(
        now="2026-10-20",
        zone="America/New_York",
        invoice=[
            invoice("in_sep", 10000, "2026-09-30T20:00-04:00"),
            invoice("in_oct", 7000, "2026-10-01T00:30-04:00"),
        ],
    )
    connect(account)
    ageing = sm.report("ar_ageing", end="2026-09-30")
    assert ageing.attrs["stripe"]["zone"] == "America/New_York"
    assert ageing["total"].sum() == 10000
    assert cells(ageing, "customer_name", "total") == [("Rosen Books", 10000)]
    for period in (
        {"month": "2026-09"},
        {"start": "2026-09-01", "end": "2026-09-30"},
        {"start": "2026-09-01", "end": "2026-10-01T00:00"},
    ):
        assert sm.report("dso", **period)["receivables"].tolist() == [10000]
        assert sm.report("ar_ageing", **period)["total"].sum() == 10000


@each_row(("duration", "discounts", "expected"),
    [("forever", "forever", 8000), ("once", "forever", 10000), ("once", "all", 8000),
        ("forever", "none", 10000)])  # fmt: skip
def test_g52_coupons(duration: str, discounts: str, expected: int) -> None:
    off = discount("di_1", duration=duration, percent_off=20)
    connect(
        FakeAccount(
            subscription=[subscription("sub_1", [("si_1", price("price_1", 10000), 1)], discounts=[off])]
        )
    )
    table = sm.report("mrr_now", discounts=discounts)
    assert cells(table, "contract", "mrr") == [(10000, expected)]


def test_g52_coupons_in_history_count_alike() -> None:
    off = [discount("di_1", duration="forever", percent_off=20)]
    lines = [
        recurring(
            "il_1",
            10000,
            "2026-03-01",
            "2026-06-01",
            of=price("price_1", 10000),
            discount_amounts=[{"amount": 2000, "discount": "di_1"}],
        )
    ]
    lines[0]["period"]["end"] = lines[0]["period"]["start"] + 31 * 86400
    connect(
        FakeAccount(
            now="2026-04-02",
            invoice=[invoice("in_1", 8000, "2026-03-01", lines, paid="2026-03-01", discounts=off)],
            subscription=[subscription("sub_1", [("si_1", price("price_1", 10000), 1)], discounts=off)],
        )
    )
    assert sm.report("mrr", month="2026-03")["end"].tolist() == [8000]
    assert sm.report("mrr", month="2026-03", discounts="none")["end"].tolist() == [10000]


def test_g53_void_invoices_are_no_sales() -> None:
    connect(
        FakeAccount(
            invoice=[
                invoice("in_void", 20000, "2026-03-02", voided="2026-03-03"),
                invoice("in_late", 10000, "2026-03-03", due="2026-03-10"),
                invoice(
                    "in_paid",
                    30000,
                    "2026-03-04",
                    paid="2026-03-20",
                    collection_method="charge_automatically",
                ),
            ]
        )
    )
    table = sm.report("collections", month="2026-03")
    assert cells(table, "begin", "sales", "end_total", "end_current") == [(0, 40000, 10000, 0)]
    assert table["cei"].iloc[0] == pytest.approx(75.0)
    assert sm.report("dso", month="2026-03")["sales"].tolist() == [40000]


def test_an_invoice_voided_in_a_later_month_was_owed_and_billed_until_then() -> None:
    bills = [
        invoice("in_1", 11900, "2026-03-20", tax=1900, voided="2026-04-06"),
        invoice("in_2", 5950, "2026-03-20", tax=950, voided="2026-03-25"),
        invoice("in_3", 2380, "2026-03-20", tax=380),
    ]
    connect(FakeAccount(invoice=bills, now="2026-05-01"))
    assert sm.report("ar_ageing", end="2026-03-31")["total"].tolist() == [11900 + 2380]
    assert sm.report("ar_ageing", end="2026-04-30")["total"].tolist() == [2380]
    march, april = sm.report("dso", month="2026-03"), sm.report("dso", month="2026-04")
    assert cells(march, "receivables", "sales") == [(14280, 14280)]
    assert cells(april, "receivables", "sales") == [(2380, 0)]
    taxed = [sm.report("tax_collected", month=each) for each in ("2026-03", "2026-04")]
    assert [each["tax"].tolist() for each in taxed] == [[1900, 380], [-1900]]
    assert taxed[1]["kind"].tolist() == ["void"]
    revenue = sm.report("deferred_revenue", start="2026-03-01", end="2026-04-30")
    assert cells(revenue, "billed", "recognised", "credited", "residual") == [
        (12000, 12000, 0, 0),
        (0, -10000, 10000, 0),
    ]
    for month in ("2026-03", "2026-04"):
        assert not sm.report("proofs", month=month)["residual"].any()


@each_row("version", ["2025-02-24.acacia", "2025-09-30.clover"])
def test_g54_credit_notes_take_tax_and_revenue_back_when_they_are_issued(version: str) -> None:
    note: dict[str, Any] = {
        "id": "cn_1", "object": "credit_note", "invoice": "in_1", "customer": "cus_1", "currency": "usd",
        "status": "issued", "created": 1775725200, "amount": 5950, "total": 5950, "subtotal": 5000,
        "total_excluding_tax": 5000, "refund": None,
        "tax_amounts": [{"amount": 950, "inclusive": False, "tax_rate": "txr_de", "taxable_amount": 5000}],
    }  # fmt: skip
    rate = {
        "id": "txr_de",
        "object": "tax_rate",
        "percentage": 19.0,
        "country": "DE",
        "inclusive": False,
        "created": 1700000000,
    }
    connect(
        FakeAccount(
            invoice=[invoice("in_1", 11900, "2026-03-05", tax=1900, paid="2026-03-05")],
            credit_note=[note],
            tax_rate=[rate],
        ),
        api_version=version,
    )
    assert sm.report("tax_collected", month="2026-03")["tax"].sum() == 1900
    april = sm.report("tax_collected", month="2026-04")
    assert cells(april, "document", "kind", "country", "percentage", "taxable", "tax") == [
        ("cn_1", "credit note", "DE", 19.0, -5000, -950)
    ]
    assert cells(sm.report("tax_summary", month="2026-04"), "treatment", "country", "percentage", "tax") == [
        ("domestic", "DE", 19.0, -950)
    ]
    assert sm.report("revenue_schedule", month="2026-03")["recognised"].sum() == 10000
    assert sm.report("revenue_schedule", month="2026-04")["recognised"].sum() == -5000
    rolled = sm.report("deferred_revenue", start="2026-03-01", end="2026-04-30")
    assert cells(rolled, "billed", "recognised", "credited", "closing", "residual") == [
        (10000, 10000, 0, 0, 0),
        (0, -5000, 5000, 0, 0),
    ]


def test_g55_a_plan_change_in_mid_month_counts_once() -> None:
    monthly, yearly = price("price_m", 5000), price("price_y", 48000, "year")
    connect(
        FakeAccount(
            now="2026-08-10",
            invoice=[
                invoice(
                    "in_1",
                    5000,
                    "2026-06-01",
                    [recurring("il_1", 5000, "2026-06-01", "2026-07-01", of=monthly)],
                    paid="2026-06-01",
                ),
                invoice(
                    "in_2",
                    45500,
                    "2026-06-16",
                    [
                        recurring("il_2", -2500, "2026-06-16", "2026-07-01", of=monthly, proration=True),
                        recurring("il_3", 48000, "2026-06-16", "2027-06-16", of=yearly),
                    ],
                    paid="2026-06-16",
                ),
            ],
            subscription=[subscription("sub_1", [("si_1", yearly, 1)])],
        )
    )
    table = sm.report("mrr", start="2026-05-01", end="2026-07-31")
    assert cells(table, "end", "residual") == [(0, 0), (4000, 0), (4000, 0)]
    assert table["contraction"].tolist() == [0, 0, 0]
    assert sm.report("mrr_bridge").empty


@each_row(("method", "expected"), [("active", [1, 0.5, 1, 0.5]), ("survival", [1, 0.5, 0.5, 0])])
def test_g56_cohorts(method: str, expected: list[float]) -> None:
    paid = [("A", "01"), ("A", "02"), ("A", "03"), ("B", "01"), ("B", "03"), ("B", "04")]
    charges = [
        charge(f"ch_{who}{month}", 1000, f"2026-{month}-10", customer=f"cus_{who}") for who, month in paid
    ]
    lines = [
        (
            who,
            recurring(
                f"il_{who}{month}",
                1000,
                f"2026-{month}-01",
                f"2026-{int(month) + 1:02}-01",
                item=f"si_{who}",
                of=price("price_1", 1000),
            ),
        )
        for who, month in paid
    ]
    bills = [
        invoice(f"in_{each['id']}", 1000, "2026-04-20", [each], customer=f"cus_{who}", paid="2026-04-20")
        for who, each in lines
    ]
    connect(FakeAccount(charge=charges, invoice=bills))
    for by in ("payments", "mrr"):
        table = sm.report("cohorts", method=method, by=by)
        assert table["cohort"].astype(str).unique().tolist() == ["2026-01"]
        assert table["retention"].tolist() == expected
        assert table["customers"].tolist() == [round(2 * each) for each in expected]


def test_g57_a_dispute_fee_is_in_the_currency_of_its_entry() -> None:
    entry = transaction("t1", "adjustment", -6600, 1500, source="du_1", exchange_rate=1.10)
    connect(
        FakeAccount(
            charge=[charge("ch_1", 6000, currency="eur")],
            dispute=[dispute("du_1", "ch_1", 6000, currency="eur", balance_transactions=[entry])],
            balance_transaction=[entry],
        )
    )
    table = sm.report("dispute_rate", month="2026-03").set_index("basis")
    assert cells(table, "currency", "amount", "fee_cost", "fee_currency") == [("eur", 6000, -1500, "usd")] * 2
    assert table.reset_index().stripe.to_major()["fee_cost"].tolist() == [-15.0, -15.0]


def test_g58_frames_at_hand_are_cut_to_the_period() -> None:
    ledger = [transaction(f"t{n}", "stripe_fee", -100, created=f"2026-0{n}-10") for n in range(1, 5)]
    connect(FakeAccount(balance_transaction=ledger))
    whole = sm.call("balance.list_history", limit="all")
    assert len(whole) == 4
    for data in (None, {"transactions": whole}):
        assert sm.report("fees", month="2026-03", data=data)["amount"].sum() == -100
        assert sm.report("fees", start="2026-03-01", data=data)["amount"].sum() == -200
        assert sm.report("volume", month="2026-03", data=data)["fees"].tolist() == [-100]
