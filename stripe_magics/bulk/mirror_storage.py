"""Where a mirror is kept: a folder of Parquet files for each list, with a manifest that says which of them
count.

- Rows lie in files by the month of their `created` (a list of few rows in one). A file is never changed:
  another one takes its place in the manifest, and it goes.
- What changed: the files that hold it are written again if they are small. Otherwise the changed rows become
  a file of their own, beside the ids that it replaces (`manifest.CHANGES`); when that has grown, it is worked
  into the files (`compact`).
- Files may differ in their columns: `common_schema`.
- Memory holds a file or two, never the list.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stripe_magics import _files
from stripe_magics.bulk.common_schema import alike, with_schema_file
from stripe_magics.bulk.saved_cursor import counted_files
from stripe_magics.errors import FileError
from stripe_magics.frames import manifest as manifests
from stripe_magics.frames import manifest_check
from stripe_magics.frames.manifest import CHANGES, DataFile, Manifest
from stripe_magics.frames.manifest_check import FileProblem

if TYPE_CHECKING:
    import pyarrow as pa

MIN_MONTH_ROWS = 20_000  # a list of fewer rows is one file
MAX_BUFFERED_ROWS = 200_000  # while rows are put in order of months
# rows of files that are written again for a change; beyond that it is kept beside them
MAX_REWRITE_ROWS = 100_000
MAX_CHANGED_SHARE = 0.05  # of the rows: more changes than that are worked into the files
SMALL_FILE_ROWS, MAX_SMALL_FILES = 5_000, 12  # so many small files of a month become one


def mirrored_lists(mirror: Path) -> dict[str, ListFolder]:
    """The lists that a mirror has, by name. Raises `FileError` for a manifest that is damaged."""
    folders = (ListFolder(each) for each in manifests.list_folders(mirror))
    return {each.folder.name: each for each in folders if each.manifest is not None}


def mend_old_renames(mirror: Path) -> None:
    """Version 0.2 replaced whole folders: a kill between its two renames left the old list aside. Only for
    who holds the lock."""
    for old in mirror.glob(".*.old-*"):
        final = mirror / old.name[1:].rpartition(".old-")[0]
        if final.exists():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.rename(final)
    for rest in (*mirror.glob(".*.new-*"), *mirror.glob(".*.merge")):
        shutil.rmtree(rest, ignore_errors=True)


class ListFolder:
    """One list of a mirror."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = manifests.load(folder) or _old_list(folder)

    @property
    def rows(self) -> int:
        """How many rows count."""
        return self.manifest.rows if self.manifest else 0

    @property
    def details(self) -> Mapping[str, Any]:
        """What is known of it: account, synced, cuts."""
        return self.manifest.details if self.manifest else {}

    @property
    def changes_beside(self) -> int:
        """How many rows of its files don't count any more."""
        return self.manifest.hidden.rows if self.manifest and self.manifest.hidden else 0

    def problems(self, *, content: bool = False) -> list[FileProblem]:
        """What isn't as the manifest says."""
        return manifest_check.check(self.folder, self.manifest, content=content) if self.manifest else []

    def tables(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """The rows that count, file by file. `columns` must have `id` among them."""
        if self.manifest is not None:
            yield from manifests.tables(self.folder, self.manifest, columns)

    # Changing it --------------------------------------------------------------------------------------------
    def adopt(self, parts: Path, object_type: str, details: Mapping[str, Any]) -> int:
        """Put the rows of a finished pull where the list is. How many rows it has now. Raises `FileError`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        pulled = manifests.load(parts)
        if pulled is None or not pulled.complete:
            raise FileError(
                f"{parts} holds no finished pull. The mirror is as it was.", advice="Run the same again."
            )
        tables = (manifests.read_table(parts, each.name) for each in pulled.files)
        files = self._write_by_month(tables, pulled.rows)
        if sum(each.rows for each in files) != pulled.rows:
            raise FileError(
                f"{parts} should have {pulled.rows:,} rows, but {sum(each.rows for each in files):,} were"
                " read. The mirror is as it was.",
                advice="Run the same again.",
            )
        self._commit(files or [_empty_file(self.folder, object_type)], object_type, details)
        return self.rows

    def merge(self, changed: pa.Table | None, deleted: Iterable[str], details: Mapping[str, Any]) -> int:
        """Put changed and new rows in, take deleted ones out. How many rows it has now. Raises
        `FileError`."""
        import pyarrow as pa
        import pyarrow.compute as pc

        assert self.manifest is not None
        manifest = self.manifest
        fresh = (
            changed.column("id").cast(pa.string())
            if changed is not None
            else pa.chunked_array([[]], pa.string())
        )
        touched = pa.concat_arrays([fresh.combine_chunks(), pa.array(sorted(deleted), pa.string())])
        hits = self._hits(touched, changed, whole=len(touched) > len(fresh))
        overlay = self._overlay_without(touched)
        if manifest.hidden is None and sum(file.rows for file in hits) <= MAX_REWRITE_ROWS:
            rewritten = [self._without(file, ids) for file, ids in hits.items()]
            tables = [each for each in (*rewritten, changed) if each is not None and each.num_rows]
            files = [each for each in manifest.files if each not in hits]
            files += self._write_by_month(
                tables, sum(each.rows for each in files) + sum(each.num_rows for each in tables)
            )
            self._commit(
                self._joined(files) or [_empty_file(self.folder, manifest.object_type)],
                manifest.object_type,
                details,
            )
            return self.rows
        replaced = pa.concat_arrays([*hits.values()]) if hits else pa.array([], pa.string())
        before = self._hidden_ids()
        known = replaced if before is None else pa.concat_arrays([replaced, before.combine_chunks()])
        hidden = pa.chunked_array([known]).unique()
        new = None
        if changed is not None:
            # what stands in the files or among the changes stays a change; the rest is new
            is_change = pc.is_in(fresh, value_set=pa.concat_arrays([hidden, self._changed_ids()]))
            new = changed.filter(pc.invert(is_change))
            overlay = _below(overlay, changed.filter(is_change), manifest.object_type)
        files = list(manifest.files)
        if new is not None and new.num_rows:
            files += self._write_by_month([new], manifest.rows + new.num_rows)
        files = self._joined(files)
        changes, hiding = self._write_overlay(overlay, hidden)
        self._commit(files, manifest.object_type, details, changes=changes, hidden=hiding)
        if (changes.rows if changes else 0) + len(hidden) > max(
            MAX_REWRITE_ROWS, MAX_CHANGED_SHARE * self.rows
        ):
            self.compact()
        return self.rows

    def compact(self) -> None:
        """Work the changes into the files, a file at a time. Raises `FileError`."""
        import pyarrow as pa

        manifest, hidden = self.manifest, self._hidden_ids()
        if manifest is None or hidden is None:
            return
        files: list[DataFile] = []
        for file in manifest.files:
            ids = manifests.read_table(self.folder, file.name, ["id"]).column("id").cast(pa.string())
            found = _among(ids, hidden)
            if not len(found):
                files.append(file)
                continue
            kept = self._without(file, found)
            if kept.num_rows:
                stem = file.name.rpartition("-")[0]
                files.append(manifests.write_file(self.folder, kept, manifests.unique_name(stem)))
        if manifest.changes:
            table = manifests.read_table(self.folder, manifest.changes.name)
            files += self._write_by_month([table], manifest.rows)
        self._commit(self._joined(files), manifest.object_type, manifest.details)

    def write_alike(self) -> None:
        """Write the files that lack a column, or have it in another type, again. Raises `FileError`."""
        manifest = self.manifest
        if manifest is None:
            return
        files = alike(self.folder, manifest.files, manifest.object_type)
        if files != list(manifest.files):
            hiding = {"changes": manifest.changes, "hidden": manifest.hidden}
            self._commit(files, manifest.object_type, manifest.details, **hiding)

    def drop_files(self, names: set[str]) -> None:
        """Leave out files that are missing or damaged (in memory: `merge` makes it last)."""
        assert self.manifest is not None
        files = tuple(each for each in self.manifest.files if each.name not in names)
        self.manifest = self.manifest.next(files=files, complete=False)

    # Steps --------------------------------------------------------------------------------------------------
    def _hits(self, touched: pa.Array, changed: pa.Table | None, *, whole: bool) -> dict[DataFile, pa.Array]:
        """The files that hold rows with these ids, and the ids. Files of other times are skipped where all
        times are known."""
        import pyarrow as pa

        assert self.manifest is not None
        if not len(touched):
            return {}
        low, high = manifests.created_range(changed) if changed is not None and not whole else (None, None)
        hits = {}
        for file in self.manifest.files:
            if None not in (low, high, file.low, file.high) and (file.low > high or file.high < low):  # type: ignore[operator]
                continue
            ids = manifests.read_table(self.folder, file.name, ["id"]).column("id").cast(pa.string())
            found = _among(ids, touched)
            if len(found):
                hits[file] = found
        return hits

    def _without(self, file: DataFile, ids: pa.Array) -> pa.Table:
        import pyarrow.compute as pc

        table = manifests.read_table(self.folder, file.name)
        return table.filter(
            pc.invert(pc.is_in(table.column("id"), value_set=ids.cast(table.column("id").type)))
        )

    def _hidden_ids(self) -> pa.ChunkedArray | None:
        return manifests.hidden_ids(self.folder, self.manifest) if self.manifest is not None else None

    def _changed_ids(self) -> pa.Array:
        import pyarrow as pa

        if self.manifest is None or self.manifest.changes is None:
            return pa.array([], pa.string())
        column = manifests.read_table(self.folder, self.manifest.changes.name, ["id"]).column("id")
        return column.cast(pa.string()).combine_chunks()

    def _overlay_without(self, ids: pa.Array) -> pa.Table | None:
        if self.manifest is None or self.manifest.changes is None:
            return None
        return self._without(self.manifest.changes, ids)

    def _write_overlay(
        self, overlay: pa.Table | None, hidden: pa.Array
    ) -> tuple[DataFile | None, DataFile | None]:
        import pyarrow as pa

        (self.folder / CHANGES).mkdir(exist_ok=True)
        changes = None
        if overlay is not None and overlay.num_rows:
            changes = manifests.write_file(self.folder, overlay, manifests.change_name("rows"))
        ids = pa.table({"id": hidden})
        return changes, manifests.write_file(self.folder, ids, manifests.change_name("hidden"))

    def _write_by_month(self, tables: Iterable[pa.Table], total: int) -> list[DataFile]:
        """Rows in files by the month in which they were created."""
        buffered: dict[tuple[str, bytes], list[pa.Table]] = {}
        files: list[DataFile] = []

        def write(key: tuple[str, bytes]) -> None:
            files.append(_write_sorted(self.folder, buffered.pop(key), key[0]))

        for table in tables:
            for stem, rows in _by_month(table, by_month=total >= MIN_MONTH_ROWS):
                buffered.setdefault((stem, rows.schema.serialize().to_pybytes()), []).append(rows)
            sizes = {key: sum(each.num_rows for each in some) for key, some in buffered.items()}
            while sum(sizes.values()) > MAX_BUFFERED_ROWS:
                largest = max(sizes, key=lambda key: sizes[key])
                write(largest)
                del sizes[largest]
        for key in list(buffered):
            write(key)
        return files

    def _joined(self, files: Sequence[DataFile]) -> list[DataFile]:
        """The files, small ones of a month joined when there are many: a list that is synced every day
        doesn't grow by a file a day."""
        import pyarrow as pa

        small: dict[tuple[str, bytes], list[DataFile]] = {}
        for file in files:
            if file.rows < SMALL_FILE_ROWS:
                schema = manifests.schema_of(self.folder, file.name)
                small.setdefault((file.name.rpartition("-")[0], schema.serialize().to_pybytes()), []).append(
                    file
                )
        out = list(files)
        for (stem, _), some in small.items():
            if len(some) >= MAX_SMALL_FILES:
                tables = [manifests.read_table(self.folder, each.name) for each in some]
                out = [each for each in out if each not in some]
                if sum(table.num_rows for table in tables):
                    out.append(_write_sorted(self.folder, [pa.concat_tables(tables)], stem))
        return out

    def _commit(
        self, files: Sequence[DataFile], object_type: str, details: Mapping[str, Any], *,
        changes: DataFile | None = None, hidden: DataFile | None = None,
    ) -> None:  # fmt: skip
        before = self.manifest or Manifest(object_type)
        manifest = before.next(
            object_type=object_type,
            files=tuple(with_schema_file(self.folder, files, object_type)),
            changes=changes,
            hidden=hidden,
            details=dict(details),
            complete=True,
        )
        manifests.store(self.folder, manifest)
        self.manifest = manifest
        (self.folder / manifests.OLD_STATE).unlink(missing_ok=True)
        manifest_check.remove_unnamed(self.folder, manifest)


def _among(ids: pa.ChunkedArray, others: object) -> pa.Array:
    import pyarrow.compute as pc

    return ids.filter(pc.is_in(ids, value_set=others)).combine_chunks()


def _below(upper: pa.Table | None, lower: pa.Table, object_type: str) -> pa.Table:
    """Two tables of one list in one; a column that they have in several types has the one that takes all."""
    from stripe_magics.frames.parquet import joined_table

    if upper is None or not upper.num_rows:
        return lower
    return joined_table([upper, lower], object_type) if lower.num_rows else upper


def _by_month(table: pa.Table, *, by_month: bool) -> Iterator[tuple[str, pa.Table]]:
    """The rows of each month, with how their files' names begin."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not table.num_rows:
        return
    if (
        not by_month
        or "created" not in table.column_names
        or not pa.types.is_timestamp(table.schema.field("created").type)
    ):
        yield "part", table
        return
    months = pc.fill_null(pc.strftime(table.column("created"), format="%Y-%m"), "part")
    for month in sorted(months.unique().to_pylist()):
        yield month, table.filter(pc.equal(months, month))


def _write_sorted(folder: Path, tables: Sequence[pa.Table], stem: str) -> DataFile:
    """A file of rows, newest first, so that a reader can skip what lies outside of a time."""
    import pyarrow as pa

    table = pa.concat_tables(tables)
    if "created" in table.column_names:
        table = table.sort_by([("created", "descending")])
    return manifests.write_file(folder, table, manifests.unique_name(stem))


def _empty_file(folder: Path, object_type: str) -> DataFile:
    """A file of no rows: an empty list is a table all the same."""
    import pyarrow as pa

    from stripe_magics.frames.parquet import plain_table

    table = plain_table([pa.table({"id": pa.array([], pa.string())})], object_type)
    return manifests.write_file(folder, table, manifests.unique_name("part"))


def _old_list(folder: Path) -> Manifest | None:
    """A list that version 0.2 mirrored: all of its files count, if they have the rows that its state says."""
    try:
        state: Mapping[str, Any] = _files.read_json(folder / manifests.OLD_STATE)
    except FileNotFoundError:
        return None
    if "account" not in state:
        return None
    files = counted_files(folder, sorted(path.name for path in folder.glob("*.parquet")))
    details = {name: state.get(name) for name in ("account", "synced", "cuts")}
    rows = sum(each.rows for each in files)
    if rows != state.get("rows"):  # a file is missing, damaged or there twice: which rows can't be known
        details |= {"synced": None, "hole": f"{rows:,} rows are there in place of {state.get('rows', 0):,}"}
    return Manifest(
        str(state.get("object", "")), files, complete=details["synced"] is not None, details=details
    )
