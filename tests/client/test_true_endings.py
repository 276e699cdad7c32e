"""What is said at the end is true: a refusal after a lost answer, a Stop between two steps, an answer that can't be shown."""

from __future__ import annotations

from typing import Any

import pytest
from fault_server import Fault, FaultServer, error

import stripe_magics as sm
from stripe_magics import errors, frames, pipeline
from stripe_magics.client import shared_connection
from stripe_magics.client.shared_connection import Connection

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

    run = pipeline._Run(
        sandbox,
        replace(request, then=(following,)),
        pipeline.command("customers.update", customer=identity),
        origin=None,
        ask=None,
        together=pipeline.ProgressGroup(None, 1),
    )
    real = sandbox.send

    def stop(request: Any, **more: Any) -> Any:
        if request.path.endswith("/attach"):
            raise KeyboardInterrupt("Stopped. Nothing was sent.")
        return real(request, **more)

    monkeypatch.setattr(sandbox, "send", stop)
    with pytest.raises(KeyboardInterrupt, match=f"Done before that: POST /v1/customers/{identity}"):
        run.write()
