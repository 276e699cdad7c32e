"""Rows that come a few at a time, such as the events of a watch, into a folder of Parquet files with the
manifest of all our folders.

Each call adds the rows whose ids the folder doesn't hold; the manifest is replaced after they are on the
disk. Small files are merged as they come, so that a watch of a month doesn't leave thousands.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stripe_magics import _files
from stripe_magics.bulk.parquet_export import LOCK
from stripe_magics.errors import FileError, UsageFault
from stripe_magics.frames import manifest as manifests
from stripe_magics.frames import manifest_check
from stripe_magics.frames.arrow_columns import is_text, json_field
from stripe_magics.frames.cells import as_json
from stripe_magics.frames.manifest import DataFile, Manifest

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

MIN_FILE_ROWS = 5_000  # a last file with fewer is written again together with what comes


class FrameAppender:
    """Adds frames of one type of object to a folder: `append(frame)` returns how many rows were new. Raises
    `FileError`, `UsageFault`."""

    def __init__(self, folder: str | Path, object_type: str) -> None:
        self.folder, self.object_type = Path(folder).expanduser(), object_type
        self._ids: set[str] = set()
        self._sequence = -1  # of the manifest whose ids are known

    def __call__(self, frame: pd.DataFrame) -> int:
        """Add the rows that aren't there yet."""
        from stripe_magics.bulk.typed_parts import give_text

        self._make_folder()
        with _files.lock(self.folder / LOCK, purpose=f"The folder {self.folder}", wait=2.0):
            manifest = self._manifest()
            fresh = frame[~frame["id"].isin(self._ids) & ~frame["id"].duplicated()]
            if len(fresh) == 0:
                return 0
            manifest = give_text(self.folder, manifest)
            files, table = self._merged(manifest, _table(fresh))
            written = manifests.write_file(self.folder, table, manifests.unique_name("part"))
            following = manifest.next(files=(*files, written), complete=True)
            manifests.store(self.folder, following)
            manifest_check.remove_unnamed(self.folder, following)
            self._ids.update(fresh["id"])
            self._sequence = following.sequence
            return len(fresh)

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise FileError(
                f"{self.folder} can't be made: {_files.reason(problem)}.", advice="Give another folder."
            ) from problem

    def _manifest(self) -> Manifest:
        found = manifests.load(self.folder)
        if found is None:
            if any(each.name != LOCK for each in self.folder.iterdir()):
                raise UsageFault(
                    f"{self.folder} holds something else. Nothing was written; give an empty folder."
                )
            return Manifest(self.object_type)
        if found.object_type != self.object_type:
            raise UsageFault(
                f"{self.folder} holds {found.object_type}, not {self.object_type}. Nothing was written; give"
                " another folder."
            )
        if found.sequence != self._sequence:
            self._ids = {
                id
                for each in found.files
                for id in manifests.read_table(self.folder, each.name, ["id"]).column("id").to_pylist()
            }
            self._sequence = found.sequence
        return found

    def _merged(self, manifest: Manifest, table: pa.Table) -> tuple[tuple[DataFile, ...], pa.Table]:
        """The files that stay, and what is written, in the types that they have: the last file's rows too, if
        these are few."""
        from stripe_magics.frames.parquet import joined_table

        if not manifest.files:
            return (), table
        *before, last = manifest.files
        earlier = manifests.read_table(self.folder, last.name)
        if last.rows >= MIN_FILE_ROWS:
            return manifest.files, joined_table([earlier.slice(0, 0), table], self.object_type)
        return tuple(before), joined_table([earlier, table], self.object_type)


def _table(frame: pd.DataFrame) -> pa.Table:
    """The rows as files have them: text, numbers and times plain, objects as JSON text."""
    import pandas as pd
    import pyarrow as pa

    fields, arrays = [], []
    for name in frame.columns:
        values = frame[name]
        if any(isinstance(each, (dict, list)) for each in values):
            texts = [None if gap else as_json(each) for each, gap in zip(values, values.isna(), strict=True)]
            fields.append(json_field(name))
            arrays.append(pa.array(texts, pa.string()))
            continue
        if isinstance(values.dtype, pd.CategoricalDtype):
            values = values.astype(object)
        array = pa.array(values, from_pandas=True)
        array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
        kind = pa.string() if is_text(array.type) else array.type
        fields.append(pa.field(name, kind))
        arrays.append(array.cast(kind))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))
