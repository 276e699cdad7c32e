"""What can be wrong with a value whichever call it comes by: amounts, currencies, descriptors, addresses."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from stripe_magics import money
from stripe_magics.sandbox.api.errors import ApiError, declined, invalid_before_execution, too_low

_LETTER = re.compile(r"[A-Za-z]")
_COUNTRY = re.compile(r"[A-Za-z]{2}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def checked_currency(text: str) -> str:
    """A currency in lower case; refuses one that Stripe doesn't have."""
    currency = text.lower()
    if currency not in {each.lower() for each in money.CURRENCIES}:
        raise invalid_before_execution(
            f"Invalid currency: {currency}. It takes a three-letter ISO code, such as usd or eur.",
            param="currency",
        )
    return currency


def checked_amount_range(amount: int, currency: str, param: str = "amount") -> int:
    """An amount above nothing, of at most the digits that its currency may have."""
    if amount < 1:
        raise too_low(1, param)
    if amount > money.maximum(currency):
        raise invalid_before_execution(
            f"Amount must be no more than {money.format_amount(money.maximum(currency), currency)}",
            param=param,
            code="amount_too_large",
        )
    return amount


def checked_amount(amount: int, currency: str, param: str = "amount") -> int:
    """An amount that can be charged."""
    checked_amount_range(amount, currency, param)
    smallest = money.minimum(currency)
    if smallest is not None and amount < smallest:
        raise invalid_before_execution(
            f"Amount must be at least {money.format_amount(smallest, currency)}",
            param=param,
            code="amount_too_small",
        )
    return amount


def checked_descriptor(params: dict[str, Any], *names: str) -> None:
    """Statement descriptors need a letter and take none of < > \\ ' " *."""
    for name in names:
        text = params.get(name)
        if text and not _LETTER.search(text):
            raise invalid_before_execution(
                "The statement descriptor must contain at least one letter.", param=name
            )
        if text and re.search(r"[<>\\'\"*]", text):
            raise invalid_before_execution(
                "The statement descriptor takes none of the characters < > \\ ' \" *.", param=name
            )


def checked_email(text: str | None, param: str) -> None:
    """An address that looks like one."""
    if text and not _EMAIL.fullmatch(text):
        raise invalid_before_execution(f"Invalid email address: {text}", param=param, code="email_invalid")


def checked_country(text: str | None, param: str) -> None:
    """A country by its two letters."""
    if text and not _COUNTRY.fullmatch(text):
        raise invalid_before_execution(
            f"Country '{text}' is unknown. Try using a 2-character ISO country code.",
            param=param,
            code="country_code_invalid",
        )


def checked_period(params: dict[str, Any], name: str = "period") -> dict[str, int] | None:
    """The time that something is for, which doesn't end before it starts; None if it wasn't given."""
    period: dict[str, int] | None = params.get(name)
    if period and period["end"] < period["start"]:
        raise invalid_before_execution(
            f"{name}[end] must be greater than or equal to {name}[start].", param=f"{name}[end]"
        )
    return period


def checked_expiry(params: dict[str, Any], now: int) -> dict[str, int]:
    """A card's expiry as numbers, as far as it was given: one that can be, and isn't past."""
    found = {}
    for name, form in (("exp_month", r"0?[1-9]|1[0-2]"), ("exp_year", r"[0-9]{2}|20[0-9]{2}")):
        value = params.get(name)
        if value is None:
            continue
        if not re.fullmatch(form, str(value)):
            raise _no_such_expiry(name)
        found[name] = int(value) + (2000 if name == "exp_year" and int(value) < 100 else 0)
    today = datetime.fromtimestamp(now, UTC)
    year = found.get("exp_year", today.year + 1)
    if year < today.year:
        raise _no_such_expiry("exp_year")
    if year == today.year and found.get("exp_month", 12) < today.month:
        raise _no_such_expiry("exp_month")
    return found


def _no_such_expiry(name: str) -> ApiError:
    return declined(
        f"Your card's expiration {name[4:]} is invalid.", code=f"invalid_expiry_{name[4:]}", param=name
    )


def checked_cvc(params: dict[str, Any], brand: str) -> None:
    """Three digits, or American Express' four."""
    value = params.get("cvc")
    if value is not None and not re.fullmatch(r"[0-9]{3,4}" if brand == "amex" else r"[0-9]{3}", value):
        raise declined("Your card's security code is invalid.", code="invalid_cvc", param="cvc")
