"""What the first keystroke needs is made ready once the magics are loaded: the catalogue's modules and
tables, never pandas, a widget or a request.

Each takes a few hundredths of a second to import, which a person would notice between a key and the list; a
thread does it while the cell below is still being written.
"""

from __future__ import annotations

import threading
from typing import Any

TEXTS = (
    "%stripe ",
    "%stripe customers list --columns ",
    "%stripe checkout sessions create --expand ",
    "%stripe customers create --address-country ",
    "%stripe events watch --events ",
    "%stripe report mrr --tz ",
    "%stripe get /v1/",
    "%%stripe sql --target none\nselect ",
)
"""Positions that between them need all that completion ever imports."""


def begin(shell: Any) -> threading.Thread | None:
    """Start it, if a person sits before a kernel; None where a script or a test runs."""
    if getattr(shell, "kernel", None) is None:
        return None
    # Not a daemon: a process may not end in the middle of an import. It takes a fifth of a second.
    thread = threading.Thread(target=complete_once, name="stripe_magics completion", daemon=False)
    thread.start()
    return thread


def complete_once() -> None:
    """Complete at each position, for nobody."""
    from stripe_magics.magics.completion import in_python, suggest
    from stripe_magics.magics.seen_ids import Seen
    from stripe_magics.magics.suggestion import CompletionContext

    for text in TEXTS:
        suggest(text, CompletionContext(Seen(), {}))
    in_python('sm.report("')
