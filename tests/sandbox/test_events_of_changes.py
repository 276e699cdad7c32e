"""Every change is said, by an event that Stripe has; what changes beside a call as well as what it asks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import stripe_magics.sandbox
from stripe_magics.catalogue.event_types import event_types
from stripe_magics.sandbox.api.versions import SERVED

from .test_quotes import one_time
from .test_subscriptions import customer, price, subscribe


def test_only_events_that_stripe_has_are_made() -> None:
    known = {kind for version in SERVED for kind in event_types(version)}
    folder = Path(stripe_magics.sandbox.__file__).parent
    made = {
        kind
        for file in folder.rglob("*.py")
        for kind in re.findall(r'\b(?:emit|event)\(\s*(?:\w+,\s*)?"([a-z_.]+)"', file.read_text("utf-8"))
    }
    assert len(made) > 100
    assert made - known == {"payment.created"}  # of a connected account that gets a transfer; in no list


def updates(call, who: str) -> list[dict[str, Any]]:
    """What the customer's attributes were, before each event that says that they changed."""
    return [
        event["data"]["previous_attributes"]
        for event in reversed(call.every("/v1/events", type="customer.updated"))
        if event["data"]["object"]["id"] == who
    ]


def test_the_first_subscription_gives_its_customer_a_currency(call) -> None:
    who = customer(call)
    before = len(updates(call, who))
    subscribe(call, who, price(call))
    assert updates(call, who)[before:] == [{"currency": None}]
    subscribe(call, who, price(call, 900))
    assert len(updates(call, who)) == before + 1  # the count of its invoices moves silently


def test_a_balance_that_an_invoice_uses_and_gives_back(call) -> None:
    who = customer(call, balance=-300)
    before = len(updates(call, who))
    made = call("POST /v1/invoices", customer=who, collection_method="send_invoice", days_until_due=9)["id"]
    call("POST /v1/invoiceitems", customer=who, invoice=made, amount=1000, currency="usd")
    call(f"POST /v1/invoices/{made}/finalize")
    call(f"POST /v1/invoices/{made}/void")
    assert [each["balance"] for each in updates(call, who)[before:]] == [-300, 0]


def test_a_credit_note_to_the_balance(call) -> None:
    who = customer(call)
    subscription = subscribe(call, who, price(call, 1000))
    call("POST /v1/credit_notes", invoice=subscription["latest_invoice"], amount=400, credit_amount=400)
    assert updates(call, who)[-1] == {"balance": 0}


def test_a_discount_that_is_used_up_or_taken_away(call) -> None:
    coupon = call("POST /v1/coupons", percent_off=10, duration="once")["id"]
    who = customer(call, coupon=coupon)
    subscribe(call, who, price(call, 1000))
    assert updates(call, who)[-1]["discount"]["coupon"]["id"] == coupon
    other = customer(call, coupon=coupon)
    call(f"DELETE /v1/customers/{other}/discount")
    assert updates(call, other)[-1]["discount"]["coupon"]["id"] == coupon


def test_a_card_that_comes_and_goes(call) -> None:
    who = call("POST /v1/customers", source="tok_visa")
    assert call.types(type="customer.source.*") == ["customer.source.created"]
    call(f"DELETE /v1/customers/{who['id']}/sources/{who['default_source']}")
    assert updates(call, who["id"]) == [{"default_source": who["default_source"]}]


@pytest.mark.parametrize("where", ["subscription", "item", "session", "quote"])
def test_a_price_that_is_made_for_one_line(call, where: str) -> None:
    product = call("POST /v1/products", name="Made")["id"]
    who, before = customer(call), len(call.types(type="price.created"))
    path, name = {
        "subscription": ("subscriptions", "items[0][price_data]"),
        "item": ("invoiceitems", "price_data"),
        "session": ("checkout/sessions", "line_items[0][price_data]"),
        "quote": ("quotes", "line_items[0][price_data]"),
    }[where]
    given = {f"{name}[product]": product, f"{name}[currency]": "usd", f"{name}[unit_amount]": 700}
    if where == "subscription":
        given[f"{name}[recurring][interval]"] = "month"
    if where == "session":
        given |= {"line_items[0][quantity]": 1, "success_url": "https://example.com", "mode": "payment"}
    call(f"POST /v1/{path}", {"customer": who, **given})
    assert len(call.types(type="price.created")) == before + 1


def test_a_line_that_waits_again_leaves_another_invoice(call) -> None:
    who = customer(call)
    made = call("POST /v1/invoices", customer=who)["id"]
    call("POST /v1/invoiceitems", customer=who, invoice=made, price=one_time(call))
    (line,) = call(f"GET /v1/invoices/{made}/lines")["data"]
    call(
        f"POST /v1/invoices/{made}/remove_lines",
        {"lines[0][id]": line["id"], "lines[0][behavior]": "unassign"},
    )
    latest = call.every("/v1/events", type="invoice.updated")[0]
    assert latest["data"]["previous_attributes"]["total"] == 500
