"""The letters and digits of ids: they follow from a seed, so that they are the same on every machine."""

from __future__ import annotations

from hashlib import shake_128

LENGTH = 24
"""What each number of a series has."""
_BLOCK = 256
_LETTERS = bytes((b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" * 5)[:256])


def letters(seed: str, length: int) -> str:
    """A text of letters and digits, however long; a longer one begins like a shorter one."""
    return shake_128(seed.encode()).digest(length).translate(_LETTERS).decode()


class IdSeries:
    """The letters of each number, in any order; those of neighbours are made together, which is quick."""

    __slots__ = ("_block", "_seed", "_text")

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._block = -1
        self._text = ""

    def __call__(self, number: int, length: int = LENGTH) -> str:
        """At most `LENGTH` of them."""
        block, place = divmod(number, _BLOCK)
        if block != self._block:
            self._block, self._text = block, letters(f"{self._seed}/{block}", LENGTH * _BLOCK)
        start = LENGTH * place
        return self._text[start : start + length]
