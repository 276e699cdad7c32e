"""The demo account's objects have the very keys that the sandbox's own objects of their type have."""

import httpx
import pytest

from stripe_magics.sandbox import SandboxTransport


def opened(*, demo):
    transport = SandboxTransport(demo=demo)
    return transport, httpx.Client(
        transport=transport,
        base_url="https://api.stripe.com",
        headers={"Authorization": "Bearer sk_test_shapes"},
    )


@pytest.fixture(scope="module")
def made():
    """One object of each type, made by requests on an empty sandbox."""
    _, client = opened(demo=False)

    def post(path, **values):
        answer = client.post(path, data=values)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def get(path):
        return client.get(path).json()

    customer = post(
        "/v1/customers",
        payment_method="pm_card_visa",
        **{"invoice_settings[default_payment_method]": "pm_card_visa"},
    )
    product = post("/v1/products", name="Team")
    price = post(
        "/v1/prices",
        product=product["id"],
        currency="usd",
        unit_amount="5000",
        **{"recurring[interval]": "month"},
    )
    single = post("/v1/prices", product=product["id"], currency="usd", unit_amount="5000")
    seat = post(
        "/v1/prices",
        product=product["id"],
        currency="usd",
        unit_amount="900",
        **{"recurring[interval]": "month"},
    )
    two = {"items[0][price]": price["id"], "items[1][price]": seat["id"]}
    subscription = post("/v1/subscriptions", customer=customer["id"], **two)
    invoice = get(f"/v1/invoices/{subscription['latest_invoice']}")
    intent = post(
        "/v1/payment_intents",
        amount="5000",
        currency="usd",
        confirm="true",
        off_session="true",
        payment_method="pm_card_bypassPending",
    )
    charge = get(f"/v1/charges/{intent['latest_charge']}")
    refund = post("/v1/refunds", charge=charge["id"], amount="100")
    payout = post("/v1/payouts", amount="1000", currency="usd")
    post(
        "/v1/payment_intents",
        amount="5000",
        currency="usd",
        confirm="true",
        off_session="true",
        payment_method="pm_card_createDispute",
    )
    endpoint = post(
        "/v1/webhook_endpoints", url="https://example.com/x", **{"enabled_events[]": "charge.failed"}
    )
    return {
        "customer": customer,
        "product": product,
        "price": price,
        "subscription": subscription,
        "subscription_item": subscription["items"]["data"][0],
        "invoice": invoice,
        "line_item": invoice["lines"]["data"][0],
        "invoiceitem": post("/v1/invoiceitems", customer=customer["id"], amount="100", currency="usd"),
        "payment_intent": intent,
        "charge": charge,
        "payment_method": get(f"/v1/payment_methods/{intent['payment_method']}"),
        "refund": refund,
        "dispute": get("/v1/disputes")["data"][0],
        "payout": payout,
        "balance_transaction": get("/v1/balance_transactions")["data"][0],
        "coupon": post("/v1/coupons", percent_off="20", duration="forever"),
        "tax_rate": post("/v1/tax_rates", display_name="VAT", percentage="20", inclusive="false"),
        "payment_link": post(
            "/v1/payment_links", **{"line_items[0][price]": single["id"], "line_items[0][quantity]": "1"}
        ),
        # shown once only
        "webhook_endpoint": {name: value for name, value in endpoint.items() if name != "secret"},
        "event": get("/v1/events")["data"][0],
    }


@pytest.fixture(scope="module")
def account():
    return opened(demo=True)[0].account


def _metered(item):
    return item["price"]["recurring"]["usage_type"] == "metered"


@pytest.mark.parametrize(
    "kind",
    [
        "customer", "product", "price", "subscription", "subscription_item", "invoice", "line_item",
        "invoiceitem", "payment_intent", "charge",
        "payment_method", "refund", "dispute", "payout", "balance_transaction", "coupon", "tax_rate",
        "payment_link", "webhook_endpoint", "event",
    ],
)  # fmt: skip
def test_same_keys_and_types(made, account, kind):
    expected = made[kind]
    if kind == "line_item":
        objects = [
            line
            for each in account.each("invoice")
            for line in each["lines"]["data"]
            if line["type"] == expected["type"]
        ]
    else:
        objects = [
            each
            for each in account.each(kind)
            if kind != "payment_method" or each["type"] == expected["type"]
        ]
    assert objects
    for each in objects[:: max(1, len(objects) // 200)]:
        more = (
            {"failure_reason", "failure_balance_transaction"}
            if kind == "refund" and each["status"] == "failed"
            else set()
        )
        less = {"quantity"} if kind == "subscription_item" and _metered(each) else set()
        more |= {"subscription_item"} if kind == "invoiceitem" and each["proration"] else set()
        assert set(each) - more == set(expected) - less
        for name, value in expected.items():
            if value is not None and each[name] is not None:
                assert type(each[name]) is type(value), (kind, each["id"], name)
