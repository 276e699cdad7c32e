"""From which account rows came, as far as this process has read them: pandas' `combine_first`, `update` and
assignment put rows of another frame into one whose attrs stay what they were.

A call remembers the ids of its rows (pandas' own array, not a copy), for as long as a frame of it is there.
Looked at only where frames of several accounts, modes or zones were read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from stripe_magics.frames.frame_info import FrameInfo, call_of, put_origin

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class RowOrigin:
    """The rows of a call and where they came from."""

    ids: Any
    account: str
    mode: str
    zone: str
    identity: str  # of the connection

    def is_as(self, other: RowOrigin) -> bool:
        """Whether both came from one account, and count days in one zone."""
        return (self.account, self.mode, self.zone, self.identity) == (
            other.account,
            other.mode,
            other.zone,
            other.identity,
        )


_ORIGINS: WeakSet[RowOrigin] = WeakSet()


def remember_rows(frame: pd.DataFrame) -> None:
    """Remember where the rows of a frame that was just read came from."""
    call, info = call_of(frame), FrameInfo.of(frame)
    if call is None or not call.identity or "id" not in frame.columns or not len(frame):
        return
    origin = RowOrigin(frame["id"].array, info.account, info.mode, info.zone, call.identity)
    _ORIGINS.add(origin)
    put_origin(frame, origin)


def foreign_origins(frame: Any) -> list[RowOrigin]:
    """The origins of rows that another account (mode, zone) brought into a frame; the first is its own. Empty
    where all rows are of one."""
    call = call_of(frame) if "id" in getattr(frame, "columns", ()) else None
    own = call.origin if call is not None else None
    if own is None or all(each.is_as(own) for each in _ORIGINS):
        return []
    ids = frame["id"]
    rest = ids[~ids.isin(own.ids)]
    others: list[RowOrigin] = []
    for same in (True, False):
        for origin in [each for each in _ORIGINS if each.is_as(own) is same]:
            found = rest.isin(origin.ids) if len(rest) else rest.isna()
            if not found.any():
                continue
            rest = rest[~found]
            if not same:
                others.append(origin)
    return [own, *others] if others else []
