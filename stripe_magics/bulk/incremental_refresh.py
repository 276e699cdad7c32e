"""What changed in a list since a mirror saw it: by events, and read again where these don't say it whole.

- An event carries the object as it was then, and that never changes. The copy in an object's newest event is
  taken as the row, if it is in the version in which the list is read. Of two different copies of one second
  nobody knows the later: the object is read again.
- What is read again lies somewhere in the list, by the mirror's own `created`: two or more objects that are
  at most a page apart come with one request for that span of time, the others one by one. A list may hide
  what has an end (subscriptions do), so what isn't found in its span is asked for by its id before it counts
  as gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import msgspec

from stripe_magics.bulk.list_requests import list_request
from stripe_magics.bulk.mirror_storage import ListFolder
from stripe_magics.client.call_context import carried
from stripe_magics.client.pagination.parallel_paginator import takes_created
from stripe_magics.client.pagination.raw_pages import PAGE, control, ids
from stripe_magics.client.rate_limiter import limiter_for
from stripe_magics.errors import NotFound
from stripe_magics.request import Request

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection

WATCHED: dict[str, str] = {
    "customer": (  # not those of subscriptions
        "customer.created,customer.updated,customer.deleted,customer.discount.created,"
        "customer.discount.updated,customer.discount.deleted,customer.source.created,customer.source.updated,"
        "customer.source.deleted"
    ),
    "application_fee": "application_fee.*", "charge": "charge.*", "checkout.session": "checkout.session.*",
    "coupon": "coupon.*", "credit_note": "credit_note.*", "dispute": "charge.dispute.*",
    "invoice": "invoice.*", "payment_intent": "payment_intent.*", "payment_link": "payment_link.*",
    "payout": "payout.*", "plan": "plan.*", "price": "price.*", "product": "product.*",
    "promotion_code": "promotion_code.*", "quote": "quote.*", "setup_intent": "setup_intent.*",
    "subscription": "customer.subscription.*", "subscription_schedule": "subscription_schedule.*",
    "tax_rate": "tax_rate.*", "topup": "topup.*", "transfer": "transfer.*",
}  # fmt: skip
"""Objects whose changes and deletions come as events, and the events' types. What Stripe sends none for (a
new description of a payment intent) shows when the list is read whole. Not here: connected accounts, whose
events are listed in the accounts themselves, and invoice items, which get no event when an invoice takes
them."""

# lists that leave out what belongs to a test clock; events don't
HIDES_TEST_CLOCKS = frozenset({"customer", "quote", "subscription"})
KEPT_AFTER_DELETION = frozenset({"subscription"})  # a deleted one is there all the same: it is canceled
# pending until then; nothing else of them ever changes, and no event tells it
SETTLED = {"balance_transaction": "available_on"}
MAX_COPIES = 20_000  # of objects, kept from events: about 50 MB; what is beyond that is read again
MAX_CURSOR_ROWS = 2_000  # rows that are read by the cursor before windows are worth their while
MAX_THREADS = 8


@dataclass(slots=True)
class Change:
    """The newest that events say of an object: `copy` is the object itself, None if it must be read again."""

    at: int
    event: str
    copy: bytes | None
    gone: bool


class _EventObject(msgspec.Struct):
    id: Any = None
    object: Any = None
    test_clock: Any = None
    customer: Any = None
    charge: Any = None
    fee: Any = None


class _Data(msgspec.Struct):
    object: msgspec.Raw = msgspec.Raw(b"{}")


class _Event(msgspec.Struct):
    id: str = ""
    type: str = ""
    created: int = 0
    api_version: str | None = None
    data: _Data | None = None


class _Events(msgspec.Struct):
    data: list[_Event]


_events, _event_object = msgspec.json.Decoder(_Events), msgspec.json.Decoder(_EventObject)


def recent(connection: Connection, request: Request, since: int) -> Iterator[bytes]:
    """The pages of a list since a time; a row may come twice. The newest by the cursor, since what changed
    often did so at one go: windows of the quiet time before would cost requests for nothing. What is beyond
    them comes in windows. Raises `StripeError`."""
    from stripe_magics.client.pagination.paginator import pages

    low = ("created[gte]", str(since))
    oldest: int | None = None
    for answer in pages(
        connection, replace(request, params=(*request.params, low), limit=MAX_CURSOR_ROWS), ordered=True
    ):
        rows = control(answer.body).data
        oldest = rows[-1].created if answer.has_more and rows else None
        yield answer.body
    if oldest is not None:
        for answer in pages(
            connection, replace(request, params=(*request.params, low, ("created[lte]", str(oldest))))
        ):
            yield answer.body


def changes_since(connection: Connection, request: Request, since: int) -> dict[str, Change]:
    """What events say of the objects of a list, by id. Raises `StripeError`."""
    kind = request.returns
    types = WATCHED[kind]
    requested = list_request(connection, "events", **({"types": types} if "," in types else {"type": types}))
    version = next(
        (value for name, value in request.headers if name.lower() == "stripe-version"), connection.api_version
    )
    usable = not any(name.startswith("expand") for name, _ in request.params)
    found: dict[str, Change] = {}
    copies = 0
    for body in recent(connection, requested, since):
        for event in _events.decode(body).data:
            raw = event.data.object if event.data is not None else msgspec.Raw(b"{}")
            changed = _event_object.decode(raw)
            own = changed.object == kind
            key = changed.id if own else _parent(changed, kind)
            if (
                not isinstance(key, str)
                or not key
                or (own and changed.test_clock and kind in HIDES_TEST_CLOCKS)
            ):
                continue
            if key in found and found[key].at > event.created:
                continue
            gone = own and event.type.endswith(".deleted") and kind not in KEPT_AFTER_DELETION
            copy = (
                bytes(raw)
                if own and not gone and usable and event.api_version == version and copies < MAX_COPIES
                else None
            )
            copies += copy is not None
            _record(found, key, Change(event.created, event.id, copy, gone))
    return found


def _parent(changed: _EventObject, kind: str) -> Any:
    """The object that another one belongs to and is a part of: a customer's discount, a charge's dispute."""
    return {"customer": changed.customer, "charge": changed.charge, "application_fee": changed.fee}.get(kind)


def _record(found: dict[str, Change], key: str, change: Change) -> None:
    known = found.get(key)
    if known is None or change.at > known.at:
        found[key] = change
    elif change.at == known.at and change.event != known.event:
        known.gone |= change.gone
        if change.copy != known.copy:
            known.copy = None


def page_of(copies: Sequence[bytes]) -> bytes:
    """Objects as the page of a list."""
    return b'{"object":"list","data":[' + b",".join(copies) + b"]}"


# What must be read again ------------------------------------------------------------------------------------
@dataclass(slots=True)
class ReadSpan:
    """Seconds that hold objects which are asked for, and about how many requests their rows take."""

    low: int
    high: int
    requested: list[str]
    requests: int = 1


@dataclass(slots=True)
class ReadPlan:
    """How to read objects again: together in spans, or alone."""

    spans: list[ReadSpan] = field(default_factory=list)
    alone: list[str] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """About how many it takes."""
        return sum(each.requests for each in self.spans) + len(self.alone)


def plan_reads(mirrored: ListFolder, request: Request, requested: Sequence[str]) -> ReadPlan:
    """The fewest requests for these objects, by when the mirror's own rows were created. What the mirror
    doesn't have is read alone."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if len(requested) < 2 or not takes_created(request):
        return ReadPlan(alone=list(requested))
    known: dict[str, int] = {}
    every = []
    for table in mirrored.tables(("id", "created")):
        times = pc.divide(table.column("created").cast(pa.timestamp("us", "UTC")).cast(pa.int64()), 1_000_000)
        hit = pc.is_in(table.column("id"), value_set=pa.array(requested, table.column("id").type))
        known.update(
            zip(table.column("id").filter(hit).to_pylist(), times.filter(hit).to_pylist(), strict=True)
        )
        every.append(times.drop_null().to_numpy())
    created_at = {key: known[key] for key in requested if known.get(key) is not None}
    plan = grouped(created_at, np.sort(np.concatenate(every)) if every else np.array([], "int64"))
    plan.alone += [key for key in requested if key not in created_at]
    return plan


def grouped(created_at: dict[str, int], times: Any) -> ReadPlan:
    """From the oldest on: a span grows while a page holds it. `times` are those of the whole list, rising."""
    plan = ReadPlan()
    span: ReadSpan | None = None
    first = 0

    def close() -> None:
        if span is None:
            return
        if len(span.requested) > span.requests:
            plan.spans.append(span)
        else:
            plan.alone.extend(span.requested)

    for second, keys in groupby(
        sorted(created_at, key=lambda key: created_at[key]), lambda key: created_at[key]
    ):
        end = int(times.searchsorted(second, "right"))
        if span is None or end - first > PAGE:
            close()
            first = int(times.searchsorted(second, "left"))
            # more than a page may lie in one second
            span = ReadSpan(second, second, [], max(1, -(-(end - first) // PAGE)))
        span.high = second
        span.requested += keys
    close()
    return plan


T = TypeVar("T")
R = TypeVar("R")


def read_again(
    connection: Connection, request: Request, plan: ReadPlan, take: Callable[[bytes, list[str]], object]
) -> set[str]:
    """Read what was planned; `take` gets each body with the ids in it. Those that are gone are returned.
    Raises `StripeError`."""
    from stripe_magics.client.pagination.paginator import pages

    limiter_for(connection)  # one for all threads
    alone, gone = list(plan.alone), set[str]()

    def span(each: ReadSpan) -> list[bytes]:
        bounds = (("created[gte]", str(each.low)), ("created[lte]", str(each.high)))
        return [
            answer.body
            for answer in pages(connection, replace(request, params=(*request.params, *bounds)), ordered=True)
        ]

    def one(key: str) -> bytes | None:
        path = f"{request.path}/{quote(key, safe='')}"
        single = Request(
            module=request.module, method="GET", path=path, headers=request.headers, returns=request.returns
        )
        try:
            body = connection.send(single).body
        except NotFound:
            return None
        return None if b'"deleted"' in body and msgspec.json.decode(body).get("deleted") is True else body

    for each, bodies in _side_by_side(span, plan.spans):
        missing = set(each.requested)
        for page in bodies:
            found = ids(page)
            take(page, found)
            missing.difference_update(found)
        alone += sorted(missing)
    for key, body in _side_by_side(one, alone):
        if body is None:
            gone.add(key)
        else:
            take(body, [key])
    return gone


def _side_by_side(work: Callable[[T], R], items: Sequence[T]) -> Iterator[tuple[T, R]]:
    pool = ThreadPoolExecutor(MAX_THREADS)
    try:
        yield from zip(items, pool.map(carried(work), items), strict=True)
    finally:
        pool.shutdown(cancel_futures=True)  # after Stop, only what is under way is waited for
