"""Stripe's own test clocks: customers whose time goes forward by an advance, beside the sandbox's clock."""

from __future__ import annotations

from typing import Any

import pytest

from stripe_magics.sandbox import SandboxTransport, snapshot

from .conftest import DAY, Talk

MONTH, SHORT = 31 * DAY, 30 * DAY + 60


@pytest.fixture
def clock(call: Talk) -> dict[str, Any]:
    return call("POST /v1/test_helpers/test_clocks", frozen_time=call.transport.now, name="A year ahead")


def subscribed(call: Talk, clock: str, **more: Any) -> dict[str, Any]:
    price = call(
        "POST /v1/prices",
        currency="usd",
        unit_amount=1_000,
        **{"recurring[interval]": "month", "product_data[name]": "P"},
    )["id"]
    customer = call(
        "POST /v1/customers", test_clock=clock, payment_method="pm_card_visa",
        **{"invoice_settings[default_payment_method]": "pm_card_visa"},
    )  # fmt: skip
    assert customer["test_clock"] == clock
    return call("POST /v1/subscriptions", {"customer": customer["id"], "items[0][price]": price, **more})


def test_its_time_goes_forward_alone(call: Talk, clock: dict[str, Any]) -> None:
    begin = call.transport.now
    subscription = subscribed(call, clock["id"])
    assert (clock["status"], subscription["test_clock"], subscription["created"]) == (
        "ready",
        clock["id"],
        begin,
    )
    moving = call(f"POST /v1/test_helpers/test_clocks/{clock['id']}/advance", frozen_time=begin + SHORT)
    assert (moving["status"], moving["status_details"]["advancing"]["target_frozen_time"]) == (
        "advancing",
        begin + SHORT,
    )
    ready = call(f"GET /v1/test_helpers/test_clocks/{clock['id']}")
    assert (ready["status"], ready["frozen_time"]) == ("ready", begin + SHORT)
    renewed = call(f"GET /v1/subscriptions/{subscription['id']}")
    assert renewed["current_period_start"] > begin
    latest = call(f"GET /v1/invoices/{renewed['latest_invoice']}")
    assert (latest["billing_reason"], latest["test_clock"], latest["status"]) == (
        "subscription_cycle",
        clock["id"],
        "draft",
    )
    call(f"POST /v1/test_helpers/test_clocks/{clock['id']}/advance", frozen_time=begin + MONTH)
    assert call(f"GET /v1/invoices/{latest['id']}")["status"] == "paid"
    assert call.transport.now == begin
    # money and events have no future
    assert all(each["created"] == begin for each in call.every("/v1/balance_transactions"))
    assert all(each["created"] == begin for each in call.every("/v1/events"))
    kinds = call.types(type="test_helpers.test_clock.*")
    assert kinds == [f"test_helpers.test_clock.{each}" for each in ("created", *("advancing", "ready") * 2)]
    call.transport.advance(20 * DAY)  # the sandbox's own time is not the clock's
    assert (
        call(f"GET /v1/subscriptions/{subscription['id']}")["current_period_start"]
        == renewed["current_period_start"]
    )


def test_what_belongs_to_it_is_listed_when_it_is_named(call: Talk, clock: dict[str, Any]) -> None:
    other = call("POST /v1/customers", name="Real time")["id"]
    subscription = subscribed(call, clock["id"])
    customer = subscription["customer"]
    assert [each["id"] for each in call("GET /v1/customers")["data"]] == [other]
    assert [each["id"] for each in call("GET /v1/customers", test_clock=clock["id"])["data"]] == [customer]
    assert call("GET /v1/subscriptions")["data"] == call("GET /v1/invoices")["data"] == []
    assert len(call("GET /v1/subscriptions", test_clock=clock["id"])["data"]) == 1
    assert len(call("GET /v1/invoices", customer=customer)["data"]) == 1
    assert call.refused("GET /v1/customers", test_clock="clock_none")["param"] == "test_clock"


def test_how_far_it_goes(call: Talk, clock: dict[str, Any]) -> None:
    begin, path = call.transport.now, f"/v1/test_helpers/test_clocks/{clock['id']}/advance"
    assert call.refused(f"POST {path}", frozen_time=begin)["param"] == "frozen_time"
    assert "two years" in call.refused(f"POST {path}", frozen_time=begin + 3 * 366 * DAY)["message"]
    subscribed(call, clock["id"])
    assert "two intervals" in call.refused(f"POST {path}", frozen_time=begin + 3 * MONTH)["message"]
    for _ in range(2):
        call("POST /v1/customers", test_clock=clock["id"])
    assert "at most 3" in call.refused("POST /v1/customers", test_clock=clock["id"])["message"]
    assert call.refused("POST /v1/customers", test_clock="clock_none")["code"] == "resource_missing"


def test_a_failed_renewal_is_dunned_on_its_clock(call: Talk, clock: dict[str, Any]) -> None:
    begin = call.transport.now
    subscription = subscribed(call, clock["id"])
    method = call(
        "POST /v1/payment_methods/pm_card_chargeCustomerFail/attach", customer=subscription["customer"]
    )["id"]
    call(
        f"POST /v1/customers/{subscription['customer']}", {"invoice_settings[default_payment_method]": method}
    )
    path = f"/v1/test_helpers/test_clocks/{clock['id']}/advance"
    call(f"POST {path}", frozen_time=begin + MONTH + DAY)
    assert call(f"GET /v1/subscriptions/{subscription['id']}")["status"] == "past_due"
    call(f"POST {path}", frozen_time=begin + 2 * MONTH)
    assert call(f"GET /v1/subscriptions/{subscription['id']}")["status"] == "canceled"


def test_it_takes_its_customers_with_it(call: Talk, clock: dict[str, Any]) -> None:
    subscription = subscribed(call, clock["id"])
    assert call(f"DELETE /v1/test_helpers/test_clocks/{clock['id']}")["deleted"] is True
    assert call(f"GET /v1/customers/{subscription['customer']}")["deleted"] is True
    assert call.refused(f"GET /v1/subscriptions/{subscription['id']}")["status"] == 404
    assert call("GET /v1/subscriptions", status="all")["data"] == call("GET /v1/invoices")["data"] == []
    later = call("POST /v1/test_helpers/test_clocks", frozen_time=call.transport.now)
    customer = call("POST /v1/customers", test_clock=later["id"])["id"]
    call.transport.advance(30 * DAY)
    assert call.refused(f"GET /v1/test_helpers/test_clocks/{later['id']}")["status"] == 404
    assert call(f"GET /v1/customers/{customer}")["deleted"] is True


def test_it_is_kept_in_a_file(call: Talk, clock: dict[str, Any]) -> None:
    begin = call.transport.now
    subscription = subscribed(call, clock["id"])
    again = SandboxTransport(demo=False)
    again.account = snapshot.restore(snapshot.dump(call.transport.account))
    copy = Talk(again)
    for talk in (call, copy):
        talk(f"POST /v1/test_helpers/test_clocks/{clock['id']}/advance", frozen_time=begin + MONTH)
    path = f"GET /v1/subscriptions/{subscription['id']}"
    assert copy(path) == call(path)
    call.refused(f"POST /v1/test_helpers/test_clocks/{clock['id']}/advance", frozen_time=begin)
    assert call(f"GET /v1/test_helpers/test_clocks/{clock['id']}")["frozen_time"] == begin + MONTH
