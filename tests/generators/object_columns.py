"""Makes `catalogue/generated/objects.json.gz`: the fields of each Stripe object and their kinds at each
released version; and what can be expanded.

Read from the resource classes of the released packages: names, types and choices only. An object is a
mapping; a leaf is a kind (see `stripe_magics/frames/schema.py`) or the list of a choice's values; "?" marks a
number that may be null; "@" in a mapping says that its own id is the column of its name.

The file has one tree by type for the oldest version, and below each later version those that differ (null: it
has no such type).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from generators.package import Package, constant, members
from generators.parameter_types import integer

from stripe_magics._redaction import is_secret_field

OLD_METHODS = {"ach_credit_transfer", "ach_debit", "sofort", "multibanco", "wechat", "bitcoin"}
KEPT_METHODS = {"card"}  # other payment methods' details become columns when an account has them
# has settings of some fifty methods, beside no `type` that names one
BY_METHOD = {"payment_method_configuration"}
WHOLE = {"payment_method_options"}  # a choice of settings by method, rarely looked at
# instants whose comments don't say so
TIMES = re.compile(
    r"(^|_)(period_start|period_end|trial_start|deadline|available_on|redeem_by|due_by|deletes_after|available_until|load_time"
    r"|next_payment_attempt)$"
)
MAY_LACK = {"amount_capturable", "amount_received"}  # numbers that some answers leave out
LEAVES = {"str": "text", "bool": "bool", "float": "number", "int": "int", "Any": "map", "Decimal": "text"}
MAX_DEPTH = 4
INCLUDED = {  # what is left out of its object unless asked for, which no type says
    "balance": ["instant_available.net_available"],
    "coupon": ["applies_to", "currency_options"],
    "customer": ["cash_balance", "invoice_credit_balance", "tax"],
    "price": ["currency_options", "tiers"],
}


class Columns:
    """The object types of one release."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self.resources = {
            name: (module, node.name)
            for module in package.modules()
            for node in package.classes(module).values()
            if (name := constant(node, "OBJECT_NAME"))
        }
        self.methods = (self._method_types() | OLD_METHODS) - KEPT_METHODS

    def _method_types(self) -> set[str]:
        fields = {
            name: annotation
            for name, annotation, _ in self._fields("stripe._payment_method", "PaymentMethod")
        }
        return set(_choices(fields["type"]) or ())

    def _fields(self, module: str, name: str) -> Iterator[tuple[str, ast.expr, str]]:
        for each, annotation, comment in members(self.package, module, name):
            if not each.startswith("_") and each not in {"OBJECT_NAME", "deleted"}:
                yield each, annotation, comment

    def trees(self) -> dict[str, Any]:
        """Type of object -> its tree."""
        return {
            name: self.tree(module, node, name, ((module, node),))
            for name, (module, node) in sorted(self.resources.items())
            if any(each == "object" for each, _, _ in self._fields(module, node))
        }

    def tree(self, module: str, name: str, root: str, seen: tuple[tuple[str, str], ...]) -> dict[str, Any]:
        depth = len(seen) - 1
        found: dict[str, Any] = {}
        fields = sorted(self._fields(module, name), key=lambda each: each[0])
        # details of one method stand beside the `type` that names it; without one they are the object's own
        by_type = depth > 0 or root in BY_METHOD or any(key == "type" for key, _, _ in fields)
        for key, annotation, comment in fields:
            if key == "object" and depth and _choices(annotation):
                continue
            if by_type and key in self.methods and not seen[-1][1].endswith("Wallet"):
                continue
            if seen[-1][1].endswith("NextAction") and key != "redirect_to_url" and _is_class(annotation):
                continue  # one of two dozen, by its type
            of = constant(self.package.classes(module)[name], "OBJECT_NAME")
            kind = "map" if key in WHOLE else self.kind(module, key, annotation, comment, root, seen)
            found[key] = "secret" if kind == "text" and is_secret_field(of or "", key) else kind
        return found

    def kind(
        self,
        module: str,
        key: str,
        node: ast.expr,
        comment: str,
        root: str,
        seen: tuple[tuple[str, str], ...],
    ) -> Any:
        depth = len(seen) - 1
        nullable, options = _options(node)
        if (choices := _choices(node)) is not None:
            return "text" if key == "object" else choices
        if any(_head(each) == "ExpandableField" for each in options):
            return "ref"
        if len(options) > 1:
            resources = [self._is_resource(module, each) for each in options]
            if all(resources) or any(_head(each) == "str" for each in options):
                return "ref"
        option = options[0]
        head = _head(option)
        if head == "int":
            if key == "created" or integer(key, comment) == "t" or TIMES.search(key):
                return "time"
            return "int?" if nullable or depth or key in MAY_LACK else "int"
        if head == "str" and key.endswith("currency"):
            return "currency"
        if head in LEAVES:
            return LEAVES[head]
        if head in {"List", "ListObject"}:
            return "list" if head == "List" else "sublist"
        if head in {"UntypedStripeObject", "Dict", "StripeObject"}:
            return "map"
        return self._structure(module, option, root, seen)

    def _structure(self, module: str, node: ast.expr, root: str, seen: tuple[tuple[str, str], ...]) -> Any:
        where = self._find(module, node, seen)
        resource = self._is_resource(module, node)
        depth = len(seen) - 1
        if where is None or where in seen or depth >= MAX_DEPTH or (resource and depth):
            return "map"  # a whole object deep inside another stays a dict
        inner = self.tree(*where, root, (*seen, where))
        if not inner:
            return "map"
        return (
            {"@": "id", **{key: value for key, value in inner.items() if key != "id"}} if resource else inner
        )

    def _find(self, module: str, node: ast.expr, seen: tuple[tuple[str, str], ...]) -> tuple[str, str] | None:
        """The class that a name means: one inside the classes around it, of its module, or imported."""
        name = _name(node)
        around = seen[-1][1] if seen and seen[-1][0] == module else ""
        while True:
            dotted = f"{around}.{name}".lstrip(".")
            if dotted in self.package.classes(module):
                return module, dotted
            if not around:
                return self.package.imported(module).get(name)
            around = around.rpartition(".")[0]

    def _is_resource(self, module: str, node: ast.expr) -> bool:
        where = self._find(module, node, ())
        found = self.package.classes(where[0]).get(where[1]) if where else None
        return (
            found is not None
            and bool(constant(found, "OBJECT_NAME"))
            and where is not None
            and "id" in {each for each, _, _ in self._fields(*where)}
        )

    # What can be expanded

    def expandable(self) -> dict[str, list[str]]:
        """Type of object -> the paths below it that hold ids which can be replaced by objects, or lists that
        are left out."""
        found = {}
        for name, (module, node) in sorted(self.resources.items()):
            if paths := sorted(set(self._expandable(module, node, "", ((module, node),)))):
                found[name] = paths
        return found

    def _expandable(
        self, module: str, name: str, prefix: str, seen: tuple[tuple[str, str], ...]
    ) -> Iterator[str]:
        for key, annotation, _ in self._fields(module, name):
            nullable, options = _options(annotation)
            inner = [each.slice if _head(each) == "List" else each for each in options]  # type: ignore[attr-defined]
            inner = [option for each in inner for option in _options(each)[1]]
            if any(_head(each) == "ExpandableField" for each in inner):
                yield prefix + key
            elif nullable and _head(options[0]) == "ListObject":
                yield prefix + key
            elif len(seen) < MAX_DEPTH:
                for each in inner:
                    where = self._find(module, each, seen) if _head(each) not in LEAVES else None
                    if where and where not in seen and not self._is_resource(module, each):
                        yield from self._expandable(*where, f"{prefix}{key}.", (*seen, where))


def _text(node: ast.expr) -> ast.expr:
    """An annotation, read if it is written as text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return ast.parse(node.value, mode="eval").body
    return node


def _head(node: ast.expr) -> str:
    node = _text(node)
    if isinstance(node, ast.Subscript):
        return ast.unparse(node.value)
    return ast.unparse(node)


_name = _head


def _is_class(node: ast.expr) -> bool:
    head = _head(_options(node)[1][0])
    return head not in LEAVES and head not in {
        "Literal",
        "UntypedStripeObject",
        "Dict",
        "List",
        "ExpandableField",
    }


def _options(node: ast.expr) -> tuple[bool, list[ast.expr]]:
    """(whether it may be null, the members of a union)."""
    node = _text(node)
    if not isinstance(node, ast.Subscript) or _head(node) not in {"Optional", "Union", "NotRequired"}:
        return False, [node]
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    inner = [_options(each) for each in parts]
    nullable = _head(node) == "Optional" or any(each for each, _ in inner)
    return nullable, [each for _, options in inner for each in options]


def _choices(node: ast.expr) -> list[str] | None:
    """The values of a choice, or None."""
    _, options = _options(node)
    literals = [each for each in options if _head(each) == "Literal"]
    if not literals or any(_head(each) not in {"Literal", "str"} for each in options):
        return None
    values = [
        ast.literal_eval(each)
        for literal in literals
        for each in (literal.slice.elts if isinstance(literal.slice, ast.Tuple) else [literal.slice])  # type: ignore[attr-defined]
    ]
    return [str(each) for each in values] if all(isinstance(each, str) for each in values) else None


def facts(packages: dict[str, Package]) -> dict[str, Any]:
    """What the data file holds."""
    by_version = {each.api_version: Columns(each).trees() for each in packages.values()}
    oldest, *later = by_version
    first = by_version[oldest]
    found: dict[str, Any] = {"versions": list(by_version), "objects": first, "later": {}}
    for version in later:
        trees = by_version[version]
        changed = {
            name: trees.get(name) for name in sorted({*first, *trees}) if trees.get(name) != first.get(name)
        }
        found["later"][version] = changed
    return found


def expandable(packages: dict[str, Package]) -> dict[str, list[str]]:
    """What can be expanded, at any of the versions."""
    found: dict[str, set[str]] = {name: set(paths) for name, paths in INCLUDED.items()}
    for package in packages.values():
        for name, paths in Columns(package).expandable().items():
            found.setdefault(name, set()).update(paths)
    return {name: sorted(paths) for name, paths in sorted(found.items())}
