"""Pages in, a DataFrame (or Parquet parts) out: the one place where rows become columns, for one object and for two years of payments.

Rows are decoded a page at a time into a small buffer and leave it as Arrow chunks; no list of objects is ever held. `frame` joins the
chunks column by column and lets each go as soon as its pandas column stands.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa

from stripe_magics.errors import StripeError, UnknownName
from stripe_magics.frames import columns as cols
from stripe_magics.frames.decode import Leaf, Node, Plan, learned, object_type_of, plan_for, rows_of
from stripe_magics.frames.schema import Column, schema

CHUNK = 2000  # rows between two Arrow chunks: enough to be quick, few enough to be small


class Builder:
    """Collects the rows of pages. `add` pages, then take `frame()`; or take `tables()` now and then and write them."""

    def __init__(self, object_type: str, *, columns: Sequence[str] = (), chunk: int = CHUNK) -> None:
        self.object_type = "" if object_type == "any" else object_type
        self.wanted = tuple(columns)
        self.rows = 0  # all so far
        self._chunk = chunk
        self._plan: Plan | None = None
        self._buffer: list[list[Any]] = []
        self._tables: list[pa.Table] = []

    def add(self, page: bytes, keep: Sequence[int] | None = None) -> int:
        """Add the rows of a raw page (those at the places in `keep` only); the number of rows added."""
        objects = self._plan.page(page) if self._plan is not None and keep is None else None
        if objects is None:
            objects = self._decoded(page, keep)
        if not objects or self._plan is None:
            return 0
        if not self._buffer:
            self._buffer = [[] for _ in self._plan.leaves]
        _collect(self._plan.root, objects, iter(self._buffer))
        self.rows += len(objects)
        if len(self._buffer[0]) >= self._chunk:
            self._flush()
        return len(objects)

    def _decoded(self, page: bytes, keep: Sequence[int] | None) -> list[Any]:
        """The objects of any page; the plan is made, or learns, where they don't fit it."""
        try:
            raws = rows_of(page)
        except msgspec.DecodeError as problem:
            raise StripeError("Stripe's answer can't be read: it is no JSON.", facts=[str(problem)]) from None
        if keep is not None:
            raws = [raws[place] for place in keep]
        if not raws:
            return []
        if self._plan is None:
            self.object_type = self.object_type or object_type_of([page])
            self._plan = self._first_plan()
        try:
            return self._plan.rows(raws)
        except msgspec.ValidationError:
            self._flush()
            self._plan = self._plan.learn(raws)
            learned(self._plan)
            return self._plan.rows(raws)

    def _first_plan(self) -> Plan:
        plan = plan_for(self.object_type)
        return (plan.only(self.wanted) if self.wanted else None) or plan

    def _flush(self) -> None:
        if not self._buffer or not self._buffer[0] or self._plan is None:
            return
        fields, arrays = [], []
        for leaf, values in zip(self._plan.leaves, self._buffer, strict=True):
            made = _chunk(leaf, values, self.object_type)
            if made is not None:
                fields.append(made[0])
                arrays.append(made[1])
        self._tables.append(pa.Table.from_arrays(arrays, schema=pa.schema(fields)))
        self._buffer = []

    def tables(self) -> list[pa.Table]:
        """The chunks so far, handed over: they are no longer the builder's."""
        self._flush()
        tables, self._tables = self._tables, []
        return tables

    def frame(self, *, newest_first: bool = False, limit: int | None = None) -> pd.DataFrame:
        """The DataFrame of all rows added."""
        tables = self.tables()
        return assemble(tables, self.object_type, columns=self.wanted, newest_first=newest_first, limit=limit)


def _collect(node: Node, objects: list[Any], out: Any) -> None:
    """Append each leaf's values to its buffer, in the plan's order of leaves."""
    for leaf in node.leaves.values():
        next(out).extend(map(attrgetter(leaf.attr), objects))
    for key, child in node.nodes.items():
        inner = list(map(attrgetter(node.attrs[key]), objects))
        if any(inner):
            empty = child.empty
            _collect(child, [each or empty for each in inner], out)
        else:
            for leaf in child.all_leaves():
                next(out).extend([msgspec.UNSET if leaf.learned else None] * len(objects))


def _chunk(leaf: Leaf, values: list[Any], object_type: str) -> tuple[pa.Field, pa.Array] | None:
    """One column's chunk; None if no row of it has a value (a fixed column is there without one, a learned one isn't)."""
    name = leaf.column.name
    if leaf.learned:
        if values[0] is msgspec.UNSET and values.count(msgspec.UNSET) == len(values):
            return None
        values = [None if value is msgspec.UNSET else value for value in values]
    elif values[0] is None and values.count(None) == len(values):
        return None
    if not leaf.raw:
        array = cols.arrow(leaf.column.kind, values)
        return pa.field(name, array.type), array
    array = cols.arrow_json(values, object_type)
    if array.null_count == len(values):
        return (pa.field(name, pa.null()), pa.nulls(len(values))) if leaf.learned else None
    return cols.json_field(name), array


def assemble(
    tables: Sequence[pa.Table],
    object_type: str,
    *,
    columns: Sequence[str] = (),
    newest_first: bool = False,
    limit: int | None = None,
) -> pd.DataFrame:
    """Chunks -> DataFrame: the fixed columns of the object type first, then what else was sent, by name."""
    tables = [table for table in tables if table.num_rows]
    count = sum(table.num_rows for table in tables)
    fixed = {each.name: each for each in schema(object_type).columns}
    order = _newest_first(tables) if newest_first else None
    if limit is not None and count > limit:
        order = (order if order is not None else np.arange(count))[:limit]
        count = limit
    made: dict[str, Any] = {}
    loose: dict[str, list[Any]] = {}
    kinds: dict[str, str] = {}
    names = dict.fromkeys(name for table in tables for name in table.column_names)
    for name in names:
        parts = _parts(tables, name)
        column = fixed.get(name)
        target = cols.ARROW.get(column.kind) if column else None
        if target is not None and pa.types.is_dictionary(target):
            parts = [
                (part.cast(pa.string()).dictionary_encode() if pa.types.is_large_string(part.type) else part, json)
                for part, json in parts
            ]
        if target is not None and all(part.type == target or pa.types.is_null(part.type) for part, _ in parts):
            joined = _join([part for part, _ in parts], target)
            made[name] = cols.finish(column.kind, joined if order is None else joined.take(order), column.choices)  # type: ignore[union-attr]
            continue
        values = [value for part, json in parts for value in _values(part, json)]
        values = values if order is None else [values[place] for place in order]
        for leaf, kind, inner in cols.spread(name, values, column.kind if column else ""):
            loose[leaf] = (
                inner if leaf not in loose else [new if old is None else old for old, new in zip(loose[leaf], inner, strict=True)]
            )
            kinds[leaf] = kind
    for name, values in loose.items():
        if name in made and all(value is None for value in values):
            continue
        column = fixed.get(name)
        made[name] = cols.from_values(column or _column(name, kinds[name]), values, learned=column is None and not kinds[name])
    shown = _shown(made, fixed, columns, empty=not count)
    data = {name: made[name] if name in made else cols.nulls(fixed[name].kind, count, fixed[name].choices) for name in shown}
    return _with_metadata(pd.DataFrame(data, index=pd.RangeIndex(count), copy=False), columns)


def _column(name: str, kind: str) -> Column:
    key = name
    for word in ("_at", "_date", "currency"):  # the key that a joined name ends in matters for its kind only by these
        if name.endswith(word):
            key = name[-len(word) - 1 :] if word != "currency" else word
    if kind.startswith("enum:"):
        return Column(name, (key,), "enum", tuple(each for each in kind[5:].split("\0") if each))
    return Column(name, (name.rpartition("_")[2] if name.endswith(("_created", "_amount")) else key,), kind or "any")


def _parts(tables: Sequence[pa.Table], name: str) -> list[tuple[pa.Array, bool]]:
    out: list[tuple[pa.Array, bool]] = []
    for table in tables:
        place = table.schema.get_field_index(name)
        if place < 0:
            out.append((pa.nulls(table.num_rows), False))
        else:
            json = cols.is_json(table.schema.field(place))
            out.extend((_told(chunk, json), json) for chunk in table.column(place).chunks)
    return out


def _told(chunk: pa.Array, json: bool) -> pa.Array:
    """A Parquet file's text in the type that frames have."""
    return chunk.cast(pa.large_string()) if not json and pa.types.is_string(chunk.type) else chunk


def _join(parts: list[pa.Array], target: pa.DataType) -> pa.Array:
    if all(pa.types.is_null(part.type) for part in parts):
        return pa.nulls(sum(map(len, parts)), target)
    typed = [pa.nulls(len(part), target) if pa.types.is_null(part.type) else part for part in parts]
    if len(typed) == 1:
        return typed[0]
    if pa.types.is_dictionary(target):
        return pa.chunked_array(typed).unify_dictionaries().combine_chunks()
    return pa.concat_arrays(typed)


def _values(part: pa.Array, json: bool) -> list[Any]:
    if json:
        return _decoded(part)
    if pa.types.is_timestamp(part.type):
        return [None if each is None else each // 1_000_000 for each in part.cast(pa.int64()).to_pylist()]
    return list(part.to_pylist())


def _decoded(part: pa.Array) -> list[Any]:
    """JSON texts as Python values. Texts that come again and again become one value, which their cells share."""
    decode = msgspec.json.decode
    coded = part.dictionary_encode()
    collecting = gc.isenabled()
    gc.disable()  # thousands of new dicts would have it walk through all of them again and again
    try:
        if len(coded.dictionary) > len(part) // 2:
            return [None if text is None else decode(text) for text in part.to_pylist()]
        values = [decode(text) for text in coded.dictionary.to_pylist()]
        return [None if place is None else values[place] for place in coded.indices.to_pylist()]
    finally:
        if collecting:
            gc.enable()


def _newest_first(tables: Sequence[pa.Table]) -> Any:
    """The order of rows by `created`, newest first, equal seconds as they came; None if they stand so already."""
    ticks = [
        part.cast(pa.int64()).to_numpy(zero_copy_only=False)
        for part, _ in _parts(tables, "created")
        if not pa.types.is_null(part.type)
    ]
    stamps = np.concatenate(ticks) if ticks else np.array([], dtype="int64")
    if len(stamps) != sum(table.num_rows for table in tables) or not (np.diff(stamps) > 0).any():
        return None
    return np.argsort(-stamps, kind="stable")


def _shown(made: Mapping[str, Any], fixed: Mapping[str, Column], wanted: Sequence[str], *, empty: bool) -> list[str]:
    every = [*fixed, *sorted(name for name in made if name not in fixed)]
    if not wanted:
        return every
    chosen: dict[str, None] = dict.fromkeys(("id",)) if "id" in every else {}
    for name in wanted:
        base = name.partition("[")[0]
        found = [base] if base in every else [each for each in every if each.startswith(base + "_")]
        if not found and not empty:
            from difflib import get_close_matches

            raise UnknownName("column", name, get_close_matches(name, every, 3))
        chosen.update(dict.fromkeys(found))
    return list(chosen)


def _with_metadata(frame: pd.DataFrame, wanted: Sequence[str]) -> pd.DataFrame:
    """Add the single keys that were asked for as `metadata[order_id]`, in place of the whole where only keys were asked for."""
    keyed = [name for name in wanted if name.endswith("]") and "[" in name]
    for name in keyed:
        base, _, key = name[:-1].partition("[")
        values = [value.get(key) if isinstance(value, dict) else None for value in frame[base]]
        frame[name] = cols.from_values(Column(name, (key,), "text"), values, learned=False)
    return (
        frame.drop(columns=[base for base in {name.partition("[")[0] for name in keyed} if base not in wanted])
        if keyed
        else frame
    )


def build_frame(pages: Iterable[bytes], object_type: str, **options: Any) -> pd.DataFrame:
    """See `stripe_magics.frames.build`."""
    builder = Builder(object_type, columns=options.pop("columns", ()))
    for page in pages:
        builder.add(page)
    return builder.frame(**options)
