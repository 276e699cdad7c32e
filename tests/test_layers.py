"""The layers and the circles of imports: the contracts stand in pyproject.toml, import-linter holds the code
against them."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import stripe_magics

PACKAGE = Path(__file__).parents[1] / "stripe_magics"


@cache
def parsed(path: Path) -> ast.Module:
    """A file of the package, read once for all tests here."""
    return ast.parse(path.read_text(encoding="utf-8"))


def test_the_contracts_of_the_layers_are_kept() -> None:
    run = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    done = subprocess.run(run, cwd=PACKAGE.parent, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_part_of_the_package_has_a_layer_and_is_described() -> None:
    """`sandbox` and what serves it stand beside the layers; a contract of their own bounds them."""
    names = {each.stem for each in PACKAGE.iterdir() if each.suffix == ".py"}
    names |= {each.parent.name for each in PACKAGE.glob("*/__init__.py")}
    contracts = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["tool"]["importlinter"]
    layered = set(re.findall(r"stripe_magics\.(\w+)", " ".join(contracts["contracts"][0]["layers"])))
    assert names - layered == {"__init__", "_version", "pytest_plugin", "sandbox"}
    described = set(re.findall(r"\w+", (PACKAGE / "ARCHITECTURE.md").read_text(encoding="utf-8")))
    assert names - described == {"__main__", "_version", "modules_frame"}


def test_no_module_of_ours_is_imported_by_string() -> None:
    """But for the lazy face: a name in quotes hides an import from every tool that reads the layers."""
    found = []
    for path in PACKAGE.rglob("*.py"):
        if path == PACKAGE / "__init__.py":
            continue
        for node in ast.walk(parsed(path)):
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "id", getattr(node.func, "attr", "")) == "import_module"
            ):
                first = node.args[0]
                if isinstance(first, ast.Constant) and str(first.value).startswith("stripe_magics"):
                    found.append(f"{path.relative_to(PACKAGE)}:{node.lineno}")
    assert not found


def test_no_function_of_a_face_has_the_name_of_a_module_beside_it() -> None:
    """Importing the module later would put it in the function's place."""
    clashes = []
    for face in PACKAGE.rglob("__init__.py"):
        modules = {
            path.stem
            for path in face.parent.iterdir()
            if path.suffix == ".py" or (path / "__init__.py").exists()
        }
        tree = parsed(face)
        defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        clashes += [f"{face.relative_to(PACKAGE)}: {name}" for name in sorted(defined & modules)]
    assert not clashes


def test_imports_of_ours_wait_only_for_what_is_not_loaded_yet() -> None:
    """An import inside a function is there to load something later; where the file's own imports load it
    anyway, it stands at the top."""
    modules = {_name(path): parsed(path) for path in PACKAGE.rglob("*.py")}
    at_once = {name: set(_imports(tree, modules, later=False)) for name, tree in modules.items()}

    @cache
    def loaded(name: str) -> set[str]:
        seen: set[str] = set()
        left = [name]
        while left:
            each = left.pop()
            if each not in seen:
                seen.add(each)
                left += [*at_once[each], *_packages(each)]
        return seen

    found = []
    for name, tree in modules.items():
        known = loaded(name)
        mine = {name, *_packages(name)}  # what a module's own package has by then, its order decides
        found += [
            f"{name}: {each}"
            for each in sorted(set(_imports(tree, modules, later=True)))
            if each in known and each not in mine and name not in loaded(each)
        ]
    assert not found, "\n".join(found)


def _name(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


def _packages(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:size]) for size in range(1, len(parts))]


def _imports(
    node: ast.AST, modules: Mapping[str, ast.AST], *, later: bool, inside: bool = False
) -> Iterator[str]:
    """Modules of ours that are imported at once, or inside functions; what is imported for types alone is
    neither."""
    for child in ast.iter_child_nodes(node):
        if (
            isinstance(child, ast.If)
            and isinstance(child.test, ast.Name)
            and child.test.id == "TYPE_CHECKING"
        ):
            continue
        if isinstance(child, ast.ImportFrom) and inside is later and child.module:
            names = (f"{child.module}.{each.name}" for each in child.names)
            yield from (
                each
                for each in (name if name in modules else child.module for name in names)
                if each in modules
            )
        elif isinstance(child, ast.Import) and not later and not inside:
            yield from (each.name for each in child.names if each.name in modules)
        function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from _imports(child, modules, later=later, inside=inside or function)


def test_python_that_a_message_names_is_there() -> None:
    """`sm.current()`, `stripe_magics.form(...)` in a text of ours: a person will type it."""
    named = {
        (name, path.name)
        for path in PACKAGE.rglob("*.py")
        for name in re.findall(r"\b(?:sm|stripe_magics)\.(\w+)\(", path.read_text(encoding="utf-8"))
    }
    assert len(named) > 10
    assert not [each for each in named if not hasattr(stripe_magics, each[0])]


def test_every_error_of_ours_stands_in_one_tree() -> None:
    """What a person may want to catch is importable from `stripe_magics.errors`, whoever raises it."""
    tree = {
        each.name
        for each in ast.parse((PACKAGE / "errors.py").read_text()).body
        if isinstance(each, ast.ClassDef)
    }
    assert "StripeMagicsError" in tree
    elsewhere = [
        f"{file.relative_to(PACKAGE)}: {each.name}"
        for file in PACKAGE.rglob("*.py")
        if file != PACKAGE / "errors.py"
        for each in ast.walk(ast.parse(file.read_text()))
        if isinstance(each, ast.ClassDef) and tree & {ast.unparse(base) for base in each.bases}
    ]
    assert elsewhere == []


def test_no_two_public_classes_share_a_name() -> None:
    """A name that two packages use means one thing."""
    both = {"Fault"}  # of a value, and one that the sandbox injects: each is public by that name
    found = Counter(
        node.name
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert {name for name, times in found.items() if times > 1} == both
