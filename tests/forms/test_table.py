"""`--table`: what the interactive table holds, what selected rows offer, and that nothing of it comes from
the network."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import stripe_magics as sm
from stripe_magics.forms.row_actions import ACTIONS, actions_for
from stripe_magics.forms.table_widget import TableColumn, TableWidget
from stripe_magics.magics.dataframe_display import bundle
from stripe_magics.magics.interactive_table import WIDGET, table_content

with_itables = pytest.mark.skipif(find_spec("itables") is None, reason="the extra tables")


@pytest.fixture
def connected() -> Any:
    return sm.connect(sandbox=True)


def rows_of(widget: TableWidget) -> list[list[Any]]:
    return json.loads(widget.table._dt_args["data_json"])


def test_every_action_is_a_module_with_that_field() -> None:
    from stripe_magics import catalogue

    for actions in ACTIONS.values():
        for each in actions:
            assert catalogue.find(each.module).get(each.field) is not None, each


def test_what_can_be_done_goes_by_the_state_of_all_rows() -> None:
    paid, held = {"id": "pi_1", "status": "succeeded"}, {"id": "pi_2", "status": "requires_capture"}
    assert [each.label for each in actions_for("payment_intent", [paid])] == ["Refund"]
    assert [each.label for each in actions_for("payment_intent", [held])] == ["Capture", "Cancel"]
    assert actions_for("payment_intent", [paid, held]) == []
    assert actions_for("payment_intent", []) == []


@with_itables
def test_amounts_sort_as_numbers_and_everything_is_escaped(connected: Any) -> None:
    sm.call("customers.create", name="<img src=x>", email="$1@example.com", description="a & b")
    widget = TableWidget(table_content(sm.call("customers.list", limit=5)))
    assert "<img" not in widget.table._dt_args["data_json"]
    assert "&lt;img src=x&gt;" in widget.table._dt_args["data_json"]
    assert "mathjax_ignore" in widget.table.classes
    widget.close()
    frame = sm.call("payment_intents.list", limit=50)
    content = table_content(frame)
    amount = next(each for each in content.columns if each.head == "amount")
    expected = [
        f"{number:,.2f} {code.upper()}"
        for number, code in zip(amount.numbers or [], frame["currency"], strict=True)
    ]
    assert list(amount.texts) == expected


@with_itables
def test_states_are_the_badges_of_plain_tables_and_text_to_itables(connected: Any) -> None:
    frame = sm.call("disputes.list", limit=20)
    content = table_content(frame)
    place = next(place for place, each in enumerate(content.columns) if each.head == "status")
    widget = TableWidget(content)
    badges = [row[place] for row in rows_of(widget)]
    plain = bundle(frame) or {}
    assert any("needs_response by 20" in each for each in badges)
    assert all(each in plain["text/html"] for each in badges)
    assert all(each.startswith("<span") for each in badges)
    # what DataTables seeks, sorts and exports as its text
    assert {"targets": place, "type": "html"} in widget.table._dt_args["columnDefs"]
    widget.close()


@with_itables
def test_one_row_opens_its_card_and_its_form(connected: Any) -> None:
    frame = sm.call("payment_intents.list", limit=50)
    widget = TableWidget(table_content(frame), connection=connected)
    place = list(frame["status"]).index("succeeded")
    assert widget.select([place]) == ["Show card", "Refund"]
    card = widget.press("Show card")
    assert frame["id"][place] in widget.slot.children[0].children[0].value
    assert [each.label for each in card.story.actions] == ["Refund"]
    assert card.open("Refund").state.values()["payment_intent"] == frame["id"][place]
    form = widget.press("Refund")
    assert form.state.values()["payment_intent"] == frame["id"][place]
    assert widget.select([]) == []
    assert widget.opened is None
    widget.close()


@with_itables
def test_several_rows_are_one_call_a_row_after_a_preview(connected: Any) -> None:
    from stripe_magics import bulk
    from stripe_magics._command import Command
    from stripe_magics._options import Options

    customers = [sm.call("customers.create", name=f"Table {n}")["id"][0] for n in range(3)]
    invoices = [sm.call("invoices.create", customer=each)["id"][0] for each in customers]

    def run_rows(module: str, rows: pd.DataFrame, more: Any) -> Any:
        options = Options(dry_run=bool(more.get("dry_run")), yes=bool(more.get("yes")))
        return bulk.write_rows(
            Command(module, options=options), rows, connection=more["connection"], quiet=True
        )

    frame = sm.call("invoices.list", status="draft", limit=3)
    assert set(frame["id"]) == set(invoices)
    widget = TableWidget(table_content(frame), connection=connected, run_rows=run_rows)
    assert "Finalize 3 rows" in widget.select([0, 1, 2])
    form = widget.press("Finalize 3 rows")
    assert "All 3 rows can be sent. Nothing was sent yet." in form.status.value
    assert set(sm.call("invoices.list", limit=3)["status"]) == {"draft"}
    form.send()
    form.confirm()
    assert list(form.wait(60)["result"]) == ["done"] * 3
    assert set(sm.call("invoices.list", limit=3)["status"]) == {"paid"}, "nothing is due on an empty invoice"
    widget.close()


@with_itables
def test_the_flag_and_the_setting_show_it(connected: Any) -> None:
    from stripe_magics import magics

    shell = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
    magics.load(shell)
    try:
        frame = shell.run_line_magic("stripe", "customers list --limit 3 --table")
        shown = shell.display_formatter.format(frame)[0]
        assert WIDGET in shown
        assert "<table" in shown["text/html"], "the plain table stands beside it"
        frame = shell.run_line_magic("stripe", "customers list --limit 3")
        assert WIDGET not in shell.display_formatter.format(frame)[0], "plain is the default"
        shell.run_line_magic("stripe", "config --table true")
        assert WIDGET in shell.display_formatter.format(frame)[0]
    finally:
        magics.unload(shell)


@with_itables
def test_a_report_is_an_interactive_table_too(connected: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from stripe_magics import magics
    from stripe_magics.forms import table_widget

    shell = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
    magics.load(shell)
    line = "report fee_items --month 2026-09"
    try:
        frame = shell.run_line_magic("stripe", f"{line} --table")
        shown = shell.display_formatter.format(frame)[0]
        plain = shell.run_line_magic("stripe", line)
        assert WIDGET in shown
        assert WIDGET not in shell.display_formatter.format(plain)[0]
        pd.testing.assert_frame_equal(frame, plain)
        content = table_content(frame)
        assert len(content.rows) == len(frame) > 60, "all rows, not the ends"
        money = next(each for each in content.columns if each.head == "amount")
        assert list(money.numbers or []) == pytest.approx([each / 100 for each in frame["amount"]])
        assert "Every fee" in content.title
        for odd, words in (
            ("report --table", "needs the name of a report"),
            (f"{line} --table --form", "--table has no effect on a form"),
        ):
            with pytest.raises(sm.UsageFault, match=words):
                shell.run_line_magic("stripe", odd)
        monkeypatch.setattr(table_widget, "installed", lambda: False)
        with pytest.raises(sm.UsageFault, match="%pip install itables"):
            shell.run_line_magic("stripe", f"{line} --table")
    finally:
        magics.unload(shell)


def test_without_itables_it_is_refused_in_words(connected: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from stripe_magics import magics
    from stripe_magics.forms import table_widget

    monkeypatch.setattr(table_widget, "installed", lambda: False)
    shell = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
    magics.load(shell)
    try:
        with pytest.raises(sm.StripeMagicsError, match="%pip install itables"):
            shell.run_line_magic("stripe", "customers list --limit 3 --table")
        made = sm.call("customers.list", limit=3, table=True)
        assert "%pip install itables" in shell.display_formatter.format(made)[0]["text/plain"]
    finally:
        magics.unload(shell)


@with_itables
def test_nothing_is_fetched_from_the_network() -> None:
    from pathlib import Path

    import itables.widget

    script = Path(itables.widget.__file__).parent / "static" / "widget.js"
    assert script.stat().st_size > 300_000, "the whole bundle"


@with_itables
def test_every_row_is_there_whatever_pandas_is_set_to(connected: Any) -> None:
    frame = sm.call("customers.list", limit=30)
    with pd.option_context("display.max_rows", 8):
        content = table_content(frame)
    assert [each["id"] for each in content.rows] == list(frame["id"])
    assert len(content.columns[0].texts) == 30


@with_itables
def test_amounts_sort_alike_in_minor_and_major_units(connected: Any) -> None:
    frame = sm.call("payment_intents.list", limit=60)
    frame.loc[0, "currency"] = "jpy"
    minor, major = (
        next(each for each in table_content(made).columns if each.head == "amount")
        for made in (frame, frame.stripe.to_major())
    )
    assert list(minor.texts) == list(major.texts)
    assert list(minor.numbers or []) == pytest.approx(list(major.numbers or []))


@with_itables
def test_a_row_without_an_id_offers_nothing(connected: Any) -> None:
    frame = sm.call("refunds.list", limit=5)
    frame.loc[1, "id"] = None
    widget = TableWidget(table_content(frame), connection=connected)
    assert widget.select([1]) == []
    assert "Show card" in widget.select([0])
    widget.close()


@with_itables
def test_a_long_text_is_whole_in_exports_and_a_phone_number_is_text(connected: Any) -> None:
    sm.call("customers.create", name="Long", description="word " * 60, phone="+15550000417")
    content = table_content(sm.call("customers.list", limit=5))
    widget = TableWidget(content)
    heads = [each.head for each in content.columns]
    cell = rows_of(widget)[0][heads.index("description")]
    assert ("word " * 60).strip() in cell
    assert 'class="sm-long" tabindex="0"' in cell, "what scrolls is reached by keyboard"
    sides = {
        each["targets"]: each["className"]
        for each in widget.table._dt_args["columnDefs"]
        if "className" in each
    }
    assert sides[heads.index("description")] == "dt-left sm-wraps"
    if "phone" in heads:
        assert sides[heads.index("phone")] == "dt-left"
    buttons = widget.table._dt_args["layout"]["topStart"]["buttons"]
    assert [each.get("filename") for each in buttons] == ["customers list"] * 3 + [None]
    assert [each["exportOptions"]["escapeExcelFormula"] for each in buttons[:3]] == [True, True, False]
    widget.close()


@with_itables
def test_what_fits_goes_by_the_heads_with_their_controls(connected: Any) -> None:
    frame = sm.call("disputes.list", limit=15)
    assert "evidence_details_due_by" in frame.columns
    heads = [each.head for each in table_content(frame).columns]
    assert heads == ["id", "amount", "status", "reason", "created"], "the deadline stands in the status"
    events = sm.call("events.list", limit=15)
    assert len(events.columns) == 12
    assert [each.head for each in table_content(events).columns][:3] == ["id", "type", "data_object"]


@with_itables
def test_columns_offers_all_of_the_frames_columns_and_adding_one_reads_nothing(
    connected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = sm.call("payment_intents.list", limit=20)
    content = table_content(frame)
    widget = TableWidget(content, connection=connected)
    options = widget.table._dt_args
    buttons = options["layout"]["topStart"]["buttons"]
    offered = next(each for each in buttons if each["extend"] == "colvis")["columns"]
    definitions = options["columnDefs"]
    later = {each["targets"]: each for each in definitions if "sm-later" in each.get("className", "")}
    assert len(offered) == len(frame.columns)
    assert set(later) < set(offered)
    assert len(later) == len(frame.columns) - len(content.columns) > 40
    assert not any(each["visible"] for each in later.values())
    sent: list[Any] = []
    widget.table.send = sent.append
    monkeypatch.setattr(type(connected), "send", lambda *_, **__: pytest.fail("a request"))
    heads = [each.head for each in content.columns]
    for place in later:
        widget.table._heard(None, {"column": place}, None)
    got = {each["head"].removesuffix(" (minor units)"): each["cells"] for each in sent}
    assert [*heads, *got] == [*heads, *(each for each in frame.columns if each not in heads)]
    assert all(len(each) == len(frame) for each in got.values())
    received = got["amount_received"]
    assert received[3][0].endswith(" USD")
    assert received[3][1] == frame["amount_received"].iloc[3] / 100
    assert set(got["client_secret"]) <= {"(hidden)", ""}
    widget.table._heard(None, {"column": min(later) - 1}, None)
    assert sent[-1]["cells"] == [], "a column that is there is not asked for"
    widget.close()


@with_itables
def test_a_column_that_is_added_is_escaped_with_its_head(connected: Any) -> None:
    frame = sm.call("customers.list", limit=3)
    content = table_content(frame)
    evil = "<img src=x onerror=alert(1)>"
    content = replace(content, others=[(evil, False)], more=lambda _: TableColumn(evil, [evil] * 3))
    widget = TableWidget(content, connection=connected)
    sent: list[Any] = []
    widget.table.send = sent.append
    later = next(
        each for each in widget.table._dt_args["columnDefs"] if "sm-later" in each.get("className", "")
    )
    widget.table._heard(None, {"column": later["targets"]}, None)
    assert "<img" not in json.dumps(sent)
    assert sent[0]["head"] == "&lt;img src=x onerror=alert(1)&gt;" == sent[0]["cells"][0]
    widget.close()
