"""The calendar of a subscription: where its periods begin and end. Pure arithmetic on Unix seconds, UTC.

Periods are counted from the billing cycle anchor, so that one that began on the 31st ends on the last day of
shorter months and on the 31st again of longer ones.
"""

from __future__ import annotations

import calendar
from datetime import UTC, datetime
from typing import Any

from stripe_magics.sandbox.api.errors import invalid_before_execution
from stripe_magics.sandbox.core.clock import DAY


def after(moment: int, interval: str, count: int) -> int:
    """The end of a period that starts then."""
    if interval in {"day", "week"}:
        return moment + count * DAY * (7 if interval == "week" else 1)
    start = datetime.fromtimestamp(moment, UTC)
    months = start.month - 1 + count * (12 if interval == "year" else 1)
    year, month = start.year + months // 12, months % 12 + 1
    day = min(start.day, calendar.monthrange(year, month)[1])
    return int(start.replace(year=year, month=month, day=day).timestamp())


def next_boundary(anchor: int, moment: int, interval: str, count: int) -> int:
    """The first boundary after a moment, counted from the anchor."""
    if anchor > moment:
        back = 0
        while after(anchor, interval, -(back + 1) * count) > moment:
            back += 1
        return after(anchor, interval, -back * count)
    span = after(anchor, interval, count) - anchor
    steps = max(0, (moment - anchor) // (span + 3 * DAY if interval in {"month", "year"} else span))
    while (found := after(anchor, interval, steps * count)) <= moment:
        steps += 1
    return found


def previous_boundary(anchor: int, moment: int, interval: str, count: int) -> int:
    """The last boundary up to a moment, counted from the anchor."""
    return after(next_boundary(anchor, moment, interval, count), interval, -count)


_RANGES = {"day_of_month": (1, 31), "month": (1, 12), "hour": (0, 23), "minute": (0, 59), "second": (0, 59)}


def configured_anchor(now: int, config: dict[str, Any]) -> int:
    """The first moment from now on that a `billing_cycle_anchor_config` names. Refuses parts that no calendar
    has."""
    for name, (least, most) in _RANGES.items():
        if config.get(name) is not None and not least <= config[name] <= most:
            raise invalid_before_execution(f"{name} lies between {least} and {most}.", param=name)
    here = datetime.fromtimestamp(now, UTC)
    for months in range(25):
        index = here.month - 1 + months
        year, month = here.year + index // 12, index % 12 + 1
        if config.get("month") and config["month"] != month:
            continue
        day = min(config["day_of_month"], calendar.monthrange(year, month)[1])
        time = {
            name: here_value if config.get(name) is None else config[name]
            for name, here_value in (("hour", here.hour), ("minute", here.minute), ("second", here.second))
        }
        moment = int(datetime(year, month, day, tzinfo=UTC, **time).timestamp())
        if moment >= now:
            return moment
    return now


def every(recurring: dict[str, Any]) -> tuple[str, int]:
    """Interval and count of a recurring price."""
    return recurring["interval"], recurring["interval_count"]
