"""The package declares what the catalogue's files specify: every module, field and column, in both
directions, key by key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from each_row import each_row

from stripe_magics.catalogue import _FILES, documented
from stripe_magics.catalogue.event_types import (
    DEAD_EVENT_GROUPS,
    DEAD_EVENT_TYPES,
    EVENT_GROUPS,
    EVENT_TYPES,
    event_types,
)
from stripe_magics.catalogue.field import Field, conditions
from stripe_magics.catalogue.module import Module
from stripe_magics.catalogue.versions import VERSIONS

CATALOGUE = Path(__file__).resolve().parents[1] / "specs" / "catalogue"

KEYS = {  # the specification's key -> the part of a Field, and what an absent key means
    "label": ("label", ""),
    "group": ("group", ""),
    "name": ("name", ""),
    "param": ("param", ""),
    "kind": ("kind", ""),
    "object": ("object", ""),
    "required": ("required", False),
    "min": ("minimum", None),
    "max": ("maximum", None),
    "max_length": ("max_length", None),
    "pattern": ("pattern", ""),
    "default": ("default", None),
    "connect_only": ("connect_only", False),
    "restored": ("restored", False),
    "since_removed": ("since_removed", ""),
    "replaced_by": ("replaced_by", ""),
    "unless": ("unless", ()),
    "when_params": ("when_params", ()),
}


def specification() -> list[dict[str, Any]]:
    files = sorted(path for path in CATALOGUE.glob("*.yaml") if path.name != "event_groups.yaml")
    assert {path.stem for path in files} == set(_FILES.values()), (
        "a file of the specification for each of the catalogue's"
    )
    return [module for path in files for module in yaml.safe_load(path.read_text(encoding="utf-8"))]


SPECIFIED = {module["module"]: module for module in specification()}
DECLARED = {module.name: module for module in documented()}


def as_specified(field: Field, *, extra: bool | None) -> dict[str, Any]:
    said = {key: getattr(field, part) for key, (part, _) in KEYS.items()}
    said["kind"] = str(field.kind)
    said["when"] = field.when
    said["help"] = bool(field.help.strip())
    said["columns"] = [as_specified(column, extra=None) for column in field.columns]
    said["extra"] = extra if extra is None else field.in_more_section
    return said


def specified(entry: dict[str, Any], *, extra: bool | None) -> dict[str, Any]:
    unknown = set(entry) - {*KEYS, "when", "help", "columns", "choices", "required_with"}
    assert not unknown, (
        f"{entry['name']}: the specification has keys that this test doesn't compare: {unknown}"
    )
    said = {key: entry.get(key, absent) for key, (_, absent) in KEYS.items()}
    said["unless"], said["when_params"] = tuple(said["unless"]), tuple(said["when_params"])
    said["when"] = conditions(entry.get("when", {}))
    said["help"] = bool(entry["help"].strip())
    said["columns"] = [specified(column, extra=None) for column in entry.get("columns", [])]
    said["extra"] = extra
    return said


def fields_of(module: dict[str, Any]) -> Iterator[tuple[dict[str, Any], bool]]:
    yield from ((entry, False) for entry in module["fields"])
    yield from ((entry, True) for entry in module.get("extra_fields", []))


def test_modules_are_those_of_the_specification() -> None:
    assert set(DECLARED) == set(SPECIFIED)
    assert len(DECLARED) == 41


def test_fields_are_those_of_the_specification() -> None:
    fields = [field for module in documented() for field in module.fields]
    specified = [extra for entry in SPECIFIED.values() for _, extra in fields_of(entry)]
    assert len(fields) == len(specified) >= 450
    assert sum(field.in_more_section for field in fields) == sum(specified)


@each_row("name", sorted(SPECIFIED))
def test_module(name: str) -> None:
    module, entry = DECLARED[name], SPECIFIED[name]
    said = {key: getattr(module, key) for key in ("title", "method", "path", "returns")}
    assert {**said, "effect": str(module.effect)} == {key: entry[key] for key in (*said, "effect")}
    assert module.help
    assert module.documented


@each_row("name", sorted(SPECIFIED))
def test_fields_in_both_directions(name: str) -> None:
    expected = {entry["name"]: specified(entry, extra=extra) for entry, extra in fields_of(SPECIFIED[name])}
    there = {field.name: as_specified(field, extra=field.in_more_section) for field in DECLARED[name].fields}
    assert list(there) == list(expected), "the same fields in the same order"
    for field, parts in expected.items():
        assert there[field] == parts, field


def test_the_choices_of_the_specification_are_the_least_that_is_offered() -> None:
    """Or they are marked: what no version knows any more is refused by name. Nothing is offered that Stripe's
    own types don't have."""
    short = []
    for name, module in SPECIFIED.items():
        for entry, _ in fields_of(module):
            field = DECLARED[name].get(entry["name"])
            assert field is not None
            of_columns = zip(entry.get("columns", []), field.columns, strict=True)
            for each, declared in ((entry, field), *of_columns):
                known = (*declared.choices, *declared.dead_choices)
                short += [
                    (name, declared.name, value) for value in each.get("choices", []) if value not in known
                ]
                assert not set(declared.choices) & set(declared.dead_choices)
            required_with = tuple(entry.get("required_with", field.required_with))
            assert field.required_with == required_with
    assert not short


def test_event_groups() -> None:
    groups = yaml.safe_load((CATALOGUE / "event_groups.yaml").read_text(encoding="utf-8"))
    types = {name for names in groups.values() for name in names}
    assert len(types) == 222
    assert types <= {*EVENT_TYPES, *DEAD_EVENT_TYPES}
    assert set(groups) <= {*EVENT_GROUPS, *DEAD_EVENT_GROUPS}
    for version in VERSIONS:
        assert not set(DEAD_EVENT_TYPES) & set(event_types(version))


def test_the_comparison_sees_a_difference() -> None:
    """The contract test is not empty: one changed part of one field is noticed."""
    module: Module = DECLARED["customers.create"]
    entry, _ = next(fields_of(SPECIFIED["customers.create"]))
    field = module.fields[0].replace(label="Other")
    assert as_specified(field, extra=False) != specified(entry, extra=False)
