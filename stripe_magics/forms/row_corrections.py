"""Faulty cells of a table, to be corrected where they are named: one text field for each, with what stands in
the cell."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import ipywidgets as w

from stripe_magics.forms.widget_registry import WidgetRegistry, set_children

MAX_CORRECTED_FIELDS = 20  # fields at once; what is left comes up at the next check


class RowCorrections:
    """The fields. `offer` shows them; a change calls `corrected(row, column, text)`, the row counted from
    1."""

    def __init__(self, tree: WidgetRegistry, corrected: Callable[[int, str, str], None]) -> None:
        self.tree, self.corrected = tree, corrected
        self.box = tree.make(w.VBox, "column", children=())

    def offer(self, cells: Iterable[tuple[int, str, str]]) -> list[str]:
        """Show a field for each (row, column, text of the cell); gives their labels."""
        self.clear()
        places = {(row, column): text for row, column, text in cells}
        set_children(
            self.box,
            tuple(self._field(*place, text) for place, text in [*places.items()][:MAX_CORRECTED_FIELDS]),
        )
        return [each.description for each in self.box.children]

    def clear(self) -> None:
        """Show none."""
        fields = tuple(self.box.children)
        set_children(self.box, ())
        for each in fields:
            self.tree.drop(each)

    def _field(self, row: int, column: str, text: str) -> Any:
        field = self.tree.make(
            w.Text, "field", description=f"Row {row}: {column}", value=text, continuous_update=False
        )
        field.observe(lambda change: self.corrected(row, column, str(change["new"])), "value")
        return field
