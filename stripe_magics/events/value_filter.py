"""Filters on values: `amount > 100000 and currency == 'usd'`, `customer in vips`, `metadata.team ==
'finance'`.

A small language that Python's parser reads and nothing evaluates: names stand for fields of the event's
object (`amount`, `customer`, and with dots for what is inside: `card.brand`, `metadata.team`), `type`,
`livemode` and `account` for the event's own. To the right of `in`, a name stands for a value that was handed
in: a list or a DataFrame of the notebook's. It has comparisons, `in`, `and`, `or`, `not`, brackets, numbers,
texts and lists; no calls, no arithmetic, no attribute of anything but JSON.
A field that an event lacks is None; a comparison that makes no sense (a text with a number) is false.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

from stripe_magics._json import JsonObject
from stripe_magics.errors import UsageFault

_OWN = frozenset({"type", "livemode", "account", "api_version", "created"})  # of the event, not of its object
_CONSTANTS = {"true": True, "false": False, "null": None, "none": None}
_COLLECTIONS = frozenset({"metadata", "payment_method_types"})  # fields that `in` can look in
_MAX_LENGTH = 2000  # characters

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}
_Value = Callable[[JsonObject], Any]


def value_filter(
    text: str | Callable[[JsonObject], Any], values: Mapping[str, Any] | None = None
) -> Callable[[JsonObject], bool]:
    """A test of an event, from an expression (or a function, which is taken as it is). Raises `UsageFault`
    with what can't be read.

    `values`: what names may stand for beside fields: a list, or a DataFrame, of which the column `customer`
    or `id` counts.
    """
    if callable(text):
        function = text
        return lambda event: bool(function(event))
    written = " ".join(str(text).split())
    if len(written) > _MAX_LENGTH:
        raise UsageFault(f"--where is longer than {_MAX_LENGTH:,} characters.")
    try:
        tree = ast.parse(written, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise UsageFault(
            f"Can't read {written!r} as a condition. Example: amount > 100000 and currency == 'usd'"
        ) from None
    try:
        test = _Compiler(dict(values or {})).compile(tree.body)
    except RecursionError:
        raise UsageFault("--where is nested too deeply.") from None
    return lambda event: bool(test(event))


class _Compiler:
    """Turns the nodes that are allowed into functions of an event."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values

    def compile(self, node: ast.expr) -> _Value:
        if isinstance(node, ast.BoolOp):
            parts = [self.compile(each) for each in node.values]
            every = isinstance(node.op, ast.And)
            return lambda event: (all if every else any)(part(event) for part in parts)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            inner = self.compile(node.operand)
            return lambda event: not inner(event)
        if isinstance(node, ast.Compare):
            return self._comparison(node)
        if isinstance(node, ast.Constant) and isinstance(node.value, (str, int, float, bool, type(None))):
            return _always(node.value)
        if (
            isinstance(node, ast.UnaryOp)
            and isinstance(node.op, ast.USub)
            and isinstance(node.operand, ast.Constant)
            and isinstance(node.operand.value, (int, float))
        ):
            return _always(-node.operand.value)
        if isinstance(node, (ast.List, ast.Tuple)):
            items = [self.compile(each) for each in node.elts]
            return lambda event: [item(event) for item in items]
        path = _path(node)
        if path:
            return self._name(path)
        raise UsageFault(
            f"--where can't have {ast.unparse(node)!r}: fields, values, comparisons, in, and, or, not are"
            " what it knows."
        )

    def _comparison(self, node: ast.Compare) -> _Value:
        values = [self.compile(each) for each in (node.left, *node.comparators)]
        operators = [_COMPARE[type(each)] for each in node.ops]
        for number, (kind, operand) in enumerate(zip(node.ops, node.comparators, strict=True), start=1):
            if isinstance(kind, (ast.In, ast.NotIn)) and isinstance(operand, ast.Name):
                values[number] = self._members(operand.id)

        def test(event: JsonObject) -> bool:
            found = [value(event) for value in values]
            return all(
                _compared(compare, left, right)
                for compare, left, right in zip(operators, found, found[1:], strict=False)
            )

        return test

    def _name(self, path: tuple[str, ...]) -> _Value:
        if len(path) == 1 and path[0].lower() in _CONSTANTS:
            return _always(_CONSTANTS[path[0].lower()])
        return lambda event: _look(event, path)

    def _members(self, name: str) -> _Value:
        """What `in name` looks in. A name that nothing has is refused: it would never match."""
        if name in self.values:
            return _always(_members(self.values[name]))
        if name in _COLLECTIONS:
            return self._name((name,))
        raise UsageFault(
            f"--where: {name!r} isn't defined. Assign a list or a DataFrame to it first: {name} = ..."
        )


def _always(value: object) -> _Value:
    return lambda _event: value


def _path(node: ast.expr) -> tuple[str, ...]:
    """`card.brand` or `metadata['team']` as names; () for anything else."""
    if isinstance(node, ast.Name):
        return (node.id,)
    if isinstance(node, ast.Attribute):
        inner, last = _path(node.value), node.attr
    elif (
        isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
    ):
        inner, last = _path(node.value), node.slice.value
    else:
        return ()
    return (*inner, last) if inner else ()


def _look(event: JsonObject, path: tuple[str, ...]) -> Any:
    """A value of the event's object, or of the event itself."""
    subject = event.get("data", {}).get("object", {})
    value: Any = event if path[0] in _OWN and path[0] not in subject else subject
    if path[:2] == ("data", "object"):
        value, path = subject, path[2:]
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    if path == ("customer",) and value is None and subject.get("object") == "customer":
        value = subject.get("id")
    expanded = isinstance(value, dict) and len(path) == 1 and "id" in value and "object" in value
    return value["id"] if expanded else value


def _members(value: Any) -> Any:
    """What `in` looks in: of a DataFrame the customers or the ids, of a column its values."""
    columns = getattr(value, "columns", None)
    if columns is not None:
        name = next((each for each in ("customer", "id") if each in columns), None)
        if name is None:
            raise UsageFault("The DataFrame in --where has neither a column customer nor a column id.")
        value = value[name]
    if hasattr(value, "tolist"):
        value = value.tolist()
    return frozenset(value) if isinstance(value, (list, set, tuple)) and _hashable(value) else value


def _hashable(values: Any) -> bool:
    return all(isinstance(each, (str, int, float, bool, type(None))) for each in values)


def _compared(compare: Callable[[Any, Any], bool], left: object, right: object) -> bool:
    try:
        return bool(compare(left, right))
    except TypeError:  # a text with a number, a field that isn't there
        return False
