"""Report runs: their CSV, by the demo firm's books, adds up to what the API says."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest

from stripe_magics.sandbox import SandboxTransport
from tests.sandbox.conftest import Refused, Talk

SEPTEMBER, OCTOBER = 1788220800, 1790812800  # 2026-09-01, 2026-10-01, UTC


@pytest.fixture(scope="module")
def call() -> Talk:
    return Talk(SandboxTransport())


def run(call: Talk, kind: str, **parameters: Any) -> list[dict[str, str]]:
    """The rows of a report's file, fetched as a person would."""
    given = {f"parameters[{name}]": value for name, value in parameters.items()}
    made = call("POST /v1/reporting/report_runs", report_type=kind, **given)
    assert (made["status"], made["result"]["type"]) == ("succeeded", "csv")
    text = call.client.get(f"/v1/files/{made['result']['id']}/contents")
    assert text.headers["content-type"] == "text/csv"
    assert len(text.content) == made["result"]["size"]
    return list(csv.DictReader(io.StringIO(text.text)))


def month(call: Talk, kind: str, **more: Any) -> list[dict[str, str]]:
    return run(call, kind, interval_start=SEPTEMBER, interval_end=OCTOBER, **more)


def total(rows: list[dict[str, str]], name: str = "net") -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        sums[row["currency"]] += Decimal(row[name])
    return dict(sums)


def test_the_balance_moves_by_its_activity_and_its_payouts(call: Talk) -> None:
    summary = month(call, "balance.summary.1")
    of = {(row["currency"], row["category"]): Decimal(row["net_amount"]) for row in summary}
    itemized = month(call, "balance_change_from_activity.itemized.3")
    payouts = month(call, "payouts.itemized.3")
    left = run(call, "ending_balance_reconciliation.itemized.4", interval_end=OCTOBER)
    for currency in ("eur", "gbp", "usd"):
        assert of[currency, "activity"] == total(itemized)[currency]
        assert of[currency, "payouts"] == total(payouts)[currency] < 0
        moved = of[currency, "starting_balance"] + of[currency, "activity"] + of[currency, "payouts"]
        assert of[currency, "ending_balance"] == moved == total(left)[currency]
    assert [row["description"] for row in summary[:4]] == [
        "Starting balance (2026-09-01)", "Activity", "Less payouts", "Ending balance (2026-10-01)",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["balance_change_from_activity", "payouts", "payout_reconciliation"])
def test_a_summary_is_the_sum_of_its_items(call: Talk, kind: str) -> None:
    last = {"payout_reconciliation": 5}.get(kind, 3)
    items, summary = month(call, f"{kind}.itemized.{last}"), month(call, f"{kind}.summary.1")
    assert sum(int(row["count"]) for row in summary) == len(items) > 0
    for name in ("gross", "fee", "net"):
        assert total(items, name) == total(summary, name)


def test_what_reaches_the_bank_is_what_the_payout_took(call: Talk) -> None:
    payout = call("GET /v1/payouts", limit=1, arrival_date=1790553600)["data"][0]  # 28 September
    assert payout["automatic"]
    rows = run(call, "payout_reconciliation.by_id.itemized.4", payout=payout["id"])
    assert sum(Decimal(row["net"]) for row in rows) * 100 == payout["amount"]
    assert {row["automatic_payout_id"] for row in rows} == {payout["id"]}
    assert {row["automatic_payout_effective_at"] for row in rows} == {"2026-09-28 00:00:00"}
    (sums,) = (
        {
            row["reporting_category"]
            for row in run(call, "payout_reconciliation.by_id.summary.1", payout=payout["id"])
        },
    )
    assert sums == {row["reporting_category"] for row in rows}


def test_the_end_of_today_is_the_balance(call: Talk) -> None:
    """What is on its way to the bank is still in the balance by the report, and already out of it by the
    API."""
    now = call.transport.now
    left = total(run(call, "ending_balance_reconciliation.itemized.4", interval_end=now))
    balance = call("GET /v1/balance")
    underway = [
        each
        for each in call.every("/v1/payouts", automatic=None)
        if each["automatic"] and each["arrival_date"] >= now
    ]
    for each in balance["available"]:
        pending = next(one["amount"] for one in balance["pending"] if one["currency"] == each["currency"])
        going = sum(payout["amount"] for payout in underway if payout["currency"] == each["currency"])
        assert left[each["currency"]] * 100 == each["amount"] + pending + going


def test_columns_filters_and_zones(call: Talk) -> None:
    rows = month(
        call, "balance_change_from_activity.itemized.3", currency="EUR", reporting_category="refund",
        timezone="Europe/Berlin",
    )  # fmt: skip
    assert {(row["currency"], row["reporting_category"]) for row in rows} == {("eur", "refund")}
    assert all(row["created"] != row["created_utc"] and row["charge_id"].startswith("ch_") for row in rows)
    made = call(
        "POST /v1/reporting/report_runs", report_type="balance_change_from_activity.itemized.3",
        **{"parameters[interval_start]": SEPTEMBER, "parameters[interval_end]": OCTOBER,
           "parameters[columns]": ["net", "payment_metadata[invoice]", "customer_id"]},
    )  # fmt: skip
    text = call.client.get(f"/v1/files/{made['result']['id']}/contents").text
    assert text.splitlines()[0] == '"net","payment_metadata[invoice]","customer_id"'


def test_what_a_run_is_refused_for(call: Talk) -> None:
    period = {"parameters[interval_start]": SEPTEMBER, "parameters[interval_end]": OCTOBER}
    faults = [
        ({"report_type": "balance.summary.1"}, "parameters[interval_start]", "Missing required param"),
        ({"report_type": "tax.transactions.itemized.2", **period}, "report_type", "doesn't simulate"),
        ({"report_type": "balance.summary.1", **period, "parameters[payout]": "po_1"}, "parameters[payout]",
            "takes no payout"),
        ({"report_type": "balance.summary.1", **period, "parameters[columns][]": "shoe"},
            "parameters[columns]", "no column 'shoe'"),
        ({"report_type": "balance.summary.1", **period, "parameters[interval_end]": 2000000000},
            "parameters[interval_end]", "later than"),
        ({"report_type": "balance.summary.1", **period, "parameters[interval_start]": OCTOBER},
            "parameters[interval_start]", "before"),
    ]  # fmt: skip
    for given, param, message in faults:
        with pytest.raises(Refused) as refused:
            call("POST /v1/reporting/report_runs", given)
        assert refused.value.error["param"] == param
        assert message in refused.value.error["message"]


def test_types_say_their_columns(call: Talk) -> None:
    types = call("GET /v1/reporting/report_types")["data"]
    one = call("GET /v1/reporting/report_types/balance.summary.1")
    assert one in types
    assert one["default_columns"] == ["category", "description", "net_amount", "currency"]
    runs = call("GET /v1/reporting/report_runs", limit=3)["data"]
    assert call(f"GET /v1/reporting/report_runs/{runs[0]['id']}") == runs[0]
    assert (
        call("GET /v1/events", type="reporting.report_run.succeeded", limit=1)["data"][0]["data"]["object"]
        == runs[0]
    )
