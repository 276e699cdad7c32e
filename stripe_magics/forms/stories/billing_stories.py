"""Stories of who is billed for what: customers, invoices, subscriptions; and of payouts."""

from __future__ import annotations

from collections.abc import Mapping

from stripe_magics.forms.stories.payment_stories import charge_entries
from stripe_magics.forms.stories.story import (
    PARTS,
    Action,
    Entry,
    Get,
    Json,
    Story,
    add_facts,
    day,
    money,
    one,
    person,
    query,
    rows,
)


def customer(id: str, get: Get) -> Story:
    """A customer: payments, invoices and subscriptions, newest first."""
    found = get(one("/v1/customers", id))
    story = Story("customer", str(found["id"]), str(found.get("name") or found.get("email") or found["id"]))
    if found.get("deleted"):
        story.status = "deleted"
        return story
    story.status = "delinquent" if found.get("delinquent") else ""
    balance = found.get("balance") or 0
    add_facts(
        story,
        ("E-mail", found.get("email")),
        ("Phone", found.get("phone")),
        ("Description", found.get("description")),
        ("Since", day(found["created"])),
        (
            "Credit" if balance < 0 else "Owes on the next invoice",
            money(abs(balance) or None, found.get("currency")),
        ),
    )
    paid = rows(
        get(query("/v1/payment_intents", ["data.latest_charge"], customer=id, limit=PARTS)), story, "payments"
    )
    for each in paid:
        last = each.get("latest_charge")
        entry = (charge_entries(last) if isinstance(last, Mapping) else []) or [
            Entry(
                int(each.get("created") or 0),
                f"{money(each.get('amount'), each.get('currency'))} not paid",
                str(each.get("status", "")),
            )
        ]
        story.entries.append(
            Entry(entry[0].time, entry[0].text, str(each.get("status", "")), str(each.get("id", "")))
        )
    story.entries += [
        _invoice_entry(each)
        for each in rows(get(query("/v1/invoices", customer=id, limit=PARTS)), story, "invoices")
    ]
    plans = get(query("/v1/subscriptions", customer=id, status="all", limit=PARTS))
    story.entries += [_subscription_entry(each) for each in rows(plans, story, "subscriptions")]
    story.entries.append(Entry(int(found["created"]), "Became a customer"))
    refundable = next((each for each in paid if each.get("status") == "succeeded"), None)
    if refundable is not None:
        story.actions.append(
            Action("Refund the last payment", "refunds.create", {"payment_intent": refundable["id"]})
        )
    story.actions += [
        Action("Edit", "customers.update", {"customer": story.id}),
        Action("New invoice", "invoices.create", {"customer": story.id}),
    ]
    return story


def _invoice_entry(invoice: Json) -> Entry:
    number, total = invoice.get("number") or "draft", money(invoice.get("total"), invoice.get("currency"))
    due = (
        f", due {day(invoice['due_date'])}"
        if invoice.get("due_date") and invoice.get("status") == "open"
        else ""
    )
    return Entry(
        int(invoice.get("created") or 0),
        f"Invoice {number} over {total}{due}",
        str(invoice.get("status", "")),
        str(invoice.get("id", "")),
    )


def _subscription_entry(subscription: Json) -> Entry:
    items = (subscription.get("items") or {}).get("data") or []
    price = (items[0].get("price") or {}) if items else {}
    every = (price.get("recurring") or {}).get("interval") or ""
    words = (
        f"Subscription of {money(price.get('unit_amount'), price.get('currency'))} a {every}"
        if price.get("unit_amount") and every
        else "Subscription"
    )
    return Entry(
        int(subscription.get("created") or 0),
        words,
        str(subscription.get("status", "")),
        str(subscription.get("id", "")),
    )


def invoice(id: str, get: Get) -> Story:
    """An invoice: its lines, when it was finalized, sent, paid or voided, and what is still owed."""
    found = get(one("/v1/invoices", id, "customer"))
    currency = found.get("currency")
    story = Story(
        "invoice",
        str(found["id"]),
        f"{found.get('number') or 'Draft'}: {money(found.get('total'), currency)}",
        str(found.get("status", "")),
    )
    add_facts(
        story,
        ("Customer", person(found.get("customer"))),
        ("Still owed", money(found.get("amount_remaining") or None, currency)),
        ("Due", day(found["due_date"]) if found.get("due_date") else ""),
        ("Attempts", found.get("attempt_count")),
    )
    lines = found.get("lines") or {}
    for each in lines.get("data", []):
        add_facts(story, ("Line", f"{each.get('description') or ''}: {money(each.get('amount'), currency)}"))
    if lines.get("has_more"):
        story.notes.append("Only the first lines are shown.")
    story.entries.append(Entry(int(found.get("created") or 0), "Created", "", story.id))
    moments = found.get("status_transitions") or {}
    for name, words in (
        ("finalized_at", "Finalized"),
        ("paid_at", "Paid"),
        ("voided_at", "Voided"),
        ("marked_uncollectible_at", "Written off"),
    ):
        if moments.get(name):
            story.entries.append(Entry(int(moments[name]), words, "", story.id))
    payment = _payment_of(found, get, story)
    if payment:
        attempts = rows(get(query("/v1/charges", payment_intent=payment, limit=PARTS)), story, "attempts")
        for each in attempts:
            story.entries += charge_entries(each)
        if found.get("status") == "paid":
            story.actions.append(Action("Refund", "refunds.create", {"payment_intent": payment}))
    story.actions += [
        Action(label, module, {"invoice": story.id})
        for label, module in INVOICE_ACTIONS.get(str(found.get("status")), ())
    ]
    return story


def _payment_of(found: Json, get: Get, story: Story) -> str:
    """The payment intent of an invoice: its own field, or, in the newer shape, that of its (last) invoice
    payment."""
    if "payment_intent" in found:
        return str(found["payment_intent"] or "")
    payments = rows(get(query("/v1/invoice_payments", invoice=story.id, limit=PARTS)), story, "payments")
    named = [(each.get("payment") or {}).get("payment_intent") for each in payments]
    intents = [str(each) for each in named if each]
    if len(intents) > 1:
        story.notes.append(f"It has {len(intents)} payments; the attempts of the last one are shown.")
    return intents[0] if intents else ""


INVOICE_ACTIONS: dict[str, tuple[tuple[str, str], ...]] = {
    "draft": (("Finalize", "invoices.finalize"), ("Delete", "invoices.delete")),
    "open": (("Send invoice", "invoices.send_invoice"), ("Void", "invoices.void")),
}
"""What can be done with an invoice in that state."""


def subscription(id: str, get: Get) -> Story:
    """A subscription: its price, its period, and its invoices."""
    found = get(one("/v1/subscriptions", id, "customer"))
    entry = _subscription_entry(found)
    story = Story("subscription", str(found["id"]), entry.text, str(found.get("status", "")))
    items = (found.get("items") or {}).get("data") or [{}]
    end = found.get("current_period_end") or items[0].get("current_period_end")
    add_facts(
        story,
        ("Customer", person(found.get("customer"))),
        ("Paid until" if found.get("status") == "active" else "Period ends", day(end) if end else ""),
        ("Ends", day(found["cancel_at"]) if found.get("cancel_at") else ""),
    )
    story.entries.append(Entry(entry.time, "Started", "", story.id))
    story.entries += [
        _invoice_entry(each)
        for each in rows(get(query("/v1/invoices", subscription=id, limit=PARTS)), story, "invoices")
    ]
    if found.get("canceled_at"):
        story.entries.append(Entry(int(found["canceled_at"]), "Canceled", "canceled", story.id))
    elif found.get("status") not in {"canceled", "incomplete_expired"}:
        story.actions.append(Action("Cancel", "subscriptions.cancel", {"subscription": story.id}))
    return story


def payout(id: str, get: Get) -> Story:
    """A payout: when it arrives, or why it failed."""
    found = get(one("/v1/payouts", id))
    story = Story(
        "payout",
        str(found["id"]),
        money(found.get("amount"), found.get("currency")),
        str(found.get("status", "")),
    )
    add_facts(
        story,
        (
            "Arrives" if found.get("status") in {"pending", "in_transit"} else "Arrival",
            day(found["arrival_date"]),
        ),
        ("Failure", found.get("failure_message") or str(found.get("failure_code") or "").replace("_", " ")),
        ("Method", found.get("method")),
    )
    story.entries.append(Entry(int(found.get("created") or 0), "Sent to the bank", "", story.id))
    if found.get("automatic"):
        moved = rows(get(query("/v1/balance_transactions", payout=id, limit=PARTS)), story, "movements")
        story.entries += [
            Entry(
                int(each["created"]),
                f"{str(each.get('type', '')).replace('_', ' ')} of"
                f" {money(each.get('amount'), each.get('currency'))}",
                "",
                str(each.get("source") or each["id"]),
            )
            for each in moved
            if each.get("type") != "payout"
        ]
    if found.get("status") == "pending":
        story.actions.append(Action("Cancel", "payouts.cancel", {"payout": story.id}))
    if found.get("status") == "failed":  # the money is back in the balance
        again = {"amount": found.get("amount"), "currency": found.get("currency")}
        story.actions.append(Action("Pay out again", "payouts.create", again))
    return story
