"""Refunds, the ledger, disputes, payouts. The numbers are those of the sandbox's specification."""

from __future__ import annotations

import pytest

from .conftest import DAY


def paid(call, amount: int = 2000, **params) -> dict:
    """An intent whose funds are available at once."""
    return call.intent(amount, method="pm_card_bypassPending", **params)


def test_35_refunds(call) -> None:
    intent = paid(call)
    paid(call)
    part = call(
        "POST /v1/refunds",
        {
            "charge": intent["latest_charge"],
            "amount": 500,
            "reason": "requested_by_customer",
            "metadata[a]": "b",
        },
    )
    assert (part["status"], part["amount"], part["reason"], part["payment_intent"]) == (
        "succeeded",
        500,
        "requested_by_customer",
        intent["id"],
    )
    over = call.refused("POST /v1/refunds", charge=intent["latest_charge"], amount=1501)
    assert (over["status"], over["param"]) == (400, "amount")
    rest = call("POST /v1/refunds", payment_intent=intent["id"])
    assert rest["amount"] == 1500
    charge = call.charge_of(intent)
    assert (charge["amount_refunded"], charge["refunded"]) == (2000, True)
    assert call.refused("POST /v1/refunds", charge=charge["id"])["code"] == "charge_already_refunded"


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"charge": "ch_1", "payment_intent": "pi_1"},
        {"currency": "usd", "charge": "ch_1"},
        {"origin": "customer_balance"},
    ],
)
def test_35_what_to_refund(call, params) -> None:
    assert call.refused("POST /v1/refunds", params)["status"] == 400


def test_35_what_cannot_be_refunded(call) -> None:
    held = call.intent(capture_method="manual")
    assert call.refused("POST /v1/refunds", payment_intent=held["id"])["status"] == 400
    assert call.refused("POST /v1/refunds", charge=held["latest_charge"])["status"] == 400
    disputed = call.intent(method="pm_card_createDispute")
    assert call.refused("POST /v1/refunds", payment_intent=disputed["id"])["code"] == "charge_disputed"
    new = call("POST /v1/payment_intents", amount=500, currency="usd")
    assert call.refused("POST /v1/refunds", payment_intent=new["id"])["param"] == "payment_intent"
    good = paid(call)
    assert call.refused("POST /v1/refunds", payment_intent=good["id"], amount=0)["param"] == "amount"
    assert call.refused("POST /v1/refunds", payment_intent=good["id"], reason="bored")["param"] == "reason"


def test_35_a_part_of_a_part(call) -> None:
    intent = call.intent(2000, capture_method="manual", method="pm_card_bypassPending")
    paid(call)
    call(f"POST /v1/payment_intents/{intent['id']}/capture", amount_to_capture=1500)
    assert call.refused("POST /v1/refunds", payment_intent=intent["id"], amount=1501)["param"] == "amount"
    (rest,) = call.every("/v1/refunds", payment_intent=intent["id"])
    assert (rest["amount"], rest["status"]) == (500, "succeeded")
    assert "charge.refunded" in call.types()
    assert call.charge_of(call(f"GET /v1/payment_intents/{intent['id']}"))["amount_refunded"] == 500
    assert call("POST /v1/refunds", payment_intent=intent["id"])["amount"] == 1500
    after = call.charge_of(call(f"GET /v1/payment_intents/{intent['id']}"))
    assert (after["amount_refunded"], after["refunded"]) == (2000, True)


def test_36_refunds_that_take_time_or_fail(call, sandbox) -> None:
    paid(call, 90000)
    slow = call("POST /v1/refunds", payment_intent=call.intent(method="pm_card_pendingRefund")["id"])
    fails = call("POST /v1/refunds", payment_intent=call.intent(method="pm_card_refundFail")["id"])
    assert (slow["status"], fails["status"]) == ("pending", "succeeded")
    sandbox.advance(DAY)
    assert call(f"GET /v1/refunds/{slow['id']}")["status"] == "succeeded"
    failed = call(f"GET /v1/refunds/{fails['id']}")
    assert (failed["status"], failed["failure_reason"]) == ("failed", "expired_or_canceled_card")
    entry = call(f"GET /v1/balance_transactions/{failed['failure_balance_transaction']}")
    assert (entry["amount"], entry["type"], entry["reporting_category"]) == (
        2000,
        "refund_failure",
        "refund_failure",
    )
    assert {"refund.failed", "refund.updated", "charge.refund.updated"} <= set(call.types())


def test_37_what_a_refund_does(call) -> None:
    intent = paid(call)
    paid(call)
    refund = call("POST /v1/refunds", payment_intent=intent["id"], amount=700)
    entry = call(f"GET /v1/balance_transactions/{refund['balance_transaction']}")
    assert (entry["amount"], entry["fee"], entry["type"], entry["source"]) == (
        -700,
        0,
        "refund",
        refund["id"],
    )
    assert call.available() == 2 * 1912 - 700
    changed = call(f"POST /v1/refunds/{refund['id']}", {"metadata[k]": "v"})
    assert changed["metadata"] == {"k": "v"}
    assert call.refused(f"POST /v1/refunds/{refund['id']}", amount=1)["code"] == "parameter_unknown"
    assert call.refused(f"POST /v1/refunds/{refund['id']}/cancel")["status"] == 400


def test_37_a_refund_of_a_fresh_account_succeeds_at_once(call) -> None:
    intent = call.intent()  # its funds are pending
    refund = call("POST /v1/refunds", payment_intent=intent["id"], amount=500)
    assert refund["status"] == "succeeded"
    assert call(f"GET /v1/balance_transactions/{refund['balance_transaction']}")["amount"] == -500
    assert call.available() == -500


def test_35_a_full_refund_releases_a_hold(call) -> None:
    charge = call("POST /v1/charges", amount=1000, currency="usd", source="tok_visa", capture=False)
    error = call.refused("POST /v1/refunds", charge=charge["id"], amount=400)
    assert (error["status"], error["param"]) == (400, "amount")
    assert "capture the charge for an amount less than the original amount" in error["message"]
    refund = call("POST /v1/refunds", charge=charge["id"])
    assert (refund["amount"], refund["status"], refund["balance_transaction"]) == (1000, "succeeded", None)
    after = call(f"GET /v1/charges/{charge['id']}")
    assert (after["refunded"], after["captured"], after["amount_refunded"]) == (True, False, 1000)
    assert call.refused("POST /v1/refunds", charge=charge["id"])["code"] == "charge_already_refunded"
    held = call.intent(1000, capture_method="manual")
    assert call.refused("POST /v1/refunds", payment_intent=held["id"])["status"] == 400
    assert call.refused("POST /v1/refunds", charge=held["latest_charge"])["status"] == 400


def test_38_the_balance(call) -> None:
    paid(call)
    call.intent(5000, currency="eur")
    balance = call("GET /v1/balance")
    assert balance["available"] == [
        {"amount": 0, "currency": "eur", "source_types": {"card": 0}},
        {"amount": 1912, "currency": "usd", "source_types": {"card": 1912}},
    ]  # fmt: skip
    assert [each["amount"] for each in balance["pending"]] == [5000 - 175, 0]
    assert balance["instant_available"][1]["amount"] == 1912
    assert call("GET /v1/balance", {"expand[]": "instant_available.net_available"})["object"] == "balance"


@pytest.mark.parametrize(
    ("amount", "fee"), [(10000, 320), (5000, 175), (3000, 117), (50, 31), (1017, 59), (1018, 60)]
)
def test_40_fees(call, amount, fee) -> None:
    call.intent(amount)
    entry = call("GET /v1/balance_transactions")["data"][0]
    assert (entry["fee"], entry["net"]) == (fee, amount - fee)
    assert entry["fee_details"] == [
        {
            "amount": fee,
            "application": None,
            "currency": "usd",
            "description": "Stripe processing fees",
            "type": "stripe_fee",
        }
    ]


def test_40_two_business_days(call, sandbox) -> None:
    sandbox.advance(4 * DAY)  # to a Friday
    call.intent()
    entry = call("GET /v1/balance_transactions")["data"][0]
    # midnight before Tuesday
    assert (entry["status"], (entry["available_on"] - sandbox.now) // DAY) == ("pending", 3)
    sandbox.advance(entry["available_on"] - sandbox.now)
    assert call(f"GET /v1/balance_transactions/{entry['id']}")["status"] == "available"
    assert call.available() == 1912
    assert "balance.available" in call.types()


def test_41_types(call, sandbox) -> None:
    paid(call, 50000)
    call("POST /v1/refunds", payment_intent=paid(call)["id"])
    call.intent(method="pm_card_createDispute")
    payout = call("POST /v1/payouts", amount=1000, currency="usd")
    call(f"POST /v1/payouts/{payout['id']}/cancel")
    second = call("POST /v1/payouts", amount=1000, currency="usd")
    call(f"POST /v1/test_helpers/payouts/{second['id']}/fail")
    found = {(each["type"], each["reporting_category"]) for each in call.every("/v1/balance_transactions")}
    assert found == {
        ("charge", "charge"), ("refund", "refund"), ("adjustment", "dispute"), ("payout", "payout"),
        ("payout_cancel", "payout_reversal"),
        ("payout_failure", "payout_reversal"),
    }  # fmt: skip


def dispute_of(call, intent) -> dict:
    return call("GET /v1/disputes", payment_intent=intent["id"])["data"][0]


def test_42_a_dispute_won(call) -> None:
    intent = call.intent(method="pm_card_createDispute")
    dispute = dispute_of(call, intent)
    taken = call.every("/v1/balance_transactions", type="adjustment")
    assert [(each["amount"], each["fee"], each["net"]) for each in taken] == [(-2000, 1500, -3500)]
    assert call.available() == -3500
    won = call(f"POST /v1/disputes/{dispute['id']}", {"evidence[uncategorized_text]": "winning_evidence"})
    assert won["status"] == "won"
    assert call.available() == -1500
    assert [each["reporting_category"] for each in won["balance_transactions"]] == [
        "dispute",
        "dispute_reversal",
    ]
    assert "charge.dispute.funds_reinstated" in call.types()


def test_42_a_dispute_lost(call, sandbox) -> None:
    silent = dispute_of(call, call.intent(method="pm_card_createDispute"))
    given_up = dispute_of(call, call.intent(method="pm_card_createDispute"))
    assert call(f"POST /v1/disputes/{given_up['id']}/close")["status"] == "lost"
    reviewed = dispute_of(call, call.intent(method="pm_card_createDispute"))
    assert (
        call(f"POST /v1/disputes/{reviewed['id']}", {"evidence[customer_name]": "J"})["status"]
        == "under_review"
    )
    assert call(f"POST /v1/test_helpers/disputes/{reviewed['id']}/decide", outcome="lost")["status"] == "lost"
    sandbox.advance(10 * DAY)
    assert call(f"GET /v1/disputes/{silent['id']}")["status"] == "lost"
    assert call.refused(f"POST /v1/disputes/{silent['id']}/close")["status"] == 400


def test_42_an_inquiry_moves_no_money(call, sandbox) -> None:
    intent = call.intent(method="pm_card_createDisputeInquiry")
    assert call.available() == 0
    assert call("POST /v1/refunds", payment_intent=intent["id"], amount=100)["status"] == "succeeded"
    assert call.available() == -100
    sandbox.advance(121 * DAY)
    assert dispute_of(call, intent)["status"] == "warning_closed"


def test_42_past_due_is_said_of_what_was_submitted_late(call, sandbox) -> None:
    silent, early, late, inquiry = (
        dispute_of(call, call.intent(method=f"pm_card_createDispute{kind}"))
        for kind in ("", "", "Inquiry", "Inquiry")
    )
    call(f"POST /v1/disputes/{early['id']}", {"evidence[customer_name]": "J"})
    sandbox.advance(silent["evidence_details"]["due_by"] - sandbox.now + 60)
    answered = call(f"POST /v1/disputes/{late['id']}", {"evidence[customer_name]": "J"})
    assert (answered["status"], answered["evidence_details"]["past_due"]) == ("warning_under_review", True)
    sandbox.advance(130 * 86400)
    ended = {each["id"]: each for each in call.every("/v1/disputes")}
    shown = [
        (ended[each["id"]]["status"], ended[each["id"]]["evidence_details"]["past_due"])
        for each in (silent, early, late, inquiry)
    ]
    assert shown == [("lost", False), ("won", False), ("warning_closed", True), ("warning_closed", False)]


def test_42_a_dispute_by_hand(call) -> None:
    intent = paid(call)
    dispute = call(
        f"POST /v1/test_helpers/charges/{intent['latest_charge']}/dispute", reason="product_not_received"
    )
    assert dispute["reason"] == "product_not_received"
    assert call.refused(f"POST /v1/test_helpers/charges/{intent['latest_charge']}/dispute")["status"] == 400


def test_43_the_members_of_an_automatic_payout(call, sandbox) -> None:
    for amount in (2000, 3000, 4000):
        call.intent(amount)
    sandbox.advance(5 * DAY)
    payout = call("GET /v1/payouts")["data"][0]
    assert (payout["automatic"], payout["reconciliation_status"], payout["status"]) == (
        True,
        "completed",
        "paid",
    )
    members = call.every("/v1/balance_transactions", payout=payout["id"])
    assert len(members) == 4
    assert sum(each["net"] for each in members if each["type"] != "payout") == payout["amount"]
    assert (
        call("GET /v1/balance_transactions", payout=payout["id"], type="payout")["data"][0]["net"]
        == -payout["amount"]
    )
    assert call.available() == 0


def test_43_a_manual_payout_has_no_members(call) -> None:
    paid(call)
    payout = call("POST /v1/payouts", amount=500, currency="usd")
    assert call.refused("GET /v1/balance_transactions", payout=payout["id"])["param"] == "payout"
    assert payout["reconciliation_status"] == "not_applicable"


def test_44_a_payouts_way(call, sandbox) -> None:
    paid(call)
    payout = call(
        "POST /v1/payouts",
        {
            "amount": 500,
            "currency": "USD",
            "description": "d",
            "metadata[a]": "b",
            "statement_descriptor": "PAY",
        },
    )
    assert (payout["status"], payout["automatic"], payout["method"], payout["currency"]) == (
        "pending",
        False,
        "standard",
        "usd",
    )
    sandbox.advance(DAY)
    assert call(f"GET /v1/payouts/{payout['id']}")["status"] == "in_transit"
    sandbox.advance(DAY)
    assert call(f"GET /v1/payouts/{payout['id']}")["status"] == "paid"
    late = call(f"POST /v1/test_helpers/payouts/{payout['id']}/fail", failure_code="account_closed")
    assert (late["status"], late["failure_code"]) == ("failed", "account_closed")
    story = [
        event["type"]
        for event in call.every("/v1/events", type="payout.*")
        if event["data"]["object"]["id"] == payout["id"]
    ]
    assert story == ["payout.failed", "payout.paid", "payout.updated", "payout.created"]


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        ({"amount": 1913, "currency": "usd"}, "balance_insufficient", "amount"),
        ({"amount": 100, "currency": "eur"}, "balance_insufficient", "amount"),
        ({"amount": 100, "currency": "jpy"}, None, "currency"),
        ({"amount": 0, "currency": "usd"}, "parameter_invalid_integer", "amount"),
        ({"amount": 100, "currency": "usd", "method": "instant"}, "instant_payouts_unsupported", "method"),
        ({"amount": 100, "currency": "usd", "source_type": "bank_account"}, "balance_insufficient", "amount"),
        ({"amount": 100, "currency": "usd", "source_type": "alipay_account"}, None, "source_type"),
        ({"amount": 100, "currency": "usd", "destination": "ba_x"}, "resource_missing", "destination"),
        ({"currency": "usd"}, "parameter_missing", "amount"),
    ],
)
def test_45_payouts_that_are_refused(call, params, code, param) -> None:
    paid(call)
    call.intent(100000)  # pending funds don't count
    error = call.refused("POST /v1/payouts", params)
    assert (error["status"], error.get("code"), error["param"]) == (400, code, param)


def test_45_what_a_payout_does(call, sandbox) -> None:
    paid(call)
    payout = call("POST /v1/payouts", amount=1912, currency="usd")
    assert call.available() == 0
    assert call(f"GET /v1/balance_transactions/{payout['balance_transaction']}")["amount"] == -1912
    assert payout["arrival_date"] % DAY == 0
    assert payout["arrival_date"] > sandbox.now


def test_45_at_once_to_a_debit_card(call, sandbox) -> None:
    paid(call)
    me = call("GET /v1/account")["id"]
    number = {"object": "card", "number": "4000056655665556", "exp_month": 1, "exp_year": 2030}
    card = call(
        f"POST /v1/accounts/{me}/external_accounts",
        {f"external_account[{name}]": value for name, value in number.items()},
    )
    payout = call("POST /v1/payouts", amount=500, currency="usd", method="instant", destination=card["id"])
    assert (payout["method"], payout["type"]) == ("instant", "card")
    sandbox.advance(3600)
    assert call(f"GET /v1/payouts/{payout['id']}")["status"] == "paid"


def test_46_cancel(call, sandbox) -> None:
    paid(call)
    payout = call("POST /v1/payouts", amount=500, currency="usd")
    gone = call(f"POST /v1/payouts/{payout['id']}/cancel")
    entry = call(f"GET /v1/balance_transactions/{gone['failure_balance_transaction']}")
    assert (gone["status"], entry["type"], entry["amount"]) == ("canceled", "payout_cancel", 500)
    assert call.available() == 1912
    assert call.refused(f"POST /v1/payouts/{payout['id']}/cancel")["status"] == 400
    sandbox.advance(DAY)
    automatic = next(each for each in call.every("/v1/payouts") if each["automatic"])
    assert call.refused(f"POST /v1/payouts/{automatic['id']}/cancel")["status"] == 400


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("000123456789", None), ("000111111116", "no_account"), ("000111111113", "account_closed"),
        ("000222222227", "insufficient_funds"),
        ("000333333335", "debit_not_authorized"), ("000444444440", "invalid_currency"),
    ],
)  # fmt: skip
def test_47_test_bank_numbers(call, sandbox, number, code) -> None:
    paid(call)
    me = call("GET /v1/account")["id"]
    bank = call(
        f"POST /v1/accounts/{me}/external_accounts",
        {
            "external_account[object]": "bank_account", "external_account[country]": "US",
            "external_account[currency]": "usd", "external_account[routing_number]": "110000000",
            "external_account[account_number]": number, "default_for_currency": True,
        },
    )  # fmt: skip
    payout = call("POST /v1/payouts", amount=500, currency="usd")
    assert payout["destination"] == bank["id"]
    sandbox.advance(3 * DAY)
    after = call(f"GET /v1/payouts/{payout['id']}")
    assert (after["status"], after["failure_code"]) == ("paid" if code is None else "failed", code)
    if code:
        entry = call(f"GET /v1/balance_transactions/{after['failure_balance_transaction']}")
        assert (entry["type"], entry["amount"]) == ("payout_failure", 500)


def test_47_a_failed_automatic_payout_is_paid_again(call, sandbox) -> None:
    paid(call)
    me = call("GET /v1/account")["id"]
    sandbox.advance(DAY)
    first = call("GET /v1/payouts")["data"][0]
    call(f"POST /v1/test_helpers/payouts/{first['id']}/fail")
    sandbox.advance(2 * DAY)
    second = call("GET /v1/payouts")["data"][0]
    assert (second["amount"], second["id"] != first["id"]) == (1912, True)
    members = call.every("/v1/balance_transactions", payout=second["id"])
    assert {each["type"] for each in members} == {"payout", "payout_failure"}
    assert me.startswith("acct_")


def test_48_update(call) -> None:
    paid(call)
    payout = call("POST /v1/payouts", amount=500, currency="usd")
    assert call(f"POST /v1/payouts/{payout['id']}", {"metadata[a]": "b"})["metadata"] == {"a": "b"}
    assert call.refused(f"POST /v1/payouts/{payout['id']}", amount=1)["code"] == "parameter_unknown"


def test_payouts_can_be_manual(call, sandbox) -> None:
    me = call("GET /v1/account")["id"]
    changed = call(f"POST /v1/accounts/{me}", {"settings[payouts][schedule][interval]": "manual"})
    assert changed["settings"]["payouts"]["schedule"] == {"delay_days": 2, "interval": "manual"}
    call.intent()
    sandbox.advance(5 * DAY)
    assert (call.available(), call("GET /v1/payouts")["data"]) == (1912, [])
