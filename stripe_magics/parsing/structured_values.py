"""The few values that a line writes with structure: lists, `key=value` pairs and rows; JSON is taken for each
of them."""

from __future__ import annotations

import json
import re
from typing import Any

from stripe_magics.catalogue.field import Field
from stripe_magics.catalogue.kinds import Shape, shape_of
from stripe_magics.errors import UsageFault


def read(own: Field, value: object) -> Any:
    """A value as its field's kind has it: a list for lists, a dict for metadata, a list of dicts for rows;
    anything else as it is."""
    reader = _READERS.get(shape_of(own.kind))
    return value if reader is None else reader(own, value)


def texts(value: object) -> Any:
    """A list of texts from text with commas, from JSON, or from a list."""
    if not isinstance(value, str) or value == "":
        return value
    found = _json(value, list)
    if found is not None:
        return found
    return [part.strip() for part in value.split(",") if part.strip()]


def _list(_own: Field, value: object) -> Any:
    return texts(value)


def _metadata(own: Field, value: object) -> Any:
    if not isinstance(value, str) or value == "":
        return value
    found = _json(value, dict)
    if found is not None:
        return found
    key, equals, text = value.partition("=")
    if not equals:
        raise UsageFault(
            f"{own.flag} takes key=value; {value!r} was given.",
            advice=f"For example: {own.flag} order_id=6735, repeated for each key.",
        )
    return {key.strip(): text}


def _rows(own: Field, value: object) -> Any:
    if isinstance(value, dict):
        return [value]
    if not isinstance(value, str) or value == "":
        return value
    found = _json(value, (list, dict))
    if found is not None:
        return [found] if isinstance(found, dict) else found
    columns = "|".join(re.escape(each.name) for each in own.columns)
    pairs = re.split(rf",\s*(?=(?:{columns})=)", value) if columns else []
    row = dict(pair.split("=", 1) for pair in pairs if re.match(rf"\s*(?:{columns})=", pair))
    if len(row) != len(pairs) or not row:
        example = ",".join(f"{each.name}=..." for each in own.columns[:2])
        raise UsageFault(
            f"{own.flag} takes rows; {value!r} was given.",
            advice=f"For example: {own.flag} {example}, repeated for each row; or JSON.",
        )
    return [{key.strip(): text for key, text in row.items()}]


_READERS = {Shape.LIST: _list, Shape.PAIRS: _metadata, Shape.ROWS: _rows}


def _json(text: str, requested: Any) -> Any:
    """The text as JSON of that shape, all scalars as text; None if it is none."""
    if text.lstrip()[:1] not in {"[", "{"}:
        return None
    try:
        value = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except (json.JSONDecodeError, RecursionError):
        return None
    return plain(value) if isinstance(value, requested) else None


def plain(value: Any) -> Any:
    """JSON's booleans as text; None stays None (left out)."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return value
