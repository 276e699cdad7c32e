"""What is known of each Stripe object: its fields, their kinds, and the columns that they become.

The facts are the catalogue's (`catalogue/generated/objects.py`), by API version: nested as the object is, a
leaf being a kind. A nested object becomes columns joined by underscores; the id of an object inside another
is the column of its own name. What an account sends beyond these facts is learned while reading and becomes
further columns at the end.

| kind | column |
|---|---|
| text, ref (an id), decimal, secret (shown masked) | text |
| currency, or a list of choices | text: Stripe's lists grow |
| an interval (day, week, month, year) | ordered category |
| int, int? | int64; Int64 where it may be missing |
| time | datetime64[us, UTC] |
| bool | boolean |
| number | float64 |
| map, list, sublist | dicts and lists that can't be changed (`cells.py`); `dict(cell)` is a copy that can |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from stripe_magics._redaction import is_secret_field
from stripe_magics.catalogue.generated.objects import facts, release
from stripe_magics.catalogue.versions import PINNED_VERSION

__all__ = [
    "INTERVALS", "MAX_SPREAD_KEYS", "SCALARS", "Column", "Schema", "facts", "kind_by_name", "kind_of_fact",
    "kind_of_nulls", "known", "masked", "release", "schema",
]  # fmt: skip

HEAD = (
    "id",
    "created",
    "amount",
    "amount_due",
    "total",
    "net",
    "fee",
    "currency",
    "status",
    "type",
    "customer",
    "name",
    "email",
    "description",
)
TAIL = ("metadata", "livemode", "object")
SCALARS = frozenset(
    {
        "text",
        "ref",
        "decimal",
        "secret",
        "currency",
        "int",
        "int?",
        "time",
        "bool",
        "number",
        "enum",
        "interval",
    }
)

MAX_SPREAD_KEYS = 60
"""An unknown object with more keys than that is a map: one column."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, where it stands in the object, its kind and (of an enum) its choices."""

    name: str
    path: tuple[str, ...]
    kind: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Schema:
    """The fixed columns of an object type, in the order in which they are shown."""

    object: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(each.name for each in self.columns)


def known(object_type: str) -> bool:
    """Whether the object type has fixed columns."""
    return object_type in facts()


@cache
def schema(object_type: str, version: str = PINNED_VERSION) -> Schema:
    """The fixed columns of an object type at an API version; none but `id` for one that is not known."""
    tree = facts(version).get(object_type, {"id": "text"})
    return Schema(object_type, tuple(sorted(_columns(tree, (), "", object_type), key=_rank)))


def _columns(
    tree: Mapping[str, Any], path: tuple[str, ...], prefix: str, owner: str = ""
) -> Iterator[Column]:
    for key, kind in tree.items():
        if key == "@":
            yield Column(prefix.removesuffix("_"), (*path, "id"), "ref")
        elif isinstance(kind, Mapping):
            yield from _columns(kind, (*path, key), f"{prefix}{key}_")
        elif kind == "sublist":
            yield Column(prefix + key, (*path, key), "sublist")
            yield Column(f"{prefix}{key}_has_more", (*path, key, "has_more"), "bool")
        elif isinstance(kind, list):
            yield Column(
                prefix + key, (*path, key), kind_of_fact(key, kind), tuple(each for each in kind if each)
            )
        elif kind == "text" and is_secret_field(owner, key):
            yield Column(prefix + key, (*path, key), "secret")
        else:
            yield Column(prefix + key, (*path, key), kind_of_fact(key, kind))


def _rank(column: Column) -> tuple[int, int]:
    """What a person looks for first stands first; the rest keeps Stripe's (alphabetical) order."""
    if column.name in HEAD:
        return 0, HEAD.index(column.name)
    return (2, TAIL.index(column.name)) if column.name in TAIL else (1, 0)


INTERVALS = frozenset({"day", "week", "month", "year"})


def kind_of_fact(key: str, known: object) -> str:
    """The kind of a field by what the facts say of it: a kind or a list of choices; "" for what they don't
    know."""
    if isinstance(known, list):
        return "interval" if key == "interval" and INTERVALS.issuperset(filter(None, known)) else "enum"
    return known if isinstance(known, str) else ""


_TIMES = frozenset(
    {
        "created",
        "date",
        "arrival_date",
        "available_on",
        "current_period_start",
        "current_period_end",
        "period_start",
        "period_end",
    }
)


def kind_by_name(key: str, value_type: type) -> str:
    """The kind of a field that the facts don't have, from its key and the type of its values; "any" where
    only nulls are known."""
    if value_type is int:
        return "time" if key in _TIMES or key.endswith(("_at", "_date")) else "int?"
    if value_type is str:
        return "currency" if key.endswith("currency") else "interval" if key == "interval" else "text"
    return {bool: "bool", float: "number", list: "list"}.get(value_type, "any")


def kind_of_nulls(key: str) -> str:
    """The kind of a column that has no value at all and that the facts don't have."""
    if kind_by_name(key, int) == "time":
        return "time"
    return "int?" if key.startswith("amount") or key.endswith("amount") else kind_by_name(key, str)


def masked(object_type: str, key: str) -> bool:
    """Whether a field may never be shown."""
    return is_secret_field(object_type, key)
