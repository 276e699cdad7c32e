"""Make an API Call: any path of Stripe's API, its method, headers, query and body being fields of the module.

GET and DELETE have their parameters in the URL; anything else has them in the body, form-encoded for /v1 and
as JSON for /v2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from stripe_magics._form_encoding import Pairs, describe_missing, pairs, plain, refuse_blank_amounts
from stripe_magics._options import Options
from stripe_magics.catalogue.field import Role
from stripe_magics.catalogue.module import Effect
from stripe_magics.errors import Fault, InvalidValue
from stripe_magics.request import Request
from stripe_magics.validation import Bound

PAGE = 100
"""The most that Stripe gives a page."""


def page(limit: int | None) -> int:
    """The size of a page for that many rows."""
    return PAGE if limit is None else min(limit, PAGE)


def plan(bound: Bound, options: Options, shared: dict[str, Any]) -> Request:
    """Any path: the method, headers, query and body are fields of the module."""
    module = bound.module

    def value(role: Role) -> Any:
        declared = module.by_role(role)
        return None if declared is None else bound.values.get(declared.name, declared.default)

    method = str(value(Role.METHOD))
    path, _, written = str(value(Role.URL)).partition("?")
    query = [
        *parse_qsl(written, keep_blank_values=True),
        *((str(row["key"]), str(row.get("value", ""))) for row in value(Role.QUERY) or ()),
    ]
    body = value(Role.BODY)
    own, key = _own_headers(value(Role.HEADERS) or (), shared)
    shared |= {"headers": own, "idempotency_key": key}
    effect = module.effect_of({"method": method})
    if shared["limit_given"] and effect is not Effect.READ:
        raise InvalidValue(
            [Fault("limit", "Limit", f"has no effect: a {method} gives no list; leave it out")],
            module=module.name,
        )
    in_url = method in {"GET", "DELETE"}
    expand = [(f"expand[{index}]", each) for index, each in enumerate(options.expand)]
    if path.startswith("/v2/") and not in_url:
        data = (
            {**(body or {}), **dict((*bound.extra, *expand))}
            if isinstance(body, Mapping) or body is None
            else body
        )
        return Request(
            method=method, path=path, query=tuple(query), json=json_numbers(data), effect=effect, **shared
        )
    if not isinstance(body, Mapping) and body is not None:
        raise InvalidValue(
            [Fault("body", "Body", "is a list; /v1 takes an object of named parameters")], module=module.name
        )
    sent = _form(body, module.name)
    sent = [*sent, *bound.extra, *expand]
    if in_url:
        sent, query = [*query, *sent], []
        if shared["limit_given"] and effect is Effect.READ and not any(name == "limit" for name, _ in sent):
            sent.append(("limit", str(page(shared["limit"]))))
    return Request(method=method, path=path, params=tuple(sent), query=tuple(query), effect=effect, **shared)


def _form(body: Mapping[Any, Any] | None, module: str) -> list[tuple[str, str]]:
    """The parameters of a /v1 body; a null says nothing there, and is refused by its name."""
    sent: list[tuple[str, str]] = []
    faults = []
    for name, inner in (body or {}).items():
        try:
            sent += _named_pairs(str(name), inner)
        except ValueError as problem:
            faults.append(Fault("body", "Body", str(problem)))
    if faults:
        raise InvalidValue(faults, module=module)
    return sent


def _named_pairs(name: str, value: object) -> list[tuple[str, str]]:
    if plain(value) is None:
        raise ValueError(f"{name} is missing ({describe_missing(value)}); give a value, or leave it out")
    if isinstance(value, Mapping) and not value:
        raise ValueError(f"{name} is empty; give a value, or leave it out")
    return list(refuse_blank_amounts(pairs(name, value)))


def json_numbers(value: object) -> Any:
    """JSON as it was read, its decimals as the numbers that write the same digits."""
    if isinstance(value, Mapping):
        return {key: json_numbers(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [json_numbers(inner) for inner in value]
    if not isinstance(value, Decimal):
        return value
    if Decimal(repr(float(value))) != value:
        raise InvalidValue(
            [Fault("body", "Body", f"{value} has more digits than a JSON number keeps; write it as text")]
        )
    return float(value)


def _own_headers(rows: Iterable[Mapping[str, Any]], shared: Mapping[str, Any]) -> tuple[Pairs, str]:
    found = {name.lower(): (name, value) for name, value in shared["headers"]}
    key = shared["idempotency_key"]
    for row in rows:
        name, text = str(row["key"]), str(row.get("value", ""))
        if name.lower() == "idempotency-key":
            key = key or text
        else:
            found.setdefault(name.lower(), (name, text))
    return tuple(found.values()), key
