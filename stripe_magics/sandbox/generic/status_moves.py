"""What a named action does to an object that is kept by shape: a status, or a flag."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MOVES: dict[str, tuple[str, ...]] = {
    "activate": ("active",),
    "approve": ("approved", "closed"),
    "archive": ("archived", "inactive"),
    "cancel": ("canceled",),
    "capture": ("closed",),
    "close": ("closed",),
    "confirm": ("succeeded", "requires_action"),
    "deactivate": ("inactive", "deactivated"),
    "decline": ("closed",),
    "deliver": ("delivered",),
    "disconnect": ("disconnected",),
    "expire": ("expired",),
    "fail": ("failed", "failure"),
    "finalize_amount": ("pending",),
    "post": ("posted",),
    "redact": ("redacted",),
    "reject": ("rejected",),
    "return": ("returned",),
    "reverse": ("reversed",),
    "ship": ("shipped",),
    "submit": ("submitted",),
    "succeed": ("succeeded",),
    "unarchive": ("active",),
    "uninstall": ("uninstalled",),
    "verify": ("verified", "succeeded", "chargeable"),
    "void": ("voided", "void"),
}
"""The last word of the path -> the status that it leads to: the first of these which the type has."""

FLAGS: dict[str, tuple[str, bool]] = {
    "activate": ("active", True),
    "unarchive": ("active", True),
    "archive": ("active", False),
    "deactivate": ("active", False),
}
TIMES = {"cancel": "canceled_at", "expire": "expires_at", "void": "voided_at", "reject": "rejected_at"}


def move(data: dict[str, Any], words: list[str], fields: Mapping[str, Any], now: int) -> None:
    """Carry out an action: `words` are the parts of the path after the object, the last one its name."""
    action = words[-1]
    for word in words[:-1]:  # cards/{card}/shipping/deliver: what moves stands inside the object
        inner = fields.get(word)
        if not isinstance(inner, Mapping):
            break
        fields = inner
        if not isinstance(data.get(word), dict):
            data[word] = {}
        data = data[word]
    choices = fields.get("status")
    if isinstance(choices, list):
        data["status"] = next((each for each in MOVES.get(action, ()) if each in choices), data.get("status"))
    flag = FLAGS.get(action)
    if flag is not None and fields.get(flag[0]) == "bool":
        data[flag[0]] = flag[1]
    time = TIMES.get(action, "")
    if fields.get(time) == "time":
        data[time] = now
