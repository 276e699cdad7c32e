"""Waits that end: a test that waits longer than a minute fails, and says for what.

`tests/test_waiting.py` holds that no test waits in another way.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any, Protocol

PATIENCE = 60.0
"""Seconds."""


class _Joinable(Protocol):
    """A thread, or a process of multiprocessing."""

    name: str

    def join(self, timeout: float | None = None) -> None: ...

    def is_alive(self) -> bool: ...


def joined(*each: _Joinable, seconds: float = PATIENCE) -> None:
    """Wait until all of them have ended."""
    for one in each:
        one.join(seconds)
        assert not one.is_alive(), f"{one.name} has not ended within {seconds:g} s"


@contextmanager
def running(command: Sequence[str], *, seconds: float = 2 * PATIENCE, **options: Any) -> Iterator[Any]:
    """A process, which is killed at the end of the block, or of its time: whoever reads its output meets the
    end of it then. Nothing stands on its standard input unless it is given."""
    options.setdefault("stdin", subprocess.DEVNULL)
    with subprocess.Popen(command, **options) as process:
        timer = threading.Timer(seconds, process.kill)
        timer.daemon = True
        timer.start()
        try:
            yield process
        finally:
            timer.cancel()
            process.kill()


def line(stream: IO[Any] | None) -> Any:
    """The next line of a process that is `running`. Fails at the end of its output."""
    assert stream is not None
    found = stream.readline()
    assert found, "the process ended, or took too long, without a further line"
    return found
