"""What was used of a metered price: meter events, or the usage records of the older API, added up as the
price says."""

from __future__ import annotations

from decimal import Decimal

from stripe_magics.sandbox.core.clock import MINUTE
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.pricing import round_half_up


def billed_since(account: Account, subscription: Object, item: Object) -> int:
    """From when on what was used of an item stands on no invoice."""
    start: int = subscription["current_period_start"]
    billed: int = account.notes.get(item["id"], {}).get("billed_until", start)
    return max(start, billed)


def note_used(account: Account, customer: str) -> None:
    """A customer used something: subscriptions with thresholds look at it a minute later."""
    for identifier in account.where("subscription", customer=customer):
        watch_thresholds(account, account.peek("subscription", identifier) or {})


def watch_thresholds(account: Account, subscription: Object) -> None:
    """Look a minute from now whether a threshold is reached."""
    limits = [
        subscription["billing_thresholds"],
        *(each["billing_thresholds"] for each in subscription["items"]["data"]),
    ]
    if any(limits):
        with account.on_clock(subscription["test_clock"] or ""):
            account.clock.at(account.now + MINUTE, "subscription_threshold", subscription["id"])


def used(account: Account, subscription: Object, item: Object, start: int, end: int) -> int:
    """The usage of an item in [start, end), in whole units."""
    recurring = item["price"]["recurring"]
    if recurring["meter"]:
        meter = account.peek("billing.meter", recurring["meter"])
        return 0 if meter is None else of_meter(account, meter, subscription["customer"], start, end)
    records = [
        each
        for each in account.notes.get(item["id"], {}).get("usage", ())
        if start <= each["timestamp"] < end
    ]
    quantities = [each["quantity"] for each in records]
    how = recurring["aggregate_usage"] or "sum"
    if not quantities:
        return 0
    if how == "max":
        return int(max(quantities))
    if how in {"last_during_period", "last_ever"}:
        return int(quantities[-1])
    return int(sum(quantities))


def of_meter(account: Account, meter: Object, customer: str, start: int, end: int) -> int:
    """What a customer's meter events in [start, end) come to."""
    values = [
        Decimal(each["value"])
        for each in account.notes.get(meter["id"], {}).get("events", ())
        if each["customer"] == customer and start <= each["timestamp"] < end and not each.get("canceled")
    ]
    formula = meter["default_aggregation"]["formula"]
    if formula == "count":
        return len(values)
    if not values:
        return 0
    return round_half_up(values[-1] if formula == "last" else sum(values, Decimal(0)))
