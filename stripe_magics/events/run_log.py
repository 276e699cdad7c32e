"""What handlers have done with events: who is at it, what is done, what failed and why. In the store's file,
shared by all kernels.

A handler goes by a key that a cell run again, a restarted kernel and a second kernel have in common
(handlers.py), so each event is its business once, whoever is first. A claim whose process has died is claimed
again. States of a run:

    running -> done | failed (kept with its error, until it is retried)
    skipped: happened before the handler was registered
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from stripe_magics.client.journal.journal import _process_lives as process_lives
from stripe_magics.events.event_store import Store

_LEASE = 3600.0  # seconds after which a process counts as gone
# seconds before a handler's registration that count as after it: `created` has whole seconds, clocks differ
_MARGIN = 2
_HELD = 3600.0  # seconds for which a reading that broke off holds back what it has read so far

_running: set[tuple[str, str, str, str]] = set()
_running_lock = threading.Lock()
"""Claims of this process, whichever store made them: its own pid alone doesn't tell a live claim from one
that was broken off."""


@dataclass(frozen=True, slots=True)
class Run:
    """One handler and one event. Times are unix seconds; `trace` is a traceback without anything that looks
    like a key."""

    handler: str
    event: str
    type: str
    created: int
    at: float
    seconds: float
    state: str
    attempts: int
    error: str
    trace: str


@dataclass(frozen=True, slots=True)
class Due:
    """An event that a handler hasn't had."""

    created: int
    place: float
    row: int
    id: str
    type: str


class RunLog:
    """The runs of a store's scope."""

    def __init__(self, store: Store) -> None:
        self.store = store

    # --- since when events are a handler's business

    def register(self, handler: str, at: float) -> bool:
        """Note that a handler is there, from `at` on by this machine's clock. Whether it is new."""
        with self.store.transaction() as db:
            values = (self.store.scope, handler, at)
            return bool(db.execute("INSERT OR IGNORE INTO handler VALUES (?, ?, ?, NULL)", values).rowcount)

    def registered(self, handler: str) -> tuple[float, int | None]:
        """When it was first registered, and from which moment on events are its business (None: not decided
        yet)."""
        query = "SELECT registered, since FROM handler WHERE scope = ? AND key = ?"
        rows = self.store.select(query, self.store.scope, handler)
        return (float(rows[0][0]), rows[0][1]) if rows else (self.store.now(), None)

    def begins(self, handler: str, skew: float) -> int:
        """From which moment on events are its business, by Stripe's clock; `skew` is how far this machine's
        is ahead of it."""
        registered, since = self.registered(handler)
        return since if since is not None else max(0, int(registered - skew) - _MARGIN)

    def record_begin(self, handler: str, skew: float, *, matches: Callable[[str], bool]) -> None:
        """After the first reading since its registration: from now on its beginning is fixed, and what
        happened before is no news for it."""
        registered, since = self.registered(handler)
        if since is not None:
            return
        begin = self.begins(handler, skew)
        self.skip_known(handler, begin, int(registered - skew), matches=matches)
        with self.store.transaction() as db:
            db.execute(
                "UPDATE handler SET since = ? WHERE scope = ? AND key = ?", (begin, self.store.scope, handler)
            )

    def skip_known(self, handler: str, since: int, before: float, *, matches: Callable[[str], bool]) -> None:
        """What is known already of a stretch of time is no news for a handler."""
        known = self.store.select(
            "SELECT id, type, created FROM event WHERE scope = ? AND created >= ? AND created < ?",
            self.store.scope,
            since,
            before,
        )
        with self.store.transaction() as db:
            db.executemany(
                "INSERT OR IGNORE INTO run VALUES (?, ?, ?, ?, ?, 0, ?, 0, 'skipped', 0, '', '')",
                [
                    (self.store.scope, handler, id, type, created, self.store.now())
                    for id, type, created in known
                    if matches(type)
                ],
            )

    def reach_back(self, handler: str, since: int) -> None:
        """Make events since that moment its business too, skipped ones included."""
        with self.store.transaction() as db:
            db.execute(
                "UPDATE handler SET since = min(coalesce(since, ?), ?) WHERE scope = ? AND key = ?",
                (since, since, self.store.scope, handler),
            )
            db.execute(
                "DELETE FROM run WHERE scope = ? AND handler = ? AND state = 'skipped' AND created >= ?",
                (self.store.scope, handler, since),
            )

    # --- runs

    def due(self, handler: str, since: int, *, after_row: int = 0) -> list[Due]:
        """Events since that moment that the handler hasn't had. Pages of a reading that isn't at its end are
        held back: order is kept."""
        held = self.store.select(
            "SELECT min(first_row) FROM walk WHERE scope = ? AND at > ?",
            self.store.scope,
            self.store.now() - _HELD,
        )[0][0]
        rows = self.store.select(
            "SELECT created, place, rowid, id, type FROM event AS e WHERE scope = ? AND created >= ? AND"
            " rowid > ? AND (rowid < ? OR source = 'listen') AND NOT EXISTS (SELECT 1 FROM run WHERE"
            " run.scope = e.scope AND run.handler = ? AND run.id = e.id AND run.state IN ('done', 'failed',"
            " 'skipped')) ORDER BY created, place, rowid",
            self.store.scope,
            since,
            after_row,
            held if held is not None else 2**62,
            handler,
        )
        return [Due(*row) for row in rows]

    def claim(self, handler: str, id: str, type: str, created: int) -> bool:
        """Take an event for a handler. False: it had it, or somebody alive is at it."""
        mine = self._mine(handler, id)
        with _running_lock:
            if mine in _running:
                return False
            _running.add(mine)
        claimed = False
        try:
            claimed = self._claim(handler, id, type, created)
        finally:
            if not claimed:
                self._release(mine)
        return claimed

    def _claim(self, handler: str, id: str, type: str, created: int) -> bool:
        with self.store.transaction() as db:
            query = "SELECT pid, at, state, attempts FROM run WHERE scope = ? AND handler = ? AND id = ?"
            row = db.execute(query, (self.store.scope, handler, id)).fetchone()
            if row and (row[2] != "running" or _alive(row[0], row[1])):
                return False
            attempts = row[3] + 1 if row else 1
            values = (self.store.scope, handler, id, type, created, os.getpid(), time.time(), attempts)
            db.execute(
                "INSERT OR REPLACE INTO run VALUES (?, ?, ?, ?, ?, ?, ?, 0, 'running', ?, '', '')", values
            )
        return True

    def finish(self, handler: str, id: str, seconds: float, *, error: str = "", trace: str = "") -> None:
        """The handler has had it: done, or failed with an error."""
        with self.store.transaction() as db:
            db.execute(
                "UPDATE run SET state = ?, seconds = ?, error = ?, trace = ? WHERE scope = ? AND handler = ?"
                " AND id = ?",
                ("failed" if error else "done", seconds, error, trace, self.store.scope, handler, id),
            )
        self._release(self._mine(handler, id))

    def release(self, handler: str, id: str) -> None:
        """The handler was stopped: the event can be claimed again."""
        self._release(self._mine(handler, id))

    def runs(self, *, state: str = "", handler: str = "", most: int = 10_000) -> list[Run]:
        """Runs, the newest first; those of one state or one handler."""
        rows = self.store.select(
            "SELECT handler, id, type, created, at, seconds, state, attempts, error, trace FROM run WHERE"
            " scope = ? AND state <> 'skipped' AND (? = '' OR state = ?) AND (? = '' OR handler = ?) ORDER BY"
            " at DESC LIMIT ?",
            self.store.scope,
            state,
            state,
            handler,
            handler,
            most,
        )
        return [Run(*row) for row in rows]

    def reopen(self, *, state: str = "", id: str = "", since: int | None = None, handler: str = "") -> int:
        """Let handlers have events again: those of a state, one event, or all since a moment. Returns how
        many runs that are."""
        with self.store.transaction() as db:
            return db.execute(
                "DELETE FROM run WHERE scope = ? AND state <> 'running' AND (? = '' OR state = ?) AND (? = ''"
                " OR id = ?) AND created >= ? AND (? = '' OR handler = ?)",
                (self.store.scope, state, state, id, id, since or 0, handler, handler),
            ).rowcount

    def _mine(self, handler: str, id: str) -> tuple[str, str, str, str]:
        where = str(self.store.path) if self.store.path is not None else str(id_of(self.store))
        return where, self.store.scope, handler, id

    @staticmethod
    def _release(mine: tuple[str, str, str, str]) -> None:
        with _running_lock:
            _running.discard(mine)


def id_of(store: Store) -> int:
    """What tells two stores in memory apart."""
    return id(store)


def _alive(pid: int, at: float) -> bool:
    """Whether another process that wrote this is still at it. A claim of this process that it doesn't know of
    was broken off."""
    return pid != os.getpid() and time.time() - at <= _LEASE and process_lives(pid)
