"""Webhook endpoints: made, listed and deleted, and none left behind by accident.

- Each one that is made here carries a mark in its metadata, so that those of former sessions are recognised
  and named.
- Its signing secret comes once, in the answer that makes it: it is kept before anything else
  (client/one_time_secrets.py) and masked everywhere.
- An ephemeral one is deleted when the kernel shuts down or the connection is closed.
"""

from __future__ import annotations

import atexit
import threading
import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stripe_magics import pipeline
from stripe_magics._command import Command
from stripe_magics._json import JsonObject
from stripe_magics.catalogue.module import Effect
from stripe_magics.client import one_time_secrets
from stripe_magics.client.one_time_secrets import EPHEMERAL, endpoint_entry
from stripe_magics.errors import OutcomeUnknown, StripeMagicsError
from stripe_magics.events import signing_secrets
from stripe_magics.request import Request

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.client.journal.journal import Origin
    from stripe_magics.client.shared_connection import Connection

MARK = "stripe_magics"  # key in the endpoint's metadata; its value is "watch" or "ephemeral"

_EPHEMERAL = "ephemeral_endpoints"
_CLOSING_SECONDS = 0.8  # that closing a connection waits for endpoints to be removed
_open: weakref.WeakSet[Connection] = weakref.WeakSet()
"""Connections with ephemeral endpoints, for the end of the kernel."""


def create(
    command: Command,
    connection: Connection,
    *,
    ephemeral: bool = False,
    origin: Origin | None = None,
    ask: Callable[[str], str] | None = None,
) -> pd.DataFrame:
    """Make the endpoint that a command of events.watch describes. The frame has one row; its
    `attrs["stripe"]["notes"]` say the rest."""
    import stripe_magics.accessor  # noqa: F401 - registers df.stripe
    from stripe_magics import frames

    request = pipeline.prepare(command, connection=connection)
    options = command.options
    others = [each for each in _rows(connection) if each["metadata"].get(MARK)]
    mark = EPHEMERAL if ephemeral else (f"metadata[{MARK}]", "watch")
    try:
        answer = connection.send(
            replace(request, params=(*request.params, mark)),
            origin=origin,
            again=options.again,
            yes=options.yes,
            ask=ask,
        )
    except OutcomeUnknown as error:
        number = error.details.operation
        if number:
            error.advice = (
                f"Find out first: `%stripe resume {number}` gets the endpoint and keeps its signing secret,"
                " which Stripe gives once."
            )
        error.args = (str(error),)
        raise
    made = answer.data
    notes = [*request.warnings]
    if ephemeral:
        _mark_ephemeral(connection, made["id"])
        notes.append(f"{made['id']} is deleted when this kernel shuts down or the connection is closed.")
    if one_time_secrets.known(connection, endpoint_entry(made["id"])) is None:
        notes.append(signing_secrets.LOST)
    if others:
        left = ", ".join(f"{each['id']} ({each['metadata'][MARK]}) {each['url']}" for each in others)
        notes.append(
            f"Made here before and still there: {left}. %stripe webhook_endpoints delete ID removes one."
        )
    info = frames.FrameInfo(
        object="webhook_endpoint",
        api_version=connection.api_version,
        account=connection.account,
        mode=connection.mode,
        livemode=connection.live,
        units="minor",
        complete=True,
    )
    call_info = frames.CallInfo(
        module="events.watch", request_ids=[answer.request_id], notes=[*notes, *answer.notices]
    )
    return frames.build([answer.body], "webhook_endpoint", attrs=info.attrs(call_info))


def listed(connection: Connection) -> Any:
    """All webhook endpoints of the account, one row each; `metadata` has the mark of those that were made
    here.

    `secret_kept` says whether the endpoint's signing secret is on this machine.
    """
    frame: Any = pipeline.call("webhook_endpoints.list", limit="all", connection=connection)
    frame["secret_kept"] = [
        one_time_secrets.known(connection, endpoint_entry(str(id))) is not None for id in frame["id"]
    ]
    frame["secret_kept"] = frame["secret_kept"].astype("boolean")
    return frame


def delete(
    connection: Connection, id: str, *, yes: bool = False, ask: Callable[[str], str] | None = None
) -> Any:
    """Delete one, and forget its secret."""
    frame: Any = pipeline.call(
        "webhook_endpoints.delete", webhook_endpoint=id, yes=yes, ask=ask, connection=connection
    )
    one_time_secrets.forget(connection, endpoint_entry(id))
    ephemeral = _ephemeral_of(connection)
    if id in ephemeral:
        ephemeral.remove(id)
    return frame


def remove_ephemeral(connection: Connection) -> list[str]:
    """Delete the ephemeral endpoints of a connection. Returns the ids of those that could not be, or not
    within a second."""
    ephemeral = _ephemeral_of(connection)
    left = list(ephemeral)
    ephemeral.clear()
    done: list[str] = []

    def work() -> None:
        for id in left:
            request = Request(
                module="webhook_endpoints.delete",
                method="DELETE",
                path=f"/v1/webhook_endpoints/{id}",
                effect=Effect.IRREVERSIBLE,
                returns="webhook_endpoint",
            )
            try:
                connection.send(request, yes=True)
                one_time_secrets.forget(connection, endpoint_entry(id))
            except StripeMagicsError:  # the connection is going: all that can be done is to name it
                continue
            done.append(id)

    if left:
        thread = threading.Thread(target=work, name="stripe ephemeral endpoints", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the interpreter is at its end: no thread can be begun
            work()
        else:
            thread.join(_CLOSING_SECONDS)
    failed = [id for id in left if id not in done]
    if failed:
        print(
            f"These webhook endpoints may not have been deleted: {', '.join(failed)}. Look in the Dashboard,"
            " and delete them there."
        )
    return failed


def _ephemeral_of(connection: Connection) -> list[str]:
    found: list[str] = connection.extensions.setdefault(_EPHEMERAL, [])
    return found


def _mark_ephemeral(connection: Connection, id: str) -> None:
    ephemeral = _ephemeral_of(connection)
    if connection not in _open:
        _open.add(connection)
        connection.before_close.append(lambda: remove_ephemeral(connection))
    ephemeral.append(id)


@atexit.register
def _at_exit() -> None:
    for each in list(_open):
        if not each.closed:
            remove_ephemeral(each)


def _rows(connection: Connection) -> list[JsonObject]:
    from stripe_magics.client.pagination.paginator import pages

    request = Request(
        module="webhook_endpoints.list",
        method="GET",
        path="/v1/webhook_endpoints",
        lists=True,
        returns="list[webhook_endpoint]",
        limit=None,
    )
    return [row for answer in pages(connection, request) for row in answer.rows]
