"""Lists as accounts have them, by when their objects were created, and a pull of each in virtual time."""

from __future__ import annotations

import asyncio
import bisect
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from bulk import list_server
from bulk.simulated import run

from stripe_magics.client.pagination.raw_pages import FetchedPage, Params, RowPosition, RowSlice
from stripe_magics.client.pagination.time_windows import TimeWindowReader

START, SPAN, DAY, HOUR = 1_600_000_000, 2 * 365 * 86400, 86400, 3600

Shape = Callable[[Random, int], list[int]]


def _each(one: Callable[[Random], float]) -> Shape:
    return lambda chance, count: [int(one(chance)) for _ in range(count)]


def _billing_seconds(chance: Random, count: int) -> list[int]:
    """Runs of 250 objects in one second each; a tenth lies anywhere."""
    seconds = [chance.randrange(SPAN) for _ in range(max(1, count * 9 // 10 // 250))]
    return [
        seconds[number // 250 % len(seconds)] if number % 10 else chance.randrange(SPAN)
        for number in range(count)
    ]


SHAPES: dict[str, Shape] = {
    "uniform": _each(lambda chance: chance.randrange(SPAN)),
    "growing": _each(lambda chance: SPAN * chance.random() ** 0.4),
    "dead gap": _each(
        lambda chance: (chance.random() * 0.35 + (0.65 if chance.random() < 0.5 else 0.0)) * SPAN
    ),
    "spike": _each(
        lambda chance: (
            SPAN * 0.6 + chance.randrange(48 * HOUR) if chance.random() < 0.5 else chance.randrange(SPAN)
        )
    ),
    "billing seconds": _billing_seconds,
    "two islands": _each(lambda chance: chance.choice([0.1, 0.9]) * SPAN + chance.randrange(7 * DAY)),
    "daily batches": _each(
        lambda chance: chance.randrange(SPAN // DAY) * DAY + 3 * HOUR + chance.randrange(600)
    ),
    "one hour": _each(lambda chance: SPAN * 0.7 + chance.randrange(HOUR)),
}


def created_times(shape: str, count: int, seed: int) -> list[int]:
    """When the rows of a list were created. "wild" is that of the server that benchmarks pull from: a dead
    gap, a spike and billing seconds in one."""
    if shape == "wild":
        return list_server.times(count, shape, seed + 1)
    return [START + each for each in SHAPES[shape](Random(seed), count)]


class SortedList:
    """A list that doesn't change, answered in the time of an index. `burst` requests may go at once, as the
    limiter lets them."""

    def __init__(
        self, created: list[int], *, rate: float, latency: float, seed: int, burst: float = 1.0
    ) -> None:
        self.created = sorted(created, reverse=True)
        self._rising = [-each for each in self.created]
        self.rate, self.latency, self.random = rate, latency, Random(seed)
        self.requests = self.empty = 0
        self.sent: list[float] = []  # when
        self._burst = burst
        self._due = 0.0

    async def fetch(self, params: Params) -> FetchedPage:
        self.requests += 1
        now = asyncio.get_running_loop().time()
        self._due = max(self._due, now - (self._burst - 1) / self.rate) + 1 / self.rate
        self.sent.append(max(self._due, now))
        await asyncio.sleep(self.sent[-1] - now + self.latency * self.random.uniform(0.8, 1.2))
        page = self.page(dict(params))
        self.empty += not page.rows
        return page

    def count(self, low: int, high: int | None) -> int:
        """How many rows lie between two seconds."""
        first = bisect.bisect_left(self._rising, -(1 << 60 if high is None else high))
        return bisect.bisect_right(self._rising, -low) - first

    def page(self, params: dict[str, str]) -> FetchedPage:
        if "ending_before" in params:
            end = int(params["ending_before"])
            first = max(0, end - int(params["limit"]))
            rows = [RowPosition(str(number), self.created[number]) for number in range(first, end)]
            return FetchedPage(rows, first > 0, len(rows))
        first = bisect.bisect_left(self._rising, -int(params.get("created[lte]", 1 << 60)))
        end = bisect.bisect_right(self._rising, -int(params.get("created[gte]", 0)))
        first = max(first, int(params["starting_after"]) + 1) if "starting_after" in params else first
        last = min(end, first + int(params["limit"]))
        rows = [RowPosition(str(number), self.created[number]) for number in range(first, last)]
        return FetchedPage(rows, last < end, len(rows))


@dataclass
class Measured:
    """What a pull took: requests and seconds, the pages that there are, and the least seconds that the rate
    allows."""

    requests: int
    empty: int
    seconds: float
    pages: int
    floor: float
    lost: int
    double: int
    sent: list[float]  # when the requests went out

    @property
    def is_within_goal(self) -> bool:
        return self.requests <= 1.10 * self.pages + 12 and self.seconds <= 1.2 * self.floor + 0.3


KNOWN_ROWS = (100, 200, 300, 400, 600)
"""The most rows of a window of who knows all times: what is best for one shape isn't for another."""


def measure_known(shape: str, count: int, *, seed: int = 0) -> Measured:
    """A pull by who knows the time of every row once the first page is there, in the best of some plans: what
    perfect cuts would bring."""
    plans = [measure(shape, count, seed=seed, known=rows) for rows in KNOWN_ROWS]
    return min(plans, key=lambda each: (not each.is_within_goal, each.seconds))


def _known_cuts(created: list[int], most: int) -> list[int]:
    """Where to cut falling times below the first page so that no window has more rows than that, but where
    they lie in one second."""
    cuts, begun = [], 100
    while begun + most < len(created):
        end = begun + most
        while end > begun and created[end - 1] == created[end]:
            end -= 1
        if end == begun:  # all of one second
            while end < len(created) and created[end] == created[begun]:
                end += 1
        if end < len(created):
            cuts.append(created[end])
        begun = end
    return [second for second in cuts if second < created[99]]


def measure(
    shape: str,
    count: int,
    *,
    seed: int = 0,
    rate: float = 100.0,
    latency: float = 0.15,
    burst: float = 1.0,
    known: int = 0,
) -> Measured:
    """A pull of a list of this shape, in virtual time. `known`: by who knows all times, in windows of so many
    rows."""
    created = created_times(shape, count, seed)
    source = SortedList(created, rate=rate, latency=latency, seed=seed, burst=burst)
    ids: list[str] = []
    slots = -(-int(rate * latency * 115) // 100) + 1

    async def emit(piece: RowSlice) -> None:
        ids.extend(piece.ids)

    async def pull() -> float:
        first = await source.fetch((("limit", "100"),))
        ids.extend(row.id for row in first.rows)
        if first.has_more:
            reader = TimeWindowReader(source.fetch, emit, slots=lambda: slots, floor=START - 5000)
            if known:
                reader._first_cuts = lambda *_: _known_cuts(source.created, known)  # type: ignore[method-assign]
            reader.begin(first)
            for window in reader.windows if known else ():
                window.density = source.count(window.low, window.high) / max(1, window.at - window.low)
            await reader.run()
        return asyncio.get_running_loop().time()

    seconds = run(pull())
    pages = -(-count // 100)
    return Measured(
        source.requests,
        source.empty,
        seconds,
        pages,
        pages / rate + latency,
        count - len(set(ids)),
        len(ids) - len(set(ids)),
        source.sent,
    )
