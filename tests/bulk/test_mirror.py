"""The mirror: whole the first time, then what changed; replaced at once; readable by anyone."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stripe_magics import bulk
from stripe_magics.bulk import incremental_refresh, mirror, mirror_storage
from stripe_magics.client import shared_connection as connections
from stripe_magics.errors import UsageFault
from stripe_magics.frames import parquet
from stripe_magics.pipeline import call


def ids(target: Path, name: str) -> set[str]:
    return set(bulk.sql(f'select id from "{name}"', target=target)["id"])


def there(sandbox: Any, name: str) -> set[str]:
    return set(call(f"{name}.list", limit="all", connection=sandbox)["id"])


def test_whole_then_what_changed(sandbox: Any, tmp_path: Path) -> None:
    place = tmp_path / "m"
    result = bulk.sync(
        place, "customers", "payment_intents", "balance_transactions", connection=sandbox, quiet=True
    )
    assert result["how"].tolist() == ["whole"] * 3
    assert result["complete"].all()
    assert ids(place, "customers") == there(sandbox, "customers")

    made = call("customers.create", name="New", email="new@example.com", connection=sandbox)["id"][0]
    old = next(each for each in sorted(there(sandbox, "customers")) if each != made)
    call("customers.update", customer=old, name="Changed", connection=sandbox)
    gone = next(each for each in sorted(there(sandbox, "customers")) if each not in {made, old})
    from stripe_magics.request import Request

    sandbox.send(Request(module="customers.delete", method="DELETE", path=f"/v1/customers/{gone}"))

    result = bulk.sync(place, connection=sandbox, quiet=True).set_index("list")
    assert result["how"].tolist() == ["changes"] * 3
    assert result.loc["customers", "deleted"] == 1
    now = ids(place, "customers")
    assert now == there(sandbox, "customers")
    assert made in now
    assert gone not in now
    name = bulk.sql(f"select name from customers where id = '{old}'", target=place)["name"].tolist()
    assert name == ["Changed"]
    again = bulk.sync(place, "customers", connection=sandbox, quiet=True)
    assert again["rows"][0] == len(now)


@pytest.mark.parametrize("gone", ["began", "parts/_manifest.json", "parts/part-00000.parquet"])
def test_a_staging_folder_whose_removal_was_stopped_is_not_used(
    sandbox: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gone: str
) -> None:
    """What a stopped pull left is complete but for the part that was removed; it is old by the next sync."""
    place = tmp_path / "m"

    def stopped(path: Path) -> None:
        target = path / gone
        assert target.exists()
        shutil.rmtree(target) if target.is_dir() else target.unlink()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(mirror.shutil, "rmtree", stopped)
        bulk.sync(place, "refunds", connection=sandbox, quiet=True)
    call("customers.create", name="New", connection=sandbox)
    bulk.sync(place, "refunds", connection=sandbox, quiet=True, whole=True)
    assert ids(place, "refunds") == there(sandbox, "refunds")
    assert not list(place.glob(".*.pull"))


def test_status_and_queries(sandbox: Any, tmp_path: Path) -> None:
    place = tmp_path / "m"
    assert not len(bulk.sync(place, status=True))
    bulk.sync(place, "charges", connection=sandbox, quiet=True)
    status = bulk.sync(place, status=True)
    assert status["list"].tolist() == ["charges"]
    assert status["rows"][0] == len(there(sandbox, "charges"))
    assert not status["unfinished"].any()
    assert status["age_hours"].tolist() == [0.0]  # by the sandbox's own clock
    with pytest.raises(UsageFault, match=r"nope does not exist!\n.* has: charges\."):
        bulk.sql("select * from nope")
    df = bulk.sql(
        "select currency, sum(amount) as amount, max(created) as last from charges group by currency order by"
        " 2 desc"
    )
    direct = call("charges.list", limit="all", connection=sandbox)
    assert df["amount"].sum() == direct["amount"].sum()
    assert str(df["last"].dtype) == "datetime64[us, UTC]"
    assert df["last"].max() == direct["created"].max()
    with pytest.raises(UsageFault, match="can't be run"):
        bulk.sql("select nonsense from nowhere")


def test_a_folder_is_plain_parquet(sandbox: Any, tmp_path: Path) -> None:
    bulk.sync(tmp_path / "m", "customers", connection=sandbox, quiet=True)
    df = pd.read_parquet(tmp_path / "m" / "customers")
    assert set(df["id"]) == there(sandbox, "customers")
    assert not [each for each in (tmp_path / "m").iterdir() if each.name.startswith(".")]


def test_small_files_are_joined(sandbox: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror_storage, "MAX_SMALL_FILES", 4)
    bulk.sync(tmp_path, "customers", connection=sandbox, quiet=True)
    for number in range(8):
        call("customers.create", name=f"Number {number}", connection=sandbox)
        bulk.sync(tmp_path, connection=sandbox, quiet=True)
        assert len(list((tmp_path / "customers").glob("*.parquet"))) <= 5
    assert ids(tmp_path, "customers") == there(sandbox, "customers")
    assert len(parquet.read(tmp_path / "customers")) == len(there(sandbox, "customers"))


def test_an_old_mirror_is_pulled_whole(sandbox: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "m"
    bulk.sync(place, "customers", connection=sandbox, quiet=True)
    monkeypatch.setattr(mirror, "EVENTS_REACH", -1)
    assert bulk.sync(place, "customers", connection=sandbox, quiet=True)["how"].tolist() == ["whole"]
    assert ids(place, "customers") == there(sandbox, "customers")


def test_a_kill_between_the_renames_is_mended(sandbox: Any, tmp_path: Path) -> None:
    place = tmp_path / "m"
    bulk.sync(place, "customers", connection=sandbox, quiet=True)
    (place / "customers").rename(place / ".customers.old-1")
    (place / ".customers.new-2").mkdir()
    assert bulk.sync(place, "customers", connection=sandbox, quiet=True)["how"].tolist() == ["changes"]
    assert sorted(each.name for each in place.iterdir()) == ["customers"]


def test_another_account_is_refused(sandbox: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "m"
    bulk.sync(place, "customers", connection=sandbox, quiet=True)
    monkeypatch.setattr(sandbox, "mode", "test")
    with pytest.raises(UsageFault, match="another account or mode"):
        bulk.sync(place, "customers", connection=sandbox, quiet=True)


def test_without_a_target_or_lists(sandbox: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageFault, match="Which mirror"):
        bulk.sql("select 1")
    with pytest.raises(UsageFault, match="Which lists"):
        bulk.sync(tmp_path / "m", connection=sandbox)
    with pytest.raises(UsageFault, match="Which mirror"):  # a mirror that wasn't made isn't remembered
        bulk.sql("select 1")


def customers_of(**where: Any) -> int:
    return int(bulk.sql("select count(*) as rows from customers", **where)["rows"].iloc[0])


def test_each_connection_remembers_its_own_mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another account is never asked about in the rows of the one before, by query or by sync."""
    first = connections.connect(sandbox=True)
    bulk.sync(tmp_path / "first", "customers", connection=first, quiet=True)
    many = customers_of()
    assert many == len(there(first, "customers"))
    monkeypatch.chdir(tmp_path)
    assert bulk.sync(status=True)["rows"].tolist() == [many], "wherever the notebook stands by now"
    second = connections.connect(sandbox=True, demo=False)
    for ask in (
        lambda: bulk.sql("select 1"),
        lambda: bulk.sync("", "customers"),
        lambda: bulk.sync(status=True),
    ):
        with pytest.raises(UsageFault, match="None was named on this connection"):
            ask()
    call("customers.create", name="Jenny", connection=second)
    bulk.sync("second", "customers", quiet=True)  # the shared connection
    assert customers_of() == 1
    assert customers_of(connection=first) == many
    monkeypatch.setattr(second, "mode", "test")
    with pytest.raises(UsageFault, match="another account or mode"):
        bulk.sync(tmp_path / "first", "customers", quiet=True)
    assert customers_of() == 1, "a mirror that was refused isn't remembered"
    assert customers_of(target=tmp_path / "first") == many
    assert customers_of() == many, "it was named"
    connections.close()
    with pytest.raises(UsageFault, match="None is remembered without a connection"):
        bulk.sql("select 1")
    assert customers_of(target="second") == 1, "no connection is needed where the mirror is named"


# What changed, cheaply --------------------------------------------------------------------------------------
def now() -> int:
    return int(time.time())


def mirrored(listed: Any, tmp_path: Path, count: int) -> tuple[Any, Any, Path]:
    """A list server, the connection to it, and a mirror of its payment intents."""
    server, connection = listed(count=count)
    bulk.sync(tmp_path / "m", "payment_intents", connection=connection, quiet=True)
    return server, connection, tmp_path / "m"


def assert_same(place: Path, name: str, server: Any) -> None:
    """The mirror is the server's list: the same ids, and the same descriptions."""
    theirs = {
        key: json.loads(body)["description"] for key, body in zip(server.ids, server.bodies, strict=True)
    }
    expected = {key: text for key, text in theirs.items() if key not in server.gone}
    mine = bulk.sql(f'select id, description from "{name}"', target=place)
    assert mine["id"].is_unique
    assert dict(zip(mine["id"], mine["description"], strict=True)) == expected


def change_and_sync(
    server: Any, connection: Any, place: Path, numbers: Any, version: str, name: str = "payment_intents"
) -> Any:
    for number in numbers:
        server.change(number, now(), version=version, description=f"changed {number}")
    server.requests = 0
    server.paths.clear()
    return bulk.sync(place, name, connection=connection, quiet=True).iloc[0]


def test_changes_cost_a_tenth_of_a_pull(listed: Any, tmp_path: Path) -> None:
    server, connection = listed(count=20_000)
    place = tmp_path / "m"
    bulk.sync(place, "payment_intents", connection=connection, quiet=True)
    assert server.requests >= 200
    chance = Random(1)
    for number in chance.sample(range(20_000), 20):
        server.delete(number, now())
    for _ in range(20):
        server.create(now())
    numbers = [each for each in chance.sample(range(20, 20_020), 400) if server.ids[each] not in server.gone]
    result = change_and_sync(server, connection, place, numbers, connection.api_version)
    assert (result["how"], result["rows"], result["deleted"]) == ("changes", 20_000, 20)
    assert server.requests <= 20
    assert_same(place, "payment_intents", server)


def test_changes_reported_in_another_version_are_read_again_together(listed: Any, tmp_path: Path) -> None:
    server, connection, place = mirrored(listed, tmp_path, 20_000)
    for number in range(300, 320):
        server.delete(number, now())
    numbers = [number for start in (0, 320, 5_000, 9_000, 19_900) for number in range(start, start + 80)]
    result = change_and_sync(server, connection, place, numbers, "2020-08-27")
    assert (result["how"], result["deleted"], result["changed"]) == ("changes", 20, 400)
    assert server.requests <= 20
    assert_same(place, "payment_intents", server)


def test_few_scattered_changes_are_read_one_by_one(listed: Any, tmp_path: Path) -> None:
    server, connection, place = mirrored(listed, tmp_path, 5_000)
    result = change_and_sync(server, connection, place, range(50, 5_000, 500), "2020-08-27")
    assert result["how"] == "changes"
    assert server.requests <= 10 + 2 + 1
    assert sum("/pi_" in each for each in server.paths) == 10
    assert_same(place, "payment_intents", server)


def test_where_nearly_all_changed_it_is_pulled_whole(listed: Any, tmp_path: Path) -> None:
    server, connection = listed(count=3_000)
    place = tmp_path / "m"
    bulk.sync(place, "payment_links", "payment_intents", connection=connection, quiet=True)
    result = change_and_sync(server, connection, place, range(0, 3_000, 50), "2020-08-27")
    assert result["how"] == "changes"  # half of the pages
    for number in range(0, 3_000, 20):
        server.change(number, now(), kind="payment_link", version="2020-08-27", description=f"later {number}")
    server.requests = 0
    assert bulk.sync(place, "payment_links", connection=connection, quiet=True)["how"].tolist() == ["whole"]
    assert server.requests <= 2 + 30 + 2
    assert_same(place, "payment_links", server)


def test_the_newest_event_counts_and_of_two_in_a_second_none(listed: Any, tmp_path: Path) -> None:
    server, connection = listed(count=1_000)
    place, version, at = tmp_path / "m", connection.api_version, now()
    bulk.sync(place, "payment_intents", connection=connection, quiet=True)
    server.change(100, at, version=version, description="first")
    server.change(100, at + 1, version=version, description="last")
    server.change(200, at, version="2020-08-27", description="old version")
    server.change(200, at + 1, version=version, description="new version")
    server.change(300, at, version=version, description="one")
    server.change(300, at, version=version, description="other")
    server.change(400, at, version=version, description="twice the same")
    server.tell(at, "payment_intent.succeeded", json.loads(server.bodies[400]), version=version)
    stub = {"id": server.ids[500], "object": "something_else"}
    server.tell(at, "payment_intent.something", stub, version=version)
    server.events.reverse()  # in one second the list may have them in any order
    server.events.sort(key=lambda each: each[0])
    server.paths.clear()
    assert bulk.sync(place, connection=connection, quiet=True)["changed"].tolist() == [4]
    assert_same(place, "payment_intents", server)
    assert [each.partition("?")[0] for each in server.paths if "/pi_" in each] == [
        f"/v1/payment_intents/{server.ids[300]}"
    ]


def test_the_list_counts_more_than_an_events_copy(listed: Any, tmp_path: Path) -> None:
    server, connection, place = mirrored(listed, tmp_path, 500)
    server.create(now())
    server.change(0, now(), version=connection.api_version, description="an event tells this")
    server.bodies[0] = server.bodies[0].replace(b"an event tells this", b"the list knows better")
    bulk.sync(place, connection=connection, quiet=True)
    assert_same(place, "payment_intents", server)


def test_what_a_list_hides_is_asked_for_by_its_id(listed: Any, tmp_path: Path) -> None:
    server, connection = listed(count=1_000)
    place = tmp_path / "m"
    bulk.sync(place, "subscriptions", connection=connection, quiet=True)
    for number in range(100, 110):
        server.change(number, now(), kind="customer.subscription", version="2020-08-27", description="over")
        server.events[-1] = (
            *server.events[-1][:3],
            server.events[-1][3].replace(b'"customer.subscription"', b'"subscription"'),
        )
    answer, hidden = server.answer, [json.dumps(server.ids[each]).encode() for each in (101, 102)]

    def hiding(path: str, query: dict[str, str]) -> tuple[int, bytes]:
        status, body = answer(path, query)
        if path == "/v1/subscriptions":
            rows = [
                each for each in json.loads(body)["data"] if json.dumps(each["id"]).encode() not in hidden
            ]
            body = json.dumps({"object": "list", "data": rows, "has_more": False}).encode()
        return status, body

    server.answer = hiding
    server.gone.add(server.ids[102])  # no event says so
    server.requests = 0
    result = bulk.sync(place, connection=connection, quiet=True).iloc[0]
    assert (result["how"], result["deleted"], result["rows"]) == ("changes", 1, 999)
    assert server.requests <= 5
    assert_same(place, "subscriptions", server)


def test_a_dispute_changes_its_charge(listed: Any, tmp_path: Path) -> None:
    server, connection = listed(count=300)
    place = tmp_path / "m"
    bulk.sync(place, "charges", connection=connection, quiet=True)
    server.bodies[7] = server.bodies[7].replace(b"Order 7 ", b"Disputed order 7 ")
    server.tell(now(), "charge.dispute.created", {"id": "dp_1", "object": "dispute", "charge": server.ids[7]})
    assert bulk.sync(place, connection=connection, quiet=True)["changed"].tolist() == [1]
    assert_same(place, "charges", server)


def test_more_copies_than_are_kept(listed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server, connection, place = mirrored(listed, tmp_path, 1_000)
    monkeypatch.setattr(incremental_refresh, "MAX_COPIES", 30)
    assert (
        change_and_sync(server, connection, place, range(500, 550), connection.api_version)["how"]
        == "changes"
    )
    assert_same(place, "payment_intents", server)


def test_lists_without_times_are_never_asked_for_one(listed: Any, tmp_path: Path) -> None:
    server, connection = listed(count=1_000)
    place = tmp_path / "m"
    bulk.sync(place, "payment_links", connection=connection, quiet=True)
    made = server.create(now())
    server.tell(
        now(),
        "payment_link.created",
        {**json.loads(server.bodies[0]), "object": "payment_link"},
        version="2026-10-28.endive",
    )
    server.paths.clear()
    result = bulk.sync(place, connection=connection, quiet=True).iloc[0]
    assert (result["how"], result["rows"]) == ("changes", 1_001)
    assert made in ids(place, "payment_links")
    assert not [each for each in server.paths if "payment_links" in each and "created" in each]
    assert bulk.sync(place, "payment_links", whole=True, connection=connection, quiet=True)[
        "how"
    ].tolist() == ["whole"]
    assert_same(place, "payment_links", server)


def test_a_list_without_times_or_events_is_read_between_kept_ids(listed: Any, tmp_path: Path) -> None:
    server, connection = listed(count=5_000, latency=0.06)
    place = tmp_path / "m"
    bulk.sync(place, "webhook_endpoints", connection=connection, quiet=True)
    assert server.most_open == 1  # nothing to cut the list by: page after page
    server.gone.update(server.ids[10::50])
    server.create(now())
    server.requests = server.most_open = 0
    assert bulk.sync(place, connection=connection, quiet=True)["how"].tolist() == ["whole"]
    assert server.requests <= 50 + 3
    assert server.most_open >= 4  # the ids that are kept cut it
    assert_same(place, "webhook_endpoints", server)


def test_a_balance_transaction_becomes_available(listed: Any, tmp_path: Path) -> None:
    server, connection = listed(count=300)
    for number in range(300):
        body = json.loads(server.bodies[number])
        pending = number < 60
        body |= {
            "object": "balance_transaction",
            "status": "pending" if pending else "available",
            "available_on": now() + 86_400 * (30 if number < 20 else -1),
        }
        server.bodies[number] = json.dumps(body).encode()
    place = tmp_path / "m"
    bulk.sync(place, "balance_transactions", connection=connection, quiet=True)
    for number in range(20, 60):
        server.bodies[number] = server.bodies[number].replace(b'"pending"', b'"available"')
    server.requests = 0
    assert bulk.sync(place, connection=connection, quiet=True)["how"].tolist() == ["changes"]
    assert server.requests <= 3
    df = bulk.sql(
        "select status, count(*) as n from balance_transactions group by 1 order by 1", target=place
    )
    assert df["n"].tolist() == [280, 20]


def test_an_empty_list_is_an_empty_table(listed: Any, tmp_path: Path) -> None:
    server, connection = listed(count=0)
    place = tmp_path / "m"
    bulk.sync(place, "payment_intents", connection=connection, quiet=True)
    assert len(bulk.sql("select id, amount, created from payment_intents", target=place)) == 0
    server.create(now())
    assert bulk.sync(place, connection=connection, quiet=True)["rows"].tolist() == [1]
    assert_same(place, "payment_intents", server)


def test_a_pull_begun_with_another_account_is_not_gone_on_with(
    listed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, connection = listed(count=3_000)
    place = tmp_path / "m"

    def stopped(*args: Any, **options: Any) -> Any:
        seen: list[int] = []
        return save(
            *args, **{**options, "progress": lambda rows, _: seen.append(rows), "stop": lambda: len(seen) > 5}
        )

    save = mirror.save
    monkeypatch.setattr(mirror, "save", stopped)
    result = bulk.sync(place, "payment_intents", connection=connection, quiet=True)
    assert result["complete"].tolist() == [False]
    assert "run the same again" in result.attrs["stripe"]["notes"][0]
    monkeypatch.setattr(mirror, "save", save)
    other = {"id": "acct_2"}
    monkeypatch.setattr(connection, "account_object", lambda: other)
    server.requests = 0
    assert bulk.sync(place, "payment_intents", connection=connection, quiet=True)["rows"].tolist() == [3_000]
    assert server.requests >= 30
    assert_same(place, "payment_intents", server)


def test_spans_hold_a_page() -> None:
    times = np.array([*range(1_000), *[1_000] * 350])  # a thing a second, then many in one
    placed = {f"a{each}": each for each in (0, 50, 99, 100, 400, 450, 700)}
    made = incremental_refresh.grouped(placed, times)
    assert [(each.low, each.high, each.requests) for each in made.spans] == [(0, 99, 1), (400, 450, 1)]
    assert made.alone == ["a100", "a700"]
    assert made.requests == 4
    many = incremental_refresh.grouped({f"b{each}": 1_000 for each in range(20)}, times)
    assert [(each.low, each.high, each.requests) for each in many.spans] == [(1_000, 1_000, 4)]
    few = incremental_refresh.grouped({f"b{each}": 1_000 for each in range(3)}, times)
    assert (few.spans, len(few.alone)) == ([], 3)


def test_more_changes_than_are_read_by_the_cursor(
    listed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, connection, place = mirrored(listed, tmp_path, 3_000)
    monkeypatch.setattr(incremental_refresh, "MAX_CURSOR_ROWS", 200)
    for _ in range(30):
        server.create(now())
    result = change_and_sync(server, connection, place, range(2_000), connection.api_version)
    assert (result["how"], result["changed"]) == ("changes", 2_000)
    assert_same(place, "payment_intents", server)


def test_names_come_one_by_one_or_as_a_list(sandbox: Any, tmp_path: Path) -> None:
    frame = bulk.sync(tmp_path, ["customers", "refunds"], connection=sandbox, quiet=True)  # type: ignore[arg-type]
    assert list(frame["list"]) == ["customers", "refunds"]
    assert set(bulk.pull(["customers", "refunds"], connection=sandbox, limit=1, quiet=True)) == {
        "customers",
        "refunds",
    }  # type: ignore[arg-type]
    with pytest.raises(UsageFault, match="3 is not the name of a list"):
        bulk.sync(tmp_path, 3, connection=sandbox)  # type: ignore[arg-type]
