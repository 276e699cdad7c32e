"""The demo firm's books: charges, intents, events and ledger entries as Stripe objects, and what they all
share.

Every object is written once, in its final state; what it looked like earlier is only needed by the events of
the last 30 days.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from stripe_magics.catalogue import PINNED_VERSION
from stripe_magics.sandbox.core.clock import business_days_after
from stripe_magics.sandbox.core.events import KEPT
from stripe_magics.sandbox.core.ledger import SETTLING_DAYS, fee_text, processing_fee
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.demo_data.ids import Ids
from stripe_magics.sandbox.demo_data.records import DAY, Client, FirmRecords
from stripe_magics.sandbox.demo_data.static_objects import card_for, catalogue, coupons, raw, tax_rates
from stripe_magics.sandbox.resources import charges, customers
from stripe_magics.sandbox.resources.charge_objects import new_charge
from stripe_magics.sandbox.resources.payment_intents import intent_parameters
from stripe_magics.sandbox.resources.payment_methods.method_creation import new_method
from stripe_magics.sandbox.resources.payment_methods.test_cards import OUTCOMES, CardBehaviour
from stripe_magics.sandbox.resources.price_objects import plan_of
from stripe_magics.sandbox.resources.refund_objects import new_refund
from stripe_magics.sandbox.resources.subscriptions.period_invoices import rate_text


@dataclass(slots=True)
class Person:
    """What objects of one customer repeat."""

    client: Client
    id: str
    method: str
    kind: str
    type: str  # prefix of its charges: ch, py
    name: str
    prefix: str
    address: Any
    billing: Any
    shown: Any
    method_text: Any
    subscription: str
    discount: Object | None = None
    sequence: int = 1
    latest_invoice: str | None = None
    period: tuple[int, int] = (0, 0)
    past_due: int = 0  # since when an invoice of the subscription is overdue, or failed
    items: dict[str, str] = field(default_factory=dict)  # seat, plan -> subscription item
    # plan -> (price, quantity), as its last period was billed
    buys: dict[str, tuple[str, int]] = field(default_factory=dict)
    standing: tuple[int, bool] = (0, False)  # when an invoice was last paid or not; whether it was not

    def stands(self, moment: int, *, delinquent: bool) -> None:
        """An invoice was paid or written off, or an attempt to collect one failed, or its due date passed."""
        self.standing = max(self.standing, (moment, delinquent))

    @property
    def plan(self) -> str:
        """The plan that it was billed last, besides seats."""
        return next(plan for plan in self.buys if plan != "seat")


class Books:
    """Writes the firm's story into an account."""

    def __init__(self, account: Account, firm: FirmRecords) -> None:
        """Products, prices, coupons and tax rates come first."""
        self.account, self.firm, self.now = account, firm, firm.as_of
        self.new = Ids(account.seed)
        self.since = firm.as_of - KEPT + DAY // 24
        self.entries: list[Object] = []
        self._late: list[tuple[str, int, Any]] = []
        self.screened: Counter[tuple[str, int]] = Counter()  # (currency, day) -> attempts
        self.settling: dict[int, int] = {}  # day -> when its funds are there
        start = firm.starts[1]
        self.prices = catalogue(account, start, firm.starts[13])
        self.price_text = {identifier: raw(each) for identifier, each in self.prices.items()}
        self.plan_text = {identifier: raw(plan_of(each)) for identifier, each in self.prices.items()}
        self.rate_text_of = {
            identifier: rate_text(each, each["unit_amount_decimal"])
            for identifier, each in self.prices.items()
            if each["recurring"]
        }
        self.coupons = coupons(
            account, start, Counter(client.coupon for client in firm.clients if client.coupon)
        )
        self.rates = tax_rates(account, start)
        self.rate_text = {currency: raw([rate]) for currency, rate in self.rates.items()}
        scratch = Account(seed=account.seed, now=0)
        scratch.profile = account.profile
        self.blank_customer = customers.new_customer(scratch)
        self.blank_intent = intent_parameters.new_intent(scratch, amount=0, currency="usd")
        card = new_method(scratch, *card_for(scratch, firm.clients[1]))
        self.blank_method = {name: value for name, value in card.items() if name != "card"}
        self.blank_charge = new_charge(scratch, {"amount": 0, "currency": "usd"}, card)
        charges.authorise(scratch, self.blank_charge, CardBehaviour())
        self.approved = raw(self.blank_charge["outcome"])
        self.failures: dict[str, tuple[CardBehaviour, Any]] = {}
        self._scratch, self._scratch_card = scratch, card
        self.options = {
            "card": raw(
                {
                    "card": {
                        "installments": None,
                        "mandate_options": None,
                        "network": None,
                        "request_three_d_secure": "automatic",
                    }
                }
            ),
            "sepa_debit": raw({"sepa_debit": {}}),
        }

    # events and the ledger

    def event(self, kind: str, moment: int, subject: Object, before: Object | None = None) -> None:
        """Something happened; only the last 30 days are kept."""
        if moment < self.since or moment > self.now:
            return
        data: Object = {"object": subject}
        if before is not None:
            data["previous_attributes"] = before
        self._note(kind, moment, data)

    def _note(self, kind: str, moment: int, data: object) -> None:
        self.account.insert(
            "event",
            {
                "id": self.new("evt"), "object": "event", "api_version": PINNED_VERSION, "created": moment,
                "data": data, "livemode": False,
                "pending_webhooks": 0, "request": {"id": None, "idempotency_key": None}, "type": kind,
            },
        )  # fmt: skip

    def late_event(self, kind: str, moment: int, subject: Object, before: Object) -> None:
        """One that is written after all else, as the object is now: ids are dealt in order, and those of what
        is written before stay what they were."""
        if self.since <= moment <= self.now:
            self._late.append((kind, moment, raw({"object": subject, "previous_attributes": before})))

    def write_late_events(self) -> None:
        """Write what was put off."""
        for each in self._late:
            self._note(*each)
        self._late.clear()

    def entry(  # noqa: PLR0913 - what an entry of the ledger says
        self, kind: str, category: str, currency: str, amount: int, moment: int, source: str | None, *,
        fee: int = 0, text: str | None = None,
        settles: bool = False,
    ) -> Object:  # fmt: skip
        """A ledger entry; `settles`: the funds come two business days later."""
        available_on = self.settles(moment) if settles else moment
        details = (
            [
                {
                    "amount": fee,
                    "application": None,
                    "currency": currency,
                    "description": fee_text(kind),
                    "type": "stripe_fee",
                }
            ]
            if fee
            else []
        )
        made = {
            "id": self.new("txn"), "object": "balance_transaction", "amount": amount,
            "available_on": available_on, "created": moment,
            "currency": currency, "description": text, "exchange_rate": None, "fee": fee,
            "fee_details": details, "net": amount - fee,
            "reporting_category": category, "source": source,
            "status": "pending" if available_on > self.now else "available", "type": kind,
        }  # fmt: skip
        self.entries.append(made)
        return made

    def settles(self, moment: int) -> int:
        """When funds of that moment become available: two business days later."""
        day = moment // DAY
        found = self.settling.get(day)
        if found is None:
            found = self.settling[day] = business_days_after(moment, SETTLING_DAYS)
        return found

    # payments

    def intent(
        self, person: Person, created: int, amount: int, text: str, *, known: str = "", **changes: Any
    ) -> Object:
        """A payment intent that nothing happened to yet; store it with `account.insert` once it is final."""
        identifier = f"pi_{known}" if known else self.new("pi")
        return {
            **self.blank_intent, "id": identifier, "amount": amount,
            "client_secret": f"{identifier}_secret_{self.new.next(24)}", "created": created,
            "currency": person.client.currency, "customer": person.id, "description": text,
            "payment_method_options": self.options[person.kind], "payment_method_types": [person.kind],
            "automatic_payment_methods": None, "metadata": {}, **changes,
        }  # fmt: skip

    def charge(
        self,
        person: Person,
        intent: Object,
        moment: int,
        *,
        settled: int = 0,
        code: str = "",
        captured: int | None = None,
    ) -> Object:
        """One attempt. It failed with a code; or is taken at `settled` (0 if only held, or on its way);
        `captured` if only a part of it was."""
        identifier = (
            f"ch_{intent['id'][3:]}"
            if intent["id"].startswith("pi_demo") and not code
            else self.new(person.type)
        )
        amount = intent["amount"]
        made = {
            **self.blank_charge, "id": identifier, "amount": amount, "billing_details": person.billing,
            "created": moment, "currency": intent["currency"], "customer": person.id,
            "description": intent["description"], "fraud_details": {}, "invoice": intent["invoice"],
            "metadata": intent["metadata"], "outcome": self.approved, "payment_intent": intent["id"],
            "payment_method": person.method, "payment_method_details": person.shown,
            "receipt_url": f"https://pay.stripe.com/receipts/sandbox/{identifier}",
        }  # fmt: skip
        intent["latest_charge"] = identifier
        self.screened[intent["currency"], moment // DAY] += 1
        if code:
            outcome, shown = self._failure(person.kind, code)
            made.update(
                status="failed", failure_code=outcome.code, failure_message=outcome.message, outcome=shown
            )
            self.account.insert("charge", made)
            self.event("charge.failed", moment, made)
            intent["last_payment_error"] = self._error(outcome, made, person)
        elif settled:
            taken = amount if captured is None else captured
            booked = self.entry(
                "payment" if person.type == "py" else "charge", "charge", intent["currency"], amount, settled,
                identifier, fee=processing_fee(taken), text=intent["description"], settles=True,
            )  # fmt: skip
            if taken < amount:
                about = f"PARTIAL CAPTURE REVERSAL ({intent['description']})"
                reversal = self.entry(
                    "refund",
                    "partial_capture_reversal",
                    intent["currency"],
                    taken - amount,
                    settled,
                    identifier,
                    text=about,
                    settles=True,
                )
                self._release_rest(made, settled, amount - taken, reversal["id"])
            made.update(
                status="succeeded",
                paid=True,
                captured=True,
                amount_captured=taken,
                balance_transaction=booked["id"],
            )
        return made

    def _release_rest(self, charge: Object, moment: int, rest: int, entry: str) -> None:
        """What a capture left of the hold, as a refund."""
        made = new_refund(self.account, {**charge, "payment_method_details": {"type": "card"}}, rest, {})
        made.update(created=moment, status="succeeded", balance_transaction=entry)
        charge["amount_refunded"] = rest
        self.account.insert("refund", made)
        self.event("refund.created", moment, made)

    def _failure(self, kind: str, code: str) -> tuple[CardBehaviour, Any]:
        known = self.failures.get(kind + code)
        if known is None:
            requested = "debit_insufficient" if kind == "sepa_debit" else code
            outcome = OUTCOMES.get(requested) or CardBehaviour(
                code="card_declined", decline_code=code, message="Your card was declined."
            )
            failed = new_charge(self._scratch, {"amount": 0, "currency": "usd"}, self._scratch_card)
            charges.fail(self._scratch, failed, outcome)
            known = self.failures[kind + code] = (outcome, raw(failed["outcome"]))
        return known

    def _error(self, outcome: CardBehaviour, charge: Object, person: Person) -> Object:
        error: Object = {
            "charge": charge["id"],
            "code": outcome.code,
            "doc_url": f"https://stripe.com/docs/error-codes/{outcome.code.replace('_', '-')}",
        }
        if outcome.decline_code:
            error["decline_code"] = outcome.decline_code
        return {
            **error,
            "message": outcome.message,
            "payment_method": person.method_text,
            "type": "card_error",
        }

    def screening(self) -> None:
        """The fee for looking at each attempt, once a day."""
        for (currency, day), attempts in self.screened.items():
            moment = (day + 1) * DAY - 600
            if (day + 3) % 7 < 5 and moment < self.now:
                text = f"Radar - Screening Fee ({attempts} attempts)"
                self.entry(
                    "stripe_fee", "fee", currency, -5 * attempts, moment, None, text=text, settles=True
                )
