"""A Stripe account inside a notebook: `%load_ext stripe_magics`, then `%stripe` and `%%stripe`.

The same in Python, with the same names, errors and frames:

    import stripe_magics as sm
    sm.connect(sandbox=True)
    df = sm.call("customers.list", email="jenny@example.com", limit=50)

Nothing heavy is imported before it is used: the names below load their package on first access.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any

from stripe_magics import _first_use
from stripe_magics._interrupts import held_back
from stripe_magics._version import __version__

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics._command import Command
    from stripe_magics.accessor.file_exports import read_parquet
    from stripe_magics.accessor.payment_models import model
    from stripe_magics.bulk import pull, sql, sync
    from stripe_magics.client.shared_connection import close, connect, current
    from stripe_magics.errors import (
        CardDeclined,
        InvalidRequest,
        InvalidValue,
        OutcomeUnknown,
        StripeError,
        StripeMagicsError,
    )
    from stripe_magics.events import endpoints, listen, off, on, watch
    from stripe_magics.finance import close_month, journal, report, verify_close

_LAZY_EXPORTS = {
    "connect": "stripe_magics.client.shared_connection",
    "current": "stripe_magics.client.shared_connection",
    "close": "stripe_magics.client.shared_connection",
    "report": "stripe_magics.finance",
    "close_month": "stripe_magics.finance",
    "journal": "stripe_magics.finance",
    "verify_close": "stripe_magics.finance",
    "pull": "stripe_magics.bulk",
    "sync": "stripe_magics.bulk",
    "sql": "stripe_magics.bulk",
    "model": "stripe_magics.accessor.payment_models",
    "read_parquet": "stripe_magics.accessor.file_exports",
    "watch": "stripe_magics.events",
    "listen": "stripe_magics.events",
    "on": "stripe_magics.events",
    "off": "stripe_magics.events",
    "endpoints": "stripe_magics.events",
    "StripeMagicsError": "stripe_magics.errors",
    "StripeError": "stripe_magics.errors",
    "InvalidValue": "stripe_magics.errors",
    "InvalidRequest": "stripe_magics.errors",
    "CardDeclined": "stripe_magics.errors",
    "AuthenticationFailed": "stripe_magics.errors",
    "ConfirmationNeeded": "stripe_magics.errors",
    "IncompleteList": "stripe_magics.errors",
    "Interrupted": "stripe_magics.errors",
    "KeyRefused": "stripe_magics.errors",
    "NotConnected": "stripe_magics.errors",
    "NotFound": "stripe_magics.errors",
    "NotSent": "stripe_magics.errors",
    "PermissionDenied": "stripe_magics.errors",
    "RateLimited": "stripe_magics.errors",
    "RepeatRefused": "stripe_magics.errors",
    "StripeUnavailable": "stripe_magics.errors",
    "UnknownName": "stripe_magics.errors",
    "UsageFault": "stripe_magics.errors",
    "OutcomeUnknown": "stripe_magics.errors",
}

__all__ = [
    "AuthenticationFailed",
    "CardDeclined",
    "ConfirmationNeeded",
    "IncompleteList",
    "Interrupted",
    "InvalidRequest",
    "InvalidValue",
    "KeyRefused",
    "NotConnected",
    "NotFound",
    "NotSent",
    "OutcomeUnknown",
    "PermissionDenied",
    "RateLimited",
    "RepeatRefused",
    "StripeError",
    "StripeMagicsError",
    "StripeUnavailable",
    "UnknownName",
    "UsageFault",
    "__version__",
    "call",
    "close",
    "close_month",
    "command",
    "connect",
    "current",
    "endpoints",
    "form",
    "journal",
    "listen",
    "model",
    "modules",
    "off",
    "on",
    "pull",
    "read_parquet",
    "report",
    "sql",
    "sync",
    "verify_close",
    "watch",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY_EXPORTS:
        package = _LAZY_EXPORTS[name]
        if package == "stripe_magics.finance":
            _first_use.for_reports()
        if package == "stripe_magics.bulk":
            _first_use.for_bulk()
        with held_back():
            return getattr(import_module(package), name)
    raise AttributeError(f"module 'stripe_magics' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__


def _worded_for_python(function: Callable[..., Any]) -> Callable[..., Any]:
    """Faults of values name keywords (`amount`) in place of flags (`--amount`)."""

    @wraps(function)
    def worded(*names: Any, **values: Any) -> Any:
        from stripe_magics.errors import InvalidValue, UsageFault

        if len(names) != 1:
            module = repr(names[0]) if names else "'customers.retrieve'"
            raise UsageFault(
                f"{function.__name__} takes the name of a module first, and every value by its name.",
                advice=f"sm.{function.__name__}({module}, customer='cus_...'), for instance.",
            )
        try:
            return function(*names, **values)
        except InvalidValue as fault:
            raise fault.in_keywords() from None

    return worded


@_worded_for_python
def call(name: str, /, **values: Any) -> Any:
    """Call a module: `call("customers.list", email="jenny@example.com", limit=50)` -> DataFrame, one row an
    object.

    Keywords are the module's fields and the common options: `dry_run=True` (a `Request`; nothing is sent),
    `from_=frame` (one call a row, with a result column), `yes=True`, `again=True`, `expand=[...]`, `limit=N`
    or `"all"`, `idempotency="..."`. Amounts are int64 minor units, times datetime64 in UTC.

    Raises `UnknownName` for a module that there isn't, `InvalidValue` with all faults of names and values
    at once, `ConfirmationNeeded` for a write that asks first, `RepeatRefused` for one that was made before,
    `NotConnected`, and the `StripeError` of a request that failed: `CardDeclined`, `OutcomeUnknown` ...
    """
    _first_use.for_bulk() if "from_" in values or "to" in values else _first_use.for_calls()
    from stripe_magics import pipeline

    requested = pipeline.command(name, **values)
    _refuse_options_of_a_line(requested)
    if requested.options.from_ is not None:
        from stripe_magics.bulk import write_rows

        return write_rows(requested, requested.options.from_)
    served = handler_for(requested.module)
    if requested.options.to and not requested.options.dry_run:
        from stripe_magics.bulk import FrameAppender, save_command

        if served is None:
            return save_command(requested)
        return served(requested, sink=FrameAppender(requested.options.to, "event"))
    return served(requested) if served else pipeline.call(requested)


_OF_A_LINE = {
    "form": "sm.form makes a form",
    "out": "give what sm.call returns a name",
    "help": "`%stripe NAME?` shows the fields",
}
"""Options that mean something on a line alone, and what does it in Python."""


def _refuse_options_of_a_line(requested: Command) -> None:
    from stripe_magics.errors import Fault, InvalidValue

    faults = [
        Fault(each, each.capitalize(), f"is for lines; {instead}")
        for each, instead in _OF_A_LINE.items()
        if getattr(requested.options, each)
    ]
    if faults:
        raise InvalidValue(faults, module=requested.module)


@_worded_for_python
def command(name: str, /, **values: Any) -> Command:
    """The command that `call` makes of its keywords, without calling: `command("customers.create",
    name="Jenny")`. Raises `UnknownName` for a module, `InvalidValue` for an option."""
    from stripe_magics import pipeline

    return pipeline.command(name, **values)


@_worded_for_python
def form(name: str, /, **values: Any) -> Any:
    """The form of a module as a widget, prefilled: `form("customers.create", name="Jenny")`. Nothing is sent
    before its button is pressed.

    Raises `UnknownName` for a module or field that there isn't, `InvalidValue` for a value that is missing
    (None, NaN).
    """
    _first_use.for_forms()
    from stripe_magics import catalogue
    from stripe_magics.forms import module_form
    from stripe_magics.validation import refuse_missing

    refuse_missing(catalogue.find(name), values)
    return module_form(name, values, run=handler_for(name))


def handler_for(name: str) -> Any:
    """What serves a module in place of a request: Watch Events has a handler of its own."""
    from stripe_magics import catalogue

    return (
        import_module(f"stripe_magics.{handler}").run if (handler := catalogue.find(name).handler) else None
    )


def modules() -> pd.DataFrame:
    """All modules, one row each: name, title, method, path, effect (read, create, update, irreversible), all
    text; fields (their number, int64), documented (bool). No connection is needed."""
    from stripe_magics.modules_frame import modules_frame

    return modules_frame()


def load_ipython_extension(ipython: object) -> None:
    """`%load_ext stripe_magics`: registers the magics. Quiet; opens nothing."""
    from stripe_magics.magics import load

    load(ipython)


def unload_ipython_extension(ipython: object) -> None:
    """`%unload_ext stripe_magics`: takes everything back, closes the connection and forgets its key."""
    from stripe_magics.magics import unload

    unload(ipython)
