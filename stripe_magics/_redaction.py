"""What is secret, and how it is hidden: one key pattern, one table of secret fields, one rule for card and
bank numbers.

- Texts (messages, logs, history): `redact`. A key is a prefix, a mode and enough random characters, so that
  `sk_test_` in a help text or `pk_customer_id` stay as they are; a key inside another word or after `%20` is
  hidden. So are client secrets, links that let anyone in and card numbers, of which the last four digits
  stay.
- JSON data (events, what is kept on disk): `hide`. Frames ask the same table.
- Parameters of a call (dry runs, history, scripts, `attrs`): `mask_param`.

Pure text and data: everything of the package may use it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

HIDDEN = "(hidden)"
KEY_HIDDEN = "(key hidden)"

_TAIL = r"[A-Za-z0-9_=+/%-]*"
_START = r"(?:(?<![A-Za-z0-9])|(?<=%[0-9A-Fa-f][0-9A-Fa-f]))"
_MODE = r"(?:live|test|org)_(?:live_|test_)?"
KEY = re.compile(
    rf"{_START}(?:rkcs|sk|rk|pk|ek|oak)_{_MODE}[A-Za-z0-9]{{8,}}{_TAIL}"
    rf"|(?:rkcs|sk|rk|pk|ek|oak)_{_MODE}(?=[A-Za-z]*\d)[A-Za-z0-9]{{16,}}{_TAIL}"  # inside another word
    rf"|{_START}(?:sk|rk|pk)_[A-Za-z0-9]{{24,}}"
    rf"|{_START}(?:oak|ek)_(?=[A-Za-z]*\d)[A-Za-z0-9]{{16,}}{_TAIL}"
    rf"|{_START}(?:whsec|absec)_[A-Za-z0-9+/=_-]{{8,}}"
)
"""What a key of Stripe's looks like."""

_ECHO = re.compile(
    r"\b(?:sk|rk|rkcs|pk|ek|oak|whsec)_(?:(?:live|test|org)_)?[A-Za-z0-9]{0,8}[*\u2022]{2,}[A-Za-z0-9*\u2022]*"
)
"""A key as Stripe shows it again, starred: its last characters are nobody's business either."""
_CLIENT_SECRET = re.compile(r"([a-z]{2,8}_[A-Za-z0-9_]+?)_secret_[A-Za-z0-9]{3,}")
_SECRET_LINK = re.compile(
    r"(https?://(?:files\.stripe\.com/links|verify\.stripe\.com/start|checkout\.stripe\.com/(?:c/)?pay"
    r"|billing\.stripe\.com/p/session|connect\.stripe\.com/(?:setup|express)))/[^\s\"'<>]+"
)
_CARD = re.compile(r"(?<![\w.-])[2-6]\d{3}(?:[ -]?\d{2,6}){2,4}(?![\w-]|\.\d)")

SECRET_FIELDS: Mapping[str, frozenset[str]] = {
    "": frozenset(
        {
            "access_token",
            "account_number",
            "client_secret",
            "cvc",
            "ephemeral_key_secret",
            "iban",
            "pin",
            "refresh_token",
            "routing_number",
            "signing_secret",
            "sort_code",
            "stripe_publishable_key",
        }
    ),
    "account_link": frozenset({"url"}),
    "account_session": frozenset({"client_secret"}),
    "apps.secret": frozenset({"payload"}),
    "billing_portal.session": frozenset({"url"}),
    "checkout.session": frozenset({"url"}),
    "ephemeral_key": frozenset({"secret"}),
    "file_link": frozenset({"url"}),
    "identity.verification_session": frozenset({"url"}),
    "issuing.card": frozenset({"number"}),
    "login_link": frozenset({"url"}),
    "terminal.connection_token": frozenset({"secret"}),
    "terminal.onboarding_link": frozenset({"url", "redirect_url"}),
    "v2.core.event_destination": frozenset({"signing_secret"}),
    "webhook_endpoint": frozenset({"secret"}),
}
"""Fields that are never shown unless asked for, by the type of the object that holds them ("" is any)."""

_UNTYPED = frozenset({"number", "secret"})  # of an object that doesn't say what it is
PLAIN_NUMBERS = frozenset({"invoice", "credit_note", "quote", "receipt"})  # their `number` is no card's

_SECRET_PARAMS = frozenset(
    {
        "account_number",
        "bsb_number",
        "client_secret",
        "cvc",
        "cvv",
        "iban",
        "id_number",
        "password",
        "payload",
        "pin",
        "routing_number",
        "secret",
        "security_code",
        "sort_code",
        "ssn",
        "ssn_last_4",
        "token",
        "transit_number",
    }
)
_KEPT_NOWHERE = re.compile(
    r"card\[|\[card\]|exp_month|exp_year|bank_account\[|bacs_debit|acss_debit|au_becs|sepa_debit|us_bank_account|number"
)

SUSPECT: Mapping[str, tuple[str, ...]] = {
    "k_": ("k_live_", "k_test_", "k_org_"),
    "cs_": ("rkcs_",),
    "sec_": ("whsec_", "absec_"),
    "_secret_": ("_secret_",),
    "stripe.com/": (
        *(
            "stripe.com/links",
            "stripe.com/start",
            "stripe.com/pay",
            "stripe.com/c/pay",
            "stripe.com/p/session",
        ),
        *("stripe.com/setup", "stripe.com/express"),
    ),
}
"""A text that `redact` takes a key, a client secret or a link out of holds one of the words, or a key without
a mode, which `SUSPECT_KEY` finds. What the words have in common comes first: most texts have none of it, and
are done sooner."""
SUSPECT_KEY = r"(?:sk|rk|pk|ek|oak)_[A-Za-z0-9]{16,}"


def redact(text: str) -> str:
    """The text without anything that looks like a key, a client secret, a link that lets anyone in or a card
    number."""
    if "_" in text:
        text = _CLIENT_SECRET.sub(rf"\1_secret_{HIDDEN}", _ECHO.sub(KEY_HIDDEN, KEY.sub(KEY_HIDDEN, text)))
    if "://" in text:
        text = _SECRET_LINK.sub(rf"\1/{HIDDEN}", text)
    return _CARD.sub(_card, text)


def contains_key(text: str) -> bool:
    """Whether there is a key in the text."""
    return "_" in text and KEY.search(text) is not None


def _card(found: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", found[0])
    return last_four(digits) if 13 <= len(digits) <= 19 and _passes_luhn(digits) else found[0]


def last_four(digits: str) -> str:
    """A number as receipts print it: `\u2022\u2022\u2022\u2022 4242`."""
    return f"\u2022\u2022\u2022\u2022 {digits[-4:]}"


def _passes_luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


# JSON data --------------------------------------------------------------------------------------------------
def is_secret_field(kind: str, name: str) -> bool:
    """Whether a field of an object of that type is never shown unless asked for."""
    return name in SECRET_FIELDS[""] or name in SECRET_FIELDS.get(kind, ())


def hide(data: object, owner: str = "") -> Any:
    """The same JSON data with secrets replaced."""
    if isinstance(data, dict):
        own = data.get("object")
        kind = own if isinstance(own, str) else owner
        return {
            name: HIDDEN if _is_hidden(kind, str(name), value) else hide(value, kind)
            for name, value in data.items()
        }
    if isinstance(data, (list, tuple)):
        return [hide(each, owner) for each in data]
    return redact(data) if isinstance(data, str) else data


def _is_hidden(kind: str, name: str, value: object) -> bool:
    if not isinstance(value, str) or not value:
        return False
    if name in _UNTYPED and kind not in PLAIN_NUMBERS:
        return True
    return is_secret_field(kind, name)


# Parameters of a call ---------------------------------------------------------------------------------------
def is_secret_param(name: str) -> bool:
    """Whether a parameter carries a card or bank number, a code or a secret:
    `payment_method_data[card][number]`."""
    segments = re.findall(r"[^\[\].]+", name)
    if not segments:
        return False
    last = segments[-1].lower()
    return (
        last in _SECRET_PARAMS
        or (last == "number" and len(segments) > 1)
        or last in {"card_number", "number_token"}
    )


def mask_param(name: str, value: object) -> Any:
    """A parameter's value as it may be shown: of a number the last four digits, of a code nothing, of a text
    what isn't a secret."""
    if is_secret_param(name):
        digits = re.sub(r"[ -]", "", str(value))
        return last_four(digits) if digits.isalnum() and len(digits) >= 8 else "\u2022\u2022\u2022"
    if isinstance(value, Mapping):
        return {
            key: mask_param(f"{name}[{key}]" if name else str(key), inner) for key, inner in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [mask_param(name, inner) for inner in value]
    return redact(value) if isinstance(value, str) else value


def mask_params(pairs: Iterable[tuple[str, Any]]) -> tuple[tuple[str, Any], ...]:
    """Parameters as they may be shown."""
    return tuple((name, mask_param(name, value)) for name, value in pairs)


def may_keep_params(names: Iterable[str]) -> bool:
    """Whether a body with these parameters may be kept on disk, encrypted: none has card or bank data."""
    return not any(is_secret_param(name) or _KEPT_NOWHERE.search(name) for name in names)
