"""Completion is made ready when no cell has run for a moment, once, and before a kernel only."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from bulk.simulated import run
from each_row import each_row
from IPython.core.events import EventManager, available_events
from waiting import joined

from stripe_magics.magics import completion_warm_up
from stripe_magics.magics.completion_warm_up import IDLE_SECONDS


@pytest.fixture
def ready(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[threading.Thread]]:
    """The threads that completed, each time that it was made ready."""
    threads: list[threading.Thread] = []
    monkeypatch.setattr(
        completion_warm_up, "complete_once", lambda: threads.append(threading.current_thread())
    )
    yield threads
    joined(*(each for each in threading.enumerate() if each.name == "stripe_magics completion"))


def kernel() -> Any:
    shell = SimpleNamespace(kernel=object())
    shell.events = EventManager(shell, available_events)
    return shell


async def cell(shell: Any, seconds: float) -> None:
    shell.events.trigger("pre_run_cell", None)
    await asyncio.sleep(seconds)
    shell.events.trigger("post_run_cell", None)


def test_it_waits_until_no_cell_has_run_for_a_moment(ready: list[threading.Thread]) -> None:
    shell = kernel()

    async def session() -> None:
        completion_warm_up.install(shell)  # while the cell with %load_ext runs
        shell.events.trigger("post_run_cell", None)
        for _ in range(20):  # one after another, each longer than the moment, with less between them
            await asyncio.sleep(IDLE_SECONDS * 0.9)
            await cell(shell, 2 * IDLE_SECONDS)
        assert not started()
        assert not ready
        await asyncio.sleep(IDLE_SECONDS * 1.1)
        joined(*started())
        assert len(ready) == 1
        assert not ready[0].daemon
        await cell(shell, 1)
        await asyncio.sleep(60)

    run(session())
    joined(*started())
    assert len(ready) == 1
    assert not any(shell.events.callbacks.values())


def started() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "stripe_magics completion"]


def test_unloading_before_that_takes_it_back(ready: list[threading.Thread]) -> None:
    shell = kernel()

    async def session() -> None:
        undo = completion_warm_up.install(shell)
        shell.events.trigger("post_run_cell", None)
        undo()
        undo()
        await asyncio.sleep(60)

    run(session())
    assert not ready
    assert not started()
    assert not any(shell.events.callbacks.values())


def test_a_cell_without_an_event_loop_leaves_it_to_the_next(ready: list[threading.Thread]) -> None:
    shell = kernel()
    completion_warm_up.install(shell)
    shell.events.trigger("post_run_cell", None)

    async def session() -> None:
        await cell(shell, 1)
        await asyncio.sleep(60)

    run(session())
    joined(*started())
    assert len(ready) == 1


@each_row("shell", [None, SimpleNamespace(), SimpleNamespace(kernel=None)])
def test_a_script_has_nothing_of_it(shell: Any, ready: list[threading.Thread]) -> None:
    completion_warm_up.install(shell)()
    assert not ready
