"""Cells that hold an object or a list: a dict and a list that can't be changed.

Rows may share them safely, copies of a frame too, and they have a hash: `drop_duplicates`, `nunique`,
`groupby` and `merge` work on every column. `dict(cell)` and `list(cell)` are copies that can be changed. They
equal plain dicts and lists, and json, DuckDB, Arrow and spreadsheets take them as such; SQLite gets their
JSON text.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any, NoReturn


def _refuse(self: object, *_args: Any, **_options: Any) -> NoReturn:
    kind = "dict" if isinstance(self, dict) else "list"
    raise TypeError(f"This cell can't be changed (rows may share it); change a copy: {kind}(cell).")


def _less(self: object, other: object) -> Any:
    """An order of some kind, so that pandas can sort groups: that of the JSON text."""
    if not isinstance(other, (dict, list)):
        return NotImplemented
    return json.dumps(self, sort_keys=True) < json.dumps(other, sort_keys=True)


class ObjectCell(dict[str, Any]):
    """An object of Stripe's inside a cell."""

    __slots__ = ("_hash",)
    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = __ior__ = _refuse

    _hash: int

    def __hash__(self) -> int:  # type: ignore[override]
        try:
            return self._hash
        except AttributeError:
            self._hash = hash(frozenset(self.items()))
            return self._hash

    __lt__ = _less

    def __copy__(self) -> ObjectCell:
        return self

    def __deepcopy__(self, memo: object) -> ObjectCell:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return (ObjectCell, (dict(self),))


class ListCell(list[Any]):
    """A list of Stripe's inside a cell."""

    __slots__ = ("_hash",)
    __setitem__ = __delitem__ = append = extend = insert = pop = remove = clear = sort = reverse = _refuse
    __iadd__ = __imul__ = _refuse

    _hash: int

    def __hash__(self) -> int:  # type: ignore[override]
        try:
            return self._hash
        except AttributeError:
            self._hash = hash(tuple(self))
            return self._hash

    __lt__ = _less

    def __copy__(self) -> ListCell:
        return self

    def __deepcopy__(self, memo: object) -> ListCell:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return (ListCell, (list(self),))


def freeze(value: object, shared: dict[str, ObjectCell] | None = None) -> Any:
    """The value with every dict and list in it made unchangeable. Objects inside that are the same as one of
    that id in `shared` (the price of each line of an invoice) become that one; others are added to it."""
    if type(value) is dict:
        if not value:
            return _NO_OBJECT
        return ObjectCell(
            {key: _inner(inner, shared) if type(inner) in _LOOSE else inner for key, inner in value.items()}
        )
    if type(value) is list:
        if not value:
            return _NO_LIST
        return ListCell([_inner(inner, shared) if type(inner) in _LOOSE else inner for inner in value])
    return value


def _inner(value: object, shared: dict[str, ObjectCell] | None) -> Any:
    if shared is None or type(value) is not dict or type(named := value.get("id")) is not str:
        return freeze(value, shared)
    key = f"{value.get('object')} {named}"  # a plan has the id of its price
    known = shared.get(key)
    if known is not None and known == value and _same_types(known, value):
        return known
    made: ObjectCell = freeze(value, shared)
    if known is None and len(shared) < MAX_SHARED:
        shared[key] = made
    return made


def _same_types(known: Any, value: Any) -> bool:
    """Whether equal values are of the same types, too: 1, 1.0 and True are equal."""
    if isinstance(value, dict):
        return all(_same_types(known[key], inner) for key, inner in value.items())
    if isinstance(value, list):
        return all(map(_same_types, known, value))
    return type(known) is type(value)


def thaw(value: object) -> Any:
    """A copy in plain dicts and lists."""
    if isinstance(value, dict):
        return {key: thaw(inner) for key, inner in value.items()}
    return [thaw(inner) for inner in value] if isinstance(value, list) else value


_LOOSE = frozenset({dict, list})
_NO_OBJECT, _NO_LIST = ObjectCell(), ListCell()
MAX_SHARED = 10_000
"""How many objects inside the cells of a column are looked at for whether they come again."""


def as_json(value: object) -> str:
    """The cell as JSON text."""
    return json.dumps(value, ensure_ascii=False)


for _cell in (ObjectCell, ListCell):
    sqlite3.register_adapter(_cell, as_json)
