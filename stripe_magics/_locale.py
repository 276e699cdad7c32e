"""How numbers and dates are written for people: as they are here (1,234.50 and 2026-09-30), or as a language
does.

    %stripe config --locale de        1.234,50 EUR, 30.09.2026, 12,5 %

It holds for tables, reports, plots and workbooks of this process. Values, messages, files and what a line
takes stay as they are. Babel (the extra `locale`) knows the languages; it is imported when one is set.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from stripe_magics._install import pip_install
from stripe_magics.errors import StripeMagicsError, UsageFault

_NUMBER = re.compile(r"([-+]?)([\d,]+)(?:\.(\d+))?")


class _Setting:
    """The locale that is set, None for none."""

    locale: Any = None


def set_locale(name: str) -> None:
    """Write numbers and dates as in that language: `de`, `de_CH`, `fr`, `en_IN`; "" for as they are. Raises
    `UsageFault`."""
    if not name:
        _Setting.locale = None
        return
    try:
        from babel import Locale
        from babel.core import UnknownLocaleError
    except ImportError:
        raise StripeMagicsError("Languages need Babel.", advice=pip_install("babel")) from None
    try:
        _Setting.locale = Locale.parse(name.replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        raise UsageFault(
            f"{name!r} is not a language that Babel knows. Examples: de, de_CH, fr, en_GB."
        ) from None


def locale_name() -> str:
    """The locale that is set, or ""."""
    return str(_Setting.locale) if _Setting.locale is not None else ""


def number(text: str) -> str:
    """A number as it is written here (`-1,234.50`, `12.5%`), in the locale; anything else stays."""
    locale = _Setting.locale
    if locale is None:
        return text
    percent = text.endswith("%")
    found = _NUMBER.fullmatch(text.removesuffix("%"))
    if found is None:
        return text
    from babel.numbers import format_decimal

    places = len(found[3] or "")
    standard = (locale.percent_formats if percent else locale.decimal_formats)[None].pattern.split(";")[0]
    plain = re.sub(
        r"[\d#.,]*0[#.,0]*",
        lambda match: _whole(match[0]) + ("." + "0" * places if places else ""),
        standard,
        count=1,
    )
    value = Decimal(text.removesuffix("%").replace(",", "")).scaleb(-2 if percent else 0)
    return str(format_decimal(value, format=plain, locale=locale))


def _whole(pattern: str) -> str:
    """The part of a pattern before its decimals: `#,##,##0`."""
    return pattern.partition(".")[0]


def amount(text: str) -> str:
    """`1,234.50 USD` in the locale."""
    if _Setting.locale is None:
        return text
    value, space, code = text.partition(" ")
    return number(value) + space + code


def moment(value: date | datetime, form: str) -> str:
    """A date or time, as `form` has it here (strftime), in the locale: `%H` in it means that the time is
    shown too."""
    locale = _Setting.locale
    if locale is None:
        return value.strftime(form)
    from babel.dates import format_date, format_skeleton

    if "%d" not in form:  # a month
        return str(format_skeleton("yMMM", value, locale=locale))
    day = str(format_date(value, "medium", locale=locale))
    return f"{day} {value.strftime('%H:%M')}" if "%H" in form else day


def date_pattern() -> str:
    """The pattern of a date for a spreadsheet: `yyyy-mm-dd`, or the locale's own in numbers."""
    locale = _Setting.locale
    if locale is None:
        return "yyyy-mm-dd"
    pattern = locale.date_formats["short"].pattern
    for letter, width in (("y", "yyyy"), ("M", "mm"), ("d", "dd")):
        pattern = re.sub(f"{letter}+", width, pattern)
    # marks of direction and eras: no spreadsheet has them
    pattern = re.sub(r"[\u200e\u200f]|\s*G+", "", pattern)
    return re.sub(r"'([^']*)'", r'"\1"', pattern).replace("/", r"\/")
