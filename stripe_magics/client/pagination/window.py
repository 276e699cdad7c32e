"""A window: the rows of a list between two seconds, read from above and, where a row below is known, from
below as well.

From above it goes newest first by its cursor. From below it begins at the newest rows that the window under
it has shown (`ending_before`): a page from there holds the rows just above, wherever in time they lie, so
that empty time costs nothing and one second with many rows (a billing run) has two readers. The two meet at a
row, with no cut between them.

A page from below is asked for above the row *under* the newest one that is known, so that it must end with
that one: then it holds whatever lies above it. Any other page (the row was deleted, `ending_before` isn't
obeyed) says nothing, and the window is read from above, as if nothing had been asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from stripe_magics.client.pagination.raw_pages import NotSortedByCreated, Params, RowPosition


class Anchor(NamedTuple):
    """Where reading from below begins: the newest row that was read, and the one under it."""

    row: str
    under: str


NOWHERE = Anchor("", "")

# cursors of deleted rows tried one after another before the window is entered anew by time
MAX_DEAD_CURSORS = 5


@dataclass(slots=True, eq=False)
class Window:
    """An interval that is being read. `at` is the time of the last row read from above; before the first page
    it is above the interval."""

    low: int  # 0: open below
    high: int | None  # None: open above
    at: int
    cursor: str = ""
    recent: list[str] = field(default_factory=list)  # ids that were read last, all of second `at` among them
    density: float = 0.0  # rows per second, as last seen
    rows: int = 0  # read from above
    top: int = 0  # the second in which it began, for the window's own average
    done: bool = False
    busy: bool = False
    dedupe: bool = False  # rows may come again: after a deleted cursor
    dead: int = 0
    below: Anchor = NOWHERE  # the last row read from below, and the one under it; what lies under was read
    below_held: list[str] = field(default_factory=list)  # ids of second `low` that were read from below
    below_density: float = 0.0
    below_off: bool = False  # it isn't read from below (any more)
    asked: Anchor = NOWHERE  # where a page from below that is under way begins
    newest: Anchor = NOWHERE  # its first row, once that is known
    empty: bool = False  # nothing was found in it
    one_second: bool = False  # the last page, from above or below, lay in one second: more may follow
    end_density: float = 0.0  # rows per second where the last page from above ended
    newest_density: float | None = None  # where its first page began; None until that is read

    @property
    def unread_from(self) -> int:
        """The newest second that isn't read to its end."""
        return self.at if self.recent else self.at - 1

    @property
    def readers(self) -> int:
        """How many pages of it are under way."""
        return self.busy + (self.asked != NOWHERE)

    def left(self, floor: int) -> float:
        """Estimated rows still to read."""
        if self.done:
            return 0.0
        low = max(self.low, min(floor, self.at))
        return (self.at - low) * max(self.density, self.below_density)

    def state(self) -> dict[str, Any]:
        """What must be known to go on with it another day."""
        return {
            "low": self.low,
            "high": self.high,
            "at": self.at,
            "cursor": self.cursor,
            "recent": self.recent,
            "density": self.density,
            "top": self.top,
            "rows": self.rows,
            "dedupe": self.dedupe,
            "below": self.below,
            "below_held": self.below_held,
            "below_density": self.below_density,
        }

    def params(self) -> Params:
        """The filters and the cursor of its next page from above."""
        out: list[tuple[str, str]] = []
        if self.low:
            out.append(("created[gte]", str(self.low)))
        if self.high is not None:
            out.append(("created[lte]", str(self.high)))
        if self.cursor:
            out.append(("starting_after", self.cursor))
        return tuple(out)

    def split(self, second: int) -> Window:
        """Give away what lies at and below a second, and what is known of its lower end."""
        lower = Window(
            self.low, second, second + 1, density=self.density, top=second,
            below=self.below, below_held=self.below_held, below_density=self.below_density,
            below_off=self.below_off, asked=self.asked,
        )  # fmt: skip
        self.low, self.below, self.below_held, self.below_density = second + 1, NOWHERE, [], 0.0
        self.below_off, self.asked = False, NOWHERE
        return lower

    # --- a page from above ----------------------------------------------------------------------------------
    def take(self, rows: list[RowPosition], *, has_more: bool) -> list[int]:
        """The indexes of the rows that are its own and new; goes on to where they end."""
        if self.done:  # the page was on its way when the reader from below met this one
            return []
        held = {*self.recent, *self.below_held}
        keep = [index for index, row in enumerate(rows) if time_of(row) >= self.low and row.id not in held]
        if not self.recent:  # its first page
            self.empty = not rows
            self.newest = Anchor(rows[0].id, rows[1].id) if len(rows) > 1 else NOWHERE
        met = bool(self.below_held) and any(row.id in self.below_held for row in rows)
        self.done = not has_more or met or time_of(rows[-1]) < self.low
        if rows and not self.done:
            self._advance(rows)
        self.rows += len(keep)
        if self.done:
            self.recent = []
        return keep

    def _advance(self, rows: list[RowPosition]) -> None:
        newest, oldest = time_of(rows[0]), time_of(rows[-1])
        ids = [row.id for row in rows]
        if self.cursor == ids[-1]:
            raise NotSortedByCreated("the same page twice")
        self.recent = [*self.recent, *ids] if self.dedupe or newest == oldest else ids
        if self.dedupe and newest < self.at:
            self.dedupe, self.recent = False, ids
        self.at, self.cursor, self.dead = oldest, ids[-1], 0
        average = (self.rows + len(rows)) / (max(self.top, oldest) - oldest + 1)
        self.density = max(density_of(rows), average)
        self.one_second = newest == oldest

    def step_back(self) -> None:
        """The cursor's row is gone: go on after an earlier row that was read; failing that, enter again at
        the second that was reached."""
        self.dedupe = True
        self.dead += 1
        index = self.recent.index(self.cursor) if self.cursor in self.recent else 0
        if index > 0 and self.dead <= MAX_DEAD_CURSORS:
            self.cursor = self.recent[index - 1]
        elif self.cursor:
            self.cursor, self.high, self.dead = "", self.at, 0
        else:
            raise NotSortedByCreated("a cursor was refused where none was sent")

    # --- a page from below ----------------------------------------------------------------------------------
    def take_from_below(self, rows: list[RowPosition], asked: Anchor) -> list[int]:
        """As `take`, of the rows just above `asked`; none if the page doesn't end there."""
        if self.done:
            return []
        if len(rows) < 2 or rows[-1].id != asked.row or not is_falling(rows):
            self.below_off = True
            return []
        held, read = set(self.below_held), set(self.recent)
        keep, met = [], False
        for index, row in enumerate(rows[:-1]):
            second = time_of(row)
            if second > self.unread_from or row.id in read:
                met = True  # this one was read from above, so what lies between was this page
            elif second >= self.low and row.id not in held:
                keep.append(index)
        if met:
            if not self.recent:
                self.newest = Anchor(rows[keep[0]].id, rows[keep[0] + 1].id) if keep else asked
            self.done, self.recent = True, []
            return keep
        if not keep:
            self.below_off = True
            return []
        newest, new = time_of(rows[0]), rows[:-1]
        ids = [row.id for row in new if row.created == newest]
        self.below_held = [*self.below_held, *ids] if newest == self.low else ids
        self.low, self.below = newest, Anchor(rows[0].id, rows[1].id)
        self.one_second = newest == time_of(new[-1])
        self.below_density = density_of(new)
        return keep


def density_of(rows: Sequence[RowPosition]) -> float:
    """Rows per second of a page. Many rows in one second (a billing run) count once: they say nothing of the
    seconds beside it."""
    newest, oldest = time_of(rows[0]), time_of(rows[-1])
    return 0.0 if newest == oldest else len({row.created for row in rows}) / (newest - oldest + 1)


def time_of(row: RowPosition) -> int:
    """When it was created. Raises `NotSortedByCreated` if it doesn't say so."""
    if row.created is None:
        raise NotSortedByCreated("a row without created")
    return row.created


def is_falling(rows: Sequence[RowPosition]) -> bool:
    """Whether every row has an id and a time, and none is newer than the one before it."""
    times: list[Any] = [row.created for row in rows]
    if None in times or "" in [row.id for row in rows]:
        return False
    return times == sorted(times, reverse=True)


def check(rows: Sequence[RowPosition], low: int, high: int | None) -> None:
    """The rows of a page from above lie in their window and never rise. Raises `NotSortedByCreated`."""
    if not rows:
        return
    if any(row.created is None or not row.id for row in rows):
        raise NotSortedByCreated("a row without created, or without an id")
    if not is_falling(rows) or time_of(rows[-1]) < low or (high is not None and time_of(rows[0]) > high):
        raise NotSortedByCreated("rows don't stand newest first by created")
