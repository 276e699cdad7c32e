"""Columns of maps and lists do in pandas what a plain column of dicts and lists does, and what that can't:
they can always be written."""

from __future__ import annotations

import copy
import json
import pickle
import sqlite3
from collections.abc import Callable
from contextlib import closing
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import stripe_magics as sm
from stripe_magics import frames
from stripe_magics.frames.cell_array import CellDtype
from stripe_magics.frames.json_cells import JsonCellArray, JsonTexts
from stripe_magics.frames.pandas_columns import objects
from tests.each_row import each_row

CELLS: dict[str, list[Any]] = {
    "map": [{}, {"k": "1"}, None],
    "empty": [{}, {}, {}],
    "list": [[{"a": 1, "metadata": {}}], [], None],
    "mixed": ["x", {"id": "x"}, None],
    "none": [None, None, None],
    "nulls": [{"a": None}, {"b": 2}, {"a": 1}],
}


def unread(cells: list[Any]) -> JsonCellArray:
    """A column that hasn't been decoded."""
    texts = pa.array([None if cell is None else json.dumps(cell) for cell in cells], pa.large_string())
    return JsonCellArray(JsonTexts(texts))


def unread_once(cells: list[Any]) -> JsonCellArray:
    """The same, with each text once."""
    texts = pa.array([None if cell is None else json.dumps(cell) for cell in cells], pa.string())
    return JsonCellArray(JsonTexts(texts.dictionary_encode()))


Maker = Callable[[list[Any]], Any]
MAKERS: dict[str, Maker] = {"read": objects, "unread": unread, "unread, once": unread_once}


def frame(maker: Maker = objects, *, plain: bool = False) -> pd.DataFrame:
    columns: dict[str, Any] = {name: maker(cells) for name, cells in CELLS.items()}
    if plain:
        columns = {name: np.asarray(each) for name, each in columns.items()}
    return pd.DataFrame({"id": ["a", "b", "c"], "n": [1, 2, 3], **columns})


def _sql(df: pd.DataFrame) -> object:
    with closing(sqlite3.connect(":memory:")) as database:
        df[["id", "map", "empty"]].to_sql("t", database)
        return database.execute('select * from "t"').fetchall()


OPERATIONS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "a value": lambda df: df.loc[1, "map"],
    "rows": lambda df: df.iloc[[2, 0]],
    "a slice": lambda df: df.iloc[::-1],
    "filter": lambda df: df[df["n"] > 1],
    "query": lambda df: df.query("n > 1 and map.notna()"),
    "isna": lambda df: df.isna(),
    "dropna": lambda df: df.dropna(subset=["map"]),
    "get": lambda df: df["map"].str.get("k"),
    "item": lambda df: df["map"].str["k"],
    "len": lambda df: df["list"].str.len(),
    "map": lambda df: df["empty"].map(lambda m: m.get("x")),
    "map, numbers": lambda df: df["list"].map(len, na_action="ignore"),
    "apply": lambda df: df["empty"].apply(len),
    "apply, columns": lambda df: df["nulls"].apply(pd.Series),
    "apply, rows": lambda df: df.apply(lambda row: len(row["empty"]), axis=1),
    "frame map": lambda df: df.map(str),
    "explode": lambda df: df.explode("list"),
    "explode a column": lambda df: df["list"].explode(ignore_index=True),
    "normalize": lambda df: pd.json_normalize(df["map"].dropna()),
    "normalize rows": lambda df: pd.json_normalize(df.to_dict("records")),
    "group": lambda df: df.groupby("map")["n"].sum(),
    "first": lambda df: df.groupby("id")[["map", "list"]].first(),
    "agg list": lambda df: df.groupby("id")["map"].agg(list),
    "size": lambda df: df.groupby(["id", "empty"]).size().unstack(),  # noqa: PD010
    "tail": lambda df: df.groupby("empty").tail(1),
    "nunique": lambda df: df.nunique(),
    "duplicates": lambda df: df.drop_duplicates(subset=["empty"]),
    "value_counts": lambda df: df["map"].value_counts(),
    "describe": lambda df: df.describe(include="all"),
    "crosstab": lambda df: pd.crosstab(df["id"], df["map"]),
    "merge": lambda df: df.merge(df[["id", "map"]].head(1), on="id", how="left"),
    "merge on cells": lambda df: df.merge(df[["map", "n"]], on="map"),
    "concat": lambda df: pd.concat([df, df], ignore_index=True),
    "concat, columns": lambda df: pd.concat([df, pd.DataFrame({"id": ["z"]})], ignore_index=True),
    "reindex": lambda df: df.reindex([0, 5]),
    "where": lambda df: df["map"].where(df["n"] > 1),
    "mask": lambda df: df.mask(df["n"] > 1),
    "fillna": lambda df: df.fillna({"map": "x"}),
    "ffill": lambda df: df["map"].ffill(),
    "replace": lambda df: df.replace("a", "b"),
    "combine_first": lambda df: df.combine_first(df.reindex([0, 1, 7])),
    "equal": lambda df: df["map"] == {"k": "1"},
    "equal columns": lambda df: df["map"] == df["empty"],
    "equal frames": lambda df: df == df,  # noqa: PLR0124 - each cell
    "plus": lambda df: df["list"] + df["list"],
    "sum of lists": lambda df: df["list"].dropna().sum(),
    "sort": lambda df: df.sort_values("map"),
    "rank": lambda df: df["map"].rank(),
    "turned": lambda df: df.T,
    "stack": lambda df: df.set_index("id")[["map", "empty"]].stack(),  # noqa: PD013
    "melt": lambda df: df.melt(id_vars="id"),
    "pivot": lambda df: df.pivot(index="id", columns="n", values="map"),  # noqa: PD010
    "index": lambda df: df.set_index("map").index.tolist(),
    "set": lambda df: _with(df, "map", 0, "x"),
    "records": lambda df: df.to_dict("records"),
    "rows as tuples": lambda df: list(df.itertuples(index=False, name=None)),
    "numpy": lambda df: df.to_numpy().tolist(),
    "objects": lambda df: list(df[["n", *CELLS]].select_dtypes("object")),
    "by dtype": lambda df: [name for name in df if df[name].dtype == object],
    "dtypes": lambda df: df.dtypes.astype(str).to_dict(),
    "text": lambda df: df["map"].astype(str).tolist(),
    "text of lists": lambda df: df["list"].astype(str).tolist(),
    "text of lists of one length": lambda df: df["list"].iloc[[0, 0]].astype(str).tolist(),
    "bool": lambda df: df["map"].astype(bool).tolist(),
    "convert": lambda df: df.convert_dtypes().dtypes.astype(str).tolist(),
    "convert to Arrow's": lambda df: df.convert_dtypes(dtype_backend="pyarrow").dtypes.astype(str).tolist(),
    "infer": lambda df: df.infer_objects().dtypes.astype(str).tolist(),
    "shift": lambda df: df.shift(1),
    "shift with a value": lambda df: df["map"].shift(1, fill_value="x"),
    "shift in groups": lambda df: df.groupby("n")["map"].shift(1),
    "bfill": lambda df: df.bfill(),
    "bfill a column": lambda df: df["map"].bfill(),
    "ffill with a limit": lambda df: df["none"].ffill(limit=1),
    "ffill in groups": lambda df: df.groupby("empty")["map"].ffill(),
    "fillna by another column": lambda df: df["map"].fillna(df["empty"]),
    "fillna a frame": lambda df: df.fillna("-"),
    "explode a map": lambda df: df["map"].explode().tolist(),
    "explode two": lambda df: df.assign(more=df["list"]).explode(["list", "more"]),
    "last": lambda df: df.groupby("id").last(),
    "named agg": lambda df: df.groupby("id").agg(m=("map", "first"), c=("map", "count")),
    "agg a number": lambda df: df.groupby("id")["map"].agg(len),
    "agg a text": lambda df: df.groupby("id")["map"].agg(lambda cells: str(cells.iloc[0])),
    "agg a truth": lambda df: df.groupby("id")["map"].agg(lambda cells: bool(cells.notna().all())),
    "any in groups": lambda df: df.groupby("id")["map"].any(),
    "all in groups": lambda df: df.groupby("id").all(),
    "any over columns": lambda df: df[["map", "list"]].any(axis=1),
    "all of a column": lambda df: [df["map"].all(), df["map"].any()],
    "cumsum of lists": lambda df: df["list"].dropna().cumsum(),
    "sum of lists in groups": lambda df: df.groupby("id")["list"].sum(),
    "unique in groups": lambda df: df.groupby("id")["map"].unique().map(list),
    "transform": lambda df: df.groupby("id")["map"].transform("first"),
    "cumcount": lambda df: df.groupby("map").cumcount(),
    "concat beside": lambda df: pd.concat([df, df.add_suffix("2")], axis=1),
    "concat with keys": lambda df: pd.concat({"a": df, "b": df}),
    "concat of no rows": lambda df: pd.concat([df.iloc[:0], df]),
    "concat with numbers": lambda df: pd.concat([df["map"], pd.Series([1, 2])]),
    "concat with text": lambda df: pd.concat([df["none"], pd.Series(["a"])]),
    "a new row": lambda df: _with(df, "id", 9, "z"),
    "set by a filter": lambda df: _with(df, "map", df["n"] > 1, df["empty"]),
    "set several": lambda df: _with(df, "map", [0, 2], "x"),
    "set in an empty column": lambda df: _with(df, "none", 0, "x"),
    "where, another column": lambda df: df["map"].where(df["map"].notna(), df["empty"]),
    "where, a text": lambda df: df["map"].where(df["map"].notna(), "x"),
    "mask, a list": lambda df: df["map"].mask(df["n"] > 1, ["x", "y", "z"]),
    "combine to a number": lambda df: df["map"].combine(df["n"], lambda _, number: number),
    "combine to a truth": lambda df: df["map"].combine(df["empty"], lambda one, other: one == other),
    "combine to a text": lambda df: df["map"].combine(1, lambda *_: "x"),
    "update": lambda df: _updated(df, pd.DataFrame({"map": [None, "q", "r"]})),
    "reindex with a value": lambda df: df["map"].reindex([0, 7], fill_value="x"),
    "align": lambda df: df["map"].align(df["list"].iloc[1:])[1],
    "isin": lambda df: df["mixed"].isin(["x"]),
    "contains": lambda df: df["mixed"].str.contains("x"),
    "item of an item": lambda df: df["list"].str[0].str.get("a"),
    "merge, outer": lambda df: df.merge(df.iloc[:1][["id", "map"]], on="id", how="outer", indicator=True),
    "merge_asof": lambda df: pd.merge_asof(df, df[["n", "map"]], on="n"),
    "compare": lambda df: df[["map"]].compare(df[["map"]].iloc[::-1].reset_index(drop=True)),
    "resample": lambda df: _by_time(df).resample("2D").first(),
    "asfreq": lambda df: _by_time(df)[["map"]].asfreq("12h"),
    "pivot_table": lambda df: df.pivot_table(index="id", columns="n", values="map", aggfunc="first"),
    "unstack": lambda df: df.set_index(["id", "n"])["map"].unstack(),  # noqa: PD010
    "apply to columns": lambda df: df["map"].apply(lambda cell: pd.Series(cell or {})),
    "repeat": lambda df: df["map"].repeat(2),
    "insert and pop": lambda df: df.assign(m=df["map"]).pop("m"),
    "to_numpy with a value": lambda df: df["map"].to_numpy(na_value="x").tolist(),
    "turned twice": lambda df: df.T.T,
    "a row": lambda df: df.iloc[1],
    "no rows in groups": lambda df: df.iloc[:0].groupby("id")["map"].first(),
    "shown": repr,
    "html": lambda df: df.to_html(),
    "json": lambda df: df.to_json(orient="records"),
    "csv": lambda df: df.to_csv(),
    "sql": _sql,
    "memory": lambda df: df.memory_usage(deep=True).to_dict(),
}


def _with(df: pd.DataFrame, column: str, row: Any, value: Any) -> pd.DataFrame:
    df = df.copy()
    df.loc[row, column] = value
    return df


def _updated(df: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    df = df.copy()
    df.update(other)
    return df


def _by_time(df: pd.DataFrame) -> pd.DataFrame:
    return df.set_index(pd.date_range("2026-01-01", periods=len(df)))


def _values(made: Any) -> Any:
    """What an operation gave, with None for what is missing."""
    if isinstance(made, (pd.DataFrame, pd.Series)):
        data = made.to_frame() if isinstance(made, pd.Series) else made
        cells = [[_values(cell) for cell in row] for row in data.astype(object).to_numpy().tolist()]
        kinds = [str(each) for each in data.dtypes]
        return cells, _values(list(data.index)), list(data.columns), kinds
    if isinstance(made, (list, tuple)):
        return [_values(each) for each in made]
    return None if not isinstance(made, (dict, str)) and made is not None and made != made else made  # noqa: PLR0124 - NaN


@each_row("name", list(OPERATIONS))
def test_an_operation_does_what_it_does_on_plain_objects(name: str) -> None:
    expected = _values(OPERATIONS[name](frame(plain=True)))
    assert _values(OPERATIONS[name](frame())) == expected
    if name != "memory":  # that of what hasn't been read is its texts'
        assert _values(OPERATIONS[name](frame(unread))) == expected
        assert _values(OPERATIONS[name](frame(unread_once))) == expected


@each_row("value", [None, "x", {"z": 1}, [7, 8], [7]], ids=str)
def test_one_cell_is_set_to_any_value(value: Any) -> None:
    # pandas takes a dict at `loc` for a row's values by their names, and before 3 a list for several rows'
    several = (dict, list) if pd.__version__.startswith("2.") else dict
    ways = ("at", "iat") if isinstance(value, several) else ("at", "iat", "loc", "iloc")
    for way, maker in product(ways, MAKERS.values()):
        df = frame(maker)
        column = df.columns.get_loc("map") if way.startswith("i") else "map"
        getattr(df, way)[1, column] = value
        assert type(df["map"].iloc[1]) is type(value)  # an array of one value would be equal
        assert df["map"].tolist() == [{}, value, None]
    assert df["map"].isna().tolist() == [False, value is None, True]


@each_row("kind", list(MAKERS))
def test_copies_are_equal_and_apart(kind: str) -> None:
    df = frame(MAKERS[kind])
    for other in (df.copy(), copy.deepcopy(df), pickle.loads(pickle.dumps(df))):  # noqa: S301 - our own
        assert other.equals(df)
        other.loc[0, "map"] = None
        assert df.loc[0, "map"] == {}
    assert isinstance(pd.concat([df, frame(plain=True)])["map"].dtype, CellDtype)


@each_row(
    "column, kind",
    [
        ("map", pa.struct([("k", pa.string())])),
        ("empty", pa.map_(pa.string(), pa.string())),
        ("list", pa.list_(pa.struct([("a", pa.int64()), ("metadata", pa.map_(pa.string(), pa.string()))]))),
        ("mixed", pa.large_string()),
        ("none", pa.null()),
    ],
)
def test_arrow_gets_a_type_that_can_be_written(column: str, kind: pa.DataType) -> None:
    assert pa.array(frame()[column]).type == kind


@pytest.mark.parametrize("writer", ["to_parquet", "to_feather"])
def test_pandas_own_writers_keep_every_cell(writer: str, tmp_path: Path) -> None:
    df = frame()
    path = tmp_path / f"cells.{writer.removeprefix('to_')}"
    getattr(df, writer)(path)
    back = sm.read_parquet(path)
    for name, cells in CELLS.items():
        assert back[name].tolist() == cells, name
    plain = pd.read_feather(path) if writer == "to_feather" else pd.read_parquet(path)
    assert [each["a"] for each in plain["nulls"]] == [None, None, 1]  # to others it is a struct as any
    assert plain["map"][1] == {"k": "1"}


def test_text_that_a_person_has_among_objects_is_not_read_as_json(tmp_path: Path) -> None:
    df = frame().assign(note=pd.Series(["1", "[2]", "{}"], dtype=object))
    df.to_parquet(tmp_path / "cells.parquet")
    assert sm.read_parquet(tmp_path / "cells.parquet")["note"].tolist() == ["1", "[2]", "{}"]


@each_row("kind", list(MAKERS))
def test_other_programs_read_cells(kind: str) -> None:
    duckdb = pytest.importorskip("duckdb", reason="the extra duckdb")
    with duckdb.connect() as database:
        database.register("cells", frame(MAKERS[kind]))
        # a map's two halves: as a whole, DuckDB 1.0 gives Python another dict than later ones
        columns = "id, map_keys(map), map_values(map), list[1].a"
        found = database.sql(f"select {columns} from cells order by id").fetchall()
    assert [row[0] for row in found] == ["a", "b", "c"]
    assert found[1][1:3] == (["k"], ["1"])
    assert found[0][3] == 1


def test_objects_that_come_again_inside_cells_are_one_object() -> None:
    """The price of every line is kept once; what is equal only to Python (1, 1.0, True) is not the same."""

    def invoice(number: int, *amounts: float, nickname: str = "a") -> dict[str, Any]:
        price = {"id": "price_1", "object": "price", "nickname": nickname, "metadata": {}}
        lines = [{"id": f"il_{number}", "price": {**price, "unit_amount": amount}} for amount in amounts]
        return {"id": f"in_{number}", "object": "invoice", "lines": {"object": "list", "data": lines}}

    invoices = [invoice(1, 1, 1), invoice(2, 1.0, 1), invoice(3, True), invoice(4, 1, nickname="b")]
    cells = frames.build([json.dumps({"data": invoices}).encode()], "invoice")["lines"].tolist()
    assert cells == [each["lines"]["data"] for each in invoices]
    prices = [each["price"] for cell in cells for each in cell]
    assert [type(each["unit_amount"]) for each in prices] == [int, int, float, int, bool, int]
    assert [each["nickname"] for each in prices] == [*"aaaaa", "b"]
    assert prices[0] is prices[1] is prices[3]
    assert len({id(each) for each in prices}) == 4
