"""What changed between the two versions that the sandbox speaks, as a list. Objects are kept in the older
shape.

Answers of the newer version go up the list: each change turns an object of its types into what it became, and
what only the newer types have is added (`newer_fields`).
Calls of the newer version come down: their parameters get the names that they had before. What the newer
version takes and the older one has no name for is refused, but for what is `added`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from stripe_magics.sandbox.api import newer_fields
from stripe_magics.sandbox.core.store import Account, Object

Upgrade = Callable[[Account, Object], None]


@dataclass(frozen=True)
class VersionChange:
    """One dated change: object type -> how it is turned, (pattern, former name) of parameters by operation,
    and what was added there that the handlers know."""

    version: str
    about: str
    objects: dict[str, Upgrade] = field(default_factory=dict)
    params: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    added: dict[str, tuple[str, ...]] = field(default_factory=dict)


def _drop(of: Object, *names: str) -> None:
    for name in names:
        of.pop(name, None)


def _taxes(amounts: list[Object] | None) -> list[Object]:
    return [
        {
            "amount": each["amount"],
            "tax_behavior": "inclusive" if each["inclusive"] else "exclusive",
            "tax_rate_details": {"tax_rate": each["tax_rate"]},
            "taxability_reason": each["taxability_reason"] or "not_available",
            "taxable_amount": each["taxable_amount"],
            "type": "tax_rate_details",
        }
        for each in amounts or ()
    ]


def _pricing(price: Object | None, unit: str | None) -> Object | None:
    if price is None:
        return None
    return {
        "price_details": {"price": price["id"], "product": price["product"]},
        "type": "price_details",
        "unit_amount_decimal": unit,
    }


def _invoice(account: Account, of: Object) -> None:
    subscription, details, quote = (
        of.pop("subscription", None),
        of.pop("subscription_details", None),
        of.pop("quote", None),
    )
    of["parent"] = None
    if subscription:
        of["parent"] = {
            "quote_details": None,
            "subscription_details": {
                "metadata": (details or {}).get("metadata"),
                "subscription": subscription,
            },
            "type": "subscription_details",
        }
    elif quote:
        of["parent"] = {
            "quote_details": {"quote": quote},
            "subscription_details": None,
            "type": "quote_details",
        }
    _provider(of)
    of["amount_paid_off_stripe"] = of["amount_paid"] if of.pop("paid_out_of_band", False) else 0
    of["total_taxes"] = _taxes(of.pop("total_tax_amounts", None))
    _drop(
        of, "application_fee_amount", "charge", "discount", "paid", "payment_intent", "tax", "transfer_data"
    )


def _line(account: Account, of: Object) -> None:
    price, kind = of.pop("price", None), of.pop("type", "invoiceitem")
    proration, details = of.pop("proration", False), of.pop("proration_details", None)
    item, own = of.pop("subscription_item", None), of.pop("invoice_item", None)
    parent = {"proration": proration, "proration_details": details, "subscription": of["subscription"]}
    if kind == "subscription" or item:
        of["parent"] = {
            "invoice_item_details": None,
            "subscription_item_details": {**parent, "invoice_item": own, "subscription_item": item},
            "type": "subscription_item_details",
        }
    else:
        of["parent"] = {
            "invoice_item_details": {**parent, "invoice_item": own},
            "subscription_item_details": None,
            "type": "invoice_item_details",
        }
    of["pricing"] = _pricing(price, of.pop("unit_amount_excluding_tax", None))
    of["taxes"] = _taxes(of.pop("tax_amounts", None))
    of["subtotal"] = of["amount"]
    _drop(of, "amount_excluding_tax", "plan", "tax_rates")


def _invoiceitem(account: Account, of: Object) -> None:
    price, unit = of.pop("price", None), of.pop("unit_amount_decimal", None)
    of["pricing"] = _pricing(price, unit)
    subscription, item = of.pop("subscription", None), of.pop("subscription_item", None)
    of["parent"] = subscription and {
        "subscription_details": {"subscription": subscription, "subscription_item": item},
        "type": "subscription_details",
    }
    of["net_amount"] = of["amount"]
    of["proration_details"] = {"credited_items": None, "discount_amounts": []} if of["proration"] else None
    _drop(of, "plan", "unit_amount")


def _subscription(account: Account, of: Object) -> None:
    _drop(of, "current_period_end", "current_period_start", "discount")


def _subscription_item(account: Account, of: Object) -> None:
    subscription = account.peek("subscription", of["subscription"]) or {}
    for name in ("current_period_end", "current_period_start"):
        of[name] = subscription.get(name, of["created"])


def _without_invoice(account: Account, of: Object) -> None:
    _drop(of, "invoice")


def _credit_note(account: Account, of: Object) -> None:
    refund = of.pop("refund", None)
    of["refunds"] = []
    if refund:
        amount = (account.peek("refund", refund) or {}).get("amount", of["total"])
        of["refunds"] = [
            {"amount_refunded": amount, "payment_record_refund": None, "refund": refund, "type": "refund"}
        ]
    of["total_taxes"] = _taxes(of.pop("tax_amounts", None))


def _credit_note_line(account: Account, of: Object) -> None:
    of["taxes"] = _taxes(of.pop("tax_amounts", None))
    _drop(of, "amount_excluding_tax", "unit_amount_excluding_tax")


def _plan(account: Account, of: Object) -> None:
    _drop(of, "aggregate_usage")


def _price(account: Account, of: Object) -> None:
    if of.get("recurring"):
        _drop(of["recurring"], "aggregate_usage")


def _billing_mode(account: Account, of: Object) -> None:
    of["billing_mode"] = {"flexible": None, "type": "classic", "updated_at": None}


def _dispute(account: Account, of: Object) -> None:
    submitted = of["evidence_details"]["submission_count"]
    of["evidence_details"]["submission_method"] = "manual" if submitted else "not_submitted"
    card = of["payment_method_details"].get("card")
    if card:
        card["network"] = card["brand"]


def _credit_note_amounts(account: Account, of: Object) -> None:
    paid = of["type"] == "post_payment"
    of.update(
        customer_account=None,
        post_payment_amount=of["total"] if paid else 0,
        pre_payment_amount=0 if paid else of["total"],
    )


def _provider(of: Object) -> None:
    """Who finds the tax."""
    of["automatic_tax"]["provider"] = "stripe" if of["automatic_tax"]["enabled"] else None


def _quote(account: Account, of: Object) -> None:
    _provider(of)
    of["subscription_data"]["billing_mode"] = {"flexible": None, "type": "classic"}


def _schedule(account: Account, of: Object) -> None:
    for phase in of["phases"]:
        _drop(phase, "coupon")


def _portal_configuration(account: Account, of: Object) -> None:
    duration = {"interval_options": [], "type": "indefinite"}
    of["features"].setdefault("subscription_pause", {"duration": duration, "enabled": False})
    of["features"]["subscription_update"].setdefault("trial_update_behavior", "end_trial")


def _tax_settings(account: Account, of: Object) -> None:
    of["defaults"].setdefault("provider", "stripe")


def _checkout_session(account: Account, of: Object) -> None:
    _provider(of)
    of["ui_mode"] = UI_MODES.get(of["ui_mode"], of["ui_mode"])
    shipping = of.pop("shipping_details", None)
    if shipping:
        of["collected_information"] = {**(of["collected_information"] or {}), "shipping_details": shipping}


def _account(account: Account, of: Object) -> None:
    invoices = (of.get("settings") or {}).get("invoices")
    if invoices:
        invoices["hosted_payment_method_save"] = "offer"


def _customer_session(account: Account, of: Object) -> None:
    for name in ("active_entitlements", "customer_portal"):
        of["components"].setdefault(name, {"enabled": False})
    for name in ("customer_sheet", "mobile_payment_element"):
        of["components"].setdefault(name, {"enabled": False, "features": None})


def _discount(account: Account, of: Object) -> None:
    coupon = of.pop("coupon", None)
    of["source"] = {"coupon": coupon["id"] if isinstance(coupon, dict) else coupon, "type": "coupon"}


def _promotion_code(account: Account, of: Object) -> None:
    coupon = of.pop("coupon", None)
    of["promotion"] = {"coupon": coupon["id"] if isinstance(coupon, dict) else coupon, "type": "coupon"}


def _with(**added: Any) -> Upgrade:
    def upgraded(account: Account, of: Object) -> None:
        for name, value in added.items():
            of.setdefault(name, value)

    return upgraded


def _allowed_types(account: Account, of: Object) -> None:
    """Types that were named are the only ones; else all that are switched on may do."""
    named = of["payment_method_types"] if of.get("automatic_payment_methods") is None else None
    of["allowed_payment_method_types"] = named


def _decimal_quantity(account: Account, of: Object) -> None:
    of["quantity_decimal"] = str(of["quantity"] if of.get("quantity") is not None else 1)


UI_MODES = {"hosted": "hosted_page", "embedded": "embedded_page", "custom": "elements"}
"""How pages of a checkout session were called -> are called."""
_FORMER_VALUES: dict[str, dict[str, dict[str, str]]] = {
    "POST /v1/checkout/sessions": {"ui_mode": {newer: older for older, newer in UI_MODES.items()}}
}
"""Operation -> parameter -> the newer version's value -> what it was before."""
_PRICED = (("pricing[price]", "price"),)
_ALLOWED = ((r"^allowed_payment_method_types(?=\[|\Z)", "payment_method_types"),)
_WITH_TYPES = (
    "POST /v1/payment_intents", "POST /v1/payment_intents/{intent}",
    "POST /v1/payment_intents/{intent}/confirm", "POST /v1/setup_intents", "POST /v1/setup_intents/{intent}",
    "POST /v1/checkout/sessions",
)  # fmt: skip
_LINES = ((r"lines\[(\d*)\]\[pricing\]\[price\]", r"lines[\1][price]"),)

CHANGES = (
    VersionChange(
        "2025-03-31.basil",
        "What an invoice comes from is its parent, what pays it its payments; prices stand by their ids;"
        " periods belong to the items",
        {
            "invoice": _invoice, "line_item": _line, "invoiceitem": _invoiceitem,
            "subscription": _subscription, "subscription_item": _subscription_item,
            "charge": _without_invoice, "payment_intent": _without_invoice,
            "subscription_schedule": _schedule, "account": _account, "checkout.session": _checkout_session,
            "billing_portal.configuration": _portal_configuration, "tax.settings": _tax_settings,
            "credit_note": _credit_note, "credit_note_line_item": _credit_note_line, "plan": _plan,
            "price": _price,
        },
        {
            "POST /v1/invoiceitems": _PRICED, "POST /v1/invoiceitems/{invoiceitem}": _PRICED,
            "POST /v1/invoices/{invoice}/lines/{line_item_id}": _PRICED,
            "POST /v1/invoices/{invoice}/add_lines": _LINES,
            "POST /v1/invoices/{invoice}/update_lines": _LINES,
            "POST /v1/credit_notes": (("refunds[0][refund]", "refund"),),
        },
    ),
    VersionChange(
        "2025-06-30.basil", "Subscriptions say how they are billed",
        {"subscription": _billing_mode, "subscription_schedule": _billing_mode, "quote": _quote}
    ),
    VersionChange(
        "2025-09-30.clover", "A discount has a source, a promotion code a promotion",
        {"discount": _discount, "promotion_code": _promotion_code},
        {"POST /v1/promotion_codes": (("promotion[coupon]", "coupon"), ("promotion[type]", ""))},
    ),
    VersionChange(
        "2026-10-28.endive", "What came on top",
        {
            "balance_transaction": _with(balance_type="payments"),
            "customer": _with(business_name=None, customer_account=None, individual_name=None),
            "invoice": _with(customer_account=None, amount_overpaid=0), "dispute": _dispute,
            "customer_session": _customer_session, "invoiceitem": _decimal_quantity,
            "line_item": _decimal_quantity,
            "subscription": _with(billing_schedules=[], customer_account=None),
            "subscription_schedule": _with(customer_account=None, pause_schedules=[]),
            "credit_note": _credit_note_amounts, "quote": _with(customer_account=None),
            "discount": _with(customer_account=None),
            "promotion_code": _with(customer_account=None), "product": _with(tax_details=None),
            "payout": _with(payout_method=None), "person": _with(us_cfpb_data=None),
            "tax_id": _with(customer_account=None),
            "billing.credit_grant": _with(customer_account=None),
            "billing.credit_balance_summary": _with(customer_account=None),
            "cash_balance": _with(customer_account=None),
            "customer_cash_balance_transaction": _with(customer_account=None),
            "customer_balance_transaction": _with(customer_account=None, checkout_session=None),
            "payment_intent": _allowed_types, "setup_intent": _allowed_types,
        },
        dict.fromkeys(_WITH_TYPES, _ALLOWED),
        added={
            "POST /v1/payment_links/{payment_link}": (
                "application_fee_amount", "application_fee_percent", "on_behalf_of", "transfer_data"
            ),
            "POST /v1/subscription_schedules": ("phases[duration]",),
            "POST /v1/subscription_schedules/{schedule}": ("phases[duration]",),
        },
    ),
)  # fmt: skip


def upgrade(account: Account, value: object) -> None:
    """Turn an answer in the older shape into the newer one, in place. Events keep the shape of their
    version."""
    if isinstance(value, list):
        for each in value:
            upgrade(account, each)
        return
    if not isinstance(value, dict) or value.get("object") == "event":
        return
    for each in value.values():
        if isinstance(each, (dict, list)):
            upgrade(account, each)
    kind = value.get("object")
    if kind is None or value.get("deleted"):
        return
    for change in CHANGES:
        turn = change.objects.get(kind)
        if turn is not None:
            turn(account, value)
    newer_fields.complete(kind, value)


def downgrade(name: str, given: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The parameters of a call of the newer version under their former names; those that say nothing new are
    left out."""
    values = _FORMER_VALUES.get(name, {})
    given = [(each, values.get(each, {}).get(value, value)) for each, value in given]
    renames = [rename for change in reversed(CHANGES) for rename in change.params.get(name, ())]
    if not renames:
        return given
    found = []
    for each, value in given:
        former: str | None = each
        for pattern, older in renames:
            if "\\" in pattern:
                former = re.sub(pattern, older, former or "")
            elif each == pattern:
                former = older
        if former:
            found.append((former, value))
    return found


def added(name: str) -> tuple[str, ...]:
    """The parameters of an operation that only the newer version has, and that are simulated."""
    return tuple(each for change in CHANGES for each in change.added.get(name, ()))


AUTOMATIC_SINCE = "2023-08-16"
ASYNC_CAPTURE_SINCE = "2024-04-10"


def with_former_defaults(name: str, asked: str, params: dict[str, Any]) -> dict[str, Any]:
    """The parameters with what a version before the two that are served took for granted of a payment intent:
    cards alone, capture at once."""
    if name != "POST /v1/payment_intents" or not asked:
        return params
    types = {"payment_method_types", "automatic_payment_methods"}
    if asked[:10] < AUTOMATIC_SINCE and not types & set(params):
        params = {**params, "payment_method_types": ["card"]}
    if asked[:10] < ASYNC_CAPTURE_SINCE:
        params = {"capture_method": "automatic", **params}
    return params
