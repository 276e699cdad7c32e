"""Lists that are read side by side: a thread each, which only waits; the pages of all of them come in on one
event loop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stripe_magics.bulk.list_frame import read_frame
from stripe_magics.bulk.parquet_export import Saved, save
from stripe_magics.client.call_context import carried
from stripe_magics.progress import ProgressGroup
from stripe_magics.request import Request

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.client.shared_connection import Connection

MAX_ACCOUNTS = 16  # accounts at once


def list_work(
    connection: Connection,
    request: Request,
    to: str | Path,
    columns: Sequence[str],
    together: ProgressGroup,
    *,
    typed: bool = True,
) -> Callable[[Callable[[], bool]], pd.DataFrame | Saved]:
    """One of several lists: into a folder (`typed`: see `save`), or as a frame."""

    def run(stop: Callable[[], bool]) -> pd.DataFrame | Saved:
        with together.part(None if request.row_filters else request.limit) as progress:
            if to:
                return save(
                    connection, request, to, columns=columns, progress=progress, stop=stop, typed=typed
                )
            return read_frame(connection, request, columns=columns, progress=progress, stop=stop)

    return run


def side_by_side(works: Mapping[str, Callable[[Callable[[], bool]], Any]], most: int) -> dict[str, Any]:
    """Run all, `most` at a time. Stop, or the first fault, ends the others too; after a Stop what came is
    returned."""
    halt = threading.Event()
    fault: BaseException | None = None
    with ThreadPoolExecutor(min(most, len(works)), thread_name_prefix="stripe-list") as pool:
        futures: dict[str, Future[Any]] = {
            name: pool.submit(carried(work), halt.is_set) for name, work in works.items()
        }
        waiting = set(futures.values())
        while waiting:
            try:
                ended, waiting = wait(waiting, timeout=0.25, return_when=FIRST_COMPLETED)
            except KeyboardInterrupt:
                halt.set()
                continue
            for future in ended:
                problem = future.exception()
                if problem is not None and fault is None:
                    fault = problem
                    halt.set()
    if fault is not None:
        raise fault
    return {name: future.result() for name, future in futures.items()}
