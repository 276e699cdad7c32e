"""Faults on demand, for tests and teaching: what a network and a busy server do to a request.

    SandboxTransport(faults=[
        # the next request never arrives: httpx.ConnectError
        Fault("drop_before"),
        # carried out, but the answer is lost: httpx.ReadTimeout
        Fault("drop_after", match="POST /v1/payment_intents"),
        # two answers of 500, and nothing is carried out
        Fault("status", status=500, times=2),
        # 429 with Stripe-Rate-Limited-Reason
        Fault("status", status=429, reason="global-rate"),
        Fault("status", status=409, code="lock_timeout"),
        # every answer comes late
        Fault("delay", seconds=0.2, times=None),
        # the second answer breaks off in the middle
        Fault("truncate", after=1),
    ])

A fault hits requests whose "METHOD /path" has `match` (a regular expression) in it: the first `after` of them
are let through, the next `times` are hit (None: all). The first fault of the list that applies is the one
that happens; delays come on top. `transport.faults` is the list itself and may be changed at any time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal[
    "drop_before", "drop_after", "drop_reading", "status", "status_after", "delay", "truncate", "garble"
]


@dataclass(slots=True)
class Fault:
    """One kind of trouble. `status_after` carries the request out and answers the status all the same."""

    kind: Kind
    match: str = ""
    times: int | None = 1
    after: int = 0
    status: int = 500
    code: str = ""
    message: str = ""
    reason: str = ""  # of a 429: the Stripe-Rate-Limited-Reason header
    seconds: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)

    def hits(self, method: str, path: str) -> bool:
        """Whether this request is hit; counts down as it answers."""
        if self.times == 0 or not re.search(self.match, f"{method} {path}"):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def body(self) -> dict[str, Any]:
        """The error body of a status."""
        kinds = {
            429: "invalid_request_error",
            409: "idempotency_error" if self.code == "idempotency_key_in_use" else "invalid_request_error",
        }
        codes = {429: "rate_limit", 409: "lock_timeout"}
        kind = kinds.get(self.status, "api_error" if self.status >= 500 else "invalid_request_error")
        code = self.code or codes.get(self.status, "")
        error = {
            "message": self.message or f"The sandbox answers {self.status}, as configured.",
            "type": kind,
        }
        return {"error": {**error, "code": code} if code else error}
