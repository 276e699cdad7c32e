"""Dicts and lists <-> one type of Arrow's, exactly.

A struct has all its fields in every row. Which of them a row's object didn't have is noted in the column's
own metadata, so that the values come back equal.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Protocol

import pyarrow as pa

BATCH_ROWS = 1_000  # whose values are in memory as Python's own at a time
ABSENT = b"absent"  # of a field: the keys that objects didn't have, for each batch of rows
INSIDE = "*"  # in a path: the items of a list, the values of a map

Absences = list[tuple[list[str], str]]
"""Where (the path of a key) and of which objects a key was absent, in the objects' order: "" for all that
have no value there, else packed bits."""


class MixedValuesError(ValueError):
    """One place holds values that no single type takes."""


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
            found = AbsentKeys()
            walk(values, kind, (), found)
            absent.append(found.noted)
    except (pa.ArrowException, OverflowError, UnicodeError) as fault:  # beyond 64 bits, or no float's
        raise MixedValuesError(name) from fault
    field = pa.field(name, kind, metadata={ABSENT: json.dumps(absent).encode()})
    return field, pa.chunked_array(chunks, kind)


_Convert = Callable[[Any], Any]
KeyPath = tuple[str, ...]


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


class KeyTask(Protocol):
    """What `walk` does at the keys of structs."""

    def keys(self, path: KeyPath, objects: Sequence[dict[str, Any]], fields: Sequence[str]) -> Sequence[str]:
        """The keys to look at in these objects."""
        ...

    def visit(self, path: KeyPath, without: Sequence[dict[str, Any]]) -> None:
        """Take the objects that have no value at a key."""
        ...


class AbsentKeys:
    """Finds and notes the keys that objects don't have."""

    def __init__(self) -> None:
        self.noted: Absences = []

    def keys(self, path: KeyPath, objects: Sequence[dict[str, Any]], fields: Sequence[str]) -> Sequence[str]:
        """The keys to look at: none where all objects have all. Raises MixedValuesError for a key that the
        struct doesn't have: Arrow would drop it without a word."""
        if not set(fields).issuperset(chain.from_iterable(objects)):
            raise MixedValuesError(".".join(path))
        return fields if set(map(len, objects)) != {len(fields)} else ()

    def visit(self, path: KeyPath, without: Sequence[dict[str, Any]]) -> None:
        """Note which of the objects without a value don't have the key, either."""
        absent = [path[-1] not in each for each in without]
        if all(absent):
            self.noted.append((list(path), ""))
        elif any(absent):
            bits = int("1" + "".join("01"[each] for each in absent), 2)
            packed = zlib.compress(bits.to_bytes((bits.bit_length() + 7) // 8, "big"), 9)
            self.noted.append((list(path), base64.b85encode(packed).decode()))


def walk(values: Sequence[Any], kind: pa.DataType, path: KeyPath, task: KeyTask) -> None:
    """Visit the keys of every struct that the task looks at, with the objects that have no value there, in
    order."""
    if not pa.types.is_nested(kind):
        return
    there = [value for value in values if value is not None] if None in values else values
    if not there:
        return
    if pa.types.is_map(kind):
        walk([each for value in there for each in value.values()], kind.item_type, (*path, INSIDE), task)
    elif pa.types.is_struct(kind):
        looked_at = set(task.keys(path, there, [field.name for field in kind]))
        for field in kind:
            name, place = field.name, (*path, field.name)
            if name not in looked_at and not pa.types.is_nested(field.type):
                continue
            inner = [value.get(name) for value in there]
            if name in looked_at and None in inner:
                task.visit(place, [each for each, own in zip(there, inner, strict=True) if own is None])
            walk(inner, field.type, place, task)
    else:
        walk(list(chain.from_iterable(there)), kind.value_type, (*path, INSIDE), task)


# Reading ----------------------------------------------------------------------------------------------------
def is_typed(field: pa.Field) -> bool:
    """Whether a column holds maps or lists in Arrow's own types that were written here."""
    return pa.types.is_nested(field.type) and ABSENT in (field.metadata or {})


def values_of(column: pa.Array | pa.ChunkedArray, field: pa.Field) -> Iterator[list[Any]]:
    """The cells again, in batches."""
    convert = _from_arrow(field.type)
    absent = json.loads((field.metadata or {}).get(ABSENT, b"[]"))
    for number, at in enumerate(range(0, len(column), BATCH_ROWS)):
        values = column.slice(at, BATCH_ROWS).to_pylist()
        if convert is not None:
            values = [convert(value) for value in values]
        if number < len(absent):  # files of earlier versions don't say it
            walk(values, field.type, (), _KeyRemoval(absent[number]))
        yield values


class _KeyRemoval:
    """Takes the keys out that the objects didn't have."""

    def __init__(self, absent: Absences) -> None:
        self._noted = {tuple(path): bits for path, bits in absent}
        self._parents = {path[:-1] for path in self._noted}

    def keys(self, path: KeyPath, _objects: Sequence[dict[str, Any]], fields: Sequence[str]) -> Sequence[str]:
        """The keys of which something was noted."""
        return [name for name in fields if (*path, name) in self._noted] if path in self._parents else ()

    def visit(self, path: KeyPath, without: Sequence[dict[str, Any]]) -> None:
        """Remove the key where it is noted as absent."""
        packed = self._noted[path]
        bits = bin(int.from_bytes(zlib.decompress(base64.b85decode(packed)), "big"))[3:] if packed else ""
        for each, bit in zip(without, bits or "1" * len(without), strict=True):
            if bit == "1":
                del each[path[-1]]
