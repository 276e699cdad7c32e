"""The events that were seen, on this machine: each once, secrets masked, for 30 days.

One SQLite file in the user's state folder, readable by its owner only, shared by all kernels; the sandbox has
one in memory. Tables:

- `event`: what came, by scope (mode and account) and id;
- `handler`: when a handler was first registered, and from which moment on events are its business;
- `run`: what a handler has done with an event (run_log.py);
- `coverage`: which stretch of time of Stripe's list has been read, by name of type or group, whatever watch
  read it;
- `walk`: a reading of the list that was begun and broke off, with its cursor, so that the next one goes on
  there.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stripe_magics._json import JsonObject
from stripe_magics._redaction import hide
from stripe_magics._sqlite import add_columns, open_database
from stripe_magics.client.journal.event_evidence import causing_request

KEPT = 30 * 86400  # seconds; as long as Stripe lists events

_SCHEMA = """
CREATE TABLE IF NOT EXISTS event (
  scope TEXT NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, created INTEGER NOT NULL,
  livemode INTEGER NOT NULL, account TEXT NOT NULL, api_version TEXT NOT NULL,
  request_id TEXT NOT NULL, idempotency_key TEXT NOT NULL,
  object_id TEXT NOT NULL, received REAL NOT NULL, source TEXT NOT NULL, twin INTEGER NOT NULL,
  payload TEXT NOT NULL, place REAL NOT NULL DEFAULT 0,
  PRIMARY KEY (scope, id)
);
CREATE INDEX IF NOT EXISTS event_created ON event (scope, created);
CREATE INDEX IF NOT EXISTS event_twin ON event (scope, type, object_id, created);
CREATE TABLE IF NOT EXISTS handler (
  scope TEXT NOT NULL, key TEXT NOT NULL, registered REAL NOT NULL, since INTEGER, PRIMARY KEY (scope, key)
);
CREATE TABLE IF NOT EXISTS run (
  scope TEXT NOT NULL, handler TEXT NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL,
  created INTEGER NOT NULL, pid INTEGER NOT NULL, at REAL NOT NULL, seconds REAL NOT NULL,
  state TEXT NOT NULL, attempts INTEGER NOT NULL, error TEXT NOT NULL, trace TEXT NOT NULL,
  PRIMARY KEY (scope, handler, id)
);
CREATE TABLE IF NOT EXISTS coverage (
  scope TEXT NOT NULL, name TEXT NOT NULL, since INTEGER NOT NULL, upto INTEGER NOT NULL,
  read_at REAL NOT NULL, PRIMARY KEY (scope, name)
);
CREATE TABLE IF NOT EXISTS walk (
  scope TEXT NOT NULL, name TEXT NOT NULL, since INTEGER NOT NULL, newest INTEGER NOT NULL,
  cursor TEXT NOT NULL, first_row INTEGER NOT NULL, seen INTEGER NOT NULL, at REAL NOT NULL,
  PRIMARY KEY (scope, name)
);
"""
_STORED = "SELECT rowid, id, type, created, received, source, twin, payload FROM event"


@dataclass(frozen=True, slots=True)
class Stored:
    """An event as it is kept. Times are unix seconds; `event` is Stripe's object with its secrets masked."""

    row: int  # grows with every event that is kept
    id: str
    type: str
    created: int
    received: float
    source: str  # "poll" or "listen"
    probable_duplicate: (
        bool  # another event of this type, object and second came before: most likely the same news
    )
    event: JsonObject

    @property
    def object(self) -> JsonObject:
        """The object as it was when the event was made; the one of today has to be fetched."""
        found: JsonObject = self.event["data"]["object"]
        return found


@dataclass(frozen=True, slots=True)
class ReadCoverage:
    """The stretch of Stripe's list that has been read, and when the last reading of it began. Unix
    seconds."""

    since: int
    upto: int
    read_at: float


@dataclass(frozen=True, slots=True)
class Walk:
    """A reading of the list that isn't at its end: from when on, the newest event that it saw, the last id
    that was kept."""

    since: int
    newest: int
    cursor: str
    first_row: int
    seen: int  # events so far


class Store:
    """Events of one scope. `path=None`: in memory. Safe between threads and kernels."""

    def __init__(self, path: Path | None, scope: str, *, now: Callable[[], float] = time.time) -> None:
        self.scope, self.path, self.now = scope, path, now
        self.lock = threading.RLock()
        self._database: sqlite3.Connection | None = None
        self._open()

    @property
    def database(self) -> sqlite3.Connection:
        """The open file; a watch whose connection was closed opens it again to show what it has."""
        return self._database if self._database is not None else self._open()

    def _open(self) -> sqlite3.Connection:
        # what a power cut takes is read from Stripe again: the coverage goes with it
        database = open_database(self.path, wait=5, synchronous="NORMAL")
        database.executescript(_SCHEMA)
        add_columns(database, "event", {"place": "REAL NOT NULL DEFAULT 0"})
        self._database = database
        return database

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction that no other kernel can come between."""
        with self.lock:
            self.database.execute("BEGIN IMMEDIATE")
            try:
                yield self.database
            except BaseException:
                # Stop included: an open transaction would lock the file for every other kernel
                self.database.execute("ROLLBACK")
                raise
            self.database.execute("COMMIT")

    def select(self, query: str, *values: object) -> list[Any]:
        """The rows of a query."""
        with self.lock:
            return self.database.execute(query, values).fetchall()

    # --- events

    def add(self, events: Iterable[JsonObject], *, source: str, places: Iterable[float] = ()) -> list[str]:
        """Keep events; those that are there already are left as they are. Returns the ids that are new.

        `places` says for each where it stands within its second; without, as they come.
        """
        fresh: list[str] = []
        given = list(places)
        with self.transaction() as db:
            for number, event in enumerate(events):
                if db.execute(
                    "SELECT 1 FROM event WHERE scope = ? AND id = ?", (self.scope, event["id"])
                ).fetchone():
                    continue
                row = self._row(event, source)
                probable_duplicate = db.execute(
                    "SELECT 1 FROM event WHERE scope = ? AND type = ? AND object_id = ? AND created = ? AND"
                    " id <> ?",
                    (self.scope, event["type"], row[9], event["created"], event["id"]),
                ).fetchone()
                db.execute(
                    "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        *row,
                        bool(probable_duplicate),
                        json.dumps(hide(event)),
                        given[number] if given else self._next_place(db),
                    ),
                )
                fresh.append(event["id"])
        return fresh

    @staticmethod
    def _next_place(db: sqlite3.Connection) -> float:
        return float(db.execute("SELECT coalesce(max(rowid), 0) + 1 FROM event").fetchone()[0])

    def _row(self, event: JsonObject, source: str) -> tuple[Any, ...]:
        request = causing_request(event)
        return (
            self.scope,
            event["id"],
            event["type"],
            event["created"],
            bool(event.get("livemode")),
            str(event.get("account") or ""),
            str(event.get("api_version") or ""),
            str(request.get("id") or ""),
            str(request.get("idempotency_key") or ""),
            str(event["data"]["object"].get("id") or ""),
            self.now(),
            source,
        )

    def events(
        self,
        *,
        since: int = 0,
        after_row: int = 0,
        matches: Callable[[str], bool] | None = None,
        keep: Callable[[JsonObject], bool] | None = None,
        most: int | None = None,
    ) -> list[Stored]:
        """Events as they happened: by creation, within a second as they came; with `most`, the newest so many
        of them.

        `matches` chooses by type, `keep` by the event itself.
        """
        found: list[Stored] = []
        with self.lock:
            rows = self.database.execute(
                f"{_STORED} WHERE scope = ? AND created >= ? AND rowid > ? ORDER BY created DESC, place DESC,"
                " rowid DESC",
                (self.scope, since, after_row),
            )
            for row in rows:
                if matches is not None and not matches(row[2]):
                    continue
                stored = _stored(row)
                if keep is None or keep(stored.event):
                    found.append(stored)
                    if most is not None and len(found) >= most:
                        break
        return found[::-1]

    def get(self, id: str) -> Stored:
        """One event. Raises KeyError."""
        rows = self.select(f"{_STORED} WHERE scope = ? AND id = ?", self.scope, id)
        if not rows:
            raise KeyError(id)
        return _stored(rows[0])

    def has(self, id: str) -> bool:
        """Whether the event was seen."""
        return bool(self.select("SELECT 1 FROM event WHERE scope = ? AND id = ?", self.scope, id))

    def count(self, matches: Callable[[str], bool]) -> int:
        """How many events of the types that match are kept."""
        rows = self.select("SELECT type, count(*) FROM event WHERE scope = ? GROUP BY type", self.scope)
        return sum(int(count) for type, count in rows if matches(type))

    def last_row(self) -> int:
        """The row of the event that was kept last; 0 without any."""
        return int(self.select("SELECT coalesce(max(rowid), 0) FROM event WHERE scope = ?", self.scope)[0][0])

    # --- which stretch of the list has been read

    def coverage(self, name: str) -> ReadCoverage | None:
        """What has been read of a type, a group or everything (its name in the filter). None: nothing yet."""
        rows = self.select(
            "SELECT since, upto, read_at FROM coverage WHERE scope = ? AND name = ?", self.scope, name
        )
        return ReadCoverage(*rows[0]) if rows else None

    def cover(self, name: str, since: int, upto: int, read_at: float) -> None:
        """Note a reading that came to its end. A stretch that doesn't meet the one before takes its place."""
        with self.transaction() as db:
            row = db.execute(
                "SELECT since, upto FROM coverage WHERE scope = ? AND name = ?", (self.scope, name)
            ).fetchone()
            if row is not None:
                since = min(since, row[0]) if since <= row[1] else since
                upto = max(upto, row[1])
            db.execute(
                "INSERT OR REPLACE INTO coverage VALUES (?, ?, ?, ?, ?)",
                (self.scope, name, since, upto, read_at),
            )

    def walk(self, name: str) -> Walk | None:
        """The reading that broke off, of that choice."""
        rows = self.select(
            "SELECT since, newest, cursor, first_row, seen FROM walk WHERE scope = ? AND name = ?",
            self.scope,
            name,
        )
        return Walk(*rows[0]) if rows else None

    def walked(self, name: str, walk: Walk) -> None:
        """Note where a reading stands, once the page before is kept."""
        with self.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO walk VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    self.scope,
                    name,
                    walk.since,
                    walk.newest,
                    walk.cursor,
                    walk.first_row,
                    walk.seen,
                    self.now(),
                ),
            )

    def end_walk(self, name: str) -> None:
        """That reading is at its end, or can't be gone on with."""
        with self.transaction() as db:
            db.execute("DELETE FROM walk WHERE scope = ? AND name = ?", (self.scope, name))

    # ---

    def purge(self, *, before: float | None = None) -> int:
        """Drop what is older than 30 days, or than `before` (unix seconds). Returns how many events went.

        What handlers have done is remembered for the 30 days all the same: an event that is read once more is
        no news.
        """
        oldest = self.now() - KEPT
        with self.transaction() as db:
            gone = db.execute(
                "DELETE FROM event WHERE scope = ? AND created < ?",
                (self.scope, oldest if before is None else before),
            ).rowcount
            db.execute("DELETE FROM run WHERE scope = ? AND created < ?", (self.scope, oldest))
        return gone

    def close(self) -> None:
        """Close the file; what is in memory stays as long as somebody looks at it."""
        with self.lock:
            if self.path is not None and self._database is not None:
                self._database.close()
                self._database = None


def _stored(row: tuple[Any, ...]) -> Stored:
    number, id, type, created, received, source, probable_duplicate, payload = row
    return Stored(number, id, type, created, received, source, bool(probable_duplicate), json.loads(payload))
