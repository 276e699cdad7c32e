"""Stripe's search language: clauses made from fields, as `Module.search` declares them.

`email:"jenny@example.com" AND created>=1672531200`: text is quoted, quotes in it are escaped; times are bare
numbers. All clauses are joined by AND, or all by OR, since Stripe takes no mixture.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any

from stripe_magics import dates
from stripe_magics.catalogue.module import Module, SearchExpression
from stripe_magics.errors import Fault

_BOUNDS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_TESTS = {"is": "{}:{}", "is_not": "-{}:{}", "contains": "{}~{}"}


def quoted(text: str) -> str:
    """Text as the search language has it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def expression(
    module: Module, values: Mapping[str, Any], zone: tzinfo, now: datetime | None = None
) -> tuple[str, list[Fault]]:
    """The expression that typed values stand for ("" if they ask for none), and what is wrong with them."""
    search = module.search
    if search is None:
        return "", []
    faults: list[Fault] = []
    given = [name for name, _ in search.equals if name in values] + (
        [search.rows] if values.get(search.rows) else []
    )
    if search.expression in values:
        why = f"can't be given along with --{search.expression}; write it into the expression"
        return str(values[search.expression]), [_fault(module, name, why) for name in given]
    clauses = [
        _TESTS["is"].format(prop, quoted(str(values[name]))) for name, prop in search.equals if name in values
    ]
    either = values.get(search.match) == "any"
    for number, row in enumerate(values.get(search.rows) or (), start=1):
        try:
            made = _clauses(search, row, zone, now)
        except ValueError as problem:
            faults.append(_fault(module, search.rows, str(problem), number))
            continue
        if either and len(made) > 1:
            faults.append(
                _fault(
                    module,
                    search.rows,
                    f"{row.get('operator')} needs two conditions at once and can't be joined by any",
                    number,
                )
            )
        clauses += made
    if len(clauses) > search.most:
        faults.append(
            _fault(
                module, search.rows, f"{len(clauses)} conditions are asked for; Stripe takes {search.most}"
            )
        )
    return (" OR " if either else " AND ").join(clauses), faults


def _clauses(
    search: SearchExpression, row: Mapping[str, Any], zone: tzinfo, now: datetime | None
) -> list[str]:
    name, operator, value = str(row.get("field", "")), str(row.get("operator", "")), str(row.get("value", ""))
    allowed = dict(search.operators).get(name)
    if allowed is not None and operator not in allowed:
        raise ValueError(f"{name} doesn't take {operator}; it takes {', '.join(allowed)}")
    if operator not in _TESTS:
        found = dates.between(value, zone, operator=operator, now=now)
        return [f"{name}{_BOUNDS[bound]}{moment}" for bound, moment in found.items()]
    if operator == "contains" and len(value) < search.contains:
        raise ValueError(f"contains needs at least {search.contains} characters; {value!r} has {len(value)}")
    if name == "metadata":
        if not row.get("key"):
            raise ValueError("a condition on metadata needs its key")
        name = f"metadata[{quoted(str(row['key']))}]"
    return [_TESTS[operator].format(name, quoted(value))]


def _fault(module: Module, name: str, problem: str, row: int | None = None) -> Fault:
    declared = module.get(name)
    return Fault(name, declared.title if declared else name, problem, row=row)
