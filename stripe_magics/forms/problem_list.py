"""What has to be corrected in a form, as links above its button: each goes to its field, and goes away when
the field is mended."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from stripe_magics.forms.form_words import in_labels
from stripe_magics.forms.widget_registry import set_children

if TYPE_CHECKING:
    from stripe_magics.errors import Fault
    from stripe_magics.forms.form_protocol import FormView


class ProblemList:
    """The list and its links. `box` is its widget."""

    def __init__(self, form: FormView) -> None:
        self.form = form
        self.box = form.tree.make(w.VBox, "full")
        self._buttons: list[tuple[str, Any]] = []  # the field and its link, while its error stands

    @property
    def children(self) -> tuple[Any, ...]:
        """The links that are shown."""
        return tuple(self.box.children)

    def show(self, faults: tuple[Fault, ...]) -> None:
        """Mark the fields, open their groups, and list the faults."""
        form = self.form
        form.tree.drop(*self.children)
        self._buttons = []
        for fault in faults:
            words = in_labels(fault.problem, form.state.module)
            field = form.state.module.get(fault.field)
            if field is not None:
                place = (
                    f"Row {fault.row}{' > ' + fault.column if fault.column else ''}: " if fault.row else ""
                )
                form.sections.reveal(field.name)  # first: a control that is built now is checked on its own
                form.state.errors[field.name] = place + words
                form.show_note(field.name)
            button = form.tree.make(
                w.Button, "button", description=f"{fault.title}: {words}", _dom_classes=("sm-problem",)
            )
            if field is not None:
                button.on_click(form.guarded(partial(form.jump, field.name)))
            self._buttons.append((field.name if field is not None else "", button))
        set_children(self.box, tuple(button for _, button in self._buttons))

    def drop_mended(self) -> bool:
        """Take away what was mended since; whether that was the last of it."""
        errors = self.form.state.errors
        mended = [button for name, button in self._buttons if name and name not in errors]
        if not mended:
            return False
        self._buttons = [each for each in self._buttons if each[1] not in mended]
        set_children(self.box, tuple(button for _, button in self._buttons))
        self.form.tree.drop(*mended)
        return not self._buttons
