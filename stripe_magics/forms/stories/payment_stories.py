"""Stories of money taken and given back: payments, charges, refunds, disputes."""

from __future__ import annotations

from collections.abc import Mapping

from stripe_magics.forms.stories.story import (
    PARTS,
    Action,
    Entry,
    Get,
    Json,
    Story,
    add_facts,
    card,
    day,
    money,
    one,
    person,
    query,
    rows,
)


def charge_entries(charge: Json) -> list[Entry]:
    amount = money(charge.get("amount"), charge.get("currency"))
    id, created = str(charge.get("id", "")), int(charge.get("created") or 0)
    paid_with = card(charge.get("payment_method_details"))
    if charge.get("status") == "failed":
        outcome = charge.get("outcome") or {}
        reason = (
            charge.get("failure_message")
            or outcome.get("seller_message")
            or charge.get("failure_code")
            or "declined"
        )
        return [Entry(created, f"{amount} with {paid_with} declined: {reason}", "failed", id)]
    words = (
        f"{amount} paid with {paid_with}" if charge.get("captured") else f"{amount} authorized on {paid_with}"
    )
    return [Entry(created, words, str(charge.get("status", "")), id)]


def _refund_entry(refund: Json) -> Entry:
    words = f"{money(refund.get('amount'), refund.get('currency'))} refunded"
    reason = str(refund.get("reason") or "").replace("_", " ")
    return Entry(
        int(refund.get("created") or 0),
        f"{words}{f': {reason}' if reason else ''}",
        str(refund.get("status", "")),
        str(refund.get("id", "")),
    )


def _dispute_entry(dispute: Json) -> Entry:
    due = (dispute.get("evidence_details") or {}).get("due_by")
    words = (
        f"{money(dispute.get('amount'), dispute.get('currency'))} disputed:"
        f" {str(dispute.get('reason', '')).replace('_', ' ')}"
    )
    words += (
        f", evidence is due by {day(due)}" if due and "needs_response" in str(dispute.get("status")) else ""
    )
    return Entry(
        int(dispute.get("created") or 0), words, str(dispute.get("status", "")), str(dispute.get("id", ""))
    )


def payment_intent(id: str, get: Get) -> Story:
    """A payment: its attempts with their declines, refunds, disputes."""
    intent = get(one("/v1/payment_intents", id, "customer", "latest_charge.balance_transaction"))
    currency, charge = intent.get("currency"), intent.get("latest_charge") or {}
    charge = charge if isinstance(charge, Mapping) else {}
    story = Story(
        "payment_intent",
        str(intent["id"]),
        money(intent.get("amount"), currency),
        str(intent.get("status", "")),
    )
    entry = charge.get("balance_transaction")
    add_facts(
        story,
        ("Customer", person(intent.get("customer"), str(intent.get("receipt_email") or ""))),
        ("Paid with", card(charge.get("payment_method_details"))),
        ("Description", intent.get("description")),
        ("Received", money(intent.get("amount_received"), currency)),
        ("Refunded", money(charge.get("amount_refunded") or None, currency)),
    )
    if isinstance(entry, Mapping):
        fee, net = (
            money(entry.get("fee"), entry.get("currency")),
            money(entry.get("net"), entry.get("currency")),
        )
        add_facts(story, ("Fee and net", f"{fee} fee, {net} net" if fee else ""))
    story.entries.append(Entry(int(intent.get("created") or 0), "Payment started", "", story.id))
    attempts = rows(get(query("/v1/charges", payment_intent=id, limit=PARTS)), story, "attempts")
    for each in attempts:
        story.entries += charge_entries(each)
    story.entries += [
        _refund_entry(each)
        for each in rows(get(query("/v1/refunds", payment_intent=id, limit=PARTS)), story, "refunds")
    ]
    if any(each.get("disputed") for each in attempts):
        found = get(query("/v1/disputes", payment_intent=id, limit=PARTS))
        story.entries += [_dispute_entry(each) for each in rows(found, story, "disputes")]
    if intent.get("canceled_at"):
        story.entries.append(Entry(int(intent["canceled_at"]), "Canceled", "canceled", story.id))
    left = (charge.get("amount_captured") or 0) - (charge.get("amount_refunded") or 0)
    if intent.get("status") == "succeeded" and left > 0:
        story.actions.append(Action("Refund", "refunds.create", {"payment_intent": story.id}))
    if intent.get("status") == "requires_capture":
        story.actions.append(Action("Capture", "payment_intents.capture", {"payment_intent": story.id}))
    if str(intent.get("status")).startswith("requires_"):
        story.actions.append(Action("Cancel", "payment_intents.cancel", {"payment_intent": story.id}))
    return story


def charge(id: str, get: Get) -> Story:
    """A charge tells the story of its payment; one without a payment intent its own."""
    found = get(one("/v1/charges", id, "customer", "balance_transaction"))
    if found.get("payment_intent"):
        return payment_intent(str(found["payment_intent"]), get)
    story = Story(
        "charge",
        str(found["id"]),
        money(found.get("amount"), found.get("currency")),
        str(found.get("status", "")),
    )
    add_facts(
        story,
        ("Customer", person(found.get("customer"))),
        ("Paid with", card(found.get("payment_method_details"))),
    )
    story.entries += charge_entries(found)
    story.entries += [
        _refund_entry(each)
        for each in rows(get(query("/v1/refunds", charge=id, limit=PARTS)), story, "refunds")
    ]
    if found.get("captured") and (found.get("amount_refunded") or 0) < (found.get("amount_captured") or 0):
        story.actions.append(Action("Refund", "refunds.create", {"charge": story.id}))
    return story


def refund(id: str, get: Get) -> Story:
    """A refund, with the payment that it gives back."""
    found = get(one("/v1/refunds", id, "charge.customer"))
    of = found.get("charge") if isinstance(found.get("charge"), Mapping) else {}
    story = Story(
        "refund",
        str(found["id"]),
        money(found.get("amount"), found.get("currency")),
        str(found.get("status", "")),
    )
    add_facts(
        story,
        ("Payment", found.get("payment_intent") or of.get("id")),
        ("Customer", person(of.get("customer"))),
        ("Reason", str(found.get("reason") or "").replace("_", " ")),
        ("Failure", str(found.get("failure_reason") or "").replace("_", " ")),
    )
    story.entries += [*(charge_entries(of) if of else []), _refund_entry(found)]
    if found.get("status") == "requires_action":
        story.actions.append(Action("Cancel", "refunds.cancel", {"refund": story.id}))
    return story


def dispute(id: str, get: Get) -> Story:
    """A dispute: what is asked, by when, and of which payment."""
    found = get(one("/v1/disputes", id, "charge.customer"))
    of = found.get("charge") if isinstance(found.get("charge"), Mapping) else {}
    details = found.get("evidence_details") or {}
    story = Story(
        "dispute",
        str(found["id"]),
        money(found.get("amount"), found.get("currency")),
        str(found.get("status", "")),
    )
    add_facts(
        story,
        ("Payment", found.get("payment_intent") or of.get("id")),
        ("Customer", person(of.get("customer"))),
        ("Reason", str(found.get("reason") or "").replace("_", " ")),
        ("Evidence due by", day(details["due_by"]) if details.get("due_by") else ""),
    )
    story.entries += [*(charge_entries(of) if of else []), _dispute_entry(found)]
    if "needs_response" in story.status:
        story.actions.append(Action("Send evidence", "disputes.update", {"dispute": story.id}))
    return story
