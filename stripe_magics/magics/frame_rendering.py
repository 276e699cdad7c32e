"""A view of a frame (`frame_view.py`) as HTML for notebooks, and as text for terminals."""

from __future__ import annotations

import re
from typing import Any

from stripe_magics._characters import visible
from stripe_magics._html import Markup, output, scrolling, tag, with_code
from stripe_magics.catalogue.stripe_objects import object_type, owner
from stripe_magics.magics.cell_texts import count
from stripe_magics.magics.frame_view import MAX_UNBROKEN, View
from stripe_magics.magics.status_badges import STATE_COLUMNS, badge, mode_word, state

_ID = re.compile(r"[a-z]{2,12}(?:_[A-Za-z0-9]+)+\Z")
_LINK = re.compile(r"https://dashboard\.stripe\.com/[A-Za-z0-9_./?=-]+\Z")


def as_html(view: View) -> str:
    """The table, escaped."""
    links = _links(view)
    index = [str(each) for each in view.bare.index] if view.indexed else []
    rows: list[Markup] = []
    for row in range(len(view.places)):
        if row == view.gap:
            words = f"... {count(len(view.frame) - len(view.places))} rows more ..."
            rows.append(
                tag(
                    "tr",
                    tag("td", words, colspan=str(len(view.columns) + view.indexed), style="text-align:left"),
                )
            )
        cells = [tag("th", index[row])] if view.indexed else []
        rows.append(tag("tr", *cells, *(_cell(view, name, row, links) for name in view.columns)))
    if not view.places:
        rows.append(
            tag(
                "tr",
                tag("td", "nothing found", colspan=str(max(1, len(view.columns))), style="text-align:left"),
            )
        )
    head = [tag("th", view.head(name), style=f"text-align:{_side(view, name)}") for name in view.columns]
    top = tag("thead", tag("tr", *([tag("th")] if view.indexed else []), *head))
    return output(
        tag("div", *([badge(view.mode), " "] if view.mode else []), view.title()),
        scrolling(tag("table", top, tag("tbody", *rows), class_="dataframe"), view.info.object or "Table"),
        *(tag("div", tag("small", with_code(note)), style="text-align:left") for note in view.notes()),
    )


def _cell(view: View, name: object, row: int, links: dict[Any, list[str]]) -> Markup:
    shown = view.cells[name][row]
    beside = view.beside[name][row] if name in view.beside else ""
    link = links.get(name, [])
    linked = bool(link and link[row] and _LINK.match(link[row]))
    if linked or beside:
        address = link[row] if linked else ""
        id_cell = tag("a", shown, href=address, target="_blank", rel="noopener") if linked else shown
        name_cell = [beside, tag("br")] if beside else []
        return tag(
            "td",
            *name_cell,
            tag("small", id_cell) if beside else id_cell,
            style="text-align:left;white-space:nowrap",
        )
    if name in STATE_COLUMNS:
        return tag("td", state(shown), style="text-align:left;white-space:nowrap")
    wrap = "" if len(shown) > MAX_UNBROKEN else ";white-space:nowrap"
    return tag("td", shown, style=f"text-align:{_side(view, name)}{wrap}")


def _side(view: View, name: object) -> str:
    return "right" if name in view.right else "left"


def _links(view: View) -> dict[Any, list[str]]:
    """Dashboard pages of the objects that ids name; a sandbox has no Dashboard."""
    if view.mode == "sandbox" or not view.mode or "id" not in view.frame.columns:
        return {}
    from stripe_magics.accessor.dashboard_links import base_address, page_of

    base = base_address(view.mode, view.info.account)
    links = {}
    for name in view.columns:
        own = view.info.object if name == "id" else str(name)
        ids = view.cells[name]
        kinds = [own if object_type(own).page else owner(each) for each in ids]
        if any(object_type(kind).page for kind in kinds):
            links[name] = [
                base + page_of(kind, each) if object_type(kind).page and _ID.match(each) else ""
                for each, kind in zip(ids, kinds, strict=True)
            ]
    return links


def as_text(view: View) -> str:
    """The same as text, for terminals: as many of the columns as the screen is wide."""
    import pandas as pd

    word = f"[{mode_word(view.mode)}] " if view.mode else ""
    lines = [f"{word}{view.title()}"]
    fitting = _fitting_screen(view)
    if view.places and fitting:
        shown = {view.head(name): texts for name, texts in fitting.items()}
        with pd.option_context("display.max_colwidth", None):
            lines.append(pd.DataFrame(shown, index=view.bare.index).to_string(index=view.indexed))
        if view.cut:
            rest = count(len(view.frame) - len(view.places))
            lines.append(f"... {rest} rows more (the first and the last are shown)")
    else:
        lines.append("nothing found")
    return visible("\n".join([*lines, *view.notes(len(fitting))]))


def _fitting_screen(view: View) -> dict[Any, list[str]]:
    """The columns that fit a screen, with their texts: an id without its name rather than no column."""
    if "report" in view.about:  # a report has no columns to spare
        return {name: view.shown(name) for name in view.columns}
    left = _width()
    fitting: dict[Any, list[str]] = {}
    for name in view.columns:
        for texts in (view.shown(name), view.cells[name]):
            width = 2 + max([len(view.head(name)), *(len(each) for each in texts)])
            if width <= left:
                break
        if width > left and len(fitting) >= 3:
            break
        left -= width
        fitting[name] = texts
    return fitting


def _width() -> int:
    import shutil

    return max(100, shutil.get_terminal_size().columns)
