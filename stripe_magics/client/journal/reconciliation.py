"""Was it made? `reconcile` looks for what a write with an unknown outcome did, and sends nothing.

Three outcomes, and only what is proven is said:

- made: an event names the operation's idempotency key, or its request's id;
- certainly not made: the events and the list of the object were read whole over the time in which it can have
  been made, by Stripe's own clock, and neither the key nor an object that fits is among them; the evidence is
  in the finding;
- unknown: anything else. A search that broke off, a clock that wasn't known, a key that may not read events,
  an action that leaves no object:
  the operation stays unresolved, and `resume` stays possible.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from stripe_magics._json import JsonObject
from stripe_magics.client.journal.event_evidence import resolve_by_events
from stripe_magics.client.journal.journal_entry import Operation
from stripe_magics.client.journal.recovery import find_operation, read_request
from stripe_magics.client.pagination.paginator import pages
from stripe_magics.errors import NotFound, StripeError

if TYPE_CHECKING:
    from stripe_magics.client.sending.write_connection import WriteConnection

MARGIN = 120  # seconds around the time of sending, and those that must have passed since the last attempt
KEY_LIFETIME = 25 * 3600  # Stripe forgets a key after 24 hours: nothing is made under it later
EVENTS_KEPT = 30 * 24 * 3600 - MARGIN
LATE_COMPLETION = 24 * 3600  # after a 500 Stripe may still complete a request


class Outcome(StrEnum):
    """What is known of an operation."""

    MADE = "made"
    NOT_MADE = "not made"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class Finding:
    """What was found of an operation; `objects` are what it made or, where that isn't proven, those that
    fit."""

    operation: int
    outcome: Outcome
    text: str
    objects: list[JsonObject] = field(default_factory=list)
    evidence: str = ""  # what was searched: how many events and objects, from when to when

    @property
    def proven(self) -> bool:
        """Whether the outcome is certain."""
        return self.outcome is not Outcome.UNKNOWN

    def __str__(self) -> str:
        return f"{self.text} {self.evidence}".strip()


@dataclass(slots=True)
class ListSearch:
    """One list, read over the time of the operation. `problem` says why it can't prove anything; "" if it was
    read whole."""

    what: str
    rows: list[JsonObject] = field(default_factory=list)
    problem: str = ""

    def __str__(self) -> str:
        return f"{len(self.rows):,} {self.what}"


def reconcile(connection: WriteConnection, number: int) -> Finding:
    """Look for what an operation made, without sending it again. An outcome that is proven goes into the
    journal."""
    operation = find_operation(connection, number)
    if operation.resolved:
        known = f"{operation.state.replace('_', ' ')} {operation.result}".rstrip()
        outcome = Outcome.MADE if operation.state == "done" else Outcome.NOT_MADE
        return Finding(number, outcome, f"The outcome of operation {number} is known: {known}.")
    connection.send(read_request(operation, "/v1/events", (("limit", "1"),)))  # brings Stripe's time
    window = OperationWindow.of(connection, operation)
    events = _search(connection, operation, "/v1/events", "events", window)
    _check_events(events, operation)
    caused = [event for event in events.rows if _is_caused_by(event, operation)]
    if caused:
        return _made(connection, operation, caused)
    if operation.method == "DELETE" or operation.path.count("/") > 2:
        return _state_of(connection, operation)
    objects = _search(connection, operation, operation.path, "objects of its kind", window)
    return _judge(connection, operation, window, events, objects)


@dataclass(frozen=True, slots=True)
class OperationWindow:
    """The time in which the operation can have acted, in Stripe's seconds. `problem`: why that isn't certain,
    or is too early to say."""

    since: int
    until: int
    problem: str = ""

    @classmethod
    def of(cls, connection: WriteConnection, operation: Operation) -> OperationWindow:
        """By Stripe's clock where it is known, else by this machine's."""
        now = connection.stripe_clock.time()
        first, last = operation.stripe_first, operation.stripe_last
        local = connection.journal.now()
        if now is None or first is None or last is None:
            off = local - now if now is not None else 0.0  # the best guess
            since, until = operation.first - off - MARGIN, local - off + MARGIN
            return cls(
                int(since),
                int(until),
                "Stripe's time when it was sent isn't known, and this machine's clock may be off.",
            )
        since, until = int(first) - MARGIN, int(min(now, max(first + KEY_LIFETIME, last + MARGIN))) + MARGIN
        problem = ""
        if connection.mode == "sandbox":  # it acts at once, and its clock stands still
            return cls(since, until)
        if now - last < MARGIN or local - operation.last < MARGIN:
            problem = f"It is too early to be sure: try again in {MARGIN // 60} minutes."
        elif operation.status >= 500 and now - last < LATE_COMPLETION:
            problem = f"Stripe failed with status {operation.status} and may still complete it, within a day."
        elif now - since > EVENTS_KEPT:
            problem = "Stripe keeps events for 30 days only."
        return cls(since, until, problem)

    def __str__(self) -> str:
        first, last = (datetime.fromtimestamp(each, UTC) for each in (self.since, self.until))
        return f"from {first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S} UTC"


def _search(
    connection: WriteConnection, operation: Operation, path: str, what: str, window: OperationWindow
) -> ListSearch:
    """Read a list over the window, to its end."""
    search = ListSearch(what)
    params = (("created[gte]", str(window.since)), ("created[lte]", str(window.until)))
    try:
        for row in _rows(connection, operation, path, params):
            search.rows.append(row)
    except StripeError as problem:  # a key that may not read it, a list without `created`, a page that failed
        search.problem = f"The {what} could not be read to their end: {problem.brief.splitlines()[0]}"
    return search


def _rows(
    connection: WriteConnection, operation: Operation, path: str, params: tuple[tuple[str, str], ...]
) -> Iterator[JsonObject]:
    for answer in pages(connection, read_request(operation, path, params, lists=True), ordered=True):
        yield from (row for row in answer.rows if isinstance(row, dict))


def _check_events(events: ListSearch, operation: Operation) -> None:
    """Events show the key in their `request`; where they are rendered by an old API version, they don't."""
    if not operation.key:
        events.problem = events.problem or "The operation has no idempotency key that events could name."
    if any(isinstance(event.get("request"), str) for event in events.rows):
        events.problem = (
            events.problem or "The events of this account's API version don't name idempotency keys."
        )


def _is_caused_by(event: JsonObject, operation: Operation) -> bool:
    request = event.get("request")
    if isinstance(request, str):
        return bool(operation.request_id) and request == operation.request_id
    key = request.get("idempotency_key") if isinstance(request, dict) else None
    return bool(operation.key) and key == operation.key


def _made(connection: WriteConnection, operation: Operation, caused: list[JsonObject]) -> Finding:
    named = [
        {**event, "request": {"id": operation.request_id, "idempotency_key": operation.key}}
        for event in caused
    ]
    said = resolve_by_events(connection.journal, operation.scope, named)
    subject = (caused[-1].get("data") or {}).get("object") or {}
    after = connection.journal.get(operation.number)
    if not said:  # no event but that of its creation: a payment that may not have been tried yet
        identity = str(subject.get("id") or "")
        subject = connection.send(read_request(operation, f"{operation.path}/{identity}")).data
        connection.journal.record_result(operation.number, "done", result=identity, reason="seen in an event")
        text = (
            f"{identity} was made, its status is now {subject.get('status', 'unknown')}. Don't send it again."
        )
        return Finding(operation.number, Outcome.MADE, text, [subject])
    if after.state == "refused":
        return Finding(operation.number, Outcome.NOT_MADE, f"{said[0]}", [subject])
    objects = [each for event in caused if (each := event["data"]["object"]).get("id") == after.result] or [
        subject
    ]
    text = (
        f"It was carried out: {after.result or subject.get('id')} (event {caused[-1].get('type')}). Don't"
        " send it again."
    )
    return Finding(operation.number, Outcome.MADE, text, objects[:1])


def _state_of(connection: WriteConnection, operation: Operation) -> Finding:
    """An operation on an object: what the object looks like now. No search can prove that it did nothing."""
    path = "/".join(operation.path.split("/")[:4])
    action = "the deletion" if operation.method == "DELETE" else operation.path.rpartition("/")[2]
    try:
        found = connection.send(read_request(operation, path)).data
    except NotFound:
        if operation.method != "DELETE":
            raise
        found = {"id": path.rpartition("/")[2], "deleted": True}
    if operation.method == "DELETE" and operation.path == path and found.get("deleted"):
        connection.journal.record_result(
            operation.number, "done", result=str(found.get("id") or ""), reason="it is gone"
        )
        return Finding(operation.number, Outcome.MADE, f"{found.get('id')} is deleted.", [found])
    status = f", status {found['status']}" if found.get("status") else ""
    text = (
        f"It is unknown whether {action} has been carried out. {found.get('id') or path} as it is"
        f" now{status}. `%stripe resume {operation.number}` asks Stripe with the same key."
    )
    return Finding(operation.number, Outcome.UNKNOWN, text, [found])


def _judge(
    connection: WriteConnection,
    operation: Operation,
    window: OperationWindow,
    events: ListSearch,
    objects: ListSearch,
) -> Finding:
    """A creation that no event names: not made, if everything was searched and nothing fits; otherwise
    unknown."""
    number = operation.number
    expected = json.loads(operation.hints or "{}")
    others = {} if events.problem else _made_by_others(events.rows)
    fitting = [
        row
        for row in objects.rows
        if row.get("id") not in others and _fits(row, expected, connection.journal.digest)
    ]
    evidence = f"Read {window}: {events} and {objects}."
    problem = events.problem or objects.problem or window.problem
    if fitting:
        ids = ", ".join(str(row.get("id")) for row in fitting[:5])
        text = (
            f"It is unknown whether it was made: {ids} fit{'s' if len(fitting) == 1 else ''} it, and no event"
            f" that could be read names its key. Look there before anything else; `%stripe resume {number}`"
            " asks Stripe with the same key."
        )
        return Finding(number, Outcome.UNKNOWN, text, fitting, f"{problem} {evidence}".strip())
    if problem:
        text = f"It is unknown whether it was made: nothing was found, but that proves nothing. {problem}"
        return Finding(
            number, Outcome.UNKNOWN, text, [], f"{evidence} `%stripe resume {number}` stays possible."
        )
    reason = f"{len(events.rows)} events and {len(objects.rows)} objects {window}: none is its"
    connection.journal.record_result(number, "absent", reason=reason)
    text = "It was certainly not made. To make it now, run it with --again."
    return Finding(number, Outcome.NOT_MADE, text, [], evidence)


def _made_by_others(events: list[JsonObject]) -> set[str]:
    """Ids of objects whose creation another request (or nobody's) caused."""
    return {
        str(((event.get("data") or {}).get("object") or {}).get("id") or "")
        for event in events
        if str(event.get("type") or "").endswith(".created")
    }


def _fits(row: JsonObject, expected: dict[str, str], digest: Callable[[str], str]) -> bool:
    """Whether an object has what is known of the operation: amounts, ids, and metadata by its keyed hash."""
    metadata = row.get("metadata") if isinstance(row.get("metadata"), dict) else {}
    for name, value in expected.items():
        if name.startswith("metadata["):
            there = (metadata or {}).get(name[len("metadata[") : -1])
            if value and (there is None or digest(str(there)) != value):
                return False
        elif name in row and str(row.get(name)).lower() != value.lower():
            return False
    return True
