"""No key may stand in a value: whatever looks like one is refused before it is used, shown or kept."""

from __future__ import annotations

from collections.abc import Mapping

from stripe_magics._redaction import contains_key
from stripe_magics.catalogue.field import Field
from stripe_magics.errors import KeyRefused


def refuse_keys(value: object, field: Field | None = None) -> None:
    """Raise KeyRefused if there is a key in the text, or anywhere in nested values. The key is never
    repeated."""
    if isinstance(value, str):
        if contains_key(value):
            where = f"in {field.flag}" if field is not None else "in this call"
            raise KeyRefused(
                f"There is a Stripe key {where}. It was not used.",
                advice=(
                    "Keys come from %stripe connect only. Delete it here, and roll the key in the Dashboard"
                    " if others may have seen it."
                ),
            )
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            refuse_keys(key, field)
            refuse_keys(inner, field)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            refuse_keys(inner, field)
