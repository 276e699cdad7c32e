"""Every field of every module, filled with legal values, against the types of the released `stripe` packages.

Each module is filled as far as its conditions allow, in as many ways as it takes to fill every field once.
The requests that come out (the calls that follow included) are decoded and held against the types of their
endpoint: nothing unknown, nothing missing, every value of its type. A field that is filled must really be in
a request, or be used on this side as its role says.
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from each_row import each_row
from stripe_types import problems

from stripe_magics import catalogue
from stripe_magics.catalogue.field import Field, Kind, Role
from stripe_magics.catalogue.module import Module
from stripe_magics.request import Request, build
from stripe_magics.validation import bind, variant

MODULES = [each for each in catalogue.documented() if each.name != "api.call"]

IDS = {
    "customer": "cus_123",
    "payment_intent": "pi_123",
    "payment_method": "pm_123",
    "invoice": "in_123",
    "account": "acct_123",
    "subscription": "sub_123",
}
TEXTS = {
    "invoice_prefix": "ABC",
    "api_version": "2023-08-16",
    "tax_ip_address": "203.0.113.9",
    "mandate_ip_address": "203.0.113.9",
    "statement_descriptor": "ACME SHOES",
    "statement_descriptor_suffix": "ORDER 7",
}
UNFILLED = {Role.OPERATOR, Role.EXPANDS}  # the first are tested with the filters, the second with the events
JSON = {"payment_method_details": {"sepa_debit": {"iban": "DE89370400440532013000"}}}


# Legal values


def legal(field: Field) -> Any:
    if field.kind is Kind.ROWS:
        return rows(field)
    if field.name in JSON:
        return JSON[field.name]
    if field.name == "expand":
        return ["data.customer"]
    return {
        Kind.TEXT: TEXTS.get(field.name, "Some text"[: field.max_length]),
        Kind.LONG_TEXT: "A longer text & more",
        Kind.EMAIL: "jenny@example.com",
        Kind.PHONE: "+49 30 1234",
        Kind.URL: "https://example.com/back",
        Kind.INTEGER: str(max(3, field.minimum or 0)),
        Kind.MINOR_AMOUNT: "1500",
        Kind.BOOLEAN: "true",
        Kind.CHOICE: field.choices[0] if field.choices else "",
        Kind.MULTI_CHOICE: list(field.choices[:2]),
        Kind.TEXT_LIST: "txr_1, txr_2" if field.object == "tax_rate" else "de, en-GB",
        Kind.OBJECT_ID: IDS.get(field.object, "any1"),
        Kind.CURRENCY: "USD",
        Kind.COUNTRY: "de",
        Kind.TIMESTAMP: "2026-05-01T12:00",
        Kind.TIMESTAMP_FILTER: "2026-01-01..2026-02-01",
        Kind.METADATA: {"order_id": "6735"},
        Kind.JSON: {},
    }[field.kind]


def rows(field: Field) -> list[dict[str, Any]]:
    if field.role is Role.SEARCH:
        return [
            {"field": "name", "operator": "contains", "value": "smith"},
            {"field": "metadata", "key": "a", "operator": "is", "value": "b"},
        ]
    if field.either:
        return [{name: "any1"} for name in field.either]
    return [{column.name: legal(column) for column in field.columns}]


def ways(module: Module) -> list[dict[str, Any]]:
    """One call for each field: the field, what it depends on, and everything else that may stand beside
    it."""
    return [
        _fill(module, field, turn) for turn, field in enumerate(module.fields) if field.role not in UNFILLED
    ]


def _fill(module: Module, target: Field, turn: int) -> dict[str, Any]:
    values: dict[str, Any] = {}

    def add(field: Field) -> bool:
        """Put the field in with what it depends on, if nothing that is there stands against it."""
        expected = dict(field.when)
        for name, choices in expected.items():
            other = module.get(name)
            assert other is not None
            if name in values and values[name] not in choices:
                return False
            if name not in values and not (
                field is target or field.required or other.role is Role.SWITCH and _free(name)
            ):
                return False
        if any(field.name in pair and other in values for pair in clashes for other in pair - {field.name}):
            return False
        for name, choices in expected.items():
            other = module.get(name)
            assert other is not None
            if name not in values and not add(other):
                return False
            values[name] = choices[turn % len(choices)] if values[name] not in choices else values[name]
        values[field.name] = (
            ["data.customer"] if field.name == "expand" and module.lists else _turned(field, turn)
        )
        return True

    def _free(name: str) -> bool:
        return not any(name in dict(each.when) for each in module.fields if each.name in values)

    clashes = _clashes(module)
    assert add(target)
    for field in (*(each for each in module.fields if each.required), *module.fields):
        if (
            field.name not in values
            and field.role not in UNFILLED
            and (not field.when or _holds(field, values))
        ):
            if not any(field.name in dict(each.when) for each in module.fields) or field.required:
                add(field)
    for field in module.fields:  # what the switches above ask for
        if field.name not in values and field.when and field.required and _holds(field, values):
            add(field)
    return values


def _holds(field: Field, values: dict[str, Any]) -> bool:
    return all(values.get(name) in choices for name, choices in field.when)


def _turned(field: Field, turn: int) -> Any:
    """Legal values in turn, so that more than the first choice is tried."""
    if field.kind is Kind.CHOICE:
        return field.choices[turn % len(field.choices)]
    return ("true", "false")[turn % 2] if field.kind is Kind.BOOLEAN else legal(field)


def _clashes(module: Module) -> list[frozenset[str]]:
    """Pairs of fields that may not be given together."""
    pairs = [pair for names in module.one_of for pair in itertools.combinations(names, 2)]
    for each in module.variants:
        pairs += [(mine, other) for mine in each.given for other in each.excludes]
    if module.search is not None:
        parts = (*dict(module.search.equals), module.search.rows, module.search.match)
        pairs += [(module.search.expression, part) for part in parts if part]
    return [frozenset(pair) for pair in pairs]


# The other side


def check(request: Request) -> None:
    """Hold a request against the types of its endpoint."""
    found = problems(request)
    assert not found, f"{request.method} {request.path}: {found}"


# The tests


@each_row("module", MODULES, ids=lambda each: each.name)
def test_every_field_is_legal(module: Module) -> None:
    filled: set[str] = set()
    for values in ways(module):
        bound = bind(module, values)
        request = build(bound)
        chain = [request, *request.merged_requests, *request.follow_ups]
        for each in chain:
            check(each)
        for name in bound.values:
            field = module.get(name)
            assert field is not None
            if _went_out(module, field, bound.values, chain):
                filled.add(name)
    missing = [
        each.name
        for each in module.fields
        if each.name not in filled and each.role not in {Role.LOOKUP, *UNFILLED}
    ]
    assert not missing


def _went_out(module: Module, field: Field, values: dict[str, Any], chain: list[Request]) -> bool:
    names = {name for each in chain for name, _ in each.params}
    roots = {name.partition("[")[0] for name in names}
    if field.role is Role.SWITCH or (field.role is Role.LIMIT):
        return field.role is Role.SWITCH or chain[0].limit == values[field.name]
    if field.role is Role.PATH:
        return any(str(values[field.name]) in each.path for each in chain)
    if field.role is Role.LOCAL:
        return any(test.key == (field.row_key or field.param) for test in chain[0].row_filters)
    if field.role is Role.SEARCH:
        return "query" in roots
    if field.role is Role.SPLIT:
        return "status" in names or any(test.key == "status" for test in chain[0].row_filters)
    if field.role is not Role.PARAM:
        return bool(chain[0].headers or chain[0].idempotency_key)
    held = module.held(field.name)
    if held is not None and "{" + field.name + "}" in held.path:
        return any(str(values[field.name]) in each.path for each in chain)
    if held is not None and held.each:
        return {"type", "value"} <= names
    there = any(name == field.param or name.startswith(field.param + "[") for name in names)
    chosen = variant(module, values)
    assert there or (chosen and field.name in (*chosen.local, *chosen.excludes)), (
        f"{field.name} was filled and is in no request"
    )
    return there


def test_the_check_can_fail() -> None:
    with pytest.raises(AssertionError, match="unknown to Stripe"):
        check(Request(module="x", method="POST", path="/v1/customers", params=(("nmae", "x"),)))
    with pytest.raises(AssertionError, match="no i"):
        check(Request(module="x", method="POST", path="/v1/customers", params=(("balance", "1.5"),)))
    with pytest.raises(AssertionError, match="is missing"):
        check(Request(module="x", method="POST", path="/v1/payouts", params=(("amount", "1"),)))
    with pytest.raises(AssertionError, match="Stripe has no"):
        check(Request(module="x", method="PUT", path="/v1/payouts"))


@each_row(
    ("values", "path"),
    [
        (
            {"url": "/v1/customers", "method": "POST", "body": {"name": "Jenny", "metadata": {"a": "b"}}},
            "/v1/customers",
        ),
        (
            {"url": "/v1/events?limit=3", "query_string": [{"key": "type", "value": "charge.failed"}]},
            "/v1/events",
        ),
        ({"url": "/v1/customers/cus_1", "method": "DELETE"}, "/v1/customers/cus_1"),
    ],
)
def test_any_call_is_legal(values: dict[str, Any], path: str) -> None:
    request = build(bind(catalogue.find("api.call"), values))
    assert request.path == path
    check(request)
