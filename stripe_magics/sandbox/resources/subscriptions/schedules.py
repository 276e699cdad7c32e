"""Subscription schedules: phases one after the other, each with its items and settings; at the end the
subscription goes on or is canceled."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import inside, invalid, missing_param
from stripe_magics.sandbox.api.pagination import Page, bounds, page
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.metadata import merged_metadata, take
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.connect import connected_billing
from stripe_magics.sandbox.resources.connect.application_fees import application
from stripe_magics.sandbox.resources.subscriptions import creation, lifecycle, schedule_course, updates
from stripe_magics.sandbox.resources.subscriptions.schedule_phases import (
    default_settings,
    keep_items,
    phases_given,
    subscription_items,
    subscription_settings,
)


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
    account.find("customer", params["customer"], "customer")
    begins = account.now if params.get("start_date") in {None, "now"} else params["start_date"]
    if begins < account.now:
        raise invalid("The sandbox doesn't simulate schedules that start in the past.", param="start_date")
    with account.trial():
        schedule = _new(account, params["customer"], params)
        phases = phases_given(account, params["phases"], begins, schedule["default_settings"])
        _check_phases(account, schedule, phases)
    customer = account.find("customer", params["customer"], "customer")
    schedule = _new(account, customer["id"], params)
    schedule["phases"] = phases_given(account, params["phases"], begins, schedule["default_settings"])
    account.add("subscription_schedule", schedule)
    events.emit(account, "subscription_schedule.created", schedule)
    if begins <= account.now:
        schedule_course.begin(account, schedule)
    else:
        account.clock.at(begins, "schedule_phase", schedule["id"])
    return account.save("subscription_schedule", schedule)


def _check_phases(
    account: Account, schedule: Object, phases: list[Object], known: Collection[str] = ()
) -> None:
    """Refuse at once what could not begin later (of phases that aren't `known` already). What this makes has
    to be undone."""
    for place, phase in enumerate(phases):
        if _without_dates(phase) in known:
            continue
        with inside(f"phases[{place}]"):
            given = schedule_course.beginning(account, schedule, phase)
            creation.create(account, {**given, "payment_behavior": "default_incomplete"})


def _without_dates(phase: Object) -> str:
    """What a phase says, to compare."""
    return repr(
        {name: of for name, of in phase.items() if name not in {"end_date", "start_date", "trial_end"}}
    )


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
    schedule_course.name_schedule(account, subscription, schedule["id"])
    schedule_course.enter(account, schedule, phase[0])
    events.emit(account, "subscription_schedule.created", schedule)
    return schedule


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/subscription_schedules/{schedule}."""
    return account.find(
        "subscription_schedule", identifier, "schedule", what="subscription schedule", status=404
    )


def _open(account: Account, identifier: str) -> Object:
    schedule = retrieve(account, {}, identifier)
    if schedule["status"] not in schedule_course.OPEN:
        raise invalid(
            f"You cannot change a subscription schedule that is currently in the `{schedule['status']}`"
            " status."
        )
    return schedule


def update(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/subscription_schedules/{schedule}."""
    with account.trial():
        schedule = _open(account, identifier)
        known = [_without_dates(each) for each in schedule["phases"]]
        _check_phases(account, schedule, _changed_phases(account, schedule, params), known)
    schedule = _open(account, identifier)
    before = events.snapshot(schedule)
    take(schedule, params, ("metadata", "end_behavior"))
    phases = _changed_phases(account, schedule, params)
    if phases and schedule["current_phase"] is not None:
        at = next((each for each in phases if each["start_date"] <= account.now < each["end_date"]), None)
        if at is None:
            raise invalid("The phases must have a current one.", param="phases")
        former = next(
            e for e in schedule["phases"] if e["start_date"] == schedule["current_phase"]["start_date"]
        )
        schedule["phases"] = phases
        _change_current(account, schedule, former, at, params)
    elif phases:
        schedule["phases"] = phases
        account.clock.at(phases[0]["start_date"], "schedule_phase", identifier)
    account.save("subscription_schedule", schedule)
    events.emit(account, "subscription_schedule.updated", schedule, before)
    return schedule


def _changed_phases(account: Account, schedule: Object, params: dict[str, Any]) -> list[Object]:
    """The phases that are given, by the settings that are given."""
    if params.get("default_settings"):
        schedule["default_settings"] = default_settings(
            account, schedule["default_settings"], params["default_settings"]
        )
    if not params.get("phases"):
        return []
    current, begins = schedule["current_phase"], schedule["phases"][0]["start_date"]
    first = params["phases"][0].get("start_date")
    if first == "now":
        raise invalid(
            "The sandbox doesn't simulate phases that are restarted now.", param="phases[0][start_date]"
        )
    if isinstance(first, int) and current is not None and first == current["start_date"]:
        begins = first
    if isinstance(first, int) and current is None:
        begins = first
        if first < account.now:
            raise invalid(
                "The sandbox doesn't simulate schedules that start in the past.",
                param="phases[0][start_date]",
            )
    return phases_given(account, params["phases"], begins, schedule["default_settings"])


def _change_current(
    account: Account, schedule: Object, former: Object, phase: Object, params: dict[str, Any]
) -> None:
    """The phase at hand may have changed: its subscription follows."""
    subscription = account.find("subscription", schedule["subscription"], "subscription")
    given = {
        **subscription_settings(phase, schedule["default_settings"]),
        "items": subscription_items(phase),
        "proration_behavior": params.get("proration_behavior") or "create_prorations",
    }
    if (former["coupon"], former["discounts"]) == (phase["coupon"], phase["discounts"]):
        given.pop("coupon", None)  # it stands already
        given.pop("discounts", None)
    elif not given.get("coupon") and not given.get("discounts"):
        given["discounts"] = []
    keep_items(subscription, given)
    updates.update(account, given, schedule["subscription"])
    schedule_course.enter(account, schedule, phase)


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
        before = events.snapshot(subscription)
        subscription.update(cancel_at=None, cancel_at_period_end=False)
        account.save("subscription", subscription)
        events.emit(account, "customer.subscription.updated", subscription, before)
    schedule_course.release(account, schedule)
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


ROUTES: dict[str, Handler] = {
    "GET /v1/subscription_schedules": listing,
    "POST /v1/subscription_schedules": create,
    "GET /v1/subscription_schedules/{schedule}": retrieve,
    "POST /v1/subscription_schedules/{schedule}": update,
    "POST /v1/subscription_schedules/{schedule}/cancel": cancel,
    "POST /v1/subscription_schedules/{schedule}/release": release,
}
