"""Every path that the sandbox serves, from the tables of the subjects."""

from __future__ import annotations

from functools import cache

from stripe_magics.sandbox.api.dispatcher import route
from stripe_magics.sandbox.resources import (
    account,
    charges,
    customer_subresources,
    customers,
    discounts,
    disputes,
    payment_links,
    payouts,
    products,
    refunds,
    tax_and_shipping_rates,
    test_helpers,
    webhook_endpoints,
)
from stripe_magics.sandbox.resources.invoices import invoice_items, invoices
from stripe_magics.sandbox.resources.payment_intents import payment_intents
from stripe_magics.sandbox.resources.payment_methods import payment_methods
from stripe_magics.sandbox.resources.subscriptions import subscriptions

SUBJECTS = (
    customer_subresources, account, charges, customers, discounts, disputes, test_helpers, invoices, invoice_items, payment_links, payment_methods, payment_intents, payouts, products, tax_and_shipping_rates,
    refunds, subscriptions, webhook_endpoints,
)  # fmt: skip


@cache
def install() -> None:
    """Put them all into the router, once."""
    for subject in SUBJECTS:
        for name, handler in subject.ROUTES.items():
            route(name, handler, getattr(subject, "SHAPES", {}).get(name))
