"""How a watch stands, in words, and who hears of it: state, notes, problems and the listeners (views)."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from stripe_magics.events.handler_runner import Problem

_MAX_KEPT = 50  # problems and notes


class WatchStatus:
    """State, notes and problems of one watch. Each listener gets "state" with None, "note" with a text,
    "events" with rows."""

    def __init__(self) -> None:
        self.state = "not started"
        self.notes: list[str] = []
        self.problems: list[Problem] = []
        self.listeners: list[Callable[[str, Any], None]] = []
        self.when_ended: dict[object, Callable[[], object]] = {}  # by whom: called once when it has ended

    def set_state(self, state: str) -> None:
        """Change the state; listeners hear of it if it is another."""
        if state != self.state:
            self.state = state
            self.notify("state", None)

    def add_note(self, text: str) -> None:
        """Keep a note with its time, unless it is one of the last five."""
        if text and not any(each.endswith(text) for each in self.notes[-5:]):
            self.keep_note(f"{datetime.now(UTC):%H:%M:%S} {text}")

    def keep_note(self, stamped: str) -> None:
        """Keep a note as it stands."""
        self.notes = [*self.notes, stamped][-_MAX_KEPT:]
        self.notify("note", stamped)

    def add_problem(self, problem: Problem) -> None:
        """Keep what went wrong in a handler, with a note of it."""
        self.problems = [*self.problems, problem][-_MAX_KEPT:]
        self.add_note(str(problem))

    def notify(self, what: str, data: object) -> None:
        """Tell every listener; one that fails is dropped."""
        for each in list(self.listeners):
            try:
                each(what, data)
            except Exception as error:  # a page that can't be reached must not end the watch
                if each in self.listeners:
                    self.listeners.remove(each)
                self.notes.append(
                    f"A view was dropped ({type(error).__name__}: {error}). Show the watch again for another."
                )

    def run_when_ended(self) -> None:
        """Call what waits for the end, once."""
        ended, self.when_ended = self.when_ended, {}
        for call in ended.values():
            call()

    def last_words(self) -> dict[str, str]:
        """The newest problem and note, as far as there are any."""
        problems = {"problems": f"{len(self.problems)}: {self.problems[-1]}"} if self.problems else {}
        return problems | ({"note": self.notes[-1]} if self.notes else {})


def ago(moment: float | None) -> str:
    """`12 s ago`, of a moment by `time.time()`."""
    if moment is None:
        return "never"
    seconds = max(0.0, time.time() - moment)
    return f"{seconds:.0f} s ago" if seconds < 120 else f"{seconds / 60:.0f} min ago"
