"""What can be wrong with a frame or a column that was named. They are Python's KeyError and ValueError too,
as pandas users expect."""

from __future__ import annotations

from collections.abc import Iterable

from stripe_magics._text import closest_matches
from stripe_magics.errors import UnknownName, UsageFault


class ColumnNotFoundError(UnknownName, KeyError):
    """There is no such column in the frame."""

    def __init__(self, name: str, columns: Iterable[object], *, advice: str = "") -> None:
        own = [str(each) for each in columns]
        super().__init__("column", name, closest_matches(name, own), advice=advice)


class FrameError(UsageFault, ValueError):
    """The frame can't be used in this way: its units, zone or account aren't known, or don't agree."""
