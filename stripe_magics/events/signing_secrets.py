"""Which signing secrets a receiver accepts. Where they are kept is in client/one_time_secrets.py; never shown
whole.

A webhook endpoint's secret is given once, when it is created; `stripe listen` has one of its own, the same
for every run on a machine. Each belongs to one account and mode: a receiver of one connection takes none that
was kept for another.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from stripe_magics._files import write_atomically
from stripe_magics.client import credentials, one_time_secrets
from stripe_magics.client.one_time_secrets import endpoint_entry
from stripe_magics.client.secret import Secret
from stripe_magics.errors import KeyRefused, UsageFault
from stripe_magics.events.signature import check_secret

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection

VARIABLE = "STRIPE_WEBHOOK_SECRET"

ADVICE = (
    "Run `stripe listen --print-secret` in a terminal and put what it prints into the environment variable "
    f"{VARIABLE} before the kernel starts, or type it when asked. It never belongs into a cell."
)
LOST = (
    "Its signing secret isn't kept on this machine, and Stripe gives it once only: roll it in the Dashboard "
    "(Developers, Webhooks, the endpoint, Roll secret), or delete the endpoint and make another."
)


def listen_entry(connection: Connection) -> str:
    """The name under which the secret of `stripe listen` is kept: one for each account and mode."""
    return f"webhook listen {connection.scope(connection.account)[:16]}"


def for_listening(
    connection: Connection, env: str = "", *, ask: Callable[[], Secret] | None = None, needed: bool = True
) -> list[Secret]:
    """The secrets that a receiver accepts: of the environment variable, of the key store, of this
    connection's endpoints; else it asks.

    Raises `KeyRefused` with what to do where one is needed, there is none and nobody to ask.
    """
    if env and not os.environ.get(env, "").strip():
        raise KeyRefused(f"There is no environment variable {env}.", advice=ADVICE)
    found = [
        Secret(value.strip())
        for name in (env, VARIABLE)
        if name and (value := os.environ.get(name, "")).strip()
    ]
    listen = listen_entry(connection)
    kept = one_time_secrets.known(connection, listen)
    found += [kept] if kept is not None else []
    found += [secret for name, secret in one_time_secrets.held(connection).items() if name != listen]
    if not found and needed:
        typed = (ask or _ask)()
        one_time_secrets.store(connection, listen, check_secret(typed))
        found = [typed]
    return list(dict.fromkeys(check_secret(each) for each in found))


def write_to(connection: Connection, endpoint: str, target: str | Path, *, name: str = VARIABLE) -> str:
    """Put an endpoint's secret where a server reads it: a line `NAME=whsec_...` in a file that only the user
    can read. Never on screen.

    Other lines of the file stay. Raises `KeyRefused` if the secret isn't kept here. Says in words what was
    written.
    """
    secret = one_time_secrets.known(connection, endpoint_entry(endpoint))
    if secret is None:
        raise KeyRefused(f"The secret of {endpoint} isn't here.", advice=LOST)
    if not name.isidentifier():
        raise UsageFault(f"{name!r} can't be the name of an environment variable.")
    path = Path(target).expanduser()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        lines = []
    except (OSError, UnicodeDecodeError) as problem:
        raise UsageFault(f"{path} can't be read ({problem}). Nothing was written.") from None
    others = [line for line in lines if not line.startswith(f"{name}=")]
    write_atomically(path, "\n".join([*others, f"{name}={secret.reveal()}", ""]), private=True)
    return (
        f"{name} with the signing secret {secret.hint} of {endpoint} is in {path}, which only you can read."
    )


def _ask() -> Secret:
    from IPython.core.error import StdinNotImplementedError

    try:
        typed, _ = credentials.ask_for_key("Signing secret of stripe listen (whsec_...): ")
    except (StdinNotImplementedError, EOFError):
        raise KeyRefused(
            "There is no signing secret to check events with, and nobody to ask for one.", advice=ADVICE
        ) from None
    return typed
