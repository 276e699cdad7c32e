"""What a form says of one value as soon as it is entered: how it was understood, or what is wrong with it.
Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo

from stripe_magics.catalogue.field import Field, Kind
from stripe_magics.catalogue.kinds import kind_facts
from stripe_magics.errors import StripeMagicsError
from stripe_magics.forms.form_words import in_labels
from stripe_magics.forms.money_entry import as_line_value
from stripe_magics.forms.state import FormState, Raw, blank
from stripe_magics.money import CURRENCIES, format_amount, parse
from stripe_magics.validation import check as check_value
from stripe_magics.validation.countries import COUNTRIES
from stripe_magics.validation.currency_names import CURRENCY_NAMES


def check(field: Field, raw: Raw, state: FormState, zone: tzinfo) -> tuple[str, str]:
    """(error, reading) of a value; both "" for a blank one. Whether a blank one is missing is said when the
    form is sent."""
    if blank(raw):
        return "", ""
    currency = state.currency_for(field) if field.kind is Kind.MINOR_AMOUNT else ""
    try:
        if field.kind is Kind.MINOR_AMOUNT and isinstance(raw, str):
            raw = as_line_value(raw, currency, beside_in=state.currency_label(field))
        raw = state.line_value(field, raw)
        value = check_value(field, raw, zone=zone, currency=currency or None)
    except (ValueError, StripeMagicsError) as problem:
        # a fault of the value, or a key where none may be: both are words for the person
        return in_labels(str(problem).split("\n", maxsplit=1)[0], state.module), ""
    return "", read_back(field, value, currency or said_currency(field, raw), zone)


def said_currency(field: Field, raw: Raw) -> str:
    """The currency that stands in an amount itself: `25.00usd`."""
    if field.kind is not Kind.MINOR_AMOUNT:
        return ""
    try:
        return parse(str(raw)).currency or ""
    except ValueError:  # it has none, or not with this amount: the check has its words for that
        return ""


def read_back(field: Field, value: object, currency: str, zone: tzinfo) -> str:
    """How a value was understood, where that isn't plain from what was typed: `= 25.00 USD (2500)`."""
    reader = READINGS.get(kind_facts(field.kind).preview)
    return reader(value, currency, zone) if reader is not None else ""


def in_words(field: Field, raw: Raw, state: FormState) -> str:
    """A raw value as people read it, for a comparison or a question."""
    if blank(raw):
        return "(empty)"
    if isinstance(raw, Mapping):
        return ", ".join(
            f"{key}: {value}" if value != "" else f"{key}: (removed)" for key, value in raw.items()
        )
    if isinstance(raw, list):
        return "; ".join(
            in_words(field, each, state) if isinstance(each, Mapping) else str(each) for each in raw
        )
    if field.kind is Kind.MINOR_AMOUNT:
        return _amount(field, str(raw), state)
    return str(raw)


def _amount(field: Field, text: str, state: FormState) -> str:
    text = str(state.line_value(field, text))
    currency = state.currency_for(field) or said_currency(field, text)
    try:
        value = check_value(field, text, zone=UTC, currency=currency or None)
    except (ValueError, StripeMagicsError):
        return text
    return _money(value, currency, UTC).removeprefix("= ") or text


def _money(value: object, currency: str, zone: tzinfo) -> str:
    minor, code = getattr(value, "minor", value), (getattr(value, "currency", None) or currency)
    if not isinstance(minor, int):
        return ""
    if code not in CURRENCIES:
        return f"= {minor:,} in minor units" if minor else "= 0"
    return f"= {format_amount(minor, code)} ({minor})"


def _moment(value: object, currency: str, zone: tzinfo) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        return ""
    return f"= {datetime.fromtimestamp(value, zone):%a %d %b %Y, %H:%M} {zone_name(zone)}"


def _range(value: object, currency: str, zone: tzinfo) -> str:
    if not isinstance(value, dict):
        return ""
    signs = {"gt": "after", "gte": "from", "lt": "before", "lte": "until"}
    parts = [
        f"{signs[key]} {datetime.fromtimestamp(each, zone):%d %b %Y %H:%M}"
        for key, each in value.items()
        if key in signs and isinstance(each, int)
    ]
    return f"= {' and '.join(parts)} {zone_name(zone)}" if parts else ""


def zone_name(zone: tzinfo) -> str:
    return "UTC" if zone is UTC else str(zone)


def _country(value: object, currency: str, zone: tzinfo) -> str:
    return f"= {COUNTRIES.get(str(value), value)} ({value})"


def _currency(value: object, currency: str, zone: tzinfo) -> str:
    name = CURRENCY_NAMES.get(str(value), "")
    return f"= {name} ({value})" if name else ""


READINGS = {"country": _country, "currency": _currency, "money": _money, "moment": _moment, "range": _range}
