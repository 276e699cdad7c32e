"""Long frames as wide ones: a column for each currency (or whatever is named), nothing totalled over
currencies."""

from __future__ import annotations

from typing import Any

import pandas as pd

from stripe_magics.errors import FrameError
from stripe_magics.frames.column_facts import money_columns
from stripe_magics.frames.frame_info import FrameInfo, add_note
from stripe_magics.frames.schema import facts


def wide(
    frame: pd.DataFrame,
    index: str | list[str] | None,
    columns: str | list[str] | None,
    values: str | list[str] | None,
    aggfunc: Any,
) -> pd.DataFrame:
    """The frame with a column for each value of `columns`. FrameError where nothing says what its rows
    are."""
    info = FrameInfo.of(frame)
    hint = info.more.get("wide", {})
    columns = columns or hint.get("columns") or "currency"
    values = values or hint.get("values") or list(money_columns(frame)) or _numbers(frame)
    named, taken = _labels(columns), {*_labels(columns), *_labels(values)}
    index = index or hint.get("index")
    if not index and info.object in facts():
        raise FrameError(
            "It isn't said what the rows of the wide frame are.",
            advice='Name a column (or several): df.stripe.wide(index="customer", values="amount").',
        )
    index = index or [name for name in frame if name not in taken]
    single = values[0] if isinstance(values, list) and len(values) == 1 else values
    out = frame.pivot_table(
        index=index, columns=columns, values=single, aggfunc=aggfunc, observed=True, sort=False
    )
    if columns == "currency" and isinstance(single, str):
        info = info.replace(money={str(code): str(code) for code in out.columns}, amounts=[])
    info.put(out)
    keys = [*named, *_labels(index)]
    if lost := int(frame[keys].isna().any(axis=1).sum()):
        add_note(out, f"{lost:,} rows are left out: they have no value in {' or '.join(map(str, keys))}.")
    return out


def _labels(names: str | list[str]) -> list[str]:
    return [names] if isinstance(names, str) else names


def _numbers(frame: pd.DataFrame) -> list[Any]:
    return list(frame.select_dtypes("number").columns)
