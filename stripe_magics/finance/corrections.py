"""What takes back a part of an invoice later: credit notes, refunds without a credit note, write-offs, and
voids.

Each counts on the day on which it happens, with the part of the invoice's total that it takes back; a closed
month never changes. A refund that a credit note names is that credit note, not another correction. An invoice
that is voided in the month of its finalisation leaves no trace in that month; one that is voided later is
taken back in the later month, less what was taken back before. One that was written off and is paid or voided
after all was written off until then: the write-off is undone on that day, by a row of its own with the
opposite sign.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from stripe_magics.finance.aggregation import int_column, lists, text_column, to_int64, to_str
from stripe_magics.finance.payments import living_refunds
from stripe_magics.finance.receivables import NEVER, NONE, transitions
from stripe_magics.finance.reporting_period import month_number, nanoseconds

CREDIT_NOTE, REFUND, WRITE_OFF, VOID = "credit note", "refund", "write-off", "void"
_COLUMNS = ["invoice", "document", "kind", "posted", "amount"]


def billed(invoices: pd.DataFrame, zone: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which invoices were billed, whatever became of them later: finalised, and not voided in the same
    month."""
    status, finalized = to_str(invoices["status"]), transitions(invoices, "finalized_at")
    made: np.ndarray[tuple[int], np.dtype[np.bool_]] = (finalized != NONE) & status.ne("draft").to_numpy()
    void = made & status.eq("void").to_numpy()
    voided = transitions(invoices, "voided_at")
    later = voided[void] != NONE  # a void one that doesn't say since when never counts
    later[later] = month_number(voided[void][later], zone) != month_number(finalized[void][later], zone)
    made[np.flatnonzero(void)[~later]] = False
    return made


def credit_notes_issued(credit_notes: pd.DataFrame) -> pd.DataFrame:
    """Credit notes that are not void, with the instant at which each counts (`posted`) and its whole amount
    (`whole`)."""
    if credit_notes.empty or "id" not in credit_notes.columns:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in ("id", "invoice", "posted", "whole")})
    issued = credit_notes[~text_column(credit_notes, "status").isin(["void"])]
    made = nanoseconds(issued["created"])
    effective = (
        nanoseconds(issued["effective_at"])
        if "effective_at" in issued.columns
        else np.full(len(issued), NONE, dtype=np.int64)
    )
    total = int_column(issued, "total", "amount")
    return issued.assign(posted=np.where(effective == NONE, made, effective), whole=total)


def _refunds_named(credit_notes: pd.DataFrame) -> set[str]:
    named = set(text_column(credit_notes, "refund")) if len(credit_notes) else set()
    cells = lists(credit_notes["refunds"], column="refunds") if "refunds" in credit_notes.columns else ()
    for cell in cells:
        for each in cell:
            refund = each.get("refund")
            named.add(str(refund.get("id") if isinstance(refund, dict) else refund))
    return named - {""}


def _invoice_of_charge(
    invoices: pd.DataFrame, charges: pd.DataFrame | None
) -> tuple[dict[str, str], dict[str, str]]:
    """The invoice of each charge and of each payment intent, as far as either side says."""
    ids = to_str(invoices["id"])
    by_charge = dict(zip(text_column(invoices, "charge"), ids, strict=True))
    by_intent = dict(zip(text_column(invoices, "payment_intent"), ids, strict=True))
    if charges is not None and "invoice" in charges.columns:
        linked = charges[charges["invoice"].notna()]
        by_charge.update(zip(to_str(linked["id"]), to_str(linked["invoice"]), strict=True))
    if "payments" in invoices.columns:
        for invoice, cell in zip(ids, lists(invoices["payments"], column="payments"), strict=True):
            for each in cell:
                payment = each.get("payment") or {}
                by_intent[str(payment.get("payment_intent") or "")] = invoice
                by_charge[str(payment.get("charge") or "")] = invoice
    by_charge.pop("", None)
    by_intent.pop("", None)
    return by_charge, by_intent


def corrections(
    invoices: pd.DataFrame,
    credit_notes: pd.DataFrame | None = None,
    refunds: pd.DataFrame | None = None,
    charges: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Every correction of a finalised invoice: invoice, document (its id), kind, posted (int64 instant),
    amount (minor units, with tax)."""
    parts = []
    notes = credit_notes_issued(credit_notes) if credit_notes is not None else None
    if notes is not None and len(notes):
        parts.append(
            _part(to_str(notes["invoice"]), to_str(notes["id"]), CREDIT_NOTE, notes["posted"], notes["whole"])
        )
    if refunds is not None and len(refunds):
        by_charge, by_intent = _invoice_of_charge(invoices, charges)
        living = living_refunds(refunds)
        living = living[~to_str(living["id"]).isin(_refunds_named(notes) if notes is not None else set())]
        invoice = text_column(living, "charge").map(by_charge)
        invoice = invoice.where(invoice.notna(), text_column(living, "payment_intent").map(by_intent))
        own = living[invoice.notna()]
        parts.append(
            _part(
                invoice[invoice.notna()],
                to_str(own["id"]),
                REFUND,
                pd.Series(nanoseconds(own["created"]), index=own.index),
                to_int64(own["amount"]),
            )
        )
    parts += _written_off(invoices)
    void = to_str(invoices["status"]).eq("void").to_numpy() & (transitions(invoices, "voided_at") != NONE)
    if void.any():
        parts.append(_voids(invoices[void], pd.concat(parts) if parts else None))
    kept = [part for part in parts if len(part)]
    if kept:
        return pd.concat(kept, ignore_index=True)
    none = pd.Series(dtype=object)
    return _part(none, none, "", none, none)


def _written_off(invoices: pd.DataFrame) -> list[pd.DataFrame]:
    """The write-offs of invoices, and what undoes them: a payment or a void that came later."""
    off = transitions(invoices, "marked_uncollectible_at")
    status = to_str(invoices["status"]).to_numpy()
    over = np.select(
        [status == each for each in ("uncollectible", "paid", "void")],
        [np.full(len(off), NEVER), transitions(invoices, "paid_at"), transitions(invoices, "voided_at")],
        default=NONE,
    )
    found = np.flatnonzero((off != NONE) & (over > off))
    if not len(found):
        return []
    mine, since, until = invoices.take(found), off[found], over[found]
    last = until == NEVER
    amount = int_column(mine, "amount_remaining").where(last, int_column(mine, "amount_due"))
    ids = to_str(mine["id"])
    return [
        _part(ids, ids, WRITE_OFF, pd.Series(since), amount),
        _part(ids[~last], ids[~last], WRITE_OFF, pd.Series(until[~last]), -amount[~last]),
    ]


def _voids(void: pd.DataFrame, before: pd.DataFrame | None) -> pd.DataFrame:
    """What voids take back: all that earlier credit notes and refunds left."""
    ids, when = to_str(void["id"]), transitions(void, "voided_at")
    taken = np.zeros(len(void), dtype=np.int64)
    if before is not None:
        place = pd.Index(ids).get_indexer(pd.Index(before["invoice"]))
        earlier = (place >= 0) & before["kind"].ne(WRITE_OFF).to_numpy()
        earlier[earlier] = before["posted"].to_numpy()[earlier] <= when[place[earlier]]
        np.add.at(taken, place[earlier], before["amount"].to_numpy()[earlier])
    return _part(ids, ids, VOID, pd.Series(when), int_column(void, "total") - taken)


def _part(
    invoice: pd.Series, document: pd.Series, kind: str, posted: pd.Series, amount: pd.Series
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "invoice": invoice.to_numpy(dtype=object),
            "document": document.to_numpy(dtype=object),
            "kind": kind,
            "posted": posted.to_numpy(dtype=np.int64),
            "amount": amount.to_numpy(dtype=np.int64),
        },
        columns=_COLUMNS,
    )
