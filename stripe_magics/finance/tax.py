"""Tax by document and rate, and its summary by country and rate as a VAT or OSS return asks for it.

An invoice counts in the month in which it is finalised; credit notes, refunds without a credit note and
write-offs take tax back in the month in which they happen, and so does a void of an invoice of an earlier
month; one that was voided in its own month is out. Invoices without tax are rows too, since returns ask for
exempt and reverse-charge sales.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from stripe_magics.finance.aggregation import group_sums, require_columns, result, text_column, to_str, totals
from stripe_magics.finance.columns import CURRENCY, column, count, declare, money, text
from stripe_magics.finance.corrections import billed, corrections
from stripe_magics.finance.invoice_line_items import without_lines
from stripe_magics.finance.nested_lists import nested_lists
from stripe_magics.finance.receivables import transitions
from stripe_magics.finance.reporting_period import Ints, Moment, Period, instants, period
from stripe_magics.finance.tax_corrections import in_proportion, of_credit_notes
from stripe_magics.finance.tax_entries import AMOUNTS, by_entry, known_rates, tax_entries
from stripe_magics.frames.frame_info import add_note, facts_of

EU = frozenset(
    [
        "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU",
        "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
    ]
)  # fmt: skip
_SORTED_BY = ("posted", "document", "tax_rate")
_OF_CUSTOMERS = (
    "currency",
    "customer",
    "customer_name",
    "customer_address_country",
    "customer_tax_ids",
    "customer_tax_exempt",
)

COUNTRY = text("country", "The country of the tax rate, else of the customer's address.")
PERCENT = column("percentage", "percent", "The rate in percent; missing where the rate isn't known.")
TREATMENT = text("treatment", "domestic, oss, reverse charge, exempt, outside the EU or abroad.")


def _customers(invoices: pd.DataFrame) -> pd.DataFrame:
    """What each invoice says of its customer."""
    tax_id = pd.Series("", index=invoices.index, dtype=object)
    if "customer_tax_ids" in invoices.columns:
        ids = nested_lists(invoices["customer_tax_ids"], "customer_tax_ids")
        first = np.flatnonzero(np.diff(ids.row, prepend=-1))  # rows come in order
        tax_id.iloc[ids.row[first]] = ids.text("value").take(pa.array(first)).to_numpy(zero_copy_only=False)
    return pd.DataFrame(
        {
            "currency": to_str(invoices["currency"]),
            "customer": text_column(invoices, "customer"),
            "customer_name": text_column(invoices, "customer_name"),
            "address": text_column(invoices, "customer_address_country"),
            "customer_tax_id": tax_id,
            "exempt": text_column(invoices, "customer_tax_exempt").replace("", "none"),
        }
    )


@declare(
    CURRENCY,
    column("date", "time", "When it counts: finalisation, or the day of the correction."),
    text("document", "The invoice, credit note or refund."),
    text("kind", "invoice, credit note, refund, write-off or void."),
    text("invoice", "The invoice that it is about."),
    text("customer", "The customer."),
    text("customer_name", "Their name."),
    text("customer_tax_id", "Their tax id."),
    COUNTRY,
    text("exempt", "Stripe's tax status of the customer: none, exempt or reverse."),
    text("tax_rate", "The tax rate; empty where there is none."),
    PERCENT,
    column("inclusive", "flag", "Whether prices include the tax."),
    text("taxability", "Stripe's reason for the tax or for its absence."),
    money("taxable", "What the tax is on."),
    money("tax", "The tax; negative where it is taken back."),
)
def tax_collected(
    invoices: pd.DataFrame,
    start: Moment,
    end: Moment,
    *,
    zone: str = "UTC",
    credit_notes: pd.DataFrame | None = None,
    refunds: pd.DataFrame | None = None,
    charges: pd.DataFrame | None = None,
    tax_rates: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Tax by document and rate. Both shapes of invoices (before and since 2025-03-31)."""
    require_columns(
        invoices,
        ("id", "currency", "customer", "status", "total"),
        report="tax_collected",
        object_type="invoice",
    )
    span, own = period(start, end, zone), without_lines(invoices)
    out, spelt = _documents(own, credit_notes, refunds, charges, span)
    out = out.take(_order(out, own))
    place = out.pop("place").to_numpy()
    for name, values in _customers(
        own[[name for name in _OF_CUSTOMERS if name in own.columns]].take(place)
    ).items():
        out[name] = values.array
    coded, labels = pd.factorize(out["tax_rate"])
    known = {**spelt, **known_rates(invoices, tax_rates, labels)}
    rates = [known.get(str(each), {}) for each in labels]
    of_rate = np.array(
        [each.get("country") if isinstance(each.get("country"), str) else "" for each in rates], dtype=object
    )
    country = pd.Series(of_rate[coded], index=out.index, dtype=object)
    out["country"] = country.where(country.ne(""), out["address"])
    percent = np.array([_percentage(each) for each in rates], dtype=float)
    without = np.where(out["tax"] == 0, 0.0, np.nan)
    out["percentage"] = np.where(out["tax_rate"].ne(""), percent[coded] if rates else np.nan, without)
    out["date"] = instants(out["posted"].to_numpy(dtype=np.int64)).array
    columns = [
        "currency",
        "date",
        "document",
        "kind",
        "invoice",
        "customer",
        "customer_name",
        "customer_tax_id",
    ]
    columns += ["country", "exempt", "tax_rate", "percentage", "inclusive", "taxability", *AMOUNTS]
    sources = [invoices, credit_notes, refunds, charges]
    return result(out[columns], "tax_collected", sources, period=span)


def _order(out: pd.DataFrame, invoices: pd.DataFrame) -> Ints:
    """The places of tax entries by currency, day, document and rate."""
    currency = to_str(invoices["currency"]).take(out["place"].to_numpy())
    keys = {"currency": pa.array(currency.array), **{name: pa.array(out[name]) for name in _SORTED_BY}}
    made: Ints = pc.sort_indices(pa.table(keys), [(name, "ascending") for name in keys]).to_numpy()
    return made


def _percentage(rate: Mapping[str, Any]) -> float:
    for name in ("effective_percentage", "percentage"):
        value = rate.get(name)
        if value is not None and not np.isnan(value):
            return float(value)
    return float("nan")


def _documents(
    invoices: pd.DataFrame,
    credit_notes: pd.DataFrame | None,
    refunds: pd.DataFrame | None,
    charges: pd.DataFrame | None,
    span: Period,
) -> tuple[pd.DataFrame, Mapping[str, Mapping[str, Any]]]:
    """Invoices and what corrects them in a period, one row a tax entry, and the tax rates that the entries
    spell out.

    Columns: document, kind, invoice, place (the invoice's row), posted, tax_rate, inclusive, taxability,
    taxable, tax.
    """
    counts = billed(invoices, span.zone)
    finalized = transitions(invoices, "finalized_at")
    inside = counts & (finalized >= span.start.value) & (finalized < span.end.value)
    ids = to_str(invoices["id"])
    found = np.flatnonzero(inside)
    mine = invoices.take(found)
    entries = tax_entries(mine)
    rates = dict(entries.rates)
    sold = by_entry(mine, entries)
    sold["place"] = found[sold.pop("at").to_numpy()]
    sold["invoice"] = sold["document"] = ids.take(sold["place"].to_numpy()).array
    sold["posted"], sold["kind"] = finalized[sold["place"]], "invoice"
    parts = [sold]
    taken = corrections(invoices, credit_notes, refunds, charges)
    place = pd.Index(ids).get_indexer(pd.Index(taken["invoice"]))
    known = (place >= 0) & counts[place]
    taken = taken[known].assign(place=place[known]).reset_index(drop=True)
    spelt = of_credit_notes(credit_notes, taken)
    if spelt is not None:
        noted, of_notes = spelt
        rates |= of_notes
        parts.append(noted[_within(noted, span)])
    if (within := _within(taken, span)).any():
        parts.append(in_proportion(invoices, taken, spelt and spelt[0], within))
    kept = [part[sold.columns] for part in parts if len(part)]
    out = pd.concat(kept, ignore_index=True) if len(kept) > 1 else (kept or [sold])[0]
    return out.astype({"taxable": np.int64, "tax": np.int64, "posted": np.int64, "inclusive": bool}), rates


def _within(rows: pd.DataFrame, span: Period) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    posted = rows["posted"].to_numpy(dtype=np.int64)
    made: np.ndarray[tuple[int], np.dtype[np.bool_]] = (posted >= span.start.value) & (
        posted < span.end.value
    )
    return made


def treatment(rows: pd.DataFrame, home: str) -> pd.Series:
    """How each row belongs into a return of a firm at home in a country: domestic, oss, reverse charge,
    exempt, abroad ..."""
    country = rows["country"].astype(str)
    at_home = country.eq(home)
    reverse = rows["exempt"].eq("reverse") | rows["taxability"].eq("reverse_charge")
    exempt = rows["exempt"].eq("exempt") | rows["taxability"].isin(["customer_exempt", "product_exempt"])
    within = country.isin(EU) & (home in EU)
    made = np.select(
        [
            reverse,
            exempt,
            at_home,
            within & rows["tax"].ne(0),
            within & rows["customer_tax_id"].ne(""),
            within,
        ],
        ["reverse charge", "exempt", "domestic", "oss", "reverse charge", "oss"],
        default="outside the EU" if home in EU else "abroad",
    )
    return pd.Series(made, index=rows.index, dtype=object)


@declare(
    CURRENCY,
    TREATMENT,
    COUNTRY,
    PERCENT,
    column("inclusive", "flag", "Whether prices include the tax."),
    count("documents", "Invoices, credit notes, refunds, write-offs and voids in it."),
    money("taxable", "What the tax is on."),
    money("tax", "The tax; less what was taken back."),
)
def tax_summary(rows: pd.DataFrame, span: Period, *, home: str = "") -> pd.DataFrame:
    """Tax by country and rate, from tax_collected: what a VAT return and an OSS return ask for.

    `home` is the firm's country (two letters): it decides between domestic sales and those of the One Stop
    Shop.
    """
    about = facts_of(rows)
    if rows.empty:
        out = pd.DataFrame({name: pd.Series(dtype=object) for name in ("currency", "treatment", "country")})
        out = out.assign(percentage=pd.Series(dtype=float), inclusive=pd.Series(dtype=bool))
        for name in ("documents", *AMOUNTS):
            out[name] = pd.Series(dtype=np.int64)
    else:
        keys = {
            "currency": rows["currency"],
            "treatment": treatment(rows, home),
            "country": rows["country"].astype(str),
            "percentage": rows["percentage"].map(lambda each: "" if np.isnan(each) else repr(float(each))),
            "inclusive": rows["inclusive"].astype(int),
        }
        out = group_sums(keys, {name: rows[name] for name in AMOUNTS}).rename(columns={"count": "documents"})
        out["percentage"] = pd.to_numeric(out["percentage"], errors="coerce").astype(float)
        out["inclusive"] = out["inclusive"].astype(bool)
    made = result(out, "tax_summary", [rows], period=span, home=home, notes=totals(out, "tax", "Tax in all"))
    add_note(made, *(about.get("notes") or []))
    return made
