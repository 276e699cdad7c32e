"""A SQLite file of this user's, which several kernels open, perhaps for the first time and at the same
moment."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path

_PAUSE = 0.02


class _Database(sqlite3.Connection):
    """One that is closed with the object that holds it, where nobody closed it before: connections and
    watches are dropped without ceremony when a cell is run again."""

    def __del__(self) -> None:
        self.close()


def open_database(path: Path | None, *, wait: float, synchronous: str) -> sqlite3.Connection:
    """Open a file, or a database in memory for None, in autocommit mode; `wait` is how many seconds another
    process may hold it.

    The file is for this user alone, in write-ahead mode, and overwrites what is deleted. `synchronous` is
    SQLite's: FULL or NORMAL. Raises what sqlite3 raises, and `OSError`.
    """
    if path is None:
        return sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False, factory=_Database)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    path.chmod(0o600)
    database = sqlite3.connect(
        path, timeout=wait, isolation_level=None, check_same_thread=False, factory=_Database
    )
    try:
        _write_ahead(database, wait)
        database.execute(f"PRAGMA synchronous={synchronous}")
        database.execute("PRAGMA secure_delete=ON")
    except BaseException:
        database.close()
        raise
    return database


def _write_ahead(database: sqlite3.Connection, wait: float) -> None:
    """Two that change a new file's mode at once would wait for each other: SQLite refuses one of them at
    once, whatever its patience."""
    until = time.monotonic() + wait
    while True:
        try:
            database.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as problem:
            if problem.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(_PAUSE)
        else:
            return


def add_columns(database: sqlite3.Connection, table: str, columns: Mapping[str, str]) -> None:
    """Give a table of an older version the columns that it lacks: name -> declaration."""
    if columns.keys() <= _columns(database, table):
        return
    database.execute("BEGIN IMMEDIATE")
    try:
        for name in columns.keys() - _columns(database, table):  # another process may have been first
            database.execute(f"ALTER TABLE {table} ADD COLUMN {name} {columns[name]}")
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def _columns(database: sqlite3.Connection, table: str) -> set[str]:
    return {row[1] for row in database.execute(f"PRAGMA table_info({table})")}
