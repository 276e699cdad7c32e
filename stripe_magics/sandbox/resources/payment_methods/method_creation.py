"""How a payment method is made: of a test card, a token, an IBAN, an account number; and the addresses that
go with it."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.errors import declined, invalid, missing_param
from stripe_magics.sandbox.core.checks import checked_cvc, checked_expiry
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.payment_methods.card_tokens import spend_card
from stripe_magics.sandbox.resources.payment_methods.test_cards import (
    BY_NUMBER,
    DEBITS,
    IBANS,
    US_ACCOUNTS,
    Card,
)

ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


def address(given: dict[str, Any] | None) -> Object:
    """An address with all six parts."""
    return {part: (given or {}).get(part) for part in ADDRESS}


def full_shipping(given: dict[str, Any] | None) -> Object | None:
    """Shipping with every part."""
    if given is None:
        return None
    return {
        "address": address(given.get("address")),
        "carrier": given.get("carrier"),
        "name": given.get("name"),
        "phone": given.get("phone"),
        "tracking_number": given.get("tracking_number"),
    }


def billing(given: dict[str, Any] | None) -> Object:
    """Billing details with every part."""
    given = given or {}
    return {
        "address": address(given.get("address")),
        "email": given.get("email"),
        "name": given.get("name"),
        "phone": given.get("phone"),
    }


def card_of(
    account: Account, card: Card, *, exp_month: int = 12, exp_year: int = 2034, cvc: bool = True
) -> Object:
    """The `card` part of a payment method."""
    return {
        "brand": card.brand,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": "unchecked" if cvc else None,
        },
        "country": card.country,
        "display_brand": {"amex": "american_express"}.get(card.brand, card.brand),
        "exp_month": exp_month,
        "exp_year": exp_year,
        "fingerprint": account.letters(f"fingerprint{card.number}", 16),
        "funding": card.funding,
        "generated_from": None,
        "last4": card.number[-4:],
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def new_method(
    account: Account,
    kind: str,
    details: Object,
    *,
    outcome: str = "succeeds",
    billing_details: Any = None,
    metadata: Any = None,
    redisplay: str = "unspecified",
) -> Object:
    """Take in a new payment method."""
    method: Object = {
        "id": account.new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": redisplay,
        "billing_details": billing(billing_details),
        kind: details,
        "created": account.now,
        "customer": None,
        "livemode": False,
        "metadata": {name: value for name, value in (metadata or {}).items() if value},
        "type": kind,
    }
    if outcome not in {"succeeds", "debit"}:
        account.private_state[method["id"]] = {"outcome": outcome}
    return account.add("payment_method", method)


def from_data(account: Account, data: dict[str, Any], prefix: str) -> Object:
    """A new method from `payment_method_data` or the parameters of its own endpoint."""
    kind = data.get("type")
    if kind is None:
        raise missing_param(f"{prefix}[type]" if prefix else "type")
    where = f"{prefix}[{kind}]" if prefix else kind
    details = data.get(kind)
    common: dict[str, Any] = {
        "billing_details": data.get("billing_details"),
        "metadata": data.get("metadata"),
        "redisplay": data.get("allow_redisplay") or "unspecified",
    }
    if kind == "card":
        if not details:
            raise missing_param(where)
        card, outcome, more = _card(account, details, where)
        expiry = {**more, **checked_expiry(details, account.now)}
        checked_cvc(details, card.brand)
        made = card_of(
            account,
            card,
            exp_month=expiry.get("exp_month") or 12,
            exp_year=expiry.get("exp_year") or 2034,
            cvc="cvc" in details,
        )
        return new_method(account, "card", made, outcome=outcome, **common)
    if kind == "sepa_debit":
        if not details or not details.get("iban"):
            raise missing_param(f"{where}[iban]")
        return new_method(
            account,
            kind,
            _sepa_debit(account, details["iban"], where),
            outcome=IBANS.get(_iban(details["iban"]), "debit"),
            **common,
        )
    if kind == "us_bank_account":
        number = (details or {}).get("account_number")
        if not number:
            raise missing_param(f"{where}[account_number]")
        return new_method(
            account,
            kind,
            us_bank_account(account, details or {}),
            outcome=US_ACCOUNTS.get(number, "debit"),
            **common,
        )
    return new_method(
        account,
        kind,
        _other(account, kind, details or {}),
        outcome="debit" if kind in DEBITS else "succeeds",
        **common,
    )


def _card(account: Account, details: dict[str, Any], where: str) -> tuple[Card, str, dict[str, Any]]:
    token = details.get("token")
    if token and details.get("number"):
        raise invalid("You may only specify one of token and number.", param=f"{where}[number]")
    if token:
        card, more = spend_card(account, token, f"{where}[token]")
        return card, card.outcome, more
    number = details.get("number", "").replace(" ", "")
    known = BY_NUMBER.get(number)
    if known is None:
        raise declined(
            "Your card number is not one of Stripe's test cards, the only ones that the sandbox knows.",
            code="incorrect_number",
            param="number",
        )
    return known, known.outcome, {}


def _iban(text: str) -> str:
    return text.replace(" ", "").upper()


_BANK_CODES: dict[str, tuple[int, int, int]] = {
    "AT": (4, 9, 9), "BE": (4, 7, 7), "CH": (4, 9, 9), "DE": (4, 12, 12), "DK": (4, 8, 8), "ES": (4, 8, 12),
    "FI": (4, 7, 7), "FR": (4, 9, 14), "GB": (4, 8, 14), "IE": (4, 8, 14), "IT": (5, 10, 15), "LU": (4, 7, 7),
    "NL": (4, 8, 8), "NO": (4, 8, 8), "PT": (4, 8, 12), "SE": (4, 7, 7),
}  # fmt: skip
"""Country -> where in its IBANs the bank's code starts, where the branch's starts, and where that ends."""


def _sepa_debit(account: Account, iban: str, where: str) -> Object:
    iban = _iban(iban)
    if len(iban) < 15 or not iban[:2].isalpha() or not iban[2:4].isdigit() or not iban.isalnum():
        raise invalid("The IBAN you provided is invalid.", param=f"{where}[iban]", code="invalid_iban")
    start, branch, end = _BANK_CODES.get(iban[:2], (4, 9, 9))
    return {
        "bank_code": iban[start:branch],
        "branch_code": iban[branch:end],
        "country": iban[:2],
        "fingerprint": account.letters(f"iban{iban}", 16),
        "generated_from": {"charge": None, "setup_attempt": None},
        "last4": iban[-4:],
    }


def us_bank_account(account: Account, given: dict[str, Any]) -> Object:
    number = given.get("account_number") or "000123456789"
    return {
        "account_holder_type": given.get("account_holder_type") or "individual",
        "account_type": given.get("account_type") or "checking",
        "bank_name": "STRIPE TEST BANK",
        "financial_connections_account": None,
        "fingerprint": account.letters(f"us{number}", 16),
        "last4": number[-4:],
        "networks": {"preferred": "ach", "supported": ["ach"]},
        "routing_number": given.get("routing_number") or "110000000",
        "status_details": {},
    }


def _other(account: Account, kind: str, given: dict[str, Any]) -> Object:
    """Other types: what was given, without whole account numbers."""
    shown = {name: value for name, value in given.items() if name != "account_number"}
    if "account_number" in given:
        shown["last4"] = given["account_number"][-4:]
        shown["fingerprint"] = account.letters(f"{kind}{given['account_number']}", 16)
    return shown
