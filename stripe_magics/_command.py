"""Command and Options: what a person typed, clicked or passed, whichever interface it came by. Data only.

A `Command` holds the module's name, raw values by field name, and the options that all modules share. Nothing is checked yet but the
grammar; `parsing` reads one from text and writes it back.
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
    values: dict[str, Any] = field(
        default_factory=dict
    )  # by field name; text, or Python values from $name and from Python
    params: list[tuple[str, Any]] = field(
        default_factory=list
    )  # Stripe's bracket parameters, from -d and nested bodies
    options: Options = field(default_factory=Options)
    notes: list[str] = field(
        default_factory=list, compare=False
    )  # words about what was left out of a pasted line
    sources: dict[str, str] = field(
        default_factory=dict, compare=False
    )  # value or option -> the name it was given by, `df.id`
