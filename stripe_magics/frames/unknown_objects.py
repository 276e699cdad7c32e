"""Objects that the facts don't have, where they came in two shapes: as columns of their fields, and as JSON
text.

A chunk has columns for the fields of an unknown object as long as those are few and it is an object in each
row. When that ends (ever new keys, or an id in its place), the next chunks have JSON text. Here the earlier
ones become JSON, too, so that the frame is the same however the rows were spread over pages.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pyarrow as pa

from stripe_magics.frames import arrow_columns as cols

Chunks = list[tuple[pa.Array, bool]]  # of a column, and whether it is JSON text
Paths = dict[str, tuple[str, ...]]  # of columns inside unknown objects


def with_parts(chunks: dict[str, Chunks], paths: Paths) -> dict[str, Chunks]:
    """An unknown object that came as columns first and as JSON later is JSON in all rows, so that the order
    of pages doesn't matter."""
    for name in list(chunks):
        own = paths.get(name, (name,))
        parts = {
            each: path[len(own) :]
            for each, path in paths.items()
            if each in chunks and each != name and len(path) > len(own) and path[: len(own)] == own
        }
        sent = chunks.get(name)
        if not parts or not sent:
            continue
        if _without_fields(sent):
            del chunks[name]  # the fields' columns say the same
        if not any(json for _, json in sent) or name not in chunks:
            continue
        fields = [(path, _values(chunks.pop(each))) for each, path in parts.items()]
        nulls = [path for path, values in fields if all(value is None for value in values)]
        whole = [_rebuilt(row, fields, place, nulls) for place, row in enumerate(_values(chunks[name]))]
        texts = [None if value is None else msgspec.json.encode(value) for value in whole]
        chunks[name] = [(pa.array(texts, pa.string(), memory_pool=cols.POOL), True)]
    return chunks


def _without_fields(parts: Chunks) -> bool:
    """Whether there is nothing but nulls and `{}`."""
    return all(
        pa.types.is_null(part.type) or (json and set(part.unique().to_pylist()) <= {"{}", None})
        for part, json in parts
    )


def _values(parts: Chunks) -> list[Any]:
    return [value for part, json in parts for value in cols.python_values(part, json=json)]


def _rebuilt(
    value: object, fields: list[tuple[tuple[str, ...], list[Any]]], place: int, nulls: list[tuple[str, ...]]
) -> Any:
    """An object from its fields' columns; the value itself where they are empty. `nulls` are fields that are
    null in all rows."""
    out: Any = value
    for path, values in fields:
        if values[place] is not None:
            if not isinstance(out, dict):
                out = {} if out is None else {"id": out}
            _put(out, path, values[place])
    if isinstance(out, dict):
        for path in nulls:
            _put(out, path, None)
    return out


def _put(target: dict[str, Any], path: tuple[str, ...], value: object) -> None:
    for key in path[:-1]:
        target = target.setdefault(key, {})
        if not isinstance(target, dict):
            return
    target.setdefault(path[-1], value)
