"""What a person sees of an event: one row of plain text, with the amount, whom it is about, why it failed and
until when something must be done."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from stripe_magics import _locale, money
from stripe_magics.catalogue.stripe_objects import object_path
from stripe_magics.request import Request

_AMOUNTS = ("amount", "amount_due", "total", "amount_total", "net")
_ID = re.compile(r"[A-Za-z0-9][\w.\-]*", re.ASCII)
_REASONS = (  # where an object says why: the first that is there
    ("last_payment_error", "decline_code"),
    ("last_payment_error", "code"),
    ("last_setup_error", "code"),
    ("failure_code",),
    ("reason",),
    ("cancellation_reason",),
    ("failure_reason",),
    ("cancellation_details", "reason"),
)
_DEADLINES = (  # until when something must be done or will happen, by the object's own fields
    ("evidence_details", "due_by"),
    ("due_date",),
    ("next_payment_attempt",),
    ("expires_at",),
    ("arrival_date",),
    ("trial_end",),
    ("capture_before",),
)
COLUMNS = ("time", "account", "type", "object", "amount", "customer", "details")


def row(event: Mapping[str, Any], account_label: Callable[[str], str] | None = None) -> dict[str, str]:
    """What tables show of an event: plain text. `account_label` names the account that it is from."""
    account = str(event.get("account") or "")
    subject = event["data"]["object"]
    request = event.get("request")
    amount, currency = amount_of(subject)
    shown = {
        "id": str(event["id"]),
        "time": _locale.moment(datetime.fromtimestamp(event["created"], UTC), "%Y-%m-%d %H:%M:%S"),
        "type": str(event["type"]),
        "object": str(subject.get("id") or subject.get("object") or ""),
        "amount": "" if amount is None else amount_text(amount, currency),
        "customer": _named_customer(subject),
        "details": "; ".join(each for each in (_reason(subject), _deadline(subject)) if each),
        "account": account_label(account) if account_label is not None else account,
        "request": str((request.get("id") if isinstance(request, Mapping) else request) or ""),
    }
    return {name: visible(value) for name, value in shown.items()}


def visible(text: str) -> str:
    """Control characters as their codes: names can hold what a terminal would obey. Spaces of a language's
    numbers stay."""
    return "".join(each if each.isprintable() or each in "\xa0\u202f" else repr(each)[1:-1] for each in text)


def amount_text(amount: int, currency: str) -> str:
    """`1,234.50 USD`."""
    return (
        _locale.amount(money.format_amount(amount, currency))
        if currency in money.CURRENCIES
        else f"{amount} {currency} (minor units)"
    )


def amount_of(subject: Mapping[str, Any]) -> tuple[int | None, str]:
    """An object's amount in minor units and its currency; None without one."""
    for name in _AMOUNTS:
        value = subject.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and subject.get("currency"):
            return value, str(subject["currency"]).lower()
    return None, ""


def customer_of(subject: Mapping[str, Any]) -> str:
    """The id of the customer that an object is about, or ""."""
    customer = subject.get("id") if subject.get("object") == "customer" else subject.get("customer")
    return str((customer.get("id") if isinstance(customer, Mapping) else customer) or "")


def _named_customer(subject: Mapping[str, Any]) -> str:
    """`Rosen Books (cus_1)`: the name where the object itself has it."""
    id = customer_of(subject)
    customer = subject.get("customer")
    billing = subject.get("billing_details")
    names = (
        subject.get("name") if subject.get("object") == "customer" else None,
        customer.get("name") if isinstance(customer, Mapping) else None,
        subject.get("customer_name"),
        billing.get("name") if isinstance(billing, Mapping) else None,
        subject.get("customer_email") or subject.get("receipt_email"),
    )
    name = next((str(each) for each in names if each), "")
    return f"{name} ({id})" if name and id else id or name


def _reason(subject: Mapping[str, Any]) -> str:
    found = next((value for path in _REASONS if isinstance(value := _at(subject, path), str) and value), "")
    return found.replace("_", " ")


def _deadline(subject: Mapping[str, Any]) -> str:
    for path in _DEADLINES:
        value = _at(subject, path)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            words = path[-1].replace("_", " ").replace("due by", "respond by")
            return f"{words} {_locale.moment(datetime.fromtimestamp(value, UTC), '%Y-%m-%d')}"
    return ""


def _at(value: object, path: tuple[str, ...]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def request_for(subject: Mapping[str, Any], account: str = "") -> Request:
    """The request for an event's object as it is today. Only its kind and its id are used, never a URL out of
    the event.

    `account`: the connected account that the event is from.
    """
    kind, id = str(subject.get("object") or ""), str(subject.get("id") or "")
    path = object_path(kind, id) if _ID.fullmatch(id) else ""
    if not path:
        raise ValueError(f"Stripe has no path of its own for this object ({kind or 'unknown'}).")
    headers = (("Stripe-Account", account),) if account else ()
    return Request(module="events.watch", method="GET", path=path, headers=headers, returns=kind)


def object_values(subject: Mapping[str, Any]) -> list[list[str]]:
    """An object's values as a person reads them: amounts with their currency, times as dates, what is empty
    left out."""
    currency = str(subject.get("currency") or "").lower()
    return [
        [name, _value_text(name, value, currency)]
        for name, value in subject.items()
        if value not in (None, "", [], {})
    ]


def _value_text(name: str, value: object, currency: str) -> str:
    import json

    if isinstance(value, int) and not isinstance(value, bool):
        if currency and (name in _AMOUNTS or name.startswith("amount") or name in {"subtotal", "fee", "tax"}):
            return amount_text(value, currency)
        if value > 10**9 and (name.endswith(("_at", "_date", "_by", "_end", "_start")) or name == "created"):
            return f"{_locale.moment(datetime.fromtimestamp(value, UTC), '%Y-%m-%d %H:%M')} UTC"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 300 else f"{text[:300]}…"
