"""Panels that show what Stripe knows of people without keeping it: neither in a widget's state nor, so, in a
saved notebook.

Text in an ordinary widget is part of the widget's state, which notebooks may save. These panels have no
state: the kernel *sends* what they show, the browser draws it, and asks for it again after a reload.
Everything is put in as text, never as HTML.

- `compare`: what of the object will change, now and after, with Keep for each field;
- `choose`: objects found, one to be taken;
- `say`: a line of text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anywidget

from stripe_magics.forms.static_files import static_path

_ESM = static_path("ephemeral_panel.js")

_CSS = static_path("ephemeral_panel.css")


class EphemeralPanel(anywidget.AnyWidget):
    """A panel without state. `show` sends what it shows; `on_message` is called with what a person does
    there."""

    _esm = _ESM
    _css = _CSS

    def __init__(
        self, on_message: Callable[[dict[str, Any]], None], *, aside: bool = False, **traits: Any
    ) -> None:
        self.shown: dict[str, Any] = {}  # kept here only, for a page that is loaded again
        self._on_message = on_message
        super().__init__(_dom_classes=("sm-aside",) if aside else (), **traits)
        self.on_msg(self._heard)

    def show(self, view: str, **data: Any) -> None:
        """Show one of the views, in every open page."""
        self.shown = {"view": view, "data": data}
        self.send(self.shown)

    def empty(self) -> None:
        """Show nothing, and forget what was shown."""
        self.shown = {}
        self.send({"view": "nothing", "data": {}})

    def _heard(self, _: object, content: dict[str, Any], _buffers: object) -> None:
        if content.get("ready"):
            if self.shown:
                self.send(self.shown)
        else:
            self._on_message(content)

    def __repr__(self) -> str:
        return "<a panel that keeps nothing>"
