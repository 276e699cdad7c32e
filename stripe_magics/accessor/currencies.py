"""Amounts over several currencies: added up one currency at a time, or converted by rates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from stripe_magics.accessor.units import codes, money, refuse_unknown_numbers, without_gaps
from stripe_magics.errors import FrameError
from stripe_magics.money import exponent


def total(frame: pd.DataFrame, column: str, by: str | None = None) -> Any:
    """The sum of a money column: one number where all rows are in one currency, a Series by currency where
    `by="currency"`."""
    own = money(frame, [column], units="minor")[0]  # whatever they are, they are added up
    if own.source is None:
        raise FrameError(f"{column} can't be added up: no column has its currency.")
    kinds = codes(frame, own.source)
    present = sorted(
        {
            each
            for each, value in zip(kinds, frame[column], strict=True)
            if each is not None and not pd.isna(value)
        }
    )
    if by == "currency":
        return frame[column].groupby(pd.Series(kinds, index=frame.index, name="currency")).sum()
    if len(present) > 1:
        raise FrameError(
            f"{column} is in {len(present)} currencies ({', '.join(present[:6])}); a sum over them means"
            " nothing.",
            advice=(
                f'df.stripe.total("{column}", by="currency") adds them up separately;'
                ' df.stripe.normalize(to="usd", rates=...) converts first.'
            ),
        )
    return frame[column].sum()


def normalize(
    frame: pd.DataFrame, to: str, rates: object, columns: Sequence[Any] | None = None
) -> pd.DataFrame:
    """A copy whose money is in one currency. `rates`: a mapping or Series code -> units of `to` for one unit
    of the code (major to major)."""
    target = to.lower()
    table = _rates(rates, target)
    own = money(frame, columns)
    if not own:
        refuse_unknown_numbers(frame)
    out = frame.copy(deep=False)
    sources: set[Any] = set()
    for each in own:
        if each.source is None:
            raise FrameError(f"{each.name} can't be converted: no column has its currency.")
        kinds = codes(frame, each.source)
        missing = sorted({code for code in kinds if code is not None and code not in table})
        if missing:
            raise FrameError(
                f"There is no rate for {', '.join(missing)}.",
                advice=f'rates={{"{missing[0]}": ...}}: one {missing[0]} in {target}.',
            )
        values = pd.to_numeric(frame[each.name]).astype("Float64").to_numpy("float64", na_value=np.nan)
        factor = np.array([table.get(code, 1.0) for code in kinds])
        if each.units == "minor":
            factor = factor * np.array(
                [10.0 ** (exponent(target) - exponent(code)) if code else 1.0 for code in kinds]
            )
            whole = pd.array([None if np.isnan(v) else round(v) for v in values * factor], dtype="Int64")
            out[each.name] = pd.Series(whole, index=frame.index).pipe(without_gaps)
        else:
            out[each.name] = np.round(values * factor, exponent(target))
        if each.source.column is not None:
            sources.add(each.source.column)
    for name in sources:
        out[name] = pd.Series(target, index=frame.index, dtype=frame[name].dtype).where(frame[name].notna())
    return out


def _rates(rates: Any, target: str) -> dict[str, float]:
    if isinstance(rates, pd.DataFrame):
        code = next((name for name in rates.columns if str(name) == "currency"), rates.columns[0])
        value = next((name for name in rates.columns if str(name) == "rate"), rates.columns[-1])
        rates = dict(zip(rates[code], rates[value], strict=True))
    table = {str(code).lower(): float(rate) for code, rate in dict(rates).items()}
    return {**table, target: 1.0}
