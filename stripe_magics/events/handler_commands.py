"""Handlers and what they have done, for a line and for Python: register, list, retry, replay, history.

on("invoice.paid", handler)  a handler for every watch of the connection
handlers()                   what is registered, how it goes       %stripe events handlers
failed()                     events on which a handler failed      %stripe events failed
retry("evt_1")               failed events to their handlers again %stripe events retry [EVENT]
replay("evt_1", since="3d")  events that were handled, once more   %stripe events replay EVENT | --since 3d
history()                    every run of every handler
digest(since="yesterday")    what happened, by type and currency   %stripe events digest --since yesterday
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from stripe_magics._json import JsonObject
from stripe_magics.client.shared_connection import current
from stripe_magics.errors import UsageFault
from stripe_magics.events.account_events import AccountEvents, events_of
from stripe_magics.events.event_rows import amount_of, customer_of
from stripe_magics.events.handlers import SOURCE_END, Handler
from stripe_magics.events.moments import moment
from stripe_magics.events.value_filter import value_filter

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.client.shared_connection import Connection
    from stripe_magics.events.run_log import Run

_TIME = "datetime64[us, UTC]"
_RUN_COLUMNS = {
    "event": "str",
    "type": "str",
    "handler": "str",
    "state": "str",
    "created": _TIME,
    "at": _TIME,
    "seconds": "float64",
    "attempts": "int64",
    "error": "str",
    "account": "str",
    "mode": "str",
}


def on(
    type: str,
    handler: Handler | None = None,
    *,
    since: object = None,
    where: str | Callable[[JsonObject], Any] | None = None,
    name: str = "",
    stripe_account: str = "",
    connection: Connection | None = None,
) -> Any:
    """Call `handler(event)` (a function or an `async def`) for events of a type, pattern (`charge.dispute.*`)
    or group, `*` for all.

    Without a handler: a decorator. It belongs to the connection of now (or to `connection`) and gets every
    event from its first registration on, or from `since` (a date, `3d` ago), each once, whichever kernel is
    first and however often the cell runs; watches deliver them.
    `where`: a condition on values, `"amount > 100000 and currency == 'usd'"`. `name`: what it goes by,
    instead of its function's name.
    `stripe_account`: for the events of a connected account. Writes that it makes go to that account's
    connection, each once for an event.
    Raises `UnknownName` for a type that there isn't, `NotConnected`.
    """
    if handler is None:
        return lambda function: on(
            type,
            function,
            since=since,
            where=where,
            name=name,
            stripe_account=stripe_account,
            connection=connection,
        )
    connection = connection or current()
    condition = value_filter(where) if where is not None else None
    account = events_of(connection, stripe_account)
    account.register(type, handler, since=moment(since, connection), name=name, condition=condition)
    return handler


def off(
    type: str,
    handler: Handler | None = None,
    *,
    stripe_account: str = "",
    connection: Connection | None = None,
) -> int:
    """Forget a handler of a type, or all of it. Returns how many there were. `stripe_account` as in `on`.
    Raises `UnknownName` for a type that there isn't, `NotConnected`."""
    return events_of(connection or current(), stripe_account).handlers.remove(type, handler)


def handlers(*, stripe_account: str = "", connection: Connection | None = None) -> pd.DataFrame:
    """The handlers of the connection, one row each: `handler`, `events`, `since`, how many events were `done`
    and `failed`, `account`, `mode`."""
    account = events_of(connection or current(), stripe_account)
    rows = []
    for each in account.handlers:
        begun = account.runs.registered(each.key)[1]
        counts: dict[str, int] = defaultdict(int)
        for run in account.runs.runs(handler=each.key):
            counts[run.state] += 1
        rows.append(
            {
                "handler": each.name,
                "events": str(each.events),
                "since": begun,
                "done": counts["done"],
                "failed": counts["failed"],
                "account": account.label(),
                "mode": account.connection.mode,
            }
        )
    kinds = {"done": "int64", "failed": "int64", "since": _TIME}
    names = ("handler", "events", "since", "done", "failed", "account", "mode")
    return _frame(rows, {name: kinds.get(name, "str") for name in names})


def history(
    *, state: str = "", stripe_account: str = "", connection: Connection | None = None
) -> pd.DataFrame:
    """What handlers have done in the last 30 days, the newest first: one row for each handler and event."""
    account = events_of(connection or current(), stripe_account)
    return _frame([_run_row(each, account) for each in account.runs.runs(state=state)], _RUN_COLUMNS)


def failed(*, stripe_account: str = "", connection: Connection | None = None) -> pd.DataFrame:
    """Events on which a handler failed, with the error; `retry` gives them to it again."""
    return history(state="failed", stripe_account=stripe_account, connection=connection)


def retry(
    event: str = "", *, handler: str = "", stripe_account: str = "", connection: Connection | None = None
) -> pd.DataFrame:
    """Give failed events (or one of them) to their handlers again, now. A write that went through before
    isn't made a second time.

    Returns the runs as they ended. Raises `UsageFault` for an event or a `handler` that there isn't.
    """
    account = events_of(connection or current(), stripe_account)
    key = _key_of(account, handler)
    chosen = [
        each for each in account.runs.runs(state="failed", handler=key) if not event or each.event == event
    ]
    if event and not chosen:
        raise UsageFault(f"No handler failed on {event}. %stripe events failed lists those that did.")
    return _run_again(account, chosen)


def replay(
    event: str = "",
    *,
    since: object = None,
    handler: str = "",
    stripe_account: str = "",
    connection: Connection | None = None,
) -> pd.DataFrame:
    """Give an event, or all since a moment, to the handlers again, handled or not. A write that went through
    before isn't made a second time.

    Returns the runs as they ended. Raises `UsageFault` for an event that isn't kept here, a `handler` that
    there isn't, both or neither of `event` and `since`.
    """
    connection = connection or current()
    if bool(event) == (since is not None):
        raise UsageFault("Give an event (replay evt_...) or --since, not both.")
    account = events_of(connection, stripe_account)
    key = _key_of(account, handler)
    begin = moment(since, connection) or 0
    if event and not account.store.has(event):
        raise UsageFault(f"The event {event} isn't kept on this machine. A watch with --since fetches it.")
    stored = [account.store.get(event)] if event else account.store.events(since=begin)
    chosen = [
        (each, one)
        for one in stored
        for each in account.handlers
        if each.events(one.type) and (not key or each.key == key)
    ]
    for each, _ in chosen:
        account.runs.reach_back(each.key, min(one.created for other, one in chosen if other is each))
    for each, one in chosen:
        account.runs.reopen(id=one.id, handler=each.key)
    runs = {(each.key, one.id) for each, one in chosen}
    account.deliver()
    return _ended(account, runs)


def digest(
    *, since: object = "yesterday", stripe_account: str = "", connection: Connection | None = None
) -> pd.DataFrame:
    """What happened since a moment, of the events that were seen: one row a type and currency.

    Columns: `type`, `events` (how many), `amount` (Int64, minor units), `currency`, `customers` (how many),
    `first` and `last` (datetime64[us, UTC]).
    """
    from stripe_magics.frames.frame_info import CallInfo, FrameInfo

    connection = connection or current()
    account = events_of(connection, stripe_account)
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    people: dict[tuple[str, str], set[str]] = defaultdict(set)
    for each in account.store.events(since=moment(since, connection) or 0):
        amount, currency = amount_of(each.object)
        key = each.type, currency
        row = rows.setdefault(
            key, {"type": each.type, "events": 0, "amount": None, "currency": currency, "first": each.created}
        )
        row["events"] += 1
        row["last"] = each.created
        if amount is not None:
            row["amount"] = (row["amount"] or 0) + amount
        if customer := customer_of(each.object):
            people[key].add(customer)
    for key, row in rows.items():
        row["customers"] = len(people[key])
    kinds = {"events": "int64", "amount": "Int64", "customers": "int64", "first": _TIME, "last": _TIME}
    names = ("type", "events", "amount", "currency", "customers", "first", "last")
    ordered = sorted(rows.values(), key=lambda row: (-row["events"], row["type"]))
    made = _frame(ordered, {name: kinds.get(name, "str") for name in names})
    info = FrameInfo(
        object="event_digest",
        account=account.account or connection.account,
        mode=connection.mode,
        livemode=connection.live,
        units="minor",
        complete=True,
        amounts=["amount"],
    )
    return info.put(made, CallInfo(module="events.digest"))


def _key_of(account: AccountEvents, name: str) -> str:
    if not name:
        return ""
    keys = [each.key for each in account.handlers if name in {each.name, each.key}]
    if not keys:
        raise UsageFault(f"There is no handler {name!r}. %stripe events handlers lists them.")
    return str(keys[0])


def _run_again(account: AccountEvents, runs: list[Run]) -> pd.DataFrame:
    for each in runs:
        account.runs.reopen(id=each.event, handler=each.handler, state="failed")
    account.deliver()
    return _ended(account, {(each.handler, each.event) for each in runs})


def _ended(account: AccountEvents, runs: set[tuple[str, str]]) -> pd.DataFrame:
    found = [each for each in account.runs.runs() if (each.handler, each.event) in runs]
    return _frame([_run_row(each, account) for each in found], _RUN_COLUMNS)


def _run_row(run: Run, account: AccountEvents) -> dict[str, Any]:
    return {
        "event": run.event,
        "type": run.type,
        "handler": run.handler.rpartition(SOURCE_END)[2],
        "state": run.state,
        "created": run.created,
        "at": int(run.at),
        "seconds": round(run.seconds, 3),
        "attempts": run.attempts,
        "error": run.error,
        "account": account.label(),
        "mode": account.connection.mode,
    }


def _frame(rows: list[dict[str, Any]], dtypes: dict[str, str]) -> pd.DataFrame:
    import pandas as pd

    columns = {}
    for name, dtype in dtypes.items():
        column: Any = pd.Series([row[name] for row in rows], dtype="object")
        columns[name] = (pd.to_datetime(column, unit="s", utc=True) if dtype == _TIME else column).astype(
            dtype
        )
    return pd.DataFrame(columns)
