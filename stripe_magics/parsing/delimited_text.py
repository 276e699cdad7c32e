"""A delimited text file (CSV) -> its head and its rows, every cell as it is written. Pure.

Spreadsheets write them in many ways: with a BOM, in UTF-16, in Windows-1252 where UTF-8 is not the usual,
with semicolons or tabs. What can't be told for sure is said (`note`), and a row that doesn't fit the head is
refused with its line: shifted by one column, an amount would be somebody else's.
"""

from __future__ import annotations

import codecs
import csv
import io
from typing import NamedTuple

DELIMITERS = (",", ";", "\t", "|")
_GUESSED = ("The file isn't UTF-8; it was read as Windows-1252. Look at names with accents.",)
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class DelimitedTable(NamedTuple):
    """The head, the rows below it, and what a person should know of how they were read."""

    head: list[str]
    rows: list[list[str]]
    notes: tuple[str, ...] = ()
    guessed: bool = False  # the characters were guessed: a person should look at them first


def read_delimited(data: bytes) -> DelimitedTable:
    """Read a file's bytes. Raises ValueError, in words, for what is no table."""
    text, notes = _decoded(data)
    guessed = bool(notes)
    first, _, rest = text.partition("\n")
    if first.strip().lower().startswith("sep=") and len(first.strip()) == len("sep=,"):
        delimiter, text = first.strip()[-1], rest  # Excel's own first line
    else:
        delimiter = _delimiter(text)
    try:
        lines = [
            (reader.line_num, cells)
            for reader in [csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)]
            for cells in reader
        ]
    except csv.Error as fault:
        raise ValueError(f"{fault}; is a quote left open?") from None
    return sheet_of(lines, notes, guessed=guessed)


def sheet_of(
    lines: list[tuple[int, list[str]]], notes: tuple[str, ...] = (), *, guessed: bool = False
) -> DelimitedTable:
    """The table of numbered lines: the first with anything in it is the head, empty rows are left out.

    Raises ValueError for a file without rows, and for a line with more cells than the head.
    """
    filled = [(number, cells) for number, cells in lines if any(cell.strip() for cell in cells)]
    if not filled:
        raise ValueError("it is empty")
    (_, first), *rows = filled
    if not rows:
        raise ValueError("it has a head and no rows below it")
    width = max(place for place, cell in enumerate(first, start=1) if cell.strip())
    for number, cells in rows:
        if any(cell.strip() for cell in cells[width:]):
            raise ValueError(
                f"line {number} has {len(cells)} cells, the head has {width}"
                f"{': a title above the head?' if width == 1 else ''}"
            )
    last = rows[-1][0]
    inside = sum(number < last and not any(cell.strip() for cell in cells) for number, cells in lines)
    if inside:
        count = "One empty row was" if inside == 1 else f"{inside:,} empty rows were"
        notes = (*notes, f"{count} left out.")
    body = [[*cells[:width], *([""] * (width - len(cells)))] for _, cells in rows]
    return DelimitedTable(_head(first[:width]), body, notes, guessed)


def _head(cells: list[str]) -> list[str]:
    """The names of the columns, each once: a second `email` is `email.1`."""
    names: list[str] = []
    for place, cell in enumerate(cells, start=1):
        name = unique = cell.strip() or f"column {place}"
        number = 0
        while unique in names:
            number += 1
            unique = f"{name}.{number}"
        names.append(unique)
    return names


def _decoded(data: bytes) -> tuple[str, tuple[str, ...]]:
    marked = next((encoding for mark, encoding in _BOMS if data.startswith(mark)), "")
    for encoding in (marked,) if marked else ("utf-8", "cp1252"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return text, _GUESSED if encoding == "cp1252" else ()
    begins = marked.removesuffix("-sig").upper()
    is_not = f"it begins as {begins} and isn't" if marked else "it is neither UTF-8 nor Windows-1252"
    raise ValueError(f"its text can't be read: {is_not}. Save it as CSV UTF-8")


def _delimiter(text: str) -> str:
    """What parts the cells of the first line that has any, outside of quotes."""
    line, quoted = [], False
    for each in text.lstrip("\r\n"):
        if each == '"':
            quoted = not quoted
        elif each in "\r\n" and not quoted:
            break
        elif not quoted:
            line.append(each)
    counts = {each: line.count(each) for each in DELIMITERS}
    return max(counts, key=lambda each: counts[each])
