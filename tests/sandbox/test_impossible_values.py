"""Values that can't be are refused by name, whichever call they come by; nothing breaks the sandbox."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Talk
from .test_versions import Newer

NUMBER = "4242424242424242"
CARDS = [
    ({"exp_month": "13"}, "invalid_expiry_month", "exp_month"),
    ({"exp_year": "2020"}, "invalid_expiry_year", "exp_year"),
    ({"exp_month": "10", "exp_year": "2026"}, "invalid_expiry_month", "exp_month"),  # it is November
    ({"exp_year": "99999"}, "invalid_expiry_year", "exp_year"),
    ({"cvc": "12"}, "invalid_cvc", "cvc"),
    ({"cvc": "12a"}, "invalid_cvc", "cvc"),
]


def _card(name: str, given: dict[str, str]) -> dict[str, str]:
    card = {"number": NUMBER, "exp_month": "12", "exp_year": "2030", "cvc": "123", **given}
    return {f"{name}[{each}]": value for each, value in card.items()}


@pytest.mark.parametrize(("given", "code", "param"), CARDS)
def test_a_card_that_cannot_be_is_refused_by_every_call(call: Talk, given, code, param) -> None:
    intent = {"amount": 1000, "currency": "usd", "payment_method_data[type]": "card"}
    for what, params in (
        ("POST /v1/payment_methods", {"type": "card", **_card("card", given)}),
        ("POST /v1/tokens", _card("card", given)),
        ("POST /v1/payment_intents", {**intent, **_card("payment_method_data[card]", given)}),
    ):
        error = call.refused(what, params)
        assert (error["status"], error["type"]) == (402, "card_error"), what
        assert (error["code"], error["param"]) == (code, param), what
    assert call("GET /v1/payment_methods", customer=call("POST /v1/customers")["id"])["data"] == []


def test_an_expiry_that_is_changed_is_judged_too(call: Talk) -> None:
    customer = call("POST /v1/customers")["id"]
    method = call("POST /v1/payment_methods/pm_card_visa/attach", customer=customer)["id"]
    path = f"POST /v1/payment_methods/{method}"
    assert call.refused(path, {"card[exp_month]": 13})["code"] == "invalid_expiry_month"
    assert call(path, {"card[exp_month]": 5, "card[exp_year]": 2031})["card"]["exp_month"] == 5


def test_american_express_has_four_digits(call: Talk) -> None:
    amex = {"type": "card", **_card("card", {"number": "378282246310005", "cvc": "1234"})}
    assert call("POST /v1/payment_methods", amex)["card"]["brand"] == "amex"
    assert call.refused("POST /v1/payment_methods", {**amex, "card[cvc]": "12345"})["code"] == "invalid_cvc"


def test_a_detached_method_is_never_used_or_attached_again(call: Talk) -> None:
    customer = call("POST /v1/customers")["id"]
    method = call("POST /v1/payment_methods/pm_card_visa/attach", customer=customer)["id"]
    call(f"POST /v1/payment_methods/{method}/detach")
    for what, params in (
        (f"POST /v1/payment_methods/{method}/attach", {"customer": customer}),
        ("POST /v1/payment_intents", {"amount": 900, "currency": "usd", "payment_method": method}),
        ("POST /v1/setup_intents", {"payment_method": method}),
        ("POST /v1/customers", {"payment_method": method}),
    ):
        assert "may not be used again" in call.refused(what, params)["message"], what


def test_a_method_of_nobody_pays_once(call: Talk) -> None:
    card = {"type": "card", "card[token]": "tok_visa"}
    pay = {"amount": 900, "currency": "usd", "confirm": True}
    method = call("POST /v1/payment_methods", card)["id"]
    assert call("POST /v1/payment_intents", pay, payment_method=method)["status"] == "succeeded"
    again = call.refused("POST /v1/payment_intents", pay, payment_method=method)
    assert (again["status"], again["param"]) == (400, "payment_method")
    # one that is kept for its customer pays again and again; a declined one may be tried again
    customer = call("POST /v1/customers")["id"]
    kept = call("POST /v1/payment_methods", card)["id"]
    for _ in range(2):
        call("POST /v1/payment_intents", pay, payment_method=kept, customer=customer,
             setup_future_usage="off_session")  # fmt: skip
    failing = call("POST /v1/payment_methods", {**card, "card[token]": "tok_chargeDeclined"})["id"]
    for _ in range(2):
        assert call.refused("POST /v1/payment_intents", pay, payment_method=failing)["status"] == 402


def test_a_period_does_not_end_before_it_starts(call: Talk) -> None:
    customer = call("POST /v1/customers")["id"]
    item = {"customer": customer, "amount": 500, "currency": "usd"}
    wrong = {"period[start]": 1_796_000_000, "period[end]": 1_795_000_000}
    assert call.refused("POST /v1/invoiceitems", {**item, **wrong})["param"] == "period[end]"
    made = call("POST /v1/invoiceitems", item)["id"]
    assert call.refused(f"POST /v1/invoiceitems/{made}", wrong)["param"] == "period[end]"


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"code": "with space"}, "code"),
        ({"code": "été"}, "code"),
        ({"restrictions[minimum_amount]": 500}, "restrictions[minimum_amount_currency]"),
        ({"restrictions[minimum_amount_currency]": "usd"}, "restrictions[minimum_amount]"),
        (
            {"restrictions[minimum_amount]": 0, "restrictions[minimum_amount_currency]": "usd"},
            "restrictions[minimum_amount]",
        ),
    ],
)
def test_what_restricts_a_promotion_code_makes_sense(call: Talk, given, param) -> None:
    coupon = call("POST /v1/coupons", percent_off=10, duration="once")["id"]
    assert call.refused("POST /v1/promotion_codes", {"coupon": coupon, **given})["param"] == param


def test_evidence_names_files_that_are_there(call: Talk) -> None:
    call("POST /v1/payment_intents", amount=900, currency="usd", confirm=True,
         payment_method="pm_card_createDispute")  # fmt: skip
    dispute = call("GET /v1/disputes")["data"][0]["id"]
    error = call.refused(f"POST /v1/disputes/{dispute}", {"evidence[receipt]": "file_nope"})
    assert (error["code"], error["param"]) == ("resource_missing", "evidence[receipt]")
    assert call(f"GET /v1/disputes/{dispute}")["status"] == "needs_response"


FOREIGN = "٣٠٠"  # digits, but not those of the API
LONG = "9" * 5000
"""More digits than Python turns into a number."""


@pytest.mark.parametrize("value", [FOREIGN, "²", LONG, "1_000", "1e3", "0x10", "１００"])
def test_only_plain_digits_are_a_number(call: Talk, value) -> None:
    price = {"currency": "usd", "unit_amount": 100, "product_data[name]": "x"}
    tiers = {f"{name}[{place}][{of}]": each for name in ("currency_options[eur][tiers]",)
             for place, (of, each) in enumerate([("unit_amount", value)])}  # fmt: skip
    for what, params in (
        ("POST /v1/payment_intents", {"amount": value, "currency": "usd"}),
        ("POST /v1/prices", {**price, "currency_options[eur][unit_amount]": value}),
        ("POST /v1/prices", {**price, **tiers}),
        ("GET /v1/customers", {"limit": value}),
        ("GET /v1/customers", {"created[gt]": value}),
        ("GET /v1/payment_intents/search", {"query": f"amount:{value}"}),
        ("GET /v1/customers/search", {"query": "name:'a'", "page": value}),
        ("POST /v1/coupons", {"percent_off": value, "duration": "once"}),
    ):
        assert call.refused(what, params)["status"] == 400, (what, params)


@pytest.mark.parametrize("place", ["²", FOREIGN, LONG])
def test_only_plain_digits_are_a_place(call: Talk, place) -> None:
    for what, name in (("POST /v1/payment_intents", "payment_method_types"), ("GET /v1/events", "types")):
        params: dict[str, Any] = {"amount": 900, "currency": "usd"} if "POST" in what else {}
        assert call.refused(what, {**params, f"{name}[{place}]": "card"})["param"] == name


def test_more_than_ten_tiers_of_another_currency_stay_in_order(call: Talk) -> None:
    tiers: dict[str, Any] = {}
    for place in range(12):
        up_to = "inf" if place == 11 else (place + 1) * 10
        for name in ("tiers", "currency_options[eur][tiers]"):
            tiers |= {f"{name}[{place}][up_to]": up_to, f"{name}[{place}][unit_amount]": 100 - place}
    made = call(
        "POST /v1/prices", tiers, currency="usd", billing_scheme="tiered", tiers_mode="graduated",
        **{"recurring[interval]": "month", "product_data[name]": "x", "expand[]": "currency_options"},
    )  # fmt: skip
    amounts = [each["unit_amount"] for each in made["currency_options"]["eur"]["tiers"]]
    assert amounts == [100 - place for place in range(12)]


def test_the_newer_version_says_which_types_are_allowed(call: Talk) -> None:
    """There they have another name: in the call, and beside the types that fit."""
    newer, asked = Newer(call.transport), {"allowed_payment_method_types[0]": "card"}
    made = newer("POST /v1/payment_intents", asked, amount=900, currency="usd")
    assert (made["allowed_payment_method_types"], made["payment_method_types"]) == (["card"], ["card"])
    other = newer("POST /v1/payment_intents", amount=900, currency="usd")
    assert other["allowed_payment_method_types"] is None
    assert newer("POST /v1/setup_intents", asked)["payment_method_types"] == ["card"]
    page = {"mode": "payment", "success_url": "https://example.com", "line_items[0][quantity]": 1,
        "line_items[0][price_data][currency]": "usd", "line_items[0][price_data][unit_amount]": 900,
        "line_items[0][price_data][product_data][name]": "x"}  # fmt: skip
    assert newer("POST /v1/checkout/sessions", {**page, **asked})["payment_method_types"] == ["card"]
    wrong = newer.refused("POST /v1/payment_intents", {"allowed_payment_method_types[0]": "nope"}, amount=900,
                          currency="usd")  # fmt: skip
    assert wrong["param"].startswith("allowed_payment_method_types")
