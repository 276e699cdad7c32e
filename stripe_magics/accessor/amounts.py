"""The amounts of a frame: in which units a money column is, and what each row's currency is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from stripe_magics.errors import FrameError
from stripe_magics.frames.column_facts import CurrencySource
from stripe_magics.frames.frame_info import SEEN, FrameInfo
from stripe_magics.money import exponent

UNITS = ("minor", "major")


@dataclass(frozen=True, slots=True)
class MoneyColumn:
    """A money column: where its currency stands (None: nowhere) and in which units it is."""

    name: Any
    source: CurrencySource | None
    units: str


def units_of(values: pd.Series[Any], name: Any, info: FrameInfo) -> str:
    """The units of a money column. Raises FrameError where they are lost and its numbers don't tell."""
    known = info.units or ("minor" if info.object or info.more else "")
    if known:
        return UNITS[known == "minor"] if name in info.other_units else known
    if values.dtype.kind in "iu" or str(values.dtype) == "Int64" or not values.notna().any():
        return "minor"
    if values.dtype.kind == "f" and SEEN.frames and not SEEN.major and values.isna().any():
        numbers = values.dropna().to_numpy("float64")
        if (numbers == np.rint(numbers)).all():
            return "minor"  # whole numbers that a join turned into floats, since a row has none
    raise unknown_units(name)


def unknown_units(name: Any) -> FrameError:
    """That the units of a column were lost."""
    return FrameError(
        f"It is not known whether {name!r} is in minor units (cents) or major units (dollars): files have no"
        " units, and pandas drops what a frame knows when frames that differ are joined.",
        advice='Give it: units="minor" or units="major".',
    )


def codes(frame: pd.DataFrame, source: CurrencySource) -> Any:
    """Each row's currency, None where it is missing."""
    if source.code:
        return np.full(len(frame), source.code, dtype=object)
    out = _currencies(frame, source).astype(object).to_numpy(copy=True)
    out[pd.isna(out)] = None
    return out


def _currencies(frame: pd.DataFrame, source: CurrencySource) -> pd.Series[Any]:
    values: pd.Series[Any] = (
        frame.index.get_level_values(source.level).to_series()
        if source.level is not None
        else frame[source.column]
    )
    return values


def without_currency(frame: pd.DataFrame, column: MoneyColumn, blank: Any) -> int:
    """How many rows have an amount (not 0), but no currency: `blank` says which have none."""
    if not blank.any():
        return 0
    values = pd.to_numeric(frame[column.name][blank], errors="coerce")
    return int((frame[column.name][blank].notna() & (values.fillna(0) != 0)).sum())


def exponents(frame: pd.DataFrame, column: MoneyColumn) -> Any:
    """Each row's decimals, or why they aren't known (a text). A row without an amount, or with none owed,
    needs no currency."""
    if column.source is None:
        return "no column has its currency"
    if column.source.code:
        return np.full(len(frame), exponent(column.source.code), dtype="int64")
    try:
        numbers, found = pd.factorize(_currencies(frame, column.source))
    except TypeError:  # lists, dicts
        return "the column of its currency has no currency codes"
    if lost := without_currency(frame, column, numbers < 0):
        return f"{lost} rows have no currency"
    if not all(isinstance(each, str) for each in found):
        return "the column of its currency has no currency codes"
    return np.array([*map(exponent, found), 0], dtype="int64")[numbers]  # the last is of none


def is_numeric(values: pd.Series[Any]) -> bool:
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
