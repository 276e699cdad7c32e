"""Revenue over the time it was earned in: each invoice line spread evenly over its period."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stripe_magics.errors import UsageFault
from stripe_magics.finance.aggregation import result
from stripe_magics.finance.recurring_revenue import invoice_lines
from stripe_magics.finance.reporting_period import Period

METHODS = ("ms", "day", "month")


def spread(
    amount: int, start: pd.Timestamp, end: pd.Timestamp, *, method: str = "ms", zone: str = "UTC"
) -> dict[pd.Period, int]:
    """A line's amount by month, in whole minor units that add up to it.

    "ms": by the exact time in each month; "day": by days, the day of the end not counting unless it has begun after midnight; "month": the
    same in every month that the period touches, a last partial month counting if an exact number of months doesn't end there.
    """
    if method not in METHODS:
        raise UsageFault(f"A revenue schedule is cut by {', '.join(METHODS)}, not {method!r}.")
    months = Period(start, end, zone).cut("MS")
    edges = [
        month.tz_localize(zone).tz_convert("UTC") for month in [*months, months[-1] + pd.DateOffset(months=1)]
    ]
    if method == "month":
        count = max(1, round((end - start) / pd.Timedelta(days=30.4375)))
        weights = np.array([1.0] * min(count, len(months)) + [0.0] * max(0, len(months) - count))
    else:
        cuts = np.clip(np.array([edge.value for edge in edges], dtype=np.int64), start.value, end.value)
        if method == "day":
            local = pd.DatetimeIndex(pd.to_datetime(cuts, utc=True)).tz_convert(zone).tz_localize(None)
            cuts = local.normalize().to_numpy().astype("datetime64[D]").astype(np.int64)
        weights = np.diff(cuts).astype(float)
    total = weights.sum()
    if not total:
        return {months[0].to_period("M"): amount}
    # rounding the running total keeps the sum of the parts equal to the whole
    running = np.rint(np.cumsum(weights) / total * amount).astype(np.int64)
    parts = np.diff(running, prepend=0)
    return {month.to_period("M"): int(part) for month, part in zip(months, parts, strict=True) if part}


def revenue_schedule(
    invoices: pd.DataFrame, *, method: str = "ms", discounts: str = "all", zone: str = "UTC"
) -> pd.DataFrame:
    """Each line of finalised invoices by month: currency, invoice, line, month, recognised, deferred (what is left after that month).

    A line without a period is earned at once. int64 minor units; recognised adds up to the line. Refunds, credit notes and disputes are
    not taken into account.
    """
    lines = invoice_lines(invoices)
    rows = []
    off = lines["discount"] if discounts == "all" else lines["discount"] * 0
    columns = [
        lines["currency"],
        lines["invoice"],
        lines["line"],
        lines["amount"] - off,
        lines["start"],
        lines["end"],
    ]
    for currency, invoice, line, amount, start, end in zip(
        *(column.tolist() for column in columns), strict=True
    ):
        if pd.isna(start):
            continue
        known = not pd.isna(end) and end > start
        parts = (
            spread(amount, start, end, method=method, zone=zone) if known else {_month(start, zone): amount}
        )
        left = amount
        for month, part in parts.items():
            left -= part
            rows.append((currency, invoice, line, month, part, left))
    out = pd.DataFrame(rows, columns=["currency", "invoice", "line", "month", "recognised", "deferred"])
    out = out.astype({"recognised": np.int64, "deferred": np.int64})
    return result(out, "revenue_schedule", [invoices], zone=zone, method=method, discounts=discounts)


def _month(when: pd.Timestamp, zone: str) -> pd.Period:
    return when.tz_convert(zone).tz_localize(None).to_period("M")
