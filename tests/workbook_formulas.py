"""The formulas of a workbook worked out a second time: the few that we write, over the cells as they are
stored."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import openpyxl

SUMIF = re.compile(
    r'=ROUND\(SUMIF\(\$([A-Z]+)\$?(\d+):\$[A-Z]+\$?(\d+),"([A-Z]+)",([A-Z]+)\$?\d+:[A-Z]+\$?\d+\),(\d)\)'
)
SUM = re.compile(r"=ROUND\(SUM\(([A-Z]+)(\d+):([A-Z]+)\d+\),(\d)\)")
MINUS = re.compile(r"=ROUND\(([A-Z]+\d+)-([A-Z]+\d+),(\d)\)")


def formulas(path: Path) -> list[tuple[str, str, float, Any]]:
    """Each formula: its place, its text, its value worked out here, the value stored beside it."""
    book, values = openpyxl.load_workbook(path), openpyxl.load_workbook(path, data_only=True)
    found = []
    for sheet in book:
        stored = values[sheet.title]
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    where = f"{sheet.title}!{cell.coordinate}"
                    found.append(
                        (where, cell.value, _value(stored, cell.value), stored[cell.coordinate].value)
                    )
    return found


def _value(sheet: Any, formula: str) -> float:
    if match := SUMIF.fullmatch(formula):
        key, first, last, code, column, digits = match.groups()
        rows = [row for row in range(int(first), int(last) + 1) if sheet[f"{key}{row}"].value == code]
        return round(sum(sheet[f"{column}{row}"].value or 0 for row in rows), int(digits))
    if match := SUM.fullmatch(formula):
        left, row, right, digits = match.groups()
        cells = sheet[f"{left}{row}:{right}{row}"][0]
        return round(sum(cell.value or 0 for cell in cells), int(digits))
    match = MINUS.fullmatch(formula)
    assert match is not None, f"a formula that isn't known here: {formula}"
    left, right, digits = match.groups()
    return float(round(sheet[left].value - sheet[right].value, int(digits)))
