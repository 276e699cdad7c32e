"""Payouts: money to the bank.

    pending -> in_transit -> paid | failed        pending -> canceled (manual ones only)

Manual ones take from the available balance at once. Automatic ones run every business day: each takes
everything available in its currency, and its members (GET /v1/balance_transactions?payout=) add up to its
amount.
"""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid, invalid_before_execution, missing, too_low
from stripe_magics.sandbox.api.pagination import Page, page
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.checks import checked_currency
from stripe_magics.sandbox.core.clock import MINUTE, business_days_after, midnight
from stripe_magics.sandbox.core.metadata import merged_metadata
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.payment_methods.test_cards import PAYOUT_ACCOUNTS

STATUSES = ("pending", "paid", "failed", "canceled", "in_transit")
INSTANT_TAKES = 30 * MINUTE


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/payouts."""
    currency = checked_currency(params["currency"])
    amount = params["amount"]
    if amount < 1:
        raise too_low(1, "amount")
    destination = _destination(account, params, currency)
    instant = params.get("method") == "instant"
    if instant and "instant" not in (destination.get("available_payout_methods") or ()):
        raise invalid(
            f"{destination['id']} is not eligible for instant payouts: it takes a debit card, or a bank"
            " account that allows them.",
            param="method",
            code="instant_payouts_unsupported",
        )
    source = params.get("source_type") or "card"
    have = account.ledger.available(currency) if source == "card" else 0
    if amount > have:
        raise invalid(
            f"You have insufficient funds in your {source} balance for this payout: {have} {currency} (minor"
            " units) are available, and pending funds do not count.",
            param="amount",
            code="balance_insufficient",
        )
    payout = _new(account, amount, currency, destination, params, instant=instant)
    account.add("payout", payout)
    _book(account, payout)
    account.save("payout", payout)
    events.emit(account, "payout.created", payout)
    if instant:
        account.clock.at(account.now + INSTANT_TAKES, "payout_arrives", payout["id"])
    else:
        account.clock.at(business_days_after(account.now, 1), "payout_transit", payout["id"])
        account.clock.at(payout["arrival_date"], "payout_arrives", payout["id"])
    return payout


def _destination(account: Account, params: dict[str, Any], currency: str) -> Object:
    if params.get("destination"):
        found = account.get("bank_account", params["destination"]) or account.get(
            "card", params["destination"]
        )
        if found is None or found.get("customer"):
            raise missing("external account", params["destination"], "destination", status=400)
        if found["currency"] != currency:
            raise invalid(f"{found['id']} takes {found['currency']}, not {currency}.", param="destination")
        return found
    found = default_account(account, currency)
    if found is None:
        raise invalid(
            f"Sorry, you don't have any external accounts in that currency ({currency}). Add one, or pay out"
            " a currency that has one.",
            param="currency",
        )
    return found


def default_account(account: Account, currency: str) -> Object | None:
    """The bank account that payouts of a currency go to."""
    for identifier in account.where("bank_account", currency=currency):
        found = account.get("bank_account", identifier)
        if found is not None and found["default_for_currency"]:
            return found
    return None


def _new(
    account: Account,
    amount: int,
    currency: str,
    destination: Object,
    params: dict[str, Any],
    *,
    instant: bool = False,
    automatic: bool = False,
) -> Object:
    now = account.now
    arrival = now if instant else business_days_after(now, 1 if automatic else 2)
    return {
        "id": account.new_id("po"),
        "object": "payout",
        "amount": amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": midnight(arrival),
        "automatic": automatic,
        "balance_transaction": None,
        "created": now,
        "currency": currency,
        "description": params.get("description") or ("STRIPE PAYOUT" if automatic else None),
        "destination": destination["id"],
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": merged_metadata({}, params.get("metadata")),
        "method": "instant" if instant else "standard",
        "original_payout": None,
        "reconciliation_status": "completed" if automatic else "not_applicable",
        "reversed_by": None,
        "source_type": params.get("source_type") or "card",
        "statement_descriptor": params.get("statement_descriptor"),
        "status": "in_transit" if automatic else "pending",
        "trace_id": None,
        "type": "card" if destination["object"] == "card" else "bank_account",
    }


def _book(account: Account, payout: Object) -> None:
    entry = account.ledger.post(
        "payout",
        "payout",
        currency=payout["currency"],
        amount=-payout["amount"],
        source=payout["id"],
        description=payout["description"],
    )
    payout["balance_transaction"] = entry["id"]


def automatic(account: Account) -> None:
    """The daily run: one payout for each currency with a bank account and something available."""
    if account.profile["settings"]["payouts"]["schedule"]["interval"] == "manual":
        return
    for currency in sorted(account.ledger.totals):
        amount = account.ledger.available(currency)
        destination = default_account(account, currency)
        if amount <= 0 or destination is None:
            continue
        payout = _new(account, amount, currency, destination, {}, automatic=True)
        account.add("payout", payout)
        _book(account, payout)
        account.ledger.take(currency, payout["id"])
        account.save("payout", payout)
        events.emit(account, "payout.created", payout)
        events.emit(account, "payout.reconciliation_completed", payout)
        account.clock.at(payout["arrival_date"], "payout_arrives", payout["id"])


def bank_failure(account: Account, bank: str) -> tuple[str, str] | None:
    """What goes wrong with that bank account, by its test number: code, message."""
    return PAYOUT_ACCOUNTS.get(account.private_state.get(bank, {}).get("number", ""))


def transit(account: Account, payout: Object) -> None:
    """On its way: it can't be canceled any more."""
    if payout["status"] != "pending":
        return
    _move(account, payout, "in_transit", "payout.updated")


def arrive(account: Account, payout: Object) -> None:
    """At the bank: paid, or sent back, as the destination's number has it."""
    if payout["status"] not in {"pending", "in_transit"}:
        return
    trouble = bank_failure(account, payout["destination"])
    if trouble is not None:
        fail(account, payout, *trouble)
        return
    payout["trace_id"] = {"status": "supported", "value": account.letters(f"trace{payout['id']}", 15).upper()}
    _move(account, payout, "paid", "payout.paid")


def fail(
    account: Account,
    payout: Object,
    code: str = "could_not_process",
    message: str = "The bank could not process this payout.",
) -> None:
    """The bank sends the money back (within five business days even after it was paid)."""
    if payout["status"] not in {"pending", "in_transit", "paid"}:
        return
    entry = account.ledger.post(
        "payout_failure",
        "payout_reversal",
        currency=payout["currency"],
        amount=payout["amount"],
        source=payout["id"],
        description="PAYOUT FAILURE",
    )
    payout.update(failure_code=code, failure_message=message, failure_balance_transaction=entry["id"])
    _move(account, payout, "failed", "payout.failed")


def _move(account: Account, payout: Object, status: str, event: str) -> None:
    before = events.snapshot(payout)
    payout["status"] = status
    account.save("payout", payout)
    events.emit(account, event, payout, before if event == "payout.updated" else None)


def cancel(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/payouts/{payout}/cancel."""
    payout = retrieve(account, {}, identifier)
    if payout["automatic"]:
        raise invalid("Automatic payouts cannot be canceled.")
    if payout["status"] != "pending":
        raise invalid(
            "Payouts can only be canceled while they are pending; the status of this one is"
            f" {payout['status']}."
        )
    entry = account.ledger.post(
        "payout_cancel",
        "payout_reversal",
        currency=payout["currency"],
        amount=payout["amount"],
        source=identifier,
        description="PAYOUT CANCELED",
    )
    payout["failure_balance_transaction"] = entry["id"]
    _move(account, payout, "canceled", "payout.canceled")
    return payout


def reverse(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/payouts/{payout}/reverse: only for payouts of connected accounts."""
    retrieve(account, {}, identifier)
    raise invalid("Only payouts of connected accounts to US bank accounts can be reversed.")


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/payouts/{payout}."""
    return account.find("payout", identifier, "payout", status=404)


def update(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/payouts/{payout}: metadata."""
    payout = retrieve(account, {}, identifier)
    if "metadata" in params:
        before = events.snapshot(payout)
        payout["metadata"] = merged_metadata(payout["metadata"], params["metadata"])
        account.save("payout", payout)
        events.emit(account, "payout.updated", payout, before)
    return payout


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/payouts."""
    if params.get("status") and params["status"] not in STATUSES:
        raise invalid_before_execution(
            f"Invalid status: must be one of {', '.join(STATUSES)}", param="status"
        )
    if params.get("destination") and not (
        account.peek("bank_account", params["destination"]) or account.peek("card", params["destination"])
    ):
        raise missing("external account", params["destination"], "destination", status=400)
    if params.get("status") == "in_transit":  # Stripe's filter doesn't know it and answers every payout
        params = {**params, "status": None}
    return page(
        account, "payout", params, "/v1/payouts", filters=("status", "destination"), ranges=("arrival_date",)
    )


# the balance and its transactions


def balance(account: Account, params: dict[str, Any]) -> Object:
    """GET /v1/balance."""
    return account.ledger.balance()


def entry(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/balance_transactions/{id}."""
    return account.find("balance_transaction", identifier, "id", what="balance transaction", status=404)


def entries(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/balance_transactions; `payout` names an automatic payout."""
    url = "/v1/balance_transactions"
    if params.get("currency"):
        params = {**params, "currency": checked_currency(params["currency"])}
    rows = None
    if params.get("payout"):
        payout = account.find("payout", params["payout"], "payout")
        if not payout["automatic"]:
            raise invalid(
                "Balance transaction history can only be filtered on automatic transfers, not manual.",
                param="payout",
            )
        table = account.table("balance_transaction")
        rows = sorted(
            (table.by_id[each] for each in account.ledger.members.get(params["payout"], ())),
            key=lambda row: row.order(),
        )
    return page(
        account, "balance_transaction", params, url, filters=("type", "currency", "source"), rows=rows
    )


ROUTES: dict[str, Handler] = {
    "GET /v1/payouts": listing,
    "POST /v1/payouts": create,
    "GET /v1/payouts/{payout}": retrieve,
    "POST /v1/payouts/{payout}": update,
    "POST /v1/payouts/{payout}/cancel": cancel,
    "POST /v1/payouts/{payout}/reverse": reverse,
    "GET /v1/balance": balance,
    "GET /v1/balance/history": entries,
    "GET /v1/balance_transactions": entries,
    "GET /v1/balance_transactions/{id}": entry,
}
