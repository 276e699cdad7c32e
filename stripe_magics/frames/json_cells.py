"""A long column of maps or lists that is decoded when somebody reads it.

Fifty thousand payments have as many objects in `metadata` alone: they take longer to make than the rest of
the frame, and five times the memory of their texts. Until a cell is asked for, such a column is its JSON text
(or, where the same texts come again and again, each of them once). Choosing rows chooses texts; whatever
reads cells gets those of any other column, decoded once for all frames that share them.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pandas.api.indexers import check_array_indexer

from stripe_magics.frames.cell_array import CellArray, keep_readonly
from stripe_magics.frames.pandas_columns import cell_decoder

MAX_SINGLE_CELLS = 100  # cells that are read one at a time, after which all are decoded
_lock = threading.RLock()


def _after_fork() -> None:
    """The thread that had the lock isn't there in a forked process."""
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class JsonTexts:
    """The JSON texts of a column (null where there is no value), and its cells once they have been read."""

    def __init__(self, texts: pa.Array) -> None:
        self.texts: pa.Array | None = texts  # until the cells are there
        self._count = len(texts)
        self._single_cells = 0
        self._cells = _cells(())

    def __len__(self) -> int:
        return self._count

    def cells(self) -> np.ndarray[Any, Any]:
        """All cells. Others share them: whoever gives them away to be written into copies them."""
        with _lock:
            if self.texts is not None:
                self._cells, self.texts = _decoded(self.texts), None
            return self._cells

    def cell(self, row: int) -> Any:
        """One cell."""
        texts = self.texts
        self._single_cells += 1
        if texts is None or self._single_cells > MAX_SINGLE_CELLS:
            return self.cells()[row]
        if not -len(texts) <= row < len(texts):
            raise IndexError(f"index {row} is out of bounds for axis 0 with size {len(texts)}")
        text = texts[int(row)].as_py()
        return None if text is None else cell_decoder()(text)

    def rows(self, rows: Any) -> CellArray:
        """Some of the rows: a slice, a mask or places."""
        texts = self.texts
        if texts is None:
            return CellArray(np.array(self._cells[rows], dtype=object))
        return JsonCellArray(JsonTexts(_chosen(texts, rows)))


def _chosen(texts: pa.Array, rows: Any) -> pa.Array:
    if isinstance(rows, slice):
        rows = np.arange(len(texts))[rows]
    elif rows.dtype == bool:
        rows = np.flatnonzero(rows)
    return pc.take(texts, pa.array(np.where(rows < 0, rows + len(texts), rows)))


def _decoded(texts: pa.Array) -> np.ndarray[Any, Any]:
    if not pa.types.is_dictionary(texts.type):
        return _cells(texts.to_pylist())
    if len(texts.dictionary) > len(texts):  # a few rows of a long column
        return _cells(texts.dictionary_decode().to_pylist())
    met = _cells([*texts.dictionary.to_pylist(), None])
    cells: np.ndarray[Any, Any] = met[texts.indices.fill_null(len(met) - 1).to_numpy()]
    return cells


def _cells(texts: Sequence[str | None]) -> np.ndarray[Any, Any]:
    decode = cell_decoder()
    cells = [None if text is None else decode(text) for text in texts]
    return np.fromiter(cells, dtype=object, count=len(cells))


class JsonCellArray(CellArray):
    """Maps or lists at which nobody has looked. Once a cell is asked for, it is a column as any other.

    It becomes one while other threads may be in the methods of this class: they find `_source` as it was.
    """

    def __init__(self, source: JsonTexts) -> None:
        self._source = source

    @property
    def _data(self) -> np.ndarray[Any, Any]:  # type: ignore[override]
        own = self.__dict__
        if "_data" not in own:
            own.setdefault("_data", own["_source"].cells().copy())  # of several threads, the first one's
            self.__class__ = CellArray
        cells: np.ndarray[Any, Any] = own["_data"]
        return cells

    def __reduce__(self) -> tuple[Any, ...]:
        return JsonCellArray, (self._source,)

    @classmethod
    def _from_sequence(cls, scalars: Iterable[Any], *, dtype: object = None, copy: bool = False) -> CellArray:
        return CellArray._from_sequence(scalars, dtype=dtype, copy=copy)  # noqa: SLF001 - its own parent

    @classmethod
    def _from_factorized(cls, values: Any, original: object) -> CellArray:
        return CellArray._from_factorized(values, original)  # noqa: SLF001

    @classmethod
    def _from_scalars(cls, scalars: Any, *, dtype: Any) -> CellArray:
        return CellArray._from_scalars(scalars, dtype=dtype)  # noqa: SLF001

    @classmethod
    def _concat_same_type(cls, to_concat: Sequence[CellArray]) -> CellArray:
        unread = [each for each in to_concat if isinstance(each, JsonCellArray)]
        texts = [each._source.texts for each in unread if each._source.texts is not None]  # noqa: SLF001
        if len(texts) < len(to_concat) or len({each.type for each in texts}) > 1:
            return CellArray._concat_same_type(to_concat)  # noqa: SLF001
        return cls(JsonTexts(pa.chunked_array(texts).unify_dictionaries().combine_chunks()))

    def __len__(self) -> int:
        return len(self._source)

    @property
    def nbytes(self) -> int:
        """The bytes of the texts."""
        texts = self._source.texts
        return int(self._data.nbytes if texts is None else texts.nbytes)

    def memory_usage(self, deep: bool = False) -> int:  # noqa: ARG002, FBT001, FBT002 - pandas'
        """The bytes of the texts: nothing is decoded for it."""
        return self.nbytes

    def isna(self) -> np.ndarray[Any, Any]:
        """Where there is no value."""
        texts = self._source.texts
        return CellArray.isna(self) if texts is None else texts.is_null().to_numpy(zero_copy_only=False)

    def __getitem__(self, item: Any) -> Any:
        if isinstance(item, tuple):
            item = self._row_of(item)
        if isinstance(item, (int, np.integer)):
            return self._source.cell(int(item))
        item = check_array_indexer(self, item)
        if not isinstance(item, slice):
            return self._source.rows(item)
        whole = item.indices(len(self)) == (0, len(self), 1)
        rows = self.copy() if whole else self._source.rows(item)
        keep_readonly(self, rows)
        return rows

    def copy(self) -> CellArray:
        """Nothing is ever written into the texts or their cells."""
        return JsonCellArray(self._source)

    def take(self, indices: Any, *, allow_fill: bool = False, fill_value: Any = None) -> CellArray:
        """The rows at these places."""
        places = np.asarray(indices, dtype="intp")
        if not len(self) or (allow_fill and len(places) and places.min() < 0):
            return CellArray(self._data).take(places, allow_fill=allow_fill, fill_value=fill_value)
        return self._source.rows(places)
