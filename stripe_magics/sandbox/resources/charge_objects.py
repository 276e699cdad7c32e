"""What a charge is made of."""

from __future__ import annotations

from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.payment_methods.payment_methods import shown_on_charge
from stripe_magics.sandbox.resources.payment_methods.test_cards import DEBITS


def new_charge(account: Account, given: Object, method: Object, *, secured: bool = False) -> Object:
    """A charge on a method, not yet decided. `given` has amount, currency and what is copied from the
    intent."""
    identifier = account.new_id(
        "py" if method["type"] in {*DEBITS, "stripe_account", "customer_balance"} else "ch"
    )
    installments = ((given.get("payment_method_options") or {}).get("card") or {}).get("installments")
    charge = {
        "id": identifier,
        "object": "charge",
        "amount": given["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": given.get("application_fee_amount"),
        "balance_transaction": None,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": None,
        "captured": False,
        "created": account.now,
        "currency": given["currency"],
        "customer": given.get("customer"),
        "description": given.get("description"),
        "destination": None,
        "dispute": None,
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "invoice": given.get("invoice"),
        "livemode": False,
        "metadata": dict(given.get("metadata") or {}),
        "on_behalf_of": given.get("on_behalf_of"),
        "order": None,
        "outcome": None,
        "paid": False,
        "payment_intent": given.get("id"),
        "payment_method": method["id"],
        "payment_method_details": shown_on_charge(
            method, secured=secured, installments=installments, amount=given["amount"]
        ),
        "radar_options": {},
        "receipt_email": given.get("receipt_email"),
        "receipt_number": None,
        "receipt_url": f"https://pay.stripe.com/receipts/sandbox/{identifier}",
        "refunded": False,
        "review": None,
        "shipping": given.get("shipping"),
        "source": None,
        "source_transfer": None,
        "statement_descriptor": given.get("statement_descriptor"),
        "statement_descriptor_suffix": given.get("statement_descriptor_suffix"),
        "status": "pending",
        "transfer_data": given.get("transfer_data"),
        "transfer_group": given.get("transfer_group"),
    }
    prefix = account.profile["settings"]["card_payments"]["statement_descriptor_prefix"] or "SANDBOX"
    suffix = charge["statement_descriptor_suffix"]
    charge["calculated_statement_descriptor"] = (
        f"{prefix}* {suffix}" if suffix else charge["statement_descriptor"] or prefix
    )[:22]
    account.add("charge", charge)
    return charge
