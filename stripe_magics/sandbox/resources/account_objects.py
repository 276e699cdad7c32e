"""What an account is made of, the sandbox's own as well as a connected one, and its bank accounts."""

from __future__ import annotations

from stripe_magics.sandbox.api.errors import invalid, no_access
from stripe_magics.sandbox.api.pagination import inline
from stripe_magics.sandbox.core.clock import DAY, MINUTE, midnight
from stripe_magics.sandbox.core.store import Account, Object

BANKS = (
    ("usd", "US", "000123456789", "110000000"),
    ("eur", "DE", "DE89370400440532013000", None),
    ("gbp", "GB", "00012345", "108800"),
)
RUN = 5 * MINUTE
"""When after midnight UTC the day's automatic payouts go out."""


def open_account(account: Account) -> None:
    """A new account: cards and debits switched on, a bank account in each of three currencies, daily
    payouts."""
    account.profile = account_object(f"acct_1{account.letters('account', 15)}", account.now - 800 * DAY)
    for currency, country, number, routing in BANKS:
        bank = new_bank(
            account, currency=currency, country=country, number=number, routing=routing, default=True
        )
        account.add("bank_account", bank)
    account.clock.at(midnight(account.now) + DAY + RUN, "payouts")


def account_object(identifier: str, created: int) -> Object:
    """The sandbox's own business: a small US firm that has given all that is required."""
    return {
        "id": identifier,
        "object": "account",
        "business_profile": {
            "annual_revenue": None, "estimated_worker_count": None, "mcc": "5734", "name": "Sandbox Inc.",
            "product_description": "A sandbox inside a notebook", "support_address": None,
            "support_email": "support@example.com",
            "support_phone": None, "support_url": None, "url": "https://example.com",
        },
        "business_type": "company",
        "capabilities": {"card_payments": "active", "sepa_debit_payments": "active", "transfers": "active",
            "us_bank_account_ach_payments": "active"},
        "charges_enabled": True,
        "controller": {"type": "account"},
        "country": "US",
        "created": created,
        "default_currency": "usd",
        "details_submitted": True,
        "email": "sandbox@example.com",
        "external_accounts": inline([], f"/v1/accounts/{identifier}/external_accounts"),
        "future_requirements": requirements(),
        "metadata": {},
        "payouts_enabled": True,
        "requirements": requirements(),
        "settings": {
            "bacs_debit_payments": {"display_name": None, "service_user_number": None},
            "branding": {"icon": None, "logo": None, "primary_color": None, "secondary_color": None},
            "card_issuing": {"tos_acceptance": {"date": None, "ip": None}},
            "card_payments": {
                "decline_on": {"avs_failure": False, "cvc_failure": False},
                "statement_descriptor_prefix": "SANDBOX",
                "statement_descriptor_prefix_kana": None, "statement_descriptor_prefix_kanji": None,
            },
            "dashboard": {"display_name": "Sandbox", "timezone": "Etc/UTC"},
            "invoices": {"default_account_tax_ids": None},
            "payments": {"statement_descriptor": "SANDBOX", "statement_descriptor_kana": None,
                "statement_descriptor_kanji": None},
            "payouts": {"debit_negative_balances": True, "schedule": {"delay_days": 2, "interval": "daily"},
                "statement_descriptor": None},
            "sepa_debit_payments": {},
        },
        "tos_acceptance": {"date": None, "ip": None, "user_agent": None},
        "type": "standard",
    }  # fmt: skip


def requirements(due: list[str] | None = None, reason: str | None = None) -> Object:
    """What an account still has to give."""
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
    listed = {name: list(due or ()) for name in ("currently_due", "eventually_due", "past_due")}
    return {**lists, **listed, "current_deadline": None, "disabled_reason": reason}


def new_bank(
    account: Account,
    *,
    currency: str,
    country: str,
    number: str,
    routing: str | None,
    default: bool,
    holder: str | None = None,
    metadata: object = None,
) -> Object:
    identifier = account.new_id("ba")
    account.private_state[identifier] = {"number": number}
    return {
        "id": identifier,
        "object": "bank_account",
        "account": account.profile["id"],
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


def member(account: Account, identifier: str) -> Account:
    """The account of that id: this one, or one that is connected to it. Refuses any other."""
    if not identifier or identifier == account.profile["id"]:
        return account
    found = account.family.member(identifier) if account.platform is None else None
    if found is None:
        raise no_access(identifier)
    return found


def connected_member(account: Account, identifier: str, sentence: str) -> Account:
    """The connected account of that id. Refuses the sandbox's own account with a sentence."""
    found = member(account, identifier)
    if found.platform is None:
        raise invalid(f"This is the account of the sandbox itself: {sentence}.", param="account")
    return found


def own_banks(account: Account, kinds: tuple[str, ...] = ("bank_account", "card")) -> list[Object]:
    """The bank accounts and cards that an account is paid out to (not those of its customers), to look at
    only."""
    found = [account.peek(kind, each) for kind in kinds for each in account.where(kind, customer=None)]
    return [each for each in found if each is not None]
