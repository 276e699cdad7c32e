"""Cash balances: what comes in by bank transfer, what it pays, what goes back; each cent stands somewhere."""

from __future__ import annotations

import random
from typing import Any

import pytest

from stripe_magics.sandbox import SandboxTransport
from stripe_magics.sandbox.api.versions import NEWER

from .conftest import DAY, Talk

BY_TRANSFER = {
    "payment_method_types[]": "customer_balance", "payment_method_data[type]": "customer_balance",
    "payment_method_options[customer_balance][funding_type]": "bank_transfer",
    "payment_method_options[customer_balance][bank_transfer][type]": "us_bank_transfer",
}  # fmt: skip


@pytest.fixture
def call() -> Talk:
    return Talk(SandboxTransport(demo=False))


def customer(call: Talk, **given: Any) -> str:
    return str(call("POST /v1/customers", name="A", email="a@example.com", **given)["id"])


def intent(call: Talk, who: str, amount: int, **given: Any) -> dict[str, Any]:
    params = {"amount": amount, "currency": "usd", "customer": who, "confirm": True, **BY_TRANSFER, **given}
    return call("POST /v1/payment_intents", params)


def funds(call: Talk, who: str, amount: int, **given: Any) -> dict[str, Any]:
    return call(
        f"POST /v1/test_helpers/customers/{who}/fund_cash_balance",
        {"amount": amount, "currency": "usd", **given},
    )


def sent(call: Talk, who: str, amount: int) -> dict[str, Any]:
    made = call("POST /v1/invoices", customer=who, collection_method="send_invoice", days_until_due=30)["id"]
    call("POST /v1/invoiceitems", customer=who, invoice=made, amount=amount, currency="usd")
    return call(f"POST /v1/invoices/{made}/finalize")


def balance(call: Talk, who: str) -> int:
    found = call(f"GET /v1/customers/{who}/cash_balance")["available"]
    return int((found or {}).get("usd", 0))


def moves(call: Talk, who: str) -> list[tuple[str, int, int]]:
    """The transactions, oldest first: type, amount, balance after it."""
    listed = call(f"GET /v1/customers/{who}/cash_balance_transactions", limit=100)["data"]
    return [(each["type"], each["net_amount"], each["ending_balance"]) for each in listed][::-1]


def kinds(call: Talk) -> list[str]:
    return [each["type"] for each in call("GET /v1/events", limit=100)["data"]][::-1]


def test_intent_waits_is_funded_in_part_and_then_paid(call) -> None:
    who = customer(call)
    made = intent(call, who, 5000)
    asked = made["next_action"]["display_bank_transfer_instructions"]
    assert made["status"] == "requires_action"
    assert made["next_action"]["type"] == "display_bank_transfer_instructions"
    assert (asked["amount_remaining"], asked["currency"], asked["type"]) == (5000, "usd", "us_bank_transfer")
    assert [each["type"] for each in asked["financial_addresses"]] == ["aba", "swift"]
    got = funds(call, who, 2000)
    assert (got["type"], got["net_amount"], got["ending_balance"]) == ("funded", 2000, 2000)
    part = call(f"GET /v1/payment_intents/{made['id']}")
    assert part["status"] == "requires_action"
    assert part["next_action"]["display_bank_transfer_instructions"]["amount_remaining"] == 3000
    assert "payment_intent.partially_funded" in kinds(call)
    assert call("GET /v1/balance")["pending"][0]["amount"] == 0  # not the account's yet
    funds(call, who, 4000)
    paid = call(f"GET /v1/payment_intents/{made['id']}", {"expand[]": "latest_charge.balance_transaction"})
    assert (paid["status"], paid["amount_received"], paid["next_action"]) == ("succeeded", 5000, None)
    charge = paid["latest_charge"]
    assert charge["payment_method_details"] == {"customer_balance": {}, "type": "customer_balance"}
    assert (charge["balance_transaction"]["type"], charge["balance_transaction"]["amount"]) == (
        "payment",
        5000,
    )
    assert moves(call, who) == [
        ("funded", 2000, 2000), ("applied_to_payment", -2000, 0), ("funded", 4000, 4000),
        ("applied_to_payment", -3000, 1000),
    ]  # fmt: skip
    assert kinds(call).count("customer_cash_balance_transaction.created") == 4
    assert kinds(call).count("cash_balance.funds_available") == 1  # what was left over


def test_balance_pays_at_once_or_is_not_enough(call) -> None:
    who = customer(call)
    given = {"payment_method_types[]": "customer_balance", "payment_method_data[type]": "customer_balance"}
    params = {"amount": 5000, "currency": "usd", "customer": who, "confirm": True, **given}
    error = call.refused("POST /v1/payment_intents", params)
    assert (error["status"], error["type"], error["code"]) == (402, "card_error", "insufficient_funds")
    assert error["payment_intent"]["status"] == "requires_payment_method"
    funds(call, who, 6000)
    assert balance(call, who) == 6000  # the intent failed: it doesn't wait
    assert call("POST /v1/payment_intents", params)["status"] == "succeeded"
    assert balance(call, who) == 1000


@pytest.mark.parametrize(
    ("given", "param", "code"),
    [
        ({"customer": None}, "customer", "parameter_missing"),
        ({"capture_method": "manual"}, "capture_method", "payment_intent_invalid_parameter"),
        ({"currency": "chf"}, "currency", None),
        (
            {"payment_method_options[customer_balance][bank_transfer][type]": "gb_bank_transfer"},
            "payment_method_options[customer_balance][bank_transfer][type]",
            None,
        ),
        (
            {"payment_method_options[customer_balance][funding_type]": None},
            "payment_method_options[customer_balance][funding_type]",
            "parameter_missing",
        ),
        (
            {
                "currency": "eur",
                "payment_method_options[customer_balance][bank_transfer][type]": "eu_bank_transfer",
            },
            "payment_method_options[customer_balance][bank_transfer][eu_bank_transfer][country]",
            "parameter_missing",
        ),
    ],
)
def test_what_cannot_be_paid_this_way(call, given, param, code) -> None:
    who = customer(call)
    params = {"amount": 5000, "currency": "usd", "customer": who, "confirm": True, **BY_TRANSFER, **given}
    error = call.refused("POST /v1/payment_intents", params)
    assert (error["status"], error["param"], error.get("code")) == (400, param, code)


def test_what_a_transfer_pays_first(call) -> None:
    """What its reference names; else a group that needs just that; else the oldest, the last one in part."""
    who = customer(call)
    first, second, third = (intent(call, who, amount) for amount in (1000, 2000, 3000))

    def left() -> list[int]:
        found = []
        for each in (first, second, third):
            now = call(f"GET /v1/payment_intents/{each['id']}")
            shown = now["next_action"] or {"display_bank_transfer_instructions": {"amount_remaining": 0}}
            found.append(shown["display_bank_transfer_instructions"]["amount_remaining"])
        return found

    code = third["next_action"]["display_bank_transfer_instructions"]["reference"]
    funds(call, who, 500, reference=f"for {code.lower()}, thanks")
    assert left() == [1000, 2000, 2500]
    funds(call, who, 3500)  # the first and the third
    assert left() == [0, 2000, 0]
    fourth = intent(call, who, 700)
    funds(call, who, 2100)
    assert left() == [0, 0, 0]
    shown = call(f"GET /v1/payment_intents/{fourth['id']}")["next_action"]
    assert shown["display_bank_transfer_instructions"]["amount_remaining"] == 600


def test_invoices_are_paid_before_intents_and_by_their_number(call) -> None:
    who = customer(call)
    waiting = intent(call, who, 900)
    one, two = sent(call, who, 1000), sent(call, who, 1000)
    funds(call, who, 1000, reference=two["number"])
    assert call(f"GET /v1/invoices/{one['id']}")["status"] == "open"
    paid = call(f"GET /v1/invoices/{two['id']}")
    assert (paid["status"], paid["amount_paid"], paid["amount_remaining"]) == ("paid", 1000, 0)
    assert paid["charge"].startswith("py_")
    funds(call, who, 1100)
    assert call(f"GET /v1/invoices/{one['id']}")["status"] == "paid"
    assert call(f"GET /v1/payment_intents/{waiting['id']}")["status"] == "requires_action"
    funds(call, who, 1800)  # 800 for the intent; the rest waits for the next invoice
    assert balance(call, who) == 1000
    assert sent(call, who, 400)["status"] == "paid"
    assert balance(call, who) == 600


def test_invoices_that_cards_pay_are_left_alone(call) -> None:
    who = customer(call)
    made = call("POST /v1/invoices", customer=who)["id"]
    call("POST /v1/invoiceitems", customer=who, invoice=made, amount=1000, currency="usd")
    call(f"POST /v1/invoices/{made}/finalize")
    overdue = sent(call, who, 700)["id"]
    call.transport.advance(61 * DAY)  # a month overdue
    funds(call, who, 5000)
    assert call(f"GET /v1/invoices/{made}")["status"] == "open"
    assert call(f"GET /v1/invoices/{overdue}")["status"] == "open"
    assert balance(call, who) == 5000
    due = call(f"GET /v1/invoices/{overdue}")["payment_intent"]
    assert call(f"POST /v1/payment_intents/{due}/apply_customer_balance")["status"] == "succeeded"
    assert call(f"GET /v1/invoices/{overdue}")["status"] == "paid"


def test_invoice_says_how_the_transfer_comes(call) -> None:
    who = customer(call)
    where = "payment_settings[payment_method_options][customer_balance]"
    params = {
        "customer": who, "collection_method": "send_invoice", "days_until_due": 5, "currency": "eur",
        "payment_settings[payment_method_types][]": "customer_balance",
        f"{where}[funding_type]": "bank_transfer", f"{where}[bank_transfer][type]": "us_bank_transfer",
    }  # fmt: skip
    error = call.refused("POST /v1/invoices", params)
    assert error["param"] == f"{where}[bank_transfer][type]"
    params |= {
        f"{where}[bank_transfer][type]": "eu_bank_transfer",
        f"{where}[bank_transfer][eu_bank_transfer][country]": "NL",
    }
    made = call("POST /v1/invoices", params)["id"]
    call("POST /v1/invoiceitems", customer=who, invoice=made, amount=1000, currency="eur")
    final = call(f"POST /v1/invoices/{made}/finalize")
    funds(call, who, 400, currency="eur")
    shown = call(f"GET /v1/payment_intents/{final['payment_intent']}")["next_action"]
    asked = shown["display_bank_transfer_instructions"]
    assert asked["financial_addresses"][0]["iban"]["country"] == "NL"
    assert asked["amount_remaining"] == 600


def test_by_hand(call) -> None:
    who = customer(call)
    call(f"POST /v1/customers/{who}/cash_balance", {"settings[reconciliation_mode]": "manual"})
    shown = call(f"GET /v1/customers/{who}", {"expand[]": "cash_balance"})["cash_balance"]
    assert shown["settings"] == {"reconciliation_mode": "manual", "using_merchant_default": False}
    made = intent(call, who, 5000)["id"]
    funds(call, who, 4000)
    assert balance(call, who) == 4000
    assert "cash_balance.funds_available" in kinds(call)
    path = f"POST /v1/payment_intents/{made}/apply_customer_balance"
    for params, param, code in [
        ({}, "amount", "insufficient_funds"), ({"amount": 5001}, "amount", "amount_too_large"),
        ({"amount": 0}, "amount", "parameter_invalid_integer"), ({"currency": "eur"}, "currency", None),
    ]:  # fmt: skip
        error = call.refused(path, params)
        assert (error["status"], error["param"], error.get("code")) == (400, param, code)
    assert call(path, amount=1500, currency="usd")["status"] == "requires_action"
    assert balance(call, who) == 2500
    funds(call, who, 1000)
    assert call(path)["status"] == "succeeded"
    error = call.refused(path)
    assert (error["code"], error["payment_intent"]["id"]) == ("payment_intent_unexpected_state", made)
    other = intent(call, who, 600)["id"]
    funds(call, who, 900)
    call(f"POST /v1/customers/{who}", {"cash_balance[settings][reconciliation_mode]": "merchant_default"})
    assert call(f"GET /v1/payment_intents/{other}")["status"] == "succeeded"
    assert balance(call, who) == 300


def test_canceled_and_otherwise_paid_intents_keep_no_money(call) -> None:
    who = customer(call)
    made = intent(call, who, 5000)["id"]
    funds(call, who, 2000)
    error = call.refused(f"POST /v1/payment_intents/{made}", amount=1500)
    assert (error["param"], error["code"]) == ("amount", "payment_intent_unexpected_state")
    call(f"POST /v1/payment_intents/{made}/cancel")
    assert moves(call, who)[-1] == ("unapplied_from_payment", 2000, 2000)
    final = sent(call, who, 3000)
    assert balance(call, who) == 0
    card = call("POST /v1/payment_methods/pm_card_visa/attach", customer=who)["id"]
    assert call(f"POST /v1/invoices/{final['id']}/pay", payment_method=card)["status"] == "paid"
    assert balance(call, who) == 2000
    third = sent(call, who, 2500)
    assert balance(call, who) == 0
    assert call(f"POST /v1/invoices/{third['id']}/void")["status"] == "void"
    assert balance(call, who) == 2000
    fourth = sent(call, who, 2500)
    call(f"POST /v1/invoices/{fourth['id']}/pay", paid_out_of_band=True)
    assert balance(call, who) == 2000


def test_payer_does_not_authenticate_a_transfer(call) -> None:
    made = intent(call, customer(call), 5000)["id"]
    error = call.refused(f"POST /v1/test_helpers/payment_intents/{made}/authenticate")
    assert "waits for a bank transfer" in error["message"]


def test_refund_of_a_transfer(call) -> None:
    """The customer is asked where to; without an answer it is theirs in the cash balance."""
    who = customer(call)
    made = intent(call, who, 5000)["id"]
    funds(call, who, 5000)
    refund = call("POST /v1/refunds", payment_intent=made, amount=2000)
    assert refund["status"] == "requires_action"
    sent_to = refund["next_action"]["display_details"]["email_sent"]["email_sent_to"]
    assert sent_to == refund["instructions_email"] == "a@example.com"
    assert refund["destination_details"]["type"] == "us_bank_transfer"
    assert call(f"GET /v1/balance_transactions/{refund['balance_transaction']}")["amount"] == -2000
    call.transport.advance(45 * DAY + 1)
    gone = call(f"GET /v1/refunds/{refund['id']}")
    assert (gone["status"], gone.get("next_action")) == ("canceled", None)
    assert moves(call, who)[-1] == ("refunded_from_payment", 2000, 2000)
    other = call("POST /v1/refunds", payment_intent=made, amount=1000, instructions_email="b@example.com")
    assert other["instructions_email"] == "b@example.com"
    assert call(f"POST /v1/test_helpers/refunds/{other['id']}/succeed")["status"] == "succeeded"
    last = call("POST /v1/refunds", payment_intent=made)
    assert last["amount"] == 2000
    assert call(f"POST /v1/test_helpers/refunds/{last['id']}/expire")["status"] == "canceled"
    error = call.refused(f"POST /v1/refunds/{last['id']}/cancel")
    assert error["status"] == 400
    assert balance(call, who) == 4000
    call(f"POST /v1/customers/{who}", email="")
    again = intent(call, who, 500)["id"]
    error = call.refused("POST /v1/refunds", payment_intent=again)
    assert error["param"] == "instructions_email"


def test_refund_out_of_the_balance(call) -> None:
    who = customer(call)
    funds(call, who, 3000)
    params = {"origin": "customer_balance", "customer": who, "currency": "usd"}
    error = call.refused("POST /v1/refunds", {**params, "amount": 3001})
    assert (error["param"], error["code"]) == ("amount", "insufficient_funds")
    refund = call("POST /v1/refunds", {**params, "amount": 1000})
    assert (refund["charge"], refund["payment_intent"], refund["status"]) == (None, None, "requires_action")
    assert moves(call, who)[-1] == ("return_initiated", -1000, 2000)
    assert call(f"POST /v1/refunds/{refund['id']}/cancel")["status"] == "canceled"
    assert moves(call, who)[-1] == ("return_canceled", 1000, 3000)
    other = call("POST /v1/refunds", {**params, "amount": 500})
    call(f"POST /v1/test_helpers/refunds/{other['id']}/succeed")
    assert balance(call, who) == 2500
    assert call("GET /v1/balance_transactions")["data"] == []


def test_transfers_that_are_called_back_or_that_nothing_reconciles(call) -> None:
    who = customer(call)
    first = funds(call, who, 3000)
    intent(call, who, 2000)
    back = f"POST /v1/test_helpers/customers/{who}/reverse_cash_funding"
    call(back, transaction=first["id"])
    assert moves(call, who)[-2:] == [("funding_reversed", -3000, -2000), ("adjusted_for_overdraft", 2000, 0)]
    short = call(f"GET /v1/customers/{who}/cash_balance_transactions", limit=1)["data"][0]
    entry = short["adjusted_for_overdraft"]["balance_transaction"]
    assert call(f"GET /v1/balance_transactions/{entry}")["amount"] == -2000
    assert call.refused(back, transaction=first["id"])["param"] == "transaction"
    funds(call, who, 700)
    moved = call(f"POST /v1/test_helpers/customers/{who}/transfer_cash_balance", currency="usd")
    assert (moved["type"], moved["net_amount"], balance(call, who)) == ("transferred_to_balance", -700, 0)
    entry = moved["transferred_to_balance"]["balance_transaction"]
    assert call(f"GET /v1/balance_transactions/{entry}")["type"] == "payment_unreconciled"


def test_customers_with_a_cash_balance_stay(call) -> None:
    who = customer(call)
    funds(call, who, 100)
    assert call.refused(f"DELETE /v1/customers/{who}")["status"] == 400
    other = customer(call)
    own = call(f"GET /v1/customers/{who}/cash_balance_transactions")["data"][0]["id"]
    error = call.refused(f"GET /v1/customers/{other}/cash_balance_transactions/{own}")
    assert (error["status"], error["code"], error["param"]) == (404, "resource_missing", "transaction")


def test_newer_version_has_its_fields(call) -> None:
    who = customer(call)
    funds(call, who, 100)
    headers = {"Stripe-Version": NEWER}
    for path in ("cash_balance", "cash_balance_transactions"):
        answer = call.raw(f"GET /v1/customers/{who}/{path}", headers=headers).json()
        assert (answer["data"][0] if "data" in answer else answer)["customer_account"] is None


def test_funding_instructions_are_the_customers_own(call) -> None:
    who, other = customer(call), customer(call)
    params = {"currency": "gbp", "funding_type": "bank_transfer", "bank_transfer[type]": "gb_bank_transfer"}
    shown = [call(f"POST /v1/customers/{each}/funding_instructions", params) for each in (who, other, who)]
    numbers = [
        each["bank_transfer"]["financial_addresses"][0]["sort_code"]["account_number"] for each in shown
    ]
    assert numbers[0] == numbers[2] != numbers[1]
    error = call.refused(f"POST /v1/customers/{who}/funding_instructions", {**params, "currency": "usd"})
    assert error["param"] == "bank_transfer[type]"


@pytest.mark.parametrize("seed", range(4))
def test_every_cent_stands_somewhere(seed) -> None:
    """Random lives: what came in is in the balance, in payments, on its way back, or with the account."""
    draw = random.Random(seed)
    call = Talk(SandboxTransport(demo=False))
    who = customer(call)
    open_: list[str] = []
    came = 0
    for _ in range(60):
        step = draw.choice(
            ["fund", "fund", "intent", "invoice", "cancel", "refund", "return", "mode", "void"]
        )
        if step == "fund":
            amount = draw.choice([100, 250, 1000, 5000])
            came += amount
            funds(call, who, amount)
        elif step == "intent":
            open_.append(intent(call, who, draw.choice([100, 250, 700, 1000, 4000]))["id"])
        elif step == "invoice":
            sent(call, who, draw.choice([100, 250, 900, 3000]))
        elif step == "cancel" and open_:
            call.raw(f"POST /v1/payment_intents/{open_.pop()}/cancel")
        elif step == "refund":
            charges = call("GET /v1/charges", limit=100)["data"]
            if charges:
                amount = draw.choice([50, 100, 400])
                made = call.raw("POST /v1/refunds", {"charge": draw.choice(charges)["id"], "amount": amount})
                if made.status_code == 200 and draw.random() < 0.5:
                    call(f"POST /v1/refunds/{made.json()['id']}/cancel")
        elif step == "return":
            params = {"origin": "customer_balance", "customer": who, "currency": "usd", "amount": 100}
            made = call.raw("POST /v1/refunds", params)
            if made.status_code == 200:
                end = draw.choice(["refunds/{}/cancel", "test_helpers/refunds/{}/succeed"])
                call("POST /v1/" + end.format(made.json()["id"]))
        elif step == "mode":
            mode = draw.choice(["automatic", "manual"])
            call(f"POST /v1/customers/{who}/cash_balance", {"settings[reconciliation_mode]": mode})
        elif step == "void":
            for each in call("GET /v1/invoices", customer=who, status="open", limit=1)["data"]:
                call(f"POST /v1/invoices/{each['id']}/void")
        _check(call, who, came)


def _check(call: Talk, who: str, came: int) -> None:
    listed = []
    cursor = None
    while True:
        page = call(f"GET /v1/customers/{who}/cash_balance_transactions", limit=100, starting_after=cursor)
        listed += page["data"]
        if not page["has_more"]:
            break
        cursor = listed[-1]["id"]
    have = balance(call, who)
    assert have >= 0
    assert sum(each["net_amount"] for each in listed) == have
    running = 0
    for each in reversed(listed):
        running += each["net_amount"]
        assert each["ending_balance"] == running
    by: dict[str, int] = {}
    for each in listed:
        by[each["type"]] = by.get(each["type"], 0) + each["net_amount"]
    assert by.get("funded", 0) == came
    waiting = [
        each
        for each in call("GET /v1/payment_intents", customer=who, limit=100)["data"]
        if each["status"] == "requires_action"
    ]
    held = sum(
        each["amount"] - each["next_action"]["display_bank_transfer_instructions"]["amount_remaining"]
        for each in waiting
    )
    charged = sum(each["amount"] for each in call("GET /v1/charges", limit=100)["data"])
    assert -by.get("applied_to_payment", 0) - by.get("unapplied_from_payment", 0) == held + charged
    if (
        have
        and call(f"GET /v1/customers/{who}/cash_balance")["settings"]["reconciliation_mode"] == "automatic"
    ):
        assert not waiting  # what waits is paid while there is money
