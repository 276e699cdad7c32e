"""Where a pull's cursor is saved: in the manifest of its folder, together with the parts that it is past.

- A part is written whole, then the manifest that names it and says what is left to read (`left`: the cursor,
  or the windows of time that are unread). Neither moves without the other: what memory holds after Stop or an
  error counts only if it is exactly what came; otherwise it is dropped and read again.
- Rows that came, that wait and that are written are counted, and must agree before the pull is called
  complete.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from stripe_magics import _files
from stripe_magics.bulk.list_requests import version_of
from stripe_magics.bulk.read_strategies import START_OVER, PageRead, split_ids
from stripe_magics.errors import FileError, IncompleteList, UsageFault
from stripe_magics.frames import Builder, manifest_check
from stripe_magics.frames import manifest as manifests
from stripe_magics.frames.manifest import DataFile, Manifest
from stripe_magics.request import Request

_MARKS = b"stripe_marks"  # metadata of a part: where its pages ended


class PartWriter:
    """The rows of one pull on their way into the parts of its folder."""

    def __init__(self, folder: Path, request: Request, columns: Sequence[str], part_rows: int) -> None:
        self.folder, self.request, self.columns, self._part_rows = folder, request, columns, part_rows
        self.notes: list[str] = []
        self._waiting: list[PageRead] = []
        self.manifest = self._begin()
        self._came = self.manifest.rows  # rows that came, of earlier runs too
        self._new_builder()

    @property
    def left(self) -> Any:
        """What is left to read after what is on the disk."""
        return self.manifest.details["left"]

    @property
    def rows(self) -> int:
        """The rows that are written, and those that wait."""
        return self.manifest.rows + sum(page.rows for page in self._waiting)

    def add(self, page: PageRead) -> None:
        """Take a page; write a part when enough rows wait. Raises `IncompleteList` if the page holds another
        number of rows than it says."""
        decoded = self._builder.add(page.body)
        if decoded != page.rows:
            raise IncompleteList(f"A page of {page.rows} rows was decoded to {decoded}")
        self._waiting.append(page._replace(body=b""))
        self._came += page.rows
        if sum(each.rows for each in self._waiting) >= self._part_rows:
            self._flush(self._waiting[-1].left)

    def finish(self, *, cut_lists: int = 0) -> None:
        """All was read: write the rest, and say that the pull is complete if as many rows are written as
        came."""
        if cut_lists:
            self.notes.append(f"{cut_lists:,} lists inside of objects are cut: their rest could not be read.")
        self._flush(None, complete=True, cut_lists=cut_lists)

    def give_types(self, stop: Callable[[], bool]) -> None:
        """If all rows are there: maps and lists in Parquet's own types. Where that can't be done, or is
        stopped, they stay JSON text, and a note says so."""
        from stripe_magics.bulk.typed_parts import TypingStopped, give_types

        if not self.manifest.complete or "typed" in self.manifest.details:
            return
        why = "this was stopped"
        try:
            self.manifest = give_types(self.folder, self.manifest, stop)
        except FileError as problem:
            why = problem.brief.rstrip(".")
        except (TypingStopped, KeyboardInterrupt):
            pass
        else:
            return
        self.notes.append(
            f"All {self.manifest.rows:,} rows are there, with maps and lists as JSON text ({why}): the same"
            " again gives them Parquet's own types."
        )

    def keep_rest(self) -> None:
        """After an end at any point: write what waits if it is what came; otherwise it is read again by the
        next run."""
        on_disk = manifests.load(self.folder)
        if on_disk is not None and on_disk.sequence != self.manifest.sequence:
            self.manifest, self._waiting = on_disk, []  # the end came after the part was written
            return
        left = self._waiting[-1].left if self._waiting else self.left
        if left == START_OVER:
            self._came = self.rows
            self.notes.append(
                f"Stopped. {self.rows:,} rows had come, from many parts of the list, and none is kept: the"
                " same again starts over."
            )
            self.start_over()
            return
        try:
            self._flush(left)
        except IncompleteList:
            self._new_builder()

    def start_over(self) -> None:
        """Forget all rows: the list is read from its start."""
        self.manifest = self.manifest.next(
            files=(), details={**self.manifest.details, "left": None, "marks": []}
        )
        manifests.store(self.folder, self.manifest)
        manifest_check.remove_unnamed(self.folder, self.manifest)
        self._came = 0
        self._new_builder()

    def split_ids(self) -> list[str]:
        """Ids that divide the list into pieces of a page, for its next reading."""
        if not self.manifest.complete:
            return []
        import pyarrow.parquet as pq

        marks = list(self.manifest.details.get("marks", []))
        for file in self.manifest.files:
            metadata = pq.read_schema(self.folder / file.name).metadata or {}
            marks += json.loads(metadata.get(_MARKS, b"[]"))
        return split_ids(marks)

    def status(self) -> str:
        """What stands in the folder, and how to go on."""
        if self.notes:
            return self.notes[-1]
        return f"{self.manifest.rows:,} rows are in {self.folder}; run the same again to go on from there."

    def _new_builder(self) -> None:
        self._waiting = []
        self._builder = Builder(self.request.returns, columns=self.columns, version=version_of(self.request))

    def _flush(self, left: object, *, complete: bool = False, cut_lists: int = 0) -> None:
        from stripe_magics.frames.parquet import plain_table

        tables = self._builder.tables()
        expected = sum(page.rows for page in self._waiting)
        if sum(table.num_rows for table in tables) != expected:
            raise IncompleteList(f"{expected} rows wait to be written, but the frame has another number")
        manifest, files = self.manifest, self.manifest.files
        object_type = self._builder.object_type or manifest.object_type
        if tables:
            table = plain_table(tables, object_type, columns=self._builder.requested, whole=not files)
            marks = [(*page.mark, page.rows) for page in self._waiting if page.mark[2]]
            if marks:
                table = table.replace_schema_metadata(
                    {**(table.schema.metadata or {}), _MARKS: json.dumps(marks).encode()}
                )
            files = (*files, manifests.write_file(self.folder, table, f"part-{len(files):05}.parquet"))
        written = sum(each.rows for each in files)
        if complete and written != self._came:
            raise IncompleteList(f"{self._came:,} rows came, but {written:,} are written")
        details = {**manifest.details, "left": left, "cut_lists": cut_lists}
        manifest = manifest.next(files=files, object_type=object_type, complete=complete, details=details)
        manifests.store(self.folder, manifest)
        self.manifest = manifest
        self._waiting = []

    def _begin(self) -> Manifest:
        """The folder's manifest: a new one, or that of the same pull, begun before."""
        digest = request_digest(self.request, self.columns)
        found = manifests.load(self.folder) or _old_pull(self.folder)
        if found is None:
            details = {"request": digest, "module": self.request.module, "left": None}
            manifest = Manifest(self.request.returns, details=details)
            manifests.store(self.folder, manifest)
            return manifest
        if found.details.get("request") != digest:
            raise UsageFault(
                f"{self.folder} holds another pull ({found.details.get('module')}). Nothing was written.",
                advice="Give another folder, or empty this one.",
            )
        manifest_check.remove_unnamed(self.folder, found)
        # parts that will be written again get new checksums, which would hide a damage
        problems = manifest_check.check(self.folder, found, content="typed" not in found.details)
        holes = [
            f"{each.name} is missing" if each.problem == "missing" else f"{each.name}: {each.problem}"
            for each in problems
            if each.is_hole
        ]
        self.notes += [
            f"{each.name} isn't of this pull: who reads the whole folder reads it too. Move it away."
            for each in problems
            if not each.is_hole
        ]
        if holes or found.details["left"] == START_OVER:
            if holes:
                self.notes.append(f"Read again from the start: {'; '.join(holes)}.")
            details = {key: value for key, value in found.details.items() if key not in {"typed", "text"}}
            found = found.next(files=(), complete=False, details={**details, "left": None, "marks": []})
            manifests.store(self.folder, found)
            manifest_check.remove_unnamed(self.folder, found)
        return found


def request_digest(request: Request, columns: Sequence[str] = ()) -> str:
    """Tells apart what pulls ask for: another filter, account header or API version is another pull."""
    what = (request.module, request.path, request.params, request.headers, request.limit, tuple(columns))
    return sha256(repr(what).encode()).hexdigest()[:16]


def _old_pull(folder: Path) -> Manifest | None:
    """The state of a pull that version 0.2 began or ended; its parts are counted, since it kept neither sizes
    nor checksums."""
    try:
        state: Mapping[str, Any] = _files.read_json(folder / manifests.OLD_STATE)
    except FileNotFoundError:
        return None
    files = counted_files(folder, [f"part-{number:05}.parquet" for number in range(state.get("parts", 0))])
    details = {key: state.get(key) for key in ("request", "module", "left")}
    if sum(each.rows for each in files) != state.get("rows", 0):
        files, details["left"] = (), START_OVER
    return Manifest(
        str(state.get("object", "")), files, complete=state.get("done") is True and details["left"] is None,
        details={**details, "marks": state.get("marks", [])},
    )  # fmt: skip


def counted_files(folder: Path, names: Sequence[str]) -> tuple[DataFile, ...]:
    """Files without a manifest, as one would name them; those that can't be read are left out."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    found = []
    for name in names:
        path = folder / name
        try:
            rows = pq.read_metadata(path).num_rows
            found.append(DataFile(name, rows, path.stat().st_size, _files.checksum(path)))
        except (OSError, pa.ArrowException):
            continue
    return tuple(found)
