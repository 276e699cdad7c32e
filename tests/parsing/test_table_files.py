"""`--from` a file: tables as spreadsheets of all countries save them, every cell as it is shown."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from each_row import each_row

import stripe_magics as sm
from stripe_magics import bulk, catalogue
from stripe_magics._command import Command
from stripe_magics.errors import UsageFault
from stripe_magics.forms.row_amounts import read_amounts
from stripe_magics.money import GroupedNumber
from stripe_magics.parsing import parse
from stripe_magics.parsing.delimited_text import read_delimited
from stripe_magics.parsing.table_files import read_table
from stripe_magics.parsing.workbook_cells import number_as_shown

HEAD, ROWS = ["name", "email"], [["Änn", "a@x.de"], ["Bob", "b@x.de"]]
TEXT = "name,email\nÄnn,a@x.de\nBob,b@x.de\n"
FILES = [
    TEXT.encode(),
    TEXT.encode("utf-8-sig"),
    TEXT.encode("utf-16"),
    TEXT.replace("\n", "\r\n").encode(),
    TEXT.replace("\n", "\r").encode(),
    TEXT.replace(",", ";").encode(),
    TEXT.replace(",", "\t").encode("utf-16"),
    ("sep=;\n" + TEXT.replace(",", ";")).encode(),
    TEXT.replace(",", ",,", 1).replace(",,", ",").encode(),
    "name;email;\nÄnn;a@x.de;\nBob;b@x.de;\n".encode(),
    '"name";"email"\n"Änn";"a@x.de"\n\n;\n"Bob";"b@x.de"\n;\n;\n'.encode(),
    TEXT.rstrip().encode(),
]
REFUSED = [
    (b"", "it is empty"),
    (b"\n\n,,\n", "it is empty"),
    (b"name,email\n", "no rows below"),
    (b"name,email\nAnn,a@x.de,12.00\n", "line 2 has 3 cells, the head has 2"),
    (b"Report of 2026\nname,email\nAnn,a@x.de\n", "a title above the head"),
    (b'name,email\n"Ann,a@x.de\n', "is a quote left open"),
    (b"name\nA\x81nn\n", "neither UTF-8 nor Windows-1252"),
    (b"\xef\xbb\xbfname\nA\x81nn\n", "it begins as UTF-8 and isn't"),
    (b"\xff\xfen\x00a\x00m", "it begins as UTF-16 and isn't"),
]


@each_row("data", FILES)
def test_a_file_is_read_however_it_was_saved(data: bytes) -> None:
    sheet = read_delimited(data)
    assert (sheet.head, sheet.rows) == (HEAD, ROWS)
    assert not sheet.guessed


@each_row(("data", "why"), REFUSED)
def test_what_is_no_table_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_delimited(data)


def test_cells_stay_as_they_are_written() -> None:
    sheet = read_delimited(b'id,note,email,email\n007,"a ""b"", c\nd",NA,\n')
    assert sheet.head == ["id", "note", "email", "email.1"]
    assert sheet.rows == [["007", 'a "b", c\nd', "NA", ""]]
    assert read_delimited(b"a,b\n1\n").rows == [["1", ""]], "a short row is blank at its end"
    assert read_delimited(b"a,b\n1,2\n,\n3,4\n").notes == ("One empty row was left out.",)


def test_guessed_characters_are_looked_at_first(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes("name;email\nÄnn;a@x.de\n".encode("cp1252"))
    frame = parse(f"customers create --from {file} --form").options.from_
    assert frame["name"].tolist() == ["Änn"]
    assert "Windows-1252" in frame.attrs["source_notes"][0]
    with pytest.raises(UsageFault, match=r"isn't UTF-8 text. Nothing was sent.[\s\S]*--form"):
        parse(f"customers create --from {file}")


SHOWN = [
    (25, "General", "25"),
    (25, "0.00", "25.00"),
    (25, "#,##0.00", "25.00"),
    (1234.5, '#,##0.00\\ "€"', "1234.50"),
    (1000, '#,##0\\ "€"', "1000.00"),
    (1000, "[$€-407] #,##0", "1000.00"),
    (1000, '_-"$"* #,##0.00_-;-"$"* #,##0.00_-', "1000.00"),
    (1000, "#,##0", "1000"),
    (0.1 + 0.2, "General", "0.3"),
    (12.345, "0.00", "12.345"),
    (-5, "0.00;[Red]-0.00", "-5.00"),
    (1e15, "General", "1000000000000000"),
    (1e-7, "General", "0.0000001"),
    (1234, "00000", "01234"),
    (0.25, "0%", "25%"),
    (0.075, "0.00%", "7.50%"),
    (1, "0%", "100%"),
    (0.0725, "0%", "7.25%"),
    (0, "0%", "0%"),
    (3, '0 "pieces"', "3"),
    (3, "[$-409]#,##0", "3"),
    (3, '#,##0 "CHF"', "3.00"),
]


@each_row(("value", "number_format", "text"), SHOWN)
def test_numbers_have_the_decimals_that_are_shown(value: float, number_format: str, text: str) -> None:
    assert number_as_shown(value, number_format) == text


def test_a_workbook_as_it_is_shown(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="the extra `excel` isn't installed")
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append([None, None])
    sheet.append(["amount", "when"])
    sheet.append([25, datetime(2026, 1, 31)])
    sheet["A3"].number_format = "#,##0.00"
    sheet.append([None, None])
    sheet.append(["007", datetime(2026, 1, 31, 9, 30)])
    file = tmp_path / "rows.xlsx"
    book.save(file)
    frame = read_table(str(file))
    assert frame.to_dict("list") == {
        "amount": ["25.00", "007"],
        "when": ["2026-01-31", "2026-01-31 09:30:00"],
    }
    for cell, why in (
        ("=A3*2", "cell A5 is a formula without a stored value"),
        ("#N/A", "cell A5 holds #N/A"),
    ):
        sheet["A5"] = cell
        book.save(file)
        with pytest.raises(UsageFault, match=why):
            read_table(str(file))


def test_a_filter_hides_rows_that_must_not_be_sent(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="the extra `excel` isn't installed")
    book = openpyxl.Workbook()
    for row in (["id", "amount"], ["ch_1", "2500"], ["ch_2", "900"], [None, None]):
        book.active.append(row)
    book.active.row_dimensions[4].hidden = True  # nothing in it
    file = tmp_path / "refunds.xlsx"
    book.save(file)
    assert len(read_table(str(file))) == 2
    book.active.row_dimensions[3].hidden = True
    book.save(file)
    with pytest.raises(UsageFault, match=r"row 3 is hidden, perhaps by a filter.*Nothing was sent"):
        read_table(str(file))
    book.active.row_dimensions[3].hidden = False
    book.active.column_dimensions["B"].hidden = True
    book.save(file)
    with pytest.raises(UsageFault, match=r"column B is hidden"):
        read_table(str(file))


def test_a_hidden_sheet_is_not_the_one_that_is_meant(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="the extra `excel` isn't installed")
    book = openpyxl.Workbook()
    book.active.append(["id"])
    book.active.append(["ch_of_last_month"])
    seen = book.create_sheet("this month")
    seen.append(["id"])
    seen.append(["ch_1"])
    book.worksheets[0].sheet_state = "hidden"
    book.active = 1
    file = tmp_path / "refunds.xlsx"
    book.save(file)
    assert read_table(str(file))["id"].tolist() == ["ch_1"]


def test_a_percentage_is_never_a_hundredth_of_itself(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="the extra `excel` isn't installed")
    book = openpyxl.Workbook()
    book.active.append(["duration", "percent_off"])
    book.active.append(["once", 0.25])
    book.active["B2"].number_format = "0%"
    file = tmp_path / "coupons.xlsx"
    book.save(file)
    command = parse(f"coupons create --from {file}")
    assert command.options.from_ is not None
    assert command.options.from_["percent_off"].tolist() == ["25%"]


def test_thousands_without_a_currency_are_an_amount_that_can_mean_two(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="the extra `excel` isn't installed")
    book = openpyxl.Workbook()
    book.active.append(["amount", "currency", "description"])
    for row in ([1234, "usd", 1200], [500, "eur", 7], [1234, "jpy", 7]):
        book.active.append(row)
    for cells in book.active.iter_rows(min_row=2):
        for cell in (cells[0], cells[2]):
            cell.number_format = "#,##0"
    file = tmp_path / "payments.xlsx"
    book.save(file)
    frame = read_table(str(file))
    assert frame["description"].tolist() == ["1200", "7", "7"], "elsewhere it is its digits"
    sm.connect(sandbox=True)
    with pytest.raises(sm.InvalidValue) as caught:
        bulk.write_rows(Command("payment_intents.create"), frame)
    words = [each.problem for each in caught.value.faults]
    assert len(words) == 2
    assert "row 1: '1,234' can mean more than one amount: write 1234.00usd for 1,234.00 USD" in words[0]
    assert "or 1234 for 12.34 USD" in words[0]
    assert "row 2: '500' can mean more than one amount: write 500.00eur for 500.00 EUR" in words[1]
    _, faults = read_amounts(frame, catalogue.find("payment_intents.create"))
    assert [each.problem for each in faults] == words
    GroupedNumber("0").refuse("usd")  # nothing is nothing
    for odd in (GroupedNumber("1234"), GroupedNumber("-1234")):
        with pytest.raises(ValueError, match="can mean more than one amount.*for minor units"):
            odd.refuse("")


def test_sheets_that_are_seen_and_not_read_are_named(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="the extra `excel` isn't installed")
    book = openpyxl.Workbook()
    book.active.title = "March"
    book.active.append(["name"])
    book.active.append(["Ann"])
    for title, cell in (("April", "name"), ("empty", None), ("May's", "x")):
        book.create_sheet(title).append([cell])
    book.create_sheet("notes").append(["x"])
    book["notes"].sheet_state = "hidden"
    file = tmp_path / "names.xlsx"
    book.save(file)
    said = "Only the sheet 'March' was read; 'April', \"May's\" were not."
    frame = read_table(str(file))
    assert frame.attrs["source_notes"] == [said]
    made = parse(f"customers create --from {file}")
    assert said in made.notes, "a line says it before anything is sent"
