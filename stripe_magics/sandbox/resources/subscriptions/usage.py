"""What was used of a metered price: meter events, or the usage records of the older API, added up as the
price says."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from stripe_magics.sandbox.core.clock import MINUTE
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.pricing import round_half_up


class Billed(NamedTuple):
    """What of an item's usage in a period stands on invoices: usage counts from `since`, and `quantity` of it
    was billed (None: nothing was) up to `until`."""

    since: int
    until: int
    quantity: int | None


def billed(account: Account, item: Object, start: int) -> Billed:
    """What was billed of an item in the period that began at `start`."""
    note = account.private_state.get(item["id"], {}).get("billed")
    if not note or note["start"] != start:
        return Billed(start, start, None)
    return Billed(note["since"], note["until"], note["quantity"])


def note_billed(account: Account, subscription: Object, item: Object, start: int, until: int) -> None:
    """An item's usage up to then, in the period that began at `start`, stands on an invoice."""
    since = billed(account, item, start).since
    account.private_state.setdefault(item["id"], {})["billed"] = {
        "start": start, "since": since, "until": until,
        "quantity": used(account, subscription, item, since, until),
    }  # fmt: skip


def note_new_price(account: Account, item: Object, start: int) -> None:
    """An item gets another metered price in the period that began at `start`: what is used from now on is
    that price's."""
    now = account.now
    account.private_state.setdefault(item["id"], {})["billed"] = {
        "start": start, "since": now, "until": now, "quantity": None
    }  # fmt: skip


def unbilled(account: Account, subscription: Object, item: Object) -> tuple[int, Billed]:
    """What an item was used in the period at hand, billed or not, and what of it was billed."""
    known = billed(account, item, subscription["current_period_start"])
    return used(account, subscription, item, known.since, account.now), known


def note_used(account: Account, customer: str) -> None:
    """A customer used something: subscriptions with thresholds look at it a minute later."""
    for identifier in account.where("subscription", customer=customer):
        watch_thresholds(account, account.peek("subscription", identifier) or {})


def has_thresholds(subscription: Object) -> bool:
    """Whether usage may be billed before its period is over."""
    parts = (each["billing_thresholds"] for each in subscription["items"]["data"])
    return bool(subscription["billing_thresholds"]) or any(parts)


def watch_thresholds(account: Account, subscription: Object) -> None:
    """Look a minute from now whether a threshold is reached."""
    if has_thresholds(subscription):
        with account.on_clock(subscription["test_clock"] or ""):
            account.clock.at(account.now + MINUTE, "subscription_threshold", subscription["id"])


def used(account: Account, subscription: Object, item: Object, start: int, end: int) -> int:
    """The usage of an item in [start, end), in whole units."""
    recurring = item["price"]["recurring"]
    if recurring["meter"]:
        meter = account.peek("billing.meter", recurring["meter"])
        if meter is None:
            return 0
        return max(0, of_meter(account, meter, subscription["customer"], start, end))
    how = recurring["aggregate_usage"] or "sum"
    begins = 0 if how == "last_ever" else start
    quantities = [
        each["quantity"]
        for each in account.private_state.get(item["id"], {}).get("usage", ())
        if begins <= each["timestamp"] < end
    ]
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
        for each in account.private_state.get(meter["id"], {}).get("events", ())
        if each["customer"] == customer and start <= each["timestamp"] < end and not each.get("canceled")
    ]
    formula = meter["default_aggregation"]["formula"]
    if formula == "count":
        return len(values)
    if not values:
        return 0
    return round_half_up(values[-1] if formula == "last" else sum(values, Decimal(0)))
