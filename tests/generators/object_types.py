"""What the classes of a released `stripe` package say of an object: what must be there, what may be null,
which values a choice has, what is unknown.

    types = ObjectTypes(Package("16.1.0"))
    types.problems({"object": "customer", ...})      -> ["customer.balance is missing", ...]

`Optional` is what may be null or absent: the packages don't tell the two apart. What an id may be replaced
with when it is expanded is checked by its own type.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from generators.object_columns import Columns, _choices, _head, _name, _options
from generators.package import Package

Check = Callable[[Any, str], list[str]]
Scope = tuple[str, str]  # module, dotted class
PLAIN: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "bool": (bool,),
    "int": (int,),
    "float": (int, float),
    "Decimal": (str,),
    "Any": (object,),
}
OPEN = {"UntypedStripeObject", "Dict", "StripeObject"}


class ObjectTypes:
    """The object types of one release."""

    def __init__(self, package: Package) -> None:
        self.columns = Columns(package)
        self._fields: dict[Scope, dict[str, tuple[bool, ast.expr, list[str] | None]]] = {}
        self._found: dict[tuple[Scope, str], Scope | None] = {}

    def knows(self, kind: str) -> bool:
        """Whether the release has such a type."""
        return kind in self.columns.resources

    def problems(self, value: dict[str, Any]) -> list[str]:
        """What is wrong with an object, by its type. Deleted objects are only ids."""
        kind = value["object"]
        if value.get("deleted"):
            return []
        module, name = self.columns.resources[kind]
        return self._object((module, name), value, kind)

    def _of(self, scope: Scope) -> dict[str, tuple[bool, ast.expr, list[str] | None]]:
        if scope not in self._fields:
            self._fields[scope] = {
                name: (_options(annotation)[0], annotation, _choices(annotation))
                for name, annotation, _ in self.columns._fields(*scope)
            }
        return self._fields[scope]

    def _object(self, scope: Scope, value: Any, place: str) -> list[str]:
        if not isinstance(value, dict):
            return [f"{place} is no object: {value!r}"]
        fields = self._of(scope)
        found = [f"{place}.{name} is unknown" for name in value if name not in fields]
        for name, (nullable, annotation, choices) in fields.items():
            where = f"{place}.{name}"
            given = value.get(name)
            if given is None:
                if not nullable:
                    found.append(f"{where} is {'null' if name in value else 'missing'}")
            elif choices is not None:
                found += [] if given in choices else [f"{where} is {given!r}, not one of {choices[:6]}"]
            else:
                found += self._value(scope, annotation, given, where)
        return found

    def _value(self, scope: Scope, annotation: ast.expr, value: Any, place: str) -> list[str]:
        tries = [self._option(scope, each, value, place) for each in _options(annotation)[1]]
        return [] if any(not each for each in tries) else min(tries, key=len)

    def _option(self, scope: Scope, node: ast.expr, value: Any, place: str) -> list[str]:
        node = _text(node)
        head = _head(node)
        if head in PLAIN:
            good = isinstance(value, PLAIN[head]) and (head in {"bool", "Any"} or not isinstance(value, bool))
            return [] if good else [f"{place} is no {head}: {value!r}"]
        if head in OPEN:
            return [] if isinstance(value, dict) else [f"{place} is no mapping: {value!r}"]
        if head == "Literal":
            return [] if value in (_choices(node) or [value]) else [f"{place}: {value!r} is no choice"]
        inner = node.slice if isinstance(node, ast.Subscript) else node
        if head == "ExpandableField":
            return [] if isinstance(value, str) else self._value(scope, inner, value, place)
        if head == "List":
            if not isinstance(value, list):
                return [f"{place} is no list: {value!r}"]
            return [each for one in value for each in self._value(scope, inner, one, f"{place}[]")]
        if head == "ListObject":
            if (
                not isinstance(value, dict)
                or value.get("object") != "list"
                or not {"data", "has_more", "url"} <= set(value)
            ):
                return [f"{place} is no list object: {value!r}"]
            return [
                each for one in value["data"] for each in self._value(scope, inner, one, f"{place}.data[]")
            ]
        where = self._class(scope, node)
        if where is None:
            return [f"{place}: unknown type {ast.unparse(node)}"]
        if isinstance(value, dict) and value.get("deleted"):
            return []
        return self._object(where, value, place)

    def _class(self, scope: Scope, node: ast.expr) -> Scope | None:
        key = (scope, _name(node))
        if key not in self._found:
            self._found[key] = self.columns._find(scope[0], node, (scope,))
        return self._found[key]


def _text(node: ast.expr) -> ast.expr:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return ast.parse(node.value, mode="eval").body
    return node
