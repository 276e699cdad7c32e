"""What a form's fields get beside ipywidgets: the tie between a control and its note, errors for screen
readers, and what Stripe has. For every widget of ours: a press isn't lost when the page moves under it,
JupyterLab's shortcuts leave its keys alone, and one whose kernel is gone says so (static/liveness.js).

What Stripe has of a person must not be saved with a notebook, and whatever is in a widget's state may be. So
the controls of an update stay blank in the kernel and in the saved state, which means untouched, while the
page draws the present values into them: the kernel *sends* them, and the page asks for them again after a
reload.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anywidget

from stripe_magics._page_guard import PAGE_GUARD
from stripe_magics.forms.static_files import static_text


class FieldMarks(anywidget.AnyWidget):
    """Draws inside the form that it stands in, and has no state. `on_message` is called with what a person
    does to a field."""

    _esm = PAGE_GUARD + static_text("liveness.js") + static_text("field_marks.js")
    _css = static_text("liveness.css")

    def __init__(self, on_message: Callable[[dict[str, Any]], None] | None = None, **traits: Any) -> None:
        self.shown: dict[str, Any] = {}  # kept here only, for a page that is loaded again
        self._on_message = on_message
        super().__init__(**traits)
        self.on_msg(self._heard)

    def show(self, fields: dict[str, Any]) -> None:
        """Draw these values, by field, in every open page; {} takes all of them away."""
        if fields or self.shown:
            self.shown = fields
            self.send({"fields": fields})

    def _heard(self, _: object, content: dict[str, Any], _buffers: object) -> None:
        if content.get("alive"):
            self.send({"alive": True})
        elif content.get("ready"):
            if self.shown:
                self.send({"fields": self.shown})
        elif self._on_message is not None:
            self._on_message(content)

    def __repr__(self) -> str:
        return "<marks of a form's fields>"
