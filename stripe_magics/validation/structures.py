"""Readers of structures: metadata, rows, JSON. They take what people give: mappings, JSON text, `key=value`, a DataFrame."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from stripe_magics import money
from stripe_magics._form_encoding import UNSET, encode, plain
from stripe_magics.catalogue.field import Field, Role
from stripe_magics.errors import Fault
from stripe_magics.validation.scalars import Context, json_text, nearest, shown

Reader = Callable[[Field, Any, Context], Any]
"""How a column's value is read: `kinds.read`."""


class RowFaults(ValueError):
    """Faults inside a field of rows."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


def read_metadata(field: Field, value: Any, context: Context) -> dict[str, str]:
    pairs = _pairs(value)
    if len(pairs) > 50:
        raise ValueError(f"{len(pairs)} keys are given; Stripe keeps 50")
    result: dict[str, str] = {}
    for key, given in pairs:
        raw = "" if given is UNSET else plain(given)
        if raw is None:
            continue
        if not isinstance(key, str) or not key:
            raise ValueError(f"the key {key!r} is no text")
        if "[" in key or "]" in key:
            raise ValueError(f"the key {key!r} has a square bracket, which Stripe doesn't take in keys")
        if len(key) > 40:
            raise ValueError(f"the key {key!r} has {len(key)} characters; 40 are the most")
        if not isinstance(raw, str):
            raise ValueError(
                f"the value of {key!r} is a {type(raw).__name__}; metadata holds text: write {str(raw)!r}"
            )
        if len(raw) > 500:
            raise ValueError(f"the value of {key!r} has {len(raw)} characters; 500 are the most")
        if key in result:
            raise ValueError(f"the key {key!r} is given twice")
        result[key] = raw
    return result


def _pairs(value: Any) -> list[tuple[Any, Any]]:
    """A mapping, JSON text, `key=value` text, or a list of these."""
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, str):
        if value.lstrip().startswith("{"):
            found = json_text(value)
            return list(found.items())
        pairs = []
        for line in filter(None, (line.strip() for line in value.splitlines())):
            key, sign, text = line.partition("=")
            if not sign:
                raise ValueError(f"{shown(line)} has no value; write key=value")
            pairs.append((key.strip(), text.strip()))
        return pairs
    if isinstance(value, list):
        return [
            pair
            for each in value
            for pair in (_pairs(each) if not isinstance(each, (list, tuple)) else [tuple(each)])
        ]
    raise ValueError(
        f"a {type(value).__name__} is given; key-value pairs are wanted: key=value, or a mapping"
    )


def read_rows(field: Field, value: Any, context: Context, read: Reader) -> list[dict[str, Any]]:
    raw_rows = _raw_rows(field, value)
    columns = {column.name: column for column in field.columns}
    faults: list[Fault] = []
    rows = [
        _row(field, columns, raw, number, faults, lambda column, given: read(column, given, context))
        for number, raw in enumerate(raw_rows, start=1)
    ]
    if field.maximum is not None and len(rows) > field.maximum:
        raise ValueError(f"{len(rows)} rows are given; {field.maximum} at most are taken")
    if faults:
        raise RowFaults(faults)
    return rows


def _row(
    field: Field,
    columns: Mapping[str, Field],
    raw: Any,
    number: int,
    faults: list[Fault],
    read: Callable[[Field, Any], Any],
) -> dict[str, Any]:
    row: dict[str, Any] = {}

    def fault(problem: str, column: str = "") -> None:
        faults.append(Fault(field.name, field.title, problem, row=number, column=column))

    for name, given in raw.items():
        column = columns.get(str(name).replace("-", "_"))
        if column is None:
            near = nearest(str(name), columns)
            if near or field.role is not Role.PARAM:
                fault(
                    f"there is no column {str(name)!r}; "
                    + (
                        f"did you mean {' or '.join(near)}?"
                        if near
                        else f"the columns are {', '.join(columns)}"
                    )
                )
            else:  # Stripe may know more than we do
                row[str(name)] = plain(given)
            continue
        try:
            read_value = read(column, given)
        except RowFaults:
            raise
        except ValueError as problem:
            fault(str(problem), column.label)
            row[column.name] = None
            continue
        if read_value is UNSET and column.required:
            fault("is empty", column.label)
        elif read_value is not None:
            row[column.name] = "" if read_value is UNSET else read_value
    _settle_amounts(columns, row)
    for column in columns.values():
        if column.name not in row and column.required and _holds(column, row):
            fault("is missing", column.label)
    if field.either and len(given := [name for name in field.either if row.get(name)]) != 1:
        fault(f"wants one of {' or '.join(field.either)}" + (", not both" if given else ""))
    elif not row and not faults:
        fault("is empty; leave it out, or fill in " + " or ".join(columns))
    return row


def _settle_amounts(columns: Mapping[str, Field], row: dict[str, Any]) -> None:
    """`20.00usd` in a row: minor units, and the currency into its own column if that was left out."""
    for name, value in [*row.items()]:
        if isinstance(value, money.Amount):
            row[name] = value.minor
            if (holder := columns[name].currency) in columns:
                row.setdefault(holder, value.currency)


def _holds(column: Field, row: Mapping[str, Any]) -> bool:
    return all(str(row.get(name)) in values for name, values in column.when)


def _raw_rows(field: Field, value: Any) -> list[Mapping[Any, Any]]:
    """A list of mappings from what people give: those, JSON text, `name=PO, value=42`, and key-value pairs where these are the columns."""
    if isinstance(value, str):
        value = json_text(value) if value.lstrip().startswith(("[", "{")) else value.splitlines()
    names = {column.name for column in field.columns}
    if isinstance(value, Mapping):
        if names >= {"key", "value"} and not (set(map(str, value)) & names):
            return [{"key": key, "value": inner} for key, inner in value.items()]
        value = [value]
    if not isinstance(value, list):
        raise ValueError(
            f"a {type(value).__name__} is given; rows are wanted: a list of mappings with {', '.join(sorted(names))}"
        )
    rows: list[Mapping[Any, Any]] = []
    for each in value:
        if isinstance(each, Mapping):
            rows.append(each)
        elif isinstance(each, (list, tuple)) and len(each) == len(field.columns):
            rows.append({column.name: inner for column, inner in zip(field.columns, each, strict=True)})
        elif isinstance(each, str):
            rows.extend(_text_row(each, field))
        else:
            raise ValueError(
                f"{shown(each)} is no row; a mapping with {', '.join(column.name for column in field.columns)} is wanted"
            )
    return rows


def _text_row(text: str, field: Field) -> list[Mapping[str, Any]]:
    if text.lstrip().startswith(("{", "[")):
        found = json_text(text)
        return _raw_rows(field, found)
    names = [column.name for column in field.columns]
    if names == ["key", "value"] and not re.match(r"\s*key\s*=", text):
        key, sign, value = text.partition(":" if field.role is Role.HEADERS and ":" in text else "=")
        if sign:
            return [{"key": key.strip(), "value": value.strip()}]
    parts = [
        part.partition("=") for part in re.split(rf",\s*(?=(?:{'|'.join(map(re.escape, names))})\s*=)", text)
    ]
    if not all(sign for _, sign, _ in parts):
        raise ValueError(f"{shown(text)} is no row; write {', '.join(f'{name}=...' for name in names)}")
    return [{key.strip(): value.strip() for key, _, value in parts}]


def read_json(field: Field, value: Any, context: Context) -> Any:
    found = json_text(value) if isinstance(value, str) else value
    if not isinstance(found, (Mapping, list)):
        raise ValueError(f'{shown(value)} is no JSON object, such as {{"key": "value"}}')
    encode({"value": found})  # raises for what can't be sent
    return found
