"""The names that `$name`, `{{name}}` and `--from name` may mean: those that Python itself would see at that
place.

A magic runs inside the function that called it, so a function's own variables come first, then those of the
functions around it (for comprehensions and lambdas too), then the globals. IPython gives a line magic the
scope of its caller only, and a cell magic none at all, so the frames are walked here.

A variable of an enclosing function that has returned is gone unless the inner function mentions it in its
code, which a name inside a text doesn't do. Taking a global of the same name in its place would send another
amount than the one that is meant; so it is refused.
"""

from __future__ import annotations

import linecache
import symtable
import sys
from collections import ChainMap
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from types import CodeType, FrameType
from typing import Any

from stripe_magics.parsing.variables import Unreachable

_LIBRARIES = {"IPython", "stripe_magics", "decorator", "traitlets", "ipykernel"}
_INNER = "<locals>"


def names_in_scope(user_ns: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """The variables at the place where the magic was called, innermost first; the notebook's own names
    last."""
    frame = _caller(user_ns)
    if frame is None or (frame.f_globals is user_ns and frame.f_locals is user_ns):
        return user_ns
    scopes = [*_local_scopes(frame)]
    if frame.f_globals is not user_ns:
        scopes.append(frame.f_globals)
    return ChainMap(*scopes, user_ns)


def _caller(user_ns: Mapping[str, Any]) -> FrameType | None:
    """The innermost frame that is neither ours nor IPython's."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - inspect.currentframe() may be None; here there is a frame
    while frame is not None and frame.f_globals is not user_ns and _library(frame) in _LIBRARIES:
        frame = frame.f_back
    return frame


def _library(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def _local_scopes(frame: FrameType) -> Iterator[dict[str, Any]]:
    """The local variables of a function and of the functions around it, as far as they are still there."""
    while frame.f_locals is not frame.f_globals:
        yield _unassigned(frame) | dict(frame.f_locals)
        around = _enclosing(frame)
        if around is None:
            yield _gone(frame)
            return
        frame = around


def _unassigned(frame: FrameType) -> dict[str, Any]:
    """The function's own variables without a value at this point (deleted, or assigned later): a global of
    that name isn't meant."""
    code = frame.f_code
    missing = {*code.co_varnames, *code.co_cellvars} - set(frame.f_locals)
    return dict.fromkeys(missing, Unreachable(code.co_name, returned=False))


def _enclosing(frame: FrameType) -> FrameType | None:
    """The frame of the function in whose code this one's stands, if it is still running."""
    outer = frame.f_back
    while outer is not None and frame.f_code not in outer.f_code.co_consts:
        outer = outer.f_back
    return outer


def _gone(frame: FrameType) -> dict[str, Any]:
    """The variables of enclosing functions that have returned, each marked as out of reach: by their code
    where it can be found by name, else by their source (the function was deleted, or is another one by now).
    Without both, every name is."""
    *outer, _ = frame.f_code.co_qualname.split(f".{_INNER}.")
    if not outer:
        return {}
    names = _by_code(frame, outer)
    if names is None:
        names = _by_source(frame, outer)
    return _AnyName(outer[-1]) if names is None else names


class _AnyName(dict[str, Any]):
    """Every name, out of reach."""

    def __init__(self, function: str) -> None:
        super().__init__()
        self.function = function

    def __missing__(self, name: str) -> Unreachable:
        return Unreachable(self.function, certain=False)

    def __contains__(self, name: object) -> bool:
        return True


def _by_code(frame: FrameType, outer: Sequence[str]) -> dict[str, Any] | None:
    """The variables of the functions around, found by name; None where they aren't those in which this one
    was made."""
    names: dict[str, Any] = {}
    owner: Any = frame.f_globals.get(outer[0].partition(".")[0])
    for part in outer[0].split(".")[1:]:
        owner = getattr(owner, part, None)
    while hasattr(owner, "__wrapped__"):
        owner = owner.__wrapped__
    code = getattr(owner, "__code__", None)
    for at, name in enumerate(outer):
        if at:
            code = _inner_code(code, name)
        if code is None:
            return None
        names |= dict.fromkeys((*code.co_varnames, *code.co_cellvars), Unreachable(name))
    return names if code is not None and frame.f_code in code.co_consts else None


def _by_source(frame: FrameType, outer: Sequence[str]) -> dict[str, Any] | None:
    """The same from the source of the cell or file, which outlives the functions; None where it isn't known
    (`exec`)."""
    code = frame.f_code
    lines = linecache.getlines(code.co_filename, frame.f_globals)
    try:
        tables = symtable.symtable("".join(lines), code.co_filename, "exec").get_children() if lines else []
    except (SyntaxError, ValueError):
        return None
    names: dict[str, Any] = {}
    for part in ".".join(outer).split("."):
        above = [
            each for each in tables if each.get_name() == part and each.get_lineno() <= code.co_firstlineno
        ]
        if not above:
            return None
        found = max(above, key=lambda each: each.get_lineno())
        if isinstance(found, symtable.Function):
            names |= dict.fromkeys(found.get_locals(), Unreachable(part))
        tables = found.get_children()
    return names


def _inner_code(code: CodeType | None, name: str) -> CodeType | None:
    consts = code.co_consts if code is not None else ()
    return next((each for each in consts if isinstance(each, CodeType) and each.co_name == name), None)
