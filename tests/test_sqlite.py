"""SQLite files that several kernels open at the same moment."""

from __future__ import annotations

import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from stripe_magics._sqlite import add_columns, open_database

OLD = "CREATE TABLE IF NOT EXISTS thing (id TEXT PRIMARY KEY)"


def at_once(path: Path, openers: int) -> list[Exception]:
    """Open a file in several threads that start together; what went wrong."""
    start, problems = threading.Barrier(openers), []

    def work() -> None:
        start.wait(60)
        try:
            database = open_database(path, wait=60, synchronous="NORMAL")
            database.executescript(OLD)
            add_columns(database, "thing", {"place": "REAL", "name": "TEXT"})
            database.execute("INSERT INTO thing VALUES (?, 1, 'x')", (str(threading.get_ident()),))
            database.close()
        except sqlite3.Error as problem:
            problems.append(problem)

    workers = [threading.Thread(target=work) for _ in range(openers)]
    for each in workers:
        each.start()
    for each in workers:
        each.join(60)
    return problems


def test_many_open_a_new_file_at_once(tmp_path: Path) -> None:
    for number in range(20):
        assert at_once(tmp_path / f"{number}.db", 6) == []


def test_a_file_of_an_older_version_gets_its_columns_once(tmp_path: Path) -> None:
    for number in range(5):
        path = tmp_path / f"{number}.db"
        with sqlite3.connect(path) as old:
            old.execute(OLD)
        old.close()
        assert at_once(path, 6) == []
        database = open_database(path, wait=1, synchronous="FULL")
        assert database.execute("SELECT count(*), count(place), count(name) FROM thing").fetchone() == (
            6,
            6,
            6,
        )
        database.close()


def test_it_is_for_this_user_alone_and_writes_ahead(tmp_path: Path) -> None:
    database = open_database(tmp_path / "a.db", wait=1, synchronous="FULL")
    assert stat.S_IMODE((tmp_path / "a.db").stat().st_mode) == 0o600
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert database.execute("PRAGMA secure_delete").fetchone() == (1,)
    assert database.execute("PRAGMA synchronous").fetchone() == (2,)
    database.close()


def test_what_is_held_for_longer_is_an_error(tmp_path: Path) -> None:
    holder = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        open_database(tmp_path / "a.db", wait=0.1, synchronous="FULL")
    holder.close()
