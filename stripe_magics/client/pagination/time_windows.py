"""Reading a long list in many parts at once, whole: windows of `created` that split while they are read.

A window (`window`) is a closed interval of seconds; no second is in two of them, so that equal times can't
fall between. Each is read newest first by its own cursor, one page at a time. Whoever is free helps where
most is left: from the other end of a window, if a row below it is known, else by taking about half of its
time. Where many are free, what is left of a window is cut for all of them at once (`window_cuts`).
What must hold, whatever is created, shown late or deleted meanwhile:

- the windows always cover everything that was not read, and nothing that was;
- a second is closed only by the end of its window, by a row below it, or by a row that was read from below;
- the rows of a page lie in their window and never rise in time; a list that does otherwise isn't read this
  way (`NotSortedByCreated`).

The first window is open above (its cursor came from the first page) and the last one open below: where they
are cut in between is a matter of speed alone. Pure: `fetch` and `emit` are given, time is the event loop's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from stripe_magics.client.pagination import task_pool, window_cuts
from stripe_magics.client.pagination.raw_pages import (
    PAGE,
    CursorDeleted,
    FetchedPage,
    NotSortedByCreated,
    Params,
    RowSlice,
)
from stripe_magics.client.pagination.window import NOWHERE, Anchor, Window, check, density_of, time_of
from stripe_magics.errors import InvalidRequest

# Estimated rows, beyond those that are under way, from which a helper is worth a request: a split costs half
# a page, and so do two readers when they meet. Where few are busy, time is worth more than requests.
MIN_SPLIT_ROWS, MIN_SPLIT_ROWS_IDLE, IDLE_SHARE = 300, 20, 0.6
MIN_ROWS_FROM_BELOW, MIN_ROWS_FROM_BELOW_IDLE = 20, -10
CLOSING_PAGES = 0.5  # left for each slot: from there on it is as where few are busy, so that all end together
MIN_FREE_SLOTS = 12  # from which the rest of a window is cut at once when a page has shown its density
MIN_REST_PAGES = 1.0  # of such a rest
ALIKE = 3.0  # two densities that differ by less speak of the same stretch of time
MIN_ROWS_FROM_ABOVE = -20  # beside a page from below that may be the last
ONE_SECOND_ROWS = 300  # estimated, after a page that lies in one second

Fetch = Callable[[Params], Awaitable[FetchedPage]]


@dataclass(slots=True)
class _Help:
    """What a free reader could do for a window, and how many estimated rows nobody is on the way to."""

    rows: float
    begin: Callable[[Window], Coroutine[Any, Any, None] | None]


class TimeWindowReader:
    """One list, read in windows. `run` ends when all are read, or when the newest `limit` rows are."""

    def __init__(
        self,
        fetch: Fetch,
        emit: Callable[[RowSlice], Awaitable[None]],
        *,
        slots: Callable[[], int],
        floor: int,
        low: int = 0,
        high: int | None = None,
        limit: int | None = None,
        states: bool = False,
    ) -> None:
        self._fetch, self._slots = fetch, slots
        self._emit_rows = emit
        self._low, self._high = low, high  # what is asked for of the list
        self._floor = floor  # about where the list begins; only a guide for cutting
        self._limit = limit
        self._states = states
        self._emitting = 0
        self.windows: list[Window] = []  # from the newest to the oldest
        self._largest_next = True  # of the windows that nobody has read
        self.read = 0

    def begin(self, first: FetchedPage) -> None:
        """Cut what the first page leaves: the newest window goes on by its cursor, the others start below
        it."""
        low, high = self._low, self._high
        check(first.rows, low, high)
        oldest, newest = time_of(first.rows[-1]), time_of(first.rows[0])
        density = len(first.rows) / (newest - oldest + 1)
        self.read = len(first.rows)
        ids = [row.id for row in first.rows]
        self.windows = [Window(low, high, oldest, ids[-1], ids, density, len(ids), newest)]
        floor = max(low, min(self._floor, oldest))
        if self._limit is not None:  # no further down than the limit is likely to reach
            floor = max(floor, oldest - int((self._limit - self.read) / density * 1.15) - 1)
        for second in self._first_cuts(oldest, floor, density):
            self.windows.append(self.windows[-1].split(second))
        if self._limit is not None and floor > max(low, 1):
            self.windows.append(self.windows[-1].split(floor - 1))

    def _first_cuts(self, oldest: int, floor: int, density: float) -> list[int]:
        """Where to cut the time below the first page: falling seconds, each the newest of a window."""
        sizes = window_cuts.first_cut((oldest - floor) * density / PAGE, self._slots())
        if oldest - floor < 2 * len(sizes):
            return []
        return window_cuts.seconds(oldest, density, sizes)

    def resume(self, states: Sequence[dict[str, Any]]) -> None:
        """Go on where an earlier run stood."""
        windows = [_restored(state) for state in states]
        self.windows = sorted(windows, key=lambda window: window.low, reverse=True)

    async def run(self) -> None:
        """Read all windows. Raises what `fetch` raises, or `NotSortedByCreated`."""
        await task_pool.run(self._next, self._slots, self._enough)

    def state(self) -> tuple[dict[str, Any], ...]:
        """What is left to read."""
        return tuple(window.state() for window in self.windows if not window.done)

    @property
    def complete_since(self) -> int | None:
        """The second down to which every row was read; None if all were."""
        newest = next((each for each in self.windows if not each.done), None)
        if newest is None:
            return None
        return newest.at + 1 if newest.recent else newest.at

    # --- what to read next ----------------------------------------------------------------------------------
    def _enough(self) -> bool:
        """Whether everything was read and handed over, or with a limit its newest rows: the windows from the
        top, whole, and the begun one below them."""
        if self._limit is None:
            return not self._emitting and all(window.done for window in self.windows)
        total = 0
        for window in self.windows:
            total += window.rows
            if total >= self._limit:
                return True
            if not window.done:
                return False
        return False

    def _next(self) -> Coroutine[Any, Any, None] | None:
        """The page that is asked for next: of a window that nobody reads, else where help is worth most."""
        live = [window for window in self.windows if not window.done]
        alone = [window for window in live if not window.readers]
        if self._limit is not None:
            alone = [window for window in alone if self._worth(window)]
        if alone:
            return self._from_above(self._first_of(alone))
        slots = self._slots()
        few = sum(window.readers for window in live) < IDLE_SHARE * slots
        few = few or sum(self._left(window) for window in live) < CLOSING_PAGES * PAGE * slots
        helps = [(window, found) for window in live if (found := self._help(window, few=few)) is not None]
        if not helps:
            return None
        window, help_ = max(helps, key=lambda each: each[1].rows)
        return help_.begin(window)

    def _first_of(self, alone: list[Window]) -> Window:
        """Of those that nobody reads, the one with most left. Of those that nobody has read, in turn the one
        with most and the one with least: which of them will need more pages isn't known."""
        if self._limit is not None:
            return max(alone, key=lambda window: window.low)
        if begun := [window for window in alone if window.recent]:
            return max(begun, key=self._left)
        which = max if self._largest_next else min
        self._largest_next = not self._largest_next
        return which(alone, key=self._left)

    def _help(self, window: Window, *, few: bool) -> _Help | None:
        """How a window that is being read can have another reader; None where that isn't worth a request.
        `few`: where time is worth more than requests."""
        if not window.readers:  # with a limit: one that is hardly needed
            return None
        rows = self._left(window)
        by_time = rows - PAGE * window.readers
        if window.one_second and self._limit is None:
            rows = max(rows, ONE_SECOND_ROWS)
        rows -= PAGE * window.readers
        if not window.busy:
            return _Help(rows, self._from_above) if rows > MIN_ROWS_FROM_ABOVE else None
        if not window.recent:  # its density is a guess, and the pieces of a guess lie in empty time
            return None
        if self._limit is None and window.asked == NOWHERE and self._anchor(window) != NOWHERE:
            least = MIN_ROWS_FROM_BELOW_IDLE if few else MIN_ROWS_FROM_BELOW
            return _Help(rows, self._from_below) if rows > least else None
        least = MIN_SPLIT_ROWS_IDLE if few else MIN_SPLIT_ROWS
        if by_time <= least or window.unread_from <= max(window.low, 1):
            return None
        return _Help(by_time / (1 + window.readers), self._split)

    def _left(self, window: Window) -> float:
        return window.left(self._floor)

    def _worth(self, window: Window, donor: Window | None = None, cut: int = 0) -> bool:
        """With a limit: whether the windows above (a donor's, cut at a second) will hardly be enough."""
        above = [each for each in self.windows if each.low > window.low or each is donor]
        if all(each.done for each in above):
            return True
        floors = ((each, max(self._floor, cut) if each is donor else self._floor) for each in above)
        return sum(each.rows + each.left(floor) for each, floor in floors) < (self._limit or 0)

    def _split(self, donor: Window) -> Coroutine[Any, Any, None] | None:
        """Take the lower part of the time that is left of a window: about half of the pages that nobody is on
        the way to."""
        low = max(donor.low, min(self._floor, donor.unread_from - 1))
        stays = window_cuts.helper_share(self._left(donor), donor.readers, from_above=donor.busy)
        middle = donor.unread_from - (donor.unread_from - low) * stays
        middle = max(low, min(int(middle), donor.unread_from - 1))
        if middle < 1:
            return None
        if self._limit is not None:
            piece = Window(donor.low, middle, middle + 1, density=donor.density)
            if not self._worth(piece, donor, middle + 1):
                return None
        window = donor.split(middle)
        self.windows.insert(self.windows.index(donor) + 1, window)
        return self._from_above(window)

    def _cut_rest(self, window: Window) -> None:
        """Where many slots are free, cut what is left of a window whose density a page has just shown."""
        live = [each for each in self.windows if not each.done]
        free = self._slots() - sum(each.readers or 1 for each in live)
        density, newest = window.end_density, window.unread_from
        low = max(window.low, min(self._floor, newest - 1))
        pages = (newest - low) * density / PAGE
        if self._limit is not None or window.dedupe or free < MIN_FREE_SLOTS or pages <= MIN_REST_PAGES:
            return
        lower = self._density_below(window)
        is_even = bool(lower) and max(density, lower) <= ALIKE * min(density, lower)
        sizes = window_cuts.rest_cut(pages, free + 1, is_even=is_even)
        place = self.windows.index(window)
        for second in window_cuts.seconds(newest, density, sizes):
            if second < max(low, 1):
                break
            piece = self.windows[place].split(second)
            piece.density = density
            place += 1
            self.windows.insert(place, piece)

    def _density_below(self, window: Window) -> float:
        """Rows per second just under a window, as far as the ones below have shown it; else 0."""
        if window.below != NOWHERE:
            return window.below_density
        for lower in self.windows[self.windows.index(window) + 1 :]:
            if not lower.empty:
                return lower.newest_density or 0.0
        return 0.0

    def _anchor(self, window: Window) -> Anchor:
        """The row under which everything is read by others, as far as it is known: the newest one of the
        windows below."""
        if window.below_off:
            return NOWHERE
        if window.below != NOWHERE:
            return window.below
        low = window.low
        for lower in self.windows[self.windows.index(window) + 1 :]:
            if lower.high != low - 1:
                return NOWHERE
            if not lower.empty:
                return lower.newest
            low = lower.low
        return NOWHERE

    # --- a page of a window ---------------------------------------------------------------------------------
    def _from_above(self, window: Window) -> Coroutine[Any, Any, None]:
        window.busy = True
        return self._page(window)

    def _from_below(self, window: Window) -> Coroutine[Any, Any, None]:
        window.asked = self._anchor(window)
        return self._page_from_below(window.asked)

    async def _page(self, window: Window) -> None:
        low, high = window.low, window.at if window.recent and not window.dedupe else window.high
        try:
            page = await self._fetch((*window.params(), ("limit", str(PAGE))))
        except CursorDeleted:
            window.step_back()
            window.busy = False
            return
        check(page.rows, low, high)
        if page.has_more and not page.rows:
            raise NotSortedByCreated("an empty page that says there is more")
        if not window.recent and len(page.rows) > 1:
            window.newest_density = density_of(page.rows[: window_cuts.END_ROWS])
        keep = window.take(page.rows, has_more=page.has_more)
        window.end_density = window_cuts.end_density(page.rows) if page.rows else 0.0
        window.busy = False
        if not window.done:
            self._cut_rest(window)
        await self._emit(page, keep)

    async def _page_from_below(self, asked: Anchor) -> None:
        whole = Window(self._low, self._high, 0)  # not only the window: the page may reach above it
        cursor = (("ending_before", asked.under), ("limit", str(PAGE)))
        try:
            page: FetchedPage | None = await self._fetch((*whole.params(), *cursor))
        except (CursorDeleted, InvalidRequest):  # it is read from above all the same
            page = None
        window = next(each for each in self.windows if each.asked == asked)  # it may have been split
        window.asked = NOWHERE
        if page is None:
            window.below_off = True
            return
        keep = window.take_from_below(page.rows, asked)
        await self._emit(page, keep)

    async def _emit(self, page: FetchedPage, keep: list[int]) -> None:
        """Hand over the rows of a page that are kept, with what is then left to read."""
        self.read += len(keep)
        self._emitting += 1
        whole = len(keep) == len(page.rows)
        await self._emit_rows(
            RowSlice(
                page.body,
                None if whole else keep,
                [page.rows[index].id for index in keep],
                self.state() if self._states else (),
                sum(self._left(window) for window in self.windows if not window.done),
                complete_since=self.complete_since,
            )
        )
        self._emitting -= 1


def _restored(state: dict[str, Any]) -> Window:
    """A window as it was saved. Version 0.2 calls `dedupe` by another name."""
    fields = {("dedupe" if name == "careful" else name): value for name, value in state.items()}
    return Window(**{**fields, "below": Anchor(*fields.get("below", NOWHERE))})
