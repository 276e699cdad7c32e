"""Refunds, credit notes, write-offs and voids of one invoice, one after another: what they take back of its
taxes adds up to the cent. Minor units, usd."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from each_row import each_row
from finance.fake_account import FakeAccount, charge, connect, invoice, refund, unix

import stripe_magics as sm

TWO_RATES = [
    {"amount": 190, "inclusive": False, "tax_rate": "txr_19", "taxable_amount": 1000},
    {"amount": 35, "inclusive": False, "tax_rate": "txr_7", "taxable_amount": 500},
]


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    sm.close()


def credit_note(identity: str, of: str, total: int, created: str, *taxes: dict[str, Any]) -> dict[str, Any]:
    tax = sum(each["amount"] for each in taxes)
    return {
        "id": identity, "object": "credit_note", "invoice": of, "created": unix(created), "status": "issued",
        "total": total, "amount": total, "currency": "usd", "customer": "cus_1", "refund": None,
        "refunds": [], "effective_at": None, "tax_amounts": [*taxes],
        "total_excluding_tax": total - tax if taxes else None,
    }  # fmt: skip


def taken_back(month: str) -> list[tuple[str, str, int, int]]:
    table = sm.report("tax_collected", month=month)
    rows = table[table["kind"] != "invoice"][["kind", "tax_rate", "taxable", "tax"]]
    return [tuple(each) for each in rows.to_numpy().tolist()]


@each_row("parts", [(397, 397, 396), (1, 1188, 1), (595, 595), (400, 400, 400)])
def test_an_invoice_that_is_refunded_in_parts_leaves_no_tax(parts: tuple[int, ...]) -> None:
    bill = invoice("in_1", 1190, "2026-03-05", tax=190, paid="2026-03-05", charge="ch_1")
    refunds = [refund(f"re_{day}", "ch_1", part, f"2026-03-{day}") for day, part in enumerate(parts, 10)]
    connect(FakeAccount(invoice=[bill], charge=[charge("ch_1", 1190, invoice="in_1")], refund=refunds))
    rows = taken_back("2026-03")
    assert (sum(each[2] for each in rows), sum(each[3] for each in rows)) == (-1000, -190)
    done, so_far = 0, 0
    for part, (_, _, _, tax) in zip(parts, rows, strict=True):  # each is its part, to the cent
        done, so_far = min(done + part, 1190), so_far + tax
        assert abs(so_far + 190 * done / 1190) <= 1


def test_a_credit_note_of_all_and_a_refund_that_it_does_not_name_take_the_tax_once() -> None:
    bill = invoice("in_1", 1190, "2026-03-05", tax=190, paid="2026-03-05", charge="ch_1")
    note = credit_note("cn_1", "in_1", 1190, "2026-04-02", {**TWO_RATES[0], "tax_rate": "txr_de"})
    connect(
        FakeAccount(
            invoice=[bill], credit_note=[note], charge=[charge("ch_1", 1190, invoice="in_1")],
            refund=[refund("re_1", "ch_1", 1190, "2026-04-03")],
        )
    )  # fmt: skip
    assert taken_back("2026-04") == [("credit note", "txr_de", -1000, -190)]
    revenue = sm.report("deferred_revenue", month="2026-04")
    assert revenue[["recognised", "credited"]].to_numpy().tolist() == [[-1000, 1000]]


def test_a_void_takes_back_what_a_credit_note_left_of_each_rate() -> None:
    bill = invoice("in_1", 1725, "2026-03-05", tax=225, voided="2026-04-20", total_tax_amounts=TWO_RATES)
    note = credit_note("cn_1", "in_1", 535, "2026-03-09", TWO_RATES[1])  # all that has 7 %
    connect(FakeAccount(invoice=[bill], credit_note=[note]))
    assert taken_back("2026-03") == [("credit note", "txr_7", -500, -35)]
    assert taken_back("2026-04") == [("void", "txr_19", -1000, -190)]


def test_a_write_off_that_is_paid_after_all_gives_back_what_it_took() -> None:
    bill = invoice("in_1", 1190, "2026-02-05", tax=190, written_off="2026-03-31")
    bill |= {"status": "paid", "amount_remaining": 0, "amount_paid": 1190}
    bill["status_transitions"]["paid_at"] = unix("2026-04-11")
    refunds = [refund("re_1", "ch_1", 397, "2026-02-20"), refund("re_2", "ch_1", 793, "2026-04-20")]
    charges = [charge("ch_1", 1190, invoice="in_1")]
    connect(FakeAccount(invoice=[bill], charge=charges, refund=refunds))
    assert taken_back("2026-02") == [("refund", "txr_de", -334, -63)]
    assert taken_back("2026-03") == [("write-off", "txr_de", -666, -127)]
    assert taken_back("2026-04") == [("write-off", "txr_de", 666, 127), ("refund", "txr_de", -666, -127)]


def test_many_invoices_at_once_are_each_taken_back_for_themselves() -> None:
    bills = [
        invoice(f"in_{n}", 1190 + n, "2026-03-05", tax=190, paid="2026-03-05", charge=f"ch_{n}")
        for n in range(40)
    ]
    cuts = [sorted({0, (n * 137) % 1190, (n * 311) % 1190, 1190 + n}) for n in range(40)]
    refunds = [
        refund(f"re_{n}_{at}", f"ch_{n}", part[1] - part[0], f"2026-03-{10 + at}")
        for n, cut in enumerate(cuts)
        for at, part in enumerate(pairwise(cut))
    ]
    charges = [charge(f"ch_{n}", 1190 + n, invoice=f"in_{n}") for n in range(40)]
    connect(FakeAccount(invoice=bills, charge=charges, refund=refunds))
    table = sm.report("tax_collected", month="2026-03")
    left = table.groupby("invoice")[["taxable", "tax"]].sum()
    assert len(left) == 40
    assert not left.to_numpy().any()
