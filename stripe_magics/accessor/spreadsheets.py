"""Frames as sheets of an Excel workbook, written row by row in bounded memory.

- Amounts are in major units, each with its currency's decimals; times are in the account's zone.
- Text is written as text. What a spreadsheet could take for a formula keeps Excel's own mark for text:
  it is shown, never run, and read back as it was. Maps and lists are JSON.
- A slice of rows is brought into cells, written and forgotten; the workbook is on the disk, not in memory.
- A sheet has limits (rows, columns, length of a text): what doesn't fit is refused, a text that is too
  long is cut with a warning.
"""

from __future__ import annotations

import math
import re
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import pandas as pd

from stripe_magics import _locale
from stripe_magics._files import write_atomically
from stripe_magics.accessor import units
from stripe_magics.accessor.account_facts import zone_of
from stripe_magics.accessor.amounts import exponents
from stripe_magics.accessor.file_exports import RISKY, harmless
from stripe_magics.errors import ColumnNotFoundError, FrameError, UsageFault
from stripe_magics.frames.cells import as_json
from stripe_magics.frames.column_facts import meanings, money_columns

MAX_ROWS, MAX_COLUMNS, MAX_TEXT = 1_048_576, 16_384, 32_767  # what a sheet of Excel takes
EXACT = 10**15  # Excel keeps fifteen digits of a number
SLICE = 10_000  # rows that are cells at a time
WIDTHS = (9, 48)
OPTIONS = {  # of xlsxwriter: rows go to the disk as they come, and no text becomes anything else
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def load_writer() -> Any:
    """The package that writes workbooks. Raises `UsageFault` if it isn't installed."""
    try:
        import xlsxwriter
    except ImportError:
        raise UsageFault(
            "Workbooks need the package xlsxwriter. Nothing was written.",
            advice='pip install "stripe_magics[excel]"',
        ) from None
    return xlsxwriter


def to_excel(
    frame: pd.DataFrame, path: Any, *, sheet_name: str = "Stripe", zone: str | None = None, **options: Any
) -> None:
    """See `df.stripe.to_excel`."""
    index, columns = bool(options.pop("index", False)), options.pop("columns", None)
    if options:
        raise FrameError(
            f"to_excel has no option {', '.join(sorted(options))}. Nothing was written.",
            advice="It has sheet_name=, zone=, index= and columns=.",
        )
    chosen = _selected(frame, columns)
    if isinstance(path, pd.ExcelWriter):
        _add_to(path, chosen, sheet_name, zone, index=index)
    elif hasattr(path, "write"):
        write_book(path, [(sheet_name, chosen)], zone, index=index)
    else:
        target = Path(path)
        if target.suffix.lower() != ".xlsx":
            raise FrameError(f"{target} isn't the name of a workbook: it ends in .xlsx. Nothing was written.")
        write_atomically(target, lambda file: write_book(file, [(sheet_name, chosen)], zone, index=index))


@contextmanager
def open_book(file: IO[bytes]) -> Iterator[Any]:
    """A workbook that is written into an open file, whole, when this ends. Rows wait in a folder that is gone
    afterwards, however it ends."""
    package = load_writer()
    with tempfile.TemporaryDirectory(prefix="stripe_magics_") as folder:
        book = package.Workbook(file, {**OPTIONS, "tmpdir": folder})
        try:
            yield book
        except BaseException:
            book.fileclosed = True  # it isn't written when it is collected
            for page in book.worksheets():
                page.row_data_fh.close()
            raise
        book.close()


def write_book(
    file: IO[bytes],
    sheets: Iterable[tuple[str, pd.DataFrame]],
    zone: str | None = None,
    *,
    index: bool = False,
) -> None:
    """Write frames as the sheets of a workbook into an open file."""
    with open_book(file) as book:
        for name, frame in sheets:
            _sheet(book, name, frame, zone, index=index)


def _add_to(writer: Any, frame: pd.DataFrame, name: str, zone: str | None, *, index: bool) -> None:
    """A sheet more in a workbook that pandas has open."""
    if writer.engine != "xlsxwriter":
        raise FrameError(
            f"This writer's engine is {writer.engine}; sheets are written by xlsxwriter.",
            advice='pd.ExcelWriter(path, engine="xlsxwriter")',
        )
    _sheet(writer.book, name, frame, zone, index=index)


def _selected(frame: pd.DataFrame, columns: Sequence[Any] | None) -> pd.DataFrame:
    if columns is None:
        return frame
    names = [columns] if isinstance(columns, str) else list(columns)
    for each in names:
        if each not in frame.columns:
            raise ColumnNotFoundError(str(each), frame.columns)
    return frame[names]


# A sheet ----------------------------------------------------------------------------------------------------
def _sheet(book: Any, name: str, frame: pd.DataFrame, zone: str | None, *, index: bool) -> None:
    _check_size(name, frame)
    writer = load_writer()
    try:
        page = book.add_worksheet(name)
    except writer.exceptions.XlsxWriterException as fault:
        raise FrameError(f"A sheet can't be called {name!r}: {fault}. Nothing was written.") from None
    cells = _Cells(book, frame, zone, index=index)
    page.freeze_panes(1, 0)
    bold = cells.style(bold=True)
    rows = 0
    for start in range(0, max(len(frame), 1), SLICE):
        columns = cells.slice(start, start + SLICE)
        if start == 0:
            for at, column in enumerate(columns):
                page.set_column(at, at, _width(column[0], column[1]))
                risky = RISKY.match(column[0])
                page.write_string(
                    0, at, column[0], cells.style(bold=True, quote_prefix=True) if risky else bold
                )
        writers = [(at, column[1], column[2]) for at, column in enumerate(columns)]
        for offset in range(min(SLICE, len(frame) - start)):
            rows += 1
            for at, values, formats in writers:
                value = values[offset]
                if value is not None:
                    _write(page, rows, at, value, formats[offset])
    if cells.cut:
        warnings.warn(
            f"{cells.cut:,} texts are longer than the {MAX_TEXT:,} characters of a cell and were cut.",
            stacklevel=2,
        )


def _check_size(name: str, frame: pd.DataFrame) -> None:
    if len(frame) >= MAX_ROWS or len(frame.columns) + frame.index.nlevels > MAX_COLUMNS:
        raise FrameError(
            f"{name} has {len(frame):,} rows and {len(frame.columns):,} columns; a sheet takes"
            f" {MAX_ROWS - 1:,} rows below its head and {MAX_COLUMNS:,} columns. Nothing was written.",
            advice="df.stripe.to_parquet and to_csv have no such limit.",
        )


def _write(page: Any, row: int, at: int, value: Any, style: Any) -> None:
    if isinstance(value, str):
        page.write_string(row, at, value, style)
    elif isinstance(value, bool):
        page.write_boolean(row, at, value, style)
    elif isinstance(value, datetime):
        page.write_datetime(row, at, value, style)
    else:
        page.write_number(row, at, value, style)


def _width(name: str, values: list[Any]) -> float:
    longest = max((len(str(each)) for each in values[:200] if each is not None), default=0)
    return float(min(WIDTHS[1], max(WIDTHS[0], longest + 2, len(name) + 2)))


def _midnights(values: pd.Series[Any]) -> bool:
    return bool((values.dropna() == values.dropna().dt.normalize()).all())


Column = tuple[str, list[Any], list[Any]]
"""A column of a slice: its head, its cells (None: blank), and each cell's format (None: plain)."""


class _Cells:
    """The cells of a frame, a slice of rows at a time. What is true of a column is found over all rows."""

    def __init__(self, book: Any, frame: pd.DataFrame, zone: str | None, *, index: bool) -> None:
        self.book, self.frame, self.index = book, frame, index
        self.styles: dict[tuple[tuple[str, Any], ...], Any] = {}
        self.cut = 0
        self.zone = zone or ""
        self.digits: dict[Any, Any] = {}  # of each money column with a currency: every row's decimals
        self.minor: set[Any] = set()
        for each in units.money(frame) if money_columns(frame) else ():
            digits = exponents(frame, each)
            if not isinstance(digits, str):
                self.digits[each.name] = digits
                self.minor |= {each.name} if each.units == "minor" else set()
        known = meanings(frame)
        self.zones = {
            name: "UTC" if name in known and known[name].day else zone_of(frame, zone)
            for name in frame.columns
            if isinstance(frame[name].dtype, pd.DatetimeTZDtype)
        }
        self.days = {
            name
            for name in frame.columns
            if (name in known and known[name].day)
            or (frame[name].dtype.kind == "M" and name not in self.zones and _midnights(frame[name]))
        }

    def style(self, **facts: Any) -> Any:
        key = tuple(sorted(facts.items()))
        if key not in self.styles:
            self.styles[key] = self.book.add_format(facts)
        return self.styles[key]

    def slice(self, start: int, end: int) -> list[Column]:
        """The columns of some rows."""
        rows = self.frame.iloc[start:end]
        columns = []
        if self.index:
            for level in range(rows.index.nlevels):
                values = rows.index.get_level_values(level)
                name = str(values.name) if values.name is not None else ""
                columns.append((name, *self._plain([self._cell(each) for each in values])))
        for name in rows.columns:
            head = harmless(str(name)) if "\r" in str(name) else str(name)
            columns.append((head, *self._column(rows[name], name, start, end)))
        return columns

    def _column(
        self, values: pd.Series[Any], name: object, start: int, end: int
    ) -> tuple[list[Any], list[Any]]:
        if name in self.digits:
            return self._money(values, name, self.digits[name][start:end])
        if name in self.zones:
            values = values.dt.tz_convert(self.zones[name]).dt.tz_localize(None)
        if values.dtype.kind in "iuf" and name not in self.days:
            cells = [None if pd.isna(each) else self._number(each) for each in values.tolist()]
            return cells, [None] * len(cells)
        return self._plain([self._cell(each) for each in values.astype(object).tolist()], name)

    def _money(self, values: pd.Series[Any], name: Any, digits: Any) -> tuple[list[Any], list[Any]]:
        amounts = units.major_values(values, digits) if name in self.minor else values
        cells = [
            None if pd.isna(each) else self._number(each) if isinstance(each, int | float) else str(each)
            for each in amounts.astype(object).tolist()
        ]
        forms = {of: self.style(num_format="#,##0" + "." * bool(of) + "0" * int(of)) for of in set(digits)}
        return cells, [forms[of] for of in digits]

    def _plain(self, cells: list[Any], name: Any = None) -> tuple[list[Any], list[Any]]:
        """Cells with the format that each needs: dates and risky text."""
        day, risky = _locale.date_pattern(), self.style(quote_prefix=True)
        time = self.style(num_format=day if name in self.days else f"{day} hh:mm:ss")
        formats = [
            time
            if isinstance(each, datetime)
            else risky
            if isinstance(each, str) and RISKY.match(each)
            else None
            for each in cells
        ]
        return cells, formats

    def _cell(self, value: Any) -> Any:
        """A value as a cell has it: text, number, true or false, time, None."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, (dict, list)):
            return self._text(as_json(value))
        if pd.api.types.is_scalar(value) and pd.isna(value):
            return None
        if isinstance(value, bool):
            return value
        if isinstance(value, datetime):
            return self._time(value)
        if isinstance(value, timedelta):
            return value / timedelta(days=1)
        if isinstance(value, date):
            return pd.Timestamp(value).to_pydatetime() if value.year >= 1900 else str(value)
        if isinstance(value, int | float | Decimal) or hasattr(value, "dtype"):
            return self._number(value)
        return self._text(str(value))

    @staticmethod
    def _number(value: Any) -> Any:
        number = value.item() if hasattr(value, "item") else value
        if isinstance(number, bool):
            return number
        if isinstance(number, int):
            return number if abs(number) < EXACT else str(number)
        if not math.isfinite(number):
            return str(number)
        return float(number)

    def _time(self, value: Any) -> Any:
        if value.tzinfo is not None:
            self.zone = self.zone or zone_of(self.frame)
            value = pd.Timestamp(value).tz_convert(self.zone).tz_localize(None)
        if isinstance(value, pd.Timestamp):
            value = value.to_pydatetime(warn=False)
        return value if value.year >= 1900 else str(value)

    def _text(self, text: str) -> str:
        plain = re.sub("\r\n?", "\n", text) if "\r" in text else text
        self.cut += len(plain) > MAX_TEXT
        return plain[:MAX_TEXT]
