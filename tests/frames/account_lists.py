"""An account's lists as frames and as raw JSON, each read once: for tests that work figures out twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd

import stripe_magics as sm
from stripe_magics.frames.frame_info import SEEN


class AccountLists:
    """What stands in the account that is open."""

    def __init__(self) -> None:
        self._frames: dict[tuple[str, tuple[str, ...]], pd.DataFrame] = {}
        self._raw: dict[tuple[str, tuple[str, ...]], list[dict[str, Any]]] = {}

    def frame(self, name: str, *expand: str) -> pd.DataFrame:
        """A list as a frame of the caller's own."""
        key = (name, expand)
        if key not in self._frames:
            more = {"expand": list(expand)} if expand else {}
            self._frames[key] = sm.call(f"{name}.list", limit="all", **more)
        return self._frames[key].copy()

    def raw(self, name: str, *expand: str) -> list[dict[str, Any]]:
        """The same as Stripe's JSON."""
        key = (name, expand)
        if key not in self._raw:
            more = {"expand": list(expand)} if expand else {}
            self._raw[key] = sm.call(f"{name}.list", limit="all", raw=True, **more)
        return self._raw[key]


@contextmanager
def opened_lists(zone: str) -> Iterator[AccountLists]:
    """The sandbox in that zone; what was seen of accounts before doesn't count meanwhile."""
    before = (set(SEEN.accounts), SEEN.major)
    SEEN.accounts, SEEN.major = set(), False
    sm.connect(sandbox=True, zone=zone)
    try:
        yield AccountLists()
    finally:
        sm.close()
        SEEN.accounts, SEEN.major = before
