"""What an accepted quote becomes: a subscription, or an invoice of its own."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.errors import invalid
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.connect import connected_billing
from stripe_magics.sandbox.resources.invoices import invoice_items, invoices
from stripe_magics.sandbox.resources.made_prices import named_by, usable
from stripe_magics.sandbox.resources.subscriptions import creation


def _item(line: Object) -> dict[str, Any]:
    metered = (line["price"]["recurring"] or {}).get("usage_type") == "metered"
    return {
        named_by(line): line["price"]["id"],
        "tax_rates": [rate["id"] for rate in line["tax_rates"]],
        **({"discounts": line["discounts"]} if line["discounts"] else {}),
        **({} if metered else {"quantity": line["quantity"]}),
    }


def subscribe(account: Account, quote: Object, lines: list[Object], settings: dict[str, Any]) -> None:
    data = quote["subscription_data"]
    given = {
        **settings,
        **connected_billing.settings_of(quote),
        "invoice_settings": {"issuer": quote["invoice_settings"]["issuer"]},
        "customer": quote["customer"],
        "items": [_item(line) for line in lines if line["price"]["recurring"]],
        "add_invoice_items": [_item(line) for line in lines if not line["price"]["recurring"]],
        "payment_behavior": "allow_incomplete",
    }
    if data["trial_period_days"]:
        given["trial_period_days"] = data["trial_period_days"]
    if data["description"]:
        given["description"] = data["description"]
    if data["metadata"]:
        given["metadata"] = data["metadata"]
    begins = data["effective_date"]
    if begins == "current_period_end" or (isinstance(begins, int) and begins > account.now):
        raise invalid(
            "The sandbox doesn't simulate quotes that begin later.", param="subscription_data[effective_date]"
        )
    with usable(account, lines):
        subscription = creation.create(account, given)
    quote["subscription"] = subscription["id"]
    quote["invoice"] = subscription["latest_invoice"]
    invoice = account.get("invoice", subscription["latest_invoice"])
    if invoice is not None:
        _name_quote(account, invoice, quote)


def invoice_once(account: Account, quote: Object, lines: list[Object], settings: dict[str, Any]) -> None:
    invoice = invoices.create(
        account,
        {
            **settings,
            "application_fee_amount": quote["application_fee_amount"],
            "on_behalf_of": quote["on_behalf_of"],
            "transfer_data": connected_billing.given_again(quote["transfer_data"]),
            "issuer": quote["invoice_settings"]["issuer"],
            "customer": quote["customer"],
            "currency": quote["currency"],
            "auto_advance": False,
        },
    )
    with usable(account, lines):
        for line in lines:
            invoice_items.create(
                account, {**_item(line), "customer": quote["customer"], "invoice": invoice["id"]}
            )
    _name_quote(account, invoice, quote)
    quote["invoice"] = invoice["id"]


def _name_quote(account: Account, invoice: Object, quote: Object) -> None:
    """The invoice says which quote it comes from."""
    before = events.snapshot(invoice)
    invoice["quote"] = quote["id"]
    account.save("invoice", invoice)
    events.emit(account, "invoice.updated", invoice, before)
