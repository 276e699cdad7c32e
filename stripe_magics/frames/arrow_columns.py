"""Columns as Arrow arrays, while rows come in: compact, and a Parquet part at any time.

A chunk's array has its kind's Arrow type, or is JSON text (maps, lists, and whatever the plan couldn't type),
or has no values at all. At the end each column's chunks become one pandas array (`pandas_columns.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from stripe_magics._redaction import HIDDEN
from stripe_magics.frames.masking import SUSPECT_TEXT, mask, mask_json

_JSON = {b"json": b"1"}
_PATH = b"path"  # of a field inside an unknown object: where it stands
POOL = pa.system_memory_pool()
"""Chunks live until their column stands: this pool gives their memory back then, Arrow's usual one keeps
it."""

ARROW: Mapping[str, pa.DataType] = {
    **dict.fromkeys(("text", "ref", "decimal", "secret"), pa.large_string()),
    **dict.fromkeys(("currency", "enum", "interval"), pa.dictionary(pa.int32(), pa.string())),
    **dict.fromkeys(("int", "int?"), pa.int64()),
    "time": pa.timestamp("us", tz="UTC"),
    "bool": pa.bool_(),
    "number": pa.float64(),
}
_SECONDS = pa.timestamp("s", tz="UTC")
_TEXT = pa.string()
PYTHON: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("text", "ref", "decimal", "secret", "currency", "enum", "interval"), (str,)),
    **dict.fromkeys(("int", "int?", "time"), (int,)),
    "bool": (bool,),
    "number": (float, int),
    "list": (list,),
    "map": (dict,),
}


def arrow(kind: str, values: list[Any]) -> pa.Array:
    """One chunk of a column, from Python values of that kind (times as seconds)."""
    if kind == "secret":
        values = [value and HIDDEN for value in values]
    if kind == "time":
        seconds = pa.array(values, pa.int64(), memory_pool=POOL).cast(_SECONDS)
        return pc.cast(seconds, ARROW["time"], memory_pool=POOL)
    if kind in {"currency", "enum", "interval"}:
        return pc.dictionary_encode(pa.array(values, pa.string(), memory_pool=POOL), memory_pool=POOL)
    return pa.array(values, ARROW[kind], memory_pool=POOL)


def fitting(kind: str, values: list[Any]) -> pa.Array | None:
    """The chunk, or None if a value is beyond its type: a whole number over 64 bits, a time past the
    calendar."""
    try:
        return arrow(kind, values)
    except (pa.ArrowInvalid, OverflowError):
        return None


def arrow_json(values: Sequence[Any], object_type: str) -> pa.Array:
    """One chunk of a column that is kept as JSON text, secrets masked; texts that come again and again stand
    there once. Values are msgspec.Raw, None or UNSET."""
    texts = [
        None if value is None or value is msgspec.UNSET or (text := bytes(value)) == b"null" else text
        for value in values
    ]
    distinct = dict.fromkeys(texts)
    if 2 * len(distinct) > len(texts):
        return pa.array(mask_json(texts, object_type), pa.string(), memory_pool=POOL)
    distinct.pop(None, None)
    places: dict[bytes | None, int | None] = {text: place for place, text in enumerate(distinct)}
    return pa.DictionaryArray.from_arrays(
        pa.array(list(map(places.get, texts)), pa.int32(), memory_pool=POOL),
        pa.array(mask_json(list(distinct), object_type), pa.string(), memory_pool=POOL),
    )


def with_plain_json(table: pa.Table) -> pa.Table:
    """The table with each JSON text in its row, as files have it."""
    for place, field in enumerate(table.schema):
        if is_json(field) and pa.types.is_dictionary(field.type):
            texts = table.column(place).cast(pa.string())
            table = table.set_column(place, field.with_type(pa.string()), texts)
    return table


def hide_secrets(array: pa.Array) -> pa.Array:
    """A column of text that the facts don't have, without what looks like a key or a secret."""
    suspects = pc.fill_null(pc.match_substring_regex(array, SUSPECT_TEXT), fill_value=False)
    if not pc.any(suspects).as_py():
        return array
    texts = [None if text is None else mask(text) for text in array.to_pylist()]
    return pa.array(texts, array.type, memory_pool=POOL)


def json_field(name: str, kind: pa.DataType = _TEXT) -> pa.Field:
    """The Arrow field of a column of JSON text."""
    return pa.field(name, kind, metadata=_JSON)


def with_path(field: pa.Field, path: Sequence[str]) -> pa.Field:
    """The field, saying where in an unknown object its values stand; itself for no path."""
    if not path:
        return field
    return field.with_metadata({**(field.metadata or {}), _PATH: msgspec.json.encode(path)})


def path_of(field: pa.Field) -> tuple[str, ...]:
    """Where in an unknown object the values of a column stand; () for one that is no part of such an
    object."""
    text = (field.metadata or {}).get(_PATH)
    return tuple(msgspec.json.decode(text)) if text else ()


def is_json(field: pa.Field) -> bool:
    """Whether a column holds JSON text."""
    return bool(field.metadata) and field.metadata.get(b"json") == b"1"


def is_text(kind: pa.DataType) -> bool:
    """Whether values of this type are texts, however they are stored."""
    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def common_type(kinds: Collection[pa.DataType]) -> pa.DataType | None:
    """The type that takes the values of all these types as they are; None if there is none."""
    if len(kinds) == 1:
        return next(iter(kinds))
    if all(map(is_text, kinds)):
        return pa.large_string()
    if all(pa.types.is_integer(kind) for kind in kinds):
        return pa.int64()
    if all(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in kinds):
        return pa.float64()
    return ARROW["time"] if all(pa.types.is_timestamp(kind) and kind.tz for kind in kinds) else None


def joined(arrays: list[pa.Array], target: pa.DataType) -> pa.Array:
    """Chunks of a column as one array of that type; those without values may be of none."""
    typed = [blank(target, len(each)) if pa.types.is_null(each.type) else each for each in arrays]
    if len(typed) == 1:
        return typed[0]
    if pa.types.is_dictionary(target):
        return pa.chunked_array(typed).unify_dictionaries(memory_pool=POOL).combine_chunks(memory_pool=POOL)
    return pa.concat_arrays(typed, memory_pool=POOL)


def blank(target: pa.DataType, count: int) -> pa.Array:
    """That many rows without a value."""
    return pa.nulls(count, target, memory_pool=POOL)


def ordered(array: pa.Array, order: object) -> pa.Array:
    """The rows at these places."""
    return pc.take(array, pa.array(order), memory_pool=POOL)


def python_values(
    part: pa.Array, *, json: bool, decode: Callable[[str], Any] = msgspec.json.decode
) -> list[Any]:
    """The Python values of a chunk, times as seconds."""
    if json:
        return [None if text is None else decode(text) for text in part.to_pylist()]
    if pa.types.is_timestamp(part.type):
        return [None if each is None else each // 1_000_000 for each in part.cast(pa.int64()).to_pylist()]
    return list(part.to_pylist())
