"""Webhook endpoints: made, listed and deleted, and none left behind by accident.

- Each one that is made here carries a mark in its metadata, so that those of former sessions are recognised and named.
- Its signing secret comes once, in the answer that makes it: it goes into the key store and is masked everywhere else.
- An ephemeral one is deleted when the kernel shuts down or the connection is closed.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stripe_magics import pipeline
from stripe_magics._command import Command
from stripe_magics.catalogue.module import Effect
from stripe_magics.client.secret import Secret
from stripe_magics.errors import StripeMagicsError
from stripe_magics.events import signing_secrets
from stripe_magics.request import Request

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.client.journal.journal import Origin
    from stripe_magics.client.shared_connection import Connection

MARK = "stripe_magics"  # key in the endpoint's metadata; its value is "watch" or "ephemeral"

_ephemeral: list[tuple[Connection, str]] = []


def create(
    command: Command,
    connection: Connection,
    *,
    ephemeral: bool = False,
    origin: Origin | None = None,
    ask: Callable[[str], str] | None = None,
) -> pd.DataFrame:
    """Make the endpoint that a command of events.watch describes. The frame has one row; its `attrs["stripe"]["notes"]` say the rest."""
    import stripe_magics.accessor  # noqa: F401 - registers df.stripe
    from stripe_magics import frames

    request = pipeline.prepare(command, connection=connection)
    options = command.options
    others = [each for each in _rows(connection) if each["metadata"].get(MARK)]
    mark = (f"metadata[{MARK}]", "ephemeral" if ephemeral else "watch")
    answer = connection.send(
        replace(request, params=(*request.params, mark)),
        origin=origin,
        again=options.again,
        yes=options.yes,
        ask=ask,
    )
    made = answer.data
    notes = []
    if ephemeral:
        _ephemeral.append((connection, made["id"]))
        connection.before_close.append(lambda: remove_ephemeral(connection))
        notes.append(f"{made['id']} is deleted when this kernel shuts down or the connection is closed.")
    text = made.get("secret")
    if text:
        secret = Secret(str(text))
        lasting = connection.sandbox is None and not ephemeral
        notes.append(
            f"Its signing secret {secret.hint} is kept in {signing_secrets.keep(signing_secrets.entry(made['id']), secret, lasting=lasting)}."
        )
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
    how = frames.CallInfo(
        module="events.watch", request_ids=[answer.request_id], notes=[*notes, *answer.notices]
    )
    return frames.build([answer.body], "webhook_endpoint", attrs=info.attrs(how))


def listed(connection: Connection) -> Any:
    """All webhook endpoints of the account, one row each; `metadata` has the mark of those that were made here."""
    frame: Any = pipeline.call("webhook_endpoints.list", limit="all", connection=connection)
    return frame


def delete(
    connection: Connection, id: str, *, yes: bool = False, ask: Callable[[str], str] | None = None
) -> Any:
    """Delete one, and forget its secret."""
    frame: Any = pipeline.call(
        "webhook_endpoints.delete", webhook_endpoint=id, yes=yes, ask=ask, connection=connection
    )
    signing_secrets.forget(signing_secrets.entry(id))
    _ephemeral[:] = [each for each in _ephemeral if each[1] != id]
    return frame


def remove_ephemeral(connection: Connection | None = None) -> list[str]:
    """Delete the ephemeral endpoints of this kernel (of one connection). Returns the ids of those that could not be."""
    failed = []
    for each in list(_ephemeral):
        owner, id = each
        if connection is not None and owner is not connection:
            continue
        request = Request(
            module="webhook_endpoints.delete",
            method="DELETE",
            path=f"/v1/webhook_endpoints/{id}",
            effect=Effect.IRREVERSIBLE,
            returns="webhook_endpoint",
        )
        try:
            owner.send(request, yes=True)
        except StripeMagicsError:  # the kernel is going: all that can be done is to name it
            failed.append(id)
        else:
            signing_secrets.forget(signing_secrets.entry(id))
        _ephemeral.remove(each)
    if failed:
        print(
            f"These webhook endpoints could not be deleted: {', '.join(failed)}. Delete them in the Dashboard."
        )
    return failed


atexit.register(remove_ephemeral)


def _rows(connection: Connection) -> list[dict[str, Any]]:
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
