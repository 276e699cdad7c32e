"""Text <-> Command: the grammar of `%stripe` lines and `%%stripe` cells, read and written.

A `Command` is what every door makes of what a person typed, clicked or passed: the module's name, raw values by field name, and the
options that all modules share. Nothing is checked yet but the grammar.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Options:
    """The options common to all modules."""

    out: str = ""
    form: bool = False
    dry_run: bool = False
    yes: bool = False
    again: bool = False
    from_: Any = None  # a DataFrame: one call a row
    raw: bool = False
    quiet: bool = False
    expand: list[str] = field(default_factory=list)
    limit: Any = None  # for modules without a limit field of their own
    columns: list[str] = field(default_factory=list)
    to: str = ""  # a folder for Parquet parts
    idempotency: str = ""
    stripe_account: str = ""
    stripe_version: str = ""
    help: bool = False


@dataclass(slots=True)
class Command:
    """A call as a person wrote it: nothing is checked but the grammar."""

    module: str
    values: dict[str, Any] = field(default_factory=dict)  # by field name; text, or Python values from $name and from Python
    params: list[tuple[str, Any]] = field(default_factory=list)  # Stripe's bracket parameters, from -d and nested bodies
    options: Options = field(default_factory=Options)
    notes: list[str] = field(default_factory=list, compare=False)  # words about what was left out of a pasted line
    sources: dict[str, str] = field(default_factory=dict, compare=False)  # value or option -> the name it was given by, `df.id`


def parse(line: str, cell: str | None = None, namespace: Mapping[str, Any] | None = None) -> Command:
    """The command of a line (without its leading `%stripe`) and, for a cell, its body.

    Values are text, `True`/`False` for a bare boolean flag, lists and dicts of text, or the objects of `$name`. Raises `UsageFault`
    for what can't be read, `UnknownName` (with the nearest names) for an unknown module, flag, body field or variable, `KeyRefused`
    for a key.
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
