"""States as badges, coloured by what needs a person: amber waits for someone, red went wrong, green is done, grey needs nothing.

Each pair of colours has its own background, so that it reads alike on light and dark; its contrast is at least 4.5 : 1.
"""

from __future__ import annotations

from typing import Any

from stripe_magics._html import Markup, tag

_COLOURS = {
    "green": ("#d7f7c2", "#05690d", "succeeded paid active available complete enabled won attached verified passed"),
    "red": ("#ffe7f2", "#b3063d", "failed uncollectible lost unpaid incomplete_expired expired charge_refunded blocked"),
    "amber": (
        "#fcedb9", "#8a2400",
        "needs_response warning_needs_response past_due requires_action requires_confirmation requires_capture incomplete open differs",
    ),
    "blue": ("#cff5f6", "#0055bc", "pending processing in_transit under_review warning_under_review trialing"),
    "grey": ("#ebeef1", "#414552", "draft disabled inactive paused canceled void requires_payment_method warning_closed unchecked"),
}  # fmt: skip
STATES = {word: (back, front) for back, front, words in _COLOURS.values() for word in words.split()}
"""State -> background, foreground."""
STATE_COLUMNS = frozenset(
    {"status", "payment_status", "refund_status", "type_status", "disputes_status", "result"}
)
DEADLINES = {
    "dispute": "evidence_details_due_by",
    "invoice": "due_date",
    "subscription": "current_period_end",
}
"""By object type: when what is amber must be done."""
_AMBER = frozenset(_COLOURS["amber"][2].split())
MODES = {
    "live": ("LIVE", "#c0123c"),
    "unknown": ("LIVE?", "#c0123c"),
    "test": ("TEST", "#8a4b00"),
    "sandbox": ("SANDBOX", "#5433c9"),
}


def mode_word(mode: str) -> str:
    """The mode in capitals; one that isn't known may be live."""
    return MODES.get(mode, MODES["unknown"])[0]


def badge(mode: str) -> Markup:
    """The mode as a badge: red for live, so that nobody takes one for the other."""
    word, colour = MODES.get(mode, MODES["unknown"])
    return tag("b", word, style=f"background:{colour};color:#fff;border-radius:4px;padding:1px 6px")


def state(word: str, shown: str) -> Markup:
    """A state as a badge; one that isn't known as it is."""
    if word not in STATES:
        return tag("span", shown)
    back, front = STATES[word]
    return tag("span", shown, style=f"background:{back};color:{front};border-radius:4px;padding:0 5px")


def with_deadline(word: Any, day: str) -> str:
    """What waits for a person, with its deadline."""
    return f"{word} by {day}" if day and word in _AMBER else str(word)
