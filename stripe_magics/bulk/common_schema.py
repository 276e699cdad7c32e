"""One schema for all files of a mirror's list, for readers that take the first file's.

Stripe adds fields, and a field may come in another type: files of different months differ in their columns
then. pandas, Arrow and Spark read a folder with the schema of its first file, and would leave out what
that doesn't have. So a file without rows is put before the others (`manifest.SCHEMA_STEM`), with every column
in the type that takes all its values. Where all files are alike there is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stripe_magics.frames import manifest as manifests
from stripe_magics.frames.arrow_columns import is_json
from stripe_magics.frames.manifest import SCHEMA_STEM, DataFile

if TYPE_CHECKING:
    import pyarrow as pa


def is_schema_file(file: DataFile) -> bool:
    """Whether it is one of no rows that is there for its columns."""
    return not file.rows and file.name.startswith(SCHEMA_STEM)


def with_schema_file(folder: Path, files: Sequence[DataFile], object_type: str) -> list[DataFile]:
    """The files, with one of no rows if the first of them doesn't have all columns. Raises `FileError`."""
    rows = [each for each in files if not is_schema_file(each)]
    if len(rows) < 2:
        return rows
    before = next((each for each in files if is_schema_file(each)), None)
    schemas = {each.name: manifests.schema_of(folder, each.name) for each in rows}
    common = common_table(schemas.values(), object_type)
    if _columns(schemas[min(schemas)]) == _columns(common.schema):
        return rows
    if before is not None and _columns(manifests.schema_of(folder, before.name)) == _columns(common.schema):
        return [*rows, before]
    return [*rows, manifests.write_file(folder, common, manifests.unique_name(SCHEMA_STEM))]


def common_table(schemas: Iterable[pa.Schema], object_type: str) -> pa.Table:
    """A table without rows that has all columns, each in the type that takes the values of all."""
    from stripe_magics.frames.parquet import joined_table

    different = {tuple(_columns(each).items()): each for each in schemas}
    return joined_table([each.empty_table() for each in different.values()], object_type)


def alike(folder: Path, files: Sequence[DataFile], object_type: str) -> list[DataFile]:
    """The files, those that differ written again with all columns. Raises `FileError`."""
    from stripe_magics.frames.parquet import joined_table

    rows = [each for each in files if not is_schema_file(each)]
    schemas = {each.name: manifests.schema_of(folder, each.name) for each in rows}
    common = common_table(schemas.values(), object_type)
    out = []
    for each in rows:
        if list(_columns(schemas[each.name]).items()) == list(_columns(common.schema).items()):
            out.append(each)
            continue
        table = joined_table([common, manifests.read_table(folder, each.name)], object_type)
        stem = each.name.rpartition("-")[0]
        out.append(manifests.write_file(folder, table, manifests.unique_name(stem)))
    return out


def _columns(schema: pa.Schema) -> dict[str, tuple[str, bool]]:
    return {each.name: (str(each.type), is_json(each)) for each in schema}
