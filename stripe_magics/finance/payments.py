"""Charges that went wrong or went back: refund and dispute rates, declines and what was recovered, exchange effects.

A rate has two honest readings. By *activity* the refunds of a period stand over the payments of the same period; by *cohort* they stand
over the payments they undo, so that the rate of a month goes on moving. Both are given, side by side.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from stripe_magics.finance.aggregation import group_sums, ratio, require_columns, result, to_int64, to_str
from stripe_magics.finance.reporting_period import Moment, period

_CHARGE = ("id", "created", "currency", "amount", "status")
OPEN = ("needs_response", "under_review", "warning_needs_response", "warning_under_review")


def paid(charges: pd.DataFrame) -> pd.DataFrame:
    """The charges that took money. Open authorisations are no sales."""
    good = to_str(charges["status"]).eq("succeeded")
    if "captured" in charges.columns:
        good &= charges["captured"].fillna(value=True).astype(bool)
    return charges[good]


def _captured(charges: pd.DataFrame) -> pd.Series:
    return (
        to_int64(charges["amount_captured"])
        if "amount_captured" in charges.columns
        else to_int64(charges["amount"])
    )


def _rates(
    charges: pd.DataFrame, undone: pd.DataFrame, bases: Mapping[str, pd.Series], what: str
) -> pd.DataFrame:
    """One row a currency and basis: counts, amounts and both rates."""
    payments = group_sums({"currency": charges["currency"]}, {"amount": _captured(charges)}).set_index(
        "currency"
    )
    rows = []
    for basis, mask in bases.items():
        part = undone[mask]
        table = group_sums({"currency": part["currency"]}, {"amount": to_int64(part["amount"])}).set_index(
            "currency"
        )
        every = sorted({*payments.index, *table.index})
        table, whole = table.reindex(every, fill_value=0), payments.reindex(every, fill_value=0)
        rows.append(
            pd.DataFrame(
                {
                    "currency": every,
                    "basis": basis,
                    what: table["count"].to_numpy(),
                    "payments": whole["count"].to_numpy(),
                    "rate_count": ratio(table["count"], whole["count"]).to_numpy(),
                    "amount": table["amount"].to_numpy(),
                    "payments_amount": whole["amount"].to_numpy(),
                    "rate_amount": ratio(table["amount"], whole["amount"]).to_numpy(),
                }
            )
        )
    return pd.concat(rows, ignore_index=True).sort_values(["currency", "basis"], kind="stable")


def refund_rate(
    charges: pd.DataFrame, refunds: pd.DataFrame, start: Moment, end: Moment, *, zone: str = "UTC"
) -> pd.DataFrame:
    """Refunds over payments, by activity and by cohort.

    Columns: currency, basis, refunds, payments, rate_count, amount, payments_amount, rate_amount; rates are fractions. Failed and canceled
    refunds don't count.
    """
    require_columns(charges, _CHARGE, report="refund_rate", object_type="charge")
    require_columns(
        refunds, ("created", "currency", "amount", "charge"), report="refund_rate", object_type="refund"
    )
    span = period(start, end, zone)
    sold = paid(charges)
    sold = sold[span.contains(sold["created"])]
    if "status" in refunds.columns:
        refunds = refunds[~to_str(refunds["status"]).isin(["failed", "canceled"])]
    inside = pd.Series(span.contains(refunds["created"]), index=refunds.index)
    bases = {"activity": inside, "cohort": refunds["charge"].isin(sold["id"])}
    return result(
        _rates(sold, refunds, bases, "refunds"),
        "refund_rate",
        [charges, refunds],
        period=span,
        counts=["refunds"],
    )


def dispute_rate(
    charges: pd.DataFrame, disputes: pd.DataFrame, start: Moment, end: Moment, *, zone: str = "UTC"
) -> pd.DataFrame:
    """Disputes over payments: `activity` by the day of the dispute, `cohort` (Stripe's dispute rate) by the day of the charge.

    Columns: currency, basis, disputes, payments, rate_count, amount, payments_amount, rate_amount, won, lost, open, fee_cost. The cohort
    rate keeps moving for about 120 days. fee_cost is what the disputes' own ledger entries charged, in minor units.
    """
    require_columns(charges, _CHARGE, report="dispute_rate", object_type="charge")
    require_columns(
        disputes,
        ("created", "currency", "amount", "charge", "status"),
        report="dispute_rate",
        object_type="dispute",
    )
    span = period(start, end, zone)
    sold = paid(charges)
    sold = sold[span.contains(sold["created"])]
    inside = pd.Series(span.contains(disputes["created"]), index=disputes.index)
    bases = {"activity": inside, "cohort": disputes["charge"].isin(sold["id"])}
    out = _rates(sold, disputes, bases, "disputes")
    status = to_str(disputes["status"])
    entries = (
        disputes["balance_transactions"].tolist()
        if "balance_transactions" in disputes.columns
        else [[]] * len(disputes)
    )
    cost = [
        sum(int(entry.get("fee", 0)) for entry in each) if isinstance(each, list) else 0 for each in entries
    ]
    parts: dict[str, pd.Series] = {
        "won": status.eq("won"),
        "lost": status.eq("lost"),
        "open": status.isin(OPEN),
        "fee_cost": pd.Series(cost, index=disputes.index, dtype=np.int64),
    }
    for name, values in parts.items():
        out[name] = [
            int(values[bases[basis] & disputes["currency"].eq(currency)].sum())
            for currency, basis in zip(out["currency"], out["basis"], strict=True)
        ]
    return result(out, "dispute_rate", [charges, disputes], period=span, counts=["disputes"])


def decline_reason(charges: pd.DataFrame) -> pd.Series:
    """Why each charge failed: the issuer's or Radar's reason, else the failure code."""
    reason = (
        to_str(charges["outcome_reason"])
        if "outcome_reason" in charges.columns
        else pd.Series("", index=charges.index)
    )
    code = (
        to_str(charges["failure_code"])
        if "failure_code" in charges.columns
        else pd.Series("", index=charges.index)
    )
    found = reason.where(reason.ne(""), code)
    return found.where(found.ne(""), "unknown")


def failed_payments(
    charges: pd.DataFrame, start: Moment | None = None, end: Moment | None = None, *, zone: str = "UTC"
) -> pd.DataFrame:
    """Payments whose first attempt failed, by the reason of that first decline, and how many were paid in the end.

    Columns: currency, reason, failures, amount, recovered, recovered_amount, recovery_rate (fraction). An attempt belongs to its payment
    intent; a charge without one stands for itself.
    """
    require_columns(charges, _CHARGE, report="failed_payments", object_type="charge")
    span = period(start, end, zone) if start is not None and end is not None else None
    intent = (
        to_str(charges["payment_intent"]) if "payment_intent" in charges.columns else to_str(charges["id"])
    )
    frame = pd.DataFrame(
        {
            "intent": intent.where(intent.ne(""), to_str(charges["id"])),
            "created": charges["created"],
            "currency": to_str(charges["currency"]),
            "amount": to_int64(charges["amount"]),
            "good": to_str(charges["status"]).eq("succeeded"),
            "bad": to_str(charges["status"]).eq("failed"),
            "reason": decline_reason(charges),
            "id": to_str(charges["id"]),
        }
    ).sort_values(["created", "id"], kind="stable")
    first = frame.drop_duplicates("intent", keep="first")
    ended_well = set(frame.loc[frame["good"], "intent"])
    failures = first[first["bad"]]
    if span is not None:
        failures = failures[span.contains(failures["created"])]
    saved = failures["intent"].isin(ended_well)
    out = group_sums(
        {"currency": failures["currency"], "reason": failures["reason"]},
        {
            "amount": failures["amount"],
            "recovered": saved.astype(np.int64),
            "recovered_amount": failures["amount"].where(saved, 0),
        },
    ).rename(columns={"count": "failures"})
    out["recovery_rate"] = ratio(out["recovered"], out["failures"])
    out = out.sort_values(["currency", "failures", "reason"], ascending=[True, False, True], kind="stable")
    return result(out, "failed_payments", [charges], period=span, zone=zone)


def fx_effect(transactions: pd.DataFrame) -> pd.DataFrame:
    """What exchange rates won or cost on refunds and disputes of foreign charges.

    Needs balance transactions fetched with `--expand data.source` (columns source, source_charge, exchange_rate). Columns: currency
    (settlement), charge, charged, returned, rate_in, rate_out, gain: charged + returned scaled to what was returned; minor units.
    """
    requested = ("id", "type", "amount", "currency", "exchange_rate", "source")
    frame = require_columns(transactions, requested, report="fx_effect", object_type="balance_transaction")
    link = to_str(frame["source_charge"]) if "source_charge" in frame.columns else to_str(frame["source"])
    kind = to_str(frame["type"])
    rate = frame["exchange_rate"].astype(float)
    sold = frame[kind.isin(["charge", "payment"]) & rate.notna()]
    charges = pd.DataFrame(
        {
            "charge": to_str(sold["source"]),
            "charged": to_int64(sold["amount"]),
            "rate_in": sold["exchange_rate"].astype(float),
        }
    )
    back = frame[kind.isin(["refund", "payment_refund", "adjustment"]) & rate.notna()]
    moved = pd.DataFrame(
        {
            "currency": to_str(back["currency"]),
            "charge": link[back.index],
            "returned": to_int64(back["amount"]),
            "rate_out": back["exchange_rate"].astype(float),
        }
    )
    out = moved.merge(charges, on="charge", how="inner")
    # the customer gets the same foreign amount back: at the first rate that would have cost returned * rate_in / rate_out
    at_first_rate = (out["returned"] * (out["rate_in"] / out["rate_out"])).round().astype(np.int64)
    out["gain"] = out["returned"] - at_first_rate
    return result(
        out[["currency", "charge", "charged", "returned", "rate_in", "rate_out", "gain"]],
        "fx_effect",
        [transactions],
    )
