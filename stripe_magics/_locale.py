"""How numbers, amounts and dates are written for people: as they are here (1,234.50 and 2026-09-30), or as a
language does.

    %stripe config --locale de        1.234,50 EUR, 30.09.2026, 12,5 %

One rule: data that is shown follows (tables, cards, today's page, search results, the panel of a watch,
reports, plots, workbooks). What a person types and what answers it (lines, forms' controls, messages, notes),
values, and files for machines (CSV, JSON, Parquet, journals) stay as they are. The currency stands behind its
amount, times have 24 hours, and digits are those of the values.

Babel (the extra `locale`) knows the languages; it is imported when one is set.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from stripe_magics._install import pip_install
from stripe_magics.errors import StripeMagicsError, UsageFault

_NUMBER = re.compile(r"([-+]?)([\d,]+)(?:\.(\d+))?")
_TIME = re.compile(r"[ ,]*%H.*")
_MARKS = re.compile("[\u061c\u200e\u200f]")
"""Marks of direction: they would turn the order of a date among texts that read from left to right."""


@dataclass(frozen=True, slots=True)
class _Notation:
    """How a language writes a kind of number."""

    before: str
    after: str
    first_group: int
    further_groups: int

    @classmethod
    def of(cls, pattern: Any) -> _Notation:
        """From Babel's pattern, whose literals stand in quotes."""
        before, after = (each[0].replace("'", "") for each in (pattern.prefix, pattern.suffix))
        return cls(before, after, *pattern.grouping)


@dataclass(frozen=True, slots=True)
class _Language:
    """What of a language is used here."""

    locale: Any
    group: str
    point: str
    decimal: _Notation
    percent: _Notation

    @classmethod
    def of(cls, locale: Any) -> _Language:
        """What Babel knows of it. Babel's own `format_decimal` takes the apostrophes of a Swiss million for
        quotes and drops them."""
        from babel.numbers import get_decimal_symbol, get_group_symbol, parse_pattern

        decimal, percent = (
            _Notation.of(parse_pattern(each[None].pattern))
            for each in (locale.decimal_formats, locale.percent_formats)
        )
        return cls(locale, get_group_symbol(locale), get_decimal_symbol(locale), decimal, percent)

    def write(self, sign: str, whole: str, fraction: str, notation: _Notation) -> str:
        """A number of which the digits are known."""
        groups: list[str] = []
        size = notation.first_group
        while len(whole) > size:
            groups.insert(0, whole[-size:])
            whole, size = whole[:-size], notation.further_groups
        digits = self.group.join([whole, *groups])
        decimals = self.point + fraction if fraction else ""
        return f"{sign}{notation.before}{digits}{decimals}{notation.after}"


class _Setting:
    """The language that is set, None for none."""

    language: _Language | None = None


def set_locale(name: str) -> None:
    """Write numbers and dates as in that language: `de`, `de_CH`, `fr`, `en_IN`; "" for as they are. Raises
    `UsageFault`."""
    if not name:
        _Setting.language = None
        return
    try:
        from babel import Locale
        from babel.core import UnknownLocaleError
    except ImportError:
        raise StripeMagicsError("Languages need Babel.", advice=pip_install("babel")) from None
    try:
        _Setting.language = _Language.of(Locale.parse(name.replace("-", "_")))
    except (ValueError, UnknownLocaleError):
        raise UsageFault(
            f"{name[:40]!r} is not a language that Babel knows. Examples: de, de_CH, fr, en_GB."
        ) from None


def locale_name() -> str:
    """The locale that is set, or ""."""
    return str(_Setting.language.locale) if _Setting.language is not None else ""


def number(text: str) -> str:
    """A number as it is written here (`-1,234.50`, `12.5%`), in the locale; anything else stays."""
    language = _Setting.language
    if language is None:
        return text
    found = _NUMBER.fullmatch(text.removesuffix("%"))
    if found is None:
        return text
    notation = language.percent if text.endswith("%") else language.decimal
    return language.write(found[1], found[2].replace(",", ""), found[3] or "", notation)


def amount(text: str) -> str:
    """`1,234.50 USD` in the locale."""
    if _Setting.language is None:
        return text
    value, space, code = text.partition(" ")
    return number(value) + space + code


def moment(value: date | datetime, form: str, *, in_numbers: bool = False) -> str:
    """A date or time, as `form` has it here (strftime), in the locale: with the parts that `form` has.

    In numbers (`9/2026`) where asked for, and where a language is written from right to left: its words
    between Latin digits would turn their order.
    """
    language = _Setting.language
    if language is None:
        return value.strftime(form)
    clock = _TIME.search(form)
    at = value.strftime(clock[0]) if clock is not None else ""
    day = form[: clock.start()] if clock is not None else form
    in_numbers = in_numbers or language.locale.character_order == "right-to-left"
    return (_day(value, day, language.locale, in_numbers=in_numbers) if day else "") + at


def _day(value: date | datetime, form: str, locale: Any, *, in_numbers: bool) -> str:
    from babel.dates import format_date, format_skeleton

    if "%d" not in form:
        return _MARKS.sub("", str(format_skeleton("yM" if in_numbers else "yMMM", value, locale=locale)))
    if "%Y" not in form:
        return _MARKS.sub("", str(format_skeleton("Md" if in_numbers else "MMMd", value, locale=locale)))
    if in_numbers:
        return str(format_date(value, _numeric_pattern(locale, "dd", "MM", "y"), locale=locale))
    return str(format_date(value, "full" if "%A" in form else "medium", locale=locale))


def _numeric_pattern(locale: Any, day: str, month: str, year: str) -> str:
    """The locale's short date with whole years, without marks of direction and eras."""
    pattern = str(locale.date_formats["short"].pattern)
    for letter, part in (("y", year), ("M", month), ("d", day)):
        pattern = re.sub(f"{letter}+", part, pattern)
    return re.sub(r"\s*G+", "", _MARKS.sub("", pattern))


def date_pattern() -> str:
    """The pattern of a date for a spreadsheet: `yyyy-mm-dd`, or the locale's own in numbers."""
    if _Setting.language is None:
        return "yyyy-mm-dd"
    pattern = _numeric_pattern(_Setting.language.locale, "dd", "mm", "yyyy")
    return re.sub(r"'([^']*)'", r'"\1"', pattern).replace("/", r"\/")
