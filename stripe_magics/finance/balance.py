"""The balance and what moved it: reports over balance transactions.

A balance transaction is one line of Stripe's ledger: net = amount - fee. Reports group by `reporting_category`, since the type
`adjustment` alone hides disputes, reversals and failed refunds; where an old export lacks it, it follows from the type.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from stripe_magics.finance.aggregation import group_sums, ratio, require_columns, result, to_int64, to_str
from stripe_magics.finance.reporting_period import Moment, bucket_index, moment, period

PAYOUTS = ("payout", "payout_reversal")
TRANSFERS = ("transfer", "transfer_reversal")
COLUMN_OF = {  # where a category stands in the daily report; anything else is "other"
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
_COLUMNS = ("id", "created", "currency", "amount", "fee", "net", "type")


def ledger(transactions: pd.DataFrame, report: str = "This report") -> pd.DataFrame:
    """Checked balance transactions with a `reporting_category` in every row. attrs are kept."""
    frame = require_columns(transactions, _COLUMNS, report=report, object_type="balance_transaction")
    if "reporting_category" in frame.columns and not frame["reporting_category"].isna().any():
        return frame
    fallback = to_str(frame["type"]).map(lambda kind: CATEGORY_OF_TYPE.get(kind, kind))
    known = frame.get("reporting_category")
    made = fallback if known is None else to_str(known).where(known.notna(), fallback)
    out = frame.assign(reporting_category=made)
    out.attrs = frame.attrs
    return out


def _amounts(frame: pd.DataFrame) -> dict[str, pd.Series]:
    return {"gross": to_int64(frame["amount"]), "fee": to_int64(frame["fee"]), "net": to_int64(frame["net"])}


def balance_activity(
    transactions: pd.DataFrame, start: Moment, end: Moment, *, zone: str = "UTC"
) -> pd.DataFrame:
    """What moved the balance except payouts: currency, reporting_category, count, gross, fee, net; int64 minor units."""
    frame, span = ledger(transactions, "balance_activity"), period(start, end, zone)
    inside = frame[span.contains(frame["created"]) & ~frame["reporting_category"].isin(PAYOUTS).to_numpy()]
    out = group_sums(
        {"currency": inside["currency"], "reporting_category": inside["reporting_category"]}, _amounts(inside)
    )
    return result(out, "balance_activity", [transactions], period=span)


def now_balance(balance: pd.DataFrame | Mapping[str, int]) -> dict[str, int]:
    """Available and pending funds by currency, out of the frame of `%stripe balance retrieve`."""
    if isinstance(balance, Mapping):
        return {str(currency): int(amount) for currency, amount in balance.items()}
    totals: dict[str, int] = {}
    for part in ("available", "pending", "connect_reserved"):
        cells = balance[part] if part in balance.columns else ()
        for entries in cells:
            for entry in entries if isinstance(entries, list) else ():
                totals[entry["currency"]] = totals.get(entry["currency"], 0) + int(entry["amount"])
    return totals


def balance_summary(
    transactions: pd.DataFrame,
    start: Moment,
    end: Moment,
    *,
    opening: Mapping[str, int] | None = None,
    balance: pd.DataFrame | Mapping[str, int] | None = None,
    zone: str = "UTC",
) -> pd.DataFrame:
    """Start + activity + payouts = end: currency, start, activity, payouts, end, residual, status.

    The start is `opening`, else the sum of the ledger before the period (the transactions must then reach back to the first). The end is
    the `balance` as it is now less everything since; it is found without the start, so a residual of 0 proves the ledger. Without
    `balance` there is nothing to prove against, and status says so.
    """
    frame, span = ledger(transactions, "balance_summary"), period(start, end, zone)
    net = to_int64(frame["net"])
    instants = frame["created"]
    inside = span.contains(instants)
    paid = frame["reporting_category"].isin(PAYOUTS).to_numpy()
    before = (instants < span.start).to_numpy(dtype=bool)
    after = (instants >= span.end).to_numpy(dtype=bool)
    parts = {"before": before, "activity": inside & ~paid, "payouts": inside & paid, "after": after}
    out = group_sums(
        {"currency": frame["currency"]}, {name: net.where(mask, 0) for name, mask in parts.items()}
    ).drop(columns="count")
    now = None if balance is None else now_balance(balance)
    known = sorted({*out["currency"], *(opening or {}), *(now or {})})
    out = out.set_index("currency").reindex(known, fill_value=0).rename_axis("currency").reset_index()
    out["start"] = (
        out["before"] if opening is None else [int(opening.get(each, 0)) for each in out["currency"]]
    )
    expected = out["start"] + out["activity"] + out["payouts"]
    out["end"] = (
        expected
        if now is None
        else pd.Series([now.get(each, 0) for each in out["currency"]], dtype=np.int64) - out["after"]
    )
    out["residual"] = out["end"] - expected
    unproved = "not checked (no balance given)"
    out["status"] = [
        unproved if now is None else "adds up" if gap == 0 else "does not add up" for gap in out["residual"]
    ]
    columns = ["currency", "start", "activity", "payouts", "end", "residual", "status"]
    return result(out[columns], "balance_summary", [transactions], period=span)


def daily_balance(
    transactions: pd.DataFrame,
    start: Moment,
    end: Moment,
    *,
    opening: Mapping[str, int] | None = None,
    zone: str = "UTC",
) -> pd.DataFrame:
    """Every day of the period, by currency: date, currency, sales, refunds, disputes, fees, other, net, payouts, closing.

    A transaction's own fee stands under fees (negative). closing is the running balance, from `opening` or the ledger before the period.
    """
    frame, span = ledger(transactions, "daily_balance"), period(start, end, zone)
    net = to_int64(frame["net"])
    if opening is None:
        earlier = (frame["created"] < span.start).to_numpy(dtype=bool)
        table = group_sums({"currency": frame.loc[earlier, "currency"]}, {"net": net[earlier]})
        opening = dict(zip(table["currency"], table["net"].tolist(), strict=True))
    inside = span.contains(frame["created"])
    rows = frame[inside]
    days = span.cut("D")
    if rows.empty:
        empty = pd.DataFrame({"date": pd.Series(dtype="datetime64[us]"), "currency": pd.Series(dtype=object)})
        for column in (*DAILY[:5], "net", "payouts", "closing"):
            empty[column] = pd.Series(dtype=np.int64)
        return result(empty, "daily_balance", [transactions], period=span)
    keys = {
        "day": pd.Series(bucket_index(rows["created"], days, span.zone)),
        "currency": rows["currency"],
        "category": rows["reporting_category"],
    }
    table = group_sums(keys, {"gross": to_int64(rows["amount"]), "fee": to_int64(rows["fee"])})
    table["column"] = table["category"].map(lambda each: COLUMN_OF.get(each, "other"))
    table.loc[table["column"] == "payouts", "gross"] -= table["fee"]
    table.loc[table["column"] == "payouts", "fee"] = 0
    wide = table.pivot_table(
        index=["day", "currency"], columns="column", values="gross", aggfunc="sum", fill_value=0
    )
    fees = table.groupby(["day", "currency"])["fee"].sum()
    grid = pd.MultiIndex.from_product(
        [range(len(days)), sorted(table["currency"].unique())], names=["day", "currency"]
    )
    wide = wide.reindex(grid, fill_value=0).reindex(columns=list(DAILY), fill_value=0).astype(np.int64)
    wide["fees"] -= fees.reindex(grid, fill_value=0).astype(np.int64)
    out = wide.reset_index()
    out["net"] = out[["sales", "refunds", "disputes", "fees", "other"]].sum(axis=1)
    moved = (out["net"] + out["payouts"]).groupby(out["currency"]).cumsum()
    out["closing"] = moved + out["currency"].map(lambda each: int((opening or {}).get(each, 0))).astype(
        np.int64
    )
    out.insert(0, "date", days[out["day"].to_numpy()].to_numpy().astype("datetime64[us]"))
    columns = [
        "date",
        "currency",
        "sales",
        "refunds",
        "disputes",
        "fees",
        "other",
        "net",
        "payouts",
        "closing",
    ]
    return result(out[columns], "daily_balance", [transactions], period=span)


def ending_balance(
    transactions: pd.DataFrame, items: pd.DataFrame, payouts: pd.DataFrame, at: Moment, *, zone: str = "UTC"
) -> pd.DataFrame:
    """The transactions that make up the balance at a moment: those in no payout that had taken effect by then.

    `items` are balance transactions with their `payout_id` (see payout_items). sum(net) is the end of balance_summary. A manual payout has
    no members: its own (negative) row stays, so that the sum holds.
    """
    frame, cut = ledger(transactions, "ending_balance"), moment(at, zone)
    require_columns(payouts, ("id", "automatic", "created"), report="ending_balance", object_type="payout")
    effective = frame[frame["reporting_category"].isin(["payout"]) & (frame["created"] < cut)]
    automatic = set(payouts.loc[payouts["automatic"].fillna(value=False).astype(bool), "id"])
    settled = automatic & (set(effective["source"].dropna()) if "source" in effective.columns else automatic)
    members = set(items.loc[items["payout_id"].isin(settled), "id"]) if len(items) else set()
    gone = frame["id"].isin(members)
    if "source" in frame.columns:
        gone |= frame["source"].isin(settled) & frame["reporting_category"].isin(["payout"])
    kept = frame[~gone & (frame["created"] < cut)]
    return result(
        kept.copy(), "ending_balance", [transactions, items, payouts], zone=zone, at=cut.isoformat()
    )


def fee_items(transactions: pd.DataFrame) -> pd.DataFrame:
    """Every fee as a row: currency, fee_type, description, amount, bt_id. Stand-alone fee rows have fee_type `stand-alone`."""
    frame = ledger(transactions, "fees")
    require_columns(frame, ("fee_details",), report="fees", object_type="balance_transaction")
    rows = [
        (str(currency), detail["type"], detail.get("description") or "", int(detail["amount"]), identity)
        for identity, currency, details in zip(
            frame["id"], frame["currency"], frame["fee_details"], strict=True
        )
        for detail in (details if isinstance(details, list) else ())
    ]
    alone = frame[frame["reporting_category"].isin(STAND_ALONE)]
    described = to_str(alone["description"]) if "description" in alone.columns else to_str(alone["type"])
    rows += [
        (str(currency), "stand-alone", text, -int(amount), identity)
        for identity, currency, text, amount in zip(
            alone["id"], alone["currency"], described, to_int64(alone["amount"]), strict=True
        )
    ]
    out = pd.DataFrame(rows, columns=["currency", "fee_type", "description", "amount", "bt_id"]).astype(
        {"amount": np.int64}
    )
    return result(out, "fee_items", [transactions])


def fees(transactions: pd.DataFrame) -> pd.DataFrame:
    """What Stripe cost, by kind of fee: currency, fee_type, count, amount, effective_rate (of gross charges, a fraction)."""
    frame = ledger(transactions, "fees")
    rows = fee_items(frame)
    out = group_sums({"currency": rows["currency"], "fee_type": rows["fee_type"]}, {"amount": rows["amount"]})
    sold = frame[frame["reporting_category"].isin(["charge"])]
    charges = group_sums({"currency": sold["currency"]}, {"gross": to_int64(sold["amount"])}).set_index(
        "currency"
    )["gross"]
    out["effective_rate"] = ratio(out["amount"], out["currency"].map(charges).fillna(0))
    return result(out, "fees", [transactions])


def volume(
    transactions: pd.DataFrame, start: Moment | None = None, end: Moment | None = None, *, zone: str = "UTC"
) -> pd.DataFrame:
    """Gross to net: currency, gross, refunds, disputes, fees, transfers, other, net. Costs are positive; net is what stays before payouts."""
    frame = ledger(transactions, "volume")
    span = period(start, end, zone) if start is not None and end is not None else None
    rows = frame if span is None else frame[span.contains(frame["created"])]
    rows = rows[~rows["reporting_category"].isin(PAYOUTS)]
    table = group_sums({"currency": rows["currency"], "category": rows["reporting_category"]}, _amounts(rows))
    table["column"] = table["category"].map(
        lambda each: "transfers" if each in TRANSFERS else COLUMN_OF.get(each, "other")
    )
    kinds = ["sales", "refunds", "disputes", "fees", "transfers", "other"]
    wide = table.pivot_table(index="currency", columns="column", values="gross", aggfunc="sum", fill_value=0)
    wide = wide.reindex(columns=kinds, fill_value=0).astype(np.int64)
    out = pd.DataFrame({"currency": wide.index.to_numpy(), "gross": wide["sales"].to_numpy()})
    for column in ("refunds", "disputes", "transfers"):
        out[column] = -wide[column].to_numpy()
    out.insert(
        4,
        "fees",
        table.groupby("currency")["fee"].sum().reindex(wide.index).to_numpy() - wide["fees"].to_numpy(),
    )
    out["other"] = wide["other"].to_numpy()
    out["net"] = table.groupby("currency")["net"].sum().reindex(wide.index).to_numpy()
    return result(out, "volume", [transactions], period=span, zone=zone)
