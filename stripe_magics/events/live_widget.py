"""The widget under the live view: it passes messages on, and has no state but its own code."""

from __future__ import annotations

from typing import Any

import anywidget

from stripe_magics.events.live_view import CSS, ESM, LiveViewModel


class Panel(anywidget.AnyWidget):
    """See view.py."""

    _esm = ESM
    _css = CSS

    def __init__(self, shown: LiveViewModel, **traits: Any) -> None:
        self.shown = shown
        super().__init__(**traits)
        shown.attach(self.send)
        self.on_msg(self._heard)

    def _heard(self, _: Any, content: dict[str, Any], buffers: Any) -> None:
        self.shown.told(content)

    def close(self) -> None:
        """Close the widget; the watch goes on."""
        self.shown.detach()
        super().close()

    def __repr__(self) -> str:
        return repr(self.shown.watch)
