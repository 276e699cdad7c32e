"""Days and months of times, in a named zone. A time that Stripe means as a day (an arrival date) is that day
in every zone."""

from __future__ import annotations

import warnings
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from stripe_magics.accessor.account_facts import zone_of
from stripe_magics.errors import ColumnNotFoundError, FrameError
from stripe_magics.frames.column_facts import meanings
from stripe_magics.frames.frame_info import FrameInfo, add_note
from stripe_magics.frames.row_origins import SentValues


def local_day(frame: pd.DataFrame, column: str, zone: str | None) -> pd.Series[Any]:
    """See `df.stripe.local_day`."""
    if column not in frame.columns:
        raise ColumnNotFoundError(column, frame.columns)
    meaning = meanings(frame).get(column)
    whole_day = meaning is not None and meaning.day
    place = "UTC" if whole_day else zone_of(frame, zone)
    if not whole_day:
        _refuse_days(frame, column, place)
    return day_of(frame[column], place).rename("date")


def _refuse_days(frame: pd.DataFrame, column: str, zone: str) -> None:
    """Days in UTC that were made of times (`dt.floor("D")`) have no local day: west of Greenwich it would be
    the one before. FrameError where they surely were times; a warning where nothing is known of the rows and
    all were made at midnight."""
    values = frame[column]
    if getattr(values.dtype, "tz", None) is None:  # `day_of` says what is wrong with it
        return
    times = values.dt.tz_convert("UTC").dt.tz_localize(None)
    there = times.notna().to_numpy()
    if not there.any() or not (times == times.dt.normalize())[there].all():
        return  # some has a time of day
    if (day_of(values, zone) == times)[there].all():
        return  # in this zone it makes no difference
    as_they_are = f'df.stripe.local_day("{column}", zone="UTC")'
    sent = SentValues(frame, FrameInfo.of(frame)).times(column)[there]
    if (~np.isnat(sent) & (sent != times.to_numpy("datetime64[us]")[there])).any():
        raise FrameError(
            f"{column} has days in UTC, no longer the times that Stripe sent, so the days in {zone} aren't"
            " known any more.",
            advice=f"Take local_day of the times before they are cut. As they are: {as_they_are}.",
        )
    if column == "created" and np.isnat(sent).all() and (times.dropna() != times.dropna().iloc[0]).any():
        warnings.warn(
            f"All times of {column} are midnight in UTC. If they are days (made by dt.floor), those in {zone}"
            f" are wrong; as they are: {as_they_are}.",
            stacklevel=4,
        )


def day_of(values: pd.Series[Any], zone: str) -> pd.Series[Any]:
    """Midnight of each time's day in a zone, without a zone."""
    if (
        isinstance(values.dtype, pd.ArrowDtype)
        and str(values.dtype).startswith("timestamp[")
        and values.dt.tz
    ):
        values = values.astype("datetime64[us, UTC]")
    if getattr(values.dtype, "tz", None) is None:
        raise FrameError(f"{values.name} is not a column of times in UTC ({values.dtype}).")
    local = values.dt.tz_convert(ZoneInfo(zone))
    day: pd.Series[Any] = local.dt.tz_localize(None).dt.normalize()
    return day


def by_month(frame: pd.DataFrame, values: str, column: str, zone: str | None) -> pd.DataFrame:
    """See `df.stripe.by_month`."""
    from stripe_magics.accessor.amount_checks import refuse_repeated_rows
    from stripe_magics.accessor.currencies import known_codes
    from stripe_magics.accessor.units import money

    days = local_day(frame, column, zone)
    keys: dict[str, Any] = {"month": days.dt.to_period("M")}
    own = [each for each in money(frame) if each.name == values]
    if own:
        refuse_repeated_rows(frame, values)
        keys["currency"] = pd.Series(known_codes(frame, own[0]), index=frame.index)
    elif values not in frame.columns:
        raise ColumnNotFoundError(values, frame.columns)
    out = (
        frame[values]
        .groupby([pd.Series(each, index=frame.index, name=name) for name, each in keys.items()])
        .agg(["sum", "count"])
    )
    out.columns = pd.Index([values, "count"])
    out = out.reset_index()
    info = FrameInfo.of(frame)
    out = info.replace(amounts=[values] if own else [], expanded={}, money={}).put(out)
    if lost := int((days.isna() & frame[values].notna()).sum()):
        add_note(out, f"{lost:,} rows are left out: they have no {column}.")
    return out
