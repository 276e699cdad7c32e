"""The demo firm's objects are made when they are first needed: what is answered and kept is the same, from
any thread, after any stop."""

from __future__ import annotations

import threading
from typing import Any

import httpx
import pytest
from each_row import each_row
from waiting import joined

from stripe_magics.sandbox import SandboxTransport, demo_data, snapshot
from stripe_magics.sandbox.core.clock import AS_OF, DAY
from stripe_magics.sandbox.core.store import Account
from stripe_magics.sandbox.demo_data.shipped import Archive


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often the firm was made: one entry each time, whether it was finished or not."""
    times: list[int] = []
    real = demo_data.demo_account

    def demo_account(seed: str, now: int) -> Account:
        times.append(1)
        return real(seed, now)

    monkeypatch.setattr(demo_data, "demo_account", demo_account)
    return times


def _get(transport: SandboxTransport, path: str) -> httpx.Response:
    with httpx.Client(
        transport=transport, base_url="https://x", headers={"Authorization": "Bearer sk_test_sandbox"}
    ) as client:
        return client.get(path)


def _tables(account: Account) -> dict[str, list[tuple[int, bytes]]]:
    return {
        kind: [(row.seq, row.text) for row in table.ordered()]
        for kind, table in account.tables.items()
        if table.rows
    }


def test_the_account_itself_and_the_clock_need_no_firm(made: list[int]) -> None:
    late, early = SandboxTransport(), SandboxTransport()
    first = _get(late, "/v1/account")
    assert (late.now, made) == (early.now, [])
    early.prepare()
    second = _get(early, "/v1/account")
    assert first.content == second.content
    assert first.headers["request-id"] == second.headers["request-id"]
    answers = [_get(each, "/v1/customers?limit=3") for each in (late, early)]
    assert answers[0].json()["data"][0]["object"] == "customer"
    assert answers[0].content == answers[1].content
    assert answers[0].headers["request-id"] == answers[1].headers["request-id"]
    assert _tables(late.account) == _tables(early.account)
    assert len(made) == 2


def test_a_reset_makes_the_same_firm_anew(made: list[int]) -> None:
    transport = SandboxTransport()
    before = _tables(transport.account)
    transport.advance(40 * 86400)
    assert _tables(transport.account) != before
    transport.reset()
    assert len(made) == 1
    assert _tables(transport.account) == before


LATER = AS_OF + DAY  # an account of another moment is generated, that of the usual one is read


@each_row(("as_of", "step"), [(AS_OF, (Archive, "section")), (LATER, (Account, "finish_bulk_load"))])
def test_a_stop_half_way_leaves_no_trace(
    monkeypatch: pytest.MonkeyPatch, as_of: int, step: tuple[type, str]
) -> None:
    transport = SandboxTransport(as_of=as_of)
    real = getattr(*step)

    def stopped(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(*step, stopped)
    with pytest.raises(KeyboardInterrupt):
        _get(transport, "/v1/customers")
    monkeypatch.setattr(*step, real)
    assert _tables(transport.account) == _tables(SandboxTransport(as_of=as_of).account)


def test_threads_that_ask_at_once_meet_one_firm(made: list[int]) -> None:
    transport = SandboxTransport()
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(_get(transport, "/v1/customers?limit=1").text))
        for _ in range(4)
    ]
    for each in [*threads, threading.Thread(target=transport.prepare)]:
        each.start()
    joined(*threads)
    assert len(made) == 1
    assert len(found) == 4
    assert len(set(found)) == 1


def test_a_file_takes_the_firm_s_place(tmp_path: Any, made: list[int]) -> None:
    path = tmp_path / "empty.sandbox"
    snapshot.save(SandboxTransport(demo=False).account, path)
    transport = SandboxTransport(file=path)
    assert _get(transport, "/v1/customers").json()["data"] == []
    assert made == []


def test_where_the_clock_runs_the_firm_ends_when_the_sandbox_was_opened(
    made: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = [1000.0]
    monkeypatch.setattr("stripe_magics.sandbox.transport.time.monotonic", lambda: moment[0])
    transport = SandboxTransport(today=True)
    opened = transport.now
    moment[0] += 90
    assert _get(transport, "/v1/account").status_code == 200
    assert (transport.now, made) == (opened + 90, [])
    newest = _get(transport, "/v1/charges?limit=1").json()["data"][0]["created"]
    assert newest <= opened
    assert transport.account.now == transport.now == opened + 90
    assert len(made) == 1
