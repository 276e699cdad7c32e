"""What every official client must see: the end of the story, and its classes of errors. And the server that
it talks to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from stripe_magics.sandbox import SandboxTransport
from stripe_magics.sandbox.api.dispatcher import Response, Send
from stripe_magics.sandbox.server import serving

VERSIONS = ("2025-02-24.acacia", "2026-10-28.endive")
STORY: dict[str, Any] = {
    "trials": ["active", "canceled"],
    "renews in days": 30,
    "upgrade": [True, 4000, "paid"],  # 20 of 30 days of 30.00 back, of 90.00 for the rest
    "upgrade was paid": "succeeded",
    "downgrade": [-6000, 2000],
    "quote": ["accepted", 27000, True],
    "dunning": ["past_due", "canceled", "payment_failed"],
    "used": [4600, 3000],  # 320 calls above the first hundred, beside 30.00
    "credit note": ["issued", 500, -1500],  # 10.00 of credit for the downgrade are left
    "dispute": "lost",
    "payouts": True,
    "ledger": -2139,
    "left": -2139,
    "monthly": 2 * 3000 + 3 * 9000,
}
ERRORS = {  # what went wrong -> (class without the package's prefix, code)
    "declined": ("CardError", "card_declined"),
    "expired": ("CardError", "expired_card"),
    "unknown id": ("InvalidRequestError", "resource_missing"),
    "unknown parameter": ("InvalidRequestError", "parameter_unknown"),
    "absent parameter": ("InvalidRequestError", "parameter_missing"),
    "too small": ("InvalidRequestError", "amount_too_small"),
    "key used twice": ("IdempotencyError", ""),
    "wrong key": ("AuthenticationError", ""),
    "another account": ("PermissionError", "account_invalid"),
    "too many": ("RateLimitError", "rate_limit"),
    "a defect": ("APIError", ""),
}
WITHOUT_CODE = {"RateLimitError", "PermissionError"}
"""Classes to which the Python package gives no code."""
TROUBLE = {
    "GET /v1/products": (
        429,
        b'{"error":{"type":"invalid_request_error","code":"rate_limit","message":"Too many."}}',
    ),
    "GET /v1/coupons": (500, b'{"error":{"type":"api_error","message":"A defect."}}'),
}
"""Requests that the server below answers so, for the errors that a sandbox never has by itself."""


class _Troubled(SandboxTransport):
    def answer(
        self, method: str, path: str, query: str, headers: dict[str, str], body: bytes,
        send: Send | None = None,
    ) -> Response:  # fmt: skip
        if trouble := TROUBLE.get(f"{method} {path}"):
            return Response(trouble[0], {"content-type": "application/json"}, trouble[1])
        return super().answer(method, path, query, headers, body, send)


@contextmanager
def sandbox() -> Iterator[str]:
    """The address of an empty account of its own."""
    with serving(_Troubled(demo=False)) as address:
        yield address


def differences(seen: dict[str, Any]) -> list[str]:
    """How what a client printed differs from what it must see."""
    found = [
        f"{name}: {seen['story'].get(name)!r}, not {value!r}"
        for name, value in STORY.items()
        if seen["story"].get(name) != value
    ]
    for name, (kind, code) in ERRORS.items():
        seen_kind, _, seen_code = seen["errors"].get(name, "").removeprefix("Stripe").partition(" ")
        if seen_kind != kind or (seen_code != code and not (kind in WITHOUT_CODE and not seen_code)):
            found.append(f"{name}: {seen['errors'].get(name)!r}, not {kind} {code}")
    return found
