"""From an answer of Stripe's to one of our errors, with the text that a person reads.

    400            InvalidRequest        code rate_limit: RateLimited; idempotency_error: IdempotencyConflict
    401            AuthenticationFailed
    402            CardDeclined
    403            PermissionDenied
    404            NotFound
    409            InvalidRequest        code idempotency_key_in_use: see sending/sender.py
    429            RateLimited
    5xx            StripeUnavailable     on a write: OutcomeUnknown, see sending/sender.py
    anything else  StripeError           with its status

The whole tree is drawn in stripe_magics/errors.py; all of it can be imported from here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from typing import TYPE_CHECKING, Any

from stripe_magics._redaction import redact
from stripe_magics.client.api_errors import messages, param_names
from stripe_magics.client.http.response import parse_object
from stripe_magics.errors import (
    AuthenticationFailed,
    CardDeclined,
    ConfirmationNeeded,
    Details,
    Fault,
    IdempotencyConflict,
    IncompleteList,
    Interrupted,
    InvalidRequest,
    InvalidValue,
    KeyRefused,
    NotConnected,
    NotFound,
    NotSent,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    RepeatRefused,
    StripeError,
    StripeMagicsError,
    StripeUnavailable,
    UnknownName,
    UsageFault,
)

if TYPE_CHECKING:
    from stripe_magics.request import Request

__all__ = [
    "AuthenticationFailed",
    "CardDeclined",
    "ConfirmationNeeded",
    "Details",
    "Fault",
    "IdempotencyConflict",
    "IncompleteList",
    "Interrupted",
    "InvalidRequest",
    "InvalidValue",
    "KeyRefused",
    "NotConnected",
    "NotFound",
    "NotSent",
    "OutcomeUnknown",
    "PermissionDenied",
    "RateLimited",
    "RepeatRefused",
    "StripeError",
    "StripeMagicsError",
    "StripeUnavailable",
    "UnknownName",
    "UsageFault",
    "details_of",
    "from_answer",
    "redact",
]

CLASSES: dict[int, type[StripeError]] = {
    400: InvalidRequest,
    401: AuthenticationFailed,
    402: CardDeclined,
    403: PermissionDenied,
    404: NotFound,
    409: InvalidRequest,
    429: RateLimited,
}

_TEXTS = (
    "type",
    "code",
    "decline_code",
    "advice_code",
    "network_advice_code",
    "network_decline_code",
    "param",
    "doc_url",
    "charge",
)


def class_of(status: int, code: str = "", type: str = "") -> type[StripeError]:
    """The class of an answer's error."""
    if status == 400 and code == "rate_limit":
        return RateLimited
    if type == "idempotency_error":
        return IdempotencyConflict
    if type == "card_error" and status not in CLASSES:
        return CardDeclined
    return CLASSES.get(status) or (StripeUnavailable if status >= 500 else StripeError)


def details_of(status: int, headers: Mapping[str, str], body: bytes, request: Request) -> Details:
    """All that an answer says of a failure, whatever shape its body has."""
    low = {name.lower(): value for name, value in headers.items()}
    found = Details(
        status=status,
        request_id=low.get("request-id", ""),
        rate_limit_reason=low.get("stripe-rate-limited-reason", ""),
    )
    if low.get("idempotency-key"):
        found.idempotency_key = low["idempotency-key"]
    data = parse_object(body)
    error: Any = data.get("error") if data is not None else None
    if isinstance(error, str):  # as OAuth answers
        described = data.get("error_description") if data is not None else ""
        found.code, found.stripe_message = error, str(described or error)
        return found
    if not isinstance(error, dict):
        return found
    for name in _TEXTS:
        value = error.get(name)
        setattr(found, name, redact(value) if isinstance(value, str) else "")
    message = error.get("message")
    found.stripe_message = message if isinstance(message, str) else ""
    intent = error.get("payment_intent") or error.get("setup_intent")
    if isinstance(intent, dict):
        found.payment_intent = str(intent.get("id") or "")
        found.payment_intent_status = str(intent.get("status") or "")
    elif isinstance(intent, str):
        found.payment_intent = intent
    log_url = error.get("request_log_url")
    if isinstance(log_url, str) and re.match(r"https://dashboard\.stripe\.com/", log_url):
        found.extra["request_log_url"] = redact(log_url)
    found.field = param_names.field_name(request, found.param)
    return found


def from_answer(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    request: Request,
    *,
    key_hint: str = "",
    mode: str = "",
    details: Details | None = None,
    tried: str = "",
) -> StripeError:
    """The error of an answer that isn't a success. `tried`: how often and how long it was tried, in words."""
    found = details or details_of(status, headers, body, request)
    kind = class_of(status, found.code, found.type)
    if not stripe_spoke(status, headers, body):
        message, advice = _not_stripe(status, headers, body)
        return kind(message, details=found, advice=advice, facts=_facts(found, mode))
    text = messages.TEXTS.get(kind, messages.generic)
    message, advice, more = text(found, request, key_hint, mode, tried)
    return kind(message, details=found, advice=advice, facts=[*more, *_facts(found, mode)])


def stripe_spoke(status: int, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether a failure is Stripe's own answer (and not a proxy's page): an error object, or at least
    Stripe's request id."""
    data = parse_object(body)
    if data is not None and isinstance(data.get("error"), dict):
        return True
    named = any(name.lower() == "request-id" for name in headers)
    return named and (data is not None or not body) and not 300 <= status < 400


def cleaned(body: bytes, limit: int = 200) -> str:
    """The first words of a page, on one line, without markup."""
    text = body[:20_000].decode("utf-8", "replace")
    text = re.sub(r"(?is)<(script|style)\b.*?</\1\s*>", " ", text)
    text = unescape(re.sub(r"(?s)<[^>]*>", " ", text))
    text = "".join(character if character.isprintable() else " " for character in text)
    return redact(" ".join(text.split()))[:limit]


def _not_stripe(status: int, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
    low = {name.lower(): value for name, value in headers.items()}
    kind = redact(low.get("content-type", "").partition(";")[0].strip())[:60] or "no content type"
    if 300 <= status < 400:
        from urllib.parse import urlsplit

        try:
            host = urlsplit(low.get("location", "")).hostname or "another place"
        except ValueError:
            host = "another place"
        return (
            (
                f"Something answered with a redirect ({status}) to {redact(host)}; Stripe never does. It was"
                " not followed."
            ),
            "Look whether a proxy, a captive portal or a wrong API base stands in between.",
        )
    words = cleaned(body)
    who = (
        "A proxy or firewall refused the request; Stripe did not answer."
        if 400 <= status < 500
        else "The response didn't come from Stripe."
    )
    return f"{who} (status {status}, {kind})", f"It said: {words}" if words else "The answer was empty."


def _facts(found: Details, mode: str) -> list[str]:
    parts = [
        f"{label} {value}"
        for label, value in (
            ("code", found.code),
            ("decline_code", found.decline_code),
            ("advice_code", found.advice_code),
            ("network", found.network_decline_code or found.network_advice_code),
            ("charge", found.charge),
            ("request", found.request_id),
        )
        if value
    ]
    lines = [" - ".join(parts)] if parts else []
    link = log_url(found.request_id, mode)
    return [*lines, f"Log: {link}"] if link else lines


def log_url(request_id: str, mode: str) -> str:
    """The request's page in the Dashboard; only for an id that looks like one."""
    if not re.fullmatch(r"req_[A-Za-z0-9]+", request_id) or mode == "sandbox":
        return ""
    return f"https://dashboard.stripe.com/{'test/' if mode == 'test' else ''}logs/{request_id}"
