"""Subscriptions and invoices with a connected account in them: what is due is passed on, and the platform
keeps its fee."""

from __future__ import annotations

from typing import Any

import pytest

from stripe_magics.sandbox import SandboxTransport

from .conftest import DAY, Talk
from .test_connect import FUNDS, Acting, connected


@pytest.fixture
def call() -> Talk:
    return Talk(SandboxTransport(demo=False))


def payer(call: Talk) -> str:
    method = {"payment_method": FUNDS, "invoice_settings[default_payment_method]": FUNDS}
    return str(call("POST /v1/customers", method)["id"])


def monthly(call: Talk, amount: int) -> str:
    given = {
        "currency": "usd",
        "unit_amount": amount,
        "recurring[interval]": "month",
        "product_data[name]": "P",
    }
    return str(call("POST /v1/prices", given)["id"])


def subscribed(call: Talk, amount: int = 10_000, **params: Any) -> dict[str, Any]:
    return call(
        "POST /v1/subscriptions",
        {"customer": payer(call), "items[0][price]": monthly(call, amount), **params},
    )


def charge_of(call: Talk, subscription: dict[str, Any]) -> dict[str, Any]:
    fresh = call(f"GET /v1/subscriptions/{subscription['id']}")
    return call(f"GET /v1/charges/{call(f'''GET /v1/invoices/{fresh['latest_invoice']}''')['charge']}")


def test_84_a_subscription_pays_its_share_each_period(call: Talk) -> None:
    shop = connected(call)
    to = {"transfer_data[destination]": shop.account, "on_behalf_of": shop.account}
    made = subscribed(call, **to, application_fee_percent=12.5)
    assert (made["application_fee_percent"], made["on_behalf_of"], made["transfer_data"]) == (
        12.5, shop.account, {"amount_percent": None, "destination": shop.account},
    )  # fmt: skip
    invoice = call(f"GET /v1/invoices/{made['latest_invoice']}")
    assert (invoice["application_fee_amount"], invoice["on_behalf_of"], invoice["transfer_data"]) == (
        1250, shop.account, {"amount": None, "destination": shop.account},
    )  # fmt: skip
    charge = charge_of(call, made)
    assert (charge["application_fee_amount"], charge["destination"]) == (1250, shop.account)
    assert shop.available() == 8_750
    fee = call("GET /v1/application_fees")["data"][0]
    assert (fee["amount"], fee["account"], fee["originating_transaction"]) == (
        1250,
        shop.account,
        charge["id"],
    )
    call(f"POST /v1/customers/{made['customer']}/balance_transactions", amount=-2_000, currency="usd")
    call.transport.advance(made["current_period_end"] - call.transport.now + 2 * 3600)
    assert charge_of(call, made)["application_fee_amount"] == 1000  # of the 80.00 that are due
    call(
        f"POST /v1/subscriptions/{made['id']}",
        {"transfer_data": "", "application_fee_percent": "", "on_behalf_of": ""},
    )
    call.transport.advance(32 * DAY)
    assert (charge_of(call, made)["transfer_data"], charge_of(call, made)["application_fee_amount"]) == (
        None,
        None,
    )
    assert sum(each["amount"] for each in call.every("/v1/transfers")) == 18_000


def test_84_a_part_is_passed_on(call: Talk) -> None:
    shop = connected(call)
    made = subscribed(
        call, **{"transfer_data[destination]": shop.account, "transfer_data[amount_percent]": 33.33}
    )
    invoice = call(f"GET /v1/invoices/{made['latest_invoice']}")
    assert invoice["transfer_data"] == {"amount": 3333, "destination": shop.account}
    assert shop.available() == 3333
    preview = call("GET /v1/invoices/upcoming", subscription=made["id"])
    assert (preview["transfer_data"], preview["total"]) == (invoice["transfer_data"], 10_000)


def test_84_a_connected_account_bills_by_itself(call: Talk) -> None:
    shop = connected(call)
    made = subscribed(shop, application_fee_percent=10)
    invoice = shop(f"GET /v1/invoices/{made['latest_invoice']}")
    charge = charge_of(shop, made)
    fee = call(f"GET /v1/application_fees/{charge['application_fee']}")
    assert invoice["application_fee_amount"] == fee["amount"] == call.available() == 1000
    assert made["application"] == invoice["application"] == fee["application"]
    assert shop.available() == 10_000 - 320 - 1_000


def invoiced(call: Talk, shop: Acting, **params: Any) -> dict[str, Any]:
    who = payer(call)
    given = {"customer": who, "transfer_data[destination]": shop.account, **params}
    made = call("POST /v1/invoices", given)
    call("POST /v1/invoiceitems", customer=who, amount=5_000, currency="usd", invoice=made["id"])
    return call(f"GET /v1/invoices/{made['id']}")


def test_84_an_invoice_passes_on_what_it_says(call: Talk) -> None:
    shop = connected(call)
    made = invoiced(call, shop, application_fee_amount=600)
    path = f"/v1/invoices/{made['id']}"
    call(f"POST {path}", application_fee_amount=700)
    paid = call(f"POST {path}/pay")
    assert (paid["status"], paid["application_fee_amount"], shop.available()) == ("paid", 700, 4_300)
    part = invoiced(call, shop, **{"transfer_data[amount]": 1_000})
    call(f"POST /v1/invoices/{part['id']}/pay")
    assert shop.available() == 5_300
    alone = call("POST /v1/invoices", customer=payer(call), on_behalf_of=shop.account)
    assert alone["on_behalf_of"] == shop.account


def test_84_a_fee_given_for_a_draft_stands_instead_of_its_subscriptions_share(call: Talk) -> None:
    shop = connected(call)
    made = subscribed(call, **{"transfer_data[destination]": shop.account}, application_fee_percent=10)
    call.transport.advance(made["current_period_end"] - call.transport.now)
    draft = call(f"GET /v1/subscriptions/{made['id']}")["latest_invoice"]
    assert call(f"GET /v1/invoices/{draft}")["application_fee_amount"] == 1000
    call(f"POST /v1/invoices/{draft}", application_fee_amount=1)
    call.transport.advance(2 * 3600)
    assert charge_of(call, made)["application_fee_amount"] == 1


def test_84_a_fee_above_what_is_due_keeps_an_invoice_a_draft(call: Talk) -> None:
    shop = connected(call)
    made = invoiced(call, shop, application_fee_amount=5_001, auto_advance=True)
    error = call.refused(f"POST /v1/invoices/{made['id']}/finalize")
    assert error["param"] == "application_fee_amount"
    call.transport.advance(2 * 3600)
    left = call(f"GET /v1/invoices/{made['id']}")
    assert (left["status"], left["last_finalization_error"]["param"]) == ("draft", "application_fee_amount")
    assert call.types(type="invoice.finalization_failed") == ["invoice.finalization_failed"]


def test_84_what_is_refused(call: Talk) -> None:
    shop, to = connected(call), "transfer_data[destination]"
    waiting = call("POST /v1/accounts", type="express")["id"]
    subscription = {"customer": payer(call), "items[0][price]": monthly(call, 1_000)}
    for what, given, param in [
        ("subscriptions", {"application_fee_percent": 10}, "application_fee_percent"),
        ("subscriptions", {to: shop.account, "application_fee_percent": 101}, "application_fee_percent"),
        ("subscriptions", {to: shop.account, "application_fee_percent": 1.234}, "application_fee_percent"),
        ("subscriptions", {to: shop.account, "application_fee_percent": -1}, "application_fee_percent"),
        ("subscriptions", {to: shop.account, "transfer_data[amount_percent]": 100.5},
            "transfer_data[amount_percent]"),
        ("subscriptions", {to: shop.account, "transfer_data[amount_percent]": 1,
            "application_fee_percent": 1},
         "transfer_data[amount_percent]"),
        ("subscriptions", {to: waiting}, to),
        ("subscriptions", {to: "acct_none"}, to),
        ("subscriptions", {"on_behalf_of": "acct_none"}, "on_behalf_of"),
        ("invoices", {"application_fee_amount": 10}, "application_fee_amount"),
        ("invoices", {to: shop.account, "application_fee_amount": -10}, "application_fee_amount"),
        ("invoices", {to: shop.account, "transfer_data[amount]": 5, "application_fee_amount": 10},
            "transfer_data[amount]"),
    ]:  # fmt: skip
        basic = subscription if what == "subscriptions" else {"customer": subscription["customer"]}
        assert call.refused(f"POST /v1/{what}", {**basic, **given})["param"] == param
    made = call("POST /v1/subscriptions", {**subscription, to: shop.account, "application_fee_percent": 5})
    assert (
        call.refused(f"POST /v1/subscriptions/{made['id']}", {"transfer_data": ""})["param"]
        == "transfer_data"
    )
    foreign = {"customer": payer(shop), "items[0][price]": monthly(shop, 500), to: waiting}
    assert shop.refused("POST /v1/subscriptions", foreign)["param"] == to
