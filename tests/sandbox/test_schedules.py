"""Subscription schedules: what can't begin is refused at once; what can't any more harms nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import DAY
from .test_subscriptions import customer, invoice_of, price, read, until

MADE = "POST /v1/subscription_schedules"


def schedule(call, who: str, *phases: dict[str, Any], **params: Any) -> dict[str, Any]:
    given = {
        f"phases[{place}][{name.replace('__', '][')}]": value
        for place, phase in enumerate(phases)
        for name, value in phase.items()
    }
    return call(MADE, {"customer": who, "start_date": "now", **given, **params})


def phase(named: str, **params: Any) -> dict[str, Any]:
    return {"items__0__price": named, "iterations": 1, **params}


def schedule_events(call) -> list[str]:
    return [
        each.removeprefix("subscription_schedule.") for each in call.types(type="subscription_schedule.*")
    ]


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"coupon": "NONE"}, "phases[1][coupon]"),
        ({"discounts__0__promotion_code": "promo_none"}, "phases[1][discounts][0]"),
        ({"default_payment_method": "pm_none"}, "phases[1][default_payment_method]"),
        ({"items__0__quantity": -1}, "phases[1][items][0][quantity]"),
        ({"add_invoice_items__0__price": "price_none"}, "phases[1][add_invoice_items][0][price]"),
        ({"trial_end": 1}, "phases[1][trial_end]"),
        ({"trial_end": 4_000_000_000}, "phases[1][trial_end]"),
    ],
)
def test_a_later_phase_that_could_not_begin_is_refused(call, wrong: dict[str, Any], param: str) -> None:
    who, plan = customer(call), price(call)
    given = {"customer": who}
    for place, each in enumerate((phase(plan), phase(plan, **wrong))):
        given |= {f"phases[{place}][{name.replace('__', '][')}]": value for name, value in each.items()}
    for start in ("now", call.transport.now + DAY):
        assert call.refused(MADE, {**given, "start_date": start})["param"] == param
    assert call("GET /v1/subscription_schedules")["data"] == []
    assert call("GET /v1/subscriptions")["data"] == []
    made = schedule(call, who, phase(plan))
    changed = {name: value for name, value in given.items() if name != "customer"}
    refused = call.refused(f"{MADE}/{made['id']}", changed)
    assert refused["param"] == param
    assert call(f"GET /v1/subscription_schedules/{made['id']}")["phases"] == made["phases"]


def test_a_phase_that_can_begin_no_more_ends_the_schedule_alone(call) -> None:
    who, plan = customer(call), price(call, 1000)
    coupon = call("POST /v1/coupons", percent_off=50, duration="once")["id"]
    made = schedule(call, who, phase(plan), phase(plan, coupon=coupon))
    other = schedule(call, customer(call), phase(plan), phase(price(call, 3000)), phase(plan))
    call(f"DELETE /v1/coupons/{coupon}")
    until(call, made["phases"][0]["end_date"] + DAY)
    after = call(f"GET /v1/subscription_schedules/{made['id']}")
    assert (after["status"], after["current_phase"]) == ("canceled", None)
    subscription = call(f"GET /v1/subscriptions/{made['subscription']}")
    assert (subscription["status"], subscription["schedule"]) == ("active", None)
    assert invoice_of(call, subscription)["total"] == 1000
    assert "aborted" in schedule_events(call)
    going_on = call(f"GET /v1/subscription_schedules/{other['id']}")
    assert going_on["current_phase"]["start_date"] == other["phases"][1]["start_date"]


def test_without_something_to_charge_the_first_invoice_waits(call) -> None:
    made = schedule(
        call, customer(call, method=None), phase(price(call)), start_date=call.transport.now + DAY
    )
    until(call, call.transport.now + DAY + 1)
    begun = call(f"GET /v1/subscription_schedules/{made['id']}")
    assert begun["status"] == "active"
    subscription = call(f"GET /v1/subscriptions/{begun['subscription']}")
    assert (subscription["status"], invoice_of(call, subscription)["status"]) == ("incomplete", "open")
    until(call, call.transport.now + DAY)
    assert read(call, subscription)["status"] == "incomplete_expired"
    assert call(f"GET /v1/subscription_schedules/{made['id']}")["status"] == "canceled"
    assert schedule_events(call) == ["created", "updated", "aborted"]


def test_a_discount_is_of_its_phase(call) -> None:
    plan = price(call, 1000)
    coupon = call("POST /v1/coupons", percent_off=50, duration="forever")["id"]
    made = schedule(call, customer(call), phase(plan, coupon=coupon), phase(plan, iterations=2))
    subscription = call(f"GET /v1/subscriptions/{made['subscription']}")
    assert invoice_of(call, subscription)["total"] == 500
    until(call, made["phases"][0]["end_date"] + DAY)
    assert read(call, subscription)["discounts"] == []
    assert invoice_of(call, subscription)["total"] == 1000


def test_changing_a_phase_leaves_a_discount_that_stands(call) -> None:
    plan = price(call, 1000)
    coupon = call("POST /v1/coupons", percent_off=50, duration="forever", max_redemptions=1)["id"]
    made = schedule(call, customer(call), phase(plan, coupon=coupon))
    subscription = call(f"GET /v1/subscriptions/{made['subscription']}")
    path, given = f"{MADE}/{made['id']}", {"phases[0][items][0][price]": plan, "phases[0][iterations]": 3}
    call(path, {**given, "phases[0][coupon]": coupon})
    assert read(call, subscription)["discounts"] == subscription["discounts"]
    call(path, given)
    assert read(call, subscription)["discounts"] == []


def test_one_that_has_not_begun_can_begin_at_another_time(call) -> None:
    plan, now = price(call), call.transport.now
    made = schedule(call, customer(call), phase(plan), start_date=now + 9 * DAY)
    call(
        f"{MADE}/{made['id']}",
        {"phases[0][start_date]": now + DAY, "phases[0][items][0][price]": plan, "phases[0][iterations]": 1},
    )
    until(call, now + DAY)
    begun = call(f"GET /v1/subscription_schedules/{made['id']}")
    assert (begun["status"], begun["current_phase"]["start_date"]) == ("active", now + DAY)


def test_its_end_is_announced_a_week_ahead(call) -> None:
    made = schedule(call, customer(call), phase(price(call)), phase(price(call, 4000)))
    until(call, made["phases"][1]["end_date"] - 7 * DAY - 1)
    assert "expiring" not in schedule_events(call)
    until(call, made["phases"][1]["end_date"])
    assert schedule_events(call).count("expiring") == 1
