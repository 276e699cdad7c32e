"""A list that changes while it is read, and an event loop whose time is virtual: a pull of an hour takes
milliseconds."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from stripe_magics.client.pagination.id_segments import IdSegmentReader
from stripe_magics.client.pagination.raw_pages import (
    CursorDeleted,
    FetchedPage,
    Params,
    RowPosition,
    RowSlice,
)
from stripe_magics.client.pagination.time_windows import TimeWindowReader

FOREVER = float("inf")


class VirtualLoop(asyncio.SelectorEventLoop):
    """Waiting takes no time: the clock jumps to the next timer."""

    def __init__(self) -> None:
        super().__init__()
        self._clock = 0.0
        select = self._selector.select  # type: ignore[attr-defined]

        def jump(timeout: float | None) -> Any:
            if timeout:
                self._clock += timeout
            return select(0 if timeout is not None else None)

        self._selector.select = jump  # type: ignore[attr-defined]

    def time(self) -> float:
        return self._clock


def run(work: Coroutine[Any, Any, Any]) -> Any:
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


@dataclass
class Thing:
    id: str
    created: int
    seen: float = 0.0  # when it shows in the list
    gone: float = FOREVER


@dataclass
class List:
    """Stripe's list of things: newest first, cursors by id, `created` filters."""

    things: list[Thing]
    rate: float = 100.0
    latency: float = 0.15
    seed: int = 0
    size: int = 100
    deaf: bool = False  # `ending_before` isn't obeyed
    requests: int = 0
    dead: int = 0
    log: list[Params] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.order = sorted(self.things, key=lambda each: (-each.created, each.id))
        self.due = 0.0

    async def fetch(self, params: Params) -> FetchedPage:
        self.requests += 1
        self.log.append(params)
        now = asyncio.get_running_loop().time()
        self.due = max(self.due, now) + 1 / self.rate
        await asyncio.sleep(self.due - now + self.latency * self.random.uniform(0.2, 0.8))
        page = self.page(dict(params), asyncio.get_running_loop().time())
        await asyncio.sleep(self.latency * self.random.uniform(0.2, 1.2))
        return page

    def page(self, params: dict[str, str], now: float, *, again: int = 0) -> FetchedPage:
        """A page as of now. `again`: so many rows before the cursor come once more."""
        there = [each for each in self.order if each.seen <= now < each.gone]
        if "starting_after" in params:
            place = next((n for n, each in enumerate(there) if each.id == params["starting_after"]), None)
            if place is None:
                self.dead += 1
                raise CursorDeleted
            there = there[max(0, place + 1 - again) :]
        if "ending_before" in params and not self.deaf:
            place = next((n for n, each in enumerate(there) if each.id == params["ending_before"]), None)
            if place is None:
                self.dead += 1
                raise CursorDeleted
            size = min(self.size, int(params["limit"]))
            there, more = there[max(0, place - size) : place], place > size
            rows = [RowPosition(each.id, each.created) for each in there]
            return FetchedPage(rows, more, [each.id for each in there])
        low, high = int(params.get("created[gte]", 0)), int(params.get("created[lte]", 1 << 60))
        there = [each for each in there if low <= each.created <= high]
        size = min(self.size, int(params["limit"]))
        return FetchedPage(
            [RowPosition(each.id, each.created) for each in there[:size]],
            len(there) > size,
            [each.id for each in there[:size]],
        )


async def pull(
    source: List, *, slots: int = 8, floor: int = 1, limit: int | None = None, kill_after: int | None = None
) -> tuple[list[str], TimeWindowReader]:
    """First page, then the sweep; the ids in the order in which they came. `kill_after` pages it is cut and
    resumed from its last state."""
    got: list[str] = []
    kept: list[tuple[int, tuple[dict[str, Any], ...]]] = []

    async def emit(piece: RowSlice) -> None:
        ids = piece.body if piece.keep is None else [piece.body[place] for place in piece.keep]
        got.extend(ids)
        kept.append((len(got), piece.windows))
        if kill_after is not None and len(kept) == kill_after:
            raise InterruptedError

    first = source.page({"limit": "100"}, 0.0)
    got.extend(first.body)
    sweep = TimeWindowReader(source.fetch, emit, slots=lambda: slots, floor=floor, limit=limit, states=True)
    if not first.has_more or (limit is not None and len(got) >= limit):
        return got, sweep
    sweep.begin(first)
    try:
        await sweep.run()
    except InterruptedError:
        # a state that was written some pages before the kill
        size, states = kept[source.random.randrange(len(kept))]
        del got[size:]
        sweep = TimeWindowReader(
            source.fetch, emit, slots=lambda: slots, floor=floor, limit=limit, states=True
        )
        sweep.resume(states)
        kill_after = None
        await sweep.run()
    return got, sweep


async def reread(
    source: List, cuts: list[str], *, slots: int = 8, after: str = ""
) -> tuple[list[RowSlice], IdSegmentReader]:
    """A list read between ids that are kept from an earlier reading; what came, in the order in which it
    came."""
    got: list[RowSlice] = []

    async def emit(piece: RowSlice) -> None:
        got.append(piece)

    reading = IdSegmentReader(source.fetch, emit, slots=lambda: slots, cuts=cuts, after=after)
    await reading.run()
    return got, reading


def rows_of(piece: RowSlice) -> list[str]:
    return list(piece.body) if piece.keep is None else [piece.body[place] for place in piece.keep]
