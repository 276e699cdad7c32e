"""Whatever a path is given of what it takes, it answers or refuses: no call makes the sandbox itself fail."""

from __future__ import annotations

import random
import re
from typing import Any

from each_row import each_row

from stripe_magics.catalogue.stripe_objects import OBJECTS
from stripe_magics.sandbox import SandboxTransport
from stripe_magics.sandbox.api import routes
from stripe_magics.sandbox.api.dispatcher import _find
from stripe_magics.sandbox.api.versions import OLDER

from .conftest import DAY, Talk, conserved

routes.install()
NAMES = sorted(name for subject in routes.SUBJECTS for name in subject.ROUTES)
TEXTS = [
    "",
    "x",
    "a@b.co",
    "usd",
    "EUR",
    "jpy",
    "10",
    "0.5",
    "DE",
    "pm_card_visa",
    "tok_visa",
    "https://example.com",
    "SAVE",
    "data.customer",
    "card",
    "manual",
]
NUMBERS = ["0", "1", "-1", "3", "50", "500", "2000", "1793610000", "1800000000", "99999999"]
KIND_OF = {
    "id": "",
    "intent": "payment_intent",
    "transaction": "customer_balance_transaction",
    "invoiceitem": "invoiceitem",
    "item": "subscription_item",
}


class Fuzz:
    """Makes up parameters by their kinds, with ids of objects that are there more often than not."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.sandbox = SandboxTransport(demo=False)
        self.talk = Talk(self.sandbox)
        customer = self.talk("POST /v1/customers", payment_method="pm_card_visa", source="tok_visa")["id"]
        for currency in ("usd", "eur"):
            self.talk.intent(90_000, method="pm_card_bypassPending", currency=currency, customer=customer)
        self.talk.intent(500, capture_method="manual", customer=customer)
        price = {"product_data[name]": "P", "currency": "usd", "unit_amount": 900}
        self.talk("POST /v1/prices", price)
        price = self.talk("POST /v1/prices", {**price, "recurring[interval]": "month"})["id"]
        self.talk("POST /v1/invoiceitems", customer=customer, amount=1000, currency="usd")
        self.talk("POST /v1/invoices", customer=customer, pending_invoice_items_behavior="include")
        self.talk(
            "POST /v1/subscriptions",
            {"customer": customer, "items[0][price]": price, "default_payment_method": self.method(customer)},
        )
        self.talk("POST /v1/coupons", percent_off=10, duration="forever")
        self.talk("POST /v1/tax_rates", display_name="VAT", percentage=20, inclusive=False)
        self.talk.intent(500, method="pm_card_createDispute")

    def method(self, customer: str) -> str:
        return self.talk(f"GET /v1/customers/{customer}/payment_methods")["data"][0]["id"]

    def some_id(self, name: str) -> str:
        kinds = [kind for kind in OBJECTS if kind.replace("_", "") in name.replace("_", "")] or [
            KIND_OF.get(name, "")
        ]
        rows = [row.id for kind in kinds for row in self.sandbox.account.table(kind).rows] if kinds[0] else []
        if not rows or self.random.random() < 0.05:
            rows = [row.id for table in self.sandbox.account.tables.values() for row in table.rows] or [
                "none"
            ]
        return self.random.choice(rows)

    def value(self, kind: Any, name: str, into: list[tuple[str, str]], depth: int) -> None:
        pick = self.random
        if isinstance(kind, tuple):
            match kind[0]:
                case "object":
                    for each, (of, required, _) in kind[1].items():
                        if required or pick.random() < (0.5 if depth < 2 else 0.2):
                            self.value(of, f"{name}[{each}]", into, depth + 1)
                case "array":
                    for place in range(pick.randint(0, 2)):
                        self.value(kind[1], f"{name}[{place}]", into, depth + 1)
                case "named":
                    self.value(kind[1], f"{name}[{pick.choice(['usd', 'eur', 'x'])}]", into, depth + 1)
                case "choice":
                    into.append((name, pick.choice(kind[1])))
                case _:
                    self.value(pick.choice(kind[1]), name, into, depth)
            return
        last = re.findall(r"[a-z_]+", name)[-1]
        match kind[0]:
            case "i" | "n":
                into.append((name, pick.choice(NUMBERS)))
            case "b":
                into.append((name, pick.choice(["true", "false"])))
            case "m" | "*":
                into.append((f"{name}[k]", pick.choice(TEXTS)) if pick.random() < 0.9 else (name, ""))
            case "r":
                into.append((f"{name}[{pick.choice(['gt', 'gte', 'lt', 'lte'])}]", pick.choice(NUMBERS)))
            case _:
                named = last in TARGETS and pick.random() < 0.9
                into.append(
                    (
                        name,
                        (
                            self.some_id(last)
                            if named
                            else pick.choice(["usd", "eur"])
                            if last == "currency"
                            else pick.choice(TEXTS)
                        ),
                    )
                )

    def step(self) -> int:
        name = self.random.choice(NAMES)
        method, path = name.split(" ")
        names = _find(path)[0].routes[method].shape(OLDER)
        path = re.sub(
            r"\{(\w+)\}",
            lambda part: self.some_id(part[1] if part[1] != "id" else path.split("/")[2].rstrip("s")),
            path,
        )
        into: list[tuple[str, str]] = []
        density = self.random.choice([0, 0, 0, 0.04, 0.1, 0.3])
        for each, (of, required, _) in names.items():
            if required or self.random.random() < density:
                self.value(of, each, into, 0)
        answer = self.talk.raw(f"{method} {path}", dict(into))
        assert answer.status_code in {200, 400, 402, 403, 404}, (name, into, answer.text)
        answer.json()
        return answer.status_code


TARGETS = {
    "customer", "invoice", "charge", "payment_intent", "payment_method", "price", "product", "coupon",
    "promotion_code", "subscription", "default_payment_method", "tax_rates", "default_tax_rates", "discount",
    "destination", "payout", "source", "starting_after", "ending_before", "shipping_rate", "account_tax_ids",
    "default_price", "default_source",
}  # fmt: skip


@each_row("seed", range(4))
def test_no_call_fails(seed) -> None:
    fuzz = Fuzz(seed)
    seen = [0, 0]
    for place in range(600):
        seen[fuzz.step() == 200] += 1
        if place % 40 == 39:
            fuzz.sandbox.advance(fuzz.random.choice([60, 3600, DAY, 9 * DAY, 40 * DAY]))
    fuzz.talk.client.close()
    conserved(fuzz.sandbox)
    assert seen[1] > 133, seen
