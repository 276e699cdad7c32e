"""One workbook of a closed month: cover, checklist, a sheet a report, journal, audit trail.

Amounts are in major units with their currency's decimals; totals are formulas, a row a currency, and carry
the value that they must have.
Text is written as text, and what a spreadsheet could take for a formula keeps Excel's own mark for text.
Times have no zone: they are in the report's. Rows are written one after the other, in bounded memory.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import IO, Any, NamedTuple

import pandas as pd

from stripe_magics import _locale, money
from stripe_magics.accessor.file_exports import RISKY
from stripe_magics.accessor.spreadsheets import open_book
from stripe_magics.errors import UsageFault
from stripe_magics.finance.aggregation import sums_by_currency, to_int64
from stripe_magics.frames.frame_info import facts_of

HEAD = 4  # the row of the heads: title, period, an empty line above
MAX_SHEET_ROWS = 1_048_000  # rows that a sheet of Excel takes
SLICE = 10_000  # rows that are cells at a time
WIDEST, NARROWEST = 48, 9
_COLOURS = {"passed": "#d7f7c2", "failed": "#ffc9c9", "differs": "#fcedb9", "unchecked": "#ebeef1"}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet: its name, the frame, the columns with totals, and a column that is a formula of two others
    (left, right)."""

    name: str
    frame: pd.DataFrame
    totals: Sequence[str] = ()
    difference: tuple[str, str, str] | None = None  # column = one column - another


def build(
    file: IO[bytes], cover: Mapping[str, Any], sheets: Sequence[Sheet], balances: pd.DataFrame | None = None
) -> None:
    """Write the workbook into an open file. `cover` are lines of label and value; `balances` is a
    balance_summary shown on the cover."""
    with open_book(file) as book:
        book.set_properties(
            {"title": str(cover.get("Title", "Month end")), "comments": str(cover.get("Period", ""))}
        )
        made = _Book(book)
        made.cover(cover, sheets, balances)
        for sheet in sheets:
            made.sheet(
                sheet,
                f"{cover.get('Account', '')} · {cover.get('Period', '')} · {cover.get('Time zone', '')}",
            )


def words(column: str) -> str:
    """A column's name as people write it."""
    known = {
        "mrr": "MRR",
        "nrr": "NRR",
        "grr": "GRR",
        "dso": "DSO",
        "id": "ID",
        "ttm": "12 months'",
        "fx": "FX",
    }
    ages = re.fullmatch(r"(\d+)_(\d+)", column)
    if ages:
        return f"{ages[1]}-{ages[2]} days"
    parts = [known.get(part, part) for part in column.split("_")]
    return " ".join(parts)[:1].upper() + " ".join(parts)[1:]


class _Book:
    """A workbook with its formats, each made once."""

    def __init__(self, book: Any) -> None:
        self.book = book
        self.formats: dict[tuple[tuple[str, Any], ...], Any] = {}

    def style(self, **facts: Any) -> Any:
        key = tuple(sorted(facts.items()))
        if key not in self.formats:
            self.formats[key] = self.book.add_format(dict(facts))
        return self.formats[key]

    def money(self, currency: str, **more: Any) -> Any:
        digits = money.exponent(currency) if currency else 2
        number = "#,##0" + ("." + "0" * digits if digits else "")
        return self.style(num_format=f"{number};[Red]-{number}", **more)

    def text(self, page: Any, row: int, column: int, value: object, **facts: Any) -> None:
        said = str(value)[:32_000]
        if RISKY.match(said):
            facts = {**facts, "quote_prefix": True}
        page.write_string(row, column, said, self.style(**facts) if facts else None)

    def page(self, name: str, columns: int, head: int | None) -> Any:
        page = self.book.add_worksheet(name)
        page.set_landscape()
        page.set_paper(9)
        page.fit_to_pages(1, 0)
        page.set_footer("&L&F · &A&RPage &P of &N")
        page.hide_gridlines(1)
        if head is not None:
            page.repeat_rows(head)
            page.freeze_panes(head + 1, min(1, columns))
        return page

    # The cover ----------------------------------------------------------------------------------------------
    def cover(self, facts: Mapping[str, Any], sheets: Sequence[Sheet], balances: pd.DataFrame | None) -> None:
        page = self.page("Cover", 0, None)
        page.set_column(0, 0, 26)
        page.set_column(1, 5, 18)
        self.text(page, 0, 0, facts.get("Title", "Month end"), bold=True, font_size=18)
        row = 2
        for label, value in facts.items():
            if label == "Title":
                continue
            colour = _COLOURS["failed"] if label == "Mode" and value == "live" else None
            self.text(page, row, 0, label, bold=True)
            if isinstance(value, int) and not isinstance(value, bool):
                page.write_number(row, 1, value, self.style(align="left"))
            else:
                self.text(page, row, 1, value, **({"bg_color": colour} if colour else {}))
            row += 1
        if balances is not None and len(balances):
            row += 1
            names = ("currency", "start", "activity", "payouts", "end")
            for at, name in enumerate(names):
                self.text(page, row, at, "Balance" if at == 0 else words(name), bold=True, bottom=1)
            for each in balances[list(names)].to_dict("records"):
                row += 1
                code = str(each["currency"])
                self.text(page, row, 0, code.upper())
                for at, name in enumerate(names[1:4], 1):
                    page.write_number(row, at, _number(each[name], code), self.money(code))
                formula = f"=ROUND(SUM(B{row + 1}:D{row + 1}),{money.exponent(code)})"
                total = int(each["start"]) + int(each["activity"]) + int(each["payouts"])
                page.write_formula(row, 4, formula, self.money(code, bold=True), _number(total, code))
            row += 1
        row += 1
        self.text(page, row, 0, "Sheets", bold=True, bottom=1)
        self.text(page, row, 1, "", bottom=1)
        for sheet in sheets:
            row += 1
            page.write_url(
                row, 0, f"internal:'{sheet.name}'!A1", self.style(font_color="#0055bc"), sheet.name
            )
            self.text(page, row, 1, str(facts_of(sheet.frame).get("title", "")))

    # A report -----------------------------------------------------------------------------------------------
    def sheet(self, sheet: Sheet, subtitle: str) -> None:
        frame = sheet.frame
        if len(frame) > MAX_SHEET_ROWS:
            raise UsageFault(
                f"{sheet.name} has {len(frame):,} rows; a sheet takes {MAX_SHEET_ROWS:,}."
                " Nothing was written."
            )
        about = facts_of(frame)
        kinds = {**dict.fromkeys(about.get("amounts") or (), "money"), **(about.get("kinds") or {})}
        names = list(map(str, frame.columns))
        zone = str(about.get("zone") or "UTC")
        page = self.page(sheet.name, len(names), HEAD - 1)
        totals = self._totals(frame, sheet)
        for at, name in enumerate(names):
            page.set_column(at, at, _width(name, _cells(frame[name].iloc[:2000], zone), kinds.get(name, "")))
        self.text(page, 0, 0, about.get("title") or sheet.name, bold=True, font_size=14)
        self.text(page, 1, 0, subtitle, font_color="#414552")
        numeric = {"money", "count", "ratio", "percent", "days", "number"}
        for at, name in enumerate(names):
            side = "right" if kinds.get(name) in numeric else "left"
            self.text(
                page,
                HEAD - 1,
                at,
                words(name),
                bold=True,
                bg_color="#ebeef1",
                bottom=1,
                align=side,
                text_wrap=True,
            )
        for start in range(0, len(frame), SLICE):
            self._rows(page, sheet, slice(start, start + SLICE), kinds, zone)
        if len(frame):
            page.autofilter(HEAD - 1, 0, HEAD + len(frame) - 1, len(names) - 1)
        self._total_rows(page, names, len(frame), totals)

    def _rows(self, page: object, sheet: Sheet, some: slice, kinds: Mapping[str, str], zone: str) -> None:
        """Some rows of a report: made into cells, written and forgotten."""
        rows, names = sheet.frame.iloc[some], list(map(str, sheet.frame.columns))
        columns = [_cells(rows[name], zone) for name in names]
        codes = rows["currency"].astype(str).tolist() if "currency" in names else [""] * len(rows)
        for offset, code in enumerate(codes):
            row = HEAD + some.start + offset
            for at, name in enumerate(names):
                self._cell(
                    _Place(page, row, at), columns[at][offset], kinds.get(name, ""), code, sheet, names
                )

    def _cell(self, place: _Place, value: Any, kind: str, code: str, sheet: Sheet, names: list[str]) -> None:
        if value is None:
            return
        page, row, at = place
        name = names[at]
        if sheet.difference is not None and name == sheet.difference[0] and kind == "money":
            left, right = (_letter(names.index(each)) for each in sheet.difference[1:])
            formula = f"=ROUND({left}{row + 1}-{right}{row + 1},{money.exponent(code or 'usd')})"
            page.write_formula(row, at, formula, self.money(code), _number(value, code))
        elif kind == "money":
            page.write_number(row, at, _number(value, code), self.money(code))
        elif kind in _NUMBERS:
            number, factor = _NUMBERS[kind]
            page.write_number(row, at, float(value) * factor, self.style(num_format=number))
        elif isinstance(value, pd.Timestamp):
            day = _locale.date_pattern()
            form = {"date": day, "month": "yyyy-mm"}.get(kind, f"{day} hh:mm")
            page.write_datetime(row, at, value.to_pydatetime(), self.style(num_format=form, align="left"))
        elif isinstance(value, bool):
            self.text(page, row, at, "yes" if value else "no")
        elif isinstance(value, int | float):
            page.write_number(row, at, value)
        else:
            said = str(value)
            upper = said.upper() if name in {"currency", "fee_currency"} else said
            self.text(
                page,
                row,
                at,
                upper,
                **({"bg_color": _COLOURS[said]} if name == "result" and said in _COLOURS else {}),
            )

    @staticmethod
    def _totals(frame: pd.DataFrame, sheet: Sheet) -> dict[str, dict[str, int]]:
        """By currency: the sum of each column with totals."""
        if "currency" not in frame.columns or not len(frame):
            return {}
        sums = {name: sums_by_currency(frame["currency"], to_int64(frame[name])) for name in sheet.totals}
        found: dict[str, dict[str, int]] = {}
        for name, by_code in sums.items():
            for code, total in by_code.items():
                found.setdefault(code, {})[name] = total
        return found

    def _total_rows(
        self, page: Any, names: list[str], count: int, totals: Mapping[str, Mapping[str, int]]
    ) -> None:
        """A line a currency below the rows: sums as formulas. Amounts of different currencies are never
        added."""
        first, last = HEAD + 1, HEAD + count
        for place, (code, sums) in enumerate(sorted(totals.items())):
            row = HEAD + count + 1 + place
            key = _letter(names.index("currency"))
            cells = {names.index(name): total for name, total in sums.items()}
            for at in range(len(names)):
                if at in cells:
                    total = cells[at]
                    letter = _letter(at)
                    keys, amounts = f"${key}${first}:${key}${last}", f"{letter}${first}:{letter}${last}"
                    counted = f'SUMIF({keys},"{code.upper()}",{amounts})'
                    formula = f"=ROUND({counted},{money.exponent(code)})"
                    page.write_formula(
                        row, at, formula, self.money(code, bold=True, top=1), _number(total, code)
                    )
                else:
                    label = f"Total {code.upper()}" if at == 0 else ""
                    self.text(page, row, at, label, bold=True, top=1)


class _Place(NamedTuple):
    page: Any
    row: int
    column: int


_NUMBERS = {
    "count": ("#,##0", 1.0),
    "ratio": ("0.0%", 1.0),
    "percent": ('0.0#"%"', 1.0),
    "days": ("#,##0.0", 1.0),
    "number": ("#,##0.00", 1.0),
}


def _number(minor: Any, currency: str) -> float:
    return float(money.to_major(int(minor), currency) if currency else Decimal(int(minor)))


def _letter(at: int) -> str:
    name = ""
    at += 1
    while at:
        at, rest = divmod(at - 1, 26)
        name = chr(65 + rest) + name
    return name


def _cells(values: pd.Series, zone: str) -> list[Any]:
    """The cells of a column as they are written; missing ones are None."""
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        values = values.dt.tz_convert(zone).dt.tz_localize(None)
    if isinstance(values.dtype, pd.PeriodDtype):
        values = values.dt.to_timestamp()
    cells = values.astype(object).tolist()
    return [
        None if isinstance(each, float | type(pd.NA) | type(pd.NaT)) and pd.isna(each) else each
        for each in cells
    ]


def _width(name: str, cells: list[Any], kind: str) -> float:
    if kind == "money":
        return 14
    if kind in {"date", "month", "time"}:
        return 17 if kind == "time" else 12
    longest = max((len(str(each)) for each in cells if each is not None), default=0)
    return min(WIDEST, max(NARROWEST, longest + 2, min(len(words(name)), 14) + 2))
