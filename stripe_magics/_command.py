"""A command: what a person typed, clicked or passed, whichever interface it came by. Data only.

It holds the module's name, raw values by field name, and the options that all modules share
(`_options.py`). Nothing is checked yet but the grammar; `parsing` reads one from text and writes it back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from stripe_magics._options import Options


@dataclass(slots=True)
class Command:
    """A call as a person wrote it: nothing is checked but the grammar."""

    module: str
    # by field name; text, or Python values from $name and from Python
    values: dict[str, Any] = field(default_factory=dict)
    # Stripe's bracket parameters, from -d and nested bodies
    params: list[tuple[str, Any]] = field(default_factory=list)
    options: Options = field(default_factory=Options)
    # words about what was left out of a pasted line
    notes: list[str] = field(default_factory=list, compare=False)
    # value or option -> the name it was given by, `df.id`
    sources: dict[str, str] = field(default_factory=dict, compare=False)
