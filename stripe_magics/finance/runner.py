"""Running a report by name: its period, zone and options read and checked, its lists fetched, and what it
says of itself.

`report("balance_summary", month="2026-09")` fetches what the table in `reports.py` says, each list once, and
hands the frames to a pure function. `data=` takes frames that are at hand, `over=` a mirror or pull folder;
nothing that they have is fetched.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from stripe_magics._text import closest_matches, read_boolean
from stripe_magics.client.call_context import account_of
from stripe_magics.errors import StripeError, UnknownName, UsageFault
from stripe_magics.finance import comparison, stripe_check
from stripe_magics.finance.columns import columns_of
from stripe_magics.finance.folders import ListFolder
from stripe_magics.finance.inputs import AT_HAND, LISTS, Fetch, ReportInputs, has_all_rows
from stripe_magics.finance.report_makers import default_span
from stripe_magics.finance.report_options import ReportOption
from stripe_magics.finance.report_table import REPORTS, Report
from stripe_magics.finance.reporting_period import (
    HINT,
    Moment,
    Period,
    calendar_period,
    check_zone,
    end_of,
    moment,
)
from stripe_magics.frames.frame_info import add_note, set_facts

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection

KEPT_SECONDS = 600
_LISTS_READ = "lists_read"  # in Connection.extensions: by call, when it was read and what it gave
_LISTS_LOCK = threading.Lock()  # the members of payouts are fetched side by side
_FIRST = pd.Timestamp("2010-01-01", tz="UTC")  # Stripe has no object from before
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
    one currency; `table=True` shows it as an interactive table. Further options are the report's own.

    Raises `UsageFault` for a period, option or column that isn't possible, `MissingData` where the lists lack
    something.
    """
    known, each = find_report(name)
    folder = ListFolder(over) if over is not None else None
    account = _account() if folder is None and fetch is None else {}
    zone = tz or _zone(account)
    check_zone(zone)
    clock = (folder.read_at() if folder is not None else None) or stripe_clock()
    span, notes = _period(
        known, each, zone, clock, start, end, month=month, quarter=quarter, year=year, period=period
    )
    _check_begin(span, account)
    if check:
        options = _check_options(
            known, check, span, options, zone=zone, at_hand=bool(folder is not None or data or fetch)
        )
    if read_flag("fresh", fresh):
        _forget_lists()
    inputs = ReportInputs(
        fetch or _fetcher(),
        {},
        zone,
        clock,
        span,
        _options(known, each, options),
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
    if inputs.period is None or inputs.period.start == _FIRST:
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
        out[own] = inputs.with_inner_lists(own, frame)
    return out


def check_given(name: str, given: Mapping[str, Any]) -> None:
    """Raise `UsageFault` for a flag or a value that `report` would refuse; nothing is read, and a period may
    still be missing."""
    known, each = find_report(name)
    check_one_period(known, each.period, given)
    common = signature(report).parameters
    _options(known, each, {flag: value for flag, value in given.items() if flag not in common})
    for flag in ("fresh", "compare"):
        read_flag(flag, given.get(flag, False))


def check_one_period(name: str, kind: str, given: Mapping[str, Any]) -> list[str]:
    """The flags that say a period. Raises `UsageFault` if they say more than one, or if it is about now."""
    said = [flag for flag in ("month", "quarter", "year", "period") if given.get(flag) is not None]
    bounds = [flag for flag in ("start", "end") if given.get(flag) is not None]
    flags = ", ".join("--" + flag for flag in (*said, *bounds))
    if len(said) + bool(bounds) > 1:
        raise UsageFault(f"More than one period is given: {flags}.", advice=HINT)
    if flags and kind == "none":
        raise UsageFault(f"{name} is about now; it takes no period ({flags}).")
    return [*said, *bounds]


def _period(
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
            return Period(until - pd.Timedelta(days=1), until, zone), []
        if each.period == "needed":
            raise UsageFault(f"{name} needs --start beside --end.", advice=HINT)
        span = Period(_FIRST, until, zone)
    else:
        first = moment(start, zone, clock)
        until = end_of(end, zone, clock) if end is not None else clock
        if end is None:
            notes.append("No end was given: until now.")
        span = Period(first, until, zone)
    if span.start >= clock and each.period != "at":
        raise UsageFault(
            f"The period ({span.words() if span.end > span.start else start}) lies in the future.",
            advice=HINT,
        )
    if span.end <= span.start:
        raise UsageFault(f"The period ends ({end}) before it starts ({start}).", advice=HINT)
    open_end = span.end > clock and each.period in {"needed", "all"}
    if open_end:
        notes.append(
            f"The period isn't over: these are the figures until {clock.tz_convert(zone):%Y-%m-%d %H:%M}."
        )
    return span, notes


def _check_begin(span: Period | None, account: Mapping[str, Any]) -> None:
    created = account.get("created")
    if span is None or not isinstance(created, int):
        return
    opened = pd.Timestamp(created, unit="s", tz="UTC")
    if span.end <= opened:
        raise UsageFault(
            f"The period ({span.words()}) is before the account was opened ({opened:%Y-%m-%d}).", advice=HINT
        )


def _options(name: str, each: Report, given: Mapping[str, Any]) -> dict[str, Any]:
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


def _add_facts(out: pd.DataFrame, name: str, each: Report, inputs: ReportInputs) -> None:
    """What a report says of itself, in attrs and on screen."""
    about = out.attrs["stripe"]
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
            span.words() if span.start != _FIRST else f"everything until {span.local_end:%d %b %Y}"
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
    return _RUNS.get(str(frame.attrs.get("stripe", {}).get("run", "")))


# The connection ---------------------------------------------------------------------------------------------
def stripe_clock() -> pd.Timestamp:
    """Now, by Stripe's clock as the connection knows it (a sandbox has its own)."""
    from stripe_magics.client.shared_connection import shared

    connection = shared()
    if connection is None:
        return pd.Timestamp.now("UTC")
    return pd.Timestamp(connection.stripe_time(), unit="s", tz="UTC")


def _account() -> Mapping[str, Any]:
    """The account, or nothing where the key may not read it or nothing is connected."""
    from stripe_magics.client.shared_connection import shared

    connection = shared()
    if connection is None:
        return {}
    try:
        account: Mapping[str, Any] = connection.account_object()
    except StripeError:  # a restricted key: the connection's own zone counts then
        return {}
    return account


def _zone(account: Mapping[str, Any]) -> str:
    """The connection's zone if one was set, else the account's, else UTC."""
    from stripe_magics.client.shared_connection import shared

    connection = shared()
    own = str(connection.zone) if connection is not None else "UTC"
    if own != "UTC":
        return own
    dashboard = (account.get("settings") or {}).get("dashboard") or {}
    return str(dashboard.get("timezone") or "UTC").replace("Etc/UTC", "UTC")


def _fetcher() -> Fetch:
    """What fetches the lists of one report, all of them on the connection on which it was begun: what is
    looked up in it later, too."""
    from stripe_magics.client.shared_connection import current, shared

    begun_on = shared()
    return lambda module, values: _fetch(begun_on or current(), module, values)


def _forget_lists() -> None:
    from stripe_magics.client.shared_connection import shared

    connection = shared()
    if connection is not None:
        connection.extensions.pop(_LISTS_READ, None)


def _fetch(connection: Connection, module: str, values: Mapping[str, Any]) -> Any:
    """The list, or the one fetched a moment ago on this connection if nothing was written since."""
    from stripe_magics.pipeline import call

    values = dict(values)
    anew = values.pop("_fresh", False)
    clock = connection.sandbox.now if connection.sandbox is not None else None
    state = (connection.writes, clock)
    requested = (*state, account_of(connection), module, repr(sorted(values.items())))
    with _LISTS_LOCK:
        mine: dict[tuple[object, ...], tuple[float, Any]] = connection.extensions.setdefault(_LISTS_READ, {})
        for key in [key for key in mine if key[:2] != state]:
            del mine[key]
        kept = None if anew else mine.get(requested)
    if kept is not None and time.monotonic() - kept[0] < KEPT_SECONDS:
        return kept[1]
    answer = call(module, connection=connection, **values)
    if anew or (isinstance(answer, pd.DataFrame) and not has_all_rows(answer)):
        return answer
    with _LISTS_LOCK:
        mine[requested] = (time.monotonic(), answer)
    return answer
