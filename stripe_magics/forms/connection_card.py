"""The card of a connection: what a person needs to know of it, and what a restricted key may not read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stripe_magics import catalogue
from stripe_magics.errors import PermissionDenied
from stripe_magics.forms import html as cards

if TYPE_CHECKING:
    from stripe_magics.client.shared_connection import Connection

MAIN = (
    "account",
    "name",
    "mode",
    "clock",
    "on behalf of",
    "zone",
    "rate",
    "problem",
    "check",
    "warning",
    "unresolved",
)
"""What a person needs to know of a connection; the rest stands under Details."""


def connected_card(connection: Connection) -> str:
    """What the form is connected to; in amber where the account could not be checked."""
    facts = {name: str(value) for name, value in connection.status().items() if value}
    main = [f"{name}: {facts[name]}" for name in MAIN if name in facts]
    rest = [f"{name}: {value}" for name, value in facts.items() if name not in MAIN]
    problem = "problem" in facts or "check" in facts
    return cards.card(
        "ask" if problem else "good",
        "Connected, but not checked." if problem else "Connected.",
        main,
        details=rest,
    )


def missing_permissions(connection: Connection) -> list[str]:
    """What a restricted key may not read, by trying one row of each documented list; nothing is asked with a
    full key."""
    from stripe_magics.pipeline import call

    if not str(connection.key_hint).startswith("rk_"):
        return []
    missing = []
    for module in catalogue.documented():
        if (
            module.method == "GET"
            and module.lists
            and not any(each.required for each in module.fields)
            and not module.path.endswith("/search")
        ):
            try:
                call(module.name, limit=1, connection=connection)
            except PermissionDenied:
                missing.append(module.title)
    return missing
