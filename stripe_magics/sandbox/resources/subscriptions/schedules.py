"""Subscription schedules: phases one after the other, each with its items and settings; at the end the
subscription goes on or is canceled."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid, missing_param
from stripe_magics.sandbox.api.pagination import Page, bounds, page
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.metadata import merged_metadata, take
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.connect import connected_billing
from stripe_magics.sandbox.resources.connect.application_fees import application
from stripe_magics.sandbox.resources.subscriptions import creation, lifecycle, updates
from stripe_magics.sandbox.resources.subscriptions.schedule_phases import (
    default_settings,
    keep_items,
    phases_given,
    subscription_items,
    subscription_settings,
)

OPEN = frozenset({"not_started", "active"})


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/subscription_schedules."""
    if params.get("from_subscription"):
        if params.get("phases") or params.get("customer"):
            raise invalid(
                "from_subscription can't be combined with phases or customer.", param="from_subscription"
            )
        return _from_subscription(account, params)
    if not params.get("customer"):
        raise missing_param("customer")
    if not params.get("phases"):
        raise missing_param("phases")
    customer = account.find("customer", params["customer"], "customer")
    begins = account.now if params.get("start_date") in {None, "now"} else params["start_date"]
    if begins < account.now:
        raise invalid("The sandbox doesn't simulate schedules that start in the past.", param="start_date")
    schedule = _new(account, customer["id"], params)
    schedule["phases"] = phases_given(account, params["phases"], begins, schedule["default_settings"])
    account.add("subscription_schedule", schedule)
    events.emit(account, "subscription_schedule.created", schedule)
    if begins <= account.now:
        _begin(account, schedule)
    else:
        account.clock.at(begins, "schedule_phase", schedule["id"])
    return account.save("subscription_schedule", schedule)


def _new(account: Account, customer: str, params: dict[str, Any]) -> Object:
    return {
        "id": account.new_id("sub_sched"), "object": "subscription_schedule",
        "application": application(account) if account.platform is not None else None,
        "canceled_at": None, "completed_at": None,
        "created": account.now, "current_phase": None, "customer": customer,
        "default_settings": default_settings(account, {
            "application_fee_percent": None, "automatic_tax": {"disabled_reason": None, "enabled": False,
                "liability": None},
            "billing_cycle_anchor": "automatic", "billing_thresholds": None,
            "collection_method": "charge_automatically", "default_payment_method": None, "description": None,
            "invoice_settings": {"account_tax_ids": None, "days_until_due": None, "issuer": {"type": "self"}},
            "on_behalf_of": None, "transfer_data": None,
        }, params.get("default_settings") or {}),
        "end_behavior": params.get("end_behavior") or "release", "livemode": False,
        "metadata": merged_metadata({}, params.get("metadata")), "phases": [], "released_at": None,
        "released_subscription": None, "status": "not_started", "subscription": None, "test_clock": None,
    }  # fmt: skip


def _begin(account: Account, schedule: Object) -> None:
    """The first phase makes the subscription."""
    phase = schedule["phases"][0]
    given = subscription_settings(phase, schedule["default_settings"])
    if phase["trial_end"] and phase["trial_end"] > account.now:
        given["trial_end"] = phase["trial_end"]
    given["add_invoice_items"] = phase["add_invoice_items"]
    subscription = creation.create(
        account, {**given, "customer": schedule["customer"], "items": subscription_items(phase)}
    )
    _name_schedule(account, subscription, schedule["id"])
    schedule.update(subscription=subscription["id"], status="active")
    _enter(account, schedule, phase)


def _name_schedule(account: Account, subscription: Object, schedule: str | None) -> None:
    """The subscription says which schedule it follows."""
    before = events.snapshot(subscription)
    subscription["schedule"] = schedule
    account.save("subscription", subscription)
    events.emit(account, "customer.subscription.updated", subscription, before)


def _enter(account: Account, schedule: Object, phase: Object) -> None:
    schedule["current_phase"] = {"end_date": phase["end_date"], "start_date": phase["start_date"]}
    account.save("subscription_schedule", schedule)
    account.clock.at(phase["end_date"], "schedule_phase", schedule["id"])


def next_phase(account: Account, schedule: Object) -> None:
    """A phase begins, or the last one is over."""
    if schedule["status"] not in OPEN:
        return
    if schedule["status"] == "not_started":
        if schedule["phases"][0]["start_date"] <= account.now:
            _begin(account, schedule)
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
        **subscription_settings(coming, schedule["default_settings"]),
        "items": present + subscription_items(coming),
    }
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
    _enter(account, schedule, coming)
    events.emit(account, "subscription_schedule.updated", schedule, before)


def _finish(account: Account, schedule: Object) -> None:
    if schedule["end_behavior"] == "cancel":
        subscription = account.find("subscription", schedule["subscription"], "subscription")
        schedule.update(status="completed", completed_at=account.now, current_phase=None)
        account.save("subscription_schedule", schedule)
        lifecycle.end(account, subscription, reason="cancellation_requested")
        events.emit(account, "subscription_schedule.completed", schedule)
    else:
        _release(account, schedule)


def _release(account: Account, schedule: Object) -> None:
    subscription = account.get("subscription", schedule["subscription"] or "")
    if subscription is not None:
        _name_schedule(account, subscription, None)
    schedule.update(
        status="released", released_at=account.now, released_subscription=schedule["subscription"],
        subscription=None, current_phase=None
    )  # fmt: skip
    account.save("subscription_schedule", schedule)
    events.emit(account, "subscription_schedule.released", schedule)


def _from_subscription(account: Account, params: dict[str, Any]) -> Object:
    subscription = account.find("subscription", params["from_subscription"], "from_subscription")
    if subscription["schedule"] or subscription["status"] in lifecycle.ENDED:
        raise invalid("The subscription is over, or has a schedule already.", param="from_subscription")
    schedule = _new(account, subscription["customer"], params)
    items = [
        {
            "price": item["price"]["id"], "metadata": item["metadata"],
            "tax_rates": [rate["id"] for rate in item["tax_rates"]],
            "billing_thresholds": item["billing_thresholds"],
            **({"quantity": item["quantity"]} if "quantity" in item else {}),
        }
        for item in subscription["items"]["data"]
    ]  # fmt: skip
    start, end = subscription["current_period_start"], subscription["current_period_end"]
    so_far = {"items": items, "end_date": end, **connected_billing.settings_of(subscription)}
    so_far["invoice_settings"] = subscription["invoice_settings"]
    so_far["billing_thresholds"] = subscription["billing_thresholds"]
    if subscription["automatic_tax"]["enabled"]:
        so_far["automatic_tax"] = subscription["automatic_tax"]
    phase = phases_given(account, [so_far], start, schedule["default_settings"])
    schedule.update(phases=phase, subscription=subscription["id"], status="active")
    account.add("subscription_schedule", schedule)
    _name_schedule(account, subscription, schedule["id"])
    _enter(account, schedule, phase[0])
    events.emit(account, "subscription_schedule.created", schedule)
    return schedule


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/subscription_schedules/{schedule}."""
    return account.find(
        "subscription_schedule", identifier, "schedule", what="subscription schedule", status=404
    )


def _open(account: Account, identifier: str) -> Object:
    schedule = retrieve(account, {}, identifier)
    if schedule["status"] not in OPEN:
        raise invalid(
            f"You cannot change a subscription schedule that is currently in the `{schedule['status']}`"
            " status."
        )
    return schedule


def update(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/subscription_schedules/{schedule}."""
    schedule = _open(account, identifier)
    before = events.snapshot(schedule)
    take(schedule, params, ("metadata", "end_behavior"))
    if params.get("default_settings"):
        schedule["default_settings"] = default_settings(
            account, schedule["default_settings"], params["default_settings"]
        )
    if params.get("phases"):
        begins = schedule["phases"][0]["start_date"]
        given = params["phases"]
        first = given[0].get("start_date")
        current = schedule["current_phase"]
        if first == "now":
            raise invalid(
                "The sandbox doesn't simulate phases that are restarted now.", param="phases[0][start_date]"
            )
        if isinstance(first, int) and current is not None and first == current["start_date"]:
            begins = first
        phases = phases_given(account, given, begins, schedule["default_settings"])
        if current is not None:
            at = next((each for each in phases if each["start_date"] <= account.now < each["end_date"]), None)
            if at is None:
                raise invalid("The phases must have a current one.", param="phases")
            schedule["phases"] = phases
            _change_current(account, schedule, at, params)
        else:
            schedule["phases"] = phases
    account.save("subscription_schedule", schedule)
    events.emit(account, "subscription_schedule.updated", schedule, before)
    return schedule


def _change_current(account: Account, schedule: Object, phase: Object, params: dict[str, Any]) -> None:
    """The phase at hand may have changed: its subscription follows."""
    subscription = account.find("subscription", schedule["subscription"], "subscription")
    given = {
        **subscription_settings(phase, schedule["default_settings"]),
        "items": subscription_items(phase),
        "proration_behavior": params.get("proration_behavior") or "create_prorations",
    }
    keep_items(subscription, given)
    updates.update(account, given, schedule["subscription"])
    _enter(account, schedule, phase)


def cancel(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/subscription_schedules/{schedule}/cancel: the subscription ends too."""
    schedule = _open(account, identifier)
    subscription = account.get("subscription", schedule["subscription"] or "")
    schedule.update(status="canceled", canceled_at=account.now, current_phase=None)
    account.save("subscription_schedule", schedule)
    if subscription is not None:
        lifecycle.end(
            account,
            subscription,
            invoice_now=params.get("invoice_now", True),
            prorate=params.get("prorate", True),
        )
    events.emit(account, "subscription_schedule.canceled", schedule)
    return schedule


def release(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/subscription_schedules/{schedule}/release: the subscription goes on without it."""
    schedule = _open(account, identifier)
    if params.get("preserve_cancel_date") is False and schedule["subscription"]:
        subscription = account.find("subscription", schedule["subscription"], "subscription")
        subscription.update(cancel_at=None, cancel_at_period_end=False)
        account.save("subscription", subscription)
    _release(account, schedule)
    return schedule


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/subscription_schedules."""
    tests = []
    for name, flag in (
        ("canceled_at", "canceled_at"),
        ("completed_at", "completed_at"),
        ("released_at", "released_at"),
    ):
        if params.get(name) is not None:
            tests.append(_range_test(flag, params[name]))
    if params.get("scheduled"):
        tests.append(lambda row: row.value["status"] == "not_started")
    return page(
        account,
        "subscription_schedule",
        params,
        "/v1/subscription_schedules",
        filters=("customer",),
        tests=tests,
    )


def _range_test(name: str, given: Any) -> Any:
    low, high = bounds(given)

    def test(row: Any) -> bool:
        value = row.value[name]
        return value is not None and (low is None or value >= low) and (high is None or value < high)

    return test


def subscription_ended(account: Account, subscription: Object) -> None:
    """A subscription that ends takes its schedule with it."""
    schedule = account.get("subscription_schedule", subscription["schedule"] or "")
    if schedule is not None and schedule["status"] in OPEN:
        schedule.update(status="canceled", canceled_at=account.now, current_phase=None)
        account.save("subscription_schedule", schedule)
        events.emit(account, "subscription_schedule.canceled", schedule)


REACTIONS = {"customer.subscription.deleted": subscription_ended}

ROUTES: dict[str, Handler] = {
    "GET /v1/subscription_schedules": listing,
    "POST /v1/subscription_schedules": create,
    "GET /v1/subscription_schedules/{schedule}": retrieve,
    "POST /v1/subscription_schedules/{schedule}": update,
    "POST /v1/subscription_schedules/{schedule}/cancel": cancel,
    "POST /v1/subscription_schedules/{schedule}/release": release,
}
