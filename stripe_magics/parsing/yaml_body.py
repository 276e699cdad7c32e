"""The body of a cell: YAML or JSON, every value as text.

A value's type comes from its field, never from YAML: `NO` is Norway, `01234` a postal code, `12:30:45` no
number of seconds. So YAML's nodes are composed without types, each scalar as it was written; only `null`, `~`
and nothing at all mean that a value is missing, which is refused by the field's name. Anchors, aliases and
tags are refused: they have no use in a call, and they are how a small body becomes a large one. A value in
single quotes is taken as it is; elsewhere `$name` alone is the object of that name and `{{name}}` its text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from stripe_magics._form_encoding import Missing
from stripe_magics.errors import UsageFault
from stripe_magics.parsing.variables import (
    EVALUATED,
    INSIDE,
    WHOLE,
    as_text,
    named_value,
    refuse_expression,
    refuse_keys,
    with_names,
)

MAX_CHARACTERS, MAX_DEPTH = 1_000_000, 24


def load(text: str, namespace: Mapping[str, Any]) -> Any:
    """The body's value: dicts, lists, and text (or the objects of `$name`). Raises `UsageFault` naming the
    line."""
    if len(text) > MAX_CHARACTERS:
        raise UsageFault(f"The body has {len(text):,} characters; the maximum is {MAX_CHARACTERS:,}.")
    if text.lstrip()[:1] in {"{", "["}:
        found, value = _json(text, namespace)
        if found:
            return value
    return _yaml(text, namespace)


def _json(text: str, namespace: Mapping[str, Any]) -> tuple[bool, Any]:
    """JSON is read as JSON, numbers as written; what is not JSON may still be YAML's flow style (`{name:
    Jenny}`)."""

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        out = dict(items)
        if len(out) != len(items):
            raise UsageFault(f"Body: {_repeated([key for key, _ in items])!r} is given twice.")
        return out

    try:
        value = json.loads(text, parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=pairs)
        _depth(value, 1)
    except json.JSONDecodeError as fault:
        if text.lstrip().startswith("{\n") or '":' in text:
            raise UsageFault(
                f"The body is not valid JSON: {fault.msg}, line {fault.lineno}, column {fault.colno}."
            ) from None
        return False, None
    except RecursionError:
        raise UsageFault("The body is nested too deeply.") from None
    return True, _texts(value, namespace)


def _depth(value: object, level: int) -> None:
    if level > MAX_DEPTH:
        raise UsageFault(f"The body is nested more than {MAX_DEPTH} levels deep.")
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _depth(each, level + 1)


def _texts(value: object, namespace: Mapping[str, Any]) -> Any:
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
        return named_value(whole[1], namespace)
    _names_only(text)
    return with_names(text, lambda found: as_text(found, namespace))


def _names_only(text: str) -> None:
    found = EVALUATED.search(text)
    if found is not None:
        refuse_expression(found[0])


def _repeated(keys: list[str]) -> str:
    seen: set[str] = set()
    return next((key for key in keys if key in seen or seen.add(key)), "")  # type: ignore[func-returns-value]


NULLS = {"": "nothing after the colon", "~": "~", "null": "null", "Null": "Null", "NULL": "NULL"}


def _yaml(text: str, namespace: Mapping[str, Any]) -> Any:
    import yaml

    hidden = _Hidden(text)
    try:
        node = yaml.compose(hidden.text, Loader=_loader())
    except yaml.YAMLError as fault:
        raise UsageFault(*_explained(fault)) from None
    except RecursionError:
        raise UsageFault("The body is nested too deeply.") from None
    value = _YamlReader(hidden, namespace).read(node) if node is not None else {}
    refuse_keys(value)
    return value


@cache
def _loader() -> Any:
    """A loader without types, which takes neither anchors, aliases, tags nor great depth."""
    import yaml

    class BodyLoader(yaml.BaseLoader):
        depth = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            event: Any = self.peek_event()  # type: ignore[no-untyped-call]
            line = event.start_mark.line + 1
            if isinstance(event, yaml.AliasEvent) or event.anchor:
                raise UsageFault(
                    f"Body, line {line}: YAML anchors and aliases aren't supported; quote text that starts"
                    " with & or *."
                )
            if event.tag:
                raise UsageFault(
                    f"Body, line {line}: YAML tags aren't supported; quote text that starts with !."
                )
            if self.depth >= MAX_DEPTH and not isinstance(event, yaml.ScalarEvent):
                raise UsageFault(f"The body is nested more than {MAX_DEPTH} levels deep.")
            self.depth += 1
            try:
                return super().compose_node(parent, index)
            finally:
                self.depth -= 1

    return BodyLoader


class _Hidden:
    """A text in which each `{{name}}`, a mapping to YAML, is replaced by a mark that is text wherever it is
    written."""

    def __init__(self, text: str) -> None:
        self.mark = next(chr(code) for code in range(0xE000, 0xF8FF) if chr(code) not in text)
        self.sources: list[str] = []
        self.text = INSIDE.sub(self._hide, text)

    def _hide(self, found: re.Match[str]) -> str:
        self.sources.append(found[0])
        return f"{self.mark}{len(self.sources) - 1}{self.mark}"

    def shown(self, value: str, read: Callable[[re.Match[str]], str] | None) -> str:
        """The value with every mark made `{{name}}` again, or what `read` says for it."""
        pieces = value.split(self.mark)
        for at in range(1, len(pieces), 2):
            source = self.sources[int(pieces[at])]
            found = INSIDE.match(source)
            pieces[at] = read(found) if read is not None and found is not None else source
        return "".join(pieces)


class _YamlReader:
    """Turns YAML's nodes into dicts, lists and text, and looks names up."""

    def __init__(self, hidden: _Hidden, namespace: Mapping[str, Any]) -> None:
        self.hidden, self.namespace = hidden, namespace

    def read(self, node: Any) -> Any:
        """The value of a node."""
        if node.id == "scalar":
            return self.scalar(node)
        if node.id == "sequence":
            return [self.read(each) for each in node.value]
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = self.scalar(key_node) if key_node.id == "scalar" else None
            if not isinstance(key, str):
                raise UsageFault(f"Body, line {line}: a key must be text.")
            if key in found:
                raise UsageFault(f"Body, line {line}: {key!r} is given twice.")
            found[key] = self.read(value_node)
        return found

    def scalar(self, node: Any) -> Any:
        """A scalar as it was written, or what its name stands for."""
        value = _whole_characters(node.value)
        if node.style is None and value in NULLS:
            return Missing(NULLS[value])
        if node.style == "'":
            return self.hidden.shown(value, None)
        source = self.hidden.text[node.start_mark.index : node.end_mark.index]
        _names_only(source)  # what `write_cell` escapes is text, and is written differently there
        whole = WHOLE.match(value)
        # "\x24name" is written by `write_cell` for a text that only looks like a name
        if whole and source.lstrip('"|>-+ \n').startswith("$"):
            return named_value(whole[1], self.namespace)
        text = self.hidden.shown(value, lambda found: as_text(found, self.namespace))
        return (
            text
            if text.strip() or not value.strip()
            else Missing(f"{self.hidden.shown(value, None)} is empty text")
        )


def _whole_characters(text: str) -> str:
    """Pairs of surrogates, as JSON's escapes write emoji, made one character."""
    if not any("\ud800" <= char <= "\udfff" for char in text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _explained(fault: object) -> tuple[str]:
    mark = getattr(fault, "problem_mark", None)
    place = f"Body, line {mark.line + 1}, column {mark.column + 1}: " if mark else "Body: "
    problem = getattr(fault, "problem", None) or "this is not YAML"
    hints = {
        "mapping values are not allowed here": "a colon inside a value: put the value into quotes",
        "found character '\\t' that cannot start any token": "a tab: YAML is indented with spaces",
        "could not find expected ':'": "a line without a colon: each is `field: value`",
        "but found another document": "one document (---) is enough",
    }
    return (f"{place}{hints.get(problem, problem)}.",)
