"""One released `stripe` package, read by `ast`: its modules, classes, services and resource classes.

Two layouts are known. Up to version 12 a service creates those below it in `__init__` and holds its
parameters' classes; later ones list the services below in `_subservices` and keep parameters in
`stripe.params`. A class inside another is named with a dot.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from generators.releases import unpacked

HTTP_METHODS = {"get", "post", "delete"}


class Package:
    """A release's syntax trees, each read once."""

    def __init__(self, release: str) -> None:
        self.release = release
        self.root: Path = unpacked(release)
        self._trees: dict[str, ast.Module] = {}
        self._classes: dict[str, dict[str, ast.ClassDef]] = {}
        self._imports: dict[str, dict[str, tuple[str, str]]] = {}

    # Modules

    def tree(self, module: str) -> ast.Module:
        """The syntax tree of `stripe._customer_service`."""
        if module not in self._trees:
            path = self.root.joinpath(*module.split(".")[1:])
            file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
            self._trees[module] = ast.parse(file.read_text(encoding="utf-8"))
        return self._trees[module]

    def classes(self, module: str) -> dict[str, ast.ClassDef]:
        """The classes of a module by name, inner ones dotted."""
        if module not in self._classes:
            self._classes[module] = dict(_inner_classes(self.tree(module).body, ""))
        return self._classes[module]

    def imported(self, module: str) -> dict[str, tuple[str, str]]:
        """Where each imported name of a module comes from: `Session` -> (`stripe.checkout._session`,
        `Session`)."""
        if module not in self._imports:
            found: dict[str, tuple[str, str]] = {}
            for node in ast.walk(self.tree(module)):
                if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("stripe"):
                    found |= {each.asname or each.name: (node.module, each.name) for each in node.names}
            self._imports[module] = found
        return self._imports[module]

    def modules(self) -> Iterator[str]:
        """All modules of v1, without the parameters' own."""
        for path in sorted(self.root.rglob("*.py")):
            parts = path.relative_to(self.root).with_suffix("").parts
            if parts[0] not in {"params", "v2"} and parts[-1] != "__init__":
                yield ".".join(("stripe", *parts))

    # What the package says

    @cached_property
    def api_version(self) -> str:
        """The API version that the package speaks, e.g. "2026-10-28.endive"."""
        for node in ast.walk(self.tree("stripe._api_version")):
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "CURRENT":
                return str(ast.literal_eval(node.value))
        raise RuntimeError(f"stripe {self.release} doesn't say its API version")

    def services(self) -> Iterator[tuple[str, str, str]]:
        """Every service: (dotted name, module, class); those of v2 have names that begin with `v2`."""
        yield from self._services("v1", "")
        yield from self._services("v2", "v2")

    def _services(self, generation: str, name: str) -> Iterator[tuple[str, str, str]]:
        top = f"stripe._{generation}_services"
        if not self.root.joinpath(f"_{generation}_services.py").exists():
            top = "stripe._stripe_client"
        for each in self._below(top, name):
            if name or not each[0].startswith(("oauth", "v2", "v1")):
                yield each

    def _below(self, module: str, name: str) -> Iterator[tuple[str, str, str]]:
        for attribute, (below, class_name) in self._subservices(module).items():
            dotted = f"{name}.{attribute}".lstrip(".")
            yield dotted, below, class_name
            yield from self._below(below, dotted)

    def _subservices(self, module: str) -> dict[str, tuple[str, str]]:
        """The services directly below one: attribute -> (module, class)."""
        for node in self.tree(module).body:
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_subservices":
                return {name: (where[0], where[1]) for name, where in ast.literal_eval(node.value).items()}
        known = self.imported(module)
        found = {}
        for node in ast.walk(self.tree(module)):
            target = node.targets[0] if isinstance(node, ast.Assign) else None
            if isinstance(target, ast.Attribute) and isinstance(node.value, ast.Call):
                name = getattr(node.value.func, "id", "")
                if name.endswith("Service") and name in known and not target.attr.startswith("_"):
                    found[target.attr] = known[name]
        return found

    def object_name(self, module: str, annotation: str) -> str:
        """What an annotation means in Stripe's words: `ListObject[Customer]` -> `list[customer]`."""
        head, _, inside = annotation.partition("[")
        if head in {"ListObject", "SearchResultObject"}:
            return f"list[{self.object_name(module, inside[:-1])}]"
        where, name = self.imported(module).get(annotation, ("", ""))
        return (constant(self.classes(where)[name], "OBJECT_NAME") if where else "") or "any"


def _inner_classes(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, ast.ClassDef]]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield prefix + node.name, node
            yield from _inner_classes(node.body, f"{prefix}{node.name}.")


def constant(node: ast.ClassDef, name: str) -> str:
    """A class's text constant, or ""."""
    for each in node.body:
        if isinstance(each, ast.AnnAssign) and getattr(each.target, "id", "") == name and each.value:
            return str(ast.literal_eval(each.value))
    return ""


def members(package: Package, module: str, name: str) -> Iterator[tuple[str, ast.expr, str]]:
    """The annotated members of a class: (name, annotation, comment). Reserved words stand in a base written
    as a call."""
    node = package.classes(module)[name]
    outer = package.classes(module)[name.rpartition(".")[0]].body if "." in name else []
    for base in node.bases:
        if isinstance(base, ast.Name) and base.id.startswith("_"):
            for other in (*outer, *package.tree(module).body):
                if isinstance(other, ast.Assign) and getattr(other.targets[0], "id", "") == base.id:
                    yield from _members_of_call(other.value)
    for each, after in zip(node.body, [*node.body[1:], ast.Pass()], strict=True):
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
            says = after.value if isinstance(after, ast.Expr) else None
            yield each.target.id, each.annotation, str(says.value) if isinstance(says, ast.Constant) else ""


def _members_of_call(call: ast.expr) -> Iterator[tuple[str, ast.expr, str]]:
    table = call.args[1] if isinstance(call, ast.Call) and len(call.args) > 1 else None
    if isinstance(table, ast.Dict):
        for key, value in zip(table.keys, table.values, strict=True):
            if key is not None:
                yield ast.literal_eval(key), value, ""


def calls(function: ast.AST) -> Iterator[tuple[str, str]]:
    """(method, path) of each request that a function makes."""
    for node in ast.walk(function):
        if not (isinstance(node, ast.Call) and len(node.args) > 1 and isinstance(node.args[0], ast.Constant)):
            continue
        where = node.args[1]
        if isinstance(where, ast.Call) and getattr(where.func, "attr", "") == "format":
            where = where.func.value  # type: ignore[attr-defined]
        path = str(where.value) if isinstance(where, ast.Constant) else ""
        if node.args[0].value in HTTP_METHODS and path.startswith(("/v1/", "/v2/")):
            yield str(node.args[0].value).upper(), path
