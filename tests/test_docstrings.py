"""What the public interface says of itself: every function, its keywords, the exceptions that it names."""

from __future__ import annotations

import builtins
import inspect
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

import stripe_magics as sm
from stripe_magics import bulk, errors, events, finance, forms
from stripe_magics.accessor.dataframe_accessor import StripeAccessor
from stripe_magics.accessor.series_accessor import StripeSeriesAccessor
from stripe_magics.events.accounts_watch import AccountsWatch
from stripe_magics.events.event_watch import Watch
from stripe_magics.sandbox import SandboxTransport

FACES = (sm, bulk, events, finance, forms)
CLASSES = (StripeAccessor, StripeSeriesAccessor, Watch, AccountsWatch, SandboxTransport)
EVERYWHERE = frozenset({"connection", "quiet", "progress"})
"""Keywords that mean the same in every function: the connection to use, no progress bar."""


def _functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    for face in FACES:
        for name, given in _public(face):
            if not str(getattr(given, "__module__", "")).startswith("stripe_magics"):
                continue
            if inspect.isfunction(given):
                yield f"{face.__name__}.{name}", given
            elif inspect.isclass(given):
                yield from _methods(given)
    for each in CLASSES:
        yield from _methods(each)


def _public(face: ModuleType) -> list[tuple[str, object]]:
    names = getattr(face, "__all__", [name for name in vars(face) if not name.startswith("_")])
    return [(name, getattr(face, name)) for name in names]


def _methods(owner: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name, given in vars(owner).items():
        function = given.fget if isinstance(given, property) else getattr(given, "__func__", given)
        if not name.startswith("_") and inspect.isfunction(function):
            yield f"{owner.__name__}.{name}", function


FUNCTIONS = dict(_functions())


def _doc(function: Callable[..., Any]) -> str:
    return " ".join((inspect.getdoc(function) or "").split())  # wherever its lines end


def test_everything_public_says_what_it_does() -> None:
    assert len(FUNCTIONS) > 150
    assert [name for name, each in FUNCTIONS.items() if not _doc(each)] == []


def test_what_a_script_calls_names_its_keywords() -> None:
    """Of `sm.*`: each keyword stands in the docstring, so that help(sm.watch) is enough."""
    unnamed = {
        name: missing
        for name, each in FUNCTIONS.items()
        if name.startswith("stripe_magics.") and name.count(".") == 1
        if (
            missing := [
                key
                for key, parameter in inspect.signature(each).parameters.items()
                if parameter.kind is not parameter.VAR_KEYWORD
                and parameter.kind is not parameter.POSITIONAL_ONLY
                and key not in EVERYWHERE
                and not re.search(rf"\b{key}\b", _doc(each))
            ]
        )
    }
    assert unnamed == {}


def test_exceptions_that_are_named_exist() -> None:
    known = {
        name
        for module in (errors, builtins)
        for name, each in vars(module).items()
        if inspect.isclass(each) and issubclass(each, BaseException)
    }
    named = {
        (name, word)
        for name, each in FUNCTIONS.items()
        for sentence in re.findall(r"Raises?\b[^.]*", _doc(each))
        for word in re.findall(r"\b[A-Z][a-z]+(?:[A-Z][a-z]+)+\b", sentence)
    }
    assert len(named) > 40, "the pattern finds them"
    assert {(name, word) for name, word in named if word not in known and word != "DataFrame"} == set()


def test_exceptions_that_are_raised_are_named() -> None:
    """What a function's own lines raise stands in its docstring."""
    unsaid = {
        name: sorted(raised)
        for name, each in FUNCTIONS.items()
        if (
            raised := {
                word
                for word in re.findall(r"^\s+raise ([A-Z]\w+)\b", inspect.getsource(each), re.MULTILINE)
                if word not in _doc(each)
            }
        )
    }
    assert unsaid == {}


@pytest.mark.parametrize("name", ["call", "connect", "model", "pull", "report", "sql", "sync", "watch"])
def test_what_a_script_calls_says_how_it_fails(name: str) -> None:
    assert "Raises `" in _doc(getattr(sm, name))
