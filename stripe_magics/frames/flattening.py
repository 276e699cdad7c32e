"""Objects inside values, spread over columns: an expanded object is its id and further columns, a list object
its rows and whether there are more of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stripe_magics.catalogue.versions import PINNED_VERSION
from stripe_magics.frames.schema import MAX_SPREAD_KEYS, facts, kind_of_fact


def flatten_objects(
    name: str,
    values: list[Any],
    kind: str,
    hint: object = None,
    *,
    expanded: dict[str, str] | None = None,
    version: str = PINNED_VERSION,
) -> Iterator[tuple[str, str, list[Any]]]:
    """Columns for values that may hold objects: (name, kind or "" for what they are, values) each. Maps and
    plain lists stay whole.

    What an expanded object's own list has as columns, it has here: its fields' kinds are those of the object
    type that it names, and `expanded` gets which type that is.
    """
    if kind in {"map", "list"}:
        yield name, kind, values
        return
    dicts = [value for value in values if isinstance(value, dict)]
    if name.endswith("metadata") or not any(dicts):
        if isinstance(hint, dict) and all(value is None for value in values):
            yield from _nested(name, values, hint)
        else:
            yield name, kind, values
        return
    if all(value.get("object") == "list" for value in dicts) or kind == "sublist":
        yield name, "list", [value.get("data") if isinstance(value, dict) else value for value in values]
        yield (
            f"{name}_has_more",
            "bool",
            [value.get("has_more") if isinstance(value, dict) else None for value in values],
        )
        return
    types = object_types(dicts)
    hints = hint if isinstance(hint, dict) else _fields_of(types, version)
    if expanded is not None and len(types) == 1:
        expanded[name] = next(iter(types))
    # a part whose id is a field like any other
    own_id = isinstance(hint, dict) and "id" in hint and "@" not in hint
    if (not own_id and any("id" in value for value in dicts)) or len(dicts) < sum(
        value is not None for value in values
    ):
        yield name, "ref", [value.get("id") if isinstance(value, dict) else value for value in values]
    keys = dict.fromkeys(
        key
        for value in dicts
        for key in value
        if (own_id or key != "id") and not (key == "object" and isinstance(value[key], str))
    )
    if not types and len(keys) > MAX_SPREAD_KEYS:
        yield name, "map", values
        return
    for key in keys:
        inner = [value.get(key) if isinstance(value, dict) else None for value in values]
        known = hints.get(key)
        yield from flatten_objects(
            f"{name}_{key}", inner, kind_of_fact(key, known), known, expanded=expanded, version=version
        )


def _nested(name: str, values: list[Any], hint: Mapping[str, Any]) -> Iterator[tuple[str, str, list[Any]]]:
    """The columns of a known nested object that no row has."""
    for key, known in hint.items():
        if isinstance(known, dict):
            yield from _nested(f"{name}_{key}", values, known)
        elif key == "@":
            yield name, "ref", values
        else:
            yield f"{name}_{key}", kind_of_fact(key, known), values


def object_types(dicts: Sequence[Mapping[str, Any]]) -> set[str]:
    """The types of these objects."""
    return {value["object"] for value in dicts if isinstance(value.get("object"), str)}


def _fields_of(types: set[str], version: str) -> Mapping[str, Any]:
    """What the facts say of the fields of these types; of several, only where they agree."""
    trees: list[Mapping[str, Any]] = [facts(version).get(each, {}) for each in sorted(types)]
    if len(trees) == 1:
        return trees[0]
    known: dict[str, list[Any]] = {}
    for tree in trees:
        for key, kind in tree.items():
            known.setdefault(key, []).append(kind)
    return {key: kinds[0] for key, kinds in known.items() if all(each == kinds[0] for each in kinds)}
