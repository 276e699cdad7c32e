"""`--engine dask`: one list over many accounts, read by workers with their own keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stripe_magics import bulk
from stripe_magics.errors import IncompleteList

Make = Callable[..., tuple[Any, Any]]


def test_dask_partitions_hold_no_key(listed: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    import pickle

    import dask

    server, connection = listed(count=120)
    monkeypatch.setenv("PULL_TEST_KEY", "sk_test_51CanaryCanaryCanaryCanaryCanaryCanaryCanary0001")
    connection.source = "environment variable PULL_TEST_KEY"
    lazy = bulk.pull(
        "payment_intents", accounts=[f"acct_{n}" for n in range(6)], engine="dask", connection=connection
    )
    assert server.requests == 0
    assert b"Canary" not in pickle.dumps(lazy.dask if hasattr(lazy, "dask") else lazy)
    with dask.config.set(scheduler="threads"):
        df = lazy.compute()
    assert len(df) == 6 * 120
    assert df["account"].nunique() == 6
    assert df["amount"].sum() == 6 * sum(json.loads(each)["amount"] for each in server.bodies)
    assert list(df.columns) == list(lazy.columns)
    assert {json.loads(text)["padding"] for text in df["other_fields"]} == {"x" * 60}


def test_a_dask_partition_reads_its_accounts_side_by_side(
    listed: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dask

    from stripe_magics.bulk import dask_frame

    server, connection = listed(count=250, latency=0.1)
    monkeypatch.setenv("PULL_TEST_KEY", "sk_test_51CanaryCanaryCanaryCanaryCanaryCanaryCanary0001")
    connection.source = "environment variable PULL_TEST_KEY"
    monkeypatch.setattr(dask_frame, "_threads", lambda: 1)
    lazy = bulk.pull(
        "payment_intents", accounts=[f"acct_{n}" for n in range(24)], engine="dask", connection=connection
    )
    assert lazy.npartitions == 2
    with dask.config.set(scheduler="synchronous"):
        df = lazy.compute()
    assert len(df) == 24 * 250
    assert server.most_open >= 4  # one after another, never more than one account's requests wait


def test_dask_names_the_account_that_failed(listed: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A partition can't say it in a note, so the whole fails, and says which account to leave out."""
    import dask

    from stripe_magics.bulk import dask_frame

    _, connection = listed(count=5)
    monkeypatch.setenv("PULL_TEST_KEY", "sk_test_51CanaryCanaryCanaryCanaryCanaryCanaryCanary0001")
    connection.source = "environment variable PULL_TEST_KEY"
    read_frame = dask_frame.read_frame

    def closed(connection: Any, request: Any, **options: Any) -> Any:
        if ("Stripe-Account", "acct_3") in request.headers:
            raise IncompleteList("It ended too early")
        return read_frame(connection, request, **options)

    monkeypatch.setattr(dask_frame, "read_frame", closed)
    lazy = bulk.pull(
        "payment_intents", accounts=[f"acct_{n}" for n in range(6)], engine="dask", connection=connection
    )
    with dask.config.set(scheduler="threads"), pytest.raises(IncompleteList, match=r"Account acct_3\."):
        lazy.compute()


def test_the_rate_is_split_over_what_can_run_at_once(listed: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    from stripe_magics.bulk import dask_frame

    _, connection = listed(count=1, rate=60.0)
    connection.source = "environment variable PULL_TEST_KEY"
    made: list[Any] = []
    monkeypatch.setattr("dask.dataframe.from_map", lambda function, parts, **options: made.extend(parts))
    for threads, accounts, rate in ((6, 100, 10.0), (6, 3, 20.0), (1, 5, 60.0)):
        made.clear()
        monkeypatch.setattr(dask_frame, "_threads", lambda threads=threads: threads)
        dask_frame.lazy_frame(connection, "payment_intents", [f"acct_{n}" for n in range(accounts)])
        assert {each.rate for each in made} == {rate}


def test_dask_on_a_cluster_of_processes(
    listed: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import subprocess
    import sys

    server, connection = listed(count=250)
    script = """
import os, sys
import pandas as pd
from distributed import Client, LocalCluster
from stripe_magics import bulk
from stripe_magics.client import shared_connection as connection

if __name__ == "__main__":
    workers = {"n_workers": 2, "threads_per_worker": 1, "processes": True}
    with LocalCluster(**workers, dashboard_address=None) as cluster, Client(cluster):
        made = connection.connect(env="PULL_TEST_KEY", api_base=sys.argv[1], rate=500)
        accounts = [f"acct_{n}" for n in range(5)]
        lazy = bulk.pull("payment_intents", accounts=accounts, engine="dask", connection=made)
        df = lazy.compute()
        print(len(df), df["account"].nunique(), int(df["amount"].sum()), df["created"].dtype)
"""
    (tmp_path / "work.py").write_text(script)
    env = {
        **__import__("os").environ,
        "PULL_TEST_KEY": "sk_test_51CanaryCanaryCanaryCanaryCanaryCanaryCanary0001",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    done = subprocess.run(
        [sys.executable, str(tmp_path / "work.py"), connection.base],
        capture_output=True,
        text=True,
        env=env,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    total = 5 * sum(json.loads(each)["amount"] for each in server.bodies)
    assert done.stdout.split() == ["1250", "5", str(total), "datetime64[us,", "UTC]"]
