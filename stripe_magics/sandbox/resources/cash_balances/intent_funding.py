"""How far a payment intent is paid from its customer's cash balance.

What was taken for an intent is noted beside it until the intent succeeds; if it is canceled, or paid in
another way, it goes back to the balance.
"""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.errors import invalid, missing_param
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.cash_balances import cash_balance, funding_addresses

TYPE = "customer_balance"
WAITS = "display_bank_transfer_instructions"
_OPTIONS = f"payment_method_options[{TYPE}]"


def taken(account: Account, intent: Object) -> int:
    """What was taken for an intent so far."""
    return int(account.private_state.get(intent["id"], {}).get("cash_taken", 0))


def remaining(account: Account, intent: Object) -> int:
    """What an intent still needs."""
    return int(intent["amount"]) - taken(account, intent)


def waits(intent: Object) -> bool:
    """Whether an intent waits for a bank transfer."""
    return intent["status"] == "requires_action" and (intent["next_action"] or {}).get("type") == WAITS


def options(intent: Object, params: dict[str, Any]) -> Object:
    """`payment_method_options` of the type for an intent, after a call."""
    present = intent["payment_method_options"].get(TYPE) or {}
    given = (params.get("payment_method_options") or {}).get(TYPE)
    return present if given is None else checked_options(given, present, intent["currency"])


def checked_options(given: Object, present: Object, currency: str, where: str = _OPTIONS) -> Object:
    """How more money is to come, if there isn't enough."""
    kind = given.get("funding_type", present.get("funding_type"))
    transfer = given.get("bank_transfer", present.get("bank_transfer"))
    if kind is None and transfer is not None:
        raise missing_param(f"{where}[funding_type]")
    found: Object = {"funding_type": kind}
    if kind is not None:
        found["bank_transfer"] = funding_addresses.check_bank_transfer(
            transfer, currency, f"{where}[bank_transfer]"
        )
    if given.get("setup_future_usage"):
        found["setup_future_usage"] = given["setup_future_usage"]
    return found


def check_confirmed(intent: Object) -> None:
    """Whether an intent can be paid this way at all."""
    funding_addresses.transfer_kind(intent["currency"], "payment_method")
    if not intent["customer"]:
        raise invalid(
            "A payment with customer_balance needs a customer: give `customer`.",
            param="customer", code="parameter_missing",
        )  # fmt: skip
    if intent["capture_method"] == "manual":
        raise invalid(
            "The payment method type customer_balance doesn't support capture_method manual.",
            param="capture_method", code="payment_intent_invalid_parameter",
        )  # fmt: skip


def can_take(account: Account, intent: Object) -> int | None:
    """What confirming an intent takes from the balance now; None if that isn't enough and nothing more is to
    come."""
    have = max(0, cash_balance.available(account, intent["customer"], intent["currency"]))
    needed = remaining(account, intent)
    if (intent["payment_method_options"].get(TYPE) or {}).get("funding_type") is None:
        return needed if have >= needed else None
    return min(have, needed) if cash_balance.automatic(account, intent["customer"]) else 0


def take(account: Account, intent: Object, amount: int) -> None:
    """Take an amount for an intent."""
    if amount:
        _note(account, intent, amount, "applied_to_payment")


def unapply_funds(account: Account, intent: Object, amount: int) -> None:
    """Give back what was taken for an intent, or a part of it."""
    if amount:
        _note(account, intent, -amount, "unapplied_from_payment")


def _note(account: Account, intent: Object, amount: int, kind: str) -> None:
    named: dict[str, Any] = {kind: {"payment_intent": intent["id"]}}
    cash_balance.move(account, intent["customer"], intent["currency"], -amount, kind, **named)
    account.private_state.setdefault(intent["id"], {})["cash_taken"] = taken(account, intent) + amount


def check_amount(account: Account, intent: Object, amount: int, currency: str) -> None:
    """Refuse to change an intent below what was taken for it."""
    held = taken(account, intent)
    if held and (amount < held or currency != intent["currency"]):
        raise invalid(
            f"This PaymentIntent is funded with {held} from the customer's cash balance: its amount can't be"
            " lower, nor its currency another.",
            param="currency" if currency != intent["currency"] else "amount",
            code="payment_intent_unexpected_state",
        )  # fmt: skip


def ask(account: Account, intent: Object) -> None:
    """Show the payer where to send what is missing; the caller stores the intent."""
    intent["next_action"] = funding_addresses.next_action(account, intent, remaining(account, intent))
    intent["status"] = "requires_action"


def canceled(account: Account, intent: Object) -> None:
    """A canceled intent keeps no money."""
    unapply_funds(account, intent, taken(account, intent))


def succeeded(account: Account, intent: Object) -> None:
    """What was taken for an intent that another method paid goes back."""
    held = taken(account, intent)
    if held:
        charge = account.peek("charge", intent["latest_charge"] or "") or {}
        if charge.get("payment_method_details", {}).get("type") != TYPE:
            unapply_funds(account, intent, held)
