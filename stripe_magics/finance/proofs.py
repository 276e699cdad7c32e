"""Proofs: figures that two independent ways must agree on. A residual that isn't 0 says that rows are
missing, doubled or changed.

No side is worked out from the other: the balance is Stripe's own, totals are those that objects carry, sums
are of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from stripe_magics.finance import balance, days_outstanding, fee_costs, mrr_bridge, mrr_now, receivables, tax
from stripe_magics.finance.aggregation import (
    int_column,
    result,
    sums_by_currency,
    text_column,
    to_int64,
    to_str,
)
from stripe_magics.finance.columns import CURRENCY, RESIDUAL, STATUS, declare, money, text
from stripe_magics.finance.corrections import billed
from stripe_magics.finance.inputs import ReportInputs
from stripe_magics.finance.receivables import transitions
from stripe_magics.finance.reporting_period import Period
from stripe_magics.finance.subscription_history import history
from stripe_magics.finance.tax_entries import invoice_totals

Sums = Mapping[str, int]
Proof = Callable[[ReportInputs, Period], tuple[Sums, Sums] | None]


def _of(frame: pd.DataFrame, column: str) -> dict[str, int]:
    return sums_by_currency(frame["currency"], frame[column])


def _activity(inputs: ReportInputs, span: Period) -> tuple[Sums, Sums] | None:
    ledger, now = inputs.reading(whole=True)
    if now is None:
        return None
    made = balance.balance_summary(ledger, span.start, span.end, balance=now, zone=span.zone)
    left = _of(balance.balance_activity(ledger, span.start, span.end, zone=span.zone), "net")
    made["moved"] = made["end"] - made["start"] - made["payouts"]
    return left, _of(made, "moved")


def _closing(inputs: ReportInputs, span: Period) -> tuple[Sums, Sums] | None:
    ledger, now = inputs.reading(whole=True)
    if now is None:
        return None
    days = balance.daily_balance(ledger, span.start, span.end, zone=span.zone)
    last = days[days["date"] == days["date"].max()]
    made = balance.balance_summary(ledger, span.start, span.end, balance=now, zone=span.zone)
    return _of(last, "closing"), _of(made, "end")


def _fees(inputs: ReportInputs, span: Period) -> tuple[Sums, Sums]:
    rows = balance.ledger(inputs.inside("transactions"))
    rows = rows[span.contains(rows["created"])]
    alone = rows["reporting_category"].isin(balance.STAND_ALONE)
    # what entries cost, by what they left in the balance
    kept = to_int64(rows["amount"]) - to_int64(rows["net"])
    cost = to_int64(rows["amount"]).where(alone, 0) - kept
    return _of(fee_costs.fees(rows), "amount"), sums_by_currency(rows["currency"], cost)


def _volume(inputs: ReportInputs, span: Period) -> tuple[Sums, Sums]:
    rows = inputs.inside("transactions")
    table = fee_costs.volume(rows, span.start, span.end, zone=span.zone)
    return _of(table, "fees"), _of(fee_costs.fees(rows, span.start, span.end, zone=span.zone), "amount")


def _charges(inputs: ReportInputs, span: Period) -> tuple[Sums, Sums]:
    rows = balance.ledger(inputs.inside("transactions"))
    rows = rows[span.contains(rows["created"]) & rows["reporting_category"].isin(["charge"]).to_numpy()]
    if "exchange_rate" in rows.columns:
        rows = rows[pd.to_numeric(rows["exchange_rate"], errors="coerce").isna().to_numpy()]
    charges = inputs["charges"]
    amount = dict(zip(to_str(charges["id"]), to_int64(charges["amount"]), strict=True))
    own = text_column(rows, "source").map(lambda each: amount.get(each, 0)).astype(np.int64)
    return _of(rows, "amount"), sums_by_currency(rows["currency"], own)


def _payouts(inputs: ReportInputs, span: Period) -> tuple[Sums, Sums] | None:
    """The payouts of the period that either side names, the ledger or their own list, against those that both
    have."""
    paid = inputs.optional("payouts")
    if paid is None:
        return None
    entries = balance.ledger(inputs.reading(whole=True)[0])
    entries = entries[entries["reporting_category"].isin(["payout"]).to_numpy()]
    rows = entries[span.contains(entries["created"])]
    every = [(str(code), -int(amount)) for code, amount in zip(rows["currency"], rows["amount"], strict=True)]
    both: list[tuple[str, int]] = []
    if len(paid):
        ids, named, known = to_str(paid["id"]), *(text_column(each, "source") for each in (rows, entries))
        amounts = list(zip(to_str(paid["currency"]), to_int64(paid["amount"]).tolist(), strict=True))
        lacking = span.contains(paid["created"]) & ~ids.isin(known).to_numpy()
        every += [amounts[at] for at in np.flatnonzero(lacking)]
        both = [amounts[at] for at in np.flatnonzero(ids.isin(named))]
    left, right = (pd.DataFrame(each, columns=["currency", "amount"]) for each in (every, both))
    return sums_by_currency(left["currency"], left["amount"]), sums_by_currency(
        right["currency"], right["amount"]
    )


def _receivables(inputs: ReportInputs, span: Period) -> tuple[Sums, Sums]:
    invoices, notes = inputs["invoices"], inputs.credits_before_payment()
    left = _of(receivables.ar_ageing(invoices, span, credit_notes=notes), "total")
    made = days_outstanding.dso(invoices, span.start, span.end, zone=span.zone, credit_notes=notes)
    return left, _of(made, "receivables")


def _open(inputs: ReportInputs, span: Period) -> tuple[Sums, Sums]:
    """Ageing now against what Stripe says remains of open invoices."""
    invoices = inputs["invoices"]
    still = invoices[to_str(invoices["status"]).eq("open")]
    left = _of(receivables.ar_ageing(invoices, inputs.clock, zone=span.zone), "total")
    return left, sums_by_currency(still["currency"], still["amount_remaining"])


def finalised_in(invoices: pd.DataFrame, span: Period) -> pd.DataFrame:
    """The invoices finalised in a period, without those voided in the same month."""
    when = transitions(invoices, "finalized_at")
    inside = (when >= span.start.value) & (when < span.end.value)
    out: pd.DataFrame = invoices[inside & billed(invoices, span.zone)]
    return out


def net_totals(invoices: pd.DataFrame) -> pd.Series:
    """What each invoice says its total without tax is, without shipping."""
    net, _ = invoice_totals(invoices)
    shipping = int_column(invoices, "shipping_cost_amount_subtotal")
    return net - shipping


def _lines(inputs: ReportInputs, span: Period) -> tuple[Sums, Sums]:
    mine = finalised_in(inputs["invoices"], span)
    lines = inputs.lines(void=True)
    lines = lines[lines["invoice"].isin(mine["id"])]
    left = sums_by_currency(lines["currency"], lines["amount"] - lines["discount"])
    return left, sums_by_currency(mine["currency"], net_totals(mine))


def _tax(inputs: ReportInputs, span: Period) -> tuple[Sums, Sums]:
    mine = finalised_in(inputs["invoices"], span)
    rows = tax.tax_collected(inputs["invoices"], span.start, span.end, zone=span.zone)
    rows = rows[rows["kind"] == "invoice"]
    excluded = mine.get("total_excluding_tax")
    whole = int_column(mine, "total")
    own = invoice_totals(mine)[1] if excluded is None else whole - to_int64(excluded)
    return _of(rows, "tax"), sums_by_currency(mine["currency"], own)


def _mrr(inputs: ReportInputs, _span: Period) -> tuple[Sums, Sums] | None:
    subscriptions = inputs.optional("subscriptions")
    if subscriptions is None:
        return None
    live = mrr_bridge.live_now(history(inputs), inputs.clock).groupby(level="currency").sum()
    now = mrr_now.subscription_mrr(subscriptions, coupons=inputs.coupons(), prices=inputs.tiers())
    return {str(code): int(value) for code, value in live.items()}, _of(now, "mrr")


PROOFS: dict[str, Proof] = {
    "activity by category = what the balance says moved it": _activity,
    "closing of the last day = balance at the end": _closing,
    "fees = fees of the ledger": _fees,
    "fees of volume = fees": _volume,
    "ledger entries of charges = the charges": _charges,
    "ledger entries of payouts = the payouts": _payouts,
    "ageing = receivables of dso": _receivables,
    "ageing now = what remains of open invoices": _open,
    "lines of invoices = their totals without tax": _lines,
    "tax by rate = tax of the invoices": _tax,
    "MRR by history = MRR now": _mrr,
}

EXPLAINED = {"MRR by history = MRR now": "differs: the report mrr_bridge names each subscription and why"}


@declare(
    text("proof", "What must be equal."),
    CURRENCY,
    money("left", "The first side."),
    money("right", "The other side, found another way."),
    RESIDUAL,
    STATUS,
)
def proofs(inputs: ReportInputs, span: Period) -> pd.DataFrame:
    """Every proof over a period, currency by currency: left - right = residual, which must be 0."""
    rows = []
    for name, proof in PROOFS.items():
        differs = EXPLAINED.get(name, balance.DOES_NOT)
        sides = proof(inputs, span)
        if sides is None:
            inputs.note(f"Not checked, for want of the data: {name}.")
            continue
        left, right = sides
        for code in sorted({*left, *right}):
            a, b = left.get(code, 0), right.get(code, 0)
            rows.append((name, code, a, b, a - b, balance.ADDS_UP if a == b else differs))
    out = pd.DataFrame(rows, columns=["proof", "currency", "left", "right", "residual", "status"])
    out = out.astype(dict.fromkeys(("left", "right", "residual"), np.int64))
    return result(out, "proofs", list(inputs.data.values()), period=span)
