"""Fetching the pages of one list on an event loop: at the pace of the rate limits, and again after what
passes.

A page is a read: it is asked for again after a rate limit, a failure of Stripe's or of the network, within
bounds. A page that fails with a server error more than once is asked for in smaller pieces, since large
expanded pages fail where smaller ones don't; so are the next ones.
"""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import httpx
import msgspec

from stripe_magics.client import call_context
from stripe_magics.client.api_errors.mapping import from_answer
from stripe_magics.client.http import exchange, retry
from stripe_magics.client.http.retry import AttemptResult, DeliveryStatus
from stripe_magics.client.pagination import raw_pages
from stripe_magics.client.pagination.connection_pool import AsyncConnectionPool
from stripe_magics.client.pagination.raw_pages import PAGE, CursorDeleted, FetchedPage, Params
from stripe_magics.client.rate_limiter import account_of, limiter_for
from stripe_magics.errors import Details, StripeError, StripeUnavailable
from stripe_magics.request import Request

if TYPE_CHECKING:
    from stripe_magics.client.pagination.read_connection import ReadConnection

MAX_REQUESTS = 48  # requests side by side
SPARE_REQUESTS = 1  # above what the rate needs at the latency seen
MIN_REQUESTS = 4  # where there is no rate
# rows of a page; pages in a row after which they become larger again
MIN_PAGE_SIZE, PAGES_UNTIL_LARGER = (10, 10)
OLDEST_ACCOUNT = 1_262_304_000  # 2010: no account is older
_OPENED = "account_opened_at"  # in Connection.extensions: by account


class Fetcher:
    """Gets the pages of a list: `await fetcher(params)`. Raises `CursorDeleted`, or the `StripeError` that
    stayed."""

    def __init__(self, connection: ReadConnection, request: Request) -> None:
        self.connection, self.request = connection, request
        self.params = tuple(pair for pair in request.params if pair[0] != "limit")
        encoded = exchange.encode(
            replace(request, params=()),
            base=connection.base,
            version=connection.api_version,
            account=call_context.account_of(connection),
            account_header=connection.account_header,
        )
        self.url, self.headers = encoded.url, dict(encoded.headers)
        self.limiter = limiter_for(connection)
        self.account = account_of(request)
        self.latency = 0.2
        self.pool: AsyncConnectionPool | None = None
        self._size, self._good_pages = PAGE, 0
        self._gate = asyncio.Lock()

    def slots(self) -> int:
        """How many requests should be under way: what the rate allows at the latency seen, less after
        concurrency refusals."""
        pace = self.limiter.pace(self.request.path, self.account)
        usual = (
            MIN_REQUESTS
            if math.isinf(pace)
            else min(MAX_REQUESTS, math.ceil(pace * self.latency * 1.15) + SPARE_REQUESTS)
        )
        return max(1, round(usual * self.limiter.side_by_side()))

    async def __call__(self, params: Params) -> FetchedPage:
        attempts, failures = retry.Attempts(self.connection.policy, retry.RequestKind.PAGE), 0
        began = time.monotonic()
        while True:
            size = self._size
            sized = tuple((name, str(size) if name == "limit" else value) for name, value in params)
            await self._turn(self.request.path)
            sent = self.limiter.clock()
            outcome = await self._once(sized)
            if isinstance(outcome, FetchedPage):
                self.limiter.served(self.request.path, self.account, sent)
                self._larger()
                return outcome
            problem, failed = outcome
            if failed.status == 429:
                if problem.code != "lock_timeout":
                    self.limiter.refused(self.request.path, self.account, problem.rate_limit_reason, sent)
            else:
                failures += 1
                if failed.status >= 500 and failures >= 2:
                    self._size, self._good_pages = min(self._size, max(MIN_PAGE_SIZE, size // 2)), 0
            pause = attempts.pause(failed, spent=time.monotonic() - began)
            if pause is None:
                raise problem
            await asyncio.sleep(pause)

    def _larger(self) -> None:
        """Small pages were for a while: one that failed twice may just have had bad luck."""
        self._good_pages += 1
        if self._good_pages >= PAGES_UNTIL_LARGER:
            self._size, self._good_pages = min(PAGE, self._size * 2), 0

    async def _turn(self, path: str) -> None:
        """Wait until the rate allows a request. One waits for that, the others for that one: those that were
        held up don't go out all at once."""
        async with self._gate:
            while (seconds := self.limiter.take(path, self.account)) > 0:  # noqa: ASYNC110 - the limiter says how long
                await asyncio.sleep(seconds)

    async def _once(self, params: Params) -> FetchedPage | tuple[StripeError, AttemptResult]:
        """A page, or what went wrong: the problem in words, and how the attempt ended."""
        assert self.pool is not None
        sent = time.monotonic()
        try:
            status, headers, body = await self.pool.get(
                f"{self.url}?{urlencode((*self.params, *params))}", self.headers
            )
            if status == 200:
                self.latency += (time.monotonic() - sent - self.latency) * 0.1
                return self.page(body, headers.get("request-id", ""))
        except (httpx.TransportError, httpx.DecodingError, msgspec.DecodeError) as fault:
            reason = type(fault).__name__
            return (
                StripeUnavailable(f"No usable answer ({reason}).", details=Details()),
                AttemptResult(reach=DeliveryStatus.UNKNOWN, reason=reason),
            )
        connection = self.connection
        problem = from_answer(
            status, headers, body, self.request, key_hint=connection.key_hint, mode=connection.mode
        )
        if problem.param in {"starting_after", "ending_before"} and problem.code == "resource_missing":
            raise CursorDeleted
        return problem, exchange.attempt_result(status, headers, body)

    def page(self, body: bytes, request_id: str) -> FetchedPage:
        """A page's way, with its body and request id. Raises `StripeError` for a page of the other mode."""
        control = raw_pages.control(body)
        self.connection.check_mode(body, request_id)
        return FetchedPage(control.data, control.has_more, (body, request_id))

    async def account_opened_at(self) -> int:
        """When the account was opened: where it makes sense to begin cutting. Not more than a hint, so a
        failure doesn't matter."""
        assert self.pool is not None
        known: dict[str, int] = self.connection.extensions.setdefault(_OPENED, {})
        seen = self.connection.account_seen
        if seen is not None and self.account in {"", self.connection.account}:
            known[self.account] = max(OLDEST_ACCOUNT, int(seen.get("created") or 0))
        async with self.pool.turn(self.account):  # lists that are read side by side ask once
            if self.account not in known:
                known[self.account] = max(OLDEST_ACCOUNT, await self._opened())
        return known[self.account]

    async def _opened(self) -> int:
        target = "/v1/account"
        await self._turn(target)
        assert self.pool is not None
        try:
            status, _, body = await self.pool.get(self.connection.base + target, self.headers)
            return (msgspec.json.decode(body, type=_Account).created or 0) if status == 200 else 0
        except (httpx.TransportError, httpx.DecodingError, msgspec.DecodeError):
            return 0


class _Account(msgspec.Struct):
    created: int | None = None
