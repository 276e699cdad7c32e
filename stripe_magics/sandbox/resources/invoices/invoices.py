"""Invoices: a draft that takes items, then a demand for money.

    draft -> open -> paid | void | uncollectible
    uncollectible -> paid | void
    a draft is deleted, never voided

Finalizing gives the number, applies the customer's credit balance and makes a payment intent of what is due.
Afterwards the sums stand still.
"""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid, missing_param
from stripe_magics.sandbox.api.pagination import Page, of_objects, page
from stripe_magics.sandbox.api.search import search
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.checks import checked_currency
from stripe_magics.sandbox.core.clock import HOUR
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.customer_changes import changing
from stripe_magics.sandbox.resources.customer_subresources import credit
from stripe_magics.sandbox.resources.invoices import invoice_items
from stripe_magics.sandbox.resources.invoices.collection import (
    attempt,
    cancel_payment,
    finish,
    in_good_standing,
    mark_paid,
)
from stripe_magics.sandbox.resources.invoices.drafts import apply, check, new_invoice, refresh
from stripe_magics.sandbox.resources.invoices.lines import lines_of

BY_ITSELF_AFTER = HOUR
EDITABLE_WHEN_FINAL = {
    "auto_advance",
    "default_payment_method",
    "default_source",
    "metadata",
    "payment_settings",
    "expand",
}


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/invoices: a draft, empty unless pending items are asked for."""
    if params.get("from_invoice"):
        raise invalid(
            "Revisions of invoices are not served by the sandbox: void the invoice and make another.",
            param="from_invoice",
        )
    if not params.get("customer"):
        raise missing_param("customer")
    customer = account.find("customer", params["customer"], "customer")
    subscription = (
        account.find("subscription", params["subscription"], "subscription")
        if params.get("subscription")
        else None
    )
    if subscription is not None and subscription["customer"] != customer["id"]:
        raise invalid("The subscription belongs to another customer.", param="subscription")
    check(
        account,
        params,
        params.get("collection_method") or "charge_automatically",
        customer["id"],
        required=True,
    )
    behaviour = params.get("pending_invoice_items_behavior") or "exclude"
    pending = _pending(account, customer, subscription) if behaviour != "exclude" else []
    if behaviour == "include_and_require" and not pending:
        raise invalid(
            "Nothing to invoice for customer", code="invoice_no_customer_line_items", param="customer"
        )
    currency = (
        checked_currency(params["currency"])
        if params.get("currency")
        else _currency(account, customer, pending)
    )
    invoice = new_invoice(
        account, customer, currency, params.get("collection_method") or "charge_automatically"
    )
    invoice["subscription"] = subscription["id"] if subscription else None
    account.add("invoice", invoice)
    apply(account, invoice, params)
    if "discounts" not in params and customer["discount"]:
        _customer_discount(account, invoice, customer)
    for each in [item for item in pending if item["currency"] == currency][: invoice_items.MAX_INVOICE_ITEMS]:
        each["invoice"] = invoice["id"]
        account.save("invoiceitem", each)
    refresh(account, invoice)
    if invoice["auto_advance"]:
        account.clock.at(account.now + BY_ITSELF_AFTER, "invoice_finalizes", invoice["id"])
    events.emit(account, "invoice.created", invoice)
    return invoice


def _currency(account: Account, customer: Object, pending: list[Object]) -> str:
    if pending:
        return str(pending[0]["currency"])
    return str(customer["currency"] or account.profile["default_currency"])


def _pending(account: Account, customer: Object, subscription: Object | None) -> list[Object]:
    """Items that wait for an invoice: of the subscription if one is named, else those of none."""
    requested = subscription["id"] if subscription else None
    found = [
        account.find("invoiceitem", each, "id")
        for each in account.where("invoiceitem", customer=customer["id"], invoice=None)
    ]
    return [item for item in found if item["subscription"] == requested]


def _customer_discount(account: Account, invoice: Object, customer: Object) -> None:
    standing = customer["discount"]
    if standing["end"] is not None and standing["end"] < account.now:
        return
    invoice["discounts"] = [standing["id"]]
    invoice["discount"] = standing
    if standing["coupon"]["duration"] == "once":
        with changing(account, customer):
            customer["discount"] = None


def finalize(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/invoices/{invoice}/finalize."""
    invoice = retrieve(account, {}, identifier)
    if invoice["status"] != "draft":
        raise invalid(
            "This invoice is already finalized, you can't re-finalize a non-draft invoice.",
            code="invoice_not_editable",
        )
    if "auto_advance" in params:
        invoice["auto_advance"] = params["auto_advance"]
    finish(account, invoice)
    return invoice


def pay(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/invoices/{invoice}/pay."""
    invoice = retrieve(account, {}, identifier)
    if params.get("mandate"):
        account.find("mandate", params["mandate"], "mandate")
    if invoice["status"] == "paid":
        raise invalid("Invoice is already paid")
    if invoice["status"] == "void":
        raise invalid("A void invoice can't be paid.")
    if invoice["status"] == "draft":
        finish(account, invoice)
        if invoice["status"] == "paid":
            return invoice
    if params.get("paid_out_of_band"):
        cancel_payment(account, invoice, None)
        invoice["paid_out_of_band"] = True
        mark_paid(account, invoice, amount=invoice["amount_due"])
        return invoice
    attempt(account, invoice, params)
    return invoice


def void(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/invoices/{invoice}/void: its intent is canceled, the credit that it used comes back."""
    invoice = retrieve(account, {}, identifier)
    if invoice["status"] not in {"open", "uncollectible"}:
        raise invalid(
            "You can only void open or uncollectible invoices; the status of this one is"
            f" {invoice['status']}. A draft is deleted instead."
        )
    cancel_payment(account, invoice, "void_invoice")
    before = events.snapshot(invoice)
    used = account.private_state.get(identifier, {}).pop("balance_used", 0)
    customer = account.get("customer", invoice["customer"])
    if used and customer is not None:
        with changing(account, customer):
            credit(account, customer, -used, "unapplied_from_invoice", invoice=identifier)
    invoice.update(
        status="void",
        amount_remaining=0,
        next_payment_attempt=None,
        status_transitions={**invoice["status_transitions"], "voided_at": account.now},
    )
    account.save("invoice", invoice)
    events.emit(account, "invoice.updated", invoice, before)
    events.emit(account, "invoice.voided", invoice)
    return invoice


def mark_uncollectible(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/invoices/{invoice}/mark_uncollectible."""
    invoice = retrieve(account, {}, identifier)
    if invoice["status"] != "open":
        raise invalid(
            "You can only mark open invoices as uncollectible; the status of this one is"
            f" {invoice['status']}."
        )
    before = events.snapshot(invoice)
    invoice.update(
        status="uncollectible",
        next_payment_attempt=None,
        status_transitions={**invoice["status_transitions"], "marked_uncollectible_at": account.now},
    )
    account.save("invoice", invoice)
    in_good_standing(account, invoice["customer"])
    events.emit(account, "invoice.updated", invoice, before)
    events.emit(account, "invoice.marked_uncollectible", invoice)
    return invoice


def send(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/invoices/{invoice}/send: a draft is finalized first."""
    invoice = retrieve(account, {}, identifier)
    if invoice["collection_method"] != "send_invoice":
        raise invalid("You can only manually send an invoice if its collection method is 'send_invoice'.")
    if invoice["status"] == "draft":
        finish(account, invoice)
    elif invoice["status"] in {"void", "uncollectible"}:
        raise invalid(f"An invoice with status {invoice['status']} can't be sent.")
    events.emit(account, "invoice.sent", invoice)
    return invoice


def update(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/invoices/{invoice}: drafts are open; of a final one a few things only."""
    invoice = retrieve(account, {}, identifier)
    if invoice["status"] != "draft":
        frozen = sorted(set(params) - EDITABLE_WHEN_FINAL)
        if frozen:
            raise invalid(
                f"Finalized invoices can't be updated in this way: {', '.join(frozen)} stand still.",
                param=frozen[0],
                code="invoice_not_editable",
            )
    collection = params.get("collection_method") or invoice["collection_method"]
    changed = (
        bool(params.get("collection_method")) and params["collection_method"] != invoice["collection_method"]
    )
    check(account, params, collection, invoice["customer"], required=changed, invoice=invoice)
    before = events.snapshot(invoice)
    apply(account, invoice, params)
    if invoice["status"] == "draft":
        refresh(account, invoice)
        if invoice["auto_advance"] and not before["auto_advance"]:
            account.clock.at(
                max(account.now, invoice["created"] + BY_ITSELF_AFTER), "invoice_finalizes", identifier
            )
    else:
        account.save("invoice", invoice)
        if invoice["status"] == "open" and invoice["auto_advance"] and not before["auto_advance"]:
            account.clock.at(account.now + HOUR, "invoice_collects", identifier)
    events.emit(account, "invoice.updated", invoice, before)
    return invoice


def delete(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """DELETE /v1/invoices/{invoice}: one-off drafts only; their items wait again."""
    invoice = retrieve(account, {}, identifier)
    if invoice["status"] != "draft":
        raise invalid(
            "You can only delete draft invoices; a finalized one is voided.", code="invoice_not_editable"
        )
    if invoice["subscription"] and invoice["billing_reason"] != "manual":
        raise invalid("You can't delete invoices created by subscriptions.")
    for each in account.where("invoiceitem", invoice=identifier):
        item = account.find("invoiceitem", each, "id")
        item["invoice"] = None
        account.save("invoiceitem", item)
    gone = account.remove("invoice", identifier)
    account.long_lines.pop(identifier, None)
    events.emit(account, "invoice.deleted", invoice)
    return gone


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/invoices/{invoice}."""
    return account.find("invoice", identifier, "invoice", status=404)


def lines(account: Account, params: dict[str, Any], identifier: str) -> Page:
    """GET /v1/invoices/{invoice}/lines."""
    return of_objects(
        lines_of(account, retrieve(account, {}, identifier)), params, f"/v1/invoices/{identifier}/lines"
    )


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/invoices."""
    return page(
        account,
        "invoice",
        params,
        "/v1/invoices",
        filters=("customer", "status", "subscription", "collection_method"),
        ranges=("due_date",),
    )


def searching(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/invoices/search."""
    return search(account, "invoice", params, "/v1/invoices/search")


ROUTES: dict[str, Handler] = {
    "GET /v1/invoices": listing,
    "POST /v1/invoices": create,
    "GET /v1/invoices/search": searching,
    "GET /v1/invoices/{invoice}": retrieve,
    "POST /v1/invoices/{invoice}": update,
    "DELETE /v1/invoices/{invoice}": delete,
    "GET /v1/invoices/{invoice}/lines": lines,
    "POST /v1/invoices/{invoice}/finalize": finalize,
    "POST /v1/invoices/{invoice}/pay": pay,
    "POST /v1/invoices/{invoice}/send": send,
    "POST /v1/invoices/{invoice}/void": void,
    "POST /v1/invoices/{invoice}/mark_uncollectible": mark_uncollectible,
}
