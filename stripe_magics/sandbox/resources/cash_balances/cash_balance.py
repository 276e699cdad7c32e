"""A customer's cash balance and its transactions: each change is one transaction, and the balance is what
they add up to.

This is not the invoice credit balance (`balance`): it is money that the customer sent, and it isn't the
account's until a payment has taken it.
"""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import missing
from stripe_magics.sandbox.api.pagination import Page, page
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.store import Account, Object

KIND = "customer_cash_balance_transaction"


def available(account: Account, customer: str, currency: str) -> int:
    """What a customer has in a currency."""
    return int(account.private_state.get(customer, {}).get("cash", {}).get(currency, 0))


def has_any(account: Account, customer: str) -> bool:
    """Whether a customer ever had a cash balance, be it empty now."""
    return bool(account.private_state.get(customer, {}).get("cash"))


def automatic(account: Account, customer: str) -> bool:
    """Whether what comes in pays by itself for what is open."""
    return bool(settings(account, customer)["reconciliation_mode"] == "automatic")


def settings(account: Account, customer: str) -> Object:
    """How what comes in is reconciled."""
    return dict(
        account.private_state.get(customer, {}).get("cash_balance")
        or {"reconciliation_mode": "automatic", "using_merchant_default": True}
    )


def settings_of_mode(mode: str) -> Object:
    """The settings that a given mode makes; the merchant's default is automatic here."""
    default = mode == "merchant_default"
    return {"reconciliation_mode": "automatic" if default else mode, "using_merchant_default": default}


def move(
    account: Account,
    customer: str,
    currency: str,
    amount: int,
    kind: str,
    *,
    identifier: str = "",
    **details: Any,
) -> Object:
    """Change a balance and note why: one transaction, one event. `details` are those of the kind."""
    cash = account.private_state.setdefault(customer, {}).setdefault("cash", {})
    cash[currency] = cash.get(currency, 0) + amount
    transaction = {
        "id": identifier or account.new_id("ccsbtxn"),
        "object": KIND,
        "created": account.now,
        "currency": currency,
        "customer": customer,
        "ending_balance": cash[currency],
        **details,
        "livemode": False,
        "net_amount": amount,
        "type": kind,
    }
    account.add(KIND, transaction)
    events.emit(account, f"{KIND}.created", transaction)
    return transaction


def shown(account: Account, customer: str) -> Object:
    """The cash balance object."""
    cash = account.private_state.get(customer, {}).get("cash")
    return {
        "object": "cash_balance",
        "available": dict(cash) if cash else None,
        "customer": customer,
        "livemode": False,
        "settings": settings(account, customer),
    }


def retrieve(account: Account, params: dict[str, Any], customer: str) -> Object:
    """GET /v1/customers/{customer}/cash_balance."""
    account.find("customer", customer, "customer", status=404)
    return shown(account, customer)


def list_transactions(account: Account, params: dict[str, Any], customer: str) -> Page:
    """GET /v1/customers/{customer}/cash_balance_transactions."""
    account.find("customer", customer, "customer", status=404)
    url = f"/v1/customers/{customer}/cash_balance_transactions"
    return page(account, KIND, {**params, "customer": customer}, url, filters=("customer",))


def retrieve_transaction(account: Account, params: dict[str, Any], customer: str, identifier: str) -> Object:
    """GET /v1/customers/{customer}/cash_balance_transactions/{transaction}."""
    found = account.get(KIND, identifier)
    if found is None or found["customer"] != customer:
        raise missing("cash balance transaction", identifier, "transaction")
    return found


ROUTES: dict[str, Handler] = {
    "GET /v1/customers/{customer}/cash_balance": retrieve,
    "GET /v1/customers/{customer}/cash_balance_transactions": list_transactions,
    "GET /v1/customers/{customer}/cash_balance_transactions/{transaction}": retrieve_transaction,
}
INCLUDED = {("customer", "cash_balance"): lambda account, of: shown(account, of["id"])}
