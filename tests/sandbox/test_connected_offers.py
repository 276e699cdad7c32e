"""What leads to an invoice or a payment with a connected account in it: quotes, payment links, checkout
sessions, phases of a schedule; who issues invoices and who is liable for their tax."""

from __future__ import annotations

from typing import Any

import pytest

from stripe_magics.sandbox import SandboxTransport

from .conftest import DAY, Talk
from .test_connect import FUNDS, Acting, connected
from .test_connected_billing import charge_of, monthly, payer

TO = "transfer_data[destination]"


@pytest.fixture
def call() -> Talk:
    return Talk(SandboxTransport(demo=False))


def once(call: Talk, amount: int) -> str:
    given = {"currency": "usd", "unit_amount": amount, "product_data[name]": "O"}
    return str(call("POST /v1/prices", given)["id"])


def prefixed(prefix: str, given: dict[str, Any]) -> dict[str, Any]:
    """`transfer_data[amount]` as it is called inside another parameter."""
    found = {}
    for name, value in given.items():
        head, bracket, rest = name.partition("[")
        found[f"{prefix}[{head}]{bracket}{rest}"] = value
    return found


def earned(shop: Acting) -> int:
    """What came in, whether it was paid out since or not."""
    return sum(each["net"] for each in shop.every("/v1/balance_transactions", type="payment"))


# quotes


def quoted(call: Talk, price: str, **params: Any) -> dict[str, Any]:
    given = {"customer": payer(call), "line_items[0][price]": price}
    return call("POST /v1/quotes", {**given, **params})


def accepted(call: Talk, quote: dict[str, Any]) -> dict[str, Any]:
    call(f"POST /v1/quotes/{quote['id']}/finalize")
    return call(f"POST /v1/quotes/{quote['id']}/accept")


def test_84_a_quote_that_recurs_passes_on_its_share_each_period(call: Talk) -> None:
    shop = connected(call)
    made = quoted(call, monthly(call, 10_000), on_behalf_of=shop.account, application_fee_percent=12.5,
                  **{TO: shop.account})  # fmt: skip
    assert (made["application_fee_percent"], made["on_behalf_of"]) == (12.5, shop.account)
    assert made["transfer_data"] == {"amount": None, "amount_percent": None, "destination": shop.account}
    done = accepted(call, made)
    subscription = call(f"GET /v1/subscriptions/{done['subscription']}")
    assert (subscription["application_fee_percent"], subscription["on_behalf_of"]) == (12.5, shop.account)
    assert subscription["transfer_data"] == {"amount_percent": None, "destination": shop.account}
    assert shop.available() == 8_750
    call.transport.advance(32 * DAY)
    assert earned(shop) == 17_500
    assert [each["amount"] for each in call.every("/v1/application_fees")] == [1_250, 1_250]


def test_84_a_quote_for_once_passes_on_its_amount(call: Talk) -> None:
    shop = connected(call)
    done = accepted(call, quoted(call, once(call, 5_000), **{TO: shop.account, "transfer_data[amount]": 900}))
    paid = call(f"POST /v1/invoices/{done['invoice']}/pay")
    assert (paid["transfer_data"], shop.available()) == ({"amount": 900, "destination": shop.account}, 900)
    fee = quoted(call, once(call, 5_000), **{TO: shop.account, "application_fee_amount": 700})
    call(f"POST /v1/quotes/{fee['id']}", application_fee_amount=600)
    call(f"POST /v1/invoices/{accepted(call, fee)['invoice']}/pay")
    assert shop.available() == 900 + 4_400
    none = call("POST /v1/quotes", {"from_quote[quote]": fee["id"], "transfer_data": "",
                                    "application_fee_amount": ""})  # fmt: skip
    assert (none["transfer_data"], none["application_fee_amount"]) == (None, None)


def test_84_a_connected_accounts_own_quote_pays_the_platform(call: Talk) -> None:
    shop = connected(call)
    made = quoted(shop, monthly(shop, 10_000), application_fee_percent=10)
    assert made["application"].startswith("ca_")
    charge = charge_of(shop, shop(f"GET /v1/subscriptions/{accepted(shop, made)['subscription']}"))
    assert call(f"GET /v1/application_fees/{charge['application_fee']}")["amount"] == call.available() == 1000


def test_84_a_quotes_invoices_are_issued_by_the_account_that_it_names(call: Talk) -> None:
    shop = connected(call, country="FR")
    issuer = {"invoice_settings[issuer][type]": "account", "invoice_settings[issuer][account]": shop.account}
    for price in (monthly(call, 1_000), once(call, 1_000)):
        made = quoted(call, price, **issuer)
        assert made["invoice_settings"]["issuer"] == {"account": shop.account, "type": "account"}
        invoice = call(f"GET /v1/invoices/{accepted(call, made)['invoice']}")
        assert invoice["issuer"] == {"account": shop.account, "type": "account"}
        assert invoice["account_country"] == "FR"


@pytest.mark.parametrize(
    ("recurs", "given", "param"),
    [
        (True, {TO: "*", "application_fee_amount": 5}, "application_fee_amount"),
        (True, {TO: "*", "transfer_data[amount]": 5}, "transfer_data[amount]"),
        (False, {TO: "*", "application_fee_percent": 5}, "application_fee_percent"),
        (False, {TO: "*", "transfer_data[amount_percent]": 5}, "transfer_data[amount_percent]"),
        (False, {"application_fee_amount": 5}, "application_fee_amount"),
        (True, {"application_fee_percent": 5}, "application_fee_percent"),
        (True, {TO: "*", "application_fee_percent": 101}, "application_fee_percent"),
        (True, {TO: "acct_none"}, TO),
        (False, {"on_behalf_of": "acct_none"}, "on_behalf_of"),
        (False, {TO: "*", "application_fee_amount": 5, "transfer_data[amount]": 5}, "transfer_data[amount]"),
        (True, {"invoice_settings[issuer][type]": "account"}, "invoice_settings[issuer][account]"),
    ],
)
def test_84_what_a_quote_refuses(call: Talk, recurs: bool, given: dict[str, Any], param: str) -> None:
    shop = connected(call)
    given = {name: shop.account if value == "*" else value for name, value in given.items()}
    price = monthly(call, 1_000) if recurs else once(call, 1_000)
    basic = {"customer": payer(call), "line_items[0][price]": price}
    assert call.refused("POST /v1/quotes", {**basic, **given})["param"] == param
    assert call("GET /v1/quotes")["data"] == []


def test_84_a_quote_keeps_to_its_lines(call: Talk) -> None:
    shop = connected(call)
    made = quoted(call, monthly(call, 10_000), application_fee_percent=5, **{TO: shop.account})
    path = f"POST /v1/quotes/{made['id']}"
    error = call.refused(path, {"line_items[0][price]": once(call, 100)})
    assert error["param"] == "application_fee_percent"
    dear = quoted(call, once(call, 1_000), application_fee_amount=1_001, **{TO: shop.account})
    assert call.refused(f"POST /v1/quotes/{dear['id']}/finalize")["param"] == "application_fee_amount"


# payment links and checkout sessions


def paid(call: Talk, session: dict[str, Any], **params: Any) -> dict[str, Any]:
    given = {"payment_method": FUNDS, "email": "a@example.com", **params}
    return call(f"POST /v1/test_helpers/checkout/sessions/{session['id']}/complete", given)


def link(call: Talk, price: str, **params: Any) -> dict[str, Any]:
    return call(
        "POST /v1/payment_links", {"line_items[0][price]": price, "line_items[0][quantity]": 1, **params}
    )


def opened(call: Talk, of: dict[str, Any]) -> dict[str, Any]:
    return call(f"POST /v1/test_helpers/payment_links/{of['id']}/open")


def test_84_a_link_passes_on_what_it_says(call: Talk) -> None:
    shop = connected(call)
    made = link(call, once(call, 4_000), on_behalf_of=shop.account, application_fee_amount=500,
                **{TO: shop.account, "restrictions[completed_sessions][limit]": 1})  # fmt: skip
    assert (made["application_fee_amount"], made["on_behalf_of"]) == (500, shop.account)
    assert made["transfer_data"] == {"amount": None, "destination": shop.account}
    session = opened(call, made)
    assert (session["payment_link"], session["amount_total"]) == (made["id"], 4_000)
    assert [each["id"] for each in call("GET /v1/checkout/sessions", payment_link=made["id"])["data"]] == [
        session["id"]
    ]
    done = paid(call, session)
    charge = call.charge_of(call(f"GET /v1/payment_intents/{done['payment_intent']}"))
    assert (charge["on_behalf_of"], charge["destination"], shop.available()) == (
        shop.account, shop.account, 3_500,
    )  # fmt: skip
    left = call(f"GET /v1/payment_links/{made['id']}")
    assert left["restrictions"]["completed_sessions"] == {"count": 1, "limit": 1}
    assert call.refused(f"POST /v1/test_helpers/payment_links/{made['id']}/open")["param"] == "payment_link"


def test_84_a_link_that_recurs_takes_its_share(call: Talk) -> None:
    shop = connected(call)
    made = link(call, monthly(call, 2_000), application_fee_percent=10, **{TO: shop.account})
    done = paid(call, opened(call, made))
    subscription = call(f"GET /v1/subscriptions/{done['subscription']}")
    assert (subscription["application_fee_percent"], shop.available()) == (10, 1_800)
    for recurs, given, param in [
        (True, {"application_fee_amount": 5}, "application_fee_amount"),
        (True, {"transfer_data[amount]": 5}, "transfer_data[amount]"),
        (False, {"application_fee_percent": 5}, "application_fee_percent"),
        (False, {"application_fee_amount": 1_001}, "application_fee_amount"),
        (False, {"transfer_data[amount]": 5, "application_fee_amount": 5}, "transfer_data[amount]"),
    ]:
        basic = {"line_items[0][price]": monthly(call, 1_000) if recurs else once(call, 1_000)}
        basic |= {"line_items[0][quantity]": 1, TO: shop.account}
        assert call.refused("POST /v1/payment_links", {**basic, **given})["param"] == param


def test_a_link_that_is_off_opens_nothing(call: Talk) -> None:
    made = link(call, once(call, 500), inactive_message="Sold out")
    call(f"POST /v1/payment_links/{made['id']}", active=False)
    path = f"POST /v1/test_helpers/payment_links/{made['id']}/open"
    assert call.refused(path)["message"] == "Sold out"
    assert call("GET /v1/checkout/sessions")["data"] == []


def session(call: Talk, mode: str, part: str, given: dict[str, Any]) -> dict[str, Any]:
    price = monthly(call, 3_000) if mode == "subscription" else once(call, 3_000)
    lines = {} if mode == "setup" else {"line_items[0][price]": price, "line_items[0][quantity]": 1}
    return {"mode": mode, "success_url": "https://example.com/s", **lines, **prefixed(part, given)}


def test_84_a_session_passes_on_what_it_says(call: Talk) -> None:
    shop = connected(call)
    to = {TO: shop.account, "on_behalf_of": shop.account}
    one = session(call, "payment", "payment_intent_data", {**to, "transfer_data[amount]": 1_000})
    paid(call, call("POST /v1/checkout/sessions", one))
    assert shop.available() == 1_000
    many = session(call, "subscription", "subscription_data", {**to, "transfer_data[amount_percent]": 50})
    done = paid(call, call("POST /v1/checkout/sessions", many))
    assert call(f"GET /v1/subscriptions/{done['subscription']}")["on_behalf_of"] == shop.account
    assert shop.available() == 1_000 + 1_500
    kept = session(call, "setup", "setup_intent_data", {"on_behalf_of": shop.account})
    done = paid(call, call("POST /v1/checkout/sessions", kept))
    assert call(f"GET /v1/setup_intents/{done['setup_intent']}")["on_behalf_of"] == shop.account
    [attempt] = call("GET /v1/setup_attempts", setup_intent=done["setup_intent"])["data"]
    assert attempt["on_behalf_of"] == shop.account
    own = session(shop, "payment", "payment_intent_data", {"application_fee_amount": 300})
    paid(shop, shop("POST /v1/checkout/sessions", own))
    assert call("GET /v1/application_fees")["data"][0]["amount"] == 300


@pytest.mark.parametrize(
    ("mode", "part", "given", "param"),
    [
        ("payment", "payment_intent_data", {"application_fee_amount": 5}, "[application_fee_amount]"),
        ("payment", "payment_intent_data", {TO: "*", "application_fee_amount": 3_001},
            "[application_fee_amount]"),
        ("payment", "payment_intent_data", {TO: "*", "transfer_data[amount]": 3_001},
            "[transfer_data][amount]"),
        ("payment", "payment_intent_data", {TO: "acct_none"}, "[transfer_data][destination]"),
        ("payment", "payment_intent_data", {"on_behalf_of": "acct_none"}, "[on_behalf_of]"),
        ("subscription", "subscription_data", {"application_fee_percent": 5}, "[application_fee_percent]"),
        ("subscription", "subscription_data", {TO: "*", "application_fee_percent": 5,
            "transfer_data[amount_percent]": 5}, "[transfer_data][amount_percent]"),
        ("subscription", "subscription_data", {"invoice_settings[issuer][type]": "account",
            "invoice_settings[issuer][account]": "acct_none"}, "[invoice_settings][issuer][account]"),
        ("setup", "setup_intent_data", {"on_behalf_of": "acct_none"}, "[on_behalf_of]"),
    ],
)  # fmt: skip
def test_84_what_a_session_refuses(
    call: Talk, mode: str, part: str, given: dict[str, Any], param: str
) -> None:
    shop = connected(call)
    given = {name: shop.account if value == "*" else value for name, value in given.items()}
    error = call.refused("POST /v1/checkout/sessions", session(call, mode, part, given))
    assert error["param"] == f"{part}{param}"
    assert call("GET /v1/checkout/sessions")["data"] == []


# schedules


def test_84_each_phase_passes_on_its_own_share(call: Talk) -> None:
    shop, other = connected(call), connected(call)
    price = monthly(call, 10_000)
    made = call("POST /v1/subscription_schedules", {
        "customer": payer(call), "default_settings[on_behalf_of]": shop.account,
        "default_settings[transfer_data][destination]": shop.account,
        "default_settings[application_fee_percent]": 10,
        "default_settings[invoice_settings][issuer][type]": "account",
        "default_settings[invoice_settings][issuer][account]": shop.account,
        **{f"phases[{place}][items][0][price]": price for place in range(3)},
        **{f"phases[{place}][iterations]": 1 for place in range(3)},
        "phases[1][application_fee_percent]": 25,
        "phases[2][transfer_data][destination]": other.account, "phases[2][on_behalf_of]": other.account,
    })  # fmt: skip
    assert made["default_settings"]["invoice_settings"]["days_until_due"] is None
    assert [each["application_fee_percent"] for each in made["phases"]] == [None, 25, None]
    assert made["phases"][2]["transfer_data"] == {"amount_percent": None, "destination": other.account}
    begun = call(f"GET /v1/subscriptions/{made['subscription']}")
    assert begun["invoice_settings"]["issuer"] == {"account": shop.account, "type": "account"}
    assert (begun["application_fee_percent"], shop.available()) == (10, 9_000)
    call.transport.advance(begun["current_period_end"] - call.transport.now + 3 * 3600)
    assert earned(shop) == 9_000 + 7_500
    call.transport.advance(31 * DAY + 3 * 3600)
    assert (earned(shop), earned(other)) == (16_500, 9_000)
    invoice = call(f"GET /v1/subscriptions/{made['subscription']}")["latest_invoice"]
    assert call(f"GET /v1/invoices/{invoice}")["on_behalf_of"] == other.account


def test_84_a_schedule_takes_over_what_its_subscription_passes_on(call: Talk) -> None:
    shop = connected(call)
    price = monthly(call, 10_000)
    subscription = call("POST /v1/subscriptions", {
        "customer": payer(call), "items[0][price]": price, TO: shop.account, "application_fee_percent": 10,
    })  # fmt: skip
    made = call("POST /v1/subscription_schedules", from_subscription=subscription["id"])
    phase = made["phases"][0]
    assert (phase["application_fee_percent"], phase["transfer_data"]["destination"]) == (10, shop.account)
    call(f"POST /v1/subscription_schedules/{made['id']}", {
        "phases[0][items][0][price]": price, "phases[0][start_date]": phase["start_date"],
        "phases[0][end_date]": phase["end_date"],
        "phases[0][transfer_data][destination]": shop.account, "phases[0][transfer_data][amount_percent]": 40,
    })  # fmt: skip
    left = call(f"GET /v1/subscriptions/{subscription['id']}")
    assert left["application_fee_percent"] is None  # not given again, so unset
    assert left["transfer_data"] == {"amount_percent": 40, "destination": shop.account}


@pytest.mark.parametrize("where", ["default_settings", "phases[0]"])
@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"application_fee_percent": 5}, "[application_fee_percent]"),
        ({TO: "*", "application_fee_percent": 101}, "[application_fee_percent]"),
        ({TO: "*", "application_fee_percent": 1, "transfer_data[amount_percent]": 1},
            "[transfer_data][amount_percent]"),
        ({TO: "acct_none"}, "[transfer_data][destination]"),
        ({"on_behalf_of": "acct_none"}, "[on_behalf_of]"),
        ({"invoice_settings[issuer][type]": "account"}, "[invoice_settings][issuer][account]"),
        ({"automatic_tax[enabled]": True, "automatic_tax[liability][type]": "account",
            "automatic_tax[liability][account]": "acct_none"}, "[automatic_tax][liability][account]"),
    ],
)  # fmt: skip
def test_84_what_a_schedule_refuses(call: Talk, where: str, given: dict[str, Any], param: str) -> None:
    shop = connected(call)
    given = {name: shop.account if value == "*" else value for name, value in given.items()}
    basic = {"customer": payer(call), "phases[0][items][0][price]": monthly(call, 1_000)}
    error = call.refused("POST /v1/subscription_schedules", {**basic, **prefixed(where, given)})
    assert error["param"] == where + param
    assert call("GET /v1/subscription_schedules")["data"] == []


# who issues, who is liable


def test_84_an_invoice_is_issued_by_the_account_that_it_names(call: Talk) -> None:
    shop = connected(call, country="FR", **{"business_profile[name]": "Boutique"})
    who = call("POST /v1/customers", {"payment_method": FUNDS})["id"]
    issuer = {"issuer[type]": "account", "issuer[account]": shop.account}
    made = call("POST /v1/invoices", customer=who, **issuer)
    assert made["issuer"] == {"account": shop.account, "type": "account"}
    assert made["account_country"] == "FR"
    back = call(f"POST /v1/invoices/{made['id']}", {"issuer[type]": "self"})
    assert (back["issuer"], back["account_country"]) == ({"type": "self"}, "US")
    behalf = call("POST /v1/invoices", customer=who, on_behalf_of=shop.account)
    assert behalf["account_country"] == "FR"
    [expanded] = call("GET /v1/invoices", {"limit": 1, "expand[]": "data.on_behalf_of"})["data"]
    assert expanded["on_behalf_of"]["id"] == shop.account
    for given, param in [
        ({"issuer[type]": "account"}, "issuer[account]"),
        ({"issuer[type]": "self", "issuer[account]": shop.account}, "issuer[account]"),
        ({"issuer[type]": "account", "issuer[account]": "acct_none"}, "issuer[account]"),
    ]:
        assert call.refused("POST /v1/invoices", {"customer": who, **given})["param"] == param
    error = shop.refused("POST /v1/invoices", {"customer": payer(shop), **issuer})
    assert error["param"] == "issuer[account]"


def test_84_tax_counts_where_the_liable_account_is(call: Talk) -> None:
    """A business in Germany that buys from one in Germany pays tax; from one elsewhere it owes it itself."""
    shop = connected(call, country="DE")
    who = payer(call)
    address = {"country": "DE", "line1": "x", "city": "y", "postal_code": "10115"}
    call(f"POST /v1/customers/{who}", {f"address[{name}]": value for name, value in address.items()})
    call(f"POST /v1/customers/{who}/tax_ids", type="eu_vat", value="DE123456789")
    on = {"automatic_tax[enabled]": True}
    liable = {**on, "automatic_tax[liability][type]": "account",
              "automatic_tax[liability][account]": shop.account}  # fmt: skip
    price = {"items[0][price]": monthly(call, 10_000)}
    tax = {}
    for name, given in (("self", on), ("account", liable)):
        made = call("POST /v1/subscriptions", {"customer": who, **price, **given})
        assert made["automatic_tax"]["liability"]["type"] == name
        invoice = call(f"GET /v1/invoices/{made['latest_invoice']}")
        assert invoice["automatic_tax"]["liability"] == made["automatic_tax"]["liability"]
        tax[name] = invoice["tax"]
    assert tax == {"self": 0, "account": 1_900}
    off = call(f"POST /v1/subscriptions/{made['id']}", {"automatic_tax[enabled]": False})
    assert off["automatic_tax"]["liability"] is None
