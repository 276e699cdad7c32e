"""From an answer of Stripe's to one of our errors, with the text that a person reads.

    status 400                 InvalidRequest           code rate_limit: RateLimited; type idempotency_error: IdempotencyConflict
    status 401                 AuthenticationFailed
    status 402                 CardDeclined
    status 403                 PermissionDenied
    status 404                 NotFound
    status 409                 InvalidRequest           code idempotency_key_in_use: see sending.py
    status 429                 RateLimited
    status 5xx                 StripeUnavailable        on a write: OutcomeUnknown, see sending.py
    anything else              StripeError              with its status

The whole tree is drawn in stripe_magics/errors.py; all of it can be imported from here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from typing import TYPE_CHECKING, Any

from stripe_magics.client.answer import parse_object
from stripe_magics.client.declines import explain
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
    redact,
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
    "field_title",
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
        status=status, request_id=low.get("request-id", ""), rate_limit_reason=low.get("stripe-rate-limited-reason", "")
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
    found.field = field_name(request, found.param)
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
    text = _TEXT.get(kind, _generic)
    message, advice, more = text(found, request, key_hint, mode, tried)
    return kind(message, details=found, advice=advice, facts=[*more, *_facts(found, mode)])


def stripe_spoke(status: int, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether a failure is Stripe's own answer (and not a proxy's page): an error object, or at least Stripe's request id."""
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
            f"Something answered with a redirect ({status}) to {redact(host)}; Stripe never does. It was not followed.",
            "Look whether a proxy, a captive portal or a wrong API base stands in between.",
        )
    words = cleaned(body)
    who = (
        "A proxy or firewall refused the request; Stripe did not answer."
        if 400 <= status < 500
        else "Something else than Stripe answered."
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


# --- naming our field ----------------------------------------------------------------------------------------------------------------


def _steps(param: str) -> list[str]:
    """`line_items[1][quantity]` -> line_items, 1, quantity; dots as well."""
    return [step for step in re.split(r"[\[\].]+", param) if step]


def _bare(param: str) -> str:
    """Without indices: how fields of rows are declared."""
    return re.sub(r"\[\d*\]", "", param)


def field_name(request: Request, param: str) -> str:
    """Our field that sent a parameter of Stripe's, or the one with the longest known beginning of it; "" if none is known."""
    if not param:
        return ""
    known = dict(request.param_fields or {})
    bare = {_bare(name): field for name, field in known.items()}
    steps = _steps(param)
    for count in range(len(steps), 0, -1):
        head = steps[0] + "".join(f"[{step}]" for step in steps[1:count])
        hit = known.get(head) or bare.get(_bare(head))
        if hit:
            return hit
    module = _module(request)
    if module is not None:
        for count in range(len(steps), 0, -1):
            plain = [step for step in steps[:count] if not step.isdigit()]
            found = module.by_param(plain[0] + "".join(f"[{step}]" for step in plain[1:])) if plain else None
            if found is not None:
                return str(found.name)
        path = module.get(steps[0])
        if path is not None:
            return str(path.name)
    return ""


def _module(request: Request) -> Any:
    from stripe_magics import catalogue

    try:
        return catalogue.find(request.module)
    except UnknownName:
        return None


def field_title(request: Request, param: str) -> str:
    """A parameter as a form shows it: `Line items > 2 > Quantity`. Stripe's own name where no field is known."""
    name = field_name(request, param)
    module = _module(request)
    field = module.get(name) if module is not None and name else None
    if field is None:
        return param
    steps = _steps(param)
    row = next((int(step) + 1 for step in steps if step.isdigit()), None)
    if row is None:
        return str(field.title)
    last = steps[-1]
    column = next(
        (each.label for each in field.columns if each.name == last or _steps(each.param)[-1:] == [last]),
        "" if last.isdigit() else last,
    )
    return " > ".join(part for part in (field.title, str(row), column) if part)


def _sent(request: Request, param: str) -> str | None:
    """What was sent under a parameter; None if nothing was, or if it must not be shown."""
    if re.search(r"secret|number|cvc|token|password|account", param):
        return None
    return next((value for name, value in request.params if name == param), None)


# --- the texts -----------------------------------------------------------------------------------------------------------------------

Text = tuple[str, str, list[str]]


def done_word(request: Request) -> str:
    """What didn't happen: `created`, `changed`, `read`."""
    return {"create": "created", "read": "read"}.get(request.effect.value, "changed")


def _stop(text: str) -> str:
    return text if not text or text[-1] in ".!?" else text + "."


def _invalid(found: Details, request: Request, key_hint: str, mode: str, tried: str) -> Text:
    message = f"Nothing was {done_word(request)}: {_stop(found.stripe_message or 'Stripe gave no reason')}"
    advice, facts = "", []
    if found.code == "lock_timeout":
        advice = "Another request holds this object; try again in a few seconds."
    elif found.code == "livemode_mismatch" or re.search(r"similar object exists in (live|test) mode", found.stripe_message):
        advice = f"The object exists in the other mode; this connection is in {mode or 'this'} mode."
    if found.param:
        title = field_title(request, found.param)
        sent = _sent(request, found.param)
        known = f"Field: {title}" if title != found.param else f"Parameter: {found.param}"
        said = [
            f"Stripe name: {found.param}" if title != found.param else "",
            f"you sent {redact(sent)[:80]}" if sent is not None else "",
        ]
        facts.append(known + (f"   ({', '.join(part for part in said if part)})" if any(said) else ""))
        if found.code == "parameter_unknown":
            near = _nearest(request, found.param)
            if near:
                advice = f"Did you mean {' or '.join(near)}?"
        elif found.code == "parameter_missing":
            advice = f"{title} is required."
        if not found.field and sent is not None and request.param_fields and found.code != "parameter_unknown":
            facts.append("No field of yours sent it: it was filled in here. Please report this with the request id.")
    return message, advice, facts


def _nearest(request: Request, param: str) -> list[str]:
    from difflib import get_close_matches

    module = _module(request)
    if module is None:
        return []
    names = {each.param: each.name for each in module.fields if each.param not in {"path", "client"}}
    return [f"{names[hit]}" for hit in get_close_matches(_bare(param), names, n=2)]


def _not_found(found: Details, request: Request, key_hint: str, mode: str, tried: str) -> Text:
    message = f"Not found: {_stop(found.stripe_message or f'{request.path} does not exist')} Nothing was {done_word(request)}."
    advice = f"This connection is in {mode} mode; an id of another mode or another account isn't found here." if mode else ""
    _, other, facts = _invalid(found, request, key_hint, mode, tried)
    return message, other or advice, facts


def _conflict(found: Details, request: Request, key_hint: str, mode: str, tried: str) -> Text:
    return (
        "This idempotency key was already used for a different request. Nothing was done by this one.",
        "Look up what the first one did (%stripe pending) before you send this under a new key.",
        [],
    )


def _declined(found: Details, request: Request, key_hint: str, mode: str, tried: str) -> Text:
    if found.decline_code or found.code in {
        "card_declined",
        "expired_card",
        "incorrect_cvc",
        "incorrect_number",
        "processing_error",
    }:
        reason, advice = explain(found.decline_code or found.code, found.advice_code)
        what = "Card declined - no payment was taken."
        advice = f"Bank's reason: {found.decline_code or found.code}. {reason} {advice}"
    else:
        what = f"Payment failed - no payment was taken. {_stop(found.stripe_message)}".strip()
        advice = ""
    badge = {"test": "  [TEST]", "live": "  [LIVE]"}.get(mode, "")
    facts = []
    if found.param:
        facts.append(f"Field: {field_title(request, found.param)}")
    if found.payment_intent:
        now = f" is now {found.payment_intent_status}" if found.payment_intent_status else ""
        facts.append(f"PaymentIntent {found.payment_intent}{now} - continue it rather than creating a new one.")
    return what + badge, advice, facts


def _authentication(found: Details, request: Request, key_hint: str, mode: str, tried: str) -> Text:
    key = f"the key {key_hint}" if key_hint else "the key"
    message = f"Stripe did not accept {key}. Nothing was done."
    advice = "Connect again with a valid key: %stripe connect"
    if found.code in {"api_key_expired", "platform_api_key_expired"}:
        message = f"Stripe did not accept {key}: it expired or was rolled. Nothing was done."
    elif found.code == "secret_key_required":
        message = f"Stripe did not accept {key}: a publishable key can't do this; a secret or restricted key is needed. Nothing was done."
    return message, advice, []


def _permission(found: Details, request: Request, key_hint: str, mode: str, tried: str) -> Text:
    lacking = re.search(r"['\"]((?:[a-z]+_)+(?:read|write))['\"]", found.stripe_message)
    named = re.search(r"['\"]([A-Z][A-Za-z ]+: (?:Read|Write))['\"]", found.stripe_message)
    names = [each.group(1) for each in (named, lacking) if each]
    what = f": it lacks {' '.join(names)}" if names else ""
    message = f"This key may not do that{what}. Nothing was done."
    said = re.sub(r"acct_[A-Za-z0-9]+", "this account", found.stripe_message)
    advice = "Edit the restricted key at Dashboard > Developers > API keys, or connect with another."
    return message, advice, [f"Stripe: {said}"] if said else []


def _rate(found: Details, request: Request, key_hint: str, mode: str, tried: str) -> Text:
    if found.code == "lock_timeout":
        held = re.search(r"/([a-z]+_[A-Za-z0-9]*\d[A-Za-z0-9]*)", request.path)
        what = f"Another request holds this object{f' ({held.group(1)})' if held else ''}. Nothing was done; {tried or 'it was tried once'}."
        return what, "Try again in a few seconds.", []
    reason = f" ({found.rate_limit_reason})" if found.rate_limit_reason else ""
    return (
        f"Stripe asked us to slow down{reason}. Nothing was done; {tried or 'it was tried once'}.",
        "Wait a little and run it again, or connect with a lower rate.",
        [],
    )


def _unavailable(found: Details, request: Request, key_hint: str, mode: str, tried: str) -> Text:
    message = f"Stripe failed (status {found.status}). Nothing was changed; {tried or 'it was tried once'}."
    return (
        message,
        "Run it again later; https://status.stripe.com shows known failures.",
        [f"Stripe: {found.stripe_message}"] if found.stripe_message else [],
    )


def _generic(found: Details, request: Request, key_hint: str, mode: str, tried: str) -> Text:
    said = _stop(found.stripe_message or "no message was given")
    return f"Stripe answered with status {found.status}: {said}", "", []


_TEXT = {
    InvalidRequest: _invalid,
    NotFound: _not_found,
    IdempotencyConflict: _conflict,
    CardDeclined: _declined,
    AuthenticationFailed: _authentication,
    PermissionDenied: _permission,
    RateLimited: _rate,
    StripeUnavailable: _unavailable,
}
