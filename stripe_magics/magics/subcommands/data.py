"""Subcommands that another part of the package serves: reports, pulls, events."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from stripe_magics import catalogue, finance
from stripe_magics._command import Command
from stripe_magics._text import closest_matches
from stripe_magics.errors import UnknownName, UsageFault
from stripe_magics.finance.report_table import REPORTS
from stripe_magics.magics.subcommands.subcommand import Context, ParsedFlags, Subcommand
from stripe_magics.parsing.sql_names import with_values

if TYPE_CHECKING:
    from stripe_magics.client.journal.journal_entry import Origin
    from stripe_magics.client.shared_connection import Connection

_OURS = {"out", "quiet", "cell"}
_NO_FLAGS = {"connection", "values"}  # parameters that only code gives


def report(context: Context, positional: list[Any], given: ParsedFlags) -> Any:
    given = {key: value for key, value in given.items() if key not in _OURS}
    table = bool(given.get("table"))
    if given.pop("form", False):
        from stripe_magics.magics.subcommands.report_forms import report_form

        if table:
            raise UsageFault("--table has no effect on a form. Leave one of the two out.")
        given.pop("table", None)
        return report_form(positional, given)
    if table and not positional:
        raise UsageFault("--table needs the name of a report. %stripe report lists them.")
    if table:
        context.check_table()
    if not positional:
        return finance.reports()
    return finance.report(*[str(positional[0]), *positional[1:]], **given)


def report_page(subcommand: Subcommand, name: str) -> Any:
    """The help of one report: its columns with kind and meaning, its options, the period it takes, its
    formula and their source."""
    from stripe_magics.frames.frame_info import facts_of
    from stripe_magics.magics.help_page import HelpPage, HelpSection
    from stripe_magics.magics.help_pages import subcommand_flags

    facts = finance.describe_report(name)
    known = facts_of(facts)["report"]
    by_kind = dict(iter(facts.groupby("what", sort=False)))
    intro = [facts_of(facts)["title"]]
    intro += [
        f"{what}: {row.name_} {row.meaning}".replace(":  ", ": ")
        for what in ("period", "formula", "source")
        for row in by_kind.get(what, facts.iloc[:0]).rename(columns={"name": "name_"}).itertuples()
    ]

    def rows(what: str) -> tuple[tuple[str, ...], ...]:
        some = facts[facts["what"] == what][["name", "kind", "meaning"]]
        return tuple(tuple(str(cell) for cell in row) for row in some.to_numpy().tolist())

    head = ("name", "takes", "meaning")
    parts = [
        HelpSection("Options of its own", head, rows("option")),
        HelpSection("Columns", ("column", "is", "meaning"), rows("column"), folded=True, names=True),
        subcommand_flags(subcommand, "Options of every report", folded=True),
    ]
    period = ' --month "last month"' if REPORTS[known].period == "needed" else ""
    line = f"report {known}"
    return HelpPage(f"%stripe {line}", intro, parts, f"%stripe {line}{period}", form=f"{line} --form")


def close(context: Context, positional: list[Any], given: ParsedFlags) -> Any:
    given = {key: value for key, value in given.items() if key not in _OURS}
    file = given.pop("verify", None)
    if given.pop("form", False):
        from stripe_magics.magics.subcommands.report_forms import close_form

        if file is not None:
            raise UsageFault("--verify reads a workbook again; it has no form. Leave out --form.")
        return close_form(given)
    if file is None:
        return finance.close_month(**given)
    rest = [f"--{name}" for name in given if name != "over"]
    if rest:
        raise UsageFault(f"--verify reads the period from the file; leave out {', '.join(rest)}.")
    return finance.verify_close(file, **given)


def journal(context: Context, positional: list[Any], given: ParsedFlags) -> Any:
    given = {key: value for key, value in given.items() if key not in _OURS}
    return finance.journal(format=given.pop("for", ""), **given)


def bulk_command(name: str) -> Callable[[Context, list[Any], ParsedFlags], Any]:
    def run(context: Context, positional: list[Any], given: ParsedFlags) -> Any:
        from stripe_magics import bulk

        options = {key: value for key, value in given.items() if key not in {"out", "cell"}}
        names = [str(each) for each in positional]
        if name == "sync" and (named := options.keys() & {"to", "target"}):
            # the folder by name, as `pull` has it
            folder = [str(options.pop(each)) for each in sorted(named)]
            names = [folder[0], *names]
        function = getattr(bulk, name)
        _check_flags(function, options)
        return function(*names, **options)

    return run


def _check_flags(function: Callable[..., Any], options: ParsedFlags) -> None:
    """A flag that the function doesn't know is refused by its name; one that takes its own filters (`**`)
    judges them itself."""
    taken = inspect.signature(function).parameters.values()
    if any(each.kind is each.VAR_KEYWORD for each in taken):
        return
    known = [each.name for each in taken if each.kind is each.KEYWORD_ONLY and each.name not in _NO_FLAGS]
    for name in options:
        if name not in known:
            flags = [f"--{each.replace('_', '-')}" for each in known]
            flag = f"--{name.replace('_', '-')}"
            raise UnknownName(
                "flag", flag, closest_matches(flag, flags), advice=f"It takes {', '.join(flags)}."
            )


def sql(context: Context, positional: list[Any], given: ParsedFlags) -> Any:
    from stripe_magics import bulk

    text = given.get("cell") or " ".join(str(each) for each in positional)
    if not str(text).strip():
        raise UsageFault('Which query? %%stripe sql with the query below, or %stripe sql "select ..."')
    options = {key: value for key, value in given.items() if key not in _OURS}
    _check_flags(bulk.sql, options)
    query, values = with_values(str(text), context.names())
    return bulk.sql(query, values=values, **options)


def listen(context: Context, positional: list[Any], given: ParsedFlags) -> Any:
    from stripe_magics import events

    return events.listen(*positional, **{key: value for key, value in given.items() if key not in _OURS})


def endpoints(context: Context, positional: list[Any], given: ParsedFlags) -> Any:
    from stripe_magics import events
    from stripe_magics.magics.prompt import make_prompt

    return events.endpoints(
        delete=given.get("delete", ""),
        secret_of=given.get("secret_of", ""),
        to=given.get("to", ""),
        yes=bool(given.get("yes")),
        ask=make_prompt(context.shell),
    )


def event_command(name: str) -> Callable[[Context, list[Any], ParsedFlags], Any]:
    """What lists, retries and replays the runs of handlers, by the name of its function."""

    def run(context: Context, positional: list[Any], given: ParsedFlags) -> Any:
        from stripe_magics import events

        options = {key: value for key, value in given.items() if key not in _OURS}
        return getattr(events, name)(*(str(each) for each in positional), **options)

    return run


def watches(context: Context, positional: list[Any], given: ParsedFlags) -> Any:
    from stripe_magics import events

    return events.status()


def stop(context: Context, positional: list[Any], given: ParsedFlags) -> None:
    from stripe_magics import events

    stopped = events.stop(str(positional[0]) if positional else "")
    print(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")


def handler_for(command: Command) -> Callable[..., Any] | None:
    """What serves a call in place of a request: Watch Events has its own package."""
    return _watch if catalogue.find(command.module).handler == "events" else None


def _watch(
    context: Context, command: Command, *, connection: Connection | None = None, origin: Origin | None = None
) -> Any:
    from stripe_magics import events
    from stripe_magics.magics.prompt import make_prompt

    ephemeral = bool(command.values.pop("ephemeral", False))
    sink = None
    if command.options.to:
        from stripe_magics.bulk import FrameAppender

        sink = FrameAppender(command.options.to, "event")
    return events.run(
        command,
        connection,
        ephemeral=ephemeral,
        origin=origin or context.cell.origin(),
        ask=make_prompt(context.shell),
        values=context.shell.user_ns,
        sink=sink,
    )
