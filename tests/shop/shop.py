"""The shop: it sells, subscribes, gives back, answers disputes, and learns from webhooks what was paid. It
knows nothing of the sandbox."""

from __future__ import annotations

from typing import Any

import stripe


class Shop:
    """Its orders by checkout session, and what its webhooks reported."""

    def __init__(self, client: stripe.StripeClient, webhook_secret: str = "") -> None:
        self.client, self.webhook_secret = client, webhook_secret
        self.paid: dict[str, str] = {}  # order -> payment intent
        self.members: dict[str, str] = {}  # customer -> status of the subscription
        self.handled: set[str] = set()

    def sell(self, order: str, name: str, amount: int, quantity: int = 1) -> Any:
        """A page where the customer pays an order."""
        line = {
            "price_data": {"currency": "usd", "unit_amount": amount, "product_data": {"name": name}},
            "quantity": quantity,
        }
        return self.client.v1.checkout.sessions.create(
            {
                "mode": "payment", "line_items": [line], "client_reference_id": order,
                "success_url": "https://shop.example/thanks",
                "payment_intent_data": {"metadata": {"order": order}},
            },
            {"idempotency_key": f"order-{order}"},
        )  # fmt: skip

    def subscribe(self, email: str, price: str) -> Any:
        """A member, billed every month, with the card that is at hand."""
        customer = self.client.v1.customers.create({"email": email})
        method = self.client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
        self.client.v1.customers.update(
            customer.id, {"invoice_settings": {"default_payment_method": method.id}}
        )
        return self.client.v1.subscriptions.create(
            {"customer": customer.id, "items": [{"price": price}], "expand": ["latest_invoice"]}
        )

    def refund(self, order: str, amount: int | None = None) -> Any:
        """All of an order's money back, or a part."""
        return self.client.v1.refunds.create(
            {
                "payment_intent": self.paid[order],
                "reason": "requested_by_customer",
                **({"amount": amount} if amount else {}),
            }
        )

    def defend(self, dispute: str, evidence: str) -> Any:
        """Answer a dispute."""
        return self.client.v1.disputes.update(
            dispute, {"evidence": {"uncategorized_text": evidence}, "submit": True}
        )

    def webhook(self, payload: bytes, signature: str) -> str:
        """Take an event in; one that was handled before changes nothing."""
        event = self.client.construct_event(payload, signature, self.webhook_secret)
        if event.id in self.handled:
            return "again"
        self.handled.add(event.id)
        subject = event.data.object
        if event.type == "checkout.session.completed":
            self.paid[subject.client_reference_id] = subject.payment_intent
        elif event.type in {
            "customer.subscription.created",
            "customer.subscription.updated",
            "customer.subscription.deleted",
        }:
            self.members[subject.customer] = subject.status
        return str(event.type)
