"""A receiver on this machine, for a line and for Python: `%stripe listen`, and rehearsals in the sandbox."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from stripe_magics.client.secret import Secret
from stripe_magics.client.shared_connection import current
from stripe_magics.errors import UsageFault
from stripe_magics.events import poller, signing_secrets, webhook_delivery
from stripe_magics.events.account_events import events_of, look_up_account
from stripe_magics.events.alerts import ON_THE_PAGE, alert_names
from stripe_magics.events.event_watch import Watch
from stripe_magics.events.filters import event_filter
from stripe_magics.events.option_values import minutes_of, name_list, number_of
from stripe_magics.events.receiver import Receiver
from stripe_magics.events.watch_limits import MAX_MINUTES

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection

_LISTEN_INTERVAL = 300.0  # seconds: what the receiver missed is fetched this often
LISTEN = "listen"
"""The name of the watch that has the receiver."""


def listen(  # noqa: PLR0913 - public: each is a keyword of its own
    *names: str,
    group: Iterable[str] | str = (),
    events: Iterable[str] | str = (),
    env: str = "",
    host: Iterable[str] | str = (),
    port: int | str = 0,
    path: str = "",
    live: bool = False,
    connect: bool = False,
    alert: Iterable[str] | str = (),
    notify: bool = False,
    minutes: float | str = MAX_MINUTES,
    stop: bool = False,
    connection: Connection | None = None,
    ask: Callable[[], Secret] | None = None,
) -> Watch | None:
    """Receive signed events on this machine; `stop=True` ends that. Prints the command to run in a terminal.

    `env`: the environment variable with the signing secret (STRIPE_WEBHOOK_SECRET); without one it is asked
    for (`ask`: who is asked). `host`: names of tunnels that may be in the Host header. `port`, `path`: fixed
    ones instead of those that are chosen at random. `live`: take live events (and only those), on a live
    connection. `connect`: the events of connected accounts, with the account in each row. `alert`, `notify`:
    as for `watch`. What is missed is fetched by polling every 5 minutes, for `minutes`. `names`, `group`,
    `events` are as in `watch`.
    Raises `UsageFault` for an option that can't be, `UnknownName` for an event that there isn't, `KeyRefused`
    without a signing secret, the `StripeError` of the first reading; nothing listens then.
    """
    connection = connection or current()
    account = events_of(connection)
    account.end(LISTEN)
    if stop:
        return None
    if live and not connection.live:
        raise UsageFault(
            f"--live needs a live connection; this one is in {connection.mode} mode. Nothing listens."
        )
    if connection.live and not live:
        raise UsageFault("This connection is live: --live takes its events. Nothing listens.")
    sandbox = connection.sandbox is not None
    tunnels = name_list(host)
    if sandbox and not env and ask is None:
        accepted = [Secret(f"whsec_{secrets.token_hex(16)}")]
    else:  # an endpoint behind a tunnel is made once the receiver's path is known, and brings its secret
        accepted = signing_secrets.for_listening(connection, env, ask=ask, needed=not tunnels)
    choice = event_filter([*name_list(group), *names], name_list(events))
    made = Watch(
        account,
        choice,
        name=LISTEN,
        interval=_LISTEN_INTERVAL,
        minutes=minutes_of(minutes),
        alert=[*alert_names(alert), *(ON_THE_PAGE if notify else ())],
    )
    made.shows_accounts = connect
    look_up_account(connection)
    receiver = Receiver(
        made.accept,
        made.handle,
        secrets_=accepted,
        hosts=tunnels,
        live=live,
        port=int(number_of(port, "port")),
        path=f"/{path.strip('/')}" if path else "",
    )
    receiver.events, receiver.connect = choice.all_types, connect
    receiver.start()
    made.receiver = receiver
    try:
        made.start()
    except BaseException:
        receiver.stop()
        raise
    account.watches[LISTEN] = made
    if sandbox and not tunnels:
        print(
            f"Listening at {receiver.url}\nThe sandbox doesn't deliver events; rehearse() posts its newest"
            " ones there, signed."
        )
    elif tunnels:
        print(f"Listening on port {receiver.port}. Point the tunnel there, then make the endpoint:")
        kinds = "" if choice.names == ("*",) else f" --events {','.join(choice.all_types)}"
        kinds += " --connect" if connect else ""
        print(f"  %stripe events watch{kinds} --url https://{tunnels[0]}{receiver.path} --ephemeral")
    else:
        print(f"Listening. Run this in a terminal on this machine:\n  {receiver.command}")
    return made


def rehearse(count: int = 1, *, connection: Connection | None = None) -> list[int]:
    """In the sandbox: post its newest events to the receiver, as `stripe listen` would. The status of each
    answer, 200 if it was taken. Raises `UsageFault` where nothing listens, or outside of the sandbox."""
    connection = connection or current()
    listening = events_of(connection).watches.get(LISTEN)
    if listening is None or listening.receiver is None or not listening.receiver.running:
        raise UsageFault("Nothing listens. Start it with %stripe listen.")
    if connection.sandbox is None:
        raise UsageFault(
            "Only the sandbox's events are rehearsed. Against Stripe, `stripe trigger` makes events."
        )
    rows = connection.send(poller.request((("limit", str(max(1, min(count, 100)))),))).rows
    return [
        webhook_delivery.post(listening.receiver, event, listening.receiver.secrets[0])
        for event in reversed(rows)
    ]
