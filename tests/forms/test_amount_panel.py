"""The payment that an amount belongs to: its currency is the amount's, more than is left isn't sent, the
payer stands in the question."""

from __future__ import annotations

import re

import pytest

import stripe_magics as sm
from stripe_magics.client.connection import Connection
from stripe_magics.errors import InvalidValue
from stripe_magics.forms import module_form


def paid(amount: int, currency: str = "eur") -> str:
    made = sm.call(
        "payment_intents.create",
        amount=amount,
        currency=currency,
        customer="cus_demoJennyRosen",
        payment_method="pm_card_visa",
        confirm=True,
        return_url="https://example.com",
        again=True,
    )
    return str(made["id"].iloc[0])


def test_the_currency_of_the_payment_is_the_amounts(sandbox: Connection) -> None:
    form = module_form("refunds.create", {"payment_intent": paid(16900), "amount": "9,99"})
    assert form.state.values()["amount"] == "9.99eur"
    assert "9.99 EUR" in form.controls["amount"].note.value
    assert form.amount.confirmation_text() == "9.99 EUR of 169.00 EUR to Jenny Rosen, Visa 4242"


def test_more_than_is_left_is_refused_before_it_is_sent(sandbox: Connection) -> None:
    payment = paid(5000)
    module_form("refunds.create", {"payment_intent": payment, "amount": "20.00"}).submit(confirm=True)
    form = module_form("refunds.create", {"payment_intent": payment, "amount": "30.01"})
    with pytest.raises(InvalidValue, match="30.01 EUR is more than is left"):
        form.submit(confirm=True)
    form.fill(amount="30.00")
    assert form.submit(confirm=True)["amount"].tolist() == [3000]


def test_another_payment_is_another_currency(sandbox: Connection) -> None:
    form = module_form("refunds.create", {"payment_intent": paid(5000, "eur"), "amount": "1.00"})
    form.fill(payment_intent=paid(5000, "gbp"))
    assert form.state.values()["amount"] == "1.00gbp"
    form.fill(payment_intent="")
    assert form.state.values()["amount"] == "1.00", "nobody says in which currency: the check refuses it"


def test_what_is_known_of_the_payer_is_in_no_widget(sandbox: Connection) -> None:
    form = module_form("refunds.create", {"payment_intent": paid(5000)})
    form.sender.press()
    assert form.sender.question is not None
    states = " ".join(str(each.get_state()) for each in form.tree.widgets)
    assert "Jenny Rosen" not in states
    assert not re.search(r"\b4242\b", states), "as a word: ids of widgets may have these digits somewhere"


def test_an_entry_of_the_errors_goes_when_it_is_mended(sandbox: Connection) -> None:
    form = module_form("customers.create", {"email": "no", "shipping_country": "Germany?"})
    with pytest.raises(InvalidValue):
        form.submit()
    assert len(form.problems.children) == 2
    form.controls["email"].widget.value = "jenny@example.com"
    assert len(form.problems.children) == 1
    form.controls["shipping_country"].widget.value = "DE"
    assert not form.problems.children
    assert not form.status.value
