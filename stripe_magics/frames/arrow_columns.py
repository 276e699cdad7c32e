"""Columns, twice: Arrow arrays while rows come in, pandas arrays once all are there.

Arrow while reading: compact, and a Parquet part at any time. A chunk's array has its kind's Arrow type, or is
JSON text (maps, lists, and whatever the plan couldn't type), or has no values at all. At the end each
column's chunks become one pandas array, of the dtype that its kind says (`schema.py`). Where values don't
suit the kind they are spread first: an expanded object is its id and further columns, a list object its rows
and whether there are more of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from stripe_magics._redaction import HIDDEN, SECRET_FIELDS, SUSPECT, SUSPECT_KEY, redact
from stripe_magics.catalogue.versions import PINNED_VERSION
from stripe_magics.frames.cell_array import CellArray
from stripe_magics.frames.cells import freeze
from stripe_magics.frames.null_arrays import NullBooleanArray, NullCellArray, NullIntegerArray, null_text
from stripe_magics.frames.schema import (
    MAX_SPREAD_KEYS,
    Column,
    facts,
    kind_by_name,
    kind_of_fact,
    kind_of_nulls,
    masked,
)

_SECRETS = (
    *(name.encode() for name in SECRET_FIELDS[""]),
    *(f'"{kind}"'.encode() for kind in SECRET_FIELDS if kind),
)
"""Names that JSON text may hold for something in it to be masked; of a type with secret fields of its own,
theirs, too."""
_SUSPECT = tuple((common.encode(), tuple(map(str.encode, words))) for common, words in SUSPECT.items())
_KEY = re.compile(SUSPECT_KEY.encode())
_SUSPECT_TEXT = "|".join([*(re.escape(word) for words in SUSPECT.values() for word in words), SUSPECT_KEY])
"""What a text of an unknown field must hold to be looked at; what is then hidden, `redact` says."""
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
PYTHON: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("text", "ref", "decimal", "secret", "currency", "enum", "interval"), (str,)),
    **dict.fromkeys(("int", "int?", "time"), (int,)),
    "bool": (bool,),
    "number": (float, int),
    "list": (list,),
    "map": (dict,),
}


# While reading ----------------------------------------------------------------------------------------------
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
    """One chunk of a column that is kept as JSON text, secrets masked. Values are msgspec.Raw, None or
    UNSET."""
    texts = [
        None if value is None or value is msgspec.UNSET or (text := bytes(value)) == b"null" else text
        for value in values
    ]
    everything = b"\n".join({text for text in texts if text})
    names = (*_SECRETS, *(f'"{name}"'.encode() for name in SECRET_FIELDS.get(object_type, ())))
    if _suspect(everything, names):
        texts = [text and _safe(text, object_type, names) for text in texts]
    return pa.array(texts, pa.string(), memory_pool=POOL)


def json_field(name: str) -> pa.Field:
    """The Arrow field of a column of JSON text."""
    return pa.field(name, pa.string(), metadata=_JSON)


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


def _suspect(text: bytes, names: Sequence[bytes]) -> bool:
    """Whether anything in the JSON text may have to be masked; `mask` decides."""
    return (
        any(name in text for name in names)
        or any(common in text and any(word in text for word in words) for common, words in _SUSPECT)
        or (b"k_" in text and _KEY.search(text) is not None)
    )


def _safe(text: bytes, object_type: str, names: Sequence[bytes]) -> bytes:
    if _suspect(text, names):
        return msgspec.json.encode(mask(msgspec.json.decode(text), object_type))
    return text


def mask(value: Any, object_type: str = "") -> Any:
    """The value without what may never be shown, however deep it stands."""
    if isinstance(value, list):
        return [mask(each, object_type) for each in value]
    if isinstance(value, dict):
        kind = value.get("object") or object_type
        kind = kind if isinstance(kind, str) else object_type
        return {
            key: HIDDEN if isinstance(inner, str) and masked(kind, key) else mask(inner, kind)
            for key, inner in value.items()
        }
    return HIDDEN if isinstance(value, str) and redact(value) != value else value


def hide_secrets(array: pa.Array) -> pa.Array:
    """A column of text that the facts don't have, without what looks like a key or a secret."""
    suspects = pc.fill_null(pc.match_substring_regex(array, _SUSPECT_TEXT), fill_value=False)
    if not pc.any(suspects).as_py():
        return array
    texts = [None if text is None else mask(text) for text in array.to_pylist()]
    return pa.array(texts, array.type, memory_pool=POOL)


def python_values(
    part: pa.Array, *, json: bool, decode: Callable[[str], Any] = msgspec.json.decode
) -> list[Any]:
    """The Python values of a chunk, times as seconds."""
    if json:
        return [None if text is None else decode(text) for text in part.to_pylist()]
    if pa.types.is_timestamp(part.type):
        return [None if each is None else each // 1_000_000 for each in part.cast(pa.int64()).to_pylist()]
    return list(part.to_pylist())


# At the end -------------------------------------------------------------------------------------------------
PANDAS_3 = int(pd.__version__.partition(".")[0]) >= 3


@cache
def text_dtype() -> Any:
    """pandas' own string dtype with NaN for missing: `str` in pandas 3, its forerunner in 2.2."""
    return pd.StringDtype("pyarrow", na_value=np.nan) if PANDAS_3 else pd.StringDtype("pyarrow_numpy")


_TIME: Any = pd.DatetimeTZDtype("us", "UTC")
_INT: Any = pd.Int64Dtype()
_BOOL: Any = pd.BooleanDtype()


INTERVALS = pd.CategoricalDtype(["day", "week", "month", "year"], ordered=True)
"""The one list of choices whose order means something; all others are open lists, and text."""


def finish(kind: str, array: pa.Array) -> Any:
    """The pandas array of a column, from an array of its kind's Arrow type."""
    return _FINISH[kind](array)


class NullColumns:
    """Columns without any value, of one length. They share their memory: nothing is ever written into it."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._made: dict[str, Any] = {}

    def column(self, kind: str) -> Any:
        """The pandas array of such a column."""
        if self.count <= MAX_FEW:
            return _few(kind, self.count).copy()
        sort = (
            kind if kind in _OWN_NULLS else "text" if kind in _TEXTS else "cell" if kind not in ARROW else ""
        )
        if not sort:
            return finish(kind, pa.nulls(self.count, ARROW[kind], memory_pool=POOL))
        if sort not in self._made:
            self._made[sort] = self._null(sort)
        return self._made[sort].view() if sort in _OWN_NULLS else self._made[sort].copy()

    def _null(self, sort: str) -> Any:
        if sort == "cell":
            return NullCellArray(np.full(self.count, None, dtype=object))
        plain = finish(sort, pa.nulls(self.count, ARROW[sort], memory_pool=POOL))
        if sort == "text":
            return null_text(type(plain), plain._pa_array, plain.dtype)  # noqa: SLF001 - pandas gives it by no other name
        return _OWN_NULLS[sort](plain._data, plain._mask)  # noqa: SLF001 - the same


MAX_FEW = 64  # rows up to which columns without values aren't worth sharing
_TEXTS = frozenset(kind for kind, target in ARROW.items() if kind != "interval" and is_text(target))
_OWN_NULLS: Mapping[str, Any] = {"int": NullIntegerArray, "int?": NullIntegerArray, "bool": NullBooleanArray}


@lru_cache(1024)
def _few(kind: str, count: int) -> Any:
    if kind in ARROW:
        return finish(kind, pa.nulls(count, ARROW[kind]))
    return CellArray(np.full(count, None, dtype=object))


def _text(array: pa.Array) -> Any:
    return text_dtype().__from_arrow__(array)


def _integers(array: pa.Array) -> Any:
    return array.to_numpy(zero_copy_only=False) if not array.null_count else _INT.__from_arrow__(array)


def _nullable(array: pa.Array) -> Any:
    return _INT.__from_arrow__(array)


def _times(array: pa.Array) -> Any:
    return _TIME.__from_arrow__(array)


def _booleans(array: pa.Array) -> Any:
    return _BOOL.__from_arrow__(array)


def _numbers(array: pa.Array) -> Any:
    return array.to_numpy(zero_copy_only=False)


def _choice(array: pa.Array) -> Any:
    return _text(
        pc.cast(array, pa.large_string(), memory_pool=POOL) if pa.types.is_dictionary(array.type) else array
    )


def _interval(array: pa.Array) -> Any:
    met = array.dictionary.to_pylist()
    if not set(met) <= {*INTERVALS.categories, None}:
        return _choice(array)  # an interval that is new here has no place in the order
    table = np.array([*(INTERVALS.categories.get_loc(value) for value in met), -1], dtype="int8")
    codes = array.indices.fill_null(len(met)).to_numpy(zero_copy_only=False)
    return pd.Categorical.from_codes(table[codes], dtype=INTERVALS, validate=False)


_FINISH: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("text", "ref", "decimal", "secret"), _text),
    **dict.fromkeys(("currency", "enum"), _choice),
    "interval": _interval,
    "int": _integers,
    "int?": _nullable,
    "time": _times,
    "bool": _booleans,
    "number": _numbers,
}


def objects(values: Sequence[Any]) -> Any:
    """An object column of Python values that can't be changed; None where there is none."""
    return CellArray(np.fromiter(map(freeze, values), dtype=object, count=len(values)))


def decode_cell(text: str) -> Any:
    """JSON text as a cell: no plain dict outlives its unchangeable copy."""
    return freeze(msgspec.json.decode(text))


def _frozen(values: list[Any]) -> Any:
    """The same, of a list that is given up: each value goes as its unchangeable copy stands."""
    made = np.empty(len(values), dtype=object)
    for place, value in enumerate(values):
        values[place] = None
        made[place] = freeze(value)
    return CellArray(made)


def from_values(column: Column, values: list[Any], places: Any = None, *, learned: bool) -> Any:
    """The pandas array of a column from Python values: of its kind where they all suit it, else of what they
    are.

    With `places`, the rows have the values at these places. The list is given up.
    """
    kind = column.kind
    if learned or kind in _FINISH:
        kinds = set(map(type, values)) - {type(None)}
        if learned:
            kind = _kind_of(column, kinds)
        if kind in _FINISH and kinds <= set(PYTHON[kind]) and (array := fitting(kind, values)) is not None:
            return finish(kind, array if places is None else array.take(places))
    return _frozen(values) if places is None else _frozen(values)[places]


def _kind_of(column: Column, kinds: set[type]) -> str:
    """The kind of a column that the facts don't have, by the types of its values."""
    key = column.path[-1] if column.path else column.name
    if column.kind == "secret" and kinds <= {str}:
        return "secret"
    if not kinds:
        return kind_of_nulls(key)
    if len(kinds) > 1:
        return "number" if kinds == {int, float} else "any"
    return kind_by_name(key, next(iter(kinds)))


def flatten_objects(
    name: str,
    values: list[Any],
    kind: str,
    hint: Any = None,
    *,
    expanded: dict[str, str] | None = None,
    version: str = PINNED_VERSION,
) -> Iterator[tuple[str, str, list[Any]]]:
    """Columns for values that may hold objects: (name, kind or "" for what they are, values) each. Maps and
    plain lists stay whole.

    What an expanded object's own list has as columns, it has here: its fields' kinds are those of the object
    type that it names, and `expanded` gets which type that is.
    """
    if kind in {"map", "list"}:
        yield name, kind, values
        return
    dicts = [value for value in values if isinstance(value, dict)]
    if name.endswith("metadata") or not any(dicts):
        if isinstance(hint, dict) and all(value is None for value in values):
            yield from _nested(name, values, hint)
        else:
            yield name, kind, values
        return
    if all(value.get("object") == "list" for value in dicts) or kind == "sublist":
        yield name, "list", [value.get("data") if isinstance(value, dict) else value for value in values]
        yield (
            f"{name}_has_more",
            "bool",
            [value.get("has_more") if isinstance(value, dict) else None for value in values],
        )
        return
    types = object_types(dicts)
    hints = hint if isinstance(hint, dict) else _fields_of(types, version)
    if expanded is not None and len(types) == 1:
        expanded[name] = next(iter(types))
    # a part whose id is a field like any other
    own_id = isinstance(hint, dict) and "id" in hint and "@" not in hint
    if (not own_id and any("id" in value for value in dicts)) or len(dicts) < sum(
        value is not None for value in values
    ):
        yield name, "ref", [value.get("id") if isinstance(value, dict) else value for value in values]
    keys = dict.fromkeys(
        key
        for value in dicts
        for key in value
        if (own_id or key != "id") and not (key == "object" and isinstance(value[key], str))
    )
    if not types and len(keys) > MAX_SPREAD_KEYS:
        yield name, "map", values
        return
    for key in keys:
        inner = [value.get(key) if isinstance(value, dict) else None for value in values]
        known = hints.get(key)
        yield from flatten_objects(
            f"{name}_{key}", inner, kind_of_fact(key, known), known, expanded=expanded, version=version
        )


def _nested(name: str, values: list[Any], hint: Mapping[str, Any]) -> Iterator[tuple[str, str, list[Any]]]:
    """The columns of a known nested object that no row has."""
    for key, known in hint.items():
        if isinstance(known, dict):
            yield from _nested(f"{name}_{key}", values, known)
        elif key == "@":
            yield name, "ref", values
        else:
            yield f"{name}_{key}", kind_of_fact(key, known), values


def object_types(dicts: Sequence[Mapping[str, Any]]) -> set[str]:
    """The types of these objects."""
    return {value["object"] for value in dicts if isinstance(value.get("object"), str)}


def _fields_of(types: set[str], version: str) -> Mapping[str, Any]:
    """What the facts say of the fields of these types; of several, only where they agree."""
    trees: list[Mapping[str, Any]] = [facts(version).get(each, {}) for each in sorted(types)]
    if len(trees) == 1:
        return trees[0]
    known: dict[str, list[Any]] = {}
    for tree in trees:
        for key, kind in tree.items():
            known.setdefault(key, []).append(kind)
    return {key: kinds[0] for key, kinds in known.items() if all(each == kinds[0] for each in kinds)}
