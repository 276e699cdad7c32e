"""Which folder a mirror is: the one that is named, or the one that the connection named last; and the lock of
who changes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from stripe_magics import _files
from stripe_magics.bulk.parquet_export import LOCK
from stripe_magics.errors import FileError, UsageFault

if TYPE_CHECKING:
    from stripe_magics.client.connection import Connection

_NAMED_LAST = "mirror"  # in Connection.extensions


def mirror_folder(target: str | Path, connection: Connection | None) -> Path:
    """The mirror that is meant: the target, or the one that this connection named last. Raises `UsageFault`
    if there is none, or if it can't be one."""
    if str(target):
        if Path(target).suffix in {".duckdb", ".db"} or Path(target).is_file():
            raise UsageFault(
                f"{target} can't be a mirror: a mirror is a folder. Nothing was read.",
                advice=(
                    f"%stripe sync FOLDER customers ... --export {target} brings a folder up to date and"
                    " writes it as a DuckDB file."
                ),
            )
        return Path(target)
    named = last_mirror(connection)
    if named is None:
        raise UsageFault(
            "Which mirror? None was named on this connection."
            if connection is not None
            else "Which mirror? None is remembered without a connection.",
            advice="--target FOLDER names one; `%stripe sync FOLDER customers ...` makes one.",
        )
    return named


def remember_mirror(mirror: Path, connection: Connection | None) -> None:
    """Let this be the mirror that the connection named last. Another connection has its own, so that no
    account is asked about in another one's rows."""
    if connection is not None:
        connection.extensions[_NAMED_LAST] = mirror.absolute()


def last_mirror(connection: Connection | None) -> Path | None:
    """The mirror that a connection named last, if it named any."""
    return connection.extensions.get(_NAMED_LAST) if connection is not None else None


def mirror_lock(mirror: Path) -> Any:
    """The lock of a mirror, which one process holds while it changes it."""
    try:
        mirror.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise FileError(f"{mirror} can't be made: {_files.reason(problem)}.") from problem
    return _files.lock(mirror / LOCK, purpose=f"The mirror {mirror}", wait=2.0)
