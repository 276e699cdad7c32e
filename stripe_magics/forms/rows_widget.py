"""One call a row of a table: which column fills which field, every fault by row and cell, a look at the first
requests, then all of them.

The calls themselves are made by what the caller passes as `run` (`bulk.write_rows`): each row at most once,
however often it is sent.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from stripe_magics.catalogue.module import Effect, Module
from stripe_magics.errors import Fault, InvalidValue, StripeMagicsError
from stripe_magics.forms import html, row_amounts
from stripe_magics.forms.column_mapping import LEFT_OUT, guess, targets
from stripe_magics.forms.connection_guard import check_open, describe
from stripe_magics.forms.field_marks import FieldMarks
from stripe_magics.forms.result_area import ResultArea
from stripe_magics.forms.row_corrections import RowCorrections
from stripe_magics.forms.row_faults import cell_text, faults_table, row_of
from stripe_magics.forms.run_protocols import RunRows
from stripe_magics.forms.widget_registry import CSS, ROOT_CLASSES, WidgetRegistry, set_children

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection

SHOWN_REQUESTS = 3
SLOW_ROWS = 500  # more are a while in checking, which is said


class RowsForm(w.VBox):
    """The widget. `check`, `send`, `confirm` and `stop` are its buttons as methods; `result` is the frame
    with what became of each row."""

    def __init__(
        self, module: Module, frame: Any, run: RunRows, *, connection: Connection, source: str = ""
    ) -> None:
        self.module, self.frame, self.run, self.connection, self.source = (
            module,
            frame,
            run,
            connection,
            source,
        )
        self.result: Any = None
        self.tree = WidgetRegistry()
        self.area = ResultArea()
        self._checked: Any = None  # the mapping that was checked last and found right
        self._armed = False
        self._stop = threading.Event()
        self._worker: threading.Thread | None = None
        make = self.tree.make
        options = [("- leave out -", LEFT_OUT), *((each.title, each.name) for each in targets(module))]
        self.columns = {
            column: make(w.Dropdown, "field", description=str(column), options=options, value=name)
            for column, name in guess(map(str, frame.columns), module).items()
        }
        for each in self.columns.values():
            each.observe(lambda _: self._changed(), "value")
        head = html.head(module) + html.explanation(self._lead())
        self._top = make(w.HTML, "full", value=CSS + self.area.style + html.mode_banner(connection) + head)
        self._fields = make(w.VBox, "column", children=tuple(self.columns.values()))
        self.bar = make(w.HBox, "row", children=(), _dom_classes=("sm-bar",))
        self.status = make(w.HTML, "full", value="")
        self.corrections = RowCorrections(self.tree, self._corrected)
        self._buttons = {
            words: self._button(words, action, style)
            for words, action, style in (
                ("Check all rows", self.check, ""),
                (self._send_words(), self.send, "primary"),
                (self._yes_words(), self.confirm, "danger"),
                ("Cancel", self.cancel, ""),
                ("Stop", self.stop, "warning"),
            )
        }
        self._show_buttons()
        children = (
            self._top,
            self._fields,
            self.status,
            self.corrections.box,
            self.bar,
            make(FieldMarks, "note"),
        )
        super().__init__(children=children, layout=self.tree.layout("root"), _dom_classes=ROOT_CLASSES)
        self.tree.adopt(self)

    # -- the buttons -----------------------------------------------------------------------------------------
    def mapped(self) -> tuple[Any, tuple[Fault, ...]]:
        """The frame as it is sent (the columns that fill a field, under the field's name, amounts with their
        currency), and the amounts that can't be read."""
        chosen = {column: each.value for column, each in self.columns.items() if each.value != LEFT_OUT}
        return row_amounts.read_amounts(self.frame[list(chosen)].rename(columns=chosen), self.module)

    def check(self) -> bool:
        """Check every row and show the first requests; False, and the faults by row and cell, if anything
        can't be sent."""
        twice = self._twice()
        if twice:
            self._say("wrong", f"Two columns fill {twice}. Choose one of them.")
            return False
        rows, unclear = self.mapped()
        if not len(rows.columns):
            self._say("wrong", "No column fills a field yet.")
            return False
        if not len(rows):
            self._say("wrong", "There are no rows.")
            return False
        if len(rows) > SLOW_ROWS:
            self._say("plain", f"Checking {len(rows):,} rows ...")
        try:
            requests = self.run(rows, connection=self.connection, dry_run=True)["request"]
        except InvalidValue as invalid:
            named = {(each.field, row_of(each)[0]) for each in unclear}
            others = (each for each in invalid.faults if (each.field, row_of(each)[0]) not in named)
            self._show_faults((*unclear, *others))
            return False
        if unclear:
            self._show_faults(unclear)
            return False
        self.corrections.clear()
        self._checked = self._mapping()
        first = [
            f"Row {number}: {each}" for number, each in enumerate(requests.head(SHOWN_REQUESTS), start=1)
        ]
        self.status.value = html.card(
            "good",
            f"{_all_rows(len(rows))} can be sent. Nothing was sent yet.",
            [*row_amounts.total_words(rows, self.module), *first],
        )
        return True

    def send(self) -> None:
        """Check, then ask: a call a row is a second step of its own."""
        check_open(self.connection)
        if self._checked != self._mapping() and not self.check():
            return
        self._armed = True
        words = [
            *row_amounts.total_words(self.mapped()[0], self.module),
            f"Account: {describe(self.connection)}",
            "This cannot be undone." if self.module.effect is Effect.IRREVERSIBLE else "",
            "A row that was sent before is not sent again.",
        ]
        self._say(
            "ask",
            f"{self.module.title}: send {_counted(len(self.frame), 'call')}?",
            *words,
            role="alertdialog",
        )
        self._show_buttons()

    def confirm(self) -> None:
        """The yes: all rows are sent beside the notebook's own work."""
        if not self._armed or self._worker is not None:
            return
        self._armed = False
        self._show_buttons()
        check_open(self.connection)
        self._stop.clear()
        self._worker = threading.Thread(target=self._work, name="stripe_magics rows", daemon=True)
        self._show_buttons()
        self._worker.start()

    def cancel(self) -> None:
        """The second step's no."""
        self._armed = False
        self._say("plain", "Not sent.")
        self._show_buttons()

    def stop(self) -> None:
        """End after the rows under way; the rest is not sent."""
        self._stop.set()

    def wait(self, timeout: float | None = None) -> Any:
        """Wait until all rows are done, for code; gives the result. Raises TimeoutError after that many
        seconds: the rows go on."""
        worker = self._worker
        if worker is not None:
            worker.join(timeout)
            if worker.is_alive():
                raise TimeoutError(f"The rows are still being sent after {timeout:g} seconds.")
        return self.result

    def close(self) -> None:
        """Close the form and everything in it."""
        if self.tree.closed:
            super().close()
        else:
            self.tree.close()

    def _show_faults(self, faults: tuple[Fault, ...]) -> None:
        """Every fault by row and cell, and a field for each cell."""
        columns = self._column_of()
        faults = tuple(sorted(faults, key=lambda each: row_of(each)[0]))
        self.status.value = faults_table(faults, self.frame, columns)
        self.corrections.offer(
            (row, columns[each.field], cell_text(self.frame, columns[each.field], row))
            for each in faults
            if (row := row_of(each)[0]) and each.field in columns
        )

    # -- inside ----------------------------------------------------------------------------------------------
    def _work(self) -> None:
        try:
            self.result = self.run(
                self.mapped()[0], connection=self.connection, yes=True, progress=self._progress
            )
            self._show_result()
        except StripeMagicsError as fault:
            self.status.value = html.error(fault)
        except Exception as fault:  # our own mistake: in a thread nobody would see it
            self._say("wrong", "The form failed.", html.own_mistake(fault), role="alert")
        finally:
            self._worker = None
            self._show_buttons()

    def _progress(self, done: int, _: int) -> None:
        self._say("plain", f"{done:,} of {len(self.frame):,} rows sent ...")
        if self._stop.is_set():
            raise KeyboardInterrupt

    def _show_result(self) -> None:
        counts = self.result["result"].value_counts()
        counts = counts[counts > 0]  # outcomes that no row had are no news
        words = ", ".join(f"{number:,} {name}" for name, number in counts.items())
        good = set(counts.index) <= {"done", "replayed"}
        self.status.value = html.card("good" if good else "wrong", words, [self._saved()])
        self.area.show(self.result, [("", self.module.title), ("account", describe(self.connection))])

    def _saved(self) -> str:
        """Where the result file is, beside the file that the rows came from; "" for a frame of the
        notebook."""
        if not self.source:
            return ""
        from stripe_magics.accessor.file_exports import to_csv

        source = Path(self.source)
        target = source.with_name(f"{source.stem}-result.csv")
        added = [each for each in self.result.columns if each not in self.frame.columns]
        to_csv(self.frame.join(self.result[added]), target, {})  # safe to open in a spreadsheet
        return f"The result of each row is in {target.name}."

    def _lead(self) -> str:
        where = f" of {Path(self.source).name}" if self.source else ""
        notes = " ".join(["", *self.frame.attrs.get("source_notes", ())])
        count = "1 row" if len(self.frame) == 1 else f"{len(self.frame):,} rows"
        return f"{count}{where}, one call each. Choose which field each column fills.{notes}"

    def _mapping(self) -> dict[str, str]:
        return {column: str(each.value) for column, each in self.columns.items()}

    def _column_of(self) -> dict[str, str]:
        return {name: column for column, name in self._mapping().items() if name != LEFT_OUT}

    def _twice(self) -> str:
        names = [name for name in self._mapping().values() if name != LEFT_OUT]
        twice = next((name for name in names if names.count(name) > 1), "")
        field = self.module.get(twice) if twice else None
        return field.title if field is not None else ""

    def _corrected(self, row: int, column: str, text: str) -> None:
        """A faulty cell was corrected: in a copy, so that the caller's table stays as it is."""
        self.frame = self.frame.astype({column: object})
        self.frame.iloc[row - 1, self.frame.columns.get_loc(column)] = text
        self._checked = None
        self._changed()

    def _changed(self) -> None:
        self._armed = False
        self._show_buttons()

    def _send_words(self) -> str:
        return f"Send {_counted(len(self.frame), 'row')}"

    def _yes_words(self) -> str:
        return f"Yes, send {_counted(len(self.frame), 'call')}"

    def _show_buttons(self) -> None:
        shown = ["Check all rows", self._send_words()]
        if self._worker is not None:
            shown = ["Stop"]
        elif self._armed:
            shown = [self._yes_words(), "Cancel"]
        set_children(self.bar, tuple(self._buttons[words] for words in shown))

    def _button(self, words: str, action: Callable[[], Any], style: str) -> Any:
        button = self.tree.make(w.Button, "button", description=words, button_style=style)

        def handler(_: object) -> None:
            try:
                action()
            except StripeMagicsError as fault:
                self.status.value = html.error(fault)
            except Exception as fault:  # our own mistake: an exception in a callback would be seen by nobody
                self._say("wrong", "The form failed.", html.own_mistake(fault), role="alert")

        button.on_click(handler)
        return button

    def _say(self, kind: str, *words: str, role: str = "status") -> None:
        self.status.value = html.card(kind, words[0], words[1:], role=role)

    def __repr__(self) -> str:
        return f"%stripe {self.module.name.replace('.', ' ')} --from ... --form"

    def _ipython_display_(self, **kwargs: Any) -> None:
        from IPython.display import display

        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        display({"text/plain": repr(self), "application/vnd.jupyter.widget-view+json": view}, raw=True)
        self.area.open()
        if hasattr(self, "_handle_displayed"):  # ipywidgets 7
            self._handle_displayed(**kwargs)


def _all_rows(count: int) -> str:
    return "The row" if count == 1 else f"All {count:,} rows"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
