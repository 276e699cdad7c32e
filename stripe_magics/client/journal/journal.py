"""The journal: every write is on disk, with its idempotency key, before its first byte is sent.

So that no restart, interrupt or re-run can send it a second time under another key. One SQLite file in the
user's state folder (`STRIPE_MAGICS_STATE_DIR` moves it), readable by its owner only, safe between threads and
kernels. A row holds: the key, the method and path, a keyed hash of the body (the salt is a file beside it, so
that a body can't be guessed from its hash), when, which mode and which account (a keyed hash as well), how it
ended. It holds no API key and no body. For the case that the kernel dies while the write is on its way, the
body is kept sealed (seal.py) until the end is known; without the API key it can't be opened, and a body with
card data isn't kept at all.

States: armed (on its way) -> done | refused | not_sent | unknown; unknown -> done | refused | absent (looked
for, proven not to be there).
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

from stripe_magics._sqlite import add_columns, open_database
from stripe_magics.client.journal.journal_entry import REPEAT_WINDOW, UNRESOLVED, WINDOW, Operation, Origin
from stripe_magics.errors import NotSent

__all__ = ["REPEAT_WINDOW", "UNRESOLVED", "WINDOW", "Journal", "Operation", "Origin", "state_dir"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS operation (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL, scope TEXT NOT NULL, mode TEXT NOT NULL, account TEXT NOT NULL, version TEXT NOT NULL,
  module TEXT NOT NULL, effect TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL, body TEXT NOT NULL,
  cell TEXT NOT NULL, digest TEXT NOT NULL, nth INTEGER NOT NULL,
  first REAL NOT NULL, last REAL NOT NULL, pid INTEGER NOT NULL,
  state TEXT NOT NULL, attempts INTEGER NOT NULL, reason TEXT NOT NULL,
  status INTEGER NOT NULL, request_id TEXT NOT NULL, result TEXT NOT NULL, hints TEXT NOT NULL, sealed BLOB,
  stripe_first REAL, stripe_last REAL
);
CREATE INDEX IF NOT EXISTS operation_body ON operation (scope, body);
CREATE INDEX IF NOT EXISTS operation_key ON operation (scope, key);
CREATE INDEX IF NOT EXISTS operation_place ON operation (digest, nth);
CREATE INDEX IF NOT EXISTS operation_path ON operation (scope, path);
CREATE INDEX IF NOT EXISTS operation_state ON operation (state);
"""


_COLUMNS = tuple(each.name for each in fields(Operation))
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM operation"  # noqa: S608 - our own column names
_MATCHED = (
    "scope",
    "body",
    "digest",
    "cell",
    "digest",
    "nth",
    "scope",
    "body",
    "cell",
    "digest",
    "key",
    "scope",
    "key",
    "effect",
    "scope",
    "path",
)
# the open ones, the row of this very place, the last one from elsewhere, those with the key, the last change
# of this object
_WHERE = (
    "WHERE (scope = ? AND body = ? AND (state IN ('armed', 'unknown') OR (? != '' AND cell = ? AND digest = ?"
    " AND nth = ?))) OR number = (SELECT max(number) FROM operation WHERE scope = ? AND body = ? AND NOT"
    " (cell = ? AND digest = ?) AND state IN ('done', 'absent', 'armed')) OR (? != '' AND scope = ? AND key ="
    " ?) OR (? = 'update' AND number = (SELECT max(number) FROM operation WHERE scope = ? AND path = ? AND"
    " state IN ('done', 'armed', 'unknown'))) ORDER BY number"
)
_CANDIDATES = f"{_SELECT} {_WHERE}"
_INSERT = f"INSERT INTO operation ({', '.join(_COLUMNS[1:])}) VALUES ({', '.join('?' * len(_COLUMNS[1:]))})"  # noqa: S608


def state_dir() -> Path:
    """The folder of the journal; made if need be, for its owner only."""
    override = os.environ.get("STRIPE_MAGICS_STATE_DIR")
    if override:
        folder = Path(override)
    else:
        from platformdirs import user_state_path

        folder = user_state_path("stripe_magics", appauthor=False)
    problem = ""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as fault:
        problem = str(fault)
    if problem:
        raise _no_journal(folder, problem)
    return folder


_OF_PARENTS: list[sqlite3.Connection] = []
"""What a fork took over, open: SQLite's locks are as another thread of the parent may have held them."""


class Journal:
    """The journal of this machine's user, or, without a folder, one in memory (for the sandbox)."""

    def __init__(self, folder: Path | None, *, now: Callable[[], float] = time.time) -> None:
        self.now = now
        # numbers that this process is sending at this moment, each with its thread
        self.running: dict[int, int] = {}
        self._folder = folder
        self._lock = threading.RLock()
        self._db: sqlite3.Connection | None = None
        self._pid = 0
        self.salt = _salt(folder) if folder else secrets.token_bytes(32)
        self._runs: dict[tuple[str, str], tuple[int, set[int], dict[str, int]]] = {}

    def __reduce_ex__(self, protocol: object) -> str:
        raise TypeError("a journal can't be pickled or copied")

    @property
    def path(self) -> Path | None:
        """The file, or None in memory."""
        return self._folder / "journal.sqlite" if self._folder else None

    def _open(self) -> sqlite3.Connection:
        """The open file. Raises `NotSent` if there can be no journal: without one, nothing is written to
        Stripe."""
        if self._db is not None and self._pid == os.getpid():
            return self._db
        problem = ""
        try:
            return self._really_open()
        except (OSError, sqlite3.Error) as fault:
            problem = str(fault)
        raise _no_journal(self.path, problem)

    def _really_open(self) -> sqlite3.Connection:
        if self._db is not None:  # after a fork: the parent's handle must not be used, nor closed
            self.running = {}
            _OF_PARENTS.append(self._db)
        db = open_database(self.path, wait=30, synchronous="FULL")
        db.executescript(_SCHEMA)
        # of version 0.2: without
        add_columns(db, "operation", {"stripe_first": "REAL", "stripe_last": "REAL"})
        db.execute(
            "UPDATE operation SET sealed = NULL WHERE sealed IS NOT NULL AND first < ?",
            (self.now() - WINDOW,),
        )
        self._db, self._pid = db, os.getpid()
        return db

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            db = self._open()
            problem = ""
            # Stop may come between any two lines: an open transaction would lock the journal for every
            # kernel, this one too
            try:
                try:
                    if db.in_transaction:
                        db.execute("ROLLBACK")
                    db.execute("BEGIN IMMEDIATE")
                except sqlite3.Error as fault:
                    problem = str(fault)
                if not problem:
                    yield db
                    db.execute("COMMIT")
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")
            if problem:
                raise _no_journal(self.path, problem)

    def digest(self, *parts: str | bytes) -> str:
        """A keyed hash of what must be recognised but not kept."""
        mac = hmac.new(self.salt, digestmod=hashlib.sha256)
        for part in parts:
            data = part.encode() if isinstance(part, str) else part
            mac.update(len(data).to_bytes(8, "big") + data)
        return mac.hexdigest()

    def occurrence(self, origin: Origin, body: str) -> int:
        """Which occurrence of this body the call is in this run of its cell, from 1: a run again counts from
        the beginning."""
        if origin.nth:
            return origin.nth
        with self._lock:
            run, seen, counts = self._runs.setdefault((origin.cell, origin.digest), (origin.run, set(), {}))
            if run != origin.run or origin.ordinal in seen:
                seen, counts = set(), {}
                self._runs[origin.cell, origin.digest] = (origin.run, seen, counts)
            seen.add(origin.ordinal)
            counts[body] = counts.get(body, 0) + 1
            return counts[body]

    def claim(
        self, requested: Operation, choose_operation: Callable[[list[Operation]], Operation | None]
    ) -> Operation:
        """Find or make the row of a write, in one transaction, and mark it as on its way.

        `choose_operation` gets the earlier operations with the same body or key in this scope, oldest first;
        it returns the one that is continued, a new one (without a number; None: the one that was asked for),
        or raises. A row that this process is sending already is in `running`.
        """
        now = self.now()
        with self._transaction() as db:
            found = db.execute(_CANDIDATES, [getattr(requested, name) for name in _MATCHED]).fetchall()
            chosen = choose_operation([_operation(row) for row in found])
            if chosen is not None and chosen.number:
                db.execute(
                    "UPDATE operation SET pid = ?, last = ?, stripe_last = ?, sealed = CASE state WHEN 'done'"
                    " THEN NULL ELSE ? END, state = CASE state WHEN 'done' THEN 'done' ELSE 'armed' END WHERE"
                    " number = ?",
                    (os.getpid(), now, requested.stripe_last, requested.sealed, chosen.number),
                )
                number = chosen.number
            else:
                values = {
                    **_values(chosen or requested),
                    "first": now,
                    "last": now,
                    "pid": os.getpid(),
                    "state": "armed",
                }
                db.execute(_INSERT, [values[name] for name in _COLUMNS[1:]])
                number = int(db.execute("SELECT last_insert_rowid()").fetchone()[0])
            self.running[number] = threading.get_ident()
        return self.get(number)

    def record_result(
        self,
        number: int,
        state: str,
        *,
        status: int = 0,
        request_id: str = "",
        result: str = "",
        reason: str = "",
        attempts: int = 0,
        stripe_time: float | None = None,
    ) -> None:
        """Write down how an operation ended. What is done stays done; the sealed body goes as soon as the end
        is known."""
        with self._transaction() as db:
            db.execute(
                "UPDATE operation SET state = CASE WHEN state = 'done' THEN 'done' ELSE ? END, last = ?,"
                " stripe_last = coalesce(?, stripe_last), attempts = attempts + ?, reason = ?, status = ?,"
                " request_id = CASE ? WHEN '' THEN request_id ELSE ? END, result = CASE ? WHEN '' THEN result"
                " ELSE ? END, sealed = CASE WHEN ? IN ('armed', 'unknown') THEN sealed ELSE NULL END WHERE"
                " number = ?",
                (
                    state,
                    self.now(),
                    stripe_time,
                    attempts,
                    reason,
                    status,
                    request_id,
                    request_id,
                    result,
                    result,
                    state,
                    number,
                ),
            )

    def release(self, number: int) -> None:
        """This process no longer sends it."""
        self.running.pop(number, None)

    def get(self, number: int) -> Operation:
        """The operation of that number. Raises KeyError."""
        with self._lock:
            row = self._open().execute(f"{_SELECT} WHERE number = ?", (number,)).fetchone()
        if row is None:
            raise KeyError(number)
        return _operation(row)

    def pending(self, scope: str | None = None) -> list[Operation]:
        """Operations with an unknown outcome that nobody is sending, oldest first."""
        with self._lock:
            rows = (
                self._open()
                .execute(f"{_SELECT} WHERE state IN ('armed', 'unknown') ORDER BY number")
                .fetchall()
            )
        found = (_operation(row) for row in rows)
        return [each for each in found if (scope is None or each.scope == scope) and not self.alive(each)]

    def by_key(self, key: str) -> list[Operation]:
        """All operations with that idempotency key, oldest first."""
        with self._lock:
            rows = self._open().execute(f"{_SELECT} WHERE key = ? ORDER BY number", (key,)).fetchall()
        return [_operation(row) for row in rows]

    def last_at(self, scope: str, origin: Origin) -> Operation | None:
        """The last operation of a place that counts its own occurrences: a form's submission, a row."""
        values = (origin.digest, origin.nth, origin.cell, scope)
        where = "WHERE digest = ? AND nth = ? AND cell = ? AND scope = ? ORDER BY number DESC LIMIT 1"
        with self._lock:
            row = self._open().execute(f"{_SELECT} {where}", values).fetchone()
        return _operation(row) if row is not None else None

    def alive(self, operation: Operation) -> bool:
        """Whether somebody is sending it at this moment (a row that was armed and whose process is gone is
        not).

        A row of the very thread that asks isn't: Stop broke that sending off before it could say so.
        """
        thread = self.running.get(operation.number)
        if (
            thread is not None
            and thread != threading.get_ident()
            and any(each.ident == thread for each in threading.enumerate())
        ):
            return True
        if operation.state != "armed" or operation.pid == os.getpid():
            return False
        return self.now() - operation.last < 900 and _process_lives(operation.pid)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._db is not None and self._pid == os.getpid():
                self._db.close()
            self._db = None


def _no_journal(path: Path | None, problem: str) -> NotSent:
    return NotSent(
        f"Nothing was sent: the journal of writes can't be used ({problem}).",
        advice=f"Look at {path}, or set STRIPE_MAGICS_STATE_DIR to a folder that can be written.",
    )


def _process_lives(pid: int) -> bool:
    if os.name == "nt":
        return True  # there, signal 0 is Ctrl-C; the time limit of `alive` has to do
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # there is one, of another user
    except OSError:
        return False
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="latin-1").rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return True  # no /proc here: the signal has to do
    return state not in {"Z", "X"}  # killed, but its parent hasn't looked yet


def _salt(folder: Path) -> bytes:
    """The salt of this user's journal; made once, under a name of its own first so that two kernels never
    read half of it."""
    path = folder / "journal.salt"
    try:
        return path.read_bytes()
    except FileNotFoundError:
        temporary = folder / f".salt-{uuid.uuid4().hex}"
        descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)  # fails if another kernel was first
        except FileExistsError:
            return path.read_bytes()
        except OSError:  # a file system without hard links
            temporary.replace(path)
            return path.read_bytes()
        finally:
            temporary.unlink(missing_ok=True)
        return path.read_bytes()


def _operation(row: tuple[object, ...]) -> Operation:
    return Operation(**dict(zip(_COLUMNS, row, strict=True)))  # type: ignore[arg-type]


def _values(operation: Operation) -> dict[str, object]:
    return {name: getattr(operation, name) for name in _COLUMNS}
