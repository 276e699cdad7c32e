"""A small account with known objects, as an httpx transport: pages, filters, ten inlined lines, expansion,
both API versions.

Nothing of it is worked out: a test says which objects there are, and the transport serves them as Stripe's
API does.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping
from fnmatch import fnmatch
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pandas as pd

INLINED = 10
BASIL = "2025-03-31"
PATHS = {
    "/v1/balance_transactions": "balance_transaction",
    "/v1/payouts": "payout",
    "/v1/charges": "charge",
    "/v1/refunds": "refund",
    "/v1/disputes": "dispute",
    "/v1/invoices": "invoice",
    "/v1/credit_notes": "credit_note",
    "/v1/subscriptions": "subscription",
    "/v1/customers": "customer",
    "/v1/tax_rates": "tax_rate",
    "/v1/prices": "price",
    "/v1/coupons": "coupon",
    "/v1/events": "event",
}


def unix(text: str) -> int:
    """Unix seconds of a time written in UTC."""
    stamp = pd.Timestamp(text)
    return int((stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp).timestamp())


class FakeAccount(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """The objects by type; `now` is its clock, `zone` what its dashboard is set to."""

    def __init__(
        self,
        *,
        now: str = "2026-05-01",
        zone: str = "Etc/UTC",
        country: str = "DE",
        **objects: Iterable[Mapping[str, Any]],
    ) -> None:
        self.now = unix(now)
        self.zone, self.country = zone, country
        self.objects: dict[str, list[dict[str, Any]]] = {
            kind: [dict(each) for each in many] for kind, many in objects.items()
        }
        self.balance: dict[str, int] | None = None  # worked out of the ledger unless it is set
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.arriving: list[dict[str, Any]] = []  # entries that join the ledger once the balance was read

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path, params = request.url.path, dict(parse_qsl(request.url.query.decode()))
        pairs = parse_qsl(request.url.query.decode())
        self.asked.append((path, params))
        version = request.headers.get("Stripe-Version", "")
        answer = self._answer(
            path, params, [value for name, value in pairs if name.startswith("expand")], version
        )
        status = 404 if "error" in answer else 200
        return httpx.Response(
            status,
            json=answer,
            headers={"request-id": "req_fake", "Stripe-Version": version},
            request=request,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)

    def _answer(self, path: str, params: dict[str, str], expand: list[str], version: str) -> dict[str, Any]:
        if path == "/v1/account":
            return {
                "id": "acct_fake", "object": "account", "country": self.country,
                "created": unix("2020-01-01"),
                "settings": {"dashboard": {"timezone": self.zone, "display_name": "Fake"}},
            }  # fmt: skip
        if path == "/v1/balance":
            answer = self._balance()
            self.objects.setdefault("balance_transaction", []).extend(self.arriving)
            self.arriving = []
            return answer
        if path.endswith("/lines") and path.startswith("/v1/invoices/"):
            invoice = next(each for each in self.objects["invoice"] if each["id"] == path.split("/")[3])
            return self._page(invoice["lines"], params, path)
        if path == "/v1/subscription_items":
            mine = next(each for each in self.objects["subscription"] if each["id"] == params["subscription"])
            return self._page(mine["items"], params, path)
        if path not in PATHS:
            return {
                "error": {
                    "type": "invalid_request_error",
                    "message": f"Unrecognized request URL (GET: {path}).",
                }
            }
        kind = PATHS[path]
        rows = [each for each in self.objects.get(kind, []) if self._passes(each, params)]
        rows.sort(key=lambda each: each.get("created", 0), reverse=True)
        page = self._page(rows, params, path)
        page["data"] = [self._shape(kind, each, expand, version) for each in page["data"]]
        return page

    def _balance(self) -> dict[str, Any]:
        totals: dict[str, int] = {}
        for each in self.objects.get("balance_transaction", []):
            totals[each["currency"]] = totals.get(each["currency"], 0) + each["net"]
        parts = [{"amount": amount, "currency": code} for code, amount in (self.balance or totals).items()]
        return {"object": "balance", "available": parts, "pending": [], "livemode": False}

    @staticmethod
    def _passes(row: Mapping[str, Any], params: Mapping[str, str]) -> bool:
        for name, value in params.items():
            field, _, rest = name.partition("[")
            if field in {"created", "arrival_date"} and rest:
                have, bound = row.get(field, 0), int(value)
                test = {"gte": have >= bound, "gt": have > bound, "lt": have < bound, "lte": have <= bound}
                if not test[rest.rstrip("]")]:
                    return False
            elif field in {"customer", "payout", "currency"} and row.get(field) != value:
                return False
            elif field == "type" and row.get("object") == "event" and not fnmatch(row["type"], value):
                return False
        return True

    @staticmethod
    def _page(rows: list[dict[str, Any]], params: Mapping[str, str], path: str) -> dict[str, Any]:
        size = int(params.get("limit", 10))
        start = 0
        if "starting_after" in params:
            start = next(n for n, each in enumerate(rows) if each["id"] == params["starting_after"]) + 1
        part = rows[start : start + size]
        return {
            "object": "list",
            "url": path,
            "has_more": start + size < len(rows),
            "data": copy.deepcopy(part),
        }

    def _shape(self, kind: str, row: dict[str, Any], expand: list[str], version: str) -> dict[str, Any]:
        inner = {"invoice": "lines", "subscription": "items"}.get(kind)
        if inner and isinstance(row.get(inner), list):
            url = f"/v1/{kind}s/{row['id']}/{inner}"
            many = row[inner]
            row[inner] = {
                "object": "list",
                "data": many[:INLINED],
                "has_more": len(many) > INLINED,
                "url": url,
            }
        discounts = row.get("discounts")
        if discounts and "data.discounts" not in expand:
            row["discounts"] = [each["id"] for each in discounts]
        if kind == "invoice" and version >= BASIL:
            _as_basil(row)
        return row


def _as_basil(invoice: dict[str, Any]) -> None:
    """The shape of invoices and lines since 2025-03-31."""
    invoice["total_taxes"] = [_tax_since_basil(each) for each in invoice.pop("total_tax_amounts", None) or []]
    subscription = invoice.pop("subscription", None)
    invoice.pop("tax", None)
    invoice["parent"] = (
        {"type": "subscription_details", "subscription_details": {"subscription": subscription}}
        if subscription
        else None
    )
    for line in invoice["lines"]["data"]:
        line["taxes"] = [_tax_since_basil(each) for each in line.pop("tax_amounts", None) or []]
        details = {
            "subscription": line.pop("subscription", None),
            "subscription_item": line.pop("subscription_item", None),
            "proration": line.pop("proration", False),
        }
        line.pop("type", None)
        line["parent"] = (
            {"type": "subscription_item_details", "subscription_item_details": details}
            if details["subscription"]
            else None
        )
        price = line.pop("price", None)
        line["pricing"] = (
            {"price_details": {"price": price["id"]}, "unit_amount_decimal": price.get("unit_amount_decimal")}
            if price
            else None
        )


def _tax_since_basil(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "amount": entry["amount"], "tax_behavior": "inclusive" if entry.get("inclusive") else "exclusive",
        "type": "tax_rate_details", "tax_rate_details": {"tax_rate": entry.get("tax_rate")},
        "taxable_amount": entry.get("taxable_amount"), "taxability_reason": "standard_rated",
    }  # fmt: skip


def connect(account: FakeAccount, **options: Any) -> FakeAccount:
    """Connect to the account, with its own clock."""
    from stripe_magics.client.shared_connection import connect as connect_to

    connect_to(sandbox=True, transport=account, **options)
    return account


# Objects ----------------------------------------------------------------------------------------------------
def transaction(
    identity: str, kind: str, amount: int, fee: int = 0, created: str = "2026-03-01", **more: Any
) -> dict[str, Any]:
    category = {
        "payment": "charge",
        "stripe_fee": "fee",
        "payout_failure": "payout_reversal",
        "adjustment": "dispute",
    }
    when = unix(created)
    return {
        "id": identity, "object": "balance_transaction", "type": kind,
        "reporting_category": category.get(kind, kind), "amount": amount, "fee": fee, "net": amount - fee,
        "currency": "usd", "created": when, "available_on": when, "status": "available",
        "source": f"src_{identity}", "description": None, "exchange_rate": None,
        "fee_details": [{"type": "stripe_fee", "amount": fee, "currency": "usd"}] if fee else [],
        **{key: unix(value) if key == "available_on" else value for key, value in more.items()},
    }  # fmt: skip


def charge(identity: str, amount: int, created: str = "2026-03-10", **more: Any) -> dict[str, Any]:
    return {
        "id": identity, "object": "charge", "amount": amount, "amount_captured": amount, "captured": True,
        "created": unix(created), "currency": "usd", "status": "succeeded", "customer": "cus_1",
        "payment_intent": f"pi_{identity}", "failure_code": None, "outcome": {"reason": None},
        "invoice": None, **more,
    }  # fmt: skip


def refund(identity: str, of: str, amount: int, created: str, **more: Any) -> dict[str, Any]:
    return {
        "id": identity, "object": "refund", "charge": of, "amount": amount, "currency": "usd",
        "created": unix(created), "status": "succeeded", **more,
    }  # fmt: skip


def dispute(identity: str, of: str, amount: int, created: str = "2026-03-12", **more: Any) -> dict[str, Any]:
    return {
        "id": identity, "object": "dispute", "charge": of, "amount": amount, "currency": "usd",
        "created": unix(created), "status": "lost", "balance_transactions": [], **more,
    }  # fmt: skip


def payout(identity: str, amount: int, created: str, arrival: str = "", **more: Any) -> dict[str, Any]:
    return {
        "id": identity, "object": "payout", "amount": amount, "currency": "usd", "status": "paid",
        "automatic": True, "created": unix(created), "arrival_date": unix(arrival or created),
        "reconciliation_status": "completed", "failure_code": None, **more,
    }  # fmt: skip


def line(identity: str, amount: int, start: str = "", end: str = "", **more: Any) -> dict[str, Any]:
    return {
        "id": identity, "object": "line_item", "amount": amount, "currency": "usd", "discount_amounts": [],
        "discounts": [], "period": {"start": unix(start), "end": unix(end)} if start else None,
        "proration": False, "quantity": 1, "price": None, "subscription": None, "subscription_item": None,
        "tax_amounts": [], "type": "invoiceitem", **more,
    }  # fmt: skip


def price(identity: str, amount: int, interval: str = "month", **more: Any) -> dict[str, Any]:
    return {
        "id": identity, "object": "price", "billing_scheme": "per_unit", "currency": "usd",
        "type": "recurring", "unit_amount": amount,
        "unit_amount_decimal": str(amount), "recurring": {"interval": interval, "interval_count": 1,
            "usage_type": "licensed", "meter": None},
        "created": unix("2025-01-01"), **more,
    }  # fmt: skip


def recurring(
    identity: str,
    amount: int,
    start: str,
    end: str,
    *,
    item: str = "si_1",
    of: dict[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """A line of a subscription item."""
    return line(
        identity, amount, start, end, type="subscription", subscription="sub_1", subscription_item=item,
        price=of if of is not None else price(f"price_{amount}", amount), **more,
    )  # fmt: skip


def invoice(
    identity: str,
    total: int,
    finalized: str,
    lines: Iterable[Mapping[str, Any]] = (),
    *,
    tax: int = 0,
    **more: Any,
) -> dict[str, Any]:
    """A finalised invoice; `paid`, `voided`, `written_off` say when its status changed."""
    states = {
        "paid_at": more.pop("paid", None),
        "voided_at": more.pop("voided", None),
        "marked_uncollectible_at": more.pop("written_off", None),
    }
    status = (
        "paid"
        if states["paid_at"]
        else (
            "void"
            if states["voided_at"]
            else "uncollectible"
            if states["marked_uncollectible_at"]
            else "open"
        )
    )
    many = [dict(each) for each in lines] or [line(f"il_{identity}", total - tax)]
    due = more.pop("due", None)
    return {
        "id": identity, "object": "invoice", "customer": "cus_1", "customer_name": "Rosen Books",
        "customer_email": "rosen@example.com", "currency": "usd", "status": status, "total": total,
        "subtotal": total - tax, "total_excluding_tax": total - tax, "tax": tax or None, "amount_due": total,
        "amount_remaining": 0 if status == "paid" else total, "amount_paid": total if status == "paid" else 0,
        "collection_method": "send_invoice", "created": unix(finalized),
        "due_date": unix(due) if due else None, "discounts": [], "customer_address": {"country": "DE"},
        "customer_tax_ids": [], "customer_tax_exempt": "none", "default_tax_rates": [],
        "total_tax_amounts": [{"amount": tax, "inclusive": False, "tax_rate": "txr_de",
            "taxable_amount": total - tax}] if tax else [],
        "status_transitions": {"finalized_at": unix(finalized),
            **{name: unix(when) if when else None for name, when in states.items()}},
        "subscription": None, "charge": None, "payment_intent": None, "lines": many, **more,
    }  # fmt: skip


def subscription(
    identity: str, items: Iterable[tuple[str, Mapping[str, Any], int]], **more: Any
) -> dict[str, Any]:
    """A subscription with items of (id, price, quantity)."""
    return {
        "id": identity, "object": "subscription", "customer": "cus_1", "currency": "usd", "status": "active",
        "created": unix("2026-01-01"),
        "items": [{"id": name, "object": "subscription_item", "price": dict(of), "quantity": quantity,
            "discounts": []} for name, of, quantity in items],
        "discounts": [], "ended_at": None, "pause_collection": None, **more,
    }  # fmt: skip


def discount(identity: str, *, duration: str = "forever", **coupon: Any) -> dict[str, Any]:
    return {
        "id": identity,
        "object": "discount",
        "coupon": {"id": f"co_{identity}", "object": "coupon", "duration": duration, **coupon},
    }


def text(account: FakeAccount) -> str:
    """The account's objects as JSON, for a test that computes a report anew."""
    return json.dumps(account.objects)
