"""Form text -> nested parameters: `a[b][0][c]=v`, `a[]=v`. Everything stays text; validation.py gives it
types.

A repeated `a[][name]` starts the next element when the element at hand has that name already.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from stripe_magics.sandbox.api.errors import invalid_before_execution

_PART = re.compile(r"\[([^\[\]]*)\]")
_SEPARATOR = re.compile("%(26|3D)", re.IGNORECASE)
MAX_PARAMETERS = 20_000
Nested = dict[str, Any]


def pairs(text: str) -> list[tuple[str, str]]:
    """The pairs of a query string or a form body."""
    if not text:
        return []
    parts = text.split("&")
    if len(parts) > MAX_PARAMETERS:
        raise invalid_before_execution(f"Invalid request: more than {MAX_PARAMETERS} parameters.")
    if "%" not in text and "+" not in text:
        return _split(parts)
    if not _SEPARATOR.search(text):  # nothing that is encoded would separate: all of it is decoded at once
        return _split(_decoded(text).split("&"))
    return [(_decoded(name), _decoded(value)) for name, value in _split(parts)]


def _split(parts: list[str]) -> list[tuple[str, str]]:
    return [(name, value) for name, _, value in [part.partition("=") for part in parts if part]]


def _decoded(text: str) -> str:
    text = text.replace("+", " ")
    if "%" not in text:
        return text
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise invalid_before_execution("Invalid request: a value is not UTF-8.") from None


def nest(given: list[tuple[str, str]]) -> Nested:
    """Pairs -> nested dicts; lists with numbered places stay dicts of digits until their kind is known."""
    result: Nested = {}
    for name, value in given:
        bracket = name.find("[")
        if bracket <= 0:
            _put(result, name, value, name)
            continue
        parts = _PART.findall(name, bracket)
        if f"[{']['.join(parts)}]" != name[bracket:]:
            raise invalid_before_execution(f"Invalid parameter name: {name}", param=name)
        _deep(result, [name[:bracket], *parts], value, name)
    return result


def _put(into: Nested, key: str, value: str, name: str) -> None:
    if isinstance(into.get(key), (dict, list)) and value != "":
        raise invalid_before_execution(
            f"Invalid object: {name} is given both as text and as an object", param=name
        )
    into[key] = value


def _deep(into: Any, parts: list[str], value: str, name: str) -> None:
    for place, part in enumerate(parts[:-1]):
        following = parts[place + 1]
        new: Any = [] if following == "" else {}
        if isinstance(into, list):
            rest = parts[place + 1]
            if part != "":
                raise invalid_before_execution(f"Invalid array: {name}", param=name)
            if not into or not isinstance(into[-1], dict) or rest in into[-1]:
                into.append({})
            into = into[-1]
            continue
        if not isinstance(into.get(part), (dict, list)):
            if into.get(part):
                raise invalid_before_execution(
                    f"Invalid object: {part} is given both as text and as an object", param=part
                )
            into[part] = new
        elif isinstance(into[part], list) and following != "":
            raise invalid_before_execution(f"Invalid array: {name}", param=name)
        elif isinstance(into[part], dict) and following == "":
            # a[0]=x beside a[]=y: the next free number
            into = into[part]
            into[str(len(into))] = value
            return
        into = into[part]
    last = parts[-1]
    if isinstance(into, list):
        into.append(value)
    else:
        _put(into, last, value, name)
