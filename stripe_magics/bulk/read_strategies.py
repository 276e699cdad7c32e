"""How a long list is read to be saved: the quickest way it has, and always so that it is known what is left.

In windows of `created`; without `created`, between ids of its last reading (`cuts`); else by its cursor. The
first and the last can be continued another day; between cuts, a pull that was stopped starts over.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from stripe_magics.client.pagination import parallel_paginator
from stripe_magics.client.pagination.raw_pages import CURSORS, PAGE, Mark, NotSortedByCreated, ids
from stripe_magics.request import Request

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection

START_OVER = {"over": True}  # what is left of a pull that can't be continued

Hooks = Mapping[str, Any]  # `stop` and `expect`, as `client.pull.pages` takes them


class PageRead(NamedTuple):
    """A page that came, and what is left to read after it."""

    body: bytes
    rows: int
    left: Any = None
    mark: Mark = (0, 0, "")  # where it stands in the list, if that is known: see `ListPage.mark`

    @property
    def restarts(self) -> bool:
        """Whether it says: forget what came, the list is read from its start."""
        return self.rows < 0


def split_ids(marks: Iterable[Sequence[Any]]) -> list[str]:
    """Ids that divide a list into pieces of a page: the ends of the pages that it came in, where short ones
    are joined with their neighbours."""
    found: list[str] = []
    rows, last = 0, ""
    for _, _, key, count in sorted(marks, key=lambda mark: (mark[0], mark[1])):
        if rows and rows + count > PAGE:
            found.append(last)
            rows = 0
        rows, last = rows + count, key
    return found


def read(
    connection: Connection, request: Request, left: object, rows: int, cuts: Sequence[str], hooks: Hooks
) -> Generator[PageRead, None, None]:
    """The pages that are left after `rows` rows, the quickest way there is; by the cursor alone where a list
    turns out not to be fit for it."""
    cursor = str(left.get("cursor", "")) if isinstance(left, dict) else ""
    try:
        if not cursor and parallel_paginator.supports_parallel_read(request) and request.limit is None:
            cursor = yield from _windows(connection, request, left if isinstance(left, list) else None, hooks)
            if not cursor:
                return
        if _plain(request):
            cuts = () if cursor or parallel_paginator.takes_created(request) else cuts
            yield from _between(connection, request, cuts, cursor, hooks)
            return
    except NotSortedByCreated:
        yield PageRead(b"", -1)
        cursor, rows = "", 0
    if request.limit is not None:
        request = replace(request, limit=max(1, request.limit - rows))
    yield from _by_cursor(connection, request, cursor, hooks)


def _plain(request: Request) -> bool:
    """Whether a list is asked for whole and from its top, and is paged by the ids of its rows."""
    if (
        request.method != "GET"
        or not request.path.startswith("/v1/")
        or request.searches
        or request.list_of_one
    ):
        return False
    return (
        (request.lists or request.limit_given)
        and request.limit is None
        and not {name for name, _ in request.params} & CURSORS
    )


def _windows(
    connection: Connection, request: Request, left: Any, hooks: Hooks
) -> Generator[PageRead, None, str]:
    """In windows of `created`. Returns the id after which the cursor is to go on, "" if all was read."""
    try:
        for part in parallel_paginator.pages(connection, request, resume=left, states=True, **hooks):
            if part.count:
                first = part.windows == ({},)
                yield PageRead(
                    part.body, part.count, {"cursor": part.ids[-1]} if first else list(part.windows)
                )
    except parallel_paginator.TooFewRows as few:
        return few.after
    return ""


def _between(
    connection: Connection, request: Request, cuts: Sequence[str], after: str, hooks: Hooks
) -> Generator[PageRead, None, None]:
    """Between cuts, or without any as a walk. A walk stands at one row; many can't be continued: what they
    leave isn't known by time, and their cursors don't live long."""
    timed = parallel_paginator.takes_created(request)  # such a list is never read between cuts
    hooks = hooks if cuts else {**hooks, "expect": None}  # a walk doesn't know its end
    for part in parallel_paginator.pages_between(connection, request, cuts, after=after, **hooks):
        if part.count:
            # a walk's pages come in order, also those of another day
            segment, page, last = part.mark if cuts else (0, 0, part.mark[2])
            left = {"cursor": last} if last and not cuts else START_OVER
            yield PageRead(part.body, part.count, left, (segment, page, "" if timed else last))


def _by_cursor(
    connection: Connection, request: Request, cursor: str, hooks: Hooks
) -> Generator[PageRead, None, None]:
    """By the cursor, as any list can be read: up to a limit, backwards, in a search."""
    from stripe_magics.client.pagination.paginator import pages

    if cursor:
        request = replace(request, params=(*request.params, ("starting_after", cursor)))
    for answer in pages(connection, request, stop=hooks["stop"], ordered=True):
        keys = ids(answer.body)
        yield PageRead(answer.body, len(keys), {"cursor": keys[-1] if keys else cursor})
