"""Text <-> Command: the grammar of `%stripe` lines and `%%stripe` cells, read and written.

A `Command` is what every door makes of what a person typed, clicked or passed: the module's name, raw values by field name, and the
options that all modules share. Nothing is checked yet but the grammar.
"""

from __future__ import annotations

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
