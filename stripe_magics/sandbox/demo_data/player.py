"""Plays a part of the demo firm's story through the sandbox's own engine, and hands what came of it over to
the demo's books.

The engine works in an account of its own whose clock starts in the past. What it makes there (objects,
events, ledger entries, jobs that are still to come) then joins the demo's: money that settled goes out with
the firm's payouts like any other.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from stripe_magics.sandbox import snapshot
from stripe_magics.sandbox.api import routes
from stripe_magics.sandbox.api.dispatcher import respond
from stripe_magics.sandbox.core import scheduler
from stripe_magics.sandbox.core.store import Account, Object, decode
from stripe_magics.sandbox.demo_data.writer import Books

HEADERS = {"authorization": "Bearer sk_test_sandbox"}
SOLD = ("product", "price", "coupon", "tax_rate")
"""What the firm sells is there beforehand."""
DECLINED = 402


class Player:
    """Calls the sandbox's API as the firm and its customers did."""

    def __init__(self, books: Books, since: int) -> None:
        """The story begins at `since`."""
        routes.install()
        self.books = books
        self.account = Account(seed=f"{books.account.seed}/played", now=since)
        self.account.profile = books.account.profile
        for kind in SOLD:
            for each in books.account.table(kind).ordered():
                self.account.insert(kind, each.value)

    def __call__(self, what: str, on: str = "", /, **params: Any) -> Object:
        """One request, "POST /v1/customers"; the answer. A declined card is part of the story, a refusal a
        mistake in it. `on` is the connected account that it is made for."""
        headers = {**HEADERS, "stripe-account": on} if on else HEADERS
        method, path = what.split(" ")
        text = urlencode([(name, value) for name, value in _flat(params)])
        query, body = (text, b"") if method == "GET" else ("", text.encode())
        answer = respond(self.account, method, path, query, headers, body)
        found: Object = decode(answer.body)
        if answer.status not in {200, DECLINED}:
            raise AssertionError(f"{what} {params} was refused: {found}")
        return found

    def until(self, moment: int) -> None:
        """Let time pass up to a moment."""
        if moment > self.account.now:
            scheduler.advance(self.account, moment - self.account.now)

    def hand_over(self) -> None:
        """Let the demo's books have everything. Entries go to its ledger with its own; the bank's days are
        those of the firm."""
        self.until(self.books.now)
        account, theirs = self.books.account, self.account
        for kind, table in theirs.tables.items():
            known = account.table(kind).by_id
            for row in table.ordered():
                if kind == "balance_transaction":
                    self.books.entries.append(decode(row.text))
                elif row.id in known:
                    known[row.id].json = row.text
                elif kind != "event" or row.created >= self.books.since:
                    account.insert(kind, row.value)
        account.private_state.update(theirs.private_state)
        account.deleted.update(theirs.deleted)
        account.long_lines.update(theirs.long_lines)
        account.link_lines.update(theirs.link_lines)
        for identifier, member in theirs.family.connected.items():
            snapshot.copy_connected(member, account, identifier)
        for identifier, clock in theirs.test_clocks.items():
            account.add_test_clock(identifier, clock.now).calendar.restore(clock.calendar.mark())
        for moment, _, _, name, identifier in sorted(theirs.clock.jobs):
            if name != "funds" or "/" in identifier:  # the platform's follow from its ledger
                account.clock.at(moment, name, identifier)


def _flat(params: object, name: str = "") -> list[tuple[str, str]]:
    """Parameters as Stripe's form has them: `items[0][price]`."""
    if isinstance(params, dict):
        return [
            pair for key, value in params.items() for pair in _flat(value, f"{name}[{key}]" if name else key)
        ]
    if isinstance(params, list):
        return [pair for place, value in enumerate(params) for pair in _flat(value, f"{name}[{place}]")]
    return [(name, str(params).lower() if isinstance(params, bool) else str(params))]
