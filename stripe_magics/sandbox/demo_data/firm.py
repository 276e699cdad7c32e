"""What the demo firm does in most of its stories, by calls of the sandbox's own API."""

from __future__ import annotations

from stripe_magics.sandbox.core.store import Object
from stripe_magics.sandbox.demo_data.player import Player
from stripe_magics.sandbox.demo_data.static_objects import price_id

GOOD, FAILS, ASKS = "pm_card_visa", "pm_card_chargeCustomerFail", "pm_card_authenticationRequired"


def plan_price(plan: str, currency: str = "usd") -> str:
    """The present monthly price of a plan."""
    return price_id(currency, plan, yearly=False, version=1)


class Firm:
    """What the firm does in most stories."""

    def __init__(self, call: Player) -> None:
        self.call = call
        self.count = 0

    def customer(self, name: str, card: str | None = GOOD, *, country: str = "US", **more: object) -> str:
        """A new customer, with a card to charge if one is named."""
        self.count += 1
        mail = name.split(maxsplit=1)[0].lower()
        made = self.call(
            "POST /v1/customers", name=name, email=f"billing@{mail}-{self.count}.example.com",
            description=f"{name}, startup",
            metadata={"segment": "startup", "plan": "starter", "channel": "organic", "country": country},
            address={"country": country, "line1": f"{self.count} Main Street", "city": "Springfield",
                "postal_code": "10115"}, **more,
        )  # fmt: skip
        if card:
            self.card(made["id"], card)
        return str(made["id"])

    def card(self, customer: str, card: str) -> None:
        """Another card pays from now on."""
        method = self.call(f"POST /v1/payment_methods/{card}/attach", customer=customer)
        self.call(f"POST /v1/customers/{customer}", invoice_settings={"default_payment_method": method["id"]})

    def connected(self, name: str, *, type: str, open: bool = True) -> str:
        """An account of somebody who sells through the firm; unless it is `open`, its owner has yet to say
        who that is."""
        mail = name.split(maxsplit=1)[0].lower()
        profile = {"name": name, "url": f"https://{mail}.example.com", "mcc": "5734"}
        both = {each: {"requested": True} for each in ("transfers", "card_payments")}
        made = self.call(
            "POST /v1/accounts", type=type, country="US", email=f"owner@{mail}.example.com",
            business_profile=profile, capabilities=both, metadata={"partner": name},
        )  # fmt: skip
        if open:
            self.call(f"POST /v1/test_helpers/accounts/{made['id']}/onboard")
        return str(made["id"])

    def subscribe(
        self, customer: str, plan: str = "starter", quantity: int = 1, currency: str = "usd", **more: object
    ) -> Object:
        """A subscription to one plan."""
        items = [{"price": plan_price(plan, currency), "quantity": quantity}]
        return self.call(
            "POST /v1/subscriptions",
            **{"customer": customer, "items": items, "metadata": {"plan": plan}, **more},
        )

    def change(self, subscription: Object, plan: str, quantity: int = 1, **more: object) -> None:
        """Another plan or quantity for its only item."""
        item = {"id": subscription["items"]["data"][0]["id"], "price": plan_price(plan), "quantity": quantity}
        self.call(
            f"POST /v1/subscriptions/{subscription['id']}", items=[item], metadata={"plan": plan}, **more
        )
