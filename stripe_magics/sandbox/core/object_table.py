"""All objects of one type, in order of creation, as the JSON that goes out, and what lists filter by."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import Any

import msgspec

KEYS: dict[str, tuple[str, ...]] = {
    "customer": ("email", "test_clock"),
    "payment_intent": ("customer",),
    "transfer": ("destination", "transfer_group", "source_transaction"),
    "transfer_reversal": ("transfer",),
    "application_fee": ("charge",),
    "file_link": ("file",),
    "radar.early_fraud_warning": ("charge", "payment_intent"),
    "topup": ("status", "amount"),
    "person": ("account",),
    "charge": ("customer", "payment_intent", "transfer_group"),
    "refund": ("charge", "payment_intent"),
    "payout": ("status", "arrival_date", "destination"),
    "balance_transaction": ("type", "currency", "source"),
    "invoice": ("customer", "status", "subscription", "collection_method", "due_date", "test_clock"),
    "invoiceitem": ("customer", "invoice", "test_clock"),
    "event": ("type",),
    "payment_method": ("customer", "type"),
    "price": ("product", "active", "currency", "type", "lookup_key"),
    "product": ("active", "shippable", "url"),
    "promotion_code": ("code", "active", "customer"),
    "tax_rate": ("active", "inclusive"),
    "subscription": (
        "customer",
        "status",
        "collection_method",
        "current_period_start",
        "current_period_end",
        "test_clock",
    ),
    "subscription_item": ("subscription",),
    "dispute": ("charge", "payment_intent"),
    "tax_id": ("customer",),
    "payment_link": ("active",),
    "billing_portal.configuration": ("active", "is_default"),
    "billing.credit_grant": ("customer", "test_clock"),
    "billing.credit_balance_transaction": ("credit_grant", "test_clock"),
    "customer_balance_transaction": ("customer",),
    "customer_cash_balance_transaction": ("customer",),
    "card": ("customer",),
    "bank_account": ("currency", "customer"),
    "source": ("customer",),
    "setup_intent": ("customer", "payment_method"),
    "setup_attempt": ("setup_intent",),
    "file": ("purpose",),
    "checkout.session": ("customer", "payment_intent", "payment_link", "status", "subscription"),
    "shipping_rate": ("active",),
    "credit_note": ("invoice", "customer"),
    "subscription_schedule": ("customer", "test_clock"),
    "quote": ("customer", "status", "test_clock"),
}
"""What lists of each type filter by, besides `created`."""


class Row(msgspec.Struct, gc=False, eq=False):
    """One object: `json` is its text (made when first needed), `data` its dict while it is worked with; one
    of the two is always there. Nothing in it leads back to it: the garbage collector passes by."""

    id: str
    created: int
    seq: int
    keys: tuple[Any, ...]
    data: dict[str, Any] | None
    json: bytes | None

    @property
    def text(self) -> bytes:
        """The object as JSON."""
        if self.json is None:
            self.json = msgspec.json.encode(self.data)
        return self.json

    @property
    def value(self) -> dict[str, Any]:
        """The object as a dict that is only looked at."""
        return self.data if self.data is not None else msgspec.json.decode(self.text)

    def order(self) -> tuple[int, int]:
        """By creation; what was created in the same second, by order of arrival."""
        return (self.created, self.seq)


def drop(rows: list[Row], row: Row) -> None:
    """Take a row out of a list that is in order of creation."""
    del rows[bisect_left(rows, row.order(), key=Row.order)]


class Table:
    """All objects of one type, oldest first."""

    __slots__ = ("_indices", "_sorted", "by_id", "changed", "keys", "rows", "search_indices")

    def __init__(self, kind: str) -> None:
        self.keys = KEYS.get(kind, ())
        self.rows: list[Row] = []
        self.by_id: dict[str, Row] = {}
        self._sorted = True
        # of fields that were searched (api/search_index.py)
        self.search_indices: dict[tuple[str, ...], Any] = {}
        # rows that these don't know yet, and whether they are there
        self.changed: list[tuple[Row, bool]] = []
        # place of a filter value -> value -> rows, made when first asked for
        self._indices: dict[int, dict[Any, list[Row]]] = {}

    def add(self, row: Row) -> None:
        """One more; out of order only while an account is filled in bulk."""
        if self.rows and row.created < self.rows[-1].created:
            self._sorted = False
            self._indices.clear()
        self.rows.append(row)
        self.by_id[row.id] = row
        for place, index in self._indices.items():
            index.setdefault(row.keys[place], []).append(row)
        self.note(row)

    def note(self, row: Row, *, there: bool = True) -> None:
        """A row is new, changed or gone: the search indices follow when they are next asked."""
        if self.search_indices:
            self.changed.append((row, there))

    def ordered(self) -> list[Row]:
        """The rows, oldest first."""
        if not self._sorted:
            self.rows.sort(key=Row.order)
            self._sorted = True
        return self.rows

    def position(self, row: Row) -> int:
        """Where a row stands among the ordered ones."""
        return bisect_left(self.ordered(), row.order(), key=Row.order)

    def having(self, place: int, value: object) -> list[Row]:
        """The rows with that filter value, oldest first. Not to be changed."""
        index = self._indices.get(place)
        if index is None:
            index = {}
            for row in self.ordered():
                index.setdefault(row.keys[place], []).append(row)
            self._indices[place] = index
        return index.get(value, [])

    def rekey(self, row: Row, keys: tuple[Any, ...]) -> None:
        """A row's filter values have changed."""
        for place, index in self._indices.items():
            if row.keys[place] != keys[place]:
                drop(index[row.keys[place]], row)
                insort(index.setdefault(keys[place], []), row, key=Row.order)
        row.keys = keys
        self.note(row)

    def put_back(self, row: Row) -> None:
        """One that was taken out stands where it stood."""
        self.rows.append(row)
        self.by_id[row.id] = row
        self._sorted = False
        self._indices.clear()
        self.note(row)

    def remove(self, identifier: str) -> None:
        """Take one out."""
        row = self.by_id[identifier]
        del self.rows[self.position(row)]
        del self.by_id[identifier]
        for place, index in self._indices.items():
            drop(index[row.keys[place]], row)
        self.note(row, there=False)
