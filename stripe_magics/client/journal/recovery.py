"""Finding out how a write ended whose answer was lost.

- `resume` sends it again under its own key: Stripe gives the saved result, or carries it out now. Within 23 hours.
- `reconcile` sends nothing: it looks in Stripe's events for the key, and in the list of the object for one that fits.
- `settle_by_key` is for whoever sees events anyway: an event names the key of the request that caused it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from stripe_magics.catalogue.module import Effect
from stripe_magics.client.http.exchange import EncodedRequest
from stripe_magics.client.http.response import ApiResponse
from stripe_magics.client.journal import body_encryption, deduplication
from stripe_magics.client.journal.journal import WINDOW, Operation
from stripe_magics.errors import Details, OutcomeUnknown, StripeError, UsageFault
from stripe_magics.request import Request

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.client.shared_connection import Connection


@dataclass(slots=True)
class Finding:
    """What was found of an operation. `proven`: an event with its key proves it; otherwise `objects` are those that fit."""

    operation: int
    proven: bool
    text: str
    objects: list[dict[str, Any]] = field(default_factory=list)

    def __str__(self) -> str:
        return self.text


def frame(connection: Connection) -> pd.DataFrame:
    """The operations whose end isn't known, one row each: operation, sent (datetime64, UTC), module, method, path, amount, currency,
    reason, attempts, key, resume_until (datetime64, UTC)."""
    import pandas as pd

    rows = connection.journal.pending()
    hints = [json.loads(each.hints or "{}") for each in rows]
    return pd.DataFrame(
        {
            "operation": pd.array([each.number for each in rows], dtype="int64"),
            "sent": pd.to_datetime([int(each.first) for each in rows], unit="s", utc=True).astype(
                "datetime64[us, UTC]"
            ),
            "module": pd.array([each.module for each in rows], dtype="str"),
            "method": pd.array([each.method for each in rows], dtype="str"),
            "path": pd.array([each.path for each in rows], dtype="str"),
            "amount": pd.array(
                [int(each["amount"]) if str(each.get("amount", "")).isdigit() else None for each in hints],
                dtype="Int64",
            ),
            "currency": pd.array([str(each.get("currency", "")) for each in hints], dtype="str"),
            "reason": pd.array([each.reason or "the kernel ended" for each in rows], dtype="str"),
            "attempts": pd.array([each.attempts for each in rows], dtype="int64"),
            "mode": pd.array([each.mode for each in rows], dtype="str"),
            "key": pd.array([each.key for each in rows], dtype="str"),
            "resume_until": pd.to_datetime(
                [int(each.first) + WINDOW for each in rows], unit="s", utc=True
            ).astype("datetime64[us, UTC]"),
        }
    )


def _mine(connection: Connection, number: int) -> Operation:
    try:
        operation = connection.journal.get(number)
    except KeyError:
        raise UsageFault(
            f"There is no operation {number}.", advice="%stripe pending lists those whose end isn't known."
        ) from None
    if operation.scope != connection.scope(operation.account):
        raise UsageFault(
            f"Operation {number} was sent with a key of another account or mode ({operation.mode}).",
            advice="Connect with that key first.",
        )
    return operation


def resume(connection: Connection, number: int) -> ApiResponse:
    """Send an operation again under its own key. Raises `OutcomeUnknown` if its end still isn't known or it is too late."""
    operation = _mine(connection, number)
    now = connection.journal.now()
    if operation.state in {"refused", "not_sent", "absent", "dismissed"}:
        raise UsageFault(
            f"Operation {number} has ended: {operation.state.replace('_', ' ')}. Nothing is to be resumed."
        )
    if now - operation.first > WINDOW:
        raise deduplication.unresolved(operation, now)
    if connection.journal.alive(operation):
        raise UsageFault(f"Operation {number} is on its way at this moment.")
    if operation.state == "done":
        return _look(connection, operation)
    kept = (
        body_encryption.unseal(operation.sealed, connection.secret, connection.journal.salt)
        if operation.sealed and connection.secret
        else None
    )
    if kept is None:
        raise OutcomeUnknown(
            f"Operation {number} can't be resumed by its number: its content isn't kept. Nothing was sent.",
            advice="Run the same cell or submit the same form again: it goes out under the same key. "
            f"`%stripe reconcile {number}` looks for the object.",
            details=Details(operation=number, idempotency_key=operation.key, maybe_executed=True),
        )
    data = json.loads(kept)
    from stripe_magics.client.sending.sender import resend

    encoded = EncodedRequest(
        method=operation.method,
        url=connection.base + data["target"],
        target=data["target"],
        headers=tuple((name, value) for name, value in data["headers"]),
        body=data["body"].encode(),
        version=operation.version,
        account=operation.account,
    )
    request = Request(
        module=operation.module,
        method=operation.method,
        path=operation.path,
        effect=Effect(operation.effect),
        returns=data["returns"],
    )
    return resend(connection, request, encoded, operation)


def _look(connection: Connection, operation: Operation) -> ApiResponse:
    """The object of an operation that is known to be done."""
    collection = operation.path if operation.path.count("/") == 2 else "/".join(operation.path.split("/")[:3])
    if not operation.result or operation.method == "DELETE":
        raise UsageFault(
            f"Operation {operation.number} is done{f': {operation.result}' if operation.result else ''}."
        )
    answer = connection.send(_read(f"{collection}/{operation.result}"))
    answer.notices = (f"Operation {operation.number} is done: {operation.result}.", *answer.notices)
    return answer


def _read(path: str, params: tuple[tuple[str, str], ...] = (), *, lists: bool = False) -> Request:
    return Request(
        module="get", method="GET", path=path, params=params, returns="any", lists=lists, limit=None
    )


def settle_by_key(
    connection: Connection, key: str, object_id: str = "", request_id: str = ""
) -> list[Operation]:
    """Settle the open operations that have this key; gives them as they are now."""
    journal = connection.journal
    open_ones = [each for each in journal.by_key(key) if not each.resolved] if key else []
    for each in open_ones:
        journal.settle(
            each.number, "done", request_id=request_id, result=object_id, reason="seen in an event"
        )
    return [journal.get(each.number) for each in open_ones]


def dismiss(connection: Connection, number: int) -> Operation:
    """A person has looked (in the Dashboard) and says that the operation needs nothing more."""
    operation = _mine(connection, number)
    connection.journal.settle(operation.number, "dismissed", reason="settled by hand")
    return connection.journal.get(number)


def reconcile(connection: Connection, number: int) -> Finding:
    """Look for what an operation made, without sending it again. What an event proves is settled."""
    operation = _mine(connection, number)
    if operation.resolved:
        return Finding(
            number,
            True,
            f"Operation {number} has ended: {operation.state.replace('_', ' ')} {operation.result}".rstrip()
            + ".",
        )
    event, searched = _event(connection, operation)
    if event is not None:
        found = event.get("data", {}).get("object", {})
        settle_by_key(connection, operation.key, str(found.get("id") or ""))
        return Finding(
            number,
            True,
            f"It was carried out: {found.get('id')} (event {event.get('type')}). Do not send it again.",
            [found],
        )
    if operation.path.count("/") > 2:
        return _state_of(connection, operation)
    return _candidates(connection, operation, searched=searched)


def _walk(
    connection: Connection, path: str, params: tuple[tuple[str, str], ...], most: int
) -> Iterator[dict[str, Any]]:
    from stripe_magics.client.pagination.paginator import pages

    request = replace(_read(path, params, lists=True), limit=most)
    for answer in pages(connection, request):
        yield from (row for row in answer.rows if isinstance(row, dict))


def _window(operation: Operation) -> tuple[tuple[str, str], ...]:
    return (
        ("created[gte]", str(int(operation.first) - 120)),
        ("created[lte]", str(int(operation.last) + 3600)),
    )


def _event(connection: Connection, operation: Operation) -> tuple[dict[str, Any] | None, bool]:
    """The event that the operation caused, if there is one; and whether events could be read."""
    if not operation.key:
        return None, False
    try:
        for event in _walk(connection, "/v1/events", _window(operation), 1000):
            if (event.get("request") or {}).get("idempotency_key") == operation.key:
                return event, True
    except StripeError:  # a restricted key that may not read events: the list has to do
        return None, False
    return None, True


def _state_of(connection: Connection, operation: Operation) -> Finding:
    """An operation on an object: what the object looks like now."""
    path = "/".join(operation.path.split("/")[:4])
    found = connection.send(_read(path)).data
    status = f", status {found['status']}" if found.get("status") else ""
    return Finding(
        operation.number,
        False,
        f"{found.get('id') or path} as it is now{status}: see whether {operation.path.rpartition('/')[2]} has been done. "
        f"`%stripe resume {operation.number}` asks Stripe with the same key.",
        [found],
    )


def _candidates(connection: Connection, operation: Operation, *, searched: bool) -> Finding:
    """A creation: the objects that were created around that time and fit what is known of it."""
    requested = json.loads(operation.hints or "{}")
    rows = _walk(connection, operation.path, _window(operation), 1000)
    fits = [
        row
        for row in rows
        if all(
            str(row.get(name)).lower() == value.lower() for name, value in requested.items() if name in row
        )
    ]
    known = ", ".join(f"{name} {value}" for name, value in requested.items())
    if fits:
        text = (
            f"{len(fits)} object{'' if len(fits) == 1 else 's'} of that time fit{'s' if len(fits) == 1 else ''}"
            f"{f' ({known})' if known else ''}: {', '.join(str(row.get('id')) for row in fits[:5])}. No event names the key, so this isn't proof."
        )
        return Finding(operation.number, False, text, fits)
    if connection.journal.now() - operation.last < 120:
        return Finding(
            operation.number,
            False,
            "Nothing was found yet. It is too early to be sure: try again in two minutes.",
        )
    if not searched:
        return Finding(
            operation.number,
            False,
            "No object of that time fits. Events can't be read with this key, so this isn't proof.",
        )
    connection.journal.settle(operation.number, "absent", reason="neither an object nor an event was found")
    return Finding(
        operation.number,
        True,
        f"Neither an object nor an event of it was found{f' ({known})' if known else ''}. To make it now, run it with --again.",
    )
