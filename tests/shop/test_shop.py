"""The shop's own test suite, in both versions of the API: checkout, subscription, webhook, refund,
dispute."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import stripe
from waiting import PATIENCE, joined

from stripe_magics.pytest_plugin import StripeSandbox

from .shop import Shop

DAY = 86_400
EVENTS = [
    "checkout.session.completed",
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
]
# the package's own way of using httpx
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


@dataclass
class World:
    """The shop, its account, and the address where its webhooks arrive."""

    shop: Shop
    sandbox: StripeSandbox
    client: stripe.StripeClient
    arrived: queue.Queue[str] = field(default_factory=queue.Queue)

    def hears(self, kind: str) -> None:
        """Wait until the shop has heard of something."""
        while self.arrived.get(timeout=60) != kind:
            pass

    def pays(self, session: str) -> Any:
        """The customer fills in the checkout page."""
        return self.client.raw_request("post", f"/v1/test_helpers/checkout/sessions/{session}/complete")


@pytest.fixture(params=["2025-02-24.acacia", "2026-10-28.endive"])
def world(request: pytest.FixtureRequest, stripe_sandbox: StripeSandbox) -> Iterator[World]:
    http = stripe.HTTPXClient(allow_sync_methods=True)
    client = stripe.StripeClient(
        stripe_sandbox.key,
        base_addresses={"api": stripe_sandbox.url},
        http_client=http,
        stripe_version=request.param,
    )
    made = World(Shop(client), stripe_sandbox, client)

    class Hook(BaseHTTPRequestHandler):
        timeout = PATIENCE

        def do_POST(self) -> None:
            payload = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                outcome = made.shop.webhook(payload, self.headers["Stripe-Signature"])
            except stripe.SignatureVerificationError:
                outcome = "forged"
            self.send_response(400 if outcome == "forged" else 200)
            self.end_headers()
            made.arrived.put(outcome)

        def log_message(self, *_: Any) -> None:
            """Silent."""

    server = HTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    endpoint = client.v1.webhook_endpoints.create(
        {"url": f"http://127.0.0.1:{server.server_port}/hook", "enabled_events": EVENTS}
    )
    made.shop.webhook_secret = endpoint.secret
    yield made
    server.shutdown()
    server.server_close()
    joined(thread)
    http.close()


def test_an_order_is_paid_at_the_checkout(world: World) -> None:
    session = world.shop.sell("A1", "Tea", 1_250, quantity=2)
    assert (session.status, session.amount_total, session.payment_status) == ("open", 2_500, "unpaid")
    assert world.shop.sell("A1", "Tea", 1_250, quantity=2).id == session.id  # pressed twice
    world.pays(session.id)
    world.hears("checkout.session.completed")
    intent = world.client.v1.payment_intents.retrieve(world.shop.paid["A1"])
    assert (intent.status, intent.amount_received, intent.metadata["order"]) == ("succeeded", 2_500, "A1")
    assert world.client.v1.balance.retrieve().pending[0].amount == 2_500 - 73 - 30


def test_a_member_is_billed_every_month(world: World) -> None:
    price = world.client.v1.prices.create(
        {
            "currency": "usd",
            "unit_amount": 900,
            "recurring": {"interval": "month"},
            "product_data": {"name": "Club"},
        }
    )
    member = world.shop.subscribe("jenny@example.com", price.id)
    assert (member.status, member.latest_invoice.status, member.latest_invoice.amount_paid) == (
        "active",
        "paid",
        900,
    )
    world.sandbox.advance(32 * DAY)
    invoices = world.client.v1.invoices.list({"subscription": member.id}).data
    assert [(each.billing_reason, each.status) for each in invoices] == [
        ("subscription_cycle", "paid"),
        ("subscription_create", "paid"),
    ]
    world.client.v1.subscriptions.cancel(member.id)
    world.hears("customer.subscription.deleted")
    assert world.shop.members == {member.customer: "canceled"}


def test_a_member_whose_card_fails_is_past_due(world: World) -> None:
    price = world.client.v1.prices.create(
        {
            "currency": "usd",
            "unit_amount": 900,
            "recurring": {"interval": "month"},
            "product_data": {"name": "Club"},
        }
    )
    member = world.shop.subscribe("jenny@example.com", price.id)
    bad = world.client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": member.customer})
    world.client.v1.customers.update(
        member.customer, {"invoice_settings": {"default_payment_method": bad.id}}
    )
    world.sandbox.advance(32 * DAY)
    assert world.client.v1.subscriptions.retrieve(member.id).status == "past_due"


def test_a_forged_webhook_is_refused(world: World) -> None:
    world.shop.webhook_secret = "whsec_of_somebody_else"  # noqa: S105 - not a real one
    session = world.shop.sell("A2", "Tea", 1_250)
    world.pays(session.id)
    world.hears("forged")
    assert world.shop.paid == {}


def test_an_order_is_given_back(world: World) -> None:
    session = world.shop.sell("A3", "Tea", 4_000)
    world.pays(session.id)
    world.hears("checkout.session.completed")
    assert world.shop.refund("A3", 1_500).status == "succeeded"
    assert world.shop.refund("A3").amount == 2_500
    with pytest.raises(stripe.InvalidRequestError) as refused:
        world.shop.refund("A3")
    assert refused.value.code == "charge_already_refunded"


def test_a_dispute_is_answered(world: World) -> None:
    intent = world.client.v1.payment_intents.create(
        {
            "amount": 4_000,
            "currency": "usd",
            "payment_method": "pm_card_createDispute",
            "confirm": True,
            "off_session": True,
        }
    )
    (dispute,) = world.client.v1.disputes.list({"payment_intent": intent.id}).data
    assert dispute.status == "needs_response"
    assert world.shop.defend(dispute.id, "winning_evidence").status in {"under_review", "won"}
    world.sandbox.advance(90 * DAY)
    assert world.client.v1.disputes.retrieve(dispute.id).status == "won"


def test_a_declined_card_says_why(world: World) -> None:
    with pytest.raises(stripe.CardError) as declined:
        world.client.v1.payment_intents.create(
            {
                "amount": 900,
                "currency": "usd",
                "payment_method": "pm_card_visa_chargeDeclined",
                "confirm": True,
                "off_session": True,
            }
        )
    assert (declined.value.code, declined.value.error.decline_code) == ("card_declined", "generic_decline")
