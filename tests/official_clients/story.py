"""The story of notebooks/sandbox.ipynb by the official Python package over HTTP, in either version: `python
story.py ADDRESS VERSION`.

It needs nothing but the package, so that it plays in an environment of any release. What it answers is the
same for every client and version.
"""

from __future__ import annotations

import json
import sys
from types import ModuleType
from typing import Any

DAY = 86400
EMPTY_LISTS = {"limit": 100}


class Story:
    """The firm and its customers, through one client."""

    def __init__(self, stripe: ModuleType, address: str, version: str, **options: Any) -> None:
        self.newer = version >= "2025-03-31"
        self.client = stripe.StripeClient(
            "sk_test_story",
            base_addresses={"api": address},
            stripe_version=version,
            max_network_retries=0,
            **options,
        )
        # the namespace came with version 13 of the package
        self.api = getattr(self.client, "v1", self.client)

    def raw(self, path: str, **params: Any) -> Any:
        """A path that only the sandbox has."""
        return self.client.raw_request("post", path, **params).data

    def wait(self, days: int) -> None:
        """Time passes."""
        self.raw("/v1/test_helpers/clock/advance", seconds=days * DAY)

    def customer(self, name: str, card: str = "") -> str:
        """A customer, with a card that pays by default if one is named."""
        made = self.api.customers.create({"name": name, "email": f"{name.lower()}@example.com"})
        if card:
            self.card(made.id, card)
        return str(made.id)

    def card(self, customer: str, card: str) -> None:
        """Another card pays from now on."""
        method = self.api.payment_methods.attach(card, {"customer": customer})
        self.api.customers.update(customer, {"invoice_settings": {"default_payment_method": method.id}})

    def subscribe(self, customer: str, price: str, **more: Any) -> Any:
        """A subscription to one price."""
        return self.api.subscriptions.create({"customer": customer, "items": [{"price": price}], **more})

    def status(self, subscription: Any) -> str:
        """How it stands now."""
        return str(self.api.subscriptions.retrieve(subscription.id).status)

    def period_end(self, subscription: Any) -> int:
        """Each version has it in its place."""
        shown = json.loads(str(self.api.subscriptions.retrieve(subscription.id)))
        return int((shown["items"]["data"][0] if self.newer else shown)["current_period_end"])

    def paid_by(self, invoice: str) -> str:
        """The payment intent of an invoice: its own field, or among its payments."""
        where = ["payments"] if self.newer else []
        shown = json.loads(str(self.api.invoices.retrieve(invoice, {"expand": where} if where else None)))
        return str(
            shown["payments"]["data"][0]["payment"]["payment_intent"]
            if self.newer
            else shown["payment_intent"]
        )


def play(stripe: ModuleType, address: str, version: str, **options: Any) -> dict[str, Any]:
    """Two months of a firm; what came of them."""
    story = Story(stripe, address, version, **options)
    api, found = story.api, {}
    suite = api.products.create({"name": "Suite"}).id
    every = {"product": suite, "currency": "usd", "recurring": {"interval": "month"}}
    small, large = (api.prices.create({**every, "unit_amount": amount}).id for amount in (3000, 9000))
    meter = api.billing.meters.create(
        {"display_name": "Calls", "event_name": "calls", "default_aggregation": {"formula": "sum"}}
    )
    calls = api.prices.create(
        {
            "product": suite, "currency": "usd", "billing_scheme": "tiered", "tiers_mode": "graduated",
            "recurring": {"interval": "month", "usage_type": "metered", "meter": meter.id},
            "tiers": [{"up_to": 100, "unit_amount": 0}, {"up_to": "inf", "unit_amount": 5}],
        }
    ).id  # fmt: skip
    ada, ben, clara, dana = (
        story.customer(name, card)
        for name, card in (
            ("Ada", "pm_card_visa"),
            ("Ben", "pm_card_visa"),
            ("Clara", ""),
            ("Dana", "pm_card_mastercard"),
        )
    )
    trial = story.subscribe(ada, small, trial_period_days=7)
    api.subscription_items.create({"subscription": trial.id, "price": calls})
    without = {"trial_settings": {"end_behavior": {"missing_payment_method": "cancel"}}}
    lapsed = story.subscribe(clara, small, trial_period_days=7, **without)
    story.wait(8)
    found["trials"] = [story.status(trial), story.status(lapsed)]
    bens, danas = story.subscribe(ben, large), story.subscribe(dana, small)
    found["renews in days"] = round((story.period_end(danas) - danas.created) / DAY)
    story.wait(10)
    item = api.subscription_items.list({"subscription": danas.id}).data[0].id
    change = {"items": [{"id": item, "price": large}], "proration_behavior": "always_invoice"}
    preview = api.invoices.create_preview({"subscription": danas.id, "subscription_details": change})
    upgraded = api.subscriptions.update(danas.id, change)
    billed = api.invoices.retrieve(upgraded.latest_invoice)
    found["upgrade"] = [preview.total == billed.total, billed.total, billed.status]
    found["upgrade was paid"] = api.payment_intents.retrieve(story.paid_by(billed.id)).status
    item = api.subscription_items.list({"subscription": bens.id}).data[0].id
    api.subscriptions.update(bens.id, {"items": [{"id": item, "price": small}]})
    found["downgrade"] = sorted(
        each.amount for each in api.invoice_items.list({"customer": ben, "pending": True}).data
    )
    for value in (120, 300):
        payload = {"stripe_customer_id": ada, "value": str(value)}
        api.billing.meter_events.create({"event_name": "calls", "payload": payload})
    erin = story.customer("Erin", "pm_card_visa")
    quote = api.quotes.create({"customer": erin, "line_items": [{"price": large, "quantity": 3}]})
    api.quotes.finalize_quote(quote.id)
    accepted = api.quotes.accept(quote.id)
    found["quote"] = [accepted.status, accepted.amount_total, bool(accepted.subscription)]
    story.card(dana, "pm_card_chargeCustomerFail")
    story.wait(21)
    late = story.status(danas)
    story.wait(16)
    gone = api.subscriptions.retrieve(danas.id)
    found["dunning"] = [late, gone.status, gone.cancellation_details.reason]
    found["used"] = [
        each.total
        for each in api.invoices.list({"customer": ada}).data
        if each.billing_reason == "subscription_cycle"
    ]
    of_ben = api.invoices.list({"customer": ben, "status": "paid"}).data[-1]
    note = api.credit_notes.create({"invoice": of_ben.id, "amount": 500, "credit_amount": 500})
    found["credit note"] = [note.status, note.amount, api.customers.retrieve(ben).balance]
    api.payment_intents.create(
        {
            "amount": 21000, "currency": "usd", "customer": ben, "payment_method": "pm_card_createDispute",
            "confirm": True,
            "return_url": "https://example.com",
        }
    )  # fmt: skip
    dispute = api.disputes.list().data[0]
    found["dispute"] = story.raw(f"/v1/test_helpers/disputes/{dispute.id}/decide", outcome="lost")["status"]
    story.wait(5)
    entries = list(api.balance_transactions.list(EMPTY_LISTS).auto_paging_iter())
    balance = json.loads(str(api.balance.retrieve()))
    found["payouts"] = len(api.payouts.list(EMPTY_LISTS).data) > 0
    found["ledger"] = sum(each.net for each in entries)
    found["left"] = sum(each["amount"] for state in ("available", "pending") for each in balance[state])
    running = json.loads(str(api.subscriptions.list(EMPTY_LISTS)))["data"]
    items = [each for subscription in running for each in subscription["items"]["data"]]
    found["monthly"] = sum(
        each["price"]["unit_amount"] * each["quantity"] for each in items if each["price"]["unit_amount"]
    )
    return found


def errors(stripe: ModuleType, address: str, version: str, **options: Any) -> dict[str, str]:
    """What goes wrong -> the class and code of the error that the package makes of it."""
    story = Story(stripe, address, version, **options)
    api, found = story.api, {}
    buy = {"amount": 2000, "currency": "usd", "confirm": True, "off_session": True}
    once = {"idempotency_key": f"once-{version}"}
    api.customers.create({"name": "First"}, once)
    wrong = Story(stripe, address, version, **options)
    wrong.client = stripe.StripeClient(
        "pk_wrong", base_addresses={"api": address}, stripe_version=version, max_network_retries=0, **options
    )
    trials = {
        "declined": lambda: api.payment_intents.create(
            {**buy, "payment_method": "pm_card_chargeDeclinedInsufficientFunds"}
        ),
        "expired": lambda: api.payment_intents.create(
            {**buy, "payment_method": "pm_card_chargeDeclinedExpiredCard"}
        ),
        "unknown id": lambda: api.customers.retrieve("cus_missing"),
        "unknown parameter": lambda: api.customers.create({"colour": "red"}),
        "absent parameter": lambda: api.payment_intents.create({"currency": "usd"}),
        "too small": lambda: api.payment_intents.create({"amount": 1, "currency": "usd"}),
        "key used twice": lambda: api.customers.create({"name": "Second"}, once),
        "wrong key": getattr(wrong.client, "v1", wrong.client).customers.list,
        "another account": lambda: api.customers.list({}, {"stripe_account": "acct_missing"}),
        "too many": api.products.list,
        "a defect": api.coupons.list,
    }
    for name, trial in trials.items():
        try:
            trial()
        except stripe.StripeError as error:
            found[name] = f"{type(error).__name__} {error.code or ''}".strip()
        else:
            found[name] = "no error"
    return found


if __name__ == "__main__":
    import stripe

    where, of = sys.argv[1:3]
    print(json.dumps({"story": play(stripe, where, of), "errors": errors(stripe, where, of)}))
