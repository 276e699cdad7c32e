"""Invoice payments: which payments an invoice was paid by. Each stands for the payment intent of one invoice,
and follows both."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid, missing
from stripe_magics.sandbox.api.pagination import Page, bounds, inline, of_objects
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.invoices.collection import count_payment
from stripe_magics.sandbox.resources.invoices.invoices import retrieve as retrieve_invoice

_STATUS = {"succeeded": "paid", "canceled": "canceled"}


def of_invoice(account: Account, invoice: Object) -> list[Object]:
    """The payments of an invoice, newest first."""
    intents = [*account.private_state.get(invoice["id"], {}).get("attached", ()), invoice["payment_intent"]]
    return [
        _shown(account, invoice, intent, default=intent == invoice["payment_intent"])
        for intent in dict.fromkeys(each for each in intents if each)
    ]


def _shown(account: Account, invoice: Object, identifier: str, *, default: bool) -> Object:
    intent = account.peek("payment_intent", identifier) or {}
    status = _STATUS.get(intent.get("status", ""), "open")
    paid_at = invoice["status_transitions"]["paid_at"] if status == "paid" else None
    made: Object = {
        "id": f"inpay_{identifier.removeprefix('pi_')}",
        "object": "invoice_payment",
        "amount_paid": intent.get("amount_received") if status == "paid" else None,
        "amount_requested": intent.get("amount", 0),
        "created": intent.get("created", invoice["created"]),
        "currency": invoice["currency"],
        "invoice": invoice["id"],
        "is_default": default,
        "livemode": False,
        "payment": {"payment_intent": identifier, "type": "payment_intent"},
        "status": status,
        "status_transitions": {
            "canceled_at": intent.get("canceled_at") if status == "canceled" else None,
            "paid_at": paid_at or (intent.get("created") if status == "paid" else None),
        },
    }
    return made


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/invoice_payments."""
    payment = params.get("payment") or {}
    if payment.get("payment_record"):
        raise missing("payment record", payment["payment_record"], "payment[payment_record]", status=400)
    if payment.get("payment_intent"):
        intent = account.peek("payment_intent", payment["payment_intent"]) or {}
        invoices = [intent["invoice"]] if intent.get("invoice") else []
    elif params.get("invoice"):
        invoices = [account.find("invoice", params["invoice"], "invoice")["id"]]
    else:
        invoices = [row.id for row in reversed(account.table("invoice").ordered())]
    found = []
    for each in invoices:
        invoice = account.peek("invoice", each)
        for made in of_invoice(account, invoice) if invoice else ():
            if payment.get("type") not in {None, made["payment"]["type"]}:
                continue
            if payment.get("payment_intent") not in {None, made["payment"]["payment_intent"]}:
                continue
            if params.get("status") in {None, made["status"]} and _within(
                made["created"], params.get("created")
            ):
                found.append(made)
    return of_objects(found, params, "/v1/invoice_payments")


def _within(moment: int, given: Any) -> bool:
    low, high = bounds(given)
    return (low is None or moment >= low) and (high is None or moment < high)


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/invoice_payments/{invoice_payment}."""
    intent = account.peek("payment_intent", "pi_" + identifier.removeprefix("inpay_"))
    invoice = account.peek("invoice", (intent or {}).get("invoice") or "")
    for made in of_invoice(account, invoice) if invoice else ():
        if made["id"] == identifier:
            return made
    raise missing("invoice payment", identifier, "invoice_payment")


def attach(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/invoices/{invoice}/attach_payment: a payment that was made otherwise counts for the
    invoice."""
    invoice = retrieve_invoice(account, {}, identifier)
    if params.get("payment_record"):
        raise missing("payment record", params["payment_record"], "payment_record", status=400)
    if not params.get("payment_intent"):
        raise invalid("Give payment_intent.", param="payment_intent", code="parameter_missing")
    intent = account.find("payment_intent", params["payment_intent"], "payment_intent")
    if invoice["status"] != "open":
        raise invalid(
            f"Payments are attached to open invoices; the status of this one is {invoice['status']}."
        )
    if (
        intent["invoice"]
        or intent["customer"] not in {None, invoice["customer"]}
        or intent["currency"] != invoice["currency"]
    ):
        raise invalid(
            "The payment intent must be one of the invoice's customer and currency, and not of another"
            " invoice.",
            param="payment_intent",
        )
    intent["invoice"] = identifier
    account.save("payment_intent", intent)
    account.private_state.setdefault(identifier, {}).setdefault("attached", []).append(intent["id"])
    account.save("invoice", invoice)
    if intent["status"] == "succeeded":
        invoice["charge"] = intent["latest_charge"]
        count_payment(account, invoice, intent["amount_received"])
        events.emit(account, "invoice_payment.paid", _shown(account, invoice, intent["id"], default=False))
    return invoice


def _payments(account: Account, of: Object) -> Object:
    """The payments of an invoice, for whoever expands them."""
    invoice = account.peek("invoice", of["id"])
    return inline(of_invoice(account, invoice) if invoice else [], "/v1/invoice_payments", most=10)


def _secret(account: Account, of: Object) -> Object | None:
    """What a browser needs to have an invoice paid."""
    invoice = account.peek("invoice", of["id"]) or {}
    intent = account.peek("payment_intent", invoice.get("payment_intent") or "")
    return intent and {"client_secret": intent["client_secret"], "type": "payment_intent"}


INCLUDED = {("invoice", "payments"): _payments, ("invoice", "confirmation_secret"): _secret}

ROUTES: dict[str, Handler] = {
    "GET /v1/invoice_payments": listing,
    "GET /v1/invoice_payments/{invoice_payment}": retrieve,
    "POST /v1/invoices/{invoice}/attach_payment": attach,
}
