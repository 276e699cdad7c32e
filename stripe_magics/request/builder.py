"""From bound values to a `Request`: which endpoint, which parameters, which further calls.

Everything is read from the module's declaration: its variants (another endpoint), splits (one list for each
of several values), follow-ups (a second call for what the first doesn't take), its search, and each field's
role. No module is known here by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from stripe_magics._form_encoding import UNSET, Pairs, pairs
from stripe_magics._options import Options
from stripe_magics.catalogue.field import Field, Kind, Role
from stripe_magics.catalogue.generated import facts
from stripe_magics.catalogue.module import FollowUp, Module, Variant
from stripe_magics.catalogue.stripe_objects import object_path
from stripe_magics.errors import Fault, InvalidValue
from stripe_magics.request import CurrencyCheck, Request, raw_call
from stripe_magics.request.call_options import call_headers, idempotency_key_of, refuse_on_reads
from stripe_magics.request.list_plan import row_filters_of, row_limit, scan_warning_of, with_splits
from stripe_magics.validation import Bound, expand_faults, search_query, urls_and_headers, variant
from stripe_magics.validation.field_resolution import index_of
from stripe_magics.validation.key_check import refuse_keys

_IN_PATH = re.compile(r"\{(\w+)\}")


def plan(bound: Bound, options: Options | None = None) -> Request:
    """The request that a call stands for; see the module's docstring."""
    options = options or Options()
    refuse_keys(
        [
            options.idempotency,
            options.stripe_account,
            options.stripe_version,
            options.stripe_context,
            *options.expand,
        ]
    )
    module, values = bound.module, bound.values
    refuse_on_reads(module, values, options)
    index = index_of(module)
    chosen = variant(module, values)
    limit, limit_given = row_limit(module, values, options)
    shared: dict[str, Any] = {
        "module": module.name,
        "headers": call_headers(module, values, options),
        "idempotency_key": idempotency_key_of(module, values, options),
        "limit": limit,
        "limit_given": limit_given,
        "returns": module.object,
        "param_fields": index.names,
        "warnings": bound.warnings,
    }
    if index_of(module).roles.get(Role.URL) is not None:
        return raw_call.plan(bound, options, shared)
    return _declared(bound, options, chosen, shared)


def _declared(bound: Bound, options: Options, chosen: Variant | None, shared: dict[str, Any]) -> Request:
    module, values = bound.module, bound.values
    one = chosen is not None and chosen.list_of_one
    lists = module.lists and not one
    local = set(chosen.local) if chosen else set()
    version = options.stripe_version or bound.api_version
    path = _path(chosen.path if chosen else module.path, values)
    searched = module.search is not None and path.endswith("/search")
    row_filters = (*row_filters_of(module, values, local),)
    sent: list[tuple[str, str]] = []
    if searched and module.search is not None:
        sent.append((module.search.param, search_query.expression(module, values, bound.zone, bound.now)[0]))
    held = index_of(module).held
    for name, value in values.items():
        declared = module.get(name)
        if declared is not None and name not in held and _is_sent(declared, value, local, chosen):
            sent.extend(pairs(_param(declared, version), _exact(declared, value)))
    sent.extend(bound.extra)
    takes_limit = index_of(module).roles.get(Role.LIMIT) is not None
    if lists and takes_limit and not any(name == "limit" for name, _ in sent):
        sent.append(("limit", str(raw_call.PAGE if row_filters else raw_call.page(shared["limit"]))))
    sent = _with_expand(module, sent, options, strip=one)
    _refuse_twice(module, sent)
    _refuse_both_cursors(module, {name for name, _ in sent})
    files = _files(module, sent)
    body = (
        _json_body(module, values, bound.extra)
        if path.startswith("/v2/") and module.method == "POST"
        else None
    )
    if body is not None:
        sent = []
    main = Request(
        method=module.method,
        path=path,
        json=body,
        params=tuple(pair for pair in sent if not files or pair[0] not in files),
        effect=module.effect_of(values),
        lists=lists,
        list_of_one=one,
        row_filters=row_filters,
        scan_warning=scan_warning_of(module, values, row_filters) if lists else "",
        files=files or None,
        currency_checks=tuple(_denominations(bound)),
        **shared,
    )
    return _with_follow_ups(with_splits(main, module, values, local), module, values, version)


def _denominations(bound: Bound) -> Iterator[CurrencyCheck]:
    """The objects whose currency an amount has that names one: a field's, else the one in the path. Stripe
    itself would take any."""
    module, values = bound.module, bound.values
    for name, currency in bound.currency_in_text:
        declared = module.get(name)
        named = [each for each in (declared.currency_of if declared else ()) if each in values]
        owner = module.get(named[0]) if named else None
        if owner is not None:
            path = object_path(owner.object, str(values[owner.name]))
        else:
            template = module.path[: module.path.rfind("}") + 1]
            path = _path(template, values) if facts.described("GET", template) else ""
        if path:
            yield CurrencyCheck(field=name, currency=currency, path=path)


def _refuse_twice(module: Module, sent: list[tuple[str, str]]) -> None:
    """A parameter that came by a field and by JSON or `-d` as well."""
    names = [name for name, _ in sent if not name.endswith("[]")]
    for name in dict.fromkeys(names) if len(set(names)) < len(names) else ():
        if names.count(name) > 1:
            field = index_of(module).names.get(name, name)
            raise InvalidValue([Fault(field, name, "is given twice; give it once")], module=module.name)


def _json_body(module: Module, values: Mapping[str, Any], extra: Pairs) -> dict[str, Any]:
    """The body of a v2 call: the same parameters as JSON, nested, with their types."""
    body: dict[str, Any] = {}
    given = [
        (each.param, values[each.name])
        for each in module.fields
        if each.role is Role.PARAM and each.name in values
    ]
    for param, value in (*given, *extra):
        *above, last = re.findall(r"[^\[\]]+", param)
        inside = body
        for part in above:
            inside = inside.setdefault(part, {})
        inside[last] = None if value is UNSET else raw_call.json_numbers(value)
    return body


def _refuse_both_cursors(module: Module, names: set[str]) -> None:
    if {"starting_after", "ending_before"} <= names:
        problem = "can't be given along with --starting-after: a page begins at one row; give one of them"
        raise InvalidValue([Fault("ending_before", "Ending Before", problem)], module=module.name)


def _exact(declared: Field, value: object) -> Any:
    """One second of a filter is sent as Stripe spells it, `created=1700000000`."""
    if declared.kind is Kind.TIMESTAMP_FILTER and isinstance(value, Mapping) and set(value) == {"gte", "lte"}:
        return value["gte"] if value["gte"] == value["lte"] else value
    return value


# The endpoint


def _path(template: str, values: Mapping[str, Any]) -> str:
    return _IN_PATH.sub(lambda found: urls_and_headers.path_part(str(values[found[1]])), template)


def _param(declared: Field, version: str) -> str:
    """The parameter's name in this version of the API."""
    if declared.renamed_to and declared.since_removed[:10] <= version[:10]:
        return declared.renamed_to
    return declared.param


def _is_sent(declared: Field, value: object, local: set[str], chosen: Variant | None) -> bool:
    if declared.role is not Role.PARAM or declared.name in local:
        return False
    if chosen is not None and (declared.name in chosen.excludes or "{" + declared.name + "}" in chosen.path):
        return False
    return not (declared.local_choices and value in declared.local_choices)


# Calls that follow


def _with_follow_ups(main: Request, module: Module, values: Mapping[str, Any], version: str) -> Request:
    before: list[Request] = []
    after: list[Request] = []
    answered = False
    for follow_up in module.follow_ups:
        made = [
            _following(main, module, follow_up, values, version, row) for row in _rounds(follow_up, values)
        ]
        (before if follow_up.first else after).extend(made)
        answered = answered or (bool(made) and follow_up.is_main_response)
    if not before and not after:
        return main
    own = replace(main, effect=module.effect, is_main_response=not answered)
    chain: list[Request] = [*before, *((own,) if own.params or not answered else ()), *after]
    if own not in chain:
        chain[-1] = replace(chain[-1], idempotency_key=own.idempotency_key)
    first, *rest = chain
    return replace(first, follow_ups=tuple(rest), effect=main.effect, warnings=main.warnings)


def _rounds(follow_up: FollowUp, values: Mapping[str, Any]) -> list[Mapping[str, Any] | None]:
    given = [name for name in follow_up.fields if name in values]
    if not given:
        return []
    return list(values[given[0]]) if follow_up.each else [None]


def _following(
    main: Request,
    module: Module,
    follow_up: FollowUp,
    values: Mapping[str, Any],
    version: str,
    row: Mapping[str, Any] | None,
) -> Request:
    named = set(_IN_PATH.findall(follow_up.path))
    sent = [
        (param, _IN_PATH.sub(lambda found: str(values[found[1]]), text)) for param, text in follow_up.send
    ]
    if row is not None:
        sent.extend(pair for key, value in row.items() for pair in pairs(key, value))
    else:
        for name in follow_up.fields:
            declared = module.get(name)
            if declared is not None and name in values and name not in named:
                sent.extend(pairs(_param(declared, version), values[name]))
    return replace(
        main,
        method=follow_up.method,
        path=_path(follow_up.path, values),
        params=tuple(sent),
        effect=follow_up.effect,
        is_main_response=follow_up.is_main_response,
        row_filters=(),
        files=None,
        idempotency_key="",
        warnings=(),
    )


def _with_expand(
    module: Module, sent: list[tuple[str, str]], options: Options, *, strip: bool
) -> list[tuple[str, str]]:
    """All paths to expand, from the field and the option, once each and in that order."""
    if not options.expand and not strip:
        return sent
    if problems := expand_faults(module, options.expand):
        raise InvalidValue([Fault("expand", "Expand", each) for each in problems], module=module.name)
    own = [value for name, value in sent if name.startswith("expand[")]
    paths = list(dict.fromkeys([*own, *options.expand]))
    rest = [pair for pair in sent if not pair[0].startswith("expand[")]
    return [
        *rest,
        *(
            (f"expand[{index}]", path.removeprefix("data.") if strip else path)
            for index, path in enumerate(paths)
        ),
    ]


def _files(module: Module, sent: list[tuple[str, str]]) -> dict[str, str]:
    return {name: value for name, value in sent if name == "file"} if module.files else {}
