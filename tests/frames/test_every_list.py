"""Every list of the sandbox, with rows and without: each file is written, and comes back equal."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import stripe_magics as sm
from stripe_magics import catalogue, frames
from stripe_magics.catalogue.stripe_objects import OBJECTS
from stripe_magics.errors import StripeMagicsError
from stripe_magics.frames.pandas_columns import PANDAS_3

ROWS = 12
MANY = 25  # lists of the demo account that have rows


@pytest.fixture(scope="module")
def lists() -> Iterator[dict[str, pd.DataFrame]]:
    """Every list that can be read without an id and has rows, one of each type of object."""
    sm.connect(sandbox=True)
    found: dict[str, pd.DataFrame] = {}
    for name in catalogue.names():
        module = catalogue.find(name)
        if not name.endswith(".list") or module.object in found or "{" in module.path:
            continue
        try:
            df = sm.call(name, limit=ROWS)
        except StripeMagicsError:  # needs a value (which customer's)
            continue
        if len(df):
            found[module.object] = df
    assert len(found) >= MANY
    yield found
    sm.close()


def _assert_values(back: pd.DataFrame, df: pd.DataFrame, name: str) -> None:
    assert_frame_equal(back, df, obj=name)
    for column in df:
        if df[column].dtype == object:
            assert back[column].tolist() == df[column].tolist(), (name, column)


def _assert_same(back: pd.DataFrame, df: pd.DataFrame, name: str) -> None:
    _assert_values(back, df, name)
    assert back.attrs == df.attrs, name


@pytest.mark.filterwarnings("ignore:Written as JSON text:UserWarning")
@pytest.mark.parametrize(("ending", "typed"), [("parquet", False), ("parquet", True), ("feather", False)])
def test_files_come_back_equal(
    lists: dict[str, pd.DataFrame], tmp_path: Path, ending: str, *, typed: bool
) -> None:
    path = tmp_path / f"list.{ending}"
    for name, df in lists.items():
        for frame in (df, df.head(0)):
            frame.stripe.to_parquet(path, typed=typed)
            _assert_same(sm.read_parquet(path), frame, name)


@pytest.mark.parametrize("writer", ["to_parquet", "to_feather"])
def test_pandas_own_files_come_back_equal(
    lists: dict[str, pd.DataFrame], tmp_path: Path, writer: str
) -> None:
    """Also where no row has a key in a map (Parquet has no struct without a field), where a place holds an id
    in one row and the object in another, and where a key is null here and absent there. pandas 2 drops
    what a frame knows in `to_feather`."""
    failures = {}
    path = tmp_path / f"pandas.{writer.removeprefix('to_')}"
    for name, df in lists.items():
        for frame in (df, df.head(0)):
            try:
                getattr(frame, writer)(path)
                back = sm.read_parquet(path)
                _assert_values(back, frame, name)
                if PANDAS_3 or writer == "to_parquet":
                    assert back.attrs == frame.attrs
            except Exception as failure:  # noqa: BLE001 - all are shown
                failures[name, len(frame)] = repr(failure)
    assert not failures


def test_lists_without_rows_come_back_equal(tmp_path: Path) -> None:
    """Of every type of object, also by pandas' own files: their columns and dtypes stand without a row."""
    facts = {"mode": "test", "livemode": False, "zone": "UTC", "units": "minor", "complete": True}
    for name in OBJECTS:
        df = frames.build((), name, attrs=facts)
        choices = [column for column in df if isinstance(df[column].dtype, pd.CategoricalDtype)]
        if not (choices or OBJECTS[name].page):
            continue
        df.stripe.to_parquet(tmp_path / "own.parquet", typed=True)
        _assert_same(sm.read_parquet(tmp_path / "own.parquet"), df, name)
        if choices:  # which a file without rows doesn't keep
            df.to_parquet(tmp_path / "pandas.parquet")
            _assert_same(sm.read_parquet(tmp_path / "pandas.parquet"), df, name)


def test_other_programs_get_every_list(lists: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    for name, df in lists.items():
        for frame in (df, df.head(0)):
            frame.stripe.to_json(tmp_path / "list.json")
            rows = json.loads((tmp_path / "list.json").read_text())
            assert [row["id"] for row in rows] == frame["id"].tolist(), name
            frame.stripe.to_csv(tmp_path / "list.csv")
            assert pd.read_csv(tmp_path / "list.csv")["id"].tolist() == frame["id"].tolist(), name
            with closing(sqlite3.connect(":memory:")) as database:
                frame.stripe.to_sql("list", database)
                assert database.execute("select id from list").fetchall() == [(id,) for id in frame["id"]]
        nested = [column for column in df if any(isinstance(cell, (dict, list)) for cell in df[column])]
        for column in nested:
            assert [row.get(column) for row in json.loads(df.stripe.to_json())] == df[column].tolist(), column


def test_a_sheet_of_every_list(lists: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    pytest.importorskip("openpyxl", reason="the extra excel")
    for name, df in lists.items():
        df.head(2).stripe.to_excel(tmp_path / "list.xlsx")
        back = pd.read_excel(tmp_path / "list.xlsx")
        assert back.columns.tolist() == df.columns.tolist(), name
        assert back["id"].tolist() == df["id"].head(2).tolist(), name
