"""The events that Stripe reports, by group: a group is the part of a type before its first dot.

They are those that a webhook endpoint of the pinned version can ask for, from the generated facts; later
versions know more, and the watch takes any. Types that no version since 2023 knows are marked: they are
neither offered nor sent.
"""

from __future__ import annotations

from stripe_magics.catalogue.generated import facts
from stripe_magics.catalogue.versions import PINNED_VERSION

DEAD_EVENT_TYPES = (
    "order.created", "recipient.created", "recipient.deleted", "recipient.updated", "sku.created",
    "sku.deleted", "sku.updated"
)  # fmt: skip
DEAD_EVENT_GROUPS = ("order", "recipient", "sku")


def event_types(version: str) -> tuple[str, ...]:
    """The types that a webhook endpoint of an API version can ask for."""
    endpoint = facts.data().endpoints["POST", "/v1/webhook_endpoints"]
    return tuple(each for each in facts.choices(endpoint, "enabled_events", version) if "." in each)


def event_groups(version: str) -> dict[str, tuple[str, ...]]:
    """The same by group."""
    groups: dict[str, tuple[str, ...]] = {}
    for name in event_types(version):
        group = name.partition(".")[0]
        groups[group] = (*groups.get(group, ()), name)
    return groups


EVENT_GROUPS: dict[str, tuple[str, ...]] = event_groups(PINNED_VERSION)
EVENT_TYPES: tuple[str, ...] = event_types(PINNED_VERSION)
