"""The demo account: what it holds, that its books are right, and that it is the same every time."""

import hashlib
import os
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from each_row import each_row

from stripe_magics.sandbox import SandboxTransport, demo_data
from stripe_magics.sandbox.core.clock import AS_OF, DAY, HOUR, is_business_day
from stripe_magics.sandbox.core.ledger import processing_fee
from stripe_magics.sandbox.demo_data.records import COUPONS, month_starts

CURRENCIES = ("usd", "eur", "gbp")
STARTS = month_starts(AS_OF)


def build(seed="sandbox", as_of=AS_OF):
    return demo_data.generated(seed, as_of)


def fingerprint(account):
    digest = hashlib.sha256()
    for kind in sorted(account.tables):
        for row in account.tables[kind].ordered():
            digest.update(row.text)
    digest.update(
        repr(
            (
                account.clock.jobs,
                sorted(account.private_state.items()),
                sorted(account.ledger.members.items()),
            )
        ).encode()
    )
    return digest.hexdigest()


@pytest.fixture(scope="module")
def account():
    return build()


@pytest.fixture(scope="module")
def all_of(account):
    cache = {}

    def listed(kind):
        if kind not in cache:
            cache[kind] = list(account.each(kind))
        return cache[kind]

    return listed


@pytest.fixture(scope="module")
def client(account):
    transport = SandboxTransport(demo=False)
    transport.account = account
    with httpx.Client(
        transport=transport,
        base_url="https://api.stripe.com",
        headers={"Authorization": "Bearer sk_test_demo"},
    ) as client:
        yield client


def about(value, expected, within):
    assert expected * (1 - within) <= value <= expected * (1 + within), f"{value}, not about {expected}"


def mrr(all_of, month):
    """MRR at the end of a month by customer, from lines of subscriptions: {customer: (minor units,
    currency)}."""
    end = STARTS[month + 1] - 1
    found = defaultdict(float)
    for invoice in all_of("invoice"):
        for line in invoice["lines"]["data"]:
            if line["type"] == "subscription" and line["period"]["start"] <= end < line["period"]["end"]:
                off = sum(each["amount"] for each in line["discount_amounts"]) if _forever(invoice) else 0
                months = 12 if line["price"]["recurring"]["interval"] == "year" else 1
                found[invoice["customer"], invoice["currency"]] += (line["amount"] - off) / months
    return found


def _forever(invoice):
    return invoice["discount"] is not None and invoice["discount"]["coupon"]["duration"] == "forever"


# every state of billing


def test_subscriptions_in_every_status_and_form(all_of):
    states = Counter(each["status"] for each in all_of("subscription"))
    assert set(states) == {
        "active", "trialing", "past_due", "canceled", "unpaid", "paused", "incomplete", "incomplete_expired"
    }  # fmt: skip
    of = [each for each in all_of("subscription") if each["status"] != "canceled"]
    for name in ("pause_collection", "schedule", "cancel_at", "trial_end", "discount"):
        assert any(each[name] for each in of), name
    prices = [item["price"] for each in of for item in each["items"]["data"]]
    assert {each["billing_scheme"] for each in prices} == {"per_unit", "tiered"}
    assert {each["recurring"]["usage_type"] for each in prices} == {"licensed", "metered"}
    assert {each["status"] for each in all_of("quote")} == {"draft", "open", "accepted"}
    assert {each["type"] for each in all_of("credit_note")} == {"pre_payment", "post_payment"}
    assert {each["status"] for each in all_of("checkout.session")} == {"open", "complete", "expired"}
    assert {each["status"] for each in all_of("setup_intent")} == {"succeeded", "requires_action"}
    assert {each["status"] for each in all_of("subscription_schedule")} == {"active", "not_started"}
    assert any(each["balance"] < 0 for each in all_of("customer"))
    assert {each["tax_exempt"] for each in all_of("customer")} == {"none", "reverse"}


def test_delinquent_customers_are_few(all_of):
    owing = sum(each["delinquent"] for each in all_of("customer"))
    assert 0.03 <= owing / len(all_of("customer")) <= 0.05


def test_items_are_what_the_last_invoice_billed(all_of):
    """But where something changed since: what that costs is pending, or the new period's bill is still a
    draft or was never made."""
    invoices = {each["id"]: each for each in all_of("invoice")}
    pending = {each["subscription"] for each in all_of("invoiceitem") if each["invoice"] is None}
    different = []
    for each in all_of("subscription"):
        lines = invoices[each["latest_invoice"]]["lines"]["data"] if each["latest_invoice"] else []
        billed = sorted(
            (line["price"]["id"], line["quantity"])
            for line in lines
            if line["type"] == "subscription" and line["price"]["recurring"]["usage_type"] == "licensed"
        )
        billed = [(price, sum(count for own, count in billed if own == price)) for price in dict(billed)]
        items = sorted(
            (item["price"]["id"], item["quantity"])
            for item in each["items"]["data"]
            if item["price"]["recurring"]["usage_type"] == "licensed"
        )
        if items != billed:
            different.append(each)
    assert all(each["id"] in pending or each["status"] == "canceled" for each in different), different
    assert len(different) <= 3


def test_prorations_are_to_the_second(all_of):
    """What was not used is given back and what is new is paid for the rest of the period, each for its share
    of it."""
    seen = 0
    for invoice in all_of("invoice"):
        if invoice["billing_reason"] != "subscription_cycle":
            continue
        for line in invoice["lines"]["data"]:
            if not line["proration"]:
                continue
            start = invoice["period_start"]
            whole = line["period"]["end"] - start
            rest = line["period"]["end"] - line["period"]["start"]
            full = line["price"]["unit_amount"] * line["quantity"]
            share = full * rest / whole
            off = (0, 20, 30, 50)
            assert any(abs(abs(line["amount"]) - share * (100 - percent) / 100) <= 1 for percent in off), line
            assert line["subscription_item"]
            seen += 1
    assert seen > 100


# 59: three currencies


def test_starts_24_months_before(all_of):
    assert min(each["created"] for each in all_of("customer")) >= STARTS[1] - DAY
    assert max(each["created"] for each in all_of("balance_transaction")) <= AS_OF
    assert datetime.fromtimestamp(STARTS[1], UTC).date().isoformat() == "2024-11-01"


def test_three_currencies_from_their_months(account, all_of):
    first = {
        currency: min(each["created"] for each in all_of("charge") if each["currency"] == currency)
        for currency in CURRENCIES
    }
    assert STARTS[1] <= first["usd"] < STARTS[2]
    assert STARTS[4] <= first["eur"] < STARTS[5]
    assert STARTS[9] <= first["gbp"] < STARTS[10]
    assert {each["currency"] for each in account.ledger.balance()["available"]} == set(CURRENCIES)
    assert all(each["exchange_rate"] is None for each in all_of("balance_transaction"))


def test_revenue_is_spread_60_28_12(all_of):
    found = Counter()
    for (_, currency), amount in mrr(all_of, 24).items():
        found[currency] += amount
    shares = {currency: found[currency] / sum(found.values()) for currency in CURRENCIES}
    assert shares == pytest.approx({"usd": 0.60, "eur": 0.28, "gbp": 0.12}, abs=0.02)


# 60: customers and revenue


def test_customers(all_of):
    # the firm's two years, and those whose lives the engine plays
    about(len(all_of("customer")), 420 + 31, 0.03)
    for each in all_of("customer"):
        assert set(each["metadata"]) == {"segment", "plan", "channel", "country"}
        assert each["email"].endswith("example.com")
    assert len({each["email"] for each in all_of("customer")}) > 400
    assert len({each["invoice_prefix"] for each in all_of("customer")}) == len(all_of("customer"))


def test_recurring_revenue_grows_from_18k_to_95k(all_of):
    about(sum(mrr(all_of, 1).values()), 18_000_00, 0.03)
    about(sum(mrr(all_of, 24).values()), 95_000_00, 0.03)
    path = [sum(mrr(all_of, month).values()) for month in range(1, 25)]
    assert path == sorted(path)


def test_monthly_churn(all_of):
    rates = []
    before = {customer for customer, _ in mrr(all_of, 1)}
    for month in range(2, 25):
        now = {customer for customer, _ in mrr(all_of, month)}
        rates.append(len(before - now) / len(before))
        before = now
    assert 0.025 <= sum(rates) / len(rates) <= 0.035
    assert all(0.022 <= rate <= 0.038 for rate in rates), rates


def test_one_customer_is_12_per_cent_of_revenue(all_of):
    paid = Counter()
    for each in all_of("charge"):
        paid[each["customer"]] += each["amount_captured"]
    (largest, amount), (_, second) = paid.most_common(2)
    assert largest == "cus_demoNorthwind"
    assert amount / sum(paid.values()) == pytest.approx(0.12, abs=0.01)
    assert second < amount / 4


def test_prices_rise_in_month_13(all_of):
    by_month = defaultdict(set)
    for invoice in all_of("invoice"):
        for line in invoice["lines"]["data"]:
            if line["type"] == "subscription" and line["price"]["id"].startswith("price_demoTeamUsdMonthly"):
                month = next(n for n in range(1, 26) if STARTS[n] <= invoice["created"] < STARTS[n + 1])
                by_month[month].add(line["price"]["unit_amount"])
    assert by_month[12] == {14900}
    assert by_month[13] == {16900}


def test_yearly_plans_start_in_january(all_of):
    months = Counter()
    for invoice in all_of("invoice"):
        for line in invoice["lines"]["data"]:
            if line["type"] == "subscription" and line["price"]["recurring"]["interval"] == "year":
                months[datetime.fromtimestamp(invoice["created"], UTC).month] += 1
    assert set(months) == {1}
    assert months[1] >= 20


# 61: invoices


def test_invoices(all_of):
    invoices = all_of("invoice")
    about(len(invoices), 5500, 0.05)
    assert {len(each["lines"]["data"]) for each in invoices} == {1, 2, 3, 4}
    states = Counter(each["status"] for each in invoices)
    assert set(states) == {"paid", "open", "void", "uncollectible", "draft"}
    assert states["paid"] / len(invoices) == pytest.approx(0.92, abs=0.02)
    about(states["draft"], 10, 0.3)


@pytest.mark.parametrize("since", ["due_date", "finalized_at"])
def test_open_invoices_of_every_age(all_of, since):
    buckets = Counter()
    for each in all_of("invoice"):
        if each["status"] == "open":
            start = each["due_date"] if since == "due_date" else each["status_transitions"]["finalized_at"]
            if start is not None:
                buckets[min(max((AS_OF - start) // DAY // 30, 0), 3)] += 1
    assert all(buckets[age] >= 10 for age in range(4)), buckets


def test_sent_invoices_have_due_dates(all_of):
    sent = [each for each in all_of("invoice") if each["collection_method"] == "send_invoice"]
    assert len(sent) > 500
    assert all(
        (each["due_date"] is not None) == (each["collection_method"] == "send_invoice")
        for each in all_of("invoice")
    )


def test_discounts_and_tax(all_of):
    taken = {each["discount"]["coupon"]["id"] for each in all_of("invoice") if each["discount"]}
    assert taken == {*COUPONS, "LAUNCH25"}
    for each in all_of("invoice"):
        if each["customer_tax_exempt"] == "reverse":
            assert {part["taxability_reason"] for part in each["total_tax_amounts"]} == {"reverse_charge"}
            assert not each["tax"]
        elif each["currency"] == "usd":
            assert each["tax"] is None
            assert each["total_tax_amounts"] == []
        else:
            assert each["tax"] == pytest.approx(each["total_excluding_tax"] * 0.2, abs=3)


def test_sums_of_invoices(all_of):
    intents = {each["id"]: each for each in all_of("payment_intent")}
    for each in all_of("invoice"):
        lines = each["lines"]["data"]
        off = sum(part["amount"] for part in each["total_discount_amounts"])
        assert each["subtotal"] == sum(line["amount"] for line in lines)
        assert off == sum(part["amount"] for line in lines for part in line["discount_amounts"])
        assert (each["tax"] or 0) == sum(part["amount"] for line in lines for part in line["tax_amounts"])
        trial = each["lines"]["data"][0]["description"].startswith("Trial period")
        assert each["total"] == each["subtotal"] - off + (each["tax"] or 0)
        assert each["total"] < 0 or (each["total"] == 0) == trial
        credited = each["pre_payment_credit_notes_amount"]
        assert each["amount_remaining"] in {0, each["amount_due"] - each["amount_paid"]}
        used = each["starting_balance"] - (each["ending_balance"] or 0)
        assert each["amount_due"] == each["total"] - credited + used
        if each["amount_due"] <= 0:
            assert (each["status"], each["payment_intent"]) == ("paid", None)
        elif each["status"] != "draft":
            intent = intents[each["payment_intent"]]
            assert (intent["invoice"], intent["amount"]) == (each["id"], each["amount_due"])
            assert intent["status"] in {
                "paid": {"succeeded"}, "open": {"requires_payment_method", "requires_action", "processing"},
                "void": {"canceled"},
                "uncollectible": {"requires_payment_method"},
            }[each["status"]]  # fmt: skip
        assert (each["number"] is None) == (each["status"] == "draft")
    numbers = [each["number"] for each in all_of("invoice") if each["number"]]
    assert len(set(numbers)) == len(numbers)


# 62: payments


def test_intents_in_every_state(all_of):
    about(len(all_of("payment_intent")), 5900, 0.05)
    states = Counter(each["status"] for each in all_of("payment_intent"))
    assert set(states) == {
        "succeeded", "requires_payment_method", "requires_confirmation", "requires_action",
        "requires_capture", "processing", "canceled",
    }  # fmt: skip
    assert min(states.values()) >= 5


def test_declines_and_what_was_recovered(all_of):
    charges = defaultdict(list)
    for each in all_of("charge"):
        charges[each["payment_intent"]].append(each)
    states = {each["id"]: each["status"] for each in all_of("payment_intent")}
    declined = [
        intent
        for intent, those in charges.items()
        if min(those, key=lambda each: each["created"])["status"] == "failed"
    ]
    assert len(declined) / len(states) == pytest.approx(0.06, abs=0.01)
    assert sum(states[each] == "succeeded" for each in declined) / len(declined) == pytest.approx(
        0.6, abs=0.07
    )
    codes = Counter(each["outcome"]["reason"] for each in all_of("charge") if each["status"] == "failed")
    assert len(codes) >= 8
    assert codes.most_common(1)[0][0] == "insufficient_funds"


def test_charges_agree_with_their_intents(all_of):
    charges = {each["id"]: each for each in all_of("charge")}
    for each in all_of("payment_intent"):
        charge = charges.get(each["latest_charge"])
        if each["status"] == "succeeded":
            assert charge["paid"]
            assert each["amount_received"] == charge["amount_captured"]
            assert charge["balance_transaction"]
        elif each["status"] == "requires_capture":
            assert (each["amount_capturable"], charge["captured"]) == (each["amount"], False)
        else:
            assert each["amount_received"] == 0
        if each["last_payment_error"]:
            assert charge["failure_code"] == each["last_payment_error"]["code"]


# 63: refunds and disputes


def test_refunds(all_of):
    released = {
        each["id"]
        for each in all_of("balance_transaction")
        if each["reporting_category"] == "partial_capture_reversal"
    }
    about(sum(each["balance_transaction"] not in released for each in all_of("refund")), 180, 0.03)
    assert sum(each["balance_transaction"] in released for each in all_of("refund")) == len(released)
    assert {each["reason"] for each in all_of("refund")} == {
        "requested_by_customer",
        "duplicate",
        "fraudulent",
        None,
    }
    assert Counter(each["status"] for each in all_of("refund")) == {
        "succeeded": len(all_of("refund")) - 2,
        "failed": 2,
    }
    days = Counter(each["created"] // DAY for each in all_of("refund") if each["reason"] == "duplicate")
    assert days.most_common(1)[0][1] >= 40
    back = Counter()
    for each in all_of("refund"):
        back[each["charge"]] += each["amount"] if each["status"] == "succeeded" else 0
    for charge in all_of("charge"):
        assert charge["amount_refunded"] == back[charge["id"]] <= charge["amount"]
        assert charge["refunded"] == (0 < charge["amount_refunded"] == charge["amount"])


def test_disputes(all_of):
    assert len(all_of("dispute")) == 24
    assert {"won", "lost", "needs_response", "under_review"} <= {each["status"] for each in all_of("dispute")}
    charges = {each["id"]: each for each in all_of("charge")}
    assert {each["status"] for each in all_of("dispute") if each["evidence_details"]["past_due"]} == {
        "warning_closed"
    }
    for each in all_of("dispute"):
        assert charges[each["charge"]]["dispute"] == each["id"]
        entries = each["balance_transactions"]
        if each["status"].startswith("warning"):
            assert entries == []
        else:
            assert entries[0]["net"] == -each["amount"] - 1500
            assert [entry["reporting_category"] for entry in entries[1:]] == (
                ["dispute_reversal"] if each["status"] == "won" else []
            )


# 64: payouts


def test_payouts(account, all_of):
    automatic = [each for each in all_of("payout") if each["automatic"]]
    about(len(all_of("payout")), 1300, 0.08)
    by_hand = [each for each in all_of("payout") if not each["automatic"]]
    assert Counter(each["status"] for each in by_hand) == {"paid": 3, "canceled": 1}
    failed = [each for each in automatic if each["status"] == "failed"]
    assert len(failed) == 2
    assert all(
        is_business_day(each["created"]) and is_business_day(each["arrival_date"])
        for each in all_of("payout")
    )
    for each in failed:  # what came back went out with a later run
        assert each["failure_balance_transaction"] in account.ledger.paid_by
        assert account.ledger.paid_by[each["failure_balance_transaction"]] != each["id"]
    per_day = Counter((each["currency"], each["created"] // DAY) for each in automatic)
    assert set(per_day.values()) == {1}


def test_the_last_two_days_are_pending(all_of):
    pending = [each for each in all_of("balance_transaction") if each["status"] == "pending"]
    assert {each["currency"] for each in pending} == set(CURRENCIES)
    assert all(each["available_on"] > AS_OF and AS_OF - each["created"] < 5 * DAY for each in pending)
    assert all(
        each["available_on"] <= AS_OF
        for each in all_of("balance_transaction")
        if each["status"] == "available"
    )


def test_something_is_available_in_each_currency(account):
    assert all(account.ledger.available(currency) > 5000 for currency in CURRENCIES)


# 65: the ledger


def test_ledger_size(all_of):
    about(len(all_of("balance_transaction")), 13_000, 0.05)


def test_balance_equals_the_sum_of_entries(account, all_of):
    sums = Counter()
    for each in all_of("balance_transaction"):
        assert each["net"] == each["amount"] - each["fee"]
        assert each["fee"] == sum(part["amount"] for part in each["fee_details"])
        sums[each["currency"], each["status"]] += each["net"]
    balance = account.ledger.balance()
    for status in ("available", "pending"):
        assert {each["currency"]: each["amount"] for each in balance[status]} == {
            each: sums[each, status] for each in CURRENCIES
        }


def test_every_automatic_payout_equals_its_members(account, all_of):
    entries = {each["id"]: each for each in all_of("balance_transaction")}
    taken = Counter()
    for payout in all_of("payout"):
        members = account.ledger.members.get(payout["id"], [])
        taken.update(members)
        if payout["automatic"]:
            assert payout["balance_transaction"] in members
            assert sum(entries[each]["net"] for each in members) == 0
            assert (
                sum(entries[each]["net"] for each in members if each != payout["balance_transaction"])
                == payout["amount"]
                > 0
            )
            assert all(entries[each]["available_on"] <= payout["created"] for each in members)
            assert {entries[each]["currency"] for each in members} == {payout["currency"]}
        else:
            assert members == []
    assert set(taken.values()) == {1}
    waiting = Counter()
    for identifier, entry in entries.items():
        if identifier not in taken and entry["status"] == "available":
            waiting[entry["currency"]] += entry["net"]
    assert waiting == {currency: account.ledger.available(currency) for currency in CURRENCIES}


def test_fees_of_charges(all_of):
    entries = {each["id"]: each for each in all_of("balance_transaction")}
    taken = [each for each in all_of("charge") if each["balance_transaction"]]
    assert len(taken) > 5000
    for charge in taken:
        entry = entries[charge["balance_transaction"]]
        assert entry["fee"] == processing_fee(charge["amount_captured"])
        assert entry["source"] == charge["id"]
        assert entry["type"] == ("payment" if charge["id"].startswith("py_") else "charge")


def test_partial_captures_have_their_reversals(all_of):
    rest = {
        each["source"]: each["amount"]
        for each in all_of("balance_transaction")
        if each["reporting_category"] == "partial_capture_reversal"
    }
    partial = {
        each["id"]: each["amount_captured"] - each["amount"]
        for each in all_of("charge")
        if 0 < each["amount_captured"] < each["amount"]
    }
    assert rest == partial != {}


def test_every_id_leads_to_its_object(account, all_of):
    """References resolve, whichever object holds them."""
    for kind, names in {
        "charge": (
            "customer",
            "payment_intent",
            "payment_method",
            "balance_transaction",
            "invoice",
            "dispute",
        ),
        "payment_intent": ("customer", "latest_charge", "invoice", "payment_method"),
        "invoice": ("customer", "payment_intent", "charge", "subscription"),
        "refund": ("charge", "payment_intent", "balance_transaction"),
        "dispute": ("charge", "payment_intent"),
        "payout": ("balance_transaction", "destination", "failure_balance_transaction"),
        "subscription": ("customer", "latest_invoice", "default_payment_method"),
        "invoiceitem": ("customer", "invoice", "subscription"),
        "balance_transaction": ("source",),
    }.items():
        for each in all_of(kind):
            for name in names:
                if each[name] is not None:
                    from stripe_magics.sandbox.core.store import kind_of

                    assert account.peek(kind_of(each[name]), each[name]) is not None, (
                        kind,
                        each["id"],
                        name,
                        each[name],
                    )


def test_events_of_the_last_30_days(all_of):
    events = all_of("event")
    about(len(events), 2500 + 300, 0.12)  # the firm's, and those of the lives that the engine plays
    assert min(each["created"] for each in events) >= AS_OF - 30 * DAY
    assert max(each["created"] for each in events) <= AS_OF
    kinds = {each["type"] for each in events}
    assert {
        "invoice.created", "invoice.finalized", "invoice.paid", "invoice.payment_failed", "charge.succeeded",
        "charge.failed", "charge.refunded", "payment_intent.succeeded", "payment_intent.payment_failed",
        "payout.paid", "payout.created", "customer.created", "balance.available", "charge.dispute.created",
        "refund.created", "customer.subscription.deleted",
    } <= kinds  # fmt: skip
    drafts = [each for each in events if each["type"] == "invoice.created"]
    assert all(each["data"]["object"]["status"] == "draft" for each in drafts)


def test_event_types_are_known(all_of):
    from stripe_magics.catalogue.event_types import EVENT_GROUPS

    known = {kind for group in EVENT_GROUPS.values() for kind in group}
    assert {each["type"] for each in all_of("event")} <= known


def test_links_and_endpoint(account, client):
    assert len(account.table("payment_link").rows) == 3
    assert len(account.table("webhook_endpoint").rows) == 1
    for link in client.get("/v1/payment_links").json()["data"]:
        items = client.get(f"/v1/payment_links/{link['id']}/line_items").json()["data"]
        assert [each["object"] for each in items] == ["item"]
        assert items[0]["price"]["currency"] == link["currency"]


def test_connected_accounts_sell_and_share(account, all_of):
    states = {each["charges_enabled"]: each for each in all_of("account")}
    assert set(states) == {True, False}
    assert states[False]["requirements"]["currently_due"]
    seller = account.family.connected[states[True]["id"]]
    transfer, reversal = all_of("transfer")[0], all_of("transfer_reversal")[0]
    fee, back = all_of("application_fee")[0], all_of("fee_refund")[0]
    assert transfer["destination"] == fee["account"] == states[True]["id"]
    assert transfer["amount"] > transfer["amount_reversed"] == reversal["amount"] > 0
    assert fee["amount"] > fee["amount_refunded"] == back["amount"] > 0
    balance = seller.ledger.balance()
    held = sum(each["amount"] for each in (*balance["available"], *balance["pending"]))
    assert held == sum(each["net"] for each in seller.each("balance_transaction")) > 0
    ours = [
        entry
        for entry in all_of("balance_transaction")
        if entry["type"] in {"transfer", "transfer_refund", "application_fee", "application_fee_refund"}
    ]
    assert len(ours) == 4
    assert sum(each["amount"] for each in ours) == fee["amount"] - back["amount"] - (
        transfer["amount"] - reversal["amount"]
    )
    # after the last payout: no closed month and no payout has them
    assert all(each["created"] > AS_OF - HOUR and each["id"] not in account.ledger.paid_by for each in ours)


def test_a_test_clock_whose_customers_are_listed_by_its_name(client, all_of):
    clock = all_of("test_helpers.test_clock")[0]
    assert clock["frozen_time"] > AS_OF
    for path in ("/v1/customers", "/v1/subscriptions"):
        named = client.get(path, params={"test_clock": clock["id"]}).json()["data"]
        assert {each["test_clock"] for each in named} == {clock["id"]}
        listed = client.get(path, params={"limit": 100}).json()["data"]
        assert {each["test_clock"] for each in listed} == {None}


def test_reviews(all_of):
    assert [each["open"] for each in all_of("review")] == [True]


# 66: the same every time, under names that can be relied on


def test_the_same_every_time(account):
    assert fingerprint(build()) == fingerprint(account)


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_the_same_in_every_process(account, hash_seed):
    """Nothing depends on the order of sets or on where objects lie in memory."""
    program = (
        "import hashlib; from stripe_magics.sandbox import demo_data\nfrom"
        " stripe_magics.sandbox.core.clock import AS_OF\naccount ="
        " demo_data.generated('sandbox', AS_OF)\ntexts = [row.text for kind in sorted(account.tables) for row"
        " in account.tables[kind].ordered()]\nprint(hashlib.sha256(b''.join(texts)).hexdigest())"
    )
    environment = os.environ | {
        "PYTHONHASHSEED": hash_seed,
        "PYTHONPATH": str(Path(demo_data.__file__).parents[3]),
    }
    ran = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env=environment,
    )
    texts = [row.text for kind in sorted(account.tables) for row in account.tables[kind].ordered()]
    assert ran.stdout.strip() == hashlib.sha256(b"".join(texts)).hexdigest()


def test_seed_and_moment_change_it():
    other = build(seed="another")
    first = next(other.each("payment_intent"))["id"]
    assert first not in build().table("payment_intent").by_id
    assert len(other.table("invoice").rows) > 5000


@each_row("day", ["2026-01-01", "2025-02-28", "2027-07-31", "2028-02-29"])
def test_any_moment(day):
    as_of = int(datetime.fromisoformat(f"{day}T12:00:00+00:00").timestamp())
    account = build(as_of=as_of)
    about(len(account.table("invoice").rows), 5700, 0.08)
    for entry in account.each("balance_transaction"):
        assert entry["created"] <= as_of
    for currency in CURRENCIES:
        open_ = sum(account.ledger.open.get(currency, {}).values())
        assert open_ == account.ledger.available(currency)


KNOWN = [
    ("/v1/customers/cus_demoJennyRosen", {"email": "jenny.rosen@example.com", "name": "Jenny Rosen"}),
    ("/v1/customers/cus_demoNorthwind", {"email": "accounts@northwind.example.com"}),
    ("/v1/subscriptions/sub_demoJennyRosen", {"status": "active", "customer": "cus_demoJennyRosen"}),
    ("/v1/payment_methods/pm_demoJennyRosen", {"customer": "cus_demoJennyRosen", "type": "card"}),
    (
        "/v1/invoices/in_demoLatest",
        {"status": "paid", "customer": "cus_demoJennyRosen", "payment_intent": "pi_demoLatest"},
    ),
    ("/v1/charges/ch_demoLatest", {"paid": True, "refunded": False}),
    ("/v1/invoices/in_demoOverdue", {"status": "open"}),
    ("/v1/invoices/in_demoDraft", {"status": "draft"}),
    ("/v1/payment_intents/pi_demoCapture", {"status": "requires_capture"}),
    ("/v1/payment_intents/pi_demoAction", {"status": "requires_action"}),
    ("/v1/payment_intents/pi_demoWorkshop", {"status": "succeeded", "amount": 12000, "currency": "usd"}),
    ("/v1/payouts/po_demoFailed", {"status": "failed", "automatic": True}),
    ("/v1/prices/price_demoTeamUsdMonthly", {"unit_amount": 16900, "lookup_key": "team_usd_monthly"}),
    ("/v1/coupons/PARTNER20", {"percent_off": 20}),
    ("/v1/webhook_endpoints/we_demoEndpoint", {"status": "enabled"}),
    *[
        (f"/v1/payment_links/plink_demo{name}", {"active": True})
        for name in ("Workshop", "Datenworkshop", "SeatPack")
    ],
    *[
        (f"/v1/products/prod_demo{name}", {"active": True})
        for name in ("Starter", "Team", "Business", "Seat", "Platform")
    ],
]


@pytest.mark.parametrize(("path", "expected"), KNOWN, ids=[path.rpartition("/")[2] for path, _ in KNOWN])
def test_known_objects(client, path, expected):
    answer = client.get(path)
    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in expected} == expected


def test_every_known_id_is_in_the_docstring():
    for path, _ in KNOWN:
        assert path.rpartition("/")[2] in demo_data.__doc__


def test_the_payouts_members_by_request(client):
    payout = client.get("/v1/payouts", params={"limit": 1, "status": "paid"}).json()["data"][0]
    members = client.get("/v1/balance_transactions", params={"payout": payout["id"], "limit": 100}).json()[
        "data"
    ]
    assert sum(each["net"] for each in members if each["type"] != "payout") == payout["amount"]


# it lives on


def test_time_goes_on_and_the_books_stay_right():
    transport = SandboxTransport(demo=True)
    account = transport.account
    before = len(account.table("invoice").rows)
    transport.advance(40 * DAY)
    assert len(account.table("invoice").rows) > before + 150
    sums = Counter()
    for each in account.each("balance_transaction"):
        sums[each["currency"], each["status"]] += each["net"]
    for status in ("available", "pending"):
        for each in account.ledger.balance()[status]:
            assert each["amount"] == sums[each["currency"], status]
    entries = {each["id"]: each for each in account.each("balance_transaction")}
    for payout in account.each("payout"):
        if payout["automatic"]:
            assert sum(entries[each]["net"] for each in account.ledger.members[payout["id"]]) == 0
    # nobody captured it within seven days
    assert account.peek("payment_intent", "pi_demoCapture")["status"] == "canceled"
