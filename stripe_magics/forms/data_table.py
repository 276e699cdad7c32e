"""itables' widget, made faster, its exports safe to open in a spreadsheet, and with columns whose cells come
when a person adds them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import itables.widget
import pandas as pd
from itables.widget import ITable

from stripe_magics.forms.static_files import static_text

_EXPORT = re.compile(r"export\s*\{\s*(\w+) as default\s*\};?")


def _script() -> tuple[str, bool]:
    """itables' script and ours as one module: an import of the one by the other would need an address. What
    fetches columns stands around itables' widget; False where itables' script ends in another way than it
    did."""
    own = (Path(itables.widget.__file__).with_name("static") / "widget.js").read_text(encoding="utf-8")
    script, count = _EXPORT.subn(r"const itablesWidget = \1;", own)
    if count != 1:
        return own + "\n" + static_text("data_table.js"), False
    return "\n".join([script, static_text("data_table.js"), static_text("table_columns.js")]), True


class DataTable(ITable):
    """The widget. `data` are the rows, a list of lists, as JSON; `cells(place)` gives the head and the cells
    of a column that the page asks for."""

    _esm, adds_columns = _script()
    _dt_args: Any  # itables' trait: what its script is called with

    def __init__(
        self,
        heads: Sequence[str],
        data: str,
        *,
        cells: Callable[[int], tuple[str, list[Any]]],
        **options: Any,
    ) -> None:
        super().__init__(pd.DataFrame(columns=list(heads)), **options)
        self._dt_args = {**self._dt_args, "data_json": data}
        self._column_cells = cells
        self.on_msg(self._heard)

    def _heard(self, _: object, content: dict[str, Any], _buffers: object) -> None:
        place = content.get("column")
        if isinstance(place, int):
            head, cells = self._column_cells(place)
            self.send({"column": place, "head": head, "cells": cells})
