"""The road of a long list: its first page as any call, then `windows` on an event loop in a thread of its own, under the rate limits.

`pages` hands over each page as it comes, in no order. The loop is its own thread's, since a notebook's kernel already runs one, and since
Stop must be heard at once: the kernel's thread only waits for pages, the other one is told to end. Reads only: a page is asked for again
after a rate limit, a failure of Stripe's or of the network, within bounds.
"""

from __future__ import annotations

import asyncio
import math
import queue
import random
import re
import threading
import time
import weakref
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpx
import msgspec

from stripe_magics.client import wire
from stripe_magics.client.answer import Answer
from stripe_magics.client.errors import from_answer
from stripe_magics.client.rates import account_of, limiter_for
from stripe_magics.client.retry import retry_after
from stripe_magics.client.windows import PAGE, Control, DeadCursor, Page, Params, Slice, Sweep
from stripe_magics.errors import Details, IncompleteList, StripeError, StripeUnavailable
from stripe_magics.request import Request

if TYPE_CHECKING:
    from stripe_magics.client.connection import Connection

CREATED = re.compile(
    r"/v1/(?:accounts|application_fees|balance_transactions|balance/history|charges|checkout/sessions|coupons|credit_notes|customers|disputes|events"
    r"|file_links|files|invoiceitems|invoice_payments|invoices|payment_intents|payouts|plans|prices|products|promotion_codes|refunds|reviews"
    r"|setup_attempts|setup_intents|shipping_rates|subscription_schedules|subscriptions|tax_rates|topups|transfers"
    r"|identity/(?:verification_sessions|verification_reports)|issuing/(?:authorizations|cards|cardholders|disputes|tokens|transactions)"
    r"|radar/(?:early_fraud_warnings|value_lists|value_list_items)|reporting/report_runs"
    r"|treasury/(?:financial_accounts|outbound_payments|transaction_entries|transactions)|customers/[^/]+/balance_transactions)"
)
"""The lists that take `created`."""

WINDOWED_FROM = 1000  # rows; a smaller limit is read by the cursor, which asks for no row too many
MOST = 48  # requests side by side
LEAST = 4
WAITING = 24  # pages read and not yet taken by the builder
TRIES, RATE_TRIES = 6, 24
REMEMBER = 10_000  # rows after which a list that turns out to be unsorted is an error and no longer read anew
SINCE = 1_262_304_000  # 2010: no account is older

_control = msgspec.json.Decoder(Control)


@dataclass(slots=True, kw_only=True)
class Part(Answer):
    """A page of a long list: as an Answer, but its rows are counted and not parsed."""

    count: int = 0
    more: bool = False
    windows: tuple[dict[str, Any], ...] = ()  # what is left to read after it
    left: float = 0.0  # estimated rows

    @property
    def has_more(self) -> bool:
        """Whether rows were left out at the end (of the last page only)."""
        return self.more

    @property
    def next_page(self) -> str:
        """Lists have none; asking a page for it would parse it whole."""
        return ""


def suits(request: Request) -> bool:
    """Whether a list is read in windows: it takes `created`, starts at no row, and more than a few pages of it are wanted."""
    if request.method != "GET" or request.searches or not CREATED.fullmatch(request.path) or request.list_of_one:
        return False
    if not (request.lists or request.limit_given) or (request.limit is not None and request.limit <= WINDOWED_FROM):
        return False
    return not {name for name, _ in request.params} & {"starting_after", "ending_before", "page", "created"}


def bounds(request: Request) -> tuple[int, int | None, Request]:
    """The request's own `created` filters as a closed interval, and the request without them."""
    low, high, rest = 0, None, []
    for name, value in request.params:
        match = re.fullmatch(r"created\[(gte?|lte?)\]", name)
        if not match:
            rest.append((name, value))
            continue
        second = int(value) + {"gt": 1, "lt": -1}.get(match[1], 0)
        if match[1].startswith("g"):
            low = max(low, second)
        else:
            high = second if high is None else min(high, second)
    return low, high, replace(request, params=tuple(rest), also=(), then=())


def pages(
    connection: Connection,
    request: Request,
    *,
    stop: Callable[[], bool] | None = None,
    resume: Sequence[dict[str, Any]] | None = None,
    states: bool = False,
    expect: Callable[[float], object] | None = None,
) -> Iterator[Part]:
    """The pages of a list that `suits`, as they come. After the last one, an empty page that says whether rows were left out.

    `resume` goes on with what an earlier `Part.windows` left (`states` asks for these); `Small` is raised where that isn't worth it. `expect` gets the estimated total as it changes.
    KeyboardInterrupt, or closing the generator, ends the reading at once. Raises `StripeError`; `Unsorted` if the list can't be read this way.
    """
    low, high, plain = bounds(request)
    pull = _Pull(connection, plain, low, high, request.limit, states=states)
    if resume is None:
        first = pull.first()
        yield first
        if not first.windows:
            return
        if pull.small():
            raise Small(_control.decode(first.body).data[-1].id)
    yield from pull.follow(resume, stop, expect)


class Small(Exception):
    """There is hardly enough to read for several places at once: go on after this id."""

    def __init__(self, after: str) -> None:
        super().__init__(after)
        self.after = after


class _Pull:
    """One list on its way: what the two threads share."""

    def __init__(
        self, connection: Connection, request: Request, low: int, high: int | None, limit: int | None, *, states: bool
    ) -> None:
        self.connection, self.request, self.low, self.high, self.limit, self.states = (
            connection,
            request,
            low,
            high,
            limit,
            states,
        )
        self.params = tuple(pair for pair in request.params if pair[0] != "limit")
        self.encoded = wire.encode(
            replace(request, params=()), base=connection.base, version=connection.api_version, account=connection.account
        )
        self.limiter = limiter_for(connection)
        self.account = account_of(request)
        self.latency = 0.2
        self.size = PAGE
        self.queue: queue.SimpleQueue[Part | BaseException | None] = queue.SimpleQueue()
        self.head: Page | None = None
        self.sweep: Sweep | None = None
        self.read = 0

    # In the caller's thread ------------------------------------------------------------------------------------------------------

    def first(self) -> Part:
        """The first page, sent as any call; its `windows` say only whether there is more to read."""
        filters = [("created[gte]", str(self.low))] if self.low else []
        filters += [("created[lte]", str(self.high))] if self.high is not None else []
        began = self.connection.monotonic()
        answer = self.connection.send(replace(self.request, params=(*self.params, *filters, ("limit", str(PAGE)))))
        self.latency = max(0.001, self.connection.monotonic() - began)
        page = self._page(answer.body)
        self.head, self.read = page, len(page.rows)
        if page.has_more and not page.rows:
            raise IncompleteList(
                "Stripe says that there are more rows but not where they start", details=Details(request_id=answer.request_id)
            )
        return Part(
            status=answer.status, body=answer.body, request_id=answer.request_id, notices=answer.notices, api_version=answer.api_version,
            count=self.read, windows=({},) if page.has_more else (),
        )  # fmt: skip

    def small(self) -> bool:
        """Whether the first page is so thin that even since 2010 not many pages would come together."""
        rows = self.head.rows if self.head is not None else []
        times = [row.created for row in rows if row.created is not None]
        if not times:
            return True
        density = len(times) / (max(times) - min(times) + 1)
        return (min(times) - max(self.low, SINCE)) * density < WINDOWED_FROM

    def follow(
        self, resume: Sequence[dict[str, Any]] | None, stop: Callable[[], bool] | None, expect: Callable[[float], object] | None
    ) -> Iterator[Part]:
        """Everything after the first page."""
        with _engine(self.connection) as engine:
            task = engine.start(self._run(engine.client, resume))
            try:
                while True:
                    if stop is not None and stop():
                        return
                    try:
                        item = self.queue.get(timeout=0.25)
                    except queue.Empty:
                        continue
                    if isinstance(item, BaseException):
                        raise item
                    if item is None:
                        break
                    self.read += item.count
                    if expect is not None:
                        expect(self.read + item.left)
                    yield item
            except (StripeError, KeyboardInterrupt) as problem:
                problem.__dict__["whole_since"] = self.sweep.whole_since if self.sweep is not None else None
                raise
            finally:
                engine.end(task)
        left = self.sweep is not None and (bool(self.sweep.state()) or (self.limit is not None and self.read > self.limit))
        yield Part(status=200, body=b'{"object":"list","data":[],"has_more":false}', more=left)

    # On the loop -----------------------------------------------------------------------------------------------------------------

    async def _run(self, client: httpx.AsyncClient, resume: Sequence[dict[str, Any]] | None) -> None:
        try:
            fetch = self._fetcher(client)
            floor = self.low or await self._since(client)
            sweep = self.sweep = Sweep(fetch, self._emit, slots=self._slots, floor=floor, limit=self.limit, states=self.states)
            if resume is not None:
                sweep.resume(resume)
            else:
                assert self.head is not None
                sweep.begin(self.head, low=self.low, high=self.high)
                self.head = None
            await sweep.run()
            self.queue.put(None)
        except (
            Exception,
            asyncio.CancelledError,
        ) as problem:  # whatever it is, the caller's thread must hear of it and not wait for ever
            self.queue.put(problem if isinstance(problem, Exception) else None)

    async def _emit(self, piece: Slice) -> None:
        body, request_id = piece.body
        if piece.keep is not None:
            body = _only(body, piece.keep)
        if piece.rows:
            self.queue.put(
                Part(status=200, body=body, request_id=request_id, count=piece.rows, windows=piece.windows, left=piece.left)
            )
        while self.queue.qsize() > WAITING:
            await asyncio.sleep(0.01)

    def _slots(self) -> int:
        pace = self.limiter.pace(self.request.path, self.account)
        usual = LEAST if math.isinf(pace) else min(MOST, max(LEAST, math.ceil(pace * self.latency * 1.15) + 2))
        return max(1, round(usual * self.limiter.side_by_side()))

    async def _since(self, client: httpx.AsyncClient) -> int:
        """When the account was opened: where it makes sense to begin cutting. Not more than a hint, so a failure doesn't matter."""
        known = _since.setdefault(self.connection, {})
        if self.account not in known:
            known[self.account] = SINCE
            try:
                target = "/v1/account"
                await asyncio.sleep(self.limiter.reserve(target, self.account))
                response = await client.get(self.connection.base + target, headers=dict(self.encoded.headers))
                created = response.json().get("created") if response.status_code == 200 else None
                if isinstance(created, int) and created > SINCE:
                    known[self.account] = created
            except (httpx.HTTPError, ValueError):
                return SINCE
        return known[self.account]

    def _page(self, body: bytes) -> Page:
        control = _control.decode(body)
        return Page(control.data, control.has_more, body)

    def _fetcher(self, client: httpx.AsyncClient) -> Callable[[Params], Coroutine[Any, Any, Page]]:
        url = self.encoded.url
        headers = dict(self.encoded.headers)

        async def fetch(params: Params) -> Page:
            tries = rate_tries = 0
            began = time.monotonic()
            while True:
                sized = tuple((name, str(self.size) if name == "limit" else value) for name, value in params)
                pause = self.limiter.reserve(self.request.path, self.account)
                if pause > 0:
                    await asyncio.sleep(pause)
                sent = time.monotonic()
                problem: StripeError
                after = ""
                try:
                    response = await client.get(f"{url}?{urlencode((*self.params, *sized))}", headers=headers)
                    status, body = response.status_code, response.content
                    if status == 200:
                        self.latency += (time.monotonic() - sent - self.latency) * 0.1
                        page = self._page(body)
                        self.connection.check_mode(body, response.headers.get("request-id", ""))
                        return page._replace(body=(body, response.headers.get("request-id", "")))
                    problem = self._problem(status, response, body)
                    after = response.headers.get("retry-after", "")
                    wish = response.headers.get("stripe-should-retry", "").strip().lower()
                    again = wish == "true" or (wish != "false" and (status in {409, 429} or status >= 500))
                    if problem.param == "starting_after" and problem.code == "resource_missing":
                        raise DeadCursor
                except (httpx.TransportError, httpx.DecodingError, msgspec.DecodeError) as fault:
                    status, again = 0, True
                    problem = StripeUnavailable(f"No usable answer ({type(fault).__name__}).", details=Details())
                if status == 429:
                    reason = problem.rate_limit_reason
                    if problem.code != "lock_timeout":
                        self.limiter.refused(self.request.path, self.account, reason)
                    rate_tries += 1
                else:
                    tries += 1
                    if status >= 500 and tries >= 2 and self.size > 10:
                        self.size = max(10, self.size // 2)  # large expanded pages fail where smaller ones don't
                if (
                    not again
                    or tries >= TRIES
                    or rate_tries >= RATE_TRIES
                    or time.monotonic() - began > self.connection.policy.operation
                ):
                    raise problem
                backoff = random.uniform(0, min(8.0, 0.25 * 2.0 ** (tries + rate_tries)))
                await asyncio.sleep(max(backoff, retry_after(after, time.time(), self.connection.policy)))

        return fetch

    def _problem(self, status: int, response: httpx.Response, body: bytes) -> StripeError:
        headers = {name.lower(): value for name, value in response.headers.items()}
        return from_answer(status, headers, body, self.request, key_hint=self.connection.key_hint, mode=self.connection.mode)


_since: weakref.WeakKeyDictionary[Connection, dict[str, int]] = weakref.WeakKeyDictionary()


class _Rows(msgspec.Struct):
    data: list[msgspec.Raw]
    has_more: bool = False


def ids(body: bytes) -> list[str]:
    """The ids of a page's rows."""
    return [row.id for row in _control.decode(body).data]


def without(answer: Answer, known: set[str]) -> Part:
    """The page without the rows that have one of these ids."""
    control = _control.decode(answer.body)
    places = [place for place, row in enumerate(control.data) if row.id not in known]
    return Part(
        status=answer.status,
        body=_only(answer.body, places),
        request_id=answer.request_id,
        count=len(places),
        more=control.has_more,
    )


def _only(body: bytes, places: Sequence[int]) -> bytes:
    """The page with some of its rows."""
    rows = msgspec.json.decode(body, type=_Rows).data
    return b'{"object":"list","data":[' + b",".join(bytes(rows[place]) for place in places) + b"]}"


class _Engine:
    """An event loop in a thread of its own, and an HTTP client on it."""

    def __init__(self, connection: Connection) -> None:
        self.users = 0
        self.loop = asyncio.new_event_loop()
        self.client = connection.async_client()
        self.thread = threading.Thread(target=self.loop.run_forever, name="stripe-pull", daemon=True)
        self.thread.start()

    def start(self, work: Coroutine[Any, Any, None]) -> Any:
        """Run something on the loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def end(self, task: Any) -> None:
        """Stop it, and wait until it has ended."""
        task.cancel()
        finished = threading.Event()

        async def settle() -> None:
            others = [each for each in asyncio.all_tasks() if each.cancelling()]
            await asyncio.wait(others, timeout=5) if others else None
            finished.set()

        asyncio.run_coroutine_threadsafe(settle(), self.loop)
        finished.wait(6)

    def close(self) -> None:
        """Close the client and end the thread."""
        asyncio.run_coroutine_threadsafe(self.client.aclose(), self.loop).result(5)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
        self.loop.close()


_engines: weakref.WeakKeyDictionary[Connection, _Engine] = weakref.WeakKeyDictionary()
_engines_lock = threading.Lock()


@contextmanager
def _engine(connection: Connection) -> Iterator[_Engine]:
    """The connection's engine, shared by the lists that are read side by side, closed by the last of them."""
    with _engines_lock:
        engine = _engines.get(connection) or _Engine(connection)
        _engines[connection] = engine
        engine.users += 1
    try:
        yield engine
    finally:
        with _engines_lock:
            engine.users -= 1
            last = engine.users == 0
            if last:
                del _engines[connection]
        if last:
            engine.close()
