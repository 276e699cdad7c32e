"""Invoices, items, lines, discounts and tax. The numbers are those of the sandbox's specification."""

from __future__ import annotations

import pytest

from .conftest import DAY


@pytest.fixture
def customer(call) -> str:
    return call("POST /v1/customers", name="Jenny", email="jenny@example.com", invoice_prefix="JEN")["id"]


def item(call, customer: str, amount: int = 1000, **params) -> dict:
    return call("POST /v1/invoiceitems", customer=customer, amount=amount, currency="usd", **params)


def draft(call, customer: str, *amounts: int, **params) -> dict:
    for amount in amounts:
        item(call, customer, amount)
    return call("POST /v1/invoices", customer=customer, pending_invoice_items_behavior="include", **params)


def opened(call, customer: str, *amounts: int, **params) -> dict:
    return call(f"POST /v1/invoices/{draft(call, customer, *(amounts or (1000,)), **params)['id']}/finalize")


def test_49_the_ways_of_an_invoice(call, customer) -> None:
    gone = draft(call, customer, 100)
    assert call(f"DELETE /v1/invoices/{gone['id']}") == {
        "id": gone["id"],
        "object": "invoice",
        "deleted": True,
    }
    paid = opened(call, customer)
    done = call(f"POST /v1/invoices/{paid['id']}/pay", payment_method="pm_card_visa")
    assert (done["status"], done["paid"], done["amount_paid"], done["amount_remaining"]) == (
        "paid",
        True,
        done["amount_due"],
        0,
    )
    void = call(f"POST /v1/invoices/{opened(call, customer)['id']}/void")
    assert (void["status"], void["status_transitions"]["voided_at"]) == ("void", call.transport.now)
    assert call(f"GET /v1/payment_intents/{void['payment_intent']}")["cancellation_reason"] == "void_invoice"
    written_off = call(f"POST /v1/invoices/{opened(call, customer)['id']}/mark_uncollectible")
    assert written_off["status"] == "uncollectible"
    assert (
        call(f"POST /v1/invoices/{written_off['id']}/pay", payment_method="pm_card_visa")["status"] == "paid"
    )
    other = call(f"POST /v1/invoices/{opened(call, customer)['id']}/mark_uncollectible")
    assert call(f"POST /v1/invoices/{other['id']}/void")["status"] == "void"


@pytest.mark.parametrize("state", ["draft", "open", "paid", "void", "uncollectible"])
@pytest.mark.parametrize("step", ["finalize", "pay", "void", "mark_uncollectible", "delete"])
def test_49_everything_else_is_refused(call, customer, state, step) -> None:
    invoice = draft(call, customer, 1000)["id"]
    for made in {"draft": (), "open": ("finalize",), "paid": ("finalize", "pay"),
        "void": ("finalize", "void"), "uncollectible": ("finalize",
            "mark_uncollectible")}[state]:  # fmt: skip
        call(f"POST /v1/invoices/{invoice}/{made}", payment_method="pm_card_visa" if made == "pay" else None)
    allowed = {
        "draft": {"finalize", "pay", "delete"}, "open": {"pay", "void", "mark_uncollectible"},
        "uncollectible": {"pay", "void"}, "paid": set(), "void": set(),
    }[state]  # fmt: skip
    what = f"DELETE /v1/invoices/{invoice}" if step == "delete" else f"POST /v1/invoices/{invoice}/{step}"
    params = {"payment_method": "pm_card_visa"} if step == "pay" else {}
    if step in allowed:
        call(what, params)
    else:
        assert call.refused(what, params)["status"] == 400


def test_49_a_decline_leaves_it_open(call, customer) -> None:
    invoice = opened(call, customer)
    error = call.refused(
        f"POST /v1/invoices/{invoice['id']}/pay", payment_method="pm_card_visa_chargeDeclined"
    )
    assert (error["status"], error["code"]) == (402, "card_declined")
    after = call(f"GET /v1/invoices/{invoice['id']}")
    assert (after["status"], after["attempt_count"], after["attempted"]) == ("open", 1, True)
    assert "invoice.payment_failed" in call.types()
    assert call(f"GET /v1/customers/{customer}")["delinquent"] is True
    assert call(f"POST /v1/invoices/{invoice['id']}/pay", payment_method="pm_card_visa")["attempt_count"] == 2
    assert call(f"GET /v1/customers/{customer}")["delinquent"] is False


def test_49_paying_its_intent_pays_it(call, customer) -> None:
    invoice = opened(call, customer)
    intent = call(
        f"POST /v1/payment_intents/{invoice['payment_intent']}/confirm", payment_method="pm_card_visa"
    )
    after = call(f"GET /v1/invoices/{invoice['id']}")
    assert (after["status"], after["charge"], intent["invoice"]) == (
        "paid",
        intent["latest_charge"],
        invoice["id"],
    )
    assert call.charge_of(intent)["invoice"] == invoice["id"]


def test_49_out_of_band_and_three_d_secure(call, customer) -> None:
    cash = opened(call, customer)
    done = call(f"POST /v1/invoices/{cash['id']}/pay", paid_out_of_band=True)
    assert (done["status"], done["paid_out_of_band"], done["charge"]) == ("paid", True, None)
    secure = opened(call, customer)
    error = call.refused(
        f"POST /v1/invoices/{secure['id']}/pay", payment_method="pm_card_authenticationRequired"
    )
    assert (error["status"], error["code"]) == (402, "invoice_payment_intent_requires_action")
    call(f"POST /v1/test_helpers/payment_intents/{secure['payment_intent']}/authenticate")
    assert call(f"GET /v1/invoices/{secure['id']}")["status"] == "paid"
    nobody = opened(call, customer)
    assert call.refused(f"POST /v1/invoices/{nobody['id']}/pay")["status"] == 400


def test_50_create(call, customer, sandbox) -> None:
    waiting = item(call, customer)
    alone = call("POST /v1/invoices", customer=customer)
    assert (
        alone["status"],
        alone["number"],
        alone["attempt_count"],
        alone["total"],
        alone["auto_advance"],
    ) == ("draft", None, 0, 0, False)
    assert call(f"GET /v1/invoiceitems/{waiting['id']}")["invoice"] is None
    taken = call("POST /v1/invoices", customer=customer, pending_invoice_items_behavior="include")
    assert (taken["total"], taken["customer_name"], taken["customer_email"]) == (
        1000,
        "Jenny",
        "jenny@example.com",
    )
    assert call(f"GET /v1/invoiceitems/{waiting['id']}")["invoice"] == taken["id"]
    assert call.refused("POST /v1/invoices")["param"] == "customer"
    assert (
        call.refused("POST /v1/invoices", customer=customer, collection_method="send_invoice")["code"]
        == "parameter_missing"
    )
    assert call.refused("POST /v1/invoices", customer=customer, days_until_due=3)["param"] == "days_until_due"
    sent = call("POST /v1/invoices", customer=customer, collection_method="send_invoice", days_until_due=3)
    assert sent["due_date"] == sandbox.now + 3 * DAY
    fixed = call(
        "POST /v1/invoices", customer=customer, collection_method="send_invoice", due_date=sandbox.now + 100
    )
    assert fixed["due_date"] == sandbox.now + 100
    assert (
        call.refused(
            "POST /v1/invoices", customer=customer, pending_invoice_items_behavior="include_and_require"
        )["status"]
        == 400
    )


def test_51_finalize(call, customer, sandbox) -> None:
    first = opened(call, customer, 1000)
    assert (
        first["number"],
        first["status"],
        first["amount_due"],
        first["status_transitions"]["finalized_at"],
    ) == ("JEN-0001", "open", 1000, sandbox.now)
    assert first["hosted_invoice_url"].startswith("https://")
    assert first["invoice_pdf"].startswith("https://")
    intent = call(f"GET /v1/payment_intents/{first['payment_intent']}")
    assert (intent["amount"], intent["customer"], intent["invoice"]) == (1000, customer, first["id"])
    assert opened(call, customer, 100)["number"] == "JEN-0002"
    assert call(f"GET /v1/customers/{customer}")["next_invoice_sequence"] == 3
    nothing = call("POST /v1/invoices", customer=customer)["id"]
    assert call(f"POST /v1/invoices/{nothing}/finalize")["status"] == "paid"
    assert call.refused(f"POST /v1/invoices/{nothing}/finalize")["code"] == "invoice_not_editable"


def test_51_the_customers_balance(call) -> None:
    rich = call("POST /v1/customers", balance=-300)["id"]
    invoice = opened(call, rich, 1000)
    assert (
        invoice["total"],
        invoice["starting_balance"],
        invoice["ending_balance"],
        invoice["amount_due"],
    ) == (1000, -300, 0, 700)
    assert call(f"GET /v1/customers/{rich}")["balance"] == 0
    call(f"POST /v1/invoices/{invoice['id']}/void")
    assert call(f"GET /v1/customers/{rich}")["balance"] == -300
    kinds = [each["type"] for each in call.every(f"/v1/customers/{rich}/balance_transactions")]
    assert kinds == ["unapplied_from_invoice", "applied_to_invoice", "adjustment"]
    credit = opened(call, rich, -500)
    assert (credit["status"], credit["amount_due"], credit["total"]) == ("paid", 0, -500)
    assert call(f"GET /v1/customers/{rich}")["balance"] == -800
    small = opened(call, rich, 820)
    assert (small["amount_due"], small["status"], call(f"GET /v1/customers/{rich}")["balance"]) == (
        0,
        "paid",
        20,
    )


def test_51_by_itself_after_an_hour(call, customer, sandbox) -> None:
    call(f"POST /v1/customers/{customer}")
    method = call("POST /v1/payment_methods/pm_card_visa/attach", customer=customer)["id"]
    call(f"POST /v1/customers/{customer}", {"invoice_settings[default_payment_method]": method})
    invoice = draft(call, customer, 1000, auto_advance=True)
    sandbox.advance(3599)
    assert call(f"GET /v1/invoices/{invoice['id']}")["status"] == "draft"
    sandbox.advance(1)
    assert call(f"GET /v1/invoices/{invoice['id']}")["status"] == "open"
    sandbox.advance(3600)
    assert call(f"GET /v1/invoices/{invoice['id']}")["status"] == "paid"


def test_51_collection_tries_again(call, customer, sandbox) -> None:
    method = call("POST /v1/payment_methods/pm_card_chargeCustomerFail/attach", customer=customer)["id"]
    call(f"POST /v1/customers/{customer}", {"invoice_settings[default_payment_method]": method})
    invoice = draft(call, customer, 1000, auto_advance=True)
    sandbox.advance(2 * 3600)
    once = call(f"GET /v1/invoices/{invoice['id']}")
    assert (once["status"], once["attempt_count"]) == ("open", 1)
    assert once["next_payment_attempt"] == sandbox.now + 3 * DAY
    sandbox.advance(30 * DAY)
    often = call(f"GET /v1/invoices/{invoice['id']}")
    assert (often["status"], often["attempt_count"], often["next_payment_attempt"]) == ("open", 4, None)


def test_51_sent_and_overdue(call, customer, sandbox) -> None:
    invoice = draft(call, customer, 1000, collection_method="send_invoice", days_until_due=7)
    sent = call(f"POST /v1/invoices/{invoice['id']}/send")
    assert (sent["status"], sent["due_date"]) == ("open", sandbox.now + 7 * DAY)
    sandbox.advance(7 * DAY)
    assert "invoice.overdue" in call.types()
    assert call(f"GET /v1/invoices/{invoice['id']}")["status"] == "open"


def test_52_finalized_sums_stand_still(call, customer) -> None:
    invoice = opened(call, customer)
    path = f"POST /v1/invoices/{invoice['id']}"
    assert call(path, {"metadata[a]": "b"})["metadata"] == {"a": "b"}
    assert call(path, auto_advance=True)["auto_advance"] is True
    for params in (
        {"description": "x"},
        {"collection_method": "send_invoice", "days_until_due": 3},
        {"discounts": ""},
        {"default_tax_rates": ""},
    ):
        assert call.refused(path, params)["code"] == "invoice_not_editable"
    line = invoice["lines"]["data"][0]["invoice_item"]
    assert call.refused(f"POST /v1/invoiceitems/{line}", amount=5)["code"] == "invoice_not_editable"
    assert call.refused(f"DELETE /v1/invoiceitems/{line}")["code"] == "invoice_not_editable"


def rate(call, percentage: float, *, inclusive: bool = False) -> str:
    return call("POST /v1/tax_rates", display_name="VAT", percentage=percentage, inclusive=inclusive)["id"]


def test_52_tax_on_top_and_inside(call, customer) -> None:
    top = draft(call, customer, 1000, **{"default_tax_rates[]": [rate(call, 20)]})
    assert (top["subtotal"], top["tax"], top["total"], top["total_excluding_tax"]) == (1000, 200, 1200, 1000)
    assert top["total_tax_amounts"][0]["amount"] == 200
    inside = draft(call, customer, 1200, **{"default_tax_rates[]": [rate(call, 20, inclusive=True)]})
    assert (inside["subtotal"], inside["tax"], inside["total"], inside["total_excluding_tax"]) == (
        1200,
        200,
        1200,
        1000,
    )
    call(f"POST /v1/customers/{customer}", tax_exempt="reverse")
    free = draft(call, customer, 1000, **{"default_tax_rates[]": [rate(call, 20)]})
    assert (free["tax"], free["total"], free["total_tax_amounts"][0]["taxability_reason"]) == (
        0,
        1000,
        "reverse_charge",
    )


def test_52_discounts(call, customer) -> None:
    quarter = call("POST /v1/coupons", percent_off=25.5, duration="once")["id"]
    ten = call("POST /v1/coupons", amount_off=1000, currency="usd", duration="once", id="TEN")["id"]
    promo = call("POST /v1/promotion_codes", coupon=ten, code="SAVE10")["id"]
    invoice = draft(
        call,
        customer,
        3333,
        1667,
        **{"discounts[0][coupon]": quarter, "default_tax_rates[]": [rate(call, 10)]},
    )
    off = 1275  # 25.5 % of 5000
    assert (invoice["subtotal"], invoice["total_discount_amounts"][0]["amount"]) == (5000, off)
    assert (
        sum(part["amount"] for line in invoice["lines"]["data"] for part in line["discount_amounts"]) == off
    )
    assert invoice["total"] == 5000 - off + invoice["tax"]
    coded = draft(call, customer, 5000, **{"discounts[0][promotion_code]": promo})
    assert (coded["total"], coded["discount"]["promotion_code"]) == (4000, promo)
    assert call(f"GET /v1/coupons/{ten}")["times_redeemed"] == 1
    line = item(call, customer, 500, **{"discounts[0][coupon]": quarter})
    mixed = draft(call, customer, 1000)
    assert mixed["subtotal"] == 1500 - 128
    assert mixed["lines"]["data"][0]["discounts"] == line["discounts"]
    full = call(f"GET /v1/invoices/{coded['id']}", {"expand[]": "discounts"})
    assert full["discounts"][0]["coupon"]["id"] == ten


def test_52_a_customers_coupon(call) -> None:
    coupon = call("POST /v1/coupons", percent_off=50, duration="forever")["id"]
    customer = call("POST /v1/customers", coupon=coupon)["id"]
    assert draft(call, customer, 1000)["total"] == 500
    assert draft(call, customer, 1000, discounts="")["total"] == 1000
    call(f"DELETE /v1/customers/{customer}/discount")
    assert draft(call, customer, 1000)["total"] == 1000


def test_53_what_an_item_costs(call, customer) -> None:
    product = call("POST /v1/products", name="Seat")["id"]
    price = call("POST /v1/prices", product=product, currency="usd", unit_amount=250)["id"]
    by_price = call("POST /v1/invoiceitems", customer=customer, price=price, quantity=3)
    assert (by_price["amount"], by_price["price"]["id"], by_price["quantity"], by_price["description"]) == (
        750,
        price,
        3,
        "Seat",
    )
    new = {
        "price_data[product]": product,
        "price_data[currency]": "usd",
        "price_data[unit_amount]": 199,
        "price_data[tax_behavior]": "exclusive",
    }
    by_data = call("POST /v1/invoiceitems", {"customer": customer, "quantity": 2, **new})
    assert (by_data["amount"], by_data["price"]["tax_behavior"], by_data["price"]["product"]) == (
        398,
        "exclusive",
        product,
    )
    by_unit = call("POST /v1/invoiceitems", customer=customer, unit_amount=120, quantity=4, currency="usd")
    assert (by_unit["amount"], by_unit["unit_amount"]) == (480, 120)
    by_decimal = call(
        "POST /v1/invoiceitems", customer=customer, unit_amount_decimal="0.5", quantity=3, currency="usd"
    )
    assert (by_decimal["amount"], by_decimal["unit_amount"], by_decimal["unit_amount_decimal"]) == (
        2,
        None,
        "0.5",
    )
    assert item(call, customer, -300)["amount"] == -300
    for params in (
        {},
        {"amount": 1, "price": price},
        {"price": "price_x"},
        {"amount": "x"},
        {"unit_amount": 1, "quantity": -1, "currency": "usd"},
    ):
        assert call.refused("POST /v1/invoiceitems", {"customer": customer, **params})["status"] == 400


def test_53_the_draft_follows(call, customer) -> None:
    invoice = draft(call, customer, 1000)
    line = invoice["lines"]["data"][0]
    changed = call(f"POST /v1/invoiceitems/{line['invoice_item']}", amount=400, description="less")
    assert changed["amount"] == 400
    after = call(f"GET /v1/invoices/{invoice['id']}")
    assert (after["total"], after["lines"]["data"][0]["description"], after["lines"]["data"][0]["id"]) == (
        400,
        "less",
        line["id"],
    )
    added = item(call, customer, 50, invoice=invoice["id"])
    assert call(f"GET /v1/invoices/{invoice['id']}")["total"] == 450
    call(f"DELETE /v1/invoiceitems/{added['id']}")
    assert call(f"GET /v1/invoices/{invoice['id']}")["total"] == 400
    assert (
        call.refused(
            "POST /v1/invoiceitems", customer=customer, amount=1, currency="eur", invoice=invoice["id"]
        )["param"]
        == "currency"
    )


def test_54_lines(call, customer) -> None:
    invoice = draft(call, customer, *range(100, 112))
    assert (len(invoice["lines"]["data"]), invoice["lines"]["has_more"]) == (10, True)
    first = call(f"GET /v1/invoices/{invoice['id']}/lines", limit=7)
    rest = call(f"GET /v1/invoices/{invoice['id']}/lines", limit=7, starting_after=first["data"][-1]["id"])
    assert [each["amount"] for each in first["data"] + rest["data"]] == list(range(100, 112))
    assert (first["has_more"], rest["has_more"]) == (True, False)
    line = first["data"][0]
    assert (line["object"], line["id"][:3], line["type"], line["quantity"], line["currency"]) == (
        "line_item",
        "il_",
        "invoiceitem",
        1,
        "usd",
    )
    assert {"start", "end"} == set(line["period"])


def test_subscriptions_bill_each_period(call, sandbox) -> None:
    customer = call(
        "POST /v1/customers",
        payment_method="pm_card_visa",
        **{"invoice_settings[default_payment_method]": "pm_card_visa"},
    )["id"]
    product = call("POST /v1/products", name="Plan")["id"]
    price = call(
        "POST /v1/prices",
        {"product": product, "currency": "usd", "unit_amount": 900, "recurring[interval]": "month"},
    )["id"]
    made = call(
        "POST /v1/subscriptions", {"customer": customer, "items[0][price]": price, "items[0][quantity]": 2}
    )
    assert (made["status"], made["items"]["data"][0]["quantity"]) == ("active", 2)
    first = call(f"GET /v1/invoices/{made['latest_invoice']}")
    assert (first["status"], first["total"], first["billing_reason"], first["subscription"]) == (
        "paid",
        1800,
        "subscription_create",
        made["id"],
    )
    assert first["lines"]["data"][0]["type"] == "subscription"
    assert call.refused(f"DELETE /v1/invoices/{first['id']}")["status"] == 400
    sandbox.advance(31 * DAY)
    invoices = call.every("/v1/invoices", subscription=made["id"])
    assert [each["billing_reason"] for each in invoices] == ["subscription_cycle", "subscription_create"]
    assert invoices[0]["status"] == "paid"
    assert call(f"DELETE /v1/subscriptions/{made['id']}")["status"] == "canceled"
    assert call.every("/v1/subscriptions") == []
    assert len(call.every("/v1/subscriptions", status="all")) == 1
    assert call("POST /v1/invoices", customer=customer, subscription=made["id"])["subscription"] == made["id"]


def test_a_subscription_whose_card_declines(call) -> None:
    customer = call("POST /v1/customers", payment_method="pm_card_chargeCustomerFail",
        **{"invoice_settings[default_payment_method]": "pm_card_chargeCustomerFail"})["id"]  # fmt: skip
    data = {
        "product_data[name]": "Plan",
        "currency": "usd",
        "unit_amount": 900,
        "recurring[interval]": "month",
    }
    price = call("POST /v1/prices", data)["id"]
    made = call("POST /v1/subscriptions", {"customer": customer, "items[0][price]": price})
    assert made["status"] == "incomplete"
    call(f"POST /v1/invoices/{made['latest_invoice']}/pay", payment_method="pm_card_visa")
    assert call(f"GET /v1/subscriptions/{made['id']}")["status"] == "active"
