"""The subcommands of `%stripe`, which are no module of Stripe's: `connect`, `status`, `sandbox advance` ...
One table, one function each.

Each function gets the magic (its shell, history and cell), the values without a flag and those with one, and
imports what it needs when it is used.
"""

from __future__ import annotations

import re
from typing import Any

from stripe_magics import catalogue
from stripe_magics.errors import UsageFault
from stripe_magics.magics import settings
from stripe_magics.magics.subcommands import connection, data, sandbox, session
from stripe_magics.magics.subcommands.subcommand import Context, Invocation, ParsedFlags, Subcommand
from stripe_magics.parsing.lexer import Word, split

_CONNECT = {"sandbox": "flag", "empty": "flag", "today": "flag", "env": "text", "profile": "text",
            "name": "text", "account": "text", "api_version": "text",
            "api_base": "text", "rate": "text", "zone": "text"}  # fmt: skip
_LISTEN = {
    "group": "list",
    "events": "list",
    "env": "text",
    "host": "list",
    "port": "text",
    "path": "text",
    "live": "flag",
    "connect": "flag",
    "alert": "list",
    "notify": "flag",
    "minutes": "text",
    "stop": "flag",
}


def _help(context: Context, positional: list[Any], given: ParsedFlags) -> Any:
    from stripe_magics.magics.help_pages import overview, page, subcommand_page

    if not positional:
        return overview(SUBCOMMANDS)
    words = [str(each) for each in positional]
    subcommand = SUBCOMMANDS.get(tuple(words[:2])) or SUBCOMMANDS.get(tuple(words[:1]))
    if subcommand is None:
        return page(" ".join(words))
    return subcommand_page(subcommand, subcommand.now(context) if subcommand.now is not None else {})


_SPAN = {"month": "text", "quarter": "text", "year": "text", "tz": "text", "over": "text", "map": "text"}

_ALL = [
    Subcommand(
        ("connect",),
        connection.connect,
        "Connect: the form; --sandbox for an account that needs no key; --env NAME for a key from the"
        " environment.",
        _CONNECT,
        example="%stripe connect --sandbox",
    ),
    Subcommand(
        ("status",),
        connection.status,
        "Which account, which mode, which version of the API. Never the key.",
        example="%stripe status",
    ),
    Subcommand(
        ("today",),
        session.today,
        "Today's page: balance, payments, disputes, past-due invoices, failed payouts.",
    ),
    Subcommand(("disconnect",), connection.disconnect, "Close the connection and forget its key."),
    Subcommand(
        ("modules",),
        session.modules,
        "All modules as a DataFrame; `modules customers` those of one resource.",
        {"documented": "flag"},
        1,
        "[RESOURCE]",
        example="%stripe modules customers",
    ),
    Subcommand(
        ("find",),
        session.find,
        "Search commands and fields.",
        {},
        20,
        "WORDS",
        example="%stripe find give money back",
    ),
    Subcommand(
        ("help",),
        _help,
        "Show this overview, or the fields of a command: %stripe help payment_intents create.",
        {},
        6,
        "[MODULE]",
        example="%stripe help payment_intents create",
    ),
    Subcommand(("history",), session.history, "What this kernel called, as a DataFrame."),
    Subcommand(
        ("script",),
        session.script,
        "The session as a Python script; into a file with a name.",
        {"yes": "flag"},
        1,
        "[FILE]",
        example="%stripe script session.py",
    ),
    Subcommand(("pending",), connection.pending, "Writes with an unknown outcome."),
    Subcommand(
        ("resume",),
        connection.resume,
        "Retry an unresolved write with its original idempotency key (safe: it can't run twice).",
        {},
        1,
        "N",
        example="%stripe resume 1",
    ),
    Subcommand(
        ("reconcile",),
        connection.reconcile,
        "Check whether an unresolved write went through.",
        {},
        1,
        "N",
        example="%stripe reconcile 1",
    ),
    Subcommand(
        ("live",),
        connection.live,
        "Live mode: on (asks), off, or allow N for a loop of many writes.",
        {},
        2,
        "on|off|allow N",
        example="%stripe live on",
    ),
    Subcommand(
        ("config",),
        session.config,
        "Settings of the magics; `config --max-rows 100` changes one.",
        dict.fromkeys(settings.TRAITS, "text"),
        example="%stripe config --max-rows 100",
        now=settings.written,
    ),
    Subcommand(
        ("sandbox", "advance"),
        sandbox.advance,
        "Move the sandbox's clock: funds become available, payouts arrive.",
        {},
        4,
        "3d",
        example="%stripe sandbox advance 3d",
    ),
    Subcommand(
        ("sandbox", "coverage"),
        sandbox.coverage,
        "Which operations the sandbox simulates, and which it answers by shape only.",
    ),
    Subcommand(("sandbox", "reset"), sandbox.reset, "The sandbox as it was when it was opened."),
    Subcommand(
        ("sandbox", "save"),
        sandbox.save,
        "Write the sandbox into a file.",
        {},
        1,
        "FILE",
        example="%stripe sandbox save shop.json",
    ),
    Subcommand(
        ("sandbox", "load"),
        sandbox.load,
        "Read the sandbox from a file.",
        {},
        1,
        "FILE",
        example="%stripe sandbox load shop.json",
    ),
    Subcommand(
        ("report",),
        data.report,
        "Finance reports; without a name their list, with NAME --help what one says, with --form as a form,"
        " with --table to sort and filter.",
        {
            "month": "text",
            "quarter": "text",
            "year": "text",
            "period": "text",
            "start": "text",
            "end": "text",
            "tz": "text",
            "over": "text",
            "fresh": "flag",
            "form": "flag",
            "table": "flag",
            "compare": "flag",
            "currency": "text",
            "check": "text",
            "**": "text",
        },
        3,
        "[NAME [START END]]",
        page=data.report_page,
        example="%stripe report balance_summary --month 2026-09",
    ),
    Subcommand(
        ("close",),
        data.close,
        "Close a month: every proof as a checklist; --to close.xlsx writes the workbook, --verify FILE says"
        " what changed since, --form opens the form.",
        {
            **_SPAN,
            "to": "text",
            "who": "text",
            "strict": "flag",
            "fresh": "flag",
            "verify": "text",
            "form": "flag",
        },
        example="%stripe close --month 2026-09 --to close.xlsx",
    ),
    Subcommand(
        ("journal",),
        data.journal,
        "The double-entry journal of a month; --for datev, xero, quickbooks or csv writes it for that"
        " program.",
        {**_SPAN, "for": "text", "to": "text", "detail": "flag"},
        example="%stripe journal --month 2026-09 --for csv",
    ),
    Subcommand(
        ("pull",),
        data.bulk_command("pull"),
        "Whole lists, side by side; --to FOLDER writes Parquet. Any filter of the lists may be given, too.",
        {
            "to": "text",
            "columns": "text",
            "limit": "text",
            "accounts": "text",
            "engine": "text",
            "**": "text",
        },
        40,
        "RESOURCE ...",
        example="%stripe pull customers payment_intents --to pulled",
    ),
    Subcommand(
        ("sync",),
        data.bulk_command("sync"),
        "Bring a folder with a copy of the lists up to date; --whole reads all again, --status only looks,"
        " --verify reads every file, --repair reads again what is missing, --compact makes plain data sets"
        " for pandas or Spark, --export FILE.duckdb writes it as one file.",
        {
            "status": "flag",
            "whole": "flag",
            "verify": "flag",
            "repair": "flag",
            "compact": "flag",
            "export": "text",
            "**": "text",
        },
        40,
        "FOLDER RESOURCE ...",
        example="%stripe sync mirror customers invoices",
    ),
    Subcommand(
        ("sql",),
        data.sql,
        "SQL over a folder that %stripe sync keeps.",
        {"target": "text", "**": "text"},
        50,
        "QUERY",
        body=True,
        names_in_values=True,
        example='%stripe sql "select count(*) from customers"',
    ),
    Subcommand(
        ("events", "listen"),
        data.listen,
        "Receive events on this machine, from Stripe's command line tool.",
        _LISTEN,
        6,
        "[GROUP]",
        example="%stripe events listen charge refund",
    ),
    Subcommand(
        ("listen",), data.listen, "The same.", _LISTEN, 6, "[GROUP]", example="%stripe listen charge refund"
    ),
    Subcommand(("events", "status"), data.watches, "The watches of this kernel; `events watch` starts one."),
    Subcommand(
        ("events", "stop"), data.stop, "Stop a watch, or all.", {}, 1, "[NAME]", example="%stripe events stop"
    ),
    Subcommand(
        ("events", "endpoints"),
        data.endpoints,
        "The webhook endpoints of the account.",
        {"delete": "text", "secret_of": "text", "to": "text", "yes": "flag"},
        example="%stripe events endpoints",
    ),
    Subcommand(
        ("events", "handlers"),
        data.event_command("handlers"),
        "The functions that are called with events, and how they went.",
        {"stripe_account": "text"},
    ),
    Subcommand(
        ("events", "failed"),
        data.event_command("failed"),
        "Events on which a handler failed, with the error.",
        {"stripe_account": "text"},
    ),
    Subcommand(
        ("events", "history"),
        data.event_command("history"),
        "What handlers did in the last 30 days.",
        {"state": "text", "stripe_account": "text"},
        example="%stripe events history --state failed",
    ),
    Subcommand(
        ("events", "retry"),
        data.event_command("retry"),
        "Give failed events to their handlers again. A write that went through isn't made twice.",
        {"handler": "text", "stripe_account": "text"},
        1,
        "[EVENT]",
        example="%stripe events retry",
    ),
    Subcommand(
        ("events", "replay"),
        data.event_command("replay"),
        "Give an event, or all since a moment, to the handlers again. A write that went through isn't made"
        " twice.",
        {"since": "text", "handler": "text", "stripe_account": "text"},
        1,
        "[EVENT]",
        example="%stripe events replay --since 2h",
    ),
    Subcommand(
        ("events", "digest"),
        data.event_command("digest"),
        "What happened since a moment, by type and currency.",
        {"since": "text", "stripe_account": "text"},
        example="%stripe events digest --since 24h",
    ),
]
SUBCOMMANDS: dict[tuple[str, ...], Subcommand] = {subcommand.words: subcommand for subcommand in _ALL}
_FIRST = {subcommand.words[0] for subcommand in _ALL}


def find(line: str) -> Invocation | None:
    """The subcommand that a line begins with, or None."""
    first = re.match(r"\s*([A-Za-z]+)", line)
    if first is None or first[1] not in _FIRST:
        return None
    words = split(line)
    for count in (2, 1):
        subcommand = SUBCOMMANDS.get(
            tuple(
                word.text.rstrip("?;") if at == count - 1 else word.text
                for at, word in enumerate(words[:count])
            )
        )
        if subcommand is not None and len(words) >= count:
            tail = [Word.plain("--help")] if words[count - 1].text.endswith("?") else []
            tail += [Word.plain(";")] if words[count - 1].text.endswith(";") else []
            return Invocation(subcommand, words[count:] + tail)
    further = [
        subcommand.words[1]
        for subcommand in _ALL
        if subcommand.words[0] == words[0].text and len(subcommand.words) > 1
    ]
    if further and first[1] not in catalogue.actions_by_resource():
        raise UsageFault(
            f"Which action? {first[1]} has: {', '.join(further)}.", advice="`%stripe help` shows them all."
        )
    return None
