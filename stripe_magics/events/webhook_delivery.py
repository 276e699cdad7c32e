"""`stripe listen`, played: events of the sandbox go to the receiver over loopback, signed as Stripe signs
them.

The sandbox doesn't deliver events and Stripe's command line tool can't reach it; this is how a receiver is
tried out without an account.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping
from typing import Any

from stripe_magics.client.secret import Secret
from stripe_magics.events.receiver import Receiver
from stripe_magics.events.signature import sign


def post(receiver: Receiver, event: Mapping[str, Any], secret: Secret, *, stamp: int | None = None) -> int:
    """Deliver one event; the status that the receiver answered with."""
    body = json.dumps(event).encode()
    moment = int(time.time()) if stamp is None else stamp
    connection = http.client.HTTPConnection("127.0.0.1", receiver.port, timeout=10)
    try:
        signature = f"t={moment},v1={sign(body, secret, moment)}"
        connection.request(
            "POST", receiver.path, body, {"Content-Type": "application/json", "Stripe-Signature": signature}
        )
        return connection.getresponse().status
    finally:
        connection.close()
