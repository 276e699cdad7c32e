"""Prices: what a product costs, once or each period."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid, missing_param
from stripe_magics.sandbox.api.pagination import Page, page
from stripe_magics.sandbox.api.search import search
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.checks import checked_currency
from stripe_magics.sandbox.core.metadata import take
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.price_objects import (
    add_price,
    check_lookup_key,
    check_price,
    set_options,
    take_lookup_key,
)
from stripe_magics.sandbox.resources.products import create_product


def create_price(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/prices."""
    checked_currency(params["currency"])
    if params.get("product_data") and params.get("product"):
        raise invalid("You may only specify one of product and product_data.", param="product_data")
    if params.get("product"):
        product = account.find("product", params["product"], "product")
        check_price(account, params)
    elif params.get("product_data"):
        check_price(account, params)
        product = create_product(account, params["product_data"])
    else:
        raise missing_param("product")
    return add_price(account, params, product["id"])


def update_price(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/prices/{price}: amounts and intervals never change."""
    price = retrieve_price(account, {}, identifier)
    behavior = params.get("tax_behavior")
    if behavior and price["tax_behavior"] not in {"unspecified", behavior}:
        raise invalid(
            "tax_behavior can't be changed once it is inclusive or exclusive.", param="tax_behavior"
        )
    before = events.snapshot(price)
    if params.get("lookup_key"):
        if params.get("transfer_lookup_key"):
            take_lookup_key(account, params["lookup_key"], identifier)
        else:
            check_lookup_key(account, params["lookup_key"], identifier)
    take(price, params, ("active", "lookup_key", "metadata", "nickname", "tax_behavior"))
    if params.get("currency_options"):
        set_options(account, price, params["currency_options"])
    account.save("price", price)
    events.emit(account, "price.updated", price, before)
    return price


def retrieve_price(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/prices/{price}."""
    return account.find("price", identifier, "price", status=404)


def list_prices(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/prices."""
    keys = set(params.get("lookup_keys") or ())
    tests = [lambda row: row.keys[4] in keys] if keys else []
    filters = params.get("recurring") or {}
    if filters:
        tests.append(
            lambda row: all(
                (row.value["recurring"] or {}).get(name) == value for name, value in filters.items()
            )
        )
    return page(
        account, "price", params, "/v1/prices", filters=("product", "active", "currency", "type"), tests=tests
    )


def search_prices(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/prices/search."""
    return search(account, "price", params, "/v1/prices/search")


ROUTES: dict[str, Handler] = {
    "GET /v1/prices": list_prices,
    "POST /v1/prices": create_price,
    "GET /v1/prices/search": search_prices,
    "GET /v1/prices/{price}": retrieve_price,
    "POST /v1/prices/{price}": update_price,
}
