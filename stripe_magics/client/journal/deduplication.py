"""Is this write a new one, the continuation of an earlier one, or a repetition that must be asked for?

`find_continuation` answers for one write, given the journal's rows with the same body (or the same given key) in the same account:

- the earlier row: the write goes out under its key, so that Stripe carries it out at most once;
- None: it is new and gets a key of its own;
- an error: its end must be found out first, or the repetition must be asked for with `--again`.

    its row in this cell            within 23 h                     later
      end unknown                   same key                        refused: reconcile
      done (create, irreversible)   same key: Stripe's saved result refused without --again
      done (update), refused        new key                         new key
    the same call from elsewhere
      end unknown                   refused: resume or reconcile    refused: reconcile
      done, from a cell or a form   refused without --again         new key

An update that is done is made afresh, since replaying its saved answer would hide what changed in between. A call from Python without a cell
(a script's loop) is a new one each time, unless an identical one's end is unknown.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from stripe_magics.client.journal.journal import REPEAT_WINDOW, WINDOW, Operation
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
    """The operation to continue, or None for a new one. Raises `RepeatRefused` or `OutcomeUnknown`; nothing was sent by this call then."""
    same = [row for row in rows if row.body == requested.body and row.mode == requested.mode]
    if given:
        return _by_key(requested, rows, same, again=again, now=now, alive=alive)
    harmless = requested.effect in HARMLESS or requested.method == "DELETE"
    if requested.digest:
        own = [
            row
            for row in same
            if (row.cell, row.digest, row.nth) == (requested.cell, requested.digest, requested.nth)
        ]
        if own:
            last = own[-1]
            if not last.resolved:
                return _continue(last, now=now, alive=alive)
            if last.state in {"done", "absent"} and not harmless and not again:
                if last.state == "done" and now - last.first <= WINDOW:
                    return last
                raise repeated(last, now)
    for row in same:
        if not row.resolved and not alive(row) and not (requested.digest and _here(requested, row)):
            if harmless:
                return _continue(row, now=now, alive=alive)
            raise unresolved(row, now)
    if requested.digest and not harmless and not again:
        elsewhere = [row for row in same if not _here(requested, row) and now - row.first <= REPEAT_WINDOW]
        if elsewhere and (elsewhere[-1].state in {"done", "absent"} or alive(elsewhere[-1])):
            raise repeated(elsewhere[-1], now)
    return None


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
            f"This key belongs to operation {other[-1].number}, which was a different request and whose outcome isn't known. Nothing was sent.",
            advice=f"Find out first how it ended: {_how(other[-1])}",
            details=Details(operation=other[-1].number, idempotency_key=requested.key),
        )
    mine = [row for row in same if row.key == requested.key]
    if mine:
        last = mine[-1]
        if not last.resolved:
            return _continue(last, now=now, alive=alive)
        if now - last.first > WINDOW and not again and last.state in {"done", "absent"}:
            raise repeated(last, now)
        return last
    stuck = [row for row in same if not row.resolved and not alive(row)]
    if stuck and requested.effect not in HARMLESS:
        raise unresolved(stuck[-1], now)
    return None


def check_handler_write(requested: Operation, rows: list[Operation]) -> None:
    """Refuse the write of an event's handler that made another one at this point when it ran for the event before. Raises `RepeatRefused`."""
    others = [row for row in rows if row.key == requested.key and row.body != requested.body]
    if others:
        last = others[-1]
        end = f"made {last.result or 'its object'}" if last.state == "done" else "has an unknown outcome"
        raise RepeatRefused(
            f"For this event, the handler already sent another call at this point ({last.method} {last.path}, operation {last.number}), which {end}."
            " Nothing was sent now.",
            advice=f"Look at operation {last.number} (%stripe pending lists those that are open). A call of your own, outside of the handler, "
            "is not held up.",
        )


def _continue(row: Operation, *, now: float, alive: Callable[[Operation], bool]) -> Operation:
    if alive(row):
        raise RepeatRefused(
            f"This call is on its way already (operation {row.number}). Nothing was sent twice."
        )
    if now - row.first > WINDOW:
        raise unresolved(row, now)
    return row


def _how(row: Operation) -> str:
    return f"%stripe resume {row.number} or %stripe reconcile {row.number}"


def clock(when: float, now: float) -> str:
    """A time of today as 14:02, another as 2026-03-01 14:02; local time."""
    there, here = time.localtime(when), time.localtime(now)
    return time.strftime("%H:%M" if there[:3] == here[:3] else "%Y-%m-%d %H:%M", there)


def unresolved(row: Operation, now: float) -> OutcomeUnknown:
    """The refusal of a write while an identical one's end isn't known."""
    late = now - row.first > WINDOW
    advice = (
        f"It is too late to send it again under the same key (Stripe keeps keys for 24 hours). `%stripe reconcile {row.number}` looks for the object."
        if late
        else f"`%stripe resume {row.number}` asks Stripe again with the same key (cannot act twice). "
        f"`%stripe reconcile {row.number}` looks for the object."
    )
    return OutcomeUnknown(
        f"The same call was sent at {clock(row.first, now)} and its outcome isn't known (operation {row.number}). Nothing was sent now.",
        advice=advice,
        details=Details(operation=row.number, idempotency_key=row.key, maybe_executed=True),
    )


def repeated(row: Operation, now: float) -> RepeatRefused:
    """The refusal of a write that was made before."""
    if row.state == "absent":
        what = f"This call was tried at {clock(row.first, now)} and no object of it was found (operation {row.number})."
    elif row.state == "done":
        what = f"This very call was made at {clock(row.first, now)}{f': {row.result}' if row.result else ''} (operation {row.number})."
    else:
        what = f"This very call is being made by another kernel (operation {row.number})."
    error = RepeatRefused(
        f"{what} Nothing was sent.", advice="To make it once more, add --again (in Python: again=True)."
    )
    error.__dict__.update(operation=row.number, result=row.result)
    return error


def already(row: Operation, now: float) -> str:
    """What to say of a replayed result."""
    where = "this cell" if row.digest else "this call"
    did = {"create": "created", "irreversible": "made"}.get(row.effect, "made")
    return f"{where} {did} {row.result or 'its object'} at {clock(row.first, now)}; nothing new was made. --again makes it once more."
