"""Standard input, output and error of `python -m stripe_magics`, as scripts and schedulers give them: closed,
full, cut off, and in a locale that knows ASCII only.

What is read and written is UTF-8 whatever the locale says, so that a name is the same name under cron.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from stripe_magics._files import reason
from stripe_magics.errors import FileError, UsageFault


def fill_closed() -> None:
    """A stream that is closed leads nowhere. Left free, its number would go to the next file that is opened,
    such as the journal, and whoever writes an error into number 2 would write it there."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - for all of the process


def as_utf8(argument: str) -> str:
    """An argument's own bytes, which a locale of ASCII gives as halves of characters."""
    try:
        return os.fsencode(argument).decode("utf-8")
    except UnicodeError:
        return argument


def read() -> str:
    """All of standard input. Raises `UsageFault`."""
    if sys.stdin is None:
        raise UsageFault("Standard input is closed, and - reads the line from it. Nothing was sent.")
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise UsageFault(
            f"Standard input isn't UTF-8 text (byte {problem.start + 1}). Nothing was sent."
        ) from problem


def check_output() -> None:
    """Refuse a closed standard output before anything is sent. Raises `UsageFault`."""
    if sys.stdout is None:
        raise UsageFault(
            "Standard output is closed, so the answer would be lost. Nothing was sent.",
            advice="Name a file: --csv, --json or --xlsx FILE.",
        )


def write(content: str | bytes, *, plain: bool, stream: Any = None) -> bool:
    """Write it whole; False where the reader has gone, as `head` does. Any other fault is a `FileError`.

    `plain` is text for a person: what their terminal can't show is escaped. Data is UTF-8.
    """
    output = stream or sys.stdout
    if isinstance(content, str):
        content = content.encode((output.encoding or "utf-8") if plain else "utf-8", "backslashreplace")
    try:
        output.flush()
        output.buffer.write(content if content.endswith(b"\n") else content + b"\n")
        output.buffer.flush()
    except OSError as problem:
        # what is left in the buffer would be tried again, and fail again, when the process ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), output.fileno())
        if isinstance(problem, BrokenPipeError):
            return False
        raise FileError(f"Standard output can't be written: {reason(problem)}.") from problem
    return True
