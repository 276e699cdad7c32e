"""The sandbox as an httpx transport, sync and async: no port, no thread, no network.

    transport = SandboxTransport(demo=False)
    client = httpx.Client(transport=transport, base_url="https://api.stripe.com", headers={"Authorization":
    "Bearer sk_test_sandbox"})

It never looks at the host. What stands behind it is one `Account`; several clients may share one transport,
from several threads.

Where it differs from Stripe: search sees new objects at once (Stripe takes up to a minute) and has no rate
limit; Radar has no rules of its own (test cards bring reviews and warnings), and no currency is exchanged;
what a connected account has to give is a short list; webhooks are delivered by the loopback server only
(`server`), events are there to be polled; `error_on_requires_action` is taken with automatic payment methods
too; only cards and bank debits are switched on, so that confirming needs no `return_url` unless a method that
redirects is named.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterable
from email.utils import formatdate
from functools import lru_cache
from pathlib import Path

import httpx

from stripe_magics.sandbox import snapshot
from stripe_magics.sandbox.api import routes
from stripe_magics.sandbox.api.dispatcher import Response, Send, respond
from stripe_magics.sandbox.core import scheduler
from stripe_magics.sandbox.core.clock import AS_OF
from stripe_magics.sandbox.core.store import Account
from stripe_magics.sandbox.fault_injection import Fault
from stripe_magics.sandbox.resources import account_objects as business
from stripe_magics.sandbox.resources.linked_pdf import linked_pdf


class SandboxTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """An embedded Stripe account behind httpx. `demo`: with two years of a firm's data; else empty but for
    the account itself."""

    def __init__(
        self,
        *,
        demo: bool = True,
        faults: Iterable[Fault] | None = None,
        seed: str = "sandbox",
        as_of: int = AS_OF,
        today: bool = False,
        file: str | Path | None = None,
    ) -> None:
        """`as_of` is where the clock stands, Unix seconds; `today` starts it at the present instead, and lets
        it run with this machine's.
        `file` is a saved sandbox to start from."""
        routes.install()
        self.faults: list[Fault] = list(faults or ())
        self.lock = threading.RLock()
        self._demo, self._seed, self._as_of = demo, seed, as_of
        self.runs = today
        self._account: Account | None = None
        self._started: float = 0.0  # this machine's clock when the account's stood at `_start`
        self._start = 0
        self._begin()
        if file is not None:
            self.load(file)

    @property
    def account(self) -> Account:
        """What stands behind it. The demo firm's objects are made when they are first needed, from any
        thread."""
        with self.lock:
            if self._account is None:
                self._account = self._with_demo()
            return self._account

    @account.setter
    def account(self, account: Account) -> None:
        with self.lock:
            self._account = account

    def prepare(self) -> None:
        """Make the demo firm's objects now, if they aren't there yet: beforehand, on a thread, so that no
        request waits for them."""
        _ = self.account

    def _begin(self) -> None:
        now = int(time.time()) if self.runs else self._as_of
        self._opened = self._bare(now)
        self._account = None if self._demo else self._opened
        self._set_off(now)

    def _bare(self, now: int) -> Account:
        """A new account that holds only itself and its bank accounts."""
        account = Account(seed=self._seed, now=now)
        business.open_account(account)
        account.flush()
        return account

    def _with_demo(self) -> Account:
        """The account that was opened, with the demo firm's objects; one that is stopped half way leaves no
        trace."""
        from stripe_magics.sandbox import demo_data

        account = demo_data.demo_account(self._seed, self._opened.now)
        account.requests = self._opened.requests
        return account

    def _set_off(self, now: int) -> None:
        self._start, self._started = now, time.monotonic()

    def _present(self) -> int:
        """Where the clock stands, or has run to."""
        now = (self._account or self._opened).now
        return max(now, self._start + int(time.monotonic() - self._started)) if self.runs else now

    def _keep_time(self) -> None:
        """Where the clock runs: what was due since the last request happens now."""
        if self.runs:
            passed = self._present() - self.account.now
            if passed > 0:
                scheduler.advance(self.account, passed)

    # time and keeping

    @property
    def now(self) -> int:
        """The sandbox's present moment, Unix seconds. It stands still until `advance`, unless the sandbox was
        opened with `today`."""
        with self.lock:
            if self._account is not None:
                self._keep_time()
            return self._present()

    def advance(self, seconds: int) -> int:
        """Let time pass: funds settle, payouts arrive or fail, holds expire, invoices go out and fall due.
        Answers the new moment."""
        with self.lock:
            self._keep_time()
            now = scheduler.advance(self.account, scheduler.check_length(seconds))
            self._set_off(now)
            return now

    def reset(self) -> None:
        """Back to how it started."""
        with self.lock:
            self._begin()

    def save(self, path: str | Path) -> None:
        """Write the whole account to one file (replaced in one step, so that it is never half written)."""
        with self.lock:
            state = snapshot.encode_state(self.account, objects=True)
        snapshot.write(snapshot.packed(state), Path(path))  # the account need not stand still for that

    def load(self, path: str | Path) -> None:
        """Take the account from a file. Raises ValueError if it is not one of a sandbox."""
        with self.lock:
            self.account = snapshot.load(Path(path))
            if self.runs:
                self._set_off(max(self.account.now, int(time.time())))

    # httpx

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Serve one request."""
        fault, pause = self._fault(request)
        if pause:
            time.sleep(pause)
        return self._serve(request, request.read(), fault)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Serve one request of an async client."""
        fault, pause = self._fault(request)
        if pause:
            await asyncio.sleep(pause)
        return self._serve(request, await request.aread(), fault)

    def close(self) -> None:
        """Nothing to close: the account stays for the next client."""

    async def aclose(self) -> None:
        """Nothing to close."""

    def answer(
        self, method: str, path: str, query: str, headers: dict[str, str], body: bytes,
        send: Send | None = None,
    ) -> Response:  # fmt: skip
        """Carry out one request without httpx (the loopback server does). `send` gets the answer as soon as
        it is there, while the account still puts things away."""
        with self.lock:
            if self._account is None and (method, path, query) == ("GET", "/v1/account", ""):
                account, now = self._opened, self._present()  # says all of itself without the demo firm
            else:
                self._keep_time()
                account, now = self.account, 0

            def dated(answered: Response) -> None:
                answered.headers["date"] = _date(now or account.now)
                if send is not None:
                    send(answered)

            linked = linked_pdf(account, method, path)
            if linked is not None:
                dated(linked)
                return linked
            return respond(account, method, path, query, headers, body, dated)

    def _fault(self, request: httpx.Request) -> tuple[Fault | None, float]:
        if not self.faults:
            return None, 0.0
        with self.lock:
            pause, method, path = 0.0, request.method, request.url.path
            for each in self.faults:
                if each.kind == "delay":
                    pause += each.seconds if each.hits(method, path) else 0.0
                elif each.hits(method, path):
                    return each, pause
            return None, pause

    def _serve(self, request: httpx.Request, body: bytes, fault: Fault | None) -> httpx.Response:
        kind = fault.kind if fault else ""
        if kind == "drop_before":
            raise httpx.ConnectError("The sandbox dropped the request before it arrived.", request=request)
        if fault and kind == "status":
            return _status(fault, request)
        url = request.url
        headers = {
            name.lower().decode("latin-1"): value.decode("latin-1") for name, value in request.headers.raw
        }
        answer = self.answer(request.method, url.path, url.query.decode(), headers, body)
        if kind == "drop_after":
            raise httpx.ReadTimeout(
                "The sandbox carried the request out and lost the answer.", request=request
            )
        if kind == "drop_reading":
            raise httpx.ReadError(
                "The sandbox carried the request out and broke the connection.", request=request
            )
        if fault and kind == "status_after":
            return _status(fault, request)
        if kind == "truncate":
            return httpx.Response(
                answer.status,
                headers=answer.headers,
                content=answer.body[: len(answer.body) // 2],
                request=request,
            )
        if kind == "garble":
            return httpx.Response(
                200,
                headers={"content-type": "text/html"},
                content=b"<html>a proxy's page</html>",
                request=request,
            )
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body, request=request)


@lru_cache(maxsize=8)
def _date(moment: int) -> str:
    """A moment as the Date header has it."""
    return formatdate(moment, usegmt=True)


def _status(fault: Fault, request: httpx.Request) -> httpx.Response:
    headers = {"content-type": "application/json", "request-id": "req_fault", **fault.headers}
    if fault.reason:
        headers["stripe-rate-limited-reason"] = fault.reason
    return httpx.Response(
        fault.status, headers=headers, content=json.dumps(fault.body()).encode(), request=request
    )
