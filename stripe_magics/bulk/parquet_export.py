"""`--to FOLDER`: a list into Parquet parts as it comes, in constant memory; stopped or killed and run again,
it goes on where it stood.

- Parts and the cursor move together: `saved_cursor`.
- Stop is heard between two pages; pressed twice it ends the call at once, and nothing that is on the disk is
  lost by that.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stripe_magics import _files
from stripe_magics.bulk.inner_lists import InnerLists
from stripe_magics.bulk.list_requests import describe
from stripe_magics.bulk.read_strategies import read
from stripe_magics.bulk.saved_cursor import PartWriter
from stripe_magics.errors import FileError, StripeMagicsError, UsageFault
from stripe_magics.frames import manifest as manifests
from stripe_magics.request import Request

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.client.shared_connection import Connection

PART_ROWS = 20_000
LOCK = manifests.LOCK
_OTHER_FILES = frozenset(
    {".csv", ".tsv", ".txt", ".json", ".jsonl", ".xls", ".xlsx", ".ods", ".feather", ".pdf"}
)


class Saved(dict[str, Any]):
    """What a folder holds: object, rows, parts, complete, resumed; `notes` say what to know; `cuts` is for
    the next reading of the list."""


def save(  # noqa: PLR0913 - options by keyword, as `pull` has them
    connection: Connection,
    request: Request,
    folder: str | Path,
    *,
    columns: Sequence[str] = (),
    progress: Callable[[int, int], object] | None = None,
    stop: Callable[[], bool] | None = None,
    part_rows: int = PART_ROWS,
    cuts: Sequence[str] = (),
    typed: bool = True,
) -> Saved:
    """Pull a list into a folder, or go on with the pull that was begun there. KeyboardInterrupt leaves it
    resumable and says so. With `typed`, maps and lists have Parquet's own types once all rows are there.

    `cuts` are those that `Saved` had when this list was last read whole; they are used if it doesn't take
    `created`.
    Raises `FileError` (another process has the folder, the disk is full ...), `UsageFault`, or the
    `StripeError` that ended the reading.
    """
    import stripe_magics.accessor  # noqa: F401 - registers df.stripe

    target = Path(folder)
    columns = [*columns, "created"] if columns and "created" not in columns else columns
    _check_folder(target)
    with _files.lock(target / LOCK, purpose=f"The folder {target}"), deferred_interrupt(stop) as stopped:
        writer = PartWriter(target, request, columns, part_rows)
        resumed = not writer.manifest.complete and bool(writer.manifest.files)
        if not writer.manifest.complete:
            _pull(connection, request, writer, progress=progress, stop=stopped, cuts=cuts)
        if typed:
            writer.give_types(stopped)
        return _result(writer, resumed=resumed)


def _pull(
    connection: Connection,
    request: Request,
    writer: PartWriter,
    *,
    progress: Callable[[int, int], object] | None,
    stop: Callable[[], bool],
    cuts: Sequence[str],
) -> None:
    earlier = writer.manifest.rows
    expect = getattr(progress, "expect", None)
    hooks = {"stop": stop, "expect": (lambda total: expect(earlier + total)) if expect is not None else None}
    inner = InnerLists(connection, request)
    source = read(connection, request, writer.left, earlier, cuts, hooks)
    problem: BaseException | None = None
    pages = 0
    try:
        for page in source:
            if page.restarts:
                writer.start_over()
                pages = 0
                continue
            writer.add(page._replace(body=inner.complete(page.body)))
            pages += 1
            if progress is not None:
                progress(writer.rows, pages)
        if not stop():
            writer.finish(cut_lists=inner.cut)
    except (StripeMagicsError, KeyboardInterrupt) as raised:
        problem = raised
    finally:
        source.close()
    if not writer.manifest.complete:
        writer.keep_rest()
    if isinstance(problem, StripeMagicsError) and not isinstance(problem, KeyboardInterrupt):
        _add_fact(problem, writer.status())
        raise problem


def _add_fact(problem: StripeMagicsError, fact: str) -> None:
    problem.facts = (*problem.facts, fact)
    problem.args = (str(problem),)


@contextmanager
def deferred_interrupt(stop: Callable[[], bool] | None) -> Iterator[Callable[[], bool]]:
    """Stop (SIGINT) sets a flag while this lasts, and a second one raises KeyboardInterrupt. Gives a function
    that says whether to stop.

    Outside of the main thread, and where somebody else handles the signal, only `stop` counts.
    """
    pressed: list[int] = []

    def note(number: int, _frame: object) -> None:
        pressed.append(number)
        if len(pressed) > 1:
            raise KeyboardInterrupt

    own = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    if own:
        signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(pressed) or (stop is not None and stop())
    finally:
        if own:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _check_folder(folder: Path) -> None:
    """A folder that isn't there is made; one with other things in it is refused, and so is the name of a file
    of another kind."""
    if folder.suffix.lower() in _OTHER_FILES and not folder.is_dir():
        raise UsageFault(
            f"--to writes a folder of Parquet files, and {folder} is the name of a file. Nothing was read or"
            " written.",
            advice=(
                "For one file, list without --to and write the frame:"
                f" df.to_csv({folder.with_suffix('.csv').name!r}) or df.stripe.to_excel(...)."
            ),
        )
    try:
        if folder.exists() and not (folder.is_dir() and _is_free_or_ours(folder)):
            raise UsageFault(
                f"{folder} isn't an empty folder. Nothing was written.",
                advice="Give a new folder for the Parquet parts.",
            )
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise FileError(f"{folder} can't be made: {_files.reason(problem)}.") from problem


def _is_free_or_ours(folder: Path) -> bool:
    """Nothing but a lock is in it, or a pull's own list of its parts."""
    names = {each.name for each in folder.iterdir()}
    return names <= {LOCK} or not names.isdisjoint({manifests.MANIFEST, manifests.OLD_STATE})


def _result(writer: PartWriter, *, resumed: bool) -> Saved:
    manifest = writer.manifest
    notes = list(writer.notes)
    if not manifest.complete and not any(note.startswith("Stopped") for note in notes):
        notes.append(f"Stopped after {manifest.rows:,} rows: run the same again to go on.")
    if manifest.details.get("text"):
        names = ", ".join(manifest.details["text"])
        notes.append(f"JSON text, since one place in them has values of several types: {names}.")
    cut = manifest.details.get("cut_lists", 0)
    if cut and not any("are cut" in note for note in notes):
        notes.append(f"{cut:,} lists inside of objects are cut: their rest could not be read.")
    return Saved(
        object=manifest.object_type, rows=manifest.rows, parts=len(manifest.files), resumed=resumed,
        notes=notes, note=" ".join(notes),
        complete=manifest.complete and not cut, read_whole=manifest.complete, cuts=writer.split_ids(),
    )  # fmt: skip


def summary(saved: Saved, folder: str | Path) -> pd.DataFrame:
    """What was written, as a frame of one row."""
    import pandas as pd

    columns = ("object", "rows", "parts", "complete")
    frame = pd.DataFrame([{"folder": str(folder), **{name: saved[name] for name in columns}}])
    return describe(frame, "pull", complete=saved["complete"], notes=saved["notes"])
