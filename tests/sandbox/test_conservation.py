"""Whatever is tried, legal or not, money is conserved: the balance is the sum of its entries, a payout that
of its members."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from stripe_magics.sandbox import SandboxTransport
from stripe_magics.sandbox.resources.payment_methods.test_cards import CARDS

from .conftest import DAY, Refused, Talk, conserved


def there_is(kind: str) -> Any:
    return precondition(lambda self: bool(self.sandbox.account.table(kind).rows))


METHODS = st.sampled_from(["pm_card_bypassPending", "pm_card_visa"]) | st.sampled_from(
    sorted(f"pm_card_{name}" for name in CARDS)
)
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
        for currency in ("usd", "eur"):
            self.talk.intent(50_000, method="pm_card_bypassPending", currency=currency)

    def teardown(self) -> None:
        self.talk.client.close()

    def attempt(self, what: str, params: dict[str, Any] | None = None) -> dict[str, Any] | None:
        try:
            return self.talk(what, params or {})
        except Refused as refused:
            assert refused.status in {400, 402, 404}, refused
            return None

    def some(self, kind: str, place: int, *expected: str) -> str:
        """One of the objects of a type: by preference one in these states, so that legal moves are not
        rare."""
        rows = self.sandbox.account.table(kind).rows
        fitting = [row for row in rows if row.value.get("status") in expected] if place % 3 else []
        return (fitting or rows)[place % len(fitting or rows)].id

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
        self.attempt(
            "POST /v1/payment_intents", {**params, "capture_method": "manual" if manual else "automatic"}
        )

    @rule(
        amount=AMOUNTS,
        iban=st.sampled_from(["AT321904300235473204", "AT861904300235473202", "AT591904300235473203"]),
    )
    def debit(self, amount: int, iban: str) -> None:
        data = {"payment_method_data[type]": "sepa_debit", "payment_method_data[sepa_debit][iban]": iban}
        self.attempt(
            "POST /v1/payment_intents", {"amount": amount, "currency": "eur", "confirm": True, **data}
        )

    @there_is("payment_intent")
    @rule(
        place=PLACES, step=st.sampled_from(["confirm", "capture", "cancel"]), amount=AMOUNTS, method=METHODS
    )
    def move_intent(self, place: int, step: str, amount: int, method: str) -> None:
        params: dict[str, Any] = {
            "confirm": {"payment_method": method},
            "capture": {"amount_to_capture": amount},
            "cancel": {},
        }[step]
        states = {
            "confirm": ["requires_confirmation", "requires_payment_method"],
            "capture": ["requires_capture"],
            "cancel": ["requires_capture"],
        }
        self.attempt(
            f"POST /v1/payment_intents/{self.some('payment_intent', place, *states[step])}/{step}", params
        )

    @there_is("payment_intent")
    @rule(
        place=PLACES,
        outcome=st.sampled_from(["succeed", "fail"]),
        what=st.sampled_from(["authenticate", "settle"]),
    )
    def answer(self, place: int, outcome: str, what: str) -> None:
        state = {"authenticate": "requires_action", "settle": "processing"}[what]
        self.attempt(
            f"POST /v1/test_helpers/payment_intents/{self.some('payment_intent', place, state)}/{what}",
            {"outcome": outcome},
        )

    @there_is("charge")
    @rule(place=PLACES, amount=st.none() | AMOUNTS)
    def refund(self, place: int, amount: int | None) -> None:
        self.attempt(
            "POST /v1/refunds", {"charge": self.some("charge", place, "succeeded"), "amount": amount}
        )

    @there_is("refund")
    @rule(place=PLACES, what=st.sampled_from(["succeed", "fail"]))
    def end_refund(self, place: int, what: str) -> None:
        self.attempt(f"POST /v1/test_helpers/refunds/{self.some('refund', place)}/{what}")

    @rule(share=st.integers(1, 12), currency=CURRENCIES)
    def payout(self, share: int, currency: str) -> None:
        """A tenth of what there is up to a little more than all of it."""
        have = self.sandbox.account.ledger.available(currency)
        self.attempt("POST /v1/payouts", {"amount": max(1, have) * share // 10, "currency": currency})

    @there_is("payout")
    @rule(place=PLACES, what=st.sampled_from(["cancel", "fail", "pay"]))
    def move_payout(self, place: int, what: str) -> None:
        path = f"payouts/{self.some('payout', place, 'pending', 'in_transit')}/{what}"
        self.attempt(f"POST /v1/{path}" if what == "cancel" else f"POST /v1/test_helpers/{path}")

    @there_is("charge")
    @rule(place=PLACES, won=st.booleans())
    def dispute(self, place: int, won: bool) -> None:
        made = self.attempt(
            f"POST /v1/test_helpers/charges/{self.some('charge', place, 'succeeded')}/dispute"
        )
        if made:
            self.attempt(
                f"POST /v1/disputes/{made['id']}",
                {"evidence[uncategorized_text]": "winning_evidence" if won else "none"},
            )

    @rule(amount=st.integers(-5000, 50_000), currency=CURRENCIES)
    def item(self, amount: int, currency: str) -> None:
        self.attempt(
            "POST /v1/invoiceitems", {"customer": self.customer, "amount": amount, "currency": currency}
        )

    @rule(advance=st.booleans(), final=st.booleans(), amount=st.none() | st.integers(-500, 50_000))
    def invoice(self, advance: bool, final: bool, amount: int | None) -> None:
        if amount is not None:
            currency = self.talk(f"GET /v1/customers/{self.customer}")["currency"] or "usd"
            self.attempt(
                "POST /v1/invoiceitems", {"customer": self.customer, "amount": amount, "currency": currency}
            )
        params = {
            "customer": self.customer,
            "pending_invoice_items_behavior": "include",
            "auto_advance": advance,
        }
        made = self.attempt("POST /v1/invoices", params)
        if made and final:
            self.attempt(f"POST /v1/invoices/{made['id']}/finalize")

    @there_is("invoice")
    @rule(
        place=PLACES, step=st.sampled_from(["finalize", "pay", "void", "mark_uncollectible"]), method=METHODS
    )
    def move_invoice(self, place: int, step: str, method: str) -> None:
        self.attempt(
            f"POST /v1/invoices/{self.some('invoice', place)}/{step}",
            {"payment_method": method} if step == "pay" else {},
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
        assert customer["balance"] == sum(
            each["amount"] for each in account.each("customer_balance_transaction")
        )


TestBooks = Books.TestCase
TestBooks.settings = settings(
    max_examples=25,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
