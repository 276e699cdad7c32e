"""Top-ups: money from the account's own bank into its balance.

pending -> succeeded | failed        pending -> canceled
"""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid, missing
from stripe_magics.sandbox.api.pagination import Page, page
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.checks import checked_amount_range, checked_currency
from stripe_magics.sandbox.core.clock import business_days_after
from stripe_magics.sandbox.core.metadata import merged_metadata, take
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.resources.payouts import bank_failure, default_account

TAKES = 1


def create(account: Account, params: dict[str, Any]) -> Object:
    """POST /v1/topups: from the default bank account of the currency, or a source."""
    currency = checked_currency(params["currency"])
    amount = checked_amount_range(params["amount"], currency)
    bank = default_account(account, currency)
    source = account.get("source", params["source"]) if params.get("source") else None
    if params.get("source") and source is None:
        raise missing("source", params["source"], "source", status=400)
    if bank is None and source is None:
        raise invalid(
            f"You have no bank account in {currency} that a top-up could come from.", param="currency"
        )
    topup: Object = {
        "id": account.new_id("tu"), "object": "topup", "amount": amount, "balance_transaction": None,
        "created": account.now, "currency": currency, "description": params.get("description"),
        "expected_availability_date": business_days_after(account.now, TAKES), "failure_code": None,
        "failure_message": None, "livemode": False, "metadata": merged_metadata({}, params.get("metadata")),
        "source": source, "statement_descriptor": params.get("statement_descriptor"), "status": "pending",
        "transfer_group": params.get("transfer_group"),
    }  # fmt: skip
    account.add("topup", topup)
    account.private_state[topup["id"]] = {"bank": bank["id"] if bank else ""}
    account.clock.at(topup["expected_availability_date"], "topup_arrives", topup["id"])
    events.emit(account, "topup.created", topup)
    return topup


def arrive(account: Account, topup: Object) -> None:
    """The bank answers: the money is there, or isn't, as the account's number has it."""
    if topup["status"] != "pending":
        return
    bank = account.private_state.get(topup["id"], {}).get("bank", "")
    trouble = bank_failure(account, bank)
    if trouble is not None:
        topup.update(status="failed", failure_code=trouble[0], failure_message=trouble[1])
        account.save("topup", topup)
        events.emit(account, "topup.failed", topup)
        return
    entry = account.ledger.post(
        "topup",
        "topup",
        currency=topup["currency"],
        amount=topup["amount"],
        source=topup["id"],
        description=topup["description"],
    )
    topup.update(status="succeeded", balance_transaction=entry["id"])
    account.save("topup", topup)
    events.emit(account, "topup.succeeded", topup)


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/topups/{topup}."""
    return account.find("topup", identifier, "topup", status=404)


def update(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/topups/{topup}: description and metadata."""
    topup = retrieve(account, {}, identifier)
    take(topup, params, ("description", "metadata"))
    return account.save("topup", topup)


def cancel(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/topups/{topup}/cancel: while it is pending."""
    topup = retrieve(account, {}, identifier)
    if topup["status"] != "pending":
        raise invalid(f"Only pending top-ups can be canceled; the status of this one is {topup['status']}.")
    topup["status"] = "canceled"
    account.save("topup", topup)
    events.emit(account, "topup.canceled", topup)
    return topup


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/topups."""
    return page(account, "topup", params, "/v1/topups", filters=("status",), ranges=("amount",))


ROUTES: dict[str, Handler] = {
    "POST /v1/topups": create,
    "GET /v1/topups": listing,
    "GET /v1/topups/{topup}": retrieve,
    "POST /v1/topups/{topup}": update,
    "POST /v1/topups/{topup}/cancel": cancel,
}
