"""The widget under the live view: it passes messages on, and has no state but its own code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import anywidget

from stripe_magics._page_guard import PAGE_GUARD

_STATIC = Path(__file__).parent / "static"
ESM = PAGE_GUARD + (_STATIC / "live_view.js").read_text(encoding="utf-8")
CSS = (_STATIC / "live_view.css").read_text(encoding="utf-8")


class ViewModel(Protocol):
    """What the widget needs to know of its model."""

    on_last_page_gone: Callable[[], object]

    def attach(self, send: Callable[[dict[str, Any]], object]) -> None: ...
    def detach(self) -> None: ...
    def on_message(self, message: dict[str, Any]) -> None: ...


class Panel(anywidget.AnyWidget):
    """The panel of one watch; live_view.py has its model."""

    _esm = ESM
    _css = CSS

    def __init__(self, shown: ViewModel, **traits: Any) -> None:
        self.shown = shown
        super().__init__(**traits)
        shown.attach(self.send)
        shown.on_last_page_gone = self.close
        self.on_msg(self._on_message)

    def _on_message(self, _: object, content: dict[str, Any], _buffers: object) -> None:
        self.shown.on_message(content)

    def close(self) -> None:
        """Close the widget; the watch goes on."""
        self.shown.detach()
        layout = self.layout
        super().close()
        layout.close()  # a widget of its own, which the front end and the kernel would keep

    def __repr__(self) -> str:
        return repr(self.shown)
