"""The tax entries of documents, in both shapes of the API, and each document's own net and tax."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from stripe_magics.finance.aggregation import int_column
from stripe_magics.finance.invoice_line_items import filled_lists, is_inclusive
from stripe_magics.finance.nested_lists import as_text, nested_lists
from stripe_magics.finance.reporting_period import Ints

_ENTRIES = ("total_taxes", "total_tax_amounts", "tax_amounts")
AMOUNTS = ("taxable", "tax")


@dataclass(frozen=True, slots=True)
class TaxEntries:
    """The tax entries of documents, one after another, in both shapes; `row` is the document that each is
    of."""

    row: Ints
    table: pd.DataFrame
    rates: Mapping[str, Mapping[str, Any]]

    def sums(self, documents: int) -> Ints:
        """The tax of each document."""
        made = np.zeros(documents, dtype=np.int64)
        np.add.at(made, self.row, self.table["tax"].to_numpy())
        return made

    def where(self, kept: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> TaxEntries:
        """Some of them."""
        return TaxEntries(self.row[kept], self.table[kept], self.rates)


def tax_entries(documents: pd.DataFrame) -> TaxEntries:
    """The tax entries of each document: of its newest shape that has some."""
    taken = np.zeros(len(documents), dtype=bool)
    rows: list[Ints] = []
    tables: list[pd.DataFrame] = []
    rates: dict[str, Mapping[str, Any]] = {}
    for name in _ENTRIES:
        if name not in documents.columns:
            continue
        each = nested_lists(documents[name], name)
        if taken.any():
            each = each.where(~taken[each.row])
        if not len(each):
            continue
        taken[each.row] = True
        rates |= each.expanded
        rate = pc.coalesce(each.get("tax_rate"), each.get("tax_rate_details", "tax_rate"))
        base = each.get("taxable_amount")
        rows.append(each.row)
        tables.append(
            pd.DataFrame(
                {
                    "tax_rate": as_text(rate.fill_null("")),
                    "inclusive": is_inclusive(each),
                    "taxability": as_text(each.text("taxability_reason")),
                    "taxable": each.ints("taxable_amount"),
                    "tax": each.ints("amount"),
                    "of_all": base.is_null().to_numpy(zero_copy_only=False),
                }
            )
        )
    if not tables:
        none = {name: pd.Series(dtype="str") for name in ("tax_rate", "taxability")}
        numbers = {name: pd.Series(dtype=np.int64) for name in AMOUNTS}
        flags_ = {name: pd.Series(dtype=bool) for name in ("inclusive", "of_all")}
        return TaxEntries(np.array([], dtype=np.int64), pd.DataFrame({**none, **numbers, **flags_}), rates)
    return TaxEntries(np.concatenate(rows), pd.concat(tables, ignore_index=True), rates)


def known_rates(
    invoices: pd.DataFrame, tax_rates: pd.DataFrame | None, named: Iterable[str] = ()
) -> dict[str, Mapping[str, Any]]:
    """Tax rates by id: from their own list, and those that invoices spell out, if one of `named` is not in
    it."""
    found: dict[str, Mapping[str, Any]] = {}
    if tax_rates is not None:
        for row in tax_rates.to_dict("records"):
            found[str(row["id"])] = {str(key): value for key, value in row.items()}
    if set(named) - {"", *found}:
        for cell in filled_lists(invoices, "default_tax_rates"):
            for rate in cell:
                if isinstance(rate, Mapping):
                    found.setdefault(str(rate.get("id")), rate)
    return found


def by_entry(documents: pd.DataFrame, entries: TaxEntries) -> pd.DataFrame:
    """One row an entry: at (the document's place), tax rate, behaviour, reason, taxable, tax. One without
    entries has one, of its own tax."""
    net, tax = _own(documents, entries)
    bare = np.ones(len(documents), dtype=bool)
    bare[entries.row] = False
    without = np.flatnonzero(bare)
    spelt = entries.table
    own = pd.DataFrame(
        {
            "at": without,
            "tax_rate": "",
            "inclusive": False,
            "taxability": "",
            "taxable": net.to_numpy()[without],
            "tax": tax.to_numpy()[without],
        }
    )
    if spelt.empty:
        return own
    base = np.where(spelt["of_all"], net.to_numpy()[entries.row], spelt["taxable"])
    rows = spelt.drop(columns="of_all").assign(at=entries.row, taxable=base)[list(own.columns)]
    return rows if own.empty else pd.concat([rows, own], ignore_index=True)


def invoice_totals(documents: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Each document's net and tax by its own totals."""
    return _own(documents, tax_entries(documents))


def _own(documents: pd.DataFrame, entries: TaxEntries) -> tuple[pd.Series, pd.Series]:
    total = int_column(documents, "total", "amount" if "amount" in documents.columns else "")
    summed = pd.Series(entries.sums(len(documents)), index=documents.index)
    net = documents.get("total_excluding_tax")
    tax = int_column(documents, "tax") if "tax" in documents.columns else summed
    tax = tax.where(tax.ne(0), summed)
    if net is not None:
        excluded = net.astype("Int64")
        tax = tax.where(excluded.isna().to_numpy() | tax.ne(0), (total - excluded.fillna(0)).astype(np.int64))
    return (total - tax).astype(np.int64), tax.astype(np.int64)
