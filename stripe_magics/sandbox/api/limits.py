"""How long texts and lists may be, and how large amounts, where it isn't the usual (texts: 5,000 characters):
from Stripe's OpenAPI (`maxLength`) and its documentation. One table; the shapes of `parameters` follow it.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from stripe_magics import money
from stripe_magics.sandbox.api.errors import invalid_before_execution

_AMOUNTS = frozenset({
    "amount_off", "flat_amount", "flat_amount_decimal", "minimum_amount", "unit_amount",
    "unit_amount_decimal",
})  # fmt: skip
"""Parameters that are an amount of money wherever they stand."""

_EVIDENCE = {
    f"evidence[{name}]": 20_000
    for name in (
        "access_activity_log", "cancellation_policy_disclosure", "cancellation_rebuttal",
        "duplicate_charge_explanation", "product_description", "refund_policy_disclosure",
        "refund_refusal_explanation", "uncategorized_text",
    )
}  # fmt: skip
_PRODUCT = {"description": 40_000, "unit_label": 12}
_OFFER = {
    "invoice_creation[invoice_data][description]": 1500,
    "line_items[][price_data][product_data][description]": 40_000,
    "payment_intent_data[description]": 1000,
    "subscription_data[description]": 500,
    "custom_fields[][key]": 200, "custom_fields[][label][custom]": 50,
    "custom_fields[][dropdown][options][][label]": 100, "custom_fields[][dropdown][options][][value]": 100,
}  # fmt: skip
TEXTS: dict[str, dict[str, int]] = {
    "/v1/billing_portal/configurations": {"business_profile[headline]": 60},
    "/v1/charges": {"description": 40_000, "customer": 500},
    "/v1/checkout/sessions": {**_OFFER, "client_reference_id": 200},
    "/v1/coupons": {"name": 40},
    "/v1/customers": {"email": 512, "name": 256, "phone": 20},
    "/v1/customers/{customer}/balance_transactions": {"description": 350},
    **{f"/v1/customers/{{customer}}/{name}": {} for name in ("bank_accounts", "cards", "sources")},
    "/v1/disputes": _EVIDENCE,
    "/v1/invoices": {"description": 1500},
    "/v1/payment_intents": {"description": 1000},
    "/v1/payment_links": {**_OFFER, "after_completion[hosted_confirmation][custom_message]": 500,
        "after_completion[redirect][url]": 2048},
    "/v1/plans": {"product[unit_label]": 12},
    "/v1/prices": {"lookup_key": 200, "product_data[unit_label]": 12},
    "/v1/products": _PRODUCT,
    "/v1/promotion_codes": {"code": 500},
    "/v1/quotes": {"description": 500, "footer": 500, "header": 50, "subscription_data[description]": 500},
    "/v1/radar/value_list_items": {"value": 800},
    "/v1/radar/value_lists": {"alias": 100, "name": 100},
    "/v1/setup_intents": {"description": 1000},
    "/v1/shipping_rates": {"display_name": 100},
    "/v1/subscription_schedules": {"default_settings[description]": 500, "phases[][description]": 500},
    "/v1/subscriptions": {"description": 500},
    "/v1/tax_rates": {"display_name": 50, "jurisdiction": 50, "state": 2},
    "/v1/test_helpers/test_clocks": {"name": 300},
}  # fmt: skip
"""Path, with all that is below it up to a longer one -> text parameter -> characters at most."""
LISTS: dict[str, dict[str, int]] = {
    "/v1/checkout/sessions": {"custom_fields": 3, "line_items": 100},
    "/v1/customers": {"invoice_settings[custom_fields]": 4},
    "/v1/invoices": {"custom_fields": 4, "discounts": 20, "lines": 250},
    "/v1/payment_links": {"custom_fields": 3, "line_items": 20},
    "/v1/products": {"images": 8, "marketing_features": 15},
    "/v1/subscription_schedules": {"phases[][add_invoice_items]": 20, "phases[][items]": 20},
    "/v1/subscriptions": {"add_invoice_items": 20, "discounts": 20},
}
"""The same for lists -> elements at most."""


def check_amounts(given: Any, currency: str = "", where: str = "") -> None:
    """Refuse an amount that is too large for its currency, which stands beside it or around it: that of a
    price is that of its tiers. One without a currency has the digits that some currency may have."""
    if isinstance(given, list):
        for place, each in enumerate(given):
            check_amounts(each, currency, f"{where}[{place}]")
    if not isinstance(given, dict):
        return
    beside = given.get("currency") or given.get("minimum_amount_currency")
    currency = beside if isinstance(beside, str) else currency
    for name, each in given.items():
        at = f"{where}[{name}]" if where else name
        if name == "currency_options" and isinstance(each, dict):
            for code, option in each.items():
                check_amounts(option, code, f"{at}[{code}]")
        elif name in _AMOUNTS:
            _check_amount(each, currency, at)
        elif name != "metadata":
            check_amounts(each, currency, at)


def _check_amount(value: Any, currency: str, where: str) -> None:
    try:
        number = Decimal(value or 0)
    except (InvalidOperation, TypeError, ValueError):
        return  # refused where its form is read
    most = money.maximum(currency) if currency else money.LARGEST
    if number.is_finite() and number > most:  # nan has no order
        in_money = f" ({money.format_amount(most, currency)})" if currency.lower() in money.CURRENCIES else ""
        raise invalid_before_execution(
            f"{where} must be no more than {most}{in_money}.", param=where, code="amount_too_large"
        )


def limited(path: str, names: dict[str, Any]) -> dict[str, Any]:
    """A path's shape ("POST /v1/customers"), with its limits."""
    method, _, where = path.partition(" ")
    if method != "POST":
        return names
    for table in (TEXTS, LISTS):
        for name, most in _of(table, where).items():
            names = _put(names, name.replace("[]", "[*]").replace("]", "").split("["), most)
    return names


def _of(table: dict[str, dict[str, int]], where: str) -> dict[str, int]:
    fitting = [each for each in table if where == each or where.startswith(f"{each}/")]
    return table[max(fitting, key=len)] if fitting else {}


def _put(names: dict[str, Any], way: list[str], most: int) -> dict[str, Any]:
    head, *rest = way
    if head not in names:
        return names  # this version, or this call, doesn't have it
    kind, *flags = names[head]
    return {**names, head: (_limit(kind, rest, most), *flags)}


def _limit(kind: Any, rest: list[str], most: int) -> Any:
    if not rest and kind == "s":
        return f"s{most}"
    if not isinstance(kind, tuple):
        return kind
    form, inner = kind[:2]
    if form == "one of":
        return (form, tuple(_limit(each, rest, most) for each in inner))
    if form == "array":
        return (form, _limit(inner, rest[1:], most)) if rest else (form, inner, most)
    return (form, _put(inner, rest, most)) if form == "object" and rest else kind
