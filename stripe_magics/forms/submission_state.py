"""Whether a form may send now, and under which idempotency key. Pure state, no widgets.

    idle --arm--> armed(key) --begin--> sending --finish--> done | refused | unknown
      ^             |  disarm             |
      +-------------+                     +--finish("unsent")--> idle, the key is kept

- The key is made when the form is armed, before a byte is sent. Retries and further clicks use the same one.
- A definitive answer (done, refused) keeps the key until a field is edited: a second click that was queued
  behind the first cannot act.
- An unknown outcome blocks the form until Stripe was asked again under the same key, with exactly what was
  sent then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from uuid import uuid4

from stripe_magics._command import Command
from stripe_magics.errors import AnswerUnusable, NotSent, StripeError, StripeMagicsError


class Stage(StrEnum):
    IDLE = "idle"
    ARMED = "armed"
    SENDING = "sending"
    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"


SETTLED = frozenset({Stage.DONE, Stage.REFUSED, Stage.UNKNOWN})

WHY_NOT = {
    Stage.ARMED: "Confirm or cancel first.",
    Stage.SENDING: "It is being sent.",
    Stage.DONE: "This was done already. Change a value, or press Start another, to send again.",
    Stage.REFUSED: "Nothing was changed since the last answer. Correct a value, or press Try again.",
    Stage.UNKNOWN: (
        "We don't know yet whether the last one was made. Press Ask Stripe again; it cannot happen twice."
    ),
}
"""Why a form in that stage doesn't take another click, in words."""


def new_key() -> str:
    return f"form-{uuid4()}"


@dataclass(slots=True)
class Submission:
    """One filled form on its way to Stripe. `key` is empty until it is armed."""

    stage: Stage = Stage.IDLE
    key: str = ""
    key_given: bool = False  # the key is a person's own, or that of an earlier call
    sent: Command | None = None  # exactly what is on its way, or was last
    make_key: Callable[[], str] = field(default=new_key, repr=False)

    def arm(self, own_key: str = "") -> bool:
        """Take the form for one sending; False if it may not be taken now. `own_key` is the user's own
        idempotency key."""
        if self.stage is not Stage.IDLE:
            return False
        self.key = own_key or self.key or self.make_key()
        self.key_given = bool(own_key)
        self.stage = Stage.ARMED
        return True

    def disarm(self) -> None:
        """Back from armed without sending: nothing happened, the key stays good."""
        if self.stage is Stage.ARMED:
            self.stage = Stage.IDLE

    def begin(self, command: Command) -> bool:
        """Go from armed to sending; False for anybody who comes second."""
        if self.stage is not Stage.ARMED:
            return False
        self.stage, self.sent = Stage.SENDING, command
        return True

    def resume(self) -> Command | None:
        """Ask again for an unknown outcome: the same command under the same key, or None if nothing is
        unknown."""
        if self.stage is not Stage.UNKNOWN:
            return None
        self.stage = Stage.SENDING
        return self.sent

    def adopt(self, key: str) -> None:
        """The unknown outcome is that of an earlier, identical call under another key: ask about that one."""
        if key and key != self.key and self.sent is not None:
            self.key, self.key_given = key, True
            self.sent = replace(self.sent, options=replace(self.sent.options, idempotency=key))

    def finish(self, outcome: Stage) -> None:
        """Note how the sending ended. `Stage.IDLE` stands for: provably nothing was sent."""
        if self.stage is not Stage.SENDING:
            raise ValueError(f"nothing is being sent (stage {self.stage})")
        self.stage = outcome

    def edited(self) -> None:
        """A value changed: after a definitive answer this is a new sending, under a new key."""
        if self.stage in {Stage.DONE, Stage.REFUSED}:
            self.renew()
        elif self.stage is Stage.ARMED:
            self.disarm()

    def renew(self) -> None:
        """Start afresh under a new key: not while the outcome of the last one is unknown, nor while it is
        under way."""
        if self.stage not in {Stage.UNKNOWN, Stage.SENDING}:
            self.stage, self.key, self.sent = Stage.IDLE, "", None

    @property
    def why_not(self) -> str:
        """Why a click does nothing now; "" if it would."""
        return WHY_NOT.get(self.stage, "")


def stage_after(fault: BaseException) -> Stage:
    """How a sending ended that raised: provably not sent, carried out, refused by Stripe, or (an error of our
    own, a Stop) unknown."""
    if isinstance(fault, NotSent) or (
        isinstance(fault, StripeMagicsError) and not isinstance(fault, StripeError)
    ):
        return Stage.IDLE
    if isinstance(fault, AnswerUnusable):
        return Stage.DONE
    return Stage.REFUSED if isinstance(fault, StripeError) else Stage.UNKNOWN
