"""Where the objects come from that are joined to a frame, and what is asked of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from stripe_magics.frames.schema import schema

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Reverse:
    """Objects that point at the row: their list, the field that does, and which of them count."""

    kind: str
    field: str
    filter: str  # the list's own parameter
    statuses: frozenset[str] = frozenset()

    @property
    def amount(self) -> str:
        """The field that is added up; "" where there is none."""
        names = schema(self.kind).names
        return next((key for key in ("amount", "total") if key in names), "")

    @property
    def fields(self) -> tuple[str, ...]:
        """What must be known of each."""
        known = schema(self.kind).names
        return tuple(name for name in ("id", self.field, "status", "currency", self.amount) if name in known)


class ObjectSource(Protocol):
    """Where other objects come from: the account, or a mirror of it."""

    notes: list[str]

    def by_id(self, kind: str, ids: Sequence[str]) -> pd.DataFrame:
        """The objects of these ids, those that there are."""

    def pointing(self, rule: Reverse, ids: Sequence[str], since: int | None) -> Iterable[Mapping[str, Any]]:
        """The objects that point at one of these ids: at least `rule.fields` of each."""
