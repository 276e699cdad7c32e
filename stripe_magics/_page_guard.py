"""The script in front of each widget's own: a press isn't lost when the page moves under it, and JupyterLab's
shortcuts leave the widget's keys alone (static/page_guard.js)."""

from __future__ import annotations

from pathlib import Path

PAGE_GUARD = Path(__file__).with_name("static").joinpath("page_guard.js").read_text(encoding="utf-8")
