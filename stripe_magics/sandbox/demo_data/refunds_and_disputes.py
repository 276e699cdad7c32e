"""Money that the demo firm gave back, or had taken back: refunds and disputes."""

from __future__ import annotations

from stripe_magics.sandbox.core import events
from stripe_magics.sandbox.core.clock import HOUR
from stripe_magics.sandbox.core.ledger import DISPUTE_FEE
from stripe_magics.sandbox.core.store import Object
from stripe_magics.sandbox.demo_data.records import DAY, Bill, Sale
from stripe_magics.sandbox.demo_data.writer import Books
from stripe_magics.sandbox.resources.disputes import ANSWER_WITHIN, EVIDENCE, INQUIRY, REVIEW

LATE_FAILURE = "expired_or_canceled_card"


def given_back(books: Books, charge: Object, of: Bill | Sale) -> None:
    """What a story says of the charge's refund and dispute; call it before the charge is stored."""
    if of.refund is not None:
        _refund(books, charge, of.refund)
    if of.dispute is not None:
        _dispute(books, charge, *of.dispute)


def _refund(books: Books, charge: Object, refund: tuple[int, int, str | None, bool]) -> None:
    moment, percent, reason, failed = refund
    amount = charge["amount_captured"] * percent // 100
    currency, identifier = charge["currency"], books.new("re")
    text = f"REFUND FOR CHARGE ({charge['description']})"
    made = {
        "id": identifier, "object": "refund", "amount": amount,
        "balance_transaction": books.entry("refund", "refund", currency, -amount, moment, identifier,
            text=text)["id"],
        "charge": charge["id"], "created": moment, "currency": currency,
        "destination_details": {
            "card": {"reference_status": "pending", "reference_type": "acquirer_reference_number",
                "type": "refund"}, "type": "card",
        },
        "metadata": {}, "payment_intent": charge["payment_intent"], "reason": reason, "receipt_number": None,
        "source_transfer_reversal": None, "status": "succeeded", "transfer_reversal": None,
    }  # fmt: skip
    released = charge["amount_refunded"]
    charge.update(amount_refunded=released + amount, refunded=released + amount == charge["amount"])
    books.event("refund.created", moment, made)
    before = {"amount_refunded": released, **({"refunded": False} if charge["refunded"] else {})}
    books.event("charge.refunded", moment, charge, before)
    if failed:
        back = books.entry(
            "refund_failure",
            "refund_failure",
            currency,
            amount,
            moment + 5 * DAY,
            identifier,
            text="REFUND FAILURE",
        )
        made.update(status="failed", failure_reason=LATE_FAILURE, failure_balance_transaction=back["id"])
        charge.update(amount_refunded=released, refunded=False)
    if reason == "fraudulent":
        charge["fraud_details"] = {"user_report": "fraudulent"}
        books.late_event("charge.updated", moment, charge, {"fraud_details": {"user_report": None}})
    books.account.insert("refund", made)


def _dispute(books: Books, charge: Object, moment: int, reason: str, status: str) -> None:
    identifier, currency, amount = books.new("du"), charge["currency"], charge["amount_captured"]
    inquiry = status.startswith("warning")
    booked = []

    def book(signed: int, category: str, when: int, fee: int = 0) -> None:
        text = f"Chargeback {'withdrawal' if signed < 0 else 'reversal'} for {charge['id']}"
        booked.append(
            books.entry("adjustment", category, currency, signed, when, identifier, fee=fee, text=text)
        )

    if not inquiry:
        book(-amount, "dispute", moment, DISPUTE_FEE)
    if status == "won":
        book(amount, "dispute_reversal", moment + 33 * DAY)
    answered = status in {"won", "under_review", "warning_closed"}
    made = {
        "id": identifier, "object": "dispute", "amount": amount, "balance_transactions": booked,
        "charge": charge["id"], "created": moment, "currency": currency, "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys(EVIDENCE), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": moment + ANSWER_WITHIN, "enhanced_eligibility": {}, "has_evidence": answered,
            "past_due": status == "warning_closed", "submission_count": int(answered),
        },
        "is_charge_refundable": inquiry, "livemode": False, "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "card": {"brand": "visa", "case_type": "inquiry" if inquiry else "chargeback",
                "network_reason_code": "10.4"}, "type": "card",
        },
        "reason": reason, "status": status,
    }  # fmt: skip
    early: Object = {
        **made, "status": "warning_needs_response" if inquiry else "needs_response",
        "balance_transactions": booked[:1], "evidence": dict(made["evidence"]),
        "evidence_details": {
            **made["evidence_details"], "has_evidence": False, "past_due": False, "submission_count": 0,
        },
    }  # fmt: skip
    if answered:
        made["evidence"]["product_description"] = "Software by subscription"
    charge.update(disputed=True, dispute=identifier)
    books.late_event("charge.updated", moment, charge, {"dispute": None, "disputed": False})
    books.account.insert("dispute", made)
    books.event("charge.dispute.created", moment, early)
    if not inquiry:
        books.event("charge.dispute.funds_withdrawn", moment, early)
    at = books.account.clock.at
    if status in {"needs_response", "warning_needs_response"}:
        at(moment + (INQUIRY if inquiry else ANSWER_WITHIN), "dispute_due", identifier)
    elif status == "under_review":
        changed = ("status", "evidence", "evidence_details")
        before = events.changed(
            {name: early[name] for name in changed}, {name: made[name] for name in changed}
        )
        books.late_event("charge.dispute.updated", min(moment + DAY, books.now - HOUR), made, before)
        at(max(books.now, moment + ANSWER_WITHIN) + REVIEW, "dispute_decided", identifier)
