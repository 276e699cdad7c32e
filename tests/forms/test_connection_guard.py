"""B86: what was begun on one account is never sent with another's key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stripe_magics.client.connection import Connection
from stripe_magics.client.shared_connection import close, connect
from stripe_magics.errors import ConfirmationNeeded, OutcomeUnknown
from stripe_magics.forms import module_form
from stripe_magics.forms.submission_state import Stage


def writes(connection: Connection) -> int:
    return connection.writes


def test_B86_an_armed_form_is_disarmed_by_another_connection(sandbox: Connection) -> None:
    form = module_form("payouts.create", {"amount": "10.00usd", "currency": "usd"})
    form.sender.go.click()
    assert form.state.submission.stage is Stage.ARMED
    other = connect(sandbox=True)
    before = writes(other)
    form.sender.bar.children[0].click()
    assert form.state.submission.stage is Stage.IDLE
    assert writes(other) == before
    assert "The connection changed" in form.status.value
    assert "Nothing was sent" in form.status.value
    form.sender.go.click()
    assert form.state.submission.stage is Stage.ARMED, (
        "the next press belongs to the connection that is open now"
    )
    form.sender.confirm()
    assert writes(other) == before + 1


def test_B86_an_update_forgets_what_it_read_on_the_other_account(sandbox: Connection) -> None:
    form = module_form("customers.update", {"customer": "cus_demoJennyRosen"})
    form.fill(name="Jane")
    assert form.comparison.fetched
    other = connect(sandbox=True)
    before = writes(other)
    form.sender.go.click()
    assert not form.comparison.object
    assert writes(other) == before


def test_B86_the_amounts_payment_is_asked_for_again(sandbox: Connection) -> None:
    import stripe_magics as sm

    paid: Any = sm.call("payment_intents.list", limit=100).query("status == 'succeeded'")["id"].iloc[0]
    form = module_form("refunds.create", {"payment_intent": paid, "amount": "1.00"})
    assert form.amount.confirmation_text()
    connect(sandbox=True, demo=False)
    form.sender.go.click()
    assert not form.amount.confirmation_text(), "the other account has no such payment"
    assert form.state.source_currency == ""


def test_B86_an_unknown_write_stays_with_its_account(sandbox: Connection) -> None:
    def lost(command: Any, **_: Any) -> Any:
        raise OutcomeUnknown("It is unknown whether the customer was made.")

    form = module_form("customers.create", {"name": "Jenny"}, run=lost)
    form.sender.go.click()
    assert form.state.submission.stage is Stage.UNKNOWN
    connect(sandbox=True)
    with pytest.raises(ConfirmationNeeded, match="The last write belongs to"):
        form.sender.retry_unknown()
    assert form.state.submission.stage is Stage.UNKNOWN


def test_B86_code_gets_an_error(sandbox: Connection) -> None:
    form = module_form("customers.create", {"name": "Jenny"})
    connect(sandbox=True)
    with pytest.raises(ConfirmationNeeded, match="The connection changed"):
        form.submit()
    assert form.submit()["name"].tolist() == ["Jenny"]


def test_a_form_that_was_opened_before_connecting_goes_on() -> None:
    form = module_form("customers.create", {"name": "Jenny"})
    connect(sandbox=True)
    assert form.submit()["name"].tolist() == ["Jenny"]


def test_two_connections_of_one_name_are_said_to_be_two() -> None:
    connect(sandbox=True, demo=False)
    form = module_form("customers.create", {"name": "Jenny"})
    connect(sandbox=True, demo=False)
    with pytest.raises(ConfirmationNeeded, match=r"changed \(both are the sandbox\)\. Nothing was sent"):
        form.submit()


def test_the_second_click_of_a_double_click_sends_nothing_to_the_other_account(sandbox: Connection) -> None:
    form = module_form("customers.create", {"name": "Jenny"})
    other = connect(sandbox=True)
    before = writes(other)
    form.sender.go.click()
    form.sender.go.click()
    assert writes(other) == before
    assert form.state.submission.stage is Stage.ARMED
    assert "send it?" in form.status.value
    form.sender.confirm()
    assert writes(other) == before + 1
    form.fill(name="Jane")
    form.sender.go.click()
    assert writes(other) == before + 2, "asked once, not for ever"


def test_a_form_without_any_connection_stays_with_the_account_that_it_was_begun_on(
    sandbox: Connection,
) -> None:
    form = module_form("customers.create", {"name": "Jenny"})
    close()
    form.sender.go.click()
    assert "was closed, and no connection is open now. Nothing was sent" in form.status.value
    assert "%stripe connect" in form.status.value
    other = connect(sandbox=True)
    before = writes(other)
    form.sender.go.click()
    assert "The connection changed" in form.status.value
    assert writes(other) == before


@pytest.mark.parametrize("after", [lambda: connect(sandbox=True), close], ids=["another", "none"])
def test_what_a_card_a_table_or_the_day_offers_is_refused_once_their_account_was_closed(
    sandbox: Connection, after: Callable[[], object]
) -> None:
    pytest.importorskip("itables")
    import stripe_magics as sm
    from stripe_magics.forms import object_card, table, today
    from stripe_magics.magics.interactive_table import table_content

    card, day = object_card("cus_demoJennyRosen"), today()
    card.widget()
    rows = table(
        table_content(sm.call("customers.list", limit=3)), connection=sandbox, run=None, run_rows=None
    )
    rows.select([0])
    after()
    for action in (
        lambda: card.open("Edit"),
        lambda: card.show_part("pi_demoLatest"),
        day.refresh,
        lambda: day.show_part("pi_demoLatest"),
    ):
        with pytest.raises(ConfirmationNeeded, match=r"belongs to the sandbox, which was closed.*Nothing"):
            action()
    for label in ("Show card", "Edit", "New invoice"):
        assert rows.press(label) is None
        assert "belongs to the sandbox, which was closed" in rows.status.value
    card.parts.choose(card.parts.parts[0].id)
    assert card.parts.press("Show card") is None
    assert "belongs to the sandbox" in card.below.status.value
    for each in (card, day, rows):
        each.close()
