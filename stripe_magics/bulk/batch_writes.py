"""`--from df`: one call a row, each at most once.

All rows are bound before the first is sent, so that a bad value in row 900 is reported before anything
happens. Each row has its position in the journal: the cell (or, without one, the module), the row's own
values and how often the same values come before it. Running the same again follows the law of a single call
(client/journal/deduplication.py): what is done is replayed, a change is made afresh. Some calls go side by
side, under the rate limits; an error is a row's result and doesn't end the others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from stripe_magics import catalogue
from stripe_magics._command import Command
from stripe_magics._form_encoding import Missing
from stripe_magics._options import Options
from stripe_magics._text import closest_matches
from stripe_magics.catalogue.field import Field, Kind, Role
from stripe_magics.catalogue.module import Effect, Module
from stripe_magics.client.call_context import carried, handler_context
from stripe_magics.client.journal import cell_origin
from stripe_magics.client.journal.journal_entry import Origin, row_digest
from stripe_magics.client.rate_limiter import limiter_for
from stripe_magics.errors import (
    ConfirmationNeeded,
    Fault,
    InvalidValue,
    NotConnected,
    OutcomeUnknown,
    RepeatRefused,
    StripeMagicsError,
    UnknownName,
    UsageFault,
)
from stripe_magics.frames.arrow_columns import text_dtype
from stripe_magics.frames.frame_info import CallInfo, FrameInfo
from stripe_magics.pipeline import check_currencies, prepare
from stripe_magics.pipeline import command as make_command
from stripe_magics.progress import progress_bar
from stripe_magics.request import Request

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.client.shared_connection import Connection

AT_ONCE = 8
RESULT = ("result", "result_id", "error", "request_id", "idempotency_key")


@dataclass(slots=True)
class _Row:
    """One row on its way."""

    position: int
    request: Request
    key: str  # the user's own; "" for one of ours
    origin: Origin
    result: str = "not sent"
    refused: bool = False  # the same call was made elsewhere
    id: str = ""
    error: str = ""
    request_id: str = ""


def write_rows(
    module: str | Command,
    frame: pd.DataFrame,
    *,
    origin: Origin | None = None,
    ask: Callable[[str], str] | None = None,
    connection: Connection | None = None,
    at_once: int = AT_ONCE,
    progress: Callable[[int, int], object] | None = None,
    quiet: bool = False,
    **values: Any,
) -> pd.DataFrame:
    """Call a module once for each row of a frame; returns the frame with the columns `result`, `result_id`,
    `error`, `request_id`, `idempotency_key`.

    Columns are fields of the module (`email`, `metadata[order]`; `id` is the id in the path); a value given
    beside the frame is the same for all rows, or, where it is a column (`$df.email`), each row's own.
    `result` is done, replayed (done by an earlier run), failed, unknown (may have been executed) or not sent.
    Raises `InvalidValue` with the faults of all rows before anything is sent, `ConfirmationNeeded` in live
    mode without a yes. Stop leaves the rest "not sent"; the same again goes on.
    """
    from stripe_magics.client.shared_connection import current

    connection = connection or current()
    requested = module if isinstance(module, Command) else make_command(module, **values)
    options = replace(requested.options, from_=None)
    target = catalogue.find(requested.module)
    if target.effect is Effect.READ:
        raise UsageFault(f"{target.name} only reads; --from is for modules that create or change something.")
    commands = list(_commands(target, requested, frame, options))
    requests = _requests(commands, connection)
    if options.dry_run:
        return _previewed(frame, requests)
    rows = _rows(requests, origin or cell_origin.origin())
    handler = handler_context(connection)
    if handler is not None:  # in order, before the pool: its threads don't know of the handler
        for row in rows:
            row.key = row.key or handler.next_key(connection.journal.by_key)
    _confirm(connection, requests, options, ask)
    limiter_for(connection)
    if progress is not None:
        stopped = _run(connection, rows, options, at_once, progress)
    else:
        with progress_bar(target.name, quiet=quiet or options.quiet, unit=" calls") as bar:
            bar.expect(len(rows))
            stopped = _run(connection, rows, options, at_once, bar)
    if stopped:
        for row in rows:
            if row.result == "not sent" and not row.refused:
                _recall(connection, row)  # not reached this time, but perhaps sent by an earlier run
    return _answer(frame, rows, target, connection, stopped=stopped)


# Rows -> requests -------------------------------------------------------------------------------------------
def _commands(module: Module, requested: Command, frame: pd.DataFrame, options: Options) -> Sequence[Command]:
    """One command a row."""
    own = {name: value for name, value in requested.values.items() if _is_column(value, frame)}
    same = {name: value for name, value in requested.values.items() if name not in own}
    columns: dict[str, Sequence[Any]] = {name: list(value) for name, value in own.items()}
    if not own:
        columns = {
            _field_of(module, str(name)): list(frame[name])
            for name in frame.columns
            if str(name) not in RESULT
        }
        twice = [name for name in columns if name in same]
        if twice:
            raise UsageFault(f"{twice[0]} is a column and a value too: leave one of them out.")
    fields = {name: module.get(name) or module.by_param(name) for name in columns}
    commands = []
    for position in range(len(frame)):
        values = {
            **same,
            **{name: _plain(column[position], fields[name]) for name, column in columns.items()},
        }
        params = [
            *requested.params,
            *((name, _text(values.pop(name))) for name in list(values) if "[" in name),
        ]
        commands.append(Command(module=module.name, values=values, params=params, options=options))
    return commands


def _is_column(value: Any, frame: pd.DataFrame) -> bool:
    """Whether a value is a column of (or as long as) the frame."""
    return hasattr(value, "iloc") and hasattr(value, "name") and len(value) == len(frame)


def _field_of(module: Module, column: str) -> str:
    """The field that a column fills: by its name, by Stripe's bracket parameter; `id` is the last id in the
    path."""
    if module.get(column) is not None:
        return column
    if "[" in column:
        return column
    if column == "id":
        path = [each for each in module.fields if each.role is Role.PATH]
        if path:
            return path[-1].name
    if module.by_param(column) is not None:
        return str(module.by_param(column).name)  # type: ignore[union-attr]

    names = [each.name for each in module.fields]
    raise UnknownName(
        f"field of {module.name} for the column",
        column,
        closest_matches(column, names, 3),
        advice=(
            "Take only the columns that are meant: --from $frame with df[['id', 'email']], or name them:"
            " --email $df.email"
        ),
    )


def _plain(value: Any, own: Field | None) -> Any:
    """A cell as Python has it: numpy's numbers are numbers, a whole float is a whole number. Money stays a
    float, and is refused.

    A blank cell is missing, and refused by its field's name: without its amount a partial refund would become
    a whole one.
    """
    if isinstance(value, str) and not value.strip():
        return Missing("a blank cell")
    scalar = hasattr(value, "item") and not hasattr(value, "tzinfo") and not getattr(value, "ndim", 0)
    value = value.item() if scalar else value
    if own is not None and own.kind is Kind.MINOR_AMOUNT:
        return value
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def _text(value: Any) -> Any:
    """A scalar under a bracket parameter as Stripe writes it; a missing or inexact number is left for
    `validation` to refuse."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(value) if abs(value) < 2**53 else value  # NaN is not less
    return str(value) if isinstance(value, int) else value


def _requests(commands: Sequence[Command], connection: Connection) -> list[Request]:
    """All requests, or `InvalidValue` with the faults of all rows."""
    faults: list[Fault] = []
    requests: list[Request] = []
    bad = 0
    for number, each in enumerate(commands, start=1):
        try:
            requests.append(prepare(each, connection=connection))
        except InvalidValue as problem:
            bad += 1
            faults.extend(
                replace(fault, problem=f"row {number}: {fault.problem}") for fault in problem.faults
            )
    if faults:
        summary = f"Nothing was sent: {bad:,} of {len(commands):,} rows can't be sent."
        raise InvalidValue(faults, module=commands[0].module, summary=summary)
    return requests


def _rows(requests: Sequence[Request], origin: Origin | None) -> list[_Row]:
    """Each with its position: the same for the same row of the same cell, however often it is run and
    whatever stands around it.

    A create has a key made from its position, so that Stripe knows it even if this machine's journal is lost.
    A change has none: it is made afresh, since another one may have been made in between.
    """
    seen: dict[str, int] = {}
    rows = []
    for number, request in enumerate(requests):
        cell = (origin.cell or origin.digest) if origin else ""
        body = repr(
            (
                cell,
                request.module,
                request.method,
                request.path,
                request.params,
                request.json,
                request.headers,
            )
        )
        digest = hashlib.sha256(body.encode()).hexdigest()[:40]
        nth = seen[digest] = seen.get(digest, 0) + 1
        own = f"{request.idempotency_key}-{number}" if request.idempotency_key else ""
        rows.append(
            _Row(
                number,
                replace(request, idempotency_key=""),
                own,
                Origin(
                    cell=origin.cell if origin else "",
                    digest=row_digest(digest),
                    ordinal=number + 1,
                    run=origin.run if origin else 0,
                    nth=nth,
                    key=f"row-{digest}-{nth}" if request.effect is not Effect.UPDATE else "",
                ),
            )
        )
    return rows


def _confirm(
    connection: Connection, requests: Sequence[Request], options: Options, ask: Callable[[str], str] | None
) -> None:
    """In live mode a person says yes once for all rows, by their number; the guard's own question for a
    single call is then answered."""
    if not connection.live or options.yes or not requests:
        return
    from stripe_magics.client import live_mode

    total = len(requests)
    what = (
        f"{live_mode.describe(connection, requests[0])}, and {total - 1:,} more"
        if total > 1
        else live_mode.describe(connection, requests[0])
    )
    if ask is None:
        raise ConfirmationNeeded(
            f"{what}: this needs confirmation, but no one is here to confirm. Nothing was sent.",
            advice="--yes allows it.",
        )
    if str(ask(f"{what}. To send {total:,} calls in LIVE mode, type {total}: ")).strip().replace(
        ",", ""
    ) != str(total):
        raise ConfirmationNeeded(f"{what}: not confirmed. Nothing was sent.")


# Sending ----------------------------------------------------------------------------------------------------
def _run(
    connection: Connection,
    rows: Sequence[_Row],
    options: Options,
    at_once: int,
    bar: Callable[[int, int], object],
) -> bool:
    """Send all, some at a time; True if Stop was pressed. A row that is on its way is waited for: its end
    must be known."""
    todo = iter(rows)
    running: dict[Future[None], _Row] = {}
    ended, stopped = 0, False
    with ThreadPoolExecutor(at_once, thread_name_prefix="stripe-row") as pool:
        while True:
            while not stopped and len(running) < at_once and (row := next(todo, None)) is not None:
                # the thread acts for the handler, and on the account, of the code that called
                running[pool.submit(carried(_send), connection, row, again=options.again)] = row
            if not running:
                return stopped
            try:
                done, _ = wait(running, timeout=0.25, return_when=FIRST_COMPLETED)
            except KeyboardInterrupt:
                stopped = True
                continue
            for future in done:
                row = running.pop(future)
                problem = future.exception()
                if problem is not None:
                    row.result, row.error = "failed", f"{type(problem).__name__}: {problem}"
                    _recall(connection, row)
                ended += 1
                try:
                    bar(ended, 0)
                except KeyboardInterrupt:  # a progress of one's own says Stop so
                    stopped = True


def _send(connection: Connection, row: _Row, *, again: bool) -> None:
    """One row, and the calls that follow it, through the connection's whole law.

    What failed now may have been done before: `failed` is said only of what the journal doesn't know better.
    """
    own = row.key
    try:
        check_currencies(connection, row.request)
        for step, request in enumerate((row.request, *row.request.follow_ups)):
            key = f"{own}-{step}" if own and step else own
            answer = connection.send(
                request,
                origin=row.origin.step(step),
                idempotency_key=key if request.method == "POST" else "",
                again=again,
                yes=True,
            )
            if not step:
                row.result = "replayed" if answer.replayed else "done"
                row.id, row.request_id = str(answer.data.get("id") or ""), answer.request_id
                row.key = answer.idempotency_key
    except OutcomeUnknown as problem:
        row.result, row.error = "unknown", str(problem)
        row.request_id = str(problem.details.request_id)
    except InvalidValue as problem:
        row.result, row.error = "failed", " ".join(str(each) for each in problem.faults)
    except RepeatRefused as problem:  # by another cell, or by another kernel at this moment
        row.result, row.error, row.refused = "not sent", str(problem).replace("\n", " "), True
        row.id = str(problem.__dict__.get("result") or "")
    except NotConnected as problem:  # the connection was closed meanwhile: its key is forgotten
        row.result, row.error = "not sent", f"{problem.brief} {problem.advice}"
    except StripeMagicsError as problem:
        row.result, row.error = "failed", problem.brief + (f" {problem.advice}" if problem.advice else "")
        row.request_id = str(getattr(getattr(problem, "details", None), "request_id", "") or "")
    if row.result not in {"done", "replayed"}:
        _recall(connection, row)


def _recall(connection: Connection, row: _Row) -> None:
    """What the journal knows of a row whose call of now failed: done before, or perhaps done."""
    try:
        known = connection.recorded(row.request, row.origin, row.key)
    except StripeMagicsError:  # no journal can be read: then nothing was sent either, and the error says so
        return
    if known is None:
        return
    row.key = known.key
    if known.state == "done":
        row.result, row.id, row.refused = "replayed", known.result, False
    elif not known.resolved:
        row.result = "unknown"


def _answer(
    frame: pd.DataFrame, rows: Sequence[_Row], module: Module, connection: Connection, *, stopped: bool
) -> pd.DataFrame:
    import pandas as pd

    out = frame.drop(columns=[name for name in RESULT if name in frame]).copy()
    states = ["done", "replayed", "failed", "unknown", "not sent"]
    out["result"] = pd.Categorical([row.result for row in rows], categories=states)
    for name, values in (
        ("result_id", [row.id or None for row in rows]),
        ("error", [row.error or None for row in rows]),
        ("request_id", [row.request_id or None for row in rows]),
        ("idempotency_key", [row.key or row.origin.key or None for row in rows]),
    ):
        out[name] = pd.Series(values, index=out.index, dtype=text_dtype())
    counts: Mapping[str, int] = {state: sum(row.result == state for row in rows) for state in states}
    counted = ", ".join(f"{count:,} {state}" for state, count in counts.items() if count)
    notes = [f"{len(rows):,} rows: {counted or 'nothing to do'}."]
    refused = sum(row.refused for row in rows)
    if refused:
        notes.append(
            f"{refused:,} ran before in another cell, or are being sent by another kernel: see `error`."
        )
    if stopped or counts["not sent"] > refused:
        notes.append("Stopped. Run the same again to go on: no row is carried out twice.")
    if counts["unknown"]:
        notes.append(
            "Of an unknown row it isn't known whether it was carried out: run the same again within 23 hours"
            " (it can't act twice)."
        )
    info = FrameInfo.of(frame).replace(
        object=module.object, mode=connection.mode, complete=counts["done"] + counts["replayed"] == len(rows)
    )
    return info.put(out, CallInfo(module=module.name, notes=notes))


def _previewed(frame: pd.DataFrame, requests: Sequence[Request]) -> pd.DataFrame:
    """A dry run: what each row would send."""
    out = frame.copy()
    out["request"] = [
        f"{each.method} {each.path} " + "&".join(f"{name}={value}" for name, value in each.params)
        for each in requests
    ]
    info = FrameInfo(object="request", complete=True)
    return info.put(out, CallInfo(notes=["A dry run: nothing was sent."]))


__all__ = ["write_rows"]
