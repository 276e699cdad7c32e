"""A connection: which account, which mode, which key, and everything that belongs to it: client, journal,
live guard, notices.

A `Connection` shows no key in any way it can be looked at. What happens to one call is in sending/sender.py;
the connection that every interface shares is in shared_connection.py.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import httpx

from stripe_magics._json import JsonObject
from stripe_magics.catalogue import PINNED_VERSION
from stripe_magics.client import call_context
from stripe_magics.client.http import logging_filter
from stripe_magics.client.http.auth import KeyAuth
from stripe_magics.client.http.response import ApiResponse
from stripe_magics.client.http.retry import AttemptResult, Policy
from stripe_magics.client.journal.journal import Journal, Operation, Origin, state_dir
from stripe_magics.client.live_mode import LiveGuard, Prompt
from stripe_magics.client.secret import Secret
from stripe_magics.client.sending import request_checks
from stripe_magics.client.sending.notices import Notices, StripeClock
from stripe_magics.errors import AnswerUnusable, Details, NotConnected, NotSent, StripeError
from stripe_magics.request import HttpRequest, Request

if TYPE_CHECKING:
    import ssl

    from stripe_magics.client.journal.reconciliation import Finding
    from stripe_magics.client.pagination.connection_pool import AsyncConnectionPool
    from stripe_magics.client.rate_limiter import RequestLimiter
    from stripe_magics.sandbox import SandboxTransport

_SALT = os.urandom(16)
_LIVEMODE = re.compile(rb'"livemode"\s*:\s*(true|false)')


class Connection:
    """One account, reached with one key. Made by `connect`."""

    def __init__(  # noqa: PLR0913 - keywords; `connect` is the one who gives them
        self,
        *,
        secret: Secret | None,
        mode: str,
        base: str,
        name: str = "",
        source: str = "",
        account: str = "",
        api_version: str = "",
        zone: tzinfo = UTC,
        rate: float | None = None,
        transport: httpx.BaseTransport | None = None,
        journal: Journal | None = None,
        policy: Policy | None = None,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.secret = secret
        self.mode = mode
        self.base = base
        self.name = name
        self.source = source
        self.account = request_checks.check_header("Stripe-Account", account) if account else ""
        self.version_forced = bool(api_version)
        self.api_version = request_checks.check_header("Stripe-Version", api_version or PINNED_VERSION)
        self.zone = zone
        self.rate = rate
        self.policy = policy or Policy()
        self.sleep, self.now, self.monotonic = sleep, now, monotonic
        self.sandbox = cast("SandboxTransport", transport) if mode == "sandbox" else None
        self.auth = KeyAuth(secret) if secret is not None else None
        self.identity = "sandbox" if mode == "sandbox" else _identity(secret)
        self.notices = Notices(tells_skew=mode != "sandbox")
        self.stripe_clock = StripeClock(now, monotonic)
        self.guard = LiveGuard(now=now)
        self.warnings: tuple[str, ...] = ()
        self.unchecked = ""  # why Stripe could not be asked whether the key is good
        self.writes = 0  # how many writes were tried: what was read before may be out of date
        # what must still be done with the key: stop watches, remove endpoints
        self.before_close: list[Callable[[], object]] = []
        # what other packages keep for this connection: watches, handlers, signing secrets
        self.extensions: dict[str, Any] = {}
        self.limiter: RequestLimiter | None = None
        self._transport = transport
        self._journal = journal
        self._lock = threading.RLock()
        self._client: httpx.Client | None = None
        self._pid = 0
        self._closed = False
        self._trusted: ssl.SSLContext | None = None
        self._certificates = "not used"
        self._proxy = ""
        self._account_objects: dict[str, JsonObject] = {}  # by the account that it was asked of
        logging_filter.install()

    # --- what may be seen -----------------------------------------------------------------------------------
    def __repr__(self) -> str:
        parts = ("Stripe", self.mode, "connection", self.name, self.key_hint)
        return f"<{' '.join(each for each in parts if each)}>"

    def __reduce_ex__(self, protocol: object) -> str:
        raise TypeError("a connection can't be pickled or copied: it holds a key")

    def __getstate__(self) -> object:
        raise TypeError("a connection can't be pickled or copied: it holds a key")

    @property
    def live(self) -> bool:
        """Whether the rules of live mode hold: in live mode, and as long as the mode isn't known."""
        return self.mode in {"live", "unknown"}

    @property
    def account_header(self) -> str:
        """The header that names the account: an organisation's key needs Stripe-Context."""
        organisation = self.secret is not None and self.secret.reveal().startswith("sk_org")
        return "Stripe-Context" if organisation else "Stripe-Account"

    @property
    def closed(self) -> bool:
        """Whether it was closed and its key forgotten."""
        return self._closed

    @property
    def key_hint(self) -> str:
        """`sk_test_...4f2a`, or "" in the sandbox."""
        return self.secret.hint if self.secret is not None and self.mode != "sandbox" else ""

    def status(self) -> dict[str, str]:
        """What the connection is, in words: account, mode, version, key hint, host, proxy, certificates. Asks
        for the account."""
        try:
            account = self.account_object()
            who = {"account": str(account.get("id") or ""), "name": self.account_name(account)}
        except StripeError as error:
            who = {"account": self.account or "unknown", "name": "", "problem": error.message}
        self.http()
        try:
            pending, journal = self.pending(), ""
        except NotSent as problem:  # no journal: reading works all the same
            pending, journal = [], problem.message
        return {
            **who,
            "mode": self.mode,
            **({"clock": self.sandbox_clock()} if self.sandbox is not None else {}),
            **({"on behalf of": self.account} if self.account else {}),
            "version": self.api_version,
            "zone": "UTC" if self.zone is UTC else str(self.zone),
            **({"rate": f"{self.rate:g} requests a second"} if self.rate else {}),
            "key": self.key_hint or "none",
            "source": self.source,
            "host": "in this process" if self.mode == "sandbox" else urlsplit(self.base).netloc,
            "proxy": self._proxy or "none",
            "certificates": self._certificates,
            **({"warning": " ".join(self.warnings)} if self.warnings else {}),
            **({"check": f"not checked: {self.unchecked}"} if self.unchecked else {}),
            **({"journal": journal} if journal else {}),
            **({"unresolved": ", ".join(str(each.number) for each in pending)} if pending else {}),
        }

    def route(self) -> str:
        """Host, proxy and certificates on one line, for errors."""
        return (
            f"Host {urlsplit(self.base).netloc}, proxy {self._proxy or 'none'}, certificates"
            f" {self._certificates}."
        )

    def account_object(self) -> JsonObject:
        """The account (GET /v1/account) that calls go to, asked for once."""
        where = call_context.account_of(self)
        if where not in self._account_objects:
            self._account_objects[where] = self.send(
                Request(module="account.retrieve", method="GET", path="/v1/account", returns="account")
            ).data
        return self._account_objects[where]

    @property
    def account_seen(self) -> JsonObject | None:
        """The account, if it was asked for before."""
        return self._account_objects.get(call_context.account_of(self))

    @staticmethod
    def account_name(account: Mapping[str, Any]) -> str:
        """The name that an account shows, or ""."""
        profile, settings = account.get("business_profile") or {}, account.get("settings") or {}
        dashboard = settings.get("dashboard") or {}
        return str(dashboard.get("display_name") or profile.get("name") or "")

    # --- sending --------------------------------------------------------------------------------------------
    def send(
        self,
        request: Request,
        *,
        origin: Origin | None = None,
        idempotency_key: str = "",
        again: bool = False,
        yes: bool = False,
        ask: Prompt | None = None,
    ) -> ApiResponse:
        """Send one call: retries, deadline, idempotency, journal and live guard included. See
        sending/sender.py.

        `origin` is where the call stands in a notebook, `idempotency_key` a form's key for its submission,
        `again` makes a repetition on purpose, `yes` answers the live guard, `ask(prompt) -> typed text` lets
        a person answer it.
        Raises a `StripeError`, `ConfirmationNeeded`, `RepeatRefused`, or `Interrupted` when Stop was pressed.
        """
        from stripe_magics.client.sending.sender import send

        self.http()  # a connection that was closed says so before anything else
        self.writes += request.method != "GET"
        return send(
            self, request, origin=origin, idempotency_key=idempotency_key, again=again, yes=yes, ask=ask
        )

    def http(self) -> httpx.Client:
        """The client of this process; made when first needed, and anew after a fork."""
        with self._lock:
            if self._closed:
                raise NotConnected("This connection was closed.", advice="%stripe connect opens another.")
            if self._client is None or self._pid != os.getpid():
                self._client = httpx.Client(
                    transport=self._make_transport(), trust_env=False, follow_redirects=False
                )
                self._pid = os.getpid()
            return self._client

    def _make_transport(self) -> httpx.BaseTransport:
        if self._transport is not None:
            return self._transport
        from stripe_magics.client.http import deadline_transport

        context = self._context()
        proxy, self._proxy = request_checks.proxy_for(self.base)
        return deadline_transport.transport(context, proxy)

    def async_pool(self) -> AsyncConnectionPool:
        """For many reads at once: same key, same guards. The caller closes it."""
        from stripe_magics.client.pagination.connection_pool import (
            AsyncConnectionPool,
            TransportConnection,
            network_connection,
        )

        self.http()
        given: Any = self._transport
        if given is not None:
            return AsyncConnectionPool(lambda: TransportConnection(given), self.auth, self.policy)
        context = self._context()
        proxy, self._proxy = request_checks.proxy_for(self.base)
        return AsyncConnectionPool(lambda: network_connection(context, proxy), self.auth, self.policy)

    def _context(self) -> ssl.SSLContext:
        """The certificates that are trusted, read once (a twentieth of a second)."""
        if self._trusted is None:
            self._trusted, self._certificates, warning = request_checks.ssl_context(self.mode)
            self.warnings = (warning,) if warning else ()
        return self._trusted

    def throttle(self, request: HttpRequest) -> None:
        """Wait until the rate allows the call."""
        if self.mode != "sandbox":
            from stripe_magics.client.rate_limiter import limiter_for

            limiter_for(self).wait(request)

    def learn(self, request: HttpRequest, outcome: AttemptResult) -> None:
        """Take from an answer what it says of the mode and of the rate."""
        if self.limiter is not None:
            self.limiter.learn(request, outcome)
        if outcome.headers:
            self.stripe_clock.measure(outcome.headers)
        if self.mode == "unknown" and outcome.is_success:
            found = _LIVEMODE.search(outcome.body)
            if found:
                self.mode = "live" if found.group(1) == b"true" else "test"

    def wrong_mode(self, body: bytes) -> str:
        """The mode of an answer that isn't this connection's, or ""."""
        wrong = {"test": b"true", "sandbox": b"true", "live": b"false"}.get(self.mode)
        if wrong is None:
            return ""
        own = b"true" if wrong == b"false" else b"false"
        # a page says it a hundred times: two counts are quicker than reading each
        said = body.count(b'"livemode"')
        if any(said == body.count(b'"livemode":' + space + own) for space in (b" ", b"")):
            return ""
        if any(found == wrong for found in _LIVEMODE.findall(body)):
            return "live" if wrong == b"true" else "test"
        return ""

    def check_mode(
        self, body: bytes, request_id: str = "", *, written: bool = False, details: Details | None = None
    ) -> None:
        """Raise `StripeError` for an answer of another mode than this connection's."""
        wrong = self.wrong_mode(body)
        if wrong:
            raise (AnswerUnusable if written else StripeError)(
                f"Stripe's answer is of {wrong} mode, but this connection is in {self.mode} mode."
                + (
                    f" The call was carried out: {_id_in(body) or 'its answer has no id'}." if written else ""
                ),
                advice="Look at the key and the account before you go on.",
                details=details or Details(status=200, request_id=request_id),
            )

    def stripe_time(self) -> float:
        """What time it is at Stripe, in Unix seconds: this machine's clock without what it is off; the
        sandbox has a clock of its own."""
        return (
            float(self.sandbox.now) if self.sandbox is not None else (self.stripe_clock.time() or self.now())
        )

    def sandbox_clock(self) -> str:
        """What day it is in the sandbox, in words; "" for any other account."""
        if self.sandbox is None:
            return ""
        now = datetime.fromtimestamp(self.stripe_time(), self.zone)
        return f"It is {now.day} {now:%b %Y, %H:%M} in the sandbox"

    # --- the journal ----------------------------------------------------------------------------------------
    @property
    def journal(self) -> Journal:
        """This user's journal; in memory for the sandbox."""
        with self._lock:
            if self._journal is None:
                self._journal = Journal(None if self.mode == "sandbox" else state_dir(), now=self.now)
            return self._journal

    def scope(self, account: str) -> str:
        """A keyed hash of the account that a call goes to. A rolled key of the same account has the same one.

        Keys of today hold the account's id after `51`; of older ones the whole key stands for the account.
        """
        if self._closed:
            raise NotConnected("This connection was closed.", advice="%stripe connect opens another.")
        if self.secret is None or self.mode == "sandbox":
            return self.journal.digest("sandbox", account)
        return self.journal.digest("account", *_own_account(self.secret), account)

    def pending(self) -> list[Operation]:
        """Writes with an unknown outcome, oldest first."""
        return self.journal.pending()

    def recorded(self, request: Request, origin: Origin, key: str = "") -> Operation | None:
        """What the journal knows of a call that has a place of its own (a form's submission, a row), or a
        key."""
        account = call_context.account_of(self, request.headers)
        if key:
            scope = self.scope(account)
            return next((each for each in reversed(self.journal.by_key(key)) if each.scope == scope), None)
        return self.journal.last_at(self.scope(account), origin)

    def resume(self, number: int) -> ApiResponse:
        """Ask Stripe again, under the same key, how an operation ended. It can't act twice."""
        from stripe_magics.client.journal.recovery import resume

        self.writes += 1
        return resume(self, number)

    def reconcile(self, number: int) -> Finding:
        """Look for what an operation made, without sending it again."""
        from stripe_magics.client.journal.reconciliation import reconcile

        return reconcile(self, number)

    def close(self) -> None:
        """Close what is open and forget the key."""
        todo, self.before_close = self.before_close, []
        for each in todo:
            each()
        with self._lock:
            if self._client is not None and self._pid == os.getpid():
                self._client.close()
            self._client, self._closed = None, True
            self.secret = self.auth = None
            if self._journal is not None:
                self._journal.close()


def _id_in(body: bytes) -> str:
    """The id of the object that came back."""
    found = json.loads(body)
    return str(found.get("id") or "") if isinstance(found, dict) else ""


def _own_account(secret: Secret) -> tuple[str, str]:
    """The mode of a key, and what stands for its account: the account's id, which newer keys hold after `51`;
    else the whole key."""
    mode, _, rest = secret.reveal().partition("_")[2].partition("_")
    return mode, rest[:16] if rest.startswith("51") and len(rest) >= 40 else rest


def _identity(secret: Secret | None) -> str:
    """What tells, in this process alone, whether two connections are of one account; nothing of the key can
    be found from it."""
    if secret is None:
        return ""
    return hmac.new(_SALT, "\n".join(_own_account(secret)).encode(), hashlib.sha256).hexdigest()[:16]
