"""B61-B64: whatever ends a pull or a sync, at whichever statement, the same again has every row, and
`complete` is only said of that."""

from __future__ import annotations

import errno
import gc
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bulk.statement_stops import StatementStops
from waiting import joined, line, running

from stripe_magics import _files, bulk
from stripe_magics.bulk import (
    common_schema,
    mirror,
    mirror_storage,
    parquet_export,
    read_strategies,
    saved_cursor,
    typed_parts,
)
from stripe_magics.bulk.list_requests import list_request
from stripe_magics.client.pagination import parallel_paginator
from stripe_magics.errors import FileError, StripeMagicsError
from stripe_magics.frames import builder, manifest, manifest_check

Make = Callable[..., tuple[Any, Any]]
SAVING = [
    each.__file__
    for each in (
        _files,
        manifest,
        manifest_check,
        parquet_export,
        saved_cursor,
        typed_parts,
        read_strategies,
        parallel_paginator,
        builder,
    )
]
MIRRORING = [
    each.__file__ for each in (_files, manifest, manifest_check, mirror_storage, common_schema, mirror)
]

# an exception between two statements leaves a file that was just opened to the garbage collector, which says
# so
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*:pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
]


def ids_in(folder: Path) -> list[str]:
    found = manifest.load(folder)
    assert found is not None
    names = [each.name for each in found.files]
    assert sorted(path.name for path in folder.glob("*.parquet")) == sorted(names)
    return [
        key for name in names for key in pq.read_table(folder / name, columns=["id"]).column("id").to_pylist()
    ]


def spread(count: int, most: int) -> list[int]:
    """All numbers up to `count`; where that is too many for the suite, `most` of them, others every day of
    the process."""
    return (
        list(range(1, count + 1))
        if count <= most
        else sorted(random.Random(count).sample(range(1, count + 1), most))
    )


@pytest.mark.parametrize("name", ["payment_intents", "payment_links"])
def test_B61_a_stop_at_any_statement_of_a_pull_loses_nothing(listed: Make, tmp_path: Path, name: str) -> None:
    """In windows of `created`, and by the cursor. Every statement of the saving path is a place to stop
    at."""
    server, connection = listed(count=1_200, latency=0.0)
    request = list_request(connection, name)
    stops = StatementStops(*SAVING)

    def pull(folder: Path) -> Any:
        return bulk.save(connection, request, folder, part_rows=400)

    lines = stops.lines_of(lambda: pull(tmp_path / "count"))
    stopped = 0
    for number in spread(lines, 45):
        folder = tmp_path / f"at-{number}"
        saved = None
        try:
            with stops.at(number):
                saved = pull(folder)
        except KeyboardInterrupt:
            pass
        stopped += bool(stops.where)
        if saved is not None and saved["complete"]:
            assert sorted(ids_in(folder)) == sorted(server.ids), stops.where
        again = pull(folder)
        assert again["complete"], stops.where
        assert again["rows"] == len(server.ids), stops.where
        assert sorted(ids_in(folder)) == sorted(server.ids), stops.where
    assert stopped > 30
    gc.collect()


def test_B61_a_stop_at_any_statement_of_a_sync_loses_nothing(
    listed: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole and by what changed, with changes beside the files and compacted now and then."""
    monkeypatch.setattr(mirror_storage, "MIN_MONTH_ROWS", 200)
    monkeypatch.setattr(mirror_storage, "MAX_REWRITE_ROWS", 30)
    server, connection = listed(count=600, latency=0.0)
    stops = StatementStops(*MIRRORING)
    target, chance = tmp_path / "m", random.Random(5)

    def sync() -> Any:
        return bulk.sync(target, "payment_intents", connection=connection, quiet=True)

    def change() -> None:
        now = int(time.time())
        for number in chance.sample(range(600), 8):
            if server.ids[number] not in server.gone:
                server.change(
                    number, now, version=connection.api_version, description=f"changed {chance.random()}"
                )
        server.delete(chance.randrange(600), now)
        server.create(now)

    def check(where: str) -> None:
        frame = bulk.sql("select id, description from payment_intents", target=target)
        theirs = {
            key: json.loads(body)["description"]
            for key, body in zip(server.ids, server.bodies, strict=True)
            if key not in server.gone
        }
        assert frame["id"].is_unique, where
        assert dict(zip(frame["id"], frame["description"], strict=True)) == theirs, where

    first = stops.lines_of(sync)
    change()
    later = stops.lines_of(sync)
    for number in [*spread(first, 10), *spread(later, 25)]:
        change()
        server.events.sort(key=lambda each: each[0])
        try:
            with stops.at(number):
                sync()
        except KeyboardInterrupt:
            pass
        result = sync()
        assert result["complete"].all(), stops.where
        check(stops.where)
        assert not bulk.sync(target, status=True).attrs["stripe"].get("notes"), stops.where
    gc.collect()


@pytest.mark.parametrize("at", range(1, 14, 2))
def test_B64_a_full_disk_at_any_write_is_named_and_loses_nothing(
    listed: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    server, connection = listed(count=2_000, latency=0.0)
    count = 0
    fsync = os.fsync

    def full(descriptor: int) -> None:
        nonlocal count
        count += 1
        if count >= at:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileError, match=r"can't be written: No space left on device"):
        bulk.save(connection, list_request(connection, "payment_intents"), tmp_path / "out", part_rows=500)
    monkeypatch.undo()
    assert bulk.save(connection, list_request(connection, "payment_intents"), tmp_path / "out")["complete"]
    assert sorted(ids_in(tmp_path / "out")) == sorted(server.ids)


def test_B61_rows_that_came_and_rows_that_are_written_must_agree(
    listed: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page whose rows get lost on the way is an error, never a short list."""
    _, connection = listed(count=1_000)
    add = builder.Builder.add
    pages = 0

    def losing(self: Any, page: bytes) -> int:
        nonlocal pages
        pages += 1
        count = add(self, page)
        if pages == 5:
            del self._objects[-3:]
        return count

    monkeypatch.setattr(builder.Builder, "add", losing)
    with pytest.raises(StripeMagicsError, match="rows"):
        bulk.save(connection, list_request(connection, "payment_intents"), tmp_path / "out")
    monkeypatch.undo()
    assert (
        bulk.save(connection, list_request(connection, "payment_intents"), tmp_path / "out")["rows"] == 1_000
    )


_PULL = """
import sys
from stripe_magics import bulk
from stripe_magics.bulk.list_requests import list_request
from stripe_magics.client import shared_connection as connections
from stripe_magics.client.secret import Secret

connection = connections.connect(secret=Secret(sys.argv[1]), api_base=sys.argv[2], rate=400.0)
print("ready", flush=True)
try:
    saved = bulk.save(connection, list_request(connection, "payment_intents"), sys.argv[3], part_rows=500)
    print("complete" if saved["complete"] else "stopped", saved["rows"], flush=True)
except KeyboardInterrupt:
    print("stopped", flush=True)
"""


def test_B61_real_signals_at_random_moments(listed: Make, tmp_path: Path) -> None:
    """A script of its own is stopped (SIGINT, once or twice) and killed; the benchmark does it 500 times."""
    server, _ = listed(count=3_000, latency=0.002)
    url = server_url(server)
    key = "sk_test_51CanaryCanaryCanaryCanaryCanaryCanaryCanary0001"
    chance = random.Random(3)
    folder = tmp_path / "out"
    for _ in range(6):
        with running(
            [sys.executable, "-c", _PULL, key, url, str(folder)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert line(process.stdout) == "ready\n"
            time.sleep(chance.uniform(0.0, 0.8))
            process.send_signal(chance.choice([signal.SIGINT, signal.SIGKILL]))
            said = process.communicate(timeout=60)[0]
        if said.startswith("complete"):
            assert sorted(ids_in(folder)) == sorted(server.ids)
    last = subprocess.run(
        [sys.executable, "-c", _PULL, key, url, str(folder)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert last.stdout.splitlines() == ["ready", "complete 3000"]
    assert sorted(ids_in(folder)) == sorted(server.ids)


def server_url(server: Any) -> str:
    from stripe_magics.client.shared_connection import current

    assert server is not None
    return current().base


# B62: two kernels -------------------------------------------------------------------------------------------
def test_B62_a_second_writer_is_shown_who_has_the_folder(listed: Make, tmp_path: Path) -> None:
    server, connection = listed(count=3_000, latency=0.02)
    request = list_request(connection, "payment_intents")
    begun, results = threading.Event(), list[Any]()

    def first() -> None:
        results.append(
            bulk.save(
                connection, request, tmp_path / "out", progress=lambda rows, _: begun.set(), part_rows=500
            )
        )

    thread = threading.Thread(target=first)
    thread.start()
    begun.wait(60)
    with pytest.raises(FileError, match=r"out is in use by another call in this kernel.*Nothing was changed"):
        bulk.save(connection, request, tmp_path / "out")
    joined(thread)
    assert results[0]["complete"]
    assert sorted(ids_in(tmp_path / "out")) == sorted(server.ids)


def test_B62_a_second_sync_is_shown_who_has_the_mirror(sandbox: Any, tmp_path: Path) -> None:
    with (
        _files.lock(tmp_path / ".lock", purpose="x"),
        pytest.raises(FileError, match="The mirror .* is in use by"),
    ):
        bulk.sync(tmp_path, "coupons", connection=sandbox, quiet=True)


# B63: files that aren't as they were written ----------------------------------------------------------------
@pytest.fixture
def mirrored(
    listed: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Any, Any, Path]]:
    monkeypatch.setattr(mirror_storage, "MIN_MONTH_ROWS", 1_000)
    server, connection = listed(count=3_000)
    bulk.sync(tmp_path / "m", "payment_intents", connection=connection, quiet=True)
    yield server, connection, tmp_path / "m"


def assert_whole(server: Any, target: Path) -> None:
    frame = bulk.sql("select id from payment_intents", target=target)
    assert sorted(frame["id"]) == sorted(key for key in server.ids if key not in server.gone)
    assert frame.attrs["stripe"]["complete"]


def damage(path: Path, how: str) -> None:
    content = path.read_bytes()
    if how == "missing":
        path.unlink()
    elif how == "truncated":
        path.write_bytes(content[: len(content) // 2])
    else:
        path.write_bytes(content[:100] + bytes(10) + content[110:])


@pytest.mark.parametrize("how", ["missing", "truncated", "damaged"])
def test_B63_a_hole_is_named_and_read_again(mirrored: tuple[Any, Any, Path], how: str) -> None:
    server, connection, target = mirrored
    files = sorted((target / "payment_intents").glob("*.parquet"))
    assert len(files) > 12  # by month
    damage(files[5], how)
    seen = bulk.sync(target, status=how != "damaged", verify=how == "damaged")
    assert seen["complete"].tolist() == [False]
    assert files[5].name in seen["problems"][0]
    if how != "damaged":  # a size is seen at once, a checksum when every byte is read
        with pytest.raises(FileError, match=rf"isn't whole: {files[5].name}"):
            bulk.sql("select count(*) from payment_intents", target=target)
    server.requests = 0
    result = bulk.sync(target, repair=how == "damaged", connection=connection, quiet=True)
    assert result["complete"].all()
    assert result["how"].tolist() == ["changes"]
    assert any(files[5].name in note for note in result.attrs["stripe"]["notes"])
    assert server.requests <= 12  # of the 30 pages that all of it has
    assert_whole(server, target)
    assert bulk.sync(target, verify=True)["complete"].all()


def test_B63_where_most_is_missing_it_is_pulled_whole(mirrored: tuple[Any, Any, Path]) -> None:
    server, connection, target = mirrored
    for each in sorted((target / "payment_intents").glob("*.parquet"))[:-3]:
        each.unlink()
    result = bulk.sync(target, connection=connection, quiet=True)
    assert result["how"].tolist() == ["whole"]
    assert result["complete"].all()
    assert_whole(server, target)


def test_B63_a_stray_copy_is_named_and_never_counted(mirrored: tuple[Any, Any, Path]) -> None:
    server, connection, target = mirrored
    file = next((target / "payment_intents").glob("*.parquet"))
    copy = file.with_name("copy of it.parquet")
    copy.write_bytes(file.read_bytes())
    seen = bulk.sync(target, status=True)
    assert "copy of it.parquet: not of this mirror" in seen["problems"][0]
    assert_whole(server, target)
    result = bulk.sync(target, connection=connection, quiet=True)
    assert "copy of it.parquet: not of this mirror" in result.attrs["stripe"]["notes"][0]
    assert result["rows"].tolist() == [3_000]
    assert copy.exists()


def test_B63_a_newer_version_is_left_alone(mirrored: tuple[Any, Any, Path]) -> None:
    _, connection, target = mirrored
    path = target / "payment_intents" / manifest.MANIFEST
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "version": 99}))
    for look in (
        lambda: bulk.sync(target, status=True),
        lambda: bulk.sync(target, connection=connection, quiet=True),
        lambda: bulk.sql("select 1", target=target),
    ):
        with pytest.raises(FileError, match=r"_manifest\.json was written by a newer version"):
            look()
    assert json.loads(path.read_text())["version"] == 99


@pytest.mark.parametrize("text", ["{half", "[]", '{"version": 2}', '{"version": "x"}'])
def test_B64_a_damaged_manifest_is_named(mirrored: tuple[Any, Any, Path], text: str) -> None:
    _, connection, target = mirrored
    (target / "payment_intents" / manifest.MANIFEST).write_text(text)
    for look in (
        lambda: bulk.sync(target, status=True),
        lambda: bulk.sync(target, connection=connection, quiet=True),
        lambda: bulk.sql("select 1", target=target),
    ):
        with pytest.raises(FileError, match=r"_manifest\.json is damaged"):
            look()


def test_B63_a_part_of_a_pull_that_is_gone_is_read_again(listed: Make, tmp_path: Path) -> None:
    server, connection = listed(count=2_000)
    request, out = list_request(connection, "payment_intents"), tmp_path / "out"
    bulk.save(connection, request, out, part_rows=500)
    (out / "part-00001.parquet").unlink()
    saved = bulk.save(connection, request, out, part_rows=500)
    assert saved["complete"]
    assert any("part-00001.parquet is missing" in note for note in saved["notes"])
    assert sorted(ids_in(out)) == sorted(server.ids)


# The format of version 0.2 ----------------------------------------------------------------------------------
def as_old_list(folder: Path, account: str, synced: int) -> None:
    """A list as version 0.2 kept it."""
    found = manifest.load(folder)
    assert found is not None
    for number, each in enumerate(found.files):
        (folder / each.name).rename(folder / f"part-{number:05}.parquet")
    state = {
        "account": account,
        "object": found.object_type,
        "cuts": [],
        "synced": synced,
        "rows": found.rows,
    }
    (folder / manifest.OLD_STATE).write_text(json.dumps(state))
    (folder / manifest.MANIFEST).unlink()


@pytest.mark.parametrize("hole", [False, True])
def test_an_old_mirror_is_read_and_its_holes_are_seen(mirrored: tuple[Any, Any, Path], hole: bool) -> None:
    server, connection, target = mirrored
    folder = target / "payment_intents"
    found = manifest.load(folder)
    assert found is not None
    as_old_list(folder, found.details["account"], found.details["synced"])
    if hole:
        (folder / "part-00004.parquet").unlink()
        assert "rows are there in place of 3,000" in bulk.sync(target, status=True)["problems"][0]
    else:
        assert_whole(server, target)
    result = bulk.sync(target, connection=connection, quiet=True)
    assert result["how"].tolist() == ["whole" if hole else "changes"]
    assert result["complete"].all()
    assert_whole(server, target)
    assert not (folder / manifest.OLD_STATE).exists()


def test_an_old_pull_goes_on(listed: Make, tmp_path: Path) -> None:
    server, connection = listed(count=3_000)
    request, out, seen = list_request(connection, "payment_intents"), tmp_path / "out", list[int]()
    bulk.save(
        connection,
        request,
        out,
        part_rows=500,
        progress=lambda rows, _: seen.append(rows),
        stop=lambda: len(seen) > 12,
    )
    found = manifest.load(out)
    assert found is not None
    assert 0 < found.rows < 3_000
    state = {
        "request": found.details["request"], "module": found.details["module"], "object": found.object_type,
        "parts": len(found.files),
        "rows": found.rows, "left": found.details["left"], "done": False, "marks": [],
    }  # fmt: skip
    (out / manifest.OLD_STATE).write_text(json.dumps(state))
    (out / manifest.MANIFEST).unlink()
    before = [(out / each.name).read_bytes() for each in found.files]
    saved = bulk.save(connection, request, out, typed=False)
    assert saved["complete"]
    assert saved["resumed"]
    assert sorted(ids_in(out)) == sorted(server.ids)
    assert [(out / each.name).read_bytes() for each in found.files] == before
    asked = server.requests
    assert bulk.save(connection, request, out)["rows"] == 3_000
    assert server.requests == asked
    assert sorted(ids_in(out)) == sorted(server.ids)
    assert pa.types.is_map(pq.read_schema(out / found.files[0].name).field("metadata").type)
