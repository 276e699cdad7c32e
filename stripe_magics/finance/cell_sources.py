"""Which rows a column of a report is made of, each with what it counts for in a cell (`counted`).

A table has for each report its columns, and for each of them a function that finds the rows in the lists that
the report read, not in the report. The rows have the report's own key columns beside them, by which those of
one cell are found. Columns that are worked out of others (rates, residuals) have no rows of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from stripe_magics.finance import balance, fee_costs, mrr_history, payments, receivables
from stripe_magics.finance.aggregation import to_int64, to_str
from stripe_magics.finance.corrections import billed
from stripe_magics.finance.customers import customer_entries
from stripe_magics.finance.days_outstanding import billed_in
from stripe_magics.finance.inputs import ReportInputs
from stripe_magics.finance.invoice_line_items import without_lines
from stripe_magics.finance.proofs import net_totals
from stripe_magics.finance.receivables import transitions
from stripe_magics.finance.report_makers import default_span, make_tax_collected, recognition_of, revenue_of
from stripe_magics.finance.reporting_period import Ints, Period, bucket_index, edges, instants, month_ends
from stripe_magics.finance.subscription_history import history
from stripe_magics.finance.tax import treatment

COUNTED = "counted"
"""What a row counts for in the cell: their sum is the cell."""
UNTIL = frozenset({("daily_balance", "closing")})
"""Columns that run on: a cell has the rows of its own day and of all days before."""
Source = Callable[[ReportInputs], pd.DataFrame]


# The ledger -------------------------------------------------------------------------------------------------
def _ledger(x: ReportInputs, *, whole: bool = False) -> pd.DataFrame:
    """The entries by the day on which the report counts them: of the period, or from the first one on."""
    if x.options.get("by") == "arrival":
        every, _ = x.reading(whole=whole, first=None if whole else x.first_of_arrivals())
        return balance.effective(balance.ledger(every), x["payouts"], x.zone)
    return balance.ledger(x.reading(whole=True)[0] if whole else x.inside("transactions"))


def _entries(x: ReportInputs) -> pd.DataFrame:
    frame = _ledger(x)
    return frame if x.period is None else frame[x.period.contains(frame["created"])]


def _paid(frame: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    made: np.ndarray[tuple[int], np.dtype[np.bool_]] = (
        frame["reporting_category"].isin(balance.PAYOUTS).to_numpy()
    )
    return made


def _cost(frame: pd.DataFrame, *, of_payouts: bool) -> pd.DataFrame:
    """Entries with fees and entries that are fees, with what they cost (negative)."""
    alone = _column(frame).eq("fees").to_numpy()
    cost = to_int64(frame["amount"]).where(alone, 0) - to_int64(frame["fee"])
    kept = cost.ne(0).to_numpy() & (of_payouts | ~_paid(frame))
    return _counting(frame[kept], cost[kept])


def _counting(rows: pd.DataFrame, amounts: Any) -> pd.DataFrame:
    """Rows with what each of them counts for."""
    made: pd.DataFrame = rows.assign(counted=amounts)
    return made


def _column(frame: pd.DataFrame) -> pd.Series:
    return frame["reporting_category"].map(lambda each: balance.COLUMN_OF.get(each, "other"))


def _activity(amount: str, x: ReportInputs) -> pd.DataFrame:
    frame = _entries(x)
    frame = frame[~_paid(frame)]
    return _counting(frame, 1 if amount == "count" else to_int64(frame[amount]))


def _summary(column: str, x: ReportInputs) -> pd.DataFrame:
    frame = _entries(x)
    frame = frame[_paid(frame) == (column == "payouts")]
    return _counting(frame, to_int64(frame["net"]))


def _before(which: str, x: ReportInputs) -> pd.DataFrame:
    """All that made up the balance when the period starts, or ends."""
    assert x.period is not None
    frame, until = _ledger(x, whole=True), getattr(x.period, which)
    frame = frame[frame["created"] < until]
    return _counting(frame, to_int64(frame["net"]))


def _by_day(frame: pd.DataFrame, span: Period) -> pd.DataFrame:
    days = span.boundaries("D")
    place = bucket_index(frame["created"], days, span.zone)
    local = frame["created"].dt.tz_convert(span.zone).dt.tz_localize(None).dt.normalize()
    inside = days[np.maximum(place, 0)].to_numpy().astype("datetime64[us]")
    return frame.assign(date=np.where(place < 0, local.to_numpy().astype("datetime64[us]"), inside))


def _daily(column: str, x: ReportInputs) -> pd.DataFrame:
    assert x.period is not None
    if column == "closing":
        return _by_day(_before("end", x), x.period)
    frame = _by_day(_entries(x), x.period)
    if column == "fees":
        return _cost(frame, of_payouts=False)
    kept = ~_paid(frame) if column == "net" else _column(frame).eq(column).to_numpy()
    frame = frame[kept]
    return frame.assign(counted=to_int64(frame["net" if column in {"net", "payouts"} else "amount"]))


def _volume(column: str, x: ReportInputs) -> pd.DataFrame:
    frame = _entries(x)
    if column == "fees":
        return _cost(frame, of_payouts=True)
    paid = _paid(frame)
    if column == "net":
        counted = to_int64(frame["net"]).where(~paid, -to_int64(frame["fee"]))
        kept = ~paid | counted.ne(0).to_numpy()
        return frame[kept].assign(counted=counted[kept])
    frame = frame[~paid]
    transfers = frame["reporting_category"].isin(balance.TRANSFERS)
    kind = _column(frame).replace({"sales": "gross"}).where(~transfers, "transfers")
    frame = frame[kind.eq(column).to_numpy()]
    return frame.assign(counted=to_int64(frame["amount"]))


def _fees(amount: str, x: ReportInputs) -> pd.DataFrame:
    frame = fee_costs.fee_items(_entries(x))
    return frame.assign(counted=1 if amount == "count" else frame["amount"])


def _payout(amount: str, x: ReportInputs) -> pd.DataFrame:
    """The members of payouts, without the payouts' own rows; their net is the payout's amount."""
    items = balance.ledger(x.items(x.payouts(x.options["by"])))
    members = items[~items["reporting_category"].isin(["payout"]).to_numpy()]
    if amount == "amount":
        return members.assign(counted=to_int64(members["net"]))
    named = {"gross": "amount", "fee": "fee", "net": "net"}
    counted = 1 if amount == "count" else to_int64(members[named[amount]])
    return members.assign(category=members["reporting_category"], counted=counted)


# Invoices ---------------------------------------------------------------------------------------------------
def _owed(column: str, x: ReportInputs) -> pd.DataFrame:
    at: Period | pd.Timestamp = x.clock if x.period is None else x.period
    until, age_date = (at.end, at.age_date) if isinstance(at, Period) else receivables.at_of(at, x.zone)
    frame = receivables.finalised(
        x["invoices"], "rows", sales=x.options.get("sales", "all"), credit_notes=x.credits_before_payment()
    )
    owed = receivables.owed_at(frame, until, age_date)
    lost = owed["uncollectible"].to_numpy()
    owed = owed.assign(counted=lost if column == "uncollectible" else owed["amount"])
    if column in receivables.BUCKETS:
        owed = owed[receivables.bucket_of(owed["days_overdue"]) == column]
    return owed[owed[COUNTED].ne(0)].drop(columns=["uncollectible", "finalized"])


def _sold(x: ReportInputs) -> pd.DataFrame:
    """What was finalised in the period."""
    assert x.period is not None
    every = receivables.finalised(x["invoices"], "dso", sales=x.options["sales"])
    sold = billed_in(every, x.period)
    rows = sold[["invoice", "customer", "currency"]]
    return rows.assign(amount=sold["total"], counted=sold["total"])


def _tax(column: str, x: ReportInputs) -> pd.DataFrame:
    rows = make_tax_collected(x)
    return rows.assign(counted=rows[column])


def _by_return(column: str, x: ReportInputs) -> pd.DataFrame:
    rows = _tax(column, x)
    return rows.assign(treatment=treatment(rows, str(x.options.get("home") or x.home).upper()))


def _months(x: ReportInputs) -> tuple[pd.PeriodIndex, Ints]:
    """The months of the period that are over, and the instants at which they begin and end."""
    starts = default_span(x).boundaries("MS")
    ends = month_ends(starts, x.zone)
    over = ends <= x.clock.value
    starts, ends = starts[over], ends[over]
    return starts.to_period("M"), np.array([*edges(starts[:1], x.zone), *ends], dtype=np.int64)


def _deferred(column: str, x: ReportInputs) -> pd.DataFrame:
    """The lines, with what each of them adds to a column of a month."""
    made, _, _ = recognition_of(x)
    months, bounds = _months(x)
    kind = "deferred" if column in {"opening", "closing"} else column
    states = [made.at(int(each))[kind].to_numpy() for each in bounds]
    parts = []
    for number, month in enumerate(months):
        before, after = states[number], states[number + 1]
        counted = {"opening": before, "closing": after}.get(column, after - before)
        mine = np.flatnonzero(counted)
        lines = made.lines.iloc[mine][["currency", "customer", "invoice", "line", "start", "end"]]
        month_of = pd.PeriodIndex([month] * len(mine), freq="M")
        parts.append(lines.assign(month=month_of, counted=counted[mine]))
    return pd.concat(parts, ignore_index=True)


def _billed(x: ReportInputs) -> pd.DataFrame:
    invoices = x["invoices"]
    mine = without_lines(invoices)[billed(invoices, x.zone)]
    posted = transitions(mine, "finalized_at")
    months, bounds = _months(x)
    place = np.searchsorted(bounds, posted, side="right") - 1
    kept = (place >= 0) & (place < len(months))
    rows = {name: to_str(mine[name])[kept].to_numpy() for name in ("currency", "customer", "id")}
    return pd.DataFrame(
        {
            **rows,
            "finalized": instants(posted[kept]),
            "month": months[place[kept]],
            "counted": net_totals(mine).to_numpy()[kept],
        }
    ).rename(columns={"id": "invoice"})


# Subscriptions ----------------------------------------------------------------------------------------------
def _moves(label: str, x: ReportInputs, *, customers: bool = False) -> pd.DataFrame:
    moves = mrr_history.inside(mrr_history.movements(revenue_of(x)), default_span(x), x.clock)
    moves = moves[moves["label"].eq(label).to_numpy()]
    return _counting(moves, 1 if customers else moves["change"])


def _mrr_at(column: str, x: ReportInputs, *, customers: bool = False) -> pd.DataFrame:
    """Each customer's MRR when a month starts, or ends."""
    revenue = revenue_of(x)
    values = revenue.to_numpy()
    row, place = np.nonzero(values)
    later = place + (column == "start")
    kept = later < len(revenue.columns)
    row, place, later = row[kept], place[kept], later[kept]
    out = pd.DataFrame(
        {
            "currency": revenue.index.get_level_values("currency")[row],
            "customer": revenue.index.get_level_values("customer")[row],
            "month": revenue.columns[later],
            "mrr": values[row, place],
        }
    )
    out["counted"] = 1 if customers else out["mrr"]
    return mrr_history.inside(out, default_span(x), x.clock)


def _steps(column: str, x: ReportInputs) -> pd.DataFrame:
    """The subscriptions of each customer that are live when a month ends, less those that were when it
    started."""
    steps = history(x, default_span(x).end)
    months, bounds = _months(x)
    parts = []
    for number, month in enumerate(months):
        for sign, until in ((1, bounds[number + 1]), (-1, bounds[number])):
            if sign < 0 and column == "mrr":
                continue
            live = steps[(steps["start"] < until) & (steps["end"] >= until)]
            rows = live.assign(
                month=pd.PeriodIndex([month] * len(live), freq="M"), counted=sign * live["mrr"]
            )
            parts.append(rows)
    out = pd.concat(parts, ignore_index=True)
    keys = ["currency", "customer", "month"]
    moved = mrr_history.movements(revenue_of(x))[keys]
    made: pd.DataFrame = out.merge(moved, on=keys)
    for name in ("start", "end"):
        made[name] = instants(made[name].to_numpy(dtype=np.int64))
    return made


# Payments ---------------------------------------------------------------------------------------------------
def _undone(column: str, what: str, x: ReportInputs) -> pd.DataFrame:
    """Refunds or disputes, by the day that each basis counts them; and the payments that they are held
    against."""
    assert x.period is not None
    sold = payments.paid(x.inside("charges"))
    if column in {"payments", "payments_amount"}:
        took = payments.captured(sold)
        return sold.assign(counted=1 if column == "payments" else took)
    if what == "refunds":
        every = payments.living_refunds(x.given_back())
    else:
        every = x["disputes"].assign(**payments.settled_fees(x["disputes"]))
    ones = pd.Series(1, index=every.index)
    counted = {"amount": to_int64(every["amount"]), what: ones}
    if what == "disputes":
        counted |= {"fee_cost": every["fee_cost"], **payments.by_outcome(every)}
    every = every.assign(counted=counted[column].astype(np.int64))
    by_day = every[x.period.contains(every["created"])].assign(basis="activity")
    of_sales = every[every["charge"].isin(sold["id"])].assign(basis="cohort")
    out = pd.concat([by_day, of_sales], ignore_index=True)
    return out[out[COUNTED].ne(0)]


def _declined(column: str, x: ReportInputs) -> pd.DataFrame:
    rows = payments.first_failures(x["charges"], x.period)
    counted = {
        "failures": 1,
        "amount": rows["amount"],
        "recovered": rows["recovered"].astype(np.int64),
        "recovered_amount": rows["amount"].where(rows["recovered"], 0),
    }[column]
    rows = _counting(rows, counted)
    return rows[rows[COUNTED].ne(0)]


def _customers(column: str, x: ReportInputs) -> pd.DataFrame:
    rows = customer_entries(x["charges"], x["refunds"], x.inside("transactions"), x["disputes"])
    rows = rows[rows["customer"].notna()]
    if column == "net":
        return rows.assign(counted=rows["net"])
    rows = rows[rows["column"].replace({"sales": "gross"}).eq(column).to_numpy()]
    return rows.assign(counted=rows["amount"])


def _of(make: Callable[[str, ReportInputs], pd.DataFrame], *columns: str) -> dict[str, Source]:
    return {each: partial(make, each) for each in columns}


_RATE = ("amount", "payments", "payments_amount")
_OUTCOMES = ("won", "lost", "open", "closed", "fee_cost")
_JOINED: dict[str, Any] = {"joined": "new", "returned": "reactivation", "churned": "churn"}
SOURCES: dict[str, dict[str, Source]] = {
    "balance_activity": {
        each: partial(_activity, "amount" if each == "gross" else each)
        for each in ("net", "gross", "fee", "count")
    },
    "balance_summary": {**_of(_summary, "activity", "payouts"), **_of(_before, "start", "end")},
    "daily_balance": _of(_daily, "net", *balance.DAILY, "closing"),
    "volume": _of(_volume, "net", "gross", "refunds", "disputes", "fees", "transfers", "other"),
    "fees": _of(_fees, "amount", "count"),
    "payout_reconciliation": _of(_payout, "net", "amount", "gross", "fee", "count"),
    "ar_ageing": _of(_owed, "total", *receivables.BUCKETS, "uncollectible"),
    "dso": {**_of(_owed, "receivables"), "sales": _sold},
    "collections": {**_of(_owed, "end_total"), "sales": _sold},
    "tax_collected": _of(_tax, "tax", "taxable"),
    "tax_summary": _of(_by_return, "tax", "taxable"),
    "deferred_revenue": {
        **_of(_deferred, "recognised", "opening", "closing", "credited", "written_off"),
        "billed": _billed,
    },
    "mrr": {**_of(_moves, *mrr_history.MOVES), **_of(_mrr_at, "start", "end")},
    "mrr_customers": {
        **{name: partial(_moves, label, customers=True) for name, label in _JOINED.items()},
        **{name: partial(_mrr_at, name, customers=True) for name in ("start", "end")},
    },
    "mrr_rates": _of(_moves, *mrr_history.MOVES),
    "mrr_movements": _of(_steps, "change", "mrr"),
    "refund_rate": {each: partial(_undone, each, "refunds") for each in ("refunds", *_RATE)},
    "dispute_rate": {each: partial(_undone, each, "disputes") for each in ("disputes", *_RATE, *_OUTCOMES)},
    "failed_payments": _of(_declined, "failures", "amount", "recovered", "recovered_amount"),
    "customer_value": _of(_customers, "net", "gross", "refunds", "disputes"),
}
"""By report: its columns that open to rows. Without a column, those of the first few are behind a row."""
