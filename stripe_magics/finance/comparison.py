"""A report narrowed to a currency, and beside the period before: what `--currency` and `--compare` add to
every report that can.

The period before is as many calendar months where the period is whole months (September 2026: August 2026; a
quarter: the quarter before), and as many days otherwise. Rows are matched by their words (currency, category,
customer ...); those of one side only count 0 on the other.
"""

from __future__ import annotations

import pandas as pd

from stripe_magics.errors import UsageFault
from stripe_magics.finance.columns import ReportColumn
from stripe_magics.finance.reporting_period import Period, midnights
from stripe_magics.frames.frame_facts import FrameFacts
from stripe_magics.frames.frame_info import add_note, facts_of, set_facts

BEFORE, CHANGE = "_before", "_change"
_MEASURES = frozenset({"money", "count"})
_KEYS = frozenset({"text", "flag", "percent"})


def period_before(span: Period) -> Period:
    """The period of the same length that ends where this one starts."""
    first, end = span.local_start, span.local_end
    whole = all(each == each.normalize() and each.day == 1 for each in (first, end))
    if whole:
        months = (end.year - first.year) * 12 + end.month - first.month
        start = first - pd.DateOffset(months=months)
    else:
        start = first - (end - first)
    bounds = midnights(pd.DatetimeIndex([start]), span.zone)
    return Period(bounds[0], span.start, span.zone)


def keys_and_measures(name: str, columns: tuple[ReportColumn, ...]) -> tuple[list[str], list[str]]:
    """The columns by which rows are matched, and those that are compared. Raises `UsageFault` for a report
    that has its own time axis."""
    times = [each.name for each in columns if each.kind in {"date", "month", "time"}]
    keys = [each.name for each in columns if each.kind in _KEYS and each.name not in {"status", "percentage"}]
    measures = [each.name for each in columns if each.kind in _MEASURES and each.name != "residual"]
    if times or not measures:
        why = f"it has a row a {times[0]}" if times else "it has no amounts"
        raise UsageFault(
            f"{name} can't be compared with the period before: {why}.",
            advice="Give it a longer period, or compare balance_activity, fees, volume, dso ...",
        )
    return keys, measures


def beside(
    now: pd.DataFrame, before: pd.DataFrame, name: str, columns: tuple[ReportColumn, ...], earlier: Period
) -> pd.DataFrame:
    """The report with, for each amount and count, that of the period before and the change."""
    keys, measures = keys_and_measures(name, columns)
    if not keys:
        raise UsageFault(f"{name} can't be compared with the period before: its rows have no names.")
    left = now.groupby(keys, sort=False, dropna=False)[measures].sum().astype("int64")
    right = before.groupby(keys, sort=False, dropna=False)[measures].sum().astype("int64")
    every = left.index.union(right.index)
    left, right = left.reindex(every, fill_value=0), right.reindex(every, fill_value=0)
    out = pd.DataFrame(index=every)
    for each in measures:
        out[each], out[each + BEFORE] = left[each], right[each]
        out[each + CHANGE] = left[each] - right[each]
    out = out.reset_index()
    about: FrameFacts = {**facts_of(now)}
    kinds = about.get("kinds", {})
    added = {f"{each}{end}": kinds.get(each, "money") for each in measures for end in ("", BEFORE, CHANGE)}
    about["kinds"] = {**dict.fromkeys(keys, "text"), **added}
    about["amounts"] = [each for each, kind in added.items() if kind == "money"]
    about["fractions"] = []
    out.attrs = {}
    set_facts(out, **about)
    add_note(out, *(facts_of(now).get("notes") or []), f"Compared with {earlier.words()}.")
    return out


def check_currency(currency: str) -> None:
    """Raise `UsageFault` for what is no currency's code."""
    code = str(currency).strip()
    if len(code) != 3 or not code.isalpha():
        raise UsageFault(f"--currency {currency} is not a currency. Example: --currency usd.")


def in_currency(frame: pd.DataFrame, currency: str) -> pd.DataFrame:
    """The rows of one currency. Raises `UsageFault` where the report doesn't have it, naming those that it
    has."""
    code = str(currency).strip().lower()
    if "currency" not in frame.columns:
        raise UsageFault("This report has no currency to narrow it to.", advice="Leave out --currency.")
    known = sorted({str(each) for each in frame["currency"]})
    check_currency(currency)
    if code not in known and known:
        raise UsageFault(
            f"The report has nothing in {code.upper()}; it has {', '.join(each.upper() for each in known)}."
        )
    out = frame[frame["currency"] == code].reset_index(drop=True)
    out.attrs = frame.attrs
    return out
