"""The end of a test clock: its customers go, and all that was billed to them."""

from __future__ import annotations

from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources import customers

KIND = "test_helpers.test_clock"
BILLED = ("invoice", "invoiceitem", "quote", "subscription", "subscription_schedule")


def delete_clock(account: Account, clock: Object) -> Object:
    """Delete it, when it is asked for or after 30 days."""
    identifier = clock["id"]
    with account.on_clock(identifier):
        for each in account.where("customer", test_clock=identifier):
            customers.delete(account, {}, each)
    for kind in BILLED:
        for each in account.where(kind, test_clock=identifier):
            account.remove(kind, each)
    gone = account.remove(KIND, identifier)
    del account.test_clocks[identifier]
    events.emit(account, "test_helpers.test_clock.deleted", clock)
    return gone
