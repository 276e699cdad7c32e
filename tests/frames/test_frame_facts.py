"""The facts of a frame: each key is declared once, and one module reads and writes `df.attrs["stripe"]`."""

from __future__ import annotations

import ast
from dataclasses import fields
from pathlib import Path

import pandas as pd

import stripe_magics
from stripe_magics.frames.frame_facts import FrameFacts, ReportFrameFacts
from stripe_magics.frames.frame_info import CallInfo, FrameInfo, facts_of, set_facts

PACKAGE = Path(stripe_magics.__file__).parent
OWNER = "frames/frame_info.py"
BY_THE_RUNNER = {"report", "period", "start", "end", "read_at", "used", "rows_read", "run", "of"}


def _is_stripe(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == "stripe"


def _is_attrs(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "attrs"


def _by_hand(tree: ast.AST) -> list[int]:
    """The lines that read or write `attrs["stripe"]` themselves."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and _is_attrs(node.value) and _is_stripe(node.slice):
            found.append(node.lineno)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            by_name = node.func.attr in {"get", "setdefault", "pop"} and _is_stripe(node.args[0])
            if by_name and _is_attrs(node.func.value):
                found.append(node.lineno)
        if isinstance(node, ast.Compare) and _is_stripe(node.left) and _is_attrs(node.comparators[0]):
            found.append(node.lineno)
    return found


def test_one_module_reads_and_writes_the_attrs() -> None:
    found = {
        f"{path.relative_to(PACKAGE)}:{line}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.relative_to(PACKAGE).as_posix() != OWNER
        for line in _by_hand(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert found == set(), "facts_of, set_facts and put_attrs are there for it"
    assert _by_hand(ast.parse((PACKAGE / OWNER).read_text(encoding="utf-8"))), (
        "the search finds what there is"
    )


def test_every_key_is_declared_once() -> None:
    common = {each.name for kind in (FrameInfo, CallInfo) for each in fields(kind)} - {"more"}
    report = set(ReportFrameFacts.__annotations__)
    assert set(FrameFacts.__annotations__) == common | report | BY_THE_RUNNER


def test_facts_are_read_and_written() -> None:
    frame = pd.DataFrame({"id": ["a"]})
    assert not facts_of(frame)
    assert not facts_of(None)
    other = frame.copy(deep=False)
    other.attrs = frame.attrs
    set_facts(frame, title="Month end", notes=["one"])
    assert facts_of(frame)["title"] == "Month end"
    assert facts_of(frame)["notes"] == ["one"], "a fact of the call is read through it"
    shared = frame.copy(deep=False)
    shared.attrs = {"stripe": frame.attrs["stripe"]}
    set_facts(shared, title="Another")
    assert facts_of(frame)["title"] == "Month end", "frames that share their attrs keep their own"
