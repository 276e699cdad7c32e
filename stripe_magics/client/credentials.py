"""Where keys come from: an environment variable (or Colab's userdata), the keyring, the Stripe CLI's profile,
a prompt.

Each gives a `Secret` and says in words where it found it. Nothing is printed, nothing is written.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from stripe_magics._redaction import redact
from stripe_magics.client.secret import Secret
from stripe_magics.errors import KeyRefused, NotConnected

DEFAULT = "STRIPE_API_KEY"
SERVICE = "stripe_magics"  # in the keyring


class Found(NamedTuple):
    """A key and where it was found, in words."""

    secret: Secret
    source: str


ADVICE = (
    "A key comes from an environment variable (%stripe connect --env STRIPE_API_KEY), the keyring, the Stripe"
    " CLI's login, or the connection form (%stripe connect). Without any: %stripe connect --sandbox"
)


def find(*, env: str = "", profile: str = "", name: str = "") -> Found:
    """The first key that there is, in the order above; a named source is asked alone. Raises
    `NotConnected`."""
    if env:
        if redact(env) != env:
            raise KeyRefused(
                "That looks like a key, not like the name of an environment variable. It was not used.",
                advice=ADVICE,
            )
        found = from_environment(env) or from_colab(env)
        if found is None:
            raise NotConnected(f"There is no environment variable {env}.", advice=ADVICE)
        return found
    if profile:
        found = from_cli(profile)
        if found is None:
            raise NotConnected(
                f"The Stripe CLI has no test key in a profile {profile!r} ({cli_config()}).", advice=ADVICE
            )
        return found
    sources: tuple[Callable[[], Found | None], ...] = (
        lambda: from_environment(DEFAULT),
        lambda: from_colab(DEFAULT),
        lambda: from_keyring(name or "default"),
        lambda: from_cli("default"),
    )
    for source in sources:
        found = source()
        if found is not None:
            return found
    raise NotConnected("No key was found.", advice=ADVICE)


def from_environment(name: str) -> Found | None:
    """A variable of the kernel's environment."""
    value = os.environ.get(name, "").strip()
    return Found(Secret(value), f"environment variable {name}") if value else None


def from_colab(name: str) -> Found | None:
    """Colab's own secrets; only inside Colab. Raises `NotConnected` for one that is there and can't be
    read."""
    if "google.colab" not in sys.modules:
        return None
    userdata: Any = __import__("google.colab.userdata", fromlist=["get"])
    try:
        value = str(userdata.get(name) or "").strip()
    except userdata.SecretNotFoundError:
        return None
    except userdata.NotebookAccessError:
        raise NotConnected(
            f"This notebook has no access to the Colab secret {name}.",
            advice='Open "Secrets" at the left and switch on "Notebook access" for it.',
        ) from None
    except Exception as problem:  # a run without Colab's page has nobody who answers
        raise NotConnected(
            f"Colab did not give the secret {name} ({type(problem).__name__}).",
            advice="Secrets can only be read while the notebook is open in Colab.",
        ) from None
    return Found(Secret(value), f"Colab secret {name}") if value else None


def from_keyring(name: str) -> Found | None:
    """An entry of the system's keyring: service stripe_magics, the connection's name as the user."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return None
    try:
        value = keyring.get_password(SERVICE, name)
    except (KeyringError, RuntimeError, OSError):  # no usable keyring on this machine
        return None
    return Found(Secret(value.strip()), f"keyring entry {name}") if value else None


def store_in_keyring(name: str, secret: Secret) -> None:
    """Keep a key in the system's keyring, if there is one. Raises `NotConnected` if not."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        raise NotConnected(
            "The package `keyring` isn't installed.", advice="pip install 'stripe_magics[keyring]'"
        ) from None
    failed = ""
    try:
        keyring.set_password(SERVICE, name or "default", secret.reveal())
    except (KeyringError, RuntimeError, OSError) as problem:
        failed = type(problem).__name__
    if failed:
        raise NotConnected(f"The system's keyring can't be used ({failed}). The key was not stored.")


def cli_config() -> Path:
    """The Stripe CLI's file."""
    home = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(home) / "stripe" / "config.toml"


def from_cli(profile: str) -> Found | None:
    """The test key of a profile of the Stripe CLI. `NAME:live` asks for its live key."""
    import tomllib

    path = cli_config()
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise NotConnected(f"The Stripe CLI's file {path} can't be read.") from None
    name, _, mode = profile.partition(":")
    section = data.get(name)
    if not isinstance(section, dict):
        return None
    value = str(section.get("live_mode_api_key" if mode == "live" else "test_mode_api_key") or "").strip()
    if "*" in value:
        raise NotConnected(
            f"The Stripe CLI keeps the {mode or 'test'} key of {name!r} in the system's keyring, where only"
            " it can read it.",
            advice=ADVICE,
        )
    return Found(Secret(value), f"Stripe CLI profile {name}") if value else None


def ask_for_key(prompt: str = "Stripe key: ") -> Found:
    """Typed at a prompt that shows nothing."""
    from getpass import getpass

    try:
        return Found(Secret(getpass(prompt).strip()), "typed")
    except EOFError:
        raise NotConnected("There is nobody to type a key.", advice=ADVICE) from None
