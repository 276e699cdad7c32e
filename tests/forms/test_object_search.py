"""Finding objects by what people know of them."""

from __future__ import annotations

from typing import Any

import pytest
from each_row import each_row

from stripe_magics.client import shared_connection
from stripe_magics.errors import NotFound
from stripe_magics.forms import module_form, object_search
from stripe_magics.forms.card_widget import resolve
from stripe_magics.forms.object_picker import open_picker
from stripe_magics.pipeline import call


@each_row(
    ("text", "identity"),
    [
        ("cus_NffrFeUfNV2Hib", "cus_NffrFeUfNV2Hib"),
        (" in_1MtHbELkdIwHu7ix ", "in_1MtHbELkdIwHu7ix"),
        ("https://dashboard.stripe.com/test/customers/cus_NffrFeUfNV2Hib?x=1", "cus_NffrFeUfNV2Hib"),
        ("jenny@example.com", ""),
        ("jenny rosen", ""),
        ("", ""),
    ],
)
def test_ids_in_what_is_typed(text: str, identity: str) -> None:
    assert object_search.id_in(text) == identity


def test_the_catalogue_says_how_to_find() -> None:
    customer = object_search.lister_of("customer")
    assert customer is not None
    assert customer.path == "/v1/customers"
    assert object_search.lister_of("no_such_object") is None


def find(name: str, field: str, text: str) -> tuple[Any, list[dict[str, Any]]]:
    form = module_form(name, {field: text})
    return form, open_picker(form, form.controls[field])


def test_a_customer_by_email(sandbox: Any) -> None:
    form, found = find("payment_intents.create", "customer", "jenny.rosen@example.com")
    assert [each["id"] for each in found] == ["cus_demoJennyRosen"]
    panel = form.controls["customer"].picker.panel
    assert panel.shown["view"] == "choose"
    panel._on_message({"take": "cus_demoJennyRosen"})
    assert form.state.values() == {"customer": "cus_demoJennyRosen"}
    assert "Jenny Rosen, jenny.rosen@example.com" in panel.shown["data"]["text"]


def test_a_customer_by_name(sandbox: Any) -> None:
    _, found = find("invoices.create", "customer", "rosen")
    assert "cus_demoJennyRosen" in [each["id"] for each in found]


def test_two_customers_with_one_email_are_both_offered(sandbox: Any) -> None:
    for name in ("One", "Two"):
        module_form("customers.create", {"name": name, "email": "same@example.com"}).submit()
    _, found = find("invoices.create", "customer", "same@example.com")
    assert {each["name"] for each in found} == {"One", "Two"}


def test_an_invoice_by_its_customers_email(sandbox: Any) -> None:
    _, found = find("invoices.void", "invoice", "jenny.rosen@example.com")
    assert found
    assert {each["customer"] for each in found} == {"cus_demoJennyRosen"}


def test_an_id_is_taken_at_once(sandbox: Any) -> None:
    form, _ = find("invoices.create", "customer", "https://dashboard.stripe.com/customers/cus_demoJennyRosen")
    assert form.state.values()["customer"] == "cus_demoJennyRosen"


def test_an_id_that_is_not_there(sandbox: Any) -> None:
    form, found = find("invoices.create", "customer", "cus_doesnotexist")
    assert not found
    assert (
        "There is no customer cus_doesnotexist"
        in form.controls["customer"].picker.panel.shown["data"]["text"]
    )


def test_nothing_found(sandbox: Any) -> None:
    form, found = find("invoices.create", "customer", "zzzz nobody zzzz")
    assert not found
    assert "Nothing found" in form.controls["customer"].picker.panel.shown["data"]["text"]


def test_closing_the_choice_forgets_it(sandbox: Any) -> None:
    form, _ = find("invoices.create", "customer", "jenny.rosen@example.com")
    picker = form.controls["customer"].picker
    picker.panel._on_message({"take": ""})
    assert picker.found == []
    assert picker.panel.shown == {}


def test_the_other_mode_is_refused() -> None:
    row = {"id": "cus_1", "livemode": True}
    assert object_search.wrong_mode(row, live=False) == "cus_1 is live data, but the connection is test."
    assert not object_search.wrong_mode(row, live=True)


def test_a_choice_that_was_never_offered_is_not_taken(sandbox: Any) -> None:
    form, _ = find("invoices.create", "customer", "jenny.rosen@example.com")
    form.controls["customer"].picker.panel._on_message({"take": "cus_other"})
    assert form.state.raw["customer"] == "jenny.rosen@example.com"


def test_objects_in_one_line() -> None:
    row = {
        "id": "pi_1",
        "amount": 2500,
        "currency": "usd",
        "status": "succeeded",
        "created": 1704067200,
        "description": "Order 7",
    }
    assert object_search.describe(row) == "Order 7, 25.00 USD, succeeded, 01 Jan 2024, pi_1"
    assert object_search.matches(row, "25.00 succ")
    assert not object_search.matches(row, "failed")


def test_a_list_of_ids_is_filled_by_find(sandbox: Any) -> None:
    form = module_form("invoices.create", {"customer": "cus_demoJennyRosen"})
    form.edit("default_tax_rates")  # opens its group
    control = form.controls["default_tax_rates"]
    _, words, button = control.parts
    known = call("tax_rates.list", limit=100, raw=True)
    rates = {each["id"]: each for each in (known["data"] if isinstance(known, dict) else known)}
    first, second = list(rates)[:2]
    words.value = f"{rates[first]['display_name']} {rates[first]['percentage']}%"
    button.click()
    rows = {row["id"]: row["text"] for row in control.picker.panel.shown["data"]["rows"]}
    assert f"{rates[first]['percentage']}%" in rows[first]
    control.picker.panel._on_message({"take": first})
    assert (words.value, form.state.raw["default_tax_rates"]) == ("", [first])
    words.value = second
    button.click()
    assert form.state.raw["default_tax_rates"] == [first, second], "an id is taken at once"
    words.value = second
    button.click()
    assert form.state.raw["default_tax_rates"] == [first, second], "and once"
    assert form.line.endswith(f"--default-tax-rates {first},{second}")


def test_find_adds_to_the_list_that_stripe_has(sandbox: Any) -> None:
    known = call("tax_rates.list", limit=100, raw=True)
    first, second = [each["id"] for each in (known["data"] if isinstance(known, dict) else known)][:2]
    made = call("invoices.create", customer="cus_demoJennyRosen", default_tax_rates=[first])["id"][0]
    form = module_form("invoices.update", {"invoice": made})
    form.jump("default_tax_rates")
    control = form.controls["default_tax_rates"]
    control.parts[1].value = second
    control.find.click()
    assert form.state.values()["default_tax_rates"] == [first, second]


def test_an_old_invoice_by_its_number() -> None:
    """Stripe's search is asked, not only the newest page: an invoice of two years ago is found, and one that
    isn't there is not claimed."""
    connection = shared_connection.connect(sandbox=True)
    numbers = call("invoices.search", limit="all", connection=connection)["number"].dropna()
    for number in (numbers.iloc[0], numbers.iloc[1000], numbers.iloc[-1]):
        kind, identity = resolve(str(number), connection)
        assert kind == "invoice"
        assert call("invoices.retrieve", invoice=identity, connection=connection)["number"].iloc[0] == number
    with pytest.raises(NotFound, match=r"was found.*\n.*about a minute after"):
        resolve("XXXX9999-0001", connection)
