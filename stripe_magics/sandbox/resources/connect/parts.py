"""Objects that are kept by themselves and in the list of the object that they belong to: reversals of a
transfer, refunds of a fee."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.errors import missing
from stripe_magics.sandbox.core.metadata import take
from stripe_magics.sandbox.core.store import Account, Object


def find_part(account: Account, kind: str, owner_field: str, owner: str, identifier: str) -> Object:
    """The part of that id; refuses one that belongs to another object."""
    found = account.get(kind, identifier)
    if found is None or found[owner_field] != owner:
        raise missing(kind.replace("_", " "), identifier, "id")
    return found


def change_metadata(
    account: Account, part: Object, owner: Object, list_name: str, params: dict[str, Any]
) -> None:
    """Metadata of a part, there and in its owner's list."""
    take(part, params, ("metadata",))
    account.save(part["object"], part)
    listed = owner[list_name]
    owner[list_name] = {
        **listed,
        "data": [part if each["id"] == part["id"] else each for each in listed["data"]],
    }
    account.save(owner["object"], owner)
