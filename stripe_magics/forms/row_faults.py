"""What is wrong with the rows of a file, as a table: each fault with its row, its cell and what is in it."""

from __future__ import annotations

from typing import Any

from stripe_magics._html import table, tag
from stripe_magics.errors import Fault

SHOWN_FAULTS = 50


def faults_table(faults: tuple[Fault, ...], frame: object, columns: dict[str, str]) -> str:
    """Every fault with its row, its column in the file, what stands in the cell, and what is wrong with
    it."""
    rows = []
    for fault in faults[:SHOWN_FAULTS]:
        number, problem = row_of(fault)
        column = columns.get(fault.field, "")
        cell = cell_text(frame, column, number)
        rows.append((str(number or ""), column or fault.title, cell[:60], problem))
    more = (tag("br"), f"And {len(faults) - SHOWN_FAULTS:,} more.") if len(faults) > SHOWN_FAULTS else ()
    head = ("Row", "Column", "Cell", "What is wrong")
    count = "One cell needs" if len(faults) == 1 else f"{len(faults):,} cells need"
    first = tag("b", f"{count} correcting. Nothing was sent.")
    return tag(
        "div",
        first,
        table(head, rows, by_sheet=True, aria_label="Faults"),
        *more,
        class_="sm-card sm-wrong",
        role="alert",
    )


def row_of(fault: Fault) -> tuple[int, str]:
    """The row that a fault names (0: none), and what is wrong."""
    if not fault.problem.startswith("row "):
        return 0, fault.problem
    row, _, problem = fault.problem.partition(": ")
    return int(row.removeprefix("row ")), problem


def cell_text(frame: Any, column: str, row: int) -> str:
    """What stands in a cell; a blank one is empty."""
    if not row or column not in frame.columns:
        return ""
    import pandas as pd

    value = frame[column].iloc[row - 1]
    return "" if pd.api.types.is_scalar(value) and pd.isna(value) else str(value)
