"""Which objects have a value in a field, or in a key of their metadata: made when a field is first searched,
brought up to date when it is next.

A table notes the rows that changed (`Table.changed`) once it has such indices, so that a search costs what it
finds, not what there is.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable
from typing import Any

from stripe_magics.sandbox.core.object_table import Row, Table, drop

GRAM = 3


class SearchFieldIndex:
    """The rows by the folded text of one field; of each text its rows, oldest first."""

    def __init__(self, read: Callable[[bytes], Any]) -> None:
        self._read = read
        self._texts: dict[int, str] = {}  # number of a row -> what it has there
        self._rows: dict[str, list[Row]] = {}
        # three letters -> the texts with them, once a part was searched for
        self._grams: dict[str, set[str]] | None = None

    def update(self, row: Row, *, there: bool) -> None:
        """A row was made, changed or taken out."""
        value = self._read(row.text) if there else None
        new = None if value is None else folded(value)
        old = self._texts.get(row.seq)
        if new == old:
            return
        if old is not None:
            drop(self._rows[old], row)
            del self._texts[row.seq]
            if not self._rows[old]:
                self._forget(old)
        if new is not None:
            self._texts[row.seq] = new
            if new not in self._rows:
                self._rows[new] = []
                self._note(new)
            insort(self._rows[new], row, key=Row.order)

    def _forget(self, text: str) -> None:
        del self._rows[text]
        if self._grams is not None:
            for gram in grams(text):
                self._grams[gram].discard(text)

    def _note(self, text: str) -> None:
        if self._grams is not None:
            for gram in grams(text):
                self._grams.setdefault(gram, set()).add(text)

    def equal(self, text: str) -> list[Row]:
        """The rows with that text, oldest first. Not to be changed."""
        return self._rows.get(text, [])

    def containing(self, part: str) -> list[Row]:
        """The rows whose text has that part, oldest first."""
        if self._grams is None:
            self._grams = {}
            for text in self._rows:
                self._note(text)
        texts = min((self._grams.get(gram, set()) for gram in grams(part)), key=len)
        found = [row for text in texts if part in text for row in self._rows[text]]
        return sorted(found, key=Row.order)


def folded(value: object) -> str:
    """A value as it is compared: without regard to case, true and false as words."""
    return str(value).lower() if isinstance(value, bool) else str(value).casefold()


def grams(text: str) -> Iterable[str]:
    """All runs of three letters."""
    return {text[at : at + GRAM] for at in range(len(text) - GRAM + 1)}


def index_of(table: Table, path: tuple[str, ...], read: Callable[[bytes], Any]) -> SearchFieldIndex:
    """The index of a field, up to date."""
    found: SearchFieldIndex | None = table.search_indices.get(path)
    if table.changed:
        for row, there in table.changed:
            for each in table.search_indices.values():
                each.update(row, there=there)
        table.changed.clear()
    if found is None:
        found = table.search_indices[path] = SearchFieldIndex(read)
        for row in table.ordered():
            found.update(row, there=True)
    return found
