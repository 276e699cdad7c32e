"""Automatic tax by a small table of countries: the standard rate of where the customer is.

Between businesses within Europe (the customer has a VAT number of another country) the tax is reversed: the
buyer owes it. Where the sandbox has no rate, or the account isn't registered (`tax_settings`), nothing is due
(`not_collecting`).
"""

from __future__ import annotations

from typing import NamedTuple

from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources import tax_settings
from stripe_magics.sandbox.resources.tax_rate_objects import new_tax_rate

STANDARD: dict[str, tuple[str, str, float]] = {
    "AT": ("VAT", "vat", 20), "AU": ("GST", "gst", 10), "BE": ("VAT", "vat", 21), "BG": ("VAT", "vat", 20),
    "CA": ("GST", "gst", 5), "CH": ("VAT", "vat", 8.1), "CY": ("VAT", "vat", 19), "CZ": ("VAT", "vat", 21),
    "DE": ("VAT", "vat", 19), "DK": ("VAT", "vat", 25), "EE": ("VAT", "vat", 24), "ES": ("VAT", "vat", 21),
    "FI": ("VAT", "vat", 25.5), "FR": ("VAT", "vat", 20), "GB": ("VAT", "vat", 20), "GR": ("VAT", "vat", 24),
    "HR": ("VAT", "vat", 25), "HU": ("VAT", "vat", 27), "IE": ("VAT", "vat", 23), "IT": ("VAT", "vat", 22),
    "JP": ("JCT", "jct", 10), "LT": ("VAT", "vat", 21), "LU": ("VAT", "vat", 17), "LV": ("VAT", "vat", 21),
    "MT": ("VAT", "vat", 18), "NL": ("VAT", "vat", 21), "NO": ("VAT", "vat", 25), "NZ": ("GST", "gst", 15),
    "PL": ("VAT", "vat", 23), "PT": ("VAT", "vat", 23), "RO": ("VAT", "vat", 21), "SE": ("VAT", "vat", 25),
    "SG": ("GST", "gst", 9), "SI": ("VAT", "vat", 22), "SK": ("VAT", "vat", 23),
}  # fmt: skip
"""Country -> name, tax type, per cent."""
US_STATES = {"CA": 7.25, "FL": 6, "IL": 6.25, "NJ": 6.625, "NY": 4, "PA": 6, "TX": 6.25, "WA": 6.5}
BUSINESS_NUMBERS = frozenset({"eu_vat", "gb_vat", "ch_vat", "no_vat"})


def located(address: Object | None) -> bool:
    """Whether an address is enough to know the tax."""
    if not address or not address.get("country"):
        return False
    return address["country"].upper() != "US" or bool(address.get("state") or address.get("postal_code"))


def reverse_charged(account: Account, address: Object | None, tax_ids: list[Object]) -> bool:
    """Whether the buyer owes the tax: a business with a number, in another country than the account."""
    return bool(
        address
        and str(address.get("country")).upper() != account.profile["country"]
        and any(each["type"] in BUSINESS_NUMBERS for each in tax_ids)
    )


class KnownRate(NamedTuple):
    """What is due where somebody is."""

    name: str
    kind: str
    percent: float
    state: str | None


def known_rate(address: Object) -> KnownRate | None:
    """The standard rate there; None where nothing is collected."""
    country, state = address["country"].upper(), address.get("state")
    if country == "US":
        return KnownRate("Sales Tax", "sales_tax", US_STATES[state], state) if state in US_STATES else None
    return KnownRate(*STANDARD[country], None) if country in STANDARD else None


def collected_rate(account: Account, address: Object) -> KnownRate | None:
    """The standard rate there, if the account collects it."""
    return known_rate(address) if tax_settings.collects(account, address) else None


def rate_for(account: Account, address: Object, *, inclusive: bool) -> Object | None:
    """The tax rate where somebody is, made when first needed; None where nothing is collected."""
    known = collected_rate(account, address)
    if known is None:
        return None
    country, (name, kind, percent, state) = address["country"].upper(), known
    identifier = f"txr_{account.letters(f'automatic{country}{state}{inclusive}', 24)}"
    rate = account.peek("tax_rate", identifier)
    if rate is not None:
        return rate
    given = {
        "active": False, "country": country, "display_name": name, "inclusive": inclusive,
        "jurisdiction": state or country, "jurisdiction_level": "state" if state else "country",
        "percentage": percent, "state": state, "tax_type": kind,
    }  # fmt: skip
    return account.add("tax_rate", new_tax_rate(account, identifier, given))
