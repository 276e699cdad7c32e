"""Confirmation tokens (what a payer entered, to confirm one intent with) and customer sessions (a browser's
short leave to show a customer's things)."""

from __future__ import annotations

from typing import Any

from stripe_magics.catalogue import PINNED_VERSION
from stripe_magics.catalogue.generated import objects
from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid, invalid_before_execution, missing_param
from stripe_magics.sandbox.core.clock import HOUR, MINUTE
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.generic import object_shapes as shapes
from stripe_magics.sandbox.resources.payment_methods.method_creation import from_data, full_shipping
from stripe_magics.sandbox.resources.payment_methods.payment_methods import use

LASTS, SESSION_LASTS = 12 * HOUR, 30 * MINUTE


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/test_helpers/confirmation_tokens: as Stripe.js makes it from what the payer entered."""
    if params.get("payment_method") and params.get("payment_method_data"):
        raise invalid_before_execution(
            "You can only pass one of payment_method and payment_method_data.", param="payment_method_data"
        )
    if params.get("payment_method_data"):
        method = from_data(account, params["payment_method_data"], "payment_method_data")
    elif params.get("payment_method"):
        method = use(account, params["payment_method"])
    else:
        raise missing_param("payment_method")
    token = shapes.shown("confirmation_token", shapes.new("confirmation_token"), PINNED_VERSION)
    preview = {
        name: value
        for name, value in method.items()
        if name in {"allow_redisplay", "billing_details", "type", "customer", method["type"]}
    }
    token.update(
        id=account.new_id("ctoken"), created=account.now, expires_at=account.now + LASTS,
        payment_method_preview=preview, return_url=params.get("return_url"),
        setup_future_usage=params.get("setup_future_usage"), shipping=full_shipping(params.get("shipping")),
        payment_intent=None, setup_intent=None, mandate_data=None, use_stripe_sdk=True,
        payment_method_options=params.get("payment_method_options"),
    )  # fmt: skip
    account.private_state[token["id"]] = {"method": method["id"]}
    return account.add("confirmation_token", token)


def opened(account: Account, params: dict[str, Any]) -> tuple[Object | None, dict[str, Any]]:
    """The confirmation token that a call names, and its parameters with what the token holds; what the call
    says itself counts."""
    if not params.get("confirmation_token"):
        return None, params
    token = account.find("confirmation_token", params["confirmation_token"], "confirmation_token")
    if token["payment_intent"] or token["expires_at"] <= account.now:
        raise invalid("This confirmation token was used already, or has expired.", param="confirmation_token")
    for name in ("payment_method", "payment_method_data"):
        if params.get(name):
            raise invalid_before_execution(
                f"You can only pass one of confirmation_token and {name}.", param=name
            )
    held = {name: token[name] for name in ("return_url", "setup_future_usage", "shipping") if token[name]}
    return token, {**held, **params, "payment_method": account.private_state[token["id"]]["method"]}


def used(account: Account, token: Object | None, intent: Object) -> None:
    """It is that intent's now."""
    if token is not None:
        token["payment_intent"] = intent["id"]
        account.save("confirmation_token", token)


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/confirmation_tokens/{confirmation_token}."""
    return account.find("confirmation_token", identifier, "confirmation_token", status=404)


def customer_session(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/customer_sessions."""
    account.find("customer", params["customer"], "customer")
    session = shapes.shown("customer_session", shapes.new("customer_session"), PINNED_VERSION)
    given = params["components"]
    if not any((each or {}).get("enabled") for each in given.values()):
        raise invalid("At least one component must be enabled.", param="components")
    components: Object = {}
    known = objects.facts(PINNED_VERSION)["customer_session"]["components"]
    for name in known:
        part = given.get(name) or {}
        components[name] = {"enabled": bool(part.get("enabled"))}
        if "features" in known[name]:
            components[name]["features"] = part.get("features")
    account.count += 1
    session.update(
        client_secret=f"cuss_secret_{account.letters(f'session{account.count}', 40)}", components=components,
        created=account.now, customer=params["customer"], expires_at=account.now + SESSION_LASTS,
    )  # fmt: skip
    return session


ROUTES: dict[str, Handler] = {
    "POST /v1/test_helpers/confirmation_tokens": create,
    "GET /v1/confirmation_tokens/{confirmation_token}": retrieve,
    "POST /v1/customer_sessions": customer_session,
}
