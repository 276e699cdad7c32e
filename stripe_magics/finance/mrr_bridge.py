"""From the history of MRR to MRR as it is now: subscription by subscription, with the reason where they
differ."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stripe_magics.finance.aggregation import result, text_column, to_str
from stripe_magics.finance.columns import CURRENCY, declare, money, text
from stripe_magics.finance.mrr_now import COUNTED
from stripe_magics.money import format_amount

REASONS = (
    "rounding",
    "its status doesn't count ({status})",
    "collection is paused",
    "no invoice has begun its period yet",
    "price, quantity or discount changed since its last invoice",
)


def live_now(steps: pd.DataFrame, now: pd.Timestamp) -> pd.Series:
    """MRR by (currency, customer, subscription) of the steps that are live at an instant."""
    live = steps[(steps["start"] <= now.value) & (steps["end"] > now.value)]
    total: pd.Series = live.groupby(["currency", "customer", "subscription"])["mrr"].sum()
    return total


@declare(
    CURRENCY,
    text("customer", "The customer."),
    text("subscription", "The subscription."),
    money("history", "Its MRR by the lines of its invoices, now."),
    money("now", "Its MRR by its items as they are: the report mrr_now."),
    money("difference", "now - history."),
    text("reason", "Why they differ."),
)
def mrr_bridge(
    steps: pd.DataFrame, current: pd.DataFrame, subscriptions: pd.DataFrame, now: pd.Timestamp
) -> pd.DataFrame:
    """Every subscription whose MRR differs between the two sources; no row if there is none. The totals are
    in the notes."""
    history = live_now(steps, now)
    present = current.groupby(["currency", "customer", "subscription"])["mrr"].sum()
    both = pd.DataFrame({"history": history, "now": present}).fillna(0).astype(np.int64)
    both.index.names = ["currency", "customer", "subscription"]
    out = both.reset_index()
    out["difference"] = out["now"] - out["history"]
    out = out[out["difference"] != 0].reset_index(drop=True)
    status = dict(zip(to_str(subscriptions["id"]), to_str(subscriptions["status"]), strict=True))
    paused = text_column(subscriptions, "pause_collection_behavior")
    held = set(subscriptions.loc[paused.ne("").to_numpy(), "id"])
    out["reason"] = [
        _reason(difference, before, after, status.get(name, "unknown"), paused=name in held)
        for name, before, after, difference in zip(
            *(out[column].tolist() for column in ("subscription", "history", "now", "difference")),
            strict=True,
        )
    ]
    totals = both.groupby(level="currency")[["history", "now"]].sum()
    notes = [
        f"{format_amount(before, code)} by history and {format_amount(after, code)} now "
        + ("agree." if before == after else f"differ by {format_amount(after - before, code)}.")
        for code, before, after in zip(
            map(str, totals.index), totals["history"].tolist(), totals["now"].tolist(), strict=True
        )
    ]
    columns = ["currency", "customer", "subscription", "history", "now", "difference", "reason"]
    return result(out[columns], "mrr_bridge", [current, subscriptions], notes=notes, at=now.isoformat())


def _reason(difference: int, history: int, now: int, status: str, *, paused: bool) -> str:
    if abs(difference) <= 2:
        return REASONS[0]
    if status not in COUNTED:
        return REASONS[1].format(status=status)
    if paused and not now:
        return REASONS[2]
    return REASONS[4] if history else REASONS[3]
