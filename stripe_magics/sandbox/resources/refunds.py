"""Refunds: money back to the payer, at once out of the balance, which may fall below zero.

The hold of a charge that was never captured is released by a full refund. The processing fee is not given
back. A refund that fails later brings the money back as an entry of its own.
"""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import ApiError, invalid, invalid_before_execution, missing, too_low
from stripe_magics.sandbox.api.pagination import Page, page
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.checks import checked_email
from stripe_magics.sandbox.core.clock import DAY
from stripe_magics.sandbox.core.metadata import merged_metadata
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.cash_balances import cash_refunds, reconciliation
from stripe_magics.sandbox.resources.charges import release_authorization
from stripe_magics.sandbox.resources.connect import connected_payments
from stripe_magics.sandbox.resources.disputes import OPEN
from stripe_magics.sandbox.resources.payment_methods.payment_methods import outcome_of
from stripe_magics.sandbox.resources.refund_objects import new_refund

TAKES = DAY


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/refunds."""
    checked_email(params.get("instructions_email"), "instructions_email")
    if params.get("origin") or params.get("customer"):
        return cash_refunds.from_balance(account, params)
    charge = _charge(account, params)
    remaining = charge["amount"] - charge["amount_refunded"]
    if charge["status"] == "succeeded" and not charge["captured"] and not charge["refunded"]:
        return _void(account, charge, params)
    if charge["status"] != "succeeded" or not (charge["captured"] or charge["refunded"]):
        raise invalid(
            f"Charge {charge['id']} cannot be refunded: it was not paid and captured.", param="charge"
        )
    if remaining <= 0:
        raise invalid(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    if charge["disputed"] and _contested(account, charge):
        raise invalid(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed"
        )
    amount = params.get("amount", remaining)
    if amount < 1:
        raise too_low(1, "amount")
    if amount > remaining:
        raise invalid(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({remaining})",
            param="amount",
            code="amount_too_large",
        )
    connected_payments.check_refund(charge, params)
    if charge["source_transfer"]:
        return connected_payments.sent_back(account, charge, amount, params)
    return _refund_charge(account, charge, amount, params)


def _void(account: Account, charge: Object, params: dict[str, Any]) -> Object:
    """A full refund of what was never captured releases the hold."""
    if charge["payment_intent"]:
        raise invalid(
            f"Charge {charge['id']} has not been captured: cancel its payment intent instead.", param="charge"
        )
    if params.get("amount", charge["amount"]) != charge["amount"]:
        raise invalid(
            "You cannot partially refund an uncaptured charge. Instead, capture the charge for an amount less"
            " than the original amount",
            param="amount",
        )
    refund = new_refund(account, charge, charge["amount"], params)
    refund["status"] = "succeeded"
    release_authorization(account, charge)
    account.add("refund", refund)
    events.emit(account, "refund.created", refund)
    return refund


def _charge(account: Account, params: dict[str, Any]) -> Object:
    if params.get("charge") and params.get("payment_intent"):
        raise invalid_before_execution(
            "You may only specify one of charge and payment_intent.", param="payment_intent"
        )
    if params.get("currency"):
        raise invalid_before_execution("currency goes with origin=customer_balance only.", param="currency")
    if params.get("charge"):
        return account.find("charge", params["charge"], "charge")
    if params.get("payment_intent"):
        intent = account.find("payment_intent", params["payment_intent"], "payment_intent")
        if intent["status"] != "succeeded":
            raise invalid(
                f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund: its status"
                f" is {intent['status']}.",
                param="payment_intent",
                code="payment_intent_unexpected_state" if intent["latest_charge"] else "",
            )
        return account.find("charge", intent["latest_charge"], "payment_intent")
    raise invalid_before_execution(
        "One of charge and payment_intent must be given.", param="charge", code="parameter_missing"
    )


def _contested(account: Account, charge: Object) -> bool:
    """Whether a dispute stands in the way: an inquiry doesn't, nor one that was won."""
    return any(
        dispute["status"] in OPEN | {"lost"} and not dispute["is_charge_refundable"]
        for dispute in (
            account.peek("dispute", each) for each in account.where("dispute", charge=charge["id"])
        )
        if dispute is not None
    )


def _refund_charge(account: Account, charge: Object, amount: int, params: dict[str, Any]) -> Object:
    debit = charge["id"].startswith("py_")
    refund = new_refund(account, charge, amount, params)
    outcome = outcome_of(account, charge["payment_method"])
    transfer = charge["payment_method_details"]["type"] == "customer_balance"
    if transfer:
        cash_refunds.ask(account, refund, cash_refunds.email_of(account, charge["customer"], params))
    account.add("refund", refund)
    before = events.snapshot(charge)
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] >= charge["amount"]
    if params.get("reason") == "fraudulent":
        charge["fraud_details"] = {**charge["fraud_details"], "user_report": "fraudulent"}
    account.save("charge", charge)
    _pay(account, refund, charge)
    connected_payments.refunded(account, charge, refund, params)
    if transfer:
        pass  # its status says that the customer is asked first
    elif outcome.refund == "pending" or debit:
        account.clock.at(account.now + TAKES, "refund_settles", refund["id"])
    else:
        refund["status"] = "succeeded"
    if outcome.refund == "fails":
        account.clock.at(account.now + TAKES, "refund_fails", refund["id"])
    account.save("refund", refund)
    events.emit(account, "refund.created", refund)
    events.emit(account, "charge.refunded", charge, before)
    return refund


def _pay(account: Account, refund: Object, charge: Object) -> None:
    entry = account.ledger.post(
        "payment_refund" if charge["id"].startswith("py_") else "refund",
        "refund",
        currency=refund["currency"],
        amount=-refund["amount"],
        source=refund["id"],
        description=(
            f"REFUND FOR CHARGE ({charge['description']})" if charge["description"] else "REFUND FOR CHARGE"
        ),
    )
    refund["balance_transaction"] = entry["id"]


def arrives(refund: Object) -> bool:
    """Whether a refund is on its way and paid for."""
    if refund["status"] == "requires_action":
        return True
    return refund["status"] == "pending" and refund["balance_transaction"] is not None


def arrive(account: Account, refund: Object) -> None:
    """A pending refund arrives, or one whose customer was asked where to."""
    if not arrives(refund):
        return
    before = events.snapshot(refund)
    refund["status"] = "succeeded"
    refund.pop("next_action", None)
    account.save("refund", refund)
    _emit_updated(account, refund, before)


def failed(account: Account, refund: Object, reason: str = "expired_or_canceled_card") -> None:
    """A refund comes back: the money returns as an entry, and the charge is refundable again by that
    amount."""
    if cash_refunds.by_transfer(refund):
        _not_sent(account, refund, "failed", reason)
        return
    if refund["status"] not in {"pending", "succeeded"} or refund["balance_transaction"] is None:
        return
    before = events.snapshot(refund)
    entry = account.ledger.post(
        "refund_failure",
        "refund_failure",
        currency=refund["currency"],
        amount=refund["amount"],
        source=refund["id"],
        description="REFUND FAILURE",
    )
    refund.update(status="failed", failure_reason=reason, failure_balance_transaction=entry["id"])
    account.save("refund", refund)
    charge = account.get("charge", refund["charge"])
    if charge is not None:
        charge["amount_refunded"] -= refund["amount"]
        charge["refunded"] = charge["amount_refunded"] >= charge["amount"]
        account.save("charge", charge)
    _emit_updated(account, refund, before)
    events.emit(account, "refund.failed", refund)


def _not_sent(account: Account, refund: Object, status: str, reason: str = "") -> None:
    """A refund by bank transfer doesn't arrive: the customer has the money in their cash balance."""
    before = events.snapshot(refund)
    owner = cash_refunds.returned(account, refund)
    refund["status"] = status
    refund.pop("next_action", None)
    if reason:
        refund["failure_reason"] = reason
    account.save("refund", refund)
    _emit_updated(account, refund, before)
    if status == "failed":
        events.emit(account, "refund.failed", refund)
    reconciliation.reconcile(account, owner, refund["currency"])


def expired(account: Account, refund: Object) -> None:
    """The customer didn't answer in time."""
    if refund["status"] == "requires_action":
        _not_sent(account, refund, "canceled")


def expire(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/test_helpers/refunds/{refund}/expire."""
    refund = retrieve(account, {}, identifier)
    if refund["status"] != "requires_action":
        raise _not_waiting(refund, "expired")
    expired(account, refund)
    return refund


def _not_waiting(refund: Object, verb: str) -> ApiError:
    return invalid(
        f"This refund cannot be {verb}: its status is {refund['status']}, and only requires_action can be."
    )


def _emit_updated(account: Account, refund: Object, before: Object) -> None:
    events.emit(account, "refund.updated", refund, before)
    if refund["charge"]:
        events.emit(account, "charge.refund.updated", refund, before)


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/refunds/{refund}."""
    return account.find("refund", identifier, "refund", status=404)


def update(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/refunds/{refund}: metadata."""
    refund = retrieve(account, {}, identifier)
    before = events.snapshot(refund)
    if "metadata" in params:
        refund["metadata"] = merged_metadata(refund["metadata"], params["metadata"])
        account.save("refund", refund)
        _emit_updated(account, refund, before)
    return refund


def cancel(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/refunds/{refund}/cancel: only those that wait for the customer, which cards never do."""
    refund = retrieve(account, {}, identifier)
    if refund["status"] != "requires_action":
        raise _not_waiting(refund, "canceled")
    _not_sent(account, refund, "canceled")
    return refund


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/refunds."""
    return page(account, "refund", params, "/v1/refunds", filters=("charge", "payment_intent"))


def of_charge(account: Account, params: dict[str, Any], charge: str) -> Page:
    """GET /v1/charges/{charge}/refunds."""
    account.find("charge", charge, "charge", status=404)
    return page(
        account, "refund", {**params, "charge": charge}, f"/v1/charges/{charge}/refunds", filters=("charge",)
    )


def one_of_charge(account: Account, params: dict[str, Any], charge: str, identifier: str) -> Object:
    """GET /v1/charges/{charge}/refunds/{refund}."""
    refund = retrieve(account, {}, identifier)
    if refund["charge"] != charge:
        raise missing("refund", identifier, "refund")
    return refund


def update_of_charge(account: Account, params: dict[str, Any], charge: str, identifier: str) -> Object:
    """POST /v1/charges/{charge}/refunds/{refund}: metadata."""
    one_of_charge(account, {}, charge, identifier)
    return update(account, params, identifier)


def create_of_charge(account: Account, params: dict[str, Any], charge: str) -> Object:
    """POST /v1/charges/{charge}/refunds."""
    return create(account, {**params, "charge": charge})


ROUTES: dict[str, Handler] = {
    "GET /v1/refunds": listing,
    "POST /v1/refunds": create,
    "GET /v1/refunds/{refund}": retrieve,
    "POST /v1/refunds/{refund}": update,
    "POST /v1/refunds/{refund}/cancel": cancel,
    "POST /v1/test_helpers/refunds/{refund}/expire": expire,
    "GET /v1/charges/{charge}/refunds": of_charge,
    "POST /v1/charges/{charge}/refunds": create_of_charge,
    "GET /v1/charges/{charge}/refunds/{refund}": one_of_charge,
    "POST /v1/charges/{charge}/refunds/{refund}": update_of_charge,
}
