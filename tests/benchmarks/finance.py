"""Reports over two million ledger entries and 500,000 invoices with their lines, beside DuckDB on the same rows.

    python tests/benchmarks/finance.py [ENTRIES [INVOICES]]

Prints the median of three runs of each, in seconds, and the ratio to DuckDB; at the end the peak memory of the process.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from stripe_magics import finance

START, END = "2026-01-01", "2026-06-30"
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
        "currency": pd.Series(np.array(["usd", "eur", "gbp"], dtype=object)[random.choice(3, rows)], dtype="str"),
        "amount": amount,
        "fee": fee,
        "net": amount - fee,
        "type": pd.Series(np.array(CATEGORIES, dtype=object)[kinds], dtype="str"),
        "reporting_category": pd.Series(np.array(CATEGORIES, dtype=object)[kinds], dtype="str"),
    })  # fmt: skip


def invoices(rows: int) -> pd.DataFrame:
    """Monthly invoices of two lines over two years, with tax."""
    random = np.random.default_rng(7)
    customers = max(1, rows // 24)
    start = 1_719_792_000 + (np.arange(rows) // customers) * 2_629_800 + random.integers(0, 80_000, rows)
    amount = random.integers(10, 1000, rows) * 100
    price = {
        "id": "price_1",
        "type": "recurring",
        "unit_amount": 1000,
        "recurring": {"interval": "month", "interval_count": 1, "usage_type": "licensed"},
    }

    def line(n: int, part: int) -> dict[str, object]:
        return {
            "id": f"il_{n}_{part}", "amount": int(amount[n]) // 2, "discount_amounts": [], "proration": False, "quantity": 1, "price": price, "tax_amounts": [],
            "period": {"start": int(start[n]), "end": int(start[n]) + 2_629_800}, "subscription": f"sub_{n % customers}",
            "subscription_item": f"si_{n % customers}_{part}", "type": "subscription",
        }  # fmt: skip

    tax = amount // 5
    created = pd.to_datetime(start, unit="s", utc=True).astype("datetime64[us, UTC]")
    return pd.DataFrame({
        "id": [f"in_{n}" for n in range(rows)], "customer": [f"cus_{n % customers}" for n in range(rows)], "currency": pd.Series(["usd"] * rows, dtype="str"),
        "status": pd.Series(["paid"] * rows, dtype="str"), "total": amount + tax, "total_excluding_tax": amount, "tax": tax, "amount_due": amount + tax,
        "amount_remaining": np.zeros(rows, dtype=np.int64), "created": created, "status_transitions_finalized_at": created, "status_transitions_paid_at": created,
        "lines": [[line(n, 0), line(n, 1)] for n in range(rows)],
        "total_tax_amounts": [[{"amount": int(each), "inclusive": False, "tax_rate": "txr_1", "taxable_amount": 5 * int(each)}] for each in tax],
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


SQL["daily over two years"] = SQL["daily_balance"].replace("2025-12-31 23:00:00+00", "2024-06-30 22:00:00+00")
SQL["fees"] = (
    """select currency, reporting_category in ('fee', 'tax', 'network_cost') as alone, sum(fee)::bigint, sum(amount)::bigint, count(*) from frame group by 1, 2"""
)
SQL["to_major"] = (
    "select id, currency, amount / 100.0 as amount, fee / 100.0 as fee, net / 100.0 as net from frame"
)
LINES = """select id, currency, customer, total_excluding_tax, unnest(from_json(lines, '[{"id":"VARCHAR","amount":"BIGINT","proration":"BOOLEAN","subscription_item":"VARCHAR","period":{"start":"BIGINT","end":"BIGINT"}}]')) as line from bills"""
MONTHS = "select unnest(range(timestamp '2024-08-01', timestamp '2026-08-01', interval 1 month)) as month_end"
SQL_OF_INVOICES = {
    "deferred_revenue": f"""with lines as ({LINES}), months as ({MONTHS})
        select currency, month_end, sum(round(line.amount * least(1, greatest(0, (epoch(month_end) - line.period.start) / (line.period.end - line.period.start)))))::bigint
        from lines, months where line.period.start < epoch(month_end) group by 1, 2 order by 1, 2""",
    "tax_collected": """select id, currency, unnest(from_json(total_tax_amounts, '[{"amount":"BIGINT","tax_rate":"VARCHAR","taxable_amount":"BIGINT"}]')) from bills""",
    "mrr": f"""with lines as ({LINES}), months as ({MONTHS}), each as (select currency, customer, month_end, sum(line.amount) as mrr from lines, months
          where line.period.start < epoch(month_end) and line.period.end >= epoch(month_end) group by 1, 2, 3)
        select *, mrr - lag(mrr, 1, 0) over (partition by currency, customer order by month_end) as change from each""",
}


def timed(work: Callable[[], object]) -> float:
    runs = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        runs.append(time.perf_counter() - start)
    return statistics.median(runs)


def entries(count: int, database: Any) -> None:
    frame = ledger(count)
    frame.attrs["stripe"] = {
        "object": "balance_transaction",
        "units": "minor",
        "complete": True,
        "amounts": ["amount", "fee", "net"],
    }
    database.register("frame", frame)
    plain = frame.assign(fee_details=None)
    ours: dict[str, Callable[[], object]] = {
        "balance_activity": lambda: finance.balance_activity(frame, START, END),
        "balance_summary": lambda: finance.balance_summary(frame, START, END, balance={"usd": 0}),
        "daily_balance": lambda: finance.daily_balance(frame, START, END, zone="Europe/Berlin"),
        "daily over two years": lambda: finance.daily_balance(frame, "2024-07-01", END, zone="Europe/Berlin"),
        "fees": lambda: finance.fees(plain),
        "to_major": frame.stripe.to_major,
    }
    print(f"{len(frame):,} entries          here   DuckDB   ratio")
    for name, work in ours.items():
        _compare(name, work, database, SQL[name])


def of_invoices(count: int, database: Any) -> None:
    bills = invoices(count)
    bills.attrs["stripe"] = {"object": "invoice", "units": "minor", "complete": True}
    text = bills.assign(
        lines=[json.dumps(each) for each in bills["lines"]],
        total_tax_amounts=[json.dumps(each) for each in bills["total_tax_amounts"]],
    )
    database.execute("create table bills as select * from text")
    del text
    empty = pd.DataFrame(
        {
            name: pd.Series(dtype=object)
            for name in ("id", "status", "charge", "created", "amount", "currency", "ended_at", "discounts")
        }
    )
    data = {
        "invoices": bills,
        **dict.fromkeys(["credit_notes", "refunds", "charges", "subscriptions", "tax_rates"], empty),
    }
    print(f"{len(bills):,} invoices         here   DuckDB   ratio")
    for name, query in SQL_OF_INVOICES.items():
        _compare(
            name,
            lambda each=name: finance.report(each, start="2024-08-01", end="2026-07-31", tz="UTC", data=data),
            database,
            query,
        )


def main() -> None:
    numbers = [int(each) for each in sys.argv[1:]]
    database = duckdb.connect()
    entries(numbers[0] if numbers else 2_000_000, database)
    of_invoices(numbers[1] if len(numbers) > 1 else 500_000, database)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


def _compare(name: str, work: Callable[[], object], database: Any, query: str) -> None:
    mine, theirs = timed(work), timed(lambda: database.sql(query).df())
    print(f"{name:22} {mine:8.3f} {theirs:8.3f} {mine / theirs:7.2f}", flush=True)


if __name__ == "__main__":
    main()
