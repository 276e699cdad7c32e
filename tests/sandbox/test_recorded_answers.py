"""What the real API was seen to answer, where a guide or the reference says less or something else."""

from __future__ import annotations

from typing import Any

import pytest

from stripe_magics.sandbox import SandboxTransport

from .conftest import Talk


def test_a_declined_card_names_an_empty_parameter_when_it_is_attached(call) -> None:
    customer = call("POST /v1/customers")["id"]
    error = call.refused("POST /v1/payment_methods/pm_card_chargeDeclined/attach", customer=customer)
    assert (error["status"], error["code"], error["param"]) == (402, "card_declined", "")
    expired = call.refused(
        "POST /v1/payment_methods/pm_card_chargeDeclinedExpiredCard/attach", customer=customer
    )
    assert (expired["code"], expired["param"]) == ("expired_card", "exp_month")


@pytest.mark.parametrize(
    "number", ["378282246310005", "371449635398431", "6011111111111117", "6011000990139424"]
)
def test_every_documented_number_is_a_card(call, number) -> None:
    card = {"card[number]": number, "card[exp_month]": 1, "card[exp_year]": 2040, "card[cvc]": "123"}
    assert call("POST /v1/payment_methods", card, type="card")["card"]["last4"] == number[-4:]


@pytest.mark.parametrize(
    ("iban", "bank", "branch"),
    [
        ("DK5000400440116243", "0040", ""),
        ("DE89370400440532013000", "37040044", ""),
        ("AT611904300234573201", "19043", ""),
        ("FR1420041010050500013M02606", "20041", "01005"),
        ("NL39RABO0300065264", "RABO", ""),
    ],
)
def test_an_iban_says_its_bank_and_branch(call, iban, bank, branch) -> None:
    payer = {"billing_details[name]": "Ada", "billing_details[email]": "ada@example.com"}
    debit = call("POST /v1/payment_methods", payer, type="sepa_debit", **{"sepa_debit[iban]": iban})[
        "sepa_debit"
    ]
    assert (debit["bank_code"], debit["branch_code"]) == (bank, branch)


@pytest.mark.parametrize(
    ("version", "capture"),
    [
        ("2020-08-27", "automatic"),
        ("2023-10-16", "automatic"),
        ("2024-04-10", "automatic_async"),
        ("2024-12-18.acacia", "automatic_async"),
        ("2026-03-25.dahlia", "automatic_async"),
        (None, "automatic_async"),
    ],
)
def test_how_an_intent_is_captured_unless_said(call, version, capture) -> None:
    headers = {"Stripe-Version": version} if version else {}
    made = call.raw("POST /v1/payment_intents", {"amount": "500", "currency": "usd"}, headers=headers).json()
    assert made["capture_method"] == capture
    given = {"amount": "500", "currency": "usd", "capture_method": "manual"}
    assert call.raw("POST /v1/payment_intents", given, headers=headers).json()["capture_method"] == "manual"


def draft(call, **more: Any) -> dict[str, Any]:
    customer = call("POST /v1/customers", **more)["id"]
    call("POST /v1/invoiceitems", customer=customer, amount=500, currency="usd")
    return call("POST /v1/invoices", customer=customer, pending_invoice_items_behavior="include")


@pytest.mark.parametrize(("country", "paper"), [(None, "letter"), ("US", "letter"), ("DE", "a4")])
def test_the_paper_of_an_invoice_is_settled_when_it_is_final(call, country, paper) -> None:
    made = draft(call, **({"address[country]": country} if country else {}))
    plain = {"amount_tax_display": None, "template": None, "template_version": None}
    assert made["rendering"] == {**plain, "pdf": {"page_size": "auto"}}
    final = call(f"POST /v1/invoices/{made['id']}/finalize")
    assert final["rendering"] == {**plain, "pdf": {"page_size": paper}}


def test_a_paper_that_was_chosen_stays(call) -> None:
    made = draft(call)
    path = f"POST /v1/invoices/{made['id']}"
    assert call(path, **{"rendering[pdf][page_size]": "a4"})["rendering"]["pdf"] == {"page_size": "a4"}
    assert call(f"{path}/finalize")["rendering"]["pdf"] == {"page_size": "a4"}


def test_without_endpoints_an_invoices_webhooks_count_as_delivered(call) -> None:
    made = draft(call)
    assert made["webhooks_delivered_at"] == made["created"]
    call("POST /v1/webhook_endpoints", url="https://example.com/hook", enabled_events=["*"])
    assert draft(call)["webhooks_delivered_at"] is None


def session(call, mode: str, **more: Any) -> dict[str, Any]:
    product = call("POST /v1/products", name="Seat")["id"]
    every = {"recurring[interval]": "month"} if mode == "subscription" else {}
    price = call("POST /v1/prices", every, product=product, currency="usd", unit_amount=1500)["id"]
    line = {"line_items[0][price]": price, "line_items[0][quantity]": 1}
    given = line if mode != "setup" else {"currency": "usd"}
    return call("POST /v1/checkout/sessions", given, mode=mode, success_url="https://example.com/x", **more)


@pytest.mark.parametrize("mode", ["payment", "subscription"])
def test_an_open_session_shows_of_its_customer_the_address_for_mail(call, mode) -> None:
    payer = {"email": "jenny@example.com", "name": "Jenny", "tax_exempt": "exempt"}
    made = session(call, mode, customer=call("POST /v1/customers", **payer)["id"])
    details = made["customer_details"]
    assert (details["email"], details["name"], details["tax_exempt"]) == ("jenny@example.com", None, "exempt")
    assert details["tax_ids"] is None
    assert made["saved_payment_method_options"] == {
        "allow_redisplay_filters": ["always"], "payment_method_remove": "disabled",
        "payment_method_save": None,
    }  # fmt: skip
    assert made["customer_creation"] is None
    assert made["billing_address_collection"] is None
    assert made["collected_information"] == {"shipping_details": None}
    assert set(made["custom_text"].values()) == {None}
    assert made["payment_method_collection"] == ("if_required" if mode == "payment" else "always")


def test_a_session_without_a_customer_shows_none(call) -> None:
    made = session(call, "payment")
    assert (made["customer_details"], made["saved_payment_method_options"]) == (None, None)
    assert (made["customer_creation"], session(call, "subscription")["customer_creation"]) == (
        "if_required",
        "always",
    )


def test_texts_of_a_session_stand_among_those_not_given(call) -> None:
    made = session(call, "payment", **{"custom_text[submit][message]": "Thanks"})
    assert made["custom_text"]["submit"] == {"message": "Thanks"}
    assert made["custom_text"]["after_submit"] is None


def test_a_page_for_a_customer_has_its_address(call) -> None:
    customer = call("POST /v1/customers")["id"]
    portal = call("POST /v1/billing_portal/sessions", customer=customer, return_url="https://example.com/x")
    assert portal["url"].startswith("https://")
    assert portal["return_url"] == "https://example.com/x"


def test_the_demo_shows_plans_as_prices_in_the_older_shape() -> None:
    demo = Talk(SandboxTransport())
    jenny = demo("GET /v1/subscriptions/sub_demoJennyRosen", {"expand[]": "latest_invoice"})
    lines = [each for each in jenny["latest_invoice"]["lines"]["data"] if each["price"]["recurring"]]
    assert lines
    for each in [*jenny["items"]["data"], *lines]:
        plan, price = each["plan"], each["price"]
        assert (plan["id"], plan["object"], plan["amount"]) == (price["id"], "plan", price["unit_amount"])
        assert plan == demo(f"GET /v1/plans/{price['id']}")
    single = [
        each for each in demo("GET /v1/subscriptions", limit=100)["data"] if len(each["items"]["data"]) == 1
    ]
    assert single
    assert all(each["plan"] == each["items"]["data"][0]["plan"] for each in single)
    assert all(each["plan"] for each in single)
