"""A pull whose account lets less through than was said: few requests are refused, little time is lost.
In virtual time, through the fetcher of pages and its limiter."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Mapping
from pathlib import Path
from random import Random
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import pytest
from bulk.list_shapes import SPAN, START, SortedList
from bulk.simulated import VirtualLoop
from client.conftest import get, open_connection
from each_row import each_row

from stripe_magics.client.pagination import page_fetcher
from stripe_magics.client.pagination.raw_pages import RowSlice
from stripe_magics.client.pagination.time_windows import TimeWindowReader
from stripe_magics.client.rate_limiter import ENDPOINT_RATE, Limiter

REFUSED = json.dumps({"error": {"type": "invalid_request_error", "code": "rate_limit", "message": "-"}})


class Server:
    """The pages of a list, as many a second as a bucket of tokens lets through; in the place of a pool."""

    def __init__(
        self, rows: int, *, rate: float, until: float = 0.0, slow: float = 0.0, seed: int = 0,
        prompt: bool = False,
    ) -> None:  # fmt: skip
        """`prompt`: it is refused in no time, before anything is done, as Stripe's own limiter does it."""
        chance = Random(seed)
        created = [START + chance.randrange(SPAN) for _ in range(rows)]
        self.list = SortedList(created, rate=rate, latency=0.0, seed=seed)
        self.rate, self.until, self.slow, self.chance = rate, until, slow, chance
        self.tokens, self.at = 20.0, 0.0
        self.asked = self.refused = 0
        self.prompt = prompt

    async def get(self, url: str, headers: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
        self.asked += 1
        there = 0.075 * self.chance.uniform(0.9, 1.1)
        await asyncio.sleep(0.0 if self.prompt else there)
        now = asyncio.get_running_loop().time()
        rate = self.slow if now < self.until else self.rate
        self.tokens, self.at = min(20.0, self.tokens + (now - self.at) * rate), now
        fits = self.tokens >= 1.0
        self.tokens -= fits
        self.refused += not fits
        await asyncio.sleep((0.075 + there if fits else 0.002) if self.prompt else 0.075)
        if not fits:
            return 429, {"stripe-rate-limited-reason": "endpoint-rate"}, REFUSED.encode()
        page = self.list.page(dict(parse_qsl(urlsplit(url).query)))
        rows = [{"id": row.id, "created": row.created, "livemode": False} for row in page.rows]
        return 200, {}, json.dumps({"object": "list", "data": rows, "has_more": page.has_more}).encode()


def pulled(server: Server, said: float, folder: Path, monkeypatch: pytest.MonkeyPatch, *, rows: int) -> float:
    """Pull the whole list at the rate that was said; the seconds that it took."""
    loop = VirtualLoop()
    monkeypatch.setattr(page_fetcher, "time", SimpleNamespace(monotonic=loop.time))
    folder.mkdir(exist_ok=True)
    random.seed(7)  # of the pauses before another attempt
    account = open_connection("http://list.test", folder)
    account.limiter = Limiter(total=said, endpoint=said, clock=loop.time)
    fetch = page_fetcher.Fetcher(account, get("/v1/payment_intents"))
    fetch.pool, fetch.latency = server, 0.15
    ids: list[str] = []

    async def emit(piece: RowSlice) -> None:
        ids.extend(piece.ids)

    async def pull() -> float:
        first = await fetch((("limit", "100"),))
        ids.extend(row.id for row in first.rows)
        reader = TimeWindowReader(fetch, emit, slots=fetch.slots, floor=START)
        reader.begin(first)
        await reader.run()
        return loop.time()

    try:
        seconds = float(loop.run_until_complete(pull()))
    finally:
        loop.close()
        account.close()
    assert len(ids) == len(set(ids)) == rows
    return seconds


@each_row("said", [25.0, 100.0])
def test_none_is_refused_at_a_known_rate(
    said: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(20_000, rate=said)
    pulled(server, said, tmp_path / str(said), monkeypatch, rows=20_000)
    assert server.refused == 0


@each_row(("really", "prompt"), [(rate, prompt) for rate in (50.0, 25.0, 10.0) for prompt in (False, True)])
def test_few_are_refused_where_less_is_let_through_than_was_said(
    really: float, prompt: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether refusals come as late as pages, so that those under way tell the pace, or at once."""
    for seed in range(2):
        server = Server(50_000, rate=really, seed=seed, prompt=prompt)
        folder = tmp_path / f"{really}-{seed}-{prompt}"
        seconds = pulled(server, 100.0, folder, monkeypatch, rows=50_000)
        floor = (500 - 20) / really + 0.15
        assert server.refused <= 0.05 * server.asked, (seed, server.refused, server.asked)
        assert seconds <= 1.15 * floor, seed


@each_row("really", [50.0, 25.0])
def test_few_are_refused_of_a_short_list_where_that_is_said_at_once(
    really: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(10_000, rate=really, prompt=True)
    pulled(server, 100.0, tmp_path / str(really), monkeypatch, rows=10_000)
    assert server.refused <= 0.05 * server.asked, (server.refused, server.asked)


@each_row("really", [10.0, 25.0, 50.0])
def test_few_are_refused_where_no_rate_was_said(
    really: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection then takes the rate that Stripe documents, whatever the account lets through."""
    for rows in (10_000, 50_000):
        server = Server(rows, rate=really)
        seconds = pulled(server, ENDPOINT_RATE, tmp_path / f"{rows}", monkeypatch, rows=rows)
        assert server.refused <= 0.05 * server.asked, (rows, server.refused, server.asked)
        known = Server(rows, rate=really)
        rate = min(really, ENDPOINT_RATE)
        assert seconds <= 1.10 * pulled(known, rate, tmp_path / f"{rows}-known", monkeypatch, rows=rows), rows


def test_after_a_passing_jam_the_pace_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(100_000, rate=100.0, until=2.0, slow=25.0)
    seconds = pulled(server, 100.0, tmp_path, monkeypatch, rows=100_000)
    assert seconds <= 10.15 + 2.0 + 6.0
