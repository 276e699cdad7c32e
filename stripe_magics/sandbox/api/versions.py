"""The two versions of the API that the sandbox speaks. Any other gets the nearest earlier of them."""

from __future__ import annotations

from stripe_magics.catalogue import NEWEST_VERSION, PINNED_VERSION

OLDER, NEWER = PINNED_VERSION, NEWEST_VERSION
SERVED = (OLDER, NEWER)


def served(asked: str) -> str:
    """The version in which a call is answered."""
    return NEWER if asked[:10] >= NEWER[:10] else OLDER
