"""Readers of plain values: text, numbers, switches, choices, lists of them, moments.

Each takes (field, value, context) and returns the typed value, or raises ValueError with words that say what
was given and what to give.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import Any

from stripe_magics import dates, money
from stripe_magics._characters import fault_of_chosen, fault_of_wrapping, faults, first_fault
from stripe_magics._form_encoding import plain
from stripe_magics._text import closest_matches, shown
from stripe_magics._text import read_boolean as read_word
from stripe_magics.catalogue.field import Field, Kind, Role
from stripe_magics.validation import countries
from stripe_magics.validation.object_ids import check_id
from stripe_magics.validation.statement_descriptor import Part, descriptor

MAX_EXACT = 2**53  # a float beyond it no longer holds every whole number
_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s.,;<>]+")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")
_DESCRIPTORS: dict[str, Part] = {
    "statement_descriptor": "whole",
    "statement_descriptor_suffix": "suffix",
    "statement_descriptor_prefix": "prefix",
}


@dataclass(frozen=True, slots=True)
class ValueContext:
    """What a reader may need to know beside the value."""

    zone: tzinfo = UTC
    now: datetime | None = None
    currency: str | None = None  # of the call, where it has one
    operation: money.Operation = "charge"
    documented: bool = True  # declared by hand: its lists of choices are whole
    # Stripe's own parameter: values inside it that aren't known are passed on, and noted here
    passed: list[str] | None = None


class UnknownChoice(ValueError):
    """Not one of the choices; `near` says whether it looks like a slip, `dead` whether Stripe no longer knows
    it."""

    near: bool = False
    dead: bool = False


# Plain text


def read_text(field: Field, value: object, context: ValueContext) -> str:
    text = as_text(value)
    if field.max_length is not None and len(text) > field.max_length:
        raise ValueError(f"{len(text)} characters are given; the maximum is {field.max_length}")
    if field.pattern and not re.search(field.pattern, text):
        raise ValueError(
            f"{shown(text)} doesn't fit. {field.help}"
            if field.help
            else f"{shown(text)} doesn't fit {field.pattern}"
        )
    if field.param == "id" and (odd := fault_of_chosen(text)):  # it will be typed again
        raise ValueError(f"{shown(text)} {odd}")
    part = _DESCRIPTORS.get(_last(field.param)) if field.kind is Kind.TEXT else None
    if part:
        return descriptor(text, part if context.documented and context.operation == "charge" else "payout")
    return text


def read_email(field: Field, value: object, context: ValueContext) -> str:
    text = read_text(field, value, context).strip()
    odd = first_fault(text) or ("begins with mailto:; leave it out" if text.startswith("mailto:") else "")
    if odd:
        raise ValueError(f"{shown(text)} {odd}")
    if not _EMAIL.fullmatch(text):
        raise ValueError(f"{shown(text)} is not an e-mail address (example: jenny@example.com)")
    return text


def read_url(field: Field, value: object, context: ValueContext) -> str:
    text = read_text(field, value, context).strip()
    odd = fault_of_wrapping(text) or next(faults(text, dashes=False), "")
    if odd:
        raise ValueError(f"{shown(text)} {odd}")
    if not _URL.fullmatch(text):
        hint = (
            f"write https://{text}"
            if re.fullmatch(r"[\w-]+(\.[\w-]+)+(/\S*)?", text)
            else "write it whole, e.g. https://example.com/back"
        )
        raise ValueError(f"{shown(text)} is not a web address; {hint}")
    return text


def read_object_id(field: Field, value: object, context: ValueContext) -> str:
    if isinstance(value, Mapping) or (not isinstance(value, (str, int)) or isinstance(value, bool)):
        raise ValueError(f"a {type(value).__name__} is given; give the id itself, as text")
    text = str(value).strip()
    return check_id(text, field.object)


def read_currency(field: Field, value: object, context: ValueContext) -> str:
    text = as_text(value).strip()
    if not context.documented and text.isascii() and text.isalpha() and len(text) == 3:
        return text.lower()  # Stripe may know more than we do
    return money.read_currency(text)


def read_country(field: Field, value: object, context: ValueContext) -> str:
    text = as_text(value).strip()
    if not context.documented and text.isascii() and text.isalpha() and len(text) == 2:
        return text.upper()
    return countries.country(text)


def read_locale(field: Field, value: object, context: ValueContext) -> str:
    return countries.locale(as_text(value))


# Numbers and switches


def read_integer(field: Field, value: object, context: ValueContext) -> int | str:
    if field.role is Role.LIMIT and isinstance(value, str) and value.strip().lower() == "all":
        return "all"
    number = _whole(value, "a whole number")
    return _bounded(field, number)


def read_minor_amount(field: Field, value: object, context: ValueContext) -> int | money.Amount:
    """Whole minor units; an Amount where the text named its currency. A declared maximum is worth a warning
    only (`validation`)."""
    if isinstance(value, str):
        amount = money.parse(value, context.currency, context.operation)
    elif isinstance(value, float):
        raise ValueError(
            f"amounts can't be floats (got {shown(value)}). Use {_as_cents(value)} or text ('{value:.2f}usd')"
        )
    elif isinstance(value, Decimal) and (not value.is_finite() or "." in format(value, "f")):
        # 20.00 is as unclear as 20.50
        money.parse(format(value, "f"), context.currency, context.operation)  # raises, saying what to write
        raise ValueError(f"{value} is not a whole number of minor units")
    else:
        amount = money.Amount(
            money.check(_whole(value, "a whole number of minor units"), context.currency, context.operation)
        )
    if field.minimum is not None and amount.minor < field.minimum:
        raise ValueError(f"{shown(value)} is too little; the minimum is {field.minimum} (in minor units)")
    return amount if amount.currency else amount.minor


def _as_cents(value: float) -> str:
    """`cents (150)`: what a float may have meant."""
    return f"cents ({round(value * 100)})" if math.isfinite(value) and abs(value) < 2**40 else "whole cents"


def read_boolean(field: Field, value: object, context: ValueContext) -> bool:
    if isinstance(value, bool):
        return value
    found = read_word(str(value)) if isinstance(value, (str, int)) else None
    if found is not None:
        return found
    raise ValueError(f"{shown(value)} is neither true nor false (yes, no, on, off, 1, 0 are taken too)")


def read_decimal(field: Field, value: object, context: ValueContext) -> str:
    text = format(value, "f") if isinstance(value, Decimal) and value.is_finite() else shown(value)
    if isinstance(value, (str, int)):
        text = str(value).strip()
    if isinstance(value, float):
        text = format(Decimal(repr(value)), "f")
    if not re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", text):
        raise ValueError(f"{shown(value)} is not a decimal number (example: 12.5)")
    return text


def _whole(value: object, requested: str) -> int:
    if isinstance(value, bool):
        raise ValueError(f"{shown(value)} is not {requested}")
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]{1,30}", value.strip()):
        return int(value)
    if (
        isinstance(value, (float, Decimal))
        and math.isfinite(value)
        and value == int(value)
        and abs(int(value)) < MAX_EXACT
    ):
        return int(value)
    raise ValueError(f"{shown(value)} is not {requested}; digits only")


def _bounded(field: Field, number: int) -> int:
    if field.minimum is not None and number < field.minimum:
        raise ValueError(f"{number} is too small; the minimum is {field.minimum}")
    if field.maximum is not None and number > field.maximum:
        raise ValueError(f"{number} is too large; the maximum is {field.maximum}")
    return number


# Choices and lists


def read_choice(field: Field, value: object, context: ValueContext) -> str:
    if "true" in field.choices:  # yes, no, or one of some words
        truth = value if isinstance(value, bool) else read_word(value) if isinstance(value, str) else None
        if truth is not None:
            return "true" if truth else "false"
    text = as_text(value).strip()
    known = (*field.choices, *field.local_choices)
    if text in known or not known:
        return text
    folded = text.lower().replace("-", "_").replace(" ", "_")
    for each in known:
        if each.lower() == folded:
            return each
    if text in field.other_choices:
        return text
    if text in field.dead_choices:
        fault = UnknownChoice(
            f"{shown(text)} is a value of old that no API version since 2023 knows; leave it out"
        )
        fault.dead = True
        raise fault
    near = closest_matches(text, known)
    if not context.documented and not near:
        return text
    fault = UnknownChoice(f"{shown(text)} is not one of the choices; " + _choices_hint(near, known))
    fault.near = bool(near)
    raise fault


def _choices_hint(near: list[str], known: tuple[str, ...]) -> str:
    if near:
        return f"did you mean {' or '.join(near)}?"
    return (
        f"write one of {', '.join(known)}"
        if len(known) <= 12
        else f"write one of {', '.join(known[:8])} ... (--help lists all {len(known)})"
    )


def read_multi_choice(field: Field, value: object, context: ValueContext) -> list[str]:
    return _distinct(read_choice(field, each, context) for each in list_items(value, split=True))


def read_text_list(field: Field, value: object, context: ValueContext) -> list[str]:
    items = list_items(value, split=isinstance(value, str) or bool(field.object) or field.name == "expand")
    if field.object:
        items = [check_id(as_text(each).strip(), field.object) for each in items]
    texts = [as_text(each) for each in items]
    if field.maximum is not None and len(texts) > field.maximum:
        raise ValueError(f"{len(texts)} are given; the maximum is {field.maximum}")
    return _distinct(texts)


def list_items(value: object, *, split: bool) -> list[Any]:
    """The values of a list, of one value, or of text with commas where it may be split."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = json_text(value)
    if isinstance(value, (set, frozenset)):
        raise ValueError("a set has no order; give a list")
    if not isinstance(value, list) and (
        isinstance(value, (str, int, Decimal)) and not isinstance(value, bool)
    ):
        value = [value]
    if not isinstance(value, list):
        raise ValueError(
            f"{shown(value)} is not a list; repeat the flag, separate values by commas, or give a list"
        )
    items: list[Any] = []
    for each in value:
        item = plain(each)
        if item is None:
            raise ValueError("the list holds a missing value; leave it out")
        items.extend(
            [part.strip() for part in re.split(r"[,\n]", item) if part.strip()]
            if split and isinstance(item, str)
            else [item]
        )
    return items


def _distinct(items: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(items))


# Time


def read_timestamp(field: Field, value: object, context: ValueContext) -> int | str:
    if isinstance(value, str) and value in field.choices:  # a word that Stripe takes in place of a moment
        return value
    return dates.moment(value, context.zone, context.now)


def read_timestamp_filter(
    field: Field, value: object, context: ValueContext, operator: str = ""
) -> dates.Range:
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        value = json_text(value)
    return dates.between(
        value, context.zone, operator=operator, days=UTC if field.utc_days else None, now=context.now
    )


def json_text(text: str) -> Any:
    def refuse(constant: str) -> Any:
        raise ValueError(f"{constant} can't be sent")

    try:
        return json.loads(text, parse_float=Decimal, parse_constant=refuse)
    except json.JSONDecodeError as fault:
        raise ValueError(
            f"the JSON can't be read: {fault.msg} at line {fault.lineno}, column {fault.colno}"
        ) from None


# Words


def as_text(value: object) -> str:
    if isinstance(value, str):
        if not value.isascii():
            _whole_characters(value)
        return value
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, float, date)):
        raise ValueError(f"a {type(value).__name__} is given; give text")
    if isinstance(value, (float, Decimal)) and not math.isfinite(value):
        raise ValueError(f"{value} is not a value; give text or a number")
    if isinstance(value, float):
        if abs(value) >= MAX_EXACT:
            raise ValueError(
                f"{shown(value)} is a float, and its last digits are lost (a blank cell turns a column of"
                " numbers into floats); read the column as text: dtype=str"
            )
        value = int(value) if value.is_integer() else Decimal(repr(value))
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _whole_characters(value: str) -> None:
    if any("\ud800" <= each <= "\udfff" for each in value):
        raise ValueError("the text contains an invalid Unicode character; retype it")


def _last(param: str) -> str:
    return param.removesuffix("]").rpartition("[")[2]
