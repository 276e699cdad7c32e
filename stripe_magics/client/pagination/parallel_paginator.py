"""A long list, read in many parts at once, on an event loop in a thread of its own, under the rate limits.

`pages` hands over each page as it comes, in no order: the first as any call, the rest in `windows` of
`created`; `pages_between` reads a list that doesn't take `created` between ids that are kept from its last
reading (`segments`). The kernel's thread only waits for pages;
at Stop the other one is asked to end.
"""

from __future__ import annotations

import asyncio
import queue
import re
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stripe_magics.catalogue import stripe_objects
from stripe_magics.catalogue.versions import PINNED_VERSION
from stripe_magics.client.pagination.background_loop import background_loop_for
from stripe_magics.client.pagination.id_segments import IdSegmentReader
from stripe_magics.client.pagination.page_fetcher import OLDEST_ACCOUNT, Fetcher
from stripe_magics.client.pagination.raw_pages import CURSORS, PAGE, FetchedPage, ListPage, RowSlice, only
from stripe_magics.client.pagination.time_windows import TimeWindowReader
from stripe_magics.errors import Details, IncompleteList, StripeError
from stripe_magics.request import Request

if TYPE_CHECKING:
    from stripe_magics.client.pagination.read_connection import ReadConnection

__all__ = [
    "MAX_REMEMBERED_IDS",
    "ListPage",
    "TooFewRows",
    "pages",
    "pages_between",
    "supports_parallel_read",
    "takes_created",
]

MIN_WINDOWED_ROWS = 1000  # rows; a smaller limit is read by the cursor, which asks for no row too many
MAX_WAITING_PAGES = 12  # pages read and not yet taken by the builder; what a kill loses is read again
# rows after which a list that turns out to be unsorted is an error and no longer read anew
MAX_REMEMBERED_IDS = 10_000


def takes_created(request: Request) -> bool:
    """Whether the list can be asked for a time, at the API version that the request goes out with."""
    version = dict(request.headers).get("Stripe-Version", PINNED_VERSION)
    return stripe_objects.takes_created(request.path, version)


def supports_parallel_read(request: Request) -> bool:
    """Whether a list is read in windows: it takes `created`, starts at no row, and more than a few pages of
    it are asked for."""
    if request.method != "GET" or request.searches or not takes_created(request) or request.list_of_one:
        return False
    if not (request.lists or request.limit_given) or (
        request.limit is not None and request.limit <= MIN_WINDOWED_ROWS
    ):
        return False
    return not {name for name, _ in request.params} & {*CURSORS, "created"}


def bounds(request: Request) -> tuple[int, int | None, Request]:
    """The request's own `created` filters as a closed interval, and the request without them."""
    low, high, rest = 0, None, []
    for name, value in request.params:
        match = re.fullmatch(r"created\[(gte?|lte?)\]", name)
        if not match:
            rest.append((name, value))
            continue
        second = int(value) + {"gt": 1, "lt": -1}.get(match[1], 0)
        if match[1].startswith("g"):
            low = max(low, second)
        else:
            high = second if high is None else min(high, second)
    return low, high, replace(request, params=tuple(rest), merged_requests=(), follow_ups=())


def pages(
    connection: ReadConnection,
    request: Request,
    *,
    stop: Callable[[], bool] | None = None,
    resume: Sequence[dict[str, Any]] | None = None,
    states: bool = False,
    expect: Callable[[float], object] | None = None,
) -> Iterator[ListPage]:
    """The pages of a list that `supports_parallel_read`, as they come. After the last one, an empty page that
    says whether rows were left out.

    `resume` goes on with what an earlier `ListPage.windows` left (`states` asks for these); `TooFewRows` is
    raised where that isn't worth it. `expect` gets the estimated total as it changes.
    KeyboardInterrupt, or closing the generator, ends the reading at once. Raises `StripeError`;
    `NotSortedByCreated` if the list can't be read this way.
    """
    low, high, plain = bounds(request)
    pull = _Pull(connection, plain, low, high)
    first = pull.first() if resume is None else None
    if first is not None and (not first.windows or pull.small()):
        yield first
        if first.windows:
            raise TooFewRows(pull.head.rows[-1].id)
        return

    async def windows() -> TimeWindowReader:
        floor = low or await pull.fetch.account_opened_at()
        made = TimeWindowReader(
            pull.fetch, pull.emit, slots=pull.fetch.slots, floor=floor, low=low, high=high,
            limit=request.limit, states=states,
        )  # fmt: skip
        if resume is not None:
            made.resume(resume)
        else:
            made.begin(pull.head)
        return made

    yield from pull.follow(windows, stop, expect, first)


def pages_between(
    connection: ReadConnection,
    request: Request,
    cuts: Sequence[str] = (),
    *,
    after: str = "",
    stop: Callable[[], bool] | None = None,
    expect: Callable[[float], object] | None = None,
) -> Iterator[ListPage]:
    """As `pages`, of any whole list, between the ids `cuts` of its last reading; without them it is a walk by
    the cursor, in order.

    `after` begins below a row; `NotSortedByCreated` is raised if that row is gone.
    """
    pull = _Pull(connection, replace(request, merged_requests=(), follow_ups=()), 0, None)

    async def segments() -> IdSegmentReader:
        return IdSegmentReader(pull.fetch, pull.emit, slots=pull.fetch.slots, cuts=cuts, after=after)

    yield from pull.follow(segments, stop, expect)


class TooFewRows(Exception):
    """There is hardly enough to read for several readers at once: go on after this id."""

    def __init__(self, after: str) -> None:
        super().__init__(after)
        self.after = after


class _Pull:
    """One list on its way: what the two threads share."""

    def __init__(self, connection: ReadConnection, request: Request, low: int, high: int | None) -> None:
        self.connection, self.request, self.low, self.high = connection, request, low, high
        self.fetch = Fetcher(connection, request)
        self.queue: queue.SimpleQueue[ListPage | BaseException | None] = queue.SimpleQueue()
        self.head = FetchedPage([], has_more=False, body=None)
        self.reading: TimeWindowReader | IdSegmentReader | None = None
        self.read = 0

    # In the caller's thread ---------------------------------------------------------------------------------
    def first(self) -> ListPage:
        """The first page, sent as any call; its `windows` say only whether there is more to read."""
        filters = [("created[gte]", str(self.low))] if self.low else []
        filters += [("created[lte]", str(self.high))] if self.high is not None else []
        began = self.connection.monotonic()
        answer = self.connection.send(
            replace(self.request, params=(*self.fetch.params, *filters, ("limit", str(PAGE))))
        )
        self.fetch.latency = max(0.001, self.connection.monotonic() - began)
        page = self.fetch.page(answer.body, answer.request_id)
        self.head, self.read = page, len(page.rows)
        if page.has_more and not page.rows:
            raise IncompleteList(
                "Stripe says that there are more rows but not where they start",
                details=Details(request_id=answer.request_id),
            )
        return ListPage(
            status=answer.status, body=answer.body, request_id=answer.request_id, notices=answer.notices,
            api_version=answer.api_version,
            count=self.read, windows=({},) if page.has_more else (), ids=[row.id for row in page.rows],
        )  # fmt: skip

    def small(self) -> bool:
        """Whether the first page is so thin that even since 2010 not many pages would come together."""
        times = [row.created for row in self.head.rows if row.created is not None]
        if not times:
            return True
        density = len(times) / (max(times) - min(times) + 1)
        return (min(times) - max(self.low, OLDEST_ACCOUNT)) * density < MIN_WINDOWED_ROWS

    def follow(
        self,
        make: Callable[[], Coroutine[Any, Any, TimeWindowReader | IdSegmentReader]],
        stop: Callable[[], bool] | None,
        expect: Callable[[float], object] | None,
        first: ListPage | None = None,
    ) -> Iterator[ListPage]:
        """Everything that the reading brings which `make` gives; the `first` page while that goes out."""
        fetch = self.fetch
        with (
            fetch.limiter.reading(self.request.path, fetch.account),
            background_loop_for(self.connection) as loop,
        ):
            self.fetch.pool = loop.pool
            task = loop.start(self._run(make))
            since: int | None = None
            try:
                if first is not None:
                    yield first
                while True:
                    if stop is not None and stop():
                        return
                    try:
                        item = self.queue.get(timeout=0.25)
                    except queue.Empty:
                        if (task.done() or not loop.thread.is_alive()) and self.queue.empty():
                            raise IncompleteList("The reading ended without its last word") from None
                        continue
                    if isinstance(item, BaseException):
                        raise item
                    if item is None:
                        break
                    self.read += item.count
                    if expect is not None:
                        expect(self.read + item.left)
                    yield item
                    since = item.complete_since  # of what was handed over, not of what waits in the queue
            except (StripeError, KeyboardInterrupt) as problem:
                problem.__dict__["complete_since"] = since
                raise
            finally:
                loop.end(task)
        self._check_count()
        limit = self.request.limit
        left = self.reading is not None and (
            bool(self.reading.state()) or (limit is not None and self.read > limit)
        )
        yield ListPage(status=200, body=b'{"object":"list","data":[],"has_more":false}', more=left)

    def _check_count(self) -> None:
        """All rows that were read were handed over, and without a limit nothing is left. Raises
        `IncompleteList`."""
        reading = self.reading
        if reading is not None and reading.read != self.read:
            raise IncompleteList(f"{reading.read:,} rows were read, but {self.read:,} arrived")
        if reading is not None and self.request.limit is None and reading.state():
            raise IncompleteList("The reading ended before the list did")

    # On the loop --------------------------------------------------------------------------------------------
    async def _run(self, make: Callable[[], Coroutine[Any, Any, TimeWindowReader | IdSegmentReader]]) -> None:
        try:
            self.reading = await make()
            await self.reading.run()
            self.queue.put(None)
        except (Exception, asyncio.CancelledError) as problem:
            # whatever it is, the caller's thread must hear of it and not wait for ever
            cancelled = IncompleteList("The reading was cancelled")
            self.queue.put(problem if isinstance(problem, Exception) else cancelled)

    async def emit(self, piece: RowSlice) -> None:
        """Hand a page over to the caller's thread; wait while that one is behind."""
        body, request_id = piece.body
        if piece.keep is not None:
            body = only(body, piece.keep)
        if piece.rows:
            self.queue.put(
                ListPage(
                    status=200, body=body, request_id=request_id, count=piece.rows, windows=piece.windows,
                    left=piece.left, mark=piece.mark, ids=piece.ids, complete_since=piece.complete_since,
                )
            )  # fmt: skip
        while self.queue.qsize() > MAX_WAITING_PAGES:  # noqa: ASYNC110 - the reader is a thread
            await asyncio.sleep(0.01)
