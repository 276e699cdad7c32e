"""Which events are meant: one grammar for watches, handlers and webhook endpoints.

    *                   all events
    invoice, invoice.*  a group: types that start with its name, those of later versions of the API too
    charge.dispute.*    the types below that name
    invoice.paid        a type

A name that no type of Stripe's has is refused, with the closest ones that there are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from stripe_magics import catalogue
from stripe_magics._text import closest_matches
from stripe_magics.catalogue.event_types import EVENT_GROUPS, EVENT_TYPES
from stripe_magics.errors import UnknownName, UsageFault

MAX_TYPES = 20  # that Stripe's list of events takes at once


@dataclass(frozen=True, slots=True)
class EventFilter:
    """A choice of events. Nothing chosen is everything. `prefixes` are groups and parts of them: `invoice`,
    `charge.dispute`."""

    prefixes: tuple[str, ...] = ()
    types: tuple[str, ...] = ()

    def __call__(self, type: str) -> bool:
        """Whether events of that type are chosen."""
        if not self.prefixes and not self.types:
            return True
        return type in self.types or any(type.startswith(f"{prefix}.") for prefix in self.prefixes)

    def overlaps(self, other: EventFilter) -> bool:
        """Whether some event can be chosen by both."""
        return any(
            one in covering_names(two) or two in covering_names(one)
            for one in self.names
            for two in other.names
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The choice, name by name, as it is kept: `*`, `invoice.*`, `invoice.paid`. The order in which it
        was written says nothing."""
        return (*(f"{prefix}.*" for prefix in sorted(self.prefixes)), *sorted(self.types)) or ("*",)

    @property
    def all_types(self) -> tuple[str, ...]:
        """For a webhook endpoint: the types by name, or `*`."""
        if not self.prefixes and not self.types:
            return ("*",)
        below = [type for prefix in self.prefixes for type in _endpoint_types(prefix)]
        return tuple(dict.fromkeys([*below, *self.types]))

    @property
    def params(self) -> tuple[tuple[str, str], ...]:
        """How Stripe's list is narrowed as far as it can be; what it can't say is picked here."""
        if len(self.prefixes) == 1 and not self.types:
            return (("type", f"{self.prefixes[0]}.*"),)
        if self.types and not self.prefixes and len(self.types) == 1:
            return (("type", self.types[0]),)
        if self.types and not self.prefixes and len(self.types) <= MAX_TYPES:
            return tuple(("types[]", each) for each in self.types)
        return ()

    def __str__(self) -> str:
        return ", ".join((*(f"{prefix}.*" for prefix in self.prefixes), *self.types)) or "all events"


def event_filter(groups: Iterable[str] = (), types: Iterable[str] = ()) -> EventFilter:
    """The choice that names make: groups (`invoice`), patterns (`charge.dispute.*`), types (`invoice.paid`),
    `*`.

    Raises `UnknownName` for a name that no event has.
    """
    prefixes: list[str] = []
    single: list[str] = []
    everything = False
    for name in (*groups, *types):
        kind, plain = _read(name)
        everything = everything or kind == "all"
        if kind == "prefix":
            prefixes.append(plain)
        elif kind == "type":
            single.append(plain)
    if everything:
        return EventFilter()
    chosen = [
        each
        for each in dict.fromkeys(prefixes)
        if not any(each.startswith(f"{other}.") for other in prefixes)
    ]
    return EventFilter(
        tuple(chosen),
        tuple(
            name for name in dict.fromkeys(single) if not any(name.startswith(f"{each}.") for each in chosen)
        ),
    )


def covering_names(name: str) -> tuple[str, ...]:
    """The names under which everything that `name` means may have been read: itself, the groups that it is
    in, `*`."""
    parts = name.removesuffix(".*").split(".")
    wider = [f"{'.'.join(parts[:end])}.*" for end in range(len(parts) - 1, 0, -1)]
    return tuple(dict.fromkeys((name, *wider, "*")))


def _read(name: str) -> tuple[str, str]:
    written = name.strip()
    if written == "*":
        return "all", ""
    plain = written.removesuffix(".*")
    known = known_types()
    if written == plain and plain in known and plain not in EVENT_GROUPS:
        return "type", plain
    if _types_of(plain) and (written != plain or "." not in plain):
        return "prefix", plain
    if plain.startswith("v2."):
        raise UsageFault(
            f"{written!r} is an event of the v2 API, which carries no object. Only v1 events can be watched."
        )
    groups = {type.partition(".")[0] for type in known}
    near = closest_matches(plain, sorted({*groups, *known}), 3)
    if not near and _types_of(plain):
        near = [f"{plain}.*"]
    elif _types_of(plain):
        near = [f"{plain}.*", *near][:3]
    raise UnknownName("event or group of events", written, [each for each in near if each != written])


def _endpoint_types(prefix: str) -> tuple[str, ...]:
    """What an endpoint of the catalogue's version can ask for; of a name that only later versions have, what
    those can."""
    return tuple(type for type in EVENT_TYPES if type.startswith(f"{prefix}.")) or _types_of(prefix)


def _types_of(prefix: str) -> tuple[str, ...]:
    return tuple(type for type in known_types() if type.startswith(f"{prefix}."))


@lru_cache(maxsize=1)
def known_types() -> tuple[str, ...]:
    """All types of events: those of the catalogue, and those that a webhook endpoint of a version that is
    described can ask for."""
    module = catalogue.find("webhook_endpoints.update")
    fields = [catalogue.at_version(module, version).get("enabled_events") for version in catalogue.VERSIONS]
    later = [str(each) for field in fields if field is not None for each in field.choices]
    return tuple(dict.fromkeys([*EVENT_TYPES, *(each for each in later if each != "*")]))
