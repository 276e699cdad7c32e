"""The layers and the circles of imports: the contracts stand in pyproject.toml, import-linter holds the code against them."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "stripe_magics"


def test_the_contracts_of_the_layers_are_kept() -> None:
    run = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    done = subprocess.run(run, cwd=PACKAGE.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_module_of_ours_is_imported_by_string() -> None:
    """But for the lazy face: a name in quotes hides an import from every tool that reads the layers."""
    found = []
    for path in PACKAGE.rglob("*.py"):
        if path == PACKAGE / "__init__.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
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
        tree = ast.parse(face.read_text())
        defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        clashes += [f"{face.relative_to(PACKAGE)}: {name}" for name in sorted(defined & modules)]
    assert not clashes
