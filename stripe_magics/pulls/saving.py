"""`--to FOLDER`: a list into Parquet parts as it comes, in constant memory; killed and run again, it goes on where it stood.

Every part is written whole (a temporary name, then renamed), then `_state.json`: how many parts count, and what is left to read. Parts
that the state doesn't count are from after it and are removed when the pull is resumed, so that no row is there twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stripe_magics.errors import StripeError, UsageFault
from stripe_magics.request import Request

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.client.connection import Connection

STATE = "_state.json"
PART = 20_000  # rows


class Saved(dict[str, Any]):
    """What a folder holds: object, rows, parts, complete, whole_since."""


def save(
    connection: Connection,
    request: Request,
    folder: str | Path,
    *,
    columns: Sequence[str] = (),
    progress: Callable[[int, int], object] | None = None,
    stop: Callable[[], bool] | None = None,
    part_rows: int = PART,
) -> Saved:
    """Pull a list into a folder, or go on with the pull that was begun there. KeyboardInterrupt leaves it resumable and says so."""
    from stripe_magics.frames import Builder
    from stripe_magics.frames.parquet import plain_table, write

    place = Path(folder)
    columns = [*columns, "created"] if columns and "created" not in columns else columns
    state = _begin(place, request, columns)
    if state.get("done"):
        return _told(state, resumed=False)
    builder = Builder(request.returns, columns=columns)
    resumed = bool(state["parts"])
    waiting = pages = 0

    def flush(left: Any, *, done: bool) -> None:
        nonlocal waiting
        tables = builder.tables()
        if tables:
            write(
                place / f"part-{state['parts']:05}.parquet",
                plain_table(tables, builder.object_type or request.returns, columns=columns),
            )
            state["parts"] += 1
            state["rows"] += waiting
            state["object"] = builder.object_type
        waiting = 0
        state.update(left=left, done=done)
        _keep(place, state)

    left = state["left"]
    stopped: BaseException | None = None
    source = _pages(connection, request, state, stop)
    try:
        for body, count, left in source:
            if count < 0:  # the list must be read anew
                _clear(place, state)
                builder = Builder(request.returns, columns=columns)
                waiting = pages = 0
                continue
            waiting += builder.add(body)
            pages += 1
            if progress is not None:
                progress(state["rows"] + waiting, pages)
            if waiting >= part_rows:
                flush(left, done=False)
    except (StripeError, KeyboardInterrupt) as problem:
        stopped = problem
    finally:
        source.close()
    ended = stopped is None and not (stop is not None and stop())
    flush(None if ended else left, done=ended)
    if isinstance(stopped, StripeError) and not isinstance(stopped, KeyboardInterrupt):
        stopped.facts = (*stopped.facts, f"{state['rows']:,} rows are in {place}; run the same again to go on from there.")
        stopped.args = (str(stopped),)
        raise stopped
    return _told(state, resumed=resumed)


def summary(saved: Saved, folder: str | Path) -> pd.DataFrame:
    """What was written, as a frame of one row."""
    import pandas as pd

    note = "" if saved["complete"] else f"Stopped after {saved['rows']:,} rows: run the same again to go on."
    frame = pd.DataFrame(
        [
            {
                "folder": str(folder),
                "object": saved["object"],
                "rows": saved["rows"],
                "parts": saved["parts"],
                "complete": saved["complete"],
            }
        ]
    )
    frame.attrs["stripe"] = {"object": "pull", "complete": saved["complete"], **({"notes": [note]} if note else {})}
    return frame


def _pages(
    connection: Connection, request: Request, state: dict[str, Any], stop: Callable[[], bool] | None
) -> Generator[tuple[bytes, int, Any], None, None]:
    """(page, rows, what is left after it). A count of -1 says: forget what came, the list is read from the start."""
    from stripe_magics.client import pull
    from stripe_magics.client.rawpages import Unsorted, ids

    cursor, left = "", state["left"]
    if isinstance(left, dict):
        cursor = str(left.get("cursor", ""))
    elif pull.suits(replace(request, limit=None)) and request.limit is None:
        try:
            for part in pull.pages(connection, request, stop=stop, resume=left, states=True):
                if part.count:
                    rest = list(part.windows) if part.windows != ({},) else None
                    if rest is not None or not part.windows:
                        yield part.body, part.count, rest
                    else:
                        yield part.body, part.count, {"cursor": ids(part.body)[-1]}
        except pull.Small as few:
            cursor = few.after
        except Unsorted:
            yield b"", -1, None
        else:
            return
    if request.limit is not None:
        request = replace(request, limit=max(1, request.limit - state["rows"]))
    yield from _by_cursor(connection, request, cursor, stop)


def _by_cursor(
    connection: Connection, request: Request, cursor: str, stop: Callable[[], bool] | None
) -> Iterator[tuple[bytes, int, Any]]:
    from stripe_magics.client.listing import pages

    if cursor:
        request = replace(request, params=(*request.params, ("starting_after", cursor)))
    for answer in pages(connection, request, stop=stop, ordered=True):
        rows = answer.rows
        last = rows[-1].get("id") if rows else cursor
        yield answer.body, len(rows), {"cursor": last}


def _begin(place: Path, request: Request, columns: Sequence[str]) -> dict[str, Any]:
    """The folder's state: a new one, or that of the same pull, begun before."""
    digest = sha256(
        repr((request.module, request.path, request.params, request.headers, request.limit, tuple(columns))).encode()
    ).hexdigest()[:16]
    file = place / STATE
    if file.exists():
        state: dict[str, Any] = json.loads(file.read_text())
        if state.get("request") != digest:
            raise UsageFault(
                f"{place} holds another pull ({state.get('module')}). Nothing was written.",
                advice="Give another folder, or empty this one.",
            )
        counted = {f"part-{number:05}.parquet" for number in range(state["parts"])}
        for path in place.glob("part-*"):
            if path.name not in counted:
                path.unlink()
        return state
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise UsageFault(
            f"{place} isn't an empty folder. Nothing was written.", advice="Give a new folder for the Parquet parts."
        )
    place.mkdir(parents=True, exist_ok=True)
    state = {
        "request": digest,
        "module": request.module,
        "object": request.returns,
        "parts": 0,
        "rows": 0,
        "left": None,
        "done": False,
    }
    _keep(place, state)
    return state


def _clear(place: Path, state: dict[str, Any]) -> None:
    state.update(parts=0, rows=0, left=None, done=False)
    _keep(place, state)
    for path in place.glob("part-*"):
        path.unlink()


def _keep(place: Path, state: dict[str, Any]) -> None:
    rough = place / (STATE + ".tmp")
    rough.write_text(json.dumps(state))
    rough.replace(place / STATE)


def _told(state: dict[str, Any], *, resumed: bool) -> Saved:
    return Saved(object=state["object"], rows=state["rows"], parts=state["parts"], complete=state["done"], resumed=resumed)
