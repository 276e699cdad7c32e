"""Moments, days and ranges: what people write about time -> Unix seconds.

- A moment: ISO date-time, Unix seconds, `now`, `in 7 days`, `2 hours ago`, an aware datetime. Text without a zone is read in the
  connection's zone; a datetime object without one is refused, since nobody can tell what it means.
- A day (`2026-01-31`, `today`) or a month (`2026-01`) is a span, cut at local midnights by the zone's own rules, so a day of 23 or
  25 hours is right.
- A range is `{"gte": ..., "lt": ...}` as Stripe takes it: `after 2026-01-01`, `2026-01-01..2026-02-01`, an operator beside a value, two
  values, or Stripe's own bounds. A day counts as that whole day; bounds of days are half-open.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import Any, NamedTuple

from stripe_magics._form_encoding import EPOCH, describe_missing, plain, seconds


class Span(NamedTuple):
    """Whole days: [first, end), cut at midnight in a zone once that is known."""

    first: date
    end: date

    def cut(self, zone: tzinfo) -> tuple[int, int]:
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
_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 0, "week": 0}
_RELATIVE = re.compile(
    r"(?:in (\d{1,6}) (second|minute|hour|day|week)s?|(\d{1,6}) (second|minute|hour|day|week)s? ago)",
    re.ASCII,
)
_LAST = re.compile(r"(?:last|past) (\d{1,6}) (second|minute|hour|day|week)s?", re.ASCII)
_WORDS = {"today": 0, "yesterday": -1, "tomorrow": 1}
_WANTED = (
    "a date (2026-01-31), a date and time (2026-01-31T14:30), Unix seconds, or words such as now, 7 days ago"
)


def midnight(day: date, zone: tzinfo) -> int:
    """When a day begins in a zone, in Unix seconds."""
    return seconds(datetime.combine(day, time.min, zone))


def moment(value: Any, zone: tzinfo, now: datetime | None = None) -> int:
    """Unix seconds of a moment; a day stands for its beginning. Raises ValueError with what is wanted."""
    found = _read(value, zone, now)
    return found.cut(zone)[0] if isinstance(found, Span) else found


def between(
    value: Any, zone: tzinfo, *, operator: str = "", days: tzinfo | None = None, now: datetime | None = None
) -> Range:
    """The bounds that a filter stands for.

    `value` is text, a moment, a list of two, or a mapping of bounds; `operator` (before, after, on, between) stands beside it.
    Without an operator a value stands for the day it lies in; seconds since 1970, Stripe's own spelling, for that very second. `days` is the zone in which days are cut, `zone` that of times
    written without one. Raises ValueError.
    """
    days = days or zone
    value = plain(value)
    if isinstance(value, Mapping):
        if operator:
            raise ValueError(
                f"bounds ({', '.join(map(str, value))}) and the operator {operator!r} can't be combined; give one of them"
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
        return {"gte": _shift(now or datetime.now(zone), count, unit, -1, zone)}
    if operator == "between":
        return _checked(_two(operand, zone, days, now))
    if isinstance(operand, list):
        if len(operand) != 1:
            raise ValueError(f"{operator} takes one date or time; two of them go with between")
        operand = operand[0]
    return _one(operator, _read(operand, zone, now), days)


def _unix_seconds(value: Any) -> int | None:
    """Seconds since 1970 as Stripe writes them, as a number or its digits."""
    if isinstance(value, str) and re.fullmatch(r"\s*\d{9,11}\s*", value, re.ASCII):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 10**8 else None


def _one(operator: str, found: Span | int, days: tzinfo) -> Range:
    if isinstance(found, Span):
        first, end = found.cut(days)
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


def _two(operand: Any, zone: tzinfo, days: tzinfo, now: datetime | None) -> Range:
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
            f"{', '.join(map(str, value)) or 'an empty mapping'} can't be used; the bounds are gt, gte, lt and lte"
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


def _number(value: Any) -> Any:
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


def _operator(value: Any) -> tuple[str, Any]:
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
        return "last", (int(last[1]), last[2])
    if ".." in text or (" and " in text or "," in text):
        return "between", text
    return "", text


def _parts(text: str) -> list[str]:
    for mark in ("..", " and ", ","):
        if mark in text:
            return [part.strip() for part in text.split(mark)]
    return [text]


def _read(value: Any, zone: tzinfo, now: datetime | None) -> Span | int:
    value = plain(value)
    if isinstance(value, datetime):
        if value.tzinfo is None or value.utcoffset() is None:
            raise ValueError(
                f"{value} has no time zone; give one, e.g. datetime(..., tzinfo=UTC), or write the time as text"
            )
        return seconds(value)
    if isinstance(value, date):
        return Span(value, value + timedelta(days=1))
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal, str)):
        raise ValueError(f"{value!r} is not a date or time; write {_WANTED}")
    if isinstance(value, (int, float, Decimal)):
        return _unix(value)
    text = " ".join(value.split())
    if _UNIX.fullmatch(text):
        return _unix(int(text))
    try:
        return _written(text, zone, now)
    except OverflowError:
        raise ValueError(f"{text!r} lies outside the calendar") from None


def _unix(value: float | Decimal) -> int:
    if int(value) != value:
        raise ValueError(f"{value!r} is not a whole number of Unix seconds")
    if abs(int(value)) >= 10**11:
        raise ValueError(f"{value} looks like milliseconds; Stripe counts seconds: {int(value) // 1000}")
    return int(value)


def _written(text: str, zone: tzinfo, now: datetime | None) -> Span | int:
    word = text.lower()
    if word == "now":
        return seconds(now or datetime.now(UTC))
    if word in _WORDS:
        day = (now or datetime.now(UTC)).astimezone(zone).date() + timedelta(days=_WORDS[word])
        return Span(day, day + timedelta(days=1))
    if relative := _RELATIVE.fullmatch(word):
        ahead, unit, back, unit_back = relative.groups()
        return _shift(
            now or datetime.now(zone), int(ahead or back), unit or unit_back, 1 if ahead else -1, zone
        )
    try:
        if _DAY.fullmatch(text):
            day = date.fromisoformat(text)
            return Span(day, day + timedelta(days=1))
        if month := _MONTH.fullmatch(text):
            first = date(int(month[1]), int(month[2]), 1)
            return Span(first, (first + timedelta(days=31)).replace(day=1))
        written = datetime.fromisoformat(text.upper().replace(" Z", "Z")) if _MOMENT.fullmatch(text) else None
    except ValueError as fault:
        raise ValueError(f"{text!r} is not a date or time: {fault}") from None
    if written is not None:
        return _local(written, text, zone)
    if re.fullmatch(r"\d{13}", text, re.ASCII):
        raise ValueError(f"{text} looks like milliseconds; Stripe counts seconds: {text[:10]}")
    if compact := re.fullmatch(r"(\d{4})(\d{2})(\d{2})", text, re.ASCII):
        raise ValueError(f"{text!r} could be a date or a number; write {'-'.join(compact.groups())}")
    raise ValueError(f"{text!r} is not a date or time; write {_WANTED}")


def _local(written: datetime, text: str, zone: tzinfo) -> int:
    if written.tzinfo is not None:
        return seconds(written)
    moment = written.replace(tzinfo=zone)
    if moment.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != written:
        raise ValueError(
            f"{text} doesn't exist in {zone} (clocks moved forward). Give another time or a UTC offset"
        )
    return seconds(moment)


def _shift(now: datetime, count: int, unit: str, sign: int, zone: tzinfo) -> int:
    """Days and weeks keep the clock time of the zone, whatever its clocks do in between; smaller units are plain seconds."""
    if length := _UNITS[unit]:
        return seconds(now.astimezone(UTC)) + sign * count * length
    return seconds(now.astimezone(zone) + sign * timedelta(days=count * (7 if unit == "week" else 1)))
