"""What completion gives back: a suggestion, and those that match what was typed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from stripe_magics.magics.seen_ids import Seen

MAX_MATCHES = 300


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One suggestion: its text, the badge that the front end shows, and a few words."""

    text: str
    kind: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class CompletionContext:
    """What completion may look at beside the text: what was seen, and the notebook's names."""

    seen: Seen
    namespace: dict[str, Any]


Matches = tuple[str, list[Suggestion]]
"""The piece of text before the cursor that a suggestion replaces, and the suggestions."""
NO_MATCHES: Matches = ("", [])
"""A position of ours where nothing is suggested; Python's own names neither."""


def matching(piece: str, hits: Iterable[Suggestion]) -> list[Suggestion]:
    """Those that begin with what was typed (hyphens and underscores alike), or else that contain it; each
    once."""
    requested = piece.lower().replace("-", "_")
    unique = list({hit.text: hit for hit in hits if hit.text != piece}.values())
    begun = [hit for hit in unique if hit.text.lower().replace("-", "_").startswith(requested)]
    if not begun and len(requested.strip("_")) >= 3:
        begun = [hit for hit in unique if requested.strip("_") in hit.text.lower().replace("-", "_")]
    return begun[:MAX_MATCHES]
