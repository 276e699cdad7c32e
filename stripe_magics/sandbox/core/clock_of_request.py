"""Which test clock a request belongs to: that of the customer whom it is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from stripe_magics.sandbox.api.errors import invalid, missing
from stripe_magics.sandbox.core.store import Account, kind_of

MOST_CUSTOMERS = 3


def clock_of(account: Account, params: Mapping[str, Any], ids: Iterable[str]) -> str:
    """The id of the test clock; "" for the account's own clock."""
    if not account.test_clocks:
        return ""
    named = params.get("test_clock")
    if named in account.test_clocks:
        return str(named)
    for value in (*ids, *params.values()):
        found = _of_object(account, value) if isinstance(value, str) and "_" in value else ""
        if found:
            return found
    return ""


def _of_object(account: Account, identifier: str) -> str:
    kind = kind_of(identifier)
    found = account.peek(kind, identifier) if kind else None
    if found is None:
        return ""
    own = found.get("test_clock")
    if own:
        return str(own) if own in account.test_clocks else ""
    above = found.get("customer") or found.get("subscription")
    return _of_object(account, above) if isinstance(above, str) else ""


def check_clock(account: Account, identifier: str, *, customers: bool = False) -> None:
    """Refuse a clock that isn't there, and one that has its customers already."""
    if identifier not in account.test_clocks:
        raise missing("test clock", identifier, "test_clock", status=400)
    if customers and len(account.where("customer", test_clock=identifier)) >= MOST_CUSTOMERS:
        raise invalid(f"A test clock takes at most {MOST_CUSTOMERS} customers.", param="test_clock")
