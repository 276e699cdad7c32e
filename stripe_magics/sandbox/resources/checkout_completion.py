"""A checkout session is completed by a helper, as the customer would on its page:

    POST /v1/test_helpers/checkout/sessions/{session}/complete
    with payment_method=pm_card_visa, email=, name=, address[country]=, promotion_code=, shipping_rate=,
    line_items[0][id]= with line_items[0][quantity]= where it is adjustable

A decline leaves the session open: the customer would try another card.
"""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import inside, invalid
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.checks import checked_country
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources import (
    checkout_amounts,
    checkout_invoices,
    checkout_shipping,
    customers,
    made_prices,
    setup_intents,
)
from stripe_magics.sandbox.resources.checkout_sessions import KIND, open_session
from stripe_magics.sandbox.resources.payment_intents import payment_attempts, payment_intents
from stripe_magics.sandbox.resources.payment_methods.method_creation import address
from stripe_magics.sandbox.resources.payment_methods.payment_methods import use
from stripe_magics.sandbox.resources.subscriptions import creation


def complete(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """The customer pays, subscribes or leaves a method (a helper's path). A decline is raised, and the
    session stays open."""
    session = open_session(account, identifier, "complete")
    with inside("address"):
        checked_country((params.get("address") or {}).get("country"), "country")
    method = use(account, params.get("payment_method") or "pm_card_visa")
    notes = account.private_state.get(identifier, {})
    customer = _customer(account, session, params, notes.get("customer_update") or {})
    _choose(account, session, params, customer)
    account.save(KIND, session)
    _DONE[session["mode"]](account, session, method, customer, notes)
    known = account.peek("customer", customer or "") or {}
    session.update(
        status="complete", customer=customer, url=None,
        customer_details={
            "address": known.get("address") or _full_address(params),
            "email": known.get("email") or params.get("email") or session["customer_email"],
            "name": known.get("name") or params.get("name"), "phone": known.get("phone"),
            "tax_exempt": known.get("tax_exempt") or "none", "tax_ids": [],
        },
    )  # fmt: skip
    account.save(KIND, session)
    if session["mode"] == "payment" and session["payment_status"] != "unpaid":
        checkout_invoices.after_payment(account, session)
    events.emit(account, "checkout.session.completed", session)
    return session


def _customer(
    account: Account, session: Object, params: dict[str, Any], updates: dict[str, str]
) -> str | None:
    """Who pays: one that is there (what the page may change of them is changed), a new one, or a guest."""
    given = {"name": params.get("name"), "address": params.get("address")}
    if session["customer"]:
        changed = {name: value for name, value in given.items() if value and updates.get(name) == "auto"}
        if changed:
            customers.update(account, changed, session["customer"])
        return str(session["customer"])
    needed = session["customer_creation"] == "always" or checkout_invoices.asked_for(session)
    if session["mode"] == "payment" and not needed:
        return None  # a guest
    given["email"] = params.get("email") or session["customer_email"]
    return str(customers.create(account, {name: each for name, each in given.items() if each})["id"])


def _full_address(params: dict[str, Any]) -> Object | None:
    return address(params["address"]) if params.get("address") else None


def _choose(account: Account, session: Object, params: dict[str, Any], customer: str | None) -> None:
    """What is decided on the page: where the customer is, how things are sent, a promotion code."""
    lines = account.link_lines[session["id"]]
    checkout_amounts.choose_quantities(account, session, params.get("line_items") or [])
    if params.get("promotion_code"):
        if not session["allow_promotion_codes"]:
            raise invalid("The session takes no promotion codes.", param="promotion_code")
        code = {"promotion_code": params["promotion_code"]}
        checkout_amounts.use_discount(account, session, code, lines, "promotion_code")
    if params.get("shipping_rate"):
        checkout_shipping.choose(session, params["shipping_rate"])
    known = account.peek("customer", customer or "") or {}
    where = known.get("address") or (_full_address(params) if customer is None else None)
    if lines:
        checkout_amounts.compute(account, session, lines, where, known)
    if session["automatic_tax"]["status"] == "requires_location_inputs":
        raise invalid(
            "The tax can't be found without the customer's address: complete the session with"
            " address[country] and, in the US, address[state] or address[postal_code].",
            param="address",
            code="customer_tax_location_invalid",
        )


def _pay(account: Account, session: Object, method: Object, customer: str | None, notes: Object) -> None:
    if session["amount_total"]:
        _charge(account, session, method, customer, notes)
    checkout_amounts.redeem(account, session, customer)


def _charge(account: Account, session: Object, method: Object, customer: str | None, notes: Object) -> None:
    data = notes.get("payment_intent_data", {})
    intent = payment_intents.create(account, {
        **data, "amount": session["amount_total"], "currency": session["currency"], "confirm": True,
        "payment_method": method["id"],
        "payment_method_types": session["payment_method_types"],
        **({"customer": customer} if customer else {}),
    })  # fmt: skip
    if intent["status"] == "requires_action":  # the customer is there, and answers
        payment_attempts.complete_authentication(account, intent, passed=True)
    paid = intent["status"] == "succeeded"
    session.update(payment_intent=intent["id"], payment_status="paid" if paid else "unpaid")


def _subscribe(
    account: Account, session: Object, method: Object, customer: str | None, notes: Object
) -> None:
    lines = account.link_lines[session["id"]]
    rates = notes.get("rates", {})
    given = [
        (bool(each["price"]["recurring"]), {
            made_prices.named_by(each): each["price"]["id"],
            **({} if each["quantity"] is None else {"quantity": each["quantity"]}),
            **({"tax_rates": rates[each["id"]]} if each["id"] in rates else {}),
        })
        for each in lines
    ]  # fmt: skip
    items = [each for recurs, each in given if recurs]
    once = [each for recurs, each in given if not recurs]
    discounted = checkout_amounts.given_discounts(session)
    taxed = session["automatic_tax"]
    setup_intents.keep_method(account, method, str(customer))
    with made_prices.usable(account, lines):
        subscription = creation.create(account, {
            **notes.get("subscription_data", {}), "customer": customer, "items": items,
            "default_payment_method": method["id"],
            "payment_behavior": "error_if_incomplete", **({"add_invoice_items": once} if once else {}),
            **({"discounts": discounted} if discounted else {}),
            **({"automatic_tax": {"enabled": True, "liability": taxed["liability"]}}
                if taxed["enabled"] else {}),
        })  # fmt: skip
    session.update(
        subscription=subscription["id"], invoice=subscription["latest_invoice"],
        payment_status="no_payment_required" if subscription["status"] == "trialing" else "paid",
    )  # fmt: skip


def _set_up(account: Account, session: Object, method: Object, customer: str | None, notes: Object) -> None:
    intent = setup_intents.create(account, {
        **notes.get("setup_intent_data", {}), "confirm": True, "payment_method": method["id"],
        "customer": customer,
    })  # fmt: skip
    if intent["status"] == "requires_action":
        intent = setup_intents.authenticate(account, {}, intent["id"])
    session.update(setup_intent=intent["id"], payment_status="no_payment_required")


_DONE = {"payment": _pay, "subscription": _subscribe, "setup": _set_up}

_COMPLETE = "POST /v1/test_helpers/checkout/sessions/{session}/complete"
SHAPES: dict[str, dict[str, Any]] = {
    _COMPLETE: {
        "payment_method": "s",
        "email": "s",
        "name": "s",
        "promotion_code": "s",
        "shipping_rate": "s",
        "address": {"o": dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"), "s")},
        "line_items": {"a": {"o": {"id!": "s", "quantity!": "i"}}},
        "expand": {"a": "s"},
    }
}
ROUTES: dict[str, Handler] = {_COMPLETE: complete}
