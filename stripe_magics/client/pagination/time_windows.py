"""Reading a long list in many parts at once, whole: windows of `created` that split while they are read.

A window is a closed interval of seconds; no second is in two of them, so that equal times can't fall between.
Each is read newest first by its own cursor, one page at a time; whoever is free takes half of what is left of
the largest. What must hold, whatever is created, shown late or deleted meanwhile:

- the windows always cover everything that was not read, and nothing that was;
- a second is closed only by the end of its window or by a row below it;
- the rows of a page lie in their window and never rise in time; a list that does otherwise isn't read this
  way (`NotSortedByCreated`).

The first window is open above (its cursor came from the first page) and the last one open below: where they
are cut in between is a matter of speed alone. Pure: `fetch` and `emit` are given, time is the event loop's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from stripe_magics.client.pagination import task_pool
from stripe_magics.client.pagination.raw_pages import (
    PAGE,
    CursorDeleted,
    FetchedPage,
    NotSortedByCreated,
    Params,
    Row,
    RowSlice,
)

MIN_SPLIT_ROWS = 200  # estimated rows under which a window is not split: a split costs half a page
MIN_FIRST_PAGES = 1.0  # estimated pages of the smallest window of the first cut
# cursors of deleted rows tried one after another before the window is entered anew by time
MAX_DEAD_CURSORS = 5


@dataclass(slots=True)
class Window:
    """An interval that is being read. `at` is the time of the last row read; before the first page it is
    above the interval."""

    low: int  # 0: open below
    high: int | None  # None: open above
    at: int
    cursor: str = ""
    recent: list[str] = field(default_factory=list)  # ids that were read last, all of second `at` among them
    density: float = 0.0  # rows per second, as last seen
    rows: int = 0
    top: int = 0  # the second in which it began, for the window's own average
    done: bool = False
    busy: bool = False
    dedupe: bool = False  # rows may come again: after a deleted cursor
    dead: int = 0

    @property
    def unread_from(self) -> int:
        """The newest second that isn't read to its end."""
        return self.at if self.recent else self.at - 1

    def left(self, floor: int) -> float:
        """Estimated rows still to read."""
        if self.done:
            return 0.0
        low = max(self.low, min(floor, self.at))
        return (self.at - low) * self.density

    def state(self) -> dict[str, Any]:
        """What must be known to go on with it another day."""
        return {
            "low": self.low,
            "high": self.high,
            "at": self.at,
            "cursor": self.cursor,
            "recent": self.recent,
            "density": self.density,
            "top": self.top,
            "rows": self.rows,
            "dedupe": self.dedupe,
        }

    def params(self) -> Params:
        """The filters and the cursor of its next page."""
        out: list[tuple[str, str]] = []
        if self.low:
            out.append(("created[gte]", str(self.low)))
        if self.high is not None:
            out.append(("created[lte]", str(self.high)))
        if self.cursor:
            out.append(("starting_after", self.cursor))
        return tuple(out)


def _renamed(state: dict[str, Any]) -> dict[str, Any]:
    """A saved state of version 0.2 calls `dedupe` by another name."""
    return {("dedupe" if name == "careful" else name): value for name, value in state.items()}


Fetch = Callable[[Params], Awaitable[FetchedPage]]


class TimeWindowReader:
    """One list, read in windows. `run` ends when all are read, or when the newest `limit` rows are."""

    def __init__(
        self,
        fetch: Fetch,
        emit: Callable[[RowSlice], Awaitable[None]],
        *,
        slots: Callable[[], int],
        floor: int,
        limit: int | None = None,
        states: bool = False,
    ) -> None:
        self._fetch, self._emit, self._slots = fetch, emit, slots
        self._floor = floor  # about where the list begins; only a guide for cutting
        self._limit = limit
        self._states = states
        self.windows: list[Window] = []
        self.read = 0

    def begin(self, first: FetchedPage, *, low: int = 0, high: int | None = None) -> None:
        """Cut what the first page leaves: the newest window goes on by its cursor, the others start at equal
        distances."""
        _check(first.rows, low, high)
        oldest, newest = _time(first.rows[-1]), _time(first.rows[0])
        density = len(first.rows) / (newest - oldest + 1)
        self.read = len(first.rows)
        top = Window(
            low,
            high,
            oldest,
            first.rows[-1].id,
            [row.id for row in first.rows],
            density,
            len(first.rows),
            newest,
        )
        self.windows = [top]
        floor = max(low, min(self._floor, oldest))
        if self._limit is not None:  # no further down than the limit is likely to reach
            floor = max(floor, oldest - int((self._limit - self.read) / density * 1.15) - 1)
        for unread_from in self._first_cuts(oldest, floor, density):
            self.windows[-1].low = unread_from + 1
            self.windows.append(Window(low, unread_from, unread_from + 1, density=density, top=unread_from))
        if self._limit is not None and floor > max(low, 1):
            self.windows[-1].low = floor
            self.windows.append(Window(low, floor - 1, floor, density=density, top=floor - 1))

    def _first_cuts(self, oldest: int, floor: int, density: float) -> list[int]:
        """Where to cut the time below the first page: falling seconds, each the newest of a window.

        Windows grow by a factor, from a few pages' worth of time up: the first page's density says little of
        a time that is far from it.
        Where it says that little is left, the factor is near 1.
        """
        pages = (oldest - floor) * density / PAGE
        count = int(min(self._slots(), pages / MIN_FIRST_PAGES))
        if count < 2 or oldest - floor < 2 * count:
            return []
        factor = max(1.0, (pages / count / MIN_FIRST_PAGES) ** (2 / count))
        shares = [factor**number for number in range(count)]
        width, below = (oldest - floor) / sum(shares), float(oldest)
        cuts: list[int] = []
        for share in shares[:-1]:
            below -= width * share
            if int(below) < (cuts[-1] if cuts else oldest):
                cuts.append(int(below))
        return cuts

    def resume(self, states: Sequence[dict[str, Any]]) -> None:
        """Go on where an earlier run stood."""
        self.windows = [Window(**_renamed(state)) for state in states]

    async def run(self) -> None:
        """Read all windows. Raises what `fetch` raises, or `NotSortedByCreated`."""
        await task_pool.run(self._next, self._slots, self._enough)

    def state(self) -> tuple[dict[str, Any], ...]:
        """What is left to read."""
        return tuple(window.state() for window in self.windows if not window.done)

    @property
    def complete_since(self) -> int | None:
        """The second down to which every row was read; None if all were."""
        newest = max(
            (each for each in self.windows if not each.done), key=lambda window: window.low, default=None
        )
        if newest is None:
            return None
        return newest.at + 1 if newest.recent else newest.at

    # --- what to read next ----------------------------------------------------------------------------------
    def _newest_first(self) -> list[Window]:
        return sorted(self.windows, key=lambda window: window.low, reverse=True)

    def _enough(self) -> bool:
        """Whether the newest `limit` rows were read: the windows from the top, whole, and the begun one below
        them."""
        if self._limit is None:
            return False
        total = 0
        for window in self._newest_first():
            total += window.rows
            if total >= self._limit:
                return True
            if not window.done:
                return False
        return False

    def _next(self) -> Coroutine[Any, Any, None] | None:
        window = self._ready() or self._split()
        if window is None:
            return None
        window.busy = True
        return self._page(window)

    def _ready(self) -> Window | None:
        free = [window for window in self.windows if not window.busy and not window.done]
        if self._limit is not None:
            free = [window for window in free if self._worth(window)]
            return max(free, key=lambda window: window.low, default=None)
        return max(free, key=lambda window: window.left(self._floor), default=None)

    def _worth(self, window: Window, donor: Window | None = None, cut: int = 0) -> bool:
        """With a limit: whether the windows above (a donor's, cut at a second) will hardly be enough."""
        above = [each for each in self.windows if each.low > window.low or each is donor]
        if all(each.done for each in above):
            return True
        floors = ((each, max(self._floor, cut) if each is donor else self._floor) for each in above)
        return sum(each.rows + each.left(floor) for each, floor in floors) < (self._limit or 0)

    def _split(self) -> Window | None:
        """Half of what is left of the largest window, if that is worth a request.

        Only of one whose own rows were seen: the density of another one is a guess, and the pieces of a guess
        lie in empty time.
        """
        busy = [
            window
            for window in self.windows
            if window.busy and window.recent and not window.done and window.unread_from > max(window.low, 1)
        ]
        donor = max(busy, key=lambda window: window.left(self._floor), default=None)
        if donor is None or donor.left(self._floor) <= MIN_SPLIT_ROWS:
            return None
        low = max(donor.low, min(self._floor, donor.unread_from - 1))
        middle = min((low + donor.unread_from) // 2, donor.unread_from - 1)
        if middle < 1:
            return None
        new_window = Window(donor.low, middle, middle + 1, density=donor.density, top=middle)
        if self._limit is not None and not self._worth(new_window, donor, middle + 1):
            return None
        donor.low = middle + 1
        self.windows.append(new_window)
        return new_window

    # --- a page of a window ---------------------------------------------------------------------------------
    async def _page(self, window: Window) -> None:
        low, high = window.low, window.at if window.recent and not window.dedupe else window.high
        try:
            page = await self._fetch((*window.params(), ("limit", str(PAGE))))
        except CursorDeleted:
            self._step_back(window)
            window.busy = False
            return
        rows = page.rows
        _check(rows, low, high)
        if page.has_more and not rows:
            raise NotSortedByCreated("an empty page that says there is more")
        held = set(window.recent) if window.dedupe else set()
        keep = [index for index, row in enumerate(rows) if _time(row) >= window.low and row.id not in held]
        window.done = not page.has_more or _time(rows[-1]) < window.low
        if rows and not window.done:
            self._advance(window, rows)
        window.rows += len(keep)
        self.read += len(keep)
        window.busy = False
        if window.done:
            window.recent = []
        states = self.state() if self._states else ()
        left = sum(each.left(self._floor) for each in self.windows if not each.done)
        whole = len(keep) == len(rows)
        await self._emit(
            RowSlice(
                page.body,
                None if whole else keep,
                [rows[index].id for index in keep],
                states,
                left,
                complete_since=self.complete_since,
            )
        )

    def _advance(self, window: Window, rows: list[Row]) -> None:
        newest, oldest = _time(rows[0]), _time(rows[-1])
        ids = [row.id for row in rows]
        if window.cursor == ids[-1]:
            raise NotSortedByCreated("the same page twice")
        window.recent = [*window.recent, *ids] if window.dedupe or newest == oldest else ids
        if window.dedupe and newest < window.at:
            window.dedupe, window.recent = False, ids
        window.at, window.cursor, window.dead = oldest, ids[-1], 0
        average = (window.rows + len(rows)) / (max(window.top, oldest) - oldest + 1)
        # many rows in one second (a billing run) say nothing of the seconds beside it
        window.density = average if newest == oldest else max(len(rows) / (newest - oldest + 1), average)

    def _step_back(self, window: Window) -> None:
        """The cursor's row is gone: go on after an earlier row that was read; failing that, enter again at
        the second that was reached."""
        window.dedupe = True
        window.dead += 1
        index = window.recent.index(window.cursor) if window.cursor in window.recent else 0
        if index > 0 and window.dead <= MAX_DEAD_CURSORS:
            window.cursor = window.recent[index - 1]
        elif window.cursor:
            window.cursor, window.high, window.dead = "", window.at, 0
        else:
            raise NotSortedByCreated("a cursor was refused where none was sent")


def _time(row: Row) -> int:
    if row.created is None:
        raise NotSortedByCreated("a row without created")
    return row.created


def _check(rows: Sequence[Row], low: int, high: int | None) -> None:
    """The rows of a page lie in their window and never rise."""
    times: list[Any] = [row.created for row in rows]
    if None in times or "" in [row.id for row in rows]:
        raise NotSortedByCreated("a row without created, or without an id")
    if not times:
        return
    falling = times == sorted(times, reverse=True)
    if not falling or _time(rows[-1]) < low or (high is not None and _time(rows[0]) > high):
        raise NotSortedByCreated("rows don't stand newest first by created")
