"""`--to FOLDER`: a list into Parquet parts as it comes, in constant memory; killed and run again, it goes on where it stood.

Every part is written whole (a temporary name, then renamed), then `_state.json`: how many parts count, and what is left to read. Parts
that the state doesn't count are from after it and are removed when the pull is resumed, so that no row is there twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stripe_magics.bulk.read_strategies import START_OVER, cuts_of, read
from stripe_magics.errors import StripeError, UsageFault
from stripe_magics.request import Request

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.client.shared_connection import Connection

STATE = "_state.json"
PART = 20_000  # rows


class Saved(dict[str, Any]):
    """What a folder holds: object, rows, parts, complete, resumed; `note` says how to go on; `cuts` is for the next reading of the list."""


def save(
    connection: Connection,
    request: Request,
    folder: str | Path,
    *,
    columns: Sequence[str] = (),
    progress: Callable[[int, int], object] | None = None,
    stop: Callable[[], bool] | None = None,
    part_rows: int = PART,
    cuts: Sequence[str] = (),
) -> Saved:
    """Pull a list into a folder, or go on with the pull that was begun there. KeyboardInterrupt leaves it resumable and says so.

    `cuts` are those that `Saved` had when this list was last read whole; they are used if it doesn't take `created`.
    """
    import stripe_magics.accessor  # noqa: F401 - registers df.stripe
    from stripe_magics.frames import Builder
    from stripe_magics.frames.parquet import plain_table, write

    place = Path(folder)
    columns = [*columns, "created"] if columns and "created" not in columns else columns
    state = _begin(place, request, columns)
    if state["left"] == START_OVER:  # it was killed
        _clear(place, state)
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
    expect = getattr(progress, "expect", None)
    done = int(state["rows"])  # by an earlier run
    hooks = {"stop": stop, "expect": (lambda total: expect(done + total)) if expect is not None else None}
    source = read(connection, request, state, cuts, hooks)
    try:
        for body, count, left, mark in source:
            if count < 0:
                _clear(place, state)
                builder = Builder(request.returns, columns=columns)
                waiting = pages = 0
                continue
            waiting += builder.add(body)
            pages += 1
            if mark[2]:
                state.setdefault("marks", []).append((*mark, count))
            if progress is not None:
                progress(state["rows"] + waiting, pages)
            if waiting >= part_rows:
                flush(left, done=False)
    except (StripeError, KeyboardInterrupt) as problem:
        stopped = problem
    finally:
        source.close()
    ended = stopped is None and not (stop is not None and stop())
    note = ""
    if not ended and left == START_OVER:
        note = f"{state['rows'] + waiting:,} rows had come, in many places of the list, and none is kept: the same again starts over."
        _clear(place, state)
    else:
        flush(None if ended else left, done=ended)
    if isinstance(stopped, StripeError) and not isinstance(stopped, KeyboardInterrupt):
        told = note or f"{state['rows']:,} rows are in {place}; run the same again to go on from there."
        stopped.facts = (*stopped.facts, told)
        stopped.args = (str(stopped),)
        raise stopped
    return _told(state, resumed=resumed, note=note and f"Stopped. {note}")


def summary(saved: Saved, folder: str | Path) -> pd.DataFrame:
    """What was written, as a frame of one row."""
    import pandas as pd

    note = saved["note"]
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
    frame.attrs["stripe"] = {
        "object": "pull",
        "complete": saved["complete"],
        **({"notes": [note]} if note else {}),
    }
    return frame


def _begin(place: Path, request: Request, columns: Sequence[str]) -> dict[str, Any]:
    """The folder's state: a new one, or that of the same pull, begun before."""
    digest = sha256(
        repr(
            (request.module, request.path, request.params, request.headers, request.limit, tuple(columns))
        ).encode()
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
            f"{place} isn't an empty folder. Nothing was written.",
            advice="Give a new folder for the Parquet parts.",
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
        "marks": [],
    }
    _keep(place, state)
    return state


def _clear(place: Path, state: dict[str, Any]) -> None:
    state.update(parts=0, rows=0, left=None, done=False, marks=[])
    _keep(place, state)
    for path in place.glob("part-*"):
        path.unlink()


def _keep(place: Path, state: dict[str, Any]) -> None:
    rough = place / (STATE + ".tmp")
    rough.write_text(json.dumps(state))
    rough.replace(place / STATE)


def _told(state: dict[str, Any], *, resumed: bool, note: str = "") -> Saved:
    done = state["done"]
    note = note or ("" if done else f"Stopped after {state['rows']:,} rows: run the same again to go on.")
    found = cuts_of(state.get("marks", ()))
    return Saved(
        object=state["object"],
        rows=state["rows"],
        parts=state["parts"],
        complete=done,
        resumed=resumed,
        note=note,
        cuts=found,
    )
