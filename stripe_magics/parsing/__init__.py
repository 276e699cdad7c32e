"""How a `%stripe` line and a `%%stripe` cell are read and written: flags, bodies, variables, pasted lines.

`parse` reads text into a `Command`; `write_line` and `write_cell` write a command as text that reads back as
the same call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stripe_magics._command import Command

__all__ = ["parse", "write_cell", "write_line"]


def parse(line: str, cell: str | None = None, namespace: Mapping[str, Any] | None = None) -> Command:
    """The command of a line (without its leading `%stripe`) and, for a cell, its body.

    Values are text, `True`/`False` for a bare boolean flag, lists and dicts of text, or the objects of
    `$name`. Raises `UsageFault` for what can't be read, `UnknownName` (with the nearest names) for an unknown
    module, flag, body field or variable, `KeyRefused` for a key.
    """
    from stripe_magics.parsing.parser import read

    return read(line, cell, namespace or {})


def write_line(command: Command) -> str:
    """`%stripe customers create --name Jenny`: `parse` reads it back as an equal command, values as text."""
    from stripe_magics.parsing import serializer

    return serializer.line(command)


def write_cell(command: Command) -> str:
    """The same as a `%%stripe` cell with a YAML body; a trailing newline ends it."""
    from stripe_magics.parsing import serializer

    return serializer.cell(command)
