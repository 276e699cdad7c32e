"""What the watch room does for a line, a cell, a form and Python: one function each, and the watches of this kernel.

watch("invoice", "charge.failed")     polls and shows what comes             %stripe events watch --group invoice
run(command)                          with a URL: a webhook endpoint         %stripe events watch --group invoice --url https://...
listen("invoice")                     a receiver on this machine             %stripe listen --group invoice
on("invoice.paid", handler)           a handler for every watch
status(), stop(), endpoints()
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from stripe_magics import pipeline
from stripe_magics._command import Command
from stripe_magics.client.journal.journal import state_dir
from stripe_magics.client.secret import Secret
from stripe_magics.client.shared_connection import current
from stripe_magics.errors import UsageFault
from stripe_magics.events import signing_secrets, webhook_endpoints
from stripe_magics.events.event_store import Store
from stripe_magics.events.event_watch import INTERVAL, MINUTES, MOST_MINUTES, Watch
from stripe_magics.events.filters import requested
from stripe_magics.events.handlers import Handlers
from stripe_magics.events.receiver import Receiver

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.client.journal.journal import Origin
    from stripe_magics.client.shared_connection import Connection

HANDLERS = Handlers()
_OWN = (
    "minutes",
    "interval",
    "since",
    "ephemeral",
    "status",
    "stop",
)  # flags of a line that are no fields of the module
_LISTEN_INTERVAL = 300.0  # seconds: what the receiver missed is fetched this often
_watches: dict[str, Watch] = {}
_sandbox: list[tuple[Any, Store]] = []  # the present sandbox account and its events: at most one pair

on = HANDLERS.on
off = HANDLERS.off


def watch(
    *names: str,
    group: Iterable[str] | str = (),
    events: Iterable[str] | str = (),
    url: str = "",
    webhook_name: str = "",
    minutes: float | str = MINUTES,
    interval: float | str = INTERVAL,
    since: Any = None,
    ephemeral: bool = False,
    connection: Connection | None = None,
    **fields: Any,
) -> Any:
    """Watch events: `watch("invoice", "charge.failed")`; nothing named is all of them. Shows a live table, and is a `Watch`.

    `names`, `group`, `events` choose groups (`invoice`) and types (`invoice.paid`). It polls every `interval` seconds (15) for `minutes` (30).
    `since`: from when on, a date, Unix seconds, or `2h`, `3d` ago; without it, from where the last watch of that name (`webhook_name`) ended.
    With `url`, a webhook endpoint is made there instead and the answer is its frame (`ephemeral`: it goes with the kernel).
    """
    if url:
        chosen = requested([*_texts(group), *names], _texts(events))
        values = {
            "events": list(chosen.all_types),
            "url": url,
            "webhook_name": webhook_name or None,
            **fields,
        }
        command = Command(
            module="events.watch", values={name: value for name, value in values.items() if value is not None}
        )
        return run(command, connection, ephemeral=ephemeral)
    _unused(fields, {"connect", "api_version", "metadata"})
    connection = connection or current()
    name = webhook_name or "watch"
    made = Watch(
        connection,
        requested([*_texts(group), *names], _texts(events)),
        store=_store(connection),
        handlers=HANDLERS,
        name=name,
        interval=_number(interval, "interval"),
        minutes=_number(minutes, "minutes"),
        since=moment(since, connection),
    )
    if fields.get("connect") or fields.get("api_version"):
        made.notes.append(
            "Connect and API Version are of webhook endpoints; a watch that polls takes the connection's account and version."
        )
    _end(name)
    connection.before_close.append(made.stop)
    made.start()
    _watches[name] = made
    return made


def listen(
    *names: str,
    group: Iterable[str] | str = (),
    events: Iterable[str] | str = (),
    env: str = "",
    host: Iterable[str] | str = (),
    live: bool = False,
    minutes: float | str = MOST_MINUTES,
    stop: bool = False,
    connection: Connection | None = None,
    ask: Callable[[], Secret] | None = None,
) -> Watch | None:
    """Receive signed events on this machine; `stop=True` ends that. Prints the command to run in a terminal.

    `env`: the environment variable with the signing secret (STRIPE_WEBHOOK_SECRET); without one it is asked for. `host`: names of tunnels
    that may stand in the Host header. `live`: take live events. What is missed is fetched by polling every 5 minutes, for `minutes`.
    """
    _end("listen")
    if stop:
        return None
    connection = connection or current()
    sandbox = connection.sandbox is not None
    tunnels = _texts(host)
    if sandbox and not env and ask is None:
        accepted = [Secret(f"whsec_{secrets.token_hex(16)}")]
    else:  # an endpoint behind a tunnel is made once the receiver's path is known, and brings its secret
        accepted = signing_secrets.for_listening(env, ask=ask, needed=not tunnels)
    made = Watch(
        connection,
        requested([*_texts(group), *names], _texts(events)),
        store=_store(connection),
        handlers=HANDLERS,
        name="listen",
        interval=_LISTEN_INTERVAL,
        minutes=_number(minutes, "minutes"),
    )
    made.receiver = Receiver(made.accept, made.handle, secrets_=accepted, hosts=tunnels, live=live)
    made.start()
    made.receiver.start()
    connection.before_close.append(made.stop)
    _watches["listen"] = made
    if sandbox and not tunnels:
        print(
            f"Listening at {made.receiver.url}\nThe sandbox delivers nothing by itself: rehearse() posts its events there, signed."
        )
    elif tunnels:
        path = made.receiver.path
        print(f"Listening on port {made.receiver.port}. Point the tunnel there, then make the endpoint:")
        print(f"  %stripe events watch --group ... --url https://{tunnels[0]}{path} --ephemeral")
    else:
        print(f"Listening. Run this in a terminal on this machine:\n  {made.receiver.command}")
    return made


def rehearse(count: int = 1) -> list[int]:
    """In the sandbox: post its newest events to the receiver, as `stripe listen` would. The status of each answer, 200 if it was taken."""
    from stripe_magics.events import poller, replay

    listening = _watches.get("listen")
    if listening is None or listening.receiver is None or not listening.receiver.running:
        raise UsageFault("Nothing listens. Start it with %stripe listen.")
    if listening.connection.sandbox is None:
        raise UsageFault(
            "Only the sandbox's events are rehearsed. Against Stripe, `stripe trigger` makes events."
        )
    rows = listening.connection.send(poller.request((("limit", str(max(1, min(count, 100)))),))).rows
    return [replay.post(listening.receiver, event, listening.receiver.secrets[0]) for event in reversed(rows)]


def run(
    command: Command,
    connection: Connection | None = None,
    *,
    ephemeral: bool = False,
    origin: Origin | None = None,
    ask: Callable[[str], str] | None = None,
) -> Watch | pd.DataFrame | Any:
    """Serve a command of events.watch: with a URL a webhook endpoint, without one a watch that polls.

    Beside the module's fields its values may have `minutes`, `interval`, `since`, `ephemeral`, and, alone, `status` or `stop`.
    """
    given = command.values
    own = {name: given[name] for name in _OWN if given.get(name) not in {None, False}}
    if "stop" in own:
        stopped = stop(str(given.get("webhook_name") or ""))
        print(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")
        return None
    if "status" in own:
        return status()
    connection = connection or current()
    fields = {name: value for name, value in given.items() if name not in _OWN and value is not None}
    sent = {_field(name): value for name, value in command.params}
    if command.options.dry_run or fields.get("url") or sent.get("url"):
        plain = replace(command, values=fields)
        if command.options.dry_run:
            return pipeline.prepare(plain, connection=connection)
        made = webhook_endpoints.create(
            plain, connection, ephemeral=ephemeral or "ephemeral" in own, origin=origin, ask=ask
        )
        listening, secret = (
            _watches.get("listen"),
            signing_secrets.known(signing_secrets.entry(made["id"].iloc[0])),
        )
        if listening is not None and listening.receiver is not None and secret is not None:
            listening.receiver.secrets.append(secret)  # it may be our own receiver, behind a tunnel
        return made
    return watch(**{**sent, **fields, **own}, connection=connection)


def status() -> pd.DataFrame:
    """The watches of this kernel, one row each."""
    import pandas as pd

    names = ("watch", "events", "state", "seen", "reads", "every", "receiver", "problems", "note")
    lines = [each.status() for each in _watches.values()]
    return pd.DataFrame(
        {name: pd.Series([line.get(name, "") for line in lines], dtype="str") for name in names}
    )


def stop(name: str = "") -> list[str]:
    """Stop a watch, or all of them. Returns the names of those that ran."""
    stopped = []
    for each in [name] if name else list(_watches):
        found = _watches.get(each)
        if found is not None and (found.running or found.receiver is not None):
            stopped.append(each)
        _end(each)
    return stopped


def purge(*, connection: Connection | None = None) -> int:
    """Forget the events of the account that are kept on this machine (for 30 days, else). Returns how many there were."""
    return _store(connection or current()).purge(before=float("inf"))


def endpoints(
    *,
    delete: str = "",
    yes: bool = False,
    ask: Callable[[str], str] | None = None,
    connection: Connection | None = None,
) -> Any:
    """The account's webhook endpoints as a DataFrame; `delete`: delete this one first."""
    connection = connection or current()
    if delete:
        webhook_endpoints.delete(connection, delete, yes=yes, ask=ask)
    return webhook_endpoints.listed(connection)


def moment(text: Any, connection: Connection) -> int | None:
    """Unix seconds of `2h` or `3d` ago, of a date, a date-time or a number. Raises `UsageFault`."""
    if text is None or text == "":
        return None
    if isinstance(text, datetime):
        return int((text if text.tzinfo else text.replace(tzinfo=connection.zone)).timestamp())
    written = str(text).strip()
    now = float(connection.sandbox.now) if connection.sandbox is not None else datetime.now(UTC).timestamp()
    ago = re.fullmatch(r"(\d+)\s*([mhd])", written)
    if ago:
        return int(now - int(ago[1]) * {"m": 60, "h": 3600, "d": 86400}[ago[2]])
    if written.isascii() and written.isdigit() and len(written) >= 9:
        return int(written)
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        raise UsageFault(
            f"{written!r} is no moment: 2h, 3d, 2024-05-01 or 2024-05-01T12:00, please."
        ) from None
    return int((found if found.tzinfo else found.replace(tzinfo=connection.zone)).timestamp())


def _store(connection: Connection) -> Store:
    """Where events are kept: in a file for an account, in memory for a sandbox, as long as that lives."""
    sandbox = connection.sandbox
    if sandbox is None:
        return Store(state_dir() / "events.sqlite", connection.scope(connection.account))
    if (
        not _sandbox or _sandbox[0][0] is not sandbox.account
    ):  # another sandbox, or this one was reset: its ids begin anew
        _sandbox[:] = [(sandbox.account, Store(None, "sandbox", now=lambda: float(sandbox.now)))]
    return _sandbox[0][1]


def _end(name: str) -> None:
    former = _watches.pop(name, None)
    if former is not None:
        former.stop()


def _texts(value: Iterable[str] | str | None) -> list[str]:
    if value is None:
        return []
    return (
        [each.strip() for each in value.split(",") if each.strip()]
        if isinstance(value, str)
        else [str(each) for each in value]
    )


def _number(value: float | str, name: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise UsageFault(f"--{name} must be a number, not {value!r}.") from None


def _field(param: str) -> str:
    from stripe_magics import catalogue

    field = catalogue.find("events.watch").by_param(param.removesuffix("[]"))
    return field.name if field is not None else param


def _unused(fields: dict[str, Any], known: set[str]) -> None:
    unknown = set(fields) - known
    if unknown:
        raise UsageFault(f"A watch doesn't know {', '.join(sorted(unknown))}.")
