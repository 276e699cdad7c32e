"""What is sold: products and their prices."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid, invalid_before_execution, missing_param
from stripe_magics.sandbox.api.pagination import Page, page
from stripe_magics.sandbox.api.search import search
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.checks import checked_currency
from stripe_magics.sandbox.core.metadata import merged_metadata, take
from stripe_magics.sandbox.core.store import Account, Object


def create_product(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/products."""
    if params.get("default_price_data"):
        checked_currency(params["default_price_data"]["currency"])
    identifier = params.get("id") or account.new_id("prod", 14)
    if account.peek("product", identifier):
        raise invalid(f"Product already exists: {identifier}", param="id", code="resource_already_exists")
    product = {
        "id": identifier,
        "object": "product",
        "active": params.get("active", True),
        "attributes": [],
        "created": account.now,
        "default_price": None,
        "description": params.get("description"),
        "images": params.get("images") or [],
        "livemode": False,
        "marketing_features": params.get("features") or [],
        "metadata": merged_metadata({}, params.get("metadata")),
        "name": params["name"],
        "package_dimensions": params.get("package_dimensions"),
        "shippable": params.get("shippable"),
        "statement_descriptor": params.get("statement_descriptor"),
        "tax_code": params.get("tax_code"),
        "type": "service",
        "unit_label": params.get("unit_label"),
        "updated": account.now,
        "url": params.get("url"),
    }
    account.add("product", product)
    if params.get("default_price_data"):
        price = create_price(account, {**params["default_price_data"], "product": identifier})
        product["default_price"] = price["id"]
        account.save("product", product)
    events.emit(account, "product.created", product)
    return product


_PRODUCT = ("active", "default_price", "description", "images", "metadata", "name", "package_dimensions", "shippable", "statement_descriptor", "tax_code", "unit_label", "url")  # fmt: skip


def update_product(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/products/{id}."""
    product = retrieve_product(account, {}, identifier)
    if params.get("default_price"):
        account.find("price", params["default_price"], "default_price")
    before = events.snapshot(product)
    take(product, params, _PRODUCT)
    product["updated"] = account.now
    account.save("product", product)
    events.emit(account, "product.updated", product, before)
    return product


def retrieve_product(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/products/{id}."""
    return account.find("product", identifier, "id", status=404)


def delete_product(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """DELETE /v1/products/{id}: only without prices."""
    product = retrieve_product(account, {}, identifier)
    if account.where("price", product=identifier):
        raise invalid("This product cannot be deleted because it has one or more user-created prices.")
    gone = account.remove("product", identifier)
    events.emit(account, "product.deleted", product)
    return gone


def list_products(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/products."""
    requested = set(params.get("ids") or ())
    tests = [lambda row: row.id in requested] if requested else []
    return page(
        account, "product", params, "/v1/products", filters=("active", "shippable", "url"), tests=tests
    )


def search_products(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/products/search."""
    return search(account, "product", params, "/v1/products/search")


# prices


def decimal_amount(given: dict[str, Any]) -> tuple[int | None, str | None]:
    """(unit_amount, unit_amount_decimal) from whichever was given; the integer is None for a fraction."""
    if given.get("unit_amount") is not None:
        return given["unit_amount"], str(given["unit_amount"])
    text = given.get("unit_amount_decimal")
    if text is None:
        return None, None
    try:
        number = Decimal(text)
    except ArithmeticError as error:
        raise invalid_before_execution(f"Invalid decimal: {text}", param="unit_amount_decimal") from error
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or -exponent > 12:
        raise invalid_before_execution(
            "unit_amount_decimal takes at most 12 decimal places.", param="unit_amount_decimal"
        )
    return (int(number), text) if number == number.to_integral_value() else (None, text)


def times(decimal_text: str, quantity: int) -> int:
    """Unit amount x quantity, rounded to the minor unit."""
    return int((Decimal(decimal_text) * quantity).quantize(Decimal(1), ROUND_HALF_UP))


def create_price(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/prices."""
    currency = checked_currency(params["currency"])
    if params.get("product_data"):
        given = params["product_data"]
        product = create_product(
            account,
            {"name": given["name"], **{name: value for name, value in given.items() if name != "name"}},
        )
    elif params.get("product"):
        product = account.find("product", params["product"], "product")
    else:
        raise missing_param("product")
    priced = any(
        params.get(name) is not None for name in ("unit_amount", "unit_amount_decimal", "custom_unit_amount")
    )
    if params.get("billing_scheme", "per_unit") == "per_unit" and not priced:
        raise missing_param("unit_amount")
    price = build_price(account, {**params, "currency": currency}, product["id"])
    account.add("price", price)
    for name in ("tiers", "currency_options"):
        if params.get(name):
            account.notes.setdefault(price["id"], {})[name] = params[name]
    events.emit(account, "price.created", price)
    return price


def build_price(account: Account, given: dict[str, Any], product: str, *, active: bool = True) -> Object:
    """A price object; not stored."""
    unit, text = decimal_amount(given)
    recurring = given.get("recurring")
    return {
        "id": account.new_id("price"),
        "object": "price",
        "active": given.get("active", active),
        "billing_scheme": given.get("billing_scheme") or "per_unit",
        "created": account.now,
        "currency": given["currency"],
        "custom_unit_amount": given.get("custom_unit_amount"),
        "livemode": False,
        "lookup_key": given.get("lookup_key"),
        "metadata": merged_metadata({}, given.get("metadata")),
        "nickname": given.get("nickname"),
        "product": product,
        "recurring": None
        if recurring is None
        else {
            "aggregate_usage": recurring.get("aggregate_usage"),
            "interval": recurring["interval"],
            "interval_count": recurring.get("interval_count") or 1,
            "meter": None,
            "trial_period_days": None,
            "usage_type": recurring.get("usage_type") or "licensed",
        },
        "tax_behavior": given.get("tax_behavior") or "unspecified",
        "tiers_mode": given.get("tiers_mode"),
        "transform_quantity": given.get("transform_quantity"),
        "type": "one_time" if recurring is None else "recurring",
        "unit_amount": unit,
        "unit_amount_decimal": text,
    }


def update_price(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/prices/{price}."""
    price = retrieve_price(account, {}, identifier)
    before = events.snapshot(price)
    take(price, params, ("active", "lookup_key", "metadata", "nickname", "tax_behavior"))
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
    return page(
        account, "price", params, "/v1/prices", filters=("product", "active", "currency", "type"), tests=tests
    )


def search_prices(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/prices/search."""
    return search(account, "price", params, "/v1/prices/search")


ROUTES: dict[str, Handler] = {
    "GET /v1/products": list_products,
    "POST /v1/products": create_product,
    "GET /v1/products/search": search_products,
    "GET /v1/products/{id}": retrieve_product,
    "POST /v1/products/{id}": update_product,
    "DELETE /v1/products/{id}": delete_product,
    "GET /v1/prices": list_prices,
    "POST /v1/prices": create_price,
    "GET /v1/prices/search": search_prices,
    "GET /v1/prices/{price}": retrieve_price,
    "POST /v1/prices/{price}": update_price,
}
