"""What may be said to a report: its period, its options and its flags, read and checked before anything is
fetched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from stripe_magics._text import read_boolean
from stripe_magics.errors import UsageFault
from stripe_magics.finance.report_options import ReportOption
from stripe_magics.finance.report_table import Report
from stripe_magics.finance.reporting_period import HINT, Moment, Period, calendar_period, end_of, moment

FIRST = pd.Timestamp("2010-01-01", tz="UTC")  # Stripe has no object from before


def check_one_period(name: str, kind: str, given: Mapping[str, Any]) -> list[str]:
    """The flags that say a period. Raises `UsageFault` if they say more than one, or if it is about now."""
    said = [flag for flag in ("month", "quarter", "year", "period") if given.get(flag) is not None]
    bounds = [flag for flag in ("start", "end") if given.get(flag) is not None]
    flags = ", ".join("--" + flag for flag in (*said, *bounds))
    if len(said) + bool(bounds) > 1:
        values = ", ".join(f"--{flag} {given[flag]}" for flag in (*said, *bounds))
        raise UsageFault(f"More than one period is given: {values}.", advice=HINT)
    if flags and kind == "none":
        raise UsageFault(f"{name} is about now; it takes no period ({flags}).")
    return [*said, *bounds]


def read_period(
    name: str,
    each: Report,
    zone: str,
    clock: pd.Timestamp,
    start: Moment | None,
    end: Moment | None,
    **named: Any,
) -> tuple[Period | None, list[str]]:
    """The period that the arguments say, and what to say of it."""
    said = {key: value for key, value in named.items() if value is not None}
    if not check_one_period(name, each.period, {**said, "start": start, "end": end}):
        if each.period == "needed":
            raise UsageFault(f"{name} is about a period, and none is given.", advice=HINT)
        return None, []
    notes: list[str] = []
    if said:
        unit, value = next(iter(said.items()))
        span = calendar_period(value, unit, zone, clock)
    elif start is None:
        assert end is not None
        until = end_of(end, zone, clock)
        if each.period == "at":
            return Period(until - pd.Timedelta(days=1), until, zone), _to_come(until, zone, clock)
        if each.period == "needed":
            raise UsageFault(f"{name} needs --start beside --end.", advice=HINT)
        span = Period(FIRST, until, zone)
    else:
        first = moment(start, zone, clock)
        until = end_of(end, zone, clock) if end is not None else clock
        if end is None:
            notes.append("No end was given: until now.")
        span = Period(first, until, zone)
    if span.start >= clock:
        raise UsageFault(
            f"The period ({span.words() if span.end > span.start else start}) lies in the future.",
            advice=HINT,
        )
    if span.end <= span.start:
        raise UsageFault(f"The period ends ({end}) before it starts ({start}).", advice=HINT)
    if each.period == "at":
        notes += _to_come(span.end, zone, clock)
    open_end = span.end > clock and each.period in {"needed", "all"}
    if open_end:
        notes.append(
            f"The period isn't over: these are the figures until {clock.tz_convert(zone):%Y-%m-%d %H:%M}."
        )
    return span, notes


def _to_come(until: pd.Timestamp, zone: str, clock: pd.Timestamp) -> list[str]:
    """What a report as of an end says where the end is still to come."""
    if until <= clock:
        return []
    known = f"{clock.tz_convert(zone):%Y-%m-%d %H:%M}"
    return [f"The end is still to come: this is what was known at {known}, as it would stand then."]


def check_begin(span: Period | None, account: Mapping[str, Any]) -> None:
    created = account.get("created")
    if span is None or not isinstance(created, int):
        return
    opened = pd.Timestamp(created, unit="s", tz="UTC")
    if span.end <= opened:
        raise UsageFault(
            f"The period ({span.words()}) is before the account was opened ({opened:%Y-%m-%d}).", advice=HINT
        )


def read_options(name: str, each: Report, given: Mapping[str, Any]) -> dict[str, Any]:
    """The report's own options, typed and checked."""
    unknown = [flag for flag in given if flag not in each.options]
    if unknown:
        flags = ", ".join("--" + flag.replace("_", "-") for flag in unknown)
        takes = ", ".join(f"--{flag}" for flag in each.options) or "no options of its own"
        raise UsageFault(
            f"{name} does not take {flags}.",
            advice=f"It takes {takes}. %stripe report {name} --help explains it.",
        )
    out = {flag: option.default for flag, option in each.options.items()}
    for flag, value in given.items():
        out[flag] = _typed(name, flag, value, each.options[flag])
    return out


def _typed(name: str, flag: str, value: Any, option: ReportOption) -> Any:
    possible = ", ".join(option.choices)
    if isinstance(option.default, bool):
        return read_flag(flag, value)
    if isinstance(option.default, int):
        if not str(value).strip().isdecimal() or not 0 < int(value) <= 3660:
            raise UsageFault(f"--{flag} {value} isn't possible: a whole number from 1 to 3660.")
        return int(value)
    if flag == "home" and not (
        isinstance(value, str) and (not value or (len(value) == 2 and value.isalpha()))
    ):
        raise UsageFault(f"--home {value} is not a country. Example: --home DE.")
    if option.choices and value not in option.choices:
        if flag == "method":
            raise UsageFault(f"{name} has the methods {possible}, not {value!r}.")
        raise UsageFault(f"--{flag} {value} isn't possible: {possible}.")
    return value


def read_flag(name: str, value: object) -> bool:
    """true or false, however it is written. Raises `UsageFault` for anything else."""
    read = read_boolean(str(value))
    if read is None:
        raise UsageFault(f"--{name} {value} isn't possible: true or false.")
    return read


def month_end(month: object, quarter: object, year: object) -> dict[str, Any]:
    """The period of a month end: the last month unless one is named."""
    given = {"month": month, "quarter": quarter, "year": year}
    said = {name: value for name, value in given.items() if value is not None}
    return said or {"period": "last month"}
