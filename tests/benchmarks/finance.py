"""Two million balance transactions to balance_activity, balance_summary and daily_balance, beside DuckDB on the same frame.

    python tests/benchmarks/finance.py [ROWS]

Prints the median of five runs of each, in seconds, and the ratio to DuckDB.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import duckdb
import numpy as np
import pandas as pd

from stripe_magics import finance

START, END = "2026-01-01", "2026-07-01"
CATEGORIES = ["charge", "refund", "fee", "dispute", "payout", "payout_reversal"]


def ledger(rows: int) -> pd.DataFrame:
    """Random transactions over two years in three currencies."""
    random = np.random.default_rng(7)
    kinds = random.choice(len(CATEGORIES), rows, p=[0.86, 0.06, 0.03, 0.01, 0.03, 0.01])
    amount, fee = random.integers(100, 100_000, rows), random.integers(0, 3000, rows)
    seconds = random.integers(1_719_792_000, 1_782_864_000, rows)
    return pd.DataFrame({
        "id": pd.Series(np.char.add("txn_", np.arange(rows).astype(str))),
        "created": pd.to_datetime(seconds, unit="s", utc=True).astype("datetime64[us, UTC]"),
        "currency": pd.Categorical.from_codes(random.choice(3, rows), ["usd", "eur", "gbp"]),
        "amount": amount,
        "fee": fee,
        "net": amount - fee,
        "type": pd.Categorical.from_codes(kinds, CATEGORIES),
        "reporting_category": pd.Categorical.from_codes(kinds, CATEGORIES),
    })  # fmt: skip


SQL = {
    "balance_activity": """
        select currency, reporting_category, count(*), sum(amount)::bigint, sum(fee)::bigint, sum(net)::bigint from frame
        where created >= '2026-01-01 00:00:00+00' and created < '2026-07-01 00:00:00+00' and reporting_category not in ('payout', 'payout_reversal') group by 1, 2""",
    "balance_summary": """
        select currency, sum(net) filter (created < '2026-01-01 00:00:00+00')::bigint,
          sum(net) filter (created >= '2026-01-01 00:00:00+00' and created < '2026-07-01 00:00:00+00' and reporting_category not in ('payout', 'payout_reversal'))::bigint,
          sum(net) filter (created >= '2026-01-01 00:00:00+00' and created < '2026-07-01 00:00:00+00' and reporting_category in ('payout', 'payout_reversal'))::bigint,
          sum(net) filter (created >= '2026-07-01 00:00:00+00')::bigint from frame group by 1""",
    "daily_balance": """
        select (created at time zone 'Europe/Berlin')::date as day, currency, reporting_category, sum(amount)::bigint, sum(fee)::bigint from frame
        where created >= '2025-12-31 23:00:00+00' and created < '2026-06-30 22:00:00+00' group by 1, 2, 3""",
}


def timed(work: Callable[[], object]) -> float:
    runs = []
    for _ in range(5):
        start = time.perf_counter()
        work()
        runs.append(time.perf_counter() - start)
    return statistics.median(runs)


def main() -> None:
    frame = ledger(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000)
    database = duckdb.connect()
    database.register("frame", frame)
    ours = {
        "balance_activity": lambda: finance.balance_activity(frame, START, END),
        "balance_summary": lambda: finance.balance_summary(frame, START, END, balance={"usd": 0}),
        "daily_balance": lambda: finance.daily_balance(frame, START, END, zone="Europe/Berlin"),
    }
    total = 0.0
    print(f"{len(frame):,} rows        here   DuckDB   ratio")
    for name, work in ours.items():
        mine, theirs = timed(work), timed(lambda query=SQL[name]: database.sql(query).df())
        total += mine
        print(f"{name:18} {mine:8.3f} {theirs:8.3f} {mine / theirs:7.2f}")
    print(f"all three          {total:7.3f} s")


if __name__ == "__main__":
    main()
