"""Following a list page by page: `pages` yields each answer of a list or a search, up to the request's limit.

One family of paginators, each of which is gone through page by page:

- `ParallelPaginator`: a long list that takes `created`, in many parts at once (`parallel_paginator`); its
  pages come in no order (`windowed` says so).
- Any other is read page after page (`sequential_paginator`: by cursor, backwards, by page).
- A list that makes no progress (an empty page that says there is more, the same last id again, a row without
  an id) is an error, never a short frame. An error on a later page comes as `IncompleteList`, Stop as
  `StoppedList`; what was yielded before is good.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from stripe_magics.client.pagination.raw_pages import ListPage, NotSortedByCreated, without
from stripe_magics.client.pagination.sequential_paginator import paginator_for
from stripe_magics.errors import Details, IncompleteList, InvalidRequest, StoppedList, StripeError
from stripe_magics.request import Request

if TYPE_CHECKING:
    from stripe_magics.client.http.response import ApiResponse
    from stripe_magics.client.pagination.read_connection import ReadConnection

Progress = Callable[[int, int], object]  # rows so far, pages so far


def windowed(request: Request) -> bool:
    """Whether the pages of a list come in no order: sort the rows by `created`, newest first, and only then
    cut at the limit."""
    from stripe_magics.client.pagination import parallel_paginator

    return parallel_paginator.supports_parallel_read(request)


def pages(
    connection: ReadConnection,
    request: Request,
    *,
    progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
    ordered: bool = False,
) -> Iterator[ApiResponse]:
    """The answers of a list request, a page each, until its limit, its end, or until `stop()` says so.

    A request that lists nothing gives its one answer. The first page's error comes as it is; a later page's
    as `IncompleteList`, whose `rows_read` counts the rows of the pages that were yielded. `ordered` reads by
    the cursor alone, so that rows come newest first.
    A `progress` that has a method `expect` gets the estimated number of rows through it.
    """
    if request.lists and request.limit is not None and request.limit < 1:
        raise InvalidRequest(
            "The limit must be at least 1. Nothing was sent.", details=Details(param="limit", field="limit")
        )
    if request.method != "GET" or request.list_of_one or (request.returns != "any" and not request.lists):
        yield connection.send(request)
        return
    paginator: Iterable[ApiResponse] = (
        ParallelPaginator(connection, request, stop=stop, expect=getattr(progress, "expect", None))
        if windowed(request) and not ordered
        else paginator_for(connection, request)
    )
    walk = iter(paginator)
    rows = count = 0
    error: StripeError | None = None
    stopped: BaseException | None = None
    while True:
        try:
            answer = next(walk, None)
        except StripeError as problem:
            error, answer = problem, None
        except KeyboardInterrupt as problem:
            stopped, answer = problem, None
        if answer is None:
            break
        count += 1
        rows += _count(answer)
        if progress is not None:
            progress(rows, count)
        yield answer
        if stop is not None and stop():
            return
    if stopped is not None:
        raise _incomplete(StoppedList, "Stopped while reading a list", count, rows, stopped)
    if error is not None:
        if not count:
            raise error
        raise _incomplete(
            IncompleteList, f"The list is incomplete: {error.message.rstrip('.')}", count, rows, error
        )


def _incomplete(
    kind: type[IncompleteList], what: str, count: int, rows: int, cause: BaseException | None
) -> IncompleteList:
    since = (
        getattr(cause, "complete_since", None)
        if not isinstance(cause, StripeError)
        else cause.__dict__.get("complete_since")
    )
    advice = "Run it again to read the whole list; --to FOLDER keeps what was read and goes on from there."
    if since is not None:
        advice = (
            f"Nothing is missing since {_utc(since)}; what is older has gaps: go on with -d"
            f" created[lt]={since}. {advice}"
        )
    error = kind(
        f"{what}. {rows:,} rows were read on {count} page{'' if count == 1 else 's'}; there are more.",
        details=cause.details if isinstance(cause, StripeError) else None,
        advice=advice,
    )
    error.__dict__["complete_since"] = since
    error.__dict__["rows_read"] = rows
    return error


def _utc(second: int) -> str:
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _count(answer: ApiResponse) -> int:
    """The rows of a page, without parsing a page that counts them itself."""
    return answer.count if isinstance(answer, ListPage) else len(answer.rows)


class ParallelPaginator:
    """A long list in windows of `created`; one that turns out not to be sorted by it is read again by its
    cursor."""

    def __init__(
        self,
        connection: ReadConnection,
        request: Request,
        *,
        stop: Callable[[], bool] | None = None,
        expect: Callable[[float], object] | None = None,
    ) -> None:
        self.connection, self.request = connection, request
        self._stop, self._expect = stop, expect

    def __iter__(self) -> Iterator[ApiResponse]:
        from stripe_magics.client.pagination import parallel_paginator

        seen: set[str] = set()
        rows = 0
        try:
            for part in parallel_paginator.pages(
                self.connection, self.request, stop=self._stop, expect=self._expect
            ):
                rows += part.count
                if rows <= parallel_paginator.MAX_REMEMBERED_IDS:
                    seen.update(part.ids)
                yield part
        except parallel_paginator.TooFewRows as few:
            yield from paginator_for(self.connection, self._rest(few.after, rows))
            return
        except NotSortedByCreated as odd:
            why = odd
        else:
            return
        if rows > parallel_paginator.MAX_REMEMBERED_IDS:
            raise IncompleteList(
                f"This list can't be read in parallel (not sorted by creation time: {why})",
                advice="Ask for it with a --limit of 1000 at most, or between two dates.",
            )
        for answer in paginator_for(self.connection, self.request):
            yield without(answer, seen)

    def _rest(self, after: str, rows: int) -> Request:
        left = None if self.request.limit is None else self.request.limit - rows
        return replace(self.request, params=(*self.request.params, ("starting_after", after)), limit=left)
