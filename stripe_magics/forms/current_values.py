"""What Stripe has now, in the form's own terms: an object's JSON -> raw values by field.

A field finds its value by its own parameter (`shipping[address][line1]`), so that nothing here knows any
module.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

from stripe_magics.catalogue.field import Field, Kind, Role
from stripe_magics.catalogue.kinds import Shape, shape_of
from stripe_magics.catalogue.module import Module
from stripe_magics.forms.state import Raw


def object_path(module: Module, values: Mapping[str, Raw]) -> str:
    """The path of the object that the module acts on, up to its last id: `/v1/invoices/in_1` of
    `/v1/invoices/{invoice}/void`.

    "" if the module acts on no object, or its id isn't given.
    """
    from urllib.parse import quote

    path = module.path[: module.path.rfind("}") + 1]
    if "{" not in path or not path.startswith("/"):
        return ""
    for name in re.findall(r"\{(\w+)\}", path):
        field = next((each for each in module.fields if each.role is Role.PATH and each.name == name), None)
        value = str(values.get(field.name if field else name) or "").strip()
        if not value:
            return ""
        path = path.replace("{" + name + "}", quote(value, safe=""))
    return path


def current_values(module: Module, found: Mapping[str, Any], zone: tzinfo = UTC) -> dict[str, Raw]:
    """The raw value of each field that the object has one for; fields that Stripe doesn't give back are left
    out."""
    values: dict[str, Raw] = {}
    for each in module.fields:
        if each.role is not Role.PARAM:
            continue
        value = _at(found, each.param)
        if value is not None:
            raw = _raw(each, value, zone)
            if raw not in ("", [], {}):
                values[each.name] = raw
    return values


def _at(found: Mapping[str, Any], param: str) -> Any:
    value: Any = found
    for part in re.findall(r"[^\[\]]+", param):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


def _id(value: object) -> Any:
    return value["id"] if isinstance(value, Mapping) and "id" in value else value


def _raw(field: Field, value: object, zone: tzinfo) -> Raw:
    if shape_of(field.kind) is Shape.PAIRS:
        return {str(key): str(each) for key, each in value.items()} if isinstance(value, Mapping) else {}
    if shape_of(field.kind) is Shape.ROWS:
        rows = value if isinstance(value, list) else []
        return [
            {
                column.name: _raw(column, row[column.param], zone)
                for column in field.columns
                if row.get(column.param) is not None
            }
            for row in rows
            if isinstance(row, Mapping)
        ]
    if shape_of(field.kind) is Shape.LIST:
        return [str(_id(each)) for each in value] if isinstance(value, list) else []
    if shape_of(field.kind) is Shape.JSON:
        return json.dumps(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    value = _id(value)
    if field.kind is Kind.TIMESTAMP and isinstance(value, int):
        return datetime.fromtimestamp(value, zone).isoformat()
    if isinstance(value, float):
        return str(value).removesuffix(".0")
    return str(value) if isinstance(value, str | int) else ""
