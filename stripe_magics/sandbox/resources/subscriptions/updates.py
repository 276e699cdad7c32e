"""Changing a subscription: its items with prorations, its cycle, its trial, and what create takes too.

A change that starts a new period (another interval, `billing_cycle_anchor=now`, the end of a trial) is billed
at once. Any other is prorated to the second:
pending items by default, billed at once with `always_invoice`, not at all with `none`.
"""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.errors import invalid
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.clock import DAY
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources import discounts
from stripe_magics.sandbox.resources.invoices import collection
from stripe_magics.sandbox.resources.subscriptions import changes as item_changes
from stripe_magics.sandbox.resources.subscriptions import items, lifecycle
from stripe_magics.sandbox.resources.subscriptions import period_invoices as billing
from stripe_magics.sandbox.resources.subscriptions.billing_periods import next_boundary
from stripe_magics.sandbox.resources.subscriptions.creation import add_item, given_items, refused_payment
from stripe_magics.sandbox.resources.subscriptions.pending_updates import hold_change
from stripe_magics.sandbox.resources.subscriptions.prorations import (
    charge_remaining,
    credit_after_end,
    credit_unused,
)
from stripe_magics.sandbox.resources.subscriptions.settings import apply_settings, check_settings
from stripe_magics.sandbox.resources.subscriptions.usage import note_new_price, unbilled, watch_thresholds

OPEN_TO_ENDED = frozenset({"metadata", "cancellation_details", "expand"})
OPEN_TO_INCOMPLETE = OPEN_TO_ENDED | {
    "default_payment_method",
    "default_source",
    "description",
    "payment_settings",
}
PENDING_TAKES = frozenset(
    {"items", "payment_behavior", "proration_behavior", "proration_date", "billing_cycle_anchor", "trial_end",
        "trial_from_plan",
     "add_invoice_items", "discounts", "expand", "off_session"}
)  # fmt: skip


def update(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/subscriptions/{subscription}."""
    behavior = params.get("payment_behavior")
    if behavior == "error_if_incomplete":
        with account.trial(keep=True):
            subscription, unpaid = _update(account, params, identifier)
            if unpaid is not None:
                raise refused_payment(account, subscription)
            return subscription
    return _update(account, params, identifier)[0]


def _update(account: Account, params: dict[str, Any], identifier: str) -> tuple[Object, Object | None]:
    """(the subscription, its invoice that could not be paid)."""
    subscription = account.find("subscription", identifier, "id", status=404)
    params = _trial_from_price(account, subscription, params)
    _check(account, subscription, params)
    before = events.snapshot(subscription)
    given = _items_given(subscription, params)
    changes = item_changes.work_out(account, subscription, given)
    pending = params.get("payment_behavior") == "pending_if_incomplete"
    held = [events.snapshot(each) for each in subscription["items"]["data"]] if pending else []
    due = _change_cycle(account, subscription, params, changes)
    for place, each in enumerate(params.get("add_invoice_items") or ()):
        add_item(account, subscription, each, f"add_invoice_items[{place}]")
    apply_settings(account, subscription, params)
    due = _end_in_period(account, subscription, params, changes, due)
    _change_discounts(account, subscription, params)
    account.save("subscription", subscription)
    unpaid = None
    if due is not None:
        unpaid = _bill(account, subscription, params, due)
        if unpaid is not None and pending:
            hold_change(account, subscription, before, held, changes, params, unpaid)
    lifecycle.schedule_jobs(account, subscription)
    watch_thresholds(account, subscription)
    account.save("subscription", subscription)
    events.emit(account, "customer.subscription.updated", subscription, before)
    return subscription, unpaid


def _items_given(subscription: Object, params: dict[str, Any]) -> list[dict[str, Any]]:
    present = subscription["items"]["data"]
    given = given_items(params)
    if params.get("plan") or (params.get("quantity") is not None and not given):
        if len(present) > 1:
            raise invalid(
                "The subscription has several items: name them in `items`.",
                param="plan" if params.get("plan") else "quantity",
            )
        data = given[0] if given else {"quantity": params["quantity"]}
        return [{"id": present[0]["id"], **data}]
    return given


def _trial_from_price(account: Account, subscription: Object, params: dict[str, Any]) -> dict[str, Any]:
    """`trial_from_plan`: the trial that a new price comes with."""
    if not params.get("trial_from_plan") or params.get("trial_end") is not None:
        return params
    named = [each.get("price") or each.get("plan") for each in _items_given(subscription, params)]
    days = [
        ((account.peek("price", name) or {}).get("recurring") or {}).get("trial_period_days") or 0
        for name in named
        if name
    ]
    return {**params, "trial_end": account.now + max(days) * DAY} if any(days) else params


def _check(account: Account, subscription: Object, params: dict[str, Any]) -> None:
    status = subscription["status"]
    if status in lifecycle.ENDED and set(params) - OPEN_TO_ENDED:
        raise invalid(
            "A canceled subscription can only update its cancellation_details and metadata.",
            param=min(set(params) - OPEN_TO_ENDED),
        )
    if status == "incomplete" and set(params) - OPEN_TO_INCOMPLETE:
        raise invalid(
            "An incomplete subscription can only change its payment method, description and metadata until"
            " its first invoice is paid.",
            param=min(set(params) - OPEN_TO_INCOMPLETE),
        )
    collection_method = params.get("collection_method") or subscription["collection_method"]
    days = params["days_until_due"] if "days_until_due" in params else subscription["days_until_due"]
    check_settings(account, params, subscription["customer"], collection_method, days, subscription)
    if params.get("payment_behavior") == "pending_if_incomplete" and set(params) - PENDING_TAKES:
        name = min(set(params) - PENDING_TAKES)
        raise invalid(f"`payment_behavior=pending_if_incomplete` can't be combined with {name}.", param=name)
    at = params.get("proration_date")
    if (
        at is not None
        and not subscription["current_period_start"] <= at <= subscription["current_period_end"]
    ):
        raise invalid(
            "Cannot specify a proration date outside of the current period.", param="proration_date"
        )
    anchor = params.get("billing_cycle_anchor")
    if isinstance(anchor, int):
        raise invalid(
            "billing_cycle_anchor is `now` or `unchanged` on updates.", param="billing_cycle_anchor"
        )
    for name in ("coupon", "promotion_code"):
        if params.get(name):
            discounts.redeemable(account, {name: params[name]}, param=name, customer=subscription["customer"])
    discounts.check(account, params.get("discounts"), "discounts", subscription["customer"])


def _change_cycle(
    account: Account, subscription: Object, params: dict[str, Any], changes: item_changes.ItemChanges
) -> str | None:
    """Carry the changes of items and period out. Answers what to bill at once: "period", "pending", "" for
    nothing but an offer, or None."""
    behavior = params.get("proration_behavior") or "create_prorations"
    at = params.get("proration_date") or account.now
    trialing = subscription["status"] == "trialing"
    free = trialing or subscription["status"] == "paused" or behavior == "none"
    former = items.interval(subscription)
    trial = params.get("trial_end")
    another = items.interval({"items": {"data": changes.after}}) != former
    ends_trial = trial == "now" and trialing
    begins_trial = isinstance(trial, int)
    resets = params.get("billing_cycle_anchor") == "now" or ends_trial or (another and not trialing)
    unchanged = [
        item for item in subscription["items"]["data"] if all(item is not old for old, _ in changes.changed)
    ]
    if not free:
        returned = [old for old, _ in changes.changed if old is not None]
        for item in returned + (unchanged if resets or begins_trial else []):
            credit_unused(account, subscription, item, account.now if resets or begins_trial else at)
    start, end = subscription["current_period_start"], subscription["current_period_end"]
    _bill_used(account, subscription, changes, resets=resets or (begins_trial and not trialing))
    item_changes.store(account, subscription, changes)
    if begins_trial:
        subscription.update(
            status="trialing", trial_start=subscription["trial_start"] or account.now, trial_end=trial,
            billing_cycle_anchor=trial, current_period_start=account.now, current_period_end=trial,
        )  # fmt: skip
        if trialing:
            subscription["current_period_start"] = start
        return "pending" if behavior == "always_invoice" else None
    if resets:
        return _restart(account, subscription, changes, free=free, ends_trial=ends_trial)
    if not free:
        for _, item in changes.changed:
            if item is not None:
                charge_remaining(account, subscription, item, at, start=start, end=end)
    if behavior == "always_invoice" and (changes.changed or params.get("add_invoice_items")):
        return "pending"
    return None


def _end_in_period(
    account: Account,
    subscription: Object,
    params: dict[str, Any],
    changes: item_changes.ItemChanges,
    due: str | None,
) -> str | None:
    """An end before the period's gives back what is after it. Answers what to bill at once."""
    behavior = params.get("proration_behavior") or "create_prorations"
    if behavior == "none" or subscription["status"] in {"trialing", "paused"} or due == "period":
        return due
    if not (
        {"cancel_at", "cancel_at_period_end"} & set(params) or (changes.changed and subscription["cancel_at"])
    ):
        return due
    credited = credit_after_end(account, subscription)
    return "pending" if credited and behavior == "always_invoice" else due


def _restart(
    account: Account, subscription: Object, changes: item_changes.ItemChanges, *, free: bool, ends_trial: bool
) -> str:
    """A new period begins now."""
    every = items.interval(subscription)
    now = account.now
    subscription.update(
        billing_cycle_anchor=now, current_period_start=now, current_period_end=next_boundary(now, now, *every)
    )
    if ends_trial:
        subscription.update(status="active", trial_end=now)
    notes = account.private_state.setdefault(subscription["id"], {})
    notes["prorated"] = []
    if not free:
        end = subscription["current_period_end"]
        for _, item in changes.changed:
            if item is not None and not items.metered(item["price"]):
                charge_remaining(account, subscription, item, now, start=now, end=end)
                notes["prorated"].append(item["id"])
    return "period"


def _bill_used(
    account: Account, subscription: Object, changes: item_changes.ItemChanges, *, resets: bool
) -> None:
    """The usage of a metered item that goes, or whose period ends now, waits for the next invoice."""
    going = {item["id"] for item in changes.removed} | {
        old["id"]
        for old, new in changes.changed
        if old is not None and new is not None and old["price"]["id"] != new["price"]["id"]
    }
    for item in subscription["items"]["data"]:
        if not items.metered(item["price"]) or not (resets or item["id"] in going):
            continue
        quantity, known = unbilled(account, subscription, item)
        lines = billing.item_lines(
            account, subscription, "", item, quantity, known.until, account.now, billed_before=known.quantity
        )
        note_new_price(account, item, subscription["current_period_start"])
        account.private_state.setdefault(subscription["id"], {}).setdefault("used_lines", []).extend(
            line for line in lines if line["amount"]
        )


def _change_discounts(account: Account, subscription: Object, params: dict[str, Any]) -> None:
    customer, identifier = subscription["customer"], subscription["id"]
    for name in ("coupon", "promotion_code"):
        if name in params:
            made = (
                [
                    discounts.new(
                        account,
                        {name: params[name]},
                        param=name,
                        customer=customer,
                        subscription=identifier,
                        currency=subscription["currency"],
                    )
                ]
                if params[name]
                else []
            )
            billing.set_discounts(subscription, made)
    if "discounts" in params:
        billing.set_discounts(
            subscription,
            [
                discounts.new(
                    account,
                    each,
                    param=f"discounts[{place}]",
                    customer=customer,
                    subscription=identifier,
                    currency=subscription["currency"],
                )
                for place, each in enumerate(params["discounts"] or ())
            ],
        )


def _bill(account: Account, subscription: Object, params: dict[str, Any], what: str) -> Object | None:
    """Invoice at once. Answers the invoice if it could not be paid."""
    notes = account.private_state.setdefault(subscription["id"], {})
    start, end = subscription["current_period_start"], subscription["current_period_end"]
    prorated = notes.pop("prorated", [])
    if what == "pending" and not billing.pending_of(account, subscription):
        return None
    invoice = billing.draft(account, subscription, "subscription_update", (start, account.now))
    lines: list[Object] = notes.pop("used_lines", [])
    for line in lines:
        line["invoice"] = invoice["id"]
    if what == "period":
        full = billing.licensed_lines(account, subscription, invoice["id"], start, end)
        lines += [line for line in full if line["subscription_item"] not in prorated]
        notes["period_invoice"] = invoice["id"]
    billing.complete(account, subscription, invoice, lines)
    if billing.pause_effect(account, subscription, invoice) == "keep_as_draft":
        return None
    behavior = params.get("payment_behavior") or "allow_incomplete"
    if behavior == "pending_if_incomplete":
        notes["pending_invoice"] = invoice["id"]
    collection.finish(account, invoice)
    if invoice["status"] != "open" or invoice["collection_method"] == "send_invoice":
        notes.pop("pending_invoice", None)
        return None
    if behavior == "default_incomplete":
        lifecycle.set_status(account, subscription, "past_due")
        return None
    if lifecycle.try_to_pay(account, invoice) is None:
        notes.pop("pending_invoice", None)
        return None
    return invoice
