"""An update, edited in place: its fields show what Stripe has, and above the button stands what will change.

The object is fetched by the id in the path once that is known. Its values are drawn into the form's controls
(field_marks.py), which stay blank for the kernel as long as nobody alters them: untouched, nothing of them is
sent. An altered field is marked, and Keep takes it back;
Clear, or emptying it, empties it at Stripe; what grows (metadata, rows) is copied into its control by Edit.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from stripe_magics.catalogue.field import Field, Kind, Role
from stripe_magics.catalogue.kinds import Shape, kind_facts, shape_of
from stripe_magics.errors import StripeMagicsError
from stripe_magics.forms.current_values import current_values, object_path
from stripe_magics.forms.form_protocol import FormView
from stripe_magics.forms.state import MORE, Raw, blank
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
        """What stands above the button: what will change, once anything does."""
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
        self._release()
        self.object = dict(answer)
        self.path = path
        state.fetched(current_values(state.module, self.object, self.form.zone))
        self.form.refresh()

    def _release(self) -> None:
        for name in self.form.state.release_copies():
            self.form.put_control(name)

    def after(self) -> str:
        """The update went well: show the object as it is now, with nothing left to send. Gives why it
        couldn't be read; "" if it could."""
        if not (self.form.state.updates and self.fetched):
            return ""
        state = self.form.state
        for each in state.module.fields:
            if each.role is not Role.PATH and (each.name in state.raw or each.name in state.cleared):
                state.raw.pop(each.name, None)
                state.cleared.discard(each.name)
                state.copied.discard(each.name)
                self.form.put_control(each.name)
        try:
            self.fetch()
        except StripeMagicsError as fault:
            # the update is made all the same, and what was read before is no longer true
            self.forget()
            self.form.refresh()
            return f"What Stripe has now could not be read: {str(fault).splitlines()[0]}"
        return ""

    def about(self) -> list[str]:
        """An update's changes, for the second step."""
        if not self.fetched:
            return []
        return [
            f"{field.title}: {in_words(field, now, self.form.state)} ->"
            f" {in_words(field, after, self.form.state)}"
            for field, now, after in self.form.state.diff()
        ]

    def same(self, name: str, raw: Raw) -> bool:
        """Whether a control's new value is what Stripe has already: then the field is untouched."""
        current = self.form.state.current or {}
        if not self.fetched or name not in current or blank(raw) or name in self.form.state.copied:
            return False
        field = self.form.state.field(name)
        return bool(raw == current[name] or self._typed(field, raw) == self._typed(field, current[name]))

    def current(self, name: str) -> Raw:
        """What Stripe has in a field that isn't altered; blank if that isn't known, or will be emptied."""
        known = self.fetched and name not in self.form.state.cleared
        return (self.form.state.current or {}).get(name, "") if known else ""

    def refresh(self) -> None:
        """Draw what Stripe has into the fields, and show what will change, as the form is filled in."""
        if not self.path:
            return
        state = self.form.state
        current = state.current or {}
        changes = {field.name: raw for field, _, raw in state.diff()}
        fields = {
            field.name: self._shown(field, current.get(field.name, ""), touched=field.name in changes)
            for field in state.module.fields
            if field.name in current or field.name in changes
        }
        self.form.marks.show(fields)
        if not changes and self.panel is None:
            return
        if self.panel is None:
            from stripe_magics.forms.ephemeral_panel import EphemeralPanel

            self.panel = self.form.tree.make(EphemeralPanel, "full", on_message=self.heard)
        rows = [
            {
                "name": field.name,
                "title": (
                    field.title if not field.in_more_section or field.group else f"{MORE} > {field.label}"
                ),
                "now": in_words(field, current.get(field.name, ""), state),
                "after": in_words(field, changes[field.name], state),
                "changed": True,
                "actions": [("keep", "Keep")],
            }
            for field in state.module.fields
            if field.name in changes
        ]
        count = len(changes)
        words = (
            "Nothing changes yet."
            if not count
            else f"{count} change{'' if count == 1 else 's'}; everything else stays as it is."
        )
        data = {"text": f"{self.object.get('id', '')}: {words}", "rows": rows}
        if self.panel.shown.get("data") != data:
            self.panel.show("compare", **data)

    def _shown(self, field: Field, now: Raw, *, touched: bool) -> dict[str, Any]:
        """What the page draws into and below one field."""
        grows = shape_of(field.kind) in {Shape.ROWS, Shape.PAIRS}
        known = not blank(now)
        drawn = not grows and _fits(field, now)
        says = known and (touched or not drawn)
        offers = [("keep", "Keep")] if touched else []
        if known and not touched:
            edits = [("edit", "Edit")] if not drawn and field.name not in self.form.state.copied else []
            offers = [*edits, ("clear", "Clear")]
        return {
            "text": self._typed(field, now) if drawn else "",
            "title": field.title,
            "touched": touched,
            "grows": grows,
            "words": f"Stripe has: {in_words(field, now, self.form.state)} " if says else "",
            "actions": offers,
        }

    def _typed(self, field: Field, raw: Raw) -> str:
        """A value as a person would type it: money with its currency, lists a line each."""
        if isinstance(raw, list):
            return "\n".join(str(each) for each in raw)
        if field.kind is Kind.MINOR_AMOUNT and raw:
            words = in_words(field, raw, self.form.state).partition(" (")[0]  # without the minor units
            return words.replace(",", "").replace(" ", "").lower()
        return str(raw)

    def heard(self, message: dict[str, Any]) -> None:
        """What a person did to a field in the page."""
        for word, action in (("edit", self.form.edit), ("clear", self.form.clear), ("keep", self.form.keep)):
            if word in message:
                self.form.guarded(partial(action, str(message[word])))(None)

    def forget(self) -> None:
        """Nothing is known of the object any more."""
        self._release()
        self.path, self.object = "", {}
        self.form.state.current = None
        self.form.marks.show({})
        if self.panel is not None:
            self.panel.empty()


def _fits(field: Field, now: Raw) -> bool:
    """Whether the page can draw a value into its control without losing some of it: lists to choose from have
    their choices only."""
    control = kind_facts(field.kind).control
    each = [str(one) for one in (now if isinstance(now, list) else [now])]
    if control in {"choice", "multi_choice"} and field.choices:
        return blank(now) or set(each) <= {*field.choices, *field.local_choices}
    return control not in {"text", "text_list"} or all(len(one.splitlines()) <= 1 for one in each)
