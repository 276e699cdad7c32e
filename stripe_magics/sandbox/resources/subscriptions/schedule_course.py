"""What becomes of a subscription schedule as time passes.

not_started -> active               its first phase begins, and makes the subscription
active -> active                    the next phase begins
active -> completed | released      the last one is over (`end_behavior`)
not_started | active -> canceled    with its subscription, or since a phase can't begin (its coupon is gone,
                                    its price archived): the subscription stays as it is
"""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.errors import ApiError
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.clock import DAY
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.subscriptions import creation, lifecycle, updates
from stripe_magics.sandbox.resources.subscriptions.schedule_phases import (
    keep_items,
    subscription_items,
    subscription_settings,
)

KIND = "subscription_schedule"
OPEN = frozenset({"not_started", "active"})
WARNED_BEFORE = 7 * DAY


def beginning(account: Account, schedule: Object, phase: Object) -> dict[str, Any]:
    """How the subscription is made that a schedule begins with, if it begins with this phase."""
    given = subscription_settings(phase, schedule["default_settings"])
    if phase["trial_end"] and phase["trial_end"] > account.now:
        given["trial_end"] = phase["trial_end"]
    given["add_invoice_items"] = phase["add_invoice_items"]
    return {**given, "customer": schedule["customer"], "items": subscription_items(phase)}


def begin(account: Account, schedule: Object, *, waits: bool = False) -> None:
    """The first phase makes the subscription. `waits`: its first invoice waits to be paid."""
    phase = schedule["phases"][0]
    given = beginning(account, schedule, phase)
    if waits:
        given["payment_behavior"] = "default_incomplete"
    subscription = creation.create(account, given)
    name_schedule(account, subscription, schedule["id"])
    schedule.update(subscription=subscription["id"], status="active")
    enter(account, schedule, phase)


def _begin_by_itself(account: Account, schedule: Object) -> None:
    """Its time has come. Nobody is there to be refused for want of something to charge."""
    before = events.snapshot(schedule)
    customer = account.find("customer", schedule["customer"], "customer")
    named = subscription_settings(schedule["phases"][0], schedule["default_settings"])
    begin(
        account,
        schedule,
        waits=not (
            named.get("default_payment_method")
            or customer["invoice_settings"]["default_payment_method"]
            or customer["default_source"]
        ),
    )
    events.emit(account, "subscription_schedule.updated", schedule, before)


def name_schedule(account: Account, subscription: Object, schedule: str | None) -> None:
    """The subscription says which schedule it follows."""
    before = events.snapshot(subscription)
    subscription["schedule"] = schedule
    account.save("subscription", subscription)
    events.emit(account, "customer.subscription.updated", subscription, before)


def enter(account: Account, schedule: Object, phase: Object) -> None:
    """A phase is the current one."""
    schedule["current_phase"] = {"end_date": phase["end_date"], "start_date": phase["start_date"]}
    account.save(KIND, schedule)
    account.clock.at(phase["end_date"], "schedule_phase", schedule["id"])
    warn_at = schedule["phases"][-1]["end_date"] - WARNED_BEFORE
    if warn_at > account.now:
        account.clock.at(warn_at, "schedule_expires_soon", schedule["id"])


def expires_soon(account: Account, schedule: Object) -> None:
    """Seven days before its last phase is over, which may have been moved meanwhile."""
    ends = schedule["phases"][-1]["end_date"]
    notes = account.private_state.setdefault(schedule["id"], {})
    if schedule["status"] in OPEN and ends - WARNED_BEFORE == account.now and notes.get("warned_of") != ends:
        notes["warned_of"] = ends
        events.emit(account, "subscription_schedule.expiring", schedule)


def phase_due(account: Account, identifier: str) -> None:
    """The end of a phase, or the beginning of the first, has come."""
    try:
        with account.trial(keep=True):
            schedule = account.get(KIND, identifier)
            if schedule is not None:
                _next_phase(account, schedule)
    except ApiError:
        schedule = account.find(KIND, identifier, "schedule")
        subscription = account.get("subscription", schedule["subscription"] or "")
        if subscription is not None:
            name_schedule(account, subscription, None)
        _cancel(account, schedule, "subscription_schedule.aborted")


def _cancel(account: Account, schedule: Object, kind: str) -> None:
    schedule.update(status="canceled", canceled_at=account.now, current_phase=None)
    account.save(KIND, schedule)
    events.emit(account, kind, schedule)


def _next_phase(account: Account, schedule: Object) -> None:
    """A phase begins, or the last one is over."""
    if schedule["status"] not in OPEN:
        return
    if schedule["status"] == "not_started":
        if schedule["phases"][0]["start_date"] <= account.now:
            _begin_by_itself(account, schedule)
        return
    if schedule["current_phase"]["end_date"] > account.now:
        return
    before = events.snapshot(schedule)
    coming = next(
        (each for each in schedule["phases"] if each["start_date"] == schedule["current_phase"]["end_date"]),
        None,
    )
    if coming is None:
        _finish(account, schedule)
        return
    subscription = account.find("subscription", schedule["subscription"], "subscription")
    present = [
        {"id": item["id"], "deleted": True, "clear_usage": True} for item in subscription["items"]["data"]
    ]
    given: dict[str, Any] = {
        "default_tax_rates": [],
        **subscription_settings(coming, schedule["default_settings"]),
        "items": present + subscription_items(coming),
    }
    if not given.get("coupon") and not given.get("discounts"):
        given["discounts"] = []  # those of the phase before end with it
    if subscription["current_period_end"] <= account.now:
        given["proration_behavior"] = "none"
    else:
        given["proration_behavior"] = coming["proration_behavior"]
    if coming["add_invoice_items"]:
        given["add_invoice_items"] = coming["add_invoice_items"]
    if coming["billing_cycle_anchor"] == "phase_start" and subscription["current_period_end"] > account.now:
        given["billing_cycle_anchor"] = "now"
    if coming["trial_end"] and coming["trial_end"] > account.now:
        given["trial_end"] = coming["trial_end"]
    keep_items(subscription, given)
    updates.update(account, given, schedule["subscription"])
    enter(account, schedule, coming)
    events.emit(account, "subscription_schedule.updated", schedule, before)


def _finish(account: Account, schedule: Object) -> None:
    if schedule["end_behavior"] == "cancel":
        subscription = account.find("subscription", schedule["subscription"], "subscription")
        schedule.update(status="completed", completed_at=account.now, current_phase=None)
        account.save(KIND, schedule)
        lifecycle.end(account, subscription, reason="cancellation_requested")
        events.emit(account, "subscription_schedule.completed", schedule)
    else:
        release(account, schedule)


def release(account: Account, schedule: Object) -> None:
    """The subscription goes on without it."""
    subscription = account.get("subscription", schedule["subscription"] or "")
    if subscription is not None:
        name_schedule(account, subscription, None)
    schedule.update(
        status="released", released_at=account.now, released_subscription=schedule["subscription"],
        subscription=None, current_phase=None
    )  # fmt: skip
    account.save(KIND, schedule)
    events.emit(account, "subscription_schedule.released", schedule)


def subscription_ended(account: Account, subscription: Object) -> None:
    """A subscription that ends takes its schedule with it."""
    schedule = account.get(KIND, subscription["schedule"] or "")
    if schedule is not None and schedule["status"] in OPEN:
        unpaid = (subscription["cancellation_details"] or {}).get("reason") == "payment_failed"
        _cancel(account, schedule, f"subscription_schedule.{'aborted' if unpaid else 'canceled'}")


def subscription_changed(account: Account, subscription: Object) -> None:
    """One whose first invoice wasn't paid in time is over, too."""
    if subscription["schedule"] and subscription["status"] == "incomplete_expired":
        schedule = account.get(KIND, subscription["schedule"])
        if schedule is not None and schedule["status"] in OPEN:
            _cancel(account, schedule, "subscription_schedule.aborted")


REACTIONS = {
    "customer.subscription.deleted": subscription_ended,
    "customer.subscription.updated": subscription_changed,
}
