"""Controls that grow: rows of a list of objects, and the key-value rows of metadata.

Both begin as one labelled button; a row is built when it is asked for and closed when it is removed. The
cells of a row are the same controls as those of a form, so a column's kind decides what they look like.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ipywidgets as w

from stripe_magics.catalogue.field import Field, Kind
from stripe_magics.forms.controls import Control, Maker, build
from stripe_magics.forms.state import Raw, blank, raw_value


@dataclass(slots=True)
class _Row:
    box: Any
    remove: Any
    number: Any
    cells: dict[str, Control]


@dataclass(slots=True)
class RowList:
    """The rows of one field: `read` gives a list of dicts, `write` builds as many rows as it takes."""

    field: Field
    columns: tuple[Field, ...]
    maker: Maker
    box: Any
    adder: Any
    lines: list[_Row] = dataclasses.field(default_factory=list)
    quiet: bool = False  # while `write` is at work

    def add(self, values: Mapping[str, Raw] | None = None) -> _Row:
        """One more row, filled in with raw values by column."""
        tree = self.maker.tree
        inner = Maker(
            tree,
            lambda _: self.changed(row),
            builders=self.maker.builders,
            cell=True,
            inside=self.field.param,
        )
        cells = {column.name: build(column, inner) for column in self.columns}
        remove = tree.make(
            w.Button, "button", description="Remove", tooltip=f"Remove this row of {self.field.label}"
        )
        number = tree.make(w.Label, "number", value="", _dom_classes=("sm-row-number",))
        row = _Row(tree.make(w.HBox, "row"), remove, number, cells)
        remove.on_click(lambda _: self.remove(row))
        was, self.quiet = self.quiet, True
        for name, raw in (values or {}).items():
            if name in cells:
                cells[name].write(raw)
        self.quiet = was
        self.lines.append(row)
        self._lay_out(row)
        self._show()
        return row

    def remove(self, row: _Row) -> None:
        """Take a row away and close its widgets."""
        if row in self.lines:
            self.lines.remove(row)
            self._show()
            self.maker.tree.drop(
                row.box, row.remove, row.number, *(each.widget for each in row.cells.values())
            )
            self.changed()

    def read(self) -> Raw:
        return [
            {name: raw for name, raw in self._values(row).items() if not blank(raw)} for row in self.lines
        ]

    def write(self, raw: Raw) -> None:
        requested = [each for each in raw or [] if isinstance(each, Mapping)]
        if requested == self.read():
            return
        self.quiet = True
        try:
            for row in list(self.lines):
                self.remove(row)
            for each in requested:
                self.add(each)
        finally:
            self.quiet = False
        self.changed()

    def changed(self, row: _Row | None = None) -> None:
        """A cell changed: its row may now ask for other columns."""
        if row is not None and row in self.lines:
            self._lay_out(row)
        if not self.quiet:
            self.maker.changed(self.field.name)

    def _values(self, row: _Row) -> dict[str, Raw]:
        return {name: row.cells[name].read() for name in (column.name for column in self._asked(row))}

    def _asked(self, row: _Row) -> list[Field]:
        """The columns that apply to the row as it is filled in."""
        return [
            each
            for each in self.columns
            if all(_cell_value(row, name) in requested for name, requested in each.when if name in row.cells)
        ]

    def _lay_out(self, row: _Row) -> None:
        children = (row.number, *(row.cells[each.name].widget for each in self._asked(row)), row.remove)
        if tuple(row.box.children) != children:
            row.box.children = children

    def _show(self) -> None:
        for number, row in enumerate(self.lines, start=1):
            row.number.value = str(number)
        self.box.children = (*(row.box for row in self.lines), self.adder)


def _cell_value(row: _Row, name: str) -> str:
    control = row.cells[name]
    raw = control.read()
    return str(
        raw_value(control.field, control.field.default)
        if blank(raw) and control.field.default is not None
        else raw
    )


def _growing(field: Field, maker: Maker, columns: tuple[Field, ...], words: str) -> RowList:
    adder = maker.tree.make(w.Button, "button", description=f"+ {words}")
    box = maker.tree.make(w.VBox, "rows", children=(adder,), _dom_classes=("sm-rows",))
    lines = RowList(field, columns, maker, box, adder)

    def clicked(_: object) -> None:
        first = next(iter(lines.add().cells.values())).focus
        if hasattr(first, "focus"):  # ipywidgets 7 has no such thing
            first.focus()

    adder.on_click(clicked)
    return lines


def rows(field: Field, maker: Maker) -> Control:
    """A list of objects: one row of cells each."""
    required = " *" if field.required else ""
    lines = _growing(field, maker, field.columns, f"{field.label}{required}: add a row")
    return Control(field, lines.box, lines.read, lines.write, focus=lines.adder, parts=[lines])


PAIR = (
    Field(name="key", label="Key", kind=Kind.TEXT, param="key"),
    Field(name="value", label="Value", kind=Kind.TEXT, param="value"),
)


def key_values(field: Field, maker: Maker) -> Control:
    """Metadata: key-value rows. A key with an empty value is sent empty, which removes it at Stripe."""
    lines = _growing(field, maker, PAIR, f"{field.label}: add a key")

    def read() -> Raw:
        pairs = [(row.cells["key"].read().strip(), row.cells["value"].read()) for row in lines.lines]
        return {key: value for key, value in pairs if key}

    def write(raw: Raw) -> None:
        requested = dict(raw) if isinstance(raw, Mapping) else {}
        if requested != read() or not requested:
            lines.write([{"key": key, "value": value} for key, value in requested.items()])

    return Control(field, lines.box, read, write, focus=lines.adder, parts=[lines])
