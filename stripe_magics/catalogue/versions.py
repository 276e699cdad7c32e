"""The API versions that the catalogue knows."""

from __future__ import annotations

PINNED_VERSION = "2025-02-24.acacia"
"""The newest API version on which every documented field works: what every call goes out with, unless
something else is said."""

NEWEST_VERSION = "2026-10-28.endive"
"""The newest API version whose facts are known: a call with a parameter that only it takes goes out with
it."""

VERSIONS = (PINNED_VERSION, NEWEST_VERSION)
"""The versions whose facts are known, oldest first."""


def known_versions(version: str) -> tuple[str, ...]:
    """The described versions that say what an API version knows: itself, or those on both sides of one that
    lies between two."""
    before = [each for each in VERSIONS if each[:10] <= version[:10]]
    after = [each for each in VERSIONS if each[:10] >= version[:10]]
    return tuple(dict.fromkeys((*before[-1:], *after[:1])))
