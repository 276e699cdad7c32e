"""Random lives of subscriptions: whatever is done to them in whatever order, their invoices add up and nobody
pays too much.

(a) the lines of every invoice add up to it; (b) a preview is the invoice that then comes; (c) nobody pays for
more than the time that passed and the period ahead; (d) the ledger is conserved; (e) the recurring revenue of
the invoices is that of the subscriptions; (f) every status that the demo shows is reached.
"""

from __future__ import annotations

import random
from typing import Any

from each_row import each_row

from stripe_magics.sandbox import SandboxTransport

from .conftest import DAY, Refused, Talk, conserved
from .test_subscriptions import FAILS, change_card, same_invoice

AMOUNTS = (500, 1000, 2999, 7001)


class Life:
    """A few customers and their subscriptions, and what happens to them by chance."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.sandbox = SandboxTransport(demo=False)
        self.call = Talk(self.sandbox)
        self.statuses: set[str] = set()
        self.alone = False  # each subscription has a customer of its own, whose balance nothing else uses
        self.prices = [self.price(amount) for amount in AMOUNTS]
        self.prices.append(self.price(9000, **{"recurring[interval]": "year"}))
        self.call(
            "POST /v1/coupons", id="THIRD", percent_off=33.3, duration="repeating", duration_in_months=3
        )
        self.call("POST /v1/coupons", id="FIXED", amount_off=350, currency="usd", duration="forever")
        self.call("POST /v1/coupons", id="ONCE", amount_off=600, currency="usd", duration="once")
        self.rate = self.call("POST /v1/tax_rates", display_name="VAT", percentage=19, inclusive=False)["id"]
        self.people = [self.person() for _ in range(3)]
        self.call(
            "POST /v1/test_helpers/subscription_settings",
            after_last_attempt=self.random.choice(["cancel", "unpaid", "past_due"]),
        )

    def price(self, amount: int, **params: Any) -> str:
        data = {
            "product_data[name]": f"P{amount}",
            "currency": "usd",
            "unit_amount": amount,
            "recurring[interval]": "month",
        }
        return str(self.call("POST /v1/prices", {**data, **params})["id"])

    def person(self, card: str | None = "pm_card_visa") -> str:
        who = self.call("POST /v1/customers")["id"]
        if card:
            change_card(self.call, who, card)
        return str(who)

    def attempt(self, what: str, params: dict[str, Any] | None = None) -> dict[str, Any] | None:
        try:
            return self.call(what, params or {})
        except Refused as refused:
            assert refused.status in {400, 402, 404}, refused
            return None

    def some(self) -> dict[str, Any] | None:
        found = list(self.sandbox.account.each("subscription"))
        return self.random.choice(found) if found else None

    def subscribe(self) -> None:
        pick = self.random
        if self.alone:
            self.people.append(self.person())
        who = self.people[-1] if self.alone else pick.choice(self.people)
        params: dict[str, Any] = {
            "customer": who,
            "items[0][price]": pick.choice(self.prices),
            "items[0][quantity]": pick.randint(1, 4),
        }
        for chance, more in [
            (0.3, {"trial_period_days": pick.randint(1, 20)}),
            (0.4, {"discounts[0][coupon]": pick.choice(["THIRD", "FIXED", "ONCE"])}),
            (0.3, {"default_tax_rates[]": self.rate}),
            (
                0.2,
                {
                    "payment_behavior": pick.choice(
                        ["default_incomplete", "error_if_incomplete", "allow_incomplete"]
                    )
                },
            ),
            (
                0.2,
                {
                    "trial_settings[end_behavior][missing_payment_method]": pick.choice(
                        ["pause", "cancel", "create_invoice"]
                    )
                },
            ),
            (0.2, {"collection_method": "send_invoice", "days_until_due": pick.randint(0, 20)}),
            (0.2, {"billing_cycle_anchor": self.sandbox.now + pick.randint(1, 20) * DAY}),
        ]:
            if pick.random() < chance:
                params.update(more)
        self.attempt("POST /v1/subscriptions", params)

    def try_out(self) -> None:
        """A trial of somebody without a card."""
        params = {
            "customer": self.person(None), "items[0][price]": self.random.choice(self.prices),
            "trial_period_days": self.random.randint(1, 9),
            "trial_settings[end_behavior][missing_payment_method]": self.random.choice(["pause", "cancel"]),
        }  # fmt: skip
        self.attempt("POST /v1/subscriptions", params)

    def change(self) -> None:
        pick, subscription = self.random, self.some()
        if subscription is None:
            return
        if subscription["status"] == "paused" and pick.random() < 0.5:
            self.attempt(f"POST /v1/subscriptions/{subscription['id']}/resume")
            return
        item = subscription["items"]["data"][0]["id"]
        params = pick.choice(
            [
                {"items[0][id]": item, "items[0][quantity]": pick.randint(1, 6)},
                {"items[0][id]": item, "items[0][price]": pick.choice(self.prices)},
                {"items[0][price]": pick.choice(self.prices)},
                {"billing_cycle_anchor": "now"}, {"trial_end": "now"},
                {"trial_end": self.sandbox.now + pick.randint(1, 9) * DAY},
                {"cancel_at_period_end": pick.random() < 0.4},
                {"pause_collection[behavior]": pick.choice(["void", "keep_as_draft"])},
                {"pause_collection": ""},
            ]
        )  # fmt: skip
        behavior = {"proration_behavior": pick.choice(["create_prorations", "always_invoice", "none"])}
        if pick.random() < 0.2:
            behavior["payment_behavior"] = pick.choice(
                ["pending_if_incomplete", "error_if_incomplete", "default_incomplete"]
            )
        self.attempt(f"POST /v1/subscriptions/{subscription['id']}", {**params, **behavior})

    def end(self) -> None:
        subscription = self.some()
        if subscription is not None and self.random.random() < 0.3:
            self.attempt(
                f"DELETE /v1/subscriptions/{subscription['id']}",
                {"prorate": True, "invoice_now": self.random.random() < 0.5},
            )

    def card(self) -> None:
        change_card(
            self.call,
            self.random.choice(self.people),
            self.random.choice(["pm_card_visa", FAILS, "pm_card_visa"]),
        )

    def wait(self) -> None:
        self.sandbox.advance(self.random.choice([3600, DAY, 7 * DAY + 321, 16 * DAY, 31 * DAY]))

    def settle(self) -> None:
        """Until no draft is on its way: it uses the customer's balance, which a preview shows as it is
        now."""
        self.sandbox.advance(2 * 3600)
        while any(
            each["status"] == "draft" and each["auto_advance"]
            for each in self.sandbox.account.each("invoice")
        ):
            self.sandbox.advance(3600)

    def step(self) -> None:
        self.random.choice(
            [
                self.subscribe,
                self.change,
                self.change,
                self.end,
                self.card,
                self.wait,
                self.wait,
                self.wait,
                *(() if self.alone else (self.try_out,)),
            ]  # fmt: skip
        )()
        self.statuses |= {each["status"] for each in self.sandbox.account.each("subscription")}


class UsageLife(Life):
    """Plans beside what is metered, with thresholds, billing credits and bank transfers."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        meter = self.call(
            "POST /v1/billing/meters", display_name="M", event_name="m",
            **{"default_aggregation[formula]": self.random.choice(["sum", "sum", "count"])},
        )["id"]  # fmt: skip
        by_meter = {"recurring[usage_type]": "metered", "recurring[meter]": meter}
        tiers = {
            "billing_scheme": "tiered", "unit_amount": None, "tiers[0][up_to]": 50,
            "tiers[0][unit_amount]": 90, "tiers[0][flat_amount]": 400, "tiers[1][up_to]": "inf",
            "tiers[1][unit_amount]": 30, "tiers[1][flat_amount]": 100,
        }  # fmt: skip
        packages = {"transform_quantity[divide_by]": 7, "transform_quantity[round]": "up"}
        self.metered = [
            self.price(37, **by_meter),
            self.price(650, **by_meter, **packages),
            self.price(1, **by_meter, **tiers, tiers_mode="graduated"),
            self.price(2, **by_meter, **tiers, tiers_mode="volume"),
        ]

    def attempt(self, what: str, params: dict[str, Any] | None = None) -> dict[str, Any] | None:
        given = dict(params or {})
        if what == "POST /v1/subscriptions" and "items[0][quantity]" in given:
            given["items[1][price]"] = self.random.choice(self.metered)
            limit = self.random.choice(
                [
                    {},
                    {"items[1][billing_thresholds][usage_gte]": self.random.choice([9, 60, 200])},
                    {
                        "billing_thresholds[amount_gte]": 30_000,
                        "billing_thresholds[reset_billing_cycle_anchor]": self.random.random() < 0.3,
                    },
                ]
            )
            given.update(limit)
        given = {name: str(of).lower() if isinstance(of, bool) else of for name, of in given.items()}
        return super().attempt(what, given)

    def use(self) -> None:
        for _ in range(self.random.randint(1, 4)):
            payload = {
                "payload[stripe_customer_id]": self.random.choice(self.people),
                "payload[value]": self.random.choice([1, 13, 55, 240]),
            }
            self.attempt("POST /v1/billing/meter_events", {"event_name": "m", **payload})

    def grant(self) -> None:
        params = {
            "customer": self.random.choice(self.people), "category": "paid", "amount[type]": "monetary",
            "amount[monetary][currency]": "usd", "priority": self.random.randint(0, 2),
            "amount[monetary][value]": self.random.choice([70, 2_000, 9_000]),
            "applicability_config[scope][price_type]": "metered",
        }  # fmt: skip
        self.attempt("POST /v1/billing/credit_grants", params)

    def fund(self) -> None:
        who = self.random.choice(self.people)
        params = {"amount": self.random.choice([300, 4_000, 25_000]), "currency": "usd"}
        self.attempt(f"POST /v1/test_helpers/customers/{who}/fund_cash_balance", params)

    def step(self) -> None:
        super().step()
        self.random.choice([self.use, self.use, self.use, self.grant, self.fund, self.wait])()


def adds_up(invoice: dict[str, Any], lines: list[dict[str, Any]]) -> None:
    """(a)"""
    off = sum(each["amount"] for line in lines for each in line["discount_amounts"])
    outside = sum(each["amount"] for line in lines for each in line["tax_amounts"] if not each["inclusive"])
    credit = sum(
        each["amount"]
        for line in lines
        for each in line["pretax_credit_amounts"]
        if each["credit_balance_transaction"]
    )
    assert invoice["total"] == sum(line["amount"] for line in lines) - off - credit + outside
    assert sum(each["amount"] for each in invoice["total_pretax_credit_amounts"]) == off + credit
    assert sum(each["amount"] for each in invoice["total_tax_amounts"] if not each["inclusive"]) == outside
    assert sum(each["amount"] for each in invoice["total_discount_amounts"]) == off
    assert invoice["amount_remaining"] == (
        0 if invoice["status"] in {"void", "paid"} else invoice["amount_due"] - invoice["amount_paid"]
    )


REACHED: set[str] = set()


@each_row("seed", range(12))
def test_a_and_d_lines_add_up_and_the_ledger_is_conserved(seed) -> None:
    life = Life(seed)
    for _ in range(60):
        life.step()
    conserved(life.sandbox)
    for invoice in life.sandbox.account.each("invoice"):
        adds_up(invoice, life.sandbox.account.long_lines.get(invoice["id"]) or invoice["lines"]["data"])
    REACHED.update(life.statuses)
    life.call.client.close()


@each_row("seed", range(200, 206))
def test_a_and_d_with_usage_credits_and_transfers(seed) -> None:
    """Beside that: what was granted, and what came in by transfer, is left or was used."""
    life = UsageLife(seed)
    for _ in range(45):
        life.step()
    account = life.sandbox.account
    conserved(life.sandbox)
    credited = 0
    for invoice in account.each("invoice"):
        lines = account.long_lines.get(invoice["id"]) or invoice["lines"]["data"]
        adds_up(invoice, lines)
        credits = [each for each in invoice["total_pretax_credit_amounts"] if not each["discount"]]
        credited += sum(each["amount"] for each in credits) if invoice["status"] != "void" else 0
    for who in life.people:
        which = {"filter[type]": "applicability_scope", "filter[applicability_scope][price_type]": "metered"}
        shown = life.call("GET /v1/billing/credit_balance_summary", {"customer": who, **which})["balances"]
        credited += sum(each["ledger_balance"]["monetary"]["value"] for each in shown)
        moves = life.call.every(f"/v1/customers/{who}/cash_balance_transactions")
        have = life.call(f"GET /v1/customers/{who}/cash_balance")["available"] or {}
        assert sum(each["net_amount"] for each in moves) == have.get("usd", 0) >= 0
    granted = sum(each["amount"]["monetary"]["value"] for each in account.each("billing.credit_grant"))
    assert credited == granted
    life.call.client.close()


def test_f_every_status_is_reached() -> None:
    assert REACHED == {
        "active", "trialing", "past_due", "canceled", "incomplete", "incomplete_expired", "paused", "unpaid"
    }  # fmt: skip
    demo = {each["status"] for each in SandboxTransport().account.each("subscription")}
    assert demo == REACHED


@each_row("seed", [*range(100, 108), 39])
def test_b_previews_are_what_comes(seed) -> None:
    assert previews_compared(seed) > 2


@each_row("seed", range(300, 306))
def test_b_previews_with_usage_and_credits(seed) -> None:
    assert previews_compared(seed, UsageLife) > 1


def previews_compared(seed: int, kind: type[Life] | None = None) -> int:
    """How many previews of a random life were compared with the invoice that then came."""
    life = Life(seed) if kind is None else kind(seed)
    life.alone = True
    compared = 0
    for _ in range(25):
        life.step()
        life.settle()
        subscription = life.some()
        if subscription is None or subscription["status"] not in {"active", "trialing"}:
            continue
        identifier = subscription["id"]
        if life.random.random() < 0.5:
            preview = life.attempt("GET /v1/invoices/upcoming", {"subscription": identifier})
            fresh = life.call(f"GET /v1/subscriptions/{identifier}")
            if preview is None or fresh["pause_collection"]:
                continue
            life.sandbox.advance(fresh["current_period_end"] - life.sandbox.now)
            if kind is not None:
                life.sandbox.advance(2 * 3600)  # credits are used when it is final
        else:
            item = subscription["items"]["data"][0]["id"]
            quantity, at_once = life.random.randint(1, 9), {"proration_behavior": "always_invoice"}
            details = {
                "subscription_details[items][0][id]": item,
                "subscription_details[items][0][quantity]": quantity,
                "subscription_details[proration_behavior]": "always_invoice",
            }
            if (
                subscription["status"] == "trialing"
                or subscription["items"]["data"][0]["quantity"] == quantity
                or subscription["pause_collection"]
            ):
                continue
            preview = life.attempt(
                "POST /v1/invoices/create_preview", {"subscription": identifier, **details}
            )
            changed = life.attempt(
                f"POST /v1/subscriptions/{identifier}",
                {"items[0][id]": item, "items[0][quantity]": quantity, **at_once},
            )
            if preview is None or changed is None:
                continue
        latest = life.call(f"GET /v1/subscriptions/{identifier}")["latest_invoice"]
        same_invoice(preview, life.call(f"GET /v1/invoices/{latest}"))
        compared += 1
    conserved(life.sandbox)
    life.call.client.close()
    return compared


@each_row("seed", range(10))
def test_c_nobody_pays_for_more_than_time_and_the_period_ahead(seed) -> None:
    """Changes of the quantity at random moments, all invoiced: paid is the time that each quantity was there,
    and the period ahead, whatever coupon the subscription or its customer has."""
    pick = random.Random(seed)
    sandbox = SandboxTransport(demo=False)
    call = Talk(sandbox)
    call("POST /v1/coupons", id="FIXED", amount_off=700, currency="usd", duration="forever")
    call("POST /v1/coupons", id="HALF", percent_off=50, duration="forever")
    on_customer, on_subscription, cost = [
        ({}, {}, lambda count: count * 3100),
        ({}, {"discounts[0][coupon]": "FIXED"}, lambda count: count * 3100 - 700),
        ({"coupon": "FIXED"}, {}, lambda count: count * 3100 - 700),
        ({"coupon": "HALF"}, {"discounts[0][coupon]": "FIXED"}, lambda count: count * 3100 - 700),
        ({"coupon": "HALF"}, {}, lambda count: count * 1550),
    ][seed % 5]
    who = call("POST /v1/customers", on_customer)["id"]
    change_card(call, who, "pm_card_visa")
    plan = call(
        "POST /v1/prices",
        {"product_data[name]": "P", "currency": "usd", "unit_amount": 3100, "recurring[interval]": "month"},
    )["id"]
    made = call("POST /v1/subscriptions", {"customer": who, "items[0][price]": plan, **on_subscription})
    item, quantity, owed, changes = made["items"]["data"][0]["id"], 1, 0.0, 0
    for _ in range(14):
        start, end = _period(call, made)
        left = sandbox.now
        sandbox.advance(pick.choice([DAY, 3 * DAY + 77, 9 * DAY, 20 * DAY]))
        while end <= sandbox.now:
            owed += cost(quantity) * (end - left) / (end - start)
            left = end
            start, end = end, _following(end, made["billing_cycle_anchor"])
        owed += cost(quantity) * (sandbox.now - left) / (end - start)
        quantity = pick.randint(1, 5)
        call(
            f"POST /v1/subscriptions/{made['id']}",
            {"items[0][id]": item, "items[0][quantity]": quantity, "proration_behavior": "always_invoice"},
        )
        changes += 1
    sandbox.advance(2 * 3600)
    start, end = _period(call, made)
    ahead = cost(quantity) * (end - sandbox.now + 2 * 3600) / (end - start)
    paid = sum(each["amount_paid"] for each in call.every("/v1/invoices"))
    credit = -call(f"GET /v1/customers/{who}")["balance"]
    assert abs(paid - credit - owed - ahead) <= 2 * (changes + 1), (paid, credit, owed, ahead)
    conserved(sandbox)
    call.client.close()


def _period(call: Talk, subscription: dict[str, Any]) -> tuple[int, int]:
    fresh = call(f"GET /v1/subscriptions/{subscription['id']}")
    return fresh["current_period_start"], fresh["current_period_end"]


def _following(moment: int, anchor: int) -> int:
    from stripe_magics.sandbox.resources.subscriptions.billing_periods import next_boundary

    return next_boundary(anchor, moment, "month", 1)


@each_row("seed", [5, 6, 7])
def test_e_recurring_revenue_of_invoices_is_that_of_subscriptions(seed) -> None:
    """After changes of plans and quantities in the middle of periods: what the last invoice of each running
    subscription bills a month, prorations left out, is what its items cost."""
    life = Life(seed)
    costs = {each["id"]: each for each in life.sandbox.account.each("price")}
    for _ in range(12):
        who = life.person()
        life.call(
            "POST /v1/subscriptions",
            {
                "customer": who,
                "items[0][price]": life.random.choice(life.prices),
                "items[0][quantity]": life.random.randint(1, 3),
            },
        )
    for _ in range(20):
        life.sandbox.advance(life.random.choice([DAY, 4 * DAY + 99, 9 * DAY]))
        changed = life.some()
        item = changed["items"]["data"][0]["id"]
        same = [
            each
            for each in life.prices
            if costs[each]["recurring"] == changed["items"]["data"][0]["price"]["recurring"]
        ]
        life.call(
            f"POST /v1/subscriptions/{changed['id']}",
            {
                "items[0][id]": item,
                "items[0][price]": life.random.choice(same),
                "items[0][quantity]": life.random.randint(1, 4),
            },
        )
    life.sandbox.advance(370 * DAY)
    running = life.call.every("/v1/subscriptions")
    assert len(running) == 12
    months = {"month": 1, "year": 12}

    def monthly(each: dict[str, Any]) -> float:
        return (
            each["price"]["unit_amount"] * each["quantity"] / months[each["price"]["recurring"]["interval"]]
        )

    for each in running:
        invoices = life.call.every("/v1/invoices", subscription=each["id"])
        lines = [line for line in invoices[0]["lines"]["data"] if line["type"] == "subscription"]
        assert sum(line["amount"] / months[line["price"]["recurring"]["interval"]] for line in lines) == sum(
            monthly(item) for item in each["items"]["data"]
        )
    life.call.client.close()
