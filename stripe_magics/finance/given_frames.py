"""In which units the frames are that a report is given as `data`: what a frame says, else what its rows were
when Stripe sent them. Where neither is known, floats are refused; whole numbers are cents, as everywhere, and
the report says how it read them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from stripe_magics.accessor.amount_checks import refuse_wrong_units
from stripe_magics.accessor.amounts import MoneyColumn, exponents, is_numeric
from stripe_magics.accessor.units import convert
from stripe_magics.catalogue.versions import PINNED_VERSION
from stripe_magics.errors import FrameError
from stripe_magics.finance.list_inputs import LISTS
from stripe_magics.frames.column_facts import CurrencySource, known_columns
from stripe_magics.frames.frame_info import SEEN, FrameInfo, has_facts
from stripe_magics.frames.row_origins import SentValues
from stripe_magics.frames.schema import facts
from stripe_magics.money import format_amount

_LISTS_OF = {"items": "transactions"}  # what is given beside the lists, as the list whose rows it has


def in_minor_units(name: str, frame: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """A frame given under the name of a list with its amounts in minor units, and what there is to say of
    them. FrameError where they surely aren't in the units that the frame has, or can't be known."""
    info = FrameInfo.of(frame)
    if info.units == "major" or info.other_units:
        return convert(frame, None, "minor"), ""
    source = LISTS.get(_LISTS_OF.get(name, name))
    own = _amounts(frame, source.object_type) if source is not None else []
    if source is None or not own:
        return frame, ""
    of_type = FrameInfo(object=source.object_type)
    try:
        refuse_wrong_units(frame, own, info if info.object in facts() else of_type)
    except FrameError as fault:
        raise FrameError(
            f"data[{name!r}]: {str(fault).splitlines()[0]}",
            advice=f'Dollars: data={{{name!r}: df.stripe.to_minor(units="major")}}.',
        ) from None
    if has_facts(frame) or SentValues(frame, of_type).found:
        return frame, ""
    return frame, _read_as_cents(name, frame, own)


def _amounts(frame: pd.DataFrame, object_type: str) -> list[MoneyColumn]:
    known = known_columns(object_type, (), PINNED_VERSION)
    return [
        MoneyColumn(label, CurrencySource(column=each.currency) if each.currency else None, "minor")
        for label, each in known.items()
        if each.money
        and each.column.kind in {"int", "int?"}
        and label in frame.columns
        and is_numeric(frame[label])
    ]


def _read_as_cents(name: str, frame: pd.DataFrame, columns: list[MoneyColumn]) -> str:
    """What to say of whole numbers that nothing is known of; "" where the units make no difference."""
    example: Any = None
    for each in sorted(columns, key=lambda column: frame[column.name].dtype.kind != "f"):
        found = _first_amount(frame, each)
        example = example or found
        if found is not None and (frame[each.name].dtype.kind == "f" or SEEN.major):
            raise FrameError(
                f"It is not known whether the amounts of data[{name!r}] are cents or dollars: in"
                f" {each.name}, {found}. Files have no units, and pandas drops what a frame knows when frames"
                " that differ are joined.",
                advice=f'Give it: data={{{name!r}: df.stripe.to_minor(units="minor")}} for cents,'
                ' units="major" for dollars.',
            )
    if example is None:
        return ""
    return (
        f"The {name.replace('_', ' ')} at hand don't say their units; their amounts count as cents"
        f' ({example}). If they are dollars: df.stripe.to_minor(units="major").'
    )


def _first_amount(frame: pd.DataFrame, column: MoneyColumn) -> str | None:
    """Both readings of the first amount for which they differ."""
    digits = exponents(frame, column) if column.source and column.source.column in frame.columns else None
    values = frame[column.name].astype("Float64").to_numpy("float64", na_value=np.nan)
    if digits is None or isinstance(digits, str):
        digits = np.full(len(frame), 2)
    rows = np.flatnonzero(~np.isnan(values) & (values != 0) & (digits > 0))
    if not len(rows):
        return None
    value, at = values[rows[0]], int(rows[0])
    currency = str(frame[column.source.column].iloc[at]) if column.source else "usd"
    code = currency if currency.isalpha() else "usd"
    as_cents = format_amount(round(value), code)
    return f"{value:.15g} is {as_cents} or {format_amount(round(value * 10 ** digits[at]), code)}"
