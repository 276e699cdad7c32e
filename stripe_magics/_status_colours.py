"""The colours of states, by what needs a person: amber waits for someone, red went wrong, green is done, grey
needs nothing.

Each pair of colours has its own background, so that it reads alike on light and dark; its contrast is at
least 4.5 : 1.
"""

from __future__ import annotations

_COLOURS = {
    "green": ("#d7f7c2", "#05690d",
        "succeeded paid active available complete enabled won attached verified passed"),
    "red": ("#ffe7f2", "#b3063d",
        "failed uncollectible lost unpaid incomplete_expired expired charge_refunded blocked"),
    "amber": (
        "#fcedb9", "#8a2400",
        (
            "needs_response warning_needs_response past_due requires_action requires_confirmation"
            " requires_capture incomplete open delinquent unknown differs"
        ),
    ),
    "blue": ("#cff5f6", "#0055bc",
        "pending processing in_transit under_review warning_under_review trialing"),
    "grey": ("#ebeef1", "#414552",
        "draft disabled inactive paused canceled void requires_payment_method warning_closed unchecked"),
}  # fmt: skip
STATES = {word: (back, front) for back, front, words in _COLOURS.values() for word in words.split()}
"""State -> background, foreground."""
WAITING = frozenset(_COLOURS["amber"][2].split())
"""States that wait for a person."""


def colours(state: str) -> str:
    """CSS of a state's background and foreground; "" for one that isn't known."""
    if state not in STATES:
        return ""
    back, front = STATES[state]
    return f"background:{back};color:{front}"
