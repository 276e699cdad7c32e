"""How fast we may ask: a limiter for each endpoint and for each account, which slows down where Stripe says
so.

Each bucket is a GCRA: requests are spaced by 1/rate, with a small burst ahead. A request goes when every
bucket that it counts for (its endpoint in its account, all of that account, all that goes out under one key)
allows it, and is counted in all of them at that moment, not before: those that were held up meanwhile don't
go out all at once. A 429 slows the bucket that its reason names: for a moment it lets little pass, while the
answers to what was under way tell which share was served; then it goes on just under that pace, and comes
back in steps that grow as long as nothing is refused, slower where the same pace was found before. What is
refused on the way back is answered by the pace that had held before, at once. Where a refusal comes in no
time, what was under way had been let through before it and tells nothing: the pace is halved, and from the
next refusal on it is what was let through in between. A concurrency reason lets fewer requests run side by
side.

Nothing here knows HTTP: `take` says how long to wait, `learn` takes a status and the reason.
"""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from stripe_magics.client.http.retry import AttemptResult
    from stripe_magics.request import HttpRequest

ENDPOINT_RATE = 25.0  # requests per second, unless Stripe notes otherwise
TOTAL_RATES: Mapping[str, float] = {"live": 100.0, "test": 25.0, "unknown": 25.0}
OTHER_RATES: Mapping[str, float] = {"/v1/files": 20.0}
SEARCH_RATE = 20.0
LIVE_SHARE = 0.8  # of an account's total in live mode; the rest is left to checkout
SAFETY_FACTOR = 0.995  # of a known rate, so that clocks that differ a little don't cause a refusal
# of a second's requests may go at once; few, since those of a loop that is late arrive together besides
BURST_SECONDS = 0.1
SLOWDOWN_FACTOR, RECOVERY_STEP = 0.7, 0.05  # of the requests side by side; the first of an unsure pace, too
SLOWDOWN_INTERVAL, RECOVERY_INTERVAL = 0.3, 0.5  # seconds between two steps
MIN_FACTOR = 0.02  # of the rate
# After a refusal, for one slowdown interval: of the pace, where nothing is known of what is served, and where
# the pace was found by an earlier refusal
FIRST_PAUSE, NEXT_PAUSE = 0.15, 0.85
UNDER_SERVED = 0.92  # of the pace that was served, afterwards
NEXT_SLOWEST = 0.8  # of the pace: one that was found isn't far off
HELD_SHARE = 0.5  # of the pace that was refused: one that held is gone back to from there on
MIN_ANSWERS = 5  # from which the share that was served is known
PROMPT = 0.05  # seconds in which a refusal comes for which nothing was done
UNKNOWN_SHARE = 0.5  # of the pace, where nothing tells what is served
HOLD_SECONDS = 1.0  # before the first step back
# A pace that is found again, about, some seconds later, is likely the account's rate and no passing jam: the
# hold doubles, so often at most
FOUND_AGAIN, FOUND_AFTER, MAX_DOUBLINGS = 0.6, 2.0, 3
FIRST_STEP, LARGEST_STEP = 0.01, 0.25  # of the pace, at each recovery interval
STEP_FROM_UNKNOWN = 0.08  # where the pace is only half of one that was too fast
STEP_GROWTH, STEP_GROWTH_FOUND_AGAIN = 1.25, 1.15

_ID = re.compile(r"/(?!v\d(?:/|$))(?=[^/]*[A-Z0-9])[^/]+")  # a segment with a digit or a capital is an id


@dataclass(slots=True)
class Bucket:
    """One rate. `factor` is what 429s have left of it."""

    rate: float
    burst: float = 1.0
    factor: float = 1.0
    readers: int = 0  # lists that are being read and count for it
    _due: float = -math.inf  # when the next request may go
    _changed: float = -math.inf
    _slowed: float = -math.inf  # when a refusal last changed the pace
    _found: bool = False  # the pace was found by a refusal
    _step: float = FIRST_STEP
    _before: float | None = None  # while answers are counted after a refusal: the factor that was refused
    _prompt: bool = False  # refusals come at once: what is under way was let through before
    _since: float = 0.0  # then only answers to requests that were sent from then ...
    _until: float = 0.0  # ... until then say which share is served
    _served: int = 0
    _refused: int = 0
    _emptied: float = -math.inf  # when the last request that was refused was sent
    _sent: int = 0  # requests since
    _measured: float | None = None
    _last_found: tuple[float, float] = (0.0, -math.inf)  # the pace that a refusal found before, and when
    _doublings: int = 0
    _held: float = 0.0  # the pace at which nothing was refused before it last began to come back

    def wait(self, now: float) -> float:
        """The seconds until a request may go."""
        return max(0.0, self._due - now)

    def use(self, now: float) -> None:
        """Count a request."""
        if math.isinf(self.rate):
            return
        self._sent += 1
        self._recover(now)
        gap = 1.0 / (self.rate * self.factor)
        if self._before is not None:  # the pause is short, however low the rate
            gap = min(gap, max(SLOWDOWN_INTERVAL, 1.0 / (self.rate * self._before)))
        self._due = max(self._due, now - (self.burst - 1.0) * gap) + gap

    def served(self, sent: float) -> None:
        """A request that was sent at that time was answered."""
        self._served += not self._prompt or self._since <= sent <= self._until

    def refused(self, now: float, sent: float) -> None:
        """Stripe said that this was too fast."""
        self._refused += 1
        if self._before is None and now - self._slowed >= SLOWDOWN_INTERVAL:
            self._before, self._served, self._refused = self.factor, 0, 1
            self._measured = self._pace_since(self._emptied, sent)
            if self._has_held(self.factor):
                self.factor = self._held * NEXT_PAUSE
            else:
                self.factor = max(MIN_FACTOR, self.factor * (NEXT_PAUSE if self._found else FIRST_PAUSE))
            self._changed = self._slowed = now
            self._prompt = now - sent <= PROMPT
            self._since, self._until = sent, now
        self._emptied, self._sent = sent, 0

    def _pace_since(self, emptied: float, sent: float) -> float | None:
        """The pace at which requests were let through between two refusals, at both of which nothing more
        was; None if that is too short a time to tell."""
        if not sent - emptied >= SLOWDOWN_INTERVAL or math.isinf(emptied):  # one of them isn't known: nan
            return None
        return max(0, self._sent - 1) / (sent - emptied) / self.rate

    def _has_held(self, refused: float) -> bool:
        """Whether a pace not far under one that was refused is known to hold: what came after it was too
        much, and nothing need be found anew."""
        return HELD_SHARE * refused <= self._held < refused

    def _recover(self, now: float) -> None:
        if self._before is not None:
            if now - self._changed >= SLOWDOWN_INTERVAL:
                self._resume(self._before, now)
        elif self.factor < 1.0 and now - self._changed >= self._pause:
            if self._step == FIRST_STEP:
                self._held = self.factor
            self.factor = min(1.0, self.factor * (1.0 + self._step))
            growth = STEP_GROWTH_FOUND_AGAIN if self._doublings else STEP_GROWTH
            self._step = min(LARGEST_STEP, self._step * growth)
            self._changed = now
            self._found = self.factor < 1.0

    def _resume(self, before: float, now: float) -> None:
        """Go on just under the pace that was served. Where refusals come at once, nothing was under way that
        could tell: then it is the one that was measured since the refusal before, or half of it."""
        answers, measured = self._served + self._refused, self._measured
        share = min(self._served / answers, 1.0) if answers >= MIN_ANSWERS else SLOWDOWN_FACTOR
        served, slowest = before * share, before * (NEXT_SLOWEST if self._found else FIRST_PAUSE)
        known = answers >= MIN_ANSWERS or not self._prompt or measured is not None
        if self._prompt and answers < MIN_ANSWERS:
            served = before * UNKNOWN_SHARE if measured is None else min(before, measured)
            slowest = before * FIRST_PAUSE
        found = max(MIN_FACTOR, slowest, served * UNDER_SERVED)
        self.factor = self._held if self._has_held(before) else found
        self._before, self._found, self._step = None, known, FIRST_STEP if known else STEP_FROM_UNKNOWN
        self._changed = self._slowed = now
        pace, at = self._last_found
        if now - at >= FOUND_AFTER:
            again = abs(self.factor - pace) <= FOUND_AGAIN * pace
            self._doublings = min(MAX_DOUBLINGS, self._doublings + 1) if again else 0
            self._last_found = (self.factor, now)

    @property
    def _pause(self) -> float:
        return HOLD_SECONDS * 2**self._doublings if self._step == FIRST_STEP else RECOVERY_INTERVAL


@dataclass(slots=True)
class Limiter:
    """All buckets of one connection. `total` and `endpoint` are requests per second; infinite ones never
    wait."""

    total: float
    endpoint: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep
    slots: float = 1.0  # what concurrency refusals have left of the requests side by side
    _buckets: dict[tuple[str, ...], Bucket] = field(default_factory=dict)
    _slot_step: float = -math.inf
    _lock: Any = field(default_factory=threading.Lock)

    def take(self, path: str, account: str = "") -> float:
        """Count a request that may go now (0.0); otherwise the seconds after which to ask again."""
        with self._lock:
            now = self.clock()
            buckets = self._of(path, account)
            seconds = max(bucket.wait(now) for bucket in buckets)
            if seconds == 0.0:
                for bucket in buckets:
                    bucket.use(now)
            return seconds

    def learn(self, request: HttpRequest, outcome: AttemptResult) -> None:
        """What an answer says of the pace (the connection calls this after every exchange)."""
        if outcome.status == 200:
            self.served(request.path, account_of(request))
        if outcome.status == 429:
            self.refused(request.path, account_of(request), outcome.header("stripe-rate-limited-reason"))

    def served(self, path: str, account: str, sent: float = math.nan) -> None:
        """A request was answered; `sent` is when it went out, by the limiter's clock, where that is known."""
        with self._lock:
            for bucket in self._of(path, account):
                bucket.served(sent)

    def refused(self, path: str, account: str, reason: str, sent: float = math.nan) -> None:
        """A 429: slow down where its reason says. None of them is about a lock on an object (no reason,
        lock_timeout). `sent` as above."""
        with self._lock:
            now = self.clock()
            endpoint, total, platform = self._of(path, account)
            if reason.endswith("concurrency"):
                if now - self._slot_step >= SLOWDOWN_INTERVAL:
                    self.slots = max(0.05, self.slots * SLOWDOWN_FACTOR)
                    self._slot_step = now
            elif reason == "global-rate":
                total.refused(now, sent)
                if account:
                    # whether a connected account's calls count for the platform too isn't documented
                    platform.refused(now, sent)
            elif reason != "resource-specific":
                endpoint.refused(now, sent)

    def wait(self, request: HttpRequest) -> None:
        """Sleep until a single call may go (the connection calls this before every attempt)."""
        while (seconds := self.take(request.path, account_of(request))) > 0:
            self.sleep(seconds)

    def pace(self, path: str, account: str = "") -> float:
        """The requests per second that a list can have now: its share of what the lists that are being read
        have together."""
        with self._lock:
            return min(
                bucket.rate * bucket.factor / max(1, bucket.readers) for bucket in self._of(path, account)
            )

    @contextmanager
    def reading(self, path: str, account: str = "") -> Iterator[None]:
        """While this lasts, a list is read."""
        with self._lock:
            buckets = self._of(path, account)
            for bucket in buckets:
                bucket.readers += 1
        try:
            yield
        finally:
            with self._lock:
                for bucket in buckets:
                    bucket.readers -= 1

    def side_by_side(self) -> float:
        """The share of the usual number of requests in flight; comes back slowly after a refusal."""
        with self._lock:
            now = self.clock()
            if self.slots < 1.0 and now - self._slot_step >= RECOVERY_INTERVAL:
                self.slots, self._slot_step = min(1.0, self.slots + RECOVERY_STEP), now
            return self.slots

    def _of(self, path: str, account: str) -> tuple[Bucket, Bucket, Bucket]:
        path_key = endpoint(path)
        own = (
            min(
                self.endpoint,
                SEARCH_RATE if path_key.endswith("/search") else OTHER_RATES.get(path_key, math.inf),
            )
            if self.endpoint == ENDPOINT_RATE
            else self.endpoint
        )
        return (
            self._bucket((account, path_key), own),
            self._bucket((account,), self.total),
            self._bucket((), self.total),
        )

    def _bucket(self, name: tuple[str, ...], rate: float) -> Bucket:
        if name not in self._buckets:
            self._buckets[name] = Bucket(
                rate * SAFETY_FACTOR, max(1.0, rate * BURST_SECONDS) if not math.isinf(rate) else math.inf
            )
        return self._buckets[name]


def endpoint(path: str) -> str:
    """The path without ids: calls of one endpoint share its rate."""
    return _ID.sub("/*", path.partition("?")[0])


def account_of(request: HttpRequest) -> str:
    """The connected account that a request names in its headers, or ""."""
    return next((value for name, value in request.headers if name.lower() == "stripe-account"), "")


class RequestLimiter(Protocol):
    """What a connection asks of its limiter, whatever that is."""

    def wait(self, request: HttpRequest, /) -> None: ...

    def learn(self, request: HttpRequest, outcome: AttemptResult, /) -> None: ...


class RatedConnection(Protocol):
    """What the limiter of a connection depends on."""

    mode: str
    rate: float | None
    limiter: RequestLimiter | None
    sleep: Callable[[float], None]
    monotonic: Callable[[], float]


def limiter_for(connection: RatedConnection) -> Limiter:
    """The limiter of a connection, made when it is first needed.

    `connect(rate=)` is both an endpoint's rate and the total. Without it: 25 an endpoint, and in all 100 live
    (of which a fifth is left to checkout) or 25 in test mode. The sandbox has none.
    """
    if isinstance(connection.limiter, Limiter):
        return connection.limiter
    if connection.rate is not None:
        made = Limiter(total=connection.rate, endpoint=connection.rate)
    elif connection.mode == "sandbox":
        made = Limiter(total=math.inf, endpoint=math.inf)
    else:
        total = TOTAL_RATES.get(connection.mode, 25.0)
        made = Limiter(
            total=total * (LIVE_SHARE if connection.mode == "live" else 1.0), endpoint=ENDPOINT_RATE
        )
    made.clock, made.sleep = connection.monotonic, connection.sleep
    connection.limiter = made
    return made
