"""One sending at a time, one key for each."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from stripe_magics._command import Command
from stripe_magics.forms.submission_state import Stage, Submission

COMMAND = Command(module="customers.create")


def numbered() -> Submission:
    numbers = count(1)
    return Submission(make_key=lambda: f"key-{next(numbers)}")


def test_a_second_click_finds_it_taken() -> None:
    submission = numbered()
    assert submission.arm()
    assert not submission.arm()
    assert submission.begin(COMMAND)
    assert not submission.begin(COMMAND)
    assert not submission.arm()
    assert submission.why_not == "It is being sent."


def test_after_an_answer_a_queued_click_does_nothing() -> None:
    submission = numbered()
    submission.arm()
    submission.begin(COMMAND)
    submission.finish(Stage.DONE)
    assert not submission.arm()
    submission.edited()
    assert submission.arm()
    assert submission.key == "key-2"


def test_what_was_not_sent_keeps_its_key() -> None:
    submission = numbered()
    submission.arm()
    submission.begin(COMMAND)
    submission.finish(Stage.IDLE)
    submission.edited()
    assert submission.arm()
    assert submission.key == "key-1"


def test_an_unknown_outcome_blocks_until_it_was_asked_about() -> None:
    submission = numbered()
    submission.arm()
    submission.begin(COMMAND)
    submission.finish(Stage.UNKNOWN)
    submission.edited()
    submission.renew()
    assert not submission.arm()
    assert submission.key == "key-1"
    assert submission.resume() is COMMAND
    assert submission.resume() is None
    submission.finish(Stage.DONE)
    assert submission.key == "key-1"


def test_the_outcome_of_an_earlier_call_is_asked_about_under_its_own_key() -> None:
    submission = numbered()
    submission.arm()
    submission.begin(COMMAND)
    submission.finish(Stage.UNKNOWN)
    submission.adopt("older")
    again = submission.resume()
    assert submission.key == "older"
    assert again is not None
    assert again.options.idempotency == "older"


def test_an_edit_takes_back_the_second_step() -> None:
    submission = numbered()
    submission.arm()
    submission.edited()
    assert submission.stage is Stage.IDLE
    assert submission.key == "key-1"


def test_the_users_own_key_is_used() -> None:
    submission = numbered()
    submission.arm("order-6735")
    assert submission.key == "order-6735"


def test_only_what_is_sent_can_settle() -> None:
    with pytest.raises(ValueError, match="nothing is being sent"):
        numbered().finish(Stage.DONE)


class Clicks(RuleBasedStateMachine):
    """Whatever is clicked in whatever order: never two under way, never a second key while an outcome is
    open."""

    def __init__(self) -> None:
        super().__init__()
        self.submission = numbered()
        self.under_way: list[str] = []
        self.open_key = ""

    @rule()
    def click(self) -> None:
        if self.submission.arm() and self.submission.begin(COMMAND):
            self.under_way.append(self.submission.key)

    @rule()
    def ask_again(self) -> None:
        if self.submission.resume() is not None:
            self.under_way.append(self.submission.key)

    @rule()
    def edit(self) -> None:
        self.submission.edited()

    @rule()
    def start_another(self) -> None:
        self.submission.renew()

    @rule()
    def end_well(self) -> None:
        self._end(Stage.DONE)

    @rule()
    def end_refused(self) -> None:
        self._end(Stage.REFUSED)

    @rule()
    def lose_the_answer(self) -> None:
        self._end(Stage.UNKNOWN)

    def _end(self, stage: Stage) -> None:
        if self.under_way:
            self.open_key = self.under_way.pop() if stage is Stage.UNKNOWN else ""
            if stage is not Stage.UNKNOWN:
                self.under_way.clear()
            self.submission.finish(stage)

    @invariant()
    def one_at_a_time(self) -> None:
        assert len(self.under_way) <= 1
        if self.open_key and self.submission.stage in {Stage.UNKNOWN, Stage.SENDING}:
            assert self.submission.key == self.open_key


TestClicks = Clicks.TestCase
TestClicks.settings = settings(max_examples=60, stateful_step_count=25, deadline=None, database=None)
