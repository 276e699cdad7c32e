"""Refunds of bank transfers, and of what lies in a cash balance: the customer is asked by email where to send
the money.

After 45 days without an answer the money goes to the customer's cash balance (back to it, if it came from
there).
"""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.errors import invalid, invalid_before_execution, missing_param, too_low
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.checks import checked_currency
from stripe_magics.sandbox.core.clock import DAY
from stripe_magics.sandbox.core.metadata import merged_metadata
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.cash_balances import cash_balance, funding_addresses

LASTS = 45 * DAY


def email_of(account: Account, customer: str | None, params: dict[str, Any]) -> str:
    """Where the customer is asked. Raises a refusal without an address."""
    known = (account.peek("customer", customer or "") or {}).get("email")
    found: str | None = params.get("instructions_email") or known
    if not found:
        raise invalid(
            "A refund of a bank transfer needs an email address to ask the customer for a bank account: give"
            " `instructions_email`, or set the customer's `email`.",
            param="instructions_email",
        )
    return found


def ask(account: Account, refund: Object, email: str) -> None:
    """The customer is asked; the caller stores the refund."""
    expires = account.now + LASTS
    kind = funding_addresses.transfer_kind(refund["currency"])
    refund.update(
        destination_details={kind: {"reference": None, "reference_status": "pending"}, "type": kind},
        instructions_email=email,
        next_action={
            "display_details": {
                "email_sent": {"email_sent_at": account.now, "email_sent_to": email}, "expires_at": expires
            },
            "type": "display_details",
        },
        status="requires_action",
    )  # fmt: skip
    account.clock.at(expires, "refund_expires", refund["id"])


def from_balance(account: Account, params: dict[str, Any]) -> Object:
    """A refund out of a customer's cash balance: no charge has to do with it."""
    for name in ("customer", "currency", "amount", "origin"):
        if params.get(name) is None:
            raise missing_param(name)
    if params.get("charge") or params.get("payment_intent"):
        raise invalid_before_execution(
            "A refund from a cash balance names no charge or payment intent.", param="origin"
        )
    for name in ("reverse_transfer", "refund_application_fee"):
        if params.get(name):
            raise invalid_before_execution(f"A refund from a cash balance takes no {name}.", param=name)
    customer = account.find("customer", params["customer"], "customer")["id"]
    currency, amount = checked_currency(params["currency"]), params["amount"]
    funding_addresses.transfer_kind(currency)
    if amount < 1:
        raise too_low(1, "amount")
    have = cash_balance.available(account, customer, currency)
    if amount > have:
        raise invalid(
            f"The customer's cash balance does not cover this amount: it has {max(0, have)} {currency}.",
            param="amount",
            code="insufficient_funds",
        )
    email = email_of(account, customer, params)
    refund: Object = {
        "id": account.new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": None,
        "created": account.now,
        "currency": currency,
        "metadata": merged_metadata({}, params.get("metadata")),
        "payment_intent": None,
        "reason": params.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "transfer_reversal": None,
    }
    account.private_state[refund["id"]] = {"customer": customer}
    ask(account, refund, email)
    account.add("refund", refund)
    cash_balance.move(account, customer, currency, -amount, "return_initiated")
    events.emit(account, "refund.created", refund)
    return refund


def returned(account: Account, refund: Object) -> str:
    """The money of a refund that doesn't arrive goes to the cash balance of the customer, whose id is
    answered; the caller sets the status."""
    owner = account.private_state.get(refund["id"], {}).get("customer")
    if owner:
        cash_balance.move(account, owner, refund["currency"], refund["amount"], "return_canceled")
        return str(owner)
    charge = account.find("charge", refund["charge"], "refund")
    cash_balance.move(
        account, charge["customer"], refund["currency"], refund["amount"], "refunded_from_payment",
        refunded_from_payment={"refund": refund["id"]},
    )  # fmt: skip
    return str(charge["customer"])


def by_transfer(refund: Object) -> bool:
    """Whether a refund goes out by bank transfer."""
    return str((refund.get("destination_details") or {}).get("type", "")).endswith("_bank_transfer")
