"""Values of options as a line or Python gives them: lists of names, minutes, numbers."""

from __future__ import annotations

from collections.abc import Iterable

from stripe_magics.errors import UsageFault
from stripe_magics.events.watch_limits import FOREVER


def name_list(value: Iterable[str] | str | None) -> list[str]:
    """`"a, b"` or `["a", "b"]` as a list of names."""
    given = [value] if isinstance(value, str) else value or ()
    return [each.strip() for text in given for each in str(text).split(",") if each.strip()]


def minutes_of(value: float | str) -> float:
    """Minutes, or `forever`."""
    return FOREVER if str(value).strip().lower() == "forever" else number_of(value, "minutes")


def number_of(value: float | str, name: str) -> float:
    """A number as text or as itself; `name` is the option's, for the error."""
    try:
        return float(value)
    except (TypeError, ValueError):
        raise UsageFault(f"--{name} must be a number, not {value!r}.") from None
