"""Files that are whole or not there: atomic writes, checksums, and a lock that one process holds at a time.

- `write_atomically`: a temporary file of a unique name beside the target, flushed to the disk, then renamed
  over it. A full disk, a kill or Stop at any point leaves what was there before. `replace_whole` is the same
  for callers that take an `OSError`.
- `lock`: held by the operating system for the process that has it, so that it is free again when that process
  is gone, however it went.
  The file names its owner (process and host); it is removed when the lock is let go.
- What can't be read or written is a `FileError` that names the file.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import socket
import stat
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from stripe_magics.errors import FileError

TEMPORARY = ".tmp"  # what the names of unfinished files end in
_UNSUPPORTED = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}

Content = bytes | str | Callable[[IO[bytes]], object]
"""What stands in a file, or a function that writes into the open file."""


def write_atomically(path: str | Path, content: Content, *, private: bool = False) -> None:
    """As `replace_whole`, for a person's files: raises `FileError`, which names the file and says what to
    do."""
    try:
        replace_whole(path, content, private=private)
    except OSError as problem:
        if _is_special(_mode(path)):  # nothing stood there that could be unchanged
            raise FileError(f"{path} can't be written: {reason(problem)}.") from problem
        raise FileError(
            f"{_target(path, private=private)} can't be written: {reason(problem)}.",
            advice=(
                "What was there before is unchanged. Free some space or give another folder, then run the"
                " same again."
            ),
        ) from problem


def replace_whole(path: str | Path, content: Content, *, private: bool = False) -> None:
    """Write a file so that it is there whole or not at all, also after a power cut. Raises `OSError`.

    `private` makes it readable by this user alone. A link goes on leading where it leads, a file that was
    there keeps who may read it, and a device or a pipe is written into: nothing is ever renamed over them.
    """
    target, before = _target(path, private=private), _mode(path)
    if _is_special(before):
        with Path(path).open("wb") as file:  # no place beside it, and nothing that could be kept
            _fill(file, content)
        return
    temporary = temporary_name(target)
    try:
        with open(temporary, "xb", opener=_open_private if private else None) as file:
            if before is not None and not private:
                os.fchmod(file.fileno(), stat.S_IMODE(before))
            _fill(file, content)
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


def _target(path: str | Path, *, private: bool) -> Path:
    """What is replaced: where a link leads, but never the private file of another place."""
    return Path(path) if private else Path(os.path.realpath(path))


def _is_special(mode: int | None) -> bool:
    """Whether it is a device or a pipe."""
    return mode is not None and not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _mode(path: str | Path) -> int | None:
    """What stands at that path, links followed; None where nothing does."""
    try:
        return os.stat(path).st_mode  # noqa: PTH116 - a Path would be made only for this
    except OSError:
        return None


def _fill(file: IO[bytes], content: Content) -> None:
    if callable(content):
        content(file)
    else:
        file.write(content.encode() if isinstance(content, str) else content)
    file.flush()


def temporary_name(target: Path) -> Path:
    """A name beside the target that nobody else uses."""
    return target.with_name(f".{target.name}.{uuid.uuid4().hex}{TEMPORARY}")


def rename(path: Path, target: Path) -> None:
    """Put a finished file in place of another; the caller has to `sync_folder`. Raises `FileError`."""
    try:
        path.replace(target)
    except OSError as problem:
        raise FileError(f"{target} can't be replaced: {reason(problem)}.") from problem


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def sync_folder(folder: Path) -> None:
    """See to it that the names in a folder are on the disk, where the system can do that."""
    if os.name == "nt":  # folders can't be opened there; renames are journalled by the file system
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as problem:
        if problem.errno not in _UNSUPPORTED:
            raise
    finally:
        os.close(descriptor)


def read_json(path: str | Path, *, advice: str = "") -> Any:
    """A JSON file. Raises `FileNotFoundError`, or `FileError` if it can't be read or is damaged."""
    try:
        return json.loads(Path(path).read_bytes())
    except FileNotFoundError:
        raise
    except OSError as problem:
        raise FileError(f"{path} can't be read: {reason(problem)}.", advice=advice) from problem
    except ValueError as problem:
        raise FileError(f"{path} is damaged: it is not valid JSON.", advice=advice) from problem


def checksum(path: str | Path) -> str:
    """The SHA-256 of a file's content."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checksum_of(content: bytes) -> str:
    """The SHA-256 of a content, as `checksum` gives it for the file."""
    return hashlib.sha256(content).hexdigest()


def reason(problem: OSError) -> str:
    """What the operating system says, in a few words."""
    return problem.strerror or str(problem) or type(problem).__name__


# Locks ------------------------------------------------------------------------------------------------------
@contextmanager
def lock(
    path: str | Path, *, purpose: str, wait: float = 0.0, sleep: Callable[[float], object] = time.sleep
) -> Iterator[None]:
    """Hold a lock file while this lasts. Raises `FileError` that says who has it, if it isn't free within
    `wait` seconds.

    `purpose` is what the file's folder is used for, as a message says it: "the mirror DATA".
    """
    target = Path(path)
    deadline = time.monotonic() + wait
    while (file := _acquire(target)) is None:
        if time.monotonic() >= deadline:
            raise FileError(
                f"{purpose} is in use by {_owner(target)}. Nothing was changed.",
                advice="Wait until that has ended (or stop it), then run the same again.",
            )
        sleep(0.1)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # where an open file can't be removed it stays, and is free
            target.unlink(missing_ok=True)
        file.close()


def _acquire(path: Path) -> IO[bytes] | None:
    """The open and locked file, or None if somebody else has it."""
    try:
        file = path.open("a+b", buffering=0)  # what can't be written isn't tried again by `close`
    except OSError as problem:
        raise FileError(f"{path} can't be written: {reason(problem)}.") from problem
    try:
        if not (_try_lock(file) and _is_current(file, path)):  # else: let go by its last owner meanwhile
            file.close()
            return None
        owner = {"pid": os.getpid(), "host": socket.gethostname(), "since": datetime.now(UTC).isoformat()}
        file.seek(0)
        file.truncate()
        file.write(json.dumps(owner).encode())
    except BaseException as problem:
        file.close()
        if isinstance(problem, OSError):
            raise FileError(
                f"{path} can't be locked: {reason(problem)}.",
                advice="Free some space, or give a folder on this machine's own disk.",
            ) from problem
        raise
    return file


def _is_current(file: IO[bytes], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _try_lock(file: IO[bytes]) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(1 << 20)  # a byte beyond the owner's name, which others may read
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _owner(path: Path) -> str:
    try:
        owner = json.loads(path.read_bytes())
        pid, host, since = owner["pid"], owner["host"], str(owner["since"])[:19].replace("T", " ")
    except (OSError, ValueError, LookupError, TypeError):
        return "another process"
    if pid == os.getpid() and host == socket.gethostname():
        return f"another call in this kernel (since {since} UTC)"
    return f"process {pid} on {host} (since {since} UTC)"
