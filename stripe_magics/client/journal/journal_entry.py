"""One logical write, as the journal knows it: where it was called from, under which key it went out, how it
ended."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

# seconds in which the same key surely gives the same result; Stripe may forget it after 24 h
WINDOW = 23 * 3600
REPEAT_WINDOW = 24 * 3600  # seconds in which an identical write from elsewhere asks for --again
CLOCK_STEP = 60  # seconds by which a clock is set back in passing

UNRESOLVED = ("armed", "unknown")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a call stands: the cell's identity, a digest of its text, the number of the call in this run of
    the cell, and which run that is.

    Without `run` (0), a number that was there before starts a new run. A form has a place for each
    submission, `--from` one for each row:
    their `digest` says so (`form_digest`, `row_digest`), and `key` is the idempotency key that a new
    operation there gets.
    """

    cell: str
    digest: str
    ordinal: int
    run: int = 0
    nth: int = 0  # which occurrence of its body the call is; 0: the journal counts
    key: str = ""

    def step(self, number: int) -> Origin:
        """The place of a call that follows this one."""
        if not number:
            return self
        key = f"{self.key[:240]}-{number}" if self.key else ""
        return replace(self, digest=f"{self.digest}#{number}", key=key)


FORM, ROW = "form ", "row "


def form_digest(key: str) -> str:
    """What stands for a form's submission: each has its own key."""
    return FORM + key


def row_digest(digest: str) -> str:
    """What stands for a row of `--from`: its cell and content."""
    return ROW + digest


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
    # when it was first sent by Stripe's clock; None where that wasn't known
    stripe_first: float | None = None
    stripe_last: float | None = None
    hints: str = ""  # JSON of amount, currency and ids, to look the object up by
    sealed: bytes | None = None

    def age(self, now: float, stripe_now: float | None) -> float:
        """Seconds since it was first sent, at the most: by this machine's clock or by Stripe's, whichever
        says more.

        A clock of this machine that was set back since says nothing; without Stripe's the age may be anything
        then.
        """
        ages = [now - self.first] if now >= self.first - CLOCK_STEP else []
        if stripe_now is not None and self.stripe_first is not None:
            ages.append(stripe_now - self.stripe_first)
        return max(ages, default=inf)

    def is_recent(self, now: float, stripe_now: float | None) -> bool:
        """Whether it was sent within the time in which a repetition asks: by Stripe's clock where it is known
        (a sandbox's stands still)."""
        known = stripe_now is not None and self.stripe_first is not None and self.mode != "sandbox"
        age = stripe_now - self.stripe_first if known else now - self.first  # type: ignore[operator]
        return age <= REPEAT_WINDOW

    @property
    def from_cell(self) -> bool:
        """Whether a cell made it, as a line or through Python: running the cell again continues it."""
        return bool(self.digest) and not self.digest.startswith((FORM, ROW))

    @property
    def resolved(self) -> bool:
        """Whether its end is known."""
        return self.state not in UNRESOLVED

    def __repr__(self) -> str:
        return f"<Operation {self.number} {self.method} {self.path} {self.state}>"
