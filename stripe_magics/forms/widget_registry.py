"""How forms look, and who closes them.

- `CSS` is one small sheet under the class `sm-form`; it takes JupyterLab's colours where there are any, so
  that it follows a dark theme.
- A `WidgetRegistry` makes every widget of one form: widgets share a handful of layouts and one style a class
  (each would else bring two models of its own), and closing the tree closes all of them, so that no model is
  left in the kernel.
- Works on ipywidgets 7.7.1 and 8: which style class a control takes is asked of the control.
"""

from __future__ import annotations

from typing import Any, Protocol

import ipywidgets as w

from stripe_magics._html import NO_MATHEMATICS
from stripe_magics.forms.static_files import static_text

LABEL_WIDTH = "176px"

LAYOUTS: dict[str, dict[str, str]] = {
    "root": {"width": "100%", "max_width": "860px"},
    "field": {"width": "560px", "max_width": "100%"},
    "wide": {"width": "560px", "max_width": "100%"},
    "rows": {"width": "100%", "max_width": "800px"},
    "long": {"width": "560px", "max_width": "100%", "height": "58px"},
    "many": {"width": "560px", "max_width": "100%", "height": "112px"},
    "cell": {"width": "200px"},
    "beside": {"flex": "1 1 auto", "min_width": "0"},
    # Find stays beside it; what was found gets a line of its own
    "sought": {"flex": "1 1 0%", "min_width": "0"},
    "before_date": {"width": "376px"},
    "small": {"width": "84px", "flex": "0 0 auto"},
    "number": {"width": "auto"},
    "date": {"width": "178px"},
    "row": {"width": "100%", "flex_flow": "row wrap"},
    "line": {"width": "560px", "max_width": "100%", "flex_flow": "row wrap"},
    "column": {"width": "100%"},
    "button": {"width": "auto", "max_width": "100%"},
    "group": {"width": "100%"},
    "note": {"width": "100%", "margin": "0"},
    "full": {"width": "100%"},
    "hidden": {"display": "none"},
}

CSS = f"<style>\n{static_text('form.css')}</style>"
ROOT_CLASSES = ("sm-form", *NO_MATHEMATICS.split())
"""The classes of a form's outermost box."""


class Closable(Protocol):
    """A widget, or what is made of several: a form, a card."""

    def close(self) -> object: ...


class Box(Protocol):
    """A widget that holds others."""

    children: tuple[Any, ...]


class CommWidget(Protocol):
    """A widget, as the page's messages reach it."""

    @property
    def comm(self) -> object: ...


class WidgetRegistry:
    """The widgets of one form, with their shared layouts and styles. `close()` leaves nothing in the
    kernel."""

    def __init__(self) -> None:
        self.widgets: list[Closable] = []
        self.closed = False
        self._layouts: dict[str, Any] = {}
        self._styles: dict[tuple[type, str], Any] = {}

    def layout(self, name: str) -> Any:
        """The layout of that name, made once."""
        if name not in self._layouts:
            self._layouts[name] = w.Layout(**LAYOUTS[name])
        return self._layouts[name]

    def make(self, kind: type, layout: str, *, narrow: bool = False, **traits: Any) -> Any:
        """A widget with a shared layout and style; `narrow`: its label is no wider than it has to be."""
        style = _style_class(kind)
        if style is not None:
            traits["style"] = self._style(style, "initial" if narrow else LABEL_WIDTH)
        widget = kind(layout=self.layout(layout), **traits)
        _hear_in_order(widget)
        self.widgets.append(widget)
        return widget

    def adopt(self, root: Closable) -> None:
        """Close `root` with the rest."""
        self.widgets.append(root)

    def drop(self, *widgets: Closable) -> None:
        """Close some widgets now: a removed row's, a picker's."""
        for widget in widgets:
            self.drop(*getattr(widget, "children", ()))
            if widget in self.widgets:
                self.widgets.remove(widget)
                widget.close()

    def close(self) -> None:
        """Close every widget, layout and style that the form made."""
        self.closed = True
        for each in (*self.widgets, *self._layouts.values(), *self._styles.values()):
            each.close()
        self.widgets.clear()
        self._layouts.clear()
        self._styles.clear()

    def _style(self, kind: type, width: str) -> Any:
        labelled = "description_width" in kind.class_trait_names()  # type: ignore[attr-defined]
        key = (kind, width if labelled else "")
        if key not in self._styles:
            self._styles[key] = kind(description_width=width) if labelled else kind()
        return self._styles[key]


_REPLY_ROUTE = "_reply_subshell_for"
"""Where ipykernel (7.4) asks a comm in which thread to handle a page's message: else the one that last wrote
to that widget."""


def _hear_in_order(widget: CommWidget) -> None:
    """Have all messages to a form's widgets handled in the main thread, one after the other.

    Left to itself the kernel handles a field's new value in one thread and a button in another: a press could
    overtake what was typed before it, and send the older value.
    """
    if hasattr(widget.comm, _REPLY_ROUTE):
        setattr(widget.comm, _REPLY_ROUTE, lambda data, default: None)  # noqa: ARG005 - ipykernel's signature


def _style_class(kind: type) -> type | None:
    trait = kind.class_traits().get("style")  # type: ignore[attr-defined]
    return getattr(trait, "klass", None)


def set_children(box: Box, children: tuple[Any, ...]) -> None:
    """Put children into a box, if they differ."""
    if tuple(box.children) != children:
        box.children = children


def set_trait(widget: object, trait: str, value: str) -> None:
    """Give a trait a value, if it differs: what stays the same sends no message."""
    if getattr(widget, trait) != value:
        setattr(widget, trait, value)
