"""Tax rates as objects: those that a person makes, and those that the sandbox makes for taxes that it finds
or is given."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.errors import invalid_before_execution
from stripe_magics.sandbox.core.store import Account, Object


def new_tax_rate(account: Account, identifier: str, given: dict[str, Any]) -> Object:
    """A tax rate; not stored."""
    return {
        "id": identifier,
        "object": "tax_rate",
        "active": given.get("active", True),
        "country": given.get("country"),
        "created": account.now,
        "description": given.get("description"),
        "display_name": given["display_name"],
        "effective_percentage": given["percentage"],
        "flat_amount": None,
        "inclusive": given["inclusive"],
        "jurisdiction": given.get("jurisdiction"),
        "jurisdiction_level": given.get("jurisdiction_level"),
        "livemode": False,
        "metadata": {},
        "percentage": given["percentage"],
        "rate_type": "percentage",
        "state": given.get("state"),
        "tax_type": given.get("tax_type"),
    }


def check_percentage(percentage: float, param: str) -> None:
    """Refuse what is no share of a whole."""
    if not 0 <= percentage <= 100:
        raise invalid_before_execution("percentage lies between 0 and 100.", param=param)


def archived_rate(account: Account, given: dict[str, Any]) -> Object:
    """The rate of taxes that were worked out elsewhere: made when first given, archived, found again when
    given alike."""
    of = "".join(f"{name}={given[name]};" for name in sorted(given))
    identifier = f"txr_{account.letters(f'given{of}', 24)}"
    found = account.peek("tax_rate", identifier)
    if found is not None:
        return found
    return account.add("tax_rate", new_tax_rate(account, identifier, {**given, "active": False}))
