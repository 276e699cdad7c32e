"""Maps and lists in Arrow's own types, for readers that know no JSON: `map<string, ...>`, `struct<...>`,
`list<...>`.

Objects whose keys people choose (`metadata`, and what has ever new keys), and those that are always empty,
are maps: a struct without a field can't be written, and one with a field for each key would give every row
all of them. Other objects are structs of all the keys that came. A place that holds values of several types
(an id in one row, the object in another) has no such type.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import msgspec
import pyarrow as pa

from stripe_magics.frames.arrow_columns import json_field, path_of, with_path
from stripe_magics.frames.schema import MAX_SPREAD_KEYS
from stripe_magics.frames.typed_values import BATCH_ROWS, MixedValuesError, is_typed, typed_array, values_of

_LEAVES = {frozenset({str}): pa.string(), frozenset({bool}): pa.bool_(), frozenset({int}): pa.int64(),
           frozenset({float}): pa.float64(), frozenset({int, float}): pa.float64(),
           frozenset[type](): pa.string()}  # fmt: skip
_NONE = type(None)


class ValueShape:
    """What came at one place of a nested column, as far as it was shown."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._leaves: set[type] = set()
        self._keys: dict[str, ValueShape] = {}
        self._inside: ValueShape | None = None  # the items of lists, or the values of maps
        self._is_map = name.endswith("metadata")

    def observe(self, values: Sequence[Any]) -> None:
        """Take values in."""
        kinds = set(map(type, values)) - {_NONE}
        plain = {kind for kind in kinds if not issubclass(kind, (dict, list))}
        self._leaves |= plain
        if any(issubclass(kind, dict) for kind in kinds):
            self._leaves.add(dict)
            self._observe_objects([value for value in values if isinstance(value, dict)])
        if any(issubclass(kind, list) for kind in kinds):
            self._leaves.add(list)
            items = chain.from_iterable(value for value in values if isinstance(value, list))
            self._within(self.name).observe(list(items))

    def _observe_objects(self, objects: Sequence[dict[str, Any]]) -> None:
        if not self._is_map:
            keys = dict.fromkeys(chain.from_iterable(objects))
            for key in keys:
                child = self._keys.setdefault(key, ValueShape(key))
                child.observe([each.get(key) for each in objects])
            if len(self._keys) > MAX_SPREAD_KEYS:
                self._become_map()
            return
        self._within("").observe([value for each in objects for value in each.values()])

    def _become_map(self) -> None:
        self._is_map = True
        for child in self._keys.values():
            self._within("").merge(child)
        self._keys = {}

    def _within(self, name: str) -> ValueShape:
        if self._inside is None:
            self._inside = ValueShape(name)
        return self._inside

    def merge(self, other: ValueShape) -> None:
        """Take in what another one was shown."""
        self._leaves |= other._leaves
        if other._inside is not None:
            self._within(other._inside.name).merge(other._inside)
        for key, child in other._keys.items():
            self._keys.setdefault(key, ValueShape(key)).merge(child)
        if self._is_map or other._is_map or len(self._keys) > MAX_SPREAD_KEYS:
            self._become_map()

    def type(self) -> pa.DataType:
        """The one type that takes all of it. Raises MixedValuesError."""
        if self._leaves == {dict}:
            if not self._keys:
                return pa.map_(pa.string(), self._within("").type())
            return pa.struct([(key, child.type()) for key, child in self._keys.items()])
        if self._leaves == {list}:
            return pa.list_(self._within(self.name).type())
        kinds = frozenset(self._leaves)
        if kinds not in _LEAVES:
            raise MixedValuesError(self.name)
        return _LEAVES[kinds]


def nested_array(values: Sequence[Any], name: str) -> tuple[pa.Field, pa.Array]:
    """The cells of the column of that name as an array of one type, with its field. Raises
    MixedValuesError."""
    shape = ValueShape(name)
    shape.observe(values)
    batches = [values[at : at + BATCH_ROWS] for at in range(0, len(values), BATCH_ROWS)]
    field, array = typed_array(batches, name, shape.type())
    return field, array.combine_chunks()


def as_json_text(table: pa.Table) -> pa.Table:
    """The table with JSON text in place of Arrow's own maps and lists: as parts are written while a list is
    read."""
    for place, field in enumerate(table.schema):
        if is_typed(field):
            texts = pa.chunked_array(
                [
                    pa.array(
                        [None if each is None else msgspec.json.encode(each) for each in values], pa.string()
                    )
                    for values in values_of(table.column(place), field)
                ],
                pa.string(),
            )
            table = table.set_column(place, with_path(json_field(field.name), path_of(field)), texts)
    return table


def json_values(column: pa.ChunkedArray) -> Iterator[list[Any]]:
    """The values of a column of JSON text, in batches."""
    decode = msgspec.json.Decoder().decode
    for at in range(0, len(column), BATCH_ROWS):
        texts = column.slice(at, BATCH_ROWS).to_pylist()
        yield [None if text is None else decode(text) for text in texts]
