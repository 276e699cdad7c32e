"""How a value of each `Kind` is read: raw text, a cell's YAML or a Python value -> the typed value of its
field.

- Which reader a kind has stands in its entry (`catalogue/kinds.py`); a reader raises ValueError with words
  that say what was given and what to give.
- Text never decides its own type: `NO` is a country in a country field and false in a boolean one.
- numpy and pandas values are taken as the plain values they hold; a missing one is None (refused by whoever
  knows its name).
- Empty text is `UNSET` (clear it at Stripe); whether a field may be cleared is for `validation` to say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stripe_magics._form_encoding import UNSET, plain
from stripe_magics.catalogue.field import Field
from stripe_magics.catalogue.kinds import kind_facts
from stripe_magics.validation import scalars, structures
from stripe_magics.validation.scalars import ValueContext

__all__ = ["ValueContext", "read", "read_filter"]


def read(field: Field, value: object, context: ValueContext) -> Any:
    """The typed value, None (nothing given) or UNSET. Raises ValueError. (Keys were looked for before:
    `refuse_keys`.)"""
    value = plain(value)
    if value is None or value is UNSET:
        return value
    if (
        isinstance(value, str)
        and not value.strip()
        and (not value or not kind_facts(field.kind).keeps_blanks)
    ):
        return UNSET
    return READERS[kind_facts(field.kind).reader](field, value, context)


def read_filter(field: Field, value: object, operator: str, context: ValueContext) -> Any:
    """A timestamp filter beside the operator that stands in a field of its own."""
    value = plain(value)
    if isinstance(value, str) and not value.strip():
        return UNSET
    return (
        value
        if value is None or value is UNSET
        else scalars.read_timestamp_filter(field, value, context, operator)
    )


def _read_list(field: Field, value: object, context: ValueContext) -> list[Any]:
    """A list of texts, or of what the field says that its values are."""
    if field.items is None:
        return scalars.read_text_list(field, value, context)
    one = field.replace(kind=field.items, items=None)
    return [read(one, each, context) for each in scalars.list_items(value, split=isinstance(value, str))]


READERS: dict[str, Callable[[Field, Any, ValueContext], Any]] = {
    "text": scalars.read_text,
    "email": scalars.read_email,
    "url": scalars.read_url,
    "integer": scalars.read_integer,
    "minor_amount": scalars.read_minor_amount,
    "boolean": scalars.read_boolean,
    "choice": scalars.read_choice,
    "multi_choice": scalars.read_multi_choice,
    "text_list": _read_list,
    "object_id": scalars.read_object_id,
    "currency": scalars.read_currency,
    "country": scalars.read_country,
    "locale": scalars.read_locale,
    "timestamp": scalars.read_timestamp,
    "timestamp_filter": scalars.read_timestamp_filter,
    "metadata": structures.read_metadata,
    "rows": lambda field, value, context: structures.read_rows(field, value, context, read),
    "json": lambda field, value, context: structures.read_json(field, value, context, read),
    "decimal": scalars.read_decimal,
}
"""By the name that a kind's entry in `catalogue/kinds.py` gives."""
