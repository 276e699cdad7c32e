"""Sending one logical call, so that money moves at most once and no ending is reported wrongly.

    check, encode -> ask (live) -> journal: key on disk -> attempt, wait, attempt ... with the same key and bytes -> settle -> answer or error

`maybe` is the memory of the call: once an attempt may have been executed, only a conclusive answer clears it. A rate limit, an expired key or a
failure that comes after a lost answer says nothing about the lost one, so the call then ends as `OutcomeUnknown`, never as "nothing was done".
"""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from stripe_magics.catalogue.module import Effect
from stripe_magics.client.sending.send import outcomes, request_checks
from stripe_magics.client import live_mode
from stripe_magics.client.http import logging_filter, retry, exchange
from stripe_magics.client.journal.journal import deduplication, body_encryption
from stripe_magics.client.http.response import Answer
from stripe_magics.client.journal.journal import Operation, Origin
from stripe_magics.client.http.retry import Outcome, Policy, Reach, Why
from stripe_magics.errors import Interrupted, NotSent, OutcomeUnknown, StripeMagicsError
from stripe_magics.request import Request

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection

HINTS = frozenset(
    {"amount", "currency", "customer", "payment_intent", "charge", "invoice", "subscription", "destination", "quantity"}
)


@dataclass(slots=True)
class Call:
    """One logical call under way."""

    connection: Connection
    request: Request
    encoded: exchange.Encoded
    write: bool
    key: str = ""
    operation: Operation | None = None
    before: Operation | None = None  # its row as it was before this call continued it
    maybe: bool = False  # an attempt may have been executed
    airborne: bool = False  # an attempt was begun whose outcome has not been judged yet: Stop may come between any two lines
    attempts: int = 0
    started: float = 0.0
    lost: str = ""  # why the first attempt that may have been executed has no answer
    pauses: dict[Why, int] = field(default_factory=dict)

    @property
    def repeatable(self) -> bool:
        """Whether sending it twice is the same as sending it once."""
        return bool(self.key) or self.encoded.method in {"GET", "DELETE"} or not self.write


def send(
    connection: Connection,
    request: Request,
    *,
    origin: Origin | None = None,
    idempotency_key: str = "",
    again: bool = False,
    yes: bool = False,
    ask: live_mode.Ask | None = None,
) -> Answer:
    """Send one call with the whole law around it. Raises a `StripeError`, `ConfirmationNeeded` or `RepeatRefused`."""
    encoded = exchange.encode(request, base=connection.base, version=connection.api_version, account=connection.account)
    write = encoded.method != "GET" and request.effect is not Effect.READ
    given = idempotency_key or request.idempotency_key
    key = request_checks.check_key(given) if given and encoded.method != "GET" else ""
    call = Call(connection=connection, request=request, encoded=encoded, write=write, key=key, started=connection.monotonic())
    if not write:
        call.key = key or (str(uuid.uuid4()) if encoded.method == "POST" else "")
        return _run(call)
    live_mode.check(connection, request, origin=origin, yes=yes, ask=ask)
    _claim(call, origin, again=again)
    return _journalled(call)


def resend(connection: Connection, request: Request, encoded: exchange.Encoded, operation: Operation) -> Answer:
    """Send an operation of the journal once more, under its own key, with its own bytes."""
    call = Call(
        connection, request, encoded, write=True, key=operation.key, before=operation, maybe=True, started=connection.monotonic()
    )
    journal = connection.journal
    wanted = replace(operation, sealed=operation.sealed)
    call.operation = journal.claim(wanted, lambda rows: next(row for row in rows if row.number == operation.number))
    return _journalled(call)


def _claim(call: Call, origin: Origin | None, *, again: bool) -> None:
    """Write the call into the journal before its first byte leaves, or find the row that it continues."""
    connection, request, encoded = call.connection, call.request, call.encoded
    journal = connection.journal
    body = journal.digest(
        encoded.method, encoded.target, encoded.body if not request.files else repr((request.params, request.files))
    )
    keyed = encoded.method == "POST" or encoded.target.startswith("/v2/")
    given = bool(call.key)
    wanted = Operation(
        key=call.key or (str(uuid.uuid4()) if keyed else ""),
        scope=connection.scope(encoded.account),
        mode=connection.mode,
        account=encoded.account,
        version=encoded.version,
        module=request.module,
        effect=request.effect.value,
        method=encoded.method,
        path=encoded.target.partition("?")[0],
        body=body,
        cell=origin.cell if origin else "",
        digest=origin.digest if origin else "",
        nth=journal.occurrence(origin, body) if origin else 1,
        hints=json.dumps({name: value for name, value in request.params if name in HINTS}),
        sealed=_sealed(call),
    )
    chosen: list[Operation] = []

    def pick(rows: list[Operation]) -> Operation | None:
        found = deduplication.choose(wanted, rows, given=given, again=again, now=journal.now(), alive=journal.alive)
        if found is not None:
            chosen.append(found)
        return found

    call.operation = journal.claim(wanted, pick)
    call.before = chosen[0] if chosen else None
    call.key = call.operation.key
    call.maybe = call.before is not None and call.before.state in {"armed", "unknown"}


def _sealed(call: Call) -> bytes | None:
    secret = call.connection.secret
    if secret is None or call.request.files or not body_encryption.may_keep(call.encoded.names):
        return None
    kept = {
        "target": call.encoded.target,
        "headers": call.encoded.headers,
        "body": call.encoded.body.decode(),
        "returns": call.request.returns,
    }
    return body_encryption.seal(json.dumps(kept).encode(), secret, call.connection.journal.salt)


def _journalled(call: Call) -> Answer:
    """Run a write; whatever happens, its row says how it ended. Errors are raised outside of any handler: no context, no frames of httpx."""
    journal, operation = call.connection.journal, call.operation
    assert operation is not None
    stopped: BaseException | None = None
    try:
        return _run(call)
    except StripeMagicsError:
        raise
    except BaseException as problem:  # Stop between two attempts, or a fault of ours: the row must not stay "on its way"
        stopped = problem
    finally:
        journal.release(operation.number)
    by_hand = isinstance(stopped, KeyboardInterrupt)
    if by_hand and call.before is not None and call.before.state == "done":
        raise KeyboardInterrupt("Stopped. Nothing new was made.")
    if not call.maybe and not call.airborne:
        outcomes.settle(call, "not_sent", None, reason="stopped")
        if by_hand:
            raise KeyboardInterrupt("Stopped. Nothing was done.")
        raise NotSent(f"Nothing was sent: {type(stopped).__name__}: {stopped}", details=outcomes.details_of(call, None))
    call.maybe = True
    outcomes.settle(call, "unknown", None, reason="stopped")
    raise outcomes.unknown(
        call, None, "stopped" if by_hand else type(stopped).__name__, kind=Interrupted if by_hand else OutcomeUnknown
    )


# --- the loop ------------------------------------------------------------------------------------------------------------------------


def _run(call: Call) -> Answer:
    connection, policy = call.connection, call.connection.policy
    while True:
        connection.throttle(call.request)
        began = connection.monotonic()
        call.attempts += 1
        call.airborne = True
        outcome = exchange.attempt(connection.http(), call.encoded, call.key, connection.auth, policy)
        logging_filter.exchange(
            call.encoded.method,
            call.encoded.target,
            outcome.status or outcome.reach,
            outcome.header("request-id"),
            connection.monotonic() - began,
        )
        connection.learn(call.request, outcome)
        if outcome.interrupted:
            outcomes.stop(call, outcome)
        if outcome.good:
            return outcomes.succeed(call, outcome)
        if call.write and _may_have_run(outcome) and not (call.maybe and retry.conclusive(outcome)):
            call.maybe = True
            call.lost = call.lost or outcome.reason
        call.airborne = False
        pause = _pause(call, outcome, policy)
        if pause is None:
            return outcomes.end(call, outcome)
        connection.sleep(pause)


def _may_have_run(outcome: Outcome) -> bool:
    """Whether the attempt itself may have been executed, judged by its own outcome alone."""
    return outcome.reach is Reach.UNKNOWN or (outcome.reach is Reach.ANSWERED and not retry.refused(outcome))


def _pause(call: Call, outcome: Outcome, policy: Policy) -> float | None:
    """Seconds until the next attempt, or None if there is none."""
    reason = retry.why(outcome, write=call.write)
    if not call.repeatable and outcome.reach is not Reach.NOT_SENT and outcome.status != 429:
        return None
    used = call.pauses.get(reason, 0)
    if used >= retry.limit(reason, policy, write=call.write):
        return None
    call.pauses[reason] = used + 1
    pause = max(retry.delay(used + 1, policy), retry.retry_after(outcome.header("retry-after"), time.time(), policy))
    spent = call.connection.monotonic() - call.started
    if spent + pause > (policy.in_use_seconds if reason is Why.IN_USE else policy.operation):
        return None
    return pause
