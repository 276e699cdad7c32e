"""A button under a page of help or a request that was only shown: it opens the form, with what the line said
filled in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as w

from stripe_magics.forms.opened_below import OpenedBelow
from stripe_magics.forms.widget_registry import CSS, WidgetRegistry

WORDS = "Open as a form"


class FormLink(w.VBox):
    """The button, and the form below it. `line` is what stands for it where no widgets are shown; `open_form`
    is what the button does."""

    def __init__(self, line: str, make_form: Callable[[], Any]) -> None:
        self.line, self._make_form = line, make_form
        self.tree = WidgetRegistry()
        self.below = OpenedBelow(self.tree)
        style = self.tree.make(w.HTML, "note", value=CSS)
        bar = self.tree.make(w.HBox, "row", children=(self.below.button(WORDS, self.open_form),))
        super().__init__(children=(style, bar, *self.below.parts), layout=self.tree.layout("root"))
        self.tree.adopt(self)

    def open_form(self) -> Any:
        """The form, in place of one that was opened before."""
        return self.below.show(self._make_form())

    def close(self) -> None:
        """Close the button and the form."""
        self.below.drop()
        if self.tree.closed:
            super().close()
        else:
            self.tree.close()

    def _ipython_display_(self, **kwargs: Any) -> None:
        from IPython.display import display

        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        display({"text/plain": self.line, "application/vnd.jupyter.widget-view+json": view}, raw=True)
        if hasattr(self, "_handle_displayed"):  # ipywidgets 7
            self._handle_displayed(**kwargs)
