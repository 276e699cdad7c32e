"""The connection that every interface shares: `connect` opens it, `current` gives it, `close` forgets it
together with its key."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from datetime import UTC, tzinfo
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, cast

from stripe_magics._interrupts import held_back
from stripe_magics._redaction import KEY
from stripe_magics._text import closest_matches, shown
from stripe_magics.catalogue import PINNED_VERSION
from stripe_magics.client import credentials
from stripe_magics.client.call_context import current_context
from stripe_magics.client.connection import Connection
from stripe_magics.client.http import logging_filter
from stripe_magics.client.http.retry import Policy
from stripe_magics.client.journal.cell_origin import present_tracker
from stripe_magics.client.secret import Secret, classify
from stripe_magics.client.sending import request_checks
from stripe_magics.errors import (
    KeyRefused,
    NotConnected,
    PermissionDenied,
    RateLimited,
    StripeMagicsError,
    StripeUnavailable,
    UnknownName,
    UsageFault,
)

if TYPE_CHECKING:
    import httpx

__all__ = ["Connection", "close", "connect", "current", "share", "shared"]

SANDBOX_URL = "http://sandbox.invalid"
SANDBOX_KEY = "sk_test_sandbox_takes_any"  # no secret: the sandbox wants something that looks like a key

_SHARED: Connection | None = None

P = ParamSpec("P")


def _named_options(function: Callable[P, Connection]) -> Callable[P, Connection]:
    """Refuses, in words of ours, what `function` has no argument for; a key foremost: there is no argument
    that takes one."""
    known = list(inspect.signature(function).parameters)

    @wraps(function)
    def checked(*positional: P.args, **options: P.kwargs) -> Connection:
        given = [*positional, *(value for value in options.values() if isinstance(value, str))]
        if any(isinstance(value, str) and KEY.search(value) for value in given):
            raise KeyRefused(
                "There is a key in this call. It was not used, and nothing was sent.",
                advice=(
                    "No argument takes a key: sm.connect(env='STRIPE_API_KEY') names where it is. Roll this"
                    " one at Stripe (Developers > API keys) if others can read what was typed."
                ),
            )
        if positional:
            raise UsageFault(
                f"connect takes named arguments only; {shown(positional[0])} has no name.",
                advice="sm.connect(sandbox=True), or sm.connect(env='STRIPE_API_KEY').",
            )
        for name in options:
            if name not in known:
                raise UnknownName("argument of connect", name, closest_matches(name, known))
        return function(*positional, **options)

    return checked


@_named_options
def connect(  # noqa: PLR0913 - public: each is a keyword of its own
    *,
    sandbox: bool = False,
    demo: bool = True,
    today: bool = False,
    env: str = "",
    profile: str = "",
    name: str = "",
    account: str = "",
    api_version: str = "",
    api_base: str = "",
    rate: float | None = None,
    zone: str = "",
    secret: Secret | None = None,
    transport: httpx.BaseTransport | None = None,
    policy: Policy | None = None,
) -> Connection:
    """Open the connection that every interface shares, and give it.

    `sandbox=True` is the embedded account: no key, no network (`demo=False` starts it empty; with
    `today=True` its demo ends today and its clock runs, else it stands still). Otherwise the key comes from
    the environment variable `env`, the Stripe CLI's `profile`, or, with neither, from STRIPE_API_KEY, the
    keyring (entry `name`), the CLI's default profile. For code there are a `secret` that was read already, an
    httpx `transport` in place of the network, and a `policy` of retries.
    `account` acts for a connected account, `api_version` sets another Stripe-Version, `api_base` another host
    (Stripe's, or this machine for tests), `rate` the requests per second, `zone` the time zone of dates
    ("Europe/Zurich"; UTC without).
    The key is tried on the account at once. Raises `NotConnected`, `KeyRefused`, or the `StripeError` of a
    key that Stripe refuses, an account that it can't reach or a network that isn't there; an earlier
    connection then stays as it was.
    """
    clock = time_zone(zone)
    if rate is not None and not rate > 0:
        raise NotConnected("The rate must be more than 0 requests per second.")
    if today and not sandbox:
        raise NotConnected("--today is for the sandbox: Stripe's own clock can't be chosen.")
    elsewhere = [
        f"--{each.replace('_', '-')}"
        for each, value in (("env", env), ("profile", profile), ("api_base", api_base))
        if value
    ]
    if sandbox and elsewhere:
        raise NotConnected(
            f"The sandbox needs no key and no host: leave out --sandbox, or {' and '.join(elsewhere)}."
        )
    if api_version and not re.fullmatch(r"\d{4}-\d{2}-\d{2}(\.\w+)?", api_version):
        raise NotConnected(f"{api_version!r} is not an API version, such as {PINNED_VERSION}.")
    common: dict[str, Any] = {
        "name": name,
        "account": account,
        "api_version": api_version,
        "zone": clock,
        "rate": rate,
        "policy": policy,
    }
    if sandbox:
        if transport is None:
            with held_back():
                from stripe_magics.sandbox import SandboxTransport

            transport = SandboxTransport(demo=demo, today=today)
        made = Connection(
            secret=Secret(SANDBOX_KEY),
            mode="sandbox",
            base=SANDBOX_URL,
            source="sandbox",
            transport=transport,
            **common,
        )
    else:
        found, source = (
            credentials.Found(secret, "typed")
            if secret is not None
            else credentials.find(env=env, profile=profile, name=name)
        )
        mode = classify(found.reveal()).mode
        made = Connection(
            secret=found,
            mode=mode,
            base=request_checks.check_base(api_base, mode),
            source=source,
            transport=transport,
            **common,
        )
        _verify(made)
    return share(made)


def _verify(connection: Connection) -> None:
    """Ask Stripe for the account, so that a key that it refuses, or a network that isn't there, fails here
    and not in the middle of the work.

    Raises what went wrong; the earlier connection stays. Where Stripe itself can't say (a restricted key that
    may not read the account, a rate limit, a failure of Stripe's), the connection is made and says that it
    was not checked.
    """
    try:
        connection.account_object()
    except PermissionDenied as problem:
        if not (problem.code == "account_invalid" or (connection.account and not problem.request_id)):
            connection.unchecked = problem.message
            return
        fault: BaseException = problem
    except (RateLimited, StripeUnavailable) as problem:
        if problem.status and problem.request_id:
            connection.unchecked = problem.message
            return
        fault = problem
    except BaseException as problem:  # Stop as well: the key must be forgotten
        fault = problem
    else:
        return
    connection.close()
    if isinstance(fault, StripeMagicsError) and _SHARED is not None:
        fault.add_facts(f"The earlier connection stays: {_SHARED!r}.")
    raise fault.with_traceback(None) from None


def time_zone(name: str) -> tzinfo:
    """The zone of that name; UTC without one. Raises `NotConnected`."""
    if not name or name.upper() == "UTC":
        return UTC
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise NotConnected(f"{name!r} is not a time zone; one looks like Europe/Zurich.") from None


def share(connection: Connection) -> Connection:
    """Make a connection the shared one; the one before is closed."""
    global _SHARED
    present_tracker()  # cells are counted from the one that connects
    if _SHARED is not None and _SHARED is not connection:
        _SHARED.close()
    _SHARED = connection
    return connection


def current() -> Connection:
    """The connection of the handler that runs, else the shared one. Raises `NotConnected` with what to do."""
    context = current_context()
    if context is not None:
        return cast("Connection", context.connection)  # handlers are registered on one
    if _SHARED is None:
        raise NotConnected(
            "There is no connection yet.",
            advice="%stripe connect opens one; %stripe connect --sandbox needs no key.",
        )
    return _SHARED


def shared() -> Connection | None:
    """The connection of the handler that runs, else the shared one, or None."""
    context = current_context()
    if context is not None:
        return cast("Connection", context.connection)  # handlers are registered on one
    return _SHARED


def close() -> None:
    """Close the shared connection and forget its key. Its watches end; without a connection nothing
    happens."""
    global _SHARED
    if _SHARED is not None:
        _SHARED.close()
        logging_filter.uninstall()
    _SHARED = None
