"""The ledger's and the receivables' worked examples by report name, down the whole pipeline over a fake
account. Minor units, usd."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
    recurring,
    refund,
    subscription,
    transaction,
)

import stripe_magics as sm

MARCH = {"month": "2026-03"}
FEES = [{"type": "stripe_fee", "amount": 290}, {"type": "tax", "amount": 30}]
LEDGER = [
    transaction("t1", "charge", 10000, 320, "2026-03-01T10:00", fee_details=FEES, payout="po_1"),
    transaction("t2", "payment", 5000, 175, "2026-03-01T11:00",
        fee_details=[{"type": "stripe_fee", "amount": 125}, {"type": "application_fee", "amount": 50}],
        payout="po_1"),
    transaction("t3", "refund", -2000, 0, "2026-03-02", payout="po_1"),
    transaction("t4", "stripe_fee", -200, 0, "2026-03-02", payout="po_1"),
    transaction("t5", "payout", -12305, 0, "2026-03-03", source="po_1", payout="po_1"),
    transaction("t6", "charge", 3000, 117, "2026-03-31T20:00", available_on="2026-04-02", status="pending"),
]  # fmt: skip
PAYOUT = payout("po_1", 12305, "2026-03-03")


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    sm.close()


def cells(table: pd.DataFrame, *columns: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in table[list(columns)].astype(object).to_numpy().tolist()]


def ledger(rows: list[dict[str, Any]] = LEDGER, **more: Any) -> FakeAccount:
    return connect(FakeAccount(balance_transaction=rows, **more))


def test_g1_activity_by_category() -> None:
    ledger(LEDGER[:4])
    table = sm.report("balance_activity", **MARCH)
    assert cells(table, "reporting_category", "count", "gross", "fee", "net") == [
        ("charge", 2, 15000, 495, 14505),
        ("fee", 1, -200, 0, -200),
        ("refund", 1, -2000, 0, -2000),
    ]


@each_row("before", [0, 5000])
def test_g2_summary_from_an_earlier_balance(before: int) -> None:
    ledger([*LEDGER, transaction("t0", "charge", before, created="2026-02-10")])
    row = (before, 15188, -12305, before + 2883)
    assert cells(sm.report("balance_summary", **MARCH), "start", "activity", "payouts", "end") == [row]
    proved = sm.report("balance_summary", **MARCH, prove=True)
    assert cells(proved, "start", "end", "residual", "status") == [(before, before + 2883, 0, "adds up")]


def test_g2_a_missing_row_shows_as_a_residual() -> None:
    account = ledger(LEDGER[1:])
    account.balance = {"usd": 2883}
    assert cells(sm.report("balance_summary", **MARCH, prove="true"), "residual", "status") == [
        (9680, "does not add up")
    ]


def test_a_month_costs_one_month_of_pages() -> None:
    account = ledger(
        [*LEDGER, *(transaction(f"old{n}", "charge", 100, created="2024-01-01") for n in range(300))]
    )
    sm.report("balance_summary", **MARCH)
    asked = [params for path, params in account.asked if path == "/v1/balance_transactions"]
    assert all(any(name.startswith("created[") for name in params) for params in asked)


def test_a_payment_that_arrives_between_two_readings_is_read_too() -> None:
    account = ledger(LEDGER)
    account.arriving = [transaction("t9", "charge", 700, 0, "2026-04-20")]
    table = sm.report("balance_summary", **MARCH, prove=True)
    assert cells(table, "end", "residual", "status") == [(2883, 0, "adds up")]
    assert sm.report("balance_summary", **MARCH)["end"].tolist() == [2883]


def test_kept_lists_are_not_held_against_a_fresh_balance() -> None:
    account = ledger(LEDGER)
    whole = sm.call("balance.list_history", limit="all")
    account.balance = {"usd": 1}
    table = sm.report("balance_summary", **MARCH, data={"transactions": whole})
    assert table["status"].tolist() == ["not checked (no balance given)"]
    assert table["residual"].isna().all()


def test_g3_balance_backwards() -> None:
    ledger([*LEDGER, transaction("t7", "charge", 1150, 33, "2026-04-05")])
    assert sm.report("balance_summary", **MARCH)["end"].tolist() == [2883]


def test_g4_and_g5_payouts() -> None:
    ledger(payout=[PAYOUT])
    table = sm.report("payout_reconciliation", **MARCH)
    assert cells(table, "category", "net") == [("charge", 14505), ("fee", -200), ("refund", -2000)]
    assert (table["amount"].sum(), table["residual"].sum()) == (12305, 0)
    ledger([row for row in LEDGER if row["id"] != "t4"], payout=[PAYOUT])
    short = sm.report("payout_reconciliation", **MARCH)
    assert short["residual"].sum() == -200
    assert set(short["status"]) == {"does not add up"}


def test_g6_failed_payout() -> None:
    failed = {**PAYOUT, "status": "failed", "failure_code": "no_account"}
    ledger(
        [LEDGER[4], transaction("t8", "payout_failure", 12305, 0, "2026-03-06", source="po_1")],
        payout=[failed],
    )
    table = sm.report("payout_status", **MARCH)
    assert cells(table, "amount", "returned", "net", "status", "failure_code") == [
        (12305, 12305, 0, "failed", "no_account")
    ]


@each_row("zone", ["America/Los_Angeles", "UTC", "Pacific/Kiritimati"])
def test_an_arrival_date_is_that_day_in_every_zone(zone: str, tmp_path: Path) -> None:
    """Stripe writes it as midnight in UTC; west of it that instant is on the day before."""
    ledger([], payout=[payout("po_1", 12305, "2026-03-10", "2026-03-12")])
    for name in ("payout_reconciliation", "payout_status"):
        made = sm.report(name, month="2026-03", tz=zone)
        assert made["arrival_date"].tolist() == [pd.Timestamp("2026-03-12")], name
        file = tmp_path / f"{name}.xlsx"
        made.stripe.to_excel(file)
        assert pd.read_excel(file)["arrival_date"].tolist() == [pd.Timestamp("2026-03-12")], name
    sm.close_month("2026-03", tz=zone, to=tmp_path / "close.xlsx")
    shown = pd.read_excel(tmp_path / "close.xlsx", sheet_name="Payouts", header=3)
    assert shown["Arrival date"].iloc[0] == pd.Timestamp("2026-03-12")


def test_g7_manual_payout() -> None:
    ledger(payout=[{**PAYOUT, "automatic": False, "reconciliation_status": "not_applicable"}])
    table = sm.report("payout_reconciliation", **MARCH)
    assert table["status"].tolist() == ["not reconcilable (manual)"]
    assert table["residual"].isna().all()


def test_payouts_are_in_the_month_in_which_they_reach_the_bank() -> None:
    over = payout("po_1", 12305, "2026-03-30T10:00", "2026-04-01")
    by_hand = payout("po_2", 500, "2026-03-31T22:30", "2026-04-03", automatic=False)
    ledger(payout=[over, by_hand], zone="America/New_York")
    assert sm.report("payout_status", **MARCH)["payout_id"].tolist() == ["po_2"]
    assert sm.report("payout_status", month="2026-04")["payout_id"].tolist() == ["po_1"]
    assert sorted(sm.report("payout_status", **MARCH, by="created")["payout_id"]) == ["po_1", "po_2"]


def test_the_balance_by_the_day_of_arrival() -> None:
    rows = [*LEDGER[:4], transaction("t5", "payout", -12305, 0, "2026-03-31", source="po_1")]
    ledger(rows, payout=[payout("po_1", 12305, "2026-03-31", "2026-04-02")])
    assert cells(sm.report("balance_summary", **MARCH), "payouts", "end") == [(-12305, 0)]
    assert cells(sm.report("balance_summary", **MARCH, by="arrival"), "payouts", "end") == [(0, 12305)]
    april = sm.report("balance_summary", month="2026-04", by="arrival", prove=True)
    assert cells(april, "start", "payouts", "end", "residual") == [(12305, -12305, 0, 0)]


def test_g8_ending_balance() -> None:
    ledger(payout=[PAYOUT])
    table = sm.report("ending_balance", end="2026-03-31")
    assert (table["id"].tolist(), int(table["net"].sum())) == (["t6"], 2883)


def test_g10_gross_and_net_volume() -> None:
    rows = [
        transaction("a", "charge", 10000, 320),
        transaction("b", "payment", 5000, 175),
        transaction("c", "refund", -2000),
        transaction("d", "adjustment", -1500, 1500),
        transaction("e", "stripe_fee", -200),
        transaction("f", "payout", -8000),
        transaction("g", "transfer", -1000),
    ]
    ledger(rows)
    table = sm.report("volume", **MARCH)
    assert cells(table, "gross", "fees", "refunds", "disputes", "transfers", "net", "residual") == [
        (15000, -2195, -2000, -1500, -1000, 8305, 0)
    ]


def test_g11_fees() -> None:
    ledger([row for row in LEDGER if row["id"] != "t6"])
    table = sm.report("fees", **MARCH).set_index("fee_type")
    assert table["amount"].to_dict() == {
        "stripe_fee": -415,
        "tax": -30,
        "application_fee": -50,
        "stand-alone": -200,
    }
    assert round(table["effective_rate"].sum() * 100, 2) == 4.63


def test_fees_without_details_and_those_of_payouts_are_fees_too() -> None:
    rows = [
        transaction("a", "charge", 10000, 320, fee_details=[]),
        transaction("b", "adjustment", -5000, 1500, fee_details=[{"type": "stripe_fee", "amount": 1000}]),
        transaction("c", "payout", -1000, 25, fee_details=None),
    ]
    ledger(rows)
    table = sm.report("fees", **MARCH)
    assert table.set_index("fee_type")["amount"].to_dict() == {"not itemised": -845, "stripe_fee": -1000}
    assert sm.report("volume", **MARCH)["fees"].tolist() == [-1845]
    assert sm.report("daily_balance", **MARCH)["fees"].sum() == -1820  # the payout's own fee leaves with it


def test_g12_partial_capture_counts_against_sales() -> None:
    ledger(
        [
            transaction("a", "charge", 10000),
            transaction("b", "refund", -4000, reporting_category="partial_capture_reversal"),
        ]
    )
    assert cells(sm.report("daily_balance", period="2026-03-01"), "sales", "refunds") == [(6000, 0)]


def test_g13_refund_rates() -> None:
    charges = [charge(f"m{n}", amount) for n, amount in enumerate((100, 50, 50, 200))] + [
        charge("feb", 80, "2026-02-10")
    ]
    connect(
        FakeAccount(
            charge=charges,
            refund=[refund("re_1", "m0", 20, "2026-03-12"), refund("re_2", "feb", 50, "2026-03-13")],
        )
    )
    table = sm.report("refund_rate", **MARCH)
    assert cells(
        table, "basis", "refunds", "payments", "rate_count", "amount", "payments_amount", "rate_amount"
    ) == [("activity", 2, 4, 0.5, 70, 400, 0.175), ("cohort", 1, 4, 0.25, 20, 400, 0.05)]


def test_g14_dispute_rates_add_up_by_status() -> None:
    charges = [charge(f"c{n}", 100) for n in range(1000)] + [charge("old", 100, "2026-01-01")]
    states = ["lost", "won", "needs_response", "warning_closed", "prevented"] * 2
    connect(
        FakeAccount(
            charge=charges,
            dispute=[
                dispute(f"dp_{n}", "old" if n > 2 else f"c{n}", 100, status=state)
                for n, state in enumerate(states)
            ],
        )
    )
    table = sm.report("dispute_rate", start="2026-03-09", end="2026-03-15").set_index("basis")
    assert table["rate_count"].to_dict() == {"activity": 0.01, "cohort": 0.003}
    assert (table[["won", "lost", "open", "closed"]].sum(axis=1) == table["disputes"]).all()


def test_g15_dispute_cost() -> None:
    ledger(
        [
            transaction("a", "adjustment", -5000, 1500),
            transaction("b", "adjustment", 5000, 0, reporting_category="dispute_reversal"),
        ]
    )
    table = sm.report("balance_activity", **MARCH).set_index("reporting_category")["net"]
    assert table.to_dict() == {"dispute": -6500, "dispute_reversal": 5000}


def test_g17_ageing_at_a_past_date() -> None:
    connect(
        FakeAccount(
            now="2026-08-20",
            invoice=[invoice("in_1", 1000, "2026-06-01", due="2026-06-15", paid="2026-07-05")],
        )
    )
    assert cells(sm.report("ar_ageing", end="2026-06-30"), "1_30", "total", "past_due_share") == [
        (1000, 1000, 1.0)
    ]
    assert sm.report("ar_ageing", end="2026-07-31").empty


def test_g18_without_a_due_date() -> None:
    connect(FakeAccount(now="2026-07-20", invoice=[invoice("in_1", 500, "2026-06-10", amount_remaining=300)]))
    assert cells(sm.report("ar_ageing", end="2026-06-30", by="invoice"), "invoice", "1_30") == [("in_1", 300)]


def test_totals_are_said_a_currency() -> None:
    bills = [
        invoice("in_1", 50000, "2026-03-01"),
        invoice("in_2", 700, "2026-03-02", currency="jpy", customer="cus_2"),
    ]
    connect(FakeAccount(invoice=bills))
    said = sm.report("ar_ageing", **MARCH).attrs["stripe"]["notes"]
    assert "Owed in all: 700 JPY, 500.00 USD." in said
    assert "at the end of 31 Mar 2026 · UTC" in said[0]
    assert "read: 2 invoices" in said[0]


def test_written_off_invoices_are_a_column_not_a_receivable() -> None:
    connect(
        FakeAccount(
            invoice=[
                invoice("in_1", 500, "2026-03-01", written_off="2026-03-20"),
                invoice("in_2", 700, "2026-03-02"),
            ]
        )
    )
    table = sm.report("ar_ageing", **MARCH)
    assert cells(table, "total", "uncollectible") == [(700, 500)]
    assert sm.report("dso", **MARCH)["receivables"].tolist() == [700]


def test_g26_mrr_of_yearly_plans() -> None:
    monthly, yearly = price("price_m", 10000), price("price_y", 60000, "year")
    connect(
        FakeAccount(
            subscription=[
                subscription("sub_1", [("si_1", monthly, 100)]),
                subscription("sub_2", [("si_2", yearly, 50)], customer="cus_2"),
            ]
        )
    )
    assert sm.report("mrr_now")["mrr"].sum() == 12500_00


def test_g31_month_end_snapshot() -> None:
    connect(
        FakeAccount(
            now="2026-07-10",
            invoice=[
                invoice(
                    "in_1",
                    3000,
                    "2026-05-15",
                    [recurring("il_1", 3000, "2026-05-15", "2026-06-15")],
                    paid="2026-05-15",
                )
            ],
        )
    )
    table = sm.report("mrr", start="2026-05-01", end="2026-06-30")
    assert cells(table, "new", "churn", "end") == [(3000, 0, 3000), (0, -3000, 0)]


def test_g37_who_joined_and_left_within_a_month_is_no_movement() -> None:
    """As ProfitWell has it: a month shows who is there at its end."""
    weekly = price("price_w", 5000, "week")
    lines = [recurring("il_1", 5000, "2026-03-03", "2026-03-10", of=weekly)]
    connect(FakeAccount(now="2026-05-10", invoice=[invoice("in_1", 5000, "2026-03-03", lines,
        paid="2026-03-03")]))  # fmt: skip
    span = {"start": "2026-02-01", "end": "2026-04-30"}
    assert sm.report("mrr_movements", **span).empty
    assert sm.report("mrr", **span).empty
    assert sm.report("mrr_rates", **span, method="profitwell").empty


def test_g44_currencies_are_never_added() -> None:
    ledger([transaction("a", "charge", 10000), transaction("b", "charge", 10000, currency="jpy")])
    assert cells(sm.report("balance_activity", **MARCH), "currency", "gross") == [
        ("jpy", 10000),
        ("usd", 10000),
    ]


def test_g46_days_in_a_zone_with_daylight_saving() -> None:
    ledger(
        [
            transaction("a", "charge", 100, 0, "2024-03-11T03:59:59Z"),
            transaction("b", "charge", 200, 0, "2024-03-11T04:00:00Z"),
        ]
    )
    table = sm.report("daily_balance", start="2024-03-10", end="2024-03-11", tz="America/New_York")
    assert [(str(day.date()), sales) for day, sales in zip(table["date"], table["sales"], strict=True)] == [
        ("2024-03-10", 100),
        ("2024-03-11", 200),
    ]


@each_row("zone", ["Africa/Cairo", "America/Asuncion", "America/Santiago", "America/Havana", "Asia/Beirut"])
def test_zones_whose_clocks_change_at_midnight(zone: str) -> None:
    ledger(
        [
            transaction(f"t{n}", "charge", 1, 0, f"2024-{n // 28 + 1:02}-{n % 28 + 1:02}T12:00")
            for n in range(336)
        ]
    )
    table = sm.report("daily_balance", year=2024, tz=zone)
    assert table["sales"].sum() == 336
    assert len(table) == 366
    assert sm.report("mrr", year=2024, tz=zone).empty


def test_metered_usage_is_no_mrr() -> None:
    metered = price(
        "price_u",
        10,
        recurring={"interval": "month", "interval_count": 1, "usage_type": "metered", "meter": "mtr_1"},
    )
    lines = [
        recurring("il_1", 5000, "2026-03-01", "2026-04-01"),
        recurring("il_2", 900, "2026-03-01", "2026-04-01", item="si_2", of=metered),
    ]
    items = [("si_1", price("price_5000", 5000), 1), ("si_2", metered, 1)]
    connect(
        FakeAccount(
            invoice=[invoice("in_1", 5900, "2026-03-01", lines, paid="2026-03-01")],
            subscription=[subscription("sub_1", items)],
        )
    )
    assert sm.report("mrr", **MARCH)["end"].tolist() == [5000]
    assert sm.report("mrr_now")["mrr"].tolist() == [5000]


@each_row(
    ("mode", "quantity", "expected"),
    [("graduated", 15, 10 * 100 + 500 + 5 * 80), ("volume", 15, 15 * 80), ("graduated", 0, 0)],
)
def test_tiers_are_taken_at_the_quantity(mode: str, quantity: int, expected: int) -> None:
    tiers = [
        {"up_to": 10, "unit_amount": 100, "flat_amount": 500 if mode == "graduated" else None},
        {"up_to": None, "unit_amount": 80},
    ]
    bare = price(
        "price_t", 0, billing_scheme="tiered", tiers_mode=mode, unit_amount=None, unit_amount_decimal=None
    )
    connect(
        FakeAccount(
            subscription=[subscription("sub_1", [("si_1", bare, quantity)])], price=[{**bare, "tiers": tiers}]
        )
    )
    assert sm.report("mrr_now")["mrr"].tolist() == [expected]


def test_a_cancelled_and_credited_yearly_plan_churns_on_its_day() -> None:
    yearly = price("price_y", 12000, "year")
    lines = [recurring("il_1", 12000, "2026-01-01", "2027-01-01", of=yearly)]
    back = [recurring("il_2", -9000, "2026-03-10", "2027-01-01", of=yearly, proration=True)]
    connect(FakeAccount(invoice=[
        invoice("in_1", 12000, "2026-01-01", lines, paid="2026-01-01"),
        invoice("in_2", -9000, "2026-03-10", back, paid="2026-03-10"),
    ]))  # fmt: skip
    table = sm.report("mrr", start="2026-01-01", end="2026-03-31")
    assert cells(table, "end", "churn") == [(1000, 0), (1000, 0), (0, -1000)]


def test_months_that_are_not_over_are_left_out() -> None:
    bills = [
        invoice(
            f"in_{n}",
            1000,
            f"2026-0{n}-01",
            [recurring(f"il_{n}", 1000, f"2026-0{n}-01", f"2026-0{n + 1}-01")],
        )
        for n in (3, 4)
    ]
    connect(FakeAccount(now="2026-04-15", invoice=bills))
    table = sm.report("mrr", start="2026-03-01", end="2026-06-30")
    assert table["month"].astype(str).tolist() == ["2026-03"]
    assert "2026-04, 2026-05, 2026-06" in " ".join(table.attrs["stripe"]["notes"])


def test_money_of_the_lifetime_report_is_scaled_like_all_money() -> None:
    def bill(who: str, month: int) -> dict[str, Any]:
        each = recurring(
            f"il_{who}{month}", 8000, f"2026-0{month}-01", f"2026-0{month + 1}-01", item=f"si_{who}"
        )
        return invoice(
            f"in_{who}{month}",
            8000,
            f"2026-0{month}-01",
            [each],
            customer=f"cus_{who}",
            paid=f"2026-0{month}-01",
        )

    connect(FakeAccount(invoice=[bill("a", 1), bill("a", 2), bill("a", 3), bill("b", 1), bill("b", 2)]))
    table = sm.report("ltv", start="2026-02-01", end="2026-03-31", months=2)
    assert cells(table, "arpu", "churn", "ltv") == [(8000, 0.25, 32000)]
    assert table.stripe.to_major()[["arpu", "ltv"]].to_numpy().tolist() == [[80.0, 320.0]]
    assert [str(table[name].dtype) for name in ("arpu", "ltv")] == ["int64", "int64"]
    (stayed,) = sm.report("ltv", month="2026-02", months=1).to_dict("records")  # nobody left
    assert stayed["churn"] == 0
    assert pd.isna(stayed["ltv"])


def test_customers_in_the_currency_of_settlement_with_a_bridge_to_the_ledger() -> None:
    rows = [
        transaction("t1", "charge", 11000, 350, source="ch_1", exchange_rate=1.1),
        transaction("t2", "refund", -2200, source="re_1", exchange_rate=1.1),
        transaction("t3", "stripe_fee", -100),
    ]
    ledger(rows, charge=[charge("ch_1", 10000, currency="eur")],
           refund=[refund("re_1", "ch_1", 2000, "2026-03-12", currency="eur")],
           customer=[{"id": "cus_1", "object": "customer", "name": "Rosen Books",
               "email": "rosen@example.com", "created": 1767225600}])  # fmt: skip
    table = sm.report("customer_value", **MARCH)
    assert cells(table, "currency", "customer_name", "gross", "refunds", "fees", "net") == [
        ("usd", "Rosen Books", 11000, -2200, -350, 8450)
    ]
    assert "83.50 USD = customers 84.50 USD + entries of no payment -1.00 USD" in " ".join(
        table.attrs["stripe"]["notes"]
    )


def test_an_empty_account_has_empty_reports() -> None:
    from stripe_magics.finance import REPORTS

    connect(FakeAccount())
    for name, each in REPORTS.items():
        table = sm.report(name, **({} if each.period == "none" else MARCH))
        assert table.empty, name
        assert table.attrs["stripe"]["complete"], name
        assert list(table.columns), name
