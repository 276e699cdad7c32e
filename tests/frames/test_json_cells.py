"""A long column of maps or lists is decoded when it is read, once, and what is chosen from it alone where
that is less."""

from __future__ import annotations

import json
import os
import pickle
import threading
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from stripe_magics import frames
from stripe_magics.frames import column_values, json_cells
from stripe_magics.frames.json_cells import MAX_SINGLE_CELLS, JsonCellArray, JsonTexts

ROWS = 300


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that were decoded."""
    texts: list[str] = []
    made = column_values.cell_decoder

    def counting() -> Callable[[str], Any]:
        decode = made()
        return lambda text: (texts.append(text), decode(text))[1]

    monkeypatch.setattr(column_values, "cell_decoder", counting)
    monkeypatch.setattr(json_cells, "cell_decoder", counting)
    monkeypatch.setattr(column_values, "MIN_UNREAD_ROWS", ROWS)
    return texts


def customers(count: int = ROWS) -> pd.DataFrame:
    """Each row has metadata of its own and one of two lists; oldest first, so that they are put in order."""
    rows = [
        {"id": f"cus_{number}", "object": "customer", "created": 1_700_000_000 + number,
            "metadata": {"order": str(number)}, "preferred_locales": ["de", "en"][number % 2 :]}
        for number in range(count)
    ]  # fmt: skip
    pages = [json.dumps({"object": "list", "data": rows[at : at + 100]}) for at in range(0, count, 100)]
    return frames.build([page.encode() for page in pages], "customer", newest_first=True)


def test_nothing_is_decoded_until_it_is_read(decoded: list[str]) -> None:
    df = customers()
    assert (len(df), df["metadata"].isna().sum(), df["metadata"].dtype) == (ROWS, 0, object)
    newest = df[df["created"] > df["created"].iloc[-1]].sort_values("created").iloc[:-1]
    df.memory_usage(deep=True)
    pd.concat([df, df], ignore_index=True).copy().drop(columns="id")
    assert len(decoded) <= 4  # pandas 2 looks at the first cell of each column that it puts together
    decoded.clear()
    assert newest["metadata"].tail(2).tolist() == [{"order": str(ROWS - 3)}, {"order": str(ROWS - 2)}]
    assert len(decoded) == 2
    assert df.iloc[5]["metadata"] == {"order": str(ROWS - 6)}
    assert len(decoded) == 4  # of that row, its list too


def test_each_text_is_decoded_once_for_all_that_read_it(decoded: list[str]) -> None:
    df = customers()
    copies = (df, df.copy(), df[:], df.rename(columns={"email": "mail"}))
    expected = [{"order": str(number)} for number in reversed(range(ROWS))]
    for each in copies:
        assert each["metadata"].tolist() == expected
        assert each["metadata"].str.get("order").iloc[0] == str(ROWS - 1)
        assert each["preferred_locales"].tolist() == [["en"], ["de", "en"]] * (ROWS // 2)
    assert len(decoded) == ROWS + 2
    assert df["metadata"].iloc[3] is df.copy()["metadata"].iloc[3]
    with pytest.raises(TypeError, match="can't be changed"):
        df["metadata"].iloc[0]["order"] = "x"


def test_a_loop_over_single_cells_decodes_them_all_at_last(decoded: list[str]) -> None:
    cells = customers()["metadata"].array
    assert isinstance(cells, JsonCellArray)
    for _ in range(3):
        assert [cells[place]["order"] for place in range(ROWS)] == [*map(str, reversed(range(ROWS)))]
    assert len(decoded) == MAX_SINGLE_CELLS + ROWS
    assert cells[-1] == {"order": "0"}
    for place in (ROWS, -ROWS - 1):
        with pytest.raises(IndexError):
            cells[place]
        with pytest.raises(IndexError):
            customers()["metadata"].array[place]


def test_what_is_written_stays_in_its_own_frame(decoded: list[str]) -> None:
    df = customers()
    copy, view, pickled = df.copy(), df[:10], pickle.loads(pickle.dumps(df))  # noqa: S301 - our own
    assert decoded == []
    df.at[0, "metadata"] = {"order": "new"}
    for other in (copy, view, pickled, df.copy()[1:]):
        assert other["metadata"].iloc[0] in ({"order": str(ROWS - 1)}, {"order": str(ROWS - 2)})
    assert df["metadata"].iloc[0] == {"order": "new"}
    missing = df["metadata"].reindex([1, ROWS]).tolist()
    assert missing[0] == {"order": str(ROWS - 2)}
    assert missing[1] is None or np.isnan(missing[1])


def test_a_short_list_is_decoded_at_once(decoded: list[str]) -> None:
    assert not isinstance(customers(ROWS - 1)["metadata"].array, JsonCellArray)
    assert len(decoded) == ROWS - 1 + 2


def test_texts_that_come_again_stand_once_in_each_chunk() -> None:
    builder = frames.Builder("customer", chunk=200)
    for start in (0, 100):
        rows = [{"id": f"cus_{start + each}", "object": "customer", "metadata": {"k": "v"},
            "shipping": {"tracking": [start + each]} if each else None} for each in range(100)]  # fmt: skip
        builder.add(json.dumps({"object": "list", "data": rows}).encode())
    builder._flush()
    column = builder._tables[0]["metadata"]
    assert [str(column.type).partition("<")[0], column.unique().to_pylist()] == ["dictionary", ['{"k": "v"}']]
    (table,) = builder.tables()  # as files have it
    assert str(table.schema.field("metadata").type) == "string"
    assert table["metadata"].to_pylist() == ['{"k": "v"}'] * 200


def test_read_and_unread_cells_are_equal() -> None:
    texts = pa.array(['{"a": 1}', None, "[]"])
    for one, other in ((0, 0), (0, 1), (1, 0), (1, 1)):
        df, same = (pd.DataFrame({"map": JsonCellArray(JsonTexts(texts))}) for _ in range(2))
        for read, each in ((one, df), (other, same)):
            if read:
                each["map"].tolist()
        assert df.equals(same)
        assert df["map"].equals(same["map"])
        same.at[0, "map"] = {"a": 2}
        assert not df.equals(same)


def test_what_one_thread_writes_another_does_not_read_away() -> None:
    """The second one is in the middle of reading the same column for the first time."""

    class Read(JsonTexts):
        def cells(self) -> Any:
            found = super().cells()
            if "_data" not in array.__dict__:
                array.__dict__["_data"] = found.copy()
                array[0] = "written"
            return found

    array = JsonCellArray(Read(pa.array(['{"a": 1}', None])))
    assert array.tolist() == ["written", None]
    # which is in a method of the column as it was, while it becomes one as any other
    assert JsonCellArray.isna(array).tolist() == [False, True]
    assert JsonCellArray.__len__(array) == len(JsonCellArray.copy(array)) == 2
    assert JsonCellArray.take(array, [1, 1]).tolist() == [None, None]
    assert JsonCellArray.__getitem__(array, slice(1, None)).tolist() == [None]
    assert pickle.loads(pickle.dumps(array)).tolist() == ["written", None]  # noqa: S301 - our own


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_reads_what_a_thread_was_reading() -> None:
    held, done = threading.Event(), threading.Event()

    def reading() -> None:
        with json_cells._lock:
            held.set()
            done.wait(60)

    thread = threading.Thread(target=reading)
    thread.start()
    held.wait(60)
    array = JsonCellArray(JsonTexts(pa.array(['{"a": 1}'])))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads: that is what this is
        child = os.fork()
    if not child:
        os._exit(0 if array.tolist() == [{"a": 1}] else 1)
    ended, until = (0, 0), time.monotonic() + 60
    while not ended[0] and time.monotonic() < until:
        ended = os.waitpid(child, os.WNOHANG)
        time.sleep(0.01)
    done.set()
    thread.join(60)
    if not ended[0]:
        os.kill(child, 9)
        os.waitpid(child, 0)
    assert ended == (child, 0)


def test_long_texts_that_are_decoded_at_once_are_not_joined_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lines of all invoices in one array would be the largest thing of their frame, and its peak."""
    joined: list[int] = []
    join = column_values.cols.joined
    monkeypatch.setattr(
        column_values.cols,
        "joined",
        lambda arrays, kind: (joined.append(sum(each.nbytes for each in arrays)), join(arrays, kind))[1],
    )
    rows = [
        {"id": f"in_{number}", "object": "invoice", "created": 1_700_000_000 + number,
            "lines": {"object": "list", "has_more": False,
                "data": [{"id": f"il_{number}", "object": "line_item", "description": f"{number}" * 999}]}}
        for number in range(ROWS)
    ]  # fmt: skip
    page = json.dumps({"object": "list", "data": rows}).encode()
    df = frames.build([page], "invoice", newest_first=True)
    assert df["lines"].iloc[0][0]["id"] == f"il_{ROWS - 1}"
    assert sum(joined) < len(page) / 10
