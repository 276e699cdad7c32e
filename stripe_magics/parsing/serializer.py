"""Command -> text: the line or the cell that reads back as the same call. A form writes what a magic
reads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from stripe_magics import catalogue
from stripe_magics._command import Command
from stripe_magics._form_encoding import UNSET
from stripe_magics._options import Options
from stripe_magics._text import BOOLEAN_WORDS
from stripe_magics.catalogue.field import Field, Kind
from stripe_magics.catalogue.kinds import Shape, shape_of
from stripe_magics.catalogue.module import Module
from stripe_magics.errors import UsageFault
from stripe_magics.parsing.flag_tables import HTTP_VERBS
from stripe_magics.parsing.lexer import quote
from stripe_magics.parsing.yaml_body import NULLS

_PLAIN = re.compile(r"[A-Za-z0-9_/.+][A-Za-z0-9_/.@+ -]*(?<! )\Z")
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\xa0\u2028\u2029\ufeff\ud800-\udfff\ue000-\uf8ff\ufffe\uffff]")


def line(command: Command) -> str:
    """`%stripe customers create --name Jenny`."""
    return " ".join(["%stripe", *_head(command), *_flags(command), *_options(command.options)])


def cell(command: Command) -> str:
    """The same as a cell: what names the call stands on its line, the fields below, a line each; a line where
    there is nothing to say below."""
    module = catalogue.find(command.module)
    places = set(_leading([each.name for each in module.path_fields], command))
    body = {name: value for name, value in command.values.items() if value is not None and name not in places}
    line_only = module.name == "api.call" or any(not _yamlish(value) for value in body.values())
    if line_only or not body:
        return line(command) + "\n"  # a cell magic must have a body
    params = [part for name, value in command.params for part in ("-d", quote(f"{name}={text(value)}"))]
    lines = [" ".join(["%%stripe", *_head(command), *params, *_options(command.options)])]
    for name, value in body.items():
        lines += _yaml(name, _texts(value), "")
    return "\n".join(lines) + "\n"


def _head(command: Command) -> Iterator[str]:
    """The module's name and the ids of its path."""
    module = catalogue.find(command.module)
    places = [each.name for each in module.path_fields]
    if _short(module, command):
        yield str(command.values["method"]).lower()
    else:
        yield from module.name.split(".")
    for name in _leading(places, command):
        yield quote(text(command.values[name]))


def _short(module: Module, command: Command) -> bool:
    """Whether the method's own word opens the line: `get /v1/events`. Without a path it would name no
    call."""
    is_verb = str(command.values.get("method", "")).lower() in HTTP_VERBS
    return module.name == "api.call" and is_verb and str(command.values.get("url", "")).startswith("/")


def _leading(places: list[str], command: Command) -> list[str]:
    """The path's ids that can stand without a flag: those before the first one that is missing."""
    leading = []
    for name in places:
        value = command.values.get(name)
        if value is None or text(value) == "":
            break
        leading.append(name)
    return leading


def _flags(command: Command) -> Iterator[str]:
    module = catalogue.find(command.module)
    leading = {*_leading([each.name for each in module.path_fields], command)}
    if _short(module, command):
        leading.add("method")
    for name, value in command.values.items():
        if value is not None and name not in leading:
            yield from _flag(_field(module, name), value)
    for name, value in command.params:
        yield from ("-d", quote(f"{name}={text(value)}"))


def _field(module: Module, name: str) -> Field:
    own = module.get(name)
    if own is None:
        raise UsageFault(f"{module.name} has no field {name}.")
    return own


def _flag(own: Field, value: object) -> Iterator[str]:
    if own.kind is Kind.BOOLEAN and isinstance(value, bool):
        yield own.flag if value else f"--no-{own.flag[2:]}"
    elif isinstance(value, dict) and shape_of(own.kind) is Shape.PAIRS:
        if value and all(
            key and "=" not in key and key.strip() == key and key[0] not in "[{" for key in value
        ):
            for key, each in value.items():
                yield from _pair(own.flag, f"{key}={text(each)}")
        else:
            yield from _pair(own.flag, _json(value))
    elif isinstance(value, (dict, list, tuple)):
        items = list(value)
        simple = shape_of(own.kind) is Shape.LIST and all(
            isinstance(each, str) and re.fullmatch(r"[\w.:*/@-]+", each) for each in items
        )
        yield from _pair(own.flag, ",".join(items) if simple and items else _json(value))
    else:
        yield from _pair(own.flag, text(value), joined=own.kind is Kind.BOOLEAN)


def _pair(flag: str, value: str, *, joined: bool = False) -> Iterator[str]:
    """`--name value`; with an equals sign where the value could be taken for something else."""
    if joined or value.startswith("-") or value.lower() in BOOLEAN_WORDS:
        yield f"{flag}={quote(value)}"
    else:
        yield flag
        yield quote(value)


def _json(value: object) -> str:
    return json.dumps(_texts(value), ensure_ascii=False, separators=(", ", ": "))


def _options(options: Options) -> Iterator[str]:
    for each in fields(options):
        value = getattr(options, each.name)
        flag = "--" + each.name.rstrip("_").replace("_", "-")
        if each.default is True:  # a switch that is on unless it is turned off
            yield from () if value else (flag, "off")
            continue
        if value is None or value is False or value == "" or (isinstance(value, list) and not value):
            continue
        if each.name == "from_":
            if not isinstance(value, str):
                raise UsageFault("A DataFrame can't be written into a line; name it: --from df.")
            yield from (flag, value)
        elif value is True:
            yield flag
        elif isinstance(value, list):
            for item in value:
                yield from _pair(flag, text(item))
        else:
            yield from _pair(flag, text(value))


def text(value: object) -> str:
    """A value as a person would type it: booleans as true and false, times as ISO, a cleared value as empty
    text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is UNSET:
        return ""
    if isinstance(value, (dict, list, tuple)):
        return _json(value)
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    if hasattr(value, "columns") or hasattr(value, "iloc"):
        raise UsageFault("A DataFrame can't be written into a line or a cell.")
    return str(value)


def _texts(value: object) -> Any:
    if isinstance(value, dict):
        return {str(key): _texts(each) for key, each in value.items() if each is not None}
    if isinstance(value, (list, tuple)):
        return [_texts(each) for each in value]
    return text(value)


# --- YAML


def _yamlish(value: object) -> bool:
    """Whether a body can hold it: everything but a bare boolean flag, which stays a boolean only on a line,
    and empty structures."""
    if isinstance(value, bool):
        return False
    return not isinstance(value, (dict, list, tuple)) or bool(value)


def _yaml(key: str, value: object, indent: str) -> Iterator[str]:
    if isinstance(value, dict) and value:
        yield f"{indent}{_scalar(key)}:"
        for name, each in value.items():
            yield from _yaml(name, each, indent + "  ")
    elif isinstance(value, list) and value:
        yield f"{indent}{_scalar(key)}:"
        for each in value:
            yield from _item(each, indent + "  ")
    else:
        yield f"{indent}{_scalar(key)}: {_leaf(value)}"


def _item(value: object, indent: str) -> Iterator[str]:
    if isinstance(value, dict) and value:
        lines = [each for name, inner in value.items() for each in _yaml(name, inner, indent + "  ")]
        yield f"{indent}- {lines[0].lstrip()}"
        yield from lines[1:]
    elif isinstance(value, list):
        yield f"{indent}- {_flow(value)}"
    else:
        yield f"{indent}- {_leaf(value)}"


def _leaf(value: Any) -> str:
    return _flow(value) if isinstance(value, (dict, list)) else _scalar(value)


def _flow(value: Any) -> str:
    """A structure on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(each) for each in value) + "]"
    return _scalar(value)


def _scalar(value: str) -> str:
    """A scalar that YAML reads as this very text, and in which no name is looked up."""
    if _PLAIN.match(value) and value not in NULLS and not value.startswith(("---", "...")):
        return value
    if value.startswith("$"):
        value, start = value[1:], "\\x24"
    else:
        start = ""
    inner = value.replace("\\", "\\\\").replace('"', '\\"').replace("{{", "\\x7b\\x7b")
    return '"' + start + _UNPRINTABLE.sub(_escape, inner) + '"'


def _escape(found: re.Match[str]) -> str:
    short = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}
    return short.get(found[0]) or f"\\u{ord(found[0]):04x}"
