"""Write the demo account that ships: `python tests/generators/demo_account.py`.

It is what the package generates for the usual seed and moment, in the form that `sandbox/core/packed.py` and
`sandbox/demo_data/shipped.py` describe. Run it after every change of the demo firm's story, or of how the
sandbox shows an object.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

import msgspec

from stripe_magics.sandbox import snapshot
from stripe_magics.sandbox.core.object_table import Table
from stripe_magics.sandbox.core.packed import Group, PackedObjects, pack_numbers
from stripe_magics.sandbox.core.store import Account
from stripe_magics.sandbox.demo_data import generated, shipped
from stripe_magics.sandbox.demo_data.ids import stream

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*":|("(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null)')
"""A key with its colon, or (in the group) a value that has no parts."""
_WORD = re.compile(rb"(?<![A-Za-z0-9])[A-Za-z0-9]{24}(?![A-Za-z0-9])")


# objects


def pack(table: Table) -> PackedObjects:
    """All objects of a type in groups of the same structure."""
    rows = table.ordered()
    structures: dict[tuple[bytes, ...], list[list[bytes]]] = {}
    places: dict[tuple[bytes, ...], int] = {}
    group_of = []
    for row in rows:
        around, values = _split(row.text)
        structures.setdefault(around, []).append(values)
        group_of.append(places.setdefault(around, len(places)))
    numbers: dict[bytes, int] = {}
    heads = iter_heads(table)
    fields = [[] for _ in structures]
    for number, head in zip(group_of, heads, strict=True):
        fields[number].append(head)
    groups = [
        _group(around, objects, fields[number], ("id", *table.keys), numbers)
        for number, (around, objects) in enumerate(structures.items())
    ]
    return PackedObjects(
        b"\n".join(numbers),
        groups,
        pack_numbers(group_of),
        pack_numbers([row.seq for row in rows]),
        pack_numbers([row.created for row in rows]),
    )


def iter_heads(table: Table) -> Iterator[list[bytes]]:
    """The id and the filter values of each object, as JSON."""
    for row in table.ordered():
        yield [msgspec.json.encode(each) for each in (row.id, *row.keys)]


def _split(text: bytes) -> tuple[tuple[bytes, ...], list[bytes]]:
    """What stands around the values of an object, and the values."""
    around, values, last = [], [], 0
    for found in _TOKEN.finditer(text):
        if found[1] is not None:
            around.append(text[last : found.start(1)])
            values.append(found[1])
            last = found.end(1)
    return (*around, text[last:]), values


def _group(
    around: tuple[bytes, ...],
    objects: list[list[bytes]],
    heads: list[list[bytes]],
    names: tuple[str, ...],
    numbers: dict[bytes, int],
) -> Group:
    """Values that are the same in all objects are part of the template; equal columns are kept once."""
    columns: dict[tuple[bytes, ...], int] = {}
    fields = {
        name: columns.setdefault(column, len(columns))
        for name, column in zip(names, zip(*heads, strict=True), strict=True)
    }
    template, gaps = bytearray(), []
    for text, column in zip(around, zip(*objects, strict=True), strict=False):
        template += text.replace(b"%", b"%%")
        if len(set(column)) == 1:
            template += column[0].replace(b"%", b"%%")
        else:
            template += b"%b"
            gaps.append(columns.setdefault(column, len(columns)))
    template += around[-1].replace(b"%", b"%%")
    packed = [pack_numbers([numbers.setdefault(each, len(numbers)) for each in column]) for column in columns]
    return Group(bytes(template), gaps, packed, fields)


# the file


def file(account: Account) -> bytes:
    """The file's content."""
    letters = _Letters()
    sections = {shipped.STATE: letters.replaced(snapshot.encode_state(account, objects=False))}
    for owner, each in (("", account), *account.family.connected.items()):
        members = msgspec.json.encode(each.ledger.members)
        sections[shipped.section_name(owner, shipped.MEMBERS)] = letters.replaced(members)
        for kind, table in each.tables.items():
            if table.rows:
                packed = pack(table)
                packed = msgspec.structs.replace(packed, values=letters.replaced(packed.values))
                sections[shipped.section_name(owner, kind)] = msgspec.msgpack.encode(packed)
    index, content = {}, b""
    for name, section in sections.items():
        compressed = zlib.compress(section, 9)
        index[name] = (len(content), len(compressed))
        content += compressed
    return msgspec.json.encode(index) + b"\n" + content


class _Letters:
    """The text that ids are pieces of."""

    def __init__(self) -> None:
        self.text = stream(shipped.SEED).encode()
        self.places: dict[bytes, int] = {}

    def _place(self, word: bytes, near: int) -> int:
        """Where a word stands in it, looked for after a place first; -1 if nowhere."""
        found = self.places.get(word)
        if found is None:
            found = self.text.find(word, near)
            found = self.places[word] = found if found >= 0 else self.text.find(word)
        return found

    def replaced(self, text: bytes) -> bytes:
        """A text with its words given as distances between their places."""
        last = 0

        def distance(found: re.Match[bytes]) -> bytes:
            nonlocal last
            place = self._place(found[0], last)
            if place < 0:
                return found[0]
            step, last = place - last, place
            return b"\x01%d\x02" % step

        return _WORD.sub(distance, text)


def main() -> None:
    """Write it."""
    shipped.FILE.write_bytes(file(generated(shipped.SEED, shipped.MOMENT)))
    print(f"{shipped.FILE.name}: {shipped.FILE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
