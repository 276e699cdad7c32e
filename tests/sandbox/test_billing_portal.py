"""The customer portal: configurations, and sessions that lead to it or straight to one of its tasks."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Talk

NEWER = "2026-10-28.endive"
PATH = "/v1/billing_portal"
HISTORY = {"features[invoice_history][enabled]": "true"}


@pytest.fixture
def monthly(call: Talk) -> str:
    product = call("POST /v1/products", name="Plan")["id"]
    given = {"product": product, "currency": "usd", "unit_amount": 1000, "recurring[interval]": "month"}
    return str(call("POST /v1/prices", **given)["id"])


@pytest.fixture
def subscription(call: Talk, monthly: str) -> dict[str, Any]:
    who = call("POST /v1/customers", payment_method="pm_card_visa",
               **{"invoice_settings[default_payment_method]": "pm_card_visa"})["id"]  # fmt: skip
    return call("POST /v1/subscriptions", customer=who, **{"items[0][price]": monthly})


def updates(call: Talk, price: str) -> dict[str, Any]:
    return {
        "features[subscription_update][enabled]": "true",
        "features[subscription_update][default_allowed_updates][0]": "price",
        "features[subscription_update][products][0][product]": call(f"GET /v1/prices/{price}")["product"],
        "features[subscription_update][products][0][prices][0]": price,
    }  # fmt: skip


@pytest.mark.parametrize("version", ["2025-02-24.acacia", NEWER])
def test_a_session_leads_to_the_portal_and_back(call: Talk, version: str) -> None:
    call.client.headers["Stripe-Version"] = version
    who = call("POST /v1/customers")["id"]
    session = call(f"POST {PATH}/sessions", customer=who, return_url="https://example.com/account")
    assert session["id"].startswith("bps_") and session["url"].startswith(
        "https://billing.stripe.com/p/session/"
    )
    assert (session["customer"], session["flow"], session["livemode"]) == (who, None, False)
    [own] = call(f"GET {PATH}/configurations", is_default=True)["data"]
    assert (session["configuration"], own["is_default"]) == (own["id"], True)
    made = call(f"POST {PATH}/configurations", **HISTORY, default_return_url="https://example.com/home",
                **{"business_profile[headline]": "Hello", "metadata[a]": "b"})  # fmt: skip
    assert made["features"]["invoice_history"] == {"enabled": True}
    assert made["features"]["subscription_cancel"]["mode"] == "at_period_end"
    again = call(f"POST {PATH}/sessions", customer=who, configuration=made["id"])
    assert (again["configuration"], again["return_url"]) == (made["id"], "https://example.com/home")
    assert call.types(type="billing_portal.*") == [
        "billing_portal.session.created", "billing_portal.configuration.created",
        "billing_portal.session.created",
    ]  # fmt: skip


def test_a_configuration_changes_by_parts_and_is_switched_off(call: Talk) -> None:
    made = call(f"POST {PATH}/configurations", **HISTORY)
    path = f"POST {PATH}/configurations/{made['id']}"
    changed = call(path, **{"features[subscription_cancel][enabled]": "true",
                            "features[subscription_cancel][mode]": "immediately",
                            "login_page[enabled]": "true"})  # fmt: skip
    assert changed["features"]["invoice_history"]["enabled"] is True
    assert changed["features"]["subscription_cancel"]["mode"] == "immediately"
    assert changed["features"]["subscription_cancel"]["proration_behavior"] == "none"
    assert changed["login_page"]["url"].startswith("https://billing.stripe.com/p/login/")
    call(path, active=False)
    who = call("POST /v1/customers")["id"]
    error = call.refused(f"POST {PATH}/sessions", customer=who, configuration=made["id"])
    assert error["param"] == "configuration"
    assert [each["id"] for each in call(f"GET {PATH}/configurations", active=False)["data"]] == [made["id"]]
    [own] = call(f"GET {PATH}/configurations", active=True)["data"]
    assert call.refused(f"POST {PATH}/configurations/{own['id']}", active=False)["param"] == "active"
    assert call.refused(f"GET {PATH}/configurations/bpc_none")["status"] == 404


def test_flows_go_straight_to_a_task(call: Talk, subscription: dict[str, Any], monthly: str) -> None:
    who, own = subscription["customer"], subscription["id"]
    cancel = {"flow_data[type]": "subscription_cancel", "flow_data[subscription_cancel][subscription]": own}
    back = {
        "flow_data[after_completion][type]": "redirect",
        "flow_data[after_completion][redirect][return_url]": "https://example.com/x",
    }
    flow = call(f"POST {PATH}/sessions", customer=who, **cancel, **back)["flow"]
    assert flow["subscription_cancel"] == {"subscription": own, "retention": None}
    assert flow["after_completion"]["redirect"] == {"return_url": "https://example.com/x"}
    method = call(f"POST {PATH}/sessions", customer=who, **{"flow_data[type]": "payment_method_update"})
    assert method["flow"]["after_completion"]["type"] == "portal_homepage"
    confirm = {
        "flow_data[type]": "subscription_update_confirm",
        "flow_data[subscription_update_confirm][subscription]": own,
        "flow_data[subscription_update_confirm][items][0][id]": subscription["items"]["data"][0]["id"],
        "flow_data[subscription_update_confirm][items][0][price]": monthly,
    }  # fmt: skip
    error = call.refused(f"POST {PATH}/sessions", customer=who, **confirm)
    assert "feature in the portal configuration is disabled" in error["message"]
    made = call(f"POST {PATH}/configurations", **updates(call, monthly))["id"]
    flow = call(f"POST {PATH}/sessions", customer=who, configuration=made, **confirm)["flow"]
    assert flow["subscription_update_confirm"]["items"][0]["price"] == monthly
    error = call.refused(f"POST {PATH}/sessions", customer=who, configuration=made, **confirm,
                         **{"flow_data[subscription_update_confirm][items][0][quantity]": 2})  # fmt: skip
    assert error["param"] == "flow_data[subscription_update_confirm][items][0][quantity]"
    call(f"POST /v1/subscriptions/{own}", cancel_at_period_end=True)
    error = call.refused(f"POST {PATH}/sessions", customer=who, **cancel)
    assert "already set to be canceled" in error["message"]
    other = call("POST /v1/customers")["id"]
    assert call.refused(f"POST {PATH}/sessions", customer=other, **cancel)["code"] == "resource_missing"


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({}, "features"),
        ({"features[customer_update][enabled]": "true"}, "features[customer_update][allowed_updates]"),
        ({"features[subscription_update][enabled]": "true"},
         "features[subscription_update][default_allowed_updates]"),
        ({"features[subscription_update][enabled]": "true",
          "features[subscription_update][default_allowed_updates][0]": "price"},
         "features[subscription_update][products]"),
        ({"features[subscription_cancel][enabled]": "true",
          "features[subscription_cancel][proration_behavior]": "create_prorations"},
         "features[subscription_cancel][proration_behavior]"),
        ({"features[subscription_update][enabled]": "true",
          "features[subscription_update][default_allowed_updates][0]": "price",
          "features[subscription_update][products][0][product]": "prod_none",
          "features[subscription_update][products][0][prices][0]": "price_none"},
         "features[subscription_update][products][0][product]"),
        ({**HISTORY, "business_profile[privacy_policy_url]": "nowhere"},
         "business_profile[privacy_policy_url]"),
        ({"features[subscription_cancel][enabled]": "true", "features[subscription_cancel][mode]": "later"},
         "features[subscription_cancel][mode]"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_configuration(call: Talk, params: dict[str, str], param: str) -> None:
    error = call.refused(f"POST {PATH}/configurations", **params)
    assert (error["status"], error["param"]) == (400, param)
