"""The page of each object in Stripe's Dashboard: the account and the mode are the frame's, or those of the
open connection."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from stripe_magics.accessor.account_facts import mode_and_account
from stripe_magics.catalogue.stripe_objects import object_type, owner
from stripe_magics.errors import ColumnNotFoundError
from stripe_magics.frames.frame_info import FrameInfo
from stripe_magics.frames.pandas_columns import text_dtype
from stripe_magics.frames.schema import facts

_ACCOUNT = re.compile(r"acct_[A-Za-z0-9]+")


def base_address(mode: str, account: str) -> str:
    """Where the pages of an account are."""
    own = f"{account}/" if _ACCOUNT.fullmatch(account) else ""
    return f"https://dashboard.stripe.com/{own}{'' if mode in {'live', 'unknown'} else 'test/'}"


def page_of(kind: str, id_: str) -> str:
    """The page of an object below the account's address; the Dashboard's search finds what has no page of its
    own."""
    page = object_type(kind).page
    return f"{page}/{id_}" if page else f"search?query={id_}"


def links(
    frame: pd.DataFrame, column: str, *, live: bool | None = None, account: str | None = None
) -> pd.Series[Any]:
    """See `df.stripe.link`."""
    if column not in frame.columns:
        raise ColumnNotFoundError(column, frame.columns)
    modes: Any = None
    own = FrameInfo.of(frame)
    if live is not None:
        mode, whose = ("live" if live else "test"), account or own.account
    else:
        mode, whose = mode_and_account(frame)
        whose = account or whose
        if mode != "sandbox" and "livemode" in frame.columns:
            said = frame["livemode"].astype("boolean").fillna(mode == "live")
            modes = ["live" if each else "test" for each in said]
    kind = own.object if column == "id" and own.object in facts() else column if column in facts() else ""
    kinds = (
        frame["object"].astype(object)
        if column == "id" and "object" in frame.columns
        else [kind] * len(frame)
    )
    out: list[str | None] = []
    for row, (id_, own_kind) in enumerate(zip(frame[column].astype(object), kinds, strict=True)):
        if not isinstance(id_, str) or mode == "sandbox":
            out.append(None)
            continue
        type_of_row = own_kind if isinstance(own_kind, str) and own_kind else owner(id_)
        out.append(base_address(modes[row] if modes is not None else mode, whose) + page_of(type_of_row, id_))
    found: pd.Series[Any] = pd.Series(out, index=frame.index, name="link", dtype=text_dtype())
    return found
