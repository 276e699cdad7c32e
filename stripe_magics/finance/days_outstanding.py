"""How long money is owed, and how well it is collected: days sales outstanding, collection effectiveness,
days to pay.

The population is that of `receivables`: finalised invoices of both collection methods, out those that were
void when the period ended;
`sales="send_invoice"` takes only those that were sent. Formulas: DSO = receivables / sales x days; CEI =
(begin + sales - end) / (begin + sales - end not due) x 100.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from stripe_magics.finance.aggregation import result, sums_by_currency
from stripe_magics.finance.columns import CURRENCY, column, declare, money, ratio_of
from stripe_magics.finance.receivables import DAY, days_to_pay, finalised, living_at, owed_at
from stripe_magics.finance.reporting_period import Moment, Period, bucket_index, instants, period


def dso_of(receivables: float, sales: float, days: float) -> float:
    """Days of sales that are still owed: receivables / sales x days."""
    return receivables / sales * days if sales else float("nan")


def true_dso_of(amounts: np.ndarray, sales: np.ndarray, ages: np.ndarray) -> float:
    """Sum over open invoices of amount / sales of its month x age in days."""
    return float(np.sum(amounts / sales * ages))


def cei_of(begin: float, sales: float, end_total: float, end_current: float) -> float:
    """Collection effectiveness index in percent: what was collected of what could have been."""
    collectable = begin + sales - end_current
    return (begin + sales - end_total) / collectable * 100 if collectable else float("nan")


def weighted_days(amounts: pd.Series, days: pd.Series) -> float:
    """Mean days weighted by amount."""
    total = float(amounts.sum())
    return float((amounts * days).sum()) / total if total else float("nan")


def billed_in(frame: pd.DataFrame, span: Period) -> pd.DataFrame:
    """What was sold in a period: finalised in it, and not void by its end."""
    begun = frame[(frame["finalized"] >= span.start.value) & (frame["finalized"] < span.end.value)]
    return living_at(begun, span.end)


def _owed(frame: pd.DataFrame, span: Period) -> pd.DataFrame:
    owed = owed_at(frame, span.end, span.age_date)
    return owed[owed["amount"] > 0]


@declare(
    CURRENCY,
    money("receivables", "What is owed at the end of the period: the total of ar_ageing at that instant."),
    money("current", "The part that is not due yet."),
    money("sales", "Invoices finalised in the period."),
    column("days", "days", "The length of the period."),
    column("dso", "days", "receivables / sales x days."),
    column("best_possible", "days", "The same for what is not due yet."),
    column("delinquent_days", "days", "dso - best_possible."),
    column(
        "true_dso", "days", "Each open invoice's age, weighted by its share of the sales of its own month."
    ),
)
def dso(
    invoices: pd.DataFrame,
    start: Moment,
    end: Moment,
    *,
    sales: str = "all",
    zone: str = "UTC",
    credit_notes: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Days sales outstanding at the end of a period, by currency.

    Sales and receivables are of the same invoices: all finalised ones, or those sent to customers
    (`sales="send_invoice"`). `credit_notes` say what was owed before they reduced it.
    """
    frame = finalised(invoices, "dso", sales=sales, credit_notes=credit_notes)
    span = period(start, end, zone)
    owed, billed = _owed(frame, span), billed_in(frame, span)
    receivables = sums_by_currency(owed["currency"], owed["amount"])
    current = sums_by_currency(owed["currency"], owed["amount"].where(owed["days_overdue"] <= 0, 0))
    sold = sums_by_currency(billed["currency"], billed["total"])
    every = sorted({*sold, *receivables})
    out = pd.DataFrame({"currency": pd.Series(every, dtype=object)})
    for name, sums in {"receivables": receivables, "current": current, "sales": sold}.items():
        out[name] = pd.Series([sums.get(each, 0) for each in every], dtype=np.int64)
    out["days"] = span.days
    whole = out["sales"].where(out["sales"] != 0).astype(float)
    out["dso"] = out["receivables"] / whole * out["days"]
    out["best_possible"] = out["current"] / whole * out["days"]
    out["delinquent_days"] = out["dso"] - out["best_possible"]
    out["true_dso"] = pd.Series([_true_dso(frame, owed, each, span) for each in every], dtype=float)
    return result(out, "dso", [invoices], period=span, sales=sales)


def _true_dso(frame: pd.DataFrame, owed: pd.DataFrame, currency: str, span: Period) -> float:
    begun = frame[frame["finalized"] < span.end.value]  # later ones are not of the last month's sales
    living = living_at(begun, span.end)
    mine, rows = living[living["currency"] == currency], owed[owed["currency"] == currency]
    if rows.empty:
        return 0.0
    months = Period(pd.Timestamp(int(mine["finalized"].min()), tz="UTC"), span.end, span.zone).boundaries(
        "MS"
    )
    of_sale = bucket_index(instants(mine["finalized"].to_numpy()), months, span.zone)
    sold = mine["total"].groupby(of_sale).sum()
    month = bucket_index(instants(rows["finalized"].to_numpy()), months, span.zone)
    age = np.ceil((span.age_date.value - rows["finalized"].to_numpy()) / DAY)
    return true_dso_of(rows["amount"].to_numpy(), sold.reindex(month).to_numpy(), age)


@declare(
    CURRENCY,
    money("begin", "What was owed when the period started."),
    money("sales", "Invoices finalised in the period."),
    money("end_total", "What is owed when it ends."),
    money("end_current", "The part of it that is not due yet."),
    column(
        "cei",
        "percent",
        "Collection effectiveness: (begin + sales - end_total) / (begin + sales - end_current) x 100.",
    ),
    column(
        "days_to_pay",
        "days",
        "Days from finalisation to payment, weighted by amount, of invoices paid in the period.",
    ),
    ratio_of("paid_on_time_share", "The part of what was paid in the period that was paid by its due date."),
)
def collections(
    invoices: pd.DataFrame,
    start: Moment,
    end: Moment,
    *,
    sales: str = "all",
    zone: str = "UTC",
    credit_notes: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """How well a period's receivables were collected, by currency. `credit_notes` say what was owed before
    they reduced it."""
    frame = finalised(invoices, "collections", sales=sales, credit_notes=credit_notes)
    span = period(start, end, zone)
    before = owed_at(frame, span.start, span.start)
    closing, billed = _owed(frame, span), billed_in(frame, span)
    done = days_to_pay(invoices, sales=sales)
    done = done[(done["paid"] >= span.start.value) & (done["paid"] < span.end.value)]
    begin = sums_by_currency(before["currency"], before["amount"])
    sold = sums_by_currency(billed["currency"], billed["total"])
    total = sums_by_currency(closing["currency"], closing["amount"])
    current = sums_by_currency(closing["currency"], closing["amount"].where(closing["days_overdue"] <= 0, 0))
    rows = []
    for currency in sorted({*begin, *total, *sold, *done["currency"]}):
        paid = done[done["currency"] == currency]
        amount = float(paid["amount"].sum())
        figures = [each.get(currency, 0) for each in (begin, sold, total, current)]
        on_time = float(paid.loc[paid["on_time"], "amount"].sum()) / amount if amount else float("nan")
        rows.append(
            (currency, *figures, cei_of(*figures), weighted_days(paid["amount"], paid["days"]), on_time)
        )
    amounts = ["begin", "sales", "end_total", "end_current"]
    columns = ["currency", *amounts, "cei", "days_to_pay", "paid_on_time_share"]
    out = pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(amounts, np.int64))
    return result(out, "collections", [invoices], period=span, sales=sales)
