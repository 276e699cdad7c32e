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
        self.fixed = call("POST /v1/prices", unit_amount=90, **plain)["id"]
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
    assert renewal["total"] == 90 + 7 * 5


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
    assert sorted(line["amount"] for line in billed["lines"]["data"]) == [-45, 90, 500]
    after = call(f"GET /v1/subscriptions/{shop.made['id']}")
    assert after["current_period_start"] == after["billing_cycle_anchor"] == reported + 60
    call.transport.advance(shop.made["current_period_end"] - call.transport.now + DAY)
    assert shop.invoices("subscription_cycle") == []
    call.transport.advance(after["current_period_end"] - call.transport.now + DAY)
    assert [each["total"] for each in shop.invoices("subscription_cycle")] == [90]


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
    low = call.refused(path, {"billing_thresholds[amount_gte]": 90})
    assert (low["param"], "greater than the sum" in low["message"]) == (
        "billing_thresholds[amount_gte]",
        True,
    )
    last = metered(call, **{"recurring[aggregate_usage]": "last_ever", "unit_amount": 2})
    given = {
        "customer": shop.who, "items[0][price]": last, "billing_thresholds[amount_gte]": 100,
        "billing_thresholds[reset_billing_cycle_anchor]": True,
    }  # fmt: skip
    assert call.refused(ID, given)["param"] == "billing_thresholds[reset_billing_cycle_anchor]"
    given["billing_thresholds[reset_billing_cycle_anchor]"] = False
    assert call(ID, given)["status"] == "active"


def metered(call: Talk, **params: Any) -> str:
    """A price by usage; with usage records."""
    plain = {"product_data[name]": "T", "currency": "usd", "recurring[interval]": "month"}
    return str(call("POST /v1/prices", {**plain, "recurring[usage_type]": "metered", **params})["id"])


GRADUATED = {
    "billing_scheme": "tiered", "tiers_mode": "graduated",
    "tiers[0][up_to]": 10, "tiers[0][unit_amount]": 100, "tiers[0][flat_amount]": 300,
    "tiers[1][up_to]": 25, "tiers[1][unit_amount]": 50,
    "tiers[2][up_to]": "inf", "tiers[2][unit_amount]": 10, "tiers[2][flat_amount]": 70,
}  # fmt: skip
VOLUME = {**GRADUATED, "tiers_mode": "volume"}
PACKAGES = {"unit_amount": 250, "transform_quantity[divide_by]": 10, "transform_quantity[round]": "up"}


def records(call: Talk, price: str, **limits: Any) -> tuple[dict[str, Any], Any]:
    """A subscription to a metered price alone, and a way to report its usage."""
    card = {"payment_method": "pm_card_visa", "invoice_settings[default_payment_method]": "pm_card_visa"}
    who = call("POST /v1/customers", card)["id"]
    made = call(ID, {"customer": who, "items[0][price]": price, **limits})
    item = made["items"]["data"][0]["id"]

    def use(quantity: int) -> None:
        call(f"POST /v1/subscription_items/{item}/usage_records", quantity=quantity, timestamp="now")
        call.transport.advance(3 * 3600)

    return made, use


def billed(call: Talk, made: dict[str, Any]) -> list[tuple[str, int]]:
    """What each invoice came to, oldest first: reason, total."""
    listed = call.every("/v1/invoices", customer=made["customer"])[::-1]
    return [(each["billing_reason"].removeprefix("subscription_"), each["total"]) for each in listed]


def test_76_nothing_was_used_yet_on_the_first_invoice(call: Talk) -> None:
    """The flat amount of a tier is billed with the usage, in arrears."""
    made, use = records(call, metered(call, **GRADUATED))
    assert billed(call, made) == [("create", 0)]
    use(4)
    call.transport.advance(made["current_period_end"] - call.transport.now + 3 * 3600)
    assert billed(call, made) == [("create", 0), ("cycle", 700)]


def test_75_tiers_go_on_over_a_threshold(call: Talk) -> None:
    made, use = records(call, metered(call, **GRADUATED), **{"items[0][billing_thresholds][usage_gte]": 8})
    use(8)  # 300 + 8 x 100
    use(9)  # 2 x 100 + 7 x 50: the tier is full, its flat amount is paid
    use(3)
    assert billed(call, made) == [("create", 0), ("threshold", 1_100), ("threshold", 550)]
    listed = call.every("/v1/invoices", customer=made["customer"])
    shown = [(line["quantity"], line["amount"]) for line in listed[0]["lines"]["data"]]
    assert shown == [(2, 200), (7, 350)]
    preview = call("POST /v1/invoices/create_preview", subscription=made["id"])
    assert preview["total"] == 150
    call.transport.advance(made["current_period_end"] - call.transport.now + 3 * 3600)
    assert billed(call, made)[-1] == ("cycle", 150)
    use(8)
    assert billed(call, made)[-1] == ("threshold", 1_100)  # a new period, the first tier again


def test_75_packages_go_on_over_a_threshold(call: Talk) -> None:
    made, use = records(call, metered(call, **PACKAGES), **{"billing_thresholds[amount_gte]": 400})
    use(5)  # one package: 250
    use(7)  # two
    use(6)  # still two
    call.transport.advance(made["current_period_end"] - call.transport.now + 3 * 3600)
    assert billed(call, made) == [("create", 0), ("threshold", 500), ("cycle", 0)]


def test_75_other_aggregations_over_a_threshold(call: Talk) -> None:
    """The highest and the last value of a period are billed as what they add to what was billed."""
    for how, uses, bills in [
        ("max", (30, 20, 45), [("threshold", 60), ("cycle", 30)]),
        ("last_during_period", (30, 20, 45), [("threshold", 60), ("cycle", 30)]),
        ("last_during_period", (30, 12), [("threshold", 60), ("cycle", -36)]),
    ]:
        price = metered(call, **{"recurring[aggregate_usage]": how, "unit_amount": 2})
        made, use = records(call, price, **{"items[0][billing_thresholds][usage_gte]": 28})
        for quantity in uses:
            use(quantity)
        call.transport.advance(made["current_period_end"] - call.transport.now + 3 * 3600)
        assert billed(call, made)[1:] == bills


def test_76_last_ever_goes_on_from_period_to_period(call: Talk) -> None:
    price = metered(call, **{"recurring[aggregate_usage]": "last_ever", "unit_amount": 7})
    made, use = records(call, price)
    use(10)
    call.transport.advance(made["current_period_end"] - call.transport.now + 31 * DAY)
    assert billed(call, made) == [("create", 0), ("cycle", 70), ("cycle", 70)]


def test_75_discounts_count_and_the_last_day_does_not(call: Talk) -> None:
    call("POST /v1/coupons", id="half", percent_off=50, duration="forever")
    price = metered(call, unit_amount=10)
    limits = {"billing_thresholds[amount_gte]": 1_000, "discounts[0][coupon]": "half"}
    made, use = records(call, price, **limits)
    use(150)  # 750 after the discount
    assert len(billed(call, made)) == 1
    use(60)
    assert billed(call, made)[-1] == ("threshold", 1_050)
    call.transport.advance(made["current_period_end"] - call.transport.now - DAY + 60)
    use(500)
    assert len(billed(call, made)) == 2


def test_79_preview_of_a_threshold(call: Talk) -> None:
    """What was just used reaches it: that invoice comes next."""
    price = metered(call, **GRADUATED)
    made, _ = records(call, price)
    item = made["items"]["data"][0]["id"]
    call(f"POST /v1/subscription_items/{item}/usage_records", quantity=12, timestamp="now")
    plain = {"subscription": made["id"]}
    change = {
        "subscription_details[items][0][id]": item,
        "subscription_details[items][0][billing_thresholds][usage_gte]": 12,
    }
    assert call("POST /v1/invoices/create_preview", plain)["billing_reason"] == "upcoming"
    shown = call("POST /v1/invoices/create_preview", {**plain, **change})
    assert shown["threshold_reason"]["item_reasons"][0]["usage_gte"] == 12
    call(f"POST /v1/subscription_items/{item}", {"billing_thresholds[usage_gte]": 12})
    call.transport.advance(3 * 3600)
    last = call.every("/v1/invoices", customer=made["customer"])[0]
    assert (last["total"], last["billing_reason"]) == (shown["total"], "subscription_threshold")
    assert shown["billing_reason"] == "upcoming"


def test_80_thresholds_of_phases(call: Talk) -> None:
    price = metered(call, unit_amount=10)
    who = call("POST /v1/customers", {"payment_method": "pm_card_visa",
        "invoice_settings[default_payment_method]": "pm_card_visa"})["id"]  # fmt: skip
    first = {
        "customer": who, "phases[0][items][0][price]": price, "phases[0][iterations]": 1,
        "phases[0][items][0][billing_thresholds][usage_gte]": 30,
        "phases[1][items][0][price]": price, "phases[1][iterations]": 1,
        "phases[2][items][0][price]": price, "phases[2][iterations]": 1,
        "phases[2][billing_thresholds][amount_gte]": 700,
        "default_settings[billing_thresholds][amount_gte]": 900,
    }  # fmt: skip
    schedule = call("POST /v1/subscription_schedules", first)
    assert schedule["default_settings"]["billing_thresholds"] == {
        "amount_gte": 900, "reset_billing_cycle_anchor": False
    }  # fmt: skip
    assert schedule["phases"][0]["items"][0]["billing_thresholds"] == {"usage_gte": 30}
    seen = []
    for _ in range(3):
        now = call(f"GET /v1/subscriptions/{schedule['subscription']}")
        limits = now["items"]["data"][0]["billing_thresholds"]
        seen.append((now["billing_thresholds"]["amount_gte"], limits and limits["usage_gte"]))
        call.transport.advance(now["current_period_end"] - call.transport.now + 60)
    assert seen == [(900, 30), (900, None), (700, None)]
    plain = call("POST /v1/prices", unit_amount=500, currency="usd",
        **{"recurring[interval]": "month", "product_data[name]": "P"})["id"]  # fmt: skip
    bad = {"customer": who, "phases[0][items][0][price]": plain}
    error = call.refused(
        "POST /v1/subscription_schedules", {**bad, "phases[0][items][0][billing_thresholds][usage_gte]": 3}
    )
    assert error["param"] == "phases[0][items][0][billing_thresholds]"
    error = call.refused(
        "POST /v1/subscription_schedules", {**bad, "phases[0][billing_thresholds][amount_gte]": 500}
    )
    assert error["param"] == "phases[0][billing_thresholds][amount_gte]"
    call("POST /v1/coupons", id="fifth", percent_off=20, duration="forever")
    made = call(
        "POST /v1/subscription_schedules", {**bad, "phases[0][items][0][discounts][0][coupon]": "fifth"}
    )
    bill = call(f"GET /v1/subscriptions/{made['subscription']}", {"expand[]": "latest_invoice"})
    assert bill["latest_invoice"]["total"] == 400


def test_80_schedule_from_a_subscription_keeps_its_thresholds(call: Talk) -> None:
    rate = call("POST /v1/tax_rates", display_name="V", percentage=10, inclusive=False)["id"]
    price = metered(call, unit_amount=10)
    limits = {
        "billing_thresholds[amount_gte]": 800, "items[0][billing_thresholds][usage_gte]": 50,
        "items[0][tax_rates][]": rate,
    }  # fmt: skip
    made, _ = records(call, price, **limits)
    schedule = call("POST /v1/subscription_schedules", from_subscription=made["id"])
    (phase,) = schedule["phases"]
    assert phase["billing_thresholds"]["amount_gte"] == 800
    assert phase["items"][0]["billing_thresholds"] == {"usage_gte": 50}
    assert [each["id"] for each in phase["items"][0]["tax_rates"]] == [rate]


def test_75_all_bills_of_a_period_come_to_its_usage() -> None:
    """Tiers, packages and aggregations at random: thresholds change when it is billed, not what."""
    kinds = [GRADUATED, VOLUME, PACKAGES, {"unit_amount_decimal": "0.7"}]
    hows = ["sum", "max", "last_during_period"]
    reached = 0
    for seed in range(12):
        chance = random.Random(seed)
        call = Talk(SandboxTransport(demo=False))
        price = metered(call, **kinds[seed % 4], **{"recurring[aggregate_usage]": hows[seed % 3]})
        plain, use_plain = records(call, price)
        limits = {"billing_thresholds[amount_gte]": chance.choice([100, 900])} if seed % 2 else {
            "items[0][billing_thresholds][usage_gte]": chance.choice([1, 7, 15])}  # fmt: skip
        early, use_early = records(call, price, **limits)
        for _ in range(25):
            quantity = chance.randint(0, 9)
            for each in (use_plain, use_early):
                each(quantity)
            call.transport.advance(chance.choice([0, 3600, 4 * DAY]))
        totals = []
        for each in (plain, early):
            call(f"DELETE /v1/subscriptions/{each['id']}", invoice_now=True)
            totals.append(sum(total for _, total in billed(call, each)))
        assert totals[0] == totals[1], (seed, totals)
        reached += "threshold" in {reason for reason, _ in billed(call, early)}
        conserved(call.transport)
        call.client.close()
    assert reached >= 8


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


def test_76_usage_that_was_taken_back_is_no_credit(call: Talk) -> None:
    """Negative values take usage back; a period that comes to less than nothing is billed as nothing."""
    shop = Shop(call)
    shop.use(4)
    shop.use(-9)
    preview = call("POST /v1/invoices/create_preview", subscription=shop.made["id"])
    assert preview["total"] == 90


def test_76_usage_before_a_new_trial_is_billed(call: Talk) -> None:
    price = metered(call, unit_amount=10)
    made, use = records(call, price)
    use(30)
    call(f"POST /v1/subscriptions/{made['id']}", trial_end=call.transport.now + 5 * DAY)
    call.transport.advance(6 * DAY)
    assert sum(total for _, total in billed(call, made)) == 300
