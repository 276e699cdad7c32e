"""Plans: recurring prices as the older API has them. A plan and its price are one object, under one id."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid, missing, missing_param
from stripe_magics.sandbox.api.pagination import Page, page
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.metadata import take
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.price_objects import add_price, check_price, plan_of
from stripe_magics.sandbox.resources.products import create_product


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/plans."""
    identifier = params.get("id") or ""
    if identifier and account.peek("price", identifier):
        raise invalid(f"Plan already exists: {identifier}", param="id", code="resource_already_exists")
    if not params.get("product"):
        raise missing_param("product")
    data = {
        name: params[name]
        for name in ("active", "billing_scheme", "currency", "metadata", "nickname", "tiers", "tiers_mode")
        if params.get(name) is not None
    }
    for name, plain in (("amount", "unit_amount"), ("amount_decimal", "unit_amount_decimal")):
        if params.get(name) is not None:
            data[plain] = params[name]
    data["recurring"] = {
        name: params[name]
        for name in (
            "aggregate_usage",
            "interval",
            "interval_count",
            "meter",
            "trial_period_days",
            "usage_type",
        )
        if params.get(name) is not None
    }
    if params.get("transform_usage"):
        data["transform_quantity"] = params["transform_usage"]
    if data.get("billing_scheme") != "tiered" and not {"unit_amount", "unit_amount_decimal"} & set(data):
        raise missing_param("amount")
    check_price(account, data)
    product = params["product"]
    if isinstance(product, dict):
        product = create_product(account, product)["id"]
    else:
        account.find("product", product, "product")
    price = add_price(account, data, product, identifier=identifier)
    plan = _shown(price)
    events.emit(account, "plan.created", plan)
    return plan


def _shown(price: Object) -> Object:
    plan = plan_of(price)
    if plan is None:
        raise missing("plan", price["id"], "plan")
    return plan


def _price(account: Account, identifier: str) -> Object:
    price = account.get("price", identifier)
    if price is None or price["recurring"] is None:
        raise missing("plan", identifier, "plan")
    return price


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/plans/{plan}."""
    return _shown(_price(account, identifier))


def update(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/plans/{plan}."""
    price = _price(account, identifier)
    before = events.snapshot(_shown(price))
    take(price, params, ("active", "metadata", "nickname"))
    if params.get("product"):
        price["product"] = account.find("product", params["product"], "product")["id"]
    if params.get("trial_period_days") is not None:
        price["recurring"] = {**price["recurring"], "trial_period_days": params["trial_period_days"]}
    account.save("price", price)
    plan = _shown(price)
    events.emit(account, "plan.updated", plan, before)
    return plan


def delete(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """DELETE /v1/plans/{plan}: subscriptions go on with it."""
    plan = _shown(_price(account, identifier))
    account.remove("price", identifier)
    events.emit(account, "plan.deleted", plan)
    return {"id": identifier, "object": "plan", "deleted": True}


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/plans."""
    found = page(
        account, "price", {**params, "type": "recurring"}, "/v1/plans", filters=("active", "product", "type")
    )
    rows = [_shown(each if isinstance(each, dict) else each.value) for each in found.rows]
    return Page(rows, "/v1/plans", has_more=found.has_more)


ROUTES: dict[str, Handler] = {
    "GET /v1/plans": listing,
    "POST /v1/plans": create,
    "GET /v1/plans/{plan}": retrieve,
    "POST /v1/plans/{plan}": update,
    "DELETE /v1/plans/{plan}": delete,
}
