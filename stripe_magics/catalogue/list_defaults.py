"""What a list leaves out unless it is asked for more: Stripe's default filters, by path.

Whoever wants a list whole (a pull, a mirror) asks with `params`; whoever shows one says what is `hidden`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Params = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ListDefault:
    """What is hidden, the parameters that show it (none: nothing does), and how a person asks for it."""

    hidden: str
    params: Params = ()
    flag: str = ""
    filters: frozenset[str] = frozenset()  # parameters of the list that replace its default

    def note(self) -> str:
        """What a list that was read with its default says."""
        return f"{self.hidden} are not among them{': ' + self.flag if self.flag else ''}."


LIST_DEFAULTS: Mapping[str, ListDefault] = {
    "/v1/subscriptions": ListDefault(
        "Canceled subscriptions", (("status", "all"),), "--status all", frozenset({"status"})
    ),
    "/v1/reviews": ListDefault("Closed reviews"),
    "/v1/events": ListDefault("Events older than 30 days"),
}


def list_default(path: str, params: Iterable[tuple[str, str]]) -> ListDefault | None:
    """The default filter of a list, None if it has none or if a parameter replaces it."""
    default = LIST_DEFAULTS.get(path)
    given = {name.partition("[")[0] for name, _ in params}
    return None if default is None or default.filters & given else default
