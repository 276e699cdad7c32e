"""The banks and debit cards that an account is paid out to."""

from __future__ import annotations

import re
from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid, invalid_before_execution, missing, missing_param
from stripe_magics.sandbox.api.pagination import Page, of_objects
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.checks import checked_currency, checked_expiry
from stripe_magics.sandbox.core.metadata import merged_metadata, take
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.account_objects import member, new_bank, own_banks
from stripe_magics.sandbox.resources.connect import onboarding
from stripe_magics.sandbox.resources.customer_subresources import new_card
from stripe_magics.sandbox.resources.payment_methods.card_tokens import spend, spend_card
from stripe_magics.sandbox.resources.payment_methods.test_cards import BY_NUMBER

_OF_TOKEN = ("account_holder_name", "account_holder_type", "country", "currency", "routing_number")


def add_bank(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/accounts/{account}/external_accounts: a bank account by its number, or a debit card (which can
    be paid at once)."""
    account = member(account, identifier)
    given = params.get("external_account") or params.get("bank_account")
    if given is None:
        raise missing_param("external_account")
    if isinstance(given, str):
        if given.startswith("btok_"):
            number = account.private_state.get(given, {}).get("number", "")
            held = spend(account, given, "bank_account", "external_account")["bank_account"]
            given = {
                "object": "bank_account",
                "account_number": number,
                **{each: held[each] for each in _OF_TOKEN},
            }
        else:
            of_token, more = spend_card(account, given.replace("tok_debit_", "tok_"), "external_account")
            return _add_debit_card(account, {**new_card(account, of_token, None), **more})
    if given.get("object") == "card":
        card = BY_NUMBER.get(given.get("number") or "")
        if card is None or card.funding != "debit":
            raise invalid(
                "External accounts that are cards must be debit cards.",
                param="external_account",
                code="invalid_card_type",
            )
        made = new_card(account, card, None)
        made.update(
            {name: given[name] for name in ("exp_month", "exp_year", "name") if given.get(name) is not None}
        )
        return _add_debit_card(account, made)
    of_card = sorted({"cvc", "exp_month", "exp_year", "name", "number"} & set(given))
    if of_card:
        raise invalid_before_execution(
            f"{of_card[0]} goes with object=card.", param=f"external_account[{of_card[0]}]"
        )
    number = str(given.get("account_number") or "")
    for name in ("account_number", "country"):
        if not given.get(name):
            raise missing_param(f"external_account[{name}]")
    if not re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{8,30}|\d{5,20}", number):
        raise invalid(
            "The account number is not one of a bank.",
            param="external_account[account_number]",
            code="account_number_invalid",
        )
    currency = checked_currency(given.get("currency") or account.profile["default_currency"])
    others = account.where("bank_account", currency=currency)
    default = params.get("default_for_currency", False) or not others
    if default:
        for each in others:
            bank = account.find("bank_account", each, "id")
            bank["default_for_currency"] = False
            account.save("bank_account", bank)
    metadata = merged_metadata({}, params.get("metadata"))
    made = new_bank(
        account, currency=currency, country=given["country"].upper(), number=number,
        routing=given.get("routing_number"), default=default,
        holder=given.get("account_holder_name"), metadata=metadata,
    )  # fmt: skip
    made["account_holder_type"] = given.get("account_holder_type") or "company"
    account.add("bank_account", made)
    events.emit(account, "account.external_account.created", made)
    if account.platform is not None:
        onboarding.refresh(account)
    return made


def _add_debit_card(account: Account, card: Object) -> Object:
    card.update(
        account=account.profile["id"],
        currency=account.profile["default_currency"],
        available_payout_methods=["standard", "instant"],
        default_for_currency=False,
    )
    account.add("card", card)
    events.emit(account, "account.external_account.created", card)
    return card


def list_banks(account: Account, params: dict[str, Any], identifier: str) -> Page:
    """GET /v1/accounts/{account}/external_accounts, newest first."""
    account = member(account, identifier)
    kinds = (params["object"],) if params.get("object") else ("bank_account", "card")
    found = own_banks(account, kinds)
    return of_objects(found[::-1], params, f"/v1/accounts/{identifier}/external_accounts")


def _find(account: Account, identifier: str) -> Object:
    found = account.get("bank_account", identifier) or account.get("card", identifier)
    if found is None or found.get("customer"):
        raise missing("external account", identifier, "id")
    return found


def retrieve(account: Account, params: dict[str, Any], owner: str, identifier: str) -> Object:
    """GET /v1/accounts/{account}/external_accounts/{id}."""
    return _find(member(account, owner), identifier)


def update(account: Account, params: dict[str, Any], owner: str, identifier: str) -> Object:
    """POST /v1/accounts/{account}/external_accounts/{id}: who holds it, a card's expiry and address,
    metadata; make it the default."""
    account = member(account, owner)
    found = _find(account, identifier)
    kind, before = found["object"], events.snapshot(found)
    for name in params:
        if name not in {*_CHANGEABLE[kind], "metadata", "default_for_currency", "expand"}:
            raise invalid(f"{name} can't be changed on a {kind.replace('_', ' ')}.", param=name)
    take(found, params, ("metadata", *_CHANGEABLE[kind]))
    found.update(checked_expiry(params, account.now))
    account.save(kind, found)
    if params.get("default_for_currency"):
        _only_default(account, found)
    events.emit(account, "account.external_account.updated", found, before)
    return found


def _only_default(account: Account, bank: Object) -> None:
    for each in own_banks(account):
        chosen = each["id"] == bank["id"]
        if each["currency"] == bank["currency"] and each["default_for_currency"] != chosen:
            found = account.find(each["object"], each["id"], "id")
            found["default_for_currency"] = chosen
            account.save(each["object"], found)


def delete(account: Account, params: dict[str, Any], owner: str, identifier: str) -> Object:
    """DELETE /v1/accounts/{account}/external_accounts/{id}."""
    account = member(account, owner)
    found = _find(account, identifier)
    others = [
        each
        for each in own_banks(account)
        if each["currency"] == found["currency"] and each["id"] != identifier
    ]
    if found["default_for_currency"] and others:
        raise invalid(
            "You cannot delete the default external account of a currency: make another one the default"
            " (default_for_currency) first."
        )
    gone = account.remove(found["object"], identifier)
    events.emit(account, "account.external_account.deleted", found)
    if account.platform is not None:
        onboarding.refresh(account)
    return {**gone, "currency": found["currency"]} if found["object"] == "bank_account" else gone


_CHANGEABLE = {
    "bank_account": ("account_holder_name", "account_holder_type", "account_type"),
    "card": (
        "address_city", "address_country", "address_line1", "address_line2", "address_state", "address_zip",
        "exp_month", "exp_year", "name",
    ),
}  # fmt: skip
ROUTES: dict[str, Handler] = {
    "GET /v1/accounts/{account}/external_accounts": list_banks,
    "POST /v1/accounts/{account}/external_accounts": add_bank,
    "GET /v1/accounts/{account}/external_accounts/{id}": retrieve,
    "POST /v1/accounts/{account}/external_accounts/{id}": update,
    "DELETE /v1/accounts/{account}/external_accounts/{id}": delete,
}
