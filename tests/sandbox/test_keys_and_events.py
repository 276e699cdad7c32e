"""Idempotency, metadata, events, webhook endpoints. The numbers are those of the sandbox's specification."""

from __future__ import annotations

import pytest

from .conftest import DAY


def test_19_the_same_answer_twice(call) -> None:
    given = {
        "amount": "2000",
        "currency": "usd",
        "payment_method": "pm_card_bypassPending",
        "confirm": "true",
    }
    first = call.raw("POST /v1/payment_intents", given, headers={"Idempotency-Key": "k"})
    second = call.raw(
        "POST /v1/payment_intents", dict(reversed(given.items())), headers={"Idempotency-Key": "k"}
    )
    assert first.content == second.content
    assert len(call.every("/v1/payment_intents")) == 1
    assert call.available() == 1912


def test_19_a_decline_is_replayed(call) -> None:
    given = {
        "amount": "2000",
        "currency": "usd",
        "payment_method": "pm_card_visa_chargeDeclined",
        "confirm": "true",
    }
    answers = [
        call.raw("POST /v1/payment_intents", given, headers={"Idempotency-Key": "k"}) for _ in range(2)
    ]
    assert [each.status_code for each in answers] == [402, 402]
    assert answers[0].content == answers[1].content
    assert len(call.every("/v1/charges")) == 1


@pytest.mark.parametrize(
    ("what", "params"),
    [
        ("POST /v1/customers", {"name": "B"}),
        ("POST /v1/payment_intents", {"amount": "500", "currency": "usd"}),
    ],
)
def test_19_a_key_for_something_else(call, what, params) -> None:
    call.raw("POST /v1/customers", {"name": "A"}, headers={"Idempotency-Key": "k"})
    answer = call.raw(what, params, headers={"Idempotency-Key": "k"})
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "idempotency_error")


def test_19_validation_failures_are_not_kept(call) -> None:
    bad = call.raw(
        "POST /v1/payment_intents", {"amount": "x", "currency": "usd"}, headers={"Idempotency-Key": "k"}
    )
    assert bad.status_code == 400
    small = call.raw(
        "POST /v1/payment_intents", {"amount": "1", "currency": "usd"}, headers={"Idempotency-Key": "k"}
    )
    assert small.json()["error"]["code"] == "amount_too_small"
    good = call.raw(
        "POST /v1/payment_intents", {"amount": "500", "currency": "usd"}, headers={"Idempotency-Key": "k"}
    )
    assert good.status_code == 200
    assert "idempotent-replayed" not in good.headers


def test_19_keys_are_kept_a_day_and_ignored_elsewhere(call, sandbox) -> None:
    key = {"Idempotency-Key": "k"}
    one = call.raw("POST /v1/customers", {}, headers=key).json()["id"]
    assert call.raw(f"GET /v1/customers/{one}", headers=key).status_code == 200
    assert call.raw(f"DELETE /v1/customers/{one}", headers=key).status_code == 200
    sandbox.advance(DAY)
    assert call.raw("POST /v1/customers", {}, headers=key).json()["id"] == one
    sandbox.advance(1)
    assert call.raw("POST /v1/customers", {}, headers=key).json()["id"] != one
    assert call.raw("POST /v1/customers", {}, headers={"Idempotency-Key": "k" * 256}).status_code == 400


def test_20_metadata(call) -> None:
    customer = call("POST /v1/customers", {f"metadata[k{place}]": "v" for place in range(50)})
    path = f"POST /v1/customers/{customer['id']}"
    assert call(path, {"metadata[k0]": "w", "metadata[k1]": ""})["metadata"]["k0"] == "w"
    assert len(call(path, {"metadata[new]": "1"})["metadata"]) == 50
    for name, value in (("over", "1"), ("n" * 41, "1"), ("k2", "v" * 501), ("a[b]", "1")):
        assert call.refused(path, {f"metadata[{name}]": value})["param"].startswith("metadata")


def test_21_events(call) -> None:
    customer = call("POST /v1/customers", {"name": "A", "metadata[x]": "1"})
    answer = call.raw(
        f"POST /v1/customers/{customer['id']}",
        {"name": "B", "metadata[y]": "2"},
        headers={"Idempotency-Key": "k"},
    )
    event = call("GET /v1/events")["data"][0]
    assert (event["type"], event["api_version"], event["livemode"]) == (
        "customer.updated",
        "2025-02-24.acacia",
        False,
    )
    assert event["data"]["object"] == answer.json()
    assert event["data"]["previous_attributes"] == {"name": "A", "metadata": {"y": None}}
    assert event["request"] == {"id": answer.headers["request-id"], "idempotency_key": "k"}
    assert call(f"GET /v1/events/{event['id']}") == event
    created = call("GET /v1/events")["data"][1]
    assert created["data"] == {"object": customer}


def test_21_events_are_kept_thirty_days(call, sandbox) -> None:
    call("POST /v1/customers")
    sandbox.advance(31 * DAY)
    assert "customer.created" not in call.types()


def test_21_snapshots_do_not_change_later(call) -> None:
    customer = call("POST /v1/customers", name="A")
    call(f"POST /v1/customers/{customer['id']}", name="B")
    assert call("GET /v1/events", type="customer.created")["data"][0]["data"]["object"]["name"] == "A"


def test_22_a_payment_tells_its_story(call) -> None:
    call.intent(method="pm_card_createDispute")
    call.refused(
        "POST /v1/payment_intents",
        amount=500,
        currency="usd",
        confirm=True,
        payment_method="pm_card_chargeDeclined",
    )
    assert call.types() == [
        "payment_intent.created", "charge.succeeded", "charge.updated", "charge.dispute.created",
        "charge.dispute.funds_withdrawn", "payment_intent.succeeded", "payment_intent.created",
        "charge.failed", "payment_intent.payment_failed",
    ]  # fmt: skip


def test_23_webhook_endpoints(call) -> None:
    made = call(
        "POST /v1/webhook_endpoints",
        {"url": "https://example.com/hook", "enabled_events[]": ["charge.failed", "*"], "description": "d"},
    )
    assert (made["secret"][:6], made["status"], made["enabled_events"]) == (
        "whsec_",
        "enabled",
        ["charge.failed", "*"],
    )
    shown = call(f"GET /v1/webhook_endpoints/{made['id']}")
    assert "secret" not in shown
    assert call("GET /v1/webhook_endpoints")["data"] == [shown]
    off = call(f"POST /v1/webhook_endpoints/{made['id']}", disabled=True, url="https://example.com/other")
    assert (off["status"], off["url"]) == ("disabled", "https://example.com/other")
    assert call(f"DELETE /v1/webhook_endpoints/{made['id']}")["deleted"] is True
    assert (
        call.refused("POST /v1/webhook_endpoints", {"url": "https://example.com"})["param"]
        == "enabled_events"
    )
    assert call.refused("POST /v1/webhook_endpoints", {"enabled_events[]": "*"})["param"] == "url"
    assert (
        call.refused("POST /v1/webhook_endpoints", {"enabled_events[]": "*", "url": "here"})["code"]
        == "url_invalid"
    )
    assert (
        call.refused(
            "POST /v1/webhook_endpoints", {"enabled_events[]": "no.such", "url": "https://example.com"}
        )["param"]
        == "enabled_events[0]"
    )
