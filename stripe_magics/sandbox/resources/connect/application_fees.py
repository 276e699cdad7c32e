"""Application fees: what a platform keeps of a payment of a connected account, and gives back.

The connected account pays the fee within the entry of its payment; a fee that is given back is an entry of
its own on both sides.
"""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid, missing, too_low
from stripe_magics.sandbox.api.pagination import Page, equal, inline, of_objects, page
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.metadata import merged_metadata
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.connect.parts import change_metadata, find_part


def application(account: Account) -> str:
    """The id of the platform as an application."""
    return f"ca_{account.family.platform.letters('application', 24)}"


def collect(
    connected: Account, payment: Object, amount: int, *, available_on: int, origin: str | None
) -> Object:
    """The platform's side of a fee on a payment of a connected account; `origin` is the platform's charge, if
    it was one."""
    platform = connected.family.platform
    identifier = platform.new_id("fee")
    entry = platform.ledger.post(
        "application_fee", "platform_earning", currency=payment["currency"], amount=amount, source=identifier,
        available_on=available_on,
        description=f"Application fee from {connected.profile['id']}",
    )  # fmt: skip
    fee: Object = {
        "id": identifier, "object": "application_fee", "account": connected.profile["id"], "amount": amount,
        "amount_refunded": 0, "application": application(platform), "balance_transaction": entry["id"],
        "charge": payment["id"], "created": platform.now, "currency": payment["currency"],
        "fee_source": {"charge": payment["id"], "type": "charge"}, "livemode": False,
        "originating_transaction": origin, "refunded": False,
        "refunds": inline([], f"/v1/application_fees/{identifier}/refunds"),
    }  # fmt: skip
    platform.add("application_fee", fee)
    events.emit(platform, "application_fee.created", fee)
    return fee


def refund_application_fee(platform: Account, fee: Object, amount: int, metadata: Any = None) -> Object:
    """Part or all of a fee goes back to the connected account."""
    refund: Object = {
        "id": platform.new_id("fr"), "object": "fee_refund", "amount": amount, "balance_transaction": None,
        "created": platform.now,
        "currency": fee["currency"], "fee": fee["id"], "metadata": merged_metadata({}, metadata),
    }  # fmt: skip
    entry = platform.ledger.post(
        "application_fee_refund", "platform_earning_refund", currency=fee["currency"], amount=-amount,
        source=refund["id"],
        description=f"Refund of application fee {fee['id']}",
    )  # fmt: skip
    refund["balance_transaction"] = entry["id"]
    platform.add("fee_refund", refund)
    connected = platform.family.member(fee["account"])
    if connected is not None:
        connected.ledger.post(
            "adjustment",
            "fee",
            currency=fee["currency"],
            amount=amount,
            source=fee["charge"],
            description="Application fee refund",
        )
    before = events.snapshot(fee)
    fee["amount_refunded"] += amount
    fee["refunded"] = fee["amount_refunded"] >= fee["amount"]
    newest = [refund, *fee["refunds"]["data"]]
    fee["refunds"] = inline(newest, fee["refunds"]["url"])
    platform.save("application_fee", fee)
    events.emit(platform, "application_fee.refunded", fee, before)
    return refund


def share(fee: Object, part: int, whole: int) -> int:
    """What goes back of a fee when that part of its payment does: in proportion, and no more than is left."""
    return int(min(fee["amount"] - fee["amount_refunded"], (fee["amount"] * part * 2 + whole) // (2 * whole)))


# the API


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/application_fees/{id}."""
    return account.find("application_fee", identifier, "id", what="application fee", status=404)


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/application_fees: `charge` is one of a connected account, which paid the fee."""
    charge, tests = params.get("charge"), []
    if charge:
        if all(charge not in each.table("charge").by_id for each in account.family.accounts()):
            raise missing("charge", charge, "charge", status=400)
        tests.append(equal(0, charge))
    return page(account, "application_fee", params, "/v1/application_fees", tests=tests)


def create_refund(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/application_fees/{id}/refunds."""
    fee = retrieve(account, {}, identifier)
    left = fee["amount"] - fee["amount_refunded"]
    amount = params.get("amount", left)
    if left <= 0:
        raise invalid(
            f"Application fee {identifier} has already been refunded.",
            code="application_fee_already_refunded",
        )
    if amount < 1:
        raise too_low(1, "amount")
    if amount > left:
        raise invalid(
            f"Refund amount ({amount}) is greater than what is left of the fee ({left}).", param="amount"
        )
    return refund_application_fee(account, fee, amount, params.get("metadata"))


def _refund(account: Account, owner: str, identifier: str) -> Object:
    return find_part(account, "fee_refund", "fee", owner, identifier)


def retrieve_refund(account: Account, params: dict[str, Any], owner: str, identifier: str) -> Object:
    """GET /v1/application_fees/{fee}/refunds/{id}."""
    return _refund(account, owner, identifier)


def update_refund(account: Account, params: dict[str, Any], owner: str, identifier: str) -> Object:
    """POST /v1/application_fees/{fee}/refunds/{id}: metadata."""
    refund, fee = _refund(account, owner, identifier), retrieve(account, {}, owner)
    if "metadata" in params:
        before = events.snapshot(refund)
        change_metadata(account, refund, fee, "refunds", params)
        events.emit(account, "application_fee.refund.updated", refund, before)
    return refund


def list_refunds(account: Account, params: dict[str, Any], owner: str) -> Page:
    """GET /v1/application_fees/{id}/refunds, newest first."""
    return of_objects(
        retrieve(account, {}, owner)["refunds"]["data"], params, f"/v1/application_fees/{owner}/refunds"
    )


ROUTES: dict[str, Handler] = {
    "GET /v1/application_fees": listing,
    "GET /v1/application_fees/{id}": retrieve,
    "POST /v1/application_fees/{id}/refunds": create_refund,
    "GET /v1/application_fees/{id}/refunds": list_refunds,
    "GET /v1/application_fees/{fee}/refunds/{id}": retrieve_refund,
    "POST /v1/application_fees/{fee}/refunds/{id}": update_refund,
}
