"""What hangs on a customer: tax ids, older cards (`source`), the invoice credit balance, a standing
discount."""

from __future__ import annotations

import re
from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import declined, invalid, missing
from stripe_magics.sandbox.api.pagination import Page, page
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.checks import checked_currency
from stripe_magics.sandbox.core.clock import MINUTE
from stripe_magics.sandbox.core.metadata import merged_metadata, take
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.customer_changes import changing
from stripe_magics.sandbox.resources.payment_methods.card_tokens import spend_card
from stripe_magics.sandbox.resources.payment_methods.test_cards import OUTCOMES, Card

_TAX_IDS = {
    "eu_vat": r"[A-Z]{2}[A-Z0-9]{8,12}", "gb_vat": r"GB(\d{9}|\d{12})", "us_ein": r"\d{2}-?\d{7}",
    "ch_vat": r"CHE.*", "au_abn": r"\d{11}",
    "de_stn": r"\d{10,11}", "ca_bn": r"\d{9}", "in_gst": r"[0-9A-Z]{15}", "no_vat": r"\d{9}MVA",
}  # fmt: skip


TEST_NUMBERS = {"000000000": "verified", "111111111": "unverified", "222222222": "pending"}
"""Numbers that stand for what a verification finds, with or without a country before them. Every other number
stays pending."""
VERIFIED = {"eu_vat", "au_abn"}
"""Kinds of numbers that are verified."""


def credit(
    account: Account,
    customer: Object,
    amount: int,
    kind: str,
    *,
    invoice: str | None = None,
    description: str | None = None,
) -> Object:
    """Move the invoice credit balance (negative is credit) and note it. The caller saves the customer."""
    customer["balance"] += amount
    entry = {
        "id": account.new_id("cbtxn"),
        "object": "customer_balance_transaction",
        "amount": amount,
        "created": account.now,
        "credit_note": None,
        "currency": customer["currency"] or account.profile["default_currency"],
        "customer": customer["id"],
        "description": description,
        "ending_balance": customer["balance"],
        "invoice": invoice,
        "livemode": False,
        "metadata": {},
        "type": kind,
    }
    return account.add("customer_balance_transaction", entry)


def checked_tax_id(kind: str, value: str, param: str) -> None:
    """A number in the form of its kind, where the sandbox knows the form."""
    form = _TAX_IDS.get(kind)
    if kind in VERIFIED and value in TEST_NUMBERS:
        return
    if form and not re.fullmatch(form, value.replace(" ", "")):
        raise invalid(f"Invalid value for {kind}.", param=param, code="tax_id_invalid")


def add_tax_id(account: Account, owner: str | None, given: dict[str, Any]) -> Object:
    """A tax id of a customer, or of the account itself (None), stored."""
    kind = given["type"]
    value = given["value"]
    prefix = value[:2] if value[:2].isalpha() else None
    country = prefix if kind == "eu_vat" else None if kind.startswith("eu_") else kind[:2].upper()
    found = account.add(
        "tax_id",
        {
            "id": account.new_id("txi"),
            "object": "tax_id",
            "country": country,
            "created": account.now,
            "customer": owner,
            "livemode": False,
            "owner": {"customer": owner, "type": "customer"} if owner else {"type": "self"},
            "type": kind,
            "value": given["value"],
            "verification": {"status": "pending", "verified_address": None, "verified_name": None},
        },
    )
    if owner:
        events.emit(account, "customer.tax_id.created", found)
    outcome = TEST_NUMBERS.get(value.removeprefix(prefix or ""), "pending") if kind in VERIFIED else "pending"
    if outcome != "pending":
        account.clock.at(account.now + MINUTE, "tax_id_verified", found["id"])
    return found


def tax_id_verified(account: Account, tax_id: Object) -> None:
    """The answer to a test number has come: its name and address are the customer's, if it is theirs."""
    if tax_id["verification"]["status"] != "pending":
        return
    before = events.snapshot(tax_id)
    status = TEST_NUMBERS[tax_id["value"][-9:]]
    customer = account.peek("customer", tax_id["customer"] or "") or {}
    place = customer.get("address") or {}
    shown = ", ".join(place[part] for part in ("line1", "postal_code", "city", "country") if place.get(part))
    known = status == "verified"
    tax_id["verification"] = {
        "status": status,
        "verified_address": (shown or None) if known else None,
        "verified_name": customer.get("name") if known else None,
    }
    account.save("tax_id", tax_id)
    if tax_id["customer"]:
        events.emit(account, "customer.tax_id.updated", tax_id, before)


def source_card(account: Account, token: str, customer: str) -> Object:
    """The card of a token as a customer's; not stored yet."""
    card, more = spend_card(account, token, "source")
    outcome = OUTCOMES[card.outcome]
    if not outcome.attaches:
        raise declined(
            outcome.message, code=outcome.code, decline_code=outcome.decline_code, param=outcome.param
        )
    return {**new_card(account, card, customer), **more}


def new_card(account: Account, card: Card, customer: str | None) -> Object:
    """A card object of the older kind; not stored yet."""
    identifier = account.new_id("card")
    account.private_state[identifier] = {"number": card.number, "outcome": card.outcome}
    return {
        "id": identifier,
        "object": "card",
        "address_city": None,
        "address_country": None,
        "address_line1": None,
        "address_line1_check": None,
        "address_line2": None,
        "address_state": None,
        "address_zip": None,
        "address_zip_check": None,
        "brand": (
            {"visa": "Visa", "mastercard": "MasterCard", "amex": "American Express"}.get(
                card.brand, card.brand.title()
            )
        ),
        "country": card.country,
        "customer": customer,
        "cvc_check": "pass",
        "dynamic_last4": None,
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": account.letters(f"fingerprint{card.number}", 16),
        "funding": card.funding,
        "last4": card.number[-4:],
        "metadata": {},
        "name": None,
        "regulated_status": "unregulated",
        "tokenization_method": None,
    }


def create_tax_id(account: Account, params: dict[str, Any], customer: str) -> Object:
    """POST /v1/customers/{customer}/tax_ids."""
    owner = account.find("customer", customer, "customer", status=404)
    checked_tax_id(params["type"], params["value"], "value")
    return add_tax_id(account, owner["id"], params)


def list_tax_ids(account: Account, params: dict[str, Any], customer: str) -> Page:
    """GET /v1/customers/{customer}/tax_ids."""
    account.find("customer", customer, "customer", status=404)
    return page(
        account,
        "tax_id",
        {**params, "customer": customer},
        f"/v1/customers/{customer}/tax_ids",
        filters=("customer",),
    )


def retrieve_tax_id(account: Account, params: dict[str, Any], customer: str, identifier: str) -> Object:
    """GET /v1/customers/{customer}/tax_ids/{id}."""
    found = account.get("tax_id", identifier)
    if found is None or found["customer"] != customer:
        raise missing("tax ID", identifier, "id")
    return found


def delete_tax_id(account: Account, params: dict[str, Any], customer: str, identifier: str) -> Object:
    """DELETE /v1/customers/{customer}/tax_ids/{id}."""
    found = retrieve_tax_id(account, params, customer, identifier)
    gone = account.remove("tax_id", identifier)
    events.emit(account, "customer.tax_id.deleted", found)
    return gone


def create_credit(account: Account, params: dict[str, Any], customer: str) -> Object:
    """POST /v1/customers/{customer}/balance_transactions."""
    owner = account.find("customer", customer, "customer", status=404)
    currency = checked_currency(params["currency"])
    if owner["currency"] not in {None, currency}:
        raise invalid(f"The customer's currency is {owner['currency']}.", param="currency")
    owner["currency"] = currency
    entry = credit(account, owner, params["amount"], "adjustment", description=params.get("description"))
    entry["metadata"] = merged_metadata({}, params.get("metadata") or {})
    account.save("customer_balance_transaction", entry)
    account.save("customer", owner)
    return entry


def list_credits(account: Account, params: dict[str, Any], customer: str) -> Page:
    """GET /v1/customers/{customer}/balance_transactions."""
    account.find("customer", customer, "customer", status=404)
    url = f"/v1/customers/{customer}/balance_transactions"
    return page(
        account, "customer_balance_transaction", {**params, "customer": customer}, url, filters=("customer",)
    )


def retrieve_credit(account: Account, params: dict[str, Any], customer: str, identifier: str) -> Object:
    """GET /v1/customers/{customer}/balance_transactions/{transaction}."""
    return account.find("customer_balance_transaction", identifier, "transaction", status=404)


def update_credit(account: Account, params: dict[str, Any], customer: str, identifier: str) -> Object:
    """POST /v1/customers/{customer}/balance_transactions/{transaction}: description and metadata."""
    entry = retrieve_credit(account, {}, customer, identifier)
    take(entry, params, ("description", "metadata"))
    return account.save("customer_balance_transaction", entry)


def retrieve_discount(account: Account, params: dict[str, Any], customer: str) -> Object:
    """GET /v1/customers/{customer}/discount."""
    found: Object | None = account.find("customer", customer, "customer", status=404)["discount"]
    if found is None:
        raise invalid(f"No active discount for customer: {customer}", status=404, code="resource_missing")
    return found


def delete_discount(account: Account, params: dict[str, Any], customer: str) -> Object:
    """DELETE /v1/customers/{customer}/discount."""
    found = retrieve_discount(account, params, customer)
    owner = account.find("customer", customer, "customer", status=404)
    with changing(account, owner):
        owner["discount"] = None
    events.emit(account, "customer.discount.deleted", found)
    return {**found, "deleted": True}


ROUTES: dict[str, Handler] = {
    "GET /v1/customers/{customer}/tax_ids": list_tax_ids,
    "POST /v1/customers/{customer}/tax_ids": create_tax_id,
    "GET /v1/customers/{customer}/tax_ids/{id}": retrieve_tax_id,
    "DELETE /v1/customers/{customer}/tax_ids/{id}": delete_tax_id,
    "GET /v1/customers/{customer}/balance_transactions": list_credits,
    "POST /v1/customers/{customer}/balance_transactions": create_credit,
    "GET /v1/customers/{customer}/balance_transactions/{transaction}": retrieve_credit,
    "POST /v1/customers/{customer}/balance_transactions/{transaction}": update_credit,
    "GET /v1/customers/{customer}/discount": retrieve_discount,
    "DELETE /v1/customers/{customer}/discount": delete_discount,
}
