"""Is this write a new one, the continuation of an earlier one, or a repetition that must be asked for?

`find_continuation` answers for one write, given the journal's rows with the same body (or the same given key)
in the same account:

- the earlier row: the write goes out under its key, so that Stripe carries it out at most once;
- None: it is new and gets a key of its own;
- an error: its outcome must be found out first, or the repetition must be asked for with `--again`.

It holds for every interface:

| A write is called again | within 23 hours | later |
|---|---|---|
| same place, outcome unknown | same key: it can't run twice | refused: `reconcile` |
| same place, done: a create, or what can't be undone | replayed: Stripe's saved result | needs `--again` |
| same place, done: an update or a deletion | made afresh | made afresh |
| same place, rejected by Stripe or not sent | made afresh | made afresh |
| another place, outcome unknown | refused: `resume` or `reconcile` first | refused: `reconcile` |
| another place, done: a create, or what can't be undone | needs `--again` | made (after 24 hours) |
| a script or a callback, which have no place: done | made | made |

The place of a `%stripe` line, a `%%stripe` cell and of `sm.call` in a cell is the cell, its text and the
call's occurrence in this run. A row of `--from` has the cell and its own content (without a cell, its
content); what is done there is reported as done, later too. Each submission of a form is a place of its own,
so that the same again is refused, and the form asks. An update that is done is made afresh, since its saved
answer would hide what changed in between. A key that a person gives (`--idempotency`) stands for the call
whatever its place.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from stripe_magics.client.journal.journal import WINDOW, Operation
from stripe_magics.client.journal.journal_entry import ROW, UNRESOLVED
from stripe_magics.errors import Details, IdempotencyConflict, OutcomeUnknown, RepeatRefused

HARMLESS = frozenset({"update", "read"})  # repeating one that may have been done changes nothing more


def find_continuation(
    requested: Operation,
    rows: list[Operation],
    *,
    given: bool,
    again: bool,
    now: float,
    alive: Callable[[Operation], bool],
) -> Operation | None:
    """The operation to continue, or None for a new one. Raises `RepeatRefused` or `OutcomeUnknown`; nothing
    was sent by this call then."""
    same = [row for row in rows if row.body == requested.body and row.mode == requested.mode]
    if given:
        return _by_key(requested, rows, same, again=again, now=now, alive=alive)
    harmless = requested.effect in HARMLESS or requested.method == "DELETE"
    stripe_now = requested.stripe_first  # it is asked for at this moment
    if requested.digest:
        own = [
            row
            for row in same
            if (row.cell, row.digest, row.nth) == (requested.cell, requested.digest, requested.nth)
        ]
        if own:
            last = own[-1]
            if not last.resolved and not (harmless and _overtaken(last, rows)):
                return _continue(last, now=now, stripe_now=stripe_now, alive=alive)
            if last.state in {"done", "absent"} and not harmless and not again:
                if last.state == "done" and last.age(now, stripe_now) <= WINDOW:
                    return last
                raise repeated(last, now)
    for row in same:
        if not row.resolved and not alive(row) and not _other_row(requested, row):
            if not harmless:
                raise unresolved(row, now, stripe_now)
            if not _overtaken(row, rows):
                return _continue(row, now=now, stripe_now=stripe_now, alive=alive)
    if requested.digest and not harmless and not again:
        elsewhere = [row for row in same if not _here(requested, row) and row.is_recent(now, stripe_now)]
        if elsewhere and (elsewhere[-1].state in {"done", "absent"} or alive(elsewhere[-1])):
            raise repeated(elsewhere[-1], now)
    return None


def _other_row(requested: Operation, row: Operation) -> bool:
    """Whether both are rows of one frame with the same content: each of them is meant. A cell that tries
    again in a loop isn't."""
    return requested.digest.startswith(ROW) and _here(requested, row)


def _overtaken(row: Operation, rows: list[Operation]) -> bool:
    """Whether something else was sent for the object after this change: its saved answer would no longer be
    the object's state."""
    return any(
        later.number > row.number
        and later.path == row.path
        and later.body != row.body
        and later.state in {"done", *UNRESOLVED}
        for later in rows
    )


def _here(requested: Operation, row: Operation) -> bool:
    return (row.cell, row.digest) == (requested.cell, requested.digest)


def _by_key(
    requested: Operation,
    rows: list[Operation],
    same: list[Operation],
    *,
    again: bool,
    now: float,
    alive: Callable[[Operation], bool],
) -> Operation | None:
    """A key was given: by a form, which has one for each submission, or by the user."""
    other = [row for row in rows if row.key == requested.key and row.body != requested.body]
    if other and not other[-1].resolved:
        raise IdempotencyConflict(
            f"This key belongs to operation {other[-1].number}, which was a different request and whose"
            " outcome isn't known. Nothing was sent.",
            advice=f"Find out first how it ended: {_how(other[-1])}",
            details=Details(operation=other[-1].number, idempotency_key=requested.key),
        )
    stripe_now = requested.stripe_first
    mine = [row for row in same if row.key == requested.key]
    if mine:
        last = mine[-1]
        if not last.resolved:
            return _continue(last, now=now, stripe_now=stripe_now, alive=alive)
        if last.age(now, stripe_now) > WINDOW and not again and last.state in {"done", "absent"}:
            raise repeated(last, now)
        return last
    stuck = [row for row in same if not row.resolved and not alive(row)]
    if stuck and requested.effect not in HARMLESS:
        raise unresolved(stuck[-1], now, stripe_now)
    return None


def check_handler_write(requested: Operation, rows: list[Operation]) -> None:
    """Refuse the write of an event's handler that made another one at this point when it ran for the event
    before. Raises `RepeatRefused`."""
    others = [row for row in rows if row.key == requested.key and row.body != requested.body]
    if others:
        last = others[-1]
        end = f"made {last.result or 'its object'}" if last.state == "done" else "has an unknown outcome"
        raise RepeatRefused(
            f"For this event, the handler already sent another call at this point ({last.method} {last.path},"
            f" operation {last.number}), which {end}. Nothing was sent now.",
            advice=(
                f"Look at operation {last.number} (%stripe pending lists those that are open). A call of your"
                " own, outside of the handler, is not held up."
            ),
        )


def _continue(
    row: Operation, *, now: float, stripe_now: float | None, alive: Callable[[Operation], bool]
) -> Operation:
    if alive(row):
        raise _under_way(
            row, f"This call is on its way already (operation {row.number}). Nothing was sent twice."
        )
    if row.age(now, stripe_now) > WINDOW:
        raise unresolved(row, now, stripe_now)
    return row


def _under_way(row: Operation, what: str) -> RepeatRefused:
    """The refusal while the same call is being sent: how that ends comes first, never a second one."""
    error = RepeatRefused(
        what, advice="Wait until it has ended. If it doesn't, `%stripe pending` lists it and how to find out."
    )
    error.__dict__.update(operation=row.number, result="", under_way=True)
    return error


def _how(row: Operation) -> str:
    return f"%stripe resume {row.number} or %stripe reconcile {row.number}"


def clock(when: float, now: float) -> str:
    """A time of today as 14:02, another as 2026-03-01 14:02; local time."""
    there, here = time.localtime(when), time.localtime(now)
    return time.strftime("%H:%M" if there[:3] == here[:3] else "%Y-%m-%d %H:%M", there)


def unresolved(row: Operation, now: float, stripe_now: float | None = None) -> OutcomeUnknown:
    """The refusal of a write while the outcome of an identical one is unknown."""
    late = row.age(now, stripe_now) > WINDOW
    advice = (
        "It is too late to send it again under the same key (Stripe keeps keys for 24 hours). `%stripe"
        f" reconcile {row.number}` looks for the object."
        if late
        else (
            f"`%stripe resume {row.number}` asks Stripe again with the same key (cannot act twice). "
            f"`%stripe reconcile {row.number}` looks for the object."
        )
    )
    return OutcomeUnknown(
        f"The same call was sent at {clock(row.first, now)} and its outcome isn't known (operation"
        f" {row.number}). Nothing was sent now.",
        advice=advice,
        details=Details(operation=row.number, idempotency_key=row.key, maybe_executed=True),
    )


def repeated(row: Operation, now: float) -> RepeatRefused:
    """The refusal of a write that was made before."""
    if row.state == "absent":
        what = (
            f"This exact call was tried at {clock(row.first, now)} and made nothing (operation {row.number});"
            " nothing was sent."
        )
    elif row.state == "done":
        what = (
            f"This exact call already ran at {clock(row.first, now)}"
            f" ({row.result + ', ' if row.result else ''}operation {row.number}), so nothing was sent."
        )
    else:
        return _under_way(
            row, f"This exact call is being sent elsewhere (operation {row.number}), so nothing was sent."
        )
    error = RepeatRefused(
        what, advice="Add --again to run it anyway (in Python: again=True; in a form: Send once more)."
    )
    error.__dict__.update(operation=row.number, result=row.result)
    return error


def already(row: Operation, now: float) -> str:
    """What to say of a replayed result."""
    where = "this cell" if row.from_cell else "this call"
    did = {"create": "created", "irreversible": "made"}.get(row.effect, "made")
    return (
        f"{where} {did} {row.result or 'its object'} at {clock(row.first, now)}; nothing new was made. Add"
        " --again to run it anyway."
    )
