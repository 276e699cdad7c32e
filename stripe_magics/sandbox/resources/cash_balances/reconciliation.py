"""What comes in by bank transfer, and what it pays: invoices and payment intents that wait for money.

By itself, in this order:
    1. what the transfer's reference names: an intent's code, an invoice's number
    2. the smallest group of up to five that needs just what there is; more invoices, then older ones first
    3. invoices, then intents, the oldest first; the last one is funded in part
With manual reconciliation nothing is paid until `apply_customer_balance` says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from math import comb
from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid, missing, too_low
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.checks import checked_amount_range, checked_currency
from stripe_magics.sandbox.core.clock import DAY
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.cash_balances import cash_balance, funding_addresses, intent_funding
from stripe_magics.sandbox.resources.payment_intents import payment_attempts
from stripe_magics.sandbox.resources.payment_methods.method_creation import new_method

OVERDUE_AT_MOST = 30 * DAY
GROUP, TRIES = 5, 5_000
UNFUNDED = frozenset({"requires_payment_method", "requires_confirmation"})
_SENDER = "Sandbox Sender"
_DETAILS: dict[str, Object] = {
    "eu_bank_transfer": {"bic": "BANKDEAAXXX", "iban_last4": "7089", "sender_name": _SENDER},
    "gb_bank_transfer": {"account_number_last4": "6789", "sender_name": _SENDER, "sort_code": "108800"},
    "jp_bank_transfer": {"sender_bank": "STRIPE TEST BANK", "sender_branch": "MAIN", "sender_name": _SENDER},
    "us_bank_transfer": {"network": "ach", "sender_name": _SENDER},
}


def fund(account: Account, params: dict[str, Any], customer: str) -> Object:
    """POST /v1/test_helpers/customers/{customer}/fund_cash_balance: a bank transfer comes in."""
    account.find("customer", customer, "customer", status=404)
    currency = checked_currency(params["currency"])
    amount = checked_amount_range(params["amount"], currency)
    kind = funding_addresses.transfer_kind(currency)
    transfer = {"reference": params.get("reference"), "type": kind}
    if kind in _DETAILS:
        transfer[kind] = dict(_DETAILS[kind])
    transaction = cash_balance.move(
        account, customer, currency, amount, "funded", funded={"bank_transfer": transfer}
    )
    reconcile(account, customer, currency, params.get("reference") or "")
    if cash_balance.available(account, customer, currency) > 0:
        events.emit(account, "cash_balance.funds_available", cash_balance.shown(account, customer))
    return transaction


def reconcile(account: Account, customer: str, currency: str, reference: str = "") -> None:
    """Pay what waits from what there is, unless that is done by hand."""
    if not cash_balance.automatic(account, customer):
        return
    have = cash_balance.available(account, customer, currency)
    if have <= 0:
        return
    for intent in _chosen(account, list(_waiting(account, customer, currency)), have, reference):
        amount = min(have, intent_funding.remaining(account, intent))
        if amount > 0:
            apply(account, intent, amount)
            have -= amount


def _waiting(account: Account, customer: str, currency: str) -> Iterator[Object]:
    """The intents that wait for money: those of invoices first, the oldest first."""
    for identifier in account.where("invoice", customer=customer, status="open"):
        invoice = account.peek("invoice", identifier) or {}
        intent = account.get("payment_intent", invoice["payment_intent"] or "")
        if intent is None or invoice["currency"] != currency or not _by_transfer(invoice):
            continue
        late = account.now - (invoice["due_date"] or account.now)
        if late <= OVERDUE_AT_MOST and (intent["status"] in UNFUNDED or intent_funding.waits(intent)):
            yield intent
    for identifier in account.where("payment_intent", customer=customer):
        intent = account.find("payment_intent", identifier, "intent")
        if intent["currency"] == currency and not intent["invoice"] and intent_funding.waits(intent):
            yield intent


def _by_transfer(invoice: Object) -> bool:
    """Whether an invoice may be paid by bank transfer: its types say so, or they leave it open and it is
    sent."""
    types = (invoice["payment_settings"] or {}).get("payment_method_types")
    return intent_funding.TYPE in types if types else invoice["collection_method"] == "send_invoice"


def _chosen(account: Account, waiting: list[Object], have: int, reference: str) -> list[Object]:
    named = [each for each in waiting if _named(account, each, reference)]
    if named:
        return named + [each for each in waiting if each not in named]
    needs = [intent_funding.remaining(account, each) for each in waiting]
    for size in range(1, min(GROUP, len(waiting)) + 1):
        if comb(len(waiting), size) > TRIES:
            break
        for group in combinations(range(len(waiting)), size):
            if sum(needs[place] for place in group) == have:
                return [waiting[place] for place in group]
    return waiting


def _named(account: Account, intent: Object, reference: str) -> bool:
    text = reference.upper()
    if not text:
        return False
    number = (account.peek("invoice", intent["invoice"] or "") or {}).get("number")
    return funding_addresses.reference(account, intent) in text or bool(number and number.upper() in text)


def apply(account: Account, intent: Object, amount: int) -> None:
    """Pay an intent, or a part of it, from its customer's balance."""
    method = account.get("payment_method", intent["payment_method"] or "")
    if method is None or method["type"] != intent_funding.TYPE:
        method = new_method(account, intent_funding.TYPE, {})
        types = [*intent["payment_method_types"], intent_funding.TYPE]
        intent.update(payment_method=method["id"], payment_method_types=list(dict.fromkeys(types)))
    payment_attempts.fund(account, intent, method, amount)


def apply_by_hand(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/payment_intents/{intent}/apply_customer_balance."""
    intent = account.find("payment_intent", identifier, "intent", what="payment_intent", status=404)
    open_ = intent["status"] in UNFUNDED or intent_funding.waits(intent)
    if not open_ or (intent_funding.TYPE not in intent["payment_method_types"] and not intent["invoice"]):
        raise invalid(
            "You cannot apply a cash balance to this PaymentIntent: it has a status of"
            f" {intent['status']}, and its payment method types are"
            f" {', '.join(intent['payment_method_types'])}. It must be incomplete and take customer_balance.",
            code="payment_intent_unexpected_state",
            payment_intent=intent,
        )
    intent_funding.check_confirmed(intent)
    if params.get("currency") and params["currency"].lower() != intent["currency"]:
        raise invalid(f"The currency of this PaymentIntent is {intent['currency']}.", param="currency")
    needed = intent_funding.remaining(account, intent)
    amount: int = needed if intent["invoice"] else params.get("amount", needed)
    if amount < 1:
        raise too_low(1, "amount")
    if amount > needed:
        raise invalid(
            f"The amount is greater than what remains to be paid: {needed}.",
            param="amount", code="amount_too_large",
        )  # fmt: skip
    have = max(0, cash_balance.available(account, intent["customer"], intent["currency"]))
    if have < amount:
        raise invalid(
            f"The customer's cash balance has {have} {intent['currency']}, which doesn't cover {amount}.",
            param="amount", code="insufficient_funds",
        )  # fmt: skip
    apply(account, intent, amount)
    return intent


def update(account: Account, params: dict[str, Any], customer: str) -> Object:
    """POST /v1/customers/{customer}/cash_balance: how what comes in is reconciled."""
    account.find("customer", customer, "customer", status=404)
    mode = (params.get("settings") or {}).get("reconciliation_mode")
    if mode:
        set_mode(account, customer, mode)
    return cash_balance.shown(account, customer)


def set_mode(account: Account, customer: str, mode: str) -> None:
    """From now on by itself or by hand; what lies there pays at once if by itself."""
    account.private_state.setdefault(customer, {})["cash_balance"] = cash_balance.settings_of_mode(mode)
    for currency in list(account.private_state[customer].get("cash", {})):
        reconcile(account, customer, currency)


def reverse(account: Account, params: dict[str, Any], customer: str) -> Object:
    """A bank calls a transfer back; what is no longer there is taken from the account's own balance."""
    account.find("customer", customer, "customer", status=404)
    funded = account.get(cash_balance.KIND, params["transaction"])
    if funded is None or funded["customer"] != customer or funded["type"] != "funded":
        raise missing("funding transaction", params["transaction"], "transaction", status=400)
    if account.private_state.get(funded["id"], {}).get("reversed"):
        raise invalid("This transfer was called back already.", param="transaction")
    account.private_state[funded["id"]] = {"reversed": True}
    currency = funded["currency"]
    made = cash_balance.move(account, customer, currency, -funded["net_amount"], "funding_reversed")
    short = -cash_balance.available(account, customer, currency)
    if short > 0:
        entry = account.ledger.post(
            "adjustment", "other_adjustment", currency=currency, amount=-short, source=made["id"],
            description="Bank transfer that was called back",
        )  # fmt: skip
        details = {"balance_transaction": entry["id"], "linked_transaction": made["id"]}
        cash_balance.move(
            account, customer, currency, short, "adjusted_for_overdraft", adjusted_for_overdraft=details
        )
    return made


def transfer_to_balance(account: Account, params: dict[str, Any], customer: str) -> Object:
    """What nothing reconciled in time goes to the account's own balance."""
    account.find("customer", customer, "customer", status=404)
    currency = checked_currency(params["currency"])
    amount = cash_balance.available(account, customer, currency)
    if amount <= 0:
        raise invalid(f"The customer's cash balance has no {currency}.", param="currency")
    identifier = account.new_id("ccsbtxn")
    entry = account.ledger.post(
        "payment_unreconciled", "unreconciled_customer_funds", currency=currency, amount=amount,
        source=identifier, description="Unreconciled bank transfers",
    )  # fmt: skip
    return cash_balance.move(
        account, customer, currency, -amount, "transferred_to_balance", identifier=identifier,
        transferred_to_balance={"balance_transaction": entry["id"]},
    )  # fmt: skip


def finalized(account: Account, invoice: Object) -> None:
    """A new open invoice is paid from what there is."""
    if cash_balance.has_any(account, invoice["customer"]):
        reconcile(account, invoice["customer"], invoice["currency"])


def given_back(account: Account, intent: Object) -> None:
    """A canceled intent keeps no money: it pays for what else waits."""
    if intent_funding.taken(account, intent):
        intent_funding.canceled(account, intent)
        reconcile(account, intent["customer"], intent["currency"])


REACTIONS = {
    "invoice.finalized": finalized,
    "payment_intent.canceled": given_back,
    "payment_intent.succeeded": intent_funding.succeeded,
}
ROUTES: dict[str, Handler] = {
    "POST /v1/customers/{customer}/cash_balance": update,
    "POST /v1/test_helpers/customers/{customer}/fund_cash_balance": fund,
    "POST /v1/payment_intents/{intent}/apply_customer_balance": apply_by_hand,
}
