"""Whatever is tried, legal or not, money is conserved: the balance is the sum of its entries, a payout that of its members."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from stripe_magics.sandbox import SandboxTransport
from stripe_magics.sandbox.testcards import CARDS

from .conftest import DAY, Refused, Talk, conserved

METHODS = st.sampled_from(sorted(f"pm_card_{name}" for name in CARDS))
AMOUNTS = st.integers(40, 100_000)
CURRENCIES = st.sampled_from(["usd", "eur", "gbp", "jpy"])
PLACES = st.integers(0, 50)


class Books(RuleBasedStateMachine):
    """Random calls on one account; refusals are fine, exceptions and lost money are not."""

    def __init__(self) -> None:
        super().__init__()
        self.sandbox = SandboxTransport(demo=False)
        self.talk = Talk(self.sandbox)
        self.customer = self.talk("POST /v1/customers", name="A")["id"]

    def teardown(self) -> None:
        self.talk.client.close()

    def attempt(self, what: str, params: dict[str, Any] | None = None) -> dict[str, Any] | None:
        try:
            return self.talk(what, params or {})
        except Refused as refused:
            assert refused.status in {400, 402, 404}, refused
            return None

    def some(self, kind: str, place: int) -> str:
        rows = self.sandbox.account.table(kind).rows
        return rows[place % len(rows)].id if rows else "none"

    @rule(amount=AMOUNTS, currency=CURRENCIES, method=METHODS, manual=st.booleans(), off=st.booleans())
    def pay(self, amount: int, currency: str, method: str, manual: bool, off: bool) -> None:
        params = {
            "amount": amount,
            "currency": currency,
            "payment_method": method,
            "confirm": True,
            "off_session": off,
            "customer": self.customer,
        }
        self.attempt("POST /v1/payment_intents", {**params, "capture_method": "manual" if manual else "automatic"})

    @rule(amount=AMOUNTS, iban=st.sampled_from(["AT321904300235473204", "AT861904300235473202", "AT591904300235473203"]))
    def debit(self, amount: int, iban: str) -> None:
        data = {"payment_method_data[type]": "sepa_debit", "payment_method_data[sepa_debit][iban]": iban}
        self.attempt("POST /v1/payment_intents", {"amount": amount, "currency": "eur", "confirm": True, **data})

    @rule(place=PLACES, step=st.sampled_from(["confirm", "capture", "cancel"]), amount=AMOUNTS, method=METHODS)
    def move_intent(self, place: int, step: str, amount: int, method: str) -> None:
        params: dict[str, Any] = {"confirm": {"payment_method": method}, "capture": {"amount_to_capture": amount}, "cancel": {}}[
            step
        ]
        self.attempt(f"POST /v1/payment_intents/{self.some('payment_intent', place)}/{step}", params)

    @rule(place=PLACES, outcome=st.sampled_from(["succeed", "fail"]), what=st.sampled_from(["authenticate", "settle"]))
    def answer(self, place: int, outcome: str, what: str) -> None:
        self.attempt(f"POST /v1/test_helpers/payment_intents/{self.some('payment_intent', place)}/{what}", {"outcome": outcome})

    @rule(place=PLACES, amount=st.none() | AMOUNTS)
    def refund(self, place: int, amount: int | None) -> None:
        self.attempt("POST /v1/refunds", {"charge": self.some("charge", place), "amount": amount})

    @rule(place=PLACES, what=st.sampled_from(["succeed", "fail"]))
    def end_refund(self, place: int, what: str) -> None:
        self.attempt(f"POST /v1/test_helpers/refunds/{self.some('refund', place)}/{what}")

    @rule(amount=AMOUNTS, currency=CURRENCIES)
    def payout(self, amount: int, currency: str) -> None:
        self.attempt("POST /v1/payouts", {"amount": amount, "currency": currency})

    @rule(place=PLACES, what=st.sampled_from(["cancel", "fail", "pay"]))
    def move_payout(self, place: int, what: str) -> None:
        path = f"payouts/{self.some('payout', place)}/{what}"
        self.attempt(f"POST /v1/{path}" if what == "cancel" else f"POST /v1/test_helpers/{path}")

    @rule(place=PLACES, won=st.booleans())
    def dispute(self, place: int, won: bool) -> None:
        made = self.attempt(f"POST /v1/test_helpers/charges/{self.some('charge', place)}/dispute")
        if made:
            self.attempt(
                f"POST /v1/disputes/{made['id']}", {"evidence[uncategorized_text]": "winning_evidence" if won else "none"}
            )

    @rule(amount=st.integers(-5000, 50_000), currency=CURRENCIES)
    def item(self, amount: int, currency: str) -> None:
        self.attempt("POST /v1/invoiceitems", {"customer": self.customer, "amount": amount, "currency": currency})

    @rule(advance=st.booleans())
    def invoice(self, advance: bool) -> None:
        params = {"customer": self.customer, "pending_invoice_items_behavior": "include", "auto_advance": advance}
        self.attempt("POST /v1/invoices", params)

    @rule(place=PLACES, step=st.sampled_from(["finalize", "pay", "void", "mark_uncollectible"]), method=METHODS)
    def move_invoice(self, place: int, step: str, method: str) -> None:
        self.attempt(
            f"POST /v1/invoices/{self.some('invoice', place)}/{step}", {"payment_method": method} if step == "pay" else {}
        )

    @rule(seconds=st.sampled_from([60, 3600, DAY, 3 * DAY, 8 * DAY, 30 * DAY]))
    def wait(self, seconds: int) -> None:
        self.sandbox.advance(seconds)

    @invariant()
    def money_is_conserved(self) -> None:
        conserved(self.sandbox)
        account = self.sandbox.account
        for charge in account.each("charge"):
            refunded = sum(
                each["amount"]
                for each in account.each("refund")
                if each["charge"] == charge["id"] and each["status"] in {"pending", "succeeded"}
            )
            assert 0 <= refunded <= charge["amount_captured"] or not charge["captured"]
            if charge["captured"]:
                assert charge["amount_refunded"] == refunded
        for intent in account.each("payment_intent"):
            paid = sum(
                each["amount_captured"]
                for each in account.each("charge")
                if each["payment_intent"] == intent["id"] and each["captured"]
            )
            assert paid == intent["amount_received"] <= intent["amount"]
        for invoice in account.each("invoice"):
            assert invoice["amount_paid"] <= invoice["amount_due"]
            assert invoice["total"] == sum(
                line["amount"] for line in account.long_lines.get(invoice["id"]) or invoice["lines"]["data"]
            )
        customer = account.peek("customer", self.customer)
        assert customer is not None
        assert customer["balance"] == sum(each["amount"] for each in account.each("customer_balance_transaction"))


TestBooks = Books.TestCase
TestBooks.settings = settings(
    max_examples=25, stateful_step_count=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
