"""The declarations agree with themselves: what one part names, another part declares."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from each_row import each_row

from stripe_magics import catalogue
from stripe_magics.catalogue.field import Field, Kind, Role
from stripe_magics.catalogue.module import Effect, Module

MODULES = {module.name: module for module in catalogue.documented()}
every_module = each_row("module", MODULES.values(), ids=MODULES)


def named(module: Module, name: str) -> Field:
    field = module.get(name)
    assert field is not None, f"{module.name} has no field {name}"
    return field


@every_module
def test_conditions_name_fields_and_their_choices(module: Module) -> None:
    for scope in (module.fields, *(field.columns for field in module.fields)):
        known = {field.name: field for field in scope}
        for field in scope:
            for name, values in field.when:
                on = known[name]
                allowed = ("true", "false") if on.kind is Kind.BOOLEAN else on.choices
                assert set(values) <= set(allowed), f"{field.name} waits for a value that {name} never has"


@every_module
def test_links_between_fields(module: Module) -> None:
    for field in module.fields:
        if field.operator:
            assert named(module, field.operator).role is Role.OPERATOR
        if field.currency:
            assert named(module, field.currency).kind is Kind.CURRENCY
        if field.expands_into:
            assert set(field.expansion) == set(field.choices)
            chosen = set(named(module, field.expands_into).choices)
            assert all(set(types) <= chosen for types in field.expansion.values())
        for other in field.required_with:
            named(module, other)
        assert set(field.either) <= {column.name for column in field.columns}
        if field.local_choices or field.role is Role.LOCAL:
            assert field.row_key
        if field.default is not None and field.choices:
            assert field.default in field.choices


@every_module
def test_operators_belong_to_a_filter(module: Module) -> None:
    operators = {field.name for field in module.fields if field.role is Role.OPERATOR}
    assert operators == {field.operator for field in module.fields if field.operator}


@every_module
def test_sets_of_fields(module: Module) -> None:
    for names in (*module.one_of, *module.any_of):
        assert len(names) > 1
        for name in names:
            named(module, name)
    for field, value, _ in module.effects:
        on = named(module, field)
        assert value in (("true", "false") if on.kind is Kind.BOOLEAN else on.choices)


@every_module
def test_paths_name_path_fields(module: Module) -> None:
    at_hand = {field.name for field in module.path_fields}
    own = set(re.findall(r"{(\w+)}", module.path))
    variants = {name for variant in module.variants for name in re.findall(r"{(\w+)}", variant.path)}
    assert own | variants == at_hand
    for follow in module.follow_ups:
        texts = (follow.path, *(text for _, text in follow.send))
        assert {name for text in texts for name in re.findall(r"{(\w+)}", text)} <= at_hand | set(
            follow.fields
        )


@every_module
def test_calls_beside_the_first(module: Module) -> None:
    for variant in module.variants:
        for name in (*variant.given, *variant.absent, *variant.excludes, *variant.local):
            field = named(module, name)
            assert name not in variant.local or field.row_key, (
                f"{name} is tested on a row, but on which of its keys?"
            )
    for split in module.splits:
        field = named(module, split.field)
        assert field.role is Role.SPLIT
        status = module.by_param(split.param)
        assert status is not None
        assert {value for _, values in split.values for value in values} <= set(status.choices)
    for follow in module.follow_ups:
        for name in follow.fields:
            assert named(module, name).since_removed
            assert module.held(name) is follow


@every_module
def test_what_stripe_never_takes_is_served_otherwise(module: Module) -> None:
    for field in module.fields:
        if field.since_removed == "never":
            assert module.held(field.name) or field.role is Role.LOOKUP
        assert bool(field.since_removed) == bool(field.replaced_by)


@every_module
def test_a_parameter_is_sent_by_one_field(module: Module) -> None:
    sent = Counter(
        field.param
        for field in module.fields
        if field.role in {Role.PARAM, Role.SEARCH} and field.param != "client"
    )
    assert not [param for param, count in sent.items() if count > 1]
    assert all(field.param != "client" for field in module.fields if field.role is Role.PARAM)


@every_module
def test_texts(module: Module) -> None:
    for field in (*module.fields, *(column for field in module.fields for column in field.columns)):
        assert field.label == field.label.strip()
        assert field.help.endswith("."), field.name
        assert ".yaml" not in field.help


def test_lists_have_a_limit_and_reads_have_get() -> None:
    for module in MODULES.values():
        assert module.lists == (module.by_role(Role.LIMIT) is not None)
        if module.effect is Effect.READ:
            assert module.method == "GET"


@each_row(
    "name, values, effect",
    [
        ("payment_intents.create", {}, Effect.CREATE),
        ("payment_intents.create", {"confirm": False}, Effect.CREATE),
        ("payment_intents.create", {"confirm": True}, Effect.IRREVERSIBLE),
        ("payment_intents.create", {"confirm": "True"}, Effect.IRREVERSIBLE),
        ("payment_intents.update", {"amount": 100}, Effect.UPDATE),
        ("payment_intents.update", {"off_session": True}, Effect.IRREVERSIBLE),
        ("customers.update", {"payment_method": "pm_1"}, Effect.UPDATE),
        ("api.call", {"url": "/v1/events"}, Effect.READ),
        ("api.call", {"url": "/v1/events", "method": "GET"}, Effect.READ),
        ("api.call", {"url": "/v1/events", "method": "POST"}, Effect.IRREVERSIBLE),
        ("refunds.create", {"charge": "ch_1"}, Effect.IRREVERSIBLE),
    ],
)
def test_effect_follows_the_values(name: str, values: dict[str, object], effect: Effect) -> None:
    assert MODULES[name].effect_of(values) is effect


def test_a_field_cannot_be_declared_twice() -> None:
    field = MODULES["customers.create"].fields[0]
    with pytest.raises(ValueError, match="declared twice"):
        Module(
            name="a.b",
            title="",
            method="GET",
            path="/",
            returns="any",
            effect=Effect.READ,
            fields=(field, field),
        )


def test_a_client_field_says_what_it_is_for() -> None:
    with pytest.raises(ValueError, match="must say its role"):
        Field(name="x", label="X", kind=Kind.TEXT, param="client")
