"""A request held against the types of the released `stripe` packages: nothing unknown, nothing missing, every
value of its type."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from form_decoder import decode

from stripe_magics.catalogue.generated import facts
from stripe_magics.catalogue.generated.accepted import accepted
from stripe_magics.catalogue.versions import PINNED_VERSION
from stripe_magics.request import Request

_PATTERNS = {"i": r"-?\d+", "b": "true|false", "n": r"-?\d+(\.\d+)?"}
_RANGE = {"gt", "gte", "lt", "lte"}


def problems(request: Request, version: str = "") -> list[str]:
    """What the types of the version that goes out say against the request."""
    version = version or dict(request.headers).get("Stripe-Version", PINNED_VERSION)
    operation = facts.find_endpoint(request.method, request.path)
    names = accepted(request.method, operation.path, version) if operation else None
    if names is None:
        return [f"Stripe has no {request.method} {request.path} at {version}"]
    if request.json is not None:
        return _of_object(names, _texts(request.json), "")
    sent = [*request.query, *request.params, *(request.files or {}).items()]
    return _of_object(names, decode(sent), "")


def _texts(value: Any) -> Any:
    """A JSON body as a form would have it."""
    if isinstance(value, dict):
        return {key: _texts(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_texts(inner) for inner in value]
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def _of_object(names: dict[str, Any], value: Any, place: str) -> list[str]:
    if not isinstance(value, dict):
        return [] if value == "" else [f"{place} is no object: {value!r}"]
    known = {name.rstrip("!?"): (kind, name) for name, kind in names.items()}
    found = [
        f"{place}[{name[:-1]}] is missing" for name in names if name.endswith("!") and name[:-1] not in value
    ]
    for name, inner in value.items():
        where = f"{place}[{name}]"
        if name not in known:
            found.append(f"{where} is unknown to Stripe")
        elif inner != "" or not known[name][1].endswith("?"):
            found += _of_kind(known[name][0], inner, where)
    return found


def _of_kind(kind: Any, value: Any, place: str) -> list[str]:
    if isinstance(kind, dict):
        (what,) = kind
        return _COMPOUND[what](kind[what], value, place)
    if kind == "*":
        return []
    if kind == "m":
        good = value == "" or (
            isinstance(value, dict) and all(isinstance(each, str) for each in value.values())
        )
        return [] if good else [f"{place} is no mapping: {value!r}"]
    if kind == "r" and isinstance(value, dict):
        return [
            f"{place}[{name}] is no bound"
            for name, each in value.items()
            if name not in _RANGE or not each.isdecimal()
        ]
    if not isinstance(value, str):
        return [f"{place} is nested: {value!r}"]
    if kind[0] == "s":
        return [f"{place} is too long"] if kind[1:] and len(value) > int(kind[1:]) else []
    return (
        []
        if re.fullmatch(_PATTERNS["i" if kind == "r" else kind], value)
        else [f"{place} is no {kind}: {value!r}"]
    )


def _of_list(kind: Any, value: Any, place: str) -> list[str]:
    if not isinstance(value, list):
        return [] if value == "" else [f"{place} is not a list: {value!r}"]
    return [each for number, one in enumerate(value) for each in _of_kind(kind, one, f"{place}[{number}]")]


def _of_choice(choices: list[str], value: Any, place: str) -> list[str]:
    return [] if value in choices else [f"{place}: {value!r} is not in {choices[:5]}"]


def _of_union(kinds: list[Any], value: Any, place: str) -> list[str]:
    tries = [_of_kind(each, value, place) for each in kinds]
    return [] if any(not each for each in tries) else min(tries, key=len)


_COMPOUND: dict[str, Callable[[Any, Any, str], list[str]]] = {
    "o": _of_object,
    "a": _of_list,
    "e": _of_choice,
    "u": _of_union,
}
