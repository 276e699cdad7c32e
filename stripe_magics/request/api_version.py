"""Which API version a call goes out with, and what that version knows and requires.

- A version that the line or the connection names is obeyed.
- Else it is the pinned one. A parameter, or a choice of one, that only the newest version knows lifts this
  one call to it, and a note says so.
- Where a call goes out with a version whose facts are known, a parameter of another version is refused by
  name, with the version that takes it; what that version requires beyond the pinned one is demanded. What no
  version knows is left to Stripe.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stripe_magics import catalogue
from stripe_magics._form_encoding import plain
from stripe_magics.catalogue.field import Role
from stripe_magics.catalogue.generated import facts
from stripe_magics.catalogue.generated.operations import REPLACED
from stripe_magics.catalogue.module import Module
from stripe_magics.catalogue.versions import NEWEST_VERSION, PINNED_VERSION
from stripe_magics.errors import Fault, InvalidValue
from stripe_magics.request import Request
from stripe_magics.validation.field_resolution import index_of


def newest_only(module: Module, values: Mapping[str, Any], params: Sequence[tuple[str, Any]] = ()) -> str:
    """The first thing given that the newest version knows and the pinned one doesn't, by its flag or
    parameter; "" if there is none."""
    operation = facts.data().endpoints.get((module.method, facts.anonymous(module.path)))
    if operation is None:
        return ""
    if not facts.has_operation(operation, PINNED_VERSION):
        return module.name
    for shown, param in _named(module, values, params):
        if _is_newer(operation, param):
            return shown
    return _newer_choice(module, values)


def _newer_choice(module: Module, values: Mapping[str, Any]) -> str:
    """The first choice given that a documented field has in the newest version only, with its flag."""
    for name, value in values.items() if module.documented else ():
        declared = module.get(name)
        if declared is None or not declared.choices or declared.role is not Role.PARAM:
            continue
        for each in _texts(value):
            if each not in declared.choices and each in _newest_choices(module, name):
                return f"{declared.flag} {each}"
    return ""


def _newest_choices(module: Module, name: str) -> tuple[object, ...]:
    field = catalogue.at_version(module, NEWEST_VERSION).get(name)
    return tuple(field.choices) if field is not None else ()


def _texts(value: object) -> list[str]:
    """The texts of a choice or of several: a list, or a text with commas."""
    value = plain(value)
    several = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else []
    return [each.strip() for each in several if isinstance(each, str)]


def newest_only_in(request: Request) -> str:
    """The same for a request that was built: what stands deep inside a value shows itself only there."""
    for each in (request, *request.merged_requests, *request.follow_ups):
        operation = facts.find_endpoint(each.method, each.path)
        for param, _ in each.params if operation else ():
            if operation and facts.has_operation(operation, PINNED_VERSION) and _is_newer(operation, param):
                return param
    return ""


def lifted_note(given: str) -> str:
    """What a person is told of a call that goes out with a newer version than its connection's."""
    return (
        f"{given}: API version {PINNED_VERSION} doesn't know it, so this call goes out with {NEWEST_VERSION}."
    )


def check(request: Request, version: str, module: Module) -> None:
    """Raise `InvalidValue` for what the version that goes out doesn't know but another does, and for what it
    requires."""
    faults = [
        fault
        for each in (request, *request.merged_requests, *request.follow_ups)
        for fault in _unknown(each, version)
    ]
    operation = facts.find_endpoint(request.method, request.path)
    if operation and not (module.documented and version == PINNED_VERSION) and module.path != "{url}":
        roots = {name.partition("[")[0] for name, _ in request.params} | {
            *(request.files or ()),
            *(request.json or ()),
        }
        faults += [
            _fault(module, name, f"is missing; API version {version} requires it")
            for name in facts.required(operation, version)
            if name not in roots
        ]
    if faults:
        raise InvalidValue(list({each.field: each for each in faults}.values()), module=module.name)


def _unknown(request: Request, version: str) -> Iterator[Fault]:
    operation = facts.find_endpoint(request.method, request.path)
    if operation is None:
        return
    if not facts.has_operation(operation, version):
        having = [each for each in facts.data().versions if facts.has_operation(operation, each)]
        problem = (
            f"API version {version} has no {request.method} {operation.path}; {' and '.join(having)} has it"
        )
        yield Fault("stripe_version", "Stripe version", problem)
        return
    for param, _ in request.params:
        if not facts.has_parameter(operation, param, version):
            others = facts.versions_with(operation, param)
            if others:
                name = (request.param_fields or {}).get(param, param)
                knows = f"{' and '.join(others)} knows it" + _replacement(operation, param, version)
                yield Fault(name, param, f"API version {version} doesn't know it; {knows}")


def _replacement(operation: facts.ApiOperation, param: str, version: str) -> str:
    instead = REPLACED.get((operation.name, param.partition("[")[0]), "")
    return f"; instead: {instead}" if instead and version[:10] >= NEWEST_VERSION[:10] else ""


def _fault(module: Module, param: str, problem: str) -> Fault:
    declared = index_of(module).fields.get(param)
    return Fault(declared.name, declared.title, problem) if declared else Fault(param, param, problem)


def _is_newer(operation: facts.ApiOperation, param: str) -> bool:
    return not facts.has_parameter(operation, param, PINNED_VERSION) and facts.has_parameter(
        operation, param, NEWEST_VERSION
    )


def _named(
    module: Module, values: Mapping[str, Any], params: Sequence[tuple[str, Any]]
) -> Iterator[tuple[str, str]]:
    """Every parameter that is given, with what it was called: (flag or parameter, bracket parameter)."""
    for name, value in values.items():
        declared = module.get(name)
        if declared is None:
            yield from ((param, param) for param in _flat(name, value))
        elif declared.role is Role.PARAM:
            yield from ((declared.flag, param) for param in _flat(declared.param, value))
    for name, value in params:
        yield from ((param, param) for param in _flat(name.strip(), value))


def _flat(param: str, value: object) -> Iterator[str]:
    value = plain(value)
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(f"{param}[{key}]", inner)
    elif isinstance(value, list) and any(isinstance(each, Mapping) for each in value):
        for index, inner in enumerate(value):
            yield from _flat(f"{param}[{index}]", inner)
    elif value is not None:
        yield param
