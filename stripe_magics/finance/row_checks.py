"""Rows of a list that can't be counted right: without an amount, a currency or a time, with an amount that is
beyond belief, or with a net that isn't amount - fee. A report over them is made, and names them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from stripe_magics.finance.aggregation import to_int64, to_str

MAX_AMOUNT = 10**15
"""In minor units; Stripe's own limit is twelve digits. Nine thousand of them still have a sum."""
_SHOWN = 5
_WHEN = ("currency", "created")
NEEDED: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "transactions": (("amount", "fee", "net"), ()),
    "charges": (("amount",), _WHEN),
    "refunds": (("amount",), _WHEN),
    "disputes": (("amount",), _WHEN),
    "payouts": (("amount",), (*_WHEN, "arrival_date")),
    "credit_notes": (("total",), _WHEN),
    "invoices": (("total", "amount_due", "amount_remaining"), ("currency", "created")),
}
"""By list: the amounts that a row has to have, and what else."""


def faults(name: str, frame: pd.DataFrame) -> list[str]:
    """What to say of a list's rows that can't be counted right: one line a kind of fault, with ids."""
    amounts, others = NEEDED.get(name, ((), ()))
    found = []
    for column in (*amounts, *others):
        if column in frame.columns and (lacking := frame[column].isna().to_numpy()).any():
            counted = "counted as 0" if column in amounts else "which figures may lack"
            found.append(_named(frame, lacking, name, f"without {column}, {counted}"))
    whole = {column: to_int64(frame[column]) for column in amounts if column in frame.columns}
    huge = np.zeros(len(frame), dtype=bool)
    for values in whole.values():
        huge |= ((values > MAX_AMOUNT) | (values < -MAX_AMOUNT)).to_numpy()
    if huge.any():
        found.append(_named(frame, huge, name, "with an amount that is too large to be true"))
    if name == "transactions" and len(whole) == len(amounts):
        odd = (whole["amount"] - whole["fee"] != whole["net"]).to_numpy()
        if odd.any():
            found.append(_named(frame, odd, name, "whose amount - fee is not their net"))
    return found


def repeated(name: str, frame: pd.DataFrame) -> str:
    """What to say of objects that stand in a list more than once, so that they are counted as often; "" where
    each stands once."""
    if "id" not in frame.columns or frame["id"].is_unique:
        return ""
    again = frame["id"].duplicated().to_numpy() & frame["id"].notna().to_numpy()
    ids = to_str(frame.loc[again, "id"]).drop_duplicates()
    if ids.empty:
        return ""
    more = " ..." if len(ids) > _SHOWN else ""
    return (
        f"{int(again.sum()):,} rows of the {name.replace('_', ' ')} repeat an object that stands in another"
        f" row, and count again: {', '.join(ids.head(_SHOWN))}{more}. Each once:"
        ' df.drop_duplicates("id").'
    )


def _named(frame: pd.DataFrame, rows: np.ndarray, name: str, says: str) -> str:
    count = int(rows.sum())
    ids = to_str(frame.loc[rows, "id"]).head(_SHOWN).tolist() if "id" in frame.columns else []
    at = [str(place) for place in np.flatnonzero(rows)[:_SHOWN]]
    which = ", ".join(own or f"row {place}" for own, place in zip(ids or [""] * len(at), at, strict=True))
    more = " ..." if count > _SHOWN else ""
    return f"{count:,} of the {name.replace('_', ' ')} {says}: {which}{more}. Fetch the list again."
