"""Columns as pandas arrays, once all rows are there: of the dtype that a column's kind says (`schema.py`),
from Arrow arrays or from Python values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from stripe_magics.frames.arrow_columns import POOL, PYTHON, fitting
from stripe_magics.frames.cell_array import CellArray
from stripe_magics.frames.cells import ObjectCell, freeze
from stripe_magics.frames.schema import Column, kind_by_name, kind_of_nulls

PANDAS_3 = int(pd.__version__.partition(".")[0]) >= 3


@cache
def text_dtype() -> Any:
    """pandas' own string dtype with NaN for missing: `str` in pandas 3, its forerunner in 2.2."""
    return pd.StringDtype("pyarrow", na_value=np.nan) if PANDAS_3 else pd.StringDtype("pyarrow_numpy")


_TIME: Any = pd.DatetimeTZDtype("us", "UTC")
_INT: Any = pd.Int64Dtype()
_BOOL: Any = pd.BooleanDtype()


INTERVALS = pd.CategoricalDtype(["day", "week", "month", "year"], ordered=True)
"""The one list of choices whose order means something; all others are open lists, and text."""


def finish(kind: str, array: pa.Array) -> Any:
    """The pandas array of a column, from an array of its kind's Arrow type."""
    return _FINISH[kind](array)


def _text(array: pa.Array) -> Any:
    return text_dtype().__from_arrow__(array)


def _integers(array: pa.Array) -> Any:
    return array.to_numpy(zero_copy_only=False) if not array.null_count else _INT.__from_arrow__(array)


def _nullable(array: pa.Array) -> Any:
    return _INT.__from_arrow__(array)


def _times(array: pa.Array) -> Any:
    return _TIME.__from_arrow__(array)


def _booleans(array: pa.Array) -> Any:
    return _BOOL.__from_arrow__(array)


def _numbers(array: pa.Array) -> Any:
    return array.to_numpy(zero_copy_only=False)


def _choice(array: pa.Array) -> Any:
    return _text(
        pc.cast(array, pa.large_string(), memory_pool=POOL) if pa.types.is_dictionary(array.type) else array
    )


def _interval(array: pa.Array) -> Any:
    met = array.dictionary.to_pylist()
    if not set(met) <= {*INTERVALS.categories, None}:
        return _choice(array)  # an interval that is new here has no place in the order
    table = np.array([*(INTERVALS.categories.get_loc(value) for value in met), -1], dtype="int8")
    codes = array.indices.fill_null(len(met)).to_numpy(zero_copy_only=False)
    return pd.Categorical.from_codes(table[codes], dtype=INTERVALS, validate=False)


_FINISH: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("text", "ref", "decimal", "secret"), _text),
    **dict.fromkeys(("currency", "enum"), _choice),
    "interval": _interval,
    "int": _integers,
    "int?": _nullable,
    "time": _times,
    "bool": _booleans,
    "number": _numbers,
}


def objects(values: Sequence[Any]) -> Any:
    """An object column of Python values that can't be changed; None where there is none."""
    return CellArray(np.fromiter(map(freeze, values), dtype=object, count=len(values)))


def cell_decoder() -> Callable[[str], Any]:
    """What makes JSON texts the cells of a column: no plain dict outlives its unchangeable copy, and objects
    that come again inside of them are one."""
    shared: dict[str, ObjectCell] = {}
    return lambda text: freeze(msgspec.json.decode(text), shared)


def _frozen(values: list[Any]) -> Any:
    """The same, of a list that is given up: each value goes as its unchangeable copy stands."""
    made = np.empty(len(values), dtype=object)
    shared: dict[str, ObjectCell] = {}
    for place, value in enumerate(values):
        values[place] = None
        made[place] = freeze(value, shared)
    return CellArray(made)


def from_values(column: Column, values: list[Any], places: object = None, *, learned: bool) -> Any:
    """The pandas array of a column from Python values: of its kind where they all suit it, else of what they
    are.

    With `places`, the rows have the values at these places. The list is given up.
    """
    kind = column.kind
    if learned or kind in _FINISH:
        kinds = set(map(type, values)) - {type(None)}
        if learned:
            kind = _kind_of(column, kinds)
        if kind in _FINISH and kinds <= set(PYTHON[kind]) and (array := fitting(kind, values)) is not None:
            return finish(kind, array if places is None else array.take(places))
    return _frozen(values) if places is None else _frozen(values)[places]


def _kind_of(column: Column, kinds: set[type]) -> str:
    """The kind of a column that the facts don't have, by the types of its values."""
    key = column.path[-1] if column.path else column.name
    if column.kind == "secret" and kinds <= {str}:
        return "secret"
    if not kinds:
        return kind_of_nulls(key)
    if len(kinds) > 1:
        return "number" if kinds == {int, float} else "any"
    return kind_by_name(key, next(iter(kinds)))
