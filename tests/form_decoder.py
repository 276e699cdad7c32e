"""A strict decoder of Stripe's form encoding, written apart from the encoder: the other side of a round trip.

Lists must be numbered 0, 1, 2 ... without gaps; a name may not stand twice, nor be both a value and a
container.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")


def decode(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Nested dicts and lists with text at the leaves. Raises AssertionError for anything that Stripe could
    read in two ways."""
    root: dict[str, Any] = {}
    for name, value in pairs:
        assert isinstance(name, str) and isinstance(value, str), (name, value)
        found = _NAME.fullmatch(name)
        assert found, f"malformed name {name!r}"
        path = [found[1], *re.findall(r"\[([^\[\]]*)\]", found[2])]
        assert all(path), f"empty part in {name!r}"
        target = root
        for part in path[:-1]:
            target = target.setdefault(part, {})
            assert isinstance(target, dict), f"{name!r} goes into a plain value"
        assert path[-1] not in target, f"{name!r} stands twice"
        target[path[-1]] = value
    return {key: _lists(value) for key, value in root.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {key: _lists(each) for key, each in value.items()}
    if inner and all(key.isdecimal() for key in inner):
        assert list(inner) == [str(number) for number in range(len(inner))], (
            f"a list with gaps: {list(inner)}"
        )
        return list(inner.values())
    return inner
