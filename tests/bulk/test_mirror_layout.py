"""A mirror's folder by the programs of others: the same rows, columns and sums as `sql` has, whatever Stripe
has added or changed meanwhile. (Spark was tried by hand: it has the first file's columns as pandas has.)
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.dataset as ds
import pytest

import stripe_magics as sm
from stripe_magics import bulk
from stripe_magics.bulk import mirror_storage
from stripe_magics.bulk.mirror_storage import ListFolder
from stripe_magics.errors import UsageFault
from stripe_magics.frames import manifest as manifests

duckdb = pytest.importorskip("duckdb", reason="the extra `duckdb` isn't installed")

KINDS: list[dict[str, Any]] = [  # what one field may be, one after another
    {"fee_share": 5, "review": {"level": 1}, "flag": True, "route": "text", "late": None},
    {"fee_share": 1.5, "review": "rev_1", "flag": "no", "route": ["a"], "late": {"z": 1}},
    {"fee_share": "x", "review": None, "flag": 2, "route": {"k": 1}, "late": "s"},
]
COUNT = 220


@pytest.fixture
def grown(listed: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A mirror by months; `grow(kinds)` changes rows all over so, makes and deletes one, and syncs."""
    monkeypatch.setattr(mirror_storage, "MIN_MONTH_ROWS", 100)
    server, connection = listed(count=COUNT, latency=0.0)
    target = tmp_path / "m"
    bulk.sync(target, "payment_intents", connection=connection, quiet=True)

    def grow(*kinds: dict[str, Any], **options: Any) -> Any:
        for number, fields in enumerate(kinds):
            now = int(time.time())
            for place in range(number * 7, COUNT, 61):
                server.change(place, now, version=connection.api_version, **fields)
            server.create(now)
            server.delete(20 + number, now)
            server.events.sort(key=lambda each: each[0])
        return bulk.sync(target, "payment_intents", connection=connection, quiet=True, **options)

    return server, target / "payment_intents", grow


def truth(server: Any) -> dict[str, dict[str, Any]]:
    return {
        key: json.loads(body)
        for key, body in zip(server.ids, server.bodies, strict=True)
        if key not in server.gone
    }


def as_said(value: Any) -> Any:
    """A cell as Stripe sent it: JSON text is read."""
    if value is None or (not isinstance(value, (list, dict, str)) and pd.isna(value)):
        return None
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def assert_fields(frame: pd.DataFrame, server: Any) -> None:
    """Every row once, with every field as it was sent: in its column, or in those of the object's parts."""
    rows = truth(server)
    assert frame["id"].is_unique
    assert set(frame["id"]) == set(rows)
    names = [name for name in frame if name == "id" or name.startswith(tuple(KINDS[0]))]
    for row in frame[names].to_dict("records"):
        for field in KINDS[0]:
            sent = rows[row["id"]].get(field)
            parts = {
                name.removeprefix(f"{field}_"): as_said(value)
                for name, value in row.items()
                if name.startswith(f"{field}_") and as_said(value) is not None
            }
            assert as_said(row.get(field)) == sent or (parts == sent and as_said(row.get(field)) is None), (
                field
            )


def test_plain_readers_have_every_row_and_column(grown: Any) -> None:
    server, folder, grow = grown
    for kinds in KINDS:
        grow(kinds)
    assert len(list(folder.glob("*.parquet"))) > 12  # by month
    assert [each.stat().st_size > 0 for each in folder.glob("0000-00-*.parquet")] == [True]
    assert_fields(bulk.sql("select * from payment_intents", target=folder.parent), server)
    assert_fields(pd.read_parquet(folder), server)
    assert_fields(ds.dataset(folder).to_table().to_pandas(), server)
    files = f"read_parquet('{folder}/*.parquet', union_by_name=true)"
    assert_fields(duckdb.sql(f"select * from {files}").df(), server)
    everything = duckdb.sql(f"select * from read_parquet('{folder}/**/*.parquet', union_by_name=true)").df()
    assert_fields(everything, server)
    own = sm.read_parquet(folder)
    assert set(own["id"]) == set(truth(server))
    assert own["amount"].sum() == sum(each["amount"] for each in truth(server).values())


def test_compact_makes_all_files_alike(grown: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then any program reads them without being told how."""
    monkeypatch.setattr(mirror_storage, "MAX_REWRITE_ROWS", 5)
    monkeypatch.setattr(mirror_storage, "MAX_CHANGED_SHARE", 0.9)
    server, folder, grow = grown
    result = grow(*KINDS)
    assert "changed rows lie beside its files" in result.attrs["stripe"]["notes"][0]
    seen = bulk.sync(folder.parent, status=True)
    assert seen["changes"][0] == manifests.load(folder).hidden.rows > 0
    assert_fields(bulk.sql("select * from payment_intents", target=folder.parent), server)
    changes = folder / manifests.CHANGES
    assert {each.suffix for each in changes.iterdir()} == {manifests.CHANGE_SUFFIX}
    query = manifests.__doc__.partition("      select ")[2].partition("\n\n")[0]  # as the layout says it
    query = f"select {query}".replace("mirror/charges", str(folder))
    assert_fields(duckdb.sql(query).df(), server)
    everything = duckdb.sql(f"from read_parquet('{folder}/**/*.parquet', union_by_name=true)").df()
    assert everything["id"].is_unique, "changes are no rows of `*.parquet`"

    result = grow(compact=True)
    assert not result.attrs["stripe"].get("notes")
    assert not changes.exists()
    assert not list(folder.glob("0000-00-*"))
    assert_fields(duckdb.sql(f"from '{folder}/*.parquet'").df(), server)
    polars = pytest.importorskip("polars", reason="polars isn't installed")
    assert_fields(polars.read_parquet(f"{folder}/*.parquet").to_pandas(), server)
    assert bulk.sync(folder.parent, verify=True)["complete"].all()
    found = ListFolder(folder)
    files = found.manifest.files
    found.compact()
    found.write_alike()
    assert found.manifest.files == files, "nothing was to be done"


def test_a_lost_file_without_rows_costs_nothing(grown: Any) -> None:
    server, folder, grow = grown
    grow(KINDS[0])
    next(folder.glob("0000-00-*")).unlink()
    server.requests = 0
    result = grow()
    assert result["how"].tolist() == ["changes"]
    assert result["complete"].all()
    assert server.requests <= 5
    assert_fields(pd.read_parquet(folder), server)


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # dask's own use of pandas
def test_dask_reads_the_same(grown: Any) -> None:
    dd = pytest.importorskip("dask.dataframe", reason="the extra `dask` isn't installed")
    server, folder, grow = grown
    grow(KINDS[0], compact=True)
    frame = dd.read_parquet(folder).compute(scheduler="synchronous")
    assert_fields(frame.reset_index(drop=True), server)


def test_status_looks_at_the_lists_that_are_named(grown: Any) -> None:
    _, folder, _ = grown
    assert bulk.sync(folder.parent, "payment_intents", status=True)["list"].tolist() == ["payment_intents"]
    with pytest.raises(UsageFault, match=r"doesn't have charges"):
        bulk.sync(folder.parent, "charges", status=True)
    for options in ({"whole": True}, {"compact": True}, {"export": "x.duckdb"}):
        with pytest.raises(UsageFault, match="--status and --verify only look"):
            bulk.sync(folder.parent, status=True, **options)
