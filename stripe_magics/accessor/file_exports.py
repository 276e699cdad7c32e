"""Files that others open, and that come back equal.

Parquet and Feather keep everything: maps and lists as JSON text that says so, the frame's facts in the file's
own metadata. CSV has no text that would run as a formula. Workbooks: spreadsheets.py.
"""

from __future__ import annotations

import json
import re
import warnings
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
from pandas.api.types import is_object_dtype

from stripe_magics._install import pip_install
from stripe_magics.errors import FrameError
from stripe_magics.frames import manifest as manifests
from stripe_magics.frames import parquet
from stripe_magics.frames.arrow_columns import is_json, json_field
from stripe_magics.frames.cell_array import CellDtype
from stripe_magics.frames.cell_types import JSON_TEXT, cell_values
from stripe_magics.frames.cells import as_json
from stripe_magics.frames.frame_info import FrameInfo, facts_of, remember
from stripe_magics.frames.nested_types import nested_array
from stripe_magics.frames.pandas_columns import INTERVALS, objects, text_dtype
from stripe_magics.frames.typed_values import MixedValuesError, values_of

_FACTS = b"stripe_magics"
RISKY = re.compile(r"^[\s]*[=+\-@\t\r]")


def to_table(frame: pd.DataFrame, *, typed: bool = False) -> pa.Table:
    """The frame as an Arrow table that comes back equal (`from_table`).

    `typed`: maps and lists have types of Arrow's in place of JSON text. What came in several types at one
    place stays text, with a warning.
    """
    bare = frame.copy(deep=False)
    bare.attrs = {}
    nested = [
        name
        for name in frame.columns
        if is_object_dtype(frame[name].dtype) and any(isinstance(each, (dict, list)) for each in frame[name])
    ]
    for name in nested:
        bare[name] = pd.Series(
            [None if _missing(each) else as_json(each) for each in frame[name]],
            index=frame.index,
            dtype=object,
        )
    blank = [
        name
        for name in frame.columns
        if name not in nested and is_object_dtype(frame[name].dtype) and frame[name].isna().all()
    ]
    for name in blank:
        bare[name] = pd.Series([None] * len(frame), index=frame.index, dtype=object)
    table = pa.Table.from_pandas(bare, preserve_index=None)
    own = _typed_columns(frame, nested) if typed else {}
    fields = [
        own[each.name][0] if each.name in own else json_field(each.name) if each.name in nested else each
        for each in table.schema
    ]
    arrays = [
        (
            own[each.name][1]
            if each.name in own
            else table.column(each.name).cast(pa.string())
            if each.name in nested
            else table.column(each.name)
        )
        for each in table.schema
    ]
    texts = [name for name in frame.columns if frame[name].dtype == text_dtype()]
    said = {
        "facts": dict(facts_of(frame)),
        "blank": blank,
        "texts": texts,
        "typed": list(own),
        "cells": [name for name in frame.columns if isinstance(frame[name].dtype, CellDtype)],
        "intervals": [name for name in frame.columns if frame[name].dtype == INTERVALS],
    }
    facts = json.dumps(said).encode()
    metadata = {**(table.schema.metadata or {}), _FACTS: facts}
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=metadata))


def _typed_columns(frame: pd.DataFrame, nested: list[Any]) -> dict[str, tuple[pa.Field, pa.Array]]:
    """The nested columns that have one type, by name."""
    made, mixed = {}, []
    for name in nested:
        cells = [None if _missing(each) else each for each in frame[name]]
        try:
            made[str(name)] = nested_array(cells, str(name))
        except MixedValuesError:
            mixed.append(str(name))
    if mixed:
        warnings.warn(
            f"Written as JSON text, since one place in them has values of several types: {', '.join(mixed)}.",
            stacklevel=5,
        )
    return made


def _missing(value: Any) -> bool:
    return not isinstance(value, (dict, list, str)) and bool(pd.isna(value))


def from_table(table: pa.Table) -> pd.DataFrame:
    """The frame of a table that `to_table` made."""
    said = json.loads(table.schema.metadata[_FACTS])
    frame: pd.DataFrame = table.to_pandas()
    for each in table.schema:
        if is_json(each):
            frame[each.name] = objects(
                [None if text is None or _missing(text) else json.loads(text) for text in frame[each.name]]
            )
    for name in said.get("typed", ()):
        cells = chain.from_iterable(values_of(table.column(name), table.schema.field(name)))
        frame[name] = objects(list(cells))
    for name in said["texts"]:
        frame[name] = frame[name].astype(text_dtype())
    for name in said.get("intervals", ()):  # a file without rows doesn't keep the choices
        frame[name] = frame[name].astype(INTERVALS)
    for name in said["blank"]:
        frame[name] = objects([None] * len(frame))
    if "cells" in said:  # a column of a person's own dicts comes back as one
        for name in frame.columns:
            if isinstance(frame[name].dtype, CellDtype) and name not in said["cells"]:
                frame[name] = frame[name].astype(object)
    frame.attrs = {}
    if said["facts"]:
        info = FrameInfo.of(said["facts"])
        info.put(frame)
        remember(info)
    return frame


def read_parquet(path: str | Path) -> pd.DataFrame:
    """The frame of a Parquet or Feather file (or of a pulled folder) at `path` that was written here: equal
    to what was written, with its facts.

    One that pandas wrote itself (`df.to_parquet`, `df.to_feather`) comes back equal, too; keys that Arrow
    added to objects for other rows' sake are taken out again. (What a frame knows is not in a feather file
    of pandas 2.)
    A pull that was killed while its parts were replaced by typed ones leaves parts of both kinds, which
    `pd.read_parquet` and DuckDB refuse to read together: reading the folder here finishes that first.
    Raises FrameError if there is nothing to read.

        >>> df = pd.DataFrame({"id": ["ch_1"], "object": ["charge"], "amount": [500], "currency": ["usd"]})
        >>> df.stripe.to_parquet("/tmp/charges.parquet")  # doctest: +SKIP
        >>> sm.read_parquet("/tmp/charges.parquet").equals(df)  # doctest: +SKIP
        True
    """
    place = Path(path)
    if not place.exists():
        raise FrameError(f"There is no file {place}.")
    if place.is_file():
        table = _read_table(place)
        if _FACTS in (table.schema.metadata or {}):
            return from_table(table)
        if b"stripe_object" not in (table.schema.metadata or {}):
            return _from_pandas(table)
    for each in place.rglob(manifests.MANIFEST):  # a folder, or one of several
        manifests.finish_replacement(each.parent)
    frame = parquet.frame_of(_tables_of(place))
    remember(FrameInfo.of(frame))
    return frame


def _tables_of(place: Path) -> list[pa.Table]:
    """The rows of a file, or of a folder and those in it: where one has a manifest, the rows that it names. A
    file that a killed writer left has rows of others once more."""
    managed = [each.parent for each in sorted(place.rglob(manifests.MANIFEST))]
    tables = []
    for folder in managed:
        tables += manifests.tables_as_they_are(folder)
    return tables + [
        parquet.read_file(path)
        for path in parquet.files_of(place)
        if not {path.parent, path.parent.parent} & {*managed}
    ]


def _read_table(path: Path) -> pa.Table:
    if path.suffix in {".feather", ".arrow"}:
        return pyarrow.feather.read_table(path)
    return pq.read_table(path, partitioning=None)


def _from_pandas(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas()
    for each in table.schema:
        if pa.types.is_nested(each.type):
            frame[each.name] = objects(cell_values(table.column(each.name), each))
    for name in _object_columns(table):
        kind = table.schema.field(name).type
        if pa.types.is_null(kind):
            frame[name] = objects([None] * len(frame))
        elif kind == JSON_TEXT:
            frame[name] = objects([None if _missing(text) else json.loads(text) for text in frame[name]])
    kept = (table.schema.metadata or {}).get(b"PANDAS_ATTRS")
    if kept and not frame.attrs:  # pandas 2 keeps them there
        frame.attrs = json.loads(kept)
    info = FrameInfo.of(frame)
    if info.object or info.mode or {"id", "object"} <= set(frame.columns):
        for name in frame.columns:  # pandas 2 brings text back in another dtype than it was
            if isinstance(frame[name].dtype, pd.StringDtype) and frame[name].dtype != text_dtype():
                frame[name] = frame[name].astype(text_dtype())
            elif not len(frame) and isinstance(frame[name].dtype, pd.CategoricalDtype):
                frame[name] = frame[name].astype(INTERVALS)  # the choices went with the rows
    if info.object or info.mode:
        info.put(frame)
        remember(info)
    return frame


def _object_columns(table: pa.Table) -> list[str]:
    """The columns that pandas had as objects."""
    said = (table.schema.metadata or {}).get(b"pandas")
    columns = json.loads(said)["columns"] if said else []
    names = [each["name"] for each in columns if each.get("numpy_type") == "object"]
    return [name for name in names if name in table.column_names]


def to_parquet(frame: pd.DataFrame, path: str | Path, *, typed: bool = False) -> None:
    """See `df.stripe.to_parquet`."""
    table = to_table(frame, typed=typed)
    if Path(path).suffix in {".feather", ".arrow"}:
        pyarrow.feather.write_feather(table, str(path))
    else:
        pq.write_table(table, path, compression="zstd")


def to_csv(frame: pd.DataFrame, path: Any, options: dict[str, Any]) -> str | None:
    """See `df.stripe.to_csv`."""
    out = frame.copy()
    out.columns = pd.Index([harmless(str(name)) for name in frame.columns])
    for place, dtype in enumerate(frame.dtypes):
        if dtype.kind == "O":  # objects, texts and categories
            cells = [harmless(value) for value in out.iloc[:, place].astype(object)]
            out.isetitem(place, objects(cells))
    text: str | None = out.to_csv(path, **{"index": False, **options})
    return text


def harmless(value: object) -> Any:
    """A cell that a spreadsheet shows and doesn't run; dicts and lists as JSON."""
    if isinstance(value, (dict, list)):
        return as_json(value)
    if not isinstance(value, str):
        return value
    # a bare CR is written without quotes and would begin a new row
    text = value.replace("\r\n", "\n").replace("\r", "\n")
    return "'" + text if RISKY.match(value) else text


def to_sql(frame: pd.DataFrame, name: str, connection: object, options: dict[str, Any]) -> Any:
    """pandas' `to_sql` without the index, with dicts and lists as JSON text."""
    ready = frame.copy(deep=False)
    for column in ready.columns:
        if pd.api.types.is_object_dtype(ready[column].dtype):
            ready[column] = [
                as_json(each) if isinstance(each, (dict, list)) else each for each in ready[column]
            ]
    ready.attrs = {}
    return ready.to_sql(name, connection, **{"index": False, **options})


def to_polars(frame: pd.DataFrame) -> Any:
    """See `df.stripe.to_polars`."""
    try:
        import polars as pl
    except ImportError:
        raise FrameError("This needs polars, which isn't installed.", advice=pip_install("polars")) from None

    return pl.from_arrow(to_table(frame))
