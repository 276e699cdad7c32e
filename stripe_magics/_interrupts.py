"""Stop (Ctrl-C, a kernel's interrupt) held back for a moment: while modules are imported for the first time.

A KeyboardInterrupt in the middle of an import can leave Python's import lock taken, so that every import of
another thread waits for ever, and compiled packages (numpy) can't be imported a second time in one process.
Such a Stop is kept and raised when the imports are done.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def held_back() -> Iterator[None]:
    """Run the block to its end before a Stop is heard. Signals come to the main thread; in any other this
    does nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard: list[tuple[int, FrameType | None]] = []
    own = signal.getsignal(signal.SIGINT)
    if not callable(own):
        # ignored, the system's own, or one that was not set by Python: no exception comes of it
        yield
        return
    signal.signal(signal.SIGINT, lambda number, frame: heard.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, own)
    if heard:
        own(*heard[-1])
