"""Payment intents and charges. The numbers are those of the sandbox's specification."""

from __future__ import annotations

import pytest

from .conftest import DAY


@pytest.mark.parametrize(
    ("amount", "currency", "code", "param"),
    [
        (49, "usd", "amount_too_small", "amount"),
        (0, "usd", "parameter_invalid_integer", "amount"),
        (-5, "usd", "parameter_invalid_integer", "amount"),
        (100_000_000, "usd", "amount_too_large", "amount"),
        (49, "jpy", "amount_too_small", "amount"),
        (500, "xyz", None, "currency"),
        (500, "dollar", None, "currency"),
    ],
)
def test_24_amounts_and_currencies(call, amount, currency, code, param) -> None:
    error = call.refused("POST /v1/payment_intents", amount=amount, currency=currency)
    assert (error["status"], error.get("code"), error["param"]) == (400, code, param)


def test_24_limits_that_are_fine(call) -> None:
    assert call("POST /v1/payment_intents", amount=50, currency="USD")["currency"] == "usd"
    assert call("POST /v1/payment_intents", amount=99_999_999, currency="jpy")["amount"] == 99_999_999


@pytest.mark.parametrize("text", ["1234", "x" * 23, "a*b", "<abc>"])
def test_24_statement_descriptors(call, text) -> None:
    assert (
        call.refused("POST /v1/payment_intents", amount=500, currency="usd", statement_descriptor=text)[
            "param"
        ]
        == "statement_descriptor"
    )


def test_25_where_an_intent_starts(call) -> None:
    assert call("POST /v1/payment_intents", amount=500, currency="usd")["status"] == "requires_payment_method"
    assert call.intent(500, confirm=None)["status"] == "requires_confirmation"
    assert call.intent(500)["status"] == "succeeded"


def test_26_confirm(call) -> None:
    intent = call("POST /v1/payment_intents", amount=500, currency="usd")
    path = f"POST /v1/payment_intents/{intent['id']}/confirm"
    error = call.refused(path)
    assert (error["status"], error["code"], error["payment_intent"]["id"]) == (
        400,
        "payment_intent_unexpected_state",
        intent["id"],
    )
    done = call(path, payment_method="pm_card_mastercard")
    assert done["status"] == "succeeded"
    again = call.refused(path, payment_method="pm_card_visa")
    assert (again["code"], again["payment_intent"]["status"]) == (
        "payment_intent_unexpected_state",
        "succeeded",
    )


def test_27_automatic_capture(call) -> None:
    intent = call.intent(2000)
    charge = call.charge_of(intent)
    entry = call(f"GET /v1/balance_transactions/{charge['balance_transaction']}")
    assert (intent["amount_received"], intent["amount_capturable"], intent["next_action"]) == (2000, 0, None)
    assert (charge["captured"], charge["paid"], charge["status"], charge["amount_captured"]) == (
        True,
        True,
        "succeeded",
        2000,
    )
    assert (entry["amount"], entry["fee"], entry["net"], entry["type"], entry["source"]) == (
        2000,
        88,
        1912,
        "charge",
        charge["id"],
    )
    assert charge["outcome"]["type"] == "authorized"
    assert charge["payment_method_details"]["card"]["last4"] == "4242"


def test_27_manual_capture(call) -> None:
    intent = call.intent(2000, capture_method="manual")
    charge = call.charge_of(intent)
    assert (intent["status"], intent["amount_capturable"], intent["amount_received"]) == (
        "requires_capture",
        2000,
        0,
    )
    assert (charge["captured"], charge["balance_transaction"]) == (False, None)
    assert call("GET /v1/balance_transactions")["data"] == []


DECLINES = {
    "pm_card_visa_chargeDeclined": ("card_declined", "generic_decline"),
    "pm_card_chargeDeclined": ("card_declined", "generic_decline"),
    "pm_card_visa_chargeDeclinedInsufficientFunds": ("card_declined", "insufficient_funds"),
    "pm_card_visa_chargeDeclinedLostCard": ("card_declined", "lost_card"),
    "pm_card_visa_chargeDeclinedStolenCard": ("card_declined", "stolen_card"),
    "pm_card_visa_chargeDeclinedVelocityLimitExceeded": ("card_declined", "card_velocity_exceeded"),
    "pm_card_chargeDeclinedExpiredCard": ("expired_card", None),
    "pm_card_chargeDeclinedIncorrectCvc": ("incorrect_cvc", None),
    "pm_card_chargeDeclinedProcessingError": ("processing_error", None),
    "pm_card_chargeCustomerFail": ("card_declined", "generic_decline"),
    "pm_card_radarBlock": ("card_declined", "fraudulent"),
    "pm_card_riskLevelHighest": ("card_declined", "fraudulent"),
}


@pytest.mark.parametrize("method", DECLINES)
def test_28_declines(call, method) -> None:
    code, decline_code = DECLINES[method]
    error = call.refused(
        "POST /v1/payment_intents", amount=500, currency="usd", confirm=True, payment_method=method
    )
    assert (error["status"], error["type"], error["code"], error.get("decline_code")) == (
        402,
        "card_error",
        code,
        decline_code,
    )
    intent = call(f"GET /v1/payment_intents/{error['payment_intent']['id']}")
    assert (intent["status"], intent["payment_method"]) == ("requires_payment_method", None)
    assert intent["last_payment_error"]["code"] == code
    charge = call.charge_of(intent)
    assert (charge["status"], charge["paid"], charge["failure_code"], charge["id"]) == (
        "failed",
        False,
        code,
        error["charge"],
    )
    assert call.types()[-2:] == ["charge.failed", "payment_intent.payment_failed"]
    assert call("GET /v1/balance_transactions")["data"] == []


def test_28_the_next_card_works(call) -> None:
    error = call.refused(
        "POST /v1/payment_intents",
        amount=500,
        currency="usd",
        confirm=True,
        payment_method="pm_card_chargeDeclined",
    )
    path = f"POST /v1/payment_intents/{error['payment_intent']['id']}"
    assert call(path, description="x")["last_payment_error"] is None
    done = call(f"{path}/confirm", payment_method="pm_card_visa")
    assert (done["status"], done["last_payment_error"]) == ("succeeded", None)
    assert len(call.every("/v1/charges", payment_intent=done["id"])) == 2


def test_29_authentication(call) -> None:
    never = {
        "automatic_payment_methods[enabled]": True,
        "automatic_payment_methods[allow_redirects]": "never",
    }
    intent = call.intent(method="pm_card_authenticationRequired", **never)
    assert (intent["status"], intent["next_action"]["type"]) == ("requires_action", "use_stripe_sdk")
    helper = f"POST /v1/test_helpers/payment_intents/{intent['id']}/authenticate"
    done = call(helper)
    assert (done["status"], done["next_action"]) == ("succeeded", None)
    assert (
        call.charge_of(done)["payment_method_details"]["card"]["three_d_secure"]["result"] == "authenticated"
    )
    assert call.refused(helper)["code"] == "payment_intent_unexpected_state"


def test_70_a_page_to_come_back_to(call) -> None:
    given = {
        "amount": 500,
        "currency": "usd",
        "payment_method": "pm_card_visa",
        "confirm": True,
        "return_url": "",
    }
    error = call.refused("POST /v1/payment_intents", given)
    assert (error["status"], error["type"], error["param"]) == (400, "invalid_request_error", "return_url")
    assert call.every("/v1/payment_intents") == []
    never = {
        "automatic_payment_methods[enabled]": True,
        "automatic_payment_methods[allow_redirects]": "never",
    }
    plain = {name: value for name, value in given.items() if name != "return_url"}
    for more in (
        {"return_url": "https://example.com"},
        {"payment_method_types[]": "card"},
        never,
        {"off_session": True},
    ):
        assert call("POST /v1/payment_intents", {**plain, **more})["status"] == "succeeded"
    waiting = call("POST /v1/payment_intents", amount=500, currency="usd", payment_method="pm_card_visa")[
        "id"
    ]
    assert call.refused(f"POST /v1/payment_intents/{waiting}/confirm", return_url="")["param"] == "return_url"


def test_29_authentication_with_a_redirect_that_fails(call) -> None:
    intent = call.intent(method="pm_card_authenticationRequired", return_url="https://example.com/back")
    assert intent["next_action"]["redirect_to_url"]["return_url"] == "https://example.com/back"
    failed = call(f"POST /v1/test_helpers/payment_intents/{intent['id']}/authenticate", outcome="fail")
    assert (failed["status"], failed["last_payment_error"]["code"]) == (
        "requires_payment_method",
        "payment_intent_authentication_failure",
    )


@pytest.mark.parametrize("how", ["off_session", "error_on_requires_action"])
def test_29_nobody_there_to_authenticate(call, how) -> None:
    error = call.refused(
        "POST /v1/payment_intents",
        {
            "amount": 500,
            "currency": "usd",
            "confirm": True,
            "payment_method": "pm_card_authenticationRequired",
            how: True,
        },
    )
    assert (error["status"], error["code"]) == (402, "authentication_required")


def test_29_set_up_once(call) -> None:
    customer = call("POST /v1/customers")["id"]
    method = call("POST /v1/payment_methods/pm_card_authenticationRequiredOnSetup/attach", customer=customer)[
        "id"
    ]
    assert call.intent(method=method, customer=customer, off_session=True)["status"] == "succeeded"
    assert call.intent(method="pm_card_authenticationRequiredOnSetup")["status"] == "requires_action"


def test_29_declined_after_authentication(call) -> None:
    intent = call.intent(method="pm_card_threeDSecureRequiredChargeDeclined")
    assert intent["status"] == "requires_action"
    after = call(f"POST /v1/test_helpers/payment_intents/{intent['id']}/authenticate")
    assert (after["status"], after["last_payment_error"]["decline_code"]) == (
        "requires_payment_method",
        "generic_decline",
    )


def debit(call, iban: str) -> dict:
    data = {
        "amount": 5000, "currency": "eur", "confirm": True, "payment_method_data[type]": "sepa_debit",
        "payment_method_data[sepa_debit][iban]": iban,
        "payment_method_data[billing_details][name]": "Jenny",
        "payment_method_data[billing_details][email]": "jenny@example.com",
        "mandate_data[customer_acceptance][type]": "offline",
    }  # fmt: skip
    return call("POST /v1/payment_intents", data)


def test_30_debits_take_time(call, sandbox) -> None:
    good, bad = debit(call, "AT321904300235473204"), debit(call, "AT861904300235473202")
    assert (good["status"], bad["status"]) == ("processing", "processing")
    assert call.charge_of(good)["status"] == "pending"
    assert call("GET /v1/balance_transactions")["data"] == []
    sandbox.advance(300)
    assert call(f"GET /v1/payment_intents/{good['id']}")["status"] == "succeeded"
    failed = call(f"GET /v1/payment_intents/{bad['id']}")
    assert (failed["status"], failed["last_payment_error"]["payment_method"]["type"]) == (
        "requires_payment_method",
        "sepa_debit",
    )
    entry = call("GET /v1/balance_transactions")["data"][0]
    assert (entry["type"], entry["source"][:3], entry["currency"]) == ("payment", "py_", "eur")


def test_30_a_debit_settled_by_hand(call) -> None:
    intent = debit(call, "DE89370400440532013000")
    failed = call(f"POST /v1/test_helpers/payment_intents/{intent['id']}/settle", outcome="fail")
    assert failed["status"] == "requires_payment_method"
    assert (
        call.refused(
            "POST /v1/payment_intents",
            {"amount": 500, "currency": "eur", "payment_method_data[type]": "sepa_debit"},
        )["code"]
        == "parameter_missing"
    )


@pytest.mark.parametrize(("given", "captured"), [(None, 2000), (1500, 1500), (2000, 2000), (1, 1)])
def test_31_capture(call, given, captured) -> None:
    intent = call.intent(2000, capture_method="manual", method="pm_card_bypassPending")
    done = call(f"POST /v1/payment_intents/{intent['id']}/capture", amount_to_capture=given)
    assert (done["status"], done["amount_received"], done["amount_capturable"]) == ("succeeded", captured, 0)
    entries = call.every("/v1/balance_transactions")
    assert sum(each["amount"] for each in entries) == captured
    assert [each["reporting_category"] for each in entries] == (
        ["charge"] if captured == 2000 else ["partial_capture_reversal", "charge"]
    )
    assert sum(each["fee"] for each in entries) == (captured * 29 + 500) // 1000 + 30
    assert call.charge_of(done)["amount_captured"] == captured
    assert (
        call.refused(f"POST /v1/payment_intents/{intent['id']}/capture")["code"]
        == "payment_intent_unexpected_state"
    )


def test_31_too_much_and_too_early(call) -> None:
    intent = call.intent(2000, capture_method="manual")
    assert (
        call.refused(f"POST /v1/payment_intents/{intent['id']}/capture", amount_to_capture=2001)["code"]
        == "amount_too_large"
    )
    assert (
        call.refused(f"POST /v1/payment_intents/{intent['id']}/capture", amount_to_capture=0)["param"]
        == "amount_to_capture"
    )
    other = call("POST /v1/payment_intents", amount=500, currency="usd")
    assert (
        call.refused(f"POST /v1/payment_intents/{other['id']}/capture")["code"]
        == "payment_intent_unexpected_state"
    )


def test_31_holds_expire(call, sandbox) -> None:
    intent = call.intent(2000, capture_method="manual")
    sandbox.advance(7 * DAY - 1)
    assert call(f"GET /v1/payment_intents/{intent['id']}")["status"] == "requires_capture"
    sandbox.advance(1)
    gone = call(f"GET /v1/payment_intents/{intent['id']}")
    assert (gone["status"], gone["cancellation_reason"], gone["amount_capturable"]) == (
        "canceled",
        "automatic",
        0,
    )
    assert call.types()[-2:] == ["charge.expired", "payment_intent.canceled"]


@pytest.mark.parametrize(
    "state", ["requires_payment_method", "requires_confirmation", "requires_action", "requires_capture"]
)
def test_32_cancel(call, state) -> None:
    intent = {
        "requires_payment_method": lambda: call("POST /v1/payment_intents", amount=500, currency="usd"),
        "requires_confirmation": lambda: call.intent(confirm=None),
        "requires_action": lambda: call.intent(method="pm_card_authenticationRequired"),
        "requires_capture": lambda: call.intent(capture_method="manual"),
    }[state]()
    assert intent["status"] == state
    gone = call(f"POST /v1/payment_intents/{intent['id']}/cancel", cancellation_reason="duplicate")
    assert (gone["status"], gone["cancellation_reason"], gone["canceled_at"]) == (
        "canceled",
        "duplicate",
        call.transport.now,
    )
    error = call.refused(f"POST /v1/payment_intents/{intent['id']}/cancel")
    assert (error["code"], error["payment_intent"]["status"]) == (
        "payment_intent_unexpected_state",
        "canceled",
    )


def test_32_too_late_to_cancel(call) -> None:
    intent = call.intent()
    assert (
        call.refused(f"POST /v1/payment_intents/{intent['id']}/cancel")["code"]
        == "payment_intent_unexpected_state"
    )
    assert (
        call.refused(f"POST /v1/payment_intents/{intent['id']}/cancel", cancellation_reason="bored")["param"]
        == "cancellation_reason"
    )


def test_33_update(call) -> None:
    customer = call("POST /v1/customers")["id"]
    intent = call("POST /v1/payment_intents", amount=500, currency="usd")
    path = f"POST /v1/payment_intents/{intent['id']}"
    changed = call(
        path,
        {
            "amount": 900,
            "currency": "eur",
            "customer": customer,
            "receipt_email": "a@b.co",
            "payment_method": "pm_card_visa",
        },
    )
    assert (changed["amount"], changed["currency"], changed["customer"], changed["status"]) == (
        900,
        "eur",
        customer,
        "requires_confirmation",
    )
    other = call("POST /v1/customers")["id"]
    assert call.refused(path, customer=other)["param"] == "customer"
    call(f"{path}/confirm")
    late = call(path, {"description": "late", "metadata[a]": "b"})
    assert (late["description"], late["metadata"]) == ("late", {"a": "b"})
    error = call.refused(path, amount=1000)
    assert (error["code"], error["param"]) == ("payment_intent_unexpected_state", "amount")


def test_34_templates_and_owners(call) -> None:
    first, second = call.intent(), call.intent()
    assert first["payment_method"] != second["payment_method"]
    customer = call("POST /v1/customers", payment_method="pm_card_visa")["id"]
    method = call(f"GET /v1/customers/{customer}/payment_methods")["data"][0]["id"]
    assert (
        call.refused("POST /v1/payment_intents", amount=500, currency="usd", payment_method=method)["param"]
        == "payment_method"
    )
    assert call.intent(method=method, customer=customer)["status"] == "succeeded"


@pytest.mark.parametrize(
    ("method", "brand", "last4"),
    [
        ("pm_card_visa", "visa", "4242"),
        ("pm_card_mastercard", "mastercard", "4444"),
        ("pm_card_amex", "amex", "8431"),
        ("pm_card_discover", "discover", "9424"),
        ("pm_card_visa_debit", "visa", "5556"),
    ],
)
def test_34_good_cards(call, method, brand, last4) -> None:
    card = call.charge_of(call.intent(method=method))["payment_method_details"]["card"]
    assert (card["brand"], card["last4"]) == (brand, last4)


def test_34_funds_at_once(call) -> None:
    call.intent(method="pm_card_bypassPending")
    assert (call.available(), call.pending()) == (1912, 0)


@pytest.mark.parametrize(
    ("method", "reason", "status"),
    [
        ("pm_card_createDispute", "fraudulent", "needs_response"),
        ("pm_card_createDisputeProductNotReceived", "product_not_received", "needs_response"),
        ("pm_card_createDisputeInquiry", "general", "warning_needs_response"),
    ],
)
def test_34_disputing_cards(call, method, reason, status) -> None:
    intent = call.intent(method=method)
    assert intent["status"] == "succeeded"
    assert call.charge_of(intent)["disputed"] is True
    dispute = call("GET /v1/disputes", payment_intent=intent["id"])["data"][0]
    assert (dispute["reason"], dispute["status"]) == (reason, status)


def test_attaching_a_card_that_declines(call) -> None:
    customer = call("POST /v1/customers")["id"]
    error = call.refused("POST /v1/payment_methods/pm_card_visa_chargeDeclined/attach", customer=customer)
    assert (error["status"], error["code"]) == (402, "card_declined")
    fails = call("POST /v1/payment_methods/pm_card_chargeCustomerFail/attach", customer=customer)["id"]
    assert (
        call.refused(
            "POST /v1/payment_intents",
            amount=500,
            currency="usd",
            customer=customer,
            payment_method=fails,
            confirm=True,
        )["status"]
        == 402
    )
    assert call(f"POST /v1/payment_methods/{fails}/detach")["customer"] is None


def test_payment_methods_of_numbers(call) -> None:
    method = call(
        "POST /v1/payment_methods",
        {"type": "card", "card[number]": "4000 0000 0000 9995", "card[exp_month]": 3, "card[exp_year]": 2031},
    )
    assert (method["card"]["exp_month"], method["card"]["last4"]) == (3, "9995")
    assert (
        call.refused(
            "POST /v1/payment_intents", amount=500, currency="usd", confirm=True, payment_method=method["id"]
        )["decline_code"]
        == "insufficient_funds"
    )
    wrong = {"type": "card", "card[number]": "4111111111111111", "card[exp_month]": 3, "card[exp_year]": 2031}
    assert call.refused("POST /v1/payment_methods", wrong)["code"] == "incorrect_number"


def test_methods_that_redirect(call) -> None:
    given = {
        "amount": 500,
        "currency": "eur",
        "payment_method_types[]": ["ideal"],
        "payment_method_data[type]": "ideal",
        "confirm": True,
    }
    assert call.refused("POST /v1/payment_intents", given)["param"] == "return_url"
    intent = call("POST /v1/payment_intents", {**given, "return_url": "https://example.com"})
    assert intent["next_action"]["type"] == "redirect_to_url"
    assert call(f"POST /v1/test_helpers/payment_intents/{intent['id']}/authenticate")["status"] == "succeeded"
    assert (
        call.refused("POST /v1/payment_intents", {**given, "currency": "usd"})["param"]
        == "payment_method_types"
    )


def test_58_connect_is_refused(call) -> None:
    basic = {"amount": 500, "currency": "usd"}
    assert (
        call.refused("POST /v1/payment_intents", {**basic, "on_behalf_of": "acct_1"})["param"]
        == "on_behalf_of"
    )
    assert (
        call.refused("POST /v1/payment_intents", {**basic, "transfer_data[destination]": "acct_1"})["param"]
        == "transfer_data[destination]"
    )
    assert (
        call.refused("POST /v1/payment_intents", {**basic, "application_fee_amount": 10})["param"]
        == "application_fee_amount"
    )


def test_saving_the_card(call) -> None:
    customer = call("POST /v1/customers")["id"]
    intent = call.intent(customer=customer, setup_future_usage="off_session")
    assert [each["id"] for each in call.every(f"/v1/customers/{customer}/payment_methods")] == [
        intent["payment_method"]
    ]


def test_charges_without_an_intent(call) -> None:
    charge = call(
        "POST /v1/charges", amount=2000, currency="usd", source="tok_visa", capture=False, description="old"
    )
    assert (charge["captured"], charge["payment_intent"]) == (False, None)
    done = call(f"POST /v1/charges/{charge['id']}/capture", amount=1000)
    assert done["amount_captured"] == 1000
    assert (
        call.refused("POST /v1/charges", amount=2000, currency="usd", source="tok_chargeDeclined")["status"]
        == 402
    )
    assert call(f"POST /v1/charges/{charge['id']}", {"metadata[a]": "b"})["metadata"] == {"a": "b"}
    assert call.refused(f"POST /v1/charges/{charge['id']}/capture")["code"] == "charge_already_captured"
