"""Customers: made, changed, deleted, found. What hangs on them is in customer_subresources.py."""

from __future__ import annotations

import re
from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid, invalid_before_execution, missing, too_low
from stripe_magics.sandbox.api.pagination import Page, page
from stripe_magics.sandbox.api.search import search
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.checks import checked_country, checked_email
from stripe_magics.sandbox.core.clock_of_request import check_clock
from stripe_magics.sandbox.core.metadata import take
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources import discounts
from stripe_magics.sandbox.resources.cash_balances import cash_balance
from stripe_magics.sandbox.resources.cash_balances.reconciliation import set_mode
from stripe_magics.sandbox.resources.customer_subresources import (
    add_tax_id,
    checked_tax_id,
    credit,
    source_card,
)
from stripe_magics.sandbox.resources.payment_methods.method_creation import address, full_shipping
from stripe_magics.sandbox.resources.payment_methods.payment_methods import attach_to, use

_PREFIX = re.compile(r"[A-Z0-9]{3,12}")
_LOCALE = re.compile(r"[a-z]{2,3}([-_][A-Za-z0-9]{2,4}){0,2}")


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/customers. No parameter is required."""
    _check(account, params, "")
    customer = new_customer(account)
    method = use(account, params["payment_method"]) if params.get("payment_method") else None
    default = (params.get("invoice_settings") or {}).get("default_payment_method")
    if default and (method is None or default not in {method["id"], params["payment_method"]}):
        _belongs(account, default, customer["id"])
    card = source_card(account, params["source"], customer["id"]) if params.get("source") else None
    if method is not None:
        attach_to(account, method, customer)
    account.add("customer", customer)
    if card is not None:
        account.add("card", card)
    _apply(account, customer, params, template=params.get("payment_method"), method=method)
    if card is not None:
        customer["default_source"] = card["id"]
    for each in params.get("tax_id_data") or ():
        add_tax_id(account, customer["id"], each)
    account.save("customer", customer)
    events.emit(account, "customer.created", customer)
    if card is not None:
        events.emit(account, "customer.source.created", card)
    return customer


def new_customer(account: Account) -> Object:
    """A customer about whom nothing is known; not stored yet."""
    identifier = account.new_id("cus", 14)
    return {
        "id": identifier,
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": account.now,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": account.new_letters(8).upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }


def _check(account: Account, params: dict[str, Any], own: str) -> None:
    checked_email(params.get("email"), "email")
    prefix = params.get("invoice_prefix")
    if prefix is not None:
        if not _PREFIX.fullmatch(prefix):
            raise invalid_before_execution(
                "invoice_prefix takes 3 to 12 capital letters or digits.", param="invoice_prefix"
            )
        if any(each["invoice_prefix"] == prefix and each["id"] != own for each in account.each("customer")):
            raise invalid(
                f"The invoice prefix '{prefix}' belongs to another customer.", param="invoice_prefix"
            )
    sequence = params.get("next_invoice_sequence")
    if sequence is not None and sequence < 1:
        raise too_low(1, "next_invoice_sequence")
    fields = (params.get("invoice_settings") or {}).get("custom_fields") or []
    if len(fields) > 4:
        raise invalid_before_execution("At most 4 custom fields.", param="invoice_settings[custom_fields]")
    for each in params.get("preferred_locales") or ():
        if not _LOCALE.fullmatch(each):
            raise invalid_before_execution(f"Invalid locale: {each}", param="preferred_locales")
    checked_country((params.get("address") or {}).get("country"), "address[country]")
    if params.get("test_clock"):
        check_clock(account, params["test_clock"], customers=True)
    if params.get("coupon") and params.get("promotion_code"):
        raise invalid_before_execution(
            "You may only specify one of coupon and promotion_code.", param="promotion_code"
        )
    for name in ("coupon", "promotion_code"):
        if params.get(name):
            discounts.redeemable(account, {name: params[name]}, param=name, customer=own or None)
    for each in params.get("tax_id_data") or ():
        checked_tax_id(each["type"], each["value"], "tax_id_data")


def _belongs(account: Account, identifier: str, customer: str) -> None:
    method = account.find(
        "payment_method", identifier, "invoice_settings[default_payment_method]", what="PaymentMethod"
    )
    if method["customer"] != customer:
        raise invalid(
            f"The customer does not have a payment method with the ID {identifier}. The payment method must"
            " be attached to the customer.",
            param="invoice_settings[default_payment_method]",
            code="resource_missing",
        )


_PLAIN = ("description", "email", "name", "phone", "invoice_prefix", "next_invoice_sequence", "metadata")


def _apply(
    account: Account,
    customer: Object,
    params: dict[str, Any],
    *,
    template: str | None = None,
    method: Object | None = None,
) -> None:
    """Set what was given on a customer."""
    take(customer, params, _PLAIN)
    if customer["next_invoice_sequence"] is None:
        customer["next_invoice_sequence"] = 1
    if "address" in params:
        customer["address"] = (
            None
            if params["address"] is None
            else address({**(customer["address"] or {}), **params["address"]})
        )
    if "shipping" in params:
        shipping = full_shipping(params["shipping"])
        customer["shipping"] = (
            None if shipping is None else {name: shipping[name] for name in ("address", "name", "phone")}
        )
    if "preferred_locales" in params:
        customer["preferred_locales"] = params["preferred_locales"] or []
    if "tax_exempt" in params:
        customer["tax_exempt"] = params["tax_exempt"] or "none"
    if params.get("balance") is not None and params["balance"] != customer["balance"]:
        if customer["currency"] is None:
            customer["currency"] = account.profile["default_currency"]
        credit(account, customer, params["balance"] - customer["balance"], "adjustment")
    if "invoice_settings" in params:
        settings = dict(params["invoice_settings"] or {})
        if method is not None and settings.get("default_payment_method") == template:
            settings["default_payment_method"] = method["id"]
        customer["invoice_settings"] = {**customer["invoice_settings"], **settings}
    for name in ("coupon", "promotion_code"):
        if name in params:
            customer["discount"] = (
                discounts.new(account, {name: params[name]}, param=name, customer=customer["id"])
                if params[name]
                else None
            )
    notes = account.private_state.setdefault(customer["id"], {})
    mode = ((params.get("cash_balance") or {}).get("settings") or {}).get("reconciliation_mode")
    if mode:
        set_mode(account, customer["id"], mode)
    if "tax" in params:
        given = params["tax"] or {}
        place = customer["address"] or {}
        found = (
            {"country": place["country"], "source": "billing_address", "state": place["state"]}
            if place.get("country")
            else None
        )
        notes["tax"] = {
            "automatic_tax": "supported" if found else "unrecognized_location",
            "ip_address": given.get("ip_address"),
            "location": found,
        }
    if not notes:
        del account.private_state[customer["id"]]


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/customers/{customer}; a deleted one says so."""
    if identifier in account.deleted:
        return account.deleted[identifier]
    return account.find("customer", identifier, "id", status=404)


def update(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/customers/{customer}."""
    customer = account.find("customer", identifier, "id", status=404)
    _check(account, params, identifier)
    default = (params.get("invoice_settings") or {}).get("default_payment_method")
    if default:
        _belongs(account, default, identifier)
    if (
        params.get("default_source")
        and (account.peek("card", params["default_source"]) or {}).get("customer") != identifier
    ):
        raise missing("source", params["default_source"], "default_source", status=400)
    card = source_card(account, params["source"], identifier) if params.get("source") else None
    before = events.snapshot(customer)
    _apply(account, customer, params)
    if card is not None:
        account.add("card", card)
        customer["default_source"] = card["id"]
    elif params.get("default_source"):
        customer["default_source"] = params["default_source"]
    account.save("customer", customer)
    if card is not None:
        events.emit(account, "customer.source.created", card)
    events.emit(account, "customer.updated", customer, before)
    return customer


def delete(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """DELETE /v1/customers/{customer}: ends the subscriptions too."""
    customer = account.find("customer", identifier, "id", status=404)
    if cash_balance.has_any(account, identifier):
        raise invalid(
            "You cannot delete a customer that has a cash balance, even if it is empty.", param="id"
        )
    gone = account.remove("customer", identifier)
    account.deleted[identifier] = gone
    events.emit(account, "customer.deleted", customer)
    return gone


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/customers."""
    return page(account, "customer", params, "/v1/customers", filters=("email",))


def searching(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/customers/search."""
    return search(account, "customer", params, "/v1/customers/search")


ROUTES: dict[str, Handler] = {
    "GET /v1/customers": listing,
    "POST /v1/customers": create,
    "GET /v1/customers/search": searching,
    "GET /v1/customers/{customer}": retrieve,
    "POST /v1/customers/{customer}": update,
    "DELETE /v1/customers/{customer}": delete,
}
