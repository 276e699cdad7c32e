"""Payouts against the ledger: what each one settled, what failed, and what can't be known.

Stripe links transactions to *automatic* payouts only. For a manual one there is not a list of members, and the status column says so
rather than showing a wrong number.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd

from stripe_magics.finance.aggregation import group_sums, require_columns, result, to_int64, to_str
from stripe_magics.finance.balance import ledger
from stripe_magics.progress import progress_bar

MANUAL = "not reconcilable (manual)"
PENDING = "not reconciled yet"
_PAYOUT = ("id", "amount", "currency", "status", "automatic", "arrival_date")


def reconcilable(payouts: pd.DataFrame) -> pd.Series:
    """Whether Stripe can list the members of each payout: automatic, and not still being reconciled."""
    automatic = payouts["automatic"].fillna(value=False).astype(bool)
    if "reconciliation_status" not in payouts.columns:
        return automatic
    return automatic & ~to_str(payouts["reconciliation_status"]).isin(["not_applicable", "in_progress"])


def payout_items(payouts: pd.DataFrame, members: Callable[[str], pd.DataFrame]) -> pd.DataFrame:
    """The transactions that each automatic payout settled: the columns of balance transactions, and payout_id.

    `members(payout_id)` returns them (`%stripe balance list_history --payout po_...`). Manual payouts have none.
    """
    require_columns(payouts, _PAYOUT, report="payout_items", object_type="payout")
    known = payouts.loc[reconcilable(payouts), "id"].tolist()
    frames = [
        found.assign(payout_id=each) for each, found in zip(known, _side_by_side(members, known), strict=True)
    ]
    kept = [frame for frame in frames if len(frame)]
    out = pd.concat(kept, ignore_index=True) if kept else pd.DataFrame(columns=["id", "payout_id"])
    return result(out, "payout_items", [payouts, *frames])


def _side_by_side(members: Callable[[str], pd.DataFrame], payouts: list[str]) -> list[pd.DataFrame]:
    """One call a payout, eight at a time (the connection keeps Stripe's rate limit); progress after a second, and Stop ends it."""
    pool, found = ThreadPoolExecutor(max_workers=8), []
    try:
        with progress_bar("payout items", unit=" payouts") as progress:
            progress.expect(len(payouts))
            for frame in pool.map(members, payouts):
                found.append(frame)
                progress(len(found))
        return found
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def payout_reconciliation(payouts: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """Each payout by what is in it: currency, payout_id, arrival_date, amount, category, count, gross, fee, net, residual, status.

    residual = amount - the net of its members (without the payout's own row); 0 proves the payout. It stands in every row of a payout.
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
            "arrival_date": payouts["arrival_date"],
            "amount": to_int64(payouts["amount"]),
            "_known": reconcilable(payouts),
            "_automatic": payouts["automatic"].fillna(value=False).astype(bool),
        }
    )
    gap = heads["amount"] - heads["payout_id"].map(total).fillna(0).astype(np.int64)
    heads["residual"] = gap.astype("Int64").where(heads["_known"])
    heads["status"] = [
        (PENDING if automatic else MANUAL) if not known else "adds up" if left == 0 else "does not add up"
        for known, automatic, left in zip(heads["_known"], heads["_automatic"], gap, strict=True)
    ]
    out = heads.merge(parts, on="payout_id", how="left")
    out["category"] = out["category"].fillna("")
    for column in ("count", "gross", "fee", "net"):
        out[column] = out[column].astype("Int64").fillna(0).astype(np.int64)
    columns = [
        "currency",
        "payout_id",
        "arrival_date",
        "amount",
        "category",
        "count",
        "gross",
        "fee",
        "net",
        "residual",
        "status",
    ]
    return result(
        out.sort_values(["currency", "arrival_date", "payout_id", "category"])[columns],
        "payout_reconciliation",
        [payouts, items],
    )


def payout_status(payouts: pd.DataFrame, transactions: pd.DataFrame | None = None) -> pd.DataFrame:
    """How each payout ended: currency, payout_id, created, arrival_date, amount, returned, net, status, failure_code, trace_id, days_late.

    returned is what came back after a failure or a cancellation (from the ledger, if given); net is what left for good. days_late counts
    whole days that a payout is still under way after its arrival date (as of the latest time in the data).
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
    latest = (
        payouts[["created", "arrival_date"]].min(axis=1).max()
        if transactions is None
        else transactions["created"].max()
    )
    late = np.floor((latest - payouts["arrival_date"]) / pd.Timedelta(days=1)).clip(lower=0)
    out = pd.DataFrame(
        {
            "currency": to_str(payouts["currency"]),
            "payout_id": to_str(payouts["id"]),
            "created": payouts["created"],
            "arrival_date": payouts["arrival_date"],
            "amount": amount,
            "returned": returned,
            "net": amount - returned,
            "status": status,
            "failure_code": to_str(payouts["failure_code"]) if "failure_code" in payouts.columns else "",
            "trace_id": to_str(payouts["trace_id_value"]) if "trace_id_value" in payouts.columns else "",
            "days_late": late.where(status.isin(["pending", "in_transit"]), 0).fillna(0).astype(np.int64),
        }
    )
    return result(out, "payout_status", [payouts, transactions])
