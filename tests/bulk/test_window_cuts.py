"""Where unread time is cut: arithmetic that always covers all of it."""

from __future__ import annotations

import pytest
from each_row import each_row
from hypothesis import given, settings
from hypothesis import strategies as st

from stripe_magics.client.pagination import window_cuts
from stripe_magics.client.pagination.raw_pages import RowPosition


@settings(max_examples=200, deadline=None)
@given(pages=st.floats(0.01, 1e7), slots=st.integers(1, 48), is_even=st.booleans())
def test_the_pieces_are_all_of_it(pages: float, slots: int, *, is_even: bool) -> None:
    for sizes in (window_cuts.first_cut(pages, slots), window_cuts.rest_cut(pages, slots, is_even=is_even)):
        assert sum(sizes) == pytest.approx(pages, rel=1e-6)
        assert 1 <= len(sizes) <= slots
        assert min(sizes) > 0


@settings(max_examples=100, deadline=None)
@given(rows=st.floats(-500, 1e6), under_way=st.integers(1, 2), is_busy=st.booleans())
def test_each_reader_has_a_share(rows: float, under_way: int, *, is_busy: bool) -> None:
    assert 0 <= window_cuts.helper_share(rows, under_way, from_above=is_busy) < 1


def test_cuts_fall() -> None:
    cuts = window_cuts.seconds(1_000, 10.0, [0.001] * 5 + [1.0] * 3)
    assert cuts == sorted(set(cuts), reverse=True)
    assert cuts[0] < 1_000


def rows(*times: int) -> list[RowPosition]:
    return [RowPosition(str(number), each) for number, each in enumerate(times)]


@each_row(
    ("times", "density"),
    [
        ([10_000 - number * 10 for number in range(100)], 0.1),  # even
        ([100_000 - number * 1_000 for number in range(60)] + [40_000 - each for each in range(40)], 1.0),
        ([100_000 - each for each in range(70)] + [90_000 - each * 1_000 for each in range(30)], 0.001),
    ],
    ids=["even", "a burst begins", "a burst has ended"],
)
def test_the_density_is_that_of_where_the_page_ends(times: list[int], density: float) -> None:
    assert window_cuts.end_density(rows(*times)) == pytest.approx(density, rel=0.05)


def test_batches_that_come_and_go_have_the_density_of_the_page() -> None:
    times = [100_000 - each for each in range(40)] + [10_000 - each for each in range(60)]
    assert window_cuts.end_density(rows(*times)) == pytest.approx(100 / 90_060, rel=0.01)
