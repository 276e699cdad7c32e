"""Running a report by name: its period, zone and options read and checked, its lists fetched, and what it
says of itself.

`report("balance_summary", month="2026-09")` fetches what its entry in `report_table.py` says, each list once,
and hands the frames to a pure function. `data=` takes frames that are at hand, `over=` a mirror or pull
folder; nothing that they have is fetched.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from inspect import signature
from pathlib import Path
from typing import Any

import pandas as pd

from stripe_magics._text import closest_matches
from stripe_magics.errors import UnknownName, UsageFault
from stripe_magics.finance import comparison, stripe_check
from stripe_magics.finance.columns import columns_of
from stripe_magics.finance.folders import ReportFolder
from stripe_magics.finance.given_frames import in_minor_units
from stripe_magics.finance.inputs import ReportInputs
from stripe_magics.finance.list_fetch import account_read, fetcher, forget_lists, stripe_clock, zone_of
from stripe_magics.finance.list_inputs import AT_HAND, LISTS, Fetch
from stripe_magics.finance.report_arguments import (
    FIRST,
    check_begin,
    check_one_period,
    read_flag,
    read_options,
    read_period,
)
from stripe_magics.finance.report_makers import default_span
from stripe_magics.finance.report_table import REPORTS, Report
from stripe_magics.finance.reporting_period import HINT, Moment, Period, check_zone
from stripe_magics.finance.row_checks import repeated
from stripe_magics.frames.frame_info import add_note, facts_of, set_facts

_RUNS: dict[str, ReportInputs] = {}
MAX_RUNS = 30


def reports() -> pd.DataFrame:
    """The reports: name and what each one says. One row a report."""
    return pd.DataFrame([{"report": name, "says": each.title} for name, each in REPORTS.items()])


def find_report(name: str) -> tuple[str, Report]:
    """The report of that name, or `UnknownName` with the nearest."""
    known = str(name).strip().replace("-", "_")
    if known not in REPORTS:
        near = closest_matches(known, REPORTS, 3)
        raise UnknownName("report", str(name), near, advice="%stripe report lists them.")
    return known, REPORTS[known]


def describe_report(name: str) -> pd.DataFrame:
    """What `%stripe report NAME --help` shows: columns with kind and meaning, options, period, formula,
    source."""
    known, each = find_report(name)
    rows: list[tuple[str, str, str, str]] = [
        ("column", column.name, column.kind, column.meaning) for column in columns_of(each.function)
    ]
    for flag, option in each.options.items():
        choices = " | ".join(option.choices) or type(option.default).__name__
        rows.append(("option", f"--{flag}", choices, f"{option.help} (default: {option.default or 'none'})"))
    rows.append(("period", _PERIOD_HELP[each.period][0], "", _PERIOD_HELP[each.period][1]))
    if each.formula:
        rows.append(("formula", "", "", each.formula))
    if each.source:
        rows.append(("source", "", "", each.source))
    out = pd.DataFrame(rows, columns=["what", "name", "kind", "meaning"])
    return set_facts(out, report=known, title=f"{known}: {each.title}", complete=True, amounts=[])


_PERIOD_HELP = {
    "needed": ("--month, --quarter, --year or --start and --end", "It is about a period."),
    "all": (
        "--month, --quarter, --year or --start and --end",
        "Everything until now unless a period is given.",
    ),
    "months": (
        "--month, --quarter, --year or --start and --end",
        "The last twelve closed months unless given.",
    ),
    "at": ("--end, or a period", "As of its end; now unless given."),
    "none": ("no period", "It is about now."),
}


def report(  # noqa: PLR0913 - public: each is a keyword of its own
    name: str,
    start: Moment | None = None,
    end: Moment | None = None,
    *,
    month: Moment | None = None,
    quarter: str | None = None,
    year: int | str | None = None,
    period: str | None = None,
    tz: str | None = None,
    data: Mapping[str, pd.DataFrame] | None = None,
    over: str | Path | None = None,
    fetch: Fetch | None = None,
    fresh: bool | str = False,
    check: str = "",
    compare: bool | str = False,
    currency: str | None = None,
    table: bool | str = False,
    **options: Any,
) -> pd.DataFrame:
    """A report by name, as a DataFrame with amounts in int64 minor units. `reports()` lists them,
    `describe_report(name)` explains one.

    The period is `month="2026-09"`, `quarter="2026-Q3"`, `year=2026`, `period="last month"`, or `start` and
    `end`: a date or a month given as an end is part of it, an instant with a time is not; `start` alone means
    until now. `tz` is the zone that cuts days and months (the account's unless given). `data` gives frames
    that are at hand by list name (transactions, payouts, charges, invoices ...) and `over` a folder of
    `%stripe sync` or `%stripe pull --to`; both are cut to the period. All else is fetched once and kept for
    the next report: for ten minutes, until a write goes through this connection, or until `fresh=True`.
    `check="stripe"` runs Stripe's own report for the same period and gives the differences, cell by cell;
    `compare=True` adds each amount of the period before and the change; `currency="usd"` gives the rows of
    one currency; `table=True` shows it as an interactive table. Further options are the report's own. `fetch`
    is asked for lists in place of the connection.

    Raises `UsageFault` for a period, option or column that isn't possible, `MissingData` where the lists lack
    something.
    """
    known, each = find_report(name)
    folder = ReportFolder(over) if over is not None else None
    account = account_read() if folder is None and fetch is None else {}
    zone = tz or zone_of(account)
    check_zone(zone)
    clock = (folder.read_at() if folder is not None else None) or stripe_clock()
    span, notes = read_period(
        known, each, zone, clock, start, end, month=month, quarter=quarter, year=year, period=period
    )
    check_begin(span, account)
    if check:
        options = _check_options(
            known, check, span, options, zone=zone, at_hand=bool(folder is not None or data or fetch)
        )
    if read_flag("fresh", fresh):
        forget_lists()
    inputs = ReportInputs(
        fetch or fetcher(),
        {},
        zone,
        clock,
        span,
        read_options(known, each, options),
        folder,
        str(account.get("country") or ""),
    )
    inputs.notes += notes
    inputs.own_account = fetch is None
    inputs.data.update(_given(inputs, data))
    inputs.whole = dict(inputs.data)
    out = each.make(inputs)
    if check:
        assert span is not None
        out = stripe_check.compare(out, known, span)
    _add_facts(out, known, each, inputs)
    if read_flag("compare", compare):
        out = _compared(out, known, each, inputs)
    out = out if currency is None else comparison.in_currency(out, currency)
    if read_flag("table", table):
        set_facts(out, table=True)  # what shows frames reads it
    return out


def _compared(out: pd.DataFrame, name: str, each: Report, inputs: ReportInputs) -> pd.DataFrame:
    """The report beside the period before, made of the same lists."""
    columns = columns_of(each.function)
    comparison.keys_and_measures(name, columns)
    if inputs.period is None or inputs.period.start == FIRST:
        raise UsageFault("--compare needs a period.", advice=HINT)
    earlier = comparison.period_before(inputs.period)
    before = ReportInputs(
        inputs.fetch,
        dict(inputs.whole),
        inputs.zone,
        inputs.clock,
        earlier,
        inputs.options,
        inputs.folder,
        inputs.home,
    )
    return comparison.beside(out, each.make(before), name, columns, earlier)


def _check_options(
    name: str, check: str, span: Period | None, options: Mapping[str, Any], *, zone: str, at_hand: bool
) -> dict[str, Any]:
    """The options that a comparison with Stripe's own report needs."""
    found = stripe_check.check_of(name, check, options, zone)
    if at_hand:
        raise UsageFault(
            "--check stripe compares what the account says; it can't be with --over or data.",
            advice="Leave them out.",
        )
    if span is None:
        raise UsageFault("--check stripe needs a period.", advice=HINT)
    return {**options, **found.options}


def _given(inputs: ReportInputs, data: Mapping[str, pd.DataFrame] | None) -> dict[str, pd.DataFrame]:
    """Frames at hand, by list name; another name is refused."""
    possible = [*LISTS, *AT_HAND]
    out: dict[str, pd.DataFrame] = {}
    if data is not None and not isinstance(data, Mapping):
        raise UsageFault(
            f"data is {type(data).__name__}; it must be a dict of frames by list name.",
            advice=f"Lists: {', '.join(possible)}.",
        )
    for name, frame in (data or {}).items():
        own = name.removesuffix("_inside").removeprefix("all_")
        if own not in possible:
            raise UsageFault(f"data has no list {name!r}.", advice=f"Possible: {', '.join(possible)}.")
        if not isinstance(frame, pd.DataFrame):
            raise UsageFault(f"data[{name!r}] is {type(frame).__name__}; it must be a DataFrame.")
        cents, said = in_minor_units(own, frame)
        for note in filter(None, (said, repeated(own, frame) if own in LISTS else "")):
            inputs.note(note)
        out[own] = inputs.with_inner_lists(own, cents)
    return out


def check_given(name: str, given: Mapping[str, Any]) -> None:
    """Raise `UsageFault` for a flag or a value that `report` would refuse; nothing is read, and a period may
    still be missing."""
    known, each = find_report(name)
    check_one_period(known, each.period, given)
    common = signature(report).parameters
    read_options(known, each, {flag: value for flag, value in given.items() if flag not in common})
    for flag in ("fresh", "compare"):
        read_flag(flag, given.get(flag, False))


def _add_facts(out: pd.DataFrame, name: str, each: Report, inputs: ReportInputs) -> None:
    """What a report says of itself, in attrs and on screen."""
    about = facts_of(out)
    about.setdefault("title", each.title)
    about["report"], about["used"] = name, inputs.used
    about["read_at"] = inputs.clock.isoformat()
    span = inputs.period
    if each.period == "at":
        at = inputs.clock if span is None else span.end
        local = at.tz_convert(inputs.zone)
        midnight = local == local.normalize()
        about["period"] = (
            f"at the end of {local - pd.Timedelta(days=1):%d %b %Y}"
            if midnight
            else f"at {local:%d %b %Y %H:%M}"
        )
    elif span is not None:
        about["period"] = (
            span.words() if span.start != FIRST else f"everything until {span.local_end:%d %b %Y}"
        )
        about["start"], about["end"] = span.start.isoformat(), span.end.isoformat()
    elif each.period == "months":
        about["period"] = default_span(inputs).words()
    elif each.period == "all" or not about.get("period"):
        about["period"] = "now" if each.period == "none" else "everything until now"
    about["zone"] = inputs.zone
    about["rows_read"] = dict(inputs.used)
    rows = ", ".join(f"{count:,} {what.replace('_', ' ')}" for what, count in inputs.used.items())
    method = about.get("method") or about.get("by") or ""
    where = " ".join(str(each) for each in (about.get("account"), about.get("mode")) if each)
    line = " · ".join(
        part
        for part in (
            str(about["title"]),
            str(about["period"]),
            inputs.zone,
            where,
            str(method),
            f"read: {rows}" if rows else "",
        )
        if part
    )
    notes = [*(about.get("notes") or []), *inputs.notes]
    about["notes"] = [line]
    add_note(out, *notes)
    run = f"{name}-{time.monotonic_ns()}"
    about["run"] = run
    _RUNS[run] = inputs
    while len(_RUNS) > MAX_RUNS:
        _RUNS.pop(next(iter(_RUNS)))


def run_of(frame: pd.DataFrame) -> ReportInputs | None:
    """The inputs that a report was made of, while this process still has them."""
    return _RUNS.get(str(facts_of(frame).get("run", "")))
