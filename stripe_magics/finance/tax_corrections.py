"""What corrections take back of each tax of an invoice: what a credit note says itself, else the correction's
part of what is left, so that an invoice that is taken back whole, in however many parts, leaves nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from stripe_magics.finance.aggregation import int_column, to_str
from stripe_magics.finance.corrections import CREDIT_NOTE, WRITE_OFF, credit_notes_issued
from stripe_magics.finance.reporting_period import Ints
from stripe_magics.finance.tax_entries import AMOUNTS, TaxEntries, by_entry, invoice_totals, tax_entries

_SAME = ("document", "tax_rate", "inclusive")
_NOTHING_LEFT = 1e-9


def of_credit_notes(
    credit_notes: pd.DataFrame | None, taken: pd.DataFrame
) -> tuple[pd.DataFrame, Mapping[str, Mapping[str, Any]]] | None:
    """The credit notes among the corrections that say themselves what tax they take back."""
    if credit_notes is None or not len(issued := credit_notes_issued(credit_notes)):
        return None
    about = taken[taken["kind"] == CREDIT_NOTE].set_index("document")
    issued = issued[to_str(issued["id"]).isin(about.index)]
    entries = tax_entries(issued)
    itemised = invoice_totals(issued)[1].ne(0).to_numpy(copy=True)
    itemised[entries.row] = True
    at = np.flatnonzero(itemised)
    number = np.full(len(issued), -1, dtype=np.int64)
    number[at] = np.arange(len(at))
    whole = issued[itemised]
    rows = by_entry(whole, TaxEntries(number[entries.row], entries.table, entries.rates))
    rows["document"] = to_str(whole["id"]).take(rows.pop("at").to_numpy()).array
    for name in ("posted", "invoice", "place"):
        rows[name] = rows["document"].map(about[name])
    rows["kind"] = CREDIT_NOTE
    rows[list(AMOUNTS)] = -rows[list(AMOUNTS)].astype(np.int64)
    return rows, entries.rates


def in_proportion(
    invoices: pd.DataFrame, taken: pd.DataFrame, spelt: pd.DataFrame | None, inside: np.ndarray
) -> pd.DataFrame:
    """What corrections without taxes of their own take back of each tax of their invoices. `taken` are all
    corrections, `spelt` the rows of those that say it themselves, `inside` which corrections are asked
    for."""
    own = set() if spelt is None else set(spelt["document"])
    asked = inside & ~taken["document"].isin(own).to_numpy()
    places = np.unique(taken["place"].to_numpy()[asked])
    mine = taken.assign(asked=asked)[taken["place"].isin(places)]
    mine = mine.sort_values("posted", kind="stable")
    steps = _Steps(invoices, places)
    parts = []
    for _, step in mine.groupby(
        mine.groupby("place").cumcount()
    ):  # the first of each invoice, the second ...
        parts.append(steps.take(step, spelt if spelt is not None and own & set(step["document"]) else None))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


class _Steps:
    """Invoices of which one correction after another takes something: how much of each tax is left."""

    def __init__(self, invoices: pd.DataFrame, places: Ints) -> None:
        theirs = invoices.take(places)
        self.taxes = by_entry(theirs, tax_entries(theirs))
        self.invoice: Ints = self.taxes.pop("at").to_numpy()  # which of the places each tax is of
        self.taxes["place"] = places[self.invoice]
        self.places = pd.Index(places)
        self.total = int_column(theirs, "total").to_numpy()
        self.credited, self.written = np.zeros(len(places)), np.zeros(len(places))
        self.left = self.taxes[list(AMOUNTS)].to_numpy(dtype=np.int64, copy=True)
        self.lost = np.zeros_like(self.left)  # what write-offs took, to be given back if they are undone

    def take(self, step: pd.DataFrame, spelt: pd.DataFrame | None) -> pd.DataFrame:
        """The tax rows of at most one correction an invoice; those that were asked for and don't say
        themselves what they take."""
        at = self.places.get_indexer(pd.Index(step["place"]))
        before, undone = self._move(at, step)
        part = _over(before - (1.0 - self.credited - self.written), before)
        of_step = np.full(len(self.places), -1, dtype=np.int64)
        of_step[at] = np.arange(len(step))
        number = of_step[self.invoice]
        rows = np.flatnonzero(number >= 0)
        number = number[rows]
        back = undone[number][:, None]
        lost, left = self.lost[rows], self.left[rows]
        took = np.rint(np.where(back > 0, -lost * back, left * part[self.invoice[rows]][:, None])).astype(
            np.int64
        )
        about = step.iloc[number].reset_index(drop=True)
        said = np.zeros(len(rows), dtype=bool)
        if spelt is not None:
            took, said = _as_said(took, about, self.taxes.iloc[rows], spelt)
        self.left[rows] -= took
        off = about["kind"].eq(WRITE_OFF).to_numpy()
        self.lost[rows[off]] += took[off]
        shown = about["asked"].to_numpy() & ~said & took.any(axis=1)  # a second refund of all takes nothing
        out = (
            self.taxes.iloc[rows]
            .reset_index(drop=True)
            .assign(**{name: about[name] for name in ("invoice", "document", "kind", "posted")})
        )
        out[list(AMOUNTS)] = -took
        asked: pd.DataFrame = out[shown]
        return asked

    def _move(self, at: Ints, step: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Count a correction of some invoices: the part of each invoice that was left before, and the part of
        its write-offs that each correction undoes."""
        before = 1.0 - self.credited - self.written
        share = _over(step["amount"].to_numpy(dtype=float), self.total[at].astype(float))
        off = step["kind"].eq(WRITE_OFF).to_numpy()
        undone = np.where(off & (share < 0), np.clip(_over(-share, self.written[at]), 0.0, 1.0), 0.0)
        self.credited[at] = np.where(off, self.credited[at], np.clip(self.credited[at] + share, 0.0, 1.0))
        written = np.where(off, self.written[at] + share, self.written[at])
        self.written[at] = np.clip(written, 0.0, 1.0 - self.credited[at])
        return before, undone


def _over(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole; nothing of nothing."""
    there = np.abs(whole) > _NOTHING_LEFT
    made: np.ndarray = np.where(there, part / np.where(there, whole, 1.0), 0.0)
    return made


def _as_said(
    took: np.ndarray, about: pd.DataFrame, taxes: pd.DataFrame, spelt: pd.DataFrame
) -> tuple[np.ndarray, np.ndarray]:
    """The amounts with those that documents say themselves, and which rows these are."""
    said = about["document"].isin(set(spelt["document"])).to_numpy()
    named = spelt.groupby(list(_SAME))[list(AMOUNTS)].sum()
    keys = pd.MultiIndex.from_arrays(
        [about["document"], taxes["tax_rate"].to_numpy(), taxes["inclusive"].to_numpy()], names=_SAME
    )
    own = -named.reindex(keys, fill_value=0).to_numpy(dtype=np.int64)
    return np.where(said[:, None], own, took), said
