"""Chunks <-> Parquet: files that anything can read, and that become the same frame again.

Every file of an object type has all its fixed columns, in the same types: text, int64, boolean, double,
timestamps in UTC. Dicts and lists are JSON text, which DuckDB's and others' JSON functions open, or, in the
folder of a finished pull, maps, structs and lists of Arrow's (`nested_types.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from stripe_magics.frames.arrow_columns import (
    ARROW,
    common_type,
    is_json,
    is_text,
    json_field,
    path_of,
    with_path,
)
from stripe_magics.frames.assemble import assemble, chosen_columns
from stripe_magics.frames.frame_info import FrameInfo
from stripe_magics.frames.nested_types import as_json_text
from stripe_magics.frames.schema import Column, known, schema

if TYPE_CHECKING:
    import pandas as pd


def plain_table(
    tables: Sequence[pa.Table], object_type: str, *, columns: Sequence[str] = (), whole: bool = True
) -> pa.Table:
    """Chunks of a builder as one table for a file. With `columns`, these alone: one that isn't there is
    refused, if this is `whole`."""
    count = sum(table.num_rows for table in tables)
    fixed = {each.name: each for each in schema(object_type).columns}
    found = dict.fromkeys(name for table in tables for name in table.column_names)
    every = [*fixed, *sorted(name for name in found if name not in fixed)]
    if columns:
        opened = {each.name for table in tables for each in table.schema if is_json(each)}
        filled = {
            name for table in tables for name in table.column_names if table[name].null_count < len(table)
        }
        holders = [  # a reference that no row has may be expanded as well
            name
            for name in every
            if (name in opened or name not in filled) and (name not in fixed or fixed[name].kind == "ref")
        ]
        columns = [_held(each, every, holders) for each in columns]
    names = chosen_columns(every, columns, empty=not whole) if columns else every
    made = [_joined(tables, name, fixed.get(name), count) for name in names]
    fields, arrays = [each[0] for each in made], [each[1] for each in made]
    paths = {each.name: path for table in tables for each in table.schema if (path := path_of(each))}
    fields = [with_path(each, paths[each.name]) if each.name in paths else each for each in fields]
    return pa.Table.from_arrays(
        arrays, schema=pa.schema(fields, metadata={b"stripe_object": object_type.encode()})
    )


def joined_table(tables: Sequence[pa.Table], object_type: str) -> pa.Table:
    """The rows of tables that were written at different times as one table: columns are those that any of
    them has, and what came in several types has the one that takes all (JSON text, where no other does)."""
    fixed = {each.name: each for each in schema(object_type).columns}
    count = sum(table.num_rows for table in tables)
    names = dict.fromkeys(name for table in tables for name in table.column_names)
    made = [_joined(tables, name, fixed.get(name), count) for name in names]
    metadata = next((table.schema.metadata for table in tables if table.schema.metadata), None)
    return pa.Table.from_arrays(
        [each[1] for each in made], schema=pa.schema([each[0] for each in made], metadata=metadata)
    )


def _joined(
    tables: Sequence[pa.Table], name: str, column: Column | None, count: int
) -> tuple[pa.Field, pa.Array]:
    """A column of all tables, with its field."""
    parts = [_part(table, name) for table in tables]
    json = any(each[1] for each in parts) or (column is not None and column.kind not in ARROW)
    kinds = {_plain(part.type) for part, _ in parts if not pa.types.is_null(part.type)}
    target = (
        common_type(kinds) if kinds else _plain(ARROW[column.kind]) if column and not json else pa.string()
    )
    if not json and target is not None:
        if column is not None and common_type({target, _plain(ARROW[column.kind])}) is not None:
            target = _plain(ARROW[column.kind])  # numbers that pandas made floats
        try:
            arrays = [part.cast(target) for part, _ in parts] or [pa.nulls(count, target)]
            return pa.field(name, target), pa.concat_arrays(arrays)
        except pa.ArrowInvalid:  # a fraction among whole numbers
            pass
    texts = [_as_json(part, json=is_text) for part, is_text in parts] or [pa.nulls(count, pa.string())]
    return json_field(name), pa.concat_arrays(texts)


def _held(name: str, every: Sequence[str], holders: Sequence[str]) -> str:
    """The column that a name is found in: its own, or that of the expanded object that has it (files keep
    such objects whole)."""
    if name in every or any(each.startswith(name + "_") for each in every):
        return name
    return next((each for each in holders if name.startswith(each + "_") and _has(each, name)), name)


def _has(holder: str, name: str) -> bool:
    """Whether an object can have a column; True for what isn't known."""
    column = name.removeprefix(f"{holder}_")
    return not known(holder) or any(
        column == each or column.startswith(f"{each}_") for each in schema(holder).names
    )


def _part(table: pa.Table, name: str) -> tuple[pa.Array, bool]:
    place = table.schema.get_field_index(name)
    if place < 0:
        return pa.nulls(table.num_rows), False
    column = table.column(place).combine_chunks()
    return (pa.concat_arrays(column.chunks) if isinstance(column, pa.ChunkedArray) else column), is_json(
        table.schema.field(place)
    )


def _plain(kind: pa.DataType) -> pa.DataType:
    return pa.string() if is_text(kind) else kind


def _as_json(part: pa.Array, *, json: bool) -> pa.Array:
    if json:
        return part
    if pa.types.is_timestamp(part.type):
        part = part.cast(pa.timestamp("s", part.type.tz), safe=False).cast(pa.int64())
    return pa.array(
        [None if value is None else msgspec.json.encode(value) for value in part.to_pylist()], pa.string()
    )


def encode(table: pa.Table) -> bytes:
    """The content of a Parquet file."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue())


def files_of(place: str | Path) -> list[Path]:
    """The Parquet files of a folder, in order; or the one file."""
    path = Path(place)
    return sorted(path.rglob("*.parquet")) if path.is_dir() else [path]


def read(
    place: str | Path | Iterable[Path], *, columns: Sequence[str] = (), newest_first: bool = True
) -> pd.DataFrame:
    """The frame of a folder (or file) that was written here: the same columns and dtypes as if it had been
    pulled just now."""
    paths = files_of(place) if isinstance(place, (str, Path)) else list(place)
    tables = [read_file(path) for path in paths]
    return frame_of(tables, columns=columns, newest_first=newest_first)


def read_file(path: Path) -> pa.Table:
    """The rows of a file, maps and lists as JSON text."""
    return as_json_text(pq.read_table(path, partitioning=None))


def frame_of(
    tables: Sequence[pa.Table], *, columns: Sequence[str] = (), newest_first: bool = True
) -> pd.DataFrame:
    """The frame of the tables of files that were written here."""
    kind = next(
        (
            table.schema.metadata.get(b"stripe_object", b"").decode()
            for table in tables
            if table.schema.metadata
        ),
        "",
    )
    frame = assemble(list(tables), kind, columns=columns, newest_first=newest_first)
    return FrameInfo.of(frame).replace(object=kind, units="minor").put(frame)
