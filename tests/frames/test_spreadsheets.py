"""Frames as workbooks: what is read back is what was written, in bounded memory, and nothing runs."""

from __future__ import annotations

import datetime as dt
import io
import tracemalloc
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from each_row import each_row

import stripe_magics.accessor.dataframe_accessor  # noqa: F401 - df.stripe
from stripe_magics.accessor import spreadsheets
from stripe_magics.errors import ColumnNotFoundError, FileError, FrameError

openpyxl = pytest.importorskip("openpyxl", reason="the extra excel")
pytest.importorskip("xlsxwriter", reason="the extra excel")

FACTS = {"object": "charge", "units": "minor", "zone": "Europe/Berlin", "mode": "test", "account": "acct_1"}


def frame(**columns: Any) -> pd.DataFrame:
    made = pd.DataFrame(columns)
    made.attrs["stripe"] = dict(FACTS)
    return made


def cells(path: Any, **options: Any) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in openpyxl.load_workbook(path, **options).active.iter_rows(values_only=True)]


def test_every_kind_of_value_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "all.xlsx"
    frame(
        currency=["usd", "jpy", "kwd"],
        amount=[-1050, 5000, 12345],
        text=["=1+1", "a\rb", None],
        big=[10**16, 5, -3],
        ratio=[0.5, float("nan"), float("inf")],
        paid=[True, False, None],
        created=pd.to_datetime(["2026-03-29T00:30Z", None, "2026-10-25T01:30Z"]),
        card=[{"brand": "visa"}, [1, 2], float("nan")],
        other=[Decimal("1.25"), dt.date(2026, 3, 1), dt.timedelta(hours=12)],
    ).stripe.to_excel(file)
    head, *rows = cells(file)
    assert head == ("currency", "amount", "text", "big", "ratio", "paid", "created", "card", "other")
    assert rows == [
        ("usd", -10.5, "=1+1", "1" + "0" * 16, 0.5, True, dt.datetime(2026, 3, 29, 1, 30),
         '{"brand": "visa"}', 1.25),
        ("jpy", 5000, "a\nb", 5, None, False, None, "[1, 2]", dt.datetime(2026, 3, 1)),
        ("kwd", 12.345, None, -3, "inf", None, dt.datetime(2026, 10, 25, 2, 30), None, 0.5),
    ]  # fmt: skip
    sheet = openpyxl.load_workbook(file).active
    assert sheet is not None
    assert [sheet.cell(row, 2).number_format for row in (2, 3, 4)] == ["#,##0.00", "#,##0", "#,##0.000"]
    assert (sheet["C2"].data_type, sheet["C2"].quotePrefix) == ("s", True)
    assert sheet.freeze_panes == "A2"
    with zipfile.ZipFile(file) as book:
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")


def test_long_frames_need_no_more_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells are made a slice at a time: of the further rows only numbers in arrays stay."""
    monkeypatch.setattr(spreadsheets, "SLICE", 1_000)

    def peak(rows: int) -> int:
        made = frame(currency=["usd"] * rows, amount=range(rows), text=[f"row {n}" for n in range(rows)])
        tracemalloc.start()
        made.stripe.to_excel(tmp_path / f"{rows}.xlsx")
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(10)  # imports
    short, long = peak(2_000), peak(12_000)
    assert long - short < 100 * 10_000, (short, long)  # bytes a row: 50; of whole columns of cells 200
    assert pd.read_excel(tmp_path / "12000.xlsx")["amount"].tolist() == [n / 100 for n in range(12_000)]


def test_columns_index_and_writers(tmp_path: Path) -> None:
    made = frame(currency=["usd", "usd"], amount=[100, 250]).set_index(pd.Index(["a", "b"], name="key"))
    buffer = io.BytesIO()
    made.stripe.to_excel(buffer, index=True, columns=["currency", "amount"])
    assert cells(buffer) == [("key", "currency", "amount"), ("a", "usd", 1), ("b", "usd", 2.5)]
    with pd.ExcelWriter(tmp_path / "two.xlsx", engine="xlsxwriter") as writer:
        made.stripe.to_excel(writer, sheet_name="One")
        made.stripe.to_excel(writer, sheet_name="Two")
    assert openpyxl.load_workbook(tmp_path / "two.xlsx").sheetnames == ["One", "Two"]
    empty = made.iloc[:0]
    empty.stripe.to_excel(tmp_path / "empty.xlsx")
    assert cells(tmp_path / "empty.xlsx") == [("currency", "amount")]


@each_row(
    "options, error, says",
    [
        ({"startrow": 3}, FrameError, "no option startrow"),
        ({"columns": ["amuont"]}, ColumnNotFoundError, "amuont"),
        ({"sheet_name": "a/b"}, FrameError, "can't be called 'a/b'"),
        ({"sheet_name": "x" * 40}, FrameError, "can't be called"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_the_file_alone(
    tmp_path: Path, options: dict[str, Any], error: type[Exception], says: str
) -> None:
    file = tmp_path / "kept.xlsx"
    file.write_bytes(b"before")
    with pytest.raises(error, match=says):
        frame(currency=["usd"], amount=[1]).stripe.to_excel(file, **options)
    assert file.read_bytes() == b"before"
    assert [each.name for each in tmp_path.iterdir()] == ["kept.xlsx"]


def test_names_folders_and_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = frame(currency=["usd"], amount=[1])
    with pytest.raises(FrameError, match=r"ends in \.xlsx"):
        made.stripe.to_excel(tmp_path / "x.xls")
    with pytest.raises(FileError, match="can't be written"):
        made.stripe.to_excel(tmp_path / "none" / "x.xlsx")
    with pytest.raises(FrameError, match=r"amount has fractions .*can't be in minor units"):
        frame(id=["ch_1"], currency=["usd"], amount=[12.5]).stripe.to_excel(tmp_path / "x.xlsx")
    with (
        pytest.raises(FrameError, match="engine is openpyxl"),
        pd.ExcelWriter(tmp_path / "o.xlsx", engine="openpyxl") as writer,
    ):
        writer.book.create_sheet("kept")
        made.stripe.to_excel(writer)
    monkeypatch.setattr(spreadsheets, "MAX_ROWS", 2)
    with pytest.raises(FrameError, match="2 rows and 2 columns; a sheet takes 1 rows"):
        pd.concat([made, made]).stripe.to_excel(tmp_path / "x.xlsx")
    with pytest.warns(UserWarning, match=r"1 texts are longer than the 32,767 characters"):
        frame(text=["x" * 40_000]).stripe.to_excel(tmp_path / "long.xlsx")
    assert len(cells(tmp_path / "long.xlsx")[1][0]) == spreadsheets.MAX_TEXT
