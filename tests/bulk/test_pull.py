"""Pulls over HTTP: whole, under faults, stopped, resumed, limited."""

from __future__ import annotations

import dataclasses
import json
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal
from waiting import joined

import stripe_magics as sm
from stripe_magics import bulk
from stripe_magics.bulk.list_frame import read_frame
from stripe_magics.bulk.list_requests import list_request
from stripe_magics.client.pagination import parallel_paginator as engine
from stripe_magics.errors import StripeError, UnknownName, UsageFault
from stripe_magics.frames import manifest, parquet
from stripe_magics.pipeline import call

Make = Callable[..., tuple[Any, Any]]


def test_a_whole_list_newest_first(listed: Make) -> None:
    server, connection = listed(count=5000)
    df = call("payment_intents.list", limit="all", connection=connection)
    assert df["id"].tolist() == server.ids
    assert df.attrs["stripe"]["complete"] is True
    assert server.requests <= 1.6 * 50
    assert not server.refused
    assert not [each for each in threading.enumerate() if each.name == "stripe-pull"]


def test_a_pulled_frame_says_what_a_listed_one_says(listed: Make) -> None:
    """Whose it is and what was asked for, a secret in a filter masked."""
    _, connection = listed(count=3)
    request = list_request(connection, "payment_intents")
    asked = dataclasses.replace(request, params=(*request.params, ("customer", "pi_3X_secret_AbCdEf12")))
    about = read_frame(connection, asked).attrs["stripe"]
    assert "AbCdEf12" not in repr(about)
    own = call("payment_intents.list", limit="all", connection=connection).attrs["stripe"]
    same = ("object", "api_version", "account", "mode", "livemode", "zone", "units", "module")
    assert [about.get(name) for name in same] == [own.get(name) for name in same]


def test_a_hundred_or_fewer_cost_one_request(listed: Make) -> None:
    server, connection = listed(count=100)
    assert len(call("payment_intents.list", limit="all", connection=connection)) == 100
    assert server.requests == 1


def test_a_limit_takes_the_newest_and_says_so(listed: Make) -> None:
    server, connection = listed(count=8000)
    df = call("payment_intents.list", limit=2500, connection=connection)
    assert df["id"].tolist() == server.ids[:2500]
    assert df.attrs["stripe"]["complete"] is False
    assert server.requests <= 40
    server.requests = 0
    assert call("payment_intents.list", limit=250, connection=connection)["id"].tolist() == server.ids[:250]
    assert server.requests == 3


def test_get_of_a_list_goes_the_same_way(listed: Make) -> None:
    server, connection = listed(count=3000)
    from stripe_magics.parsing import parse

    df = call(parse("get /v1/payment_intents --limit all"), connection=connection)
    assert df["id"].tolist() == server.ids
    assert any("created" in each for each in server.paths)


def test_the_users_own_dates_hold(listed: Make) -> None:
    server, connection = listed(count=5000)
    low, high = server.created[4000], server.created[500]
    df = read_frame(
        connection, list_request(connection, pulls_command(f"-d created[gte]={low} -d created[lt]={high}"))
    )
    expected = [key for key, at in zip(server.ids, server.created, strict=True) if low <= at < high]
    assert df["id"].tolist() == expected
    assert all("created" in each or each.startswith("/v1/account") for each in server.paths)


def pulls_command(flags: str) -> Any:
    from stripe_magics.parsing import parse

    return parse(f"payment_intents list --limit all {flags}")


def test_faults_lose_nothing(listed: Make) -> None:
    server, connection = listed(count=6000, errors=0.03, drops=0.02)
    df = read_frame(connection, list_request(connection, "payment_intents"))
    assert df["id"].tolist() == server.ids


def test_pages_become_smaller_where_large_ones_fail_and_large_again(listed: Make) -> None:
    server, connection = listed(count=9000)
    answer, asked = server.answer, iter(range(10_000))

    def failing(path: str, query: dict[str, str]) -> tuple[int, bytes]:
        # by all that is asked: how many large pages are tried then is the reader's affair
        bad_time = 5 < next(asked) < 80
        if query.get("limit") == "100" and bad_time:
            return 500, b'{"error":{"type":"api_error","message":"An unknown error occurred"}}'
        return answer(path, query)

    server.answer = failing
    df = read_frame(connection, list_request(connection, "payment_intents"))
    assert df["id"].tolist() == server.ids
    sizes = [each.rpartition("limit=")[2] for each in server.paths]
    assert "50" in sizes
    assert sizes[-20:].count("100") > 10


def test_deletions_while_reading(listed: Make) -> None:
    server, connection = listed(count=8000, latency=0.02)
    import random

    chance = random.Random(3)
    stop = threading.Event()

    def delete() -> None:
        while not stop.is_set():
            server.gone.update(chance.choices(server.ids[100:], k=40))
            time.sleep(0.005)

    thread = threading.Thread(target=delete)
    thread.start()
    try:
        df = read_frame(connection, list_request(connection, "payment_intents"))
    finally:
        stop.set()
        joined(thread)
    assert df["id"].is_unique
    assert set(server.ids) - server.gone <= set(df["id"])


def test_a_rate_that_is_known_is_never_refused(listed: Make) -> None:
    server, connection = listed(count=3000, rate=100, latency=0.05)
    server.rate, server.burst = 100.0, 40.0  # more than ours: this machine may be busy
    assert len(read_frame(connection, list_request(connection, "payment_intents"))) == 3000
    assert server.refused == 0


def test_a_rate_that_is_not_known_is_learned(listed: Make) -> None:
    server, connection = listed(count=4000, rate=200)
    server.rate, server.burst = 25.0, 5.0
    df = read_frame(connection, list_request(connection, "payment_intents"))
    assert df["id"].tolist() == server.ids
    assert 0 < server.refused < server.requests * 0.6


def test_an_error_that_stays_is_reported_with_the_rows_so_far(listed: Make) -> None:
    server, connection = listed(count=5000)
    answer = server.answer

    def failing(path: str, query: dict[str, str]) -> tuple[int, bytes]:
        if server.requests > 20:
            return 403, b'{"error":{"type":"invalid_request_error","message":"no longer allowed"}}'
        return answer(path, query)

    server.answer = failing
    with pytest.raises(StripeError, match="incomplete") as caught:
        call("payment_intents.list", limit="all", connection=connection)
    assert 0 < len(caught.value.frame) < 5000
    assert caught.value.frame.attrs["stripe"]["complete"] is False


def test_stop_gives_back_the_rows_so_far_and_how_to_go_on(
    listed: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, connection = listed(count=20_000, latency=0.03)

    class StoppedQueue(queue.SimpleQueue):
        """Stop comes while the 20th page is waited for; others wait behind it."""

        taken = 0

        def get(self, *args: Any, **options: Any) -> Any:
            StoppedQueue.taken += 1
            if StoppedQueue.taken == 20:
                time.sleep(0.2)
                raise KeyboardInterrupt
            return super().get(*args, **options)

    # the engine's alone: the threads that find addresses have queues, too
    monkeypatch.setattr(engine, "queue", SimpleNamespace(SimpleQueue=StoppedQueue, Empty=queue.Empty))
    df = call("payment_intents.list", limit="all", connection=connection)
    about = df.attrs["stripe"]
    assert about["complete"] is False
    assert 1000 < len(df) < 20_000
    note = next(each for each in about["notes"] if "not complete" in each)
    since = int(note.split("created[lt]=")[1].split(".")[0])
    whole = [key for key, at in zip(server.ids, server.created, strict=True) if at >= since]
    assert whole
    assert set(whole) <= set(df["id"])


def test_a_list_that_is_not_sorted_is_read_by_its_cursor(listed: Make) -> None:
    server, connection = listed(count=3000)
    chance = __import__("random").Random(1)
    for number in range(150, 3000):
        body = json.loads(server.bodies[number])
        body["created"] = server.created[0] - chance.randrange(10**7)
        server.bodies[number] = json.dumps(body).encode()
    df = call("payment_intents.list", limit="all", connection=connection)
    assert sorted(df["id"]) == sorted(server.ids)


# --to FOLDER ------------------------------------------------------------------------------------------------
def test_parts_are_the_same_frame(listed: Make, tmp_path: Path) -> None:
    server, connection = listed(count=4000)
    request = list_request(connection, "payment_intents")
    saved = bulk.save(connection, request, tmp_path / "out", part_rows=1000)
    assert saved["rows"] == 4000
    assert saved["complete"]
    assert saved["parts"] >= 4
    frame = parquet.read(tmp_path / "out")
    direct = read_frame(connection, request)
    frame.attrs, direct.attrs = {}, {}
    assert_frame_equal(frame, direct)
    plain = pd.read_parquet(tmp_path / "out")
    assert len(plain) == 4000
    before = server.requests
    assert bulk.save(connection, request, tmp_path / "out")["rows"] == 4000
    assert server.requests == before


def test_a_killed_pull_goes_on(listed: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server, connection = listed(rate=60.0, count=9000)
    request = list_request(connection, "payment_intents")
    written = []
    write = manifest.write_file

    class Killed(BaseException):
        pass

    def killing(folder: Path, table: Any, name: str) -> Any:
        written.append(write(folder, table, name))
        if len(written) == 4:
            raise Killed  # the part is there, the manifest doesn't name it
        return written[-1]

    monkeypatch.setattr(manifest, "write_file", killing)
    with pytest.raises(Killed):
        bulk.save(connection, request, tmp_path / "out", part_rows=1000)
    monkeypatch.setattr(manifest, "write_file", write)
    (tmp_path / "out" / "part-00099.parquet.tmp").write_bytes(b"half")
    first = server.requests
    saved = bulk.save(connection, request, tmp_path / "out", part_rows=1000)
    assert saved["complete"]
    ids = pd.concat(
        pq.read_table(each).to_pandas()["id"] for each in sorted((tmp_path / "out").glob("*.parquet"))
    )
    assert sorted(ids) == sorted(server.ids)
    assert first < 90
    assert server.requests <= 1.8 * 90


def test_a_stopped_pull_to_a_folder_goes_on(listed: Make, tmp_path: Path) -> None:
    server, connection = listed(count=6000)
    request = list_request(connection, "payment_intents")
    seen = []
    saved = bulk.save(
        connection,
        request,
        tmp_path / "out",
        progress=lambda rows, _: seen.append(rows),
        stop=lambda: len(seen) > 10,
    )
    assert not saved["complete"]
    assert "run the same again" in bulk.summary(saved, "x").attrs["stripe"]["notes"][0]
    assert bulk.save(connection, request, tmp_path / "out")["rows"] == 6000
    assert sorted(parquet.read(tmp_path / "out")["id"]) == sorted(server.ids)


def test_another_pulls_folder_is_left_alone(listed: Make, tmp_path: Path) -> None:
    _, connection = listed(count=200)
    bulk.pull("payment_intents", to=tmp_path, connection=connection)
    with pytest.raises(UsageFault, match="another pull"):
        bulk.save(connection, list_request(connection, "charges"), tmp_path / "payment_intents")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("x")
    with pytest.raises(UsageFault, match="isn't an empty folder"):
        bulk.save(connection, list_request(connection, "charges"), tmp_path / "mine")


def test_the_name_of_another_kind_of_file_makes_no_folder(listed: Make, tmp_path: Path) -> None:
    server, connection = listed(count=20)
    for name in ("customers.csv", "customers.XLSX", "customers.json"):
        with pytest.raises(UsageFault, match="writes a folder of Parquet files"):
            bulk.save(connection, list_request(connection, "payment_intents"), tmp_path / name)
    assert server.requests == 0
    assert not list(tmp_path.iterdir())
    assert bulk.save(connection, list_request(connection, "payment_intents"), tmp_path / "v1.2")["rows"] == 20


def test_a_file_has_the_columns_that_were_asked_for_and_no_others(sandbox: Any, tmp_path: Path) -> None:
    """Also where a name begins like a linked object; files keep such objects whole."""
    for number, (columns, expand, stored) in enumerate(
        (
            ("id,amount", None, ["amount"]),
            ("id,card_brand", None, ["payment_method_details_card_brand"]),
            ("customer_email", "data.customer", ["customer"]),
            ("customer_nme", None, None),
            ("customer_nme", "data.customer", None),
            ("balance_transaction_zzz", None, None),
            ("metadata_order", None, None),
        )
    ):
        target = tmp_path / str(number)
        values = {"columns": columns, "to": str(target), **({"expand": expand} if expand else {})}
        if stored is None:
            with pytest.raises(UnknownName, match=columns):
                sm.call("charges.list", limit=5, **values)
            assert not list(target.glob("*.parquet"))
            continue
        sm.call("charges.list", limit=5, **values)
        assert pq.read_schema(next(target.glob("*.parquet"))).names == ["id", *stored, "created"]
        if expand:
            assert "customer_email" in sm.read_parquet(target)


def test_a_linked_objects_column_is_known_where_no_row_has_the_object(tmp_path: Path) -> None:
    sm.connect(sandbox=True, demo=False)
    sm.call("charges.create", amount=1000, currency="usd", source="tok_visa")
    values = {"expand": "data.customer", "limit": "all"}
    sm.call("charges.list", columns="id,customer_email", to=str(tmp_path / "guests"), **values)
    assert len(sm.read_parquet(tmp_path / "guests")) == 1
    assert pq.read_schema(next((tmp_path / "guests").glob("*.parquet"))).names == [
        "id",
        "customer",
        "created",
    ]
    with pytest.raises(UnknownName, match="customer_nme"):
        sm.call("charges.list", columns="id,customer_nme", to=str(tmp_path / "no"), **values)


# Several lists and accounts ---------------------------------------------------------------------------------
def test_four_lists_side_by_side(sandbox: Any) -> None:
    frames = bulk.pull(
        "customers", "payment_intents", "refunds", "balance_transactions", connection=sandbox, quiet=True
    )
    assert list(frames) == ["customers", "payment_intents", "refunds", "balance_transactions"]
    for name, frame in frames.items():
        assert frame["id"].is_unique
        assert frame.attrs["stripe"]["complete"] is True
        assert len(frame) == len(call(f"{name}.list", limit="all", connection=sandbox))


def test_columns(listed: Make) -> None:
    server, connection = listed(count=2000)
    df = bulk.pull("payment_intents", columns="amount,metadata[order_id]", connection=connection, quiet=True)
    assert list(df.columns) == ["id", "amount", "metadata[order_id]"]
    assert df["id"].tolist() == server.ids


def test_many_accounts(listed: Make, tmp_path: Path) -> None:
    _, connection = listed(count=150)
    accounts = pd.DataFrame({"id": [f"acct_{number}" for number in range(12)]})
    df = bulk.pull("payment_intents", accounts=accounts, connection=connection, quiet=True)
    assert df.columns[0] == "account"
    assert df["account"].value_counts().to_dict() == dict.fromkeys(accounts["id"], 150)
    assert str(df["created"].dtype) == "datetime64[us, UTC]"
    assert isinstance(df["status"].dtype, pd.StringDtype)
    written = bulk.pull(
        "payment_intents",
        accounts=["acct_1", "acct_2"],
        to=tmp_path / "out",
        connection=connection,
        quiet=True,
    )
    assert written["rows"].tolist() == [150, 150]
    with pytest.raises(UsageFault, match="not an account"):
        bulk.pull("payment_intents", accounts=["cus_1"], connection=connection)
