"""The generated facts of Stripe's v1 operations, at each of the API versions that they were read for.

`operations.json.gz` (made by `tests/generators/`) holds what the published packages say: endpoints,
parameters, types, what is required.
Here it is read, once, and asked: which version knows a parameter, what an endpoint requires.

A shape is a list of [name, code, flags]; a code says the type, "|" between the members of a union:

| code | type |
|---|---|
| s, i, b, f, d | text, integer, boolean, number, decimal |
| t, a | an instant, an amount in minor units |
| r, R | a range of instants, of numbers |
| m, M, F | text by text, a mapping of anything, a file |
| c3, o5 | one of the choices number 3, a structure of the shape number 5 |
| l before a code | a list of it |
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from stripe_magics.catalogue.versions import known_versions

DATA = Path(__file__).with_name("operations.json.gz")
REQUIRED, CLEARS = 1, 2

Entry = tuple[str, str, int]
"""A parameter: name, code, flags."""

_OPEN = frozenset("mMrRF")  # what stands inside these is not described
_PARTS = re.compile(r"[^\[\]]+|(?<=\[)(?=\])")
_NUMBER = re.compile(r"\d*")


@dataclass(frozen=True, slots=True)
class ApiOperation:
    """One endpoint."""

    name: str
    method: str
    path: str
    returns: str
    # by version: its shape, -1 for no parameters, None where there is no such operation
    shapes: tuple[int | None, ...]
    aliases: tuple[str, ...]
    host: str


@dataclass(frozen=True, slots=True)
class Data:
    """The file as read, with its indices."""

    versions: tuple[str, ...]  # oldest first
    choices: list[list[str]]
    shapes: list[list[Entry]]
    operations: dict[str, ApiOperation]
    aliases: dict[str, str]
    endpoints: dict[tuple[str, str], ApiOperation]  # by (method, anonymous path)
    objects: dict[str, str]  # "/v1/transfers/{}" -> "transfer"


@cache
def data() -> Data:
    """Read the file, once."""
    facts = json.loads(gzip.decompress(DATA.read_bytes()))
    rows = {
        name: ApiOperation(name, method, path, returns, tuple(shapes), tuple(aliases), host)
        for name, method, path, returns, shapes, aliases, host in facts["operations"]
    }
    endpoints: dict[tuple[str, str], ApiOperation] = {}
    for each in rows.values():
        endpoints.setdefault((each.method, anonymous(each.path)), each)
    return Data(
        versions=tuple(facts["versions"]),
        choices=facts["choices"],
        shapes=facts["shapes"],
        operations=rows,
        aliases={alias: name for name, row in rows.items() for alias in row.aliases},
        endpoints=endpoints,
        objects={
            path: each.returns
            for (method, path), each in endpoints.items()
            if method == "GET" and path.endswith("}")
        },
    )


def anonymous(path: str) -> str:
    """A path without the names of its ids, to compare paths by: `/v1/customers/{}`."""
    return re.sub(r"\{\w+\}", "{}", path)


# Endpoints


def described(method: str, path: str) -> bool:
    """Whether there is such an endpoint (its path with or without the names of ids) in any version."""
    return (method, anonymous(path)) in data().endpoints


def find_endpoint(method: str, path: str) -> ApiOperation | None:
    """The operation that serves a path whose ids are filled in, or None."""
    return _patterns().get((method, path.count("/")), {}).get(path) or next(
        (
            each
            for pattern, each in _templates().get((method, path.count("/")), ())
            if pattern.fullmatch(path)
        ),
        None,
    )


@cache
def _patterns() -> dict[tuple[str, int], dict[str, ApiOperation]]:
    found: dict[tuple[str, int], dict[str, ApiOperation]] = {}
    for (method, path), each in data().endpoints.items():
        if "{" not in path:
            found.setdefault((method, path.count("/")), {})[path] = each
    return found


@cache
def _templates() -> dict[tuple[str, int], list[tuple[re.Pattern[str], ApiOperation]]]:
    found: dict[tuple[str, int], list[tuple[re.Pattern[str], ApiOperation]]] = {}
    for (method, path), each in data().endpoints.items():
        if "{" in path:
            pattern = re.compile(re.escape(path).replace(r"\{\}", "[^/]+"))
            found.setdefault((method, path.count("/")), []).append((pattern, each))
    return found


# Parameters


def shape(operation: ApiOperation, version: str) -> list[Entry] | None:
    """The parameters of an operation in one of the described versions; None where that version doesn't have
    it."""
    number = operation.shapes[data().versions.index(version)]
    if number is None:
        return None
    return data().shapes[number] if number >= 0 else []


def has_operation(operation: ApiOperation, version: str) -> bool:
    """Whether an API version has the operation, as far as is known."""
    return any(shape(operation, each) is not None for each in known_versions(version))


def has_parameter(operation: ApiOperation, param: str, version: str) -> bool:
    """Whether an API version knows a bracket parameter (`shipping[address][line1]`, `items[0][price]`), as
    far as is known."""
    return any(
        _walk(entries, _PARTS.findall(param))
        for each in known_versions(version)
        if (entries := shape(operation, each)) is not None
    )


def versions_with(operation: ApiOperation, param: str) -> tuple[str, ...]:
    """The described versions that know a bracket parameter."""
    return tuple(each for each in data().versions if has_parameter(operation, param, each))


def required(operation: ApiOperation, version: str) -> list[str]:
    """The parameters without which an API version refuses the call; of two that it lies between, what both
    require."""
    sets = [
        [name for name, _, flags in entries if flags & REQUIRED]
        for each in known_versions(version)
        if (entries := shape(operation, each)) is not None
    ]
    return [name for name in sets[0] if all(name in other for other in sets)] if sets else []


def _walk(entries: list[Entry], parts: list[str]) -> bool:
    found = next((code for name, code, _ in entries if parts and name == parts[0]), None)
    return found is not None and any(_inside(code, parts[1:]) for code in found.split("|"))


def _inside(code: str, parts: list[str]) -> bool:
    """Whether a type has something under the rest of a bracket parameter."""
    if not parts or code[0] in _OPEN:
        return True
    if code[0] == "l":
        return _NUMBER.fullmatch(parts[0]) is not None and any(
            _inside(each, parts[1:]) for each in code[1:].split("|")
        )
    return code[0] == "o" and _walk(data().shapes[int(code[1:])], parts)


def leaves(entries: list[Entry], outer: str = "") -> Iterator[tuple[str, str, int]]:
    """Every parameter of a shape by its bracket name, structures unfolded, lists not: (param, code,
    flags)."""
    for name, code, flags in entries:
        param = f"{outer}[{name}]" if outer else name
        yield param, code, flags
        if code[0] == "o" and "|" not in code:
            yield from leaves(data().shapes[int(code[1:])], param)


def choices(operation: ApiOperation, param: str, version: str) -> tuple[str, ...]:
    """The choices that an API version has for a bracket parameter; none where it takes any text or isn't
    known."""
    found: dict[str, None] = {}
    for each in known_versions(version):
        for code in _codes(f"o{operation.shapes[data().versions.index(each)]}", _PARTS.findall(param)):
            if code == "b":
                found |= {"true": None, "false": None}
            elif code[0] == "c":
                found |= dict.fromkeys(data().choices[int(code[1:])])
    return tuple(found) if list(found) != ["true", "false"] else ()


def _codes(code: str, parts: list[str]) -> Iterator[str]:
    """The codes, lists opened, of what stands under the rest of a bracket parameter."""
    if code[0] == "l":
        yield from _codes(code[1:], parts[1:] if parts and _NUMBER.fullmatch(parts[0]) else parts)
    elif not parts:
        yield code
    elif code[0] == "o" and code[1:].isdecimal():
        for name, inner, _ in data().shapes[int(code[1:])]:
            if name == parts[0]:
                for each in [inner] if inner[0] == "l" else inner.split("|"):
                    yield from _codes(each, parts[1:])
