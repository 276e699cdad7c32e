"""Billing thresholds: usage is invoiced when it comes to an amount or a quantity, and never twice."""

from __future__ import annotations

import random
from typing import Any

from stripe_magics.sandbox import SandboxTransport

from .conftest import DAY, Talk, conserved

ID = "POST /v1/subscriptions"


class Shop:
    """A customer whose calls are metered, by a meter or by usage records."""

    def __init__(self, call: Talk, *, metered_by: str = "meter", **params: Any) -> None:
        self.call = call
        call.transport.advance(0)
        plain = {"product_data[name]": "Calls", "currency": "usd", "recurring[interval]": "month"}
        more: dict[str, Any] = {}
        if metered_by == "meter":
            more["recurring[meter]"] = call("POST /v1/billing/meters", display_name="Calls",
                                            event_name="calls",
                                            **{"default_aggregation[formula]": "sum"})["id"]  # fmt: skip
        self.metered = call(
            "POST /v1/prices", unit_amount=5, **plain, **{"recurring[usage_type]": "metered"}, **more
        )["id"]
        self.fixed = call("POST /v1/prices", unit_amount=3_000, **plain)["id"]
        card = {"payment_method": "pm_card_visa", "invoice_settings[default_payment_method]": "pm_card_visa"}
        self.who = call("POST /v1/customers", card)["id"]
        given = {"customer": self.who, "items[0][price]": self.metered, "items[1][price]": self.fixed}
        self.made = call(ID, {**given, **params})
        self.by = metered_by

    def use(self, quantity: int) -> None:
        if self.by == "meter":
            payload = {"payload[stripe_customer_id]": self.who, "payload[value]": quantity}
            self.call("POST /v1/billing/meter_events", event_name="calls", **payload)
        else:
            item = self.made["items"]["data"][0]["id"]
            self.call(f"POST /v1/subscription_items/{item}/usage_records", quantity=quantity, timestamp="now")

    def wait(self, seconds: int = 3 * 3600) -> None:
        self.call.transport.advance(seconds)

    def invoices(self, reason: str = "") -> list[dict[str, Any]]:
        found = self.call.every("/v1/invoices", customer=self.who)[::-1]
        return [each for each in found if reason in {"", each["billing_reason"]}]


def test_75_an_amount_is_reached(call: Talk) -> None:
    shop = Shop(call, **{"billing_thresholds[amount_gte]": 1_000})
    assert shop.made["billing_thresholds"] == {"amount_gte": 1_000, "reset_billing_cycle_anchor": False}
    shop.use(150)
    shop.wait()
    assert shop.invoices("subscription_threshold") == []
    shop.use(50)
    shop.use(10)  # in the same second
    shop.wait()
    (billed,) = shop.invoices("subscription_threshold")
    assert (billed["status"], billed["total"]) == ("paid", 210 * 5)
    assert billed["threshold_reason"] == {"amount_gte": 1_000, "item_reasons": []}
    after = call(f"GET /v1/subscriptions/{shop.made['id']}")
    assert (after["current_period_end"], after["latest_invoice"]) == (
        shop.made["current_period_end"],
        billed["id"],
    )
    shop.use(7)
    call.transport.advance(after["current_period_end"] - call.transport.now + 3 * 3600)
    (renewal,) = shop.invoices("subscription_cycle")
    assert renewal["total"] == 3_000 + 7 * 5


def test_75_a_quantity_is_reached(call: Talk) -> None:
    shop = Shop(call, metered_by="records", **{"items[0][billing_thresholds][usage_gte]": 100})
    item = shop.made["items"]["data"][0]
    assert item["billing_thresholds"] == {"usage_gte": 100}
    shop.use(130)
    shop.wait()
    (billed,) = shop.invoices("subscription_threshold")
    (reason,) = billed["threshold_reason"]["item_reasons"]
    assert (billed["total"], reason["usage_gte"], billed["threshold_reason"]["amount_gte"]) == (
        650,
        100,
        None,
    )
    assert reason["line_item_ids"] == [billed["lines"]["data"][0]["id"]]
    call(f"POST /v1/subscription_items/{item['id']}", {"billing_thresholds": ""})
    shop.use(500)
    shop.wait()
    assert len(shop.invoices("subscription_threshold")) == 1


def test_75_a_new_period_begins(call: Talk) -> None:
    shop = Shop(
        call,
        **{"billing_thresholds[amount_gte]": 500, "billing_thresholds[reset_billing_cycle_anchor]": True},
    )
    half = (shop.made["current_period_end"] - call.transport.now) // 2
    call.transport.advance(half)
    shop.use(100)
    reported = call.transport.now
    shop.wait()
    (billed,) = shop.invoices("subscription_threshold")
    assert sorted(line["amount"] for line in billed["lines"]["data"]) == [-1_500, 500, 3_000]
    after = call(f"GET /v1/subscriptions/{shop.made['id']}")
    assert after["current_period_start"] == after["billing_cycle_anchor"] == reported + 60
    call.transport.advance(shop.made["current_period_end"] - call.transport.now + DAY)
    assert shop.invoices("subscription_cycle") == []
    call.transport.advance(after["current_period_end"] - call.transport.now + DAY)
    assert [each["total"] for each in shop.invoices("subscription_cycle")] == [3_000]


def test_75_what_is_refused(call: Talk) -> None:
    shop = Shop(call)
    path = f"{ID}/{shop.made['id']}"
    assert (
        call.refused(path, {"billing_thresholds[amount_gte]": 0})["param"] == "billing_thresholds[amount_gte]"
    )
    fixed = {
        "items[0][id]": shop.made["items"]["data"][1]["id"],
        "items[0][billing_thresholds][usage_gte]": 5,
    }
    assert call.refused(path, fixed)["param"] == "items[0][billing_thresholds]"
    tiered = call("POST /v1/prices", {
        "product_data[name]": "T", "currency": "usd", "recurring[interval]": "month",
        "recurring[usage_type]": "metered",
        "billing_scheme": "tiered", "tiers_mode": "graduated", "tiers[0][up_to]": "inf",
        "tiers[0][unit_amount]": 2,
    })["id"]  # fmt: skip
    given = {"customer": shop.who, "items[0][price]": tiered, "billing_thresholds[amount_gte]": 100}
    assert "tiers" in call.refused(ID, given)["message"]


def test_75_usage_is_billed_once_whatever_the_threshold() -> None:
    """(c) Random usage over four months, with and without thresholds: what was billed for calls is what was
    called."""
    for seed in range(6):
        chance = random.Random(seed)
        call = Talk(SandboxTransport(demo=False))
        limits = {"billing_thresholds[amount_gte]": chance.choice([100, 2_000])} if seed % 3 else {}
        if seed % 2:
            limits |= {"items[0][billing_thresholds][usage_gte]": 90}
        shop = Shop(call, metered_by=chance.choice(["meter", "records"]), **limits)
        total = 0
        for _ in range(40):
            quantity = chance.randint(1, 120)
            total += quantity
            shop.use(quantity)
            shop.wait(chance.choice([0, 30, 60, 3600, 5 * DAY]))
        shop.wait(1)
        call(f"DELETE /v1/subscriptions/{shop.made['id']}", invoice_now=True)
        lines = [line for each in shop.invoices() for line in call.every(f"/v1/invoices/{each['id']}/lines")]
        calls = [line for line in lines if line["price"]["id"] == shop.metered]
        assert sum(line["amount"] for line in calls) == 5 * sum(line["quantity"] for line in calls)
        assert total == sum(line["quantity"] for line in calls)
        assert bool(shop.invoices("subscription_threshold")) is bool(limits)
        conserved(call.transport)
        call.client.close()
