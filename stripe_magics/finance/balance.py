"""The balance and what moved it: reports over balance transactions.

A balance transaction is one line of Stripe's ledger: net = amount - fee. Reports group by
`reporting_category`, since the type `adjustment` alone hides disputes, reversals and failed refunds; where an
old export lacks it, it follows from the type.
Source: docs.stripe.com/reports/balance, docs.stripe.com/reports/reporting-categories.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from stripe_magics.errors import MissingData, UsageFault
from stripe_magics.finance.aggregation import (
    flags,
    group_sums,
    require_columns,
    result,
    sums_by_currency,
    text_column,
    to_int64,
    to_str,
)
from stripe_magics.finance.columns import CURRENCY, RESIDUAL, STATUS, column, count, declare, money, text
from stripe_magics.finance.report_options import PAYOUT_DATES
from stripe_magics.finance.reporting_period import (
    Moment,
    bucket_index,
    end_of,
    midnights,
    nanoseconds,
    period,
)

PAYOUTS = ("payout", "payout_reversal")
TRANSFERS = ("transfer", "transfer_reversal")
COLUMN_OF = {  # where a category appears in the daily report; anything else is "other"
    "charge": "sales",
    "partial_capture_reversal": "sales",
    "charge_failure": "sales",
    "refund": "refunds",
    "refund_failure": "refunds",
    "dispute": "disputes",
    "dispute_reversal": "disputes",
    "fee": "fees",
    "network_cost": "fees",
    "tax": "fees",
    "payout": "payouts",
    "payout_reversal": "payouts",
}
DAILY = ("sales", "refunds", "disputes", "fees", "other", "payouts")
CATEGORY_OF_TYPE = {
    "payment": "charge",
    "payment_refund": "refund",
    "payout_cancel": "payout_reversal",
    "payout_failure": "payout_reversal",
    "transfer_cancel": "transfer_reversal",
    "transfer_failure": "transfer_reversal",
    "transfer_refund": "transfer_reversal",
    "stripe_fee": "fee",
    "stripe_fx_fee": "fee",
    "tax_fee": "tax",
}
STAND_ALONE = ("fee", "network_cost", "tax")
NOT_CHECKED = "not checked (no balance given)"
NOT_PROVED = "not proved (--prove true reads the whole ledger)"
ADDS_UP, DOES_NOT = "adds up", "does not add up"
_COLUMNS = ("id", "created", "currency", "amount", "fee", "net", "type")


def ledger(transactions: pd.DataFrame, report: str = "This report") -> pd.DataFrame:
    """Checked balance transactions with a `reporting_category` in every row. attrs are kept.

    Only the payments balance (`balance_type = payments`, where the version has it): others are balances of
    their own.
    """
    frame = require_columns(transactions, _COLUMNS, report=report, object_type="balance_transaction")
    if "balance_type" in frame.columns:
        kind = to_str(frame["balance_type"])
        if not (own := kind.isin(["", "payments"])).all():
            frame = frame[own]
            frame.attrs = transactions.attrs
    lacking = frame["currency"].isna() | frame["created"].isna()
    if lacking.any():
        raise MissingData(
            f"{report} can't count {int(lacking.sum()):,} balance transactions without a currency or a time:"
            f" {', '.join(to_str(frame.loc[lacking, 'id']).head(5))}.",
            advice="Fetch the list again.",
        )
    if "reporting_category" in frame.columns and not frame["reporting_category"].isna().any():
        return frame
    fallback = to_str(frame["type"]).map(lambda kind: CATEGORY_OF_TYPE.get(kind, kind))
    known = frame.get("reporting_category")
    made = fallback if known is None else to_str(known).where(known.notna(), fallback)
    out = frame.assign(reporting_category=made)
    out.attrs = frame.attrs
    return out


def uneven(ledger_: pd.DataFrame) -> pd.DataFrame:
    """The entries whose amount and fee don't make their net, or that lack one of them."""
    amounts = [ledger_[name] for name in ("amount", "fee", "net")]
    lacking = amounts[0].isna() | amounts[1].isna() | amounts[2].isna()
    amount, fee, net = (to_int64(each) for each in amounts)
    out: pd.DataFrame = ledger_[(lacking | (amount - fee != net)).to_numpy()]
    return out


def arrival_days(payouts: pd.DataFrame) -> pd.Series:
    """The calendar day on which each payout arrives: Stripe writes its midnight in UTC, and it is that day in
    every zone."""
    days: pd.Series = payouts["arrival_date"].dt.tz_convert("UTC").dt.tz_localize(None).dt.normalize()
    return days


def effective(transactions: pd.DataFrame, payouts: pd.DataFrame | None, zone: str) -> pd.DataFrame:
    """The ledger with automatic payouts on the day they arrive at the bank, as Stripe's reports date them.

    An arrival date is a calendar day (Stripe writes its midnight in UTC); it becomes the first instant of
    that day in the zone.
    """
    if payouts is None or payouts.empty:
        return transactions
    automatic = payouts[flags(payouts, "automatic", default=False)]
    days = arrival_days(automatic)
    arrival = pd.Series(midnights(pd.DatetimeIndex(days), zone), index=to_str(automatic["id"]).to_numpy())
    is_payout = transactions["reporting_category"].isin(["payout"])
    when = text_column(transactions, "source").where(is_payout, "").map(arrival)
    out = transactions.assign(created=when.where(when.notna(), transactions["created"]))
    out.attrs = transactions.attrs
    return out


def check_by(by: str) -> str:
    """The date that payouts count by, if it is one."""
    if by not in PAYOUT_DATES:
        raise UsageFault(f"--by {by} isn't possible: payouts count by {' or '.join(PAYOUT_DATES)}.")
    return by


def amounts_of(frame: pd.DataFrame) -> dict[str, pd.Series]:
    """Gross, fee and net of ledger rows."""
    return {"gross": to_int64(frame["amount"]), "fee": to_int64(frame["fee"]), "net": to_int64(frame["net"])}


@declare(
    CURRENCY,
    text("reporting_category", "Stripe's reporting category."),
    count("count", "How many balance transactions."),
    money("gross", "Their amounts."),
    money("fee", "Fees taken from them (positive when charged, as in the ledger)."),
    money("net", "gross - fee: what moved the balance."),
)
def balance_activity(
    transactions: pd.DataFrame, start: Moment, end: Moment, *, zone: str = "UTC"
) -> pd.DataFrame:
    """What moved the balance except payouts, by reporting category; int64 minor units.

    Source: docs.stripe.com/reports/report-types/balance (balance change from activity).
    """
    frame, span = ledger(transactions, "balance_activity"), period(start, end, zone)
    inside = frame[span.contains(frame["created"]) & ~frame["reporting_category"].isin(PAYOUTS).to_numpy()]
    keys = {"currency": inside["currency"], "reporting_category": inside["reporting_category"]}
    return result(group_sums(keys, amounts_of(inside)), "balance_activity", [transactions], period=span)


def now_balance(balance: pd.DataFrame | Mapping[str, int]) -> dict[str, int]:
    """Available, pending and reserved funds by currency, out of the frame of `%stripe balance retrieve`."""
    if isinstance(balance, Mapping):
        return {str(currency): int(amount) for currency, amount in balance.items()}
    totals: dict[str, int] = {}
    for part in ("available", "pending", "connect_reserved"):
        cells = balance[part] if part in balance.columns else ()
        for entries in cells:
            for entry in entries if isinstance(entries, list) else ():
                totals[entry["currency"]] = totals.get(entry["currency"], 0) + int(entry["amount"])
    return totals


@declare(
    CURRENCY,
    money("start", "The balance when the period starts."),
    money("activity", "All that moved it but payouts."),
    money("payouts", "Payouts (negative) and payouts that came back."),
    money("end", "The balance when the period ends: the balance now less all that came since."),
    RESIDUAL,
    STATUS,
)
def balance_summary(  # noqa: PLR0913 - public: each is a keyword of its own
    transactions: pd.DataFrame,
    start: Moment,
    end: Moment,
    *,
    opening: Mapping[str, int] | None = None,
    balance: pd.DataFrame | Mapping[str, int] | None = None,
    zone: str = "UTC",
    by: str = "created",
    payouts: pd.DataFrame | None = None,
    whole: bool = True,
) -> pd.DataFrame:
    """Start + activity + payouts = end: currency, start, activity, payouts, end, residual, status.

    The start is `opening`, else the sum of the ledger before the period (the transactions must then reach
    back to the first). The end is the `balance` as it is now less everything since; it is found without the
    start, so a residual of 0 proves the ledger. Without `balance` there is nothing to prove against, and
    status says so. With `whole=False` the transactions begin with the period: the start is then worked out
    backwards too, the residual is missing, and status says that nothing is proved.
    """
    frame, span = ledger(transactions, "balance_summary"), period(start, end, zone)
    if check_by(by) == "arrival":
        frame = effective(frame, payouts, zone)
    net, instants = to_int64(frame["net"]), nanoseconds(frame["created"])
    inside = (instants >= span.start.value) & (instants < span.end.value)
    paid = frame["reporting_category"].isin(PAYOUTS).to_numpy()
    parts = {
        "before": instants < span.start.value,
        "activity": inside & ~paid,
        "payouts": inside & paid,
        "after": instants >= span.end.value,
    }
    out = group_sums(
        {"currency": frame["currency"]}, {name: net.where(mask, 0) for name, mask in parts.items()}
    ).drop(columns="count")
    now = None if balance is None else now_balance(balance)
    known = sorted({*out["currency"], *(opening or {}), *(now or {})})
    out = out.set_index("currency").reindex(known, fill_value=0).rename_axis("currency").reset_index()
    moved = out["activity"] + out["payouts"]
    proved = now is not None and (whole or opening is not None)
    if opening is not None:
        out["start"] = pd.Series([int(opening.get(each, 0)) for each in out["currency"]], dtype=np.int64)
    elif whole or now is None:
        out["start"] = out["before"]
    if now is None:
        out["end"] = out["start"] + moved
    else:
        out["end"] = pd.Series([now.get(each, 0) for each in known], dtype=np.int64) - out["after"]
        if "start" not in out.columns:
            out["start"] = out["end"] - moved
    gap = out["end"] - out["start"] - moved
    out["residual"] = gap if proved else pd.array([pd.NA] * len(out), dtype="Int64")
    unproved = NOT_CHECKED if now is None else NOT_PROVED
    out["status"] = [unproved if not proved else ADDS_UP if left == 0 else DOES_NOT for left in gap]
    columns = ["currency", "start", "activity", "payouts", "end", "residual", "status"]
    return result(out[columns], "balance_summary", [transactions], period=span, by=by)


@declare(
    column("date", "date", "The day in the report's zone."),
    CURRENCY,
    money("sales", "Charges and payments."),
    money("refunds", "Refunds (negative) and refunds that failed."),
    money("disputes", "Disputed payments withdrawn (negative) and given back."),
    money("fees", "Fees of all entries and entries that are fees (negative)."),
    money("other", "Everything else but payouts."),
    money("net", "The sum of the columns before."),
    money("payouts", "Payouts (negative) and payouts that came back."),
    money("closing", "The balance at the end of the day."),
)
def daily_balance(
    transactions: pd.DataFrame,
    start: Moment,
    end: Moment,
    *,
    opening: Mapping[str, int] | None = None,
    zone: str = "UTC",
    by: str = "created",
    payouts: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Every day of the period, by currency. closing runs from `opening`, or from the ledger before the
    period."""
    frame, span = ledger(transactions, "daily_balance"), period(start, end, zone)
    if check_by(by) == "arrival":
        frame = effective(frame, payouts, zone)
    if opening is None:
        earlier = nanoseconds(frame["created"]) < span.start.value
        opening = sums_by_currency(frame.loc[earlier, "currency"], to_int64(frame["net"])[earlier])
    rows = frame[span.contains(frame["created"])]
    days = span.boundaries("D")
    keys = {
        "day": pd.Series(bucket_index(rows["created"], days, span.zone)),
        "currency": rows["currency"],
        "category": rows["reporting_category"],
    }
    table = group_sums(keys, {"gross": to_int64(rows["amount"]), "fee": to_int64(rows["fee"])})
    place = table["category"].map(lambda each: COLUMN_OF.get(each, "other"))
    known = sorted({*table["currency"], *(code for code, amount in opening.items() if amount)})
    cell = table["day"].astype(np.int64) * max(1, len(known)) + pd.Index(known).get_indexer(table["currency"])
    size = len(days) * len(known)
    out = pd.DataFrame({"date": np.repeat(days.to_numpy(), len(known)), "currency": known * len(days)})
    out["date"] = out["date"].astype("datetime64[us]")
    for name in DAILY:
        mine = (place == name).to_numpy()
        out[name] = _summed(cell[mine], table["gross"][mine], size)
    payout_fee = _summed(cell[place == "payouts"], table["fee"][place == "payouts"], size)
    out["fees"] -= _summed(cell, table["fee"], size) - payout_fee
    out["payouts"] -= payout_fee  # a payout's own fee leaves with it
    out["net"] = out[["sales", "refunds", "disputes", "fees", "other"]].sum(axis=1)
    moved = (out["net"] + out["payouts"]).groupby(out["currency"]).cumsum()
    out["closing"] = moved + out["currency"].map(lambda each: int(opening.get(each, 0))).astype(np.int64)
    columns = ["date", "currency", *DAILY[:5], "net", "payouts", "closing"]
    return result(out[columns], "daily_balance", [transactions], period=span, by=by)


def _summed(cells: pd.Series, amounts: pd.Series, size: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    total = np.zeros(size, dtype=np.int64)
    np.add.at(total, cells.to_numpy(dtype=np.int64), amounts.to_numpy(dtype=np.int64))
    return total


@declare(
    text("id", "The balance transaction."),
    CURRENCY,
    money("amount", "Its amount."),
    money("fee", "Its fee."),
    money("net", "amount - fee; the sum is the balance."),
    more=True,
)
def ending_balance(
    transactions: pd.DataFrame, items: pd.DataFrame, payouts: pd.DataFrame, at: Moment, *, zone: str = "UTC"
) -> pd.DataFrame:
    """The transactions that make up the balance at a moment: those in no payout that had taken effect by
    then.

    `items` are balance transactions with their `payout_id` (see payout_items). sum(net) is the end of
    balance_summary. A manual payout has no members: its own (negative) row stays, so that the sum holds.
    """
    frame, cut = ledger(transactions, "ending_balance"), end_of(at, zone)
    require_columns(payouts, ("id", "automatic", "created"), report="ending_balance", object_type="payout")
    paid = frame["reporting_category"].isin(["payout"])
    gone_by_then = frame[paid & (frame["created"] < cut)]
    automatic = set(payouts.loc[flags(payouts, "automatic", default=False), "id"])
    settled = automatic & (
        set(gone_by_then["source"].dropna()) if "source" in gone_by_then.columns else automatic
    )
    members = set(items.loc[items["payout_id"].isin(settled), "id"]) if len(items) else set()
    gone = frame["id"].isin(members)
    if "source" in frame.columns:
        gone |= frame["source"].isin(settled) & paid
    kept = frame[~gone & (frame["created"] < cut)]
    return result(
        kept.copy(), "ending_balance", [transactions, items, payouts], zone=zone, at=cut.isoformat()
    )
