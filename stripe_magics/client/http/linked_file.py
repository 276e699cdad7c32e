"""The file behind a link in one of Stripe's answers (an invoice's PDF): read without the key, from Stripe's
own hosts, and named nowhere.

Whoever has such a link can open it: it stands in no error and no log.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from stripe_magics.client.http import exchange
from stripe_magics.client.http.request_encoder import USER_AGENT, EncodedRequest
from stripe_magics.client.http.retry import AttemptResult, Attempts, DeliveryStatus, RequestKind
from stripe_magics.client.sending.request_checks import API
from stripe_magics.errors import Details, StripeError

if TYPE_CHECKING:
    from stripe_magics.client.connection import Connection

MAX_REDIRECTS = 3
_STRIPE = re.compile(r"(?:[a-z0-9-]+\.)+stripe\.com", re.IGNORECASE)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


def read_linked_file(connection: Connection, link: str) -> bytes:
    """What the link leads to. Raises `StripeError` where it leads elsewhere than to Stripe, or to no file;
    nothing of it is kept then."""
    for _ in range(1 + MAX_REDIRECTS):
        outcome = _read(connection, _encoded(connection, link))
        if outcome.is_success and (outcome.data or {}).get("object") == "document":
            return outcome.body
        if outcome.status not in _REDIRECTS:
            break
        link = urljoin(link, outcome.header("location"))
    why = "what came is not a file" if outcome.status == 200 else outcome.reason
    raise _refused(f"The file could not be read: {why}", outcome.status)


def _read(connection: Connection, encoded: EncodedRequest) -> AttemptResult:
    attempts, began = Attempts(connection.policy, RequestKind.READ), connection.monotonic()
    while True:
        outcome = exchange.attempt(connection.http(), encoded, "", None, connection.policy)
        if outcome.interrupted:
            raise KeyboardInterrupt("Stopped. Nothing was written.")
        done = outcome.is_success or (
            outcome.reach is DeliveryStatus.ANSWERED and 300 <= outcome.status < 500 and outcome.status != 429
        )
        pause = None if done else attempts.pause(outcome, spent=connection.monotonic() - began)
        if pause is None:
            return outcome
        connection.sleep(pause)


def _encoded(connection: Connection, link: str) -> EncodedRequest:
    """A link's request. Where the connection is to another server than Stripe's, that server is asked for the
    same path."""
    try:
        parts = urlsplit(link)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme != "https" or not _STRIPE.fullmatch(parts.netloc):
        # no login, no port, nobody else's host
        raise _refused("The link of the file doesn't lead to Stripe")
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    base = f"https://{parts.netloc}" if connection.base == API else connection.base
    headers = (("accept", "*/*"), ("accept-encoding", "gzip, deflate"), ("user-agent", USER_AGENT))
    return EncodedRequest(
        method="GET", url=base + target, target=target, headers=headers, body=b"", document=True
    )


def _refused(words: str, status: int = 0) -> StripeError:
    return StripeError(
        f"{words}. Nothing was written.",
        advice="Run the same again, or open the object's page in the Dashboard.",
        details=Details(status=status),
    )
