"""Webhooks of the loopback server: each new event goes to the endpoints that asked for its type, signed as
Stripe signs, with retries.

Only endpoints on this machine are called. A receiver that doesn't answer with 2xx is tried again, ever later,
six times in all.
"""

from __future__ import annotations

import hashlib
import heapq
import hmac
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx

from stripe_magics.sandbox.core.store import Account
from stripe_magics.sandbox.resources.webhook_endpoints import endpoint_secret
from stripe_magics.sandbox.transport import SandboxTransport

TRIES = 6
FIRST_WAIT = 0.5
"""Seconds before the second try; each further wait is twice as long."""
ANSWER_TIMEOUT = 10.0
LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(order=True, slots=True)
class _Delivery:
    moment: float
    number: int
    url: str = field(compare=False)
    secret: str = field(compare=False)
    kind: str = field(compare=False)
    body: bytes = field(compare=False)
    account: Account = field(compare=False)
    tries: int = field(compare=False, default=0)


def signature(body: bytes, secret: str, moment: int) -> str:
    """The header Stripe-Signature of a delivery."""
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


class WebhookSender:
    """Delivers what is new in one transport's account. Nothing runs until there is an endpoint on this
    machine."""

    def __init__(self, transport: SandboxTransport, log: Callable[[str], None] | None = None) -> None:
        self._transport, self._log = transport, log
        self._account: Account | None = None
        self._seen: dict[str, int] = {}  # scope of an account -> the last of its rows that was looked at
        self._queue: list[_Delivery] = []
        self._count = 0
        self._ready = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False
        self.look()

    def look(self) -> None:
        """Queue deliveries of the events since the last look."""
        with self._transport.lock:
            account = self._transport.account
            if account is not self._account:
                # another one was loaded: its past is not news, and what waits belongs to the former
                self._account = account
                self._seen = {each.own_clock.scope: each.count for each in account.family.accounts()}
                with self._ready:
                    self._queue.clear()
                return
            found: list[_Delivery] = []
            for member in account.family.accounts():
                found += self._new(account, member)
        for each in found:
            self._put(each)

    def _new(self, platform: Account, account: Account) -> list[_Delivery]:
        """Of one account: its own events go to the platform's endpoints, a connected account's to those with
        connect=true and to its own."""
        seen, rows, new = self._seen.get(account.own_clock.scope, 0), account.table("event").rows, []
        if not rows or rows[-1].seq <= seen:
            return []
        for row in reversed(rows):
            if row.seq <= seen:
                break
            new.append(row)
        self._seen[account.own_clock.scope] = max(row.seq for row in new)
        takers = [(account, False)] if account is platform else [(account, False), (platform, True)]
        if not any(holder.table("webhook_endpoint").rows for holder, _ in takers):
            return []
        endpoints = [
            (each["url"], endpoint_secret(holder, each["id"]), each["enabled_events"])
            for holder, connect in takers
            for each in holder.each("webhook_endpoint")
            if each["status"] == "enabled"
            and urlsplit(each["url"]).hostname in LOCAL
            and bool(holder.private_state.get(each["id"], {}).get("connect")) is connect
        ]
        return [
            _Delivery(time.monotonic(), 0, url, secret, str(row.keys[0]), row.text, platform)
            for row in reversed(new)
            for url, secret, kinds in endpoints
            if "*" in kinds or row.keys[0] in kinds
        ]

    def _put(self, delivery: _Delivery) -> None:
        with self._ready:
            if delivery.account is not self._account:
                return
            self._count += 1
            delivery.number = self._count
            heapq.heappush(self._queue, delivery)
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, daemon=True, name="sandbox-webhooks")
                self._thread.start()
            self._ready.notify()

    def _run(self) -> None:
        with httpx.Client(trust_env=False, timeout=ANSWER_TIMEOUT) as client:
            while (delivery := self._next()) is not None:
                self._deliver(client, delivery)

    def _next(self) -> _Delivery | None:
        with self._ready:
            while not self._closed:
                wait = self._queue[0].moment - time.monotonic() if self._queue else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._queue)
                self._ready.wait(wait)
            return None

    def _deliver(self, client: httpx.Client, delivery: _Delivery) -> None:
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": signature(delivery.body, delivery.secret, int(time.time())),
        }
        delivery.tries += 1
        try:
            status = client.post(delivery.url, content=delivery.body, headers=headers).status_code
            outcome = str(status)
        except httpx.HTTPError as fault:
            status, outcome = 0, type(fault).__name__
        again = not 200 <= status < 300 and delivery.tries < TRIES
        wait = FIRST_WAIT * 2 ** (delivery.tries - 1)
        if self._log is not None:
            more = f", again in {wait:g} s" if again else "" if 200 <= status < 300 else ", given up"
            self._log(f"webhook {delivery.kind} -> {delivery.url} {outcome}{more}")
        if again:
            delivery.moment = time.monotonic() + wait
            self._put(delivery)

    def close(self) -> None:
        """Deliver nothing more."""
        with self._ready:
            self._closed = True
            self._ready.notify_all()
        if self._thread is not None:
            self._thread.join(timeout=ANSWER_TIMEOUT + 1)
