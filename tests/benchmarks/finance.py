"""Reports over two million ledger entries and 500,000 invoices with their lines, beside DuckDB on the same
rows.

    python tests/benchmarks/finance.py [ENTRIES [INVOICES]]      (0: without)

Prints the median of three runs of each, in seconds, and the ratio to DuckDB; and the peak memory of each
report over invoices in a process of its own. The queries over invoices give the same figures as the reports,
which is checked before they are timed.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

import stripe_magics.accessor  # noqa: F401 - registers df.stripe
from stripe_magics import finance
from stripe_magics.frames import parquet
from stripe_magics.frames.arrow_columns import json_field

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
        "currency": pd.Series(np.array(["usd", "eur", "gbp"], dtype=object)[random.choice(3, rows)],
            dtype="str"),
        "amount": amount,
        "fee": fee,
        "net": amount - fee,
        "type": pd.Series(np.array(CATEGORIES, dtype=object)[kinds], dtype="str"),
        "reporting_category": pd.Series(np.array(CATEGORIES, dtype=object)[kinds], dtype="str"),
    })  # fmt: skip


def invoices(rows: int) -> pa.Table:
    """Monthly invoices of two lines over two years, with tax, as the files of a mirror hold them: lists are
    JSON text."""
    random = np.random.default_rng(7)
    customers = max(1, rows // 24)
    number = np.arange(rows)
    who = number % customers
    start = 1_719_792_000 + (number // customers) * 2_629_800 + random.integers(0, 80_000, rows)
    amount = random.integers(10, 1000, rows) * 100
    tax = amount // 5
    line = (
        '{{"id":"il_{0}_{1}","object":"line_item","amount":{2},"currency":"usd","description":"Team","discount_amounts":[],"discountable":true,'
        '"livemode":false,"metadata":{{}},"period":{{"end":{3},"start":{4}}},"price":{{"id":"price_1","object":"price","active":true,'
        '"billing_scheme":"per_unit","currency":"usd","nickname":"Team,'
        ' monthly","product":"prod_1","recurring":{{"interval":"month",'
        '"interval_count":1,"meter":null,"usage_type":"licensed"}},"type":"recurring","unit_amount":1000,"unit_amount_decimal":"1000"}},'
        '"proration":false,"quantity":1,"subscription":"sub_{5}","subscription_item":"si_{5}_{1}","tax_amounts":[{{"amount":{6},'
        '"inclusive":false,"tax_rate":"txr_1","taxability_reason":"standard_rated","taxable_amount":{2}}}],"type":"subscription"}}'
    )
    lines = [
        "[" + ",".join(line.format(n, part, a // 2, s + 2_629_800, s, c, t // 2) for part in (0, 1)) + "]"
        for n, a, s, c, t in zip(
            number.tolist(), amount.tolist(), start.tolist(), who.tolist(), tax.tolist(), strict=True
        )
    ]
    taxes = [
        f'[{{"amount":{t},"inclusive":false,"tax_rate":"txr_1","taxability_reason":"standard_rated","taxable_amount":{a}}}]'
        for t, a in zip(tax.tolist(), amount.tolist(), strict=True)
    ]
    created = pa.array(start * 1_000_000, pa.timestamp("us", "UTC"))
    columns: dict[str, Any] = {
        "id": [f"in_{n}" for n in range(rows)], "created": created, "currency": ["usd"] * rows,
        "status": ["paid"] * rows,
        "customer": [f"cus_{n}" for n in who], "customer_name": [f"Customer {n}" for n in who],
        "customer_address_country": ["DE"] * rows, "customer_tax_exempt": ["none"] * rows,
        "total": amount + tax, "total_excluding_tax": amount, "tax": tax, "amount_due": amount + tax,
        "amount_remaining": np.zeros(rows, dtype=np.int64), "status_transitions_finalized_at": created,
        "status_transitions_paid_at": created,
    }  # fmt: skip
    json_columns = {"lines": lines, "total_tax_amounts": taxes, "customer_tax_ids": ["[]"] * rows}
    arrays = [*map(pa.array, columns.values()), *map(pa.array, json_columns.values())]
    fields = [
        *(pa.field(name, each.type) for name, each in zip(columns, arrays, strict=False)),
        *map(json_field, json_columns),
    ]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata={b"stripe_object": b"invoice"}))


def write_mirror(count: int, folder: Path) -> None:
    """Invoices, and the lists that reports on them look at, as a mirror's files."""
    table = invoices(count)
    for part in range(0, count, 50_000):
        pq.write_table(table.slice(part, 50_000), folder / f"invoices-{part:07}.parquet", compression="zstd")
    rate = {"id": ["txr_1"], "country": ["DE"], "percentage": [20.0], "effective_percentage": [20.0]}
    pq.write_table(
        pa.table(rate).replace_schema_metadata({b"stripe_object": b"tax_rate"}), folder / "tax_rates.parquet"
    )
    for kind in ("credit_note", "refund", "charge", "subscription"):
        empty = parquet.plain_table([pa.table({"id": pa.array([], pa.string())})], kind)
        pq.write_table(empty, folder / f"{kind}s.parquet")


SQL = {
    "balance_activity": (
        """
        select currency, reporting_category, count(*), sum(amount)::bigint, sum(fee)::bigint, sum(net)::bigint
        from frame where created >= '2026-01-01 00:00:00+00' and created < '2026-07-01 00:00:00+00'
          and reporting_category not in ('payout', 'payout_reversal') group by 1, 2"""
    ),
    "balance_summary": (
        """
        select currency, sum(net) filter (created < '2026-01-01 00:00:00+00')::bigint,
          sum(net) filter (created >= '2026-01-01 00:00:00+00' and created < '2026-07-01 00:00:00+00'
            and reporting_category not in ('payout', 'payout_reversal'))::bigint,
          sum(net) filter (created >= '2026-01-01 00:00:00+00' and created < '2026-07-01 00:00:00+00'
            and reporting_category in ('payout', 'payout_reversal'))::bigint,
          sum(net) filter (created >= '2026-07-01 00:00:00+00')::bigint from frame group by 1"""
    ),
    "daily_balance": (
        """
        select (created at time zone 'Europe/Berlin')::date as day, currency, reporting_category,
          sum(amount)::bigint, sum(fee)::bigint from frame
        where created >= '2025-12-31 23:00:00+00' and created < '2026-06-30 22:00:00+00' group by 1, 2, 3"""
    ),
}


SQL["daily over two years"] = SQL["daily_balance"].replace("2025-12-31 23:00:00+00", "2024-06-30 22:00:00+00")
SQL["fees"] = """
    select currency, reporting_category in ('fee', 'tax', 'network_cost') as alone, sum(fee)::bigint,
      sum(amount)::bigint, count(*) from frame group by 1, 2"""
SQL["to_major"] = (
    "select id, currency, amount / 100.0 as amount, fee / 100.0 as fee, net / 100.0 as net from frame"
)
LINE = """[{"id":"VARCHAR","amount":"BIGINT","type":"VARCHAR","proration":"BOOLEAN","quantity":"DOUBLE",
  "subscription":"VARCHAR","subscription_item":"VARCHAR",
  "period":{"start":"BIGINT","end":"BIGINT"},
  "price":{"id":"VARCHAR","type":"VARCHAR",
    "recurring":{"interval":"VARCHAR","interval_count":"BIGINT","usage_type":"VARCHAR"}},
  "discount_amounts":[{"amount":"BIGINT","discount":"VARCHAR"}],
  "tax_amounts":[{"amount":"BIGINT","inclusive":"BOOLEAN"}]}]"""
LINES = f"""select id, currency, customer, epoch(status_transitions_finalized_at) as posted,
    line.period.start as begun, line.period.end as until, line.proration as proration,
    line.subscription_item as item, line.price.recurring.interval as every,
    line.price.recurring.interval_count as times, line.price.recurring.usage_type as usage,
    line.amount - coalesce(list_sum(list_transform(line.discount_amounts, lambda x: x.amount)), 0)
      - coalesce(list_sum(list_transform(list_filter(line.tax_amounts, lambda x: x.inclusive),
        lambda x: x.amount)), 0) as amount
  from (select id, currency, customer, status_transitions_finalized_at,
    unnest(from_json(lines, '{LINE}')) as line from bills
    where status in ('open', 'paid', 'uncollectible'))"""
MONTHS = "select unnest(range(timestamp '2024-07-01', timestamp '2026-07-01', interval 1 month)) as month"
SQL_OF_INVOICES = {
    "deferred_revenue": (
        f"""
        with lines as materialized ({LINES}),
        ends as (select epoch(month + interval 1 month) as moment, month from ({MONTHS})),
        states as (select currency, month, sum(amount)::bigint as billed,
          sum(round_even(
            amount * least(1, greatest(0, (moment - begun) / (until - begun))), 0))::bigint as earned
          from lines, ends where posted < moment group by 1, 2)
        select currency, month, billed - lag(billed, 1, 0) over w as billed,
          earned - lag(earned, 1, 0) over w as recognised, billed - earned as closing
        from states window w as (partition by currency order by month) order by 1, 2"""
    ),
    "tax_collected": (
        """
        select currency, status_transitions_finalized_at as date, bills.id, customer, customer_name,
          entry.tax_rate, coalesce(entry.inclusive, false) as inclusive,
          entry.taxability_reason, entry.taxable_amount as taxable, entry.amount as tax,
          coalesce(rates.country, customer_address_country) as country, rates.percentage,
          from_json(customer_tax_ids, '[{"value":"VARCHAR"}]')[1].value as tax_id, customer_tax_exempt
        from (select *, unnest(from_json(total_tax_amounts,
          '[{"amount":"BIGINT","inclusive":"BOOLEAN","tax_rate":"VARCHAR","taxability_reason":"VARCHAR",
          "taxable_amount":"BIGINT"}]')) as entry
          from bills where status <> 'draft'
            and status_transitions_finalized_at >= '2024-07-01 00:00:00+00'
            and status_transitions_finalized_at < '2026-07-01 00:00:00+00') as bills
          left join rates on rates.id = entry.tax_rate
        order by currency, date, bills.id, entry.tax_rate"""
    ),
    "mrr": (
        f"""
        with lines as materialized ({LINES}),
        ends as (select epoch(month + interval 1 month) as moment, month from ({MONTHS})),
        costs as (select currency, customer, item, begun, max(until) as until,
            sum(amount / (times * case every
              when 'month' then 1 when 'year' then 12 when 'week' then 12 / 52.0 else 12 / 365.0 end)) as cost
          from lines where usage = 'licensed' and until > begun group by 1, 2, 3, 4),
        steps as (select currency, customer, begun,
          least(until, coalesce(lead(begun) over (partition by customer, item order by begun), until))
            as until,
          round_even(cost, 0)::bigint as mrr from costs),
        each as (select currency, customer, month, sum(mrr)::bigint as mrr from steps, ends
          where begun < moment and until >= moment group by 1, 2, 3),
        grid as (select currency, customer, month, coalesce(each.mrr, 0) as mrr
          from (select distinct currency, customer from each) cross join ends
          left join each using (currency, customer, month)),
        moved as (select *, mrr - lag(mrr, 1, 0) over w as change,
          coalesce(max(mrr) over (w rows between unbounded preceding and 1 preceding), 0) as best from grid
          window w as (partition by currency, customer order by month))
        select currency, month, sum(change) filter (change > 0 and best = 0)::bigint as new,
          sum(change) filter (change > 0 and best > 0 and mrr = change)::bigint as reactivation,
          sum(change) filter (change > 0 and best > 0 and mrr > change)::bigint as expansion,
          sum(change) filter (change < 0 and mrr > 0)::bigint as contraction,
          sum(change) filter (change < 0 and mrr = 0)::bigint as churn, sum(mrr)::bigint as "end" from moved
        group by 1, 2 order by 1, 2"""
    ),
}
SAME = {
    "deferred_revenue": ("billed", "recognised", "closing"),
    "tax_collected": ("taxable", "tax"),
    "mrr": ("churn", "contraction", "expansion", "end"),
}
"""The columns that both must agree on, to the cent."""


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """The median of three runs: seconds of processor time (all threads), and of the clock."""
    runs, walls = [], []
    for _ in range(3):
        start, wall = time.process_time(), time.perf_counter()
        work()
        runs.append(time.process_time() - start)
        walls.append(time.perf_counter() - wall)
    return statistics.median(runs), statistics.median(walls)


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
    """Reports over a mirror's files, and DuckDB over the same files: reading them is part of both."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        child("write", str(count), name)
        for report in SQL_OF_INVOICES:
            print(
                f"{report:22} peak memory of a process of its own:"
                f" {child('memory', report, name).strip()} GB",
                flush=True,
            )
        database.execute(f"create view bills as select * from read_parquet('{folder}/invoices-*.parquet')")
        database.execute(f"create view rates as select * from read_parquet('{folder}/tax_rates.parquet')")
        print(f"{count:,} invoices         here   DuckDB   ratio (seconds of processor time)  wall")
        for report, query in SQL_OF_INVOICES.items():
            mine = finance.report(report, start="2024-07-01", end="2026-06-30", tz="UTC", over=folder)
            theirs = database.sql(query).df()
            for column in SAME[report]:
                assert mine[column].sum() == theirs[column].sum(), (report, column)
            del mine, theirs
            _compare(
                report,
                lambda each=report: finance.report(
                    each, start="2024-07-01", end="2026-06-30", tz="UTC", over=folder
                ),
                database,
                query,
            )


def child(*arguments: str) -> str:
    """A part of this file as a process of its own."""
    command = [sys.executable, __file__, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    return done.stdout


def main() -> None:
    if sys.argv[1:2] == ["write"]:
        write_mirror(int(sys.argv[2]), Path(sys.argv[3]))
        return
    if sys.argv[1:2] == ["memory"]:
        made = finance.report(sys.argv[2], start="2024-07-01", end="2026-06-30", tz="UTC", over=sys.argv[3])
        assert len(made)
        print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f}")
        return
    numbers = [int(each) for each in sys.argv[1:]]
    database = duckdb.connect()
    if numbers[:1] != [0]:
        entries(numbers[0] if numbers else 2_000_000, database)
    if numbers[1:] != [0]:
        of_invoices(numbers[1] if len(numbers) > 1 else 500_000, database)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


def _compare(name: str, work: Callable[[], object], database: Any, query: str) -> None:
    (mine, wall), (theirs, other) = timed(work), timed(lambda: database.sql(query).df())
    print(
        f"{name:22} {mine:8.3f} {theirs:8.3f} {mine / theirs:7.2f} {'':28}{wall:8.3f} {other:8.3f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
