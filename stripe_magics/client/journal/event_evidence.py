"""Events that show how a write ended whose answer was lost.

Stripe writes the idempotency key of the request that caused an event into it (`request.idempotency_key`). An
operation of the journal with that key has therefore been carried out, whatever this side heard of it; the
event's object says with which result.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from stripe_magics._json import JsonObject

if TYPE_CHECKING:
    from stripe_magics.client.journal.journal import Journal, Operation

_FAILED = re.compile(r"(^charge\.failed|\.payment_failed|^refund\.failed|\.setup_failed)$")
_TOO_EARLY = frozenset({"payment_intent.created", "setup_intent.created", "charge.pending"})
"""These come before the attempt itself: of a call that moves money they don't show the outcome."""


def causing_request(event: JsonObject) -> JsonObject:
    """`id` and `idempotency_key` of the request that caused an event; None where Stripe did it by
    itself. Before 2017-05-25 an event has the id alone."""
    request = event.get("request")
    return request if isinstance(request, dict) else {"id": request}


def causing_key(event: JsonObject) -> str:
    """The idempotency key of the request that caused an event, or ""."""
    return str(causing_request(event).get("idempotency_key") or "")


def resolve_by_events(journal: Journal, scope: str, events: Iterable[JsonObject]) -> list[str]:
    """Write down the outcomes that these events show. Returns a sentence for each operation that was open
    until now."""
    by_key: dict[str, list[JsonObject]] = {}
    for event in events:
        if key := causing_key(event):
            by_key.setdefault(key, []).append(event)
    notes = []
    for key, caused in by_key.items():
        for operation in journal.by_key(key):
            if operation.scope == scope and not operation.resolved and not journal.alive(operation):
                note = _resolve(journal, operation, caused)
                if note:
                    notes.append(note)
    return notes


def _resolve(journal: Journal, operation: Operation, caused: list[JsonObject]) -> str:
    telling = [
        event for event in caused if operation.effect != "irreversible" or event["type"] not in _TOO_EARLY
    ]
    if not telling:
        return ""
    failed = next((event for event in telling if _FAILED.search(event["type"])), None)
    made = _object_of(operation, telling)
    about = failed or next(
        (event for event in telling if event["data"]["object"].get("id") == made), telling[0]
    )
    state = "refused" if failed else "done"
    request_id = str(causing_request(about).get("id") or "")
    journal.record_result(
        operation.number,
        state,
        result="" if failed else made,
        request_id=request_id,
        reason=f"event {about['id']} ({about['type']})",
    )
    end = (
        "it was carried out and failed: no money moved"
        if failed
        else f"it was carried out{f': {made}' if made else ''}"
    )
    return (
        f"Operation {operation.number} ({operation.method} {operation.path}), whose outcome was unknown, is"
        f" resolved by {about['id']}: {end}."
    )


def _object_of(operation: Operation, events: list[JsonObject]) -> str:
    """The id of the object that the operation made or changed: of the kind that its path names last."""
    kinds = [part.removesuffix("s") for part in operation.path.split("/")]
    for kind in reversed(kinds):
        for event in events:
            subject = event["data"]["object"]
            if subject.get("object") == kind:
                return str(subject.get("id") or "")
    return ""
