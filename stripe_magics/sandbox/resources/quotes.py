"""Quotes: an offer, final for some days, that becomes a subscription or an invoice when it is accepted.

draft -> open -> accepted | canceled        draft -> canceled
"""

from __future__ import annotations

from typing import Any

from stripe_magics import money
from stripe_magics.sandbox.api.dispatcher import Document, Handler
from stripe_magics.sandbox.api.errors import invalid
from stripe_magics.sandbox.api.pagination import Page, inline, of_objects, page
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.clock import DAY
from stripe_magics.sandbox.core.clock_of_request import check_clock
from stripe_magics.sandbox.core.metadata import take
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources import discounts
from stripe_magics.sandbox.resources.connect import connected_billing, parties
from stripe_magics.sandbox.resources.pdf_page import pdf_page
from stripe_magics.sandbox.resources.quote_acceptance import invoice_once, subscribe
from stripe_magics.sandbox.resources.quote_lines import compute, lines_given, shown_line

VALID_FOR = 30 * DAY
_PLAIN = ("description", "footer", "header", "metadata", "collection_method", "expires_at")


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/quotes."""
    if params.get("from_quote"):
        return _copied(account, params)
    quote = _blank(account)
    lines = lines_given(account, params.get("line_items") or [])
    _apply(account, quote, params)
    _connect(account, quote, lines, params)
    account.add("quote", quote)
    compute(account, quote, lines)
    events.emit(account, "quote.created", quote)
    return quote


def _connect(account: Account, quote: Object, lines: list[Object], params: dict[str, Any]) -> None:
    """What its payments pass on; it must go together with the lines."""
    recurring = any(line["price"]["recurring"] for line in lines) if lines else None
    said = {
        name: quote[name] for name in connected_billing.OF_OFFERS if quote[name] is not None
    }  # fmt: skip
    given = {name: params[name] for name in connected_billing.OF_OFFERS if name in params}
    connected_billing.check_offer(account, {**said, **given}, recurring=recurring)
    connected_billing.describe(account, quote, given)


def _copied(account: Account, params: dict[str, Any]) -> Object:
    former = account.find("quote", params["from_quote"]["quote"], "from_quote[quote]")
    quote = {
        **events.snapshot(former),
        **{name: value for name, value in _blank(account).items() if name in _FRESH},
    }
    quote["from_quote"] = {
        "is_revision": params["from_quote"].get("is_revision", False),
        "quote": former["id"],
    }
    _apply(
        account,
        quote,
        {name: value for name, value in params.items() if name not in {"from_quote", "line_items"}},
    )
    account.add("quote", quote)
    lines = (
        lines_given(account, params["line_items"])
        if params.get("line_items")
        else [{**each, "id": account.new_id("li")} for each in account.link_lines[former["id"]]]
    )
    _connect(account, quote, lines, params)
    compute(account, quote, lines)
    events.emit(account, "quote.created", quote)
    return quote


_FRESH = frozenset(
    {
        "id",
        "created",
        "expires_at",
        "invoice",
        "number",
        "status",
        "status_transitions",
        "subscription",
        "subscription_schedule",
    }
)


def _blank(account: Account) -> Object:
    return {
        "id": account.new_id("qt"), "object": "quote", "amount_subtotal": 0, "amount_total": 0,
        "application": None, "application_fee_amount": None, "application_fee_percent": None,
        "automatic_tax": {"enabled": False, "liability": None, "status": None},
        "collection_method": "charge_automatically", "computed": {"recurring": None, "upfront": None},
        "created": account.now, "currency": None, "customer": None, "default_tax_rates": [],
        "description": None, "discounts": [], "expires_at": account.now + VALID_FOR, "footer": None,
        "from_quote": None, "header": None, "invoice": None,
        "invoice_settings": {"days_until_due": None, "issuer": {"type": "self"}}, "livemode": False,
        "metadata": {}, "number": None, "on_behalf_of": None, "status": "draft",
        "status_transitions": {"accepted_at": None, "canceled_at": None, "finalized_at": None},
        "subscription": None,
        "subscription_data": {"description": None, "effective_date": None, "metadata": None,
            "trial_period_days": None},
        "subscription_schedule": None, "test_clock": None,
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0}, "transfer_data": None,
    }  # fmt: skip


def _apply(account: Account, quote: Object, params: dict[str, Any]) -> None:
    parties.check_all(account, params)
    if params.get("test_clock"):
        check_clock(account, params["test_clock"])
    if params.get("expires_at") is not None and params["expires_at"] <= account.now:
        raise invalid("expires_at must lie in the future.", param="expires_at")
    if params.get("customer"):
        quote["customer"] = account.find("customer", params["customer"], "customer")["id"]
    take(quote, params, _PLAIN)
    if "default_tax_rates" in params:
        quote["default_tax_rates"] = [
            account.find("tax_rate", each, "default_tax_rates")["id"]
            for each in params["default_tax_rates"] or ()
        ]
    if params.get("invoice_settings"):
        quote["invoice_settings"] = {**quote["invoice_settings"], **params["invoice_settings"]}
        quote["invoice_settings"]["issuer"] = parties.party(quote["invoice_settings"]["issuer"])
    if params.get("subscription_data"):
        quote["subscription_data"] = {**quote["subscription_data"], **params["subscription_data"]}
    if params.get("automatic_tax"):
        quote["automatic_tax"] = {
            **quote["automatic_tax"],
            "enabled": params["automatic_tax"]["enabled"],
            "liability": parties.liability(params["automatic_tax"]),
        }
    if "discounts" in params:
        discounts.check(account, params["discounts"], "discounts", quote["customer"])
        account.private_state.setdefault(quote["id"], {})["discounts"] = params["discounts"] or []
        quote["discounts"] = [
            each.get("coupon") or each.get("promotion_code") or each.get("discount")
            for each in params["discounts"] or ()
        ]


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/quotes/{quote}."""
    return account.find("quote", identifier, "quote", status=404)


def update(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/quotes/{quote}: drafts only."""
    quote = retrieve(account, {}, identifier)
    if quote["status"] != "draft" and set(params) - {"metadata", "expires_at", "expand"}:
        raise invalid(f"A quote that is {quote['status']} can't be changed: only drafts can.")
    lines = account.link_lines[identifier]
    if "line_items" in params:
        lines = lines_given(account, params["line_items"] or [], kept=lines)
    _apply(account, quote, params)
    if {"line_items", *connected_billing.OF_OFFERS} & set(params):
        _connect(account, quote, lines, params)
    compute(account, quote, lines)
    return quote


def finalize(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/quotes/{quote}/finalize."""
    quote = retrieve(account, {}, identifier)
    if quote["status"] != "draft":
        raise invalid(f"Only a draft can be finalized; the status of this quote is {quote['status']}.")
    if not quote["customer"]:
        raise invalid("A quote needs a customer before it is finalized.", param="customer")
    if not account.link_lines[identifier]:
        raise invalid("A quote needs line items before it is finalized.", param="line_items")
    connected_billing.check_total(quote, quote["amount_total"])
    if params.get("expires_at") is not None:
        if params["expires_at"] <= account.now:
            raise invalid("expires_at must lie in the future.", param="expires_at")
        quote["expires_at"] = params["expires_at"]
    customer = account.find("customer", quote["customer"], "customer")
    number = account.private_state.setdefault(customer["id"], {}).get("quotes", 0) + 1
    account.private_state[customer["id"]]["quotes"] = number
    quote.update(status="open", number=f"QT-{customer['invoice_prefix']}-{number:04d}-1")
    quote["status_transitions"]["finalized_at"] = account.now
    account.save("quote", quote)
    account.clock.at(quote["expires_at"], "quote_expires", identifier)
    events.emit(account, "quote.finalized", quote)
    return quote


def cancel(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/quotes/{quote}/cancel."""
    quote = retrieve(account, {}, identifier)
    if quote["status"] not in {"draft", "open"}:
        raise invalid(f"A quote that is {quote['status']} can't be canceled.")
    _cancel(account, quote)
    return quote


def _cancel(account: Account, quote: Object) -> None:
    quote["status"] = "canceled"
    quote["status_transitions"]["canceled_at"] = account.now
    account.save("quote", quote)
    events.emit(account, "quote.canceled", quote)


def expire(account: Account, quote: Object) -> None:
    """Nobody accepted it in time."""
    if quote["status"] == "open" and quote["expires_at"] <= account.now:
        _cancel(account, quote)


def accept(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/quotes/{quote}/accept: what recurs becomes a subscription, the rest stands on its first
    invoice or on one of its own."""
    quote = retrieve(account, {}, identifier)
    if quote["status"] != "open":
        raise invalid(f"Only an open quote can be accepted; the status of this one is {quote['status']}.")
    lines = account.link_lines[identifier]
    once = [line for line in lines if not line["price"]["recurring"]]
    named = account.private_state.get(identifier, {}).get("discounts", [])
    settings: dict[str, Any] = {
        "collection_method": quote["collection_method"],
        "metadata": quote["metadata"],
        "discounts": named,
    }
    days = quote["invoice_settings"]["days_until_due"]
    if quote["collection_method"] == "send_invoice":
        settings["days_until_due"] = 30 if days is None else days
    if quote["default_tax_rates"]:
        settings["default_tax_rates"] = quote["default_tax_rates"]
    if quote["automatic_tax"]["enabled"]:
        settings["automatic_tax"] = {"enabled": True, "liability": quote["automatic_tax"]["liability"]}
    if len(once) < len(lines):
        subscribe(account, quote, lines, settings)
    else:
        invoice_once(account, quote, once, settings)
    quote["status"] = "accepted"
    quote["status_transitions"]["accepted_at"] = account.now
    account.save("quote", quote)
    events.emit(account, "quote.accepted", quote)
    return quote


def line_items(account: Account, params: dict[str, Any], identifier: str) -> Page:
    """GET /v1/quotes/{quote}/line_items."""
    retrieve(account, {}, identifier)
    return of_objects(
        [shown_line(line) for line in account.link_lines[identifier]],
        params,
        f"/v1/quotes/{identifier}/line_items",
    )


def upfront(account: Account, params: dict[str, Any], identifier: str) -> Page:
    """GET /v1/quotes/{quote}/computed_upfront_line_items: what is paid at once."""
    retrieve(account, {}, identifier)
    return of_objects(
        [shown_line(line) for line in account.link_lines[identifier]],
        params,
        f"/v1/quotes/{identifier}/computed_upfront_line_items",
    )


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/quotes."""
    return page(account, "quote", params, "/v1/quotes", filters=("customer", "status"))


def pdf(account: Account, params: dict[str, Any], identifier: str) -> Document:
    """GET /v1/quotes/{quote}/pdf: one plain page."""
    quote = retrieve(account, {}, identifier)
    if quote["status"] == "draft" or not quote["number"]:
        raise invalid("Finalize the quote before you download its PDF.")
    rows = [f"Quote {quote['number']}"]
    for line in account.link_lines[identifier]:
        amount = money.format_amount(line["amount_subtotal"], line["currency"])
        counted = f"{line['quantity']} x " if line["quantity"] is not None else ""
        rows.append(f"{counted}{line['description']}: {amount}")
    rows.append(f"Total: {money.format_amount(quote['amount_total'], quote['currency'])}")
    return Document("application/pdf", pdf_page(rows))


def _upfront_lines(account: Account, quote: Object) -> Object | None:
    """`computed.upfront.line_items`, where it is asked for."""
    if not quote["computed"]["upfront"]:
        return None
    return inline(
        [shown_line(line) for line in account.link_lines[quote["id"]]],
        f"/v1/quotes/{quote['id']}/computed_upfront_line_items",
    )


INCLUDED = {("quote", "computed.upfront.line_items"): _upfront_lines}
ROUTES: dict[str, Handler] = {
    "GET /v1/quotes": listing,
    "POST /v1/quotes": create,
    "GET /v1/quotes/{quote}": retrieve,
    "POST /v1/quotes/{quote}": update,
    "POST /v1/quotes/{quote}/accept": accept,
    "POST /v1/quotes/{quote}/cancel": cancel,
    "POST /v1/quotes/{quote}/finalize": finalize,
    "GET /v1/quotes/{quote}/line_items": line_items,
    "GET /v1/quotes/{quote}/computed_upfront_line_items": upfront,
    "GET /v1/quotes/{quote}/pdf": pdf,
}
