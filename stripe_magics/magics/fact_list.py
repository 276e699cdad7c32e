"""A few facts, a line each: the connection, the settings, a command written out."""

from __future__ import annotations

from collections.abc import Mapping

from stripe_magics._html import output, table, tag
from stripe_magics.magics.status_badges import badge, mode_word


class Facts:
    """A few facts, a line each: what status and settings show."""

    def __init__(self, title: str, facts: Mapping[str, str], *, mode: str = "") -> None:
        self.title, self.facts, self.mode = title, {key: str(value) for key, value in facts.items()}, mode

    def as_record(self) -> dict[str, str]:
        """The facts as they go into JSON."""
        return dict(self.facts)

    def __repr__(self) -> str:
        wide = max((len(key) for key in self.facts), default=0)
        head = f"[{mode_word(self.mode)}] {self.title}" if self.mode else self.title
        lines = [f"  {key.replace('_', ' '):<{wide}}  {value}" for key, value in self.facts.items() if value]
        return "\n".join([head, *lines])

    def _repr_html_(self) -> str:
        rows = [
            (tag("th", key.replace("_", " "), style="text-align:left"), value)
            for key, value in self.facts.items()
            if value
        ]
        head = [badge(self.mode), " "] if self.mode else []
        return output(tag("div", *head, tag("b", self.title)), table((), rows))


class State(Facts):
    """The connection: which account, which mode, which version; never the key."""

    def __init__(self, status: Mapping[str, str], mode: str) -> None:
        facts = {key: str(value) for key, value in status.items()}
        title = facts.get("account_name") or facts.get("name") or facts.get("account") or "connected"
        super().__init__(title, facts, mode=mode)


class Code(str):
    """Python code that shows itself."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return output(tag("pre", tag("code", self)))
