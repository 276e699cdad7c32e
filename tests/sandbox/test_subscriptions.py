"""Subscriptions as Stripe bills them: statuses, trials, prorations, payment behaviours, pauses, previews."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import DAY

HOUR = 3600
ID = "POST /v1/subscriptions"


def price(call, amount: int = 2500, interval: str = "month", **params: Any) -> str:
    return call(
        "POST /v1/prices",
        {
            "product_data[name]": "Team",
            "currency": "usd",
            "unit_amount": amount,
            "recurring[interval]": interval,
            **params,
        },
    )["id"]


def customer(call, method: str | None = "pm_card_visa", **params: Any) -> str:
    made = call("POST /v1/customers", params)["id"]
    if method:
        change_card(call, made, method)
    return made


def change_card(call, who: str, method: str) -> str:
    attached = call(f"POST /v1/payment_methods/{method}/attach", customer=who)["id"]
    call(f"POST /v1/customers/{who}", {"invoice_settings[default_payment_method]": attached})
    return attached


def subscribe(call, who: str, *prices: str, **params: Any) -> dict[str, Any]:
    items = {f"items[{place}][price]": each for place, each in enumerate(prices)}
    return call(ID, {"customer": who, **items, **params})


def read(call, subscription: dict[str, Any]) -> dict[str, Any]:
    return call(f"GET /v1/subscriptions/{subscription['id']}")


def invoice_of(call, subscription: dict[str, Any]) -> dict[str, Any]:
    return call(f"GET /v1/invoices/{read(call, subscription)['latest_invoice']}")


def until(call, moment: int) -> None:
    call.transport.advance(moment - call.transport.now)


FAILS = "pm_card_chargeCustomerFail"


def test_72_incomplete_expires_after_23_hours(call, sandbox) -> None:
    made = subscribe(call, customer(call, FAILS), price(call))
    assert made["status"] == "incomplete"
    sandbox.advance(23 * HOUR - 1)
    assert read(call, made)["status"] == "incomplete"
    sandbox.advance(1)
    after = read(call, made)
    assert (after["status"], after["ended_at"]) == ("incomplete_expired", sandbox.now)
    assert invoice_of(call, made)["status"] == "void"
    assert call.types()[-1] == "customer.subscription.updated"


def test_72_paying_the_first_invoice_makes_it_active(call) -> None:
    made = subscribe(call, customer(call, FAILS), price(call))
    call(f"POST /v1/invoices/{made['latest_invoice']}/pay", payment_method="pm_card_visa")
    assert read(call, made)["status"] == "active"


def test_72_canceling_an_incomplete_one(call) -> None:
    made = subscribe(call, customer(call, FAILS), price(call))
    assert call(f"DELETE /v1/subscriptions/{made['id']}")["status"] == "incomplete_expired"
    assert invoice_of(call, made)["status"] == "void"


@pytest.mark.parametrize(
    ("setting", "end"), [(None, "canceled"), ("unpaid", "unpaid"), ("past_due", "past_due")]
)
def test_72_dunning(call, sandbox, setting, end) -> None:
    if setting:
        call("POST /v1/test_helpers/subscription_settings", after_last_attempt=setting)
    who = customer(call)
    made = subscribe(call, who, price(call))
    change_card(call, who, FAILS)
    until(call, made["current_period_end"] + 2 * HOUR)
    renewed = read(call, made)
    assert renewed["status"] == "past_due"
    assert renewed["current_period_start"] == made["current_period_end"]
    invoice = invoice_of(call, made)
    assert (invoice["status"], invoice["attempt_count"], invoice["billing_reason"]) == (
        "open",
        1,
        "subscription_cycle",
    )
    sandbox.advance(16 * DAY)
    ended = read(call, made)
    assert ended["status"] == end
    assert invoice_of(call, made)["attempt_count"] == 4
    if end == "canceled":
        assert ended["cancellation_details"]["reason"] == "payment_failed"


def test_72_paying_brings_it_back(call, sandbox) -> None:
    who = customer(call)
    made = subscribe(call, who, price(call))
    change_card(call, who, FAILS)
    until(call, made["current_period_end"] + 2 * HOUR)
    change_card(call, who, "pm_card_visa")
    sandbox.advance(3 * DAY)
    assert (read(call, made)["status"], invoice_of(call, made)["status"]) == ("active", "paid")


def test_73_a_trial(call, sandbox) -> None:
    made = subscribe(call, customer(call), price(call), trial_period_days=14)
    assert (made["status"], made["trial_end"], made["current_period_end"]) == (
        "trialing",
        sandbox.now + 14 * DAY,
        sandbox.now + 14 * DAY,
    )
    first = invoice_of(call, made)
    assert (first["total"], first["status"], first["billing_reason"]) == (0, "paid", "subscription_create")
    sandbox.advance(11 * DAY)
    assert call.types()[-1] == "customer.subscription.trial_will_end"
    sandbox.advance(3 * DAY + 2 * HOUR)
    after = read(call, made)
    assert (after["status"], after["current_period_start"]) == ("active", made["trial_end"])
    assert (invoice_of(call, made)["total"], invoice_of(call, made)["status"]) == (2500, "paid")


@pytest.mark.parametrize(
    ("behavior", "status"), [("create_invoice", "past_due"), ("pause", "paused"), ("cancel", "canceled")]
)
def test_73_a_trial_without_a_card(call, sandbox, behavior, status) -> None:
    made = subscribe(
        call,
        customer(call, None),
        price(call),
        **{"trial_period_days": 7, "trial_settings[end_behavior][missing_payment_method]": behavior},
    )
    sandbox.advance(7 * DAY + 3 * HOUR)
    assert read(call, made)["status"] == status
    if status == "paused":
        who = made["customer"]
        assert call.refused(f"{ID}/{made['id']}/resume")["code"] == "resource_missing"
        change_card(call, who, "pm_card_visa")
        resumed = call(f"{ID}/{made['id']}/resume")
        assert (resumed["status"], resumed["current_period_start"]) == ("active", sandbox.now)
        assert invoice_of(call, made)["amount_paid"] == 2500


def test_73_trial_end_now(call, sandbox) -> None:
    made = subscribe(call, customer(call), price(call), trial_period_days=14)
    sandbox.advance(DAY)
    after = call(f"{ID}/{made['id']}", trial_end="now")
    assert (after["status"], after["current_period_start"]) == ("active", sandbox.now)
    assert invoice_of(call, made)["amount_paid"] == 2500


def test_74_recorded_month_to_year_on_the_first_day(call) -> None:
    """25.00 a month to 250.00 a year: an invoice of 225.00 = -25.00 + 250.00."""
    made = subscribe(call, customer(call), price(call))
    yearly = price(call, 25000, "year")
    after = call(
        f"{ID}/{made['id']}",
        {
            "items[0][id]": made["items"]["data"][0]["id"], "items[0][plan]": yearly, "items[0][quantity]": 1,
            "cancel_at_period_end": False,
            "proration_behavior": "always_invoice", "trial_end": "now", "billing_cycle_anchor": "now",
        },
    )  # fmt: skip
    assert after["plan"]["interval"] == "year"
    invoice = invoice_of(call, made)
    assert (invoice["total"], invoice["amount_paid"], invoice["billing_reason"]) == (
        22500,
        22500,
        "subscription_update",
    )
    assert sorted((each["amount"], each["proration"]) for each in invoice["lines"]["data"]) == [
        (-2500, True),
        (25000, True),
    ]


def test_74_an_upgrade_to_the_second(call, sandbox) -> None:
    made = subscribe(call, customer(call), price(call, 3000))
    item = made["items"]["data"][0]["id"]
    length = made["current_period_end"] - made["current_period_start"]
    sandbox.advance(length // 3)
    call(f"{ID}/{made['id']}", {"items[0][id]": item, "items[0][price]": price(call, 9000)})
    pending = call.every("/v1/invoiceitems", pending=True)
    assert sorted(each["amount"] for each in pending) == [-2000, 6000]
    assert all(each["proration"] and each["subscription"] == made["id"] for each in pending)
    assert "Unused time on Team after" in pending[1]["description"] + pending[0]["description"]
    until(call, made["current_period_end"] + 2 * HOUR)
    assert (invoice_of(call, made)["total"], invoice_of(call, made)["status"]) == (13000, "paid")


def test_74_always_none_and_a_downgrade(call, sandbox) -> None:
    made = subscribe(call, customer(call), price(call, 3000))
    item = made["items"]["data"][0]["id"]
    length = made["current_period_end"] - made["current_period_start"]
    sandbox.advance(length // 2)
    call(
        f"{ID}/{made['id']}",
        {"items[0][id]": item, "items[0][quantity]": 3, "proration_behavior": "always_invoice"},
    )
    invoice = invoice_of(call, made)
    assert (invoice["total"], invoice["status"], invoice["billing_reason"]) == (
        3000,
        "paid",
        "subscription_update",
    )
    call(f"{ID}/{made['id']}", {"items[0][id]": item, "items[0][quantity]": 2, "proration_behavior": "none"})
    assert call.every("/v1/invoiceitems", pending=True) == []
    call(
        f"{ID}/{made['id']}",
        {"items[0][id]": item, "items[0][quantity]": 1, "proration_behavior": "always_invoice"},
    )
    assert invoice_of(call, made)["total"] == -1500
    assert call(f"GET /v1/customers/{made['customer']}")["balance"] == -1500
    until(call, made["current_period_end"] + 2 * HOUR)
    assert invoice_of(call, made)["amount_due"] == 1500


def test_74_canceling_with_a_credit(call, sandbox) -> None:
    made = subscribe(call, customer(call), price(call, 3000))
    sandbox.advance((made["current_period_end"] - made["current_period_start"]) // 2)
    gone = call(f"DELETE /v1/subscriptions/{made['id']}", prorate=True, invoice_now=True)
    assert (gone["status"], gone["cancellation_details"]["reason"]) == ("canceled", "cancellation_requested")
    assert invoice_of(call, made)["total"] == -1500


def test_75_payment_behaviors(call) -> None:
    who, plan = customer(call, FAILS), price(call)
    before = len(call.every("/v1/subscriptions", status="all"))
    refused = call.refused(
        ID, {"customer": who, "items[0][price]": plan, "payment_behavior": "error_if_incomplete"}
    )
    assert (refused["status"], refused["code"]) == (402, "card_declined")
    assert len(call.every("/v1/subscriptions", status="all")) == before
    assert call.every("/v1/invoices", customer=who) == []
    waits = subscribe(call, who, plan, payment_behavior="default_incomplete")
    intent = call(f"GET /v1/payment_intents/{invoice_of(call, waits)['payment_intent']}")
    assert (waits["status"], intent["status"]) == ("incomplete", "requires_payment_method")
    call(f"POST /v1/payment_intents/{intent['id']}/confirm", payment_method="pm_card_visa")
    assert read(call, waits)["status"] == "active"


def test_75_pending_if_incomplete(call, sandbox) -> None:
    who = customer(call)
    made = subscribe(call, who, price(call, 1000))
    item = made["items"]["data"][0]["id"]
    change_card(call, who, FAILS)
    change = {
        "items[0][id]": item, "items[0][price]": price(call, 9000),
        "payment_behavior": "pending_if_incomplete",
        "proration_behavior": "always_invoice",
    }  # fmt: skip
    waiting = call(f"{ID}/{made['id']}", change)
    assert waiting["status"] == "active"
    assert waiting["pending_update"]["subscription_items"][0]["price"]["unit_amount"] == 9000
    assert waiting["items"]["data"][0]["price"]["unit_amount"] == 1000
    call(f"POST /v1/invoices/{waiting['latest_invoice']}/pay", payment_method="pm_card_visa")
    done = read(call, made)
    assert (done["pending_update"], done["items"]["data"][0]["price"]["unit_amount"]) == (None, 9000)
    again = call(f"{ID}/{made['id']}", {**change, "items[0][price]": price(call, 12000)})
    sandbox.advance(23 * HOUR)
    dropped = read(call, made)
    assert (dropped["pending_update"], dropped["items"]["data"][0]["price"]["unit_amount"]) == (None, 9000)
    assert call(f"GET /v1/invoices/{again['latest_invoice']}")["status"] == "void"


@pytest.mark.parametrize(
    ("behavior", "status"),
    [("void", "void"), ("mark_uncollectible", "uncollectible"), ("keep_as_draft", "draft")],
)
def test_75_a_paused_collection(call, behavior, status) -> None:
    made = subscribe(call, customer(call), price(call))
    call(
        f"{ID}/{made['id']}",
        {
            "pause_collection[behavior]": behavior,
            "pause_collection[resumes_at]": made["current_period_end"] + DAY,
        },
    )
    until(call, made["current_period_end"] + 2 * HOUR)
    assert invoice_of(call, made)["status"] == status
    until(call, made["current_period_end"] + DAY)
    assert read(call, made)["pause_collection"] is None


def test_75_ends(call, sandbox) -> None:
    made = subscribe(call, customer(call), price(call))
    ending = call(f"{ID}/{made['id']}", cancel_at_period_end=True)
    assert (ending["cancel_at"], ending["canceled_at"]) == (made["current_period_end"], sandbox.now)
    until(call, made["current_period_end"])
    assert read(call, made)["status"] == "canceled"
    other = subscribe(call, customer(call), price(call), cancel_at=sandbox.now + 5 * DAY)
    sandbox.advance(5 * DAY)
    assert read(call, other)["status"] == "canceled"


def test_75_what_goes_on_the_first_invoice(call) -> None:
    once = call("POST /v1/prices", {"product_data[name]": "Setup", "currency": "usd", "unit_amount": 500})[
        "id"
    ]
    rate = call("POST /v1/tax_rates", display_name="VAT", percentage=20, inclusive=False)["id"]
    call("POST /v1/coupons", id="HALF", percent_off=50, duration="once")
    made = subscribe(
        call, customer(call), price(call, 1000),
        **{
            "add_invoice_items[0][price]": once, "default_tax_rates[]": rate, "discounts[0][coupon]": "HALF",
            "days_until_due": 7,
            "collection_method": "send_invoice",
        },
    )  # fmt: skip
    invoice = invoice_of(call, made)
    assert (invoice["subtotal"], invoice["total"], invoice["tax"]) == (1500, 900, 150)
    assert invoice["due_date"] == call.transport.now + 7 * DAY
    assert read(call, made)["discounts"] == []
    until(call, made["current_period_end"] + 2 * HOUR)
    assert invoice_of(call, made)["total"] == 1200
    until(call, made["current_period_end"] + 9 * DAY)
    assert read(call, made)["status"] == "past_due"


def test_75_an_anchor_in_the_future(call, sandbox) -> None:
    made = subscribe(call, customer(call), price(call, 3000), billing_cycle_anchor=sandbox.now + 10 * DAY)
    assert made["current_period_end"] == sandbox.now + 10 * DAY
    assert invoice_of(call, made)["total"] == 968  # 10 of the 31 days up to the anchor
    free = subscribe(
        call,
        customer(call),
        price(call, 3000),
        billing_cycle_anchor=sandbox.now + 10 * DAY,
        proration_behavior="none",
    )
    assert invoice_of(call, free)["total"] == 0


def test_75_backdated(call, sandbox) -> None:
    made = subscribe(call, customer(call), price(call, 3000), backdate_start_date=sandbox.now - 45 * DAY)
    assert made["start_date"] == sandbox.now - 45 * DAY
    assert made["current_period_start"] <= sandbox.now < made["current_period_end"]
    assert invoice_of(call, made)["total"] == 6000


def test_71_values_out_of_their_domain(call, sandbox) -> None:
    who, plan = customer(call), price(call)
    yearly, euros = price(call, 9000, "year"), price(call, currency="eur")
    one_time = call("POST /v1/prices", {"product_data[name]": "X", "currency": "usd", "unit_amount": 5})["id"]
    archived = price(call)
    call(f"POST /v1/prices/{archived}", active=False)
    for params, param in [
        ({"items[0][price]": plan, "items[0][quantity]": -1}, "items[0][quantity]"),
        ({"items[0][price]": plan, "items[1][price]": plan}, "items"),
        ({"items[0][price]": plan, "items[1][price]": yearly}, "items"),
        ({"items[0][price]": archived}, "items[0][price]"),
        ({"items[0][price]": one_time}, "items[0][price]"),
        ({"items[0][price]": plan, "trial_end": sandbox.now - 1}, "trial_end"),
        ({"items[0][price]": plan, "trial_end": sandbox.now + 800 * DAY}, "trial_end"),
        ({"items[0][price]": plan, "cancel_at": sandbox.now - 5}, "cancel_at"),
        ({"items[0][price]": plan, "backdate_start_date": sandbox.now + 5}, "backdate_start_date"),
        ({"items[0][price]": plan, "billing_cycle_anchor": sandbox.now + 60 * DAY}, "billing_cycle_anchor"),
        ({"items[0][price]": plan, "collection_method": "send_invoice"}, "days_until_due"),
        ({"items[0][price]": plan, "days_until_due": 3}, "days_until_due"),
        ({"items[0][price]": plan, "payment_behavior": "pending_if_incomplete"}, "payment_behavior"),
    ]:
        error = call.refused(ID, {"customer": who, **params})
        assert (error["status"], error.get("param")) == (400, param), params
    assert call.every("/v1/subscriptions", status="all") == []
    subscribe(call, who, plan)
    assert call.refused(ID, {"customer": who, "items[0][price]": euros})["status"] == 400
    price(call, lookup_key="team")
    assert (
        call.refused(
            "POST /v1/prices",
            {"product_data[name]": "T", "currency": "usd", "unit_amount": 1, "lookup_key": "team"},
        )["param"]
        == "lookup_key"
    )
    moved = price(call, lookup_key="team", transfer_lookup_key=True)
    assert [each["id"] for each in call("GET /v1/prices", {"lookup_keys[]": "team"})["data"]] == [moved]


def tiers(mode: str) -> dict[str, Any]:
    return {
        "unit_amount": None, "billing_scheme": "tiered", "tiers_mode": mode, "tiers[0][up_to]": 5,
        "tiers[0][unit_amount]": 700,
        "tiers[0][flat_amount]": 1000, "tiers[1][up_to]": "inf", "tiers[1][unit_amount]": 500,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("mode", "quantity", "total"),
    [
        ("graduated", 5, 4500),
        ("graduated", 8, 6000),
        ("volume", 5, 4500),
        ("volume", 8, 4000),
        ("graduated", 0, 1000),
    ],
)
def test_76_tiers(call, mode, quantity, total) -> None:
    plan = price(call, **tiers(mode))
    made = subscribe(call, customer(call), plan, **{"items[0][quantity]": quantity})
    invoice = invoice_of(call, made)
    assert invoice["total"] == total == sum(line["amount"] for line in invoice["lines"]["data"])
    shown = call(f"GET /v1/prices/{plan}", {"expand[]": "tiers"})["tiers"]
    assert shown[1] == {
        "flat_amount": None, "flat_amount_decimal": None, "unit_amount": 500, "unit_amount_decimal": "500",
        "up_to": None,
    }  # fmt: skip


def test_76_packages_and_fractions(call) -> None:
    boxes = price(call, 1000, **{"transform_quantity[divide_by]": 10, "transform_quantity[round]": "up"})
    made = subscribe(call, customer(call), boxes, **{"items[0][quantity]": 11})
    assert invoice_of(call, made)["total"] == 2000
    tiny = price(call, unit_amount=None, unit_amount_decimal="0.5")
    assert invoice_of(call, subscribe(call, customer(call), tiny, **{"items[0][quantity]": 3}))["total"] == 2
    trial = price(call, **{"recurring[trial_period_days]": 10})
    assert subscribe(call, customer(call), trial, trial_from_plan=True)["status"] == "trialing"


def test_76_metered_usage_by_meter_events(call, sandbox) -> None:
    meter = call(
        "POST /v1/billing/meters",
        {"display_name": "Calls", "event_name": "calls", "default_aggregation[formula]": "sum"},
    )["id"]
    plan = price(call, 2, **{"recurring[usage_type]": "metered", "recurring[meter]": meter})
    who = customer(call)
    made = subscribe(call, who, plan)
    assert invoice_of(call, made)["total"] == 0
    assert "quantity" not in made["items"]["data"][0]
    for value in (100, 250):
        call(
            "POST /v1/billing/meter_events",
            {"event_name": "calls", "payload[stripe_customer_id]": who, "payload[value]": value},
        )
        sandbox.advance(HOUR)
    until(call, made["current_period_end"] + 2 * HOUR)
    invoice = invoice_of(call, made)
    assert (invoice["total"], invoice["lines"]["data"][0]["quantity"], invoice["status"]) == (
        700,
        350,
        "paid",
    )
    assert invoice["lines"]["data"][0]["period"]["end"] == made["current_period_end"]
    assert (
        call.refused(f"POST /v1/subscription_items/{made['items']['data'][0]['id']}", quantity=2)["param"]
        == "quantity"
    )


def test_76_usage_records_of_the_older_api(call) -> None:
    plan = price(call, 10, **{"recurring[usage_type]": "metered"})
    made = subscribe(call, customer(call), plan)
    item = made["items"]["data"][0]["id"]
    for quantity in (3, 4):
        call(f"POST /v1/subscription_items/{item}/usage_records", quantity=quantity)
    call(f"POST /v1/subscription_items/{item}/usage_records", quantity=20, action="set")
    (summary,) = call(f"GET /v1/subscription_items/{item}/usage_record_summaries")["data"]
    assert summary["total_usage"] == 20
    until(call, made["current_period_end"] + 2 * HOUR)
    assert invoice_of(call, made)["total"] == 200


def test_77_coupons(call, sandbox) -> None:
    call("POST /v1/coupons", id="Q", percent_off=10, duration="repeating", duration_in_months=2)
    made = subscribe(call, customer(call), price(call, 1000), **{"discounts[0][coupon]": "Q"})
    totals = [invoice_of(call, made)["total"]]
    for _ in range(3):
        until(call, read(call, made)["current_period_end"] + 2 * HOUR)
        totals.append(invoice_of(call, made)["total"])
    assert totals == [900, 900, 1000, 1000]
    product = call("POST /v1/products", name="Only")["id"]
    call(
        "POST /v1/coupons",
        {"id": "ONLY", "percent_off": 50, "duration": "forever", "applies_to[products][]": product},
    )
    own = call(
        "POST /v1/prices",
        {"product": product, "currency": "usd", "unit_amount": 1000, "recurring[interval]": "month"},
    )["id"]
    both = subscribe(call, customer(call), own, price(call, 1000), **{"discounts[0][coupon]": "ONLY"})
    assert invoice_of(call, both)["total"] == 1500


def test_77_promotion_codes(call) -> None:
    call("POST /v1/coupons", id="TEN", percent_off=10, duration="forever")
    code = call(
        "POST /v1/promotion_codes",
        {
            "coupon": "TEN",
            "code": "Spring",
            "restrictions[minimum_amount]": 2000,
            "restrictions[minimum_amount_currency]": "usd",
        },
    )["id"]
    assert [each["id"] for each in call.every("/v1/promotion_codes", code="SPRING")] == [code]
    small = {"customer": customer(call), "items[0][price]": price(call, 1000), "promotion_code": code}
    assert call.refused(ID, small)["param"] == "promotion_code"
    made = subscribe(call, customer(call), price(call, 3000), promotion_code=code)
    assert (invoice_of(call, made)["total"], made["discount"]["promotion_code"]) == (2700, code)
    first = call("POST /v1/promotion_codes", {"coupon": "TEN", "restrictions[first_time_transaction]": True})[
        "id"
    ]
    again = {"customer": made["customer"], "items[0][price]": price(call), "promotion_code": first}
    assert call.refused(ID, again)["code"] == "promotion_code_invalid"


def test_78_plans_are_prices(call) -> None:
    product = call("POST /v1/products", name="P")["id"]
    plan = call(
        "POST /v1/plans",
        id="small",
        amount=2500,
        currency="usd",
        interval="month",
        product=product,
        nickname="Small",
    )
    assert (plan["object"], plan["amount"], plan["nickname"]) == ("plan", 2500, "Small")
    assert call("GET /v1/plans/small") == plan
    made = call(ID, customer=customer(call), plan="small")
    assert made["plan"] == plan == made["items"]["data"][0]["plan"]
    assert (made["quantity"], invoice_of(call, made)["lines"]["data"][0]["plan"]) == (1, plan)
    assert invoice_of(call, made)["lines"]["data"][0]["description"] == "1 × P (at $25.00 / month)"
    error = call.refused(ID, {"customer": made["customer"], "items[0][plan]": "invalid"})
    assert (error["param"], error["code"], error["message"]) == (
        "plan",
        "resource_missing",
        "No such plan: 'invalid'",
    )


def same_invoice(preview: dict[str, Any], real: dict[str, Any]) -> None:
    for name in (
        "subtotal",
        "total",
        "tax",
        "amount_due",
        "currency",
        "customer",
        "subscription",
        "starting_balance",
    ):
        assert preview[name] == real[name], name
    assert preview["billing_reason"] == "upcoming"
    shown = ("amount", "description", "period", "proration", "quantity", "type")
    assert [{name: line[name] for name in shown} for line in preview["lines"]["data"]] == [
        {name: line[name] for name in shown} for line in real["lines"]["data"]
    ]


def test_79_previews_are_what_comes(call, sandbox) -> None:
    made = subscribe(call, customer(call), price(call, 3000))
    item = made["items"]["data"][0]["id"]
    sandbox.advance(9 * DAY + 1234)
    changes = {"subscription_details[items][0][id]": item, "subscription_details[items][0][quantity]": 4}
    at_once = {**changes, "subscription_details[proration_behavior]": "always_invoice"}
    preview = call("POST /v1/invoices/create_preview", {"subscription": made["id"], **at_once})
    known = len(call.every("/v1/invoices"))
    assert preview["id"].startswith("upcoming_in_")
    assert len(call.every("/v1/invoiceitems", pending=True)) == 0
    call(
        f"{ID}/{made['id']}",
        {"items[0][id]": item, "items[0][quantity]": 4, "proration_behavior": "always_invoice"},
    )
    assert len(call.every("/v1/invoices")) == known + 1
    same_invoice(preview, invoice_of(call, made))
    call("POST /v1/invoiceitems", customer=made["customer"], amount=777, currency="usd")
    coming = call("GET /v1/invoices/upcoming", subscription=made["id"])
    assert "id" not in coming or coming["object"] == "invoice"
    lines = call("GET /v1/invoices/upcoming/lines", subscription=made["id"])["data"]
    until(call, made["current_period_end"] + 2 * HOUR)
    same_invoice(coming, invoice_of(call, made))
    assert len(lines) == 2
    assert call.refused("GET /v1/invoices/upcoming")["message"].startswith(
        "You must either provide a `customer`"
    )


def test_80_items_by_themselves(call) -> None:
    made = subscribe(call, customer(call), price(call, 1000))
    seat = price(call, 300)
    item = call("POST /v1/subscription_items", subscription=made["id"], price=seat, quantity=2)
    assert call(f"POST /v1/subscription_items/{item['id']}", quantity=5)["quantity"] == 5
    assert call(f"DELETE /v1/subscription_items/{item['id']}")["deleted"] is True
    assert [each["price"]["unit_amount"] for each in read(call, made)["items"]["data"]] == [1000]


def test_80_schedules(call, sandbox) -> None:
    small, large = price(call, 1000), price(call, 5000)
    made = call(
        "POST /v1/subscription_schedules",
        {
            "customer": customer(call), "start_date": "now", "end_behavior": "cancel",
            "phases[0][items][0][price]": small,
            "phases[0][iterations]": 1, "phases[1][items][0][price]": large, "phases[1][iterations]": 2,
        },
    )  # fmt: skip
    subscription = call(f"GET /v1/subscriptions/{made['subscription']}")
    assert (made["status"], subscription["schedule"], invoice_of(call, subscription)["total"]) == (
        "active",
        made["id"],
        1000,
    )
    until(call, subscription["current_period_end"] + 2 * HOUR)
    assert invoice_of(call, subscription)["total"] == 5000
    until(call, made["phases"][1]["end_date"] + HOUR)
    assert call(f"GET /v1/subscription_schedules/{made['id']}")["status"] == "completed"
    assert read(call, subscription)["status"] == "canceled"


def test_80_quotes(call) -> None:
    plan = price(call, 2000)
    quote = call(
        "POST /v1/quotes",
        {"customer": customer(call), "line_items[0][price]": plan, "line_items[0][quantity]": 3},
    )
    assert (quote["status"], quote["amount_total"]) == ("draft", 6000)
    assert call(f"POST /v1/quotes/{quote['id']}/finalize")["status"] == "open"
    assert call.raw(f"GET /v1/quotes/{quote['id']}/pdf").content.startswith(b"%PDF-")
    accepted = call(f"POST /v1/quotes/{quote['id']}/accept")
    subscription = call(f"GET /v1/subscriptions/{accepted['subscription']}")
    assert (accepted["status"], subscription["status"], subscription["quantity"]) == ("accepted", "active", 3)
    assert call.refused(f"POST /v1/quotes/{quote['id']}/cancel")["status"] == 400


def test_75_an_end_within_the_period_gives_back_what_is_after_it(call, sandbox) -> None:
    who = customer(call)
    made = subscribe(call, who, price(call, 3100))
    start, end = made["current_period_start"], made["current_period_end"]
    whole, ends = end - start, start + 10 * DAY
    path = f"{ID}/{made['id']}"

    def pending() -> list[int]:
        return [each["amount"] for each in call.every("/v1/invoiceitems", customer=who, pending=True)]

    call(path, cancel_at=ends)
    assert pending() == [-round(3100 * (end - ends) / whole)]
    call(path, cancel_at=ends + DAY)
    assert pending() == [-round(3100 * (end - ends - DAY) / whole)]
    call(path, cancel_at="")
    assert pending() == []
    call(path, cancel_at=ends, proration_behavior="none")
    assert pending() == []
    call(path, cancel_at=ends + 2 * DAY, proration_behavior="always_invoice")
    back = invoice_of(call, made)
    assert (back["billing_reason"], back["total"]) == (
        "subscription_update",
        -round(3100 * (end - ends - 2 * DAY) / whole),
    )
    assert call(f"GET /v1/customers/{who}")["balance"] == back["total"]
    call(path, cancel_at="")
    assert pending() == [-back["total"]]
    call(path, cancel_at=ends)
    sandbox.advance(11 * DAY)
    assert read(call, made)["status"] == "canceled"


def test_77_a_coupon_in_another_currency_is_refused(call) -> None:
    who, plan = customer(call), price(call)
    coupon = {"amount_off": 300, "currency": "eur", "duration": "once"}
    abroad = call("POST /v1/coupons", coupon)["id"]
    known = call("POST /v1/coupons", {**coupon, "currency_options[usd][amount_off]": 200})["id"]
    error = call.refused(ID, {"customer": who, "items[0][price]": plan, "discounts[0][coupon]": abroad})
    assert (error["status"], error["param"]) == (400, "discounts[0]")
    made = subscribe(call, who, plan, **{"discounts[0][coupon]": known})
    assert invoice_of(call, made)["total"] == 2500 - 200
    draft = call("POST /v1/invoices", customer=who, currency="usd")["id"]
    assert call.refused(f"POST /v1/invoices/{draft}", {"discounts[0][coupon]": abroad})["status"] == 400
    item = {"customer": who, "amount": 900, "currency": "usd", "discounts[0][coupon]": abroad}
    assert call.refused("POST /v1/invoiceitems", item)["status"] == 400


def test_81_automatic_tax_needs_to_know_where_the_customer_is(call) -> None:
    plan = price(call, 1000)
    nowhere, there = customer(call), customer(call, **{"address[country]": "DE"})
    taxed = {"items[0][price]": plan, "automatic_tax[enabled]": True}
    assert call.refused(ID, {"customer": nowhere, **taxed})["code"] == "customer_tax_location_invalid"
    assert invoice_of(call, call(ID, {"customer": there, **taxed}))["total"] == 1190


@pytest.mark.parametrize(
    ("value", "country", "status"),
    [("DE000000000", "DE", "verified"), ("000000000", None, "verified"), ("FR111111111", "FR", "unverified"),
     ("222222222", None, "pending"), ("DE123456789", "DE", "pending")],
)  # fmt: skip
def test_81_test_numbers_are_verified(call, sandbox, value, country, status) -> None:
    who = call(
        "POST /v1/customers", {"name": "Weide KG", "address[country]": "DE", "address[city]": "Berlin"}
    )["id"]
    made = call(f"POST /v1/customers/{who}/tax_ids", type="eu_vat", value=value)
    assert (made["country"], made["verification"]["status"]) == (country, "pending")
    sandbox.advance(HOUR)
    found = call(f"GET /v1/customers/{who}/tax_ids/{made['id']}")["verification"]
    assert found["status"] == status
    assert found["verified_name"] == ("Weide KG" if status == "verified" else None)
    assert call.types(type="customer.tax_id.updated") == ["customer.tax_id.updated"] * (status != "pending")


def test_74_prorations_are_net_of_amounts_off(call, sandbox) -> None:
    """What a coupon takes off is in the amounts of prorations: on the first second a change costs the
    difference of the net prices."""
    call("POST /v1/coupons", id="FIVE", amount_off=500, currency="usd", duration="forever")
    made = subscribe(call, customer(call), price(call, 2500), **{"discounts[0][coupon]": "FIVE"})
    item = made["items"]["data"][0]["id"]
    dear = {
        "items[0][id]": item,
        "items[0][price]": price(call, 5000),
        "proration_behavior": "always_invoice",
    }
    call(f"{ID}/{made['id']}", dear)
    invoice = invoice_of(call, made)
    assert [line["amount"] for line in invoice["lines"]["data"]] == [-2000, 4500]
    assert (invoice["total"], [line["discount_amounts"] for line in invoice["lines"]["data"]]) == (
        2500,
        [[], []],
    )
    sandbox.advance((made["current_period_end"] - sandbox.now) // 2)
    call(
        f"{ID}/{made['id']}",
        {"items[0][price]": price(call, 4500), "proration_behavior": "always_invoice", "coupon": ""},
    )
    added = invoice_of(call, made)["lines"]["data"]
    assert [line["amount"] for line in added] == [2132]  # half of 4500 less its share of the 500: 4500 / 9500


def test_77_an_amount_off_once_waits_for_what_it_can_lower(call, sandbox) -> None:
    made = subscribe(call, customer(call), price(call, 2000))
    call("POST /v1/coupons", id="ONCE", amount_off=300, currency="usd", duration="once")
    path, item = f"{ID}/{made['id']}", made["items"]["data"][0]["id"]
    call(path, {"coupon": "ONCE"})
    changed = call(
        path, {"items[0][id]": item, "items[0][quantity]": 2, "proration_behavior": "always_invoice"}
    )
    assert invoice_of(call, made)["total"] == 2000
    assert changed["discount"]["coupon"]["id"] == "ONCE"
    sandbox.advance(made["current_period_end"] - sandbox.now + 2 * 3600)
    renewed = invoice_of(call, made)
    assert (renewed["subtotal"], renewed["total"]) == (4000, 3700)
    assert call(f"GET /v1/subscriptions/{made['id']}")["discount"] is None
