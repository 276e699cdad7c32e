"""Stop at any line of the journal's transaction: the next write can use the journal, and so can another kernel."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType
from typing import Any

from stripe_magics.client.journal import journal as module
from stripe_magics.client.journal.journal import Journal, Operation


def operation() -> Operation:
    return Operation(
        key="k",
        scope="s",
        mode="test",
        module="m",
        effect="create",
        method="POST",
        path="/v1/customers",
        body="b",
    )


def test_stop_at_every_line_of_a_claim_leaves_no_transaction_open(tmp_path: Path) -> None:
    journal, other = Journal(tmp_path), Journal(tmp_path)
    stops = 0
    for number in range(1, 400):
        lines = 0

        def trace(frame: FrameType, event: str, argument: Any, number: int = number) -> Any:
            nonlocal lines
            if frame.f_code.co_filename != module.__file__:
                return None
            if event == "line":
                lines += 1
                if lines == number:
                    raise KeyboardInterrupt
            return trace

        sys.settrace(trace)
        try:
            journal.claim(operation(), lambda rows: None)
        except KeyboardInterrupt:
            stops += 1
        finally:
            sys.settrace(None)
        other.claim(operation(), lambda rows: None)  # the other kernel isn't locked out
        journal.claim(operation(), lambda rows: None)
        if lines < number:
            break
    assert stops > 15
    journal.close()
    other.close()
