"""The windows: nothing lost, nothing twice, whatever happens to the list meanwhile."""

from __future__ import annotations

import math
from random import Random
from typing import Any

import pytest
from bulk.list_shapes import SHAPES, measure
from bulk.simulated import FOREVER, List, Thing, pull, run
from each_row import each_row
from hypothesis import given, settings
from hypothesis import strategies as st

from stripe_magics.client.pagination.raw_pages import FetchedPage, NotSortedByCreated, RowPosition, RowSlice
from stripe_magics.client.pagination.time_windows import TimeWindowReader
from stripe_magics.errors import InvalidRequest


@st.composite
def changing(draw: Any) -> List:
    count = draw(st.integers(0, 2500))
    shape = draw(st.sampled_from(["even", "burst", "steep", "one second", "few seconds"]))
    random = Random(draw(st.integers(0, 10**6)))
    span = draw(st.sampled_from([1, 50, 5000, 10**7]))
    at = {
        "even": lambda: random.randrange(span),
        "burst": lambda: (
            span // 3 + random.randrange(max(1, span // 100))
            if random.random() < 0.8
            else random.randrange(span)
        ),
        "steep": lambda: int(min(span - 1, random.expovariate(8) * span)),
        "one second": lambda: 0,
        "few seconds": lambda: random.randrange(min(span, 4)),
    }[shape]
    deleted, late, new = (
        draw(st.sampled_from([0.0, 0.3, 0.9])),
        draw(st.sampled_from([0.0, 0.1])),
        draw(st.sampled_from([0, 200])),
    )
    things = []
    for number in range(count):
        thing = Thing(f"x{number:05}", 1_000_000 + at())
        if random.random() < deleted:
            thing.gone = random.uniform(0, 6)
        if random.random() < late:
            thing.seen = random.uniform(0, 6)
        things.append(thing)
    for number in range(new):
        seen = random.uniform(0.01, 6)
        things.append(
            Thing(
                f"n{number:05}",
                1_000_000 + span + int(seen),
                seen=seen,
                gone=random.choice([FOREVER, seen + 1]),
            )
        )
    random.shuffle(things)
    return List(
        things,
        rate=draw(st.sampled_from([25.0, 100.0])),
        latency=draw(st.sampled_from([0.0, 0.15, 0.4])),
        seed=draw(st.integers(0, 99)),
        deaf=draw(st.sampled_from([False, False, True])),
    )


@settings(max_examples=120, deadline=None)
@given(
    source=changing(),
    slots=st.integers(1, 48),
    floor=st.sampled_from([1, 999_990, 1_000_000, 2_000_000]),
    kill=st.sampled_from([None, 1, 5]),
)
def test_a_changing_list_is_read_whole(source: List, slots: int, floor: int, kill: int | None) -> None:
    got, sweep = run(pull(source, slots=slots, floor=floor, kill_after=kill))
    assert len(got) == len(set(got))
    stable = {each.id for each in source.things if each.seen <= 0 and each.gone == FOREVER}
    assert stable <= set(got)
    assert set(got) <= {each.id for each in source.things}
    assert not sweep.state()


@settings(max_examples=60, deadline=None)
@given(source=changing(), slots=st.integers(1, 24), limit=st.integers(101, 3000))
def test_a_limit_takes_the_newest(source: List, slots: int, limit: int) -> None:
    got, sweep = run(pull(source, slots=slots, limit=limit))
    assert len(got) == len(set(got))
    by_id = {each.id: each for each in source.things}
    stable = [each for each in source.order if each.seen <= 0 and each.gone == FOREVER]
    newest = sorted(got, key=lambda each: -by_id[each].created)[:limit]
    if len(newest) < limit:
        assert {each.id for each in stable} <= set(newest)
    else:
        unread_from = by_id[newest[-1]].created
        assert {each.id for each in stable if each.created > unread_from} <= set(newest)


def spread_evenly(count: int, step: int = 60) -> List:
    return List([Thing(f"x{number:06}", 10_000_000 + number * step) for number in range(count)])


def test_a_hundred_cost_one_request() -> None:
    source = spread_evenly(100)
    got, _ = run(pull(source))
    assert len(got) == 100
    assert source.requests == 0  # beside the first page


@each_row("shape", ["even", "burst", "steep"])
def test_few_requests_more_than_pages(shape: str) -> None:
    chance = Random(5)
    year = 2 * 365 * 86400
    at = {
        "even": lambda: chance.randrange(year),
        "burst": lambda: (
            int(year * 0.9) + chance.randrange(7 * 86400) if chance.random() < 0.5 else chance.randrange(year)
        ),
        "steep": lambda: year - 1 - int(min(year - 1, chance.expovariate(5) * year)),
    }[shape]
    source = List([Thing(f"x{number:06}", 1_600_000_000 + at()) for number in range(20_000)])
    got, _ = run(pull(source, slots=20, floor=1_600_000_000))
    assert len(set(got)) == 20_000
    assert source.requests <= 1.15 * 200


def test_a_limit_reads_hardly_more_than_it_needs() -> None:
    source = spread_evenly(50_000)
    got, _ = run(pull(source, slots=20, limit=5_000, floor=10_000_000))
    assert len(got) >= 5_000
    assert source.requests <= 75


def test_it_is_as_fast_as_the_rate() -> None:
    import asyncio

    source = spread_evenly(20_000)

    async def timed() -> float:
        await pull(source, slots=20, floor=10_000_000)
        return asyncio.get_running_loop().time()

    assert run(timed()) <= (source.requests / source.rate) * 1.15 + 0.3


class Odd:
    """A list that isn't sorted by created, leaves it out, or makes no progress."""

    def __init__(self, *pages: FetchedPage) -> None:
        self.pages = list(pages)

    async def fetch(self, params: Any) -> FetchedPage:
        return self.pages.pop(0)


def rows(*times: int | None, first: int = 0) -> list[RowPosition]:
    return [RowPosition(f"x{first + number}", each) for number, each in enumerate(times)]


@each_row(
    "second",
    [
        FetchedPage(rows(5, 7, first=10), True, None),
        FetchedPage(rows(50, first=10), True, None),
        FetchedPage(rows(None, first=10), True, None),
        FetchedPage([], True, None),
        FetchedPage(rows(20, 10), True, None),
    ],
    ids=["rising", "outside", "without created", "empty with more", "the same page"],
)
def test_a_list_that_is_not_sorted_is_refused(second: FetchedPage) -> None:
    async def work() -> None:
        async def emit(piece: RowSlice) -> None: ...

        sweep = TimeWindowReader(Odd(second).fetch, emit, slots=lambda: 1, floor=1)
        sweep.begin(FetchedPage(rows(20, 10), True, None))
        await sweep.run()

    with pytest.raises(NotSortedByCreated):
        run(work())


def test_whole_since_says_how_far_down_nothing_is_missing() -> None:
    async def work() -> TimeWindowReader:
        async def emit(piece: RowSlice) -> None:
            raise InterruptedError

        source = spread_evenly(1000)
        sweep = TimeWindowReader(source.fetch, emit, slots=lambda: 1, floor=1)
        sweep.begin(source.page({"limit": "100"}, 0))
        oldest = source.order[99].created
        assert sweep.complete_since == oldest + 1
        with pytest.raises(InterruptedError):
            await sweep.run()
        return sweep

    assert not math.isnan(run(work()).complete_since or 0)


@each_row("shape", SHAPES)
def test_windows_are_not_split_in_empty_time(shape: str) -> None:
    """Whatever the shape of the data, few requests find nothing; the benchmark `bulk_windows.py` has more
    sizes and seeds."""
    for count, requests, seconds in ((1_000, 23 + 6, 1.1), (10_000, 122 + 18, 2.2), (50_000, 562, 6.48)):
        measured = measure(shape, count, seed=1)
        assert (measured.lost, measured.double) == (0, 0)
        assert measured.requests <= requests, count
        assert measured.empty <= 20, count
        assert measured.seconds <= seconds, count


def test_the_slots_of_a_long_list_are_filled_at_once() -> None:
    """What the first page says is a long list has all its readers before the first of them is answered."""
    measured = measure("uniform", 10_000, burst=10.0)
    began = measured.sent[1]  # after the first page
    assert sum(began <= sent < began + 0.12 for sent in measured.sent) == 19


@each_row("shape", ["uniform", "growing", "dead gap", "spike", "two islands", "daily batches", "one hour"])
def test_a_short_list_costs_few_requests_whatever_its_first_page_says(shape: str) -> None:
    """Two islands and one hour look like lists of 46,000 and 12 million rows."""
    for seed in range(6):
        assert measure(shape, 1_000, seed=seed).requests <= 10 * 1.10 + 12, seed


@each_row(("shape", "seconds"), [("spike", 0.70), ("two islands", 0.675), ("one hour", 0.70)])
def test_a_burst_is_read_in_two_round_trips(shape: str, seconds: float) -> None:
    """Small windows beside what is known of a burst, growing ones below it: halves of the time below needed a
    third and a fourth round trip."""
    runs = [measure(shape, 1_000, seed=seed).seconds for seed in range(6)]
    assert sum(runs) / len(runs) <= seconds


@each_row(("shape", "count"), [("uniform", 10_000), ("dead gap", 10_000), ("spike", 50_000)])
def test_all_readers_end_together(shape: str, count: int) -> None:
    """Hardly any time but what the rate needs for the requests: two latencies beside it, and no chain of
    pages that goes on alone at the end."""
    runs = [measure(shape, count, seed=seed) for seed in range(6)]
    over = [each.seconds - each.requests / 100 - 2 * 0.15 for each in runs]
    assert sum(over) / len(over) <= 0.07


def in_one_second(count: int) -> List:
    """Rows above and below, a second with so many rows between them."""
    things = [Thing(f"a{number:06}", 10_000_000 + number * 60) for number in range(1000)]
    things += [Thing(f"b{number:06}", 10_100_000) for number in range(count)]
    things += [Thing(f"c{number:06}", 10_200_000 + number * 60) for number in range(1000)]
    return List(things, latency=0.5)


def test_one_second_has_two_readers() -> None:
    """No window can split a second; it is read from both ends, and the two meet at a row."""
    import asyncio

    source = in_one_second(3000)

    async def timed() -> float:
        got, reading = await pull(source, slots=20, floor=10_000_000)
        assert sorted(got) == sorted(each.id for each in source.things)
        assert not reading.state()
        return asyncio.get_running_loop().time()

    seconds = run(timed())
    from_below = [params for params in source.log if "ending_before" in dict(params)]
    assert len(from_below) >= 12
    assert seconds < 30 * 0.5 * 0.8  # one reader needs thirty pages' time, of 0.6 s at the most
    assert source.requests <= 50 + 15


def test_where_ending_before_is_not_obeyed_the_list_is_read_from_above() -> None:
    source = in_one_second(1000)
    source.deaf = True
    got, _ = run(pull(source, slots=20, floor=10_000_000))
    assert sorted(got) == sorted(each.id for each in source.things)
    assert any("ending_before" in dict(params) for params in source.log)


def test_where_ending_before_is_refused_the_list_is_read_from_above(monkeypatch: pytest.MonkeyPatch) -> None:
    source, fetch = in_one_second(1000), List.fetch

    async def refusing(self: List, params: Any) -> FetchedPage:
        page = await fetch(self, params)
        if "ending_before" in dict(params):
            raise InvalidRequest("Received unknown parameter: ending_before")
        return page

    monkeypatch.setattr(List, "fetch", refusing)
    got, _ = run(pull(source, slots=20, floor=10_000_000))
    assert sorted(got) == sorted(each.id for each in source.things)
    assert any("ending_before" in dict(params) for params in source.log)


def test_a_page_from_below_skips_empty_time() -> None:
    """Two islands with a year between them: the row above the lower one is the lowest of the upper one."""
    things = [Thing(f"a{number:06}", 10_000_000 + number * 60) for number in range(3000)]
    things += [Thing(f"b{number:06}", 50_000_000 + number * 60) for number in range(3000)]
    source = List(things)
    got, _ = run(pull(source, slots=20, floor=10_000_000))
    assert sorted(got) == sorted(each.id for each in things)
    assert any("ending_before" in dict(params) for params in source.log)
    assert source.requests <= 60 * 1.1 + 16
