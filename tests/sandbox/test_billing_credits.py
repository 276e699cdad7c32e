"""Billing credits: what a grant is for it pays, once; what is left is left, expires, or is voided."""

from __future__ import annotations

import random
from typing import Any

import pytest

from stripe_magics.sandbox import SandboxTransport

from .conftest import DAY, Talk, conserved

GRANTS = "POST /v1/billing/credit_grants"


class Metered:
    """A customer who is billed for calls, by a meter, and for a plan."""

    def __init__(self, call: Talk) -> None:
        self.call = call
        meter = call("POST /v1/billing/meters", display_name="Calls", event_name="calls",
                     **{"default_aggregation[formula]": "sum"})["id"]  # fmt: skip
        plain = {"product_data[name]": "Calls", "currency": "usd", "recurring[interval]": "month"}
        self.calls = call(
            "POST /v1/prices", unit_amount=10, **plain,
            **{"recurring[usage_type]": "metered", "recurring[meter]": meter},
        )["id"]  # fmt: skip
        self.plan = call("POST /v1/prices", unit_amount=2_000, **plain)["id"]
        card = {"payment_method": "pm_card_visa", "invoice_settings[default_payment_method]": "pm_card_visa"}
        self.who = call("POST /v1/customers", card)["id"]

    def subscribe(self, **given: Any) -> dict[str, Any]:
        items = {"items[0][price]": self.calls, "items[1][price]": self.plan}
        return self.call("POST /v1/subscriptions", {"customer": self.who, **items, **given})

    def use(self, quantity: int) -> None:
        payload = {"payload[stripe_customer_id]": self.who, "payload[value]": quantity}
        self.call("POST /v1/billing/meter_events", event_name="calls", **payload)

    def grant(self, value: int, **given: Any) -> dict[str, Any]:
        scope = {} if any("prices" in name for name in given) else {
            "applicability_config[scope][price_type]": "metered"}  # fmt: skip
        params = {
            "customer": self.who, "amount[type]": "monetary", "amount[monetary][currency]": "usd",
            "amount[monetary][value]": value, "category": "paid", **scope, **given,
        }  # fmt: skip
        return self.call(GRANTS, params)

    def left(self, grant: str = "") -> tuple[int, int]:
        """(available, ledger) of the customer, or of a grant."""
        which = (
            {"filter[type]": "credit_grant", "filter[credit_grant]": grant}
            if grant
            else {"filter[type]": "applicability_scope", "filter[applicability_scope][price_type]": "metered"}
        )
        found = self.call("GET /v1/billing/credit_balance_summary", {"customer": self.who, **which})
        (row,) = found["balances"] or [None]
        parts = [row[f"{name}_balance"]["monetary"]["value"] for name in ("available", "ledger")]
        return parts[0], parts[1]

    def renewed(self, made: dict[str, Any]) -> dict[str, Any]:
        """The next renewal, final and paid."""
        now = self.call(f"GET /v1/subscriptions/{made['id']}")
        self.call.transport.advance(now["current_period_end"] - self.call.transport.now + 3 * 3600)
        return self.call("GET /v1/invoices", customer=self.who, limit=1)["data"][0]


@pytest.fixture
def shop(call: Talk) -> Metered:
    return Metered(call)


def test_credits_pay_for_what_is_metered(shop: Metered) -> None:
    made = shop.subscribe()
    grant = shop.grant(1_500)
    assert (grant["category"], grant["priority"], grant["effective_at"]) == (
        "paid",
        50,
        shop.call.transport.now,
    )
    kinds = [each["type"] for each in shop.call("GET /v1/events", limit=2)["data"]]
    assert kinds == ["billing.credit_balance_transaction.created", "billing.credit_grant.created"]
    shop.use(100)
    preview = shop.call("POST /v1/invoices/create_preview", subscription=made["id"])
    assert (preview["total"], shop.left()) == (2_000, (1_500, 1_500))
    bill = shop.renewed(made)
    assert (bill["subtotal"], bill["total"], bill["status"]) == (3_000, 2_000, "paid")
    (used,) = bill["total_pretax_credit_amounts"]
    assert (used["amount"], used["type"]) == (1_000, "credit_balance_transaction")
    line = next(each for each in bill["lines"]["data"] if each["price"]["id"] == shop.calls)
    assert line["pretax_credit_amounts"] == [used]
    transaction = shop.call(
        f"GET /v1/billing/credit_balance_transactions/{used['credit_balance_transaction']}"
    )
    assert transaction["debit"]["credits_applied"] == {"invoice": bill["id"], "invoice_line_item": line["id"]}
    assert shop.left() == shop.left(grant["id"]) == (500, 500)
    shop.use(80)
    assert shop.renewed(made)["total"] == 2_300
    listed = shop.call("GET /v1/billing/credit_balance_transactions", customer=shop.who)["data"]
    assert [each["type"] for each in listed] == ["debit", "debit", "credit"]


def test_order_of_grants(shop: Metered) -> None:
    """Priority, then the one that expires sooner, then promotional, then the older."""
    made = shop.subscribe()
    now = shop.call.transport.now
    old = shop.grant(100)["id"]
    free = shop.grant(100, category="promotional")["id"]
    soon = shop.grant(100, expires_at=now + 80 * DAY)["id"]
    first = shop.grant(100, priority=3)["id"]
    other = shop.grant(100, **{"applicability_config[scope][prices][0][id]": shop.calls})["id"]
    later = shop.grant(100, effective_at=now + 90 * DAY)["id"]
    assert shop.left() == (500, 600)
    for expected in ([first], [first, soon], [first, soon, free], [first, soon, free, old]):
        shop.use(10)
        shop.renewed(made)
        used = [each for each in (old, free, soon, first, other, later) if shop.left(each)[1] == 0]
        assert sorted(used) == sorted(expected)
    assert shop.left(later) == (100, 100)  # it has taken effect meanwhile


def test_discounts_come_before_and_taxes_after(shop: Metered) -> None:
    shop.call("POST /v1/coupons", id="half", percent_off=50, duration="forever")
    rate = shop.call("POST /v1/tax_rates", display_name="V", percentage=10, inclusive=False)["id"]
    made = shop.subscribe(**{"discounts[0][coupon]": "half", "default_tax_rates[0]": rate})
    shop.grant(300)
    shop.use(100)
    bill = shop.renewed(made)
    assert (bill["total_excluding_tax"], bill["tax"], bill["total"]) == (1_200, 120, 1_320)
    kinds = {each["type"]: each["amount"] for each in bill["total_pretax_credit_amounts"]}
    assert kinds == {"discount": 1_500, "credit_balance_transaction": 300}
    line = next(each for each in bill["lines"]["data"] if each["price"]["id"] == shop.calls)
    note = shop.call(
        "POST /v1/credit_notes",
        {"invoice": bill["id"], "lines[0][type]": "invoice_line_item",
            "lines[0][invoice_line_item]": line["id"], "credit_amount": 220},
    )  # fmt: skip
    assert (note["total"], note["discount_amount"]) == (220, 500)


def test_void_invoices_give_credits_back(shop: Metered) -> None:
    made = shop.subscribe(collection_method="send_invoice", days_until_due=30)
    keeps, ends = shop.grant(600)["id"], shop.grant(300, expires_at=shop.call.transport.now + 40 * DAY)["id"]
    shop.use(90)
    bill = shop.renewed(made)
    assert (bill["total"], shop.left()) == (2_000, (0, 0))
    shop.call.transport.advance(15 * DAY)
    shop.call(f"POST /v1/invoices/{bill['id']}/void")
    assert (shop.left(keeps), shop.left(ends)) == ((600, 600), (0, 0))
    reasons = [
        (each["credit"] or each["debit"])["type"]
        for each in shop.call(
            "GET /v1/billing/credit_balance_transactions", customer=shop.who, credit_grant=ends
        )["data"]
    ]
    assert reasons == [
        "credits_expired", "credits_application_invoice_voided", "credits_applied", "credits_granted"
    ]  # fmt: skip


def test_ends_of_grants(shop: Metered) -> None:
    call, now = shop.call, shop.call.transport.now
    expires = shop.grant(100, expires_at=now + DAY)["id"]
    call.transport.advance(2 * DAY)
    assert shop.left(expires) == (0, 0)
    error = call.refused(f"{GRANTS}/{expires}/void")
    assert "expired" in error["message"]
    voided = call(f"{GRANTS}/{shop.grant(100)['id']}/void")
    assert voided["voided_at"] == call.transport.now
    assert shop.left(voided["id"]) == (0, 0)
    cut = shop.grant(100)["id"]
    assert call(f"{GRANTS}/{cut}/expire")["expires_at"] == call.transport.now
    assert "expired" in call.refused(f"{GRANTS}/{cut}", expires_at=now + 9 * DAY)["message"]
    made = shop.subscribe()
    used = shop.grant(5_000)["id"]
    shop.use(1)
    shop.renewed(made)
    assert "expire it instead" in call.refused(f"{GRANTS}/{used}/void")["message"]
    longer = call(f"{GRANTS}/{used}", {"expires_at": call.transport.now + DAY, "metadata[a]": "b"})
    assert longer["metadata"] == {"a": "b"}
    assert call(f"{GRANTS}/{used}", expires_at="")["expires_at"] is None
    call.transport.advance(3 * DAY)
    assert shop.left(used) == (4_990, 4_990)


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"amount[monetary][value]": 0}, "amount[monetary][value]"),
        ({"amount[monetary][currency]": "xxx"}, "amount[monetary][currency]"),
        ({"customer": "cus_x"}, "customer"),
        ({"priority": 101}, "priority"),
        ({"expires_at": 5}, "expires_at"),
        ({"applicability_config[scope][prices][0][id]": "price_x"}, "applicability_config[scope]"),
    ],
)
def test_what_is_refused(shop: Metered, given: dict[str, Any], param: str) -> None:
    params = {
        "customer": shop.who, "amount[type]": "monetary", "amount[monetary][currency]": "usd",
        "amount[monetary][value]": 5, "category": "paid",
    }  # fmt: skip
    scope = {"applicability_config[scope][price_type]": "metered"}
    assert shop.call.refused(GRANTS, {**params, **scope, **given})["param"] == param
    scope = {"applicability_config[scope][prices][0][id]": shop.plan}
    error = shop.call.refused(GRANTS, {**params, **scope})
    assert error["param"] == "applicability_config[scope][prices][0][id]"


@pytest.mark.parametrize("seed", range(4))
def test_credits_are_conserved(seed: int) -> None:
    """Random lives: what was granted is left, was applied to invoices that stand, expired, or was voided; and
    each invoice adds up."""
    chance = random.Random(seed)
    call = Talk(SandboxTransport(demo=False))
    shop = Metered(call)
    made = shop.subscribe(collection_method="send_invoice", days_until_due=30)
    granted = 0
    for _ in range(20):
        step = chance.choice(["grant", "grant", "use", "use", "renew", "void", "expire", "preview"])
        if step == "grant":
            value = chance.choice([1, 99, 700, 3_000])
            ends = {"expires_at": call.transport.now + chance.choice([3, 50]) * DAY}
            shop.grant(value, priority=chance.randint(0, 3), **(ends if chance.random() < 0.4 else {}))
            granted += value
        elif step == "use":
            shop.use(chance.randint(1, 150))
        elif step == "renew":
            preview = call("POST /v1/invoices/create_preview", subscription=made["id"])
            soonest = min(
                (
                    each["expires_at"]
                    for each in call.every("/v1/billing/credit_grants")
                    if each["expires_at"]
                ),
                default=0,
            )
            bill = shop.renewed(made)
            if not call.transport.now - 62 * DAY < soonest:
                assert preview["total"] == bill["total"]
        elif step == "void":
            for each in call("GET /v1/invoices", customer=shop.who, status="open", limit=1)["data"]:
                call(f"POST /v1/invoices/{each['id']}/void")
        elif step == "expire":
            for each in call("GET /v1/billing/credit_grants", limit=1)["data"]:
                call.raw(f"POST /v1/billing/credit_grants/{each['id']}/expire")
        if not granted:
            continue
        parts: dict[str, int] = {}
        for each in call.every("/v1/billing/credit_balance_transactions", customer=shop.who):
            part = each["credit"] or each["debit"]
            value = part["amount"]["monetary"]["value"]
            parts[part["type"]] = parts.get(part["type"], 0) + value
        back = parts.pop("credits_application_invoice_voided", 0)
        assert parts.pop("credits_granted") == granted
        assert shop.left()[1] == granted - sum(parts.values()) + back
        standing = [
            each for each in call.every("/v1/invoices", customer=shop.who) if each["status"] != "void"
        ]
        used = sum(part["amount"] for each in standing for part in each["total_pretax_credit_amounts"])
        assert used == parts.get("credits_applied", 0) - back
        for each in standing:
            off = sum(part["amount"] for part in each["total_pretax_credit_amounts"])
            assert each["total"] == each["subtotal"] - off
    conserved(call.transport)
    call.client.close()
