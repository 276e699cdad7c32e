"""Which events a watch wants: whole groups, single types, or all of them.

A group also means types that later versions of Stripe's API add to it, which no table here can know.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stripe_magics._text import closest_matches
from stripe_magics.catalogue.event_types import EVENT_GROUPS, EVENT_TYPES
from stripe_magics.errors import UnknownName

MOST_TYPES = 20  # that Stripe's list of events takes at once


@dataclass(frozen=True, slots=True)
class EventFilter:
    """A choice of events. Nothing chosen is everything."""

    groups: tuple[str, ...] = ()
    types: tuple[str, ...] = ()

    def __call__(self, type: str) -> bool:
        """Whether events of that type are wanted."""
        if not self.groups and not self.types:
            return True
        return type in self.types or type.partition(".")[0] in self.groups

    @property
    def all_types(self) -> tuple[str, ...]:
        """For a webhook endpoint: the types by name, or `*`."""
        names = [name for group in self.groups for name in EVENT_GROUPS[group]] + list(self.types)
        return tuple(dict.fromkeys(names)) or ("*",)

    @property
    def params(self) -> tuple[tuple[str, str], ...]:
        """How Stripe's list is narrowed as far as it can be; what it can't say is picked here."""
        if len(self.groups) == 1 and not self.types:
            return (("type", f"{self.groups[0]}.*"),)
        if self.types and not self.groups and len(self.types) == 1:
            return (("type", self.types[0]),)
        if self.types and not self.groups and len(self.types) <= MOST_TYPES:
            return tuple(("types[]", each) for each in self.types)
        return ()

    def __str__(self) -> str:
        return ", ".join((*(f"{group}.*" for group in self.groups), *self.types)) or "all events"


def requested(groups: Iterable[str] = (), types: Iterable[str] = ()) -> EventFilter:
    """The choice that names make: groups (`invoice`), types (`invoice.paid`), patterns (`invoice.*`), `*`. Raises `UnknownName`."""
    chosen: list[str] = []
    single: list[str] = []
    everything = False
    for name in (*groups, *types):
        plain = name.strip().removesuffix(".*")
        if plain == "*":
            everything = True
        elif plain in EVENT_GROUPS:
            chosen.append(plain)
        elif "." in plain and plain.partition(".")[0] in {*EVENT_GROUPS, *_groups_of_later_versions()}:
            single.append(plain)  # perhaps newer than the table: Stripe is the judge
        else:
            raise UnknownName(
                "event or group of events", name, closest_matches(plain, [*EVENT_GROUPS, *EVENT_TYPES], 3)
            )
    if everything:
        return EventFilter()
    return EventFilter(
        tuple(dict.fromkeys(chosen)),
        tuple(name for name in dict.fromkeys(single) if name.partition(".")[0] not in chosen),
    )


def _groups_of_later_versions() -> tuple[str, ...]:
    return (
        *(
            "apps",
            "balance_settings",
            "billing",
            "climate",
            "entitlements",
            "invoice_payment",
            "issuing_personalization_design",
        ),
        *("issuing_token", "reserve", "three_d_secure"),
    )
