"""Payment links and their items."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import inside, invalid, missing_param, too_low
from stripe_magics.sandbox.api.pagination import Page, equal, of_objects, page
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.metadata import merged_metadata, take
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources import checkout_amounts, checkout_invoices, checkout_shipping
from stripe_magics.sandbox.resources.connect import connected_billing, parties
from stripe_magics.sandbox.resources.connect.application_fees import application
from stripe_magics.sandbox.resources.price_objects import amount_of, named_price
from stripe_magics.sandbox.resources.subscriptions.items import metered

_LINK = ("active", "after_completion", "allow_promotion_codes", "billing_address_collection", "custom_fields",
    "customer_creation", "inactive_message", "metadata", "payment_intent_data",
    "phone_number_collection", "submit_type", "subscription_data", "tax_id_collection", "consent_collection",
    "custom_text", "payment_method_collection", "payment_method_types",
    "shipping_address_collection")  # fmt: skip


def create_link(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/payment_links: each line is an existing price."""

    if not params["line_items"]:
        raise missing_param("line_items")
    prices = [
        named_price(account, each["price"], f"line_items[{place}][price]")
        for place, each in enumerate(params["line_items"])
    ]
    if len({price["currency"] for price in prices}) > 1:
        raise invalid("All prices of a payment link must have one currency.", param="line_items")
    if params.get("currency") and params["currency"].lower() != prices[0]["currency"]:
        raise invalid(f"The prices are in {prices[0]['currency']}.", param="currency")
    recurring = any(each["recurring"] for each in prices)
    connected_billing.check_offer(account, params, recurring=recurring)
    checkout_invoices.check(account, params.get("invoice_creation"), one_time=not recurring)
    _check_parties(account, params)
    identifier = account.new_id("plink")
    link: Object = {
        "id": identifier,
        "object": "payment_link",
        "active": True,
        "after_completion": (
            params.get("after_completion")
            or {"hosted_confirmation": {"custom_message": None}, "type": "hosted_confirmation"}
        ),
        "allow_promotion_codes": params.get("allow_promotion_codes", False),
        "application": application(account) if account.platform is not None else None,
        "application_fee_amount": None,
        "application_fee_percent": None,
        "automatic_tax": {
            "enabled": (params.get("automatic_tax") or {}).get("enabled", False),
            "liability": parties.liability(params.get("automatic_tax")),
        },
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
        "inactive_message": params.get("inactive_message"),
        "invoice_creation": None if recurring else checkout_invoices.shown(params.get("invoice_creation")),
        "livemode": False,
        "metadata": merged_metadata({}, params.get("metadata")),
        "on_behalf_of": None,
        "payment_intent_data": params.get("payment_intent_data"),
        "payment_method_collection": params.get("payment_method_collection") or "always",
        "payment_method_types": params.get("payment_method_types"),
        "phone_number_collection": params.get("phone_number_collection") or {"enabled": False},
        "restrictions": _restrictions(params.get("restrictions")),
        "shipping_address_collection": params.get("shipping_address_collection"),
        "shipping_options": _shipping_options(account, params, prices[0]["currency"], recurring=recurring),
        "submit_type": params.get("submit_type") or "auto",
        "subscription_data": params.get("subscription_data"),
        "tax_id_collection": params.get("tax_id_collection") or {"enabled": False, "required": "never"},
        "transfer_data": None,
        "url": f"https://buy.stripe.com/test_{account.letters(identifier, 18)}",
    }
    account.link_lines[identifier] = [
        _link_line(account, price, each["quantity"])
        for price, each in zip(prices, params["line_items"], strict=True)
    ]
    chosen = checkout_amounts.adjustable(params["line_items"])
    if any(chosen):
        account.private_state.setdefault(identifier, {})["adjustable"] = chosen
    connected_billing.describe(account, link, params)
    connected_billing.check_total(link, sum(each["amount_total"] for each in account.link_lines[identifier]))
    account.add("payment_link", link)
    events.emit(account, "payment_link.created", link)
    return link


def _shipping_options(
    account: Account, params: dict[str, Any], currency: str, *, recurring: bool
) -> list[Object]:
    """How what is bought can be sent: of one-time payments."""
    given = params.get("shipping_options") or []
    if given and recurring:
        raise invalid("You can not pass `shipping_options` in `subscription` mode.", param="shipping_options")
    return checkout_shipping.options_of(account, given, currency)


def _check_parties(account: Account, params: dict[str, Any]) -> None:
    """Who issues the invoices of its payments, and who is liable for the tax."""
    parties.check_all(account, params)
    for name, within in (("invoice_creation", "invoice_data"), ("subscription_data", "invoice_settings")):
        with inside(name):
            parties.check_all(account, params.get(name) or {}, invoices=within)


def _restrictions(given: Object | None) -> Object | None:
    """How often a link can be used."""
    if not given:
        return None
    return {"completed_sessions": {"count": 0, "limit": given["completed_sessions"]["limit"]}}


def _link_line(account: Account, price: Object, quantity: int) -> Object:
    if quantity < 1:
        raise too_low(1, "line_items[quantity]")
    counted = not metered(price)
    amount = amount_of(account, price, quantity) if counted else 0
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
        "quantity": quantity if counted else None,
    }


def update_link(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/payment_links/{payment_link}."""
    link = retrieve_link(account, {}, identifier)
    _check_parties(account, params)
    before = events.snapshot(link)
    lines = account.link_lines[identifier]
    recurring = any(line["price"]["recurring"] for line in lines)
    connected_billing.check_offer(account, params, recurring=recurring, subject=link)
    checkout_invoices.check(account, params.get("invoice_creation"), one_time=not recurring)
    connected_billing.describe(account, link, params)
    connected_billing.check_total(link, sum(line["amount_total"] for line in lines))
    take(link, params, _LINK)
    if "restrictions" in params:
        link["restrictions"] = _restrictions(params["restrictions"])
    if "invoice_creation" in params and not recurring:
        link["invoice_creation"] = checkout_invoices.shown(params["invoice_creation"])
    if "automatic_tax" in params:
        link["automatic_tax"] = {
            "enabled": params["automatic_tax"]["enabled"],
            "liability": parties.liability(params["automatic_tax"]),
        }
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
    return of_objects(
        account.link_lines.get(identifier, []), params, f"/v1/payment_links/{identifier}/line_items"
    )


ROUTES: dict[str, Handler] = {
    "GET /v1/payment_links": list_links,
    "POST /v1/payment_links": create_link,
    "GET /v1/payment_links/{payment_link}": retrieve_link,
    "POST /v1/payment_links/{payment_link}": update_link,
    "GET /v1/payment_links/{payment_link}/line_items": link_lines,
}
