"""Receivables, revenue and customers a second time: plain Python over the raw JSON of the demo firm, against
the reports by name."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from finance.fake_account import FakeAccount, charge, connect, invoice, line, transaction
from finance.test_differential import Raw, bounds, raw  # noqa: F401  # the fixture

import stripe_magics as sm

CASES = [("2025-12", "UTC"), ("2026-05", "Asia/Kolkata"), ("2026-09", "America/Los_Angeles")]
CATEGORY = {
    "charge": "gross",
    "partial_capture_reversal": "gross",
    "charge_failure": "gross",
    "refund": "refunds",
    "dispute": "disputes",
    "dispute_reversal": "disputes",
}


def owed(each: dict[str, Any], at: float) -> int:
    """What was owed of an invoice at an instant."""
    states = each["status_transitions"]
    if not states["finalized_at"] or states["finalized_at"] >= at:
        return 0
    ends = [states[name] for name in ("paid_at", "voided_at", "marked_uncollectible_at") if states[name]]
    if ends and min(ends) < at:
        return 0
    return int(
        each["amount_remaining"]
        if each["status"] in {"open", "uncollectible", "void"}
        else each["amount_due"]
    )


def collected(firm: Raw, month: str, zone: str) -> dict[str, tuple[Any, ...]]:
    a, b = bounds(month, zone)
    last_day = datetime.fromtimestamp(b - 1, ZoneInfo(zone)).replace(hour=0, minute=0, second=0).timestamp()
    out: dict[str, dict[str, float]] = defaultdict(Counter)
    for each in firm["invoice"]:
        states, mine = each["status_transitions"], out[each["currency"]]
        mine["begin"] += owed(each, a)
        mine["end_total"] += owed(each, b)
        due = each["due_date"] or states["finalized_at"]
        if due is not None and due >= last_day:
            mine["end_current"] += owed(each, b)
        voided = states["voided_at"] or math.inf
        if states["finalized_at"] and a <= states["finalized_at"] < b and voided >= b:
            mine["sales"] += each["total"]
        if each["status"] == "paid" and states["paid_at"] and a <= states["paid_at"] < b:
            mine["paid"] += each["amount_due"]
            mine["days"] += each["amount_due"] * (states["paid_at"] - states["finalized_at"]) / 86400
            if states["paid_at"] <= due or due <= states["finalized_at"]:
                mine["on_time"] += each["amount_due"]
    made = {}
    for code, mine in out.items():
        could = mine["begin"] + mine["sales"] - mine["end_current"]
        cei = (mine["begin"] + mine["sales"] - mine["end_total"]) / could * 100 if could else math.nan
        shares = (
            (mine["days"] / mine["paid"], mine["on_time"] / mine["paid"]) if mine["paid"] else (math.nan,) * 2
        )
        amounts = tuple(int(mine[name]) for name in ("begin", "sales", "end_total", "end_current"))
        if any(amounts) or mine["paid"]:
            made[code] = (*amounts, cei, *shares)
    return made


def values(firm: Raw, month: str, zone: str) -> dict[tuple[str, str, str], int]:
    a, b = bounds(month, zone)
    charge_of = {each["id"]: each["charge"] for name in ("refund", "dispute") for each in firm[name]}
    owner = {each["id"]: each["customer"] or "" for each in firm["charge"]}
    out: Counter[tuple[str, str, str]] = Counter()
    for each in firm["bt"]:
        kind = CATEGORY.get(each["reporting_category"])
        if kind is None or not a <= each["created"] < b:
            continue
        key = (each["currency"], owner[charge_of.get(each["source"], each["source"])])
        out[(*key, kind)] += each["amount"]
        out[(*key, "fees")] -= each["fee"]
        out[(*key, "net")] += each["net"]
    return {key: value for key, value in out.items() if value}


def recognised(firm: Raw, month: str, zone: str) -> dict[tuple[str, str], int]:
    """Deferred revenue at both ends of a month, and what was earned in between: invoices without
    corrections."""
    a, b = bounds(month, zone)
    out: Counter[tuple[str, str]] = Counter()
    for each in firm["invoice"]:
        posted = each["status_transitions"]["finalized_at"]
        for item in each["lines"]["data"]:
            amount = item["amount"] - sum(off["amount"] for off in item["discount_amounts"])
            amount -= sum(tax["amount"] for tax in item["tax_amounts"] if tax["inclusive"])
            first, last = item["period"]["start"], item["period"]["end"]
            if last <= first:
                first, last = posted, posted + 0.001

            def earned(at: float, amount: int = amount, first: float = first, last: float = last) -> int:
                return round(amount * min(1.0, max(0.0, (at - first) / (last - first))))

            for at, name in ((a, "opening"), (b, "closing")):
                out[each["currency"], name] += amount - earned(at) if posted < at else 0
            out[each["currency"], "recognised"] += (earned(b) if posted < b else 0) - (
                earned(a) if posted < a else 0
            )
            out[each["currency"], "billed"] += amount if a <= posted < b else 0
    return {key: value for key, value in out.items() if value}


def same_month(one: float, other: float, zone: str) -> bool:
    days = [datetime.fromtimestamp(each, ZoneInfo(zone)) for each in (one, other)]
    return (days[0].year, days[0].month) == (days[1].year, days[1].month)


def taken_back(firm: Raw, notes: list[dict[str, Any]]) -> dict[str, list[tuple[float, str, int]]]:
    """Of each invoice what was taken back of it: when, as what, how much (with tax)."""
    of_charge = {each["charge"]: each["id"] for each in firm["invoice"] if each["charge"]}
    of_charge |= {each["id"]: each["invoice"] for each in firm["charge"] if each["invoice"]}
    out: dict[str, list[tuple[float, str, int]]] = defaultdict(list)
    named = set()
    for each in notes:
        if each["status"] == "void":
            continue
        named |= {each["refund"], *(one["refund"] for one in each.get("refunds") or ())}
        out[each["invoice"]].append((each["effective_at"] or each["created"], "credited", each["total"]))
    for each in firm["refund"]:
        invoice = of_charge.get(each["charge"])
        if invoice and each["id"] not in named and each["status"] not in {"failed", "canceled"}:
            out[invoice].append((each["created"], "credited", each["amount"]))
    for each in firm["invoice"]:
        states, status, mine = each["status_transitions"], each["status"], out[each["id"]]
        off, voided = states["marked_uncollectible_at"], states["voided_at"]
        if off:
            until = {"paid": states["paid_at"], "void": voided}.get(status)
            if status == "uncollectible":
                mine.append((off, "written_off", each["amount_remaining"]))
            elif until and until > off:
                mine += [
                    (off, "written_off", each["amount_due"]),
                    (until, "written_off", -each["amount_due"]),
                ]
        if status == "void" and voided:
            before = sum(amount for when, kind, amount in mine if kind == "credited" and when <= voided)
            mine.append((voided, "credited", each["total"] - before))
    return out


def rolled(firm: Raw, notes: list[dict[str, Any]], month: str, zone: str) -> dict[tuple[str, str], int]:
    """Deferred revenue of a month with all that was taken back, line by line."""
    a, b = bounds(month, zone)
    taken = taken_back(firm, notes)
    out: Counter[tuple[str, str]] = Counter()
    for each in firm["invoice"]:
        states, code = each["status_transitions"], each["currency"]
        posted = states["finalized_at"]
        void = each["status"] == "void"
        if posted is None or each["status"] == "draft":
            continue
        if void and (not states["voided_at"] or same_month(posted, states["voided_at"], zone)):
            continue
        for item in each["lines"]["data"]:
            amount = item["amount"] - sum(off["amount"] for off in item["discount_amounts"])
            amount -= sum(tax["amount"] for tax in item["tax_amounts"] if tax["inclusive"])
            first, last = item["period"]["start"], item["period"]["end"]
            if last <= first:
                first, last = posted, posted + 1e-6
            state = {}
            for name, at in (("opening", a), ("closing", b)):
                share: Counter[str] = Counter()
                for when, kind, of_it in sorted(taken[each["id"]], key=lambda one: one[0]):
                    if when < at and each["total"]:
                        share[kind] += of_it / each["total"]  # type: ignore[assignment] # a share
                credited = min(1.0, share["credited"])
                written = min(1.0 - credited, share["written_off"])
                begun = posted < at
                gone = {"credited": round(amount * credited), "written_off": round(amount * written)}
                rest = amount - sum(gone.values())
                earned = round(rest * min(1.0, max(0.0, (at - first) / (last - first))))
                state[name] = (
                    {"recognised": earned, **gone} if begun else dict.fromkeys(("recognised", *gone), 0)
                )
                out[code, name] += rest - earned if begun else 0
            for what, moved in state["closing"].items():
                out[code, what] += moved - state["opening"][what]
            out[code, "billed"] += amount if a <= posted < b else 0
    return {key: value for key, value in out.items() if value}


def schedule(firm: Raw, month: str, zone: str) -> dict[tuple[str, str], tuple[int, int]]:
    """What each line of an invoice earns in a month, and what is left of it then: invoices without
    corrections."""
    a, b = bounds(month, zone)
    out = {}
    for each in firm["invoice"]:
        posted = each["status_transitions"]["finalized_at"]
        for item in each["lines"]["data"]:
            one: Raw = {"invoice": [{**each, "lines": {"data": [item]}}]}
            if posted < b and (moved := recognised(one, month, zone).get((each["currency"], "recognised"))):
                left = recognised(one, month, zone).get((each["currency"], "closing"), 0)
                out[each["id"], item["id"]] = (moved, left)
    return out


def clean(firm: Raw) -> list[dict[str, Any]]:
    """The invoices that nothing took back: paid or open, not refunded."""
    refunded = {each["charge"] for each in firm["refund"]}
    return [
        each
        for each in firm["invoice"]
        if each["status"] in {"paid", "open"} and not (each["charge"] and each["charge"] in refunded)
    ]


def cohorts(firm: Raw, zone: str) -> dict[tuple[str, str, int], tuple[int, int]]:
    months: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    for each in firm["charge"]:
        if each["status"] == "succeeded" and each["captured"] and each["customer"]:
            when = datetime.fromtimestamp(each["created"], ZoneInfo(zone))
            months[each["currency"], each["customer"]][when.year * 12 + when.month - 1] += each[
                "amount_captured"
            ]
    out: dict[tuple[str, str, int], tuple[int, int]] = defaultdict(lambda: (0, 0))
    for (code, _), paid in months.items():
        first = min(each for each, amount in paid.items() if amount > 0)
        for each, amount in paid.items():
            key = (code, f"{first // 12}-{first % 12 + 1:02}", each - first)
            count, revenue = out[key]
            out[key] = (count + (amount > 0), revenue + amount)
    return dict(out)


@pytest.mark.parametrize(("month", "zone"), CASES)
def test_receivables_revenue_and_customers_a_second_time(raw: Raw, month: str, zone: str) -> None:  # noqa: F811
    columns = ["begin", "sales", "end_total", "end_current", "cei", "days_to_pay", "paid_on_time_share"]
    table = sm.report("collections", month=month, tz=zone).set_index("currency")
    expected = collected(raw, month, zone)
    assert set(table.index) == set(expected)
    for code, row in expected.items():
        assert table.loc[code, columns].tolist() == pytest.approx(list(row), nan_ok=True), code

    table = sm.report("customer_value", month=month, tz=zone).set_index(["currency", "customer"])
    found = {
        (*key, name): int(amount)
        for name in ("gross", "refunds", "disputes", "fees", "net")
        for key, amount in table[name].items()
        if amount
    }
    assert found == values(raw, month, zone)

    kept = {each["id"] for each in clean(raw)}
    frame = sm.call("invoices.list", limit="all")
    data = {"invoices": frame[frame["id"].isin(kept)].reset_index(drop=True)}
    table = sm.report("deferred_revenue", month=month, tz=zone, data=data).set_index("currency")
    found_revenue = {
        (code, name): int(amount)
        for name in ("opening", "billed", "recognised", "closing")
        for code, amount in table[name].items()
        if amount
    }
    of_kept = {**raw, "invoice": [each for each in raw["invoice"] if each["id"] in kept]}
    assert found_revenue == recognised(of_kept, month, zone)
    assert not table["residual"].any()

    table = sm.report("revenue_schedule", month=month, tz=zone, data=data)
    assert set(table["month"].astype(str)) == {month}
    rows = table[["invoice", "line", "recognised", "deferred"]].itertuples(index=False)
    lines = {(row.invoice, row.line): (row.recognised, row.deferred) for row in rows}
    assert lines == schedule(of_kept, month, zone)
    assert len(lines) > 100


@pytest.mark.parametrize(("month", "zone"), [*CASES, ("2026-03", "America/New_York"), ("2026-10", "UTC")])
def test_corrections_in_deferred_revenue_a_second_time(raw: Raw, month: str, zone: str) -> None:  # noqa: F811
    """Credit notes, refunds, write-offs and voids of the whole demo firm, each in its own month."""
    notes = sm.call("credit_notes.list", limit="all", raw=True)
    table = sm.report("deferred_revenue", month=month, tz=zone).set_index("currency")
    names = ["opening", "billed", "recognised", "credited", "written_off", "closing"]
    found = {(code, name): int(amount) for name in names for code, amount in table[name].items() if amount}
    assert found == rolled(raw, notes, month, zone)
    assert table["credited"].sum() > 0
    assert not table["residual"].any()


def test_cohorts_by_payments_and_lifetime_value_a_second_time(raw: Raw) -> None:  # noqa: F811
    table = sm.report("cohorts", by="payments", tz="Asia/Tokyo")
    expected = cohorts(raw, "Asia/Tokyo")
    for row in table.to_dict("records"):
        key = (row["currency"], str(row["cohort"]), row["age"])
        assert (row["customers"], row["revenue"]) == expected.get(key, (0, 0)), key
    last = max(str(each) for each in table["cohort"])
    assert {key for key in expected if key[1] < last} >= {
        (row["currency"], str(row["cohort"]), 0)
        for row in table.to_dict("records")
        if str(row["cohort"]) < last
    }
    months = {"start": "2026-03-01", "end": "2026-08-31"}
    counted, moves = sm.report("mrr_customers", **months), sm.report("mrr", **months)
    for row in sm.report("ltv", **months).to_dict("records"):
        mine = counted[counted["currency"] == row["currency"]]
        arpu = int(moves[moves["currency"] == row["currency"]]["end"].tolist()[-1]) / int(
            mine["end"].tolist()[-1]
        )
        churn = sum(mine["churned"].tolist()) / sum(mine["start"].tolist())
        assert (row["arpu"], row["churn"]) == (round(arpu), pytest.approx(churn))
        assert row["ltv"] == round(arpu / churn) if churn else math.isnan(row["ltv"])


@pytest.mark.parametrize("currency", ["jpy", "kwd", "isk"])
def test_other_decimals_in_every_report_of_customers(currency: str) -> None:
    bill = invoice("in_1", 120_00, "2026-03-01", paid="2026-03-11", due="2026-03-05", currency=currency)
    bill["lines"] = [line("il_1", 120_00, period={"start": 1772323200, "end": 1775001600}, currency=currency)]
    ledger = [transaction("t1", "charge", 120_00, 370, source="ch_1", currency=currency)]
    connect(
        FakeAccount(
            balance_transaction=ledger, charge=[charge("ch_1", 120_00, currency=currency)], invoice=[bill]
        )
    )
    paid = sm.report("collections", month="2026-03")
    assert (paid["sales"].tolist(), paid["days_to_pay"].tolist(), paid["paid_on_time_share"].tolist()) == (
        [12000],
        [10.0],
        [0.0],
    )
    assert sm.report("customer_value", month="2026-03")["net"].tolist() == [12000 - 370]
    assert sm.report("deferred_revenue", month="2026-03")["recognised"].tolist() == [12000]
    scale = {"jpy": 1, "kwd": 1000, "isk": 100}[currency]
    assert sm.report("customer_value", month="2026-03").stripe.to_major()["gross"].tolist() == [12000 / scale]
    sm.close()
