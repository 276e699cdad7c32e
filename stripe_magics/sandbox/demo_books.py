"""The demo firm's customers, subscriptions, payments and ledger entries as Stripe objects. Invoices: `demo_invoices`; payouts: `demo_payouts`.

Every object is written once, in its final state; what it looked like earlier is only needed by the events of the last 30 days.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from stripe_magics.catalogue import PINNED_VERSION
from stripe_magics.sandbox import charges, customers, payments
from stripe_magics.sandbox.account import Account, Object
from stripe_magics.sandbox.clock import business_days_after
from stripe_magics.sandbox.demo_firm import COUPONS, DAY, Client, Firm, Sale
from stripe_magics.sandbox.demo_objects import (
    Ids,
    address_of,
    card_for,
    catalogue,
    coupons,
    link_name,
    on_charge,
    price_id,
    raw,
    tax_rates,
)
from stripe_magics.sandbox.disputes import ANSWER_WITHIN, EVIDENCE, INQUIRY, REVIEW
from stripe_magics.sandbox.events import KEPT
from stripe_magics.sandbox.ledger import DISPUTE_FEE, SETTLING_DAYS, processing_fee
from stripe_magics.sandbox.methods import billing, new_method
from stripe_magics.sandbox.testcards import OUTCOMES, Outcome

KNOWN = {0: "Northwind", 1: "JennyRosen"}  # customers with readable ids
LATE_FAILURE = "expired_or_canceled_card"


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
    past_due: bool = False
    items: dict[str, str] = field(default_factory=dict)  # seat, plan -> subscription item


class Books:
    """Writes the firm's story into an account."""

    def __init__(self, account: Account, firm: Firm) -> None:
        """Products, prices, coupons and tax rates come first."""
        self.account, self.firm, self.now = account, firm, firm.as_of
        self.new = Ids(account.seed)
        self.since = firm.as_of - KEPT + DAY // 24
        self.entries: list[Object] = []
        self.screened: Counter[tuple[str, int]] = Counter()  # (currency, day) -> attempts
        self.settling: dict[int, int] = {}  # day -> when its funds are there
        start = firm.starts[1]
        self.prices = catalogue(account, start, firm.starts[13])
        self.price_text = {identifier: raw(each) for identifier, each in self.prices.items()}
        self.coupons = coupons(account, start, Counter(client.coupon for client in firm.clients if client.coupon))
        self.rates = tax_rates(account, start)
        self.rate_text = {currency: raw([rate]) for currency, rate in self.rates.items()}
        scratch = Account(seed=account.seed, now=0)
        scratch.me = account.me
        self.blank_customer = customers.new_customer(scratch)
        self.blank_intent = payments.new_intent(scratch, amount=0, currency="usd")
        card = new_method(scratch, *card_for(scratch, firm.clients[1]))
        self.blank_method = {name: value for name, value in card.items() if name != "card"}
        self.blank_charge = charges.new_charge(scratch, {"amount": 0, "currency": "usd"}, card)
        charges.authorise(scratch, self.blank_charge, Outcome())
        self.approved = raw(self.blank_charge["outcome"])
        self.failures: dict[str, tuple[Outcome, Any]] = {}
        self._scratch, self._scratch_card = scratch, card
        self.options = {
            "card": raw(
                {"card": {"installments": None, "mandate_options": None, "network": None, "request_three_d_secure": "automatic"}}
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
        self.account.insert(
            "event",
            {
                "id": self.new("evt"), "object": "event", "api_version": PINNED_VERSION, "created": moment, "data": data, "livemode": False,
                "pending_webhooks": 0, "request": {"id": None, "idempotency_key": None}, "type": kind,
            },
        )  # fmt: skip

    def entry(
        self, kind: str, category: str, currency: str, amount: int, moment: int, source: str | None, *, fee: int = 0, text: str | None = None,
        fee_text: str = "Stripe processing fees", settles: bool = False,
    ) -> Object:  # fmt: skip
        """A ledger entry; `settles`: the funds come two business days later."""
        available_on = self.settles(moment) if settles else moment
        details = (
            [{"amount": fee, "application": None, "currency": currency, "description": fee_text, "type": "stripe_fee"}]
            if fee
            else []
        )
        made = {
            "id": self.new("txn"), "object": "balance_transaction", "amount": amount, "available_on": available_on, "created": moment,
            "currency": currency, "description": text, "exchange_rate": None, "fee": fee, "fee_details": details, "net": amount - fee,
            "reporting_category": category, "source": source, "status": "pending" if available_on > self.now else "available", "type": kind,
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

    # customers

    def person(self, client: Client) -> Person:
        """The customer's payment method and what its other objects repeat; the customer itself is written at the end."""
        known = KNOWN.get(client.number)
        identifier = f"cus_demo{known}" if known else self.new("cus", 14)
        kind, details = card_for(self.account, client)
        shown_address = address_of(client)
        who = billing({"address": shown_address, "email": client.email, "name": client.person, "phone": None})
        method = {
            **self.blank_method, "id": f"pm_demo{known}" if known else self.new("pm"), "billing_details": raw(who), kind: details,
            "created": client.joined - 200, "customer": identifier, "type": kind,
        }  # fmt: skip
        person = Person(
            client=client, id=identifier, method=method["id"], kind=kind, type="py" if kind == "sepa_debit" else "ch",
            name=client.person if client.number == 1 else client.company, prefix=self.new.letters(f"prefix{client.number}", 8).upper(), address=raw(shown_address),
            billing=method["billing_details"], shown=on_charge({kind: details, "type": kind}), method_text=raw(method),
            subscription=f"sub_demo{known}" if known else self.new("sub"),
        )  # fmt: skip
        if client.coupon:
            months = COUPONS[client.coupon][2]
            person.discount = {
                "id": self.new("di"), "object": "discount", "checkout_session": None, "coupon": self.coupons[client.coupon],
                "customer": identifier, "end": client.joined + months * 2_629_800 if months else None, "invoice": None, "invoice_item": None,
                "promotion_code": None, "start": client.joined, "subscription": person.subscription, "subscription_item": None,
            }  # fmt: skip
            self.account.insert("discount", person.discount)
        self.account.insert("payment_method", method)
        return person

    def customer(self, person: Person) -> None:
        """The customer as it is now."""
        client = person.client
        made = {
            **self.blank_customer,
            "id": person.id, "address": person.address, "created": client.joined - 300, "currency": client.currency,
            "delinquent": client.delinquent, "description": f"{client.company}, {client.segment}", "email": client.email,
            "invoice_prefix": person.prefix,
            "invoice_settings": {"custom_fields": None, "default_payment_method": person.method, "footer": None, "rendering_options": None},
            "metadata": {"segment": client.segment, "plan": client.plan, "channel": client.channel, "country": client.country},
            "name": person.name, "next_invoice_sequence": person.sequence,
            "phone": f"+1555{client.number:07d}", "preferred_locales": [{"DE": "de", "AT": "de", "FR": "fr", "ES": "es"}.get(client.country, "en")],
        }  # fmt: skip
        self.account.insert("customer", made)
        early = {**made, "next_invoice_sequence": 1, "delinquent": False}
        self.event("customer.created", client.joined - 300, early)
        self.event("payment_method.attached", client.joined - 200, self.account.peek("payment_method", person.method) or {})

    def subscription(self, person: Person) -> None:
        """The customer's subscription as it is now."""
        client, now = person.client, self.now
        gone = 0 < client.ended <= now
        leaving = not gone and client.reason == "cancellation_requested" and client.ended > now
        asked = client.ended - (client.number % 19 + 2) * DAY if gone else now - (client.number % 9 + 1) * DAY
        if client.reason == "payment_failed":
            asked = client.ended
        seat = "platform" if client.plan == "platform" else "seat"
        bought = {} if client.plan == "platform" else {client.plan: 1}
        if client.seats:
            bought[seat] = client.seats
        items = [self._item(person, plan, quantity) for plan, quantity in bought.items()]
        status = "canceled" if gone else "past_due" if person.past_due else "active"
        made = {
            "id": person.subscription, "object": "subscription", "application": None, "application_fee_percent": None,
            "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None}, "billing_cycle_anchor": client.joined,
            "billing_cycle_anchor_config": None, "billing_thresholds": None, "cancel_at": person.period[1] if leaving else None,
            "cancel_at_period_end": leaving, "canceled_at": asked if gone or leaving else None,
            "cancellation_details": {"comment": None, "feedback": None, "reason": client.reason if gone or leaving else None},
            "collection_method": "send_invoice" if client.pays == "invoice" else "charge_automatically", "created": client.joined,
            "currency": client.currency, "current_period_end": person.period[1], "current_period_start": person.period[0],
            "customer": person.id, "days_until_due": client.terms if client.pays == "invoice" else None,
            "default_payment_method": person.method, "default_source": None,
            "default_tax_rates": self.rate_text.get(client.currency, []), "description": None, "discount": person.discount,
            "discounts": [person.discount["id"]] if person.discount else [], "ended_at": client.ended if gone else None,
            "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
            "items": {
                "object": "list", "data": items, "has_more": False, "total_count": len(items),
                "url": f"/v1/subscription_items?subscription={person.subscription}",
            },
            "latest_invoice": person.latest_invoice, "livemode": False, "metadata": {"plan": client.plan},
            "next_pending_invoice_item_invoice": None, "on_behalf_of": None, "pause_collection": None,
            "payment_settings": {"payment_method_options": None, "payment_method_types": None, "save_default_payment_method": "off"},
            "pending_invoice_item_interval": None, "pending_setup_intent": None, "pending_update": None, "plan": None,
            "quantity": items[0]["quantity"] if len(items) == 1 else None, "schedule": None,
            "start_date": client.joined, "status": status, "test_clock": None, "transfer_data": None, "trial_end": None,
            "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}}, "trial_start": None,
        }  # fmt: skip
        self.account.insert("subscription", made)
        for item in items:
            self.account.insert("subscription_item", item)
        self.event("customer.subscription.created", client.joined, {**made, "status": "active"})
        if gone:
            self.event("customer.subscription.deleted", client.ended, made)

    def _item(self, person: Person, plan: str, quantity: int) -> Object:
        client = person.client
        own = price_id(client.currency, plan, yearly=client.yearly, version=client.version)
        return {
            "id": self.item_id(person, plan), "object": "subscription_item", "billing_thresholds": None, "created": client.joined, "discounts": [],
            "metadata": {}, "plan": None, "price": self.price_text[own], "quantity": quantity, "subscription": person.subscription, "tax_rates": [],
        }  # fmt: skip

    def item_id(self, person: Person, plan: str) -> str:
        """The subscription item of a plan; whichever plan it is, it stays the same item."""
        part = "seat" if plan == "seat" else "plan"
        if part not in person.items:
            person.items[part] = self.new("si", 14)
        return person.items[part]

    # payments

    def intent(self, person: Person, created: int, amount: int, text: str, *, known: str = "", **changes: Any) -> Object:
        """A payment intent that nothing happened to yet; store it with `account.insert` once it is final."""
        identifier = f"pi_{known}" if known else self.new("pi")
        return {
            **self.blank_intent,
            "id": identifier, "amount": amount, "client_secret": f"{identifier}_secret_{self.new.letters(identifier, 24)}", "created": created,
            "currency": person.client.currency, "customer": person.id, "description": text, "payment_method_options": self.options[person.kind],
            "payment_method_types": [person.kind], "automatic_payment_methods": None, "metadata": {}, **changes,
        }  # fmt: skip

    def charge(
        self, person: Person, intent: Object, moment: int, *, settled: int = 0, code: str = "", captured: int | None = None
    ) -> Object:
        """One attempt. It failed with a code; or is taken at `settled` (0 if only held, or on its way); `captured` if only a part of it was."""
        identifier = f"ch_{intent['id'][3:]}" if intent["id"].startswith("pi_demo") and not code else self.new(person.type)
        amount = intent["amount"]
        made = {
            **self.blank_charge,
            "id": identifier, "amount": amount, "billing_details": person.billing, "created": moment, "currency": intent["currency"],
            "customer": person.id, "description": intent["description"], "fraud_details": {}, "invoice": intent["invoice"],
            "metadata": intent["metadata"], "outcome": self.approved, "payment_intent": intent["id"], "payment_method": person.method,
            "payment_method_details": person.shown, "receipt_url": f"https://pay.stripe.com/receipts/sandbox/{identifier}",
        }  # fmt: skip
        intent["latest_charge"] = identifier
        self.screened[intent["currency"], moment // DAY] += 1
        if code:
            outcome, told = self._failure(person.kind, code)
            made.update(status="failed", failure_code=outcome.code, failure_message=outcome.message, outcome=told)
            self.account.insert("charge", made)
            self.event("charge.failed", moment, made)
            intent["last_payment_error"] = self._error(outcome, made, person)
        elif settled:
            taken = amount if captured is None else captured
            booked = self.entry(
                "payment" if person.type == "py" else "charge", "charge", intent["currency"], amount, settled, identifier, fee=processing_fee(taken),
                text=intent["description"], settles=True,
            )  # fmt: skip
            if taken < amount:
                about = f"PARTIAL CAPTURE REVERSAL ({intent['description']})"
                self.entry(
                    "refund",
                    "partial_capture_reversal",
                    intent["currency"],
                    taken - amount,
                    settled,
                    identifier,
                    text=about,
                    settles=True,
                )
            made.update(status="succeeded", paid=True, captured=True, amount_captured=taken, balance_transaction=booked["id"])
        return made

    def _failure(self, kind: str, code: str) -> tuple[Outcome, Any]:
        known = self.failures.get(kind + code)
        if known is None:
            wanted = "debit_insufficient" if kind == "sepa_debit" else code
            outcome = OUTCOMES.get(wanted) or Outcome(code="card_declined", decline_code=code, message="Your card was declined.")
            failed = charges.new_charge(self._scratch, {"amount": 0, "currency": "usd"}, self._scratch_card)
            charges.fail(self._scratch, failed, outcome)
            known = self.failures[kind + code] = (outcome, raw(failed["outcome"]))
        return known

    def _error(self, outcome: Outcome, charge: Object, person: Person) -> Object:
        error: Object = {
            "charge": charge["id"],
            "code": outcome.code,
            "doc_url": f"https://stripe.com/docs/error-codes/{outcome.code.replace('_', '-')}",
        }
        if outcome.decline_code:
            error["decline_code"] = outcome.decline_code
        return {**error, "message": outcome.message, "payment_method": person.method_text, "type": "card_error"}

    def screening(self) -> None:
        """The fee for looking at each attempt, once a day."""
        for (currency, day), attempts in self.screened.items():
            moment = (day + 1) * DAY - 600
            if (day + 3) % 7 < 5 and moment < self.now:
                text = f"Radar - Screening Fee ({attempts} attempts)"
                self.entry("stripe_fee", "fee", currency, -5 * attempts, moment, None, text=text, settles=True)

    def given_back(self, person: Person, charge: Object, of: Any) -> None:
        """What a story says of the charge's refund and dispute; call it before the charge is stored."""
        if of.refund is not None:
            self._refund(charge, *of.refund)
        if of.dispute is not None:
            self._dispute(charge, *of.dispute)

    def _refund(self, charge: Object, moment: int, percent: int, reason: str | None, failed: bool) -> None:
        amount = charge["amount_captured"] * percent // 100
        currency, identifier = charge["currency"], self.new("re")
        text = f"REFUND FOR CHARGE ({charge['description']})"
        made = {
            "id": identifier, "object": "refund", "amount": amount,
            "balance_transaction": self.entry("refund", "refund", currency, -amount, moment, identifier, text=text)["id"],
            "charge": charge["id"], "created": moment, "currency": currency,
            "destination_details": {
                "card": {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"}, "type": "card",
            },
            "metadata": {}, "payment_intent": charge["payment_intent"], "reason": reason, "receipt_number": None,
            "source_transfer_reversal": None, "status": "succeeded", "transfer_reversal": None,
        }  # fmt: skip
        charge.update(amount_refunded=amount, refunded=amount == charge["amount_captured"])
        self.event("refund.created", moment, made)
        self.event("charge.refunded", moment, charge, {"amount_refunded": 0, "refunded": False})
        if failed:
            back = self.entry(
                "refund_failure", "refund_failure", currency, amount, moment + 5 * DAY, identifier, text="REFUND FAILURE"
            )
            made.update(status="failed", failure_reason=LATE_FAILURE, failure_balance_transaction=back["id"])
            charge.update(amount_refunded=0, refunded=False)
        if reason == "fraudulent":
            charge["fraud_details"] = {"user_report": "fraudulent"}
        self.account.insert("refund", made)

    def _dispute(self, charge: Object, moment: int, reason: str, status: str) -> None:
        identifier, currency, amount = self.new("du"), charge["currency"], charge["amount_captured"]
        inquiry = status.startswith("warning")
        booked = []

        def book(signed: int, category: str, when: int, fee: int = 0) -> None:
            text = f"Chargeback {'withdrawal' if signed < 0 else 'reversal'} for {charge['id']}"
            booked.append(
                self.entry("adjustment", category, currency, signed, when, identifier, fee=fee, fee_text="Dispute fee", text=text)
            )

        if not inquiry:
            book(-amount, "dispute", moment, DISPUTE_FEE)
        if status == "won":
            book(amount, "dispute_reversal", moment + 33 * DAY)
        answered = status in {"won", "under_review", "warning_closed"}
        made = {
            "id": identifier, "object": "dispute", "amount": amount, "balance_transaction": booked[0]["id"] if booked else None,
            "balance_transactions": booked, "charge": charge["id"], "created": moment, "currency": currency, "enhanced_eligibility_types": [],
            "evidence": dict.fromkeys(EVIDENCE),
            "evidence_details": {
                "due_by": moment + ANSWER_WITHIN, "has_evidence": answered, "past_due": status == "lost", "submission_count": int(answered),
            },
            "is_charge_refundable": inquiry, "livemode": False, "metadata": {}, "payment_intent": charge["payment_intent"],
            "payment_method_details": {
                "card": {"brand": "visa", "case_type": "inquiry" if inquiry else "chargeback", "network_reason_code": "10.4"}, "type": "card",
            },
            "reason": reason, "status": status,
        }  # fmt: skip
        if answered:
            made["evidence"]["product_description"] = "Software by subscription"
        charge.update(disputed=True, dispute=identifier)
        self.account.insert("dispute", made)
        early = {**made, "status": "warning_needs_response" if inquiry else "needs_response"}
        self.event("charge.dispute.created", moment, early)
        if not inquiry:
            self.event("charge.dispute.funds_withdrawn", moment, early)
        at = self.account.clock.at
        if status in {"needs_response", "warning_needs_response"}:
            at(moment + (INQUIRY if inquiry else ANSWER_WITHIN), "dispute_due", identifier)
        elif status == "under_review":
            at(max(self.now, moment + ANSWER_WITHIN) + REVIEW, "dispute_decided", identifier)

    def sale(self, person: Person, sale: Sale, *, known: str = "") -> None:
        """A payment without an invoice."""
        link = {"payment_link": f"plink_demo{link_name(sale.client.currency)}"} if sale.kind == "link" else {}
        manual = sale.kind in {"hold", "partial"} or sale.state == "requires_capture"
        intent = self.intent(
            person, sale.created, sale.amount, sale.text, known=known, metadata=link, capture_method="manual" if manual else "automatic_async",
            status=sale.state, payment_method=None if sale.state in {"requires_payment_method", "canceled"} else person.method,
        )  # fmt: skip
        self.event(
            "payment_intent.created", sale.created, {**intent, "status": "requires_payment_method", "payment_method": None}
        )
        for moment, code in sale.attempts:
            charge = None
            if sale.state != "requires_action":
                part = sale.amount * 3 // 4 if sale.kind == "partial" else None
                taken = 0 if code or sale.state in {"requires_capture", "processing"} else sale.settled or moment
                charge = self.charge(person, intent, moment, settled=taken, code=code, captured=part)
            if code:
                self.event("payment_intent.payment_failed", moment, {**intent, "status": "requires_payment_method"})
                continue
            intent["last_payment_error"] = None
            self._reached(intent, sale, charge, moment)
            if charge is not None:
                self.given_back(person, charge, sale)
                self.account.insert("charge", charge)
        if sale.state == "canceled":
            intent.update(
                canceled_at=sale.settled,
                cancellation_reason=("abandoned", "requested_by_customer", "duplicate")[sale.amount // 500 % 3],
            )
            self.event("payment_intent.canceled", sale.settled, intent)
        self.account.insert("payment_intent", intent)

    def _reached(self, intent: Object, sale: Sale, charge: Object | None, moment: int) -> None:
        """How far a single payment got."""
        if sale.state == "requires_action" or charge is None:
            intent["next_action"] = {
                "type": "use_stripe_sdk",
                "use_stripe_sdk": {"source": intent["id"], "type": "three_d_secure_redirect"},
            }
            self.event("payment_intent.requires_action", moment, intent)
        elif sale.state == "requires_capture":
            intent["amount_capturable"] = sale.amount
            charge.update(status="succeeded", paid=True)
            self.account.clock.at(moment + charges.HOLD, "hold_expires", intent["id"])
            self.event("charge.succeeded", moment, charge)
            self.event("payment_intent.amount_capturable_updated", moment, intent)
        elif sale.state == "processing":
            self.account.clock.at(max(self.now, moment + 4 * DAY), "debit_settles", intent["id"])
            self.event("payment_intent.processing", moment, intent)
        else:
            intent["amount_received"] = charge["amount_captured"]
            self.event(
                "charge.succeeded" if not sale.kind.startswith(("hold", "partial")) else "charge.captured",
                sale.settled or moment,
                charge,
            )
            self.event("payment_intent.succeeded", sale.settled or moment, intent)
