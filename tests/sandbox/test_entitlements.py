"""Features of products, and the customers who have them by their subscriptions."""

from __future__ import annotations

from .conftest import DAY, Talk

SUMMARY = "entitlements.active_entitlement_summary.updated"


def keys(call: Talk, who: str) -> list[str]:
    listed = call("GET /v1/entitlements/active_entitlements", customer=who)["data"]
    return sorted(each["lookup_key"] for each in listed)


def summaries(call: Talk) -> list[list[str]]:
    """What each event of a change says that the customer has, oldest first."""
    listed = call("GET /v1/events", type=SUMMARY, limit=100)["data"][::-1]
    return [
        sorted(each["lookup_key"] for each in event["data"]["object"]["entitlements"]["data"])
        for event in listed
    ]


def test_features_follow_subscriptions(call: Talk) -> None:
    sso, api = (
        call("POST /v1/entitlements/features", lookup_key=key, name=key.upper())["id"]
        for key in ("sso", "api")
    )
    small, large = (call("POST /v1/products", name=name)["id"] for name in ("S", "L"))
    one, two = (
        call("POST /v1/prices", product=product, currency="usd", unit_amount=500,
             **{"recurring[interval]": "month"})["id"]
        for product in (small, large)
    )  # fmt: skip
    call(f"POST /v1/products/{small}/features", entitlement_feature=api)
    link = call(f"POST /v1/products/{large}/features", entitlement_feature=sso)
    assert (link["object"], link["entitlement_feature"]["lookup_key"]) == ("product_feature", "sso")
    call(f"POST /v1/products/{large}/features", entitlement_feature=api)
    who = call("POST /v1/customers", {"payment_method": "pm_card_visa",
        "invoice_settings[default_payment_method]": "pm_card_visa"})["id"]  # fmt: skip
    assert keys(call, who) == []
    made = call("POST /v1/subscriptions", {"customer": who, "items[0][price]": one, "trial_period_days": 3})
    assert keys(call, who) == ["api"]
    (has,) = call("GET /v1/entitlements/active_entitlements", customer=who)["data"]
    again = call(f"GET /v1/entitlements/active_entitlements/{has['id']}", {"expand[]": "feature"})
    assert again["feature"]["id"] == api
    call.transport.advance(4 * DAY)
    item = made["items"]["data"][0]["id"]
    call(f"POST /v1/subscriptions/{made['id']}", {"items[0][id]": item, "items[0][price]": two})
    assert keys(call, who) == ["api", "sso"]
    assert call(f"DELETE /v1/products/{large}/features/{link['id']}")["deleted"] is True
    assert keys(call, who) == ["api"]
    call(f"DELETE /v1/subscriptions/{made['id']}")
    assert keys(call, who) == []
    assert summaries(call) == [["api"], ["api", "sso"], ["api"], []]


def test_what_is_refused(call: Talk) -> None:
    feature = call("POST /v1/entitlements/features", lookup_key="sso", name="SSO")["id"]
    product = call("POST /v1/products", name="P")["id"]
    path = f"POST /v1/products/{product}/features"
    assert call.refused("POST /v1/entitlements/features", lookup_key="sso", name="x")["param"] == "lookup_key"
    assert call.refused(path, entitlement_feature="feat_x")["code"] == "resource_missing"
    call(path, entitlement_feature=feature)
    assert call.refused(path, entitlement_feature=feature)["param"] == "entitlement_feature"
    assert call.refused(f"GET /v1/products/{product}/features/prodft_x")["status"] == 404
    call(f"POST /v1/entitlements/features/{feature}", active=False)
    other = call("POST /v1/products", name="Q")["id"]
    assert call.refused(f"POST /v1/products/{other}/features", entitlement_feature=feature)["status"] == 400
    assert call("GET /v1/entitlements/features")["data"] == []
    assert len(call("GET /v1/entitlements/features", archived=True)["data"]) == 1
    error = call.refused("GET /v1/entitlements/active_entitlements", customer="cus_x")
    assert (error["code"], error["param"]) == ("resource_missing", "customer")


def test_tax_ids_of_the_account_and_of_customers(call: Talk) -> None:
    who = call("POST /v1/customers", name="A")["id"]
    own = call("POST /v1/tax_ids", type="eu_vat", value="DE123456789")
    assert (own["owner"], own["customer"]) == ({"type": "self"}, None)
    named = {"owner[type]": "customer", "owner[customer]": who}
    theirs = call("POST /v1/tax_ids", {"type": "eu_vat", "value": "DE000000000", **named})
    assert theirs["customer"] == who
    assert [each["id"] for each in call("GET /v1/tax_ids")["data"]] == [own["id"]]
    assert [each["id"] for each in call("GET /v1/tax_ids", named)["data"]] == [theirs["id"]]
    assert call(f"GET /v1/customers/{who}/tax_ids")["data"] == [theirs]
    call.transport.advance(120)
    assert call(f"GET /v1/tax_ids/{theirs['id']}")["verification"]["status"] == "verified"
    assert call(f"DELETE /v1/tax_ids/{theirs['id']}")["deleted"] is True
    assert call.refused(f"GET /v1/tax_ids/{theirs['id']}")["code"] == "resource_missing"
    bad = {"type": "eu_vat", "value": "DE1", "owner[type]": "customer"}
    assert call.refused("POST /v1/tax_ids", bad)["param"] == "owner[customer]"
    assert call.refused("POST /v1/tax_ids", {"type": "eu_vat", "value": "DE1"})["code"] == "tax_id_invalid"


def test_alerts_are_sent_once_for_each_customer(call: Talk) -> None:
    meter = call("POST /v1/billing/meters", display_name="M", event_name="m",
                 **{"default_aggregation[formula]": "sum"})["id"]  # fmt: skip
    ada, ben = (call("POST /v1/customers", name=name)["id"] for name in ("Ada", "Ben"))
    limit = {"usage_threshold[gte]": 100, "usage_threshold[recurrence]": "one_time",
             "usage_threshold[meter]": meter}  # fmt: skip
    params = {"alert_type": "usage_threshold", "title": "Much", **limit}
    every = call("POST /v1/billing/alerts", params)
    only = {"usage_threshold[filters][0][type]": "customer", "usage_threshold[filters][0][customer]": ben}
    bens = call("POST /v1/billing/alerts", {**params, **only, "usage_threshold[gte]": 50})

    def use(who: str, value: int) -> list[tuple[str, str, int]]:
        payload = {"payload[stripe_customer_id]": who, "payload[value]": value}
        call("POST /v1/billing/meter_events", event_name="m", **payload)
        listed = call("GET /v1/events", type="billing.alert.triggered", limit=100)["data"][::-1]
        found = [each["data"]["object"] for each in listed]
        return [(each["alert"]["id"], each["customer"], each["value"]) for each in found]

    assert use(ada, 60) == []
    assert use(ada, 50) == [(every["id"], ada, 110)]
    assert use(ada, 500) == use(ben, 5) == [(every["id"], ada, 110)]
    call(f"POST /v1/billing/alerts/{every['id']}/deactivate")
    assert use(ben, 200)[1:] == [(bens["id"], ben, 205)]
    assert call.refused(f"POST /v1/billing/alerts/{every['id']}/deactivate")["status"] == 400
    assert call(f"POST /v1/billing/alerts/{every['id']}/activate")["status"] == "active"
    assert use(ben, 1)[2:] == [(every["id"], ben, 206)]
    assert call(f"POST /v1/billing/alerts/{every['id']}/archive")["status"] == "archived"
    assert [each["id"] for each in call("GET /v1/billing/alerts", meter=meter)["data"]] == [
        bens["id"], every["id"]
    ]  # fmt: skip
    error = call.refused("POST /v1/billing/alerts", {**params, "usage_threshold[meter]": "mtr_x"})
    assert (error["code"], error["param"]) == ("resource_missing", "usage_threshold[meter]")
