"""From which account rows came and which amounts Stripe sent, as far as this process has read them: pandas'
`combine_first`, `update` and assignment put values of another frame into one whose attrs stay what they were.

A call remembers the ids and amounts of its rows (pandas' own arrays; before pandas 3, which copies what is
written into, copies of the amounts) for as long as a frame of it is there. Looked at only where something
may have been put together: frames of several accounts, modes or zones; amounts that were converted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from stripe_magics.catalogue.versions import PINNED_VERSION
from stripe_magics.frames.column_facts import known_columns
from stripe_magics.frames.frame_info import FrameInfo, call_of, put_origin
from stripe_magics.frames.schema import facts, release

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
    object: str = ""
    amounts: Mapping[str, Any] = field(default_factory=dict)  # by column, in minor units; currency, too
    times: Mapping[str, Any] = field(default_factory=dict)  # by column; before pandas 3 only `created`

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
    origin = RowOrigin(
        frame["id"].array,
        info.account,
        info.mode,
        info.zone,
        call.identity,
        info.object,
        _amounts(frame, info),
        _times(frame),
    )
    _ORIGINS.add(origin)
    put_origin(frame, origin)


def object_ids(frame: pd.DataFrame) -> pd.Series[Any]:
    """The ids in a frame, only those that are: counts (an aggregation's) and lists of ids are missing."""
    import pandas as pd

    ids = frame["id"]
    if ids.ndim > 1:  # a wide frame's counts
        return pd.Series(None, index=frame.index, dtype=object)
    if isinstance(ids.dtype, pd.StringDtype):
        return ids
    texts = [each if isinstance(each, str) else None for each in ids]
    return pd.Series(texts, index=ids.index, dtype=object)


def foreign_origins(frame: Any) -> list[RowOrigin]:
    """The origins of rows that another account (mode, zone) brought into a frame; the first is its own. Empty
    where all rows are of one."""
    call = call_of(frame) if "id" in getattr(frame, "columns", ()) else None
    own = call.origin if call is not None else None
    if own is None or all(each.is_as(own) for each in _ORIGINS):
        return []
    ids = object_ids(frame)
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


def _amounts(frame: pd.DataFrame, info: FrameInfo) -> dict[str, Any]:

    if info.object not in facts():
        return {}
    known = known_columns(
        info.object, tuple(sorted(info.expanded.items())), release(info.api_version or PINNED_VERSION)
    )
    own = [
        name
        for name, meaning in known.items()
        if meaning.money and meaning.column.kind in {"int", "int?"} and name in frame.columns
    ]
    if "currency" in frame.columns:
        own.append("currency")  # to know whether an amount is still in the one in which it was sent
    return {name: _kept(frame[name]) for name in own}


def _times(frame: pd.DataFrame) -> dict[str, Any]:
    import pandas as pd

    own = frame.columns if _copies_when_written() else frame.columns.intersection(["created"])
    return {name: _kept(frame[name]) for name in own if isinstance(frame[name].dtype, pd.DatetimeTZDtype)}


def _kept(values: pd.Series[Any]) -> pd.Series[Any]:
    """The values as they are now, whatever is written into their frame."""
    return values if _copies_when_written() else values.copy()


def _copies_when_written() -> bool:
    """Whether pandas copies what is written into, so that a value at hand stays what it is."""
    import pandas as pd

    return not pd.__version__.startswith("2.")


class SentValues:
    """The amounts and times that Stripe sent for a frame's rows. A frame that lost what it knew is compared
    with the rows of any object that have its ids."""

    def __init__(self, frame: pd.DataFrame, info: FrameInfo) -> None:
        self._count = len(frame)
        self._found: list[tuple[RowOrigin, Any, Any]] = []  # an origin, which of its rows, where in the frame
        call = call_of(frame)
        own = call.origin if call is not None else None
        others = [each for each in _ORIGINS if each is not own and info.object in {"", each.object}]
        origins = [*([own] if own is not None else []), *others]
        if "id" in frame.columns and self._count and origins:
            self._look_in(origins, object_ids(frame))

    @property
    def found(self) -> bool:
        """Whether any of the rows is one that Stripe sent, as far as is known here."""
        return bool(self._found)

    @property
    def object(self) -> str:
        """The type of the objects that the rows are; "" where none is known."""
        return self._found[0][0].object if self._found else ""

    def _look_in(self, origins: list[RowOrigin], ids: pd.Series[Any]) -> None:
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        looked_for = pa.array(ids.astype("object"), pa.large_string(), from_pandas=True)
        missing = np.ones(self._count, dtype=bool)
        for origin in origins:
            if not missing.any():
                return
            places = pc.index_in(
                pa.array(origin.ids, pa.large_string()), value_set=looked_for, skip_nulls=True
            )
            there = np.flatnonzero(places.is_valid().to_numpy(zero_copy_only=False))
            if len(there):
                rows = places.drop_null().to_numpy(zero_copy_only=False)
                self._found.append((origin, there, rows))
                missing[rows] = False

    def of(self, name: str) -> Any:
        """The amounts of a column as floats, in minor units; NaN where they aren't known."""
        import numpy as np

        out = np.full(self._count, np.nan)
        for origin, there, rows in reversed(self._found):  # the frame's own call comes last: its amounts stay
            if name in origin.amounts:
                out[rows] = origin.amounts[name].iloc[there].to_numpy("float64", na_value=np.nan)
        return out

    def times(self, name: str) -> Any:
        """The times of a column as datetime64 in UTC without a zone; NaT where they aren't known."""
        import numpy as np

        out = np.full(self._count, np.datetime64("NaT"), dtype="datetime64[us]")
        for origin, there, rows in reversed(self._found):
            if name in origin.times:
                values = origin.times[name].iloc[there].dt.tz_convert("UTC")
                out[rows] = values.dt.tz_localize(None).to_numpy("datetime64[us]")
        return out

    def currencies(self) -> Any:
        """The currencies of the rows' objects; None where they aren't known."""
        import numpy as np

        out = np.full(self._count, None, dtype=object)
        for origin, there, rows in reversed(self._found):
            if "currency" in origin.amounts:
                out[rows] = origin.amounts["currency"].iloc[there].astype("object")
        return out
