"""What the first keystroke needs is made ready once the kernel has nothing to do: the catalogue's modules and
tables, never pandas, a widget or a request.

Each takes a few hundredths of a second to import, which a person would notice between a key and the list; a
thread does it while the cell below is still being written. It waits until no cell has run for a moment: cells
that are run one after another (connect, a first table) would share the interpreter with it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

IDLE_SECONDS = 0.3  # without a running cell; less than a person takes to read and to begin to type
TEXTS = (
    "%stripe ",
    "%stripe customers list --columns ",
    "%stripe checkout sessions create --expand ",
    "%stripe customers create --address-country ",
    "%stripe events watch --events ",
    "%stripe report mrr --tz ",
    "%stripe get /v1/",
    "%%stripe sql --target none\nselect ",
)
"""Positions that between them need all that completion ever imports."""


def install(shell: Any) -> Callable[[], None]:
    """Complete once when the kernel is next idle; the function that takes this back. Nothing where a script
    or a test runs: only before a kernel does a person type."""
    if getattr(shell, "kernel", None) is None:
        return lambda: None
    warm_up = _WhenIdle(shell)
    warm_up.watch()
    return warm_up.end


class _WhenIdle:
    """A timer on the kernel's event loop, which runs while no cell does and is begun anew by each cell."""

    def __init__(self, shell: Any) -> None:
        self._events = shell.events
        self._timer: asyncio.TimerHandle | None = None
        self._watching = False

    def watch(self) -> None:
        """From now on."""
        self._events.register("pre_run_cell", self._began)
        self._events.register("post_run_cell", self._ended)
        self._watching = True

    def end(self) -> None:
        """No more."""
        self._stop_timer()
        if self._watching:
            self._watching = False
            self._events.unregister("pre_run_cell", self._began)
            self._events.unregister("post_run_cell", self._ended)

    def _began(self, _info: Any) -> None:
        self._stop_timer()

    def _ended(self, _result: Any) -> None:
        self._stop_timer()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # a cell that was run from elsewhere: the next one will do
            return
        self._timer = loop.call_later(IDLE_SECONDS, self._complete)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _complete(self) -> None:
        self.end()
        # Not a daemon: a process may not end in the middle of an import. It takes a fifth of a second.
        threading.Thread(target=complete_once, name="stripe_magics completion", daemon=False).start()


def complete_once() -> None:
    """Complete at each position, for nobody."""
    from stripe_magics.magics.completion import in_python, suggest
    from stripe_magics.magics.seen_ids import Seen
    from stripe_magics.magics.suggestion import CompletionContext

    for text in TEXTS:
        suggest(text, CompletionContext(Seen(), {}))
    in_python('sm.report("')
