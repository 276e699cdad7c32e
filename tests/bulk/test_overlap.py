"""Rows become columns while pages come: when the last page is asked for, only a bounded rest is left to do,
however long the list and however slow the machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from bulk.list_server import ListServer

import stripe_magics as sm
from stripe_magics.bulk.list_requests import list_request
from stripe_magics.client.pagination import parallel_paginator
from stripe_magics.client.pagination.page_fetcher import MAX_REQUESTS
from stripe_magics.client.pagination.parallel_paginator import MAX_WAITING_PAGES
from stripe_magics.client.shared_connection import Connection
from stripe_magics.frames import builder

ROWS = 20_000


def test_the_next_pages_are_asked_for_while_the_first_becomes_rows(
    listed: Callable[..., tuple[ListServer, Connection]],
) -> None:
    server, account = listed(count=5_000)
    pages = parallel_paginator.pages(account, list_request(account, "payment_intents", limit="all"))
    assert next(pages).count == 100
    begun = time.monotonic()
    while server.requests < 3 and time.monotonic() - begun < 60:
        time.sleep(0.005)
    assert server.requests >= 3
    assert sum(page.count for page in pages) == 4_900


def test_little_is_left_when_the_last_page_is_asked_for(
    listed: Callable[..., tuple[ListServer, Connection]], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, _ = listed(count=ROWS)
    seen: list[tuple[int, int]] = []  # requests that the server has had, rows that are columns
    flush: Any = builder.Builder._flush

    def flushed(self: builder.Builder) -> None:
        flush(self)
        seen.append((server.requests, sum(table.num_rows for table in self._tables)))

    monkeypatch.setattr(builder.Builder, "_flush", flushed)
    assert len(sm.call("payment_intents.list", limit="all", quiet=True)) == ROWS
    left = (MAX_WAITING_PAGES + MAX_REQUESTS) * 100 + builder.CHUNK
    assert max(rows for requests, rows in seen if requests < server.requests) >= ROWS - left
