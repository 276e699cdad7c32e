"""The texts of errors that Stripe answered with: what happened and whether anything was done, what to do, the
facts.

Each function gives (message, advice, facts) from the answer's details, the request, the key's hint, the mode
and how often it was tried.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from stripe_magics._redaction import redact
from stripe_magics._text import closest_matches
from stripe_magics.client.api_errors import param_names
from stripe_magics.client.api_errors.decline_codes import explain
from stripe_magics.errors import (
    AuthenticationFailed,
    CardDeclined,
    Details,
    IdempotencyConflict,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    RateLimited,
    StripeError,
    StripeUnavailable,
)

if TYPE_CHECKING:
    from stripe_magics.request import Request

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
    elif found.code == "livemode_mismatch" or re.search(
        r"similar object exists in (live|test) mode", found.stripe_message
    ):
        advice = f"The object exists in the other mode; this connection is in {mode or 'this'} mode."
    if found.param:
        title = param_names.field_title(request, found.param)
        sent = param_names.sent(request, found.param)
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
            flag = f" (--{found.field.replace('_', '-')})" if found.field else ""
            advice = f"{title}{flag} is required."
        if (
            not found.field
            and sent is not None
            and request.param_fields
            and found.code != "parameter_unknown"
        ):
            facts.append(
                "No field of yours sent it: it was filled in here. Please report this with the request id."
            )
    return message, advice, facts


def _nearest(request: Request, param: str) -> list[str]:

    module = param_names.module_of(request)
    if module is None:
        return []
    names = {each.param: each.name for each in module.fields if each.param not in {"path", "client"}}
    return [f"{names[hit]}" for hit in closest_matches(param_names.bare_name(param), names, 2)]


def _not_found(found: Details, request: Request, key_hint: str, mode: str, tried: str) -> Text:
    message = (
        f"Not found: {_stop(found.stripe_message or f'{request.path} does not exist')} Nothing was"
        f" {done_word(request)}."
    )
    advice = (
        f"This connection is in {mode} mode; an id of another mode or another account isn't found here."
        if mode and found.code == "resource_missing"
        else ""
    )
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
        facts.append(f"Field: {param_names.field_title(request, found.param)}")
    if found.payment_intent:
        now = f" is now {found.payment_intent_status}" if found.payment_intent_status else ""
        facts.append(
            f"PaymentIntent {found.payment_intent}{now} - continue it rather than creating a new one."
        )
    return what + badge, advice, facts


def _authentication(found: Details, request: Request, key_hint: str, mode: str, tried: str) -> Text:
    key = f"the key {key_hint}" if key_hint else "the key"
    message = f"Stripe did not accept {key}. Nothing was done."
    advice = "Connect again with a valid key: %stripe connect"
    if found.code in {"api_key_expired", "platform_api_key_expired"}:
        message = f"Stripe did not accept {key}: it expired or was rolled. Nothing was done."
    elif found.code == "secret_key_required":
        message = (
            f"Stripe did not accept {key}: a publishable key can't do this; a secret or restricted key is"
            " needed. Nothing was done."
        )
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
        what = (
            f"Another request holds this object{f' ({held.group(1)})' if held else ''}. Nothing was done;"
            f" {tried or 'it was tried once'}."
        )
        return what, "Try again in a few seconds.", []
    attempts = tried.removeprefix("it was tried ").replace("times", "attempts").replace("once", "1 attempt")
    reason = f"{found.rate_limit_reason}, " if found.rate_limit_reason else ""
    return (
        f"Rate limited by Stripe ({reason}{attempts or '1 attempt'}). Nothing was changed.",
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


def generic(found: Details, request: Request, key_hint: str, mode: str, tried: str) -> Text:
    said = _stop(found.stripe_message or "no message was given")
    return f"Stripe answered with status {found.status}: {said}", "", []


TEXTS: dict[type[StripeError], Callable[[Details, Request, str, str, str], Text]] = {
    InvalidRequest: _invalid,
    NotFound: _not_found,
    IdempotencyConflict: _conflict,
    CardDeclined: _declined,
    AuthenticationFailed: _authentication,
    PermissionDenied: _permission,
    RateLimited: _rate,
    StripeUnavailable: _unavailable,
}
