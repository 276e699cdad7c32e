"""Sending one logical call, so that money moves at most once and no ending is reported wrongly.

    check, encode -> ask (live) -> journal: key on disk -> attempt, wait, attempt ... with the same key and bytes -> settle -> answer or error

`maybe` is the memory of the call: once an attempt may have been executed, only a conclusive answer clears it. A rate limit, an expired key or a
failure that comes after a lost answer says nothing about the lost one, so the call then ends as `OutcomeUnknown`, never as "nothing was done".
"""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

from stripe_magics.catalogue.module import Effect
from stripe_magics.client import errors as texts
from stripe_magics.client import guards, live, log, repeats, retry, seal, wire
from stripe_magics.client.answer import Answer
from stripe_magics.client.journal import Operation, Origin
from stripe_magics.client.retry import Outcome, Policy, Reach, Why
from stripe_magics.errors import Details, Interrupted, NotSent, OutcomeUnknown, StripeError, StripeMagicsError, StripeUnavailable
from stripe_magics.request import Request

if TYPE_CHECKING:
    from stripe_magics.client.connection import Connection

HINTS = frozenset(
    {"amount", "currency", "customer", "payment_intent", "charge", "invoice", "subscription", "destination", "quantity"}
)


@dataclass(slots=True)
class Call:
    """One logical call under way."""

    connection: Connection
    request: Request
    encoded: wire.Encoded
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
    ask: live.Ask | None = None,
) -> Answer:
    """Send one call with the whole law around it. Raises a `StripeError`, `ConfirmationNeeded` or `RepeatRefused`."""
    encoded = wire.encode(request, base=connection.base, version=connection.api_version, account=connection.account)
    write = encoded.method != "GET" and request.effect is not Effect.READ
    given = idempotency_key or request.idempotency_key
    key = guards.check_key(given) if given and encoded.method != "GET" else ""
    call = Call(connection=connection, request=request, encoded=encoded, write=write, key=key, started=connection.monotonic())
    if not write:
        call.key = key or (str(uuid.uuid4()) if encoded.method == "POST" else "")
        return _run(call)
    live.check(connection, request, origin=origin, yes=yes, ask=ask)
    _claim(call, origin, again=again)
    return _journalled(call)


def resend(connection: Connection, request: Request, encoded: wire.Encoded, operation: Operation) -> Answer:
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
        found = repeats.choose(wanted, rows, given=given, again=again, now=journal.now(), alive=journal.alive)
        if found is not None:
            chosen.append(found)
        return found

    call.operation = journal.claim(wanted, pick)
    call.before = chosen[0] if chosen else None
    call.key = call.operation.key
    call.maybe = call.before is not None and call.before.state in {"armed", "unknown"}


def _sealed(call: Call) -> bytes | None:
    secret = call.connection.secret
    if secret is None or call.request.files or not seal.may_keep(call.encoded.names):
        return None
    kept = {
        "target": call.encoded.target,
        "headers": call.encoded.headers,
        "body": call.encoded.body.decode(),
        "returns": call.request.returns,
    }
    return seal.seal(json.dumps(kept).encode(), secret, call.connection.journal.salt)


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
        _settle(call, "not_sent", None, reason="stopped")
        if by_hand:
            raise KeyboardInterrupt("Stopped. Nothing was done.")
        raise NotSent(f"Nothing was sent: {type(stopped).__name__}: {stopped}", details=_details(call, None))
    call.maybe = True
    _settle(call, "unknown", None, reason="stopped")
    raise _unknown(call, None, "stopped" if by_hand else type(stopped).__name__, kind=Interrupted if by_hand else OutcomeUnknown)


# --- the loop ------------------------------------------------------------------------------------------------------------------------


def _run(call: Call) -> Answer:
    connection, policy = call.connection, call.connection.policy
    while True:
        connection.throttle(call.request)
        began = connection.monotonic()
        call.attempts += 1
        call.airborne = True
        outcome = wire.attempt(connection.http(), call.encoded, call.key, connection.auth, policy)
        log.exchange(
            call.encoded.method,
            call.encoded.target,
            outcome.status or outcome.reach,
            outcome.header("request-id"),
            connection.monotonic() - began,
        )
        connection.learn(call.request, outcome)
        if outcome.interrupted:
            _stop(call, outcome)
        if outcome.good:
            return _succeed(call, outcome)
        if call.write and _may_have_run(outcome) and not (call.maybe and retry.conclusive(outcome)):
            call.maybe = True
            call.lost = call.lost or outcome.reason
        call.airborne = False
        pause = _pause(call, outcome, policy)
        if pause is None:
            return _end(call, outcome)
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


# --- the endings ---------------------------------------------------------------------------------------------------------------------


def _succeed(call: Call, outcome: Outcome) -> Answer:
    connection, operation = call.connection, call.operation
    replayed = outcome.header("idempotent-replayed").lower() == "true" or outcome.header("idempotency-replayed").lower() == "true"
    answer = Answer(
        status=outcome.status,
        body=outcome.body,
        request_id=outcome.header("request-id"),
        replayed=replayed,
        idempotency_key=call.key,
        operation=operation.number if operation else None,
        attempts=call.attempts,
        api_version=outcome.header("stripe-version"),
    )
    notices = list(connection.notices.of(outcome.headers or {}))
    if operation is not None:
        result = str(answer.data.get("id") or "")
        problem = _settle(call, "done", outcome, result=result)
        if problem:
            notices.append(problem)
        if call.before is not None and call.before.state == "done":
            notices.insert(
                0, repeats.already(replace(call.before, result=call.before.result or result), connection.journal.now())
            )
        elif replayed and call.maybe:
            notices.insert(
                0, "The first try had gone through although its answer was lost; this is its result. Nothing was made twice."
            )
        elif replayed:
            notices.insert(0, "Stripe gave the saved result of an earlier call with this key; nothing new was made.")
    answer.notices = tuple(notices)
    wrong = connection.wrong_mode(outcome.body)
    if wrong:
        raise StripeError(
            f"Stripe's answer is of {wrong} mode, but this connection is in {connection.mode} mode."
            + (" The call was carried out." if call.write else ""),
            advice="Look at the key and the account before you go on.",
            details=Details(
                status=outcome.status, request_id=answer.request_id, operation=answer.operation, idempotency_key=call.key
            ),
        )
    return answer


def _stop(call: Call, outcome: Outcome) -> None:
    """Stop was pressed during an attempt."""
    sent = outcome.reach is not Reach.NOT_SENT
    if not call.write:
        raise KeyboardInterrupt("Stopped. Nothing was changed.")
    if call.before is not None and call.before.state == "done":
        raise KeyboardInterrupt("Stopped. Nothing new was made.")
    call.maybe = call.maybe or sent
    _settle(call, "unknown" if call.maybe else "not_sent", outcome)
    if not call.maybe:
        raise KeyboardInterrupt("Stopped. Nothing was sent.")
    raise _unknown(call, outcome, "stopped", kind=Interrupted)


def _end(call: Call, outcome: Outcome) -> Answer:
    """No further attempt, and no success: the error that says what is known. A deletion may end well after all."""
    if call.encoded.method == "DELETE" and call.maybe and outcome.status == 404 and outcome.code == "resource_missing":
        return _already_gone(call, outcome)
    if call.before is not None and call.before.state == "done":
        _settle(call, "done", outcome)
        known = repeats.already(call.before, call.connection.journal.now())
        raise StripeUnavailable(
            known[:1].upper() + known[1:],
            advice=f"Its saved result could not be read at this moment: {outcome.reason}; {_tried(call)}.",
            details=_details(call, outcome),
        )
    if call.write and call.maybe and not retry.conclusive(outcome):
        _settle(call, "unknown", outcome)
        raise _unknown(call, outcome, call.lost or outcome.reason)
    if outcome.reach is Reach.NOT_SENT:
        _settle(call, "not_sent", outcome)
        raise _not_sent(call, outcome)
    if outcome.reach is Reach.UNKNOWN:  # a read
        raise StripeUnavailable(
            f"No usable answer: {outcome.reason}. Nothing was changed; {_tried(call)}.",
            advice="Run it again.",
            details=_details(call, outcome),
            facts=[f"It said: {said}"] if (said := texts.cleaned(outcome.body)) else [],
        )
    _settle(call, "refused" if call.write else "", outcome)
    error = texts.from_answer(
        outcome.status,
        outcome.headers or {},
        outcome.body,
        call.request,
        key_hint=call.connection.key_hint,
        mode=call.connection.mode,
        details=_details(call, outcome),
        tried=_tried(call),
    )
    if call.maybe:
        error.facts = (
            *error.facts,
            "An earlier try had no answer; this answer to the same key confirms that nothing else happened.",
        )
        error.args = (str(error),)
    connection_notices = call.connection.notices.of(outcome.headers or {})
    if connection_notices:
        error.facts = (*error.facts, *connection_notices)
        error.args = (str(error),)
    raise error


def _already_gone(call: Call, outcome: Outcome) -> Answer:
    object_id = unquote(call.encoded.target.partition("?")[0].rpartition("/")[2])
    _settle(call, "done", outcome)
    body = json.dumps({"id": object_id, "object": call.request.returns, "deleted": True}).encode()
    return Answer(
        status=200,
        body=body,
        request_id=outcome.header("request-id"),
        operation=call.operation.number if call.operation else None,
        attempts=call.attempts,
        replayed=True,
        notices=(f"{object_id} is already gone, most likely by the first try, whose answer was lost.",),
    )


def _settle(call: Call, state: str, outcome: Outcome | None, *, result: str = "", reason: str = "") -> str:
    """Write down how the call ended. A disk that fails now must not hide the answer: the row then stays open, which is safe. Gives a notice."""
    if call.operation is None:
        return ""
    try:
        call.connection.journal.settle(
            call.operation.number,
            state,
            status=outcome.status if outcome else 0,
            request_id=outcome.header("request-id") if outcome else "",
            result=result,
            reason=(reason or (outcome.reason if outcome else ""))[:200],
            attempts=call.attempts,
        )
    except (sqlite3.Error, OSError, NotSent) as problem:
        return f"The journal could not be written ({problem}): operation {call.operation.number} stays open there."
    return ""


def _details(call: Call, outcome: Outcome | None) -> Details:
    found = (
        texts.details_of(outcome.status, outcome.headers or {}, outcome.body, call.request)
        if outcome is not None and outcome.reach is Reach.ANSWERED
        else Details(status=outcome.status or None, request_id=outcome.header("request-id"))
        if outcome is not None
        else Details()
    )
    found.operation = call.operation.number if call.operation else None
    found.idempotency_key = call.key if call.write else ""
    found.maybe_executed = call.maybe
    found.attempts = call.attempts
    return found


def _tried(call: Call) -> str:
    times = "once" if call.attempts == 1 else f"{call.attempts} times"
    seconds = call.connection.monotonic() - call.started
    return f"it was tried {times}" + (f" over {seconds:.0f} s" if call.attempts > 1 and seconds >= 1 else "")


def _not_sent(call: Call, outcome: Outcome) -> NotSent:
    connection = call.connection
    about = connection.route()
    if outcome.code == "certificate":
        message = f"Nothing was sent: {outcome.reason}."
        advice = "If a company proxy stands in between, set SSL_CERT_FILE to its certificate. Verification can't be switched off."
    elif outcome.code == "ProxyError":
        message, advice = f"Nothing was sent: {outcome.reason}.", "Look at the proxy's address and login in HTTPS_PROXY."
    else:
        message, advice = f"Nothing was sent: {outcome.reason}; {_tried(call)}.", "Look at the network and run it again."
    return NotSent(message, advice=advice, details=_details(call, outcome), facts=[about])


def _unknown(call: Call, outcome: Outcome | None, lost: str, *, kind: type[OutcomeUnknown] = OutcomeUnknown) -> OutcomeUnknown:
    """What is said when it isn't known: when it was sent, with which key, how long that key can be used, and how to find out."""
    operation = call.operation
    assert operation is not None
    journal = call.connection.journal
    now = journal.now()
    what = "the payment was made" if live.grave(call.request) and call.encoded.method != "DELETE" else "it was carried out"
    last = f"; a later try got {outcome.status}" if outcome is not None and outcome.status and outcome.reason != lost else ""
    end = repeats.clock(operation.first + 24 * 3600, now)
    tries = "1 try" if call.attempts == 1 else f"{call.attempts} tries"
    facts = [
        f"Sent {time.strftime('%H:%M:%S', time.localtime(operation.first))}, no usable answer after {tries} ({lost}{last}).",
        f"Operation {operation.number}" + (f", key {call.key}; valid for resume until {end}." if call.key else "."),
        f"`%stripe resume {operation.number}` asks Stripe again with the same key (cannot act twice).",
        f"`%stripe reconcile {operation.number}` looks for the object.",
    ]
    if outcome is not None and outcome.status == 500 and outcome.from_stripe:
        facts.append("Stripe may still complete it later: watch its events, and do not use a new key.")
    if outcome is not None and outcome.reach is Reach.ANSWERED and not outcome.from_stripe:
        shown = texts.from_answer(outcome.status, outcome.headers or {}, outcome.body, call.request)
        facts.extend([shown.message, shown.advice])
    return kind(
        f"We do not know whether {what}. Do not send it anew.",
        advice=f"Find out first: %stripe resume {operation.number}",
        details=_details(call, outcome),
        facts=facts,
    )


Sleep = Callable[[float], None]
