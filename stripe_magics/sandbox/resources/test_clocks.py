"""Stripe's own test clocks: customers, and all that is billed to them, whose time goes forward by an advance.

They stand beside the sandbox's clock and move the same engine. Money moves by the sandbox's clock: the ledger
and the events have no future. An advance answers `advancing`; it is done, and the clock `ready`, when it is
next read.
"""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid
from stripe_magics.sandbox.api.pagination import Page, page
from stripe_magics.sandbox.core import events, scheduler
from stripe_magics.sandbox.core.clock import DAY
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.test_clock_deletion import KIND, delete_clock

LASTS = 30 * DAY
FARTHEST = 2 * 366 * DAY
INTERVALS = {"day": DAY, "week": 7 * DAY, "month": 31 * DAY, "year": 366 * DAY}


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/test_helpers/test_clocks."""
    frozen = params["frozen_time"]
    if abs(frozen - account.now) > 5 * FARTHEST:
        raise invalid("frozen_time must lie within ten years of today.", param="frozen_time")
    clock: Object = {
        "id": account.new_id("clock"), "object": KIND, "created": account.now,
        "deletes_after": account.now + LASTS, "frozen_time": frozen,
        "livemode": False, "name": params.get("name"), "status": "ready", "status_details": {},
    }  # fmt: skip
    account.add_test_clock(clock["id"], frozen)
    account.add(KIND, clock)
    account.own_clock.at(clock["deletes_after"], "test_clock_expires", clock["id"])
    events.emit(account, "test_helpers.test_clock.created", clock)
    return clock


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/test_helpers/test_clocks/{test_clock}."""
    return account.find(KIND, identifier, "test_clock", what="test clock", status=404)


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/test_helpers/test_clocks."""
    return page(account, KIND, params, "/v1/test_helpers/test_clocks")


def advance(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/test_helpers/test_clocks/{test_clock}/advance."""
    clock, until = retrieve(account, {}, identifier), params["frozen_time"]
    if until <= clock["frozen_time"]:
        raise invalid(
            f"The test clock stands at {clock['frozen_time']}: frozen_time must be later.",
            param="frozen_time",
            code="test_clock_in_the_past",
        )
    farthest = clock["frozen_time"] + _farthest(account, identifier)
    if until > farthest:
        raise invalid(
            "A test clock can be advanced by at most two intervals of its shortest subscription (two years"
            f" without one): frozen_time must be no later than {farthest}.",
            param="frozen_time",
        )
    answer = {**clock, "status": "advancing", "status_details": {"advancing": {"target_frozen_time": until}}}
    events.emit(account, "test_helpers.test_clock.advancing", answer)
    with account.on_clock(identifier):
        scheduler.run(account, account.clock, until)
    clock = retrieve(account, {}, identifier)
    clock["frozen_time"] = until
    account.save(KIND, clock)
    events.emit(account, "test_helpers.test_clock.ready", clock)
    return answer


def _farthest(account: Account, clock: str) -> int:
    lengths = [
        2 * item["plan"]["interval_count"] * INTERVALS[item["plan"]["interval"]]
        for each in account.where("subscription", test_clock=clock)
        for item in (account.peek("subscription", each) or {"items": {"data": []}})["items"]["data"]
        if item.get("plan")
    ]
    return min(lengths, default=FARTHEST)


def delete(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """DELETE /v1/test_helpers/test_clocks/{test_clock}: with its customers, and all that was billed to
    them."""
    return delete_clock(account, retrieve(account, {}, identifier))


ROUTES: dict[str, Handler] = {
    "POST /v1/test_helpers/test_clocks": create,
    "GET /v1/test_helpers/test_clocks": listing,
    "GET /v1/test_helpers/test_clocks/{test_clock}": retrieve,
    "DELETE /v1/test_helpers/test_clocks/{test_clock}": delete,
    "POST /v1/test_helpers/test_clocks/{test_clock}/advance": advance,
}
