"""Credit grants: given to a customer, paid for or not, for what is metered; they take effect, expire, are
voided."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import inside, invalid, missing_param, too_low
from stripe_magics.sandbox.api.pagination import Page, page
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.checks import checked_currency
from stripe_magics.sandbox.core.metadata import merged_metadata
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.billing_credits import credit_balance
from stripe_magics.sandbox.resources.billing_credits.credit_balance import GRANT

MOST_UNUSED = 100
LOWEST_PRIORITY, USUAL_PRIORITY = 100, 50


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/billing/credit_grants."""
    if not params.get("customer"):
        raise missing_param("customer")
    customer = account.find("customer", params["customer"], "customer")["id"]
    money = params["amount"].get("monetary")
    if not money:
        raise missing_param("amount[monetary]")
    if money["value"] < 1:
        raise too_low(1, "amount[monetary][value]")
    begins = params.get("effective_at", account.now)
    _check_end(account, params.get("expires_at"), begins)
    priority = params.get("priority", USUAL_PRIORITY)
    if not 0 <= priority <= LOWEST_PRIORITY:
        raise invalid(f"priority lies between 0 and {LOWEST_PRIORITY}.", param="priority")
    if len(params.get("name") or "") > 100:
        raise invalid("name takes at most 100 characters.", param="name")
    unused = [each for each in credit_balance.grants_of(account, customer) if not _over(account, each)]
    if len(unused) >= MOST_UNUSED:
        raise invalid(f"A customer has at most {MOST_UNUSED} unused credit grants.", param="customer")
    with inside("amount[monetary]"):
        value = {"currency": checked_currency(money["currency"]), "value": money["value"]}
    grant: Object = {
        "id": account.new_id("credgr_test"),
        "object": GRANT,
        "amount": {"monetary": value, "type": "monetary"},
        "applicability_config": {"scope": _scope(account, params["applicability_config"]["scope"])},
        "category": params.get("category") or "paid",
        "created": account.now,
        "customer": customer,
        "effective_at": begins,
        "expires_at": params.get("expires_at"),
        "livemode": False,
        "metadata": merged_metadata({}, params.get("metadata")),
        "name": params.get("name"),
        "priority": priority,
        "test_clock": None,
        "updated": account.now,
        "voided_at": None,
    }
    account.add(GRANT, grant)
    events.emit(account, f"{GRANT}.created", grant)
    credit_balance.post(account, grant, value["value"], "credits_granted", None)
    _watch(account, grant)
    return grant


def _scope(account: Account, given: dict[str, Any]) -> Object:
    where = "applicability_config[scope]"
    if bool(given.get("price_type")) == bool(given.get("prices")):
        raise invalid("The scope takes one of price_type and prices.", param=where)
    if given.get("price_type"):
        return {"price_type": given["price_type"]}
    for place, each in enumerate(given["prices"]):
        price = account.find("price", each["id"], f"{where}[prices][{place}][id]")
        if not (price["recurring"] or {}).get("meter"):
            raise invalid(
                f"The price {price['id']} has no meter: credits pay for metered prices only.",
                param=f"{where}[prices][{place}][id]",
            )
    return {"prices": [{"id": each["id"]} for each in given["prices"]]}


def _check_end(account: Account, ends: int | None, begins: int) -> None:
    if ends is not None and ends <= max(account.now, begins):
        raise invalid("expires_at must lie in the future, and after effective_at.", param="expires_at")


def _over(account: Account, grant: Object) -> bool:
    ended = grant["voided_at"] or (grant["expires_at"] or account.now + 1) <= account.now
    return bool(ended) or credit_balance.left_of(account, grant) <= 0


def _watch(account: Account, grant: Object) -> None:
    if grant["expires_at"]:
        account.clock.at(grant["expires_at"], "credit_grant_expires", grant["id"])


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/billing/credit_grants/{id}."""
    return account.find(GRANT, identifier, "id", what="credit grant", status=404)


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/billing/credit_grants."""
    return page(account, GRANT, params, "/v1/billing/credit_grants", filters=("customer",))


def _alive(account: Account, identifier: str) -> Object:
    grant = retrieve(account, {}, identifier)
    if grant["voided_at"]:
        raise invalid("This credit grant is voided.")
    if (grant["expires_at"] or account.now + 1) <= account.now:
        raise invalid("This credit grant has expired.")
    return grant


def _changed(account: Account, grant: Object, before: Object) -> Object:
    grant["updated"] = account.now
    account.save(GRANT, grant)
    events.emit(account, f"{GRANT}.updated", grant, before)
    return grant


def update(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/billing/credit_grants/{id}: when it expires, and metadata."""
    grant = retrieve(account, {}, identifier) if set(params) <= {"metadata"} else _alive(account, identifier)
    before = events.snapshot(grant)
    if "expires_at" in params:
        _check_end(account, params["expires_at"], grant["effective_at"])
        grant["expires_at"] = params["expires_at"]
        _watch(account, grant)
    if "metadata" in params:
        grant["metadata"] = merged_metadata(grant["metadata"], params["metadata"])
    return _changed(account, grant, before)


def expire(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/billing/credit_grants/{id}/expire."""
    grant = _alive(account, identifier)
    before = events.snapshot(grant)
    grant["expires_at"] = account.now
    _take_rest(account, grant, "credits_expired")
    return _changed(account, grant, before)


def void(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/billing/credit_grants/{id}/void: only one that nothing was paid with."""
    grant = _alive(account, identifier)
    if any(each["debit"] for each in credit_balance.transactions_of(account, identifier)):
        raise invalid("A credit grant that was applied to an invoice can't be voided: expire it instead.")
    before = events.snapshot(grant)
    grant["voided_at"] = account.now
    _take_rest(account, grant, "credits_voided")
    return _changed(account, grant, before)


def _take_rest(account: Account, grant: Object, reason: str) -> None:
    left = credit_balance.left_of(account, grant)
    if left > 0:
        credit_balance.post(account, grant, -left, reason, None)


def expire_when_due(account: Account, grant: Object) -> None:
    """The end of a grant has come."""
    if not grant["voided_at"] and grant["expires_at"] and grant["expires_at"] <= account.now:
        _take_rest(account, grant, "credits_expired")


ROUTES: dict[str, Handler] = {
    "GET /v1/billing/credit_grants": listing,
    "POST /v1/billing/credit_grants": create,
    "GET /v1/billing/credit_grants/{id}": retrieve,
    "POST /v1/billing/credit_grants/{id}": update,
    "POST /v1/billing/credit_grants/{id}/expire": expire,
    "POST /v1/billing/credit_grants/{id}/void": void,
}
