"""Stop at every statement: a trace function that raises KeyboardInterrupt before the n-th line of some files
is run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class StatementStops:
    """Counts the lines that are run in the main thread, and stops before the one whose number is asked
    for."""

    def __init__(self, *files: str) -> None:
        self._files = frozenset(files)
        self.count = 0
        self.stop_at = 0
        self.where = ""
        self._numbers: dict[str, list[int]] | None = None

    def _trace(self, frame: Any, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename not in self._files:
            return None
        if event == "line":
            self.count += 1
            if self._numbers is not None:
                self._numbers.setdefault(f"{frame.f_code.co_filename}:{frame.f_lineno}", []).append(
                    self.count
                )
            if self.count == self.stop_at:
                self.where = f"{frame.f_code.co_filename.rpartition('/')[2]}:{frame.f_lineno}"
                raise KeyboardInterrupt
        return self._trace

    @contextmanager
    def at(self, number: int) -> Iterator[None]:
        """Stop before the line of that number; 0 only counts."""
        self.count, self.stop_at, self.where = 0, number, ""
        sys.settrace(self._trace)
        try:
            yield
        finally:
            sys.settrace(None)

    @contextmanager
    def recording(self, numbers: dict[str, list[int]]) -> Iterator[None]:
        """Note at which numbers each statement is run."""
        self._numbers = numbers
        with self.at(0):
            yield
        self._numbers = None

    def lines_of(self, work: Callable[[], object]) -> int:
        """How many lines a piece of work runs."""
        with self.at(0):
            work()
        return self.count
