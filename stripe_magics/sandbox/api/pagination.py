"""Lists: newest first, in pages, with both cursors, ranges of the creation time and filters.

A `Page` holds rows, not objects: what is not expanded leaves as it is stored.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from stripe_magics.sandbox.api.errors import invalid_before_execution, missing
from stripe_magics.sandbox.core.object_table import Row, Table
from stripe_magics.sandbox.core.store import Account, Object

Test = Callable[[Row], bool]
Range = int | dict[str, int] | None

DEFAULT, MAX_PAGE = 10, 100
OBJECTS = frozenset({"charge", "customer", "invoice", "payment_intent", "product", "subscription"})
"""Filters that name an object, which must be there."""


@dataclass(slots=True)
class Page:
    """One page of a list or a search: `rows` are Rows, or plain objects where they are no stored objects of
    their own."""

    rows: list[Row] | list[Object]
    url: str
    has_more: bool
    next_page: str | None = None
    search: bool = False
    total: int | None = None


def limit_of(params: dict[str, Any]) -> int:
    """The size of the page: 10 unless given, 1 to 100."""
    limit = params.get("limit")
    if limit is None:
        return DEFAULT
    if not 1 <= limit <= MAX_PAGE:
        bound = "greater than or equal to 1" if limit < 1 else f"less than or equal to {MAX_PAGE}"
        raise invalid_before_execution(
            f"This value must be {bound} (it currently is '{limit}').",
            param="limit",
            code="parameter_invalid_integer",
        )
    return int(limit)


def bounds(given: Range) -> tuple[int | None, int | None]:
    """A range filter as half-open [low, high)."""
    if given is None:
        return None, None
    if isinstance(given, int):
        return given, given + 1
    low = max(
        (value + (name == "gt") for name, value in given.items() if name in {"gt", "gte"}), default=None
    )
    high = min(
        (value + (name == "lte") for name, value in given.items() if name in {"lt", "lte"}), default=None
    )
    return low, high


def within(place: int, given: Range) -> Test:
    """A test that a filter value lies in a range; objects without the value are left out."""
    low, high = bounds(given)

    def test(row: Row) -> bool:
        value = row.keys[place]
        return value is not None and (low is None or value >= low) and (high is None or value < high)

    return test


def equal(place: int, requested: object) -> Test:
    """A test that a filter value is this one."""
    return lambda row: row.keys[place] == requested


def page(
    account: Account, kind: str, params: dict[str, Any], url: str, *, filters: Iterable[str] = (),
    ranges: Iterable[str] = (), tests: Iterable[Test] = (),
    rows: list[Row] | None = None,
) -> Page:  # fmt: skip
    """A page of the objects of a type: `filters` name parameters that are filter values of the type, `ranges`
    those that are ranges of them."""
    table = account.table(kind)
    given = [(table.keys.index(name), params[name]) for name in filters if params.get(name) is not None]
    for name in OBJECTS.intersection(filters):
        named = params.get(name)
        if named is not None and named not in account.table(name).by_id and named not in account.deleted:
            raise missing(name.replace("_", " "), named, name, status=400)
    every = table.ordered() if rows is None else rows
    tests = [*tests, *_of_clock(account, table, params)]
    if given and rows is None:
        every = min((table.having(place, value) for place, value in given), key=len)
        given = given if len(given) > 1 else []
    checks = [*tests, *(equal(place, value) for place, value in given)]
    checks += [
        within(table.keys.index(name), params[name]) for name in ranges if params.get(name) is not None
    ]
    low, high = bounds(params.get("created"))
    first = 0 if low is None else bisect_left(every, low, key=_created)
    last = len(every) if high is None else bisect_left(every, high, key=_created)
    limit = limit_of(params)
    after, before = params.get("starting_after"), params.get("ending_before")
    if after and before:
        raise invalid_before_execution(
            "You can pass starting_after or ending_before, not both.", param="starting_after"
        )
    if after or before:
        name = "starting_after" if after else "ending_before"
        cursor = table.by_id.get(str(after or before))
        if cursor is None:
            raise missing(kind.replace("_", " "), str(after or before), name, status=400)
        at = bisect_left(every, cursor.order(), key=Row.order)
        if after:
            last = min(last, at)
        else:
            first = max(first, at + 1 if at < len(every) and every[at] is cursor else at)
    steps = range(first, last) if before else range(last - 1, first - 1, -1)
    found: list[Row] = []
    for place in steps:
        row = every[place]
        if not checks or all(check(row) for check in checks):
            if len(found) == limit:
                return Page(found[::-1] if before else found, url, has_more=True)
            found.append(row)
    return Page(found[::-1] if before else found, url, has_more=False)


def _of_clock(account: Account, table: Table, params: dict[str, Any]) -> list[Test]:
    """What belongs to a test clock is listed when the clock, or the customer or subscription, is named; else
    it is left out."""
    if "test_clock" not in table.keys:
        return []
    place, named = table.keys.index("test_clock"), params.get("test_clock")
    if named is not None:
        if named not in account.test_clocks:
            raise missing("test clock", named, "test_clock", status=400)
        return [equal(place, named)]
    if not account.test_clocks or params.get("customer") or params.get("subscription"):
        return []
    return [equal(place, None)]


def _created(row: Row) -> int:
    return row.created


def of_objects(objects: list[Object], params: dict[str, Any], url: str) -> Page:
    """A page of objects that stand in an order of their own (the lines of an invoice), first to last."""
    limit = limit_of(params)
    after, before = params.get("starting_after"), params.get("ending_before")
    if after and before:
        raise invalid_before_execution(
            "You can pass starting_after or ending_before, not both.", param="starting_after"
        )
    start, end = 0, len(objects)
    if after or before:
        at = next((place for place, each in enumerate(objects) if each["id"] == (after or before)), None)
        if at is None:
            raise missing(
                "line item", str(after or before), "starting_after" if after else "ending_before", status=400
            )
        if before:
            end = at
            start = max(0, end - limit)
            return Page(objects[start:end], url, has_more=start > 0)
        start = at + 1
    return Page(objects[start : start + limit], url, has_more=start + limit < end)


def inline(objects: list[Object], url: str, *, most: int | None = None) -> Object:
    """A list object inside another object."""
    shown = objects if most is None else objects[:most]
    return {
        "object": "list",
        "data": shown,
        "has_more": len(shown) < len(objects),
        "total_count": len(objects),
        "url": url,
    }
