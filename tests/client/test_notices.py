"""Stripe's clock, from the Date of its answers."""

from __future__ import annotations

from stripe_magics.client.sending.notices import StripeClock

DATE = {"date": "Thu, 01 Oct 2026 12:00:00 GMT"}
NOON = 1790856000.0


class Clocks:
    """This machine's two clocks, moved by hand."""

    def __init__(self) -> None:
        self.wall, self.steady = NOON + 300, 1000.0  # five minutes ahead of Stripe

    def pass_(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds


def test_stripe_s_time_goes_on_by_the_steady_clock() -> None:
    here = Clocks()
    clock = StripeClock(lambda: here.wall, lambda: here.steady)
    assert clock.time() is None, "not known before an answer"
    clock.measure(DATE)
    assert clock.time() == NOON
    here.pass_(90)
    assert clock.time() == NOON + 90


def test_it_is_unknown_after_this_machine_s_clock_was_set() -> None:
    here = Clocks()
    clock = StripeClock(lambda: here.wall, lambda: here.steady)
    clock.measure(DATE)
    here.wall -= 300
    assert clock.time() is None
    clock.measure(DATE)
    assert clock.time() == NOON, "until the next answer"


def test_an_answer_without_a_date_changes_nothing() -> None:
    here = Clocks()
    clock = StripeClock(lambda: here.wall, lambda: here.steady)
    clock.measure(DATE)
    for headers in ({}, {"date": ""}, {"date": "yesterday"}):
        clock.measure(headers)
        assert clock.time() == NOON
