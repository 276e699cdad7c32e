"""Reading a list again that doesn't take `created`, in many places at once: between ids that are kept from its last reading.

`cuts` are ids in the order of the list, newest first, a page's worth of rows apart. A segment goes from one of them (without it) to the
next (with it), by a cursor of its own; the first begins at the top of the list, the last one ends where the list does. Rows appear only
at the top, so whatever was created or deleted since then, each lies in a segment:

- a segment ends at its own cut or at any that stands below it, whichever comes first: where its own was deleted, it reads on;
- a segment whose first cut was deleted can't begin: the one above reads on through it;
- a row that comes twice counts once.

Pure: `fetch` and `emit` are given, time is the event loop's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from stripe_magics.client.rawpages import PAGE, DeadCursor, Page, Params, Row, Slice, Unsorted


@dataclass(slots=True)
class Segment:
    """The rows below cut `start` (-1: from the top) down to cut `end` (the number of cuts: to the end of the list)."""

    start: int
    end: int
    cursor: str = ""
    recent: list[str] = field(default_factory=list)  # ids of its last page, in the list's order
    pages: int = 0
    done: bool = False
    busy: bool = False


class Segments:
    """One list, read between the ids of its last reading. `run` ends when all is read."""

    def __init__(
        self,
        fetch: Callable[[Params], Awaitable[Page]],
        emit: Callable[[Slice], Awaitable[None]],
        *,
        slots: Callable[[], int],
        cuts: Sequence[str],
    ) -> None:
        self._fetch, self._emit, self._slots, self._cuts = fetch, emit, slots, cuts
        self._place = {key: number for number, key in enumerate(cuts)}
        self._seen: set[str] = set()
        self.segments = [
            Segment(number - 1, number, cuts[number - 1] if number else "") for number in range(len(cuts) + 1)
        ]  # from the top of the list to its end
        self.read = 0
        self.whole_since: int | None = None  # what stands newest first by time only is told by windows

    def state(self) -> tuple[dict[str, Any], ...]:
        """What is left to read: that much is known, but not gone on with another day."""
        return tuple({"start": each.start, "end": each.end} for each in self.segments if not each.done)

    async def run(self) -> None:
        """Read all segments. Raises what `fetch` raises, or `Unsorted` for a list that makes no progress."""
        tasks: set[asyncio.Task[None]] = set()
        try:
            while True:
                waiting = (each for each in self.segments if not each.done and not each.busy)
                while len(tasks) < self._slots() and (segment := next(waiting, None)) is not None:
                    segment.busy = True
                    tasks.add(asyncio.create_task(self._page(segment)))
                if not tasks:
                    return
                ended, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in ended:
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)  # cancelled ones must have ended before their lanes are closed

    async def _page(self, segment: Segment) -> None:
        after: Params = (("starting_after", segment.cursor),) if segment.cursor else ()
        try:
            page = await self._fetch((*after, ("limit", str(PAGE))))
        except DeadCursor:
            self._step_back(segment)
            return
        finally:
            segment.busy = False
        rows = self._own(segment, page)
        keep = [number for number, row in enumerate(rows) if row.id not in self._seen]
        self._seen.update(row.id for row in rows)
        self.read += len(keep)
        segment.pages += 1
        left = sum(not each.done for each in self.segments) * float(PAGE)
        last = rows[-1].id if rows else ""
        await self._emit(
            Slice(
                page.body, None if len(keep) == len(page.rows) else keep, len(keep), (), left, (segment.start + 1, segment.pages, last)
            )
        )  # fmt: skip

    def _own(self, segment: Segment, page: Page) -> list[Row]:
        """The rows of a page that lie in the segment; moves the segment on below them."""
        if page.has_more and (not page.rows or page.rows[-1].id == segment.cursor):
            raise Unsorted("a page that leads nowhere")
        own: list[Row] = []
        segment.done = not page.has_more
        for row in page.rows:
            own.append(row)
            if self._place.get(row.id, -1) >= segment.end:
                segment.done = True
                break
        if own:
            segment.recent, segment.cursor = [row.id for row in own], own[-1].id
        return own

    def _step_back(self, segment: Segment) -> None:
        """The cursor's row is gone: go on after the row before it; failing that, from the segment's beginning; failing that, from above."""
        place = segment.recent.index(segment.cursor) if segment.cursor in segment.recent else 0
        if place > 0:
            segment.cursor = segment.recent[place - 1]
            return
        if segment.recent:
            segment.recent, segment.cursor = [], self._cuts[segment.start] if segment.start >= 0 else ""
            return
        if not segment.cursor:
            raise Unsorted("a cursor was refused where none was sent")
        above = next(each for each in self.segments if each.end == segment.start)
        self.segments.remove(segment)
        above.end, above.done = segment.end, False
