"""The upper end of an update form: what the object looks like now, and what it will look like.

It is fetched by the id in the path once that is known. What Stripe has is shown in a panel that keeps nothing; controls stay blank, which
means untouched. Edit copies a value into its control, Clear empties it at Stripe, Keep takes either back.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from stripe_magics.catalogue.field import Role
from stripe_magics.errors import StripeMagicsError
from stripe_magics.forms.current_values import current_values, object_path
from stripe_magics.forms.form_protocol import FormView
from stripe_magics.forms.state import MORE, blank
from stripe_magics.forms.value_preview import in_words


class Comparison:
    """Now and after, for one form. Other forms than updates never have anything to compare."""

    def __init__(self, form: FormView) -> None:
        self.form = form
        self.object: dict[str, Any] = {}
        self.path = ""
        self.panel: Any = None

    @property
    def parts(self) -> tuple[Any, ...]:
        """What stands in the form: the panel, once there is one."""
        return (self.panel,) if self.panel is not None else ()

    @property
    def fetched(self) -> bool:
        """Whether what is shown is the object that the form names now."""
        return bool(self.path) and self.path == object_path(self.form.state.module, self.form.state.raw)

    def changed(self, name: str) -> None:
        """A field was edited: another id means another object."""
        state = self.form.state
        if not state.updates or state.field(name).role is not Role.PATH or self.form.connection is None:
            return
        if name in state.errors or blank(state.raw.get(name)):
            self.forget()
            return
        try:
            self.fetch()
        except StripeMagicsError as fault:
            self.forget()
            state.errors[name] = str(fault).splitlines()[0]
            self.form.show_note(name)

    def fetch(self) -> None:
        """Get the object and show it. Raises what went wrong."""
        from stripe_magics.pipeline import call

        state, connection = self.form.state, self.form.connection
        path = object_path(state.module, state.raw)
        if not path:
            return
        answer: Any = call("api.call", url=path, method="GET", raw=True, connection=connection)
        self.object = dict(answer)
        self.path = path
        state.fetched(current_values(state.module, self.object, self.form.zone))
        if self.panel is None:
            from stripe_magics.forms.ephemeral_panel import EphemeralPanel

            self.panel = self.form.tree.make(EphemeralPanel, "full", on_message=self._on_message)
        self.form.refresh()

    def after(self) -> None:
        """The update went well: show the object as it is now, with nothing left to send."""
        if not (self.form.state.updates and self.fetched):
            return
        state = self.form.state
        for each in state.module.fields:
            if each.role is not Role.PATH and (each.name in state.raw or each.name in state.cleared):
                state.raw.pop(each.name, None)
                state.cleared.discard(each.name)
                state.copied.discard(each.name)
                self.form.put_control(each.name)
        self.fetch()

    def about(self) -> list[str]:
        """An update's changes, for the second step."""
        if not self.fetched:
            return []
        return [
            f"{field.title}: {in_words(field, now, self.form.state)} -> {in_words(field, after, self.form.state)}"
            for field, now, after in self.form.state.diff()
        ]

    def refresh(self) -> None:
        """Show now and after, as the form is filled in."""
        if self.panel is None or not self.path:
            return
        state = self.form.state
        current = state.current or {}
        changes = {field.name: raw for field, _, raw in state.diff()}
        rows = []
        for field in state.module.fields:
            if field.name not in current and field.name not in changes:
                continue
            touched = field.name in changes or field.name in state.copied
            after = changes.get(field.name)
            actions = [("keep", "Keep")] if touched else [("edit", "Edit"), ("clear", "Clear")]
            if field.extra and field.group == "" and not touched and field.name not in current:
                actions = []
            rows.append(
                {
                    "name": field.name,
                    "title": field.title if not field.extra or field.group else f"{MORE} > {field.label}",
                    "now": in_words(field, current.get(field.name, ""), state),
                    "after": "" if after is None else in_words(field, after, state),
                    "changed": field.name in changes,
                    "actions": actions,
                }
            )
        count = len(changes)
        words = (
            "Nothing changes yet."
            if not count
            else f"{count} change{'' if count == 1 else 's'}; everything else stays as it is."
        )
        data = {"text": f"{self.object.get('id', '')}: {words}", "rows": rows}
        if self.panel.shown.get("data") != data:
            self.panel.show("compare", **data)

    def _on_message(self, message: dict[str, Any]) -> None:
        for word, action in (("edit", self.form.edit), ("clear", self.form.clear), ("keep", self.form.keep)):
            if word in message:
                self.form.guarded(partial(action, str(message[word])))(None)

    def forget(self) -> None:
        """Nothing is known of the object any more."""
        self.path, self.object = "", {}
        self.form.state.current = None
        if self.panel is not None:
            self.panel.empty()
