"""Completion in a cell's YAML (or JSON) body: keys by where they stand, values by their key."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stripe_magics.catalogue.field import Field, Role
from stripe_magics.catalogue.kinds import Shape, kind_name, shape_of
from stripe_magics.catalogue.module import Module
from stripe_magics.errors import StripeMagicsError
from stripe_magics.magics import sql_completion
from stripe_magics.magics.command_completion import known, matching_last_item
from stripe_magics.magics.completion_values import field_values, names
from stripe_magics.magics.suggestion import CompletionContext, Matches, Suggestion, matching
from stripe_magics.parsing.command_names import bracketed
from stripe_magics.parsing.lexer import split

_KEY = re.compile(r"^(?P<indent>\s*)(?P<item>- )?[\"']?(?P<key>[\w.-]*)\Z")
_VALUE = re.compile(r"^(?P<indent>\s*)(?P<item>- )?[\"']?(?P<key>[\w.-]+)[\"']?:\s+(?P<value>.*)\Z")
_ITEM = re.compile(r"^(?P<indent>\s*)- (?P<value>[^:]*)\Z")


def in_body(head: str, body: str, context: CompletionContext) -> Matches | None:
    """Suggestions in a cell's YAML (or JSON) body: keys by where they stand, values by their key."""
    try:
        words = [word.text for word in split(head)]
    except StripeMagicsError:
        return None
    if words[:1] == ["sql"]:
        piece, found = sql_completion.suggest(words, body)
        return piece, matching(piece, (Suggestion(*each) for each in found))
    module, _ = known(words)
    if module is None:
        return None
    above, _, line = body.rpartition("\n")
    valued = _VALUE.match(line)
    if valued:
        piece = valued["value"].lstrip("\"'[")
        if piece.startswith("$"):
            return piece, matching(piece, names(context))
        own = _field_at(module, [*parents(above, _depth(valued)), valued["key"]])
        return matching_last_item(own, piece, field_values(own, context) if own else ())
    item = _ITEM.match(line)
    if item:
        own = _field_at(module, parents(above, len(item["indent"])))
        if own is not None and not own.columns:
            piece = item["value"].lstrip("\"'")
            return piece, matching(piece, field_values(own, context))
    keyed = _KEY.match(line)
    if keyed is None:
        return None
    outer = parents(above, _depth(keyed))
    own = _field_at(module, outer)
    used = set() if outer else set(re.findall(r"^([\w.-]+):", body, re.MULTILINE))
    hits = [hit for hit in keys(module, outer, own) if hit.text.rstrip(": ") not in used]
    return keyed["key"], matching(keyed["key"], hits)


def _depth(found: re.Match[str]) -> int:
    return len(found["indent"]) + len(found["item"] or "")


def parents(above: str, depth: int) -> list[str]:
    """The keys under which a line of that indentation stands, outermost first."""
    path: list[str] = []
    for line in reversed(above.split("\n")):
        found = re.match(r"^(?P<indent>\s*)(?P<item>(?:- )*)[\"']?(?P<key>[\w.-]+)[\"']?:(?P<value>.*)", line)
        if found is None:
            continue
        here = len(found["indent"]) + len(found["item"])
        opens = not found["value"].strip() or found["value"].strip() in {"{", "["}
        if here < depth and opens:
            path.insert(0, found["key"])
            depth = here
        elif here < depth and found["item"]:
            # the first key of a row: its list stands at or left of the hyphen
            depth = len(found["indent"]) + 1
    return path


def _field_at(module: Module, path: list[str]) -> Field | None:
    """The field at a path of a body: `["shipping", "address", "line1"]`, or a column of rows."""
    if not path:
        return None
    own = module.get(path[0]) or module.by_param(path[0])
    if own is not None and len(path) == 1:
        return own
    if own is not None and own.columns:
        return next((each for each in own.columns if each.name == path[-1]), None)
    return module.by_param(bracketed(".".join(path)))


def keys(module: Module, outer: list[str], own: Field | None) -> Iterator[Suggestion]:
    """The keys that may stand there: fields and Stripe's own nesting at the top, its next level below,
    columns in rows."""
    if own is not None and own.columns:
        yield from (Suggestion(f"{each.name}: ", kind_name(each.kind), each.label) for each in own.columns)
        return
    if own is not None and shape_of(own.kind) is Shape.PAIRS:
        return
    prefix = bracketed(".".join(outer)) if outer else ""
    done: set[str] = set()
    if not outer:
        for each in sorted(module.fields, key=lambda each: (not each.required, each.in_more_section)):
            if each.role not in {Role.PATH, Role.URL, Role.METHOD}:
                opens = shape_of(each.kind) in {Shape.ROWS, Shape.PAIRS}
                done.add(each.name)
                yield Suggestion(f"{each.name}:{'' if opens else ' '}", kind_name(each.kind), each.title)
    for each in module.fields:
        if (
            each.role is not Role.PARAM
            or not each.param.startswith(prefix)
            or (prefix and not each.param.startswith(prefix + "["))
        ):
            continue
        inner = re.findall(r"[^\[\]]+", each.param[len(prefix) :])
        if inner and inner[0] not in done:
            done.add(inner[0])
            yield Suggestion(
                f"{inner[0]}:{'' if len(inner) > 1 else ' '}",
                "object" if len(inner) > 1 else kind_name(each.kind),
                each.title,
            )
