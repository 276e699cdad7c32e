"""Charges: one attempt to take money each. A charge that is captured writes the ledger; a failed one is kept
as a record."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import declined, invalid, missing_param
from stripe_magics.sandbox.api.pagination import Page, page
from stripe_magics.sandbox.api.search import search
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.checks import (
    checked_amount,
    checked_currency,
    checked_descriptor,
    checked_email,
)
from stripe_magics.sandbox.core.clock import DAY
from stripe_magics.sandbox.core.ledger import processing_fee
from stripe_magics.sandbox.core.metadata import take
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources import disputes, radar, sources
from stripe_magics.sandbox.resources.charge_objects import new_charge
from stripe_magics.sandbox.resources.connect import connected_payments
from stripe_magics.sandbox.resources.payment_methods.method_creation import from_data
from stripe_magics.sandbox.resources.payment_methods.payment_methods import outcome_of, use
from stripe_magics.sandbox.resources.payment_methods.test_cards import CardBehaviour
from stripe_magics.sandbox.resources.refund_objects import new_refund

HOLD = 7 * DAY


def fail(account: Account, charge: Object, outcome: CardBehaviour) -> None:
    """The bank (or Radar) refused."""
    before = events.snapshot(charge)
    was_pending = charge["status"] == "pending" and charge["outcome"] is not None
    charge.update(
        status="failed",
        paid=False,
        failure_code=outcome.code,
        failure_message=outcome.message,
        outcome={
            "advice_code": "try_again_later" if outcome.decline_code == "generic_decline" else None,
            "network_advice_code": None,
            "network_decline_code": None,
            "network_status": "not_sent_to_network" if outcome.blocked else "declined_by_network",
            "reason": "highest_risk_level" if outcome.blocked else (outcome.decline_code or outcome.code),
            "risk_level": outcome.risk,
            "risk_score": 92 if outcome.blocked else 24,
            "seller_message": (
                "Stripe blocked this payment as too risky."
                if outcome.blocked
                else "The bank did not complete the payment."
            ),
            "type": "blocked" if outcome.blocked else "issuer_declined",
        },
    )
    account.save("charge", charge)
    events.emit(account, "charge.failed", charge, before if was_pending else None)


def authorise(account: Account, charge: Object, outcome: CardBehaviour) -> None:
    """The bank agreed: the money is held or, with a debit, on its way."""
    card = charge["payment_method_details"].get("card")
    if card is not None:
        card["authorization_code"] = account.letters(f"authorization{charge['id']}", 6).upper()
    charge["outcome"] = {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "approved_by_network",
        "reason": "elevated_risk_level" if outcome.risk == "elevated" else None,
        "risk_level": outcome.risk,
        "risk_score": 67 if outcome.risk == "elevated" else 24,
        "seller_message": "Payment complete.",
        "type": "authorized",
    }


def authorize_only(account: Account, charge: Object) -> None:
    """Authorised and not captured."""
    charge.update(status="succeeded", paid=True, captured=False)
    card = charge["payment_method_details"].get("card")
    if card is not None:
        card["capture_before"] = account.now + HOLD
    account.save("charge", charge)
    events.emit(account, "charge.succeeded", charge)


def succeed(account: Account, charge: Object, outcome: CardBehaviour) -> None:
    """Taken in full: one entry in the ledger; a card that disputes does so right away."""
    _enter(account, charge, charge["amount"], outcome)
    charge.update(status="succeeded", paid=True, captured=True, amount_captured=charge["amount"])
    radar.after_success(account, charge, outcome.risk, warning=outcome.warning)
    account.save("charge", charge)
    events.emit(account, "charge.succeeded", charge)
    if outcome.dispute:
        disputes.open_dispute(account, charge, outcome.dispute, inquiry=outcome.inquiry)


def capture_hold(account: Account, charge: Object, amount: int) -> None:
    """Take all or a part of what is held; the rest is let go, which the ledger shows as an entry of its
    own."""
    before = events.snapshot(charge)
    outcome = outcome_of(account, charge["payment_method"])
    _enter(account, charge, amount, outcome)
    rest = charge["amount"] - amount
    if rest:
        entry = account.ledger.post(
            "refund",
            "partial_capture_reversal",
            currency=charge["currency"],
            amount=-rest,
            source=charge["id"],
            description=f"PARTIAL CAPTURE REVERSAL ({charge['description'] or charge['id']})",
            at_once=outcome.at_once,
        )
    charge.update(captured=True, amount_captured=amount)
    radar.after_success(account, charge, outcome.risk, warning=outcome.warning)
    account.save("charge", charge)
    events.emit(account, "charge.captured", charge, before)
    if rest:
        _release_rest(account, charge, rest, entry["id"])
    if outcome.dispute:
        disputes.open_dispute(account, charge, outcome.dispute, inquiry=outcome.inquiry)


def _release_rest(account: Account, charge: Object, rest: int, entry: str) -> None:
    """What a capture leaves of the hold goes back as a refund of its own."""
    before = events.snapshot(charge)
    charge["amount_refunded"] = rest
    account.save("charge", charge)
    refund = new_refund(account, charge, rest, {})
    refund.update(status="succeeded", balance_transaction=entry)
    account.add("refund", refund)
    events.emit(account, "refund.created", refund)
    events.emit(account, "charge.refunded", charge, before)


def _enter(account: Account, charge: Object, captured: int, outcome: CardBehaviour) -> None:
    entry = account.ledger.post(
        "payment" if charge["id"].startswith("py_") else "charge",
        "charge",
        currency=charge["currency"],
        amount=charge["amount"],
        fee=processing_fee(captured),
        source=charge["id"],
        description=charge["description"],
        at_once=outcome.at_once,
        application_fee=connected_payments.fee_of(account, charge, captured),
    )
    charge["balance_transaction"] = entry["id"]
    connected_payments.captured(account, charge, captured, entry)


def release_authorization(account: Account, charge: Object, *, expired: bool = False) -> None:
    """Release a hold without taking anything."""
    before = events.snapshot(charge)
    charge.update(amount_refunded=charge["amount"], refunded=True)
    account.save("charge", charge)
    events.emit(account, "charge.expired" if expired else "charge.refunded", charge, before)


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/charges/{charge}."""
    return account.find("charge", identifier, "id", status=404)


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/charges."""
    return page(
        account, "charge", params, "/v1/charges", filters=("customer", "payment_intent", "transfer_group")
    )


def searching(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/charges/search."""
    return search(account, "charge", params, "/v1/charges/search")


def update(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/charges/{charge}: description, metadata, receipt, shipping, the customer if there was none."""
    charge = retrieve(account, params, identifier)
    before = events.snapshot(charge)
    if params.get("customer"):
        if charge["customer"] not in {None, params["customer"]}:
            raise invalid("This charge already has a customer, which cannot be changed.", param="customer")
        account.find("customer", params["customer"], "customer")
    take(
        charge, params, ("description", "metadata", "receipt_email", "shipping", "customer", "transfer_group")
    )
    if "fraud_details" in params:
        charge["fraud_details"] = {
            name: value for name, value in (params["fraud_details"] or {}).items() if value
        }
    account.save("charge", charge)
    events.emit(account, "charge.updated", charge, before)
    return charge


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/charges, the way before payment intents: a token or a customer's default card."""
    for name in ("amount", "currency"):
        if params.get(name) is None:
            raise missing_param(name)
    currency = checked_currency(params["currency"])
    checked_amount(params["amount"], currency)
    connected_payments.check(account, params)
    checked_descriptor(params, "statement_descriptor", "statement_descriptor_suffix")
    checked_email(params.get("receipt_email"), "receipt_email")
    customer = account.find("customer", params["customer"], "customer") if params.get("customer") else None
    source = params.get("source") or (customer or {}).get("default_source")
    if not source:
        raise invalid("Must provide source or customer.", code="parameter_missing", param="source")
    if source.startswith("tok_"):
        method = from_data(account, {"type": "card", "card": {"token": source}}, "")
    elif source.startswith("src_"):
        method = sources.method_of(account, source, (customer or {}).get("id"))
    else:
        method = use(account, source, "source")
    outcome = outcome_of(account, method["id"])
    copied = (
        "application_fee_amount",
        "customer",
        "description",
        "metadata",
        "on_behalf_of",
        "receipt_email",
        "shipping",
        "statement_descriptor",
        "statement_descriptor_suffix",
        "transfer_data",
        "transfer_group",
    )
    charge = new_charge(
        account,
        {"amount": params["amount"], "currency": currency, **{name: params.get(name) for name in copied}},
        method,
    )
    if outcome.code:
        fail(account, charge, outcome)
        raise declined(
            outcome.message,
            code=outcome.code,
            decline_code=outcome.decline_code,
            param=outcome.param,
            charge=charge["id"],
        )
    authorise(account, charge, outcome)
    if params.get("capture") is False:
        authorize_only(account, charge)
        account.clock.at(account.now + HOLD, "charge_expires", charge["id"])
    else:
        succeed(account, charge, outcome)
    return charge


def capture(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/charges/{charge}/capture, for a charge made without an intent."""
    charge = retrieve(account, params, identifier)
    if charge["payment_intent"]:
        raise invalid("This charge belongs to a payment intent: capture that instead.")
    if charge["captured"] or charge["status"] != "succeeded" or charge["refunded"]:
        raise invalid(f"Charge {identifier} has already been captured.", code="charge_already_captured")
    amount = params.get("amount") or charge["amount"]
    if not 0 < amount <= charge["amount"]:
        raise invalid(
            "You cannot capture a charge with an amount higher than it has available.",
            param="amount",
            code="amount_too_large",
        )
    checked_descriptor(params, "statement_descriptor", "statement_descriptor_suffix")
    checked_email(params.get("receipt_email"), "receipt_email")
    take(
        charge,
        params,
        ("receipt_email", "statement_descriptor", "statement_descriptor_suffix", "transfer_group"),
    )
    connected_payments.check(account, params, {**charge, "amount": amount})
    connected_payments.describe(charge, params)
    capture_hold(account, charge, amount)
    return charge


ROUTES: dict[str, Handler] = {
    "GET /v1/charges": listing,
    "POST /v1/charges": create,
    "GET /v1/charges/search": searching,
    "GET /v1/charges/{charge}": retrieve,
    "POST /v1/charges/{charge}": update,
    "POST /v1/charges/{charge}/capture": capture,
}
