"""Choosing: countries by name, times by word, long lists of choices by search; buttons that look like what
they do."""

from __future__ import annotations

from stripe_magics import catalogue
from stripe_magics.catalogue.field import Kind
from stripe_magics.catalogue.module import Effect
from stripe_magics.client.connection import Connection
from stripe_magics.forms import module_form
from stripe_magics.forms.controls import MANY, MOMENTS
from stripe_magics.money import CURRENCIES
from stripe_magics.validation import check
from stripe_magics.validation.currency_names import CURRENCY_NAMES, currency_code


def test_a_country_is_taken_by_name_and_by_code() -> None:
    form = module_form("customers.create", {"address_country": "germany"})
    assert form.state.values()["address_country"] == "DE"
    form.open_group("Address")
    assert "= Germany (DE)" in form.controls["address_country"].note.value
    form.fill(address_country="us")
    assert form.state.values()["address_country"] == "us", "codes are the line's own business"
    form.fill(address_country="Atlantis")
    assert "sm-bad" in form.controls["address_country"].note.value


def test_a_currency_is_taken_by_name_and_by_code() -> None:
    form = module_form("payment_intents.create", {"amount": "25.00", "currency": "Swiss franc"})
    assert form.state.values()["currency"] == "chf"
    assert "= Swiss Franc (chf)" in form.controls["currency"].note.value
    assert "= 25.00 CHF (2500)" in form.controls["amount"].note.value
    assert "--amount 25.00chf --currency chf" in form.line
    form.fill(currency="€")
    assert form.state.values()["currency"] == "eur"
    form.fill(currency="dollar")
    assert "sm-bad" in form.controls["currency"].note.value, "several are called so"
    assert set(CURRENCY_NAMES) <= CURRENCIES
    assert all(currency_code(name) == code for code, name in CURRENCY_NAMES.items())


def test_every_time_that_is_offered_can_be_read() -> None:
    from datetime import UTC

    field = next(
        each for module in catalogue.documented() for each in module.fields if each.kind is Kind.TIMESTAMP
    )
    for each in MOMENTS:
        assert isinstance(check(field, each, zone=UTC), int), each


def test_a_long_list_of_choices_is_searched() -> None:
    name, field = next(
        (module.name, each)
        for module in catalogue.documented()
        for each in module.fields
        if each.kind is Kind.MULTI_CHOICE and len(each.choices) > MANY and not each.when
    )
    form = module_form(name)
    section = next((each.title for each in form.sections.sections if field in each.fields), "")
    if section:
        form.open_group(section)
    control = form.controls[field.name]
    add = control.parts[1]
    for choice in (field.choices[3], field.choices[5], field.choices[3]):
        add.value = choice
    assert form.state.raw[field.name] == [field.choices[3], field.choices[5]]
    assert add.value == "", "ready for the next one"
    add.value = "no such choice"
    assert form.state.raw[field.name] == [field.choices[3], field.choices[5]]


def test_what_takes_away_has_a_button_that_looks_so() -> None:
    assert module_form("customers.delete").sender.go.button_style == "danger"
    assert module_form("invoices.void").sender.go.button_style == "danger"
    assert module_form("customers.create").sender.go.button_style == "primary"


def test_a_success_stays_readable_after_a_second_click(sandbox: Connection) -> None:
    form = module_form("customers.create", {"name": "Jenny"})
    made = form.submit()["id"].iloc[0]
    form.sender.go.click()
    assert made in form.status.value
    assert "was done already" in form.status.value


def test_a_raw_call_without_a_method_is_a_read(sandbox: Connection) -> None:
    form = module_form("api.call", {"url": "/v1/balance"})
    assert form.state.effect() is Effect.READ
    assert form.submit()["object"].tolist() == ["balance"]
    assert form.fill(method="POST").state.effect() is Effect.IRREVERSIBLE
