"""What happened to the demo firm: who its customers were, what they were billed and how they paid. Plain
records, no Stripe objects.

A firm that sells software by subscription, over 24 months and the days since:

- recurring revenue (MRR, in units of each currency added up) grows from 18,000 to 95,000 a month; it is
  steered towards that path, and towards 60 % in dollars, 28 % in euros (from month 4) and 12 % in pounds
  (from month 9), by customers who take or drop seats and plans;
- 2.5 to 3.5 % of the customers leave each month, many of them because their card stopped working; prices rise
  in month 13; January is when customers turn to yearly plans; one customer brings 12 % of the revenue;
- about one bill in seventeen is declined at first, two in three of these are paid later; some are never paid.

All of it follows from one seed: the same bills, the same second, on every machine. Money is minor units,
moments are Unix seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from random import Random

from stripe_magics.sandbox.demo_data import bill_outcomes
from stripe_magics.sandbox.demo_data.names import FIRST, LAST, TRADES
from stripe_magics.sandbox.demo_data.records import (
    COUPONS,
    DAY,
    HOUR,
    MONTHS,
    NAMES,
    PRICES,
    Bill,
    Client,
    FirmRecords,
    Line,
    month_starts,
)

FIRST_MRR, LAST_MRR = 18_000_00, 95_000_00
FIRST_CUSTOMERS, LAST_CUSTOMERS = 150, 276
WHALE_SHARE = 0.14  # of recurring revenue: 12 % of all, taxes and single sales included
CHURN = (0.029, 0.027, 0.032, 0.028, 0.033, 0.027)  # month by month, over and over
PRICE_RISE = 13
MIN_PRORATED_BILL = 5_00  # that a bill with prorations comes to
NEW_CURRENCY = {4: "eur", 9: "gbp"}  # every other newcomer of that month
COUNTRIES = {
    "usd": ("US", "US", "US", "US", "CA", "AU"),
    "eur": ("DE", "FR", "NL", "IE", "ES", "AT"),
    "gbp": ("GB",),
}
SERVICES = (
    ("Training session", 9000, 24000),
    ("Data import", 6000, 18000),
    ("Custom report", 8000, 30000),
    ("Integration review", 7000, 22000),
    ("Priority support, one month", 5000, 12000),
)


def build_timeline(as_of: int) -> FirmRecords:
    """The story up to a moment."""
    rng = Random("a firm of software")  # noqa: S311 - the same story every time
    firm = FirmRecords([], [], [], month_starts(as_of), as_of)
    active: list[Client] = []
    for month in range(1, MONTHS + 2):
        _leave(firm, active, month)
        _join(firm, active, month, rng)
        _turn_yearly(firm, active, month, rng)
        if month >= PRICE_RISE:
            for client in active:
                if not client.yearly:
                    client.version = 1
        _steer(active, month, rng)
        _choose_leavers(active, month, rng)
        _bill(firm, active, month, rng)
        _services(firm, active, month, rng)
    firm.bills = sorted((bill for bill in firm.bills if bill.created <= as_of), key=lambda bill: bill.created)
    firm.clients = [client for client in firm.clients if client.joined <= as_of]
    bill_outcomes.pay(firm, rng)
    bill_outcomes.sell(firm, rng)
    bill_outcomes.plan_refunds_and_disputes(firm, rng)
    return firm


def path(month: int) -> float:
    """The recurring revenue aimed at, at the end of a month."""
    return FIRST_MRR * float((LAST_MRR / FIRST_MRR) ** ((min(month, MONTHS) - 1) / (MONTHS - 1)))


def shares(month: int) -> dict[str, float]:
    """How the revenue is spread over currencies in a month."""
    eur = 0.28 * min(1, max(0, month - 3) / 9)
    gbp = 0.12 * min(1, max(0, month - 8) / 6)
    return {"usd": 1 - eur - gbp, "eur": eur, "gbp": gbp}


def _starts_in_january(firm: FirmRecords, month: int) -> bool:
    return datetime.fromtimestamp(firm.starts[month], UTC).month == 1


def _leave(firm: FirmRecords, active: list[Client], month: int) -> None:
    for client in [each for each in active if each.leaves == month]:
        active.remove(client)
        if client.reason == "cancellation_requested":
            client.ended = firm.billed(client, month)


def _join(firm: FirmRecords, active: list[Client], month: int, rng: Random) -> None:
    requested = FIRST_CUSTOMERS + (LAST_CUSTOMERS - FIRST_CUSTOMERS) * (min(month, MONTHS) - 1) / (MONTHS - 1)
    for _ in range(round(requested) - len(active) + (4 if month > MONTHS else 0)):
        client = _newcomer(firm, month, rng)
        firm.clients.append(client)
        active.append(client)


def _newcomer(firm: FirmRecords, month: int, rng: Random) -> Client:
    number = len(firm.clients)
    draw = rng.random()
    currency = "usd"
    if month >= 9:
        currency = "eur" if draw < 0.43 else "gbp" if draw < 0.68 else "usd"
    elif month >= 4:
        currency = "eur" if draw < 0.6 else "usd"
    if number % 2 and month in NEW_CURRENCY:
        currency = NEW_CURRENCY[month]
    person = (
        f"{FIRST[(number * 7 + number // 72) % len(FIRST)]} {LAST[(number * 11 + number // 83) % len(LAST)]}"
    )
    company = f"{LAST[(number * 17 + 5) % len(LAST)]} {TRADES[(number * 5 + number // 24) % len(TRADES)]}"
    early = month < 8
    size = rng.random()
    plan = (
        "starter"
        if size < (0.6 if early else 0.42)
        else "team"
        if size < (0.93 if early else 0.83)
        else "business"
    )
    way = rng.random()
    pays = (
        "sepa"
        if currency == "eur" and way < 0.3
        else "invoice"
        if plan != "starter" and way > 0.78
        else "card"
    )
    day = ((number * 11) % 31) * DAY + 6 * HOUR + rng.randrange(14 * HOUR)
    client = Client(
        number=number,
        person=person,
        company=company,
        email=f"{person.lower().replace(' ', '.')}@example.com",
        currency=currency,
        country=rng.choice(COUNTRIES[currency]),
        plan=plan,
        pays=pays,
        joined=0,
        month=month,
        day=day,
        channel=("organic", "organic", "ads", "partner", "referral", "sales")[rng.randrange(6)],
        terms=rng.choice((14, 30, 30)),
        version=int(month >= PRICE_RISE),
    )
    client.joined = firm.billed(client, month)
    if number == 0:  # the large one: dollars, sent an invoice, never late by much
        client.person, client.company, client.email = (
            "Nora Lindqvist",
            "Northwind Logistics",
            "accounts@northwind.example.com",
        )
        client.plan, client.pays, client.currency, client.country, client.terms, client.channel = (
            "platform",
            "invoice",
            "usd",
            "US",
            30,
            "sales",
        )
    elif number == 1:  # the one of the examples
        client.person, client.company, client.email = "Jenny Rosen", "Rosen Books", "jenny.rosen@example.com"
        client.plan, client.pays, client.currency, client.country = "team", "card", "usd", "US"
    elif rng.random() < (0.14 if month > 1 else 0.04):
        client.coupon = (
            rng.choice(("PARTNER20", "WELCOME50", "WELCOME50", "SPRING30")) if month > 1 else "PARTNER20"
        )
        client.coupon_until = {"PARTNER20": 999, "WELCOME50": 1, "SPRING30": 3}[client.coupon]
    return client


def _turn_yearly(firm: FirmRecords, active: list[Client], month: int, rng: Random) -> None:
    if not _starts_in_january(firm, month):
        return
    for client in active:
        if client.yearly or client.number < 2 or client.leaves:
            continue
        if (client.month == month > 2) or (client.plan != "starter" and rng.random() < 0.09):
            client.yearly, client.last_bill, client.version = True, 0, int(month >= PRICE_RISE)


def _steer(active: list[Client], month: int, rng: Random) -> None:
    """Customers take and drop seats and plans until the month's revenue is on its path, currency by
    currency."""
    version = int(month >= PRICE_RISE)
    total = path(month)
    whale = active[0]
    whale.seats = round(total * WHALE_SHARE / PRICES["usd"]["platform"][version])
    for currency, share in shares(month).items():
        those = [client for client in active if client.currency == currency]
        missing = total * share - sum(client.mrr() for client in those)
        changing = [client for client in those if not client.yearly and client.number > 1]
        step = PRICES[currency]["seat"][version]
        for _ in range(400):
            if not changing or abs(missing) < step:
                break
            client = rng.choice(changing)
            before, was = client.mrr(), (client.plan, client.seats)
            if (
                not _grow(client, missing, version, rng)
                if missing > 0
                else not _shrink(client, -missing, version)
            ):
                continue
            missing -= client.mrr() - before
            if (
                client.month < month
                and client.change is None
                and client.pays != "invoice"
                and rng.random() < 0.3
            ):
                client.change = (*was, rng.randrange(4, 25))


def _grow(client: Client, missing: float, version: int, rng: Random) -> bool:
    prices = PRICES[client.currency]
    higher = {"starter": "team", "team": "business"}.get(client.plan)
    if higher and prices[higher][version] - prices[client.plan][version] <= missing and rng.random() < 0.5:
        client.plan = higher
        return True
    if client.plan == "starter":
        return False
    client.seats += max(1, min(rng.randrange(1, 6), int(missing / prices["seat"][version])))
    return True


def _shrink(client: Client, over: float, version: int) -> bool:
    prices = PRICES[client.currency]
    if client.seats:
        client.seats -= max(1, min(client.seats, 3, int(over / prices["seat"][version])))
        return True
    lower = {"business": "team", "team": "starter"}.get(client.plan)
    if lower and prices[client.plan][version] - prices[lower][version] <= over:
        client.plan = lower
        return True
    return False


def _choose_leavers(active: list[Client], month: int, rng: Random) -> None:
    """Who will not be billed next month. Most of those who pay by card leave because it is declined for
    good."""
    free = [
        client for client in active if not client.yearly and client.number > 1 and client.month < month + 1
    ]
    for client in rng.sample(free, round(CHURN[month % len(CHURN)] * len(active))):
        client.leaves = month + 1
        client.reason = (
            "payment_failed" if client.pays == "card" and rng.random() < 0.85 else "cancellation_requested"
        )


def _bill(firm: FirmRecords, active: Iterable[Client], month: int, rng: Random) -> None:
    for client in active:
        if client.yearly and client.last_bill and month - client.last_bill < 12:
            continue
        created = firm.billed(client, month)
        after = month + (12 if client.yearly else 1)
        end = (
            firm.billed(client, after)
            if after < len(firm.starts)
            else created + (365 if client.yearly else 30) * DAY
        )
        if client.yearly:
            client.version = int(month >= PRICE_RISE)
        version = client.version
        times = 10 if client.yearly else 1
        seat = "platform" if client.plan == "platform" else "seat"
        prices, lines = PRICES[client.currency], []
        if not client.yearly and client.bills:
            lines += _prorations(client, client.last_created, created)
        client.change = None
        if client.plan != "platform":
            name, cost = NAMES[client.plan], prices[client.plan][version] * times
            lines.append(Line(name, cost, 1, created, end, (client.plan, client.yearly, version)))
        if client.seats:
            cost = prices[seat][version] * times
            lines.append(
                Line(
                    NAMES[seat],
                    cost * client.seats,
                    client.seats,
                    created,
                    end,
                    (seat, client.yearly, version),
                )
            )
        if len(lines) < 4 and client.number > 1 and rng.random() < 0.08:
            lines.append(
                Line("API calls above the plan", rng.randrange(5, 60) * 100, 1, created - 30 * DAY, created)
            )
        reason = "subscription_cycle" if client.bills else "subscription_create"
        bill = Bill(client, created, reason, lines, client.pays, client.terms)
        if client.coupon and client.bills < client.coupon_until:
            bill.coupon, bill.percent = client.coupon, COUPONS[client.coupon][0]
        due = sum(line.amount * (100 if line.proration else 100 - bill.percent) // 100 for line in lines)
        if due < MIN_PRORATED_BILL:
            # a large step down, or a half of the price off: it counts from this bill on
            bill.lines = [line for line in lines if not line.proration]
        client.bills += 1
        bill.since = client.last_created or created
        client.last_bill, client.last_created = month, created
        client.last_version, client.last_percent = version, bill.percent
        firm.bills.append(bill)


def _prorations(client: Client, start: int, end: int) -> list[Line]:
    """What a change of the plan or of the seats in the period that is over gave back and cost, to the second,
    as the engine computes it."""
    if client.change is None:
        return []
    plan, seats, days = client.change
    if (plan == client.plan) == (seats == client.seats):
        return []  # nothing changed in the end, or both did: from the next bill on
    version, since = client.last_version, end - days * DAY
    lasts = client.last_percent if client.coupon and COUPONS[client.coupon][1] != "once" else 0
    item = "seat" if plan == client.plan else plan
    was, now = (("seat", seats), ("seat", client.seats)) if item == "seat" else ((plan, 1), (client.plan, 1))
    found = []
    for (name, quantity), sign, words, percent in (
        (was, -1, "Unused", client.last_percent),
        (now, 1, "Remaining", lasts),
    ):
        full = PRICES[client.currency][name][version] * quantity
        full -= (full * percent + 50) // 100
        amount = (2 * full * (end - since) + end - start) // (2 * (end - start))
        day = datetime.fromtimestamp(since, UTC)
        count = f"{quantity} × " if quantity != 1 else ""
        text = f"{words} time on {count}{NAMES[name]} after {day.day} {day:%b %Y}"
        if amount:
            found.append(
                Line(text, sign * amount, quantity, since, end, (name, False, version), proration=True)
            )
    return found


def _services(firm: FirmRecords, active: list[Client], month: int, rng: Random) -> None:
    """Single services, billed by hand on working days."""
    length = firm.starts[month + 1] - firm.starts[month] if month + 1 < len(firm.starts) else 30 * DAY
    for _ in range(round(20 + 28 * month / MONTHS)):
        client = rng.choice(active)
        if client.number == 0:
            continue
        created = firm.starts[month] + rng.randrange(length // DAY) * DAY + 9 * HOUR + rng.randrange(8 * HOUR)
        created += {5: 2, 6: 1}.get((created // DAY + 3) % 7, 0) * DAY
        if created < client.joined + HOUR:
            created = client.joined + HOUR + rng.randrange(20 * DAY)
        lines = []
        for text, low, high in rng.sample(SERVICES, 1 if rng.random() < 0.7 else 2):
            lines.append(Line(text, rng.randrange(low, high, 500), 1, created, created))
        firm.bills.append(
            Bill(
                client,
                created,
                "manual",
                lines,
                "invoice" if rng.random() < 0.5 else client.pays,
                rng.choice((14, 30)),
            )
        )
