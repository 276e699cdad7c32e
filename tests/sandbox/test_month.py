"""The story of a month: everything that can happen, happens once, and the books balance at the end."""

from __future__ import annotations

from .conftest import DAY

TYPES = """
customer.created customer.updated customer.deleted payment_method.attached payment_intent.created
payment_intent.requires_action payment_intent.processing payment_intent.amount_capturable_updated
payment_intent.succeeded payment_intent.payment_failed payment_intent.canceled charge.succeeded charge.failed
charge.captured charge.refunded charge.refund.updated charge.expired charge.dispute.created
charge.dispute.funds_withdrawn charge.dispute.closed charge.dispute.funds_reinstated refund.created
refund.updated refund.failed invoiceitem.created invoiceitem.deleted invoice.created invoice.updated
invoice.finalized invoice.paid invoice.payment_succeeded invoice.payment_failed invoice.marked_uncollectible
invoice.voided invoice.deleted payout.created payout.updated payout.paid payout.failed payout.canceled
payout.reconciliation_completed balance.available payment_link.created
""".split()


def test_22_every_type_of_event(call, sandbox) -> None:
    customer = call("POST /v1/customers", name="A", payment_method="pm_card_visa")["id"]
    call(f"POST /v1/customers/{customer}", name="B")
    call(f"DELETE /v1/customers/{call('POST /v1/customers')['id']}")
    call.intent(90_000, method="pm_card_bypassPending", customer=customer)
    call.refused(
        "POST /v1/payment_intents",
        amount=500,
        currency="usd",
        confirm=True,
        payment_method="pm_card_chargeDeclined",
    )
    secure = call.intent(method="pm_card_authenticationRequired")
    call(f"POST /v1/test_helpers/payment_intents/{secure['id']}/authenticate")
    debit = {
        "payment_method_data[type]": "sepa_debit",
        "payment_method_data[sepa_debit][iban]": "AT321904300235473204",
    }
    call("POST /v1/payment_intents", {"amount": 900, "currency": "eur", "confirm": True, **debit})
    held = call.intent(2000, capture_method="manual")
    call(f"POST /v1/payment_intents/{held['id']}/capture", amount_to_capture=1200)
    call.intent(2000, capture_method="manual")  # left to expire
    call("POST /v1/refunds", payment_intent=call.intent(method="pm_card_refundFail")["id"])
    disputed = call.intent(method="pm_card_createDispute")
    dispute = call("GET /v1/disputes", payment_intent=disputed["id"])["data"][0]
    call(f"POST /v1/disputes/{dispute['id']}", {"evidence[uncategorized_text]": "winning_evidence"})

    def invoice(amount: int = 1000) -> str:
        call("POST /v1/invoiceitems", customer=customer, amount=amount, currency="usd")
        return call("POST /v1/invoices", customer=customer, pending_invoice_items_behavior="include")["id"]

    item = call("POST /v1/invoiceitems", customer=customer, amount=1, currency="usd")["id"]
    call(f"DELETE /v1/invoiceitems/{item}")
    call(f"DELETE /v1/invoices/{invoice()}")
    paid, void, lost = (invoice() for _ in range(3))
    for each in (paid, void, lost):
        call(f"POST /v1/invoices/{each}/finalize")
    call.refused(f"POST /v1/invoices/{paid}/pay", payment_method="pm_card_chargeDeclined")
    call(f"POST /v1/invoices/{paid}/pay", payment_method="pm_card_visa")
    call(f"POST /v1/invoices/{void}/void")
    call(f"POST /v1/invoices/{lost}/mark_uncollectible")
    first, second, _ = (
        call("POST /v1/payouts", amount=amount, currency="usd")["id"] for amount in (1000, 2000, 3000)
    )
    call(f"POST /v1/payouts/{first}/cancel")
    call(f"POST /v1/test_helpers/payouts/{second}/fail", failure_code="account_closed")
    price = call("POST /v1/prices", {"product_data[name]": "P", "currency": "usd", "unit_amount": 100})["id"]
    call("POST /v1/payment_links", {"line_items[0][price]": price, "line_items[0][quantity]": 1})
    sandbox.advance(28 * DAY)

    assert set(TYPES) - set(call.types()) == set()
    balance = call("GET /v1/balance")
    entries = call.every("/v1/balance_transactions")
    for state in ("available", "pending"):
        for each in balance[state]:
            assert each["amount"] == sum(
                x["net"] for x in entries if x["currency"] == each["currency"] and x["status"] == state
            )
    assert all(each["amount"] == 0 for each in balance["pending"])
    assert call.available("usd") == 0  # all paid out


def test_22_only_updates_have_previous_attributes(call, sandbox) -> None:
    test_22_every_type_of_event(call, sandbox)
    events = call.every("/v1/events")
    assert {event["type"].endswith(".updated") for event in events} == {True, False}
    for event in events:
        if event["type"].endswith(".updated"):
            assert event["data"]["previous_attributes"], event["type"]
        else:
            assert "previous_attributes" not in event["data"], event["type"]
