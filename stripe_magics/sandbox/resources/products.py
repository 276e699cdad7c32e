"""What is sold: products."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid
from stripe_magics.sandbox.api.pagination import Page, Test, page
from stripe_magics.sandbox.api.search import search
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.metadata import merged_metadata, take
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.price_objects import add_price, check_price


def create_product(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/products."""
    if params.get("default_price_data"):
        check_price(account, params["default_price_data"])
    identifier = params.get("id") or account.new_id("prod", 14)
    if account.peek("product", identifier):
        raise invalid(f"Product already exists: {identifier}", param="id", code="resource_already_exists")
    product = {
        "id": identifier,
        "object": "product",
        "active": params.get("active", True),
        "created": account.now,
        "default_price": None,
        "description": params.get("description"),
        "images": params.get("images") or [],
        "livemode": False,
        "marketing_features": params.get("marketing_features") or params.get("features") or [],
        "metadata": merged_metadata({}, params.get("metadata")),
        "name": params["name"],
        "package_dimensions": params.get("package_dimensions"),
        "shippable": params.get("shippable"),
        "statement_descriptor": params.get("statement_descriptor"),
        "tax_code": params.get("tax_code"),
        "type": params.get("type") or "service",
        "unit_label": params.get("unit_label"),
        "updated": account.now,
        "url": params.get("url"),
    }
    account.add("product", product)
    if params.get("default_price_data"):
        price = add_price(account, params["default_price_data"], identifier)
        product["default_price"] = price["id"]
        account.save("product", product)
    events.emit(account, "product.created", product)
    return product


_PRODUCT = ("active", "default_price", "description", "images", "metadata", "name", "package_dimensions",
    "shippable", "statement_descriptor", "tax_code", "unit_label", "url")  # fmt: skip


def update_product(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/products/{id}."""
    product = retrieve_product(account, {}, identifier)
    if params.get("default_price"):
        account.find("price", params["default_price"], "default_price")
    before = events.snapshot(product)
    take(product, params, _PRODUCT)
    for name in ("features", "marketing_features"):
        if name in params:
            product["marketing_features"] = params[name] or []
    product["images"] = product["images"] or []
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
    tests: list[Test] = [lambda row: row.id in requested] if requested else []
    if params.get("type"):
        tests.append(lambda row: row.value["type"] == params["type"])
    return page(
        account, "product", params, "/v1/products", filters=("active", "shippable", "url"), tests=tests
    )


def search_products(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/products/search."""
    return search(account, "product", params, "/v1/products/search")


ROUTES: dict[str, Handler] = {
    "GET /v1/products": list_products,
    "POST /v1/products": create_product,
    "GET /v1/products/search": search_products,
    "GET /v1/products/{id}": retrieve_product,
    "POST /v1/products/{id}": update_product,
    "DELETE /v1/products/{id}": delete_product,
}
