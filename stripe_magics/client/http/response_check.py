"""Whether a success is what was asked for.

A customer where a payment was asked for, an object without an id, a list whose `data` is null: something
between here and Stripe answered, or the answer is another request's. Of a write it leaves the outcome
unknown; of a read it is asked for again.
Judged are the answers of every type whose facts are in the catalogue: each v1 operation that gives one of
them never gives another one.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from stripe_magics._json import JsonObject
from stripe_magics.catalogue.generated import objects
from stripe_magics.catalogue.versions import NEWEST_VERSION, PINNED_VERSION
from stripe_magics.request import Request

LISTS = frozenset({"list", "search_result"})
_MAY_LACK_ID = frozenset({"tax.calculation"})  # one that is only computed
_PREVIEWS = ("/upcoming", "/preview", "/create_preview")  # what they give isn't kept at Stripe


@cache
def _facts(kind: str) -> dict[str, Any] | None:
    """What is known of a type's answers; None for "any" and types that aren't known, whose answers aren't
    judged."""
    for version in (PINNED_VERSION, NEWEST_VERSION):
        known = objects.facts(version)
        if kind in known:
            found: dict[str, Any] = known[kind]
            return found
    return None


def has_id(request: Request) -> bool:
    """Whether what is asked for surely has an id."""
    facts = _facts(request.returns)
    return (
        facts is not None
        and "id" in facts
        and request.returns not in _MAY_LACK_ID
        and not request.path.endswith(_PREVIEWS)
    )


def mismatch(request: Request, data: JsonObject | None) -> str:
    """What is wrong with an answer that came as a success, in words; "" if it is what was asked for."""
    if data is None:
        return ""
    kind = _kind(data)
    if request.lists or kind in LISTS:
        return _list_mismatch(request, data)
    expected = request.returns
    if _facts(expected) is None:
        return ""
    if kind != expected:
        return f"the answer is {_named(kind)} where a {expected} was asked for"
    identity = data.get("id")
    if has_id(request) and not (isinstance(identity, str) and identity):
        return f"the answer is a {expected} without an id"
    return ""


def _kind(data: JsonObject) -> str:
    kind = data.get("object")
    return kind if isinstance(kind, str) else ""


def _named(kind: object) -> str:
    return f"a {kind[:40]}" if isinstance(kind, str) and kind else "an object without a type"


def _list_mismatch(request: Request, data: JsonObject) -> str:
    rows = data.get("data")
    if not request.lists and _facts(request.returns) is not None and not request.list_of_one:
        return f"the answer is a list where a {request.returns} was asked for"
    if request.lists and _kind(data) not in LISTS:
        return f"the answer is {_named(_kind(data))} where the list {request.path} was asked for"
    if not isinstance(rows, list):
        return (
            f"the list {request.path} came without rows (`data` is"
            f" {'null' if rows is None else type(rows).__name__})"
        )
    if not all(isinstance(row, dict) for row in rows):
        return f"the list {request.path} has rows that aren't objects"
    return ""
