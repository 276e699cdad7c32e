"""`python -m stripe_magics LINE`: any line of `%stripe` outside of a notebook, for cron and CI.

- The line goes through the magic itself, so grammar, law and errors are the same; a line break separates a
  line from its cell's body.
- The answer goes to standard output (or into a file), everything that is said of it to standard error, a
  progress bar only to a terminal.
- Nothing that needs a notebook is taken: forms, `--out` (line_runner.py). A line has no cell, so it follows
  the law of scripts: a write that is done is made again when the line runs again, one with an unknown outcome
  is refused. `--idempotency KEY` makes a write once, however often it runs.
- The exit code says how it ended (`CODES`).
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import FrameType
from typing import Any, NoReturn

from stripe_magics import _locale, progress, standard_streams
from stripe_magics._redaction import KEY_HIDDEN, redact
from stripe_magics.command_output import FORMATS, Output, is_complete, row_results
from stripe_magics.errors import (
    FileError,
    IncompleteList,
    NotConnected,
    OutcomeUnknown,
    StripeMagicsError,
    UsageFault,
)

DONE, FAILED, USAGE, UNKNOWN, INCOMPLETE = 0, 1, 2, 3, 4
CODES = {
    DONE: "done",
    FAILED: "refused or failed; the message says whether money moved",
    USAGE: "the line or a flag can't be read; nothing was sent",
    UNKNOWN: 'the outcome of a write is unknown: "pending", then "resume N" or "reconcile N"',
    INCOMPLETE: "rows are missing: a default limit, a stop, a fault; what there is was written",
}
_EXAMPLES = """examples:
  python -m stripe_magics "customers list --limit 5" --sandbox
  python -m stripe_magics "report balance_summary --month 2026-09" --env STRIPE_API_KEY --csv september.csv
  python -m stripe_magics "refunds list --limit all" --env STRIPE_API_KEY --json > refunds.json
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one line; the exit code."""
    standard_streams.fill_closed()
    given = make_parser().parse_args(arguments)
    given.line = standard_streams.as_utf8(given.line)
    bars = contextlib.nullcontext() if sys.stderr.isatty() else progress.hidden_bars()
    try:
        with bars, _stop_on_termination():
            return _run(given)
    except StripeMagicsError as error:
        _print_to_stderr(_for_terminal(error, connected=_connects(given)))
        return _code(error, connected=_connects(given))
    except KeyboardInterrupt:
        # a stop inside of code that was a string (a dataclass is) would make Python end by SIGINT later on,
        # whatever the exit code: running another one clears that
        exec("")  # noqa: S102
        _print_to_stderr(
            'Stopped. Writes had been sent; "pending" lists those with an unknown outcome.'
            if _writes()
            else "Stopped. Nothing was changed at Stripe."
        )
        return INCOMPLETE
    finally:
        _locale.set_locale("")


class _Parser(argparse.ArgumentParser):
    """What it says of an argument goes into logs, so a key in it is hidden."""

    def error(self, message: str) -> NoReturn:
        hidden = redact(message)
        if message.endswith("required: LINE"):
            hidden += " (it comes first: what follows --csv or --json is its FILE)"
        if KEY_HIDDEN in hidden:
            hidden += (
                "\nThere is a key among the arguments: other programs can read them, so roll it at Stripe."
            )
        super().error(hidden)


def _rate(text: str) -> float | str:
    """An argument that is a rate; an empty one is refused with the others that are."""
    if not text.strip():
        return text
    try:
        rate = float(text)
    except ValueError:
        rate = 0
    if not rate > 0:
        raise argparse.ArgumentTypeError("it must be more than 0 requests per second")
    return rate


def _zone(text: str) -> str:
    from stripe_magics.client.shared_connection import time_zone

    try:
        time_zone(text.strip())
    except NotConnected as problem:
        raise argparse.ArgumentTypeError(problem.message) from None
    return text


def _version(text: str) -> str:
    from stripe_magics.validation import urls_and_headers

    try:
        return urls_and_headers.version(text) if text.strip() else text
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None


def make_parser() -> argparse.ArgumentParser:
    """Its help is a page of the site, too."""
    parser = _Parser(
        prog="python -m stripe_magics",
        description='Run one line of %stripe outside of a notebook. "help" shows all lines.',
        epilog=_EXAMPLES + "\nexit codes:\n" + "\n".join(f"  {code}  {text}" for code, text in CODES.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "line",
        metavar="LINE",
        help="in quotes, as after %%stripe; further lines are the body; - reads it all",
    )
    where = parser.add_argument_group("connection").add_mutually_exclusive_group()
    where.add_argument("--sandbox", action="store_true", help="an account that needs no key and no network")
    where.add_argument("--env", metavar="NAME", help="the environment variable that holds the key")
    where.add_argument("--profile", metavar="NAME", help="a profile of the Stripe CLI")
    more = parser.add_argument_group("more about the connection")
    more.add_argument("--name", metavar="NAME", help="the keyring's entry")
    more.add_argument("--account", metavar="ID", help="act for this connected account")
    more.add_argument("--api-version", metavar="V", type=_version, help="another Stripe-Version")
    more.add_argument("--api-base", metavar="URL", help="this machine, for tests")
    more.add_argument(
        "--zone", metavar="ZONE", type=_zone, help='the time zone of dates, "Europe/Berlin" (UTC)'
    )
    more.add_argument("--rate", metavar="N", type=_rate, help="requests per second")
    form = parser.add_argument_group("output").add_mutually_exclusive_group()
    for name, about in FORMATS.items():
        file = {"metavar": "FILE"} if about.needs_file else {"metavar": "FILE", "nargs": "?", "const": "-"}
        form.add_argument(f"--{name}", help=about.help, **file)  # type: ignore[arg-type]
    people = parser.add_argument_group("for people")
    people.add_argument(
        "--locale",
        metavar="LANGUAGE",
        help="how text and workbooks write amounts, numbers and dates: de, fr, en_GB ... (needs Babel)",
    )
    return parser


_CONNECTION = ("sandbox", "env", "profile", "name", "account", "api_version", "api_base", "zone", "rate")
_SOURCES = ("sandbox", "env", "profile", "name")


def _connects(given: argparse.Namespace) -> bool:
    return any(getattr(given, each) not in {None, False} for each in _SOURCES)


def _given(given: argparse.Namespace, names: Iterable[str]) -> dict[str, Any]:
    """The flags among these that were given. Raises `UsageFault` for one without a value: a variable that is
    empty must not become another account."""
    found = {name: getattr(given, name) for name in names}
    found = {name: value for name, value in found.items() if value is not None and value is not False}
    for name, value in found.items():
        if isinstance(value, str) and not value.strip():
            raise UsageFault(f"--{name.replace('_', '-')} was given without a value. Nothing was sent.")
    return found


def _run(given: argparse.Namespace) -> int:
    text = standard_streams.read() if given.line == "-" else given.line
    line, _, body = text.strip().partition("\n")
    line = line.removeprefix("%%stripe").removeprefix("%stripe").strip()
    if not line:
        raise UsageFault("Which line?", advice='For example: python -m stripe_magics "help"')
    if any(each.startswith(("%stripe", "%%stripe")) for each in body.splitlines()):
        raise UsageFault(
            "There is more than one line of %stripe, and one is run at a time. Nothing was sent.",
            advice="What follows the first line is its body: `field: value`.",
        )
    output = Output.of({name: getattr(given, name) for name in FORMATS})
    output.check()
    for locale in _given(given, ["locale"]).values():
        _set_locale(locale, line, output)
    from stripe_magics.client.shared_connection import connect
    from stripe_magics.line_runner import LineRunner

    with contextlib.redirect_stdout(sys.stderr):  # what the magic says beside its answer
        options = _given(given, _CONNECTION)
        if given.sandbox and "api_base" in options:
            raise UsageFault("--api-base goes with a key, not with --sandbox. Nothing was sent.")
        if _connects(given):
            connect(**options)
        elif options:
            flag = next(iter(options)).replace("_", "-")
            raise UsageFault(f"--{flag} goes with a connection: add --sandbox, --env NAME or --profile NAME.")
        runner = LineRunner(line)
        answer, fault = _answer(runner, line, body or None)
        watch = _finish_watch(answer, streams=output.format in {"", "json"})
    if watch is not None:
        if output.format in {"csv", "xlsx"}:
            output.write(answer.frame)
        return watch
    if answer is not None:
        try:
            notes = output.write(answer)
        except FileError as problem:
            raise _answer_lost(problem, answer, made=_writes() > 0) from problem
        for note in notes:
            _print_to_stderr(note)
    if fault is not None:
        raise fault
    return row_results(answer, failed=FAILED, unknown=UNKNOWN) or (
        DONE if is_complete(answer, runner.limit) else INCOMPLETE
    )


def _set_locale(name: str, line: str, output: Output) -> None:
    """Numbers and dates for people. Raises `UsageFault` where nothing for people would be written."""
    if output.format in {"csv", "json"} and " --to" not in line:
        raise UsageFault(
            f"--locale is for text and workbooks; {output.format.upper()} keeps values. Nothing was sent.",
            advice="Leave it out, or write --xlsx FILE.",
        )
    _locale.set_locale(name)


def _writes() -> int:
    """How many writes this process has sent, by whichever line: a call, a resumed one, an endpoint's end."""
    loaded = sys.modules.get("stripe_magics.client.shared_connection")
    shared = getattr(loaded, "shared", None)  # not there where a stop came while it was imported
    connection = shared() if shared is not None else None
    return connection.writes if connection is not None else 0


def _answer_lost(problem: FileError, answer: Any, *, made: bool) -> FileError:
    """What is to be done when all went well but the writing down: a write is not made a second time."""
    if not made:
        return FileError(
            f"{problem.message} Nothing was changed at Stripe.", advice="Mend that, then run the same again."
        )
    ids = [str(each) for each in answer["id"]] if "id" in getattr(answer, "columns", ()) else []
    named = f" What it gave: {', '.join(ids[:20])}{' ...' if len(ids) > 20 else ''}." if ids else ""
    return FileError(
        f"{problem.message} The call itself was made.{named}",
        advice="Don't run the line again: it would be made again. Read what it gave instead.",
    )


def _answer(runner: Any, line: str, body: str | None) -> tuple[Any, StripeMagicsError | None]:
    """What the line gives, and what ended it early."""
    try:
        return runner.run(line, body), None
    except IncompleteList as stop:
        if stop.frame is None:
            raise
        return stop.frame, stop


def _is_watch(answer: object) -> bool:
    """Whether it is a watch, without importing what watches are made of."""
    parts = (("event_watch", "Watch"), ("accounts_watch", "AccountsWatch"))
    modules = [(sys.modules.get(f"stripe_magics.events.{part}"), name) for part, name in parts]
    return isinstance(answer, tuple(getattr(module, name) for module, name in modules if module is not None))


def _finish_watch(answer: Any, *, streams: bool) -> int | None:
    """A watch goes on until it ends or is stopped, each event a line of JSON; None if it is no watch."""
    if not _is_watch(answer):
        return None
    import json

    try:
        _print_to_stderr("Watching. Ctrl-C or SIGTERM ends it.")
        for event in answer:
            if streams and not standard_streams.write(json.dumps(event), plain=False, stream=sys.__stdout__):
                answer.stop()  # nobody reads any more
    except KeyboardInterrupt:
        answer.stop()
    for note in answer.notes:
        _print_to_stderr(note)
    _print_to_stderr(f"The watch {answer.state}.")
    return DONE if answer.state == "stopped" or answer.state.startswith("ended after") else FAILED


_TERMINATE = [getattr(signal, each) for each in ("SIGTERM", "SIGHUP") if hasattr(signal, each)]


@contextlib.contextmanager
def _stop_on_termination() -> Iterator[None]:
    """SIGTERM (systemd, a container, a time limit) and SIGHUP (a terminal that is closed) stop as Ctrl-C
    does: the journal knows what was on its way."""

    def stop(number: int, frame: FrameType | None) -> None:
        handler = signal.getsignal(signal.SIGINT)  # waits for the end of an import, or of a part of a file
        if callable(handler):
            handler(number, frame)

    def ignore_interrupt(number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGINT:
            raise KeyboardInterrupt

    # what was started to be left alone by one (nohup, a job in the background) stays so
    ignored = [each for each in (signal.SIGINT, *_TERMINATE) if signal.getsignal(each) is signal.SIG_IGN]
    handlers: dict[int, Callable[[int, FrameType | None], None]]
    handlers = {each: stop for each in _TERMINATE if each not in ignored}
    if signal.SIGINT in ignored:
        handlers[signal.SIGINT] = ignore_interrupt
    before = {each: signal.signal(each, handler) for each, handler in handlers.items()}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def ignore_stops() -> None:
    """All is done and said: what comes while the process ends doesn't change its exit code."""
    for each in (signal.SIGINT, *_TERMINATE):
        signal.signal(each, signal.SIG_IGN)


def _code(error: StripeMagicsError, *, connected: bool) -> int:
    if isinstance(error, OutcomeUnknown):
        return UNKNOWN
    if isinstance(error, IncompleteList):
        return INCOMPLETE
    if isinstance(error, UsageFault) or (isinstance(error, NotConnected) and not connected):
        return USAGE
    return FAILED


def _for_terminal(error: StripeMagicsError, *, connected: bool) -> str:
    from stripe_magics.client.credentials import ADVICE

    if isinstance(error, NotConnected) and not connected:
        return (
            "NotConnected: This line needs a connection. Nothing was sent.\nAdd --sandbox, --env NAME or"
            " --profile NAME."
        )
    if error.advice == ADVICE:  # the notebook's ways
        error.advice = (
            "A key comes from an environment variable (--env NAME), the Stripe CLI's login (--profile NAME)"
            " or the keyring (--name NAME). Without any: --sandbox"
        )
    return f"{type(error).__name__}: {error}"


def _print_to_stderr(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
