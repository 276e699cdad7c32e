"""The demo firm's customers with their payment methods, discounts and subscriptions."""

from __future__ import annotations

from stripe_magics.sandbox.core.store import Object
from stripe_magics.sandbox.demo_data.records import COUPONS, DAY, SEGMENTS, Client
from stripe_magics.sandbox.demo_data.static_objects import address_of, card_for, on_charge, raw
from stripe_magics.sandbox.demo_data.writer import Books, Person
from stripe_magics.sandbox.resources.payment_methods.method_creation import billing

KNOWN = {0: "Northwind", 1: "JennyRosen"}  # customers with readable ids


def person(books: Books, client: Client) -> Person:
    """The customer's payment method and what its other objects repeat; the customer itself is written at the
    end."""
    known = KNOWN.get(client.number)
    identifier = f"cus_demo{known}" if known else books.new("cus", 14)
    kind, details = card_for(books.account, client)
    shown_address = address_of(client)
    who = billing({"address": shown_address, "email": client.email, "name": client.person, "phone": None})
    method = {
        **books.blank_method, "id": f"pm_demo{known}" if known else books.new("pm"),
        "billing_details": raw(who), kind: details,
        "created": client.joined - 200, "customer": identifier, "type": kind,
    }  # fmt: skip
    made = Person(
        client=client, id=identifier, method=method["id"], kind=kind,
        type="py" if kind == "sepa_debit" else "ch",
        name=client.person if client.number == 1 else client.company,
        prefix=f"{client.number:03d}{books.new.next(5).upper()}", address=raw(shown_address),
        billing=method["billing_details"], shown=on_charge({kind: details, "type": kind}),
        method_text=raw(method),
        subscription=f"sub_demo{known}" if known else books.new("sub"),
    )  # fmt: skip
    if client.coupon:
        months = COUPONS[client.coupon][2]
        made.discount = {
            "id": books.new("di"), "object": "discount", "checkout_session": None,
            "coupon": books.coupons[client.coupon], "customer": identifier,
            "end": client.joined + months * 2_629_800 if months else None, "invoice": None,
            "invoice_item": None, "promotion_code": None, "start": client.joined,
            "subscription": made.subscription, "subscription_item": None,
        }  # fmt: skip
        books.account.insert("discount", made.discount)
    books.account.insert("payment_method", method)
    return made


def customer(books: Books, person: Person) -> None:
    """The customer as it is now."""
    client = person.client
    made = {
        **books.blank_customer, "id": person.id, "address": person.address, "created": client.joined - 300,
        "currency": client.currency, "delinquent": person.standing[1],
        "description": f"{client.company}, {SEGMENTS[person.plan]}", "email": client.email,
        "invoice_prefix": person.prefix,
        "invoice_settings": {"custom_fields": None, "default_payment_method": person.method, "footer": None,
            "rendering_options": None},
        "metadata": {"segment": SEGMENTS[person.plan], "plan": person.plan, "channel": client.channel,
            "country": client.country},
        "name": person.name, "next_invoice_sequence": person.sequence,
        "phone": f"+1555{client.number:07d}",
        "preferred_locales": [{"DE": "de", "AT": "de", "FR": "fr", "ES": "es"}.get(client.country, "en")],
    }  # fmt: skip
    books.account.insert("customer", made)
    early = {**made, "next_invoice_sequence": 1, "delinquent": False}
    books.event("customer.created", client.joined - 300, early)
    if made["delinquent"]:
        books.late_event("customer.updated", person.standing[0], made, {"delinquent": False})
    books.event(
        "payment_method.attached",
        client.joined - 200,
        books.account.peek("payment_method", person.method) or {},
    )


def subscription(books: Books, person: Person) -> None:
    """The customer's subscription as it is now."""
    client, now = person.client, books.now
    gone = 0 < client.ended <= now
    leaving = not gone and client.reason == "cancellation_requested" and client.ended > now
    asked = client.ended - (client.number % 19 + 2) * DAY if gone else now - (client.number % 9 + 1) * DAY
    if client.reason == "payment_failed":
        asked = client.ended
    items = [_item(books, person, plan, own, quantity) for plan, (own, quantity) in person.buys.items()]
    status = "canceled" if gone else "past_due" if person.past_due else "active"
    made = {
        "id": person.subscription, "object": "subscription", "application": None,
        "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": client.joined,
        "billing_cycle_anchor_config": None, "billing_thresholds": None,
        "cancel_at": person.period[1] if leaving else None,
        "cancel_at_period_end": leaving, "canceled_at": asked if gone or leaving else None,
        "cancellation_details": {"comment": None, "feedback": None,
            "reason": client.reason if gone or leaving else None},
        "collection_method": "send_invoice" if client.pays == "invoice" else "charge_automatically",
        "created": client.joined, "currency": client.currency, "current_period_end": person.period[1],
        "current_period_start": person.period[0], "customer": person.id,
        "days_until_due": client.terms if client.pays == "invoice" else None,
        "default_payment_method": person.method, "default_source": None,
        "default_tax_rates": books.rate_text.get(client.currency, []), "description": None,
        "discount": person.discount, "discounts": [person.discount["id"]] if person.discount else [],
        "ended_at": client.ended if gone else None,
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "items": {
            "object": "list", "data": items, "has_more": False, "total_count": len(items),
            "url": f"/v1/subscription_items?subscription={person.subscription}",
        },
        "latest_invoice": person.latest_invoice, "livemode": False, "metadata": {"plan": person.plan},
        "next_pending_invoice_item_invoice": None, "on_behalf_of": None, "pause_collection": None,
        "payment_settings": {"payment_method_options": None, "payment_method_types": None,
            "save_default_payment_method": "off"},
        "pending_invoice_item_interval": None, "pending_setup_intent": None, "pending_update": None,
        "plan": items[0]["plan"] if len(items) == 1 else None,
        "quantity": items[0]["quantity"] if len(items) == 1 else None, "schedule": None,
        "start_date": client.joined, "status": status, "test_clock": None, "transfer_data": None,
        "trial_end": None,
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}}, "trial_start": None,
    }  # fmt: skip
    books.account.insert("subscription", made)
    for item in items:
        books.account.insert("subscription_item", item)
    books.event("customer.subscription.created", client.joined, {**made, "status": "active"})
    if status == "past_due":
        books.late_event("customer.subscription.updated", person.past_due, made, {"status": "active"})
    if gone:
        books.event("customer.subscription.deleted", client.ended, made)


def _item(books: Books, person: Person, plan: str, own: str, quantity: int) -> Object:
    return {
        "id": item_id(books, person, plan), "object": "subscription_item", "billing_thresholds": None,
        "created": person.client.joined, "discounts": [],
        "metadata": {}, "plan": books.plan_text[own], "price": books.price_text[own], "quantity": quantity,
        "subscription": person.subscription, "tax_rates": [],
    }  # fmt: skip


def item_id(books: Books, person: Person, plan: str) -> str:
    """The subscription item of a plan; whichever plan it is, it stays the same item."""
    part = "seat" if plan == "seat" else "plan"
    if part not in person.items:
        person.items[part] = books.new("si", 14)
    return person.items[part]
