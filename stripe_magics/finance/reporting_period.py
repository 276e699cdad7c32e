"""Periods as reports cut them: half-open intervals between local midnights, days and months in the report's
zone.

- One grammar, that of `stripe_magics.dates`: `2026-09` is a month, `2026-Q3` a quarter, `last month` a word.
  A date given as an end is a whole day (September is 2026-09-01 to 2026-09-30); an instant with a time is
  exclusive.
- Times are stored in UTC. Bounds are made from local midnights (a day may have 23 or 25 hours), and rows are
  sorted into them by binary search over int64 instants; no row is ever converted to local time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from stripe_magics import dates
from stripe_magics.errors import UsageFault

Moment = str | date | datetime | pd.Timestamp
Ints = npt.NDArray[np.int64]

HINT = "Give --month 2026-09, --quarter 2026-Q3, --year 2026, or --start and --end (2026-09-01, 2026-09-30)."


@dataclass(frozen=True, slots=True)
class Period:
    """[start, end) in UTC, with the zone whose days and months it is cut into."""

    start: pd.Timestamp
    end: pd.Timestamp
    zone: str = "UTC"

    @property
    def days(self) -> float:
        """Length in local days (a fraction only if a bound is no midnight)."""
        return float((self.local_end - self.local_start) / pd.Timedelta(days=1))

    @property
    def local_start(self) -> pd.Timestamp:
        """The start on the zone's clock, without a zone."""
        return local(self.start, self.zone)

    @property
    def local_end(self) -> pd.Timestamp:
        """The end on the zone's clock, without a zone."""
        return local(self.end, self.zone)

    @property
    def age_date(self) -> pd.Timestamp:
        """The instant that ages count to at the end: the last day's own midnight where the period ends with a
        day, else the end."""
        whole = self.local_end == self.local_end.normalize()
        if not whole:
            return self.end
        last = self.local_end - pd.Timedelta(days=1)
        return midnights(pd.DatetimeIndex([last]), self.zone)[0]

    def words(self) -> str:
        """The period as people write it: `1-30 Sep 2026, 30 days`."""
        first, end = self.local_start, self.local_end
        if first != first.normalize() or end != end.normalize():
            return f"{first:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}"
        last = end - pd.Timedelta(days=1)
        if first == last:
            return f"{last.day} {last:%b %Y}, 1 day"
        if first.year != last.year:
            head = f"{first.day} {first:%b %Y} - "
        else:
            head = f"{first.day}-" if first.month == last.month else f"{first.day} {first:%b} - "
        return f"{head}{last.day} {last:%b %Y}, {self.days:.0f} days"

    def boundaries(self, unit: str) -> pd.DatetimeIndex:
        """Local starts (tz-naive) of every day ("D") or month ("MS") that the period touches."""
        first = self.local_start.normalize()
        if unit == "MS":
            first = first.replace(day=1)
        return pd.date_range(first, local(self.end - pd.Timedelta(1, "us"), self.zone), freq=unit)

    def months(self, now: pd.Timestamp | None = None) -> pd.PeriodIndex:
        """The calendar months that end within the period, and before `now` if it is given."""
        every = self.boundaries("MS")
        until = self.end if now is None else min(self.end, now)
        return every[month_ends(every, self.zone) <= until.value].to_period("M")

    def contains(self, times: pd.Series) -> npt.NDArray[np.bool_]:
        """Which rows lie in the period; missing times don't."""
        instants = nanoseconds(times)
        return (instants >= self.start.value) & (instants < self.end.value)

    def until(self, now: pd.Timestamp) -> Period:
        """The same, but no longer than until now."""
        return replace(self, end=min(self.end, now))


def local(stamp: pd.Timestamp, zone: str) -> pd.Timestamp:
    """An instant on a zone's clock, without a zone."""
    return stamp.tz_convert(zone).tz_localize(None)


def check_zone(zone: str) -> ZoneInfo:
    """The zone of that name, or `UsageFault`."""
    try:
        return ZoneInfo(zone)
    except (KeyError, ValueError, OSError, TypeError) as error:
        raise UsageFault(f"{zone!r} is not a time zone. Example: Europe/Berlin.") from error


def _bounds(value: Moment, zone: str, now: pd.Timestamp | None = None) -> tuple[pd.Timestamp, pd.Timestamp]:
    """What a value stands for: the begin and the end of whole days, or twice an instant."""
    clock = check_zone(zone)
    try:
        missing = bool(pd.isna(value))
    except (TypeError, ValueError):
        missing = False
    if missing:
        raise UsageFault("A date is missing (NaT, NaN or None was given).", advice=HINT)
    if isinstance(value, datetime):  # a pandas Timestamp too; without a zone it is local
        stamp = pd.Timestamp(value)
        if stamp.tzinfo is None:
            stamp = stamp.tz_localize(zone, ambiguous=True, nonexistent="shift_forward")
        return stamp.tz_convert("UTC"), stamp.tz_convert("UTC")
    if isinstance(value, pd.Period):
        value = str(value)
    try:
        pair = dates.span(value, clock, None if now is None else now.floor("us").to_pydatetime())
    except ValueError as error:
        problem = str(error).rstrip(".")
        raise UsageFault(f"{problem[:1].upper()}{problem[1:]}.", advice=HINT) from None
    first, end = (pd.Timestamp(each, unit="s", tz="UTC") for each in pair)
    return first, end


def moment(value: Moment, zone: str = "UTC", now: pd.Timestamp | None = None) -> pd.Timestamp:
    """An instant in UTC; text and datetimes without a zone are local to `zone`, a bare date is its
    midnight."""
    return _bounds(value, zone, now)[0]


def end_of(value: Moment, zone: str = "UTC", now: pd.Timestamp | None = None) -> pd.Timestamp:
    """The instant at which a period ends: the end of a day or a month, or the instant itself."""
    return _bounds(value, zone, now)[1]


def period(start: Moment, end: Moment, zone: str = "UTC", *, now: pd.Timestamp | None = None) -> Period:
    """From the start to the end. A date or a month given as an end is part of it; an instant with a time is
    not."""
    made = Period(moment(start, zone, now), end_of(end, zone, now), zone)
    if made.end <= made.start:
        raise UsageFault(f"The period ends ({end}) before it starts ({start}).", advice=HINT)
    return made


def calendar_period(value: Moment, unit: str, zone: str, now: pd.Timestamp | None = None) -> Period:
    """A month, quarter, year or other span of whole days by its name."""
    text = str(value).strip()
    first, end = _bounds(text if isinstance(value, int) else value, zone, now)
    if first == end:
        example = {"month": "2026-09", "quarter": "2026-Q3", "year": "2026"}.get(unit, "last month")
        raise UsageFault(f"--{unit} {text} is not a {unit}. Example: --{unit} {example}.", advice=HINT)
    made = Period(first, end, zone)
    sizes = {"month": (28, 31), "quarter": (90, 92), "year": (365, 366)}
    if unit in sizes and not sizes[unit][0] <= round(made.days) <= sizes[unit][1]:
        raise UsageFault(f"--{unit} {text} is not a {unit} ({made.words()}).", advice=HINT)
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


def instants(values: Ints) -> pd.Series:
    """Int64 nanoseconds as times; the smallest int64 is a missing one."""
    stamps = values.astype("datetime64[ns]")
    return pd.Series(pd.DatetimeIndex(stamps).tz_localize("UTC")).astype("datetime64[us, UTC]")


def midnights(starts: pd.DatetimeIndex, zone: str) -> pd.DatetimeIndex:
    """Local times without a zone as UTC; where a clock skips or repeats midnight, the first instant of that
    day."""
    return starts.tz_localize(
        zone, ambiguous=np.ones(len(starts), dtype=bool), nonexistent="shift_forward"
    ).tz_convert("UTC")


def edges(starts: pd.DatetimeIndex, zone: str) -> Ints:
    """Local starts as int64 instants."""
    stamps = midnights(starts, zone).tz_localize(None).to_numpy()
    made: Ints = stamps.astype("datetime64[ns]").astype(np.int64)
    return made


def month_ends(starts: pd.DatetimeIndex, zone: str) -> Ints:
    """The instants at which the months that start there are over."""
    return edges(starts + pd.DateOffset(months=1), zone)


def bucket_index(times: pd.Series, starts: pd.DatetimeIndex, zone: str) -> Ints:
    """For each row the position of the local day or month (of `starts`) it lies in; -1 before the first."""
    return np.searchsorted(edges(starts, zone), nanoseconds(times), side="right").astype(np.int64) - 1


def months_back(count: int, end: pd.Timestamp, zone: str) -> Period:
    """The last `count` closed months before `end`, in the zone."""
    first = local(end, zone).normalize().replace(day=1)
    bounds = midnights(pd.DatetimeIndex([first - pd.DateOffset(months=count), first]), zone)
    return Period(bounds[0], bounds[1], zone)


def month_number(instants_: Ints, zone: str) -> Ints:
    """The local calendar month of instants as a number that grows by one a month."""
    stamps = pd.DatetimeIndex(instants(instants_)).tz_convert(zone)
    made: Ints = (stamps.year * 12 + stamps.month - 1).to_numpy(dtype=np.int64)
    return made
