"""One Stripe-Version a connection; a parameter that only a newer one knows lifts that call, and says so."""

from __future__ import annotations

from typing import Any

import pytest
from each_row import each_row

import stripe_magics as sm
from stripe_magics.catalogue.versions import NEWEST_VERSION, PINNED_VERSION
from stripe_magics.client import shared_connection
from stripe_magics.errors import InvalidValue
from stripe_magics.request import Request


def dry(name: str, /, **values: Any) -> Request:
    return sm.call(name, dry_run=True, **values)


def version_of(request: Request) -> str:
    return dict(request.headers)["Stripe-Version"]


@each_row(
    ("name", "values"),
    [
        ("customers.create", {"name": "Jenny"}),
        ("promotion_codes.create", {"coupon": "c1"}),
        ("subscriptions.create", {"customer": "cus_1", "items": [{"price": "price_1"}]}),
        ("prices.list", {}),
        ("invoices.upcoming", {"customer": "cus_1"}),
        ("api.call", {"url": "/v1/events"}),
    ],
)
def test_every_call_goes_out_with_the_pinned_version(name: str, values: dict[str, Any]) -> None:
    request = dry(name, **values)
    assert version_of(request) == PINNED_VERSION
    assert f"Stripe-Version: {PINNED_VERSION}" in repr(request)
    assert f"-H 'Stripe-Version: {PINNED_VERSION}'" in request.curl()
    assert not request.warnings


@each_row(
    ("name", "values", "by"),
    [
        ("promotion_codes.create", {"promotion": {"type": "coupon", "coupon": "c1"}}, "promotion[type]"),
        ("promotion_codes.create", {"promotion_type": "coupon", "promotion_coupon": "c1"},
            "--promotion-type"),
        ("subscriptions.create", {"customer": "cus_1", "billing_mode": {"type": "flexible"}},
            "billing_mode[type]"),
        ("subscriptions.create", {"customer_account": "acct_1"}, "--customer-account"),
        ("checkout.sessions.create", {"line_items": '[{"metadata": {"a": "b"}}]'},
            "line_items[0][metadata][a]"),
        ("invoice_payments.list", {}, "invoice_payments.list"),
    ],
)  # fmt: skip
def test_what_only_the_newest_knows_lifts_the_call(name: str, values: dict[str, Any], by: str) -> None:
    request = dry(name, **values)
    assert version_of(request) == NEWEST_VERSION
    (note,) = (each for each in request.warnings if NEWEST_VERSION in each)
    assert note.startswith(f"{by}: API version {PINNED_VERSION} doesn't know it")


def test_stripes_own_parameter_lifts_a_documented_module() -> None:
    command = sm.pipeline.command("invoices.create", customer="cus_1")
    command.params.append(("customer_account", "acct_1"))
    assert version_of(sm.pipeline.prepare(command)) == NEWEST_VERSION


def test_what_the_version_requires_is_demanded() -> None:
    with pytest.raises(InvalidValue, match="coupon is missing"):
        dry("promotion_codes.create")
    with pytest.raises(InvalidValue, match=r"promotion_type is missing"):
        dry("promotion_codes.create", stripe_version=NEWEST_VERSION)


@each_row(
    ("name", "values", "version", "names"),
    [
        ("promotion_codes.create", {"coupon": "c1", "promotion_type": "coupon"}, NEWEST_VERSION, "coupon"),
        ("promotion_codes.create", {"coupon": "c1", "promotion_type": "coupon"}, PINNED_VERSION, "promotion"),
        ("subscriptions.create", {"customer": "cus_1", "billing_mode": {"type": "flexible"}}, PINNED_VERSION,
            "billing_mode_type"),
        ("invoice_payments.list", {}, PINNED_VERSION, "invoice_payments"),
        ("invoices.upcoming", {}, NEWEST_VERSION, "invoices/upcoming"),
    ],
)  # fmt: skip
def test_a_version_that_is_named_is_obeyed(
    name: str, values: dict[str, Any], version: str, names: str
) -> None:
    """What it doesn't know is refused, with the version that does."""
    other = NEWEST_VERSION if version == PINNED_VERSION else PINNED_VERSION
    with pytest.raises(InvalidValue) as caught:
        dry(name, stripe_version=version, **values)
    assert names in str(caught.value)
    assert other in str(caught.value)


def test_a_value_of_another_version_is_sent_as_it_stands() -> None:
    """A choice isn't a parameter: Stripe is the judge, and a note says whose value it is."""
    request = dry("checkout.sessions.create", ui_mode="hosted_page")
    assert ("ui_mode", "hosted_page") in request.params
    assert version_of(request) == PINNED_VERSION
    assert any("hosted_page" in each and PINNED_VERSION in each for each in request.warnings)
    with pytest.raises(InvalidValue, match="did you mean hosted"):
        dry("checkout.sessions.create", ui_mode="hostedd")


def test_between_two_described_versions_what_either_knows_passes() -> None:
    request = dry(
        "promotion_codes.create",
        stripe_version="2025-09-30.clover",
        promotion_type="coupon",
        promotion_coupon="c",
    )
    assert version_of(request) == "2025-09-30.clover"
    assert dry("promotion_codes.create", stripe_version="2025-09-30.clover", coupon="c").params == (
        ("coupon", "c"),
    )


def test_a_structure_counts_for_the_parameter_that_is_text_or_object() -> None:
    request = dry(
        "external_accounts.create",
        account="acct_1",
        external_account={"object": "bank_account", "country": "DE"},
    )
    assert ("external_account[object]", "bank_account") in request.params


def test_a_lifted_call_goes_through_the_whole_pipeline() -> None:
    """Over the sandbox: the frame says which version answered, and why."""
    sm.connect(sandbox=True)
    try:
        coupon = sm.call("coupons.create", percent_off=10, duration="once")["id"][0]
        usual = sm.call("promotion_codes.create", coupon=coupon)
        lifted = sm.call("promotion_codes.create", promotion={"type": "coupon", "coupon": coupon})
    finally:
        shared_connection.close()
    assert usual.attrs["stripe"]["api_version"] == PINNED_VERSION
    assert lifted.attrs["stripe"]["api_version"] == NEWEST_VERSION
    assert any(PINNED_VERSION in note and NEWEST_VERSION in note for note in lifted.attrs["stripe"]["notes"])
