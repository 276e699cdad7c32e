"""Whom to ask: the person in front of the notebook, if there is one."""

from __future__ import annotations

import sys
from collections.abc import Callable


def make_prompt(shell: object) -> Callable[[str], str] | None:
    """A function that asks a question and returns what was typed; None where nobody can answer (nbclient,
    papermill, a script)."""
    kernel = getattr(shell, "kernel", None)
    if kernel is not None:
        return input if getattr(kernel, "_allow_stdin", False) else None
    return input if sys.stdin is not None and sys.stdin.isatty() else None
