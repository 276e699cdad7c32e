"""Readings that are left off in the middle: the garbage collector ends them, in whatever thread and line it
runs."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from bulk.conftest import KEY
from waiting import PATIENCE, joined

from stripe_magics.bulk.list_requests import list_request
from stripe_magics.client import shared_connection as connections
from stripe_magics.client.pagination import background_loop
from stripe_magics.client.pagination import parallel_paginator as engine
from stripe_magics.client.pagination.time_windows import TimeWindowReader
from stripe_magics.client.secret import Secret
from stripe_magics.errors import IncompleteList


class Cycle:
    """What only the collector takes away."""

    def __init__(self, held: object) -> None:
        self.held, self.me = held, self


@pytest.fixture
def no_collection(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Until a test asks for it. The lock is the test's own: one that is never given back harms no other."""
    monkeypatch.setattr(background_loop, "_lock", type(background_loop._lock)())
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def left_off(connection: Any) -> Any:
    """Leave a reading in the middle; gives its loop."""
    pages = engine.pages(connection, list_request(connection, "payment_intents"))
    next(pages)
    next(pages)
    Cycle(pages)
    return connection.extensions[background_loop._LOOP]


@pytest.mark.usefixtures("no_collection")
def test_a_reading_begins_while_another_is_taken_away(listed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    server, connection = listed(count=3_000)
    left = left_off(connection)
    real = background_loop.BackgroundLoop.__init__

    def collecting(self: background_loop.BackgroundLoop, connection: Any) -> None:
        gc.collect()
        real(self, connection)

    monkeypatch.setattr(background_loop.BackgroundLoop, "__init__", collecting)
    other = connections.connect(secret=Secret(KEY), api_base=connection.base, rate=1000.0)
    counts: list[int] = []

    def read() -> None:
        counts.extend(page.count for page in engine.pages(other, list_request(other, "payment_intents")))

    reading = threading.Thread(target=read, name="the second reading", daemon=True)
    reading.start()
    joined(reading, left.thread)
    assert sum(counts) == server.count


@pytest.mark.usefixtures("no_collection")
def test_a_reading_is_taken_away_in_its_own_thread(listed: Any) -> None:
    _, connection = listed(count=3_000)
    left = left_off(connection)
    done = threading.Event()
    left.loop.call_soon_threadsafe(lambda: (gc.collect(), done.set()))
    assert done.wait(60), "it waits for itself"
    joined(left.thread)


class _Panic(BaseException):
    """What a compiled package raises."""


def test_a_reading_that_breaks_off_without_a_word_is_not_waited_for(
    listed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, connection = listed(count=3_000)

    async def broken(_: TimeWindowReader) -> None:
        raise _Panic

    monkeypatch.setattr(TimeWindowReader, "run", broken)
    said: list[str] = []

    def read() -> None:
        with pytest.raises(IncompleteList) as caught:
            list(engine.pages(connection, list_request(connection, "payment_intents")))
        said.append(str(caught.value))

    reading = threading.Thread(target=read, name="the reading", daemon=True)
    reading.start()
    joined(reading, seconds=PATIENCE)
    assert "ended without its last word" in said[0]
