"""What every report shares: checked input, integer sums by group, and results that say where they are from.

Amounts are int64 minor units, signed as Stripe has them (out is negative, a fee is positive). Currency comes first and is never summed
over. A result's `attrs["stripe"]` names the report, its zone and period, and whether the data under it were complete.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from stripe_magics.errors import StripeMagicsError
from stripe_magics.finance.reporting_period import Period


class MissingData(StripeMagicsError):
    """A report was given a frame without the columns it needs."""


FETCH = {
    "balance_transaction": "%stripe balance list_history --limit all",
    "payout": "%stripe payouts list --limit all",
    "charge": "%stripe charges list --limit all",
    "refund": "%stripe refunds list --limit all",
    "dispute": "%stripe disputes list --limit all",
    "invoice": "%stripe invoices search --limit all",
    "subscription": "%stripe subscriptions list --limit all",
}


COUNTS = frozenset(
    [
        "count",
        "payments",
        "won",
        "lost",
        "open",
        "orders",
        "months",
        "rank",
        "size",
        "customers",
        "failures",
        "recovered",
        "age",
        "days_late",
        "joined",
        "returned_customers",
        "churned",
    ]
)
"""Integer columns that are numbers of things; every other integer column of a report is money in minor units."""


FRACTIONS = frozenset(
    [
        "rate_count",
        "rate_amount",
        "effective_rate",
        "past_due_share",
        "paid_on_time_share",
        "recovery_rate",
        "share",
        "cum_share",
        "retention",
        "gross_churn",
        "net_churn",
        "grr",
        "nrr",
        "churn",
    ]
)
"""Float columns that are shares of a whole, shown in percent."""


def require_columns(
    frame: pd.DataFrame, columns: Iterable[str], *, report: str, object_type: str
) -> pd.DataFrame:
    """The frame, if it has the columns; otherwise an error that says how to fetch them."""
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise MissingData(
            f"{report} needs the column{'s' if len(missing) > 1 else ''} {', '.join(missing)} of {object_type}s.",
            advice=f"Fetch them with {FETCH.get(object_type, '%stripe ... list')}.",
        )
    return frame


def to_int64(values: pd.Series) -> pd.Series:
    """Minor units as int64; a missing amount counts 0."""
    if values.dtype == np.int64:
        return values
    return values.astype("Int64").fillna(0).astype(np.int64)


def to_str(values: pd.Series) -> pd.Series:
    """Text or category as plain text, missing as an empty string."""
    return values.astype(object).where(values.notna(), "").astype(str)


def codes(values: pd.Series) -> tuple[Any, pd.Index]:
    """Integer codes and labels of a column, quick for categories."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.cat.codes.to_numpy().astype(np.int64), pd.Index(values.cat.categories.astype(object))
    made, labels = pd.factorize(values, use_na_sentinel=True)
    return made.astype(np.int64), pd.Index(labels.astype(object))


def group_sums(
    keys: Mapping[str, pd.Series], amounts: Mapping[str, pd.Series | np.ndarray[Any, Any]]
) -> pd.DataFrame:
    """Integer sums and a count by the keys, sorted by them. One pass over one int64 key; never through a float."""
    combined: Any = 0
    labels: list[tuple[str, pd.Index]] = []
    for name, values in keys.items():
        made, names = codes(values)
        combined = combined * (len(names) + 1) + made + 1
        labels.append((name, names))
    frame = pd.DataFrame({name: np.asarray(values) for name, values in amounts.items()})
    if not isinstance(combined, np.ndarray):
        combined = np.zeros(len(frame), dtype=np.int64)
    grouped = frame.groupby(combined, sort=False)
    out = grouped.sum()
    out.insert(0, "count", grouped.size().astype(np.int64))
    rest = out.index.to_numpy(dtype=np.int64)
    columns: dict[str, Any] = {}
    for name, names in reversed(labels):
        rest, position = np.divmod(rest, len(names) + 1)
        columns[name] = np.append(names.to_numpy(dtype=object), "")[position - 1]
    for name in keys:
        out.insert(list(keys).index(name), name, columns[name])
    return out.sort_values(list(keys), kind="stable").reset_index(drop=True)


def ratio(part: pd.Series, whole: pd.Series) -> pd.Series:
    """part / whole as float; missing where the whole is 0."""
    bottom = whole.astype(float)
    return (part.astype(float) / bottom.where(bottom != 0)).astype(float)


def result(
    frame: pd.DataFrame,
    report: str,
    sources: Sequence[pd.DataFrame | None],
    *,
    period: Period | None = None,
    zone: str = "UTC",
    counts: Sequence[str] = (),
    **facts: Any,
) -> pd.DataFrame:
    """The finished report: a RangeIndex, and attrs that name report, zone, period, definitions and completeness.

    `counts` are further integer columns that are numbers of things, not money.
    """
    given = [source.attrs.get("stripe", {}) for source in sources if source is not None]
    complete = all(about.get("complete", True) for about in given)
    about: dict[str, Any] = {
        "report": report,
        "units": "minor",
        "amounts": [
            name
            for name, kind in frame.dtypes.items()
            if str(kind).lower() == "int64" and name not in {*COUNTS, *counts}
        ],
        "fractions": [
            name for name, kind in frame.dtypes.items() if str(kind) == "float64" and name in FRACTIONS
        ],
        "zone": period.zone if period is not None else zone,
        "complete": complete,
        **{key: value for key, value in facts.items() if value is not None},
    }
    for key in ("livemode", "mode", "account"):
        values = {source.get(key) for source in given} - {None}
        if len(values) == 1:
            about[key] = values.pop()
    if period is not None:
        about["start"], about["end"] = period.start.isoformat(), period.end.isoformat()
    if not complete:
        about["notes"] = [
            "Partial: a list under this report was cut short by a limit or a fault, so its sums are too small."
        ]
    out = frame.reset_index(drop=True)
    out.attrs = {"stripe": about}
    return out
