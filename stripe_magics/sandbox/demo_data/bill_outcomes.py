"""How the demo firm's bills were paid, or not; and what it sold without bills. The second half of the story
that `firm` begins.

Cards are charged an hour after a bill is made and, when declined, again after 3, 8 and 15 days; bank debits
take some days; who is sent an invoice pays around its due date, often late. What never is paid ends open,
written off (uncollectible) or void.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from random import Random

from stripe_magics.sandbox.demo_data.records import DAY, DECLINES, HOUR, Bill, Client, FirmRecords, Sale

RETRIES = (0, 3 * DAY, 8 * DAY, 15 * DAY)
DECLINED = 0.058  # of bills by card, besides those of customers who are about to leave
# of bills that were declined, by reason; other customers nearly always find another card
RECOVERED = {"manual": 0.55}
OTHERWISE = 0.95
UNPAID = (((1, 30), 12), ((31, 60), 18), ((61, 90), 12), ((91, 170), 12))  # days overdue: how many stay open
WRITTEN_OFF, VOIDED, DRAFTS = 45, 88, 10
INCIDENT_MONTH, INCIDENT = 17, 40  # one morning, forty customers were charged twice
REFUNDS = (
    ("requested_by_customer", 102),
    ("duplicate", 16),
    ("fraudulent", 12),
    (None, 10),
)  # besides the incident's
REFUNDS_FAILED = 2
DISPUTES = (  # status, how many, days ago at least and at most
    ("won", 8, 60, 690), ("lost", 9, 60, 690), ("warning_closed", 1, 140, 400), ("needs_response", 3, 4, 8),
    ("under_review", 2, 9, 13),
    ("warning_needs_response", 1, 20, 80),
)  # fmt: skip
DISPUTE_REASONS = (
    "fraudulent",
    "fraudulent",
    "product_not_received",
    "subscription_canceled",
    "duplicate",
    "product_unacceptable",
    "unrecognized",
)
LINKS = (("Onboarding workshop", "usd", 12000), ("Datenworkshop", "eur", 9000), ("Seat pack", "gbp", 4900))


def pay(firm: FirmRecords, rng: Random) -> None:
    """Give each bill its outcome."""
    last = {bill.client.number: bill for bill in firm.bills if bill.reason != "manual"}
    for bill in firm.bills:
        client = bill.client
        card_failing = (
            last[client.number] is bill and client.reason == "payment_failed"
            if client.number in last
            else False
        )
        if bill.finalized > firm.as_of:
            bill.outcome = "draft"
        elif bill.pays == "card":
            _by_card(bill, firm.as_of, rng, card_failing=card_failing)
        elif bill.pays == "sepa":
            _by_debit(bill, firm.as_of, rng)
        else:
            _by_invoice(bill, firm.as_of, rng)
    _never_paid(firm, rng)


def decline(rng: Random) -> str:
    """One of the codes, as often as it comes."""
    draw = rng.randrange(sum(weight for _, weight in DECLINES))
    for code, weight in DECLINES:
        draw -= weight
        if draw < 0:
            return code
    return DECLINES[0][0]


def _by_card(bill: Bill, as_of: int, rng: Random, *, card_failing: bool) -> None:
    declined = card_failing or (rng.random() < DECLINED and bill.client.number > 1)
    good = 0
    if declined:
        good = (
            99
            if card_failing or rng.random() >= RECOVERED.get(bill.reason, OTHERWISE)
            else (1, 1, 1, 2, 2, 3)[rng.randrange(6)]
        )
    code = decline(rng) if declined else ""
    for number, wait in enumerate(RETRIES):
        moment = bill.finalized + wait + number * 7 * 60
        if moment > as_of:
            bill.outcome, bill.retry = "open", moment
            break
        if number == good:
            bill.attempts.append((moment, ""))
            bill.outcome, bill.settled = "paid", moment
            return
        bill.attempts.append((moment, code))
    else:
        bill.outcome = "uncollectible" if card_failing or rng.random() < 0.65 else "void"
        bill.settled = bill.attempts[-1][0] + HOUR
    if card_failing and bill.outcome == "uncollectible":
        bill.client.ended = bill.settled


def _by_debit(bill: Bill, as_of: int, rng: Random) -> None:
    takes = 3 * DAY + rng.randrange(2 * DAY)
    if rng.random() < 0.03:
        bill.attempts.append((bill.finalized, "insufficient_funds"))
        moment = bill.finalized + 8 * DAY
    else:
        moment = bill.finalized
    if moment > as_of:
        bill.outcome, bill.retry = "open", moment
        return
    bill.attempts.append((moment, ""))
    bill.settled = moment + takes
    bill.outcome = "paid" if bill.settled <= as_of else "open"


def _by_invoice(bill: Bill, as_of: int, rng: Random) -> None:
    spread = (rng.random() + rng.random() + rng.random() - 1.5) * 14
    days = bill.terms - 3 + spread if bill.client.number else bill.terms - 8 * rng.random()
    moment = bill.finalized + int(max(days, 0.2) * DAY)
    if moment > as_of:
        bill.outcome = "open"
        return
    bill.attempts.append((moment, ""))
    bill.outcome, bill.settled = "paid", moment


def _never_paid(firm: FirmRecords, rng: Random) -> None:
    """Those that stay open, are written off, were a mistake, or are still being written."""
    as_of = firm.as_of
    sent = [bill for bill in firm.bills if bill.pays == "invoice" and bill.client.number > 1]

    def some(of: list[Bill], requested: int, test: Callable[[Bill], bool]) -> list[Bill]:
        fitting = [bill for bill in of if test(bill)]
        return rng.sample(fitting, min(requested, len(fitting)))

    for (low, high), requested in UNPAID:
        for bill in some(
            sent, requested, lambda bill: low <= (as_of - bill.due) // DAY < high and bill.outcome == "paid"
        ):
            bill.outcome, bill.attempts, bill.settled = "open", [], 0
    for bill in some(sent, WRITTEN_OFF, lambda bill: bill.outcome == "paid" and bill.due < as_of - 180 * DAY):
        bill.outcome, bill.attempts, bill.settled = "uncollectible", [], bill.due + 90 * DAY + 9 * HOUR
    by_hand = [bill for bill in firm.bills if bill.reason == "manual" and bill.client.number > 1]
    for bill in some(
        by_hand, VOIDED, lambda bill: bill.outcome == "paid" and bill.created < as_of - 20 * DAY
    ):
        bill.outcome, bill.attempts, bill.settled = "void", [], bill.finalized + rng.randrange(HOUR, 9 * DAY)
    for bill in by_hand[-DRAFTS:]:
        bill.outcome, bill.attempts, bill.settled = "draft", [], 0


# --- sales without bills


def sell(firm: FirmRecords, rng: Random) -> None:
    """Payment links, the incident, holds, and payments on every stage of their way."""
    by_currency = {
        currency: [each for each in firm.clients if each.currency == currency]
        for currency in ("usd", "eur", "gbp")
    }
    _through_links(firm, by_currency, rng)
    _double_charge_incident(firm, rng)
    cards = [client for client in firm.clients if client.pays == "card" and not client.ended]
    debits = [client for client in by_currency["eur"] if client.pays == "sepa" and not client.ended]
    stages = (
        ("requires_payment_method", 22, cards, 200), ("requires_confirmation", 5, cards, 20),
        ("requires_action", 12, cards, 12), ("requires_capture", 8, cards, 5), ("processing", 8, debits, 2),
        ("canceled", 22, cards, 300), ("captured", 18, cards, 400),
    )  # fmt: skip
    for state, count, those, days in stages:
        for number in range(count):
            client = rng.choice(those)
            created = max(firm.as_of - int(rng.random() * days * DAY) - 2 * HOUR, client.joined + HOUR)
            created = min(created, firm.as_of - HOUR)
            sale = Sale(
                client,
                created,
                rng.randrange(4000, 30000, 500),
                "Consulting",
                "succeeded" if state == "captured" else state,
            )
            if state == "requires_payment_method" and number % 3 == 0:
                sale.attempts = [(created + 60, decline(rng))]
            elif state in {"requires_action", "requires_capture", "processing"}:
                sale.attempts = [(created + 60, "")]
            elif state == "canceled":
                sale.settled = min(created + rng.randrange(HOUR, 3 * DAY), firm.as_of)
            elif state == "captured":
                sale.kind, sale.attempts = "partial" if number % 2 else "hold", [(created + 60, "")]
                sale.settled = min(created + rng.randrange(HOUR, 5 * DAY), firm.as_of)
            firm.sales.append(sale)
    firm.sales.sort(key=lambda sale: sale.created)


def _through_links(firm: FirmRecords, by_currency: dict[str, list[Client]], rng: Random) -> None:
    for text, currency, amount in LINKS:
        for created in _link_moments(firm, currency, by_currency[currency], rng):
            there = [
                each for each in by_currency[currency] if each.number > 1 and each.joined < created - HOUR
            ]
            sale = Sale(
                rng.choice(there), created, amount, text, "succeeded", [(created + 90, "")], kind="link"
            )
            if rng.random() < 0.06:
                sale.attempts.insert(0, (created + 60, decline(rng)))
            firm.sales.append(sale)


def _link_moments(firm: FirmRecords, currency: str, clients: list[Client], rng: Random) -> list[int]:
    """When somebody bought: in dollars on any day, in the other currencies rather on days that saw no other
    payment."""
    first = sorted(each.joined for each in clients)[3] + 2 * DAY
    requested = {"usd": 95, "eur": 90, "gbp": 125}[currency]
    days = range(first // DAY, firm.as_of // DAY - 2)
    paid = {
        bill.settled // DAY
        for bill in firm.bills
        if bill.outcome == "paid" and bill.client.currency == currency
    }
    free = [day for day in days if (day + 3) % 7 < 5 and (currency == "usd" or day not in paid)]
    chosen = sorted(rng.sample(free, min(requested, len(free))))
    return [day * DAY + 9 * HOUR + rng.randrange(9 * HOUR) for day in chosen]


def _double_charge_incident(firm: FirmRecords, rng: Random) -> None:
    """The incident: the second charge of forty customers, all within one morning."""
    day = firm.starts[INCIDENT_MONTH] + 10 * DAY
    while (day // DAY + 3) % 7 >= 5:
        day += DAY
    there = [
        each
        for each in firm.clients
        if each.joined < day - 40 * DAY and (not each.ended or each.ended > day) and each.pays == "card"
    ]
    for number, client in enumerate(rng.sample(there[1:], INCIDENT)):
        created = day + 9 * HOUR + number * 97
        sale = Sale(
            client,
            created,
            client.monthly(1),
            "Subscription, charged twice by mistake",
            "succeeded",
            [(created + 5, "")],
            kind="duplicate",
        )
        firm.sales.append(sale)


# --- money back


def plan_refunds_and_disputes(firm: FirmRecords, rng: Random) -> None:
    """Refunds and disputes of what was paid by card; none in the last days, so that something is available in
    each currency."""
    for sale in firm.sales:
        if sale.kind == "duplicate":
            sale.refund = (sale.created + DAY + 3 * HOUR, 100, "duplicate", False)
    paid: list[Bill | Sale] = [
        bill
        for bill in firm.bills
        if bill.outcome == "paid" and bill.pays == "card" and bill.client.number > 1
    ]
    paid += [sale for sale in firm.sales if sale.state == "succeeded" and sale.kind == "link"]
    failed, latest = 0, firm.as_of - 4 * DAY
    for reason, requested in REFUNDS:
        for one in rng.sample(
            [each for each in paid if each.refund is None and each.attempts[-1][0] < latest], requested
        ):
            since = one.attempts[-1][0]
            moment = since + 60 + int(rng.random() * min(18 * DAY, latest - since))
            fails = (
                failed < REFUNDS_FAILED
                and reason == "requested_by_customer"
                and moment < firm.as_of - 40 * DAY
            )
            failed += fails
            one.refund = (
                moment,
                100 if fails or rng.random() < 0.6 else rng.choice((20, 25, 50)),
                reason,
                bool(fails),
            )
    free = sorted((one.attempts[-1][0], number) for number, one in enumerate(paid) if one.refund is None)
    for status, requested, least, most in DISPUTES:
        for _ in range(requested):
            moment = firm.as_of - least * DAY - int(rng.random() * (most - least) * DAY)
            low, high = (bisect_left(free, (moment - days * DAY, 0)) for days in (45, 5))
            one = paid[free.pop(rng.randrange(low, high))[1]]
            one.dispute = (
                moment,
                "general" if status.startswith("warning") else rng.choice(DISPUTE_REASONS),
                status,
            )
