"""Answers have the fields of their type, as both released `stripe` packages have them, and no other: what is
read by its paths, and all that an account and the demo firm hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from stripe_magics.catalogue.generated import objects
from stripe_magics.catalogue.versions import NEWEST_VERSION, PINNED_VERSION, VERSIONS
from stripe_magics.sandbox import SandboxTransport
from stripe_magics.sandbox.api.dispatcher import written
from stripe_magics.sandbox.api.expand import INCLUDED, _expandable
from stripe_magics.sandbox.api.newer_fields import ABSENT
from stripe_magics.sandbox.core.store import Account, decode

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


def kind_in(value: dict[str, Any], types: Mapping[str, Any]) -> bool:
    """Whether it is an object of a type (an event's data is none: its `object` is the object)."""
    return isinstance(value.get("object"), str) and value["object"] in types


def strangers(data: Any, tree: Mapping[str, Any], types: Mapping[str, Any], where: str) -> Iterator[str]:
    """The fields that a type doesn't have, through all that is in them."""
    for name, value in data.items():
        of = tree.get(name)
        if of is None and data.get("type") != name:  # a variant by its type: the facts have the general ones
            if f"{where}.{name}" not in STILL_SENT:
                yield f"{where}.{name}"
        elif isinstance(value, dict) and value.get("object") == "list":
            for each in value["data"]:
                yield from strangers(each, types[each["object"]], types, each["object"])
        elif isinstance(value, dict) and kind_in(value, types) and value["object"] not in BILLING:
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
    "payouts", "disputes", "payment_intents", "reporting/report_runs", "reporting/report_types",
    "test_helpers/test_clocks", "reviews", "radar/early_fraud_warnings", "file_links", "files",
    "setup_intents", "webhook_endpoints",
)  # fmt: skip
ONES = (
    "accounts/{connected}", "accounts/{connected}/capabilities", "accounts/{other_connected}/persons",
    "transfers/{transfer}/reversals", "application_fees/{application_fee}/refunds",
    "customers/{customer}/sources", "customers/{customer}/payment_methods", "sources/{source}",
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


# all that is held


OLDER_FIELDS = {
    "subscription.plan": "of one item, as the older API has it",
    "subscription.quantity": "of one item, as the older API has it",
}
LEFT_OUT = {
    "account.capabilities": "those that were asked for", "account.company": "of companies",
    "account.individual": "of persons", "account.groups": "where one was given",
    "bank_account.account": "a customer's", "bank_account.customer": "an account's",
    "card.account": "a customer's", "card.customer": "an account's",
    "charge.transfer": "of what was passed on", "charge.level3": "of what was given",
    "charge.authorization_code": "only some networks say it",
    "event.account": "events of connected accounts", "event.context": "only of newer accounts",
    "invoice.automatically_finalizes_at": "while it waits", "invoice.threshold_reason": "where one was met",
    "invoice.subscription_proration_date": "of one preview", "invoiceitem.subscription_item": "of an item",
    "payment_method.radar_options": "where they were given", "payment_method.card": "of its type",
    "dispute.network_reason_code": "only some networks say it", "refund.failure_reason": "of failed ones",
    "refund.failure_balance_transaction": "of failed ones", "refund.next_action": "of those that need one",
    "refund.instructions_email": "where one was given", "refund.description": "where one was given",
    "checkout.session.subscription": "of that mode", "subscription_item.quantity": "not of usage",
    "source.three_d_secure": "of its type", "source.sepa_credit_transfer": "of its type",
    "token.card": "of its type", "token.bank_account": "of its type", "webhook_endpoint.secret": "once",
}  # fmt: skip
"""Fields that an answer may lack, each with the reason."""
OLD_CARDS = {"allow_redisplay", "available_payout_methods", "currency", "default_for_currency", "description",
    "iin", "issuer", "networks", "status", "account"}  # fmt: skip
"""Fields of a card that stands for an account's own, or that few may see."""
METHODS = "payment_method_configuration"
"""Its type's methods are one variant each, and the facts have the general ones only."""


def on_demand(kind: str, name: str, of: Any) -> bool:
    """Whether a list or a part of an object is shown where it is expanded only."""
    return of not in ("ref", "text") and expandable(kind, name)


def expandable(kind: str, name: str) -> bool:
    return name in _expandable().get(kind, ()) or (kind, name) in INCLUDED


def held(account: Account, most: int) -> Iterator[tuple[Account, dict[str, Any]]]:
    """Objects of each kind, from the oldest to the newest, and of each status."""
    for member in account.family.accounts():
        for table in member.tables.values():
            rows = table.ordered()
            step = max(1, len(rows) // most)
            seen: set[Any] = set()
            for place, row in enumerate(rows):
                status = (row.value.get("status"), row.value.get("type")) if place % 7 == 0 else None
                if place % step == 0 or (status and status not in seen):
                    seen.add(status)
                    yield member, row.value


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("firm", ["one of each", "the demo"])
def test_what_is_held_has_the_shape_of_its_version(
    world: tuple[Talk, dict[str, str]], firm: str, version: str
) -> None:
    account = (world[0].transport if firm == "one of each" else SandboxTransport()).account
    types, unknown, missing = objects.facts(version), set(), set()
    for member, value in held(account, 40):
        answer = decode(written(member, value, [], version))
        kind = answer["object"]
        if kind == METHODS:
            continue
        if kind == "event":  # what happened keeps the shape of the event's version
            happened, past = answer["data"].pop("object"), objects.facts(answer["api_version"])
            about = happened["object"]
            if about != METHODS:
                unknown |= set(strangers(happened, past[about], past, about)) - OLDER_FIELDS.keys()
        unknown |= set(strangers(answer, types[kind], types, kind)) - OLDER_FIELDS.keys()
        variants = set(types[kind].get("type") or ()) if isinstance(types[kind].get("type"), list) else set()
        missing |= {
            f"{kind}.{name}"
            for name in types[kind].keys() - answer.keys() - variants
            if not on_demand(kind, name, types[kind][name])
        }
    absent = {each for each in missing if each.rpartition(".")[2] in ABSENT}
    cards = {f"card.{each}" for each in OLD_CARDS}
    assert sorted(unknown) == []
    assert sorted(missing - absent - cards - LEFT_OUT.keys()) == []


def test_fields_of_the_newer_version_are_answered_by_it_alone(world: tuple[Talk, dict[str, str]]) -> None:
    call, ids = world
    for path, names in [
        (f"payment_intents/{ids['intent']}", {"customer_account", "excluded_payment_method_types"}),
        (f"setup_intents/{ids['setup_intent']}", {"customer_account", "managed_payments"}),
        (f"checkout/sessions/{ids['session']}", {"origin_context", "wallet_options", "optional_items"}),
        (f"payment_methods/{ids['payment_method']}", {"customer_account"}),
        (f"refunds/{ids['refund']}", {"pending_reason"}),
        (f"subscriptions/{ids['subscription']}", {"status_details", "managed_payments", "billing_mode"}),
    ]:
        older, newer = (
            call.raw(f"GET /v1/{path}", headers={"Stripe-Version": each}).json()
            for each in (PINNED_VERSION, NEWEST_VERSION)
        )
        assert names <= newer.keys() - older.keys(), path
    taxed = call("POST /v1/invoices", {"customer": ids["customer"], "automatic_tax[enabled]": True})["id"]
    read = call.raw(f"GET /v1/invoices/{taxed}", headers={"Stripe-Version": NEWEST_VERSION}).json()
    assert read["automatic_tax"]["provider"] == "stripe"
