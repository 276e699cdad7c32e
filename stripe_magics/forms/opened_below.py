"""A place for one thing at a time: what buttons open below them, a form or a card, and what went wrong when
they tried."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import ipywidgets as w

from stripe_magics.errors import StripeMagicsError
from stripe_magics.forms import html
from stripe_magics.forms.field_marks import FieldMarks
from stripe_magics.forms.widget_registry import CSS, Closable, WidgetRegistry, set_children, set_trait

Shown = TypeVar("Shown", bound=Closable)


class OpenedBelow:
    """The place. `button` makes a button that opens something here; `show` takes the place of what was shown
    before."""

    def __init__(self, tree: WidgetRegistry) -> None:
        self.tree = tree
        self.opened: Closable | None = None  # what `close` is called of: a form, or a card
        self.status = tree.make(w.HTML, "full", value="")
        self.slot = tree.make(w.VBox, "full", children=())
        self._marks = tree.make(FieldMarks, "note")

    @property
    def parts(self) -> tuple[Any, ...]:
        """What stands in the form or card."""
        return (self.status, self.slot, self._marks)

    def show(self, opened: Shown, widget: Any | None = None) -> Shown:
        """Show a widget; `opened` is what is closed when the next one takes its place."""
        self.drop()
        self.opened = opened
        set_children(self.slot, (opened if widget is None else widget,))
        return opened

    def drop(self) -> None:
        """Show nothing."""
        set_trait(self.status, "value", "")
        if self.opened is not None:
            set_children(self.slot, ())
            self.opened.close()
            self.opened = None

    def button(self, label: str, action: Callable[[], Any], style: str = "") -> Any:
        """A button whose failure is shown here: an exception in a widget's callback would be seen by
        nobody."""
        button = self.tree.make(w.Button, "button", description=label, button_style=style)

        def pressed(_: object) -> None:
            try:
                action()
            except StripeMagicsError as fault:
                self.status.value = CSS + html.error(fault)
            except Exception as fault:  # our own mistake
                words = [html.own_mistake(fault)]
                self.status.value = CSS + html.card("wrong", "It could not be opened.", words, role="alert")

        button.on_click(pressed)
        return button
