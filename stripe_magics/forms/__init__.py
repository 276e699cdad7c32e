"""The widgets: every module as a form, and the connection as one. Widgets are imported when the first form is
opened.

module_form("customers.create", {"name": "Jenny"})    the form, prefilled
rows_form("customers.create", frame, run)              one call a row of a table, columns mapped to fields
connect_form()                                        the connection widget
skeleton("customers.create")                          the line that opens the form, as text
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from stripe_magics._command import Command
from stripe_magics._options import Options
from stripe_magics.forms.run_protocols import RunCommand, RunRows, RunTableRows

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection
    from stripe_magics.forms.connect_widget import ConnectForm
    from stripe_magics.forms.form_widget import ModuleForm
    from stripe_magics.forms.period_form import Reporter
    from stripe_magics.forms.report_widget import CloseForm, ReportForm
    from stripe_magics.forms.rows_widget import RowsForm
    from stripe_magics.forms.widget_registry import Closable

# cell (outside notebooks: module) -> (execution, the forms that it showed)
_shown: dict[str, tuple[int, list[Closable]]] = {}


def module_form(
    name: str,
    values: Mapping[str, Any] | None = None,
    *,
    params: Iterable[tuple[str, Any]] = (),
    options: Options | None = None,
    run: RunCommand | None = None,
    connection: Connection | None = None,
) -> ModuleForm:
    """The form of a module, filled in with `values` by field name.

    `run` makes the call in place of `stripe_magics.pipeline.call`: it gets the `Command` and, as
    `connection=`, the connection that the form belongs to. A form that the same cell (outside notebooks: the
    same module) showed before is closed, with all its widgets. Raises `UnknownName` for a module or field
    that there isn't.
    """
    from stripe_magics import catalogue
    from stripe_magics.forms.form_widget import ModuleForm
    from stripe_magics.forms.state import FormState

    module = catalogue.find(name)
    form = ModuleForm(
        FormState.of(module, values, params=params, options=options), run=run, connection=connection
    )
    _replace(module.name, form)
    if form.state.updates and form.connection is not None:
        form.guarded(form.fetch)(None)
    form.guarded(form.amount.update)(None)
    form.refresh()
    return form


def report_form(
    reporter: Reporter, values: Mapping[str, Any], *, name: str = "", connection: Connection | None = None
) -> ReportForm:
    """The form of the reports, with what a line says already. `reporter` knows the reports and runs them."""
    from stripe_magics.forms.report_widget import ReportForm

    form = ReportForm(reporter, connection, values, name)
    _replace("report", form)
    return form


def close_form(
    reporter: Reporter, values: Mapping[str, Any], *, connection: Connection | None = None
) -> CloseForm:
    """The form of the month end, with what a line says already."""
    from stripe_magics.forms.report_widget import CloseForm

    form = CloseForm(reporter, connection, values)
    _replace("close", form)
    return form


def rows_form(name: str, frame: object, run: RunRows, *, connection: Connection | None = None) -> RowsForm:
    """One call a row of a frame, with its columns mapped to fields by a person. `run(frame, connection=...,
    **options)` makes the calls."""
    from stripe_magics import catalogue
    from stripe_magics.client.shared_connection import current
    from stripe_magics.forms.rows_widget import RowsForm

    module = catalogue.find(name)
    about = getattr(frame, "attrs", {})
    source = "" if "stripe" in about else str(about.get("source_file", ""))  # an answer is no file any more
    form = RowsForm(module, frame, run, connection=connection or current(), source=source)
    _replace(module.name, form)
    return form


def object_card(text: str, *, run: RunCommand | None = None) -> Any:
    """The card of an object, by its id, a Dashboard address, an e-mail or an invoice number: facts, story,
    and what can be done next."""
    from stripe_magics.forms.card_widget import object_card as make

    card = make(text, run=run)
    _replace(f"card {card.story.id}", card)
    return card


def table(
    content: Any, *, connection: Connection | None, run: RunCommand | None, run_rows: RunTableRows | None
) -> Any:
    """An interactive table of a list; selected rows open their forms. The tables that the same cell showed
    before are closed."""
    from stripe_magics.forms.table_widget import TableWidget

    made = TableWidget(content, connection=connection, run=run, run_rows=run_rows)
    _replace("table", made)
    return made


def today(*, run: RunCommand | None = None) -> Any:
    """The account's day: balance, today's payments, and what waits for somebody; each line opens what can be
    done about it."""
    from stripe_magics.client.shared_connection import current
    from stripe_magics.forms.today_widget import TodayPage

    page = TodayPage(current(), run=run)
    _replace("today", page)
    return page


def start_card(search: Callable[[str], list[tuple[str, str]]], open_line: Callable[[str], Any]) -> Any:
    """What a bare `%stripe` opens. `search(words)` gives (line, title); `open_line(line)` gives what the line
    opens."""
    from stripe_magics.client.shared_connection import shared
    from stripe_magics.forms.start_widget import StartCard

    card = StartCard(connection=shared(), search=search, open_line=open_line)
    _replace("start", card)
    return card


def connect_form() -> ConnectForm:
    """The connection widget. The one that the same cell showed before is closed."""
    from stripe_magics.forms.connect_widget import ConnectForm

    form = ConnectForm()
    _replace("connect", form)
    return form


def form_link(
    name: str,
    values: Mapping[str, Any] | None = None,
    *,
    params: Iterable[tuple[str, Any]] = (),
    options: Options | None = None,
    run: RunCommand | None = None,
) -> Any:
    """A button that opens the form of a module, filled in: what stands under help and under a request that
    was only shown."""
    from stripe_magics.forms.link_widget import FormLink

    given = list(params)
    link = FormLink(skeleton(name), lambda: module_form(name, values, params=given, options=options, run=run))
    _replace(f"link {name}", link)
    return link


def line_link(line: str, open_form: Callable[[], Any]) -> Any:
    """A button that opens what a line of ours shows: the form of a report, the connection."""
    from stripe_magics.forms.link_widget import FormLink

    link = FormLink(f"%stripe {line}", open_form)
    _replace(f"link {line}", link)
    return link


def close_all() -> None:
    """Close every form that is shown: what unloading the magics does."""
    for _, forms in list(_shown.values()):
        for form in forms:
            form.close()
    _shown.clear()


def skeleton(name: str) -> str:
    """`%stripe customers create --form`: the text that stands for a form where no widgets can be shown."""
    from stripe_magics import catalogue
    from stripe_magics.parsing import write_line

    return write_line(Command(module=catalogue.find(name).name, options=Options(form=True)))


def _replace(name: str, form: Closable) -> None:
    """Close the forms that this one takes the place of: those that the same cell showed when it ran
    before."""
    cell, execution = _cell()
    place = cell or f"module {name}"
    number, forms = _shown.get(place, (execution, []))
    if number != execution or not cell:
        for each in forms:
            each.close()
        forms = []
    _shown[place] = (execution, [*forms, form])


def _cell() -> tuple[str, int]:
    """The cell that is being run and the number of its execution; ("", 0) outside notebooks."""
    from IPython import get_ipython

    from stripe_magics.forms.result_area import in_voila

    shell = get_ipython()
    if shell is None:
        return "", 0
    parent = getattr(shell, "parent_header", None) or {}
    number = int(getattr(shell, "execution_count", 0))
    cell = str(parent.get("metadata", {}).get("cellId", ""))
    # Voila names no cells, and runs each once
    return cell or (f"cell {number}" if in_voila() else ""), number
