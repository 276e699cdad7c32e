"""Two versions of the API over one account: what a call takes and in which shape it is answered."""

from __future__ import annotations

from typing import Any

import pytest

from stripe_magics.sandbox.api.version_changes import CHANGES
from stripe_magics.sandbox.api.versions import NEWER, OLDER, served

from .conftest import Talk
from .test_subscriptions import customer, price, subscribe


class Newer(Talk):
    """A client of the newer version."""

    def raw(self, what: str, params: dict[str, Any] | None = None, **options: Any) -> Any:
        return super().raw(what, params, headers={"Stripe-Version": NEWER}, **options)


@pytest.fixture
def newer(call) -> Newer:
    return Newer(call.transport)


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("", OLDER),
        (OLDER, OLDER),
        ("2020-08-27", OLDER),
        ("2025-10-29.clover", OLDER),
        (NEWER, NEWER),
        ("2027-01-01.later", NEWER),
    ],
)
def test_87_the_nearest_earlier(call, asked, given) -> None:
    headers = {"Stripe-Version": asked} if asked else {}
    assert call.raw("GET /v1/customers", headers=headers).headers["stripe-version"] == given == served(asked)


def test_87_one_object_in_two_shapes(call, newer) -> None:
    made = subscribe(call, customer(call), price(call, 2500))
    old = call(f"GET /v1/invoices/{made['latest_invoice']}", {"expand[]": "payment_intent"})
    new = newer(
        f"GET /v1/invoices/{made['latest_invoice']}", {"expand[]": "payments.data.payment.payment_intent"}
    )
    assert new["parent"]["subscription_details"]["subscription"] == old["subscription"]
    assert not {"payment_intent", "charge", "paid", "subscription", "tax", "total_tax_amounts"} & set(new)
    (payment,) = new["payments"]["data"]
    assert payment["payment"]["payment_intent"]["id"] == old["payment_intent"]["id"]
    assert "invoice" not in payment["payment"]["payment_intent"]
    line = new["lines"]["data"][0]
    assert line["pricing"]["price_details"]["price"] == old["lines"]["data"][0]["price"]["id"]
    assert line["parent"]["type"] == "subscription_item_details"
    again = newer(f"GET /v1/subscriptions/{made['id']}")
    assert "current_period_end" not in again
    assert again["items"]["data"][0]["current_period_end"] == made["current_period_end"]
    assert again["billing_mode"]["type"] == "classic"


def test_87_parameters_of_each(call, newer) -> None:
    who, once = (
        customer(call),
        call("POST /v1/prices", {"product_data[name]": "X", "currency": "usd", "unit_amount": 700})["id"],
    )
    item = newer("POST /v1/invoiceitems", {"customer": who, "pricing[price]": once})
    assert item["pricing"]["price_details"]["price"] == once
    assert call(f"GET /v1/invoiceitems/{item['id']}")["price"]["id"] == once
    assert newer.refused("POST /v1/invoiceitems", customer=who, price=once)["code"] == "parameter_unknown"
    assert (
        call.refused("POST /v1/invoiceitems", {"customer": who, "pricing[price]": once})["code"]
        == "parameter_unknown"
    )
    call("POST /v1/coupons", id="V", percent_off=10, duration="forever")
    code = newer(
        "POST /v1/promotion_codes", {"promotion[type]": "coupon", "promotion[coupon]": "V", "code": "NEW"}
    )
    assert code["promotion"] == {"coupon": "V", "type": "coupon"}
    assert call(f"GET /v1/promotion_codes/{code['id']}")["coupon"]["id"] == "V"
    assert call("GET /v1/invoices/upcoming", customer=who)["total"] == 700
    assert newer.refused("GET /v1/invoices/upcoming", customer=who)["status"] == 404


def test_87_what_only_the_newer_one_knows_is_refused_by_name(newer, call) -> None:
    who, plan = customer(call), price(call)
    error = newer.refused(
        "POST /v1/subscriptions", {"customer": who, "items[0][price]": plan, "billing_mode[type]": "flexible"}
    )
    assert (error["status"], error["param"]) == (400, "billing_mode")
    assert error["message"] == "The sandbox doesn't simulate billing_mode."


def test_87_the_changes_have_their_dates_in_order() -> None:
    dates = [change.version for change in CHANGES]
    assert dates == sorted(dates)
    assert all(OLDER[:10] < date[:10] <= NEWER[:10] for date in dates)
    assert all(change.about for change in CHANGES)


def test_70_versions_before_automatic_payment_methods_need_no_page_to_come_back_to(call) -> None:
    given = {
        "amount": 500,
        "currency": "usd",
        "payment_method": "pm_card_visa",
        "confirm": True,
        "return_url": "",
    }
    plain = {name: str(value).lower() for name, value in given.items() if value}
    for version, status in [("2020-08-27", 200), ("2023-08-16", 400), (OLDER, 400), (NEWER, 400)]:
        answer = call.client.post("/v1/payment_intents", data=plain, headers={"Stripe-Version": version})
        assert answer.status_code == status, version


def test_usage_records_are_the_older_versions(call) -> None:
    """From 2025-03-31.basil on a metered price needs a meter, to be made and to be sold."""
    newer = {"headers": {"Stripe-Version": NEWER}}
    price = {
        "currency": "usd", "unit_amount": 5, "product_data[name]": "Calls", "recurring[interval]": "month",
        "recurring[usage_type]": "metered",
    }  # fmt: skip
    error = Talk.raw(call, "POST /v1/prices", price, **newer).json()["error"]
    assert (error["param"], error["code"]) == ("recurring[meter]", "parameter_missing")
    known = Talk.raw(call, "POST /v1/prices", price).json()["id"]
    who = Talk.raw(call, "POST /v1/customers", {"name": "A", "source": "tok_visa"}).json()["id"]
    sold = {"customer": who, "items[0][price]": known}
    for what, params, param in [
        ("POST /v1/subscriptions", sold, "items[0][price]"),
        ("POST /v1/quotes", {"customer": who, "line_items[0][price]": known}, "line_items[0][price]"),
        (
            "POST /v1/subscription_schedules",
            {"customer": who, "phases[0][items][0][price]": known},
            "phases[0][items][0][price]",
        ),
    ]:
        answer = Talk.raw(call, what, params, **newer)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
    made = Talk.raw(call, "POST /v1/subscriptions", sold)
    assert made.status_code == 200
    error = Talk.raw(
        call, "POST /v1/subscription_items", {"subscription": made.json()["id"], "price": known}, **newer
    ).json()["error"]
    assert error["param"] == "price"
