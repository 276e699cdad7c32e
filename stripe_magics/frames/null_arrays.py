"""Columns without any value: choosing rows of one is a slice of memory that all such columns of a frame
share, so that they cost nothing; `memory_usage` counts it once. Once something is written into one, it is a
column as any other.

Most columns of a list are empty: an object type has all of Stripe's fields, and an account uses a few.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from stripe_magics.frames.arrow_columns import ARROW, POOL, is_text
from stripe_magics.frames.cell_array import CellArray, keep_readonly, refuse_readonly
from stripe_magics.frames.pandas_columns import finish


def _is_slice(count: int, length: int, fill_value: Any) -> bool:
    """Whether that many rows of a column without values are a slice of it."""
    return count <= length and (fill_value is None or bool(pd.isna(fill_value)))


def _length(rows: slice, length: int) -> int:
    return len(range(*rows.indices(length)))


@cache
def _null_text(plain: Any) -> Any:
    """The class for text, of pandas' class for that."""

    class NullTextArray(plain):  # type: ignore[misc]
        _counted = True

        @property
        def nbytes(self) -> int:
            """The bytes of the values; 0 of memory that another column counts."""
            return int(super().nbytes) if self._counted else 0

        def _of_nulls(self, count: int) -> Any:
            made = object.__new__(NullTextArray)  # pandas' `__init__` looks at the values, which are known
            made.__dict__ = {**self.__dict__, "_pa_array": self._pa_array.slice(0, count)}
            made.__dict__.pop("_readonly", None)
            return made

        def _is_null(self) -> bool:
            """Whether it still has no value: pandas makes arrays with values of this class, too."""
            return bool(self._pa_array.null_count == len(self._pa_array))

        def copy(self) -> Any:
            """Arrow's memory is never written into."""
            return self._of_nulls(len(self)) if self._is_null() else super().copy()

        def view(self, dtype: Any = None) -> Any:
            """The same values."""
            if dtype is not None or not self._is_null():
                return super().view(dtype)
            return self._view(slice(None))

        def _view(self, rows: slice) -> Any:
            made = self._of_nulls(_length(rows, len(self)))
            keep_readonly(self, made)
            return made

        def __getitem__(self, item: Any) -> Any:
            if isinstance(item, slice) and self._is_null():
                return self._view(item)
            made = super().__getitem__(item)
            return self._of_nulls(len(made)) if isinstance(made, plain) and self._is_null() else made

        def __setitem__(self, key: Any, value: Any) -> None:
            self._counted = True
            super().__setitem__(key, value)

        def take(self, indices: Any, allow_fill: bool = False, fill_value: Any = None, axis: Any = 0) -> Any:  # noqa: ARG002, FBT001, FBT002 - pandas'
            """The rows at these places."""
            if _is_slice(len(indices), len(self), fill_value) and self._is_null():
                return self._of_nulls(len(indices))
            return super().take(indices, allow_fill=allow_fill, fill_value=fill_value)

        def __reduce__(self) -> tuple[Any, ...]:
            return (_text_again, (self._pa_array, self.dtype))

    return NullTextArray


def null_text(plain: Any, values: pa.Array, dtype: Any) -> Any:
    """A text column without values."""
    made = _null_text(plain)
    return made(values, dtype=dtype) if _TAKES_DTYPE else made(values)


_TAKES_DTYPE = int(pd.__version__.partition(".")[0]) >= 3


def _text_again(values: Any, dtype: Any) -> Any:
    return dtype.__from_arrow__(values)


class NullCellArray(CellArray):
    """Maps or lists."""

    def __init__(self, values: np.ndarray[Any, Any], *, counted: bool = True) -> None:
        super().__init__(values)
        self._counted = counted

    @property
    def nbytes(self) -> int:
        return super().nbytes if self._counted else 0

    def memory_usage(self, deep: bool = False) -> int:  # noqa: ARG002, FBT001, FBT002 - pandas'
        """The bytes of the cells' places: None is no object of its own."""
        return self.nbytes

    def _of_nulls(self, count: int) -> NullCellArray:
        return type(self)(self._data[:count], counted=self._counted)

    @classmethod
    def _concat_same_type(cls, to_concat: Any) -> CellArray:
        return CellArray(np.concatenate([np.asarray(each) for each in to_concat]))

    @classmethod
    def _from_sequence(cls, scalars: Any, *, dtype: Any = None, copy: bool = False) -> CellArray:
        return CellArray._from_sequence(scalars, dtype=dtype, copy=copy)  # noqa: SLF001 - its own parent

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray[Any, Any]:
        return super().__array__(dtype, copy=True)  # it may be written into

    def __setitem__(self, key: Any, value: Any) -> None:
        refuse_readonly(self)
        self._data = self._data.copy()
        self.__class__ = CellArray
        self[key] = value

    def __getitem__(self, item: Any) -> Any:
        if isinstance(item, slice):
            view = self._of_nulls(_length(item, len(self)))
            keep_readonly(self, view)
            return view
        made = super().__getitem__(item)
        return self._of_nulls(len(made)) if isinstance(made, CellArray) else made

    def copy(self) -> CellArray:
        """Nothing is ever written into it."""
        return self._of_nulls(len(self))

    def take(self, indices: Any, *, allow_fill: bool = False, fill_value: Any = None) -> CellArray:
        """The rows at these places."""
        if _is_slice(len(indices), len(self), fill_value):
            return self._of_nulls(len(indices))
        return CellArray(self._data).take(indices, allow_fill=allow_fill, fill_value=fill_value)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_cells_again, (len(self),))


def _cells_again(count: int) -> CellArray:
    return NullCellArray(np.full(count, None, dtype=object))


class _NullMasked:
    """What is the same for numbers and booleans. pandas makes arrays with values of this class, too (in
    `concat`): only those that `_of_nulls` made share their memory."""

    _shared = False
    _counted = True

    @property
    def nbytes(self: Any) -> int:
        """The bytes of the values; 0 of memory that another column counts."""
        return int(self._data.nbytes + self._mask.nbytes) if self._counted else 0

    def _of_nulls(self: Any, count: int) -> Any:
        made = type(self)._simple_new(self._data[:count], self._mask[:count])  # noqa: SLF001 - its own class
        made._shared, made._counted = True, self._counted  # noqa: SLF001
        return made

    def take(
        self: Any, indexer: Any, *, allow_fill: bool = False, fill_value: Any = None, axis: Any = 0
    ) -> Any:
        """The rows at these places."""
        if self._shared and _is_slice(len(indexer), len(self._mask), fill_value):
            return self._of_nulls(len(indexer))
        plain: Any = super()
        return plain.take(indexer, allow_fill=allow_fill, fill_value=fill_value, axis=axis)

    def __getitem__(self: Any, item: Any) -> Any:
        if self._shared and isinstance(item, slice):
            view = self._of_nulls(_length(item, len(self._mask)))
            keep_readonly(self, view)
            return view
        plain: Any = super()
        made = plain.__getitem__(item)
        return self._of_nulls(len(made)) if self._shared and isinstance(made, type(self)) else made

    def copy(self: Any) -> Any:
        """Nothing is ever written into shared memory."""
        plain: Any = super()
        return self._of_nulls(len(self)) if self._shared else plain.copy()

    def fillna(self: Any, *values: Any, **options: Any) -> Any:
        """A copy always: `inplace=True` would write into the memory of the other columns."""
        plain: Any = super()
        return plain.fillna(*values, **{**options, "copy": True})

    def view(self: Any, dtype: Any = None) -> Any:
        """The same values."""
        plain: Any = super()
        return self[:] if self._shared and dtype is None else plain.view(dtype)

    def __setitem__(self: Any, key: Any, value: Any) -> None:
        refuse_readonly(self)
        # also of one that pandas made (`cumsum`, `ravel`): its mask may be that of the array it was made of
        self._data, self._mask = self._data.copy(), self._mask.copy()
        for name in ("_shared", "_counted"):
            self.__dict__.pop(name, None)
        self.__class__ = type(self).__mro__[2]
        self[key] = value


class NullIntegerArray(_NullMasked, pd.arrays.IntegerArray):
    """Whole numbers."""


class NullBooleanArray(_NullMasked, pd.arrays.BooleanArray):
    """Booleans."""


class NullColumns:
    """Columns without any value, of one length. They share their memory: nothing is ever written into it."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._made: dict[str, Any] = {}

    def column(self, kind: str) -> Any:
        """The pandas array of such a column."""
        if self.count <= MAX_FEW:
            return _few(kind, self.count).copy()
        sort = (
            kind if kind in _OWN_NULLS else "text" if kind in _TEXTS else "cell" if kind not in ARROW else ""
        )
        if not sort:
            return finish(kind, pa.nulls(self.count, ARROW[kind], memory_pool=POOL))
        if sort not in self._made:
            first = self._null(sort)
            self._made[sort] = first.copy()
            self._made[sort]._counted = False  # noqa: SLF001 - the first column counts the memory of all
            return first
        return self._made[sort].copy()

    def _null(self, sort: str) -> Any:
        if sort == "cell":
            return NullCellArray(np.full(self.count, None, dtype=object))
        plain = finish(sort, pa.nulls(self.count, ARROW[sort], memory_pool=POOL))
        if sort == "text":
            return null_text(type(plain), plain._pa_array, plain.dtype)  # noqa: SLF001 - pandas gives it by no other name
        return _OWN_NULLS[sort](plain._data, plain._mask)._of_nulls(self.count)  # noqa: SLF001 - the same


MAX_FEW = 64  # rows up to which columns without values aren't worth sharing
_TEXTS = frozenset(kind for kind, target in ARROW.items() if kind != "interval" and is_text(target))
_OWN_NULLS: Mapping[str, Any] = {"int": NullIntegerArray, "int?": NullIntegerArray, "bool": NullBooleanArray}


@lru_cache(1024)
def _few(kind: str, count: int) -> Any:
    if kind in ARROW:
        return finish(kind, pa.nulls(count, ARROW[kind]))
    return CellArray(np.full(count, None, dtype=object))
