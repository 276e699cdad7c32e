"""Maps and lists in Arrow's own types, for readers that know no JSON: `map<string, ...>`, `struct<...>`,
`list<...>`.

Objects whose keys people choose (`metadata`, and what has ever new keys), and those that are always empty,
are maps: a struct without a field can't be written, and one with a field for each key would give every row
all of them. Other objects are structs of all the keys that came. A column in which one place holds values of
several types (an id in one row, the object in another) has no such type.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import pyarrow as pa

from stripe_magics.frames.schema import MAX_SPREAD_KEYS

_LEAVES = {frozenset({str}): pa.string(), frozenset({bool}): pa.bool_(), frozenset({int}): pa.int64(),
           frozenset({float}): pa.float64(), frozenset({int, float}): pa.float64(),
           frozenset[type](): pa.string()}  # fmt: skip


class MixedValuesError(ValueError):
    """One place holds values that no single type takes."""


def nested_array(values: Sequence[Any], name: str) -> pa.Array:
    """The cells of the column of that name as an array of one type. Raises MixedValuesError."""
    kind = _type(values, name)
    try:
        return pa.array([_as_arrow(value, kind) for value in values], kind)
    except (pa.ArrowInvalid, OverflowError) as fault:  # whole numbers beyond 64 bits
        raise MixedValuesError(name) from fault


def python_value(value: Any, kind: pa.DataType) -> Any:
    """The cell again, from `to_pylist` of such an array. Keys that only other rows' objects have are there as
    None."""
    if value is None:
        return None
    if pa.types.is_map(kind):
        return {key: python_value(inner, kind.item_type) for key, inner in value}
    if pa.types.is_struct(kind):
        return {each.name: python_value(value[each.name], each.type) for each in kind}
    if pa.types.is_list(kind):
        return [python_value(inner, kind.value_type) for inner in value]
    return value


def _type(values: Sequence[Any], name: str) -> pa.DataType:
    met = [value for value in values if value is not None]
    if met and all(isinstance(value, dict) for value in met):
        keys = dict.fromkeys(chain.from_iterable(met))
        if not 0 < len(keys) <= MAX_SPREAD_KEYS or name.endswith("metadata"):
            inner = [each for value in met for each in value.values()]
            return pa.map_(pa.string(), _type(inner, ""))
        return pa.struct([(key, _type([value.get(key) for value in met], key)) for key in keys])
    if met and all(isinstance(value, list) for value in met):
        return pa.list_(_type(list(chain.from_iterable(met)), name))
    kinds = frozenset(map(type, met))
    if kinds not in _LEAVES:
        raise MixedValuesError(name)
    return _LEAVES[kinds]


def _as_arrow(value: Any, kind: pa.DataType) -> Any:
    if value is None:
        return None
    if pa.types.is_map(kind):
        return [(key, _as_arrow(inner, kind.item_type)) for key, inner in value.items()]
    if pa.types.is_struct(kind):
        return {key: _as_arrow(inner, kind.field(key).type) for key, inner in value.items()}
    if pa.types.is_list(kind):
        return [_as_arrow(inner, kind.value_type) for inner in value]
    return value
