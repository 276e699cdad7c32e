"""The choices of the documented modules are those of the version that goes out: the declared ones are the least that is offered.

A declared choice that no described version knows any more is a dead one: it is no longer offered, and refused by name.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from stripe_magics.catalogue.field import Field, Kind, Role
from stripe_magics.catalogue.generated import facts
from stripe_magics.catalogue.module import Module
from stripe_magics.catalogue.versions import VERSIONS

_CHOICES = {Kind.CHOICE, Kind.MULTI_CHOICE}


@cache
def with_choices(module: Module, version: str) -> Module:
    """A documented module with the choices of an API version."""
    return module.replace(fields=tuple(_field(module, each, version) for each in module.fields))


def _field(module: Module, field: Field, version: str) -> Field:
    held = module.held(field.name)
    path, method = (held.path, held.method) if held else (module.path, module.method)
    operation = facts.data().endpoints.get((method, facts.anonymous(path)))
    if operation is None or field.role not in {Role.PARAM, Role.EXPANDS}:
        return field
    if field.kind is Kind.ROWS:
        columns = (_offered(operation, each, f"{field.param}[0][{each.param}]", version) for each in field.columns)
        return field.replace(columns=tuple(columns))
    if field.role is Role.EXPANDS:
        target = module.get(field.expands_into)
        return _groups(operation, field, target.param, version) if target else field
    return _offered(operation, field, field.param, version)


def _offered(operation: facts.Operation, field: Field, param: str, version: str) -> Field:
    known = facts.choices(operation, param, version) if field.kind in _CHOICES else ()
    if not known:
        return field
    ever = {value for each in VERSIONS for value in facts.choices(operation, param, each)}
    dead = tuple(value for value in field.choices if value not in ever)
    offered = [value for value in field.choices if value in ever]
    added = [value for value in known if value not in offered and value not in field.local_choices]
    return field.replace(choices=(*offered, *added), dead_choices=dead)


def _groups(operation: facts.Operation, field: Field, param: str, version: str) -> Field:
    """A group stands for all of its values that the version knows: what comes before the first dot is the group."""
    groups: dict[str, tuple[str, ...]] = dict.fromkeys(field.choices, ())
    for value in facts.choices(operation, param, version):
        group = value.partition(".")[0]
        if "." in value:
            groups[group] = (*groups.get(group, ()), value)
    alive = {group: values for group, values in groups.items() if values}
    dead = tuple(group for group in field.choices if group not in alive)
    changes: dict[str, Any] = {"choices": tuple(alive), "expansion": alive, "dead_choices": dead}
    return field.replace(**changes)
