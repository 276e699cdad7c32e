"""The rows behind a cell of a report: the ledger entries of a category, the invoices that a customer owes,
the lines of a month's revenue.

`cell_sources` says for each column which rows it is made of, with the report's own key columns beside them; a
cell is found again by its keys. What each row counts for in the cell stands in `counted`: it adds up to the
cell.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from stripe_magics.accessor import accessor_extensions
from stripe_magics.errors import UsageFault
from stripe_magics.finance.aggregation import to_str
from stripe_magics.finance.cell_sources import COUNTED, SOURCES, UNTIL
from stripe_magics.finance.mrr_history import MOVES
from stripe_magics.finance.runner import run_of
from stripe_magics.frames.frame_info import facts_of, set_facts

WITHOUT_COLUMN = {
    "balance_summary": ("activity", "payouts"),
    "daily_balance": ("net", "payouts"),
    "ar_ageing": ("total", "uncollectible"),
    "dso": ("receivables", "sales"),
    "collections": ("end_total", "sales"),
    "mrr": MOVES,
    "mrr_customers": ("joined", "returned", "churned"),
    "mrr_rates": MOVES,
}
"""The columns whose rows are behind a whole row of a report, where the first one's are not all."""
DAYS = ("date",)
KEYS = (
    "currency", "reporting_category", "date", "month", "fee_type", "customer", "invoice", "basis",
    "payout_id", "category", "treatment", "country", "percentage", "inclusive", "fee_currency", "reason",
    "document", "tax_rate",
)  # fmt: skip


def rows(report: pd.DataFrame, column: str = "", *, row: int | None = None, **keys: Any) -> pd.DataFrame:
    """The rows behind a cell of a report: those of its row (`row`, a position, or keys such as
    `currency="eur"`), and of its column.

    `df.stripe.rows("amount", currency="eur")`. Without a column, all rows behind the row; without a row,
    those of the whole column. The column `counted` says what each row counts for in the cell, and adds up to
    it. Raises `UsageFault` where a report or a column has no rows of its own, or the report was made too long
    ago.
    """
    name = str(facts_of(report).get("report", ""))
    if name not in SOURCES:
        raise UsageFault(
            f"{name or 'This frame'} doesn't open to rows.", advice=f"Reports that do: {', '.join(SOURCES)}."
        )
    inputs = run_of(report)
    if inputs is None:
        raise UsageFault(f"What {name} was made of is gone; run the report again.")
    _check(name, report, column, row, keys)
    if row is not None:
        cell = report.iloc[row]
        keys = {**{key: cell[key] for key in KEYS if key in report.columns}, **keys}
    opened = (column,) if column else WITHOUT_COLUMN.get(name, tuple(SOURCES[name])[:1])
    parts = []
    for each in opened:
        kept = f"rows_{name}_{each}"
        found = inputs.memo[kept] = inputs.memo[kept] if kept in inputs.memo else SOURCES[name][each](inputs)
        for key, value in keys.items():
            if key in found.columns:
                found = found[_matches(found[key], value, until=(name, each) in UNTIL and key in DAYS)]
        parts.append(found)
    out = parts[0] if len(parts) == 1 else pd.concat([part for part in parts if len(part)] or parts[:1])
    if not column:
        out = out.drop(columns=COUNTED)
        if "id" in out.columns:
            out = out.drop_duplicates("id")  # an entry that counts in two columns is one row
    out = out.reset_index(drop=True)
    out.attrs = {}
    return set_facts(out, units="minor", of=name, complete=facts_of(report).get("complete", True))


def _check(name: str, report: pd.DataFrame, column: str, row: int | None, keys: dict[str, Any]) -> None:
    if column and column not in report.columns:
        raise UsageFault(
            f"{name} has no column {column!r}.", advice=f"Its columns: {', '.join(map(str, report.columns))}."
        )
    if column and column not in SOURCES[name]:
        raise UsageFault(
            f"{name}'s column {column} has no rows of its own.",
            advice=f"Columns that open to rows: {', '.join(SOURCES[name])}.",
        )
    wrong = [key for key in keys if key not in report.columns]
    if wrong:
        raise UsageFault(f"{name} has no column {wrong[0]!r} to look for.")
    if row is not None and not -len(report) <= row < len(report):
        raise UsageFault(f"There is no row {row}; {name} has {len(report)}.")


def _matches(values: pd.Series, value: Any, *, until: bool) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    if until:
        made: np.ndarray[tuple[int], np.dtype[np.bool_]] = (values <= pd.Timestamp(value)).to_numpy()
        return made
    return _equal(values, value)


def _equal(values: pd.Series, value: Any) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    if isinstance(value, float) and np.isnan(value):
        return values.isna().to_numpy()
    if (
        isinstance(value, str)
        and not isinstance(values.dtype, pd.DatetimeTZDtype)
        and values.dtype.kind != "M"
    ):
        return to_str(values).eq(value).to_numpy()
    if isinstance(value, str):
        value = pd.Timestamp(value)
    return values.eq(value).to_numpy()


accessor_extensions["rows"] = rows
