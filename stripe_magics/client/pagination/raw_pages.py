"""Pages of long lists as they came, in bytes: only the way through the list is decoded (ids and times), never
the rows themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from stripe_magics.client.http.response import ApiResponse

PAGE = 100  # the most rows that Stripe gives at once
CURSORS = frozenset({"starting_after", "ending_before", "page"})  # parameters that say where a page begins


class RowPosition(msgspec.Struct, gc=False):
    """What is needed of a row to find the way."""

    id: str = ""
    created: int | None = None


class PageHeader(msgspec.Struct):
    """What is needed of a page."""

    data: list[RowPosition]
    has_more: bool = False


class FetchedPage(NamedTuple):
    """A page as fetched; `body` is whatever is to become of it."""

    rows: list[RowPosition]
    has_more: bool
    body: Any


class RowSlice(NamedTuple):
    """Rows that were read: a page's body, the indexes of its rows that count (None: all) and their ids, and
    what is then left to read."""

    body: Any
    keep: list[int] | None
    ids: Sequence[str]
    windows: tuple[dict[str, Any], ...]
    left: float  # estimated rows still to read
    mark: Mark = (0, 0, "")
    complete_since: int | None = None  # with these rows nothing is missing down to this second

    @property
    def rows(self) -> int:
        """How many."""
        return len(self.ids)


Mark = tuple[int, int, str]
"""Where a page stands in its list (segment, page of it) and its last row; "" if that isn't known."""

Params = tuple[tuple[str, str], ...]


class CursorDeleted(Exception):
    """The row that a cursor names was deleted."""


class NotSortedByCreated(Exception):
    """The rows don't stand newest first by `created`: this list must be read by its cursor alone."""


@dataclass(slots=True, kw_only=True)
class ListPage(ApiResponse):
    """A page of a long list: as an Answer, but its rows are counted and not parsed."""

    count: int = 0
    more: bool = False
    windows: tuple[dict[str, Any], ...] = ()  # what is left to read after it
    left: float = 0.0  # estimated rows
    mark: Mark = (0, 0, "")
    ids: Sequence[str] = ()
    # with this page and those before it nothing is missing down to this second
    complete_since: int | None = None

    @property
    def has_more(self) -> bool:
        """Whether rows were left out at the end (of the last page only)."""
        return self.more

    @property
    def next_page(self) -> str:
        """Lists have none; asking a page for it would parse it whole."""
        return ""


_control = msgspec.json.Decoder(PageHeader)


class _Rows(msgspec.Struct):
    data: list[msgspec.Raw]
    has_more: bool = False


def control(body: bytes) -> PageHeader:
    """The way through a page. Raises `msgspec.DecodeError` for what is no page."""
    return _control.decode(body)


def ids(body: bytes) -> list[str]:
    """The ids of a page's rows."""
    return [row.id for row in _control.decode(body).data]


def only(body: bytes, indexes: Sequence[int]) -> bytes:
    """The page with some of its rows."""
    rows = msgspec.json.decode(body, type=_Rows).data
    return b'{"object":"list","data":[' + b",".join(bytes(rows[index]) for index in indexes) + b"]}"


def without(answer: ApiResponse, known: set[str]) -> ListPage:
    """The page without the rows that have one of these ids."""
    rows = _control.decode(answer.body)
    indexes = [index for index, row in enumerate(rows.data) if row.id not in known]
    return ListPage(
        status=answer.status,
        body=only(answer.body, indexes),
        request_id=answer.request_id,
        count=len(indexes),
        more=rows.has_more,
    )
