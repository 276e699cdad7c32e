"""Worked examples with known answers, by their ids: the pure functions. Minor units, usd, unless said.

The same ledger and receivables by report name, down the whole pipeline: test_golden_by_name.py.
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from each_row import each_row
from finance.rows import LEDGER, PAYOUT, charge, frame, invoice, line, transaction

from stripe_magics import finance
from stripe_magics.finance.reporting_period import period
from stripe_magics.money import exponent

MARCH = ("2026-03-01", "2026-03-31")  # a date given as an end is a whole day


def cells(table: pd.DataFrame, *columns: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in table[list(columns)].to_numpy().tolist()]


def test_g1_activity_by_category() -> None:
    table = finance.balance_activity(frame(LEDGER[:4]), *MARCH)
    assert cells(table, "reporting_category", "count", "gross", "fee", "net") == [
        ("charge", 2, 15000, 495, 14505),
        ("fee", 1, -200, 0, -200),
        ("refund", 1, -2000, 0, -2000),
    ]
    assert table[["gross", "fee", "net"]].sum().tolist() == [12800, 495, 12305]
    assert table["net"].dtype == np.int64


@each_row(("opening", "end"), [(0, 2883), (5000, 7883)])
def test_g2_summary(opening: int, end: int) -> None:
    table = finance.balance_summary(frame(LEDGER), *MARCH, opening={"usd": opening}, balance={"usd": end})
    assert cells(table, "start", "activity", "payouts", "end", "residual", "status") == [
        (opening, 15188, -12305, end, 0, "adds up")
    ]


def test_g2_a_missing_row_shows_as_a_residual() -> None:
    table = finance.balance_summary(frame(LEDGER[1:]), *MARCH, opening={"usd": 0}, balance={"usd": 2883})
    assert cells(table, "residual", "status") == [(9680, "does not add up")]


def test_g2_without_a_balance_nothing_is_claimed() -> None:
    table = finance.balance_summary(frame(LEDGER), *MARCH)
    assert table["status"].tolist() == ["not checked (no balance given)"]


def test_g3_balance_backwards() -> None:
    later = [transaction("t7", "charge", 1150, 33, "2026-04-05T00:00Z")]
    table = finance.balance_summary(frame(LEDGER + later), *MARCH, balance={"usd": 4000})
    assert cells(table, "end", "residual") == [(2883, 0)]


def test_g4_payout_adds_up() -> None:
    items = frame(LEDGER[:5]).assign(payout_id="po_1")
    table = finance.payout_reconciliation(frame([PAYOUT]), items)
    assert cells(table, "category", "net", "status") == [
        ("charge", 14505, "adds up"),
        ("fee", -200, "adds up"),
        ("refund", -2000, "adds up"),
    ]
    assert table["amount"].dropna().tolist() == [12305]  # once for a payout, so that the column can be summed
    assert table["residual"].dropna().tolist() == [0]
    assert int(items["net"].sum()) == 0  # with the payout's own row


def test_g5_payout_with_a_missing_member() -> None:
    items = frame([row for row in LEDGER[:5] if row["id"] != "t4"]).assign(payout_id="po_1")
    table = finance.payout_reconciliation(frame([PAYOUT]), items)
    assert table["residual"].dropna().tolist() == [-200]
    assert set(table["status"]) == {"does not add up"}
    assert table["net"].sum() == 12505


def test_g6_failed_payout() -> None:
    rows = [LEDGER[4], transaction("t8", "payout_failure", 12305, 0, "2026-03-06T00:00Z", source="po_1")]
    table = finance.payout_status(
        frame([{**PAYOUT, "status": "failed", "failure_code": "no_account"}]), frame(rows)
    )
    assert cells(table, "amount", "returned", "net", "status", "failure_code") == [
        (12305, 12305, 0, "failed", "no_account")
    ]


def test_g7_manual_payout() -> None:
    payouts = frame([{**PAYOUT, "automatic": False, "reconciliation_status": "not_applicable"}])

    def members(_: str) -> pd.DataFrame:
        raise AssertionError("Stripe refuses to list the members of a manual payout")

    items = finance.payout_items(payouts, members)
    assert len(items) == 0
    table = finance.payout_reconciliation(payouts, items)
    assert table["status"].tolist() == ["not reconcilable (manual)"]
    assert table["residual"].isna().all()


def test_g8_ending_balance() -> None:
    items = frame(LEDGER[:5]).assign(payout_id="po_1")
    table = finance.ending_balance(frame(LEDGER), items, frame([PAYOUT]), "2026-03-31")
    assert table["id"].tolist() == ["t6"]
    assert int(table["net"].sum()) == 2883


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
    table = finance.volume(frame(rows))
    assert cells(table, "gross", "fees", "refunds", "disputes", "transfers", "net") == [
        (15000, -2195, -2000, -1500, -1000, 8305)  # signs are the ledger's: what goes out is negative
    ]


def test_g11_fees() -> None:
    table = finance.fees(frame(LEDGER)[lambda rows: rows["id"] != "t6"]).set_index("fee_type")
    assert table["amount"].to_dict() == {
        "stripe_fee": -415,
        "tax": -30,
        "application_fee": -50,
        "stand-alone": -200,
    }
    assert round(table["effective_rate"].sum() * 100, 2) == 4.63
    assert round(table.at["stripe_fee", "effective_rate"] * 100, 2) == 2.77
    items = finance.fee_items(frame(LEDGER[:5]))
    assert items[items["fee_type"] != "stand-alone"].groupby("bt_id")["amount"].sum().to_dict() == {
        "t1": -320,
        "t2": -175,
    }


def test_g12_partial_capture_counts_against_sales() -> None:
    rows = [
        transaction("a", "charge", 10000, 0, "2026-03-01T00:00Z"),
        transaction(
            "b", "refund", -4000, 0, "2026-03-01T00:00Z", reporting_category="partial_capture_reversal"
        ),
    ]
    day = finance.daily_balance(frame(rows), "2026-03-01", "2026-03-01")
    assert cells(day, "sales", "refunds") == [(6000, 0)]


def test_g13_refund_rates() -> None:
    charges = [charge(f"m{number}", amount) for number, amount in enumerate((100, 50, 50, 200))] + [
        charge("feb", 80, "2026-02-10")
    ]
    refunds = [
        {
            "id": "re_1",
            "charge": "m0",
            "amount": 20,
            "currency": "usd",
            "created": "2026-03-12",
            "status": "succeeded",
        },
        {
            "id": "re_2",
            "charge": "feb",
            "amount": 50,
            "currency": "usd",
            "created": "2026-03-13",
            "status": "succeeded",
        },
    ]
    table = finance.refund_rate(frame(charges), frame(refunds), *MARCH)
    assert cells(
        table, "basis", "refunds", "payments", "rate_count", "amount", "payments_amount", "rate_amount"
    ) == [("activity", 2, 4, 0.5, 70, 400, 0.175), ("cohort", 1, 4, 0.25, 20, 400, 0.05)]


def test_g14_dispute_rates() -> None:
    charges = [charge(f"c{number}", 100) for number in range(1000)] + [charge("old", 100, "2026-01-01")]
    disputes = [
        {
            "id": f"dp_{n}",
            "charge": "old" if n > 2 else f"c{n}",
            "amount": 100,
            "currency": "usd",
            "created": "2026-03-12",
            "status": "lost",
        }
        for n in range(10)
    ]
    table = finance.dispute_rate(frame(charges), frame(disputes), "2026-03-09", "2026-03-15").set_index(
        "basis"
    )
    assert table["rate_count"].to_dict() == {"activity": 0.01, "cohort": 0.003}
    assert table.at["activity", "lost"] == 10


def test_g15_dispute_cost() -> None:
    rows = [
        transaction("a", "adjustment", -5000, 1500),
        transaction("b", "adjustment", 5000, 0, reporting_category="dispute_reversal"),
    ]
    table = finance.balance_activity(frame(rows), *MARCH).set_index("reporting_category")["net"]
    assert table.to_dict() == {"dispute": -6500, "dispute_reversal": 5000}
    assert table.sum() == -1500


def test_g17_ageing_at_a_past_date() -> None:
    paid = invoice(
        "in_1",
        1000,
        "2026-06-01",
        due_date="2026-06-15",
        status="paid",
        amount_remaining=0,
        status_transitions_paid_at="2026-07-05T00:00Z",
    )
    at_june = finance.ar_ageing(frame([paid]), "2026-06-30")
    assert cells(at_june, "1_30", "total", "past_due_share") == [(1000, 1000, 1.0)]
    assert finance.ar_ageing(frame([paid]), "2026-07-31").empty


def test_g18_without_a_due_date() -> None:
    rows = frame([invoice("in_1", 500, "2026-06-10", amount_remaining=300)])
    assert cells(finance.open_at(rows, "2026-06-30"), "amount", "days_overdue") == [(300, 20)]
    assert cells(finance.ar_ageing(rows, "2026-06-30"), "1_30") == [(300,)]


def test_g18_begun_days_count_whole() -> None:
    rows = frame([invoice("in_1", 500, "2026-05-01", due_date="2026-05-01T00:00Z")])
    assert finance.ar_ageing(rows, pd.Timestamp("2026-05-31T12:00Z"))["31_60"].tolist() == [500]


@each_row(
    ("receivables", "sales", "days", "expected"), [(50000, 200000, 365, 91.25), (18000, 20000, 30, 27.0)]
)
def test_g19_dso(receivables: int, sales: int, days: int, expected: float) -> None:
    assert finance.dso_of(receivables, sales, days) == pytest.approx(expected)


def test_g21_true_dso() -> None:
    assert finance.true_dso_of(
        np.array([1000, 500]), np.array([4000, 5000]), np.array([20, 50])
    ) == pytest.approx(10.0)


def test_g21_true_dso_from_invoices() -> None:
    def paid(identity: str, total: int, day: str) -> dict[str, object]:
        return invoice(
            identity, total, day, status="paid", amount_remaining=0, status_transitions_paid_at=day
        )

    rows = [
        invoice("in_june", 1000, "2026-06-10"),
        paid("in_june2", 3000, "2026-06-02"),
        invoice("in_may", 500, "2026-05-11"),
        paid("in_may2", 4500, "2026-05-02"),
    ]
    # ages count to the last day, as in ar_ageing
    table = finance.dso(frame(rows), "2026-06-01", "2026-06-30")
    assert table["true_dso"].iloc[0] == pytest.approx(5.0 + 5.0)


def test_g22_collection_effectiveness() -> None:
    assert round(finance.cei_of(100000, 80000, 60000, 40000), 2) == 85.71


def levels_by_month(levels: dict[str, dict[str, int]]) -> pd.DataFrame:
    """Each customer's MRR by month, from the months in which it changed."""
    months = pd.period_range("2018-01", "2020-01", freq="M")
    rows = [
        pd.Series({pd.Period(month, "M"): value for month, value in changes.items()})
        .reindex(months)
        .ffill()
        .fillna(0)
        .astype(np.int64)
        for changes in levels.values()
    ]
    index = pd.MultiIndex.from_tuples([("usd", who) for who in levels], names=["currency", "customer"])
    return pd.DataFrame([row.to_numpy() for row in rows], index=index, columns=months)


def test_g24_every_movement_of_the_playbook() -> None:
    """The seed's totals, by customers that make just its movements; the fifth is G25's own."""
    revenue = levels_by_month(
        {
            "1": {"2018-01": 55, "2018-02": 70, "2019-12": 0},
            "2": {"2018-05": 35, "2018-06": 65, "2019-12": 0},
            "3": {"2018-11": 50, "2019-02": 0, "2019-04": 50, "2019-06": 75, "2019-08": 0},
            "4": {"2019-04": 65, "2020-01": 0},
            "5": {"2018-11": 50, "2018-12": 25, "2019-03": 0, "2019-07": 50, "2019-08": 25, "2019-09": 50,
                "2019-10": 25, "2019-12": 40, "2020-01": 0},
        }
    )  # fmt: skip
    table = finance.roll_forward(revenue)
    table["month"] = table["month"].astype(str)
    moved = table[table[["new", "reactivation", "expansion", "contraction", "churn"]].ne(0).any(axis=1)]
    found = cells(moved, "month", "new", "reactivation", "expansion", "contraction", "churn", "end")
    assert found == [
        ("2018-01", 55, 0, 0, 0, 0, 55),
        ("2018-02", 0, 0, 15, 0, 0, 70),
        ("2018-05", 35, 0, 0, 0, 0, 105),
        ("2018-06", 0, 0, 30, 0, 0, 135),
        ("2018-11", 100, 0, 0, 0, 0, 235),
        ("2018-12", 0, 0, 0, -25, 0, 210),
        ("2019-02", 0, 0, 0, 0, -50, 160),
        ("2019-03", 0, 0, 0, 0, -25, 135),
        ("2019-04", 65, 50, 0, 0, 0, 250),
        ("2019-06", 0, 0, 25, 0, 0, 275),
        ("2019-07", 0, 50, 0, 0, 0, 325),
        ("2019-08", 0, 0, 0, -25, -75, 225),
        ("2019-09", 0, 0, 25, 0, 0, 250),
        ("2019-10", 0, 0, 0, -25, 0, 225),
        ("2019-12", 0, 0, 15, 0, -135, 105),
        ("2020-01", 0, 0, 0, 0, -105, 0),
    ]
    assert not table["residual"].any()


def test_g25_one_customer_through_time() -> None:
    levels = {
        "2018-11": 50,
        "2018-12": 25,
        "2019-03": 0,
        "2019-07": 50,
        "2019-08": 25,
        "2019-09": 50,
        "2019-10": 25,
        "2019-12": 40,
        "2020-01": 0,
    }
    months = pd.period_range("2018-01", "2020-01", freq="M")
    values = (
        pd.Series({pd.Period(month, "M"): value for month, value in levels.items()})
        .reindex(months)
        .ffill()
        .fillna(0)
        .astype(np.int64)
    )
    revenue = pd.DataFrame(
        [values], index=pd.MultiIndex.from_tuples([("usd", "5")], names=["currency", "customer"])
    )
    moves = finance.movements(revenue)
    assert [
        (str(month), label, change) for month, label, change in cells(moves, "month", "label", "change")
    ] == [
        ("2018-11", "new", 50),
        ("2018-12", "contraction", -25),
        ("2019-03", "churn", -25),
        ("2019-07", "reactivation", 50),
        ("2019-08", "contraction", -25),
        ("2019-09", "expansion", 25),
        ("2019-10", "contraction", -25),
        ("2019-12", "expansion", 15),
        ("2020-01", "churn", -40),
    ]
    assert (finance.roll_forward(revenue)["residual"] == 0).all()


def subscription(*items: tuple[int, str, int, int], **more: object) -> dict[str, object]:
    data = [
        {
            "price": {"unit_amount": unit, "recurring": {"interval": every, "interval_count": count}},
            "quantity": n,
        }
        for unit, every, count, n in items
    ]
    return {
        "id": "sub_1",
        "customer": "cus_1",
        "currency": "usd",
        "status": "active",
        "items_data": data,
        **more,
    }


def test_g26_mrr_of_yearly_plans() -> None:
    rows = frame([subscription((100_00, "month", 1, 100)), subscription((600_00, "year", 1, 50))])
    assert finance.subscription_mrr(rows)["mrr"].sum() == 12500_00


@each_row(
    ("amount", "interval", "count", "expected"),
    [
        (100, "week", 1, "433.33"),
        (300, "month", 3, "100.00"),
        (1200, "year", 1, "100.00"),
        (2400, "year", 2, "100.00"),
        (10, "day", 1, "304.17"),
    ],
)
def test_g27_intervals(amount: int, interval: str, count: int, expected: str) -> None:
    assert finance.monthly(amount, interval, count).quantize(Decimal("0.01")) == Decimal(expected)


@each_row(
    ("duration", "discounts", "expected"),
    [
        ("forever", "forever", 50),
        ("repeating", "forever", 100),
        ("forever", "all", 50),
        ("repeating", "all", 50),
    ],
)
def test_g28_coupons(duration: str, discounts: str, expected: int) -> None:
    rows = frame(
        [subscription((100, "month", 1, 1), discount={"coupon": {"percent_off": 50, "duration": duration}})]
    )
    assert finance.subscription_mrr(rows, discounts=discounts)["mrr"].tolist() == [expected]


def test_g29_contract_and_billed() -> None:
    rows = frame(
        [
            subscription(
                (60, "month", 1, 1),
                (40, "month", 1, 1),
                discount={"coupon": {"percent_off": 20, "duration": "forever"}},
            )
        ]
    )
    assert cells(finance.subscription_mrr(rows), "contract", "discount", "mrr") == [(100, 20, 80)]


def test_g31_month_end_snapshot() -> None:
    lines = frame([line("c", 3000, "2026-05-15", "2026-06-15")])
    revenue = finance.monthly_revenue(lines, period("2026-05-01", "2026-06-30"))
    assert revenue.iloc[0].tolist() == [3000, 0]
    assert finance.movements(revenue)["label"].tolist() == ["new", "churn"]


def test_g32_back_from_nothing() -> None:
    revenue = pd.DataFrame(
        [[100, 0, 100]],
        index=pd.MultiIndex.from_tuples([("usd", "c")], names=["currency", "customer"]),
        columns=pd.period_range("2026-01", periods=3, freq="M"),
    )
    assert finance.movements(revenue)["label"].tolist() == ["new", "churn", "reactivation"]


def test_g34_rates() -> None:
    one = {"currency": "usd", "month": pd.Period("2026-01", "M"), "start": 100, "end": 90, "residual": 0}
    moves = pd.DataFrame(
        [{**one, "new": 0, "reactivation": 0, "expansion": 10, "contraction": -10, "churn": -10}]
    )
    row = finance.mrr_rates(moves).iloc[0]
    assert [round(row[name], 4) for name in ("gross_churn", "net_churn", "grr", "nrr", "quick_ratio")] == [
        0.2,
        0.1,
        0.8,
        0.9,
        0.5,
    ]


@each_row(("method", "logo"), [("chartmogul", 1 / 3), ("stripe", 1 / 4)])
def test_retention_over_twelve_months_and_customers_lost(method: str, logo: float) -> None:
    """Of three that paid 100 a year ago one pays 150, one 50 and one nothing; a fourth is new."""
    changes = [
        {"2018-01": 100, "2019-01": 150},
        {"2018-01": 100, "2019-01": 50},
        {"2018-01": 100, "2019-01": 0},
    ]
    revenue = levels_by_month({str(at): each for at, each in enumerate([*changes, {"2019-01": 70}])})
    rates = finance.mrr_rates(finance.roll_forward(revenue), revenue, method=method)
    row = rates[rates["month"].astype(str) == "2019-01"].iloc[0]
    names = ("ttm_nrr", "ttm_grr", "ttm_logo_churn", "logo_churn")
    assert [row[name] for name in names] == pytest.approx([2 / 3, 1 / 2, 1 / 3, logo])
    assert rates[rates["month"].astype(str) == "2018-12"]["ttm_nrr"].isna().all()


@each_row(("method", "expected"), [("baremetrics", 0.06), ("stripe", 0.05), ("dlt", 0.05)])
def test_g35_customer_churn(method: str, expected: float) -> None:
    assert finance.churn_rate_of(100, 20, 6, method=method) == pytest.approx(expected)


def test_g36_lifetime_value() -> None:
    assert finance.ltv_of(80, 0.04) == pytest.approx(2000)


@each_row(
    ("amount", "start", "end", "method", "expected"),
    [
        (3100, "2019-01-15", "2019-02-15", "day", [1700, 1400]),
        (
            36500,
            "2019-01-01",
            "2020-01-01",
            "ms",
            [3100, 2800, 3100, 3000, 3100, 3000, 3100, 3100, 3000, 3100, 3000, 3100],
        ),
        (12000, "2024-06-15T12:00", "2024-10-13T12:00", "ms", [1550, 3100, 3100, 3000, 1250]),
        (12000, "2024-06-15T12:00", "2024-10-13T12:00", "day", [1600, 3100, 3100, 3000, 1200]),
        (12000, "2024-06-15T12:00", "2024-10-13T12:00", "month", [3000, 3000, 3000, 3000]),
    ],
)
def test_g39_revenue_over_time(amount: int, start: str, end: str, method: str, expected: list[int]) -> None:
    parts = finance.recognition_schedule(
        amount, pd.Timestamp(start, tz="UTC"), pd.Timestamp(end, tz="UTC"), method=method
    )
    assert list(parts.values()) == expected


def test_g42_exchange_gain() -> None:
    rows = [
        transaction(
            "a", "charge", 5280, 0, currency="eur", source="ch_1", source_charge=None, exchange_rate=0.88
        ),
        transaction(
            "b", "refund", -5160, 0, currency="eur", source="re_1", source_charge="ch_1", exchange_rate=0.86
        ),
    ]
    assert cells(finance.fx_effect(frame(rows)), "currency", "charged", "returned", "gain") == [
        ("eur", 5280, -5160, 120)
    ]


@each_row(
    ("currency", "amount", "expected"),
    [("jpy", 500, 500), ("isk", 500, 5), ("ugx", 500, 5), ("usd", 500, 5), ("kwd", 5120, 5.12)],
)
def test_g43_exponents(currency: str, amount: int, expected: float) -> None:
    assert amount / 10 ** exponent(currency) == expected


def test_g44_currencies_are_never_added() -> None:
    rows = [transaction("a", "charge", 10000), transaction("b", "charge", 10000, currency="jpy")]
    table = finance.balance_activity(frame(rows), *MARCH)
    assert cells(table, "currency", "gross") == [("jpy", 10000), ("usd", 10000)]


def test_g46_days_in_a_zone_with_daylight_saving() -> None:
    rows = [
        transaction("a", "charge", 100, 0, "2024-03-11T03:59:59Z"),
        transaction("b", "charge", 200, 0, "2024-03-11T04:00:00Z"),
    ]
    table = finance.daily_balance(frame(rows), "2024-03-10", "2024-03-11", zone="America/New_York")
    assert [(str(day.date()), sales) for day, sales in zip(table["date"], table["sales"], strict=True)] == [
        ("2024-03-10", 100),
        ("2024-03-11", 200),
    ]


def test_g47_days_to_pay_weighted_by_amount() -> None:
    assert finance.weighted_days(pd.Series([1000, 3000]), pd.Series([10.0, 30.0])) == pytest.approx(25.0)


def test_g48_a_cut_list_makes_a_partial_report() -> None:
    table = finance.balance_activity(frame(LEDGER[:5], complete=False), *MARCH)
    assert table.attrs["stripe"]["complete"] is False
    assert "Partial" in table.attrs["stripe"]["notes"][0]


def test_cash_expected_is_pending_funds_and_invoices_by_usual_delay() -> None:
    paid = invoice(
        "in_0",
        100,
        "2026-03-01",
        status="paid",
        amount_remaining=0,
        status_transitions_paid_at="2026-03-11T00:00Z",
    )
    rows = [paid, invoice("in_1", 700, "2026-03-28"), invoice("in_2", 900, "2026-01-02")]
    table = finance.cash_forecast(
        frame(LEDGER), frame(rows), at=pd.Timestamp("2026-04-01", tz="UTC"), days=10, balance={"usd": 50}
    )
    by_day = table.set_index(table["date"].dt.strftime("%m-%d"))
    assert by_day["pending"].loc["04-02"] == 2883
    # ten days after it was sent, as this customer does
    assert by_day["expected_invoices"].loc["04-07"] == 700
    assert table["cumulative"].iloc[-1] == 50 + 2883 + 700
    assert "9.00 USD" in table.attrs["stripe"]["notes"][0]  # 900 cents, late already


def test_the_former_name_says_the_present_one() -> None:
    with pytest.raises(AttributeError, match="recognition_schedule"):
        _ = finance.spread
