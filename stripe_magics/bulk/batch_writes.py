"""`--from df`: one call a row, each at most once.

All rows are bound before the first is sent, so that a bad value in row 900 is reported before anything
happens. Each row has its position in the journal: the cell (or, without one, the module), the row's own
values and how often the same values come before it. Running the same again follows the law of a single call
(client/journal/deduplication.py): what is done is replayed, a change is made afresh. Some calls go side by
side, under the rate limits; an error is a row's result and doesn't end the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stripe_magics import catalogue
from stripe_magics._call_run import check_currencies
from stripe_magics._command import Command
from stripe_magics._options import Options
from stripe_magics.bulk.batch_rows import RESULT, RowCall, row_calls, row_commands, row_requests
from stripe_magics.catalogue.module import Effect, Module
from stripe_magics.client.call_context import carried, handler_context
from stripe_magics.client.journal import cell_origin
from stripe_magics.client.journal.journal_entry import Origin
from stripe_magics.client.rate_limiter import limiter_for
from stripe_magics.errors import (
    ConfirmationNeeded,
    InvalidValue,
    NotConnected,
    OutcomeUnknown,
    RepeatRefused,
    StripeMagicsError,
    UsageFault,
)
from stripe_magics.frames.frame_info import CallInfo, FrameInfo
from stripe_magics.frames.pandas_columns import text_dtype
from stripe_magics.pipeline import command as make_command
from stripe_magics.progress import progress_bar
from stripe_magics.request import Request

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.client.shared_connection import Connection

AT_ONCE = 8


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
    Raises `InvalidValue` with the faults of all rows before anything is sent, `UsageFault` for a module
    that only reads, `ConfirmationNeeded` in live mode without a yes. Stop leaves the rest "not sent"; the
    same again goes on.
    """
    from stripe_magics.client.shared_connection import current

    connection = connection or current()
    requested = module if isinstance(module, Command) else make_command(module, **values)
    options = replace(requested.options, from_=None)
    target = catalogue.find(requested.module)
    if target.effect is Effect.READ:
        raise UsageFault(f"{target.name} only reads; --from is for modules that create or change something.")
    commands = list(row_commands(target, requested, frame, options))
    requests = row_requests(commands, connection)
    if options.dry_run:
        return _previewed(frame, requests)
    rows = row_calls(requests, origin or cell_origin.origin())
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
    rows: Sequence[RowCall],
    options: Options,
    at_once: int,
    bar: Callable[[int, int], object],
) -> bool:
    """Send all, some at a time; True if Stop was pressed. A row that is on its way is waited for: its end
    must be known."""
    todo = iter(rows)
    running: dict[Future[None], RowCall] = {}
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


def _send(connection: Connection, row: RowCall, *, again: bool) -> None:
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


def _recall(connection: Connection, row: RowCall) -> None:
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
    frame: pd.DataFrame, rows: Sequence[RowCall], module: Module, connection: Connection, *, stopped: bool
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
