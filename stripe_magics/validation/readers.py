"""How a value of each `Kind` is read: raw text, a cell's YAML or a Python value -> the typed value of its field.

- One reader a kind, in one table; a reader raises ValueError with words that say what was given and what to give.
- Text never decides its own type: `NO` is a country in a country field and false in a boolean one.
- numpy and pandas values are taken as the plain values they hold; a missing one is None (refused by whoever knows its name).
- Empty text is `UNSET` (clear it at Stripe); whether a field may be cleared is for `binding` to say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stripe_magics._form_encoding import UNSET, plain
from stripe_magics.catalogue.field import Field, Kind
from stripe_magics.validation import scalars, structures
from stripe_magics.validation.scalars import Context

__all__ = ["Context", "read", "read_filter"]

_FREE_TEXT = {Kind.TEXT, Kind.LONG_TEXT}  # where blanks may be meant


def read(field: Field, value: Any, context: Context) -> Any:
    """The typed value, None (nothing given) or UNSET. Raises ValueError. (Keys were looked for before: `refuse_keys`.)"""
    value = plain(value)
    if value is None or value is UNSET:
        return value
    if isinstance(value, str) and not value.strip() and (not value or field.kind not in _FREE_TEXT):
        return UNSET
    return _READERS[field.kind](field, value, context)


def read_filter(field: Field, value: Any, operator: str, context: Context) -> Any:
    """A timestamp filter beside the operator that stands in a field of its own."""
    value = plain(value)
    if isinstance(value, str) and not value.strip():
        return UNSET
    return (
        value
        if value is None or value is UNSET
        else scalars.read_timestamp_filter(field, value, context, operator)
    )


def _read_list(field: Field, value: Any, context: Context) -> list[Any]:
    """A list of texts, or of what the field says that its values are."""
    if field.items is None:
        return scalars.read_text_list(field, value, context)
    one = field.replace(kind=field.items, items=None)
    return [read(one, each, context) for each in scalars.list_items(value, split=isinstance(value, str))]


_READERS: dict[Kind, Callable[[Field, Any, Context], Any]] = {
    Kind.TEXT: scalars.read_text,
    Kind.LONG_TEXT: scalars.read_text,
    Kind.EMAIL: scalars.read_email,
    Kind.PHONE: scalars.read_text,
    Kind.URL: scalars.read_url,
    Kind.INTEGER: scalars.read_integer,
    Kind.MINOR_AMOUNT: scalars.read_minor_amount,
    Kind.BOOLEAN: scalars.read_boolean,
    Kind.CHOICE: scalars.read_choice,
    Kind.MULTI_CHOICE: scalars.read_multi_choice,
    Kind.TEXT_LIST: _read_list,
    Kind.OBJECT_ID: scalars.read_object_id,
    Kind.CURRENCY: scalars.read_currency,
    Kind.COUNTRY: scalars.read_country,
    Kind.LOCALE: scalars.read_locale,
    Kind.TIMESTAMP: scalars.read_timestamp,
    Kind.TIMESTAMP_FILTER: scalars.read_timestamp_filter,
    Kind.METADATA: structures.read_metadata,
    Kind.ROWS: lambda field, value, context: structures.read_rows(field, value, context, read),
    Kind.JSON: lambda field, value, context: structures.read_json(field, value, context, read),
    Kind.DECIMAL: scalars.read_decimal,
}
