"""Cells as people read them: amounts with their currency, times in the account's zone, objects and lists in a
line. Short, on one line."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from stripe_magics import _locale
from stripe_magics.money import exponent, format_amount, format_amounts

MAX_CELL = 60  # characters of a cell; the rest is cut
_SPACED = re.compile(r"[^\S ]|  | \0|\0 |\A | \Z")
"""White space that a cell on one line doesn't have, in cells joined by `\\0`."""


def is_missing(value: object) -> bool:
    """None, NaN, NA or NaT."""
    not_a_number = isinstance(value, float) and math.isnan(value)
    return value is None or not_a_number or type(value).__name__ in {"NAType", "NaTType"}


def text(value: object, most: int = MAX_CELL) -> str:
    """A cell's text, on one line and short."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        value = ", ".join(f"{key}={_inner(each)}" for key, each in value.items())
    elif isinstance(value, (list, tuple)):
        value = _several(value)
    elif is_missing(value):
        return ""
    one = " ".join(str(value).split())
    return one if len(one) <= most else one[: most - 1] + "…"


def texts(values: Any, most: int = MAX_CELL) -> list[str]:
    """A column's cells. Most are text that stays as it is, and are seen to be so all at once."""
    cells: list[Any] = values.astype("object").tolist()
    if all(type(each) is str for each in cells):
        joined = "\0".join(cells)
        if max(map(len, cells), default=0) <= most and not _SPACED.search(joined):
            return cells
    return [text(each, most) for each in cells]


def _several(items: Any) -> str:
    """A list in a cell: plain items as they are, funds by currency as money, anything else by its number."""
    if items and all(isinstance(each, dict) and {"amount", "currency"} <= each.keys() for each in items):
        return ", ".join(
            _locale.amount(format_amount(int(each["amount"]), str(each["currency"]))) for each in items
        )
    if not any(isinstance(each, (dict, list)) for each in items):
        return ", ".join(_inner(each) for each in items)
    return f"{len(items)} item{'' if len(items) == 1 else 's'}"


def _inner(value: Any) -> str:
    if isinstance(value, float):
        return _locale.number(str(value))
    return (
        "{...}" if isinstance(value, dict) else f"[{len(value)}]" if isinstance(value, list) else str(value)
    )


def times(values: Any, zone: str, *, days: bool = False, day_only: bool = False) -> list[str]:
    """Times in a zone; only their day where all of them are midnight, where they mean days, or where that is
    asked for."""
    from zoneinfo import ZoneInfo

    if getattr(values.dtype, "tz", None) is not None and not days:
        values = values.dt.tz_convert(ZoneInfo(zone))
    whole_days = (
        days
        or day_only
        or (bool(len(values)) and bool((values.dropna() == values.dropna().dt.normalize()).all()))
    )
    if not _locale.locale_name():
        return _iso_times(values, whole_days=whole_days)
    form = "%Y-%m-%d" if whole_days else "%Y-%m-%d %H:%M"
    return ["" if is_missing(each) else _locale.moment(each, form) for each in values]


def _iso_times(values: Any, *, whole_days: bool) -> list[str]:
    """`2026-09-30` or `2026-09-30 14:05`."""
    import numpy as np

    plain = values.dt.tz_localize(None) if getattr(values.dtype, "tz", None) is not None else values
    shown = np.datetime_as_string(plain.to_numpy(), unit="D" if whole_days else "m")
    return ["" if each == "NaT" else each.replace("T", " ") for each in shown.tolist()]


def money(values: Any, codes: Sequence[Any], units: str) -> list[str]:
    """Amounts with their currency; one without a currency as the number that it is."""
    if units != "major" and values.dtype.kind in "iu" and values.notna().all():
        cells, own = values.tolist(), set(codes)
        if all(isinstance(code, str) for code in own):
            by_code = {
                code: iter(
                    format_amounts((n for n, each in zip(cells, codes, strict=True) if each == code), code)
                )
                for code in own
            }
            return [_locale.amount(next(by_code[code])) for code in codes]
    return [_amount(value, code, units) for value, code in zip(values.astype("object"), codes, strict=True)]


def _amount(value: Any, code: Any, units: str) -> str:
    if is_missing(value):
        return ""
    if not isinstance(code, str):
        return count(value) if isinstance(value, int) else str(value)
    if units != "major" and type(value) is int:
        return _locale.amount(format_amount(value, code))
    number = Decimal(str(value))
    if units == "major":
        return _locale.amount(f"{number:,.{exponent(code)}f} {code.upper()}")
    if number == int(number):
        return _locale.amount(format_amount(int(number), code))
    # a fraction of a minor unit
    return _locale.amount(f"{number.scaleb(-exponent(code)):,f} {code.upper()}")


# of a report's columns, by what they are
_FORMS = {"days": "{:,.1f}", "number": "{:,.2f}", "percent": "{:,.2f}"}


def count(value: int) -> str:
    """`1,234`."""
    return _locale.number(f"{value:,}")


def numbers(values: Any, *, percent: bool, kind: str = "") -> list[str]:
    """Floats to six figures, a report's as what they are, or fractions in percent."""
    form = "{:.2%}" if percent else _FORMS.get(kind, "{:,.6g}")
    return ["" if is_missing(each) else _locale.number(form.format(each)) for each in values.astype("object")]
