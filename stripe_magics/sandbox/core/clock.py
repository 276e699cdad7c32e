"""The sandbox's own time: frozen until somebody advances it, with what is due on the way.

What happens later (funds become available, a payout arrives, a hold expires) is a job: a moment, a name and
an object's id. Jobs are plain data, so that they can be saved; `scheduler.py` says what each name does. Days
are UTC; business days are Monday to Friday.
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
class Calendar:
    """The present moment in Unix seconds, and the jobs ahead, soonest first."""

    now: int = AS_OF
    jobs: list[Job] = field(default_factory=list)
    count: int = 0
    until: int = 0  # where the time that passes now is to end

    def mark(self) -> tuple[int, list[Job], int]:
        """What it holds now, to go back to with `restore`."""
        return self.now, list(self.jobs), self.count

    def restore(self, mark: tuple[int, list[Job], int]) -> None:
        """Back to what it held."""
        self.now, self.jobs, self.count = mark[0], list(mark[1]), mark[2]


class Clock:
    """A calendar as one account uses it.

    The accounts of a platform share one calendar: `scope` (a connected account's id and a slash) stands
    before the ids of its jobs. A test clock (`name` is its id) has a calendar of its own.
    """

    __slots__ = ("calendar", "name", "scope")

    def __init__(self, calendar: Calendar, *, scope: str = "", name: str = "") -> None:
        self.calendar, self.scope, self.name = calendar, scope, name

    @property
    def now(self) -> int:
        """The present moment."""
        return self.calendar.now

    @now.setter
    def now(self, moment: int) -> None:
        self.calendar.now = moment

    @property
    def jobs(self) -> list[Job]:
        """The jobs ahead, of all accounts."""
        return self.calendar.jobs

    @property
    def count(self) -> int:
        """How many jobs there were so far."""
        return self.calendar.count

    def at(self, moment: int, name: str, identifier: str = "") -> None:
        """Put a job on the calendar; one in the past is done with the next advance."""
        self.calendar.count += 1
        job = (moment, _RANK.get(name, 5), self.calendar.count, name, self.scope + identifier)
        heapq.heappush(self.calendar.jobs, job)

    def due(self, until: int) -> Job | None:
        """Take the next job due by then and step to its moment; None if there is none."""
        jobs = self.calendar.jobs
        if not jobs or jobs[0][0] > until:
            return None
        job = heapq.heappop(jobs)
        self.calendar.now = max(self.calendar.now, job[0])
        return job

    def cancel(self, name: str) -> None:
        """Take all jobs of a name off the calendar, as far as they are this account's."""
        kept = [job for job in self.calendar.jobs if job[3] != name or job_scope(job) != self.scope]
        heapq.heapify(kept)
        self.calendar.jobs = kept


def job_scope(job: Job) -> str:
    """What stands before the id of a job's object: whose it is."""
    scope, slash, _ = job[4].rpartition("/")
    return scope + slash
