"""itables' widget, given its rows as JSON: itables itself would format every cell of a frame once more.

Its script is itables' own, from the installed package, with `static/data_table.js` behind it: what makes long
tables quick to select in, and their exports safe to open in a spreadsheet.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import itables.widget
import pandas as pd
from itables.widget import ITable

from stripe_magics.forms.static_files import static_text


def _script() -> str:
    """Both scripts as one module: an import of the second by the first would need an address."""
    own = Path(itables.widget.__file__).with_name("static") / "widget.js"
    return own.read_text(encoding="utf-8") + "\n" + static_text("data_table.js")


class DataTable(ITable):
    """The widget. `data` are the rows, a list of lists, as JSON."""

    _esm = _script()
    _dt_args: Any  # itables' trait: what its script is called with

    def __init__(self, heads: Sequence[str], data: str, **options: Any) -> None:
        super().__init__(pd.DataFrame(columns=list(heads)), **options)
        self._dt_args = {**self._dt_args, "data_json": data}
