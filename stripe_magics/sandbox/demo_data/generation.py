"""Makes the demo account: most of the firm's story is written at once, some of it played by the engine."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable

from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.demo_data import customers, invoices, payouts, sales, stories, timeline
from stripe_magics.sandbox.demo_data.records import DAY, Bill, FirmRecords, Sale
from stripe_magics.sandbox.demo_data.static_objects import links, product
from stripe_magics.sandbox.demo_data.writer import Books, Person
from stripe_magics.sandbox.resources.subscriptions.lifecycle import schedule_period_end

CARD_EVENTS = ["charge.failed", "charge.dispute.created", "invoice.payment_failed", "payout.failed"]


def generate(account: Account) -> None:
    """Fill a new account that has its bank accounts, up to its present moment."""
    collecting = gc.isenabled()
    # hundreds of thousands of small objects, none of them garbage: looking for some would take half of the
    # time
    gc.disable()
    try:
        _fill(account)
    finally:
        if collecting:
            gc.enable()


def _fill(account: Account) -> None:
    story = timeline.build_timeline(account.now)
    books = Books(account, story)
    start = story.starts[1]
    account.insert("product", product("prod_demoService", "Services", start, None))
    links(account, books.prices)
    account.insert("webhook_endpoint", _endpoint(start))
    everybody = {client.number: customers.person(books, client) for client in story.clients}
    known = _known(story)
    for bill in story.bills:
        invoices.write(books, everybody[bill.client.number], bill, known=known.get(id(bill), ""))
    for sale in story.sales:
        sales.write(books, everybody[sale.client.number], sale, known=known.get(id(sale), ""))
    story.bills.clear()  # written; the rest needs the memory
    story.sales.clear()
    for person in everybody.values():
        customers.subscription(books, person)
        customers.customer(books, person)
    books.screening()
    stories.play(books)
    payouts.write(books)
    books.write_late_events()
    account.finish_bulk_load()
    payouts.available_events(account, books)
    account.table("event").ordered()
    _renewals(account, everybody.values(), story)


def _endpoint(created: int) -> Object:
    return {
        "id": "we_demoEndpoint", "object": "webhook_endpoint", "api_version": None, "application": None,
        "created": created, "description": "What somebody should look at", "enabled_events": CARD_EVENTS,
        "livemode": False, "metadata": {}, "status": "enabled", "url": "https://example.com/stripe/webhook",
    }  # fmt: skip


def _known(story: FirmRecords) -> dict[int, str]:
    """The bills and sales that have readable ids: `id` of the record -> the rest of the id."""
    overdue = story.as_of - 60 * DAY
    bills: dict[str, Callable[[Bill], bool]] = {
        "demoLatest": lambda bill: bill.client.number == 1 and bill.reason != "manual",
        "demoOverdue": lambda bill: bill.outcome == "open" and 0 < bill.due < overdue,
        "demoDraft": lambda bill: bill.outcome == "draft" and bill.reason == "manual",
    }
    sales: dict[str, Callable[[Sale], bool]] = {
        "demoCapture": lambda sale: sale.state == "requires_capture",
        "demoAction": lambda sale: sale.state == "requires_action",
        "demoWorkshop": lambda sale: (
            sale.kind == "link" and sale.client.currency == "usd" and not (sale.refund or sale.dispute)
        ),
    }
    found = {
        id(next(bill for bill in reversed(story.bills) if fits(bill))): name for name, fits in bills.items()
    }
    return found | {
        id(next(sale for sale in reversed(story.sales) if fits(sale))): name for name, fits in sales.items()
    }


def _renewals(account: Account, everybody: Iterable[Person], story: FirmRecords) -> None:
    """What is still to come: subscriptions renew, or end, when their period does."""
    for person in everybody:
        if not 0 < person.client.ended <= story.as_of and person.period[1] > story.as_of:
            schedule_period_end(account, person.subscription, person.period[1])
