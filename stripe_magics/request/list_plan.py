"""The lists of a request: how many rows, which of them are kept here, one list for each of several values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from stripe_magics._form_encoding import UNSET, text
from stripe_magics._options import Options
from stripe_magics.catalogue.field import Kind, Role
from stripe_magics.catalogue.module import Module
from stripe_magics.request import Request, RowFilter
from stripe_magics.request.call_options import invalid_option
from stripe_magics.validation.field_resolution import index_of

_DEFAULT_LIMIT = 100


def row_limit(module: Module, values: Mapping[str, Any], options: Options) -> tuple[int | None, bool]:
    """How many rows at most (None: all), and whether that was given."""
    declared = index_of(module).roles.get(Role.LIMIT)
    raw = values.get(declared.name) if declared else None
    if raw is None:
        raw = options.limit
    if raw is None:
        return _DEFAULT_LIMIT, False
    if declared is None and not module.lists and index_of(module).roles.get(Role.URL) is None:
        raise invalid_option("limit", f"{module.name} gives no list; leave it out")
    rows = row_count(raw)
    most = declared.maximum if declared else None
    if rows is not None and most is not None and rows > most:
        raise invalid_option("limit", f"{rows} is too large; the maximum is {most}")
    return rows, True


def row_count(limit: object) -> int | None:
    """How many rows a limit means; None is all. Raises `InvalidValue`."""
    rows = str(limit).strip().lower()
    if rows == "all":
        return None
    if not re.fullmatch(r"[0-9]{1,9}", rows) or int(rows) < 1:
        raise invalid_option("limit", f"{limit!r} is not a number of rows; give 1 or more, or all")
    return int(rows)


def row_filters_of(module: Module, values: Mapping[str, Any], local: set[str]) -> Iterable[RowFilter]:
    """Tests on the rows, for what Stripe doesn't filter by."""
    if module.method != "GET":
        return
    for name, value in values.items():
        declared = module.get(name)
        if declared is None or value is UNSET:
            continue
        here = declared.role is Role.LOCAL or name in local
        key = declared.row_key or declared.param
        if declared.role is Role.SPLIT and here:
            split = next(each for each in module.splits if each.field == name)
            yield RowFilter(key=split.param, among=dict(split.values)[text(value)])
        elif declared.kind is Kind.TIMESTAMP_FILTER and here:
            low = value["gt"] + 1 if "gt" in value else value.get("gte")
            high = value["lte"] + 1 if "lte" in value else value.get("lt")
            yield RowFilter(key=key, low=low, high=high)
        elif here or (declared.local_choices and value in declared.local_choices):
            yield RowFilter(key=key, equals=text(value))


def scan_warning_of(module: Module, values: Mapping[str, Any], row_filters: tuple[RowFilter, ...]) -> str:
    """What a person is told of a scan that nothing bounds."""
    if not row_filters:
        return ""
    bounds = [
        each for each in module.fields if each.kind is Kind.TIMESTAMP_FILTER and each.role is Role.PARAM
    ]
    if not bounds or any(each.name in values for each in bounds):
        return ""
    return (
        "Rows are filtered here, and nothing bounds the scan: every row is read until enough match. Add"
        f" {bounds[0].flag} to bound it."
    )


def with_splits(main: Request, module: Module, values: Mapping[str, Any], local: set[str]) -> Request:
    """One list for each of several values, where Stripe takes one."""
    for split in module.splits:
        if split.field in values and split.field not in local:
            requested = dict(split.values)[text(values[split.field])]
            first, *others = (
                replace(main, params=((split.param, value), *main.params)) for value in requested
            )
            main = replace(first, merged_requests=tuple(others))
    return main
