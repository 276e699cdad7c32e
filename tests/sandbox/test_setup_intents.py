"""Setup intents with the outcomes of the test cards: what is kept for later, what asks, what is declined."""

from __future__ import annotations

import pytest

from stripe_magics.sandbox.resources.payment_methods.test_cards import CARDS, OUTCOMES

from .conftest import Talk


def setup(call: Talk, method: str, **params: object) -> dict:
    customer = call("POST /v1/customers", name="J")["id"]
    return call("POST /v1/setup_intents", customer=customer, payment_method=method, confirm=True, **params)


@pytest.mark.parametrize("method", ["pm_card_visa", "pm_card_chargeCustomerFail", "pm_card_mastercard"])
def test_a_card_is_kept_for_later(call: Talk, method: str) -> None:
    intent = setup(call, method)
    assert (intent["status"], intent["usage"], intent["livemode"]) == ("succeeded", "off_session", False)
    kept = call(f"GET /v1/payment_methods/{intent['payment_method']}")
    assert kept["customer"] == intent["customer"]
    [attempt] = call("GET /v1/setup_attempts", setup_intent=intent["id"])["data"]
    assert (attempt["id"], attempt["status"]) == (intent["latest_attempt"], "succeeded")
    assert call.types(type="setup_intent.*") == ["setup_intent.created", "setup_intent.succeeded"]


@pytest.mark.parametrize(
    ("method", "code", "decline"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", None),
        ("pm_card_radarBlock", "card_declined", "fraudulent"),
    ],
)
def test_a_decline_leads_back(call: Talk, method: str, code: str, decline: str | None) -> None:
    intent = call("POST /v1/setup_intents")
    error = call.refused(f"POST /v1/setup_intents/{intent['id']}/confirm", payment_method=method)
    assert (error["status"], error["type"], error["code"], error.get("decline_code")) == (
        402,
        "card_error",
        code,
        decline,
    )
    assert error["setup_intent"]["status"] == "requires_payment_method"
    after = call(f"GET /v1/setup_intents/{intent['id']}")
    assert (after["last_setup_error"]["code"], after["payment_method"]) == (code, None)
    [attempt] = call("GET /v1/setup_attempts", setup_intent=intent["id"])["data"]
    assert (attempt["status"], attempt["setup_error"]["code"]) == ("failed", code)
    done = call(f"POST /v1/setup_intents/{intent['id']}/confirm", payment_method="pm_card_visa")
    assert (done["status"], done["last_setup_error"]) == ("succeeded", None)


def test_a_card_that_asks_for_authentication_is_free_to_charge_afterwards(call: Talk) -> None:
    intent = setup(call, "pm_card_authenticationRequiredOnSetup")
    assert (intent["status"], intent["next_action"]["type"]) == ("requires_action", "use_stripe_sdk")
    done = call(f"POST /v1/test_helpers/setup_intents/{intent['id']}/authenticate")
    assert (done["status"], done["next_action"]) == ("succeeded", None)
    paid = call.intent(method=done["payment_method"], customer=done["customer"], off_session=True)
    assert paid["status"] == "succeeded"
    assert len(call("GET /v1/setup_attempts", setup_intent=intent["id"])["data"]) == 1


@pytest.mark.parametrize(
    ("method", "outcome", "code"),
    [
        ("pm_card_authenticationRequired", "fail", "setup_intent_authentication_failure"),
        ("pm_card_threeDSecureRequiredChargeDeclined", "succeed", "card_declined"),
    ],
)
def test_what_the_payer_or_the_bank_refuses_stands_in_the_intent(
    call: Talk, method: str, outcome: str, code: str
) -> None:
    intent = setup(call, method, return_url="https://example.com/back")
    assert intent["next_action"]["redirect_to_url"]["return_url"] == "https://example.com/back"
    done = call(f"POST /v1/test_helpers/setup_intents/{intent['id']}/authenticate", outcome=outcome)
    assert (done["status"], done["last_setup_error"]["code"]) == ("requires_payment_method", code)


def test_cancel_update_and_lists(call: Talk) -> None:
    customer = call("POST /v1/customers", name="J")["id"]
    first = call("POST /v1/setup_intents", customer=customer, **{"metadata[a]": "1"})
    second = call("POST /v1/setup_intents")
    changed = call(
        f"POST /v1/setup_intents/{first['id']}",
        payment_method="pm_card_visa",
        description="d",
        **{"metadata[b]": "2"},
    )
    assert (changed["status"], changed["description"], changed["metadata"]) == (
        "requires_confirmation",
        "d",
        {"a": "1", "b": "2"},
    )
    gone = call(f"POST /v1/setup_intents/{first['id']}/cancel", cancellation_reason="abandoned")
    assert (gone["status"], gone["cancellation_reason"]) == ("canceled", "abandoned")
    error = call.refused(f"POST /v1/setup_intents/{first['id']}/confirm")
    assert (error["status"], error["code"]) == (400, "setup_intent_unexpected_state")
    assert [each["id"] for each in call("GET /v1/setup_intents")["data"]] == [second["id"], first["id"]]
    assert [each["id"] for each in call("GET /v1/setup_intents", customer=customer)["data"]] == [first["id"]]
    assert call.refused("GET /v1/setup_intents/seti_x")["status"] == 404


def test_what_is_not_simulated_is_refused_by_name(call: Talk) -> None:
    error = call.refused("POST /v1/setup_intents", confirmation_token="ctoken_1")
    assert error["message"] == "The sandbox doesn't simulate confirmation_token."


def test_every_test_card_brings_its_outcome(call: Talk) -> None:
    """Declined at once, asked about first, or kept; what asks is then kept or declined, as the payer and the
    bank have it."""
    seen = set()
    for name, card in CARDS.items():
        behaviour = OUTCOMES[card.outcome]
        customer = call("POST /v1/customers")["id"]
        given = {"payment_method": f"pm_card_{name}", "customer": customer, "confirm": True}
        if behaviour.code and not behaviour.attaches and not behaviour.authenticate:
            error = call.refused("POST /v1/setup_intents", given)
            assert (error["status"], error["code"]) == (402, behaviour.code), name
            intent = call(f"GET /v1/setup_intents/{error['setup_intent']['id']}")
            assert (intent["status"], intent["last_setup_error"]["code"]) == (
                "requires_payment_method",
                behaviour.code,
            ), name
            seen.add("declined")
            continue
        intent = call("POST /v1/setup_intents", given)
        if behaviour.authenticate:
            assert intent["status"] == "requires_action", name
            intent = call(f"POST /v1/test_helpers/setup_intents/{intent['id']}/authenticate")
            seen.add("asked")
        expected = "requires_payment_method" if behaviour.authenticate and behaviour.code else "succeeded"
        assert intent["status"] == expected, name
        (attempt,) = call("GET /v1/setup_attempts", setup_intent=intent["id"])["data"]
        assert attempt["status"] == ("failed" if expected != "succeeded" else "succeeded"), name
        kept = call(f"GET /v1/customers/{customer}/payment_methods")["data"]
        assert len(kept) == (expected == "succeeded"), name
        seen.add(expected)
    assert seen == {"declined", "asked", "requires_payment_method", "succeeded"}
