"""Values that nothing can be done with: nested without end, or objects that can't even be shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from stripe_magics.errors import Fault, InvalidValue

MAX_DEPTH = 50  # Stripe's own parameters are nested ten deep at most
_KNOWN = frozenset(
    {"builtins", "datetime", "decimal", "fractions", "numpy", "pandas", "pyarrow", "uuid", "enum", "pathlib"}
)


def check_values(values: Iterable[tuple[str, Any]], *, module: str = "") -> None:
    """Raise `InvalidValue` for values that contain themselves, are nested too deeply, or whose text can't be
    had."""
    faults = [Fault(name, name, problem) for name, value in values if (problem := _problem(value))]
    if faults:
        raise InvalidValue(faults, module=module)


def _problem(value: object) -> str:
    waiting: list[tuple[Any, int]] = [(value, 0)]
    while waiting:
        each, depth = waiting.pop()
        if depth > MAX_DEPTH:
            return f"is nested more than {MAX_DEPTH} levels deep, or contains itself"
        if isinstance(each, Mapping):
            waiting.extend((inner, depth + 1) for pair in each.items() for inner in pair)
        elif isinstance(each, (list, tuple, set, frozenset)):
            waiting.extend((inner, depth + 1) for inner in each)
        elif type(each).__module__.partition(".")[0] not in _KNOWN and not _can_be_shown(each):
            return f"is an object of the type {type(each).__name__} that can't be shown as text"
    return ""


def _can_be_shown(value: object) -> bool:
    try:
        str(value), repr(value), bool(value)
    except Exception:  # whatever an object of somebody else's raises
        return False
    return True
