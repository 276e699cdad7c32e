"""How far a long list is: one line that appears after a second, is rewritten a few times a second, and goes away at the end."""

from __future__ import annotations

import sys
import time
from typing import Any

AFTER, EVERY = 1.0, 0.25


class Progress:
    """Called with (rows so far, pages so far). Shows nothing if the call is quick."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self.started = 0.0  # when the first page came: what is imported before that is not the list's time
        self.last = 0.0
        self.handle: Any = None

    def __call__(self, rows: int, pages: int = 0) -> None:
        now = time.monotonic()
        self.started = self.started or now
        if self.quiet or now - self.started < AFTER or now - self.last < EVERY:
            return
        self.last = now
        self._show(f"{rows:,} rows, {pages:,} page{'' if pages == 1 else 's'}, {now - self.started:.0f} s")

    def _show(self, text: str) -> None:
        from IPython import get_ipython

        if getattr(get_ipython(), "kernel", None) is None:
            print(f"\r{text}   ", end="", file=sys.stderr, flush=True)
            self.handle = True
            return
        from IPython.display import display

        bundle = {"text/plain": text, "text/html": f"<small>{text} ...</small>"}
        if self.handle is None:
            self.handle = display(bundle, raw=True, display_id=True)
        else:
            self.handle.update(bundle, raw=True)

    def end(self) -> None:
        """Take the line away."""
        if self.handle is True:
            print("\r" + " " * 60 + "\r", end="", file=sys.stderr, flush=True)
        elif self.handle is not None:
            self.handle.update({"text/plain": "", "text/html": ""}, raw=True)
        self.handle = None
