"""Quotes: what is offered is what is billed, to the cent, however its lines are priced, lowered and taxed."""

from __future__ import annotations

from typing import Any

import pytest

from .test_subscriptions import customer, price

ONE = "line_items[0]"


@pytest.fixture
def offer(call):
    """Offer these lines, and accept: the quote and the invoice that comes of it."""

    def made(**params: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        who = customer(call, **{"address[country]": "DE"})
        quote = call("POST /v1/quotes", {"customer": who, **params})
        call(f"POST /v1/quotes/{quote['id']}/finalize")
        quote = call(f"POST /v1/quotes/{quote['id']}/accept")
        return quote, call(f"GET /v1/invoices/{quote['invoice']}")

    return made


def one_time(call, amount: int = 500) -> str:
    return call(
        "POST /v1/prices", {"product_data[name]": "Set-up", "currency": "usd", "unit_amount": amount}
    )["id"]


def test_a_line_of_its_own_discount(call, offer) -> None:
    half = call("POST /v1/coupons", percent_off=50, duration="forever")["id"]
    lines = {f"{ONE}[price]": price(call, 1000), f"{ONE}[quantity]": 2}
    quote, invoice = offer(
        **lines, **{f"{ONE}[discounts][0][coupon]": half, "line_items[1][price]": one_time(call)}
    )
    assert quote["amount_total"] == invoice["total"] == 1000 + 500
    assert quote["total_details"]["amount_discount"] == 1000


@pytest.mark.parametrize("recurs", [True, False])
def test_a_price_of_its_own(call, offer, recurs: bool) -> None:
    product = call("POST /v1/products", name="Made")["id"]
    data = {"product": product, "currency": "usd", "unit_amount": 700}
    given = {f"{ONE}[price_data][{name}]": value for name, value in data.items()}
    if recurs:
        given[f"{ONE}[price_data][recurring][interval]"] = "month"
    quote, invoice = offer(**given)
    assert quote["amount_total"] == invoice["total"] == 700
    assert bool(quote["subscription"]) == recurs
    assert not call(f"GET /v1/prices/{call.every('/v1/prices')[0]['id']}")["active"]


@pytest.mark.parametrize("recurs", [True, False])
def test_automatic_tax(call, offer, recurs: bool) -> None:
    call(
        "POST /v1/tax/registrations",
        {
            "country": "DE", "active_from": "now", "country_options[de][type]": "standard",
            "country_options[de][standard][place_of_supply_scheme]": "standard",
        },
    )  # fmt: skip
    named = price(call, 1000) if recurs else one_time(call, 1000)
    quote, invoice = offer(**{f"{ONE}[price]": named, "automatic_tax[enabled]": True})
    assert quote["automatic_tax"]["status"] == "complete"
    assert (quote["total_details"]["amount_tax"], quote["amount_total"]) == (190, 1190)
    assert invoice["total"] == 1190


def test_what_is_metered_costs_nothing_ahead(call, offer) -> None:
    meter = call(
        "POST /v1/billing/meters",
        {"display_name": "Calls", "event_name": "calls", "default_aggregation[formula]": "sum"},
    )["id"]
    used = price(call, 5, **{"recurring[usage_type]": "metered", "recurring[meter]": meter})
    quote, invoice = offer(**{f"{ONE}[price]": used, "line_items[1][price]": price(call, 1000)})
    assert quote["amount_total"] == invoice["total"] == 1000
    refused = call.refused("POST /v1/quotes", {f"{ONE}[price]": used, f"{ONE}[quantity]": 2})
    assert refused["param"] == f"{ONE}[quantity]"


def test_a_line_keeps_what_is_not_said_of_it(call) -> None:
    half = call("POST /v1/coupons", percent_off=50, duration="forever")["id"]
    rate = call("POST /v1/tax_rates", display_name="VAT", percentage=10, inclusive=False)["id"]
    quote = call(
        "POST /v1/quotes",
        {
            "customer": customer(call), f"{ONE}[price]": price(call, 1000), f"{ONE}[quantity]": 2,
            f"{ONE}[discounts][0][coupon]": half, f"{ONE}[tax_rates][0]": rate,
        },
    )  # fmt: skip
    assert quote["amount_total"] == 1100
    (line,) = call(f"GET /v1/quotes/{quote['id']}/line_items")["data"]
    changed = call(f"POST /v1/quotes/{quote['id']}", {f"{ONE}[id]": line["id"], f"{ONE}[quantity]": 4})
    assert changed["amount_total"] == 2200
    (after,) = call(f"GET /v1/quotes/{quote['id']}/line_items")["data"]
    assert (after["id"], after["quantity"]) == (line["id"], 4)
    whole = call(f"GET /v1/quotes/{quote['id']}", {"expand[]": "computed.upfront.line_items"})
    assert [each["id"] for each in whole["computed"]["upfront"]["line_items"]["data"]] == [line["id"]]
