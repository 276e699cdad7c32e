"""Which field is meant: by our names, by Stripe's bracket parameters, by nested mappings.

A parameter that a field stands for goes to that field, so that it is read and checked like it;
`metadata[order_id]`, `created[gte]` and `custom_fields[0][name]` go into the field of their root. A parameter
that no field stands for is passed on for Stripe to judge, unless it is clearly a slip of one that we know.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stripe_magics._form_encoding import UNSET, describe_missing, pairs, plain, refuse_blank_amounts
from stripe_magics._text import closest_matches
from stripe_magics.catalogue.field import Field, Role
from stripe_magics.catalogue.kinds import NESTED, Shape, shape_of
from stripe_magics.catalogue.module import Module
from stripe_magics.errors import Fault
from stripe_magics.validation.scalars import json_text

RawValues = dict[str, tuple[Field, Any, str]]

_PARAM = re.compile(r"[^\[\]\s=&]+(?:\[[^\[\]]*\])*")
_SENT = {Role.PARAM, Role.SEARCH, Role.LOCAL}


@dataclass(slots=True)
class ResolvedInput:
    """Raw values by the field that they are for."""

    raws: RawValues = field(default_factory=dict)
    extra: list[tuple[str, str]] = field(default_factory=list)
    extra_roots: set[str] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)


def resolve_fields(
    module: Module, values: Mapping[str, Any], params: Sequence[tuple[str, Any]]
) -> ResolvedInput:
    """Find the field of every name. What has none is passed on (`extra`) or becomes a fault."""
    named = ResolvedInput()
    rest: list[tuple[str, Any]] = []
    for name, given in values.items():
        declared = module.get(name)
        value = plain(given)
        if declared is not None and not (
            isinstance(value, Mapping) and shape_of(declared.kind) not in NESTED
        ):
            if value is None:
                named.faults.append(_missing(declared.name, declared.title, given))
            else:
                named.raws[declared.name] = (declared, value, "")
        elif value is None:
            named.faults.append(_missing_param(module, name, given))
        else:
            rest.append((name, value))
    if not rest and not params:
        return named
    index = index_of(module)
    for name, value in rest:
        if "[" in name or name in index.fields or name in index.prefixes or isinstance(value, Mapping):
            _place_all(module, index, name, value, named)
        elif not module.documented:
            _pass_on(name, value, named)
        else:
            named.faults.append(_unknown(module, name))
    for name, value in params:
        _place_all(module, index, name, value, named)
    return named


def _missing(name: str, title: str, given: object) -> Fault:
    """The fault of a value that was named but is missing: left out in silence, a partial refund would become
    a whole one."""
    return Fault(
        name, title, f"the value is missing ({describe_missing(given)}); give one, or leave the name out too"
    )


def _missing_param(module: Module, name: str, given: object) -> Fault:
    """The same for a parameter of Stripe's; a name that is neither is unknown, whatever its value."""
    index = index_of(module)
    declared = index.fields.get(name)
    if declared is not None:
        return _missing(declared.name, declared.title, given)
    known = not module.documented or "[" in name or name in index.prefixes
    return _missing(name, name, given) if known else _unknown(module, name)


@dataclass(frozen=True, slots=True)
class FieldIndex:
    """What is looked up in a module again and again."""

    fields: dict[str, Field]  # by Stripe's parameter
    prefixes: frozenset[str]  # every parameter that has a known one below it
    roles: dict[Role, Field]  # the first field of each role
    names: dict[str, str]  # Stripe's parameter -> our field's name, for the errors that Stripe answers with
    held: frozenset[str]  # fields that a further call takes


_INDICES: dict[tuple[str, str], tuple[Module, FieldIndex]] = {}


def index_of(module: Module) -> FieldIndex:
    """The index of a module; made once."""
    kept = _INDICES.get((module.name, module.version))
    if kept is None or kept[0] is not module:
        fields: dict[str, Field] = {}
        for each in module.fields:
            if each.role in _SENT:
                fields.setdefault(each.param, each)
            elif each.role is Role.LIMIT:
                fields.setdefault("limit", each)
        above = {param[: mark.start()] for param in fields for mark in re.finditer(r"\[", param)}
        roles = {each.role: each for each in reversed(module.fields)}
        asked = (
            each
            for each in module.fields
            if each.role in {Role.PARAM, Role.SEARCH} and each.param != "client"
        )
        names = {param: each.name for each in asked for param in (each.param, each.renamed_to) if param}
        held = frozenset(name for each in module.follow_ups for name in each.fields)
        kept = (module, FieldIndex(fields, frozenset(above), roles, names, held))
        _INDICES[module.name, module.version] = kept
    return kept[1]


def _place_all(module: Module, index: FieldIndex, name: str, value: object, named: ResolvedInput) -> None:
    name = name.strip()
    if not _PARAM.fullmatch(name):
        named.faults.append(
            Fault(name, name, f"{name!r} is not a parameter; write it like shipping[address][line1]")
        )
        return
    try:
        leaves = list(_leaves(index, name, value))
    except ValueError as problem:
        named.faults.append(Fault(name, name, str(problem)))
        return
    if not leaves:
        named.faults.append(Fault(name, name, "is empty; give a value, or leave it out"))
    for param, leaf in leaves:
        if plain(leaf) is None:
            named.faults.append(_missing_param(module, param, leaf))
        else:
            _place(module, index, param, leaf, named)


def _leaves(index: FieldIndex, param: str, value: object) -> Iterator[tuple[str, Any]]:
    """Walk nested mappings down to the parameters that fields stand for."""
    given, value = value, plain(value)
    declared = index.fields.get(param)
    if isinstance(value, str) and declared is None and param in index.prefixes and value.lstrip()[:1] == "{":
        value = json_text(value)  # `--recurring '{"interval": "month"}'`
    whole = declared is not None and shape_of(declared.kind) in NESTED and param not in index.prefixes
    if isinstance(value, Mapping) and not whole:
        if declared is not None and shape_of(declared.kind) is Shape.JSON:
            # some of it may belong to fields of their own
            rest = {
                key: inner
                for key, inner in value.items()
                if f"{param}[{key}]" not in index.fields and f"{param}[{key}]" not in index.prefixes
            }
            if rest:
                yield param, rest
            value = {key: inner for key, inner in value.items() if key not in rest}
        for key, inner in value.items():
            yield from _leaves(index, f"{param}[{key}]", inner)
    else:
        yield param, given if value is None else value


def _place(module: Module, index: FieldIndex, param: str, value: object, named: ResolvedInput) -> None:
    """Put one parameter where it belongs."""
    if declared := index.fields.get(param):
        _give(declared, value, param, named)
        return
    base, last = param.rpartition("[")[0], param.rpartition("[")[2].rstrip("]")
    listed = index.fields.get(base)
    if listed is not None and shape_of(listed.kind) is Shape.LIST and (not last or last.isdecimal()):
        _give(listed, value if isinstance(value, list) else [value], param, named)
        return
    for cut in (mark.start() for mark in reversed(list(re.finditer(r"\[", param)))):
        declared = index.fields.get(param[:cut])
        if declared is not None and shape_of(declared.kind) in NESTED:
            _give_inside(declared, re.findall(r"\[([^\[\]]*)\]", param[cut:]), value, param, named)
            return
    if module.documented and param not in index.prefixes and (meant := _misspelt(param, index)):
        named.faults.append(Fault(param, param, f"there is no such parameter; did you mean {meant}?"))
        return
    _pass_on(param, value, named)


def _pass_on(param: str, value: object, named: ResolvedInput) -> None:
    try:
        named.extra.extend(refuse_blank_amounts(pairs(param, value)))
    except ValueError as fault:
        named.faults.append(Fault(param, param, str(fault)))
    named.extra_roots.add(param.partition("[")[0])


def _give(declared: Field, value: object, param: str, named: ResolvedInput) -> None:
    known = named.raws.get(declared.name)
    if known is None:
        named.raws[declared.name] = (declared, value, param)
    elif shape_of(declared.kind) is Shape.LIST and not (known[1] is UNSET or value is UNSET):
        both = [*_as_list(known[1]), *_as_list(value)]
        named.raws[declared.name] = (declared, both, known[2])
    elif shape_of(declared.kind) is Shape.PAIRS and not (known[1] is UNSET or value is UNSET):
        named.raws[declared.name] = (declared, [*_as_list(known[1]), *_as_list(value)], known[2])
    elif known[1] != value:
        how = f"{declared.flag} and {param}" if not known[2] or known[2] != param else param
        named.faults.append(Fault(declared.name, declared.title, f"is given twice ({how}); give it once"))


def _give_inside(declared: Field, path: list[str], value: object, param: str, named: ResolvedInput) -> None:
    """`metadata[order_id]`, `created[gte]`, `custom_fields[0][name]`: build up the value of the field they
    belong to."""
    known = named.raws.get(declared.name)
    if shape_of(declared.kind) is Shape.PAIRS:
        if len(path) == 1 and path[0]:
            _give(declared, [{path[0]: value}], param, named)
            return
    elif shape_of(declared.kind) is Shape.ROWS:
        # rows that came by a flag are left alone
        rows = [] if known is None else known[1] if known[2] else None
        fits = rows is not None and len(path) >= 2 and (not path[0] or path[0].isdecimal())
        if fits and rows is not None and _nest(_row_for(rows, path), path[1:], value):
            named.raws[declared.name] = (declared, rows, param)
            return
    else:
        held = {} if known is None else dict(known[1]) if isinstance(known[1], dict) else None
        if held is not None and _nest(held, path, value):
            named.raws[declared.name] = (declared, held, param)
            return
    named.faults.append(
        Fault(declared.name, declared.title, f"{param} can't be put together with what else is given for it")
    )


def _row_for(rows: list[dict[str, Any]], path: list[str]) -> dict[str, Any]:
    """The row that `[0][name]` or `[][name]` means; the latter begins a new one when its column is filled
    already."""
    if path[0]:
        while len(rows) <= min(int(path[0]), 100):
            rows.append({})
        return rows[min(int(path[0]), 100)]
    if not rows or path[1] in rows[-1]:
        rows.append({})
    return rows[-1]


def _nest(target: dict[str, Any], path: list[str], value: object) -> bool:
    *above, last = path
    for key in above:
        inner = target.setdefault(key, {})
        if not isinstance(inner, dict):
            return False
        target = inner
    if last in target or not last:
        return False
    target[last] = value
    return True


def _as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _unknown(module: Module, name: str) -> Fault:
    names = [each.name for each in module.fields]
    near = closest_matches(name, names)
    if near:
        hint = f"did you mean {' or '.join(near)}?"
    elif len(names) <= 12:
        hint = f"its fields are {', '.join(names)}" if names else "it takes none"
    else:
        hint = (
            f"--help lists its {len(names)} fields; a parameter of Stripe's that is not among them goes as -d"
            f" {name}=..."
        )
    return Fault(name, name, f"is not a field of {module.name.replace('.', ' ')}; {hint}")


def _misspelt(param: str, index: FieldIndex) -> str:
    """The parameter that is clearly meant: same depth, one part of it a letter or two off (a plural or
    another number is no slip)."""
    parts = _segments(param)
    for known in (*index.fields, *sorted(index.prefixes)):
        others = _segments(known)
        if len(others) != len(parts):
            continue
        off = [(mine, other) for mine, other in zip(parts, others, strict=True) if mine != other]
        if len(off) == 1 and _slip(*off[0]):
            return known
    return ""


def _slip(mine: str, other: str) -> bool:
    if (
        mine.rstrip("s0123456789") == other.rstrip("s0123456789")
        or len(other) < 4
        or abs(len(mine) - len(other)) > 1
    ):
        return False
    return difflib.SequenceMatcher(None, mine, other).ratio() >= 0.85


def _segments(param: str) -> list[str]:
    return param.replace("]", "").split("[")
