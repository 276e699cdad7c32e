"""The events that were seen, on this machine: each once, secrets masked, for 30 days.

One SQLite file in the user's state folder, readable by its owner only, shared by all kernels; the sandbox has one in memory. Four tables:

- `event`: what came, by scope (mode and account) and id;
- `delivery`: who has handled it. A watch claims an event under its own name before its handlers run and marks it done after; a claim whose
  process has died is claimed again. So a handler gets each event at least once, and twice only if its kernel died in the middle;
- `mark`: up to where a watch has read Stripe's list, so that the next one begins there and no gap stays unnoticed;
- `holder`: which process goes by which name. Two kernels that watch at the same time under one name get a name each, so that neither takes
  the other's events; after a restart the name is free, and what was missed comes.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from stripe_magics._redaction import hide

KEPT = 30 * 86400  # seconds; as long as Stripe lists events

_LEASE = 3600.0  # seconds after which a process that has not been heard of counts as gone

_SCHEMA = """
CREATE TABLE IF NOT EXISTS event (
  scope TEXT NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, created INTEGER NOT NULL, livemode INTEGER NOT NULL,
  account TEXT NOT NULL, api_version TEXT NOT NULL, request_id TEXT NOT NULL, idempotency_key TEXT NOT NULL,
  object_id TEXT NOT NULL, received REAL NOT NULL, source TEXT NOT NULL, twin INTEGER NOT NULL, payload TEXT NOT NULL,
  PRIMARY KEY (scope, id)
);
CREATE INDEX IF NOT EXISTS event_created ON event (scope, created);
CREATE INDEX IF NOT EXISTS event_twin ON event (scope, type, object_id, created);
CREATE TABLE IF NOT EXISTS delivery (
  scope TEXT NOT NULL, name TEXT NOT NULL, id TEXT NOT NULL, created INTEGER NOT NULL, pid INTEGER NOT NULL, at REAL NOT NULL,
  done INTEGER NOT NULL,
  PRIMARY KEY (scope, name, id)
);
CREATE TABLE IF NOT EXISTS mark (
  scope TEXT NOT NULL, name TEXT NOT NULL, wanted TEXT NOT NULL, upto INTEGER NOT NULL, read_at REAL NOT NULL, PRIMARY KEY (scope, name, wanted)
);
CREATE TABLE IF NOT EXISTS holder (scope TEXT NOT NULL, name TEXT NOT NULL, pid INTEGER NOT NULL, at REAL NOT NULL, PRIMARY KEY (scope, name));
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """An event as it is kept. Times are unix seconds; `event` is Stripe's object with its secrets masked."""

    id: str
    type: str
    created: int
    received: float
    source: str  # "poll" or "listen"
    probable_duplicate: (
        bool  # another event of this type, object and second came before: most likely the same news
    )
    event: dict[str, Any]

    @property
    def object(self) -> dict[str, Any]:
        """The object as it was when the event was made; the one of today has to be fetched."""
        found: dict[str, Any] = self.event["data"]["object"]
        return found


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a watch stands: the newest event's time, and when the pass that read up to it began. Unix seconds."""

    upto: int
    read_at: float


class Store:
    """Events of one scope. `path=None`: in memory. Safe between threads and kernels."""

    def __init__(self, path: Path | None, scope: str, *, now: Callable[[], float] = time.time) -> None:
        self.scope, self.path, self.now = scope, path, now
        self._lock = threading.RLock()
        self._running: set[tuple[str, str]] = (
            set()
        )  # claims of this process: its own pid alone doesn't tell a live claim from a dead one
        if path is not None:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            path.chmod(0o600)
        self._db = sqlite3.connect(
            path or ":memory:", timeout=30, isolation_level=None, check_same_thread=False
        )
        if path is not None:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute(
                "PRAGMA synchronous=NORMAL"
            )  # what a power cut takes is read from Stripe again: the mark goes with it
            self._db.execute("PRAGMA secure_delete=ON")
        self._db.executescript(_SCHEMA)
        weakref.finalize(self, self._db.close).atexit = False

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except (
                BaseException
            ):  # Stop included: an open transaction would lock the file for every other kernel
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def add(self, events: Iterable[dict[str, Any]], *, source: str) -> list[str]:
        """Keep events; those that are there already are left as they are. Returns the ids that are new."""
        fresh: list[str] = []
        with self._transaction() as db:
            for event in events:
                if db.execute(
                    "SELECT 1 FROM event WHERE scope = ? AND id = ?", (self.scope, event["id"])
                ).fetchone():
                    continue
                row = self._row(event, source)
                probable_duplicate = db.execute(
                    "SELECT 1 FROM event WHERE scope = ? AND type = ? AND object_id = ? AND created = ? AND id <> ?",
                    (self.scope, event["type"], row[9], event["created"], event["id"]),
                ).fetchone()
                db.execute(
                    "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (*row, bool(probable_duplicate), json.dumps(hide(event))),
                )
                fresh.append(event["id"])
        return fresh

    def _row(self, event: dict[str, Any], source: str) -> tuple[Any, ...]:
        request = event.get("request")
        request = request if isinstance(request, dict) else {"id": request}
        return (
            *(
                self.scope,
                event["id"],
                event["type"],
                event["created"],
                bool(event.get("livemode")),
                str(event.get("account") or ""),
            ),
            *(
                str(event.get("api_version") or ""),
                str(request.get("id") or ""),
                str(request.get("idempotency_key") or ""),
            ),
            *(str(event["data"]["object"].get("id") or ""), self.now(), source),
        )

    def events(
        self, *, since: int = 0, matches: Callable[[str], bool] | None = None, most: int | None = None
    ) -> list[Stored]:
        """Events as they happened: by creation, within a second as they came; with `most`, the newest so many of them."""
        with self._lock:
            rows = self._db.execute(
                "SELECT id, type, created, received, source, twin, payload FROM event WHERE scope = ? AND created >= ? ORDER BY created DESC, rowid DESC",
                (self.scope, since),
            )
            found: list[Stored] = []
            for row in rows:
                if matches is None or matches(row[1]):
                    found.append(_stored(row))
                    if most is not None and len(found) >= most:
                        break
        return found[::-1]

    def get(self, id: str) -> Stored:
        """One event. Raises KeyError."""
        with self._lock:
            row = self._db.execute(
                "SELECT id, type, created, received, source, twin, payload FROM event WHERE scope = ? AND id = ?",
                (self.scope, id),
            ).fetchone()
        if row is None:
            raise KeyError(id)
        return _stored(row)

    def has(self, id: str) -> bool:
        """Whether the event was seen."""
        with self._lock:
            return (
                self._db.execute(
                    "SELECT 1 FROM event WHERE scope = ? AND id = ?", (self.scope, id)
                ).fetchone()
                is not None
            )

    def count(self, matches: Callable[[str], bool]) -> int:
        """How many events of the types that match are kept."""
        with self._lock:
            types = self._db.execute(
                "SELECT type, count(*) FROM event WHERE scope = ? GROUP BY type", (self.scope,)
            ).fetchall()
        return sum(int(count) for type, count in types if matches(type))

    # Who has handled what

    def claim(self, name: str, id: str, created: int) -> bool:
        """Take an event for the handlers of a watch. False: they had it, or somebody alive is at it."""
        with self._lock:  # mostly it was had before: no need to lock out other kernels to see that
            had = "SELECT 1 FROM delivery WHERE scope = ? AND name = ? AND id = ? AND done = 1"
            if self._db.execute(had, (self.scope, name, id)).fetchone():
                return False
        with self._transaction() as db:
            asked = "SELECT pid, at, done FROM delivery WHERE scope = ? AND name = ? AND id = ?"
            row = db.execute(asked, (self.scope, name, id)).fetchone()
            if row and (row[2] or (name, id) in self._running or _alive(row[0], row[1])):
                return False
            values = (self.scope, name, id, created, os.getpid(), time.time())
            db.execute("INSERT OR REPLACE INTO delivery VALUES (?, ?, ?, ?, ?, ?, 0)", values)
            self._running.add((name, id))
            return True

    def done(self, name: str, id: str) -> None:
        """The handlers have had it."""
        with self._transaction() as db:
            db.execute(
                "UPDATE delivery SET done = 1 WHERE scope = ? AND name = ? AND id = ?", (self.scope, name, id)
            )
            self._running.discard((name, id))

    def release(self, name: str, id: str) -> None:
        """The handlers were stopped: the event can be claimed again."""
        with self._lock:
            self._running.discard((name, id))

    def acquire_name(self, name: str) -> str:
        """Go by a name; with a number behind it if another process that lives goes by it. Said again now and then, it stays held."""
        with self._transaction() as db:
            rows = db.execute("SELECT name, pid, at FROM holder WHERE scope = ?", (self.scope,)).fetchall()
            taken = {held: _alive(pid, at) for held, pid, at in rows}
            ours = [
                held
                for held, pid, _ in rows
                if pid == os.getpid() and re.fullmatch(re.escape(name) + r"( \d+)?", held)
            ]
            numbered = (name if number == 1 else f"{name} {number}" for number in count(1))
            held = ours[0] if ours else next(each for each in numbered if not taken.get(each))
            db.execute(
                "INSERT OR REPLACE INTO holder VALUES (?, ?, ?, ?)",
                (self.scope, held, os.getpid(), time.time()),
            )
        return held

    def release_name(self, name: str) -> None:
        """Go by that name no longer."""
        with self._transaction() as db:
            db.execute(
                "DELETE FROM holder WHERE scope = ? AND name = ? AND pid = ?", (self.scope, name, os.getpid())
            )

    # Up to where a watch has read

    def mark(self, name: str, requested: str) -> Mark | None:
        """Up to where a watch of that name and choice has read the list; None: never."""
        with self._lock:
            row = self._db.execute(
                "SELECT upto, read_at FROM mark WHERE scope = ? AND name = ? AND wanted = ?",
                (self.scope, name, requested),
            ).fetchone()
        return Mark(*row) if row else None

    def set_mark(self, name: str, requested: str, upto: int, read_at: float) -> None:
        """Note a pass that went through; never backwards."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO mark VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET upto = max(upto, excluded.upto), read_at = excluded.read_at",
                (self.scope, name, requested, upto, read_at),
            )

    def purge(self, *, before: float | None = None) -> int:
        """Drop what is older than 30 days, or than `before` (unix seconds). Returns how many events went.

        Who has handled what is remembered for the 30 days all the same: an event that is read once more is no news.
        """
        oldest = self.now() - KEPT
        with self._transaction() as db:
            gone = db.execute(
                "DELETE FROM event WHERE scope = ? AND created < ?",
                (self.scope, oldest if before is None else before),
            ).rowcount
            db.execute("DELETE FROM delivery WHERE scope = ? AND created < ?", (self.scope, oldest))
        return gone

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()


def _stored(row: tuple[Any, ...]) -> Stored:
    id, type, created, received, source, probable_duplicate, payload = row
    return Stored(id, type, created, received, source, bool(probable_duplicate), json.loads(payload))


def _alive(pid: int, at: float) -> bool:
    """Whether another process that wrote this is still at it."""
    if pid == os.getpid() or time.time() - at > _LEASE:
        return False
    if os.name == "nt":
        return True  # signal 0 would end the process there: the lease has to do
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # there is one, of another user
        return True
    return True
