"""An event with the key of a write whose answer was lost tells how it ended."""

from __future__ import annotations

from each_row import each_row
from events.doubles import Stripe, event

from stripe_magics.client.journal.event_evidence import resolve_by_events

KEY = "11111111-2222-4333-8444-555555555555"


@each_row(
    "path, effect, events, state, result",
    [
        (
            "/v1/customers",
            "create",
            [event("evt_1", "customer.created", 1, key=KEY, id="cus_1")],
            "done",
            "cus_1",
        ),
        (
            "/v1/refunds",
            "irreversible",
            [event("evt_1", "refund.created", 1, key=KEY, id="re_1")],
            "done",
            "re_1",
        ),
        (
            "/v1/refunds",
            "irreversible",
            [
                event("evt_1", "charge.refunded", 1, key=KEY, id="ch_1"),
                event("evt_2", "refund.created", 1, key=KEY, id="re_1"),
            ],
            "done",
            "re_1",
        ),
        (
            "/v1/payment_intents",
            "irreversible",
            [
                event("evt_1", "payment_intent.created", 1, key=KEY, id="pi_1"),
                event("evt_2", "payment_intent.succeeded", 1, key=KEY, id="pi_1"),
            ],
            "done",
            "pi_1",
        ),
        (
            "/v1/payment_intents/pi_123456/confirm",
            "irreversible",
            [
                event("evt_1", "charge.failed", 1, key=KEY, id="ch_1"),
                event("evt_2", "payment_intent.payment_failed", 1, key=KEY, id="pi_123456"),
            ],
            "refused",
            "",
        ),
        (
            "/v1/payment_intents",
            "irreversible",
            [event("evt_1", "payment_intent.created", 1, key=KEY, id="pi_1")],
            "unknown",
            "",
        ),
        (
            "/v1/payment_intents",
            "create",
            [event("evt_1", "payment_intent.created", 1, key=KEY, id="pi_1")],
            "done",
            "pi_1",
        ),
        (
            "/v1/payment_methods/pm_1/attach",
            "update",
            [event("evt_1", "payment_method.attached", 1, key=KEY, object="payment_method", id="pm_1")],
            "done",
            "pm_1",
        ),
        (
            "/v1/customers",
            "create",
            [event("evt_1", "customer.created", 1, key="another", id="cus_1")],
            "unknown",
            "",
        ),
        ("/v1/customers", "create", [event("evt_1", "customer.created", 1, id="cus_1")], "unknown", ""),
    ],
)
def test_settling(path: str, effect: str, events: list[dict[str, object]], state: str, result: str) -> None:
    stripe = Stripe()
    number = stripe.open_operation(KEY, path, effect=effect).number
    notes = resolve_by_events(stripe.journal, stripe.scope(""), events)
    ended = stripe.journal.get(number)
    assert (ended.state, ended.result) == (state, result)
    assert len(notes) == (state != "unknown")
    if notes:
        assert f"Operation {number}" in notes[0]
        assert ended.reason.startswith("event evt_")
    assert resolve_by_events(stripe.journal, stripe.scope(""), events) == [], (
        "a settled operation stays as it is"
    )


def test_another_account_settles_nothing() -> None:
    stripe = Stripe()
    number = stripe.open_operation(KEY, "/v1/customers").number
    assert (
        resolve_by_events(
            stripe.journal, stripe.scope("acct_other"), [event("evt_1", "customer.created", 1, key=KEY)]
        )
        == []
    )
    assert stripe.journal.get(number).state == "unknown"


def test_events_of_v1_versions_before_2017_have_a_plain_request() -> None:
    old = event("evt_1", "customer.created", 1)
    old["request"] = "req_1"
    assert resolve_by_events(Stripe().journal, "scope ", [old]) == []
