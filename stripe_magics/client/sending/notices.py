"""What Stripe or the clock has to say beside the answer: each text once in a session."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime

from stripe_magics._redaction import redact

SKEW = 60.0  # seconds
KEPT_BY_SHAPE = "The sandbox keeps these objects but doesn't simulate what they do."


MAX_CLOCK_JUMP = 2.0  # seconds by which the two clocks of this machine may differ since Stripe's was read


class StripeClock:
    """Stripe's time, from the Date of its answers; None as long as it isn't known.

    This machine's clock may be off and may be corrected at any moment. What was measured counts on by the
    monotonic clock, as long as the wall clock agrees with it; a jump or a sleep in between makes the time
    unknown until the next answer.
    """

    def __init__(self, now: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self._now, self._monotonic = now, monotonic
        # Stripe's time, the wall clock, the monotonic clock
        self._read: tuple[float, float, float] | None = None

    def measure(self, headers: Mapping[str, str]) -> None:
        """Take Stripe's time from an answer."""
        theirs = date_of(headers.get("date", ""))
        if theirs is not None:
            self._read = (theirs, self._now(), self._monotonic())

    def time(self) -> float | None:
        """Stripe's time now, to a second or two."""
        if self._read is None:
            return None
        theirs, wall, steady = self._read
        passed = self._monotonic() - steady
        return theirs + passed if abs(self._now() - wall - passed) <= MAX_CLOCK_JUMP else None


def date_of(text: str) -> float | None:
    """A Date header as unix seconds; None for none and for garbage."""
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except (ValueError, TypeError, OverflowError):
        return None


def _kept_by_shape(headers: Mapping[str, str]) -> tuple[str, ...]:
    """What a sandbox says of an operation that it doesn't simulate, and of values that it didn't keep."""
    if headers.get("sandbox-fidelity") != "shape":
        return ()
    lost = headers.get("sandbox-not-kept", "")
    return (f"{KEPT_BY_SHAPE} It didn't keep: {lost}.",) if lost else (KEPT_BY_SHAPE,)


class Notices:
    """The texts that were shown already, and how far the local clock is off."""

    def __init__(self, *, tells_skew: bool = True) -> None:
        self._tells_skew = tells_skew  # a sandbox has a clock of its own
        self._shown: set[str] = set()
        # seconds that the local clock is ahead of Stripe's; None before the first answer
        self.skew: float | None = None

    def once(self, text: str) -> tuple[str, ...]:
        """The text, if it is new."""
        if not text or text in self._shown:
            return ()
        self._shown.add(text)
        return (text,)

    def of(self, headers: Mapping[str, str], now: float | None = None) -> tuple[str, ...]:
        """Stripe-Notice and a clock that is off by more than a minute."""
        notice = redact(" ".join(headers.get("stripe-notice", "").split()))[:500]
        kept = _kept_by_shape(headers)  # of each answer
        return (
            *kept,
            *self.once(f"Stripe: {notice}" if notice else ""),
            *self._clock(headers.get("date", ""), now),
        )

    def _clock(self, date: str, now: float | None) -> tuple[str, ...]:
        theirs = date_of(date)
        if theirs is None:
            return ()
        self.skew = (time.time() if now is None else now) - theirs
        if abs(self.skew) <= SKEW or not self._tells_skew:
            return ()
        way = "ahead of" if self.skew > 0 else "behind"
        if "clock" in self._shown:
            return ()
        self._shown.add("clock")
        return (
            (
                f"This machine's clock is {abs(self.skew):,.0f} s {way} Stripe's: times and webhook"
                " signatures will be off."
            ),
        )
