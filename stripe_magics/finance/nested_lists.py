"""Lists inside of objects (lines of invoices, taxes of documents) as flat columns: typed by Arrow, all cells
at once.

- A cell is a list of objects, a list object with its `data`, or JSON text of either (a Parquet file, a row of
  a query). `SHAPES` says which facts of them reports need; everything else is passed over. Text is parsed and
  lists are read by Arrow, not by a loop.
- Where an expanded object stands in place of an id (a price, a discount, a tax rate), or an id in place of an
  object, the cells are first brought into one shape; the expanded objects are handed out beside the column.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from stripe_magics.errors import MissingData
from stripe_magics.finance.aggregation import lists
from stripe_magics.finance.reporting_period import Ints

_TEXT, _WHOLE, _REAL, _FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()


def _object(**fields: pa.DataType) -> pa.DataType:
    return pa.struct(list(fields.items()))


def _list(**fields: pa.DataType) -> pa.DataType:
    return pa.list_(_object(**fields))


_RECURRING = _object(interval=_TEXT, interval_count=_WHOLE, usage_type=_TEXT, meter=_TEXT)
_PRICE = _object(
    id=_TEXT, type=_TEXT, unit_amount=_REAL, unit_amount_decimal=_TEXT, interval=_TEXT, interval_count=_WHOLE,
    usage_type=_TEXT, meter=_TEXT, recurring=_RECURRING,
)  # fmt: skip
_PARENT = _object(subscription=_TEXT, subscription_item=_TEXT, proration=_FLAG)
_TAX = _list(amount=_WHOLE, inclusive=_FLAG, tax_behavior=_TEXT)
_LINE_AMOUNTS = _list(
    id=_TEXT, amount=_WHOLE, period=_object(start=_WHOLE, end=_WHOLE),
    discount_amounts=_list(amount=_WHOLE, discount=_TEXT),
    tax_amounts=_TAX, taxes=_TAX,
)  # fmt: skip
_LINE = _list(
    id=_TEXT, amount=_WHOLE, type=_TEXT, proration=_FLAG, quantity=_REAL, subscription=_TEXT,
    subscription_item=_TEXT, period=_object(start=_WHOLE, end=_WHOLE), price=_PRICE, plan=_PRICE,
    discount_amounts=_list(amount=_WHOLE, discount=_TEXT), tax_amounts=_TAX, taxes=_TAX,
    parent=_object(subscription_item_details=_PARENT, invoice_item_details=_PARENT),
    pricing=_object(unit_amount_decimal=_TEXT, price_details=_object(price=_TEXT)),
)  # fmt: skip
_TAX_ENTRY = _list(
    amount=_WHOLE, inclusive=_FLAG, tax_behavior=_TEXT, taxability_reason=_TEXT, taxable_amount=_WHOLE,
    tax_rate=_TEXT,
    tax_rate_details=_object(tax_rate=_TEXT),
)  # fmt: skip

SHAPES: Mapping[str, pa.DataType] = {
    **dict.fromkeys(("lines", "lines_data"), _LINE),
    "line_amounts": _LINE_AMOUNTS,
    **dict.fromkeys(("total_taxes", "total_tax_amounts", "tax_amounts"), _TAX_ENTRY),
    "customer_tax_ids": _list(type=_TEXT, value=_TEXT),
}
"""What reports need of the cells of a column. A name may hold an object or its id: `_ONE_SHAPE` brings them
together."""

_NAMES = {"lines_data": "lines", "line_amounts": "lines"}  # what a shape's column is called where it is shown
# ids, expanded or not
_ID_OF = frozenset({"discount", "tax_rate", "subscription", "subscription_item", "meter"})
_OBJECTS = frozenset({"price", "plan"})  # objects, or only their ids; inside of pricing details an id
_WHOLE_NUMBERS = frozenset({"amount", "taxable_amount", "interval_count", "start", "end"})
_DECIMALS = frozenset({"unit_amount_decimal"})
_BLOCK = 1 << 20
_ROWS = 50_000  # of text that are parsed together
_SAMPLE = 1 << 16


@dataclass(slots=True)
class NestedLists:
    """The cells' elements, one after another: `row` is the cell that each is of; `expanded` the objects that
    stood in place of ids."""

    row: Ints
    values: pa.StructArray
    expanded: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.values)

    def has(self, name: str) -> bool:
        """Whether the elements' shape has a fact."""
        return bool(self.values.type.get_field_index(name) >= 0)

    def get(self, *path: str) -> pa.Array:
        """A fact of each element, by its path; missing where there is none."""
        found = self.values
        for name in path:
            found = pc.struct_field(found, name)
        return found

    def text(self, *path: str) -> pa.Array:
        """A text of each element, empty where there is none."""
        return self.get(*path).fill_null("")

    def ints(self, *path: str, missing: int = 0) -> Ints:
        """A whole number of each element."""
        made: Ints = self.get(*path).fill_null(missing).to_numpy(zero_copy_only=False)
        return made

    def flags(self, *path: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """True or false of each element; false where there is none."""
        made: np.ndarray[tuple[int], np.dtype[np.bool_]] = (
            self.get(*path).fill_null(fill_value=False).to_numpy(zero_copy_only=False)
        )
        return made

    def where(self, kept: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> NestedLists:
        """Some of the elements."""
        return NestedLists(self.row[kept], self.values.filter(pa.array(kept)), self.expanded)

    def inner(self, name: str) -> NestedLists:
        """The elements of a list in each element; their rows are the places of the outer ones."""
        return flat(self.get(name), self.expanded)


def as_text(values: pa.Array) -> Any:
    """Arrow text as pandas' text, without a copy a cell."""
    return pd.array(values.cast(pa.large_string()), dtype="str")


def nested_lists(values: pd.Series, column: str) -> NestedLists:
    """The elements of a list column, typed. `column` is its name in `SHAPES`, by which an error names it,
    too."""
    array, expanded = typed_column(values, column)
    return flat(array, expanded)


def typed_column(values: pd.Series | pa.Array, column: str) -> tuple[pa.ListArray, dict[str, dict[str, Any]]]:
    """A list column in its shape of `SHAPES`, and the objects that stood in place of ids."""
    shape = SHAPES[column]
    arrow = values if isinstance(values, pa.Array) else _arrow_of(values)
    if arrow is not None and arrow.type == shape:
        return arrow, {}
    cells: Sequence[Any]
    try:
        if arrow is not None and _is_text(arrow.type):
            return _parsed(arrow, shape), {}
        cells = arrow.to_pylist() if arrow is not None else values.tolist()
        return pa.array(cells, shape), {}
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        cells = arrow.to_pylist() if arrow is not None else values.tolist()
    found: dict[str, dict[str, Any]] = {}
    rows = lists(pd.Series(cells, dtype=object), column=_NAMES.get(column, column))
    try:
        plain = [[_in_one_shape(each, found) for each in cell] for cell in rows]
        return pa.array(plain, shape), found
    except (pa.ArrowInvalid, pa.ArrowTypeError, ValueError, TypeError) as problem:
        raise MissingData(
            f"The column {column} holds something else than Stripe's lists: {str(problem).splitlines()[0]}",
            advice="Fetch the list again.",
        ) from None


def _arrow_of(values: pd.Series) -> pa.Array | None:
    """The Arrow array under a column, if there is one."""
    if not hasattr(values.array, "__arrow_array__") or pd.api.types.is_object_dtype(values.dtype):
        return None
    array = pa.array(values.array)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _parsed(texts: pa.Array, shape: pa.DataType) -> pa.ListArray:
    """JSON text in its shape."""
    parts = [_parsed_part(texts.slice(at, _ROWS), shape) for at in range(0, len(texts), _ROWS)]
    return pa.concat_arrays(parts) if parts else pa.array([], shape)


def _parsed_part(texts: pa.Array, shape: pa.DataType) -> pa.ListArray:
    """Objects that don't occur in the beginning are only looked for: one API version has some, another one
    others. If one comes after all, the text is parsed again with all of its facts."""
    head, tail, between = (pa.scalar(each, texts.type) for each in ('{"v":', "}\n", ""))
    lines = pc.binary_join_element_wise(head, texts.fill_null("[]"), tail, between)
    content = lines.buffers()[2]  # one line after another
    within = _line_ends(content) > len(texts)
    sample = content[:_SAMPLE].to_pybytes()
    outlined = {each.name for each in shape.value_type if b'"%b"' % each.name.encode() not in sample}
    while True:
        fields = [_outline(each) if each.name in outlined else each for each in shape.value_type]
        table = pj.read_json(
            pa.BufferReader(content),
            read_options=pj.ReadOptions(block_size=max(_BLOCK, len(content) // 4)),
            parse_options=pj.ParseOptions(
                explicit_schema=pa.schema([("v", pa.list_(pa.struct(fields)))]),
                unexpected_field_behavior="ignore",
                newlines_in_values=within,
            ),
        )
        array = pa.concat_arrays(table.column("v").chunks)
        found = {name for name in outlined if _occurs(array, name)}
        if not found:
            return _widened(array, shape)
        outlined -= found


def _line_ends(content: pa.Buffer) -> int:
    """How often a line ends, counted where the text is, block by block."""
    octets = np.frombuffer(content, dtype=np.uint8)
    blocks = (octets[at : at + _BLOCK] for at in range(0, len(octets), _BLOCK))
    return sum(int(np.count_nonzero(each == ord("\n"))) for each in blocks)


def _outline(fact: pa.Field) -> pa.Field:
    """An object or a list of objects without what is in it: whether there is one is all that is read."""
    if pa.types.is_struct(fact.type):
        return pa.field(fact.name, pa.struct([]))
    if pa.types.is_list(fact.type):
        return pa.field(fact.name, pa.list_(pa.struct([])))
    return fact


def _occurs(array: pa.Array, name: str) -> bool:
    """Whether some element of a list column has an object, or a list with something in it, of that name."""
    if pa.types.is_null(array.type):
        return False
    values = array.values.field(name)
    kind = values.type
    if pa.types.is_list(kind):
        return len(values.values) > 0
    return bool(pa.types.is_struct(kind) and values.null_count < len(values))


def _widened(array: pa.Array, shape: pa.DataType) -> pa.Array:
    """An array with all the facts of a shape: those that it lacks are missing in every element."""
    if array.type == shape:
        return array
    if pa.types.is_null(array.type):
        return pa.nulls(len(array), shape)
    if pa.types.is_list(shape):
        values = _widened(array.values, shape.value_type)
        return pa.ListArray.from_arrays(array.offsets, values, mask=_missing(array))
    if pa.types.is_struct(shape):
        names = {each.name for each in array.type}
        parts = [
            (
                _widened(array.field(each.name), each.type)
                if each.name in names
                else pa.nulls(len(array), each.type)
            )
            for each in shape
        ]
        return pa.StructArray.from_arrays(parts, fields=list(shape), mask=_missing(array))
    return array.cast(shape)


def _missing(array: pa.Array) -> pa.Array | None:
    return array.is_null() if array.null_count else None


def flat(array: pa.ListArray, expanded: dict[str, dict[str, Any]]) -> NestedLists:
    """The elements of a typed list column."""
    row = pc.list_parent_indices(array).to_numpy(zero_copy_only=False).astype(np.int64)
    return NestedLists(row, pc.list_flatten(array), expanded)


def _in_one_shape(value: object, found: dict[str, dict[str, Any]]) -> Any:
    """An element in which ids stand for ids and objects for objects; the objects that stood for ids go into
    `found`."""
    if isinstance(value, list | tuple | np.ndarray):
        return [_in_one_shape(each, found) for each in value]
    if not isinstance(value, Mapping):
        return value
    out: dict[str, Any] = {}
    for name, inner in value.items():
        if name in _ID_OF and isinstance(inner, Mapping):
            out[name] = str(inner.get("id") or "")
            found[out[name]] = dict(inner)
        elif (
            name == "price_details" and isinstance(inner, Mapping) and isinstance(inner.get("price"), Mapping)
        ):
            found[str(inner["price"].get("id") or "")] = dict(inner["price"])
            out[name] = {"price": inner["price"].get("id")}
        elif name in _OBJECTS and isinstance(inner, str):
            out[name] = {"id": inner}
        elif name in _WHOLE_NUMBERS and inner is not None:
            out[name] = int(inner)
        elif name in _DECIMALS and inner is not None:
            out[name] = str(inner)
        else:
            out[name] = _in_one_shape(inner, found)
    return out
