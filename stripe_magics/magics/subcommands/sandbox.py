"""Words about the sandbox: its clock, and its file."""

from __future__ import annotations

import re
from typing import Any

from stripe_magics.errors import NotConnected, UsageFault
from stripe_magics.magics.subcommands.connection import current
from stripe_magics.magics.subcommands.subcommand import ParsedFlags

_SPANS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def _sandbox_transport() -> Any:
    transport = current().sandbox
    if transport is None:
        raise NotConnected("This connection is not a sandbox.", advice="%stripe connect --sandbox opens one.")
    return transport


def advance(context: Any, positional: list[Any], given: ParsedFlags) -> Any:
    found = [re.fullmatch(r"([0-9]+)\s*([smhdw])", str(each)) for each in positional]
    if not found or None in found:
        raise UsageFault("Missing duration. Examples: 3d, 12h, 2w.")
    seconds = sum(int(each[1]) * _SPANS[each[2]] for each in found if each)
    transport = _sandbox_transport()
    transport.advance(seconds)
    context.history.note("sandbox advance", f"sm.current().sandbox.advance({seconds})")
    print(f"The sandbox's clock is at {_clock(transport.now)}.")


def _clock(now: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(now, UTC).strftime("%A %Y-%m-%d %H:%M UTC")


def reset(context: Any, positional: list[Any], given: ParsedFlags) -> None:
    _sandbox_transport().reset()
    context.seen.forget()
    print("The sandbox is as it was when it was opened.")


def save(context: Any, positional: list[Any], given: ParsedFlags) -> None:
    from pathlib import Path

    path = Path(_file(positional, "save"))
    try:
        _sandbox_transport().save(path)
    except OSError as fault:
        raise UsageFault(f"{path} can't be written: {fault.strerror or fault}.") from None
    print(f"{path}: the sandbox was saved.")


def load(context: Any, positional: list[Any], given: ParsedFlags) -> None:
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
