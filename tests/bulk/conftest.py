"""Connections for pulls: to the sandbox, and to a list server on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from bulk.list_server import ListServer, serving

from stripe_magics.client import shared_connection as connections
from stripe_magics.client.secret import Secret
from stripe_magics.client.shared_connection import Connection

KEY = "sk_test_51CanaryCanaryCanaryCanaryCanaryCanaryCanary0001"


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("STRIPE_MAGICS_STATE_DIR", str(tmp_path / "state"))
    yield
    connections.close()


@pytest.fixture
def sandbox() -> Connection:
    return connections.connect(sandbox=True)


@pytest.fixture
def listed() -> Iterator[Callable[..., tuple[ListServer, Connection]]]:
    """A list server and a connection to it: `listed(count=5000, rate=...)`."""
    with ExitStack() as stack:

        def make(rate: float | None = 1000.0, **options: Any) -> tuple[ListServer, Connection]:
            options = {"latency": 0.005, "rate": 5000.0, "burst": 5000.0, **options}
            server = ListServer(**options)
            url = stack.enter_context(serving(server))
            connection = connections.connect(secret=Secret(KEY), api_base=url, rate=rate)
            server.requests, server.paths = 0, []
            connection._account_objects.clear()  # as if it hadn't been asked
            return server, connection

        yield make
