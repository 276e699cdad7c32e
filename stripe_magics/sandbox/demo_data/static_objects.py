"""The shapes of the demo account's objects that don't depend on what happened: products, prices, coupons, tax
rates, links, cards.

Parts that many objects share (a price inside a line, a card inside a charge) are encoded once, as
`msgspec.Raw`, and written as they are.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

import msgspec

from stripe_magics.sandbox.core.store import Account, Object, encode
from stripe_magics.sandbox.demo_data.bill_outcomes import LINKS
from stripe_magics.sandbox.demo_data.records import COUPONS, NAMES, PLANS, PRICES, TAXED, Client
from stripe_magics.sandbox.resources.payment_methods.method_creation import ADDRESS, card_of
from stripe_magics.sandbox.resources.payment_methods.payment_methods import shown_on_charge
from stripe_magics.sandbox.resources.payment_methods.test_cards import CARDS

BRANDS = ("visa", "visa", "visa", "mastercard", "mastercard", "visa_debit", "amex", "mastercard_debit")
CITIES = {
    "US": ("Portland", "OR", "97201"), "CA": ("Toronto", "ON", "M5H 2N2"), "AU": ("Melbourne", "VIC", "3000"),
    "DE": ("Berlin", None, "10115"), "FR": ("Lyon", None, "69001"), "NL": ("Utrecht", None, "3511"),
    "IE": ("Cork", None, "T12"), "ES": ("Valencia", None, "46001"), "AT": ("Graz", None, "8010"),
    "GB": ("Leeds", None, "LS1 1UR"),
}  # fmt: skip
STREETS = (
    "Main Street",
    "Station Road",
    "Park Lane",
    "Mill Street",
    "High Street",
    "River Road",
    "Market Square",
)


def raw(value: object) -> Any:
    """A part that is encoded once and used often."""
    return msgspec.Raw(encode(value))


@cache
def price_id(currency: str, plan: str, *, yearly: bool, version: int) -> str:
    """A readable id: `price_demoTeamUsdMonthly`, with `Before` for what it was until the rise."""
    interval, state = "Yearly" if yearly else "Monthly", "" if version else "Before"
    return f"price_demo{plan.capitalize()}{currency.capitalize()}{interval}{state}"


def price(identifier: str, product: str, currency: str, amount: int, created: int, **changes: Any) -> Object:
    """A price; one-time unless `recurring` says otherwise."""
    return {
        "id": identifier,
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": created,
        "currency": currency,
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": None,
        "product": product,
        "recurring": None,
        "tax_behavior": "exclusive",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "one_time",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
        **changes,
    }


def product(
    identifier: str, name: str, created: int, default_price: str | None, unit: str | None = None
) -> Object:
    """A service that is sold."""
    return {
        "id": identifier,
        "object": "product",
        "active": True,
        "created": created,
        "default_price": default_price,
        "description": None,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": {},
        "name": name,
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "type": "service",
        "unit_label": unit,
        "updated": created,
        "url": None,
    }


def catalogue(account: Account, start: int, rise: int) -> dict[str, Object]:
    """Products and prices of the plans and of the links: id -> price."""
    prices: dict[str, Object] = {}
    for plan in PLANS:
        identifier = f"prod_demo{plan.capitalize()}"
        current = price_id("usd", plan, yearly=False, version=1)
        account.insert(
            "product",
            product(
                identifier, NAMES[plan], start, current, "seat" if plan in {"seat", "platform"} else None
            ),
        )
        for currency, table in PRICES.items():
            for version, amount in enumerate(table[plan]):
                for yearly in (False, True):
                    word = "yearly" if yearly else "monthly"
                    recurring = {
                        "aggregate_usage": None, "interval": "year" if yearly else "month",
                        "interval_count": 1, "meter": None,
                        "trial_period_days": None, "usage_type": "licensed",
                    }  # fmt: skip
                    own = price_id(currency, plan, yearly=yearly, version=version)
                    key = f"{plan}_{currency}_{word}" if version else None
                    prices[own] = price(
                        own, identifier, currency, amount * (10 if yearly else 1), rise if version else start,
                        active=bool(version), lookup_key=key, nickname=f"{NAMES[plan]}, {word}",
                        recurring=recurring, type="recurring",
                    )  # fmt: skip
    for text, currency, amount in LINKS:
        name = link_name(currency)
        account.insert("product", product(f"prod_demo{name}", text, start, f"price_demo{name}"))
        prices[f"price_demo{name}"] = price(f"price_demo{name}", f"prod_demo{name}", currency, amount, start)
    for each in prices.values():
        account.insert("price", each)
    return prices


def link_name(currency: str) -> str:
    """The readable part of what belongs to a currency's payment link."""
    return {"usd": "Workshop", "eur": "Datenworkshop", "gbp": "SeatPack"}[currency]


def coupons(account: Account, start: int, times: Counter[str]) -> dict[str, Object]:
    """The coupons, with how often each was taken."""
    made: dict[str, Object] = {}
    for identifier, (percent, duration, months) in COUPONS.items():
        made[identifier] = {
            "id": identifier,
            "object": "coupon",
            "amount_off": None,
            "created": start,
            "currency": None,
            "duration": duration,
            "duration_in_months": months or None,
            "livemode": False,
            "max_redemptions": None,
            "metadata": {},
            "name": f"{percent}% off",
            "percent_off": percent,
            "redeem_by": None,
            "times_redeemed": times[identifier],
            "valid": True,
        }
        account.insert("coupon", made[identifier])
    return made


def tax_rates(account: Account, start: int) -> dict[str, Object]:
    """The tax on what is sold in euros and in pounds."""
    rates = {}
    for currency, percent in TAXED.items():
        country = {"eur": "AT", "gbp": "GB"}[currency]
        rates[currency] = {
            "id": f"txr_demoVat{currency.capitalize()}",
            "object": "tax_rate",
            "active": True,
            "country": country,
            "created": start,
            "description": f"VAT {country}",
            "display_name": "VAT",
            "effective_percentage": None,
            "flat_amount": None,
            "inclusive": False,
            "jurisdiction": country,
            "jurisdiction_level": None,
            "livemode": False,
            "metadata": {},
            "percentage": percent,
            "rate_type": None,
            "state": None,
            "tax_type": "vat",
        }
        account.insert("tax_rate", rates[currency])
    return rates


def links(account: Account, prices: dict[str, Object]) -> None:
    """Three payment links, each with one item."""
    for text, currency, amount in LINKS:
        name = link_name(currency)
        identifier = f"plink_demo{name}"
        account.insert("payment_link", payment_link(identifier, currency, name))
        account.link_lines[identifier] = [
            {
                "id": f"li_demo{name}", "object": "item", "amount_discount": 0, "amount_subtotal": amount,
                "amount_tax": 0, "amount_total": amount, "currency": currency, "description": text,
                "price": prices[f"price_demo{name}"], "quantity": 1,
            }
        ]  # fmt: skip


def payment_link(identifier: str, currency: str, name: str) -> Object:
    """A link that sells one thing."""
    return {
        "id": identifier,
        "object": "payment_link",
        "active": True,
        "after_completion": {"hosted_confirmation": {"custom_message": None}, "type": "hosted_confirmation"},
        "allow_promotion_codes": False,
        "application": None,
        "application_fee_amount": None,
        "application_fee_percent": None,
        "automatic_tax": {"enabled": False, "liability": None},
        "billing_address_collection": "auto",
        "consent_collection": None,
        "currency": currency,
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "customer_creation": "if_required",
        "inactive_message": None,
        "invoice_creation": None,
        "livemode": False,
        "metadata": {},
        "on_behalf_of": None,
        "payment_intent_data": None,
        "payment_method_collection": "always",
        "payment_method_types": None,
        "phone_number_collection": {"enabled": False},
        "restrictions": None,
        "shipping_address_collection": None,
        "shipping_options": [],
        "submit_type": "auto",
        "subscription_data": None,
        "tax_id_collection": {"enabled": False, "required": "never"},
        "transfer_data": None,
        "url": f"https://buy.stripe.com/test_demo{name}",
    }


def address_of(client: Client) -> Object:
    """Where a customer lives."""
    city, state, code = CITIES[client.country]
    street = f"{client.number % 97 + 1} {STREETS[client.number % len(STREETS)]}"
    found = {
        "city": city,
        "country": client.country,
        "line1": street,
        "line2": None,
        "postal_code": code,
        "state": state,
    }
    return {part: found[part] for part in ADDRESS}


def card_for(account: Account, client: Client) -> tuple[str, Object]:
    """The type and the details of a customer's payment method."""
    if client.pays == "sepa":
        iban = "DE89370400440532013000"
        return "sepa_debit", {
            "bank_code": iban[4:9], "branch_code": None, "country": "DE",
            "fingerprint": account.letters(f"sepa{client.number}", 16),
            "generated_from": {"charge": None, "setup_attempt": None}, "last4": f"{3000 + client.number}",
        }  # fmt: skip
    card = CARDS[BRANDS[client.number % len(BRANDS)]]
    made = card_of(account, card, exp_month=client.number % 12 + 1, exp_year=2027 + client.number % 6)
    return "card", {
        **made,
        "country": client.country,
        "fingerprint": account.letters(f"card{client.number}", 16),
    }


def on_charge(method: Object) -> Any:
    """`payment_method_details` of this customer's charges, encoded."""
    shown = shown_on_charge(method)
    if "card" in shown:
        for part in ("amount_authorized", "overcapture"):
            shown["card"].pop(part, None)
    return raw(shown)
