"""Invoice items: what will stand on a customer's next invoice. Pending until an invoice takes them; then its
draft follows every change."""

from __future__ import annotations

from typing import Any

from stripe_magics import money
from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import (
    invalid,
    invalid_before_execution,
    missing,
    missing_param,
    too_low,
)
from stripe_magics.sandbox.api.pagination import Page, Test, page
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.checks import checked_currency, checked_period
from stripe_magics.sandbox.core.metadata import merged_metadata, take
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources import discounts
from stripe_magics.sandbox.resources.customer_changes import changing
from stripe_magics.sandbox.resources.invoices import drafts
from stripe_magics.sandbox.resources.price_objects import add_made_price, amount_of, build_price
from stripe_magics.sandbox.resources.pricing import times
from stripe_magics.sandbox.resources.products import create_product

MAX_INVOICE_ITEMS = 250


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/invoiceitems."""
    customer = account.find("customer", params["customer"], "customer")
    invoice = _draft(account, params["invoice"], params["customer"]) if params.get("invoice") else None
    if params.get("subscription"):
        subscription = account.find("subscription", params["subscription"], "subscription")
        if subscription["customer"] != customer["id"]:
            raise invalid("The subscription belongs to another customer.", param="subscription")
    _rates(account, params.get("tax_rates"), "tax_rates")
    discounts.check(account, params.get("discounts"), "discounts", customer["id"])
    currency, price, amount = _priced(account, params, customer)
    if invoice is not None and invoice["currency"] != currency:
        raise invalid(
            f"The invoice is in {invoice['currency']}; an item in {currency} can't stand on it.",
            param="currency",
        )
    if customer["currency"] not in {None, currency} and _billed_in(account, customer):
        raise invalid(
            "You cannot combine currencies on a single customer. This customer has been billed in"
            f" {customer['currency']}.",
            param="currency",
        )
    item = add(account, customer, price, amount, params)
    if invoice is not None:
        item["invoice"] = invoice["id"]
        account.save("invoiceitem", item)
    events.emit(account, "invoiceitem.created", item)
    if invoice is not None:
        _refresh(account, invoice)
    return item


def add(account: Account, customer: Object, price: Object, amount: int, params: dict[str, Any]) -> Object:
    """An item of a price (as it is then), taken in; the caller says so in an event."""
    currency = price["currency"]
    if customer["currency"] != currency:
        with changing(account, customer):
            customer["currency"] = currency
    identifier = account.new_id("ii")
    period = checked_period(params) or {"start": account.now, "end": account.now}
    item: Object = {
        "id": identifier,
        "object": "invoiceitem",
        "amount": amount,
        "currency": currency,
        "customer": customer["id"],
        "date": account.now,
        "description": params.get("description"),
        "discountable": params.get("discountable", amount >= 0),
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": merged_metadata({}, params.get("metadata")),
        "period": {"end": period["end"], "start": period["start"]},
        "plan": None,
        "price": price,
        "proration": False,
        "quantity": params.get("quantity", 1),
        "subscription": params.get("subscription"),
        "tax_rates": _rates(account, params.get("tax_rates"), "tax_rates"),
        "test_clock": None,
        "unit_amount": price["unit_amount"],
        "unit_amount_decimal": price["unit_amount_decimal"],
    }
    if item["description"] is None and (params.get("price") or params.get("price_data")):
        item["description"] = (account.peek("product", price["product"]) or {}).get("name")
    _tax_notes(account, item, params)
    item["discounts"] = [
        discounts.new(
            account,
            each,
            param=f"discounts[{place}]",
            customer=customer["id"],
            invoice_item=identifier,
            currency=currency,
        )["id"]
        for place, each in enumerate(params.get("discounts") or ())
    ]
    return account.add("invoiceitem", item)


def _billed_in(account: Account, customer: Object) -> bool:
    return bool(
        account.where("invoiceitem", customer=customer["id"])
        or account.where("invoice", customer=customer["id"])
    )


def _draft(account: Account, identifier: str, customer: str) -> Object:
    invoice = account.find("invoice", identifier, "invoice")
    if invoice["customer"] != customer:
        raise invalid(f"The invoice {identifier} belongs to another customer.", param="invoice")
    if invoice["status"] != "draft":
        raise invalid(
            "The invoice is already finalized and can't take another item.",
            param="invoice",
            code="invoice_not_editable",
        )
    if len(account.where("invoiceitem", invoice=identifier)) >= MAX_INVOICE_ITEMS:
        raise invalid(f"An invoice takes at most {MAX_INVOICE_ITEMS} items.", param="invoice")
    return invoice


def _refresh(account: Account, invoice: Object) -> None:
    before = events.snapshot(invoice)
    drafts.refresh(account, invoice)
    events.emit(account, "invoice.updated", invoice, before)


def _rates(account: Account, given: list[str] | None, param: str) -> list[Object]:
    """Tax rates by their ids, as they stand on an item."""
    return [
        events.snapshot(account.find("tax_rate", each, f"{param}[{place}]", what="tax rate"))
        for place, each in enumerate(given or ())
    ]


def _tax_notes(account: Account, item: Object, params: dict[str, Any]) -> None:
    """tax_behavior shows in the price, tax_code nowhere."""
    if params.get("tax_behavior"):
        item["price"] = {**item["price"], "tax_behavior": params["tax_behavior"]}
    if params.get("tax_code"):
        account.private_state.setdefault(item["id"], {})["tax_code"] = params["tax_code"]


def _priced(account: Account, params: dict[str, Any], customer: Object) -> tuple[str, Object, int]:
    """(currency, price, amount), the amount within limits."""
    currency, price, amount = _price_given(account, params, customer)
    if abs(amount) > money.maximum(currency):
        name = "amount" if params.get("amount") is not None else "quantity"
        raise invalid(
            f"Amount must be no more than {money.format_amount(money.maximum(currency), currency)}",
            param=name,
            code="amount_too_large",
        )
    return currency, price, amount


def _price_given(account: Account, params: dict[str, Any], customer: Object) -> tuple[str, Object, int]:
    """(currency, price, amount) from one of: amount; unit_amount and quantity; an existing price; the data of
    a new one."""
    quantity = params.get("quantity", 1)
    if quantity is not None and quantity < 0:
        raise too_low(0, "quantity")
    given = [
        name
        for name in ("amount", "unit_amount", "unit_amount_decimal", "price", "price_data")
        if params.get(name) is not None
    ]
    if len(given) > 1:
        raise invalid_before_execution(
            f"You may only specify one of these parameters: {', '.join(given)}.", param=given[1]
        )
    if not given:
        raise missing_param("amount")
    how = given[0]
    if how == "price":
        price = account.find("price", params["price"], "price")
        if price["type"] != "one_time":
            raise invalid("The price is recurring; invoice items take one-time prices.", param="price")
        if not price["active"]:
            raise invalid("The price is inactive and can't be used for new items.", param="price")
        if params.get("currency") and checked_currency(params["currency"]) != price["currency"]:
            raise invalid(f"The price is in {price['currency']}.", param="currency")
        return price["currency"], events.snapshot(price), amount_of(account, price, quantity)
    if how == "price_data":
        data = params["price_data"]
        currency = checked_currency(data["currency"])
        product = _product(account, data)
        if data.get("unit_amount") is None and data.get("unit_amount_decimal") is None:
            raise missing_param("price_data[unit_amount]")
        price = add_made_price(account, data, product["id"])
        return currency, events.snapshot(price), amount_of(account, price, quantity)
    currency_text = params.get("currency") or customer["currency"]
    if not currency_text:
        raise missing_param("currency")
    currency = checked_currency(currency_text)
    if how == "amount" and "quantity" in params:
        raise invalid_before_execution(
            "quantity goes with unit_amount or a price, not with amount.", param="quantity"
        )
    price = build_price(
        account,
        {"currency": currency, **({"unit_amount": params["amount"]} if how == "amount" else params)},
        _ad_hoc(account),
        active=False,
    )
    price["metadata"] = {}
    return currency, price, times(price["unit_amount_decimal"] or "0", 1 if how == "amount" else quantity)


def _product(account: Account, data: dict[str, Any]) -> Object:
    """The product that the data of a price names or describes."""
    if data.get("product_data") and not data.get("product"):
        return create_product(account, data["product_data"])
    if not data.get("product"):
        raise missing_param("price_data[product]")
    return account.find("product", data["product"], "price_data[product]")


def _ad_hoc(account: Account) -> str:
    """The product that amounts without a price stand for."""
    identifier = f"prod_{account.letters('adhoc', 14)}"
    if account.peek("product", identifier) is None:
        create_product(account, {"id": identifier, "name": "One-off amounts", "active": False})
    return identifier


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/invoiceitems/{invoiceitem}."""
    return account.find("invoiceitem", identifier, "invoiceitem", what="invoiceitem", status=404)


def _open(account: Account, item: Object) -> Object | None:
    """The draft that an item stands on, None while it is pending; refuses one on a final invoice."""
    if item["invoice"] is None:
        return None
    invoice = account.get("invoice", item["invoice"])
    if invoice is not None and invoice["status"] != "draft":
        raise invalid(
            "You can't change an invoice item whose invoice is finalized.", code="invoice_not_editable"
        )
    return invoice


def update(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/invoiceitems/{invoiceitem}: while pending or on a draft."""
    item = retrieve(account, {}, identifier)
    invoice = _open(account, item)
    discounts.check(account, params.get("discounts"), "discounts", item["customer"])
    rates = _rates(account, params["tax_rates"], "tax_rates") if "tax_rates" in params else None
    draft = events.snapshot(item)
    priced = {
        name: params[name]
        for name in ("amount", "unit_amount", "unit_amount_decimal", "price", "price_data")
        if params.get(name) is not None
    }
    if priced or params.get("quantity") is not None:
        if not priced:
            priced = {"unit_amount_decimal": item["unit_amount_decimal"]}
        quantity = {} if "amount" in priced else {"quantity": params.get("quantity", item["quantity"])}
        customer = account.find("customer", item["customer"], "customer")
        currency, price, amount = _priced(
            account, {**priced, **quantity, "currency": item["currency"]}, customer
        )
        if currency != item["currency"]:
            raise invalid(f"The item is in {item['currency']}.", param="price")
        if set(priced) == {"unit_amount_decimal"} and "unit_amount_decimal" not in params:
            price = item["price"]
        draft.update(
            amount=amount, price=price, unit_amount=price["unit_amount"],
            unit_amount_decimal=price["unit_amount_decimal"],
            quantity=quantity.get("quantity", 1),
        )  # fmt: skip
    take(draft, params, ("description", "discountable", "metadata"))
    if checked_period(params):
        draft["period"] = {"end": params["period"]["end"], "start": params["period"]["start"]}
    if rates is not None:
        draft["tax_rates"] = rates
    _tax_notes(account, draft, params)
    if "discounts" in params:
        draft["discounts"] = [
            discounts.new(
                account,
                each,
                param=f"discounts[{place}]",
                customer=item["customer"],
                invoice_item=identifier,
                currency=item["currency"],
            )["id"]
            for place, each in enumerate(params["discounts"] or ())
        ]
    item.update(draft)
    account.save("invoiceitem", item)
    if invoice is not None:
        _refresh(account, invoice)
    return item


def delete(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """DELETE /v1/invoiceitems/{invoiceitem}: while pending or on a draft."""
    item = retrieve(account, {}, identifier)
    invoice = _open(account, item)
    gone = account.remove("invoiceitem", identifier)
    events.emit(account, "invoiceitem.deleted", item)
    if invoice is not None:
        _refresh(account, invoice)
    return gone


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/invoiceitems; `pending`: not yet on an invoice."""
    if params.get("invoice") and account.peek("invoice", params["invoice"]) is None:
        raise missing("invoice", params["invoice"], "invoice", status=400)
    tests: list[Test] = []
    if params.get("pending") is not None:
        requested = params["pending"]
        tests.append(lambda row: (row.keys[1] is None) is requested)
    return page(
        account, "invoiceitem", params, "/v1/invoiceitems", filters=("customer", "invoice"), tests=tests
    )


ROUTES: dict[str, Handler] = {
    "GET /v1/invoiceitems": listing,
    "POST /v1/invoiceitems": create,
    "GET /v1/invoiceitems/{invoiceitem}": retrieve,
    "POST /v1/invoiceitems/{invoiceitem}": update,
    "DELETE /v1/invoiceitems/{invoiceitem}": delete,
}
