"""Monthly recurring revenue through time, by the history of subscription items, and what moved it.

Every line of an invoice that is for a subscription item says what the item cost from a day on. So an item's
MRR is a series of steps: each line of it begins one, at its period's start, that ends with its period or with
the next step; a credit for unused time (a negative proration) ends one. A plan change in mid-month thus
counts once, from its day, and so does a yearly upgrade; a yearly plan that is cancelled and credited ends on
its day. A month has what is live at its last instant. Movements label each customer's change, so they always
add up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import numpy as np
import pandas as pd

from stripe_magics.finance.aggregation import result, text_column, to_str
from stripe_magics.finance.columns import CURRENCY, RESIDUAL, column, count, declare, money
from stripe_magics.finance.mrr_now import PER_MONTH, check_discounts
from stripe_magics.finance.receivables import DAY, NEVER, NONE
from stripe_magics.finance.reporting_period import Ints, Period, month_ends, nanoseconds

MONTH_DAYS = 365.25 / 12
MOVES = ("new", "reactivation", "expansion", "contraction", "churn")
LINES_ONLY = "invoice lines, month-end snapshot"
METHOD = "invoice lines, of the last 30 days events; month-end snapshot"
MONTH = column("month", "month", "The calendar month in the report's zone.")


def _column(lines: pd.DataFrame, name: str, default: object) -> pd.Series:
    return lines[name] if name in lines.columns else pd.Series(default, index=lines.index)


def _months(lines: pd.DataFrame, days: np.ndarray) -> np.ndarray:
    """The months of each line's billing cycle: by its price's interval, else by the length of its period."""
    interval = to_str(_column(lines, "interval", "")).to_numpy()
    every = _column(lines, "interval_count", 1).to_numpy(dtype=float)
    weeks = np.round(days / 7)
    short = np.where(
        (weeks >= 1) & (np.abs(days - 7 * weeks) < 0.2), weeks * 12 / 52, np.maximum(days, 1e-9) * 12 / 365
    )
    made = np.where(days >= 27, np.maximum(1, np.round(days / MONTH_DAYS)), short)
    for name, per_month in PER_MONTH.items():
        made = np.where(interval == name, every / float(per_month), made)
    return made


def _item_of(lines: pd.DataFrame) -> pd.Series:
    """The subscription item of each line. A proration that names only its price is of the item that other
    lines have that price for."""
    item, of_all = text_column(lines, "item"), text_column(lines, "subscription")
    lacking = item.eq("")
    if not lacking.any():
        return item
    near = lines[lacking | of_all.isin(of_all[lacking].unique())]
    subscription, own = text_column(near, "subscription"), text_column(near, "item")
    price, line = text_column(near, "price"), text_column(near, "line")
    named = subscription + "/" + price
    has = own.ne("") & subscription.ne("")
    priced = has & price.ne("")
    by_price = dict(
        zip(named[priced].to_numpy(dtype=object), own[priced].to_numpy(dtype=object), strict=True)
    )
    of_one = own[has].groupby(subscription[has]).agg(["nunique", "first"])
    single = of_one.loc[of_one["nunique"] == 1, "first"].to_dict()
    found = named.where(price.ne(""), "").map(by_price)
    found = found.where(found.notna(), subscription.map(single))
    found = found.where(
        found.notna(), subscription.where(price.eq(""), named).where(subscription.ne(""), line)
    )
    return item.where(~lacking, found.reindex(item.index))


def _joint_code(columns: Iterable[pd.Series]) -> Ints:
    """One number for each different row of some text columns."""
    code = np.zeros(0, dtype=np.int64)
    for values in columns:
        own, labels = pd.factorize(values)
        code = own.astype(np.int64) if not len(code) else code * (len(labels) + 1) + own
        code = pd.factorize(code)[0].astype(np.int64)
    return code


def subscription_steps(
    lines: pd.DataFrame, *, discounts: str = "forever", ended: Mapping[str, int] | None = None
) -> pd.DataFrame:
    """The steps of every subscription item: currency, customer, subscription, start, end (int64 instants),
    mrr (int64 minor units).

    `ended` says when subscriptions ended (int64 instants by id): their steps end there.
    """
    check_discounts(discounts)
    metered = _column(lines, "metered", default=False).astype(bool)
    good = (
        lines["recurring"].astype(bool) & ~metered & lines["start"].notna() & (lines["end"] > lines["start"])
    )
    kept = lines[good].reset_index(drop=True)
    start, end = nanoseconds(kept["start"]), nanoseconds(kept["end"])
    amount = kept["amount"].to_numpy(dtype=np.int64)
    off = {
        "all": _column(kept, "discount", 0).to_numpy(dtype=np.int64),
        "forever": _column(kept, "discount_forever", 0).to_numpy(dtype=np.int64),
        "none": np.zeros(len(kept), dtype=np.int64),
    }[discounts]
    days = (end - start) / DAY
    months = _months(kept, days)
    proration = kept["proration"].to_numpy(dtype=bool)
    unit = _column(kept, "unit_amount", float("nan")).to_numpy(dtype=float)
    full = unit * _column(kept, "quantity", 1.0).to_numpy(dtype=float)
    by_days = amount / np.maximum(days / MONTH_DAYS, 1e-9)
    share = np.where(amount != 0, 1 - off / np.where(amount == 0, 1, amount), 1.0)
    value = np.where(
        proration, np.where(np.isnan(full), by_days, full / months) * share, (amount - off) / months
    )
    value = np.where(amount < 0, 0.0, value)
    texts = {
        "currency": to_str(kept["currency"]),
        "customer": to_str(kept["customer"]),
        "subscription": text_column(kept, "subscription"),
    }
    # lines of one item that start together are one step; a credit beside them only says that the old step is
    # over
    owner = _joint_code([texts["subscription"], _item_of(kept), texts["customer"], texts["currency"]])
    order = np.lexsort((start, owner))
    owner, start = owner[order], start[order]
    first = np.flatnonzero(np.diff(owner, prepend=-1) | np.diff(start, prepend=NONE)) if len(owner) else order
    owner, start = owner[first], start[first]
    sums = {
        "end": np.maximum.reduceat(end[order], first) if len(first) else end,
        "value": np.add.reduceat(value[order], first) if len(first) else value,
    }
    following = np.append(np.where(np.diff(owner) == 0, start[1:], NEVER), [NEVER] * bool(len(owner)))
    over = np.minimum(sums["end"], following)
    steps = pd.DataFrame(
        {name: values.take(order[first]).array for name, values in texts.items()}
        | {"start": start, "end": over, "mrr": np.rint(sums["value"]).astype(np.int64)}
    )
    if ended:
        stop = steps["subscription"].map(ended)
        steps["end"] = np.where(stop.notna(), np.minimum(steps["end"], stop.fillna(0)), steps["end"])
    steps["end"] = steps["end"].astype(np.int64)
    living = (steps["mrr"] > 0) & (steps["end"] > steps["start"])
    return steps.loc[living, ["currency", "customer", "subscription", "start", "end", "mrr"]].reset_index(
        drop=True
    )


def revenue_by_month(steps: pd.DataFrame, months: pd.PeriodIndex, zone: str) -> pd.DataFrame:
    """Each customer's MRR at the last instant of each month: index (currency, customer), one column a month,
    int64 minor units."""
    ends = month_ends(months.to_timestamp(), zone) if len(months) else np.array([], dtype=np.int64)
    first = np.searchsorted(ends, steps["start"].to_numpy(), side="right")
    last = np.searchsorted(ends, steps["end"].to_numpy(), side="right")
    code = _joint_code([steps["customer"], steps["currency"]])
    at = np.unique(code, return_index=True)[1]
    index = pd.MultiIndex.from_frame(steps[["currency", "customer"]].iloc[at])
    index, place = index.sortlevel()
    owner = np.argsort(place)[code] if len(code) else code
    length = np.maximum(last - first, 0)
    rows = np.repeat(owner, length)
    offset = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    cells = rows * len(months) + np.repeat(first, length) + offset
    total = np.zeros(len(index) * len(months), dtype=np.int64)
    np.add.at(total, cells, np.repeat(steps["mrr"].to_numpy(dtype=np.int64), length))
    return pd.DataFrame(total.reshape(len(index), len(months)), index=index, columns=months)


def monthly_revenue(
    lines: pd.DataFrame, span: Period, *, discounts: str = "forever", ended: Mapping[str, int] | None = None
) -> pd.DataFrame:
    """Each customer's MRR at the end of each month that the period touches: index (currency, customer), one
    column a month."""
    steps = subscription_steps(lines, discounts=discounts, ended=ended)
    return revenue_by_month(steps, span.boundaries("MS").to_period("M"), span.zone)


def whole_history(steps: pd.DataFrame, span: Period, now: pd.Timestamp | None = None) -> pd.DataFrame:
    """Revenue by closed month from the first step on: who is new, and who came back, is seen from the
    beginning only."""
    first = pd.Timestamp(int(steps["start"].min()), tz="UTC") if len(steps) else span.start
    months = Period(min(first, span.start), span.end, span.zone).months(now)
    revenue = revenue_by_month(steps, months, span.zone)
    return revenue[(revenue > 0).any(axis=1)] if len(revenue) else revenue


def movements(revenue: pd.DataFrame) -> pd.DataFrame:
    """What changed, customer by customer: currency, customer, month, label, change, mrr. One row a change.

    new: first MRR ever; reactivation: back from 0; expansion, contraction: up, down; churn: gone to 0.
    `revenue` is monthly_revenue's shape; its first month counts as new for everyone in it.
    """
    values = revenue.to_numpy()
    before = (
        np.hstack([np.zeros((len(values), 1), dtype=np.int64), values[:, :-1]]) if values.size else values
    )
    change = values - before
    had = np.cumsum(before > 0, axis=1) > 0
    up, down = change > 0, change < 0
    label = np.select(
        [up & ~had, up & (before <= 0), up, down & (values <= 0), down],
        ["new", "reactivation", "expansion", "churn", "contraction"],
        default="",
    )
    row, place = np.nonzero(change)
    out = pd.DataFrame(
        {
            "currency": revenue.index.get_level_values("currency")[row],
            "customer": revenue.index.get_level_values("customer")[row],
            "month": revenue.columns[place],
            "label": label[row, place],
            "change": change[row, place],
            "mrr": values[row, place],
        }
    )
    return out.sort_values(["currency", "month", "customer"], kind="stable").reset_index(drop=True)


def _wide(moves: pd.DataFrame, revenue: pd.DataFrame, value: Literal["sum", "size"]) -> pd.DataFrame:
    """Movements by (currency, month) and label, every month of every currency among them."""
    currencies = sorted(set(revenue.index.get_level_values("currency"))) if len(revenue) else []
    grid = pd.MultiIndex.from_product([currencies, revenue.columns], names=["currency", "month"])
    if moves.empty:
        return pd.DataFrame(0, index=grid, columns=list(MOVES), dtype=np.int64)
    table = moves.pivot_table(index=["currency", "month"], columns="label", values="change", aggfunc=value)
    return table.reindex(index=grid, columns=list(MOVES)).fillna(0).astype(np.int64)


def _by_currency(revenue: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Sums by currency and month, in the order of `_wide`."""
    made: np.ndarray[tuple[int], np.dtype[np.int64]] = (
        revenue.groupby(level="currency").sum().to_numpy(dtype=np.int64).ravel()
    )
    return made


def roll_forward(revenue: pd.DataFrame) -> pd.DataFrame:
    """Start + movements = end, by currency and month: currency, month, start, new, reactivation, expansion,
    contraction, churn, end, residual.

    end is the sum of the customers' MRR, the movements those of each customer: they are added up apart.
    """
    out = _wide(movements(revenue), revenue, "sum")
    if len(revenue):
        out["end"] = _by_currency(revenue)
    else:
        out["end"] = np.int64(0)
    out.insert(0, "start", out.groupby(level="currency")["end"].shift(1, fill_value=0))
    out.columns.name = None
    out["residual"] = out["end"] - out["start"] - out[list(MOVES)].sum(axis=1)
    return out.reset_index()[["currency", "month", "start", *MOVES, "end", "residual"]]


def inside(table: pd.DataFrame, span: Period, now: pd.Timestamp | None = None) -> pd.DataFrame:
    """The rows of the period's own closed months."""
    return table[table["month"].isin(span.months(now))] if len(table) else table


def open_month_note(span: Period, now: pd.Timestamp | None) -> list[str]:
    """What to say of months of the period that are not over."""
    left = [month for month in span.boundaries("MS").to_period("M") if month not in set(span.months(now))]
    return [f"Left out, because not over within the period: {', '.join(map(str, left))}."] if left else []


@declare(
    CURRENCY,
    MONTH,
    money("start", "MRR when the month starts."),
    money("new", "Customers' first MRR."),
    money("reactivation", "MRR of customers who came back."),
    money("expansion", "More MRR of customers who had some."),
    money("contraction", "Less MRR of customers who still have some (negative)."),
    money("churn", "MRR of customers who have none any more (negative)."),
    money("end", "MRR when the month ends: what all subscription items that are live then cost a month."),
    RESIDUAL,
)
def mrr(
    revenue: pd.DataFrame,
    span: Period,
    *,
    discounts: str = "forever",
    now: pd.Timestamp | None = None,
    method: str = LINES_ONLY,
) -> pd.DataFrame:
    """MRR month by month out of the history of subscription items, and what moved it. Only months that are
    over.

    `revenue` is whole_history's frame. Metered usage is out; coupons count by `discounts` (forever, all,
    none).
    """
    moved = inside(roll_forward(revenue), span, now)
    return result(
        moved,
        "mrr",
        [revenue],
        period=span,
        discounts=discounts,
        method=method,
        notes=open_month_note(span, now),
    )


@declare(
    CURRENCY,
    MONTH,
    count("start", "Customers with MRR when the month starts."),
    count("joined", "First MRR ever."),
    count("returned", "Came back."),
    count("churned", "Have none any more."),
    count("end", "Customers with MRR when the month ends."),
)
def mrr_customers(revenue: pd.DataFrame, span: Period, *, now: pd.Timestamp | None = None) -> pd.DataFrame:
    """Customer counts month by month."""
    out = _wide(movements(revenue), revenue, "size")[["new", "reactivation", "churn"]]
    out = out.rename(columns={"new": "joined", "reactivation": "returned", "churn": "churned"})
    if len(revenue):
        out["end"] = _by_currency((revenue > 0).astype(np.int64))
    else:
        out["end"] = np.int64(0)
    out.insert(0, "start", out.groupby(level="currency")["end"].shift(1, fill_value=0))
    out.columns.name = None
    table = inside(out.reset_index(), span, now)
    return result(table, "mrr_customers", [revenue], period=span, notes=open_month_note(span, now))


@declare(
    CURRENCY,
    column("customer", "text", "The customer."),
    MONTH,
    column("label", "text", "new, reactivation, expansion, contraction or churn."),
    money("change", "By how much MRR changed."),
    money("mrr", "MRR when the month ends."),
)
def mrr_movements(revenue: pd.DataFrame, span: Period, *, now: pd.Timestamp | None = None) -> pd.DataFrame:
    """Every change of every customer's MRR: the rows behind the report mrr."""
    return result(inside(movements(revenue), span, now), "mrr_movements", [revenue], period=span)
