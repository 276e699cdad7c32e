"""The form as a whole, on the embedded account: filling, sending, correcting, updating, closing."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from each_row import each_row
from forms.conftest import models

from stripe_magics import catalogue, forms, pipeline
from stripe_magics._options import Options
from stripe_magics.errors import (
    CardDeclined,
    ConfirmationNeeded,
    InvalidValue,
    NotSent,
    OutcomeUnknown,
    RepeatRefused,
)
from stripe_magics.forms import confirmation, html, module_form
from stripe_magics.forms.submission_state import Stage

EVIL = "<img src=x onerror='alert(1)'>"


class Calls:
    """Stands for the pipeline: notes each command, answers with a frame or raises what it should."""

    def __init__(self, *faults: BaseException | None) -> None:
        self.faults = list(faults)
        self.commands: list[Any] = []

    def __call__(self, command: Any, **_: Any) -> pd.DataFrame:
        self.commands.append(command)
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            raise fault
        frame = pd.DataFrame({"id": ["cus_1"]})
        frame.attrs["stripe"] = {"request_ids": ["req_1"], "complete": True}
        return frame

    @property
    def keys(self) -> list[str]:
        return [each.options.idempotency for each in self.commands]


def test_create(sandbox: Any) -> None:
    form = module_form("customers.create", {"name": "Jenny"})
    form.fill(email="jenny2@example.com", metadata={"order": "1"})
    frame = form.submit()
    assert frame["name"][0] == "Jenny"
    assert form.result is frame
    assert pipeline.call("customers.retrieve", customer=frame["id"][0])["email"][0] == "jenny2@example.com"
    assert "Create a Customer: done." in form.status.value


def test_faults_are_marked_and_listed() -> None:
    calls = Calls()
    form = module_form("customers.create", {"email": "no", "shipping_country": "Germany?"}, run=calls)
    with pytest.raises(InvalidValue):
        form.submit()
    assert not calls.commands
    words = [each.description for each in form.problems.children]
    assert len(words) == 2
    assert words[0].startswith("Email: 'no' is not an e-mail address")
    assert "sm-bad" in form.controls["email"].note.value
    assert "to correct" in form.sections.heads["Shipping"].description
    form.problems.children[1].click()
    form.fill(email="jenny@example.com", shipping_country="DE", shipping_name="J")
    form.submit()
    assert not form.problems.children
    assert dict(calls.commands[0].values)["shipping_country"] == "DE"


def test_a_double_click_sends_once() -> None:
    calls = Calls()
    form = module_form("customers.create", {"name": "Jenny"}, run=calls)
    form.sender.go.click()
    form.sender.go.click()
    assert len(calls.commands) == 1
    assert "This was done already" in form.status.value
    form.fill(name="Jane")
    form.sender.go.click()
    assert len(set(calls.keys)) == 2


def test_a_retry_after_nothing_was_sent_has_the_same_key() -> None:
    calls = Calls(NotSent("Nothing was sent."))
    form = module_form("customers.create", {"name": "Jenny"}, run=calls)
    form.sender.go.click()
    assert "Nothing was sent" in form.status.value
    form.submit()
    assert len(calls.commands) == 2
    assert len(set(calls.keys)) == 1


def test_an_unknown_outcome_is_asked_about_under_the_same_key() -> None:
    calls = Calls(OutcomeUnknown("It is unknown whether the payment was made."))
    form = module_form("customers.create", {"name": "Jenny"}, run=calls)
    form.sender.go.click()
    assert form.state.submission.stage is Stage.UNKNOWN
    form.fill(name="Somebody else")
    form.sender.go.click()
    assert len(calls.commands) == 1
    assert [each.description for each in form.sender.bar.children] == ["Ask Stripe again", "Preview request"]
    form.sender.bar.children[0].click()
    assert len(calls.commands) == 2
    assert calls.commands[0] == calls.commands[1], "exactly what was sent, not what was typed since"
    assert form.state.submission.stage is Stage.DONE


def test_an_error_of_our_own_while_sending_counts_as_unknown() -> None:
    form = module_form("customers.create", {"name": "Jenny"}, run=Calls(ZeroDivisionError("oops")))
    form.sender.go.click()
    assert form.state.submission.stage is Stage.UNKNOWN
    assert "oops" in form.status.value


def test_a_repetition_is_asked_about() -> None:
    calls = Calls(RepeatRefused("The same call was made at 14:02."))
    form = module_form("customers.create", {"name": "Jenny"}, run=calls)
    form.sender.go.click()
    assert [each.description for each in form.sender.bar.children] == [
        "Send once more",
        "Cancel",
        "Preview request",
    ]
    form.sender.confirm()
    assert [each.options.again for each in calls.commands] == [False, True]


def test_irreversible_asks_and_cancel_sends_nothing() -> None:
    calls = Calls()
    form = module_form(
        "refunds.create", {"charge": "ch_3MmlLrLkdIwHu7ix0snN0B15", "amount": "5.00usd"}, run=calls
    )
    form.sender.go.click()
    assert "send it?" in form.status.value
    assert "5.00 USD (500)" in form.status.value
    assert [each.description for each in form.sender.bar.children] == [
        "Yes, create a Refund",
        "Cancel",
        "Preview request",
    ]
    form.sender.cancel()
    assert not calls.commands
    with pytest.raises(ConfirmationNeeded):
        form.submit()
    form.submit(confirm=True)
    assert len(calls.commands) == 1
    assert calls.commands[0].options.yes


def test_an_edit_takes_the_question_back() -> None:
    calls = Calls()
    form = module_form("refunds.create", {"charge": "ch_3MmlLrLkdIwHu7ix0snN0B15"}, run=calls)
    form.sender.go.click()
    form.fill(amount="1")
    form.sender.confirm()
    assert not calls.commands
    assert form.state.submission.stage is Stage.IDLE


class Live:
    """A live connection, as far as a form looks at one."""

    mode, live, closed, name, account, key_hint, api_version, version_forced = (
        "live",
        True,
        False,
        "Acme",
        "",
        "sk_live_...4f2a",
        catalogue.PINNED_VERSION,
        False,
    )

    def __init__(self) -> None:
        from datetime import UTC

        self.zone = UTC
        self.guard = self
        self.open = False

    def unlock(self) -> None:
        self.open = True

    def account_object(self) -> dict[str, str]:
        return {"id": "acct_1"}

    def account_name(self, account: dict[str, str]) -> str:
        return "Acme Ltd"

    def stripe_time(self) -> float:
        return 1_700_000_000.0


def test_live_mode_wants_words_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Calls()
    form = module_form(
        "payouts.cancel", {"payout": "po_1OaFDbEcg9tTZuTgNYmX0PKB"}, run=calls, connection=Live()
    )
    monkeypatch.setattr(confirmation, "objects", lambda form, values: [])
    assert "sm-live" in form._top.value
    assert "LIVE" in form._top.value
    form.sender.go.click()
    form.sender.confirm("yes")
    assert not calls.commands
    form.sender.confirm("acme ltd")
    assert len(calls.commands) == 1
    form.sender.start_over()
    with pytest.raises(ConfirmationNeeded, match="po_1OaFDbEcg9tTZuTgNYmX0PKB"):
        form.submit(confirm=True)
    form.submit(confirm="po_1OaFDbEcg9tTZuTgNYmX0PKB")
    assert len(calls.commands) == 2


def test_every_write_asks_in_live_mode() -> None:
    calls = Calls()
    form = module_form("customers.create", {"name": "Jenny"}, run=calls, connection=Live())
    form.sender.go.click()
    assert not calls.commands


def test_what_is_filled_in_by_code_is_shown_and_sent() -> None:
    form = module_form("invoices.create", {"customer": "cus_demoJennyRosen"}, run=Calls())
    form.fill(due_date="2027-01-31")
    assert form.state.values()["due_date"] == "2027-01-31"
    assert form.controls["collection_method"].read() == "send_invoice", "which a due date implies"


def test_the_note_of_a_faulty_field_says_what_its_link_says() -> None:
    form = module_form("invoices.create", {"customer": "cus_demoJennyRosen"})
    form.state.set("application_fee_amount", "12,34.5eur")
    with pytest.raises(InvalidValue):
        form.submit()
    (link,) = form.problems.children
    words = link.description.partition(": ")[2]
    assert html.text(words) in form.controls["application_fee_amount"].note.value


def test_a_decline_is_corrected_with_a_new_key(sandbox: Any) -> None:
    values = {
        "amount": "25.00usd",
        "currency": "usd",
        "confirm": True,
        "off_session": True,
        "payment_method": "pm_card_chargeDeclined",
    }
    form = module_form("payment_intents.create", values)
    with pytest.raises(CardDeclined):
        form.submit(confirm=True)
    first = form.state.submission.key
    assert "Card declined" in form.status.value
    form.fill(payment_method="pm_card_visa")
    assert form.submit(confirm=True)["status"][0] == "succeeded"
    assert form.state.submission.key != first


def test_update_and_comparison(sandbox: Any) -> None:
    form = module_form("customers.update", {"customer": "cus_demoJennyRosen"})
    assert form.marks.shown["email"]["text"] == "jenny.rosen@example.com"
    assert form.marks.shown["metadata"]["words"].startswith("Stripe has: ")
    assert form.marks.shown["balance"]["text"] == "0.00usd"
    form.controls["balance"].widget.value = "0.00usd"
    assert form.comparison.panel is None, "nothing changes yet"
    form.controls["email"].widget.value = "jenny.rosen@example.com"
    assert form.state.values() == {"customer": "cus_demoJennyRosen"}, "typed as it was: untouched"
    assert form.controls["email"].read() == ""
    form.fill(phone="+49 1").clear("description")
    rows = {row["name"]: row for row in form.comparison.panel.shown["data"]["rows"]}
    assert set(rows) == {"description", "phone"}
    assert rows["phone"]["after"] == "+49 1"
    assert form.marks.shown["phone"]["actions"] == [("keep", "Keep")]
    assert form.line == '%stripe customers update cus_demoJennyRosen --description "" --phone "+49 1"'
    assert [name for name, _ in form.preview().params] == ["description", "phone"]
    form.edit("name")
    assert form.controls["name"].read() == "Jenny Rosen"
    form.submit()
    now = pipeline.call("customers.retrieve", customer="cus_demoJennyRosen", raw=True)
    assert (now["phone"], now["description"], now["name"]) == ("+49 1", None, "Jenny Rosen")
    assert form.state.values() == {"customer": "cus_demoJennyRosen"}, "nothing is left to send"
    assert form.comparison.panel.shown["data"]["text"] == "cus_demoJennyRosen: Nothing changes yet."


def test_what_stripe_has_is_in_no_widget_state(sandbox: Any) -> None:
    form = module_form("customers.update", {"customer": "cus_demoJennyRosen"})
    state = str([each.get_state() for each in models().values()])
    assert "cus_demoJennyRosen" in state
    assert "jenny.rosen@example.com" not in state
    assert "Station Road" not in state
    assert "jenny" not in repr(form).lower()


def test_an_update_without_a_fetched_object_asks_first(sandbox: Any) -> None:
    form = module_form("customers.update")
    form.state.set("customer", "cus_demoJennyRosen")
    form.fill(phone="+49 1")
    form.sender.go.click()
    assert "send it?" in form.status.value
    assert "Phone: +15550000001 -&gt; +49 1" in form.status.value


def test_another_id_is_another_object(sandbox: Any) -> None:
    form = module_form("customers.update", {"customer": "cus_demoJennyRosen"})
    form.controls["customer"].write("cus_doesnotexist")
    assert form.state.current is None
    assert form.marks.shown == {}
    assert "sm-bad" in form.controls["customer"].note.value


def test_what_was_copied_of_one_object_is_not_sent_to_another(sandbox: Any) -> None:
    other = pipeline.call("customers.create", name="Jane", metadata={"vip": "yes"})["id"][0]
    form = module_form("customers.update", {"customer": "cus_demoJennyRosen"})
    form.edit("metadata")
    metadata = dict(form.state.raw["metadata"])
    form.controls["customer"].write(other)
    assert form.line == f"%stripe customers update {other}"
    assert form.controls["metadata"].read() == {}
    form.controls["customer"].write("cus_demoJennyRosen")
    form.edit("metadata")
    form.controls["metadata"].write({**metadata, "plan": "none"})
    form._changed("metadata")
    form.controls["customer"].write(other)
    assert form.state.values()["metadata"] == {"plan": "none"}
    form.submit()
    now = pipeline.call("customers.retrieve", customer=other, raw=True)["metadata"]
    assert now == {"vip": "yes", "plan": "none"}


def test_an_id_filled_in_by_code_is_another_object_too(sandbox: Any) -> None:
    other = pipeline.call("customers.create", name="Jane")["id"][0]
    form = module_form("customers.update", {"customer": "cus_demoJennyRosen"})
    form.fill(customer=other, name="Jenny Rosen")
    assert form.marks.shown["name"]["words"] == "Stripe has: Jane "
    assert form.state.values() == {"customer": other, "name": "Jenny Rosen"}


def test_an_update_that_cannot_be_read_back_is_made_all_the_same(
    sandbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = module_form("customers.update", {"customer": "cus_demoJennyRosen"})
    form.fill(phone="+49 1")
    answer = pipeline.call

    def lost(name: Any, *args: Any, **values: Any) -> Any:
        if name == "api.call":
            raise NotSent("No connection to api.stripe.com.")
        return answer(name, *args, **values)

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "call", lost)
        assert form.submit()["phone"][0] == "+49 1"
        said = "What Stripe has now could not be read: No connection to api.stripe.com."
        assert "Update a Customer: done." in form.status.value
        assert said in form.status.value
        assert form.state.submission.stage is Stage.DONE
        assert form.marks.shown == {}, "what was read before the update is no longer true"
        form.sender.go.click()
    assert said in form.status.value, "and a second click leaves it readable"
    assert form.state.values() == {"customer": "cus_demoJennyRosen"}, "nothing is left to send"


def test_a_value_that_does_not_fit_its_control_is_not_drawn_there(sandbox: Any) -> None:
    form = module_form("customers.update", {"customer": "cus_demoJennyRosen"})
    form.state.fetched(
        {"name": "Jenny\nRosen", "tax_exempt": "newer", "description": "one\ntwo", "email": "j@example.com"}
    )
    form.refresh()
    shown = form.marks.shown
    assert {name: each["text"] for name, each in shown.items()} == {
        "name": "",
        "tax_exempt": "",
        "description": "one\ntwo",
        "email": "j@example.com",
    }
    for name, words in (("name", "Stripe has: Jenny\nRosen "), ("tax_exempt", "Stripe has: newer ")):
        assert shown[name]["words"] == words
        assert shown[name]["actions"] == [("edit", "Edit"), ("clear", "Clear")]
    form.edit("tax_exempt")
    assert form.controls["tax_exempt"].read() == "newer"
    assert form.state.values() == {"customer": "cus_demoJennyRosen"}


def test_the_same_amount_in_other_words_is_no_change(sandbox: Any) -> None:
    form = module_form("customers.update", {"customer": "cus_demoJennyRosen"})
    for typed in ("0.00 USD", "0", "0.00"):
        form.controls["balance"].widget.value = typed
        assert form.state.values() == {"customer": "cus_demoJennyRosen"}, typed
    form.controls["balance"].widget.value = "0.01"
    assert form.state.values()["balance"] == "0.01usd"


def test_what_will_be_emptied_is_not_added_to(sandbox: Any) -> None:
    made = pipeline.call(
        "webhook_endpoints.create", url="https://example.com/h", enabled_events=["charge.failed"]
    )
    form = module_form("webhook_endpoints.update", {"webhook_endpoint": made["id"][0]})
    add = form.controls["enabled_events"].parts[1]
    add.value = "charge.updated"
    assert form.state.values()["enabled_events"] == ["charge.failed", "charge.updated"]
    form.clear("enabled_events")
    add.value = "charge.updated"
    assert form.state.values()["enabled_events"] == ["charge.updated"]


def test_lists_show_their_table(sandbox: Any) -> None:
    form = module_form("customers.list", {"limit": 3})
    assert len(form.submit()) == 3
    assert len(form.submit()) == 3, "a list may be asked for again"


def test_long_lists_run_beside_and_can_be_stopped(sandbox: Any) -> None:
    form = module_form("customers.list", {"limit": "all"})
    form.sender.go.click()
    worker = form.sender.long.worker
    if worker is not None:
        worker.join(60)
    assert form.result is not None
    assert len(form.result) > 3


def test_stop_ends_a_list() -> None:
    def run(command: Any, progress: Any = None, **_: Any) -> Any:
        for page in range(1000):
            progress(page * 100, 0)
            time.sleep(0.01)
        raise AssertionError("was not stopped")

    form = module_form("customers.list", {"limit": "all"}, run=run)
    form.sender.go.click()
    worker = form.sender.long.worker
    form.sender.bar.children[0].click()
    worker.join(60)
    assert not worker.is_alive()
    assert form.sender.bar.children[0] is form.sender.go


def test_dates_are_read_back_and_amounts_too() -> None:
    form = module_form("payment_intents.create", {"amount": "1050", "currency": "jpy"})
    assert "= 1,050 JPY (1050)" in form.controls["amount"].note.value
    form.fill(currency="usd")
    form.controls["currency"].write("usd")
    assert "10.50 USD" in form.controls["amount"].note.value
    form.fill(amount="10.50")
    assert '<span class="sm-ok">= 10.50 USD (1050)</span>' in form.controls["amount"].note.value


def test_rows_grow_and_shrink() -> None:
    form = module_form("customers.create", {"tax_id_data": [{"type": "eu_vat", "value": "DE123456789"}]})
    rows = form.controls["tax_id_data"].parts[0]
    before = set(models())
    rows.adder.click()
    rows.lines[1].cells["type"].write("gb_vat")
    assert form.state.values()["tax_id_data"] == [
        {"type": "eu_vat", "value": "DE123456789"},
        {"type": "gb_vat"},
    ]
    rows.lines[1].remove.click()
    assert set(models()) == before, "a removed row leaves nothing"
    assert form.state.values()["tax_id_data"] == [{"type": "eu_vat", "value": "DE123456789"}]


def test_a_row_asks_for_what_applies() -> None:
    form = module_form("customers.search")
    rows = form.controls["filter"].parts[0]
    row = rows.add({"field": "email", "operator": "is", "value": "x"})
    assert row.cells["key"].widget not in row.box.children
    row.cells["field"].write("metadata")
    assert row.cells["key"].widget in row.box.children


def test_nothing_that_is_shown_is_markup() -> None:
    form = module_form(
        "customers.create", {"name": EVIL, "email": EVIL, "metadata": {EVIL: EVIL}}, run=Calls(NotSent(EVIL))
    )
    form.fill(email="")
    form.preview()
    shown = [getattr(each, "value", "") for each in models().values() if type(each).__name__ == "HTML"]
    form.sender.go.click()
    shown += [form.status.value, html.line(EVIL), html.card("ask", EVIL, [EVIL]), html.receipt([("x", EVIL)])]
    assert any("&lt;img" in each for each in shown)
    assert not [each for each in shown if "<img" in each]


def test_a_form_replaces_the_one_before_it() -> None:
    first = module_form("customers.create", {"name": "Jenny"})
    count = len(models())
    second = module_form("customers.create", {"name": "Jane"})
    assert first.tree.closed
    assert not second.tree.closed
    assert len(models()) == count


def test_the_line_has_the_options() -> None:
    form = module_form(
        "customers.create",
        {"name": "Jenny"},
        options=Options(out="jenny", form=True),
        params=[("tax[validate_location]", "deferred")],
    )
    assert form.line == "%stripe customers create --name Jenny -d tax[validate_location]=deferred --out jenny"


def test_an_event_watch_goes_to_its_handler() -> None:
    calls = Calls()
    form = module_form("events.watch", {"events": ["invoice.paid"]}, run=calls)
    form.submit()
    assert calls.commands[0].module == "events.watch"


def test_the_skeleton_needs_no_widget() -> None:
    assert forms.skeleton("invoices create") == "%stripe invoices create --form"


@each_row("amount", ["1 000", "1.000", "1.000 eur", "1,000", "1'000", "25.00 30.00"])
def test_an_amount_with_two_meanings_is_refused_in_the_forms_words(sandbox: Any, amount: str) -> None:
    form = module_form("payment_intents.create", {"amount": amount, "currency": "eur"})
    before = sandbox.writes
    with pytest.raises(InvalidValue):
        form.submit(confirm=True)
    (problem,) = form.problems.children
    assert problem.description == f"Amount: {form.state.errors['amount']}"
    assert repr(amount) in problem.description
    assert sandbox.writes == before, "what a line would make of it is never sent"
    form.fill(amount="1000.00")
    assert not form.problems.children
    assert "--amount 1000.00eur" in form.line
    form.close()


def test_what_a_call_says_is_said_in_labels(sandbox: Any) -> None:
    listed = module_form("customers.list", {"limit": "2"})
    listed.submit()
    assert (
        "Showing the newest 2 rows; there are more: raise Limit, or write all there." in listed.status.value
    )
    raw = module_form("api.call", {"url": "/v1/customers?limit=2"})
    raw.submit()
    assert "there are more: give a higher limit with the URL." in raw.status.value


def test_in_voila_two_cells_show_two_forms_of_a_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """Voila names no cells: a second form doesn't take the place of another cell's."""
    shell = SimpleNamespace(parent_header={}, execution_count=1)
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    monkeypatch.setattr("stripe_magics.forms.form_widget.origin", lambda: None)
    first = module_form("customers.create")
    shell.execution_count = 2
    second = module_form("customers.create")
    assert first.tree.closed, "anywhere else without cells the later one counts"
    assert not second.tree.closed
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5.13")
    third = module_form("customers.create")
    shell.execution_count = 3
    fourth = module_form("customers.create")
    assert not third.tree.closed
    assert not fourth.tree.closed
    for each in (second, third, fourth):
        each.close()


def test_what_is_wrong_is_said_in_labels_and_before_anything_is_read(sandbox: Any) -> None:
    form = module_form("invoices.create", {"customer": "cus_demoJennyRosen"})
    form.fill(days_until_due="10", due_date="2026-12-31", collection_method="send_invoice")
    form.sender.go.click()
    words = [each.description for each in form.problems.children]
    assert any("Days Until Due and Due Date can't be given together" in each for each in words)
    form = module_form("payment_intents.create", {"payment_method_type": "Yes please", "amount": "-5"})
    form.sender.go.click()
    words = [each.description for each in form.problems.children]
    assert any("43 in all" in each for each in words)
    assert not any("--" in each for each in (*words, *form.state.errors.values()))
    form = module_form("refunds.update", {"refund": "pi_1"})
    form.sender.go.click()
    assert "One value needs correcting. Nothing was sent." in form.status.value
    assert "expected a refund ID" in form.problems.children[0].description
    form = module_form("payment_intents.update", {"payment_intent": "pi_123456"})
    form.sender.go.click()
    assert "No such payment_intent" in form.status.value
    assert "URL" not in form.status.value
