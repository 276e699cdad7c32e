"""How a call ends, and what is said of it: success, stopped, refused, not sent, unknown.

Every outcome of a write is written into the journal first. What is said must be true whatever happened on the
way: "nothing was done" only if that is certain, "done" only with Stripe's own answer in hand, and otherwise
how to find out.
"""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

from stripe_magics.client import live_mode
from stripe_magics.client.api_errors import mapping as texts
from stripe_magics.client.http import retry
from stripe_magics.client.http.response import ApiResponse
from stripe_magics.client.http.retry import AttemptResult, DeliveryStatus
from stripe_magics.client.journal import deduplication
from stripe_magics.errors import Details, Interrupted, NotSent, OutcomeUnknown, StripeUnavailable

if TYPE_CHECKING:
    from stripe_magics.client.sending.in_flight_call import InFlightCall


def on_success(call: InFlightCall, outcome: AttemptResult) -> ApiResponse:
    connection, operation = call.connection, call.operation
    replayed = (
        outcome.header("idempotent-replayed").lower() == "true"
        or outcome.header("idempotency-replayed").lower() == "true"
    )
    answer = ApiResponse(
        status=outcome.status,
        body=outcome.body,
        request_id=outcome.header("request-id"),
        replayed=replayed,
        idempotency_key=call.key,
        operation=operation.number if operation else None,
        attempts=call.attempts,
        api_version=outcome.header("stripe-version"),
        _data=outcome.data,
    )
    notices = list(connection.notices.of(outcome.headers or {}))
    if operation is not None:
        result = str(answer.data.get("id") or "")
        problem = record_result(call, "done", outcome, result=result)
        if problem:
            notices.append(problem)
        if call.before is not None and call.before.state == "done":
            notices.insert(
                0,
                deduplication.already(
                    replace(call.before, result=call.before.result or result), connection.journal.now()
                ),
            )
        elif replayed and call.may_have_executed:
            notices.insert(
                0,
                "The first try had gone through although its answer was lost; this is its result. Nothing was"
                " made twice.",
            )
        elif replayed:
            notices.insert(
                0, "Stripe gave the saved result of an earlier call with this key; nothing new was made."
            )
    answer.notices = tuple(notices)
    given = Details(
        maybe_executed=call.write,
        status=outcome.status,
        request_id=answer.request_id,
        operation=answer.operation,
        idempotency_key=call.key,
    )
    connection.check_mode(outcome.body, written=call.write, details=given)
    return answer


def on_interrupt(call: InFlightCall, outcome: AttemptResult) -> None:
    """Stop was pressed during an attempt."""
    sent = outcome.reach is not DeliveryStatus.NOT_SENT
    if not call.write:
        raise KeyboardInterrupt("Stopped. Nothing was changed.")
    if call.before is not None and call.before.state == "done":
        raise KeyboardInterrupt("Stopped. Nothing new was made.")
    call.may_have_executed = call.may_have_executed or sent
    record_result(call, "unknown" if call.may_have_executed else "not_sent", outcome)
    if not call.may_have_executed:
        raise KeyboardInterrupt("Stopped. Nothing was sent.")
    raise unknown(call, outcome, "stopped", kind=Interrupted)


def stopped_between(call: InFlightCall) -> KeyboardInterrupt:
    """Stop came between two lines of ours, after the journal or before it: what is said is what the row
    says."""
    operation, journal = call.operation, call.connection.journal
    assert operation is not None
    journal.release(operation.number)
    known = journal.get(operation.number)
    if known.state == "done":
        return KeyboardInterrupt(
            f"Stopped, but it was carried out: {known.result or f'operation {known.number}'}."
        )
    if known.state == "refused":
        return KeyboardInterrupt("Stopped. Stripe refused it; nothing was changed.")
    if known.state == "not_sent" or not call.attempts:
        record_result(call, "not_sent", None, reason="stopped")
        return KeyboardInterrupt("Stopped. Nothing was sent.")
    call.may_have_executed = True
    record_result(call, "unknown", None, reason="stopped")
    return unknown(call, None, "stopped", kind=Interrupted)  # type: ignore[return-value]  # a KeyboardInterrupt, too


def on_failure(call: InFlightCall, outcome: AttemptResult) -> ApiResponse:
    """No further attempt, and no success: the error that says what is known. A deletion may end well after
    all."""
    if (
        call.encoded.method == "DELETE"
        and call.may_have_executed
        and outcome.status == 404
        and outcome.code == "resource_missing"
    ):
        return _already_gone(call, outcome)
    if call.before is not None and call.before.state == "done":
        record_result(call, "done", outcome)
        known = deduplication.already(call.before, call.connection.journal.now())
        raise StripeUnavailable(
            known[:1].upper() + known[1:],
            advice=f"Its saved result could not be read at this moment: {outcome.reason}; {_tried(call)}.",
            details=details_of(call, outcome),
        )
    if (
        call.write
        and call.may_have_executed
        and not retry.settles_earlier_attempts(outcome, keyed=bool(call.key))
    ):
        record_result(call, "unknown", outcome)
        raise unknown(call, outcome, call.lost or outcome.reason)
    if outcome.reach is DeliveryStatus.NOT_SENT:
        record_result(call, "not_sent", outcome)
        raise _not_sent(call, outcome)
    if outcome.reach is DeliveryStatus.UNKNOWN:  # a read
        raise StripeUnavailable(
            f"No usable answer: {outcome.reason}. Nothing was changed; {_tried(call)}.",
            advice="Run it again.",
            details=details_of(call, outcome),
            facts=[f"It said: {said}"] if (said := texts.cleaned(outcome.body)) else [],
        )
    record_result(call, "refused" if call.write else "", outcome)
    details = details_of(call, outcome)
    details.maybe_executed = False
    error = texts.from_answer(
        outcome.status,
        outcome.headers or {},
        outcome.body,
        call.request,
        key_hint=call.connection.key_hint,
        mode=call.connection.mode,
        details=details,
        tried=_tried(call),
    )
    if call.may_have_executed:
        error.add_facts(
            "An earlier try had no answer; this answer to the same key confirms that nothing else happened."
        )
    connection_notices = call.connection.notices.of(outcome.headers or {})
    if connection_notices:
        error.add_facts(*connection_notices)
    raise error


def _already_gone(call: InFlightCall, outcome: AttemptResult) -> ApiResponse:
    object_id = unquote(call.encoded.target.partition("?")[0].rpartition("/")[2])
    record_result(call, "done", outcome)
    body = json.dumps({"id": object_id, "object": call.request.returns, "deleted": True}).encode()
    return ApiResponse(
        status=200,
        body=body,
        request_id=outcome.header("request-id"),
        operation=call.operation.number if call.operation else None,
        attempts=call.attempts,
        replayed=True,
        notices=(f"{object_id} is already gone, most likely by the first try, whose answer was lost.",),
    )


def record_result(
    call: InFlightCall, state: str, outcome: AttemptResult | None, *, result: str = "", reason: str = ""
) -> str:
    """Write down how the call ended. A disk that fails now must not hide the answer: the row then stays open,
    which is safe. Gives a notice."""
    call.result_recorded = True
    if call.operation is None:
        return ""
    try:
        call.connection.journal.record_result(
            call.operation.number,
            state,
            status=outcome.status if outcome else 0,
            request_id=outcome.header("request-id") if outcome else "",
            result=result,
            reason=(reason or (outcome.reason if outcome else ""))[:200],
            attempts=call.attempts,
            stripe_time=call.connection.stripe_clock.time(),
        )
    except (sqlite3.Error, OSError, NotSent) as problem:
        return (
            f"The journal could not be written ({problem}): operation {call.operation.number} stays open"
            " there."
        )
    return ""


def details_of(call: InFlightCall, outcome: AttemptResult | None) -> Details:
    found = (
        texts.details_of(outcome.status, outcome.headers or {}, outcome.body, call.request)
        if outcome is not None and outcome.reach is DeliveryStatus.ANSWERED
        else (
            Details(status=outcome.status or None, request_id=outcome.header("request-id"))
            if outcome is not None
            else Details()
        )
    )
    found.operation = call.operation.number if call.operation else None
    found.idempotency_key = call.key if call.write else ""
    found.maybe_executed = call.may_have_executed
    found.attempts = call.attempts
    return found


def _tried(call: InFlightCall) -> str:
    times = "once" if call.attempts == 1 else f"{call.attempts} times"
    seconds = call.connection.monotonic() - call.started
    return f"it was tried {times}" + (f" over {seconds:.0f} s" if call.attempts > 1 and seconds >= 1 else "")


def _not_sent(call: InFlightCall, outcome: AttemptResult) -> NotSent:
    connection = call.connection
    about = connection.route()
    if outcome.code == "certificate":
        message = f"Nothing was sent: {outcome.reason}."
        advice = (
            "If a company proxy stands in between, set SSL_CERT_FILE to its certificate. Verification can't"
            " be switched off."
        )
    elif outcome.code == "ProxyError":
        message, advice = (
            f"Nothing was sent: {outcome.reason}.",
            "Look at the proxy's address and login in HTTPS_PROXY.",
        )
    else:
        message, advice = (
            f"Nothing was sent: {outcome.reason}; {_tried(call)}.",
            "Look at the network and run it again.",
        )
    return NotSent(message, advice=advice, details=details_of(call, outcome), facts=[about])


def unknown(
    call: InFlightCall,
    outcome: AttemptResult | None,
    lost: str,
    *,
    kind: type[OutcomeUnknown] = OutcomeUnknown,
) -> OutcomeUnknown:
    """What is said when it isn't known: when it was sent, with which key, how long that key can be used, and
    how to find out."""
    operation = call.operation
    assert operation is not None
    journal = call.connection.journal
    now = journal.now()
    what = (
        "the payment was made"
        if live_mode.needs_confirmation(call.request) and call.encoded.method != "DELETE"
        else "it was carried out"
    )
    last = (
        f"; a later try got {outcome.status}"
        if outcome is not None and outcome.status and outcome.reason != lost
        else ""
    )
    end = deduplication.clock(operation.first + 24 * 3600, now)
    tries = "1 try" if call.attempts == 1 else f"{call.attempts} tries"
    facts = [
        (
            f"Sent {time.strftime('%H:%M:%S', time.localtime(operation.first))}, no usable answer after"
            f" {tries} ({lost}{last})."
        ),
        f"Operation {operation.number}"
        + (f", key {call.key}; valid for resume until {end}." if call.key else "."),
        f"`%stripe resume {operation.number}` asks Stripe again with the same key (cannot act twice).",
        f"`%stripe reconcile {operation.number}` looks for the object.",
    ]
    if operation.from_cell:
        facts.append("Re-running this cell unchanged reuses the same key.")
    if outcome is not None and outcome.status == 500 and outcome.from_stripe:
        facts.append("Stripe may still complete it later: watch its events, and do not use a new key.")
    if outcome is not None and outcome.reach is DeliveryStatus.ANSWERED and not outcome.from_stripe:
        shown = texts.from_answer(outcome.status, outcome.headers or {}, outcome.body, call.request)
        facts.extend([shown.message, shown.advice])
    return kind(
        f"It is unknown whether {what}. Don't send it again yet.",
        advice=f"Find out first: %stripe resume {operation.number}",
        details=details_of(call, outcome),
        facts=facts,
    )
