"""The magic without a notebook around it, for one line: no variables, no cells, no session that goes on.

What would only last as long as a session is refused by name, with what does the same for one line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from stripe_magics._command import Command
from stripe_magics.client.journal.cell_origin import CellRun
from stripe_magics.errors import KeyRefused, UsageFault
from stripe_magics.magics.magic import NEEDS_NOTEBOOK, StripeMagics
from stripe_magics.parsing.lexer import split

_INSTEAD = "Write it: --csv, --json or --xlsx FILE."
_FOR_NOTEBOOKS = {
    "form": (NEEDS_NOTEBOOK.format("--form opens a form"), ""),
    "table": (NEEDS_NOTEBOOK.format("--table opens an interactive table"), _INSTEAD),
    "out": ("--out names a variable of a notebook. Nothing was sent.", _INSTEAD),
}
_LASTS_ONE_LINE = "lasts as long as a session, and a line here is a whole one. Nothing was sent."
_REFUSED: Mapping[tuple[str, ...], tuple[str, str]] = {
    ("connect",): (
        "The connection is given by flags: --sandbox, --env NAME or --profile NAME.",
        'python -m stripe_magics "status" --env STRIPE_API_KEY',
    ),
    ("disconnect",): (f"A connection {_LASTS_ONE_LINE}", "There is nothing to close."),
    ("live", "on"): (f"live on {_LASTS_ONE_LINE}", "--yes in a line answers for that line."),
    ("live", "allow"): (f"live allow {_LASTS_ONE_LINE}", "--yes in a line answers for that line."),
    ("listen",): ("listen needs a notebook. Nothing was sent.", ""),
    ("events", "listen"): ("events listen needs a notebook. Nothing was sent.", ""),
}
"""Subcommands that begin so: the problem, and what to do."""


class _Events:
    """The events of a shell that has no cells: nothing ever runs that could report."""

    def register(self, event: str, callback: object) -> None:
        """Nothing to register with."""


class _Shell:
    """What the magic needs of a shell: the variables (there are none), and nobody's cells."""

    def __init__(self) -> None:
        self.user_ns: dict[str, Any] = {}
        self.events = _Events()


class LineRunner(StripeMagics):
    """One line: its answer, and how many rows it asked for."""

    limit: int | None = None

    def __init__(self, line: str) -> None:
        super().__init__(_Shell())
        self.cell.last = CellRun(f"%stripe {line}", "", 1)  # the line is all there is, and assigns nothing

    def run(self, line: str, cell: str | None) -> Any:
        """The line's answer; what needs a notebook is refused before anything else."""
        words = split(line)
        flags = {word.text.removeprefix("--").partition("=")[0] for word in words if word.flag}
        for flag, (problem, advice) in _FOR_NOTEBOOKS.items():
            if flag in flags:
                raise UsageFault(problem, advice=advice)
        names = tuple(word.text for word in words)
        if "help" not in flags:
            for begin, (problem, advice) in _REFUSED.items():
                if names[: len(begin)] == begin:
                    raise UsageFault(problem, advice=advice)
            if names[:1] == ("config",) and flags:
                raise UsageFault(
                    f"A setting {_LASTS_ONE_LINE}",
                    advice="--locale LANGUAGE beside the line: numbers and dates as it writes them.",
                )
        return super().run(line, cell)

    def names(self) -> Mapping[str, Any]:
        """No variables."""
        return {}

    def call(self, command: Command, line: str) -> Any:
        """As in a notebook; its limit is kept, since what is beyond it wasn't asked for."""
        limit = str(command.values.get("limit", command.options.limit))
        self.limit = int(limit) if limit.isdecimal() else None
        return super().call(command, line)

    def _refuse(self, _typed: set[str]) -> NoReturn:
        raise KeyRefused(
            "There is a key in this line. It was not used, and nothing was sent.",
            advice=(
                "Other programs can read a command line, and your shell keeps it: roll the key at Stripe"
                " (Developers > API keys).\nThen name the environment variable that holds it: --env"
                " STRIPE_API_KEY"
            ),
        )

    def forget(self, typed: set[str], _text: str = "") -> list[str]:
        """A process can't reach the shell's history."""
        return ["The key in this line was not used. Your shell's history has it: roll it."] if typed else []
