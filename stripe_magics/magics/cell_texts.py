"""Cells as people read them: amounts with their currency, times in the account's zone, objects and lists in a
line. Short, on one line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from stripe_magics import _locale

MAX_CELL = 60  # characters of a cell; the rest is cut


def is_missing(value: Any) -> bool:
    """None, NaN, NA or NaT."""
    not_a_number = isinstance(value, float) and math.isnan(value)
    return value is None or not_a_number or type(value).__name__ in {"NAType", "NaTType"}


def text(value: Any) -> str:
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
    return one if len(one) <= MAX_CELL else one[: MAX_CELL - 1] + "…"


def _several(items: Any) -> str:
    """A list in a cell: plain items as they are, funds by currency as money, anything else by its number."""
    if items and all(isinstance(each, dict) and {"amount", "currency"} <= each.keys() for each in items):
        from stripe_magics.money import format_amount

        return ", ".join(
            _locale.amount(format_amount(int(each["amount"]), str(each["currency"]))) for each in items
        )
    if not any(isinstance(each, (dict, list)) for each in items):
        return ", ".join(str(each) for each in items)
    return f"{len(items)} item{'' if len(items) == 1 else 's'}"


def _inner(value: Any) -> str:
    return (
        "{...}" if isinstance(value, dict) else f"[{len(value)}]" if isinstance(value, list) else str(value)
    )


def times(values: Any, zone: str, *, days: bool = False) -> list[str]:
    """Times in a zone; only their day where all of them are midnight, or where they mean days."""
    from zoneinfo import ZoneInfo

    if getattr(values.dtype, "tz", None) is not None and not days:
        values = values.dt.tz_convert(ZoneInfo(zone))
    whole_days = days or (
        bool(len(values)) and bool((values.dropna() == values.dropna().dt.normalize()).all())
    )
    form = "%Y-%m-%d" if whole_days else "%Y-%m-%d %H:%M"
    return ["" if is_missing(each) else _locale.moment(each, form) for each in values]


def money(values: Any, codes: Sequence[Any], units: str) -> list[str]:
    """Amounts with their currency; one without a currency as the number that it is."""
    from decimal import Decimal

    from stripe_magics.money import exponent, format_amount

    out = []
    for value, code in zip(values.astype("object"), codes, strict=True):
        if is_missing(value):
            out.append("")
        elif not isinstance(code, str):
            out.append(_locale.number(f"{value:,}") if isinstance(value, int) else str(value))
        elif units == "major":
            out.append(_locale.amount(f"{Decimal(str(value)):,.{exponent(code)}f} {code.upper()}"))
        elif Decimal(str(value)) == int(Decimal(str(value))):
            out.append(_locale.amount(format_amount(int(Decimal(str(value))), code)))
        else:  # a fraction of a minor unit
            out.append(_locale.amount(f"{Decimal(str(value)).scaleb(-exponent(code)):,f} {code.upper()}"))
    return out


# of a report's columns, by what they are
_FORMS = {"days": "{:,.1f}", "number": "{:,.2f}", "percent": "{:,.2f}"}


def numbers(values: Any, *, percent: bool, kind: str = "") -> list[str]:
    """Floats to six figures, a report's as what they are, or fractions in percent."""
    form = "{:.2%}" if percent else _FORMS.get(kind, "{:,.6g}")
    return ["" if is_missing(each) else _locale.number(form.format(each)) for each in values.astype("object")]
