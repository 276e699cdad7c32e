"""The demo firm's payouts: every business day, just after midnight, each currency's available entries go to
the bank.

As in the sandbox's own daily run: a payout takes every available entry that none took before, and its own
entry with them, so that its members add up to its amount. On a few days the firm pays out a part by hand
first, and a few payouts come back from the bank; what comes back is an entry like any other and goes out with
the next run.
"""

from __future__ import annotations

from stripe_magics.sandbox.core.clock import HOUR, business_days_after, is_business_day, midnight
from stripe_magics.sandbox.core.store import Account, Object
from stripe_magics.sandbox.demo_data.records import DAY
from stripe_magics.sandbox.demo_data.writer import Books
from stripe_magics.sandbox.resources.account_objects import RUN
from stripe_magics.sandbox.resources.payouts import default_account

# (currency, number of its run): the rest of the id, if it is to be readable
FAILED = {("usd", 310): "demoFailed", ("eur", 250): ""}
BY_HAND = {("usd", 120): "paid", ("usd", 400): "paid", ("eur", 330): "paid", ("usd", 445): "canceled"}
TROUBLE = ("could_not_process", "The bank could not process this payout.")


def write(books: Books) -> None:
    """Pay out what the entries bring, up to the day before the clock's; then hand all entries to the
    ledger."""
    entries = sorted(books.entries, key=lambda entry: (entry["available_on"], entry["created"]))
    for currency in ("usd", "eur", "gbp"):
        _of_currency(books, currency, [entry for entry in entries if entry["currency"] == currency])


def _of_currency(books: Books, currency: str, entries: list[Object]) -> None:
    account, insert = books.account, books.account.ledger.insert
    bank = default_account(account, currency)
    destination = bank["id"] if bank else None
    day = midnight(books.firm.starts[1])
    place, runs = 0, 0
    waiting: list[Object] = []  # available, taken by nobody
    back: list[tuple[int, Object]] = []  # sent back: (when, entry)
    while day < midnight(books.now):
        day += DAY
        run = day + RUN
        if day >= midnight(books.now) or not is_business_day(day):
            continue
        while place < len(entries) and entries[place]["available_on"] <= run:
            waiting.append(entries[place])
            place += 1
        waiting += [entry for when, entry in back if when <= run]
        back = [(when, entry) for when, entry in back if when > run]
        amount = sum(entry["net"] for entry in waiting)
        if amount <= 0:
            continue
        runs += 1
        if (outcome := BY_HAND.get((currency, runs))) is not None:
            waiting += _by_hand(books, currency, amount * 2 // 5, run - 120, destination, outcome)
            amount = sum(entry["net"] for entry in waiting)
        name = FAILED.get((currency, runs))
        payout = _payout(books, currency, amount, run, destination, automatic=True, known=name or "")
        own = _entry(books, payout, "payout", "payout", -amount, run, "STRIPE PAYOUT")
        payout["balance_transaction"] = own["id"]
        for entry in (*waiting, own):
            insert(entry, payout=payout["id"])
        waiting = []
        _arrive(books, payout)
        if name is not None:
            moment = payout["arrival_date"] + DAY + 8 * HOUR
            entry = _entry(
                books, payout, "payout_failure", "payout_reversal", amount, moment, "PAYOUT FAILURE"
            )
            payout.update(
                status="failed",
                failure_code=TROUBLE[0],
                failure_message=TROUBLE[1],
                failure_balance_transaction=entry["id"],
            )
            back.append((moment, entry))
        account.insert("payout", payout)
    for entry in (*waiting, *entries[place:], *(entry for _, entry in back)):
        insert(entry)


def _entry(
    books: Books, payout: Object, kind: str, category: str, amount: int, moment: int, text: str | None
) -> Object:
    return books.entry(kind, category, payout["currency"], amount, moment, payout["id"], text=text)


def _by_hand(
    books: Books, currency: str, amount: int, moment: int, destination: str | None, outcome: str
) -> list[Object]:
    """A payout by hand, two minutes before the run: its entries go with the run's."""
    payout = _payout(books, currency, amount, moment, destination, automatic=False)
    found = [_entry(books, payout, "payout", "payout", -amount, moment, None)]
    payout["balance_transaction"] = found[0]["id"]
    if outcome == "canceled":
        found.append(
            _entry(books, payout, "payout_cancel", "payout_reversal", amount, moment + 60, "PAYOUT CANCELED")
        )
        payout.update(status="canceled", failure_balance_transaction=found[1]["id"])
    else:
        _arrive(books, payout)
    books.account.insert("payout", payout)
    return found


def _payout(
    books: Books,
    currency: str,
    amount: int,
    moment: int,
    destination: str | None,
    *,
    automatic: bool,
    known: str = "",
) -> Object:
    return {
        "id": f"po_{known}" if known else books.new("po"), "object": "payout", "amount": amount,
        "application_fee": None, "application_fee_amount": None,
        "arrival_date": business_days_after(moment, 1 if automatic else 2), "automatic": automatic,
        "balance_transaction": None, "created": moment, "currency": currency,
        "description": "STRIPE PAYOUT" if automatic else None, "destination": destination,
        "failure_balance_transaction": None, "failure_code": None, "failure_message": None, "livemode": False,
        "metadata": {}, "method": "standard", "original_payout": None,
        "reconciliation_status": "completed" if automatic else "not_applicable", "reversed_by": None,
        "source_type": "card", "statement_descriptor": None, "status": "in_transit", "trace_id": None,
        "type": "bank_account",
    }  # fmt: skip


def _arrive(books: Books, payout: Object) -> None:
    """At the bank on its day, or still on its way there."""
    books.event("payout.created", payout["created"], payout)
    if payout["automatic"]:
        books.event("payout.reconciliation_completed", payout["created"], payout)
    if payout["arrival_date"] > books.now:
        books.account.clock.at(payout["arrival_date"], "payout_arrives", payout["id"])
        return
    payout.update(status="paid", trace_id={"status": "supported", "value": books.new.next(15).upper()})
    books.event("payout.paid", payout["arrival_date"], payout)


def available_events(account: Account, books: Books) -> None:
    """`balance.available`, on each day of the last 30 on which something became available."""
    moments = {
        entry["available_on"]
        for entry in books.entries
        if entry["available_on"] % DAY == 0 and entry["available_on"] <= books.now
    }
    for moment in sorted(moments):
        if moment > books.since:
            books.event("balance.available", moment, account.ledger.balance())
