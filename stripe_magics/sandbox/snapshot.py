"""A sandbox in a file: JSON, compressed; written beside its place and moved there in one step."""

from __future__ import annotations

import os
import tempfile
import zlib
from pathlib import Path
from typing import Any

import msgspec

from stripe_magics.sandbox.core.clock import Clock
from stripe_magics.sandbox.core.store import Account, Row, decode

FORMAT = 1
MARK = b"stripe_magics sandbox\n"


class _File(msgspec.Struct):
    """What the file holds. Objects stay text until they are wanted."""

    format: int
    seed: str
    now: int
    jobs: list[tuple[int, int, int, str, str]]
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


def dump(account: Account) -> bytes:
    """The whole account as the file's content."""
    tables = {
        kind: [(row.seq, row.created, msgspec.Raw(row.text)) for row in table.ordered()]
        for kind, table in account.tables.items()
    }
    replays = {
        key: (print_, status, body.decode(), when)
        for key, (print_, status, body, when) in account.replays.items()
    }
    clock = account.clock
    content = _File(
        FORMAT, account.seed, clock.now, clock.jobs, clock.count, account.count, account.requests, account.me, tables, account.notes, account.deleted,
        account.long_lines, account.link_lines, replays, account.ledger.members,
    )  # fmt: skip
    return MARK + zlib.compress(msgspec.json.encode(content), 3)


def restore(content: bytes) -> Account:
    """The account that a file's content holds. Raises ValueError if it is none."""
    if not content.startswith(MARK):
        raise ValueError("This is not a saved sandbox.")
    try:
        file = msgspec.json.decode(zlib.decompress(content[len(MARK) :]), type=_File)
    except (zlib.error, msgspec.MsgspecError) as error:
        raise ValueError(f"This saved sandbox is damaged: {error}") from error
    if file.format != FORMAT:
        raise ValueError(f"This sandbox was saved in format {file.format}; this version reads {FORMAT}.")
    account = Account(seed=file.seed, now=file.now)
    account.me = file.me
    for kind, rows in file.tables.items():
        table = account.table(kind)
        for seq, created, raw in rows:
            text = bytes(raw)
            data = decode(text)
            keys = tuple(data.get(name) for name in table.keys)
            table.add(Row(data["id"], created, seq, keys, None, text))
    account.notes, account.deleted = file.notes, file.deleted
    account.long_lines, account.link_lines = file.long_lines, file.link_lines
    account.replays = {
        key: (print_, status, body.encode(), when)
        for key, (print_, status, body, when) in file.replays.items()
    }
    for payout, entries in file.members.items():
        for each in entries:
            account.ledger.assign(each, payout)
    account.ledger.rebuild()
    account.clock = Clock(file.now, list(file.jobs), file.jobs_count)
    account.count, account.requests = file.count, file.requests
    return account


def save(account: Account, path: Path) -> None:
    """Write the file; what stood there before stays whole until the new one is complete."""
    content = dump(account)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def load(path: Path) -> Account:
    """Read a file."""
    return restore(path.read_bytes())
