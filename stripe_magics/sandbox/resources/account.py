"""The account itself: /v1/account and the banks that it is paid out to."""

from __future__ import annotations

import re
from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import (
    ApiError,
    invalid,
    invalid_before_execution,
    missing,
    missing_param,
)
from stripe_magics.sandbox.api.pagination import Page, inline
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.checks import checked_currency
from stripe_magics.sandbox.core.clock import DAY, MINUTE, midnight
from stripe_magics.sandbox.core.metadata import merged_metadata, take
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.customer_subresources import new_card
from stripe_magics.sandbox.resources.payment_methods.test_cards import BY_NUMBER, CARDS

BANKS = (
    ("usd", "US", "000123456789", "110000000"),
    ("eur", "DE", "DE89370400440532013000", None),
    ("gbp", "GB", "00012345", "108800"),
)
RUN = 5 * MINUTE
"""When after midnight UTC the day's automatic payouts go out."""


def open_account(account: Account) -> None:
    """A new account: cards and debits switched on, a bank account in each of three currencies, daily payouts."""
    identifier = f"acct_1{account.letters('account', 15)}"
    account.me = {
        "id": identifier,
        "object": "account",
        "business_profile": {
            "annual_revenue": None, "estimated_worker_count": None, "mcc": "5734", "name": "Sandbox Inc.",
            "product_description": "A sandbox inside a notebook", "support_address": None, "support_email": "support@example.com",
            "support_phone": None, "support_url": None, "url": "https://example.com",
        },
        "business_type": "company",
        "capabilities": {"card_payments": "active", "sepa_debit_payments": "active", "transfers": "active", "us_bank_account_ach_payments": "active"},
        "charges_enabled": True,
        "controller": {"type": "account"},
        "country": "US",
        "created": account.now - 800 * DAY,
        "default_currency": "usd",
        "details_submitted": True,
        "email": "sandbox@example.com",
        "external_accounts": inline([], f"/v1/accounts/{identifier}/external_accounts"),
        "future_requirements": _requirements(),
        "metadata": {},
        "payouts_enabled": True,
        "requirements": _requirements(),
        "settings": {
            "bacs_debit_payments": {"display_name": None, "service_user_number": None},
            "branding": {"icon": None, "logo": None, "primary_color": None, "secondary_color": None},
            "card_issuing": {"tos_acceptance": {"date": None, "ip": None}},
            "card_payments": {
                "decline_on": {"avs_failure": False, "cvc_failure": False}, "statement_descriptor_prefix": "SANDBOX",
                "statement_descriptor_prefix_kana": None, "statement_descriptor_prefix_kanji": None,
            },
            "dashboard": {"display_name": "Sandbox", "timezone": "Etc/UTC"},
            "invoices": {"default_account_tax_ids": None, "hosted_payment_method_save": "offer"},
            "payments": {"statement_descriptor": "SANDBOX", "statement_descriptor_kana": None, "statement_descriptor_kanji": None},
            "payouts": {"debit_negative_balances": True, "schedule": {"delay_days": 2, "interval": "daily"}, "statement_descriptor": None},
            "sepa_debit_payments": {},
        },
        "tos_acceptance": {"date": None, "ip": None, "user_agent": None},
        "type": "standard",
    }  # fmt: skip
    for currency, country, number, routing in BANKS:
        account.add(
            "bank_account",
            _bank(account, currency=currency, country=country, number=number, routing=routing, default=True),
        )
    account.clock.at(midnight(account.now) + DAY + RUN, "payouts")


def _requirements() -> Object:
    lists: Object = {
        name: []
        for name in (
            "alternatives",
            "currently_due",
            "errors",
            "eventually_due",
            "past_due",
            "pending_verification",
        )
    }
    return {**lists, "current_deadline": None, "disabled_reason": None}


def retrieve(account: Account, params: dict[str, Any], identifier: str = "") -> Object:
    """GET /v1/account, GET /v1/accounts/{account}."""
    _own(account, identifier)
    banks = [
        each for kind in ("bank_account", "card") for each in account.each(kind) if not each.get("customer")
    ]
    return {
        **account.me,
        "external_accounts": inline(banks, f"/v1/accounts/{account.me['id']}/external_accounts"),
    }


def _own(account: Account, identifier: str) -> None:
    if identifier and identifier != account.me["id"]:
        raise ApiError(
            f"The provided key does not have access to account '{identifier}' (or that account does not exist).",
            status=403,
            code="account_invalid",
        )


def update(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/accounts/{account}: the parts that mean something here (metadata, the payout schedule, the dashboard's name)."""
    _own(account, identifier)
    before = events.snapshot(account.me)
    take(account.me, params, ("email", "metadata", "business_type", "default_currency"))
    for part, given in (params.get("settings") or {}).items():
        present = account.me["settings"].setdefault(part, {})
        for name, value in (given or {}).items():
            present[name] = (
                {**present[name], **value}
                if isinstance(value, dict) and isinstance(present.get(name), dict)
                else value
            )
    if params.get("business_profile"):
        account.me["business_profile"] = {**account.me["business_profile"], **params["business_profile"]}
    events.emit(account, "account.updated", account.me, before)
    return retrieve(account, {})


def _bank(
    account: Account,
    *,
    currency: str,
    country: str,
    number: str,
    routing: str | None,
    default: bool,
    holder: str | None = None,
    metadata: Any = None,
) -> Object:
    identifier = account.new_id("ba")
    account.notes[identifier] = {"number": number}
    return {
        "id": identifier,
        "object": "bank_account",
        "account": account.me["id"],
        "account_holder_name": holder,
        "account_holder_type": "company",
        "account_type": None,
        "available_payout_methods": ["standard"],
        "bank_name": "STRIPE TEST BANK",
        "country": country,
        "currency": currency,
        "default_for_currency": default,
        "fingerprint": account.letters(f"bank{number}", 16),
        "future_requirements": None,
        "last4": number[-4:],
        "metadata": metadata or {},
        "requirements": None,
        "routing_number": routing,
        "status": "new",
    }


def add_bank(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/accounts/{account}/external_accounts: a bank account by its number, or a debit card (which can be paid at once)."""
    _own(account, identifier)
    given = params.get("external_account") or params.get("bank_account")
    if given is None:
        raise missing_param("external_account")
    if isinstance(given, str):
        card = (
            CARDS.get(given.removeprefix("tok_").removeprefix("debit_")) if given.startswith("tok_") else None
        )
        if card is None:
            raise missing("token", given, "external_account", status=400)
        return _add_debit_card(account, new_card(account, card, None))
    if given.get("object") == "card":
        card = BY_NUMBER.get(given.get("number") or "")
        if card is None or card.funding != "debit":
            raise invalid(
                "External accounts that are cards must be debit cards.",
                param="external_account",
                code="invalid_card_type",
            )
        made = new_card(account, card, None)
        made.update(
            {name: given[name] for name in ("exp_month", "exp_year", "name") if given.get(name) is not None}
        )
        return _add_debit_card(account, made)
    of_card = sorted({"cvc", "exp_month", "exp_year", "name", "number"} & set(given))
    if of_card:
        raise invalid_before_execution(
            f"{of_card[0]} goes with object=card.", param=f"external_account[{of_card[0]}]"
        )
    number = given.get("account_number")
    for name in ("account_number", "country"):
        if not given.get(name):
            raise missing_param(f"external_account[{name}]")
    if not re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{8,30}|\d{5,20}", number):
        raise invalid(
            "The account number is not one of a bank.",
            param="external_account[account_number]",
            code="account_number_invalid",
        )
    currency = checked_currency(given.get("currency") or account.me["default_currency"])
    others = account.where("bank_account", currency=currency)
    default = params.get("default_for_currency", False) or not others
    if default:
        for each in others:
            bank = account.find("bank_account", each, "id")
            bank["default_for_currency"] = False
            account.save("bank_account", bank)
    metadata = merged_metadata({}, params.get("metadata"))
    made = _bank(
        account, currency=currency, country=given["country"].upper(), number=number, routing=given.get("routing_number"), default=default,
        holder=given.get("account_holder_name"), metadata=metadata,
    )  # fmt: skip
    made["account_holder_type"] = given.get("account_holder_type") or "company"
    account.add("bank_account", made)
    events.emit(account, "account.external_account.created", made)
    return made


def _add_debit_card(account: Account, card: Object) -> Object:
    card.update(
        account=account.me["id"],
        currency=account.me["default_currency"],
        available_payout_methods=["standard", "instant"],
        default_for_currency=False,
    )
    account.add("card", card)
    events.emit(account, "account.external_account.created", card)
    return card


def list_banks(account: Account, params: dict[str, Any], identifier: str) -> Page:
    """GET /v1/accounts/{account}/external_accounts."""
    _own(account, identifier)
    url = f"/v1/accounts/{identifier}/external_accounts"
    rows = [
        row
        for kind in ("bank_account", "card")
        for row in account.table(kind).ordered()
        if not row.value.get("customer")
    ]
    return Page(rows[::-1], url, has_more=False)


ROUTES: dict[str, Handler] = {
    "GET /v1/account": retrieve,
    "GET /v1/accounts/{account}": retrieve,
    "POST /v1/accounts/{account}": update,
    "GET /v1/accounts/{account}/external_accounts": list_banks,
    "POST /v1/accounts/{account}/external_accounts": add_bank,
}
