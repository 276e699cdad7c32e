"""The sandbox's own time: frozen until somebody advances it, with what is due on the way.

What happens later (funds become available, a payout arrives, a hold expires) is a job: a moment, a name and an object's id. Jobs are plain
data, so that they can be saved; `scheduler.py` says what each name does. Days are UTC; business days are Monday to Friday.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

MINUTE, HOUR, DAY = 60, 3600, 86400
AS_OF = 1793610000
"""Where the clock of a new account stands: Monday 2 November 2026, 09:00 UTC."""

Job = tuple[int, int, int, str, str]
"""When, rank within that moment, order of arrival, name, object id."""

_RANK = {"funds": 0, "payout_transit": 1, "payout_arrives": 1, "payouts": 2, "schedule_phase": 4}


def midnight(moment: int) -> int:
    """The start of that day, UTC."""
    return moment - moment % DAY


def is_business_day(moment: int) -> bool:
    """Monday to Friday (day 0 of the Unix calendar was a Thursday)."""
    return (moment // DAY + 3) % 7 < 5


def business_days_after(moment: int, days: int) -> int:
    """Midnight of the business day that many business days later."""
    day = midnight(moment)
    for _ in range(days):
        day += DAY
        while not is_business_day(day):
            day += DAY
    return day


@dataclass(slots=True)
class Clock:
    """The present moment in Unix seconds, and the jobs ahead, soonest first."""

    now: int = AS_OF
    jobs: list[Job] = field(default_factory=list)
    count: int = 0

    def at(self, moment: int, name: str, identifier: str = "") -> None:
        """Put a job on the calendar; one in the past is done with the next advance."""
        self.count += 1
        heapq.heappush(self.jobs, (moment, _RANK.get(name, 5), self.count, name, identifier))

    def due(self, until: int) -> Job | None:
        """Take the next job due by then and step to its moment; None if there is none."""
        if not self.jobs or self.jobs[0][0] > until:
            return None
        job = heapq.heappop(self.jobs)
        self.now = max(self.now, job[0])
        return job
