"""The field into which an API key is typed: it sends the key to the kernel once and keeps nothing.

An ordinary password field has a synced value: it waits in the browser's copy of the widget while the kernel is busy, other tabs get it,
and a notebook that saves widget state has it in the file. This one has no value at all. The key goes as a message; the input is blank
again before the message has left.

Without anywidget there is `PasswordField`, which comes close: its value is never echoed, is written nowhere as state, and is blanked when
it arrives; only a kernel that is busy while the browser saves widget state could still leave it in the file.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import ipywidgets as w
from traitlets import Unicode

from stripe_magics.forms.static_files import static_path
from stripe_magics.forms.widget_registry import WidgetRegistry

LABEL = "Secret key"

_ESM = static_path("key_field.js")

_CSS = static_path("key_field.css")


class PasswordField(w.Password):
    """The next best where anywidget is missing: a password field whose value is no state."""

    value = Unicode("").tag(sync=True, echo_update=False, to_json=lambda *_: "")

    def __init__(self, taken: Callable[[str], None], **traits: Any) -> None:
        super().__init__(
            description=LABEL, continuous_update=False, placeholder="sk_test_... or rk_test_...", **traits
        )
        self._taken = taken
        self.observe(self._arrived, "value")

    def _arrived(self, change: dict[str, Any]) -> None:
        key, self.value = change["new"], ""
        change["new"] = ""
        if key:
            self.send_state("value")  # blanks the browser's copy as well
            self._taken(key)

    def __repr__(self) -> str:
        return "<a key field that keeps nothing>"


@cache
def _sending_field() -> type:
    """The class of the field without a value. Raises ImportError without anywidget."""
    import anywidget

    class KeyField(anywidget.AnyWidget):
        """A field without a value: see the module."""

        _esm = _ESM
        _css = _CSS

        def __repr__(self) -> str:
            return "<a key field that keeps nothing>"

    return KeyField


def key_field(tree: WidgetRegistry, taken: Callable[[str], None]) -> Any:
    """The key field; `taken` is called with each key that is entered, once."""
    try:
        kind = _sending_field()
    except ImportError:
        return tree.make(PasswordField, "field", taken=taken)

    def heard(_: Any, content: dict[str, Any], buffers: Any) -> None:
        key = content.pop("key", "")
        if isinstance(key, str) and key:
            taken(key)

    field = tree.make(kind, "field")
    field.on_msg(heard)
    return field
