"""Days as people and spreadsheets of other countries write them -> as everything here reads them:
`31.01.2026`, `1/31/2026`, `31-Jan-2026`, `January 31, 2026`. Pure.

What can mean two days is refused with both: `1/2/2026`. A day between points has its day first everywhere.
"""

from __future__ import annotations

import re

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FULL = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
    "november", "december",
)  # fmt: skip
_HYPHENS = str.maketrans({"\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2212": "-"})
_TIME = r"(?P<time>(?:,?\s|T)\d{1,2}:\d{2}.*)?"
_YEAR_FIRST = re.compile(rf"(\d{{4}})([/.])(\d{{1,2}})\2(\d{{1,2}})\.?{_TIME}", re.ASCII)
_YEAR_LAST = re.compile(rf"(\d{{1,2}})([/.-])(\d{{1,2}})\2(\d{{4}}){_TIME}", re.ASCII)
_DAY_AND_NAME = re.compile(
    rf"(\d{{1,2}})(?:st|nd|rd|th)?[. -]\s?([a-z]{{3,9}})\.?,?[ -](\d{{4}}){_TIME}", re.ASCII | re.IGNORECASE
)
_NAME_AND_DAY = re.compile(
    rf"([a-z]{{3,9}})\.? (\d{{1,2}})(?:st|nd|rd|th)?,? (\d{{4}}){_TIME}", re.ASCII | re.IGNORECASE
)


def usual_spelling(text: str) -> str:
    """The text with its day as `2026-01-31`; any other text as it is. Raises ValueError for a day that can
    be read in two ways."""
    text = text.translate(_HYPHENS)
    if found := _YEAR_FIRST.fullmatch(text):
        return _iso(found[1], found[3], found[4], found)
    if found := _YEAR_LAST.fullmatch(text):
        first, sign, second, year = found[1], found[2], found[3], found[4]
        if sign == "." or int(first) > 12 or first.zfill(2) == second.zfill(2):
            return _iso(year, second, first, found)
        if int(second) > 12:
            return _iso(year, first, second, found)
        readings = [_iso(year, second, first), _iso(year, first, second)]
        raise ValueError(f"{text!r} can be two days; write {readings[0]} or {readings[1]}")
    if (found := _DAY_AND_NAME.fullmatch(text)) and (month := _month(found[2])):
        return _iso(found[3], month, found[1], found)
    if (found := _NAME_AND_DAY.fullmatch(text)) and (month := _month(found[1])):
        return _iso(found[3], month, found[2], found)
    return text


def _month(name: str) -> str:
    """The number of a month in English, whole or by its first letters; "" for another word."""
    low = name.lower()
    for number, (short, full) in enumerate(zip(_MONTHS, _FULL, strict=True), start=1):
        if low in {short, full} or (low == "sept" and short == "sep"):
            return str(number)
    return ""


def _iso(year: str, month: str, day: str, found: re.Match[str] | None = None) -> str:
    time = (found["time"] or "").lstrip(", T") if found is not None else ""
    hours, colon, rest = time.partition(":")
    return f"{year}-{month.zfill(2)}-{day.zfill(2)}" + (f" {hours.zfill(2)}{colon}{rest}" if time else "")
