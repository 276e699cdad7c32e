"""How long, how many, how large: what is over a limit is refused by name, what is at it is taken."""

from __future__ import annotations

import pytest

from stripe_magics import money
from stripe_magics.catalogue import PINNED_VERSION
from stripe_magics.sandbox.api import limits
from stripe_magics.sandbox.api.parameters import shape
from stripe_magics.sandbox.api.versions import NEWER

from .conftest import DAY
from .test_quotes import one_time
from .test_subscriptions import customer, price, subscribe, until

TEXTS = [(path, name, most) for path, names in limits.TEXTS.items() for name, most in names.items()]


def shapes(path: str) -> list[object]:
    found = [f"POST {path}"] + [
        f"POST {path}/{{{name}}}" for name in ("charge", "dispute", "id", "intent", "quote", "session")
    ]
    every = (shape(each, version) for each in found for version in (PINNED_VERSION, NEWER))
    return [each for each in every if each is not None]


@pytest.mark.parametrize(("path", "name", "most"), TEXTS)
def test_each_limit_is_of_a_parameter_that_there_is(path: str, name: str, most: int) -> None:
    """A limit that stands for nothing would be a mistyped name."""
    assert f"'s{most}'" in str(shapes(path)), (path, name)


@pytest.mark.parametrize(
    ("what", "given", "name", "most"),
    [
        ("products", {"name": "A"}, "description", 40_000),
        ("charges", {"amount": 100, "currency": "usd", "source": "tok_visa"}, "description", 40_000),
        ("quotes", {}, "header", 50),
        ("coupons", {"percent_off": 5, "duration": "once"}, "name", 40),
        ("tax_rates", {"percentage": 5, "inclusive": False}, "display_name", 50),
        ("payment_intents", {"amount": 100, "currency": "usd"}, "description", 1000),
    ],
)
def test_texts(call, what: str, given: dict[str, object], name: str, most: int) -> None:
    assert call(f"POST /v1/{what}", {**given, name: "x" * most})[name] == "x" * most
    refused = call.refused(f"POST /v1/{what}", {**given, name: "x" * (most + 1)})
    assert (refused["param"], str(most) in refused["message"]) == (name, True)


def test_a_customers_card_has_limits_of_its_own(call) -> None:
    who = call("POST /v1/customers", source="tok_visa")
    path = f"POST /v1/customers/{who['id']}/sources/{who['default_source']}"
    assert call(path, {"name": "x" * 257})["name"] == "x" * 257
    assert call.refused(f"POST /v1/customers/{who['id']}", {"name": "x" * 257})["param"] == "name"


def test_evidence_is_as_long_as_a_letter(call) -> None:
    charge = call.charge_of(call.intent(method="pm_card_createDispute"))
    path = f"POST /v1/disputes/{charge['dispute']}"
    call(path, {"evidence[uncategorized_text]": "x" * 20_000})
    refused = call.refused(path, {"evidence[uncategorized_text]": "x" * 20_001})
    assert refused["param"] == "evidence[uncategorized_text]"


def test_lists(call) -> None:
    images = {f"images[{at}]": f"https://example.com/{at}.png" for at in range(9)}
    assert call.refused("POST /v1/products", {"name": "A", **images})["param"] == "images"
    once, who = one_time(call), customer(call)
    more = {f"add_invoice_items[{at}][price]": once for at in range(21)}
    given = {"customer": who, "items[0][price]": price(call)}
    assert call.refused("POST /v1/subscriptions", {**given, **more})["param"] == "add_invoice_items"
    more.popitem()
    call("POST /v1/subscriptions", {**given, **more})


@pytest.mark.parametrize(
    ("what", "given", "name"),
    [
        ("prices", {"currency": "usd", "product_data[name]": "A"}, "unit_amount"),
        ("prices", {"currency": "usd", "product_data[name]": "A"}, "unit_amount_decimal"),
        ("coupons", {"currency": "usd", "duration": "once"}, "amount_off"),
    ],
)
def test_amounts_have_eight_digits(call, what: str, given: dict[str, str], name: str) -> None:
    for currency in ("usd", "idr", "inr"):
        largest = money.maximum(currency)
        call(f"POST /v1/{what}", {**given, "currency": currency, name: largest})
        refused = call.refused(f"POST /v1/{what}", {**given, "currency": currency, name: largest + 1})
        assert (refused["param"], refused["code"]) == (name, "amount_too_large")
        assert str(largest) in refused["message"]


def test_money_that_is_worth_little_has_more_digits(call) -> None:
    """Two million rupiah are little more than 100 dollars."""
    assert call("POST /v1/payment_intents", {"amount": 2_000_000_00, "currency": "idr"})["currency"] == "idr"
    who, rupiah = customer(call), {"currency": "idr", "product_data[name]": "A"}
    monthly = call("POST /v1/prices", {**rupiah, "unit_amount": 2_000_000_00, "recurring[interval]": "month"})
    invoice = call(f"GET /v1/invoices/{subscribe(call, who, monthly['id'])['latest_invoice']}")
    assert (invoice["status"], invoice["total"]) == ("paid", 2_000_000_00)


def test_the_currency_of_an_amount_stands_around_it_or_names_it(call) -> None:
    given = {"currency": "idr", "product_data[name]": "A", "billing_scheme": "tiered", "tiers_mode": "volume"}
    tier = {"tiers[0][up_to]": "inf", "recurring[interval]": "month"}
    large = money.maximum("usd") + 1
    call("POST /v1/prices", {**given, **tier, "tiers[0][flat_amount]": large})
    refused = call.refused(
        "POST /v1/prices", {**given, **tier, "currency": "usd", "tiers[0][flat_amount]": large}
    )
    assert refused["param"] == "tiers[0][flat_amount]"
    plain = {"currency": "idr", "product_data[name]": "A", "unit_amount": large}
    refused = call.refused("POST /v1/prices", {**plain, "currency_options[usd][unit_amount]": large})
    assert refused["param"] == "currency_options[usd][unit_amount]"
    call(
        "POST /v1/prices",
        {**plain, "currency_options[usd][unit_amount]": 5, "metadata[unit_amount]": "9" * 30},
    )


@pytest.mark.parametrize("amount", [money.maximum("usd") + 1, -money.maximum("usd") - 1])
def test_an_item_too(call, amount: int) -> None:
    given = {"customer": customer(call), "currency": "usd"}
    assert call.refused("POST /v1/invoiceitems", {**given, "amount": amount})["code"] == "amount_too_large"
    many = {"customer": given["customer"], "price": one_time(call), "quantity": 10**9}
    assert call.refused("POST /v1/invoiceitems", many)["param"] == "quantity"


def test_what_could_not_be_charged_is_not_billed(call) -> None:
    """At once: nothing is made. Later: the draft stays one, and says why."""
    who, large = customer(call), price(call, 60_000_000)
    given = {"customer": who, "items[0][price]": large, "items[0][quantity]": 2}
    assert call.refused("POST /v1/subscriptions", given)["code"] == "amount_too_large"
    assert call("GET /v1/subscriptions")["data"] == []
    made = subscribe(call, who, large)
    given = {"customer": who, "subscription": made["id"], "currency": "usd", "amount": 60_000_000}
    call("POST /v1/invoiceitems", given)
    until(call, made["current_period_end"] + DAY)
    renewed = call("GET /v1/invoices", subscription=made["id"])["data"][0]
    assert (renewed["status"], renewed["total"]) == ("draft", 120_000_000)
    assert "999,999.99" in renewed["last_finalization_error"]["message"]
    assert call.types(type="invoice.finalization_failed") == ["invoice.finalization_failed"]
    refused = call.refused(f"POST /v1/invoices/{renewed['id']}/finalize")
    assert refused["code"] == "amount_too_large"


@pytest.mark.parametrize("text", ["NaN", "sNaN", "Infinity", "1e99", "five"])
def test_what_is_no_amount_is_refused(call, text: str) -> None:
    given = {"currency": "usd", "product_data[name]": "A"}
    refused = call.refused("POST /v1/prices", {**given, "unit_amount_decimal": text})
    assert refused["param"] == "unit_amount_decimal"
    options = {"unit_amount": 5, "currency_options[eur][unit_amount_decimal]": text}
    assert call.refused("POST /v1/prices", {**given, **options})["type"] == "invalid_request_error"
