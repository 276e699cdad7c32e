"""Maps and lists in Arrow's own types, for readers that know no JSON: `map<string, ...>`, `struct<...>`,
`list<...>`.

- Objects whose keys people choose (`metadata`, and what has ever new keys), and those that are always empty,
  are maps: a struct without a field can't be written, and one with a field for each key would give every row
  all of them. Other objects are structs of all the keys that came. A place that holds values of several types
  (an id in one row, the object in another) has no such type.
- A struct has all its fields in every row. Which of them a row's object didn't have is noted in the column's
  own metadata, so that the values come back equal.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import msgspec
import pyarrow as pa

from stripe_magics.frames.arrow_columns import json_field, path_of, with_path
from stripe_magics.frames.schema import MAX_SPREAD_KEYS

BATCH_ROWS = 1_000  # whose values are in memory as Python's own at a time
_ABSENT = b"absent"  # of a field: the keys that objects didn't have, for each batch of rows
_LEAVES = {frozenset({str}): pa.string(), frozenset({bool}): pa.bool_(), frozenset({int}): pa.int64(),
           frozenset({float}): pa.float64(), frozenset({int, float}): pa.float64(),
           frozenset[type](): pa.string()}  # fmt: skip
_INSIDE = "*"  # in a path: the items of a list, the values of a map
_NONE = type(None)

Absences = list[tuple[list[str], str]]
"""Where (the path of a key) and of which objects a key was absent, in the objects' order: "" for all that
have no value there, else packed bits."""


class MixedValuesError(ValueError):
    """One place holds values that no single type takes."""


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


# Writing ----------------------------------------------------------------------------------------------------
def nested_array(values: Sequence[Any], name: str) -> tuple[pa.Field, pa.Array]:
    """The cells of the column of that name as an array of one type, with its field. Raises
    MixedValuesError."""
    shape = ValueShape(name)
    shape.observe(values)
    batches = [values[at : at + BATCH_ROWS] for at in range(0, len(values), BATCH_ROWS)]
    field, array = typed_array(batches, name, shape.type())
    return field, array.combine_chunks()


def typed_array(
    batches: Iterable[Sequence[Any]], name: str, kind: pa.DataType
) -> tuple[pa.Field, pa.ChunkedArray]:
    """Cells (in batches of `BATCH_ROWS`) as an array of that type, with the field that says how they come
    back equal. Raises MixedValuesError for whole numbers that it doesn't take."""
    chunks, absent = [], []
    convert = _to_arrow(kind)
    try:
        for values in batches:
            pairs = values if convert is None else [convert(value) for value in values]
            chunks.append(pa.array(pairs, kind))
            found = _AbsentKeys()
            _walk(values, kind, (), found)
            absent.append(found.noted)
    except (pa.ArrowException, OverflowError, UnicodeError) as fault:  # beyond 64 bits, or no float's
        raise MixedValuesError(name) from fault
    field = pa.field(name, kind, metadata={_ABSENT: json.dumps(absent).encode()})
    return field, pa.chunked_array(chunks, kind)


_Convert = Callable[[Any], Any]
_Path = tuple[str, ...]


def _to_arrow(kind: pa.DataType) -> _Convert | None:
    """What makes a map's pairs of every object that is a map; None for a type without maps."""
    if pa.types.is_map(kind):
        inner = _to_arrow(kind.item_type)
        if inner is None:
            return lambda value: None if value is None else list(value.items())
        return lambda value: None if value is None else [(key, inner(each)) for key, each in value.items()]
    if pa.types.is_struct(kind):
        parts = {each.name: made for each in kind if (made := _to_arrow(each.type)) is not None}
        return _with_keys(parts) if parts else None
    return _with_items(_to_arrow(kind.value_type)) if pa.types.is_list(kind) else None


def _from_arrow(kind: pa.DataType) -> _Convert | None:
    """The other way round."""
    if pa.types.is_map(kind):
        inner = _from_arrow(kind.item_type)
        if inner is None:
            return lambda value: None if value is None else dict(value)
        return lambda value: None if value is None else {key: inner(each) for key, each in value}
    if pa.types.is_struct(kind):
        parts = {each.name: made for each in kind if (made := _from_arrow(each.type)) is not None}
        return _with_keys(parts) if parts else None
    return _with_items(_from_arrow(kind.value_type)) if pa.types.is_list(kind) else None


def _with_keys(parts: dict[str, _Convert]) -> _Convert:
    def convert(value: Any) -> Any:
        if value is None:
            return None
        made = dict(value)
        for key, inner in parts.items():
            if key in made:
                made[key] = inner(made[key])
        return made

    return convert


def _with_items(inner: _Convert | None) -> _Convert | None:
    if inner is None:
        return None
    return lambda value: None if value is None else [inner(each) for each in value]


class _AbsentKeys:
    """Finds and notes the keys that objects don't have."""

    def __init__(self) -> None:
        self.noted: Absences = []

    def keys(self, path: _Path, objects: Sequence[dict[str, Any]], fields: Sequence[str]) -> Sequence[str]:
        """The keys to look at: none where all objects have all. Raises MixedValuesError for a key that the
        struct doesn't have: Arrow would drop it without a word."""
        if not set(fields).issuperset(chain.from_iterable(objects)):
            raise MixedValuesError(".".join(path))
        return fields if set(map(len, objects)) != {len(fields)} else ()

    def visit(self, path: _Path, without: Sequence[dict[str, Any]]) -> None:
        """Note which of the objects without a value don't have the key, either."""
        absent = [path[-1] not in each for each in without]
        if all(absent):
            self.noted.append((list(path), ""))
        elif any(absent):
            bits = int("1" + "".join("01"[each] for each in absent), 2)
            packed = zlib.compress(bits.to_bytes((bits.bit_length() + 7) // 8, "big"), 9)
            self.noted.append((list(path), base64.b85encode(packed).decode()))


def _walk(values: Sequence[Any], kind: pa.DataType, path: _Path, task: _AbsentKeys | _KeyRemoval) -> None:
    """Visit the keys of every struct that the task looks at, with the objects that have no value there, in
    order."""
    if not pa.types.is_nested(kind):
        return
    there = [value for value in values if value is not None] if None in values else values
    if not there:
        return
    if pa.types.is_map(kind):
        _walk([each for value in there for each in value.values()], kind.item_type, (*path, _INSIDE), task)
    elif pa.types.is_struct(kind):
        looked_at = set(task.keys(path, there, [field.name for field in kind]))
        for field in kind:
            name, place = field.name, (*path, field.name)
            if name not in looked_at and not pa.types.is_nested(field.type):
                continue
            inner = [value.get(name) for value in there]
            if name in looked_at and None in inner:
                task.visit(place, [each for each, own in zip(there, inner, strict=True) if own is None])
            _walk(inner, field.type, place, task)
    else:
        _walk(list(chain.from_iterable(there)), kind.value_type, (*path, _INSIDE), task)


# Reading ----------------------------------------------------------------------------------------------------
def is_typed(field: pa.Field) -> bool:
    """Whether a column holds maps or lists in Arrow's own types that were written here."""
    return pa.types.is_nested(field.type) and _ABSENT in (field.metadata or {})


def values_of(column: pa.Array | pa.ChunkedArray, field: pa.Field) -> Iterator[list[Any]]:
    """The cells again, in batches."""
    convert = _from_arrow(field.type)
    absent = json.loads((field.metadata or {}).get(_ABSENT, b"[]"))
    for number, at in enumerate(range(0, len(column), BATCH_ROWS)):
        values = column.slice(at, BATCH_ROWS).to_pylist()
        if convert is not None:
            values = [convert(value) for value in values]
        if number < len(absent):  # files of earlier versions don't say it
            _walk(values, field.type, (), _KeyRemoval(absent[number]))
        yield values


class _KeyRemoval:
    """Takes the keys out that the objects didn't have."""

    def __init__(self, absent: Absences) -> None:
        self._noted = {tuple(path): bits for path, bits in absent}
        self._parents = {path[:-1] for path in self._noted}

    def keys(self, path: _Path, _objects: Sequence[dict[str, Any]], fields: Sequence[str]) -> Sequence[str]:
        """The keys of which something was noted."""
        return [name for name in fields if (*path, name) in self._noted] if path in self._parents else ()

    def visit(self, path: _Path, without: Sequence[dict[str, Any]]) -> None:
        """Remove the key where it is noted as absent."""
        packed = self._noted[path]
        bits = bin(int.from_bytes(zlib.decompress(base64.b85decode(packed)), "big"))[3:] if packed else ""
        for each, bit in zip(without, bits or "1" * len(without), strict=True):
            if bit == "1":
                del each[path[-1]]


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
