"""What is sold: products, prices, tax rates, shipping rates and payment links with their items."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from stripe_magics.sandbox import events
from stripe_magics.sandbox.account import Account, Object
from stripe_magics.sandbox.changes import merged_metadata, take
from stripe_magics.sandbox.lists import Page, equal, of_objects, page
from stripe_magics.sandbox.payments import checked_currency
from stripe_magics.sandbox.problems import absent, invalid, unchecked
from stripe_magics.sandbox.protocol import Handler
from stripe_magics.sandbox.search import search


def create_product(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/products."""
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
    wanted = set(params.get("ids") or ())
    tests = [lambda row: row.id in wanted] if wanted else []
    return page(account, "product", params, "/v1/products", filters=("active", "shippable", "url"), tests=tests)


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
        raise unchecked(f"Invalid decimal: {text}", param="unit_amount_decimal") from error
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or -exponent > 12:
        raise unchecked("unit_amount_decimal takes at most 12 decimal places.", param="unit_amount_decimal")
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
            account, {"name": given["name"], **{name: value for name, value in given.items() if name != "name"}}
        )
    elif params.get("product"):
        product = account.find("product", params["product"], "product")
    else:
        raise absent("product")
    priced = any(params.get(name) is not None for name in ("unit_amount", "unit_amount_decimal", "custom_unit_amount"))
    if params.get("billing_scheme", "per_unit") == "per_unit" and not priced:
        raise absent("unit_amount")
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
    return page(account, "price", params, "/v1/prices", filters=("product", "active", "currency", "type"), tests=tests)


def search_prices(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/prices/search."""
    return search(account, "price", params, "/v1/prices/search")


# tax rates and shipping rates


def create_tax_rate(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/tax_rates."""
    if not 0 <= params["percentage"] <= 100:
        raise unchecked("percentage lies between 0 and 100.", param="percentage")
    rate = {
        "id": account.new_id("txr"),
        "object": "tax_rate",
        "active": params.get("active", True),
        "country": params.get("country"),
        "created": account.now,
        "description": params.get("description"),
        "display_name": params["display_name"],
        "effective_percentage": params["percentage"],
        "flat_amount": None,
        "inclusive": params["inclusive"],
        "jurisdiction": params.get("jurisdiction"),
        "jurisdiction_level": None,
        "livemode": False,
        "metadata": merged_metadata({}, params.get("metadata")),
        "percentage": params["percentage"],
        "rate_type": "percentage",
        "state": params.get("state"),
        "tax_type": params.get("tax_type"),
    }
    account.add("tax_rate", rate)
    events.emit(account, "tax_rate.created", rate)
    return rate


def update_tax_rate(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/tax_rates/{tax_rate}."""
    rate = retrieve_tax_rate(account, {}, identifier)
    before = events.snapshot(rate)
    take(rate, params, ("active", "country", "description", "display_name", "jurisdiction", "metadata", "state", "tax_type"))
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
    return {
        "id": account.new_id("shr"),
        "object": "shipping_rate",
        "active": True,
        "created": account.now,
        "delivery_estimate": given.get("delivery_estimate"),
        "display_name": given["display_name"],
        "fixed_amount": {
            name: value for name, value in (given.get("fixed_amount") or {}).items() if name in {"amount", "currency"}
        }
        or None,
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
    return page(account, "shipping_rate", params, "/v1/shipping_rates", filters=("active",))


# payment links


def create_link(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/payment_links: each line is an existing price."""
    from stripe_magics.sandbox.payments import refuse_connect

    if not params["line_items"]:
        raise absent("line_items")
    refuse_connect(account, params)
    prices = [
        account.find("price", each["price"], f"line_items[{place}][price]") for place, each in enumerate(params["line_items"])
    ]
    if len({price["currency"] for price in prices}) > 1:
        raise invalid("All prices of a payment link must have one currency.", param="line_items")
    identifier = account.new_id("plink")
    link: Object = {
        "id": identifier,
        "object": "payment_link",
        "active": True,
        "after_completion": params.get("after_completion")
        or {"hosted_confirmation": {"custom_message": None}, "type": "hosted_confirmation"},
        "allow_promotion_codes": params.get("allow_promotion_codes", False),
        "application": None,
        "application_fee_amount": None,
        "application_fee_percent": None,
        "automatic_tax": {"enabled": (params.get("automatic_tax") or {}).get("enabled", False), "liability": None},
        "billing_address_collection": params.get("billing_address_collection") or "auto",
        "consent_collection": params.get("consent_collection"),
        "currency": prices[0]["currency"],
        "custom_fields": params.get("custom_fields") or [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
            **(params.get("custom_text") or {}),
        },
        "customer_creation": params.get("customer_creation") or "if_required",
        "inactive_message": None,
        "invoice_creation": params.get("invoice_creation"),
        "livemode": False,
        "metadata": merged_metadata({}, params.get("metadata")),
        "on_behalf_of": None,
        "payment_intent_data": params.get("payment_intent_data"),
        "payment_method_collection": params.get("payment_method_collection") or "always",
        "payment_method_types": params.get("payment_method_types"),
        "phone_number_collection": params.get("phone_number_collection") or {"enabled": False},
        "restrictions": None,
        "shipping_address_collection": params.get("shipping_address_collection"),
        "shipping_options": [],
        "submit_type": params.get("submit_type") or "auto",
        "subscription_data": params.get("subscription_data"),
        "tax_id_collection": params.get("tax_id_collection") or {"enabled": False, "required": "never"},
        "transfer_data": None,
        "url": f"https://buy.stripe.com/test_{account.letters(identifier, 18)}",
    }
    account.link_lines[identifier] = [
        _link_line(account, price, each["quantity"]) for price, each in zip(prices, params["line_items"], strict=True)
    ]
    account.add("payment_link", link)
    events.emit(account, "payment_link.created", link)
    return link


def _link_line(account: Account, price: Object, quantity: int) -> Object:
    if quantity < 1:
        raise unchecked(
            "This value must be greater than or equal to 1.", param="line_items[quantity]", code="parameter_invalid_integer"
        )
    amount = times(price["unit_amount_decimal"] or "0", quantity)
    product = account.peek("product", price["product"]) or {}
    return {
        "id": account.new_id("li"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": product.get("name"),
        "price": events.snapshot(price),
        "quantity": quantity,
    }


_LINK = ("active", "after_completion", "allow_promotion_codes", "billing_address_collection", "custom_fields", "customer_creation", "invoice_creation", "metadata", "payment_method_collection", "payment_method_types", "shipping_address_collection")  # fmt: skip


def update_link(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/payment_links/{payment_link}."""
    link = retrieve_link(account, {}, identifier)
    before = events.snapshot(link)
    take(link, params, _LINK)
    account.save("payment_link", link)
    events.emit(account, "payment_link.updated", link, before)
    return link


def retrieve_link(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/payment_links/{payment_link}."""
    return account.find("payment_link", identifier, "payment_link", what="payment_link", status=404)


def list_links(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/payment_links."""
    tests = [equal(0, params["active"])] if params.get("active") is not None else []
    return page(account, "payment_link", params, "/v1/payment_links", tests=tests)


def link_lines(account: Account, params: dict[str, Any], identifier: str) -> Page:
    """GET /v1/payment_links/{payment_link}/line_items."""
    retrieve_link(account, {}, identifier)
    return of_objects(account.link_lines.get(identifier, []), params, f"/v1/payment_links/{identifier}/line_items")


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
    "GET /v1/tax_rates": list_tax_rates,
    "POST /v1/tax_rates": create_tax_rate,
    "GET /v1/tax_rates/{tax_rate}": retrieve_tax_rate,
    "POST /v1/tax_rates/{tax_rate}": update_tax_rate,
    "GET /v1/shipping_rates": list_shipping_rates,
    "POST /v1/shipping_rates": create_shipping_rate,
    "GET /v1/shipping_rates/{shipping_rate_token}": retrieve_shipping_rate,
    "POST /v1/shipping_rates/{shipping_rate_token}": update_shipping_rate,
    "GET /v1/payment_links": list_links,
    "POST /v1/payment_links": create_link,
    "GET /v1/payment_links/{payment_link}": retrieve_link,
    "POST /v1/payment_links/{payment_link}": update_link,
    "GET /v1/payment_links/{payment_link}/line_items": link_lines,
}
