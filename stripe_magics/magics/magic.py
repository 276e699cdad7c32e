"""The `%stripe` magic itself: one line or one cell in, one value out.

What it does with a line: looks for a key (refused, scrubbed), for a subcommand (`connect`, `status` ...),
otherwise parses a call and sends it through the pipeline. Errors of ours leave as a few lines without library
frames, and fail the cell.
"""

from __future__ import annotations

import re
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from IPython.core.magic import line_cell_magic, magics_class, no_var_expand

from stripe_magics import _first_use, catalogue
from stripe_magics._command import Command
from stripe_magics._interrupts import held_back
from stripe_magics._options import Options
from stripe_magics.client.journal.cell_origin import origin, tracker_of
from stripe_magics.errors import IncompleteList, KeyRefused, StripeMagicsError, UsageFault
from stripe_magics.magics.delivery import bound_line, check_name, notes_of
from stripe_magics.magics.history import History
from stripe_magics.magics.names_in_scope import names_in_scope
from stripe_magics.magics.seen_ids import Seen, seen_on
from stripe_magics.magics.settings import Settings
from stripe_magics.parsing import parse, write_line
from stripe_magics.parsing.lexer import split
from stripe_magics.progress import progress_bar

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection

_BULK = frozenset({"sync", "pull", "sql", "report", "close", "journal"})
"""The subcommands that read whole lists."""
NEEDS_NOTEBOOK = "{}, which needs a notebook. Nothing was sent."


@magics_class
class StripeMagics(Settings):
    """`%stripe` and `%%stripe`: call Stripe, get DataFrames. `%stripe help` begins."""

    def __init__(self, shell: object) -> None:
        super().__init__(shell=shell)
        self.cell = tracker_of(shell)
        self.history = History()
        self.previewed: tuple[Any, Command] | None = None  # the last dry run: its request, and the call

    @property
    def seen(self) -> Seen:
        """What was seen on the shared connection."""
        loaded = sys.modules.get("stripe_magics.client.shared_connection")
        return seen_on(loaded.shared() if loaded is not None else None)

    @property
    def in_terminal(self) -> bool:
        """Whether this is IPython in a terminal, which shows no widgets."""
        return any(each.__name__ == "TerminalInteractiveShell" for each in type(self.shell).__mro__)

    @no_var_expand
    @line_cell_magic
    def stripe(self, line: str, cell: str | None = None) -> Any:
        """Call Stripe from a line or a cell.

        %stripe connect --sandbox                an account that needs no key
        %stripe connect                          opens the connection form
        %stripe customers list --email a@b.com   a resource and an action, as Stripe names them: a DataFrame
        %stripe payment_intents create --amount 20.00usd --dry-run
        %%stripe invoices create --out invoice   a cell: the fields below as YAML or JSON
        %stripe payment_intents create --help    all of its fields
        %stripe modules                          what there is; %stripe find "refund reason" looks for it
        %stripe help                             everything else
        """
        try:
            return self.run(line, cell)
        except StripeMagicsError as error:
            if self.full_traceback:
                raise RuntimeError(f"{type(error).__name__}: {error}") from error
            fault = error
        # raised here, outside of the except block: no context, and no frame of the libraries below whose
        # locals could hold a key
        fault.__cause__ = fault.__context__ = None
        raise fault.with_traceback(None)

    def run(self, line: str, cell: str | None) -> Any:
        """One line or cell, its errors as they come."""
        with held_back():
            from stripe_magics.magics import key_scrubbing, prompt, subcommands
            from stripe_magics.parsing import curl_and_cli
            from stripe_magics.parsing.flag_tables import HTTP_VERBS

        del prompt  # imported here, for those who use it later

        typed = key_scrubbing.found(line, cell)
        if typed and not (curl_and_cli.starts(line) or curl_and_cli.starts(cell)):
            self._refuse(typed)
        if self.in_terminal and any(word.flag and word.text == "--form" for word in split(line)):
            raise UsageFault(NEEDS_NOTEBOOK.format("--form opens a form"))
        try:
            asked = re.fullmatch(r"([A-Za-z][\w.-]*(?:\s+[A-Za-z][\w.-]*)*)\s*(?:\?|\s--help)", line.strip())
            if not line.strip() and not (cell or "").strip():
                return self._start()
            if asked and subcommands.find(asked[1]) is None:
                with held_back():
                    from stripe_magics.magics.help_pages import page
                return page("api call" if asked[1] in HTTP_VERBS else asked[1])
            invocation = subcommands.find(line)
            if invocation is not None:
                _first_use.for_bulk() if invocation.subcommand.words[
                    0
                ] in _BULK else _first_use.for_connecting()
                return invocation.run(self, line, cell)
            _first_use.for_calls()
            if cell is None and (card := self._object_card(line)) is not None:
                return card
            command = parse(line, cell, self.names())
        except KeyRefused:
            self.forget(key_scrubbing.found(self.cell.text, line, cell))
            raise
        if typed:
            command.notes += self.forget(typed)
        return self.call(command, line)

    def names(self) -> Mapping[str, Any]:
        """What `$name` may mean: the variables at the place where the magic was called, a function's own
        before globals."""
        return names_in_scope(self.shell.user_ns)

    def _refuse(self, typed: set[str]) -> None:
        left = self.forget(typed)
        raise KeyRefused(
            "There is a key in this cell. It was not used, and nothing was sent.",
            advice=(
                "It was taken out of this session's history and of the cell where that is possible; still,"
                " roll it at Stripe (Developers > API keys).\nThen connect without typing it: `%stripe"
                " connect`, or `%stripe connect --env STRIPE_API_KEY`."
            ),
            facts=left,
        )

    def forget(self, typed: set[str], text: str = "") -> list[str]:
        """Take keys out of the history and out of the cell that runs (or ran, with this text)."""
        from stripe_magics.magics import key_scrubbing

        left = key_scrubbing.scrub(self.shell, typed)
        if (text or self.cell.text) and typed:
            key_scrubbing.replace_cell(self.shell, text or self.cell.text)
            self.cell.text = key_scrubbing.clean(self.cell.text)
        return left

    def call(self, command: Command, line: str) -> Any:
        """One module called: its help, its form, or its answer."""
        options = command.options
        if options.to or options.from_ is not None:
            _first_use.for_bulk()
        if options.form:
            _first_use.for_forms()
        if options.out:
            check_name(options.out)
        if not options.quiet:
            for note in command.notes:
                print(note)
        if options.table:
            self.check_table()
        if options.help:
            from stripe_magics.magics.help_pages import page

            return page(command.module)
        if options.form and options.from_ is not None:
            return self._rows_form(command)
        if options.form:
            from stripe_magics.forms import module_form
            from stripe_magics.validation import refuse_missing

            refuse_missing(catalogue.find(command.module), command.values, command.params)
            return module_form(
                command.module, command.values, params=command.params, options=options, run=self.run_form
            )
        started = time.time()
        try:
            answer = self._answer(command)
        except BaseException as fault:  # whatever ended it belongs into the history, Stop included
            self._remember(command, line, started, error=fault)
            if isinstance(fault, IncompleteList) and fault.frame is not None and options.out:
                self.deliver(fault.frame, command, line)  # the rows so far
            raise
        self._remember(command, line, started, answer=answer)
        self.previewed = (answer, command) if options.dry_run else self.previewed
        return self.deliver(answer, command, line)

    def _object_card(self, line: str) -> Any:
        """The card of the object that the line names, if it names one and nothing else."""
        if " " in line.strip() or not line.strip():
            return None
        from stripe_magics.forms.object_search import is_object

        if not is_object(line):
            return None
        from stripe_magics.forms import object_card

        return object_card(line.strip(), run=self.run_form)

    def form_link(self, shown: Any) -> Any:
        """The button that opens the form of what is shown: a page of help, or the request of the last dry
        run; None for any other."""
        from stripe_magics import forms

        if getattr(shown, "sections", None) is not None:
            if shown.module:
                return forms.form_link(shown.module, run=self.run_form)
            line = shown.form
            return forms.line_link(line, lambda: self.run(line, None)) if line else None
        if self.previewed is None or self.previewed[0] is not shown:
            return None
        command = self.previewed[1]
        if command.options.from_ is not None:
            return None
        options = replace(command.options, dry_run=False, form=True)
        return forms.form_link(
            command.module, command.values, params=command.params, options=options, run=self.run_form
        )

    def _start(self) -> Any:
        """A bare `%stripe`: the start card, or the overview where there are no widgets."""
        from stripe_magics.magics import catalogue_search, subcommands
        from stripe_magics.magics.plain_tasks import tasks_for

        if self.in_terminal:
            return self.run("help", None)
        from stripe_magics.forms import start_card

        def search(words: str) -> list[tuple[str, str]]:
            tasks = tasks_for(words)
            own = {line.partition(" --")[0] for line, _ in tasks}
            lines = {str(name).replace(".", " "): name for name in catalogue_search.find(words)["module"]}
            found = [(line, catalogue.find(name).title) for line, name in lines.items() if line not in own]
            return [*tasks, *found]

        def open_line(line: str) -> Any:
            form = "" if " --form" in line or subcommands.find(line) is not None else " --form"
            return self.run(line + form, None)

        return start_card(search, open_line)

    @staticmethod
    def check_table() -> None:
        """Refuse `--table` where itables isn't installed."""
        from stripe_magics.forms import table_widget

        if not table_widget.installed():
            raise UsageFault(table_widget.MISSING)

    def show_table(self, frame: Any, *, names: bool, plain: Mapping[str, str]) -> dict[str, Any]:
        """A frame as an interactive table, with the plain one beside it for where there are no widgets."""
        from stripe_magics import bulk, forms
        from stripe_magics.magics import dataframe_display, interactive_table, object_names

        place = origin()

        def run_rows(module: str, rows: Any, more: Mapping[str, Any]) -> Any:
            options = Options(dry_run=bool(more.get("dry_run")), yes=bool(more.get("yes")))
            return bulk.write_rows(
                Command(module, options=options),
                rows,
                origin=place,
                connection=more["connection"],
                progress=more.get("progress"),
                quiet=True,
            )

        content = interactive_table.table_content(
            frame,
            max_columns=self.max_columns,
            all_columns=self.all_columns,
            names=dataframe_display.name_lookup(frame) if names else None,
        )
        connection = object_names.matching_connection(frame)
        widget = forms.table(content, connection=connection, run=self.run_form, run_rows=run_rows)
        return interactive_table.table_bundle(plain, widget)

    def _rows_form(self, command: Command) -> Any:
        """The form of many calls: the columns of a frame are mapped to fields before one call a row is
        made."""
        from stripe_magics import bulk
        from stripe_magics.forms import rows_form

        place = origin()

        def run(
            frame: Any,
            *,
            connection: Connection,
            dry_run: bool = False,
            yes: bool = False,
            progress: Callable[[int, int], object] | None = None,
        ) -> Any:
            options = replace(command.options, form=False, from_=None, dry_run=dry_run, yes=yes)
            return bulk.write_rows(
                replace(command, options=options),
                frame,
                origin=place,
                connection=connection,
                progress=progress,
                quiet=True,
            )

        return rows_form(command.module, command.options.from_, run)

    def _remember(
        self,
        command: Command,
        line: str,
        started: float,
        *,
        answer: object = None,
        error: BaseException | None = None,
        connection: Connection | None = None,
    ) -> None:
        """Note a call for the history, the script and completion (of the connection that it went to: the
        shared one unless given)."""
        try:
            self.history.add(command, line, started, answer=answer, error=error)
            (self.seen if connection is None else seen_on(connection)).learn(answer)
        except Exception as fault:
            # a call that was made must give its answer, whatever our own notes of it say
            warnings.warn(
                f"This call could not be noted: {type(fault).__name__}: {fault}", RuntimeWarning, stacklevel=2
            )

    def run_form(self, command: Command, *, connection: Connection | None, **more: Any) -> Any:
        """A call that a form makes, on the connection that the form belongs to: like any other, it is
        remembered."""
        from stripe_magics import pipeline
        from stripe_magics.magics.subcommands.data import handler_for

        started = time.time()
        line = (
            write_line(command).removeprefix("%stripe ") if command.options.from_ is None else command.module
        )
        own = handler_for(command)
        try:
            if own is not None:
                answer = own(self, command, connection=connection, origin=more.get("origin"))
            else:
                answer = pipeline.call(command, connection=connection, **more)
        except BaseException as fault:  # whatever ended it belongs into the history, Stop included
            self._remember(command, line, started, error=fault)
            raise
        self._remember(command, line, started, answer=answer, connection=connection)
        return answer

    def _answer(self, command: Command) -> Any:
        from stripe_magics.magics.prompt import make_prompt
        from stripe_magics.magics.subcommands.data import handler_for

        if command.options.from_ is not None:
            from stripe_magics import bulk

            return bulk.write_rows(command, command.options.from_, ask=make_prompt(self.shell))
        context = handler_for(command)
        if context is not None:
            return context(self, command)
        with progress_bar(command.module, quiet=command.options.quiet) as progress:
            if command.options.to and not command.options.dry_run:
                from stripe_magics import bulk

                return bulk.save_command(command, progress=progress)
            from stripe_magics import pipeline

            return pipeline.call(command, ask=make_prompt(self.shell), progress=progress)

    def deliver(self, answer: object, command: Command, line: str) -> Any:
        """Bind the answer, show it, or keep quiet: what `--out`, `--quiet` and a semicolon say."""
        name, quiet = command.options.out, command.options.quiet
        assigned = self.cell.assigns(line)
        if name:
            old = self.shell.user_ns.get(name)
            self.shell.user_ns[name] = answer
            if not quiet:
                replaced = old is not None and not hasattr(old, "columns") and type(old) is not type(answer)
                print(bound_line(name, answer, f" (it was a {type(old).__name__})" if replaced else ""))
        elif assigned and not quiet:
            for note in notes_of(answer):  # nothing is displayed that could tell it
                print(note)
        if (name or quiet) and not assigned:
            return None
        return answer
