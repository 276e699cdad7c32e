"""Where a call stands: the cell, a digest of its text, and which call of this run of the cell it is.

Every interface asks here (`origin()`), so that a cell that is run again is known whether it says `%stripe`,
`sm.call` or `--from`. The shell reports each run through its `pre_run_cell` event; the first call in a shell
registers for it, the extension need not be loaded. Front ends name their cells (JupyterLab, Notebook, VS
Code); a terminal has no cells, the text and the number then stand alone.

A call belongs to a cell if the cell is running in its context (tasks that the cell started count), or if its
thread was started since the cell began. Anything else has no origin: a script, a widget's callback between
two cells, a thread that waits for events.
"""

from __future__ import annotations

import hashlib
import re
import sys
import threading
import weakref
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from stripe_magics.client.call_context import current_context
from stripe_magics.client.journal.journal_entry import Origin


@dataclass(slots=True, weakref_slot=True)
class CellRun:
    """One run of a cell."""

    text: str
    name: str
    number: int
    calls: int = 0

    def next_origin(self) -> Origin:
        """The next call's origin."""
        self.calls += 1
        return Origin(cell=self.name, digest=digest_of(self.text), ordinal=self.calls, run=self.number)


_running: ContextVar[CellRun | None] = ContextVar("stripe_magics_cell", default=None)


def digest_of(text: str) -> str:
    """What stands for a cell's text: the text itself is kept nowhere."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


class CellTracker:
    """The runs of one shell's cells."""

    def __init__(self, shell: object) -> None:
        self.shell = shell
        self.last: CellRun | None = None
        self._lock = threading.Lock()
        self._threads: weakref.WeakKeyDictionary[threading.Thread, CellRun | None] = (
            weakref.WeakKeyDictionary()
        )

    @property
    def text(self) -> str:
        """The text of the cell that runs, or ran last."""
        return self.last.text if self.last is not None else ""

    @text.setter
    def text(self, text: str) -> None:
        if self.last is not None:
            self.last.text = text

    @property
    def name(self) -> str:
        """The name that the front end gave the cell."""
        return self.last.name if self.last is not None else ""

    @property
    def run(self) -> int:
        """The number of the run, for what must not outlive it."""
        return self.last.number if self.last is not None else 0

    def begins(self, info: object = None) -> None:
        """A cell starts: its calls are counted from the beginning."""
        self._begin(
            str(getattr(info, "raw_cell", "") or ""),
            str(getattr(info, "cell_id", None) or self._from_message()),
        )

    def began(self) -> None:
        """The cell that runs began before the shell could report it: its text is the last that the shell
        wrote down."""
        written = getattr(getattr(self.shell, "history_manager", None), "input_hist_raw", None) or [""]
        self._begin(str(written[-1]), self._from_message())

    def ends(self, _result: object = None) -> None:
        """The cell is over: what runs in this thread now is a callback or a script."""
        _running.set(None)

    def _begin(self, text: str, name: str) -> None:
        with self._lock:
            for thread in threading.enumerate():
                self._threads.setdefault(thread, self.last)  # threads not seen before are the last cell's
            self._threads[threading.current_thread()] = None  # the shell's own thread outlives every cell
            self.last = CellRun(text, name, self.run + 1)
        _running.set(self.last)

    def _from_message(self) -> str:
        """IPython before 8.3 doesn't hand the name on; the message that asked for the run has it."""
        header = getattr(self.shell, "parent_header", None)
        metadata = header.get("metadata") if isinstance(header, dict) else None
        return str(metadata.get("cellId") or "") if isinstance(metadata, dict) else ""

    def origin(self) -> Origin | None:
        """The next call's origin; None outside of any cell."""
        run = _running.get()
        if run is None:
            run = self._threads.get(
                threading.current_thread(),
                self.last if threading.current_thread() is not threading.main_thread() else None,
            )
        if run is None:
            return None
        with self._lock:
            return run.next_origin()

    def assigns(self, line: str) -> bool:
        """Whether the line's value is used: it is assigned, or the line isn't part of the cell's text (it is
        in a function, a loop)."""
        text = re.sub(r"[ \t]*\\\r?\n[ \t]*", " ", self.text)  # lines that a backslash joins are one
        here = r"[ \t]+".join(re.escape(word) for word in line.split())
        if re.search(rf"=[ \t]*%stripe[ \t]+{here}", text):
            return True
        return re.search(rf"^[ \t]*%{{0,2}}stripe[ \t]*{here}", text, re.MULTILINE) is None


_trackers: weakref.WeakKeyDictionary[Any, CellTracker] = weakref.WeakKeyDictionary()


def tracker_of(shell: Any) -> CellTracker:
    """The tracker of a shell; registered with it when first asked for."""
    tracker = _trackers.get(shell)
    if tracker is None:
        tracker = _trackers[shell] = CellTracker(shell)
        shell.events.register("pre_run_cell", tracker.begins)
        shell.events.register("post_run_cell", tracker.ends)
        if _cell_runs(shell):
            tracker.began()
    return tracker


def is_tracked(shell: object) -> bool:
    """Whether a call was made in this shell before."""
    return shell in _trackers


def stop_tracking(shell: Any) -> None:
    """Leave the shell as it was."""
    tracker = _trackers.pop(shell, None)
    if tracker is not None:
        shell.events.unregister("pre_run_cell", tracker.begins)
        shell.events.unregister("post_run_cell", tracker.ends)
        _running.set(None)


def present_tracker() -> CellTracker | None:
    """The tracker of the shell that this code runs in; None in a script."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    return tracker_of(shell) if shell is not None else None


def origin() -> Origin | None:
    """Where the call that is about to be made stands; None in a script, a callback or a thread that no cell
    started.

    Each call of this function counts as one call of the cell.
    """
    context = current_context()
    if context is not None and context.event:  # the writes of an event's handler have keys of their own
        return None
    tracker = present_tracker()
    return tracker.origin() if tracker is not None else None


def _cell_runs(shell: object) -> bool:
    """Whether this very call comes from a cell of the shell."""
    frame = sys._getframe(1)  # noqa: SLF001 - inspect.currentframe() may be None; here there is a frame
    while frame is not None:
        if frame.f_code.co_name == "run_code" and frame.f_locals.get("self") is shell:
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False
