"""Tax rates and shipping rates."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import inside, too_low
from stripe_magics.sandbox.api.pagination import Page, Test, page
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.checks import checked_currency
from stripe_magics.sandbox.core.metadata import merged_metadata, take
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.tax_rate_objects import check_percentage, new_tax_rate


def create_tax_rate(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/tax_rates."""
    check_percentage(params["percentage"], "percentage")
    rate = new_tax_rate(account, account.new_id("txr"), params)
    rate["metadata"] = merged_metadata({}, params.get("metadata"))
    account.add("tax_rate", rate)
    events.emit(account, "tax_rate.created", rate)
    return rate


def update_tax_rate(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/tax_rates/{tax_rate}."""
    rate = retrieve_tax_rate(account, {}, identifier)
    before = events.snapshot(rate)
    take(
        rate,
        params,
        ("active", "country", "description", "display_name", "jurisdiction", "metadata", "state", "tax_type"),
    )
    account.save("tax_rate", rate)
    events.emit(account, "tax_rate.updated", rate, before)
    return rate


def retrieve_tax_rate(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/tax_rates/{tax_rate}."""
    return account.find("tax_rate", identifier, "tax_rate", what="tax rate", status=404)


def list_tax_rates(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/tax_rates."""
    return page(account, "tax_rate", params, "/v1/tax_rates", filters=("active", "inclusive"))


def create_shipping_rate(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/shipping_rates."""
    rate = build_shipping_rate(account, params)
    return account.add("shipping_rate", rate)


def build_shipping_rate(account: Account, given: dict[str, Any]) -> Object:
    """A shipping rate; not stored."""
    fixed = given.get("fixed_amount")
    if fixed:
        with inside("fixed_amount"):
            checked_currency(fixed["currency"])
            if fixed["amount"] < 0:
                raise too_low(0, "amount")
    return {
        "id": account.new_id("shr"),
        "object": "shipping_rate",
        "active": True,
        "created": account.now,
        "delivery_estimate": given.get("delivery_estimate"),
        "display_name": given["display_name"],
        "fixed_amount": (
            {
                name: value
                for name, value in (given.get("fixed_amount") or {}).items()
                if name in {"amount", "currency"}
            }
            or None
        ),
        "livemode": False,
        "metadata": merged_metadata({}, given.get("metadata")),
        "tax_behavior": given.get("tax_behavior") or "unspecified",
        "tax_code": given.get("tax_code"),
        "type": "fixed_amount",
    }


def update_shipping_rate(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/shipping_rates/{shipping_rate_token}."""
    rate = retrieve_shipping_rate(account, {}, identifier)
    take(rate, params, ("active", "metadata", "tax_behavior"))
    return account.save("shipping_rate", rate)


def retrieve_shipping_rate(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/shipping_rates/{shipping_rate_token}."""
    return account.find("shipping_rate", identifier, "shipping_rate_token", what="shipping rate", status=404)


def list_shipping_rates(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/shipping_rates."""
    currency = (params.get("currency") or "").lower()
    tests: list[Test] = (
        [lambda row: (row.value["fixed_amount"] or {}).get("currency") == currency] if currency else []
    )
    return page(account, "shipping_rate", params, "/v1/shipping_rates", filters=("active",), tests=tests)


ROUTES: dict[str, Handler] = {
    "GET /v1/tax_rates": list_tax_rates,
    "POST /v1/tax_rates": create_tax_rate,
    "GET /v1/tax_rates/{tax_rate}": retrieve_tax_rate,
    "POST /v1/tax_rates/{tax_rate}": update_tax_rate,
    "GET /v1/shipping_rates": list_shipping_rates,
    "POST /v1/shipping_rates": create_shipping_rate,
    "GET /v1/shipping_rates/{shipping_rate_token}": retrieve_shipping_rate,
    "POST /v1/shipping_rates/{shipping_rate_token}": update_shipping_rate,
}
