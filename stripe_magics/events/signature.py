"""Whether an event is from Stripe: the `Stripe-Signature` header over the body's raw bytes.

- What is signed is `t + "." + body`, as received. A body that was parsed and written again can't be checked.
- Only the scheme v1 counts; v0 stands on test events and proves nothing. A header may carry several v1 (a
  secret that is being rolled), and several secrets may be accepted here; one pair that agrees is enough.
  Comparison takes the same time whether or not it agrees.
- The time must be near to now, on both sides: an old event is a replay, a future one a wrong clock or a
  forgery.
- The body is parsed only once all of that holds.

    BadSignature       can't be shown to be from Stripe; nothing of the body was read
    BadEvent           signed, but nothing that can be recorded as an event
      +- UnsupportedEvent    signed, but of the v2 API ("thin"), which carries no object
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterable

from stripe_magics._json import JsonObject
from stripe_magics.client.http.response import parse_object
from stripe_magics.client.secret import Secret
from stripe_magics.errors import BadEvent, BadSignature, KeyRefused, UnsupportedEvent

TOLERANCE = 300  # seconds
_MOST_HEADER = 4096  # characters
_OTHER_KINDS = ("sk_", "pk_", "rk_", "we_", "rkcs_", "ek_", "oak_")


def construct(
    body: bytes | bytearray | str,
    header: str | None,
    secrets: Secret | str | Iterable[Secret | str],
    *,
    tolerance: int = TOLERANCE,
    now: float | None = None,
) -> JsonObject:
    """The event of a signed body. Raises `BadSignature` or `BadEvent`; `KeyRefused` for what is no signing
    secret; ValueError, TypeError."""
    raw = _bytes(body)
    verify(raw, header, secrets, tolerance=tolerance, now=now)
    return parse(raw)


def verify(
    body: bytes | bytearray | str,
    header: str | None,
    secrets: Secret | str | Iterable[Secret | str],
    *,
    tolerance: int = TOLERANCE,
    now: float | None = None,
) -> None:
    """Check a signature; see `construct`."""
    if tolerance <= 0:
        raise ValueError(
            "The tolerance must be above 0 seconds: without one, an old event could be played again."
        )
    raw = _bytes(body)
    accepted = [
        check_secret(each)
        for each in ([secrets] if isinstance(secrets, (Secret, str)) or secrets is None else secrets)
    ]
    if not accepted:
        raise KeyRefused("There is no signing secret to check the event with.")
    stamp, signatures = _read(header)
    # every pair is compared, so that the time taken doesn't tell which secret or which signature came close
    agreed = [
        hmac.compare_digest(sign(raw, secret, stamp).encode(), each)
        for secret in accepted
        for each in signatures
    ]
    if not any(agreed):
        raise BadSignature(
            "The signature doesn't agree with the body.",
            advice=(
                "Is the signing secret the one of this very endpoint (or of this run of stripe listen), and"
                " the body exactly as received?"
            ),
        )
    age = (time.time() if now is None else now) - stamp
    if abs(age) > tolerance:
        side = "old" if age > 0 else "in the future"
        raise BadSignature(
            f"The event was signed {abs(age):,.0f} s {'ago' if age > 0 else 'ahead of this clock'}: too"
            f" {side}; {tolerance} s are allowed.",
            advice="Either it is a replay, or this machine's clock is wrong.",
        )


def sign(body: bytes, secret: Secret, stamp: int) -> str:
    """The v1 signature of a body at a time, as Stripe makes it."""
    return hmac.new(secret.reveal().encode(), b"%d." % stamp + body, hashlib.sha256).hexdigest()


def parse(body: bytes) -> JsonObject:
    """The event in a body that was found to be signed. Raises `BadEvent`."""
    event = parse_object(body)
    if event is None:
        raise BadEvent("The body is signed, but isn't a JSON object.")
    if str(event.get("object", "")).startswith("v2.") or (
        event.get("object") == "event" and "data" not in event and "type" in event
    ):
        refused = UnsupportedEvent(
            "That is a thin event of the v2 API, which carries no object. Only v1 events can be watched.",
            advice="With stripe listen: forward thin events elsewhere (--forward-thin-to), or not at all.",
        )
        refused.data = event
        raise refused
    shape = {"id": str, "type": str, "created": int, "data": dict}
    wrong = [
        name
        for name, kind in shape.items()
        if not isinstance(event.get(name), kind) or isinstance(event.get(name), bool)
    ]
    if event.get("object") != "event" or wrong or not isinstance(event["data"].get("object"), dict):
        raise BadEvent("The body is signed, but isn't an event.")
    return event


def check_secret(secret: Secret | str | None) -> Secret:
    """A signing secret that can be one. Raises `KeyRefused` with the reason; the text is never in it."""
    text = secret.reveal() if isinstance(secret, Secret) else secret
    if not isinstance(text, str) or not text.strip():
        raise KeyRefused("There is no signing secret to check the event with.")
    if text != text.strip() or any(each.isspace() for each in text):
        raise KeyRefused(
            "The signing secret has a space or a line break around or inside it. Copy it again without."
        )
    if text.startswith(_OTHER_KINDS):
        what = "the endpoint's ID" if text.startswith("we_") else "an API key"
        raise KeyRefused(f"That is {what}, the wrong kind of secret: a signing secret starts with whsec_.")
    return secret if isinstance(secret, Secret) else Secret(text)


def _bytes(body: object) -> bytes:
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body)
    raise TypeError(
        f"The body must be the raw bytes as received, not a {type(body).__name__}: one that was parsed can't"
        " be checked."
    )


def _read(header: str | None) -> tuple[int, list[bytes]]:
    """The time and the v1 signatures of a header."""
    if not header or not header.strip():
        raise BadSignature("The request isn't signed: it has no Stripe-Signature header.")
    if len(header) > _MOST_HEADER:
        raise BadSignature("The Stripe-Signature header is malformed.")
    parts = [item.strip().partition("=") for item in header.split(",")]
    stamps = [value for name, _, value in parts if name == "t"]
    if len(stamps) != 1 or not stamps[0].isascii() or not stamps[0].isdigit() or len(stamps[0]) > 12:
        raise BadSignature("The Stripe-Signature header is malformed.")
    signatures = [value.encode("utf-8", "replace") for name, _, value in parts if name == "v1" and value]
    if not signatures:
        raise BadSignature("The Stripe-Signature header has no signature of the scheme v1.")
    return int(stamps[0]), signatures
