"""Stripe objects -> DataFrames: the only package that knows columns and dtypes. See `schema.py` for the
columns of an object."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stripe_magics.frames.column_names import expanded_columns, given_names, resolve
from stripe_magics.frames.frame_facts import FrameFacts
from stripe_magics.frames.frame_info import (
    CallInfo,
    FrameAttrs,
    FrameInfo,
    as_attrs,
    call_of,
    facts_of,
    put_attrs,
    remember,
)
from stripe_magics.frames.row_origins import remember_rows
from stripe_magics.frames.schema import Column, Schema, schema

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.frames.builder import Builder
    from stripe_magics.request import RowFilter

MAX_REMEMBERED = 10_000
"""Rows of which each one's currency is remembered for the display."""

__all__ = ["Builder", "CallInfo", "Column", "FrameInfo", "Schema", "build", "empty", "keep_rows", "schema"]


def __getattr__(name: str) -> Any:
    """The builder, imported with pandas when it is asked for."""
    if name != "Builder":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from stripe_magics.frames.builder import Builder

    return Builder


def build(
    pages: Iterable[bytes],
    object_type: str,
    *,
    attrs: Mapping[str, Any] | None = None,
    expand: Sequence[str] = (),
    columns: Sequence[str] = (),
    row_filters: Sequence[RowFilter] = (),
    limit: int | None = None,
    newest_first: bool = False,
) -> pd.DataFrame:
    """One row an object, from raw JSON answers: an object, a list or a search result each.

    `object_type` "any" is taken from the data. `columns` decodes those alone (a name, a short name, Stripe's
    path, the beginning of names, or `metadata[key]`).
    `row_filters` test each row; `limit` then keeps the first rows; `newest_first` sorts by `created` where
    pages came in another order.
    `attrs` become `df.attrs["stripe"]`. Columns and dtypes: see `stripe_magics.frames.schema`. `expand` needs
    no help from here: an expanded object is recognised.
    """
    keys = tuple(dict.fromkeys(each.key for each in row_filters))
    if columns and "currency" not in columns and "currency" in schema(object_type).names:
        keys = (*keys, "currency")  # for the display: amounts are shown with it
    if newest_first and "created" not in keys and "created" in schema(object_type).names:
        keys = (*keys, "created")  # read for the sake of the order, and dropped after
    asked = [resolve(object_type, each, expand) for each in columns]
    given = as_attrs(attrs)
    from stripe_magics.frames.builder import Builder  # pandas: what asks for columns' names does without

    builder = Builder(
        object_type,
        version=str(given.get("api_version") or ""),
        columns=[*asked, *(key for key in keys if key not in asked)] if columns else (),
        expanded=expanded_columns(object_type, columns, expand),
    )
    found = 0
    for page in pages:
        builder.add(page)
        if row_filters and limit is not None and not newest_first:
            found += matches(page, row_filters)
            if found >= limit:  # further pages could only bring rows past the limit
                break
    frame = builder.frame(newest_first=newest_first, limit=None if row_filters else limit)
    if row_filters:
        frame = keep_rows(frame, row_filters)
        frame = (frame if limit is None else frame.head(limit)).reset_index(drop=True)
    seen = _currencies(frame)
    if columns:
        frame = frame.drop(columns=[key for key in keys if key in frame and key not in asked and key != "id"])
    short = given_names(object_type, columns, expand)
    if short:  # asked for by a short name: the column has that name
        frame = frame.rename(columns={name: alias for name, alias in short.items() if name not in columns})
    expanded = facts_of(frame).get("expanded")
    facts: FrameFacts = {"object": builder.object_type, **({"expanded": expanded} if expanded else {})}
    call = replace(given.call or CallInfo(), rows=len(frame), columns=tuple(frame.columns), **seen)
    put_attrs(frame, FrameAttrs({**facts, **given}, call=call))
    remember(FrameInfo.of(frame), call_of(frame))
    remember_rows(frame)
    return frame


def _currencies(frame: pd.DataFrame) -> dict[str, Any]:
    """What the display must know of the rows' currencies: the only one, or (of a list that isn't long) each
    row's."""
    if "currency" not in frame or not len(frame):
        return {}
    codes = frame["currency"].dropna().unique()
    if len(codes) == 1:
        return {"currency": str(codes[0])}
    if len(frame) > MAX_REMEMBERED or "id" not in frame:
        return {}
    return {"currencies": dict(zip(frame["id"].to_numpy(), frame["currency"].to_numpy(), strict=True))}


def empty(object_type: str) -> pd.DataFrame:
    """No rows, with the columns and dtypes of the object type."""
    return build((), object_type)


def matches(page: bytes, row_filters: Sequence[RowFilter]) -> int:
    """How many objects of a raw page pass every test."""
    import msgspec

    answer = msgspec.json.decode(page)
    return sum(
        all(_passes(row.get(test.key), test) for test in row_filters) for row in answer.get("data", [answer])
    )


def _passes(value: Any, test: RowFilter) -> bool:
    if test.low is not None or test.high is not None:
        return (
            value is not None
            and (test.low is None or value >= test.low)
            and (test.high is None or value < test.high)
        )
    text = "" if value is None else _as_text(value)
    return (test.equals is None or text == test.equals) and (not test.among or text in test.among)


def keep_rows(frame: pd.DataFrame, row_filters: Sequence[RowFilter]) -> pd.DataFrame:
    """The rows that pass every test; times are compared as seconds, bounds are half-open [low, high). A
    missing value fails a bound."""
    import pandas as pd

    for test in row_filters:
        column = frame[test.key.replace(".", "_")]
        if isinstance(column.dtype, pd.DatetimeTZDtype):
            column = (column.astype("int64") // 1_000_000).where(column.notna()).astype("Int64")
        passed = pd.Series(data=True, index=frame.index, dtype="boolean")
        if test.low is not None:
            passed &= column >= test.low
        if test.high is not None:
            passed &= column < test.high
        if test.equals is not None:
            passed &= pd.Series(
                [_as_text(value) == test.equals for value in column.astype(object)],
                index=frame.index,
                dtype="boolean",
            )
        if test.among:
            passed &= pd.Series(
                [_as_text(value) in test.among for value in column.astype(object)],
                index=frame.index,
                dtype="boolean",
            )
        frame = frame[passed.fillna(value=False).astype(bool)]
    return frame


def _as_text(value: object) -> str:
    """As Stripe writes it; a missing value equals nothing."""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
