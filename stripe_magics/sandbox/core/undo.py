"""A dict that can go back: while a trial is open it remembers what stood at each key before that key was
first touched.

Values may be changed in place, so that reading one counts as touching it. What a trial has nothing to do with
costs it nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

V = TypeVar("V")
_encode, _decode = msgspec.json.encode, msgspec.json.decode


class Remembering(dict[str, V]):
    """Values are made of JSON's types."""

    __slots__ = ("_levels",)

    def __init__(self, content: Mapping[str, V] | None = None) -> None:
        super().__init__(content or {})
        # open trials, outermost first: key -> its value before
        self._levels: list[dict[str, bytes | None]] = []

    def _touch(self, key: str) -> None:
        for level in self._levels:
            if key not in level:
                level[key] = _encode(super().__getitem__(key)) if key in self else None

    def __getitem__(self, key: str) -> V:
        if self._levels:
            self._touch(key)
        return super().__getitem__(key)

    def __setitem__(self, key: str, value: V) -> None:
        if self._levels:
            self._touch(key)
        super().__setitem__(key, value)

    def __delitem__(self, key: str) -> None:
        if self._levels:
            self._touch(key)
        super().__delitem__(key)

    def get(self, key: str, default: object = None) -> Any:
        """The value at a key."""
        if self._levels:
            self._touch(key)
        return super().get(key, default)

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The value at a key, which is put there if there is none."""
        if self._levels:
            self._touch(key)
        return super().setdefault(key, default)

    def pop(self, key: str, *default: Any) -> Any:
        """Take out the value at a key."""
        if self._levels:
            self._touch(key)
        return super().pop(key, *default)

    def begin(self) -> int:
        """Open a trial; answers how to go back. What was handed out before may be changed in it, too."""
        handed_out = set().union(*self._levels) if self._levels else ()
        self._levels.append({})
        for key in handed_out:
            self._touch(key)
        return len(self._levels) - 1

    def undo_to(self, level: int) -> None:
        """Be as when that trial was opened; it and those within it are closed."""
        before: dict[str, bytes | None] = {}
        for each in reversed(self._levels[level:]):
            before.update(each)
        del self._levels[level:]
        for key, text in before.items():
            if text is None:
                super().pop(key, None)
            else:
                super().__setitem__(key, _decode(text))

    def forget(self) -> None:
        """Close all trials and keep what happened in them."""
        self._levels.clear()
