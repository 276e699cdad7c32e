"""Churn, retention and the quick ratio of MRR, as vendors define them, by month and over trailing twelve
months.

Per month, from the movements of the report `mrr` (losses are negative there):

- gross churn = -(churn + contraction) / start, and GRR = 1 - gross churn
- net churn = -(churn + contraction + expansion [+ reactivation]) / start, and NRR = 1 - net churn
- quick ratio = (new + expansion [+ reactivation]) / -(churn + contraction)
- logo churn = customers churned / customers at the start [+ those who joined]

The methods differ in the brackets; each names its source. Over trailing twelve months NRR is what the
customers of twelve months ago pay now over what they paid then; GRR counts no customer with more than then;
logo churn is the share of them that pays nothing now.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from stripe_magics.errors import UsageFault
from stripe_magics.finance.aggregation import ratio, require_columns, result
from stripe_magics.finance.columns import CURRENCY, column, declare, ratio_of, text
from stripe_magics.finance.mrr_history import MONTH, MOVES, movements
from stripe_magics.finance.mrr_methods import LOGO, METHODS, NET, QUICK, Method


def check_method(method: str) -> Method:
    """The method of that name, or `UsageFault`."""
    if method not in METHODS:
        raise UsageFault(f"mrr_rates has the methods {', '.join(METHODS)}, not {method!r}.")
    return METHODS[method]


@declare(
    CURRENCY,
    MONTH,
    ratio_of("gross_churn", "MRR lost to churn and contraction, over the MRR at the start."),
    ratio_of("net_churn", "The same less what was won back, by the method."),
    ratio_of("grr", "Gross revenue retention: 1 - gross_churn."),
    ratio_of("nrr", "Net revenue retention: 1 - net_churn."),
    ratio_of(
        "logo_churn", "Customers lost, over the customers at the start (by the method with those who joined)."
    ),
    column("quick_ratio", "number", "MRR won over MRR lost."),
    ratio_of("ttm_grr", "GRR over trailing twelve months; missing before there are twelve."),
    ratio_of("ttm_nrr", "NRR over trailing twelve months."),
    ratio_of("ttm_logo_churn", "Share of the customers of twelve months ago that pay nothing now."),
    text("method", "Whose definitions these are."),
)
def mrr_rates(
    moves: pd.DataFrame, revenue: pd.DataFrame | None = None, *, method: str = "chartmogul"
) -> pd.DataFrame:
    """Rates of each month, as fractions. `moves` is the report mrr's frame; `revenue` the customers' MRR by
    month behind it."""
    vendor = check_method(method)
    rules = vendor.rules
    frame = require_columns(
        moves, ("currency", "month", "start", *MOVES), report="mrr_rates", object_type="mrr"
    ).reset_index(drop=True)
    lost = -(frame["churn"] + frame["contraction"])
    back = frame["reactivation"]
    gained = frame["new"] + frame["expansion"] + (back if QUICK in rules else 0)
    out = frame[["currency", "month"]].copy()
    out["gross_churn"] = ratio(lost, frame["start"])
    out["net_churn"] = ratio(lost - frame["expansion"] - (back if NET in rules else 0), frame["start"])
    out["grr"] = 1 - out["gross_churn"]
    out["nrr"] = 1 - out["net_churn"]
    more = _from_customers(frame, revenue, rules)
    out["logo_churn"] = more["logo_churn"]
    out["quick_ratio"] = ratio(gained, lost)
    for name in ("ttm_grr", "ttm_nrr", "ttm_logo_churn"):
        out[name] = more[name]
    out["method"] = method
    differ = [] if NET in rules else ["nrr and net_churn leave out MRR that came back (reactivation)."]
    return result(out, "mrr_rates", [moves], method=method, source=vendor.source, notes=differ)


def _from_customers(frame: pd.DataFrame, revenue: pd.DataFrame | None, rules: frozenset[str]) -> pd.DataFrame:
    """Logo churn and trailing twelve months, which need each customer's MRR."""
    names = ["logo_churn", "ttm_grr", "ttm_nrr", "ttm_logo_churn"]
    out = pd.DataFrame(np.nan, index=frame.index, columns=names)
    if revenue is None or revenue.empty:
        return out
    labels = movements(revenue)
    counted = labels.groupby(["currency", "month", "label"]).size()
    place = {month: at for at, month in enumerate(revenue.columns)}
    for currency, rows in frame.groupby("currency"):
        values = revenue[revenue.index.get_level_values("currency") == currency].to_numpy()
        for index, month in rows["month"].items():
            at = place.get(month)
            if at is None:
                continue
            began = int((values[:, at - 1] > 0).sum()) if at else 0
            joined = int(counted.get((currency, month, "new"), 0)) if LOGO in rules else 0
            if began + joined:
                out.at[index, "logo_churn"] = counted.get((currency, month, "churn"), 0) / (began + joined)
            if at < 12:
                continue
            then = values[:, at - 12]
            now, base = values[then > 0, at], then[then > 0]
            if base.sum():
                out.at[index, "ttm_nrr"] = now.sum() / base.sum()
                out.at[index, "ttm_grr"] = np.minimum(now, base).sum() / base.sum()
                out.at[index, "ttm_logo_churn"] = (now <= 0).sum() / len(base)
    return out


def churn_rate_of(
    start: int, new: int, churned: int, *, method: str = "baremetrics", living: int | None = None
) -> float:
    """Customer churn as vendors define it: over the start (baremetrics, chartmogul), start + new (stripe),
    churned + living (dlt). NaN over none. Raises `UsageFault` for another method."""
    below = {
        "baremetrics": start,
        "chartmogul": start,
        "stripe": start + new,
        "dlt": churned + (start + new - churned if living is None else living),
    }
    if method not in below:
        raise UsageFault(f"Customer churn has the methods {', '.join(below)}, not {method!r}.")
    return churned / below[method] if below[method] else float("nan")
