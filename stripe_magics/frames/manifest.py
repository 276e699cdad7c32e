"""What a folder of Parquet files holds, written last: `_manifest.json`.

A file counts if the manifest names it, with its rows, size and checksum; the manifest is replaced at once,
after the files are on the disk. So a folder is always as its manifest says, whatever ended the last writer;
what the manifest doesn't name is left over from such an end (it bears a name of ours, and goes) or is
somebody else's (and stays, but isn't read).

Layout, for other programs: `*.parquet` in a list's folder are its rows, plain Parquet of text, int64,
boolean, double and timestamps in UTC (microseconds), by the month of `created` in the file's name; there are
no partition columns. Objects and lists are JSON text. Whatever begins with `_` or `.` is not for plain
readers.

- What is read in the ordinary way: `pd.read_parquet("mirror/charges")`, `pyarrow.dataset.dataset(...)`,
  `dask.dataframe.read_parquet(...)`, `spark.read.parquet(...)`; by their files with DuckDB and polars:
  `from 'mirror/charges/*.parquet'`, `pl.read_parquet("mirror/charges/*.parquet")`.
- Where files differ in their columns (Stripe has sent a new field, or a field in another type), one without
  rows that is read first, `0000-00-*.parquet`, has all of them in the types that take every value. pandas,
  pyarrow and Spark then have all columns; DuckDB wants `read_parquet(..., union_by_name=true)`, polars
  `scan_parquet(..., missing_columns="insert")`, and both say so; dask fails. A column that came in several
  types is text; Spark and polars refuse to read an integer as such. `%stripe sync FOLDER --compact` writes
  all files alike, for any of them.
- A mirror of many rows may have changes beside its files, in `_changes/`, which plain readers pass over: they
  have the rows as they were before. `sync --compact` works them in. Or read them (they are Parquet, too):

      select * from read_parquet('mirror/charges/*.parquet', union_by_name=true) as stored
        anti join read_parquet('mirror/charges/_changes/hidden-*') as hidden using (id)
      union all by name select * from read_parquet('mirror/charges/_changes/rows-*')

  and with Spark (where rows were only deleted, there is no `rows-*`):

      stored, changes = "mirror/charges", "mirror/charges/_changes"
      (spark.read.parquet(stored).join(spark.read.parquet(f"{changes}/hidden-*"), "id", "left_anti")
        .unionByName(spark.read.parquet(f"{changes}/rows-*"), allowMissingColumns=True))
"""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stripe_magics import _files
from stripe_magics.errors import FileError

if TYPE_CHECKING:
    import pyarrow as pa

VERSION = 3  # 3: maps and lists have Arrow's own types (`details["typed"]`); other folders are still 2
MANIFEST = "_manifest.json"
LOCK = ".lock"  # held by who writes into a folder
OLD_STATE = "_state.json"  # of version 0.2, which had no checksums
CHANGES = "_changes"  # folder
# of Parquet files that whoever reads all `*.parquet` below a folder must not take in
CHANGE_SUFFIX = ".changes"
MAX_REPLACED = 5  # times that a reader begins anew, since a writer changed the folder meanwhile
SCHEMA_STEM = "0000-00"  # of a file without rows that has all columns; it is the first by its name
_REPLACEMENTS = "replacements"  # among the details, while files take the places of others


@dataclass(frozen=True, slots=True)
class DataFile:
    """A Parquet file of the folder. `low` and `high` are the first and last second of its rows' `created`,
    None if that isn't known."""

    name: str
    rows: int
    size: int
    sha256: str = ""
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """What counts in a folder. `sequence` grows with every change; `details` is whatever the writer must know
    to go on."""

    object_type: str
    files: tuple[DataFile, ...] = ()
    complete: bool = False
    changes: DataFile | None = None  # rows that count in place of those of the same ids in `files`
    hidden: DataFile | None = None  # ids whose rows in `files` don't count
    details: Mapping[str, Any] = field(default_factory=dict)
    sequence: int = 0

    @property
    def rows(self) -> int:
        """The rows that count."""
        overlay = (self.changes.rows if self.changes else 0) - (self.hidden.rows if self.hidden else 0)
        return sum(each.rows for each in self.files) + overlay

    @property
    def every_file(self) -> tuple[DataFile, ...]:
        """All files that are named."""
        return (*self.files, *(each for each in (self.changes, self.hidden) if each is not None))

    def next(self, **changes: Any) -> Manifest:
        """The manifest after a change."""
        return replace(self, sequence=self.sequence + 1, **changes)


def list_folders(mirror: Path) -> list[Path]:
    """The folders of a mirror's lists, by name: each of them that has a manifest is a list."""
    if not mirror.is_dir():
        return []
    return sorted(each for each in mirror.iterdir() if each.is_dir() and each.name[:1] not in "._")


def load(folder: Path) -> Manifest | None:
    """A folder's manifest; None if it has none. Raises `FileError` for one that is damaged or from a newer
    version."""
    path = folder / MANIFEST
    try:
        content = _files.read_json(
            path, advice="Move the folder away and run the same again; everything is then read again."
        )
    except FileNotFoundError:
        return None
    try:
        if content["version"] > VERSION:
            raise FileError(
                f"{path} was written by a newer version of stripe_magics. Nothing was changed.",
                advice="Update stripe_magics (pip install -U stripe_magics), or give another folder.",
            )
        return _with_replacements(folder, _from_json(content))
    except (LookupError, TypeError, ValueError) as problem:
        raise FileError(
            f"{path} is damaged: {type(problem).__name__} in its content.",
            advice="Move the folder away and run the same again; everything is then read again.",
        ) from problem


def _from_json(content: Mapping[str, Any]) -> Manifest:
    return Manifest(
        object_type=content["object"],
        files=tuple(DataFile(**each) for each in content["files"]),
        complete=content["complete"] is True,
        changes=DataFile(**content["changes"]) if content["changes"] else None,
        hidden=DataFile(**content["hidden"]) if content["hidden"] else None,
        details=content["details"],
        sequence=int(content["sequence"]),
    )


def _with_replacements(folder: Path, manifest: Manifest) -> Manifest:
    """The manifest after an end in the midst of `replace_files`: each file is the one or the other."""
    replacements = _announced(manifest)
    if not replacements:
        return manifest
    details = {key: value for key, value in manifest.details.items() if key != _REPLACEMENTS}
    files = [
        replacements[each.name]
        if each.name in replacements and _is_as_named(folder, replacements[each.name])
        else each
        for each in manifest.files
    ]
    return replace(manifest, files=tuple(files), details=details)


def _announced(manifest: Manifest) -> dict[str, DataFile]:
    """The files that `replace_files` was about to put in place of those of the same names."""
    said = manifest.details.get(_REPLACEMENTS) or {}
    files = said if isinstance(said, list) else said.get("files", ())  # a list: of earlier versions
    return {each["name"]: DataFile(**each) for each in files}


def _is_as_named(folder: Path, file: DataFile) -> bool:
    path = folder / file.name
    try:
        return path.stat().st_size == file.size and _files.checksum(path) == file.sha256
    except FileNotFoundError:
        return False


def store(folder: Path, manifest: Manifest) -> None:
    """Replace a folder's manifest. The files that it names are on the disk by then. Raises `FileError`."""
    content = {
        "version": VERSION if manifest.details.get("typed") else 2,
        "object": manifest.object_type,
        "complete": manifest.complete,
        "rows": manifest.rows,
        "sequence": manifest.sequence,
        "files": [asdict(each) for each in manifest.files],
        "changes": asdict(manifest.changes) if manifest.changes else None,
        "hidden": asdict(manifest.hidden) if manifest.hidden else None,
        "details": dict(manifest.details),
    }
    _files.write_atomically(folder / MANIFEST, json.dumps(content))


def write_file(folder: Path, table: pa.Table, name: str) -> DataFile:
    """Write a table as a file of the folder. Raises `FileError`."""
    from stripe_magics.frames import parquet

    content = parquet.encode(table)
    _files.write_atomically(folder / name, content)
    return _data_file(table, content, name)


def write_temporary(folder: Path, table: pa.Table, name: str) -> tuple[Path, DataFile]:
    """Write a table beside the file of that name, for `replace_files`. Raises `FileError`."""
    from stripe_magics.frames import parquet

    content = parquet.encode(table)
    path = _files.temporary_name(folder / name)
    _files.write_atomically(path, content)
    return path, _data_file(table, content, name)


def _data_file(table: pa.Table, content: bytes, name: str) -> DataFile:
    low, high = created_range(table)
    return DataFile(name, table.num_rows, len(content), _files.checksum_of(content), low, high)


def replace_files(
    folder: Path, manifest: Manifest, temporary: Mapping[str, Path], files: Sequence[DataFile], **details: Any
) -> Manifest:
    """Put finished files (`temporary`, by name) in place of those of the same names, and `details` among the
    manifest's. Raises `FileError`.

    The manifest says first what is to come, so that at every moment each file is as it says.
    """
    coming = {"files": [asdict(each) for each in files], "details": details}
    store(folder, manifest.next(details={**manifest.details, _REPLACEMENTS: coming}))
    _take_places(folder, temporary)
    after = {each.name: each for each in files}
    following = replace(
        manifest,
        files=tuple(after.get(each.name, each) for each in manifest.files),
        details={**manifest.details, **details},
        sequence=manifest.sequence + 2,
    )
    store(folder, following)
    return following


def finish_replacement(folder: Path) -> None:
    """Go on with a `replace_files` that was killed, if its files are still there: parts of both kinds are no
    data set for pandas. Does nothing while another process has the folder, or where it can't be written."""
    try:
        if _REPLACEMENTS.encode() not in (folder / MANIFEST).read_bytes():
            return
        with _files.lock(folder / LOCK, purpose=f"The folder {folder}"):
            _finish_replacement(folder)
    except (OSError, FileError):
        return


def _finish_replacement(folder: Path) -> None:
    manifest = _from_json(_files.read_json(folder / MANIFEST, advice=""))
    announced = _announced(manifest)
    temporary = {}
    for name, file in announced.items():
        if _is_as_named(folder, file):
            continue
        found = [
            path
            for path in folder.glob(f".{name}.*{_files.TEMPORARY}")
            if path.stat().st_size == file.size and _files.checksum(path) == file.sha256
        ]
        if not found:  # removed since; the same pull writes it again
            return
        temporary[name] = found[0]
    if not announced:
        return
    _take_places(folder, temporary)
    said = manifest.details[_REPLACEMENTS]
    details = {key: value for key, value in manifest.details.items() if key != _REPLACEMENTS}
    files = tuple(announced.get(each.name, each) for each in manifest.files)
    if not isinstance(said, list):
        details |= said["details"]
    store(folder, manifest.next(files=files, details=details))


def _take_places(folder: Path, temporary: Mapping[str, Path]) -> None:
    """Rename all, with nothing slow in between: while some are of the new kind and some of the old one, the
    folder is no data set for pandas. So Stop, or one that can't be replaced, counts after the others."""
    try:
        for name, path in temporary.items():
            _files.rename(path, folder / name)
    except BaseException:
        for name, path in temporary.items():
            if path.exists():
                with contextlib.suppress(FileError):
                    _files.rename(path, folder / name)
        raise
    try:
        _files.sync_folder(folder)
    except OSError as problem:
        raise FileError(f"{folder} can't be written: {_files.reason(problem)}.") from problem


def unique_name(stem: str, suffix: str = ".parquet") -> str:
    """A file name that no other writer uses."""
    return f"{stem}-{uuid.uuid4().hex[:12]}{suffix}"


def change_name(stem: str) -> str:
    """The name of a file of changes."""
    return f"{CHANGES}/{unique_name(stem, CHANGE_SUFFIX)}"


def created_range(table: pa.Table) -> tuple[int | None, int | None]:
    """The first and last second of the rows' `created`; None if one has none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if "created" not in table.column_names or not table.num_rows or table.column("created").null_count:
        return None, None
    column = table.column("created")
    if not pa.types.is_timestamp(column.type):
        return None, None
    ends = pc.min_max(column.cast(pa.timestamp("us", "UTC")).cast(pa.int64())).as_py()
    return ends["min"] // 1_000_000, ends["max"] // 1_000_000


def schema_of(folder: Path, name: str) -> pa.Schema:
    """A file's columns as they are in it. Raises `FileError` if it can't be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_schema(folder / name)
    except (OSError, pa.ArrowException) as problem:
        raise _unreadable(folder / name, problem) from problem


def _unreadable(path: Path, problem: Exception) -> FileError:
    return FileError(
        f"{path} can't be read: {str(problem).splitlines()[0]}",
        advice="A mirror is mended by %stripe sync FOLDER --repair; a pull by running the same again.",
    )


def read_table(folder: Path, name: str, columns: Sequence[str] | None = None) -> pa.Table:
    """A file's rows, of `columns` those that it has; maps and lists as JSON text. Raises `FileError` if it
    can't be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from stripe_magics.frames.nested_types import as_json_text

    path = folder / name
    try:
        with pq.ParquetFile(path) as file:
            return as_json_text(file.read(columns=None if columns is None else list(columns)))
    except (OSError, pa.ArrowException) as problem:
        raise _unreadable(path, problem) from problem


def hidden_ids(folder: Path, manifest: Manifest) -> pa.ChunkedArray | None:
    """The ids whose rows in the folder's own files don't count; None if all count."""
    return None if manifest.hidden is None else read_table(folder, manifest.hidden.name).column("id")


def tables_as_they_are(folder: Path) -> list[pa.Table]:
    """The rows that count, as one manifest says: read again where another process replaced it meanwhile, and
    removed files. No rows in a folder without one. Raises `FileError`."""
    manifest = load(folder)
    for _ in range(MAX_REPLACED):
        if manifest is None:
            return []
        try:
            return list(tables(folder, manifest))
        except FileError:
            before, manifest = manifest, load(folder)
            if manifest is None or manifest.sequence == before.sequence:
                raise
    return [] if manifest is None else list(tables(folder, manifest))


def tables(folder: Path, manifest: Manifest, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """The rows that count, file by file. `columns` must have `id` among them. Raises `FileError`."""
    import pyarrow.compute as pc

    hidden = hidden_ids(folder, manifest)
    for file in manifest.files:
        table = read_table(folder, file.name, columns)
        if hidden is not None:
            table = table.filter(pc.invert(pc.is_in(table.column("id"), value_set=hidden)))
        yield table
    if manifest.changes is not None:
        yield read_table(folder, manifest.changes.name, columns)
