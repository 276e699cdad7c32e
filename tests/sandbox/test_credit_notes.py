"""Credit notes, the lines of drafts, payments of invoices, and tax by where the customer is."""

from __future__ import annotations

from typing import Any

import pytest

from stripe_magics.sandbox.api.versions import NEWER

NOTES = "POST /v1/credit_notes"


def opened(call, amount: int = 1000, **params: Any) -> dict[str, Any]:
    who = call("POST /v1/customers", {"payment_method": "pm_card_visa", **params})["id"]
    call(
        "POST /v1/invoiceitems",
        customer=who,
        unit_amount=amount // 4,
        quantity=4,
        currency="usd",
        description="Hours",
    )
    draft = call("POST /v1/invoices", customer=who, pending_invoice_items_behavior="include")
    return call(f"POST /v1/invoices/{draft['id']}/finalize")


def paid(call, amount: int = 1000) -> dict[str, Any]:
    return call(f"POST /v1/invoices/{opened(call, amount)['id']}/pay", payment_method="pm_card_visa")


def test_80_less_to_pay(call) -> None:
    invoice = opened(call)
    note = call(NOTES, invoice=invoice["id"], amount=400, reason="product_unsatisfactory")
    assert (note["type"], note["amount"], note["number"]) == (
        "pre_payment",
        400,
        f"{invoice['number']}-CN-01",
    )
    newer = call.raw(f"GET /v1/credit_notes/{note['id']}", headers={"Stripe-Version": NEWER}).json()
    assert (newer["pre_payment_amount"], newer["post_payment_amount"]) == (400, 0)
    assert "pre_payment_amount" not in note  # which came with the newer version
    after = call(f"GET /v1/invoices/{invoice['id']}")
    assert (after["amount_due"], after["amount_remaining"], after["pre_payment_credit_notes_amount"]) == (
        600,
        600,
        400,
    )
    assert call(f"GET /v1/payment_intents/{invoice['payment_intent']}")["amount"] == 600
    assert call(f"POST /v1/credit_notes/{note['id']}/void")["status"] == "void"
    assert call(f"GET /v1/invoices/{invoice['id']}")["amount_due"] == 1000
    assert call.refused(NOTES, invoice=invoice["id"], amount=1001)["status"] == 400
    call(NOTES, invoice=invoice["id"], amount=1000)
    assert call(f"GET /v1/invoices/{invoice['id']}")["status"] == "paid"
    assert "credit_note.created" in call.types()


def test_80_after_the_payment(call) -> None:
    invoice = paid(call)
    assert call.refused(NOTES, invoice=invoice["id"], amount=300)["param"] == "credit_amount"
    assert call.refused(NOTES, invoice=invoice["id"], amount=300, refund_amount=200)["status"] == 400
    note = call(
        NOTES, invoice=invoice["id"], amount=600, refund_amount=250, credit_amount=250, out_of_band_amount=100
    )
    assert call(f"GET /v1/refunds/{note['refund']}")["amount"] == 250
    entry = call(
        f"GET /v1/customers/{invoice['customer']}/balance_transactions/{note['customer_balance_transaction']}"
    )
    assert (entry["amount"], entry["type"], entry["credit_note"]) == (-250, "credit_note", note["id"])
    assert call(f"GET /v1/customers/{invoice['customer']}")["balance"] == -250
    assert call(f"GET /v1/invoices/{invoice['id']}")["post_payment_credit_notes_amount"] == 600
    assert call.refused(NOTES, invoice=invoice["id"], amount=401, credit_amount=401)["param"] == "amount"
    assert call.refused(f"POST /v1/credit_notes/{note['id']}/void")["status"] == 400


def test_80_lines_with_discount_and_tax(call) -> None:
    rate = call("POST /v1/tax_rates", display_name="VAT", percentage=20, inclusive=False)["id"]
    call("POST /v1/coupons", id="TENTH", percent_off=10, duration="forever")
    who = call("POST /v1/customers", payment_method="pm_card_visa", coupon="TENTH")["id"]
    call("POST /v1/invoiceitems", customer=who, unit_amount=1000, quantity=4, currency="usd")
    draft = call(
        "POST /v1/invoices", customer=who, pending_invoice_items_behavior="include", default_tax_rates=[rate]
    )
    invoice = call(f"POST /v1/invoices/{draft['id']}/finalize")
    assert invoice["total"] == 4320
    line = {
        "lines[0][type]": "invoice_line_item",
        "lines[0][invoice_line_item]": invoice["lines"]["data"][0]["id"],
        "lines[0][quantity]": 1,
    }
    preview = call("GET /v1/credit_notes/preview", {"invoice": invoice["id"], **line})
    assert call.every("/v1/credit_notes") == []
    note = call(NOTES, {"invoice": invoice["id"], **line})
    for name in ("total", "subtotal", "discount_amount", "tax_amounts"):
        assert preview[name] == note[name]
    assert (note["subtotal"], note["discount_amount"], note["total"], note["total_excluding_tax"]) == (
        1000,
        100,
        1080,
        900,
    )
    line["lines[0][quantity]"] = 4
    assert call.refused(NOTES, {"invoice": invoice["id"], **line})["param"] == "lines[0][quantity]"
    assert call(f"GET /v1/credit_notes/{note['id']}/lines")["data"][0]["amount"] == 1000


def test_80_the_lines_of_a_draft(call) -> None:
    who = call("POST /v1/customers")["id"]
    draft = call("POST /v1/invoices", customer=who, currency="usd")["id"]
    made = call(
        f"POST /v1/invoices/{draft}/add_lines",
        {"lines[0][amount]": 500, "lines[0][description]": "A", "lines[1][amount]": 300},
    )
    assert made["total"] == 800
    first, second = (each["id"] for each in made["lines"]["data"])
    assert (
        call(f"POST /v1/invoices/{draft}/update_lines", {"lines[0][id]": first, "lines[0][amount]": 700})[
            "total"
        ]
        == 1000
    )
    assert call(f"POST /v1/invoices/{draft}/lines/{second}", description="B")["description"] == "B"
    assert (
        call(
            f"POST /v1/invoices/{draft}/remove_lines",
            {"lines[0][id]": first, "lines[0][behavior]": "unassign"},
        )["total"]
        == 300
    )
    assert len(call.every("/v1/invoiceitems", pending=True)) == 1
    assert (
        call(
            f"POST /v1/invoices/{draft}/remove_lines",
            {"lines[0][id]": second, "lines[0][behavior]": "delete"},
        )["total"]
        == 0
    )


def test_80_payments_of_an_invoice(call) -> None:
    invoice = paid(call)
    (made,) = call(
        "GET /v1/invoice_payments",
        {"payment[type]": "payment_intent", "payment[payment_intent]": invoice["payment_intent"]},
    )["data"]
    assert (made["amount_paid"], made["status"], made["is_default"], made["invoice"]) == (
        1000,
        "paid",
        True,
        invoice["id"],
    )
    assert call(f"GET /v1/invoice_payments/{made['id']}") == made
    other = opened(call)
    intent = call.intent(400, customer=other["customer"])
    call(f"POST /v1/invoices/{other['id']}/attach_payment", payment_intent=intent["id"])
    after = call(f"GET /v1/invoices/{other['id']}")
    assert (after["status"], after["amount_paid"], after["amount_remaining"]) == ("open", 400, 600)
    done = call(f"POST /v1/invoices/{other['id']}/pay", payment_method="pm_card_visa")
    assert (done["status"], done["amount_paid"]) == ("paid", 1000)
    assert len(call("GET /v1/invoice_payments", invoice=other["id"])["data"]) == 2


@pytest.mark.parametrize(
    ("country", "number", "exempt", "tax", "reason"),
    [
        ("DE", None, None, 190, None),
        ("DE", ("eu_vat", "DE123456789"), None, 0, "reverse_charge"),
        ("GB", None, "exempt", 0, "customer_exempt"),
        ("BR", None, None, None, None),
    ],
)
def test_81_tax_by_where_the_customer_is(call, country, number, exempt, tax, reason) -> None:
    who = call(
        "POST /v1/customers", {"address[country]": country, "address[line1]": "x", "tax_exempt": exempt}
    )["id"]
    if number:
        call(f"POST /v1/customers/{who}/tax_ids", type=number[0], value=number[1])
    call("POST /v1/invoiceitems", customer=who, amount=1000, currency="usd")
    invoice = call(
        "POST /v1/invoices",
        {"customer": who, "pending_invoice_items_behavior": "include", "automatic_tax[enabled]": True},
    )
    assert (invoice["tax"], invoice["automatic_tax"]["status"]) == (tax, "complete")
    if tax is not None:
        assert invoice["total_tax_amounts"][0]["taxability_reason"] == reason
        assert invoice["total"] == 1000 + tax
