"""`--table`: a list as an interactive table. Sort, filter, search, pages, a column picker, copy and export
are itables', from its own files:
nothing is fetched from the network.

Selected rows open what can be done with them below the table: one row its card and its form, several rows a
form that makes one call a row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from stripe_magics._html import NO_MATHEMATICS, Markup, output, tag, text, with_code
from stripe_magics.errors import StripeMagicsError
from stripe_magics.forms import html
from stripe_magics.forms.connection_guard import check_open
from stripe_magics.forms.field_marks import FieldMarks
from stripe_magics.forms.row_actions import RowAction, actions_for
from stripe_magics.forms.run_protocols import RunCommand
from stripe_magics.forms.widget_registry import CSS, Closable, WidgetRegistry, set_children

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection

PAGE = 10
_SPECIAL = re.compile("[&<>\"']")
EXPORTS = ("copyHtml5", "csvHtml5", "excelHtml5")
LAYOUT = {"topEnd": "search", "bottomStart": "info", "bottomEnd": "paging", "bottom2Start": "pageLength"}
SELECTING = "Select a row to see what can be done with it: click it, or move to it and press Space."


@dataclass(frozen=True, slots=True)
class TableColumn:
    """One column as it is shown: its head, its texts (escaped, unless Markup), the numbers by
    which it is sorted where its texts don't sort, and whether long texts break between their words."""

    head: str
    texts: Sequence[str]
    numbers: Sequence[float] | None = None
    wraps: bool = False


@dataclass(frozen=True, slots=True)
class TableContent:
    """What a table shows: the columns, the type and the ids of the rows, their states, the lines above and
    below, the name of an exported file, and the columns that can be added."""

    kind: str
    columns: Sequence[TableColumn]
    rows: Sequence[Mapping[str, Any]]  # id and status of each row
    title: str = ""  # HTML if it is Markup
    notes: Sequence[str] = ()
    name: str = ""
    others: Sequence[tuple[str, bool]] = ()  # columns that aren't shown: head, whether of numbers
    more: Callable[[int], TableColumn] | None = None  # makes one of them, by its place there


class TableWidget(w.VBox):
    """The widget. `select(rows)` is what a click on rows does; `press(label)` is what a button does."""

    def __init__(
        self,
        content: TableContent,
        *,
        connection: Connection | None = None,
        run: RunCommand | None = None,
        run_rows: Callable[[str, Any, Mapping[str, Any]], Any] | None = None,
    ) -> None:
        self.content, self.connection, self.run, self.run_rows = content, connection, run, run_rows
        self.tree = WidgetRegistry()
        self.opened: Closable | None = None
        self.rows: list[Mapping[str, Any]] = []
        make = self.tree.make
        top = make(w.HTML, "full", value=CSS + output(content.title))
        self.table = _itable(content)
        self.table.observe(lambda change: self.select(list(change["new"])), "selected_rows")
        self.bar = make(w.HBox, "row", children=(), _dom_classes=("sm-bar",))
        self.status = make(w.HTML, "full", value="")
        self.slot = make(w.VBox, "full", children=())
        hint = [SELECTING] if connection is not None and any(each["id"] for each in content.rows) else []
        lines = (tag("div", tag("small", with_code(each))) for each in (*hint, *content.notes))
        notes = make(w.HTML, "full", value=output(*lines))
        super().__init__(
            children=(top, self.table, notes, self.bar, self.status, self.slot, make(FieldMarks, "note")),
            layout=self.tree.layout("column"),
            _dom_classes=("sm-table",),
        )
        self.tree.adopt(self.table)
        self.tree.adopt(self.table.layout)
        self.tree.adopt(self)

    def select(self, places: list[int]) -> list[str]:
        """Offer what can be done with these rows; gives the labels."""
        self._drop()
        for each in self.bar.children:
            self.tree.drop(each)
        self.rows = [self.content.rows[each] for each in places if each < len(self.content.rows)]
        self.rows = [each for each in self.rows if each.get("id")]
        self.status.value = ""
        offers = actions_for(self.content.kind, self.rows) if self.connection is not None else []
        count = len(self.rows)
        if count > 1:
            buttons = [
                self._button(f"{each.label} {count} rows", partial(self._open_rows, each))
                for each in offers
                if self.run_rows is not None
            ]
            if not buttons:
                self.status.value = html.card("plain", f"Nothing can be done with all {count} rows at once.")
        else:
            buttons = [self._button(each.label, partial(self._open_form, each)) for each in offers]
            if count and self.connection is not None:
                buttons.insert(0, self._button("Show card", self._open_card))
        set_children(self.bar, tuple(buttons))
        return [each.description for each in buttons]

    def press(self, label: str) -> Any:
        """Open what the button of that label opens."""
        button = next(each for each in self.bar.children if each.description == label)
        button.click()
        return self.opened

    def close(self) -> None:
        """Close the table and what it opened."""
        if hasattr(self, "status"):  # one whose making failed half way has nothing to drop
            self._drop()
        if self.tree.closed:
            super().close()
        else:
            self.tree.close()

    # -- inside ----------------------------------------------------------------------------------------------
    def _open_form(self, action: RowAction) -> None:
        from stripe_magics.forms import module_form

        form = module_form(
            action.module, {action.field: self.rows[0]["id"]}, run=self.run, connection=self.connection
        )
        if action.group in form.groups:
            form.open_group(action.group)
        self._show(form)

    def _open_rows(self, action: RowAction) -> None:
        import pandas as pd

        from stripe_magics.forms import rows_form

        if self.run_rows is None:
            return
        frame = pd.DataFrame({action.field: [str(each["id"]) for each in self.rows]})

        def run(rows: object, **more: Any) -> Any:
            return self.run_rows(action.module, rows, more) if self.run_rows is not None else None

        form = rows_form(action.module, frame, run, connection=self.connection)
        self._show(form)
        form.check()

    def _open_card(self) -> None:
        from stripe_magics.forms.card_widget import object_card

        card = object_card(str(self.rows[0]["id"]), connection=self.connection, run=self.run)
        self._show(card, card.widget())

    def _show(self, opened: Closable, widget: object = None) -> None:
        self._drop()
        self.opened = opened
        set_children(self.slot, (opened if widget is None else widget,))

    def _drop(self) -> None:
        self.status.value = ""
        if self.opened is not None:
            set_children(self.slot, ())
            self.opened.close()
            self.opened = None

    def _button(self, label: str, action: Callable[[], Any]) -> Any:
        button = self.tree.make(w.Button, "button", description=label)

        def pressed(_: object) -> None:
            try:
                check_open(self.connection)  # a form of another account than the table's would be a trap
                action()
            except StripeMagicsError as fault:
                self.status.value = CSS + html.error(fault)
            except Exception as fault:  # our own mistake: an exception in a callback would be seen by nobody
                words = [html.own_mistake(fault)]
                self.status.value = CSS + html.card("wrong", "It could not be opened.", words, role="alert")

        button.on_click(pressed)
        return button


def _itable(content: TableContent) -> Any:
    """itables' widget. Every text is escaped here; a badge is Markup, and is sought, sorted, copied and
    exported as its text. Amounts and numbers sort by a column that is not shown."""
    from msgspec import json

    from stripe_magics.forms.data_table import DataTable

    shown = len(content.columns)
    data: list[Sequence[Any]] = [_cells(each.texts) for each in content.columns]
    definitions: list[dict[str, Any]] = []
    for place, each in enumerate(content.columns):
        side = "dt-left" if each.numbers is None else "dt-right"  # a phone number isn't a number
        definitions.append({"targets": place, "className": f"{side} sm-wraps" if each.wraps else side})
        if any(isinstance(cell, Markup) for cell in each.texts):
            definitions.append({"targets": place, "type": "html"})
        if each.numbers is None:
            continue
        hidden = len(data)
        data.append(each.numbers)
        definitions.append({"targets": place, "orderData": [hidden]})
        definitions.append({"targets": hidden, "visible": False, "searchable": False, "columnControl": []})
    heads = [*(text(each.head) for each in content.columns), *(f"sort {n}" for n in range(shown, len(data)))]
    first = len(heads)  # of the columns whose cells come when they are asked for
    others = content.others if DataTable.adds_columns else ()
    heads += [text(head) for head, _ in others]
    definitions += [_later(place, numbers) for place, (_, numbers) in enumerate(others, start=first)]
    # a workbook's cells have types: no text in them is read as a formula
    exported = {name: {"columns": ":visible", "escapeExcelFormula": name != "excelHtml5"} for name in EXPORTS}
    buttons = [
        *(
            {"extend": name, "exportOptions": options, "title": None, "filename": content.name or "stripe"}
            for name, options in exported.items()
        ),
        {"extend": "colvis", "text": "Columns", "columns": [*range(shown), *range(first, len(heads))]},
    ]
    return DataTable(
        heads,
        json.encode(list(zip(*data, strict=True))).decode(),
        cells=lambda place: _added(content, place - first),
        maxBytes=0,
        maxRows=0,
        maxColumns=0,
        showIndex=False,
        allow_html=True,
        select={"style": "os", "keys": True},
        pageLength=PAGE,
        layout={"topStart": {"buttons": buttons}, **LAYOUT},
        columnDefs=definitions,
        columnControl=["order", "searchDropdown"],
        ordering={"indicators": False, "handler": False},
        format_floats_in_python=False,
        scrollX=True,
        language={"emptyTable": "nothing found"},
        classes=f"display nowrap compact {NO_MATHEMATICS}",
        style="table-layout:auto;width:100%;margin:0",
    )


def _later(place: int, numbers: bool) -> dict[str, Any]:  # noqa: FBT001 - of one column
    """A column that isn't shown, without its cells: each is its text, or a text and the number it is sorted
    by."""
    found = (
        {"data": {"_": f"{place}.0", "sort": f"{place}.1"}, "type": "num"} if numbers else {"type": "html"}
    )
    side = "dt-right" if numbers else "dt-left"
    hidden = {"visible": False, "searchable": False, "defaultContent": "…"}
    return {"targets": place, "className": f"{side} sm-later", **hidden, **found}


def _added(content: TableContent, place: int) -> tuple[str, list[Any]]:
    """The head and the cells of a column that a person adds."""
    from itertools import repeat

    if content.more is None or not 0 <= place < len(content.others):
        return "", []
    column = content.more(place)
    texts, head = _cells(column.texts), str(text(column.head))  # the page takes both for HTML
    if not content.others[place][1]:
        return head, list(texts)
    numbers = [None if each != each else each for each in column.numbers or repeat(None, len(texts))]  # noqa: PLR0124 - NaN
    return head, [list(pair) for pair in zip(texts, numbers, strict=True)]


def _cells(texts: Sequence[str]) -> Sequence[str]:
    """A column's texts as HTML. Most columns have nothing to escape, which is seen all at once."""
    if any(isinstance(each, Markup) for each in texts):
        plain = {each: str(text(each)) for each in texts}  # a str is encoded, a Markup isn't
        return [plain[each] for each in texts]
    joined = "\0".join(texts)
    if joined.isascii() and not _SPECIAL.search(joined):
        return texts
    return [str(text(each)) for each in texts]


def installed() -> bool:
    """Whether itables is there."""
    from importlib.util import find_spec

    return find_spec("itables") is not None


MISSING = "An interactive table needs itables: %pip install itables, then restart the kernel."
