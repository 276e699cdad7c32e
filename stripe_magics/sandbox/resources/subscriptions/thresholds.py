"""Billing thresholds: an invoice in the middle of a period, once what was used comes to an amount, or an
item's usage to a quantity.

Usage is looked at a minute after it was reported, but not within a day before the period ends. What such an
invoice bills, the next one doesn't: tiers and packages go on. With `reset_billing_cycle_anchor` a new period
begins, too, and what was paid ahead is prorated.
"""

from __future__ import annotations

from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.clock import DAY
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources import discounts
from stripe_magics.sandbox.resources.invoices.totals import compute_totals
from stripe_magics.sandbox.resources.price_objects import tiers_of
from stripe_magics.sandbox.resources.pricing import beyond
from stripe_magics.sandbox.resources.subscriptions import lifecycle
from stripe_magics.sandbox.resources.subscriptions import period_invoices as billing
from stripe_magics.sandbox.resources.subscriptions.billing_periods import next_boundary
from stripe_magics.sandbox.resources.subscriptions.items import interval, metered
from stripe_magics.sandbox.resources.subscriptions.prorations import credit_unused
from stripe_magics.sandbox.resources.subscriptions.usage import Billed, unbilled

BILLS = frozenset({"active", "past_due"})


def bill_when_reached(account: Account, subscription: Object) -> None:
    """Invoice what was used so far, if it reaches a threshold."""
    if subscription["status"] not in BILLS or subscription["current_period_end"] - account.now <= DAY:
        return
    usage = {
        item["id"]: unbilled(account, subscription, item)
        for item in subscription["items"]["data"]
        if metered(item["price"])
    }
    limit = (subscription["billing_thresholds"] or {}).get("amount_gte")
    reached_amount = limit is not None and _accrued(account, subscription, usage) >= limit
    reached = {
        item["id"]: item["billing_thresholds"]["usage_gte"]
        for item in subscription["items"]["data"]
        if item["billing_thresholds"] and _new(usage[item["id"]]) >= item["billing_thresholds"]["usage_gte"]
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
    billing.note_usage_billed(account, subscription, former, account.now)
    if resets:
        period = subscription["current_period_start"], subscription["current_period_end"]
        lines = [*billing.licensed_lines(account, subscription, invoice["id"], *period), *lines]
        account.private_state.setdefault(subscription["id"], {})["period_invoice"] = invoice["id"]
    billing.complete(account, subscription, invoice, lines)
    billing.pause_effect(account, subscription, invoice)
    billing.finalize_later(account, invoice)
    events.emit(account, "customer.subscription.updated", subscription, before)


def _new(usage: tuple[int, Billed]) -> int:
    """What was used and not billed."""
    quantity, known = usage
    return quantity - (known.quantity or 0)


def _accrued(account: Account, subscription: Object, usage: dict[str, tuple[int, Billed]]) -> int:
    """What would be billed now but for what is paid ahead: usage and pending items, less discounts, without
    taxes."""
    lines = [
        {"id": item["id"], "amount": amount, "discountable": True, "price": item["price"], "quantity": 1}
        for item in subscription["items"]["data"]
        if item["id"] in usage
        for amount in [_amount(account, item["price"], usage[item["id"]])]
    ]
    lines += [events.snapshot(each) for each in billing.pending_of(account, subscription)]
    own = {
        item["id"]: discounts.standing(account, item["discounts"]) for item in subscription["items"]["data"]
    }
    sums = compute_totals(
        lines, own, billing.standing_discounts(account, subscription)[0], lambda *_: [],
        eligible=discounts.Eligibility(account), currency=subscription["currency"],
    )  # fmt: skip
    return int(sums["total"])


def _amount(account: Account, price: Object, usage: tuple[int, Billed]) -> int:
    quantity, known = usage
    return sum(part.amount for part in beyond(price, tiers_of(account, price), quantity, known.quantity))


def _restart(account: Account, subscription: Object) -> None:
    for item in subscription["items"]["data"]:
        credit_unused(account, subscription, item, account.now)
    end = next_boundary(account.now, account.now, *interval(subscription))
    subscription.update(
        billing_cycle_anchor=account.now, current_period_start=account.now, current_period_end=end
    )
    account.save("subscription", subscription)
    lifecycle.schedule_period_end(account, subscription["id"], end)
