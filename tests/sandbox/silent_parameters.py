"""What the test of silent parameters needs: an account with an object of each kind, a good call of each
operation, values to try, and the exceptions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from stripe_magics.sandbox import SandboxTransport, snapshot
from stripe_magics.sandbox.core.object_table import Row, Table
from stripe_magics.sandbox.core.store import Account

from .conftest import DAY, Talk

NOW = 1793610000

NO_VISIBLE_EFFECT: dict[str, str] = {
    "DELETE /v1/subscription_items/{item} clear_usage": "the item isn't metered",
    "POST /v1/accounts/{account}/external_accounts external_account[object]": (
        "the default itself; a card has a number of another kind"
    ),
    "POST /v1/accounts/{account}/external_accounts/{id} default_for_currency": (
        "the currency's one bank account is the default already"
    ),
    "POST /v1/transfers source_type": "all funds come from cards here",
    "POST /v1/tax/calculations line_items[][tax_code]": (
        "one code is taxed like another here; txcd_00000000 (nothing is due) is tested by itself"
    ),
    "expand": "only what the answer shows",
    "POST /v1/customers/{customer} default_source": "the customer's one card is the default already",
    "POST /v1/customers/{customer} invoice_settings[default_payment_method]": (
        "the customer's one method is the default already"
    ),
    "POST /v1/invoiceitems currency": "the amount given is in the customer's currency",
    "POST /v1/payment_intents/{intent} customer": "the intent's customer can't be changed",
    "use_stripe_sdk": "how a browser would go on",
    "POST /v1/invoices/create_preview currency": "the subscription's own: another is refused",
    "POST /v1/invoices/create_preview customer": "the subscription's own: another is refused",
    "POST /v1/invoices/create_preview subscription_details[items][][id]": (
        "names the item that the rest changes"
    ),
    "POST /v1/invoices/create_preview subscription_details[proration_behavior]": (
        "nothing is prorated without a change"
    ),
    "POST /v1/invoices/create_preview subscription_details[proration_date]": (
        "nothing is prorated without a change"
    ),
    "POST /v1/payment_intents/{intent}/confirm mandate_data[customer_acceptance][online][ip_address]": (
        "stands in the mandate of an online acceptance"
    ),
    "POST /v1/payment_intents/{intent}/confirm mandate_data[customer_acceptance][online][user_agent]": (
        "stands in the mandate of an online acceptance"
    ),
    "POST /v1/payment_intents/{intent}/confirm return_url": "a card doesn't send the payer away",
    "POST /v1/setup_intents/{intent}/confirm mandate_data[customer_acceptance][online][ip_address]": (
        "stands in the mandate of an online acceptance"
    ),
    "POST /v1/setup_intents/{intent}/confirm mandate_data[customer_acceptance][online][user_agent]": (
        "stands in the mandate of an online acceptance"
    ),
    "POST /v1/setup_intents/{intent}/confirm return_url": "a card doesn't send the payer away",
    "POST /v1/shipping_rates type": "there is one type",
    "POST /v1/checkout/sessions currency": "the prices' own: another is refused",
    "POST /v1/files file": "its parts are filename, type and data",
    "POST /v1/payment_links currency": "the prices' own: another is refused",
    "payment_behavior": "the payment succeeds",
    "POST /v1/subscription_items/{item} proration_behavior": "nothing is prorated without a change",
    "POST /v1/subscription_items/{item} proration_date": "nothing is prorated without a change",
    "POST /v1/subscription_schedules default_settings[collection_method]": (
        "the default itself; another needs days until due"
    ),
    "POST /v1/subscription_schedules phases[][currency]": "the prices' own: another is refused",
    "POST /v1/subscription_schedules/{schedule} phases[][currency]": "the prices' own: another is refused",
    "POST /v1/subscription_schedules/{schedule} proration_behavior": "nothing is prorated without a change",
    "POST /v1/subscription_schedules/{schedule}/release preserve_cancel_date": "there is no date to keep",
    "POST /v1/subscriptions currency": "the prices' own: another is refused",
    "POST /v1/subscriptions/{subscription_exposed_id} items[][id]": "names the item that the rest changes",
    "POST /v1/subscriptions/{subscription_exposed_id} proration_behavior": (
        "nothing is prorated without a change"
    ),
    "POST /v1/subscriptions/{subscription_exposed_id} proration_date": "nothing is prorated without a change",
    "POST /v1/subscriptions/{subscription}/resume billing_cycle_anchor": (
        "the default itself, and the anchor is today"
    ),
    "POST /v1/subscriptions/{subscription}/resume proration_behavior": (
        "nothing is prorated where the period begins now"
    ),
    "POST /v1/payouts method": "the default itself; the other needs a card",
    "POST /v1/payouts source_type": "all funds come from cards here",
    "POST /v1/plans billing_scheme": "the default itself; the other needs tiers",
    "POST /v1/prices billing_scheme": "the default itself; the other needs tiers",
    "transfer_lookup_key": "nothing else has the key",
    **dict.fromkeys(
        (
            "issuer[type]",
            "automatic_tax[liability][type]",
            "invoice_settings[issuer][type]",
            "default_settings[invoice_settings][issuer][type]",
            "default_settings[automatic_tax][liability][type]",
            "phases[][automatic_tax][liability][type]",
        ),
        "the default itself; the other type needs an account, and is tried with one",
    ),
    "shipping_cost[shipping_rate_data][type]": "there is one type",
    "error_on_requires_action": "the card asks for nothing",
    "POST /v1/customers/{customer}/funding_instructions bank_transfer[requested_address_types][]": (
        "the kinds of transfer with types to ask for have one each"
    ),
    "POST /v1/billing/credit_grants amount[type]": "there is one type",
    "POST /v1/billing/alerts alert_type": "there is one type",
    "POST /v1/billing/alerts usage_threshold[recurrence]": "there is one",
    "POST /v1/billing/alerts usage_threshold[meter]": "the account has one meter that is active",
    "POST /v1/tax_ids owner[type]": "the default itself; the other needs its customer",
    "POST /v1/billing/credit_grants applicability_config[scope][price_type]": "there is one type",
    "POST /v1/payment_intents/{intent}/apply_customer_balance currency": (
        "the intent's own: another is refused"
    ),
    "off_session": "whether the payer is there matters to cards that ask for authentication only",
}
"""Parameters whose value can't be seen in this account, each with the reason."""


class Objects:
    """The objects of an account and of those connected to it, read once: they are most of what is opened
    thousands of times."""

    def __init__(self, account: Account) -> None:
        accounts = {"": account, **account.family.connected}
        self._rows = {
            owner: {
                kind: [(row.id, row.created, row.seq, row.keys, None, row.text) for row in table.ordered()]
                for kind, table in each.tables.items()
            }
            for owner, each in accounts.items()
        }
        self._members = {owner: each.ledger.members for owner, each in accounts.items()}

    def tables(self, account: str) -> dict[str, Table]:
        made = {kind: Table(kind) for kind in self._rows[account]}
        for kind, rows in self._rows[account].items():
            table = made[kind]
            table.rows = [Row(*each) for each in rows]
            table.by_id = {row.id: row for row in table.rows}
        return made

    def members(self, account: str) -> Callable[[], dict[str, list[str]]]:
        return lambda: {payout: list(ids) for payout, ids in self._members[account].items()}


class World:
    """One account with an object of each kind, made anew as often as needed."""

    def __init__(self, account: Account, ids: dict[str, str]) -> None:
        self.content, self.ids = snapshot.encode_state(account, objects=False), ids
        self.objects = Objects(account)

    def opened(self) -> SandboxTransport:
        """The account, as it was prepared."""
        transport = SandboxTransport(demo=False)
        transport.account = snapshot.decode_state(self.content, self.objects)
        return transport

    @classmethod
    def prepared(cls) -> World:
        """Make it."""
        transport = SandboxTransport(demo=False)
        call = Talk(transport)
        ids: dict[str, str] = {"capability": "card_payments"}

        def keep(key: str, what: str, /, **params: Any) -> str:
            ids[key] = call(what, params)["id"]
            return ids[key]

        customer = keep(
            "customer", "POST /v1/customers", name="A", email="a@example.com", source="tok_visa",
            **{"address[country]": "DE", "address[line1]": "x", "address[city]": "y",
                "address[postal_code]": "1"},
        )  # fmt: skip
        ids["payment_method"] = call("POST /v1/payment_methods/pm_card_mastercard/attach", customer=customer)[
            "id"
        ]
        ids["card"] = call(f"GET /v1/customers/{customer}/sources")["data"][0]["id"]
        call(
            f"POST /v1/customers/{customer}",
            {"invoice_settings[default_payment_method]": ids["payment_method"]},
        )
        ids["tax_id"] = call(f"POST /v1/customers/{customer}/tax_ids", type="eu_vat", value="DE123456789")[
            "id"
        ]
        ids["customer_balance_transaction"] = call(
            f"POST /v1/customers/{customer}/balance_transactions", amount=-50, currency="usd"
        )["id"]
        keep("other_customer", "POST /v1/customers", name="B", payment_method="pm_card_visa")
        keep("product", "POST /v1/products", name="P")
        keep("other_product", "POST /v1/products", name="Q")
        plain = {"product": ids["product"], "currency": "usd", "unit_amount": 1000}
        keep("once", "POST /v1/prices", **plain)
        keep("monthly", "POST /v1/prices", **plain, **{"recurring[interval]": "month"})
        keep(
            "other_monthly",
            "POST /v1/prices",
            **{**plain, "unit_amount": 3000},
            **{"recurring[interval]": "month"},
        )
        keep(
            "trial_monthly",
            "POST /v1/prices",
            **plain,
            **{"recurring[interval]": "month", "recurring[trial_period_days]": 9},
        )
        keep(
            "metered",
            "POST /v1/prices",
            **plain,
            **{"recurring[interval]": "month", "recurring[usage_type]": "metered"},
        )
        keep(
            "meter",
            "POST /v1/billing/meters",
            display_name="M",
            event_name="m",
            **{"default_aggregation[formula]": "sum"},
        )
        keep(
            "inactive_meter",
            "POST /v1/billing/meters",
            display_name="I",
            event_name="i",
            **{"default_aggregation[formula]": "sum"},
        )
        call(f"POST /v1/billing/meters/{ids['inactive_meter']}/deactivate")
        keep("coupon", "POST /v1/coupons", id="C10", percent_off=10, duration="forever")
        keep("promotion_code", "POST /v1/promotion_codes", coupon="C10", code="PROMO")
        keep("tax_rate", "POST /v1/tax_rates", display_name="VAT", percentage=20, inclusive="false")
        keep(
            "shipping_rate",
            "POST /v1/shipping_rates",
            display_name="S",
            type="fixed_amount",
            **{"fixed_amount[amount]": 300, "fixed_amount[currency]": "usd"},
        )
        for name, method, extra in [
            ("paid_intent", "pm_card_bypassPending", {}),
            ("held_intent", "pm_card_visa", {"capture_method": "manual"}),
        ]:  # fmt: skip
            intent = call.intent(9000, method, customer=customer, **extra)
            ids[name], ids[f"{name}_charge"] = intent["id"], intent["latest_charge"]
        keep("setup_intent", "POST /v1/setup_intents", payment_method="pm_card_visa")
        ids["intent"] = call("POST /v1/payment_intents", amount=2000, currency="usd", customer=customer)["id"]
        ids["confirmable"] = call(
            "POST /v1/payment_intents", amount=2000, currency="usd", payment_method="pm_card_visa"
        )["id"]
        ids["held_charge"] = call(
            "POST /v1/charges", amount=2000, currency="usd", source="tok_visa", capture=False
        )["id"]
        ids["charge"] = call("POST /v1/charges", amount=2000, currency="usd", source="tok_visa")["id"]
        ids["refund"] = call("POST /v1/refunds", charge=ids["charge"], amount=100)["id"]
        call.intent(5000, "pm_card_createDispute")
        ids["dispute"] = call("GET /v1/disputes")["data"][0]["id"]
        ids["invoiceitem"] = call(
            "POST /v1/invoiceitems", customer=customer, unit_amount=700, quantity=2, currency="usd"
        )["id"]
        ids["draft"] = call("POST /v1/invoices", customer=customer, currency="usd")["id"]
        call("POST /v1/invoiceitems", customer=customer, amount=1500, currency="usd", invoice=ids["draft"])
        ids["line"] = call(f"GET /v1/invoices/{ids['draft']}")["lines"]["data"][0]["id"]
        ids["open"] = _invoice(call, customer, "finalize")
        ids["open_line"] = call(f"GET /v1/invoices/{ids['open']}")["lines"]["data"][0]["id"]
        ids["sent"] = call(
            "POST /v1/invoices", customer=customer, collection_method="send_invoice", days_until_due=5
        )["id"]
        ids["paid_invoice"] = _invoice(call, customer, "finalize", "pay")
        ids["credit_note"] = call("POST /v1/credit_notes", invoice=ids["open"], amount=100)["id"]
        made = call(
            "POST /v1/subscriptions",
            {"customer": customer, "items[0][price]": ids["monthly"], "items[1][price]": ids["metered"]},
        )
        ids["subscription"] = made["id"]
        ids["item"], ids["metered_item"] = (each["id"] for each in made["items"]["data"])
        bare = call("POST /v1/customers", name="C")["id"]
        paused = call(
            "POST /v1/subscriptions",
            {
                "customer": bare,
                "items[0][price]": ids["monthly"],
                "trial_period_days": 1,
                "trial_settings[end_behavior][missing_payment_method]": "pause",
            },
        )["id"]
        transport.advance(2 * DAY)
        call(f"POST /v1/customers/{bare}", source="tok_visa")
        ids["paused_subscription"] = paused
        keep("discounted", "POST /v1/customers", name="D", coupon=ids["coupon"], source="tok_visa")
        ids["discounted_subscription"] = call(
            "POST /v1/subscriptions",
            {"customer": ids["discounted"], "items[0][price]": ids["monthly"], "coupon": ids["coupon"]},
        )["id"]
        ids["quote"] = call("POST /v1/quotes", {"customer": customer, "line_items[0][price]": ids["once"]})[
            "id"
        ]
        ids["open_quote"] = call(
            "POST /v1/quotes", {"customer": customer, "line_items[0][price]": ids["once"]}
        )["id"]
        call(f"POST /v1/quotes/{ids['open_quote']}/finalize")
        ids["schedule"] = call(
            "POST /v1/subscription_schedules",
            {"customer": customer, "phases[0][items][0][price]": ids["monthly"], "phases[0][iterations]": 2},
        )["id"]
        ids["payment_link"] = call(
            "POST /v1/payment_links", {"line_items[0][price]": ids["once"], "line_items[0][quantity]": 1}
        )["id"]
        ids["endpoint"] = call(
            "POST /v1/webhook_endpoints",
            {"url": "https://example.com/x", "enabled_events[]": "charge.failed"},
        )["id"]
        ids["account"] = transport.account.profile["id"]
        call(
            "POST /v1/billing/meter_events",
            {
                "event_name": "m",
                "identifier": "ev1",
                "payload[stripe_customer_id]": customer,
                "payload[value]": 4,
            },
        )
        call(f"POST /v1/subscription_items/{ids['metered_item']}/usage_records", quantity=5, timestamp="now")
        call.intent(40_000, "pm_card_bypassPending")
        ids["payout"] = call("POST /v1/payouts", amount=500, currency="usd")["id"]
        ids["pending_item"] = call(
            "POST /v1/invoiceitems", customer=customer, unit_amount=700, quantity=2, currency="usd"
        )["id"]
        ids["session"] = call(
            "POST /v1/checkout/sessions",
            {
                "mode": "payment",
                "success_url": "https://example.com/s",
                "line_items[0][price]": ids["once"],
                "line_items[0][quantity]": 1,
            },
        )["id"]
        ids["portal"] = call(
            "POST /v1/billing_portal/configurations", {"features[invoice_history][enabled]": "true"}
        )["id"]
        for country, start in (("DE", "now"), ("JP", NOW + 300 * DAY)):
            kind = f"country_options[{country.lower()}][type]"
            scheme = "oss_union" if country == "DE" else "standard"
            registered = {"active_from": start, "country": country, kind: scheme}
            ids["registration"] = call("POST /v1/tax/registrations", registered)["id"]
        _connect(call, ids)
        ids["file"] = call(
            "POST /v1/files",
            {
                "purpose": "dispute_evidence",
                "file[filename]": "a.txt",
                "file[type]": "text/plain",
                "file[data]": "eA==",
            },
        )["id"]
        keep("link", "POST /v1/file_links", file=ids["file"])
        keep("source", "POST /v1/sources", type="card", token="tok_visa")
        ids["review"] = call.charge_of(call.intent(5_000, "pm_card_riskLevelElevated"))["review"]
        ids["bank_token"] = call(
            "POST /v1/tokens", {"bank_account[country]": "US", "bank_account[account_number]": "000123456789"}
        )["id"]
        ids["customers_bank"] = call(f"POST /v1/customers/{customer}/sources", source=ids["bank_token"])["id"]
        keep("configuration", "POST /v1/payment_method_configurations", name="C")
        keep("test_clock", "POST /v1/test_helpers/test_clocks", frozen_time=NOW)
        _cash(call, ids)
        _tax(call, ids)
        keep("feature", "POST /v1/entitlements/features", lookup_key="f", name="F")
        keep("other_feature", "POST /v1/entitlements/features", lookup_key="g", name="G")
        link = call(f"POST /v1/products/{ids['product']}/features", entitlement_feature=ids["feature"])
        ids["product_feature"] = link["id"]
        ids["entitlement"] = call("GET /v1/entitlements/active_entitlements", customer=customer)["data"][0][
            "id"
        ]
        keep(
            "alert",
            "POST /v1/billing/alerts",
            title="A",
            **_ALERT,
            **{"usage_threshold[meter]": ids["meter"]},
        )
        keep("quiet_alert", "POST /v1/billing/alerts", title="B", **_ALERT,
             **{"usage_threshold[meter]": ids["meter"]})  # fmt: skip
        call(f"POST /v1/billing/alerts/{ids['quiet_alert']}/deactivate")
        grant = {"amount[type]": "monetary", "amount[monetary][currency]": "usd"} | _SCOPE
        ids["grant"] = call(
            "POST /v1/billing/credit_grants",
            {"customer": customer, "category": "paid", "amount[monetary][value]": 500, **grant},
        )["id"]
        ids["credit_transaction"] = call("GET /v1/billing/credit_balance_transactions", customer=customer)[
            "data"
        ][0]["id"]
        call.client.close()
        return cls(snapshot.restore(snapshot.dump(transport.account)), ids)


def _connect(call: Talk, ids: dict[str, str]) -> None:
    """Two connected accounts, a payment that was passed on, and what came back of it."""
    ids["connected"] = call("POST /v1/accounts", type="express")["id"]
    ids["other_connected"] = call("POST /v1/accounts", type="custom")["id"]
    call(f"POST /v1/test_helpers/accounts/{ids['connected']}/onboard")
    ids["person"] = call(f"POST /v1/accounts/{ids['other_connected']}/persons", first_name="A")["id"]
    call.intent(
        90_000,
        "pm_card_bypassPending",
        application_fee_amount=500,
        **{"transfer_data[destination]": ids["connected"]},
    )
    call.intent(90_000, "pm_card_bypassPending")
    transfer = call("GET /v1/transfers", limit=1)["data"][0]
    ids["transfer"], ids["sent_charge"] = transfer["id"], transfer["source_transaction"]
    ids["application_fee"] = call("GET /v1/application_fees", limit=1)["data"][0]["id"]
    ids["reversal"] = call(f"POST /v1/transfers/{ids['transfer']}/reversals", amount=10)["id"]
    ids["fee_refund"] = call(f"POST /v1/application_fees/{ids['application_fee']}/refunds", amount=10)["id"]
    ids["topup"] = call("POST /v1/topups", amount=100, currency="usd")["id"]
    banks = call("GET /v1/account")["external_accounts"]["data"]
    ids["bank"] = next(each["id"] for each in banks if each["currency"] == "usd")


def _cash(call: Talk, ids: dict[str, str]) -> None:
    """A customer with a cash balance that is reconciled by hand, an intent that waits, a refund."""
    who = call("POST /v1/customers", name="W", email="w@example.com")["id"]
    ids["wired"] = who
    call(f"POST /v1/customers/{who}/cash_balance", {"settings[reconciliation_mode]": "manual"})
    funded = call(f"POST /v1/test_helpers/customers/{who}/fund_cash_balance", amount=5000, currency="usd")
    ids["cash_transaction"] = funded["id"]
    waiting = call(
        "POST /v1/payment_intents",
        {
            "amount": 900, "currency": "usd", "customer": who, "confirm": True,
            "payment_method_types[]": "customer_balance", "payment_method_data[type]": "customer_balance",
            "payment_method_options[customer_balance][funding_type]": "bank_transfer",
            "payment_method_options[customer_balance][bank_transfer][type]": "us_bank_transfer",
        },
    )  # fmt: skip
    ids["waiting_intent"] = waiting["id"]
    ids["asked_refund"] = call(
        "POST /v1/refunds", origin="customer_balance", customer=who, currency="usd", amount=100
    )["id"]


_SCOPE = {"applicability_config[scope][price_type]": "metered"}


_ALERT = {
    "alert_type": "usage_threshold", "usage_threshold[gte]": 5, "usage_threshold[recurrence]": "one_time",
}  # fmt: skip


def _tax(call: Talk, ids: dict[str, str]) -> None:
    """A calculation, and a transaction of it."""
    made = call(
        "POST /v1/tax/calculations",
        {
            "currency": "eur", "customer_details[address][country]": "DE",
            "customer_details[address_source]": "billing", "line_items[0][amount]": 1000,
            "shipping_cost[amount]": 300,
        },
    )["id"]  # fmt: skip
    ids["calculation"] = made
    booked = call(
        "POST /v1/tax/transactions/create_from_calculation",
        {"calculation": made, "reference": "order", "expand[]": "line_items"},
    )
    ids["tax_transaction"] = booked["id"]
    ids["tax_line"] = booked["line_items"]["data"][0]["id"]


def _invoice(call: Talk, customer: str, *steps: str) -> str:
    made = call("POST /v1/invoices", customer=customer, currency="usd")["id"]
    call(
        "POST /v1/invoiceitems", customer=customer, unit_amount=1000, quantity=3, currency="usd", invoice=made
    )
    for step in steps:
        call(f"POST /v1/invoices/{made}/{step}")
    return str(made)


def state(transport: SandboxTransport) -> bytes:
    """All that an account holds."""
    account = transport.account
    account.family.flush()
    return msgspec.json.encode(
        (
            {
                kind: [(row.id, msgspec.Raw(row.text)) for row in table.ordered()]
                for kind, table in account.tables.items()
            },
            [snapshot._part(each, objects=True) for each in account.family.connected.values()],
            account.private_state, account.deleted, account.long_lines, account.link_lines,
            account.ledger.members, sorted(account.clock.jobs), account.profile,
        )
    )  # fmt: skip


PLACES = {
    "customer": "customer", "charge": "charge", "intent": "intent", "payment_method": "payment_method",
    "invoiceitem": "invoiceitem", "invoice": "draft", "line_item_id": "line",
    "subscription_exposed_id": "subscription", "subscription": "paused_subscription", "item": "item",
    "subscription_item": "metered_item", "quote": "quote", "schedule": "schedule", "price": "monthly",
    "plan": "monthly", "coupon": "coupon", "promotion_code": "promotion_code", "tax_rate": "tax_rate",
    "shipping_rate_token": "shipping_rate", "refund": "refund", "dispute": "dispute", "payout": "payout",
    "payment_link": "payment_link", "webhook_endpoint": "endpoint", "account": "account",
    "transaction": "customer_balance_transaction", "capability": "capability", "person": "person",
    "test_clock": "test_clock", "configuration": "configuration", "link": "link", "source": "source",
    "review": "review", "transfer": "transfer", "topup": "topup",
}  # fmt: skip
"""Name of a place in a path -> the object that stands there."""
AT: dict[str, dict[str, str]] = {
    "POST /v1/products/{id}": {"id": "product"}, "DELETE /v1/products/{id}": {"id": "other_product"},
    "POST /v1/charges/{charge}/capture": {"charge": "held_charge"},
    "POST /v1/charges/{charge}/refunds/{refund}": {"refund": "refund"},
    "POST /v1/credit_notes/{id}": {"id": "credit_note"},
    "POST /v1/credit_notes/{id}/void": {"id": "credit_note"},
    "DELETE /v1/customers/{customer}/sources/{id}": {"id": "card"},
    "DELETE /v1/customers/{customer}/tax_ids/{id}": {"id": "tax_id"},
    "POST /v1/invoices/{invoice}/pay": {"invoice": "open"},
    "POST /v1/invoices/{invoice}/void": {"invoice": "open"},
    "POST /v1/invoices/{invoice}/mark_uncollectible": {"invoice": "open"},
    "POST /v1/invoices/{invoice}/send": {"invoice": "sent"},
    "POST /v1/invoices/{invoice}/attach_payment": {"invoice": "open"},
    "POST /v1/payment_intents/{intent}/capture": {"intent": "held_intent"},
    "POST /v1/payment_intents/{intent}/confirm": {"intent": "confirmable"},
    "POST /v1/payment_intents/{intent}/apply_customer_balance": {"intent": "waiting_intent"},
    "POST /v1/refunds/{refund}/cancel": {"refund": "asked_refund"},
    "POST /v1/test_helpers/refunds/{refund}/expire": {"refund": "asked_refund"},
    "GET /v1/customers/{customer}/cash_balance_transactions/{transaction}": {
        "customer": "wired", "transaction": "cash_transaction",
    },
    "GET /v1/customers/{customer}/cash_balance_transactions": {"customer": "wired"},
    "GET /v1/customers/{customer}/cash_balance": {"customer": "wired"},
    "GET /v1/billing/credit_grants/{id}": {"id": "grant"},
    "GET /v1/billing/credit_balance_transactions/{id}": {"id": "credit_transaction"},
    "POST /v1/billing/credit_grants/{id}": {"id": "grant"},
    "POST /v1/billing/credit_grants/{id}/expire": {"id": "grant"},
    "POST /v1/billing/credit_grants/{id}/void": {"id": "grant"},
    "GET /v1/tax_ids/{id}": {"id": "tax_id"},
    "DELETE /v1/tax_ids/{id}": {"id": "tax_id"},
    "GET /v1/tax/registrations/{id}": {"id": "registration"},
    "POST /v1/tax/registrations/{id}": {"id": "registration"},
    "GET /v1/billing_portal/configurations/{configuration}": {"configuration": "portal"},
    "POST /v1/billing_portal/configurations/{configuration}": {"configuration": "portal"},
    "GET /v1/entitlements/features/{id}": {"id": "feature"},
    "POST /v1/entitlements/features/{id}": {"id": "feature"},
    "GET /v1/products/{product}/features": {"product": "product"},
    "POST /v1/products/{product}/features": {"product": "product"},
    "GET /v1/products/{product}/features/{id}": {"product": "product", "id": "product_feature"},
    "DELETE /v1/products/{product}/features/{id}": {"product": "product", "id": "product_feature"},
    "GET /v1/entitlements/active_entitlements/{id}": {"id": "entitlement"},
    "GET /v1/billing/alerts/{id}": {"id": "alert"},
    "POST /v1/billing/alerts/{id}/activate": {"id": "quiet_alert"},
    "POST /v1/billing/alerts/{id}/deactivate": {"id": "alert"},
    "POST /v1/billing/alerts/{id}/archive": {"id": "alert"},
    "GET /v1/tax/transactions/{transaction}": {"transaction": "tax_transaction"},
    "GET /v1/tax/transactions/{transaction}/line_items": {"transaction": "tax_transaction"},
    "POST /v1/setup_intents/{intent}": {"intent": "setup_intent"},
    "POST /v1/setup_intents/{intent}/confirm": {"intent": "setup_intent"},
    "POST /v1/setup_intents/{intent}/cancel": {"intent": "setup_intent"},
    "POST /v1/quotes/{quote}/accept": {"quote": "open_quote"},
    "POST /v1/billing/meters/{id}": {"id": "meter"},
    "POST /v1/billing/meters/{id}/deactivate": {"id": "meter"},
    "POST /v1/billing/meters/{id}/reactivate": {"id": "inactive_meter"},
    "DELETE /v1/customers/{customer}/discount": {"customer": "discounted"},
    "DELETE /v1/subscriptions/{subscription_exposed_id}/discount": {
        "subscription_exposed_id": "discounted_subscription"
    },
    **{
        f"{method} /v1/accounts/{{account}}{path}": {"account": "other_connected"}
        for method, path in [
            ("POST", ""), ("DELETE", ""), ("POST", "/reject"), ("POST", "/unreject"),
            ("POST", "/capabilities/{capability}"),
            ("POST", "/persons"), ("POST", "/persons/{person}"), ("DELETE", "/persons/{person}"),
        ]
    },
    "POST /v1/customers/{customer}/sources/{id}": {"id": "card"},
    "POST /v1/customers/{customer}/sources/{id}/verify": {"id": "customers_bank"},
    "POST /v1/accounts/{account}/login_links": {"account": "connected"},
    "POST /v1/accounts/{account}/external_accounts/{id}": {"id": "bank"},
    "DELETE /v1/accounts/{account}/external_accounts/{id}": {"id": "bank"},
    "POST /v1/transfers/{id}/reversals": {"id": "transfer"},
    "POST /v1/transfers/{transfer}/reversals/{id}": {"id": "reversal"},
    "POST /v1/application_fees/{id}/refunds": {"id": "application_fee"},
    "POST /v1/application_fees/{fee}/refunds/{id}": {"fee": "application_fee", "id": "fee_refund"},
    "DELETE /v1/invoiceitems/{invoiceitem}": {"invoiceitem": "pending_item"},
    "POST /v1/invoiceitems/{invoiceitem}": {"invoiceitem": "pending_item"},
}  # fmt: skip
"""Where another object than usual stands in the path."""


def base(name: str, ids: dict[str, str]) -> dict[str, Any]:
    """A good call of an operation, with as little as possible."""
    product, who = ids["product"], ids["customer"]
    line = {"line_items[0][price]": ids["once"], "line_items[0][quantity]": 1}
    known: dict[str, dict[str, Any]] = {
        "POST /v1/customers/{customer}/funding_instructions": {
            "currency": "eur", "funding_type": "bank_transfer", "bank_transfer[type]": "eu_bank_transfer",
            "bank_transfer[eu_bank_transfer][country]": "DE",
        },
        "POST /v1/test_helpers/customers/{customer}/fund_cash_balance": {"amount": 100, "currency": "usd"},
        "POST /v1/billing_portal/configurations": {"features[invoice_history][enabled]": "true"},
        "POST /v1/billing_portal/sessions": {"customer": who},
        "POST /v1/tax/registrations": {"active_from": "now", "country": "US",
            "country_options[us][type]": "state_sales_tax", "country_options[us][state]": "CA"},
        "POST /v1/tax_ids": {"type": "us_ein", "value": "12-3456789"},
        "POST /v1/entitlements/features": {"lookup_key": "new", "name": "N"},
        "POST /v1/products/{product}/features": {"entitlement_feature": ids["other_feature"]},
        "POST /v1/billing/alerts": {"title": "T", **_ALERT, "usage_threshold[meter]": ids["meter"]},
        "POST /v1/billing/credit_grants": {
            "customer": who, "category": "promotional", "amount[type]": "monetary", **_SCOPE,
            "amount[monetary][currency]": "usd", "amount[monetary][value]": 700,
        },
        "POST /v1/tax/transactions/create_from_calculation": {
            "calculation": ids["calculation"], "reference": "another order",
        },
        "POST /v1/tax/transactions/create_reversal": {
            "mode": "partial", "original_transaction": ids["tax_transaction"], "reference": "back",
            "line_items[0][original_line_item]": ids["tax_line"], "line_items[0][reference]": "x",
            "line_items[0][amount]": -40, "line_items[0][amount_tax]": -4,
        },
        "POST /v1/payment_intents/{intent}/increment_authorization": {"amount": 5},
        "POST /v1/accounts/{account}/external_accounts": {
            "external_account[object]": "bank_account", "external_account[country]": "US",
            "external_account[currency]": "usd",
            "external_account[account_number]": "000123456789",
            "external_account[routing_number]": "110000000",
        },
        "POST /v1/account_links": {
            "account": ids["other_connected"], "type": "account_onboarding",
            "refresh_url": "https://example.com/r", "return_url": "https://example.com/b",
        },
        "POST /v1/accounts/{account}/reject": {"reason": "fraud"},
        "POST /v1/transfers": {"amount": 50, "currency": "usd", "destination": ids["connected"]},
        "POST /v1/test_helpers/test_clocks": {"frozen_time": NOW},
        "POST /v1/test_helpers/test_clocks/{test_clock}/advance": {"frozen_time": NOW + 9 * DAY},
        "POST /v1/tokens": {"card[number]": "4242424242424242", "card[exp_month]": 3, "card[exp_year]": 2031},
        "POST /v1/sources": {"type": "card", "token": "tok_visa"},
        "POST /v1/file_links": {"file": ids["file"]},
        "POST /v1/customer_sessions": {"customer": who, "components[buy_button][enabled]": "true"},
        "POST /v1/test_helpers/confirmation_tokens": {"payment_method": "pm_card_visa"},
        "POST /v1/customers/{customer}/sources/{id}/verify": {"amounts[0]": 32, "amounts[1]": 45},
        "POST /v1/topups": {"amount": 50, "currency": "usd"},
        "POST /v1/billing/meters": {"display_name": "N", "event_name": "n",
            "default_aggregation[formula]": "sum"},
        "POST /v1/billing/meter_events": {"event_name": "m", "payload[stripe_customer_id]": who,
            "payload[value]": 3},
        "POST /v1/billing/meter_event_adjustments": {"event_name": "m", "type": "cancel",
            "cancel[identifier]": "ev1"},
        "POST /v1/charges": {"amount": 1000, "currency": "usd", "source": "tok_visa"},
        "POST /v1/charges/{charge}/refunds": {},
        "POST /v1/coupons": {"percent_off": 5},
        "POST /v1/checkout/sessions": {"success_url": "https://example.com/s",
            "line_items[0][price]": ids["once"], "line_items[0][quantity]": 1},
        "POST /v1/files": {"purpose": "dispute_evidence", "file[filename]": "a.txt",
            "file[type]": "text/plain", "file[data]": "eA=="},
        "POST /v1/credit_notes": {"invoice": ids["open"], "amount": 200},
        "POST /v1/customers/{customer}/balance_transactions": {"amount": -10, "currency": "usd"},
        "POST /v1/customers/{customer}/sources": {"source": "tok_visa"},
        "POST /v1/customers/{customer}/tax_ids": {"type": "eu_vat", "value": "DE999999999"},
        "POST /v1/invoiceitems": {"customer": who, "amount": 100, "currency": "usd"},
        "POST /v1/invoices": {"customer": who},
        "POST /v1/invoices/create_preview": {"subscription": ids["subscription"]},
        "POST /v1/invoices/{invoice}/add_lines": {"lines[0][amount]": 5},
        "POST /v1/invoices/{invoice}/update_lines": {"lines[0][id]": ids["line"]},
        "POST /v1/invoices/{invoice}/remove_lines": {"lines[0][id]": ids["line"],
            "lines[0][behavior]": "delete"},
        "POST /v1/invoices/{invoice}/attach_payment": {"payment_intent": ids["intent"]},
        "POST /v1/payment_intents": {"amount": 1000, "currency": "usd"},
        "POST /v1/payment_links": line,
        "POST /v1/payment_methods": {"type": "card", "card[token]": "tok_visa"},
        "POST /v1/payment_methods/{payment_method}/attach": {"customer": who},
        "POST /v1/payouts": {"amount": 100, "currency": "usd"},
        "POST /v1/plans": {"currency": "usd", "interval": "month", "amount": 500, "product": product},
        "POST /v1/prices": {"currency": "usd", "unit_amount": 500, "product": product},
        "POST /v1/products": {"name": "N"},
        "POST /v1/promotion_codes": {"coupon": ids["coupon"]},
        "POST /v1/quotes": {"customer": who, "line_items[0][price]": ids["monthly"]},
        "POST /v1/reporting/report_runs": {
            "report_type": "balance_change_from_activity.itemized.3", "parameters[interval_start]": NOW - DAY,
            "parameters[interval_end]": NOW + DAY,
        },
        "POST /v1/refunds": {"charge": ids["charge"]},
        "POST /v1/shipping_rates": {"display_name": "T", "type": "fixed_amount", "fixed_amount[amount]": 5,
            "fixed_amount[currency]": "usd"},
        "POST /v1/subscription_items": {"subscription": ids["subscription"], "price": ids["other_monthly"]},
        "POST /v1/subscription_items/{subscription_item}/usage_records": {"quantity": 3},
        "POST /v1/subscription_schedules": {
            "customer": who, "phases[0][items][0][price]": ids["monthly"], "phases[0][iterations]": 2,
        },
        "POST /v1/subscriptions": {"customer": who, "items[0][price]": ids["monthly"]},
        "POST /v1/tax/calculations": {
            "currency": "usd", "line_items[0][amount]": 100, "customer_details[address][country]": "DE",
            "customer_details[address_source]": "billing",
        },
        "POST /v1/tax_rates": {"display_name": "T", "percentage": 5, "inclusive": "false"},
        "POST /v1/webhook_endpoints": {"url": "https://example.com/y", "enabled_events[0]": "charge.failed"},
    }  # fmt: skip
    return dict(known.get(name, {}))


ALWAYS_REFUSED = frozenset(
    {"POST /v1/payment_intents/{intent}/increment_authorization", "POST /v1/payouts/{payout}/reverse"}
)
"""Operations that need what the sandbox has none of: readers, payouts that can be reversed."""
COMPANIONS: dict[str, dict[str, Any]] = {
    **{
        f"POST /v1/billing_portal/configurations{one} features[subscription_cancel][proration_behavior]": {
            "features[subscription_cancel][mode]": "immediately"
        }
        for one in ("", "/{configuration}")
    },
    "POST /v1/checkout/sessions mode": {
        "line_items[1][price]": "trial_monthly",
        "line_items[1][quantity]": 1,
    },
    "POST /v1/checkout/sessions ui_mode": {"return_url": "https://example.com/r"},
    "POST /v1/invoices collection_method": {"days_until_due": 5},
    "POST /v1/subscriptions collection_method": {"days_until_due": 5},
    "POST /v1/subscriptions/{subscription_exposed_id} collection_method": {"days_until_due": 5},
    "POST /v1/subscriptions/{subscription_exposed_id} trial_from_plan": {"items[2][price]": "trial_monthly"},
    "POST /v1/subscriptions trial_from_plan": {"items[0][price]": "trial_monthly"},
    "POST /v1/subscriptions proration_behavior": {"billing_cycle_anchor": NOW + 9 * DAY},
    "POST /v1/invoices/{invoice} collection_method": {"days_until_due": 5},
    "POST /v1/payment_intents confirm": {"payment_method": "pm_card_visa"},
}
"""What must stand beside a parameter for it to count."""
