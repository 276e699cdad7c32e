"""The values that frames hide, asked for by name: fetched from the account again, since a frame never holds
them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from stripe_magics.accessor.account_facts import same_connection
from stripe_magics.accessor.object_reader import fetch
from stripe_magics.catalogue import PINNED_VERSION
from stripe_magics.catalogue.stripe_objects import object_path
from stripe_magics.errors import ColumnNotFoundError, FrameError
from stripe_magics.frames.frame_info import FrameInfo
from stripe_magics.frames.schema import Column, schema

MAX_REVEALED = 20
"""Rows at a time: who needs more doesn't need to look at them."""


def reveal(frame: pd.DataFrame, name: str) -> pd.Series[Any]:
    """See `df.stripe.reveal`."""
    info = FrameInfo.of(frame)
    hidden = {
        each.name: each
        for each in schema(info.object, info.api_version or PINNED_VERSION).columns
        if each.kind == "secret"
    }
    if name not in hidden or name not in frame.columns:
        raise ColumnNotFoundError(
            name, sorted(hidden), advice=f"Hidden here: {', '.join(sorted(hidden)) or 'nothing'}."
        )
    if len(frame) > MAX_REVEALED:
        raise FrameError(
            f"{len(frame)} rows are more than are revealed at once ({MAX_REVEALED}).",
            advice="Take the rows: df.head(1).",
        )
    once = FrameError(
        f"Stripe doesn't give {name} again.",
        advice=(
            "What it gives once stands in the answer of the call that made it: make that call with --raw"
            " (raw=True)."
        ),
    )
    if not object_path(info.object, "id"):
        raise once
    connection = same_connection(frame, info)
    if connection is None:
        raise FrameError(
            "The frame's account isn't open, so nothing can be fetched for it.",
            advice="%stripe connect to it first.",
        )
    ids = [str(each) for each in frame["id"].dropna().unique()]
    found = {str(each["id"]): _at(each, hidden[name]) for each in fetch(connection, info.object, ids)}
    values = [found.get(str(each)) for each in frame["id"]]
    if len(frame) and not any(values):
        raise once
    return pd.Series(values, index=frame.index, name=name, dtype="object")


def _at(found: Mapping[str, Any], column: Column) -> Any:
    value: Any = found
    for key in column.path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
