"""Objects of a type in a compact form, made into rows and texts when they are asked for.

Objects of one type are much alike. They are kept in groups of the same structure: a template (the JSON of
all of them, with a gap for each value that differs), and columns of numbers that say which value fills which
gap. The values are JSON texts, each kept once. Forty thousand objects of 70 MB of text are 12 MB like this.

- `PackedTable` makes the rows of its type, without their texts, when somebody first looks at them.
- `PackedRow` makes its text when it is read. The latest texts are kept, for what is read again; an object
  that was changed keeps the new one like any other row.

What writes this form is `tests/generators/demo_account.py`.
"""

from __future__ import annotations

import sys
from array import array
from collections import deque
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Any

import msgspec

from stripe_magics.sandbox.core.object_table import Row, Table
from stripe_magics.sandbox.core.store import decode, encode

KEPT_TEXTS = 500
"""How many unpacked texts of a type are kept."""
_SIZE = array("i").itemsize


class Group(msgspec.Struct, array_like=True):
    """Objects of the same structure. `template` is their JSON, `%b` where a value differs; `gaps` says which
    column fills each; `columns` are packed numbers of values, one an object; `fields` are the columns of the
    id and the filter values, by name."""

    template: bytes
    gaps: list[int]
    columns: list[bytes]
    fields: dict[str, int]


class PackedObjects(msgspec.Struct, array_like=True):
    """All objects of a type. `values` are JSON texts, one a line; the rest are packed numbers, one an object,
    oldest first: in which group it is (there it is the next), its order of arrival and its moment."""

    values: bytes
    groups: list[Group]
    group_of: bytes
    seqs: bytes
    moments: bytes


def pack_numbers(numbers: list[int]) -> bytes:
    """Whole numbers from 0 to 2**31 as what compresses well: differences, all first bytes before all second
    ones."""
    steps = array("i", (each - before for before, each in zip([0, *numbers], numbers, strict=False)))
    if sys.byteorder == "big":
        steps.byteswap()
    content = steps.tobytes()
    return b"".join(content[place::_SIZE] for place in range(_SIZE))


def unpack_numbers(content: bytes) -> array[int]:
    """The numbers that `pack_numbers` was given."""
    count = len(content) // _SIZE
    buffer = bytearray(len(content))
    for place in range(_SIZE):
        buffer[place::_SIZE] = content[place * count : (place + 1) * count]
    steps = array("i")
    steps.frombytes(bytes(buffer))
    if sys.byteorder == "big":
        steps.byteswap()
    return array("i", accumulate(steps))


class PackedRow(Row, gc=True, eq=False):
    """An object whose text is made when it is read. `group` and `place` are where it is found; `changed` once
    somebody saved another state of it. (Its source remembers it: a circle for the garbage collector.)"""

    source: _Source
    group: _LoadedGroup
    place: int
    changed: bool

    @property
    def text(self) -> bytes:
        """The object as JSON."""
        if self.json is None:
            if self.data is not None:
                self.changed = True
                self.json = encode(self.data)
            else:
                self.json = self.source.unpack(self)
        return self.json


class _LoadedGroup:
    """A group, ready to be read."""

    __slots__ = ("columns", "fields", "gaps", "template")

    def __init__(self, group: Group) -> None:
        self.template, self.fields = group.template, group.fields
        self.columns = [unpack_numbers(each) for each in group.columns]
        self.gaps = [self.columns[each] for each in group.gaps]


class _Source:
    """What the rows of a type are made from."""

    def __init__(self, packed: PackedObjects) -> None:
        self.values = packed.values.split(b"\n")
        self.groups = [_LoadedGroup(each) for each in packed.groups]
        self.recent: deque[PackedRow] = deque()

    def unpack(self, row: PackedRow) -> bytes:
        """The text of a row; that of one read long ago is let go."""
        self.recent.append(row)
        if len(self.recent) > KEPT_TEXTS:
            oldest = self.recent.popleft()
            if oldest.data is None and not oldest.changed:
                oldest.json = None
        values, place = self.values, row.place
        return row.group.template % tuple([values[column[place]] for column in row.group.gaps])

    def heads(self, group: _LoadedGroup, names: tuple[str, ...]) -> Iterator[tuple[int, tuple[Any, ...]]]:
        """Of each object of a group its place, its id and its filter values."""
        found = []
        for name in ("id", *names):
            numbers = group.columns[group.fields[name]]
            known = {each: decode(self.values[each]) for each in set(numbers)}
            found.append(map(known.__getitem__, numbers))
        return enumerate(zip(*found, strict=True))


def _rows(packed: PackedObjects, names: tuple[str, ...]) -> list[Row]:
    source = _Source(packed)
    heads = [source.heads(each, names) for each in source.groups]
    rows: list[Row] = []
    for number, seq, moment in zip(
        unpack_numbers(packed.group_of),
        unpack_numbers(packed.seqs),
        unpack_numbers(packed.moments),
        strict=True,
    ):
        place, (identifier, *keys) = next(heads[number])
        group = source.groups[number]
        row = PackedRow(identifier, moment, seq, tuple(keys), None, None, source, group, place, changed=False)
        rows.append(row)
    return rows


class PackedTable(Table):
    """A table whose rows are made when somebody first looks at them."""

    __slots__ = ("_load",)

    def __init__(self, kind: str, load: Callable[[], PackedObjects]) -> None:
        super().__init__(kind)
        self._load = load
        del self.rows, self.by_id

    def __getattr__(self, name: str) -> Any:
        """`rows` and `by_id`, as long as they aren't there."""
        if name not in {"rows", "by_id"}:
            raise AttributeError(name)
        rows = _rows(self._load(), self.keys)
        self.rows, self.by_id = rows, {row.id: row for row in rows}
        return getattr(self, name)
