"""What keeps a wrong amount from being converted or added up: other units than the frame says, rows that a
merge repeated, numbers that may be money or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from stripe_magics.accessor.amounts import MoneyColumn, codes, exponents, is_numeric, unknown_units
from stripe_magics.catalogue.versions import PINNED_VERSION
from stripe_magics.errors import FrameError
from stripe_magics.frames.column_facts import known_columns
from stripe_magics.frames.frame_info import FrameInfo
from stripe_magics.frames.row_origins import SentValues, object_ids
from stripe_magics.frames.schema import facts


def refuse_wrong_units(
    frame: pd.DataFrame,
    columns: Sequence[MoneyColumn],
    info: FrameInfo,
    *,
    rows: Sequence[int] | None = None,
    only_mixed: bool = False,
) -> None:
    """Raise where amounts of Stripe's objects surely aren't in the units that the frame says: they have
    fractions of a minor unit, or are a hundred times more or less than what Stripe sent (divided by hand, or
    put there by `update` or `loc` from a frame in other units). `rows` are those that are compared with what
    Stripe sent; all, unless given. With `only_mixed`, a column that is in other units as a whole passes."""
    if "id" not in frame.columns or info.amounts is not None:
        return
    compared = frame if rows is None else frame.iloc[list(rows)]
    sent = SentValues(compared, info) if not info.object else None  # of what it is was lost: its ids say it
    kind = sent.object if sent is not None else info.object
    if kind not in facts():
        return
    known = known_columns(kind, tuple(sorted(info.expanded.items())), info.api_version or PINNED_VERSION)
    same: Any = None  # which rows are still in the currency in which they were sent
    for each in columns:
        values = frame[each.name]
        meaning = known.get(each.name)
        if (
            each.name in info.money
            or meaning is None
            or meaning.column.kind not in {"int", "int?"}
            or not is_numeric(values)
        ):
            continue
        if each.units == "minor" and values.dtype.kind == "f" and not only_mixed:
            _refuse_fractions(values, each.name)
        sent = sent or SentValues(compared, info)
        if not sent.found:
            continue
        amounts = sent.of(each.name)
        if each.source is not None and each.source.column == "currency":
            same = codes(compared, each.source) == sent.currencies() if same is None else same
            amounts = np.where(same, amounts, np.nan)  # one that was converted can't be compared
        _refuse_other_units(compared, each, amounts, only_mixed=only_mixed)


def refuse_unproven_units(frame: pd.DataFrame, columns: Sequence[MoneyColumn], info: FrameInfo) -> None:
    """A frame of objects that lost what it knew has whole numbers as floats. A merge makes those of cents, a
    file has dollars so: raise unless they are rows that were read here, which can be compared."""
    if "id" not in frame.columns or info.units or info.object or info.more:
        return
    floats = [each.name for each in columns if frame[each.name].dtype.kind == "f"]
    if floats and frame[floats].notna().any(axis=None) and not SentValues(frame, info).found:
        raise unknown_units(floats[0])


def refuse_repeated_rows(frame: pd.DataFrame, name: Any) -> None:
    """Raise where a sum would count an amount of an object more than once: a merge has repeated its row."""
    info = FrameInfo.of(frame)
    _refuse_repeated_holders(frame, name, info)
    if "id" not in frame.columns or info.amounts is not None:
        return
    kind = info.object or SentValues(frame, info).object
    if kind not in facts() or name not in known_columns(
        kind, tuple(sorted(info.expanded.items())), info.api_version or PINNED_VERSION
    ):
        return
    ids = object_ids(frame)[frame[name].notna()].dropna()
    if not ids.is_unique:
        raise FrameError(
            f"{int(ids.duplicated().sum()):,} rows repeat an object that stands in another row, so a sum of"
            f" {name} would count it more than once.",
            advice='Leave them out: df.drop_duplicates("id"). df.stripe.join() never repeats a row.',
        )


def _refuse_repeated_holders(frame: pd.DataFrame, name: Any, info: FrameInfo) -> None:
    """Beside items stands what `explode` kept of the object that holds them, once for each item."""
    if not isinstance(name, str) or name not in info.money:
        return
    for kind in facts():
        own, ids = name.removeprefix(f"{kind}_"), f"{kind}_id"
        if own == name or ids not in frame.columns or own not in known_columns(kind):
            continue
        holders = frame.loc[frame[name].notna(), ids].dropna()
        if not holders.is_unique:
            raise FrameError(
                f"{int(holders.duplicated().sum()):,} rows repeat the {name} of an object that stands beside"
                " another item, too, so a sum would count it more than once.",
                advice=f'Each once: df.drop_duplicates("{ids}").',
            )


def _refuse_fractions(values: pd.Series[Any], name: str) -> None:
    numbers = values.dropna().to_numpy("float64")
    fractions = numbers[numbers != np.rint(numbers)]
    if len(fractions):
        raise FrameError(
            f"{name} has fractions ({fractions[0]:g}), so it can't be in minor units (cents), as"
            " the frame has it: it was divided, or values in major units (dollars) were put into it.",
            advice='If all of it is in major units, give that: to_minor(units="major").',
        )


def _refuse_other_units(frame: pd.DataFrame, column: MoneyColumn, sent: Any, *, only_mixed: bool) -> None:
    """`sent` are the column's amounts in minor units as Stripe sent them."""
    digits = exponents(frame, column)
    if isinstance(digits, str):
        return
    values = frame[column.name].astype("Float64").to_numpy("float64", na_value=np.nan)
    major = np.round(sent / 10.0**digits, 3)
    said, other = (sent, major) if column.units == "minor" else (major, sent)
    known = (sent != 0) & (digits > 0) & ~np.isnan(sent) & ~np.isnan(values)
    changed = known & (np.abs(values - said) > 1e-6)
    wrong = changed & (np.abs(values - other) <= 1e-6)
    if 2 * int(wrong.sum()) <= int(changed.sum()):  # else it is something of a person's own
        return
    if only_mixed and wrong[known].all():
        return
    at, units = int(np.argmax(wrong)), {"minor": "minor units (cents)", "major": "major units (dollars)"}
    others = "major" if column.units == "minor" else "minor"
    raise FrameError(
        f"{column.name} is in {units[column.units]}, as the frame has it, but {int(wrong.sum()):,} of"
        f" {len(frame):,} rows are in {units[others]}: {values[at]:.15g}, where Stripe sent"
        f" {sent[at]:.15g} cents. It was divided, or values of a frame in other units were put into it.",
        advice=f'Convert before frames are put together. If they are meant so: units="{column.units}".',
    )


def refuse_unknown_numbers(frame: pd.DataFrame) -> None:
    """Nothing is known to be money: raise if there are numbers that a person made (a pivot's, a melted
    column's), which may be."""
    info = FrameInfo.of(frame)
    if info.amounts is not None:  # a report's, which says it itself
        return
    known = (
        known_columns(info.object, (), info.api_version or PINNED_VERSION) if info.object in facts() else ()
    )
    made = [
        name
        for place, name in enumerate(frame.columns)
        if is_numeric(frame.iloc[:, place]) and not (isinstance(name, str) and name in known)
    ]
    if made:
        shown = ", ".join(map(str, made[:6])) + (" ..." if len(made) > 6 else "")
        raise FrameError(
            f"No column here is known to be money, so nothing can be converted: {shown}.",
            advice=f"Name those that are: [{made[0]!r}].",
        )
