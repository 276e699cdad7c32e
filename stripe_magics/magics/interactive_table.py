"""A frame as an interactive table (`forms/table_widget.py`): its cells' texts, and the numbers by which
amounts are sorted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stripe_magics import _locale
from stripe_magics._html import Markup, join, tag
from stripe_magics.magics.cell_texts import MAX_CELL, is_missing
from stripe_magics.magics.frame_view import NameLookup, View
from stripe_magics.magics.status_badges import STATE_COLUMNS, badge, state
from stripe_magics.money import CURRENCIES, exponent

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.forms.table_widget import TableContent, TableWidget

HEAD_CONTROLS = 58.0  # pixels of what sorts and searches a column, beside its head
WIDGET = "application/vnd.jupyter.widget-view+json"


def table_content(
    frame: pd.DataFrame, *, max_columns: int = 12, all_columns: bool = False, names: NameLookup | None = None
) -> TableContent:
    """All rows of a frame, each cell as a person reads it."""
    from stripe_magics.forms.table_widget import TableColumn, TableContent

    view = View(
        frame,
        max_columns=max_columns,
        all_columns=all_columns,
        all_rows=True,
        names=names,
        head_controls=HEAD_CONTROLS,
    )

    def column(name: object) -> TableColumn:
        view.add(name)
        return TableColumn(view.head(name), _texts(view, name), _numbers(view, name), view.wraps(name))

    columns = [column(name) for name in view.columns]
    others = [name for name in view.frame.columns if name not in view.columns]
    bare = view.bare
    ids, states = (
        ["" if is_missing(each) else str(each) for each in bare[name].astype("object").tolist()]
        if name in bare.columns
        else [""] * len(bare)
        for name in ("id", "status")
    )
    rows = [{"id": id, "status": state} for id, state in zip(ids, states, strict=True)]
    title = join([*([badge(view.mode), " "] if view.mode else []), view.title()])
    notes = view.notes(len(view.frame.columns))
    if others:
        count = f"{len(columns)} of {len(view.frame.columns)} columns are shown at first"
        notes.append(f"{count}; `Columns` has all of them.")
    return TableContent(
        view.info.object,
        columns,
        rows,
        title,
        notes,
        view.title().split(" · ")[0],
        others=[(str(name), view.bare[name].dtype.kind in "iuf") for name in others],
        more=lambda place: column(others[place]),
    )


def _texts(view: View, name: object) -> Sequence[str]:
    """A column's cells; states as the badges that plain tables have, a long text in a box that scrolls."""
    shown = view.shown(name)
    if name not in STATE_COLUMNS:
        return [_box(each) if len(each) > MAX_CELL else each for each in shown] if view.wraps(name) else shown
    badges = {each: state(each) for each in set(shown)}
    return [badges[each] for each in shown]


def _box(long: str) -> Markup:
    return tag("div", long, class_="sm-long", tabindex="0", role="group", aria_label="The whole text")


def _numbers(view: View, name: object) -> Sequence[float] | None:
    """What a column of numbers or amounts is sorted by; None where its texts sort as they are. Amounts are in
    their currency's own units, so that yen and dollars stand in order."""
    import numpy as np
    import pandas as pd

    values = view.bare[name]
    if values.dtype.kind == "M" and _locale.locale_name():
        return _moments(values)
    if values.dtype.kind not in "iuf":
        return None
    numbers = pd.to_numeric(values, errors="coerce").astype("float64").to_numpy(na_value=math.nan)
    if name not in view.money or name in view.major:
        return [float(each) for each in numbers]
    codes = [each.rpartition(" ")[2] for each in view.money[name]]
    units = {each: _minor_units(each) for each in set(codes)}
    return [float(each) for each in numbers / np.array([units[each] for each in codes], dtype="float64")]


def _moments(values: Any) -> Sequence[float]:
    """Times as seconds: a language's dates don't sort as text."""
    return [math.nan if is_missing(each) else float(each.timestamp()) for each in values]


def _minor_units(code: str) -> int:
    """Minor units of a unit of the currency."""
    return int(10 ** exponent(code.lower())) if code.lower() in CURRENCIES else 1


def table_bundle(plain: Mapping[str, str], widget: TableWidget) -> dict[str, Any]:
    """What a notebook shows: the widget, and the plain table where there are no widgets."""
    view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    return {**plain, WIDGET: view}
