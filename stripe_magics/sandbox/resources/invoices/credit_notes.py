"""Credit notes: less to pay on an open invoice; on a paid one a refund, credit for the customer, or money
given back elsewhere."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid, missing_param
from stripe_magics.sandbox.api.pagination import Page, inline, of_objects, page
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.metadata import merged_metadata, take
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources import refunds
from stripe_magics.sandbox.resources.customer_changes import changing
from stripe_magics.sandbox.resources.customer_subresources import credit
from stripe_magics.sandbox.resources.invoices.collection import cancel_payment, mark_paid
from stripe_magics.sandbox.resources.invoices.credit_note_amounts import made_lines, sums
from stripe_magics.sandbox.resources.price_objects import not_below

_WAYS = ("credit_amount", "refund_amount", "out_of_band_amount")


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/credit_notes."""
    invoice, note, lines = _made(account, params)
    ways = _ways(account, invoice, note, params)
    account.add("credit_note", note)
    account.long_lines[note["id"]] = lines
    if invoice["status"] == "paid":
        _after_payment(account, invoice, note, ways, params)
    else:
        _before_payment(account, invoice, note)
    account.save("credit_note", note)
    events.emit(account, "credit_note.created", note)
    return note


def preview(account: Account, params: dict[str, Any]) -> Object:
    """GET /v1/credit_notes/preview."""
    with account.trial():
        invoice, note, _ = _made(account, params)
        _ways(account, invoice, note, params)
    return note


def preview_lines(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/credit_notes/preview/lines."""
    with account.trial():
        _, _, lines = _made(account, params)
    return of_objects(lines, params, "/v1/credit_notes/preview/lines")


def _of_invoice(account: Account, invoice: str) -> list[Object]:
    return [each for each in account.each("credit_note") if each["invoice"] == invoice]


def _made(account: Account, params: dict[str, Any]) -> tuple[Object, Object, list[Object]]:
    """The invoice, the note and its lines; refuses what is more than the invoice has."""
    invoice = account.find("invoice", params["invoice"], "invoice")
    if invoice["status"] not in {"open", "paid", "uncollectible"}:
        raise invalid(
            "Credit notes are for open, paid and uncollectible invoices; the status of this one is"
            f" {invoice['status']}.",
            param="invoice",
        )
    if params.get("effective_at") is not None and params["effective_at"] > account.now:
        raise invalid("effective_at can't lie in the future.", param="effective_at")
    earlier = _of_invoice(account, invoice["id"])
    credited: dict[str, int] = {}
    for each in earlier:
        if each["status"] == "void":
            continue
        for line in account.long_lines.get(each["id"]) or each["lines"]["data"]:
            if line.get("invoice_line_item"):
                credited[line["invoice_line_item"]] = (
                    credited.get(line["invoice_line_item"], 0) + line["amount"]
                )
    lines = made_lines(account, invoice, params, credited)
    found = sums(lines)
    paid = invoice["status"] == "paid"
    left = (
        invoice["amount_paid"] - invoice["post_payment_credit_notes_amount"]
        if paid
        else invoice["amount_remaining"]
    )
    if not 0 < found["total"] <= left:
        raise invalid(
            f"The credit note amount ({found['total']}) is greater than what the invoice has left to credit"
            f" ({left}).",
            param="lines" if params.get("lines") else "amount",
        )
    identifier = account.new_id("cn")
    note: Object = {
        "id": identifier, "object": "credit_note", **found, "amount_shipping": 0, "created": account.now,
        "currency": invoice["currency"], "customer": invoice["customer"],
        "customer_balance_transaction": None, "effective_at": params.get("effective_at") or account.now,
        "invoice": invoice["id"], "lines": inline(lines, f"/v1/credit_notes/{identifier}/lines", most=10),
        "livemode": False, "memo": params.get("memo"),
        "metadata": merged_metadata({}, params.get("metadata")),
        "number": f"{invoice['number']}-CN-{len(earlier) + 1:02d}",
        "out_of_band_amount": params.get("out_of_band_amount"),
        "pdf": "https://pay.stripe.com/credit_notes/"
        f"{account.profile['id']}/test_{account.letters(identifier, 40)}/pdf",
        "reason": params.get("reason"), "refund": None, "shipping_cost": None, "status": "issued",
        "type": "post_payment" if paid else "pre_payment", "voided_at": None,
    }  # fmt: skip
    return invoice, note, lines


def _ways(account: Account, invoice: Object, note: Object, params: dict[str, Any]) -> dict[str, int]:
    """How a paid invoice's credit goes back; it must add up."""
    given = {name: params[name] for name in _WAYS if params.get(name) is not None}
    for name, amount in given.items():
        if amount < 0:
            raise not_below(0, name)
    if params.get("refund"):
        refund = account.find("refund", params["refund"], "refund")
        if "refund_amount" in given:
            raise invalid(
                "You may only specify one of these parameters: refund, refund_amount.", param="refund"
            )
        if refund["charge"] != invoice["charge"]:
            raise invalid("The refund is not one of the invoice's payment.", param="refund")
        given["refund"] = refund["amount"]
    if invoice["status"] != "paid":
        if given:
            raise invalid(
                "Credit, refund and out of band amounts are for paid invoices: this note lowers what is due.",
                param=min(given),
            )
        return {}
    if not given:
        raise missing_param("credit_amount")
    if sum(given.values()) != note["total"]:
        raise invalid(
            f"The sum of credit amount, refund amount and out of band amount ({sum(given.values())}) must"
            f" equal the credit note amount ({note['total']}).",
            param=min(given),
        )
    return given


def _before_payment(account: Account, invoice: Object, note: Object) -> None:
    """Less to pay."""
    _lower(account, invoice, note["total"])


def _lower(account: Account, invoice: Object, amount: int) -> None:
    before = events.snapshot(invoice)
    invoice["pre_payment_credit_notes_amount"] += amount
    invoice["amount_due"] -= amount
    invoice["amount_remaining"] -= amount
    intent = account.get("payment_intent", invoice["payment_intent"] or "")
    if intent is not None and invoice["amount_remaining"] and intent["status"] != "succeeded":
        intent["amount"] = invoice["amount_remaining"]
        account.save("payment_intent", intent)
    account.save("invoice", invoice)
    events.emit(account, "invoice.updated", invoice, before)
    if not invoice["amount_remaining"]:
        cancel_payment(account, invoice, None)
        mark_paid(account, invoice, amount=invoice["amount_paid"])


def _after_payment(
    account: Account, invoice: Object, note: Object, ways: dict[str, int], params: dict[str, Any]
) -> None:
    before = events.snapshot(invoice)
    invoice["post_payment_credit_notes_amount"] += note["total"]
    account.save("invoice", invoice)
    events.emit(account, "invoice.updated", invoice, before)
    if ways.get("refund"):
        note["refund"] = params["refund"]
    if ways.get("refund_amount"):
        if not invoice["charge"]:
            raise invalid(
                "The invoice was not paid by a charge that could be refunded.", param="refund_amount"
            )
        refund = refunds.create(account, {"charge": invoice["charge"], "amount": ways["refund_amount"]})
        note["refund"] = refund["id"]
    if ways.get("credit_amount"):
        customer = account.find("customer", invoice["customer"], "customer")
        with changing(account, customer):
            entry = credit(account, customer, -ways["credit_amount"], "credit_note", invoice=invoice["id"])
            entry["credit_note"] = note["id"]
            account.save("customer_balance_transaction", entry)
        note["customer_balance_transaction"] = entry["id"]


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/credit_notes/{id}."""
    return account.find("credit_note", identifier, "id", what="credit note", status=404)


def update(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/credit_notes/{id}: memo and metadata."""
    note = retrieve(account, {}, identifier)
    before = events.snapshot(note)
    take(note, params, ("memo", "metadata"))
    account.save("credit_note", note)
    events.emit(account, "credit_note.updated", note, before)
    return note


def void(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/credit_notes/{id}/void: of an invoice that is still open."""
    note = retrieve(account, {}, identifier)
    invoice = account.find("invoice", note["invoice"], "invoice")
    if note["status"] == "void":
        raise invalid("The credit note is void already.")
    if note["type"] != "pre_payment" or invoice["status"] != "open":
        raise invalid("You can only void a credit note of an open invoice.")
    note.update(status="void", voided_at=account.now)
    account.save("credit_note", note)
    _lower(account, invoice, -note["total"])
    events.emit(account, "credit_note.voided", note)
    return note


def lines(account: Account, params: dict[str, Any], identifier: str) -> Page:
    """GET /v1/credit_notes/{credit_note}/lines."""
    note = retrieve(account, {}, identifier)
    found = account.long_lines.get(identifier) or note["lines"]["data"]
    return of_objects(found, params, f"/v1/credit_notes/{identifier}/lines")


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/credit_notes."""
    return page(account, "credit_note", params, "/v1/credit_notes", filters=("invoice", "customer"))


ROUTES: dict[str, Handler] = {
    "GET /v1/credit_notes": listing,
    "POST /v1/credit_notes": create,
    "GET /v1/credit_notes/preview": preview,
    "GET /v1/credit_notes/preview/lines": preview_lines,
    "GET /v1/credit_notes/{id}": retrieve,
    "POST /v1/credit_notes/{id}": update,
    "POST /v1/credit_notes/{id}/void": void,
    "GET /v1/credit_notes/{credit_note}/lines": lines,
}
