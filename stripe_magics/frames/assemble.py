"""Chunks -> one DataFrame: column by column, each column's chunks let go as soon as it stands.

Most columns are typed already: their chunks are joined. The others (JSON text, or chunks of several types
because the account sent a field in more than one shape) go through Python values, where all of them are
known: an expanded object becomes its columns, and a column that came both ways has the values of both.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from stripe_magics._text import closest_matches
from stripe_magics.catalogue.versions import PINNED_VERSION
from stripe_magics.errors import UnknownName
from stripe_magics.frames import arrow_columns as cols
from stripe_magics.frames.column_values import AnyValues, ColumnValues, UnreadValues, read_values
from stripe_magics.frames.flattening import flatten_objects
from stripe_magics.frames.frame_info import FrameInfo
from stripe_magics.frames.null_arrays import NullColumns
from stripe_magics.frames.pandas_columns import finish, from_values
from stripe_magics.frames.schema import Column, kind_by_name, schema
from stripe_magics.frames.unknown_objects import Chunks, Paths, with_parts

MANY_ROWS = 5_000  # from which on unused memory is given back on the way
MIN_RELEASED, RELEASES = 8_000_000, 6  # bytes that are worth it; how often at most


def assemble(
    tables: list[pa.Table],
    object_type: str,
    *,
    columns: Sequence[str] = (),
    further: Sequence[Column] = (),
    newest_first: bool = False,
    limit: int | None = None,
    version: str = PINNED_VERSION,
) -> pd.DataFrame:
    """Chunks -> DataFrame: the fixed columns of the object type first, then what else was sent, by name.

    The tables are handed over: the list is empty afterwards, so that each column's chunks can go when they
    are done with.
    """
    count = sum(table.num_rows for table in tables)
    release_memory(count)  # what the pages had
    order = _newest_first(tables) if newest_first else None
    if limit is not None and count > limit:
        order = (order if order is not None else np.arange(count))[:limit]
        count = limit
    fixed = {each.name: each for each in schema(object_type, version).columns}
    chunks = with_parts(*_by_column(tables))
    loose: dict[str, tuple[str, AnyValues]] = {}
    expanded: dict[str, str] = {}
    made: dict[str, Any] = {}
    unused, most = 0, max(MIN_RELEASED, _bytes_of(*chunks.values()) // RELEASES)
    with without_collector():
        # JSON first: whether a typed column has values there, too, is then known
        for name in sorted(chunks, key=lambda each: not any(json for _, json in chunks[each])):
            parts, column = chunks.pop(name), fixed.get(name)
            unused += _bytes_of(parts)
            if (typed := _typed(name, parts, column)) is None:
                _spread(name, parts, order, loose, expanded, fixed, version)
            else:
                array = typed[1] if order is None else cols.ordered(typed[1], order)
                if name in loose:
                    kind, values = loose[name]
                    loose[name] = kind, values.over(ColumnValues(cols.python_values(array, json=False)))
                else:
                    made[name] = finish(typed[0].kind, array)
                del array
            del parts, typed
            if unused > most:
                release_memory(count)
                unused = 0
        while loose:
            name, (kind, values) = loose.popitem()
            column = fixed.get(name)
            made[name] = values.array(column or _column(name, kind), learned=column is None and not kind)
    release_memory(count)
    fixed |= {each.name: each for each in further}  # what no row had is there, and missing
    shown = _shown(made, fixed, columns, empty=not count)
    blank = NullColumns(count)
    data = {name: made[name] if name in made else blank.column(fixed[name].kind) for name in shown}
    frame = _with_metadata(pd.DataFrame(data, index=pd.RangeIndex(count), copy=False), columns)
    return FrameInfo(object=object_type, expanded=expanded).put(frame)


def _bytes_of(*columns: Chunks) -> int:
    return sum(part.nbytes for parts in columns for part, _ in parts)


def _spread(
    name: str,
    parts: Chunks,
    order: Any,
    loose: dict[str, tuple[str, AnyValues]],
    expanded: dict[str, str],
    fixed: Mapping[str, Column],
    version: str,
) -> None:
    """Add the columns of one that has no type, with their kinds, to the `loose` ones."""
    # an object's id is one cell, whatever was sent
    kind = "map" if name == "id" else fixed[name].kind if name in fixed else ""
    read = read_values(parts, order, kind)
    if isinstance(read, UnreadValues):
        loose[name] = kind, read.over(loose[name][1]) if name in loose else read
        return
    for plain, own_kind, values in flatten_objects(
        name, read.values, kind, expanded=expanded, version=version
    ):
        leaf = _apart(name, plain, fixed)
        own = ColumnValues(values, read.places)
        loose[leaf] = own_kind, own.over(loose[leaf][1]) if leaf in loose else own


def release_memory(rows: int = MANY_ROWS) -> None:
    """Unused memory to the system, where there is enough of it to be worth the time."""
    if rows >= MANY_ROWS:
        cols.POOL.release_unused()
        pa.default_memory_pool().release_unused()
        if (trim := _malloc_trim()) is not None:
            trim(0)


@contextmanager
def system_memory() -> Iterator[None]:
    """What Arrow works out in here lies in the system's memory, which takes back what is let go; its usual
    pool keeps it."""
    usual = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(usual)


@cache
def _malloc_trim() -> Callable[[int], int] | None:
    """glibc's own; None elsewhere. The pages that were read lie in the arena of another thread, which nothing
    else gives back."""
    if sys.platform != "linux":
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)


def _apart(source: str, name: str, fixed: Mapping[str, Column]) -> str:
    """The column of a part of `source`: not the one in which another field of the object stands.

    An invoice has its own `customer_name`, as it was when it was made; the name of an expanded customer is
    `customer__name`.
    """
    path = fixed[source].path if source in fixed else (source,)
    if name == source or name not in fixed or fixed[name].path[: len(path)] == path:
        return name
    return f"{source}__{name[len(source) + 1 :]}"


@contextmanager
def without_collector() -> Iterator[None]:
    """Without the garbage collector, which would walk through thousands of new dicts again and again."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _by_column(tables: list[pa.Table]) -> tuple[dict[str, Chunks], Paths]:
    out: dict[str, Chunks] = {name: [] for table in tables if table.num_rows for name in table.column_names}
    paths: Paths = {}
    for table in tables:
        for each in table.schema:
            if path := cols.path_of(each):
                paths[each.name] = min(paths.get(each.name, path), path, key=len)
        if not table.num_rows:
            continue
        for name, chunks in out.items():
            place = table.schema.get_field_index(name)
            if place < 0:
                chunks.append((pa.nulls(table.num_rows), False))
                continue
            json = cols.is_json(table.schema.field(place))
            chunks.extend((_in_frame_type(chunk, json=json), json) for chunk in table.column(place).chunks)
    tables.clear()
    return out, paths


def _in_frame_type(chunk: pa.Array, *, json: bool) -> pa.Array:
    """A Parquet file's text and times in the types that frames have."""
    if not json and pa.types.is_string(chunk.type):
        return chunk.cast(pa.large_string())
    if pa.types.is_timestamp(chunk.type) and chunk.type.tz and chunk.type != cols.ARROW["time"]:
        return chunk.cast(cols.ARROW["time"], safe=False)  # nanoseconds
    return chunk


# Typed columns ----------------------------------------------------------------------------------------------
_SENT: Mapping[str, type] = {
    "large_string": str,
    "dictionary": str,
    "int64": int,
    "timestamp": int,
    "bool": bool,
    "double": float,
}


def _typed(name: str, parts: Chunks, column: Column | None) -> tuple[Column, pa.Array] | None:
    """A column whose chunks all have its kind's type, joined; None if they haven't."""
    if any(json for _, json in parts):
        return None
    arrays = [part for part, _ in parts]
    if len({each.type for each in arrays if not pa.types.is_null(each.type)}) > 1 or column is not None:
        arrays = _in_one_type(arrays, column)
    if column is None:
        column = _learned(name, arrays)
    target = cols.ARROW.get(column.kind) if column is not None else None
    if column is None or target is None:
        return None
    if pa.types.is_dictionary(target):  # a Parquet file has plain text there
        arrays = [
            each.cast(pa.string()).dictionary_encode() if pa.types.is_large_string(each.type) else each
            for each in arrays
        ]
    if all(each.type == target or pa.types.is_null(each.type) for each in arrays):
        return column, cols.joined(arrays, target)
    return None


def _in_one_type(arrays: list[pa.Array], column: Column | None) -> list[pa.Array]:
    """Chunks that were written in several types of one sort (whole numbers that pandas made floats, texts
    that are stored in two ways) in that of the column, or in the one that takes all; else as they are."""
    kinds = {each.type for each in arrays if not pa.types.is_null(each.type)}
    target = cols.ARROW.get(column.kind) if column is not None else cols.common_type(kinds)
    if target is None or pa.types.is_dictionary(target) or cols.common_type(kinds | {target}) is None:
        return arrays
    try:
        return [each if pa.types.is_null(each.type) else each.cast(target) for each in arrays]
    except pa.ArrowInvalid:  # a fraction among whole numbers
        return arrays


def _learned(name: str, arrays: Sequence[pa.Array]) -> Column | None:
    """The column of a field that the facts don't have, by the one type in which it was sent."""
    kinds = {each.type for each in arrays if not pa.types.is_null(each.type)}
    if len(kinds) != 1:
        return None
    column = _column(name, "")
    sent = _SENT.get(str(kinds.pop()).partition("[")[0].partition("<")[0])
    kind = kind_by_name(column.path[-1], sent) if sent is not None else ""
    return Column(name, column.path, kind) if kind in cols.ARROW else None


@cache
def _column(name: str, kind: str) -> Column:
    key = name
    for word in ("_at", "_date", "currency"):
        # the key that a joined name ends in matters for its kind only by these
        if name.endswith(word):
            key = name[-len(word) - 1 :] if word != "currency" else word
    return Column(
        name, (name.rpartition("_")[2] if name.endswith(("_created", "_amount")) else key,), kind or "any"
    )


# The whole --------------------------------------------------------------------------------------------------
def _newest_first(tables: Sequence[pa.Table]) -> Any:
    """The order of rows by `created`, newest first, equal seconds as they came; None if they stand so
    already."""
    ticks = [
        chunk.cast(pa.int64()).to_numpy(zero_copy_only=False)
        for table in tables
        if "created" in table.column_names
        for chunk in table.column("created").chunks
        if not pa.types.is_null(chunk.type)
    ]
    stamps = np.concatenate(ticks) if ticks else np.array([], dtype="int64")
    if len(stamps) != sum(table.num_rows for table in tables) or not (np.diff(stamps) > 0).any():
        return None
    return np.argsort(-stamps, kind="stable")


def _shown(
    made: Mapping[str, Any], fixed: Mapping[str, Column], requested: Sequence[str], *, empty: bool
) -> list[str]:
    every = [*fixed, *sorted(name for name in made if name not in fixed)]
    return chosen_columns(every, requested, empty=empty) if requested else every


def chosen_columns(every: Sequence[str], requested: Sequence[str], *, empty: bool) -> list[str]:
    """The columns that were asked for, and the id; a name stands for all that begin with it. Raises
    `UnknownName`, unless no row came."""
    chosen: dict[str, None] = dict.fromkeys(("id",)) if "id" in every else {}
    for name in requested:
        base = name.partition("[")[0]
        found = [base] if base in every else [each for each in every if each.startswith(base + "_")]
        if not found and not empty:
            raise unknown(name, every)
        chosen.update(dict.fromkeys(found))
    return list(chosen)


def unknown(name: str, columns: Sequence[str]) -> UnknownName:
    """The error for a column that there isn't, with those that it may be."""

    return UnknownName("column", name, closest_matches(name, columns, 3))


def _with_metadata(frame: pd.DataFrame, requested: Sequence[str]) -> pd.DataFrame:
    """Add the single keys that were asked for as `metadata[order_id]`, in place of the whole where only keys
    were asked for."""
    keyed = [name for name in requested if name.endswith("]") and "[" in name]
    for name in keyed:
        base, _, key = name[:-1].partition("[")
        values = [value.get(key) if isinstance(value, dict) else None for value in frame[base]]
        frame[name] = from_values(Column(name, (key,), "text"), values, learned=False)
    return (
        frame.drop(
            columns=[base for base in {name.partition("[")[0] for name in keyed} if base not in requested]
        )
        if keyed
        else frame
    )
