"""Charges that went wrong or went back: refund and dispute rates, declines and what was recovered.

A rate has two honest readings. By *activity* the refunds of a period stand over the payments of the same
period; by *cohort* they stand over the payments they undo, so that the rate of a month goes on moving. Both
are given, side by side. Amounts are in the currency that the customer paid in; fees of disputes are in the
currency of their ledger entry, which is named beside them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from stripe_magics.finance.aggregation import (
    flags,
    group_sums,
    int_column,
    lists,
    ratio,
    require_columns,
    result,
    text_column,
    to_int64,
    to_str,
)
from stripe_magics.finance.columns import CURRENCY, count, declare, money, ratio_of, text
from stripe_magics.finance.reporting_period import Moment, Period, period

_CHARGE = ("id", "created", "currency", "amount", "status")
OPEN = ("needs_response", "under_review", "warning_needs_response", "warning_under_review")
BASIS = text("basis", "activity: by the day it happened; cohort: by the day of the payment.")
PAYMENTS = count("payments", "Payments of the period.")
PAYMENTS_AMOUNT = money("payments_amount", "Their amounts.")
RATE_COUNT = ratio_of("rate_count", "The first count over the payments.")
RATE_AMOUNT = ratio_of("rate_amount", "amount over payments_amount.")


def paid(charges: pd.DataFrame) -> pd.DataFrame:
    """The charges that took money. Open authorisations are no sales."""
    return charges[to_str(charges["status"]).eq("succeeded") & flags(charges, "captured", default=True)]


def captured(charges: pd.DataFrame) -> pd.Series:
    """What each charge took."""
    return int_column(charges, "amount_captured", "amount")


def _rates(
    charges: pd.DataFrame, undone: pd.DataFrame, bases: Mapping[str, pd.Series], what: str
) -> pd.DataFrame:
    """One row a currency and basis: counts, amounts and both rates."""
    payments = group_sums({"currency": charges["currency"]}, {"amount": captured(charges)}).set_index(
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
                    "currency": pd.Series(every, dtype=object),
                    "basis": basis,
                    what: table["count"].to_numpy(dtype=np.int64),
                    "payments": whole["count"].to_numpy(dtype=np.int64),
                    "rate_count": ratio(table["count"], whole["count"]).to_numpy(),
                    "amount": table["amount"].to_numpy(dtype=np.int64),
                    "payments_amount": whole["amount"].to_numpy(dtype=np.int64),
                    "rate_amount": ratio(table["amount"], whole["amount"]).to_numpy(),
                }
            )
        )
    return pd.concat(rows, ignore_index=True).sort_values(["currency", "basis"], kind="stable")


def living_refunds(refunds: pd.DataFrame) -> pd.DataFrame:
    """Refunds that were not failed or canceled."""
    return refunds[~text_column(refunds, "status").isin(["failed", "canceled"])]


def without_reversals(refunds: pd.DataFrame, ledger: pd.DataFrame) -> pd.DataFrame:
    """The refunds whose ledger entry isn't the reversal of a partial capture."""
    entries = ledger[text_column(ledger, "reporting_category").eq("partial_capture_reversal")]
    own = text_column(refunds, "balance_transaction").isin(entries["id"])
    own |= to_str(refunds["id"]).isin(text_column(entries, "source"))
    out = refunds[~own.to_numpy()]
    out.attrs = refunds.attrs
    return out


@declare(
    CURRENCY,
    BASIS,
    count("refunds", "Refunds, without those that failed or were canceled."),
    PAYMENTS,
    RATE_COUNT,
    money("amount", "What was refunded, in the currency of the payment."),
    PAYMENTS_AMOUNT,
    RATE_AMOUNT,
)
def refund_rate(
    charges: pd.DataFrame, refunds: pd.DataFrame, start: Moment, end: Moment, *, zone: str = "UTC"
) -> pd.DataFrame:
    """Refunds over payments, by activity and by cohort; rates are fractions."""
    require_columns(charges, _CHARGE, report="refund_rate", object_type="charge")
    require_columns(
        refunds, ("created", "currency", "amount", "charge"), report="refund_rate", object_type="refund"
    )
    span = period(start, end, zone)
    sold = paid(charges)
    sold = sold[span.contains(sold["created"])]
    living = living_refunds(refunds)
    inside = pd.Series(span.contains(living["created"]), index=living.index)
    bases = {"activity": inside, "cohort": living["charge"].isin(sold["id"])}
    return result(_rates(sold, living, bases, "refunds"), "refund_rate", [charges, refunds], period=span)


def dispute_fees(disputes: pd.DataFrame) -> pd.DataFrame:
    """What each dispute's own ledger entries charged: fee_cost (negative) and the currency of the entries."""
    entries = (
        lists(disputes["balance_transactions"], column="balance_transactions")
        if "balance_transactions" in disputes.columns
        else [[] for _ in range(len(disputes))]
    )
    cost = [-sum(int(entry.get("fee") or 0) for entry in each) for each in entries]
    where = [str(each[0].get("currency") or "") if each else "" for each in entries]
    return pd.DataFrame(
        {
            "fee_cost": np.array(cost, dtype=np.int64),
            "fee_currency": pd.Series(where, index=disputes.index, dtype=object),
        },
        index=disputes.index,
    )


def settled_fees(disputes: pd.DataFrame) -> pd.DataFrame:
    """`dispute_fees`; a dispute without entries of its own counts with those of its currency, if they are in
    one."""
    cost, currency = dispute_fees(disputes), to_str(disputes["currency"])
    single = {
        code: next(iter(found))
        for code, part in cost["fee_currency"].groupby(currency)
        if len(found := {*part} - {""}) == 1
    }
    known = cost["fee_currency"].ne("")
    return cost.assign(
        fee_currency=cost["fee_currency"].where(known, currency.map(lambda code: single.get(code, "")))
    )


def by_outcome(disputes: pd.DataFrame) -> dict[str, pd.Series]:
    """Which disputes were won, lost, are open, or closed without a decision."""
    status = to_str(disputes["status"])
    closed = ~status.isin(["won", "lost", *OPEN])
    return {"won": status.eq("won"), "lost": status.eq("lost"), "open": status.isin(OPEN), "closed": closed}


@declare(
    CURRENCY,
    BASIS,
    count("disputes", "Disputes and inquiries: won + lost + open + closed."),
    PAYMENTS,
    RATE_COUNT,
    money("amount", "What is or was disputed, in the currency of the payment."),
    PAYMENTS_AMOUNT,
    RATE_AMOUNT,
    count("won", "Decided for you."),
    count("lost", "Decided against you."),
    count("open", "Not decided yet."),
    count("closed", "Ended without a decision: inquiries that were closed, disputes that were prevented."),
    money("fee_cost", "Dispute fees (negative), in fee_currency."),
    text("fee_currency", "The currency of the ledger entries of these disputes."),
)
def dispute_rate(
    charges: pd.DataFrame, disputes: pd.DataFrame, start: Moment, end: Moment, *, zone: str = "UTC"
) -> pd.DataFrame:
    """Disputes over payments: `activity` by the day of the dispute, `cohort` (Stripe's dispute rate) by the
    day of the charge.

    The cohort rate keeps moving for about 120 days. Where fees of one currency of payments are in several
    currencies, each has its own row, which counts its own disputes. Source:
    docs.stripe.com/disputes/measuring.
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
    currency = to_str(disputes["currency"])
    cost, parts = settled_fees(disputes), by_outcome(disputes)
    settled = cost["fee_currency"]
    tables = []
    for code in sorted({*settled}) or [""]:
        mine = settled.eq(code)
        table = _rates(sold, disputes, {basis: mask & mine for basis, mask in bases.items()}, "disputes")
        for name in [*parts, "fee_cost"]:
            values = cost["fee_cost"] if name == "fee_cost" else parts[name]
            table[name] = np.array(
                [
                    int(values[bases[basis] & mine & currency.eq(each)].sum())
                    for each, basis in zip(table["currency"], table["basis"], strict=True)
                ],
                dtype=np.int64,
            )
        tables.append(table.assign(fee_currency=code))
    out = pd.concat(tables, ignore_index=True)
    known = out[out["disputes"] > 0]
    empty = out[out["disputes"] == 0].drop_duplicates(["currency", "basis"])
    has = pd.MultiIndex.from_frame(known[["currency", "basis"]])
    bare = empty[~pd.MultiIndex.from_frame(empty[["currency", "basis"]]).isin(has)].assign(fee_currency="")
    kept = [part for part in (known, bare) if len(part)]
    out = pd.concat(kept) if kept else out.iloc[:0]
    out = out.sort_values(["currency", "basis", "fee_currency"], kind="stable")
    return result(out, "dispute_rate", [charges, disputes], period=span)


def decline_reason(charges: pd.DataFrame) -> pd.Series:
    """Why each charge failed: the issuer's or Radar's reason, else the failure code."""
    reason, code = text_column(charges, "outcome_reason"), text_column(charges, "failure_code")
    found = reason.where(reason.ne(""), code)
    return found.where(found.ne(""), "unknown")


def first_failures(charges: pd.DataFrame, span: Period | None = None) -> pd.DataFrame:
    """The first attempts that failed, of a period or of all: intent, created, currency, amount, reason, id,
    recovered (whether the payment was made in the end)."""
    intent = text_column(charges, "payment_intent")
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
    failures = failures.drop(columns=["good", "bad"])
    return failures.assign(recovered=failures["intent"].isin(ended_well))


@declare(
    CURRENCY,
    text(
        "reason", "Why the first attempt was declined: the issuer's or Radar's reason, else the failure code."
    ),
    count("failures", "Payments whose first attempt failed."),
    money("amount", "What they were about."),
    count("recovered", "Those that were paid in the end."),
    money("recovered_amount", "What those were about."),
    ratio_of("recovery_rate", "recovered over failures."),
)
def failed_payments(
    charges: pd.DataFrame, start: Moment | None = None, end: Moment | None = None, *, zone: str = "UTC"
) -> pd.DataFrame:
    """Payments whose first attempt failed, by the reason of that first decline, and how many were paid in the
    end.

    An attempt belongs to its payment intent, so that a payment counts once; a charge without one stands for
    itself.
    """
    require_columns(charges, _CHARGE, report="failed_payments", object_type="charge")
    span: Period | None = period(start, end, zone) if start is not None and end is not None else None
    failures = first_failures(charges, span)
    saved = failures["recovered"]
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
