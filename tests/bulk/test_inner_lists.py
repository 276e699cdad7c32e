"""What is cut is fetched or said: lists inside of objects, rows that default filters hide."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stripe_magics import bulk
from stripe_magics.bulk.inner_lists import cut_lists
from stripe_magics.bulk.list_frame import read_frame
from stripe_magics.bulk.list_requests import list_request
from stripe_magics.catalogue.list_defaults import LIST_DEFAULTS
from stripe_magics.pipeline import call

Make = Callable[..., tuple[Any, Any]]
LINES = 230


def line(number: int) -> dict[str, Any]:
    return {"id": f"il_{number:04}", "object": "line_item", "amount": number}


def with_inner_lists(server: Any, *, refuse: bool = False) -> None:
    """Every 50th object has 230 lines, of which ten come with it."""
    for number in range(0, len(server.bodies), 50):
        body = json.loads(server.bodies[number])
        body["lines"] = {
            "object": "list", "data": [line(each) for each in range(10)], "has_more": True,
            "url": f"/v1/invoices/{body['id']}/lines",
        }  # fmt: skip
        server.bodies[number] = json.dumps(body).encode()
    answer = server.answer

    def answering(path: str, query: dict[str, str]) -> tuple[int, bytes]:
        if not path.endswith("/lines"):
            return answer(path, query)
        if refuse:
            return 404, b'{"error":{"type":"invalid_request_error","code":"resource_missing"}}'
        first = int(query["starting_after"].removeprefix("il_")) + 1
        rows = [line(each) for each in range(first, min(LINES, first + int(query["limit"])))]
        page = {"object": "list", "data": rows, "has_more": first + len(rows) < LINES}
        return 200, json.dumps(page).encode()

    server.answer = answering


def amounts(frame: Any) -> list[int]:
    """How many lines each object that has some has."""
    cells = [cell for cell in frame["lines"] if cell is not None and len(cell)]
    assert all([row["amount"] for row in cell] == list(range(len(cell))) for cell in cells)
    return [len(cell) for cell in cells]


def test_inner_lists_are_fetched_whole(listed: Make) -> None:
    server, connection = listed(count=250)
    with_inner_lists(server)
    frame = read_frame(connection, list_request(connection, "invoices"))
    assert amounts(frame) == [LINES] * 5
    assert frame.attrs["stripe"]["complete"]
    assert sum("/lines" in each for each in server.paths) == 5 * 3


def test_what_can_not_be_fetched_is_said(listed: Make, tmp_path: Path) -> None:
    server, connection = listed(count=250)
    with_inner_lists(server, refuse=True)
    frame = read_frame(connection, list_request(connection, "invoices"))
    assert amounts(frame) == [10] * 5
    assert frame.attrs["stripe"]["complete"] is False
    assert "5 lists inside of objects are cut" in frame.attrs["stripe"]["notes"][0]
    saved = bulk.save(connection, list_request(connection, "invoices"), tmp_path / "out")
    assert saved["complete"] is False
    assert "5 lists inside of objects are cut" in saved["note"]
    again = bulk.save(connection, list_request(connection, "invoices"), tmp_path / "out")
    assert again["complete"] is False


@pytest.mark.parametrize(
    "page",
    [
        {"object": "list", "data": [line(9)], "has_more": True},
        {"object": "list", "data": [], "has_more": True},
        {"object": "list", "data": [{"object": "line_item", "amount": 10}], "has_more": True},
    ],
    ids=["the same rows again", "no rows", "a row without an id"],
)
def test_a_list_that_does_not_get_on_is_cut_after_one_page(listed: Make, page: dict[str, Any]) -> None:
    server, connection = listed(count=250)
    with_inner_lists(server)
    answer = server.answer
    server.answer = lambda path, query: (
        (200, json.dumps(page).encode()) if path.endswith("/lines") else answer(path, query)
    )
    frame = read_frame(connection, list_request(connection, "invoices"))
    assert frame.attrs["stripe"]["complete"] is False
    assert "5 lists inside of objects are cut" in frame.attrs["stripe"]["notes"][0]
    assert sum("/lines" in each for each in server.paths) == 5


def test_a_mirror_has_them_whole(listed: Make, tmp_path: Path) -> None:
    server, connection = listed(count=250)
    with_inner_lists(server)
    result = bulk.sync(tmp_path, "invoices", connection=connection, quiet=True)
    assert result["complete"].all()
    counts = bulk.sql(
        "select json_array_length(lines->'data') as n, lines from invoices where lines is not null",
        target=tmp_path,
    )
    numbers = [
        len(json.loads(text)["data"] if text.startswith("{") else json.loads(text))
        for text in counts["lines"]
    ]
    assert numbers == [LINES] * 5


def test_only_lists_that_say_so_are_cut() -> None:
    whole = {"object": "list", "data": [], "has_more": False}
    cut = {
        "object": "list",
        "data": [{"id": "a", "object": "x", "inner": {"object": "list", "data": [], "has_more": True}}],
        "has_more": True,
    }
    assert list(cut_lists({"a": whole, "b": [cut]})) == [cut, cut["data"][0]["inner"]]  # type: ignore[index]
    assert list(cut_lists({"metadata": {"has_more": "true"}})) == []


# Default filters --------------------------------------------------------------------------------------------
def test_subscriptions_are_pulled_with_the_canceled_ones(sandbox: Any, tmp_path: Path) -> None:
    every = call("subscriptions.list", status="all", limit="all", connection=sandbox)
    assert (every["status"] == "canceled").any()
    pulled = bulk.pull("subscriptions", connection=sandbox, quiet=True)
    assert set(pulled["id"]) == set(every["id"])
    bulk.sync(tmp_path, "subscriptions", connection=sandbox, quiet=True)
    assert set(bulk.sql("select id from subscriptions", target=tmp_path)["id"]) == set(every["id"])
    active = bulk.pull("subscriptions", status="active", connection=sandbox, quiet=True)
    assert set(active["status"]) == {"active"}


def test_a_mirror_that_was_read_without_them_is_read_whole(
    sandbox: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("stripe_magics.bulk.list_requests.list_default", lambda path, params: None)
        few = bulk.sync(tmp_path, "subscriptions", connection=sandbox, quiet=True)
    result = bulk.sync(tmp_path, connection=sandbox, quiet=True)
    assert result["how"].tolist() == ["whole"]
    assert result["rows"][0] > few["rows"][0]
    assert bulk.sync(tmp_path, connection=sandbox, quiet=True)["how"].tolist() == ["changes"]


def test_limit_all_says_what_is_left_out(sandbox: Any) -> None:
    for path, default in LIST_DEFAULTS.items():
        if path == "/v1/reviews":  # which the sandbox doesn't serve
            continue
        frame = call(f"{path.removeprefix('/v1/')}.list", limit="all", connection=sandbox)
        assert default.note() in frame.attrs["stripe"]["notes"], path
    every = call("subscriptions.list", status="all", limit="all", connection=sandbox)
    assert not any("not among them" in note for note in every.attrs["stripe"].get("notes", []))
