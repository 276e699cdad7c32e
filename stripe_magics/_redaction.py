"""Which fields of Stripe's objects are secrets, and an object without them: for logs, messages and whatever is kept on disk.

The text patterns (keys, client secrets) are in stripe_magics/errors.py, since every message goes through them.
"""

from __future__ import annotations

from typing import Any

from stripe_magics.errors import redact

HIDDEN = "(hidden)"

SECRET_FIELDS = frozenset(
    {
        "client_secret",
        "secret",
        "access_token",
        "refresh_token",
        "stripe_publishable_key",
        "number",
        "cvc",
        "pin",
        "account_number",
        "routing_number",
        "ephemeral_key_secret",
    }
)
SECRET_URLS = frozenset(
    {"account_link", "login_link", "billing_portal.session", "file_link"}
)  # objects whose `url` lets anyone in
PLAIN_NUMBERS = frozenset(
    {"invoice", "credit_note", "quote", "receipt"}
)  # objects whose `number` is no card's


def hide(data: Any, owner: str = "") -> Any:
    """The same JSON data with secrets replaced."""
    if isinstance(data, dict):
        kind = str(data.get("object") or owner)
        return {
            name: HIDDEN if _secret(kind, name, value) else hide(value, kind) for name, value in data.items()
        }
    if isinstance(data, list):
        return [hide(each, owner) for each in data]
    return redact(data) if isinstance(data, str) else data


def _secret(kind: str, name: str, value: Any) -> bool:
    if not isinstance(value, str) or not value:
        return False
    if name == "number" and kind in PLAIN_NUMBERS:
        return False
    return name in SECRET_FIELDS or (name == "url" and kind in SECRET_URLS)
