"""Lines of checkout sessions and payment links: usage, rates by where somebody is, sending and its tax."""

from __future__ import annotations

from typing import Any

import pytest

from .test_quotes import one_time
from .test_subscriptions import price

SESSIONS = "POST /v1/checkout/sessions"
LINE = "line_items[0]"


def session(call, named: str, mode: str = "payment", **params: Any) -> dict[str, Any]:
    return call(
        SESSIONS,
        {
            "mode": mode, "success_url": "https://example.com", f"{LINE}[price]": named,
            f"{LINE}[quantity]": 2, **params,
        },
    )  # fmt: skip


def complete(call, made: dict[str, Any], **params: Any) -> dict[str, Any]:
    return call(f"POST /v1/test_helpers/checkout/sessions/{made['id']}/complete", params)


@pytest.fixture
def metered(call) -> str:
    meter = call(
        "POST /v1/billing/meters",
        {"display_name": "Calls", "event_name": "calls", "default_aggregation[formula]": "sum"},
    )["id"]
    return price(call, 5, **{"recurring[usage_type]": "metered", "recurring[meter]": meter})


def test_usage_has_no_quantity(call, metered: str) -> None:
    given = {"mode": "subscription", "success_url": "https://example.com", f"{LINE}[price]": metered}
    assert call.refused(SESSIONS, {**given, f"{LINE}[quantity]": 1})["param"] == f"{LINE}[quantity]"
    made = call(SESSIONS, given)
    assert made["amount_total"] == 0
    done = complete(call, made, email="a@example.com")
    subscription = call(f"GET /v1/subscriptions/{done['subscription']}")
    assert (subscription["status"], subscription["items"]["data"][0]["price"]["id"]) == ("active", metered)


def test_a_link_to_usage(call, metered: str) -> None:
    link = call("POST /v1/payment_links", {f"{LINE}[price]": metered, f"{LINE}[quantity]": 1})
    opened = call(f"POST /v1/test_helpers/payment_links/{link['id']}/open")
    assert complete(call, opened, email="a@example.com")["status"] == "complete"


def test_a_subscription_needs_something_that_recurs(call) -> None:
    given = {"mode": "subscription", "success_url": "https://example.com"}
    refused = call.refused(SESSIONS, {**given, f"{LINE}[price]": one_time(call), f"{LINE}[quantity]": 1})
    assert refused["param"] == "line_items"


@pytest.mark.parametrize(("country", "state", "tax"), [("DE", "", 190), ("US", "CA", 70), ("US", "NY", 0)])
def test_rates_by_where_the_customer_is(call, country: str, state: str, tax: int) -> None:
    rates = {
        "DE": call("POST /v1/tax_rates", display_name="VAT", percentage=19, inclusive=False, country="DE"),
        "CA": call(
            "POST /v1/tax_rates",
            display_name="Sales",
            percentage=7,
            inclusive=False,
            country="US",
            state="CA",
        ),
    }
    named = {f"{LINE}[dynamic_tax_rates][{at}]": each["id"] for at, each in enumerate(rates.values())}
    made = session(call, one_time(call), **named)
    assert made["amount_total"] == 1000
    done = complete(call, made, **{"address[country]": country, "address[state]": state or None})
    assert (done["amount_total"], done["total_details"]["amount_tax"]) == (1000 + tax, tax)
    assert call(f"GET /v1/payment_intents/{done['payment_intent']}")["amount"] == 1000 + tax
    refused = call.refused(
        SESSIONS,
        {
            "mode": "payment", "success_url": "https://example.com", f"{LINE}[price]": one_time(call),
            f"{LINE}[quantity]": 1, **named, f"{LINE}[tax_rates][0]": rates["DE"]["id"],
        },
    )  # fmt: skip
    assert refused["param"] == f"{LINE}[dynamic_tax_rates]"


@pytest.mark.parametrize(("behavior", "on_top"), [("exclusive", 95), ("inclusive", 0)])
def test_sending_is_taxed_too(call, behavior: str, on_top: int) -> None:
    call(
        "POST /v1/tax/registrations",
        {
            "country": "DE", "active_from": "now", "country_options[de][type]": "standard",
            "country_options[de][standard][place_of_supply_scheme]": "standard",
        },
    )  # fmt: skip
    rate = call(
        "POST /v1/shipping_rates",
        {
            "display_name": "Post", "type": "fixed_amount", "fixed_amount[amount]": 500,
            "fixed_amount[currency]": "usd", "tax_behavior": behavior,
        },
    )["id"]  # fmt: skip
    link = call(
        "POST /v1/payment_links",
        {
            f"{LINE}[price]": one_time(call), f"{LINE}[quantity]": 2, "automatic_tax[enabled]": True,
            "shipping_options[0][shipping_rate]": rate,
        },
    )  # fmt: skip
    assert link["shipping_options"] == [{"shipping_amount": 500, "shipping_rate": rate}]
    opened = call(f"POST /v1/test_helpers/payment_links/{link['id']}/open")
    assert (opened["amount_total"], opened["shipping_cost"]["amount_tax"]) == (1500, 0)
    done = complete(call, opened, **{"address[country]": "DE"})
    within = 95 if on_top else 80
    assert done["shipping_cost"] == {
        "amount_subtotal": 500, "amount_tax": within, "amount_total": 500 + on_top, "shipping_rate": rate,
    }  # fmt: skip
    assert done["total_details"]["amount_shipping"] == 500
    assert done["total_details"]["amount_tax"] == 190 + within
    assert done["amount_total"] == 1000 + 190 + 500 + on_top
