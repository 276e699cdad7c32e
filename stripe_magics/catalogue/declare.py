"""Short forms for declaring fields: one function a kind.

`email("receipt_email", "Receipt Email", "Address that gets the receipt.")` is a `Field` of that kind. Its
parameter is its name unless `param` says otherwise; `when` is written as a dict. Any other part of a `Field`
is passed by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from stripe_magics.catalogue.field import Field, Kind, Role, conditions


def _of(kind: Kind) -> Callable[..., Field]:
    def declare(
        name: str,
        label: str,
        help: str,
        /,
        *,
        param: str = "",
        when: Mapping[str, Any] | None = None,
        **parts: Any,
    ) -> Field:
        shown = conditions(when) if when else ()
        return Field(name=name, label=label, kind=kind, help=help, param=param or name, when=shown, **parts)

    return declare


text = _of(Kind.TEXT)
long_text = _of(Kind.LONG_TEXT)
email = _of(Kind.EMAIL)
phone = _of(Kind.PHONE)
url = _of(Kind.URL)
integer = _of(Kind.INTEGER)
minor_amount = _of(Kind.MINOR_AMOUNT)
boolean = _of(Kind.BOOLEAN)
choice = _of(Kind.CHOICE)
multi_choice = _of(Kind.MULTI_CHOICE)
text_list = _of(Kind.TEXT_LIST)
object_id = _of(Kind.OBJECT_ID)
currency = _of(Kind.CURRENCY)
country = _of(Kind.COUNTRY)
timestamp = _of(Kind.TIMESTAMP)
timestamp_filter = _of(Kind.TIMESTAMP_FILTER)
pairs = _of(Kind.METADATA)
rows = _of(Kind.ROWS)
json = _of(Kind.JSON)


def path_id(name: str, label: str, help: str, /, *, object: str = "") -> Field:
    """The id in the path of the module's endpoint; it names an object of the field's own name unless `object`
    says otherwise."""
    return object_id(name, label, help, param="path", object=object or name, required=True)


def switch(name: str, label: str, help: str, /, *choices: str, **parts: Any) -> Field:
    """A choice that only decides which other fields apply."""
    return choice(name, label, help, param="client", role=Role.SWITCH, choices=choices, **parts)


def words(text: str) -> tuple[str, ...]:
    """Choices, written as a text with spaces between them."""
    return tuple(text.split())
