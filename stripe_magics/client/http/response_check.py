"""Whether a success is what was asked for.

A customer where a payment was asked for, an object without an id, a list whose `data` is null: something between here and Stripe answered, or
the answer is another request's. Of a write it leaves the outcome unknown; of a read it is asked for again.
"""

from __future__ import annotations

from typing import Any

from stripe_magics.request import Request

# Types whose answers are known exactly: an operation that gives one of them never gives another one.
EXACT = frozenset(
    {
        "balance",
        "charge",
        "coupon",
        "customer",
        "invoice",
        "invoiceitem",
        "payment_intent",
        "payment_link",
        "payment_method",
        "payout",
        "price",
        "product",
        "promotion_code",
        "refund",
        "setup_intent",
        "subscription",
        "subscription_item",
        "transfer",
        "webhook_endpoint",
    }
)
LISTS = frozenset({"list", "search_result"})
NO_ID = frozenset({"balance"})


def mismatch(request: Request, data: dict[str, Any] | None) -> str:
    """What is wrong with an answer that came as a success, in words; "" if it is what was asked for."""
    if data is None:
        return ""
    kind = _kind(data)
    if request.lists or kind in LISTS:
        return _list_mismatch(request, data)
    expected = request.returns
    if expected not in EXACT:
        return ""
    if kind != expected:
        return f"the answer is {_named(kind)} where a {expected} was asked for"
    identity = data.get("id")
    if expected not in NO_ID and not (isinstance(identity, str) and identity):
        return f"the answer is a {expected} without an id"
    return ""


def _kind(data: dict[str, Any]) -> str:
    kind = data.get("object")
    return kind if isinstance(kind, str) else ""


def _named(kind: object) -> str:
    return f"a {kind[:40]}" if isinstance(kind, str) and kind else "an object without a type"


def _list_mismatch(request: Request, data: dict[str, Any]) -> str:
    rows = data.get("data")
    if not request.lists and request.returns in EXACT and not request.list_of_one:
        return f"the answer is a list where a {request.returns} was asked for"
    if request.lists and _kind(data) not in LISTS:
        return f"the answer is {_named(_kind(data))} where the list {request.path} was asked for"
    if not isinstance(rows, list):
        return f"the list {request.path} came without rows (`data` is {'null' if rows is None else type(rows).__name__})"
    if not all(isinstance(row, dict) for row in rows):
        return f"the list {request.path} has rows that aren't objects"
    return ""
