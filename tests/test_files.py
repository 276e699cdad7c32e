"""Atomic writes and locks: a file is whole or not there, a folder has one writer."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from waiting import joined, line, running

from stripe_magics import _files
from stripe_magics.errors import FileError


# stopped at the statement that closes the file, it is closed by the garbage collector, which says so
@pytest.mark.filterwarnings("ignore:.*:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_B61_a_write_is_whole_or_nothing_at_every_statement(tmp_path: Path) -> None:
    """Stop at each statement of the write: the file has the old content or the new one, and nothing else is
    left."""
    path = tmp_path / "file"
    for stop_at in range(1, 60):
        path.write_text("old")
        count = 0

        def tracer(frame: Any, event: str, argument: Any, stop_at: int = stop_at) -> Any:
            nonlocal count
            if frame.f_code.co_filename != _files.__file__:
                return None
            if event == "line":
                count += 1
                if count == stop_at:
                    raise KeyboardInterrupt
            return tracer

        sys.settrace(tracer)
        try:
            _files.write_atomically(path, "new")
        except KeyboardInterrupt:
            pass
        else:
            sys.settrace(None)
            assert stop_at > 10
            break
        finally:
            sys.settrace(None)
        assert path.read_text() in {"old", "new"}
        for each in tmp_path.iterdir():  # a kill may leave a temporary file; its name says what it is
            assert each == path or each.name.endswith(_files.TEMPORARY)
            if each != path:
                each.unlink()


@pytest.mark.parametrize("call", ["open", "fsync", "replace"])
def test_B64_a_full_disk_is_an_error_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def full(*_: Any, **__: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    target = {"open": _files, "fsync": os, "replace": Path}[call]
    monkeypatch.setattr(target, call, full, raising=False)
    with pytest.raises(FileError, match="file can't be written: No space left on device"):
        _files.write_atomically(path, b"new")
    monkeypatch.undo()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_B64_a_damaged_json_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text("{half")
    with pytest.raises(FileError, match=r"state\.json is damaged"):
        _files.read_json(path)
    with pytest.raises(FileNotFoundError):
        _files.read_json(tmp_path / "none")


def test_private_files_are_the_users_alone(tmp_path: Path) -> None:
    _files.write_atomically(tmp_path / "x", "y", private=True)
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o600


def test_a_pipe_is_written_into_and_a_link_leads_on(tmp_path: Path) -> None:
    """Under root a file renamed over a device or a pipe would put it out of use for the whole machine."""
    pipe, link, real = tmp_path / "pipe", tmp_path / "link", tmp_path / "elsewhere" / "real"
    os.mkfifo(pipe)
    heard: list[bytes] = []
    reader = threading.Thread(target=lambda: heard.append(pipe.read_bytes()), daemon=True)
    reader.start()
    _files.write_atomically(pipe, "new")
    reader.join(60)
    assert heard == [b"new"]
    assert pipe.is_fifo()

    real.parent.mkdir()
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    _files.write_atomically(link, "new")
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert real.stat().st_mode & 0o777 == 0o640, "who could read it still can, and nobody else"
    _files.write_atomically(link, "secret", private=True)
    assert (link.is_symlink(), real.read_text()) == (False, "new"), "a secret goes where no link can lead it"


def test_B62_a_lock_has_one_owner_and_says_who(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    with _files.lock(path, purpose="The mirror m"):
        with (
            pytest.raises(
                FileError, match=r"The mirror m is in use by another call in this kernel \(since .* UTC\)"
            ),
            _files.lock(path, purpose="The mirror m"),
        ):
            pass
        assert path.exists()
    assert not path.exists()
    with _files.lock(path, purpose="The mirror m"):
        pass


_HOLDER = """
import sys, time
from stripe_magics import _files
with _files.lock(sys.argv[1], purpose="x"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_B62_a_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    with running([sys.executable, "-c", _HOLDER, str(path)], stdout=subprocess.PIPE) as holder:
        assert line(holder.stdout) == b"held\n"
        with (
            pytest.raises(FileError, match=rf"in use by process {holder.pid} on "),
            _files.lock(path, purpose="x"),
        ):
            pass
    with _files.lock(path, purpose="x"):
        pass


def test_B62_threads_that_wait_have_it_one_at_a_time(tmp_path: Path) -> None:
    path, inside, most = tmp_path / ".lock", [0], [0]

    def work() -> None:
        for _ in range(20):
            with _files.lock(path, purpose="x", wait=30, sleep=lambda _: None):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for each in threads:
        each.start()
    joined(*threads)
    assert most == [1]
