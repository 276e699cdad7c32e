"""Payouts against the ledger: what each one settled, what failed, and what can't be known.

Stripe links transactions to *automatic* payouts only. For a manual one there is not a list of members, and
the status column says so rather than showing a wrong number.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd

from stripe_magics.client.call_context import carried
from stripe_magics.finance.aggregation import (
    flags,
    group_sums,
    require_columns,
    result,
    text_column,
    to_int64,
    to_str,
)
from stripe_magics.finance.balance import ADDS_UP, DOES_NOT, arrival_days, check_by, ledger
from stripe_magics.finance.columns import CURRENCY, STATUS, column, count, declare, money, text
from stripe_magics.finance.reporting_period import Period
from stripe_magics.progress import progress_bar

MANUAL = "not reconcilable (manual)"
PENDING = "not reconciled yet"
_PAYOUT = ("id", "amount", "currency", "status", "automatic", "arrival_date")


def reconcilable(payouts: pd.DataFrame) -> pd.Series:
    """Whether Stripe can list the members of each payout: automatic, and not still being reconciled."""
    automatic = flags(payouts, "automatic", default=False)
    if "reconciliation_status" not in payouts.columns:
        return automatic
    return automatic & ~to_str(payouts["reconciliation_status"]).isin(["not_applicable", "in_progress"])


def effective_at(payouts: pd.DataFrame, span: Period, *, by: str = "arrival") -> pd.Series:
    """The local day on which each payout counts: an automatic one on its arrival date, a manual one when it
    was made (Stripe's rule).

    An arrival date is a calendar day, which Stripe writes as midnight in UTC; it is not shifted into another
    zone.
    """
    made: pd.Series = payouts["created"].dt.tz_convert(span.zone).dt.tz_localize(None).dt.normalize()
    if check_by(by) == "created":
        return made
    arrival = arrival_days(payouts)
    day: pd.Series = arrival.where(flags(payouts, "automatic", default=False) & arrival.notna(), made)
    return day


def payouts_in(payouts: pd.DataFrame, span: Period | None, *, by: str = "arrival") -> pd.DataFrame:
    """The payouts that count in the period."""
    if span is None or payouts.empty:
        return payouts
    require_columns(payouts, (*_PAYOUT, "created"), report="payouts", object_type="payout")
    day = effective_at(payouts, span, by=by)
    out = payouts[(day >= span.local_start.normalize()) & (day < span.local_end)]
    out.attrs = payouts.attrs
    return out


_ITEM_COLUMNS = (
    text("id", "The balance transaction."),
    text("payout_id", "The payout that settled it."),
    CURRENCY,
    money("amount", "Its amount."),
    money("fee", "Its fee (positive when charged, as in the ledger)."),
    money("net", "amount - fee."),
)


@declare(*_ITEM_COLUMNS, more=True)
def given_items(items: pd.DataFrame) -> pd.DataFrame:
    """Transactions with their payout_id that are at hand, as the report payout_items."""
    require_columns(items, ("id", "payout_id"), report="payout_items", object_type="balance_transaction")
    return result(items, "payout_items", [items])


@declare(*_ITEM_COLUMNS, more=True)
def payout_items(
    payouts: pd.DataFrame,
    members: Callable[[str], pd.DataFrame],
    known: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
) -> pd.DataFrame:
    """The transactions that each automatic payout settled: the columns of balance transactions, and
    payout_id.

    `members(payout_id)` returns them (`%stripe balance list_history --payout po_...`). Manual payouts have
    none. `known` gives those of many payouts at once; a payout that it lacks, or whose members don't add up
    to its amount, is asked for by itself.
    """
    require_columns(payouts, _PAYOUT, report="payout_items", object_type="payout")
    automatic = payouts[reconcilable(payouts)]
    at_once = None if known is None else known(automatic)
    left = automatic
    frames = []
    if at_once is not None and len(at_once):
        sums = _members_of(at_once)
        whole = (
            automatic["id"].map(sums).eq(to_int64(automatic["amount"])).to_numpy(dtype=bool, na_value=False)
        )
        left = automatic[~whole]
        frames.append(at_once[at_once["payout_id"].isin(automatic.loc[whole, "id"])])
    single = left["id"].tolist()
    frames += [
        found.assign(payout_id=each)
        for each, found in zip(single, _side_by_side(members, single), strict=True)
    ]
    kept = [frame for frame in frames if len(frame)]
    out = pd.concat(kept, ignore_index=True) if kept else pd.DataFrame(columns=["id", "payout_id"])
    out = out[["id", "payout_id", *(name for name in out.columns if name not in {"id", "payout_id"})]]
    return result(out, "payout_items", [payouts, *frames])


def _members_of(items: pd.DataFrame) -> dict[str, int]:
    """What the members of each payout add up to, without the payout's own entry."""
    entries = ledger(items)
    # a failed payout's reversal is a member
    inner = entries[text_column(entries, "source").ne(entries["payout_id"])]
    sums = to_int64(inner["net"]).groupby(inner["payout_id"]).sum()
    return {str(payout): int(total) for payout, total in sums.items()}


def _side_by_side(members: Callable[[str], pd.DataFrame], payouts: list[str]) -> list[pd.DataFrame]:
    """One call a payout, eight at a time (the connection keeps Stripe's rate limit); progress after a second,
    and Stop ends it."""
    pool, found = ThreadPoolExecutor(max_workers=8), []
    try:
        with progress_bar("payout items", unit=" payouts") as progress:
            progress.expect(len(payouts))
            for frame in pool.map(carried(members), payouts):
                found.append(frame)
                progress(len(found))
        return found
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


@declare(
    CURRENCY,
    text("payout_id", "The payout."),
    column("arrival_date", "date", "The day on which it arrives at the bank, as the bank dates it."),
    money("amount", "What was paid out; once for each payout, in its first row."),
    text("category", "The reporting category of the entries in it."),
    count("count", "How many entries of that category."),
    money("gross", "Their amounts."),
    money("fee", "Fees taken from them (positive when charged, as in the ledger)."),
    money("net", "gross - fee."),
    money("residual", "amount less the net of all entries of the payout; once for each payout. 0 proves it."),
    STATUS,
)
def payout_reconciliation(payouts: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """Each payout by what is in it: one row a reporting category. `amount` and `residual` appear once, so
    that sums are right.

    Source: docs.stripe.com/reports/payout-reconciliation.
    """
    require_columns(payouts, _PAYOUT, report="payout_reconciliation", object_type="payout")
    if len(items):
        frame = ledger(items, "payout_reconciliation")
        inside = frame[~frame["reporting_category"].isin(["payout"])]
        parts = group_sums(
            {"payout_id": inside["payout_id"], "category": inside["reporting_category"]},
            {
                "gross": to_int64(inside["amount"]),
                "fee": to_int64(inside["fee"]),
                "net": to_int64(inside["net"]),
            },
        )
    else:
        parts = pd.DataFrame({name: pd.Series(dtype=object) for name in ("payout_id", "category")})
        parts = parts.assign(**{name: pd.Series(dtype=np.int64) for name in ("count", "gross", "fee", "net")})
    total = parts.groupby("payout_id")["net"].sum()
    heads = pd.DataFrame(
        {
            "currency": to_str(payouts["currency"]),
            "payout_id": to_str(payouts["id"]),
            "arrival_date": arrival_days(payouts),
            "amount": to_int64(payouts["amount"]),
            "_known": reconcilable(payouts),
            "_automatic": flags(payouts, "automatic", default=False),
        }
    )
    gap = heads["amount"] - heads["payout_id"].map(total).fillna(0).astype(np.int64)
    heads["residual"] = gap.astype("Int64").where(heads["_known"])
    heads["status"] = [
        (PENDING if automatic else MANUAL) if not known else ADDS_UP if left == 0 else DOES_NOT
        for known, automatic, left in zip(heads["_known"], heads["_automatic"], gap, strict=True)
    ]
    out = heads.merge(parts, on="payout_id", how="left")
    out["category"] = out["category"].fillna("")
    for name in ("count", "gross", "fee", "net"):
        out[name] = out[name].astype("Int64").fillna(0).astype(np.int64)
    out = out.sort_values(["currency", "arrival_date", "payout_id", "category"], kind="stable")
    again = out["payout_id"].duplicated()
    for name in ("amount", "residual"):
        out[name] = out[name].astype("Int64").mask(again)
    columns = ["currency", "payout_id", "arrival_date", "amount", "category", "count", "gross", "fee", "net"]
    return result(
        out[[*columns, "residual", "status"]],
        "payout_reconciliation",
        [payouts, items],
        notes=_came_back(payouts),
    )


def _came_back(payouts: pd.DataFrame) -> list[str]:
    """Which payouts are in the table though their money is back in the balance."""
    back = payouts[to_str(payouts["status"]).isin(["failed", "canceled"]).to_numpy()]
    if back.empty:
        return []
    names = ", ".join(to_str(back["id"]).head(5)) + (" ..." if len(back) > 5 else "")
    said = "Payouts that failed or were cancelled are in the amounts, and their money is back in the balance:"
    return [f"{said} {names}. What reached the bank is the net of payout_status."]


@declare(
    CURRENCY,
    text("payout_id", "The payout."),
    column("created", "time", "When it was made."),
    column("arrival_date", "date", "The day on which it arrives at the bank, as the bank dates it."),
    money("amount", "What was paid out."),
    money("returned", "What came back after a failure or a cancellation."),
    money("net", "What left for good."),
    STATUS,
    text("failure_code", "Why it failed."),
    text("trace_id", "The bank's reference."),
    column("days_late", "days", "Whole days that it is under way after its arrival date."),
)
def payout_status(
    payouts: pd.DataFrame, transactions: pd.DataFrame | None = None, *, at: pd.Timestamp | None = None
) -> pd.DataFrame:
    """How each payout ended.

    returned is what came back after a failure or a cancellation (from the ledger, if given); net is what left
    for good. days_late counts whole days that a payout is still under way after its arrival date (as of `at`,
    or the latest time in the data).
    """
    require_columns(payouts, (*_PAYOUT, "created"), report="payout_status", object_type="payout")
    status, amount = to_str(payouts["status"]), to_int64(payouts["amount"])
    gave_back = status.isin(["failed", "canceled"])
    returned = amount.where(gave_back, 0)
    if transactions is not None:
        frame = ledger(transactions, "payout_status")
        back = frame[frame["reporting_category"].isin(["payout_reversal"])]
        by_payout = group_sums({"source": back["source"]}, {"net": to_int64(back["net"])}).set_index(
            "source"
        )["net"]
        returned = to_str(payouts["id"]).map(by_payout).fillna(0).astype(np.int64)
    latest: Any = at
    if latest is None:
        times = payouts["created"] if transactions is None else transactions["created"]
        latest = times.max() if len(times) else pd.NaT
    late = np.floor((latest - payouts["arrival_date"]) / pd.Timedelta(days=1)).clip(lower=0)
    out = pd.DataFrame(
        {
            "currency": to_str(payouts["currency"]),
            "payout_id": to_str(payouts["id"]),
            "created": payouts["created"],
            "arrival_date": arrival_days(payouts),
            "amount": amount,
            "returned": returned,
            "net": amount - returned,
            "status": status,
            "failure_code": text_column(payouts, "failure_code"),
            "trace_id": text_column(payouts, "trace_id_value"),
            "days_late": late.where(status.isin(["pending", "in_transit"]), 0).fillna(0).astype(np.int64),
        }
    )
    return result(out, "payout_status", [payouts, transactions])
