"""A pull of a list under faults, all by chance of a seed, in virtual time through the fetcher of pages.

What can happen: refusals in bursts, failures of Stripe's, a network that breaks before or within a body, a
damaged body, pages that say there is more and have no rows, many rows in one second, rows that are created
while the list is read (some with times ahead of ours), shown late, or deleted (cursors too), a server that
doesn't obey `ending_before`, or refuses it, a kill with going on from an earlier state. And a server with
habits of its own (`Habits`): pages of another size than was asked for, rows of the last page again, more rows
announced than there are, rows of neighbouring seconds in the wrong order, filters that aren't obeyed.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from bulk.simulated import FOREVER, List, Thing, VirtualLoop
from client.conftest import get, open_connection

from stripe_magics.client.pagination import page_fetcher
from stripe_magics.client.pagination.raw_pages import CursorDeleted, NotSortedByCreated, RowSlice
from stripe_magics.client.pagination.time_windows import TimeWindowReader
from stripe_magics.client.rate_limiter import Limiter
from stripe_magics.errors import StripeError

NOW = 1_700_000_000
REASONS = ["endpoint-rate", "global-rate", "global-concurrency", "resource-specific"]


def error(kind: str, **fields: str) -> bytes:
    return json.dumps({"error": {"type": kind, "message": "-", **fields}}).encode()


@dataclass
class Chances:
    """How often what happens."""

    refused: float
    failed: float
    broken: float
    damaged: float
    endless: float

    @classmethod
    def drawn(cls, chance: Random) -> Chances:
        refused, failed, broken, damaged = (chance.choice([0.0, 0.01, 0.05]) for _ in range(4))
        return cls(refused, failed, broken, damaged, chance.choice([0.0, 0.0, 0.0, 0.002]))


@dataclass
class Habits:
    """How a server differs from Stripe's, on every page or by chance."""

    size: int = 0  # rows of a page, whatever was asked for
    again: int = 0  # rows before the cursor that come once more
    announced: float = 0.0  # how often the last page says that there is more
    unsorted: float = 0.0  # how often two neighbours change places
    refuses_below: bool = False  # `ending_before` is an error
    unfiltered: float = 0.0  # how often `created` isn't obeyed

    @classmethod
    def drawn(cls, chance: Random) -> Habits:
        return cls(
            size=chance.choice([0, 0, 10, 37, 250]),
            again=chance.choice([0, 0, 1, 5]),
            announced=chance.choice([0.0, 0.5, 1.0]),
            unsorted=chance.choice([0.0, 0.0, 0.0, 0.001]),
            refuses_below=chance.random() < 0.2,
            unfiltered=chance.choice([0.0, 0.0, 0.0, 0.001]),
        )


class FaultyServer:
    """In the place of a pool: the pages of a list that changes, with faults."""

    def __init__(self, source: List, chances: Chances, chance: Random, habits: Habits) -> None:
        self.source, self.chances, self.chance, self.habits = source, chances, chance, habits
        self.refusing_until = 0.0

    async def get(self, url: str, headers: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
        chance, loop = self.chance, asyncio.get_running_loop()
        await asyncio.sleep(0.15 * chance.uniform(0.1, 0.9))
        if chance.random() < self.chances.refused:
            self.refusing_until = loop.time() + chance.uniform(0, 0.5)
        if loop.time() < self.refusing_until:
            reason = chance.choice(REASONS)
            code = chance.choice(["rate_limit", "rate_limit", "lock_timeout"])
            return 429, {"stripe-rate-limited-reason": reason}, error("invalid_request_error", code=code)
        if chance.random() < self.chances.failed:
            body = chance.choice([error("api_error"), b"<html>Bad gateway</html>", b""])
            return chance.choice([500, 502, 503]), {}, body
        if chance.random() < self.chances.broken:
            raise chance.choice([httpx.ReadError, httpx.ConnectError, httpx.RemoteProtocolError])("reset")
        status, body = self.answer(dict(parse_qsl(urlsplit(url).query)))
        await asyncio.sleep(0.15 * chance.uniform(0.1, 1.9))
        if chance.random() < self.chances.damaged:
            if chance.random() < 0.5:
                raise httpx.DecodingError("truncated gzip")
            return status, {}, body[: chance.randrange(len(body))]
        return status, {}, body

    def answer(self, params: dict[str, str]) -> tuple[int, bytes]:
        if self.chance.random() < self.chances.endless:
            return 200, b'{"object":"list","data":[],"has_more":true}'
        habits, chance = self.habits, self.chance
        if habits.refuses_below and "ending_before" in params:
            return 400, error("invalid_request_error", param="ending_before")
        if habits.unfiltered and chance.random() < habits.unfiltered:
            params = {name: value for name, value in params.items() if not name.startswith("created")}
        if habits.size:
            params = {**params, "limit": str(habits.size)}
        try:
            page = self.source.page(params, asyncio.get_running_loop().time(), again=habits.again)
        except CursorDeleted:
            name = "starting_after" if "starting_after" in params else "ending_before"
            return 400, error("invalid_request_error", code="resource_missing", param=name)
        rows = [{"id": row.id, "created": row.created, "livemode": False} for row in page.rows]
        if len(rows) > 1 and habits.unsorted and chance.random() < habits.unsorted:
            place = chance.randrange(len(rows) - 1)
            rows[place], rows[place + 1] = rows[place + 1], rows[place]
        more = page.has_more
        if rows and not more and habits.announced and "ending_before" not in params:
            more = chance.random() < habits.announced
        return 200, json.dumps({"object": "list", "data": rows, "has_more": more}).encode()


def changing_list(chance: Random) -> List:
    span = chance.choice([1, 50, 5000, 10**6, 10**8])
    billing = [chance.randrange(span) for _ in range(chance.randrange(1, 8))]
    place = {
        "even": lambda: chance.randrange(span),
        "burst": lambda: span // 3 + chance.randrange(max(1, span // 100)),
        "steep": lambda: int(min(span - 1, chance.expovariate(8) * span)),
        "billing": lambda: chance.choice(billing),
        "islands": lambda: int(chance.choice([0.1, 0.9]) * span) + chance.randrange(max(1, span // 50)),
    }
    shapes = chance.sample(sorted(place), chance.randrange(1, 4))
    deleted, late = chance.choice([0.0, 0.2, 0.7]), chance.choice([0.0, 0.1])
    things = []
    for number in range(chance.choice([50, 150, 900, 3000, 6000])):
        thing = Thing(f"x{number:05}", NOW - span + place[chance.choice(shapes)]())
        thing.gone = chance.uniform(0, 6) if chance.random() < deleted else FOREVER
        thing.seen = chance.uniform(0, 6) if chance.random() < late else 0.0
        things.append(thing)
    for number in range(chance.choice([0, 300])):
        seen = chance.uniform(0.01, 6)
        ahead = chance.choice([0, 0, 30, -5])  # clocks differ
        gone = chance.choice([FOREVER, seen + 1])
        things.append(Thing(f"n{number:05}", NOW + int(seen) + ahead, seen, gone))
    chance.shuffle(things)
    return List(things, deaf=chance.random() < 0.15)


def attack(seed: int, folder: Path, monkeypatch: pytest.MonkeyPatch, *, odd: bool = False) -> str:
    """Pull such a list (of an `odd` server: with habits of its own); "read" or the name of the error that it
    ended with. Raises if a row was lost or came twice."""
    chance, loop = Random(seed), VirtualLoop()
    monkeypatch.setattr(page_fetcher, "time", SimpleNamespace(monotonic=loop.time))
    random.seed(seed)  # of the pauses before another attempt
    source = changing_list(chance)
    account = open_connection("http://list.test", folder)
    rate = chance.choice([10.0, 25.0, 100.0, 400.0])
    account.limiter = Limiter(total=rate, endpoint=rate, clock=loop.time)
    fetch = page_fetcher.Fetcher(account, get("/v1/payment_intents"))
    habits = Habits.drawn(Random(-1 - seed)) if odd else Habits()
    source.size = max(source.size, habits.size)
    fetch.pool, fetch.latency = FaultyServer(source, Chances.drawn(chance), chance, habits), 0.15  # type: ignore[assignment]
    floor, kill = chance.choice([1, NOW - 10**6, NOW]), chance.choice([0, 0, 1, 7])
    got: list[str] = []
    kept: list[tuple[int, tuple[dict[str, Any], ...]]] = []

    async def emit(piece: RowSlice) -> None:
        got.extend(piece.ids)
        kept.append((len(got), json.loads(json.dumps(piece.windows))))
        if len(kept) == kill:
            raise InterruptedError

    def reader() -> TimeWindowReader:
        return TimeWindowReader(fetch, emit, slots=fetch.slots, floor=floor, states=True)

    async def pull() -> None:
        first = await fetch((("limit", "100"),))
        if not first.rows and first.has_more:
            raise NotSortedByCreated
        got.extend(row.id for row in first.rows)
        if not first.has_more:
            return
        reading = reader()
        reading.begin(first)
        try:
            await reading.run()
        except InterruptedError:
            size, states = chance.choice(kept)  # a state that was saved some pages before the kill
            del got[size:]
            reading = reader()
            reading.resume(states)
            await reading.run()
        assert not reading.state()

    ended = "read"
    try:
        loop.run_until_complete(pull())
    except (NotSortedByCreated, StripeError) as problem:
        ended = type(problem).__name__
    finally:
        loop.close()
        account.close()
    assert len(got) == len(set(got)), (seed, "twice")
    if ended == "read":
        stays = {each.id for each in source.things if each.seen <= 0 and each.gone == FOREVER}
        assert stays <= set(got), (seed, "lost", len(stays - set(got)))
    return ended
