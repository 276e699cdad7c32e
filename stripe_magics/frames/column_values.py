"""The values of a column that Arrow has no type for: maps, lists, objects, and what came in several shapes.

They are Python's, from JSON texts or from chunks of several types. Texts that come again and again become one
value. A long column of maps or lists stays text (`json_cells.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stripe_magics.frames import arrow_columns as cols
from stripe_magics.frames.json_cells import JsonCellArray, JsonTexts
from stripe_magics.frames.pandas_columns import cell_decoder, from_values
from stripe_magics.frames.schema import Column
from stripe_magics.frames.unknown_objects import Chunks

MIN_UNREAD_ROWS = 5_000  # a shorter column is decoded at once
SAMPLED_ROWS = 2_000  # that tell
REPEATS = 64  # rows from which on it is worth looking whether a text comes again and again


@dataclass(slots=True)
class ColumnValues:
    """The distinct values and each row's place among them, or (no places) a value for each row."""

    values: list[Any]
    places: Any = None

    def each(self) -> list[Any]:
        """A value for each row."""
        return self.values if self.places is None else [self.values[place] for place in self.places]

    def over(self, others: AnyValues) -> ColumnValues:
        """These values; where there is none, the others'."""
        return ColumnValues(
            [other if own is None else own for own, other in zip(self.each(), others.each(), strict=True)]
        )

    def array(self, column: Column, *, learned: bool) -> Any:
        """The pandas array. The values are given up."""
        return from_values(column, self.values, self.places, learned=learned)


@dataclass(slots=True)
class UnreadValues:
    """Maps or lists as JSON texts, one a row."""

    texts: pa.Array

    def each(self) -> list[Any]:
        """A value for each row."""
        return cols.python_values(self.texts, json=True, decode=cell_decoder())

    def over(self, others: AnyValues) -> ColumnValues:
        """These values; where there is none, the others'."""
        return ColumnValues(self.each()).over(others)

    def array(self, column: Column, *, learned: bool) -> Any:  # noqa: ARG002 - as above
        """The pandas array."""
        return JsonCellArray(JsonTexts(self.texts))


AnyValues = ColumnValues | UnreadValues


def read_values(parts: Chunks, order: Any, kind: str) -> AnyValues:
    """The values of a column's chunks in the order of the rows (None: as they came)."""
    rows = sum(len(part) for part, _ in parts) if order is None else len(order)
    if all(pa.types.is_null(part.type) for part, _ in parts):
        return ColumnValues([None], np.zeros(rows, dtype="intp"))
    decode = cell_decoder() if kind in {"map", "list", "sublist"} else msgspec.json.decode
    if _is_json(parts):
        if kind in {"map", "list"} and rows >= MIN_UNREAD_ROWS:
            return UnreadValues(_json_texts(parts, order))
        if rows > REPEATS and _repeats(parts):
            texts = _json_texts(parts, order)
            values = [*map(decode, texts.dictionary.to_pylist()), None]
            places = texts.indices.fill_null(len(values) - 1).to_numpy(zero_copy_only=False)
            return ColumnValues(values, places)
    # chunk after chunk: the texts of all in one more array would be the largest thing of a frame
    values = [value for part, json in parts for value in cols.python_values(part, json=json, decode=decode)]
    return ColumnValues(values if order is None else [values[place] for place in order])


def _is_json(parts: Chunks) -> bool:
    """Whether all values of a column that has some are JSON texts."""
    return all(json or pa.types.is_null(part.type) for part, json in parts)


def _json_texts(parts: Chunks, order: Any) -> pa.Array:
    """A column's JSON texts in the order of the rows; those that come again and again stand there once."""
    kinds = {part.type for part, json in parts if json}
    kind = next(iter(kinds)) if len(kinds) == 1 and pa.types.is_dictionary(*kinds) else pa.large_string()
    texts = cols.joined([part if pa.types.is_null(part.type) else part.cast(kind) for part, _ in parts], kind)
    if not pa.types.is_dictionary(kind) and len(texts) > REPEATS and _repeats(parts):
        texts = texts.dictionary_encode()
    return texts if order is None else cols.ordered(texts, order)


def _repeats(parts: Chunks) -> bool:
    """Whether the last rows have each text twice or more."""
    last = next(part for part, json in reversed(parts) if json)
    if pa.types.is_dictionary(last.type):
        return True
    last = last.slice(max(0, len(last) - SAMPLED_ROWS))
    return int(pc.count_distinct(last).as_py()) * 2 <= len(last)
