"""Writes with an unknown outcome: `frame` lists them, `resume` sends one again under its own key.

Stripe gives the saved result then, or carries it out now; within 23 hours. `reconciliation.reconcile` looks
without sending.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from stripe_magics.catalogue.module import Effect
from stripe_magics.client.http.exchange import EncodedRequest
from stripe_magics.client.http.response import ApiResponse
from stripe_magics.client.journal import body_encryption, deduplication
from stripe_magics.client.journal.journal import WINDOW, Operation
from stripe_magics.errors import Details, OutcomeUnknown, UsageFault
from stripe_magics.request import Request

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.client.sending.write_connection import WriteConnection


def frame(connection: WriteConnection) -> pd.DataFrame:
    """The operations with an unknown outcome, one row each: operation, sent (datetime64, UTC), module,
    method, path, amount, currency, reason, attempts, key, resume_until (datetime64, UTC)."""
    import pandas as pd

    rows = connection.journal.pending()
    hints = [json.loads(each.hints or "{}") for each in rows]
    return pd.DataFrame(
        {
            "operation": pd.array([each.number for each in rows], dtype="int64"),
            "sent": (
                pd.to_datetime([int(each.first) for each in rows], unit="s", utc=True).astype(
                    "datetime64[us, UTC]"
                )
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
            "resume_until": (
                pd.to_datetime([int(each.first) + WINDOW for each in rows], unit="s", utc=True).astype(
                    "datetime64[us, UTC]"
                )
            ),
        }
    )


def find_operation(connection: WriteConnection, number: int) -> Operation:
    try:
        operation = connection.journal.get(number)
    except KeyError:
        raise UsageFault(
            f"There is no operation {number}.", advice="%stripe pending lists those with an unknown outcome."
        ) from None
    if operation.scope != connection.scope(operation.account):
        raise UsageFault(
            f"Operation {number} was sent with a key of another account or mode ({operation.mode}).",
            advice="Connect with that key first.",
        )
    return operation


def resume(connection: WriteConnection, number: int) -> ApiResponse:
    """Send an operation again under its own key. Raises `OutcomeUnknown` if its outcome is still unknown or
    it is too late."""
    operation = find_operation(connection, number)
    now = connection.journal.now()
    if operation.state in {"refused", "not_sent", "absent"}:
        raise UsageFault(
            f"Operation {number} has ended: {operation.state.replace('_', ' ')}. Nothing is to be resumed."
        )
    stripe_now = connection.stripe_clock.time()
    if operation.age(now, stripe_now) > WINDOW:
        raise deduplication.unresolved(operation, now, stripe_now)
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
            advice=(
                "Run the same cell or submit the same form again: it goes out under the same key. "
                f"`%stripe reconcile {number}` looks for the object."
            ),
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


def _look(connection: WriteConnection, operation: Operation) -> ApiResponse:
    """The object of an operation that is known to be done."""
    collection = operation.path if operation.path.count("/") == 2 else "/".join(operation.path.split("/")[:3])
    if not operation.result or operation.method == "DELETE":
        raise UsageFault(
            f"Operation {operation.number} is done{f': {operation.result}' if operation.result else ''}."
        )
    try:
        answer = connection.send(read_request(operation, f"{collection}/{operation.result}"))
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"Stopped. Operation {operation.number} is done: {operation.result}."
        ) from None
    answer.notices = (f"Operation {operation.number} is done: {operation.result}.", *answer.notices)
    return answer


def read_request(
    operation: Operation, path: str, params: tuple[tuple[str, str], ...] = (), *, lists: bool = False
) -> Request:
    """A read on the account that an operation went to."""
    return Request(
        module="get",
        method="GET",
        path=path,
        params=params,
        headers=(("Stripe-Account", operation.account),) if operation.account else (),
        returns="any",
        lists=lists,
        limit=None,
    )
