"""What Stripe or the clock has to say beside the answer: each text once in a session."""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from stripe_magics.errors import redact

SKEW = 60.0  # seconds


class Notices:
    """The texts that were shown already, and how far the local clock is off."""

    def __init__(self) -> None:
        self._shown: set[str] = set()
        self.skew: float | None = (
            None  # seconds that the local clock is ahead of Stripe's; None before the first answer
        )

    def once(self, text: str) -> tuple[str, ...]:
        """The text, if it is new."""
        if not text or text in self._shown:
            return ()
        self._shown.add(text)
        return (text,)

    def of(self, headers: Mapping[str, str], now: float | None = None) -> tuple[str, ...]:
        """Stripe-Notice and a clock that is off by more than a minute."""
        notice = redact(" ".join(headers.get("stripe-notice", "").split()))[:500]
        return (*self.once(f"Stripe: {notice}" if notice else ""), *self._clock(headers.get("date", ""), now))

    def _clock(self, date: str, now: float | None) -> tuple[str, ...]:
        if not date:
            return ()
        try:
            theirs = parsedate_to_datetime(date).timestamp()
        except (ValueError, TypeError, OverflowError):
            return ()
        self.skew = (time.time() if now is None else now) - theirs
        if abs(self.skew) <= SKEW:
            return ()
        way = "ahead of" if self.skew > 0 else "behind"
        if "clock" in self._shown:
            return ()
        self._shown.add("clock")
        return (
            f"This machine's clock is {abs(self.skew):,.0f} s {way} Stripe's: times and webhook signatures will be off.",
        )
