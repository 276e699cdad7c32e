"""What holds for any ledger: sums of parts are the whole, order and zone don't matter, currencies never
mix."""

from __future__ import annotations

import pandas as pd
from finance.rows import charge, frame, invoice, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from stripe_magics import finance

KINDS = ["charge", "payment", "refund", "adjustment", "stripe_fee", "payout", "payout_failure", "transfer"]
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"])
MOMENTS = st.integers(1_761_000_000, 1_775_000_000)  # 2025-10-20 to 2026-04-01: both changes of the clock
ROWS = st.lists(
    st.tuples(
        st.sampled_from(KINDS),
        st.integers(-(10**12), 10**12),
        st.integers(0, 10**6),
        MOMENTS,
        st.sampled_from(["usd", "eur", "jpy"]),
    ),
    min_size=1,
    max_size=40,
)


def ledger(rows: list[tuple[str, int, int, int, str]]) -> pd.DataFrame:
    made = [
        transaction(
            f"t{n}", kind, amount, fee, pd.Timestamp(at, unit="s", tz="UTC").isoformat(), currency=currency
        )
        for n, (kind, amount, fee, at, currency) in enumerate(rows)
    ]
    return frame(made)


@settings(max_examples=60, deadline=None)
@given(ROWS, ZONES)
def test_summary_activity_and_days_agree(rows: list[tuple[str, int, int, int, str]], zone: str) -> None:
    transactions = ledger(rows)
    start, end = "2025-11-01", "2026-03-14"
    now = {
        currency: int(part.sum()) for currency, part in transactions["net"].groupby(transactions["currency"])
    }
    summary = finance.balance_summary(transactions, start, end, balance=now, zone=zone)
    assert (summary["residual"] == 0).all()
    activity = finance.balance_activity(transactions, start, end, zone=zone)
    by_currency = activity.groupby("currency")["net"].sum().to_dict()
    assert {c: n for c, n in zip(summary["currency"], summary["activity"], strict=True) if n} == {
        c: n for c, n in by_currency.items() if n
    }
    days = finance.daily_balance(transactions, start, end, zone=zone)
    for row in summary.itertuples():
        mine = days[days["currency"] == row.currency]
        if len(mine):
            assert mine["net"].sum() == row.activity
            assert mine["payouts"].sum() == row.payouts
            assert mine["closing"].iloc[-1] == row.end
            assert not mine["date"].duplicated().any()


@settings(max_examples=40, deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_order_and_pages_do_not_matter(rows: list[tuple[str, int, int, int, str]], random: object) -> None:
    transactions = ledger(rows)
    order = list(range(len(transactions)))
    random.shuffle(order)
    shuffled = transactions.iloc[order].reset_index(drop=True)
    shuffled.attrs = transactions.attrs
    for make in (
        lambda table: finance.balance_activity(table, "2025-11-01", "2026-03-14"),
        lambda table: finance.daily_balance(table, "2025-11-01", "2026-03-14"),
        finance.volume,
    ):
        pd.testing.assert_frame_equal(make(transactions), make(shuffled))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 10**9), st.integers(0, 200), st.integers(-30, 200)), min_size=1, max_size=30
    )
)
def test_ageing_buckets_add_up_to_what_is_open(rows: list[tuple[int, int, int]]) -> None:
    at = pd.Timestamp("2026-07-01", tz="UTC")
    made = [
        invoice(
            f"in_{n}", total, str(at - pd.Timedelta(days=age)), due_date=str(at - pd.Timedelta(days=late))
        )
        for n, (total, age, late) in enumerate(rows)
    ]
    table = finance.ar_ageing(frame(made), at + pd.Timedelta(seconds=1))
    assert (
        int(table[list(finance.receivables.BUCKETS)].to_numpy().sum())
        == sum(total for total, *_ in rows)
        == int(table["total"].sum())
    )


@settings(max_examples=60, deadline=None)
@given(
    st.integers(-(10**9), 10**9),
    MOMENTS,
    st.integers(1, 900 * 86400),
    st.sampled_from(["ms", "day", "month"]),
    ZONES,
)
def test_recognised_parts_add_up_to_the_line(
    amount: int, start: int, seconds: int, method: str, zone: str
) -> None:
    a = pd.Timestamp(start, unit="s", tz="UTC")
    parts = finance.recognition_schedule(
        amount, a, a + pd.Timedelta(seconds=seconds), method=method, zone=zone
    )
    assert sum(parts.values()) == amount


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.integers(0, 10**9), min_size=6, max_size=6), min_size=1, max_size=12))
def test_movements_add_up_to_the_end(rows: list[list[int]]) -> None:
    revenue = pd.DataFrame(
        rows,
        index=pd.MultiIndex.from_tuples(
            [("usd", f"c{n}") for n in range(len(rows))], names=["currency", "customer"]
        ),
        columns=pd.period_range("2026-01", periods=6, freq="M"),
    )
    table = finance.roll_forward(revenue)
    assert (table["residual"] == 0).all()
    assert table["end"].tolist() == revenue.sum().tolist()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 10**9), st.integers(0, 8)), min_size=1, max_size=30))
def test_shares_add_up_to_one(rows: list[tuple[int, int]]) -> None:
    charges = frame([charge(f"c{n}", amount, customer=f"cus_{who}") for n, (amount, who) in enumerate(rows)])
    table = finance.concentration(finance.customer_value(charges))
    assert abs(table["share"].sum() - 1) < 1e-9
    assert abs(table["cum_share"].iloc[-1] - 1) < 1e-9
    cohorts = finance.cohorts(charges)
    assert cohorts.loc[cohorts["age"] == 0, "retention"].eq(1).all()
