"""The columns of Stripe's itemized reports: how each is read from a transaction, and which a report shows
unless others are asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from stripe_magics.sandbox.core.store import Object
from stripe_magics.sandbox.resources.report_rows import ReportEntry, ReportInterval, major, moment

Column = Callable[[ReportEntry, ReportInterval], Any]
_ADDRESS = ("line1", "line2", "city", "state", "postal_code", "country")
METADATA = re.compile(r"(payment|refund|transfer)_metadata\[(.+)\]")


def _amount(name: str) -> Column:
    return lambda each, span: major(each.data[name], each.data["currency"])


def _own(name: str) -> Column:
    return lambda each, span: each.data[name]


def _of(what: str, name: str) -> Column:
    return lambda each, span: getattr(each, what).get(name)


def _time(what: str, name: str, *, local: bool) -> Column:
    return lambda each, span: moment(getattr(each, what).get(name), span.zone if local else None)


def _effective(*, local: bool) -> Column:
    return lambda each, span: moment(each.effective, span.zone if local else None)


def _addresses(prefix: str, of: Callable[[ReportEntry], Any]) -> dict[str, Column]:
    def column(part: str) -> Column:
        return lambda each, span: (of(each) or {}).get(part)

    return {f"{prefix}_{part}": column(part) for part in _ADDRESS}


def _customer_facing(name: str) -> Column:
    def column(each: ReportEntry, span: ReportInterval) -> Any:
        found = each.origin if each.origin.get("object") in {"charge", "refund", "dispute"} else {}
        if not found:
            return None
        return major(found["amount"], found["currency"]) if name == "amount" else found[name]

    return column


def _reversed(each: ReportEntry, span: ReportInterval) -> str:
    """When the money of a payout came back."""
    entry = each.account.peek("balance_transaction", each.origin.get("failure_balance_transaction") or "")
    return moment(entry["created"] if entry else None, span.zone)


def _connected(name: str) -> Column:
    def column(each: ReportEntry, span: ReportInterval) -> Any:
        found = each.account.peek("account", each.connected) or {} if each.connected else {}
        profile: Object = found.get("business_profile") or {}
        return {"id": each.connected, "name": profile.get("name"), "country": found.get("country")}[name]

    return column


COLUMNS: dict[str, Column] = {
    "balance_transaction_id": _own("id"),
    "created_utc": _time("data", "created", local=False),
    "created": _time("data", "created", local=True),
    "available_on_utc": _time("data", "available_on", local=False),
    "available_on": _time("data", "available_on", local=True),
    "currency": _own("currency"),
    "gross": _amount("amount"),
    "fee": _amount("fee"),
    "net": _amount("net"),
    "reporting_category": _own("reporting_category"),
    "source_id": _own("source"),
    "description": _own("description"),
    "customer_facing_amount": _customer_facing("amount"),
    "customer_facing_currency": _customer_facing("currency"),
    "automatic_payout_id": _of("payout", "id"),
    "automatic_payout_effective_at_utc": _time("payout", "arrival_date", local=False),
    "automatic_payout_effective_at": _time("payout", "arrival_date", local=True),
    "customer_id": _of("customer", "id"),
    "customer_email": _of("customer", "email"),
    "customer_name": _of("customer", "name"),
    "customer_description": _of("customer", "description"),
    **_addresses("customer_address", lambda each: each.customer.get("address")),
    **_addresses("customer_shipping_address",
        lambda each: (each.customer.get("shipping") or {}).get("address")),
    **_addresses("shipping_address", lambda each: (each.charge.get("shipping") or {}).get("address")),
    **_addresses("card_address",
        lambda each: (each.charge.get("billing_details") or {}).get("address") if each.card else None),
    "charge_id": _of("charge", "id"),
    "payment_intent_id": _of("intent", "id"),
    "charge_created_utc": _time("charge", "created", local=False),
    "charge_created": _time("charge", "created", local=True),
    "invoice_id": _of("invoice", "id"),
    "invoice_number": _of("invoice", "number"),
    "subscription_id": _of("invoice", "subscription"),
    "payment_method_type": lambda each, span: (each.charge.get("payment_method_details") or {}).get("type"),
    "card_brand": _of("card", "brand"),
    "card_funding": _of("card", "funding"),
    "card_country": _of("card", "country"),
    "statement_descriptor": _of("charge", "calculated_statement_descriptor"),
    "dispute_reason": lambda each, span: (
        each.origin.get("reason") if each.origin.get("object") == "dispute" else None
    ),
    "connected_account_id": _connected("id"),
    "connected_account_name": _connected("name"),
    "connected_account_country": _connected("country"),
}  # fmt: skip
"""Of transactions."""

PAYOUT_COLUMNS: dict[str, Column] = {
    "payout_id": lambda each, span: each.source,
    "effective_at_utc": _effective(local=False),
    "effective_at": _effective(local=True),
    **{
        name: COLUMNS[name]
        for name in (
            "currency",
            "gross",
            "fee",
            "net",
            "reporting_category",
            "balance_transaction_id",
            "description",
        )
    },
    "payout_expected_arrival_date": _time("origin", "arrival_date", local=True),
    "payout_status": _of("origin", "status"),
    "payout_reversed_at": _reversed,
    "payout_type": _of("origin", "type"),
    "payout_description": _of("origin", "description"),
    "payout_destination_id": _of("origin", "destination"),
}
"""Of payouts."""

_LEFT_OUT = ("address", "customer_description", "connected_account")
DEFAULT = tuple(name for name in COLUMNS if not any(part in name for part in _LEFT_OUT))
RECONCILED = (
    "automatic_payout_id", "automatic_payout_effective_at_utc", "automatic_payout_effective_at",
    *(name for name in DEFAULT if not name.startswith("automatic")),
)  # fmt: skip


def read(columns: Mapping[str, Column], name: str, each: ReportEntry, span: ReportInterval) -> str:
    """One cell."""
    tagged = METADATA.fullmatch(name)
    if tagged is None:
        value = columns[name](each, span)
        return "" if value is None else str(value)
    holders = {
        "payment": (each.intent, each.charge), "transfer": (each.transfer,),
        "refund": (each.origin if each.origin.get("object") == "refund" else {},),
    }[tagged[1]]  # fmt: skip
    found: Object = next((each["metadata"] for each in holders if each.get("metadata")), {})
    return str(found.get(tagged[2], ""))
