"""What a checkout session comes to: automatic tax, tax rates, discounts, shipping; the invoice of a one-time
payment; the same by payment links."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import DAY, Talk

NEWER = "2026-10-28.endive"
BACK = {"success_url": "https://example.com/done"}
MUG = {
    "line_items[0][price_data][currency]": "eur", "line_items[0][price_data][unit_amount]": 1500,
    "line_items[0][price_data][product_data][name]": "Mug", "line_items[0][quantity]": 2,
}  # fmt: skip
TAXED = {"automatic_tax[enabled]": "true"}
WITH_INVOICE = {"invoice_creation[enabled]": "true"}
DE = {"address[country]": "DE", "address[postal_code]": "10115"}


def begin(call: Talk, mode: str = "payment", **params: Any) -> dict[str, Any]:
    return call("POST /v1/checkout/sessions", mode=mode, **BACK, **{**MUG, **params})


def complete(call: Talk, session: dict[str, Any], **params: Any) -> dict[str, Any]:
    return call(f"POST /v1/test_helpers/checkout/sessions/{session['id']}/complete", **params)


def price(call: Talk, **more: Any) -> str:
    product = call("POST /v1/products", name="Plan")["id"]
    given = {"product": product, "currency": "eur", "unit_amount": 2000, **more}
    return str(call("POST /v1/prices", **given)["id"])


def sums(session: dict[str, Any]) -> tuple[Any, ...]:
    parts = session["total_details"]
    return (session["amount_subtotal"], parts["amount_discount"], parts["amount_tax"],
            parts["amount_shipping"], session["amount_total"])  # fmt: skip


def test_tax_is_found_when_the_customer_says_where_they_are(call: Talk) -> None:
    session = begin(call, **TAXED)
    assert session["automatic_tax"]["status"] == "requires_location_inputs"
    assert session["automatic_tax"]["liability"] == {"type": "self"}
    assert sums(session) == (3000, 0, 0, 0, 3000)
    path = f"POST /v1/test_helpers/checkout/sessions/{session['id']}/complete"
    assert call.refused(path)["code"] == "customer_tax_location_invalid"
    assert call.refused(path, **{"address[country]": "US"})["code"] == "customer_tax_location_invalid"
    done = complete(call, session, **DE)
    assert done["automatic_tax"]["status"] == "complete"
    assert sums(done) == (3000, 0, 570, 0, 3570)
    assert done["customer_details"]["address"]["country"] == "DE"
    assert call(f"GET /v1/payment_intents/{done['payment_intent']}")["amount_received"] == 3570
    [line] = call(f"GET /v1/checkout/sessions/{session['id']}/line_items")["data"]
    assert (line["amount_subtotal"], line["amount_tax"], line["amount_total"]) == (3000, 570, 3570)


def test_tax_within_the_price_and_where_none_is_collected(call: Talk) -> None:
    inclusive = {"line_items[0][price_data][tax_behavior]": "inclusive"}
    assert sums(complete(call, begin(call, **TAXED, **inclusive), **DE)) == (3000, 0, 479, 0, 3000)
    assert sums(complete(call, begin(call, **TAXED), **{"address[country]": "BR"})) == (3000, 0, 0, 0, 3000)


def test_a_customer_with_an_address_is_taxed_at_once(call: Talk) -> None:
    known = call("POST /v1/customers", **DE)["id"]
    assert sums(begin(call, customer=known, **TAXED)) == (3000, 0, 570, 0, 3570)
    call(f"POST /v1/customers/{known}/tax_ids", type="eu_vat", value="DE123456789")
    assert sums(begin(call, customer=known, **TAXED))[2] == 0  # the buyer owes it
    exempt = call("POST /v1/customers", tax_exempt="exempt", **DE)["id"]
    assert sums(begin(call, customer=exempt, **TAXED))[2] == 0
    nowhere = call("POST /v1/customers")["id"]
    error = call.refused(
        "POST /v1/checkout/sessions", mode="payment", customer=nowhere, **BACK, **MUG, **TAXED
    )
    assert error["code"] == "customer_tax_location_invalid" and "customer_update[address]" in error["message"]
    update = {"customer_update[address]": "auto", "customer_update[name]": "never"}
    done = complete(call, begin(call, customer=nowhere, **TAXED, **update), name="Jenny", **DE)
    assert sums(done) == (3000, 0, 570, 0, 3570)
    after = call(f"GET /v1/customers/{nowhere}")
    assert (after["address"]["country"], after["name"]) == ("DE", None)


def test_a_taxed_subscription_bills_what_the_session_said(call: Talk) -> None:
    monthly = price(call, **{"recurring[interval]": "month"})
    line = {"line_items[0][price]": monthly, "line_items[0][quantity]": 2}
    coupon = call("POST /v1/coupons", percent_off=10, duration="forever")["id"]
    session = call("POST /v1/checkout/sessions", mode="subscription", **BACK, **line, **TAXED,
                   **{"discounts[0][coupon]": coupon})  # fmt: skip
    done = complete(call, session, **DE)
    assert sums(done) == (4000, 400, 684, 0, 4284)
    subscription = call(f"GET /v1/subscriptions/{done['subscription']}")
    assert subscription["automatic_tax"]["enabled"] and len(subscription["discounts"]) == 1
    invoice = call(f"GET /v1/invoices/{done['invoice']}")
    assert (invoice["total"], invoice["tax"], invoice["status"]) == (4284, 684, "paid")
    assert call(f"GET /v1/coupons/{coupon}")["times_redeemed"] == 1


@pytest.mark.parametrize("version", ["2025-02-24.acacia", NEWER])
def test_a_payment_gets_its_invoice(call: Talk, version: str) -> None:
    data = {
        "invoice_creation[invoice_data][description]": "Thanks",
        "invoice_creation[invoice_data][footer]": "x",
        "invoice_creation[invoice_data][metadata][order]": "7",
        "invoice_creation[invoice_data][custom_fields][0][name]": "PO",
        "invoice_creation[invoice_data][custom_fields][0][value]": "42",
    }  # fmt: skip
    session = begin(call, **TAXED, **WITH_INVOICE, **data)
    assert session["invoice_creation"]["enabled"] is True and session["invoice"] is None
    assert session["invoice_creation"]["invoice_data"]["metadata"] == {"order": "7"}
    done = complete(call, session, email="jenny@example.com", **DE)
    invoice = call(f"GET /v1/invoices/{done['invoice']}")
    assert (invoice["status"], invoice["total"], invoice["amount_paid"]) == ("paid", 3570, 3570)
    assert (invoice["customer"], invoice["billing_reason"]) == (done["customer"], "manual")
    assert (invoice["description"], invoice["footer"], invoice["metadata"]) == ("Thanks", "x", {"order": "7"})
    assert invoice["custom_fields"] == [{"name": "PO", "value": "42"}]
    assert invoice["payment_intent"] == done["payment_intent"]
    intent = call(f"GET /v1/payment_intents/{done['payment_intent']}")
    assert (intent["invoice"], invoice["charge"]) == (invoice["id"], intent["latest_charge"])
    [line] = invoice["lines"]["data"]
    assert (line["description"], line["quantity"], line["amount"]) == ("Mug", 2, 3000)
    assert call.types(type="invoice.*") == [
        "invoice.created", "invoice.updated", "invoice.finalized", "invoice.updated", "invoice.paid",
        "invoice.payment_succeeded",
    ]  # fmt: skip
    assert len(call("GET /v1/payment_intents")["data"]) == 1  # nothing is charged twice
    if version == NEWER:
        call.client.headers["Stripe-Version"] = version
        shown = call(f"GET /v1/invoices/{invoice['id']}", **{"expand[0]": "payments"})
        [paid] = shown["payments"]["data"]
        assert paid["payment"]["payment_intent"] == done["payment_intent"] and paid["status"] == "paid"


def test_a_declined_card_makes_no_invoice_and_no_second_customer_is_kept(call: Talk) -> None:
    coupon = call("POST /v1/coupons", percent_off=50, duration="once", max_redemptions=1)["id"]
    session = begin(call, **WITH_INVOICE, **{"discounts[0][coupon]": coupon})
    path = f"POST /v1/test_helpers/checkout/sessions/{session['id']}/complete"
    assert call.refused(path, payment_method="pm_card_visa_chargeDeclined")["status"] == 402
    assert call("GET /v1/invoices")["data"] == []
    done = complete(call, session)
    invoice = call(f"GET /v1/invoices/{done['invoice']}")
    assert (invoice["subtotal"], invoice["total"], len(invoice["discounts"])) == (3000, 1500, 1)
    assert call(f"GET /v1/coupons/{coupon}")["times_redeemed"] == 1
    assert call.refused("POST /v1/checkout/sessions", mode="payment", **BACK, **MUG,
                        **{"discounts[0][coupon]": coupon})["code"] == "coupon_expired"  # fmt: skip


def test_nothing_to_pay_is_an_invoice_too(call: Talk) -> None:
    coupon = call("POST /v1/coupons", percent_off=100, duration="once")["id"]
    session = begin(call, **WITH_INVOICE, **{"discounts[0][coupon]": coupon})
    assert (session["amount_total"], session["payment_status"]) == (0, "no_payment_required")
    done = complete(call, session)
    assert (done["payment_intent"], done["payment_status"]) == (None, "no_payment_required")
    invoice = call(f"GET /v1/invoices/{done['invoice']}")
    assert (invoice["status"], invoice["total"], invoice["payment_intent"]) == ("paid", 0, None)


def test_a_credit_balance_is_not_used_for_what_was_paid(call: Talk) -> None:
    who = call("POST /v1/customers", balance=-1000)["id"]
    call(f"POST /v1/customers/{who}", **{"metadata[a]": "b"})
    line = {**MUG, "line_items[0][price_data][currency]": "usd"}
    session = call("POST /v1/checkout/sessions", mode="payment", customer=who, **BACK, **line, **WITH_INVOICE)
    invoice = call(f"GET /v1/invoices/{complete(call, session)['invoice']}")
    assert (invoice["amount_paid"], invoice["starting_balance"], invoice["ending_balance"]) == (
        3000, -1000, -1000,
    )  # fmt: skip
    assert call(f"GET /v1/customers/{who}")["balance"] == -1000


def test_a_bank_debit_is_invoiced_when_it_comes_in(call: Talk, sandbox: Any) -> None:
    method = {
        "type": "sepa_debit", "billing_details[name]": "Jenny", "billing_details[email]": "j@example.com",
    }  # fmt: skip
    for iban, outcome in (("AT321904300235473204", "succeeded"), ("AT861904300235473202", "failed")):
        made = call("POST /v1/payment_methods", **method, **{"sepa_debit[iban]": iban})["id"]
        session = begin(call, **WITH_INVOICE, **{"payment_method_types[0]": "sepa_debit"})
        done = complete(call, session, payment_method=made)
        assert (done["status"], done["payment_status"], done["invoice"]) == ("complete", "unpaid", None)
        sandbox.advance(5 * DAY)
        after = call(f"GET /v1/checkout/sessions/{session['id']}")
        paid = outcome == "succeeded"
        assert (after["payment_status"], bool(after["invoice"])) == ("paid" if paid else "unpaid", paid)
        assert call.types(type=f"checkout.session.async_payment_{outcome}") == [
            f"checkout.session.async_payment_{outcome}"
        ]


def test_tax_rates_promotion_codes_and_shipping(call: Talk) -> None:
    rate = call("POST /v1/tax_rates", display_name="VAT", percentage=20, inclusive="false")["id"]
    coupon = call("POST /v1/coupons", amount_off=500, currency="eur", duration="once")["id"]
    code = call("POST /v1/promotion_codes", coupon=coupon, code="FIVE")["id"]
    fast = call("POST /v1/shipping_rates", display_name="Fast", type="fixed_amount",
                **{"fixed_amount[amount]": 900, "fixed_amount[currency]": "eur"})["id"]  # fmt: skip
    slow = {
        "shipping_options[0][shipping_rate_data][display_name]": "Slow",
        "shipping_options[0][shipping_rate_data][fixed_amount][amount]": 400,
        "shipping_options[0][shipping_rate_data][fixed_amount][currency]": "eur",
    }  # fmt: skip
    session = begin(
        call, allow_promotion_codes="true", **slow, **{"shipping_options[1][shipping_rate]": fast},
        **{"line_items[0][tax_rates][0]": rate}, **WITH_INVOICE,
    )  # fmt: skip
    assert sums(session) == (3000, 0, 600, 400, 4000)
    done = complete(call, session, promotion_code=code, shipping_rate=fast)
    assert sums(done) == (3000, 500, 500, 900, 3900)
    assert done["shipping_cost"]["amount_total"] == 900
    assert done["discounts"] == [{"coupon": None, "promotion_code": code}]
    invoice = call(f"GET /v1/invoices/{done['invoice']}")
    assert (invoice["total"], invoice["tax"], invoice["amount_shipping"]) == (3900, 500, 900)
    assert call(f"GET /v1/promotion_codes/{code}")["times_redeemed"] == 1


def test_a_payment_link_carries_both(call: Talk) -> None:
    link = call("POST /v1/payment_links", **{"line_items[0][price]": price(call),
                "line_items[0][quantity]": 1}, **TAXED, **WITH_INVOICE)  # fmt: skip
    assert link["invoice_creation"]["enabled"] and link["automatic_tax"]["enabled"]
    session = call(f"POST /v1/test_helpers/payment_links/{link['id']}/open")
    done = complete(call, session, **DE)
    assert sums(done) == (2000, 0, 380, 0, 2380)
    assert call(f"GET /v1/invoices/{done['invoice']}")["amount_paid"] == 2380
    call(f"POST /v1/payment_links/{link['id']}", **{"automatic_tax[enabled]": "false",
         "invoice_creation[enabled]": "false"})  # fmt: skip
    plain = complete(call, call(f"POST /v1/test_helpers/payment_links/{link['id']}/open"))
    assert (plain["invoice"], sums(plain)) == (None, (2000, 0, 0, 0, 2000))
    monthly = price(call, **{"recurring[interval]": "month"})
    recurring = {"line_items[0][price]": monthly, "line_items[0][quantity]": 1}
    error = call.refused("POST /v1/payment_links", **recurring, **WITH_INVOICE)
    assert error["param"] == "invoice_creation"
    taxed = call("POST /v1/payment_links", **recurring, **TAXED)
    done = complete(call, call(f"POST /v1/test_helpers/payment_links/{taxed['id']}/open"), **DE)
    assert call(f"GET /v1/invoices/{done['invoice']}")["total"] == 2380


def test_the_customer_chooses_how_many(call: Talk) -> None:
    chosen = {"line_items[0][adjustable_quantity][enabled]": "true",
              "line_items[0][adjustable_quantity][maximum]": 5}  # fmt: skip
    session = begin(call, **chosen)
    path = f"POST /v1/test_helpers/checkout/sessions/{session['id']}/complete"
    [line] = call(f"GET /v1/checkout/sessions/{session['id']}/line_items")["data"]
    many = {"line_items[0][id]": line["id"], "line_items[0][quantity]": 6}
    assert call.refused(path, **many)["param"] == "line_items[0][quantity]"
    done = call(path, **{**many, "line_items[0][quantity]": 5})
    assert done["amount_total"] == 7500
    assert call(f"GET /v1/payment_intents/{done['payment_intent']}")["amount_received"] == 7500
    line = {"line_items[0][price]": price(call), "line_items[0][quantity]": 1}
    link = call("POST /v1/payment_links", **line, **chosen)
    visit = call(f"POST /v1/test_helpers/payment_links/{link['id']}/open")
    [line] = call(f"GET /v1/checkout/sessions/{visit['id']}/line_items")["data"]
    done = complete(call, visit, **{"line_items[0][id]": line["id"], "line_items[0][quantity]": 3})
    assert done["amount_total"] == 6000
    fixed = begin(call)
    [line] = call(f"GET /v1/checkout/sessions/{fixed['id']}/line_items")["data"]
    path = f"POST /v1/test_helpers/checkout/sessions/{fixed['id']}/complete"
    many = {"line_items[0][id]": line["id"], "line_items[0][quantity]": 3}
    assert call.refused(path, **many)["param"] == "line_items[0][id]"


@pytest.mark.parametrize("version", ["2025-02-24.acacia", NEWER])
def test_the_sums_in_detail(call: Talk, version: str) -> None:
    call.client.headers["Stripe-Version"] = version
    coupon = call("POST /v1/coupons", percent_off=10, duration="once")["id"]
    session = begin(call, **TAXED, **{"discounts[0][coupon]": coupon})
    shown = {"expand[0]": "total_details.breakdown"}
    parts = call(f"GET /v1/checkout/sessions/{session['id']}", **shown)["total_details"]["breakdown"]
    assert [each["amount"] for each in parts["discounts"]] == [300] and parts["taxes"] == []
    complete(call, session, **DE)
    [listed] = call("GET /v1/checkout/sessions", **{"expand[0]": "data.total_details.breakdown"})["data"]
    [tax] = listed["total_details"]["breakdown"]["taxes"]
    assert (tax["amount"], tax["taxable_amount"], tax["rate"]["percentage"]) == (513, 2700, 19)
    [off] = listed["total_details"]["breakdown"]["discounts"]
    assert off["discount"]["checkout_session"] == session["id"]


def test_a_price_that_is_made_for_a_session_serves_a_subscription(call: Talk) -> None:
    monthly = {**MUG, "line_items[0][price_data][recurring][interval]": "month"}
    once = {name.replace("[0]", "[1]", 1): value for name, value in MUG.items()}
    session = call("POST /v1/checkout/sessions", mode="subscription", **BACK, **monthly, **once)
    done = complete(call, session)
    [item] = call(f"GET /v1/subscriptions/{done['subscription']}")["items"]["data"]
    assert (item["price"]["unit_amount"], item["price"]["active"], item["quantity"]) == (1500, False, 2)
    assert call(f"GET /v1/invoices/{done['invoice']}")["total"] == done["amount_total"] == 6000
    assert call.refused("POST /v1/subscriptions", customer=done["customer"],
                        **{"items[0][price]": item["price"]["id"]})["param"] == "items[0][price]"  # fmt: skip
    assert all(not each["active"] for each in call("GET /v1/prices")["data"])


def test_a_card_payment_that_is_captured_later(call: Talk) -> None:
    session = begin(call, **{"payment_intent_data[capture_method]": "manual"})
    done = complete(call, session)
    assert done["payment_status"] == "unpaid"
    call(f"POST /v1/payment_intents/{done['payment_intent']}/capture")
    assert call(f"GET /v1/checkout/sessions/{session['id']}")["payment_status"] == "paid"
    assert call.types(type="checkout.session.async_payment_succeeded") == []


def test_a_country_is_two_letters_of_any_case(call: Talk) -> None:
    session = begin(call, **TAXED)
    path = f"POST /v1/test_helpers/checkout/sessions/{session['id']}/complete"
    error = call.refused(path, **{"address[country]": "Germany"})
    assert (error["code"], error["param"]) == ("country_code_invalid", "address[country]")
    assert sums(call(path, **{"address[country]": "de"}))[2] == 570


def test_a_page_of_ones_own_gets_a_secret(call: Talk) -> None:
    session = call("POST /v1/checkout/sessions", mode="payment", ui_mode="embedded",
                   return_url="https://example.com", **MUG)  # fmt: skip
    assert session["client_secret"].startswith(f"{session['id']}_secret_") and session["url"] is None
    assert begin(call)["client_secret"] is None


@pytest.mark.parametrize(
    ("mode", "params", "param"),
    [
        ("subscription", WITH_INVOICE, "invoice_creation"),
        ("setup", TAXED, "automatic_tax"),
        ("payment", {"customer_update[address]": "auto"}, "customer_update"),
        ("payment", {**TAXED, "automatic_tax[liability][type]": "account"},
         "automatic_tax[liability][account]"),
        ("payment", {**WITH_INVOICE, "invoice_creation[invoice_data][issuer][type]": "account"},
         "invoice_creation[invoice_data][issuer][account]"),
        ("payment", {**WITH_INVOICE, "invoice_creation[invoice_data][account_tax_ids][0]": "txi_none"},
         "invoice_creation[invoice_data][account_tax_ids][0]"),
        ("payment", {"discounts[0][coupon]": "none"}, "discounts[0][coupon]"),
        ("payment", {"discounts[0][coupon]": ""}, "discounts[0][coupon]"),
        ("payment", {"line_items[0][price_data][unit_amount]": 20}, "line_items"),
        ("payment", {"line_items[0][price_data][unit_amount]": 99_999_999}, "line_items"),
        ("payment", {"shipping_options[0][shipping_rate_data][display_name]": "x",
                     "shipping_options[0][shipping_rate_data][fixed_amount][amount]": -1,
                     "shipping_options[0][shipping_rate_data][fixed_amount][currency]": "eur"},
         "shipping_options[0][shipping_rate_data][fixed_amount][amount]"),
        ("payment", {"discounts[0][coupon]": "a", "allow_promotion_codes": "true"}, "discounts"),
        ("payment", {"shipping_options[0][shipping_rate]": "shr_none"}, "shipping_options[0][shipping_rate]"),
        ("payment", {"shipping_options[0][shipping_rate_data][display_name]": "x"},
         "shipping_options[0][shipping_rate_data][fixed_amount]"),
        ("payment", {"line_items[0][tax_rates][0]": "txr_none"}, "line_items[0][tax_rates][0]"),
        ("payment", {"invoice_creation[enabled]": "maybe"}, "invoice_creation[enabled]"),
    ],
)  # fmt: skip
def test_what_can_not_be_is_refused(call: Talk, mode: str, params: dict[str, str], param: str) -> None:
    lines = {} if mode == "setup" else MUG
    if mode == "subscription":
        lines = {**MUG, "line_items[0][price_data][recurring][interval]": "month"}
    error = call.refused("POST /v1/checkout/sessions", mode=mode, **BACK, **{**lines, **params})
    assert (error["status"], error["param"]) == (400, param)
    assert call("GET /v1/checkout/sessions")["data"] == []
