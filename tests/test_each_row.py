"""The table of inputs that stands in place of parametrised cases loses no check."""

from __future__ import annotations

import pytest
from each_row import each_row


def test_every_row_is_run_and_every_failure_is_named() -> None:
    seen: list[tuple[int, str]] = []

    @each_row("number", [1, 2, 3])
    @each_row("word, unused", [("a", 0), pytest.param("b", 0, id="the second")], ids=["first", "second"])
    def check(number: int, word: str, unused: int) -> None:
        seen.append((number, word))
        if number == 2:
            pytest.fail("two")
        assert number != 3 or word == "a"

    with pytest.raises(ExceptionGroup) as caught:
        check()
    assert seen == [(number, word) for number in (1, 2, 3) for word in "ab"]
    assert len(caught.value.exceptions) == 2, "the rows of the inner table stand inside those of the outer"
    lines = [
        note
        for outer in caught.value.exceptions
        if isinstance(outer, ExceptionGroup)
        for inner in outer.exceptions
        for note in inner.__notes__
    ]
    assert lines == [
        "row first: word='a', unused=0",
        "row second: word='b', unused=0",
        "row second: word='b', unused=0",
    ]


def test_an_empty_table_says_so() -> None:
    with pytest.raises(AssertionError, match="no rows"):
        each_row("number", [])


@each_row("number", [1, 2])
def test_fixtures_are_given_as_ever(number: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert tmp_path_factory.getbasetemp().exists()
    assert number
