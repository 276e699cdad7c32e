"""Random legal calls go through whole, and what comes out is accepted by Stripe's own types.

- The documented modules that write: 250 calls each, of random fields that may stand together, at the pinned
  version.
- Every generated operation, at each of the described versions: the least that it takes.
"""

from __future__ import annotations

import random
from typing import Any

from each_row import each_row
from request.test_types import MODULES, UNFILLED, _clashes, _holds, legal
from stripe_types import problems

from stripe_magics import catalogue
from stripe_magics._command import Command
from stripe_magics._options import Options
from stripe_magics.catalogue.field import Field, Kind, Role
from stripe_magics.catalogue.generated import facts, operations
from stripe_magics.catalogue.generated.accepted import accepted
from stripe_magics.catalogue.module import Effect, Module
from stripe_magics.catalogue.versions import PINNED_VERSION, VERSIONS
from stripe_magics.errors import InvalidValue
from stripe_magics.pipeline import prepare
from stripe_magics.request import build
from stripe_magics.validation import bind

CALLS = 250
WRITING = [each for each in MODULES if each.effect is not Effect.READ]


def random_value(field: Field, chance: random.Random) -> Any:
    if field.kind is Kind.CHOICE:
        return chance.choice(field.choices)
    if field.kind is Kind.BOOLEAN:
        return chance.choice(("true", "false"))
    if field.kind is Kind.MULTI_CHOICE:
        return chance.sample(field.choices, min(2, len(field.choices)))
    return legal(field)


def random_call(module: Module, chance: random.Random) -> dict[str, Any]:
    """Some fields at random, what they depend on, and what is then required."""
    clashes = _clashes(module)
    values: dict[str, Any] = {}

    def add(field: Field) -> bool:
        if field.role in UNFILLED or field.since_removed or field.role is Role.LOOKUP:
            return False
        if any(field.name in pair and (pair - {field.name}) & set(values) for pair in clashes):
            return False
        for name, choices in field.when:
            other = module.get(name)
            if other is None or (name in values and values[name] not in choices):
                return False
            if name not in values and not (add(other) and not (other.when and not _holds(other, values))):
                return False
            values[name] = values[name] if values[name] in choices else choices[0]
        values[field.name] = random_value(field, chance)
        return True

    fields = list(module.fields)
    for field in chance.sample(fields, chance.randint(0, len(fields))):
        if field.name not in values:
            add(field)
    for _ in range(4):  # what is required, by itself or by what is there
        for field in fields:
            if field.name not in values and _is_needed(field, values):
                add(field)
        for names in module.any_of:
            if not set(names) & set(values):
                add(next(each for each in fields if each.name == names[0]))
    return values


def _is_needed(field: Field, values: dict[str, Any]) -> bool:
    if field.required_with and set(field.required_with) & set(values):
        return _holds(field, values)
    return field.required and not set(field.unless) & set(values) and _holds(field, values)


@each_row("module", WRITING, ids=lambda each: each.name)
def test_random_calls_of_the_documented_modules(module: Module) -> None:
    chance = random.Random(module.name)
    failures: list[str] = []
    passed = 0
    for _ in range(CALLS):
        values = random_call(module, chance)
        if module.handler and "url" not in values:
            continue  # it is watched by polling: no request
        try:
            request = build(bind(module, values))
        except InvalidValue as refusal:
            if not _may_refuse(refusal):
                failures.append(f"{values}: {refusal}")
            continue
        for each in (request, *request.merged_requests, *request.follow_ups):
            failures += [f"{values}: {each.path} {problem}" for problem in problems(each, PINNED_VERSION)]
        passed += 1
    assert not failures, "\n".join(failures[:5]) + f"\n{len(failures)} in all"
    if not module.handler:
        assert passed >= 0.7 * CALLS


def _may_refuse(refusal: InvalidValue) -> bool:
    """A rule between fields that the calls above don't know: it is named by a flag of another field."""
    return all("--" in each.problem for each in refusal.faults)


@each_row("version", VERSIONS)
def test_the_least_that_generated_operations_take(version: str) -> None:
    failures: list[str] = []
    count = 0
    for name, operation in facts.data().operations.items():
        if facts.shape(operation, version) is None:
            continue
        count += 1
        if catalogue.find(name).documented:
            continue  # a documented module stands before it
        module = operations.operation(name, version)
        assert module is not None
        kinds = {
            key.rstrip("!?"): kind
            for key, kind in (accepted(operation.method, operation.path, version) or {}).items()
        }
        values = {
            each.name: least_of(kinds[each.param]) if each.kind in {Kind.JSON, Kind.ROWS} else least(each)
            for each in module.fields
            if each.required
        }
        for root in facts.required(operation, version):  # a structure is given by one of its parts
            if not any(module.get(each).param.partition("[")[0] == root for each in values):
                part = next(each for each in module.fields if each.param.startswith(f"{root}["))
                values[part.name] = least(part)
        try:
            request = prepare(Command(module=name, values=values, options=Options(stripe_version=version)))
        except InvalidValue as refusal:
            failures.append(f"{name} {values}: {refusal}")
            continue
        failures += [f"{name} {values}: {problem}" for problem in problems(request, version)]
    assert count > 500
    assert not failures, "\n".join(failures[:20]) + f"\n{len(failures)} in all"


def least_of(kind: Any) -> Any:
    """The least that a structure or a list of them takes."""
    if isinstance(kind, str):
        return {"m": {"a": "b"}, "b": True, "i": 3, "*": {"a": "b"}}.get(kind, "x")
    if "a" in kind:
        return [least_of(kind["a"])]
    if "o" in kind:
        needed = [name for name in kind["o"] if name.endswith("!")] or list(kind["o"])[:1]
        return {name.rstrip("!?"): least_of(kind["o"][name]) for name in needed}
    return kind["e"][0] if "e" in kind else least_of(kind["u"][0])


def least(field: Field) -> Any:
    """A legal value of a field that is required."""
    if field.kind is Kind.JSON and field.param == "path":
        return "any1"
    if field.kind is Kind.TEXT_LIST:
        return ["3"] if field.items else ["any1"]
    if field.kind is Kind.CHOICE:
        return field.choices[0]
    if field.kind is Kind.MULTI_CHOICE:
        return [field.choices[0]]
    if field.kind is Kind.DECIMAL:
        return "1.5"
    if field.kind is Kind.LOCALE:
        return "de"
    return legal(field.replace(name="x") if field.name == "file" else field)
