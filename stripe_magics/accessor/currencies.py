"""Amounts over several currencies: added up one currency at a time, or converted by rates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from stripe_magics.accessor.amount_checks import (
    refuse_repeated_rows,
    refuse_unknown_numbers,
    refuse_wrong_units,
)
from stripe_magics.accessor.amounts import MoneyColumn, codes, units_of, without_currency
from stripe_magics.accessor.units import money, without_gaps
from stripe_magics.errors import FrameError
from stripe_magics.frames.frame_info import FrameInfo
from stripe_magics.money import CURRENCIES, exponent

_A_RATE = "a rate is a number above 0."


def total(frame: pd.DataFrame, column: str, by: str | None = None) -> Any:
    """The sum of a money column: one number where all rows are in one currency, a Series by currency where
    `by="currency"`."""
    own = money(frame, [column], units="minor")[0]  # whatever they are, they are added up
    info = FrameInfo.of(frame)
    said = replace(own, units=units_of(frame[column], column, info)) if info.object else own
    refuse_wrong_units(frame, [said], info, only_mixed=True)
    refuse_repeated_rows(frame, column)
    kinds = known_codes(frame, own)
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
    table, blank = _rates(rates, target)
    own = money(frame, columns)
    if not own:
        refuse_unknown_numbers(frame)
    out = frame.copy(deep=False)
    sources: set[Any] = set()
    for each in own:
        kinds = known_codes(frame, each)
        missing = sorted({code for code in kinds if code is not None and code not in table})
        if missing and missing[0] in blank:
            raise FrameError(f"The rate of {missing[0]} is {blank[missing[0]]!r}; {_A_RATE}")
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
        if each.source is not None and each.source.column is not None:
            sources.add(each.source.column)
    for name in sources:
        out[name] = pd.Series(target, index=frame.index, dtype=frame[name].dtype).where(frame[name].notna())
    return out


def known_codes(frame: pd.DataFrame, column: MoneyColumn) -> Any:
    """Each row's currency. FrameError where an amount has none."""
    source = column.source
    if source is None:
        raise FrameError(f"{column.name} can't be added up or converted: no column has its currency.")
    kinds = codes(frame, source)
    if lost := without_currency(frame, column, pd.isna(kinds)):
        name = source.column or "currency"
        raise FrameError(
            f"{lost:,} rows have an amount in {column.name}, but no currency.",
            advice=f'Fill it in, or leave them out: df[df["{name}"].notna()].',
        )
    return kinds


def _rates(rates: Any, target: str) -> tuple[dict[str, float], dict[str, Any]]:
    """What one unit of each currency is in the target, and the currencies that have a missing value there (a
    table of many currencies has some, and they may not be needed). FrameError for what can't be a rate."""
    if target not in CURRENCIES:
        raise FrameError(f"{target!r} is not a currency code.", advice='Three letters, such as to="usd".')
    if isinstance(rates, pd.DataFrame):
        code = next((name for name in rates.columns if str(name) == "currency"), rates.columns[0])
        value = next((name for name in rates.columns if str(name) == "rate"), rates.columns[-1])
        pairs = list(zip(rates[code], rates[value], strict=True))
    else:
        pairs = list(rates.items())
    table: dict[str, float] = {}
    blank: dict[str, Any] = {}
    for code, value in pairs:
        name = str(code).lower()
        if pd.api.types.is_scalar(value) and pd.isna(value):
            blank[name] = value
            continue
        try:
            rate = float(value)
        except (TypeError, ValueError):
            rate = math.nan
        if not (math.isfinite(rate) and rate > 0):
            raise FrameError(f"The rate of {name} is {value!r}; {_A_RATE}")
        if table.setdefault(name, rate) != rate:
            raise FrameError(
                f"There are several rates for {name} ({table[name]:g}, {rate:g}).",
                advice="Choose one a currency; for rates by day, pd.merge_asof them to the rows first.",
            )
    if table.setdefault(target, 1.0) != 1.0:
        raise FrameError(
            f"The rate of {target} itself is {table[target]:g}, not 1: are these rates into another currency?"
        )
    return table, blank
