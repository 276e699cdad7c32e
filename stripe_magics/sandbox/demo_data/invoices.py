"""The demo firm's bills as invoices, with their lines, their items and the payment intents that pay them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from stripe_magics.sandbox.core.store import Object, decode, encode
from stripe_magics.sandbox.demo_data.customers import item_id
from stripe_magics.sandbox.demo_data.records import TAXED, Bill, Client, Line
from stripe_magics.sandbox.demo_data.refunds_and_disputes import given_back
from stripe_magics.sandbox.demo_data.static_objects import price, price_id, raw
from stripe_magics.sandbox.demo_data.writer import Books, Person
from stripe_magics.sandbox.resources.invoices.totals import pretax_discount

NOTHING: dict[str, Any] = {
    "finalized_at": None,
    "marked_uncollectible_at": None,
    "paid_at": None,
    "voided_at": None,
}
UNCREDITED = raw({"credited_items": None})
TEXTS = {
    "subscription_create": "Subscription creation",
    "subscription_cycle": "Subscription update",
    "manual": "Payment for Invoice",
}


def write(books: Books, person: Person, bill: Bill, *, known: str = "") -> None:
    """One bill: the invoice, its items, its intent and charges, its entries."""
    identifier = f"in_{known}" if known else books.new("in")
    lines = [_line(books, person, bill, identifier, line) for line in bill.lines]
    off, tax = (
        sum(each["discount_amounts"][0]["amount"] for each in lines if each["discount_amounts"]),
        _tax(lines),
    )
    subtotal = sum(line.amount for line in bill.lines)
    total = subtotal - off + tax
    draft = bill.outcome == "draft"
    made = _draft(books, person, bill, identifier)
    made.update(
        amount_due=total, amount_remaining=total, subtotal=subtotal, subtotal_excluding_tax=subtotal,
        total=total, tax=tax or None, total_excluding_tax=total - tax,
        lines={"object": "list", "data": lines, "has_more": False, "total_count": len(lines),
            "url": f"/v1/invoices/{identifier}/lines"},
    )  # fmt: skip
    if off and person.discount is not None:
        made["total_discount_amounts"] = [{"amount": off, "discount": person.discount["id"]}]
        made["total_pretax_credit_amounts"] = [pretax_discount(made["total_discount_amounts"][0])]
        made.update(discount=person.discount, discounts=[person.discount["id"]])
    if person.client.currency in TAXED:
        rate = books.rates[person.client.currency]["id"]
        made["total_tax_amounts"] = [_tax_part(tax, rate, total - tax)]
    books.event("invoice.created", bill.created, made)
    if bill.reason != "manual":
        person.latest_invoice = identifier
        ahead = [line for line in bill.lines if line.price and not line.proration]
        person.period = max((line.start, line.end) for line in ahead)
        person.buys = {
            line.price[0]: (_price_of(bill.client, line), line.quantity) for line in ahead if line.price
        }
    if not draft:
        _issue(books, person, bill, made)
        intent = _intent(books, person, bill, made)
        _collect(books, person, bill, made, intent)
        books.account.insert("payment_intent", intent)
    elif bill.reason != "manual":
        own = [each for each in lines if each["type"] == "subscription"]
        # from which the draft is built anew when it changes
        books.account.private_state[identifier] = {"lines": decode(encode(own))}
        books.account.clock.at(bill.finalized, "invoice_finalizes", identifier)
    books.account.insert("invoice", made)


def _price_of(client: Client, line: Line) -> str:
    """The id of the price by which a line is billed."""
    plan, yearly, version = line.price or ("", False, 0)
    return price_id(client.currency, plan, yearly=yearly, version=version)


def _line(books: Books, person: Person, bill: Bill, identifier: str, line: Line) -> Object:
    client = person.client
    discountable = line.price is not None and not line.proration
    off = (line.amount * bill.percent + 50) // 100 if bill.percent and discountable else 0
    percent = TAXED.get(client.currency, 0)
    net = line.amount - off
    tax = (net * percent + 50) // 100
    of_plan = discountable and bill.reason != "manual"
    if line.price is not None:
        plan = line.price[0]
        known = _price_of(client, line)
        shown, former = books.price_text[known], books.plan_text[known]
        text = line.text if line.proration else f"{line.quantity} × {line.text} ({books.rate_text_of[known]})"
    else:
        plan, text, former = "", line.text, None
        own = price(
            books.new("price"), "prod_demoService", client.currency, line.amount, bill.created, active=False
        )
        shown = raw(own)
    item = None if of_plan else books.new("ii")
    made = {
        "id": books.new("il"), "object": "line_item", "amount": line.amount,
        "amount_excluding_tax": line.amount, "currency": client.currency, "description": text,
        "discount_amounts": [], "discountable": discountable, "discounts": [], "invoice": identifier,
        "livemode": False, "metadata": {}, "plan": former, "period": {"end": line.end, "start": line.start},
        "pretax_credit_amounts": [], "price": shown, "proration": line.proration,
        "proration_details": UNCREDITED, "quantity": line.quantity,
        "subscription": None if bill.reason == "manual" else person.subscription, "subscription_item": None,
        "tax_amounts": [], "tax_rates": [], "type": "invoiceitem",
        "unit_amount_excluding_tax": str(line.amount // line.quantity),
    }  # fmt: skip
    if of_plan:
        made["type"] = "subscription"
    if plan:
        made["subscription_item"] = item_id(books, person, plan)
    if off and person.discount is not None:
        made["discount_amounts"] = [{"amount": off, "discount": person.discount["id"]}]
        made["pretax_credit_amounts"] = [pretax_discount(made["discount_amounts"][0])]
    if percent:
        made["tax_amounts"] = [_tax_part(tax, books.rates[client.currency]["id"], net)]
    if item is not None:
        made["invoice_item"] = item
        books.account.insert("invoiceitem", _item(made, person, bill))
    return made


def _item(line: Object, person: Person, bill: Bill) -> Object:
    """The invoice item that a line comes from."""
    same = ("amount", "currency", "description", "discountable", "discounts", "invoice", "livemode",
            "metadata", "period", "plan", "price", "proration",
            "quantity", "subscription")  # fmt: skip
    of = {"subscription_item": line["subscription_item"]} if line["proration"] else {}
    return {
        "id": line["invoice_item"], "object": "invoiceitem", "customer": person.id, "date": bill.created,
        "tax_rates": [], "test_clock": None,
        **_unit(line["amount"], line["quantity"]), **{name: line[name] for name in same}, **of,
    }  # fmt: skip


def _unit(amount: int, quantity: int) -> Object:
    """What one of them costs; a fraction of a minor unit only as a decimal."""
    unit = Decimal(amount) / quantity
    whole = unit == unit.to_integral_value()
    return {
        "unit_amount": int(unit) if whole else None,
        "unit_amount_decimal": format(unit.quantize(Decimal("1e-12")).normalize(), "f"),
    }


def _tax_part(amount: int, rate: str, taxable: int) -> Object:
    return {
        "amount": amount,
        "inclusive": False,
        "tax_rate": rate,
        "taxability_reason": "standard_rated",
        "taxable_amount": taxable,
    }


def _tax(lines: list[Object]) -> int:
    return sum(part["amount"] for line in lines for part in line["tax_amounts"])


BLANK: Object = {
    "id": "", "object": "invoice", "account_country": "US", "account_name": "Sandbox",
    "account_tax_ids": None, "amount_due": 0, "amount_paid": 0, "amount_remaining": 0, "amount_shipping": 0,
    "application": None, "application_fee_amount": None, "attempt_count": 0, "attempted": False,
    "auto_advance": True,
    "automatic_tax": raw({"disabled_reason": None, "enabled": False, "liability": None, "status": None}),
    "billing_reason": "manual", "charge": None, "collection_method": "charge_automatically", "created": 0,
    "currency": "usd", "custom_fields": None, "customer": None, "customer_address": None,
    "customer_email": None, "customer_name": None, "customer_phone": None, "customer_shipping": None,
    "customer_tax_exempt": "none", "customer_tax_ids": [], "default_payment_method": None,
    "default_source": None, "default_tax_rates": [], "description": None, "discount": None, "discounts": [],
    "due_date": None, "effective_at": None, "ending_balance": None, "footer": None, "from_invoice": None,
    "hosted_invoice_url": None, "invoice_pdf": None, "issuer": raw({"type": "self"}),
    "last_finalization_error": None, "latest_revision": None, "lines": None, "livemode": False,
    "metadata": {}, "next_payment_attempt": None, "number": None, "on_behalf_of": None, "paid": False,
    "paid_out_of_band": False, "payment_intent": None,
    "payment_settings": raw({"default_mandate": None, "payment_method_options": None,
        "payment_method_types": None}), "period_end": 0,
    "period_start": 0, "post_payment_credit_notes_amount": 0, "pre_payment_credit_notes_amount": 0,
    "quote": None, "receipt_number": None, "rendering": None, "shipping_cost": None, "shipping_details": None,
    "starting_balance": 0, "statement_descriptor": None, "status": "draft", "status_transitions": NOTHING,
    "subscription": None, "subscription_details": raw({"metadata": {}}), "subtotal": 0,
    "subtotal_excluding_tax": 0, "tax": None, "test_clock": None, "total": 0, "total_discount_amounts": [],
    "total_excluding_tax": 0, "total_pretax_credit_amounts": [], "total_tax_amounts": [],
    "transfer_data": None, "webhooks_delivered_at": None,
}  # fmt: skip
"""A draft about which nothing is known."""


def _draft(books: Books, person: Person, bill: Bill, identifier: str) -> Object:
    """The invoice before its lines are added up."""
    client = person.client
    by_hand = bill.reason == "manual"
    return {
        **BLANK,
        "id": identifier, "auto_advance": not by_hand,
        "billing_reason": bill.reason,
        "collection_method": "send_invoice" if bill.pays == "invoice" else "charge_automatically",
        "created": bill.created, "currency": client.currency, "customer": person.id,
        "customer_address": person.address,
        "customer_email": client.email, "customer_name": person.name,
        "default_tax_rates": books.rate_text.get(client.currency, []),
        "due_date": bill.due or None, "period_end": bill.created,
        "period_start": bill.since or bill.created,
        "subscription": None if by_hand else person.subscription, "webhooks_delivered_at": bill.created,
    }  # fmt: skip


def _issue(books: Books, person: Person, bill: Bill, made: Object) -> None:
    """Finalize it: it gets its number."""
    place = f"{books.account.profile.get('id', 'acct_sandbox')}/{made['id']}"
    made.update(
        status="open", number=f"{person.prefix}-{person.sequence:04d}", effective_at=bill.finalized,
        hosted_invoice_url=f"https://invoice.stripe.com/i/{place}",
        invoice_pdf=f"https://pay.stripe.com/invoice/{place}/pdf", ending_balance=0,
        status_transitions={**NOTHING, "finalized_at": bill.finalized},
    )  # fmt: skip
    person.sequence += 1


def _intent(books: Books, person: Person, bill: Bill, made: Object) -> Object:
    known = made["id"][3:] if made["id"].startswith("in_demo") else ""
    lasting = {} if bill.reason == "manual" else {"setup_future_usage": "off_session"}
    intent = books.intent(
        person, bill.finalized, made["total"], TEXTS[bill.reason], known=known, invoice=made["id"], **lasting
    )
    made["payment_intent"] = intent["id"]
    books.event("invoice.finalized", bill.finalized, made)
    books.event("payment_intent.created", bill.finalized, intent)
    return intent


def _collect(books: Books, person: Person, bill: Bill, made: Object, intent: Object) -> None:
    """What came of it."""
    charge = None
    for place, (moment, code) in enumerate(bill.attempts):
        made["attempt_count"] += 1
        made["attempted"] = True
        way = 0 if code or bill.outcome != "paid" else bill.settled
        charge = books.charge(person, intent, moment, settled=way, code=code)
        if code:
            person.stands(moment, delinquent=True)
            following = bill.attempts[place + 1 : place + 2]
            made.update(
                charge=charge["id"], next_payment_attempt=following[0][0] if following else bill.retry or None
            )
            books.event("payment_intent.payment_failed", moment, intent)
            books.event("invoice.payment_failed", moment, made)
            continue
        made["charge"] = charge["id"]
        if bill.outcome == "paid":
            _paid(books, person, bill, made, intent, charge)
        else:  # a bank debit on its way
            intent.update(status="processing", payment_method=person.method, last_payment_error=None)
            books.account.insert("charge", charge)
            books.event("payment_intent.processing", moment, intent)
            books.account.clock.at(max(books.now, bill.settled), "debit_settles", intent["id"])
    if 0 < bill.due < books.now and not (bill.settled and bill.settled <= bill.due):
        person.stands(bill.due, delinquent=True)
    if bill.outcome in {"paid", "uncollectible"}:
        person.stands(bill.settled, delinquent=False)
    if bill.outcome == "open":
        _left_open(books, person, bill, made)
    elif bill.outcome in {"void", "uncollectible"}:
        _closed(books, bill, made, intent)


def _paid(books: Books, person: Person, bill: Bill, made: Object, intent: Object, charge: Object) -> None:
    moment = bill.settled
    total = made["total"]
    intent.update(
        status="succeeded", amount_received=total, payment_method=person.method, last_payment_error=None
    )
    made.update(
        status="paid", paid=True, amount_paid=total, amount_remaining=0, next_payment_attempt=None,
        status_transitions={"finalized_at": bill.finalized, "marked_uncollectible_at": None,
            "paid_at": moment, "voided_at": None},
    )  # fmt: skip
    fee = (total * 7 + 500) // 1000
    books.entry(
        "stripe_fee",
        "fee",
        made["currency"],
        -fee,
        moment,
        None,
        text=f"Billing - Usage Fee ({made['number']})",
        settles=True,
    )
    books.event("charge.succeeded", moment, charge)
    books.event("payment_intent.succeeded", moment, intent)
    books.event("invoice.paid", moment, made)
    books.event("invoice.payment_succeeded", moment, made)
    given_back(books, charge, bill)
    books.account.insert("charge", charge)


def _left_open(books: Books, person: Person, bill: Bill, made: Object) -> None:
    at = books.account.clock.at
    overdue = 0 < bill.due < books.now
    if bill.retry:
        made["next_payment_attempt"] = bill.retry
        at(bill.retry, "invoice_collects", made["id"])
        if bill.attempts:
            books.account.private_state[person.method] = {"outcome": "charge_fails"}
    elif bill.due > books.now:
        at(bill.due, "invoice_overdue", made["id"])
    if bill.reason != "manual" and (overdue or (bill.attempts and bill.attempts[-1][1])):
        since = bill.due if overdue else next(moment for moment, code in bill.attempts if code)
        person.past_due = min(person.past_due or since, since)


def _closed(books: Books, bill: Bill, made: Object, intent: Object) -> None:
    """Void, or written off."""
    void = bill.outcome == "void"
    made.update(
        status=bill.outcome, auto_advance=False, next_payment_attempt=None,
        status_transitions={
            "finalized_at": bill.finalized, "marked_uncollectible_at": None if void else bill.settled,
            "paid_at": None,
            "voided_at": bill.settled if void else None,
        },
    )  # fmt: skip
    if void:
        intent.update(status="canceled", canceled_at=bill.settled, cancellation_reason="void_invoice")
        books.event("payment_intent.canceled", bill.settled, intent)
    books.event("invoice.voided" if void else "invoice.marked_uncollectible", bill.settled, made)
