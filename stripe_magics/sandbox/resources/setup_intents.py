"""Setup intents: a payment method is checked and kept for later, without money moving; and the attempts to do
so.

    requires_payment_method -> requires_confirmation -> (requires_action) -> succeeded
    canceled from every state before that; a decline leads back to requires_payment_method, with
    last_setup_error

The test cards bring the outcomes that they bring at a payment: a card that can't be attached is declined
here, one that asks for authentication asks here (`POST /v1/test_helpers/setup_intents/{intent}/authenticate`
answers for the payer).
"""

from __future__ import annotations

from typing import Any

from stripe_magics.catalogue import PINNED_VERSION
from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import ApiError, declined, invalid, invalid_before_execution
from stripe_magics.sandbox.api.pagination import Page, page
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.metadata import merged_metadata, take
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.generic import object_shapes as shapes
from stripe_magics.sandbox.resources.connect import connected_billing
from stripe_magics.sandbox.resources.payment_intents.intent_parameters import TYPES
from stripe_magics.sandbox.resources.payment_intents.payment_attempts import mandate_for, redirects
from stripe_magics.sandbox.resources.payment_methods.method_creation import from_data
from stripe_magics.sandbox.resources.payment_methods.payment_methods import attach_to, outcome_of, use
from stripe_magics.sandbox.resources.payment_methods.test_cards import CardBehaviour

OPEN = frozenset({"requires_payment_method", "requires_confirmation", "requires_action"})
_ONLY_CONFIRMING = ("mandate_data", "return_url")
_NOT_AUTHENTICATED = CardBehaviour(
    code="setup_intent_authentication_failure",
    message=(
        "We are unable to authenticate your payment method. Please choose a different payment method and try"
        " again."
    ),
)


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/setup_intents."""
    confirming = bool(params.get("confirm"))
    for name in _ONLY_CONFIRMING:
        if params.get(name) and not confirming:
            raise invalid_before_execution(f"You can only pass {name} when confirm=true.", param=name)
    intent = shapes.shown("setup_intent", shapes.new("setup_intent"), PINNED_VERSION)
    identifier = account.new_id("seti")
    intent.update(
        id=identifier, client_secret=f"{identifier}_secret_{account.letters(identifier, 25)}",
        created=account.now, automatic_payment_methods={"allow_redirects": "always", "enabled": True},
        payment_method_types=["card"], status="requires_payment_method",
        usage=params.get("usage") or "off_session", metadata=merged_metadata({}, params.get("metadata")),
        payment_method_options={},
    )  # fmt: skip
    _describe(account, intent, params)
    method = _given(account, intent, params)
    if confirming and method is None:
        raise _no_method()
    account.add("setup_intent", intent)
    if method is not None:
        intent.update(payment_method=method["id"], status="requires_confirmation")
    events.emit(account, "setup_intent.created", intent)
    if confirming and method is not None:
        _proceed(account, intent, method, params)
    return intent


def _describe(account: Account, intent: Object, params: dict[str, Any]) -> None:
    if params.get("customer"):
        account.find("customer", params["customer"], "customer")
    connected_billing.check(account, params)
    take(
        intent,
        params,
        ("attach_to_self", "customer", "description", "flow_directions", "on_behalf_of",
            "payment_method_options"),
    )  # fmt: skip
    automatic = params.get("automatic_payment_methods")
    named = params.get("payment_method_types")
    if automatic and automatic["enabled"] and named:
        raise invalid_before_execution(
            "You may only specify one of payment_method_types and automatic_payment_methods.",
            param="automatic_payment_methods",
        )
    if automatic:
        intent["automatic_payment_methods"] = (
            {"allow_redirects": automatic.get("allow_redirects") or "always", "enabled": True}
            if automatic["enabled"]
            else None
        )
    if named:
        unknown = next((each for each in named if each not in TYPES), None)
        if unknown is not None:
            raise invalid_before_execution(
                f"The payment method type '{unknown}' is invalid.", param="payment_method_types"
            )
        intent.update(payment_method_types=list(named), automatic_payment_methods=None)


def _given(account: Account, intent: Object, params: dict[str, Any]) -> Object | None:
    """The payment method that a call names or describes."""
    if params.get("payment_method") and params.get("payment_method_data"):
        raise invalid_before_execution(
            "You can only pass one of payment_method and payment_method_data.", param="payment_method_data"
        )
    if params.get("payment_method"):
        method = use(account, params["payment_method"])
    elif params.get("payment_method_data"):
        method = from_data(account, params["payment_method_data"], "payment_method_data")
    else:
        return None
    if method["customer"] is not None and method["customer"] != intent["customer"]:
        raise invalid(
            f"The PaymentMethod {method['id']} belongs to a customer. Include that customer in the `customer`"
            " parameter of the intent to use it.",
            param="payment_method",
        )
    if intent["automatic_payment_methods"] is None and method["type"] not in intent["payment_method_types"]:
        raise invalid(
            f"The PaymentMethod is of type {method['type']}, but the intent takes only:"
            f" {', '.join(intent['payment_method_types'])}.",
            param="payment_method",
        )
    return method


def _no_method() -> ApiError:
    return invalid(
        "You cannot confirm this SetupIntent because it's missing a payment method. Give payment_method or"
        " payment_method_data.",
        code="setup_intent_unexpected_state",
    )


def _unexpected(intent: Object, verb: str) -> ApiError:
    return invalid(
        f"You cannot {verb} this SetupIntent because it has a status of {intent['status']}. "
        "Only a SetupIntent with one of the following statuses may be handled so:"
        f" {', '.join(sorted(OPEN))}.",
        code="setup_intent_unexpected_state",
        setup_intent=intent,
    )


# the attempt


def _proceed(account: Account, intent: Object, method: Object, params: dict[str, Any]) -> None:
    outcome = outcome_of(account, method["id"])
    intent.update(payment_method=method["id"], last_setup_error=None, next_action=None)
    if params.get("mandate_data"):
        mandate_for(account, method, params)
        intent["mandate"] = account.private_state[method["id"]]["mandate"]
    if outcome.authenticate or redirects(method):
        _ask(account, intent, params)
    elif outcome.code and not outcome.attaches:
        raise _decline(account, intent, method, outcome)
    else:
        _succeed(account, intent, method)


def _ask(account: Account, intent: Object, params: dict[str, Any]) -> None:
    back = params.get("return_url")
    url = f"https://hooks.stripe.com/sandbox/authenticate/{intent['id']}"
    intent["status"] = "requires_action"
    intent["next_action"] = (
        {"redirect_to_url": {"return_url": back, "url": url}, "type": "redirect_to_url"}
        if back
        else {
            "type": "use_stripe_sdk",
            "use_stripe_sdk": {"source": intent["id"], "type": "three_d_secure_redirect"},
        }
    )
    account.save("setup_intent", intent)
    _attempt(account, intent, "requires_action")
    events.emit(account, "setup_intent.requires_action", intent)


def _attempt(account: Account, intent: Object, status: str, error: Object | None = None) -> None:
    """Note an attempt; one that waited for the payer is brought to its end instead."""
    attempt = account.get("setup_attempt", intent["latest_attempt"] or "")
    if attempt is not None and attempt["status"] == "requires_action":
        attempt.update(status=status, setup_error=error)
        account.save("setup_attempt", attempt)
        return
    attempt = shapes.shown("setup_attempt", shapes.new("setup_attempt"), PINNED_VERSION)
    method = account.peek("payment_method", intent["payment_method"]) or {}
    kind = str(method.get("type") or "card")
    attempt.update(
        id=account.new_id("setatt"), created=account.now, customer=intent["customer"],
        on_behalf_of=intent["on_behalf_of"],
        payment_method=intent["payment_method"], payment_method_details={kind: {}, "type": kind},
        setup_intent=intent["id"], setup_error=error, status=status, usage=intent["usage"],
    )  # fmt: skip
    account.add("setup_attempt", attempt)
    intent["latest_attempt"] = attempt["id"]
    account.save("setup_intent", intent)


def _succeed(account: Account, intent: Object, method: Object) -> None:
    if intent["customer"]:
        keep_method(account, method, intent["customer"])
    account.private_state.setdefault(method["id"], {})["authenticated"] = True
    intent.update(status="succeeded", next_action=None)
    _attempt(account, intent, "succeeded")
    account.save("setup_intent", intent)
    events.emit(account, "setup_intent.succeeded", intent)


def keep_method(account: Account, method: Object, customer: str) -> None:
    """The method becomes the customer's. Raises a decline for a card that fails its check."""
    attach_to(account, method, account.find("customer", customer, "customer"))


def _decline(account: Account, intent: Object, method: Object, outcome: CardBehaviour) -> ApiError:
    """Record a decline; answers the refusal to raise."""
    error: Object = {
        "code": outcome.code,
        "doc_url": f"https://stripe.com/docs/error-codes/{outcome.code.replace('_', '-')}",
        "message": outcome.message,
        "payment_method": events.snapshot(method),
        "type": "invalid_request_error" if outcome is _NOT_AUTHENTICATED else "card_error",
    }
    error |= {
        name: text
        for name, text in (("decline_code", outcome.decline_code), ("param", outcome.param))
        if text
    }
    _attempt(account, intent, "failed", error)
    intent.update(
        status="requires_payment_method", payment_method=None, next_action=None, last_setup_error=error
    )
    account.save("setup_intent", intent)
    events.emit(account, "setup_intent.setup_failed", intent)
    return declined(
        outcome.message, code=outcome.code, decline_code=outcome.decline_code, param=outcome.param,
        setup_intent=events.snapshot(intent), payment_method=method,
    )  # fmt: skip


# endpoints


def confirm(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/setup_intents/{intent}/confirm."""
    intent = retrieve(account, {}, identifier)
    if params.get("client_secret") and params["client_secret"] != intent["client_secret"]:
        raise invalid("The client_secret does not match the one of this intent.", param="client_secret")
    if intent["status"] not in OPEN:
        raise _unexpected(intent, "confirm")
    method = _given(account, intent, params)
    if method is None and intent["payment_method"]:
        method = account.get("payment_method", intent["payment_method"])
    if method is None:
        raise _no_method()
    _proceed(account, intent, method, params)
    return intent


def authenticate(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """The payer completes or fails the authentication (a helper's path). A decline stands in the intent."""
    intent = retrieve(account, {}, identifier)
    method = account.get("payment_method", intent["payment_method"] or "")
    if intent["status"] != "requires_action" or method is None:
        raise _unexpected(intent, "authenticate")
    outcome = outcome_of(account, method["id"])
    if (params.get("outcome") or "succeed") == "fail":
        outcome = _NOT_AUTHENTICATED
    if outcome.code:
        _decline(account, intent, method, outcome)
    else:
        _succeed(account, intent, method)
    return intent


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/setup_intents/{intent}."""
    intent = account.find("setup_intent", identifier, "intent", what="setupintent", status=404)
    if params.get("client_secret") and params["client_secret"] != intent["client_secret"]:
        raise invalid("The client_secret does not match the one of this intent.", param="client_secret")
    return intent


def update(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/setup_intents/{intent}: everything before it ended, then metadata and description."""
    intent = retrieve(account, {}, identifier)
    if intent["status"] not in OPEN and set(params) - {"metadata", "description", "expand"}:
        raise _unexpected(intent, "update")
    if "metadata" in params:
        intent["metadata"] = merged_metadata(intent["metadata"], params["metadata"])
    _describe(account, intent, params)
    method = _given(account, intent, params)
    if method is not None:
        intent.update(payment_method=method["id"], status="requires_confirmation", last_setup_error=None)
    return account.save("setup_intent", intent)


def cancel(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/setup_intents/{intent}/cancel."""
    intent = retrieve(account, {}, identifier)
    if intent["status"] not in OPEN:
        raise _unexpected(intent, "cancel")
    intent.update(status="canceled", next_action=None, cancellation_reason=params.get("cancellation_reason"))
    account.save("setup_intent", intent)
    events.emit(account, "setup_intent.canceled", intent)
    return intent


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/setup_intents."""
    tests = []
    if params.get("attach_to_self") is not None:
        expected = bool(params["attach_to_self"])
        tests.append(lambda row: bool(row.value.get("attach_to_self")) is expected)
    return page(
        account,
        "setup_intent",
        params,
        "/v1/setup_intents",
        filters=("customer", "payment_method"),
        tests=tests,
    )


def attempts(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/setup_attempts: those of a setup intent."""
    account.find("setup_intent", params["setup_intent"], "setup_intent")
    return page(account, "setup_attempt", params, "/v1/setup_attempts", filters=("setup_intent",))


SHAPES: dict[str, dict[str, Any]] = {
    "POST /v1/test_helpers/setup_intents/{intent}/authenticate": {
        "outcome": {"e": ["succeed", "fail"]},
        "expand": {"a": "s"},
    }
}
ROUTES: dict[str, Handler] = {
    "POST /v1/setup_intents": create,
    "GET /v1/setup_intents": listing,
    "GET /v1/setup_intents/{intent}": retrieve,
    "POST /v1/setup_intents/{intent}": update,
    "POST /v1/setup_intents/{intent}/confirm": confirm,
    "POST /v1/setup_intents/{intent}/cancel": cancel,
    "GET /v1/setup_attempts": attempts,
    "POST /v1/test_helpers/setup_intents/{intent}/authenticate": authenticate,
}
