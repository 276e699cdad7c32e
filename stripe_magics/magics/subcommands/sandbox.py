"""Words about the sandbox: its clock, and its file."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from stripe_magics import dates
from stripe_magics.errors import NotConnected, UsageFault
from stripe_magics.magics.subcommands.connection import current
from stripe_magics.magics.subcommands.subcommand import Context, ParsedFlags


def _sandbox_transport() -> Any:
    transport = current().sandbox
    if transport is None:
        raise NotConnected("This connection is not a sandbox.", advice="%stripe connect --sandbox opens one.")
    return transport


def advance(context: Context, positional: list[Any], given: ParsedFlags) -> Any:
    """By a length (`3d`, `1 month`), or to a later date."""
    text = " ".join(str(each) for each in positional)
    if not text:
        raise UsageFault("Missing duration. Examples: 3d, 12h, 2w.")
    transport = _sandbox_transport()
    zone, now = current().zone, datetime.fromtimestamp(transport.now, UTC)
    try:
        is_date = re.match(r"\d{4}-\d|tomorrow|next ", text)
        target = dates.moment(text, zone, now) if is_date else dates.shift(text, 1, zone, now)
    except ValueError as problem:
        raise UsageFault(f"{str(problem)[:1].upper()}{str(problem)[1:]}.") from None
    passed = target - int(transport.now)
    if passed < 0:
        raise UsageFault(f"{text} is in the sandbox's past: its clock is at {_clock(transport.now)}.")
    try:
        transport.advance(passed)
    except ValueError as problem:
        raise UsageFault(str(problem)) from None
    context.history.note("sandbox advance", f"sm.current().sandbox.advance({passed})")
    print(f"The sandbox's clock is at {_clock(transport.now)}.")


def _clock(now: int) -> str:
    return datetime.fromtimestamp(now, UTC).strftime("%A %Y-%m-%d %H:%M UTC")


def coverage(context: Context, positional: list[Any], given: ParsedFlags) -> Any:
    """A row for each operation: `simulated`, or `by shape` where its objects are kept without what they
    do."""
    import pandas as pd

    from stripe_magics.sandbox.coverage import operations

    rows = operations()
    simulated = sum(1 for row in rows if row.fidelity == "simulated")
    print(f"{simulated} of {len(rows)} operations are simulated; the others are answered by shape.")
    columns = {
        name: pd.array([getattr(row, name) for row in rows], dtype="string") for name in rows[0]._fields
    }
    return pd.DataFrame(columns)


def reset(context: Context, positional: list[Any], given: ParsedFlags) -> None:
    _sandbox_transport().reset()
    context.seen.forget()
    print("The sandbox is as it was when it was opened.")


def save(context: Context, positional: list[Any], given: ParsedFlags) -> None:
    from pathlib import Path

    path = Path(_file(positional, "save"))
    try:
        _sandbox_transport().save(path)
    except OSError as fault:
        raise UsageFault(f"{path} can't be written: {fault.strerror or fault}.") from None
    print(f"{path}: the sandbox was saved.")


def load(context: Context, positional: list[Any], given: ParsedFlags) -> None:
    from pathlib import Path

    path = Path(_file(positional, "load"))
    if not path.exists():
        raise UsageFault(f"There is no file {path}.")
    _sandbox_transport().load(path)
    context.seen.forget()
    print(f"{path}: the sandbox was loaded.")


def _file(positional: list[Any], action: str) -> str:
    if not positional:
        raise UsageFault(f"Which file? %stripe sandbox {action} month.json")
    return str(positional[0])
