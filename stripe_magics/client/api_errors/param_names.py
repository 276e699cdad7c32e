"""Stripe's parameter names and our fields: `line_items[1][quantity]` is `Line items > 2 > Quantity`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from stripe_magics.errors import UnknownName

if TYPE_CHECKING:
    from stripe_magics.request import Request


def _steps(param: str) -> list[str]:
    """`line_items[1][quantity]` -> line_items, 1, quantity; dots as well."""
    return [step for step in re.split(r"[\[\].]+", param) if step]


def bare_name(param: str) -> str:
    """Without indices: how fields of rows are declared."""
    return re.sub(r"\[\d*\]", "", param)


def field_name(request: Request, param: str) -> str:
    """Our field that sent a parameter of Stripe's, or the one with the longest known beginning of it; "" if
    none is known."""
    if not param:
        return ""
    known = dict(request.param_fields or {})
    bare = {bare_name(name): field for name, field in known.items()}
    steps = _steps(param)
    for count in range(len(steps), 0, -1):
        head = steps[0] + "".join(f"[{step}]" for step in steps[1:count])
        hit = known.get(head) or bare.get(bare_name(head))
        if hit:
            return hit
    module = module_of(request)
    if module is not None:
        for count in range(len(steps), 0, -1):
            plain = [step for step in steps[:count] if not step.isdigit()]
            found = module.by_param(plain[0] + "".join(f"[{step}]" for step in plain[1:])) if plain else None
            if found is not None:
                return str(found.name)
        path = module.get(steps[0])
        if path is not None:
            return str(path.name)
        if (
            len(module.path_fields) == 1
            and module.path.startswith("/")
            and steps[0] in {"id", "intent", module.path_fields[0].object}
        ):
            return str(module.path_fields[0].name)  # Stripe's own words for the id in the path
    return ""


def module_of(request: Request) -> Any:
    from stripe_magics import catalogue

    try:
        return catalogue.find(request.module)
    except UnknownName:
        return None


def field_title(request: Request, param: str) -> str:
    """A parameter as a form shows it: `Line items > 2 > Quantity`. Stripe's own name where no field is
    known."""
    name = field_name(request, param)
    module = module_of(request)
    field = module.get(name) if module is not None and name else None
    if field is None:
        return param
    steps = _steps(param)
    row = next((int(step) + 1 for step in steps if step.isdigit()), None)
    if row is None:
        return str(field.title)
    last = steps[-1]
    column = next(
        (each.label for each in field.columns if each.name == last or _steps(each.param)[-1:] == [last]),
        "" if last.isdigit() else last,
    )
    return " > ".join(part for part in (field.title, str(row), column) if part)


def sent(request: Request, param: str) -> str | None:
    """What was sent under a parameter; None if nothing was, or if it must not be shown."""
    if re.search(r"secret|number|cvc|token|password|account", param):
        return None
    return next((value for name, value in request.params if name == param), None)
