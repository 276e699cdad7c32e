"""Tokens: what a browser or an app makes of a card, a bank account or a person's facts; used once."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import declined, invalid, invalid_before_execution, missing_param
from stripe_magics.sandbox.core.checks import checked_currency, checked_cvc, checked_expiry
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.account_objects import new_bank
from stripe_magics.sandbox.resources.customer_subresources import new_card
from stripe_magics.sandbox.resources.payment_methods.test_cards import BY_NUMBER

KINDS = {
    "account": "ct",
    "bank_account": "btok",
    "card": "tok",
    "cvc_update": "cvctok",
    "person": "cpt",
    "pii": "pii",
}
"""What a token may be of, and how its id begins."""
_ADDRESS = (
    "address_city",
    "address_country",
    "address_line1",
    "address_line2",
    "address_state",
    "address_zip",
    "name",
)


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/tokens."""
    given = [name for name in KINDS if params.get(name) is not None]
    if len(given) != 1:
        raise invalid_before_execution(
            f"Give one of {', '.join(sorted(KINDS))} to make a token of.",
            param=given[1] if given else "card",
            code="parameter_missing",
        )
    if params.get("customer") and given[0] not in {"card", "bank_account"}:
        raise invalid("customer goes with a card or a bank account.", param="customer")
    kind = given[0]
    token: Object = {
        "id": account.new_id(KINDS[kind]), "object": "token", "client_ip": None, "created": account.now,
        "livemode": False, "type": kind, "used": False,
    }  # fmt: skip
    if kind == "card":
        token["card"], account.private_state[token["id"]] = _card(account, params["card"])
    elif kind == "bank_account":
        token["bank_account"], account.private_state[token["id"]] = _bank(account, params["bank_account"])
    else:
        account.private_state[token["id"]] = {"given": sorted(_leaves(params[kind], kind))}
    if params.get("customer"):
        account.find("customer", params["customer"], "customer")
        account.private_state[token["id"]]["customer"] = params["customer"]
    return account.add("token", token)


def _leaves(given: object, name: str) -> list[str]:
    if isinstance(given, dict):
        return [leaf for part, value in given.items() for leaf in _leaves(value, f"{name}.{part}")]
    return [name]


def _card(account: Account, given: object) -> tuple[Object, dict[str, Any]]:
    if not isinstance(given, dict):
        raise invalid(
            "Cards of customers can't be made into tokens in the sandbox: give its number.", param="card"
        )
    card = BY_NUMBER.get(str(given.get("number", "")).replace(" ", ""))
    if card is None:
        raise declined(
            "Your card number is not one of Stripe's test cards, the only ones that the sandbox knows.",
            code="incorrect_number",
            param="number",
        )
    for name in ("exp_month", "exp_year"):
        if given.get(name) is None:
            raise missing_param(f"card[{name}]")
    made = new_card(account, card, None)
    del account.private_state[made["id"]]
    made.update({name: given[name] for name in _ADDRESS if given.get(name) is not None})
    checked_cvc(given, card.brand)
    made.update(**checked_expiry(given, account.now), cvc_check="unchecked" if given.get("cvc") else None)
    if given.get("currency"):
        made["currency"] = checked_currency(given["currency"])
    if given.get("networks"):
        made["networks"] = {"preferred": given["networks"].get("preferred")}
    return made, {"number": card.number, "outcome": card.outcome}


def _bank(account: Account, given: Object) -> tuple[Object, dict[str, Any]]:
    number = given["account_number"]
    if not number.isalnum() or not 5 <= len(number) <= 34:
        raise invalid(
            "The account number is not one of a bank.",
            param="bank_account[account_number]",
            code="account_number_invalid",
        )
    currency = checked_currency(given.get("currency") or account.profile["default_currency"])
    made = new_bank(
        account, currency=currency, country=given["country"].upper(), number=number,
        routing=given.get("routing_number"), default=False,
        holder=given.get("account_holder_name"),
    )  # fmt: skip
    del account.private_state[made["id"]]
    made["account_holder_type"] = given.get("account_holder_type")
    made["account_type"] = given.get("account_type")
    made["account"] = None
    return made, {
        "number": number,
        **({"payment_method": given["payment_method"]} if given.get("payment_method") else {}),
    }


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/tokens/{token}."""
    return account.find("token", identifier, "token", status=404)


ROUTES: dict[str, Handler] = {"POST /v1/tokens": create, "GET /v1/tokens/{token}": retrieve}
