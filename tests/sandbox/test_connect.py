"""Connected accounts: each has objects and a ledger of its own, and what goes between them and their platform
is conserved."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from stripe_magics.sandbox import SandboxTransport, snapshot

from .conftest import DAY, Refused, Talk

FUNDS = "pm_card_bypassPending"


class Acting(Talk):
    """A client that acts for a connected account."""

    def __init__(self, transport: SandboxTransport, account: str) -> None:
        super().__init__(transport)
        self.client.headers["Stripe-Account"] = account
        self.account = account


def connected(call: Talk, **params: Any) -> Acting:
    """A connected account with all switched on."""
    made = call("POST /v1/accounts", type="express", **params)["id"]
    call(f"POST /v1/test_helpers/accounts/{made}/onboard")
    return Acting(call.transport, made)


def net(call: Talk, **filters: Any) -> int:
    return sum(each["net"] for each in call.every("/v1/balance_transactions", **filters))


# accounts


def test_an_account_is_what_the_person_gave(call: Talk) -> None:
    made = call(
        "POST /v1/accounts", type="custom", country="DE", email="shop@example.com", business_type="company",
        **{"capabilities[transfers][requested]": True, "company[name]": "Laden", "company[tax_id]": "DE1",
            "metadata[k]": "v"},
    )  # fmt: skip
    assert (made["country"], made["default_currency"], made["company"]["name"]) == ("DE", "eur", "Laden")
    assert made["company"]["tax_id_provided"] is True
    assert "tax_id" not in made["company"]
    assert made["capabilities"] == {"transfers": "inactive"}
    assert made["requirements"]["disabled_reason"] == "requirements.past_due"
    due = made["requirements"]["currently_due"]
    assert "external_account" in due
    assert "company.name" not in due
    path = f"/v1/accounts/{made['id']}"
    call(
        f"POST {path}",
        {"business_profile[mcc]": "5734", "business_profile[url]": "https://laden.example",
            "tos_acceptance[date]": 1, "tos_acceptance[ip]": "1.1.1.1",
         "company[address][line1]": "x", "company[address][city]": "y", "company[address][postal_code]": "1"},
    )  # fmt: skip
    call(
        f"POST {path}/external_accounts",
        {"external_account[object]": "bank_account", "external_account[country]": "DE",
            "external_account[currency]": "eur",
         "external_account[account_number]": "DE89370400440532013000"},
    )  # fmt: skip
    left = call(f"GET {path}")
    assert left["requirements"]["currently_due"] == [
        f"representative.{each}" for each in ("first_name", "last_name", "dob.day", "dob.month", "dob.year")
    ]
    person = call(
        f"POST {path}/persons", first_name="A", last_name="B",
        **{"dob[day]": 1, "dob[month]": 2, "dob[year]": 1990, "relationship[representative]": True,
            "ssn_last_4": "0000"},
    )  # fmt: skip
    assert person["ssn_last_4_provided"] is True
    done = call(f"GET {path}")
    assert (done["capabilities"], done["payouts_enabled"], done["details_submitted"]) == (
        {"transfers": "active"},
        True,
        True,
    )
    assert done["charges_enabled"] is False  # card payments were not asked for
    assert call(f"GET {path}/capabilities/transfers")["status"] == "active"
    assert (
        call(f"GET {path}/persons", {"relationship[representative]": True})["data"][0]["id"] == person["id"]
    )
    kinds = Acting(call.transport, made["id"]).types()
    assert "capability.updated" in kinds
    assert "account.updated" in kinds


def test_accounts_are_read_listed_refused_and_deleted(call: Talk) -> None:
    one, two = connected(call), connected(call)
    assert [each["id"] for each in call("GET /v1/accounts")["data"]] == [two.account, one.account]
    assert one("GET /v1/account")["id"] == one.account == call(f"GET /v1/accounts/{one.account}")["id"]
    assert one.raw("GET /v1/account").headers["stripe-account"] == one.account
    error = Acting(call.transport, "acct_1unknown").refused("GET /v1/customers")
    assert (error["status"], error["code"]) == (403, "account_invalid")
    assert call.refused("GET /v1/accounts/acct_1unknown")["code"] == "account_invalid"
    assert one.refused("POST /v1/accounts")["status"] == 400
    assert one.refused(f"GET /v1/accounts/{two.account}")["status"] == 403
    customer = one("POST /v1/customers", name="Hers")["id"]
    assert call.refused(f"GET /v1/customers/{customer}")["code"] == "resource_missing"
    assert two("GET /v1/customers")["data"] == []
    refused = call(f"POST /v1/accounts/{two.account}/reject", reason="fraud")
    assert refused["requirements"]["disabled_reason"] == "rejected.fraud"
    assert (
        "cannot currently make charges"
        in two.refused("POST /v1/payment_intents", amount=500, currency="usd")["message"]
    )
    assert call(f"DELETE /v1/accounts/{two.account}") == {
        "id": two.account,
        "object": "account",
        "deleted": True,
    }
    assert call.refused(f"GET /v1/accounts/{two.account}")["status"] == 403
    one.intent(1000, FUNDS)
    assert "isn't zero" in call.refused(f"DELETE /v1/accounts/{one.account}")["message"]
    call.transport.advance(3 * DAY)  # the jobs of the account that is gone are nobody's


def test_a_capability_that_stripe_does_not_have_is_unknown(call: Talk) -> None:
    path = f"/v1/accounts/{connected(call).account}/capabilities"
    for what in (f"GET {path}/none", f"POST {path}/none"):
        error = call.refused(what, **({"requested": True} if what.startswith("POST") else {}))
        assert (error["status"], error["code"]) == (404, "resource_missing")
    assert call(f"POST {path}/ideal_payments", requested=True)["status"] == "active"
    assert "none" not in [each["id"] for each in call(f"GET {path}")["data"]]


def test_links_lead_in(call: Talk) -> None:
    express = call("POST /v1/accounts", type="express")["id"]
    link = call(
        "POST /v1/account_links",
        account=express,
        type="account_onboarding",
        refresh_url="https://a.example",
        return_url="https://b.example",
    )
    assert link["url"].startswith("https://connect.stripe.com/setup/")
    assert (
        call.refused(
            "POST /v1/account_links",
            account=express,
            type="account_onboarding",
            return_url="https://b.example",
        )["param"]
        == "refresh_url"
    )
    assert "onboarding" in call.refused(f"POST /v1/accounts/{express}/login_links")["message"]
    call(f"POST /v1/test_helpers/accounts/{express}/onboard")
    assert call(f"POST /v1/accounts/{express}/login_links")["object"] == "login_link"


def test_a_refused_creation_leaves_no_account(call: Talk) -> None:
    call.refused(
        "POST /v1/accounts",
        type="custom",
        **{"external_account[object]": "bank_account", "external_account[country]": "US"},
    )
    assert call("GET /v1/accounts")["data"] == []
    assert call.transport.account.family.connected == {}


# money


def test_a_direct_charge_pays_the_platform_its_fee(call: Talk) -> None:
    shop = connected(call)
    intent = shop.intent(10_000, FUNDS, application_fee_amount=1_000)
    charge = shop.charge_of(intent)
    entry = shop(f"GET /v1/balance_transactions/{charge['balance_transaction']}")
    assert [(each["type"], each["amount"]) for each in entry["fee_details"]] == [
        ("application_fee", 1000),
        ("stripe_fee", 320),
    ]
    assert (entry["fee"], entry["net"]) == (1320, 8680)
    fee = call(f"GET /v1/application_fees/{charge['application_fee']}")
    assert (fee["account"], fee["charge"], fee["amount"]) == (shop.account, charge["id"], 1000)
    assert (call.available(), shop.available()) == (1000, 8680)
    assert (
        call(f"GET /v1/balance_transactions/{fee['balance_transaction']}")["reporting_category"]
        == "platform_earning"
    )
    assert intent["application"] == charge["application"] == fee["application"]
    listed = call("GET /v1/application_fees", charge=charge["id"], **{"expand[]": "data.charge"})["data"]
    assert [(each["id"], each["charge"]["amount"]) for each in listed] == [(fee["id"], 10_000)]
    assert call.refused("GET /v1/application_fees", charge="ch_none")["param"] == "charge"
    shown = shop(f"GET /v1/charges/{charge['id']}", **{"expand[]": "application_fee"})
    assert shown["application_fee"]["amount"] == 1000
    shown = shop(f"GET /v1/charges/{charge['id']}", **{"expand[]": "application"})
    assert (shown["application"]["object"], shown["application"]["id"]) == ("application", fee["application"])
    refund = shop("POST /v1/refunds", charge=charge["id"], amount=5_000, refund_application_fee=True)
    assert refund["status"] == "succeeded"
    assert call(f"GET /v1/application_fees/{fee['id']}")["amount_refunded"] == 500
    assert (call.available(), shop.available()) == (500, 8680 - 5000 + 500)
    rest = call(f"POST /v1/application_fees/{fee['id']}/refunds", **{"metadata[a]": "b"})
    assert (rest["amount"], rest["metadata"]) == (500, {"a": "b"})
    assert call.refused(f"POST /v1/application_fees/{fee['id']}/refunds")["message"].endswith(
        "already been refunded."
    )
    assert [each["amount"] for each in call(f"GET /v1/application_fees/{fee['id']}/refunds")["data"]] == [
        500,
        500,
    ]
    assert call.types(type="application_fee.*") == [
        "application_fee.created",
        *["application_fee.refunded"] * 2,
    ]


def test_a_destination_charge_goes_on_and_comes_back(call: Talk) -> None:
    shop = connected(call)
    where = {"transfer_data[destination]": shop.account}
    intent = call.intent(10_000, FUNDS, application_fee_amount=1_200, **where)
    charge = call.charge_of(intent)
    transfer = call(f"GET /v1/transfers/{charge['transfer']}")
    assert (transfer["amount"], transfer["destination"], transfer["source_transaction"]) == (
        10_000,
        shop.account,
        charge["id"],
    )
    payment = shop(f"GET /v1/charges/{transfer['destination_payment']}")
    assert (payment["id"][:3], payment["amount"], payment["source_transfer"]) == (
        "py_",
        10_000,
        transfer["id"],
    )
    assert (call.available(), shop.available()) == (10_000 - 320 - 10_000 + 1_200, 8_800)
    refund = call(
        "POST /v1/refunds",
        payment_intent=intent["id"],
        amount=2_500,
        reverse_transfer=True,
        refund_application_fee=True,
    )
    reversal = call(f"GET /v1/transfers/{transfer['id']}/reversals/{refund['transfer_reversal']}")
    assert (reversal["amount"], reversal["source_refund"]) == (2_500, refund["id"])
    assert shop(f"GET /v1/refunds/{reversal['destination_payment_refund']}")["amount"] == 2_500
    assert shop.available() == 8_800 - 2_500 + 300
    part = call.intent(4_000, FUNDS, **where, **{"transfer_data[amount]": 3_000})
    assert call(f"GET /v1/transfers/{call.charge_of(part)['transfer']}")["amount"] == 3_000
    expanded = call(f"GET /v1/charges/{charge['id']}", **{"expand[]": "transfer"})
    assert expanded["transfer"]["id"] == transfer["id"]


def test_transfers_and_reversals(call: Talk) -> None:
    shop = connected(call)
    poor = call.refused("POST /v1/transfers", amount=100, currency="usd", destination=shop.account)
    assert poor["code"] == "balance_insufficient"
    charge = call.charge_of(call.intent(6_000, "pm_card_visa"))
    given = {"currency": "usd", "destination": shop.account}
    made = call("POST /v1/transfers", **given, amount=4_000, source_transaction=charge["id"])
    assert (made["transfer_group"], shop.pending(), shop.available()) == (
        f"group_{charge['payment_intent']}",
        4_000,
        0,
    )
    assert (
        call.refused("POST /v1/transfers", **given, amount=2_001, source_transaction=charge["id"])["param"]
        == "amount"
    )
    call.transport.advance(3 * DAY)
    assert shop("GET /v1/payouts")["data"][0]["amount"] == 4_000  # the account pays out by itself, too
    back = call(f"POST /v1/transfers/{made['id']}/reversals", amount=1_500, description="too much")
    assert call(f"GET /v1/balance_transactions/{back['balance_transaction']}")["type"] == "transfer_refund"
    assert shop.available() == -1_500
    assert call.refused(f"POST /v1/transfers/{made['id']}/reversals", amount=2_501)["param"] == "amount"
    assert call(f"POST /v1/transfers/{made['id']}/reversals/{back['id']}", **{"metadata[why]": "x"})[
        "metadata"
    ] == {"why": "x"}
    assert call(f"GET /v1/transfers/{made['id']}")["reversals"]["data"][0]["metadata"] == {"why": "x"}
    assert [each["id"] for each in call("GET /v1/transfers", destination=shop.account)["data"]] == [
        made["id"]
    ]


def test_who_may_not_be_paid(call: Talk) -> None:
    waiting = call("POST /v1/accounts", type="custom", **{"capabilities[transfers][requested]": True})["id"]
    basic = {"amount": 1000, "currency": "usd"}
    error = call.refused("POST /v1/payment_intents", **basic, **{"transfer_data[destination]": waiting})
    assert (error["code"], error["param"]) == (
        "insufficient_capabilities_for_transfer",
        "transfer_data[destination]",
    )
    shop = connected(call)
    fault = call.refused(
        "POST /v1/payment_intents",
        **basic,
        application_fee_amount=1_001,
        **{"transfer_data[destination]": shop.account},
    )
    assert fault["param"] == "application_fee_amount"
    assert call.refused("POST /v1/transfers", **basic, destination="acct_none")["param"] == "destination"
    message = shop.refused("POST /v1/transfers", **basic, destination=waiting)["message"]
    assert message.startswith("Only a platform")


def test_top_ups(call: Talk) -> None:
    made = call("POST /v1/topups", amount=5_000, currency="usd", description="More")
    assert (made["status"], call.available()) == ("pending", 0)
    for amount, code in ((0, "parameter_invalid_integer"), (100_000_000, "amount_too_large")):
        assert call.refused("POST /v1/topups", amount=amount, currency="usd")["code"] == code
    gone = call("POST /v1/topups", amount=700, currency="usd")
    assert call(f"POST /v1/topups/{gone['id']}/cancel")["status"] == "canceled"
    call.transport.advance(DAY)
    assert (call(f"GET /v1/topups/{made['id']}")["status"], net(call, type="topup")) == ("succeeded", 5_000)
    assert call.refused(f"POST /v1/topups/{made['id']}/cancel")["status"] == 400
    assert [
        each["id"] for each in call("GET /v1/topups", {"amount[gt]": 4_000, "status": "succeeded"})["data"]
    ] == [made["id"]]
    assert call.types(type="topup.*") == [
        "topup.created",
        "topup.created",
        "topup.canceled",
        "topup.succeeded",
    ]


def test_connected_accounts_are_kept_in_a_file(call: Talk) -> None:
    shop = connected(call)
    shop.intent(3_000, "pm_card_visa", application_fee_amount=100)
    shop("POST /v1/customers", name="K")
    again = SandboxTransport(demo=False)
    again.account = snapshot.restore(snapshot.dump(call.transport.account))
    copy = Acting(again, shop.account)
    assert copy("GET /v1/customers") == shop("GET /v1/customers")
    for transport in (again, call.transport):
        transport.advance(4 * DAY)
    assert copy("GET /v1/balance") == shop("GET /v1/balance")
    assert copy.every("/v1/payouts") == shop.every("/v1/payouts")
    assert shop("POST /v1/customers")["id"] == copy("POST /v1/customers")["id"]


def test_events_of_a_connected_account_name_it(call: Talk) -> None:
    shop = connected(call)
    shop("POST /v1/customers", name="K")
    (event,) = shop("GET /v1/events", type="customer.created")["data"]
    assert event["account"] == shop.account
    assert call("GET /v1/events", type="customer.created")["data"] == []


def test_an_idempotency_key_is_an_accounts_own(call: Talk) -> None:
    shop, key = connected(call), {"Idempotency-Key": "k1"}
    hers = shop.raw("POST /v1/customers", {"name": "A"}, headers=key).json()
    assert call.raw("POST /v1/customers", {"name": "B"}, headers=key).json()["name"] == "B"
    assert shop.raw("POST /v1/customers", {"name": "A"}, headers=key).json() == hers


# whatever is tried


class Platform(RuleBasedStateMachine):
    """Random calls on a platform and two connected accounts: what leaves one arrives at the other."""

    def __init__(self) -> None:
        super().__init__()
        self.sandbox = SandboxTransport(demo=False)
        self.talk = Talk(self.sandbox)
        self.talk.intent(80_000, FUNDS)
        self.shops = [connected(self.talk), connected(self.talk)]

    def teardown(self) -> None:
        for each in (self.talk, *self.shops):
            each.client.close()

    def attempt(self, talk: Talk, what: str, params: dict[str, Any]) -> None:
        try:
            talk(what, params)
        except Refused as refused:
            assert refused.status in {400, 402, 404}, refused

    def some(self, kind: str, place: int) -> str:
        rows = self.sandbox.account.table(kind).rows
        return rows[place % len(rows)].id if rows else "none"

    @rule(
        shop=st.integers(0, 1),
        amount=st.integers(40, 30_000),
        fee=st.integers(0, 400),
        method=st.sampled_from([FUNDS, "pm_card_visa", "pm_card_createDispute"]),
    )
    def direct(self, shop: int, amount: int, fee: int, method: str) -> None:
        given = {
            "amount": amount,
            "currency": "usd",
            "payment_method": method,
            "confirm": True,
            "application_fee_amount": fee,
        }
        self.attempt(self.shops[shop], "POST /v1/payment_intents", given)

    @rule(
        shop=st.integers(0, 1),
        amount=st.integers(50, 30_000),
        fee=st.integers(0, 400),
        part=st.booleans(),
        manual=st.booleans(),
    )
    def destined(self, shop: int, amount: int, fee: int, part: bool, manual: bool) -> None:
        given = {
            "amount": amount, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True,
            "transfer_data[destination]": self.shops[shop].account,
            "capture_method": "manual" if manual else "automatic",
        }  # fmt: skip
        given["transfer_data[amount]" if part else "application_fee_amount"] = fee
        self.attempt(self.talk, "POST /v1/payment_intents", given)

    @rule(
        shop=st.integers(0, 2),
        amount=st.integers(50, 30_000),
        percent=st.sampled_from([0, 3.33, 50, 100]),
        part=st.booleans(),
    )
    def subscribe(self, shop: int, amount: int, percent: float, part: bool) -> None:
        """Of the platform for a shop, or (2) of a shop by itself."""
        talk = self.shops[0] if shop == 2 else self.talk
        given: dict[str, Any] = {
            "items[0][price_data][currency]": "usd", "items[0][price_data][unit_amount]": amount,
            "items[0][price_data][recurring][interval]": "day",
            "items[0][price_data][product]": talk("POST /v1/products", name="P")["id"],
        }  # fmt: skip
        method = {"payment_method": FUNDS, "invoice_settings[default_payment_method]": FUNDS}
        given["customer"] = talk("POST /v1/customers", method)["id"]
        if shop < 2:
            given["transfer_data[destination]"] = self.shops[shop].account
        share = part and shop < 2
        given["transfer_data[amount_percent]" if share else "application_fee_percent"] = percent
        talk("POST /v1/subscriptions", given)

    @rule(
        shop=st.integers(0, 2),
        way=st.sampled_from(["quote", "link", "session", "schedule"]),
        amount=st.integers(50, 30_000),
        percent=st.sampled_from([0, 3.33, 50, 100]),
        recurs=st.booleans(),
        part=st.booleans(),
    )
    def offer(self, shop: int, way: str, amount: int, percent: float, recurs: bool, part: bool) -> None:
        """What leads to a subscription or to one payment: of the platform for a shop, or (2) of a shop."""
        talk = self.shops[0] if shop == 2 else self.talk
        price = {"currency": "usd", "unit_amount": amount, "product_data[name]": "P"}
        recurs = recurs or way == "schedule"
        if recurs:
            price["recurring[interval]"] = "day"
        share = percent if recurs else round(amount * percent / 100)
        of_part = part and shop < 2
        name = ("transfer_data[amount{}]" if of_part else "application_fee_{}").format(
            ("_percent" if of_part else "percent") if recurs else ("" if of_part else "amount")
        )
        said = {name: share}
        if shop < 2:
            said["transfer_data[destination]"] = self.shops[shop].account
        method = {"payment_method": FUNDS, "invoice_settings[default_payment_method]": FUNDS}
        who = talk("POST /v1/customers", method)["id"]
        getattr(self, f"_by_{way}")(talk, talk("POST /v1/prices", price)["id"], who, said, recurs)

    def _by_quote(self, talk: Talk, price: str, who: str, said: dict[str, Any], recurs: bool) -> None:
        made = talk("POST /v1/quotes", {"customer": who, "line_items[0][price]": price, **said})["id"]
        talk(f"POST /v1/quotes/{made}/finalize")
        invoice = talk(f"POST /v1/quotes/{made}/accept")["invoice"]
        if not recurs:
            self.attempt(talk, f"POST /v1/invoices/{invoice}/pay", {})

    def _by_link(self, talk: Talk, price: str, who: str, said: dict[str, Any], recurs: bool) -> None:
        lines = {"line_items[0][price]": price, "line_items[0][quantity]": 1}
        try:
            made = talk("POST /v1/payment_links", {**lines, **said})["id"]
            self._paid(talk, talk(f"POST /v1/test_helpers/payment_links/{made}/open"))
        except Refused as refused:  # nothing to pass on, or a share where links have amounts
            assert refused.error["param"].startswith(("payment_intent_data", "transfer_data")), refused

    def _by_session(self, talk: Talk, price: str, who: str, said: dict[str, Any], recurs: bool) -> None:
        within = "subscription_data" if recurs else "payment_intent_data"
        given = {
            f"{within}[{name.replace('[', '][', 1)}{'' if '[' in name else ']'}": of
            for name, of in said.items()
        }
        lines = {"line_items[0][price]": price, "line_items[0][quantity]": 1, "customer": who}
        mode = {"mode": "subscription" if recurs else "payment", "success_url": "https://example.com"}
        try:
            self._paid(talk, talk("POST /v1/checkout/sessions", {**mode, **lines, **given}))
        except Refused as refused:
            assert refused.error["param"].endswith("[transfer_data][amount]"), refused

    def _paid(self, talk: Talk, session: dict[str, Any]) -> None:
        path = f"POST /v1/test_helpers/checkout/sessions/{session['id']}/complete"
        self.attempt(talk, path, {"payment_method": FUNDS, "email": "a@example.com"})

    def _by_schedule(self, talk: Talk, price: str, who: str, said: dict[str, Any], recurs: bool) -> None:
        phase = {
            f"phases[0][{name.replace('[', '][', 1)}{'' if '[' in name else ']'}": of
            for name, of in said.items()
        }
        items = {f"phases[{place}][items][0][price]": price for place in range(2)}
        last = {"phases[0][iterations]": 1, "phases[1][iterations]": 2}
        talk("POST /v1/subscription_schedules", {"customer": who, **items, **last, **phase})

    @rule(place=st.integers(0, 30), amount=st.integers(1, 20_000), fee=st.booleans())
    def capture(self, place: int, amount: int, fee: bool) -> None:
        more = {"application_fee_amount": amount // 20} if fee else {}
        self.attempt(
            self.talk,
            f"POST /v1/payment_intents/{self.some('payment_intent', place)}/capture",
            {"amount_to_capture": amount, **more},
        )

    @rule(
        shop=st.integers(0, 1), amount=st.integers(1, 40_000), place=st.integers(0, 30), sourced=st.booleans()
    )
    def transfer(self, shop: int, amount: int, place: int, sourced: bool) -> None:
        more = {"source_transaction": self.some("charge", place)} if sourced else {}
        self.attempt(
            self.talk,
            "POST /v1/transfers",
            {"amount": amount, "currency": "usd", "destination": self.shops[shop].account, **more},
        )

    @precondition(lambda self: bool(self.sandbox.account.table("transfer").rows))
    @rule(place=st.integers(0, 30), amount=st.integers(1, 20_000), fee=st.booleans())
    def reverse(self, place: int, amount: int, fee: bool) -> None:
        given = {"amount": amount, "refund_application_fee": fee}
        self.attempt(self.talk, f"POST /v1/transfers/{self.some('transfer', place)}/reversals", given)

    @rule(
        shop=st.integers(0, 2),
        place=st.integers(0, 30),
        share=st.integers(1, 10),
        fee=st.booleans(),
        back=st.booleans(),
    )
    def refund(self, shop: int, place: int, share: int, fee: bool, back: bool) -> None:
        talk = (self.talk, *self.shops)[shop]
        table = (
            self.sandbox.account.table
            if not shop
            else self.sandbox.account.family.connected[self.shops[shop - 1].account].table
        )
        rows = table("charge").rows
        if rows:
            charge = rows[place % len(rows)].value
            given = {
                "charge": charge["id"],
                "amount": max(1, charge["amount"] * share // 10),
                "refund_application_fee": fee,
                "reverse_transfer": back,
            }
            self.attempt(talk, "POST /v1/refunds", given)

    @rule(place=st.integers(0, 30), amount=st.integers(1, 300))
    def give_back(self, place: int, amount: int) -> None:
        self.attempt(
            self.talk,
            f"POST /v1/application_fees/{self.some('application_fee', place)}/refunds",
            {"amount": amount},
        )

    @rule(days=st.integers(1, 4))
    def wait(self, days: int) -> None:
        self.sandbox.advance(days * DAY)

    @invariant()
    def conserved(self) -> None:
        family = self.sandbox.account.family
        every = {account: list(account.each("balance_transaction")) for account in family.accounts()}
        for account, entries in every.items():
            assert all(
                each["net"]
                == each["amount"] - each["fee"]
                == each["amount"] - sum(one["amount"] for one in each["fee_details"])
                for each in entries
            )
            for currency, (available, pending) in account.ledger.totals.items():
                own = [each for each in entries if each["currency"] == currency]
                assert available == sum(each["net"] for each in own if each["status"] == "available")
                assert pending == sum(each["net"] for each in own if each["status"] == "pending")
        platform, *shops = every.values()
        theirs = [each for shop in shops for each in shop]
        sent = -sum(each["amount"] for each in platform if each["type"] in {"transfer", "transfer_refund"})
        assert sent == sum(each["amount"] for each in theirs if each["type"] in {"payment", "payment_refund"})
        paid = sum(
            one["amount"]
            for each in theirs
            for one in each["fee_details"]
            if one["type"] == "application_fee"
        )
        back = sum(
            each["amount"]
            for each in theirs
            if each["type"] == "adjustment" and each["reporting_category"] == "fee"
        )
        assert paid == sum(each["amount"] for each in platform if each["type"] == "application_fee")
        assert back == -sum(each["amount"] for each in platform if each["type"] == "application_fee_refund")


TestPlatform = Platform.TestCase
TestPlatform.settings = settings(
    max_examples=20, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture
def call() -> Talk:
    return Talk(SandboxTransport(demo=False))
