"""Finding an object by what people know of it: an id, a Dashboard address, an e-mail, a name, a number, an
amount.

Which calls can answer is asked of the catalogue: the module that lists such objects, whether it takes an
e-mail or a customer, whether there is a search. Nothing here knows a module by name but the plain GET of an
object by its id.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from stripe_magics import _locale, catalogue
from stripe_magics.catalogue import stripe_objects
from stripe_magics.catalogue.field import Field, Kind
from stripe_magics.catalogue.module import Module
from stripe_magics.catalogue.stripe_objects import OBJECTS
from stripe_magics.errors import InvalidRequest, StripeMagicsError

NEWEST = 100  # objects looked through where Stripe can't search
_ID = re.compile(r"[a-z]{2,10}(_[a-z]{4})?_[A-Za-z0-9]{6,}\Z")
SEARCHED = {kind: each.search for kind, each in OBJECTS.items() if each.search}
WORDS = (
    "number",
    "name",
    "display_name",
    "email",
    "customer_email",
    "receipt_email",
    "description",
    "nickname",
    "status",
    "currency",
    "id",
    "customer",
    "code",
)


def find(object_type: str, text: str, call: Any, *, limit: int = 20) -> list[dict[str, Any]]:
    """The objects that `text` may mean, best first; at most `limit`. `call(name, **values)` returns Stripe's
    JSON.

    Raises what the calls raise; an id that doesn't exist raises `NotFound`.
    """

    requested = id_in(text)
    if requested:
        lister = lister_of(object_type)
        base = lister.path if lister is not None else "/v1/" + object_type + "s"
        found = call("api.call", url=f"{base}/{requested}", method="GET")
        return [dict(found)] if isinstance(found, Mapping) and not found.get("deleted") else []
    lister = lister_of(object_type)
    if lister is None:
        return []
    if "@" in text:
        by_mail = _by_email(lister, text.strip(), call, limit)
        if by_mail is not None:
            return by_mail
    keys = SEARCHED.get(object_type)
    searcher = _searcher(lister) if keys and text.strip() else None
    if keys and searcher is not None:
        found = _search(searcher, keys, text.strip(), call, limit)
        if found:
            return found
    rows = _rows(call(lister.name, limit=NEWEST))
    return [row for row in rows if matches(row, text)][:limit]


def id_in(text: str) -> str:
    """The id in what was typed: the id itself, or the last part of a Dashboard address; "" if there is
    none."""
    last = text.strip().split("?")[0].rstrip("/").rpartition("/")[2]
    return last if _ID.fullmatch(last) else ""


@cache
def lister_of(object_type: str) -> Module | None:
    """The module that lists such objects and needs nothing else, a documented one if there is; None if Stripe
    lists none."""
    requested = f"list[{object_type}]"
    fitting = (each for each in catalogue.everything() if each.returns == requested and each.method == "GET")
    return next(
        (
            each
            for each in fitting
            if "{" not in each.path and not each.path.endswith("/search") and not _needs(each)
        ),
        None,
    )


def _needs(module: Module) -> bool:
    return any(each.required and not each.when for each in module.fields)


def _searcher(lister: Module) -> Module | None:
    """The module of Stripe's search beside a list, if there is one."""
    name = f"{lister.resource}.search"
    found = catalogue.find(name) if name in catalogue.names() else None
    return found if found is not None and found.get("query") is not None else None


def _by_email(lister: Module, email: str, call: Any, limit: int) -> list[dict[str, Any]] | None:
    """By e-mail where the list takes one, else by the customers who have it; None if the list takes
    neither."""
    if lister.get("email") is not None:
        return _rows(call(lister.name, email=email, limit=limit))
    taken = lister.get("customer")
    if taken is None:
        return None
    owners = find("customer", email, call, limit=5)
    return [row for owner in owners for row in _rows(call(lister.name, customer=owner["id"], limit=limit))][
        :limit
    ]


def _search(module: Module, keys: tuple[str, ...], text: str, call: Any, limit: int) -> list[dict[str, Any]]:
    """By Stripe's search; it may be refused (some countries) or not have the newest objects yet: then the
    list is looked through."""
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    clauses = " OR ".join(f'{key}~"{quoted}"' for key in keys) if len(text) >= 3 else ""
    if not clauses:
        return []
    more = {"search_by": "query"} if module.get("search_by") is not None else {}
    try:
        return _rows(call(module.name, query=clauses, limit=limit, **more))
    except InvalidRequest:
        return []


def _rows(answer: Any) -> list[dict[str, Any]]:
    rows = answer if isinstance(answer, list) else answer.get("data", [answer])
    return [row for row in rows if isinstance(row, dict) and "id" in row]


def matches(row: Mapping[str, Any], text: str) -> bool:
    """Whether every word stands somewhere in what people know of an object. No words match anything."""
    amounts = dict.fromkeys((amount(row), _plain_amount(row)))  # as it is shown, and as a line takes it
    known = " ".join([*(str(row.get(key) or "") for key in WORDS), *amounts, _rate(row)]).lower()
    return all(word in known for word in text.lower().split())


def amount(row: Mapping[str, Any]) -> str:
    """The object's amount as people read it, "" if it has none."""
    return _locale.amount(_plain_amount(row))


def _plain_amount(row: Mapping[str, Any]) -> str:
    from stripe_magics.money import CURRENCIES, format_amount

    minor = next(
        (
            row[key]
            for key in ("amount", "total", "amount_due", "unit_amount")
            if isinstance(row.get(key), int)
        ),
        None,
    )
    currency = str(row.get("currency") or "")
    return format_amount(minor, currency) if minor is not None and currency in CURRENCIES else ""


def describe(row: Mapping[str, Any]) -> str:
    """An object in one line: name, e-mail, amount, status, day, id."""
    parts = [
        str(row.get(key) or "")
        for key in ("name", "number", "display_name", "email", "customer_email", "description")
    ]
    created = row.get("created")
    made = datetime.fromtimestamp(created, UTC) if isinstance(created, int) else None
    day = _locale.moment(made, "%d %b %Y") if made is not None else ""
    status = str(row.get("status") or ("inactive" if row.get("active") is False else ""))
    words = [each[:60] for each in parts if each]
    return ", ".join(
        dict.fromkeys(
            [*words[:3], *(each for each in (amount(row), _rate(row), status, day, str(row["id"])) if each)]
        )
    )


def _rate(row: Mapping[str, Any]) -> str:
    """A tax rate's or coupon's share, `20%`."""
    share = next((row[key] for key in ("percentage", "percent_off") if row.get(key) is not None), None)
    return "" if share is None else f"{str(share).removesuffix('.0')}%"


def wrong_mode(row: Mapping[str, Any], *, live: bool) -> str:
    """Why an object can't be used on this connection: it is of the other mode; "" if it can."""
    if isinstance(row.get("livemode"), bool) and row["livemode"] != live:
        return (
            f"{row['id']} is {'live' if row['livemode'] else 'test'} data, but the connection is"
            f" {'live' if live else 'test'}."
        )
    return ""


def wrong_prefix(field: Field, text: str) -> bool:
    """Whether the text is an id of another type of object than the field wants."""
    from datetime import UTC

    from stripe_magics.validation import check

    if field.kind is not Kind.OBJECT_ID:
        return False
    try:
        check(field, text, zone=UTC)
    except (ValueError, StripeMagicsError):
        return True
    return False


def is_object(text: str) -> bool:
    """Whether a line names an object and nothing else."""
    word = text.strip()
    if not word or " " in word:
        return False
    if "@" in word.strip("@"):
        return "." in word.rpartition("@")[2]
    identity = id_in(word)
    return bool(identity and stripe_objects.owner(identity)) or _looks_like_number(word)


def _looks_like_number(word: str) -> bool:
    head, dash, tail = word.rpartition("-")
    return bool(dash and tail.isdigit() and len(tail) >= 4 and head.isalnum() and head.upper() == head)
