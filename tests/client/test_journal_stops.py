"""Stop at any line of the journal's transaction: the next write can use the journal, and so can another
kernel."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType
from typing import Any

import httpx

from stripe_magics import pipeline
from stripe_magics.client.connection import Connection
from stripe_magics.client.journal import journal as module
from stripe_magics.client.journal.journal import Journal, Operation
from stripe_magics.client.secret import Secret
from stripe_magics.errors import OutcomeUnknown


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


SENDING = ("/client/sending/", "/client/journal/", "/pipeline.py", "/_call_run.py")


def test_stop_at_every_line_of_a_write_says_how_it_ended() -> None:
    """What was made is said to be made, or to be unknown and pending; no second one is made when the cell
    runs again."""
    made: dict[str, str] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        key = request.headers["idempotency-key"]
        made.setdefault(key, f"cus_{len(made) + 1}")
        body = {"id": made[key], "object": "customer", "livemode": False}
        return httpx.Response(200, json=body, headers={"request-id": "req_1"})

    connection = Connection(
        secret=Secret("sk_test_51" + "a" * 40), mode="test", base="https://api.stripe.com",
        transport=httpx.MockTransport(answer), journal=Journal(None),
    )  # fmt: skip

    def create(number: int) -> Any:
        return pipeline.call("customers.create", name=f"Customer {number}", raw=True, connection=connection)

    create(0)
    silent = []
    for number in range(1, 2_000):
        lines, before, place = 0, len(made), ""

        def trace(frame: FrameType, event: str, argument: Any, number: int = number) -> Any:
            nonlocal lines, place
            path = frame.f_code.co_filename
            if not any(part in path for part in SENDING) or "stripe_magics" not in path:
                return None
            if event == "line":
                lines += 1
                if lines == number:
                    place = f"{path.rpartition('/')[2]}:{frame.f_lineno}"
                    raise KeyboardInterrupt
            return trace

        sys.settrace(trace)
        try:
            create(number)
        except KeyboardInterrupt as stop:
            sys.settrace(None)
            said = str(stop)
            if len(made) > before:
                pending = [each.number for each in connection.pending()]
                identity = f"cus_{len(made)}"
                if not (identity in said and "carried out" in said) and not (
                    isinstance(stop, OutcomeUnknown) and stop.operation in pending
                ):
                    silent.append(f"{place}: {said!r}")
            elif "carried out" in said and not isinstance(stop, OutcomeUnknown):
                silent.append(f"{place}, where nothing was made: {said!r}")
        finally:
            sys.settrace(None)
        for each in connection.pending():
            connection.resume(each.number)
        if lines < number:
            break
    connection.close()
    assert lines > 150
    assert not silent, "\n".join(silent)
