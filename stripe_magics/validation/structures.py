"""Readers of structures: metadata, rows, JSON. They take what people give: mappings, JSON text, `key=value`,
a DataFrame."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from decimal import Decimal
from typing import Any

from stripe_magics import money
from stripe_magics._form_encoding import UNSET, describe_missing, encode, plain
from stripe_magics._text import closest_matches, shown
from stripe_magics.catalogue.field import Field, Kind, Role
from stripe_magics.catalogue.kinds import NESTED, shape_of
from stripe_magics.errors import Fault
from stripe_magics.validation.scalars import UnknownChoice, ValueContext, json_text

Reader = Callable[[Field, Any, ValueContext], Any]
"""How a column's value is read: `kinds.read`."""


class RowFaults(ValueError):
    """Faults inside a field of rows."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


def read_metadata(_field: Field, value: object, _context: ValueContext) -> dict[str, str]:
    pairs = _pairs(value)
    if len(pairs) > 50:
        raise ValueError(f"{len(pairs)} keys are given; Stripe keeps 50")
    result: dict[str, str] = {}
    for key, given in pairs:
        raw = "" if given is UNSET else plain(given)
        if raw is None:
            raise ValueError(
                f"the value of {key!r} is missing ({describe_missing(given)}); give one, or leave the key out"
            )
        if not isinstance(key, str) or not key:
            raise ValueError(f"the key {key!r} is not text")
        if "[" in key or "]" in key:
            raise ValueError(f"the key {key!r} has a square bracket, which Stripe doesn't take in keys")
        if len(key) > 40:
            raise ValueError(f"the key {key!r} has {len(key)} characters; the maximum is 40")
        if not isinstance(raw, str):
            raise ValueError(
                f"the value of {key!r} is a {type(raw).__name__}; metadata holds text{_as_quoted(raw)}"
            )
        if len(raw) > 500:
            raise ValueError(f"the value of {key!r} has {len(raw)} characters; the maximum is 500")
        if key in result:
            raise ValueError(f"the key {key!r} is given twice")
        result[key] = raw
    return result


def _as_quoted(value: object) -> str:
    """`: write '42'`, for what has a plain text."""
    return f": write {str(value)!r}" if isinstance(value, (int, float, Decimal)) else ""


def _pairs(value: object) -> list[tuple[Any, Any]]:
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
    raise ValueError(f"a {type(value).__name__} is given; give key-value pairs: key=value, or a mapping")


def read_rows(field: Field, value: object, context: ValueContext, read: Reader) -> list[dict[str, Any]]:
    raw_rows = _raw_rows(field, value)
    if field.maximum is not None and len(raw_rows) > field.maximum:
        raise ValueError(f"{len(raw_rows)} rows are given; the maximum is {field.maximum}")
    reader = _RowReader(field, context, read)
    rows = [reader.row(raw, number) for number, raw in enumerate(raw_rows, start=1)]
    if reader.faults:
        raise RowFaults(reader.faults)
    return rows


@dataclass(slots=True)
class _RowReader:
    """Reads the rows of one field; a fault names its row and its column."""

    field: Field
    context: ValueContext
    read: Reader
    faults: list[Fault] = dataclass_field(default_factory=list)
    number: int = 0

    def fault(self, problem: str, column: str = "") -> None:
        self.faults.append(Fault(self.field.name, self.field.title, problem, row=self.number, column=column))

    def row(self, raw: Mapping[Any, Any], number: int) -> dict[str, Any]:
        self.number = number
        before = len(self.faults)
        columns = {column.name: column for column in self.field.columns}
        named: dict[str, tuple[Field, Any]] = {}
        row: dict[str, Any] = {}
        for name, given in raw.items():
            column = columns.get(str(name).replace("-", "_"))
            if column is not None:
                named[column.name] = column, given
            elif plain(given) is None:
                self.fault(f"the value is missing ({describe_missing(given)})", str(name))
            elif problem := self._unknown_column(str(name), columns):
                self.fault(problem)
            else:  # Stripe may know more than we do
                row[str(name)] = plain(given)
        row |= read_members(named, self.context, self.read, self.fault)
        self._check(columns, row, {**named, **row}, before)
        return row

    def _unknown_column(self, name: str, columns: Mapping[str, Field]) -> str:
        near = closest_matches(name, columns)
        if near:
            return f"there is no column {name!r}; did you mean {' or '.join(near)}?"
        if self.field.role is not Role.PARAM:
            return f"there is no column {name!r}; the columns are {', '.join(columns)}"
        return ""

    def _check(
        self, columns: Mapping[str, Field], row: dict[str, Any], named: Mapping[str, Any], before: int
    ) -> None:
        """What is missing in a row, and what may not stand together in it."""
        for column in columns.values():
            if column.name not in named and column.required and _holds(column, row):
                self.fault("is missing", column.label)
        either = self.field.either
        if either and len(given := [name for name in either if row.get(name)]) != 1:
            self.fault(f"needs one of {' or '.join(either)}" + (", not both" if given else ""))
        elif not row and len(self.faults) == before:
            self.fault("is empty; leave it out, or fill in " + " or ".join(columns))


def read_members(
    named: Mapping[str, tuple[Field, Any]],
    context: ValueContext,
    read: Reader,
    fault: Callable[[str, str], None],
) -> dict[str, Any]:
    """The typed values of one row or of one nested object, by the name of their column.

    Amounts are read last: `20.00` needs the currency that stands beside it, and `20.00usd` brings its own.
    """
    typed: dict[str, Any] = {}
    for name, (column, given) in sorted(named.items(), key=lambda item: item[1][0].kind is Kind.MINOR_AMOUNT):
        holder = column.currency if column.currency in {each.name for each, _ in named.values()} else ""
        code = typed.get(holder) if holder else context.currency
        inner = replace(context, currency=code) if isinstance(code, str) else context
        if plain(given) is None:
            fault(
                f"the value is missing ({describe_missing(given)}); give one, or leave it out", column.label
            )
            continue
        try:
            value = read(column, given, inner)
        except RowFaults as problem:
            for each in problem.faults:
                fault(str(each), column.label)
            continue
        except UnknownChoice as problem:
            if context.passed is None or problem.dead or not isinstance(given, str):
                fault(str(problem), column.label)
                continue
            context.passed.append(given)
            value = given
        except ValueError as problem:
            fault(str(problem), column.label)
            continue
        if value is UNSET and column.required:
            fault("is empty", column.label)
            continue
        if isinstance(value, money.Amount):
            if column.currency and not holder:
                typed[column.currency] = value.currency
            value = value.minor
        typed[name] = "" if value is UNSET else value
    return {
        name: typed[name] for name in (*named, *(key for key in typed if key not in named)) if name in typed
    }


def _holds(column: Field, row: Mapping[str, Any]) -> bool:
    return all(str(row.get(name)) in values for name, values in column.when)


def _raw_rows(field: Field, value: object) -> list[Mapping[Any, Any]]:
    """A list of mappings from what people give: those, JSON text, `name=PO, value=42`, and key-value pairs
    where these are the columns."""
    if isinstance(value, str):
        value = json_text(value) if value.lstrip().startswith(("[", "{")) else value.splitlines()
    names = {column.name for column in field.columns}
    if isinstance(value, Mapping):
        if names >= {"key", "value"} and not (set(map(str, value)) & names):
            return [{"key": key, "value": inner} for key, inner in value.items()]
        if value and all(str(key).isdecimal() for key in value):  # as bracket parameters are put together
            value = [inner for _, inner in sorted(value.items(), key=lambda each: int(each[0]))]
        else:
            value = [value]
    if not isinstance(value, list):
        raise ValueError(
            f"a {type(value).__name__} is given; give rows: a list of mappings with"
            f" {', '.join(sorted(names))}"
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
                f"{shown(each)} is not a row; give a mapping with"
                f" {', '.join(column.name for column in field.columns)}"
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
        raise ValueError(f"{shown(text)} is not a row; write {', '.join(f'{name}=...' for name in names)}")
    return [{key.strip(): value.strip() for key, _, value in parts}]


def read_json(field: Field, value: object, context: ValueContext, read: Reader) -> Any:
    found = json_text(value) if isinstance(value, str) and value.lstrip()[:1] in {"{", "["} else value
    if field.columns:
        return _read_items(field, found, context, read)
    if not isinstance(found, (Mapping, list)):
        raise ValueError(f'{shown(value)} is not a JSON object (example: {{"key": "value"}})')
    if field.role is not Role.BODY:  # /v2 takes JSON, whose null clears
        encode({field.param: found})  # raises for what can't be sent
    return found


def _read_items(field: Field, value: object, context: ValueContext, read: Reader) -> Any:
    """A list of objects, each of whose values is typed by the facts, however deep it lies.

    `{"0": {...}}`, as bracket parameters are put together, is such a list too; one object alone is a list of
    one.
    """
    if isinstance(value, Mapping) and value and all(str(key).isdecimal() for key in value):
        items = list(value.items())
    elif isinstance(value, list):
        items = [(str(place), each) for place, each in enumerate(value)]
    elif isinstance(value, Mapping):
        items = [("0", value)]
    else:
        raise ValueError(f"{shown(value)} is not a list of objects (example: [{{...}}])")
    faults: list[Fault] = []
    read_items: dict[str, Any] = {}
    for number, (place, each) in enumerate(items, start=1):
        item = plain(each)
        if isinstance(item, str) and item.lstrip()[:1] == "{":
            item = json_text(item)
        if isinstance(item, Mapping):
            read_items[str(place)] = _read_object(field, item, number, context, read, faults)
        elif item is None:
            faults.append(Fault(field.name, field.title, "is missing", row=number))
        else:
            faults.append(Fault(field.name, field.title, f"{shown(item)} is not an object", row=number))
    if faults:
        raise RowFaults(faults)
    encode({field.param: read_items})
    return (
        list(read_items.values())
        if [*read_items] == [str(at) for at in range(len(read_items))]
        else read_items
    )


def _read_object(
    field: Field,
    item: Mapping[Any, Any],
    number: int,
    context: ValueContext,
    read: Reader,
    faults: list[Fault],
) -> dict[str, Any]:
    """One object of a list: its values by their parameters inside it (`price_data[unit_amount]`)."""
    columns = {each.param: each for each in field.columns}
    by_name = {each.name: each.param for each in field.columns}
    named: dict[str, tuple[Field, Any]] = {}
    result: dict[str, Any] = {}

    def fault(problem: str, column: str) -> None:
        faults.append(Fault(field.name, field.title, problem, row=number, column=column))

    def walk(mapping: Mapping[Any, Any], outer: str) -> None:
        for key, given in mapping.items():
            param = f"{outer}[{key}]" if outer else str(key)
            inner, column = plain(given), columns.get(param)
            if column is not None and not (
                isinstance(inner, Mapping) and shape_of(column.kind) not in NESTED
            ):
                named[column.name] = column, given
            elif isinstance(inner, Mapping) and inner:
                walk(inner, param)
            elif inner is None:
                fault(f"the value is missing ({describe_missing(given)})", param)
            else:
                _put(result, param, inner)

    walk(item, "")
    for name, value in read_members(named, context, read, fault).items():
        _put(result, by_name.get(name, name), value)
    return result


def _put(target: dict[str, Any], param: str, value: object) -> None:
    """Put a value under `price_data[unit_amount]` into nested mappings."""
    *above, last = param.replace("]", "").split("[")
    for key in above:
        inner = target.setdefault(key, {})
        if not isinstance(inner, dict):
            raise ValueError(f"{param} can't be combined with a value for {key}")
        target = inner
    target[last] = value
