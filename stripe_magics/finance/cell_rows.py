"""The rows behind a cell of a report: the ledger entries of a category, the invoices that a customer owes,
the lines of a month's revenue.

A table says for each report which rows it is made of, with the report's own key columns beside them; a cell
is found again by its keys, and by its column where the rows say which one they count in. The rows come out of
the lists that the report read, not out of the report.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from stripe_magics.accessor import accessor_extensions
from stripe_magics.errors import UsageFault
from stripe_magics.finance import balance, days_outstanding, fee_costs, mrr_history, receivables, tax
from stripe_magics.finance.aggregation import to_int64, to_str
from stripe_magics.finance.customers import customer_entries
from stripe_magics.finance.inputs import ReportInputs
from stripe_magics.finance.payments import living_refunds
from stripe_magics.finance.report_makers import default_span, revenue_of
from stripe_magics.finance.report_table import REPORTS
from stripe_magics.finance.reporting_period import Period, bucket_index
from stripe_magics.finance.runner import run_of
from stripe_magics.frames.frame_info import as_attrs

COUNTS_IN = "counts_in"
"""Which column of the report a row counts in."""


def _entries(x: ReportInputs) -> pd.DataFrame:
    frame = balance.ledger(x.inside("transactions"))
    return frame if x.period is None else frame[x.period.contains(frame["created"])]


def _moved(x: ReportInputs) -> pd.DataFrame:
    frame = _entries(x)
    return frame[~frame["reporting_category"].isin(balance.PAYOUTS).to_numpy()]


def _summary(x: ReportInputs) -> pd.DataFrame:
    frame = _entries(x)
    paid = frame["reporting_category"].isin(balance.PAYOUTS)
    return frame.assign(counts_in=np.where(paid, "payouts", "activity"))


def _daily(x: ReportInputs) -> pd.DataFrame:
    frame = _entries(x)
    assert x.period is not None
    days = x.period.boundaries("D")
    place = bucket_index(frame["created"], days, x.zone)
    kind = frame["reporting_category"].map(lambda each: balance.COLUMN_OF.get(each, "other"))
    made = frame.assign(date=days[place].to_numpy().astype("datetime64[us]"), counts_in=kind)
    fees = made[to_int64(made["fee"]).ne(0).to_numpy()].assign(counts_in="fees")
    return pd.concat([made, fees], ignore_index=True)


def _volume(x: ReportInputs) -> pd.DataFrame:
    frame = _moved(x)
    names = {"sales": "gross"}
    kind = frame["reporting_category"].map(
        lambda each: "transfers" if each in balance.TRANSFERS else balance.COLUMN_OF.get(each, "other")
    )
    made = frame.assign(counts_in=kind.replace(names))
    fees = made[to_int64(made["fee"]).ne(0).to_numpy()].assign(counts_in="fees")
    return pd.concat([made, fees], ignore_index=True)


def _fees(x: ReportInputs) -> pd.DataFrame:
    return fee_costs.fee_items(_entries(x))


def _at(x: ReportInputs) -> Period | pd.Timestamp:
    return x.clock if x.period is None else x.period


def _owed(x: ReportInputs) -> pd.DataFrame:
    owed = receivables.open_at(x["invoices"], _at(x), zone=x.zone, sales=x.options.get("sales", "all"))
    limits = np.array([*receivables.BUCKETS.values()])
    place = np.searchsorted(limits, owed["days_overdue"].to_numpy(dtype=float), side="left")
    return owed.assign(counts_in=np.array([*receivables.BUCKETS], dtype=object)[place])


def _sales(x: ReportInputs) -> pd.DataFrame:
    """What is owed, and what was finalised in the period."""
    owed = receivables.open_at(x["invoices"], _at(x), zone=x.zone, sales=x.options["sales"])
    owed = pd.concat(
        [owed.assign(counts_in=name) for name in ("receivables", "end_total")], ignore_index=True
    )
    assert x.period is not None
    every = receivables.finalised(x["invoices"], "dso", sales=x.options["sales"])
    sold = days_outstanding.billed_in(every, x.period)
    made = sold[["invoice", "customer", "currency"]].assign(amount=sold["total"], counts_in="sales")
    return pd.concat([owed, made], ignore_index=True)


def _moves(x: ReportInputs) -> pd.DataFrame:
    span = x.period if x.period is not None else default_span(x)
    moves = mrr_history.inside(mrr_history.movements(revenue_of(x)), span, x.clock)
    return moves.assign(counts_in=moves["label"])


def _members(x: ReportInputs) -> pd.DataFrame:
    moves = _moves(x)
    names = {"new": "joined", "reactivation": "returned", "churn": "churned"}
    return moves.assign(counts_in=moves["label"].map(lambda each: names.get(each, "")))


def _tax(x: ReportInputs) -> pd.DataFrame:
    rows = REPORTS["tax_collected"].make(x)
    return rows.assign(treatment=tax.treatment(rows, str(x.options.get("home") or x.home).upper()))


def _revenue(x: ReportInputs) -> pd.DataFrame:
    return REPORTS["revenue_schedule"].make(x).assign(counts_in="recognised")


def _customers(x: ReportInputs) -> pd.DataFrame:
    rows = customer_entries(x["charges"], x["refunds"], x.inside("transactions"), x["disputes"])
    return rows[rows["customer"].notna()].assign(counts_in=rows["column"].replace({"sales": "gross"}))


def _refunds(x: ReportInputs) -> pd.DataFrame:
    assert x.period is not None
    living = living_refunds(x.given_back())
    by_day = living[x.period.contains(living["created"])].assign(basis="activity")
    sold = x.inside("charges")
    return pd.concat(
        [by_day, living[living["charge"].isin(sold["id"])].assign(basis="cohort")], ignore_index=True
    )


def _disputes(x: ReportInputs) -> pd.DataFrame:
    assert x.period is not None
    every, sold = x["disputes"], x.inside("charges")
    by_day = every[x.period.contains(every["created"])].assign(basis="activity")
    return pd.concat(
        [by_day, every[every["charge"].isin(sold["id"])].assign(basis="cohort")], ignore_index=True
    )


def _payout(x: ReportInputs) -> pd.DataFrame:
    items = balance.ledger(x.items(x.payouts(x.options["by"])))
    # the payout's own row is not in it
    members = items[~items["reporting_category"].isin(["payout"]).to_numpy()]
    return members.assign(category=members["reporting_category"])


ROWS: dict[str, Callable[[ReportInputs], pd.DataFrame]] = {
    "balance_activity": _moved,
    "balance_summary": _summary,
    "daily_balance": _daily,
    "volume": _volume,
    "fees": _fees,
    "ar_ageing": _owed,
    "dso": _sales,
    "collections": _sales,
    "mrr": _moves,
    "mrr_customers": _members,
    "mrr_rates": _moves,
    "tax_summary": _tax,
    "deferred_revenue": _revenue,
    "customer_value": _customers,
    "refund_rate": _refunds,
    "dispute_rate": _disputes,
    "payout_reconciliation": _payout,
}
KEYS = ("currency", "reporting_category", "date", "month", "fee_type", "customer", "invoice", "basis",
        "payout_id", "category",
        "treatment", "country", "percentage", "inclusive")  # fmt: skip


def rows(report: pd.DataFrame, column: str = "", *, row: int | None = None, **keys: Any) -> pd.DataFrame:
    """The rows behind a cell of a report: those of its row (`row`, a position, or keys such as
    `currency="eur"`), and of its column.

    `df.stripe.rows("fees", currency="eur")`. Without a column, all rows behind the row; without a row, those
    of the whole column. Raises `UsageFault` where a report keeps no rows, or was made too long ago.
    """
    name = str(report.attrs.get("stripe", {}).get("report", ""))
    if name not in ROWS:
        raise UsageFault(
            f"{name or 'This frame'} doesn't open to rows.", advice=f"Reports that do: {', '.join(ROWS)}."
        )
    inputs = run_of(report)
    if inputs is None:
        raise UsageFault(f"What {name} was made of is gone; run the report again.")
    if column and column not in report.columns:
        raise UsageFault(
            f"{name} has no column {column!r}.", advice=f"Its columns: {', '.join(map(str, report.columns))}."
        )
    wrong = [key for key in keys if key not in report.columns]
    if wrong:
        raise UsageFault(f"{name} has no column {wrong[0]!r} to look for.")
    if row is not None:
        if not -len(report) <= row < len(report):
            raise UsageFault(f"There is no row {row}; {name} has {len(report)}.")
        cell = report.iloc[row]
        keys = {**{key: cell[key] for key in KEYS if key in report.columns}, **keys}
    found = ROWS[name](inputs)
    for key, value in keys.items():
        if key in found.columns:
            found = found[_equal(found[key], value)]
    if column and COUNTS_IN in found.columns and column in {*found[COUNTS_IN], *_columns_of(name)}:
        found = found[found[COUNTS_IN] == column]
    elif not column and COUNTS_IN in found.columns and "id" in found.columns:
        found = found.drop_duplicates("id")  # an entry that counts in two columns is one row
    out = found.drop(columns=COUNTS_IN, errors="ignore").reset_index(drop=True)
    out.attrs["stripe"] = as_attrs(
        {"units": "minor", "of": name, "complete": report.attrs["stripe"].get("complete", True)}
    )
    return out


def _columns_of(name: str) -> set[str]:
    """The columns that only some rows of a report count in."""
    return {
        "balance_summary": {"activity", "payouts"},
        "daily_balance": set(balance.DAILY),
        "volume": {"gross", "refunds", "disputes", "fees", "transfers", "other"},
        "ar_ageing": set(receivables.BUCKETS),
        "mrr": set(mrr_history.MOVES),
        "mrr_customers": {"joined", "returned", "churned"},
        "dso": {"receivables", "sales"},
        "collections": {"end_total", "sales"},
        "customer_value": {"gross", "refunds", "disputes"},
    }.get(name, set())


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
