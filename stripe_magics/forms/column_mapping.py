"""Which field a column of a file fills: guessed by its name as people write it, corrected by a person.
Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from stripe_magics._text import closest_matches
from stripe_magics.catalogue.field import Field, Role
from stripe_magics.catalogue.module import Module

LEFT_OUT = ""
"""What a column is mapped to that isn't sent."""


SPELLINGS = ("name", "param", "label", "title")
"""What a field is called, the surest first."""


def targets(module: Module) -> list[Field]:
    """The fields that a column can fill, in the order of the form."""
    return [each for each in module.fields if each.role in {Role.PATH, Role.PARAM, Role.URL}]


def guess(columns: Iterable[str], module: Module) -> dict[str, str]:
    """Column -> the name of the field that it most likely fills, `LEFT_OUT` if none is alike; no field is
    taken twice."""
    known = _names(module)
    mapping: dict[str, str] = {}
    columns = list(columns)
    for column in columns:
        found = known.get(_normal(column), LEFT_OUT)
        mapping[column] = found if found not in mapping.values() else LEFT_OUT
    free = {name: field for name, field in known.items() if field not in mapping.values()}
    for column in columns:
        if mapping[column] == LEFT_OUT:
            near = closest_matches(
                _normal(column), [name for name in free if free[name] not in mapping.values()], 1, cutoff=0.8
            )
            mapping[column] = free[near[0]] if near else LEFT_OUT
    return mapping


def _names(module: Module) -> dict[str, str]:
    """Everything that a field is called, in small letters and digits -> its name. What comes first counts."""
    found: dict[str, str] = {}
    fields = targets(module)
    for spelling in SPELLINGS:
        for each in fields:
            found.setdefault(_normal(str(getattr(each, spelling))), each.name)
    paths = module.path_fields
    if paths:
        found.setdefault("id", paths[-1].name)
    return found


def _normal(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", str(text).lower())
