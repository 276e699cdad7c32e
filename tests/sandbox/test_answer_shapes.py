"""What is beside billing answers with the fields of its type, as both released `stripe` packages have them,
and with no other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from stripe_magics.catalogue.generated import objects
from stripe_magics.catalogue.versions import VERSIONS

from .conftest import Talk
from .silent_parameters import World

STILL_SENT = {
    "charge.destination",
    "charge.dispute",
    "charge.order",
    "charge.invoice",
    "payment_intent.invoice",
}
"""Fields of the older API that Stripe's types don't have and charges still show, here as there."""
BILLING = {"invoice", "price", "plan", "subscription"}


def strangers(data: Any, tree: Mapping[str, Any], types: Mapping[str, Any], where: str) -> Iterator[str]:
    """The fields that a type doesn't have, through all that is in them."""
    for name, value in data.items():
        of = tree.get(name)
        if of is None:
            if f"{where}.{name}" not in STILL_SENT:
                yield f"{where}.{name}"
        elif isinstance(value, dict) and value.get("object") == "list":
            for each in value["data"]:
                yield from strangers(each, types[each["object"]], types, each["object"])
        elif isinstance(value, dict) and value.get("object") in types and value["object"] not in BILLING:
            yield from strangers(value, types[value["object"]], types, value["object"])
        elif isinstance(value, dict) and isinstance(of, Mapping) and "@" not in of:
            yield from strangers(value, of, types, f"{where}.{name}")


@pytest.fixture(scope="module")
def world() -> tuple[Talk, dict[str, str]]:
    made = World.prepared()
    call = Talk(made.opened())
    now = call.transport.now
    call.intent(900, "pm_card_createIssuerFraudRecord")
    run = {
        "report_type": "balance.summary.1",
        "parameters[interval_start]": now - 86400,
        "parameters[interval_end]": now,
    }
    call("POST /v1/reporting/report_runs", run)
    token = call("POST /v1/test_helpers/confirmation_tokens", payment_method="pm_card_visa")["id"]
    return call, {**made.ids, "confirmation_token": token}


LISTS = (
    "accounts", "transfers", "application_fees", "topups", "balance_transactions", "charges", "refunds",
    "payouts", "disputes", "payment_intents",
    "reporting/report_runs", "reporting/report_types", "test_helpers/test_clocks", "reviews",
    "radar/early_fraud_warnings", "file_links", "files",
    "setup_intents", "webhook_endpoints",
)  # fmt: skip
ONES = (
    "accounts/{connected}", "accounts/{connected}/capabilities", "accounts/{other_connected}/persons",
    "transfers/{transfer}/reversals",
    "application_fees/{application_fee}/refunds", "customers/{customer}/sources",
    "customers/{customer}/payment_methods", "sources/{source}",
    "tokens/{bank_token}", "confirmation_tokens/{confirmation_token}", "account", "balance",
)  # fmt: skip


@pytest.mark.parametrize("version", VERSIONS)
def test_no_answer_has_a_field_of_its_own(world: tuple[Talk, dict[str, str]], version: str) -> None:
    call, ids = world
    types, seen = objects.facts(version), set()
    for path in (*LISTS, *ONES):
        answer = call.raw(f"GET /v1/{path.format(**ids)}", headers={"Stripe-Version": version})
        assert answer.status_code == 200, answer.text
        body = answer.json()
        for each in body["data"] if body["object"] == "list" else [body]:
            seen.add(each["object"])
            assert sorted(set(strangers(each, types[each["object"]], types, each["object"]))) == [], path
    assert {
        "account",
        "capability",
        "person",
        "transfer",
        "application_fee",
        "fee_refund",
        "topup",
        "review",
        "token",
        "source",
    } <= seen
