"""Payment intents: the states of one payment, until the money moved.

    requires_payment_method -> requires_confirmation -> (requires_action) -> processing | requires_capture |
    succeeded canceled from every state before money moved; a decline leads back to requires_payment_method,
    with last_payment_error

Each state has the next steps that are allowed; everything else is refused with
`payment_intent_unexpected_state`. Every try to take the money is a charge (charges.py).
"""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import ApiError, invalid, invalid_before_execution, too_low
from stripe_magics.sandbox.api.pagination import Page, page
from stripe_magics.sandbox.api.search import search
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.checks import checked_amount, checked_currency, checked_descriptor
from stripe_magics.sandbox.core.metadata import take
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources import charges, confirmation_tokens
from stripe_magics.sandbox.resources.cash_balances import intent_funding
from stripe_magics.sandbox.resources.connect import connected_payments
from stripe_magics.sandbox.resources.payment_intents.intent_parameters import (
    check,
    check_method,
    configure,
    describe,
    method_given,
    new_intent,
    no_method,
    set_options,
    set_types,
)
from stripe_magics.sandbox.resources.payment_intents.payment_attempts import (
    CANCELABLE,
    cancel_intent,
    proceed,
    store,
)

CONFIRMABLE = {"requires_payment_method", "requires_confirmation", "requires_action"}


# create


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/payment_intents."""
    currency = checked_currency(params["currency"])
    checked_amount(params["amount"], currency)
    confirming = bool(params.get("confirm"))
    if params.get("confirmation_token") and not confirming:
        raise invalid_before_execution(
            "You can only pass confirmation_token when confirm=true.", param="confirmation_token"
        )
    token, params = confirmation_tokens.opened(account, params)
    for name in (
        "off_session",
        "error_on_requires_action",
        "return_url",
        "mandate",
        "mandate_data",
        "use_stripe_sdk",
    ):
        if params.get(name) and not confirming and name != "use_stripe_sdk":
            raise invalid_before_execution(f"You can only pass {name} when confirm=true.", param=name)
    check(account, params)
    intent = new_intent(account, amount=params["amount"], currency=currency)
    set_types(intent, params)
    configure(account, intent, params)
    describe(account, intent, params)
    method = method_given(account, intent, params)
    if confirming:
        if method is None:
            raise no_method()
        check_method(intent, method, params)
    account.add("payment_intent", intent)
    if method is not None:
        intent["payment_method"] = method["id"]
        intent["status"] = "requires_confirmation"
    events.emit(account, "payment_intent.created", intent)
    confirmation_tokens.used(account, token, intent)
    if confirming and method is not None:
        proceed(account, intent, method, params)
    return intent


# confirm


def confirm(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/payment_intents/{intent}/confirm."""
    intent = retrieve(account, {}, identifier)
    token, params = confirmation_tokens.opened(account, params)
    confirmation_tokens.used(account, token, intent)
    if params.get("client_secret") and params["client_secret"] != intent["client_secret"]:
        raise invalid(
            "The client_secret does not match the one of this intent.",
            param="client_secret",
            code="payment_intent_invalid_parameter",
        )
    if intent["status"] not in CONFIRMABLE:
        raise unexpected(intent, "confirm", CONFIRMABLE)
    check(account, params, intent)
    draft = events.snapshot(intent)
    if params.get("payment_method_types"):
        set_types(draft, params)
    elif params.get("payment_method_options"):
        set_options(draft, params)
    describe(account, draft, params)
    method = method_given(account, draft, params)
    if method is None and draft["payment_method"]:
        method = account.get("payment_method", draft["payment_method"])
    if method is None:
        refusal = no_method()
        refusal.more["payment_intent"] = intent
        raise refusal
    check_method(draft, method, params)
    intent.update(draft)
    intent["payment_method"] = method["id"]
    proceed(account, intent, method, params)
    return intent


def unexpected(intent: Object, verb: str, allowed: set[str]) -> ApiError:
    """Not in this state."""
    return invalid(
        f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}. "
        f"Only a PaymentIntent with one of these statuses may be treated so: {', '.join(sorted(allowed))}.",
        code="payment_intent_unexpected_state",
        payment_intent=intent,
    )


# capture, cancel, update


def capture(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/payment_intents/{intent}/capture."""
    intent = retrieve(account, {}, identifier)
    if intent["status"] != "requires_capture":
        raise unexpected(intent, "capture", {"requires_capture"})
    amount: int = (
        params["amount_to_capture"] if "amount_to_capture" in params else intent["amount_capturable"]
    )
    if amount < 1:
        raise too_low(1, "amount_to_capture")
    if amount > intent["amount_capturable"]:
        raise invalid(
            f"The amount to capture is greater than what is held: {intent['amount_capturable']}.",
            param="amount_to_capture",
            code="amount_too_large",
        )
    checked_descriptor(params, "statement_descriptor", "statement_descriptor_suffix")
    connected_payments.check(account, params, {**intent, "amount": amount})
    take(intent, params, ("statement_descriptor", "statement_descriptor_suffix", "metadata"))
    charge = account.find("charge", intent["latest_charge"], "intent")
    for subject in (intent, charge):
        connected_payments.describe(subject, params)
    take(charge, params, ("statement_descriptor", "statement_descriptor_suffix"))
    intent.update(status="succeeded", amount_capturable=0, amount_received=amount)
    store(account, intent)
    charges.capture_hold(account, charge, amount)
    events.emit(account, "payment_intent.succeeded", intent)
    return intent


def cancel(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/payment_intents/{intent}/cancel."""
    intent = retrieve(account, {}, identifier)
    if intent["status"] not in CANCELABLE - {"processing"}:
        raise unexpected(intent, "cancel", CANCELABLE)
    if intent["invoice"]:
        raise invalid(
            "This intent belongs to an invoice: void the invoice instead.",
            code="payment_intent_unexpected_state",
            payment_intent=intent,
        )
    cancel_intent(account, intent, params.get("cancellation_reason"))
    return intent


def update(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/payment_intents/{intent}: everything before success, afterwards description and metadata."""
    intent = retrieve(account, {}, identifier)
    early = intent["status"] in CONFIRMABLE
    if not early and set(params) - {"description", "metadata", "expand"}:
        name = min(set(params) - {"description", "metadata", "expand"})
        raise invalid(
            f"This PaymentIntent's {name} could not be updated because it has a status of {intent['status']}."
            " Only description and metadata can change now.",
            param=name,
            code="payment_intent_unexpected_state",
            payment_intent=intent,
        )
    check(account, params, intent)
    draft = events.snapshot(intent)
    if params.get("customer") and intent["customer"] not in {None, params["customer"]}:
        raise invalid("The customer of an intent can be set once only.", param="customer")
    if params.get("currency"):
        draft["currency"] = checked_currency(params["currency"])
    if params.get("amount") is not None or params.get("currency"):
        draft["amount"] = checked_amount(params.get("amount") or draft["amount"], draft["currency"])
    intent_funding.check_amount(account, intent, draft["amount"], draft["currency"])
    if params.get("payment_method_types"):
        set_types(draft, params)
    elif params.get("payment_method_options"):
        set_options(draft, params)
    if params.get("payment_method_configuration"):
        configure(account, draft, params)
    describe(account, draft, params)
    method = method_given(account, draft, params)
    draft["last_payment_error"] = None if set(params) - {"expand"} else draft["last_payment_error"]
    if method is not None:
        draft.update(payment_method=method["id"], status="requires_confirmation", next_action=None)
    intent.clear()
    intent.update(draft)
    store(account, intent)
    return intent


def increment(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/payment_intents/{intent}/increment_authorization: cards in person only, which the sandbox has
    none of."""
    retrieve(account, {}, identifier)
    raise invalid(
        "The payment method of this intent does not support incremental authorization.",
        code="payment_intent_incompatible_payment_method",
    )


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/payment_intents/{intent}."""
    intent = account.find("payment_intent", identifier, "intent", what="payment_intent", status=404)
    if params.get("client_secret") and params["client_secret"] != intent["client_secret"]:
        raise invalid("The client_secret does not match the one of this intent.", param="client_secret")
    return intent


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/payment_intents."""
    return page(account, "payment_intent", params, "/v1/payment_intents", filters=("customer",))


def searching(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/payment_intents/search."""
    return search(account, "payment_intent", params, "/v1/payment_intents/search")


ROUTES: dict[str, Handler] = {
    "GET /v1/payment_intents": listing,
    "POST /v1/payment_intents": create,
    "GET /v1/payment_intents/search": searching,
    "GET /v1/payment_intents/{intent}": retrieve,
    "POST /v1/payment_intents/{intent}": update,
    "POST /v1/payment_intents/{intent}/confirm": confirm,
    "POST /v1/payment_intents/{intent}/capture": capture,
    "POST /v1/payment_intents/{intent}/cancel": cancel,
    "POST /v1/payment_intents/{intent}/increment_authorization": increment,
}
