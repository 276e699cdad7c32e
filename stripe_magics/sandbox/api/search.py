"""Stripe's search language: `email:"x" AND created>1672531200`.

clause    field:value (exact, text without regard to case)   field~"part"   field:null
          number field > < >= <=   -clause   metadata["k"]:"v"
query     clauses joined by AND (or a space), or all by OR; no parentheses; at most ten clauses
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

from stripe_magics.sandbox.api.errors import ApiError, invalid_before_execution
from stripe_magics.sandbox.api.pagination import Page, limit_of
from stripe_magics.sandbox.api.search_index import index_of
from stripe_magics.sandbox.core.object_table import Row, Table
from stripe_magics.sandbox.core.store import Account

FIELDS: dict[str, dict[str, str]] = {
    "customer": {"created": "number", "email": "text", "metadata": "map", "name": "text", "phone": "text"},
    "invoice": {
        "created": "number", "currency": "token", "customer": "token",
        "last_finalization_error_code": "token",
        "last_finalization_error_type": "token", "metadata": "map", "number": "text",
        "receipt_number": "text", "status": "token",
        "subscription": "token", "total": "number",
    },
    "payment_intent": {
        "amount": "number", "created": "number", "currency": "token", "customer": "token", "metadata": "map",
        "status": "token",
    },
    "charge": {
        "amount": "number", "billing_details.address.postal_code": "token", "created": "number",
        "currency": "token", "customer": "token", "disputed": "token", "metadata": "map",
        "payment_method_details.card.brand": "token", "payment_method_details.card.exp_month": "number",
        "payment_method_details.card.exp_year": "number", "payment_method_details.card.fingerprint": "token",
        "payment_method_details.card.last4": "token", "refunded": "token", "status": "token",
    },
    "price": {"active": "token", "currency": "token", "lookup_key": "text", "metadata": "map",
        "product": "token", "type": "token"},
    "product": {
        "active": "token", "description": "text", "metadata": "map", "name": "text", "shippable": "token",
        "url": "text",
    },
    "subscription": {"created": "number", "canceled_at": "number", "metadata": "map", "status": "token"},
}  # fmt: skip
"""Object -> searchable field -> how it compares: `text` also takes ~, `token` only equality, `number` also >
and <."""

MOST_CLAUSES = 10
SHORTEST_PART = 3
_CLAUSE = re.compile(
    r"""\s*(?P<minus>-)?(?P<field>[A-Za-z_][\w.]*)(?:\[(?P<key>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')\])?"""
    r"""\s*(?P<operator>>=|<=|:|~|>|<)\s*(?P<value>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^\s"']+)"""
)
_JOINT = re.compile(r"\s+(AND|OR)\s+|\s+", re.IGNORECASE)

Clause = Callable[[Any], bool]


def search(account: Account, kind: str, params: dict[str, Any], url: str) -> Page:
    """A page of what a query finds, newest first; the cursor is `page`."""
    query = parse(params["query"], kind)
    limit = limit_of(params)
    start = 0
    if params.get("page"):
        if not re.fullmatch(r"[0-9]{1,9}", params["page"]):
            raise invalid_before_execution("Invalid page: use next_page of the answer before.", param="page")
        start = int(params["page"])
    counted = "total_count" in (params.get("expand") or ())
    candidates = query.candidates(account.table(kind))
    read = reader(query.fields)
    rows = []
    for row in reversed(candidates):
        if query.exact or query.test(read(row.text)):
            rows.append(row)
            if len(rows) > start + limit and (query.exact or not counted):
                break
    more = start + limit < len(rows)
    total = (len(candidates) if query.exact else len(rows)) if counted else None
    return Page(
        rows[start : start + limit],
        url,
        has_more=more,
        next_page=str(start + limit) if more else None,
        search=True,
        total=total,
    )


@dataclass(slots=True)
class Term:
    """One clause: a test on an object and, where an index can find what passes it, how."""

    path: tuple[str, ...]
    test: Clause
    find: Callable[[Table], list[Row]] | None = None


@dataclass(slots=True)
class Query:
    """A query that was read: all of its terms have to hold, or any."""

    terms: list[Term]
    any_of: bool

    @property
    def fields(self) -> frozenset[str]:
        """The fields that it looks at."""
        return frozenset(term.path[0] for term in self.terms)

    @property
    def exact(self) -> bool:
        """Whether the candidates are the answer."""
        return len(self.terms) == 1 and self.terms[0].find is not None

    def test(self, subject: object) -> bool:
        """Whether an object is found."""
        combine = any if self.any_of else all
        return combine(term.test(subject) for term in self.terms)

    def candidates(self, table: Table) -> list[Row]:
        """The rows that may be found, oldest first: by an index where one helps."""
        finders = [term.find for term in self.terms if term.find is not None]
        if self.any_of:
            if len(finders) < len(self.terms):
                return table.ordered()
            union = {row.seq: row for find in finders for row in find(table)}
            return sorted(union.values(), key=Row.order)
        return min((find(table) for find in finders), key=len, default=table.ordered())


@cache
def reader(fields: frozenset[str]) -> Callable[[bytes], Any]:
    """Reads just these parts of an object's text: the rest is skipped, which makes a search of thousands
    quick."""
    requested = msgspec.defstruct("Requested", [(name, Any, None) for name in sorted(fields)])
    return msgspec.json.Decoder(requested).decode


def parse(query: str, kind: str) -> Query:
    """A query, read. Raises a refusal that says what can't be read."""
    terms: list[Term] = []
    joints: set[str] = set()
    at = 0
    text = query.strip()
    while True:
        found = _CLAUSE.match(text, at)
        if found is None:
            raise _unread(query, f"expected field:value at '{text[at : at + 20]}'")
        terms.append(_term(found, kind, query))
        at = found.end()
        if at >= len(text):
            break
        joint = _JOINT.match(text, at)
        if joint is None:
            raise _unread(query, f"expected AND, OR or a space at '{text[at : at + 20]}'")
        joints.add((joint[1] or "AND").upper())
        at = joint.end()
    if len(joints) > 1:
        raise _unread(query, "AND and OR can't be mixed")
    if len(terms) > MOST_CLAUSES:
        raise _unread(query, f"at most {MOST_CLAUSES} clauses")
    return Query(terms, any_of="OR" in joints)


def _unread(query: str, reason: str) -> ApiError:
    return invalid_before_execution(
        f"We were unable to parse your search query ({reason}): {query}", param="query"
    )


def _term(found: re.Match[str], kind: str, query: str) -> Term:
    field, operator, given = found["field"], found["operator"], found["value"]
    how = FIELDS[kind].get(field)
    if how is None:
        raise invalid_before_execution(
            f"Field '{field}' is an unsupported search field for this resource.", param="query"
        )
    if (how == "map") != (found["key"] is not None):
        raise _unread(query, 'metadata takes a key, as in metadata["key"]:"value"; other fields none')
    path = ["metadata", _unquote(found["key"])] if how == "map" else field.split(".")
    if how != "number" and operator not in {":", "~"}:
        raise _unread(query, f"'{operator}' compares numbers; {field} is none")
    if operator == "~" and how not in {"text", "map"}:
        raise _unread(query, f"'~' is for texts; {field} is none")
    test = _comparison(how, operator, given, query)
    sign = found["minus"] is None
    where = tuple(path)
    term = Term(where, lambda subject: test(_value(subject, path)) is sign)
    if sign and not (operator == ":" and given.lower() == "null"):
        term.find = _finder(where, how, operator, _unquote(given))
    return term


def _finder(path: tuple[str, ...], how: str, operator: str, text: str) -> Callable[[Table], list[Row]] | None:
    """How an index finds what a clause asks for; None where none does."""
    if path == ("created",):
        moment = int(text)
        low = {":": moment, ">=": moment, ">": moment + 1}.get(operator)
        high = {":": moment + 1, "<": moment, "<=": moment + 1}.get(operator)
        return lambda table: _between(table.ordered(), low, high)
    if how == "number" and operator != ":":
        return None

    def read(content: bytes) -> Any:
        return _value(reader(frozenset(path[:1]))(content), list(path))

    sought = str(int(text)) if how == "number" else text.casefold()
    if operator == "~":
        return lambda table: index_of(table, path, read).containing(sought)
    return lambda table: index_of(table, path, read).equal(sought)


def _between(rows: list[Row], low: int | None, high: int | None) -> list[Row]:
    first = 0 if low is None else bisect_left(rows, low, key=lambda row: row.created)
    last = len(rows) if high is None else bisect_left(rows, high, key=lambda row: row.created)
    return rows[first:last]


def _value(subject: object, path: list[str]) -> Any:
    subject = getattr(subject, path[0])
    for part in path[1:]:
        subject = subject.get(part) if isinstance(subject, dict) else None
    return subject


def _unquote(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text[:1] in {'"', "'"} else text


def _comparison(how: str, operator: str, given: str, query: str) -> Callable[[Any], bool]:
    if operator == ":" and given.lower() == "null":
        return lambda value: value is None or value == ""
    requested = _unquote(given)
    if how == "number":
        if not re.fullmatch(r"-?[0-9]{1,18}", requested):
            raise _unread(query, f"'{requested}' is not a number")
        number = int(requested)
        tests: dict[str, Callable[[Any], bool]] = {
            ":": lambda value: value == number,
            ">": lambda value: value is not None and value > number,
            "<": lambda value: value is not None and value < number,
            ">=": lambda value: value is not None and value >= number,
            "<=": lambda value: value is not None and value <= number,
        }
        return tests[operator]
    folded = requested.casefold()
    if operator == "~":
        if len(requested) < SHORTEST_PART:
            raise _unread(query, f"'~' takes at least {SHORTEST_PART} characters")
        return lambda value: value is not None and folded in str(value).casefold()
    if how == "token":
        return lambda value: (
            value is not None
            and (str(value).lower() if isinstance(value, bool) else str(value).casefold()) == folded
        )
    return lambda value: value is not None and str(value).casefold() == folded
