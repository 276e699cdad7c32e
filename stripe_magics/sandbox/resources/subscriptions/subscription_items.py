"""The items of a subscription by themselves: each change is an update of the subscription. And what is used
of metered ones."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import ApiError, invalid
from stripe_magics.sandbox.api.pagination import Page, of_objects, page
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.price_objects import not_below
from stripe_magics.sandbox.resources.subscriptions.items import metered
from stripe_magics.sandbox.resources.subscriptions.updates import update as update_subscription
from stripe_magics.sandbox.resources.subscriptions.usage import note_used, used

_OF_ITEM = (
    "billing_thresholds",
    "discounts",
    "metadata",
    "plan",
    "price",
    "price_data",
    "quantity",
    "tax_rates",
    "trial",
)
_OF_SUBSCRIPTION = ("payment_behavior", "proration_behavior", "proration_date", "off_session")


def _parts(params: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    return (
        {name: params[name] for name in _OF_ITEM if name in params},
        {name: params[name] for name in _OF_SUBSCRIPTION if name in params},
    )


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/subscription_items."""
    subscription = account.find("subscription", params["subscription"], "subscription")
    known = {item["id"] for item in subscription["items"]["data"]}
    item, whole = _parts(params)
    subscription = _named(account, {**whole, "items": [item]}, params["subscription"])
    made = next(each for each in subscription["items"]["data"] if each["id"] not in known)
    return account.find("subscription_item", made["id"], "item")


def _named(account: Account, params: dict[str, Any], subscription: str) -> Object:
    """An update of the subscription, whose refusals name the item's own parameters."""
    try:
        return update_subscription(account, params, subscription)
    except ApiError as refusal:
        if refusal.param.startswith("items[0][") and refusal.param.endswith("]"):
            inner, _, rest = refusal.param.removeprefix("items[0][").partition("]")
            refusal.param = inner + rest
        raise


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/subscription_items/{item}."""
    return account.find("subscription_item", identifier, "item", what="subscription_item", status=404)


def update(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/subscription_items/{item}."""
    item = retrieve(account, {}, identifier)
    change, whole = _parts(params)
    _named(account, {**whole, "items": [{"id": identifier, **change}]}, item["subscription"])
    return retrieve(account, {}, identifier)


def delete(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """DELETE /v1/subscription_items/{item}."""
    item = retrieve(account, {}, identifier)
    _, whole = _parts(params)
    gone: dict[str, Any] = {"id": identifier, "deleted": True}
    if params.get("clear_usage") is not None:
        gone["clear_usage"] = params["clear_usage"]
    _named(account, {**whole, "items": [gone]}, item["subscription"])
    if params.get("clear_usage"):
        account.private_state.pop(identifier, None)
    return {"id": identifier, "object": "subscription_item", "deleted": True}


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/subscription_items."""
    return page(account, "subscription_item", params, "/v1/subscription_items", filters=("subscription",))


def record_usage(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/subscription_items/{subscription_item}/usage_records: what was used, for prices without a
    meter."""
    item = retrieve(account, {}, identifier)
    if not metered(item["price"]) or item["price"]["recurring"]["meter"]:
        raise invalid(
            "Usage records are for items whose price has usage_type=metered and no meter.",
            param="subscription_item",
        )
    if params["quantity"] < 0:
        raise not_below(0, "quantity")
    given = params.get("timestamp")
    moment = account.now if given in {None, "now"} else given
    subscription = account.peek("subscription", item["subscription"]) or {}
    if moment > account.now or moment < subscription["current_period_start"]:
        raise invalid(
            "Cannot create the usage record with this timestamp because it lies outside of the current"
            " period.",
            param="timestamp",
        )
    records = account.private_state.setdefault(identifier, {}).setdefault("usage", [])
    record = {"id": account.new_id("mbur"), "timestamp": moment, "quantity": params["quantity"]}
    same = [each for each in records if each["timestamp"] == moment]
    if same and params.get("action", "increment") == "set":
        same[0]["quantity"] = params["quantity"]
        record["id"] = same[0]["id"]
    elif same:
        same[0]["quantity"] += params["quantity"]
        record.update(id=same[0]["id"], quantity=same[0]["quantity"])
    else:
        records.append(record)
        records.sort(key=lambda each: each["timestamp"])
    note_used(account, subscription["customer"])
    return {
        "id": record["id"], "object": "usage_record", "livemode": False, "quantity": record["quantity"],
        "subscription_item": identifier, "timestamp": moment,
    }  # fmt: skip


def usage_summaries(account: Account, params: dict[str, Any], identifier: str) -> Page:
    """GET /v1/subscription_items/{subscription_item}/usage_record_summaries: the period at hand."""
    item = retrieve(account, {}, identifier)
    subscription = account.find("subscription", item["subscription"], "subscription")
    start, end = subscription["current_period_start"], subscription["current_period_end"]
    summary = {
        "id": f"sis_{account.letters(f'{identifier}{start}', 24)}",
        "object": "usage_record_summary",
        "invoice": None,
        "livemode": False,
        "period": {"end": end, "start": start},
        "subscription_item": identifier,
        "total_usage": used(account, subscription, item, start, end),
    }
    return of_objects([summary], params, f"/v1/subscription_items/{identifier}/usage_record_summaries")


ROUTES: dict[str, Handler] = {
    "GET /v1/subscription_items": listing,
    "POST /v1/subscription_items": create,
    "GET /v1/subscription_items/{item}": retrieve,
    "POST /v1/subscription_items/{item}": update,
    "DELETE /v1/subscription_items/{item}": delete,
    "POST /v1/subscription_items/{subscription_item}/usage_records": record_usage,
    "GET /v1/subscription_items/{subscription_item}/usage_record_summaries": usage_summaries,
}
