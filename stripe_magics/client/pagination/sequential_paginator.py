"""A list read page after page: one base class, and a subclass for each way in which Stripe says where the
next page begins.

| paginator | reads | the next page is asked for by |
|---|---|---|
| `CursorPaginator` | lists, newest first | `starting_after` the last id |
| `BackwardPaginator` | lists from `ending_before`'s row, upwards | `ending_before` the first id |
| `PagePaginator` | searches and v2's lists | `page`, which the answer names |

The limit is a total over all pages; a page that doesn't say where the next begins, or names the same place
again, is an error, never an end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stripe_magics.catalogue.stripe_objects import takes_limit
from stripe_magics.client.pagination.raw_pages import CURSORS, PAGE
from stripe_magics.errors import Details, IncompleteList, InvalidRequest
from stripe_magics.request import Request

if TYPE_CHECKING:
    from stripe_magics.client.http.response import ApiResponse
    from stripe_magics.client.pagination.read_connection import ReadConnection


class Paginator:
    """Gives each page of one list, in order, until its limit or its end."""

    parameter = ""

    def __init__(self, connection: ReadConnection, request: Request) -> None:
        self.connection = connection
        self.request = request
        self.whole = request.lists or request.limit_given  # or one page is what was asked for
        self.limit = request.limit if self.whole else None
        self.params = tuple(pair for pair in request.params if pair[0] != "limit" or not request.lists)
        self.place = next((value for name, value in self.params if name in CURSORS), "")

    def following(self, answer: ApiResponse) -> str:
        """Where the page after this one begins; "" if the page doesn't say."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[ApiResponse]:
        rows = 0
        while True:
            answer = self.connection.send(
                replace(self.request, params=self._sized(rows), merged_requests=(), follow_ups=())
            )
            yield answer
            rows += len(answer.rows)
            if not (answer.has_more and self.whole) or self._reached(rows):
                return
            self._move_on(answer)

    def _sized(self, rows: int) -> tuple[tuple[str, str], ...]:
        """The parameters of the next page; the last page asks for no more rows than are still to come."""
        if not (self.request.lists and takes_limit(self.request.path)):
            return self.params
        every = self.limit is None or self.request.row_filters  # rows that are filtered here don't count yet
        size = PAGE if every or self.limit is None else min(PAGE, self.limit - rows)
        return (*self.params, ("limit", str(size)))

    def _reached(self, rows: int) -> bool:
        return self.limit is not None and rows >= self.limit and not self.request.row_filters

    def _move_on(self, answer: ApiResponse) -> None:
        place = self.following(answer)
        if not place or place == self.place:
            raise IncompleteList(
                "Stripe says that there are more rows but not where they start",
                details=Details(status=answer.status, request_id=answer.request_id),
            )
        self.place = place
        self.params = (*(pair for pair in self.params if pair[0] not in CURSORS), (self.parameter, place))


class CursorPaginator(Paginator):
    """From the newest row to the oldest."""

    parameter = "starting_after"

    def following(self, answer: ApiResponse) -> str:
        return _id_at(answer.rows, -1)


class BackwardPaginator(Paginator):
    """From one row to those before it."""

    parameter = "ending_before"

    def following(self, answer: ApiResponse) -> str:
        return _id_at(answer.rows, 0)


class PagePaginator(Paginator):
    """Pages that each name the next."""

    parameter = "page"

    def following(self, answer: ApiResponse) -> str:
        return answer.next_page


def paginator_for(connection: ReadConnection, request: Request) -> Paginator:
    """The paginator of a list. Raises `InvalidRequest` for one that is to start after one row and end before
    another."""
    cursors = {name for name, _ in request.params} & CURSORS
    if {"starting_after", "ending_before"} <= cursors:
        raise InvalidRequest(
            "A list can start after one row or end before one, not both. Nothing was sent.",
            details=Details(param="ending_before", field="ending_before"),
        )
    if request.searches or request.path.startswith("/v2/"):
        return PagePaginator(connection, request)
    return (BackwardPaginator if "ending_before" in cursors else CursorPaginator)(connection, request)


def _id_at(rows: list[Any], place: int) -> str:
    row = rows[place] if rows else None
    found = row.get("id") if isinstance(row, dict) else None
    return str(found or "")
