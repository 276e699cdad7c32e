"""What Arrow is given of a column of maps and lists, and its way back.

- Arrow takes a column of dicts for a struct of all their keys. Where no row has a key, that is a struct
  without a field, which no Parquet file can hold: pandas' own `to_parquet` would fail for every account that
  uses no metadata. Those are maps here. What has no one type (an id in one row, the object in another) is
  JSON text. All others are the structs that Arrow makes itself.
- Where one object has a null and another doesn't have the key at all, the column's type carries a note of
  which is which.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from stripe_magics.frames.cells import as_json
from stripe_magics.frames.typed_values import (
    ABSENT,
    BATCH_ROWS,
    INSIDE,
    KeyPath,
    MixedValuesError,
    typed_array,
    values_of,
    walk,
)

JSON_TEXT = pa.large_string()
"""The type of JSON text. Text that a person has in a column of objects is `string` to Arrow."""


_TYPE_NAME = "stripe_magics.cells"


def to_arrow(values: np.ndarray[Any, Any]) -> pa.Array:
    """The cells of a column as an array that every writer of Arrow's takes."""
    cells = [None if gap else cell for cell, gap in zip(values, pd.isna(values), strict=True)]
    try:
        made = pa.array(values, from_pandas=True)
        return _exact(cells, made) if pa.types.is_nested(made.type) else made
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, MixedValuesError):
        return pa.array([None if cell is None else as_json(cell) for cell in cells], JSON_TEXT)


def _exact(cells: list[Any], made: pa.Array) -> pa.Array:
    kind = _without_empty_structs(made.type)
    unclear = _Unclear()
    walk(cells, kind, (), unclear)
    if kind == made.type and not unclear.found:
        return made
    batches = [cells[at : at + BATCH_ROWS] for at in range(0, len(cells), BATCH_ROWS)]
    field, typed = typed_array(batches, "", kind)
    storage = typed.combine_chunks()
    if not unclear.found:
        return storage
    return pa.ExtensionArray.from_storage(CellType(storage.type, field.metadata[ABSENT]), storage)


class CellType(pa.ExtensionType):  # type: ignore[misc]
    """A nested type of Arrow's with a note of the keys that objects didn't have. To readers other than
    `cell_values` it is the nested type alone."""

    def __init__(self, storage: pa.DataType, absent: bytes) -> None:
        self._absent = absent
        super().__init__(storage, _TYPE_NAME)

    def __arrow_ext_serialize__(self) -> bytes:
        return self._absent

    @classmethod
    def __arrow_ext_deserialize__(cls, storage: pa.DataType, absent: bytes) -> CellType:
        return cls(storage, absent)


def _without_empty_structs(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_struct(kind):
        if not kind.num_fields:
            return pa.map_(pa.string(), pa.string())
        return pa.struct([each.with_type(_without_empty_structs(each.type)) for each in kind])
    return pa.list_(_without_empty_structs(kind.value_type)) if pa.types.is_list(kind) else kind


class _Unclear:
    """Finds whether a key is absent in one object and null in another: a struct has null for both. Objects
    without a list around them are read without their nulls, those in a list with all their keys."""

    found = False

    def keys(self, path: KeyPath, objects: Sequence[dict[str, Any]], fields: Sequence[str]) -> Sequence[str]:  # noqa: ARG002 - as `KeyTask` has it
        """All keys are looked at."""
        return fields

    def visit(self, path: KeyPath, without: Sequence[dict[str, Any]]) -> None:
        """Look at the objects that have no value at a key."""
        absent = [path[-1] not in each for each in without]
        self.found = self.found or (any(absent) if in_list(path) else not all(absent))


def in_list(path: KeyPath) -> bool:
    """Whether an object of this path is read with all keys of its struct."""
    return INSIDE in path and not any(name.endswith("metadata") for name in path[:-1])


def cell_values(column: pa.ChunkedArray, field: pa.Field) -> list[Any]:
    """The cells of a column of maps or lists that pandas wrote."""
    noted = field.metadata or {}
    absent = (
        noted.get(b"ARROW:extension:metadata")
        if noted.get(b"ARROW:extension:name") == _TYPE_NAME.encode()
        else None
    )
    if absent is not None:
        return list(chain.from_iterable(values_of(column, field.with_metadata({ABSENT: absent}))))
    values = chain.from_iterable(values_of(column, field))
    return [_without_added_keys(value) for value in values]


def _without_added_keys(value: object) -> Any:
    """Without the keys that pandas added to a map for other rows' sake; the objects of a list have their
    nulls from Stripe."""
    if isinstance(value, dict):
        return {name: _without_added_keys(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_of_list(each) for each in value]
    return value


def _of_list(value: object) -> Any:
    if not isinstance(value, dict):
        return value
    return {
        name: (
            _without_added_keys(inner)
            if name.endswith("metadata")
            else [_of_list(each) for each in inner]
            if isinstance(inner, list)
            else _of_list(inner)
        )
        for name, inner in value.items()
    }
