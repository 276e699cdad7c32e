"""Raw values -> typed values: every kind, every fault, and the rules between fields."""

# ruff: noqa: PD011 - `.values` of a Bound, not of a frame
from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from each_row import each_row
from hypothesis import given
from hypothesis import strategies as st

from stripe_magics import catalogue
from stripe_magics.catalogue.field import Field, Kind, Role, conditions
from stripe_magics.catalogue.module import Effect, Module
from stripe_magics.errors import InvalidValue, KeyRefused
from stripe_magics.validation import UNSET, Bound, bind, check

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 28, 12, tzinfo=BERLIN)


def of(name: str, params: Any = (), /, **values: Any) -> Bound:
    return bind(catalogue.find(name), values, params, now=NOW)


def refused(
    name: str, params: Any = (), /, api_version: str = catalogue.PINNED_VERSION, **values: Any
) -> str:
    with pytest.raises(InvalidValue) as caught:
        bind(catalogue.find(name), values, params, now=NOW, api_version=api_version)
    assert "Nothing was sent" in str(caught.value)
    return "\n".join(map(str, caught.value.faults))


def field(kind: Kind, **parts: Any) -> Field:
    return Field(name="value", label="Value", kind=kind, param="value", **parts)


ROWS = field(
    Kind.ROWS,
    columns=(
        Field(name="name", label="Name", kind=Kind.TEXT, param="name", required=True, max_length=30),
        Field(name="value", label="Value", kind=Kind.TEXT, param="value", required=True),
    ),
    maximum=2,
)


# Kinds


@each_row(
    ("declared", "given", "typed"),
    [
        (field(Kind.TEXT), "NO", "NO"),
        (field(Kind.TEXT), 12345, "12345"),
        (field(Kind.TEXT), "01234", "01234"),
        (field(Kind.TEXT), " ", " "),
        (field(Kind.TEXT), "", UNSET),
        (field(Kind.TEXT), None, None),
        (field(Kind.TEXT), np.nan, None),
        (field(Kind.TEXT), pd.NA, None),
        (field(Kind.TEXT), pd.NaT, None),
        (field(Kind.EMAIL), "jenny@example.com", "jenny@example.com"),
        (field(Kind.URL), "myapp://back", "myapp://back"),
        (field(Kind.INTEGER), "3", 3),
        (field(Kind.INTEGER), np.int64(3), 3),
        (field(Kind.INTEGER), 3.0, 3),
        (field(Kind.INTEGER), Decimal(3), 3),
        (field(Kind.MINOR_AMOUNT), "2000", 2000),
        (field(Kind.MINOR_AMOUNT), np.int64(2000), 2000),
        (field(Kind.MINOR_AMOUNT), Decimal(2000), 2000),
        (field(Kind.MINOR_AMOUNT), np.float64("nan"), None),
        (field(Kind.MINOR_AMOUNT), -300, -300),
        (field(Kind.BOOLEAN), "no", False),
        (field(Kind.BOOLEAN), "YES", True),
        (field(Kind.BOOLEAN), "on", True),
        (field(Kind.BOOLEAN), 0, False),
        (field(Kind.BOOLEAN), np.bool_(True), True),
        (field(Kind.CHOICE, choices=("none", "exempt", "send_invoice")), "none", "none"),
        (field(Kind.CHOICE, choices=("none", "exempt", "send_invoice")), "Send-Invoice", "send_invoice"),
        (field(Kind.CHOICE, choices=("GET", "POST")), "post", "POST"),
        (field(Kind.MULTI_CHOICE, choices=("card", "ideal")), "card, ideal", ["card", "ideal"]),
        (field(Kind.MULTI_CHOICE, choices=("card", "ideal")), ["card", "card"], ["card"]),
        (field(Kind.TEXT_LIST), "de,en-GB", ["de", "en-GB"]),
        (field(Kind.TEXT_LIST), pd.Series(["a", "b"]), ["a", "b"]),
        (field(Kind.TEXT_LIST), ("a, b",), ["a, b"]),
        (field(Kind.TEXT_LIST), '["a", "b"]', ["a", "b"]),
        (field(Kind.OBJECT_ID, object="customer"), " cus_1 ", "cus_1"),
        (field(Kind.OBJECT_ID, object="customer"), "jenny-7", "jenny-7"),
        (field(Kind.OBJECT_ID, object="coupon"), "cus_toms", "cus_toms"),
        (field(Kind.OBJECT_ID, object="payment_method"), "card_1", "card_1"),
        (field(Kind.CURRENCY), "USD", "usd"),
        (field(Kind.COUNTRY), "no", "NO"),
        (field(Kind.LOCALE), "pt-BR", "pt-BR"),
        (field(Kind.DECIMAL), "12.50", "12.50"),
        (field(Kind.DECIMAL), 1e-7, "0.0000001"),
        (field(Kind.DECIMAL), Decimal("1E+3"), "1000"),
        (field(Kind.METADATA), {"a": "b"}, {"a": "b"}),
        (field(Kind.METADATA), "order_id=6735", {"order_id": "6735"}),
        (field(Kind.METADATA), ["a=1", "b=x=y"], {"a": "1", "b": "x=y"}),
        (field(Kind.METADATA), '{"a": "b"}', {"a": "b"}),
        (field(Kind.METADATA), {"a": UNSET}, {"a": ""}),
        (ROWS, [{"name": "PO", "value": "42"}], [{"name": "PO", "value": "42"}]),
        (ROWS, {"name": "PO", "value": "42"}, [{"name": "PO", "value": "42"}]),
        (ROWS, "name=PO, value=4, 2", [{"name": "PO", "value": "4, 2"}]),
        (ROWS, '[{"name": "PO", "value": "42"}]', [{"name": "PO", "value": "42"}]),
        (ROWS, pd.DataFrame({"name": ["PO"], "value": [42]}), [{"name": "PO", "value": "42"}]),
        (field(Kind.JSON), '{"a": {"b": 1.50}}', {"a": {"b": Decimal("1.50")}}),
        (field(Kind.JSON), {"a": [1]}, {"a": [1]}),
        (field(Kind.TIMESTAMP), "1767225600", 1767225600),
        (field(Kind.TIMESTAMP), "2026-01-01T00:00:00Z", 1767225600),
        (field(Kind.TIMESTAMP), "2026-01-01", 1767225600 - 3600),
        (field(Kind.TIMESTAMP), date(2026, 1, 1), 1767225600 - 3600),
        (field(Kind.TIMESTAMP), pd.Timestamp("2026-01-01", tz="UTC"), 1767225600),
        pytest.param(
            field(Kind.TIMESTAMP),
            datetime(2013, 1, 1, tzinfo=timezone(timedelta(hours=1))),
            1356994800,
            id="T80",
        ),
        pytest.param(
            field(Kind.TIMESTAMP), datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC), -1, id="T80-before-1970"
        ),
        pytest.param(
            field(Kind.TIMESTAMP),
            datetime(2026, 1, 1, 0, 0, 0, 999999, tzinfo=UTC),
            1767225600,
            id="T80-floor",
        ),
    ],
)
def test_reads(declared: Field, given: Any, typed: Any) -> None:
    found = check(declared, given, zone=BERLIN)
    assert found == typed
    assert type(found) is type(typed)


@each_row(
    ("declared", "given", "message"),
    [
        (field(Kind.TEXT, max_length=5), "123456", "6 characters are given; the maximum is 5"),
        (field(Kind.TEXT, pattern="^[A-Z]+$", help="Capital letters."), "abc", "Capital letters."),
        (field(Kind.TEXT), True, "give text"),
        (field(Kind.TEXT), ["a"], "give text"),
        (field(Kind.TEXT), "\ud83d", "invalid Unicode character"),
        (field(Kind.EMAIL), "jenny", "not an e-mail address"),
        (field(Kind.EMAIL), "a@b.co, c@d.co", "not an e-mail address"),
        (field(Kind.URL), "example.com/back", "write https://example.com/back"),
        (field(Kind.INTEGER), "3.5", "not a whole number"),
        (field(Kind.INTEGER), "３", "not a whole number"),
        (field(Kind.INTEGER), True, "is not a whole number"),
        (field(Kind.INTEGER), float("inf"), "not a whole number"),
        (field(Kind.INTEGER, minimum=1), 0, "the minimum is 1"),
        (field(Kind.INTEGER, maximum=9), 10, "the maximum is 9"),
        pytest.param(field(Kind.MINOR_AMOUNT), 20.0, "amounts can't be floats", id="T82-float"),
        (field(Kind.MINOR_AMOUNT), Decimal("20.5"), "has no currency"),
        (field(Kind.MINOR_AMOUNT), Decimal("20.00"), "has no currency"),
        (field(Kind.MINOR_AMOUNT), True, "is not a whole number"),
        (field(Kind.MINOR_AMOUNT, minimum=1), "0", "the minimum is 1 (in minor units)"),
        (field(Kind.BOOLEAN), "maybe", "neither true nor false"),
        (field(Kind.BOOLEAN), 2, "neither true nor false"),
        (field(Kind.CHOICE, choices=("duplicate", "fraudulent")), "fraud", "did you mean fraudulent?"),
        (field(Kind.CHOICE, choices=("duplicate", "fraudulent")), "x", "write one of duplicate, fraudulent"),
        (field(Kind.MULTI_CHOICE, choices=("card", "ideal")), "card,idael", "did you mean ideal?"),
        (field(Kind.TEXT_LIST), {"a", "b"}, "a set has no order"),
        (field(Kind.TEXT_LIST), ["a", None], "a missing value"),
        (
            field(Kind.OBJECT_ID, object="payment_intent"),
            "cus_1",
            "is a customer ID; expected a payment intent ID (pi_...)",
        ),
        (
            field(Kind.OBJECT_ID, object="customer"),
            "https://dashboard.stripe.com/customers/cus_1",
            "did you mean cus_1?",
        ),
        (field(Kind.OBJECT_ID, object="customer"), "cus_1\n", None),
        (field(Kind.OBJECT_ID, object="customer"), "cus 1\nx", "is not an ID (example: cus_...)"),
        (field(Kind.OBJECT_ID, object="customer"), {"id": "cus_1"}, "give the id itself"),
        pytest.param(field(Kind.OBJECT_ID, object="customer"), ".", "is not an ID", id="B44-dot"),
        pytest.param(field(Kind.OBJECT_ID, object="customer"), "..", "is not an ID", id="B44-dots"),
        pytest.param(
            field(Kind.OBJECT_ID, object="customer"), "a/b", "an address, not an ID", id="B44-slash"
        ),
        pytest.param(field(Kind.OBJECT_ID, object="customer"), "%2e%2e", "is not an ID", id="B44-escaped"),
        (field(Kind.CURRENCY), "usx", "did you mean"),
        (field(Kind.CURRENCY), "$", "write the three-letter code, e.g. usd"),
        (field(Kind.COUNTRY), "Germany", "write DE"),
        (field(Kind.COUNTRY), "Austira", "AT (Austria)"),
        (field(Kind.LOCALE), "EN_gb", "write en-GB"),
        pytest.param(field(Kind.METADATA), {f"k{n}": "" for n in range(51)}, "51 keys", id="T86-keys"),
        pytest.param(field(Kind.METADATA), {"k" * 41: "v"}, "41 characters; the maximum is 40", id="T86-key"),
        pytest.param(
            field(Kind.METADATA), {"k": "v" * 501}, "501 characters; the maximum is 500", id="T86-value"
        ),
        pytest.param(field(Kind.METADATA), {"k": 6735}, "write '6735'", id="T86-type"),
        pytest.param(field(Kind.METADATA), {"a[b]": "v"}, "square bracket", id="T85"),
        (field(Kind.METADATA), "order", "write key=value"),
        (field(Kind.METADATA), 5, "give key-value pairs"),
        (ROWS, [{"name": "PO"}], "--value row 1, Value is missing"),
        (ROWS, [{"name": "PO", "value": "1"}] * 3, "3 rows are given; the maximum is 2"),
        (ROWS, [{"nmae": "PO", "value": "1"}], "did you mean name?"),
        (ROWS, [{}], "row 1"),
        (ROWS, "PO", "write name=..., value=..."),
        (ROWS, [5], "is not a row"),
        (field(Kind.JSON), "{", "the JSON can't be read"),
        (field(Kind.JSON), '{"a": NaN}', "NaN can't be sent"),
        (field(Kind.JSON), '"text"', "is not a JSON object"),
        (field(Kind.JSON), {"a": {1, 2}}, "a set can't be sent"),
        pytest.param(field(Kind.TIMESTAMP), datetime(2026, 1, 1), "has no time zone", id="T80-naive"),
        (field(Kind.TIMESTAMP), "20260101", "write 2026-01-01"),
        (field(Kind.TIMESTAMP), "1767225600000", "looks like milliseconds"),
        (field(Kind.TIMESTAMP), "2026-02-30", "day is out of range"),
        (field(Kind.TIMESTAMP), "soon", "words such as now"),
        (field(Kind.TIMESTAMP), "2026-03-29T02:30", "clocks moved forward"),
        (field(Kind.DECIMAL), "1e3", "not a decimal number"),
    ],
)
def test_refuses(declared: Field, given: Any, message: str | None) -> None:
    if message is None:
        check(declared, given, zone=BERLIN)
        return
    with pytest.raises(ValueError, match=re.escape(message)):
        check(declared, given, zone=BERLIN)


@each_row(
    ("given", "bounds"),
    [
        ("after 2026-01-01", {"gte": 1767312000}),
        ("before 2026-01-01", {"lt": 1767225600}),
        ("on 2026-01-01", {"gte": 1767225600, "lt": 1767312000}),
        ("2026-01-01", {"gte": 1767225600, "lt": 1767312000}),
        ("2026-01", {"gte": 1767225600, "lt": 1769904000}),
        ("between 2026-01-01 and 2026-01-02", {"gte": 1767225600, "lt": 1767398400}),
        ("2026-01-01..2026-01-02", {"gte": 1767225600, "lt": 1767398400}),
        ("2026-01-01..", {"gte": 1767225600}),
        ("..2026-01-01", {"lt": 1767312000}),
        ("after 2026-01-01T00:00Z", {"gt": 1767225600}),
        ("before 1767225600", {"lt": 1767225600}),
        ("between 1767225600 and 1767225700", {"gte": 1767225600, "lte": 1767225700}),
        (">= 2026-01-01", {"gte": 1767225600}),
        ("<= 2026-01-01", {"lt": 1767312000}),
        (["2026-01-01", "2026-01-02"], {"gte": 1767225600, "lt": 1767398400}),
        (["after", "2026-01-01"], {"gte": 1767312000}),
        ({"gte": 1767225600, "lt": "2026-01-02"}, {"gte": 1767225600, "lt": 1767312000}),
        ({"gt": "2026-01-01"}, {"gte": 1767312000}),
        ('{"gte": 1767225600}', {"gte": 1767225600}),
        ({"gte": "123", "lt": "5000"}, {"gte": 123, "lt": 5000}),
        (date(2026, 1, 1), {"gte": 1767225600, "lt": 1767312000}),
        (1767229200, {"gte": 1767229200, "lte": 1767229200}),  # Stripe's own spelling: that very second
        ("1767229200", {"gte": 1767229200, "lte": 1767229200}),
        ("1 day ago", {"gte": 1774569600, "lt": 1774656000}),
        ("last 7 days", {"gte": 1774695600 - 7 * 86400}),
    ],
)
def test_filters(given: Any, bounds: dict[str, int]) -> None:
    assert of("customers.list", created=given).values["created"] == bounds


@each_row(
    ("values", "message"),
    [
        ({"created": "2026-02-01..2026-01-01"}, "ends before it starts"),
        ({"created": "between 2026-01-01"}, "between takes two"),
        ({"created": {"gte": 1, "gt": 1}}, "same side"),
        ({"created": {"from": 1}}, "the bounds are gt, gte, lt and lte"),
        (
            {"created": "before 2026-01-01", "created_operator": "after"},
            "the operator is 'after', but the value says 'before'",
        ),
        ({"created": ["2026-01-01", "2026-01-02"], "created_operator": "after"}, "after takes one date"),
        ({"created": "", "created_operator": "after"}, "is empty"),
        ({"created_operator": "after"}, "is missing; --created-operator needs it"),
        ({"created": "x", "created_operator": "aftr"}, "did you mean after?"),
    ],
)
def test_filters_refused(values: dict[str, Any], message: str) -> None:
    assert message in refused("customers.list", **values)


@each_row(
    ("operator", "given", "bounds"),
    [
        ("before", "2026-01-01", {"lt": 1767225600}),
        ("after", "2026-01-01", {"gte": 1767312000}),
        ("between", "2026-01-01, 2026-01-02", {"gte": 1767225600, "lt": 1767398400}),
        ("between", ["1767225600", "1767225700"], {"gte": 1767225600, "lte": 1767225700}),
        ("on", "1767229200", {"gte": 1767225600, "lt": 1767312000}),
    ],
)
def test_operators_beside_values(operator: str, given: Any, bounds: dict[str, int]) -> None:
    assert of("customers.list", created_operator=operator, created=given).values["created"] == bounds


def test_days_are_cut_by_the_zones_own_clock() -> None:
    module = catalogue.find("payouts.list")
    bound = bind(module, {"created": "2026-03-29", "arrival_date": "2026-03-29"}, zone=BERLIN)
    created, arrival = bound.values["created"], bound.values["arrival_date"]
    assert created["lt"] - created["gte"] == 23 * 3600  # the clocks were clocks moved forward that night
    assert arrival == {"gte": 1774742400, "lt": 1774828800}  # always UTC


def test_words_for_moments() -> None:
    declared = field(Kind.TIMESTAMP)
    module = Module(
        name="x.y",
        title="",
        method="POST",
        path="/v1/x",
        returns="any",
        effect=Effect.CREATE,
        fields=(declared,),
    )

    def moment(text: str) -> int:
        value: int = bind(module, {"value": text}, zone=BERLIN, now=NOW).values["value"]
        return value

    assert moment("in 1 day") - moment("now") == 23 * 3600
    assert moment("in 24 hours") - moment("now") == 24 * 3600
    assert moment("now") - moment("2 weeks ago") == 14 * 86400
    assert moment("today") == moment("2026-03-28")
    assert moment("yesterday") == moment("2026-03-27")


# Descriptors


@each_row(
    ("name", "given", "message"),
    [
        pytest.param("statement_descriptor", "ACME", "5 to 22", id="T98-4"),
        pytest.param("statement_descriptor", "ACMES", "", id="T98-5"),
        pytest.param("statement_descriptor", "A" * 22, "", id="T98-22"),
        pytest.param("statement_descriptor", "A" * 23, "23 characters", id="T98-23"),
        pytest.param("statement_descriptor", "12345", "no letter", id="T98-letter"),
        pytest.param("statement_descriptor", "АКМЕЕ", "Latin", id="T98-Cyrillic"),
        pytest.param("statement_descriptor", "Škoda Žižkov", "", id="T98-Latin"),
        *[
            pytest.param("statement_descriptor", f"ACME {bad} SHOES", "has none of", id=f"T98-{ord(bad)}")
            for bad in "<>\\'\"*"
        ],
        pytest.param("statement_descriptor_suffix", "A", "", id="T98-suffix"),
        pytest.param("statement_descriptor_suffix", "77", "no letter", id="T98-suffix-letter"),
    ],
)
def test_statement_descriptors(name: str, given: str, message: str) -> None:
    call = {"amount": 100, "currency": "usd", name: given}
    if message:
        assert message in refused("payment_intents.create", **call)
    else:
        assert of("payment_intents.create", **call).values[name] == given


@each_row(("length", "legal"), [(1, False), (2, True), (10, True), (11, False)])
def test_descriptor_prefixes(length: int, legal: bool) -> None:
    from stripe_magics.validation.statement_descriptor import descriptor

    if legal:
        assert descriptor("A" * length, "prefix")
    else:
        with pytest.raises(ValueError, match="2 to 10"):
            descriptor("A" * length, "prefix")


def test_prefix_and_suffix_share_22() -> None:
    from stripe_magics.validation.statement_descriptor import descriptor

    assert descriptor("S" * 12, "suffix", prefix="P" * 8)
    with pytest.raises(ValueError, match="share 22"):
        descriptor("S" * 13, "suffix", prefix="P" * 8)


# A whole call


def test_all_faults_at_once() -> None:
    with pytest.raises(InvalidValue) as caught:
        bind(
            catalogue.find("customers.create"),
            {
                "email": "x",
                "shipping_name": "J",
                "shipping_country": "Germany",
                "tax_exempt": "non",
                "nmae": "J",
                "balance": 1.5,
            },
        )
    assert {each.field for each in caught.value.faults} == {
        "email",
        "shipping_country",
        "tax_exempt",
        "nmae",
        "balance",
    }
    text = str(caught.value)
    assert "--shipping-country: 'Germany' is not a country code; write DE" in text
    assert "did you mean name" in text
    assert "did you mean none?" in text


def test_what_is_left_out_is_left_out() -> None:
    assert of("customers.create").values == {}
    assert "is missing" in refused("customers.retrieve")
    assert "is missing" in refused("customers.retrieve", customer=None)
    assert "is empty" in refused("customers.retrieve", customer="")


def test_clearing() -> None:
    assert of("customers.update", customer="cus_1", description="", metadata="").values == {
        "customer": "cus_1",
        "description": UNSET,
        "metadata": UNSET,
    }
    assert of("invoices.update", invoice="in_1", discounts=[]).values["discounts"] is UNSET
    assert of("customers.create", description=UNSET).values["description"] is UNSET
    assert "is empty" in refused("customers.create", description="")
    assert "is empty" in refused("customers.list", email="")
    assert "is empty" in refused("refunds.create", charge="ch_1", amount="")


def test_switches_follow_from_what_is_given() -> None:
    create = "invoice_items.create"
    assert of(create, customer="cus_1", amount="5", currency="usd").values["input_amount"] == "total_amount"
    assert (
        of(create, customer="cus_1", unit_amount="5", currency="usd", quantity=2).values["input_amount"]
        == "unit_amount"
    )
    priced = of(create, customer="cus_1", price="price_1", quantity=2)
    assert (priced.values["price_object"], priced.values["input_amount"]) == ("existing", "price")
    assert priced.inferred == {"price_object", "input_amount"}
    problem = refused(create, customer="cus_1", amount="5", price="price_1", currency="usd")
    assert "--amount goes with total_amount" in problem
    assert "--price goes with price" in problem
    assert problem.count("\n") == 0
    assert "--quantity" in refused(create, customer="cus_1", quantity=2)
    assert "needs it" in refused(create, customer="cus_1", product="prod_1")


def test_a_parameter_is_never_inferred() -> None:
    problem = refused("payment_intents.create", amount=100, currency="usd", return_url="https://example.com")
    assert "goes with --confirm true only; --confirm isn't given" in problem
    assert "confirm" not in of("payment_intents.create", amount=100, currency="usd").values


def test_the_currency_follows_from_the_amount() -> None:
    bound = of("payment_intents.create", amount="20.00usd")
    assert bound.values == {"amount": 2000, "currency": "usd"}
    assert "in usd, but the currency of this call is eur" in refused(
        "payment_intents.create", amount="20.00usd", currency="eur"
    )
    assert of("refunds.create", charge="ch_1", amount="5.00usd").values == {"charge": "ch_1", "amount": 500}
    assert "currency of this call is usd" in refused(
        "payment_intents.create", amount="20usd", transfer_amount="5eur", transfer_destination="acct_1"
    )
    assert "write 10huf or 11huf" in refused("payouts.create", amount="10.45huf")
    assert "whole minor units (2000)" in refused("payment_intents.create", amount="20.00", currency="usd")


@each_row("amount", ["20.50jpy", "1.234kwd", "$20", "20.00xyz"])
def test_a_currency_that_came_with_a_bad_amount_is_not_missing(amount: str) -> None:
    said = refused("payment_intents.create", amount=amount)
    assert said.startswith("--amount: ")
    assert "Currency" not in said
    assert "--currency is missing" in refused("payment_intents.create", amount="20.00")


def test_an_id_of_another_type_is_named_in_plain_english() -> None:
    said = refused("customers.retrieve", customer="in_1")
    assert "is an invoice ID; expected a customer ID" in said


def test_amounts_below_the_minimum_are_a_warning() -> None:  # T97
    assert "0.50 USD" in of("payment_intents.create", amount="0.49usd").warnings[0]
    assert of("payment_intents.create", amount="0.50usd").warnings == ()
    assert "99999999 in minor" in of("payment_intents.create", amount=100_000_000, currency="usd").warnings[0]
    assert of("payment_intents.create", amount=100_000_000, currency="idr").warnings == (), "a million rupiah"
    assert "12 digits" in refused("payment_intents.create", amount=10**12, currency="idr")


def test_what_goes_together() -> None:
    """Stripe takes no shipping address without a name, nor a name without an address."""
    for name, values in (
        ("payment_intents.create", {"amount": "20.00usd"}),
        ("customers.update", {"customer": "cus_1"}),
    ):
        without_name = refused(name, shipping_line1="1 Main St", **values)
        assert "--shipping-name is missing; --shipping-line1 needs it" in without_name
        assert "is missing; --shipping-name goes with one of" in refused(
            name, shipping_name="Jenny", **values
        )
        assert of(name, shipping_name="Jenny", shipping_city="Berlin", **values)
    assert not of("customers.create", shipping_line1="1 Main St", shipping_name="J").warnings
    assert "is missing; --period-end needs it" in refused(
        "invoice_items.update", invoice_item="ii_1", period_end="now"
    )


def test_either_or() -> None:
    assert "can't be given together" in refused("refunds.create", charge="ch_1", payment_intent="pi_1")
    assert "one of" in refused("refunds.create", amount=5)
    assert "can't be given along with --query" in refused("invoices.search", query="total>1", status="open")
    assert "needs one of coupon or discount or promotion_code" in refused(
        "invoices.create", customer="cus_1", discounts=[{"coupon": "a", "discount": "di_1"}]
    )


def test_versions() -> None:
    assert "coupon" in of("customers.create", coupon="A").values
    problem = refused("customers.create", api_version="2025-03-31.basil", coupon="A")
    assert "no longer since API version 2025-03-31.basil" in problem
    assert "discounts[][coupon]" in problem
    assert "payment_method" in of("customers.update", customer="cus_1", payment_method="pm_1").values


# Parameters


@each_row(
    ("params", "values"),
    [
        ([("name", "J")], {"name": "J"}),
        (
            [("shipping[address][line1]", "x"), ("shipping[name]", "J")],
            {"shipping_line1": "x", "shipping_name": "J"},
        ),
        ([("metadata[a]", "1"), ("metadata[b]", "2")], {"metadata": {"a": "1", "b": "2"}}),
        ([("preferred_locales[]", "de"), ("preferred_locales[]", "fr")], {"preferred_locales": ["de", "fr"]}),
        ([("preferred_locales[0]", "de")], {"preferred_locales": ["de"]}),
        (
            [
                ("invoice_settings[custom_fields][0][name]", "a"),
                ("invoice_settings[custom_fields][0][value]", "b"),
            ],
            {"invoice_custom_fields": [{"name": "a", "value": "b"}]},
        ),
        (
            [("tax_id_data[][type]", "eu_vat"), ("tax_id_data[][value]", "DE1")],
            {"tax_id_data": [{"type": "eu_vat", "value": "DE1"}]},
        ),
        (
            [("shipping", {"address": {"line1": "x"}, "name": "J"})],
            {"shipping_line1": "x", "shipping_name": "J"},
        ),
    ],
)
def test_bracket_parameters(params: Any, values: dict[str, Any]) -> None:
    assert of("customers.create", params).values == values


def test_nested_bodies() -> None:
    values: dict[str, Any] = {
        "shipping": {"address": {"line1": "x", "country": "NO"}, "name": "J"},
        "invoice_settings": {"footer": "bye"},
        "metadata": {"a": "b"},
    }
    bound = of("customers.create", **values)
    assert bound.values == {
        "shipping_line1": "x",
        "shipping_country": "NO",
        "shipping_name": "J",
        "metadata": {"a": "b"},
        "invoice_footer": "bye",
    }
    assert (
        of("invoices.create", customer="cus_1", automatic_tax={"enabled": "yes"}).values["automatic_tax"]
        is True
    )


def test_bounds_as_parameters() -> None:
    assert of("customers.list", [("created[gte]", "1767225600"), ("created[lt]", "2026-01-02")]).values[
        "created"
    ] == {"gte": 1767225600, "lt": 1767312000}
    assert of("customers.list", [("limit", "3")]).values["limit"] == 3


def test_parameters_that_no_field_stands_for() -> None:
    assert of("customers.create", [("tax[validate_location]", "deferred")]).extra == (
        ("tax[validate_location]", "deferred"),
    )
    assert of("customers.create", [("cash_balance", {"settings": {"x": ["1", True]}})]).extra == (
        ("cash_balance[settings][x][0]", "1"),
        ("cash_balance[settings][x][1]", "true"),
    )
    assert of("customers.update", [("address", "")], customer="cus_1").extra == (("address", ""),)
    assert "did you mean shipping[address][line1]?" in refused(
        "customers.create", [("shiping[address][line1]", "x")]
    )
    assert "write it like" in refused("customers.create", [("a]b[", "x")])
    assert of("customers.create", [("emails", "x")]).extra == (("emails", "x"),)


def test_given_twice() -> None:
    assert "is given twice" in refused("customers.create", [("name", "A")], name="B")
    assert "is given twice" in refused("customers.create", [("name", "A"), ("name", "B")])
    assert of("customers.create", [("metadata[b]", "2")], metadata={"a": "1"}).values["metadata"] == {
        "a": "1",
        "b": "2",
    }
    assert "the key 'a' is given twice" in refused(
        "customers.create", [("metadata[a]", "2")], metadata={"a": "1"}
    )


def test_newer_choices_pass_as_stripes_own_parameter() -> None:
    assert "not one of the choices" in refused(
        "payment_intents.create", amount=100, currency="usd", capture_method="later_still"
    )
    assert of(
        "payment_intents.create", [("capture_method", "later_still")], amount=100, currency="usd"
    ).extra == (("capture_method", "later_still"),)
    assert "did you mean manual?" in refused(
        "payment_intents.create", amount=100, currency="usd", capture_method="manuel"
    )


@each_row(
    ("name", "params", "values", "sent"),
    [
        ("payment_intents.create", [("capture_method", "manuel")], {"amount": 1, "currency": "eur"},
            ("capture_method", "manuel")),
        ("payment_intents.create", [("payment_method_types[]", "future_pay")],
            {"amount": 1, "currency": "eur"}, ("payment_method_types[0]", "future_pay")),
        ("payment_intents.create", [("payment_method_data[type]", "futurepay")],
            {"amount": 1, "currency": "eur"}, ("payment_method_data[type]", "futurepay")),
        ("events.watch", [("enabled_events[]", "refund.refailed")], {"url": "https://example.com/h"},
            ("enabled_events[0]", "refund.refailed")),
    ],
)  # fmt: skip
def test_stripes_own_parameter_is_never_cancelled_by_a_lookalike(
    name: str, params: Any, values: Any, sent: tuple[str, str]
) -> None:
    bound = of(name, params, **values)
    assert sent in bound.extra
    assert any("isn't among the known values; it is sent as it stands" in each for each in bound.warnings)


@each_row(
    ("name", "field", "value"),
    [
        ("payment_intents.create", "payment_method_types", "revolut_pay"),
        ("payment_intents.create", "payment_method_type", "twint"),
        ("payment_intents.confirm", "off_session", "recurring"),
        ("events.watch", "events", "refund.failed"),
        ("payment_intents.confirm", "request_three_d_secure", "challenge"),
    ],
)
def test_the_choices_are_those_of_the_version(name: str, field: str, value: str) -> None:
    module = catalogue.find(name)
    assert value in module.get(field).choices


def test_stripes_own_parameter_passes_inside_of_rows() -> None:
    bound = of("customers.create", [("tax_id_data[0][type]", "zz_new"), ("tax_id_data[0][value]", "1")])
    assert bound.values["tax_id_data"] == [{"type": "zz_new", "value": "1"}]
    assert any("zz_new isn't among the known values" in each for each in bound.warnings)
    assert "zz_new" in refused("customers.create", tax_id_data=[{"type": "zz_new", "value": "1"}])


def test_lists_inside_of_lists_by_bracket_parameters() -> None:
    params = [
        ("items[0][price]", "price_1"),
        ("items[0][discounts][0][coupon]", "c"),
        ("items[0][tax_rates][0]", "txr_1"),
    ]
    bound = of("subscriptions.create", params, customer="cus_1")
    assert bound.values["items"] == [
        {"price": "price_1", "discounts": [{"coupon": "c"}], "tax_rates": {"0": "txr_1"}}
    ]


def test_what_no_version_knows_any_more_is_refused() -> None:
    for events in ("order.created", ["sku.created"]):
        assert "no API version since 2023 knows" in refused(
            "events.watch", events=events, url="https://example.com/h"
        )
    assert "no API version since 2023 knows" in refused(
        "events.watch", [("enabled_events[]", "recipient.created")], url="https://example.com/h"
    )


def test_a_true_or_false_that_may_be_a_word() -> None:
    for raw, sent in (("yes", "true"), (True, "true"), (False, "false"), ("one_off", "one_off")):
        bound = of("payment_intents.confirm", payment_intent="pi_1", off_session=raw)
        assert bound.values["off_session"] == sent


def test_an_invoice_needs_a_customer_or_what_stands_for_one() -> None:
    assert "--customer is missing" in refused("invoices.create")
    assert of("invoices.create", subscription="sub_1")
    assert of("invoices.create", [("from_invoice[invoice]", "in_1"), ("from_invoice[action]", "revision")])
    assert of("invoices.create", [("customer_account", "acct_1")])
    assert of("invoices.create", customer="cus_1", discounts=[{"promotion_code": "promo_1"}])


def test_quantity_goes_with_every_price() -> None:
    for params in ([("pricing[price]", "price_1")], [("unit_amount_decimal", "0.5")]):
        currency = {} if "price" in params[0][1] else {"currency": "usd"}
        assert (
            of("invoice_items.create", params, customer="cus_1", quantity=3, **currency).values["quantity"]
            == 3
        )
    assert "goes with" in refused(
        "invoice_items.create", customer="cus_1", amount=5, currency="usd", quantity=3
    )


def test_generated_operations_pass_on_what_they_do_not_know() -> None:
    bound = of("products.create", name="Shoes", brand_new={"a": ["1"]})
    assert bound.values == {"name": "Shoes"}
    assert bound.extra == (("brand_new[a][0]", "1"),)
    assert "is missing" in refused("products.create")


def test_groups_of_events() -> None:
    bound = of("events.watch", group="payout", url="https://example.com/hook")
    assert "payout.paid" in bound.values["events"]
    assert "did you mean" in refused("events.watch", events="payout.payed", url="https://example.com/hook")


@each_row(
    "value",
    [
        "sk_test_" + "4eC39HqLyjWDarjtT1zdp7dc",
        {"a": "rk_live_" + "abcdefgh"},
        [{"name": "x", "value": "whsec_" + "abcdefghijkl"}],
        "note: pk_live_" + "abcdefgh",
        '{"a": "sk_live_' + 'abcdefgh"}',
    ],
)
@each_row("name", ["description", "metadata", "invoice_custom_fields"])
def test_keys_are_refused_and_never_repeated(name: str, value: Any) -> None:
    with pytest.raises(KeyRefused) as caught:
        of("customers.create", **{name: value})
    assert not re.search("abcdef|4eC39", str(caught.value) + repr(caught.value))
    with pytest.raises(KeyRefused):
        of("customers.create", [(f"metadata[{name}]", value)])


@each_row("value", ["sk_warehouse", "pk_1", "risk_level", "task_test"])
def test_words_that_are_no_keys(value: str) -> None:
    assert of("customers.create", description=value).values["description"] == value


def test_headers_and_paths_of_any_call() -> None:
    call = "api.call"
    assert "the connection's own" in refused(call, url="/v1/events", headers={"Authorization": "Bearer x"})
    assert "can't be sent as a header" in refused(call, url="/v1/events", headers={"X-A": "a\r\nB: c"})
    assert "not a header name" in refused(call, url="/v1/events", headers=[{"key": "X A", "value": "b"}])
    for url in (
        "/v1/../x",
        "/v1/%2e%2e/x",
        "/v1//x",
        "v1/events",
        "/v1/a b\\c",
        "https://evil.example/v1/events",
        "/v1/x#y",
        "/v1/x\ny",
    ):
        assert "--url" in refused(call, url=url)
    assert of(call, url="/v1/events", headers="Stripe-Account: acct_1").values["headers"] == [
        {"key": "Stripe-Account", "value": "acct_1"}
    ]


def test_conditions_inside_a_made_up_module() -> None:
    module = Module(
        name="a.b",
        title="",
        method="POST",
        path="/v1/a",
        returns="any",
        effect=Effect.CREATE,
        fields=(
            Field(
                name="kind",
                label="Kind",
                kind=Kind.CHOICE,
                param="client",
                role=Role.SWITCH,
                choices=("x", "y"),
                default="x",
            ),
            Field(
                name="plain",
                label="Plain",
                kind=Kind.TEXT,
                param="plain",
                required=True,
                when=conditions({"kind": "x"}),
            ),
            Field(
                name="other", label="Other", kind=Kind.TEXT, param="other", when=conditions({"kind": ["y"]})
            ),
        ),
    )
    assert bind(module, {"plain": "1"}).values == {"kind": "x", "plain": "1"}
    assert bind(module, {"other": "1"}).values == {"kind": "y", "other": "1"}
    with pytest.raises(InvalidValue, match="--plain is missing"):
        bind(module, {})
    with pytest.raises(InvalidValue, match="goes with --kind y only; --kind is x"):
        bind(module, {"kind": "x", "plain": "1", "other": "1"})


@given(
    st.dictionaries(
        st.sampled_from([each.name for each in catalogue.find("payment_intents.create").fields]),
        st.text(max_size=12),
        max_size=6,
    )
)
def test_any_text_is_bound_or_refused_in_words(values: dict[str, str]) -> None:
    try:
        bind(catalogue.find("payment_intents.create"), values)
    except InvalidValue as fault:
        assert all(each.problem and each.field for each in fault.faults)


# Missing values


MISSING = [
    (None, "None"),
    (np.nan, "NaN"),
    (np.float64("nan"), "NaN"),
    (pd.NA, "NA"),
    (pd.NaT, "NaT"),
    (np.datetime64("NaT", "ns"), "NaT"),
]


@each_row(("value", "how"), MISSING, ids=str)
def test_a_missing_value_is_refused_by_name(value: Any, how: str) -> None:
    """Left out in silence, the amount of a partial refund would make it a whole one, a filter would list
    everybody."""
    for module, values, flag in [
        ("refunds.create", {"payment_intent": "pi_1", "amount": value}, "amount"),
        ("customers.list", {"email": value}, "email"),
        ("customers.list", {"created": value}, "created"),
        ("customers.create", {"metadata": value}, "metadata"),
        ("customers.retrieve", {"customer": value}, "customer"),
        ("customers.create", {"address[city]": value}, "address-city"),
        ("customers.create", {"address": {"city": value}}, "address-city"),
        ("invoices.create", {"customer": "cus_1", "custom_fields": value}, "custom-fields"),
        ("transfers.create", {"amount": value, "currency": "usd", "destination": "acct_1"}, "amount"),
        (
            "transfers.create",
            {"amount": 5, "currency": "usd", "destination": "acct_1", "made_up": value},
            "made-up",
        ),
    ]:
        text = refused(module, **values)
        assert f"--{flag}" in text, module
        assert f"({how})" in text, module


@each_row(("value", "how"), MISSING, ids=str)
def test_a_missing_value_inside_another_is_refused_by_name(value: Any, how: str) -> None:
    session = {"mode": "payment", "success_url": "https://example.com"}
    for module, values, words in [
        ("customers.create", {"metadata": {"order": value}}, "'order'"),
        (
            "invoices.create",
            {"customer": "cus_1", "custom_fields": [{"name": "PO", "value": value}]},
            "row 1",
        ),
        ("payment_intents.list", {"created": {"gte": value}}, "gte"),
        (
            "checkout.sessions.create",
            {**session, "line_items": [{"price": "price_1", "quantity": value}]},
            "uantity",
        ),
        (
            "checkout.sessions.create",
            {**session, "line_items": [{"price_data": {"unit_amount": value}}]},
            "nit amount",
        ),
        ("checkout.sessions.create", {**session, "made_up": {"a": {"b": value}}}, "b]"),
    ]:
        text = refused(module, **values)
        assert words in text, module
        assert f"({how})" in text, module


def test_missing_parameters_are_refused_by_name() -> None:
    with pytest.raises(InvalidValue, match="amount"):
        bind(catalogue.find("refunds.create"), {"payment_intent": "pi_1"}, [("amount", None)])


@each_row("number", [1.2345678901234568e18, -1e16, float("inf"), Decimal("NaN")])
def test_numbers_that_lost_their_digits_are_no_text(number: Any) -> None:
    with pytest.raises(ValueError, match="text"):
        check(field(Kind.TEXT), number, zone=BERLIN)


# Typing inside lists


def line_items(*items: Any, **more: Any) -> Any:
    values = {"mode": "payment", "success_url": "https://example.com", "line_items": list(items), **more}
    return of("checkout.sessions.create", **values).values["line_items"]


def test_values_inside_lists_are_typed() -> None:
    data = {"unit_amount": "20.00usd", "product_data": {"name": "Tee", "metadata": {"a": "1"}}}
    assert line_items({"price_data": data, "quantity": "2"}) == [
        {
            "price_data": {"unit_amount": 2000, "currency": "usd", "product_data": data["product_data"]},
            "quantity": 2,
        }
    ]
    assert line_items({"price_data": {"unit_amount": "20.00eur", "currency": "EUR"}})[0]["price_data"] == {
        "unit_amount": 2000,
        "currency": "eur",
    }
    assert line_items({"adjustable_quantity": {"enabled": "yes"}})[0] == {
        "adjustable_quantity": {"enabled": True}
    }
    found = of(
        "subscription_schedules.create",
        customer="cus_1",
        phases=[
            {
                "items": [{"price_data": {"unit_amount": "9.99usd", "product": "prod_1"}}],
                "trial_end": "2026-01-01",
            }
        ],
    ).values["phases"]
    assert found[0]["items"][0]["price_data"]["unit_amount"] == 999
    assert found[0]["trial_end"] == 1767225600


@each_row(
    ("item", "words"),
    [
        ({"price_data": {"unit_amount": "20.00"}}, "urrency"),
        ({"price_data": {"unit_amount": 20.5, "currency": "usd"}}, "float"),
        ({"price_data": {"unit_amount": "20.00usd", "currency": "eur"}}, "eur"),
        ({"quantity": "two"}, "whole number"),
        ({"adjustable_quantity": {"enabled": "perhaps"}}, "true"),
        ("price_1", "not an object"),
    ],
)
def test_values_inside_lists_are_refused_by_name(item: Any, words: str) -> None:
    values = {"mode": "payment", "success_url": "https://example.com", "line_items": [item]}
    text = refused("checkout.sessions.create", **values)
    assert words in text
    assert "row 1" in text


def test_json_text_for_an_object() -> None:
    values = {"currency": "usd", "product": "prod_1", "unit_amount": 5, "recurring": '{"interval": "month"}'}
    assert of("prices.create", **values).values["recurring_interval"] == "month"
    assert "JSON" in refused("prices.create", **{**values, "recurring": '{"interval": '})
