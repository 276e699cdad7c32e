"""Minor units and major units: each money column is in one of them, the frame knows which, and a second
conversion does nothing."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from stripe_magics.accessor.amount_checks import (
    refuse_unknown_numbers,
    refuse_unproven_units,
    refuse_wrong_units,
)
from stripe_magics.accessor.amounts import MoneyColumn, exponents, is_numeric, units_of
from stripe_magics.errors import ColumnNotFoundError, FrameError
from stripe_magics.frames.column_facts import (
    CurrencySource,
    column_names,
    currency_labels,
    meanings,
    money_columns,
    named_currency,
    nearest_currency,
)
from stripe_magics.frames.frame_info import SEEN, FrameInfo, add_note, call_of
from stripe_magics.frames.schema import facts


def money(
    frame: pd.DataFrame, columns: Sequence[Any] | None = None, *, units: str | None = None
) -> list[MoneyColumn]:
    """The money columns, all or those that are named. `units` says in which units they are where the frame no
    longer knows."""
    info = FrameInfo.of(frame)
    own = money_columns(frame, info)
    if not own:
        own = {label: CurrencySource(code=_code(label)) for label in currency_labels(frame)}
    if columns is None:
        names = list(own)
    else:
        names = [columns] if isinstance(columns, (str, tuple)) else list(columns)
        for name in names:
            if name not in frame.columns:
                raise ColumnNotFoundError(str(name), frame.columns, advice=_amounts_here(own))
            if name not in own:  # who names a column says that it is money
                source = nearest_currency(frame, str(name))
                if source is None or not is_numeric(frame[name]):
                    raise FrameError(
                        f"{name!r} is not known to be money.",
                        advice=f'If it is: df.stripe.money("{name}", currency="usd"). {_amounts_here(own)}',
                    )
                own[name] = source
    made = [MoneyColumn(name, own[name], units or units_of(frame[name], name, info)) for name in names]
    if units is None:
        refuse_unproven_units(frame, made, info)
        refuse_wrong_units(frame, made, info)
    return made


def declare(frame: pd.DataFrame, columns: Sequence[str], currency: str, units: str) -> pd.DataFrame:
    """A copy that knows that these columns are money, in which currency and units."""
    info = FrameInfo.of(frame)
    for name in columns:
        if name not in frame.columns:
            raise ColumnNotFoundError(name, frame.columns)
    if named_currency(frame, currency) is None:
        raise FrameError(f"{currency!r} is neither a column nor a currency code.")
    own = info.units or "minor"
    others = [name for name in info.other_units if name not in columns] + [
        name for name in columns if units != own
    ]
    named = {**info.money, **dict.fromkeys(columns, currency)}
    return info.replace(units=own, money=named, other_units=others).put(frame.copy(deep=False))


def _made_by_a_person(frame: pd.DataFrame) -> list[Any]:
    """The numbers of a frame of objects that none of Stripe's fields has: added columns. Of a frame that lost
    what it knew, those that are named like no field of any object."""
    info, call = FrameInfo.of(frame), call_of(frame)
    if info.amounts is not None or info.more:
        return []
    if not info.object:
        known = {*column_names(), *info.money}
    elif info.object in facts() and call is not None and call.columns:
        known = {*call.columns, *meanings(frame, info), *info.money}
    else:
        return []
    return [name for name in frame.columns if name not in known and is_numeric(frame[name])]


def _code(label: object) -> str:
    return str(label[-1] if isinstance(label, tuple) else label)


def _amounts_here(own: Any) -> str:
    return f"Amounts here: {', '.join(map(str, own)) or 'none'}."


def convert(
    frame: pd.DataFrame,
    columns: Sequence[Any] | None,
    target: str,
    *,
    exact: bool = False,
    units: str | None = None,
) -> pd.DataFrame:
    """A copy of the frame with its money (or the named columns) in the target units. What can't be converted
    is named in a note; where that is all of it, FrameError."""
    own = money(frame, columns, units=units)
    if not own:
        refuse_unknown_numbers(frame)
    out = frame.copy(deep=False)
    left: dict[str, str] = {}
    for each in own:
        if each.units == target:
            continue
        digits = exponents(frame, each)
        if isinstance(digits, str):
            left[str(each.name)] = digits
            continue
        out[each.name] = (
            major_values(frame[each.name], digits, exact=exact)
            if target == "major"
            else _minor(frame[each.name], digits, str(each.name))
        )
    if left and (columns is not None or (len(left) == len(own) and len(frame))):
        first = next(iter(left))
        raise FrameError(
            "; ".join(f"{name} can't be converted: {why}" for name, why in left.items()),
            advice=f'Keep the currency beside it, or give it: df.stripe.money("{first}", currency="usd").',
        )
    _mark(out, frame, own, target, set(left), columns)
    if columns is None and (plain := _made_by_a_person(frame)):
        names = ", ".join(map(str, plain[:6])) + (" ..." if len(plain) > 6 else "")
        add_note(out, f'Left as they are: {names}. If they are money, df.stripe.money("{plain[0]}") first.')
    if left:
        add_note(out, "Not converted: " + "; ".join(f"{name} ({why})" for name, why in left.items()) + ".")
    return out


def _mark(
    out: pd.DataFrame,
    frame: pd.DataFrame,
    own: list[MoneyColumn],
    target: str,
    left: set[str],
    columns: object,
) -> None:
    info = FrameInfo.of(frame)
    before = info.units or "minor"
    converted = {each.name for each in own if str(each.name) not in left}
    if columns is None:
        others = [each.name for each in own if str(each.name) in left and each.units != target]
        info = info.replace(units=target, other_units=others)
    else:
        others = [name for name in info.other_units if name not in converted]
        others += [name for name in converted if before != target]
        info = info.replace(units=before, other_units=sorted(set(others), key=str))
    if target == "major":
        SEEN.major = True
    if (
        columns is None
        and not info.amounts
        and info.object == ""
        and own
        and isinstance(own[0].source, CurrencySource)
        and own[0].source.code
    ):
        info = info.replace(
            money={
                **info.money,
                **{each.name: _code(each.name) for each in own if isinstance(each.name, str)},
            }
        )
    info.put(out)


def major_values(values: pd.Series[Any], digits: Any, *, exact: bool = False) -> Any:
    """The amounts of a column in major units; `digits` are each row's decimals."""
    index = values.index
    if isinstance(values.dtype, pd.StringDtype) or pd.api.types.is_object_dtype(values.dtype):
        texts = [
            None if pd.isna(v) else Decimal(str(v)).scaleb(-int(e))
            for v, e in zip(values, digits, strict=True)
        ]
        if exact:
            return pd.Series(texts, index=index, dtype=object)
        return pd.Series(
            [None if each is None else f"{each:f}" for each in texts], index=index, dtype=values.dtype
        )
    if exact:
        made = [
            None if pd.isna(v) else Decimal(str(v)).scaleb(-int(e))
            for v, e in zip(values, digits, strict=True)
        ]
        return pd.Series(made, index=index, dtype=object)
    floats = values.astype("Float64").to_numpy("float64", na_value=np.nan)
    out = np.empty(len(floats))
    for places in np.unique(digits):
        rows = digits == places
        out[rows] = np.round(floats[rows] / 10.0**places, int(places))
    return pd.Series(out, index=index)


def _minor(values: pd.Series[Any], digits: Any, name: str) -> Any:
    if isinstance(values.dtype, pd.StringDtype):
        whole = [
            None if pd.isna(v) else f"{Decimal(v).scaleb(int(e)):f}"
            for v, e in zip(values, digits, strict=True)
        ]
        return pd.Series(whole, index=values.index, dtype=values.dtype)
    if pd.api.types.is_object_dtype(values.dtype):
        exact = [
            None if pd.isna(v) else _whole(Decimal(str(v)).scaleb(int(e)), v, int(e), name)
            for v, e in zip(values, digits, strict=True)
        ]
        return pd.Series(pd.array(exact, dtype="Int64"), index=values.index).pipe(without_gaps)
    floats = values.astype("Float64").to_numpy("float64", na_value=np.nan)
    scale = np.power(10.0, digits)
    rounded = np.rint(floats * scale)
    wrong = ~np.isnan(floats) & (np.abs(rounded / scale - floats) > np.abs(floats) * 1e-15)
    if wrong.any():
        at = int(np.argmax(wrong))
        raise FrameError(f"{name}: {floats[at]:g} has more than {int(digits[at])} decimals")
    integers = pd.array([None if np.isnan(each) else int(each) for each in rounded], dtype="Int64")
    return pd.Series(integers, index=values.index).pipe(without_gaps)


def _whole(exact: Decimal, value: object, digits: int, name: str) -> int:
    if exact != exact.to_integral_value():
        raise FrameError(f"{name}: {value} has more than {digits} decimals")
    return int(exact)


def without_gaps(values: pd.Series[Any]) -> pd.Series[Any]:
    return values if values.isna().any() else values.astype("int64")
