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


def _refuse(self: Any, *_args: Any, **_options: Any) -> NoReturn:
    kind = "dict" if isinstance(self, dict) else "list"
    raise TypeError(f"This cell can't be changed (rows may share it); change a copy: {kind}(cell).")


def _less(self: Any, other: Any) -> Any:
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


def freeze(value: Any) -> Any:
    """The value with every dict and list in it made unchangeable."""
    if type(value) is dict:
        return ObjectCell(
            {key: freeze(inner) if type(inner) in _LOOSE else inner for key, inner in value.items()}
        )
    if type(value) is list:
        return ListCell([freeze(inner) if type(inner) in _LOOSE else inner for inner in value])
    return value


def thaw(value: Any) -> Any:
    """A copy in plain dicts and lists."""
    if isinstance(value, dict):
        return {key: thaw(inner) for key, inner in value.items()}
    return [thaw(inner) for inner in value] if isinstance(value, list) else value


_LOOSE = frozenset({dict, list})


def as_json(value: Any) -> str:
    """The cell as JSON text."""
    return json.dumps(value, ensure_ascii=False)


for _cell in (ObjectCell, ListCell):
    sqlite3.register_adapter(_cell, as_json)
