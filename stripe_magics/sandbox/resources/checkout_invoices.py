"""Invoices of one-time payments (`invoice_creation` of checkout sessions and payment links): made once the
payment has succeeded, and paid by it."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.errors import inside, invalid
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.connect import parties
from stripe_magics.sandbox.resources.invoices import collection, drafts, invoice_items

_DATA = ("account_tax_ids", "custom_fields", "description", "footer", "issuer", "rendering_options")


def check(account: Account, given: dict[str, Any] | None, *, one_time: bool) -> None:
    """Refuse it where something recurs, or with what an invoice wouldn't take."""
    if not given or not given["enabled"]:
        return
    if not one_time:
        raise invalid(
            "You can only enable invoice creation when `mode` is set to `payment`: subscriptions make their"
            " invoices themselves.",
            param="invoice_creation",
        )
    data = given.get("invoice_data") or {}
    with inside("invoice_creation"), inside("invoice_data"):
        parties.check(account, data.get("issuer"), "issuer")
        for place, each in enumerate(data.get("account_tax_ids") or ()):
            account.find("tax_id", each, f"account_tax_ids[{place}]", what="tax ID")
        if len(data.get("custom_fields") or ()) > drafts.MAX_CUSTOM_FIELDS:
            raise invalid(f"At most {drafts.MAX_CUSTOM_FIELDS} custom fields.", param="custom_fields")


def shown(given: dict[str, Any] | None) -> Object:
    """As a session or a link shows it."""
    data = (given or {}).get("invoice_data") or {}
    return {
        "enabled": bool((given or {}).get("enabled")),
        "invoice_data": {
            **{name: data.get(name) or None for name in _DATA},
            "metadata": data.get("metadata") or {},
        },
    }


def asked_for(session: Object) -> bool:
    """Whether the session is to have an invoice."""
    return bool((session["invoice_creation"] or {}).get("enabled"))


def after_payment(account: Account, session: Object) -> None:
    """A session was paid (or there was nothing to pay): its invoice is made, if it is to have one."""
    if not asked_for(session) or session["invoice"]:
        return
    customer = account.find("customer", session["customer"], "customer")
    intent = account.get("payment_intent", session["payment_intent"] or "")
    invoice = drafts.new_invoice(account, customer, session["currency"], "charge_automatically")
    account.add("invoice", invoice)
    data = {name: each for name, each in session["invoice_creation"]["invoice_data"].items() if each}
    drafts.apply(account, invoice, data)
    notes = account.private_state.get(session["id"], {})
    invoice["discounts"] = notes.get("redeemed", [])
    found = [account.peek("discount", each) for each in invoice["discounts"]]
    invoice["discount"] = found[0] if found else None
    if session["automatic_tax"]["enabled"]:
        drafts.set_automatic_tax(invoice, session["automatic_tax"]["liability"])
    invoice["shipping_cost"] = session["shipping_cost"]
    for line in account.link_lines[session["id"]]:
        item = invoice_items.add(
            account, customer, line["price"], line["amount_subtotal"],
            {"quantity": line["quantity"], "tax_rates": notes.get("rates", {}).get(line["id"]),
                "description": line["description"]},
        )  # fmt: skip
        item["invoice"] = invoice["id"]
        account.save("invoiceitem", item)
        events.emit(account, "invoiceitem.created", item)
    drafts.refresh(account, invoice)
    events.emit(account, "invoice.created", invoice)
    collection.finish_paid(account, invoice, intent)
    session["invoice"] = invoice["id"]
    account.save(session["object"], session)


def paid_later(account: Account, intent: Object) -> None:
    """A bank debit of a complete session came in."""
    session = _waiting(account, intent)
    if session is not None:
        session["payment_status"] = "paid"
        account.save(session["object"], session)
        after_payment(account, session)
    if session is not None and intent["capture_method"] != "manual":  # that one was taken by hand
        events.emit(account, "checkout.session.async_payment_succeeded", session)


def failed_later(account: Account, intent: Object) -> None:
    """A bank debit of a complete session came back."""
    session = _waiting(account, intent)
    if session is not None:
        events.emit(account, "checkout.session.async_payment_failed", session)


def _waiting(account: Account, intent: Object) -> Object | None:
    """The complete session whose payment is still to come."""
    for each in account.where("checkout.session", payment_intent=intent["id"], status="complete"):
        session = account.get("checkout.session", each)
        if session is not None and session["payment_status"] == "unpaid":
            return session
    return None


REACTIONS = {"payment_intent.succeeded": paid_later, "payment_intent.payment_failed": failed_later}
