"""Objects of the right shape, from the catalogue's facts of fields: a new one, one with given values, one as
a version shows it.

An object is kept with the fields of every version; an answer shows those of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from stripe_magics.catalogue.generated import objects
from stripe_magics.catalogue.stripe_objects import id_prefix
from stripe_magics.catalogue.versions import VERSIONS

Tree = Mapping[str, Any]
Object = dict[str, Any]

_EMPTY: dict[str, Any] = {"bool": False, "int": 0, "number": 0, "list": []}
_ALWAYS = frozenset(_EMPTY) | {"sublist"}
_FIRST_STATUS = {
    "issuing.card": "inactive",
    "issuing.authorization": "pending",
    "issuing.dispute": "unsubmitted",
    "treasury.financial_account": "open",
    "treasury.received_credit": "succeeded",
    "terminal.reader": "online",
    "identity.verification_session": "requires_input",
    "invoice_rendering_template": "active",
}
_FIRST_STATUSES = (
    "active", "open", "pending", "processing", "requires_input", "requires_payment_method", "draft",
    "enabled", "ready", "created", "posted", "succeeded",
)  # fmt: skip
"""A new object's status: that of its type, else the first of these which its type has."""


@cache
def tree(kind: str) -> dict[str, Any]:
    """The fields of a type in all versions; none for one that isn't known."""
    merged: dict[str, Any] = {}
    for version in VERSIONS:
        merged = _merged(merged, objects.facts(version).get(kind, {}))
    return merged


def _merged(one: Tree, other: Tree) -> dict[str, Any]:
    result = dict(one)
    for name, of in other.items():
        present = result.get(name)
        result[name] = (
            _merged(present, of) if isinstance(present, Mapping) and isinstance(of, Mapping) else of
        )
    return result


def prefix(kind: str) -> str:
    """How its ids begin; its own name where nobody knows better."""
    return id_prefix(kind) or kind.rpartition(".")[2]


def new(kind: str) -> Object:
    """An object of the type with nothing given: no id yet."""
    made = _defaults(tree(kind))
    made["object"] = kind
    if "status" in made:
        made["status"] = _first_status(kind, tree(kind)["status"])
    return made


def _first_status(kind: str, choices: object) -> str | None:
    if kind in _FIRST_STATUS:
        return _FIRST_STATUS[kind]
    if not isinstance(choices, list):
        return None
    known = [each for each in choices if each]
    return next((each for each in _FIRST_STATUSES if each in known), known[0] if known else None)


def _defaults(fields: Tree) -> Object:
    variants = {each for of in fields.values() if isinstance(of, list) for each in of if each in fields}
    return {name: _default(of) for name, of in fields.items() if name != "@" and name not in variants}


def _default(of: object) -> Any:
    if isinstance(of, Mapping):
        needed = "@" not in of and any(each in _ALWAYS for each in of.values() if isinstance(each, str))
        return _defaults(of) if needed else None
    if of == "sublist":
        return {"object": "list", "data": [], "has_more": False, "url": ""}
    if of == "map":
        return {}
    value = _EMPTY.get(of) if isinstance(of, str) else None
    return list(value) if isinstance(value, list) else value


def give(data: Object, given: Mapping[str, Any], fields: Tree) -> None:
    """Put the given values where the type has a field of that name; structures are filled part by part."""
    for name, value in given.items():
        of = fields.get(name)
        if of is None or name in {"id", "object", "metadata"}:
            continue
        if isinstance(of, Mapping) and isinstance(value, dict):
            inner = data.get(name)
            data[name] = inner if isinstance(inner, dict) else _defaults(of)
            give(data[name], value, of)
        elif of == "sublist":
            continue
        elif isinstance(value, dict) and of not in {"map", "list"}:
            continue  # what is given as an object, and shown as an id or a text
        else:
            data[name] = value


def homeless(given: Mapping[str, Any], fields: Tree, prefix: str = "") -> list[str]:
    """The given values that `give` finds no field for, by their names in brackets."""
    found = []
    for name, value in given.items():
        of, where = fields.get(name), f"{prefix}[{name}]" if prefix else name
        if isinstance(of, Mapping) and isinstance(value, dict):
            found += homeless(value, of, where)
        elif of is None or (isinstance(value, dict) and of not in {"map", "list", "sublist"}):
            found.append(where)
    return found


@cache
def _differs(kind: str, version: str) -> bool:
    own = objects.facts(version).get(kind)
    return bool(own) and (tree(kind) != own or "sublist" in tree(kind).values())


def shown(kind: str, data: Object, version: str) -> Object:
    """An object as a version shows it."""
    if not _differs(kind, version):
        return data
    result = _cut(data, tree(kind), objects.facts(version)[kind])
    for name, of in tree(kind).items():
        listed = result.get(name)
        if of == "sublist" and isinstance(listed, dict):
            items = [shown(str(each.get("object", "")), each, version) for each in listed["data"]]
            result[name] = {**listed, "data": items}
    return result


def _cut(data: Object, everything: Tree, own: Tree) -> Object:
    result: Object = {}
    for name, value in data.items():
        if name in everything and name not in own:
            continue
        inner, known = everything.get(name), own.get(name)
        if isinstance(value, dict) and isinstance(inner, Mapping) and isinstance(known, Mapping):
            value = _cut(value, inner, known)  # noqa: PLW2901 - the value as this version has it
        result[name] = value
    return result
