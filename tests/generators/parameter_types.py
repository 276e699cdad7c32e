"""Parameters' classes as compact facts: [name, code, flags], structures and choices each stored once.

A code says a parameter's type, "|" between the members of a union:

s text, i integer, t instant, a amount in minor units, b boolean, f number, d decimal, r range of instants, R
range of numbers, F file;
c3 one of the choices number 3, o5 a structure of the shape number 5, l before a code a list of it, m text by
text, M a mapping of anything else.

Flags: 1 it is required, 2 an empty text clears it.

Comments are looked at for one thing: whether an integer is an instant or an amount of money, which its type
doesn't say. No sentence is kept.
"""

from __future__ import annotations

import ast
import re
from typing import Any

from generators.package import Package, members

REQUIRED, CLEARS = 1, 2
RANGE = {"gt", "gte", "lt", "lte"}
INSTANT = re.compile(r"timestamp|unix epoch|\bepoch\b|point in time", re.IGNORECASE)
INSTANT_NAME = re.compile(r"(_at|_date|^date|^created|^timestamp|^frozen_time|^start|^end|^trial_end)$")
NO_INSTANT = re.compile(r"(_days|days_|_count|_percent|_duration|_hours|_offset|^quantity$)")
MONEY = re.compile(r"\bcents?\b|smallest currency unit|minor unit|currency's smallest", re.IGNORECASE)
MONEY_NAME = re.compile(
    r"(^|_)amount$|^amount_(off|to_|tip|gte)|^(application_fee|atm_fee|unit_cost|smart_tip_threshold)$"
)
SIMPLE = {"str": ["s"], "int": ["i"], "bool": ["b"], "float": ["f"], "Decimal": ["d"], "Any": ["F"]}


class ParameterTypes:
    """Choices and structures of all releases, each stored once."""

    def __init__(self) -> None:
        self.choices: list[list[str]] = []
        self.shapes: list[list[list[Any]]] = []

    @staticmethod
    def number(of: list[Any], value: Any) -> int:
        """The number of a value in its list; it is added if it is new."""
        if value not in of:
            of.append(value)
        return of.index(value)

    def shape(self, package: Package, module: str, name: str) -> int:
        """The number of a parameters' class as a list of [name, code, flags]."""
        entries = [
            self.entry(package, module, *each)
            for each in members(package, module, name)
            if each[0] not in REQUEST_OPTIONS
        ]
        return self.number(self.shapes, sorted(entries, key=lambda each: (not each[2] & REQUIRED, each[0])))

    def entry(
        self, package: Package, module: str, name: str, annotation: ast.expr, comment: str
    ) -> list[Any]:
        """One parameter as [name, code, flags]."""
        flags = REQUIRED
        if isinstance(annotation, ast.Subscript) and getattr(annotation.value, "id", "") == "NotRequired":
            flags, annotation = 0, annotation.slice
        codes = self.encode(package, module, annotation)
        if "" in codes:
            flags |= CLEARS
        codes = [integer(name, comment) if code == "i" else code for code in codes if code]
        if name.endswith("_decimal"):  # the older release writes a decimal as text
            codes = ["d" if code == "s" else code for code in codes]
        if "r" in codes:  # a range, or one instant
            codes = ["R" if MONEY_NAME.search(name) else "r"]
        return [name, "|".join(codes) or "s", flags]

    def encode(self, package: Package, module: str, node: ast.expr) -> list[str]:
        """The codes of a type, one for each member of a union; "" is the empty text that clears."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return self.encode(package, module, ast.parse(node.value, mode="eval").body)
        if isinstance(node, ast.BinOp):
            both = (*self.encode(package, module, node.left), *self.encode(package, module, node.right))
            return merged([*both])
        if isinstance(node, ast.Name) and node.id in SIMPLE:
            return SIMPLE[node.id]
        if isinstance(node, (ast.Name, ast.Attribute)):
            return self._structure(package, module, ast.unparse(node))
        if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Name):
            raise TypeError(f"{module}: can't read the type {ast.unparse(node)}")
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if node.value.id == "Literal":
            return self._literal([str(ast.literal_eval(each)) for each in parts])
        if node.value.id in {"Union", "Optional"}:
            return merged([code for each in parts for code in self.encode(package, module, each)])
        if node.value.id == "List":
            return ["l" + "|".join(each for each in self.encode(package, module, parts[0]) if each)]
        if node.value.id == "Dict":
            return ["m" if ast.unparse(parts[1]) == "str" else "M"]
        if node.value.id == "UntypedStripeObject":  # a mapping in the package's own clothes
            return ["m" if ast.unparse(parts[0]) == "str" else "M"]
        raise TypeError(f"{module}: can't read the type {ast.unparse(node)}")

    def _structure(self, package: Package, module: str, name: str) -> list[str]:
        where, known = module, name
        if name not in package.classes(module):
            where, known = package.imported(module)[name]
        shape = self.shape(package, where, known)
        return ["r"] if {each[0] for each in self.shapes[shape]} == RANGE else [f"o{shape}"]

    def _literal(self, values: list[str]) -> list[str]:
        """A choice; an empty one says that the value may be cleared."""
        clears = [""] if "" in values else []
        values = [each for each in values if each]
        return [*clears, f"c{self.number(self.choices, values)}"] if values else clears


# The older package mixes a call's options into the parameters of its resource classes.
REQUEST_OPTIONS = {"api_key", "idempotency_key", "stripe_account", "stripe_version", "stripe_context"}


def merged(codes: list[str]) -> list[str]:
    """The members of a union, each once; beside choices, text only says that there may be more of them one
    day."""
    unique = list(dict.fromkeys(codes))
    return [code for code in unique if code != "s" or not any(other[:1] == "c" for other in unique)]


def integer(name: str, comment: str) -> str:
    """Whether an integer is an instant (t), money (a) or a number (i)."""
    if not NO_INSTANT.search(name) and (INSTANT_NAME.search(name) or INSTANT.search(comment)):
        return "t"
    return "a" if MONEY_NAME.search(name) or MONEY.search(comment) else "i"
