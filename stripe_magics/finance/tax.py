"""Tax by document and rate, and its summary by country and rate as a VAT or OSS return asks for it.

An invoice counts in the month in which it is finalised; credit notes, refunds without a credit note and write-offs take tax back in the
month in which they happen. Void invoices are out. Invoices without tax are rows too, since returns ask for exempt and reverse-charge sales.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from stripe_magics.finance.aggregation import (
    group_sums,
    int_column,
    lists,
    require_columns,
    result,
    text_column,
    to_str,
    totals,
)
from stripe_magics.finance.columns import CURRENCY, column, count, declare, money, text
from stripe_magics.finance.corrections import (
    CREDIT_NOTE,
    REFUND,
    VOID,
    WRITE_OFF,
    corrections,
    credit_notes_issued,
)
from stripe_magics.finance.receivables import NONE, transitions
from stripe_magics.finance.reporting_period import Moment, Period, instants, period
from stripe_magics.frames.frame_info import add_note

EU = frozenset(
    [
        "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU",
        "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
    ]
)  # fmt: skip
_ENTRIES = ("total_taxes", "total_tax_amounts", "tax_amounts")
_AMOUNTS = ("taxable", "tax")

COUNTRY = text("country", "The country of the tax rate, else of the customer's address.")
PERCENT = column("percentage", "percent", "The rate in percent; missing where the rate isn't known.")
TREATMENT = text("treatment", "domestic, oss, reverse charge, exempt, outside the EU or abroad.")


def tax_entries(documents: pd.DataFrame) -> list[list[Mapping[str, Any]]]:
    """The tax entries of each document, both shapes."""
    found: list[list[Mapping[str, Any]]] = [[] for _ in range(len(documents))]
    for name in _ENTRIES:
        if name in documents.columns:
            cells = lists(documents[name], column=name)
            found = [have or cell for have, cell in zip(found, cells, strict=True)]
    return found


def _rate_id(entry: Mapping[str, Any]) -> str:
    rate = entry.get("tax_rate") or (entry.get("tax_rate_details") or {}).get("tax_rate") or ""
    return str(rate.get("id") if isinstance(rate, Mapping) else rate)


def known_rates(invoices: pd.DataFrame, tax_rates: pd.DataFrame | None) -> dict[str, Mapping[str, Any]]:
    """Tax rates by id: from their own list, and those that invoices spell out."""
    found: dict[str, Mapping[str, Any]] = {}
    if "default_tax_rates" in invoices.columns:
        for cell in invoices["default_tax_rates"]:
            for rate in cell if isinstance(cell, list) else ():
                if isinstance(rate, Mapping):
                    found[str(rate.get("id"))] = rate
    if tax_rates is not None:
        for row in tax_rates.to_dict("records"):
            found[str(row["id"])] = {str(key): value for key, value in row.items()}
    return found


def _facts(invoices: pd.DataFrame) -> pd.DataFrame:
    """What each invoice says of its customer."""
    ids = (
        [
            cell[0].get("value") or "" if cell else ""
            for cell in lists(invoices["customer_tax_ids"], column="customer_tax_ids")
        ]
        if "customer_tax_ids" in invoices.columns
        else [""] * len(invoices)
    )
    return pd.DataFrame(
        {
            "invoice": to_str(invoices["id"]),
            "currency": to_str(invoices["currency"]),
            "customer": text_column(invoices, "customer"),
            "customer_name": text_column(invoices, "customer_name"),
            "address": text_column(invoices, "customer_address_country"),
            "customer_tax_id": ids,
            "exempt": text_column(invoices, "customer_tax_exempt").replace("", "none"),
        }
    )


def _rows(
    names: Iterable[str],
    entries: Iterable[list[Mapping[str, Any]]],
    whole: Iterable[int],
    taxed: Iterable[int],
) -> list[tuple[Any, ...]]:
    """One row an entry: document, tax rate, behaviour, reason, taxable, tax. A document without entries has one, of its own tax."""
    rows: list[tuple[Any, ...]] = []
    for name, cell, net, tax in zip(names, entries, whole, taxed, strict=True):
        for entry in cell:
            inside = bool(entry.get("inclusive")) or entry.get("tax_behavior") == "inclusive"
            base = entry.get("taxable_amount")
            reason = entry.get("taxability_reason") or ""
            rows.append(
                (
                    name,
                    _rate_id(entry),
                    inside,
                    reason,
                    net if base is None else int(base),
                    int(entry["amount"]),
                )
            )
        if not cell:
            rows.append((name, "", False, "", net, tax))
    return rows


def invoice_totals(documents: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Each document's net and tax by its own totals."""
    total = int_column(documents, "total", "amount" if "amount" in documents.columns else "")
    entries = tax_entries(documents)
    summed = pd.Series([sum(int(each["amount"]) for each in cell) for cell in entries], index=documents.index)
    net = documents.get("total_excluding_tax")
    tax = int_column(documents, "tax") if "tax" in documents.columns else summed
    tax = tax.where(tax.ne(0), summed.astype(np.int64))
    if net is not None:
        excluded = net.astype("Int64")
        tax = tax.where(excluded.isna().to_numpy() | tax.ne(0), (total - excluded.fillna(0)).astype(np.int64))
    return (total - tax).astype(np.int64), tax.astype(np.int64)


@declare(
    CURRENCY,
    column("date", "time", "When it counts: finalisation, or the day of the correction."),
    text("document", "The invoice, credit note or refund."),
    text("kind", "invoice, credit note, refund or write-off."),
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
    span = period(start, end, zone)
    frame = _documents(invoices, credit_notes, refunds, charges)
    frame = frame[(frame["posted"] >= span.start.value) & (frame["posted"] < span.end.value)]
    rates = known_rates(invoices, tax_rates)
    facts = _facts(invoices)
    out = frame.merge(facts, on="invoice", how="left")
    rate = [rates.get(each, {}) for each in out["tax_rate"].to_numpy(dtype=object)]
    of_rate = pd.Series([each.get("country") for each in rate], dtype=object, index=out.index)
    known = of_rate.map(lambda each: isinstance(each, str) and bool(each))
    out["country"] = of_rate.where(known, out["address"])
    percent = [_percentage(each) for each in rate]
    out["percentage"] = pd.Series(percent, dtype=float, index=out.index)
    out["percentage"] = out["percentage"].where(
        out["tax_rate"].ne(""), np.where(out["tax"] == 0, 0.0, np.nan)
    )
    out["date"] = instants(out["posted"].to_numpy(dtype=np.int64)).to_numpy()
    out["date"] = pd.to_datetime(out["date"], utc=True).astype("datetime64[us, UTC]")
    out = out.sort_values(["currency", "posted", "document", "tax_rate"], kind="stable")
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
    columns += ["country", "exempt", "tax_rate", "percentage", "inclusive", "taxability", *_AMOUNTS]
    sources = [invoices, credit_notes, refunds, charges]
    return result(out[columns], "tax_collected", sources, period=span)


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
) -> pd.DataFrame:
    """Invoices and what corrects them, one row a tax entry: document, kind, invoice, posted, tax_rate, inclusive, taxability, taxable, tax."""
    finalized = transitions(invoices, "finalized_at")
    living = (finalized != NONE) & ~to_str(invoices["status"]).isin(["void", "draft"]).to_numpy()
    mine = invoices[living]
    net, tax = invoice_totals(mine)
    entries = tax_entries(mine)
    names = ["document", "tax_rate", "inclusive", "taxability", *_AMOUNTS]
    ids = to_str(mine["id"]).to_numpy(dtype=object)  # stepping through Arrow's text makes an object for each
    sold = pd.DataFrame(_rows(ids, entries, net.tolist(), tax.tolist()), columns=names)
    posted = dict(zip(ids, finalized[living].tolist(), strict=True))
    sold["posted"] = sold["document"].map(posted)
    sold["invoice"], sold["kind"] = sold["document"], "invoice"
    parts = [sold]
    noted = pd.DataFrame(columns=sold.columns)
    if credit_notes is not None and len(issued := credit_notes_issued(credit_notes)):
        issued = issued[to_str(issued["invoice"]).isin(set(posted))]
        own_net, own_tax = invoice_totals(issued)
        spelt = tax_entries(issued)
        itemised = [bool(cell) or bool(own) for cell, own in zip(spelt, own_tax, strict=True)]
        whole = issued[np.array(itemised, dtype=bool)]
        rows = _rows(
            to_str(whole["id"]),
            [cell for cell, has in zip(spelt, itemised, strict=True) if has],
            own_net[whole.index],
            own_tax[whole.index],
        )
        noted = pd.DataFrame(rows, columns=names)
        about = issued.set_index(to_str(issued["id"]))
        noted["posted"] = noted["document"].map(about["posted"])
        noted["invoice"] = noted["document"].map(about["invoice"])
        noted["kind"] = CREDIT_NOTE
        noted[list(_AMOUNTS)] = -noted[list(_AMOUNTS)].astype(np.int64)
        parts.append(noted)
    taken = corrections(mine, credit_notes, refunds, charges)
    taken = taken[
        taken["kind"].isin([CREDIT_NOTE, REFUND, WRITE_OFF]) & ~taken["document"].isin(set(noted["document"]))
    ]
    taken = taken[taken["invoice"].isin(set(posted)) & taken["kind"].ne(VOID)]
    if len(taken):  # in proportion to the invoice's own taxes
        total = pd.Series(int_column(mine, "total").to_numpy(), index=to_str(mine["id"]).to_numpy())
        share = sold.drop(columns=["document", "posted", "kind"]).merge(
            taken.rename(columns={"amount": "taken"}), on="invoice"
        )
        part = share["taken"] / share["invoice"].map(total).where(lambda each: each != 0)
        for name in _AMOUNTS:
            share[name] = -np.rint((share[name] * part).fillna(0)).astype(np.int64)
        parts.append(share[sold.columns])
    kept = [part for part in parts if len(part)]
    out = pd.concat(kept, ignore_index=True) if kept else sold
    return out.astype({"taxable": np.int64, "tax": np.int64, "posted": np.int64, "inclusive": bool})


def treatment(rows: pd.DataFrame, home: str) -> pd.Series:
    """How each row belongs into a return of a firm at home in a country: domestic, oss, reverse charge, exempt, abroad ..."""
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
    count("documents", "Invoices, credit notes, refunds and write-offs in it."),
    money("taxable", "What the tax is on."),
    money("tax", "The tax; less what was taken back."),
)
def tax_summary(rows: pd.DataFrame, span: Period, *, home: str = "") -> pd.DataFrame:
    """Tax by country and rate, from tax_collected: what a VAT return and an OSS return ask for.

    `home` is the firm's country (two letters): it decides between domestic sales and those of the One Stop Shop.
    """
    about = rows.attrs.get("stripe", {})
    if rows.empty:
        out = pd.DataFrame({name: pd.Series(dtype=object) for name in ("currency", "treatment", "country")})
        out = out.assign(percentage=pd.Series(dtype=float), inclusive=pd.Series(dtype=bool))
        for name in ("documents", *_AMOUNTS):
            out[name] = pd.Series(dtype=np.int64)
    else:
        keys = {
            "currency": rows["currency"],
            "treatment": treatment(rows, home),
            "country": rows["country"].astype(str),
            "percentage": rows["percentage"].map(lambda each: "" if np.isnan(each) else repr(float(each))),
            "inclusive": rows["inclusive"].astype(int),
        }
        out = group_sums(keys, {name: rows[name] for name in _AMOUNTS}).rename(columns={"count": "documents"})
        out["percentage"] = pd.to_numeric(out["percentage"], errors="coerce").astype(float)
        out["inclusive"] = out["inclusive"].astype(bool)
    made = result(out, "tax_summary", [rows], period=span, home=home, notes=totals(out, "tax", "Tax in all"))
    add_note(made, *(about.get("notes") or []))
    return made
