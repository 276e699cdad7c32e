"""Payment methods: used, attached to customers, detached (making.py makes them).

`pm_card_visa` and its like are templates: each use makes a new payment method. What a method's charges will
bring is noted beside it, since the object itself does not tell.
"""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import declined, invalid, missing
from stripe_magics.sandbox.api.pagination import Page, Test, page
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.checks import checked_expiry
from stripe_magics.sandbox.core.metadata import merged_metadata
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.payment_methods.method_creation import (
    address,
    card_of,
    from_data,
    new_method,
    us_bank_account,
)
from stripe_magics.sandbox.resources.payment_methods.test_cards import (
    BY_NUMBER,
    CARDS,
    OUTCOMES,
    Card,
    CardBehaviour,
)


def outcome_of(account: Account, identifier: str) -> CardBehaviour:
    """What charging a method will bring."""
    return OUTCOMES[account.private_state.get(identifier, {}).get("outcome", "succeeds")]


def use(account: Account, identifier: str, param: str = "payment_method") -> Object:
    """The method that an id names; a template (`pm_card_visa`) makes a new one."""
    template = _template(identifier)
    if template is not None:
        return new_method(account, "card", card_of(account, template), outcome=template.outcome)
    if identifier == "pm_usBankAccount_success":
        return new_method(account, "us_bank_account", us_bank_account(account, {}), outcome="debit")
    found = account.get("payment_method", identifier)
    if found is not None:
        if account.private_state.get(identifier, {}).get("spent"):
            raise invalid(
                "The provided PaymentMethod was previously used with a PaymentIntent without Customer"
                " attachment, or was detached from a Customer. It may not be used again. To use a"
                " PaymentMethod multiple times, you must attach it to a Customer first.",
                param=param,
            )
        return found
    card = account.peek("card", identifier)
    if card is None:
        raise missing("PaymentMethod", identifier, param, status=400)
    return _of_card(account, card)


def spend(account: Account, method: Object) -> None:
    """It can't be used or attached from now on, unless it belongs to a customer."""
    if method["customer"] is None:
        account.private_state.setdefault(method["id"], {})["spent"] = True


def _template(identifier: str) -> Card | None:
    return CARDS.get(identifier.removeprefix("pm_card_")) if identifier.startswith("pm_card_") else None


def _of_card(account: Account, card: Object) -> Object:
    """An older card object used as a payment method: a method with the same card stands in for it."""
    details = card_of(
        account,
        BY_NUMBER[account.private_state[card["id"]]["number"]],
        exp_month=card["exp_month"],
        exp_year=card["exp_year"],
    )
    method = new_method(
        account, "card", details, outcome=account.private_state[card["id"]].get("outcome", "succeeds")
    )
    method["customer"] = card["customer"]
    return account.save("payment_method", method)


def shown_on_charge(
    method: Object, *, secured: bool = False, installments: object = None, amount: int = 0
) -> Object:
    """`payment_method_details` of a charge."""
    kind = method["type"]
    details = dict(method[kind])
    if kind == "card":
        for name in ("display_brand", "generated_from", "networks", "three_d_secure_usage"):
            details.pop(name, None)
        details.update(
            amount_authorized=amount,
            authorization_code=None,
            checks={**details["checks"], "cvc_check": "pass" if details["checks"]["cvc_check"] else None},
            extended_authorization={"status": "disabled"},
            incremental_authorization={"status": "unavailable"},
            installments=installments,
            mandate=None,
            multicapture={"status": "unavailable"},
            network=details["brand"],
            network_token={"used": False},
            overcapture={"maximum_amount_capturable": amount, "status": "unavailable"},
            three_d_secure=(
                {"authentication_flow": "challenge", "result": "authenticated", "version": "2.2.0"}
                if secured
                else None
            ),
        )
    if kind == "sepa_debit":
        details.pop("generated_from", None)
        details["mandate"] = None
    return {kind: details, "type": kind}


def attach_to(account: Account, method: Object, customer: Object) -> Object:
    """Attach a method to a customer; refuses a card that fails the check, and one that belongs to somebody
    else."""
    if method["customer"] == customer["id"]:
        return method
    if method["customer"] is not None:
        raise invalid(
            "The payment method you provided has already been attached to a customer.", param="payment_method"
        )
    outcome = outcome_of(account, method["id"])
    if not outcome.attaches:
        refusal = declined(
            outcome.message, code=outcome.code, decline_code=outcome.decline_code, param=outcome.param
        )
        refusal.more["param"] = outcome.param  # here the key is there even where it names nothing
        raise refusal
    method["customer"] = customer["id"]
    account.save("payment_method", method)
    events.emit(account, "payment_method.attached", method)
    return method


# endpoints


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/payment_methods."""
    if params.get("customer") or params.get("payment_method"):
        raise invalid(
            "Cloning payment methods between accounts is a matter of Connect, which the sandbox does not"
            " have.",
            param="payment_method",
        )
    return from_data(account, params, "")


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/payment_methods/{payment_method}."""
    return account.find("payment_method", identifier, "payment_method", what="PaymentMethod", status=404)


def update(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/payment_methods/{payment_method}: billing details, metadata, a card's expiry."""
    method = retrieve(account, params, identifier)
    if method["customer"] is None:
        raise invalid("You must save this PaymentMethod to a customer before you can update it.")
    before = events.snapshot(method)
    if "billing_details" in params:
        given = params["billing_details"] or {}
        merged = {
            **method["billing_details"],
            **{name: value for name, value in given.items() if name != "address"},
        }
        if "address" in given:
            merged["address"] = (
                address({**method["billing_details"]["address"], **(given["address"] or {})})
                if given["address"]
                else address(None)
            )
        method["billing_details"] = merged
    if "metadata" in params:
        method["metadata"] = merged_metadata(method["metadata"], params["metadata"])
    if params.get("allow_redisplay"):
        method["allow_redisplay"] = params["allow_redisplay"]
    if params.get("card") and method["type"] == "card":
        method["card"] = {**method["card"], **checked_expiry(params["card"], account.now)}
    account.save("payment_method", method)
    events.emit(account, "payment_method.updated", method, before)
    return method


def attach(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/payment_methods/{payment_method}/attach."""
    customer = account.find("customer", params["customer"], "customer")
    if _template(identifier) is None:
        retrieve(account, params, identifier)
    return attach_to(account, use(account, identifier), customer)


def detach(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/payment_methods/{payment_method}/detach."""
    method = retrieve(account, params, identifier)
    if method["customer"] is None:
        raise invalid(
            "The payment method you provided is not attached to a customer so detachment is impossible."
        )
    before = events.snapshot(method)
    customer = account.get("customer", method["customer"])
    if customer is not None and customer["invoice_settings"]["default_payment_method"] == identifier:
        customer["invoice_settings"] = {**customer["invoice_settings"], "default_payment_method": None}
        account.save("customer", customer)
    method["customer"] = None
    account.save("payment_method", method)
    spend(account, method)
    events.emit(account, "payment_method.detached", method, before)
    return method


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/payment_methods: those of a customer."""
    if not params.get("customer"):
        return page(account, "payment_method", params, "/v1/payment_methods", rows=[])
    if account.peek("customer", params["customer"]) is None:
        raise missing("customer", params["customer"], "customer", status=400)
    return page(account, "payment_method", params, "/v1/payment_methods", filters=("customer", "type"))


def of_customer(account: Account, params: dict[str, Any], customer: str) -> Page:
    """GET /v1/customers/{customer}/payment_methods."""
    account.find("customer", customer, "customer", status=404)
    shown = params.get("allow_redisplay")
    tests: list[Test] = [lambda row: row.value["allow_redisplay"] == shown] if shown else []
    return page(
        account,
        "payment_method",
        {**params, "customer": customer},
        f"/v1/customers/{customer}/payment_methods",
        filters=("customer", "type"),
        tests=tests,
    )


def one_of_customer(account: Account, params: dict[str, Any], customer: str, identifier: str) -> Object:
    """GET /v1/customers/{customer}/payment_methods/{payment_method}."""
    method = account.get("payment_method", identifier)
    if method is None or method["customer"] != customer:
        raise missing("PaymentMethod", identifier, "payment_method")
    return method


def mandate(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/mandates/{mandate}."""
    return account.find("mandate", identifier, "mandate", status=404)


ROUTES: dict[str, Handler] = {
    "POST /v1/payment_methods": create,
    "GET /v1/payment_methods": listing,
    "GET /v1/payment_methods/{payment_method}": retrieve,
    "POST /v1/payment_methods/{payment_method}": update,
    "POST /v1/payment_methods/{payment_method}/attach": attach,
    "POST /v1/payment_methods/{payment_method}/detach": detach,
    "GET /v1/customers/{customer}/payment_methods": of_customer,
    "GET /v1/customers/{customer}/payment_methods/{payment_method}": one_of_customer,
    "GET /v1/mandates/{mandate}": mandate,
}
