"""The field into which an API key is typed: it sends the key to the kernel once and keeps nothing.

An ordinary password field has a synced value: it waits in the browser's copy of the widget while the kernel is busy, other tabs get it,
and a notebook that saves widget state has it in the file. This one has no value at all. The key goes as a message; the input is blank
again before the message has left. The message is mixed with random bytes that the kernel gives for it (a one-time pad), so that Jupyter's own
loggers, which write messages down at DEBUG, have nothing to write.

Without anywidget there is `PasswordField`, which comes close: its value is never echoed, is written nowhere as state, and is blanked when
it arrives; only a kernel that is busy while the browser saves widget state could still leave it in the file.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from functools import cache
from typing import Any

import ipywidgets as w
from traitlets import Unicode

from stripe_magics.forms.static_files import static_path
from stripe_magics.forms.widget_registry import WidgetRegistry

LABEL = "Secret key"
PAD = 512  # bytes; no key is longer

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


def unmix(mixed: str, pad: bytes) -> str:
    """What was typed: the message without its pad; "" for anything else. Zero bytes at the end fill it up."""
    try:
        data = base64.b64decode(mixed, validate=True)
    except ValueError:
        return ""
    if not pad or len(data) != len(pad):
        return ""
    return (
        bytes(one ^ other for one, other in zip(data, pad, strict=True))
        .rstrip(b"\0")
        .decode("utf-8", "replace")
    )


def key_field(tree: WidgetRegistry, taken: Callable[[str], None]) -> Any:
    """The key field; `taken` is called with each key that is entered, once."""
    try:
        kind = _sending_field()
    except ImportError:
        return tree.make(PasswordField, "field", taken=taken)

    pads: dict[int, bytes] = {}

    def heard(field: Any, content: dict[str, Any], buffers: Any) -> None:
        if isinstance(content.get("want"), str):
            number = secrets.randbits(48)
            pads.clear()  # one at a time: an older one is of no use any more
            pads[number] = secrets.token_bytes(PAD)
            field.send(
                {"view": content["want"], "number": number, "pad": base64.b64encode(pads[number]).decode()}
            )
        elif isinstance(content.get("number"), int) and isinstance(content.get("mixed"), str):
            key = unmix(content["mixed"], pads.pop(content["number"], b""))
            if key:
                taken(key)

    field = tree.make(kind, "field")
    field.on_msg(heard)
    return field
