"""Moments, days and ranges: what people write about time -> Unix seconds.

- A moment: ISO date-time, Unix seconds, `now`, `in 7 days`, `2 hours ago`, an aware datetime. Text without a
  zone is read in the connection's zone; a datetime object without one is refused, since nobody can tell what
  it means.
- A day (`2026-01-31`, `today`), a month (`2026-01`, `last month`), a quarter (`2026-Q1`) or a year is a span,
  cut at local midnights by the zone's own rules, so a day of 23 or 25 hours is right.
- A length is `3d`, `12h`, `2 weeks`, `1 month`, `1d 12h`.
- A day as other countries write it is read where it can be one day only (`31.01.2026`, `31-Jan-2026`).
- Relative words (`end of month` is its last day) count from `now`, the connection's clock: a sandbox has its
  own.
- A range is `{"gte": ..., "lt": ...}` as Stripe takes it: `after 2026-01-01`, `2026-01-01..2026-02-01`, an
  operator beside a value, two values, or Stripe's own bounds. A day counts as that whole day; bounds of days
  are half-open.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from stripe_magics._day_spellings import usual_spelling
from stripe_magics._form_encoding import EPOCH, describe_missing, plain, seconds
from stripe_magics._text import shown


class Span(NamedTuple):
    """Whole days: [first, end), cut at midnight in a zone once that is known."""

    first: date
    end: date

    def bounds(self, zone: tzinfo) -> tuple[int, int]:
        """The seconds at which the span begins and ends."""
        return midnight(self.first, zone), midnight(self.end, zone)


Range = dict[str, int]
"""Bounds as Stripe takes them: gt, gte, lt, lte in Unix seconds."""

OPERATORS = ("before", "after", "on", "between", "since", "until")
_SIGNS = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
_MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?\s?(Z|[+-]\d{2}(:?\d{2})?)?",
    re.ASCII | re.IGNORECASE,
)
_UNIX = re.compile(r"-?\d{9,11}|0", re.ASCII)
_UNITS = {"second": 1, "minute": 60, "hour": 3600}  # plain seconds; longer units follow the zone's calendar
_SHORT_UNITS = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week", "y": "year"}
_UNIT = r"(seconds?|minutes?|mins?|hours?|days?|weeks?|months?|years?|[smhdwy])"
_LENGTH = rf"(\d{{1,6}})\s?{_UNIT}"
_RELATIVE = re.compile(rf"(?:in {_LENGTH}|{_LENGTH} ago)", re.ASCII)
_LAST = re.compile(rf"(?:the )?(?:last|past) {_LENGTH}", re.ASCII)
_DURATION = re.compile(rf"{_LENGTH}(?:[\s,]+{_LENGTH})*", re.ASCII)
_NAMED = re.compile(r"(last|this|next) (day|week|month|quarter|year)")
_ENDING = re.compile(r"end of (?:the |this )?(?:(next) )?(week|month|quarter|year)")
_QUARTER = re.compile(r"(\d{4})[ -]?[Qq]([1-4])", re.ASCII)
_WORDS = {"today": 0, "yesterday": -1, "tomorrow": 1}
_WHICH = {"last": -1, "this": 0, "next": 1}
_EXAMPLES = (
    "a date (2026-01-31), a month (2026-01), a date and time (2026-01-31T14:30), Unix seconds,"
    " or words such as now, yesterday, last month, 7 days ago"
)


def midnight(day: date, zone: tzinfo) -> int:
    """When a day begins in a zone, in Unix seconds."""
    return seconds(datetime.combine(day, time.min, zone))


def moment(value: object, zone: tzinfo, now: datetime | None = None) -> int:
    """Unix seconds of a moment; a day stands for its beginning. Raises ValueError with examples."""
    found = _read(value, zone, now)
    return found.bounds(zone)[0] if isinstance(found, Span) else found


def span(value: object, zone: tzinfo, now: datetime | None = None) -> tuple[int, int]:
    """The seconds at which a period begins and ends: a whole day, month, quarter or year, `last month`, `last
    7 days`.

    A moment is a period without length. Raises ValueError.
    """
    if isinstance(value, str) and (last := _LAST.fullmatch(" ".join(value.lower().split()))):
        end = now or datetime.now(UTC)
        return _shift(end, int(last[1]), _unit(last[2]), -1, zone), seconds(end)
    found = _read(value, zone, now)
    return found.bounds(zone) if isinstance(found, Span) else (found, found)


def since(value: object, zone: tzinfo, now: datetime | None = None) -> int:
    """Unix seconds of where something begins: like `moment`, and a length alone (`2h`, `3 days`) means that
    long ago."""
    if isinstance(value, str) and _DURATION.fullmatch(" ".join(value.lower().split())):
        return shift(value, -1, zone, now)
    return span(value, zone, now)[0]


def shift(length: object, sign: int, zone: tzinfo, now: datetime | None = None) -> int:
    """Unix seconds of now plus (or minus) a length: `3d`, `12h`, `2 weeks`, `1 month`, `1d 12h`. Raises
    ValueError."""
    text = " ".join(str(length).lower().removeprefix("in ").replace(",", " ").split())
    if not _DURATION.fullmatch(text):
        raise ValueError(f"can't read {str(length)!r} as a duration. Examples: 3d, 12h, 2w, 1 month")
    moment_ = now or datetime.now(UTC)
    for count, unit in re.findall(_LENGTH, text):
        moment_ = EPOCH + timedelta(seconds=_shift(moment_, int(count), _unit(unit), sign, zone))
    return seconds(moment_)


def _unit(text: str) -> str:
    """`day` for d, days; `minute` for m, min."""
    return _SHORT_UNITS.get(text) or {"min": "minute"}.get(text.removesuffix("s"), text.removesuffix("s"))


def between(
    value: object,
    zone: tzinfo,
    *,
    operator: str = "",
    days: tzinfo | None = None,
    now: datetime | None = None,
) -> Range:
    """The bounds that a filter stands for.

    `value` is text, a moment, a list of two, or a mapping of bounds; `operator` (before, after, on, between)
    stands beside it.
    Without an operator a value stands for the day it lies in; seconds since 1970, Stripe's own spelling, for
    that very second. `days` is the zone in which days are cut, `zone` that of times written without one.
    Raises ValueError.
    """
    days = days or zone
    value = plain(value)
    if isinstance(value, Mapping):
        if operator:
            raise ValueError(
                f"bounds ({', '.join(map(str, value))}) and the operator {operator!r} can't be combined; give"
                " one of them"
            )
        return _checked(_bounds(value, zone, days, now))
    if not operator and (second := _unix_seconds(value)) is not None:
        return {"gte": second, "lte": second}
    said, operand = _operator(value)
    if operator and said and operator != said:
        raise ValueError(f"the operator is {operator!r}, but the value says {said!r}")
    operator = operator or said or ("between" if isinstance(operand, list) else "on")
    if operator == "last":
        count, unit = operand
        return {"gte": _shift(now or datetime.now(UTC), count, unit, -1, zone)}
    if operator == "between":
        return _checked(_two(operand, zone, days, now))
    if isinstance(operand, list):
        if len(operand) != 1:
            raise ValueError(f"{operator} takes one date or time; two of them go with between")
        operand = operand[0]
    return _one(operator, _read(operand, zone, now), days)


def _unix_seconds(value: object) -> int | None:
    """Seconds since 1970 as Stripe writes them, as a number or its digits."""
    if isinstance(value, str) and re.fullmatch(r"\s*\d{9,11}\s*", value, re.ASCII):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 10**8 else None


def _one(operator: str, found: Span | int, days: tzinfo) -> Range:
    if isinstance(found, Span):
        first, end = found.bounds(days)
        return {
            "before": {"lt": first},
            "after": {"gte": end},
            "since": {"gte": first},
            "until": {"lt": end},
        }.get(operator) or {"gte": first, "lt": end}
    simple = {"before": "lt", "after": "gt", "since": "gte", "until": "lte"}
    if operator in simple:
        return {simple[operator]: found}
    day = (EPOCH + timedelta(seconds=found)).astimezone(days).date()
    return _one("on", Span(day, day + timedelta(days=1)), days)


def _two(operand: object, zone: tzinfo, days: tzinfo, now: datetime | None) -> Range:
    parts = operand if isinstance(operand, list) else _parts(str(operand))
    if len(parts) != 2:
        raise ValueError("between takes two dates or times, e.g. 2026-01-01..2026-02-01")
    if missing := [part for part in parts if plain(part) is None]:
        raise ValueError(
            f"a date is missing ({describe_missing(missing[0])}); an open end is written '2026-01-01..'"
        )
    low, high = (_read(part, zone, now) if part != "" else None for part in parts)
    if low is None and high is None:
        raise ValueError("between takes two dates or times, e.g. 2026-01-01..2026-02-01")
    bounds: Range = {}
    if low is not None:
        bounds |= _one("since", low, days)
    if high is not None:
        bounds |= _one("until", high, days)
    return bounds


def _bounds(value: Mapping[Any, Any], zone: tzinfo, days: tzinfo, now: datetime | None) -> Range:
    """Stripe's own bounds; a bare day means the whole of it, whichever side it stands on."""
    words = {"gt": "after", "gte": "since", "lt": "before", "lte": "until"}
    if not value or set(value) - set(words):
        raise ValueError(
            f"{', '.join(map(str, value)) or 'an empty mapping'} can't be used; the bounds are gt, gte, lt"
            " and lte"
        )
    if {"gt", "gte"} <= set(value) or {"lt", "lte"} <= set(value):
        raise ValueError("two bounds on the same side; give one of gt and gte, one of lt and lte")
    bounds: Range = {}
    for key in ("gt", "gte", "lt", "lte"):
        if key in value and plain(value[key]) is None:
            raise ValueError(
                f"the bound {key} is missing ({describe_missing(value[key])}); give it, or leave it out"
            )
        if key in value:
            bounds |= _one(words[key], _read(_number(value[key]), zone, now), days)
    return bounds


def _number(value: object) -> Any:
    """In Stripe's own bounds a short number can only be seconds."""
    return (
        int(value)
        if isinstance(value, str) and re.fullmatch(r"-?\d{1,7}", value.strip(), re.ASCII)
        else value
    )


def _checked(bounds: Range) -> Range:
    low = bounds["gt"] + 1 if "gt" in bounds else bounds.get("gte")
    high = bounds["lte"] + 1 if "lte" in bounds else bounds.get("lt")
    if low is not None and high is not None and low >= high:
        raise ValueError("the range ends before it starts; the earlier date comes first")
    return bounds


def _operator(value: object) -> tuple[str, Any]:
    """Split `after 2026-01-01` and its relatives into the operator and what it is applied to."""
    if isinstance(value, list):
        if len(value) > 1 and isinstance(value[0], str) and value[0].strip().lower() in OPERATORS:
            return value[0].strip().lower(), value[1:]
        return "", value
    if not isinstance(value, str):
        return "", value
    text = " ".join(value.split())
    head, _, rest = text.partition(" ")
    if head.lower() in OPERATORS and rest:
        return head.lower(), rest
    if signed := re.fullmatch(r"(<=?|>=?)\s*(.+)", text):
        return {"lt": "before", "lte": "until", "gt": "after", "gte": "since"}[_SIGNS[signed[1]]], signed[2]
    if last := _LAST.fullmatch(text.lower()):
        return "last", (int(last[1]), _unit(last[2]))
    if ".." in text or (" and " in text or "," in text):
        return "between", text
    return "", text


def _parts(text: str) -> list[str]:
    for mark in ("..", " and ", ","):
        if mark in text:
            return [part.strip() for part in text.split(mark)]
    return [text]


def _read(value: object, zone: tzinfo, now: datetime | None) -> Span | int:
    value = plain(value)
    try:
        return _typed(value, zone, now)
    except (OverflowError, InvalidOperation):
        shown = str(value)
        raise ValueError(f"{shown[:60]!r} lies outside the calendar") from None


def _typed(value: object, zone: tzinfo, now: datetime | None) -> Span | int:
    if isinstance(value, datetime):
        if value.tzinfo is None or value.utcoffset() is None:
            raise ValueError(
                f"{value} has no time zone; give one, e.g. datetime(..., tzinfo=UTC), or write the time as"
                " text"
            )
        return seconds(value)
    if isinstance(value, date):
        return Span(value, value + timedelta(days=1))
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal, str)):
        raise ValueError(f"{shown(value)} is not a date or time; write {_EXAMPLES}")
    if isinstance(value, (int, float, Decimal)):
        return _unix(value)
    typed = " ".join(value.split())
    text = usual_spelling(typed)
    if _UNIX.fullmatch(text):
        return _unix(int(text))
    return _written(text, zone, now, typed)


def _unix(value: float | Decimal) -> int:
    if not math.isfinite(value) or int(value) != value:
        raise ValueError(f"{shown(value)} is not a whole number of Unix seconds")
    if abs(int(value)) >= 10**11:
        raise ValueError(f"{value} looks like milliseconds; Stripe counts seconds: {int(value) // 1000}")
    return int(value)


def _written(text: str, zone: tzinfo, now: datetime | None, typed: str) -> Span | int:
    """What a text in the usual spelling stands for; an error shows it as it was typed."""
    word = text.lower()
    if word == "now":
        return seconds(now or datetime.now(UTC))
    if word in _WORDS:
        day = (now or datetime.now(UTC)).astimezone(zone).date() + timedelta(days=_WORDS[word])
        return Span(day, day + timedelta(days=1))
    if relative := _RELATIVE.fullmatch(word):
        ahead, unit, back, unit_back = relative.groups()
        return _shift(
            now or datetime.now(UTC), int(ahead or back), _unit(unit or unit_back), 1 if ahead else -1, zone
        )
    if named := _NAMED.fullmatch(word):
        return _calendar((now or datetime.now(UTC)).astimezone(zone).date(), named[2], _WHICH[named[1]])
    if ending := _ENDING.fullmatch(word):
        end = _calendar(
            (now or datetime.now(UTC)).astimezone(zone).date(), ending[2], ending[1] == "next"
        ).end
        return Span(end - timedelta(days=1), end)
    try:
        if _DAY.fullmatch(text):
            day = date.fromisoformat(text)
            return Span(day, day + timedelta(days=1))
        if month := _MONTH.fullmatch(text):
            first = date(int(month[1]), int(month[2]), 1)
            return Span(first, (first + timedelta(days=31)).replace(day=1))
        if quarter := _QUARTER.fullmatch(text):
            return _calendar(date(int(quarter[1]), 3 * int(quarter[2]) - 2, 1), "quarter", 0)
        if re.fullmatch(r"(?:19|20)\d{2}", text, re.ASCII):
            return _calendar(date(int(text), 1, 1), "year", 0)
        written = datetime.fromisoformat(text.upper().replace(" Z", "Z")) if _MOMENT.fullmatch(text) else None
    except ValueError as fault:
        raise ValueError(f"{typed!r} is not a date or time: {fault}") from None
    if written is not None:
        return _local(written, text, zone)
    if re.fullmatch(r"\d{13}", text, re.ASCII):
        raise ValueError(f"{text} looks like milliseconds; Stripe counts seconds: {text[:10]}")
    if compact := re.fullmatch(r"(\d{4})(0[1-9]|1[0-2])([0-3]\d)", text, re.ASCII):
        raise ValueError(f"{text!r} could be a date or a number; write {'-'.join(compact.groups())}")
    raise ValueError(f"{typed!r} is not a date or time; write {_EXAMPLES}")


def _local(written: datetime, text: str, zone: tzinfo) -> int:
    if written.tzinfo is not None:
        return seconds(written)
    moment = written.replace(tzinfo=zone)
    if moment.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != written:
        raise ValueError(
            f"{text} doesn't exist in {zone} (clocks moved forward). Give another time or a UTC offset"
        )
    return seconds(moment)


def _calendar(day: date, unit: str, which: int) -> Span:
    """The day, week (from Monday), month, quarter or year that a day lies in; -1 the one before, 1 the one
    after."""
    if unit in {"day", "week"}:
        length = 7 if unit == "week" else 1
        first = day - timedelta(days=day.weekday() if unit == "week" else 0) + timedelta(days=which * length)
        return Span(first, first + timedelta(days=length))
    months = {"month": 1, "quarter": 3, "year": 12}[unit]
    start = (day.year * 12 + day.month - 1) // months * months + which * months
    return Span(_month(start), _month(start + months))


def _month(number: int) -> date:
    """The first day of a month, counted from the year 0."""
    return date(number // 12, number % 12 + 1, 1)


def _shift(now: datetime, count: int, unit: str, sign: int, zone: tzinfo) -> int:
    """Days and longer keep the clock time of the zone, whatever its clocks do in between; smaller units are
    plain seconds."""
    try:
        if length := _UNITS.get(unit):
            return seconds(now.astimezone(UTC)) + sign * count * length
        local = now.astimezone(zone)
        if unit in {"day", "week"}:
            return seconds(local + timedelta(days=sign * count * (7 if unit == "week" else 1)))
        months = local.year * 12 + local.month - 1 + sign * count * (12 if unit == "year" else 1)
        last = (_month(months + 1) - timedelta(days=1)).day
        first = _month(months)
        return seconds(local.replace(year=first.year, month=first.month, day=min(local.day, last)))
    except (OverflowError, ValueError):
        raise ValueError(f"{count} {unit}s lead outside the calendar") from None
