"""What looks like fraud: reviews of payments with an elevated risk, and early fraud warnings from the card's
bank."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid
from stripe_magics.sandbox.api.pagination import Page, page
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.store import Account, Object


def after_success(account: Account, charge: Object, risk: str, *, warning: bool) -> None:
    """A charge was paid. The caller saves it."""
    if risk == "elevated":
        _open_review(account, charge)
    if warning:
        _warn(account, charge)


def _open_review(account: Account, charge: Object) -> None:
    review: Object = {
        "id": account.new_id("prv"), "object": "review",
        "billing_zip": charge["billing_details"]["address"]["postal_code"], "charge": charge["id"],
        "closed_reason": None, "created": account.now, "ip_address": None, "ip_address_location": None,
        "livemode": False, "open": True, "opened_reason": "rule", "payment_intent": charge["payment_intent"],
        "reason": "rule", "session": None,
    }  # fmt: skip
    account.add("review", review)
    charge["review"] = review["id"]
    intent = account.get("payment_intent", charge["payment_intent"] or "")
    if intent is not None:
        intent["review"] = review["id"]
        account.save("payment_intent", intent)
    events.emit(account, "review.opened", review)


def _warn(account: Account, charge: Object) -> None:
    warning: Object = {
        "id": account.new_id("issfr"), "object": "radar.early_fraud_warning", "actionable": True,
        "charge": charge["id"], "created": account.now, "fraud_type": "unauthorized_use_of_card",
        "livemode": False, "payment_intent": charge["payment_intent"],
    }  # fmt: skip
    account.add("radar.early_fraud_warning", warning)
    events.emit(account, "radar.early_fraud_warning.created", warning)


def on_refund(account: Account, charge: Object) -> None:
    """A charge was refunded: its review is closed, and its warning needs nobody any more."""
    if charge["refunded"]:
        fraud = (charge["fraud_details"] or {}).get("user_report") == "fraudulent"
        _close_review(account, charge, "refunded_as_fraud" if fraud else "refunded")


def on_dispute(account: Account, dispute: Object) -> None:
    """A charge was disputed."""
    charge = account.peek("charge", dispute["charge"])
    if charge is not None:
        _close_review(account, charge, "disputed")


def _close_review(account: Account, charge: Object, reason: str) -> None:
    review = account.get("review", charge["review"] or "")
    if review is not None and review["open"]:
        _close(account, review, reason)
    for each in account.where("radar.early_fraud_warning", charge=charge["id"]):
        warning = account.find("radar.early_fraud_warning", each, "charge")
        if warning["actionable"]:
            before = events.snapshot(warning)
            warning["actionable"] = False
            account.save("radar.early_fraud_warning", warning)
            events.emit(account, "radar.early_fraud_warning.updated", warning, before)


def _close(account: Account, review: Object, reason: str) -> None:
    review.update(open=False, closed_reason=reason, reason=reason)
    account.save("review", review)
    events.emit(account, "review.closed", review)


# the API


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/reviews/{review}."""
    return account.find("review", identifier, "review", status=404)


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/reviews: the open ones."""
    return page(account, "review", params, "/v1/reviews", tests=[lambda row: bool(row.value["open"])])


def approve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/reviews/{review}/approve."""
    review = retrieve(account, {}, identifier)
    if not review["open"]:
        raise invalid(f"This review is already closed: {review['closed_reason']}.")
    _close(account, review, "approved")
    return review


def retrieve_warning(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/radar/early_fraud_warnings/{early_fraud_warning}."""
    return account.find("radar.early_fraud_warning", identifier, "early_fraud_warning", status=404)


def list_warnings(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/radar/early_fraud_warnings."""
    return page(
        account,
        "radar.early_fraud_warning",
        params,
        "/v1/radar/early_fraud_warnings",
        filters=("charge", "payment_intent"),
    )


REACTIONS = {"charge.refunded": on_refund, "charge.dispute.created": on_dispute}
ROUTES: dict[str, Handler] = {
    "GET /v1/reviews": listing,
    "GET /v1/reviews/{review}": retrieve,
    "POST /v1/reviews/{review}/approve": approve,
    "GET /v1/radar/early_fraud_warnings": list_warnings,
    "GET /v1/radar/early_fraud_warnings/{early_fraud_warning}": retrieve_warning,
}
