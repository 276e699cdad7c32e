"""Pages: their cursors, their limit, and that a short list is never passed off as a whole one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from fault_server import RATE, Fault, FaultServer, error

from stripe_magics.client.pagination import parallel_paginator
from stripe_magics.client.pagination.paginator import pages
from stripe_magics.client.pagination.raw_pages import ListPage, NotSortedByCreated
from stripe_magics.client.shared_connection import Connection
from stripe_magics.errors import IncompleteList, InvalidRequest, StoppedList, StripeUnavailable
from stripe_magics.request import Request

LIST = Request(
    module="customers.list",
    method="GET",
    path="/v1/customers",
    returns="list[customer]",
    lists=True,
    limit=None,
)


def fill(server: FaultServer, count: int) -> list[str]:
    for number in range(count):
        server.objects[f"cus_{number}"] = {
            "id": f"cus_{number}",
            "object": "customer",
            "created": number,
            "livemode": False,
        }
    return [f"cus_{number}" for number in reversed(range(count))]


def ids(connection: Connection, request: Request) -> list[str]:
    return [row["id"] for answer in pages(connection, request) for row in answer.rows]


@pytest.mark.parametrize(("count", "requests"), [(0, 1), (7, 1), (100, 1), (101, 2), (200, 2), (250, 3)])
def test_T99_all_pages(server: FaultServer, connection: Connection, count: int, requests: int) -> None:
    expected = fill(server, count)
    assert ids(connection, LIST) == expected
    assert len(server.seen) == requests


def test_T100_filters_expands_and_headers_stand_on_every_page(
    server: FaultServer, connection: Connection
) -> None:
    fill(server, 250)
    filtered = replace(
        LIST,
        params=(("email", "a@b.c"), ("expand[0]", "data.default_source")),
        headers=(("Stripe-Account", "acct_2"),),
    )
    ids(connection, filtered)
    assert len(server.seen) == 3
    for each in server.seen:
        assert dict(each.query)["email"] == "a@b.c"
        assert dict(each.query)["expand[0]"] == "data.default_source"
        assert each.headers["stripe-account"] == "acct_2"
        assert each.headers["stripe-version"] == "2025-02-24.acacia"


def test_T101_backwards_and_never_both_ways(server: FaultServer, connection: Connection) -> None:
    expected = fill(server, 250)
    found = [
        [row["id"] for row in answer.rows]
        for answer in pages(connection, replace(LIST, params=(("ending_before", "cus_0"),)))
    ]
    assert sorted(each for page in found for each in page) == sorted(expected[:-1])
    assert all("starting_after" not in dict(each.query) for each in server.seen)
    assert found[0][-1] == "cus_1"
    count = len(server.seen)
    with pytest.raises(InvalidRequest, match="not both"):
        ids(connection, replace(LIST, params=(("ending_before", "a"), ("starting_after", "b"))))
    assert len(server.seen) == count


def test_T103_an_error_on_the_second_page_leaves_the_first(
    server: FaultServer, connection: Connection
) -> None:
    expected = fill(server, 250)
    server.script = [Fault("never", "none"), *[error(500, "api_error")] * 3]
    found: list[str] = []
    with pytest.raises(IncompleteList, match="100 rows were read") as caught:
        for answer in pages(connection, LIST):
            found += [row["id"] for row in answer.rows]
    assert found == expected[:100]
    assert caught.value.rows_read == 100
    server.script = [error(500, "api_error")] * 3
    with pytest.raises(StripeUnavailable):
        ids(connection, LIST)


@pytest.mark.parametrize(("limit", "sizes"), [(1, [1]), (100, [100]), (101, [100, 1]), (230, [100, 100, 30])])
def test_T104_the_limit_is_the_total(
    server: FaultServer, connection: Connection, limit: int, sizes: list[int]
) -> None:
    expected = fill(server, 250)
    assert ids(connection, replace(LIST, limit=limit)) == expected[:limit]
    assert [int(dict(each.query)["limit"]) for each in server.seen] == sizes


def test_T104_a_limit_of_nothing(server: FaultServer, connection: Connection) -> None:
    with pytest.raises(InvalidRequest, match="at least 1"):
        ids(connection, replace(LIST, limit=0))
    assert server.seen == []


def test_T105_searches_go_by_page(server: FaultServer, connection: Connection) -> None:
    def page(number: int, following: str | None) -> Fault:
        data = [{"id": f"cus_{number}", "object": "customer"}]
        return Fault(
            "after",
            "answer",
            200,
            (),
            {
                "object": "search_result",
                "data": data,
                "has_more": following is not None,
                "next_page": following,
            },
        )

    server.script = [page(1, "two"), RATE, page(2, "three"), page(3, None)]
    request = replace(LIST, path="/v1/customers/search", params=(("query", "name:'x'"),))
    assert ids(connection, request) == ["cus_1", "cus_2", "cus_3"]
    assert [dict(each.query).get("page") for each in server.seen] == [None, "two", "two", "three"]


def test_B49_a_rate_limit_in_the_middle(server: FaultServer, connection: Connection) -> None:
    expected = fill(server, 250)
    server.script = [Fault("never", "none"), RATE, RATE]
    assert ids(connection, LIST) == expected
    assert len(server.seen) == 5


@pytest.mark.parametrize(
    "second",
    [
        {"object": "list", "data": [], "has_more": True},
        {"object": "list", "data": [{"id": "cus_150", "object": "customer"}], "has_more": True},
        {"object": "list", "data": [{"object": "customer"}], "has_more": True},
        {"object": "list", "data": [None], "has_more": True},
    ],
)
def test_B48_a_list_that_goes_nowhere_is_an_error(
    server: FaultServer, connection: Connection, second: dict[str, object]
) -> None:
    fill(server, 250)
    server.script = [Fault("never", "none"), *[Fault("before", "answer", 200, (), second)] * 3]
    with pytest.raises(IncompleteList, match="incomplete"):
        list(pages(connection, LIST))


def test_B48_an_empty_first_page_that_says_there_is_more(server: FaultServer, connection: Connection) -> None:
    server.script = [Fault("before", "answer", 200, (), {"object": "list", "data": [], "has_more": True})]
    with pytest.raises(IncompleteList):
        ids(connection, LIST)


def test_B36_stop_in_the_middle(server: FaultServer, connection: Connection) -> None:
    fill(server, 250)
    found = 0
    real = connection.send

    def send(request: Request) -> object:
        if found:
            raise KeyboardInterrupt
        return real(request)

    connection.send = send  # type: ignore[method-assign, assignment]
    with pytest.raises(StoppedList, match="100 rows") as caught:
        for answer in pages(connection, LIST):
            found += len(answer.rows)
    assert isinstance(caught.value, KeyboardInterrupt)
    assert found == 100


def test_progress_and_stop_are_heard(server: FaultServer, connection: Connection) -> None:
    fill(server, 250)
    pages_read: list[tuple[int, int]] = []
    list(
        pages(
            connection,
            LIST,
            progress=lambda rows, count: pages_read.append((rows, count)),
            stop=lambda: len(pages_read) == 2,
        )
    )
    assert pages_read == [(100, 1), (200, 2)]


def test_one_object_is_one_page(server: FaultServer, connection: Connection) -> None:
    fill(server, 1)
    request = Request(
        module="customers.retrieve", method="GET", path="/v1/customers/cus_0", returns="customer"
    )
    assert [answer.data["id"] for answer in pages(connection, request)] == ["cus_0"]


@pytest.mark.parametrize("remembered", [10_000, 50])
def test_a_list_that_is_not_sorted_is_read_again_by_its_cursor(
    server: FaultServer, connection: Connection, monkeypatch: pytest.MonkeyPatch, remembered: int
) -> None:
    """None doubled, none lost; where too many rows went out to be known again, it is said."""
    expected = fill(server, 450)
    read, real = [], parallel_paginator.pages

    def odd(*args: Any, **options: Any) -> Iterator[ListPage]:
        for page in real(*args, **options):
            read.append(page)
            yield page
            if len(read) == 1:
                raise NotSortedByCreated("cus_9")

    monkeypatch.setattr(parallel_paginator, "pages", odd)
    monkeypatch.setattr(parallel_paginator, "MAX_REMEMBERED_IDS", remembered)
    if remembered == 50:
        with pytest.raises(IncompleteList, match="not sorted by creation time"):
            ids(connection, LIST)
    else:
        found = ids(connection, LIST)
        assert sorted(found) == sorted(expected)
        assert sum(page.count for page in read) == 100
