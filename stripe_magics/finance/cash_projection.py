"""Cash to come: pending funds by the day they become available, and open invoices by when their customers usually pay."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from stripe_magics.finance.aggregation import group_sums, require_columns, result, to_int64, to_str
from stripe_magics.finance.balance import now_balance
from stripe_magics.finance.receivables import days_to_pay, open_at
from stripe_magics.finance.reporting_period import Moment, bucket_index, moment, period
from stripe_magics.frames.frame_info import add_note
from stripe_magics.money import format_amount


def usual_delay(invoices: pd.DataFrame) -> pd.Series:
    """Median days from finalisation to payment, by customer."""
    done = days_to_pay(invoices)
    return done.groupby("customer")["days"].median()


def cash_forecast(
    transactions: pd.DataFrame,
    invoices: pd.DataFrame | None = None,
    *,
    at: Moment,
    days: int = 14,
    balance: pd.DataFrame | Mapping[str, int] | None = None,
    zone: str = "UTC",
) -> pd.DataFrame:
    """The next `days` days: date, currency, pending, expected_invoices, cumulative; int64 minor units.

    pending is the net of pending transactions on the day they become available (its sum is the balance's pending part); expected_invoices
    are open invoices on the day their customer usually pays (due date or finalisation plus the customer's median delay; the median of all
    for new customers). An invoice that is later than that already is not counted, since nothing says when it will come; a note tells how
    much that is. `balance` starts the cumulative column.
    """
    require_columns(
        transactions,
        ("available_on", "currency", "net", "status"),
        report="cash_forecast",
        object_type="balance_transaction",
    )
    start = moment(at, zone)
    first = start.tz_convert(zone).tz_localize(None).normalize()
    span = period(first, first + pd.Timedelta(days=days), zone)
    calendar = span.cut("D")
    waiting = transactions[to_str(transactions["status"]).eq("pending")]
    place = np.clip(bucket_index(waiting["available_on"], calendar, zone), 0, None)
    beyond = (waiting["available_on"] >= span.end).to_numpy(dtype=bool)
    parts = [
        pd.DataFrame(
            {
                "day": place[~beyond],
                "currency": to_str(waiting["currency"])[~beyond],
                "pending": to_int64(waiting["net"])[~beyond],
            }
        )
    ]
    late: dict[str, int] = {}
    if invoices is not None:
        owed = open_at(invoices, start, zone=zone)
        delays = usual_delay(invoices)
        wait = owed["customer"].map(delays).fillna(float(delays.median()) if len(delays) else 0.0)
        opened = (
            invoices.set_index("id")["status_transitions_finalized_at"]
            .reindex(owed["invoice"])
            .reset_index(drop=True)
        )
        when = opened + pd.to_timedelta(wait.to_numpy(), unit="D")
        passed = (when < span.start).to_numpy(dtype=bool)
        late = {
            str(currency): int(amount)
            for currency, amount in owed["amount"][passed].groupby(owed["currency"]).sum().items()
        }
        day = bucket_index(when, calendar, zone)
        inside = ((when < span.end) & (when >= span.start)).to_numpy(dtype=bool)
        parts.append(
            pd.DataFrame(
                {
                    "day": day[inside],
                    "currency": owed["currency"][inside],
                    "expected_invoices": owed["amount"][inside],
                }
            )
        )
    table = pd.concat(parts, ignore_index=True)
    for column in ("pending", "expected_invoices"):
        table[column] = table[column].fillna(0).astype(np.int64) if column in table.columns else np.int64(0)
    opening = {} if balance is None else _available(balance)
    currencies = sorted({*table["currency"], *opening})
    grid = pd.MultiIndex.from_product([range(len(calendar)), currencies], names=["day", "currency"])
    summed = group_sums(
        {"day": table["day"], "currency": table["currency"]},
        {name: table[name] for name in ("pending", "expected_invoices")},
    )
    out = (
        summed.set_index(["day", "currency"])[["pending", "expected_invoices"]]
        .reindex(grid, fill_value=0)
        .reset_index()
    )
    total = (out["pending"] + out["expected_invoices"]).groupby(out["currency"]).cumsum()
    out["cumulative"] = total + out["currency"].map(lambda each: opening.get(each, 0)).astype(np.int64)
    out.insert(0, "date", calendar[out["day"].to_numpy()].to_numpy().astype("datetime64[us]"))
    columns = ["date", "currency", "pending", "expected_invoices", "cumulative"]
    made = result(out[columns], "cash_forecast", [transactions, invoices], period=span)
    if late:
        sums_late = ", ".join(format_amount(amount, currency) for currency, amount in late.items())
        add_note(made, f"Not counted: open invoices later than their customers usually pay, {sums_late}.")
    return made


def _available(balance: pd.DataFrame | Mapping[str, int]) -> dict[str, int]:
    return now_balance(balance) if isinstance(balance, Mapping) else now_balance(balance[["available"]])
