"""What is said at the end is true: a refusal after a lost answer, a Stop between two steps, an answer that
can't be shown."""

from __future__ import annotations

import itertools
import re
from typing import Any

import httpx
import pandas as pd
import pytest
from fault_server import Fault, FaultServer, error

import stripe_magics as sm
from stripe_magics import errors, frames, pipeline
from stripe_magics._call_run import CallRun
from stripe_magics._command import Command
from stripe_magics.bulk import write_rows
from stripe_magics.client import shared_connection
from stripe_magics.client.http.retry import Policy
from stripe_magics.client.secret import Secret
from stripe_magics.client.shared_connection import Connection
from stripe_magics.progress import ProgressGroup

from .conftest import create, delete

LOST = Fault("after", "reset")


def test_a_deletion_that_is_refused_after_a_lost_answer_is_unknown(
    server: FaultServer, connection: Connection
) -> None:
    made = connection.send(create(name="Jenny")).data["id"]
    server.script = [LOST, error(400, "invalid_request_error", None, "It was cancelled already.")]
    with pytest.raises(errors.OutcomeUnknown):
        connection.send(delete(f"/v1/customers/{made}"))
    assert [each.method for each in connection.pending()] == ["DELETE"]


def test_a_key_of_other_parameters_settles_nothing(server: FaultServer, connection: Connection) -> None:
    server.script = [
        LOST,
        error(400, "idempotency_error", None, "Keys can only be used with the same parameters."),
    ]
    with pytest.raises(errors.OutcomeUnknown):
        connection.send(create(name="Jenny"))
    assert len(connection.pending()) == 1


def test_a_certain_refusal_does_not_say_that_it_may_have_been_executed(
    server: FaultServer, connection: Connection
) -> None:
    server.script = [Fault("before", "reset")]
    with pytest.raises(errors.CardDeclined) as declined:
        connection.send(create(name="Jenny", decline="generic_decline"))
    assert declined.value.maybe_executed is False
    assert connection.pending() == []


@pytest.fixture
def sandbox() -> Any:
    yield sm.connect(sandbox=True, demo=False)
    shared_connection.close()


def test_an_answer_that_can_not_be_shown_is_said_to_be_carried_out(
    sandbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise OverflowError("too big")

    monkeypatch.setattr(frames, "build", broken)
    with pytest.raises(errors.AnswerUnusable, match=r"It was carried out: cus_\w+") as problem:
        sm.call("customers.create", name="Jenny")
    assert problem.value.maybe_executed is True
    assert problem.value.operation == 1


def test_a_form_whose_answer_can_not_be_shown_is_done(sandbox: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise OverflowError("too big")

    form = sm.form("customers.create", name="Jenny")
    monkeypatch.setattr(frames, "build", broken)
    with pytest.raises(errors.AnswerUnusable):
        form.submit(confirm=True)
    assert form.state.submission.stage.value == "done"
    assert "carried out" in form.status.value


def test_stop_after_the_answer_says_what_was_made(sandbox: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(frames, "build", stopped)
    with pytest.raises(KeyboardInterrupt, match=r"carried out: cus_\w+"):
        sm.call("customers.create", name="Jenny")


def test_stop_between_two_steps_says_what_was_done(sandbox: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = sm.call("customers.create", name="Jenny")["id"][0]
    method = sm.call("payment_methods.create", type="card", **{"card[token]": "tok_visa"})["id"][0]
    request = pipeline.prepare(pipeline.command("customers.update", customer=identity, name="B"))
    following = pipeline.prepare(
        pipeline.command("payment_methods.attach", payment_method=method, customer=identity)
    )
    from dataclasses import replace

    run = CallRun(
        sandbox,
        replace(request, follow_ups=(following,)),
        pipeline.command("customers.update", customer=identity),
        origin=None,
        ask=None,
        together=ProgressGroup(None, 1),
    )
    real = sandbox.send

    def stop(request: Any, **more: Any) -> Any:
        if request.path.endswith("/attach"):
            raise KeyboardInterrupt("Stopped. Nothing was sent.")
        return real(request, **more)

    monkeypatch.setattr(sandbox, "send", stop)
    with pytest.raises(KeyboardInterrupt, match=f"Done before that: POST /v1/customers/{identity}"):
        run.write()


def _answering(*answers: httpx.Response) -> Connection:
    """A test connection that gets these answers, one a request, the last one again and again; each with a
    request id of its own."""
    left, numbers = list(answers), itertools.count(1)

    def answer(_: httpx.Request) -> httpx.Response:
        found = left.pop(0) if len(left) > 1 else left[0]
        headers = {"content-type": "application/json", "request-id": f"req_answer{next(numbers)}"}
        return httpx.Response(found.status_code, headers=headers, content=found.content)

    return Connection(
        secret=Secret("sk_test_51" + "a" * 40), mode="test", base="https://api.stripe.com",
        transport=httpx.MockTransport(answer), policy=Policy(base_delay=0.001, max_delay=0.002),
    )  # fmt: skip


def _refusal(status: int) -> httpx.Response:
    return httpx.Response(status, json={"error": {"type": "invalid_request_error", "message": "No."}})


def _object(**fields: Any) -> httpx.Response:
    return httpx.Response(200, json={"id": "cus_1", "object": "customer", "livemode": False, **fields})


PAGE = {"object": "list", "url": "/v1/customers", "has_more": True, "data": [{"id": "cus_1"}]}


@pytest.mark.parametrize("call", ["customers.create", "customers.retrieve", "customers.list"])
@pytest.mark.parametrize(
    "answer",
    [
        *(_refusal(status) for status in (400, 401, 402, 403, 404, 409, 418, 424, 429, 500, 503)),
        httpx.Response(200, content=b"<html>welcome</html>"),
        httpx.Response(200, json={"id": "po_1", "object": "payout"}),
        _object(livemode=True),
    ],
    ids=lambda each: f"{each.status_code} {each.content[:20]!r}",
)
def test_B70_what_speaks_of_an_answer_has_its_requests_id(call: str, answer: httpx.Response) -> None:
    values = {"customers.create": {"name": "Jenny"}, "customers.retrieve": {"customer": "cus_1"}}
    if call == "customers.list" and answer.content == _object(livemode=True).content:
        answer = httpx.Response(200, json={**PAGE, "data": [{"id": "cus_1", "livemode": True}]})
    connection = _answering(answer)
    try:
        with pytest.raises(errors.StripeError, match=r"req_answer\d") as problem:
            pipeline.call(call, connection=connection, **values.get(call, {}))
        assert re.search(r"req_answer\d", problem.value.brief)
        if call == "customers.create" and answer.status_code == 200 and b"true" in answer.content:
            assert "cus_1" in str(problem.value)  # what was made
    finally:
        connection.close()


def test_B70_rows_and_lists_that_stopped_name_the_request() -> None:
    connection = _answering(_refusal(400))
    result = write_rows(
        Command("customers.create"), pd.DataFrame({"name": ["Jenny"]}), connection=connection, quiet=True
    )
    assert result["result"].tolist() == ["failed"]
    assert "req_answer1" in result["error"][0]
    connection.close()
    connection = _answering(httpx.Response(200, json=PAGE), _refusal(400))
    with pytest.raises(errors.IncompleteList, match="req_answer2"):
        pipeline.call("customers.list", connection=connection)
    connection.close()


def test_B70_what_is_no_id_in_that_header_is_not_shown() -> None:
    made = errors.StripeError("No.", details=errors.Details(request_id="<b>\x1b[1m"))
    assert str(made) == made.brief == "No."
