"""A sandbox in a file: JSON, compressed; written beside its place and moved there in one step."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import msgspec

from stripe_magics._files import replace_whole
from stripe_magics.sandbox.core.clock import Job
from stripe_magics.sandbox.core.object_table import Row, Table
from stripe_magics.sandbox.core.store import Account, decode
from stripe_magics.sandbox.core.undo import Remembering

FORMAT = 1
MARK = b"stripe_magics sandbox\n"


class _Times(msgspec.Struct):
    """A test clock."""

    now: int
    jobs: list[Job]
    count: int


class _Part(msgspec.Struct):
    """What is a connected account's own."""

    seed: str
    count: int
    tables: dict[str, list[tuple[int, int, msgspec.Raw]]]
    notes: dict[str, dict[str, Any]]
    deleted: dict[str, dict[str, Any]]
    long_lines: dict[str, list[dict[str, Any]]]
    link_lines: dict[str, list[dict[str, Any]]]
    replays: dict[str, tuple[str, int, str, int]]
    members: dict[str, list[str]]
    test_clocks: dict[str, _Times]
    totals: dict[str, list[int]] | None = None
    open: dict[str, dict[str, int]] | None = None


class _File(msgspec.Struct):
    """What the file holds. Objects stay text until they are needed."""

    format: int
    seed: str
    now: int
    jobs: list[Job]
    jobs_count: int
    count: int
    requests: int
    me: dict[str, Any]
    tables: dict[str, list[tuple[int, int, msgspec.Raw]]]
    notes: dict[str, dict[str, Any]]
    deleted: dict[str, dict[str, Any]]
    long_lines: dict[str, list[dict[str, Any]]]
    link_lines: dict[str, list[dict[str, Any]]]
    replays: dict[str, tuple[str, int, str, int]]
    members: dict[str, list[str]]
    connected: dict[str, _Part] = {}
    test_clocks: dict[str, _Times] = {}
    totals: dict[str, list[int]] | None = None
    open: dict[str, dict[str, int]] | None = None


class Elsewhere(Protocol):
    """Where objects are kept that aren't in the state itself; an account is named by its id, the platform by
    "" """

    def tables(self, account: str) -> dict[str, Table]:
        """Its objects by type."""

    def members(self, account: str) -> Callable[[], dict[str, list[str]]]:
        """Reads which entries each of its payouts took."""


def dump(account: Account) -> bytes:
    """The whole account, with those that are connected to it, as the file's content."""
    return packed(encode_state(account, objects=True))


def packed(state: bytes) -> bytes:
    """The file's content, of a whole account's JSON."""
    return MARK + zlib.compress(state, 3)


def encode_state(account: Account, *, objects: bool) -> bytes:
    """The account as JSON; without its objects and its payouts' members, if they are kept elsewhere."""
    clock, own = account.own_clock.calendar, _part(account, objects=objects)
    connected = {
        identifier: _part(each, objects=objects) for identifier, each in account.family.connected.items()
    }
    content = _File(
        FORMAT, own.seed, clock.now, clock.jobs, clock.count, own.count, account.requests, account.profile,
        own.tables, own.notes, own.deleted, own.long_lines, own.link_lines, own.replays, own.members,
        connected, own.test_clocks, own.totals, own.open,
    )  # fmt: skip
    return msgspec.json.encode(content)


def _part(account: Account, *, objects: bool) -> _Part:
    account.flush()
    tables = {
        kind: [(row.seq, row.created, msgspec.Raw(row.text)) for row in table.ordered()]
        for kind, table in (account.tables.items() if objects else ())
    }
    replays = {
        key: (print_, status, body.decode(), when)
        for key, (print_, status, body, when) in account.replays.items()
    }
    clocks = {name: _Times(*each.calendar.mark()) for name, each in account.test_clocks.items()}
    return _Part(
        account.seed, account.count, tables, account.private_state, account.deleted, account.long_lines,
        account.link_lines, replays,
        account.ledger.members if objects else {}, clocks, account.ledger.totals, account.ledger.open,
    )  # fmt: skip


def restore(content: bytes) -> Account:
    """The account that a file's content holds. Raises ValueError if it is none."""
    if not content.startswith(MARK):
        raise ValueError("This is not a saved sandbox.")
    try:
        text = zlib.decompress(content[len(MARK) :])
    except zlib.error as error:
        raise ValueError(f"This saved sandbox is damaged: {error}") from error
    return decode_state(text)


def decode_state(text: bytes, elsewhere: Elsewhere | None = None) -> Account:
    """The account of `encode_state`, with its objects if they are kept elsewhere."""
    try:
        file = msgspec.json.decode(text, type=_File)
    except msgspec.MsgspecError as error:
        raise ValueError(f"This saved sandbox is damaged: {error}") from error
    if file.format != FORMAT:
        raise ValueError(f"This sandbox was saved in format {file.format}; this version reads {FORMAT}.")
    account = Account(seed=file.seed, now=file.now)
    account.profile, account.requests = file.me, file.requests
    _fill(account, file, elsewhere, "")
    for identifier, part in file.connected.items():
        member = Account(seed=part.seed, platform=account, me=identifier)
        _fill(member, part, elsewhere, identifier)
    account.own_clock.calendar.restore((file.now, list(file.jobs), file.jobs_count))
    return account


def _fill(account: Account, part: _File | _Part, elsewhere: Elsewhere | None, owner: str) -> None:
    if elsewhere:
        account.tables.update(elsewhere.tables(owner))
    for kind, rows in part.tables.items():
        table = account.table(kind)
        for seq, created, raw in rows:
            text = bytes(raw)
            data = decode(text)
            keys = tuple(data.get(name) for name in table.keys)
            table.add(Row(data["id"], created, seq, keys, None, text))
    account.private_state, account.deleted = Remembering(part.notes), Remembering(part.deleted)
    account.long_lines, account.link_lines = Remembering(part.long_lines), Remembering(part.link_lines)
    account.replays = {
        key: (print_, status, body.encode(), when)
        for key, (print_, status, body, when) in part.replays.items()
    }
    sums = None if part.totals is None or part.open is None else (part.totals, part.open)  # as older files
    account.ledger.restore_from(elsewhere.members(owner) if elsewhere else lambda: part.members, sums)
    account.count = part.count
    for name, times in part.test_clocks.items():
        account.add_test_clock(name, times.now).calendar.restore((times.now, list(times.jobs), times.count))


def copy_connected(member: Account, platform: Account, identifier: str) -> None:
    """Give another platform the same connected account. What is still to come isn't part of it: that is on
    the platform's calendar."""
    part = _part(member, objects=True)
    _fill(Account(seed=part.seed, platform=platform, me=identifier), part, None, identifier)


def save(account: Account, path: Path) -> None:
    """Write the file; what stood there before stays whole until the new one is complete. Raises
    `OSError`."""
    write(dump(account), path)


def write(content: bytes, path: Path) -> None:
    """Put a file's content in its place, readable by this user alone. Raises `OSError`."""
    replace_whole(path, content, private=True)


def load(path: Path) -> Account:
    """Read a file."""
    return restore(path.read_bytes())
