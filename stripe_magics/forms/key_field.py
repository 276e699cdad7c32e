"""A field for what nobody else may read: an API key, a card or bank number. It sends what is typed to the
kernel once and keeps nothing.

An ordinary password field has a synced value: it waits in the browser's copy of the widget while the kernel
is busy, other tabs get it, and a notebook that saves widget state has it in the file. This one has no value
at all. What is typed goes as a message; the input is blank again before the message has left. The message is
mixed with random bytes that the kernel gives for it (a one-time pad), so that Jupyter's own loggers, which
write messages down at DEBUG, have nothing to write.

Without anywidget there is no such field, and none in its place: any other would send what is typed readable.
A note says what to do.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from functools import cache
from typing import Any

import ipywidgets as w
from traitlets import Unicode

from stripe_magics.forms import html
from stripe_magics.forms.static_files import static_path
from stripe_magics.forms.widget_registry import WidgetRegistry

LABEL = "Secret key"
KEY_HINT = "sk_test_... or rk_test_..."
PAD = 8192  # bytes; nothing that is typed here is longer

_ESM = static_path("key_field.js")

_CSS = static_path("key_field.css")


@cache
def _sending_field() -> type:
    """The class of the field without a value. Raises ImportError without anywidget."""
    import anywidget

    class KeyField(anywidget.AnyWidget):
        """A field without a value: see the module."""

        _esm = _ESM
        _css = _CSS
        label = Unicode().tag(sync=True)
        # what the empty input shows: an example, or the last digits of what is held
        hint = Unicode().tag(sync=True)
        action = Unicode().tag(sync=True)  # the words of the button

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


def private_field(
    tree: WidgetRegistry, taken: Callable[[str], None], *, label: str, hint: str, action: str
) -> Any:
    """The field; `taken` is called with each text that is entered, once, and with "" when a person presses
    Clear.

    `action` is the button: `Connect`, which hands over what is typed as Enter does, or `Clear`; then leaving
    the input hands it over too.
    """
    try:
        kind = _sending_field()
    except ImportError:
        note = (
            f"{label}: typing it here needs anywidget (pip install anywidget). Nothing can be entered until"
            " then."
        )
        return tree.make(w.HTML, "field", value=html.card("ask", note))

    pads: dict[int, bytes] = {}

    def heard(field: Any, content: dict[str, Any], _buffers: object) -> None:
        if isinstance(content.get("want"), str):
            number = secrets.randbits(48)
            pads.clear()  # one at a time: an older one is of no use any more
            pads[number] = secrets.token_bytes(PAD)
            field.send(
                {"view": content["want"], "number": number, "pad": base64.b64encode(pads[number]).decode()}
            )
        elif content.get("clear") is True:
            taken("")
        elif isinstance(content.get("number"), int) and isinstance(content.get("mixed"), str):
            typed = unmix(content["mixed"], pads.pop(content["number"], b""))
            if typed:
                taken(typed)

    field = tree.make(kind, "field", label=label, hint=hint, action=action)
    field.on_msg(heard)
    return field


def key_field(tree: WidgetRegistry, taken: Callable[[str], None]) -> Any:
    """The field for an API key; `taken` is called with each key that is entered, once."""
    return private_field(tree, taken, label=LABEL, hint=KEY_HINT, action="Connect")
