"""Checkout sessions, completed as a customer would: paid, subscribed, set up, declined, expired."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import DAY, Talk

BACK = {"success_url": "https://example.com/done"}
MUG = {
    "line_items[0][price_data][currency]": "usd", "line_items[0][price_data][unit_amount]": 1500,
    "line_items[0][price_data][product_data][name]": "Mug", "line_items[0][quantity]": 2,
}  # fmt: skip


def complete(call: Talk, session: dict[str, Any], **params: Any) -> dict[str, Any]:
    return call(f"POST /v1/test_helpers/checkout/sessions/{session['id']}/complete", **params)


def test_a_guest_pays(call: Talk) -> None:
    session = call(
        "POST /v1/checkout/sessions",
        mode="payment",
        **BACK,
        **MUG,
        **{"payment_intent_data[description]": "Two mugs"},
    )
    assert session["id"].startswith("cs_test_") and session["url"].startswith("https://checkout.stripe.com/")
    assert (session["status"], session["payment_status"], session["amount_total"]) == ("open", "unpaid", 3000)
    [line] = call(f"GET /v1/checkout/sessions/{session['id']}/line_items")["data"]
    assert (line["description"], line["quantity"], line["amount_total"]) == ("Mug", 2, 3000)
    done = complete(call, session, email="jenny@example.com")
    assert (done["status"], done["payment_status"], done["customer"]) == ("complete", "paid", None)
    assert done["customer_details"]["email"] == "jenny@example.com"
    intent = call(f"GET /v1/payment_intents/{done['payment_intent']}")
    assert (intent["status"], intent["amount_received"], intent["description"]) == (
        "succeeded",
        3000,
        "Two mugs",
    )
    assert call.pending() == 3000 - 117
    assert call.types(type="checkout.session.*") == ["checkout.session.completed"]
    assert [
        each["id"] for each in call("GET /v1/checkout/sessions", payment_intent=intent["id"])["data"]
    ] == [session["id"]]
    assert call.refused(f"POST /v1/checkout/sessions/{session['id']}/expire")["status"] == 400


def test_a_declined_card_leaves_the_session_open(call: Talk) -> None:
    session = call("POST /v1/checkout/sessions", mode="payment", **BACK, **MUG)
    error = call.refused(
        f"POST /v1/test_helpers/checkout/sessions/{session['id']}/complete",
        payment_method="pm_card_visa_chargeDeclined",
    )
    assert (error["status"], error["code"]) == (402, "card_declined")
    assert call(f"GET /v1/checkout/sessions/{session['id']}")["status"] == "open"
    assert (
        complete(call, session, payment_method="pm_card_authenticationRequired")["payment_status"] == "paid"
    )


def test_a_subscription_begins(call: Talk) -> None:
    product = call("POST /v1/products", name="Team")["id"]
    price = call(
        "POST /v1/prices",
        product=product,
        currency="usd",
        unit_amount=2500,
        **{"recurring[interval]": "month"},
    )["id"]
    line = {"line_items[0][price]": price, "line_items[0][quantity]": 3}
    session = call("POST /v1/checkout/sessions", mode="subscription", customer_email="jenny@example.com",
                   **BACK, **line,
                   **{"subscription_data[metadata][plan]": "team"})  # fmt: skip
    done = complete(call, session, name="Jenny")
    subscription = call(f"GET /v1/subscriptions/{done['subscription']}")
    assert (subscription["status"], subscription["metadata"]) == ("active", {"plan": "team"})
    assert subscription["items"]["data"][0]["quantity"] == 3
    assert call(f"GET /v1/customers/{done['customer']}")["email"] == "jenny@example.com"
    assert (done["payment_status"], done["invoice"]) == ("paid", subscription["latest_invoice"])
    trial = call(
        "POST /v1/checkout/sessions",
        mode="subscription",
        **BACK,
        **line,
        **{"subscription_data[trial_period_days]": 14},
    )
    assert complete(call, trial)["payment_status"] == "no_payment_required"
    declined = call("POST /v1/checkout/sessions", mode="subscription", **BACK, **line)
    call.refused(
        f"POST /v1/test_helpers/checkout/sessions/{declined['id']}/complete",
        payment_method="pm_card_chargeCustomerFail",
    )
    assert len(call("GET /v1/subscriptions")["data"]) == 2


def test_a_method_is_set_up(call: Talk) -> None:
    session = call("POST /v1/checkout/sessions", mode="setup", currency="usd", **BACK)
    done = complete(call, session)
    intent = call(f"GET /v1/setup_intents/{done['setup_intent']}")
    assert (intent["status"], intent["customer"]) == ("succeeded", done["customer"])


def test_it_expires(call: Talk, sandbox) -> None:
    first, second = (call("POST /v1/checkout/sessions", mode="payment", **BACK, **MUG) for _ in range(2))
    assert call(f"POST /v1/checkout/sessions/{first['id']}/expire")["status"] == "expired"
    sandbox.advance(DAY + 1)
    assert call(f"GET /v1/checkout/sessions/{second['id']}")["status"] == "expired"
    assert call.types(type="checkout.session.expired") == ["checkout.session.expired"] * 2
    assert len(call("GET /v1/checkout/sessions", status="expired")["data"]) == 2


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({**MUG}, "success_url"),
        ({**BACK}, "line_items"),
        ({**BACK, **MUG, "mode": "setup"}, "line_items"),
        ({**BACK, **MUG, "customer": "cus_x"}, "customer"),
        ({**BACK, **MUG, "currency": "eur"}, "currency"),
        ({**BACK, **MUG, "line_items[0][quantity]": 0}, "line_items[0][quantity]"),
        ({**BACK, **MUG, "subscription_data[description]": "x"}, "subscription_data"),
        ({**BACK, **MUG, "expires_at": 1793610060}, "expires_at"),
        ({**BACK, **MUG, "discounts[0][coupon]": "x"}, "discounts[0][coupon]"),
    ],
)
def test_what_is_wrong_is_refused_by_name(call: Talk, params: dict[str, Any], param: str) -> None:
    error = call.refused("POST /v1/checkout/sessions", {"mode": "payment", **params})
    assert (error["status"], error["param"]) == (400, param)


PAGE = {"mode": "payment", **BACK, **MUG}
RECOVERED = {**PAGE, "after_expiration[recovery][enabled]": True, "metadata[cart]": "7"}


def test_a_session_that_expired_is_recovered_by_its_link(call: Talk) -> None:
    made = call("POST /v1/checkout/sessions", {**RECOVERED,
                "after_expiration[recovery][allow_promotion_codes]": True})  # fmt: skip
    waiting = {"allow_promotion_codes": True, "enabled": True, "expires_at": None, "url": None}
    assert made["after_expiration"] == {"recovery": waiting}
    follow = f"POST /v1/test_helpers/checkout/sessions/{made['id']}/recover"
    assert "no recovery URL" in call.refused(follow)["message"]
    gone = call(f"POST /v1/checkout/sessions/{made['id']}/expire")
    link = gone["after_expiration"]["recovery"]
    assert link["url"].startswith("https://buy.stripe.com/r/")
    assert link["expires_at"] == gone["expires_at"] - DAY + 30 * DAY
    event = call("GET /v1/events", type="checkout.session.expired")["data"][0]
    assert event["data"]["object"]["after_expiration"]["recovery"] == link
    again = call(follow)
    assert (again["recovered_from"], again["status"]) == (made["id"], "open")
    assert again["metadata"] == {"cart": "7"}
    assert again["amount_total"] == made["amount_total"]
    assert again["allow_promotion_codes"]
    assert complete(call, again)["payment_status"] == "paid"


def test_a_link_of_recovery_ends_after_thirty_days(call: Talk, sandbox) -> None:
    made = call("POST /v1/checkout/sessions", RECOVERED)
    plain = call("POST /v1/checkout/sessions", PAGE)
    sandbox.advance(2 * DAY)
    assert call(f"GET /v1/checkout/sessions/{plain['id']}")["after_expiration"] is None
    follow = f"POST /v1/test_helpers/checkout/sessions/{made['id']}/recover"
    assert call(follow)["allow_promotion_codes"] is None
    sandbox.advance(30 * DAY)
    assert "expired" in call.refused(follow)["message"]


@pytest.mark.parametrize("given", [{"mode": "setup"}, {"ui_mode": "embedded"}])
def test_only_hosted_pages_that_take_money_are_recovered(call: Talk, given) -> None:
    page = {"success_url": "https://example.com", "return_url": "https://example.com"}
    lines = {} if "mode" in given else MUG
    error = call.refused("POST /v1/checkout/sessions",
                         {**page, **lines, "mode": "payment", **given,
                          "after_expiration[recovery][enabled]": True})  # fmt: skip
    assert error["param"] == "after_expiration[recovery]"
