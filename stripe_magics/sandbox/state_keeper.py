"""The file of a served sandbox: written soon after each change and at the end, so that a server that is
killed has lost a moment's work at most.

A save rests for twenty times as long as it took: a large account costs its clients a twentieth at most.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from stripe_magics.sandbox.transport import SandboxTransport

PAUSE = 0.5
"""Seconds between two saves, at least."""
SHARE = 20
"""A save rests so many times as long as it took."""


class StateKeeper:
    """Keeps one transport's account in a file. `on_failure` gets a line when that fails."""

    def __init__(self, transport: SandboxTransport, path: Path, on_failure: Callable[[str], None]) -> None:
        self._transport, self._path, self._on_failure = transport, path, on_failure
        self._changed, self._closed = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def touch(self) -> None:
        """Something was written to the account."""
        self._changed.set()

    def close(self) -> None:
        """Save a last time. Raises OSError where that fails."""
        self._closed.set()
        self._changed.set()
        self._thread.join()
        self._transport.save(self._path)

    def _run(self) -> None:
        while True:
            self._changed.wait()
            self._changed.clear()
            # looked at last: `close` sets the other one after it, which would be cleared unseen
            if self._closed.is_set():
                return
            started = time.monotonic()
            try:
                self._transport.save(self._path)
            except OSError as fault:
                self._on_failure(f"The state can't be written to {self._path}: {fault.strerror}.")
            self._closed.wait(max(PAUSE, SHARE * (time.monotonic() - started)))
