"""Columns without any value: choosing rows of one is a slice of memory that all such columns of a frame
share, so that they cost nothing. Once something is written into one, it is a column as any other.

Most columns of a list are empty: an object type has all of Stripe's fields, and an account uses a few.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from stripe_magics.frames.cell_array import CellArray


def _is_slice(count: int, length: int, fill_value: Any) -> bool:
    """Whether that many rows of a column without values are a slice of it."""
    return count <= length and (fill_value is None or bool(pd.isna(fill_value)))


@cache
def _null_text(plain: Any) -> Any:
    """The class for text, of pandas' class for that."""

    class NullTextArray(plain):  # type: ignore[misc]
        def take(self, indices: Any, allow_fill: bool = False, fill_value: Any = None, axis: Any = 0) -> Any:  # noqa: ARG002, FBT001, FBT002 - pandas'
            """The rows at these places."""
            inner, count = self._pa_array, len(indices)
            if _is_slice(count, len(self), fill_value) and inner.null_count == len(self):
                return null_text(plain, inner.slice(0, count), self.dtype)
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

    @classmethod
    def _concat_same_type(cls, to_concat: Any) -> CellArray:
        return CellArray(np.concatenate([np.asarray(each) for each in to_concat]))

    @classmethod
    def _from_sequence(cls, scalars: Any, *, dtype: Any = None, copy: bool = False) -> CellArray:
        return CellArray._from_sequence(scalars, dtype=dtype, copy=copy)  # noqa: SLF001 - its own parent

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray[Any, Any]:
        return super().__array__(dtype, copy=True)  # it may be written into

    def __setitem__(self, key: Any, value: Any) -> None:
        self._data = self._data.copy()
        self.__class__ = CellArray
        self[key] = value

    def __getitem__(self, item: Any) -> Any:
        made = super().__getitem__(item)
        return type(self)(self._data[: len(made)]) if isinstance(made, CellArray) else made

    def copy(self) -> CellArray:
        """Nothing is ever written into it."""
        return type(self)(self._data)

    def take(self, indices: Any, *, allow_fill: bool = False, fill_value: Any = None) -> CellArray:
        """The rows at these places."""
        if _is_slice(len(indices), len(self), fill_value):
            return type(self)(self._data[: len(indices)])
        return CellArray(self._data).take(indices, allow_fill=allow_fill, fill_value=fill_value)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_cells_again, (len(self),))


def _cells_again(count: int) -> CellArray:
    return NullCellArray(np.full(count, None, dtype=object))


class _NullMasked:
    """What is the same for numbers and booleans."""

    def take(
        self: Any, indexer: Any, *, allow_fill: bool = False, fill_value: Any = None, axis: Any = 0
    ) -> Any:
        """The rows at these places."""
        count = len(indexer)
        if _is_slice(count, len(self), fill_value) and self._mask.all():
            return type(self)(self._data[:count], self._mask[:count])
        plain: Any = super()
        return plain.take(indexer, allow_fill=allow_fill, fill_value=fill_value, axis=axis)

    def __setitem__(self: Any, key: Any, value: Any) -> None:
        self._data, self._mask = self._data.copy(), self._mask.copy()
        self.__class__ = type(self).__mro__[2]
        self[key] = value


class NullIntegerArray(_NullMasked, pd.arrays.IntegerArray):
    """Whole numbers."""


class NullBooleanArray(_NullMasked, pd.arrays.BooleanArray):
    """Booleans."""
