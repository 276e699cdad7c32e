"""Cash to come: pending funds by the day they become available, and open invoices by when their customers
usually pay."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from stripe_magics.finance.aggregation import require_columns, result, to_int64, to_str
from stripe_magics.finance.balance import now_balance
from stripe_magics.finance.columns import CURRENCY, column, declare, money
from stripe_magics.finance.receivables import days_to_pay, finalised, owed_at
from stripe_magics.finance.reporting_period import (
    Ints,
    Moment,
    Period,
    bucket_index,
    end_of,
    instants,
    local,
    midnights,
    nanoseconds,
)
from stripe_magics.money import format_amount


def usual_delay(invoices: pd.DataFrame) -> pd.Series:
    """Median days from finalisation to payment, by customer."""
    done = days_to_pay(invoices)
    return done.groupby("customer")["days"].median()


@declare(
    column("date", "date", "The day in the report's zone."),
    CURRENCY,
    money("pending", "Pending funds that become available that day."),
    money("expected_invoices", "Open invoices whose customers usually pay by that day."),
    money("cumulative", "The available balance and all of both until that day."),
)
def cash_forecast(
    transactions: pd.DataFrame,
    invoices: pd.DataFrame | None = None,
    *,
    at: Moment,
    days: int = 14,
    balance: pd.DataFrame | Mapping[str, int] | None = None,
    zone: str = "UTC",
    credit_notes: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The next `days` days from the day of `at`.

    pending is the net of pending transactions on the day they become available (its sum is the balance's
    pending part); expected_invoices are open invoices on the day their customer usually pays (finalisation
    plus the customer's median delay; the median of all for new customers). An invoice that is later than that
    already is not counted, since nothing says when it will come; a note says how much that is. `balance`
    starts the cumulative column; `credit_notes` say what was owed before they reduced it.
    """
    require_columns(
        transactions,
        ("available_on", "currency", "net", "status"),
        report="cash_forecast",
        object_type="balance_transaction",
    )
    start = end_of(at, zone)
    first = local(start, zone).normalize()
    bounds = midnights(pd.DatetimeIndex([first, first + pd.Timedelta(days=days)]), zone)
    span = Period(bounds[0], bounds[1], zone)
    calendar = span.boundaries("D")
    waiting = transactions[to_str(transactions["status"]).eq("pending").to_numpy()]
    late: dict[str, int] = {}
    parts = [
        _part(
            "pending",
            waiting["currency"],
            to_int64(waiting["net"]),
            nanoseconds(waiting["available_on"]),
            span,
            early=True,
        )
    ]
    if invoices is not None:
        owed = owed_at(finalised(invoices, "cash_forecast", credit_notes=credit_notes), start, start)
        owed = owed[owed["amount"] > 0].reset_index(drop=True)
        delays = usual_delay(invoices)
        wait = owed["customer"].map(delays).fillna(float(delays.median()) if len(delays) else 0.0)
        when = owed["finalized"].to_numpy(dtype=np.int64) + (wait * 86_400_000_000_000).to_numpy(
            dtype=np.int64
        )
        passed = when < span.start.value
        sums = owed["amount"][passed].groupby(owed["currency"][passed]).sum()
        late = {str(currency): int(amount) for currency, amount in sums.items()}
        parts.append(_part("expected_invoices", owed["currency"], owed["amount"], when, span, early=False))
    opening = {} if balance is None else _available(balance)
    currencies = sorted({*opening, *(code for part in parts for code in part["currency"])})
    out = pd.DataFrame(
        {
            "date": np.repeat(calendar.to_numpy(), len(currencies)).astype("datetime64[us]"),
            "currency": currencies * len(calendar),
        }
    )
    for name in ("pending", "expected_invoices"):
        total = np.zeros(len(out), dtype=np.int64)
        for part in parts:
            if name == part.attrs["name"]:
                cell = part["day"].to_numpy() * len(currencies) + pd.Index(currencies).get_indexer(
                    part["currency"]
                )
                np.add.at(total, cell, part["amount"].to_numpy())
        out[name] = total
    running = (out["pending"] + out["expected_invoices"]).groupby(out["currency"]).cumsum()
    out["cumulative"] = running.astype(np.int64) + out["currency"].map(
        lambda each: opening.get(each, 0)
    ).astype(np.int64)
    sums_late = ", ".join(format_amount(amount, currency) for currency, amount in late.items())
    notes = (
        [f"Not counted: open invoices later than their customers usually pay, {sums_late}."] if late else []
    )
    return result(out, "cash_forecast", [transactions, invoices], period=span, notes=notes)


def _part(
    name: str, currency: pd.Series, amount: pd.Series, when: Ints, span: Period, *, early: bool
) -> pd.DataFrame:
    """Amounts on the days of the period; what is before it counts on the first day (`early`), or not at
    all."""
    inside = (when < span.end.value) & (early | (when >= span.start.value))
    day = np.clip(bucket_index(instants(when[inside]), span.boundaries("D"), span.zone), 0, None)
    made = pd.DataFrame(
        {
            "day": day,
            "currency": to_str(currency)[inside].to_numpy(),
            "amount": amount[inside].to_numpy(dtype=np.int64),
        }
    )
    made.attrs = {"name": name}
    return made


def _available(balance: pd.DataFrame | Mapping[str, int]) -> dict[str, int]:
    return now_balance(balance) if isinstance(balance, Mapping) else now_balance(balance[["available"]])
