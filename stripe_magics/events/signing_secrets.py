"""Where signing secrets are kept: the system's keyring, or, where there is none, this kernel's memory. Never shown whole.

A webhook endpoint's secret is given once, when it is created; `stripe listen` has one of its own, the same for every run on a machine.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from stripe_magics.client import credentials
from stripe_magics.client.secret import Secret
from stripe_magics.errors import KeyRefused, NotConnected
from stripe_magics.events.signature import check_secret

VARIABLE = "STRIPE_WEBHOOK_SECRET"
LISTEN = "webhook listen"

ADVICE = (
    "Run `stripe listen --print-secret` in a terminal and put what it prints into the environment variable "
    f"{VARIABLE} before the kernel starts, or type it when asked. It never belongs into a cell."
)

_held: dict[str, Secret] = {}


def entry(endpoint: str) -> str:
    """The key store's name for an endpoint's secret."""
    return f"webhook {endpoint}"


def keep(name: str, secret: Secret, *, lasting: bool = True) -> str:
    """Keep a secret; says in words where. `lasting=False`: only as long as this kernel."""
    _held[name] = secret
    if not lasting:
        return "this kernel's memory"
    try:
        credentials.store_in_keyring(name, secret)
    except NotConnected as problem:
        return f"this kernel's memory only ({problem.message.rstrip('.')})"
    return f"the system's keyring, entry {name!r}"


def forget(name: str) -> None:
    """Forget a secret, in the keyring too."""
    _held.pop(name, None)
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return
    try:
        keyring.delete_password(credentials.SERVICE, name)
    except (
        KeyringError,
        RuntimeError,
        OSError,
    ):  # it isn't there, or there is no keyring: nothing is kept either way
        return


def known(name: str) -> Secret | None:
    """A secret that was kept."""
    if name not in _held:
        found = credentials.from_keyring(name)
        if found is None:
            return None
        _held[name] = found[0]
    return _held[name]


def for_listening(
    env: str = "", *, ask: Callable[[], Secret] | None = None, needed: bool = True
) -> list[Secret]:
    """The secrets that a receiver accepts: of the environment variable, of the key store, of this kernel's endpoints; else it asks.

    Raises `KeyRefused` with what to do where one is needed, there is none and nobody to ask.
    """
    if env and not os.environ.get(env, "").strip():
        raise KeyRefused(f"There is no environment variable {env}.", advice=ADVICE)
    found = [
        Secret(value.strip())
        for name in (env, VARIABLE)
        if name and (value := os.environ.get(name, "")).strip()
    ]
    kept = known(LISTEN)
    found += [kept] if kept is not None else []
    found += [secret for name, secret in _held.items() if name != LISTEN]
    if not found and needed:
        typed = (ask or _ask)()
        keep(LISTEN, check_secret(typed))
        found = [typed]
    return list(dict.fromkeys(check_secret(each) for each in found))


def _ask() -> Secret:
    from IPython.core.error import StdinNotImplementedError

    try:
        typed, _ = credentials.ask_for_key("Signing secret of stripe listen (whsec_...): ")
    except (StdinNotImplementedError, EOFError):
        raise KeyRefused(
            "There is no signing secret to check events with, and nobody to ask for one.", advice=ADVICE
        ) from None
    return typed
