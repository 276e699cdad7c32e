"""A list without `created`, read again between kept ids: nothing lost, nothing twice, hardly more requests
than pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from bulk.simulated import FOREVER, List, Thing, reread, rows_of, run
from each_row import each_row
from hypothesis import given, settings
from hypothesis import strategies as st

from stripe_magics import bulk
from stripe_magics.bulk.list_requests import list_request
from stripe_magics.bulk.read_strategies import split_ids
from stripe_magics.client.pagination import parallel_paginator as engine
from stripe_magics.client.pagination.id_segments import IdSegmentReader
from stripe_magics.client.pagination.raw_pages import (
    CursorDeleted,
    FetchedPage,
    NotSortedByCreated,
    RowPosition,
    ids,
)
from stripe_magics.errors import StripeError
from stripe_magics.frames import manifest, parquet

Make = Callable[..., tuple[Any, Any]]


@st.composite
def changing(draw: Any) -> tuple[List, list[str]]:
    """A list that is created and deleted from while it is read, and cuts of an earlier day: some of them
    gone, or going."""
    random = Random(draw(st.integers(0, 10**6)))
    count, size = draw(st.integers(0, 400)), draw(st.sampled_from([3, 7, 100]))
    deleted, cuts_deleted = (
        draw(st.sampled_from([0.0, 0.3, 0.9, 1.0])),
        draw(st.sampled_from([0.0, 0.5, 0.9, 1.0])),
    )
    hours = draw(st.sampled_from([0.5, 3.0, 8.0]))
    gap = draw(st.sampled_from([1, size, 3 * size]))
    things = [Thing(f"x{number:05}", 1_000_000 - number) for number in range(count)]  # newest first
    cuts = [each.id for each in things[gap - 1 :: gap]]
    for each in things:
        if random.random() < (cuts_deleted if each.id in cuts else deleted):
            each.gone = random.uniform(-hours / 2, hours)  # before 0: already gone
    for number in range(draw(st.sampled_from([0, 1, 50]))):
        seen = random.uniform(-1.0, hours)
        things.append(
            Thing(f"n{number:05}", 2_000_000 + int(seen * 1000), seen, random.choice([FOREVER, seen + 0.5]))
        )
    if draw(st.booleans()):
        random.shuffle(cuts)  # whatever is kept, the list is read whole
    source = List(
        things,
        rate=draw(st.sampled_from([25.0, 1000.0])),
        latency=draw(st.sampled_from([0.0, 0.15, 0.6])),
        size=size,
    )
    return source, cuts


@settings(max_examples=300, deadline=None)
@given(case=changing(), slots=st.integers(1, 24))
def test_a_changing_list_is_read_whole(case: tuple[List, list[str]], slots: int) -> None:
    source, cuts = case
    pieces, reading = run(reread(source, cuts, slots=slots))
    got = [each for piece in pieces for each in rows_of(piece)]
    assert len(got) == len(set(got)) == reading.read
    assert {each.id for each in source.things if each.seen <= 0 and each.gone == FOREVER} <= set(got)
    assert set(got) <= {each.id for each in source.things}
    assert not reading.state()
    assert all(piece.rows == len(rows_of(piece)) for piece in pieces)


def listed_things(count: int) -> tuple[List, list[str]]:
    things = [Thing(f"x{number:06}", 10_000_000 - number) for number in range(count)]
    return List(things), [each.id for each in things[99::100]]


@each_row("slots", [1, 20])
def test_an_unchanged_list_costs_its_pages(slots: int) -> None:
    source, cuts = listed_things(20_000)
    pieces, _ = run(reread(source, cuts[:-1], slots=slots))
    assert source.requests == 200
    assert [each for piece in sorted(pieces, key=lambda each: each.mark[:2]) for each in rows_of(piece)] == [
        each.id for each in source.order
    ]
    assert all(piece.mark[2] == rows_of(piece)[-1] for piece in pieces)


def test_a_tenth_deleted_and_a_tenth_new() -> None:
    source, cuts = listed_things(20_000)
    chance = Random(1)
    for each in source.order:
        each.gone = -1.0 if chance.random() < 0.1 else FOREVER
    source.order[:0] = [Thing(f"n{number:05}", 20_000_000 - number) for number in range(2_000)]
    pieces, _ = run(reread(source, cuts, slots=20))
    assert sum(piece.rows for piece in pieces) == 2_000 + sum(each.gone == FOREVER for each in source.things)
    assert source.requests <= 1.15 * 220 + 20  # one for each cut that was deleted


def test_it_is_as_fast_as_the_rate() -> None:
    import asyncio

    source, cuts = listed_things(20_000)

    async def timed() -> float:
        await reread(source, cuts, slots=20)
        return asyncio.get_running_loop().time()

    assert run(timed()) <= 200 / source.rate * 1.1 + 0.5


def test_without_cuts_it_is_a_walk_in_order() -> None:
    source, _ = listed_things(1_050)
    pieces, _ = run(reread(source, [], slots=20))
    assert [each for piece in pieces for each in rows_of(piece)] == [each.id for each in source.order]
    assert source.requests == 11
    rest, _ = run(reread(source, [], after="x000899"))
    assert [each for piece in rest for each in rows_of(piece)] == [each.id for each in source.order[900:]]


def test_a_walk_can_not_go_on_from_a_deleted_row() -> None:
    source, _ = listed_things(1_050)
    source.order[899].gone = -1.0
    with pytest.raises(NotSortedByCreated):
        run(reread(source, [], after="x000899"))


def test_a_page_of_deleted_rows_is_stepped_over_in_few_requests() -> None:
    source, _ = listed_things(1_000)
    for each in source.order[401:500]:  # all but the first of the fifth page, once it was read
        each.gone = 0.75
    source.latency, source.rate = 0.15, 1e9
    source.random = type("Even", (), {"uniform": lambda *_: 0.5})()  # a page each 0.15 s
    pieces, _ = run(reread(source, [], slots=1))
    assert source.dead > 0
    got = [each for piece in pieces for each in rows_of(piece)]
    assert len(got) == len(set(got)) >= 901
    assert source.requests <= 10 + 8


@each_row(
    "page",
    [
        FetchedPage([], True, None),
        FetchedPage([RowPosition("")], True, None),
        FetchedPage([RowPosition("b"), RowPosition("a")], True, None),
    ],
    ids=["empty", "no id", "the same"],
)
def test_a_page_that_leads_nowhere(page: FetchedPage) -> None:
    async def work() -> None:
        async def fetch(params: Any) -> FetchedPage:
            return page

        async def emit(piece: Any) -> None: ...

        await IdSegmentReader(fetch, emit, slots=lambda: 1, cuts=["a"], after="a").run()

    with pytest.raises(NotSortedByCreated):
        run(work())


def test_rows_without_ids_are_all_kept() -> None:
    async def work() -> int:
        async def fetch(params: Any) -> FetchedPage:
            return FetchedPage([RowPosition(""), RowPosition("")], False, ["", ""])

        async def emit(piece: Any) -> None: ...

        reading = IdSegmentReader(fetch, emit, slots=lambda: 1)
        await reading.run()
        return reading.read

    assert run(work()) == 2


def test_a_cut_that_is_deleted_after_someone_ended_there() -> None:
    """The one above has ended at the cut; the one below it finds it gone, and only then begins: nobody but
    the first can go on."""
    log: list[str] = []

    async def work() -> list[str]:
        got: list[str] = []

        async def fetch(params: Any) -> FetchedPage:
            cursor = dict(params).get("starting_after", "")
            log.append(cursor)
            if cursor == "c":
                raise CursorDeleted
            found = {"": ["a", "c"], "a": ["d"]}[cursor]
            return FetchedPage([RowPosition(each) for each in found], False, found)

        async def emit(piece: Any) -> None:
            got.extend(rows_of(piece))

        await IdSegmentReader(fetch, emit, slots=lambda: 1, cuts=["c"]).run()
        return got

    assert run(work()) == ["a", "c", "d"]
    assert log == ["", "c", "a"]


# Over HTTP --------------------------------------------------------------------------------------------------
def test_over_http(listed: Make) -> None:
    server, connection = listed(count=5_000, errors=0.02, drops=0.01)
    request = list_request(connection, "payment_links")
    assert not engine.takes_created(request)
    server.gone.update(server.ids[:150])  # not made yet
    kept = server.ids[249::100]
    server.gone.clear()
    server.gone.update(Random(2).sample(server.ids, 200))
    parts = list(engine.pages_between(connection, request, kept))
    got = [each for part in parts for each in ids(part.body)]
    assert len(got) == len(set(got))
    assert set(got) == set(server.ids) - server.gone
    assert not parts[-1].has_more
    assert sum(part.count for part in parts) == len(got)
    faults = 0.05 * server.requests + 5
    assert server.requests <= 50 + 3 + 2 * len(set(kept) & server.gone) + faults
    assert not any("created" in each for each in server.paths)


def test_over_http_while_rows_are_deleted(listed: Make) -> None:
    server, connection = listed(count=6_000, latency=0.02)
    request = list_request(connection, "quotes")
    kept, chance = server.ids[99::100], Random(3)
    got: list[str] = []
    for part in engine.pages_between(connection, request, kept):
        server.gone.update(chance.choices([*server.ids[100:], *kept * 5], k=60))
        got += ids(part.body)
    assert len(got) == len(set(got))
    assert set(server.ids) - server.gone <= set(got)


# Kept for the next time -------------------------------------------------------------------------------------
def ids_in(folder: Path) -> list[str]:
    return list(parquet.read(folder)["id"])


def test_cuts_of_a_walk_serve_the_next_reading(listed: Make, tmp_path: Path) -> None:
    server, connection = listed(count=4_050)
    request = list_request(connection, "payment_links")
    first = bulk.save(connection, request, tmp_path / "1")
    assert server.requests == 41
    assert first["cuts"] == server.ids[99:4_050:100]
    server.gone.update(server.ids[::10])
    result = first
    for number, most in ((2, 41 + 10), (3, 43), (4, 43)):
        # 5 of the cuts are gone the first time; then they are new
        server.requests = 0
        result = bulk.save(connection, request, tmp_path / str(number), cuts=result["cuts"])
        assert sorted(ids_in(tmp_path / str(number))) == sorted(set(server.ids) - server.gone)
        assert server.requests <= most, number
        assert result["cuts"] == sorted(result["cuts"])  # these ids rise down the list
    assert len(result["cuts"]) <= 41


def test_short_pages_are_joined() -> None:
    marks = [
        (2, 1, "e", 60),
        (0, 1, "a", 100),
        (1, 1, "b", 30),
        (1, 2, "c", 50),
        (1, 3, "d", 20),
        (3, 1, "f", 5),
        (4, 1, "g", 40),
    ]
    assert split_ids(marks) == ["a", "d", "f"]
    assert split_ids([]) == split_ids([(0, 1, "a", 100)]) == []


def test_lists_with_times_keep_none(listed: Make, tmp_path: Path) -> None:
    _, connection = listed(count=1_500)
    for count, name in ((1_500, "payment_intents"), (300, "charges")):
        assert bulk.save(connection, list_request(connection, name), tmp_path / name)["cuts"] == [], count


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_stopped_reading_between_cuts_starts_over(
    listed: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    server, connection = listed(count=6_000)
    request = list_request(connection, "payment_links")
    cuts, out = server.ids[99::100], tmp_path / "out"
    if how == "stop":
        seen: list[int] = []
        saved = bulk.save(
            connection,
            request,
            out,
            cuts=cuts,
            part_rows=500,
            progress=lambda rows, _: seen.append(rows),
            stop=lambda: len(seen) > 20,
        )
        assert (saved["complete"], saved["rows"], saved["parts"]) == (False, 0, 0)
        assert "starts over" in bulk.summary(saved, out).attrs["stripe"]["notes"][0]
    else:
        write, written = manifest.write_file, []

        def killing(folder: Path, table: Any, name: str) -> Any:
            written.append(write(folder, table, name))
            if len(written) == 3:
                raise SystemExit
            return written[-1]

        monkeypatch.setattr(manifest, "write_file", killing)
        with pytest.raises(SystemExit):
            bulk.save(connection, request, out, cuts=cuts, part_rows=500)
        monkeypatch.setattr(manifest, "write_file", write)
        assert len(list(out.glob("*.parquet"))) == 3
    assert bulk.save(connection, request, out, cuts=cuts)["rows"] == 6_000
    assert sorted(ids_in(out)) == server.ids


def test_an_error_between_cuts_says_that_nothing_is_kept(listed: Make, tmp_path: Path) -> None:
    server, connection = listed(count=9_000)
    answer = server.answer

    def failing(path: str, query: dict[str, str]) -> tuple[int, bytes]:
        if server.requests > 70:
            return 403, b'{"error":{"type":"invalid_request_error","message":"no longer allowed"}}'
        return answer(path, query)

    server.answer = failing
    with pytest.raises(StripeError, match=r"no longer allowed(.|\n)*starts over"):
        bulk.save(
            connection, list_request(connection, "payment_links"), tmp_path / "out", cuts=server.ids[99::100]
        )
    assert not list((tmp_path / "out").glob("*.parquet"))


def test_a_walk_goes_on_another_day_and_keeps_its_cuts(listed: Make, tmp_path: Path) -> None:
    server, connection = listed(count=3_000)
    request, out, seen = list_request(connection, "payment_links"), tmp_path / "out", list[int]()
    saved = bulk.save(
        connection, request, out, progress=lambda rows, _: seen.append(rows), stop=lambda: len(seen) > 10
    )
    assert 1_000 <= saved["rows"] < 3_000
    saved = bulk.save(connection, request, out)
    assert saved["cuts"] == server.ids[99:2_999:100]
    assert sorted(ids_in(out)) == server.ids
    assert server.requests <= 33


def test_a_walk_whose_place_is_gone_starts_over(listed: Make, tmp_path: Path) -> None:
    server, connection = listed(count=3_000)
    request, out, seen = list_request(connection, "payment_links"), tmp_path / "out", list[int]()
    bulk.save(
        connection, request, out, progress=lambda rows, _: seen.append(rows), stop=lambda: len(seen) > 10
    )
    server.gone.update(server.ids[seen[-1] - 200 : seen[-1] + 200])
    assert bulk.save(connection, request, out)["complete"]
    assert sorted(ids_in(out)) == sorted(set(server.ids) - server.gone)


def test_a_list_that_leads_nowhere_between_cuts_is_read_by_its_cursor(listed: Make, tmp_path: Path) -> None:
    server, connection = listed(count=2_000)
    answer = server.answer

    def odd(path: str, query: dict[str, str]) -> tuple[int, bytes]:
        if query.get("starting_after") == server.ids[999]:
            server.answer = answer
            return 200, b'{"object": "list", "data": [], "has_more": true}'
        return answer(path, query)

    server.answer = odd
    saved = bulk.save(
        connection, list_request(connection, "payment_links"), tmp_path / "out", cuts=[server.ids[999]]
    )
    assert saved["rows"] == 2_000
    assert sorted(ids_in(tmp_path / "out")) == server.ids
