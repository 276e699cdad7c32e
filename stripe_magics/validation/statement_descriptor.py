"""What banks print on statements: Stripe's rules for statement descriptors.

- The whole text has 5 to 22 characters, a prefix 2 to 10; prefix, `* ` and suffix together have 22 at most.
- Latin characters only, one letter at least, and none of `< > \\ ' " *`.
"""

from __future__ import annotations

import unicodedata
from typing import Literal

Part = Literal["whole", "prefix", "suffix", "payout"]

_LENGTHS: dict[Part, tuple[int, int]] = {
    "whole": (5, 22),
    "prefix": (2, 10),
    "suffix": (1, 22),
    "payout": (1, 22),
}
_FORBIDDEN = "<>\\'\"*"


def descriptor(text: str, part: Part = "whole", *, prefix: str = "") -> str:
    """The text, if banks can print it. `prefix` is the account's, for a suffix. Raises ValueError with the
    rule that is broken."""
    shortest, longest = _LENGTHS[part]
    if bad := [each for each in _FORBIDDEN if each in text]:
        raise ValueError(
            f"{text!r} holds {' '.join(bad)}; a statement descriptor has none of {' '.join(_FORBIDDEN)}"
        )
    if foreign := next((each for each in text if not _latin(each)), ""):
        raise ValueError(f"{text!r} holds {foreign!r}; a statement descriptor has Latin characters only")
    if not any(each.isalpha() for each in text):
        raise ValueError(f"{text!r} has no letter; a statement descriptor needs one")
    if not shortest <= len(text) <= longest:
        raise ValueError(f"{text!r} has {len(text)} characters; {shortest} to {longest} are allowed")
    if part == "suffix" and prefix and len(prefix) + len("* ") + len(text) > 22:
        raise ValueError(
            f"'{prefix}* {text}' has {len(prefix) + 2 + len(text)} characters; prefix and suffix share 22"
        )
    return text


def _latin(character: str) -> bool:
    return " " <= character <= "~" or (
        character.isalpha() and unicodedata.name(character, "").startswith("LATIN")
    )
