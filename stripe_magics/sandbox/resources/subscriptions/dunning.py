"""Dunning: what the invoices of a subscription do to its status.

A renewal that fails makes it past_due; it is tried again over two weeks (invoices/collection.py has the
days). When the last attempt fails, the account's settings say what follows: it is canceled (the default),
unpaid (invoices go on as drafts) or stays past_due. Paying, voiding or writing off the latest invoice brings
it back.
"""

from __future__ import annotations

from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.invoices import invoices
from stripe_magics.sandbox.resources.invoices.collection import RETRIES
from stripe_magics.sandbox.resources.subscriptions.lifecycle import ENDED, end, set_status

ENDS = ("cancel", "unpaid", "past_due")
SETTINGS = "subscription_settings"
"""Key of the account's notes under which its settings are kept."""


def settings(account: Account) -> Object:
    """What happens when all attempts have failed."""
    found: Object = account.private_state.get(SETTINGS) or {"after_last_attempt": "cancel"}
    return found


def _of(account: Account, invoice: Object) -> Object | None:
    if not invoice["subscription"]:
        return None
    subscription = account.get("subscription", invoice["subscription"])
    return subscription if subscription and subscription["status"] not in ENDED else None


def payment_failed(account: Account, invoice: Object) -> None:
    """An attempt to collect failed."""
    subscription = _of(account, invoice)
    if subscription is None or subscription["status"] in {"incomplete", "paused"}:
        return
    notes = account.private_state.get(subscription["id"], {})
    if notes.get("pending_invoice") == invoice["id"] or invoice["billing_reason"] == "manual":
        return
    if subscription["status"] in {"active", "trialing"}:
        set_status(account, subscription, "past_due")
    exhausted = invoice["next_payment_attempt"] is None and invoice["attempt_count"] > len(RETRIES)
    if exhausted and subscription["status"] == "past_due":
        after = settings(account)["after_last_attempt"]
        if after == "cancel":
            end(account, subscription, reason="payment_failed")
        elif after == "unpaid":
            set_status(account, subscription, "unpaid")


def overdue(account: Account, invoice: Object) -> None:
    """A sent invoice was not paid in time."""
    subscription = _of(account, invoice)
    if (
        subscription is not None
        and subscription["status"] == "active"
        and invoice["billing_reason"] != "manual"
    ):
        set_status(account, subscription, "past_due")


def paid(account: Account, invoice: Object) -> None:
    """An invoice was paid: good standing, and the method is remembered where that was asked for."""
    subscription = _of(account, invoice)
    if subscription is None:
        return
    _remember_method(account, subscription, invoice)
    if subscription["status"] == "incomplete" or (
        subscription["status"] in {"past_due", "unpaid"} and _latest(account, subscription, invoice)
    ):
        set_status(account, subscription, "active")


def _latest(account: Account, subscription: Object, invoice: Object) -> bool:
    if invoice["id"] == subscription["latest_invoice"]:
        return True
    latest = account.peek("invoice", subscription["latest_invoice"] or "")
    return latest is None or latest["status"] in {"paid", "void", "draft"}


def _remember_method(account: Account, subscription: Object, invoice: Object) -> None:
    if subscription["payment_settings"]["save_default_payment_method"] != "on_subscription":
        return
    intent = account.peek("payment_intent", invoice["payment_intent"] or "")
    if (
        intent
        and intent["payment_method"]
        and intent["payment_method"] != subscription["default_payment_method"]
    ):
        before = events.snapshot(subscription)
        subscription["default_payment_method"] = intent["payment_method"]
        account.save("subscription", subscription)
        events.emit(account, "customer.subscription.updated", subscription, before)


def forgiven(account: Account, invoice: Object) -> None:
    """An invoice was voided or written off."""
    subscription = _of(account, invoice)
    if subscription is None or not _latest(account, subscription, invoice):
        return
    if subscription["status"] == "incomplete" and invoice["status"] == "void":
        before = events.snapshot(subscription)
        subscription.update(status="incomplete_expired", ended_at=account.now)
        account.save("subscription", subscription)
        events.emit(account, "customer.subscription.updated", subscription, before)
    elif subscription["status"] in {"past_due", "unpaid"} and invoice["billing_reason"] != "manual":
        set_status(account, subscription, "active")


def paused(account: Account, invoice: Object) -> None:
    """A paused collection voids or writes off what it finalizes."""
    behavior = account.private_state.get(invoice["id"], {}).get("pause")
    if behavior == "void" and invoice["status"] == "open":
        invoices.void(account, {}, invoice["id"])
    elif behavior == "mark_uncollectible" and invoice["status"] == "open":
        invoices.mark_uncollectible(account, {}, invoice["id"])


REACTIONS = {
    "invoice.payment_failed": payment_failed,
    "invoice.payment_action_required": payment_failed,
    "invoice.overdue": overdue,
    "invoice.finalized": paused,
    "invoice.paid": paid,
    "invoice.voided": forgiven,
    "invoice.marked_uncollectible": forgiven,
}
