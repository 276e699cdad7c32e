"""A mirror under what goes wrong outside of it: kills in the middle of a write, clocks, events that show up
late."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bulk import killed_writes
from waiting import line, running

import stripe_magics as sm
from stripe_magics import bulk
from stripe_magics.bulk import mirror, sql_query
from stripe_magics.bulk.list_requests import list_request
from stripe_magics.bulk.mirror_storage import ListFolder
from stripe_magics.bulk.saved_cursor import request_digest
from stripe_magics.errors import FileError, UsageFault
from stripe_magics.frames import manifest as manifests

pytest.importorskip("duckdb", reason="the extra `duckdb` isn't installed")


def truth(server: Any) -> dict[str, str]:
    return {
        key: json.loads(body)["description"]
        for key, body in zip(server.ids, server.bodies, strict=True)
        if key not in server.gone
    }


def assert_same(target: Path, server: Any) -> None:
    frame = bulk.sql("select id, description from payment_intents", target=target)
    assert frame["id"].is_unique
    assert dict(zip(frame["id"], frame["description"], strict=True)) == truth(server)


def change(server: Any, connection: Any, at: int, *places: int) -> None:
    for place in places:
        server.change(place, at, version=connection.api_version, description=f"changed {place} {at}")
    server.events.sort(key=lambda each: each[0])


@pytest.fixture
def mirrored(listed: Callable[..., Any], tmp_path: Path) -> Any:
    server, connection = listed(count=260, latency=0.0)
    bulk.sync(tmp_path / "m", "payment_intents", connection=connection, quiet=True)
    return server, connection, tmp_path / "m"


def sync(mirrored: Any, **options: Any) -> Any:
    _, connection, target = mirrored
    return bulk.sync(target, "payment_intents", connection=connection, quiet=True, **options)


@pytest.mark.skipif(sys.platform != "linux", reason="what a file is called is asked of /proc")
def test_a_kill_at_a_write_leaves_nothing(listed: Callable[..., Any], tmp_path: Path) -> None:
    """A few of all writes; `tests/benchmarks/bulk_stops.py kills` is killed at every one."""
    server, connection = listed(count=260, latency=0.0)
    target = tmp_path / "m"
    with running(
        [sys.executable, killed_writes.__file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:

        def run(number: int, what: str = "sync") -> list[str]:
            parent.stdin.write(f"{target} {connection.base} {number} {what}\n")
            parent.stdin.flush()
            return line(parent.stdout).split()

        for number, what in ((9, "sync"), (0, "sync"), (3, "sync"), (8, "compact")):
            change(server, connection, int(time.time()), number, number + 30)
            ended = run(number, what)[0]
            assert ended == ("killed" if number else "ended")
            if (target / "payment_intents").exists():
                found = bulk.sql("select id from payment_intents", target=target)
                assert found["id"].is_unique
                assert len(found) == len(server.ids)
        assert run(0)[0] == "ended"
        parent.stdin.close()
    assert_same(target, server)
    seen = bulk.sync(target, verify=True)
    assert seen["complete"].all()
    assert seen["problems"].tolist() == [""]
    assert not list(target.rglob("*.tmp"))


def test_a_last_sync_in_the_future_is_no_time_to_go_on_from(mirrored: Any) -> None:
    """This machine's clock was ahead: what has changed since nobody knows, so the list is read whole."""
    server, connection, target = mirrored
    found = ListFolder(target / "payment_intents")
    assert found.manifest is not None
    ahead = {**found.details, "synced": int(time.time()) + 86_400}
    found._commit(found.manifest.files, "payment_intent", ahead)
    change(server, connection, int(time.time()), 5)
    result = sync(mirrored)
    assert result["how"].tolist() == ["whole"]
    assert "dated in the future" in result.attrs["stripe"]["notes"][0]
    assert_same(target, server)
    assert not sync(mirrored).attrs["stripe"].get("notes"), "the time is right again"


def test_an_event_that_shows_up_hours_late_is_not_lost(mirrored: Any) -> None:
    """A mirror that is synced every night looks at the last hours before its last time once more; at none
    from before it was pulled whole, since that is older than what was read then."""
    server, connection, target = mirrored
    now = int(time.time())

    def synced(hours: float, pulled: float) -> None:
        found = ListFolder(target / "payment_intents")
        assert found.manifest is not None
        times = {"synced": now - int(hours * 3600), "pulled": now - int(pulled * 3600)}
        found._commit(found.manifest.files, "payment_intent", {**found.details, **times})

    synced(24, 72)
    change(server, connection, now - 26 * 3600, 40)
    change(server, connection, now - 28 * 3600, 41)
    assert sync(mirrored)["changed"].tolist() == [1]
    synced(24, 24)
    server.paths.clear()
    sync(mirrored)
    (asked,) = [path for path in server.paths if path.startswith("/v1/events")]
    assert f"{now - 24 * 3600 - mirror.OVERLAP}" in asked
    synced(1, 72)
    server.paths.clear()
    sync(mirrored)
    (asked,) = [path for path in server.paths if path.startswith("/v1/events")]
    assert f"{now - 3600 - mirror.OVERLAP}" in asked, "one that is synced every hour reads ten minutes"


def test_another_version_is_no_version_to_add_rows_in(mirrored: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fields move between versions: rows of both in one list would have gaps that nobody sees. A pull that
    was begun in the one isn't gone on with in the other either."""
    server, connection, target = mirrored
    before = connection.api_version
    staging = target / ".payment_intents.pull"
    request = list_request(connection, "payment_intents")
    bulk.save(connection, request, staging / "parts", stop=lambda: True, typed=False)
    (staging / "began").write_text(f"{int(time.time())} test acct_1 {request_digest(request)}")
    monkeypatch.setattr(connection, "api_version", "2026-10-28.endive")
    monkeypatch.setattr(connection, "version_forced", True)
    change(server, connection, int(time.time()), 5)
    result = sync(mirrored)
    assert result["how"].tolist() == ["whole"]
    assert f"in API version {before}, and this" in result.attrs["stripe"]["notes"][0]
    assert_same(target, server)
    assert sync(mirrored)["how"].tolist() == ["changes"]


@pytest.mark.parametrize("name", ["payment_intents", "charges"])
def test_two_accounts_are_not_mixed_in_one_folder(
    mirrored: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Not even their different lists: a query would join the one's rows with the other's."""
    _, connection, target = mirrored
    monkeypatch.setattr(connection, "account", "acct_1Q2w3e4r5t6y7u8i")
    with pytest.raises(UsageFault, match=r"mirrors another account or mode \(test acct_1, payment_intents"):
        bulk.sync(target, name, connection=connection, quiet=True)
    assert not (target / "charges").exists()


def test_a_pulls_folder_beside_a_mirror_is_left_alone(mirrored: Any) -> None:
    server, connection, target = mirrored
    bulk.pull("charges", to=target, connection=connection, quiet=True, limit=100)
    change(server, connection, int(time.time()), 7)
    assert bulk.sync(target, connection=connection, quiet=True)["list"].tolist() == ["payment_intents"]
    assert_same(target, server)
    with pytest.raises(UsageFault, match=r"charges was written by a pull, not by sync\. Nothing was changed"):
        bulk.sync(target, "charges", connection=connection, quiet=True)


def test_a_reader_beside_a_sync_has_the_one_or_the_other(
    mirrored: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files that it was about to read are replaced, and removed, meanwhile."""
    server, connection, target = mirrored
    syncs = [5, 6]
    plain_query, plain_tables = sql_query.list_query, manifests.tables

    def changed_between() -> None:
        if syncs:
            change(server, connection, int(time.time()), syncs.pop())
            sync(mirrored)

    def query(folder: ListFolder) -> str:
        made = plain_query(folder)
        changed_between()
        return made

    def tables(*args: Any) -> Any:
        if sys._getframe(1).f_code is manifests.tables_as_they_are.__code__:
            changed_between()
        return plain_tables(*args)

    monkeypatch.setattr(sql_query, "list_query", query)
    assert_same(target, server)
    assert not syncs
    syncs.append(7)
    monkeypatch.setattr(manifests, "tables", tables)
    frame = sm.read_parquet(target / "payment_intents")
    assert dict(zip(frame["id"], frame["description"], strict=True)) == truth(server)
    assert not syncs
    next((target / "payment_intents").glob("*.parquet")).unlink()
    with pytest.raises(FileError, match="missing"):
        bulk.sql("from payment_intents", target=target)
    with pytest.raises(FileError, match="can't be read"):
        sm.read_parquet(target / "payment_intents")


def test_a_lock_that_cannot_be_written_is_an_error_of_ours(tmp_path: Path) -> None:
    """With a limit on the size of files, as on a full disk; in a process of its own."""
    pytest.importorskip("resource", reason="Windows has no limits of this kind")
    code = (
        "import resource, signal, sys\n"
        "from stripe_magics import _files\n"
        "from stripe_magics.errors import FileError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "try:\n"
        "    with _files.lock(sys.argv[1], purpose='The mirror'):\n"
        "        pass\n"
        "except FileError as problem:\n"
        "    print(problem.brief)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / ".lock")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "can't be locked: " in done.stdout
    assert "Traceback" not in done.stderr
