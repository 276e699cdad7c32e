"""Pages in, a DataFrame (or Parquet parts) out: the one place where rows become columns, for one object and
for two years of payments.

Rows are decoded a page at a time into a small buffer and leave it as Arrow chunks; no list of objects is ever
held. What becomes of the chunks: `assemble.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Any

import msgspec
import pandas as pd
import pyarrow as pa

from stripe_magics.catalogue.versions import PINNED_VERSION
from stripe_magics.errors import StripeError
from stripe_magics.frames import arrow_columns as cols
from stripe_magics.frames.assemble import assemble, unknown
from stripe_magics.frames.column_names import resolve
from stripe_magics.frames.decoder import (
    Leaf,
    Node,
    Plan,
    object_type_of,
    plan_for,
    remember_plan,
    rows_of,
    tame,
)
from stripe_magics.frames.schema import Column, release, schema

CHUNK = 1000  # rows between two Arrow chunks: enough to be quick, few enough to be small
MERGED = 10  # chunks that become one


class Builder:
    """Collects the rows of pages. `add` pages, then take `frame()`; or take `tables()` now and then and write
    them."""

    def __init__(
        self,
        object_type: str,
        *,
        columns: Sequence[str] = (),
        expanded: Sequence[Column] = (),
        version: str = "",
        chunk: int = CHUNK,
    ) -> None:
        """`columns`: these alone. `expanded`: those of them that expanded objects have, in case that no row
        has such an object."""
        self.version = release(version or PINNED_VERSION)
        self.object_type = "" if object_type == "any" else object_type
        self.requested = tuple(dict.fromkeys(resolve(self.object_type, each) for each in columns))
        self.expanded = tuple(expanded)
        self.rows = 0  # all so far
        self._chunk = chunk
        self._plan: Plan | None = None
        self._objects: list[Any] = []  # decoded, not yet in columns
        self._tables: list[pa.Table] = []

    def add(self, page: bytes) -> int:
        """Add the rows of a raw page; the number of rows added."""
        objects = self._plan.page(page) if self._plan is not None else None
        if objects is None:
            objects = self._decoded(page)
        if not objects or self._plan is None:
            return 0
        if self.requested and not self.rows:
            self._check_named_columns()
        self._objects += objects
        self.rows += len(objects)
        if len(self._objects) >= self._chunk:
            self._flush()
        return len(objects)

    def _decoded(self, page: bytes) -> list[Any]:
        """The objects of any page; the plan is made, or learns, where they don't fit it."""
        try:
            raws = rows_of(page)
        except msgspec.DecodeError as problem:
            raise StripeError(
                "Stripe's answer can't be read: it is not valid JSON.", facts=[str(problem)]
            ) from None
        if not raws:
            return []
        if self._plan is None:
            self.object_type = self.object_type or object_type_of([page])
            self.requested = tuple(dict.fromkeys(resolve(self.object_type, each) for each in self.requested))
            self._plan = self._first_plan()
        try:
            return self._plan.rows(raws)
        except msgspec.ValidationError:
            self._flush()
            return self._learned(raws)

    def _learned(self, raws: list[msgspec.Raw]) -> list[Any]:
        """The objects by a plan that learned from them. Raises StripeError, with their ids, for what is no
        object of any kind."""
        assert self._plan is not None
        raws = tame(raws)
        try:
            self._plan = self._plan.learn(raws)
            remember_plan(self._plan)
            return self._plan.rows(raws)
        except (msgspec.MsgspecError, ValueError) as problem:
            ids = [str(each["id"]) for each in map(msgspec.json.decode, raws) if each.get("id")]
            raise StripeError(
                "Stripe answered, but the answer can't be shown as a frame; raw=True (--raw) returns it as"
                " it is.",
                facts=[f"The answer holds: {', '.join(ids[:20])}"] if ids else [str(problem)],
            ) from None

    def _first_plan(self) -> Plan:
        plan = plan_for(self.object_type, self.version)
        return (plan.only(self.requested) if self.requested else None) or plan

    def _check_named_columns(self) -> None:
        """A column that neither the facts nor the first page know is refused at once, not after the last
        page."""
        assert self._plan is not None
        known = [
            *schema(self.object_type, self.version).names,
            *(leaf.column.name for leaf in self._plan.leaves),
            *(each.name for each in self.expanded),
        ]
        opened = (
            *(leaf.column.name + "_" for leaf in self._plan.leaves if leaf.raw or leaf.column.kind == "ref"),
            *("_".join(node.path) + "_" for node in self._plan.root.learned_nodes()),
        )
        for name in self.requested:
            base = name.partition("[")[0]
            if (
                base not in known
                and not base.startswith(opened)
                and not any(each.startswith(base + "_") for each in known)
            ):
                raise unknown(name, known)

    def _flush(self) -> None:
        if not self._objects or self._plan is None:
            return
        objects, self._objects = self._objects, []
        fields, arrays = [], []
        for leaf, values in _columns(self._plan.root, objects):
            made = _chunk(leaf, values, self.object_type)
            if made is not None:
                fields.append(made[0])
                arrays.append(made[1])
        self._tables.append(pa.Table.from_arrays(arrays, schema=pa.schema(fields)))
        self._merge()

    def _merge(self) -> None:
        """Join the last small chunks: many small arrays that go at different times leave holes in which
        nothing of the frame fits."""
        last = self._tables[-MERGED:]
        if len(last) < MERGED or any(each.num_rows >= 2 * self._chunk for each in last):
            return
        if len({tuple(each.schema.types) for each in last}) > 1:  # JSON texts that stand once, or each
            last = [cols.with_plain_json(each) for each in last]
        if all(each.schema.equals(last[0].schema, check_metadata=True) for each in last):
            self._tables[-MERGED:] = [pa.concat_tables(last).combine_chunks(memory_pool=cols.POOL)]

    def tables(self) -> list[pa.Table]:
        """The chunks so far, handed over: they are no longer the builder's."""
        return [cols.with_plain_json(table) for table in self._taken()]

    def _taken(self) -> list[pa.Table]:
        self._flush()
        tables, self._tables = self._tables, []
        return tables

    def frame(self, *, newest_first: bool = False, limit: int | None = None) -> pd.DataFrame:
        """The DataFrame of all rows added."""
        return assemble(
            self._taken(),
            self.object_type,
            columns=self.requested,
            further=self.expanded,
            newest_first=newest_first,
            limit=limit,
            version=self.version,
        )


def _columns(node: Node, objects: list[Any]) -> Iterator[tuple[Leaf, list[Any]]]:
    """Each leaf with its values; none of a nested object that no row has."""
    for leaf in node.leaves.values():
        yield leaf, list(map(attrgetter(leaf.attr), objects))
    for key, child in node.nodes.items():
        inner = list(map(attrgetter(node.attrs[key]), objects))
        if any(inner):
            empty = child.empty
            yield from _columns(child, [each or empty for each in inner])
            if child.start and (blank := _without_values(child, inner)):
                yield (
                    _empty_object(child),
                    [msgspec.Raw(b"{}") if place in blank else None for place in range(len(inner))],
                )


def _without_values(node: Node, objects: list[Any]) -> set[int]:
    """The rows in which an unknown object was there, and none of its fields' columns shows it."""
    places = [place for place, each in enumerate(objects) if each]
    for attr in (*(leaf.attr for leaf in node.leaves.values()), *node.attrs.values()):
        if not places:
            break
        read = attrgetter(attr)
        places = [
            place for place in places if (value := read(objects[place])) is None or value is msgspec.UNSET
        ]
    return set(places)


def _empty_object(node: Node) -> Leaf:
    """The column that says in which rows an unknown object was there without values."""
    start = node.start if len(node.path) > node.start else 0
    return Leaf(Column("_".join(node.path), node.path, "any"), learned=True, raw=True, start=start)


def _chunk(leaf: Leaf, values: list[Any], object_type: str) -> tuple[pa.Field, pa.Array] | None:
    """One column's chunk; None if no row of it has a value (a fixed column is there without one, a learned
    one isn't)."""
    name = leaf.column.name
    if not leaf.learned:
        if values[0] is None and values.count(None) == len(values):
            return None
        return _array(leaf, values, object_type)
    absent = values.count(msgspec.UNSET)
    if absent == len(values):
        return None
    if absent:
        values = [None if value is msgspec.UNSET else value for value in values]
    made = None if leaf.column.kind == "null" else _array(leaf, values, object_type)
    field, array = made or (pa.field(name, pa.null()), pa.nulls(len(values)))
    return cols.with_path(field, path) if (path := leaf.unknown_path) else field, array


def _array(leaf: Leaf, values: list[Any], object_type: str) -> tuple[pa.Field, pa.Array] | None:
    """The values as their kind's type, or as JSON text where they don't suit it; None if that has no
    value."""
    name = leaf.column.name
    if not leaf.raw:
        typed = cols.fitting(leaf.column.kind, values)
        if typed is not None:
            if leaf.learned and leaf.column.kind == "text":
                typed = cols.hide_secrets(typed)
            return pa.field(name, typed.type), typed
        values = [None if value is None else msgspec.Raw(msgspec.json.encode(value)) for value in values]
    elif (typed := _as_usual(leaf, values)) is not None:
        return pa.field(name, typed.type), typed
    array = cols.arrow_json(values, object_type)
    return None if array.null_count == len(values) else (cols.json_field(name, array.type), array)


def _as_usual(leaf: Leaf, values: list[Any]) -> pa.Array | None:
    """The typed array of a field that came in another shape once (an object in place of its id), if here it
    has none but the usual one."""
    kind = leaf.column.kind
    first = next((value for value in values if value is not None and bytes(value) != b"null"), None)
    if kind not in cols.ARROW or first is None or bytes(memoryview(first)[:1]) == b"{":
        return None
    plain = [None if value is None else msgspec.json.decode(value) for value in values]
    suits = {type(value) for value in plain} <= {type(None), *cols.PYTHON[kind]}
    return cols.fitting(kind, plain) if suits else None
