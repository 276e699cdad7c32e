"""Keeping a body on disk so that only the holder of the API key can read it: what resuming after a kernel's
death needs.

Whoever has the key can read the same data from Stripe; whoever has only the file learns nothing. The cipher
is Fernet of the `cryptography` package (AES-CBC with HMAC-SHA256), its key derived from the API key and the
journal's salt. Bodies with card or bank data are never kept, sealed or not.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from stripe_magics._interrupts import held_back
from stripe_magics.client.secret import Secret

if TYPE_CHECKING:
    from cryptography.fernet import Fernet


def _cipher(secret: Secret, salt: bytes) -> Fernet:
    with held_back():  # not before the first write: it takes a moment to load
        from cryptography.fernet import Fernet
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    # an API key has more entropy than the cipher's key, so a plain derivation is enough
    derived = HKDF(SHA256(), 32, salt, b"stripe_magics sealed body").derive(secret.reveal().encode())
    return Fernet(base64.urlsafe_b64encode(derived))


def seal(text: bytes, secret: Secret, salt: bytes) -> bytes:
    """The text, unreadable without the key."""
    return _cipher(secret, salt).encrypt(text)


def unseal(data: bytes, secret: Secret, salt: bytes) -> bytes | None:
    """The text again, or None if it was sealed under another key or was changed."""
    from cryptography.fernet import InvalidToken

    try:
        return _cipher(secret, salt).decrypt(data)
    except InvalidToken:
        return None
