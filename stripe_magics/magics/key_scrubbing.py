"""A key that was typed into a cell: forget it wherever this kernel wrote it down.

By then IPython has kept the cell's text in `In`, `_i`, `_ii`, `_iii`, `_i<n>`, `_ih` and the profile's
history.sqlite. All of them are searched for the key itself, not for the number of the run. The cell's text is
replaced too, where the front end lets us.
"""

from __future__ import annotations

import re
import sqlite3
from typing import Any

from stripe_magics._redaction import KEY

HIDDEN = "(key removed)"


def found(*texts: str | None) -> set[str]:
    """The keys in some texts."""
    return {match[0] for text in texts if text for match in KEY.finditer(text)}


def clean(text: str) -> str:
    """The text without its keys."""
    return KEY.sub(HIDDEN, text)


def scrub(ip: Any, keys: set[str]) -> list[str]:
    """Take the keys out of the shell's memory and its history file; what could not be cleaned, in words."""
    left: list[str] = []
    if not keys:
        return left
    for name in ("_ih", "In"):
        held = ip.user_ns.get(name)
        if isinstance(held, list):
            held[:] = [clean(each) if isinstance(each, str) else each for each in held]
    for name, value in list(ip.user_ns.items()):
        if re.fullmatch(r"_i{1,3}|_i\d+", name) and isinstance(value, str) and KEY.search(value):
            ip.user_ns[name] = clean(value)
    history = getattr(ip, "history_manager", None)
    if history is None:
        return left
    for name in ("input_hist_parsed", "input_hist_raw"):
        held = getattr(history, name, None)
        if isinstance(held, list):
            held[:] = [clean(each) if isinstance(each, str) else each for each in held]
    for name in ("_i", "_ii", "_iii", "_i00"):
        value = getattr(history, name, None)
        if isinstance(value, str):
            setattr(history, name, clean(value))
    try:
        _database(history)
    except (sqlite3.Error, AttributeError, OSError) as fault:
        # a history without a file, or one that another process holds
        left.append(
            f"IPython's history file could not be cleaned ({type(fault).__name__}): delete the line there by"
            " hand."
        )
    return left


def _database(history: Any) -> None:
    """IPython's history: lines that wait to be written, and those in the file."""
    with getattr(history, "db_input_cache_lock", _NoLock()):
        cache = getattr(history, "db_input_cache", [])
        cache[:] = [
            tuple(clean(part) if isinstance(part, str) else part for part in entry) for entry in cache
        ]
    if not getattr(history, "enabled", True):
        return
    history.writeout_cache()
    path = str(history.hist_file)
    if path == ":memory:":
        return
    db = sqlite3.connect(path, timeout=5)
    try:
        db.execute("PRAGMA secure_delete=ON")
        rows = db.execute(
            "SELECT session, line, source, source_raw FROM history WHERE source_raw LIKE '%\\_%' ESCAPE '\\'"
        ).fetchall()
        for session, line, source, raw in rows:
            if KEY.search(source or "") or KEY.search(raw or ""):
                db.execute(
                    "UPDATE history SET source = ?, source_raw = ? WHERE session = ? AND line = ?",
                    (clean(source or ""), clean(raw or ""), session, line),
                )
        db.commit()
    finally:
        db.close()


class _NoLock:
    """A history without a lock."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


def replace_cell(ip: Any, text: str) -> None:
    """Put the text without its keys in the cell's place; only a kernel's front end can do that."""
    if getattr(ip, "kernel", None) is None:
        return
    ip.set_next_input(clean(text), replace=True)
