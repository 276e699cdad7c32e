"""What a form holds: conditions, three-state updates, and the command it stands for."""

from __future__ import annotations

import pytest
from each_row import each_row

from stripe_magics import catalogue
from stripe_magics.catalogue.module import Effect
from stripe_magics.errors import UnknownName
from stripe_magics.forms.current_values import current_values, object_path
from stripe_magics.forms.state import FormState, blank

UPDATE = catalogue.find("customers.update")
PAY = catalogue.find("payment_intents.create")
JENNY = {
    "id": "cus_1",
    "name": "Jenny",
    "email": "jenny@example.com",
    "phone": None,
    "balance": -500,
    "address": {"city": "Berlin", "country": "DE", "line1": None},
    "metadata": {"a": "1", "b": "2"},
    "preferred_locales": ["de", "en"],
    "invoice_settings": {
        "custom_fields": [{"name": "PO", "value": "7"}],
        "default_payment_method": {"id": "pm_1"},
    },
    "tax_exempt": "none",
}


def update() -> FormState:
    state = FormState.of(UPDATE, {"customer": "cus_1"})
    state.fetched(current_values(UPDATE, JENNY))
    return state


def names(state: FormState) -> set[str]:
    return {each.name for each in state.shown()}


def test_current_values_by_parameter() -> None:
    assert update().current == {
        "name": "Jenny",
        "email": "jenny@example.com",
        "balance": "-500",
        "address_city": "Berlin",
        "address_country": "DE",
        "metadata": {"a": "1", "b": "2"},
        "preferred_locales": ["de", "en"],
        "invoice_custom_fields": [{"name": "PO", "value": "7"}],
        "default_payment_method": "pm_1",
        "tax_exempt": "none",
    }


def test_an_untouched_update_sends_nothing() -> None:
    assert update().values() == {"customer": "cus_1"}


def test_set_cleared_and_kept() -> None:
    state = update()
    state.set("phone", "+49 1")
    state.clear("email")
    assert state.values() == {"customer": "cus_1", "email": "", "phone": "+49 1"}
    state.keep("email")
    assert state.values() == {"customer": "cus_1", "phone": "+49 1"}


def test_the_same_value_again_is_no_change() -> None:
    state = update()
    state.set("name", "Jenny")
    state.copy_current("invoice_custom_fields")
    assert state.values() == {"customer": "cus_1"}


def test_text_in_a_cleared_field_sets_it() -> None:
    state = update()
    state.clear("name")
    state.set("name", "Jane")
    assert state.values()["name"] == "Jane"


def test_of_metadata_only_what_differs_is_sent() -> None:
    state = update()
    state.set("metadata", {"a": "1", "c": "3"})
    assert state.values()["metadata"] == {"c": "3"}, (
        "entered beside what Stripe has: b is not mentioned, so it stays"
    )
    state.copy_current("metadata")
    state.set("metadata", {"a": "1"})
    assert state.values()["metadata"] == {"b": ""}, "copied whole and then taken away: removed"


def test_a_copy_that_is_emptied_is_cleared() -> None:
    state = update()
    for name, empty in (("metadata", {}), ("invoice_custom_fields", []), ("name", " ")):
        state.copy_current(name)
        state.set(name, empty)
    assert state.values() == {"customer": "cus_1", "name": "", "metadata": "", "invoice_custom_fields": ""}
    state.set("metadata", {"a": "1"})
    assert state.values()["metadata"] == {"b": ""}, "entered again: of what Stripe has, b is gone"


def test_of_a_copy_only_what_was_altered_goes_to_another_object() -> None:
    state = update()
    for name in ("metadata", "invoice_custom_fields", "name", "email"):
        state.copy_current(name)
    state.set("metadata", {"a": "2"})
    state.set("name", "Jane")
    state.set("email", "")
    assert state.release_copies() == ["email", "invoice_custom_fields", "metadata", "name"]
    state.fetched({"name": "John", "email": "john@example.com", "metadata": {"a": "7", "c": "3"}})
    assert state.values() == {
        "customer": "cus_1",
        "email": "",
        "name": "Jane",
        "metadata": {"a": "2", "b": ""},
    }, "the rows were copied and not altered"


def test_a_rate_is_written_as_people_write_it() -> None:
    module = catalogue.find("subscriptions.update")
    for rate, text in ((8.5, "8.5"), (20.0, "20"), (0.0, "0")):
        assert current_values(module, {"application_fee_percent": rate}) == {"application_fee_percent": text}


def test_the_diff() -> None:
    state = update()
    state.set("name", "Jane")
    state.clear("email")
    assert [(field.name, now, after) for field, now, after in state.diff()] == [
        ("email", "jenny@example.com", ""),
        ("name", "Jenny", "Jane"),
    ]


def test_an_empty_text_by_code_clears_in_an_update_only() -> None:
    assert FormState.of(UPDATE, {"customer": "cus_1", "email": ""}).values() == {
        "customer": "cus_1",
        "email": "",
    }
    assert FormState.of(catalogue.find("customers.create"), {"email": ""}).values() == {}


def test_conditions_show_and_hide() -> None:
    state = FormState.of(PAY, {"amount": 2500, "currency": "usd"})
    assert "payment_method" not in names(state)
    state.set("payment_method_source", "existing")
    assert "payment_method" in names(state)
    state.set("payment_method", "pm_1")
    state.set("payment_method_source", "new")
    assert "payment_method" not in state.values(), "what is hidden is not sent"
    assert state.raw["payment_method"] == "pm_1", "but not lost either"


def test_prefilled_values_turn_their_switch() -> None:
    assert FormState.of(PAY, {"payment_method": "pm_1"}).raw["payment_method_source"] == "existing"


def test_confirming_at_once_cannot_be_undone() -> None:
    state = FormState.of(PAY, {"amount": 2500, "currency": "usd"})
    assert state.effect() is Effect.CREATE
    state.set("confirm", "true")
    assert state.effect() is Effect.IRREVERSIBLE
    assert FormState.of(catalogue.find("api.call"), {"method": "GET"}).effect() is Effect.READ


def test_unknown_names_are_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="Did you mean email"):
        FormState.of(UPDATE, {"emial": "x"})


@each_row(
    ("name", "values", "path"),
    [
        ("customers.update", {"customer": "cus_1"}, "/v1/customers/cus_1"),
        ("invoices.void", {"invoice": "in_1"}, "/v1/invoices/in_1"),
        ("payment_intents.capture", {}, ""),
        ("customers.create", {}, ""),
        ("customers.update", {"customer": "../charges"}, "/v1/customers/..%2Fcharges"),
    ],
)
def test_the_path_of_the_object(name: str, values: dict[str, str], path: str) -> None:
    assert object_path(catalogue.find(name), values) == path


@each_row("raw", ["", "  ", [], {}, None, [{}], [{"name": ""}], [""]])
def test_blank(raw: object) -> None:
    assert blank(raw)


@each_row("raw", ["0", ["a"], {"a": ""}, [{"name": "x"}]])
def test_not_blank(raw: object) -> None:
    assert not blank(raw)


def test_stripes_own_parameters_fill_the_fields_that_stand_for_them() -> None:
    params = [
        ("name", "Jenny"),
        ("metadata[a]", "1"),
        ("metadata[b]", "2"),
        ("address[city]", "Bern"),
        ("x[y]", "z"),
    ]
    state = FormState.of(catalogue.find("customers.create"), params=params)
    assert state.raw["name"] == "Jenny"
    assert state.raw["metadata"] == {"a": "1", "b": "2"}
    assert state.raw["address_city"] == "Bern"
    assert state.params == [("x[y]", "z")]
    twice = [("name", "Jenny"), ("name", "Jen")]
    assert FormState.of(catalogue.find("customers.create"), params=twice).params == twice
    both = FormState.of(catalogue.find("customers.create"), {"name": "A"}, params=[("name", "B")])
    assert both.params == [("name", "B")]
