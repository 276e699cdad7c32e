"""The mirror: whole the first time, then what changed; replaced at once; readable by anyone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from stripe_magics import pulls
from stripe_magics.calls import call
from stripe_magics.errors import UsageFault
from stripe_magics.pulls import mirror

TARGETS = pytest.mark.parametrize("target", ["folder", "file.duckdb"])


def ids(target: Path, name: str) -> set[str]:
    return set(pulls.sql(f'select id from "{name}"', target=target)["id"])


def there(sandbox: Any, name: str) -> set[str]:
    return set(call(f"{name}.list", limit="all", connection=sandbox)["id"])


@TARGETS
def test_whole_then_what_changed(sandbox: Any, tmp_path: Path, target: str) -> None:
    place = tmp_path / target
    told = pulls.sync(place, "customers", "payment_intents", "balance_transactions", connection=sandbox, quiet=True)
    assert told["how"].tolist() == ["whole"] * 3
    assert told["complete"].all()
    assert ids(place, "customers") == there(sandbox, "customers")

    made = call("customers.create", name="New", email="new@example.com", connection=sandbox)["id"][0]
    old = next(each for each in sorted(there(sandbox, "customers")) if each != made)
    call("customers.update", customer=old, name="Changed", connection=sandbox)
    gone = next(each for each in sorted(there(sandbox, "customers")) if each not in {made, old})
    from stripe_magics.request import Request

    sandbox.send(Request(module="customers.delete", method="DELETE", path=f"/v1/customers/{gone}"))

    told = pulls.sync(place, connection=sandbox, quiet=True).set_index("list")
    assert told["how"].tolist() == ["changes"] * 3
    assert told.loc["customers", "deleted"] == 1
    now = ids(place, "customers")
    assert now == there(sandbox, "customers")
    assert made in now
    assert gone not in now
    name = pulls.sql(f"select name from customers where id = '{old}'", target=place)["name"].tolist()
    assert name == ["Changed"]
    again = pulls.sync(place, "customers", connection=sandbox, quiet=True)
    assert again["rows"][0] == len(now)


@TARGETS
def test_status_and_queries(sandbox: Any, tmp_path: Path, target: str) -> None:
    place = tmp_path / target
    assert not len(pulls.sync(place, status=True))
    pulls.sync(place, "charges", connection=sandbox, quiet=True)
    status = pulls.sync(place, status=True)
    assert status["list"].tolist() == ["charges"]
    assert status["rows"][0] == len(there(sandbox, "charges"))
    assert not status["unfinished"].any()
    assert status["age_hours"].tolist() == [0.0]  # by the sandbox's own clock
    with pytest.raises(UsageFault, match=r"nope does not exist!\n.* has: charges\."):
        pulls.sql("select * from nope")
    df = pulls.sql("select currency, sum(amount) as amount, max(created) as last from charges group by currency order by 2 desc")
    direct = call("charges.list", limit="all", connection=sandbox)
    assert df["amount"].sum() == direct["amount"].sum()
    assert str(df["last"].dtype) == "datetime64[us, UTC]"
    assert df["last"].max() == direct["created"].max()
    with pytest.raises(UsageFault, match="can't be run"):
        pulls.sql("select nonsense from nowhere")


def test_a_folder_is_plain_parquet(sandbox: Any, tmp_path: Path) -> None:
    pulls.sync(tmp_path / "m", "customers", connection=sandbox, quiet=True)
    df = pd.read_parquet(tmp_path / "m" / "customers")
    assert set(df["id"]) == there(sandbox, "customers")
    assert not [each for each in (tmp_path / "m").iterdir() if each.name.startswith(".")]


def test_an_old_mirror_is_pulled_whole(sandbox: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "m"
    pulls.sync(place, "customers", connection=sandbox, quiet=True)
    monkeypatch.setattr(mirror, "EVENTS_REACH", -1)
    assert pulls.sync(place, "customers", connection=sandbox, quiet=True)["how"].tolist() == ["whole"]
    assert ids(place, "customers") == there(sandbox, "customers")


def test_a_kill_between_the_renames_is_mended(sandbox: Any, tmp_path: Path) -> None:
    place = tmp_path / "m"
    pulls.sync(place, "customers", connection=sandbox, quiet=True)
    (place / "customers").rename(place / ".customers.old-1")
    (place / ".customers.new-2").mkdir()
    assert pulls.sync(place, status=True)["list"].tolist() == ["customers"]
    assert sorted(each.name for each in place.iterdir()) == ["customers"]


def test_another_account_is_refused(sandbox: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "m"
    pulls.sync(place, "customers", connection=sandbox, quiet=True)
    monkeypatch.setattr(sandbox, "mode", "test")
    with pytest.raises(UsageFault, match="another account or mode"):
        pulls.sync(place, "customers", connection=sandbox, quiet=True)


def test_without_a_target_or_lists(sandbox: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror, "_last", [])
    with pytest.raises(UsageFault, match="Which mirror"):
        pulls.sql("select 1")
    with pytest.raises(UsageFault, match="Which lists"):
        pulls.sync(tmp_path / "m", connection=sandbox)
