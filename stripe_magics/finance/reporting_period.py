"""Time as reports cut it: half-open intervals between local midnights, days and months in the report's zone.

Times are stored in UTC. A report's day is a day of its zone, so bounds are made from local midnights (a day may have 23 or 25 hours) and
rows are sorted into them by binary search over int64 instants; no row is ever converted to local time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from stripe_magics.errors import UsageFault

Moment = str | date | datetime | pd.Timestamp
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Period:
    """[start, end) in UTC, with the zone whose days and months it is cut into."""

    start: pd.Timestamp
    end: pd.Timestamp
    zone: str = "UTC"

    @property
    def days(self) -> float:
        """Length in local days (a fraction only if a bound is no midnight)."""
        local = (
            self.end.tz_convert(self.zone).tz_localize(None)
            - self.start.tz_convert(self.zone).tz_localize(None)
        ) / pd.Timedelta(days=1)
        return float(local)

    def cut(self, unit: str) -> pd.DatetimeIndex:
        """Local starts (tz-naive) of every day ("D") or month ("MS") that the period touches."""
        first = self.start.tz_convert(self.zone).tz_localize(None).normalize()
        if unit == "MS":
            first = first.replace(day=1)
        last = (self.end - pd.Timedelta(1, "us")).tz_convert(self.zone).tz_localize(None)
        return pd.date_range(first, last, freq=unit)

    def contains(self, times: pd.Series) -> npt.NDArray[np.bool_]:
        """Which rows lie in the period; missing times don't."""
        instants = nanoseconds(times)
        return (instants >= self.start.value) & (instants < self.end.value)


def moment(value: Moment, zone: str = "UTC") -> pd.Timestamp:
    """A moment in UTC; text and datetimes without a zone are local to `zone`, a bare date is its midnight."""
    try:
        stamp = pd.Timestamp(value)
    except (ValueError, TypeError) as error:
        raise UsageFault(f"{value!r} is not a date; write 2026-01-31 or 2026-01-31T12:00.") from error
    if pd.isna(stamp):
        raise UsageFault("A date is missing; write 2026-01-31.")
    if stamp.tzinfo is None:
        stamp = stamp.tz_localize(zone, ambiguous=True, nonexistent="shift_forward")
    return stamp.tz_convert("UTC")


def period(start: Moment, end: Moment, zone: str = "UTC") -> Period:
    """[start, end): the start belongs to it, the end does not."""
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise UsageFault(f"{zone!r} is not a time zone; write one such as Europe/Berlin.") from error
    made = Period(moment(start, zone), moment(end, zone), zone)
    if made.end <= made.start:
        raise UsageFault(
            f"The period ends ({end}) before it starts ({start}). The end is not part of it: January is 2026-01-01 to 2026-02-01."
        )
    return made


def nanoseconds(times: pd.Series) -> Ints:
    """Instants as int64 nanoseconds since 1970; a missing time is the smallest int64."""
    if not isinstance(times.dtype, pd.DatetimeTZDtype):
        numbers = pd.api.types.is_numeric_dtype(times.dtype)
        times = pd.to_datetime(times, unit="s" if numbers else None, utc=True)
    values = times.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
    missing = np.isnat(values)
    out: Ints = values.astype("datetime64[ns]").astype(np.int64)
    out[missing] = np.iinfo(np.int64).min
    return out


def bucket_index(times: pd.Series, starts: pd.DatetimeIndex, zone: str) -> Ints:
    """For each row the position of the local day or month (of `starts`) it lies in; -1 before the first."""
    bounds = (
        starts.tz_localize(zone, ambiguous=np.ones(len(starts), dtype=bool), nonexistent="shift_forward")
        .tz_convert("UTC")
        .tz_localize(None)
    )
    edges = bounds.to_numpy().astype("datetime64[ns]").astype(np.int64)
    return np.searchsorted(edges, nanoseconds(times), side="right").astype(np.int64) - 1


def months_back(count: int, end: pd.Timestamp, zone: str) -> Period:
    """The last `count` closed months before `end`, in the zone."""
    local = end.tz_convert(zone).tz_localize(None).normalize().replace(day=1)
    return period(local - pd.DateOffset(months=count), local, zone)
