"""The demo account as it ships: what `generation` makes for the usual seed and moment, in a file.

The file is a line that names its sections, and the sections, compressed: "state" is the account without its
objects (see `snapshot`), "members" says which entries of the ledger each payout took, every other one has the
objects of a type (see `core/packed.py`). Those of a connected account have its id and a slash before them. A
section is read when it is first needed.

The letters of random ids aren't in it: they are pieces of the text that the seed makes (see `ids`), and only
where a piece begins is written, as the distance from the one before.

`python tests/generators/demo_account.py` writes the file; a test compares it with what is generated.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from stripe_magics.sandbox import snapshot
from stripe_magics.sandbox.core.clock import AS_OF
from stripe_magics.sandbox.core.object_table import Table
from stripe_magics.sandbox.core.packed import PackedObjects, PackedTable
from stripe_magics.sandbox.core.store import Account
from stripe_magics.sandbox.demo_data.ids import stream

SEED, MOMENT = "sandbox", AS_OF
"""What it was made for."""
FILE = Path(__file__).with_name("account.packed")
WORD = 24
"""How long the pieces are that are written as places."""
STATE, MEMBERS = "state", "members"
_PIECE = re.compile(rb"\x01(-?\d+)\x02")


class Archive:
    """The file's content."""

    def __init__(self, content: bytes) -> None:
        index, _, self.content = content.partition(b"\n")
        self.sections = msgspec.json.decode(index, type=dict[str, tuple[int, int]])
        self.letters = stream(SEED).encode()

    def account(self) -> Account:
        """The account; its objects are read when they are first needed."""
        return snapshot.decode_state(self.words(self.section(STATE)), self)

    def section(self, name: str) -> bytes:
        """A section's bytes."""
        start, length = self.sections[name]
        return zlib.decompress(self.content[start : start + length])

    def words(self, text: bytes) -> bytes:
        """A text with the pieces of the seed's letters put in."""
        letters, place = self.letters, 0

        def piece(found: re.Match[bytes]) -> bytes:
            nonlocal place
            place += int(found[1])
            return letters[place : place + WORD]

        return _PIECE.sub(piece, text)

    def objects(self, name: str) -> PackedObjects:
        """The objects of a section."""
        packed = msgspec.msgpack.decode(self.section(name), type=PackedObjects)
        return msgspec.structs.replace(packed, values=self.words(packed.values))

    def tables(self, account: str) -> dict[str, Table]:
        """The objects of an account ("" is the platform) by type."""
        found: dict[str, Table] = {}
        for name in self.sections:
            owner, _, kind = name.rpartition("/")
            if owner == account and kind not in {STATE, MEMBERS}:
                found[kind] = PackedTable(kind, partial(self.objects, name))
        return found

    def members(self, account: str) -> Callable[[], dict[str, list[str]]]:
        """Reads which entries each payout of an account took."""
        return partial(self._members, section_name(account, MEMBERS))

    def _members(self, name: str) -> dict[str, list[str]]:
        return msgspec.json.decode(self.words(self.section(name)), type=dict[str, list[str]])


def section_name(account: str, name: str) -> str:
    """What a section of an account is called."""
    return f"{account}/{name}" if account else name


def account() -> Account:
    """A new demo account."""
    return Archive(FILE.read_bytes()).account()
