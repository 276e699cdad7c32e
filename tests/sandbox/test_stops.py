"""A served sandbox ends whenever it should: by a signal between any two lines, and while its state is
being written."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from waiting import PATIENCE, joined

from stripe_magics.sandbox import SandboxTransport, state_keeper
from stripe_magics.sandbox.state_keeper import StateKeeper

SIGNALS = """
import os, signal, sys, threading
from stripe_magics.sandbox.__main__ import main

class Said:
    listens = False
    def write(self, text):
        self.listens |= "listens" in text
    def flush(self):
        pass

def run(number):
    said, count = Said(), 0
    def trace(frame, event, _):
        nonlocal count
        if said.listens and event == "line":
            count += 1
            if count == number:
                os.kill(os.getpid(), signal.SIGTERM)
        return trace
    late = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM))
    late.start()
    screen, sys.stdout = sys.stdout, said
    sys.settrace(trace)
    try:
        main(["--port", "0", "--empty", "--quiet"])
    finally:
        sys.settrace(None)
        sys.stdout = screen
        late.cancel()

for number in range(1, 9):
    run(number)
    print(number, flush=True)
"""


def test_a_signal_between_any_two_lines_ends_the_server() -> None:
    """The handler runs in the thread that waits, whatever lock this holds."""
    done = subprocess.run(
        [sys.executable, "-c", SIGNALS],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.stdout.split() == [str(number) for number in range(1, 9)], done.stderr


def test_the_end_is_heard_between_any_two_lines_of_the_keeper(tmp_path: Path, monkeypatch: Any) -> None:
    """It comes while the keeper's thread stands before the line of that number."""
    monkeypatch.setattr(state_keeper, "PAUSE", 0.0)
    transport = SandboxTransport(demo=False)
    stood = 0
    for number in range(1, 8):
        reached, on = threading.Event(), threading.Event()
        touched = False
        lines = 0

        def trace(frame: FrameType, event: str, _: object) -> Any:
            nonlocal lines
            if frame.f_code is not StateKeeper._run.__code__:
                return None
            if touched and event == "line":
                lines += 1
                if lines == number:  # noqa: B023 - used up within its round
                    reached.set()  # noqa: B023
                    on.wait(PATIENCE)  # noqa: B023
            return trace

        threading.settrace(trace)
        try:
            keeper = StateKeeper(transport, tmp_path / "state", print)
        finally:
            threading.settrace(None)  # type: ignore[arg-type]
        touched = True
        keeper.touch()
        stood += reached.wait(1)
        end = threading.Thread(target=keeper.close, name=f"the end before line {number}", daemon=True)
        end.start()
        while end.is_alive() and not (keeper._closed.is_set() and keeper._changed.is_set()):
            end.join(0.01)
        on.set()
        joined(end)
    assert stood >= 5
