"""Events are kept once, for their owner only, without secrets; each is handled once by each watch."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from events.doubles import event
from waiting import PATIENCE, joined, line, running

from stripe_magics.events.event_store import KEPT, Store
from stripe_magics.events.run_log import RunLog


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "events.sqlite", "acct")


def test_the_same_event_three_times_is_one_row(store: Store) -> None:
    """T120"""
    assert [store.add([event("evt_1")], source="poll") for _ in range(3)] == [["evt_1"], [], []]
    assert store.count(lambda kind: True) == 1


def test_the_same_event_from_eight_threads_is_one_row(tmp_path: Path) -> None:
    """T120"""
    fresh: list[str] = []
    claimed: list[bool] = []
    begin = threading.Barrier(8)
    stores = [Store(tmp_path / "events.sqlite", "acct") for _ in range(4)] * 2

    def add(store: Store) -> None:
        begin.wait(PATIENCE)
        fresh.extend(store.add([event("evt_1")], source="poll"))
        claimed.append(RunLog(store).claim("watch", "evt_1", "invoice.paid", 1))

    threads = [threading.Thread(target=add, args=(each,)) for each in stores]
    for each in threads:
        each.start()
    joined(*threads)
    assert fresh == ["evt_1"]
    assert stores[0].count(lambda kind: True) == 1
    assert claimed.count(True) == 1, "one of the threads handles it"


def test_an_older_event_that_comes_later_stands_before(store: Store) -> None:
    """T120"""
    store.add([event("evt_b", "invoice.paid", 20), event("evt_c", "invoice.paid", 20)], source="poll")
    store.add([event("evt_a", "invoice.paid", 10)], source="listen")
    assert [each.id for each in store.events()] == ["evt_a", "evt_b", "evt_c"]
    assert [each.id for each in store.events(most=2)] == ["evt_b", "evt_c"]
    assert [each.source for each in store.events()] == ["listen", "poll", "poll"]


def test_a_probable_duplicate_is_kept_and_flagged(store: Store) -> None:
    store.add(
        [event("evt_1", id="in_1"), event("evt_2", id="in_1"), event("evt_3", id="in_2")], source="poll"
    )
    assert [(each.id, each.probable_duplicate) for each in store.events()] == [
        ("evt_1", False),
        ("evt_2", True),
        ("evt_3", False),
    ]


def test_secrets_are_not_kept(store: Store, tmp_path: Path) -> None:
    store.add(
        [event("evt_1", "payment_intent.created", client_secret="pi_1_secret_verysecret")], source="poll"
    )
    store.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"evt_1" in kept
    assert b"verysecret" not in kept


@pytest.mark.skipif(os.name == "nt", reason="no such permissions there")
def test_only_the_owner_reads_the_file(tmp_path: Path) -> None:
    store = Store(tmp_path / "events.sqlite", "acct")
    store.add([event("evt_1")], source="poll")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert "events.sqlite" in modes
    assert set(modes.values()) == {0o600}


def test_accounts_are_kept_apart(tmp_path: Path) -> None:
    one, other = (Store(tmp_path / "events.sqlite", scope) for scope in ("one", "other"))
    one.add([event("evt_1")], source="poll")
    assert other.add([event("evt_1")], source="poll") == ["evt_1"]
    assert RunLog(one).claim("watch", "evt_1", "invoice.paid", 1)
    assert RunLog(other).claim("watch", "evt_1", "invoice.paid", 1)


def test_an_event_is_claimed_once_by_each_handler(store: Store) -> None:
    runs = RunLog(store)
    assert runs.claim("a", "evt_1", "invoice.paid", 1)
    assert not runs.claim("a", "evt_1", "invoice.paid", 1), "somebody is at it"
    assert runs.claim("b", "evt_1", "invoice.paid", 1)
    runs.finish("a", "evt_1", 0.1)
    assert not runs.claim("a", "evt_1", "invoice.paid", 1)
    runs.release("b", "evt_1")
    assert runs.claim("b", "evt_1", "invoice.paid", 1), "stopped in the middle, it comes again"


def test_a_claim_of_another_store_of_the_same_file_counts(tmp_path: Path) -> None:
    one, other = (RunLog(Store(tmp_path / "events.sqlite", "acct")) for _ in range(2))
    assert one.claim("a", "evt_1", "invoice.paid", 1)
    assert not other.claim("a", "evt_1", "invoice.paid", 1)
    one.finish("a", "evt_1", 0.1)
    assert not other.claim("a", "evt_1", "invoice.paid", 1)


def test_a_claim_of_a_dead_kernel_is_claimed_again(tmp_path: Path) -> None:
    """B88"""
    script = (
        "import sys, pathlib; from stripe_magics.events.event_store import Store; from"
        " stripe_magics.events.run_log import RunLog; r = RunLog(Store(pathlib.Path(sys.argv[1]), 'acct'));"
        " print(r.claim('watch', 'evt_1', 'a.b', 1), r.claim('watch', 'evt_2', 'a.b', 1)); r.finish('watch',"
        " 'evt_2', 1)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "events.sqlite")],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert done.stdout.split() == ["True", "True"]
    runs = RunLog(Store(tmp_path / "events.sqlite", "acct"))
    assert runs.claim("watch", "evt_1", "a.b", 1)
    assert not runs.claim("watch", "evt_2", "a.b", 1)


def test_a_claim_of_a_living_kernel_is_left_to_it(tmp_path: Path) -> None:
    """B88: a second kernel inherits marks and claims."""
    path = tmp_path / "events.sqlite"
    script = (
        "import sys, pathlib; from stripe_magics.events.event_store import Store; from"
        " stripe_magics.events.run_log import RunLog; r = RunLog(Store(pathlib.Path(sys.argv[1]), 'acct'));"
        " print(r.claim('h', 'evt_1', 'a.b', 1), flush=True); sys.stdin.readline()"
    )
    runs = RunLog(Store(path, "acct"))
    with running(
        [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert line(other.stdout).strip() == "True"
        assert not runs.claim("h", "evt_1", "a.b", 1)
        other.kill()
    assert runs.claim("h", "evt_1", "a.b", 1), "it was killed in the middle"


def test_coverage_goes_forward_and_grows_where_stretches_meet(store: Store) -> None:
    """B89"""
    assert store.coverage("*") is None
    store.cover("*", 10, 100, 5.0)
    store.cover("*", 60, 90, 6.0)
    coverage = store.coverage("*")
    assert coverage is not None
    assert (coverage.since, coverage.upto, coverage.read_at) == (10, 100, 6.0)
    store.cover("*", 200, 300, 7.0)
    coverage = store.coverage("*")
    assert coverage is not None
    assert (coverage.since, coverage.upto) == (200, 300), "what lies between was not read"
    assert store.coverage("invoice.*") is None


def test_purge(store: Store) -> None:
    now = 2_000_000_000
    store.now = lambda: now
    store.add(
        [event("evt_old", "invoice.paid", now - KEPT - 1), event("evt_new", "invoice.paid", now - KEPT + 1)],
        source="poll",
    )
    assert store.purge() == 1
    assert [each.id for each in store.events()] == ["evt_new"]
    assert store.purge(before=now) == 1


def test_an_unknown_event(store: Store) -> None:
    assert not store.has("evt_1")
    with pytest.raises(KeyError):
        store.get("evt_1")
