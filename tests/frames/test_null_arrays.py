"""Columns without any value share their memory; to pandas they are columns as any other."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from functools import cache
from typing import Any

import pandas as pd

import stripe_magics.accessor  # noqa: F401 - registers df.stripe
from stripe_magics import frames
from tests.each_row import each_row

ROWS = 200
EMPTY = {
    "text": "description",
    "number": "application_fee_amount",
    "truth": "payment_method_details_card_moto",
    "map": "level3_line_items",
    "time": "payment_method_details_card_capture_before",
}
KEPT = ["id", "amount", *EMPTY.values()]


@cache
def built() -> pd.DataFrame:
    rows = [{"id": f"ch_{n}", "object": "charge", "amount": n, "currency": "usd"} for n in range(ROWS)]
    return frames.build([json.dumps(rows).encode()], "charge", attrs={"mode": "test", "units": "minor"})


def frame(*, plain: bool = False) -> pd.DataFrame:
    """Some columns of a list; with `plain`, typed by hand."""
    df = built()[KEPT]
    if not plain:
        return df
    own = {name: pd.Series([None] * ROWS, dtype=df[name].dtype) for name in EMPTY.values()}
    own["level3_line_items"] = pd.Series([None] * ROWS, dtype=object)
    return pd.DataFrame({"id": df["id"].tolist(), "amount": df["amount"].tolist(), **own}).astype(
        {"id": df["id"].dtype}
    )


def changed(df: pd.DataFrame, change: Callable[[pd.DataFrame], Any]) -> pd.DataFrame:
    df = df.copy()
    change(df)
    return df


OPERATIONS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "filter": lambda df: df[df["amount"] > 50],
    "no rows": lambda df: df[df["amount"] > ROWS],
    "sort": lambda df: df.sort_values("amount", ascending=False),
    "backwards": lambda df: df.iloc[::-2],
    "more rows than there were": lambda df: df.iloc[[0] * (ROWS + 5)],
    "reindex": lambda df: df.reindex(range(5, ROWS + 5)),
    "shift": lambda df: df.shift(3),
    "shift with a value": lambda df: df[["application_fee_amount"]].shift(1, fill_value=7),
    "fillna": lambda df: df.fillna({"application_fee_amount": 0, "description": "none"}),
    "ffill": lambda df: df.ffill().bfill(),
    "interpolate": lambda df: df[["application_fee_amount"]].astype("Float64").interpolate(),
    "where": lambda df: df.assign(n=df["application_fee_amount"].where(df["amount"] < 3, df["amount"])),
    "mask": lambda df: df.assign(t=df["description"].mask(df["amount"] < 3, "x")),
    "fillna by another": lambda df: df.assign(n=df["application_fee_amount"].fillna(df["amount"])),
    "concat": lambda df: pd.concat([df, df.assign(application_fee_amount=df["amount"])]),
    "concat, then filter": lambda df: pd.concat([df.assign(description="x"), df]).query("amount > 190"),
    "drop_duplicates": lambda df: df.drop_duplicates(["description", "application_fee_amount"]),
    "group": lambda df: (
        df.groupby(["description"], dropna=False).agg({"amount": "sum"}).reset_index(drop=True)
    ),
    "sums": lambda df: df.groupby("id")[["application_fee_amount"]].sum().sort_index(),
    "describe": lambda df: df[["amount", "application_fee_amount"]].describe(),
    "merge": lambda df: df.merge(df[["id", "description"]].head(20), on="id", how="left"),
    "loc": lambda df: changed(df, lambda d: d.loc.__setitem__((3, "description"), "x")),
    "iloc": lambda df: changed(df, lambda d: d.iloc.__setitem__((slice(0, 5), 3), 9)),
    "loc, a filter": lambda df: changed(
        df.head(150), lambda d: d.loc.__setitem__((d["amount"] > 9, "payment_method_details_card_moto"), True)
    ),
    "at": lambda df: changed(
        df[df["amount"] > 2], lambda d: d.at.__setitem__((5, "application_fee_amount"), 1)
    ),
    "update": lambda df: changed(df, lambda d: d.update(pd.DataFrame({"application_fee_amount": [1, 2]}))),
    "a new row": lambda df: changed(df, lambda d: d.loc.__setitem__((ROWS, "id"), "ch_new")),
    "pickle": lambda df: pickle.loads(pickle.dumps(df)),  # noqa: S301 - our own
    "replace": lambda df: df.replace({"id": {"ch_1": "one"}}),
    "astype": lambda df: df.astype({"application_fee_amount": "Float64", "description": "string"}),
    "isna": lambda df: df.isna(),
    "reset_index": lambda df: df.set_index("id").reset_index(),
    "turned": lambda df: df.head(3).astype(object).T,
}


def cells(df: pd.DataFrame) -> list[list[Any]]:
    return [[None if pd.isna(each) else each for each in row] for row in df.astype(object).to_numpy()]


@each_row("name", list(OPERATIONS))
def test_an_operation_does_what_it_does_on_columns_typed_by_hand(name: str) -> None:
    ours, plain = OPERATIONS[name](frame()), OPERATIONS[name](frame(plain=True))
    assert ours.dtypes.astype(str).tolist() == plain.dtypes.astype(str).tolist()
    assert ours.index.equals(plain.index)
    assert cells(ours) == cells(plain)
    for column in EMPTY.values():  # whatever was done, the frame itself is as it was
        assert frame()[column].isna().all()


@each_row("kind", list(EMPTY))
def test_what_is_written_into_one_column_stands_in_no_other(kind: str) -> None:
    values = {
        "text": "x",
        "number": 1,
        "truth": True,
        "map": "y",
        "time": pd.Timestamp("2026-01-01", tz="UTC"),
    }
    df = built()
    same = [name for name in df if df[name].dtype == df[EMPTY[kind]].dtype and df[name].isna().all()]
    for other in (df.copy(), df[df["amount"] >= 0].copy(), df.sort_values("id").copy()):
        other.loc[3, EMPTY[kind]] = values[kind]
        assert other[EMPTY[kind]].notna().sum() == 1
        assert all(other[name].isna().all() for name in same if name != EMPTY[kind])
        assert all(df[name].isna().all() for name in same)


HERE: Any = {"inplace": True}
IN_PLACE: dict[str, Callable[[pd.Series[Any], Any], Any]] = {
    "fillna": lambda column, value: column.fillna(value, **HERE),
    "fillna, a few": lambda column, value: column.fillna(value, limit=3, **HERE),
    "ffill": lambda column, _: column.ffill(**HERE),
    "where": lambda column, value: column.where(column.index > 5, value, **HERE),
    "mask": lambda column, value: column.mask(column.index > 5, value, **HERE),
    "into a running maximum": lambda column, value: column.cummax().__setitem__(3, value),
    "into a turned array": lambda column, value: column.array.ravel().__setitem__(3, value),
}


@each_row("name", list(IN_PLACE))
def test_what_is_filled_in_place_is_filled_in_no_other_column(name: str) -> None:
    df = built()
    for kind, value in (("number", 0), ("truth", False)):
        rows = df[df["amount"] > 3]
        for own in (df.copy()[EMPTY[kind]].copy(), rows.copy().pop(EMPTY[kind]), df[EMPTY[kind]].head(99)):
            IN_PLACE[name](own, value)
            if name == "fillna":
                assert own.tolist() == [value] * len(own)
        two = df[[EMPTY[kind]]].copy()
        two.fillna(value, **HERE)
        assert two[EMPTY[kind]].tolist() == [value] * ROWS
        for column in EMPTY.values():
            assert df[column].isna().all()
            assert rows[column].isna().all()


def test_memory_is_counted_once_for_all_columns_that_share_it() -> None:
    df = built()
    for made in (df, df[df["amount"] > 3], df.copy(), df.head(100), df.sort_values("id"), df.reset_index()):
        whole, full = (each.memory_usage(deep=True).sum() for each in (made, made.stripe.compact()))
        assert whole < full + 80 * len(made)
