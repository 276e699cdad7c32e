"""Pieces of work side by side on an event loop, as many as there are slots: the next one begins when one has
ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


async def run(
    next_piece: Callable[[], Coroutine[Any, Any, None] | None],
    slots: Callable[[], int],
    enough: Callable[[], bool] = lambda: False,
) -> None:
    """Until there is no next piece and none under way, or until it is `enough`. Raises what a piece raises;
    the others are cancelled."""
    tasks: set[asyncio.Task[None]] = set()
    try:
        while not enough():
            while len(tasks) < slots() and (piece := next_piece()) is not None:
                tasks.add(asyncio.create_task(piece))
            if not tasks:
                return
            ended, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            faults = [task.exception() for task in ended]  # all are looked at, one is raised
            if fault := next(filter(None, faults), None):
                raise fault
    finally:
        for task in tasks:
            task.cancel()
        # cancelled ones must have ended before their network connections are closed
        await asyncio.gather(*tasks, return_exceptions=True)
