"""What a story is made of: facts, entries in time, and what can be done next; and the small words that all
stories share.

`get(path)` gives Stripe's JSON; a story asks at most four times. What can be read of a part but isn't there
is left out; a list that was cut says so among the entries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from stripe_magics import _locale
from stripe_magics.money import CURRENCIES, format_amount

Get = Callable[[str], Any]
Json = Mapping[str, Any]
PARTS = 20  # of each kind in a story


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened: when (Unix seconds), what, in which state, and the id to follow."""

    time: int
    text: str
    status: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """What can be done next: the form of a module, prefilled."""

    label: str
    module: str
    values: Mapping[str, Any]


@dataclass(slots=True)
class Story:
    """What a card shows of one object."""

    kind: str
    id: str
    title: str
    status: str = ""
    facts: list[tuple[str, str]] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    livemode: bool = False

    def sort(self) -> Story:
        """Newest first; what happened in the same second stays in the order in which it was found."""
        self.entries.sort(key=lambda each: -each.time)
        return self


# Small words ------------------------------------------------------------------------------------------------
def money(minor: Any, currency: Any) -> str:
    """`25.00 EUR`; "" for what is no amount."""
    known = isinstance(minor, int) and str(currency).lower() in CURRENCIES
    return _locale.amount(format_amount(minor, str(currency).lower())) if known else ""


def person(customer: object, fallback: str = "") -> str:
    """A customer as people know them: `Jenny Rosen (cus_...)`."""
    if isinstance(customer, Mapping):
        name = str(customer.get("name") or customer.get("email") or "")
        return f"{name} ({customer.get('id', '')})" if name else str(customer.get("id", ""))
    return str(customer or fallback)


def card(details: Any) -> str:
    """`Visa 4242`, or the method's type in words."""
    details = details or {}
    known = details.get("card") or {}
    words = f"{str(known.get('brand') or '').capitalize()} {known.get('last4') or ''}".strip()
    return words or str(details.get("type") or "").replace("_", " ")


def query(path: str, expand: Iterable[str] = (), **params: Any) -> str:
    pairs = [*params.items(), *(("expand[]", each) for each in expand)]
    return f"{path}?{urlencode(pairs)}" if pairs else path


def one(kind_path: str, id: str, *expand: str) -> str:
    return query(f"{kind_path}/{quote(id, safe='')}", expand)


def rows(answer: Any, story: Story, what: str) -> list[Json]:
    found = [each for each in answer.get("data", []) if isinstance(each, Mapping)]
    if answer.get("has_more"):
        story.notes.append(f"Only the newest {len(found)} {what} are shown.")
    return found


def add_facts(story: Story, *pairs: tuple[str, Any]) -> None:
    story.facts += [(label, str(value)) for label, value in pairs if value]


def day(seconds: Any) -> str:
    """`30 Sep 2026` (UTC); "" where there is no time, or one that no calendar has."""
    from datetime import UTC, datetime

    try:
        return _locale.moment(datetime.fromtimestamp(int(seconds), UTC), "%d %b %Y")
    except (TypeError, ValueError, OverflowError, OSError):
        return ""
