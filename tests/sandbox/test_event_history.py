"""The events of the demo account as one history of each object: what an event shows is what the object was at
that moment, what it says that changed did change, and the last one shows the object as it is."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

from stripe_magics.sandbox import SandboxTransport
from stripe_magics.sandbox.core.events import changed
from stripe_magics.sandbox.core.store import Account

from .conftest import DAY

CREATED = {
    "checkout.session.created": {"open"},
    "charge.dispute.created": {"needs_response", "warning_needs_response"},
    "customer.subscription.created": {"incomplete", "trialing", "active"}, "invoice.created": {"draft"},
    "payment_intent.created": {"requires_payment_method", "requires_confirmation"},
    "payout.created": {"pending", "in_transit"}, "quote.created": {"draft"},
    "refund.created": {"pending", "succeeded"}, "setup_intent.created": {"requires_confirmation"},
    "subscription_schedule.created": {"active", "not_started"}, "charge.succeeded": {"succeeded"},
    "charge.failed": {"failed"}, "invoice.finalized": {"open", "paid"}, "invoice.paid": {"paid"},
    "invoice.payment_succeeded": {"paid"}, "invoice.payment_failed": {"open"}, "invoice.voided": {"void"},
    "invoice.marked_uncollectible": {"uncollectible"}, "payment_intent.succeeded": {"succeeded"},
    "payment_intent.payment_failed": {"requires_payment_method"}, "payout.paid": {"paid"},
    "payment_intent.requires_action": {"requires_action"}, "payment_intent.canceled": {"canceled"},
    "customer.subscription.deleted": {"canceled", "incomplete_expired"},
}  # fmt: skip
"""What an object's status can be when this happens."""
SILENT = {
    "customer": {"currency", "next_invoice_sequence"},
    "invoiceitem": {"invoice"},  # there is no event of their updates
    "balance": {"available", "pending"},
}
"""What changes without an event of its own. Of intents, whatever changed: they have no `updated`."""
WITHOUT_UPDATES = {"payment_intent", "setup_intent"}


def histories(account: Account) -> dict[tuple[str, str], list[dict[str, Any]]]:
    found: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for each in account.each("event"):
        subject = each["data"]["object"]
        if "id" in subject:
            found[subject["object"], subject["id"]].append(each)
    return found


def before(event: dict[str, Any]) -> dict[str, Any]:
    """The object as it was before an update, as far as the event says it."""
    subject, former = event["data"]["object"], event["data"]["previous_attributes"]
    return {
        name: {**value, **former[name]}
        if isinstance(former.get(name), dict) and isinstance(value, dict)
        else former.get(name, value)
        for name, value in subject.items()
    }


def faults(account: Account) -> list[str]:
    found = []
    for (kind, identifier), events in histories(account).items():
        silent = SILENT.get(kind, set())
        for number, each in enumerate(events):
            subject, name = each["data"]["object"], each["type"]
            where = f"{each['id']} {name} {identifier}"
            if name in CREATED and subject["status"] not in CREATED[name]:
                found.append(f"{where}: status {subject['status']}")
            former = each["data"].get("previous_attributes")
            if name.endswith(".updated") and not former:
                found.append(f"{where}: says nothing that changed")
            for key, value in (former or {}).items():
                if key not in subject or subject[key] == value:
                    found.append(f"{where}: {key} didn't change")
            if former and number and name.endswith(".updated"):
                last = events[number - 1]["data"]["object"]
                differs = {key for key, value in changed(last, before(each)).items() if value != {}} - silent
                if differs and kind not in WITHOUT_UPDATES:
                    found.append(f"{where}: before it {sorted(differs)} differed")
        table = account.tables.get(kind)
        row = table.by_id.get(identifier) if table else None
        if row is not None and kind not in WITHOUT_UPDATES:
            differs = set(changed(events[-1]["data"]["object"], row.value)) - silent
            if differs:
                found.append(f"{identifier}: {sorted(differs)} changed after {events[-1]['type']}")
    return found


def test_the_demo_accounts_events_are_its_history() -> None:
    account = SandboxTransport().account
    assert len(histories(account)) > 900
    assert faults(account) == []


@pytest.mark.parametrize("days", [40])
def test_what_happens_then_is_history_too(days: int) -> None:
    sandbox = SandboxTransport()
    for _ in range(days // 10):
        sandbox.advance(10 * DAY)
    assert faults(sandbox.account) == []
