"""One logical write, as the journal knows it: where it was called from, under which key it went out, how it ended."""

from __future__ import annotations

from dataclasses import dataclass

WINDOW = (
    23 * 3600
)  # seconds in which the same key surely gives the same result; Stripe may forget it after 24 h
REPEAT_WINDOW = 24 * 3600  # seconds in which an identical write from elsewhere asks for --again

UNRESOLVED = ("armed", "unknown")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a call stands: the cell's identity, a digest of its text, the number of the call in this run of the cell, and which run that is.

    Without `run` (0), a number that was there before starts a new run.
    """

    cell: str
    digest: str
    ordinal: int
    run: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One logical write, as the journal has it. Times are unix seconds."""

    number: int = 0
    key: str
    scope: str
    mode: str
    account: str = ""
    version: str = ""
    module: str
    effect: str
    method: str
    path: str
    body: str  # keyed hash
    cell: str = ""
    digest: str = ""
    nth: int = 1
    first: float = 0.0
    last: float = 0.0
    pid: int = 0
    state: str = "armed"
    attempts: int = 0
    reason: str = ""
    status: int = 0
    request_id: str = ""
    result: str = ""  # id of the object
    hints: str = ""  # JSON of amount, currency and ids, to look the object up by
    sealed: bytes | None = None

    @property
    def resolved(self) -> bool:
        """Whether its end is known."""
        return self.state not in UNRESOLVED

    def __repr__(self) -> str:
        return f"<Operation {self.number} {self.method} {self.path} {self.state}>"
