"""The style sheets and scripts of the forms: files that linters and editors can read, beside the code that
sends them."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).with_name("static")


def static_path(name: str) -> Path:
    """A file of `static/`, for anywidget, which reads it itself."""
    return _FOLDER / name


def static_text(name: str) -> str:
    """The text of a file of `static/`."""
    return static_path(name).read_text(encoding="utf-8")
