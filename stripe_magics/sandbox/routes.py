"""Every path that the sandbox serves, from the tables of the subjects."""

from __future__ import annotations

from functools import cache

from stripe_magics.sandbox import (
    belongings,
    business,
    charges,
    customers,
    discounts,
    disputes,
    helpers,
    invoices,
    items,
    links,
    methods,
    payments,
    payouts,
    products,
    rates,
    refunds,
    subscriptions,
    webhooks,
)
from stripe_magics.sandbox.protocol import route

SUBJECTS = (
    belongings, business, charges, customers, discounts, disputes, helpers, invoices, items, links, methods, payments, payouts, products, rates,
    refunds, subscriptions, webhooks,
)  # fmt: skip


@cache
def install() -> None:
    """Put them all into the router, once."""
    for subject in SUBJECTS:
        for name, handler in subject.ROUTES.items():
            route(name, handler, getattr(subject, "SHAPES", {}).get(name))
