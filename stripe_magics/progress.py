"""How far a long call is: one bar for every interface, which appears when a second has passed and goes away
at the end.

- Called with (rows so far, pages so far). `expect` says how many rows there will be; without it there is no
  time left to show.
- Until it appears nothing is drawn and tqdm isn't imported. The clock starts with the first word, not before:
  what is imported until then is not the list's time. Rows that were there at the first word (of an earlier,
  interrupted pull) don't count for the rate.
- Any thread may call it. A bar that can't be drawn is left out, with a warning: no payment stops for its
  sake.
"""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

DELAY, INTERVAL = 1.0, 0.25  # seconds until it appears, and between two drawings
_hidden = False


@contextmanager
def hidden_bars() -> Iterator[None]:
    """None is drawn meanwhile: what the process says goes into a file."""
    global _hidden
    before, _hidden = _hidden, True
    try:
        yield
    finally:
        _hidden = before


@contextmanager
def progress_bar(title: str, *, quiet: bool = False, unit: str = " rows") -> Iterator[Progress]:
    """The progress of one piece of work."""
    progress = Progress(title, quiet=quiet, unit=unit)
    try:
        yield progress
    finally:
        progress.end()


class Progress:
    """Shows rows, pages, rate and time left; nothing if the work is quick or `quiet`."""

    def __init__(self, title: str, *, quiet: bool = False, unit: str = " rows") -> None:
        self.title, self.unit = title, unit
        self._off = quiet or _hidden
        self._lock = threading.RLock()  # what is drawn or asked for in it may come back
        self._total: int | None = None
        self._initial: int | None = None
        self._started = self._drawn = 0.0
        self._bar: Any = None
        self._shown: Any = None

    def expect(self, total: float | None) -> None:
        """The (estimated) number of rows, as it is known by now."""
        self._started = self._started or time.monotonic()
        self._total = None if total is None else int(total)

    def __call__(self, rows: int, pages: int = 0) -> None:
        with self._lock:
            now = time.monotonic()
            self._started = self._started or now
            self._initial = rows if self._initial is None else self._initial
            if self._off or now - self._started < DELAY or now - self._drawn < INTERVAL:
                return
            self._drawn = now
            try:
                self._draw(rows, pages, now - self._started)
            except Exception as fault:  # whatever it is, the work goes on
                self._leave_out(fault)

    def end(self) -> None:
        """Take it away."""
        with self._lock:
            self._off = True
            if self._bar is None:
                return
            try:
                self._bar.total = None  # an estimate that wasn't reached would stay in a notebook, in red
                self._bar.close()
                if self._shown is not None:
                    self._shown.update({"text/plain": "", "text/html": ""}, raw=True)
            except Exception as fault:  # as above
                self._leave_out(fault)

    def _leave_out(self, fault: Exception) -> None:
        self._off = True
        warnings.warn(
            f"The progress can't be shown: {type(fault).__name__}: {fault}", RuntimeWarning, stacklevel=3
        )

    def _draw(self, rows: int, pages: int, elapsed: float) -> None:
        if self._bar is None:
            self._appear(elapsed)
        bar, total = self._bar, self._total
        bar.total = total
        widget = bar.container.children[1] if self._shown is not None else None
        if widget is not None and total and total >= rows:
            # tqdm gives its widget no other maximum than the first
            widget.max, widget.bar_style, widget.layout.width = total, "", None
        if pages:
            bar.set_postfix_str(f"{pages:,} page{'' if pages == 1 else 's'}", refresh=False)
        bar.update(rows - bar.n)

    def _appear(self, elapsed: float) -> None:
        """A bar that looks back on the time before it."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # without ipywidgets it says so, and is a line of text
            from tqdm.auto import tqdm
        # a delay above 0 leaves the first drawing to `update`; how often that comes is decided here, not by
        # tqdm
        bar: Any = tqdm(
            desc=self.title, total=self._total, initial=self._initial or 0, unit=self.unit, leave=False,
            delay=1e-9, mininterval=0, miniters=0,
        )  # fmt: skip
        bar.start_t = bar.last_print_t = bar._time() - elapsed  # noqa: SLF001 - tqdm's own clock
        self._bar = bar
        if hasattr(bar, "container"):
            from IPython.display import display

            self._shown = display(bar.container, display_id=True)
            # by us: what has a name can be emptied at the end, and no dead widget stays in the notebook
            bar.displayed = True


class ProgressGroup:
    """One progress (or none) for several lists that are read side by side, or one after the other."""

    def __init__(self, progress: Callable[[int, int], object] | None, lists: int) -> None:
        self._progress, self._expect, self._lists = progress, getattr(progress, "expect", None), lists
        self._shares: list[ProgressPart] = []
        self._lock = threading.RLock()  # what is drawn or asked for in it may come back

    @contextmanager
    def part(self, most: int | None = None) -> Iterator[ProgressPart]:
        """The progress of one of them, of which not more than `most` rows are asked for; when it is left,
        that list is read."""
        made = ProgressPart(self, most)
        with self._lock:
            self._shares.append(made)
        yield made
        made.total = made.rows

    def updated(self) -> None:
        """One of them went on."""
        if self._progress is None:
            return
        with self._lock:
            if self._expect is not None:
                self._expect(self._total())
            self._progress(sum(each.rows for each in self._shares), sum(each.pages for each in self._shares))

    def _total(self) -> float | None:
        """Lists that have not begun count as the others do on average. One that is read without knowing its
        end leaves it open."""
        known = [each.total for each in self._shares if each.total is not None]
        if not known or any(each.total is None and each.pages > 1 for each in self._shares):
            return None
        return sum(known) / len(known) * self._lists


class ProgressPart:
    """What one list says of itself."""

    def __init__(self, group: ProgressGroup, most: int | None) -> None:
        self._group, self._most = group, most
        self.rows = self.pages = 0
        self.total: float | None = None

    def expect(self, total: float) -> None:
        """The (estimated) number of its rows."""
        self.total = total if self._most is None else min(total, self._most)

    def __call__(self, rows: int, pages: int = 0) -> None:
        self.rows, self.pages = rows, pages
        self._group.updated()
