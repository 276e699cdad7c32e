"""Webhooks of the loopback server: each new event goes to the endpoints that asked for its type, signed as
Stripe signs, with retries.

Only endpoints on this machine are called. A receiver that doesn't answer with 2xx (a redirect is none) is
tried again, ever later, six times in all. Each address has a thread of its own: one that hangs keeps nobody
else waiting.
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
UNUSED = 30.0
"""Seconds without a delivery after which an address has no thread any more."""
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
        self._queues: dict[str, list[_Delivery]] = {}  # by address
        self._count = 0
        self._ready = threading.Condition()
        self._threads: dict[str, threading.Thread] = {}
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
                    for waiting in self._queues.values():
                        waiting.clear()
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
            url = delivery.url
            heapq.heappush(self._queues.setdefault(url, []), delivery)
            if url not in self._threads and not self._closed:
                self._threads[url] = threading.Thread(
                    target=self._run, args=(url,), daemon=True, name="sandbox-webhooks"
                )
                self._threads[url].start()
            self._ready.notify_all()

    def _run(self, url: str) -> None:
        with httpx.Client(trust_env=False, timeout=ANSWER_TIMEOUT) as client:
            while (delivery := self._next(url)) is not None:
                self._deliver(client, delivery)

    def _next(self, url: str) -> _Delivery | None:
        with self._ready:
            unused_at = time.monotonic() + UNUSED
            while not self._closed:
                queue, now = self._queues[url], time.monotonic()
                due = queue[0].moment if queue else unused_at
                if due > now:
                    self._ready.wait(due - now)
                elif queue:
                    return heapq.heappop(queue)
                else:
                    del self._queues[url], self._threads[url]
                    return None
            return None

    def _deliver(self, client: httpx.Client, delivery: _Delivery) -> None:
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": signature(delivery.body, delivery.secret, int(time.time())),
        }
        delivery.tries += 1
        try:
            with client.stream("POST", delivery.url, content=delivery.body, headers=headers) as answer:
                status = answer.status_code  # what else it says is nobody's business, and may be endless
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
            threads = list(self._threads.values())
        until = time.monotonic() + ANSWER_TIMEOUT + 1
        for each in threads:
            each.join(timeout=max(0.0, until - time.monotonic()))
