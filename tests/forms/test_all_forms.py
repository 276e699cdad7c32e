"""All 41 forms: their fields are the catalogue's, they are cheap to open, and a form is its magic line."""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from each_row import each_row
from forms.conftest import models
from forms.samples import entered, sample
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stripe_magics import catalogue
from stripe_magics._command import Command
from stripe_magics.catalogue.field import Field, Kind, Role
from stripe_magics.catalogue.module import Module
from stripe_magics.errors import InvalidValue
from stripe_magics.forms import layout, module_form, skeleton
from stripe_magics.forms.form_widget import ModuleForm
from stripe_magics.forms.magic_line import as_magic
from stripe_magics.forms.state import FormState
from stripe_magics.parsing import parse
from stripe_magics.pipeline import prepare

MODULES = catalogue.documented()
every_module = each_row("module", MODULES, ids=[each.name for each in MODULES])


def reread(text: str) -> Command:
    """The command of what a form shows as a magic."""
    if text.startswith("%%stripe"):
        line, _, cell = text.partition("\n")
        return parse(line.removeprefix("%%stripe").strip(), cell)
    return parse(text.removeprefix("%stripe").strip())


@every_module
def test_a_form_has_every_field_of_its_module(module: Module) -> None:
    """Each field gets its control as soon as its condition holds, in exactly one place, under its own
    label."""
    placed = [each.name for section in layout.sections(module) for each in section.fields]
    assert sorted(placed) == sorted(each.name for each in module.fields)
    for form, fields in opened(module):
        shown = set(widgets_below(form))
        for field in fields:
            control = form.controls[field.name]
            assert control.widget in shown, f"{field.name} is not on screen"
            assert field.label in control.focus.description
            assert field.help in unescape(control.note.value)


def opened(module: Module) -> Iterator[tuple[ModuleForm, list[Field]]]:
    """Forms with all groups open, one for each set of conditions, with the fields that it must show."""
    ways: dict[str, tuple[dict[str, Any], list[Field]]] = {}
    for field in module.fields:
        values = satisfied(field, module)
        ways.setdefault(repr(values), (values, []))[1].append(field)
    for values, fields in ways.values():
        form = module_form(module.name, needed(module) | values)
        for title in form.groups:
            form.open_group(title)
        yield form, fields


def needed(module: Module) -> dict[str, Any]:
    """What a call can't do without."""
    values = {each.name: sample(each) for each in module.fields if each.required and not each.when}
    for names in module.any_of:
        first = module.get(names[0])
        assert first is not None
        values[first.name] = sample(first)
    return values


def satisfied(field: Field, module: Module) -> dict[str, Any]:
    """Values under which a field is shown."""
    values: dict[str, Any] = {}
    for name, expected in field.when:
        source = module.get(name)
        assert source is not None
        values |= satisfied(source, module)
        values[name] = [expected[0]] if source.kind is Kind.MULTI_CHOICE else expected[0]
    return values


def widgets_below(widget: Any) -> Any:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from widgets_below(child)


@every_module
def test_each_field_travels_alone_from_control_to_request(module: Module) -> None:
    """Entered in its control, a field comes back from the control, and from the line that the form shows."""
    for form, fields in opened(module):
        for field in fields:
            before = form.state.raw.get(field.name, "")
            form.controls[field.name].write(sample(field))
            assert form.controls[field.name].read() == sample(field)
            command = form.state.command()
            assert command.values[field.name] == sample(field)
            assert same_request(command, reread(form.line)), form.line
            form.fill(**{field.name: before}) if before else form.keep(field.name)


def same_request(one: Command, other: Command) -> bool:
    """Whether two commands give the same request, or the same faults."""
    return outcome(one) == outcome(other)


def outcome(command: Command) -> Any:
    try:
        return prepare(command)
    except InvalidValue as invalid:
        return sorted(map(str, invalid.faults))


@every_module
def test_a_plain_filled_form_is_right(module: Module) -> None:
    """What is required, and nothing else, makes a request."""
    request = module_form(module.name, needed(module)).preview()
    assert request.method == ("GET" if module.method == "ANY" else module.method)


@every_module
def test_a_form_is_its_magic(module: Module) -> None:
    """Values -> command -> line -> command: the same request (or the same faults), and the same form
    again."""

    @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(values=st.fixed_dictionaries({}, optional={each.name: entered(each) for each in module.fields}))
    def holds(values: dict[str, Any]) -> None:
        state = FormState.of(module, values)
        command = state.command()
        again = reread(as_magic(command))
        assert same_request(command, again), as_magic(command)
        reopened = FormState.of(module, again.values, params=again.params)
        assert reopened.values() == state.values(), as_magic(command)
        assert as_magic(reopened.command()) == as_magic(command)

    holds()


MANY_GROUPS = [  # generated, of more groups than the others
    catalogue.find(each)
    for each in (
        "checkout.sessions.create",
        "payment_method_configurations.create",
        "payment_method_configurations.update",
    )
]


@pytest.mark.parametrize("module", [*MODULES, *MANY_GROUPS], ids=lambda each: each.name)
def test_opening_is_cheap_and_closing_leaves_nothing(module: Module, messages: list[str]) -> None:
    """Fewer than 60 comm messages, whatever the module; after closing no model is left."""
    before = set(models())
    form = module_form(module.name)
    assert 8 < len(messages) < 60
    for title in form.groups:
        form.open_group(title)
    form.close()
    assert set(models()) == before


def test_the_heads_of_very_many_groups_come_when_they_are_asked_for() -> None:
    form = module_form("payment_method_configurations.create")
    parts, titles = form.sections, form.groups
    assert len(titles) > 60
    assert parts.parts[-1].description.endswith(f" {len(titles) - len(parts.heads)} more groups")
    form.open_group(titles[50])
    assert titles[50] in parts.heads
    named = parts.sections[-1].fields[0].name
    form.jump(named)
    assert form.control(form.state.field(named)).widget is not None
    assert titles[-1] in parts.heads, "a fault opens its group wherever that is"
    parts.parts[-1].click()
    assert list(parts.heads.keys() ^ set(titles)) == []
    heads = [each for each in parts.parts if each in parts.heads.values()]
    assert heads == [parts.heads[each] for each in titles], "in order, and no other is left"
    form.close()


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The comm messages that a front end would get."""
    comm = pytest.importorskip(
        "comm", reason="messages are counted where ipywidgets has the comm package (8 on)"
    )
    from comm.base_comm import BaseComm

    sent: list[str] = []

    class Counted(BaseComm):
        def publish_msg(self, msg_type: str, **_: Any) -> None:
            sent.append(msg_type)

    monkeypatch.setattr(comm, "create_comm", Counted)
    return sent


@every_module
def test_the_text_of_a_form_is_its_skeleton(module: Module) -> None:
    """Nothing of what was entered stands in the text that notebooks keep."""
    text = next(
        (
            each
            for each in module.fields
            if each.kind is Kind.TEXT and not each.when and each.role is Role.PARAM
        ),
        None,
    )
    form = module_form(module.name, {text.name: "Jenny"} if text else {})
    assert repr(form) == skeleton(module.name) == form.skeleton
    assert "Jenny" not in repr(form)
    assert reread(repr(form)).options.form


def test_generated_operations_have_a_plain_form() -> None:
    form = module_form("products.create", {"name": "Gift card"})
    assert form.preview().params == (("name", "Gift card"),)
    assert form.line == '%stripe products create --name "Gift card"'


def test_what_only_platforms_need_waits_in_a_closed_group() -> None:
    """Fields for connected accounts are on no screen until their group is opened; then they are there."""
    platforms = [(module, each) for module in MODULES for each in module.fields if each.connect_only]
    assert len(platforms) > 10
    for module, field in platforms:
        titles = [each.title for each in layout.sections(module) if field in each.fields]
        assert titles != [""], f"{module.name}: {field.name} stands in front"
    form = module_form("events.watch")
    assert "connect" not in form.controls
    form.open_group("Stripe Connect")
    assert "connect" in form.controls
