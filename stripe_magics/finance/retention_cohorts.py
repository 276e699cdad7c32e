"""Cohorts: customers by the month in which they began, and how many of them, and how much of their revenue,
is left at each age.

By MRR a customer begins with the first month that ends with MRR, so that a yearly plan is there every month;
by payments with the first month of a payment. A returning customer stays in the first cohort.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from stripe_magics.errors import UsageFault
from stripe_magics.finance.aggregation import require_columns, result, to_str
from stripe_magics.finance.columns import CURRENCY, column, count, declare, money, ratio_of
from stripe_magics.finance.payments import captured, paid
from stripe_magics.finance.report_options import RETENTION_METHODS
from stripe_magics.finance.reporting_period import (
    Moment,
    Period,
    bucket_index,
    month_ends,
    nanoseconds,
    period,
)

COLUMNS = (
    CURRENCY,
    column("cohort", "month", "The month in which these customers began."),
    count("age", "Months since then."),
    count("customers", "How many of them are there at that age."),
    count("size", "How many began."),
    money("revenue", "Their revenue of that month."),
    ratio_of("retention", "customers over size (logo retention)."),
    ratio_of("revenue_retention", "revenue over that of the cohort's first month."),
)


def cohort_table(
    revenue: pd.DataFrame, *, method: str = "active", first: pd.Period | None = None
) -> pd.DataFrame:
    """Cohorts of customers by the first month with revenue, every age up to the last month, zeros among them.

    `revenue` has index (currency, customer) and one column a month. `active` counts who has revenue at that
    age; `survival` who had it without a gap until then, so that a customer who left and came back counts no
    more.
    """
    if method not in RETENTION_METHODS:
        raise UsageFault(f"cohorts has the methods {' and '.join(RETENTION_METHODS)}, not {method!r}.")
    columns = [each.name for each in COLUMNS]
    values = revenue.to_numpy()
    active = values > 0
    began = active.any(axis=1)
    values, active = values[began], active[began]
    currency = revenue.index.get_level_values("currency").to_numpy()[began]
    if not len(values):
        empty = pd.DataFrame({name: pd.Series(dtype=object) for name in columns})
        whole = dict.fromkeys(("age", "customers", "size", "revenue"), np.int64)
        return empty.astype({**whole, "retention": float, "revenue_retention": float})
    start = active.argmax(axis=1)
    months = values.shape[1]
    age = np.arange(months)
    place = start[:, None] + age[None, :]
    there = place < months
    place = np.minimum(place, months - 1)
    by_age = np.take_along_axis(values, place, axis=1) * there
    counted = (np.take_along_axis(active, place, axis=1) & there).astype(np.int64)
    if method == "survival":
        counted = np.cumprod(counted, axis=1)
    names, code = np.unique(currency.astype(str), return_inverse=True)
    group = code * months + start
    size = len(names) * months
    customers, money_ = np.zeros((size, months), dtype=np.int64), np.zeros((size, months), dtype=np.int64)
    np.add.at(customers, group, counted)
    np.add.at(money_, group, by_age)
    sizes = customers[:, 0]
    cohort = np.arange(size) % months
    rows, ages = np.nonzero((sizes > 0)[:, None] & (cohort[:, None] + age[None, :] < months))
    out = pd.DataFrame(
        {
            "currency": names[rows // months].astype(object),
            "cohort": revenue.columns[cohort[rows]],
            "age": ages.astype(np.int64),
            "customers": customers[rows, ages],
            "size": sizes[rows],
            "revenue": money_[rows, ages],
            "retention": customers[rows, ages] / sizes[rows],
            "revenue_retention": money_[rows, ages] / money_[rows, 0],
        }
    )
    return out if first is None else out[out["cohort"] >= first].reset_index(drop=True)


@declare(*COLUMNS)
def cohorts_by_mrr(revenue: pd.DataFrame, span: Period, *, method: str = "active") -> pd.DataFrame:
    """Cohorts by the first month with MRR; cohorts that began in the period, up to its last closed month.

    Source: docs.stripe.com/billing/subscriptions/analytics (subscriber cohorts: month of first positive MRR).
    """
    table = cohort_table(revenue, method=method, first=span.boundaries("MS").to_period("M")[0])
    return result(table, "cohorts", [revenue], period=span, method=method, by="mrr")


def payments_by_month(payments: pd.DataFrame, months: pd.PeriodIndex, zone: str) -> pd.DataFrame:
    """What each customer paid in each month: index (currency, customer), one column a month."""
    sold = paid(payments)
    sold = sold[to_str(sold["customer"]).ne("").to_numpy()]
    frame = pd.DataFrame(
        {"currency": to_str(sold["currency"]), "customer": to_str(sold["customer"]), "amount": captured(sold)}
    )
    if not len(months):
        return pd.DataFrame(index=pd.MultiIndex.from_arrays([[], []], names=["currency", "customer"]))
    place = bucket_index(sold["created"], months.to_timestamp(), zone)
    keep = (place >= 0) & (nanoseconds(sold["created"]) < month_ends(months.to_timestamp(), zone)[-1])
    frame, place = frame[keep], place[keep]
    owner = frame.groupby(["currency", "customer"], sort=True).ngroup().to_numpy(dtype=np.int64)
    index = pd.MultiIndex.from_frame(
        frame[["currency", "customer"]].drop_duplicates().sort_values(["currency", "customer"])
    )
    total = np.zeros(len(index) * len(months), dtype=np.int64)
    np.add.at(total, owner * len(months) + place, frame["amount"].to_numpy())
    return pd.DataFrame(total.reshape(len(index), len(months)), index=index, columns=months)


@declare(*COLUMNS)
def cohorts(
    payments: pd.DataFrame,
    start: Moment | None = None,
    end: Moment | None = None,
    *,
    zone: str = "UTC",
    method: str = "active",
    now: pd.Timestamp | None = None,
) -> pd.DataFrame:
    """Cohorts by the first month with a payment, out of charges. Months that are not over at `now` are left
    out."""
    require_columns(
        payments,
        ("id", "created", "currency", "amount", "status", "customer"),
        report="cohorts",
        object_type="charge",
    )
    sold = paid(payments)
    if sold.empty:
        months = pd.PeriodIndex([], freq="M")
        span = None
    else:
        oldest, newest = sold["created"].min(), sold["created"].max() + pd.Timedelta(1, "us")
        newest = newest if now is None else max(newest, now)
        span = (
            period(start, end, zone)
            if start is not None and end is not None
            else Period(oldest, newest, zone)
        )
        reach = Period(min(oldest, span.start), span.end, zone)
        months = reach.boundaries("MS").to_period("M") if now is None else reach.months(now)
    table = cohort_table(
        payments_by_month(payments, months, zone),
        method=method,
        first=None if span is None else span.boundaries("MS").to_period("M")[0],
    )
    return result(table, "cohorts", [payments], period=span, zone=zone, method=method, by="payments")
