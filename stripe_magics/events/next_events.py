"""Events one by one, of one watch or several: `for event in watch`, `await watch.next("charge.failed")`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from stripe_magics._json import JsonObject
from stripe_magics.errors import UsageFault
from stripe_magics.events.event_store import Stored
from stripe_magics.events.filters import EventFilter, event_filter

_LOOK = 0.1  # seconds between looks for a next event


class EventSource(Protocol):
    """What is asked of a watch for its next events."""

    @property
    def running(self) -> bool: ...
    @property
    def state(self) -> str: ...
    def news_after(self, row: int | None, choice: EventFilter | None = None) -> list[Stored]: ...
    def take_next(self, choice: EventFilter) -> JsonObject | None: ...


def each_new(watches: Sequence[EventSource], wait: Callable[[float], object]) -> Iterator[JsonObject]:
    """The new events of watches, until all have ended."""
    rows: dict[int, int | None] = dict.fromkeys(range(len(watches)))
    while True:
        running = any(each.running for each in watches)  # looked at first: what came before the end is given
        quiet = True
        for number, watch in enumerate(watches):
            found = watch.news_after(rows[number])
            for stored in found:
                quiet = False
                yield stored.event
            rows[number] = max([rows[number] or 0, *(each.row for each in found)]) if found else rows[number]
        if quiet and not running:
            return
        if quiet:
            wait(_LOOK)


async def next_of(watches: Sequence[EventSource], type: str, patience: float) -> JsonObject:
    """The next event of a type, from whichever watch has it first."""
    choice = event_filter(type.split(","))
    until = time.monotonic() + patience
    while True:
        running = any(each.running for each in watches)
        for watch in watches:
            if (event := watch.take_next(choice)) is not None:
                return event
        if not running:
            raise UsageFault(f"The watch isn't running ({watches[0].state}). start() goes on.")
        if time.monotonic() >= until:
            raise TimeoutError(f"No {choice} within {patience:g} seconds.")
        await asyncio.sleep(_LOOK)
