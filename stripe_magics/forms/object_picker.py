"""The Find button beside an id: shows whom the words in the field may mean, takes the one that is chosen, and
says who it is.

What is found is shown in a panel that keeps nothing (see ephemeral_panel.py): names of customers don't end up
in a saved notebook.
"""

from __future__ import annotations

from typing import Any

from stripe_magics.errors import NotFound, StripeMagicsError
from stripe_magics.forms import object_search
from stripe_magics.forms.controls import Control
from stripe_magics.forms.form_protocol import FormView


class Picker:
    """The finding of one field's object."""

    def __init__(self, form: FormView, control: Control) -> None:
        from stripe_magics.forms.ephemeral_panel import EphemeralPanel

        self.form = form
        self.control = control
        self.found: list[dict[str, Any]] = []
        self.panel = form.tree.make(EphemeralPanel, "full", on_message=self._on_message)
        control.widget.children = (*control.widget.children, self.panel)

    def search(self, text: str) -> list[dict[str, Any]]:
        """Look for what was typed; one hit by id is taken at once, else there is a choice."""
        from stripe_magics.pipeline import call

        field = self.control.field
        connection = self.form.connection

        def ask(name: str, **values: Any) -> Any:
            return call(name, raw=True, connection=connection, **values)

        self.panel.show("say", text="Looking ...")
        self.found = []
        try:
            self.found = object_search.find(field.object, text, ask)
        except NotFound:
            self.panel.show(
                "say",
                text=(
                    f"There is no {field.object.replace('_', ' ')} {object_search.id_in(text)} in this"
                    " account and mode."
                ),
            )
            return []
        except StripeMagicsError as fault:
            self.panel.show("say", text=str(fault).splitlines()[0])
            return []
        if not self.found:
            self.panel.show("say", text=f"Nothing found for {text!r}. Try an ID, an e-mail or another word.")
        elif len(self.found) == 1 and object_search.id_in(text):
            self.take(self.found[0]["id"])
        else:
            rows = [{"id": row["id"], "text": object_search.describe(row)} for row in self.found]
            count = f"{len(rows)} found" if len(rows) < 20 else "The first 20"
            self.panel.show(
                "choose",
                label=f"{field.label}: choose one",
                text=f"{count}. Enter or double click takes one.",
                rows=rows,
            )
        return self.found

    def take(self, identity: str) -> None:
        """Put an object's id into the field, if it is of the right type and mode, and say who it is."""
        row = next((each for each in self.found if each["id"] == identity), None)
        if row is None:
            return
        connection = self.form.connection
        problem = object_search.wrong_mode(row, live=connection is not None and connection.live)
        if not problem and object_search.wrong_prefix(self.control.field, identity):
            problem = f"{identity} is not the ID of a {self.control.field.object.replace('_', ' ')}."
        self.found = []
        if problem:
            self.panel.show("say", text=problem)
            return
        self.panel.show("say", text=object_search.describe(row))
        (self.control.take or self.control.write)(identity)
        if hasattr(self.control.focus, "focus"):
            self.control.focus.focus()

    def _on_message(self, message: dict[str, Any]) -> None:
        if message.get("take"):
            self.form.guarded(lambda: self.take(str(message["take"])))(None)
        elif "take" in message:
            self.found = []
            self.panel.empty()


def open_picker(form: FormView, control: Control) -> list[dict[str, Any]]:
    """What the Find button does."""
    if control.picker is None:
        control.picker = Picker(form, control)
    sought = control.sought or (lambda: str(control.read()))
    found: list[dict[str, Any]] = control.picker.search(sought())
    return found
