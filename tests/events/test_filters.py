"""Which events are meant: names, patterns, and conditions on values."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from each_row import each_row
from events.doubles import event

from stripe_magics.catalogue.event_types import EVENT_TYPES
from stripe_magics.errors import UnknownName, UsageFault
from stripe_magics.events.filters import covering_names, event_filter, known_types
from stripe_magics.events.value_filter import value_filter


@each_row(
    "name, matches, others",
    [
        ("*", ["invoice.paid", "brand.new"], []),
        ("invoice", ["invoice.paid", "invoice.brand_new"], ["invoiceitem.created", "invoice_payment.paid"]),
        ("invoice.*", ["invoice.paid"], ["charge.failed"]),
        (
            "charge.dispute.*",
            ["charge.dispute.created", "charge.dispute.closed"],
            ["charge.failed", "charge.disputed"],
        ),
        (
            "customer.subscription.*",
            ["customer.subscription.trial_will_end"],
            ["customer.created", "subscription_schedule.created"],
        ),
        ("invoice.paid", ["invoice.paid"], ["invoice.paid_late", "invoice.voided"]),
        ("invoice_payment.paid", ["invoice_payment.paid"], ["invoice.paid"]),
    ],
)
def test_one_grammar(name: str, matches: list[str], others: list[str]) -> None:
    chosen = event_filter([name])
    assert all(chosen(each) for each in matches)
    assert not any(chosen(each) for each in others)


@each_row(
    "name, near",
    [
        ("charge.dispute.creatd", "charge.dispute.created"),
        ("charge.disputes.*", "charge.dispute"),
        ("charge.dispute", r"charge\.dispute\.\*"),
        ("invoices", "invoice"),
        ("customer.subscripton.*", "customer"),
        ("invoice.paid.*", "invoice"),
        ("", "Unknown event or group of events ''"),
    ],
)
def test_a_name_that_no_event_has_is_refused(name: str, near: str) -> None:
    with pytest.raises(UnknownName, match=near):
        event_filter([name])


def test_every_known_type_is_taken_and_matches_itself() -> None:
    assert set(EVENT_TYPES) <= set(known_types())
    assert len(known_types()) > 270
    wrong = [
        each
        for each in known_types()
        if not event_filter([each])(each) or not event_filter([each.rpartition(".")[0] + ".*"])(each)
    ]
    assert wrong == []


def test_the_order_of_names_says_nothing() -> None:
    """B89"""
    assert event_filter(["charge", "invoice"]).names == event_filter(["invoice.*", "charge"]).names
    assert event_filter(["invoice"], ["invoice.paid"]).names == ("invoice.*",)
    assert event_filter(["charge", "charge.dispute.*"]).names == ("charge.*",)
    assert covering_names("charge.dispute.created") == (
        "charge.dispute.created",
        "charge.dispute.*",
        "charge.*",
        "*",
    )
    assert covering_names("charge.dispute.*") == ("charge.dispute.*", "charge.*", "*")


def test_patterns_are_written_out_for_an_endpoint() -> None:
    types = event_filter(["charge.dispute.*"]).all_types
    assert "charge.dispute.created" in types
    assert all(each.startswith("charge.dispute.") for each in types)
    assert event_filter(["charge.dispute.*"]).params == (("type", "charge.dispute.*"),)


@each_row(
    "one, two, overlap",
    [
        (["*"], ["invoice.paid"], True),
        (["invoice"], ["invoice.paid"], True),
        (["invoice.paid"], ["invoice.voided"], False),
        (["charge.dispute.*"], ["charge"], True),
        (["charge.refund.*"], ["charge.dispute.*"], False),
    ],
)
def test_what_two_choices_have_in_common(one: list[str], two: list[str], overlap: bool) -> None:
    first, second = event_filter(one), event_filter(two)
    assert first.overlaps(second) is second.overlaps(first) is overlap


BIG = event(
    "evt_1",
    "charge.failed",
    1,
    amount=150_000,
    currency="usd",
    customer="cus_1",
    metadata={"team": "x y"},
    card={"brand": "visa"},
)


@each_row(
    "text, expected",
    [
        ("amount > 100000 and currency == 'usd'", True),
        ("amount > 100000 and currency == 'eur'", False),
        ("not (amount < 5 or currency != 'usd')", True),
        ("1 < amount <= 150000", True),
        ("currency in ['usd', 'eur']", True),
        ("currency not in ('usd', 'eur')", False),
        ("metadata.team == 'x y'", True),
        ("metadata['team'] == 'x y'", True),
        ("'team' in metadata", True),
        ("card.brand == 'visa'", True),
        ("card.nothing.deeper == 1", False),
        ("missing == null", True),
        ("missing > 5", False),
        ("amount > 'text'", False),
        ("type == 'charge.failed' and livemode == false", True),
        ("data.object.amount == 150000", True),
        ("customer in vips", True),
        ("customer not in vips", False),
        ("customer in column", True),
        ("amount > -1", True),
    ],
)
def test_conditions(text: str, expected: bool) -> None:
    vips = pd.DataFrame({"customer": ["cus_1", "cus_2"], "amount": [1, 2]})
    test = value_filter(text, {"vips": vips, "column": vips["customer"], "amount": 3, "currency": "hijacked"})
    assert test(BIG) is expected


@each_row(
    "text",
    [
        "__import__('os').system('x')",
        "amount + 1 > 2",
        "[x for x in amount]",
        "lambda: 1",
        "amount.__class__()",
        "amount >",
        "a := 5",
        "f'{amount}'",
        "customer in unknown_list",
        "(" * 500 + ")" * 500,
        "amount > 1 " + "and amount > 1 " * 300,
        "",
        "{'a': 1}",
        "amount if 1 else 2",
        "*amount",
        "b'x' == 1",
    ],
)
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(UsageFault, match="--where|Can't read"):
        value_filter(text)


def test_a_condition_sees_json_only() -> None:
    assert value_filter("amount.__class__ == null")(BIG) is True
    assert value_filter("customer.id.denominator == null")(BIG) is True


def test_a_customers_own_events_are_about_the_customer() -> None:
    made: dict[str, Any] = event("evt_2", "customer.updated", 1, id="cus_1")
    assert value_filter("customer in vips", {"vips": ["cus_1"]})(made)
