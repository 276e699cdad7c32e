"""What is known of the fields of each Stripe object, by API version: nested as the object is, a leaf being a
kind or a list of choices.

The facts are in `objects.json.gz` (made by `tests/generators/`). `frames/schema.py` says what the kinds
become as columns; the sandbox makes objects of these shapes.
"""

from __future__ import annotations

import gzip
import json
from functools import cache
from importlib.resources import files
from typing import Any

from stripe_magics.catalogue.versions import PINNED_VERSION


@cache
def _file() -> dict[str, Any]:
    packed = files("stripe_magics.catalogue.generated").joinpath("objects.json.gz").read_bytes()
    return dict(json.loads(gzip.decompress(packed)))


@cache
def facts(version: str = PINNED_VERSION) -> dict[str, Any]:
    """All that is known, by object type, of an API version; a type that only another version has is known by
    that one's facts."""
    trees = dict(_file()["objects"])
    for later, changed in _file()["later"].items():
        for kind, tree in changed.items():
            if tree is not None and (later[:10] <= version[:10] or kind not in trees):
                trees[kind] = tree
    return trees


def release(version: str) -> str:
    """The version whose facts hold for an answer of this version."""
    return max((each for each in _file()["later"] if each[:10] <= version[:10]), default=PINNED_VERSION)
