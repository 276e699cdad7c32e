"""The ledger: every movement of money is one balance transaction, and the balance is what they add up to.

    net = amount - fee        fee = sum of fee_details        balance[currency] = sum of net, by status

- Money moves by the account's own clock, whatever test clock a bill belongs to.
- An entry is `pending` until `available_on`, then `available`; it never changes otherwise and never goes
  away.
- An automatic payout takes every available entry that no payout took before, its own entry with them: they
  add up to nothing, so what is available is always the sum of the entries not yet taken. `paid_by` and
  `members` remember who took what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from stripe_magics.sandbox.core.clock import Clock, business_days_after

FEE_PER_MILLE, FEE_FIXED = 29, 30
DISPUTE_FEE = 1500
SETTLING_DAYS = 2


def fee_text(kind: str) -> str:
    """What a fee of such an entry is for, in Stripe's words."""
    return "Dispute fee" if kind == "adjustment" else "Stripe processing fees"


def processing_fee(amount: int) -> int:
    """2.9 % and 30 minor units, rounded to the nearest."""
    return (amount * FEE_PER_MILLE + 500) // 1000 + FEE_FIXED


class LedgerObjects(Protocol):
    """What the ledger needs of the account that it belongs to."""

    own_clock: Clock

    def new_id(self, prefix: str, length: int = 24) -> str: ...
    def add(self, kind: str, data: dict[str, Any]) -> dict[str, Any]: ...
    def insert(self, kind: str, data: dict[str, Any]) -> None: ...
    def get(self, kind: str, identifier: str) -> dict[str, Any] | None: ...
    def save(self, kind: str, data: dict[str, Any]) -> dict[str, Any]: ...
    def each(self, kind: str) -> Iterator[dict[str, Any]]: ...


class Ledger:
    """The balance transactions of an account and what they add up to."""

    def __init__(self, account: LedgerObjects) -> None:
        self.account = account
        self.totals: dict[str, list[int]] = {}  # currency -> [available, pending]
        self.paid_by: dict[str, str] = {}  # entry -> automatic payout
        self.members: dict[str, list[str]] = {}  # automatic payout -> its entries
        self.assigned: list[tuple[str, str]] = []  # (entry, payout), in the order of assignment
        # currency -> available entries that no payout took: id -> net
        self.open: dict[str, dict[str, int]] = {}
        self._load: Callable[[], dict[str, list[str]]] = dict

    def __getattr__(self, name: str) -> Any:
        """Which payout took which entry, as long as it wasn't read."""
        if name not in {"paid_by", "members", "assigned"}:
            raise AttributeError(name)
        members = self._load()
        assigned = [(entry, payout) for payout, entries in members.items() for entry in entries]
        self.members, self.assigned, self.paid_by = members, assigned, dict(assigned)
        return getattr(self, name)

    def restore_from(
        self,
        load: Callable[[], dict[str, list[str]]],
        sums: tuple[dict[str, list[int]], dict[str, dict[str, int]]] | None,
    ) -> None:
        """Take what was kept: the members of payouts, read when they are first needed, and the totals and
        open entries (None: add everything up anew)."""
        self._load = load
        del self.paid_by, self.members, self.assigned
        if sums is None:
            self.rebuild()
        else:
            self.totals, self.open = sums

    def post(  # noqa: PLR0913 - what an entry of the ledger says
        self,
        kind: str,
        category: str,
        *,
        currency: str,
        amount: int,
        source: str,
        fee: int = 0,
        description: str | None = None,
        at_once: bool = True,
        available_on: int | None = None,
        application_fee: tuple[int, str] = (0, ""),
    ) -> dict[str, Any]:
        """Write an entry now. `at_once` False: the funds settle first, two business days; `available_on` says
        when. An application fee (amount, application) comes on top of the fee."""
        now = self.account.own_clock.now
        if available_on is None:
            available_on = now if at_once else business_days_after(now, SETTLING_DAYS)
        at_once = available_on <= now
        kinds = (
            (application_fee[0], application_fee[1], "application fee", "application_fee"),
            (fee, None, fee_text(kind), "stripe_fee"),
        )
        details = [
            {
                "amount": amount,
                "application": application,
                "currency": currency,
                "description": text,
                "type": of,
            }
            for amount, application, text, of in kinds
            if amount
        ]
        fee += application_fee[0]
        entry = {
            "id": self.account.new_id("txn"),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": available_on,
            "created": now,
            "currency": currency,
            "description": description,
            "exchange_rate": None,
            "fee": fee,
            "fee_details": details,
            "net": amount - fee,
            "reporting_category": category,
            "source": source,
            "status": "available" if at_once else "pending",
            "type": kind,
        }
        self.account.add("balance_transaction", entry)
        self._book(entry)
        return entry

    def insert(self, entry: dict[str, Any], *, payout: str = "") -> None:
        """A finished entry, in bulk; `payout` is the automatic payout that took it. Call the account's
        `settled` at the end."""
        self.account.insert("balance_transaction", entry)
        if payout:
            self.assign(entry["id"], payout)

    def assign(self, entry: str, payout: str) -> None:
        """Say which automatic payout took an entry."""
        self.assigned.append((entry, payout))
        self.paid_by[entry] = payout
        self.members.setdefault(payout, []).append(entry)

    def _book(self, entry: dict[str, Any]) -> None:
        currency, net = entry["currency"], entry["net"]
        total = self.totals.setdefault(currency, [0, 0])
        if entry["status"] == "pending":
            total[1] += net
            self.account.own_clock.at(entry["available_on"], "funds", entry["id"])
        else:
            total[0] += net
            if entry["id"] not in self.paid_by:
                self.open.setdefault(currency, {})[entry["id"]] = net

    def rebuild(self) -> None:
        """Add everything up anew, after a bulk insertion."""
        self.totals, self.open = {}, {}
        self.account.own_clock.cancel("funds")
        for entry in self.account.each("balance_transaction"):
            self._book(entry)

    def release(self, identifier: str) -> str:
        """A pending entry becomes available; answers its currency."""
        entry = self.account.get("balance_transaction", identifier)
        if entry is None or entry["status"] == "available":
            return ""
        entry["status"] = "available"
        self.account.save("balance_transaction", entry)
        total = self.totals[entry["currency"]]
        total[0] += entry["net"]
        total[1] -= entry["net"]
        self.open.setdefault(entry["currency"], {})[identifier] = entry["net"]
        return str(entry["currency"])

    def mark(self) -> tuple[Any, ...]:
        """What it holds now, to go back to with `restore`."""
        return (
            {name: list(each) for name, each in self.totals.items()},
            {name: dict(each) for name, each in self.open.items()},
            len(self.assigned),
        )

    def restore(self, mark: tuple[Any, ...]) -> None:
        """Back to what it held."""
        self.totals, self.open, length = mark
        while len(self.assigned) > length:
            entry, payout = self.assigned.pop()
            del self.paid_by[entry]
            self.members[payout].pop()
            if not self.members[payout]:
                del self.members[payout]

    def available(self, currency: str) -> int:
        """What can be paid out or given back now."""
        return self.totals.get(currency, [0, 0])[0]

    def take(self, currency: str, payout: str) -> None:
        """An automatic payout takes what no other took so far."""
        for identifier in self.open.pop(currency, {}):
            self.assign(identifier, payout)

    def balance(self) -> dict[str, Any]:
        """The balance object: per currency what is available, and what is pending."""
        currencies = sorted(self.totals) or ["usd"]

        def rows(place: int) -> list[dict[str, Any]]:
            amounts = {currency: self.totals.get(currency, [0, 0])[place] for currency in currencies}
            return [
                {"amount": each, "currency": name, "source_types": {"card": each}}
                for name, each in amounts.items()
            ]

        instant = [
            {
                "amount": max(0, self.available(name)),
                "currency": name,
                "source_types": {"card": max(0, self.available(name))},
            }
            for name in currencies
        ]
        return {
            "object": "balance",
            "available": rows(0),
            "connect_reserved": [{"amount": 0, "currency": name} for name in currencies],
            "instant_available": instant,
            "livemode": False,
            "pending": rows(1),
        }
