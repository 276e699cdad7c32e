"""Where the lists of reports come from: the connection, its account, zone and clock, and what was read of it
a moment ago."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from stripe_magics.client.call_context import account_of
from stripe_magics.errors import StripeError
from stripe_magics.finance.list_inputs import Fetch, has_all_rows

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection

KEPT_SECONDS = 600
_LISTS_READ = "lists_read"  # in Connection.extensions: by call, when it was read and what it gave
_LISTS_LOCK = threading.Lock()  # the members of payouts are fetched side by side


def stripe_clock() -> pd.Timestamp:
    """Now, by Stripe's clock as the connection knows it (a sandbox has its own)."""
    from stripe_magics.client.shared_connection import shared

    connection = shared()
    if connection is None:
        return pd.Timestamp.now("UTC")
    return pd.Timestamp(connection.stripe_time(), unit="s", tz="UTC")


def account_read() -> Mapping[str, Any]:
    """The account, or nothing where the key may not read it or nothing is connected."""
    from stripe_magics.client.shared_connection import shared

    connection = shared()
    if connection is None:
        return {}
    try:
        account: Mapping[str, Any] = connection.account_object()
    except StripeError:  # a restricted key: the connection's own zone counts then
        return {}
    return account


def zone_of(account: Mapping[str, Any]) -> str:
    """The connection's zone if one was set, else the account's, else UTC."""
    from stripe_magics.client.shared_connection import shared

    connection = shared()
    own = str(connection.zone) if connection is not None else "UTC"
    if own != "UTC":
        return own
    dashboard = (account.get("settings") or {}).get("dashboard") or {}
    return str(dashboard.get("timezone") or "UTC").replace("Etc/UTC", "UTC")


def fetcher() -> Fetch:
    """What fetches the lists of one report, all of them on the connection on which it was begun: what is
    looked up in it later, too."""
    from stripe_magics.client.shared_connection import current, shared

    begun_on = shared()
    return lambda module, values: _fetch(begun_on or current(), module, values)


def forget_lists() -> None:
    from stripe_magics.client.shared_connection import shared

    connection = shared()
    if connection is not None:
        connection.extensions.pop(_LISTS_READ, None)


def _fetch(connection: Connection, module: str, values: Mapping[str, Any]) -> Any:
    """The list, or the one fetched a moment ago on this connection if nothing was written since."""
    from stripe_magics.pipeline import call

    values = dict(values)
    anew = values.pop("_fresh", False)
    clock = connection.sandbox.now if connection.sandbox is not None else None
    state = (connection.writes, clock)
    requested = (*state, account_of(connection), module, repr(sorted(values.items())))
    with _LISTS_LOCK:
        mine: dict[tuple[object, ...], tuple[float, Any]] = connection.extensions.setdefault(_LISTS_READ, {})
        for key in [key for key in mine if key[:2] != state]:
            del mine[key]
        kept = None if anew else mine.get(requested)
    if kept is not None and time.monotonic() - kept[0] < KEPT_SECONDS:
        return kept[1]
    answer = call(module, connection=connection, **values)
    if anew or (isinstance(answer, pd.DataFrame) and not has_all_rows(answer)):
        return answer
    with _LISTS_LOCK:
        mine[requested] = (time.monotonic(), answer)
    return answer
