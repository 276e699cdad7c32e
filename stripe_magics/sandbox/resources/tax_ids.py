"""Tax ids by their own paths: those of the account itself, and of customers."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid, missing_param
from stripe_magics.sandbox.api.pagination import Page, page
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.customer_subresources import add_tax_id, checked_tax_id

SELF = {"type": "self"}


def _owner(account: Account, given: dict[str, Any] | None) -> str | None:
    """The customer who owns it; None for the account itself."""
    owner = given or SELF
    if owner["type"] == "self":
        return None
    if owner["type"] != "customer":
        raise invalid(
            f"The sandbox doesn't simulate tax ids of owner[type]={owner['type']}.", param="owner[type]"
        )
    if not owner.get("customer"):
        raise missing_param("owner[customer]")
    return str(account.find("customer", owner["customer"], "owner[customer]")["id"])


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/tax_ids."""
    owner = _owner(account, params.get("owner"))
    checked_tax_id(params["type"], params["value"], "value")
    return add_tax_id(account, owner, params)


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/tax_ids: the account's own unless an owner is named."""
    owner = _owner(account, params.get("owner"))
    return page(account, "tax_id", params, "/v1/tax_ids", tests=[lambda row: row.value["customer"] == owner])


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/tax_ids/{id}."""
    return account.find("tax_id", identifier, "id", what="tax ID", status=404)


def delete(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """DELETE /v1/tax_ids/{id}."""
    found = retrieve(account, {}, identifier)
    gone = account.remove("tax_id", identifier)
    if found["customer"]:
        events.emit(account, "customer.tax_id.deleted", found)
    return gone


ROUTES: dict[str, Handler] = {
    "GET /v1/tax_ids": listing,
    "POST /v1/tax_ids": create,
    "GET /v1/tax_ids/{id}": retrieve,
    "DELETE /v1/tax_ids/{id}": delete,
}
