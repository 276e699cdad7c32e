"""Where the connection form takes a key from, and which source it offers first."""

from __future__ import annotations

from typing import Any

from stripe_magics.errors import NotConnected

SOURCES: dict[str, tuple[str, str, str]] = {
    "sandbox": ("Sandbox: an embedded account, no key, no network", "", ""),
    "env": ("Environment variable", "Variable", "STRIPE_API_KEY"),
    "keyring": ("Keyring of this computer", "Keyring entry", "default"),
    "cli": ("Stripe CLI's login", "CLI profile", "default"),
    "paste": ("Paste a key once", "", ""),
}
"""Source -> (words, label of what it needs, its usual value)."""


def first_source() -> str:
    """What the form offers first: an environment variable if there is one, else the sandbox."""
    import os

    return "env" if os.environ.get("STRIPE_API_KEY") else "sandbox"


def keyring_secret(name: str) -> Any:
    from stripe_magics.client.credentials import from_keyring

    found = from_keyring(name)
    if found is None:
        raise NotConnected(
            f"The keyring has no entry {name} of stripe_magics, or there is no keyring.",
            advice="Paste the key once and keep it there.",
        )
    return found[0]
