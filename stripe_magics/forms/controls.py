"""One control for each kind of field, from one table.

A control holds the field's raw value (see `state.py`): `read` gives it, `write` puts it, `changed` is called
when a person alters it.
Under the control stands its note: the error or the reading of what was entered, then the help as visible
text.

Money, numbers, dates and booleans are text or a list to choose from, never number boxes or check boxes: those
round, clamp, scroll and cannot say "not set".
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import ipywidgets as w

from stripe_magics._redaction import is_secret_param, mask_param
from stripe_magics.catalogue.field import Field, Kind
from stripe_magics.catalogue.kinds import kind_facts
from stripe_magics.forms import html
from stripe_magics.forms.state import Raw, blank, raw_value
from stripe_magics.forms.widget_registry import WidgetRegistry
from stripe_magics.money import CURRENCIES
from stripe_magics.validation.countries import COUNTRIES
from stripe_magics.validation.currency_names import CURRENCY_NAMES


@dataclass(slots=True)
class Control:
    """A field's control as the form uses it."""

    field: Field
    widget: Any  # what stands in the form
    read: Callable[[], Raw]
    write: Callable[[Raw], None]
    focus: Any = None  # the widget that takes the keyboard
    note: Any = None
    find: Any = None  # an id's Find button
    # the words that Find looks for, where they aren't the field's own text
    sought: Callable[[], str] | None = None
    # what Find does with the id that is chosen, where it isn't `write`
    take: Callable[[str], None] | None = None
    picker: Any = None  # what Find opened
    version: str = ""  # the API version that the form's call goes out with
    untouched: Callable[[], Raw] = str  # what an update's field shows while its control is blank
    # the inner widgets of a control that is made of several
    parts: list[Any] = dataclasses.field(default_factory=list)

    def set_note(self, *, error: str = "", reading: str = "", condition: str = "") -> None:
        """What stands under the control."""
        text = html.note(self.field, error=error, reading=reading, condition=condition, version=self.version)
        if self.note is not None and self.note.value != text:
            self.note.value = text


@dataclass(frozen=True, slots=True)
class Maker:
    """What a builder needs: where widgets are made, whom a change is told, and whether it stands in a row of
    several."""

    tree: WidgetRegistry
    changed: Callable[[str], None]  # with the field's name
    builders: Mapping[str, Builder]
    cell: bool = False
    inside: str = ""  # the parameter whose rows its controls stand in
    object_ids: bool = True  # whether ids get a Find button

    def param(self, field: Field) -> str:
        """The parameter of a control, inside of its row's."""
        return f"{self.inside}[0][{field.param}]" if self.inside else field.param

    def label(self, field: Field) -> str:
        return f"{field.label} *" if field.required else field.label

    def layout(self, name: str) -> str:
        return "cell" if self.cell else name

    def make(self, kind: type, layout: str, field: Field, **traits: Any) -> Any:
        """A labelled widget that tells when its value changes."""
        widget = self.tree.make(
            kind, self.layout(layout), narrow=self.cell, description=self.label(field), **traits
        )
        widget.observe(lambda _: self.changed(field.name), "value")
        return widget


Builder = Callable[[Field, Maker], Control]


def build(field: Field, maker: Maker, *, condition: str = "", version: str = "") -> Control:
    """The control of a field, with its note beneath (cells of rows have none of their own)."""
    control = maker.builders[kind_facts(field.kind).control](field, maker)
    control.version = version
    if not maker.cell:
        control.note = maker.tree.make(
            w.HTML, "note", value=html.note(field, condition=condition, version=version)
        )
    return control


# -- plain text ----------------------------------------------------------------------------------------------
def _text_control(field: Field, widget: Any) -> Control:
    def write(raw: Raw) -> None:
        widget.value = "" if raw is None else str(raw)

    return Control(field, widget, lambda: str(widget.value), write, focus=widget)


def _private(field: Field, maker: Maker) -> Control:
    """A card or bank number, a code: what is typed is held here alone; the widget shows its last digits and
    has no value."""
    from stripe_magics.forms.key_field import private_field

    held = [""]

    def write(raw: Raw) -> None:
        held[0] = "" if raw is None else str(raw).strip()
        if hasattr(widget, "hint"):
            widget.hint = str(mask_param(maker.param(field), held[0])) if held[0] else ""

    def taken(typed: str) -> None:
        write(typed)
        maker.changed(field.name)

    widget = private_field(maker.tree, taken, label=maker.label(field), hint="", action="Clear")
    return Control(field, widget, lambda: held[0], write, focus=widget)


def _text(field: Field, maker: Maker) -> Control:
    if is_secret_param(maker.param(field)):
        return _private(field, maker)
    placeholder = kind_facts(field.kind).placeholder
    return _text_control(
        field, maker.make(w.Text, "field", field, continuous_update=False, placeholder=placeholder)
    )


def _long_text(field: Field, maker: Maker) -> Control:
    return _text_control(field, maker.make(w.Textarea, "long", field, continuous_update=False))


def _json(field: Field, maker: Maker) -> Control:
    return _text_control(
        field, maker.make(w.Textarea, "many", field, continuous_update=False, placeholder='{"name": "Jenny"}')
    )


def _offering(field: Field, maker: Maker, offers: list[str], layout: str = "field") -> Any:
    """A text field that offers what fits while a person types, and takes anything: the check judges it."""
    placeholder = kind_facts(field.kind).placeholder
    return maker.make(
        w.Combobox, layout, field, continuous_update=False, placeholder=placeholder, options=offers
    )


def _currency(field: Field, maker: Maker) -> Control:
    """By code or by name, as a country."""
    offers = [*sorted(CURRENCIES), *sorted(CURRENCY_NAMES.values())]
    return _text_control(field, _offering(field, maker, offers))


def _country(field: Field, maker: Maker) -> Control:
    """By name or by code: `line_value` of the form's state makes the code of a name."""
    return _text_control(field, _offering(field, maker, sorted(COUNTRIES.values())))


# -- choices -------------------------------------------------------------------------------------------------
def _choice_control(field: Field, maker: Maker, choices: list[tuple[str, str]]) -> Control:
    widget = maker.make(w.Dropdown, "field", field, options=choices, value="")

    def write(raw: Raw) -> None:
        text = "" if raw is None else str(raw)
        if text not in [value for _, value in widget.options]:
            # what doesn't fit is shown, for the check to name it
            widget.options = [*widget.options, (text, text)]
        widget.value = text

    return Control(field, widget, lambda: str(widget.value or ""), write, focus=widget)


def _not_set(field: Field) -> str:
    return f"not set (Stripe: {raw_value(field, field.default)})" if field.default is not None else "not set"


def _choice(field: Field, maker: Maker) -> Control:
    choices = (*field.choices, *field.local_choices)
    return _choice_control(field, maker, [(_not_set(field), ""), *((each, each) for each in choices)])


def _boolean(field: Field, maker: Maker) -> Control:
    return _choice_control(field, maker, [(_not_set(field), ""), ("true", "true"), ("false", "false")])


def _multi_choice(field: Field, maker: Maker) -> Control:
    if not field.choices:
        return _lines(field, maker)
    if len(field.choices) > MANY and not maker.cell:
        return _searched_choices(field, maker)
    widget = maker.make(w.SelectMultiple, "many", field, options=list(field.choices))

    def write(raw: Raw) -> None:
        chosen = [str(each) for each in raw or []]
        unknown = [each for each in chosen if each not in widget.options]
        if unknown:
            widget.options = [*widget.options, *unknown]
        widget.value = tuple(chosen)

    return Control(field, widget, lambda: list(widget.value), write, focus=widget)


MANY = 20
"""From so many choices on, people search them instead of scrolling."""


def _searched_choices(field: Field, maker: Maker) -> Control:
    """What was chosen, one a line, and a field beside it that finds more by what is typed."""
    control = _lines(field, maker)
    add = maker.tree.make(
        w.Combobox, "field", description="Search and add", options=list(field.choices), ensure_option=True
    )

    def added(change: dict[str, Any]) -> None:
        if change["new"] in field.choices:
            _add(control, change["new"])
            add.value = ""

    add.observe(added, "value")
    text = control.widget
    control.widget = maker.tree.make(w.VBox, "column", children=(text, add))
    control.parts = [text, add]
    return control


def _add(control: Control, value: str) -> None:
    """One more value in a list, after those that are there: in an update, those that Stripe has."""
    chosen = control.read() or control.untouched() or []
    if value not in chosen:
        control.write([*chosen, value])


def _text_list(field: Field, maker: Maker) -> Control:
    control = _lines(field, maker)
    return control if maker.cell or not maker.object_ids or not field.object else _found_ids(control, maker)


def _found_ids(control: Control, maker: Maker) -> Control:
    """Ids, one a line, and a field beside them whose Find adds one."""
    words = maker.tree.make(
        w.Text, "beside", description="Search and add", placeholder=_find_hint(control.field)
    )
    find = maker.tree.make(w.Button, "small", description="Find")
    line = maker.tree.make(w.HBox, "line", children=(words, find), _dom_classes=("sm-find",))

    def take(identity: str) -> None:
        _add(control, identity)
        words.value = ""

    control.parts = [control.widget, words, find]
    control.widget = maker.tree.make(w.VBox, "column", children=(control.widget, line))
    control.find, control.sought, control.take = find, lambda: str(words.value), take
    return control


def _lines(field: Field, maker: Maker) -> Control:
    widget = maker.make(w.Textarea, "long", field, continuous_update=False, placeholder="one per line")

    def read() -> Raw:
        return [part.strip() for part in widget.value.splitlines() if part.strip()]

    def write(raw: Raw) -> None:
        if not (blank(raw) and not read()):
            widget.value = "\n".join(str(each) for each in raw or [])

    return Control(field, widget, read, write, focus=widget)


# -- made of several -----------------------------------------------------------------------------------------
MOMENTS = ("now", "today", "tomorrow", "in 7 days", "in 14 days", "in 30 days", "end of month")
"""What a field of a time offers; any date or time can be typed."""


def _timestamp(field: Field, maker: Maker) -> Control:
    """Text beside a date picker: what is picked is written into the text, which is what counts."""
    if maker.cell or (field.kind is Kind.TIMESTAMP_FILTER and not field.operator):
        return _text(field, maker)
    text = _offering(field, maker, list(MOMENTS), "before_date")
    picker = maker.tree.make(w.DatePicker, "date", narrow=True, description="or pick")

    def picked(change: dict[str, Any]) -> None:
        if change["new"] is not None:
            text.value = change["new"].isoformat()

    picker.observe(picked, "value")
    control = _text_control(field, text)
    control.widget = maker.tree.make(w.HBox, "row", children=(text, picker))
    control.parts = [text, picker]
    return control


def _object_id(field: Field, maker: Maker) -> Control:
    """An id, with a button that finds the object by what people know of it."""
    if maker.cell or not maker.object_ids or not field.object:
        return _text(field, maker)
    text = maker.make(w.Text, "beside", field, continuous_update=False, placeholder=_find_hint(field))
    find = maker.tree.make(w.Button, "small", description="Find")
    control = _text_control(field, text)
    control.widget = maker.tree.make(w.HBox, "line", children=(text, find), _dom_classes=("sm-find",))
    control.find, control.parts = find, [text, find]
    return control


def _find_hint(field: Field) -> str:
    return "ID, e-mail or name" if field.object == "customer" else "ID, or words to find it by"


BUILDERS: dict[str, Builder] = {
    "text": _text,
    "long_text": _long_text,
    "boolean": _boolean,
    "choice": _choice,
    "multi_choice": _multi_choice,
    "text_list": _text_list,
    "object_id": _object_id,
    "currency": _currency,
    "country": _country,
    "timestamp": _timestamp,
    "json": _json,
}
"""A builder for each control that doesn't grow, by the name that a kind's entry in `catalogue/kinds.py`
gives; `control_builders.py` has all."""
