"""Modes and states as badges, coloured as `_status_colours` says."""

from __future__ import annotations

from stripe_magics._html import Markup, tag
from stripe_magics._status_colours import WAITING, colours

STATE_COLUMNS = frozenset(
    {"status", "payment_status", "refund_status", "type_status", "disputes_status", "result"}
)
DEADLINES = {
    "dispute": "evidence_details_due_by",
    "invoice": "due_date",
    "subscription": "current_period_end",
}
"""By object type: when what is amber must be done."""
DEADLINE = " by "
"""Between a state and its day."""
_MODE_SHAPE = "border-radius:10px;padding:1px 8px;font-size:11px;letter-spacing:.06em"  # as on forms
_SHAPE = "border-radius:9px;padding:1px 8px;font-size:11px;font-weight:600"  # as `.sm-badge` of cards
MODES = {
    "live": ("LIVE", "#b42318"),
    "unknown": ("LIVE?", "#b42318"),
    "test": ("TEST", "#56637a"),
    "sandbox": ("SANDBOX", "#3f5fbf"),
}


def mode_word(mode: str) -> str:
    """The mode in capitals; one that isn't known may be live."""
    return MODES.get(mode, MODES["unknown"])[0]


def badge(mode: str) -> Markup:
    """The mode as a badge: red for live, so that nobody takes one for the other."""
    word, colour = MODES.get(mode, MODES["unknown"])
    return tag("b", word, style=f"background:{colour};color:#fff;{_MODE_SHAPE}")


def state(shown: str) -> Markup:
    """A state as a badge, with its deadline if it has one; one that isn't known as it is."""
    colour = colours(shown.partition(DEADLINE)[0])
    return tag("span", shown, style=f"{colour};{_SHAPE}" if colour else None)


def with_deadline(word: object, day: str) -> str:
    """What waits for a person, with its deadline."""
    return f"{word}{DEADLINE}{day}" if day and word in WAITING else str(word)
