"""`payment_behavior=pending_if_incomplete`: a change of a subscription waits until it is paid."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.clock import HOUR
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.invoices import invoices
from stripe_magics.sandbox.resources.subscriptions import changes as item_changes
from stripe_magics.sandbox.resources.subscriptions import items, lifecycle

PENDING_FOR = 23 * HOUR
_PERIOD = ("billing_cycle_anchor", "current_period_start", "current_period_end", "status", "trial_end")


def hold_change(
    account: Account, subscription: Object, before: Object, held: list[Object],
    changes: item_changes.ItemChanges,
    params: dict[str, Any], invoice: Object,
) -> None:  # fmt: skip
    """The change waits until its invoice is paid: back to how it was, with a note of what is to come."""
    coming = [events.snapshot(item) for item in changes.after]
    for item in changes.added:
        account.remove("subscription_item", item["id"])
    for item in held:
        if item["id"] in account.table("subscription_item").by_id:
            account.save("subscription_item", item)
        else:
            account.add("subscription_item", item)
    notes = account.private_state[subscription["id"]]
    notes["pending_change"] = {"items": coming, "period": {name: subscription[name] for name in _PERIOD}}
    for name in (*_PERIOD, "trial_start"):
        subscription[name] = before[name]
    items.put(subscription, held)
    trial = params.get("trial_end")
    subscription["pending_update"] = {
        "billing_cycle_anchor": notes["pending_change"]["period"]["billing_cycle_anchor"],
        "expires_at": account.now + PENDING_FOR,
        "subscription_items": coming,
        "trial_end": trial if isinstance(trial, int) else None,
        "trial_from_plan": params.get("trial_from_plan"),
    }
    account.clock.at(account.now + PENDING_FOR, "subscription_update_expires", subscription["id"])
    account.save("subscription", subscription)


def apply_pending(account: Account, invoice: Object) -> None:
    """The invoice that a change waited for is paid."""
    subscription = account.get("subscription", invoice["subscription"]) if invoice["subscription"] else None
    notes = account.private_state.get(invoice["subscription"] or "", {})
    if subscription is None or notes.get("pending_invoice") != invoice["id"]:
        return
    coming = notes.pop("pending_change", None)
    del notes["pending_invoice"]
    if coming is None or subscription["status"] in lifecycle.ENDED:
        return
    before = events.snapshot(subscription)
    for item in subscription["items"]["data"]:
        if all(item["id"] != each["id"] for each in coming["items"]):
            account.remove("subscription_item", item["id"])
    for item in coming["items"]:
        if item["id"] in account.table("subscription_item").by_id:
            account.save("subscription_item", item)
        else:
            account.add("subscription_item", item)
    items.put(subscription, coming["items"])
    subscription.update(coming["period"], pending_update=None)
    account.save("subscription", subscription)
    lifecycle.schedule_jobs(account, subscription)
    events.emit(account, "customer.subscription.pending_update_applied", subscription)
    events.emit(account, "customer.subscription.updated", subscription, before)


def expire_pending(account: Account, subscription: Object) -> None:
    """A change was not paid for in time: it is dropped, and its invoice is void."""
    waiting = subscription["pending_update"]
    if not waiting or waiting["expires_at"] > account.now:
        return
    notes = account.private_state[subscription["id"]]
    invoice = notes.pop("pending_invoice", None)
    notes.pop("pending_change", None)
    subscription["pending_update"] = None
    account.save("subscription", subscription)
    events.emit(account, "customer.subscription.pending_update_expired", subscription)
    if invoice and (account.peek("invoice", invoice) or {}).get("status") == "open":
        invoices.void(account, {}, invoice)


REACTIONS = {"invoice.paid": apply_pending}
