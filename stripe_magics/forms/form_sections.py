"""The groups of a form: their heads, which of them are open, and the controls in them.

A closed group has no controls yet; they are built when it is opened. Of a module with very many groups (a
payment method configuration has one a method) the heads of the later ones come when they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from stripe_magics.forms import amount_source, layout
from stripe_magics.forms.widget_registry import set_children, set_trait

if TYPE_CHECKING:
    from stripe_magics.forms.form_protocol import FormView

FIRST_HEADS, MANY_HEADS = 24, 30  # with more than the second number, only the first are there at once
CLOSED, OPENED = "\u25b8", "\u25be"  # the triangles before a group's title


class FormSections:
    """The groups of a form as widgets. The first one has no title, and is always open."""

    def __init__(self, form: FormView) -> None:
        self.form = form
        self.sections = layout.sections(form.state.module)
        self._bodies: dict[str, Any] = {}
        self._open: set[str] = set()
        self._opened_once: set[str] = set()  # groups that opened themselves since a field became needed
        closed = self.sections[1:]
        self._later = {each.title for each in closed[FIRST_HEADS:]} if len(closed) > MANY_HEADS else set()
        self.heads = {each.title: self._head(each) for each in closed if each.title not in self._later}
        self._rest = self._button(self._rest_words(), self._show_rest) if self._later else None
        for each in self.sections:
            if not each.title or layout.holds_value(each, form.state):
                self._show(each)
        self._open_needed()

    @property
    def titles(self) -> list[str]:
        """The titles of the groups, in order."""
        return [each.title for each in self.sections[1:]]

    def open(self, title: str) -> None:
        """Open a group; its controls are built now."""
        self._show(next(each for each in self.sections if each.title == title))

    def close(self, title: str) -> None:
        """Close a group; what was entered in it stays."""
        self._open.discard(title)

    def reveal(self, name: str) -> None:
        """Open the group in which a field stands."""
        section = layout.where(name, self.sections)
        if section is not None and section.title and section.title not in self._open:
            self.form.open_group(section.title)

    def refresh(self) -> None:
        """Bring groups, counts and conditional fields to what the form's state holds."""
        self._open_needed()
        for section in self.sections:
            if section.title in self._open:
                set_children(self._bodies[section.title], self._body_children(section))
            if section.title in self.heads:
                set_trait(self.heads[section.title], "description", self._head_text(section))

    @property
    def parts(self) -> tuple[Any, ...]:
        """The widgets of all groups, in order: the first body, then heads, each with its body while open."""
        shown = {each.name for each in self.form.state.shown()}
        parts: list[Any] = [self._bodies[""]]
        for section in self.sections[1:]:
            if section.title in self.heads and any(each.name in shown for each in section.fields):
                parts.append(self.heads[section.title])
                if section.title in self._open:
                    parts.append(self._bodies[section.title])
        return (*parts, self._rest) if self._later else tuple(parts)

    # -- inside ----------------------------------------------------------------------------------------------
    def _show(self, section: layout.Section) -> None:
        if section.title not in self._bodies:
            self._bodies[section.title] = self.form.tree.make(
                w.VBox, "column", children=self._body_children(section), _dom_classes=("sm-body",)
            )
        self._open.add(section.title)
        if section.title in self._later:
            self._add_head(section)

    def _add_head(self, section: layout.Section) -> None:
        self._later.discard(section.title)
        self.heads[section.title] = self._head(section)
        if self._rest is not None:
            set_trait(self._rest, "description", self._rest_words())

    def _rest_words(self) -> str:
        count = len(self._later)
        return f"{CLOSED} {count} more group{'' if count == 1 else 's'}"

    def _show_rest(self) -> None:
        for each in self.sections:
            if each.title in self._later:
                self._add_head(each)
        self.form.refresh()

    def _open_needed(self) -> None:
        """Open the groups in which a field became needed, once: a person may close them again."""
        for section in self.sections:
            if (
                section.title
                and section.title not in self._opened_once
                and layout.is_needed(section, self.form.state)
            ):
                self._opened_once.add(section.title)
                self._show(section)

    def _head(self, section: layout.Section) -> Any:
        def toggle() -> None:
            (self.form.close_group if section.title in self._open else self.form.open_group)(section.title)

        return self._button(self._head_text(section), toggle)

    def _button(self, words: str, action: Callable[[], object]) -> Any:
        button = self.form.tree.make(w.Button, "group", description=words, _dom_classes=("sm-group",))
        button.on_click(self.form.guarded(action))
        return button

    def _head_text(self, section: layout.Section) -> str:
        count = layout.count(section, self.form.state)
        return (
            f"{OPENED if section.title in self._open else CLOSED}"
            f" {section.title}{f' - {count}' if count else ''}"
        )

    def _body_children(self, section: layout.Section) -> tuple[Any, ...]:
        shown = {each.name for each in self.form.state.shown()}
        children: list[Any] = []
        for field in section.fields:
            if field.name in shown:
                control = self.form.control(field)
                children += [control.widget, control.note]
                if field == amount_source.amount_field(self.form.state):
                    children += self.form.amount.parts
        return tuple(children)
