"""Every path that the sandbox serves, and what follows from its events, from the tables of the subjects."""

from __future__ import annotations

from functools import cache

from stripe_magics.sandbox.api.dispatcher import route
from stripe_magics.sandbox.api.expand import INCLUDED
from stripe_magics.sandbox.core.events import react
from stripe_magics.sandbox.resources import (
    account,
    billing_alerts,
    billing_portal,
    charges,
    checkout_completion,
    checkout_invoices,
    checkout_recovery,
    checkout_sessions,
    confirmation_tokens,
    coupons,
    customer_sources,
    customer_subresources,
    customers,
    disputes,
    entitlements,
    external_accounts,
    files,
    meters,
    payment_link_visits,
    payment_links,
    payment_method_configurations,
    payouts,
    plans,
    prices,
    products,
    promotion_codes,
    quotes,
    radar,
    refunds,
    report_runs,
    setup_intents,
    sources,
    tax_and_shipping_rates,
    tax_calculations,
    tax_codes,
    tax_ids,
    tax_settings,
    tax_transactions,
    test_clocks,
    test_helpers,
    tokens,
    webhook_endpoints,
)
from stripe_magics.sandbox.resources.billing_credits import credit_application, credit_balance, credit_grants
from stripe_magics.sandbox.resources.cash_balances import cash_balance, funding_addresses, reconciliation
from stripe_magics.sandbox.resources.connect import accounts, application_fees, onboarding, topups, transfers
from stripe_magics.sandbox.resources.invoices import (
    collection,
    credit_notes,
    invoice_items,
    invoice_lines,
    invoice_payments,
    invoices,
    previews,
)
from stripe_magics.sandbox.resources.payment_intents import payment_intents
from stripe_magics.sandbox.resources.payment_methods import payment_methods
from stripe_magics.sandbox.resources.subscriptions import (
    dunning,
    pending_updates,
    schedule_course,
    schedules,
    subscription_items,
    subscriptions,
)

SUBJECTS = (
    cash_balance, funding_addresses, reconciliation, customer_subresources, payment_method_configurations,
    customer_sources, confirmation_tokens, radar, sources, tokens, account, accounts, application_fees,
    external_accounts, onboarding, topups, transfers, charges, checkout_sessions,
    checkout_completion, checkout_recovery, coupons, credit_notes, customers, disputes, files, invoice_items,
    invoice_lines, invoice_payments, invoices, meters,
    payment_link_visits, payment_intents, payment_links, payment_methods, payouts, plans, previews, prices,
    products, promotion_codes, quotes, refunds, report_runs, schedules, setup_intents, subscription_items,
    subscriptions, tax_and_shipping_rates, tax_calculations, test_clocks, test_helpers, webhook_endpoints,
    tax_transactions, credit_balance, credit_grants, billing_alerts, entitlements, tax_ids,
    billing_portal, tax_settings, tax_codes,
)  # fmt: skip
REACTING = (
    checkout_invoices,
    collection,
    credit_application,
    entitlements,
    reconciliation,
    payment_link_visits,
    radar,
    subscriptions,
    pending_updates,
    dunning,
    schedule_course,
)


@cache
def install() -> None:
    """Put them all into the router, once."""
    for subject in SUBJECTS:
        for name, handler in subject.ROUTES.items():
            route(name, handler, getattr(subject, "SHAPES", {}).get(name))
        INCLUDED.update(getattr(subject, "INCLUDED", {}))
    for subject in REACTING:
        for kind, reaction in subject.REACTIONS.items():
            react(kind, reaction)
