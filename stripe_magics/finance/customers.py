"""Customers by what they paid: value, concentration, lifetime value, cohorts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stripe_magics.errors import UsageFault
from stripe_magics.finance.aggregation import group_sums, ratio, require_columns, result, to_int64, to_str
from stripe_magics.finance.payments import paid
from stripe_magics.finance.reporting_period import Moment, Period, bucket_index, period

_CHARGE = ("id", "created", "currency", "amount", "status", "customer")


def _months_between(first: pd.Series, last: pd.Series, zone: str) -> pd.Series:
    a, b = first.dt.tz_convert(zone), last.dt.tz_convert(zone)
    months: pd.Series = (b.dt.year - a.dt.year) * 12 + b.dt.month - a.dt.month + 1
    return months


def customer_value(
    charges: pd.DataFrame,
    refunds: pd.DataFrame | None = None,
    transactions: pd.DataFrame | None = None,
    disputes: pd.DataFrame | None = None,
    *,
    zone: str = "UTC",
) -> pd.DataFrame:
    """What each customer brought in: currency, customer, first, last, orders, gross, refunds, disputes, fees, net, months, avg.

    Amounts int64 minor units; months counts calendar months from the first to the last payment; avg is net per month, rounded. Disputes
    count once lost. fees need the balance transactions. Payments without a customer stand under an empty customer.
    """
    require_columns(charges, _CHARGE, report="customer_value", object_type="charge")
    sold = paid(charges)
    owner = pd.Series(to_str(sold["customer"]).to_numpy(), index=to_str(sold["id"]).to_numpy())
    gross = (
        to_int64(sold["amount_captured"]) if "amount_captured" in sold.columns else to_int64(sold["amount"])
    )
    frame = pd.DataFrame(
        {
            "currency": to_str(sold["currency"]),
            "customer": to_str(sold["customer"]),
            "created": sold["created"],
            "gross": gross,
        }
    )
    grouped = frame.groupby(["currency", "customer"])
    out = grouped.agg(
        first=("created", "min"), last=("created", "max"), orders=("gross", "size"), gross=("gross", "sum")
    )

    def spread(table: pd.DataFrame | None, link: str, amount: str) -> pd.Series:
        if table is None or table.empty:
            return pd.Series(0, index=out.index, dtype=np.int64)
        who = to_str(table[link]).map(owner)
        known = who.notna()
        total = to_int64(table[amount])[known].groupby([to_str(table["currency"])[known], who[known]]).sum()
        return total.reindex(out.index, fill_value=0).astype(np.int64)

    if refunds is not None and "status" in refunds.columns:
        refunds = refunds[~to_str(refunds["status"]).isin(["failed", "canceled"])]
    out["refunds"] = spread(refunds, "charge", "amount")
    out["disputes"] = spread(
        None if disputes is None else disputes[to_str(disputes["status"]).eq("lost")], "charge", "amount"
    )
    out["fees"] = spread(transactions, "source", "fee")
    out["net"] = out["gross"] - out["refunds"] - out["disputes"] - out["fees"]
    out["months"] = _months_between(out["first"], out["last"], zone).astype(np.int64)
    out["avg"] = (out["net"] / out["months"]).round().astype(np.int64)
    out = out.reset_index().sort_values(
        ["currency", "net", "customer"], ascending=[True, False, True], kind="stable"
    )
    return result(out, "customer_value", [charges, refunds, transactions, disputes], zone=zone)


def concentration(values: pd.DataFrame, *, amount: str = "net") -> pd.DataFrame:
    """How much hangs on a few customers, from customer_value: currency, rank, customer, revenue, share, cum_share, hhi.

    Shares are fractions; hhi is the sum of the squared percentage shares of the currency (10,000: one customer is everything).
    """
    frame = require_columns(
        values, ("currency", "customer", amount), report="concentration", object_type="customer value"
    )
    named = frame[to_str(frame["customer"]).ne("") & (frame[amount] > 0)]
    out = group_sums(
        {"currency": named["currency"], "customer": named["customer"]}, {"revenue": to_int64(named[amount])}
    ).drop(columns="count")
    out = out.sort_values(["currency", "revenue", "customer"], ascending=[True, False, True], kind="stable")
    total = out.groupby("currency")["revenue"].transform("sum")
    out["share"] = ratio(out["revenue"], total)
    out["cum_share"] = out.groupby("currency")["share"].cumsum()
    out["hhi"] = ((out["share"] * 100) ** 2).groupby(out["currency"]).transform("sum")
    out.insert(1, "rank", out.groupby("currency").cumcount() + 1)
    return result(out, "concentration", [values])


def ltv_of(arpu: float, churn_rate: float) -> float:
    """Lifetime value: revenue per customer and month over the monthly churn rate (a fraction)."""
    return arpu / churn_rate if churn_rate else float("inf")


def ltv(movements: pd.DataFrame, customers: pd.DataFrame, *, months: int = 6) -> pd.DataFrame:
    """Lifetime value from the MRR of the last `months` months: currency, arpu, churn, ltv, method. arpu and ltv in minor units.

    `movements` is mrr's frame, `customers` its customer counts (mrr_customers). The churn rate is the mean monthly share of customers who left.
    """
    rows = []
    for currency, table in customers.groupby("currency"):
        last = table.sort_values("month").tail(months)
        money = movements[movements["currency"] == currency].sort_values("month")["end"].iloc[-1]
        count = int(last["end"].iloc[-1])
        started = float(last["start"].sum())
        churn = float(last["churned"].sum()) / started if started else float("nan")
        arpu = float(money) / count if count else float("nan")
        rows.append((currency, arpu, churn, ltv_of(arpu, churn), f"ARPU / churn, {months}-month mean"))
    out = pd.DataFrame(rows, columns=["currency", "arpu", "churn", "ltv", "method"])
    return result(out, "ltv", [movements, customers], method="baremetrics")


def cohorts(
    payments: pd.DataFrame,
    start: Moment | None = None,
    end: Moment | None = None,
    *,
    zone: str = "UTC",
    method: str = "active",
) -> pd.DataFrame:
    """Customers by the month of their first payment: currency, cohort, age (months), customers, size, revenue, retention (a fraction).

    A returning customer stays in the first cohort. `method="active"` counts who paid in that month; `"survival"` counts who paid then or
    later. `.stripe.wide()` makes it the usual triangle.
    """
    if method not in {"active", "survival"}:
        raise UsageFault(f"cohorts has the methods active and survival, not {method!r}.")
    require_columns(payments, _CHARGE, report="cohorts", object_type="charge")
    sold = paid(payments)
    sold = sold[to_str(sold["customer"]).ne("")]
    if sold.empty:
        columns = ["currency", "cohort", "age", "customers", "size", "revenue", "retention"]
        return result(pd.DataFrame(columns=columns), "cohorts", [payments], zone=zone, method=method)
    span = (
        period(start, end, zone)
        if start is not None and end is not None
        else Period(sold["created"].min(), sold["created"].max() + pd.Timedelta(1, "us"), zone)
    )
    months = Period(sold["created"].min(), span.end, zone).cut("MS")
    frame = pd.DataFrame(
        {
            "currency": to_str(sold["currency"]),
            "customer": to_str(sold["customer"]),
            "month": bucket_index(sold["created"], months, zone),
            "revenue": to_int64(sold["amount_captured"])
            if "amount_captured" in sold.columns
            else to_int64(sold["amount"]),
        }
    )
    frame = frame[(sold["created"] < span.end).to_numpy(dtype=bool)]
    frame["first"] = frame.groupby(["currency", "customer"])["month"].transform("min")
    frame["age"] = frame["month"] - frame["first"]
    if method == "survival":
        last = frame.groupby(["currency", "customer"])["age"].transform("max")
        who = frame.assign(last=last).drop_duplicates(["currency", "customer"])
        ages = who.loc[who.index.repeat(who["last"] + 1)].copy()
        ages["age"] = ages.groupby(["currency", "customer"]).cumcount()
        counts = ages.groupby(["currency", "first", "age"])["customer"].nunique()
    else:
        counts = frame.groupby(["currency", "first", "age"])["customer"].nunique()
    out = counts.rename("customers").to_frame()
    out["revenue"] = (
        frame.groupby(["currency", "first", "age"])["revenue"].sum().reindex(out.index, fill_value=0)
    )
    out = out.reset_index()
    size = (
        frame.drop_duplicates(["currency", "customer"]).groupby(["currency", "first"])["customer"].nunique()
    )
    out["size"] = [
        int(size[currency, first]) for currency, first in zip(out["currency"], out["first"], strict=True)
    ]
    out["retention"] = ratio(out["customers"], out["size"])
    out["cohort"] = months[out["first"].to_numpy()].to_period("M")
    inside = out["cohort"] >= span.start.tz_convert(zone).tz_localize(None).to_period("M")
    columns = ["currency", "cohort", "age", "customers", "size", "revenue", "retention"]
    return result(out.loc[inside, columns], "cohorts", [payments], period=span, method=method)
