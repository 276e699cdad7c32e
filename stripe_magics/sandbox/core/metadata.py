"""How given values change an object: metadata merges, an empty text clears, an address keeps all its
parts."""

from __future__ import annotations

from typing import Any

from stripe_magics.sandbox.api.errors import invalid

MOST_NAMES = 50


def merged_metadata(present: dict[str, str] | None, given: dict[str, str] | None) -> dict[str, str]:
    """Metadata after an update: names merge, an empty value removes its name, None clears all."""
    if given is None:
        return {}
    merged = {**(present or {}), **given}
    merged = {name: value for name, value in merged.items() if value != ""}
    if len(merged) > MOST_NAMES:
        raise invalid(
            f"Metadata takes at most {MOST_NAMES} names; there would be {len(merged)}", param="metadata"
        )
    return merged


def take(subject: dict[str, Any], params: dict[str, Any], names: tuple[str, ...]) -> None:
    """Set what was given among these names; metadata merges."""
    for name in names:
        if name == "metadata" and name in params:
            subject["metadata"] = merged_metadata(subject.get("metadata"), params["metadata"])
        elif name in params:
            subject[name] = params[name]
