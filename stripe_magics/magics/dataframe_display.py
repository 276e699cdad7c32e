"""How frames look. A frame stays a plain DataFrame; what is registered here is its display, for frames with
`attrs["stripe"]` only.

- While the frame is the object's own (its ids are there, and no more rows than the call gave), amounts are
  shown with their currency (the values stay whole minor units), times in the account's zone, ids linked to
  the Dashboard, states as badges. Of a wide frame those columns are shown that matter
  (`catalogue/stripe_objects.py`) and fit, and all that a person added or selected; what is left out is said
  below.
- Anything else (a pivot, `describe()`, an aggregation) has pandas' own display, with a word about units.
- Every text is escaped, and nothing is rendered as mathematics: what a customer typed into a name field must
  never run in a notebook.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stripe_magics._characters import visible
from stripe_magics._html import Markup, output, tag
from stripe_magics.magics.frame_rendering import as_html, as_text
from stripe_magics.magics.frame_view import ALL_COLUMNS_BY, NameLookup, View

if TYPE_CHECKING:
    import pandas as pd


def bundle(
    frame: pd.DataFrame,
    *,
    max_rows: int = 60,
    max_columns: int = 12,
    all_columns: bool = False,
    names: bool = False,
    all_columns_by: str = ALL_COLUMNS_BY,
) -> dict[str, str] | None:
    """What a notebook shows of a frame; None for one that has nothing of Stripe's. `names`: whether names may
    be read to stand beside ids. `all_columns_by`: what shows the columns that are left out."""
    from stripe_magics.frames.frame_info import facts_of

    if not facts_of(frame):
        return None
    if not is_of_object(frame):
        return _as_pandas(frame)
    view = View(
        frame,
        max_rows=max_rows,
        max_columns=max_columns,
        all_columns=all_columns,
        names=name_lookup(frame) if names else None,
        all_columns_by=all_columns_by,
    )
    return {"text/plain": as_text(view), "text/html": as_html(view)}


def name_lookup(frame: pd.DataFrame) -> NameLookup | None:
    """What reads the names beside a frame's ids; None where they are off, or the frame isn't of the open
    connection."""
    from stripe_magics.frames.frame_info import call_of
    from stripe_magics.magics import object_names

    call = call_of(frame)
    connection = object_names.matching_connection(frame)
    if call is None or not call.names or connection is None:
        return None
    return lambda frame, info, columns, places: object_names.look_up(frame, info, connection, columns, places)


def is_of_object(frame: pd.DataFrame) -> bool:
    """Whether the rows are objects (or a report's own rows), and not what a person computed of them."""
    from stripe_magics.frames.frame_info import FrameInfo, call_of
    from stripe_magics.frames.schema import known, schema

    info, call = FrameInfo.of(frame), call_of(frame)
    columns, index = frame.columns, frame.index
    if columns.nlevels > 1 or index.nlevels > 1 or not columns.is_unique or columns.name is not None:
        return False
    if index.name is not None or index.dtype.kind != "i" or not index.is_unique:
        return False
    if call is not None and call.rows is not None and len(frame) > call.rows:
        return False
    has_ids = known(info.object) and "id" in schema(info.object).names
    return not has_ids or ("id" in columns and bool(frame["id"].head(1000).astype(str).is_unique))


def _as_pandas(frame: pd.DataFrame) -> dict[str, str]:
    """pandas' own display, with a word about units."""
    import pandas as pd

    from stripe_magics.frames.column_facts import money_columns
    from stripe_magics.frames.frame_info import FrameInfo

    with pd.option_context("display.html.use_mathjax", False):
        html: Any = frame._repr_html_()  # type: ignore[operator]
    shown = {"text/plain": visible(repr(frame))}
    own = money_columns(frame)
    names = [str(name) for name in own][:6]
    word = f"In {FrameInfo.of(frame).units or 'minor'} units: {', '.join(names)}." if names else ""
    if None in own.values():
        word += _currencies_lost(frame)
    if word:
        shown["text/plain"] += f"\n{word}"
    if html is not None:
        shown["text/html"] = output(Markup(html), tag("div", tag("small", word))) if word else html
    return shown


def _currencies_lost(frame: pd.DataFrame) -> str:
    """A word where amounts no longer say their currency and their call's rows were in several."""
    from stripe_magics.frames.frame_info import call_of

    call = call_of(frame)
    if call is None or call.currency or not call.rows or "currency" not in call.columns:
        return ""
    found = sorted(set(filter(None, call.currencies.values())))
    listed = f" ({', '.join(found[:6])}{' ...' if len(found) > 6 else ''})" if found else ""
    return f" The list is in several currencies{listed}, and nothing here says which: group by currency, too."
