"""A fault server, a journal of its own for each test, and short delays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fault_server import FaultServer

from stripe_magics.catalogue.module import Effect
from stripe_magics.client.http.retry import Policy
from stripe_magics.client.journal.journal import Journal
from stripe_magics.client.secret import Secret
from stripe_magics.client.shared_connection import Connection
from stripe_magics.request import Request

KEY = "sk_test_51CanaryCanaryCanaryCanaryCanaryCanaryCanary0001"
QUICK = Policy(
    base_delay=0.005,
    max_delay=0.01,
    deadline=20.0,  # a busy machine answers late; what is to run out has a policy of its own
    connect=20.0,
    operation=30.0,
    in_use_seconds=5.0,
    max_bytes=1_000_000,
)


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_MAGICS_STATE_DIR", str(tmp_path / "state"))
    for name in (
        "STRIPE_API_KEY",
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "ALL_PROXY",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "SSLKEYLOGFILE",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


class Time:
    """A clock that moves when it is moved, or when somebody sleeps."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        import time

        return time.time() + self.ahead


def open_connection(
    url: str, folder: Path, *, key: str = KEY, mode: str = "test", policy: Policy = QUICK, **more: Any
) -> Connection:
    clock = more.pop("clock", None)
    more.setdefault("rate", float("inf"))
    if clock is not None:
        more["now"] = clock.now
    journal = Journal(folder, now=more.get("now", __import__("time").time))
    return Connection(secret=Secret(key), mode=mode, base=url, policy=policy, journal=journal, **more)


@pytest.fixture
def connection(server: FaultServer, tmp_path: Path) -> Iterator[Connection]:
    folder = tmp_path / "state"
    folder.mkdir(exist_ok=True)
    opened = open_connection(server.url, folder)
    yield opened
    opened.close()


def create(
    path: str = "/v1/customers",
    *,
    effect: Effect = Effect.CREATE,
    module: str = "customers.create",
    **params: str,
) -> Request:
    return Request(
        module=module,
        method="POST",
        path=path,
        params=tuple(params.items()),
        effect=effect,
        returns={"customers": "customer", "payment_intents": "payment_intent"}.get(path.split("/")[2], "any"),
    )


def pay(**params: str) -> Request:
    given = {"amount": "2000", "currency": "usd", **params}
    return create("/v1/payment_intents", effect=Effect.IRREVERSIBLE, module="payment_intents.create", **given)


def get(path: str = "/v1/balance", **params: str) -> Request:
    return Request(
        module="balance.retrieve", method="GET", path=path, params=tuple(params.items()), returns="any"
    )


def delete(path: str) -> Request:
    return Request(
        module="customers.delete", method="DELETE", path=path, effect=Effect.IRREVERSIBLE, returns="customer"
    )


def policy(**changes: Any) -> Policy:
    return replace(QUICK, **changes)
