"""What a customer paid with before payment methods: cards, bank accounts and sources, as `/sources` and
`/cards` have them."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import declined, invalid, invalid_before_execution, missing
from stripe_magics.sandbox.api.pagination import Page, of_objects
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.checks import checked_expiry
from stripe_magics.sandbox.core.metadata import merged_metadata, take
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources import sources
from stripe_magics.sandbox.resources.account_objects import new_bank
from stripe_magics.sandbox.resources.customer_changes import changing
from stripe_magics.sandbox.resources.customer_subresources import new_card, source_card
from stripe_magics.sandbox.resources.payment_methods.card_tokens import spend
from stripe_magics.sandbox.resources.payment_methods.test_cards import BY_NUMBER

KINDS = ("card", "bank_account", "source")
VERIFIED = "btok_us_verified"
MICRODEPOSITS = [32, 45]
"""The two small amounts that verify a test bank account."""


def create(account: Account, params: dict[str, Any], customer: str) -> Object:
    """POST /v1/customers/{customer}/sources: a token, a source, or a test card's number."""
    owner = account.find("customer", customer, "customer", status=404)
    given = params.get("source") or params.get("card")
    if not given:
        raise invalid_before_execution(
            "Missing required param: source.", param="source", code="parameter_missing"
        )
    made = _made(account, given, customer)
    if "metadata" in params:
        made["metadata"] = merged_metadata(made["metadata"], params["metadata"])
    if made["object"] == "source":
        account.save("source", made)
    else:
        account.add(made["object"], made)
    if owner["default_source"] is None:
        with changing(account, owner):
            owner["default_source"] = made["id"]
    events.emit(account, "customer.source.created", made)
    return made


def _made(account: Account, given: Any, customer: str) -> Object:
    if isinstance(given, dict):
        card = BY_NUMBER.get(given.get("number", ""))
        if card is None:
            raise declined("Your card number is incorrect.", code="incorrect_number", param="number")
        return new_card(account, card, customer)
    if given.startswith("src_"):
        return sources.attach(account, account.find("source", given, "source"), customer)
    if given.startswith("btok_"):
        return _bank(account, given, customer)
    return source_card(account, given, customer)


def _bank(account: Account, token: str, customer: str) -> Object:
    if token == VERIFIED:
        number, held = "000123456789", {}
    else:
        number, held = (
            account.private_state.get(token, {}).get("number", ""),
            spend(account, token, "bank_account", "source")["bank_account"],
        )
    bank = new_bank(
        account, currency=held.get("currency", "usd"), country=held.get("country", "US"), number=number,
        routing=held.get("routing_number", "110000000"), default=False,
        holder=held.get("account_holder_name"),
    )  # fmt: skip
    status = "verified" if not held else "new"
    bank.update(
        customer=customer, account=None, status=status, account_holder_type=held.get("account_holder_type")
    )
    return bank


def listing(account: Account, params: dict[str, Any], customer: str) -> Page:
    """GET /v1/customers/{customer}/sources, newest first."""
    account.find("customer", customer, "customer", status=404)
    if params.get("object") and params["object"] not in KINDS:
        raise invalid_before_execution(f"Invalid object: must be one of {', '.join(KINDS)}.", param="object")
    kinds = [params["object"]] if params.get("object") else KINDS
    rows = [
        account.table(kind).by_id[each] for kind in kinds for each in account.where(kind, customer=customer)
    ]
    found = [row.value for row in sorted(rows, key=lambda row: row.order(), reverse=True)]
    return of_objects(found, params, f"/v1/customers/{customer}/sources")


def retrieve(account: Account, params: dict[str, Any], customer: str, identifier: str) -> Object:
    """GET /v1/customers/{customer}/sources/{id}."""
    for kind in KINDS:
        found = account.get(kind, identifier)
        if found is not None and found.get("customer") == customer:
            return found
    raise missing("source", identifier, "id")


def update(account: Account, params: dict[str, Any], customer: str, identifier: str) -> Object:
    """POST /v1/customers/{customer}/sources/{id}: a card's expiry and address, who holds a bank account,
    metadata."""
    found = retrieve(account, {}, customer, identifier)
    kind, before = found["object"], events.snapshot(found)
    if kind == "source":
        return sources.update(
            account,
            {name: value for name, value in params.items() if name in {"metadata", "owner"}},
            identifier,
        )
    for name in params:
        if name not in {*_CHANGEABLE[kind], "metadata", "expand"}:
            raise invalid(f"{name} can't be changed on a {kind.replace('_', ' ')}.", param=name)
    take(found, params, ("metadata", *_CHANGEABLE[kind]))
    found.update(checked_expiry(params, account.now))
    account.save(kind, found)
    events.emit(account, "customer.source.updated", found, before)
    return found


def verify(account: Account, params: dict[str, Any], customer: str, identifier: str) -> Object:
    """POST /v1/customers/{customer}/sources/{id}/verify: the two small amounts of a bank account; in test
    mode 32 and 45."""
    found = retrieve(account, {}, customer, identifier)
    if found["object"] != "bank_account":
        raise invalid("Only bank accounts are verified by amounts.", param="id")
    if found["status"] == "verified":
        raise invalid("This bank account has already been verified.", code="bank_account_verified")
    if sorted(params.get("amounts") or []) != MICRODEPOSITS:
        found["status"] = "verification_failed"
        account.save("bank_account", found)
        raise declined(
            "The amounts provided do not match the amounts that were sent to the bank account.",
            code="incorrect_amounts",
            param="amounts",
        )
    before = events.snapshot(found)
    found["status"] = "verified"
    account.save("bank_account", found)
    events.emit(account, "customer.source.updated", found, before)
    return found


def delete(account: Account, params: dict[str, Any], customer: str, identifier: str) -> Object:
    """DELETE /v1/customers/{customer}/sources/{id}."""
    found = retrieve(account, params, customer, identifier)
    owner = account.find("customer", customer, "customer", status=404)
    if owner["default_source"] == identifier:
        with changing(account, owner):
            owner["default_source"] = None
    gone = (
        sources.detach(account, found)
        if found["object"] == "source"
        else account.remove(found["object"], identifier)
    )
    events.emit(account, "customer.source.deleted", found)
    return gone


_CHANGEABLE = {
    "bank_account": ("account_holder_name", "account_holder_type"),
    "card": (
        "address_city", "address_country", "address_line1", "address_line2", "address_state", "address_zip",
        "exp_month", "exp_year", "name",
    ),
}  # fmt: skip
ROUTES: dict[str, Handler] = {
    "GET /v1/customers/{customer}/sources": listing,
    "POST /v1/customers/{customer}/sources": create,
    "GET /v1/customers/{customer}/sources/{id}": retrieve,
    "POST /v1/customers/{customer}/sources/{id}": update,
    "POST /v1/customers/{customer}/sources/{id}/verify": verify,
    "DELETE /v1/customers/{customer}/sources/{id}": delete,
}
