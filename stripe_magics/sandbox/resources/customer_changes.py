"""What happens to a customer beside what is asked of it directly: its balance, currency, default source or
discount changes with an invoice, a credit note, a subscription. That is said as any update is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.store import Account, Object

SAID = ("balance", "currency", "default_source", "discount")
"""The count of its invoices moves silently."""


@contextmanager
def changing(account: Account, customer: Object) -> Iterator[None]:
    """What is changed meanwhile is saved, and said."""
    before = dict(customer)
    yield
    account.save("customer", customer)
    if any(before[name] != customer[name] for name in SAID):
        events.emit(account, "customer.updated", customer, before)
