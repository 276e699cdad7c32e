"""The body of a cell: YAML or JSON, every value as text.

A value's type comes from its field, never from YAML: `NO` is Norway, `01234` a postal code, `12:30:45` no number of seconds. So the
body is built here from YAML's events, each scalar as it was written. Anchors, aliases and tags are refused: they have no use in a
call, and they are how a small body becomes a large one. A value in single quotes is taken as it stands; elsewhere `$name` alone is
the object of that name and `{{name}}` its text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from stripe_magics.errors import UsageFault
from stripe_magics.parsing.variables import (
    EVALUATED,
    INSIDE,
    WHOLE,
    as_text,
    look_up,
    refuse_expression,
    refuse_keys,
)

LARGEST, DEEPEST = 1_000_000, 24


def load(text: str, namespace: Mapping[str, Any]) -> Any:
    """The body's value: dicts, lists, and text (or the objects of `$name`). Raises `UsageFault` naming the line."""
    if len(text) > LARGEST:
        raise UsageFault(f"The cell's body has {len(text):,} characters; {LARGEST:,} is the most.")
    if text.lstrip()[:1] in {"{", "["}:
        found, value = _json(text, namespace)
        if found:
            return value
    return _yaml(text, namespace)


def _json(text: str, namespace: Mapping[str, Any]) -> tuple[bool, Any]:
    """JSON is read as JSON, numbers as written; what is not JSON may still be YAML's flow style (`{name: Jenny}`)."""

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        out = dict(items)
        if len(out) != len(items):
            raise UsageFault(f"{_twice([key for key, _ in items])!r} stands twice in the body.")
        return out

    try:
        value = json.loads(text, parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=pairs)
        _depth(value, 1)
    except json.JSONDecodeError as fault:
        if text.lstrip().startswith("{\n") or '":' in text:
            raise UsageFault(
                f"The body is no JSON: {fault.msg}, line {fault.lineno}, column {fault.colno}."
            ) from None
        return False, None
    except RecursionError:
        raise UsageFault("The body is nested too deeply.") from None
    return True, _texts(value, namespace)


def _depth(value: Any, level: int) -> None:
    if level > DEEPEST:
        raise UsageFault(f"The body is nested more than {DEEPEST} levels deep.")
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _depth(each, level + 1)


def _texts(value: Any, namespace: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {key: _texts(each, namespace) for key, each in value.items()}
    if isinstance(value, list):
        return [_texts(each, namespace) for each in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return _scalar(value, namespace) if isinstance(value, str) else value


def _scalar(text: str, namespace: Mapping[str, Any]) -> Any:
    whole = WHOLE.match(text)
    if whole:
        return look_up(whole[1], namespace)
    _names_only(text)
    return INSIDE.sub(lambda found: as_text(found, namespace), text)


def _names_only(text: str) -> None:
    found = EVALUATED.search(text)
    if found is not None:
        refuse_expression(found[0])


def _twice(keys: list[str]) -> str:
    seen: set[str] = set()
    return next((key for key in keys if key in seen or seen.add(key)), "")  # type: ignore[func-returns-value]


def _yaml(text: str, namespace: Mapping[str, Any]) -> Any:
    import yaml

    # {{name}} would be a mapping to YAML: each is replaced by a mark that is text wherever it stands
    mark = next(chr(code) for code in range(0xE000, 0xF8FF) if chr(code) not in text)
    places: list[str] = []

    def hide(found: Any) -> str:
        places.append(found[0])
        return f"{mark}{len(places) - 1}{mark}"

    hidden = INSIDE.sub(hide, text)

    def shown(value: str, *, literal: bool) -> str:
        pieces = value.split(mark)
        for at in range(1, len(pieces), 2):
            source = places[int(pieces[at])]
            found = INSIDE.match(source)
            assert found is not None
            pieces[at] = source if literal else as_text(found, namespace)
        return "".join(pieces)

    def scalar(event: Any) -> Any:
        value = _whole_characters(event.value)
        if event.style != "'":
            whole = WHOLE.match(value)
            source = hidden[event.start_mark.index : event.end_mark.index]
            _names_only(source)  # what `write_cell` escapes is text, and stands differently there
            # "\x24name" is written by `write_cell` for a text that only looks like a name
            if whole and source.lstrip('"|>-+ \n').startswith("$"):
                return look_up(whole[1], namespace)
        return shown(value, literal=event.style == "'")

    stack: list[Any] = []
    keys: list[Any] = []  # for each open mapping the key that waits for its value; _NO_KEY if none does
    result: list[Any] = []

    def put(value: Any, line: int) -> None:
        if not stack:
            result.append(value)
        elif isinstance(stack[-1], list):
            stack[-1].append(value)
        elif keys[-1] is _NO_KEY:
            if not isinstance(value, str):
                raise UsageFault(f"Line {line} of the body: a key must be text.")
            if value in stack[-1]:
                raise UsageFault(f"Line {line} of the body: {value!r} stands there twice.")
            keys[-1] = value
        else:
            stack[-1][keys[-1]] = value
            keys[-1] = _NO_KEY

    try:
        for event in yaml.parse(hidden, Loader=yaml.BaseLoader):
            line = event.start_mark.line + 1 if event.start_mark else 0
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise UsageFault(
                    f"Line {line} of the body: anchors and aliases (& and *) are not taken.",
                    advice="A text that starts so goes into quotes.",
                )
            if getattr(event, "tag", None):
                raise UsageFault(
                    f"Line {line} of the body: tags (!) are not taken.",
                    advice="A text that starts so goes into quotes.",
                )
            if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                if len(stack) >= DEEPEST:
                    raise UsageFault(f"The body is nested more than {DEEPEST} levels deep.")
                new: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
                put(new, line)
                stack.append(new)
                keys.append(_NO_KEY)
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                stack.pop()
                keys.pop()
            elif isinstance(event, yaml.ScalarEvent):
                put(scalar(event), line)
            elif isinstance(event, yaml.DocumentStartEvent) and result:
                raise UsageFault(f"Line {line} of the body: one document (---) is enough.")
    except yaml.YAMLError as fault:
        raise UsageFault(*_explained(fault)) from None
    value = result[0] if result else {}
    refuse_keys(value)
    return value


class _NoKey:
    """No key is waiting for its value."""


_NO_KEY = _NoKey()


def _whole_characters(text: str) -> str:
    """Pairs of surrogates, as JSON's escapes write emoji, made one character."""
    if not any("\ud800" <= char <= "\udfff" for char in text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _explained(fault: Any) -> tuple[str]:
    mark = getattr(fault, "problem_mark", None)
    place = f"Line {mark.line + 1} of the body, column {mark.column + 1}: " if mark else "The body: "
    problem = getattr(fault, "problem", None) or "this is no YAML"
    hints = {
        "mapping values are not allowed here": "a colon inside a value: put the value into quotes",
        "found character '\\t' that cannot start any token": "a tab: YAML is indented with spaces",
        "could not find expected ':'": "a line without a colon: each is `field: value`",
    }
    return (f"{place}{hints.get(problem, problem)}.",)
