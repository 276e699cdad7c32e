"""What this kernel has seen of an account: ids and e-mail addresses in results, for completion. Bounded, in
memory, kept on the connection: another account's are never offered, and they go when it is closed."""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stripe_magics.client.connection import Connection

MAX_REMEMBERED = 300  # of each type of object
ROWS = 100  # of one frame
_ID = re.compile(r"[a-z]{2,12}(?:_test)?_[A-Za-z0-9_]{4,}\Z")
_LINKS = frozenset(
    [
        "charge",
        "customer",
        "invoice",
        "latest_charge",
        "payment_intent",
        "payment_link",
        "payment_method",
        "payout",
        "price",
        "product",
        "refund",
        "source",
        "subscription",
        "transfer",
    ]
)  # columns that hold the ids of other objects, named after their type
_LABELS = ("name", "email", "description", "number", "amount", "status")


_EXTENSION = "seen_ids"


def seen_on(connection: Connection | None) -> Seen:
    """What was seen on a connection; nothing without one."""
    if connection is None:
        return Seen()
    seen: Seen = connection.extensions.setdefault(_EXTENSION, Seen())
    return seen


class Seen:
    """Ids by type of object, the latest last, each with a few words about it; and e-mail addresses."""

    def __init__(self) -> None:
        self.ids: dict[str, OrderedDict[str, str]] = {}
        self.emails: OrderedDict[str, str] = OrderedDict()

    def learn(self, answer: Any) -> None:
        """Take up what a frame shows. Anything else is passed over."""
        about = getattr(answer, "attrs", {}).get("stripe") if hasattr(answer, "columns") else None
        if not about:
            return
        kind = str(about.get("object", "")).removeprefix("list[").removesuffix("]")
        head = answer.iloc[:ROWS].copy(deep=False) if len(answer) > ROWS else answer.copy(deep=False)
        head.attrs = {}  # pandas copies attrs, deeply, with every column that is taken out
        names = set(head.columns)
        labels = [head[name].tolist() for name in _LABELS if name in names]
        for at, name in reversed(list(enumerate(head["id"].tolist() if "id" in names else []))):
            label = next((each[at] for each in labels if isinstance(each[at], str) and each[at]), "")
            self._add_id(kind, str(name), label)
        for name in names:
            if str(name).endswith("email"):
                for each in head[name].tolist():
                    if isinstance(each, str) and "@" in each:
                        self._add(self.emails, each, "")
            elif name in _LINKS:
                for each in head[name].tolist():
                    if isinstance(each, str):
                        self._add_id(str(name).removeprefix("latest_"), each, "")

    def _add_id(self, kind: str, name: str, label: str) -> None:
        if _ID.match(name) and "_secret" not in name:
            self._add(self.ids.setdefault(kind, OrderedDict()), name, label)

    @staticmethod
    def _add(store: OrderedDict[str, str], name: str, label: str) -> None:
        store[name] = label or store.get(name, "")
        store.move_to_end(name)
        while len(store) > MAX_REMEMBERED:
            store.popitem(last=False)

    def of(self, kind: str) -> list[tuple[str, str]]:
        """Ids of one type of object, the latest first, with their words."""
        return list(reversed(self.ids.get(kind, OrderedDict()).items()))

    def forget(self) -> None:
        """Nothing was seen."""
        self.ids.clear()
        self.emails.clear()
