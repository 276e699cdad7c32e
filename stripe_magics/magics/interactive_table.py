"""A frame as an interactive table (`forms/table_widget.py`): its cells' texts, and the numbers by which
amounts are sorted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stripe_magics._html import join
from stripe_magics.magics.frame_view import NameLookup, View
from stripe_magics.magics.status_badges import STATE_COLUMNS, badge, state

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.forms.table_widget import TableContent, TableWidget

WIDGET = "application/vnd.jupyter.widget-view+json"


def table_content(
    frame: pd.DataFrame, *, max_columns: int = 12, all_columns: bool = False, names: NameLookup | None = None
) -> TableContent:
    """All rows of a frame, each cell as a person reads it."""
    from stripe_magics.forms.table_widget import TableColumn, TableContent

    view = View(frame, max_rows=len(frame) + 1, max_columns=max_columns, all_columns=all_columns, names=names)
    columns = [
        TableColumn(view.head(name), _texts(view, name), _numbers(view, name)) for name in view.columns
    ]
    bare = view.bare
    ids = [str(each) for each in bare["id"]] if "id" in bare.columns else [""] * len(bare)
    states = [str(each) for each in bare["status"]] if "status" in bare.columns else [""] * len(bare)
    rows = [{"id": id, "status": state} for id, state in zip(ids, states, strict=True)]
    title = join([*([badge(view.mode), " "] if view.mode else []), view.title()])
    return TableContent(view.info.object, columns, rows, title, view.notes())


def _texts(view: View, name: Any) -> Sequence[str]:
    """A column's cells; states as the badges that plain tables have."""
    shown = view.shown(name)
    return [state(each) for each in shown] if name in STATE_COLUMNS else shown


def _numbers(view: View, name: Any) -> list[float] | None:
    """What a column of numbers or amounts is sorted by; None where its texts sort as they are."""
    import pandas as pd

    values = view.bare[name]
    if values.dtype.kind not in "iuf" or (name not in view.money and values.dtype.kind == "b"):
        return None
    numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    if name not in view.money:
        return list(numbers)
    return [_scaled(number, text) for number, text in zip(numbers, view.money[name], strict=True)]


def _scaled(number: float, text: str) -> float:
    """An amount in its currency's own units, so that yen and dollars stand in order."""
    from stripe_magics.money import CURRENCIES, exponent

    code = text.rpartition(" ")[2].lower()
    return number / 10 ** exponent(code) if code in CURRENCIES and not math.isnan(number) else number


def table_bundle(plain: Mapping[str, str], widget: TableWidget) -> dict[str, Any]:
    """What a notebook shows: the widget, and the plain table where there are no widgets."""
    view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    return {**plain, WIDGET: view}
