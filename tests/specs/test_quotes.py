"""A requirement that a test quotes by its number stands in a specification of the repository."""

from __future__ import annotations

import re
from pathlib import Path

SPECS = Path(__file__).parent
TESTS = SPECS.parent
QUOTED = re.compile(r"\b[BT]\d{2,3}\b")


def test_quoted_requirements_are_in_the_repository() -> None:
    text = "\n".join(each.read_text(encoding="utf-8") for each in SPECS.glob("*.md"))
    known = {kind + number.lstrip("0") for kind, number in re.findall(r"\b([BT])(\d{1,3})\b", text)}
    quoted = {
        (number, path.name)
        for path in TESTS.rglob("test_*.py")
        for number in QUOTED.findall(path.read_text(encoding="utf-8"))
    }
    assert len(quoted) > 20
    assert not [each for each in quoted if each[0][0] + each[0][1:].lstrip("0") not in known]


def test_nothing_outside_the_repository_is_named() -> None:
    """A specification speaks of itself and of this repository only."""
    lines = [
        f"{path.name}: {line[:120]}"
        for path in SPECS.rglob("*")
        if path.suffix in {".md", ".yaml"}
        for line in path.read_text(encoding="utf-8").splitlines()
        if "../" in line
    ]
    assert not lines
