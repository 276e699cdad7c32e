"""What exchange rates won or cost on refunds and disputes of charges in a foreign currency."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stripe_magics.finance.aggregation import require_columns, result, text_column, to_int64, to_str
from stripe_magics.finance.balance import ledger
from stripe_magics.finance.columns import CURRENCY, column, declare, money, text
from stripe_magics.finance.reporting_period import Moment, period
from stripe_magics.money import exponent

_RATE_DIGITS = 1e-5  # what a rate of six digits leaves open
_REVERSALS = ("refund", "payment_refund", "adjustment", "refund_failure", "payment_failure_refund")


def charge_of(transactions: pd.DataFrame, *links: pd.DataFrame | None) -> pd.Series:
    """The charge that each ledger entry is about: its own source, or what a refund or dispute (`links`) says
    it undoes."""
    source = text_column(transactions, "source")
    known: dict[str, str] = {}
    for table in links:
        if table is not None and {"id", "charge"} <= set(table.columns):
            known.update(zip(to_str(table["id"]), to_str(table["charge"]), strict=True))
    expanded = text_column(transactions, "source_charge")
    linked = source.map(known)
    linked = linked.where(linked.notna(), expanded)
    return linked.where(linked.ne(""), source)


@declare(
    CURRENCY,
    text("charge", "The charge that was refunded or disputed."),
    text("entry", "The ledger entry of the refund or dispute."),
    column("created", "time", "When that entry was made."),
    money("charged", "What the charge brought in the settlement currency."),
    money("returned", "What the refund or dispute took (negative)."),
    column("rate_in", "number", "The exchange rate of the charge."),
    column("rate_out", "number", "The exchange rate of the refund or dispute."),
    money("gain", "returned, less what it would have been at the rate of the charge; negative is a loss."),
)
def fx_effect(
    transactions: pd.DataFrame,
    start: Moment | None = None,
    end: Moment | None = None,
    *,
    refunds: pd.DataFrame | None = None,
    disputes: pd.DataFrame | None = None,
    zone: str = "UTC",
) -> pd.DataFrame:
    """What exchange rates won or cost on refunds and disputes of foreign charges, one row a refund or dispute
    entry.

    `refunds` and `disputes` say which charge an entry undoes (or the column source_charge, from `--expand
    data.source`). The customer gets the same foreign amount back; at the rate of the charge it would have
    cost returned x rate_in / rate_out.
    """
    needed = ("id", "type", "amount", "currency", "exchange_rate", "source", "created")
    frame = require_columns(transactions, needed, report="fx_effect", object_type="balance_transaction")
    frame = ledger(frame, "fx_effect")
    span = period(start, end, zone) if start is not None and end is not None else None
    link, kind = charge_of(frame, refunds, disputes), to_str(frame["type"])
    rate = pd.to_numeric(frame["exchange_rate"], errors="coerce").astype(float)
    sold = kind.isin(["charge", "payment"]) & rate.notna()
    charges = pd.DataFrame(
        {
            "charge": to_str(frame["source"])[sold],
            "charged": to_int64(frame["amount"])[sold],
            "rate_in": rate[sold],
        }
    ).drop_duplicates("charge")
    back = kind.isin(_REVERSALS) & rate.notna()
    if span is not None:
        back &= span.contains(frame["created"])
    moved = pd.DataFrame(
        {
            "currency": to_str(frame["currency"])[back],
            "charge": link[back],
            "entry": to_str(frame["id"])[back],
            "created": frame["created"][back],
            "returned": to_int64(frame["amount"])[back],
            "rate_out": rate[back],
        }
    )
    out = moved.merge(charges, on="charge", how="inner")
    at_first_rate = np.rint(out["returned"] * (out["rate_in"] / out["rate_out"])).astype(np.int64)
    out["gain"] = out["returned"] - at_first_rate
    out = out.sort_values(["currency", "created", "entry"], kind="stable")
    columns = ["currency", "charge", "entry", "created", "charged", "returned", "rate_in", "rate_out", "gain"]
    return result(out[columns], "fx_effect", [transactions, refunds, disputes], period=span, zone=zone)


def wrong_rates(transactions: pd.DataFrame, charges: pd.DataFrame) -> list[str] | None:
    """The entries of foreign charges that aren't the charge's amount at the rate that they name, or name
    none; None where there are no foreign charges.

    Whether a rate is between minor or major units isn't documented for pairs of currencies with different
    decimals: either is taken.
    """
    frame = ledger(transactions)
    frame = frame[frame["reporting_category"].isin(["charge"]).to_numpy()]
    of = pd.Index(to_str(charges["id"])).get_indexer(pd.Index(text_column(frame, "source")))
    frame, of = frame[of >= 0], of[of >= 0]
    code, theirs = to_str(frame["currency"]), to_str(charges["currency"]).to_numpy()[of]
    foreign = (code != theirs).to_numpy()
    if not foreign.any():
        return None
    frame, of, code, theirs = frame[foreign], of[foreign], code[foreign], theirs[foreign]
    amount = to_int64(frame["amount"]).to_numpy(dtype=float)
    rate = pd.to_numeric(frame["exchange_rate"], errors="coerce").to_numpy(dtype=float)
    expected = to_int64(charges["amount"]).to_numpy(dtype=float)[of] * rate
    steps = np.array([exponent(a) - exponent(b) for a, b in zip(code, theirs, strict=True)], dtype=float)
    near = np.zeros(len(frame), dtype=bool)
    for each in (expected, expected * 10.0**steps):
        near |= np.abs(amount - each) <= 1 + _RATE_DIGITS * np.abs(amount)
    return to_str(frame["id"])[~near].tolist()
