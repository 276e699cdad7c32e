"""Reading Stripe's list of events so that none is lost and none comes twice.

- A pass asks for everything from the mark minus an overlap on: events of one second may become visible after each other.
- The list is newest first; a pass walks by cursor to its very end, since an event that came late stands behind ones that are known.
- `created` has a resolution of a second, so the bound is `gte` (`gt` would lose the rest of a second) and the store drops what it has.
- Stripe lists 30 days. What a longer gap has swallowed is said, not passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from stripe_magics.catalogue.module import Effect
from stripe_magics.errors import StripeUnavailable
from stripe_magics.events.filters import EventFilter
from stripe_magics.request import Request

if TYPE_CHECKING:
    from stripe_magics.client.http.response import ApiResponse

OVERLAP = 120  # seconds
LISTED = 30 * 86400  # seconds for which Stripe lists events
_PAGE = 100


def pages(
    send: Callable[[Request], ApiResponse],
    requested: EventFilter,
    *,
    since: int,
    stop: Callable[[], bool] | None = None,
) -> Iterator[list[dict[str, Any]]]:
    """The wanted events from `since` minus the overlap on (unix seconds), a page at a time, newest first.

    `send` is the connection's. Raises a `StripeError`; what was yielded before is good, but the pass isn't whole.
    """
    base = (("limit", str(_PAGE)), *requested.params, ("created[gte]", str(max(0, since - OVERLAP))))
    cursor = ""
    while True:
        answer = send(request((*base, *((("starting_after", cursor),) if cursor else ()))))
        rows = [row for row in answer.rows if isinstance(row, dict) and isinstance(row.get("id"), str)]
        yield [row for row in rows if requested(str(row.get("type", "")))]
        if not answer.has_more:
            return
        if not rows or rows[-1]["id"] == cursor:
            raise StripeUnavailable(
                "Stripe's list of events says that there is more, but gives nothing new. The watch tries again."
            )
        cursor = rows[-1]["id"]
        if stop is not None and stop():
            raise Stopped


class Stopped(Exception):
    """The walk was ended before its end: no fault, the watch was stopped while it was reading."""


def request(params: tuple[tuple[str, str], ...]) -> Request:
    """A page of the list of events."""
    return Request(
        module="events.list",
        method="GET",
        path="/v1/events",
        params=params,
        effect=Effect.READ,
        returns="list[event]",
        lists=True,
        limit=_PAGE,
    )


def in_order(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Oldest first, each once. Within a second the list's own order, turned round, is the best there is to tell what came first."""
    return sorted(
        {event["id"]: event for event in reversed(events)}.values(), key=lambda event: event["created"]
    )


def gap_notice(since: float, now: float) -> str:
    """What a gap of more than 30 days has swallowed, in words; "" for none."""
    oldest = int(now) - LISTED
    if since >= oldest:
        return ""
    first, last = (f"{datetime.fromtimestamp(each, UTC):%Y-%m-%d %H:%M}" for each in (since, oldest))
    return (
        f"Stripe lists events for 30 days only: those between {first} and {last} UTC can't be had any more."
    )
