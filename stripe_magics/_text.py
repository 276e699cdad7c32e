"""Words: the closest of the names that there are, and what people write for true and false.

The bottom of the package: it imports nothing of ours.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

TRUE_WORDS = frozenset({"true", "yes", "on", "1", "y", "t"})
FALSE_WORDS = frozenset({"false", "no", "off", "0", "n", "f"})
BOOLEAN_WORDS = TRUE_WORDS | FALSE_WORDS
MAX_BEHIND = 0.15  # of likeness (0 to 1) that a further suggestion may be behind the best one
MAX_COMPARED = 80  # characters of a name that are compared; nobody mistypes a longer one


def read_boolean(text: str) -> bool | None:
    """True or False for a word that means one of them, None for any other text."""
    word = text.strip().lower()
    return True if word in TRUE_WORDS else False if word in FALSE_WORDS else None


def closest_matches(given: str, known: Iterable[str], count: int = 3, *, cutoff: float = 0.6) -> list[str]:
    """The names that look most like what was given, best first; never what was given itself.

    Hyphens, spaces and capitals don't matter. A name that begins with what was given (`amount` for
    `amount_to_capture`) counts as close.
    """
    requested = _normal(given)[:MAX_COMPARED]
    table = {_normal(name): name for name in known if name != given}
    longer = [name for name in table if len(requested) >= 4 and name.startswith(requested + "_")]
    near = difflib.get_close_matches(requested, table, n=count, cutoff=cutoff)
    if near:  # what is much less like it than the best is noise beside it
        best = _likeness(requested, near[0])
        near = [name for name in near if _likeness(requested, name) >= best - MAX_BEHIND]
    found = list(dict.fromkeys([*longer, *near]))[:count]
    if not found and len(requested) >= 4:
        found = [name for name in table if name.startswith(requested) or requested in name.split("_")][:count]
    return [table[name] for name in found]


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, other, one).ratio()


def shown(value: object) -> str:
    """A value as a message quotes it: its repr, cut to 60 characters; the type's name where it has none."""
    try:
        text = repr(value)
    except Exception:
        text = f"a {type(value).__name__}"
    return text if len(text) <= 60 else text[:57] + "..."


def _normal(name: str) -> str:
    return name.lower().replace("-", "_").replace(" ", "_")
