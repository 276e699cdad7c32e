"""Sending one logical call, so that money moves at most once and no outcome is reported wrongly.

    check, encode -> ask (live) -> journal: key on disk -> attempt, wait, attempt ... with the same key and
    bytes -> result recorded -> answer or error

`may_have_executed` is the memory of the call: once an attempt may have been executed, only a conclusive
answer clears it. A rate limit, an expired key or a failure that comes after a lost answer says nothing about
the lost one, so the call then ends as `OutcomeUnknown`, never as "nothing was done".
"""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from stripe_magics._redaction import may_keep_params
from stripe_magics.catalogue.module import Effect
from stripe_magics.client import call_context, live_mode, one_time_secrets
from stripe_magics.client.http import exchange, logging_filter, response_check, retry
from stripe_magics.client.http.response import ApiResponse
from stripe_magics.client.http.retry import AttemptResult, DeliveryStatus, Policy
from stripe_magics.client.journal import body_encryption, deduplication
from stripe_magics.client.journal.journal import Operation, Origin
from stripe_magics.client.sending import handler_writes, outcomes, request_checks
from stripe_magics.client.sending.in_flight_call import InFlightCall
from stripe_magics.errors import Interrupted, NotSent, OutcomeUnknown, RepeatRefused, StripeMagicsError
from stripe_magics.request import Request

if TYPE_CHECKING:
    from stripe_magics.client.sending.write_connection import WriteConnection

HINTS = frozenset(
    {
        "amount",
        "currency",
        "customer",
        "payment_intent",
        "charge",
        "invoice",
        "subscription",
        "destination",
        "quantity",
    }
)


def send(
    connection: WriteConnection,
    request: Request,
    *,
    origin: Origin | None = None,
    idempotency_key: str = "",
    again: bool = False,
    yes: bool = False,
    ask: live_mode.Prompt | None = None,
) -> ApiResponse:
    """Send one call with the whole law around it. Raises a `StripeError`, `ConfirmationNeeded` or
    `RepeatRefused`."""
    encoded = exchange.encode(
        request,
        base=connection.base,
        version=connection.api_version,
        account=call_context.account_of(connection),
        account_header=connection.account_header,
    )
    write = encoded.method != "GET" and request.effect is not Effect.READ
    context = call_context.handler_context(connection) if write else None
    given = idempotency_key or request.idempotency_key
    if origin is not None and origin.key and given == origin.key:
        given = ""  # the place's own key, not one that a person chose
    if context is not None:
        origin = None  # a handler's place is its event, not the cell that runs meanwhile
        if not given and encoded.method == "POST":
            given = context.next_key(connection.journal.by_key)
    key = request_checks.check_key(given) if given and encoded.method != "GET" else ""
    call = InFlightCall(
        connection=connection,
        request=request,
        encoded=encoded,
        write=write,
        key=key,
        label=context.label if context is not None else "",
        started=connection.monotonic(),
    )
    if not write:
        call.key = key or (str(uuid.uuid4()) if encoded.method == "POST" else "")
        return _run(call)
    live_mode.check(connection, request, origin=origin, yes=yes, ask=ask)
    try:
        _claim(call, origin, again=again)
    except RepeatRefused as refusal:
        earlier = (
            handler_writes.read_earlier_result(refusal, request, lambda look: send(connection, look))
            if call.label
            else None
        )
        if earlier is None:
            raise
        return earlier
    return _journalled(call)


def resend(
    connection: WriteConnection, request: Request, encoded: exchange.EncodedRequest, operation: Operation
) -> ApiResponse:
    """Send an operation of the journal once more, under its own key, with its own bytes."""
    call = InFlightCall(
        connection,
        request,
        encoded,
        write=True,
        key=operation.key,
        before=operation,
        may_have_executed=True,
        started=connection.monotonic(),
    )
    journal = connection.journal
    requested = replace(operation, stripe_last=connection.stripe_clock.time())
    call.operation = journal.claim(
        requested, lambda rows: next(row for row in rows if row.number == operation.number)
    )
    return _journalled(call)


def _claim(call: InFlightCall, origin: Origin | None, *, again: bool) -> None:
    """Write the call into the journal before its first byte leaves, or find the row that it continues."""
    connection, request, encoded = call.connection, call.request, call.encoded
    journal = connection.journal
    body = journal.digest(
        encoded.method,
        encoded.target,
        encoded.body if not request.files else repr((request.params, request.files)),
    )
    keyed = encoded.method == "POST" or encoded.target.startswith("/v2/")
    given = bool(call.key)
    requested = Operation(
        key=call.key or ((origin.key if origin else "") or str(uuid.uuid4()) if keyed else ""),
        scope=connection.scope(encoded.account),
        mode=connection.mode,
        account=encoded.account,
        version=encoded.version,
        module=request.module,
        effect=request.effect.value,
        method=encoded.method,
        path=encoded.target.partition("?")[0],
        body=body,
        cell=origin.cell if origin else call.label,
        digest=origin.digest if origin else "",
        nth=journal.occurrence(origin, body) if origin else 1,
        stripe_first=(stripe_time := connection.stripe_clock.time()),
        stripe_last=stripe_time,
        hints=_hints(call),
        sealed=_sealed(call),
    )
    chosen: list[Operation] = []

    def pick(rows: list[Operation]) -> Operation:
        if call.label:
            deduplication.check_handler_write(requested, rows)
        found = deduplication.find_continuation(
            requested, rows, given=given, again=again, now=journal.now(), alive=journal.alive
        )
        if found is not None:
            chosen.append(found)
            return found
        if not given and keyed and any(row.key == requested.key for row in rows):
            # its key has an answer already; this is a new call
            return replace(requested, key=str(uuid.uuid4()))
        return requested

    call.operation = journal.claim(requested, pick)
    call.before = chosen[0] if chosen else None
    call.key = call.operation.key
    call.may_have_executed = call.before is not None and call.before.state in {"armed", "unknown"}


def _hints(call: InFlightCall) -> str:
    """What the object can be looked up by: amount, currency, ids; of metadata a keyed hash."""
    digest = call.connection.journal.digest
    return json.dumps(
        {
            name: digest(value) if name.startswith("metadata[") else value
            for name, value in call.request.params
            if name in HINTS or name.startswith("metadata[")
        }
    )


def _sealed(call: InFlightCall) -> bytes | None:
    secret = call.connection.secret
    if secret is None or call.request.files or not may_keep_params(call.encoded.names):
        return None
    kept = {
        "target": call.encoded.target,
        "headers": call.encoded.headers,
        "body": call.encoded.body.decode(),
        "returns": call.request.returns,
    }
    return body_encryption.seal(json.dumps(kept).encode(), secret, call.connection.journal.salt)


def _journalled(call: InFlightCall) -> ApiResponse:
    """Run a write. A Stop that comes between two lines, with no words of its own, is told how the write ended
    by the journal."""
    try:
        return _recorded(call)
    except KeyboardInterrupt as stop:
        if stop.args or call.operation is None:
            raise
    raise outcomes.stopped_between(call)


def _recorded(call: InFlightCall) -> ApiResponse:
    """Run a write; whatever happens, its row says how it ended. Errors are raised outside of any handler: no
    context, no frames of httpx."""
    journal, operation = call.connection.journal, call.operation
    assert operation is not None
    stopped: BaseException | None = None
    try:
        return _run(call)
    except BaseException as problem:
        if isinstance(problem, StripeMagicsError) and call.result_recorded:
            raise
        # Stop between two attempts, the connection closed by another thread, or a fault of ours: the row must
        # not stay "on its way"
        stopped = problem
    finally:
        journal.release(operation.number)
    by_hand = isinstance(stopped, KeyboardInterrupt)
    if by_hand and call.before is not None and call.before.state == "done":
        raise KeyboardInterrupt("Stopped. Nothing new was made.")
    if by_hand and call.result_recorded:
        raise outcomes.stopped_between(call)
    if not call.may_have_executed and not call.attempt_in_progress:
        outcomes.record_result(call, "not_sent", None, reason="stopped")
        if by_hand:
            raise KeyboardInterrupt("Stopped. Nothing was done.")
        if isinstance(stopped, StripeMagicsError):
            raise stopped.with_traceback(None)
        raise NotSent(
            f"Nothing was sent: {type(stopped).__name__}: {stopped}", details=outcomes.details_of(call, None)
        )
    call.may_have_executed = True
    outcomes.record_result(call, "unknown", None, reason="stopped")
    raise outcomes.unknown(
        call,
        None,
        "stopped" if by_hand else _reason(stopped),
        kind=Interrupted if by_hand else OutcomeUnknown,
    )


def _reason(problem: BaseException) -> str:
    return problem.message.rstrip(".") if isinstance(problem, StripeMagicsError) else type(problem).__name__


# --- the loop -----------------------------------------------------------------------------------------------
def _run(call: InFlightCall) -> ApiResponse:
    connection, policy = call.connection, call.connection.policy
    while True:
        connection.throttle(call.request)
        began = connection.monotonic()
        client = connection.http()
        call.attempts += 1
        call.attempt_in_progress = True
        outcome = exchange.attempt(client, call.encoded, call.key, connection.auth, policy)
        logging_filter.exchange(
            call.encoded.method,
            call.encoded.target,
            outcome.status or outcome.reach,
            outcome.header("request-id"),
            connection.monotonic() - began,
        )
        connection.learn(call.request, outcome)
        problem = response_check.mismatch(call.request, outcome.data) if outcome.is_success else ""
        if problem:
            outcome = replace(outcome, reach=DeliveryStatus.UNKNOWN, reason=problem, from_stripe=False)
        if outcome.interrupted:
            outcomes.on_interrupt(call, outcome)
        if outcome.is_success:
            kept = one_time_secrets.capture(connection, call.request, outcome.body)
            response = outcomes.on_success(call, outcome)
            response.notices = (*response.notices, *([kept] if kept else []))
            return response
        if (
            call.write
            and _may_have_run(outcome)
            and not (call.may_have_executed and retry.settles_earlier_attempts(outcome, keyed=bool(call.key)))
        ):
            call.may_have_executed = True
            call.lost = call.lost or outcome.reason
        call.attempt_in_progress = False
        pause = _pause(call, outcome, policy)
        if pause is None:
            return outcomes.on_failure(call, outcome)
        connection.sleep(pause)


def _may_have_run(outcome: AttemptResult) -> bool:
    """Whether the attempt itself may have been executed, judged by its own outcome alone."""
    return outcome.reach is DeliveryStatus.UNKNOWN or (
        outcome.reach is DeliveryStatus.ANSWERED and not retry.rejected_before_execution(outcome)
    )


def _pause(call: InFlightCall, outcome: AttemptResult, policy: Policy) -> float | None:
    """Seconds until the next attempt, or None if there is none."""
    if not call.repeatable and outcome.reach is not DeliveryStatus.NOT_SENT and outcome.status != 429:
        return None
    if call.retries is None:
        call.retries = retry.Attempts(
            policy, retry.RequestKind.WRITE if call.write else retry.RequestKind.READ
        )
    return call.retries.pause(outcome, spent=call.connection.monotonic() - call.started)
