"""A finished pull's maps and lists in Parquet's own types, in place of the JSON text that its parts had while
they were written.

While rows come, nobody knows yet which keys an object may have, and parts of different types are no data set
for pandas. So the whole folder is looked through once all rows are there, each column gets the one type that
takes all its values, and every part is written again beside itself; then they take each other's places.
Memory holds one part at a time. An end at any moment leaves either kind of parts, which read alike, and the
same again goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import pyarrow as pa

from stripe_magics.frames import manifest as manifests
from stripe_magics.frames.arrow_columns import is_json, json_field, path_of, with_path
from stripe_magics.frames.assemble import without_collector
from stripe_magics.frames.manifest import DataFile, Manifest
from stripe_magics.frames.nested_types import ValueShape, json_values
from stripe_magics.frames.typed_values import MixedValuesError, typed_array


class TypingStopped(Exception):
    """Stop was pressed: the parts are as they were."""


def give_types(folder: Path, manifest: Manifest, stop: Callable[[], bool]) -> Manifest:
    """Write the parts of a complete pull with types of Parquet's own. `details["typed"]` then has the names
    of these columns, `details["text"]` those that stay JSON text. Raises `FileError`, `TypingStopped`."""
    with without_collector():
        return _give_types(folder, manifest, stop)


def _give_types(folder: Path, manifest: Manifest, stop: Callable[[], bool]) -> Manifest:
    schema, mixed = _common_schema(folder, manifest, stop)
    temporary: dict[str, Path] = {}
    try:
        while True:
            files: list[DataFile] = []
            refused = ""
            for file in manifest.files if any(_is_nested(field) for field in schema.values()) else ():
                table = _in_schema(manifests.read_table(folder, file.name), schema, stop)
                if isinstance(table, str):
                    refused = table
                    break
                temporary[file.name], written = manifests.write_temporary(folder, table, file.name)
                files.append(written)
            if not refused:
                break
            schema[refused] = json_field(refused)
            mixed.append(refused)
            _remove(temporary)
        typed = sorted(name for name, field in schema.items() if _is_nested(field))
        details = {"typed": typed, "text": sorted(mixed)}
        return manifests.replace_files(folder, manifest, temporary, files, **details)
    finally:
        _remove(temporary)


def give_text(folder: Path, manifest: Manifest) -> Manifest:
    """The way back, before rows are added whose maps and lists are JSON text: parts of both kinds are no data
    set for pandas. Raises `FileError`."""
    if "typed" not in manifest.details:
        return manifest
    details = {key: value for key, value in manifest.details.items() if key not in {"typed", "text"}}
    temporary: dict[str, Path] = {}
    files: list[DataFile] = []
    try:
        for file in manifest.files if manifest.details["typed"] else ():
            table = manifests.read_table(folder, file.name)
            temporary[file.name], written = manifests.write_temporary(folder, table, file.name)
            files.append(written)
        return manifests.replace_files(folder, replace(manifest, details=details), temporary, files)
    finally:
        _remove(temporary)


def _remove(temporary: dict[str, Path]) -> None:
    for path in temporary.values():
        path.unlink(missing_ok=True)
    temporary.clear()


def _is_nested(field: pa.Field) -> bool:
    return bool(pa.types.is_nested(field.type))


def _common_schema(
    folder: Path, manifest: Manifest, stop: Callable[[], bool]
) -> tuple[dict[str, pa.Field], list[str]]:
    """The field that each column has in every part, and the names of the columns of maps or lists that have
    no type."""
    shapes: dict[str, ValueShape] = {}
    fields: dict[str, list[tuple[pa.Field, bool]]] = {}  # of each part, and whether it has a value
    mixed: set[str] = set()
    plain: set[str] = set()  # an id in all rows of a part, say, where others have the object
    for file in manifest.files:
        table = manifests.read_table(folder, file.name)
        for field, column in zip(table.schema, table.columns, strict=True):
            filled = column.null_count < len(column)
            fields.setdefault(field.name, []).append((field, filled))
            if filled and not is_json(field):
                plain.add(field.name)
            if not filled or not is_json(field) or field.name in mixed:
                continue
            shape = shapes.setdefault(field.name, ValueShape(field.name))
            try:
                for values in json_values(column):
                    _check(stop)
                    shape.observe(values)
            except msgspec.MsgspecError:
                mixed.add(field.name)
    common = {name: _common_field(found) for name, found in fields.items()}
    for name, shape in shapes.items():
        try:
            kind = shape.type()
        except MixedValuesError:
            mixed.add(name)
            continue
        if pa.types.is_nested(kind) and name in plain:
            mixed.add(name)
        elif name not in mixed and pa.types.is_nested(kind):
            common[name] = with_path(pa.field(name, kind), path_of(common[name]))
    return common, sorted(mixed)


def _common_field(found: Sequence[tuple[pa.Field, bool]]) -> pa.Field:
    """The field of the parts that have values; parts without any adapt to them."""
    filled = [field for field, has_values in found if has_values]
    return next((field for field in filled if is_json(field)), (filled or [found[0][0]])[0])


def _in_schema(table: pa.Table, schema: Mapping[str, pa.Field], stop: Callable[[], bool]) -> pa.Table | str:
    """The part with these columns; the name of one that has a value which its type doesn't take."""
    fields, columns = [], []
    for name, field in schema.items():
        _check(stop)
        place = table.schema.get_field_index(name)
        column = table.column(place) if place >= 0 else pa.nulls(len(table), pa.string())
        if _is_nested(field):
            texts = column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])
            try:
                made, column = typed_array(json_values(texts), name, field.type)
                field = with_path(made, path_of(field))  # noqa: PLW2901
            except MixedValuesError:
                return name
        elif column.null_count == len(column):
            column = pa.nulls(len(table), field.type)
        else:
            field = table.schema.field(place)  # noqa: PLW2901 - of several types: each part has its own
        fields.append(field)
        columns.append(column)
    return pa.Table.from_arrays(columns, schema=pa.schema(fields, metadata=table.schema.metadata))


def _check(stop: Callable[[], bool]) -> None:
    if stop():
        raise TypingStopped
