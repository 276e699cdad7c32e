"""Reading a list again that doesn't take `created`, in many parts at once: between ids that are kept from its
last reading.

`cuts` are ids of the list, about a page's worth of rows apart. A segment goes from a cut (without it), by a
cursor of its own, down to the next row that is a cut (with it); the first begins at the top of the list, the
last ends where the list does. Rows appear only at the top.
Whatever is created or deleted meanwhile, no row that stays is lost:

- where a cut was deleted, no segment ends: it reads on to the next one;
- a segment whose cut was deleted before it began is given up; the cut is none any more, and a segment that
  ended there goes on;
- so those that aren't given up cover the list, each down to where another of them begins; the order of the
  cuts doesn't matter for that;
- a row that comes twice counts once.

Without cuts this is a plain walk from the top. Pure: `fetch` and `emit` are given, time is the event loop's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from stripe_magics.client.pagination import task_pool
from stripe_magics.client.pagination.raw_pages import (
    PAGE,
    CursorDeleted,
    FetchedPage,
    NotSortedByCreated,
    Params,
    RowPosition,
    RowSlice,
)


@dataclass(slots=True, eq=False)
class Segment:
    """The rows below `start` ("": from the top). `cursor` is the last one read."""

    number: int
    start: str
    cursor: str
    recent: list[str] = field(default_factory=list)  # ids of its last page, in the list's order
    dead: int = 0  # deleted cursors met one after another
    pages: int = 0
    done: bool = False
    busy: bool = False


class IdSegmentReader:
    """One list, read between the ids of its last reading (from the row below `after`, if that is given).
    `run` ends when all is read."""

    def __init__(
        self,
        fetch: Callable[[Params], Awaitable[FetchedPage]],
        emit: Callable[[RowSlice], Awaitable[None]],
        *,
        slots: Callable[[], int],
        cuts: Sequence[str] = (),
        after: str = "",
    ) -> None:
        self._fetch, self._emit, self._slots = fetch, emit, slots
        starts = dict.fromkeys((after, *cuts))
        self.segments = [Segment(number, start, start) for number, start in enumerate(starts)]
        self._cuts = set(starts) - {after}
        self._waiting = deque(self.segments)
        self._ended: dict[str, list[Segment]] = {}  # at which cut
        self._seen: set[str] = set()
        self.read = 0
        self.complete_since: int | None = None  # what stands newest first by time only is known from windows

    def state(self) -> tuple[dict[str, Any], ...]:
        """What is left to read: that much is known, but not continued another day."""
        return tuple({"start": each.start} for each in self.segments if not each.done)

    async def run(self) -> None:
        """Read all segments. Raises what `fetch` raises, or `NotSortedByCreated` for a list that makes no
        progress."""
        await task_pool.run(
            lambda: self._turn(self._waiting.popleft()) if self._waiting else None, self._slots
        )

    async def _turn(self, segment: Segment) -> None:
        segment.busy = True
        await self._page(segment)
        segment.busy = False
        if not segment.done:
            self._waiting.appendleft(segment)

    async def _page(self, segment: Segment) -> None:
        after: Params = (("starting_after", segment.cursor),) if segment.cursor else ()
        try:
            page = await self._fetch((*after, ("limit", str(PAGE))))
        except CursorDeleted:
            self._step_back(segment)
            return
        rows = self._own(segment, page)
        keep = [index for index, row in enumerate(rows) if not row.id or row.id not in self._seen]
        self._seen.update(row.id for row in rows)
        self.read += len(keep)
        segment.pages += 1
        left = float(PAGE * (len(self._waiting) + (not segment.done)))
        mark = (segment.number, segment.pages, rows[-1].id if rows else "")
        whole = len(keep) == len(page.rows)
        await self._emit(
            RowSlice(page.body, None if whole else keep, [rows[index].id for index in keep], (), left, mark)
        )

    def _own(self, segment: Segment, page: FetchedPage) -> list[RowPosition]:
        """The rows of a page that lie in the segment; moves the segment on below them."""
        if page.has_more and (not page.rows or page.rows[-1].id in {"", segment.cursor}):
            raise NotSortedByCreated("a page that leads nowhere")
        end = next((index for index, row in enumerate(page.rows) if row.id in self._cuts), None)
        rows = page.rows if end is None else page.rows[: end + 1]
        segment.done = end is not None or not page.has_more
        segment.dead = 0
        if rows:
            segment.recent, segment.cursor = [row.id for row in rows], rows[-1].id
        if end is not None:
            self._ended.setdefault(segment.cursor, []).append(segment)
        return rows

    def _step_back(self, segment: Segment) -> None:
        """The cursor's row is gone: go on after a row before it (ever further), failing that from the
        beginning; failing that, give it up."""
        if segment.recent:
            index = segment.recent.index(segment.cursor)
            segment.cursor = segment.recent[max(0, index - 2**segment.dead)]
            segment.dead += 1
            if index == 0:
                segment.recent, segment.cursor, segment.dead = [], segment.start, 0
            return
        if segment.number == 0:
            raise NotSortedByCreated("the row from which the list is to be read is gone")
        segment.done = True
        self._cuts.discard(segment.start)
        for other in self._ended.pop(segment.start, ()):
            other.done = False
            self._step_back(other)  # its cursor is that very cut
            if not other.busy:
                self._waiting.append(other)
