"""One table of what is known of types of object; where lists live and what they take comes from the generated
facts."""

from __future__ import annotations

import pytest
from each_row import each_row

from stripe_magics.catalogue import stripe_objects
from stripe_magics.catalogue.generated import facts
from stripe_magics.catalogue.stripe_objects import OBJECTS, ObjectType
from stripe_magics.catalogue.versions import NEWEST_VERSION, PINNED_VERSION
from stripe_magics.frames.schema import facts as known_types


def test_every_type_is_one_of_stripes() -> None:
    known = known_types()
    assert not [kind for kind in OBJECTS if kind not in known]


def test_no_two_types_have_one_prefix() -> None:
    prefixes = [prefix for each in OBJECTS.values() for prefix in each.prefixes]
    assert len(prefixes) == len(set(prefixes))
    assert all(set(each.also) <= set(prefixes) for each in OBJECTS.values())


@each_row(
    ("id_", "kind"),
    [
        ("ch_123", "charge"), ("py_123", "charge"), ("sub_sched_1", "subscription_schedule"),
        ("sub_1", "subscription"),
        ("cs_test_a1", "checkout.session"), ("what_1", ""), ("SUMMER", ""), ("cn_1", "credit_note"),
        ("tok_visa", "token"),
    ],
)  # fmt: skip
def test_owner(id_: str, kind: str) -> None:
    assert stripe_objects.owner(id_) == kind


@each_row(
    ("kind", "path"),
    [
        ("customer", "/v1/customers"), ("invoiceitem", "/v1/invoiceitems"), ("tax_rate", "/v1/tax_rates"),
        ("price", "/v1/prices"),
        ("checkout.session", "/v1/checkout/sessions"), ("issuing.card", "/v1/issuing/cards"), ("balance", ""),
        ("discount", ""),
        ("radar.early_fraud_warning", "/v1/radar/early_fraud_warnings"),
        ("treasury.transaction_entry", "/v1/treasury/transaction_entries"),
    ],
)  # fmt: skip
def test_where_objects_are(kind: str, path: str) -> None:
    assert stripe_objects.list_path(kind) == path
    assert stripe_objects.object_path(kind, "a b") == (f"{path}/a%20b" if path else "")


def test_what_lists_take_is_read_from_the_facts() -> None:
    assert stripe_objects.takes_created("/v1/charges")
    assert stripe_objects.takes_created("/v1/forwarding/requests")
    assert stripe_objects.takes_created("/v1/balance/history")
    assert not stripe_objects.takes_created("/v1/customers/cus_1/sources")
    assert not stripe_objects.takes_created("/v1/customers/cus_1/balance_transactions", PINNED_VERSION)
    assert stripe_objects.takes_created("/v1/customers/cus_1/balance_transactions", NEWEST_VERSION)
    lists = [
        path
        for (method, path), each in facts.data().endpoints.items()
        if method == "GET" and each.returns[:5] == "list["
    ]
    assert {path for path in lists if not stripe_objects.takes_limit(path)} == {
        "/v1/accounts/{}/capabilities",
        "/v1/reporting/report_types",
    }


def test_a_type_is_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in the table is seen by everything that asks it."""
    from stripe_magics.magics.help_pages import an_id
    from stripe_magics.sandbox.core.store import kind_of

    monkeypatch.setitem(OBJECTS, "teleport", ObjectType(prefixes=("tele",), page="teleports"))
    monkeypatch.setitem(stripe_objects._OWNERS, "tele", "teleport")
    assert kind_of("tele_1") == "teleport"
    assert an_id("teleport") == "tele_123"
    assert stripe_objects.owner("tele_1") == "teleport"
