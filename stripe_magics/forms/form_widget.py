"""The form of one module as a widget: all of its fields, the same call as a magic line, and the button that
makes it.

- Layout comes from `layout.sections`, controls from `controls.build`, decisions from `FormState`; sending is
  `submit_bar.Sender`'s business.
- A closed group has no controls yet; they are built when it is opened. `close()` closes every widget of the
  form.
- Everything a person can do is a plain method too: `fill`, `clear`, `keep`, `open_group`, `submit`,
  `preview`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, tzinfo
from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from stripe_magics import catalogue
from stripe_magics._command import Command
from stripe_magics._options import Options
from stripe_magics._redaction import mask_param, mask_params
from stripe_magics.catalogue.field import Field, Kind
from stripe_magics.client.journal.cell_origin import origin
from stripe_magics.errors import Fault, StripeMagicsError
from stripe_magics.forms import amount_source, layout, value_preview
from stripe_magics.forms import html as cards
from stripe_magics.forms.amount_panel import AmountPanel
from stripe_magics.forms.control_builders import BUILDERS
from stripe_magics.forms.controls import Control, Maker, build
from stripe_magics.forms.field_marks import FieldMarks
from stripe_magics.forms.object_picker import open_picker
from stripe_magics.forms.result_area import ResultArea
from stripe_magics.forms.state import FormState
from stripe_magics.forms.submit_bar import Sender
from stripe_magics.forms.update_comparison import Comparison
from stripe_magics.forms.widget_registry import CSS, ROOT_CLASSES, WidgetRegistry, set_children, set_trait
from stripe_magics.parsing import write_cell, write_line

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection

CLOSED, OPENED = "\u25b8", "\u25be"  # the triangles before a group's title


class ModuleForm(w.VBox):
    """The widget. Make it with `stripe_magics.forms.form_widget`, which also closes the form that it
    replaces."""

    def __init__(
        self, state: FormState, *, run: Callable[..., Any] | None = None, connection: Connection | None = None
    ) -> None:
        self.state = state
        self.controls: dict[str, Control] = {}
        self.area = ResultArea()
        self.tree = WidgetRegistry()
        self._fixed_connection = connection
        place = origin()
        self.cell_name = place.cell if place is not None else ""
        self._maker = Maker(self.tree, self._changed, BUILDERS)
        self._sections = layout.sections(state.module)
        self._bodies: dict[str, Any] = {}
        self._open: set[str] = set()
        self._quiet = False
        make = self.tree.make
        self.comparison = Comparison(self)
        self.amount = AmountPanel(self)
        self._top = make(
            w.HTML, "full", value=CSS + cards.mode_banner(self.connection) + cards.head(state.module)
        )
        self.problems = make(w.VBox, "full")
        self._problem_buttons: list[tuple[str, Any]] = []  # the field and its button, while its error stands
        self.marks = make(FieldMarks, "note", on_message=self.comparison.heard)
        self._line = make(w.HTML, "full", value=cards.line(self.line))
        self.status = make(w.HTML, "full", value="")
        self._heads = {each.title: self._head(each) for each in self._sections[1:]}
        for each in self._sections:
            if not each.title or layout.holds_value(each, state):
                self._build_body(each)
                self._open.add(each.title)
        # groups that opened themselves since a field in them became needed
        self._opened_once: set[str] = set()
        self._open_needed()
        self.sender = Sender(self, run)
        super().__init__(
            children=self._children(), layout=self.tree.layout("root"), _dom_classes=ROOT_CLASSES
        )
        self.tree.adopt(self)
        for name in list(self.state.raw):
            self.check(name)

    # -- what others ask of it -------------------------------------------------------------------------------
    @property
    def connection(self) -> Connection | None:
        """The connection that the form would use now, or None."""
        if self._fixed_connection is not None:
            return self._fixed_connection
        from stripe_magics.client.shared_connection import shared

        return shared()

    @property
    def zone(self) -> tzinfo:
        connection = self.connection
        return connection.zone if connection is not None else UTC

    @property
    def line(self) -> str:
        """The same call as a magic: one line, or a cell where a line would not do."""
        return as_magic(_masked(self.state.command()))

    @property
    def skeleton(self) -> str:
        """The line that opens this form again, without any value: what stands for the form where no widgets
        are shown."""
        return write_line(Command(module=self.state.module.name, options=Options(form=True)))

    @property
    def result(self) -> Any:
        """The last answer, a DataFrame; None before there is one."""
        return self.sender.frame

    def fill(self, **values: Any) -> ModuleForm:
        """Enter values by field name, as a person would; returns the form."""
        for name, value in values.items():
            self.state.put(name, value)
            self.put_control(name)
        for name in self.state.infer_switches():
            self.put_control(name)
        for name in values:
            self.comparison.changed(self.state.field(name).name)
        self.amount.update()
        self.refresh()
        return self

    def clear(self, name: str) -> ModuleForm:
        """An update: have Stripe empty the field."""
        self.state.clear(name)
        self.put_control(name)
        self.refresh()
        return self

    def keep(self, name: str) -> ModuleForm:
        """An update: leave the field as it is."""
        self.state.keep(name)
        self.put_control(name)
        self.refresh()
        return self

    def edit(self, name: str) -> ModuleForm:
        """An update: put what Stripe has into the field's control, to be edited there."""
        self.state.copy_current(name)
        self._reveal(name)
        self.put_control(name)
        self.refresh()
        return self

    def fetch(self) -> ModuleForm:
        """An update: ask Stripe what the object looks like now, and show it."""
        self.comparison.fetch()
        return self

    def submit(self, confirm: bool | str = False) -> Any:  # noqa: FBT001, FBT002 - public as it is
        """Send the form as its button does. `confirm=True` answers the second step (in live mode: the words
        that it asks for).

        Returns the answer as a DataFrame and shows it under the form. Raises what went wrong; the form shows
        that too.
        """
        return self.sender.submit(confirm)

    def preview(self) -> Any:
        """The exact `Request` that would be sent; the form shows it. Raises `InvalidValue`."""
        return self.sender.preview()

    def close(self) -> None:
        """Close the form and everything in it: no widget is left in the kernel."""
        if self.tree.closed:
            super().close()
        else:
            self.tree.close()

    # -- groups ----------------------------------------------------------------------------------------------
    def open_group(self, title: str) -> None:
        """Open a group; its controls are built now."""
        section = next(each for each in self._sections if each.title == title)
        if title not in self._bodies:
            self._build_body(section)
        self._open.add(title)
        self.refresh()

    def close_group(self, title: str) -> None:
        """Close a group; what was entered in it stays."""
        self._open.discard(title)
        self.refresh()

    def _open_needed(self) -> None:
        """Open the groups in which a field became needed, once: a person may close them again."""
        for section in self._sections:
            if (
                section.title
                and section.title not in self._opened_once
                and layout.is_needed(section, self.state)
            ):
                self._opened_once.add(section.title)
                if section.title not in self._bodies:
                    self._build_body(section)
                self._open.add(section.title)

    @property
    def groups(self) -> list[str]:
        """The titles of the groups, in order."""
        return list(self._heads)

    def _head(self, section: layout.Section) -> Any:
        button = self.tree.make(
            w.Button, "group", description=self._head_text(section), _dom_classes=("sm-group",)
        )

        def toggle(_: Any) -> None:
            (self.close_group if section.title in self._open else self.open_group)(section.title)

        button.on_click(self.guarded(lambda: toggle(None)))
        return button

    def _head_text(self, section: layout.Section) -> str:
        count = layout.count(section, self.state)
        return (
            f"{OPENED if section.title in self._open else CLOSED}"
            f" {section.title}{f' - {count}' if count else ''}"
        )

    def _build_body(self, section: layout.Section) -> None:
        children = self._body_children(section)
        self._bodies[section.title] = self.tree.make(
            w.VBox, "column", children=children, _dom_classes=("sm-body",)
        )

    def _body_children(self, section: layout.Section) -> tuple[Any, ...]:
        shown = {each.name for each in self.state.shown()}
        children: list[Any] = []
        for field in section.fields:
            if field.name in shown:
                control = self._control(field)
                children += [control.widget, control.note]
                if field == amount_source.amount_field(self.state):
                    children += self.amount.parts
        return tuple(children)

    def _control(self, field: Field) -> Control:
        if field.name not in self.controls:
            version = self.state.options.stripe_version or getattr(self.connection, "api_version", "")
            control = build(
                field, self._maker, condition=cards.condition(field, self.state.module), version=version
            )
            self.controls[field.name] = control
            control.untouched = partial(self.comparison.current, field.name)
            if control.find is not None:
                control.find.on_click(self.guarded(lambda: self._find(control)))
            if field.name in self.state.raw:
                self.put_control(field.name)
        return self.controls[field.name]

    def _children(self) -> tuple[Any, ...]:
        shown = {each.name for each in self.state.shown()}
        parts: list[Any] = [self._top, self._bodies[""]]
        for section in self._sections[1:]:
            if any(each.name in shown for each in section.fields):
                parts.append(self._heads[section.title])
                if section.title in self._open:
                    parts.append(self._bodies[section.title])
        asked = (self.sender.question,) if self.sender.question is not None else ()
        return (
            *parts,
            self._line,
            *self.comparison.parts,
            self.problems,
            *asked,
            self.sender.bar,
            self.status,
            self.marks,
        )

    # -- editing ---------------------------------------------------------------------------------------------
    def _changed(self, name: str) -> None:
        """A person altered a control."""
        if self._quiet:
            return
        raw = self.controls[name].read()
        if self.comparison.same(name, raw):  # typed back to what Stripe has: untouched
            self.state.keep(name)
            self.put_control(name)
        else:
            self.state.set(name, raw)
            self.check(name)
        self._drop_mended()
        self.comparison.changed(name)
        self.amount.update()
        self.refresh()

    def check(self, name: str) -> None:
        """Say under a control how its value was understood, or what is wrong with it."""
        field = self.state.field(name)
        error, reading = value_preview.check(field, self.state.raw.get(name, ""), self.state, self.zone)
        if error:
            self.state.errors[name] = error
        else:
            self.state.errors.pop(name, None)
        self.show_note(name, reading)
        if field.kind is Kind.CURRENCY:
            for other in self.state.module.fields:
                if other.currency == name and other.name in self.state.raw:
                    self.check(other.name)

    def show_note(self, name: str, reading: str = "") -> None:
        if name in self.controls:
            cleared = "will be emptied at Stripe" if name in self.state.cleared else ""
            condition = cards.condition(self.state.field(name), self.state.module)
            self.controls[name].set_note(
                error=self.state.errors.get(name, ""), reading=reading or cleared, condition=condition
            )

    def put_control(self, name: str) -> None:
        """Bring a control to what the state holds."""
        name = self.state.field(name).name
        if name in self.controls:
            was, self._quiet = self._quiet, True
            try:
                self.controls[name].write(self.state.raw.get(name, ""))
            finally:
                self._quiet = was
        self.check(name)

    def _find(self, control: Control) -> None:
        open_picker(self, control)

    def _reveal(self, name: str) -> None:
        """Open the group in which a field stands."""
        section = layout.where(name, self._sections)
        if section is not None and section.title and section.title not in self._open:
            self.open_group(section.title)

    def jump(self, name: str) -> None:
        """Open the field's group and put the cursor into it."""
        self._reveal(name)
        control = self.controls.get(name)
        if control is not None and hasattr(control.focus, "focus"):  # ipywidgets 7 has no such thing
            control.focus.focus()

    # -- showing ---------------------------------------------------------------------------------------------
    def refresh(self) -> None:
        """Bring groups, counts, conditional fields and the line to what the state holds; sends only what
        differs."""
        self._open_needed()
        for section in self._sections:
            if section.title in self._open:
                set_children(self._bodies[section.title], self._body_children(section))
            if section.title:
                set_trait(self._heads[section.title], "description", self._head_text(section))
        self.comparison.refresh()
        set_children(self, self._children())
        set_trait(self._line, "value", cards.line(self.line))
        self.sender.refresh()

    def refresh_banner(self) -> None:
        """Bring the strip on top to the connection as it is now."""
        set_trait(
            self._top, "value", CSS + cards.mode_banner(self.connection) + cards.head(self.state.module)
        )

    def show_faults(self, faults: tuple[Fault, ...]) -> None:
        """Mark the fields, open their groups, and list them on top: each entry jumps to its field."""
        for old in self.problems.children:
            self.tree.drop(old)
        self._problem_buttons = []
        buttons = []
        for fault in faults:
            field = self.state.module.get(fault.field)
            if field is not None:
                place = (
                    f"Row {fault.row}{' > ' + fault.column if fault.column else ''}: " if fault.row else ""
                )
                self._reveal(field.name)  # first: a control that is built now is checked on its own
                self.state.errors[field.name] = place + fault.problem
                self.show_note(field.name)
            buttons.append(
                self.tree.make(
                    w.Button,
                    "button",
                    description=f"{fault.title}: {fault.problem}",
                    _dom_classes=("sm-problem",),
                )
            )
            if field is not None:
                buttons[-1].on_click(self.guarded(partial(self.jump, field.name)))
            self._problem_buttons.append((field.name if field is not None else "", buttons[-1]))
        set_children(self.problems, tuple(buttons))
        self.refresh()

    def _drop_mended(self) -> None:
        """Take the entries of errors away that were mended since."""
        mended = [button for name, button in self._problem_buttons if name and name not in self.state.errors]
        if not mended:
            return
        self._problem_buttons = [each for each in self._problem_buttons if each[1] not in mended]
        set_children(self.problems, tuple(button for _, button in self._problem_buttons))
        for each in mended:
            self.tree.drop(each)
        if not self._problem_buttons:
            self.show_message("")

    def show_message(self, html: str) -> None:
        """Put a card into the status line."""
        set_trait(self.status, "value", html)

    def guarded(self, action: Callable[[], Any]) -> Callable[[Any], None]:
        """A handler that shows what goes wrong: an exception in a widget's callback would be seen by
        nobody."""

        def handler(_: Any) -> None:
            try:
                action()
            except StripeMagicsError as fault:
                if fault is not self.sender.shown_error:
                    self.show_message(cards.error(fault))
            except Exception as fault:
                # anything else is our own mistake: say so instead of losing it in a log
                self.show_message(
                    cards.card("wrong", "The form failed.", [cards.own_mistake(fault)], role="alert")
                )

        return handler

    def __repr__(self) -> str:
        return self.skeleton

    def _ipython_display_(self, **kwargs: Any) -> None:
        """Show the form, with its result area beneath; the text that stands for it is the skeleton line,
        without any value."""
        from IPython.display import display

        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        display({"text/plain": self.skeleton, "application/vnd.jupyter.widget-view+json": view}, raw=True)
        self.area.open()
        if hasattr(self, "_handle_displayed"):  # ipywidgets 7
            self._handle_displayed(**kwargs)


def _masked(command: Command) -> Command:
    """The command as it may be shown, and saved with the notebook: card and bank numbers by their last
    digits."""
    fields = {each.name: each.param or each.name for each in catalogue.find(command.module).fields}
    values = {name: mask_param(fields.get(name, name), value) for name, value in command.values.items()}
    return replace(command, values=values, params=list(mask_params(command.params)))


def as_magic(command: Command) -> str:
    """A command as people would write it: a line, or a cell where values have several lines or parts."""
    long = any(
        isinstance(each, list) and any(isinstance(row, Mapping) for row in each)
        for each in command.values.values()
    )
    long = long or any(isinstance(each, str) and "\n" in each for each in command.values.values())
    return write_cell(command) if long else write_line(command)
