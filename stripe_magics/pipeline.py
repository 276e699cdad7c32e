"""The pipeline: a command becomes a request, the request an answer, the answer a DataFrame.

Every interface (a magic, a form, Python) comes through `call`. What it does, in order:

1. `bind` types the values of the command and names every fault at once; nothing is sent before all of them
   are right;
2. `build` makes the request; a dry run returns it here;
3. lists are paged until the limit is reached; anything else is sent once, and the calls that follow it after
   it;
4. the pages become a frame whose `attrs["stripe"]` says where it is from and whether it is complete.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from stripe_magics import catalogue
from stripe_magics._call_run import CallRun
from stripe_magics._command import Command
from stripe_magics._options import Options
from stripe_magics.catalogue.module import Module
from stripe_magics.errors import UsageFault
from stripe_magics.progress import ProgressGroup
from stripe_magics.request import Request, build

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.client.journal.journal import Origin
    from stripe_magics.client.shared_connection import Connection


def command(name: str, /, **values: Any) -> Command:
    """A command as Python writes it: `command("customers.list", email="jenny@example.com", limit=50)`.

    A keyword is a field of the module; where the module has none of that name, it is an option common to all
    (`dry_run`, `yes`, `again`, `expand` ...).
    """
    from stripe_magics.parsing.keywords import command_of
    from stripe_magics.validation.nesting import check_values

    check_values(values.items(), module=name)
    return command_of(name, values)


def prepare(command: Command, *, connection: Connection | None = None) -> Request:
    """The request that a command stands for. Pure: nothing is sent. Raises `InvalidValue` with all faults."""
    from stripe_magics.request import api_version
    from stripe_magics.validation.nesting import check_values

    module = catalogue.find(command.module)
    check_values((*command.values.items(), *command.params), module=module.name)
    forced = connection.api_version if connection is not None and connection.version_forced else ""
    stated = command.options.stripe_version or forced
    lifted = "" if stated else api_version.newest_only(module, command.values, command.params)
    version = stated or (catalogue.NEWEST_VERSION if lifted else catalogue.PINNED_VERSION)
    request = _built(module, command, version, connection)
    if not stated and not lifted and (lifted := api_version.newest_only_in(request)):
        request = _built(module, command, version := catalogue.NEWEST_VERSION, connection)
    api_version.check(request, dict(request.headers).get("Stripe-Version", version), module)
    if lifted:
        request = replace(request, warnings=(*request.warnings, api_version.lifted_note(lifted)))
    return request


def _built(module: Module, command: Command, version: str, connection: Connection | None) -> Request:
    """The request at one API version."""
    from stripe_magics.validation import bind

    zone = connection.zone if connection else UTC
    module = catalogue.at_version(module, version)
    now = datetime.fromtimestamp(connection.stripe_time(), UTC) if connection else None
    bound = bind(module, command.values, command.params, zone=zone, api_version=version, now=now)
    expand = _expand(module, command.options, version)
    return build(bound, replace(command.options, stripe_version=version, expand=expand))


def _expand(module: Module, options: Options, version: str) -> list[str]:
    """The paths to expand: `--columns customer_name` brings each row's customer along, in the same request. A
    write's stays as it is."""
    if not options.columns or module.method != "GET":
        return options.expand
    from stripe_magics.frames.column_names import expansions

    prefix = "data." if module.lists else ""
    references = expansions(module.object, options.columns, options.expand, version).values()
    return list(dict.fromkeys([*options.expand, *(f"{prefix}{each}" for each in references)]))


def call(
    name: str | Command,
    /,
    *,
    origin: Origin | None = None,
    ask: Callable[[str], str] | None = None,
    progress: Callable[[int, int], object] | None = None,
    connection: Connection | None = None,
    **values: Any,
) -> pd.DataFrame | Request | Any:
    """Call a module and return its answer as a DataFrame, one row an object.

    `name` is a module ("customers.list") with its fields as keywords, or a `Command`. `dry_run=True` returns
    the `Request` and sends nothing; `raw=True` returns Stripe's JSON. Amounts are int64 minor units, times
    datetime64[us, UTC].

    Raises `InvalidValue` before anything is sent, a `StripeError` afterwards; see `stripe_magics.errors` for
    the tree.
    """
    from stripe_magics.client.http.request_encoder import is_document
    from stripe_magics.client.journal import cell_origin
    from stripe_magics.client.shared_connection import current, shared

    requested = name if isinstance(name, Command) else command(name, **values)
    options = requested.options
    if options.dry_run:
        return prepare(requested, connection=connection or shared())
    connection = connection or current()
    request = prepare(requested, connection=connection)
    if is_document(request.method, request.path):
        raise UsageFault(
            f"{request.module} gives a file, and no table. Nothing was read.",
            advice='--to FILE writes it: --to quote.pdf (in Python: to="quote.pdf").',
        )
    together = ProgressGroup(progress, 1 + len(request.merged_requests))
    run = CallRun(
        connection,
        request,
        requested,
        origin=origin or cell_origin.origin(),
        ask=ask,
        together=together,
        notes=list(request.warnings),
    )
    if request.method == "GET" and (request.lists or request.returns == "any"):
        return run.read()
    return run.write()
