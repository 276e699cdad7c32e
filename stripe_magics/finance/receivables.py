"""Who owes what, since when, and how fast they pay: reports over invoices.

An invoice's state at a past date is rebuilt from its status transitions: it is owed from its finalisation until it was paid, voided or
written off. Age counts from the due date, or from finalisation where there is none (charged automatically); begun days count whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from stripe_magics.finance.aggregation import group_sums, ratio, require_columns, result, to_int64, to_str
from stripe_magics.finance.reporting_period import Moment, Period, bucket_index, moment, nanoseconds, period

BUCKETS = {"not_due": 0, "1_30": 30, "31_60": 60, "61_90": 90, "91_120": 120, "over_120": np.inf}
_DAY = 86_400_000_000_000
_NEVER = np.iinfo(np.int64).max
_ENDINGS = ("paid_at", "voided_at", "marked_uncollectible_at")


def _transitions(invoices: pd.DataFrame, name: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    column = f"status_transitions_{name}"
    if column not in invoices.columns:
        return np.full(len(invoices), np.iinfo(np.int64).min, dtype=np.int64)
    return nanoseconds(invoices[column])


def _table(invoices: pd.DataFrame, report: str) -> pd.DataFrame:
    """Finalised invoices with their moments as int64 nanoseconds (`finalized`, `due`, `ended`, `paid`)."""
    require_columns(
        invoices,
        ("id", "customer", "currency", "status", "amount_due", "amount_remaining", "total"),
        report=report,
        object_type="invoice",
    )
    none = np.iinfo(np.int64).min
    finalized = _transitions(invoices, "finalized_at")
    endings = np.stack([_transitions(invoices, name) for name in _ENDINGS])
    ended = np.where(endings == none, _NEVER, endings).min(axis=0)
    due = (
        nanoseconds(invoices["due_date"])
        if "due_date" in invoices.columns
        else np.full(len(invoices), none, dtype=np.int64)
    )
    frame = pd.DataFrame(
        {
            "invoice": to_str(invoices["id"]),
            "customer": to_str(invoices["customer"]),
            "currency": to_str(invoices["currency"]),
            "status": to_str(invoices["status"]),
            "finalized": finalized,
            "due": np.where(due == none, finalized, due),
            "ended": ended,
            "paid": _transitions(invoices, "paid_at"),
            "amount_due": to_int64(invoices["amount_due"]).to_numpy(),
            "remaining": to_int64(invoices["amount_remaining"]).to_numpy(),
            "total": to_int64(invoices["total"]).to_numpy(),
            "sent": to_str(invoices["collection_method"]).eq("send_invoice").to_numpy()
            if "collection_method" in invoices.columns
            else True,
        }
    )
    return frame[frame["finalized"] != none]


def open_at(invoices: pd.DataFrame, at: Moment, *, zone: str = "UTC") -> pd.DataFrame:
    """Invoices owed at a moment: invoice, customer, currency, amount, days_overdue (begun days; 0 or less: not due yet).

    A bare date takes in the whole day and counts ages at its midnight. What is still open now is owed with what remains of it; what was
    paid later was owed in full (partial payments before that day are not known from the invoice alone).
    """
    frame = _table(invoices, "ar_ageing")
    cut = moment(at, zone)
    whole_day = isinstance(at, str) and len(at) == 10
    until = moment(cut.tz_convert(zone).tz_localize(None) + pd.Timedelta(days=1), zone) if whole_day else cut
    owed = frame[(frame["finalized"] < until.value) & (frame["ended"] >= until.value)]
    amount = owed["remaining"].where(owed["status"].isin(["open"]), owed["amount_due"])
    out = pd.DataFrame(
        {
            "invoice": owed["invoice"],
            "customer": owed["customer"],
            "currency": owed["currency"],
            "amount": amount,
            "days_overdue": np.ceil((cut.value - owed["due"]) / _DAY).astype(np.int64),
        }
    )
    return out[out["amount"] > 0].reset_index(drop=True)


def ar_ageing(invoices: pd.DataFrame, at: Moment, *, zone: str = "UTC", by: str = "customer") -> pd.DataFrame:
    """Open invoices by age: currency, customer, not_due, 1_30, 31_60, 61_90, 91_120, over_120, total, past_due_share (a fraction).

    `by="invoice"` gives a row an invoice.
    """
    owed = open_at(invoices, at, zone=zone)
    edges = [-np.inf, *BUCKETS.values()]
    place = pd.cut(owed["days_overdue"].astype(float), edges, labels=list(BUCKETS))
    parts = {bucket: owed["amount"].where(place == bucket, 0) for bucket in BUCKETS}
    keys = {"currency": owed["currency"], by: owed[by]}
    out = group_sums(keys, {**parts, "total": owed["amount"]}).drop(columns="count")
    out["past_due_share"] = ratio(out["total"] - out["not_due"], out["total"])
    out = out.sort_values(["currency", "total", by], ascending=[True, False, True], kind="stable")
    return result(out, "ar_ageing", [invoices], zone=zone, at=moment(at, zone).isoformat())


def dso_of(receivables: float, sales: float, days: float) -> float:
    """Days of sales that are still owed: receivables / sales x days."""
    return receivables / sales * days if sales else float("nan")


def dso(
    invoices: pd.DataFrame, start: Moment, end: Moment, *, sales: str = "send_invoice", zone: str = "UTC"
) -> pd.DataFrame:
    """Days sales outstanding at the end of a period, by currency.

    Columns: currency, receivables, current, sales, days, dso, best_possible (current receivables only), delinquent_days (the difference),
    true_dso (each open invoice against the sales of the month it is from). Credit sales are finalised invoices: those sent to customers
    (`sales="send_invoice"`) or `"all"`.
    """
    frame, span = _table(invoices, "dso"), period(start, end, zone)
    credit = frame if sales == "all" else frame[frame["sent"].astype(bool)]
    billed = credit[(credit["finalized"] >= span.start.value) & (credit["finalized"] < span.end.value)]
    owed = open_at(invoices, span.end, zone=zone)
    current = owed["amount"].where(owed["days_overdue"] <= 0, 0)
    sold = group_sums({"currency": billed["currency"]}, {"sales": billed["total"]}).set_index("currency")[
        "sales"
    ]
    open_now = group_sums(
        {"currency": owed["currency"]}, {"receivables": owed["amount"], "current": current}
    ).set_index("currency")
    every = sorted({*sold.index, *open_now.index})
    out = open_now[["receivables", "current"]].reindex(every, fill_value=0)
    out["sales"] = sold.reindex(every, fill_value=0)
    out["days"] = span.days
    whole = out["sales"].where(out["sales"] != 0).astype(float)
    out["dso"] = out["receivables"] / whole * out["days"]
    out["best_possible"] = out["current"] / whole * out["days"]
    out["delinquent_days"] = out["dso"] - out["best_possible"]
    out["true_dso"] = [_true_dso(credit, owed, each, span) for each in every]
    return result(out.rename_axis("currency").reset_index(), "dso", [invoices], period=span, sales=sales)


def _true_dso(credit: pd.DataFrame, owed: pd.DataFrame, currency: str, span: Period) -> float:
    """Each open invoice's age, weighted by its share of the sales of its own month."""
    mine = credit[credit["currency"] == currency]
    rows = owed[owed["currency"] == currency].merge(mine[["invoice", "finalized"]], on="invoice")
    if rows.empty:
        return 0.0
    first = pd.Timestamp(int(mine["finalized"].min()), tz="UTC")
    months = Period(first, span.end, span.zone).cut("MS")
    sold = (
        mine["total"]
        .groupby(bucket_index(pd.Series(pd.to_datetime(mine["finalized"], utc=True)), months, span.zone))
        .sum()
    )
    month = bucket_index(pd.Series(pd.to_datetime(rows["finalized"], utc=True)), months, span.zone)
    age = np.ceil((span.end.value - rows["finalized"]) / _DAY)
    return true_dso_of(rows["amount"].to_numpy(), sold.reindex(month).to_numpy(), age.to_numpy())


def true_dso_of(amounts: np.ndarray, sales: np.ndarray, ages: np.ndarray) -> float:
    """Sum over open invoices of amount / sales of its month x age in days."""
    return float(np.sum(amounts / sales * ages))


def cei_of(begin: float, sales: float, end_total: float, end_current: float) -> float:
    """Collection effectiveness index in percent: what was collected of what could have been."""
    collectable = begin + sales - end_current
    return (begin + sales - end_total) / collectable * 100 if collectable else float("nan")


def days_to_pay(invoices: pd.DataFrame) -> pd.DataFrame:
    """Paid invoices with the days from finalisation to payment: invoice, customer, currency, amount, days, on_time."""
    frame = _table(invoices, "collections")
    done = frame[(frame["paid"] != np.iinfo(np.int64).min) & frame["status"].eq("paid")]
    return pd.DataFrame(
        {
            "invoice": done["invoice"],
            "customer": done["customer"],
            "currency": done["currency"],
            "amount": done["amount_due"],
            "paid": done["paid"],
            "days": (done["paid"] - done["finalized"]) / _DAY,
            "on_time": done["paid"] <= done["due"].where(done["due"] > done["finalized"], _NEVER),
        }
    ).reset_index(drop=True)


def weighted_days(amounts: pd.Series, days: pd.Series) -> float:
    """Mean days weighted by amount."""
    total = float(amounts.sum())
    return float((amounts * days).sum()) / total if total else float("nan")


def collections(
    invoices: pd.DataFrame, start: Moment, end: Moment, *, sales: str = "send_invoice", zone: str = "UTC"
) -> pd.DataFrame:
    """How well a period's receivables were collected: currency, begin, sales, end_total, end_current, cei (percent), days_to_pay
    (weighted by amount, for invoices paid in the period), paid_on_time_share (by amount, a fraction).
    """
    frame, span = _table(invoices, "collections"), period(start, end, zone)
    credit = frame if sales == "all" else frame[frame["sent"].astype(bool)]
    mine = invoices[invoices["id"].isin(credit["invoice"])]
    opening, closing = open_at(mine, span.start, zone=zone), open_at(mine, span.end, zone=zone)
    billed = credit[(credit["finalized"] >= span.start.value) & (credit["finalized"] < span.end.value)]
    done = days_to_pay(mine)
    done = done[(done["paid"] >= span.start.value) & (done["paid"] < span.end.value)]
    rows = []
    for currency in sorted(
        {*opening["currency"], *closing["currency"], *billed["currency"], *done["currency"]}
    ):

        def of(table: pd.DataFrame, column: str, currency: str = currency) -> int:
            return int(table.loc[table["currency"] == currency, column].sum())

        late = closing[closing["days_overdue"] > 0]
        begin, sold, total = of(opening, "amount"), of(billed, "total"), of(closing, "amount")
        current = total - of(late, "amount")
        paid = done[done["currency"] == currency]
        rows.append(
            {
                "currency": currency,
                "begin": begin,
                "sales": sold,
                "end_total": total,
                "end_current": current,
                "cei": cei_of(begin, sold, total, current),
                "days_to_pay": weighted_days(paid["amount"], paid["days"]),
                "paid_on_time_share": float(paid.loc[paid["on_time"], "amount"].sum())
                / float(paid["amount"].sum())
                if paid["amount"].sum()
                else float("nan"),
            }
        )
    columns = [
        "currency",
        "begin",
        "sales",
        "end_total",
        "end_current",
        "cei",
        "days_to_pay",
        "paid_on_time_share",
    ]
    return result(pd.DataFrame(rows, columns=columns), "collections", [invoices], period=span, sales=sales)


def tax_collected(invoices: pd.DataFrame, start: Moment, end: Moment, *, zone: str = "UTC") -> pd.DataFrame:
    """Tax on finalised invoices by rate: currency, invoice, tax_rate, taxable, tax. Both shapes of invoices (before and since 2025-03-31)."""
    span = period(start, end, zone)
    frame = _table(invoices, "tax_collected")
    requested = frame[
        (frame["finalized"] >= span.start.value)
        & (frame["finalized"] < span.end.value)
        & ~frame["status"].isin(["void", "draft"])
    ]
    rows = []
    for position in requested.index:
        for entry in _taxes(invoices.loc[position]):
            rate = entry.get("tax_rate") or entry.get("tax_rate_details", {}).get("tax_rate") or ""
            rows.append(
                (
                    frame.at[position, "currency"],
                    frame.at[position, "invoice"],
                    rate,
                    int(entry.get("taxable_amount") or 0),
                    int(entry["amount"]),
                )
            )
    out = pd.DataFrame(rows, columns=["currency", "invoice", "tax_rate", "taxable", "tax"]).astype(
        {"taxable": np.int64, "tax": np.int64}
    )
    return result(out, "tax_collected", [invoices], period=span)


def _taxes(invoice: pd.Series) -> list[Mapping[str, Any]]:
    for column in ("total_taxes", "total_tax_amounts"):
        entries = invoice.get(column)
        if isinstance(entries, list) and entries:
            return entries
    return []
