"""The floors of the house: nothing imports upwards, and httpx lives in two rooms only."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "stripe_magics"
FLOORS = [
    {"errors", "catalogue", "money", "progress"},
    {"command", "grammar", "binding", "request"},
    {"client", "frames"},
    {"calls"},
    {"forms", "watch", "finance", "pulls"},
    {"magics"},
]
LEVEL = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
APART = FLOORS[4]  # the rooms of this floor don't import each other
SANDBOX = {"sandbox", "catalogue", "money"}


def files() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            found |= {f"{base}.{alias.name}" if base == "stripe_magics" else base for alias in node.names}
    return found


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_imports_upwards(path: Path) -> None:
    here = room(path)
    for name in imports(path):
        if not name.startswith("stripe_magics."):
            continue
        there = name.split(".")[1]
        if there in {here, "__version__"}:
            continue
        if here == "sandbox":
            assert there in SANDBOX, f"sandbox imports {name}"
        elif there == "sandbox":
            assert here in {"client", "magics"}, f"{here} reaches into the sandbox: {name}"
        else:
            assert here in LEVEL, f"{here} stands on no floor"
            assert LEVEL[there] <= LEVEL[here], f"{here} imports upwards: {name}"
            if here in APART and there in APART:
                raise AssertionError(f"{here} imports its neighbour {there}")


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_httpx_lives_in_two_rooms(path: Path) -> None:
    if room(path) not in {"client", "sandbox"}:
        assert not {name for name in imports(path) if name.split(".")[0] in {"httpx", "httpcore"}}
