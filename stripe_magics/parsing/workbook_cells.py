"""The first visible sheet of an Excel file -> its cells as the spreadsheet shows them.

A file keeps 25 for what is shown as 25.00: read as it is kept, 25 would be 25 cents. So numbers get the
decimals of their format, dates lose a midnight that nobody typed, `00000` keeps its zeros, a percentage has
its sign: it is kept as 0.25 and shown as 25%. What has no certain value (a formula that was never computed,
an error such as #N/A) is refused with its cell, and so are hidden rows and columns: nobody sees what they
would do.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from stripe_magics.money import GroupedNumber

_CURRENCY_FORMAT = re.compile(r'[€£¥$₹₩₪₫₱₽₴]|\[\$[^\]-]|"\s*(?:[A-Z]{3}|kr\.?|zł|Kč|Fr\.?)\s*"')
_LOCALE = re.compile(r"\[\$-[^\]]*\]")  # a format's language, whose sign is no currency's
_DECIMALS = re.compile(r"[0#?]\.(0+)")
_GROUPS = re.compile(r"[0#?],[0#?]")
_ZEROS = re.compile(r"0{2,}")


def read_first_sheet(path: Path) -> tuple[list[tuple[int, list[str]]], tuple[str, ...]]:
    """The numbered rows of the first visible sheet, as text, and what to say of the others. Raises
    ValueError, in words, for a cell without a certain value."""
    import openpyxl

    book = openpyxl.load_workbook(path, data_only=True)
    try:
        sheet = _first_sheet(book)
        _refuse_hidden(sheet)
        notes = _other_sheets(book, sheet)
        rows = [
            (cells[0].row, [_text(cell) for cell in cells]) for cells in sheet.iter_rows() if len(cells) > 0
        ]
    finally:
        book.close()
    if any(not text for _, cells in rows for text in cells):
        _refuse_uncomputed(path, rows)
    return rows, notes


def _first_sheet(book: Any) -> Any:
    """The first one that can be seen."""
    return next((each for each in book.worksheets if each.sheet_state == "visible"), book.worksheets[0])


def _other_sheets(book: Any, read: Any) -> tuple[str, ...]:
    """Sheets with something in them that can be seen and aren't read, by name."""
    others = [
        repr(each.title)
        for each in book.worksheets
        if each is not read
        and each.sheet_state == "visible"
        and any(cell is not None for row in each.iter_rows(values_only=True) for cell in row)
    ]
    if not others:
        return ()
    named = f"{', '.join(others[:5])}{f' and {len(others) - 5} more' if len(others) > 5 else ''}"
    verb = "was" if len(others) == 1 else "were"
    return (f"Only the sheet {read.title!r} was read; {named} {verb} not.",)


def _refuse_hidden(sheet: Any) -> None:
    """A filter hides rows and leaves them in the file."""
    hidden_columns = {
        place
        for each in sheet.column_dimensions.values()
        if each.hidden
        for place in range(each.min or 0, min(each.max or 0, sheet.max_column) + 1)
    }
    rows, columns = set(), set()
    for cells in sheet.iter_rows():
        for cell in cells:
            if cell.value is not None and sheet.row_dimensions[cell.row].hidden:
                rows.add(str(cell.row))
            if cell.value is not None and cell.column in hidden_columns:
                columns.add(cell.column_letter)
    for kind, found in (("row", rows), ("column", columns)):
        if found:
            first = min(found, key=lambda each: (len(each), each))
            which = f"{kind} {first} is" if len(found) == 1 else f"{len(found):,} {kind}s are"
            raise ValueError(f"{which} hidden, perhaps by a filter; show or delete what is hidden")


def _refuse_uncomputed(path: Path, rows: list[tuple[int, list[str]]]) -> None:
    """A formula whose value no program has written yet looks like an empty cell."""
    import openpyxl

    shown = {(number, place): text for number, cells in rows for place, text in enumerate(cells, start=1)}
    book = openpyxl.load_workbook(path)
    try:
        for cells in _first_sheet(book).iter_rows():
            for cell in cells:
                if cell.data_type == "f" and not shown.get((cell.row, cell.column)):
                    raise ValueError(
                        f"cell {cell.coordinate} is a formula without a stored value; open the file in a"
                        " spreadsheet program and save it"
                    )
    finally:
        book.close()


def _text(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "e":
        raise ValueError(f"cell {cell.coordinate} holds {value}")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return str(value.date() if value.time() == time.min else value.replace(microsecond=0))
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float):
        return number_as_shown(value, str(cell.number_format or ""))
    return str(value)


def number_as_shown(value: float, number_format: str) -> str:
    """A number with the decimals that its format shows, never with fewer than it has.

    Whole money (`#,##0 €`) gets `.00`: plain digits would be minor units. Without a currency (`#,##0`) it
    may be money or not: a `GroupedNumber`.
    """
    number = Decimal(f"{value:.15g}")  # as many digits as a spreadsheet has: 0.1 + 0.2 is 0.3
    text = f"{number:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    shown = number_format.partition(";")[0]
    bare = re.sub(r'"[^"]*"|\[[^\]]*\]|\\.|_.|\*.', "", shown)
    if _ZEROS.fullmatch(bare) and text.isdigit():
        return text.zfill(len(bare))
    found = _DECIMALS.search(bare)
    if "%" in bare:
        return f"{_padded(f'{number.scaleb(2).normalize():f}', len(found[1]) if found is not None else 0)}%"
    is_money = _CURRENCY_FORMAT.search(_LOCALE.sub("", shown))
    if found is None and not (is_money and re.search(r"[0#]", bare)):
        grouped = _GROUPS.search(bare) and text.lstrip("-").isdigit()
        return GroupedNumber(text) if grouped else text
    return _padded(text, len(found[1]) if found is not None else 2)


def _padded(text: str, places: int) -> str:
    """With at least so many decimals."""
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.ljust(places, '0')}" if places else text
