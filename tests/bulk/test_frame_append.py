"""Rows that are added to a folder of a pull: it reads as if all had come together, whatever types pandas has
given the columns since."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import stripe_magics as sm
from stripe_magics import bulk
from stripe_magics.bulk import frame_append
from stripe_magics.frames import manifest as manifests
from stripe_magics.frames import manifest_check

LISTS = {"charges": "charge", "subscriptions": "subscription", "invoices": "invoice", "events": "event"}


def _by_pandas(df: pd.DataFrame) -> pd.DataFrame:
    bare = df.copy()
    bare.attrs = {}
    return pd.DataFrame(bare.to_dict("records")).astype({"created": "datetime64[us, UTC]"})


CHANGES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "as they came": lambda df: df,
    "floats": lambda df: df.assign(amount=df["amount"].astype("float64"), amount_captured=float("nan")),
    "objects": lambda df: df.astype({"currency": object, "customer": object, "metadata": object}),
    "categories": lambda df: df.astype({"currency": "category", "status": "category"}),
    "text stored otherwise": lambda df: df.astype({"currency": pd.StringDtype("python")}),
    "nanoseconds": lambda df: df.assign(created=df["created"].astype("datetime64[ns, UTC]")),
    "without columns": lambda df: df.drop(columns=["metadata", "customer"]),
    "one more column": lambda df: df.assign(note="x", score=1),
    "read from pandas' own file": _by_pandas,
}


@pytest.fixture
def lists() -> Iterator[dict[str, pd.DataFrame]]:
    sm.connect(sandbox=True)
    yield {name: sm.pull(name, limit=25, quiet=True) for name in LISTS}
    sm.close()


def _newest_first(df: pd.DataFrame) -> pd.DataFrame:
    return df.sort_values(["created", "id"], ascending=False, ignore_index=True)


def _added(folder: Path, name: str, later: pd.DataFrame) -> pd.DataFrame:
    """The folder of a pull of 20 rows with these rows added."""
    sm.pull(name, to=folder, limit=20, quiet=True)
    folder /= name
    assert bulk.FrameAppender(folder, LISTS[name])(later) == len(later)
    found = manifests.load(folder)
    assert found is not None
    assert not manifest_check.check(folder, found, content=True)
    assert len(pd.read_parquet(folder)) == 20 + len(later)  # any program reads it
    return sm.read_parquet(folder)


@pytest.mark.parametrize("few", [5, 5_000], ids=["a file more", "files merged"])
def test_every_list_is_whole(
    lists: dict[str, pd.DataFrame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(frame_append, "MIN_FILE_ROWS", few)
    for name, df in lists.items():
        back = _added(tmp_path, name, df.tail(5))
        assert_frame_equal(_newest_first(back), _newest_first(df), check_like=True, obj=name)


@pytest.mark.parametrize("few", [5, 5_000], ids=["a file more", "files merged"])
def test_rows_of_other_types_come_back_in_the_lists_types(
    lists: dict[str, pd.DataFrame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(frame_append, "MIN_FILE_ROWS", few)
    df = lists["charges"]
    failures: dict[str, Any] = {}
    for how, change in CHANGES.items():
        later = change(df.tail(5))
        try:
            back = _newest_first(_added(tmp_path / how, "charges", later))
            want = _newest_first(df)
            whole = [name for name in df if name != "amount_captured"]  # which a row misses
            assert back[whole].dtypes.tolist() == df[whole].dtypes.tolist()
            kept = [name for name in whole if name in later]
            for name in kept:
                assert (
                    back[name].astype(object).where(back[name].notna(), None).tolist()
                    == want[name].astype(object).where(want[name].notna(), None).tolist()
                ), name
        except Exception as failure:  # noqa: BLE001 - all are shown
            failures[how] = repr(failure)[:500]
    assert not failures


def test_a_row_that_comes_twice_is_added_once(tmp_path: Path) -> None:
    twice = pd.DataFrame({"id": ["evt_1", "evt_1"], "type": ["a", "a"]})
    assert bulk.FrameAppender(tmp_path / "events", "event")(twice) == 1
    assert pd.read_parquet(tmp_path / "events")["id"].tolist() == ["evt_1"]


def test_times_of_any_unit_among_texts_are_seconds(tmp_path: Path) -> None:
    add, moment = bulk.FrameAppender(tmp_path / "events", "event"), pd.Timestamp("2026-03-01T10:00Z")
    add(pd.DataFrame({"id": ["evt_0"], "own": ["text"]}))
    for unit in ("s", "ms", "us", "ns"):
        add(pd.DataFrame({"id": [unit], "own": pd.Series([moment]).astype(f"datetime64[{unit}, UTC]")}))
    own = pd.read_parquet(tmp_path / "events")["own"].tolist()
    assert own == ['"text"', *["1772359200"] * 4]


def test_rows_that_a_killed_writer_left_in_a_second_file_are_not_read_twice(
    lists: dict[str, pd.DataFrame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file in which the last one was merged is there, and the manifest doesn't name it yet."""
    df = lists["charges"]
    sm.pull("charges", to=tmp_path, limit=20, quiet=True)
    before = sm.read_parquet(tmp_path)

    def killed(*_given: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(manifest_check, "remove_unnamed", killed)
    with pytest.raises(KeyboardInterrupt):  # the new manifest is there, and the old file is still
        bulk.FrameAppender(tmp_path / "charges", "charge")(df.tail(5))
    assert sorted(sm.read_parquet(tmp_path)["id"]) == sorted(df["id"])
    (left_over,) = {each.name for each in (tmp_path / "charges").glob("*.parquet")} - {
        each.name
        for each in manifests.load(tmp_path / "charges").files  # type: ignore[union-attr]
    }
    (tmp_path / "charges" / left_over).unlink()
    assert len(before) == 20
