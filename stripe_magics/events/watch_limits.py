"""How often and how long a watch reads, so that a forgotten one stays within what Stripe allows."""

from __future__ import annotations

from stripe_magics.errors import UsageFault

INTERVAL = 15.0  # seconds
MIN_INTERVAL = 5.0
MINUTES = 30.0
MAX_MINUTES = 12 * 60.0
FOREVER = float("inf")
READ_BUDGET = 10_000  # reads in 30 days that Stripe allows an account whatever it does


def check_limits(interval: float, minutes: float) -> None:
    """Refuse what a watch may not have. Raises `UsageFault`."""
    if not interval >= MIN_INTERVAL:  # what isn't a number isn't a pause either
        raise UsageFault(
            f"The interval must be at least {MIN_INTERVAL:g} seconds: Stripe limits how much may be read."
        )
    if interval > MAX_MINUTES * 60:
        raise UsageFault(f"The interval must be at most {MAX_MINUTES * 60:g} seconds.")
    if minutes != FOREVER and not 0 < minutes <= MAX_MINUTES:
        raise UsageFault(f"A watch may last up to {MAX_MINUTES:g} minutes, or --minutes forever.")
