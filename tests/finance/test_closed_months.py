"""A month that is over doesn't change: what invoices, credit notes, refunds, write-offs and voids of later
months do to an account leaves March as it was reported on 2 April. Minor units.

Not among them: MRR (a period that is billed later was live then) and the cohort rate of refunds, which goes
on moving by its definition.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pandas as pd
import pytest
from each_row import each_row
from finance.fake_account import FakeAccount, charge, connect, invoice, recurring, refund, transaction, unix

import stripe_magics as sm

DAY = 86400
OUTCOMES = ("paid", "void", "off", "off then paid", "off then void", "open", "refunded", "credited after",
    "credited before", "credited whole", "out of band")  # fmt: skip
REPORTS: dict[str, dict[str, Any]] = {
    "ar_ageing": {"end": "2026-03-31"},
    "dso": {"month": "2026-03"},
    "collections": {"month": "2026-03"},
    "tax_collected": {"month": "2026-03"},
    "tax_summary": {"month": "2026-03", "home": "DE"},
    "deferred_revenue": {"month": "2026-03"},
    "revenue_schedule": {"month": "2026-03"},
    "customer_value": {"month": "2026-03"},
    "balance_activity": {"month": "2026-03"},
}


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    sm.close()


def iso(seconds: int) -> str:
    return pd.Timestamp(seconds, unit="s").isoformat()


@dataclass
class Firm:
    """An account whose invoices are what they were at an instant."""

    at: int
    invoices: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    refunds: list[dict[str, Any]] = field(default_factory=list)
    charges: list[dict[str, Any]] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)

    def bill(self, n: int, random: Random) -> None:
        """One more invoice, with what became of it by then."""
        outcome, made = OUTCOMES[n % len(OUTCOMES)], unix("2026-01-05") + random.randint(0, 140 * DAY)
        net = random.choice([1000, 2999, 101, 123457])
        tax, code = random.choice([0, round(net * 0.19)]), random.choice(["usd", "eur", "jpy"])
        start = made - random.choice([0, 3, 40]) * DAY
        end = start + random.choice([7, 31, 365]) * DAY
        due, first = random.choice([None, 14 * DAY]), made + random.randint(0, 45 * DAY)
        second, parts = first + random.randint(1, 50 * DAY), random.randint(1, 3)
        if made >= self.at:
            return
        taxes = [{"amount": tax, "inclusive": False, "tax_rate": "txr_de", "taxable_amount": net}]
        item = recurring(f"il_{n}", net, iso(start), iso(end), item=f"si_{n}", currency=code,
            tax_amounts=taxes if tax else [])  # fmt: skip
        of = invoice(f"in_{n}", net + tax, iso(made), [item], tax=tax, currency=code, customer=f"cus_{n % 7}",
            due=iso(made + due) if due else None)  # fmt: skip
        self.invoices.append(of)
        if outcome in {"paid", "refunded", "credited after", "out of band"}:
            self.pay(of, n, first, by_card=outcome != "out of band")
        if outcome == "void":
            self.change(of, "void", "voided_at", first)
        if outcome.startswith("off"):
            self.change(of, "uncollectible", "marked_uncollectible_at", first)
        if outcome == "off then paid":
            self.pay(of, n, second)
        if outcome == "off then void":
            self.change(of, "void", "voided_at", second)
        for part in range(parts if outcome == "refunded" else 0):
            self.give_back(n, (net + tax) // parts, code, second + part * 9 * DAY)
        if outcome == "credited after":
            self.credit(of, n, net // 2, tax // 2, second, before=False)
        if outcome == "credited before":
            self.credit(of, n, net // 2, tax // 2, first, before=True)
            self.pay(of, n, second)
        if outcome == "credited whole":
            self.credit(of, n, net, tax, first, before=True)
            self.change(of, "paid", "paid_at", first)

    def change(self, of: dict[str, Any], status: str, name: str, when: int) -> None:
        if when < self.at:
            of["status"], of["status_transitions"][name] = status, when

    def pay(self, of: dict[str, Any], n: int, when: int, *, by_card: bool = True) -> None:
        if when >= self.at:
            return
        self.change(of, "paid", "paid_at", when)
        amount, code = of["amount_due"], of["currency"]
        of |= {"amount_remaining": 0, "amount_paid": amount, "charge": f"ch_{n}" if by_card else None}
        if by_card:
            more = {"currency": code, "customer": of["customer"], "invoice": of["id"]}
            self.charges.append(charge(f"ch_{n}", amount, iso(when), **more))
            self.entries.append(
                transaction(f"txn_{n}", "charge", amount, 30, iso(when), source=f"ch_{n}", currency=code)
            )

    def give_back(self, n: int, amount: int, code: str, when: int) -> None:
        if when < self.at and amount:
            name = f"re_{n}_{when}"
            self.refunds.append(refund(name, f"ch_{n}", amount, iso(when), currency=code))
            self.entries.append(
                transaction(f"txn_{name}", "refund", -amount, 0, iso(when), source=name, currency=code)
            )

    def credit(self, of: dict[str, Any], n: int, net: int, tax: int, when: int, *, before: bool) -> None:
        if when >= self.at:
            return
        entry = {"amount": tax, "inclusive": False, "tax_rate": "txr_de", "taxable_amount": net}
        self.notes.append({
            "id": f"cn_{n}", "object": "credit_note", "invoice": of["id"], "created": when,
            "status": "issued", "total": net + tax, "amount": net + tax, "currency": of["currency"],
            "refund": None, "refunds": [], "customer": of["customer"], "effective_at": None,
            "type": "pre_payment" if before else "post_payment", "tax_amounts": [entry] if tax else [],
            "total_excluding_tax": net,
        })  # fmt: skip
        if before:
            of["pre_payment_credit_notes_amount"] = net + tax
            for name in ("amount_due", "amount_remaining"):
                of[name] -= net + tax


def account(seed: int, now: str, zone: str) -> FakeAccount:
    random, firm = Random(seed), Firm(unix(now))
    for n in range(77):
        firm.bill(n, random)
    return FakeAccount(
        now=now, zone=zone, invoice=firm.invoices, credit_note=firm.notes, refund=firm.refunds,
        charge=firm.charges, balance_transaction=firm.entries,
    )  # fmt: skip


@each_row(("seed", "zone"), [(1, "America/New_York"), (3, "Australia/Lord_Howe")])
def test_a_closed_month_does_not_change(seed: int, zone: str) -> None:
    made: list[dict[str, pd.DataFrame]] = []
    for now in ("2026-04-02", "2026-07-20"):
        connect(account(seed, now, zone))
        made.append({name: sm.report(name, **period) for name, period in REPORTS.items()})
        proofs = sm.report("proofs", month="2026-03")
        wrong = proofs[(proofs["residual"] != 0) & ~proofs["proof"].str.startswith("MRR")]
        assert wrong.empty, wrong.to_string()
    changed = [name for name in REPORTS if not made[0][name].reset_index(drop=True).equals(made[1][name])]
    assert not changed
    assert all(len(each) for each in made[0].values())


def test_months_add_up_to_the_quarter() -> None:
    connect(account(4, "2026-07-20", "Europe/Berlin"))
    months = ["2026-01", "2026-02", "2026-03"]
    for name, keys, columns in (
        ("tax_collected", ["currency", "kind"], ["taxable", "tax"]),
        ("revenue_schedule", ["currency", "invoice"], ["recognised"]),
        ("balance_activity", ["currency", "reporting_category"], ["gross", "fee", "net"]),
        ("deferred_revenue", ["currency"], ["billed", "recognised", "credited", "written_off"]),
    ):
        parts = pd.concat([sm.report(name, month=month) for month in months])
        whole = sm.report(name, quarter="2026-Q1")
        left, right = (each.groupby(keys)[columns].sum() for each in (parts, whole))
        assert left.equals(right), name


def test_what_a_credit_note_took_off_was_owed_before() -> None:
    firm = Firm(unix("2026-05-01"))
    whole, half = (invoice(name, 1000, "2026-02-10") for name in ("in_1", "in_2"))
    firm.credit(whole, 1, 1000, 0, unix("2026-03-20"), before=True)
    firm.change(whole, "paid", "paid_at", unix("2026-03-20"))
    firm.credit(half, 2, 400, 0, unix("2026-04-10"), before=True)
    connect(FakeAccount(invoice=[whole, half], credit_note=firm.notes))
    for end, total in (("2026-02-28", 2000), ("2026-03-31", 1000), ("2026-04-30", 600)):
        ageing = sm.report("ar_ageing", end=end)
        assert ageing["total"].tolist() == [total]
        assert ageing.stripe.rows("total", row=0)["counted"].sum() == total
        assert sm.report("dso", month=end[:7])["receivables"].tolist() == [total]


def test_true_dso_knows_nothing_of_later_sales() -> None:
    bills = [invoice("in_1", 1000, "2026-03-11"), invoice("in_2", 9000, "2026-05-02", paid="2026-05-03")]
    connect(FakeAccount(invoice=bills, now="2026-06-01"))
    assert sm.report("dso", month="2026-03")["true_dso"].tolist() == [20.0]
