"""The form of one module as a widget: all of its fields, the same call as a magic line, and the button that
makes it.

- Groups are `FormSections`, controls come from `controls.build`, decisions from `FormState`; sending is
  `submit_bar.Sender`'s business, what must be corrected `ProblemList`'s.
- `close()` closes every widget of the form.
- Everything a person can do is a plain method too: `fill`, `clear`, `keep`, `open_group`, `submit`,
  `preview`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, tzinfo
from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from stripe_magics._command import Command
from stripe_magics._options import Options
from stripe_magics.catalogue.field import Field, Kind
from stripe_magics.client.journal.cell_origin import origin
from stripe_magics.errors import Fault, StripeMagicsError
from stripe_magics.forms import html as cards
from stripe_magics.forms import value_preview
from stripe_magics.forms.amount_panel import AmountPanel
from stripe_magics.forms.control_builders import BUILDERS
from stripe_magics.forms.controls import Control, Maker, build
from stripe_magics.forms.field_marks import FieldMarks
from stripe_magics.forms.form_sections import FormSections
from stripe_magics.forms.form_words import in_labels
from stripe_magics.forms.magic_line import as_magic, masked
from stripe_magics.forms.object_picker import open_picker
from stripe_magics.forms.problem_list import ProblemList
from stripe_magics.forms.result_area import ResultArea
from stripe_magics.forms.run_protocols import RunCommand
from stripe_magics.forms.state import FormState
from stripe_magics.forms.submit_bar import Sender
from stripe_magics.forms.update_comparison import Comparison
from stripe_magics.forms.widget_registry import CSS, ROOT_CLASSES, WidgetRegistry, set_children, set_trait
from stripe_magics.parsing import write_line

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection


class ModuleForm(w.VBox):
    """The widget. Make it with `stripe_magics.forms.form_widget`, which also closes the form that it
    replaces."""

    def __init__(
        self, state: FormState, *, run: RunCommand | None = None, connection: Connection | None = None
    ) -> None:
        self.state = state
        self.controls: dict[str, Control] = {}
        self.area = ResultArea()
        self.tree = WidgetRegistry()
        self._fixed_connection = connection
        place = origin()
        self.cell_name = place.cell if place is not None else ""
        self._maker = Maker(self.tree, self._changed, BUILDERS)
        self._quiet = False
        make = self.tree.make
        self.comparison = Comparison(self)
        self.amount = AmountPanel(self)
        self._top = make(w.HTML, "full", value=self._banner())
        self.problems = ProblemList(self)
        self.marks = make(FieldMarks, "note", on_message=self.comparison.heard)
        self._line = make(w.HTML, "full", value=cards.line(self.line))
        self.status = make(w.HTML, "full", value="")
        self.sections = FormSections(self)
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
        return as_magic(masked(self.state.command()))

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
        self._drop_mended()
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
        self.sections.reveal(name)
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
        self.sections.open(title)
        self.refresh()

    def close_group(self, title: str) -> None:
        """Close a group; what was entered in it stays."""
        self.sections.close(title)
        self.refresh()

    @property
    def groups(self) -> list[str]:
        """The titles of the groups, in order."""
        return self.sections.titles

    def control(self, field: Field) -> Control:
        """The control of a field, built when it is first asked for."""
        if field.name not in self.controls:
            version = self.state.options.stripe_version or getattr(self.connection, "api_version", "")
            control = build(
                field, self._maker, condition=cards.condition(field, self.state.module), version=version
            )
            self.controls[field.name] = control
            control.untouched = partial(self.comparison.current, field.name)
            if control.find is not None:
                control.find.on_click(self.guarded(lambda: open_picker(self, control)))
            if field.name in self.state.raw:
                self.put_control(field.name)
        return self.controls[field.name]

    def _children(self) -> tuple[Any, ...]:
        asked = (self.sender.question,) if self.sender.question is not None else ()
        return (
            self._top,
            *self.sections.parts,
            self._line,
            *self.comparison.parts,
            self.problems.box,
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

    def jump(self, name: str) -> None:
        """Open the field's group and put the cursor into it."""
        self.sections.reveal(name)
        control = self.controls.get(name)
        if control is not None and hasattr(control.focus, "focus"):  # ipywidgets 7 has no such thing
            control.focus.focus()

    # -- showing ---------------------------------------------------------------------------------------------
    def refresh(self) -> None:
        """Bring groups, counts, conditional fields and the line to what the state holds; sends only what
        differs."""
        self.sections.refresh()
        self.comparison.refresh()
        set_children(self, self._children())
        set_trait(self._line, "value", cards.line(self.line))
        self.sender.refresh()

    def refresh_banner(self) -> None:
        """Bring the strip on top to the connection as it is now."""
        set_trait(self._top, "value", self._banner())

    def _banner(self) -> str:
        top = cards.mode_banner(self.connection) + cards.head(self.state.module)
        return CSS + self.area.style + top

    def show_faults(self, faults: tuple[Fault, ...]) -> None:
        """Mark the fields, open their groups, and list them above the button: each entry jumps to its
        field."""
        self.problems.show(faults)
        self.refresh()

    def _drop_mended(self) -> None:
        """Take the errors away that were mended since."""
        if self.problems.drop_mended():
            self.show_message("")

    def show_message(self, html: str) -> None:
        """Put a card into the status line."""
        set_trait(self.status, "value", html)

    def guarded(self, action: Callable[[], Any]) -> Callable[[Any], None]:
        """A handler that shows what goes wrong: an exception in a widget's callback would be seen by
        nobody."""

        def handler(_: object) -> None:
            try:
                action()
            except StripeMagicsError as fault:
                if fault is not self.sender.shown_error:
                    self.show_message(cards.error(fault, lambda text: in_labels(text, self.state.module)))
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
