"""Small frames with the columns and dtypes that Stripe's objects have."""

from __future__ import annotations

from typing import Any

import pandas as pd

TIMES = {"created", "available_on", "arrival_date", "due_date", "start", "end"}


def frame(rows: list[dict[str, Any]], *, complete: bool = True) -> pd.DataFrame:
    out = pd.DataFrame(rows)
    for column in out.columns:
        if column in TIMES or column.startswith("status_transitions_"):
            out[column] = pd.to_datetime(out[column], utc=True, format="ISO8601").astype(
                "datetime64[us, UTC]"
            )
    out.attrs["stripe"] = {"complete": complete}
    return out


def transaction(
    identity: str, kind: str, amount: int, fee: int = 0, created: str = "2026-03-01", **more: Any
) -> dict[str, Any]:
    category = {
        "payment": "charge",
        "stripe_fee": "fee",
        "payout_failure": "payout_reversal",
        "adjustment": "dispute",
    }.get(kind, kind)
    return {
        "id": identity,
        "type": kind,
        "reporting_category": category,
        "amount": amount,
        "fee": fee,
        "net": amount - fee,
        "currency": "usd",
        "created": created,
        "available_on": created,
        "status": "available",
        "source": f"src_{identity}",
        "description": "",
        "exchange_rate": None,
        "fee_details": [],
        **more,
    }


LEDGER = [
    transaction(
        "t1",
        "charge",
        10000,
        320,
        "2026-03-01T10:00Z",
        fee_details=[{"type": "stripe_fee", "amount": 290}, {"type": "tax", "amount": 30}],
    ),
    transaction(
        "t2",
        "payment",
        5000,
        175,
        "2026-03-01T11:00Z",
        fee_details=[{"type": "stripe_fee", "amount": 125}, {"type": "application_fee", "amount": 50}],
    ),
    transaction("t3", "refund", -2000, 0, "2026-03-02T00:00Z"),
    transaction("t4", "stripe_fee", -200, 0, "2026-03-02T00:00Z"),
    transaction("t5", "payout", -12305, 0, "2026-03-03T00:00Z", source="po_1"),
    transaction(
        "t6", "charge", 3000, 117, "2026-03-31T20:00Z", available_on="2026-04-02T00:00Z", status="pending"
    ),
]
PAYOUT = {
    "id": "po_1",
    "amount": 12305,
    "currency": "usd",
    "status": "paid",
    "automatic": True,
    "created": "2026-03-03T00:00Z",
    "arrival_date": "2026-03-03T00:00Z",
    "reconciliation_status": "completed",
    "failure_code": None,
}


def invoice(identity: str, total: int, finalized: str, **more: Any) -> dict[str, Any]:
    return {
        "id": identity,
        "customer": "cus_1",
        "currency": "usd",
        "status": "open",
        "total": total,
        "amount_due": total,
        "amount_remaining": total,
        "collection_method": "send_invoice",
        "due_date": None,
        "status_transitions_finalized_at": finalized,
        "status_transitions_paid_at": None,
        "status_transitions_voided_at": None,
        "status_transitions_marked_uncollectible_at": None,
        **more,
    }


def charge(identity: str, amount: int, created: str = "2026-03-10", **more: Any) -> dict[str, Any]:
    return {
        "id": identity,
        "amount": amount,
        "amount_captured": amount,
        "captured": True,
        "created": created,
        "currency": "usd",
        "status": "succeeded",
        "customer": "cus_1",
        "payment_intent": f"pi_{identity}",
        "failure_code": None,
        "outcome_reason": None,
        **more,
    }


def line(customer: str, amount: int, start: str, end: str, **more: Any) -> dict[str, Any]:
    return {
        "customer": customer,
        "currency": "usd",
        "invoice": "in_1",
        "line": f"il_{customer}_{start}",
        "amount": amount,
        "discount": 0,
        "start": start,
        "end": end,
        "recurring": True,
        "proration": False,
        **more,
    }
