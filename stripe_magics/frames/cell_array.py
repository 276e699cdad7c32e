"""Columns of maps and lists: to pandas a column of objects, of which Arrow is given a type that it can write
(`cell_types.py`).

The dtype is named `object`, since that is how `select_dtypes`, DuckDB, narwhals and others know such a
column; each operation does what it does on numpy's objects.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.api.extensions import ExtensionArray, ExtensionDtype
from pandas.api.indexers import check_array_indexer
from pandas.api.types import is_list_like

from stripe_magics.frames.cell_types import to_arrow

_NAMES = frozenset({"object", "O"})
_OPERATORS: Any = getattr(pd.api.extensions, "ExtensionScalarOpsMixin")  # noqa: B009 - the stubs don't have it


class CellDtype(ExtensionDtype):
    """The dtype of a column of maps and lists."""

    name = "object"
    kind = "O"
    type = np.object_
    na_value = np.nan

    @classmethod
    def construct_array_type(cls) -> Any:
        """The array that goes with it."""
        return CellArray

    @classmethod
    def construct_from_string(cls, string: str) -> CellDtype:
        """Never: whoever writes "object" means numpy's."""
        raise TypeError(f"Cannot construct a 'CellDtype' from '{string}'")

    def _get_common_dtype(self, dtypes: list[Any]) -> Any:
        objects = all(isinstance(each, CellDtype) or each == np.dtype(object) for each in dtypes)
        return self if objects else None

    def __eq__(self, other: object) -> bool:
        # numpy's dtype isn't among them: what equals that, pandas takes for an array of numpy's
        return isinstance(other, CellDtype) or other is object or (isinstance(other, str) and other in _NAMES)

    def __bool__(self) -> bool:
        """pandas asks before it looks for a type of numpy's to give to Arrow (`convert_dtypes`): there is
        none."""
        return False

    def __hash__(self) -> int:
        return hash(np.dtype(object))


class CellArray(_OPERATORS, ExtensionArray):  # type: ignore[misc]
    """Python's own values, one a row, None where there is none."""

    def __init__(self, values: np.ndarray[Any, Any]) -> None:
        self._data = values  # DuckDB reads it, too

    @classmethod
    def _from_sequence(cls, scalars: Iterable[Any], *, dtype: object = None, copy: bool = False) -> CellArray:  # noqa: ARG003
        if dtype is None and isinstance(scalars, np.ndarray) and scalars.dtype.kind != "O":
            raise TypeError("Numbers are no cells.")  # pandas 2 then leaves them as they are
        return cls(as_objects(scalars))

    @classmethod
    def _from_factorized(cls, values: Any, original: object) -> CellArray:  # noqa: ARG003
        return cls(values)

    @classmethod
    def _concat_same_type(cls, to_concat: Sequence[CellArray]) -> CellArray:
        return cls(np.concatenate([each._data for each in to_concat]))  # noqa: SLF001

    def __getstate__(self) -> dict[str, Any]:
        return {
            name: each for name, each in self.__dict__.items() if name != "_source"
        }  # what they came from

    @property
    def dtype(self) -> CellDtype:
        return _DTYPE

    @property
    def nbytes(self) -> int:
        return int(self._data.nbytes)

    @property
    def categories(self) -> Any:
        """The values, by the name under which pandas' `.str` looks for them: `.str.get("key")` works on
        maps."""
        return self._data

    def __len__(self) -> int:
        return len(self._data)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray[Any, Any]:
        if dtype is not None and np.dtype(dtype) != np.dtype(object):
            return np.array(self._data, dtype=dtype)
        if copy:
            return self._data.copy()
        if getattr(self, "_readonly", False):
            view = self._data.view()
            view.flags.writeable = False
            return view
        return self._data

    def __getitem__(self, item: Any) -> Any:
        if isinstance(item, (int, np.integer)):
            return self._data[item]
        if isinstance(item, tuple):
            item = self._row_of(item)
        made = self._data[check_array_indexer(self, item)]
        if not isinstance(made, np.ndarray):
            return made
        rows = type(self)(made)
        if isinstance(item, slice):
            keep_readonly(self, rows)
        return rows

    @staticmethod
    def _row_of(item: tuple[Any, ...]) -> Any:
        rest = [each for each in item if each is not Ellipsis]
        if len(rest) > 1:
            raise IndexError("too many indices for array: array is 1-dimensional")
        return rest[0] if rest else slice(None)

    def __setitem__(self, key: Any, value: Any) -> None:
        refuse_readonly(self)
        if isinstance(key, tuple):  # as `loc` and `iloc` give the rows
            key = self._row_of(key)
        key = check_array_indexer(self, key)
        if isinstance(key, (int, np.integer)):  # one cell, whatever the value is
            self._data[key] = value
            return
        if isinstance(value, (np.ndarray, pd.Series, pd.Index, ExtensionArray)) or type(value) is list:
            self._data[key] = as_objects(value)
            return
        box: np.ndarray[Any, Any] = np.empty((), dtype=object)
        box[()] = value
        self._data[key] = box

    def astype(self, dtype: Any, copy: bool = True) -> Any:  # noqa: FBT001, FBT002 - pandas'
        kind = pd.api.types.pandas_dtype(dtype)
        if isinstance(kind, np.dtype) and kind.kind == "U":  # numpy makes a text of no list
            return pd.Series(self._data, dtype=object).astype(str).to_numpy()
        return super().astype(dtype, copy=copy)

    def isna(self) -> np.ndarray[Any, Any]:
        return np.asarray(pd.isna(self._data))

    def equals(self, other: object) -> bool:
        """Whether the cells are the same, read or not: pandas asks for one class first."""
        if not isinstance(other, CellArray):
            return False
        both: tuple[Any, Any] = CellArray(self._data), CellArray(other._data)  # noqa: SLF001 - its own class
        return bool(super(CellArray, both[0]).equals(both[1]))

    def take(self, indices: object, *, allow_fill: bool = False, fill_value: object = None) -> CellArray:
        places = np.asarray(indices, dtype="intp")
        if not allow_fill:
            return type(self)(self._data.take(places))
        if len(places) and places.min() < -1:
            raise ValueError("indices must be -1 or more where missing values are filled in")
        blank = places == -1
        if not len(self):
            if not blank.all():
                raise IndexError("cannot do a non-empty take from an empty axes.")
            made = np.empty(len(places), dtype=object)
        else:
            made = self._data.take(places)
        if blank.any():
            for place in np.flatnonzero(blank):
                made[place] = np.nan if fill_value is None or fill_value is pd.NA else fill_value
        return type(self)(made)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._data)

    def tolist(self) -> list[Any]:
        """The cells."""
        return list(self._data)

    def map(self, mapper: Any, na_action: Any = None) -> Any:
        """As a column of objects does it."""
        return pd.Series(self._data, dtype=object).map(mapper, na_action=na_action).array

    def copy(self) -> CellArray:
        return type(self)(self._data.copy())

    def memory_usage(self, deep: bool = False) -> int:  # noqa: FBT001, FBT002 - pandas'
        """The bytes of the cells' places, with `deep` of the cells too."""
        return int(self.nbytes + (sum(map(sys.getsizeof, self._data)) if deep else 0))

    def value_counts(self, dropna: bool = True) -> pd.Series[Any]:  # noqa: FBT001, FBT002 - pandas'
        return pd.Series(self._data, dtype=object).value_counts(dropna=dropna)

    def _reduce(self, name: str, *, skipna: bool = True, keepdims: bool = False, **options: Any) -> Any:
        made = getattr(pd.Series(self._data, dtype=object), name)(skipna=skipna, **options)
        return as_objects([made]) if keepdims else made

    def _cast_pointwise_result(self, values: Any) -> Any:
        """What a person's function gave for each row, of the type that these are."""
        made = pd.Series(as_objects(values)).infer_objects()
        return CellArray(made.to_numpy()) if made.dtype == np.dtype(object) else made.array

    @classmethod
    def _from_scalars(cls, scalars: Any, *, dtype: Any) -> CellArray:  # noqa: ARG003
        if any(isinstance(each, (dict, list)) for each in scalars):
            return cls(as_objects(scalars))
        raise TypeError("There are no cells among these values.")  # pandas 2 then finds out their type

    def _putmask(self, mask: np.ndarray[Any, Any], value: Any) -> None:
        one_each = is_list_like(value) and not isinstance(value, dict) and len(value) == len(self)
        self[mask] = as_objects(value)[mask] if one_each else value

    def _where(self, mask: np.ndarray[Any, Any], value: Any) -> CellArray:
        made = self.copy()
        made._putmask(~mask, value)  # noqa: SLF001 - its own class
        return made

    def _accumulate(self, name: str, *, skipna: bool = True, **options: Any) -> CellArray:
        made = getattr(pd.Series(self._data, dtype=object), name)(skipna=skipna, **options)
        return CellArray(as_objects(made))

    def _groupby_op(self, *, how: str, ngroups: int, ids: Any, **options: Any) -> Any:
        if how not in _TRUTHS:
            return super()._groupby_op(how=how, ngroups=ngroups, ids=ids, **options)
        whole, add = how == "all", _TRUTHS[how]
        truths = np.fromiter(map(bool, self._data), dtype=bool, count=len(self))
        if options.get("skipna", True):
            truths[self.isna()] = whole
        made, kept = np.full(ngroups, whole), ids >= 0
        add.at(made, ids[kept], truths[kept])
        return made

    def _hash_pandas_object(self, **options: Any) -> Any:
        return pd.util.hash_array(self._data, **options)

    def _values_for_argsort(self) -> np.ndarray[Any, Any]:
        return self._data

    def _values_for_factorize(self) -> tuple[np.ndarray[Any, Any], Any]:
        return self._data, None

    def _formatter(self, boxed: bool = False) -> Callable[[Any], str | None]:  # noqa: ARG002, FBT001, FBT002
        return str

    def _explode(self) -> tuple[Any, Any]:
        lists = [(list(each) or [np.nan]) if is_list_like(each) else [each] for each in self._data]
        items = as_objects(chain.from_iterable(lists))
        return items, np.fromiter(map(len, lists), dtype="uint64", count=len(lists))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_str_"):  # what is behind pandas' `.str`
            return getattr(pd.Series(self._data, dtype=object).array, name)
        raise AttributeError(name)

    @classmethod
    def _create_method(cls, op: Any, coerce_to_dtype: Any = None, result_dtype: Any = None) -> Any:  # noqa: ARG003 - pandas'
        def method(self: CellArray, other: Any) -> Any:
            if isinstance(other, (pd.Series, pd.Index, pd.DataFrame)):
                return NotImplemented
            if isinstance(other, ExtensionArray):
                other = np.asarray(other, dtype=object)
            return op(pd.Series(self._data, dtype=object), other).to_numpy()

        method.__name__ = f"__{op.__name__.strip('_')}__"
        return method

    def __arrow_array__(self, type: pa.DataType | None = None) -> pa.Array:
        if type is not None:
            return pa.array(self._data, type, from_pandas=True)
        return to_arrow(self._data)


CellArray._add_comparison_ops()  # noqa: SLF001 - as pandas' guide for extension arrays has it
CellArray._add_arithmetic_ops()  # noqa: SLF001
_DTYPE = CellDtype()
_TRUTHS = {"any": np.logical_or, "all": np.logical_and}


def keep_readonly(array: Any, view: Any) -> None:
    """A view of what pandas gave out as read-only is so, too."""
    if getattr(array, "_readonly", False):
        view._readonly = True  # noqa: SLF001 - pandas' own mark


def refuse_readonly(array: Any) -> None:
    """Refuse to write into what pandas gave out as read-only (pandas 3's `.array` and `.values`)."""
    if getattr(array, "_readonly", False):
        raise ValueError("Cannot modify read-only array")


def as_objects(values: Iterable[Any]) -> np.ndarray[Any, Any]:
    """An object array of these values, each one cell."""
    if isinstance(values, CellArray):
        return np.asarray(values)
    if isinstance(values, np.ndarray) and values.ndim == 1:
        return values.astype(object)  # Python's numbers, not numpy's
    made = list(values)
    return np.fromiter(made, dtype=object, count=len(made))
