"""Card and bank numbers in a form: held in the kernel, sent to Stripe, and nowhere else: no widget's state,
no line, no message."""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from forms.conftest import models

import stripe_magics as sm
from stripe_magics import catalogue
from stripe_magics._redaction import is_secret_param
from stripe_magics.catalogue.field import Field, Kind
from stripe_magics.client import shared_connection

CARD, CVC = "4000056655665556", "913"


def type_privately(field: Any, text: str) -> dict[str, Any]:
    """As the browser does: ask for a pad, send the text mixed with it. Gives the message that went to the
    kernel."""
    sent: list[Any] = []
    send, field.send = field.send, sent.append
    try:
        field._handle_custom_msg({"want": "view"}, [])
    finally:
        field.send = send
    pad = base64.b64decode(sent[0]["pad"])
    mixed = bytes(one ^ other for one, other in zip(text.encode().ljust(len(pad), b"\0"), pad, strict=True))
    message = {"number": sent[0]["number"], "mixed": base64.b64encode(mixed).decode()}
    field._handle_custom_msg(dict(message), [])
    return message


@pytest.fixture
def form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("STRIPE_MAGICS_STATE_DIR", str(tmp_path / "state"))
    sm.connect(sandbox=True, demo=False)
    made = sm.form("payment_methods.create", type="card", card_exp_month=12, card_exp_year=2030)
    made.open_group(next(each.group for each in made.state.module.fields if each.name == "card_number"))
    yield made
    made.close()
    shared_connection.close()


def test_what_is_typed_is_sent_and_kept_nowhere(form: Any, tmp_path: Path) -> None:
    handler = logging.FileHandler(tmp_path / "all.log")
    root, before = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        said = [type_privately(form.controls["card_number"].widget, CARD)]
        said += [type_privately(form.controls["card_cvc"].widget, CVC)]
        assert form.state.values()["card_number"] == CARD
        assert form.controls["card_number"].widget.hint.endswith("5556")
        request = form.preview()
        assert dict(request.params)["card[number]"] == CARD
        sent: list[str] = []
        transport = shared_connection.current().sandbox
        real = transport.answer

        def heard(method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> Any:
            sent.append(body.decode())
            return real(method, path, query, headers, body)

        transport.answer = heard
        frame = form.submit(confirm=True)
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
        handler.close()
    assert any(f"card%5Bnumber%5D={CARD}" in each for each in sent)
    state = str([each.get_state() for each in models().values()])
    shown = state + form.line + repr(form) + str(said) + str(frame.attrs) + form.status.value
    shown += (tmp_path / "all.log").read_text()
    assert CARD not in shown
    assert f"={CVC}" not in shown
    assert f"'{CVC}'" not in shown
    assert "5556" in form.line


def test_clear_takes_it_back(form: Any) -> None:
    field = form.controls["card_number"].widget
    type_privately(field, CARD)
    field._handle_custom_msg({"clear": True}, [])
    assert "card_number" not in form.state.values()
    assert field.hint == ""


def test_a_prefilled_number_is_held_the_same_way(form: Any) -> None:
    form.fill(card_number=CARD)
    assert CARD not in str([each.get_state() for each in models().values()])
    assert form.preview() is not None


def test_every_text_field_with_such_a_number_is_private() -> None:
    """In every module: none of them gets an ordinary control."""
    from stripe_magics.forms.control_builders import BUILDERS
    from stripe_magics.forms.controls import Maker, build
    from stripe_magics.forms.widget_registry import WidgetRegistry

    tree = WidgetRegistry()
    fields = {
        each.param: each
        for name in catalogue.names()
        for each in catalogue.find(name).fields
        if each.param and each.kind is Kind.TEXT and is_secret_param(each.param)
    }
    assert len(fields) > 50
    for field in fields.values():
        control = build(field, Maker(tree, lambda _: None, BUILDERS))
        control.write("sample-1234567890")
        assert control.read() == "sample-1234567890"
        assert "sample" not in str(control.widget.get_state()), field.param
    tree.close()


def test_cells_of_rows_are_private_too() -> None:
    """A number in a row is one as well: what it is called there (`cards[0][number]`) decides. Metadata are
    none."""
    from stripe_magics.forms.control_builders import BUILDERS
    from stripe_magics.forms.controls import Maker, build
    from stripe_magics.forms.widget_registry import WidgetRegistry

    columns = tuple(
        Field(name=name, label=name, kind=Kind.TEXT, param=name) for name in ("number", "cvc", "holder")
    )
    rows = Field(name="cards", label="Cards", kind=Kind.ROWS, param="cards", columns=columns)
    tree, changes = WidgetRegistry(), []
    control = build(rows, Maker(tree, changes.append, BUILDERS))
    control.write([{"number": CARD, "cvc": CVC, "holder": "Jenny"}])
    row = control.parts[0].lines[0]
    # without ids, which are random
    state = re.sub(r"[0-9a-f]{32}", "", str([each.get_state() for each in models().values()]))
    assert CARD not in state
    assert CVC not in state
    assert "Jenny" in state
    changes.clear()
    type_privately(row.cells["number"].widget, "4242424242424242")
    assert changes == ["cards"]
    assert control.read() == [{"number": "4242424242424242", "cvc": CVC, "holder": "Jenny"}]
    assert "4242424242424242" not in str([each.get_state() for each in models().values()])
    control.write([])
    assert control.read() == []
    tree.close()


def test_a_number_in_metadata_is_an_ordinary_text() -> None:
    from stripe_magics.forms.control_builders import BUILDERS
    from stripe_magics.forms.controls import Maker, build
    from stripe_magics.forms.widget_registry import WidgetRegistry

    field = Field(name="metadata", label="Metadata", kind=Kind.METADATA, param="metadata")
    tree = WidgetRegistry()
    control = build(field, Maker(tree, lambda _: None, BUILDERS))
    control.write({"number": "17"})
    assert control.parts[0].lines[0].cells["value"].widget.value == "17"
    tree.close()
