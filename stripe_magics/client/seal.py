"""Keeping a body on disk so that only the holder of the API key can read it: what resuming after a kernel's death needs.

Whoever has the key can read the same data from Stripe; whoever has only the file learns nothing. The cipher is the standard
construction of what the standard library has: a keystream of HMAC-SHA256 in counter mode under a fresh nonce, then an HMAC over all of it,
with two keys derived from the API key and the journal's salt. Bodies with card or bank data are never kept, sealed or not.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable

from stripe_magics.client.secret import Secret

NEVER_KEPT = re.compile(
    r"card\[|\[card\]|number|cvc|cvv|exp_month|exp_year|account_number|routing_number|iban|sort_code|ssn|id_number|secret|password|token|pin\b|"
    r"bank_account\[|bacs_debit|acss_debit|au_becs|sepa_debit|us_bank_account"
)


def may_keep(names: Iterable[str]) -> bool:
    """Whether a body with these parameter names may be kept sealed."""
    return not any(NEVER_KEPT.search(name) for name in names)


def _keys(secret: Secret, salt: bytes) -> tuple[bytes, bytes]:
    root = hmac.digest(salt, secret.reveal().encode(), hashlib.sha256)
    return hmac.digest(root, b"encrypt", hashlib.sha256), hmac.digest(root, b"authenticate", hashlib.sha256)


def _stream(key: bytes, nonce: bytes, length: int) -> bytes:
    blocks = (hmac.digest(key, nonce + counter.to_bytes(8, "big"), hashlib.sha256) for counter in range((length + 31) // 32))
    return b"".join(blocks)[:length]


def seal(text: bytes, secret: Secret, salt: bytes) -> bytes:
    """The text, unreadable without the key."""
    encrypt, authenticate = _keys(secret, salt)
    nonce = secrets.token_bytes(16)
    hidden = bytes(a ^ b for a, b in zip(text, _stream(encrypt, nonce, len(text)), strict=True))
    return nonce + hidden + hmac.digest(authenticate, nonce + hidden, hashlib.sha256)


def unseal(data: bytes, secret: Secret, salt: bytes) -> bytes | None:
    """The text again, or None if it was sealed under another key or was changed."""
    encrypt, authenticate = _keys(secret, salt)
    nonce, hidden, tag = data[:16], data[16:-32], data[-32:]
    if not hmac.compare_digest(tag, hmac.digest(authenticate, nonce + hidden, hashlib.sha256)):
        return None
    return bytes(a ^ b for a, b in zip(hidden, _stream(encrypt, nonce, len(hidden)), strict=True))
