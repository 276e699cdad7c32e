"""Reading Stripe's list of events so that none is lost and none comes twice.

- A reading asks for everything from where the last one ended, minus an overlap: events of one second may
  become visible after each other.
- The list is newest first; a reading walks by cursor to its very end, since an event that came late stands
  behind ones that are known.
- Each page is kept before the next one is asked for, with the cursor: a reading that breaks off goes on
  there, however long the backlog is.
- What has been read is known by type or group, whatever watch read it and in whatever order it names them
  (`coverage` in the store).
- `created` has a resolution of a second, so the bound is `gte` (`gt` would lose the rest of a second) and the
  store drops what it has.
- Now and then the last day is read once more: an event may become visible long after it was made.
- Stripe lists 30 days. What a longer gap has swallowed is said, not passed over.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from stripe_magics._json import JsonObject
from stripe_magics.catalogue.module import Effect
from stripe_magics.errors import InvalidRequest, StripeUnavailable
from stripe_magics.events.event_store import ReadCoverage, Store, Walk
from stripe_magics.events.filters import EventFilter, covering_names
from stripe_magics.request import Request

if TYPE_CHECKING:
    from stripe_magics.client.http.response import ApiResponse

OVERLAP = 120  # seconds
LISTED = 30 * 86400  # seconds for which Stripe lists events
SECOND_LOOK = 86400  # seconds that are read once more now and then
SECOND_LOOK_EVERY = 3600.0  # seconds
_PAGE = 100
_SAME_SECOND = 1e7  # more events than a reading can have: places within one second


class Stopped(Exception):
    """The reading was ended before its end: no fault, the watch was stopped while it was reading."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one reading brought: new events, from which moment on it read, and whether that was the first one
    ever (nothing of it is news)."""

    fresh: tuple[str, ...]
    since: int
    first: bool
    gap: str = ""


class Poller:
    """Reads the list for one choice of events into a store."""

    def __init__(
        self,
        store: Store,
        send: Callable[[Request], ApiResponse],
        choice: EventFilter,
        *,
        now: Callable[[], float],
        headers: tuple[tuple[str, str], ...] = (),
        on_page: Callable[[], object] = lambda: None,
    ) -> None:
        """`on_page` is called whenever a page is kept."""
        self._on_page = on_page
        self.store, self.send, self.choice, self.now, self.headers = store, send, choice, now, headers
        self._name = ",".join(choice.names)
        self._looked = time.monotonic()

    def read(
        self,
        *,
        since: int | None = None,
        needed: Iterable[tuple[EventFilter, int]] = (),
        stop: Callable[[], bool],
    ) -> Reading:
        """One reading, to its end. `since`: from that moment on instead of where the last one ended.

        `needed`: what handlers haven't had, by their events and since when. Raises a `StripeError` or
        `Stopped`; the next one then goes on.
        """
        started = self.now()
        fresh: list[str] = []
        left = self.store.walk(self._name)
        if left is not None:
            fresh += self._finish(left, started, stop)
            if since is None:  # what is whole now is passed on before anything newer is read
                return Reading(tuple(fresh), left.since, first=False)
        known = {name: self._best(name) for name in self.choice.names}
        oldest_read = max((each.read_at for each in known.values() if each is not None), default=None)
        first = since is None and not any(known.values())
        begins = since if since is not None else self._begins(known, list(needed))
        if first and begins is None:
            begins = self._newest()
        begins = begins or 0
        from_ = begins
        if not first and time.monotonic() - self._looked > SECOND_LOOK_EVERY:
            self._looked = time.monotonic()
            from_ = min(begins, int(started) - SECOND_LOOK)
        fresh += self._walk(
            Walk(from_, begins, "", self.store.last_row() + 1, 0), started, stop, covered=begins
        )
        gap = gap_notice(oldest_read, started) if oldest_read is not None and since is None else ""
        return Reading(tuple(fresh), begins, first, gap)

    def _best(self, name: str) -> ReadCoverage | None:
        """The reading that came furthest of those that a name lies within."""
        found = [self.store.coverage(each) for each in covering_names(name)]
        return max((each for each in found if each is not None), key=lambda each: each.upto, default=None)

    def _begins(
        self, known: dict[str, ReadCoverage | None], needed: list[tuple[EventFilter, int]]
    ) -> int | None:
        """From when on to read: where each name's reading ended, or as far back as a handler needs."""
        bounds: list[int] = []
        for name, coverage in known.items():
            only = _filter_of(name)
            back = [since for events, since in needed if events.overlaps(only)]
            if coverage is None:
                bounds += back
            else:
                bounds.append(min([coverage.upto, *(each for each in back if each < coverage.since)]))
        return min(bounds, default=None)

    def _newest(self) -> int:
        """When the newest event was made, in Unix seconds; 0 without any. One read; what it shows is kept."""
        answer = self.send(request((("limit", str(_PAGE)), *self.choice.params), self.headers))
        shown = [each for each in answer.rows if self.choice(str(each.get("type", "")))]
        self._store_page(shown, self.store.last_row() + 1, 0)
        return max((int(each["created"]) for each in answer.rows), default=0)

    def _finish(self, left: Walk, started: float, stop: Callable[[], bool]) -> list[str]:
        """Go on with a reading that broke off; if its cursor is gone, from its beginning."""
        try:
            return self._walk(left, started, stop, covered=left.since)
        except InvalidRequest:
            return self._walk(replace(left, cursor=""), started, stop, covered=left.since)

    def _walk(self, walk: Walk, started: float, stop: Callable[[], bool], *, covered: int) -> list[str]:
        """Read the pages to the end, keeping each and where it stands."""
        fresh: list[str] = []
        bound = ("created[gte]", str(max(0, walk.since - OVERLAP)))
        while True:
            cursor = (("starting_after", walk.cursor),) if walk.cursor else ()
            answer = self.send(
                request((("limit", str(_PAGE)), *self.choice.params, bound, *cursor), self.headers)
            )
            rows = [row for row in answer.rows if isinstance(row, dict) and isinstance(row.get("id"), str)]
            shown = [row for row in rows if self.choice(str(row.get("type", "")))]
            fresh += self._store_page(shown, walk.first_row, walk.seen)
            newest = max([walk.newest, *(int(row["created"]) for row in rows)])
            if not answer.has_more:
                break
            if not rows or rows[-1]["id"] == walk.cursor:
                self.store.end_walk(self._name)
                raise StripeUnavailable(
                    "Stripe's list of events says that there is more, but gives nothing new. The watch tries"
                    " again."
                )
            walk = replace(walk, newest=newest, cursor=rows[-1]["id"], seen=walk.seen + len(rows))
            self.store.walked(self._name, walk)
            self._on_page()
            if stop():
                raise Stopped
        self.store.end_walk(self._name)
        for name in self.choice.names:
            # the newest event's own time, not this machine's clock, says where to go on
            self.store.cover(name, covered, newest, started)
        return fresh

    def _store_page(self, rows: list[JsonObject], base: int, seen: int) -> list[str]:
        """Keep events of a page, newest first as they come: within a second the list's own order is the best
        that there is.

        A connected account's own list doesn't name it; its events get `account`, as they have it where Stripe
        sends them to a platform.
        """
        account = dict(self.headers).get("Stripe-Account", "")
        if account:
            rows = [{"account": account, **row} for row in rows]
        places = [base + 1 - (seen + number) / _SAME_SECOND for number in range(len(rows))]
        return self.store.add(rows[::-1], source="poll", places=places[::-1])


def _filter_of(name: str) -> EventFilter:
    if name == "*":
        return EventFilter()
    prefix = name.removesuffix(".*")
    return EventFilter(prefixes=(prefix,)) if prefix != name else EventFilter(types=(name,))


def request(params: tuple[tuple[str, str], ...], headers: tuple[tuple[str, str], ...] = ()) -> Request:
    """A page of the list of events."""
    return Request(
        module="events.list",
        method="GET",
        path="/v1/events",
        params=params,
        headers=headers,
        effect=Effect.READ,
        returns="list[event]",
        lists=True,
        limit=_PAGE,
    )


def gap_notice(since: float, now: float) -> str:
    """What a gap of more than 30 days has swallowed, in words; "" for none."""
    oldest = int(now) - LISTED
    if since >= oldest:
        return ""
    first, last = (f"{datetime.fromtimestamp(each, UTC):%Y-%m-%d %H:%M}" for each in (since, oldest))
    return (
        f"Stripe lists events for 30 days only: those between {first} and {last} UTC can't be read any more."
    )
