"""Thousands of random sequences of faults: a logical create is executed at most once, and no ending is
reported wrongly.

The server's behaviour is that of the fault server, played by a transport in this process, so that thousands
of sequences take seconds.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
from fault_server import Fault, FaultServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from client.conftest import KEY, Time, open_connection, pay, policy
from stripe_magics.client.journal.journal import Journal, Origin
from stripe_magics.client.secret import Secret
from stripe_magics.client.shared_connection import Connection
from stripe_magics.errors import (
    AuthenticationFailed,
    CardDeclined,
    InvalidRequest,
    NotSent,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    RepeatRefused,
    StripeError,
)

LOST = [
    httpx.ReadTimeout,
    httpx.ReadError,
    httpx.RemoteProtocolError,
    httpx.WriteError,
    httpx.WriteTimeout,
    httpx.DecodingError,
    KeyboardInterrupt,
]
NEVER_LEFT = [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout]
SENSELESS = [
    (200, b""),
    (200, b"[]"),
    (200, b"<html>login</html>"),
    (403, b"<html>no</html>"),
    (502, b"<html>bad</html>"),
    (302, b""),
    (200, b'{"id": "pi'),
]
BEFORE = [
    (429, "rate_limit"),
    (429, "lock_timeout"),
    (401, "api_key_expired"),
    (403, "x"),
    (503, ""),
    (500, ""),
    (409, "x"),
    (424, ""),
    (404, "resource_missing"),
    (409, "idempotency_key_in_use"),
]

# what happens to one attempt: lost (when, exception), never (exception), cut (when, answer), before (answer)
# or ok
ATTEMPT = st.one_of(
    st.tuples(st.just("lost"), st.sampled_from(["before", "after"]), st.sampled_from(LOST)),
    st.tuples(st.just("never"), st.sampled_from(NEVER_LEFT)),
    st.tuples(st.just("cut"), st.sampled_from(["before", "after"]), st.sampled_from(SENSELESS)),
    st.tuples(st.just("before"), st.sampled_from(BEFORE), st.sampled_from(["", "true", "false"])),
    st.just(("ok",)),
)


class Play(httpx.BaseTransport):
    """Stripe with its idempotency layer, and a list of what goes wrong."""

    def __init__(self, ending: str) -> None:
        self.ending = ending  # what an execution gives: ok, decline, fail
        self.faults: list[tuple[Any, ...]] = []
        self.saved: dict[str, tuple[bytes, int, bytes]] = {}
        self.executions: Counter[str] = Counter()
        self.bodies: Counter[bytes] = Counter()
        self.keys: set[str] = set()

    def execute(self, request: httpx.Request) -> tuple[int, bytes, dict[str, str]]:
        key, body = request.headers["idempotency-key"], request.read()
        if key in self.saved:
            first, status, answer = self.saved[key]
            if first != body:
                return 400, b'{"error": {"type": "idempotency_error"}}', {}
            return status, answer, {"idempotent-replayed": "true"}
        self.executions[key] += 1
        self.bodies[body] += 1
        status, answer = {
            "ok": (200, json.dumps({"id": f"pi_{len(self.saved)}", "object": "payment_intent"}).encode()),
            "decline": (402, b'{"error": {"type": "card_error", "code": "card_declined"}}'),
            "fail": (500, b'{"error": {"type": "api_error"}}'),
        }[self.ending]
        self.saved[key] = (body, status, answer)
        return status, answer, {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.keys.add(request.headers["idempotency-key"])
        fault = self.faults.pop(0) if self.faults else ("ok",)
        kind = fault[0]
        if kind == "never":
            raise fault[1]("never left")
        if kind == "before":
            (status, code), should = fault[1], fault[2]
            headers = {"stripe-should-retry": should} if should else {}
            return httpx.Response(
                status, json={"error": {"type": "invalid_request_error", "code": code}}, headers=headers
            )
        if kind == "lost":
            if fault[1] == "after":
                self.execute(request)
            raise fault[2]() if fault[2] is KeyboardInterrupt else fault[2]("lost")
        if kind == "cut":
            if fault[1] == "after":
                self.execute(request)
            return httpx.Response(fault[2][0], content=fault[2][1], headers={"content-type": "text/html"})
        status, body, headers = self.execute(request)
        return httpx.Response(status, content=body, headers={"content-type": "application/json", **headers})


def made(play: Play) -> Connection:
    return Connection(
        secret=Secret(KEY),
        mode="test",
        base="http://127.0.0.1:1",
        transport=play,
        journal=Journal(None),
        policy=policy(base_delay=0.0, max_delay=0.0),
        sleep=lambda _: None,
        rate=float("inf"),
    )


def judge(play: Play, connection: Connection, outcome: object, before: int) -> None:
    """What was said must be true of what was done."""
    done = sum(play.executions.values())
    if isinstance(outcome, OutcomeUnknown):
        return  # always true; that it is said only when needed is tested below
    if isinstance(outcome, CardDeclined):
        assert play.ending == "decline"
        assert done >= 1
    elif isinstance(outcome, StripeError | KeyboardInterrupt):  # "nothing was done"
        assert done == before, (outcome, play.executions)
        assert isinstance(
            outcome,
            NotSent
            | RateLimited
            | AuthenticationFailed
            | PermissionDenied
            | InvalidRequest
            | KeyboardInterrupt
            | StripeError,
        )
    else:
        assert play.ending == "ok"
        assert done >= 1


def attempt(connection: Connection, **how: Any) -> object:
    try:
        return connection.send(pay(), **how)
    except (StripeError, RepeatRefused, KeyboardInterrupt) as ended:
        return ended


@settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    ending=st.sampled_from(["ok", "ok", "decline", "fail"]),
    faults=st.lists(ATTEMPT, max_size=9),
    repeats=st.integers(1, 3),
    way=st.sampled_from(["cell", "key", "resume"]),
)
def test_random_faults_never_execute_twice_and_never_lie(
    ending: str, faults: list[Any], repeats: int, way: str
) -> None:
    play = Play(ending)
    play.faults = list(faults)
    connection = made(play)
    for number in range(repeats):
        before = sum(play.executions.values())
        open_ones = connection.pending()
        if way == "cell":
            outcome = attempt(connection, origin=Origin("cell", "digest", 1))
        elif way == "key":
            outcome = attempt(connection, idempotency_key="form-1")
        elif number and open_ones:
            try:
                outcome = connection.resume(open_ones[0].number)
            except (StripeError, KeyboardInterrupt) as ended:
                outcome = ended
        elif number:
            break
        else:
            outcome = attempt(connection)
        judge(play, connection, outcome, before)
        assert max(play.executions.values(), default=0) <= 1
        if ending != "decline":  # after a definite refusal the next run is a new try, by right
            assert max(play.bodies.values(), default=0) <= 1
        if isinstance(outcome, OutcomeUnknown):
            assert len(connection.pending()) == 1
        else:
            assert connection.pending() == []
    # whatever happened, in the end it can be found out
    play.faults = []
    for row in connection.pending():
        try:
            answer = connection.resume(row.number)
            assert answer.data["object"] == "payment_intent"
        except CardDeclined:
            assert ending == "decline"
        except OutcomeUnknown:
            assert ending == "fail"
    assert max(play.executions.values(), default=0) <= 1


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(faults=st.lists(st.lists(ATTEMPT, max_size=4), min_size=1, max_size=5))
def test_random_faults_in_a_loop_that_is_run_until_it_ends(faults: list[list[Any]]) -> None:
    """A cell with a loop of identical payments, run again and again until it goes through: exactly as many
    payments as the loop says."""
    play = Play("ok")
    connection = made(play)
    script = [each for group in faults for each in group]
    for _ in range(len(script) + 2):
        play.faults, script = script[:6], script[6:]
        try:
            for ordinal in range(1, 4):
                connection.send(pay(), origin=Origin("cell", "digest", ordinal))
        except (StripeError, KeyboardInterrupt):
            continue
        break
    assert sum(play.executions.values()) == 3
    assert len(play.executions) == 3


def test_unknown_is_said_only_when_it_is_so() -> None:
    play = Play("ok")
    connection = made(play)
    play.faults = [("before", (429, "rate_limit"), "")] * 3
    assert isinstance(attempt(connection), RateLimited)
    play.faults = [("never", httpx.ConnectError)] * 3
    assert isinstance(attempt(connection), NotSent)
    play.faults = [("before", (401, ""), "")]
    assert isinstance(attempt(connection), AuthenticationFailed)
    assert connection.pending() == []


SOCKET_FAULTS = [
    Fault(when, how, seconds=0.3)
    for when in ("before", "after")
    for how in (
        "reset",
        "close",
        "truncate-length",
        "truncate-chunk",
        "truncate-close",
        "bad-gzip",
        "html",
        "garbage",
    )
]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(faults=st.lists(st.sampled_from(SOCKET_FAULTS), max_size=5))
def test_the_same_on_real_sockets(faults: list[Fault], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder: Path = tmp_path_factory.mktemp("state")
    with FaultServer() as server:
        server.script = list(faults)
        opened = open_connection(server.url, folder, clock=Time())
        for _ in range(3):
            try:
                answer = opened.send(pay(), origin=Origin("cell", "digest", 1))
            except OutcomeUnknown:
                assert len(opened.pending()) == 1
                continue
            assert answer.data["id"] == "pi_1"
            break
        opened.close()
        assert sum(server.executions.values()) <= 1
        if len(faults) <= 5:
            assert sum(server.executions.values()) == 1
