"""Checkout sessions: what is to be paid, subscribed to or set up.

open -> complete    as the customer would (`checkout_completion`)
open -> expired     by the call, or by itself after `expires_at` (a day)
"""

from __future__ import annotations

from typing import Any

from stripe_magics.catalogue import PINNED_VERSION
from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import inside, invalid, invalid_before_execution, missing_param
from stripe_magics.sandbox.api.pagination import Page, of_objects, page
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.checks import checked_amount
from stripe_magics.sandbox.core.clock import DAY
from stripe_magics.sandbox.core.metadata import merged_metadata
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.generic import object_shapes as shapes
from stripe_magics.sandbox.resources import checkout_amounts, checkout_expiration, checkout_invoices, products
from stripe_magics.sandbox.resources.connect import connected_billing, connected_payments, parties
from stripe_magics.sandbox.resources.price_objects import add_made_price, amount_of, named_price
from stripe_magics.sandbox.resources.subscriptions.items import check_quantity, metered

KIND = "checkout.session"
_PARTS = ("payment_intent_data", "setup_intent_data", "subscription_data")
_COLLECTION = {"payment": "if_required"}  # of a payment method, by mode; else always
# of a customer, where none is named; else always
_NO_RECURRING = (
    "You must provide at least one recurring price in `subscription` mode when using prices; `payment` mode"
    " takes one-time prices only."
)
_CREATION = {"payment": "if_required", "setup": "if_required"}


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/checkout/sessions."""
    mode = params.get("mode") or "payment"
    _check(account, params, mode)
    lines = [_line(account, each, place, mode) for place, each in enumerate(params.get("line_items") or ())]
    if mode == "subscription" and not any(line["price"]["recurring"] for line in lines):
        raise invalid(_NO_RECURRING, param="line_items")
    currencies = {line["currency"] for line in lines}
    if len(currencies) > 1:
        raise invalid("All prices of a Checkout Session must have one currency.", param="line_items")
    currency = next(iter(currencies), (params.get("currency") or "").lower() or None)
    if params.get("currency") and params["currency"].lower() != currency:
        raise invalid(f"The prices are in {currency}.", param="currency")
    session = shapes.shown(KIND, shapes.new(KIND), PINNED_VERSION)
    identifier = f"cs_test_{account.letters(account.new_id('cs'), 58)}"
    given = {name: value for name, value in params.items() if name not in _PARTS}
    session |= _not_given(account, params, mode)
    shapes.give(session, given, shapes.tree(KIND))
    _check_connected(account, params, sum(line["amount_total"] for line in lines))
    expires = params.get("expires_at") or account.now + DAY
    session.update(
        id=identifier, created=account.now, expires_at=expires, mode=mode, currency=currency, status="open",
        amount_subtotal=None, amount_total=None,
        metadata=merged_metadata({}, params.get("metadata")),
        payment_method_types=params.get("payment_method_types") or ["card"],
        payment_status="no_payment_required",
        invoice_creation=_invoice_creation(params, mode),
        after_expiration=checkout_expiration.shown(params.get("after_expiration")),
        total_details={"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        url=f"https://checkout.stripe.com/c/pay/{identifier}" if session["ui_mode"] == "hosted" else None,
        client_secret=None if session["ui_mode"] == "hosted" else _client_secret(account, identifier),
    )  # fmt: skip
    del session["line_items"]
    account.private_state[identifier] = {each: params[each] for each in _PARTS if params.get(each)}
    checkout_expiration.remember(account, session, params)
    account.link_lines[identifier] = lines
    checkout_amounts.begin(account, session, params, lines)
    if mode == "payment" and session["amount_total"]:
        checked_amount(session["amount_total"], session["currency"], "line_items")
    account.add(KIND, session)
    account.clock.at(expires, "checkout_expires", identifier)
    return session


def _client_secret(account: Account, identifier: str) -> str:
    """What a page of the shop's own needs to show the session."""
    return f"{identifier}_secret_{account.letters(f'secret{identifier}', 40)}"


def _invoice_creation(params: dict[str, Any], mode: str) -> Object | None:
    return checkout_invoices.shown(params.get("invoice_creation")) if mode == "payment" else None


def _not_given(account: Account, params: dict[str, Any], mode: str) -> Object:
    """What an open session shows where nothing was said; of a customer that is there, no more than the e-mail
    address."""
    customer = account.peek("customer", params.get("customer") or "")
    texts = ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
    known = customer and {
        "address": None, "email": customer["email"], "name": None, "phone": None,
        "tax_exempt": customer["tax_exempt"], "tax_ids": None,
    }  # fmt: skip
    saved = customer and {
        "allow_redisplay_filters": ["always"], "payment_method_remove": "disabled",
        "payment_method_save": None,
    }  # fmt: skip
    return {
        "ui_mode": "hosted",
        "payment_method_collection": _COLLECTION.get(mode, "always"),
        "customer_creation": None if customer else _CREATION.get(mode, "always"),
        "collected_information": {"shipping_details": None},
        "custom_text": dict.fromkeys(texts),
        "shipping_cost": None,
        "tax_id_collection": {"enabled": False, "required": "never"},
        "shipping_address_collection": None,
        "customer_details": known,
        "saved_payment_method_options": saved,
    }


def _check(account: Account, params: dict[str, Any], mode: str) -> None:
    if mode != "setup" and not params.get("line_items"):
        raise missing_param("line_items")
    if mode == "setup" and params.get("line_items"):
        raise invalid("You can not pass `line_items` in `setup` mode.", param="line_items")
    if params.get("customer"):
        account.find("customer", params["customer"], "customer")
    if params.get("customer") and params.get("customer_email"):
        raise invalid(
            "You may only specify one of these parameters: customer, customer_email.", param="customer_email"
        )
    checkout_amounts.check(account, params, mode)
    checkout_expiration.check(params)
    checkout_invoices.check(account, params.get("invoice_creation"), one_time=mode == "payment")
    embedded = params.get("ui_mode") == "embedded"
    needed = "return_url" if embedded and params.get("redirect_on_completion") != "never" else "success_url"
    if not params.get(needed) and not (embedded and needed == "success_url"):
        raise missing_param(needed)
    for each, of in zip(_PARTS, ("payment", "setup", "subscription"), strict=True):
        if params.get(each) and mode != of:
            raise invalid(f"You can not pass `{each}` in `{mode}` mode.", param=each)
    soonest, latest = account.now + 30 * 60, account.now + DAY
    if params.get("expires_at") and not soonest <= params["expires_at"] <= latest:
        raise invalid(
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from now.", param="expires_at"
        )


def _check_connected(account: Account, params: dict[str, Any], total: int) -> None:
    """What of the payment is passed on; the accounts that are named."""
    with inside("payment_intent_data"):
        if params.get("payment_intent_data"):
            connected_payments.check(account, {**params["payment_intent_data"], "amount": total})
    with inside("setup_intent_data"):
        connected_billing.check(account, params.get("setup_intent_data") or {})
    with inside("subscription_data"):
        data = params.get("subscription_data") or {}
        connected_billing.check(account, data)
        parties.check_all(account, data)


def _line(account: Account, given: Object, place: int, mode: str) -> Object:
    where = f"line_items[{place}]"
    if bool(given.get("price")) == bool(given.get("price_data")):
        raise invalid_before_execution(f"Give one of {where}[price] and {where}[price_data].", param=where)
    price = (
        named_price(account, given["price"], f"{where}[price]")
        if given.get("price")
        else _priced(account, given["price_data"], where)
    )
    check_quantity(price, given.get("quantity") if metered(price) else None, where)
    counted = not metered(price)
    quantity = given.get("quantity") if counted else given.get("quantity", 1)
    if quantity is None or quantity < 1:
        raise invalid_before_execution(
            f"{where}[quantity] is required, and at least 1.",
            param=f"{where}[quantity]",
            code="parameter_missing",
        )
    if price["recurring"] and mode == "payment":
        raise invalid(_NO_RECURRING, param=f"{where}[price]")
    amount = amount_of(account, price, quantity) if counted else 0
    product = account.peek("product", price["product"]) or {}
    return {
        "id": account.new_id("li"), "object": "item", "amount_discount": 0, "amount_subtotal": amount,
        "amount_tax": 0, "amount_total": amount, "currency": price["currency"],
        "description": product.get("name"), "price": events.snapshot(price),
        "quantity": quantity if counted else None,
    }  # fmt: skip


def _priced(account: Account, data: Object, where: str) -> Object:
    """A price that is made for this session."""
    if data.get("product_data"):
        product = products.create_product(account, dict(data["product_data"]))["id"]
    elif data.get("product"):
        product = account.find("product", data["product"], f"{where}[price_data][product]")["id"]
    else:
        raise missing_param(f"{where}[price_data][product]")
    return add_made_price(account, data, product)


def open_session(account: Account, identifier: str, verb: str) -> Object:
    """A session that can still be completed or expired."""
    session = retrieve(account, {}, identifier)
    if session["status"] != "open":
        raise invalid(
            f'Only Checkout Sessions with a status in ["open"] can be {verb}d. This one is'
            f" {session['status']}."
        )
    return session


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/checkout/sessions/{session}."""
    return account.find(KIND, identifier, "session", what="checkout.session", status=404)


def update(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/checkout/sessions/{session}: metadata."""
    session = retrieve(account, {}, identifier)
    if "metadata" in params:
        session["metadata"] = merged_metadata(session["metadata"], params["metadata"])
    return account.save(KIND, session)


def expire(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/checkout/sessions/{session}/expire."""
    session = open_session(account, identifier, "expire")
    expire_when_due(account, session)
    return session


def expire_when_due(account: Account, session: Object) -> None:
    """Its time is over, unless it was completed."""
    if session["status"] != "open":
        return
    session.update(status="expired", url=None)
    checkout_expiration.open_for_recovery(account, session)
    account.save(KIND, session)
    events.emit(account, "checkout.session.expired", session)


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/checkout/sessions."""
    tests = []
    email = (params.get("customer_details") or {}).get("email")
    if email:
        tests.append(lambda row: (row.value["customer_details"] or {}).get("email") == email)
    return page(
        account, KIND, params, "/v1/checkout/sessions", tests=tests,
        filters=("customer", "payment_intent", "payment_link", "status", "subscription"),
    )  # fmt: skip


def line_items(account: Account, params: dict[str, Any], identifier: str) -> Page:
    """GET /v1/checkout/sessions/{session}/line_items."""
    retrieve(account, {}, identifier)
    return of_objects(
        account.link_lines.get(identifier, []), params, f"/v1/checkout/sessions/{identifier}/line_items"
    )


INCLUDED = checkout_amounts.INCLUDED
ROUTES: dict[str, Handler] = {
    "POST /v1/checkout/sessions": create,
    "GET /v1/checkout/sessions": listing,
    "GET /v1/checkout/sessions/{session}": retrieve,
    "POST /v1/checkout/sessions/{session}": update,
    "POST /v1/checkout/sessions/{session}/expire": expire,
    "GET /v1/checkout/sessions/{session}/line_items": line_items,
}
