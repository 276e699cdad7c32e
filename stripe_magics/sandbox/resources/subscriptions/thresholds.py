"""Billing thresholds: an invoice in the middle of a period, once what was used comes to an amount, or an
item's usage to a quantity.

Usage is looked at a minute after it was reported. What such an invoice bills, the next one doesn't; with
`reset_billing_cycle_anchor` a new period begins, too, and what was paid ahead is prorated.
"""

from __future__ import annotations

from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.price_objects import amount_of
from stripe_magics.sandbox.resources.subscriptions import period_invoices as billing
from stripe_magics.sandbox.resources.subscriptions.billing_periods import next_boundary
from stripe_magics.sandbox.resources.subscriptions.items import interval, metered
from stripe_magics.sandbox.resources.subscriptions.prorations import credit_unused
from stripe_magics.sandbox.resources.subscriptions.usage import billed_since, used

BILLS = frozenset({"active", "past_due"})


def bill_when_reached(account: Account, subscription: Object) -> None:
    """Invoice what was used so far, if it reaches a threshold."""
    if subscription["status"] not in BILLS:
        return
    usage = {
        item["id"]: used(account, subscription, item, billed_since(account, subscription, item), account.now)
        for item in subscription["items"]["data"]
        if metered(item["price"])
    }
    limit = (subscription["billing_thresholds"] or {}).get("amount_gte")
    reached_amount = limit is not None and _accrued(account, subscription, usage) >= limit
    reached = {
        item["id"]: item["billing_thresholds"]["usage_gte"]
        for item in subscription["items"]["data"]
        if item["billing_thresholds"] and usage[item["id"]] >= item["billing_thresholds"]["usage_gte"]
    }
    if not reached_amount and not reached:
        return
    before = events.snapshot(subscription)
    former = subscription["current_period_start"]
    resets = bool((subscription["billing_thresholds"] or {}).get("reset_billing_cycle_anchor"))
    if resets:
        _restart(account, subscription)
    invoice = billing.draft(account, subscription, "subscription_threshold", (former, account.now))
    lines = billing.metered_lines(account, subscription, invoice["id"], former, account.now)
    invoice["threshold_reason"] = {
        "amount_gte": limit if reached_amount else None,
        "item_reasons": [
            {
                "line_item_ids": [line["id"] for line in lines if line["subscription_item"] == item],
                "usage_gte": quantity,
            }
            for item, quantity in reached.items()
        ],
    }
    billing.note_usage_billed(account, subscription, account.now)
    if resets:
        period = subscription["current_period_start"], subscription["current_period_end"]
        lines = [*billing.licensed_lines(account, subscription, invoice["id"], *period), *lines]
        account.notes.setdefault(subscription["id"], {})["period_invoice"] = invoice["id"]
    billing.complete(account, subscription, invoice, lines)
    billing.pause_effect(account, subscription, invoice)
    billing.finalize_later(account, invoice)
    events.emit(account, "customer.subscription.updated", subscription, before)


def _accrued(account: Account, subscription: Object, usage: dict[str, int]) -> int:
    prices = {item["id"]: item["price"] for item in subscription["items"]["data"]}
    pending: int = sum(item["amount"] for item in billing.pending_of(account, subscription))
    return pending + sum(amount_of(account, prices[item], quantity) for item, quantity in usage.items())


def _restart(account: Account, subscription: Object) -> None:
    for item in subscription["items"]["data"]:
        credit_unused(account, subscription, item, account.now)
    end = next_boundary(account.now, account.now, *interval(subscription))
    subscription.update(
        billing_cycle_anchor=account.now, current_period_start=account.now, current_period_end=end
    )
    account.save("subscription", subscription)
    account.clock.at(end, "subscription_renews", subscription["id"])
