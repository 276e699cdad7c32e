"""A platform and its connected accounts: each has objects and a ledger of its own; they share one calendar,
and a trial spans all of them.

A trial remembers an account from the moment that it is first met in it (`member`, `platform`): accounts that
a request has nothing to do with cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, Protocol, TypeVar

Mark = tuple[Any, ...]


class Member(Protocol):
    """What the family needs of an account."""

    def flush(self) -> None: ...
    def mark(self) -> Mark: ...
    def undo_to(self, mark: Mark) -> None: ...
    def forget_undo(self) -> None: ...


M = TypeVar("M", bound=Member)


class Family(Generic[M]):
    """The accounts, by id; the platform has none here."""

    def __init__(self, platform: M) -> None:
        self._platform = platform
        self.connected: dict[str, M] = {}
        self._trials: list[dict[str, Mark]] = []  # the open ones, outermost first: account -> how it was
        self.request: tuple[str | None, str | None] = (None, None)

    @property
    def platform(self) -> M:
        """The platform, to work with."""
        self._enrol("", self._platform)
        return self._platform

    def member(self, identifier: str) -> M | None:
        """A connected account, to work with."""
        found = self.connected.get(identifier)
        if found is not None:
            self._enrol(identifier, found)
        return found

    def of_scope(self, scope: str) -> M | None:
        """The account whose jobs have that scope; None if it is gone."""
        return self.member(scope.rstrip("/")) if scope else self.platform

    def accounts(self) -> Iterator[M]:
        """All of them, the platform first."""
        yield self._platform
        yield from list(self.connected.values())

    def flush(self) -> None:
        """At the end of a request."""
        for each in self.accounts():
            each.flush()

    # trials

    def _enrol(self, identifier: str, account: M) -> None:
        for level in self._trials:
            if identifier not in level:
                level[identifier] = account.mark()

    def begin(self, identifier: str) -> None:
        """Open a trial, in the name of an account."""
        met = {"", identifier}.union(*self._trials) if self._trials or identifier else ("",)
        self._trials.append({})
        for each in sorted(met):
            account = self._platform if not each else self.connected.get(each)
            if account is not None:
                self._enrol(each, account)

    def end(self, *, keep: bool) -> None:
        """Close the innermost trial: what happened in it stays, or every account is as it was."""
        level = self._trials.pop()
        met = {each: self._platform if not each else self.connected.get(each) for each in level}
        if not keep:
            for identifier, mark in level.items():
                account = met[identifier]
                if account is not None:
                    account.undo_to(mark)
        if not self._trials:
            for account in met.values():
                if account is not None:
                    account.forget_undo()

    def begin_request(self, identifier: str | None, key: str | None) -> None:
        """Which request what happens now belongs to, for events."""
        self.request = (identifier, key)
