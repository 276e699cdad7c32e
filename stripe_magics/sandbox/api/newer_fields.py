"""Fields that only objects of the newer version have, and of which there is nothing to say here: null, as the
types of both releases have it. What a change in `version_changes` fills stays as it is.

Which ones they are comes from the catalogue's facts: in the newer release's type, not in the older one's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from stripe_magics.catalogue.generated import objects
from stripe_magics.sandbox.api.versions import NEWER, OLDER

ABSENT = {
    "presentment_details": "only where a payment was shown in another currency",
    "hooks": "only where something waits for a payment",
    "payment_details": "only what was given of a trip or an order",
    "branding_settings": "only where they were given",
    "name_collection": "only where names are collected",
    "confirmation_secret": "only where it is expanded",
    "capabilities": "those that were asked for",
    "destination_details": "one part, by the way that a refund takes",
    "enhanced_evidence": "what was submitted",
    "enhanced_eligibility": "what a dispute is eligible for",
    "amount_details": "the parts that were given",
    "country_options": "those of its country",
    "refund_and_dispute_prefunding": "only where funds are set aside",
}
"""Names that stay away where there is nothing to say, or whose parts do."""


def complete(kind: str, of: dict[str, Any]) -> None:
    """Put what is missing on an object of the newer version, in place."""
    for path in _added(kind):
        here: Any = of
        for part in path[:-1]:
            here = here.get(part)
            if not isinstance(here, dict):
                break
        else:
            here.setdefault(path[-1], None)


@cache
def _added(kind: str) -> tuple[tuple[str, ...], ...]:
    older, newer = (objects.facts(version).get(kind) for version in (OLDER, NEWER))
    return tuple(_paths(older, newer)) if older and newer else ()


def _paths(older: Mapping[str, Any], newer: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, of in newer.items():
        if name == "@" or name in ABSENT or of == "sublist":
            continue
        known = older.get(name)
        if known is None:
            yield (name,)
        elif isinstance(known, Mapping) and isinstance(of, Mapping) and "@" not in of:
            yield from ((name, *path) for path in _paths(known, of))
