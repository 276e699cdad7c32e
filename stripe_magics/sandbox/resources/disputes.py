"""Disputes: the cardholder's bank takes the money back, with a fee; evidence may win it back.

    needs_response -> under_review -> won | lost
    an inquiry: warning_needs_response -> warning_under_review -> warning_closed

Opening one books -amount with a fee of 15.00; a win books the amount back and keeps the fee. An inquiry moves
no money. As with Stripe's test mode, evidence whose `uncategorized_text` is `winning_evidence` wins,
`losing_evidence` loses; left alone, a dispute is lost at its deadline. An inquiry can still be answered after
its own (`past_due`: of the last submission; false where nothing was submitted).
"""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.dispatcher import Handler
from stripe_magics.sandbox.api.errors import invalid
from stripe_magics.sandbox.api.pagination import Page, page
from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.clock import DAY
from stripe_magics.sandbox.core.ledger import DISPUTE_FEE
from stripe_magics.sandbox.core.metadata import merged_metadata
from stripe_magics.sandbox.core.store import Account, Object

ANSWER_WITHIN = 9 * DAY
REVIEW = 5 * DAY
INQUIRY = 120 * DAY
EVIDENCE = (
    "access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure",
    "cancellation_rebuttal", "customer_communication", "customer_email_address", "customer_name",
    "customer_purchase_ip", "customer_signature", "duplicate_charge_documentation",
    "duplicate_charge_explanation", "duplicate_charge_id", "product_description", "receipt", "refund_policy",
    "refund_policy_disclosure", "refund_refusal_explanation", "service_date", "service_documentation",
    "shipping_address", "shipping_carrier", "shipping_date", "shipping_documentation",
    "shipping_tracking_number", "uncategorized_file", "uncategorized_text",
)  # fmt: skip
FILES = (
    "cancellation_policy", "customer_communication", "customer_signature", "duplicate_charge_documentation",
    "receipt", "refund_policy", "service_documentation", "shipping_documentation", "uncategorized_file",
)  # fmt: skip
"""Evidence that is a file."""
OPEN = {"needs_response", "under_review", "warning_needs_response", "warning_under_review"}
_REASON_CODES = {"fraudulent": "10.4", "product_not_received": "13.1", "general": "10.4"}


def open_dispute(account: Account, charge: Object, reason: str, *, inquiry: bool = False) -> Object:
    """The cardholder disputes a charge, in full."""
    identifier = account.new_id("du")
    amount = charge["amount_captured"] - charge["amount_refunded"]
    dispute: Object = {
        "id": identifier,
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": account.now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys(EVIDENCE), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": account.now + ANSWER_WITHIN,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": inquiry,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": _details(charge, reason, inquiry=inquiry),
        "reason": reason,
        "status": "warning_needs_response" if inquiry else "needs_response",
    }
    account.add("dispute", dispute)
    before = events.snapshot(charge)
    charge.update(disputed=True, dispute=identifier)
    account.save("charge", charge)
    events.emit(account, "charge.updated", charge, before)
    events.emit(account, "charge.dispute.created", dispute)
    if not inquiry:
        _book(account, dispute, -amount, "dispute", fee=DISPUTE_FEE)
        events.emit(account, "charge.dispute.funds_withdrawn", dispute)
    account.clock.at(account.now + (INQUIRY if inquiry else ANSWER_WITHIN), "dispute_due", identifier)
    return dispute


def _details(charge: Object, reason: str, *, inquiry: bool) -> Object:
    kind = charge["payment_method_details"]["type"]
    if kind != "card":
        return {"type": kind}
    case = "inquiry" if inquiry else "chargeback"
    brand = charge["payment_method_details"]["card"]["brand"]
    return {
        "card": {"brand": brand, "case_type": case, "network_reason_code": _REASON_CODES.get(reason, "10.4")},
        "type": "card",
    }


def _book(account: Account, dispute: Object, amount: int, category: str, *, fee: int = 0) -> None:
    entry = account.ledger.post(
        "adjustment",
        category,
        currency=dispute["currency"],
        amount=amount,
        fee=fee,
        source=dispute["id"],
        description=f"Chargeback {'withdrawal' if amount < 0 else 'reversal'} for {dispute['charge']}",
    )
    dispute["balance_transactions"] = [*dispute["balance_transactions"], entry]
    account.save("dispute", dispute)


def close_as(account: Account, dispute: Object, *, won: bool) -> None:
    """The bank decides (or an inquiry ends)."""
    if dispute["status"] not in OPEN:
        return
    before = events.snapshot(dispute)
    inquiry = dispute["status"].startswith("warning_")
    dispute["status"] = "warning_closed" if inquiry else "won" if won else "lost"
    account.save("dispute", dispute)
    if won and not inquiry:
        _book(account, dispute, dispute["amount"], "dispute_reversal")
    events.emit(account, "charge.dispute.closed", dispute, before)
    if won and not inquiry:
        events.emit(account, "charge.dispute.funds_reinstated", dispute)


def deadline(account: Account, dispute: Object) -> None:
    """Nobody answered in time: lost, or an inquiry that fades out."""
    if dispute["status"] in {"needs_response", "warning_needs_response", "warning_under_review"}:
        close_as(account, dispute, won=False)


def submit(account: Account, dispute: Object) -> None:
    """Send the evidence to the bank, which takes its time."""
    inquiry = dispute["status"].startswith("warning_")
    dispute["status"] = "warning_under_review" if inquiry else "under_review"
    details = dispute["evidence_details"]
    dispute["evidence_details"] = {
        **details, "has_evidence": True, "past_due": details["due_by"] < account.now,
        "submission_count": details["submission_count"] + 1,
    }  # fmt: skip
    word = dispute["evidence"]["uncategorized_text"]
    if word in {"winning_evidence", "losing_evidence"}:
        account.save("dispute", dispute)
        close_as(account, dispute, won=word == "winning_evidence")
    else:
        account.clock.at(account.now + REVIEW, "dispute_decided", dispute["id"])


def retrieve(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """GET /v1/disputes/{dispute}."""
    return account.find("dispute", identifier, "id", status=404)


def listing(account: Account, params: dict[str, Any]) -> Page:
    """GET /v1/disputes."""
    return page(account, "dispute", params, "/v1/disputes", filters=("charge", "payment_intent"))


def update(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/disputes/{dispute}: evidence (submitted unless submit=false) and metadata."""
    dispute = retrieve(account, params, identifier)
    if dispute["status"] not in {"needs_response", "warning_needs_response"} and (
        params.get("evidence") or params.get("submit")
    ):
        raise invalid("This dispute is already closed or under review: its evidence can't change any more.")
    before = events.snapshot(dispute)
    if "metadata" in params:
        dispute["metadata"] = merged_metadata(dispute["metadata"], params["metadata"])
    if params.get("evidence"):
        for name in sorted(set(params["evidence"]).intersection(FILES)):
            if params["evidence"][name]:
                account.find("file", params["evidence"][name], f"evidence[{name}]")
        dispute["evidence"] = {**dispute["evidence"], **params["evidence"]}
        dispute["evidence_details"] = {
            **dispute["evidence_details"],
            "has_evidence": any(dispute["evidence"].values()),
        }
    account.save("dispute", dispute)
    if params.get("submit", bool(params.get("evidence"))):
        submit(account, dispute)
        account.save("dispute", dispute)
    events.emit(account, "charge.dispute.updated", dispute, before)
    return dispute


def close(account: Account, params: dict[str, Any], identifier: str) -> Object:
    """POST /v1/disputes/{dispute}/close: accept that it is lost."""
    dispute = retrieve(account, params, identifier)
    if dispute["status"] not in OPEN:
        raise invalid("This dispute is already closed.")
    close_as(account, dispute, won=False)
    return dispute


ROUTES: dict[str, Handler] = {
    "GET /v1/disputes": listing,
    "GET /v1/disputes/{dispute}": retrieve,
    "POST /v1/disputes/{dispute}": update,
    "POST /v1/disputes/{dispute}/close": close,
}
