"""Parquet files whose maps and lists have Parquet's own types, for readers without JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import stripe_magics as sm
from stripe_magics import frames

LISTS = ("invoices", "prices", "subscriptions", "payouts", "payment_intents", "customers", "disputes")


@pytest.fixture(scope="module", autouse=True)
def _connected() -> Iterator[None]:
    sm.connect(sandbox=True)
    yield
    sm.close()


def _nested(df: pd.DataFrame) -> list[str]:
    return [
        name
        for name in df
        if df[name].dtype == object and any(isinstance(each, (dict, list)) for each in df[name])
    ]


@pytest.mark.parametrize("name", LISTS)
def test_lists_are_typed_and_come_back(name: str, tmp_path: Path) -> None:
    df = sm.call(f"{name}.list", limit=60)
    df.stripe.to_parquet(tmp_path / "typed.parquet", typed=True)
    kinds = pq.read_schema(tmp_path / "typed.parquet")
    nested = _nested(df)
    assert nested
    for column in nested:
        assert pa.types.is_nested(kinds.field(column).type), column
    assert kinds.field("metadata").type == pa.map_(pa.string(), pa.string())
    plain = pd.read_parquet(tmp_path / "typed.parquet")
    assert [dict(pairs) for pairs in plain["metadata"]] == df["metadata"].tolist()
    back = sm.read_parquet(tmp_path / "typed.parquet")
    assert back.attrs == df.attrs
    assert back.dtypes.equals(df.dtypes)
    for column in df:
        if column in nested:
            assert back[column].tolist() == df[column].tolist()
        else:
            pd.testing.assert_series_equal(back[column], df[column])


def test_other_readers_take_lists_apart(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb", reason="the extra duckdb")
    df = sm.call("invoices.list", limit=60)
    path = tmp_path / "typed.parquet"
    df.stripe.to_parquet(path, typed=True)
    first = [lines[0]["amount"] for lines in df["lines"]]
    assert [row[0] for row in duckdb.sql(f"select lines[1].amount from '{path}'").fetchall()] == first
    arrow = pd.read_parquet(path, dtype_backend="pyarrow")
    assert arrow["lines"].list[0].struct.field("amount").tolist() == first


def test_a_pull_becomes_typed(tmp_path: Path) -> None:
    sm.pull("invoices", to=tmp_path / "pulled", limit=300)
    df = sm.read_parquet(tmp_path / "pulled")
    df.stripe.to_parquet(tmp_path / "typed.parquet", typed=True)
    kinds = pq.read_schema(tmp_path / "typed.parquet")
    assert all(pa.types.is_nested(kinds.field(name).type) for name in _nested(df))
    assert sm.read_parquet(tmp_path / "typed.parquet")["metadata"].tolist() == df["metadata"].tolist()


MIXED: tuple[tuple[list[Any], bool], ...] = (
    ([["a", {"id": "b"}]], True),  # an id and an object
    ([[1], ["1"]], True),
    ([[2**70]], True),  # beyond Arrow's whole numbers
    ([{"a": {"b": 1}}, {"a": "b"}], True),
    ([[1, 2.5], []], False),
    ([[None, "a"], None], False),
    ([{"a": {}}, {"a": {}}], False),  # always empty
    ([{f"k{n}": n} for n in range(100)], False),  # ever new keys
    ([[], []], False),
)


@pytest.mark.parametrize(("cells", "mixed"), MIXED, ids=lambda each: json.dumps(each)[:30])
def test_what_has_no_type_stays_text_and_is_named(cells: list[Any], mixed: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a table's column
    rows = [{"id": f"ch_{n}", "object": "charge"} for n in range(len(cells))]
    df = frames.build([json.dumps(rows).encode()], "charge")[["id"]]
    df["mine"] = pd.Series(cells, dtype=object)
    path = tmp_path / "typed.parquet"
    if mixed:
        with pytest.warns(UserWarning, match="JSON text.*: mine") as met:
            df.stripe.to_parquet(path, typed=True)
        assert Path(met[0].filename) == Path(__file__)
        assert pa.types.is_string(pq.read_schema(path).field("mine").type)
    else:
        df.stripe.to_parquet(path, typed=True)
        assert pa.types.is_nested(pq.read_schema(path).field("mine").type)
    assert sm.read_parquet(path)["mine"].tolist() == cells
