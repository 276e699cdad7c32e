"""Two years of subscriptions on test clocks: each invoice, its moment and its total, against a calendar and
arithmetic of this file's own. Anchors late in the month, trials, shorter first periods, coupons, ends."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any

import pytest

from .conftest import DAY

START = int(datetime(2027, 1, 31, 2, 30, tzinfo=UTC).timestamp())
YEARS = 731 * DAY
SHORTEST = {"day": 1, "week": 7, "month": 28, "year": 365}
COUNTS = {"day": (10, 30, 45), "week": (1, 2, 6), "month": (1, 1, 2, 3, 6), "year": (1,)}


def later(moment: int, interval: str, count: int) -> int:
    if interval in {"day", "week"}:
        return moment + count * DAY * SHORTEST[interval]
    at = datetime.fromtimestamp(moment, UTC)
    months = at.month - 1 + count * (12 if interval == "year" else 1)
    year, month = at.year + months // 12, months % 12 + 1
    day = min(at.day, calendar.monthrange(year, month)[1])
    return int(at.replace(year=year, month=month, day=day).timestamp())


@dataclass
class Plan:
    """What was agreed, and what it must come to."""

    now: int
    interval: str
    count: int
    amount: int
    trial: int = 0
    anchor: int = 0
    coupon: tuple[str, int, int] | None = None  # duration, months, per cent
    ends: int = 0
    id: str = ""
    used: bool = field(default=False, init=False)

    def net(self, moment: int, amount: int) -> int:
        if self.coupon is None or not amount:
            return amount
        duration, months, percent = self.coupon
        over = duration == "repeating" and moment >= later(self.now, "month", months)
        if over or (duration == "once" and self.used):
            return amount
        self.used = True
        return amount - int((Decimal(amount) * percent / 100).quantize(Decimal(1), ROUND_HALF_UP))

    def invoices(self, until: int) -> Iterator[tuple[int, int]]:
        first = self.now
        if self.trial:
            first += self.trial * DAY
            yield self.now, 0
        elif self.anchor:
            first = self.anchor
            whole = first - later(first, self.interval, -self.count)
            yield self.now, self.net(self.now, round(self.amount * (first - self.now) / whole))
        number = 0
        while (moment := later(first, self.interval, self.count * number)) <= until:
            if self.ends and moment >= self.ends:
                return
            yield moment, self.net(moment, self.amount)
            number += 1


def drawn(random: Random, now: int) -> Plan:
    interval = random.choice(("day", "week", "month", "month", "month", "year"))
    plan = Plan(now, interval, random.choice(COUNTS[interval]), random.randrange(100, 9999))
    plan.trial = random.choice((0, 0, 0, 7, 14, 31))
    if not plan.trial and random.random() < 0.25:
        plan.anchor = now + random.randrange(1, 6 * DAY)
    if random.random() < 0.5:
        duration = random.choice(("repeating", "once", "forever"))
        plan.coupon = duration, random.choice((1, 2, 3, 7, 12)), random.randrange(5, 100)
    return plan


def subscribed(call, plan: Plan, clock: str, product: str) -> dict[str, Any]:
    who = call("POST /v1/customers", test_clock=clock)["id"]
    card = call("POST /v1/payment_methods/pm_card_visa/attach", customer=who)["id"]
    every = {"recurring[interval]": plan.interval, "recurring[interval_count]": plan.count}
    named = call("POST /v1/prices", product=product, currency="usd", unit_amount=plan.amount, **every)["id"]
    given: dict[str, Any] = {"customer": who, "default_payment_method": card, "items[0][price]": named}
    if plan.trial:
        given["trial_period_days"] = plan.trial
    if plan.anchor:
        given["billing_cycle_anchor"] = plan.anchor
    if plan.coupon:
        duration, months, percent = plan.coupon
        lasts = {"duration_in_months": months} if duration == "repeating" else {}
        coupon = call("POST /v1/coupons", percent_off=percent, duration=duration, **lasts)["id"]
        given["discounts[0][coupon]"] = coupon
    made: dict[str, Any] = call("POST /v1/subscriptions", given)
    return made


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_every_invoice_of_two_years(call, seed: int) -> None:
    random = Random(seed)  # noqa: S311 - the same years every time
    product = call("POST /v1/products", name="P")["id"]
    for _ in range(3):
        now = START + random.randrange(60 * DAY)
        until = now + YEARS
        clock = call("POST /v1/test_helpers/test_clocks", frozen_time=now)["id"]
        plans = [drawn(random, now) for _ in range(3)]
        for plan in plans:
            plan.id = subscribed(call, plan, clock, product)["id"]
        leaves = plans[0] if random.random() < 0.7 else None
        step = 2 * DAY * min(SHORTEST[plan.interval] * plan.count for plan in plans)
        while now < until:
            now = min(until, now + step)
            call(f"POST /v1/test_helpers/test_clocks/{clock}/advance", frozen_time=now)
            if leaves and now > leaves.now + 200 * DAY:
                changed = call(f"POST /v1/subscriptions/{leaves.id}", cancel_at_period_end=True)
                leaves.ends, leaves = changed["current_period_end"], None
        for plan in plans:
            found = call.every("/v1/invoices", subscription=plan.id)
            made = sorted((each["created"], each["total"]) for each in found)
            assert made == list(plan.invoices(until)), plan


def test_an_items_discount_waits_for_the_end_of_its_trial(call) -> None:
    plan = Plan(call.transport.now, "month", 1, 1000, trial=7)
    who = call("POST /v1/customers", source="tok_visa")["id"]
    product = call("POST /v1/products", name="P")["id"]
    every = {"recurring[interval]": plan.interval}
    named = call("POST /v1/prices", product=product, currency="usd", unit_amount=plan.amount, **every)["id"]
    half = call("POST /v1/coupons", percent_off=50, duration="once")["id"]
    made = call(
        "POST /v1/subscriptions",
        {
            "customer": who, "items[0][price]": named, "items[0][discounts][0][coupon]": half,
            "trial_period_days": plan.trial,
        },
    )  # fmt: skip
    call.transport.advance(40 * DAY)
    found = call("GET /v1/invoices", subscription=made["id"])["data"]
    assert [each["total"] for each in reversed(found)] == [0, 500, 1000]
