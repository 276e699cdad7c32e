"""Every figure a second time, in plain Python out of raw JSON: the demo firm over thirteen months in eight
zones, and odd currencies.

Nothing of the package's reports is used here but their results; the definitions are written anew, row by row.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from each_row import each_row
from finance.fake_account import FakeAccount, charge, connect, invoice, transaction

import stripe_magics as sm

MONTHS = [f"{2025 + (10 + n) // 12}-{(10 + n) % 12 + 1:02}" for n in range(12)] + ["2026-10"]
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Pacific/Auckland",
    "Africa/Cairo",
]
CASES = [(month, ZONES[n % 8]) for n, month in enumerate(MONTHS)] + [
    (month, ZONES[(n + 3) % 8]) for n, month in enumerate(MONTHS)
]
Raw = dict[str, list[dict[str, Any]]]
Sums = dict[tuple[Any, ...], int]


def bounds(month: str, zone: str) -> tuple[float, float]:
    year, number = map(int, month.split("-"))
    first = datetime(year, number, 1, tzinfo=ZoneInfo(zone))
    after = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=ZoneInfo(zone))
    return first.timestamp(), after.timestamp()


@pytest.fixture(scope="module")
def raw() -> Iterator[Raw]:
    sm.connect(sandbox=True)
    lists = {
        "bt": "balance.list_history",
        "charge": "charges.list",
        "refund": "refunds.list",
        "dispute": "disputes.list",
        "invoice": "invoices.list",
        "payout": "payouts.list",
    }
    yield {name: sm.call(module, limit="all", raw=True) for name, module in lists.items()}
    sm.close()


def by_columns(name: str, keys: list[str], columns: list[str], month: str, zone: str, **options: Any) -> Sums:
    table = sm.report(name, month=month, tz=zone, **options)
    out: Sums = {}
    for row in table.to_dict("records"):
        for column in columns:
            if row[column]:
                out[
                    (
                        *(
                            row[key] if not hasattr(row[key], "date") else str(row[key].date())
                            for key in keys
                        ),
                        column,
                    )
                ] = int(row[column])
    return out


def activity(raw: Raw, a: float, b: float, zone: str) -> Sums:
    out: Sums = Counter()
    for each in raw["bt"]:
        if a <= each["created"] < b and each["reporting_category"] not in {"payout", "payout_reversal"}:
            key = (each["currency"], each["reporting_category"])
            for column, value in (
                ("count", 1),
                ("gross", each["amount"]),
                ("fee", each["fee"]),
                ("net", each["net"]),
            ):
                out[(*key, column)] += value
    return out


def summary(raw: Raw, a: float, b: float, zone: str) -> Sums:
    out: Sums = Counter()
    for each in raw["bt"]:
        where = (
            "start"
            if each["created"] < a
            else (
                "" if each["created"] >= b else "payouts" if each["type"].startswith("payout") else "activity"
            )
        )
        if where:
            out[each["currency"], where] += each["net"]
            out[each["currency"], "end"] += each["net"]
    return out


def daily(raw: Raw, a: float, b: float, zone: str) -> Sums:
    out: Sums = Counter()
    for each in raw["bt"]:
        if a <= each["created"] < b:
            day = str(datetime.fromtimestamp(each["created"], ZoneInfo(zone)).date())
            column = "payouts" if each["type"].startswith("payout") else "net"
            out[day, each["currency"], column] += each["net"]
    return out


def fees(raw: Raw, a: float, b: float, zone: str) -> Sums:
    out: Sums = Counter()
    for each in raw["bt"]:
        if a <= each["created"] < b:
            for detail in each["fee_details"]:
                out[each["currency"], detail["type"], "amount"] -= detail["amount"]
            if each["reporting_category"] in {"fee", "tax", "network_cost"}:
                out[each["currency"], "stand-alone", "amount"] += each["amount"]
    return out


def volume(raw: Raw, a: float, b: float, zone: str) -> Sums:
    names = {
        "charge": "gross",
        "partial_capture_reversal": "gross",
        "refund": "refunds",
        "refund_failure": "refunds",
        "dispute": "disputes",
        "dispute_reversal": "disputes",
        "fee": "fees",
    }
    out: Sums = Counter()
    for each in raw["bt"]:
        if a <= each["created"] < b and not each["type"].startswith("payout"):
            out[each["currency"], names.get(each["reporting_category"], "other")] += each["amount"]
            out[each["currency"], "fees"] -= each["fee"]
            out[each["currency"], "net"] += each["net"]
    return out


def refund_rates(raw: Raw, a: float, b: float, zone: str) -> Sums:
    sold = {
        each["id"]: each
        for each in raw["charge"]
        if each["status"] == "succeeded" and each["captured"] and a <= each["created"] < b
    }
    out: Sums = Counter()
    for each in sold.values():
        for basis in ("activity", "cohort"):
            out[each["currency"], basis, "payments"] += 1
            out[each["currency"], basis, "payments_amount"] += each["amount_captured"]
    never_taken = {
        each["id"] for each in raw["bt"] if each["reporting_category"] == "partial_capture_reversal"
    }
    assert never_taken
    for each in raw["refund"]:
        if each["status"] not in {"failed", "canceled"} and each["balance_transaction"] not in never_taken:
            for basis in [
                name
                for name, holds in (
                    ("activity", a <= each["created"] < b),
                    ("cohort", each["charge"] in sold),
                )
                if holds
            ]:
                out[each["currency"], basis, "refunds"] += 1
                out[each["currency"], basis, "amount"] += each["amount"]
    return out


def dispute_counts(raw: Raw, a: float, b: float, zone: str) -> Sums:
    out: Sums = Counter()
    for each in raw["dispute"]:
        if a <= each["created"] < b:
            out[each["currency"], "activity", "disputes"] += 1
            state = (
                each["status"]
                if each["status"] in {"won", "lost"}
                else "closed"
                if each["status"] == "warning_closed"
                else "open"
            )
            out[each["currency"], "activity", state] += 1
            out[each["currency"], "activity", "fee_cost"] -= sum(
                entry["fee"] for entry in each["balance_transactions"]
            )
    return out


def living(raw: Raw, b: float) -> Iterator[dict[str, Any]]:
    """Finalised invoices, without those that were void by then."""
    for each in raw["invoice"]:
        voided = each["status_transitions"]["voided_at"]
        if each["status_transitions"]["finalized_at"] and not (voided and voided < b):
            yield each


def owed(raw: Raw, a: float, b: float, zone: str) -> Sums:
    last = datetime.fromtimestamp(b, ZoneInfo(zone)).replace(tzinfo=None) - timedelta(days=1)
    age_at = last.replace(tzinfo=ZoneInfo(zone)).timestamp()
    out: Sums = Counter()
    for each in living(raw, b):
        states = each["status_transitions"]
        ends = [when for when in (states["paid_at"], states["marked_uncollectible_at"]) if when]
        if states["finalized_at"] >= b:
            continue
        if ends and min(ends) < b:
            continue
        amount = (
            each["amount_remaining"]
            if each["status"] in {"open", "uncollectible", "void"}
            else each["amount_due"]
        )
        late = age_at - (each["due_date"] or states["finalized_at"])
        days = -(-late // 86400)
        bucket = next(
            name
            for name, most in (
                ("not_due", 0),
                ("1_30", 30),
                ("31_60", 60),
                ("61_90", 90),
                ("91_120", 120),
                ("over_120", 10**9),
            )
            if days <= most
        )
        out[each["currency"], each["customer"], bucket] += int(amount)
        out[each["currency"], each["customer"], "total"] += int(amount)
    return out


def sold(raw: Raw, a: float, b: float, zone: str) -> Sums:
    out: Sums = Counter()
    for each in living(raw, b):
        if a <= each["status_transitions"]["finalized_at"] < b:
            out[each["currency"], "sales"] += each["total"]
    for (currency, _, column), amount in owed(raw, a, b, zone).items():
        if column == "total":
            out[currency, "receivables"] += amount
    return out


def taxed(raw: Raw, a: float, b: float, zone: str) -> Sums:
    out: Sums = Counter()
    for each in living(raw, b):
        if a <= each["status_transitions"]["finalized_at"] < b:
            for entry in each["total_tax_amounts"]:
                out[each["id"], "invoice", "tax"] += entry["amount"]
    return out


def paid_out(raw: Raw, a: float, b: float, zone: str) -> Sums:
    first, after = (datetime.fromtimestamp(each, ZoneInfo(zone)).date() for each in (a, b))
    out: Sums = {}
    for each in raw["payout"]:
        day = datetime.fromtimestamp(each["arrival_date"], ZoneInfo("UTC")).date()
        if not each["automatic"]:
            day = datetime.fromtimestamp(each["created"], ZoneInfo(zone)).date()
        if first <= day < after:
            out[each["currency"], each["id"], "amount"] = each["amount"]
    return out


Steps = dict[tuple[str, str, str], list[tuple[int, bool, int, int, float, str]]]
States = dict[str, list[tuple[int, int, tuple[str, str]]]]


def steps_of(raw: Raw, ended: dict[str, float]) -> Steps:
    """What each subscription item costs a month by each of its lines: start, whether it is no credit, end,
    amount, end of the subscription."""
    steps: Steps = defaultdict(list)
    item_of = {
        (line["subscription"], line["price"]["id"]): line["subscription_item"]
        for each in living(raw, math.inf)
        for line in each["lines"]["data"]
        if line.get("subscription_item")
    }
    for each in living(raw, math.inf):
        for line in each["lines"]["data"]:
            if line["type"] == "invoiceitem" and not line["proration"]:
                continue
            item = line["subscription_item"] or item_of[line["subscription"], line["price"]["id"]]
            if line["period"]["end"] > line["period"]["start"]:
                rate = line["price"]["recurring"] or {}
                if rate["usage_type"] == "metered":
                    continue
                months = {"month": 1, "year": 12}[rate["interval"]] * rate["interval_count"]
                value = (
                    line["price"]["unit_amount"] * line["quantity"] if line["proration"] else line["amount"]
                )
                good = line["amount"] >= 0
                steps[each["currency"], each["customer"], item].append(
                    (
                        line["period"]["start"],
                        good,
                        line["period"]["end"],
                        round(value / months) if good else 0,
                        ended.get(line["subscription"], math.inf),
                        line["subscription"],
                    )
                )
    return steps


def by_tiers(price: dict[str, Any], quantity: int) -> int:
    """A cycle of a tiered price: each unit by its tier, or all by the tier of the last."""
    tiers, total, below = price["tiers"], 0, 0
    if price["tiers_mode"] == "volume":
        tier = next(each for each in tiers if each["up_to"] is None or quantity <= each["up_to"])
        return int((tier["unit_amount"] or 0) * quantity + (tier["flat_amount"] or 0))
    for tier in tiers:
        upper = min(quantity, tier["up_to"] or quantity)
        if upper > below:
            total += (tier["unit_amount"] or 0) * (upper - below) + (tier["flat_amount"] or 0)
            below = upper
    return total


def monthly(of: dict[str, Any], prices: dict[str, dict[str, Any]]) -> int:
    """What a subscription costs a month, as it is."""
    if of["status"] not in {"active", "past_due"} or of["pause_collection"]:
        return 0
    total = 0
    for item in of["items"]["data"]:
        rate = item["price"]["recurring"]
        if rate["usage_type"] != "metered":
            months = {"month": 1, "year": 12}[rate["interval"]] * rate["interval_count"]
            tiered = item["price"]["billing_scheme"] == "tiered"
            price = prices[item["price"]["id"]] if tiered else item["price"]
            cycle = by_tiers(price, item["quantity"]) if tiered else price["unit_amount"] * item["quantity"]
            total += round(cycle / months)
    return total


def states() -> States:
    """Of each subscription that something happened to in the last 30 days: when, what it then cost a month,
    and whose it is. Those whose last event isn't what they are now are left out."""
    now = {each["id"]: each for each in sm.call("subscriptions.list", status="all", limit="all", raw=True)}
    every = sm.call("prices.list", expand=["data.tiers"], limit="all", raw=True)
    prices = {each["id"]: each for each in every}
    out: States = defaultdict(list)
    for event in reversed(sm.call("events.list", type="customer.subscription.*", limit="all", raw=True)):
        of = event["data"]["object"]
        out[of["id"]].append((event["created"], monthly(of, prices), (of["currency"], of["customer"])))
    # what the list lacks (test clocks' subscriptions) costs nothing
    present = {name: monthly(now[name], prices) if name in now else 0 for name in out}
    return {name: many for name, many in out.items() if many[-1][1] == present[name]}


def recurring(steps: Steps, b: float, changed: States) -> dict[tuple[str, str], int]:
    """MRR by currency and customer at an instant, item by item: the lines that began last before then (tiers
    are several), unless they are over or were credited since; from a subscription's first event on, what its
    last one before then says."""
    out: Counter[tuple[str, str]] = Counter()
    by_events = {name for name, many in changed.items() if many[0][0] < b}
    for (currency, customer, _), many in steps.items():
        begun = [step for step in sorted(many) if step[0] < b and step[4] >= b and step[5] not in by_events]
        out[currency, customer] += sum(step[3] for step in begun if step[0] == begun[-1][0] and step[2] >= b)
    for name in by_events:
        _, value, owner = [state for state in changed[name] if state[0] < b][-1]
        out[owner] += value
    return {key: value for key, value in out.items() if value}


REPORTS: dict[str, tuple[Callable[[Raw, float, float, str], Sums], list[str], list[str], dict[str, Any]]] = {
    "balance_activity": (activity, ["currency", "reporting_category"], ["count", "gross", "fee", "net"], {}),
    "balance_summary": (summary, ["currency"], ["start", "activity", "payouts", "end"], {}),
    "daily_balance": (daily, ["date", "currency"], ["net", "payouts"], {}),
    "fees": (fees, ["currency", "fee_type"], ["amount"], {}),
    "volume": (volume, ["currency"], ["gross", "refunds", "disputes", "fees", "other", "net"], {}),
    "refund_rate": (refund_rates, ["currency", "basis"], ["refunds", "payments", "amount", "payments_amount"],
        {}),
    "ar_ageing": (owed, ["currency", "customer"],
        ["not_due", "1_30", "31_60", "61_90", "91_120", "over_120", "total"], {}),
    "dso": (sold, ["currency"], ["sales", "receivables"], {}),
    "payout_status": (paid_out, ["currency", "payout_id"], ["amount"], {}),
}  # fmt: skip


@each_row(("month", "zone"), CASES)
def test_the_demo_firm_a_second_time(raw: Raw, month: str, zone: str) -> None:
    a, b = bounds(month, zone)
    wrong = []
    for name, (again, keys, columns, options) in REPORTS.items():
        expected = {key: value for key, value in again(raw, a, b, zone).items() if value}
        found = by_columns(name, keys, columns, month, zone, **options)
        if found != expected:
            differ = sorted(map(str, set(found.items()) ^ set(expected.items())))[:4]
            wrong.append(f"{name}: {differ}")
    disputes = by_columns(
        "dispute_rate",
        ["currency", "basis"],
        ["disputes", "won", "lost", "open", "closed", "fee_cost"],
        month,
        zone,
    )
    disputes = {key: value for key, value in disputes.items() if key[1] == "activity"}
    if disputes != {key: value for key, value in dispute_counts(raw, a, b, zone).items() if value}:
        wrong.append(f"dispute_rate: {disputes}")
    of_invoices = sm.report("tax_collected", month=month, tz=zone)
    of_invoices = of_invoices[(of_invoices["kind"] == "invoice") & (of_invoices["tax"] != 0)]
    tax = {
        (each, "invoice", "tax"): int(amount)
        for each, amount in of_invoices.groupby("invoice")["tax"].sum().items()
    }
    if tax != {key: value for key, value in taxed(raw, a, b, zone).items() if value}:
        wrong.append("tax_collected")
    assert not wrong, "\n".join(wrong)


@each_row(("month", "zone"), [*CASES[:12:3], ("2026-10", "UTC")])
def test_recurring_revenue_a_second_time(raw: Raw, month: str, zone: str) -> None:
    _, b = bounds(month, zone)
    expected: Sums = Counter()
    for (currency, _), value in recurring(steps_of(raw, ended()), b, states()).items():
        expected[currency, "end"] += value
    found = by_columns("mrr", ["currency"], ["end"], month, zone, discounts="none")
    assert found == expected


def ended() -> dict[str, float]:
    every = sm.call("subscriptions.list", status="all", limit="all", raw=True)
    return {each["id"]: each["ended_at"] for each in every if each["ended_at"]}


@each_row("zone", ["UTC", "Pacific/Auckland"])
def test_cohorts_by_recurring_revenue_a_second_time(raw: Raw, zone: str) -> None:
    table = sm.report("cohorts", tz=zone, discounts="none")
    months = sorted({*map(str, table["cohort"])})
    steps = steps_of(raw, ended())
    changed = states()
    by_month = [recurring(steps, bounds(month, zone)[1], changed) for month in months]
    expected: Counter[tuple[str, str, int, str]] = Counter()
    for owner in sorted({each for month in by_month for each in month}):
        paid = [month.get(owner, 0) for month in by_month]
        first = next(at for at, amount in enumerate(paid) if amount)
        for at, amount in enumerate(paid[first:]):
            expected[owner[0], months[first], at, "customers"] += bool(amount)
            expected[owner[0], months[first], at, "revenue"] += amount
    found = {
        (row["currency"], str(row["cohort"]), row["age"], name): row[name]
        for row in table.to_dict("records")
        for name in ("customers", "revenue")
    }
    assert found == expected
    assert len(found) > 100
    begun = {
        key[:2]: (expected[(*key[:3], "customers")], expected[(*key[:3], "revenue")])
        for key in expected
        if not key[2]
    }
    for row in table.to_dict("records"):
        size, revenue = begun[row["currency"], str(row["cohort"])]
        assert (row["retention"], row["revenue_retention"]) == (
            row["customers"] / size,
            row["revenue"] / revenue,
        )


@each_row(("currency", "digits"), [("jpy", 0), ("kwd", 3), ("isk", 2), ("usd", 2)])
def test_currencies_without_and_with_three_decimals(currency: str, digits: int) -> None:
    ledger = [
        transaction("t1", "charge", 123400, 3700, source="ch_1", currency=currency),
        transaction("t2", "refund", -23400, source="re_1", currency=currency),
    ]
    bill = invoice("in_1", 123400, "2026-03-01", due="2026-03-05", currency=currency)
    bill["lines"][0]["currency"] = currency
    connect(
        FakeAccount(
            balance_transaction=ledger, charge=[charge("ch_1", 123400, currency=currency)], invoice=[bill]
        )
    )
    scale = 10**digits
    assert sm.report("balance_activity", month="2026-03").stripe.to_major()["gross"].tolist() == [
        123400 / scale,
        -23400 / scale,
    ]
    assert sm.report("fees", month="2026-03").stripe.to_major()["amount"].sum() == -3700 / scale
    assert sm.report("ar_ageing", month="2026-03").stripe.to_major()["total"].tolist() == [123400 / scale]
    assert sm.report("deferred_revenue", month="2026-03").stripe.to_major()["billed"].tolist() == [
        123400 / scale
    ]
    sm.close()
