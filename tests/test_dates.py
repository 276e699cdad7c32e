"""One way of writing dates, periods and lengths, wherever one is taken."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from each_row import each_row

from stripe_magics import dates, pipeline
from stripe_magics._day_spellings import usual_spelling
from stripe_magics.client.shared_connection import connect

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 31, 10, 30, tzinfo=UTC)  # a Tuesday


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp())


@each_row(
    ("written", "begin", "end"),
    [
        ("2026-09", "2026-09-01", "2026-10-01"),
        ("2026-09-30", "2026-09-30", "2026-10-01"),
        ("2025-12", "2025-12-01", "2026-01-01"),
        ("2026", "2026-01-01", "2027-01-01"),
        ("2026-Q1", "2026-01-01", "2026-04-01"),
        ("2026 q4", "2026-10-01", "2027-01-01"),
        ("today", "2026-03-31", "2026-04-01"),
        ("Yesterday", "2026-03-30", "2026-03-31"),
        ("last week", "2026-03-23", "2026-03-30"),
        ("this week", "2026-03-30", "2026-04-06"),
        ("last month", "2026-02-01", "2026-03-01"),
        ("this month", "2026-03-01", "2026-04-01"),
        ("next month", "2026-04-01", "2026-05-01"),
        ("last quarter", "2025-10-01", "2026-01-01"),
        ("this quarter", "2026-01-01", "2026-04-01"),
        ("last year", "2025-01-01", "2026-01-01"),
        ("last 7 days", "2026-03-24T12:30", "2026-03-31T12:30"),
        ("past 2 hours", "2026-03-31T10:30", "2026-03-31T12:30"),
        ("2026-03-29", "2026-03-29", "2026-03-30"),  # a day of 23 hours
    ],
)
def test_periods(written: str, begin: str, end: str) -> None:
    assert dates.span(written, BERLIN, NOW) == (at(begin), at(end))


@each_row(
    ("written", "moment"),
    [
        ("2h", "2026-03-31T10:30"),
        ("2 hours ago", "2026-03-31T10:30"),
        ("3d", "2026-03-28T12:30"),
        ("3 days", "2026-03-28T12:30"),
        ("90m", "2026-03-31T11:00"),
        ("1 month ago", "2026-02-28T12:30"),
        ("1 year ago", "2025-03-31T12:30"),
        ("yesterday", "2026-03-30"),
        ("last month", "2026-02-01"),
        ("2026-09", "2026-09-01"),
        ("in 1 day", "2026-04-01T12:30"),
    ],
)
def test_where_something_begins(written: str, moment: str) -> None:
    assert dates.since(written, BERLIN, NOW) == at(moment)


@each_row(
    ("length", "moment"),
    [
        ("3d", "2026-04-03T12:30"),
        ("12h", "2026-04-01T00:30"),
        ("2 weeks", "2026-04-14T12:30"),
        ("1d 12h", "2026-04-02T00:30"),
        ("1 month", "2026-04-30T12:30"),
        ("1 year", "2027-03-31T12:30"),
        ("in 2 days", "2026-04-02T12:30"),
    ],
)
def test_lengths(length: str, moment: str) -> None:
    assert dates.shift(length, 1, BERLIN, NOW) == at(moment)


@each_row("text", ["x", "3", "d", "-3d", "3 fortnights", "", "1000000 years"])
def test_what_is_no_length(text: str) -> None:
    with pytest.raises(ValueError, match="duration|calendar"):
        dates.shift(text, 1, BERLIN, NOW)


def test_relative_words_count_from_the_sandboxs_own_clock() -> None:
    connection = connect(sandbox=True, demo=False, zone="Europe/Berlin")
    assert connection.sandbox is not None
    connection.sandbox.advance(40 * 86400)
    clock = datetime.fromtimestamp(connection.sandbox.now, UTC)
    request = pipeline.call("customers.list", created="yesterday", dry_run=True)
    begin, end = dates.span("yesterday", BERLIN, clock)
    assert dict(request.params)["created[gte]"] == str(begin)
    assert dict(request.params)["created[lt]"] == str(end)


SPELLINGS = [
    ("31.01.2026", "2026-01-31"),
    ("1.2.2026", "2026-02-01"),
    ("31/01/2026", "2026-01-31"),
    ("1/31/2026", "2026-01-31"),
    ("2/2/2026", "2026-02-02"),
    ("2026/1/31", "2026-01-31"),
    ("2026.01.31.", "2026-01-31"),
    ("31-01-2026", "2026-01-31"),
    ("31-Jan-2026", "2026-01-31"),
    ("31 Jan 2026", "2026-01-31"),
    ("1st of May", "1st of May"),
    ("1st May 2026", "2026-05-01"),
    ("January 31, 2026", "2026-01-31"),
    ("Sept 3rd, 2026", "2026-09-03"),
    ("2026\u201101\u201131", "2026-01-31"),
    ("31.01.2026 9:30", "2026-01-31 09:30"),
    ("1/31/2026, 14:30:05", "2026-01-31 14:30:05"),
    ("31 Jat 2026", "31 Jat 2026"),
    ("1/2/26", "1/2/26"),
    ("2026-01-31", "2026-01-31"),
    ("1.5", "1.5"),
]


@each_row(("text", "usual"), SPELLINGS)
def test_days_of_other_countries(text: str, usual: str) -> None:
    assert usual_spelling(text) == usual


@each_row("text", ["1/2/2026", "01-02-2026", "12/11/2026"])
def test_a_day_that_can_be_two_is_refused_with_both(text: str) -> None:
    with pytest.raises(ValueError, match=r"can be two days; write 2026-\d\d-\d\d or 2026-\d\d-\d\d"):
        dates.moment(text, UTC)


def test_days_that_are_none_stay_refused() -> None:
    for text in ("31.02.2026", "13.13.2026", "2026/13/01", "45000", "1/2/26", "31012026"):
        with pytest.raises(ValueError, match="is not a date"):
            dates.moment(text, UTC)


def test_the_end_of_a_span_is_its_last_day() -> None:
    now = datetime(2026, 2, 10, 12, tzinfo=UTC)
    for text, day in (
        ("end of month", "2026-02-28"),
        ("End of the month", "2026-02-28"),
        ("end of next month", "2026-03-31"),
        ("end of quarter", "2026-03-31"),
        ("end of year", "2026-12-31"),
        ("end of week", "2026-02-15"),
    ):
        assert dates.moment(text, UTC, now) == dates.moment(day, UTC), text
        assert dates.between(text, UTC, now=now) == dates.between(day, UTC), text
