"""The ids of the demo account: they follow from its seed, in the order in which they are asked for."""

from __future__ import annotations

from stripe_magics.sandbox.core.id_series import letters

LENGTH = 1_500_000
"""How many letters and digits an account takes, roughly."""


def stream(seed: str, length: int = LENGTH) -> str:
    """The text of letters and digits that ids are pieces of."""
    return letters(f"{seed}/demo", length)


class Ids:
    """Hands out the pieces of a seed's text one after another."""

    def __init__(self, seed: str) -> None:
        """Start reading."""
        self.seed = seed
        self.place = 0
        self.stream = stream(seed)

    def next(self, length: int) -> str:
        """The next letters and digits."""
        start, self.place = self.place, self.place + length
        if self.place > len(self.stream):
            self.stream = stream(self.seed, 2 * len(self.stream))
        return self.stream[start : self.place]

    def __call__(self, prefix: str, length: int = 24) -> str:
        """The next id of a kind."""
        return f"{prefix}_{self.next(length)}"
