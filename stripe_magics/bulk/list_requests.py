"""What a pull asks for: a list module's request, by its name, and where its rows come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stripe_magics import catalogue
from stripe_magics._command import Command
from stripe_magics._text import shown
from stripe_magics.catalogue.list_defaults import list_default
from stripe_magics.errors import UsageFault
from stripe_magics.frames.frame_info import CallInfo, FrameInfo
from stripe_magics.pipeline import command, prepare
from stripe_magics.request import Request

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.client.shared_connection import Connection


def list_request(
    connection: Connection, what: str | Command, *, limit: object = "all", account: str = "", **values: Any
) -> Request:
    """The request of a list: "payment_intents", "payment_intents.list", or a whole command. All rows, unless
    a limit is given.

    A list that is named (not a command, which says itself what it asks for) is asked for what Stripe's
    default filter would hide.
    """
    if isinstance(what, Command):
        requested = what
    else:
        name = what if catalogue_has(what) else f"{what}.list"
        module = catalogue.find(name)
        field = "limit" if module.get("limit") is not None else ""
        requested = command(name, **values, **({field: limit} if field else {}))
        if not field:
            requested.options.limit = limit
    request = prepare(requested, connection=connection)
    if request.method != "GET" or not (request.lists or request.limit_given):
        raise UsageFault(
            f"{request.module} is not a list; name a resource that has one: payment_intents, customers,"
            " invoices ..."
        )
    if not isinstance(what, Command) and (default := list_default(request.path, request.params)) is not None:
        request = replace(request, params=(*request.params, *default.params))
    if account:
        headers = tuple(pair for pair in request.headers if pair[0].lower() != "stripe-account")
        request = replace(request, headers=(*headers, ("Stripe-Account", account)))
    return request


def catalogue_has(name: str) -> bool:
    """Whether a name has an action of its own: `payment_intents.list`, but not `payment_intents`."""
    return name.rpartition(".")[2] in {"list", "search", "all"} or name.startswith("get")


def resource(name: str) -> str:
    """`payment_intents.list` -> `payment_intents`."""
    return name.removesuffix(".list")


def flat_names(names: Sequence[Any]) -> list[str]:
    """The names of lists, given one by one or as a list (`["customers", "refunds"]`). Raises `UsageFault` for
    anything else."""
    flat: list[str] = []
    for each in names:
        if isinstance(each, str):
            flat.append(each)
        elif isinstance(each, list | tuple) and all(isinstance(part, str) for part in each):
            flat.extend(each)
        else:
            raise UsageFault(
                f"{shown(each)} is not the name of a list; names are text: 'customers', 'invoices' ..."
            )
    return flat


def split_names(value: str | Sequence[str] | None) -> list[str]:
    """`"a,b"` or a list as a list."""
    return (
        [each.strip() for each in value.split(",") if each.strip()]
        if isinstance(value, str)
        else list(value or ())
    )


def version_of(request: Request) -> str:
    """The API version in which a request is answered; "" for the connection's."""
    return dict(request.headers).get("Stripe-Version", "")


def describe(
    frame: pd.DataFrame, object_type: str, *, complete: bool, notes: Sequence[str] = (), **more: Any
) -> pd.DataFrame:
    """Write into a frame of ours what it is, whether it is whole, and what there is to say."""
    return FrameInfo(object=object_type, complete=complete, more=more).put(frame, CallInfo(notes=list(notes)))
