"""Transfers and their reversals, as calls."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid, missing_param, too_low
from stripe_magics.sandbox.api.pagination import Page, of_objects, page
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.checks import checked_currency
from stripe_magics.sandbox.core.metadata import take
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.connect.parts import change_metadata, find_part
from stripe_magics.sandbox.resources.connect.transfer_objects import (
    destination,
    reverse,
    send,
    short_of_funds,
)


def _at_least_one(amount: int) -> None:
    if amount < 1:
        raise too_low(1, "amount")


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/transfers: out of what is available or, with source_transaction, out of one charge as soon as
    it is."""
    if account.platform is not None:
        raise invalid("Only a platform can make transfers: leave out Stripe-Account.")
    currency = checked_currency(params["currency"])
    to = destination(account, params["destination"], "destination")
    charge = _source(account, params, currency)
    amount = params.get("amount", charge["amount"] if charge else None)
    if amount is None:
        raise missing_param("amount")
    _at_least_one(amount)
    available_on, group = account.now, params.get("transfer_group")
    if charge is not None:
        left = charge["amount_captured"] - sum(
            each["amount"] - each["amount_reversed"]
            for each in (
                account.peek("transfer", one)
                for one in account.where("transfer", source_transaction=charge["id"])
            )
            if each is not None
        )
        if amount > left:
            raise invalid(
                f"Transfers using this charge as a source must not exceed what is left of it ({left}).",
                param="amount",
            )
        entry = account.find("balance_transaction", charge["balance_transaction"], "source_transaction")
        available_on = max(account.now, entry["available_on"])
        if charge["transfer_group"] is None:
            charge["transfer_group"] = f"group_{charge['payment_intent'] or charge['id']}"
            account.save("charge", charge)
        if group not in {None, charge["transfer_group"]}:
            raise invalid("transfer_group must be that of the source_transaction.", param="transfer_group")
        group = charge["transfer_group"]
    elif (params.get("source_type") or "card") != "card" or amount > account.ledger.available(currency):
        raise short_of_funds(account, currency)
    return send(
        account, to, amount, currency, available_on=available_on, source=charge["id"] if charge else None,
        group=group, description=params.get("description"), metadata=params.get("metadata"),
    )  # fmt: skip


def _source(account: Account, params: dict[str, Any], currency: str) -> Object | None:
    if not params.get("source_transaction"):
        return None
    charge = account.find("charge", params["source_transaction"], "source_transaction")
    if not charge["captured"] or charge["status"] != "succeeded":
        raise invalid(
            "source_transaction must be a charge that was paid and captured.", param="source_transaction"
        )
    if charge["currency"] != currency:
        raise invalid(
            f"The currency of the source_transaction is {charge['currency']}, not {currency}.",
            param="currency",
        )
    if params.get("source_type") not in {None, "card"}:
        raise invalid("source_type goes without source_transaction.", param="source_type")
    return charge


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/transfers/{transfer}."""
    return account.find("transfer", identifier, "transfer", status=404)


def update(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/transfers/{transfer}: description and metadata."""
    transfer = retrieve(account, {}, identifier)
    before = events.snapshot(transfer)
    take(transfer, params, ("description", "metadata"))
    account.save("transfer", transfer)
    events.emit(account, "transfer.updated", transfer, before)
    return transfer


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/transfers."""
    return page(account, "transfer", params, "/v1/transfers", filters=("destination", "transfer_group"))


def create_reversal(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/transfers/{id}/reversals."""
    transfer = retrieve(account, {}, identifier)
    left = transfer["amount"] - transfer["amount_reversed"]
    amount = params.get("amount", left)
    if left <= 0:
        raise invalid(f"Transfer {identifier} is already fully reversed.")
    _at_least_one(amount)
    if amount > left:
        raise invalid(
            f"Reversal amount ({amount}) is greater than what is left of the transfer ({left}).",
            param="amount",
        )
    return reverse(
        account, transfer, amount, refund_fee=bool(params.get("refund_application_fee")),
        description=params.get("description"),
        metadata=params.get("metadata"),
    )  # fmt: skip


def _reversal(account: Account, owner: str, identifier: str) -> Object:
    return find_part(account, "transfer_reversal", "transfer", owner, identifier)


def retrieve_reversal(account: Account, params: dict[str, Any], owner: str, identifier: str) -> Object:
    """GET /v1/transfers/{transfer}/reversals/{id}."""
    return _reversal(account, owner, identifier)


def update_reversal(account: Account, params: dict[str, Any], owner: str, identifier: str) -> Object:
    """POST /v1/transfers/{transfer}/reversals/{id}: metadata."""
    reversal, transfer = _reversal(account, owner, identifier), retrieve(account, {}, owner)
    if "metadata" in params:
        change_metadata(account, reversal, transfer, "reversals", params)
    return reversal


def list_reversals(account: Account, params: dict[str, Any], owner: str) -> Page:
    """GET /v1/transfers/{id}/reversals, newest first."""
    return of_objects(
        retrieve(account, {}, owner)["reversals"]["data"], params, f"/v1/transfers/{owner}/reversals"
    )


ROUTES: dict[str, Handler] = {
    "POST /v1/transfers": create,
    "GET /v1/transfers": listing,
    "GET /v1/transfers/{transfer}": retrieve,
    "POST /v1/transfers/{transfer}": update,
    "POST /v1/transfers/{id}/reversals": create_reversal,
    "GET /v1/transfers/{id}/reversals": list_reversals,
    "GET /v1/transfers/{transfer}/reversals/{id}": retrieve_reversal,
    "POST /v1/transfers/{transfer}/reversals/{id}": update_reversal,
}
